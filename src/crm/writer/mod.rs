//! The writer thread: what waits together becomes one transaction (group commit).
//!
//! A commit costs one flush of the disk, however many rows it holds. So the queue is drained into
//! one transaction, and each write is answered only once the flush is done. In a rush the queue is
//! given a moment to fill. A call that begins while nothing else waits is kept on one page first, so
//! that it can ring. While something takes long, a second thread looks after the queue and puts the calls
//! that begin, and what happens in calls, aside, in a file of their own.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use crate::base::clock::{monotonic_now, wall_now};
use crate::crm::acting_agent::ActingAgent;
use crate::crm::apply::{Context, apply};
use crate::crm::arrivals::News;
use crate::crm::aside::Aside;
use crate::crm::call_ladders::Pruning;
use crate::crm::number_key::Numbering;
use crate::crm::store::{StoreError, Write, Written};
use crate::crm::{arrivals, backup, open, words_behind};

/// So many writes fit into one transaction: enough for any burst, and a bounded pause.
const BATCH: usize = 256;

/// After so many writes the log is moved into the database, once nobody waits: else a commit would
/// do it, before its answer.
const TIDY_AFTER: usize = 64;

/// A pause between two writes that is not shorter says that there is no rush.
const CALM: Duration = Duration::from_millis(1);

/// So many transactions without such a pause are a rush: one call makes three.
const RUSH_AFTER: u32 = 8;

/// So long writes are gathered in a rush before they become a transaction. A rush has hundreds of
/// calls a second; each of them would else pay for the flush and the index pages of its own.
const GATHER: Duration = Duration::from_millis(2);

/// Fewer writes than that were not worth the wait.
const GATHERED: usize = 4;

/// So long a call that was kept waits for its way into the log: the phone answers its caller in
/// that time, and what it writes of that joins the same transaction.
const AFTER_KEEPING: Duration = Duration::from_millis(1);

/// So long the thread beside a long work waits for a call, until it looks whether the work is done.
const LOOKS_UP: Duration = Duration::from_millis(1);

/// So large the cache of pages is during an import, in KiB: each page of an index is written once then, and not
/// again for each contact that belongs there.
const IMPORT_CACHE: i64 = 128 << 10;

/// So many writes are taken from the queue during a long work; what comes then is refused once the
/// queue is full, too.
const WAITING: usize = 1024;

/// A write that waits, and who wants to know.
pub(crate) struct Queued {
    pub(crate) write: Write,
    /// Told when news of a call would survive a power loss, if that is before `answer`.
    pub(crate) kept: Option<oneshot::Sender<()>>,
    pub(crate) answer: oneshot::Sender<Result<Written, StoreError>>,
}

/// Why a write was not carried out.
#[derive(Debug)]
pub(crate) enum WriteError {
    /// The row is not there; nothing was changed.
    Missing(&'static str),
    /// It cannot be so, for the reason given; nothing was changed.
    Refused(String),
    /// SQLite refused.
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for WriteError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<WriteError> for StoreError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Missing(what) => Self::Missing(what),
            WriteError::Refused(why) => Self::Refused(why),
            WriteError::Sqlite(error) => error.into(),
        }
    }
}

/// Tells a rush of calls from a single one, and from somebody who writes one by one.
#[derive(Debug, Default)]
struct Rush {
    /// Transactions since the last pause.
    without_pause: u32,
}

impl Rush {
    /// Takes note of a write that came after so long; true asks to gather further ones.
    fn gathers(&mut self, waited: Duration) -> bool {
        self.without_pause = if waited >= CALM {
            0
        } else {
            self.without_pause.saturating_add(1)
        };
        self.without_pause >= RUSH_AFTER
    }

    /// Takes note of how many writes were gathered.
    fn gathered(&mut self, writes: usize) {
        if writes < GATHERED {
            self.without_pause = 0;
        }
    }
}

