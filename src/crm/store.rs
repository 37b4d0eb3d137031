//! The store: opens the database, owns the writer and the reader threads.
//!
//! Two threads read, so that a caller is never looked up behind a long search.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use rusqlite::ErrorCode;
use tokio::sync::oneshot;

use crate::base::id::{CallId, ContactId, OrganizationId};
use crate::crm::call_ladders::LadderBatch;
use crate::crm::number_key::Numbering;
use crate::crm::reader::{Job, Reader};
use crate::crm::row::{
    CallCursor, CallFilter, CallPage, CallQuality, CallRow, CallState, ContactRow, Identification,
    InterruptedCall, LadderMessage, Match, OrganizationRow, QualitySpan, RecordingGap, RefusedRow,
};
use crate::crm::writer::Queued;
use crate::crm::{arrivals, calls, migration, open, reader, writer};

/// So many writes may wait: several seconds of the busiest phone on the slowest disk. The queue touches a
/// place for each of them when it is made, so they are boxed.
const WRITES: usize = 1024;

/// So many reads may wait for each of the two reader threads.
const READS: usize = 256;

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
    /// It was dialled: the SIP Call-ID that it has, to find it in a trace.
    Dialled(String),
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
    /// Its far end was transferred to this number or address.
    TransferredTo(String),
    /// The far end sent it to this number or address before it was answered.
    RedirectedTo(String),
    /// Somebody else than who was dialled answered it, by the network's word.
    AnsweredBy(String),
    /// What became known of its end afterwards.
    EndReason {
        /// The final SIP status.
        sip_status: u16,
        /// Why it ended, in plain words.
        end_reason: String,
    },
    /// Its recording.
    Recording(String),
    /// The gaps of its recording, all of them.
    RecordingGaps(Vec<RecordingGap>),
    /// What became of its sound.
    Sound {
        /// The sum of what was measured.
        quality: Option<Box<CallQuality>>,
        /// Why one side was not heard, and for how long.
        problem: Option<String>,
    },
    /// Its notes, the whole text.
    Notes(String),
    /// Done or to be called back; done settles the number's earlier missed calls too.
    Done(bool),
    /// The agent chose the contact, or said that it is none of them; the choice ranks first the
    /// next time the number calls.
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
    /// Keep messages of calls' ladders, after those that are there; whatever is secret in them is
    /// removed before it is written. Those of calls that are not in the log are left out.
    SaveLadders(LadderBatch),
    /// Keep what was measured of the sound of calls, in place of what is there. Those of calls that are
    /// not in the log are left out.
    SaveQuality(Vec<(CallId, Vec<QualitySpan>)>),
    /// Delete a contact; its calls keep the name.
    DeleteContact(ContactId),
    /// Insert (id 0) or rename an organization.
    SaveOrganization(OrganizationRow),
    /// Add to what was refused unheard in that minute: source, reason, how often.
    CountRefused(jiff::Timestamp, Vec<(std::net::IpAddr, String, u64)>),
    /// Change nothing: its answer says that what was queued before can be read.
    Settle,
}

/// Fires when a write is on disk and can be read, or refused.
pub type Ack = oneshot::Receiver<Result<Written, StoreError>>;

/// A write on its way to the disk.
#[derive(Debug)]
pub struct Pending {
    /// Fires when a call that begins would survive a power loss, though no page shows it yet; ends
    /// without where that is no sooner than `written`.
    pub kept: oneshot::Receiver<()>,
    /// Fires when it is on disk and can be read, or refused.
    pub written: Ack,
}

/// What a committed write tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// A call was inserted or changed.
    Call,
    /// A contact was saved under this id, and so many earlier calls were linked.
    Contact(ContactId, usize),
    /// An organization was saved under this id.
    Organization(OrganizationId),
    /// Counts were added.
    Refused,
    /// What was queued before can be read.
    Settled,
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
    /// The row is not there: it was deleted, or never written.
    #[error("the {0} is not in the call log")]
    Missing(&'static str),
    /// SQLite refused.
    #[error("the call log cannot be used: {0}")]
    Database(String),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            _ => Self::Database(error.to_string()),
        }
    }
}

/// A running store; dropping it writes what is queued and closes.
pub struct Store {
    // The order is that of the end: the readers go first, so that the writer, which closes last,
    // moves its log into the database.
    pages: Queue<Job>,
    lookups: Queue<Job>,
    writes: Queue<Box<Queued>>,
    numbering: Arc<Numbering>,
    commits: Arc<AtomicU64>,
    _lock: File,
}

