//! Which rows a list shows, and its pages.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::base::id::CallId;
use crate::crm::row::{CallRow, CallState};

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

/// Where a page of calls begins: after this row, newest first (keyset paging).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CallCursor {
    /// The last row's `started_at` in microseconds since the Unix epoch.
    pub started_micros: i64,
    /// The last row's id, which breaks ties.
    pub id: CallId,
}

/// One page of the call log.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CallPage {
    /// The rows, newest first.
    pub rows: Vec<CallRow>,
    /// Where the next page begins; none at the end.
    pub next: Option<CallCursor>,
    /// How many rows the filter has in all.
    pub total: u64,
    /// For `ToCallBack`, beside each row: how many of its number's missed calls wait. Empty for the
    /// other filters.
    pub waiting: Vec<u32>,
}
