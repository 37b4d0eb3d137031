//! Two sides through NATs, loss and hostility, in virtual time.

use std::net::SocketAddr;
use std::time::Duration;

use super::simulation::{Kit, NatKind, World};
use super::{IceFault, simulation};
use crate::base::random::{Random as _, SeededRandom};
use crate::sdp::ice::{RTCP, RTP};
use crate::sdp::{CandidateKind, IceCredentials, SessionDescription, answer, offer};

const SOON: Duration = Duration::from_secs(3);

fn kinds(world: &World, side: usize) -> Vec<&'static str> {
    let candidates = world.sides[side].candidates.iter().flatten();
    let of_rtp = candidates.filter(|it| it.component == RTP);
    of_rtp.map(|it| it.kind.word()).collect()
}

/// Both hear each other on both components, or on one where they multiplex.
fn talk(world: &mut World) {
    let components: &[u8] = if world.mux { &[RTP] } else { &[RTP, RTCP] };
    for component in components {
        for side in 0..2 {
            assert_eq!(
                world.say(side, *component, "hello"),
                ["hello"],
                "{side} {component}"
            );
        }
    }
}

#[test]
fn every_pair_of_nats_is_crossed_and_only_the_hard_ones_need_the_relay() {
    use NatKind::{EndpointDependent, EndpointIndependent, None, ServerOnly};
    for mux in [true, false] {
        for (nats, relayed) in [
            ([None, None], false),
            ([EndpointIndependent, EndpointIndependent], false),
            ([EndpointDependent, EndpointIndependent], true),
            ([EndpointDependent, EndpointDependent], true),
            ([ServerOnly, EndpointIndependent], true),
            ([ServerOnly, ServerOnly], true),
        ] {
            let mut world = World::new(1, nats.map(Kit::behind));
            world.mux = mux;
            world.connect();
            assert!(world.run_until(SOON, World::both_settled), "{nats:?} {mux}");
            assert!(
                world
                    .sides
                    .iter()
                    .all(|it| it.settled.len() == if mux { 1 } else { 2 })
            );
            // Both chose the same pair.
            let [one, two] = &world.sides;
            for (ours, theirs) in one.settled.iter().zip(&two.settled) {
                assert_eq!(
                    (ours.local, ours.remote),
                    (theirs.remote, theirs.local),
                    "{nats:?}"
                );
            }
            talk(&mut world);
            let server: SocketAddr = simulation::SERVER.parse().unwrap();
            let by_relay = world.sides.iter().flat_map(|it| &it.settled);
            let by_relay = by_relay.flat_map(|it| [it.local, it.remote]);
            let mut by_relay = by_relay.map(|it| it.ip() == server.ip());
            assert_eq!(by_relay.any(|it| it), relayed, "{nats:?}");
        }
    }
}

#[test]
fn loss_and_reordering_delay_and_do_not_prevent() {
    for seed in 1..=20 {
        let nats = [NatKind::EndpointDependent, NatKind::EndpointIndependent];
        let mut world = World::new(seed, nats.map(Kit::behind));
        world.loss = 50;
        world.jitter = Duration::from_millis(80);
        world.connect();
        let settled = world.run_until(Duration::from_secs(20), World::both_settled);
        assert!(settled, "seed {seed}: {:?}", world.sides[0].candidates);
        world.loss = 0;
        talk(&mut world);
    }
}

#[test]
fn the_same_seed_gives_the_same_call() {
    let call = |seed| {
        let mut world = World::new(seed, [NatKind::EndpointDependent; 2].map(Kit::behind));
        world.loss = 100;
        world.connect();
        world.run_until(Duration::from_secs(20), World::both_settled);
        let after = world.sides.iter().map(|side| side.settled_after);
        (after.collect::<Vec<_>>(), world.sides[0].settled.clone())
    };
    assert_eq!(call(3), call(3));
}

#[test]
fn gathering_is_over_when_the_servers_have_answered_and_bounded_when_they_do_not() {
    let kit = Kit::behind(NatKind::EndpointIndependent);
    let mut world = World::new(1, [kit; 2]);
    world.run(Duration::from_millis(100));
    assert_eq!(
        kinds(&world, 0),
        ["srflx", "host", "relay"],
        "default first"
    );
    assert!(world.sides[0].gathered_after.unwrap() < Duration::from_millis(60));

    let mut world = World::new(1, [kit; 2]);
    world.server.silent = true;
    world.run(Duration::from_secs(2));
    assert_eq!(kinds(&world, 0), ["host"]);
    assert_eq!(
        world.sides[0].gathered_after,
        Some(Duration::from_millis(500))
    );
    assert!(
        world.sides[0]
            .problem
            .as_ref()
            .unwrap()
            .contains("does not answer")
    );

    let (stun, turn) = (false, false);
    let world = World::new(1, [Kit { stun, turn, ..kit }; 2]);
    assert_eq!(kinds(&world, 0), ["host"]);
    assert_eq!(
        world.sides[0].gathered_after,
        Some(Duration::ZERO),
        "nobody to ask"
    );
}

