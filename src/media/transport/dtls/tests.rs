//! Two sides in virtual time, over a network that loses, reorders, repeats and changes.

use super::*;
use crate::base::clock::monotonic_now;
use crate::base::random::{Random as _, SeededRandom};
use crate::media::transport::{Protector, Unprotector};
use crate::sdp::{Fingerprint, FingerprintHash};

const STEP: Duration = Duration::from_millis(10);

fn address(number: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, number], 4_000))
}

fn plan(role: DtlsRole, theirs: &Identity) -> DtlsPlan {
    DtlsPlan {
        role,
        fingerprints: vec![theirs.fingerprint().clone()],
        tls_id: None,
    }
}

struct Flying {
    arrival: Instant,
    from: usize,
    bytes: Vec<u8>,
}

struct World {
    now: Instant,
    /// The first begins, the second waits.
    sides: [DtlsTransport; 2],
    identities: [Identity; 2],
    events: [Vec<DtlsEvent>; 2],
    /// Where each is reached, and seen to send from.
    places: [SocketAddr; 2],
    flying: Vec<Flying>,
    random: SeededRandom,
    /// In percent.
    loss: u32,
    /// In milliseconds, at random.
    jitter: u64,
    /// Each datagram comes so often.
    copies: u32,
    sent: u32,
}

impl World {
    fn new(seed: u64) -> Self {
        let identities = [Identity::make().unwrap(), Identity::make().unwrap()];
        let mut sides = [DtlsTransport::default(), DtlsTransport::default()];
        for (side, identity) in sides.iter_mut().zip(&identities) {
            side.identify(Some(identity.clone()));
        }
        Self {
            now: monotonic_now(),
            sides,
            identities,
            events: [Vec::new(), Vec::new()],
            places: [address(1), address(2)],
            flying: Vec::new(),
            random: SeededRandom::new(seed),
            loss: 0,
            jitter: 0,
            copies: 1,
            sent: 0,
        }
    }

    fn apply(&mut self, side: usize) -> bool {
        let role = [DtlsRole::Active, DtlsRole::Passive][side];
        let plan = plan(role, &self.identities[1 - side]);
        self.apply_plan(side, &plan)
    }

    fn apply_plan(&mut self, side: usize, plan: &DtlsPlan) -> bool {
        let remote = self.places[1 - side];
        let fresh = self.sides[side].apply(self.now, Some(plan), Some(remote));
        self.gather();
        fresh
    }

    fn gather(&mut self) {
        for from in [0, 1] {
            while let Some((to, bytes)) = self.sides[from].poll_transmit() {
                self.sent += 1;
                assert!(bytes.len() <= 1_300, "it fits into a packet");
                if to != self.places[1 - from] {
                    continue;
                }
                for _ in 0..self.copies {
                    if self.random.next_u32() % 100 < self.loss {
                        continue;
                    }
                    let late = self.random.next_u64() % (self.jitter + 1);
                    self.flying.push(Flying {
                        arrival: self.now + Duration::from_millis(20 + late),
                        from,
                        bytes: bytes.clone(),
                    });
                }
            }
            while let Some(event) = self.sides[from].poll_event() {
                self.events[from].push(event);
            }
        }
    }

    fn run(&mut self, span: Duration) {
        let end = self.now + span;
        while self.now < end {
            self.flying.sort_by_key(|flying| flying.arrival);
            let due = self.flying.partition_point(|f| f.arrival <= self.now);
            for flying in self.flying.drain(..due).collect::<Vec<_>>() {
                let source = self.places[flying.from];
                self.sides[1 - flying.from].handle(self.now, source, &flying.bytes);
                self.gather();
            }
            for side in &mut self.sides {
                side.handle_timeout(self.now);
            }
            self.gather();
            self.now += STEP;
        }
    }

    fn keys(&self, side: usize) -> Option<&SrtpKeys> {
        match self.events[side].as_slice() {
            [.., DtlsEvent::Keys(keys)] => Some(keys),
            _ => None,
        }
    }

    fn assert_secured(&self) {
        let (ours, theirs) = (self.keys(0).unwrap(), self.keys(1).unwrap());
        assert_eq!((&ours.send, &ours.receive), (&theirs.receive, &theirs.send));
        assert_ne!(ours.send, ours.receive);
        let packet = [0x80, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 9, 9];
        let sealed = Protector::new(&ours.send).unwrap().rtp(&packet).unwrap();
        let opened = Unprotector::new(&theirs.receive).unwrap().rtp(&sealed);
        assert_eq!(opened.as_deref(), Some(&packet[..]));
    }
}

