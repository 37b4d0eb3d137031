//! The call record comes first: every write of a call goes through here.
//!
//! Writes go to the store in order and are acknowledged when they are on disk. While the store
//! refuses (slow or full disk) they wait here in memory, bounded and in order, and are written when
//! it works again. What waits here is told as not durable.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::crm::store::{Write, Written};
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

/// A write on its way: resolves when it is on disk or refused.
pub(super) type Ack = oneshot::Receiver<Result<Written, StoreError>>;

/// The writes that the store has not taken yet, and the way to it.
pub(super) struct Journal {
    store: Arc<Store>,
    waiting: VecDeque<Write>,
    retry_at: Option<Instant>,
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
            attempts: 0,
            lost: 0,
            problem: None,
        }
    }

    /// Sends a write to the store, or keeps it when others already wait: order matters.
    pub(super) fn write(&mut self, write: Write) -> Option<(Write, Ack)> {
        if self.waiting.is_empty() {
            let ack = self.store.write(write.clone());
            Some((write, ack))
        } else {
            self.keep(write);
            None
        }
    }

    /// Takes back a write that the store refused.
    pub(super) fn refused(&mut self, now: Instant, write: Write, error: &StoreError) {
        self.problem = Some(error.to_string());
        self.keep(write);
        self.retry_at.get_or_insert(now + RETRY);
    }

    /// Takes a write that is due to be tried again, one at a time so that order holds.
    pub(super) fn due(&mut self, now: Instant) -> Option<(Write, Ack)> {
        if self.retry_at.is_none_or(|at| at > now) {
            return None;
        }
        self.retry_at = None;
        let write = self.waiting.front()?.clone();
        let ack = self.store.write(write.clone());
        Some((write, ack))
    }

    /// A retried write is on disk; the next one is due at once.
    pub(super) fn retried(&mut self, now: Instant) {
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
    pub(super) fn retry_failed(&mut self, now: Instant, error: &StoreError) {
        self.problem = Some(error.to_string());
        self.attempts += 1;
        let hopeless = match error {
            // Its row is not there and will not come: there is nothing to change.
            StoreError::Missing(_) => true,
            StoreError::Database(_) => self.attempts >= ATTEMPTS,
            StoreError::Overloaded | StoreError::DiskFull | StoreError::Closed => false,
        };
        if hopeless {
            self.lost += 1;
            self.retried(now);
        } else {
            self.retry_at = Some(now + RETRY);
        }
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
