//! What the user agent tells its owner.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::base::flow::Transport;
use crate::base::id::AccountId;
use crate::base::redact::WireMessage;
use crate::base::uri::Uri;
use crate::sip::caller::Caller;
use crate::sip::subscription::{NotifierId, SubscriptionId, SubscriptionState, UnsolicitedNews};

/// Names one call of the SIP layer (an INVITE and all dialogs that it makes) while it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub u64);

/// A message body; the SIP layer never looks into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// The Content-Type, such as `application/sdp`.
    pub content_type: String,
    /// The octets.
    pub bytes: Vec<u8>,
}

impl Body {
    /// Wraps a session description.
    pub fn sdp(text: impl Into<Vec<u8>>) -> Self {
        Self {
            content_type: "application/sdp".to_owned(),
            bytes: text.into(),
        }
    }
}

/// An address with its display name, as From, To or P-Asserted-Identity carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameAddr {
    /// The display name, unquoted.
    pub display_name: Option<String>,
    /// The URI.
    pub uri: Uri,
}

/// A final answer or the reason for an end, in SIP's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The status code, 100 to 699.
    pub code: u16,
    /// The reason phrase as received or sent.
    pub phrase: String,
}

impl Status {
    /// Makes a status.
    pub fn new(code: u16, phrase: impl Into<String>) -> Self {
        Self {
            code,
            phrase: phrase.into(),
        }
    }
}

/// Where a registration stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistrationState {
    /// The account does not register.
    Off,
    /// A REGISTER is on its way.
    Registering {
        /// Why once more, where something happened, such as "the network changed".
        why: Option<&'static str>,
    },
    /// The registrar accepted.
    Registered {
        /// How long the binding lives.
        expires: Duration,
    },
    /// It failed; a new attempt follows after `retry_in`, or none when that is `None`.
    Failed {
        /// The registrar's answer, when it gave one.
        status: Option<Status>,
        /// What is wrong and what to do, for a person.
        reason: String,
        /// When it will be tried again.
        retry_in: Option<Duration>,
    },
    /// The binding was removed on request.
    Unregistered,
}

/// An INVITE that starts a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncomingCall {
    /// The call.
    pub session: SessionId,
    /// The account whose Contact was called; none for direct calls.
    pub account: Option<AccountId>,
    /// Who calls, by From.
    pub from: NameAddr,
    /// Who is called, by To.
    pub to: NameAddr,
    /// The Request-URI.
    pub request_uri: Uri,
    /// The SIP Call-ID, for the ladder.
    pub sip_call_id: String,
    /// Where the request came from.
    pub source: SocketAddr,
    /// By which transport.
    pub transport: Transport,
    /// The local address towards the caller, for the session description.
    pub local_ip: std::net::IpAddr,
    /// The offer; none asks us to offer (late offer).
    pub offer: Option<Body>,
    /// What else is said of the caller and of the call's way here.
    pub caller: Caller,
    /// The call whose place this one takes when it is accepted (RFC 3891); it really exists, and it
    /// ends by itself then.
    pub replaces: Option<SessionId>,
    /// Who asked for this call, as the caller says (RFC 3892).
    pub referred_by: Option<NameAddr>,
    /// Other header fields (name, value) in order, for header-driven features.
    pub headers: Vec<(String, String)>,
}

/// A call to be made.
#[derive(Debug, Clone, Copy)]
pub struct OutgoingCall<'a> {
    /// Whose call it is; none goes straight to the target.
    pub account: Option<AccountId>,
    /// The exact URI.
    pub target: &'a Uri,
    /// Further header fields (name, value).
    pub headers: &'a [(String, String)],
    /// Whether it is a call for help: no limit of calls keeps it from being made, and no ring limit
    /// ends it, as it may wait in a queue with an announcement.
    pub urgent: bool,
}

/// What P-Early-Media (RFC 5009) says of the sound before the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EarlyMedia {
    /// Nothing, as most phones and gateways do.
    #[default]
    Unsaid,
    /// It is let through.
    Allowed,
    /// It is held back: the caller's phone makes its own tone.
    Withheld,
}

/// Who or what ended a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedBy {
    /// Our side hung up, cancelled or refused.
    Local,
    /// The far end hung up, cancelled or refused.
    Remote,
    /// The ring limit passed.
    RingLimit,
    /// The peer did not answer in time, or the transport failed.
    Unreachable,
    /// Another call took its place (RFC 3891).
    Replaced,
}

