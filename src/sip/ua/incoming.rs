//! Requests from the network: the checks of RFC 3261 section 8.2 and the answers that need no
//! call.

use std::net::IpAddr;
use std::time::Instant;

use sha2::Digest as _;

use super::acceptance::Called;
use super::session::Session;
use super::{ALLOW, OPTION_TAGS, SUPPORTED};
use crate::base::flow::Transport;
use crate::base::id::AccountId;
use crate::sip::caller::Caller;
use crate::sip::connection::{Flow, response_flow};
use crate::sip::endpoint::Endpoint;
use crate::sip::event::{SipEvent, Status};
use crate::sip::message::{Message, Method};
use crate::sip::parse::{self, Unreadable};
use crate::sip::refusals::Why;
use crate::sip::route;
use crate::sip::transaction::{Incoming, ServerKey, Standing, TransactionId};

/// The body type of calls.
const SDP: &str = "application/sdp";
/// The body types of requests that a call is made of.
const ACCEPT: &str = "application/sdp, multipart/mixed";
/// The body types of messages.
const TEXT: &str = "text/plain, text/*, message/cpim, multipart/*";

/// How a message arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// The flow that it came by.
    pub(crate) flow: Flow,
    /// Our address on that flow.
    pub(crate) local_ip: IpAddr,
    /// How many octets it had.
    pub(crate) size: usize,
}

impl Endpoint {
    /// Takes a request that is well-formed.
    pub(crate) fn handle_request(&mut self, now: Instant, arrival: &Arrival, mut request: Message) {
        let flow = response_flow(&mut request, &arrival.flow);
        let (Some(key), Some(method)) = (ServerKey::of(&request), request.method().cloned()) else {
            self.discard(flow.remote().ip(), "request");
            return;
        };
        let mut outcomes = Vec::new();
        let incoming = self
            .transactions
            .handle_request(&key, &request, &mut outcomes);
        self.apply(now, outcomes, None);
        match incoming {
            Incoming::Known => return,
            Incoming::New => {}
        }
        if method == Method::Ack {
            self.ack_arrived(now, &request);
            return;
        }
        if method == Method::Register && self.came_back(&request) {
            let transaction =
                self.transactions
                    .start_server(key, request.clone(), flow, Standing::Peer);
            self.answer_plainly(now, transaction, 482);
            return;
        }
        let standing = self.standing(&arrival.flow, &request, &key);
        let called = self.called(arrival, &request);
        if standing == Standing::Stranger && called == Called::Nobody {
            self.refuse_stranger(now, arrival, &flow, &request);
            return;
        }
        if !self.transactions.has_room(flow.remote().ip(), standing) {
            self.refusals.count(flow.remote().ip(), Why::TooBusy);
            let mut busy = Self::stateless_response(&request, 503, phrase(503));
            busy.headers.push("Retry-After", "10");
            // Whoever comes so far knows us: a short request must not end in silence.
            self.send(now, &flow, busy.to_bytes());
            return;
        }
        // What belongs to a call is the call's, whoever is called.
        let called = if request.to_tag().is_empty() && method != Method::Cancel {
            called
        } else {
            Called::Direct
        };
        if method == Method::Cancel {
            let invite = self.transactions.server(&key.clone().invite_of_cancel());
            let transaction = self
                .transactions
                .start_server(key, request.clone(), flow, standing);
            match invite {
                Some(invite) => {
                    self.answer_cancel(now, transaction, invite, &request);
                    self.call_cancelled(now, invite, &request);
                }
                None => self.answer_plainly(now, transaction, 481),
            }
            return;
        }
        let merged = request.to_tag().is_empty() && self.transactions.is_merged(&request);
        let transaction = self
            .transactions
            .start_server(key, request.clone(), flow, standing);
        let checked = check(&request, merged)
            .and_then(|()| self.check_way(arrival.flow.transport(), &request, called));
        if let Err(refusal) = checked {
            self.answer_refusal(now, transaction, refusal);
            return;
        }
        if method == Method::Notify {
            self.notify_arrived(now, arrival, transaction, &request);
        } else if request.to_tag().is_empty() {
            self.handle_out_of_dialog(now, arrival, transaction, &request, called);
        } else {
            self.handle_in_dialog(now, transaction, &request);
        }
    }

