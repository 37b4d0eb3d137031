//! Reads, on a connection that cannot write: of the store's reader threads, or of a command beside
//! the running phone.

use std::path::Path;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use crate::base::clock::monotonic_now;
use crate::base::id::{CallId, ContactId, OrganizationId};
use crate::crm::contact_list::Listed;
use crate::crm::number_key::Numbering;
use crate::crm::open::{self, DATABASE};
use crate::crm::row::{
    CallCursor, CallFilter, CallPage, CallRow, ContactPage, ContactRow, DuplicatePage,
    Identification, InterruptedCall, LadderMessage, LeadStage, Match, NameCursor, OrganizationPage,
    QualitySpan, RefusedRow,
};
use crate::crm::store::{OpenError, StoreError};
use crate::crm::{
    call_ladders, call_links, call_page, call_quality, calls, contact_list, contact_numbers,
    contact_uids, contacts, duplicates, match_number, migration, organizations, own_lines, refused,
};

/// So long a reader of the phone may hold a snapshot; past it, it is told to ask for less.
pub(crate) const BUDGET: Duration = Duration::from_secs(1);

/// So many steps of SQLite's machine are taken between two looks at the clock: some microseconds.
const STEPS: i32 = 4000;

/// A read that waits: it is run with the reader, or told why it cannot be.
pub(crate) type Job = Box<dyn FnOnce(Result<&Reader, StoreError>) + Send>;

/// Reads the store; it may be open in a running phone at the same time.
pub struct Reader {
    connection: Connection,
    numbering: Arc<Numbering>,
    deadline: Deadline,
}

/// When a read must be over, for the connection that reads.
#[derive(Debug, Clone, Default)]
struct Deadline(Arc<Mutex<Option<Instant>>>);

impl Deadline {
    fn set(&self, at: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }

    fn is_over(&self) -> bool {
        let at = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        at.is_some_and(|at| monotonic_now() >= at)
    }
}

impl Reader {
    /// Opens the database of a data folder for reading, without the folder's lock and without any
    /// change to it.
    ///
    /// # Errors
    ///
    /// Fails when there is no database, or one that is damaged or of another version.
    pub fn open(data_dir: &Path) -> Result<Self, OpenError> {
        let path = data_dir.join(DATABASE);
        if !path.exists() {
            return Err(OpenError::Io {
                path,
                detail: "there is no call log yet".to_owned(),
            });
        }
        let connection = open::examined(&path)?;
        let found = migration::version(&connection).map_err(|error| open::failed(&path, &error))?;
        if found < migration::newest() {
            return Err(OpenError::Io {
                path,
                detail: format!(
                    "its schema {found} is older than {}; start Ringdesk once to update it",
                    migration::newest()
                ),
            });
        }
        let region = migration::stored_region(&connection)
            .map_err(|error| open::failed(&path, &error))?
            .unwrap_or_default();
        let numbering = Numbering::new(&region);
        own_lines::load(&connection, &numbering)
            .and_then(|()| Self::new(connection, Arc::new(numbering)))
            .map_err(|error| open::failed(&path, &error))
    }

