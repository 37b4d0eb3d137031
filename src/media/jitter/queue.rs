//! Decoded sound that waits for its tick, with what was played just before it.

#![expect(
    clippy::indexing_slicing,
    reason = "played and filled never pass the length, which each method checks"
)]

use crate::media::codec::MAX_PACKET_SAMPLES;
use crate::media::frame::{FRAME_SAMPLES, Frame};
use crate::media::jitter::stretch;

/// Played samples that are kept, for the repetition of a period.
const HISTORY: usize = stretch::LONGEST + stretch::WINDOW;
/// The most that may wait: the largest packet behind enough for a stretch.
const CAPACITY: usize = HISTORY + 2 * MAX_PACKET_SAMPLES + 4 * stretch::LONGEST;

/// How like itself the sound must be before a period is left out or repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Care {
    /// Only where nobody speaks.
    Patient,
    /// Only where it will not be heard.
    Inaudible,
    /// Also where it may be heard, because much delay has piled up.
    Hasty,
}

impl Care {
    fn allows(self, sound: &[f32]) -> bool {
        self != Self::Patient || stretch::is_pause(sound)
    }

    fn least_likeness(self) -> f32 {
        match self {
            Self::Patient | Self::Inaudible => 0.85,
            Self::Hasty => 0.3,
        }
    }
}

/// The queue.
#[derive(Debug)]
pub(super) struct SampleQueue {
    samples: Box<[f32]>,
    /// Where the next sample to be played is.
    played: usize,
    /// Where the next decoded sample goes.
    filled: usize,
}

impl SampleQueue {
    pub(super) fn new() -> Self {
        Self {
            samples: vec![0.0; CAPACITY].into_boxed_slice(),
            played: HISTORY,
            filled: HISTORY,
        }
    }

    /// Samples that wait.
    pub(super) fn waiting(&self) -> usize {
        self.filled - self.played
    }

    /// Forgets all that waits.
    pub(super) fn clear(&mut self) {
        self.filled = self.played;
    }

    /// Room for `count` more samples; fewer when it is full.
    pub(super) fn grow(&mut self, count: usize) -> &mut [f32] {
        self.make_room();
        let from = self.filled;
        self.filled = (from + count).min(CAPACITY);
        &mut self.samples[from..self.filled]
    }

    /// Takes back room that was not filled.
    pub(super) fn give_back(&mut self, count: usize) {
        self.filled = self.filled.saturating_sub(count).max(self.played);
    }

    /// Takes 10 ms; silence where less waits.
    pub(super) fn pop(&mut self, output: &mut Frame) {
        let count = self.waiting().min(FRAME_SAMPLES);
        output[..count].copy_from_slice(&self.samples[self.played..self.played + count]);
        output[count..].fill(0.0);
        self.played += count;
    }

    /// Leaves out one period of at most `most` samples; gives how many went.
    pub(super) fn shrink(&mut self, most: usize, care: Care) -> Option<usize> {
        let waiting = self.waiting();
        let longest = most
            .min(waiting.saturating_sub(stretch::WINDOW))
            .min(waiting / 2)
            .min(stretch::LONGEST);
        if longest < stretch::SHORTEST {
            return None;
        }
        let sound = &self.samples[self.played..self.filled];
        let (lag, likeness) = stretch::find_lag(sound, longest);
        if likeness < care.least_likeness() || !care.allows(sound) {
            return None;
        }
        let (head, tail) = self.samples[self.played..self.filled].split_at_mut(lag);
        stretch::blend_into(head, &tail[..lag]);
        let start = self.played;
        self.samples
            .copy_within(start + 2 * lag..self.filled, start + lag);
        self.filled -= lag;
        Some(lag)
    }

    /// Repeats one period of at most `most` samples; gives how many came.
    pub(super) fn extend(&mut self, most: usize, care: Care) -> Option<usize> {
        self.make_room();
        let longest = most.min(self.waiting()).min(stretch::LONGEST);
        if longest < stretch::SHORTEST
            || self.waiting() < stretch::WINDOW
            || self.filled + longest > CAPACITY
        {
            return None;
        }
        // Time runs backwards here: the sound before the seam is compared with the sound behind it
        // at the same lag, so the window starts `longest` before the seam.
        let from = self.played - longest;
        let lag = self.lag_at_seam(from, longest, care)?;
        let seam = self.played;
        self.samples.copy_within(seam..self.filled, seam + lag);
        self.filled += lag;
        let (past, future) = self.samples.split_at_mut(seam);
        stretch::blend_into(&mut future[..lag], &past[seam - lag..]);
        Some(lag)
    }

    /// The best lag between what was played and what waits.
    fn lag_at_seam(&self, from: usize, longest: usize, care: Care) -> Option<usize> {
        let sound = &self.samples[from..self.played + stretch::WINDOW];
        let (lag, likeness) = stretch::find_lag(sound, longest);
        (likeness >= care.least_likeness() && care.allows(sound)).then_some(lag)
    }

    /// Moves everything to the front, keeping the history, when the end is near.
    fn make_room(&mut self) {
        if self.played > HISTORY {
            self.samples
                .copy_within(self.played - HISTORY..self.filled, 0);
            self.filled -= self.played - HISTORY;
            self.played = HISTORY;
        }
    }
}
