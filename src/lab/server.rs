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
mod tests {
    use super::*;
    use crate::base::clock::monotonic_now;
    use crate::base::random::SeededRandom;
    use crate::sip::digest::{Challenge, Subject};
    use crate::sip::parse::challenges;

    const PHONE: &str = "127.0.0.1:40000";

    /// A server with the users alice and bob, a peer called echo, and phones that talk to it.
    struct Lab {
        server: Server,
        now: Instant,
        from: Flow,
        cseq: u32,
        /// How many requests used the last nonce.
        nonce_count: u32,
    }

    fn flow(transport: Transport, remote: &str) -> Flow {
        let remote = remote.parse().unwrap();
        Flow { transport, remote }
    }

    fn udp(remote: &str) -> Flow {
        flow(Transport::Udp, remote)
    }

    impl Lab {
        fn new() -> Self {
            Self::with(ServerOptions::default())
        }

        fn with(options: ServerOptions) -> Self {
            let users = ["alice", "bob"].map(|user| (user.to_owned(), Secret::new("open sesame")));
            let mut server = Server::new(
                options,
                "127.0.0.1:5060".parse().unwrap(),
                users.into(),
                Box::new(SeededRandom::new(1)),
            );
            server.add_peer("echo", "127.0.0.1:5099".parse().unwrap());
            Self {
                server,
                now: monotonic_now(),
                from: udp(PHONE),
                cseq: 0,
                nonce_count: 0,
            }
        }

        fn request(&mut self, method: Method, uri: &str, from: &str, to: &str) -> Message {
            self.cseq += 1;
            let number = self.cseq;
            let transport = self.from.transport;
            let mut request = Message::request(method.clone(), Uri::parse(uri).unwrap());
            let fields = [
                (
                    "Via",
                    format!("SIP/2.0/{transport} {PHONE};branch=z9hG4bK{number};rport"),
                ),
                ("Max-Forwards", "70".to_owned()),
                ("From", format!("<sip:{from}@127.0.0.1:5060>;tag=ours")),
                ("To", format!("<sip:{to}@127.0.0.1:5060>")),
                ("Call-ID", "one call".to_owned()),
                ("CSeq", format!("{number} {method}")),
            ];
            for (name, value) in fields {
                request.headers.push(name, value);
            }
            request
        }

        fn register(&mut self, contact: &str, expires: Option<u32>) -> Message {
            let mut request =
                self.request(Method::Register, "sip:127.0.0.1:5060", "alice", "alice");
            request.headers.push("Contact", contact);
            if let Some(expires) = expires {
                request.headers.push("Expires", expires.to_string());
            }
            request
        }

        fn invite(&mut self, to: &str) -> Message {
            let uri = format!("sip:{to}@127.0.0.1:5060");
            self.request(Method::Invite, &uri, "alice", to)
        }

        fn send(&mut self, message: Message) -> Option<(Flow, Message)> {
            self.server.handle(self.now, self.from, message)
        }

        fn answer(&mut self, message: Message) -> Message {
            let (back, answer) = self.send(message).expect("an answer");
            assert_eq!(back, self.from);
            answer
        }

        /// Answers the challenge of that place in `refusal`.
        fn authorized(
            &mut self,
            request: &Message,
            refusal: &Message,
            which: usize,
            password: &str,
        ) -> Message {
            let (asks, answers) = match refusal.code() {
                Some(401) => ("WWW-Authenticate", "Authorization"),
                _ => ("Proxy-Authenticate", "Proxy-Authorization"),
            };
            let asked: Vec<Challenge> = refusal
                .headers
                .values(asks)
                .flat_map(|value| challenges(value).unwrap())
                .map(|fields| Challenge::from_fields(&fields).unwrap())
                .collect();
            self.cseq += 1;
            self.nonce_count += 1;
            let mut again = request.clone();
            let method = again.method().unwrap().clone();
            let uri = again.uri().unwrap().to_string();
            let subject = Subject {
                method: &method,
                uri: &uri,
                body: &[],
            };
            let password = Secret::new(password);
            let value = asked[which].authorize("alice", &password, subject, "c", self.nonce_count);
            again.headers.set(answers, value);
            again.headers.set("CSeq", format!("{} {method}", self.cseq));
            let via = format!(
                "SIP/2.0/{} {PHONE};branch=z9hG4bK{};rport",
                self.from.transport, self.cseq
            );
            again.headers.set("Via", via);
            again
        }

