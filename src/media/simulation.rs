//! Whole calls under simulated time: two sessions, a network between them, a seed.

use std::f32::consts::PI;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::base::clock::monotonic_now;
use crate::base::random::{Random as _, SeededRandom};
use crate::media::frame::{FRAME_SAMPLES, FRAME_TIME, Frame, SILENCE, peak};
use crate::media::hold_music::{OnHold, tone_music};
use crate::media::outgoing::StreamSeed;
use crate::media::rtp::{RtpPacket, is_rtcp};
use crate::media::session::{Session, SessionEvent, SessionSeed, Transmit};
use crate::sdp::{Codec, Direction, LocalMedia, MediaPlan, accept, answer, offer};

/// What the network does.
#[derive(Debug, Clone, Copy)]
struct Weather {
    /// The share of datagrams that are lost.
    loss: f32,
    /// One way, in milliseconds.
    delay: u64,
    /// Added at random, in milliseconds; enough of it reorders.
    jitter: u64,
}

const CLEAR: Weather = Weather {
    loss: 0.0,
    delay: 20,
    jitter: 0,
};

struct Side {
    session: Session,
    /// Where it is seen to send from.
    address: SocketAddr,
    /// What its microphone hears: a tone of that frequency in hertz.
    hertz: f32,
    spoken: u64,
    on_hold: OnHold,
    /// Whether its plan lets it send.
    sends: bool,
    heard: Vec<f32>,
    events: Vec<SessionEvent>,
    /// RTP datagrams that reached it.
    arrived: u32,
    /// Empty datagrams that did.
    kept_open: u32,
}

impl Side {
    fn new(now: Instant, number: u8, hertz: f32) -> Self {
        let seed = SessionSeed {
            stream: StreamSeed {
                ssrc: u32::from(number) * 1_000,
                // Both numbers wrap within the first seconds.
                sequence: 65_500,
                timestamp: u32::MAX - 100_000,
            },
            ntp_time: 0xdead_0000_0000_0000,
            spread: u64::from(number),
        };
        Self {
            session: Session::new(now, &seed),
            address: SocketAddr::from(([192, 0, 2, number], 4_000)),
            hertz,
            spoken: 0,
            on_hold: OnHold::default(),
            sends: false,
            heard: Vec::new(),
            events: Vec::new(),
            arrived: 0,
            kept_open: 0,
        }
    }

    fn speak(&mut self) -> Frame {
        let mut frame = SILENCE;
        for sample in &mut frame {
            *sample = 0.3 * (2.0 * PI * self.hertz * self.spoken as f32 / 48_000.0).sin();
            // Each tone has whole periods in a second, so the phase stays exact.
            self.spoken = (self.spoken + 1) % 48_000;
        }
        frame
    }

    fn digits(&self) -> String {
        let digit = |event: &SessionEvent| match event {
            SessionEvent::Digit((digit, _)) => Some(*digit),
            SessionEvent::Flowing(_) | SessionEvent::Silent { .. } | SessionEvent::Heard => None,
        };
        self.events.iter().filter_map(digit).collect()
    }

    fn silences(&self) -> Vec<u64> {
        let silence = |event: &SessionEvent| match event {
            SessionEvent::Silent { lasting, .. } => Some(lasting.as_secs()),
            SessionEvent::Flowing(_) | SessionEvent::Digit(_) | SessionEvent::Heard => None,
        };
        self.events.iter().filter_map(silence).collect()
    }
}

struct Flying {
    arrival: Instant,
    to: SocketAddr,
    from: SocketAddr,
    transmit: Transmit,
}

struct World {
    now: Instant,
    sides: [Side; 2],
    weather: Weather,
    random: SeededRandom,
    flying: Vec<Flying>,
    /// Whether only sound is lost, and never a report.
    sound_alone: bool,
}

impl World {
    fn new(seed: u64) -> Self {
        let now = monotonic_now();
        Self {
            now,
            sides: [Side::new(now, 1, 500.0), Side::new(now, 2, 900.0)],
            weather: CLEAR,
            random: SeededRandom::new(seed),
            flying: Vec::new(),
            sound_alone: false,
        }
    }

    /// A call that both sides agreed on.
    fn call(seed: u64, codec: Codec) -> Self {
        let mut world = Self::new(seed);
        let plans = world.agree(&[codec], [Direction::SendRecv; 2]);
        world.apply(plans);
        world
    }

    fn local(&self, side: usize, codecs: &[Codec], direction: Direction) -> LocalMedia {
        LocalMedia {
            session_id: 1,
            version: 1,
            address: self.sides[side].address.ip(),
            rtp_port: self.sides[side].address.port(),
            codecs: codecs.to_vec(),
            ptime_millis: 20,
            direction,
        }
    }

    fn agree(&self, codecs: &[Codec], directions: [Direction; 2]) -> [MediaPlan; 2] {
        let locals = [0, 1].map(|side| self.local(side, codecs, directions[side]));
        let (answered, theirs) = answer(&locals[1], &offer(&locals[0])).unwrap();
        [accept(&locals[0], &answered).unwrap(), theirs]
    }

    fn apply(&mut self, plans: [MediaPlan; 2]) {
        for (side, plan) in self.sides.iter_mut().zip(plans) {
            side.session.apply(self.now, &plan).unwrap();
            side.sends = plan.direction.sends();
        }
    }

    fn run(&mut self, seconds: f32) {
        for _ in 0..(Duration::from_secs_f32(seconds).as_millis() / FRAME_TIME.as_millis()) {
            self.tick();
        }
    }

