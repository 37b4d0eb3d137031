//! Far ends that are elsewhere than they say, that restart, fall silent or go.

use std::net::SocketAddr;
use std::time::Instant;

use super::world::{Side, World, share_of};
use crate::base::random::{Random as _, SeededRandom};
use crate::media::frame::{FRAME_SAMPLES, FRAME_TIME, SILENCE};
use crate::media::outgoing::StreamSeed;
use crate::media::session::{Session, SessionEvent, SessionSeed};
use crate::sdp::{Codec, Direction};

#[test]
fn a_far_end_behind_nat_is_found_by_its_packets() {
    let mut world = World::new(1);
    let plans = world.agree(&[Codec::Pcmu], [Direction::SendRecv; 2]);
    // Side 1 is not where its description says.
    world.sides[1].address = SocketAddr::from(([203, 0, 113, 9], 61_000));
    world.apply(plans);
    world.run(3.0);
    assert!(share_of(world.heard(0), 900.0) > 0.98);
    assert!(share_of(world.heard(1), 500.0) > 0.98);
    let flowing = SessionEvent::Flowing(world.sides[1].address);
    assert_eq!(world.sides[0].events.first(), Some(&flowing));
}

#[test]
fn a_new_source_and_a_restarted_far_end_are_followed() {
    let mut world = World::call(1, Codec::Opus);
    world.run(2.0);
    let before = world.sides[0].session.quality().received;
    let mut fresh = Side::new(world.now, 2, 1_300.0);
    fresh.session = Session::new(
        world.now,
        &SessionSeed {
            stream: StreamSeed {
                ssrc: 77,
                sequence: 12,
                timestamp: 5,
            },
            ntp_time: 0,
            spread: 9,
        },
    );
    world.sides[1] = fresh;
    let plans = world.agree(&[Codec::Opus], [Direction::SendRecv; 2]);
    world.apply_to(1, &plans[1]);
    world.run(2.0);
    let heard = &world.heard(0)[48_000 + 12_000..];
    assert!(
        share_of(heard, 1_300.0) > 0.95,
        "{}",
        share_of(heard, 1_300.0)
    );
    let quality = world.sides[0].session.quality();
    assert!(quality.received > before + 90);
    assert!(quality.lost <= 1, "{quality:?}");
}

#[test]
fn nothing_heard_is_told_every_ten_seconds_and_again_after_it_came_back() {
    let mut world = World::call(1, Codec::Pcmu);
    world.weather.loss = 1.1;
    world.run(25.0);
    assert_eq!(world.sides[0].silences(), [10, 20]);
    world.weather.loss = 0.0;
    world.run(2.0);
    world.weather.loss = 1.1;
    world.run(12.0);
    assert_eq!(world.sides[0].silences(), [10, 20, 10]);
    let mut events = world.sides[0].events.clone();
    events.retain(|event| {
        let cause = matches!(event, SessionEvent::OneWay { .. });
        !cause
    });
    let heard = |event: &&SessionEvent| **event == SessionEvent::Heard;
    assert_eq!(events.iter().filter(heard).count(), 1, "{events:?}");
    let last = events
        .iter()
        .position(|event| *event == SessionEvent::Heard);
    assert_eq!(last, Some(events.len() - 2), "{events:?}");
}

/// When side 0 is told of a silence, and when that it is over, in seconds since `start`.
fn told(world: &mut World, start: Instant, seconds: u32) -> Vec<(u64, bool)> {
    let mut told = Vec::new();
    world.sides[0].events.clear();
    for _ in 0..seconds * 100 {
        world.tick();
        let at = world.now.saturating_duration_since(start).as_secs();
        for event in std::mem::take(&mut world.sides[0].events) {
            match event {
                SessionEvent::Silent { .. } => told.push((at, true)),
                SessionEvent::Heard => told.push((at, false)),
                SessionEvent::Flowing(_)
                | SessionEvent::Digit(_)
                | SessionEvent::Secured(_)
                | SessionEvent::KeysFailed(_)
                | SessionEvent::OneWay { .. } => {}
            }
        }
    }
    told
}

