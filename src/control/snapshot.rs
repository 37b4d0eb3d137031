//! The state that a window draws: cheap to clone as a whole, complete at each moment.

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

use crate::base::dial_plan::DialPreview;
use crate::base::id::{AccountId, CallId};
use crate::config::provisioning::Locks;
use crate::config::{Account, Settings};
use crate::control::colleague::{ColleagueView, MailboxView};
use crate::control::command::{Asker, FiguresTable};
use crate::control::media_security::MediaSecurity;
use crate::control::player::PlayerView;
use crate::control::provisioning::ProvisioningView;
use crate::control::sound_check::SoundCheckView;
use crate::control::support::SupportBundle;
use crate::control::trial::TrialView;
use crate::crm::row::{CallDirection, Identification, NumberProof, OnAnswer, Presence};

/// Everything that the window shows of the engine.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Grows by one with each snapshot.
    pub revision: u64,
    /// The revision in which something else changed than how loud the devices are and the time at which a
    /// recording plays.
    pub content: u64,
    /// The accounts in their order.
    pub accounts: Vec<AccountView>,
    /// Ringing, talking and just ended calls, oldest first.
    pub calls: Vec<CallView>,
    /// The settings.
    pub settings: Settings,
    /// The sound devices.
    pub devices: DevicesView,
    /// Their test, and how loud they are.
    pub sound_check: SoundCheckView,
    /// The recording that is shown.
    pub player: Option<PlayerView>,
    /// A link that waits for the agent's yes.
    pub dial_request: Option<DialRequest>,
    /// Things that went wrong and stay until dismissed, oldest first, at most 20.
    pub notices: Vec<Notice>,
    /// Text messages that came, oldest first: the last few of each account, until dismissed.
    pub messages: Vec<TextMessage>,
    /// What the agent does.
    pub agent: Presence,
    /// The watched colleagues, in the order of the settings.
    pub colleagues: Vec<ColleagueView>,
    /// The accounts whose mailboxes are known.
    pub mailboxes: Vec<MailboxView>,
    /// Missed calls that nobody called back.
    pub to_call_back: u64,
    /// Grows when rows of the store changed, so that pages are read again.
    pub store_revision: u64,
    /// Whether the call log writes; else what is wrong and what to do.
    pub store_problem: Option<String>,
    /// An account that is tried before it is kept.
    pub trial: Option<TrialView>,
    /// Settings of an administrator that wait for a yes.
    pub provisioning: Option<ProvisioningView>,
    /// Where such settings came from; empty where there are none.
    pub provisioned_from: String,
    /// What the user may not change.
    pub locks: Locks,
    /// What keeps this machine from others, and what to do.
    pub network_problem: Option<String>,
    /// How the disk stands, where it has little room.
    pub disk: Option<DiskView>,
    /// The folder of the log file; empty where there is none.
    pub log_dir: String,
    /// Why the log file is not written, and what to do.
    pub log_problem: Option<String>,
    /// The folder for files that somebody takes out of the phone.
    pub export_dir: String,
    /// What became of the last of them.
    pub exported: Option<ExportView>,
    /// What was gathered for somebody who helps, before it is saved.
    pub support: Option<Arc<SupportBundle>>,
    /// Grows when somebody wants to see the window: a second start, a link.
    pub raised: u64,
    /// Whether the lab runs.
    pub lab: bool,
    /// Whether the engine is ending.
    pub ending: bool,
}

impl Snapshot {
    /// The account whose address this is.
    pub fn account_of(&self, address: &str) -> Option<AccountId> {
        let mut accounts = self.accounts.iter();
        let found = accounts.find(|view| view.account.address == address);
        found.map(|view| view.id)
    }
}

/// An account and its registration.
#[derive(Debug, Clone)]
pub struct AccountView {
    /// Which.
    pub id: AccountId,
    /// As configured.
    pub account: Account,
    /// Whether a password is stored.
    pub has_password: bool,
    /// Whether the password of its TURN server is known.
    pub has_turn_password: bool,
    /// Where the registration stands.
    pub registration: Registration,
}

