//! When a card asks, as seen from the frames that are added.
//!
//! A card that takes as much as a frame holds, always so long before the next frame comes, needs no whole
//! piece in front of each frame: only what it takes before the one after that. Where both follow one clock, as in a
//! headset, that is so for the whole call. Of two clocks the one slides past the other, and a whole piece
//! must wait after all, now and then: there it always does, because a delay that changes is worse for who
//! cancels echoes than a longer one.

use crate::media::frame::FRAME_TIME;

/// Frames in a window: 1 s.
const WINDOW: u32 = 100;
/// Windows that must agree before less waits: 10 s.
const STEADY: u32 = 10;
/// The most by which they may differ in that time, in seconds: by 25 parts in a million, so that it takes more
/// than half a minute to lose [`MARGIN`].
const SAME: f64 = 0.000_25;
/// The most by which asks of one window may differ: those that leap past a frame do by 10 ms.
const RAGGED: f64 = 0.004;
/// So much sooner may a card ask than it ever did, in seconds.
const MARGIN: f64 = 0.001;
/// What is not worth a change, in seconds.
const LITTLE: f64 = 0.001;

/// The rule of one card. Times are in seconds.
#[derive(Debug)]
pub(super) struct AskPhase {
    /// The shortest and the longest time from an ask to a frame in this window.
    least: f64,
    most: f64,
    frames: u32,
    /// What `least` was when the windows began to agree.
    anchor: f64,
    steady: u32,
    /// How much less than a piece is enough.
    spared: f64,
}

impl Default for AskPhase {
    fn default() -> Self {
        Self {
            least: f64::MAX,
            most: 0.0,
            frames: 0,
            anchor: f64::MAX,
            steady: 0,
            spared: 0.0,
        }
    }
}

impl AskPhase {
    /// How much less than a piece may wait.
    pub(super) fn spared(&self) -> f64 {
        self.spared
    }

    /// A frame came so long after the card had asked for so much.
    pub(super) fn note(&mut self, since: f64, piece: f64) {
        let frame = FRAME_TIME.as_secs_f64();
        if (piece - frame).abs() > frame / 100.0 {
            *self = Self::default();
            return;
        }
        self.least = self.least.min(since);
        self.most = self.most.max(since);
        self.frames += 1;
        let enough = (self.least - MARGIN).clamp(0.0, frame);
        if enough < self.spared - LITTLE {
            // What comes too soon for it cannot wait for a decision.
            self.forget();
        }
        if self.frames < WINDOW {
            return;
        }
        let ragged = self.most - self.least > RAGGED;
        if ragged || (self.least - self.anchor).abs() > SAME {
            (self.anchor, self.steady) = (self.least, 0);
        } else {
            self.steady += 1;
        }
        if self.steady >= STEADY && enough > self.spared + LITTLE {
            self.spared = enough;
        }
        (self.least, self.most, self.frames) = (f64::MAX, 0.0, 0);
    }

    /// A whole piece shall wait from here on.
    pub(super) fn forget(&mut self) {
        (self.spared, self.steady, self.anchor) = (0.0, 0, f64::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is spared after each second, in milliseconds, when frames come so long after each ask.
    fn spared(seconds: u32, since: impl Fn(u32) -> f64) -> Vec<f64> {
        let mut phase = AskPhase::default();
        let mut spared = Vec::new();
        for frame in 1..=seconds * WINDOW {
            phase.note(since(frame).rem_euclid(0.010), 0.010);
            if frame % WINDOW == 0 {
                spared.push(phase.spared() * 1e3);
            }
        }
        spared
    }

    /// A millisecond that each third ask is late by.
    fn uneven(frame: u32) -> f64 {
        f64::from(frame % 3) / 2.0 * 0.001
    }

    #[test]
    fn a_card_with_our_clock_needs_no_whole_piece_after_ten_seconds() {
        let spared = spared(60, |frame| 0.006 + uneven(frame));
        assert_eq!(spared[STEADY as usize - 1], 0.0);
        for spared in &spared[STEADY as usize..] {
            assert!((4.99..5.01).contains(spared), "{spared}");
        }
    }

    #[test]
    fn a_card_that_asks_just_before_or_around_a_frame_needs_it() {
        for since in [0.0005, 0.0095] {
            let spared = spared(60, |frame| since + uneven(frame));
            assert!(spared.iter().all(|spared| *spared == 0.0), "{since}");
        }
    }

    #[test]
    fn a_card_whose_clock_differs_needs_it_and_none_loses_it_too_late() {
        for parts in [-100.0, -30.0, 30.0, 100.0] {
            let spared = spared(300, |frame| 0.006 + f64::from(frame) * 0.010 * parts * 1e-6);
            assert!(spared.iter().all(|spared| *spared == 0.0), "{parts}");
        }
        // Ten parts in a million: for minutes it is the same, and then it is not.
        let mut phase = AskPhase::default();
        let mut changes = 0;
        for frame in 0..100_000 {
            let since: f64 = (0.008 - f64::from(frame) * 1e-7).rem_euclid(0.010);
            let before = phase.spared();
            phase.note(since, 0.010);
            changes += u32::from(phase.spared() < before);
            assert!(phase.spared() <= since + 1e-9, "{frame}");
        }
        assert!((1..=20).contains(&changes), "{changes}");
    }

    #[test]
    fn a_card_that_takes_other_pieces_needs_them_whole() {
        let mut phase = AskPhase::default();
        for _ in 0..WINDOW * 20 {
            phase.note(0.006, 0.010);
        }
        assert!(phase.spared() > 0.0);
        phase.note(0.006, 0.021);
        assert_eq!(phase.spared(), 0.0);
    }
}