/// Writes until the queue is closed and empty.
pub(crate) fn run(
    connection: Connection,
    queue: Receiver<Box<Queued>>,
    aside: Aside,
    numbering: &Arc<Numbering>,
    agent: &ActingAgent,
    commits: &AtomicU64,
) {
    let mut work = Work {
        connection: &connection,
        queue,
        waiting: VecDeque::new(),
        aside,
        numbering,
        agent,
        commits,
        pruning: Pruning::default(),
        rush: Rush::default(),
        untidy: 0,
        behind: true,
        free_since: monotonic_now(),
    };
    while let Some(first) = work.next_write() {
        for queued in work.serve(first) {
            work.serve_outside(queued);
        }
    }
}

/// What the writer works with and knows of its work.
struct Work<'a> {
    connection: &'a Connection,
    queue: Receiver<Box<Queued>>,
    /// What was taken from the queue while something took long, and comes before it.
    waiting: VecDeque<Box<Queued>>,
    aside: Aside,
    numbering: &'a Numbering,
    agent: &'a ActingAgent,
    commits: &'a AtomicU64,
    pruning: Pruning,
    rush: Rush,
    /// Writes since the log was moved into the database.
    untidy: usize,
    /// Whether there may be contacts that are not in the full-text index yet.
    behind: bool,
    free_since: Instant,
}

