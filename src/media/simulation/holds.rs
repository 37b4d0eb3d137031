//! Holding, resuming, and the music between.

use std::time::Duration;

use audio_codec_algorithms::decode_alaw;

use super::world::{World, share_of};
use crate::media::frame::{from_pcm16, peak};
use crate::media::hold_music::tone_music;
use crate::media::rtp::RtpPacket;
use crate::sdp::{Codec, Direction};

#[test]
fn hold_stops_sending_and_resume_starts_again_with_a_marker() {
    let mut world = World::call(1, Codec::Pcmu);
    world.run(2.0);
    // Side 0 holds: it sends nothing and hears nothing.
    let plans = world.agree(&[Codec::Pcmu], [Direction::Inactive, Direction::SendRecv]);
    world.apply(plans);
    world.run(1.0);
    let before = [0, 1].map(|side| world.sides[side].arrived);
    world.sides[0].session.send_digits("1");
    world.run(25.0);
    assert_eq!(before, [0, 1].map(|side| world.sides[side].arrived));
    // The ways through NATs are kept open meanwhile.
    assert!(world.sides.iter().all(|side| side.kept_open == 1));
    assert!(world.sides.iter().all(|side| side.silences().is_empty()));
    assert_eq!(peak(&world.sides[0].heard[48_000 * 27..]), 0.0);
    let plans = world.agree(&[Codec::Pcmu], [Direction::SendRecv; 2]);
    world.apply(plans);
    let mut markers = 0;
    for _ in 0..300 {
        world.tick();
        markers += world
            .flying
            .iter()
            .filter(|flying| flying.arrival == world.now + Duration::from_millis(10))
            .filter_map(|flying| RtpPacket::parse(&flying.transmit.bytes))
            .filter(|packet| packet.marker && packet.payload_type == 0)
            .count();
    }
    assert_eq!(markers, 2);
    for (side, other) in [(0, 900.0), (1, 500.0)] {
        let heard = world.heard(side);
        assert!(share_of(&heard[heard.len() - 134_400..], other) > 0.98);
    }
    assert_eq!(world.sides[1].digits(), "");
}

/// The largest step between two samples.
fn largest_step(samples: &[f32]) -> f32 {
    let steps = samples.windows(2).map(|pair| (pair[1] - pair[0]).abs());
    steps.fold(0.0, f32::max)
}

/// A call whose tones stand elsewhere at the end of each frame: cut off there, they would click.
fn tones(codec: Codec) -> World {
    let mut world = World::call(1, codec);
    world.sides[0].hertz = 537.0;
    world.sides[1].hertz = 737.0;
    world
}

#[test]
fn neither_end_hears_a_click_when_a_hold_begins_or_ends() {
    let music = tone_music(1_300.0, 100_000);
    for codec in [Codec::Opus, Codec::G722, Codec::Pcma] {
        for (direction, music) in [
            (Direction::Inactive, None),
            (Direction::SendOnly, Some(&music)),
        ] {
            for tick in 0..4 {
                let mut world = tones(codec);
                world.run(1.5 + 0.01 * tick as f32);
                world.sides[0].on_hold.set(true, music);
                let plans = world.agree(&[codec], [direction, Direction::SendRecv]);
                world.apply(plans);
                world.run(1.0);
                world.sides[0].on_hold.set(false, music);
                let plans = world.agree(&[codec], [Direction::SendRecv; 2]);
                world.apply(plans);
                world.run(1.5);
                // The tones themselves go by 0.029 from one sample to the next, at most, and G.722 adds
                // some noise; one that is cut off goes by up to 0.29.
                for side in [0, 1] {
                    let step = largest_step(world.heard(side));
                    assert!(step < 0.06, "{codec}, {direction:?}, side {side}: {step}");
                }
                let resumed = &world.heard(1)[48_000 * 2..];
                assert!(share_of(&resumed[24_000..], 537.0) > 0.9, "{codec}");
            }
        }
    }
}

