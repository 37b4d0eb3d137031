//! How much sound waits for a speaker: so little that it is late by no more than it must, and so much
//! that the card never runs dry.
//!
//! A card takes a piece of many samples at once, at any time between two frames, and by clocks that differ
//! at another time each minute. So in front of each frame a whole piece waits (counted as if the card
//! took its samples one by one), and behind that as much as frames come late on this machine: up at once, and
//! down where nobody hears it, once that was not needed for a while.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What must be left when the latest frame comes, in seconds: the rate is steered only so finely.
const LEFT: f64 = 0.002;
/// What waits behind a piece at first, in seconds.
const FIRST: f64 = 0.004;
/// The most that waits there.
const MOST: f64 = 0.060;
/// What is more than needed by less stays, in seconds.
const AMPLE: f64 = 0.002;
/// Frames between two decisions: 1 s.
const WINDOW: u32 = 100;
/// Decisions that must agree before less waits: 30 s.
const CALM: u32 = 30;

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
    pub(super) fn last(&self) -> Option<(Instant, u32)> {
        match self.at.load(Ordering::Relaxed) {
            0 => None,
            after => Some((
                self.begun + Duration::from_nanos(after),
                self.samples.load(Ordering::Relaxed),
            )),
        }
    }
}

/// What a card takes at once: the largest of the pieces that it took of late.
#[derive(Debug)]
pub(super) struct Pieces {
    largest: u32,
    /// The largest since the last decision.
    newest: u32,
    /// When the last one was taken; none before the first, by which a card fills its own buffer.
    taken_at: Option<Instant>,
    count: u32,
}

impl Pieces {
    /// For a card that says so of itself.
    pub(super) fn new(said: u32) -> Self {
        Self {
            largest: said,
            newest: 0,
            taken_at: None,
            count: 0,
        }
    }

    /// The card took so many samples then, as a look says; it may be the same ones as before.
    pub(super) fn note(&mut self, at: Instant, samples: u32) {
        match self.taken_at.replace(at) {
            Some(before) if before != at => {}
            Some(_) | None => return,
        }
        self.newest = self.newest.max(samples);
        self.largest = self.largest.max(samples);
        self.count += 1;
        if self.count == WINDOW {
            (self.largest, self.newest, self.count) = (self.newest, 0, 0);
        }
    }

    /// In samples.
    pub(super) fn largest(&self) -> f64 {
        f64::from(self.largest)
    }
}

/// What is to wait for one card.
#[derive(Debug)]
pub(super) struct Reserve {
    /// Seconds behind a piece.
    behind: f64,
    /// The latest frame since the last decision: how much more was left at the others, in seconds.
    latest: f64,
    frames: u32,
    calm: u32,
    /// The most that was needed since it is calm, in seconds.
    needed: f64,
    /// What waits in vain, in seconds.
    spare: f64,
    /// Whether it has waited in vain for so long that nobody need be quiet.
    overdue: bool,
}

impl Default for Reserve {
    fn default() -> Self {
        Self {
            behind: FIRST,
            latest: 0.0,
            frames: 0,
            calm: 0,
            needed: 0.0,
            spare: 0.0,
            overdue: false,
        }
    }
}

impl Reserve {
    /// What shall wait behind a piece, in seconds.
    pub(super) fn behind(&self) -> f64 {
        self.behind
    }

    /// A frame came while so many seconds less waited than usual.
    pub(super) fn note(&mut self, late: f64) {
        self.latest = self.latest.max(late);
        self.frames += 1;
        // What comes too late by so much cannot wait for a decision.
        if LEFT + self.latest <= self.behind && self.frames < WINDOW {
            return;
        }
        let needed = LEFT + self.latest;
        (self.latest, self.frames) = (0.0, 0);
        if needed > self.behind {
            self.more(needed - self.behind + AMPLE / 2.0);
            return;
        }
        self.needed = self.needed.max(needed);
        self.calm += 1;
        if self.calm == CALM {
            self.overdue = self.spare > 0.0;
            let spare = self.behind - self.needed.max(FIRST) - AMPLE / 2.0;
            self.spare = if spare < AMPLE { 0.0 } else { spare };
            (self.calm, self.needed) = (0, 0.0);
        }
    }

