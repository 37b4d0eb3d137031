//! The whole endpoint: a script of datagrams, streams, commands and time.
//!
//! A script is text, so that its seeds can be read. A line that begins with `%%` is a step; what
//! follows up to the next one is its message, with LF for CRLF:
//!
//! | step | what happens |
//! |---|---|
//! | `%%udp`, `%%udp2` | the peer, or a stranger, sends a datagram |
//! | `%%open N`, `%%tcp N`, `%%close N` | a peer opens stream N, writes to it, closes it |
//! | `%%wait MILLIS` | time passes |
//! | `%%account`, `%%register`, `%%unregister`, `%%remove` | the only account |
//! | `%%call URI` | the user calls by the account, or else directly |
//! | `%%ring`, `%%early`, `%%answer`, `%%reject CODE`, `%%hangup` | about the newest call |
//! | `%%reinvite`, `%%accept`, `%%refuse CODE` | new media in the newest call |
//! | `%%unreachable`, `%%lost` | the last place that was written to, or all streams, fail |
//!
//! In a message `{q:NAME}` stands for a header field of the request that the endpoint sent last,
//! `{a:NAME}` for one of the answer that it sent last, `{uri}` for its last Contact, so that a
//! script can go on with a dialog whose tags it does not know.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use ringdesk::base::clock;
use ringdesk::base::flow::{ConnectionId, Output, ProfileId, Resolved, Transport};
use ringdesk::base::id::AccountId;
use ringdesk::base::random::SeededRandom;
use ringdesk::base::redact::Secret;
use ringdesk::base::uri::Uri;
use ringdesk::sip::message::Message;
use ringdesk::sip::{
    AccountSetup, Body, CallExtensions, Census, Credentials, DigestRules, Endpoint, EndpointConfig,
    SessionId, SipEvent, Status, parse,
};

const STEPS: usize = 100;
const MAX_SESSIONS: usize = 4;
const OUR_IP: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
const PEER: ([u8; 4], u16) = ([10, 0, 0, 200], 5070);
const STRANGER: ([u8; 4], u16) = ([192, 0, 2, 66], 4444);
/// Longer than any timer of a call that nobody ends: two ring limits and 64*T1.
const QUIET: Duration = Duration::from_secs(600);
const PASSWORD: &str = "open sesame";
const SDP: &str = "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

/// Whatever happens, what is held stays within its limits, each call ends once, nothing comes after
/// its end, and when all has ended nothing is left.
pub(crate) fn check(bytes: &[u8]) {
    let script = String::from_utf8_lossy(bytes);
    let mut world = World::new();
    world.has_secret = !script.contains(PASSWORD);
    let steps = script.split("%%").skip(1).take(STEPS);
    for step in steps {
        let (line, message) = step.split_once('\n').unwrap_or((step, ""));
        world.step(line.trim(), message);
        world.drain();
    }
    world.end();
}

struct World {
    /// Whether the password can come from nowhere but the account: a script may hold it too.
    has_secret: bool,
    endpoint: Endpoint,
    now: Instant,
    /// The calls that began, and whether they have ended.
    calls: BTreeMap<SessionId, bool>,
    account: Option<AccountId>,
    open: BTreeSet<ConnectionId>,
    last_request: Option<Message>,
    last_answer: Option<Message>,
    last_remote: SocketAddr,
}

impl World {
    fn new() -> Self {
        let config = EndpointConfig {
            udp_port: 5060,
            tcp_port: Some(5060),
            tls_port: None,
            accept_direct_calls: true,
            user_agent: "Ringdesk".to_owned(),
            max_sessions: MAX_SESSIONS,
            direct_ring_limit: Duration::from_secs(120),
            requests_per_second: None,
            direct_extensions: CallExtensions::default(),
        };
        Self {
            has_secret: true,
            endpoint: Endpoint::new(config, Box::new(SeededRandom::new(1))),
            now: clock::monotonic_now(),
            calls: BTreeMap::new(),
            account: None,
            open: BTreeSet::new(),
            last_request: None,
            last_answer: None,
            last_remote: PEER.into(),
        }
    }

