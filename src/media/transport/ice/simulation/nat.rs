//! NATs as RFC 4787 tells them apart.

use std::net::{IpAddr, SocketAddr};

/// What stands before a side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum NatKind {
    /// Nothing: the inner address is seen outside.
    None,
    /// One outer port for each inner one; in comes who was sent to.
    EndpointIndependent,
    /// One outer port for each pair of inner and far address; in comes that far address.
    EndpointDependent,
    /// A firewall that lets through what goes to and comes from the server's port alone.
    ServerOnly,
}

pub(super) struct Nat {
    kind: NatKind,
    outer: IpAddr,
    inner: IpAddr,
    /// Inner address, far address, outer port.
    bindings: Vec<(SocketAddr, SocketAddr, u16)>,
}

impl Nat {
    pub(super) fn new(kind: NatKind, side: u8) -> Self {
        Self {
            kind,
            outer: [203, 0, 113, side + 1].into(),
            inner: [10, 0, side, 2].into(),
            bindings: Vec::new(),
        }
    }

    /// From which address a datagram is seen outside; none where it does not get there.
    pub(super) fn outward(&mut self, from: SocketAddr, to: SocketAddr) -> Option<SocketAddr> {
        let private = |ip: IpAddr| matches!(ip, IpAddr::V4(v4) if v4.octets()[0] == 10);
        match self.kind {
            NatKind::None => return Some(from),
            NatKind::ServerOnly if to.port() != 3478 => return None,
            // Another site's inner address leads nowhere.
            _ if private(to.ip()) => return None,
            _ => {}
        }
        let dependent = self.kind == NatKind::EndpointDependent;
        let known = self
            .bindings
            .iter()
            .find(|(inner, far, _)| *inner == from && (!dependent || *far == to))
            .map(|(_, _, port)| *port);
        let next = u16::try_from(40_000 + 7 * self.bindings.len()).unwrap();
        let port = known.unwrap_or(next);
        if !self.bindings.contains(&(from, to, port)) {
            self.bindings.push((from, to, port));
        }
        Some(SocketAddr::new(self.outer, port))
    }

    /// To which inner address a datagram is let in.
    pub(super) fn inward(&self, from: SocketAddr, to: SocketAddr) -> Option<SocketAddr> {
        if self.kind == NatKind::None {
            return (to.ip() == self.inner).then_some(to);
        }
        let mut bindings = self.bindings.iter();
        let open = |(_, far, port): &&(SocketAddr, SocketAddr, u16)| {
            *far == from && SocketAddr::new(self.outer, *port) == to
        };
        bindings.find(open).map(|(inner, _, _)| *inner)
    }
}