    /// Refuses a request that is malformed, without keeping a transaction.
    pub(crate) fn refuse_unreadable(
        &mut self,
        now: Instant,
        arrival: &Arrival,
        request: &Message,
        code: u16,
        what: &'static str,
    ) {
        let (whole, phrase) = if code == 400 {
            (what, format!("Bad {what}"))
        } else {
            ("version", what.to_owned())
        };
        self.refuse_malformed(now, arrival, request, whole, &Status::new(code, phrase));
    }

    /// Refuses what broke a stream, as far as its head can be read.
    pub(crate) fn refuse_broken(
        &mut self,
        now: Instant,
        arrival: &Arrival,
        head: &[u8],
        code: u16,
        phrase: &'static str,
    ) {
        self.border.trace(now, false, &arrival.flow, None, head);
        let request = match parse::message(head) {
            Ok(message) => Some(message),
            Err(Unreadable::Answer { request, .. }) => Some(*request),
            Err(Unreadable::Discard(_)) => None,
        };
        let answered = request.filter(|it| it.method().is_some_and(|it| *it != Method::Ack));
        match answered {
            Some(request) => {
                let status = Status::new(code, phrase);
                self.refuse_malformed(now, arrival, &request, phrase, &status);
            }
            None => self.discard(arrival.flow.remote().ip(), phrase),
        }
    }

    /// Answers with a status alone.
    pub(crate) fn answer_plainly(&mut self, now: Instant, transaction: TransactionId, code: u16) {
        if let Some(mut response) = self.plain_response(transaction, code) {
            if code == 405 || code == 501 {
                response.headers.push("Allow", ALLOW);
            }
            self.respond(now, transaction, response);
        }
    }

    /// Answers that the request came at the wrong moment; 500 says when to come back (RFC 3261
    /// section 14.2).
    pub(crate) fn answer_later(&mut self, now: Instant, transaction: TransactionId, code: u16) {
        let seconds = self.random.next_u32() % 11;
        if let Some(mut response) = self.plain_response(transaction, code) {
            if code == 500 {
                response.headers.push("Retry-After", seconds.to_string());
            }
            self.respond(now, transaction, response);
        }
    }

    /// Answers that a body's type is not understood.
    pub(crate) fn answer_unsupported_media(
        &mut self,
        now: Instant,
        transaction: TransactionId,
        accept: &str,
    ) {
        self.answer_refusal(now, transaction, Refusal::with(415, "Accept", accept));
    }

    /// Refuses an option tag: 420 where it is not wanted, 421 where it is missing (sections 21.4.15
    /// and 21.4.16).
    pub(crate) fn answer_extension(
        &mut self,
        now: Instant,
        transaction: TransactionId,
        code: u16,
        tag: &str,
    ) {
        let name = if code == 420 {
            "Unsupported"
        } else {
            "Require"
        };
        self.answer_refusal(now, transaction, Refusal::with(code, name, tag));
    }

    /// Refuses a session interval that is too short (RFC 4028 section 9).
    pub(crate) fn answer_interval(&mut self, now: Instant, transaction: TransactionId) {
        let least = super::session_timer::MIN_SE.to_string();
        self.answer_refusal(now, transaction, Refusal::with(422, "Min-SE", &least));
    }

    /// Answers OPTIONS with what we can do (section 11.2).
    pub(crate) fn answer_options(&mut self, now: Instant, transaction: TransactionId) {
        if let Some(mut response) = self.plain_response(transaction, 200) {
            let headers = &mut response.headers;
            headers.push("Allow", ALLOW);
            headers.push("Accept", ACCEPT);
            headers.push("Accept-Encoding", "identity");
            headers.push("Accept-Language", "en");
            headers.push("Supported", SUPPORTED);
            self.respond(now, transaction, response);
        }
    }

    /// Takes a MESSAGE (RFC 3428).
    pub(crate) fn message_arrived(
        &mut self,
        now: Instant,
        transaction: TransactionId,
        request: &Message,
        account: Option<AccountId>,
        caller: Caller,
    ) {
        let kind = request.header("Content-Type").map(parse::media_type);
        let kind = kind.unwrap_or_else(|| "text/plain".to_owned());
        let readable = ["text/", "multipart/", "message/"]
            .iter()
            .any(|main| kind.starts_with(main));
        if !readable {
            self.answer_unsupported_media(now, transaction, TEXT);
            return;
        }
        self.answer_plainly(now, transaction, 200);
        if let (Some(from), Some(body)) = (request.name_addr("From"), request.content()) {
            self.border.event(SipEvent::Message {
                account,
                from,
                caller: Box::new(caller),
                body,
            });
        }
    }