impl Work<'_> {
    /// Waits for the next write; none when the store closes. As long as none comes, contacts are indexed that an
    /// import left.
    fn next_write(&mut self) -> Option<Box<Queued>> {
        loop {
            if let Some(waits) = self.waiting.pop_front() {
                return Some(waits);
            }
            if !self.behind {
                return self.queue.recv().ok();
            }
            match self.queue.try_recv() {
                Ok(queued) => return Some(queued),
                Err(TryRecvError::Disconnected) => return None,
                Err(TryRecvError::Empty) => self.behind = self.catch_up(),
            }
        }
    }

    /// Indexes some of the contacts that an import left; false when there are no more.
    fn catch_up(&mut self) -> bool {
        match words_behind::any(self.connection) {
            Ok(true) => {}
            Ok(false) => return false,
            Err(error) => {
                tracing::warn!("whether contacts are to be indexed could not be read: {error}");
                return false;
            }
        }
        let connection = self.connection;
        let work = || {
            let transaction = begin(connection)?;
            words_behind::index_piece(&transaction)?;
            transaction.commit()
        };
        let done = meanwhile(&mut self.queue, &mut self.waiting, &mut self.aside, work);
        if let Err(error) = &done {
            // Searches read them where they lie, and the next start tries again.
            tracing::warn!("contacts of an import could not be indexed: {error}");
        } else {
            self.commits.fetch_add(1, Ordering::Relaxed);
        }
        self.free_since = monotonic_now();
        done.is_ok()
    }

    /// Takes what waits, so many at most.
    fn more(&mut self, most: usize) -> impl Iterator<Item = Box<Queued>> {
        let first = most.min(self.waiting.len());
        let waiting = self.waiting.drain(..first);
        waiting.chain(self.queue.try_iter().take(most - first))
    }

    /// Commits a write with what waits behind it; gives those that no transaction can do.
    fn serve(&mut self, first: Box<Queued>) -> Vec<Queued> {
        self.take_over();
        let waited = monotonic_now().duration_since(self.free_since);
        let gathers = self.rush.gathers(waited);
        if gathers {
            // Asleep, not in the queue: nobody need wake this thread for each write.
            thread::sleep(GATHER);
        }
        let mut batch = vec![first];
        batch.extend(self.more(BATCH - batch.len()));
        if gathers {
            self.rush.gathered(batch.len());
        }
        if batch.len() == 1 && !gathers && keep(self.connection, &mut batch, false, self.commits) {
            thread::sleep(AFTER_KEEPING);
            batch.extend(self.more(BATCH - batch.len()));
        }
        let long = batch.iter().any(|queued| queued.write.may_take_long());
        if long {
            keep(self.connection, &mut batch, true, self.commits);
        }
        let imports = (batch.iter()).any(|queued| matches!(queued.write, Write::Import(_)));
        let burst = batch.len() == BATCH;
        self.untidy = self.untidy.saturating_add(batch.len());
        let (batch, outside): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .map(|queued| *queued)
            .partition(|queued| !queued.write.is_outside());
        let writes: Vec<&Write> = batch.iter().map(|queued| &queued.write).collect();
        let results = if writes.is_empty() {
            Vec::new()
        } else {
            let agent = self.agent.name();
            let mut context = Context {
                at: wall_now(),
                agent: &agent,
                numbering: self.numbering,
                pruning: &mut self.pruning,
            };
            let mut work = || {
                if imports {
                    widen(self.connection, true);
                }
                commit(self.connection, &writes, &mut context, self.commits)
            };
            if long {
                meanwhile(&mut self.queue, &mut self.waiting, &mut self.aside, work)
            } else {
                work()
            }
        };
        if writes.iter().any(|write| write.tells_whose_lines())
            && let Err(error) = self.agent.read_lines(self.connection, self.numbering)
        {
            tracing::warn!("whose lines this phone has could not be read: {error}");
        }
        for (queued, result) in batch.into_iter().zip(results) {
            // Who no longer waits for the answer does not need it.
            queued.answer.send(result).ok();
        }
        if imports {
            self.behind = true;
            let connection = self.connection;
            let work = || {
                widen(connection, false);
                tidy(connection);
            };
            meanwhile(&mut self.queue, &mut self.waiting, &mut self.aside, work);
        } else if self.untidy >= TIDY_AFTER && !burst && !gathers {
            tidy(self.connection);
            self.untidy = 0;
        }
        self.free_since = monotonic_now();
        outside
    }

    /// Does what is no transaction.
    fn serve_outside(&mut self, queued: Queued) {
        let connection = self.connection;
        let done = if let Write::CopyTo(file) = &queued.write {
            backup::copy_online(connection, file, || self.serve_between())
        } else {
            let work = || match &queued.write {
                Write::EmptyLog => empty_log(connection),
                Write::MakeAnew => connection.execute_batch("VACUUM"),
                // Everything else is one.
                _ => Ok(()),
            };
            meanwhile(&mut self.queue, &mut self.waiting, &mut self.aside, work)
        };
        let done = done.map(|()| Written::Settled).map_err(StoreError::from);
        queued.answer.send(done).ok();
    }

    /// Takes the calls over that were put aside. Where the database refuses them they stay there.
    fn take_over(&mut self) {
        if self.aside.lines().is_empty() {
            return;
        }
        let commit = || {
            let transaction = begin(self.connection)?;
            for line in self.aside.lines() {
                arrivals::take_over(&transaction, line)?;
            }
            transaction.commit()
        };
        match commit() {
            Ok(()) => {
                self.commits.fetch_add(1, Ordering::Relaxed);
                if let Err(error) = self.aside.clear() {
                    tracing::warn!("calls that are in the log could not be removed: {error}");
                }
            }
            Err(error) => tracing::warn!("calls that began could not be taken over: {error}"),
        }
    }

    /// Commits what waits while the database is copied; false when the store closes.
    fn serve_between(&mut self) -> bool {
        let waits = self.waiting.pop_front();
        match waits.map_or_else(|| self.queue.try_recv(), Ok) {
            Ok(first) => {
                for queued in self.serve(first) {
                    let busy = "the database is being copied; try again when that is done";
                    let refused = StoreError::Database(busy.to_owned());
                    queued.answer.send(Err(refused)).ok();
                }
                true
            }
            Err(TryRecvError::Empty) => true,
            Err(TryRecvError::Disconnected) => false,
        }
    }
}