#[test]
fn both_sides_get_the_same_keys_after_two_round_trips_and_say_nothing_more() {
    let mut world = World::new(1);
    assert!(world.apply(0) && world.apply(1));
    world.run(Duration::from_millis(300));
    world.assert_secured();
    let suite = world.keys(0).unwrap().send.suite();
    assert_eq!(suite, crate::sdp::SrtpSuite::AeadAes256Gcm);
    let sent = world.sent;
    world.run(Duration::from_secs(60));
    assert_eq!(world.sent, sent);
    assert_eq!(world.events[0].len() + world.events[1].len(), 2);
}

#[test]
fn loss_repetition_and_reordering_delay_the_keys_and_do_no_more() {
    for seed in 0..40 {
        let mut world = World::new(seed);
        world.loss = 20;
        world.jitter = 120;
        world.copies = 1 + u32::try_from(seed % 2).unwrap();
        world.apply(1);
        world.apply(0);
        world.run(Duration::from_secs(29));
        assert!(
            world.keys(0).is_some() && world.keys(1).is_some(),
            "{seed}: {:?}",
            world.events
        );
        world.assert_secured();
        assert_eq!(world.events.iter().map(Vec::len).sum::<usize>(), 2);
    }
}

/// The offerer has our first flights before our answer, and checks them once it has it.
#[test]
fn a_handshake_before_the_answer_gives_keys_the_moment_the_answer_is_there() {
    let mut world = World::new(3);
    world.sides[1].expect();
    world.apply(0);
    world.run(Duration::from_secs(1));
    assert!(world.keys(0).is_some());
    assert!(world.events[1].is_empty(), "nobody knows who it is");
    world.apply(1);
    world.assert_secured();
}

/// Who did not offer one is not drawn into it.
#[test]
fn nobody_begins_a_handshake_with_a_side_that_offered_none() {
    let mut world = World::new(4);
    world.apply(0);
    world.run(Duration::from_secs(5));
    let theirs = |(to, _): &(SocketAddr, Vec<u8>)| *to == address(1);
    let answers = std::iter::from_fn(|| world.sides[1].poll_transmit());
    assert_eq!(answers.filter(theirs).count(), 0);
    assert!(world.sides[1].attempts.is_empty());
}

#[test]
fn another_certificate_than_the_one_of_the_description_gives_no_keys() {
    for victim in [0, 1] {
        let mut world = World::new(5);
        world.apply(1 - victim);
        let role = [DtlsRole::Active, DtlsRole::Passive][victim];
        let mut wrong = plan(role, &world.identities[1 - victim]);
        wrong.fingerprints = vec![Fingerprint::of(FingerprintHash::Sha256, b"another")];
        world.apply_plan(victim, &wrong);
        world.run(Duration::from_secs(31));
        let failed = DtlsEvent::Failed(DtlsFailure::Fingerprint);
        assert_eq!(world.events[victim], [failed]);
    }
}

/// Where ICE looks for the way, nobody knows at first where the far end is.
#[test]
fn the_certificate_is_checked_against_the_description_also_on_a_way_that_was_found_later() {
    let mut world = World::new(13);
    let wrong = DtlsPlan {
        fingerprints: vec![Fingerprint::of(FingerprintHash::Sha256, b"another")],
        ..plan(DtlsRole::Active, &world.identities[1])
    };
    world.sides[0].apply(world.now, Some(&wrong), None);
    world.apply(1);
    world.run(Duration::from_secs(1));
    assert_eq!(world.sent, 0, "nobody knows where to");
    world.sides[0].route(Some(address(2)));
    world.run(Duration::from_secs(1));
    let failed = DtlsEvent::Failed(DtlsFailure::Fingerprint);
    assert_eq!(world.events[0], [failed], "at once");
}

/// ICE may settle on another pair than the one that worked first.
#[test]
fn a_handshake_goes_on_where_the_way_of_either_side_becomes_another() {
    for mover in [0, 1] {
        for steps in 0..12 {
            let mut world = World::new(14);
            world.apply(1);
            world.apply(0);
            world.run(STEP * steps);
            world.places[mover] = address(7);
            world.sides[1 - mover].route(Some(address(7)));
            world.run(Duration::from_secs(2));
            world.assert_secured();
            assert_eq!(world.events.iter().map(Vec::len).sum::<usize>(), 2);
        }
    }
}

