//! What each side hears of the other, voice and digits (RFC 4733), and what is measured of it.

use std::time::Duration;

use super::world::{CLEAR, Weather, World, share_of};
use crate::media::codec::{Decoder, Effort};
use crate::media::frame::{FRAME_TIME, SAMPLES_PER_MILLI, peak};
use crate::media::rtp::{RtpPacket, is_rtcp};
use crate::media::steering::Redundancy;
use crate::sdp::{Codec, Direction};

#[test]
fn each_side_hears_the_other_and_not_itself() {
    for codec in Codec::ALL {
        let mut world = World::call(1, codec);
        world.run(4.0);
        for (side, (own, other)) in [(500.0, 900.0), (900.0, 500.0)].into_iter().enumerate() {
            assert!(share_of(world.heard(side), other) > 0.98, "{codec}");
            assert!(share_of(world.heard(side), own) < 0.01, "{codec}");
            let quality = world.sides[side].session.quality();
            assert_eq!(quality.lost, 0);
            assert!(
                quality.sent >= 199 && quality.received >= 195,
                "{quality:?}"
            );
            assert_eq!(quality.concealed, Duration::ZERO);
            assert!((0.25..0.35).contains(&quality.level_out), "{quality:?}");
            assert!((0.2..0.45).contains(&quality.level_in), "{quality:?}");
            assert!(
                quality.playout_delay <= Duration::from_millis(50),
                "{quality:?}"
            );
        }
    }
}

#[test]
fn loss_and_jitter_cost_little_and_are_measured_on_both_sides() {
    for codec in [Codec::Opus, Codec::G722, Codec::Pcma] {
        let mut world = World::call(7, codec);
        world.weather = Weather {
            loss: 0.1,
            delay: 60,
            jitter: 40,
        };
        world.run(20.0);
        for (side, other) in [(0, 900.0), (1, 500.0)] {
            let share = share_of(world.heard(side), other);
            assert!(share > 0.8, "{codec}: {share}");
            let quality = world.sides[side].session.quality();
            let lost = quality.lost as f32 / (quality.lost + quality.received) as f32;
            assert!((0.07..0.13).contains(&lost), "{lost}");
            let reported = quality.remote_loss.unwrap();
            assert!((0.02..0.25).contains(&reported), "{reported}");
            let trip = quality.round_trip.unwrap();
            assert!((110..=220).contains(&trip.as_millis()), "{trip:?}");
            assert!((5..30).contains(&quality.jitter.as_millis()), "{quality:?}");
            assert!((5..30).contains(&quality.remote_jitter.unwrap().as_millis()));
            assert!(quality.concealed < Duration::from_secs(4), "{quality:?}");
            // What brings two lost packets back is waited for.
            let repair = if codec == Codec::Opus { 40 } else { 0 };
            let most = Duration::from_millis(90 + repair);
            assert!(quality.playout_delay < most, "{quality:?}");
        }
    }
}

#[test]
fn from_mouth_to_ear_takes_a_packet_the_network_and_a_packet() {
    for (codec, most) in [(Codec::Pcmu, 75), (Codec::G722, 77), (Codec::Opus, 80)] {
        let mut world = World::call(1, codec);
        // Silence, then from the third second on the tone.
        world.sides[0].session.mute(true);
        world.run(3.0);
        world.sides[0].session.mute(false);
        world.run(0.5);
        let heard = &world.sides[1].heard[3 * 48_000..];
        let onset = heard.iter().position(|sample| sample.abs() > 0.03).unwrap();
        let millis = onset / 48;
        assert!((40..=most).contains(&millis), "{codec}: {millis} ms");
    }
}

#[test]
fn unknown_stays_unknown_without_reports() {
    let mut world = World::call(1, Codec::Pcmu);
    world.run(2.0);
    let quality = world.sides[0].session.quality();
    assert_eq!(
        (
            quality.remote_loss,
            quality.remote_jitter,
            quality.round_trip
        ),
        (None, None, None)
    );
}

