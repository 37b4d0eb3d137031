//! Which local address the machine's routes choose towards a peer.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long an answer is believed; routes change when a cable or a VPN does.
const LIFETIME: Duration = Duration::from_secs(5);

/// How many answers are kept; past it all are forgotten.
const MAX_ANSWERS: usize = 256;

/// Counts the changes of the machine's network; what was learned before the last one is void.
static CHANGES: AtomicU64 = AtomicU64::new(0);

/// Lets all answers be asked for again.
pub(super) fn forget_all() {
    CHANGES.fetch_add(1, Ordering::Relaxed);
}

/// Answers which local address is used towards a peer: the bound one, or, when bound to all, the
/// one that the routes choose.
#[derive(Debug)]
pub(crate) struct Routes {
    bound: IpAddr,
    answers: HashMap<IpAddr, (Instant, IpAddr)>,
    /// The change after which the answers were given.
    since: u64,
}

impl Routes {
    /// For sockets that are bound to `bound`.
    pub(crate) fn new(bound: IpAddr) -> Self {
        Self {
            bound,
            answers: HashMap::new(),
            since: CHANGES.load(Ordering::Relaxed),
        }
    }

    /// The address that the sockets are bound to.
    pub(crate) fn bound(&self) -> IpAddr {
        self.bound
    }

    /// The local address towards `remote`; costs two system calls when it is not known yet.
    pub(crate) fn local_ip(&mut self, now: Instant, remote: IpAddr) -> io::Result<IpAddr> {
        if !self.bound.is_unspecified() {
            return Ok(self.bound);
        }
        let changes = CHANGES.load(Ordering::Relaxed);
        if changes != self.since {
            self.since = changes;
            self.answers.clear();
        }
        if let Some((asked, local)) = self.answers.get(&remote)
            && now.saturating_duration_since(*asked) < LIFETIME
        {
            return Ok(*local);
        }
        let local = ask_routes(remote)?;
        if self.answers.len() >= MAX_ANSWERS {
            self.answers.clear();
        }
        self.answers.insert(remote, (now, local));
        Ok(local)
    }
}

/// Connecting a datagram socket sends nothing, but makes the system choose a source address.
pub(super) fn ask_routes(remote: IpAddr) -> io::Result<IpAddr> {
    let any: IpAddr = match remote {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0))?;
    // The port is of no meaning; 0 is refused by some systems.
    socket.connect(SocketAddr::new(remote, 5060))?;
    Ok(socket.local_addr()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::monotonic_now;

    #[test]
    fn loopback_is_reached_from_loopback() {
        let mut routes = Routes::new(Ipv4Addr::UNSPECIFIED.into());
        let loopback = IpAddr::from(Ipv4Addr::LOCALHOST);
        assert_eq!(
            routes.local_ip(monotonic_now(), loopback).unwrap(),
            loopback
        );
    }

    #[test]
    fn a_bound_address_is_the_answer_to_everything() {
        let bound = IpAddr::from([192, 0, 2, 7]);
        let mut routes = Routes::new(bound);
        let far = IpAddr::from([198, 51, 100, 1]);
        assert_eq!(routes.local_ip(monotonic_now(), far).unwrap(), bound);
        assert!(routes.answers.is_empty());
    }

    #[test]
    fn answers_are_kept_for_a_while_and_never_without_limit() {
        let mut routes = Routes::new(Ipv4Addr::UNSPECIFIED.into());
        let start = monotonic_now();
        let peer = IpAddr::from(Ipv4Addr::LOCALHOST);
        let stale = IpAddr::from([192, 0, 2, 1]);
        routes.answers.insert(peer, (start, stale));
        assert_eq!(routes.local_ip(start, peer).unwrap(), stale);
        assert_eq!(routes.local_ip(start + LIFETIME, peer).unwrap(), peer);
        routes.answers.insert(peer, (start, stale));
        forget_all();
        assert_eq!(
            routes.local_ip(start, peer).unwrap(),
            peer,
            "another network"
        );
        for last in 0..=255 {
            for third in 0..3 {
                let peer = IpAddr::from([127, 0, third, last]);
                assert!(routes.local_ip(start, peer).is_ok());
            }
        }
        assert!(routes.answers.len() <= MAX_ANSWERS);
    }
}
