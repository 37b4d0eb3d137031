//! Pages of what is worked on: leads, tickets, tasks, what happened around a record.

use jiff::Timestamp;

use crate::base::id::{OrganizationId, TicketId};
use crate::crm::row::{
    CallTypeRow, CallbackRow, ContactPage, Found, HourFigures, NameCursor, OrganizationRow,
    QueueFigures, RoutingTables, Subject, TaskFilter, TaskRow, TicketFilter, TicketRow,
    TimelineCursor, TimelineEntry, UndoRow,
};

/// Which rows a view needs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum WorkRequest {
    /// Leads by name, 100 a page.
    Leads {
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
    /// The numbers to call back.
    Callbacks,
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
    Callbacks(Vec<CallbackRow>),
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
}
