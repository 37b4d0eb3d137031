use std::net::SocketAddr;

use super::*;
use crate::base::clock::monotonic_now;
use crate::base::random::{Random as _, SeededRandom};
use crate::media::call_recording::Wanted;
use crate::media::command::IceServers;
use crate::media::dropped::{DropReason, DroppedOf};
use crate::media::feed::Loader;
use crate::media::frame::{peak, to_pcm16};
use crate::media::hold_music::tone_music;
use crate::media::outgoing::StreamSeed;
use crate::media::rtp::RtpPacket;
use crate::media::session::SessionSeed;
use crate::media::transport::SparePair;
use crate::sdp::{
    Codec, Direction, IceSeed, LocalMedia, LocalSrtp, MediaPlan, SrtpKey, SrtpKeys, SrtpSeed,
    SrtpSuite, answer, offer,
};

/// A call without anybody at its other end, and a microphone that hears a tone.
struct Desk {
    now: Instant,
    leg: Leg,
    spoken: u32,
    /// What was sent, as a recording gets it.
    sent: Vec<f32>,
}

impl Desk {
    fn new() -> Self {
        let now = monotonic_now();
        let here = std::net::Ipv4Addr::LOCALHOST.into();
        let (ports, _) = SparePair::default().take(now, here).unwrap();
        let seed = SessionSeed {
            stream: StreamSeed {
                ssrc: 1,
                sequence: 1,
                timestamp: 1,
            },
            ntp_time: 0,
            spread: 1,
        };
        let session = Session::new(now, &seed);
        let id = CallId::new(1, [7; 10]);
        let mut desk = Self {
            now,
            leg: Leg::new(now, id, ports, session),
            spoken: 0,
            sent: Vec::new(),
        };
        desk.agree(Direction::SendRecv);
        desk
    }

    /// A plan without telephone-event: digits are heard.
    fn plan(direction: Direction) -> MediaPlan {
        let local = LocalMedia {
            session_id: 1,
            version: 1,
            address: std::net::Ipv4Addr::LOCALHOST.into(),
            // The discard port.
            rtp_port: 9,
            codecs: vec![Codec::Pcma],
            ptime_millis: 20,
            direction,
            silence_suppression: false,
            ice: None,
            srtp: LocalSrtp::default(),
        };
        let theirs = LocalMedia {
            direction: Direction::SendRecv,
            ..local.clone()
        };
        let (_, plan) = answer(&local, &offer(&theirs)).unwrap();
        MediaPlan {
            telephone_event_send: None,
            ..plan
        }
    }

    fn agree(&mut self, direction: Direction) {
        let plan = Self::plan(direction);
        self.leg.session.apply(self.now, &plan).unwrap();
        self.leg.sends = plan.direction.sends();
    }

    fn run(&mut self, ticks: u32, focus: bool) {
        for _ in 0..ticks {
            let mut microphone = SILENCE;
            for sample in &mut microphone {
                // Nowhere near zero at the end of a frame.
                let phase = 2.0 * std::f32::consts::PI * 537.0 * self.spoken as f32 / 48_000.0;
                *sample = 0.3 * phase.sin();
                self.spoken += 1;
            }
            self.leg.listen(self.now, focus);
            let agent = self.leg.speak(self.now, focus, &microphone, None);
            self.leg.record(&agent);
            self.sent.extend(agent);
            self.now += FRAME_TIME;
        }
    }

    fn largest_step(&self) -> f32 {
        let steps = self.sent.windows(2).map(|pair| (pair[1] - pair[0]).abs());
        steps.fold(0.0, f32::max)
    }
}

#[test]
fn what_is_held_muted_left_or_resumed_is_recorded_without_a_click() {
    let music = tone_music(1_300.0, 48_000);
    type Change = fn(&mut Desk, bool, &Music);
    let changes: [(&str, Change); 4] = [
        ("left", |_, _, _| {}),
        ("muted", |desk, on, _| desk.leg.mute(on)),
        ("held", |desk, on, _| {
            desk.leg.hold(on, None);
            desk.agree(if on {
                Direction::Inactive
            } else {
                Direction::SendRecv
            });
        }),
        ("held with music", |desk, on, music| {
            desk.leg.hold(on, Some(music));
        }),
    ];
    for (what, change) in changes {
        for ticks in 10..15 {
            let mut desk = Desk::new();
            desk.run(ticks, true);
            assert_eq!(desk.leg.listener(true), Listener::Call);
            change(&mut desk, true, &music);
            // The end of the word is still to come, from the microphone as it was worked on.
            let focus = what != "left";
            if what != "muted" {
                assert_eq!(desk.leg.listener(focus), Listener::Call, "{what}");
            }
            desk.run(20, focus);
            assert_ne!(desk.leg.listener(focus), Listener::Call, "{what}");
            assert_eq!(peak(&desk.sent[desk.sent.len() - 4_800..]), 0.0, "{what}");
            change(&mut desk, false, &music);
            desk.run(20, true);
            // The tone itself goes by 0.021 from one sample to the next.
            let step = desk.largest_step();
            assert!(step < 0.025, "{what} after {ticks} ticks: {step}");
            assert!(peak(&desk.sent[desk.sent.len() - 4_800..]) > 0.29, "{what}");
        }
    }
}

