//! Echoes while the sound server or the media thread is held up.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rtrb::{Consumer, Producer, RingBuffer};

use crate::base::clock::monotonic_now;
use crate::media::device::{Asked, MicrophoneEnd, SpeakerEnd};
use crate::media::frame::{FRAME_SAMPLES, Frame, SAMPLE_RATE};
use crate::media::microphone::{Given, Listener, Microphone};
use crate::media::pacer::Pacer;
use crate::media::processing::Processing;
use crate::media::processing::acoustics::{Noise, db, rms, speech};

/// Samples in a millisecond.
const MILLI: usize = 48;
/// What a sound server takes at once, at least.
const PIECE: usize = 10 * MILLI;
/// What it holds of a stream.
const HELD: usize = 2 * PIECE;

/// A sound server whose microphone hears its speaker, as PulseAudio is with a null sink: after a dry
/// moment it plays silence until it holds as much as it wants.
struct Server {
    from_ring: Consumer<f32>,
    to_ring: Producer<f32>,
    asked: Arc<Asked>,
    held: VecDeque<f32>,
    waits: bool,
    /// What plays and is not heard yet.
    air: VecDeque<f32>,
    hiss: Noise,
    /// Milliseconds rendered.
    rendered: usize,
}

impl Server {
    /// Renders up to that millisecond.
    fn run(&mut self, now: Instant, milli: usize) {
        for _ in self.rendered..milli {
            for _ in 0..MILLI {
                if self.held.len() >= HELD {
                    self.waits = false;
                }
                let played = (!self.waits).then(|| self.held.pop_front()).flatten();
                self.waits |= played.is_none();
                self.air.push_back(played.unwrap_or(0.0));
                let heard = self.air.pop_front().unwrap_or(0.0) * 0.7;
                let _full = self.to_ring.push(heard + self.hiss.draw() * 0.000_2);
            }
        }
        self.rendered = milli;
        let missing = HELD - self.held.len();
        if missing >= PIECE {
            self.asked.mark(now, missing);
            for _ in 0..missing {
                self.held.push_back(self.from_ring.pop().unwrap_or(0.0));
            }
        }
    }
}

/// What is left of the echo in each 100 ms of a call, in dB below what is heard then; none where that is quiet.
/// The server is held up in the first spans of milliseconds, the media thread in the second ones.
fn lower(seconds: usize, server: &[Range<usize>], thread: &[Range<usize>]) -> Vec<Option<f32>> {
    let begun = monotonic_now();
    let (to_speaker, from_ring) = RingBuffer::new(12_000);
    let (to_ring, captured) = RingBuffer::new(12_000);
    let asked = Arc::new(Asked::new(begun));
    let mut speaker = SpeakerEnd::new(to_speaker, SAMPLE_RATE, 480, Arc::clone(&asked)).unwrap();
    let mut microphone = MicrophoneEnd::new(captured, SAMPLE_RATE).unwrap();
    let mut world = Server {
        from_ring,
        to_ring,
        asked,
        held: VecDeque::new(),
        waits: true,
        air: VecDeque::from(vec![0.0; 7 * MILLI]),
        hiss: Noise::new(3),
        rendered: 0,
    };
    let mut processing = Microphone::default();
    processing.choose(Processing {
        gain_control: false,
        ..Processing::SPEAKER
    });
    let mut far = speech(1, 8, 0.15).into_iter().cycle();
    let mut pacer = Pacer::new(begun);
    let (mut heard, mut sent) = (Vec::new(), Vec::new());
    let held_up = |spans: &[Range<usize>], milli| spans.iter().any(|span| span.contains(&milli));
    for milli in 1..=seconds * 1_000 {
        let now = begun + Duration::from_millis(milli.try_into().unwrap());
        let wakes = milli % 10 == 3 || held_up(server, milli - 1);
        if wakes && !held_up(server, milli) {
            world.run(now, milli);
        }
        while !held_up(thread, milli) {
            let came = microphone.ready();
            if pacer.follow(now, came).is_none() {
                break;
            }
            let mut frame = microphone.take();
            let played: Frame = std::array::from_fn(|_| far.next().unwrap());
            speaker.add(now, &played);
            heard.extend(frame);
            let given = if came { Given::Frame } else { Given::Nothing };
            processing.tick(given, &mut frame, &speaker.leaving(), Listener::Call);
            sent.extend(frame);
        }
    }
    let piece = FRAME_SAMPLES * 10;
    heard
        .chunks(piece)
        .zip(sent.chunks(piece))
        .map(|(heard, sent)| {
            let loud = rms(heard);
            (loud > 0.01).then(|| db(loud / rms(sent)))
        })
        .collect()
}

/// What waits for the speaker changes behind each of these, and the canceller needed four seconds to find the
/// echo again.
#[test]
fn an_echo_is_lost_for_a_second_at_most_where_the_sound_server_or_the_thread_is_held_up() {
    for (server, thread) in [(30, 0), (60, 0), (300, 0), (0, 30), (0, 120), (60, 60)] {
        let span = |length: usize| 5_000..5_000 + length;
        let lower = lower(8, &[span(server)], &[span(thread)]);
        let loud = |from: usize, to: usize| lower[from..to].iter().flatten().copied();
        assert!(loud(30, 50).all(|lower| lower > 25.0), "{lower:.0?}");
        let behind = 50 + server.max(thread).div_ceil(100) + 12;
        assert!(loud(behind, behind + 15).count() > 8, "{lower:.0?}");
        for lower in loud(behind, behind + 15) {
            assert!(
                lower > 30.0,
                "held up by {server} ms and {thread} ms: {lower}"
            );
        }
    }
}
