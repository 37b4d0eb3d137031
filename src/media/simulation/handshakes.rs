//! Two sessions whose keys come by a handshake (DTLS-SRTP), over a network with loss and strangers.

use std::net::SocketAddr;

use super::world::{World, share_of};
use crate::base::random::{Random as _, SeededRandom};
use crate::media::dropped::DropReason;
use crate::media::outgoing::StreamSeed;
use crate::media::session::{Session, SessionEvent, SessionSeed};
use crate::media::transport::{DtlsFailure, Identity, Kind};
use crate::sdp::{
    Codec, Direction, Fingerprint, FingerprintHash, Keying, LocalDtls, LocalMedia, LocalSrtp,
    MediaPlan, SrtpSuite, accept, answer, offer,
};

/// A call that is agreed on and not begun: the first one offers and waits, the second one answers and
/// begins.
fn agreed(seed: u64) -> (World, [MediaPlan; 2]) {
    let mut world = World::new(seed);
    let identities = [Identity::make().unwrap(), Identity::make().unwrap()];
    let locals = [0, 1].map(|side| local(&world, side, &identities[side]));
    for (number, (side, identity)) in (1..).zip(world.sides.iter_mut().zip(identities)) {
        // As `draw_seed` does: who gets its keys late must not miss a wrap.
        let stream = StreamSeed {
            ssrc: number * 1_000,
            sequence: 32_000,
            timestamp: u32::MAX - 100_000,
        };
        let seed = SessionSeed {
            stream,
            ntp_time: 0xdead_0000_0000_0000,
            spread: u64::from(number),
        };
        side.session = Session::new(world.now, &seed);
        side.session.identify(Some(identity));
    }
    let offered = offer(&locals[0]);
    assert_eq!(offered.media[0].protocol, "UDP/TLS/RTP/SAVP");
    let (answered, theirs) = answer(&locals[1], &offered).unwrap();
    let ours = accept(&locals[0], &answered).unwrap();
    (world, [ours, theirs])
}

fn local(world: &World, side: usize, identity: &Identity) -> LocalMedia {
    let dtls = LocalDtls {
        fingerprint: identity.fingerprint().clone(),
        role: None,
    };
    LocalMedia {
        session_id: 1,
        version: 1,
        address: world.sides[side].address.ip(),
        rtp_port: world.sides[side].address.port(),
        codecs: vec![Codec::Pcmu],
        ptime_millis: 20,
        direction: Direction::SendRecv,
        silence_suppression: false,
        srtp: LocalSrtp {
            offers: true,
            keying: Keying::Dtls,
            accepts: true,
            requires: true,
            keys: Vec::new(),
            dtls: Some(dtls),
        },
        ice: None,
    }
}

fn keys_of(world: &World, side: usize) -> Vec<Result<SrtpSuite, DtlsFailure>> {
    let keys = |event: &SessionEvent| match event {
        SessionEvent::Secured(suite) => Some(Ok(*suite)),
        SessionEvent::KeysFailed(failure) => Some(Err(*failure)),
        SessionEvent::Flowing(_)
        | SessionEvent::Silent { .. }
        | SessionEvent::Heard
        | SessionEvent::Digit(_)
        | SessionEvent::OneWay { .. } => None,
    };
    world.sides[side].events.iter().filter_map(keys).collect()
}

/// What is on its way, by kind.
fn flying(world: &World, kind: Kind) -> usize {
    let flying = world.flying.iter();
    flying
        .filter(|flying| Kind::of(&flying.transmit.bytes) == kind)
        .count()
}

#[test]
fn nothing_is_sent_before_the_keys_and_all_of_it_is_heard_after() {
    let (mut world, plans) = agreed(1);
    world.apply(plans);
    while keys_of(&world, 0).is_empty() && keys_of(&world, 1).is_empty() {
        assert_eq!(flying(&world, Kind::Rtp) + flying(&world, Kind::Rtcp), 0);
        world.tick();
    }
    world.run(20.0);
    for side in [0, 1] {
        assert_eq!(keys_of(&world, side), [Ok(SrtpSuite::AeadAes256Gcm)]);
        let quality = world.sides[side].session.quality();
        assert_eq!(
            (
                quality.lost,
                world.sides[side]
                    .session
                    .dropped()
                    .of(DropReason::Unauthentic)
            ),
            (0, 0)
        );
        assert!(quality.received > 950, "{quality:?}");
        // Reports share the port, and the keys.
        assert!(quality.round_trip.is_some());
        let theirs = world.sides[1 - side].hertz;
        assert!(share_of(world.heard(side), theirs) > 0.9);
    }
}

/// Where ICE looks for the way, the plan names none.
#[test]
fn a_handshake_begins_once_there_is_a_way() {
    let (mut world, mut plans) = agreed(8);
    for plan in &mut plans {
        (plan.remote_rtp, plan.remote_rtcp) = (None, None);
    }
    world.apply(plans);
    world.run(2.0);
    assert!(keys_of(&world, 0).is_empty() && keys_of(&world, 1).is_empty());
    for side in [0, 1] {
        let theirs = world.sides[1 - side].address;
        world.sides[side].session.route(false, Some(theirs));
    }
    world.run(10.0);
    for side in [0, 1] {
        assert_eq!(keys_of(&world, side), [Ok(SrtpSuite::AeadAes256Gcm)]);
        let quality = world.sides[side].session.quality();
        assert!(quality.received > 450 && quality.lost == 0, "{quality:?}");
    }
}

#[test]
fn what_waits_for_keys_is_neither_sent_nor_counted() {
    let (mut world, [ours, _]) = agreed(9);
    world.sides[0].session.apply(world.now, &ours).unwrap();
    world.run(5.0);
    assert_eq!(world.sides[0].session.quality().sent, 0);
}