#[test]
fn with_the_relay_alone_nothing_else_is_told_used_or_heard() {
    let open = Kit::behind(NatKind::None);
    let (relay_only, kit) = (true, open);
    for kits in [
        [Kit { relay_only, ..kit }, open],
        [Kit { relay_only, ..kit }; 2],
    ] {
        let mut world = World::new(1, kits);
        world.connect();
        assert_eq!(kinds(&world, 0), ["relay"]);
        let local = world.local(0, true);
        let text = offer(&local).to_string();
        assert!(!text.contains("10.0.0.2"), "{text}");
        assert!(text.contains("c=IN IP4 198.51.100.1"), "{text}");
        assert!(world.run_until(SOON, World::both_settled));
        talk(&mut world);
        let by_channel = world.server.carried.0;
        talk(&mut world);
        assert!(world.server.carried.0 > by_channel, "by a channel");
        let direct: SocketAddr = "10.0.1.2:5000".parse().unwrap();
        let dropped = world.sides[0].session.dropped();
        world.inject(0, RTP, direct, &[0x80, 0, 1]);
        assert!(world.sides[0].heard.is_empty());
        assert_eq!(world.sides[0].session.dropped(), dropped + 1);
    }
}

#[test]
fn with_the_relay_alone_media_reaches_a_far_end_without_ice_too() {
    let relay_only = true;
    let kit = Kit::behind(NatKind::None);
    let mut world = World::new(1, [Kit { relay_only, ..kit }, kit]);
    world.run(Duration::from_millis(200));
    let ours = world.local(0, false);
    let mut theirs = world.local(1, true);
    theirs.ice = None;
    let (answered, plan) = answer(&ours, &offer(&theirs)).unwrap();
    let text = answered.to_string();
    assert!(
        !text.contains("ice-") && text.contains("c=IN IP4 198.51.100.1"),
        "{text}"
    );
    assert_eq!(plan.ice, None);
    world.apply(0, &plan);
    // The far end hears what comes from the relayed address.
    let far = plan.remote_rtp.unwrap();
    let now = world.now;
    world.sides[0]
        .session
        .send(now, RTP, far, vec![0x80, 0, b'x']);
    world.sides[1]
        .session
        .apply(now, &accept_plain(&theirs, &answered));
    world.run(Duration::from_millis(100));
    let (_, from, _) = world.sides[1].heard.pop().unwrap();
    assert_eq!(Some(from), answered_rtp(&answered));
}

fn accept_plain(
    local: &crate::sdp::LocalMedia,
    answered: &SessionDescription,
) -> crate::sdp::MediaPlan {
    crate::sdp::accept(local, answered).unwrap()
}

fn answered_rtp(answered: &SessionDescription) -> Option<SocketAddr> {
    let media = &answered.media[0];
    match answered.connection_of(media) {
        Some(crate::sdp::Host::Ip(ip)) => Some(SocketAddr::new(*ip, media.port)),
        _ => None,
    }
}

#[test]
fn a_wrong_password_is_told_in_a_sentence_and_the_call_goes_without_the_relay() {
    let kit = Kit::behind(NatKind::EndpointIndependent);
    let password = "wrong";
    let mut world = World::new(1, [Kit { password, ..kit }, kit]);
    world.connect();
    assert_eq!(kinds(&world, 0), ["srflx", "host"]);
    assert!(
        world.sides[0]
            .problem
            .as_ref()
            .unwrap()
            .contains("password")
    );
    assert!(world.run_until(SOON, World::both_settled));
    let mut world = World::new(1, [kit; 2]);
    world.server.refuses = Some(486);
    world.run(Duration::from_secs(1));
    assert!(world.sides[0].problem.as_ref().unwrap().contains("quota"));
}

#[test]
fn a_relay_lives_as_long_as_the_call_and_a_stale_nonce_does_not_end_it() {
    let mut world = World::new(1, [NatKind::EndpointDependent; 2].map(Kit::behind));
    world.connect();
    assert!(world.run_until(SOON, World::both_settled));
    world.server.nonce = 2;
    world.run(Duration::from_secs(1_500));
    assert!(world.server.refreshed >= 4, "{}", world.server.refreshed);
    assert_eq!(world.sides[0].failed, None);
    talk(&mut world);
    let now = world.now;
    world
        .sides
        .iter_mut()
        .for_each(|side| side.session.close(now));
    world.run(Duration::from_secs(1));
    assert_eq!(world.server.allocations(), 0, "all are given back");
}