/// Moves the whole log into the database and cuts it to nothing: what was erased is not left there.
/// Readers that still look at it are waited for, as long as for another program.
fn empty_log(connection: &Connection) -> rusqlite::Result<()> {
    let busy: bool =
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if busy {
        let why = "a reader kept the log from being emptied";
        return Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY),
            Some(why.to_owned()),
        ));
    }
    Ok(())
}

/// Moves the log into the database without waiting for readers; what is left goes the next time.
fn tidy(connection: &Connection) {
    if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
        tracing::warn!("the call log's journal could not be moved into the database: {error}");
    }
}

/// Gives an import its cache, and leaves the log alone until it was answered; or takes both back.
fn widen(connection: &Connection, wide: bool) {
    let set = || {
        if wide {
            connection.pragma_update(None, "cache_size", -IMPORT_CACHE)?;
            return connection.pragma_update(None, "wal_autocheckpoint", 0);
        }
        connection.pragma_update(None, "wal_autocheckpoint", open::CHECKPOINT_AFTER)?;
        connection.pragma_update(None, "cache_size", -open::CACHE)?;
        connection.execute_batch("PRAGMA shrink_memory")
    };
    if let Err(error) = set() {
        tracing::warn!("the cache could not be made larger or smaller: {error}");
    }
}

/// Who waits for news of a call to be kept.
type Waits<'a> = &'a mut Option<oneshot::Sender<()>>;

/// The calls that begin and that somebody waits for; and, before a long work, what happened in calls.
fn news(batch: &mut [Box<Queued>], before_long: bool) -> (Vec<News<'_>>, Vec<Waits<'_>>) {
    let both = batch.iter_mut().filter_map(|queued| {
        let Queued { write, kept, .. } = queued.as_mut();
        let awaited = kept.as_ref().is_some_and(|it| !it.is_closed());
        let news = News::of(write).filter(|news| match news {
            News::Beginning(_) => awaited,
            News::Change { .. } => before_long && kept.is_some(),
        });
        news.map(|news| (news, kept))
    });
    both.unzip()
}

fn tell_kept(waits: Vec<Waits<'_>>) {
    for waits in waits.into_iter().filter_map(Option::take) {
        waits.send(()).ok();
    }
}

/// Keeps the calls that begin, if somebody waits for that, and before a long work what happened in calls;
/// true if there was something. What cannot be kept cannot be written either, which its answer will tell.
fn keep(
    connection: &Connection,
    batch: &mut [Box<Queued>],
    before_long: bool,
    commits: &AtomicU64,
) -> bool {
    let (kept, waits) = news(batch, before_long);
    if kept.is_empty() {
        return false;
    }
    let commit = || {
        let transaction = begin(connection)?;
        for news in kept {
            arrivals::keep(&transaction, news)?;
        }
        transaction.commit()
    };
    match commit() {
        Ok(()) => {
            commits.fetch_add(1, Ordering::Relaxed);
            tell_kept(waits);
            true
        }
        Err(error) => {
            tracing::warn!("a call that begins could not be kept: {error}");
            false
        }
    }
}

/// Does what may take long, and meanwhile takes what comes from the queue and puts the calls that begin
/// aside, and what happens in calls.
fn meanwhile<T>(
    queue: &mut Receiver<Box<Queued>>,
    waiting: &mut VecDeque<Box<Queued>>,
    aside: &mut Aside,
    work: impl FnOnce() -> T,
) -> T {
    thread::scope(|scope| {
        // Dropped when the work is done, also by a panic.
        let (works, done) = sync_channel::<()>(0);
        let beside = thread::Builder::new().name("ringdesk-store-arrivals".to_owned());
        let beside = beside.spawn_scoped(scope, move || look_after(queue, waiting, aside, &done));
        if let Err(error) = beside {
            tracing::warn!("calls that begin wait for a long write: {error}");
        }
        let result = work();
        drop(works);
        result
    })
}

