//! A script of datagrams to the handshakes of a call: what a network brings before, in and after one.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ringdesk::media::transport::{DtlsEvent, DtlsTransport, Identity};
use ringdesk::sdp::{DtlsPlan, DtlsRole};

/// The most that the phone may say at once.
const MOST_WAITING: usize = 64;

fn address(number: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, number], 4_000))
}

/// Nobody but the far end that has the certificate gets keys, and both get the same; what is kept and sent
/// is bounded; and each call gets its keys or, after 30 s, is told that it gets none. Only who waits may get
/// others later: of a client that never learned that it was done.
///
/// Two sides are connected by a network that the bytes command: each step is an octet that says what
/// happens to the next datagram, and for some what is changed in it.
pub(crate) fn check(bytes: &[u8]) {
    let identities = [0, 1].map(|_| Identity::make().expect("there are random numbers"));
    let mut sides = [DtlsTransport::default(), DtlsTransport::default()];
    let mut now = Instant::now();
    let roles = [DtlsRole::Active, DtlsRole::Passive];
    for (at, side) in sides.iter_mut().enumerate() {
        let theirs = identities[1 - at].fingerprint().clone();
        side.identify(identities[at].clone());
        let plan = DtlsPlan {
            role: roles[at],
            fingerprints: vec![theirs],
            tls_id: None,
        };
        let remote = address(if at == 0 { 2 } else { 1 });
        assert!(side.apply(now, Some(&plan), Some(remote)));
    }
    let mut network = Network::default();
    let mut script = bytes.iter().copied();
    while let Some(step) = script.next() {
        network.gather(&mut sides);
        let to = usize::from(step & 1);
        let source = address(if to == 0 { 2 } else { 1 });
        match step >> 1 & 7 {
            // As it should be.
            0..=2 => {
                if let Some(datagram) = network.next(to) {
                    sides[to].handle(now, source, &datagram);
                }
            }
            3 => drop(network.next(to)),
            // Changed in one place, and what was true comes after it or not.
            4 => {
                let at = usize::from(script.next().unwrap_or(0)) * 5;
                let by = script.next().unwrap_or(1);
                if let Some(mut datagram) = network.next(to) {
                    let length = datagram.len().max(1);
                    if let Some(octet) = datagram.get_mut(at % length) {
                        *octet ^= by;
                    }
                    sides[to].handle(now, source, &datagram);
                }
            }
            // By somebody, from the far end's address or another one.
            5 => {
                let length = usize::from(script.next().unwrap_or(0));
                let datagram: Vec<u8> = script.by_ref().take(length).collect();
                let source = if step & 16 == 0 { source } else { address(9) };
                sides[to].handle(now, source, &datagram);
            }
            // Once more.
            6 => {
                if let Some(datagram) = network.last(to) {
                    sides[to].handle(now, source, &datagram);
                }
            }
            _ => now += Duration::from_millis(50 * u64::from(step >> 4)),
        }
        for side in &mut sides {
            side.handle_timeout(now);
        }
    }
    network.gather(&mut sides);
    // Time passes, and the network is sound.
    for _ in 0..320 {
        now += Duration::from_millis(100);
        for to in [0, 1] {
            let source = address(if to == 0 { 2 } else { 1 });
            while let Some(datagram) = network.next(to) {
                sides[to].handle(now, source, &datagram);
            }
            sides[to].handle_timeout(now);
            network.gather(&mut sides);
        }
    }
    let [ours, theirs] = &network.told;
    assert_eq!(ours.len(), 1, "who begins is told once");
    assert!(!theirs.is_empty(), "who waits is told");
    let failed = |event: &&DtlsEvent| matches!(event, DtlsEvent::Failed(_));
    assert!(theirs.len() == 1 || !theirs.iter().any(|event| failed(&event)));
    if let (Some(DtlsEvent::Keys(ours)), Some(DtlsEvent::Keys(theirs))) =
        (ours.last(), theirs.last())
    {
        assert_eq!(ours.send, theirs.receive);
        assert_eq!(ours.receive, theirs.send);
    }
}

/// What is on its way to each side, and what each side was told.
#[derive(Default)]
struct Network {
    waiting: [Vec<Vec<u8>>; 2],
    delivered: [Option<Vec<u8>>; 2],
    told: [Vec<DtlsEvent>; 2],
}

impl Network {
    fn gather(&mut self, sides: &mut [DtlsTransport; 2]) {
        for (at, side) in sides.iter_mut().enumerate() {
            let mut count = 0;
            while let Some((to, datagram)) = side.poll_transmit() {
                count += 1;
                assert!(datagram.len() <= 1_500);
                // A stranger is answered where it is, which is nowhere here.
                if to != address(9) && self.waiting[1 - at].len() < MOST_WAITING {
                    self.waiting[1 - at].push(datagram);
                }
            }
            assert!(count <= MOST_WAITING);
            while let Some(event) = side.poll_event() {
                self.told[at].push(event);
            }
        }
    }

    fn next(&mut self, to: usize) -> Option<Vec<u8>> {
        let waiting = &mut self.waiting[to];
        let next = (!waiting.is_empty()).then(|| waiting.remove(0))?;
        self.delivered[to] = Some(next.clone());
        Some(next)
    }

    fn last(&self, to: usize) -> Option<Vec<u8>> {
        self.delivered[to].clone()
    }
}
