//! The writer thread: what waits together becomes one transaction (group commit).
//!
//! A commit costs one flush of the disk, however many rows it holds. So the queue is drained into
//! one transaction, and each write is answered only once the flush is done. In a rush the queue is
//! given a moment to fill. A call that begins while nothing else waits is kept on one page first, so
//! that it can ring. While something takes long, a second thread looks after the queue and puts the calls
//! that begin, and what happens in calls, aside, in a file of their own.

mod commit;
mod keeping;
mod rush;
mod write_ahead_log;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::base::clock::{monotonic_now, wall_now};
use crate::crm::acting_agent::ActingAgent;
use crate::crm::apply::Context;
use crate::crm::aside::Aside;
use crate::crm::call_ladders::Pruning;
use crate::crm::number_key::Numbering;
use crate::crm::store::{StoreError, Write, Written};
use crate::crm::{arrivals, backup, words_behind};

use self::commit::{begin, commit};
use self::keeping::{keep, meanwhile};
use self::rush::Rush;
use self::write_ahead_log::{empty_log, tidy, widen};

/// So many writes fit into one transaction: enough for any burst, and a bounded pause.
const BATCH: usize = 256;

/// After so many writes the log is moved into the database, once nobody waits: else a commit would
/// do it, before its answer.
const TIDY_AFTER: usize = 64;

/// So long writes are gathered in a rush before they become a transaction. A rush has hundreds of
/// calls a second; each of them would else pay for the flush and the index pages of its own.
const GATHER: Duration = Duration::from_millis(2);

/// So long a call that was kept waits for its way into the log: the phone answers its caller in
/// that time, and what it writes of that joins the same transaction.
const AFTER_KEEPING: Duration = Duration::from_millis(1);

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
