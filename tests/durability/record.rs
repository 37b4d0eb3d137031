//! The records that the script writes, as far as the store must keep them.

use ringdesk::crm::row::{CallDirection, CallRow, CallState, ContactRow, TaskRow, TicketState};
use ringdesk::crm::store::CallChange;

/// Which record: by what stays the same while it changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Record {
    /// By its id.
    Call(String),
    /// By its e-mail address.
    Contact(String),
    /// By the first two words of its name.
    Organization(String),
    /// By its title.
    Ticket(String),
    /// The ticket that was drafted for a call, by the call's id.
    Draft(String),
    /// By its title.
    Task(String),
    /// By the first two words of its text.
    Note(String),
}

/// What is kept of a record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Row {
    Call(Call),
    Contact {
        name: String,
        notes: String,
        organization: Option<String>,
        numbers: Vec<String>,
    },
    Organization {
        name: String,
    },
    Ticket {
        state: String,
        /// Their texts.
        articles: Vec<String>,
    },
    Task {
        notes: String,
        done: bool,
    },
    Note {
        text: String,
    },
}

/// What is kept of a call; times in microseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Call {
    pub(crate) inbound: bool,
    pub(crate) state: String,
    pub(crate) started: i64,
    pub(crate) answered: Option<i64>,
    pub(crate) ended: Option<i64>,
    pub(crate) waiting_millis: Option<i64>,
    pub(crate) talking_millis: Option<i64>,
    pub(crate) sip_call_id: Option<String>,
    pub(crate) end_reason: Option<String>,
    pub(crate) notes: String,
    pub(crate) done: bool,
    /// The name of the contact that the agent chose.
    pub(crate) chosen: Option<String>,
}

impl Call {
    pub(crate) fn of(row: &CallRow) -> Self {
        Self {
            inbound: row.direction == CallDirection::Inbound,
            state: row.state.as_str().to_owned(),
            started: row.started_at.as_microsecond(),
            answered: row.answered_at.map(jiff::Timestamp::as_microsecond),
            ended: row.ended_at.map(jiff::Timestamp::as_microsecond),
            waiting_millis: row.waiting_millis,
            talking_millis: row.talking_millis,
            sip_call_id: row.sip_call_id.clone(),
            end_reason: row.end_reason.clone(),
            notes: row.notes.clone(),
            done: row.done,
            chosen: None,
        }
    }

    /// What a change that the script makes leaves of it.
    pub(crate) fn changed(&self, change: &CallChange) -> Self {
        let mut call = self.clone();
        match change {
            CallChange::Answered { at, waiting_millis } => {
                call.state = CallState::InProgress.as_str().to_owned();
                call.answered = Some(at.as_microsecond());
                call.waiting_millis = Some(*waiting_millis);
            }
            CallChange::Held(held) => {
                let state = if *held {
                    CallState::Held
                } else {
                    CallState::InProgress
                };
                call.state = state.as_str().to_owned();
            }
            CallChange::Ended {
                state,
                at,
                waiting_millis,
                talking_millis,
                end_reason,
                done,
                ..
            } => {
                call.state = state.as_str().to_owned();
                call.ended = Some(at.as_microsecond());
                call.waiting_millis = Some(*waiting_millis);
                call.talking_millis = *talking_millis;
                call.end_reason = Some(end_reason.clone());
                call.done = *done;
            }
            CallChange::Dialled(id) => call.sip_call_id = Some(id.clone()),
            CallChange::Notes(notes) => call.notes.clone_from(notes),
            CallChange::Done(done) => call.done = *done,
            other => panic!("the script does not make this change: {other:?}"),
        }
        call
    }

    /// What the next start makes of a call that was open.
    pub(crate) fn interrupted(&self) -> Self {
        if self.ended.is_some() {
            return self.clone();
        }
        Self {
            state: CallState::Interrupted.as_str().to_owned(),
            ended: Some(self.answered.unwrap_or(self.started)),
            end_reason: Some(
                "the phone ended during the call (a crash, a kill or a power loss); how the call went on is unknown"
                    .to_owned(),
            ),
            done: !self.inbound || self.answered.is_some(),
            ..self.clone()
        }
    }
}

impl Row {
    pub(crate) fn of_contact(row: &ContactRow) -> Self {
        Self::Contact {
            name: row.name.clone(),
            notes: row.notes.clone(),
            organization: row.organization_name.clone(),
            numbers: row.numbers.iter().map(|it| it.raw.clone()).collect(),
        }
    }

    pub(crate) fn ticket(state: TicketState, articles: Vec<String>) -> Self {
        Self::Ticket {
            state: state.as_str().to_owned(),
            articles,
        }
    }

    pub(crate) fn of_task(task: &TaskRow) -> Self {
        Self::Task {
            notes: task.notes.clone(),
            done: task.done_at.is_some(),
        }
    }

    /// The articles of a ticket.
    pub(crate) fn articles(&self) -> Vec<String> {
        match self {
            Self::Ticket { articles, .. } => articles.clone(),
            _ => Vec::new(),
        }
    }

    /// What the next start makes of it.
    pub(crate) fn after_start(&self) -> Self {
        match self {
            Self::Call(call) => Self::Call(call.interrupted()),
            other => other.clone(),
        }
    }
}
