//! One endpoint alone, fed by hand.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::base::clock;
use crate::base::flow::{ConnectionId, Output, Resolved, Transport};
use crate::base::id::AccountId;
use crate::base::random::SeededRandom;
use crate::base::uri::Uri;
use crate::sip::message::Message;
use crate::sip::{
    Body, EndedBy, Endpoint, EndpointConfig, IncomingCall, Reliability, SessionId, SipEvent, parse,
};

/// An endpoint at 10.0.0.1 with a peer at 10.0.0.200, whose resolver answers at once.
pub(in crate::sip) struct Bench {
    pub(in crate::sip) endpoint: Endpoint,
    pub(in crate::sip) now: Instant,
    pub(in crate::sip) events: Vec<SipEvent>,
    pub(in crate::sip) traces: Vec<String>,
    /// Our address, by the resolver.
    pub(in crate::sip) ours: IpAddr,
    /// What names resolve to; others lead to 10.0.0.201.
    pub(in crate::sip) names: HashMap<String, Vec<(Transport, SocketAddr)>>,
}

/// Longer than anything of an ended call is kept.
pub(super) const LONG: Duration = Duration::from_secs(200);

pub(in crate::sip) const OURS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

pub(in crate::sip) const OURS_V6: IpAddr =
    IpAddr::V6(std::net::Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));

pub(in crate::sip) fn peer() -> SocketAddr {
    (IpAddr::from([10, 0, 0, 200]), 5070).into()
}

/// Where the resolver sends every name that it is not told of.
pub(super) fn server() -> SocketAddr {
    (IpAddr::from([10, 0, 0, 201]), 5060).into()
}

impl Bench {
    /// An endpoint that takes direct calls.
    pub(in crate::sip) fn new() -> Self {
        Self::with_sessions(10)
    }

    /// An endpoint that takes calls for its accounts alone, so many requests a second and source.
    pub(in crate::sip) fn for_accounts(requests_per_second: Option<u32>) -> Self {
        Self::with(EndpointConfig {
            accept_direct_calls: false,
            requests_per_second,
            ..Self::config(10)
        })
    }

    pub(in crate::sip) fn with_sessions(max_sessions: usize) -> Self {
        Self::with(Self::config(max_sessions))
    }

    fn config(max_sessions: usize) -> EndpointConfig {
        EndpointConfig {
            udp_port: 5060,
            tcp_port: Some(5060),
            tls_port: None,
            accept_direct_calls: true,
            user_agent: "Bench".to_owned(),
            max_sessions,
            direct_ring_limit: Duration::from_secs(120),
            requests_per_second: None,
            direct_extensions: crate::sip::CallExtensions::default(),
        }
    }

    fn with(config: EndpointConfig) -> Self {
        Self {
            endpoint: Endpoint::new(config, Box::new(SeededRandom::new(1))),
            now: clock::monotonic_now(),
            events: Vec::new(),
            traces: Vec::new(),
            ours: OURS,
            names: HashMap::new(),
        }
    }

    /// Takes what the endpoint wants, answering its questions; gives what it sends.
    pub(in crate::sip) fn drain(&mut self) -> Vec<Output> {
        let mut all = Vec::new();
        loop {
            while let Some(event) = self.endpoint.poll_event() {
                match event {
                    SipEvent::Trace { message, .. } => self.traces.push(message.redacted()),
                    event => self.events.push(event),
                }
            }
            let Some(output) = self.endpoint.poll_output() else {
                return all;
            };
            if let Output::Resolve {
                id,
                host,
                port,
                transport,
                secure: _,
            } = output
            {
                if host.ends_with(".silent") {
                    continue;
                }
                if host.ends_with(".invalid") {
                    let why = Err("no such name".to_owned());
                    self.endpoint.handle_resolved(self.now, id, why);
                    continue;
                }
                if let Some(places) = self.names.get(&host) {
                    let places = places.iter().map(|(transport, remote)| Resolved {
                        transport: *transport,
                        remote: *remote,
                        local_ip: self.ours,
                    });
                    let answer = Ok(places.collect());
                    self.endpoint.handle_resolved(self.now, id, answer);
                    continue;
                }
                let ip = host
                    .parse()
                    .unwrap_or_else(|_| IpAddr::from([10, 0, 0, 201]));
                let place = Resolved {
                    transport: transport.unwrap_or(Transport::Udp),
                    remote: (ip, port.unwrap_or(5060)).into(),
                    local_ip: if ip.is_ipv6() { OURS_V6 } else { self.ours },
                };
                self.endpoint.handle_resolved(self.now, id, Ok(vec![place]));
            } else {
                all.push(output);
            }
        }
    }

