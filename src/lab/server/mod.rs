//! The lab's SIP server: a registrar and a stateless proxy (RFC 3261 sections 10.3 and 16.11),
//! sans-IO.
//!
//! What it keeps are bindings, nonces and its own recent answers; calls leave no state. A request
//! to a user goes to that user's most recent binding only, since forking needs state. It sends to
//! loopback addresses only.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::base::flow::Transport;
use crate::base::random::Random;
use crate::base::redact::Secret;
use crate::base::uri::{Host, SipUri, Uri, percent_decode};
use crate::lab::guard::{Guard, Verdict};
use crate::lab::hop::{
    fingerprint, first_route, flow_to, forwards_left, pop_first, sent_by, stamp, transaction,
    upstream, way_back,
};
use crate::lab::registrar::{Flow, Lifetimes, Refusal, Registrar};
use crate::sip::digest::{Algorithm, Hash};
use crate::sip::message::{Message, Method, StartLine};

/// How long an answer is kept for a request that comes again (timer J, RFC 3261 section 17.2.2).
const REPLY_LIFETIME: Duration = Duration::from_secs(32);

/// How many answers are kept.
const MAX_REPLIES: usize = 256;

/// What the server understands itself; the rest is forwarded.
const ALLOW: &str =
    "REGISTER, OPTIONS, INVITE, ACK, CANCEL, BYE, MESSAGE, INFO, UPDATE, PRACK, REFER, NOTIFY";

/// How the server behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerOptions {
    /// The lifetimes that it grants to registrations.
    pub lifetimes: Lifetimes,
    /// How long a nonce is good; after that it is stale.
    pub nonce_lifetime: Duration,
    /// The digest algorithms that it offers, the preferred one first.
    pub algorithms: Vec<Algorithm>,
    /// Whether users must prove who they are before they call.
    pub authenticate_calls: bool,
    /// Whether it stays on the way of the calls' later requests (Record-Route).
    pub record_route: bool,
}

/// The server.
pub(crate) struct Server {
    options: ServerOptions,
    address: SocketAddr,
    guard: Guard,
    registrar: Registrar,
    /// The lab's own peers, by user name.
    peers: BTreeMap<String, SocketAddr>,
    replies: VecDeque<Reply>,
    random: Box<dyn Random>,
    /// Users whose reachability changed since the owner last asked.
    changes: VecDeque<Change>,
}

/// A user became reachable or ceased to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) user: String,
    /// The Contact; none when the last binding is gone.
    pub(crate) contact: Option<String>,
}

struct Reply {
    until: Instant,
    transaction: String,
    message: Message,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            lifetimes: Lifetimes::default(),
            nonce_lifetime: Duration::from_secs(300),
            algorithms: vec![
                Algorithm {
                    hash: Hash::Sha256,
                    session: false,
                },
                Algorithm::MD5,
            ],
            authenticate_calls: true,
            record_route: false,
        }
    }
}

impl Server {
    /// For a socket bound to `address`; `users` with their passwords may register and call.
    pub(crate) fn new(
        options: ServerOptions,
        address: SocketAddr,
        users: BTreeMap<String, Secret>,
        random: Box<dyn Random>,
    ) -> Self {
        let guard = Guard::new(
            "ringdesk lab".to_owned(),
            users,
            options.algorithms.clone(),
            options.nonce_lifetime,
        );
        Self {
            registrar: Registrar::new(options.lifetimes),
            options,
            address,
            guard,
            peers: BTreeMap::new(),
            replies: VecDeque::new(),
            random,
            changes: VecDeque::new(),
        }
    }

    /// Makes a user name lead to a peer that needs no registration.
    pub(crate) fn add_peer(&mut self, user: &str, address: SocketAddr) {
        self.peers.insert(user.to_owned(), address);
    }

    /// Takes one message; gives the one to send for it, if any.
    pub(crate) fn handle(
        &mut self,
        now: Instant,
        from: Flow,
        mut message: Message,
    ) -> Option<(Flow, Message)> {
        let Some(method) = message.method().cloned() else {
            return self.forward_response(message);
        };
        let via = stamp(&mut message, from)?;
        if method == Method::Ack {
            return self.forward_ack(now, message);
        }
        let back = way_back(&via)?;
        let transaction = transaction(&message);
        self.replies.retain(|reply| reply.until > now);
        if let Some(reply) = self.reply(&transaction) {
            return Some((back, reply));
        }
        let answer = match self.decide(now, from, &mut message) {
            Ok((flow, uri)) => return Some((flow, self.onward(message, flow, uri))),
            Err(answer) => answer,
        };
        if self.replies.len() >= MAX_REPLIES {
            self.replies.pop_front();
        }
        self.replies.push_back(Reply {
            until: now + REPLY_LIFETIME,
            transaction,
            message: (*answer).clone(),
        });
        Some((back, *answer))
    }

    /// Learns that a stream is closed: phones that registered over it are reached at their Contact.
    pub(crate) fn forget_stream(&mut self, remote: SocketAddr) {
        self.registrar.forget_stream(remote);
    }