    fn tick(&mut self) {
        self.flying.sort_by_key(|flying| flying.arrival);
        let due = self.flying.partition_point(|f| f.arrival <= self.now);
        for flying in self.flying.drain(..due).collect::<Vec<_>>() {
            self.deliver(&flying);
        }
        for index in [0, 1] {
            let side = &mut self.sides[index];
            let mut frame = SILENCE;
            side.session.playout(self.now, &mut frame);
            side.heard.extend(frame);
            let music = side.on_hold.next(side.sends);
            let mut frame = music.unwrap_or_else(|| side.speak());
            side.session.capture(self.now, &mut frame);
            side.session.tick(self.now);
            while let Some(event) = side.session.poll_event() {
                side.events.push(event);
            }
            self.send(index);
        }
        self.now += FRAME_TIME;
    }

    fn send(&mut self, index: usize) {
        while let Some(transmit) = self.sides[index].session.poll_transmit() {
            let dice = self.random.next_u32() as f32 / u32::MAX as f32;
            let late = self.random.next_u64() % (self.weather.jitter + 1);
            let reports = self.sound_alone && is_rtcp(&transmit.bytes);
            if dice < self.weather.loss && !reports {
                continue;
            }
            self.flying.push(Flying {
                arrival: self.now + Duration::from_millis(self.weather.delay + late),
                to: transmit.to,
                from: self.sides[index].address,
                transmit,
            });
        }
    }

    fn deliver(&mut self, flying: &Flying) {
        let Some(side) = self.sides.iter_mut().find(|s| s.address == flying.to) else {
            return;
        };
        let bytes = &flying.transmit.bytes;
        side.arrived += u32::from(!bytes.is_empty() && !is_rtcp(bytes));
        side.kept_open += u32::from(bytes.is_empty());
        side.session
            .handle_rtp(flying.arrival, flying.from, &flying.transmit.bytes);
    }

    /// What that side heard after the first second.
    fn heard(&self, side: usize) -> &[f32] {
        &self.sides[side].heard[48_000..]
    }
}

/// The share of a sound's power that is a tone of that frequency, in pieces of 50 ms, so that a
/// shift in time between them does not matter.
pub(super) fn share_of(samples: &[f32], hertz: f32) -> f32 {
    let (mut tone, mut all) = (0.0, 1e-9);
    for piece in samples.chunks_exact(2_400) {
        let (mut a, mut b) = (0.0, 0.0);
        for (n, sample) in piece.iter().enumerate() {
            let phase = 2.0 * PI * hertz * n as f32 / 48_000.0;
            a += sample * phase.cos();
            b += sample * phase.sin();
            all += sample * sample;
        }
        tone += 2.0 * (a * a + b * b) / piece.len() as f32;
    }
    tone / all
}

#[test]
fn each_side_hears_the_other_and_not_itself() {
    for codec in [Codec::Opus, Codec::Pcmu, Codec::Pcma] {
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
    for codec in [Codec::Opus, Codec::Pcma] {
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
            assert!(
                quality.playout_delay < Duration::from_millis(90),
                "{quality:?}"
            );
        }
    }
}

#[test]
fn from_mouth_to_ear_takes_a_packet_the_network_and_a_packet() {
    for (codec, most) in [(Codec::Pcmu, 75), (Codec::Opus, 80)] {
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
fn an_intruder_is_not_heard() {
    let mut world = World::call(1, Codec::Pcmu);
    world.run(1.0);
    let received = world.sides[0].session.quality().received;
    let intruder = SocketAddr::from(([198, 51, 100, 66], 666));
    for sequence in 0..50 {
        let packet = RtpPacket {
            marker: false,
            payload_type: 0,
            sequence,
            timestamp: u32::from(sequence) * 160,
            ssrc: 666,
            payload: &[0x80; 160],
        };
        let now = world.now;
        world.sides[0]
            .session
            .handle_rtp(now, intruder, &packet.write());
    }
    assert_eq!(world.sides[0].session.quality().received, received);
    world.run(2.0);
    assert!(share_of(world.heard(0), 900.0) > 0.98);
    assert!(share_of(world.heard(1), 500.0) > 0.98);
}

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
    world.sides[1].session.apply(world.now, &plans[1]).unwrap();
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
    let events = &world.sides[0].events;
    let heard = |event: &&SessionEvent| **event == SessionEvent::Heard;
    assert_eq!(events.iter().filter(heard).count(), 1, "{events:?}");
    let last = events
        .iter()
        .position(|event| *event == SessionEvent::Heard);
    assert_eq!(last, Some(events.len() - 2), "{events:?}");
}

#[test]
fn a_far_end_that_sends_reports_and_no_sound_is_silent_but_there() {
    for sound_alone in [true, false] {
        let mut world = World::call(1, Codec::Pcmu);
        world.run(6.0);
        world.weather.loss = 1.1;
        world.sound_alone = sound_alone;
        world.run(21.0);
        let silences = world.sides[0]
            .events
            .iter()
            .filter_map(|event| match event {
                SessionEvent::Silent { reports, .. } => Some(*reports),
                SessionEvent::Flowing(_) | SessionEvent::Digit(_) | SessionEvent::Heard => None,
            });
        let told: Vec<bool> = silences.collect();
        assert_eq!(told.last(), Some(&sound_alone), "{told:?}");
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
    for millis in [10, 40, 60] {
        for codec in [Codec::Opus, Codec::Pcmu] {
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
        side.session.capture(world.now, &mut frame);
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