    /// Messages that leave by UDP.
    pub(in crate::sip) fn sent(&mut self) -> Vec<Message> {
        self.drain()
            .into_iter()
            .filter_map(|output| match output {
                Output::Datagram { bytes, .. } => parse::message(&bytes).ok(),
                Output::Connect { .. }
                | Output::Stream { .. }
                | Output::Close { .. }
                | Output::Resolve { .. } => None,
            })
            .collect()
    }

    /// Gives a datagram of the peer; returns what is sent for it.
    pub(in crate::sip) fn datagram(&mut self, text: &str) -> Vec<Message> {
        self.datagram_bytes(text.as_bytes())
    }

    pub(in crate::sip) fn datagram_bytes(&mut self, bytes: &[u8]) -> Vec<Message> {
        self.endpoint.handle_datagram(self.now, peer(), OURS, bytes);
        self.sent()
    }

    /// Gives the answer of somebody, by address and tag, to a request of ours; returns what is sent
    /// for it.
    pub(super) fn reply(
        &mut self,
        from: SocketAddr,
        tag: &str,
        request: &Message,
        code: u16,
        fields: &[(&str, &str)],
    ) -> Vec<Message> {
        let mut response = Message::response(request, code, "Answer", Some(tag));
        for (name, value) in fields {
            response.headers.push(*name, *value);
        }
        self.endpoint
            .handle_datagram(self.now, from, OURS, &response.to_bytes());
        self.sent()
    }

    /// The status codes that answer a datagram.
    pub(in crate::sip) fn codes(&mut self, text: &str) -> Vec<u16> {
        codes(&self.datagram(text))
    }

    /// Lets time pass; returns what is sent meanwhile.
    pub(in crate::sip) fn wait(&mut self, span: Duration) -> Vec<Message> {
        let end = self.now + span;
        let mut all = self.sent();
        while let Some(due) = self.endpoint.poll_timeout().filter(|due| *due <= end) {
            self.now = due.max(self.now);
            self.endpoint.handle_timeout(self.now);
            all.extend(self.sent());
        }
        self.now = end;
        all
    }

    pub(in crate::sip) fn accept_stream(&mut self) -> ConnectionId {
        let connection = ConnectionId(2);
        let local = (OURS, 5060).into();
        self.endpoint
            .handle_accepted(self.now, connection, Transport::Tcp, peer(), local);
        connection
    }

    /// Gives octets of a stream; returns what is written to it and whether it was closed.
    pub(in crate::sip) fn stream(
        &mut self,
        connection: ConnectionId,
        text: &str,
    ) -> (String, bool) {
        self.endpoint
            .handle_stream(self.now, connection, text.as_bytes());
        let (mut written, mut closed) = (String::new(), false);
        for output in self.drain() {
            match output {
                Output::Stream { bytes, .. } => written += &String::from_utf8_lossy(&bytes),
                Output::Close { .. } => closed = true,
                Output::Datagram { .. } | Output::Connect { .. } | Output::Resolve { .. } => {}
            }
        }
        (written, closed)
    }

    pub(in crate::sip) fn incoming(&self) -> Option<&IncomingCall> {
        self.events.iter().rev().find_map(|event| match event {
            SipEvent::Incoming(call) => Some(&**call),
            _ => None,
        })
    }

    pub(in crate::sip) fn session(&self) -> SessionId {
        self.incoming().expect("a call came").session
    }

    /// The only call, whoever made it.
    pub(in crate::sip) fn any_session(&self) -> SessionId {
        *self
            .endpoint
            .sessions
            .keys()
            .next()
            .expect("a call is open")
    }

    /// Calls somebody, offer included; what is sent waits to be drained.
    pub(super) fn call(&mut self, account: Option<AccountId>, target: &str) -> SessionId {
        let target = Uri::parse(target).unwrap();
        let session = self
            .endpoint
            .invite(self.now, account, &target, &[])
            .unwrap();
        self.drain();
        self.endpoint
            .offer(self.now, session, Body::sdp("v=0"))
            .unwrap();
        session
    }

    pub(in crate::sip) fn answer(&mut self) -> Message {
        let session = self.session();
        self.endpoint
            .answer(self.now, session, Body::sdp("v=0"))
            .unwrap();
        self.sent().remove(0)
    }

    /// Who ended the last call, and with which status.
    pub(super) fn ended(&self) -> Option<(EndedBy, u16)> {
        match self.end() {
            Some(SipEvent::Ended { by, status, .. }) => Some((*by, status.code)),
            _ => None,
        }
    }

