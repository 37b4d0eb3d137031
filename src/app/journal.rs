//! The call record comes first: every write of a call goes through here.
//!
//! Writes go to the store in order and are acknowledged when they are on disk. While the store
//! refuses (slow or full disk) they wait here in memory, bounded and in order, and are written when
//! it works again. What waits here is told as not durable. What a person edits passes through as well, but
//! no call waits behind an edit that the database refuses: who made it is told at once, and can make another.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::crm::store::{Pending, Write};
use crate::crm::{Store, StoreError};

/// How many writes may wait in memory: some hundred calls of a working day.
const CAPACITY: usize = 2_000;
/// How long the phone waits for the acknowledgement before it goes on without (architecture:
/// a slow disk must not keep a caller from ringing).
pub(super) const PATIENCE: Duration = Duration::from_millis(60);
/// How often a refused write is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// How often a write is tried that the database itself refuses: past it the row cannot be right,
/// and must not keep the others from the disk.
const ATTEMPTS: u32 = 30;

/// How many acknowledgements may be awaited at once; further writes wait here, in order, until some
/// of these have come.
pub(super) const MOST_AWAITED: usize = 4_096;

/// What became of a write that was tried again and refused again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Retried {
    /// It is tried once more.
    Kept,
    /// It can never be written, and is counted as lost.
    Lost,
    /// It is an edit that cannot be so: who made it is to be told.
    Dropped,
}

/// Whether nobody could make it a second time: the phone itself notes what happened, or an agent what was
/// said in a call.
fn is_of_a_call(write: &Write) -> bool {
    matches!(
        write,
        Write::InsertCall(_)
            | Write::ChangeCall(..)
            | Write::SaveLadders(_)
            | Write::SaveQuality(_)
            | Write::DraftTicket(_)
            | Write::WrapUp(..)
            | Write::WrapUpWithType(..)
            | Write::SavePopup(..)
            | Write::CountBlocked(..)
            | Write::CountRefused(..)
            | Write::AgentState(..)
    )
}

/// Whether the store may take the same write later, for nothing is wrong with it.
fn passes(error: &StoreError) -> bool {
    matches!(error, StoreError::Overloaded | StoreError::DiskFull)
}

/// The writes that the store has not taken yet, and the way to it.
pub(super) struct Journal {
    store: Arc<Store>,
    waiting: VecDeque<Write>,
    retry_at: Option<Instant>,
    /// How many acknowledgements are awaited.
    awaited: usize,
    /// Whether that of the first of what waits is among them.
    retrying: bool,
    /// How often the first was tried.
    attempts: u32,
    lost: u64,
    problem: Option<String>,
}

impl Journal {
    pub(super) fn new(store: Arc<Store>) -> Self {
        Self {
            store,
            waiting: VecDeque::new(),
            retry_at: None,
            awaited: 0,
            retrying: false,
            attempts: 0,
            lost: 0,
            problem: None,
        }
    }

    /// Sends a write to the store, or keeps it when others already wait (order matters) or too many
    /// are unanswered. Each acknowledgement that is given out is to be told by `answered`.
    pub(super) fn write(&mut self, write: Write) -> Option<(Write, Pending)> {
        if self.waiting.is_empty() && self.awaited < MOST_AWAITED {
            Some(self.send(write))
        } else {
            if self.waiting.is_empty() {
                self.problem = Some(StoreError::Overloaded.to_string());
            }
            self.keep(write);
            None
        }
    }

    /// An acknowledgement came, of whatever kind: there is room for what waits.
    pub(super) fn answered(&mut self, now: Instant) {
        self.awaited = self.awaited.saturating_sub(1);
        if !self.retrying && !self.waiting.is_empty() {
            self.retry_at.get_or_insert(now);
        }
    }