#[test]
fn nobody_hears_who_is_muted_when_a_hold_with_music_begins_or_ends() {
    let music = tone_music(1_300.0, 48_000);
    let mut desk = Desk::new();
    desk.leg.mute(true);
    desk.run(10, true);
    desk.sent.clear();
    for held in [true, false, true, false] {
        desk.leg.hold(held, Some(&music));
        desk.run(7, true);
    }
    assert_eq!(peak(&desk.sent), 0.0);
}

#[test]
fn what_the_machine_broke_is_told_with_the_second_in_which_it_did() {
    let mut desk = Desk::new();
    desk.leg.applied = true;
    let mut told = Vec::new();
    for (dry, ticks) in [(0, 0), (2, 0), (1, 13), (0, 0)] {
        desk.leg.note_dry(dry);
        desk.leg.note_left_out(ticks);
        desk.now += QUALITY_INTERVAL;
        desk.leg.flush(desk.now);
        for event in desk.leg.take_news() {
            if let MediaEvent::Quality {
                quality, second, ..
            } = event
            {
                told.push((second.breaks, quality.breaks));
            }
        }
    }
    let breaks = |speaker_dry, millis| Breaks {
        speaker_dry,
        held_up: Duration::from_millis(millis),
    };
    let expected = [
        (breaks(0, 0), breaks(0, 0)),
        (breaks(2, 0), breaks(2, 0)),
        (breaks(1, 130), breaks(3, 130)),
        (breaks(0, 0), breaks(3, 130)),
    ];
    assert_eq!(told, expected);
}

#[test]
fn digits_pressed_in_a_pause_that_sound_behind_it_are_not_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("call.wav");
    let (outlet, _events) = tokio::sync::mpsc::channel(16);
    let mut desk = Desk::new();
    let wanted = Wanted::new(1, path.clone(), false, outlet);
    let recording = &mut desk.leg.recording;
    recording.start(wanted, None, &mut Loader::new());
    desk.leg.mute(true);
    desk.run(20, true);
    desk.leg.pause_recording(true);
    desk.run(20, true);
    desk.leg.session.send_digits("4711");
    desk.leg.pause_recording(false);
    // Each digit and its rest take some 200 ms.
    desk.run(150, true);
    assert!(!desk.leg.session.sounds_digits());
    desk.leg.session.send_digits("9");
    desk.run(50, true);
    desk.leg.recording.stop().unwrap().join().unwrap();
    let mut reader = hound::WavReader::open(path).unwrap();
    let samples: Vec<i16> = reader.samples().map(Result::unwrap).collect();
    assert_eq!(samples.len(), 2 * 480 * 240);
    // The agent's side, in pieces of 10 ms: the marks are short and soft, a digit is loud.
    let loud = |piece: &[i16]| {
        let agent = piece.iter().step_by(2);
        agent.fold(0, |most, sample| most.max(sample.unsigned_abs()))
            > to_pcm16(0.25).unsigned_abs()
    };
    let pieces: Vec<bool> = samples.chunks(2 * 480).map(loud).collect();
    assert!(
        pieces[..190].iter().all(|loud| !loud),
        "a digit of the pause is heard"
    );
    assert!(
        pieces[190..].iter().any(|loud| *loud),
        "nor is one behind it"
    );
}

