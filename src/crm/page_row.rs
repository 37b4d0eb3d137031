//! Which rows a list shows, and its pages.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::base::id::{CallId, HintId, NoteId, TaskId, TicketId};
use crate::crm::row::{CallRow, CallState, CallbackRow, ContactRow, OrganizationRow};

/// So many calls that a search finds are counted: more take longer than anybody waits for a letter.
pub const CALLS_COUNTED: u32 = 2_000;

/// So many contacts or organizations that a search finds are read, sorted and counted: each is a row somewhere
/// else in the file.
pub const PEOPLE_COUNTED: u32 = 1_000;

/// Which tickets a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TicketFilter {
    /// Those that are not closed.
    #[default]
    NotClosed,
    /// Drafts only.
    Drafts,
    /// All of them.
    All,
}

/// Which tasks a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TaskFilter {
    /// Those that are not done.
    #[default]
    ToDo,
    /// Those that are not done and due until then.
    DueUntil(Timestamp),
    /// Done ones.
    Done,
}

/// Which calls a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallFilter {
    /// All of them.
    #[default]
    All,
    /// Inbound ones.
    Inbound,
    /// Outbound ones.
    Outbound,
    /// Inbound ones that nobody answered.
    Missed,
    /// Missed ones that nobody called back yet.
    ToCallBack,
}

/// Which calls a list shows, more narrowly: what is none is not asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct CallCriteria {
    /// Where they stand.
    pub state: Option<CallState>,
    /// Whose they were.
    pub agent: Option<String>,
    /// The queue that they came from.
    pub queue: Option<String>,
    /// What they were about: the name of a call type.
    pub call_type: Option<String>,
    /// Whether they were recorded.
    pub recorded: Option<bool>,
    /// Whether nothing is left to do.
    pub done: Option<bool>,
    /// Which began then or later.
    pub since: Option<Timestamp>,
    /// Which began before then.
    pub until: Option<Timestamp>,
}

impl CallCriteria {
    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Where a page of calls begins: after this row, newest first (keyset paging). The row itself may be gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CallCursor {
    /// The last row's `started_at` in microseconds since the Unix epoch.
    pub started_micros: i64,
    /// The last row's place in the order in which calls were written, which breaks ties.
    pub seq: i64,
}

/// Where a page of contacts, leads or organizations begins: after this row, by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NameCursor {
    /// The last row's name as it is sorted.
    pub folded: String,
    /// The last row's id, which breaks ties.
    pub id: i64,
}

/// Where a page of tasks begins: after this row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TaskCursor {
    /// When the last row is due, in microseconds since the Unix epoch; none for one without a time, and for
    /// a done one.
    pub due_micros: Option<i64>,
    /// The last row's id.
    pub id: TaskId,
}

/// Where a page of guesses begins: after this row, the newest texts first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HintCursor {
    /// When the last row's text was written, in microseconds since the Unix epoch.
    pub said_micros: i64,
    /// The last row's id, which breaks ties.
    pub id: HintId,
}

/// Where a page of a timeline begins: after this entry, the newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimelineCursor {
    /// When the last entry happened, in microseconds since the Unix epoch.
    pub at_micros: i64,
    /// What it is: of one moment, calls come before notes, then tasks, then tickets.
    pub kind: TimelineKind,
    /// Its id, of its kind, which breaks ties; of a call its place in the order in which calls were written.
    pub id: i64,
}

/// What an entry of a timeline is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimelineKind {
    /// A call.
    Call,
    /// A note.
    Note,
    /// A task.
    Task,
    /// A ticket.
    Ticket,
}

/// An entry of a timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimelineId {
    /// A call.
    Call(CallId),
    /// A note.
    Note(NoteId),
    /// A task.
    Task(TaskId),
    /// A ticket.
    Ticket(TicketId),
}

impl TimelineId {
    /// Reads a kind and an id, such as `note:5`; a call's id is a word.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, id) = text.split_once(':')?;
        let number = || id.parse().ok();
        match kind {
            "call" => CallId::parse(id).map(Self::Call),
            "note" => number().map(NoteId).map(Self::Note),
            "task" => number().map(TaskId).map(Self::Task),
            "ticket" => number().map(TicketId).map(Self::Ticket),
            _ => None,
        }
    }
}

/// One page of contacts, or of leads.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContactPage {
    /// The rows, by name.
    pub rows: Vec<ContactRow>,
    /// Where the next page begins; none at the end.
    pub next: Option<NameCursor>,
    /// How many there are in all; a search counts at most [`PEOPLE_COUNTED`].
    pub total: u64,
}

/// One page of organizations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OrganizationPage {
    /// The rows, by name.
    pub rows: Vec<OrganizationRow>,
    /// Where the next page begins; none at the end.
    pub next: Option<NameCursor>,
}

/// One page of the call log.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CallPage {
    /// The rows, newest first.
    pub rows: Vec<CallRow>,
    /// Where the next page begins; none at the end.
    pub next: Option<CallCursor>,
    /// How many rows the filter has in all; a search counts at most [`CALLS_COUNTED`].
    pub total: u64,
    /// For `ToCallBack`, beside each row: how many of its number's missed calls wait. Empty for the
    /// other filters.
    pub waiting: Vec<u32>,
}

/// One page of the numbers to call back.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CallbackPage {
    /// The rows, the newest missed call first.
    pub rows: Vec<CallbackRow>,
    /// Where the next page begins; none at the end.
    pub next: Option<CallCursor>,
    /// How many numbers there are in all; a search counts those that it reads.
    pub total: u64,
}