    fn step(&mut self, line: &str, message: &str) {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let newest = self.newest();
        let body = || Body::sdp(SDP);
        let code = rest.parse().unwrap_or(486_u16);
        let status = Status::new(code, "Because");
        match (verb, newest) {
            ("udp", _) => self.datagram(PEER.into(), message),
            ("udp2", _) => self.datagram(STRANGER.into(), message),
            ("open", _) => self.open_stream(stream(rest)),
            ("tcp", _) => {
                let bytes = self.fill(message);
                if self.open.contains(&stream(rest)) {
                    self.endpoint.handle_stream(self.now, stream(rest), &bytes);
                }
            }
            ("close", _) if self.open.remove(&stream(rest)) => {
                self.endpoint
                    .handle_connection_closed(self.now, stream(rest), None);
            }
            ("wait", _) => self.wait(Duration::from_millis(u64::from(
                rest.parse::<u32>().unwrap_or(500).min(4_000_000),
            ))),
            ("account", _) if self.account.is_none() => self.add_account(),
            ("register", _) => {
                if let Some(account) = self.account {
                    self.endpoint.register_now(self.now, account);
                }
            }
            ("unregister", _) => self.endpoint.unregister_all(self.now),
            ("remove", _) => self.remove_account(),
            ("call", _) => self.call(rest),
            ("unreachable", _) => {
                self.endpoint
                    .handle_send_error(self.now, self.last_remote, "no route");
            }
            ("lost", _) => {
                for connection in std::mem::take(&mut self.open) {
                    let why = Some("reset".to_owned());
                    self.endpoint
                        .handle_connection_closed(self.now, connection, why);
                    self.drain();
                }
            }
            // The rest may be refused: the call is in another state, or over.
            ("ring", Some(call)) => drop(self.endpoint.ring(self.now, call, None)),
            ("early", Some(call)) => drop(self.endpoint.ring(self.now, call, Some(body()))),
            ("answer", Some(call)) => drop(self.endpoint.answer(self.now, call, body())),
            ("reject", Some(call)) => drop(self.endpoint.reject(self.now, call, status, &[])),
            ("hangup", Some(call)) => drop(self.endpoint.hang_up(self.now, call)),
            ("reinvite", Some(call)) => drop(self.endpoint.reinvite(self.now, call, body())),
            ("accept", Some(call)) => drop(self.endpoint.answer_reinvite(
                self.now,
                call,
                Status::new(200, "OK"),
                Some(body()),
            )),
            ("refuse", Some(call)) => {
                drop(self.endpoint.answer_reinvite(self.now, call, status, None));
            }
            _ => {}
        }
    }

    fn datagram(&mut self, from: SocketAddr, message: &str) {
        let bytes = self.fill(message);
        self.endpoint
            .handle_datagram(self.now, from, OUR_IP, &bytes);
    }

