//! The store: opens the database, owns the writer and the reader thread.

use std::path::{Path, PathBuf};

use tokio::sync::oneshot;

use crate::base::id::{CallId, ContactId};
use crate::crm::row::*;

/// A change to a call's row that is not its creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallChange {
    /// It was answered.
    Answered {
        /// When.
        at: jiff::Timestamp,
        /// Milliseconds of waiting, by the monotonic clock.
        waiting_millis: i64,
    },
    /// Held or resumed.
    Held(bool),
    /// It ended.
    Ended {
        /// The final state.
        state: CallState,
        /// When.
        at: jiff::Timestamp,
        /// Milliseconds until the answer or the end.
        waiting_millis: i64,
        /// Milliseconds of talking, when it was answered.
        talking_millis: Option<i64>,
        /// The final SIP status.
        sip_status: Option<u16>,
        /// Why, in plain words.
        end_reason: String,
        /// Whether nothing is left to do.
        done: bool,
    },
    /// Its recording.
    Recording(String),
    /// Its notes, the whole text.
    Notes(String),
    /// Done or to be called back.
    Done(bool),
    /// The agent chose the contact.
    Contact(Option<ContactId>),
}

/// One write; several that wait together become one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Insert a call; repeated inserts of one id change nothing.
    InsertCall(Box<CallRow>),
    /// Change a call.
    ChangeCall(CallId, CallChange),
    /// Insert (id 0) or change a contact with all its numbers; earlier calls are linked again.
    SaveContact(Box<ContactRow>),
    /// Delete a contact; its calls keep the name.
    DeleteContact(ContactId),
    /// Insert (id 0) or rename an organization.
    SaveOrganization(OrganizationRow),
}

/// What a committed write tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// A call was inserted or changed.
    Call,
    /// A contact was saved under this id, and so many earlier calls were linked.
    Contact(ContactId, usize),
    /// An organization was saved under this id.
    Organization(crate::base::id::OrganizationId),
}

/// Why a store cannot be opened; each says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another phone has it open.
    #[error(
        "another Ringdesk is using {0}; close it, or give this one its own folder with --data-dir"
    )]
    InUse(PathBuf),
    /// It lies on a network share, where SQLite's locks do not hold.
    #[error(
        "{0} lies on a network share ({1}), where a database can be damaged; choose a local folder with --data-dir"
    )]
    NetworkShare(PathBuf, String),
    /// It is damaged; nothing was changed.
    #[error(
        "the database {path} is damaged ({detail}); nothing was changed. Restore a backup, or move the file away and start again"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// SQLite's words.
        detail: String,
    },
    /// It was written by a newer version.
    #[error(
        "the database {path} was written by a newer Ringdesk (schema {found}, this one knows {known}); update this Ringdesk"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The newest known here.
        known: i64,
    },
    /// The system refused.
    #[error("{path} cannot be opened: {detail}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's words.
        detail: String,
    },
}

/// Why a read or write failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The queue is full: the disk does not keep up.
    #[error("the disk does not keep up with the call log")]
    Overloaded,
    /// No space is left.
    #[error("the disk with the call log is full; free some space")]
    DiskFull,
    /// The store is closed.
    #[error("the call log is closed")]
    Closed,
    /// SQLite refused.
    #[error("the call log cannot be used: {0}")]
    Database(String),
}

/// A running store; dropping it writes what is queued and closes.
pub struct Store {}

#[expect(unused_variables, clippy::todo, reason = "contract")]
impl Store {
    /// Opens or creates the database in a data folder, takes the folder's lock, migrates, marks
    /// calls that a crash left open as interrupted, and starts the threads.
    ///
    /// # Errors
    ///
    /// See [`OpenError`].
    pub fn open(data_dir: &Path, default_region: &str) -> Result<Self, OpenError> {
        todo!()
    }
    /// Queues a write; the receiver fires when it is on disk. Never blocks.
    pub fn write(&self, write: Write) -> oneshot::Receiver<Result<Written, StoreError>> {
        todo!()
    }
    /// Finds who a number or SIP user belongs to.
    pub fn identify(&self, number: &str) -> oneshot::Receiver<Result<Identification, StoreError>> {
        todo!()
    }
    /// Reads one page of calls.
    pub fn calls(
        &self,
        filter: CallFilter,
        search: &str,
        after: Option<CallCursor>,
        limit: usize,
    ) -> oneshot::Receiver<Result<CallPage, StoreError>> {
        todo!()
    }
    /// Reads one call.
    pub fn call(&self, id: CallId) -> oneshot::Receiver<Result<Option<CallRow>, StoreError>> {
        todo!()
    }
    /// Reads contacts by name, organization or number, ordered by name; `offset` rows are skipped.
    pub fn contacts(
        &self,
        search: &str,
        offset: usize,
        limit: usize,
    ) -> oneshot::Receiver<Result<(Vec<ContactRow>, u64), StoreError>> {
        todo!()
    }
    /// Reads one contact.
    pub fn contact(
        &self,
        id: ContactId,
    ) -> oneshot::Receiver<Result<Option<ContactRow>, StoreError>> {
        todo!()
    }
    /// Reads organizations by name.
    pub fn organizations(
        &self,
        search: &str,
    ) -> oneshot::Receiver<Result<Vec<OrganizationRow>, StoreError>> {
        todo!()
    }
    /// Counts missed calls that nobody called back.
    pub fn to_call_back(&self) -> oneshot::Receiver<Result<u64, StoreError>> {
        todo!()
    }
}

impl Store {
    /// Temporary.
    pub fn set_own_numbers(&self, _own: &[String]) {}
}
