//! Pages of rows: asked for by the window at each frame, filled by a worker.

use crate::base::id::{CallId, ContactId};
use crate::crm::row::{
    CallCursor, CallFilter, CallLadder, CallPage, CallRow, ContactPage, ContactRow, Identification,
    NameCursor, OrganizationPage, QualitySpan,
};

/// Which rows a view needs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PageRequest {
    /// Calls, newest first.
    Calls {
        /// Which.
        filter: CallFilter,
        /// Name or number; empty for all.
        search: String,
        /// After this one; none for the newest.
        after: Option<CallCursor>,
    },
    /// One call.
    Call(CallId),
    /// The SIP messages of one call, without secrets.
    Ladder(CallId),
    /// What was measured of one call's sound, by time.
    Quality(CallId),
    /// Contacts by name.
    Contacts {
        /// Name, organization or number; empty for all.
        search: String,
        /// After this one; none for the first.
        after: Option<NameCursor>,
    },
    /// One contact.
    Contact(ContactId),
    /// Organizations by name.
    Organizations {
        /// Name or number; empty for all.
        search: String,
        /// After this one; none for the first.
        after: Option<NameCursor>,
    },
    /// Who a typed number belongs to.
    Identify(String),
}

/// The rows.
#[derive(Debug, Clone, PartialEq)]
pub enum Page {
    /// For `Calls`.
    Calls(CallPage),
    /// For `Call`.
    Call(Option<Box<CallRow>>),
    /// For `Ladder`; none when there is no such call.
    Ladder(Option<Box<CallLadder>>),
    /// For `Quality`.
    Quality(Vec<QualitySpan>),
    /// For `Contacts`.
    Contacts(ContactPage),
    /// For `Contact`.
    Contact(Option<Box<ContactRow>>),
    /// For `Organizations`.
    Organizations(OrganizationPage),
    /// For `Identify`.
    Identify(Box<Identification>),
    /// It could not be read: why, and what to do.
    Failed(String),
}