        fn registered(&mut self, contact: &str, expires: Option<u32>) -> Message {
            let request = self.register(contact, expires);
            let refusal = self.answer(request.clone());
            assert_eq!(refusal.code(), Some(401));
            self.nonce_count = 0;
            let again = self.authorized(&request, &refusal, 0, "open sesame");
            self.answer(again)
        }

        fn admitted(&mut self, request: &Message) -> Option<(Flow, Message)> {
            let refusal = self.answer(request.clone());
            assert_eq!(refusal.code(), Some(407));
            self.nonce_count = 0;
            let again = self.authorized(request, &refusal, 0, "open sesame");
            self.send(again)
        }

        fn change(&mut self) -> Option<(String, Option<String>)> {
            let change = self.server.poll_change()?;
            Some((change.user, change.contact))
        }
    }

    #[test]
    fn a_phone_that_knows_the_password_is_bound_with_all_its_parameters() {
        for which in [0, 1] {
            let mut lab = Lab::new();
            let contact =
                "<sip:x@127.0.0.1:40000>;+sip.instance=\"<urn:uuid:7>\";reg-id=1;expires=60";
            let request = lab.register(contact, Some(600));
            let refusal = lab.answer(request.clone());
            let again = lab.authorized(&request, &refusal, which, "open sesame");
            let answer = lab.answer(again);
            assert_eq!(answer.code(), Some(200));
            assert_eq!(answer.header("Contact"), Some(contact));
            let bound = Some(("alice".to_owned(), Some("sip:x@127.0.0.1:40000".to_owned())));
            assert_eq!(lab.change(), bound);
        }
    }

    #[test]
    fn a_wrong_password_is_challenged_again_and_not_as_stale() {
        let mut lab = Lab::new();
        let request = lab.register("<sip:x@127.0.0.1:40000>", None);
        let refusal = lab.answer(request.clone());
        let again = lab.authorized(&request, &refusal, 0, "guess");
        let refusal = lab.answer(again);
        assert_eq!(refusal.code(), Some(401));
        assert!(
            !refusal
                .header("WWW-Authenticate")
                .unwrap()
                .contains("stale")
        );
        assert_eq!(lab.change(), None);
    }

    #[test]
    fn another_users_address_is_forbidden() {
        let mut lab = Lab::new();
        let mut request = lab.register("<sip:x@127.0.0.1:40000>", None);
        request.headers.set("To", "<sip:bob@127.0.0.1:5060>");
        let refusal = lab.answer(request.clone());
        let again = lab.authorized(&request, &refusal, 0, "open sesame");
        assert_eq!(lab.answer(again).code(), Some(403));
    }

    #[test]
    fn an_old_nonce_and_a_replay_are_stale() {
        let mut lab = Lab::new();
        let request = lab.register("<sip:x@127.0.0.1:40000>", None);
        let refusal = lab.answer(request.clone());
        let first = lab.authorized(&request, &refusal, 0, "open sesame");
        assert_eq!(lab.answer(first.clone()).code(), Some(200));

        // The same count on another request.
        lab.nonce_count = 0;
        let replay = lab.authorized(&request, &refusal, 0, "open sesame");
        let answer = lab.answer(replay);
        assert_eq!(answer.code(), Some(401));
        assert!(
            answer
                .header("WWW-Authenticate")
                .unwrap()
                .ends_with("stale=true")
        );

        // The next count is good, until the nonce is too old.
        lab.now += Duration::from_secs(299);
        let next = lab.authorized(&request, &refusal, 0, "open sesame");
        assert_eq!(lab.answer(next).code(), Some(200));
        lab.now += Duration::from_secs(1);
        let late = lab.authorized(&request, &refusal, 0, "open sesame");
        let answer = lab.answer(late);
        assert!(
            answer
                .header("WWW-Authenticate")
                .unwrap()
                .ends_with("stale=true")
        );
    }