impl Store {
    /// Opens or creates the database in a data folder, takes the folder's lock, migrates, marks
    /// calls that a crash left open as interrupted, and starts the threads.
    ///
    /// # Errors
    ///
    /// See [`OpenError`].
    pub fn open(data_dir: &Path, default_region: &str) -> Result<Self, OpenError> {
        let lock = open::lock(data_dir)?;
        let path = data_dir.join(open::DATABASE);
        let mut connection = open::for_writing(data_dir)?;
        let numbering = Arc::new(Numbering::new(default_region));
        let prepared = migration::migrate(&mut connection, default_region)
            .and_then(|()| {
                let transaction = connection.transaction()?;
                arrivals::settle(&transaction, &numbering)?;
                calls::interrupt_open(&transaction)?;
                transaction.commit()
            })
            .and_then(|()| Reader::beside_writer(&path, Arc::clone(&numbering)));
        let lookups = prepared.map_err(|error| open::failed(&path, &error))?;
        let commits = Arc::new(AtomicU64::new(0));
        let started = (|| {
            let open = {
                let (path, numbering) = (path.clone(), Arc::clone(&numbering));
                move || Reader::beside_writer(&path, Arc::clone(&numbering))
            };
            let open_again = open.clone();
            let lookups = Queue::start("ringdesk-store-lookup", READS, move |queue| {
                reader::run(Some(lookups), open_again, queue);
            })?;
            let pages = Queue::start("ringdesk-store-reader", READS, move |queue| {
                reader::run(None, open, queue);
            })?;
            let (numbering, commits) = (Arc::clone(&numbering), Arc::clone(&commits));
            let writes = Queue::start("ringdesk-store-writer", WRITES, move |queue| {
                writer::run(connection, queue, &numbering, &commits);
            })?;
            Ok((pages, lookups, writes))
        })();
        let (pages, lookups, writes) = started.map_err(|error: io::Error| OpenError::Io {
            path,
            detail: error.to_string(),
        })?;
        Ok(Self {
            pages,
            lookups,
            writes,
            numbering,
            commits,
            _lock: lock,
        })
    }

    /// Says which numbers and addresses are the accounts' own: they never match a contact.
    pub fn set_own_numbers(&self, numbers: &[String]) {
        self.numbering.set_own(numbers);
    }

    /// Queues a write; the receiver fires when it is on disk. Never blocks.
    pub fn write(&self, write: Write) -> Ack {
        self.queue(write, None)
    }

    /// Queues a write as [`write`](Self::write) does, and tells of a call that begins as soon as it
    /// would survive a power loss. Never blocks.
    pub fn keep(&self, write: Write) -> Pending {
        let (keeper, kept) = oneshot::channel();
        let written = self.queue(write, Some(keeper));
        Pending { kept, written }
    }

    fn queue(&self, write: Write, kept: Option<oneshot::Sender<()>>) -> Ack {
        let (answer, receiver) = oneshot::channel();
        let queued = Box::new(Queued {
            write,
            kept,
            answer,
        });
        if let Err((refused, why)) = self.writes.send(queued) {
            refused.answer.send(Err(why)).ok();
        }
        receiver
    }

    /// Finds who a number or SIP user belongs to. It never waits behind a page or a search.
    pub fn identify(&self, number: &str) -> oneshot::Receiver<Result<Identification, StoreError>> {
        let number = number.to_owned();
        ask(&self.lookups, move |reader| reader.identify(&number))
    }

    /// Reads one page of calls, newest first; `ToCallBack` gives the newest of each number. A
    /// search counts at most 10,000 rows.
    pub fn calls(
        &self,
        filter: CallFilter,
        search: &str,
        after: Option<CallCursor>,
        limit: usize,
    ) -> oneshot::Receiver<Result<CallPage, StoreError>> {
        let search = search.to_owned();
        ask(&self.pages, move |reader| {
            reader.calls(filter, &search, after, limit)
        })
    }

    /// Reads what was refused unheard since a moment, the most first.
    pub fn refused(
        &self,
        since: jiff::Timestamp,
        limit: u32,
    ) -> oneshot::Receiver<Result<Vec<RefusedRow>, StoreError>> {
        ask(&self.pages, move |reader| reader.refused(since, limit))
    }

    /// Reads one call.
    pub fn call(&self, id: CallId) -> oneshot::Receiver<Result<Option<CallRow>, StoreError>> {
        ask(&self.pages, move |reader| reader.call(id))
    }

    /// Finds, among the newest calls, those that were interrupted, with the recordings that their
    /// rows name.
    pub fn lately_interrupted(
        &self,
    ) -> oneshot::Receiver<Result<Vec<InterruptedCall>, StoreError>> {
        // On the connection that is open from the start.
        ask(&self.lookups, Reader::lately_interrupted)
    }

    /// Reads the contacts that a call may have been with, the surest first.
    pub fn links(&self, id: CallId) -> oneshot::Receiver<Result<Vec<Match>, StoreError>> {
        ask(&self.pages, move |reader| reader.links(id))
    }

    /// Reads the SIP messages of a call that were kept, in order.
    pub fn ladder(&self, id: CallId) -> oneshot::Receiver<Result<Vec<LadderMessage>, StoreError>> {
        ask(&self.pages, move |reader| reader.ladder(id))
    }