    /// The end of the last call.
    pub(in crate::sip) fn end(&self) -> Option<&SipEvent> {
        self.events
            .iter()
            .rev()
            .find(|event| matches!(event, SipEvent::Ended { .. }))
    }
}

/// The status codes of the responses among these messages.
pub(super) fn codes(sent: &[Message]) -> Vec<u16> {
    sent.iter().filter_map(Message::code).collect()
}

/// A request of the peer. `head` is the start line's method and Request-URI; `more` are further
/// header fields and the body, and begins after the common fields.
pub(in crate::sip) fn request(
    method: &str,
    uri: &str,
    branch: &str,
    to: &str,
    cseq: u32,
    more: &str,
) -> String {
    let (fields, body) = more.split_once("\r\n\r\n").unwrap_or((more, ""));
    let fields = if fields.is_empty() {
        String::new()
    } else {
        format!("{fields}\r\n")
    };
    format!(
        "{method} {uri} SIP/2.0\r\n\
         Via: SIP/2.0/UDP 10.0.0.200:5070;rport;branch=z9hG4bK{branch}\r\n\
         Max-Forwards: 70\r\n\
         From: \"Peer\" <sip:peer@10.0.0.200>;tag=p1\r\n\
         To: {to}\r\n\
         Call-ID: call-1\r\n\
         CSeq: {cseq} {method}\r\n\
         Contact: <sip:peer@10.0.0.200:5070>\r\n\
         {fields}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The Request-URI that leads to us.
pub(in crate::sip) const US: &str = "sip:us@10.0.0.1";
pub(in crate::sip) const TO_US: &str = "<sip:us@10.0.0.1>";
pub(in crate::sip) const SDP_BODY: &str = "Content-Type: application/sdp\r\n\r\nv=0\r\n";

/// An INVITE of the peer with an offer.
pub(in crate::sip) fn invite(branch: &str) -> String {
    request("INVITE", US, branch, TO_US, 1, SDP_BODY)
}

/// Brings a bench to an established call; gives our To with its tag.
pub(in crate::sip) fn established(bench: &mut Bench) -> String {
    bench.datagram(&invite("i"));
    let ok = bench.answer();
    let to = ok.header("To").unwrap().to_owned();
    bench.datagram(&request("ACK", US, "a", &to, 1, ""));
    assert!(
        bench
            .events
            .iter()
            .any(|event| matches!(event, SipEvent::Confirmed { .. }))
    );
    to
}

/// A call that we make, whose far end is played by the test.
pub(in crate::sip) struct Caller {
    pub(in crate::sip) bench: Bench,
    pub(in crate::sip) session: SessionId,
    pub(in crate::sip) invite: Message,
}

impl Caller {
    pub(in crate::sip) fn new() -> Self {
        Self::with(Reliability::Supported)
    }

    pub(in crate::sip) fn with(reliable: Reliability) -> Self {
        let mut bench = Bench::new();
        bench.endpoint.config.direct_extensions.reliable = reliable;
        let session = bench.call(None, "sip:x@10.0.0.200:5070");
        let invite = bench.sent().remove(0);
        Self {
            bench,
            session,
            invite,
        }
    }

    /// An answer to the INVITE by the phone with a tag.
    pub(in crate::sip) fn answer(
        &self,
        code: u16,
        tag: &str,
        rseq: Option<u32>,
        body: &str,
    ) -> Message {
        let mut answer = Message::response(&self.invite, code, "Answer", Some(tag));
        let headers = &mut answer.headers;
        headers.push("Contact", format!("<sip:{tag}@10.0.0.200:5099>"));
        if let Some(rseq) = rseq {
            headers.push("Require", "100rel");
            headers.push("RSeq", rseq.to_string());
        }
        if !body.is_empty() {
            answer.set_body(&Body::sdp(body));
        }
        answer
    }

    pub(in crate::sip) fn take(&mut self, answer: &Message) -> Vec<Message> {
        self.bench.datagram_bytes(&answer.to_bytes())
    }

    pub(in crate::sip) fn ok(&mut self, request: &Message) -> Vec<Message> {
        let ok = Message::response(request, 200, "OK", None);
        self.take(&ok)
    }

    /// What the owner was told of progress: fork, status, and whether there was a body.
    pub(in crate::sip) fn progress(&self) -> Vec<(String, u16, bool)> {
        self.bench
            .events
            .iter()
            .filter_map(|event| match event {
                SipEvent::Progress {
                    fork, status, body, ..
                } => Some((fork.clone(), status.code, body.is_some())),
                _ => None,
            })
            .collect()
    }
}