    /// Answers a CANCEL with the tag that its INVITE gets (section 9.2).
    fn answer_cancel(
        &mut self,
        now: Instant,
        transaction: TransactionId,
        invite: TransactionId,
        cancel: &Message,
    ) {
        let answered = self.transactions.server_tag(invite);
        let ringing = || {
            let of_invite = |session: &&Session| session.answers(invite);
            let session = self.sessions.values().find(of_invite)?;
            Some(session.local_tag.as_str())
        };
        let tag = match answered.or_else(ringing) {
            Some(tag) => tag.to_owned(),
            None => stateless_tag(cancel),
        };
        let response = Message::response(cancel, 200, phrase(200), Some(&tag));
        self.respond(now, transaction, response);
    }

    fn handle_out_of_dialog(
        &mut self,
        now: Instant,
        arrival: &Arrival,
        transaction: TransactionId,
        request: &Message,
        called: Called,
    ) {
        let Some(method) = request.method() else {
            return;
        };
        match method {
            Method::Options => self.answer_options(now, transaction),
            Method::Invite | Method::Message => {
                let account = match called {
                    Called::Account(account) => Some(account),
                    Called::Direct => None,
                    Called::Nobody => return self.answer_plainly(now, transaction, 404),
                };
                if *method == Method::Message {
                    let caller = self.caller_of(request, arrival, account);
                    self.message_arrived(now, transaction, request, account, caller);
                } else if self.sessions.len() >= self.config.max_sessions {
                    self.answer_plainly(now, transaction, 486);
                } else {
                    self.call_arrived(now, arrival, transaction, request, account);
                }
            }
            // Nobody makes this phone call somebody without being in a call with it.
            Method::Refer => self.answer_plainly(now, transaction, 403),
            Method::Bye | Method::Info | Method::Update | Method::Prack | Method::Notify => {
                self.answer_plainly(now, transaction, 481);
            }
            Method::Ack
            | Method::Cancel
            | Method::Register
            | Method::Subscribe
            | Method::Publish
            | Method::Other(_) => self.answer_plainly(now, transaction, 405),
        }
    }

    /// Whether a request came by a way that its scheme and the called account allow (RFC 5630
    /// section 5.1.1; 416 would say that `sips:` is not known at all).
    fn check_way(
        &self,
        transport: Transport,
        request: &Message,
        called: Called,
    ) -> Result<(), Refusal> {
        let account = match called {
            Called::Account(account) => Some(account),
            Called::Direct | Called::Nobody => None,
        };
        let warning = if transport.secure() {
            return Ok(());
        } else if request.uri().is_some_and(route::is_secure) {
            r#"380 ringdesk "SIPS Not Allowed""#
        } else if self.account_is_secure(account) {
            r#"381 ringdesk "SIPS Required""#
        } else {
            return Ok(());
        };
        Err(Refusal::with(480, "Warning", warning))
    }

    pub(crate) fn answer_refusal(
        &mut self,
        now: Instant,
        transaction: TransactionId,
        refusal: Refusal,
    ) {
        if let Some(mut response) = self.plain_response(transaction, refusal.code) {
            for (name, value) in refusal.headers {
                response.headers.push(name, value);
            }
            self.respond(now, transaction, response);
        }
    }

    /// A response whose tag, where the request has none, follows from the request.
    fn plain_response(&self, transaction: TransactionId, code: u16) -> Option<Message> {
        let request = self.transactions.server_request(transaction)?;
        let tag = stateless_tag(request);
        Some(Message::response(request, code, phrase(code), Some(&tag)))
    }

    /// A response that nothing is kept of; it does not say who we are, for it may go to anybody.
    pub(crate) fn stateless_response(request: &Message, code: u16, phrase: &str) -> Message {
        let tag = stateless_tag(request);
        Message::response(request, code, phrase, Some(&tag))
    }
}

