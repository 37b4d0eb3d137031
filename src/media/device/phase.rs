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
/// What waits in front of each frame at least, in seconds: the rate is steered only so finely.
const LEFT: f64 = 0.001_5;
/// So much may it differ from what it was when no piece was found to be needed: less than what is left.
const MOVED: f64 = 0.001;
/// Frames that we may add when we like come so much sooner than they must, in seconds, and are moved when they are off by more.
const SOONER: f64 = 0.001;

/// The rule of one card. Times are in seconds.
#[derive(Debug)]
pub(super) struct AskPhase {
    /// The times from an ask to a frame in this window.
    sum: f64,
    frames: u32,
    /// What the first window was, in the middle, of those that agree.
    anchor: f64,
    steady: u32,
    /// How many it takes.
    patience: u32,
    /// What the last window was in the middle, where it agreed.
    middle: Option<f64>,
    /// What it was when it was found that no piece need wait.
    granted: Option<f64>,
}

impl Default for AskPhase {
    fn default() -> Self {
        Self {
            sum: 0.0,
            frames: 0,
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
        piece + self.granted.map_or(behind, |since| LEFT - since)
    }

    /// A frame came so long after the card had asked for a piece; frames may come later by `behind`.
    pub(super) fn note(&mut self, since: f64, piece: f64, behind: f64) {
        let frame = FRAME_TIME.as_secs_f64();
        if (piece - frame).abs() > frame / 100.0 {
            *self = Self::default();
            return;
        }
        self.sum += since;
        self.frames += 1;
        if self.frames < WINDOW {
            return;
        }
        let middle = self.sum / f64::from(self.frames);
        (self.sum, self.frames) = (0.0, 0);
        let in_time = middle + behind <= frame;
        let moved = |since: f64| (middle - since).abs() > MOVED || !in_time;
        if self.granted.is_some_and(moved) {
            self.forget();
        }
        if (middle - self.anchor).abs() > SAME {
            (self.anchor, self.steady, self.middle) = (middle, 0, None);
            return;
        }
        self.middle = Some(middle);
        self.steady += 1;
        if self.steady >= self.patience && self.granted.is_none() && in_time {
            self.granted = Some(middle);
        }
    }

    /// By how much later frames should come, or sooner, to wait for nothing but the next ask; told once a
    /// window at most, and only where it matters.
    pub(super) fn shift(&mut self, behind: f64) -> Option<f64> {
        let frame = FRAME_TIME.as_secs_f64();
        let wished = (frame - behind - SOONER).max(0.0);
        let off = (wished - self.middle.take()?).rem_euclid(frame);
        let off = if off > frame / 2.0 { off - frame } else { off };
        (off.abs() > SOONER).then_some(off)
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
            phase.note(since(frame).rem_euclid(PIECE), PIECE, BEHIND);
            if frame % WINDOW == 0 {
                wanted.push(phase.wanted(PIECE, BEHIND) * 1e3);
            }
        }
        wanted
    }

    /// A millisecond around its time.
    fn uneven(frame: u32) -> f64 {
        (f64::from(frame % 3) - 1.0) * 0.000_5
    }

    #[test]
    fn next_to_nothing_waits_for_a_card_with_our_clock_after_ten_seconds() {
        for since in [0.000_5, 0.003, 0.005_9] {
            let wanted = wanted(60, |frame| since + uneven(frame));
            assert_eq!(wanted[STEADY as usize - 1], 14.0);
            for wanted in &wanted[STEADY as usize..] {
                // Of a piece that counts as taken one by one, what it took since.
                let left = wanted + since * 1e3 - 10.0;
                assert!((1.48..1.52).contains(&left), "{since}: {left}");
            }
        }
    }

    #[test]
    fn a_card_that_asks_just_behind_or_around_a_frame_needs_a_piece() {
        for since in [0.006_5, 0.009_7] {
            let wanted = wanted(60, |frame| since + uneven(frame));
            assert!(wanted.iter().all(|wanted| *wanted == 14.0), "{since}");
        }
    }

    #[test]
    fn a_piece_waits_again_when_frames_come_later_than_they_did() {
        let mut phase = AskPhase::default();
        for behind in [0.004, 0.006] {
            for _ in 0..WINDOW * (STEADY + 1) {
                phase.note(0.005, PIECE, behind);
            }
            let wanted = if behind < 0.005 {
                0.006_5
            } else {
                PIECE + behind
            };
            assert!(
                (phase.wanted(PIECE, behind) - wanted).abs() < 1e-9,
                "{behind}"
            );
        }
        // And then it takes ten seconds more to believe it.
        for second in 0..STEADY {
            let wanted = phase.wanted(PIECE, BEHIND);
            assert_eq!(wanted, PIECE + BEHIND, "{second}");
            for _ in 0..WINDOW {
                phase.note(0.005, PIECE, BEHIND);
            }
        }
        assert!(phase.wanted(PIECE, BEHIND) < PIECE);
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
                phase.note(since, PIECE, BEHIND);
                let wanted = phase.wanted(PIECE, BEHIND);
                changes += u32::from(wanted > before);
                let left = wanted + since - PIECE;
                assert!(left > LEFT - MOVED - 0.000_1, "{frame}: {left}");
            }
            assert!((1..=4).contains(&changes), "{parts}: {changes}");
        }
    }

    #[test]
    fn frames_that_come_when_we_like_are_moved_before_the_ask_once() {
        for first in [0.000_5, 0.002, 0.007, 0.009] {
            let (mut phase, mut since, mut shifts) = (AskPhase::default(), first, 0);
            for frame in 0..WINDOW * 20 {
                phase.note(since + uneven(frame) / 10.0, PIECE, BEHIND);
                if let Some(off) = phase.shift(BEHIND) {
                    since = (since + off).rem_euclid(PIECE);
                    shifts += 1;
                }
            }
            assert_eq!(shifts, 1, "{first}");
            assert!((0.004_9..0.005_1).contains(&since), "{first}: {since}");
            assert!(phase.wanted(PIECE, BEHIND) < 0.006_7, "{first}");
        }
    }

    #[test]
    fn a_card_that_takes_other_pieces_needs_them_whole() {
        let mut phase = AskPhase::default();
        for _ in 0..WINDOW * 20 {
            phase.note(0.005, PIECE, BEHIND);
        }
        assert!(phase.wanted(PIECE, BEHIND) < PIECE);
        phase.note(0.005, 0.021, BEHIND);
        assert_eq!(phase.wanted(0.021, BEHIND), 0.025);
    }
}
