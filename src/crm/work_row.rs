//! What agents write down and have to do around calls, as the store gives and takes it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::base::id::{CallId, CallTypeId, NoteId, OrganizationId, TaskId, UndoId};
use crate::crm::row::{CallRow, Match, Subject, TicketRow};
use crate::crm::ticket_row::words;

words! {
    /// How far a lead is.
    LeadStage {
        /// Nobody spoke with them yet.
        New = "new",
        /// Somebody did.
        Contacted = "contacted",
        /// They want something that we have.
        Qualified = "qualified",
        /// They became a customer elsewhere; a person that became one here is a contact.
        Converted = "converted",
        /// They do not want it.
        Lost = "lost",
    }
}

words! {
    /// What is to do.
    TaskKind {
        /// Anything.
        Task = "task",
        /// To call somebody.
        Callback = "callback",
    }
}

/// A further organization of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The organization; none for one that is only named.
    pub organization: Option<OrganizationId>,
    /// Its name.
    pub organization_name: String,
    /// The role there.
    pub role: Option<String>,
}

/// A note about a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteRow {
    /// The note; `NoteId(0)` for one that is not stored yet.
    pub id: NoteId,
    /// What it is about.
    pub about: Subject,
    /// When it was written.
    pub at: Timestamp,
    /// Who wrote it.
    pub author: String,
    /// The text.
    pub text: String,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskRow {
    /// The task; `TaskId(0)` for one that is not stored yet.
    pub id: TaskId,
    /// What kind it is.
    pub kind: TaskKind,
    /// What is to do, in a line.
    pub title: String,
    /// More about it.
    pub notes: String,
    /// When it is due.
    pub due_at: Option<Timestamp>,
    /// Whom or what it is about.
    pub about: Option<Subject>,
    /// The call that it follows.
    pub call: Option<CallId>,
    /// The number to call, as it was given.
    pub number: Option<String>,
    /// Who is to do it.
    pub agent: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was done.
    pub done_at: Option<Timestamp>,
}

impl TaskRow {
    /// A task that is not stored yet, of which only this is known.
    pub fn new(title: &str, due_at: Option<Timestamp>, created_at: Timestamp) -> Self {
        Self {
            id: TaskId(0),
            kind: TaskKind::Task,
            title: title.to_owned(),
            notes: String::new(),
            due_at,
            about: None,
            call: None,
            number: None,
            agent: None,
            created_at,
            done_at: None,
        }
    }
}

/// What a call was about, to choose from: a disposition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallTypeRow {
    /// The call type; `CallTypeId(0)` for one that is not stored yet.
    pub id: CallTypeId,
    /// Its name.
    pub name: String,
    /// Whether it can be chosen; calls keep one that cannot be any more.
    pub active: bool,
    /// Its place in the list.
    pub place: u32,
}

/// A number to call back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallbackRow {
    /// Its newest missed call.
    pub call: CallRow,
    /// How many of its missed calls wait.
    pub missed: u32,
    /// How often somebody tried to call back since the first of those that wait.
    pub attempts: u32,
    /// When the last time.
    pub last_attempt: Option<Timestamp>,
    /// Whose the last try was.
    #[serde(default)]
    pub last_agent: Option<String>,
    /// What was noted last on one of the number's newest 50 calls.
    #[serde(default)]
    pub last_note: Option<CallNote>,
}

/// What was noted on a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallNote {
    /// When the call began.
    pub at: Timestamp,
    /// Whose call it was.
    pub agent: Option<String>,
    /// The notes.
    pub text: String,
}

/// What happened in a queue in some time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueFigures {
    /// The queue; none for calls of no queue.
    pub queue: Option<String>,
    /// All calls.
    pub calls: u32,
    /// Those that came in.
    pub inbound: u32,
    /// Those that were answered.
    pub answered: u32,
    /// Those that came in and nobody answered.
    pub missed: u32,
    /// Missed ones that somebody tried to call back.
    pub called_back: u32,
    /// How soon, from the end of the missed call, on the mean, in milliseconds.
    pub call_back_millis: Option<i64>,
    /// How long answered ones that came in had waited, on the mean, in milliseconds.
    pub waiting_millis: Option<i64>,
    /// How long was talked, in all, in milliseconds.
    pub talking_millis: i64,
    /// How long agents wrote after a call, on the mean, in milliseconds.
    pub wrap_up_millis: Option<i64>,
}

/// What happened in one hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HourFigures {
    /// When it began, in UTC.
    pub hour: Timestamp,
    /// Inbound calls that somebody answered.
    pub answered: u32,
    /// Inbound calls that nobody took.
    pub missed: u32,
    /// Outbound calls.
    pub outbound: u32,
}

/// A change, as the trail keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    /// Its number; it only grows.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub agent: String,
    /// What was done, such as `save contact`.
    pub what: String,
    /// To which record.
    pub subject: Option<Subject>,
    /// Its name, or more about it.
    pub detail: String,
}

/// A step that can be undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoRow {
    /// The step.
    pub id: UndoId,
    /// When it was made.
    pub at: Timestamp,
    /// What it was, in words.
    pub label: String,
}

/// A step that was undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undone {
    /// What it was, in words.
    pub label: String,
    /// How many rows were left as they are, because they were changed since.
    pub left: usize,
}

/// One thing that happened around a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "entry", content = "row", rename_all = "kebab-case")]
pub enum TimelineEntry {
    /// A call that is linked to it.
    Call(Box<CallRow>),
    /// A note.
    Note(NoteRow),
    /// A ticket, at the time of its last change.
    Ticket(TicketRow),
    /// A task, at the time when it was made.
    Task(TaskRow),
}

impl TimelineEntry {
    /// When it happened.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Call(call) => call.started_at,
            Self::Note(note) => note.at,
            Self::Ticket(ticket) => ticket.updated_at,
            Self::Task(task) => task.created_at,
        }
    }
}

/// What the agent should see once a call was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "open", rename_all = "kebab-case")]
pub enum OnAnswer {
    /// The customer's profile: a ticket of theirs was changed lately.
    Profile {
        /// The customer.
        subject: Subject,
        /// That ticket.
        ticket: Box<TicketRow>,
    },
    /// A draft of a ticket: for the customer, or for nobody yet.
    Draft {
        /// The customer.
        subject: Option<Subject>,
    },
    /// A question: it may be any of these.
    Choose {
        /// The best ones first.
        candidates: Vec<Match>,
    },
}

/// What a search finds, the best of each kind.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Found {
    /// Contacts and leads.
    pub contacts: Vec<crate::crm::row::ContactRow>,
    /// Organizations.
    pub organizations: Vec<crate::crm::row::OrganizationRow>,
    /// Tickets, by their titles and articles.
    pub tickets: Vec<TicketRow>,
    /// Notes.
    pub notes: Vec<NoteRow>,
    /// Calls, by name, number or notes.
    pub calls: Vec<CallRow>,
}
