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
mod tests {
    use super::*;
    use crate::base::clock::monotonic_now;
    use rtrb::RingBuffer;

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

    #[test]
    fn what_a_microphone_gives_late_in_place_of_silence_is_left_out() {
        for stalled in [1_usize, 5, 9] {
            let (mut producer, consumer) = RingBuffer::new(48_000);
            let mut end = MicrophoneEnd::new(consumer, 48_000).unwrap();
            let mut give = |frames: usize| {
                for _ in 0..frames * FRAME_SAMPLES {
                    producer.push(0.1).unwrap();
                }
            };
            give(1);
            assert_eq!(end.take()[0], 0.1);
            for _ in 0..stalled {
                assert_eq!(end.take()[0], 0.0);
            }
            // Those, and the one whose turn it is.
            give(stalled + 1);
            let taken = std::iter::from_fn(|| end.ready().then(|| end.take()));
            assert_eq!(taken.count(), 1, "{stalled}");
            // None is left out later, when nothing was missed.
            give(3);
            let taken = std::iter::from_fn(|| end.ready().then(|| end.take()));
            assert_eq!(taken.count(), 3, "{stalled}");
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

    /// Plays on a card with our clock while the ticks in these two spans do not come; gives how often it ran
    /// dry. What is left alone in the second is told so.
    fn dry_moments(stalled: std::ops::Range<u32>, alone: std::ops::Range<u32>) -> Vec<u32> {
        let (producer, mut consumer) = RingBuffer::new(12_000);
        let begun = monotonic_now();
        let asked = Arc::new(Asked::new(begun));
        let mut end = SpeakerEnd::new(producer, 48_000, 480, Arc::clone(&asked)).unwrap();
        let mut dry = Vec::new();
        for tick in 0..400_u32 {
            let now = begun + FRAME_TIME * (tick + 1);
            asked.mark(now - Duration::from_millis(4), 480);
            for _ in 0..480 {
                consumer.pop().ok();
            }
            if stalled.contains(&tick) || alone.contains(&tick) {
                continue;
            }
            if tick == alone.end {
                end.begin();
            }
            end.add(now, &[0.5; FRAME_SAMPLES]);
            if tick % 100 == 99 {
                dry.push(end.take_dry());
            }
        }
        dry
    }

    #[test]
    fn a_producer_that_stalls_lets_the_card_run_dry_once_and_that_is_counted() {
        assert_eq!(dry_moments(0..0, 0..0), [0, 0, 0, 0]);
        assert_eq!(dry_moments(130..160, 0..0), [0, 1, 0, 0]);
        // A reserve of a few milliseconds is no dry moment, nor is a time in which nobody speaks.
        assert_eq!(dry_moments(0..0, 230..280), [0, 0, 0, 0]);
    }

    /// A sample of the sawtooth says which one it is, but for the many before it.
    const SAWTOOTH: u16 = 10_007;

    /// Plays on a card whose clock is off by so many parts; gives how long the sound waited at each second,
    /// in microseconds.
    fn waits(drift: f64) -> Vec<f64> {
        let (producer, mut consumer) = RingBuffer::new(12_000);
        let begun = monotonic_now();
        let asked = Arc::new(Asked::new(begun));
        let mut end = SpeakerEnd::new(producer, 48_000, 480, Arc::clone(&asked)).unwrap();
        let (mut due, mut played, mut spoken) = (0.0, 0.0, 0_u16);
        let mut waits = Vec::new();
        for tick in 0..6_000_u32 {
            let now = begun + FRAME_TIME * (tick + 1);
            due += 480.0 * (1.0 + drift);
            // It takes its samples some 4 ms before the next frame comes.
            while due >= 288.0 {
                due -= 480.0;
                asked.mark(now - Duration::from_secs_f64(due / 48_000.0 + 0.004), 480);
                played += 480.0;
                for place in 0..480 {
                    let sample = f64::from(consumer.pop().unwrap_or(0.0));
                    if tick % 100 == 50 && place == 0 {
                        let plays = played / (1.0 + drift);
                        waits.push((plays - sample).rem_euclid(f64::from(SAWTOOTH)) / 0.048);
                    }
                }
            }
            let frame = std::array::from_fn(|_| {
                spoken = (spoken + 1) % SAWTOOTH;
                f32::from(spoken)
            });
            end.add(now, &frame);
        }
        waits
    }

    #[test]
    fn sound_waits_for_a_card_always_the_same() {
        for drift in [-100e-6, 50e-6, 100e-6, 300e-6] {
            let waits = waits(drift);
            // The first second learns the clocks.
            let (first, last) = (waits[1], waits[waits.len() - 1]);
            assert!((25_000.0..30_000.0).contains(&last), "{waits:.0?}");
            for waits in waits.windows(2).skip(2) {
                assert!((waits[1] - waits[0]).abs() < 20.0, "{drift}: {waits:.1?}");
            }
            assert!((last - first).abs() < 250.0, "{drift}: {first} {last}");
        }
    }

    #[test]
    fn sound_waits_less_for_a_card_with_our_clock_once_that_is_known() {
        let waits = waits(0.0);
        let (first, last) = (waits[8], waits[waits.len() - 1]);
        assert!((6_000.0..6_600.0).contains(&(first - last)), "{waits:.0?}");
        assert!((last - waits[24]).abs() < 100.0, "{waits:.0?}");
    }

    /// Samples that wait behind a frame when a card gives a piece of 10 ms each tick, of which the first is
    /// short, after so many ticks; and the largest step between two samples of a wave of 500 Hz.
    fn left_over(first: usize, ticks: usize) -> (usize, f32) {
        let (mut producer, consumer) = RingBuffer::new(48_000);
        let mut end = MicrophoneEnd::new(consumer, 48_000).unwrap();
        let (mut sent, mut last, mut step) = (0, 0.0_f32, 0.0_f32);
        for tick in 0..ticks {
            let length = if tick == 0 { first } else { FRAME_SAMPLES };
            for _ in 0..length {
                let turn = sent as f32 / 96.0 * std::f32::consts::TAU;
                producer.push(turn.sin() * 0.5).unwrap();
                sent += 1;
            }
            while end.ready() {
                for sample in end.take() {
                    step = step.max((sample - last).abs());
                    last = sample;
                }
            }
        }
        (end.waiting.len(), step)
    }

    #[test]
    fn nothing_waits_behind_a_frame_of_the_microphone_for_long() {
        for first in [100, 300, 470] {
            let (left, step) = left_over(first, 60);
            assert!(left < MUCH_LEFT, "{first}: {left}");
            assert!(step < 0.04, "{first}: a click of {step}");
            let (left, step) = left_over(first, 2_000);
            assert!(left < 10, "{first}: {left}");
            assert!(step < 0.04, "{first}: a click of {step}");
        }
    }

    /// The media thread looks every millisecond whether a frame is there: up to so much waits behind it, and
    /// were it left out, a seam would be heard every second.
    #[test]
    fn nothing_is_left_out_of_what_a_card_gives_in_small_pieces() {
        for piece in [32, 44, 64, 256] {
            let (mut producer, consumer) = RingBuffer::new(48_000);
            let mut end = MicrophoneEnd::new(consumer, 48_000).unwrap();
            let (mut given, mut taken) = (0, 0);
            for look in 1..=60_000 {
                while given + piece <= look * 48 {
                    for _ in 0..piece {
                        producer.push(0.1).unwrap();
                    }
                    given += piece;
                }
                while end.ready() {
                    end.take();
                    taken += FRAME_SAMPLES;
                }
            }
            // Once, what the first piece left behind.
            let lost = given - taken - end.waiting.len();
            assert!(lost <= piece + 48, "{piece}: {lost} samples");
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