/// A refusal and the header fields that explain it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    code: u16,
    headers: Vec<(&'static str, String)>,
}

impl Refusal {
    fn new(code: u16) -> Self {
        Self {
            code,
            headers: Vec::new(),
        }
    }

    pub(crate) fn with(code: u16, name: &'static str, value: &str) -> Self {
        Self {
            code,
            headers: vec![(name, value.to_owned())],
        }
    }
}

/// The checks that need nothing but the request, in the order of RFC 3261 section 8.2.
fn check(request: &Message, merged: bool) -> Result<(), Refusal> {
    match request.method() {
        Some(
            Method::Invite
            | Method::Ack
            | Method::Bye
            | Method::Cancel
            | Method::Options
            | Method::Message
            | Method::Info
            | Method::Notify
            | Method::Update
            | Method::Refer
            | Method::Prack,
        ) => {}
        Some(Method::Register | Method::Subscribe | Method::Publish) | None => {
            return Err(Refusal::with(405, "Allow", ALLOW));
        }
        Some(Method::Other(_)) => return Err(Refusal::with(501, "Allow", ALLOW)),
    }
    if request.uri().is_none_or(|uri| uri.as_sip().is_none()) {
        return Err(Refusal::new(416));
    }
    if merged {
        return Err(Refusal::new(482));
    }
    let unsupported: Vec<String> = request
        .tokens("Require")
        .into_iter()
        .filter(|option| {
            !OPTION_TAGS
                .iter()
                .any(|tag| tag.eq_ignore_ascii_case(option))
        })
        .collect();
    if !unsupported.is_empty() {
        return Err(Refusal::with(420, "Unsupported", &unsupported.join(", ")));
    }
    if matches!(
        request.method(),
        Some(Method::Invite | Method::Update | Method::Prack)
    ) {
        check_content(request)?;
    }
    Ok(())
}

/// Whether the body of an INVITE, UPDATE or PRACK is a session description that was not encoded, and whether one may be
/// sent back.
fn check_content(request: &Message) -> Result<(), Refusal> {
    let encoded = request
        .tokens("Content-Encoding")
        .iter()
        .any(|coding| !coding.eq_ignore_ascii_case("identity"));
    if encoded {
        return Err(Refusal::with(415, "Accept-Encoding", "identity"));
    }
    // A body that we may leave out is left out (section 20.11).
    let optional = request
        .header("Content-Disposition")
        .is_some_and(|value| value.to_ascii_lowercase().contains("handling=optional"));
    if !request.body.is_empty() && !optional && request.session_description().is_none() {
        return Err(Refusal::with(415, "Accept", ACCEPT));
    }
    let accepted = request.tokens("Accept");
    let takes_sdp = |range: &String| {
        let range = parse::media_type(range);
        range == SDP || range == "*/*" || range == "application/*"
    };
    if request.header("Accept").is_some() && !accepted.iter().any(takes_sdp) {
        return Err(Refusal::new(406));
    }
    Ok(())
}

/// The same tag for each repetition of a request (RFC 3261 section 8.2.7).
fn stateless_tag(request: &Message) -> String {
    /// As much as a tag must have (RFC 3261 section 19.3): nobody dials by it.
    const TAG_BYTES: usize = 4;
    let mut hash = sha2::Sha256::new();
    hash.update(request.call_id());
    hash.update(request.header("Via").unwrap_or_default());
    hash.update(request.header("CSeq").unwrap_or_default());
    hash.finalize()
        .iter()
        .take(TAG_BYTES)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The usual reason phrase of a status code.
pub(crate) fn phrase(code: u16) -> &'static str {
    match code {
        100 => "Trying",
        180 => "Ringing",
        183 => "Session Progress",
        200 => "OK",
        202 => "Accepted",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        415 => "Unsupported Media Type",
        416 => "Unsupported URI Scheme",
        420 => "Bad Extension",
        421 => "Extension Required",
        422 => "Session Interval Too Small",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        489 => "Bad Event",
        491 => "Request Pending",
        500 => "Server Internal Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "Version Not Supported",
        603 => "Decline",
        _ => match code / 100 {
            1 | 2 => "OK",
            3 => "Redirected",
            4 => "Request Failure",
            5 => "Server Failure",
            _ => "Global Failure",
        },
    }
}
