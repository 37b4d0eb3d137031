//! What is being written of agents, queues, holidays, call types and the block list.

use jiff::civil::Date;

use crate::base::id::{AgentId, BlockId, CallTypeId, QueueId};
use crate::crm::row::{AgentRow, BlockedRow, CallTypeRow, QueueRow};

/// The pages of the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum SettingsTab {
    /// Accounts, sound, appearance, calls.
    #[default]
    Phone,
    /// Who takes calls.
    Agents,
    /// Where calls wait, and for whom when.
    Queues,
    /// When nobody is scheduled.
    Holidays,
    /// What calls are about.
    CallTypes,
    /// Whose calls are refused.
    Blocked,
    /// What works and what does not.
    Diagnostics,
}

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct RoutingState {
    pub(crate) agent: Option<AgentForm>,
    pub(crate) queue: Option<QueueForm>,
    pub(crate) holiday: HolidayForm,
    pub(crate) call_type: Option<CallTypeForm>,
    pub(crate) blocked: BlockForm,
    pub(crate) preview: PreviewForm,
    /// What was to be deleted and waits for a second click.
    pub(crate) deleting: Option<Deleting>,
}

/// What was to be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Deleting {
    Agent(AgentId),
    Queue(QueueId),
    Holiday(Date, Option<String>),
    CallType(CallTypeId),
    Blocked(BlockId),
}

/// An agent being written.
#[derive(Debug)]
pub(crate) struct AgentForm {
    pub(crate) row: AgentRow,
    /// Numbers and groups as they are typed, with commas between.
    pub(crate) numbers: String,
    pub(crate) groups: String,
    pub(crate) problem: Option<String>,
    /// Whether the name takes the keyboard in the next frame.
    pub(crate) focus: bool,
}

/// A queue being written.
#[derive(Debug)]
pub(crate) struct QueueForm {
    pub(crate) row: QueueRow,
    /// Numbers as they are typed, with commas between.
    pub(crate) numbers: String,
    pub(crate) slot: SlotForm,
    pub(crate) problem: Option<String>,
    /// Whether the name takes the keyboard in the next frame.
    pub(crate) focus: bool,
}

/// Slots being written: the same times on several days.
#[derive(Debug)]
pub(crate) struct SlotForm {
    /// From Monday.
    pub(crate) days: [bool; 7],
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) group: String,
    pub(crate) problem: Option<String>,
}

impl Default for SlotForm {
    fn default() -> Self {
        Self {
            days: [true, true, true, true, true, false, false],
            from: "08:00".to_owned(),
            to: "17:00".to_owned(),
            group: String::new(),
            problem: None,
        }
    }
}

/// A holiday being written.
#[derive(Debug, Default)]
pub(crate) struct HolidayForm {
    pub(crate) date: String,
    pub(crate) name: String,
    /// The queue; none is all of them.
    pub(crate) queue: Option<String>,
    pub(crate) problem: Option<String>,
}

/// A call type being written.
#[derive(Debug)]
pub(crate) struct CallTypeForm {
    pub(crate) row: CallTypeRow,
    pub(crate) problem: Option<String>,
    /// Whether the name takes the keyboard in the next frame.
    pub(crate) focus: bool,
}

/// An entry of the block list being written.
#[derive(Debug, Default)]
pub(crate) struct BlockForm {
    pub(crate) number: String,
    pub(crate) note: String,
    /// Whether they hear that the line is busy, not that the call is declined.
    pub(crate) busy: bool,
    /// The entry that it changes.
    pub(crate) of: Option<BlockedRow>,
    pub(crate) problem: Option<String>,
}

/// A call that might come in.
#[derive(Debug, Default)]
pub(crate) struct PreviewForm {
    /// The queue that is called; none is the own line.
    pub(crate) queue: Option<QueueId>,
    pub(crate) caller: String,
}