#[test]
fn two_that_both_control_or_both_do_not_agree_by_the_larger_number() {
    for controlling in [true, false] {
        for seed in 1..=4 {
            let mut world = World::new(seed, [NatKind::None; 2].map(Kit::behind));
            world.run(Duration::from_millis(200));
            let locals = [0, 1].map(|side| world.local(side, controlling));
            for side in 0..2 {
                let offered = offer(&locals[1 - side]);
                let (_, plan) = answer(&locals[side], &offered).unwrap();
                assert_eq!(plan.ice.as_ref().unwrap().controlling, controlling);
                world.apply(side, &plan);
            }
            assert!(
                world.run_until(SOON, World::both_settled),
                "{controlling} {seed}"
            );
            talk(&mut world);
        }
    }
}

/// The way becomes another one while datagrams wait to be read that came by the former: who reads them
/// knows of it only afterwards (each is checked as it is taken).
#[test]
fn media_is_of_the_way_that_was_told_until_another_one_is() {
    let mut ways = 0;
    for seed in 0..30 {
        let kit = Kit::behind(NatKind::EndpointDependent);
        let mut world = World::new(seed, [kit, Kit::behind(NatKind::EndpointIndependent)]);
        world.jitter = Duration::from_millis(120);
        world.reads = Duration::from_millis(10);
        world.connect();
        let mut told = [None; 2];
        for _ in 0..150 {
            world.talk_at_once();
            world.run(Duration::from_millis(10));
            for (side, told) in world.sides.iter().zip(&mut told) {
                ways += u32::from(*told != side.paths[0]);
                *told = side.paths[0];
            }
        }
        assert!(world.both_settled() && !world.sides[0].heard.is_empty());
    }
    assert!(ways > 60, "some became others: {ways}");
}

#[test]
fn media_goes_on_while_ice_is_restarted_and_then_by_the_new_session() {
    let mut world = World::new(1, [NatKind::EndpointIndependent; 2].map(Kit::behind));
    world.connect();
    assert!(world.run_until(SOON, World::both_settled));
    for side in &mut world.sides {
        side.credentials = side.seed.draw();
    }
    world.loss = 1_000;
    world.negotiate(1);
    world.run(Duration::from_millis(100));
    assert!(world.sides.iter().all(|side| side.paths[0].is_some()));
    world.loss = 0;
    assert!(
        world.run_until(SOON, World::both_settled),
        "the restarted session"
    );
    talk(&mut world);
    // The same description again changes nothing.
    world.negotiate(1);
    world.run(Duration::from_millis(100));
    talk(&mut world);
}

#[test]
fn a_far_end_that_vanishes_is_noticed_within_thirty_seconds_and_nothing_is_sent_to_it() {
    let mut world = World::new(1, [NatKind::None; 2].map(Kit::behind));
    world.connect();
    assert!(world.run_until(SOON, World::both_settled));
    world.run(Duration::from_secs(300));
    assert_eq!(
        world.sides[0].failed, None,
        "consent is given again and again"
    );
    world.cut = Some(1);
    world.run(Duration::from_secs(31));
    assert_eq!(world.sides[0].failed, Some(IceFault::ConsentLost));
    assert_eq!(world.sides[0].paths, [None, None]);
    assert_eq!(world.say(0, RTP, "hello"), [""; 0]);
}

#[test]
fn no_path_is_told_in_time() {
    let (stun, turn) = (false, false);
    let kit = Kit::behind(NatKind::EndpointIndependent);
    let mut world = World::new(1, [Kit { stun, turn, ..kit }; 2]);
    world.connect();
    world.run(Duration::from_secs(19));
    assert_eq!(world.sides[0].failed, None);
    world.run(Duration::from_secs(2));
    assert!(
        world
            .sides
            .iter()
            .all(|side| side.failed == Some(IceFault::NoPath))
    );
}

#[test]
fn checks_that_come_before_the_description_are_answered_and_taken_up() {
    let mut world = World::new(1, [NatKind::None; 2].map(Kit::behind));
    world.run(Duration::from_millis(200));
    let locals = [world.local(0, true), world.local(1, false)];
    let (answered, theirs) = answer(&locals[1], &offer(&locals[0])).unwrap();
    world.apply(1, &theirs);
    world.run(Duration::from_secs(2));
    assert!(world.sides[1].paths[0].is_some(), "it may send already");
    let ours = crate::sdp::accept(&locals[0], &answered).unwrap();
    world.apply(0, &ours);
    assert!(world.run_until(SOON, World::both_settled));
    talk(&mut world);
}

