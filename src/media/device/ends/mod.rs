//! The media thread's ends of the rings to and from a sound card: 48 kHz mono on this side, the
//! card's own rate on the other.
//!
//! The tick follows the microphone, so that side never drifts. The speaker has a clock of its own:
//! its rate is steered so that the sound waits as long as it should, always the same ([`ClockRule`]).

use std::sync::Arc;
use std::time::{Duration, Instant};

use rtrb::{Consumer, Producer};

use crate::media::device::clock_rule::ClockRule;
use crate::media::device::leaving::Leaving;
use crate::media::device::phase::AskPhase;
use crate::media::device::reserve::{Asked, Pieces, Reserve};
use crate::media::frame::{FRAME_SAMPLES, FRAME_TIME, Frame, SAMPLE_RATE, SILENCE, peak};
use crate::media::rate::{RateConverter, RateError};

/// Sound that may pile up behind a stall before the oldest is dropped, in frames: 100 ms.
pub(in crate::media) const BACKLOG_FRAMES: u32 = 10;
/// The same in samples.
const MAX_BACKLOG: usize = BACKLOG_FRAMES as usize * FRAME_SAMPLES;
/// So much too much is dropped at once wherever it is, in seconds.
const GROSS_EXCESS: f64 = 0.06;
/// What is left of the samples that a converter owes after a frame: an error in that sum is forgotten in ten
/// seconds.
const REMEMBERING: f64 = 0.999;
/// The most that it owes: at its start it gives none, for its filter must fill.
const OWED: f64 = 2.0;
/// A card that has not asked for so long has stopped.
const STOPPED: Duration = Duration::from_millis(150);
/// Frames after a card's start, or after it ran dry, in which it is set right whatever is played.
const YOUNG: u32 = 25;
/// Frames of a microphone that must agree on what waits behind them, where that is much: 0.3 s.
const SEEN: u32 = 30;
/// What waits behind a frame and is much, in samples: 2 ms. Of a card that gives small pieces up to a millisecond waits
/// behind a frame for a while, because a thread looks whether one is there only so often.
const MUCH_LEFT: usize = 96;
/// So many times as many frames must agree where it is little: 9 s.
const LONG_SEEN: u32 = 30;
/// What waits behind a frame and is not worth a change, in samples: 0.5 ms.
const LITTLE_LEFT: usize = 24;
/// Sound fades into other sound in so many samples: 2.5 ms.
const FADE: usize = 120;
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
    /// The least that waited behind a frame, of the last ones.
    left_over: usize,
    /// How many those are.
    frames: u32,
    /// The same of longer, and of how many times as many.
    long_left_over: usize,
    long: u32,
    /// Samples in place of which silence was taken, and which may come late.
    missed: usize,
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
            left_over: usize::MAX,
            frames: 0,
            long_left_over: usize::MAX,
            long: 0,
            missed: 0,
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
        if self.frames >= SEEN {
            self.catch_up();
        }
        let mut frame = SILENCE;
        let count = self.waiting.len().min(FRAME_SAMPLES);
        for (to, from) in frame.iter_mut().zip(self.waiting.drain(..count)) {
            *to = from;
        }
        if count < FRAME_SAMPLES {
            if self.started {
                self.missed = (self.missed + FRAME_SAMPLES - count).min(MAX_BACKLOG);
            }
            (self.left_over, self.frames) = (usize::MAX, 0);
            return frame;
        }
        self.left_over = self.left_over.min(self.waiting.len());
        self.frames += 1;
        frame
    }

    /// Leaves out what always waits behind a frame: a card gives as much as a frame holds, but the first time
    /// less, and that rest would make all sound late. The one sound fades into the other.
    fn catch_up(&mut self) {
        let left_over = std::mem::replace(&mut self.left_over, usize::MAX);
        (self.frames, self.missed) = (0, 0);
        self.long_left_over = self.long_left_over.min(left_over);
        self.long += 1;
        let out = if left_over >= MUCH_LEFT {
            left_over
        } else if self.long >= LONG_SEEN && self.long_left_over >= LITTLE_LEFT {
            self.long_left_over
        } else {
            0
        };
        if out > 0 || self.long >= LONG_SEEN {
            (self.long_left_over, self.long) = (usize::MAX, 0);
        }
        if out == 0 || self.waiting.len() < out + FRAME_SAMPLES {
            return;
        }
        for place in 0..FADE {
            let part = place as f32 / FADE as f32;
            let (before, after) = (self.waiting.get(place), self.waiting.get(out + place));
            let mixed = before.zip(after).map(|(b, a)| b + (a - b) * part);
            if let (Some(to), Some(mixed)) = (self.waiting.get_mut(out + place), mixed) {
                *to = mixed;
            }
        }
        self.waiting.drain(..out);
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
        let excess = self.waiting.len().saturating_sub(most);
        // What comes late in place of silence that was taken: all would be late from there on.
        let late = self
            .waiting
            .len()
            .saturating_sub(FRAME_SAMPLES)
            .min(self.missed);
        self.missed -= late;
        self.waiting.drain(..excess.max(late));
    }
}