/// Where a registration stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registration {
    /// The account does not register.
    Off,
    /// On its way.
    Registering {
        /// Why once more, such as "the network changed".
        why: Option<String>,
    },
    /// Calls reach us.
    Registered,
    /// They do not, because …
    Failed {
        /// What is wrong and what to do.
        reason: String,
        /// When it will be tried again.
        retry_at: Option<Instant>,
    },
}

/// Where a call stands, for the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallStage {
    /// Outgoing: nothing heard from the far end yet.
    Calling,
    /// Incoming: it rings here. Outgoing: it rings there.
    Ringing,
    /// Both sides talk.
    Talking,
    /// We hold.
    Held,
    /// The far end holds.
    HeldByRemote,
    /// We hung up and it is over for us; the far end has not confirmed it yet.
    Ending,
    /// Over.
    Ended,
}

impl CallStage {
    /// Whether nobody can talk any more.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Ending | Self::Ended)
    }
}

/// One call.
#[derive(Debug, Clone)]
pub struct CallView {
    /// The call.
    pub id: CallId,
    /// The account, when it is of one.
    pub account: Option<AccountId>,
    /// Who started it.
    pub direction: CallDirection,
    /// Where it stands.
    pub stage: CallStage,
    /// The far end's number or address, as a person reads it.
    pub remote: String,
    /// The display name that the far end gave itself; a claim.
    pub remote_name: Option<String>,
    /// The own address that was called or calls.
    pub local: String,
    /// Before it came here it was for this one ("via").
    pub diverted_from: Option<String>,
    /// The queue that it is for, by the numbers of the queues.
    pub queue: Option<String>,
    /// What the network says of the caller's number.
    pub number_proof: Option<NumberProof>,
    /// Who that is; none while it is being looked up.
    pub identification: Option<Identification>,
    /// Which candidate was chosen: index in `identification.matches`.
    pub chosen: Option<usize>,
    /// Whether the agent said that it is nobody who is known.
    pub nobody: bool,
    /// What opened when it was answered.
    pub opens: Option<OnAnswer>,
    /// What is read to the caller, and the page that belongs to the call.
    pub script: Option<CallScript>,
    /// When it began, by the monotonic clock.
    pub started: Instant,
    /// When it began, by the wall clock.
    pub started_at: Timestamp,
    /// When it was answered.
    pub answered: Option<Instant>,
    /// When it ended.
    pub ended: Option<Instant>,
    /// Why it ended or what happens now, in plain words.
    pub status: String,
    /// Whether the microphone is muted.
    pub muted: bool,
    /// When the agent last talked while muted, since then.
    pub muted_talk: Option<Instant>,
    /// The recording, when there is one.
    pub recording: RecordingView,
    /// What is missing in it against the agent's will, in plain words.
    pub recording_loss: Option<String>,
    /// The codec, such as `opus`, once media is agreed.
    pub codec: Option<String>,
    /// How its sound is protected, once it is agreed.
    pub security: MediaSecurity,
    /// The figures, once measured.
    pub quality: Option<QualityView>,
    /// Why one side is not heard, where that is so.
    pub sound_faults: Vec<SoundFaultView>,
    /// The notes as far as the engine knows them.
    pub notes: String,
    /// Whether the row is safely on disk.
    pub durable: bool,
    /// Why it does not pop up, in plain words, where it does not.
    pub no_popup: Option<String>,
    /// Whether its far end and those of the others that are joined hear each other.
    pub joined: bool,
    /// Where it is being transferred to.
    pub transferring_to: Option<String>,
    /// Why the last transfer failed, in plain words.
    pub transfer_problem: Option<String>,
    /// The call that this one was made to announce.
    pub consult_for: Option<CallId>,
    /// Who sent it here.
    pub transferred_by: Option<String>,
    /// Outgoing: who answered in place of the one that was called, by the word of the account's own
    /// server.
    pub answered_by: Option<String>,
    /// The call that ends when this one is answered, as its far end asks (RFC 3891).
    pub takes_place_of: Option<CallId>,
    /// A wish of the far end that waits for the agent's yes.
    pub referral: Option<ReferralView>,
    /// Where the far end sent it before it was answered.
    pub redirected_to: Option<String>,
    /// The far end's wish to be called elsewhere, which waits for the agent's yes.
    pub redirection: Option<RedirectionView>,
}

