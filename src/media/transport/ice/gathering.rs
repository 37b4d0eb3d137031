//! Where a socket may be reached: its own address, what a STUN server sees of it, and a relayed one
//! (RFC 8445 section 5.1).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Instant;

use crate::base::random::Random;
use crate::media::transport::ice::pair::{Base, Way};
use crate::media::transport::ice::probe::Probe;
use crate::media::transport::ice::stun::Stun;
use crate::media::transport::ice::turn::{Carried, TurnClient, TurnServer};
use crate::sdp::ice::is_unicast;
use crate::sdp::{Candidate, CandidateKind};

/// All our candidates of one kind are as good as each other: there is one for each component.
const LOCAL_PREFERENCE: u16 = u16::MAX;
/// The port that stands for none where an address is not to be told.
const DISCARD: u16 = 9;

/// By which servers a call finds out where it may be reached.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IceServers {
    /// A STUN server.
    pub stun: Option<SocketAddr>,
    /// A TURN server.
    pub turn: Option<TurnServer>,
    /// Whether the far end may learn and reach nothing but the TURN server.
    pub relay_only: bool,
}

/// One socket of a call.
pub(super) struct Socket {
    pub(super) component: u8,
    address: SocketAddr,
    relay_only: bool,
    probe: Option<Probe>,
    pub(super) relay: Option<TurnClient>,
}

impl Socket {
    /// Asks the servers.
    pub(super) fn begin(
        now: Instant,
        random: &mut dyn Random,
        servers: &IceServers,
        component: u8,
        address: SocketAddr,
    ) -> Self {
        let reaches = |server: &SocketAddr| server.is_ipv4() == address.is_ipv4();
        let stun = servers.stun.filter(|it| reaches(it) && !servers.relay_only);
        let turn = servers.turn.as_ref().filter(|it| reaches(&it.address));
        let mut relay = turn.cloned().map(TurnClient::new);
        if let Some(relay) = &mut relay {
            relay.begin(now, random);
        }
        Self {
            component,
            address,
            relay_only: servers.relay_only,
            probe: stun.map(|server| Probe::begin(now, random, server)),
            relay,
        }
    }

    /// Whether a server has not yet said what it can.
    pub(super) fn is_waiting(&self) -> bool {
        self.probe.as_ref().is_some_and(Probe::is_waiting)
            || self.relay.as_ref().is_some_and(TurnClient::is_allocating)
    }

    /// Takes what comes of the servers; gives what was carried, or says that it is of nobody here.
    pub(super) fn handle(
        &mut self,
        now: Instant,
        random: &mut dyn Random,
        from: SocketAddr,
        datagram: &[u8],
    ) -> Result<Option<Carried>, NotOurs> {
        if let Some(probe) = self.probe.as_mut().filter(|it| it.server() == from)
            && let Some(message) = Stun::read(datagram)
            && probe.handle(now, &message)
        {
            return Ok(None);
        }
        match self.relay.as_mut().filter(|it| it.server() == from) {
            Some(relay) => Ok(relay.handle(now, random, datagram)),
            None => Err(NotOurs),
        }
    }

    /// Does what time asks for.
    pub(super) fn handle_timeout(&mut self, now: Instant, random: &mut dyn Random) {
        if let Some(probe) = &mut self.probe {
            probe.handle_timeout(now, random);
        }
        if let Some(relay) = &mut self.relay {
            relay.handle_timeout(now, random);
        }
    }

    /// The checks are done: bindings need not be kept open by questions any more.
    pub(super) fn settle(&mut self) {
        if let Some(probe) = &mut self.probe {
            probe.stop();
        }
    }

    /// The next datagram for a server.
    pub(super) fn poll_transmit(&mut self) -> Option<(SocketAddr, Vec<u8>)> {
        let asked = self.probe.as_mut().and_then(|probe| {
            let bytes = probe.poll_transmit()?;
            Some((probe.server(), bytes))
        });
        asked.or_else(|| {
            let relay = self.relay.as_mut()?;
            let bytes = relay.poll_transmit()?;
            Some((relay.server(), bytes))
        })
    }

    /// When something is due.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let probe = self.probe.as_ref().and_then(Probe::next_timeout);
        let relay = self.relay.as_ref().and_then(TurnClient::next_timeout);
        probe.into_iter().chain(relay).min()
    }

    /// Its candidates, the one for the connection line first: what the far end is most likely to
    /// reach without a relay, unless only that may be told.
    pub(super) fn candidates(&self) -> Vec<Candidate> {
        let of = |kind: CandidateKind, address, related| Candidate {
            // Equal for equal kinds: there is one base and one server.
            foundation: kind.word().to_owned(),
            component: self.component,
            priority: kind.priority(self.component, LOCAL_PREFERENCE),
            address,
            kind,
            related,
        };
        let host = of(CandidateKind::Host, self.address, None);
        let relayed = self.relay.as_ref().and_then(TurnClient::relayed);
        let mapped = self.mapped();
        let seen_from = if self.relay_only {
            nowhere(self.address.ip())
        } else {
            mapped.unwrap_or(self.address)
        };
        let relayed = relayed
            .filter(|it| is_unicast(it.ip()))
            .map(|it| of(CandidateKind::Relayed, it, Some(seen_from)));
        let mapped = mapped
            .filter(|it| *it != self.address)
            .map(|it| of(CandidateKind::ServerReflexive, it, Some(self.address)));
        let direct = mapped.into_iter().chain([host]);
        direct.filter(|_| !self.relay_only).chain(relayed).collect()
    }

    /// From where checks go.
    pub(super) fn bases(&self) -> Vec<Base> {
        let candidates = self.candidates().into_iter();
        let bases = candidates.filter_map(|candidate| {
            let relayed = match candidate.kind {
                CandidateKind::Host => false,
                CandidateKind::Relayed => true,
                CandidateKind::ServerReflexive | CandidateKind::PeerReflexive => return None,
            };
            let component = self.component;
            let way = Way { component, relayed };
            Some(Base { way, candidate })
        });
        bases.collect()
    }

    fn mapped(&self) -> Option<SocketAddr> {
        let probed = self.probe.as_ref().and_then(Probe::mapped);
        let seen = || self.relay.as_ref().and_then(TurnClient::mapped);
        probed.or_else(seen).filter(|it| is_unicast(it.ip()))
    }
}

/// A datagram that is for nobody here.
pub(super) struct NotOurs;

/// What stands for an address that is not to be told.
fn nowhere(like: IpAddr) -> SocketAddr {
    let ip: IpAddr = match like {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    SocketAddr::new(ip, DISCARD)
}