    #[test]
    fn a_retransmission_gets_the_same_answer() {
        let mut lab = Lab::new();
        let request = lab.register("<sip:x@127.0.0.1:40000>", None);
        let refusal = lab.answer(request.clone());
        assert_eq!(lab.answer(request.clone()), refusal);
        let again = lab.authorized(&request, &refusal, 0, "open sesame");
        let answer = lab.answer(again.clone());
        assert_eq!(answer.code(), Some(200));
        assert_eq!(lab.answer(again.clone()), answer);
        lab.now += REPLY_LIFETIME;
        assert_eq!(lab.answer(again).code(), Some(500), "its CSeq is old now");
    }

    #[test]
    fn a_lifetime_below_the_limit_is_too_brief_and_one_above_is_cut() {
        let mut lab = Lab::new();
        let answer = lab.registered("<sip:x@127.0.0.1:40000>", Some(9));
        assert_eq!(answer.code(), Some(423));
        assert_eq!(answer.header("Min-Expires"), Some("10"));
        let answer = lab.registered("<sip:x@127.0.0.1:40000>", Some(1_000_000));
        assert_eq!(answer.contact().unwrap().expires(), Some(7200));
        let answer = lab.registered("<sip:x@127.0.0.1:40000>", None);
        assert_eq!(answer.contact().unwrap().expires(), Some(3600));
    }

    #[test]
    fn a_binding_runs_out_at_its_time_and_is_told_once() {
        let mut lab = Lab::new();
        lab.registered("<sip:x@127.0.0.1:40000>", Some(60));
        assert!(lab.change().is_some());
        let due = lab.server.poll_timeout().unwrap();
        assert_eq!(due, lab.now + Duration::from_secs(60));
        lab.now += Duration::from_millis(59_500);
        let answer = lab.registered("<sip:y@127.0.0.1:40000>", Some(60));
        let left: Vec<Option<u32>> = answer
            .contacts()
            .iter()
            .map(|contact| match contact {
                crate::sip::parse::ContactField::Address(address) => address.expires(),
                crate::sip::parse::ContactField::All => None,
            })
            .collect();
        assert_eq!(left, [Some(60), Some(1)]);
        assert!(lab.change().is_some());
        lab.server.handle_timeout(due);
        assert_eq!(lab.change(), None, "one is left");
        lab.server.handle_timeout(due + Duration::from_secs(60));
        assert_eq!(lab.change(), Some(("alice".to_owned(), None)));
        assert_eq!(lab.server.poll_timeout(), None);
    }

    #[test]
    fn a_binding_is_removed_by_expires_0_and_all_by_a_star() {
        let mut lab = Lab::new();
        lab.registered("<sip:x@127.0.0.1:40000>", None);
        let answer = lab.registered("<sip:y@127.0.0.1:40000>", None);
        assert_eq!(answer.contacts().len(), 2);
        let answer = lab.registered("<sip:x@127.0.0.1:40000>", Some(0));
        assert_eq!(answer.contacts().len(), 1);
        assert_eq!(lab.registered("*", Some(60)).code(), Some(400));
        let answer = lab.registered("*", Some(0));
        assert_eq!((answer.code(), answer.contacts().len()), (Some(200), 0));
        while let Some((_, contact)) = lab.change() {
            if contact.is_none() {
                return;
            }
        }
        panic!("the end was not told");
    }