impl CallView {
    /// Whether it rings here and waits for an answer.
    pub fn rings_here(&self) -> bool {
        self.stage == CallStage::Ringing && self.direction == CallDirection::Inbound
    }

    /// Whether the agent is told of it wherever they are.
    pub fn pops_up(&self) -> bool {
        self.rings_here() && self.no_popup.is_none()
    }
}

/// What belongs to a call by its queue, else by its account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallScript {
    /// What the agent says.
    pub text: Option<String>,
    /// A web page, by http or https alone.
    pub page: Option<String>,
}

/// The far end of a call that is being placed asks to be called elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectionView {
    /// The 3xx.
    pub status: u16,
    /// Whom to call first, as a person reads it.
    pub to: String,
    /// The exact URIs, in the order in which they are called until one answers.
    pub uris: Vec<String>,
    /// Why the agent should look twice.
    pub caution: Option<String>,
    /// When the question appeared; keys in its first 500 ms are ignored.
    pub asked: Instant,
}

/// The far end asks to be called elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferralView {
    /// Whom to call, as a person reads it.
    pub to: String,
    /// The exact URI.
    pub uri: String,
    /// Who asks; a claim.
    pub by: String,
    /// Whether that takes the place of a call of theirs.
    pub attended: bool,
    /// Why the agent should look twice.
    pub caution: Option<String>,
    /// When the question appeared; keys in its first 500 ms are ignored.
    pub asked: Instant,
}

/// A call's recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordingView {
    /// Not recording.
    Off,
    /// Both sides are being told of it; it begins after that.
    Announced,
    /// Recording into the file.
    On(String),
    /// Recording into the file, of which nothing is said or pressed goes there just now.
    Paused(String),
    /// There is a file, but it no longer grows.
    Done(String),
    /// It failed; what is wrong and what to do.
    Failed(String),
}

impl RecordingView {
    /// Whether there is a recording that goes on, paused or not.
    pub fn is_on(&self) -> bool {
        matches!(self, Self::On(_) | Self::Paused(_))
    }

    /// Whether there is one that goes on, or will once both sides know of it.
    pub fn is_wanted(&self) -> bool {
        self.is_on() || *self == Self::Announced
    }

    /// Its file, where there is one.
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::On(path) | Self::Paused(path) | Self::Done(path) => Some(path),
            Self::Off | Self::Announced | Self::Failed(_) => None,
        }
    }
}

/// A mean opinion score by the E-model (ITU-T G.107, G.107.1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MosView {
    /// 1.0, bad, to 4.5.
    pub mos: f32,
    /// Whether it is of the wideband scale.
    pub wideband: bool,
    /// Whether it is an estimate.
    pub estimate: bool,
}

/// Why one side of a call is not heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoundFaultView {
    /// A word for scripts, such as `nothing-received`.
    pub cause: &'static str,
    /// Whether it is the far end that is not heard here.
    pub incoming: bool,
    /// What is so.
    pub text: String,
    /// What to do.
    pub advice: String,
}