    /// The card had nothing: half a piece more shall wait.
    pub(super) fn ran_dry(&mut self, piece: f64) {
        self.more(piece / 2.0);
    }

    /// Less waits where that is enough: once nobody hears it, or after half a minute without such a moment,
    /// as with a noisy far end; then it is worked off by the rate.
    pub(super) fn fall(&mut self, unheard: bool) {
        if unheard || self.overdue {
            self.behind -= std::mem::take(&mut self.spare);
            self.overdue = false;
        }
    }

    fn more(&mut self, seconds: f64) {
        self.behind = (self.behind + seconds).min(MOST);
        (self.calm, self.needed, self.spare) = (0, 0.0, 0.0);
        self.overdue = false;
        (self.latest, self.frames) = (0.0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets frames of so many seconds come that are late by milliseconds; gives what waits then, in
    /// milliseconds.
    fn settles(reserve: &mut Reserve, seconds: u32, late: impl Fn(u32) -> f64) -> f64 {
        for frame in 1..=seconds * 100 {
            reserve.note(late(frame) / 1e3);
            reserve.fall(frame % 100 == 0);
        }
        reserve.behind() * 1e3
    }

    #[test]
    fn a_far_end_that_is_never_quiet_waits_no_longer_than_a_minute() {
        let mut reserve = Reserve::default();
        reserve.note(0.040);
        let held = |reserve: &mut Reserve, seconds: u32| {
            for _ in 0..seconds * 100 {
                reserve.note(0.001);
                reserve.fall(false);
            }
            reserve.behind() * 1e3
        };
        assert!(held(&mut reserve, 58) > 40.0);
        assert!(held(&mut reserve, 4) <= 5.1);
    }

    #[test]
    fn what_fills_a_card_at_first_is_no_piece_and_a_large_one_is_forgotten() {
        let begun = crate::base::clock::monotonic_now();
        let mut pieces = Pieces::new(480);
        let mut take = |milli: u32, samples| {
            pieces.note(begun + Duration::from_millis(1) * milli, samples);
            pieces.largest()
        };
        assert_eq!(take(1, 1_920), 480.0);
        assert_eq!(take(1, 1_920), 480.0);
        assert_eq!(take(2, 1_024), 1_024.0);
        for milli in 3..=WINDOW {
            assert_eq!(take(milli, 480), 1_024.0);
        }
        assert_eq!(take(WINDOW + 1, 480), 1_024.0);
        for milli in 2..=WINDOW + 1 {
            take(WINDOW + milli, 480);
        }
        assert_eq!(take(3 * WINDOW, 480), 480.0);
    }

    #[test]
    fn an_even_machine_holds_next_to_nothing() {
        let mut reserve = Reserve::default();
        assert_eq!(settles(&mut reserve, 100, |_| 1.0), FIRST * 1e3);
    }

    #[test]
    fn a_machine_that_is_late_holds_what_it_needs_at_once_and_less_when_it_is_not() {
        let mut reserve = Reserve::default();
        let late = |frame: u32| if frame.is_multiple_of(70) { 22.0 } else { 1.0 };
        let held = settles(&mut reserve, 2, late);
        assert!((24.9..25.1).contains(&held), "{held}");
        let after = settles(&mut reserve, 600, late);
        assert!((after - held).abs() < 1e-6, "{after}, not {held}");
        let held = settles(&mut reserve, 62, |_| 1.0);
        assert!((4.0..=5.1).contains(&held), "{held}");
    }

    #[test]
    fn a_dry_moment_adds_half_a_piece_and_there_is_an_end_to_it() {
        let mut reserve = Reserve::default();
        reserve.ran_dry(0.010);
        assert!((8.9..9.1).contains(&(reserve.behind() * 1e3)));
        for _ in 0..100 {
            reserve.ran_dry(0.010);
        }
        assert_eq!(reserve.behind(), MOST);
    }
}