/// Where samples to be played go in.
pub struct SpeakerEnd {
    ring: Producer<f32>,
    converter: RateConverter,
    rate: f64,
    pieces: Pieces,
    asked: Arc<Asked>,
    phase: AskPhase,
    reserve: Reserve,
    clock: ClockRule,
    leaving: Leaving,
    /// By how much what came out of the converter is short of what its rate says: it gives whole samples.
    owed: f64,
    /// By how much less comes out of it than the rates say, as a part of one.
    steered: f64,
    /// Whether the card takes samples by now; before, sound would only pile up.
    started: bool,
    /// Frames until what comes out of it is heard.
    young: u32,
    /// How often it ran dry since somebody asked.
    dry: u32,
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
            pieces: Pieces::new(period),
            asked,
            phase: AskPhase::default(),
            reserve: Reserve::default(),
            clock: ClockRule::default(),
            leaving: Leaving::default(),
            owed: 0.0,
            steered: 0.0,
            started: false,
            young: 0,
            dry: 0,
        };
        end.add_silence(end.wanted() / end.rate);
        Ok(end)
    }

    /// Adds 10 ms. What does not fit is dropped; where the card ran dry, silence goes first, so
    /// that it does not run dry again at once.
    pub fn add(&mut self, now: Instant, frame: &Frame) {
        let Some((at, taken)) = self.asked.last() else {
            self.leaving.add(frame, 0.0);
            return;
        };
        if now.saturating_duration_since(at) > STOPPED {
            self.started = false;
            self.leaving.add(frame, 0.0);
            return;
        }
        let before = self.wanted();
        self.pieces.note(at, taken);
        let since = now.saturating_duration_since(at).as_secs_f64();
        let piece = self.pieces.largest() / self.rate;
        self.phase.note(since, piece, self.reserve.behind());
        let filled = self.filled();
        let mut seen = self.excess(at, taken, now);
        if !self.started || filled == 0 {
            if self.started {
                self.dry = self.dry.saturating_add(1);
                self.phase.forget();
                self.reserve.ran_dry(self.pieces.largest() / self.rate);
            }
            (self.started, self.young) = (true, YOUNG);
            self.add_silence(-seen);
            self.clock.settle();
            seen = self.excess(at, taken, now);
        }
        self.reserve.note(self.clock.late(seen));
        let quiet = peak(frame) < QUIET;
        self.reserve.fall(quiet);
        let more = (self.wanted() - before) / self.rate;
        if more != 0.0 {
            self.clock.leap(-more);
            seen = self.excess(at, taken, now);
        }
        if seen > GROSS_EXCESS {
            self.clock.leap(-FRAME_TIME.as_secs_f64());
            self.follow();
            return;
        }
        // Where nobody hears it, it is set right at once; and of a card that was just opened nobody has
        // heard anything.
        let unheard = quiet || self.young > 0;
        self.young = self.young.saturating_sub(1);
        let far = if unheard { self.clock.far() } else { 0.0 };
        let far = far.min(FRAME_TIME.as_secs_f64());
        self.add_silence(-far);
        self.clock.leap(-far);
        let left_out = self.samples_of(far);
        self.leaving.add(frame, far);
        let (ring, mut came) = (&mut self.ring, 0);
        self.converter.process(frame, |samples| {
            came += samples.len();
            let rest = samples.get(left_out..).unwrap_or_default();
            let (_, _dropped) = ring.push_partial_slice(rest);
        });
        // A card that is overdue has not taken what it plays: nothing is seen of what waits.
        let overdue = since > 2.0 * f64::from(taken) / self.rate;
        let look = if overdue {
            self.clock.excess()
        } else {
            seen - far
        };
        let steer = self.clock.steer(look);
        self.follow();
        let steered = f64::midpoint(self.steered, std::mem::replace(&mut self.steered, steer));
        let due = self.rate * FRAME_TIME.as_secs_f64() * (1.0 - steered);
        self.owed = (self.owed * REMEMBERING + due - came as f64).clamp(-OWED, OWED);
        self.converter.steer(1.0 - steer);
    }

    /// The 10 ms that leave for the card while the newest frame begins to wait: what is heard, as far as it
    /// is known here.
    pub fn leaving(&self) -> Frame {
        self.leaving.frame()
    }

    fn follow(&mut self) {
        let waits = self.wanted() / self.rate + self.clock.excess();
        self.leaving.follow(waits, self.clock.is_mending());
    }

    /// Takes note that nothing was to be played for a while: it did not run dry, it was left alone.
    pub fn begin(&mut self) {
        self.started = false;
    }

    /// How often the card had nothing to play, though something was to be played, since this was asked.
    pub fn take_dry(&mut self) -> u32 {
        std::mem::take(&mut self.dry)
    }

    /// By how many seconds frames should come later, or sooner where it is less than none, not to wait for the
    /// card: for who may choose when they come.
    pub fn shift(&mut self) -> Option<f64> {
        self.phase.shift(self.reserve.behind())
    }

    /// Adds so many seconds of silence.
    fn add_silence(&mut self, seconds: f64) {
        self.leaving.add_silence(seconds);
        for _ in 0..self.samples_of(seconds) {
            if self.ring.push(0.0).is_err() {
                return;
            }
        }
    }

    /// Seconds as samples of the card; none where it is less than none.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "less than a ring"
    )]
    fn samples_of(&self, seconds: f64) -> usize {
        (seconds * self.rate).max(0.0) as usize
    }

    /// What shall wait in front of a frame, in samples of the card.
    fn wanted(&self) -> f64 {
        let capacity = self.ring.buffer().capacity() as f64;
        let piece = self.pieces.largest() / self.rate;
        let wanted = self.phase.wanted(piece, self.reserve.behind());
        (wanted * self.rate).min(capacity / 2.0)
    }

    /// How many seconds more wait than shall, as if the card had taken those samples that it plays now one by
    /// one: what it takes at once makes the filling leap, and by a clock that differs a little only every
    /// few minutes.
    fn excess(&self, at: Instant, taken: u32, now: Instant) -> f64 {
        let taken = f64::from(taken);
        let played = now.saturating_duration_since(at).as_secs_f64() * self.rate;
        let waits = self.filled() as f64 + self.owed + taken - played.min(2.0 * taken);
        (waits - self.wanted()) / self.rate
    }

    fn filled(&self) -> usize {
        self.ring.buffer().capacity() - self.ring.slots()
    }
}

#[cfg(test)]
mod tests;
