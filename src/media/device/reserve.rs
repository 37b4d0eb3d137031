//! How much sound waits for a speaker: so little that it is late by no more than it must, and so much
//! that the card never runs dry.
//!
//! A card takes many samples at once, and is short when fewer wait then: less than a whole piece more
//! is no help against a frame that comes late. A frame has *slack*: the time from when it is added to when
//! the card would have been short. The least slack of a second says what the media thread and the card
//! do to each other on this machine; what waits follows it by whole pieces: up at once, and down so slowly that an echo canceller follows the
//! delay that changes.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The least slack that must be left, in seconds.
const WANTED: f64 = 0.004;
/// What must be left of it when a piece less waits, in seconds.
const AMPLE: f64 = 0.006;
/// What waits at first, and at least, behind what the card takes at once, in seconds: the rate is steered
/// only so finely.
const LEAST: f64 = 0.003;
/// The most that waits there.
const MOST: f64 = 0.060;
/// Frames before the first decision, which nobody waits for.
const FIRST_WINDOW: u32 = 25;
/// Frames between two decisions: 1 s.
const WINDOW: u32 = 100;
/// How much less waits from one decision to the next: the clocks of two cards differ as much.
const FALL: f64 = 0.000_1;
/// Decisions that must agree before less waits: 10 s.
const CALM: u32 = 10;

/// When a card asked for sound last, and for how much: written by its callback, which neither locks,
/// allocates nor calls the system (the clock is read in the program's own memory, vDSO, on Linux).
#[derive(Debug)]
pub struct Asked {
    begun: Instant,
    /// Nanoseconds after `begun`; 0 is never.
    at: AtomicU64,
    samples: AtomicU32,
}

impl Asked {
    /// Nothing was asked for yet.
    pub fn new(now: Instant) -> Self {
        Self {
            begun: now,
            at: AtomicU64::new(0),
            samples: AtomicU32::new(0),
        }
    }

    /// The card asks for so many samples.
    pub fn mark(&self, now: Instant, samples: usize) {
        let after = now.saturating_duration_since(self.begun).as_nanos();
        let samples = u32::try_from(samples).unwrap_or(u32::MAX);
        self.samples.store(samples, Ordering::Relaxed);
        self.at
            .store(u64::try_from(after).unwrap_or(0).max(1), Ordering::Relaxed);
    }

    /// When it asked last, and for how many samples.
    fn last(&self) -> Option<(Instant, u32)> {
        match self.at.load(Ordering::Relaxed) {
            0 => None,
            after => Some((
                self.begun + Duration::from_nanos(after),
                self.samples.load(Ordering::Relaxed),
            )),
        }
    }
}

/// What is to wait for one card.
#[derive(Debug)]
pub(super) struct Reserve {
    rate: f64,
    /// Seconds behind what the card takes at once.
    behind: f64,
    /// Of the frame with the least slack: that, and how long the next piece is short then, in seconds.
    least: Option<(f64, f64)>,
    /// What the card takes at once, in seconds.
    piece: f64,
    /// How much less shall wait in the end, in seconds.
    falling: f64,
    frames: u32,
    calm: u32,
    /// Whether nothing was decided yet.
    young: bool,
}

impl Reserve {
    /// For a card of that rate in hertz.
    pub(super) fn new(rate: u32) -> Self {
        Self {
            rate: f64::from(rate),
            behind: LEAST,
            least: None,
            piece: 0.0,
            falling: 0.0,
            frames: 0,
            calm: 0,
            young: true,
        }
    }

    /// What shall wait behind what the card takes at once, in samples.
    pub(super) fn samples(&self) -> f64 {
        self.behind * self.rate
    }

    /// A frame is added while so many samples wait. True when what is missing shall be filled up with
    /// silence at once: of a card that was just opened nobody has heard anything.
    pub(super) fn note(&mut self, now: Instant, asked: &Asked, left: usize) -> bool {
        let Some((at, samples)) = asked.last().filter(|(_, samples)| *samples > 0) else {
            return false;
        };
        self.piece = f64::from(samples) / self.rate;
        let left = left as f64 / self.rate;
        let pieces = (left / self.piece).floor() + 1.0;
        let short_after = pieces * self.piece;
        let slack = short_after - now.saturating_duration_since(at).as_secs_f64();
        if self.least.is_none_or(|(least, _)| slack < least) {
            self.least = Some((slack, short_after - left));
        }
        self.frames += 1;
        let window = if self.young { FIRST_WINDOW } else { WINDOW };
        if self.frames < window {
            return false;
        }
        let more = self.decide();
        std::mem::replace(&mut self.young, false) && more
    }

    /// The card had nothing.
    pub(super) fn ran_dry(&mut self) {
        self.more(self.piece.max(LEAST));
    }