/// Whom the far end shall call instead of talking with us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReferTarget {
    /// An address: a blind transfer.
    Uri(Uri),
    /// The far end of another call of ours, whose place it takes: an attended transfer.
    Call(SessionId),
}

/// The far end of a call asks us to call somebody else (REFER).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referral {
    /// The call.
    pub session: SessionId,
    /// Whom to call.
    pub target: Uri,
    /// Whether that takes the place of a call of theirs (an attended transfer).
    pub replaces: bool,
    /// Who asks, as the far end says (RFC 3892).
    pub referred_by: Option<NameAddr>,
}

/// What happened, for the owner of the endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SipEvent {
    /// A registration changed its state.
    Registration {
        /// Whose.
        account: AccountId,
        /// The new state.
        state: RegistrationState,
    },
    /// Somebody calls; 100 is already sent, nothing else. The owner rings, answers or rejects.
    Incoming(Box<IncomingCall>),
    /// The target of an outgoing call is resolved: give the offer by `Endpoint::offer`.
    OfferNeeded {
        /// The call.
        session: SessionId,
        /// The local address towards the target, for the session description.
        local_ip: std::net::IpAddr,
    },
    /// An outgoing call moved: 180, 183 and so on; `body` may be an early answer.
    Progress {
        /// The call.
        session: SessionId,
        /// Which of the phones that ring at once, by its tag.
        fork: String,
        /// The provisional status.
        status: Status,
        /// An answer, when it carried one that counts.
        body: Option<Body>,
        /// Whether the network lets its sound through.
        early_media: EarlyMedia,
    },
    /// An outgoing call was answered; the ACK is already sent.
    Answered {
        /// The call.
        session: SessionId,
        /// Which of the phones that rang at once, by its tag.
        fork: String,
        /// The answer to our offer.
        body: Option<Body>,
        /// Who that is, as the account's own server asserts (RFC 3325).
        answered_by: Option<NameAddr>,
    },
    /// Our 2xx to an incoming call was acknowledged.
    Confirmed {
        /// The call.
        session: SessionId,
        /// The answer, when our 2xx carried an offer (late offer).
        body: Option<Body>,
    },
    /// The far end offers a change, by re-INVITE, UPDATE or PRACK: answer with `answer_reinvite`.
    Reinvite {
        /// The call.
        session: SessionId,
        /// Which of the phones that ring at once, by its tag.
        fork: String,
        /// The offer; none asks us to offer.
        offer: Option<Body>,
    },
    /// The answer to an offer that we made in a response: in the ACK of a re-INVITE, or in the
    /// PRACK of a provisional answer.
    ReinviteConfirmed {
        /// The call.
        session: SessionId,
        /// The answer.
        body: Option<Body>,
    },
    /// Our re-INVITE was answered; glare (491) was already retried by the endpoint.
    ReinviteAnswered {
        /// The call.
        session: SessionId,
        /// The final status; from 300 the old media stays.
        status: Status,
        /// The answer of a 2xx.
        body: Option<Body>,
    },
    /// Our offer was taken back because the far end's came first; ask again after
    /// `ChangePossible`.
    ChangeDeferred {
        /// The call.
        session: SessionId,
    },
    /// An offer that was refused or deferred because another one was open may be made now.
    ChangePossible {
        /// The call.
        session: SessionId,
    },
    /// What became of a transfer that we asked for.
    Transfer {
        /// The call.
        session: SessionId,
        /// How it goes: 202 once the far end takes it up, 180 while it rings there, 200 when it was
        /// answered, anything from 300 when it failed.
        status: Status,
        /// Whether this is the last word.
        done: bool,
    },
    /// The far end asks to be transferred: answer by `Endpoint::answer_referral` at once.
    Referral(Box<Referral>),
    /// The far end no longer waits for a decision about its `Referral`.
    ReferralOver {
        /// The call.
        session: SessionId,
    },
    /// The way to the far end of a call begins at another address of ours now: bind media there
    /// and offer it by `reinvite`, which tells the new Contact too.
    Moved {
        /// The call.
        session: SessionId,
        /// Our address.
        local_ip: std::net::IpAddr,
    },
    /// A DTMF digit came by INFO (`application/dtmf-relay` or `application/dtmf`).
    InfoDigit {
        /// The call.
        session: SessionId,
        /// `0`–`9`, `*`, `#`, `A`–`D`.
        digit: char,
    },
    /// The far end takes no INFO; what waited was dropped.
    InformationRefused {
        /// The call.
        session: SessionId,
        /// Its answer.
        status: Status,
    },
    /// A realm offered SHA-256 or better for the first time: to be kept with the account.
    StrongRealm {
        /// Whose.
        account: AccountId,
        /// The realm.
        realm: String,
    },
    /// The far end of a call that we make asks to be called elsewhere (300, 301, 302): answer by
    /// `Endpoint::follow_redirection` or `Endpoint::decline_redirection`. Without either the call
    /// ends with the 3xx after its ring limit.
    Redirected {
        /// The call.
        session: SessionId,
        /// The 3xx.
        status: Status,
        /// Where to, the best first: `sip:`, `sips:` or `tel:`, at most ten, none called before.
        targets: Vec<Uri>,
    },
    /// One of the targets that the owner said yes to is being called; `OfferNeeded` follows.
    Redirecting {
        /// The call.
        session: SessionId,
        /// Whom it goes to.
        target: Uri,
    },
    /// A redirection, or one of its targets, was not followed; what comes next is told too.
    NotFollowed {
        /// The call.
        session: SessionId,
        /// Why, and what to do.
        why: String,
    },
    /// A call's challenge was not answered; its end follows.
    CredentialsKept {
        /// The call.
        session: SessionId,
        /// Why, and what to do.
        why: String,
    },
    /// A MESSAGE (RFC 3428) arrived and was accepted.
    Message {
        /// The account that it is for; none came straight to the phone.
        account: Option<AccountId>,
        /// Who wrote, by From.
        from: NameAddr,
        /// What else is said of who wrote, as of a caller.
        caller: Box<Caller>,
        /// The text body.
        body: Body,
    },
    /// A subscription changed its state.
    Subscription {
        /// Which.
        subscription: SubscriptionId,
        /// The new state.
        state: SubscriptionState,
    },
    /// A NOTIFY of a subscription arrived and was accepted.
    News {
        /// Which.
        subscription: SubscriptionId,
        /// Who tells: a forked subscription has several notifiers, each with its own versions.
        notifier: NotifierId,
        /// The news; a NOTIFY without a body says only that the subscription lives.
        body: Option<Body>,
    },
    /// A notifier of a subscription is gone, and what it told with it.
    NotifierGone {
        /// Which.
        subscription: SubscriptionId,
        /// The notifier.
        notifier: NotifierId,
    },
    /// News came that nobody subscribed to.
    UnsolicitedNews(Box<UnsolicitedNews>),
    /// The call is over; the session id will not be seen again.
    Ended {
        /// The call.
        session: SessionId,
        /// Who ended it.
        by: EndedBy,
        /// The final answer to the INVITE if it was never accepted, 200 after a BYE, 487 after a
        /// CANCEL, 408 or 503 where nobody answered.
        status: Status,
        /// The value of a Reason header field (RFC 3326), when there was one.
        reason: Option<String>,
    },
    /// One message went over the wire, for the ladder.
    Trace {
        /// When.
        at: Instant,
        /// Whether we sent it.
        sent: bool,
        /// By which transport.
        transport: Transport,
        /// Our end, as far as it is known: not for datagrams that we send.
        local: Option<SocketAddr>,
        /// The far end.
        remote: SocketAddr,
        /// The message; it shows itself only redacted.
        message: WireMessage,
    },
}

/// Why a command to the endpoint was refused; each is the caller's or the user's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SipError {
    /// The session is over or never was.
    #[error("the call is already over")]
    NoSuchSession,
    /// The session is in a state in which that cannot be done.
    #[error("that is not possible while the call is {0}")]
    WrongState(&'static str),
    /// A limit was reached.
    #[error("the phone already handles {0}, which is its limit")]
    Limit(&'static str),
    /// The target cannot be called by SIP.
    #[error("the address {0} cannot be called: it must begin with sip: or sips:")]
    BadTarget(String),
    /// A `sips:` address, and the account's way is in the clear.
    #[error(
        "the address {0} demands an encrypted way, and this account uses none; set its transport to TLS or WSS"
    )]
    NotEncrypted(String),
}
