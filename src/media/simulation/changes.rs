//! What changes in mid-call without a word: codec, source, clock, numbers, packet time, silence.

use std::f32::consts::PI;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::world::{World, share_of};
use crate::media::codec::{Encoded, Encoder, MAX_PAYLOAD_BYTES};
use crate::media::frame::{FRAME_SAMPLES, FRAME_TIME, SILENCE, peak};
use crate::media::rtp::RtpPacket;
use crate::media::session::Session;
use crate::sdp::{Codec, Direction, MediaPlan};

/// A far end of which each packet can be bent before it is sent.
struct Bent {
    now: Instant,
    session: Session,
    from: SocketAddr,
    plan: MediaPlan,
    encoder: Encoder,
    codec: Codec,
    spoken: usize,
    /// Packets of 10 ms frames that make one.
    frames: usize,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
    heard: Vec<f32>,
}

/// What the far end says: a tone of 300 Hz.
fn tone(n: usize) -> f32 {
    // 160 samples a period, so that nothing is rounded.
    0.4 * (2.0 * PI * (n % 160) as f32 / 160.0).sin()
}

/// The tone's own steepness is 0.4 × 2π / 160 = 0.0157; four times that is no click yet.
const CLICK: f32 = 0.063;

impl Bent {
    fn new(codec: Codec) -> Self {
        let world = World::new(1);
        let mut codecs = vec![codec];
        codecs.extend(Codec::ALL.into_iter().filter(|it| *it != codec));
        let [mut plan, _] = world.agree(&codecs, [Direction::SendRecv; 2]);
        let [side, far] = world.sides;
        let mut session = side.session;
        session.apply(world.now, &plan).unwrap();
        plan.codec = codec;
        Self {
            now: world.now,
            session,
            from: far.address,
            encoder: Encoder::new(&plan).unwrap(),
            plan,
            codec,
            spoken: 0,
            frames: 2,
            sequence: 40_000,
            timestamp: 4_000_000_000,
            ssrc: 9,
            heard: Vec::new(),
        }
    }

    fn turn_to(&mut self, codec: Codec) {
        self.codec = codec;
        self.plan.codec = codec;
        self.encoder = Encoder::new(&self.plan).unwrap();
    }

    /// So many milliseconds of talk.
    fn talk(&mut self, millis: usize) {
        for _ in 0..millis / 10 / self.frames {
            let count = FRAME_SAMPLES * self.frames;
            let sound: Vec<f32> = (self.spoken..self.spoken + count).map(tone).collect();
            self.spoken += count;
            let mut payload = [0; MAX_PAYLOAD_BYTES];
            let Encoded::Sound(length) = self.encoder.encode(&sound, &mut payload) else {
                panic!("a tone is sound");
            };
            let kinds = self.plan.receive.iter();
            let payload_type = kinds.clone().find(|it| it.1 == self.codec).unwrap().0;
            self.send(payload_type, &payload[..length]);
            self.pass(self.frames);
        }
    }

    fn send(&mut self, payload_type: u8, payload: &[u8]) {
        let packet = RtpPacket {
            marker: false,
            payload_type,
            sequence: self.sequence,
            timestamp: self.timestamp,
            ssrc: self.ssrc,
            payload,
        };
        self.session
            .handle_rtp(self.now, self.from, &packet.write());
        self.sequence = self.sequence.wrapping_add(1);
    }

    /// So many ticks, in which the far end's clock goes on.
    fn pass(&mut self, ticks: usize) {
        for _ in 0..ticks {
            let mut frame = SILENCE;
            self.session.playout(self.now, &mut frame);
            self.heard.extend(frame);
            self.session.tick(self.now);
            self.now += FRAME_TIME;
            let ticks = self.codec.clock_rate() / 100;
            self.timestamp = self.timestamp.wrapping_add(ticks);
        }
    }