    /// Lets bindings run out.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        for user in self.registrar.expire(now) {
            self.changes.push_back(Change {
                user,
                contact: None,
            });
        }
    }

    /// When `handle_timeout` must be called at the latest.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.registrar.poll_timeout()
    }

    /// The next user whose reachability changed.
    pub(crate) fn poll_change(&mut self) -> Option<Change> {
        self.changes.pop_front()
    }

    /// Where a request goes, or the answer that it gets from here.
    fn decide(
        &mut self,
        now: Instant,
        from: Flow,
        request: &mut Message,
    ) -> Result<(Flow, Uri), Box<Message>> {
        let method = request.method().cloned().unwrap_or(Method::Options);
        let Some(Uri::Sip(uri)) = request.uri().cloned() else {
            return Err(self.answer(request, 416, "Unsupported URI Scheme"));
        };
        let foreign = request.tokens("Proxy-Require");
        if !foreign.is_empty() {
            let mut answer = self.answer(request, 420, "Bad Extension");
            answer.headers.push("Unsupported", foreign.join(", "));
            return Err(answer);
        }
        if method == Method::Register && self.is_here(&uri) {
            return Err(self.register(now, from, request));
        }
        let routed = self.pop_own_route(request);
        if self.is_here(&uri) && uri.user.is_none() && !routed {
            let mut answer = match method {
                Method::Options => self.answer(request, 200, "OK"),
                _ => self.answer(request, 404, "Not Found"),
            };
            answer.headers.push("Allow", ALLOW);
            return Err(answer);
        }
        match forwards_left(request) {
            Ok(left) => request.headers.set("Max-Forwards", left.to_string()),
            Err((code, phrase)) => return Err(self.answer(request, code, phrase)),
        }
        let begins = request.to_tag().is_empty() && method != Method::Cancel;
        if begins && matches!(method, Method::Subscribe | Method::Publish) {
            return Err(self.answer(request, 489, "Bad Event"));
        }
        let from_peer = self.peers.values().any(|peer| *peer == from.remote);
        if begins && self.options.authenticate_calls && !from_peer {
            self.authenticate_caller(now, request)?;
        }
        self.target(now, request, uri)
    }

    /// A caller must be the user who From says (RFC 3261 section 22.3).
    fn authenticate_caller(
        &mut self,
        now: Instant,
        request: &mut Message,
    ) -> Result<(), Box<Message>> {
        const FIELD: &str = "Proxy-Authorization";
        let random = self.random.as_mut();
        match self
            .guard
            .judge(now, request, &transaction(request), FIELD, random)
        {
            Verdict::Granted(user) => {
                let claimed = request.from().and_then(|from| from.uri.user_decoded());
                if claimed.as_deref() != Some(user.as_str()) {
                    return Err(self.answer(request, 403, "Forbidden: From is another user"));
                }
                // They are meant for us and nobody else.
                request.headers.remove(FIELD);
                Ok(())
            }
            Verdict::Challenged(challenges) => {
                let mut answer = self.answer(request, 407, "Proxy Authentication Required");
                for challenge in challenges {
                    answer.headers.push("Proxy-Authenticate", challenge);
                }
                Err(answer)
            }
        }
    }

    fn target(
        &self,
        now: Instant,
        request: &Message,
        uri: SipUri,
    ) -> Result<(Flow, Uri), Box<Message>> {
        if let Some(next) = first_route(request) {
            return match flow_to(&next) {
                Some(flow) => Ok((flow, Uri::Sip(uri))),
                None => Err(self.answer(request, 403, "Forbidden: the lab stays on loopback")),
            };
        }
        if !self.is_here(&uri) {
            return match self.registrar.flow_of(now, &uri).or_else(|| flow_to(&uri)) {
                Some(flow) => Ok((flow, Uri::Sip(uri))),
                None => Err(self.answer(request, 403, "Forbidden: the lab stays on loopback")),
            };
        }
        let user = percent_decode(uri.user.as_deref().unwrap_or_default());
        if let Some(address) = self.peers.get(&user) {
            let flow = Flow {
                transport: Transport::Udp,
                remote: *address,
            };
            let host = Host::from(address.ip());
            let target = SipUri::new(uri.user.as_deref(), host, Some(address.port()));
            return Ok((flow, Uri::Sip(target)));
        }
        match self.registrar.bindings(now, &user).next() {
            Some(binding) => Ok((binding.flow, binding.contact.uri.clone())),
            None if self.guard.knows(&user) => {
                Err(self.answer(request, 480, "Temporarily Unavailable"))
            }
            None => Err(self.answer(request, 404, "Not Found")),
        }
    }

    /// RFC 3261 section 10.3, steps 3 to 8.
    fn register(&mut self, now: Instant, from: Flow, request: &Message) -> Box<Message> {
        let random = self.random.as_mut();
        let user =
            match self
                .guard
                .judge(now, request, &transaction(request), "Authorization", random)
            {
                Verdict::Granted(user) => user,
                Verdict::Challenged(challenges) => {
                    let mut answer = self.answer(request, 401, "Unauthorized");
                    for challenge in challenges {
                        answer.headers.push("WWW-Authenticate", challenge);
                    }
                    return answer;
                }
            };
        let claimed = request.to().and_then(|to| to.uri.user_decoded());
        if claimed.as_deref() != Some(user.as_str()) {
            return self.answer(request, 403, "Forbidden: To is another user");
        }
        let before = self.newest(now, &user);
        match self.registrar.register(now, &user, request, from) {
            Ok(()) => {}
            Err(Refusal::Malformed(what)) => {
                return self.answer(request, 400, &format!("Bad Request: {what}"));
            }
            Err(Refusal::TooBrief) => {
                let mut answer = self.answer(request, 423, "Interval Too Brief");
                let min = self.registrar.lifetimes().min.as_secs();
                answer.headers.push("Min-Expires", min.to_string());
                return answer;
            }
            Err(Refusal::OutOfOrder) => {
                return self.answer(request, 500, "Server Internal Error: older CSeq");
            }
            Err(Refusal::TooMany) => {
                return self.answer(request, 403, "Forbidden: too many bindings");
            }
        }
        let mut answer = self.answer(request, 200, "OK");
        for binding in self.registrar.bindings(now, &user) {
            let left = binding.expires_at.saturating_duration_since(now);
            // Rounded up, so that no binding shows 0 while it lives.
            let seconds = left.as_millis().div_ceil(1000);
            let contact = &binding.contact;
            answer
                .headers
                .push("Contact", format!("{contact};expires={seconds}"));
        }
        let contact = self.newest(now, &user);
        if contact != before {
            self.changes.push_back(Change { user, contact });
        }
        answer
    }

    /// An ACK to an answer that was given here ends here; any other goes on its way. It is never
    /// answered.
    fn forward_ack(&self, now: Instant, mut ack: Message) -> Option<(Flow, Message)> {
        if ack.to_tag() == self.tag(&ack) {
            return None;
        }
        let uri = ack.uri()?.as_sip()?.clone();
        self.pop_own_route(&mut ack);
        let left = forwards_left(&ack).ok()?;
        ack.headers.set("Max-Forwards", left.to_string());
        let (flow, uri) = self.target(now, &ack, uri).ok()?;
        Some((flow, self.onward(ack, flow, uri)))
    }

    /// RFC 3261 section 16.7 as far as a stateless proxy follows it: the next Via says the way.
    fn forward_response(&self, mut response: Message) -> Option<(Flow, Message)> {
        let ours = response.top_via()?;
        if sent_by(&ours) != self.address.to_string() {
            return None;
        }
        pop_first(&mut response.headers, "Via");
        let back = way_back(&response.top_via()?)?;
        Some((back, response))
    }

    /// RFC 3261 section 16.6: the copy that is sent on.
    fn onward(&self, mut request: Message, flow: Flow, uri: Uri) -> Message {
        // The same for each retransmission, for the CANCEL and for the ACK of a refusal (RFC 3261
        // section 16.11).
        let branch = fingerprint(&upstream(&request));
        let makes_dialog = matches!(
            request.method(),
            Some(Method::Invite | Method::Subscribe | Method::Refer)
        );
        if self.options.record_route && makes_dialog {
            let own = format!("<sip:{};lr>", self.address);
            request.headers.prepend("Record-Route", own);
        }
        let via = format!(
            "SIP/2.0/{} {};branch=z9hG4bK{branch};rport",
            flow.transport, self.address
        );
        request.headers.prepend("Via", via);
        if let StartLine::Request { uri: written, .. } = &mut request.start {
            *written = uri;
        }
        request
    }

    fn answer(&self, request: &Message, code: u16, phrase: &str) -> Box<Message> {
        let tag = self.tag(request);
        let mut answer = Message::response(request, code, phrase, Some(&tag));
        answer.headers.push("Server", "ringdesk-lab");
        Box::new(answer)
    }

    /// The tag of our own answers: the same for each retransmission and for the ACK, without any
    /// state (RFC 3261 section 8.2.7).
    fn tag(&self, request: &Message) -> String {
        let number = request.cseq().map_or(0, |(number, _)| number).to_string();
        fingerprint(&[request.call_id().to_owned(), request.from_tag(), number])
    }

    fn newest(&self, now: Instant, user: &str) -> Option<String> {
        let binding = self.registrar.bindings(now, user).next()?;
        Some(binding.contact.uri.to_string())
    }

    fn reply(&self, transaction: &str) -> Option<Message> {
        let mut replies = self.replies.iter();
        let reply = replies.find(|reply| reply.transaction == transaction)?;
        Some(reply.message.clone())
    }

    fn is_here(&self, uri: &SipUri) -> bool {
        uri.host.ip() == Some(self.address.ip()) && uri.port.unwrap_or(5060) == self.address.port()
    }

    /// Removes a topmost Route that names us; tells whether there was one.
    fn pop_own_route(&self, request: &mut Message) -> bool {
        let ours = first_route(request).is_some_and(|uri| self.is_here(&uri));
        if ours {
            pop_first(&mut request.headers, "Route");
        }
        ours
    }
}

#[cfg(test)]
mod tests;
