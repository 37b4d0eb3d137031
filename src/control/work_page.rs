//! Pages of what is worked on: leads, tickets, tasks, what happened around a record.

use jiff::Timestamp;

use crate::base::id::{OrganizationId, TicketId};
use crate::crm::row::{
    CallCursor, CallTypeRow, CallbackPage, ContactPage, Found, HintFilter, HintRow, HourFigures,
    LeadStage, NameCursor, OrganizationRow, PopupDecision, Presence, QueueFigures, RoutingTables,
    Subject, TaskFilter, TaskRow, TicketFilter, TicketRow, TimelineCursor, TimelineEntry, UndoRow,
};

/// Which rows a view needs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum WorkRequest {
    /// Leads by name, 100 a page.
    Leads {
        /// Only those of this stage.
        stage: Option<LeadStage>,
        /// Name, organization or number; empty for all.
        search: String,
        /// After this one; none for the first page.
        after: Option<NameCursor>,
    },
    /// Tickets, the last changed first, 100 a page.
    Tickets {
        /// Which.
        filter: TicketFilter,
        /// Words of the title or of articles; empty for all.
        search: String,
        /// After this one; none for the first page.
        after: Option<(Timestamp, TicketId)>,
    },
    /// One ticket with its articles.
    Ticket(TicketId),
    /// Tasks, the first due first.
    Tasks(TaskFilter),
    /// What happened around a record, the newest first, 50 entries.
    Timeline {
        /// Which.
        about: Subject,
        /// After this entry; none for the newest.
        after: Option<TimelineCursor>,
    },
    /// One organization with its numbers.
    Organization(OrganizationId),
    /// Everything that has these words.
    Find(String),
    /// The numbers to call back, the newest missed call first, 100 a page.
    Callbacks {
        /// Name or number; empty for all.
        search: String,
        /// After this one; none for the first page.
        after: Option<CallCursor>,
    },
    /// Guesses of whose a number is, the newest texts first, at most 50.
    Hints(HintFilter),
    /// The call types in their order.
    CallTypes,
    /// What can be undone, the newest first.
    UndoSteps,
    /// What happened in each queue.
    Figures {
        /// From when on.
        since: Timestamp,
        /// Before when.
        until: Timestamp,
    },
    /// What happened in each hour.
    Hours {
        /// From when on.
        since: Timestamp,
        /// Before when.
        until: Timestamp,
    },
    /// Agents, queues, holidays and the block list.
    Routing,
    /// Who would be told of a call.
    Preview(Box<PopupQuestion>),
}

/// A call that might come in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PopupQuestion {
    /// The caller's number or address; empty where it is withheld.
    pub caller: String,
    /// The own line on which it would come in: an account's address.
    pub line: String,
    /// The number or address that would be called.
    pub called: String,
    /// When.
    pub at: Timestamp,
    /// Whether calls may pop up, by the agent's own switch.
    pub popups: bool,
    /// What the agent does.
    pub presence: Presence,
}

/// The rows.
#[derive(Debug, Clone, PartialEq)]
pub enum WorkPage {
    /// For `Leads`.
    Leads(ContactPage),
    /// For `Tickets`.
    Tickets(Vec<TicketRow>),
    /// For `Ticket`.
    Ticket(Option<Box<TicketRow>>),
    /// For `Tasks`.
    Tasks(Vec<TaskRow>),
    /// For `Timeline`.
    Timeline {
        /// The entries.
        entries: Vec<TimelineEntry>,
        /// Where the next page begins.
        next: Option<TimelineCursor>,
    },
    /// For `Organization`.
    Organization(Option<Box<OrganizationRow>>),
    /// For `Find`.
    Found(Box<Found>),
    /// For `Callbacks`.
    Callbacks(CallbackPage),
    /// For `Hints`.
    Hints(Vec<HintRow>),
    /// For `CallTypes`.
    CallTypes(Vec<CallTypeRow>),
    /// For `UndoSteps`.
    UndoSteps(Vec<UndoRow>),
    /// For `Figures`.
    Figures(Vec<QueueFigures>),
    /// For `Hours`.
    Hours(Vec<HourFigures>),
    /// For `Routing`.
    Routing(Box<RoutingTables>),
    /// For `Preview`.
    Preview(Box<PopupDecision>),
}
