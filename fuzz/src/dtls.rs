//! A script of datagrams to the handshakes of a call: what a network brings before, in and after one.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ringdesk::base::clock::monotonic_now;
use ringdesk::media::transport::{DtlsEvent, DtlsTransport, Identity};
use ringdesk::sdp::{DtlsPlan, DtlsRole};

/// The most that the phone may say at once.
const MOST_WAITING: usize = 64;

fn address(number: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, number], 4_000))
}

/// Nobody but the far end that has the certificate gets keys, and both get the same; what is sent is bounded;
/// and each call gets its keys or, after 30 s, is told that it gets none. Only who waits may get others later:
/// of a client that never learned that it was done.
///
/// Two sides are connected by a network that the bytes command: each step is an octet that says what happens
/// to the next datagram, and for some what is changed in it.
pub(crate) fn check(bytes: &[u8]) {
    let mut world = World::new();
    let mut script = bytes.iter().copied();
    while let Some(step) = script.next() {
        world.gather();
        let now = world.now;
        let first = step & 1 == 0;
        let side = world.side(first);
        match step >> 1 & 7 {
            // As it should be.
            0..=2 => {
                if let Some(datagram) = side.next() {
                    side.take(now, &datagram);
                }
            }
            3 => drop(side.next()),
            // Changed in one place.
            4 => {
                let at = usize::from(script.next().unwrap_or(0)) * 5;
                let by = script.next().unwrap_or(1);
                if let Some(mut datagram) = side.next() {
                    let length = datagram.len().max(1);
                    if let Some(octet) = datagram.get_mut(at % length) {
                        *octet ^= by;
                    }
                    side.take(now, &datagram);
                }
            }
            // By somebody, from the far end's address or another one.
            5 => {
                let length = usize::from(script.next().unwrap_or(0));
                let datagram: Vec<u8> = script.by_ref().take(length).collect();
                let source = if step & 16 == 0 {
                    side.peer
                } else {
                    address(9)
                };
                side.dtls.handle(now, source, &datagram);
            }
            // Once more.
            6 => {
                if let Some(datagram) = side.delivered.clone() {
                    side.take(now, &datagram);
                }
            }
            _ => world.now += Duration::from_millis(50 * u64::from(step >> 4)),
        }
        world.tick();
    }
    // Time passes, and the network is sound.
    for _ in 0..320 {
        world.now += Duration::from_millis(100);
        let now = world.now;
        for first in [true, false] {
            world.gather();
            let side = world.side(first);
            while let Some(datagram) = side.next() {
                side.take(now, &datagram);
            }
        }
        world.tick();
    }
    world.gather();
    world.judge();
}

struct Side {
    dtls: DtlsTransport,
    peer: SocketAddr,
    /// What is on its way to it, and what came last.
    coming: VecDeque<Vec<u8>>,
    delivered: Option<Vec<u8>>,
    told: Vec<DtlsEvent>,
}

impl Side {
    fn new(now: Instant, role: DtlsRole, ours: Identity, theirs: &Identity, peer: u8) -> Self {
        let mut dtls = DtlsTransport::default();
        dtls.identify(Some(ours));
        let plan = DtlsPlan {
            role,
            fingerprints: vec![theirs.fingerprint().clone()],
            tls_id: None,
        };
        let peer = address(peer);
        assert!(dtls.apply(now, Some(&plan), Some(peer)));
        Self {
            dtls,
            peer,
            coming: VecDeque::new(),
            delivered: None,
            told: Vec::new(),
        }
    }

    fn next(&mut self) -> Option<Vec<u8>> {
        let next = self.coming.pop_front()?;
        self.delivered = Some(next.clone());
        Some(next)
    }

    fn take(&mut self, now: Instant, datagram: &[u8]) {
        self.dtls.handle(now, self.peer, datagram);
    }

    /// What it says goes to the other one; a stranger is answered where it is, which is nowhere here.
    fn gather(&mut self, other: &mut Self) {
        let mut count = 0;
        while let Some((to, datagram)) = self.dtls.poll_transmit() {
            count += 1;
            assert!(datagram.len() <= 1_500);
            if to == self.peer && other.coming.len() < MOST_WAITING {
                other.coming.push_back(datagram);
            }
        }
        assert!(count <= MOST_WAITING);
        while let Some(event) = self.dtls.poll_event() {
            self.told.push(event);
        }
    }
}

struct World {
    now: Instant,
    /// Who begins, and who waits.
    first: Side,
    second: Side,
}

impl World {
    fn new() -> Self {
        let now = monotonic_now();
        let identity = || Identity::make().expect("there are random numbers");
        let (ours, theirs) = (identity(), identity());
        Self {
            now,
            first: Side::new(now, DtlsRole::Active, ours.clone(), &theirs, 2),
            second: Side::new(now, DtlsRole::Passive, theirs, &ours, 1),
        }
    }

    fn side(&mut self, first: bool) -> &mut Side {
        if first {
            &mut self.first
        } else {
            &mut self.second
        }
    }

    fn gather(&mut self) {
        self.first.gather(&mut self.second);
        self.second.gather(&mut self.first);
    }

    fn tick(&mut self) {
        self.first.dtls.handle_timeout(self.now);
        self.second.dtls.handle_timeout(self.now);
    }

    fn judge(&self) {
        let (ours, theirs) = (&self.first.told, &self.second.told);
        assert_eq!(ours.len(), 1, "who begins is told once");
        assert!(!theirs.is_empty(), "who waits is told");
        let fails = |event: &DtlsEvent| matches!(event, DtlsEvent::Failed(_));
        assert!(theirs.len() == 1 || !theirs.iter().any(fails));
        if let (Some(DtlsEvent::Keys(ours)), Some(DtlsEvent::Keys(theirs))) =
            (ours.last(), theirs.last())
        {
            assert_eq!(ours.send, theirs.receive);
            assert_eq!(ours.receive, theirs.send);
        }
    }
}