#[test]
fn what_is_sent_ends_in_silence_before_nothing_is_sent_any_more() {
    for tick in 0..10 {
        let mut world = tones(Codec::Pcma);
        world.run(1.0 + 0.01 * tick as f32);
        let plans = world.agree(&[Codec::Pcma], [Direction::Inactive, Direction::SendRecv]);
        world.sides[0].session.apply(world.now, &plans[0]).unwrap();
        world.flying.clear();
        let from = world.sides[0].address;
        let (mut sent, mut packets) = (Vec::new(), 0);
        for _ in 0..20 {
            world.tick();
            for flying in std::mem::take(&mut world.flying) {
                let packet = RtpPacket::parse(&flying.transmit.bytes);
                if let Some(packet) =
                    packet.filter(|it| flying.from == from && it.payload_type == 8)
                {
                    packets += 1;
                    let samples = packet.payload.iter();
                    sent.extend(samples.map(|byte| from_pcm16(decode_alaw(*byte))));
                }
            }
        }
        // The packet that was being filled, and another one where no silence fits into that. At 8 kHz
        // the tone goes by 0.126 at most.
        assert!((1..=2).contains(&packets), "{packets}");
        let step = largest_step(&sent);
        assert!(step < 0.14, "{step}");
        let [.., last] = sent[..] else {
            panic!("nothing")
        };
        assert!(peak(&sent) > 0.2 && last.abs() < 0.002, "{last}");
    }
}

#[test]
fn music_on_hold_goes_one_way() {
    let mut world = World::new(1);
    let plans = world.agree(&[Codec::Opus], [Direction::SendOnly, Direction::SendRecv]);
    assert_eq!(plans[1].direction, Direction::RecvOnly);
    world.apply(plans);
    world.run(3.0);
    assert!(share_of(world.heard(1), 500.0) > 0.98);
    assert_eq!((world.sides[0].arrived, peak(world.heard(0))), (0, 0.0));
}

#[test]
fn a_held_far_end_hears_the_music_alone_and_the_voice_after_it() {
    for codec in [Codec::Opus, Codec::Pcma] {
        let music = tone_music(1_300.0, 100_000);
        let mut world = World::call(1, codec);
        world.run(2.0);
        let plans = world.agree(&[codec], [Direction::SendOnly, Direction::SendRecv]);
        world.apply(plans);
        world.sides[0].on_hold.set(true, Some(&music));
        world.run(5.0);
        let plans = world.agree(&[codec], [Direction::SendRecv; 2]);
        world.apply(plans);
        world.sides[0].on_hold.set(false, Some(&music));
        world.run(2.0);
        let heard = &world.sides[1].heard;
        // More than one round of the file.
        let held = &heard[48_000 * 9 / 4..48_000 * 7];
        assert!(share_of(held, 1_300.0) > 0.95, "{codec}: the music");
        assert!(share_of(held, 500.0) < 0.01, "{codec}: no voice in it");
        let resumed = &heard[48_000 * 29 / 4..];
        assert!(share_of(resumed, 500.0) > 0.95, "{codec}: the voice again");
        assert!(share_of(resumed, 1_300.0) < 0.01, "{codec}: no music in it");
        // Who holds hears nothing meanwhile.
        assert!(peak(&world.sides[0].heard[48_000 * 5 / 2..48_000 * 7]) < 0.01);
    }
}

#[test]
fn music_stands_still_while_both_sides_hold() {
    let music = tone_music(1_300.0, 100_000);
    let mut world = World::call(1, Codec::Pcmu);
    world.run(1.0);
    world.sides[0].on_hold.set(true, Some(&music));
    let plans = world.agree(&[Codec::Pcmu], [Direction::SendOnly; 2]);
    assert_eq!(plans[0].direction, Direction::Inactive);
    world.apply(plans);
    world.run(0.5);
    let before = [0, 1].map(|side| world.sides[side].arrived);
    world.run(2.0);
    assert_eq!(before, [0, 1].map(|side| world.sides[side].arrived));
    // The far end comes back, and we still hold.
    let plans = world.agree(&[Codec::Pcmu], [Direction::SendOnly, Direction::SendRecv]);
    world.apply(plans);
    world.run(2.0);
    let heard = &world.sides[1].heard[48_000 * 4..];
    assert!(share_of(heard, 1_300.0) > 0.95);
}