/// Only sound was counted: the end came with its announcement, and a report did not call it off.
#[test]
fn a_far_end_is_silent_from_its_last_sound_or_report_on() {
    let mut world = World::call(1, Codec::Pcmu);
    world.run(6.0);
    world.weather.loss = 1.1;
    world.sound_alone = true;
    let start = world.now;
    assert_eq!(told(&mut world, start, 60), [], "it reports");
    // The last report came a while ago, at most seven and a half seconds.
    world.sound_alone = false;
    let start = world.now;
    let silences = told(&mut world, start, 45);
    let times: Vec<u64> = silences.iter().map(|(at, _)| *at).collect();
    assert!((2..=10).contains(&times[0]), "{times:?}");
    assert!(silences.iter().all(|(_, silent)| *silent));
    assert_eq!(times[1..3], [times[0] + 10, times[0] + 20]);
    // A report calls it off.
    world.sound_alone = true;
    let start = world.now;
    let back = told(&mut world, start, 30);
    assert!(
        matches!(
            back.as_slice(),
            [(0..8, false)] | [(0..8, true), (0..8, false)]
        ),
        "{back:?}"
    );
}

#[test]
fn a_plain_echo_of_our_own_packets_is_heard() {
    let mut world = World::new(1);
    let plans = world.agree(&[Codec::Pcmu], [Direction::SendRecv; 2]);
    let far = world.sides[1].address;
    world.sides[0].session.apply(world.now, &plans[0]).unwrap();
    for _ in 0..300 {
        let side = &mut world.sides[0];
        let mut frame = SILENCE;
        side.session.playout(world.now, &mut frame);
        side.heard.extend(frame);
        let mut frame = side.speak();
        side.session.capture(world.now, &mut frame, None);
        side.session.tick(world.now);
        while let Some(transmit) = side.session.poll_transmit() {
            side.session.handle_rtp(world.now, far, &transmit.bytes);
        }
        world.now += FRAME_TIME;
    }
    assert!(share_of(world.heard(0), 500.0) > 0.98);
}

#[test]
fn goodbye_is_said() {
    let mut world = World::call(1, Codec::Pcmu);
    world.run(0.5);
    world.sides[0].session.close(world.now);
    let mut last = None;
    while let Some(transmit) = world.sides[0].session.poll_transmit() {
        last = Some(transmit);
    }
    let reports = crate::media::rtcp::parse(&last.unwrap().bytes).unwrap();
    assert!(reports.goodbye);
    assert!(reports.sender.is_some_and(|sender| sender.packets >= 24));
}

#[test]
fn a_call_without_an_address_sends_nothing() {
    let mut world = World::new(1);
    let mut plans = world.agree(&[Codec::Pcmu], [Direction::SendRecv; 2]);
    plans[0].remote_rtp = None;
    plans[0].remote_rtcp = None;
    world.sides[0].session.apply(world.now, &plans[0]).unwrap();
    world.run(12.0);
    assert_eq!(world.sides[1].arrived, 0);
    assert!(world.flying.is_empty());
    assert_eq!(world.sides[0].session.quality().sent, 0);
}

#[test]
fn mutated_datagrams_never_panic_and_the_call_goes_on() {
    for codec in [Codec::Opus, Codec::Pcma] {
        let mut world = World::call(1, codec);
        world.run(1.0);
        let mut random = SeededRandom::new(13);
        let far = world.sides[1].address;
        for round in 0..20_000_u32 {
            let mut bytes = match world.flying.first() {
                Some(flying) if round % 3 != 0 => flying.transmit.bytes.clone(),
                Some(_) | None => vec![0x80; 60],
            };
            for _ in 0..1 + round % 5 {
                let [low, high, value, ..] = random.next_u64().to_le_bytes();
                let at = usize::from(u16::from_le_bytes([low, high])) % bytes.len();
                bytes[at] = value;
            }
            let now = world.now;
            world.sides[0].session.handle_rtp(now, far, &bytes);
            world.sides[0].session.handle_rtcp(now, far, &bytes);
            if round % 40 == 0 {
                world.tick();
            }
        }
        world.run(4.0);
        let heard = world.heard(0);
        let heard = &heard[heard.len() - 96_000..];
        assert!(
            share_of(heard, 900.0) > 0.95,
            "{codec}: {}",
            share_of(heard, 900.0)
        );
        assert_eq!(heard.len() % FRAME_SAMPLES, 0);
        assert!(heard.iter().all(|sample| sample.is_finite()));
    }
}
