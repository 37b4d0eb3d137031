//! The media thread's ends of the rings to and from a sound card: 48 kHz mono on this side, the
//! card's own rate on the other.
//!
//! The tick follows the microphone, so that side never drifts. The speaker has a clock of its own:
//! its rate is steered so that the ring stays filled as it should be.

use std::sync::Arc;
use std::time::Instant;

use rtrb::{Consumer, Producer};

use crate::media::device::reserve::{Asked, Reserve};
use crate::media::frame::{FRAME_SAMPLES, Frame, SAMPLE_RATE, SILENCE, peak};
use crate::media::rate::{RateConverter, RateError};

/// Sound that may pile up behind a stall before the oldest is dropped, in samples: 100 ms.
const MAX_BACKLOG: usize = 4_800;
/// Frames over which the filling of the ring is averaged: 1 s.
const AVERAGING: f64 = 100.0;
/// How strongly the rate answers: a card whose clock is off by 500 parts in a million has 2 ms more or less
/// waiting than it should.
const STEERING_PER_SECOND: f64 = 0.25;
/// The most that the rate is steered: three hundredths of a semitone, which nobody hears.
const MAX_STEERING: f64 = 0.002;
/// So much too much is dropped at once where it is quiet, in seconds.
const EXCESS: f64 = 0.02;
/// So much too much is dropped at once wherever it is, in seconds.
const GROSS_EXCESS: f64 = 0.06;
/// What counts as quiet.
const QUIET: f32 = 0.003;

/// Where captured samples come out.
pub struct MicrophoneEnd {
    ring: Consumer<f32>,
    /// None where the card runs at our rate.
    converter: Option<RateConverter>,
    /// Converted samples that wait, oldest first.
    waiting: Vec<f32>,
    /// Whether anything was taken yet.
    started: bool,
}

impl MicrophoneEnd {
    /// Takes the consuming end of a ring at that rate in hertz.
    ///
    /// # Errors
    ///
    /// Fails when the rate is no sound.
    pub fn new(ring: Consumer<f32>, rate: u32) -> Result<Self, RateError> {
        let converter = if rate == SAMPLE_RATE {
            None
        } else {
            Some(RateConverter::new(rate, SAMPLE_RATE)?)
        };
        Ok(Self {
            ring,
            converter,
            waiting: Vec::with_capacity(MAX_BACKLOG * 2),
            started: false,
        })
    }

    /// Whether 10 ms wait.
    pub fn ready(&mut self) -> bool {
        self.drain();
        self.waiting.len() >= FRAME_SAMPLES
    }

    /// Takes 10 ms; silence for what is missing.
    pub fn take(&mut self) -> Frame {
        self.drain();
        let mut frame = SILENCE;
        let count = self.waiting.len().min(FRAME_SAMPLES);
        for (to, from) in frame.iter_mut().zip(self.waiting.drain(..count)) {
            *to = from;
        }
        frame
    }

    fn drain(&mut self) {
        let count = self.ring.slots();
        let Ok(chunk) = self.ring.read_chunk(count) else {
            return;
        };
        let (first, second) = chunk.as_slices();
        for part in [first, second] {
            match &mut self.converter {
                Some(converter) => {
                    converter.process(part, |samples| self.waiting.extend_from_slice(samples));
                }
                None => self.waiting.extend_from_slice(part),
            }
        }
        chunk.commit_all();
        // What came before the first look is old: the timer has gone on without it.
        let most = if self.started {
            MAX_BACKLOG
        } else {
            FRAME_SAMPLES
        };
        self.started |= !self.waiting.is_empty();
        if self.waiting.len() > most {
            let excess = self.waiting.len() - most;
            self.waiting.drain(..excess);
        }
    }
}

/// Where samples to be played go in.
pub struct SpeakerEnd {
    ring: Producer<f32>,
    converter: RateConverter,
    rate: f64,
    /// What the card takes at once, in its samples.
    period: f64,
    asked: Arc<Asked>,
    /// What the ring shall hold more than that when a frame was added.
    reserve: Reserve,
    /// What it holds on average.
    average: f64,
    /// Whether the card takes samples by now; before, sound would only pile up.
    started: bool,
}

impl SpeakerEnd {
    /// Takes the producing end of an empty ring at that rate in hertz; `period` is how many samples
    /// the card takes at once, and `asked` is marked by its callback.
    ///
    /// # Errors
    ///
    /// Fails when the rate is no sound.
    pub fn new(
        ring: Producer<f32>,
        rate: u32,
        period: u32,
        asked: Arc<Asked>,
    ) -> Result<Self, RateError> {
        let mut end = Self {
            ring,
            converter: RateConverter::new(SAMPLE_RATE, rate)?,
            rate: f64::from(rate),
            period: f64::from(period),
            asked,
            reserve: Reserve::new(rate),
            average: 0.0,
            started: false,
        };
        end.fill_up();
        Ok(end)
    }

    /// Adds 10 ms. What does not fit is dropped; where the card ran dry, silence goes first, so
    /// that it does not run dry again at once.
    pub fn add(&mut self, now: Instant, frame: &Frame) {
        let filled = self.filled();
        if !self.started {
            self.started = (filled as f64) < self.target().floor();
            if !self.started {
                return;
            }
        }
        if filled == 0 {
            self.reserve.ran_dry();
            self.fill_up();
        } else if self.reserve.note(now, &self.asked, filled) {
            self.fill_up();
        }
        let excess = (self.average - self.target()) / self.rate;
        if excess > GROSS_EXCESS || (excess > EXCESS && peak(frame) < QUIET) {
            self.average -= self.rate / 100.0;
            return;
        }
        let ring = &mut self.ring;
        self.converter.process(frame, |samples| {
            let (_, _dropped) = ring.push_partial_slice(samples);
        });
        self.average += (self.filled() as f64 - self.average) / AVERAGING;
        let steer = (excess * STEERING_PER_SECOND).clamp(-MAX_STEERING, MAX_STEERING);
        self.converter.steer(1.0 - steer);
    }

