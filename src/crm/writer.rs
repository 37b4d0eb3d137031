//! The writer thread: what waits together becomes one transaction (group commit).
//!
//! A commit costs one flush of the disk, however many rows it holds. So the queue is drained into
//! one transaction, and each write is answered only once the flush is done. In a rush the queue is
//! given a moment to fill. A call that begins while nothing else waits is kept on one page first, so
//! that it can ring.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use crate::base::clock::{monotonic_now, wall_now};
use crate::crm::acting_agent::ActingAgent;
use crate::crm::apply::{Context, apply};
use crate::crm::call_ladders::Pruning;
use crate::crm::number_key::Numbering;
use crate::crm::store::{StoreError, Write, Written};
use crate::crm::{arrivals, backup};

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

/// A write that waits, and who wants to know.
pub(crate) struct Queued {
    pub(crate) write: Write,
    /// Told when a call that begins would survive a power loss, if that is before `answer`.
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
    queue: &Receiver<Box<Queued>>,
    numbering: &Arc<Numbering>,
    agent: &ActingAgent,
    commits: &AtomicU64,
) {
    let mut work = Work {
        connection: &connection,
        queue,
        numbering,
        agent,
        commits,
        pruning: Pruning::default(),
        rush: Rush::default(),
        untidy: 0,
        free_since: monotonic_now(),
    };
    while let Ok(first) = queue.recv() {
        for queued in work.serve(first) {
            work.serve_outside(queued);
        }
    }
}

/// What the writer works with and knows of its work.
struct Work<'a> {
    connection: &'a Connection,
    queue: &'a Receiver<Box<Queued>>,
    numbering: &'a Numbering,
    agent: &'a ActingAgent,
    commits: &'a AtomicU64,
    pruning: Pruning,
    rush: Rush,
    /// Writes since the log was moved into the database.
    untidy: usize,
    free_since: Instant,
}

impl Work<'_> {
    /// Commits a write with what waits behind it; gives those that no transaction can do.
    fn serve(&mut self, first: Box<Queued>) -> Vec<Queued> {
        let waited = monotonic_now().duration_since(self.free_since);
        let gathers = self.rush.gathers(waited);
        if gathers {
            // Asleep, not in the queue: nobody need wake this thread for each write.
            std::thread::sleep(GATHER);
        }
        let mut batch = vec![first];
        batch.extend(self.queue.try_iter().take(BATCH - 1));
        if gathers {
            self.rush.gathered(batch.len());
        }
        if let [only] = batch.as_mut_slice()
            && !gathers
            && keep(self.connection, only, self.commits)
        {
            std::thread::sleep(AFTER_KEEPING);
            batch.extend(self.queue.try_iter().take(BATCH - 1));
        }
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
            commit(self.connection, &writes, &mut context, self.commits)
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
        if self.untidy >= TIDY_AFTER && !burst && !gathers {
            tidy(self.connection);
            self.untidy = 0;
        }
        self.free_since = monotonic_now();
        outside
    }

    /// Does what is no transaction.
    fn serve_outside(&mut self, queued: Queued) {
        let connection = self.connection;
        let done = match &queued.write {
            Write::CopyTo(file) => backup::copy_online(connection, file, || self.serve_between()),
            Write::EmptyLog => empty_log(connection),
            Write::MakeAnew => connection.execute_batch("VACUUM"),
            // Everything else is one.
            _ => return,
        };
        let done = done.map(|()| Written::Settled).map_err(StoreError::from);
        queued.answer.send(done).ok();
    }

    /// Commits what waits while the database is copied; false when the store closes.
    fn serve_between(&mut self) -> bool {
        match self.queue.try_recv() {
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

/// Keeps a call that begins, if somebody waits for that; true if it did. Where it cannot be kept it
/// cannot be written either, which its answer will tell.
fn keep(connection: &Connection, queued: &mut Queued, commits: &AtomicU64) -> bool {
    let Write::InsertCall(call) = &queued.write else {
        return false;
    };
    let Some(waits) = queued.kept.take_if(|waits| !waits.is_closed()) else {
        return false;
    };
    let commit = || {
        let transaction = begin(connection)?;
        arrivals::keep(&transaction, call)?;
        transaction.commit()
    };
    match commit() {
        Ok(()) => {
            commits.fetch_add(1, Ordering::Relaxed);
            waits.send(()).ok();
            true
        }
        Err(error) => {
            tracing::warn!("a call that begins could not be kept: {error}");
            false
        }
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