    #[test]
    fn a_call_goes_to_the_phone_by_the_way_it_registered() {
        let mut lab = Lab::new();
        lab.from = flow(Transport::Tcp, PHONE);
        lab.registered("<sip:x@127.0.0.1:40000;transport=tcp>", None);
        lab.from = udp("127.0.0.1:5099");
        let invite = lab.invite("alice");
        let (to, forwarded) = lab.send(invite.clone()).unwrap();
        assert_eq!(to, flow(Transport::Tcp, PHONE));
        assert_eq!(
            forwarded.uri().unwrap().to_string(),
            "sip:x@127.0.0.1:40000;transport=tcp"
        );
        assert_eq!(forwarded.header("Max-Forwards"), Some("69"));
        let vias: Vec<&str> = forwarded.headers.values("Via").collect();
        assert_eq!(vias.len(), 2);
        assert!(vias[0].starts_with("SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bK"));
        assert!(vias[1].contains("received=127.0.0.1") && vias[1].contains("rport=5099"));

        let ringing = Message::response(&forwarded, 180, "Ringing", Some("theirs"));
        lab.from = flow(Transport::Tcp, PHONE);
        let (back, ringing) = lab.send(ringing).unwrap();
        assert_eq!(back, udp("127.0.0.1:5099"));
        assert_eq!(ringing.headers.values("Via").count(), 1);
        assert_eq!(ringing.branch(), invite.branch());
    }

    #[test]
    fn a_phone_whose_stream_is_gone_is_reached_at_its_contact() {
        let mut lab = Lab::new();
        lab.from = flow(Transport::Tcp, PHONE);
        lab.registered("<sip:x@127.0.0.1:5070;transport=tcp>", None);
        lab.server.forget_stream(PHONE.parse().unwrap());
        lab.from = udp("127.0.0.1:5099");
        let invite = lab.invite("alice");
        let (to, _) = lab.send(invite).unwrap();
        assert_eq!(to, flow(Transport::Tcp, "127.0.0.1:5070"));
    }

    #[test]
    fn cancel_ack_and_retransmission_follow_their_invite() {
        let mut lab = Lab::new();
        lab.from = udp("127.0.0.1:5099");
        let invite = lab.invite("echo");
        let (to, forwarded) = lab.send(invite.clone()).unwrap();
        assert_eq!(to, udp("127.0.0.1:5099"));
        assert_eq!(lab.send(invite.clone()), Some((to, forwarded.clone())));
        for method in [Method::Cancel, Method::Ack] {
            let mut other = lab.invite("echo");
            other.start = StartLine::Request {
                method: method.clone(),
                uri: invite.uri().unwrap().clone(),
            };
            other.headers.set("Via", invite.header("Via").unwrap());
            let (number, _) = invite.cseq().unwrap();
            other.headers.set("CSeq", format!("{number} {method}"));
            let (way, other) = lab.send(other).unwrap();
            assert_eq!((way, other.branch()), (to, forwarded.branch()), "{method}");
        }
    }

    #[test]
    fn a_caller_proves_who_it_is_and_its_proof_stays_here() {
        let mut lab = Lab::new();
        let invite = lab.invite("echo");
        let refusal = lab.answer(invite.clone());
        assert_eq!(refusal.code(), Some(407));
        let mut ack = invite.clone();
        ack.start = StartLine::Request {
            method: Method::Ack,
            uri: invite.uri().unwrap().clone(),
        };
        ack.headers.set("To", refusal.header("To").unwrap());
        assert_eq!(lab.send(ack), None, "the ACK to our own answer ends here");
        let again = lab.authorized(&invite, &refusal, 0, "open sesame");
        let (to, forwarded) = lab.send(again.clone()).unwrap();
        assert_eq!(to, udp("127.0.0.1:5099"));
        assert_eq!(forwarded.header("Proxy-Authorization"), None);
        assert_eq!(
            lab.send(again).unwrap().1,
            forwarded,
            "a retransmission is no replay"
        );

        let mut forged = lab.invite("echo");
        forged
            .headers
            .set("From", "<sip:bob@127.0.0.1:5060>;tag=ours");
        assert_eq!(lab.admitted(&forged).unwrap().1.code(), Some(403));
    }