/// Each of many changes of one octet gives no keys, or the right ones; and nothing worse.
#[test]
fn changed_datagrams_never_give_other_keys() {
    for seed in 0..150 {
        let mut world = World::new(seed);
        world.apply(1);
        world.apply(0);
        for _ in 0..40 {
            world.run(Duration::from_millis(40));
            for flying in &mut world.flying {
                let length = u64::try_from(flying.bytes.len()).unwrap();
                let at = usize::try_from(world.random.next_u64() % length).unwrap();
                if world.random.next_u32().is_multiple_of(3) {
                    flying.bytes[at] ^= 1 << (world.random.next_u32() % 8);
                }
            }
        }
        world.run(Duration::from_secs(29));
        if world.keys(0).is_some() && world.keys(1).is_some() {
            world.assert_secured();
        }
    }
}

#[test]
fn who_does_not_answer_is_given_up_after_thirty_seconds() {
    for side in [0, 1] {
        let mut world = World::new(6);
        world.loss = 100;
        world.apply(side);
        world.run(Duration::from_secs(29));
        assert_eq!(world.events[side], []);
        world.run(Duration::from_secs(2));
        let failed = DtlsEvent::Failed(DtlsFailure::Timeout);
        assert_eq!(world.events[side], [failed]);
        assert_eq!(world.sides[side].poll_timeout(), None);
    }
}

#[test]
fn a_far_end_that_comes_late_is_answered() {
    let mut world = World::new(7);
    world.loss = 100;
    world.apply(0);
    world.run(Duration::from_secs(12));
    world.loss = 0;
    world.apply(1);
    world.run(Duration::from_secs(5));
    world.assert_secured();
}

#[test]
fn the_same_plan_again_keeps_the_association_and_another_fingerprint_is_another_one() {
    let mut world = World::new(8);
    world.apply(0);
    world.apply(1);
    world.run(Duration::from_secs(1));
    let before = world.keys(0).cloned().unwrap();
    assert!(!world.apply(0) && !world.apply(1));
    world.run(Duration::from_secs(1));
    assert_eq!(world.events[0].len(), 1);

    world.identities[1] = Identity::make().unwrap();
    let identity = world.identities[1].clone();
    world.sides[1] = DtlsTransport::default();
    world.sides[1].identify(Some(identity));
    assert!(world.apply(0) && world.apply(1));
    world.run(Duration::from_secs(2));
    world.assert_secured();
    assert_ne!(world.keys(0), Some(&before));
}

/// The server is done, all of its last words are lost, and its client begins anew.
#[test]
fn a_client_that_gives_up_and_begins_anew_is_answered_by_a_server_that_was_done() {
    let mut world = World::new(12);
    world.apply(1);
    world.apply(0);
    while world.keys(1).is_none() {
        world.run(STEP);
    }
    let before = world.keys(1).cloned();
    world.flying.clear();
    world.loss = 100;
    world.run(Duration::from_secs(10));
    assert!(world.keys(0).is_none());
    world.loss = 0;
    world.run(Duration::from_secs(5));
    world.assert_secured();
    assert_ne!(world.keys(1).cloned(), before);
}

/// Off the path, with a certificate of their own, as many as like.
#[test]
fn strangers_get_no_keys_and_keep_nobody_out() {
    let mut world = World::new(9);
    world.sides[1].expect();
    let stranger = Identity::make().unwrap();
    let wanted = plan(DtlsRole::Active, &world.identities[1]);
    let knock = |world: &mut World| {
        for number in 10..60 {
            let mut other = DtlsTransport::default();
            other.identify(Some(stranger.clone()));
            other.apply(world.now, Some(&wanted), Some(address(2)));
            let (_, hello) = other.poll_transmit().unwrap();
            world.sides[1].handle(world.now, address(number), &hello);
        }
    };
    knock(&mut world);
    // Before the answer nobody is known, and each has as good a right.
    assert_eq!(world.sides[1].attempts.len(), MAX_ATTEMPTS);
    world.now += PATIENCE;
    world.apply(1);
    knock(&mut world);
    assert_eq!(world.sides[1].attempts.len(), MAX_ATTEMPTS - 1);
    world.apply(0);
    world.run(Duration::from_secs(2));
    world.assert_secured();
}

/// A port of the far end's host that is not the far end's: behind one NAT there are many.
fn next_door(side: usize) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, [2, 1][side]], 4_999))
}

