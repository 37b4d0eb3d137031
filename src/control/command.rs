//! Everything that anybody can ask of the engine, whatever the way: window, pop-up, standard
//! input, a link.

use std::sync::Arc;

use crate::base::id::{AccountId, CallId, ContactId};
use crate::base::redact::Secret;
use crate::config::{Account, Settings};
use crate::control::colleague::PickupTarget;
use crate::control::player::PlayerWish;
use crate::control::record_change::RecordChange;
use crate::control::sound_check::SoundCheck;
use crate::control::support::SupportBundle;
use crate::crm::row::{AgentState, ContactRow, OrganizationRow, RoutingChange, Subject};

/// Whom to call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallTarget {
    /// What was typed or linked: a number, a name, a `sip:` or `tel:` URI.
    pub text: String,
    /// The account to use; none takes the first that can.
    pub account: Option<AccountId>,
}

/// Who wants a call to be placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// The person at the phone typed or chose it.
    Agent,
    /// The tester's own command line.
    CommandLine,
    /// A link in a page or a program.
    Link,
    /// A program, by the control interface.
    Script,
    /// A far end that transfers a call (REFER).
    Transfer,
    /// A far end that wants to be called elsewhere (3xx).
    Redirect,
}

impl Asker {
    /// Who that is, for a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::Agent => "you",
            Self::CommandLine => "the command line",
            Self::Link => "a link",
            Self::Script => "a program",
            Self::Transfer => "a transfer",
            Self::Redirect => "a redirection",
        }
    }
}

/// Who wants a call to go somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// Who.
    pub asker: Asker,
    /// Whether a person has already said yes to exactly this.
    pub confirmed: bool,
}

impl Wish {
    /// The person at the phone chose it.
    pub const AGENT: Self = Self {
        asker: Asker::Agent,
        confirmed: false,
    };
}

/// Where a call is transferred to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransferTo {
    /// A number or address: a blind transfer.
    Address(String),
    /// The far end of another call: an attended transfer.
    Call(CallId),
}

/// Which figures a table holds, from one moment to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FiguresTable {
    /// One line for each queue.
    Queues {
        /// From when on.
        since: jiff::Timestamp,
        /// Before when.
        until: jiff::Timestamp,
    },
    /// One line for each hour.
    Hours {
        /// From when on.
        since: jiff::Timestamp,
        /// Before when.
        until: jiff::Timestamp,
    },
}