#[test]
fn digits_arrive_once_and_in_order_whatever_is_lost() {
    for codec in [Codec::Opus, Codec::Pcmu] {
        let mut world = World::call(3, codec);
        world.run(1.0);
        world.weather = Weather {
            loss: 0.3,
            delay: 40,
            jitter: 30,
        };
        world.sides[0].session.send_digits("0123456789*#ABCD");
        world.sides[1].session.send_digits("99");
        world.run(6.0);
        assert_eq!(world.sides[1].digits(), "0123456789*#ABCD", "{codec}");
        assert_eq!(world.sides[0].digits(), "99", "{codec}");
        // The voice comes back behind them.
        world.weather = CLEAR;
        world.run(3.0);
        let heard = &world.heard(1)[world.heard(1).len() - 48_000..];
        assert!(share_of(heard, 500.0) > 0.95, "{codec}");
    }
}

#[test]
fn digits_sound_in_band_where_the_far_end_takes_no_events() {
    let mut world = World::new(1);
    let mut plans = world.agree(&[Codec::Pcmu], [Direction::SendRecv; 2]);
    plans[0].telephone_event_send = None;
    world.apply(plans);
    world.run(1.0);
    world.sides[0].session.send_digits("1D");
    world.run(1.0);
    let heard = world.heard(1);
    // Pieces of 50 ms: which of them are the voice, which a digit.
    let tones = |low: f32, high: f32| {
        let both = |piece: &&[f32]| {
            let (low, high) = (share_of(piece, low), share_of(piece, high));
            low > 0.4 && high > 0.4
        };
        heard.chunks_exact(2_400).filter(both).count()
    };
    assert!((1..=2).contains(&tones(697.0, 1_209.0)));
    assert!((1..=2).contains(&tones(941.0, 1_633.0)));
    assert_eq!(tones(770.0, 1_336.0), 0);
    assert!(share_of(&heard[heard.len() - 19_200..], 500.0) > 0.98);
    let step = heard
        .windows(2)
        .map(|w| (w[1] - w[0]).abs())
        .fold(0.0, f32::max);
    assert!(step < 0.15, "{step}");
}

#[test]
fn codec_changes_in_mid_call_are_followed() {
    let mut world = World::call(1, Codec::Pcmu);
    world.run(2.0);
    let plans = world.agree(&[Codec::Opus, Codec::Pcmu], [Direction::SendRecv; 2]);
    world.apply(plans);
    world.run(2.0);
    for (side, other) in [(0, 900.0), (1, 500.0)] {
        let heard = &world.heard(side)[48_000 + 12_000..];
        assert!(share_of(heard, other) > 0.98);
    }
}

#[test]
fn mute_sends_silence_without_a_click() {
    let mut world = World::call(1, Codec::Pcma);
    world.run(1.5);
    world.sides[0].session.mute(true);
    let before = world.sides[1].arrived;
    world.run(2.0);
    assert!(world.sides[1].arrived >= before + 95);
    let heard = world.heard(1);
    assert!(peak(&heard[48_000..]) < 0.01);
    let step = heard
        .windows(2)
        .map(|w| (w[1] - w[0]).abs())
        .fold(0.0, f32::max);
    assert!(step < 0.04, "{step}");
    world.sides[0].session.mute(false);
    world.run(1.5);
    let heard = world.heard(1);
    assert!(share_of(&heard[heard.len() - 48_000..], 500.0) > 0.98);
}

#[test]
fn packets_of_any_length_are_heard() {
    for millis in [10, 30, 40, 50, 60] {
        for codec in Codec::ALL {
            if codec == Codec::Opus && [30, 50].contains(&millis) {
                continue;
            }
            let mut world = World::new(1);
            let mut plans = world.agree(&[codec], [Direction::SendRecv; 2]);
            plans[0].ptime_millis = millis;
            world.apply(plans);
            world.run(3.0);
            assert!(share_of(world.heard(1), 500.0) > 0.98, "{codec} {millis}");
            assert!(share_of(world.heard(0), 900.0) > 0.98, "{codec} {millis}");
        }
    }
}

#[test]
fn payload_types_may_differ_by_direction() {
    let mut world = World::new(1);
    let mut plans = world.agree(&[Codec::Opus], [Direction::SendRecv; 2]);
    plans[0].send_payload_type = 97;
    plans[1].receive = vec![(97, Codec::Opus)];
    world.apply(plans);
    world.run(3.0);
    assert!(share_of(world.heard(1), 500.0) > 0.98);
    assert!(share_of(world.heard(0), 900.0) > 0.98);
}