/// A whole handshake with another certificate ended the call before it had keys.
#[test]
fn a_stranger_at_the_far_ends_host_with_a_certificate_of_his_own_ends_nothing() {
    let mut world = World::new(15);
    world.apply(1);
    let mut stranger = DtlsTransport::default();
    stranger.identify(Some(Identity::make().unwrap()));
    let wanted = plan(DtlsRole::Active, &world.identities[1]);
    stranger.apply(world.now, Some(&wanted), Some(world.places[1]));
    for _ in 0..10 {
        while let Some((_, bytes)) = stranger.poll_transmit() {
            world.sides[1].handle(world.now, next_door(1), &bytes);
        }
        while let Some((to, bytes)) = world.sides[1].poll_transmit() {
            if to == next_door(1) {
                stranger.handle(world.now, world.places[1], &bytes);
            }
        }
    }
    assert!(
        matches!(stranger.poll_event(), Some(DtlsEvent::Keys(_))),
        "he was answered"
    );
    world.gather();
    assert!(world.events[1].is_empty(), "{:?}", world.events[1]);
    assert_eq!(world.sides[1].fault, Some(DtlsFailure::Fingerprint));
    world.apply(0);
    world.run(Duration::from_secs(2));
    world.assert_secured();
}

/// Fifteen octets in the clear ended the call before it had keys.
#[test]
fn alerts_from_the_far_ends_host_in_the_clear_end_nothing_before_there_are_keys() {
    let fatal = [21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, 2, 40];
    for side in [0, 1] {
        for exact in [false, true] {
            let mut world = World::new(16);
            let source = if exact {
                world.places[1 - side]
            } else {
                next_door(side)
            };
            world.apply(1);
            world.apply(0);
            // Before anything came of the far end, and from next door also in each step behind that.
            let steps = if exact { 1 } else { 300 };
            for _ in 0..steps {
                world.sides[side].handle(world.now, source, &fatal);
                world.gather();
                world.run(STEP);
            }
            world.run(Duration::from_secs(4));
            world.assert_secured();
        }
    }
}

/// Some NATs let the answer come from another port.
#[test]
fn a_far_end_that_answers_from_another_port_than_the_one_that_is_asked_is_heard() {
    let mut world = World::new(17);
    world.apply(1);
    world.sides[0].apply(
        world.now,
        Some(&plan(DtlsRole::Active, &world.identities[1])),
        Some(SocketAddr::from(([192, 0, 2, 2], 4_001))),
    );
    for _ in 0..500 {
        while let Some((_, bytes)) = world.sides[0].poll_transmit() {
            world.sides[1].handle(world.now, address(1), &bytes);
        }
        while let Some((_, bytes)) = world.sides[1].poll_transmit() {
            world.sides[0].handle(world.now, address(2), &bytes);
        }
        world.now += STEP;
        for side in &mut world.sides {
            side.handle_timeout(world.now);
        }
    }
    world.gather();
    world.assert_secured();
}

/// All that a far end says until it is known is kept by the crate below: it is bounded here.
#[test]
fn endless_fragments_are_not_kept() {
    let mut world = World::new(10);
    world.apply(1);
    world.apply(0);
    let hello = world.flying[0].bytes.clone();
    for number in 0_u32..20_000 {
        let mut fragment = hello.clone();
        // Another message each time, of which this is the first part alone.
        let sequence = u16::try_from(number % 60_000).unwrap().to_be_bytes();
        fragment[17..19].copy_from_slice(&sequence);
        fragment[14..17].copy_from_slice(&[0xff, 0xff, 0xff]);
        fragment[7..11].copy_from_slice(&number.to_be_bytes());
        world.sides[1].handle(world.now, address(1), &fragment);
    }
    let read: usize = world.sides[1]
        .attempts
        .iter()
        .map(|a| a.association.read())
        .sum();
    assert!(read <= 64 * 1024, "{read}");
    assert!(world.sides[1].transmits.len() <= MAX_WAITING);
}

/// A handshake that is over is not begun anew by its own packets, nor ended by alerts that anybody can
/// write.
#[test]
fn repeated_packets_and_alerts_in_the_clear_change_nothing_afterwards() {
    let mut world = World::new(11);
    world.apply(1);
    world.apply(0);
    let mut seen = Vec::new();
    for _ in 0..100 {
        let copies = world.flying.iter().map(|f| (f.from, f.bytes.clone()));
        seen.extend(copies);
        world.run(STEP);
    }
    world.assert_secured();
    let fatal = [21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, 2, 40];
    for (from, bytes) in seen {
        let source = address(u8::try_from(from).unwrap() + 1);
        world.sides[1 - from].handle(world.now, source, &bytes);
        world.sides[1 - from].handle(world.now, source, &fatal);
        world.gather();
    }
    world.run(Duration::from_secs(35));
    assert_eq!(world.events.iter().map(Vec::len).sum::<usize>(), 2);
    world.assert_secured();
}