    /// True when more shall wait.
    fn decide(&mut self) -> bool {
        self.frames = 0;
        let Some((slack, missing)) = self.least.take() else {
            return false;
        };
        if slack < WANTED {
            self.more(missing);
            return true;
        }
        let ample = slack > AMPLE + self.piece || self.falling > 0.0;
        self.calm = if ample { self.calm + 1 } else { 0 };
        if self.calm == CALM && self.falling <= 0.0 {
            self.falling = self.piece.min(self.behind - LEAST);
        }
        let step = self.falling.clamp(0.0, FALL);
        self.behind -= step;
        self.falling -= step;
        if self.falling <= 0.0 && self.calm > CALM {
            self.calm = 0;
        }
        false
    }

    fn more(&mut self, seconds: f64) {
        self.behind = (self.behind + seconds).min(MOST);
        (self.calm, self.frames, self.least) = (0, 0, None);
        self.falling = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::monotonic_now;

    /// Runs for so many seconds with frames that are added `late` milliseconds after a card took 10 ms;
    /// gives what waits then, in milliseconds.
    fn settles(reserve: &mut Reserve, seconds: u32, late: impl Fn(u32) -> f64) -> f64 {
        let begun = monotonic_now();
        let asked = Asked::new(begun);
        for frame in 1..=seconds * 100 {
            let at = begun + Duration::from_millis(10) * frame;
            asked.mark(at, 480);
            let added = at + Duration::from_secs_f64(late(frame) / 1e3);
            #[expect(
                clippy::cast_sign_loss,
                clippy::cast_possible_truncation,
                reason = "small and positive"
            )]
            reserve.note(added, &asked, reserve.samples().round() as usize);
        }
        reserve.behind * 1e3
    }

    #[test]
    fn an_even_machine_holds_next_to_nothing() {
        let mut reserve = Reserve::new(48_000);
        // 8 ms before the card asks again.
        assert!(settles(&mut reserve, 100, |_| 2.0) < 3.1);
    }

    #[test]
    fn a_frame_that_comes_just_before_it_is_missed_makes_a_piece_more_wait_from_the_start() {
        let mut reserve = Reserve::new(48_000);
        let held = settles(&mut reserve, 1, |_| 8.0);
        assert!((9.9..13.1).contains(&held), "{held}");
        let held = settles(&mut reserve, 60, |_| 8.0);
        assert!((9.9..13.1).contains(&held), "{held}");
    }

    #[test]
    fn a_machine_that_is_late_holds_what_it_needs_within_seconds_and_less_when_it_is_not() {
        let mut reserve = Reserve::new(48_000);
        let late = |frame: u32| if frame.is_multiple_of(70) { 22.0 } else { 2.0 };
        let held = settles(&mut reserve, 5, late);
        assert!((19.9..23.1).contains(&held), "{held}");
        let held = settles(&mut reserve, 60, late);
        assert!((19.9..23.1).contains(&held), "{held}");
        // By 0.1 ms a second, once that is known to do.
        let before = held;
        let held = settles(&mut reserve, 60, |_| 2.0);
        assert!((before - 6.0..before - 4.0).contains(&held), "{held}");
        let held = settles(&mut reserve, 300, |_| 2.0);
        assert!(held < 3.1, "{held}");
    }

    #[test]
    fn a_card_that_takes_uneven_pieces_of_ours_is_given_what_it_needs() {
        let mut reserve = Reserve::new(48_000);
        let begun = monotonic_now();
        let asked = Asked::new(begun);
        // A card that takes 1,024 samples at once, and frames of 480 that come a moment later.
        let (mut filled, mut taken) = (2_048.0 + reserve.samples(), 0);
        let mut short = 0;
        for frame in 1..=6_000_u32 {
            let now = begun + Duration::from_millis(10) * frame;
            let took = frame * 480 / 1_024;
            if took > taken {
                let at = begun + Duration::from_secs_f64(f64::from(took) * 1_024.0 / 48_000.0);
                asked.mark(at.min(now), 1_024);
                filled -= 1_024.0 * f64::from(took - taken);
                taken = took;
                short += u32::from(filled < 0.0 && frame > 100);
            }
            let before = reserve.samples();
            #[expect(
                clippy::cast_sign_loss,
                clippy::cast_possible_truncation,
                reason = "small, and a negative one is none"
            )]
            reserve.note(now, &asked, filled.max(0.0) as usize);
            // As the steering of the rate does in the end.
            filled += 480.0 + reserve.samples() - before;
        }
        assert_eq!(short, 0);
        assert!(reserve.behind < MOST, "{reserve:?}");
    }

    #[test]
    fn a_dry_moment_adds_what_the_card_takes_at_once_and_there_is_an_end_to_it() {
        let mut reserve = Reserve::new(48_000);
        settles(&mut reserve, 20, |_| 2.0);
        reserve.ran_dry();
        assert!((12.9..13.1).contains(&(reserve.behind * 1e3)));
        for _ in 0..100 {
            reserve.ran_dry();
        }
        assert_eq!(reserve.behind, MOST);
    }
}
