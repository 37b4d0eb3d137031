//! The store: opens the database, owns the writer and the reader threads.
//!
//! Two threads read, so that a caller is never looked up behind a long search.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use crate::base::clock;
use crate::base::id::{CallId, ContactId};
use crate::crm::acting_agent::ActingAgent;
use crate::crm::aside::Aside;
use crate::crm::care::{CareDone, CareStep};
use crate::crm::import::Reading;
use crate::crm::number_key::Numbering;
use crate::crm::reader::{Job, Reader};
use crate::crm::row::{
    CallCursor, CallFilter, CallPage, CallRow, ContactPage, ContactRow, DuplicatePage,
    Identification, ImportPreview, InterruptedCall, LadderMessage, Match, NameCursor,
    OrganizationPage, QualitySpan, RefusedRow,
};
use crate::crm::writer::Queued;
use crate::crm::{
    agent_states, arrivals, aside, before_upgrade, calls, database_copies, migration, open,
    own_lines, reader, writer,
};

pub use crate::crm::store_error::{OpenError, StoreError};
pub use crate::crm::write::{CallChange, DraftFate, WrapUp, Write, Written};

/// So many writes may wait: several seconds of the busiest phone on the slowest disk. The queue touches a
/// place for each of them when it is made, so they are boxed.
const WRITES: usize = 1024;

/// So many reads may wait for each of the two reader threads.
const READS: usize = 256;

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

