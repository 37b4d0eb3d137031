//! Plain rows: what the store gives and takes. No SQL here.

use std::net::SocketAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::base::id::{CallId, CallTypeId, ContactId, OrganizationId};

pub use crate::crm::call_notes::{NOTES_LIMIT, notes_refused};
pub use crate::crm::page_row::{
    CALLS_COUNTED, CallCriteria, CallCursor, CallFilter, CallPage, CallbackPage, ContactPage,
    HintCursor, NameCursor, OrganizationPage, PEOPLE_COUNTED, TaskCursor, TaskFilter, TicketFilter,
    TimelineCursor, TimelineId, TimelineKind,
};
pub use crate::crm::subject::Subject;
pub use crate::crm::ticket_row::{
    ArticleKind, ArticleRow, ArticleSender, TicketChange, TicketRow, TicketState,
};
pub use crate::crm::work_row::{
    AuditRow, CallNote, CallTypeRow, CallbackRow, Found, HourFigures, LeadStage, Membership,
    NoteRow, OnAnswer, QueueFigures, TaskKind, TaskRow, TimelineEntry, UndoRow, Undone,
};

pub use crate::crm::care_row::{
    BackupMade, DatabaseCopy, Erased, ErasedCalls, Erasure, Recovered, RecoveredTable, Restored,
    Retention, StoreState, TableCount,
};
pub use crate::crm::edit_row::{ContactEdit, NumbersEdit, OrganizationEdit, StageEdit};
pub use crate::crm::exchange_row::{
    ColumnView, Duplicate, DuplicatePage, Existing, FileKind, ImportOptions, ImportOutcome,
    ImportPreview, ImportReport, LineNote, LineNotes, MergeReport,
};
pub use crate::crm::hint_row::{
    HintFilter, HintRow, HintSource, HintState, HintVerdict, MailHints, TextNumber,
};
pub use crate::crm::routing_row::{
    AgentRow, AgentState, BlockKind, BlockedRow, Day, HolidayRow, PopupDecision, Presence,
    QueueCodes, QueueRow, RoutingChange, RoutingTables, Slot, StateTotal, TimeSlot, WallTime,
    first_overlap,
};

pub use crate::crm::quality_row::{
    CallQuality, Fixed, Millis, Mos, QualitySeries, QualitySpan, Share,
};
pub use crate::crm::recording_row::{InterruptedCall, RecordingGap, RecordingGapCause};

/// Who started a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallDirection {
    /// They called us.
    Inbound,
    /// We called them.
    Outbound,
}

/// Where a call stands; the ended ones are final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallState {
    /// It rings, here or there.
    Ringing,
    /// Both sides talk.
    InProgress,
    /// One side holds.
    Held,
    /// It was talked and ended.
    Completed,
    /// Nobody answered.
    NoAnswer,
    /// The called side was busy.
    Busy,
    /// It could not be connected.
    Failed,
    /// We gave up before an answer.
    Canceled,
    /// The agent declined.
    Rejected,
    /// It went elsewhere before an answer.
    Forwarded,
    /// A voice mail took it.
    Voicemail,
    /// The block list refused it.
    Blocked,
    /// A colleague answered it.
    AnsweredElsewhere,
    /// The phone ended while the call was open; found at the next start.
    Interrupted,
}

impl CallDirection {
    /// The word in the store, in events and in exports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        }
    }

    /// Reads the word of [`Self::as_str`].
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Inbound, Self::Outbound]
            .into_iter()
            .find(|direction| direction.as_str() == word)
    }
}

impl CallState {
    /// Reads the word of [`Self::as_str`].
    pub fn parse(word: &str) -> Option<Self> {
        [
            Self::Ringing,
            Self::InProgress,
            Self::Held,
            Self::Completed,
            Self::NoAnswer,
            Self::Busy,
            Self::Failed,
            Self::Canceled,
            Self::Rejected,
            Self::Forwarded,
            Self::Voicemail,
            Self::Blocked,
            Self::AnsweredElsewhere,
            Self::Interrupted,
        ]
        .into_iter()
        .find(|state| state.as_str() == word)
    }

    /// Whether the call is over.
    pub fn ended(self) -> bool {
        !matches!(self, Self::Ringing | Self::InProgress | Self::Held)
    }

