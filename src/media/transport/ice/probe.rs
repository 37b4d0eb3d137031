//! Asks a STUN server how it sees one of our sockets (RFC 8445 section 5.1.1.2), and keeps the NAT's
//! binding open until the checks are done (section 5.1.1.4).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rtc::stun::attributes::ATTR_XORMAPPED_ADDRESS;
use rtc::stun::message::METHOD_BINDING;

use crate::base::random::Random;
use crate::media::transport::ice::stun::{Class, Id, Stun, Writing};
use crate::media::transport::ice::transaction::{Due, RTO_OF_SERVERS, Retransmission};

/// Between two requests that keep the binding open (RFC 8445 section 11, Tr).
const KEEPALIVE: Duration = Duration::from_secs(15);

/// One socket's question to one server.
pub(super) struct Probe {
    server: SocketAddr,
    id: Id,
    clock: Option<Retransmission>,
    mapped: Option<SocketAddr>,
    failed: bool,
    again: Option<Instant>,
    waiting: Option<Vec<u8>>,
}

impl Probe {
    /// Asks.
    pub(super) fn begin(now: Instant, random: &mut dyn Random, server: SocketAddr) -> Self {
        let mut probe = Self {
            server,
            id: Id::default(),
            clock: None,
            mapped: None,
            failed: false,
            again: None,
            waiting: None,
        };
        probe.ask(now, random);
        probe
    }

    /// Takes a datagram of the server; says whether it was its answer.
    pub(super) fn handle(&mut self, now: Instant, message: &Stun) -> bool {
        let ours = message.id() == self.id && message.method() == METHOD_BINDING;
        if !ours || self.clock.is_none() {
            return false;
        }
        self.clock = None;
        self.again = Some(now + KEEPALIVE);
        match message.address(ATTR_XORMAPPED_ADDRESS) {
            Some(mapped) if message.class() == Class::Success => {
                self.mapped = self.mapped.or(Some(mapped));
            }
            Some(_) | None => self.failed = true,
        }
        true
    }

    /// Does what time asks for.
    pub(super) fn handle_timeout(&mut self, now: Instant, random: &mut dyn Random) {
        match self.clock.as_mut().map(|clock| clock.poll(now)) {
            Some(Due::Again) => self.waiting = Some(self.request()),
            Some(Due::TimedOut) => {
                self.failed = true;
                self.clock = None;
                self.again = Some(now + KEEPALIVE);
            }
            Some(Due::Later) | None => {}
        }
        if self.again.is_some_and(|again| now >= again) {
            self.ask(now, random);
        }
    }

    /// The binding is in use, or of no use: no more questions.
    pub(super) fn stop(&mut self) {
        (self.clock, self.again, self.waiting) = (None, None, None);
    }

    /// The next datagram for the server.
    pub(super) fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.waiting.take()
    }

    /// Where it is.
    pub(super) fn server(&self) -> SocketAddr {
        self.server
    }

    /// How it sees the socket.
    pub(super) fn mapped(&self) -> Option<SocketAddr> {
        self.mapped
    }

    /// Whether its first answer is still to come.
    pub(super) fn is_waiting(&self) -> bool {
        self.mapped.is_none() && !self.failed && self.clock.is_some()
    }

    /// When something is due.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let clock = self.clock.as_ref().map(Retransmission::next);
        clock.into_iter().chain(self.again).min()
    }

    fn ask(&mut self, now: Instant, random: &mut dyn Random) {
        random.fill(&mut self.id);
        self.again = None;
        self.clock = Some(Retransmission::begin(now, RTO_OF_SERVERS));
        self.waiting = Some(self.request());
    }

    fn request(&self) -> Vec<u8> {
        Writing::new(Class::Request, METHOD_BINDING, self.id).finish_with_fingerprint()
    }
}