    /// No step that is not the sound's own after the first half second, and no 10 ms of silence but
    /// so many.
    fn assert_whole(&self, what: &str, most_mute: usize) {
        let heard = &self.heard[24_000..];
        let steps = heard.windows(2).map(|w| (w[1] - w[0]).abs());
        let step = steps.fold(0.0, f32::max);
        assert!(step < CLICK, "{what}: a click of {step}");
        let mute = heard.chunks_exact(480).filter(|piece| peak(piece) < 0.1);
        let mute = mute.count();
        assert!(mute <= most_mute, "{what}: mute for {mute} times 10 ms");
        let end = &heard[heard.len() - 24_000..];
        assert!(
            share_of(end, 300.0) > 0.95,
            "{what}: {}",
            share_of(end, 300.0)
        );
    }

    fn delay_millis(&self) -> u128 {
        self.session.quality().playout_delay.as_millis()
    }
}

#[test]
fn the_codec_may_change_from_packet_to_packet() {
    use Codec::{G722, Opus, Pcma, Pcmu};
    let mut far = Bent::new(Pcmu);
    for codec in [Pcmu, G722, Opus, Pcma, Opus, Pcmu, G722, Pcma] {
        far.turn_to(codec);
        far.talk(600);
        let quality = far.session.quality();
        assert_eq!((quality.lost, quality.concealed), (0, Duration::ZERO));
        assert!(quality.jitter < Duration::from_millis(1), "{quality:?}");
        assert!(
            far.delay_millis() <= 40,
            "{codec}: {} ms",
            far.delay_millis()
        );
    }
    far.assert_whole("codecs", 0);
}

#[test]
fn another_source_takes_over_with_a_short_gap() {
    for codec in Codec::ALL {
        let mut far = Bent::new(codec);
        far.talk(2_000);
        far.ssrc = 77;
        far.sequence = 3;
        far.timestamp = 17;
        far.turn_to(codec);
        far.talk(2_000);
        // Two packets until it is believed and its delay is reached; what was heard fades meanwhile.
        far.assert_whole(&format!("source, {codec}"), 4);
    }
}

#[test]
fn a_clock_that_leaps_is_not_believed() {
    for codec in [Codec::Opus, Codec::Pcma, Codec::G722] {
        for millis in [-60_000, -700, -80, 300, 1_500, 3_000_000_i64] {
            let mut far = Bent::new(codec);
            far.talk(1_000);
            let ticks = millis * i64::from(codec.clock_rate()) / 1_000;
            let low = u32::try_from(ticks.rem_euclid(1 << 32)).unwrap();
            far.timestamp = far.timestamp.wrapping_add(low);
            far.talk(1_200);
            far.assert_whole(&format!("{codec}, {millis} ms"), 0);
            assert!(far.delay_millis() <= 60, "{} ms", far.delay_millis());
        }
    }
}

#[test]
fn numbers_that_begin_anew_cost_a_short_gap_at_most() {
    for (what, sequence, timestamp) in [
        ("far back", 100, 0_u32),
        ("a little back", 40_060, 0),
        ("ahead", 40_150, 0),
        ("far ahead", 60_000, 0),
        ("back, with the clock", 40_050, 3_000_000_000),
        ("all of it", 9, 77),
    ] {
        let mut far = Bent::new(Codec::G722);
        far.talk(2_000);
        far.sequence = sequence;
        if timestamp > 0 {
            far.timestamp = timestamp;
        }
        far.talk(2_000);
        far.assert_whole(what, 15);
        assert!(
            far.delay_millis() <= 60,
            "{what}: {} ms",
            far.delay_millis()
        );
    }
}

#[test]
fn the_packet_time_may_change_from_packet_to_packet() {
    for codec in Codec::ALL {
        let mut far = Bent::new(codec);
        for frames in [2, 4, 6, 1, 6, 2] {
            far.frames = frames;
            far.talk(600);
        }
        // A longer packet needs a longer delay: what bridges the way there is no silence.
        far.assert_whole(&format!("{codec}"), 0);
    }
}