    /// The word in the store, in events and in exports, such as `in-progress`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ringing => "ringing",
            Self::InProgress => "in-progress",
            Self::Held => "held",
            Self::Completed => "completed",
            Self::NoAnswer => "no-answer",
            Self::Busy => "busy",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::Rejected => "rejected",
            Self::Forwarded => "forwarded",
            Self::Voicemail => "voicemail",
            Self::Blocked => "blocked",
            Self::AnsweredElsewhere => "answered-elsewhere",
            Self::Interrupted => "interrupted",
        }
    }
}

/// What the network claims to know of a caller's number (3GPP TS 24.229 section 7.2A.20).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NumberProof {
    /// The number was proven to be the caller's.
    Passed,
    /// The proof failed: the number may be forged.
    Failed,
    /// Nobody proved it.
    None,
}

impl NumberProof {
    /// The word in the store, in events and in exports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::None => "none",
        }
    }

    /// Reads the word of [`Self::as_str`].
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Passed, Self::Failed, Self::None]
            .into_iter()
            .find(|proof| proof.as_str() == word)
    }
}

/// How sure a match between a number and a contact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MatchLevel {
    /// Chosen by the agent.
    Manual,
    /// The same number, for sure.
    Known,
    /// Only the last digits agree; never shown as known.
    Weak,
    /// Mined from texts.
    Maybe,
}

impl MatchLevel {
    /// The word in the store, in events and in exports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Known => "known",
            Self::Weak => "weak",
            Self::Maybe => "maybe",
        }
    }

    /// Reads the word of [`Self::as_str`].
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Manual, Self::Known, Self::Weak, Self::Maybe]
            .into_iter()
            .find(|level| level.as_str() == word)
    }
}

/// A person or an organization that may be the caller, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Match {
    /// Who.
    pub subject: Subject,
    /// Its name.
    pub name: String,
    /// Its organization's name.
    pub organization: Option<String>,
    /// Its role there.
    pub role: Option<String>,
    /// How sure it is.
    pub level: MatchLevel,
    /// The rule in plain words, such as `same number in international form, "Mobile"`.
    pub reason: String,
}

impl Match {
    /// The one to show: the only person who is sure, else the only sure organization, else the only one
    /// at all; several sure ones are a question to the agent. A person goes before the organization that
    /// has the same number, unless one of them was chosen before: a choice is no proof, so beside anybody
    /// else who is sure it is asked for again.
    pub fn best(matches: &[Self]) -> Option<&Self> {
        let sure = || {
            let of_level = |level| matches!(level, MatchLevel::Known | MatchLevel::Manual);
            matches.iter().filter(move |found| of_level(found.level))
        };
        if sure().count() > 1 && sure().any(|found| found.level == MatchLevel::Manual) {
            return None;
        }
        for person in [true, false] {
            let mut sure = sure().filter(|found| found.subject.contact().is_some() == person);
            match (sure.next(), sure.next()) {
                (Some(only), None) => return Some(only),
                (Some(_), Some(_)) => return None,
                (None, _) => {}
            }
        }
        match matches {
            [only] => Some(only),
            _ => None,
        }
    }
}

/// What is known of a number: the answer to "who calls?".
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Identification {
    /// Candidates, best first, at most 20.
    pub matches: Vec<Match>,
    /// Who else it may be by texts that name the number: people who are no contacts yet, best first.
    /// Empty where somebody is known to have the number.
    #[serde(default)]
    pub strangers: Vec<HintRow>,
    /// Why there is none, in plain words, when there is none.
    pub no_match: Option<String>,
    /// The number in international form, when it is one.
    pub e164: Option<String>,
    /// The number as a person reads it.
    pub display_number: String,
    /// The country's or region's name or ISO code, when the number tells.
    pub country: Option<String>,
    /// The last calls with this number or contact, newest first, at most five.
    pub last_calls: Vec<CallRow>,
    /// The tickets of who is sure that were changed last, at most five, without articles.
    #[serde(default)]
    pub tickets: Vec<TicketRow>,
}