/// The measured quality of a call; `None` is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct QualityView {
    /// Loss of what we receive, 0.0 to 1.0.
    pub loss: Option<f32>,
    /// Jitter of what we receive, in milliseconds.
    pub jitter_millis: Option<f32>,
    /// Delay of the jitter buffer, in milliseconds.
    pub playout_millis: Option<f32>,
    /// Packets that came too late to be played.
    pub late: u64,
    /// Lost packets that redundancy brought back.
    pub recovered: u64,
    /// Those of them that DRED brought back.
    pub recovered_by_dred: u64,
    /// Sound that concealment made up, in milliseconds.
    pub concealed_millis: f32,
    /// Sound left out or repeated to follow the network's delay, in milliseconds.
    pub stretched_millis: f32,
    /// How often the speaker had nothing to play.
    pub speaker_dry: u32,
    /// Sound of both directions that this machine left out, in milliseconds.
    pub held_up_millis: f32,
    /// The score of what we hear.
    pub mos: Option<MosView>,
    /// Loss of what we send, as the far end reports it, 0.0 to 1.0.
    pub remote_loss: Option<f32>,
    /// Jitter of what we send, as the far end reports it, in milliseconds.
    pub remote_jitter_millis: Option<f32>,
    /// The score of what the far end hears, by its own measurement.
    pub remote_mos: Option<MosView>,
    /// Round-trip time in milliseconds.
    pub round_trip_millis: Option<f32>,
    /// The microphone's level, 0.0 to 1.0.
    pub level_out: f32,
    /// The far end's level, 0.0 to 1.0.
    pub level_in: f32,
}

/// The sound devices in use and to choose from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DevicesView {
    /// In use.
    pub microphone: String,
    /// In use.
    pub speaker: String,
    /// Why it is not what was chosen, and what to do.
    pub problem: Option<String>,
    /// What is wrong with the microphone in use, and what to do.
    pub microphone_problem: Option<String>,
    /// Why the hold music cannot be played, and what to do.
    pub hold_music_problem: Option<String>,
    /// Why the announcement of recordings cannot be played, and what to do; nothing is recorded then.
    pub announcement_problem: Option<String>,
    /// To choose from.
    pub microphones: Vec<String>,
    /// To choose from.
    pub speakers: Vec<String>,
}

impl DevicesView {
    /// What keeps the agent from being heard or from hearing.
    pub fn any_problem(&self) -> Option<&String> {
        self.problem.as_ref().or(self.microphone_problem.as_ref())
    }
}

/// A disk with little room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskView {
    /// Whether there is too little to write anything.
    pub full: bool,
    /// How much there is, and what to do.
    pub problem: String,
}

/// A link that was opened and waits for a yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialRequest {
    /// The link as it came, or what a program or a far end asks for.
    pub link: String,
    /// Who asks.
    pub asker: Asker,
    /// What would be dialled, or why nothing can be.
    pub preview: Result<DialPreview, String>,
    /// Who that is, once looked up.
    pub identification: Option<Identification>,
    /// When the question appeared; keys in its first 500 ms are ignored.
    pub asked: Instant,
}

/// What somebody wanted in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportedWhat {
    /// The SIP messages of a call.
    Ladder(CallId),
    /// Figures.
    Figures(FiguresTable),
    /// What was gathered for somebody who helps.
    SupportBundle,
}

/// What somebody wanted in a file, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportView {
    /// What.
    pub what: ExportedWhat,
    /// The file, or why there is none and what to do.
    pub outcome: Result<String, String>,
}

/// A text message (RFC 3428). It is a stranger's text: shown as it is, never as markup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextMessage {
    /// For `DismissMessage`.
    pub id: u64,
    /// When it came.
    pub at: Timestamp,
    /// For which account; none when it came straight to the phone.
    pub account: Option<AccountId>,
    /// Who wrote: a number or an address as a person reads it, judged as a caller's is.
    pub from: String,
    /// The name that goes with it; a claim unless the account's own server says so.
    pub from_name: Option<String>,
    /// What, at most 1,000 characters.
    pub text: String,
}

/// Something that went wrong, for the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// For `DismissNotice`.
    pub id: u64,
    /// When.
    pub at: Timestamp,
    /// What is wrong and what to do.
    pub text: String,
}