/// Takes what comes, until the work is done or too much waits.
fn look_after(
    queue: &Receiver<Box<Queued>>,
    waiting: &mut VecDeque<Box<Queued>>,
    aside: &mut Aside,
    done: &Receiver<()>,
) {
    if let Err(error) = aside.prepare() {
        tracing::warn!("calls that begin cannot be put aside: {error}");
    }
    // What happens in a call is safe only with its beginning: after one failure nothing more is.
    let mut fails = false;
    while waiting.len() < WAITING && done.try_recv() != Err(TryRecvError::Disconnected) {
        let first = match queue.recv_timeout(LOOKS_UP) {
            Ok(first) => first,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let mut came = vec![first];
        came.extend(queue.try_iter().take(BATCH));
        let (kept, waits) = news(&mut came, true);
        if !kept.is_empty() && !fails {
            match aside.keep(&kept) {
                Ok(()) => tell_kept(waits),
                Err(error) => {
                    fails = true;
                    tracing::warn!("a call that begins could not be put aside: {error}");
                }
            }
        }
        waiting.extend(came);
    }
}

/// Begins a transaction. The writer makes one at a time, though a copy may read the connection between
/// two of them.
fn begin(connection: &Connection) -> rusqlite::Result<Transaction<'_>> {
    Transaction::new_unchecked(connection, TransactionBehavior::Immediate)
}

/// Commits writes together; if that fails, each alone, so that a bad one takes no other along.
fn commit(
    connection: &Connection,
    writes: &[&Write],
    context: &mut Context<'_>,
    commits: &AtomicU64,
) -> Vec<Result<Written, StoreError>> {
    match together(connection, writes, context) {
        Ok(results) => {
            commits.fetch_add(1, Ordering::Relaxed);
            results
        }
        // Each try would wait for the other program again.
        Err(error) if writes.len() == 1 || waits_for_another(&error) => {
            let error = StoreError::from(error);
            writes.iter().map(|_| Err(error.clone())).collect()
        }
        Err(_) => writes
            .iter()
            .map(|write| {
                let mut results = together(connection, &[write], context)?;
                commits.fetch_add(1, Ordering::Relaxed);
                results.pop().unwrap_or(Err(StoreError::Closed))
            })
            .collect(),
    }
}

fn together(
    connection: &Connection,
    writes: &[&Write],
    context: &mut Context<'_>,
) -> rusqlite::Result<Vec<Result<Written, StoreError>>> {
    let transaction = begin(connection)?;
    arrivals::settle(&transaction, context.numbering)?;
    let mut results = Vec::with_capacity(writes.len());
    for write in writes {
        match apply(&transaction, write, context) {
            Ok(written) => results.push(Ok(written)),
            // Nothing was changed, so the others need not be tried again.
            Err(error @ (WriteError::Missing(_) | WriteError::Refused(_))) => {
                results.push(Err(error.into()));
            }
            Err(WriteError::Sqlite(error)) => return Err(error),
        }
    }
    transaction.commit()?;
    Ok(results)
}