    fn fill_up(&mut self) {
        let mut missing = self.target() - self.filled() as f64;
        while missing >= 1.0 && self.ring.push(0.0).is_ok() {
            missing -= 1.0;
        }
        self.average = self.target();
    }

    /// What the ring shall hold behind a frame, in samples of the card.
    fn target(&self) -> f64 {
        let capacity = self.ring.buffer().capacity() as f64;
        (self.period + self.reserve.samples()).min(capacity / 2.0)
    }

    fn filled(&self) -> usize {
        self.ring.buffer().capacity() - self.ring.slots()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::monotonic_now;
    use crate::media::frame::FRAME_TIME;
    use rtrb::RingBuffer;
    use std::time::Duration;

    #[test]
    fn ragged_capture_at_any_rate_gives_whole_frames() {
        for rate in [8_000_u32, 16_000, 44_100, 48_000] {
            let (mut producer, consumer) = RingBuffer::new(48_000);
            let mut end = MicrophoneEnd::new(consumer, rate).unwrap();
            let mut frames = Vec::new();
            let mut sent = 0;
            let total = rate;
            while sent < total {
                for _ in 0..(4 + sent % 21).min(total - sent) {
                    let t = sent as f32 / rate as f32;
                    let sample = (2.0 * std::f32::consts::PI * 500.0 * t).sin() * 0.5;
                    producer.push(sample).unwrap();
                    sent += 1;
                }
                while end.ready() {
                    frames.push(end.take());
                }
            }
            assert!(
                (97..=100).contains(&frames.len()),
                "{rate}: {}",
                frames.len()
            );
            let samples: Vec<f32> = frames[20..].concat();
            let step = samples
                .windows(2)
                .map(|w| (w[1] - w[0]).abs())
                .fold(0.0, f32::max);
            assert!(step < 0.04, "{rate}: a click of {step}");
        }
    }

    #[test]
    fn a_stall_of_the_media_thread_leaves_no_lasting_delay() {
        let (mut producer, consumer) = RingBuffer::new(48_000);
        let mut end = MicrophoneEnd::new(consumer, 48_000).unwrap();
        // Also not what piled up before the first look.
        for expected in [1, MAX_BACKLOG / FRAME_SAMPLES] {
            for _ in 0..40_000 {
                producer.push(0.1).unwrap();
            }
            let mut frames = 0;
            while end.ready() {
                end.take();
                frames += 1;
            }
            assert_eq!(frames, expected);
        }
    }

    /// Plays on a card whose clock is off by so many parts; gives the filling in milliseconds after
    /// 25 seconds, and how often it ran dry after the first second.
    fn play(rate: u32, drift: f64) -> (f64, u32) {
        let period = rate / 100;
        let (producer, mut consumer) = RingBuffer::new(usize::try_from(rate / 4).unwrap());
        let begun = monotonic_now();
        let asked = Arc::new(Asked::new(begun));
        let mut end = SpeakerEnd::new(producer, rate, period, Arc::clone(&asked)).unwrap();
        let mut due = 0.0;
        let mut dry = 0;
        let mut filled = 0.0;
        for tick in 0..2_500_u32 {
            let now = begun + FRAME_TIME * tick;
            // The card starts late, and takes what it takes 2 ms after a frame came, at first.
            if tick > 50 {
                due += f64::from(period) * (1.0 + drift);
            }
            while due >= f64::from(period) * 0.8 {
                due -= f64::from(period);
                let late = due / f64::from(rate) + 0.002;
                asked.mark(
                    now - Duration::from_secs_f64(late.max(0.0)),
                    usize::try_from(period).unwrap(),
                );
                for _ in 0..period {
                    if consumer.pop().is_err() && tick > 100 {
                        dry += 1;
                    }
                }
            }
            end.add(now, &[0.5; FRAME_SAMPLES]);
            filled = consumer.slots() as f64 / f64::from(rate) * 1_000.0;
        }
        (filled, dry)
    }

    #[test]
    fn a_speaker_whose_clock_drifts_neither_runs_dry_nor_over() {
        for rate in [48_000, 44_100] {
            for drift in [-500e-6, 500e-6] {
                let (filled, dry) = play(rate, drift);
                assert_eq!(dry, 0, "{rate} {drift}");
                assert!((3.0..40.0).contains(&filled), "{rate} {drift}: {filled}");
            }
        }
    }

    #[test]
    fn adding_and_taking_do_not_allocate() {
        let now = monotonic_now();
        let (mut producer, consumer) = RingBuffer::new(48_000);
        let mut microphone = MicrophoneEnd::new(consumer, 44_100).unwrap();
        let (into_card, _card) = RingBuffer::new(4_800);
        let mut speaker =
            SpeakerEnd::new(into_card, 44_100, 441, Arc::new(Asked::new(now))).unwrap();
        assert_no_alloc::assert_no_alloc(|| {
            for _ in 0..100 {
                let (_, _) = producer.push_partial_slice(&[0.1; 441]);
                speaker.add(now, &microphone.take());
            }
        });
    }
}