/// A wish of a person or a script. The same command, whoever sends it.
#[derive(Debug, Clone)]
pub enum Command {
    /// Place a call that the agent wants.
    Call(CallTarget),
    /// Place a call that somebody else wants: costly ones are asked first, and all are counted.
    CallFor {
        /// Whom to call.
        target: CallTarget,
        /// Who wants it.
        asker: Asker,
        /// Whether a person has already said yes to exactly this.
        confirmed: bool,
    },
    /// Take a call that rings at a colleague's phone.
    Pickup(Box<PickupTarget>, Wish),
    /// A link was opened: ask before it is dialled (`Snapshot::dial_request`).
    RequestDial(String),
    /// The question of `RequestDial` is answered or closed.
    CloseDialRequest,
    /// Answer a ringing call; others are held first.
    Answer(CallId),
    /// Refuse a ringing call: 603.
    Decline(CallId),
    /// Refuse a ringing call as busy: 486.
    Busy(CallId),
    /// Refuse a ringing call with this final status, 300 to 699.
    Reject(CallId, u16),
    /// Send a ringing call elsewhere: 302 with this URI.
    Redirect(CallId, String, Wish),
    /// Let the far end of a call call somebody else instead.
    Transfer {
        /// The call.
        call: CallId,
        /// Where to.
        to: TransferTo,
        /// Who wants it.
        wish: Wish,
    },
    /// Call somebody to announce a call to, which waits on hold; `Transfer` joins the two.
    Consult {
        /// The call that waits.
        call: CallId,
        /// Whom to call.
        target: CallTarget,
        /// Who wants it.
        wish: Wish,
    },
    /// Let the far end transfer us, or not (`CallView::referral`).
    AnswerReferral(CallId, bool),
    /// Call where the far end wants to be called instead, or not (`CallView::redirection`).
    AnswerRedirection(CallId, bool),
    /// Let the far ends of two calls hear each other; a hold takes one out again.
    Join(CallId, CallId),
    /// Hold one call and go on with the other.
    Swap(CallId, CallId),
    /// End a call in whatever state.
    HangUp(CallId),
    /// Hold.
    Hold(CallId),
    /// Resume; others are held first.
    Resume(CallId),
    /// Silence the microphone, or not.
    Mute(CallId, bool),
    /// Send digits.
    Dtmf(CallId, String),
    /// Start or stop the recording.
    Record(CallId, bool),
    /// Keep what is said and pressed out of the recording, the events and the log, or go on.
    PauseRecording(CallId, bool),
    /// The whole text of the notes, as typed.
    Notes(CallId, String),
    /// Choose who the caller is.
    ChooseCaller(CallId, Option<Subject>),
    /// Show who was chosen as the caller in the records, by a process beside the phone.
    CallerChosen(CallId, Option<Subject>),
    /// Show the records as they are now: a process beside the phone changed some.
    RecordsChanged,
    /// Keep what the agent says of a call after its end.
    WrapUp(CallId, WrapUpWish),
    /// Open the page that belongs to a call in the browser.
    OpenPage(CallId),
    /// Take an ended call off the screen.
    Dismiss(CallId),
    /// Write the SIP messages of a call to a capture file for Wireshark. A relative name lies in
    /// `Snapshot::export_dir`; what is there already stays, and the new file gets a number.
    ExportLadder(CallId, String),
    /// Write what happened in some time to a table (CSV), as [`ExportLadder`](Self::ExportLadder) writes
    /// a capture.
    ExportFigures(FiguresTable, String),
    /// Gather what somebody needs who helps from afar, with the names and numbers of people at full length or
    /// not; `Snapshot::support` shows it.
    GatherSupport(bool),
    /// It is gathered.
    SupportGathered(Arc<SupportBundle>),
    /// Write what was gathered to a file, as [`ExportLadder`](Self::ExportLadder) writes a capture.
    SaveSupport(String),
    /// Forget what was gathered.
    DropSupport,
    /// Mark a call as done, or as to be called back.
    MarkDone(CallId, bool),
    /// Save a contact (id 0 creates it); earlier calls are linked.
    SaveContact(ContactRow),
    /// Delete a contact.
    DeleteContact(ContactId),
    /// Save an organization (id 0 creates it).
    SaveOrganization(OrganizationRow),
    /// Change tickets, tasks, notes, organizations, call types, or take a step back.
    ChangeRecords(RecordChange),
    /// Add an account (`None`) or change one; an absent password keeps the old one.
    SaveAccount {
        /// Which; none adds one.
        id: Option<AccountId>,
        /// The account.
        account: Box<Account>,
        /// The new password.
        password: Option<Secret>,
        /// That of its TURN server.
        turn_password: Option<Secret>,
        /// Whether a file readable only by the user may hold the password when the system has no
        /// keyring.
        password_file_consent: bool,
    },
    /// Try an account before it is kept (`Snapshot::trial`).
    TryAccount {
        /// The account; with the transport `auto` the encrypted ways come first.
        account: Box<Account>,
        /// Its password.
        password: Option<Secret>,
    },
    /// Forget the account that was tried.
    DropTrial,
    /// Read settings of an administrator from a file or an `https:` address (`Snapshot::provisioning`).
    FetchProvisioning(String),
    /// Apply them.
    ApplyProvisioning,
    /// Forget them.
    DropProvisioning,
    /// Remove an account and its password.
    RemoveAccount(AccountId),
    /// Change one rule of an account, of all accounts (and of direct calls) when none is named.
    SetRule(Option<AccountId>, Rule, Wish),
    /// Say what the agent does, and why where it is a break.
    SetAgentState(AgentState, String),
    /// Let calls pop up, or not: the agent's own switch.
    SetPopups(bool),
    /// Change who is told of calls: agents, queues, holidays, the block list.
    ChangeRouting(Box<RoutingChange>),
    /// Register again now.
    RegisterNow(AccountId),
    /// Change the settings.
    SaveSettings(Box<Settings>),
    /// Use the lab that was started: its account lives as long as the phone runs.
    UseLab {
        /// The account.
        account: Box<Account>,
        /// Its password.
        password: Secret,
    },
    /// Show a notice.
    Notice(String),
    /// Show the window.
    Raise,
    /// The machine is about to sleep: registrations are given up, so that callers go elsewhere.
    FallAsleep,
    /// It woke: what was given up comes back.
    WakeUp,
    /// Start the lab on loopback, add its account and the demo contacts.
    StartLab,
    /// Let one of the lab's callers call.
    LabCall(LabCaller),
    /// Look for sound devices again.
    RefreshDevices,
    /// Begin a test of the sound devices in place of the one that goes on; none ends it.
    CheckSound(Option<SoundCheck>),
    /// Show, play or leave a recording.
    Player(PlayerWish),
    /// Take a notice off the screen.
    DismissNotice(u64),
    /// Take a text message off the screen.
    DismissMessage(u64),
    /// Hang up, un-register and end.
    Quit,
}

/// A rule that agents and scripts change from one call to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// Whether calls are refused unheard.
    DoNotDisturb(bool),
    /// Where each call is sent; empty for nowhere.
    ForwardAlways(String),
    /// Where a call is sent when the line is busy; empty for nowhere.
    ForwardBusy(String),
    /// Where a call is sent that nobody answers; empty for nowhere.
    ForwardNoAnswer(String),
}

/// Who calls from the lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabCaller {
    /// A demo contact's number.
    Known,
    /// A number that nobody has.
    Unknown,
    /// A number of which only the last digits agree with a contact's.
    Maybe,
}

/// What the agent says of a call after its end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WrapUpWish {
    /// The notes, the whole text; none leaves them as they are.
    pub notes: Option<String>,
    /// What it was about: the name of a call type.
    pub call_type: Option<String>,
    /// Whether the drafted ticket becomes one.
    pub keep_ticket: bool,
    /// What is to do next, in a line.
    pub follow_up: Option<String>,
    /// When that is due.
    pub due: Option<jiff::Timestamp>,
}