/// One row of the call log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRow {
    /// The call.
    pub id: CallId,
    /// Who started it.
    pub direction: CallDirection,
    /// Where it stands.
    pub state: CallState,
    /// The far end's number or SIP address as signalled.
    pub remote: String,
    /// The far end's number in international form.
    pub e164: Option<String>,
    /// The display name that the far end gave itself.
    pub remote_name: Option<String>,
    /// The own address, such as `sip:alice@example.com`.
    pub local: String,
    /// For whom the call was before it came here, the last one first.
    #[serde(default)]
    pub via: Option<String>,
    /// What the network says of the far end's number.
    #[serde(default)]
    pub number_proof: Option<NumberProof>,
    /// The contact or lead that was shown or chosen.
    pub contact: Option<ContactId>,
    /// The organization that was shown or chosen, where it is no person.
    #[serde(default)]
    pub organization_id: Option<OrganizationId>,
    /// The contact's name at the time of the call; it stays when the contact changes.
    pub contact_name: Option<String>,
    /// The organization's name at the time of the call.
    pub organization: Option<String>,
    /// How sure the match was.
    pub level: Option<MatchLevel>,
    /// Why it matched.
    pub match_reason: Option<String>,
    /// When it began to ring or was dialled.
    pub started_at: Timestamp,
    /// When it was answered.
    pub answered_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Time until the answer or the end, by the monotonic clock, in milliseconds.
    pub waiting_millis: Option<i64>,
    /// Time from the answer to the end, by the monotonic clock, in milliseconds.
    pub talking_millis: Option<i64>,
    /// The final SIP status code.
    pub sip_status: Option<u16>,
    /// Why it ended, in plain words.
    pub end_reason: Option<String>,
    /// The SIP Call-ID, to find it in a trace.
    pub sip_call_id: Option<String>,
    /// The recording's file, or its address (`http`, `https`) where a server keeps it.
    pub recording: Option<String>,
    /// Its gaps, in which it was paused; in order.
    #[serde(default)]
    pub recording_gaps: Vec<RecordingGap>,
    /// How many seconds of the call's sound were over when it began; none where nobody knows.
    #[serde(default)]
    pub recording_start_seconds: Option<u32>,
    /// The agent's notes.
    pub notes: String,
    /// Whether nothing is left to do: false for a missed call until it is called back.
    pub done: bool,
    /// Where its far end was transferred to.
    pub transferred_to: Option<String>,
    /// Who transferred it here.
    pub transferred_by: Option<String>,
    /// Where the far end sent it before it was answered.
    #[serde(default)]
    pub redirected_to: Option<String>,
    /// Who answered it, where that is somebody else than who was dialled.
    #[serde(default)]
    pub answered_by: Option<String>,
    /// What was measured of its sound.
    #[serde(default)]
    pub quality: Option<CallQuality>,
    /// Why one side was not heard, and for how long.
    #[serde(default)]
    pub sound_problem: Option<String>,
    /// The agent whose call it was.
    #[serde(default)]
    pub agent: Option<String>,
    /// The queue that it came from.
    #[serde(default)]
    pub queue: Option<String>,
    /// What it was about.
    #[serde(default)]
    pub call_type: Option<CallTypeId>,
    /// That in words, as it is called now.
    #[serde(default)]
    pub call_type_name: Option<String>,
    /// How long the agent wrote after its end, in milliseconds; none where nothing was saved yet.
    #[serde(default)]
    pub wrap_up_millis: Option<i64>,
    /// Whether it was made elsewhere and entered by hand.
    #[serde(default)]
    pub by_hand: bool,
}

impl CallRow {
    /// Whom it shows.
    pub fn subject(&self) -> Option<Subject> {
        self.contact
            .map(Subject::Contact)
            .or_else(|| self.organization_id.map(Subject::Organization))
    }
}

impl CallRow {
    /// A call that begins, of which nothing else is known.
    pub fn begun(id: CallId, direction: CallDirection, started_at: Timestamp) -> Self {
        Self {
            id,
            direction,
            state: CallState::Ringing,
            remote: String::new(),
            e164: None,
            remote_name: None,
            local: String::new(),
            via: None,
            number_proof: None,
            contact: None,
            organization_id: None,
            contact_name: None,
            organization: None,
            level: None,
            match_reason: None,
            started_at,
            answered_at: None,
            ended_at: None,
            waiting_millis: None,
            talking_millis: None,
            sip_status: None,
            end_reason: None,
            sip_call_id: None,
            recording: None,
            recording_gaps: Vec::new(),
            recording_start_seconds: None,
            notes: String::new(),
            done: direction == CallDirection::Outbound,
            transferred_to: None,
            transferred_by: None,
            redirected_to: None,
            answered_by: None,
            quality: None,
            sound_problem: None,
            agent: None,
            queue: None,
            call_type: None,
            call_type_name: None,
            wrap_up_millis: None,
            by_hand: false,
        }
    }

