//! When a card asks, as seen from the frames that are added.
//!
//! A card that takes as much as a frame holds, always so long before the next frame comes, takes each frame
//! at once: nothing need wait in front of it. Where both follow one clock, as in a headset, that is so for
//! the whole call. Of two clocks the one slides past the other, and a whole piece must wait after all,
//! now and then: there it always does, because a delay that changes is worse for who cancels echoes than a
//! longer one.

use crate::media::frame::FRAME_TIME;

/// Frames in a window: 1 s.
const WINDOW: u32 = 100;
/// Windows that must agree before less waits, at first: 10 s.
const STEADY: u32 = 10;
/// The most windows that it takes after it was wrong, twice as many each time: 11 minutes.
const MOST_STEADY: u32 = 640;
/// The most by which they may differ in that time, in seconds: by 25 parts in a million, so that it takes more
/// than half a minute to lose a millisecond.
const SAME: f64 = 0.000_25;
/// A frame comes so long before the next ask at the latest, in seconds.
const BEFORE: f64 = 0.002;
/// What waits in front of each frame at least, in seconds: the rate is steered only so finely.
const LEFT: f64 = 0.001_5;
/// Frames that we may add when we like are added so long before an ask, in seconds, and moved when they are off
/// by more than [`SHIFT`].
const WISHED: f64 = BEFORE + 0.000_5;
const SHIFT: f64 = 0.001;
/// When no more than that is left of either, a whole piece is to wait again.
const SCARCE: f64 = 0.000_5;

/// The rule of one card. Times are in seconds.
#[derive(Debug)]
pub(super) struct AskPhase {
    /// The times from an ask to a frame in this window.
    sum: f64,
    frames: u32,
    /// The shortest and the longest since the windows agree.
    least: f64,
    most: f64,
    /// What the first of those windows was, in the middle.
    anchor: f64,
    steady: u32,
    /// How many it takes.
    patience: u32,
    /// What the last window was in the middle, where it agreed with the one before.
    middle: Option<f64>,
    /// The shortest time when it was found that no piece need wait.
    granted: Option<f64>,
}

impl Default for AskPhase {
    fn default() -> Self {
        Self {
            sum: 0.0,
            frames: 0,
            least: f64::MAX,
            most: 0.0,
            anchor: f64::MAX,
            steady: 0,
            patience: STEADY,
            middle: None,
            granted: None,
        }
    }
}

impl AskPhase {
    /// What shall wait, as if the card took its samples one by one; `behind` a piece where one must.
    pub(super) fn wanted(&self, piece: f64, behind: f64) -> f64 {
        piece + self.granted.map_or(behind, |least| LEFT - least)
    }

    /// A frame came so long after the card had asked for a piece.
    pub(super) fn note(&mut self, since: f64, piece: f64) {
        let frame = FRAME_TIME.as_secs_f64();
        if (piece - frame).abs() > frame / 100.0 {
            *self = Self::default();
            return;
        }
        let scarce = |least: f64| LEFT + since - least < SCARCE || since > frame - SCARCE;
        if self.granted.is_some_and(scarce) {
            self.forget();
        }
        self.least = self.least.min(since);
        self.most = self.most.max(since);
        self.sum += since;
        self.frames += 1;
        if self.frames < WINDOW {
            return;
        }
        let middle = self.sum / f64::from(self.frames);
        (self.sum, self.frames) = (0.0, 0);
        self.middle = None;
        if (middle - self.anchor).abs() > SAME {
            (self.anchor, self.steady) = (middle, 0);
            (self.least, self.most) = (f64::MAX, 0.0);
            return;
        }
        self.middle = Some(middle);
        self.steady += 1;
        if self.steady >= self.patience {
            self.steady = 0;
            if self.granted.is_none() && self.most < frame - BEFORE {
                self.granted = Some(self.least);
            }
            (self.least, self.most) = (f64::MAX, 0.0);
        }
    }

    /// By how much later frames should come, or sooner, to wait for nothing but the next ask; told once a
    /// window at most, and only where it matters.
    pub(super) fn shift(&mut self) -> Option<f64> {
        let frame = FRAME_TIME.as_secs_f64();
        let off = (frame - WISHED - self.middle.take()?).rem_euclid(frame);
        let off = if off > frame / 2.0 { off - frame } else { off };
        (off.abs() > SHIFT).then_some(off)
    }

