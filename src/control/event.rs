//! Edges: what happened, once, in order. State is in the snapshot.

use std::path::PathBuf;
use std::time::Duration;

use crate::base::id::{AccountId, CallId};
use crate::config::call_rules::CallRules;
use crate::control::colleague::{ColleagueView, MailboxView};
use crate::control::command::LabCaller;
use crate::control::media_security::MediaSecurity;
use crate::control::snapshot::CallScript;
use crate::crm::row::{
    CallDirection, CallQuality, CallState, Match, NumberProof, OnAnswer, PopupDecision, Presence,
};

/// What each event of a call carries.
#[derive(Debug, Clone, PartialEq)]
pub struct CallContext {
    /// The call.
    pub call: CallId,
    /// Who started it.
    pub direction: CallDirection,
    /// The caller's address.
    pub from: String,
    /// The called address.
    pub to: String,
    /// The best match, if any.
    pub contact: Option<Match>,
    /// For whom the call was before, the last one first.
    pub via: Vec<String>,
    /// The queue that it is for, by the numbers of the queues.
    pub queue: Option<String>,
    /// What the network says of the caller's number.
    pub number_proof: Option<NumberProof>,
}

/// What becomes of a far end's wish to send a call elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferralDecision {
    /// It is refused.
    Refused,
    /// Somebody is asked.
    Asked,
    /// It is followed.
    Followed,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// An account is registered.
    Registered {
        /// Which.
        account: AccountId,
        /// Its address.
        address: String,
        /// For how long.
        expires: Duration,
    },
    /// An account registers again, because something happened.
    Registering {
        /// Which.
        account: AccountId,
        /// Its address.
        address: String,
        /// What happened.
        reason: String,
    },
    /// A registration failed or ended.
    RegistrationFailed {
        /// Which.
        account: AccountId,
        /// Its address.
        address: String,
        /// The registrar's status, when it answered.
        status: Option<u16>,
        /// What is wrong and what to do.
        reason: String,
        /// When it is tried again.
        retry_in: Option<Duration>,
    },
    /// An account's registration was removed on request.
    Unregistered {
        /// Which.
        account: AccountId,
        /// Its address.
        address: String,
    },
    /// A call came in; its row is on disk unless `durable` is false.
    Incoming {
        /// The call.
        call: CallContext,
        /// Whether the row is on disk.
        durable: bool,
        /// The country of the caller's number, as far as it tells.
        country: Option<String>,
        /// Why nobody is known for it, in plain words, where that is so.
        no_match: Option<String>,
    },
    /// A call is being placed; its row is on disk unless `durable` is false.
    Outgoing {
        /// The call.
        call: CallContext,
        /// Whether the row is on disk.
        durable: bool,
        /// The exact URI.
        uri: String,
    },
    /// It rings, here or there.
    Ringing {
        /// The call.
        call: CallContext,
        /// The provisional status.
        status: u16,
    },
    /// It was answered.
    Answered {
        /// The call.
        call: CallContext,
        /// The header field by whose wish it was answered without a person.
        by_wish: Option<&'static str>,
        /// Outgoing: who answered in place of the one that was called, by the word of the account's
        /// own server.
        answered_by: Option<String>,
        /// Whether the row says so on disk.
        durable: bool,
    },
    /// It was answered, and this should open.
    Opens {
        /// The call.
        call: CallContext,
        /// What.
        opens: OnAnswer,
        /// What is read to the caller, and the page that belongs to the call.
        script: Option<CallScript>,
    },
    /// What the agent said of a call is on disk.
    WrappedUp {
        /// The call.
        call: CallId,
    },
    /// One side holds.
    Held {
        /// The call.
        call: CallContext,
        /// Whether the far end holds.
        by_remote: bool,
        /// Whether the row says so on disk.
        durable: bool,
    },
    /// Both sides talk again.
    Resumed {
        /// The call.
        call: CallContext,
        /// Whether the row says so on disk.
        durable: bool,
    },
    /// A digit arrived.
    Dtmf {
        /// The call.
        call: CallContext,
        /// The digit.
        digit: char,
    },
    /// A transfer that our side asked for is over.
    Transferred {
        /// The call.
        call: CallContext,
        /// Where to.
        to: String,
        /// Whether another call of ours was joined.
        attended: bool,
        /// 2xx when it succeeded (202: the far end took it up and says no more), else why not.
        status: u16,
        /// In plain words.
        reason: String,
    },
    /// The far end asks this phone to call somebody else instead.
    TransferRequested {
        /// The call.
        call: CallContext,
        /// Whom to call.
        to: String,
        /// Who asks; a claim.
        by: Option<String>,
        /// Whether another call of theirs is joined.
        attended: bool,
        /// What becomes of it.
        decision: ReferralDecision,
    },
    /// The far end of a call that this phone makes asks to be called elsewhere (3xx).
    RedirectRequested {
        /// The call.
        call: CallContext,
        /// The URIs, the best first.
        to: Vec<String>,
        /// The 3xx.
        status: u16,
        /// What becomes of it.
        decision: ReferralDecision,
    },
    /// A call goes elsewhere, as its far end asked.
    Redirected {
        /// The call.
        call: CallContext,
        /// Where to: a number, or a SIP address.
        to: String,
    },
    /// The far ends of these calls hear each other; of none, when a conference is over.
    Conference {
        /// The calls, two and more, or none.
        calls: Vec<CallId>,
    },
    /// Media was agreed or changed.
    Media {
        /// The call.
        call: CallContext,
        /// The codec.
        codec: String,
        /// Our RTP address.
        local: String,
        /// The far end's RTP address.
        remote: Option<String>,
        /// How it is protected.
        security: MediaSecurity,
        /// The crypto suite, where it is encrypted and known already.
        suite: Option<&'static str>,
    },
    /// A handshake gave the keys of a call's sound, which flows from now on.
    Secured {
        /// The call.
        call: CallContext,
        /// How it is protected.
        security: MediaSecurity,
        /// The crypto suite.
        suite: &'static str,
    },
    /// The way that the sound takes was chosen (ICE).
    Path {
        /// The call.
        call: CallContext,
        /// Our RTP address, as the far end sees it.
        local: String,
        /// The far end's RTP address.
        remote: String,
    },
    /// The network changed: our RTP address is another now, and the far end is being told.
    Moved {
        /// The call.
        call: CallContext,
        /// Our RTP address.
        local: String,
    },
    /// A second's figures.
    Quality {
        /// The call.
        call: CallContext,
        /// The figures.
        figures: super::QualityView,
        /// Packets received so far.
        received: u64,
        /// Packets sent so far.
        sent: u64,
        /// Datagrams that came so far and were of no use, for each reason that there was.
        dropped: Vec<(&'static str, u64)>,
    },
    /// Why one side of a call is not heard, or that it is over.
    SoundFault {
        /// The call.
        call: CallContext,
        /// Why.
        fault: super::SoundFaultView,
        /// Whether it is over.
        over: bool,
    },
    /// The microphone gives nothing, or something again.
    Microphone {
        /// `silent` (frames with nothing in them), `stopped` (no frames) or `back`.
        state: &'static str,
        /// What is wrong and what to do, unless it is back.
        problem: Option<String>,
    },
    /// The agent talks and is muted; at most once in ten seconds.
    MutedTalk {
        /// The call.
        call: CallContext,
    },
    /// A recording started, stopped or failed, or a part of it is lost.
    Recording {
        /// The call.
        call: CallContext,
        /// `announced`, `started`, `paused`, `resumed`, `stopped` or `failed`; `lagging` while the disk does not
        /// keep up and nothing is recorded, and `incomplete` once it does.
        state: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong, when it failed or has a hole.
        problem: Option<String>,
    },
    /// The call is over; its row says so on disk unless `durable` is false. Once our side hangs up
    /// that is at once, with the moment that counts for people and bills: a far end that is gone
    /// would hold up scripts for 32 s. That it never confirmed the end is told by an `Error`.
    Ended {
        /// The call.
        call: CallContext,
        /// The outcome.
        state: CallState,
        /// The final SIP status.
        status: u16,
        /// Why, in plain words.
        reason: String,
        /// From the start to the answer or the end.
        waiting: Duration,
        /// From the answer to the end.
        talking: Option<Duration>,
        /// What was measured of its sound; none without any.
        quality: Option<CallQuality>,
        /// Whether the row is on disk.
        durable: bool,
    },
    /// Nobody here answered a call in time; told before its end.
    Missed {
        /// The call.
        call: CallContext,
        /// Whether it popped up.
        popped_up: bool,
    },
    /// It was decided whether a call pops up; told where something is set up or in the way.
    Popup {
        /// The call.
        call: CallContext,
        /// To whom, or why to nobody.
        decision: Box<PopupDecision>,
        /// Whether that is on disk.
        durable: bool,
    },
    /// The agent does something else, or switched pop-ups on or off.
    AgentState {
        /// What the agent does.
        presence: Presence,
        /// Whether calls may pop up, by the agent's own switch.
        popups: bool,
        /// Whether the state is on disk.
        durable: bool,
    },
    /// The rules of an account changed, or of direct calls.
    Rules {
        /// Whose; none for direct calls.
        address: Option<String>,
        /// The rules as they are now.
        rules: Box<CallRules>,
    },
    /// A text message arrived.
    Message {
        /// Who wrote.
        from: String,
        /// The text.
        text: String,
    },
    /// What waits in a mailbox changed.
    MessageWaiting(Box<MailboxView>),
    /// What is known of a watched colleague changed.
    Watched(Box<ColleagueView>),
    /// A call could not be begun; no row was written.
    CallRefused {
        /// What was asked for.
        target: String,
        /// What is wrong and what to do.
        text: String,
    },
    /// The agent wants to try the phone without a PBX.
    LabWanted,
    /// Somebody who helps needs to know of the phone: with people's names and numbers at full length, or not.
    SupportWanted {
        /// At full length.
        people: bool,
    },
    /// One of the lab's callers shall call.
    LabCallWanted(LabCaller),
    /// A command could not be carried out, or something broke.
    Error {
        /// The call, when it is about one.
        call: Option<CallId>,
        /// What is wrong and what to do.
        text: String,
    },
    /// The receiver was too slow: so many events are missing; the snapshot is complete.
    Lagged {
        /// How many.
        missing: u64,
    },
}

impl Event {
    /// Says whether the row of an event is on disk that waited for it; gives the call that it is of.
    pub fn say_durable(&mut self, is_so: bool) -> Option<CallId> {
        match self {
            Self::Answered { call, durable, .. }
            | Self::Held { call, durable, .. }
            | Self::Resumed { call, durable }
            | Self::Popup { call, durable, .. } => {
                *durable = is_so;
                Some(call.call)
            }
            Self::AgentState { durable, .. } => {
                *durable = is_so;
                None
            }
            // The others tell of no row, or were held back until theirs was answered.
            _ => None,
        }
    }
}