    /// A call from somebody that rings, of whom nothing is known.
    #[cfg(test)]
    pub(crate) fn ringing(id: CallId, remote: &str, started_at: Timestamp) -> Self {
        Self {
            remote: remote.to_owned(),
            local: "sip:alice@example.com".to_owned(),
            ..Self::begun(id, CallDirection::Inbound, started_at)
        }
    }
}

/// A contact with all of its numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactRow {
    /// The contact; `ContactId(0)` for one that is not stored yet.
    pub id: ContactId,
    /// The whole name, as shown.
    pub name: String,
    /// The organization.
    pub organization: Option<OrganizationId>,
    /// The organization's name.
    pub organization_name: Option<String>,
    /// The role in the organization.
    pub role: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// Free text.
    pub notes: String,
    /// Any number of phone numbers, in order.
    pub numbers: Vec<ContactNumber>,
    /// How far a lead is; none for a contact.
    #[serde(default)]
    pub stage: Option<LeadStage>,
    /// Further organizations.
    #[serde(default)]
    pub memberships: Vec<Membership>,
}

impl ContactRow {
    /// A contact that is not stored yet, of whom only the name is known.
    pub fn named(name: &str) -> Self {
        Self {
            id: ContactId(0),
            name: name.to_owned(),
            organization: None,
            organization_name: None,
            role: None,
            email: None,
            notes: String::new(),
            numbers: Vec::new(),
            stage: None,
            memberships: Vec::new(),
        }
    }
}

/// One phone number of a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactNumber {
    /// What kind: `Mobile`, `Work` …
    pub label: String,
    /// As typed.
    pub raw: String,
    /// In international form, when it is one.
    pub e164: Option<String>,
}

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganizationRow {
    /// The organization; `OrganizationId(0)` for one that is not stored yet.
    pub id: OrganizationId,
    /// Its name.
    pub name: String,
    /// How many contacts belong to it.
    pub contacts: u32,
    /// Its own numbers, such as that of its exchange, in order.
    #[serde(default)]
    pub numbers: Vec<ContactNumber>,
}

/// How reasons begin that concern the sound of calls, and no requests.
pub const SOUND: &str = "sound: ";

/// What one source was refused for one reason, over some minutes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedRow {
    /// The source's address; 0.0.0.0 stands for a crowd.
    pub source: String,
    /// Why, such as `stranger`, `too-fast`, `malformed: Via` or `sound: not-authentic`.
    pub why: String,
    /// How many requests, or datagrams of sound.
    pub requests: i64,
    /// In how many minutes.
    pub minutes: i64,
    /// The last of these minutes.
    pub last_at: Timestamp,
}

/// One SIP message of a call, as it went over the wire; its secrets are removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LadderMessage {
    /// When.
    pub at: Timestamp,
    /// Whether we sent it.
    pub sent: bool,
    /// The transport, such as `UDP`.
    pub transport: String,
    /// Our end.
    pub local: SocketAddr,
    /// The far end.
    pub remote: SocketAddr,
    /// How many messages before this one were left out, because the ladder was full.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub omitted: u64,
    /// The whole message.
    pub text: String,
}

/// A call with its SIP messages, in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallLadder {
    /// The call.
    pub call: CallRow,
    /// Its messages; none are left when the ladder was too old to be kept.
    pub messages: Vec<LadderMessage>,
}

/// A call with why it popped up or did not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PoppedCall {
    /// The call.
    pub call: CallRow,
    /// What was decided; none where nothing was set up or in the way.
    pub decision: Option<PopupDecision>,
}

/// A call with what was measured of its sound, in order of time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeasuredCall {
    /// The call.
    pub call: CallRow,
    /// Its spans; none are left when they were too old to be kept.
    pub spans: Vec<QualitySpan>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}