#[test]
fn our_packet_time_may_change_in_mid_call() {
    for codec in Codec::ALL {
        let mut world = World::new(1);
        let plans = world.agree(&[codec], [Direction::SendRecv; 2]);
        world.apply(plans.clone());
        world.run(1.01);
        for millis in [60, 10, 40, 30, 20] {
            if codec == Codec::Opus && millis == 30 {
                continue;
            }
            let mut plans = plans.clone();
            plans[0].ptime_millis = millis;
            world.apply(plans);
            // Not a whole number of packets: what is gathered is not forgotten.
            world.run(1.57);
        }
        let heard = world.heard(1);
        assert!(
            share_of(heard, 500.0) > 0.97,
            "{codec}: {}",
            share_of(heard, 500.0)
        );
        let quality = world.sides[1].session.quality();
        assert_eq!(quality.lost, 0, "{quality:?}");
        assert!(
            quality.playout_delay < Duration::from_millis(100),
            "{quality:?}"
        );
    }
}

#[test]
fn comfort_noise_is_heard_at_its_level_until_the_voice_comes_back() {
    for codec in [Codec::Pcmu, Codec::Pcma, Codec::G722] {
        let mut far = Bent::new(codec);
        far.talk(2_000);
        // Told once a second, for four seconds; the second time is lost.
        for second in 0..4 {
            if second == 1 {
                far.sequence = far.sequence.wrapping_add(1);
            } else {
                far.send(13, &[50]);
            }
            far.pass(100);
        }
        let rested = far.heard.len();
        far.talk(2_000);
        let noise = &far.heard[rested - 3 * 48_000..rested];
        for second in noise.chunks_exact(24_000) {
            let power = second.iter().map(|s| s * s).sum::<f32>() / 24_000.0;
            let level = 10.0 * power.log10();
            assert!((-52.5..-48.5).contains(&level), "{codec}: {level} dBov");
        }
        let quality = far.session.quality();
        assert_eq!(
            (quality.lost, quality.concealed),
            (1, Duration::ZERO),
            "{quality:?}"
        );
        far.assert_whole(&format!("noise, {codec}"), 408);
    }
}

#[test]
fn a_stream_may_begin_with_comfort_noise() {
    let mut far = Bent::new(Codec::G722);
    far.send(13, &[45]);
    far.pass(100);
    let power = far.heard[24_000..].iter().map(|s| s * s).sum::<f32>() / 24_000.0;
    assert!((-47.5..-43.5).contains(&(10.0 * power.log10())), "{power}");
    far.talk(2_000);
    far.assert_whole("it begins with noise", 60);
}

#[test]
fn what_is_suppressed_is_neither_sent_nor_taken_for_a_loss() {
    for codec in Codec::ALL {
        let mut world = World::new(1);
        world.suppress = [true; 2];
        let plans = world.agree(&[codec], [Direction::SendRecv; 2]);
        world.apply(plans);
        world.sides[0].session.mute(true);
        world.run(6.0);
        // Muted: at most three packets a second, and the first half second.
        let arrived = world.sides[1].arrived;
        assert!((4..55).contains(&arrived), "{codec}: {arrived} packets");
        let quality = world.sides[1].session.quality();
        assert_eq!(
            (quality.lost, quality.concealed),
            (0, Duration::ZERO),
            "{codec}"
        );
        assert!(peak(&world.heard(1)[96_000..]) < 0.01, "{codec}");
        assert!(world.sides[1].silences().is_empty());
        world.sides[0].session.mute(false);
        world.run(2.0);
        let heard = &world.heard(1)[world.heard(1).len() - 48_000..];
        assert!(share_of(heard, 500.0) > 0.95, "{codec}");
        let quality = world.sides[1].session.quality();
        assert_eq!(
            (quality.lost, quality.concealed),
            (0, Duration::ZERO),
            "{codec}"
        );
        // The other side talks all the time.
        assert!(world.sides[0].arrived >= 390, "{codec}");
    }
}

#[test]
fn digits_get_through_while_nothing_else_is_sent() {
    for codec in Codec::ALL {
        let mut world = World::new(2);
        world.suppress = [true; 2];
        let plans = world.agree(&[codec], [Direction::SendRecv; 2]);
        world.apply(plans);
        world.sides[0].session.mute(true);
        world.run(3.0);
        world.sides[0].session.send_digits("159#");
        world.run(3.0);
        assert_eq!(world.sides[1].digits(), "159#", "{codec}");
    }
}