    /// A message with CRLF and with what is known of the dialog.
    fn fill(&self, message: &str) -> Vec<u8> {
        let mut filled = String::new();
        let mut rest = message;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            rest = after;
            let last = |message: &Option<Message>, name: &str| {
                let value = message.as_ref()?.header(name)?;
                Some(value.to_owned())
            };
            let value = match name.split_once(':') {
                Some(("q", name)) => last(&self.last_request, name),
                Some(("a", name)) => last(&self.last_answer, name),
                Some(_) => None,
                None => [&self.last_request, &self.last_answer]
                    .into_iter()
                    .flatten()
                    .find_map(|message| Some(message.contact()?.uri.to_string())),
            };
            filled.push_str(&value.unwrap_or_default());
        }
        filled.push_str(rest);
        let mut bytes = filled
            .replace("\r\n", "\n")
            .replace('\n', "\r\n")
            .into_bytes();
        bytes.truncate(65_535);
        bytes
    }

    fn open_stream(&mut self, connection: ConnectionId) {
        if self.open.insert(connection) {
            self.endpoint.handle_accepted(
                self.now,
                connection,
                Transport::Tcp,
                PEER.into(),
                (OUR_IP, 5060).into(),
            );
        }
    }

    fn add_account(&mut self) {
        let uri = |text: &str| Uri::parse(text).expect("a URI");
        let id = AccountId(1);
        self.account = Some(id);
        let setup = AccountSetup {
            address: uri("sip:us@lab.example"),
            display_name: Some("Us".to_owned()),
            registrar: Some(uri("sip:10.0.0.200:5070")),
            outbound_proxy: None,
            transport: None,
            profile: ProfileId::default(),
            credentials: Some(Credentials {
                username: "us".to_owned(),
                password: Secret::new(PASSWORD),
            }),
            digest: DigestRules::default(),
            extensions: CallExtensions::default(),
            expires: Duration::from_secs(600),
            ring_limit: Duration::from_secs(60),
        };
        self.endpoint.add_account(self.now, id, setup);
    }

    fn remove_account(&mut self) {
        if let Some(account) = self.account.take() {
            self.endpoint.remove_account(self.now, account);
        }
    }

    fn call(&mut self, target: &str) {
        let Ok(target) = Uri::parse(target) else {
            return;
        };
        // Ours are not limited by the endpoint but by its owner.
        if self.calls.values().filter(|ended| !**ended).count() >= 2 * MAX_SESSIONS {
            return;
        }
        let made = self.endpoint.invite(self.now, self.account, &target, &[]);
        if let Ok(session) = made {
            assert_eq!(
                self.calls.insert(session, false),
                None,
                "an id was used twice"
            );
        }
    }

    fn tells_secret(&self, text: &str) -> bool {
        self.has_secret && text.contains(PASSWORD)
    }

    fn newest(&self) -> Option<SessionId> {
        let open = self.calls.iter().rev().find(|(_, ended)| !**ended);
        open.or_else(|| self.calls.iter().next_back())
            .map(|(call, _)| *call)
    }

    fn wait(&mut self, span: Duration) {
        /// No timer is shorter than 100 ms, and few run at once.
        const MOST_TIMEOUTS: usize = 200_000;

        let end = self.now + span;
        self.drain();
        for count in 0.. {
            let Some(due) = self.endpoint.poll_timeout().filter(|due| *due <= end) else {
                break;
            };
            assert!(count < MOST_TIMEOUTS, "time does not pass");
            self.now = due.max(self.now);
            self.endpoint.handle_timeout(self.now);
            let next = self.endpoint.poll_timeout();
            assert!(next.is_none_or(|next| next > self.now), "a due timer stays");
            self.drain();
        }
        self.now = end;
    }

    fn drain(&mut self) {
        loop {
            while let Some(event) = self.endpoint.poll_event() {
                self.event(event);
            }
            let Some(output) = self.endpoint.poll_output() else {
                break;
            };
            self.output(output);
        }
        let Census {
            sessions,
            dialogs,
            transactions,
            requests,
            questions,
            timers,
            subscriptions,
        } = self.endpoint.census();
        let calls = self.calls.len();
        assert!(sessions <= 3 * MAX_SESSIONS, "{sessions} sessions");
        assert!(dialogs <= 33 * sessions.max(1), "{dialogs} dialogs");
        assert!(transactions <= 20 * STEPS, "{transactions} transactions");
        assert!(requests <= 4 * (calls + 4) + STEPS, "{requests} requests");
        assert!(questions <= STEPS, "{questions} questions");
        assert!(timers <= 40 * STEPS, "{timers} timers");
        assert!(subscriptions <= STEPS, "{subscriptions} subscriptions");
    }

    fn event(&mut self, event: SipEvent) {
        if let SipEvent::Incoming(call) = &event {
            let known = self.calls.insert(call.session, false);
            assert_eq!(known, None, "an id was used twice");
        }
        if let Some(session) = session_of(&event) {
            let ended = self.calls.get(&session).copied();
            assert_eq!(ended, Some(false), "{event:?} of a call that is over");
        }
        match event {
            SipEvent::OfferNeeded { session, .. } => {
                drop(self.endpoint.offer(self.now, session, Body::sdp(SDP)));
            }
            SipEvent::Redirected {
                session, targets, ..
            } => {
                assert!(!targets.is_empty() && targets.len() <= 10, "{targets:?}");
                drop(
                    self.endpoint
                        .follow_redirection(self.now, session, &targets),
                );
            }
            SipEvent::Ended { session, .. } => drop(self.calls.insert(session, true)),
            SipEvent::Trace { .. } => {
                let shown = format!("{event:?}");
                assert!(!self.tells_secret(&shown), "a password in a trace");
            }
            _ => {}
        }
    }

    fn output(&mut self, output: Output) {
        match output {
            Output::Datagram { remote, bytes } => {
                self.last_remote = remote;
                self.sent(&bytes);
            }
            Output::Stream { bytes, .. } => self.sent(&bytes),
            Output::Connect {
                connection, remote, ..
            } => {
                // Some places take no stream.
                if remote.port() % 2 == 1 {
                    let why = Some("refused".to_owned());
                    self.endpoint
                        .handle_connection_closed(self.now, connection, why);
                } else {
                    self.open.insert(connection);
                    let local = (OUR_IP, 40_000).into();
                    self.endpoint.handle_connected(self.now, connection, local);
                }
            }
            Output::Close { connection } => drop(self.open.remove(&connection)),
            Output::Resolve {
                id,
                host,
                port,
                transport,
                secure: _,
            } => {
                let answer = if host.ends_with(".invalid") {
                    Err("there is no such name".to_owned())
                } else {
                    let ip = host.parse().unwrap_or_else(|_| IpAddr::from(PEER.0));
                    let place = |port| Resolved {
                        transport: transport.unwrap_or(Transport::Udp),
                        remote: (ip, port).into(),
                        local_ip: OUR_IP,
                    };
                    let port = port.unwrap_or(5060);
                    Ok(vec![place(port), place(port.wrapping_add(1))])
                };
                self.endpoint.handle_resolved(self.now, id, answer);
            }
        }
    }

    fn sent(&mut self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        assert!(!self.tells_secret(&text), "a password on the wire");
        let Ok(message) = parse::message_in_transit(bytes) else {
            // A refusal carries the faults of what it refuses; all else must be well-formed.
            let refusal = ["SIP/2.0 4", "SIP/2.0 5"];
            let kept_alive = bytes.iter().all(|byte| b"\r\n".contains(byte));
            assert!(
                kept_alive || refusal.iter().any(|start| text.starts_with(start)),
                "{text}"
            );
            return;
        };
        if message.method().is_some() {
            self.last_request = Some(message);
        } else {
            self.last_answer = Some(message);
        }
    }

    fn end(mut self) {
        self.remove_account();
        self.drain();
        let calls: Vec<SessionId> = self.calls.keys().copied().collect();
        for call in calls {
            // It may be over.
            drop(self.endpoint.hang_up(self.now, call));
            self.drain();
        }
        self.wait(QUIET);
        for (call, ended) in &self.calls {
            assert!(*ended, "{call:?} never ended");
        }
        assert_eq!(
            self.endpoint.census(),
            Census::default(),
            "something is left"
        );
    }
}

fn stream(number: &str) -> ConnectionId {
    ConnectionId(u64::from(number.parse::<u8>().unwrap_or(0) % 8) * 2)
}

fn session_of(event: &SipEvent) -> Option<SessionId> {
    match event {
        SipEvent::Incoming(call) => Some(call.session),
        SipEvent::OfferNeeded { session, .. }
        | SipEvent::Progress { session, .. }
        | SipEvent::Answered { session, .. }
        | SipEvent::Confirmed { session, .. }
        | SipEvent::Reinvite { session, .. }
        | SipEvent::ReinviteConfirmed { session, .. }
        | SipEvent::ReinviteAnswered { session, .. }
        | SipEvent::InfoDigit { session, .. }
        | SipEvent::Redirected { session, .. }
        | SipEvent::Redirecting { session, .. }
        | SipEvent::Ended { session, .. } => Some(*session),
        _ => None,
    }
}
