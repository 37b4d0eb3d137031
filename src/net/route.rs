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

/// The port towards which routes are asked for.
pub(super) const ANY_PORT: u16 = 5060;

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
    answers: HashMap<SocketAddr, (Instant, IpAddr)>,
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
    pub(crate) fn local_ip(&mut self, now: Instant, mut remote: SocketAddr) -> io::Result<IpAddr> {
        if !self.bound.is_unspecified() {
            return Ok(self.bound);
        }
        // The port is of no meaning, but the scope of a link-local address is; 0 is refused by some
        // systems.
        remote.set_port(ANY_PORT);
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
pub(super) fn ask_routes(remote: SocketAddr) -> io::Result<IpAddr> {
    let any: IpAddr = match remote {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0))?;
    socket.connect(remote)?;
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
        let peer = SocketAddr::new(loopback, 5060);
        assert_eq!(routes.local_ip(monotonic_now(), peer).unwrap(), loopback);
    }

    #[test]
    fn a_bound_address_is_the_answer_to_everything() {
        let bound = IpAddr::from([192, 0, 2, 7]);
        let mut routes = Routes::new(bound);
        let far = SocketAddr::from(([198, 51, 100, 1], 5060));
        assert_eq!(routes.local_ip(monotonic_now(), far).unwrap(), bound);
        assert!(routes.answers.is_empty());
    }

    #[test]
    fn answers_are_kept_for_a_while_and_never_without_limit() {
        let mut routes = Routes::new(Ipv4Addr::UNSPECIFIED.into());
        let start = monotonic_now();
        let here = IpAddr::from(Ipv4Addr::LOCALHOST);
        let peer = SocketAddr::new(here, 5060);
        let stale = IpAddr::from([192, 0, 2, 1]);
        routes.answers.insert(peer, (start, stale));
        assert_eq!(routes.local_ip(start, peer).unwrap(), stale);
        assert_eq!(routes.local_ip(start + LIFETIME, peer).unwrap(), here);
        routes.answers.insert(peer, (start, stale));
        forget_all();
        assert_eq!(
            routes.local_ip(start, peer).unwrap(),
            here,
            "another network"
        );
        for last in 0..=255 {
            for third in 0..3 {
                let peer = SocketAddr::from(([127, 0, third, last], 5060));
                assert!(routes.local_ip(start, peer).is_ok());
            }
        }
        assert!(routes.answers.len() <= MAX_ANSWERS);
    }
}