fn waits_for_another(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::CallId;
    use crate::crm::Store;
    use crate::crm::row::{CallRow, CallState};
    use crate::crm::store::CallChange;

    const AT_ONCE: Duration = Duration::ZERO;

    #[test]
    fn neither_a_single_call_nor_one_write_after_the_other_waits_for_more() {
        let mut rush = Rush::default();
        for _ in 0..100 {
            assert!(!rush.gathers(CALM));
            assert!(!rush.gathers(AT_ONCE));
            assert!(!rush.gathers(AT_ONCE));
        }
        let mut waits = 0;
        for _ in 0..100 {
            if rush.gathers(AT_ONCE) {
                waits += 1;
                rush.gathered(1);
            }
        }
        assert!(waits <= 13, "{waits} of 100");
    }

    /// A caller during an import rang as not durable, and a kill took its row along.
    #[test]
    fn a_call_that_begins_during_a_long_work_is_safe_before_that_ends() {
        let folder = tempfile::tempdir().unwrap();
        let mut aside = Aside::open(folder.path()).unwrap();
        let (sender, mut queue) = sync_channel(10);
        let mut waiting = VecDeque::new();
        let (ids, _answers): (Vec<CallId>, Vec<_>) =
            meanwhile(&mut queue, &mut waiting, &mut aside, || {
                (1..=3)
                    .map(|number| {
                        let id = CallId::new(number, [7; 10]);
                        let call = CallRow::ringing(id, "0301234567", jiff::Timestamp::UNIX_EPOCH);
                        let (kept, told) = oneshot::channel();
                        let (answer, answered) = oneshot::channel();
                        let queued = Queued {
                            write: Write::InsertCall(Box::new(call)),
                            kept: Some(kept),
                            answer,
                        };
                        sender.send(Box::new(queued)).unwrap();
                        // The work goes on as long as nobody says this.
                        assert_eq!(told.blocking_recv(), Ok(()));
                        (id, answered)
                    })
                    .unzip()
            });
        let in_file = Aside::open(folder.path()).unwrap();
        let in_file = in_file.lines().iter();
        let in_file = in_file.map(|line| serde_json::from_str::<CallRow>(line).unwrap().id);
        assert_eq!(in_file.collect::<Vec<_>>(), ids);
        let order = waiting.iter().map(|queued| match &queued.write {
            Write::InsertCall(call) => call.id,
            other => panic!("{other:?}"),
        });
        assert_eq!(order.collect::<Vec<_>>(), ids);
    }

    /// An answer that was told waited for the import: after a kill the talk was a missed call.
    #[test]
    fn what_happens_in_a_call_during_a_long_work_is_safe_before_that_ends() {
        let folder = tempfile::tempdir().unwrap();
        drop(Store::open(folder.path(), "DE").unwrap());
        let mut aside = Aside::open(folder.path()).unwrap();
        let (sender, mut queue) = sync_channel(10);
        let mut waiting = VecDeque::new();
        let id = CallId::new(1, [7; 10]);
        let call = CallRow::ringing(id, "0301234567", jiff::Timestamp::UNIX_EPOCH);
        let at = jiff::Timestamp::from_second(5).unwrap();
        let answered = CallChange::Answered {
            at,
            waiting_millis: 5_000,
        };
        let notes = CallChange::Notes("calls again".to_owned());
        let writes = [
            Write::InsertCall(Box::new(call)),
            Write::ChangeCall(id, answered),
            Write::ChangeCall(id, CallChange::Held(true)),
            Write::ChangeCall(id, notes),
            // Nobody waits for that one.
            Write::ChangeCall(id, CallChange::Done(false)),
        ];
        let _answers: Vec<_> = meanwhile(&mut queue, &mut waiting, &mut aside, || {
            let sent = writes.map(|write| {
                let (kept, told) = oneshot::channel();
                let (answer, answered) = oneshot::channel();
                let safe = News::of(&write).is_some();
                let queued = Queued {
                    write,
                    kept: Some(kept),
                    answer,
                };
                sender.send(Box::new(queued)).unwrap();
                if safe {
                    assert_eq!(told.blocking_recv(), Ok(()));
                }
                answered
            });
            sent.into_iter().collect()
        });
        // The phone is killed there: nothing of what waits is written.
        drop(waiting);
        drop(aside);
        let store = Store::open(folder.path(), "DE").unwrap();
        let row = store.call(id).blocking_recv().unwrap().unwrap().unwrap();
        assert_eq!(row.state, CallState::Interrupted);
        assert_eq!(row.answered_at, Some(at));
        assert_eq!((row.done, row.notes.as_str()), (true, "calls again"));
    }

    #[test]
    fn a_rush_gathers_until_it_pauses() {
        let mut rush = Rush::default();
        for _ in 1..RUSH_AFTER {
            assert!(!rush.gathers(AT_ONCE));
        }
        for _ in 0..100 {
            assert!(rush.gathers(AT_ONCE));
            rush.gathered(GATHERED);
        }
        assert!(!rush.gathers(CALM));
    }
}