    /// Reads what was measured of a call's sound, in order of time.
    pub fn quality(&self, id: CallId) -> oneshot::Receiver<Result<Vec<QualitySpan>, StoreError>> {
        ask(&self.pages, move |reader| reader.quality(id))
    }

    /// Finds the newest call with a SIP Call-ID; reads the whole log.
    pub fn call_of_sip(
        &self,
        sip_call_id: &str,
    ) -> oneshot::Receiver<Result<Option<CallId>, StoreError>> {
        let sip_call_id = sip_call_id.to_owned();
        ask(&self.pages, move |reader| reader.call_of_sip(&sip_call_id))
    }

    /// Reads contacts by name, organization or number, ordered by name; `offset` rows are skipped.
    /// A search reads and counts at most 10,000.
    pub fn contacts(
        &self,
        search: &str,
        offset: usize,
        limit: usize,
    ) -> oneshot::Receiver<Result<(Vec<ContactRow>, u64), StoreError>> {
        let search = search.to_owned();
        ask(&self.pages, move |reader| {
            reader.contacts(&search, offset, limit)
        })
    }

    /// Reads one contact.
    pub fn contact(
        &self,
        id: ContactId,
    ) -> oneshot::Receiver<Result<Option<ContactRow>, StoreError>> {
        ask(&self.pages, move |reader| reader.contact(id))
    }

    /// Reads organizations by name.
    pub fn organizations(
        &self,
        search: &str,
    ) -> oneshot::Receiver<Result<Vec<OrganizationRow>, StoreError>> {
        let search = search.to_owned();
        ask(&self.pages, move |reader| reader.organizations(&search))
    }

    /// Counts the numbers of missed calls that nobody called back.
    pub fn to_call_back(&self) -> oneshot::Receiver<Result<u64, StoreError>> {
        ask(&self.pages, Reader::to_call_back)
    }

    /// How many transactions were committed since the start.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }
}

/// A bounded queue with the one thread that empties it; dropping it waits for the thread.
struct Queue<T> {
    sender: Option<SyncSender<T>>,
    thread: Option<JoinHandle<()>>,
}

impl<T: Send + 'static> Queue<T> {
    fn start(
        name: &str,
        limit: usize,
        work: impl FnOnce(&Receiver<T>) + Send + 'static,
    ) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(limit);
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || work(&receiver))?;
        Ok(Self {
            sender: Some(sender),
            thread: Some(thread),
        })
    }

    fn send(&self, item: T) -> Result<(), (T, StoreError)> {
        let Some(sender) = &self.sender else {
            return Err((item, StoreError::Closed));
        };
        sender.try_send(item).map_err(|refused| match refused {
            TrySendError::Full(item) => (item, StoreError::Overloaded),
            TrySendError::Disconnected(item) => (item, StoreError::Closed),
        })
    }
}

impl<T> Drop for Queue<T> {
    fn drop(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so already.
            thread.join().ok();
        }
    }
}

fn ask<T: Send + 'static>(
    queue: &Queue<Job>,
    read: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
) -> oneshot::Receiver<Result<T, StoreError>> {
    let (answer, receiver) = oneshot::channel();
    let job: Job = Box::new(move |reader| {
        // Who no longer waits does not cost the work either.
        if !answer.is_closed() {
            answer.send(reader.and_then(read)).ok();
        }
    });
    if let Err((refused, why)) = queue.send(job) {
        refused(Err(why));
    }
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_refuses_at_once_and_ends_with_all_work_done() {
        let (open, gate) = sync_channel::<()>(0);
        let done = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&done);
        let queue = Queue::start("test-queue", 8, move |items: &Receiver<u64>| {
            // The first item is taken and waits; the others fill the queue.
            while let Ok(item) = items.recv() {
                if item == 0 {
                    gate.recv().unwrap();
                }
                counter.fetch_add(1, Ordering::Relaxed);
            }
        })
        .unwrap();
        let taken = (0..100).filter(|item| queue.send(*item).is_ok()).count();
        assert!((8..=9).contains(&taken), "{taken}");
        assert_eq!(queue.send(100), Err((100, StoreError::Overloaded)));
        open.send(()).unwrap();
        drop(queue);
        assert_eq!(done.load(Ordering::Relaxed), u64::try_from(taken).unwrap());
    }

    #[test]
    fn a_full_queue_answers_a_read_with_the_reason() {
        let (open, gate) = sync_channel::<()>(0);
        let queue: Queue<Job> = Queue::start("test-queue", 1, move |jobs: &Receiver<Job>| {
            gate.recv().unwrap();
            jobs.try_iter().for_each(drop);
        })
        .unwrap();
        let _waits = ask(&queue, Reader::to_call_back);
        let refused = ask(&queue, Reader::to_call_back);
        assert_eq!(refused.blocking_recv(), Ok(Err(StoreError::Overloaded)));
        open.send(()).unwrap();
    }
}