    /// Whether a write that the store refused is to wait here. One that cannot be so is not, unless it is
    /// of a call whose row waits itself.
    pub(super) fn keeps(&self, write: &Write, error: &StoreError) -> bool {
        match error {
            StoreError::Missing(_) | StoreError::Refused(_) => {
                is_of_a_call(write) && !self.is_empty()
            }
            error => is_of_a_call(write) || passes(error),
        }
    }

    /// Takes back a write that the store refused.
    pub(super) fn refused(&mut self, now: Instant, write: Write, error: &StoreError) {
        self.problem = Some(error.to_string());
        self.keep(write);
        self.retry_at.get_or_insert(now + RETRY);
    }

    /// Takes a write that is due to be tried again, one at a time so that order holds.
    pub(super) fn due(&mut self, now: Instant) -> Option<(Write, Pending)> {
        if self.retry_at.is_none_or(|at| at > now) {
            return None;
        }
        self.retry_at = None;
        let write = self.waiting.front()?.clone();
        self.retrying = true;
        Some(self.send(write))
    }

    fn send(&mut self, write: Write) -> (Write, Pending) {
        self.awaited += 1;
        let pending = self.store.keep(write.clone());
        (write, pending)
    }

    /// A retried write is on disk; the next one is due at once.
    pub(super) fn retried(&mut self, now: Instant) {
        self.retrying = false;
        self.waiting.pop_front();
        self.attempts = 0;
        if self.waiting.is_empty() {
            self.retry_at = None;
            if self.lost == 0 {
                self.problem = None;
            }
        } else {
            self.retry_at = Some(now);
        }
    }

    /// A retried write was refused again.
    pub(super) fn retry_failed(&mut self, now: Instant, error: &StoreError) -> Retried {
        let edit = self.waiting.front().is_some_and(|it| !is_of_a_call(it));
        if edit && !passes(error) && *error != StoreError::Closed {
            self.retried(now);
            return Retried::Dropped;
        }
        self.problem = Some(error.to_string());
        self.retrying = false;
        self.attempts += 1;
        let hopeless = match error {
            // Its row is not there and will not come, or cannot be so: there is nothing to change.
            StoreError::Missing(_) | StoreError::Refused(_) => true,
            StoreError::Database(_) | StoreError::TooLong => self.attempts >= ATTEMPTS,
            StoreError::Overloaded | StoreError::DiskFull | StoreError::Closed => false,
        };
        if hopeless {
            self.lost += 1;
            self.retried(now);
            return Retried::Lost;
        }
        self.retry_at = Some(now + RETRY);
        Retried::Kept
    }

    pub(super) fn retry_at(&self) -> Option<Instant> {
        self.retry_at
    }

    /// What is wrong with the call log, for the window.
    pub(super) fn problem(&self) -> Option<String> {
        let problem = self.problem.as_ref()?;
        let waiting = self.waiting.len();
        let lost = if self.lost > 0 {
            format!(", {} were lost", self.lost)
        } else {
            String::new()
        };
        Some(format!(
            "{problem} ({waiting} changes wait in memory{lost})"
        ))
    }

    /// Whether everything is on disk or on its way there.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    fn keep(&mut self, write: Write) {
        if self.waiting.len() >= CAPACITY {
            self.lost += 1;
            return;
        }
        self.waiting.push_back(write);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::monotonic_now;
    use crate::base::id::{CallId, ContactId};
    use crate::crm::store::CallChange;

    fn note(number: usize) -> Write {
        Write::ChangeCall(
            CallId::new(1, [1; 10]),
            CallChange::Notes(number.to_string()),
        )
    }