/// The payloads of those packets of the first side that are on their way, sent in so many seconds; the
/// network adds no jitter.
fn sent_in(world: &mut World, seconds: u32) -> Vec<Vec<u8>> {
    let mut payloads = Vec::new();
    for _ in 0..seconds * 100 {
        world.tick();
        let sent = world.now - FRAME_TIME;
        let arrival = sent + Duration::from_millis(world.weather.delay);
        let from = world.sides[0].address;
        let just_sent = world.flying.iter().filter(|flying| {
            flying.arrival == arrival && flying.from == from && !is_rtcp(&flying.transmit.bytes)
        });
        payloads.extend(just_sent.map(|flying| {
            let packet = RtpPacket::parse(&flying.transmit.bytes).unwrap();
            packet.payload.to_vec()
        }));
    }
    payloads
}

/// How many of the packets carry the one before (FEC), and how many more than that (DRED).
fn redundant(payloads: &[Vec<u8>]) -> [usize; 2] {
    let one = 20 * SAMPLES_PER_MILLI;
    let mut decoder = Decoder::new(Codec::Opus).unwrap();
    [(Effort::Plain, one), (Effort::Deep, 5 * one)].map(|(effort, least)| {
        decoder.set_effort(effort);
        let carries = |payload: &&Vec<u8>| decoder.reach(payload) >= least;
        payloads.iter().filter(carries).count()
    })
}

/// The reports of the far end reach the encoder: without them nothing of this would happen.
#[test]
fn what_the_far_end_reports_of_loss_and_delay_steers_the_encoder() {
    let bytes = |payloads: &[Vec<u8>]| -> usize { payloads.iter().map(Vec::len).sum() };
    let mut world = World::call(4, Codec::Opus);
    world.sides[0].voiced = true;
    let young = sent_in(&mut world, 4);
    let [fec, dred] = redundant(&young);
    assert!(fec * 2 > young.len(), "FEC in {fec} of {}", young.len());
    assert_eq!(dred, 0);
    // Nothing is lost for seven reports: no bit is spent on what could be.
    world.run(40.0);
    let clean = sent_in(&mut world, 4);
    assert_eq!(redundant(&clean), [0, 0]);

    // The line fills: nothing is lost, but all takes longer.
    world.weather.delay = 300;
    world.run(18.0);
    let queued = sent_in(&mut world, 4);
    let (before, after) = (bytes(&clean), bytes(&queued));
    assert!(after * 4 < before * 3, "{after} bytes, {before} before");

    world.weather = Weather {
        loss: 0.15,
        ..CLEAR
    };
    world.run(16.0);
    let lossy = sent_in(&mut world, 4);
    let [fec, _] = redundant(&lossy);
    let all = lossy.len();
    assert!(fec * 2 > all, "FEC in {fec} of {all}");
}

/// Where two packets in a row are lost, the one behind them has the second by FEC, and the first by DRED alone.
#[test]
fn what_fec_does_not_reach_is_brought_back_by_dred_where_the_far_end_sends_it() {
    let [with, without] = [Redundancy::Always, Redundancy::Off].map(|redundancy| {
        let mut world = World::new(5);
        world.sides[0].voiced = true;
        world.sides[0].session.choose_redundancy(redundancy);
        let plans = world.agree(&[Codec::Opus], [Direction::SendRecv; 2]);
        world.apply(plans);
        world.weather = Weather {
            loss: 0.15,
            ..CLEAR
        };
        world.run(20.0);
        world.sides[1].session.quality()
    });
    assert_eq!(with.lost, without.lost);
    // Two in a row are lost once a second.
    assert!(with.recovered_by_dred >= 10, "{with:?}");
    assert!(with.recovered > without.recovered, "{with:?} {without:?}");
    assert!(
        with.concealed * 2 < without.concealed,
        "{with:?} {without:?}"
    );
    assert_eq!(without.recovered_by_dred, 0);
    assert!(without.recovered >= 50, "{without:?}");
}