/// Then the port of the reports has a handshake of its own (RFC 5764 section 4.1.2).
#[test]
fn reports_on_a_port_of_their_own_have_keys_of_their_own() {
    let (mut world, mut plans) = agreed(7);
    for (side, plan) in plans.iter_mut().enumerate() {
        plan.rtcp_mux = false;
        let theirs = world.sides[1 - side].address;
        plan.remote_rtcp = Some(SocketAddr::new(theirs.ip(), theirs.port() + 1));
    }
    world.apply(plans);
    world.run(20.0);
    for side in [0, 1] {
        assert_eq!(keys_of(&world, side).len(), 1);
        let quality = world.sides[side].session.quality();
        assert!(quality.round_trip.is_some() && quality.received > 950);
    }
}

#[test]
fn a_bad_network_delays_the_keys_and_no_more() {
    for seed in 0..5 {
        let (mut world, plans) = agreed(seed);
        world.weather.loss = 0.2;
        world.weather.jitter = 60;
        world.apply(plans);
        world.run(12.0);
        for side in [0, 1] {
            let told = keys_of(&world, side);
            assert!(matches!(told[..], [Ok(_), ..]), "{seed}: {told:?}");
            assert!(world.sides[side].session.quality().received > 200);
        }
    }
}

/// The far end is not who the description says; each side that learns of it gets nothing and sends
/// nothing.
#[test]
fn another_certificate_ends_it_before_a_packet_is_sent() {
    let (mut world, mut plans) = agreed(2);
    for plan in &mut plans {
        let wrong = Fingerprint::of(FingerprintHash::Sha256, b"somebody in between");
        plan.dtls.as_mut().unwrap().fingerprints = vec![wrong];
    }
    world.apply(plans);
    for _ in 0..3_500 {
        world.tick();
        assert_eq!(flying(&world, Kind::Rtp) + flying(&world, Kind::Rtcp), 0);
    }
    for side in [0, 1] {
        let told = keys_of(&world, side);
        assert!(matches!(told[..], [Err(_)]), "{told:?}");
    }
    assert!(keys_of(&world, 0).contains(&Err(DtlsFailure::Fingerprint)));
}

#[test]
fn a_far_end_that_sends_in_the_clear_instead_is_not_heard_and_the_call_is_given_up() {
    let (mut world, mut plans) = agreed(3);
    plans[1].dtls = None;
    world.apply(plans);
    world.run(29.0);
    assert_eq!(keys_of(&world, 0), []);
    world.run(2.0);
    assert_eq!(keys_of(&world, 0), [Err(DtlsFailure::Timeout)]);
    assert_eq!(world.sides[0].session.quality().received, 0);
    assert!(world.heard(0).iter().all(|sample| sample.abs() < 0.001));
}

#[test]
fn sound_flows_the_moment_the_answer_is_there_if_the_handshake_was_before_it() {
    let (mut world, [ours, theirs]) = agreed(4);
    world.sides[0].session.expect_handshake();
    let now = world.now;
    world.sides[1].session.apply(now, &theirs).unwrap();
    world.run(1.0);
    assert_eq!(keys_of(&world, 1).len(), 1);
    assert_eq!(keys_of(&world, 0), [], "nobody knows yet whose they are");
    let now = world.now;
    world.sides[0].session.apply(now, &ours).unwrap();
    world.tick();
    assert_eq!(keys_of(&world, 0).len(), 1);
    world.run(1.0);
    let quality = world.sides[0].session.quality();
    assert!(quality.received > 40, "{quality:?}");
}

#[test]
fn a_hold_keeps_the_keys_without_another_handshake() {
    let (mut world, plans) = agreed(5);
    world.apply(plans.clone());
    world.run(2.0);
    let [mut held, mut holds] = plans.clone();
    held.direction = Direction::RecvOnly;
    holds.direction = Direction::SendOnly;
    for changed in [[held, holds], plans] {
        world.apply(changed);
        for _ in 0..200 {
            world.tick();
            assert_eq!(flying(&world, Kind::Dtls), 0);
        }
    }
    for side in [0, 1] {
        assert_eq!(keys_of(&world, side).len(), 1);
        assert_eq!(
            world.sides[side]
                .session
                .dropped()
                .of(DropReason::Unauthentic),
            0
        );
    }
}

/// Nothing that others send changes what is heard, or where we send.
#[test]
fn a_hundred_thousand_forged_datagrams_change_nothing() {
    let (mut world, plans) = agreed(6);
    world.apply(plans);
    let mut random = SeededRandom::new(1);
    let mut forged = vec![0; 180];
    let stranger = SocketAddr::from(([192, 0, 2, 9], 4_000));
    for round in 0..100 {
        for number in 0..1_000_u32 {
            random.fill(&mut forged);
            let record = [22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0];
            forged[..9].copy_from_slice(&record);
            forged[9..13].copy_from_slice(&[0, number.to_le_bytes()[0], 0, 167]);
            forged[13] = if number % 2 == 0 { 1 } else { forged[13] };
            let now = world.now;
            let side = usize::try_from(number % 2).unwrap();
            world.sides[side].session.handle_rtp(now, stranger, &forged);
        }
        world.run(if round < 20 { 0.02 } else { 0.1 });
    }
    for side in [0, 1] {
        assert!(matches!(keys_of(&world, side)[..], [Ok(_)]));
        let quality = world.sides[side].session.quality();
        assert!(quality.received > 350 && quality.lost == 0, "{quality:?}");
        let theirs = world.sides[1 - side].hertz;
        assert!(share_of(world.heard(side), theirs) > 0.9);
    }
}
