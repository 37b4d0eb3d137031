//! Holding, resuming, and the music between.

use std::time::Duration;

use super::world::{World, share_of};
use crate::media::frame::peak;
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