    #[test]
    fn who_is_not_there_and_who_is_not_known_are_told_apart() {
        let mut lab = Lab::new();
        for (user, code) in [("bob", 480), ("carol", 404)] {
            let invite = lab.invite(user);
            assert_eq!(lab.admitted(&invite).unwrap().1.code(), Some(code));
        }
    }

    #[test]
    fn what_cannot_be_forwarded_is_refused() {
        type Spoil = fn(&mut Message);
        let rows: [(Spoil, u16); 6] = [
            (|it| it.headers.set("Max-Forwards", "0"), 483),
            (|it| it.headers.set("Max-Forwards", "many"), 400),
            (|it| it.headers.push("Proxy-Require", "flying"), 420),
            (|it| set_uri(it, "tel:+15550100"), 416),
            (|it| set_uri(it, "sip:127.0.0.1:5060"), 404),
            (
                |it| {
                    it.start = StartLine::Request {
                        method: Method::Subscribe,
                        uri: it.uri().unwrap().clone(),
                    }
                },
                489,
            ),
        ];
        for (spoil, code) in rows {
            let mut lab = Lab::new();
            let mut invite = lab.invite("echo");
            spoil(&mut invite);
            assert_eq!(lab.answer(invite).code(), Some(code));
        }
        let mut lab = Lab::new();
        let mut invite = lab.invite("echo");
        set_uri(&mut invite, "sip:bob@192.0.2.1");
        assert_eq!(lab.admitted(&invite).unwrap().1.code(), Some(403));
    }

    fn set_uri(request: &mut Message, uri: &str) {
        request.start = StartLine::Request {
            method: request.method().unwrap().clone(),
            uri: Uri::parse(uri).unwrap(),
        };
    }

    #[test]
    fn options_to_the_server_are_answered() {
        let mut lab = Lab::new();
        let options = lab.request(Method::Options, "sip:127.0.0.1:5060", "alice", "alice");
        let answer = lab.answer(options);
        assert_eq!(answer.code(), Some(200));
        assert!(answer.header("Allow").unwrap().contains("INVITE"));
    }

    #[test]
    fn record_routed_requests_come_back_through_the_server() {
        let mut lab = Lab::with(ServerOptions {
            record_route: true,
            ..ServerOptions::default()
        });
        lab.registered("<sip:x@127.0.0.1:40000>", None);
        lab.from = udp("127.0.0.1:5099");
        let invite = lab.invite("alice");
        let (_, forwarded) = lab.send(invite).unwrap();
        let route = forwarded.header("Record-Route").unwrap().to_owned();
        assert_eq!(route, "<sip:127.0.0.1:5060;lr>");
        let mut bye = lab.request(Method::Bye, "sip:x@127.0.0.1:40000", "echo", "alice");
        bye.headers
            .set("To", "<sip:alice@127.0.0.1:5060>;tag=theirs");
        bye.headers.push("Route", route);
        let (to, bye) = lab.send(bye).unwrap();
        assert_eq!(to, udp(PHONE));
        assert_eq!(bye.header("Route"), None);
    }

    #[test]
    fn answers_that_are_not_ours_are_dropped() {
        let mut lab = Lab::new();
        let invite = lab.invite("echo");
        let foreign = Message::response(&invite, 200, "OK", Some("x"));
        assert_eq!(lab.send(foreign), None);
    }

    #[test]
    fn nonces_and_answers_do_not_pile_up() {
        let mut lab = Lab::new();
        for _ in 0..3000 {
            let request = lab.register("<sip:x@127.0.0.1:40000>", None);
            lab.answer(request);
        }
        assert!(lab.server.replies.len() <= MAX_REPLIES);
    }
}
