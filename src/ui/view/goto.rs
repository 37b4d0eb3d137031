//! Where a click on a record leads.

use super::contacts;
use crate::base::id::{CallId, TicketId};
use crate::crm::row::Subject;
use crate::ui::state::{View, ViewState};

/// What was clicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goto {
    /// A logged call, beside what is open.
    Call(CallId),
    /// A logged call whose recording is played.
    Play(CallId),
    /// A contact, organization or ticket.
    Record(Subject),
}

impl Goto {
    /// A ticket.
    pub(crate) fn ticket(id: TicketId) -> Self {
        Self::Record(Subject::Ticket(id))
    }

    /// Opens it.
    pub(crate) fn open(self, state: &mut ViewState) {
        match self {
            Self::Call(call) => {
                state.ladder = None;
                state.detail = Some(call);
            }
            Self::Play(call) => {
                state.ladder = None;
                state.play(call);
            }
            Self::Record(Subject::Contact(id)) => contacts::open(state, id),
            Self::Record(Subject::Organization(id)) => {
                state.view = View::Organizations;
                state.detail = None;
                state.organizations.shown = Some(id);
            }
            Self::Record(Subject::Ticket(id)) => {
                state.view = View::Tickets;
                state.detail = None;
                state.tickets.open(id);
            }
        }
    }
}
