//! What others tell of themselves: colleagues' phones and presence, and waiting messages.

use crate::base::id::AccountId;
use crate::config::settings::WatchKind;

/// What a colleague does, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColleagueState {
    /// Nothing is known.
    #[default]
    Unknown,
    /// Their phone is idle.
    Free,
    /// Their phone rings.
    Ringing,
    /// They call somebody.
    Calling,
    /// They talk.
    Talking,
    /// They hold a call.
    Held,
    /// They say that they can be reached.
    Available,
    /// They say that they are busy.
    Busy,
    /// They say that they are away.
    Away,
    /// They say that they cannot be reached.
    Offline,
}

impl ColleagueState {
    /// The state as a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Free => "free",
            Self::Ringing => "ringing",
            Self::Calling => "calling",
            Self::Talking => "talking",
            Self::Held => "held",
            Self::Available => "available",
            Self::Busy => "busy",
            Self::Away => "away",
            Self::Offline => "offline",
        }
    }
}

/// A call that rings elsewhere and may be taken (RFC 3891).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PickupTarget {
    /// The Call-ID of the ringing dialog.
    pub call_id: String,
    /// The tag of the phone that rings.
    pub local_tag: String,
    /// The caller's tag.
    pub remote_tag: String,
    /// The caller, to whom the INVITE goes.
    pub target: String,
}

/// One watched colleague.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColleagueView {
    /// The name, or the address where there is none.
    pub name: String,
    /// What a call to them dials.
    pub address: String,
    /// What is watched.
    pub watch: WatchKind,
    /// What they do.
    pub state: ColleagueState,
    /// With whom, or what they wrote.
    pub detail: Option<String>,
    /// The ringing call, where it can be picked up.
    pub pickup: Option<PickupTarget>,
    /// Why nothing is known, and what happens next.
    pub problem: Option<String>,
}

/// How many messages of one class wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageCount {
    /// `voice`, `fax`, `pager`, `multimedia`, `text` or `none` (RFC 3458).
    pub class: &'static str,
    /// Not heard yet.
    pub new: u32,
    /// Heard.
    pub old: u32,
    /// New and urgent.
    pub new_urgent: u32,
    /// Heard and urgent.
    pub old_urgent: u32,
}

/// What waits for one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxView {
    /// The account; none for what came without one.
    pub account: Option<AccountId>,
    /// Its address.
    pub address: String,
    /// Whether anything new waits.
    pub waiting: bool,
    /// The counts by class, as far as the server tells them.
    pub counts: Vec<MessageCount>,
    /// What a call to the voice mail dials.
    pub voicemail: Option<String>,
}

impl MailboxView {
    /// How many new voice messages wait; zero also where the server only says that some do.
    pub fn new_voice(&self) -> u32 {
        let voice = self.counts.iter().find(|count| count.class == "voice");
        voice.map_or(0, |count| count.new)
    }
}