    /// Opens one more connection for a thread of the store.
    pub(crate) fn beside_writer(path: &Path, numbering: Arc<Numbering>) -> rusqlite::Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Self::new(Connection::open_with_flags(path, flags)?, numbering)
    }

    pub(crate) fn numbering(&self) -> &Numbering {
        &self.numbering
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    fn new(mut connection: Connection, numbering: Arc<Numbering>) -> rusqlite::Result<Self> {
        open::tune(&connection)?;
        connection.pragma_update(None, "query_only", true)?;
        let deadline = Deadline::default();
        let watched = deadline.clone();
        connection.progress_handler(STEPS, Some(move || watched.is_over()))?;
        Ok(Self {
            connection,
            numbering,
            deadline,
        })
    }

    /// Gives what is read next a second: who holds a snapshot for longer keeps the log from being moved
    /// into the database, and it grows.
    fn begin_budget(&self) {
        self.deadline.set(Some(monotonic_now() + BUDGET));
    }

    /// Reads one page of many, in a second at most; without the phone's threads nobody else sets it.
    pub(crate) fn within_budget<T>(
        &self,
        read: impl FnOnce(&Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.begin_budget();
        let page = read(self);
        self.end_budget();
        page
    }

    fn end_budget(&self) {
        self.deadline.set(None);
    }

    /// Finds who a number or SIP user belongs to.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn identify(&self, number: &str) -> Result<Identification, StoreError> {
        match_number::identify(&self.connection, number, &self.numbering)
    }

    /// Finds who a number or SIP user belongs to that is read as an account's region writes it.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn identify_in(&self, number: &str, region: &str) -> Result<Identification, StoreError> {
        let numbering = self.numbering.in_region(region);
        match_number::identify(&self.connection, number, &numbering)
    }

    /// Reads one page of calls, newest first; `ToCallBack` gives the newest of each number.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn calls(
        &self,
        filter: CallFilter,
        search: &str,
        after: Option<CallCursor>,
        limit: usize,
    ) -> Result<CallPage, StoreError> {
        call_page::page(&self.connection, filter, search, after, limit)
    }

    /// Reads one call.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn call(&self, id: CallId) -> Result<Option<CallRow>, StoreError> {
        Ok(calls::one(&self.connection, id)?)
    }

    /// Finds, among the newest calls, those that were interrupted, with the recordings that their
    /// rows name.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn lately_interrupted(&self) -> Result<Vec<InterruptedCall>, StoreError> {
        calls::lately_interrupted(&self.connection)
    }

    /// Reads the contacts that a call may have been with, the surest first.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn links(&self, id: CallId) -> Result<Vec<Match>, StoreError> {
        Ok(call_links::of(&self.connection, id)?)
    }

    /// Reads what was refused unheard since a moment, the most first.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn refused(
        &self,
        since: jiff::Timestamp,
        limit: u32,
    ) -> Result<Vec<RefusedRow>, StoreError> {
        Ok(refused::since(&self.connection, since, limit)?)
    }

    /// Reads what was measured of a call's sound, in order of time.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn quality(&self, id: CallId) -> Result<Vec<QualitySpan>, StoreError> {
        call_quality::of(&self.connection, id)
    }

    /// Reads the SIP messages of a call that were kept, in order.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn ladder(&self, id: CallId) -> Result<Vec<LadderMessage>, StoreError> {
        call_ladders::of(&self.connection, id)
    }

    /// Finds the newest call with a SIP Call-ID; reads the whole log.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn call_of_sip(&self, sip_call_id: &str) -> Result<Option<CallId>, StoreError> {
        call_ladders::call_of(&self.connection, sip_call_id)
    }

    /// Reads a page of contacts and leads by name, organization or number, ordered by name.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn contacts(
        &self,
        search: &str,
        after: Option<&NameCursor>,
        limit: usize,
    ) -> Result<ContactPage, StoreError> {
        contact_list::page(&self.connection, Listed::Everybody, search, after, limit)
    }

    /// Reads contacts and leads, or leads only, that a search finds by age, after one of them.
    pub(crate) fn contacts_after(
        &self,
        leads_only: bool,
        search: &str,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactRow>, StoreError> {
        let found = contact_list::after(&self.connection, leads_only, search, after, limit)?;
        Ok(found)
    }

    /// Reads the rows of a page of calls without counting, and where the next page begins.
    pub(crate) fn call_rows(
        &self,
        filter: CallFilter,
        search: &str,
        after: Option<CallCursor>,
        limit: usize,
    ) -> Result<(Vec<CallRow>, Option<CallCursor>), StoreError> {
        call_page::rows(&self.connection, filter, search, after, limit)
    }

    /// How many numbers the contact with most of them has, up to so many; each piece of the table is a read of its
    /// own.
    pub(crate) fn most_numbers(&self, limit: usize) -> Result<usize, StoreError> {
        let (mut most, mut after) = (0, Some((0, -1)));
        while let Some(last) = after.filter(|_| most < limit) {
            let next = |it: &Self| Ok(contact_numbers::most_of_next(&it.connection, last)?);
            let (of_next, end) = self.within_budget(next)?;
            most = most.max(usize::try_from(of_next).unwrap_or_default());
            after = end;
        }
        Ok(most.min(limit))
    }

    /// Reads the UID that another program gave a contact.
    pub(crate) fn uid(&self, contact: ContactId) -> Result<Option<String>, StoreError> {
        Ok(contact_uids::first(&self.connection, contact)?)
    }

    /// Finds contacts that may be one person, by the age of the older one.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn duplicates(
        &self,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<DuplicatePage, StoreError> {
        duplicates::page(&self.connection, after, limit, &self.numbering.region())
    }

    /// Reads one contact.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn contact(&self, id: ContactId) -> Result<Option<ContactRow>, StoreError> {
        Ok(contacts::one(&self.connection, id)?)
    }

    /// Reads a page of organizations by name or number, ordered by name.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn organizations(
        &self,
        search: &str,
        after: Option<&NameCursor>,
        limit: usize,
    ) -> Result<OrganizationPage, StoreError> {
        Ok(organizations::page(&self.connection, search, after, limit)?)
    }

    /// Reads a page of leads, those of one stage where it is named, as [`contacts`](Self::contacts) reads
    /// contacts and leads.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn leads(
        &self,
        stage: Option<LeadStage>,
        search: &str,
        after: Option<&NameCursor>,
        limit: usize,
    ) -> Result<ContactPage, StoreError> {
        contact_list::page(&self.connection, Listed::Leads(stage), search, after, limit)
    }

    /// Where the page after a contact or lead begins.
    ///
    /// # Errors
    ///
    /// Fails when there is no such contact.
    pub fn after_contact(&self, id: ContactId) -> Result<NameCursor, StoreError> {
        contact_list::cursor(&self.connection, id)?.ok_or(StoreError::Missing("contact"))
    }

    /// Where the page after an organization begins.
    ///
    /// # Errors
    ///
    /// Fails when there is no such organization.
    pub fn after_organization(&self, id: OrganizationId) -> Result<NameCursor, StoreError> {
        let found = organizations::cursor(&self.connection, id)?;
        found.ok_or(StoreError::Missing("organization"))
    }

    /// Where the page after a call begins.
    ///
    /// # Errors
    ///
    /// Fails when there is no such call.
    pub fn after_call(&self, id: CallId) -> Result<CallCursor, StoreError> {
        call_page::cursor(&self.connection, id)?.ok_or(StoreError::Missing("call"))
    }

    /// Counts the numbers of missed calls that nobody called back.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn to_call_back(&self) -> Result<u64, StoreError> {
        call_page::to_call_back(&self.connection)
    }
}

/// Reads until the queue is closed and empty. Without a reader one is opened for the first read:
/// a phone without a window never asks for pages. Where it cannot be, who asks is told so.
pub(crate) fn run(
    mut reader: Option<Reader>,
    open: impl Fn() -> rusqlite::Result<Reader>,
    queue: &Receiver<Job>,
) {
    while let Ok(job) = queue.recv() {
        if reader.is_none() {
            match open() {
                Ok(opened) => reader = Some(opened),
                Err(error) => {
                    job(Err(error.into()));
                    continue;
                }
            }
        }
        match &reader {
            Some(reader) => {
                reader.begin_budget();
                job(Ok(reader));
                reader.end_budget();
            }
            None => job(Err(StoreError::Closed)),
        }
    }
}