    /// Whole pieces shall wait from here on, for twice as long as the last time.
    pub(super) fn forget(&mut self) {
        if self.granted.take().is_some() {
            self.patience = (self.patience * 2).min(MOST_STEADY);
        }
        (self.steady, self.anchor) = (0, f64::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIECE: f64 = 0.010;
    const BEHIND: f64 = 0.004;

    /// What shall wait after each second, in milliseconds, when frames come so long after each ask.
    fn wanted(seconds: u32, since: impl Fn(u32) -> f64) -> Vec<f64> {
        let mut phase = AskPhase::default();
        let mut wanted = Vec::new();
        for frame in 1..=seconds * WINDOW {
            phase.note(since(frame).rem_euclid(PIECE), PIECE);
            if frame % WINDOW == 0 {
                wanted.push(phase.wanted(PIECE, BEHIND) * 1e3);
            }
        }
        wanted
    }

    /// A millisecond that each third ask is late by.
    fn uneven(frame: u32) -> f64 {
        f64::from(frame % 3) / 2.0 * 0.001
    }

    #[test]
    fn next_to_nothing_waits_for_a_card_with_our_clock_after_ten_seconds() {
        for since in [0.000_5, 0.003, 0.006_9] {
            let wanted = wanted(60, |frame| since + uneven(frame));
            assert_eq!(wanted[STEADY as usize - 1], 14.0);
            for wanted in &wanted[STEADY as usize..] {
                // Of a piece that counts as taken one by one, what it took since.
                let left = wanted + since * 1e3 - 10.0;
                assert!((1.49..1.51).contains(&left), "{since}: {left}");
            }
        }
    }

    #[test]
    fn a_card_that_asks_just_behind_or_around_a_frame_needs_a_piece() {
        for since in [0.007_5, 0.009_5] {
            let wanted = wanted(60, |frame| since + uneven(frame));
            assert!(wanted.iter().all(|wanted| *wanted == 14.0), "{since}");
        }
        // So does one that does now and then, as a frame that is late shows.
        let wanted = wanted(60, |frame| if frame % 701 == 0 { 0.009 } else { 0.004 });
        assert!(wanted.iter().all(|wanted| *wanted == 14.0), "{wanted:?}");
    }

    #[test]
    fn a_card_whose_clock_differs_needs_a_piece_and_none_misses_it() {
        for parts in [-100.0, -30.0, 30.0, 100.0] {
            let wanted = wanted(300, |frame| 0.006 + f64::from(frame) * 1e-8 * parts);
            assert!(wanted.iter().all(|wanted| *wanted == 14.0), "{parts}");
        }
        // Ten parts in a million: for minutes it is the same, and then it is not.
        for parts in [-10.0, 10.0] {
            let mut phase = AskPhase::default();
            let mut changes = 0;
            for frame in 0..200_000 {
                let since: f64 = (0.004 + f64::from(frame) * 1e-8 * parts).rem_euclid(PIECE);
                let before = phase.wanted(PIECE, BEHIND);
                phase.note(since, PIECE);
                let wanted = phase.wanted(PIECE, BEHIND);
                changes += u32::from(wanted > before);
                assert!(wanted + since - PIECE > SCARCE, "{frame}: {wanted}");
            }
            assert!((1..=4).contains(&changes), "{parts}: {changes}");
        }
    }

    #[test]
    fn frames_that_come_when_we_like_are_moved_before_the_ask_once() {
        for first in [0.000_5, 0.002, 0.006, 0.009] {
            let (mut phase, mut since, mut shifts) = (AskPhase::default(), first, 0);
            for frame in 0..WINDOW * 20 {
                phase.note(since + uneven(frame) / 10.0, PIECE);
                if let Some(off) = phase.shift() {
                    since = (since + off).rem_euclid(PIECE);
                    shifts += 1;
                }
            }
            assert_eq!(shifts, 1, "{first}");
            assert!((0.007_4..0.007_6).contains(&since), "{first}: {since}");
            assert!(phase.wanted(PIECE, BEHIND) < 0.004_2, "{first}");
        }
    }

    #[test]
    fn a_card_that_takes_other_pieces_needs_them_whole() {
        let mut phase = AskPhase::default();
        for _ in 0..WINDOW * 20 {
            phase.note(0.006, PIECE);
        }
        assert!(phase.wanted(PIECE, BEHIND) < PIECE);
        phase.note(0.006, 0.021);
        assert_eq!(phase.wanted(0.021, BEHIND), 0.025);
    }
}