/// A running store; dropping it writes what is queued and closes.
pub struct Store {
    // The order is that of the end: the readers go first, so that the writer, which closes last,
    // moves its log into the database.
    pages: Queue<Job>,
    lookups: Queue<Job>,
    /// Long reads in short pieces: checks, exports, searches for a person.
    care: Queue<Job>,
    writes: Queue<Box<Queued>>,
    data_dir: PathBuf,
    /// Held while a backup is made: one at a time.
    copying: Mutex<()>,
    /// Whether damage that a crash may have done was not looked for yet.
    unchecked: bool,
    numbering: Arc<Numbering>,
    commits: Arc<AtomicU64>,
    agent: Arc<ActingAgent>,
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
        Self::open_checking(data_dir, default_region, open::CHECKED_AT_START)
    }

    /// Opens as [`open`](Self::open) does; a file of more bytes than that is not read through before.
    pub(crate) fn open_checking(
        data_dir: &Path,
        default_region: &str,
        checked_at_start: u64,
    ) -> Result<Self, OpenError> {
        let lock = open::lock(data_dir)?;
        let path = data_dir.join(open::DATABASE);
        let made = open::make_where_none_is(data_dir, default_region)?;
        let unchecked = open::is_left_to_be_checked(&path, checked_at_start);
        let mut connection = if made {
            open::for_writing_unexamined(data_dir)?
        } else {
            open::for_writing(data_dir, checked_at_start)?
        };
        let refused = |error: io::Error| OpenError::Io {
            path: data_dir.join(aside::FILE),
            detail: error.to_string(),
        };
        let mut aside = Aside::open(data_dir).map_err(refused)?;
        let numbering = Arc::new(Numbering::new(default_region));
        let agent = Arc::new(ActingAgent::default());
        let now = clock::wall_now();
        let copy = before_upgrade::copy(data_dir, &connection, now)?;
        let prepared = migration::migrate(&mut connection, default_region).and_then(|()| {
            if let Some(copy) = &copy {
                database_copies::note(&connection, copy, now)?;
            }
            own_lines::load(&connection, &numbering)?;
            agent.read_lines(&connection, &numbering)?;
            let transaction = connection.transaction()?;
            for line in aside.lines() {
                arrivals::take_over(&transaction, line)?;
            }
            arrivals::settle(&transaction, &numbering)?;
            calls::interrupt_open(&transaction)?;
            agent_states::interrupt_open(&transaction)?;
            transaction.commit()
        });
        prepared.map_err(|error| open::failed(&path, &error))?;
        aside.clear().map_err(refused)?;
        let commits = Arc::new(AtomicU64::new(0));
        let started = (|| {
            let open = {
                let (path, numbering) = (path.clone(), Arc::clone(&numbering));
                move || Reader::beside_writer(&path, Arc::clone(&numbering))
            };
            let (open_pages, open_care) = (open.clone(), open.clone());
            // Opened at once, beside the rest of the start: the first caller finds it ready.
            let lookups = Queue::start("ringdesk-store-lookup", READS, move |queue| {
                reader::run(open().ok(), open, &queue);
            })?;
            let pages = Queue::start("ringdesk-store-reader", READS, move |queue| {
                reader::run(None, open_pages, &queue);
            })?;
            let care = Queue::start("ringdesk-store-care", READS, move |queue| {
                reader::run(None, open_care, &queue);
            })?;
            let (numbering, commits) = (Arc::clone(&numbering), Arc::clone(&commits));
            let agent = Arc::clone(&agent);
            let writes = Queue::start("ringdesk-store-writer", WRITES, move |queue| {
                writer::run(connection, queue, aside, &numbering, &agent, &commits);
            })?;
            Ok((pages, lookups, care, writes))
        })();
        let (pages, lookups, care, writes) = started.map_err(|error: io::Error| OpenError::Io {
            path,
            detail: error.to_string(),
        })?;
        Ok(Self {
            pages,
            lookups,
            care,
            writes,
            data_dir: data_dir.to_owned(),
            copying: Mutex::new(()),
            unchecked,
            numbering,
            commits,
            agent,
            _lock: lock,
        })
    }

    /// Says which numbers and addresses are the accounts' own: they never match a contact. The file keeps
    /// them for its next start.
    pub fn set_own_numbers(&self, numbers: &[String]) {
        if let Some(keys) = self.numbering.set_own(numbers) {
            // The next start is told again; nobody waits for this one.
            drop(self.write(Write::SaveOwnLines(keys)));
        }
    }

    /// Says by which region (ISO 3166) numbers without a country code are read, where that is another one
    /// than before: those that are kept are read again.
    pub fn set_region(&self, region: &str) {
        if self.numbering.read_as(region) {
            // Where it cannot be written, the next start does it.
            drop(self.write(Write::ReadNumbersAs(region.to_owned())));
        }
    }

    /// Says who works here; an empty name leaves it to the agents' table: to the only agent whose
    /// lines this phone has.
    pub fn set_agent(&self, name: &str) {
        self.agent.set_name(name);
    }

    /// Who works here, as far as that is known: whose changes the trail notes, and whose calls begin.
    pub fn agent(&self) -> Option<String> {
        Some(self.agent.name()).filter(|name| !name.is_empty())
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

    /// Finds who the far end of an account's call is: its number is read as the account's region writes
    /// it. It never waits behind a page or a search.
    pub fn identify_in(
        &self,
        number: &str,
        region: &str,
    ) -> oneshot::Receiver<Result<Identification, StoreError>> {
        let (number, region) = (number.to_owned(), region.to_owned());
        ask(&self.lookups, move |reader| {
            reader.identify_in(&number, &region)
        })
    }

    /// Reads one page of calls, newest first; `ToCallBack` gives the newest of each number. A
    /// search counts at most [`CALLS_COUNTED`](crate::crm::row::CALLS_COUNTED) rows.
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

    /// Runs a read of [`Reader`] on the thread of pages.
    pub fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> oneshot::Receiver<Result<T, StoreError>> {
        ask(&self.pages, read)
    }

    /// Finds the newest call with a SIP Call-ID; reads the whole log.
    pub fn call_of_sip(
        &self,
        sip_call_id: &str,
    ) -> oneshot::Receiver<Result<Option<CallId>, StoreError>> {
        let sip_call_id = sip_call_id.to_owned();
        ask(&self.pages, move |reader| reader.call_of_sip(&sip_call_id))
    }

    /// Reads a page of contacts and leads by name, organization or number, ordered by name. A search reads
    /// and counts at most 1,000.
    pub fn contacts(
        &self,
        search: &str,
        after: Option<NameCursor>,
        limit: usize,
    ) -> oneshot::Receiver<Result<ContactPage, StoreError>> {
        let search = search.to_owned();
        ask(&self.pages, move |reader| {
            reader.contacts(&search, after.as_ref(), limit)
        })
    }

    /// Reads one contact.
    pub fn contact(
        &self,
        id: ContactId,
    ) -> oneshot::Receiver<Result<Option<ContactRow>, StoreError>> {
        ask(&self.pages, move |reader| reader.contact(id))
    }

    /// Finds contacts that may be one person, by the age of the older one.
    pub fn duplicates(
        &self,
        after: Option<ContactId>,
        limit: usize,
    ) -> oneshot::Receiver<Result<DuplicatePage, StoreError>> {
        ask(&self.pages, move |reader| reader.duplicates(after, limit))
    }

    /// Shows what an import would do; takes as long as the file asks for.
    pub fn import_preview(&self) -> impl FnOnce(Reading) -> ImportPreview + Send + 'static {
        let numbering = Arc::clone(&self.numbering);
        move |reading| reading.preview(&numbering)
    }

    /// Reads a page of organizations by name or number, ordered by name. A search reads at most 1,000.
    pub fn organizations(
        &self,
        search: &str,
        after: Option<NameCursor>,
        limit: usize,
    ) -> oneshot::Receiver<Result<OrganizationPage, StoreError>> {
        let search = search.to_owned();
        ask(&self.pages, move |reader| {
            reader.organizations(&search, after.as_ref(), limit)
        })
    }

    /// Counts the numbers of missed calls that nobody called back.
    pub fn to_call_back(&self) -> oneshot::Receiver<Result<u64, StoreError>> {
        // A phone without a window asks too, and for no page ever.
        ask(&self.lookups, Reader::to_call_back)
    }

    /// Reads on the connection for long work, in a piece that takes well below a second.
    pub(crate) fn read_piece<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let answer = ask(&self.care, read).blocking_recv();
        answer.or(Err(StoreError::Closed))?
    }

    /// Takes a step of the care of the data and waits until it is on disk.
    pub(crate) fn take_step(&self, step: CareStep) -> Result<CareDone, StoreError> {
        match self.write_and_wait(Write::Care(Box::new(step)))? {
            Written::Care(done) => Ok(done),
            _ => Ok(CareDone::default()),
        }
    }

    pub(crate) fn write_and_wait(&self, write: Write) -> Result<Written, StoreError> {
        let answer = self.write(write).blocking_recv();
        answer.or(Err(StoreError::Closed))?
    }

    /// Held by whoever makes a backup.
    pub(crate) fn copying(&self) -> &Mutex<()> {
        &self.copying
    }

    /// Whether the last phone on this database did not end in order, and the file is too large for
    /// its start to look for damage.
    pub fn is_unchecked(&self) -> bool {
        self.unchecked
    }

    /// The folder that the database is in.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// How the phone reads numbers.
    pub(crate) fn numbering(&self) -> &Arc<Numbering> {
        &self.numbering
    }

    /// Reads what a ringing call waits for; it never waits behind a page or a search.
    pub(crate) fn look_up<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> oneshot::Receiver<Result<T, StoreError>> {
        ask(&self.lookups, read)
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
        work: impl FnOnce(Receiver<T>) + Send + 'static,
    ) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(limit);
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || work(receiver))?;
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
        let queue = Queue::start("test-queue", 8, move |items: Receiver<u64>| {
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
        let queue: Queue<Job> = Queue::start("test-queue", 1, move |jobs: Receiver<Job>| {
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