    /// Past the limit the acknowledgement was dropped, and with it all that hangs on it.
    #[test]
    fn no_acknowledgement_is_lost_when_more_is_written_than_can_be_awaited() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(folder.path(), "US").unwrap());
        let mut journal = Journal::new(store);
        let now = monotonic_now();
        let mut acks: VecDeque<Pending> = VecDeque::new();
        for number in 0..MOST_AWAITED {
            let (_, ack) = journal.write(note(number)).unwrap();
            acks.push_back(ack);
        }
        assert!(journal.write(note(1)).is_none(), "it waits");
        assert!(journal.write(note(2)).is_none(), "behind the other");
        assert!(journal.problem().unwrap().contains("2 changes wait"));
        assert!(journal.due(now).is_none());
        // One answer makes room for one; the next goes when that one is on disk.
        journal.answered(now);
        assert_eq!(journal.retry_at(), Some(now));
        let (first, _ack) = journal.due(now).unwrap();
        assert_eq!(first, note(1));
        for _ in 0..acks.len() - 1 {
            journal.answered(now);
        }
        assert!(journal.due(now).is_none(), "the first is on its way");
        journal.answered(now);
        journal.retried(now);
        let (second, _ack) = journal.due(now).unwrap();
        assert_eq!(second, note(2));
        journal.answered(now);
        journal.retried(now);
        assert!(journal.is_empty());
        assert_eq!((journal.retry_at(), journal.problem()), (None, None));
    }

    #[test]
    fn a_refused_write_is_tried_again_after_a_while_whatever_else_is_answered() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(folder.path(), "US").unwrap());
        let mut journal = Journal::new(store);
        let now = monotonic_now();
        let (write, _ack) = journal.write(note(1)).unwrap();
        journal.answered(now);
        journal.refused(now, write, &StoreError::DiskFull);
        assert_eq!(journal.retry_at(), Some(now + RETRY));
        assert!(journal.due(now).is_none());
        let (_, _ack) = journal.due(now + RETRY).unwrap();
        journal.answered(now + RETRY);
        let retried = journal.retry_failed(now + RETRY, &StoreError::DiskFull);
        assert_eq!(retried, Retried::Kept);
        assert_eq!(journal.retry_at(), Some(now + RETRY * 2));
    }

    /// A name that was taken kept the call log in memory for half a minute.
    #[test]
    fn no_call_waits_behind_an_edit_that_the_database_refuses() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(folder.path(), "US").unwrap());
        let mut journal = Journal::new(store);
        let now = monotonic_now();
        let edit = Write::DeleteContact(ContactId(1));
        let refusals = [
            StoreError::Missing("contact"),
            StoreError::Refused("the name is taken".to_owned()),
            StoreError::Database("constraint failed".to_owned()),
        ];
        for error in &refusals {
            assert!(!journal.keeps(&edit, error), "{error}");
        }
        // It waits where the disk has no room, and with it what comes after; not a moment longer.
        assert!(journal.keeps(&edit, &StoreError::DiskFull));
        let (edit, _ack) = journal.write(edit).unwrap();
        journal.answered(now);
        journal.refused(now, edit, &StoreError::DiskFull);
        assert!(journal.write(note(1)).is_none());
        let (_, _ack) = journal.due(now + RETRY).unwrap();
        journal.answered(now + RETRY);
        let retried = journal.retry_failed(now + RETRY, &refusals[2]);
        assert_eq!(retried, Retried::Dropped);
        let (next, _ack) = journal.due(now + RETRY).unwrap();
        assert_eq!(next, note(1));
        journal.answered(now + RETRY);
        journal.retried(now + RETRY);
        assert_eq!((journal.is_empty(), journal.problem()), (true, None));
    }

    #[test]
    fn a_change_of_a_call_is_kept_whatever_the_database_says_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(folder.path(), "US").unwrap());
        let mut journal = Journal::new(store);
        let now = monotonic_now();
        let broken = StoreError::Database("disk I/O error".to_owned());
        let missing = StoreError::Missing("call");
        assert!(journal.keeps(&note(1), &broken));
        // Its row is not there, and none is on its way.
        assert!(!journal.keeps(&note(1), &missing));
        journal.refused(now, note(0), &broken);
        assert!(journal.keeps(&note(1), &missing));
    }
}