/// It was only logged: the call stayed silent, and nobody knew.
#[test]
fn what_was_agreed_on_and_cannot_be_carried_out_is_told() {
    let mut desk = Desk::new();
    let mut seed = SrtpSeed::new([1; 32]);
    let plan = MediaPlan {
        srtp: Some(SrtpKeys {
            send: SrtpKey::cut(SrtpSuite::AeadAes256Gcm),
            receive: seed.draw(SrtpSuite::AeadAes256Gcm),
        }),
        ..Desk::plan(Direction::SendRecv)
    };
    desk.leg.apply(desk.now, Box::new(plan));
    let news = desk.leg.take_news();
    let [MediaEvent::PlanFailed { call, message }] = news.as_slice() else {
        panic!("{news:?}")
    };
    assert_eq!(*call, desk.leg.id);
    assert!(
        message.contains("cannot be set up, so it ends"),
        "{message}"
    );
    assert!(message.contains("keys of a call"), "{message}");
}

/// Eight seconds of a call in which the far end plays a tone; what is recorded of it.
fn recorded(mut forge: impl FnMut(Instant, &mut Session)) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("call.wav");
    let (outlet, _events) = tokio::sync::mpsc::channel(16);
    let mut desk = Desk::new();
    let wanted = Wanted::new(1, path.clone(), false, outlet);
    let recording = &mut desk.leg.recording;
    recording.start(wanted, None, &mut Loader::new());
    let tone: Vec<u8> = (0..160)
        .map(|n| if n % 20 < 10 { 0x2a } else { 0xaa })
        .collect();
    for sequence in 0..400_u16 {
        let packet = RtpPacket {
            marker: false,
            payload_type: 8,
            sequence,
            timestamp: u32::from(sequence) * 160,
            ssrc: 7,
            payload: &tone,
        };
        let far_end = SocketAddr::from(([127, 0, 0, 1], 9));
        let session = &mut desk.leg.session;
        session.handle_rtp(desk.now, far_end, &packet.write());
        forge(desk.now, session);
        desk.run(2, true);
    }
    desk.leg.recording.stop().unwrap().join().unwrap();
    std::fs::read(path).unwrap()
}

#[test]
fn a_hundred_thousand_forged_packets_change_nothing_of_a_recording() {
    let mut random = SeededRandom::new(2);
    let mut forged = [0; 172];
    let mut sequence = 0_u16;
    let undisturbed = recorded(|_, _| {});
    let mut dropped = 0;
    let disturbed = recorded(|now, session| {
        for number in 0..250_u32 {
            random.fill(&mut forged);
            sequence = sequence.wrapping_add(1);
            forged[..2].copy_from_slice(&[0x80, 8]);
            forged[2..4].copy_from_slice(&sequence.to_be_bytes());
            if number < 200 {
                forged[8..12].copy_from_slice(&[0, 0, 0, 7]);
            }
            let stranger = SocketAddr::from(([127, 0, 0, 1], 10_000));
            session.handle_rtp(now, stranger, &forged);
        }
        dropped = session.dropped().of(DropReason::Stranger);
    });
    assert_eq!(dropped, 100_000);
    assert_eq!(undisturbed.len(), 44 + 800 * 480 * 4);
    assert!(undisturbed == disturbed);
    // The far end is heard in it, on the right.
    let right = undisturbed[44 + 96_000..].chunks_exact(4);
    let right = right.map(|frame| i16::from_le_bytes([frame[2], frame[3]]));
    assert!(right.map(i16::unsigned_abs).max().unwrap() > 300);
}

#[test]
fn what_comes_to_a_call_with_ice_from_nobody_who_proved_himself_is_counted_and_told() {
    let mut desk = Desk::new();
    let credentials = IceSeed::new([3; 32]).draw();
    let gathered = desk
        .leg
        .sockets
        .gather(desk.now, &IceServers::default(), credentials);
    gathered.unwrap();
    let own = desk.leg.sockets.ports().rtp.local_addr().unwrap();
    let stranger = std::net::UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    for datagram in [[0x80, 8, 0, 1], [0, 1, 0, 0], [100, 0, 0, 0]] {
        stranger.send_to(&datagram, own).unwrap();
    }
    desk.leg.receive(desk.now);
    assert_eq!(desk.leg.session.dropped().of(DropReason::Unproven), 3);
    desk.leg.close(desk.now);
    let news = desk.leg.take_news();
    let told = news.iter().find_map(|event| match event {
        MediaEvent::Dropped { by_source, .. } => Some(by_source.clone()),
        _ => None,
    });
    let of = DroppedOf {
        source: std::net::Ipv4Addr::LOCALHOST.into(),
        reason: DropReason::Unproven,
        count: 3,
    };
    assert_eq!(told, Some(vec![of]));
}
