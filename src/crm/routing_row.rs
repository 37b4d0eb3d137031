//! Plain rows of who is told of a call: agents, queues, holidays, the block list, states of agents,
//! and what was decided for a call.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::base::id::{AgentId, BlockId, QueueId};

pub use crate::crm::agent_state::{AgentState, Presence};
pub use crate::crm::schedule::{Day, Slot, WallTime, first_overlap};

/// Somebody who takes calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentRow {
    /// The agent; `AgentId(0)` for one that is not stored yet.
    pub id: AgentId,
    /// The name, unlike that of every other agent.
    pub name: String,
    /// The name at the exchange or at a CRM; empty where there is none.
    pub login: String,
    /// Whether the agent works here at present.
    pub active: bool,
    /// Whether an administrator lets the phone pop up at this agent's.
    pub panel: bool,
    /// The own numbers and addresses, as typed.
    pub numbers: Vec<String>,
    /// The groups, by name; one that is not there yet is made.
    pub groups: Vec<String>,
}

/// Where calls of one kind wait for somebody who is scheduled: a queue, or a communication medium.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueRow {
    /// The queue; `QueueId(0)` for one that is not stored yet.
    pub id: QueueId,
    /// The name, unlike that of every other queue.
    pub name: String,
    /// The communication medium's name at a CRM; empty where it is the queue's.
    pub medium: String,
    /// The IANA name of the time zone of its slots; empty means the system's.
    pub zone: String,
    /// The called numbers and addresses that are its, as typed; `*` stands for any digits or letters.
    pub numbers: Vec<String>,
    /// When who takes its calls; without slots everybody does at all times.
    pub slots: Vec<TimeSlot>,
    /// What is dialled when a break begins; empty for nothing.
    pub pause_code: String,
    /// What is dialled when it ends; empty for nothing.
    pub unpause_code: String,
    /// What the agent says in its calls; a name in braces stands for what is known of the call (see
    /// [`page_template`](crate::base::page_template)).
    #[serde(default)]
    pub script: String,
    /// The web page that belongs to its calls; empty for none.
    #[serde(default)]
    pub page: String,
}

/// A part of the week in which a group takes a queue's calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeSlot {
    /// When.
    #[serde(flatten)]
    pub slot: Slot,
    /// The agents' group, by name; one that is not there yet is made.
    pub group: String,
}

/// A date on which no slot begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HolidayRow {
    /// The date, in the zone of each queue.
    pub date: Date,
    /// The queue, by name; none is all of them.
    pub queue: Option<String>,
    /// What it is called.
    pub name: String,
}

/// Whom an entry of the block list means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BlockKind {
    /// One number or address, in any spelling.
    Exact,
    /// All numbers that begin so.
    Prefix,
    /// Whoever withholds the number.
    Withheld,
}

impl BlockKind {
    /// The word in the store, in events and in exports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Prefix => "prefix",
            Self::Withheld => "withheld",
        }
    }

    /// Reads the word of [`Self::as_str`].
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Exact, Self::Prefix, Self::Withheld]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }
}

/// An entry of the block list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockedRow {
    /// The entry; `BlockId(0)` for one that is not stored yet.
    pub id: BlockId,
    /// Whom it means.
    pub kind: BlockKind,
    /// The number, address or beginning, as typed; empty for withheld ones.
    pub number: String,
    /// How such a call is refused: 486, as if busy, or 603, as declined.
    pub status: u16,
    /// Why, in the words of who made it.
    pub note: String,
    /// Since when.
    pub since: Timestamp,
    /// How many calls it refused.
    pub hits: u64,
    /// When it did so last.
    pub last_hit: Option<Timestamp>,
}

impl BlockedRow {
    /// A new entry from what somebody typed: a number, a beginning such as `+4990*`, or `anonymous`.
    pub fn typed(text: &str, status: u16, note: &str, since: Timestamp) -> Self {
        let text = text.trim();
        let (kind, number) = match text.strip_suffix('*') {
            _ if text.eq_ignore_ascii_case("anonymous") => (BlockKind::Withheld, ""),
            Some(beginning) => (BlockKind::Prefix, beginning),
            None => (BlockKind::Exact, text),
        };
        Self {
            id: BlockId(0),
            kind,
            number: number.to_owned(),
            status,
            note: note.to_owned(),
            since,
            hits: 0,
            last_hit: None,
        }
    }

    /// Whom it means, in plain words.
    pub fn words(&self) -> String {
        match self.kind {
            BlockKind::Exact => self.number.clone(),
            BlockKind::Prefix => format!("numbers that begin with {}", self.number),
            BlockKind::Withheld => "withheld numbers".to_owned(),
        }
    }
}

/// Everything that says who is told of a call.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RoutingTables {
    /// The agents, by name.
    pub agents: Vec<AgentRow>,
    /// The queues, by name.
    pub queues: Vec<QueueRow>,
    /// The holidays, by date.
    pub holidays: Vec<HolidayRow>,
    /// The block list, the newest first.
    pub blocked: Vec<BlockedRow>,
}

/// A change to them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoutingChange {
    /// Insert (id 0) or change an agent, with all numbers and groups.
    SaveAgent(AgentRow),
    /// Delete an agent.
    RemoveAgent(AgentId),
    /// Insert (id 0) or change a queue, with all numbers and slots.
    SaveQueue(QueueRow),
    /// Delete a queue.
    RemoveQueue(QueueId),
    /// Insert or rename a holiday.
    SaveHoliday(HolidayRow),
    /// Delete a holiday of a queue, or of all.
    RemoveHoliday {
        /// The date.
        date: Date,
        /// The queue, by name.
        queue: Option<String>,
    },
    /// Insert an entry of the block list, or change the one of the same number.
    Block(BlockedRow),
    /// Delete one.
    Unblock(BlockId),
}

/// Whether a call popped up, to whom, and why.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PopupDecision {
    /// Whether it did.
    pub shown: bool,
    /// Whether a schedule had nobody for it.
    pub nobody_scheduled: bool,
    /// The queue it was for.
    pub queue: Option<String>,
    /// The agents who were scheduled.
    pub scheduled: Vec<String>,
    /// The agents whose number was called.
    pub matching: Vec<String>,
    /// The agents to whom it was shown.
    pub to: Vec<String>,
    /// Each reason in plain words, in the order in which they were looked at.
    pub reasons: Vec<String>,
}

/// What a queue is dialled with when a break begins and ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueCodes {
    /// The queue.
    pub queue: String,
    /// When a break begins; empty for nothing.
    pub pause: String,
    /// When it ends; empty for nothing.
    pub unpause: String,
}

/// How long an agent was in a state for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateTotal {
    /// The state.
    pub state: AgentState,
    /// The reason of a break; empty elsewhere.
    pub reason: String,
    /// How often it began.
    pub times: u64,
    /// How long it lasted, in milliseconds.
    pub millis: i64,
}