#[test]
fn forged_truncated_and_flooding_messages_change_nothing_and_are_counted() {
    let mut world = World::new(1, [NatKind::None; 2].map(Kit::behind));
    world.connect();
    assert!(world.run_until(SOON, World::both_settled));
    let (settled, paths) = (world.sides[0].settled.clone(), world.sides[0].paths);
    let before = world.sides[0].session.dropped();
    let enemy: SocketAddr = "192.0.2.66:666".parse().unwrap();
    let friend = world.sides[0].settled[0].remote;
    let name = format!(
        "{}:{}",
        world.sides[0].credentials.fragment(),
        world.sides[1].credentials.fragment()
    );
    let forged = super::stun::Writing::new(
        super::stun::Class::Request,
        rtc::stun::message::METHOD_BINDING,
        [3; 12],
    )
    .add(rtc::stun::attributes::ATTR_USERNAME, name.as_bytes())
    .add(
        rtc::stun::attributes::ATTR_PRIORITY,
        &u32::MAX.to_be_bytes(),
    )
    // A conflict that would change our role, were it believed.
    .add(rtc::stun::attributes::ATTR_ICE_CONTROLLING, &[0xff; 8])
    .add(rtc::stun::attributes::ATTR_USE_CANDIDATE, &[])
    .by(b"not the password of anybody")
    .finish_with_fingerprint();
    let mut random = SeededRandom::new(9);
    for round in 0..1_000 {
        let from = if round % 2 == 0 { enemy } else { friend };
        let mut bytes = forged.clone();
        match round % 4 {
            0 | 1 => {}
            2 => bytes.truncate(usize::try_from(random.next_u64() % 100).unwrap()),
            _ => {
                let at = usize::try_from(random.next_u64()).unwrap_or(0) % bytes.len();
                bytes[at] ^= 0x55;
            }
        }
        world.inject(0, RTP, from, &bytes);
        world.inject(0, RTP, enemy, &[0x80, 0, 1, 2]);
    }
    let server: SocketAddr = simulation::SERVER.parse().unwrap();
    for first in 0..=255 {
        world.inject(0, RTP, server, &[first, 0, 0, 9, 1]);
    }
    assert!(
        world.sides[0].heard.is_empty(),
        "{:?}",
        world.sides[0].heard.len()
    );
    assert!(world.sides[0].session.dropped() >= before + 2_000);
    world.run(Duration::from_secs(1));
    assert_eq!(
        (&world.sides[0].settled, world.sides[0].paths),
        (&settled, paths)
    );
    talk(&mut world);
}

#[test]
fn what_a_far_end_says_is_bounded() {
    let mut world = World::new(1, [NatKind::None; 2].map(Kit::behind));
    world.run(Duration::from_millis(200));
    let ours = world.local(0, false);
    let mut text = offer(&world.local(1, true)).to_string();
    for port in 1..=800 {
        text.push_str(&format!(
            "a=candidate:9 1 UDP {port} 192.0.2.7 {port} typ host\r\n"
        ));
    }
    let offered = SessionDescription::parse(text.as_bytes()).unwrap();
    let (_, plan) = answer(&ours, &offered).unwrap();
    world.apply(0, &plan);
    // Ta holds the rate: 20 checks a second, and their repetitions.
    world.run(Duration::from_secs(30));
    assert_eq!(world.sides[0].failed, None);
    assert!(
        world.sides[0].paths[0].is_some(),
        "the real one is found among them"
    );
}

#[test]
fn credentials_of_others_are_of_no_use() {
    let mut world = World::new(1, [NatKind::None; 2].map(Kit::behind));
    world.run(Duration::from_millis(200));
    let stranger = IceCredentials::new("otherone", &"x".repeat(24)).unwrap();
    let mut locals = [world.local(0, true), world.local(1, false)];
    if let Some(ice) = &mut locals[1].ice {
        ice.credentials = stranger;
    }
    let (_, plan) = answer(&locals[0], &offer(&locals[1])).unwrap();
    world.apply(0, &plan);
    world.run(Duration::from_secs(5));
    assert_eq!(world.sides[0].paths, [None, None]);
    assert!(world.sides[1].session.dropped() > 0);
}

#[test]
fn candidates_of_the_kinds_have_the_priorities_of_the_rfc() {
    let mut world = World::new(1, [Kit::behind(NatKind::EndpointIndependent); 2]);
    world.run(Duration::from_millis(200));
    for candidate in world.sides[0].candidates.iter().flatten() {
        let expected = candidate.kind.priority(candidate.component, 65_535);
        assert_eq!(candidate.priority, expected);
        assert!(candidate.kind != CandidateKind::PeerReflexive);
    }
}
