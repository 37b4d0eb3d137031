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

/// What is left of the loudest frame's power after the next one: half in 2 s.
const FORGETTING: f32 = 0.996_5;

/// Frames without speech that are a pause: 60 ms. Before some sounds the mouth is shut for less, within a word.
const PAUSE_FRAMES: u32 = 6;
/// The same between two sentences: 200 ms.
const LONG_PAUSE_FRAMES: u32 = 20;

/// How like itself the sound must be before a period is left out or repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Care {
    /// Only between two sentences, and there whatever the sound is.
    Leisurely,
    /// Only where nobody speaks.
    Patient,
    /// Only where it will not be heard.
    Inaudible,
    /// Also where it may be heard, because much delay has piled up.
    Hasty,
}

impl Care {
    /// Whether a seam may be made where the sound is so like itself.
    fn allows(self, likeness: f32) -> bool {
        match self {
            Self::Leisurely | Self::Patient => false,
            Self::Inaudible => likeness >= 0.85,
            Self::Hasty => likeness >= 0.3,
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
    /// The mean power of the loudest frame that was played, with forgetting.
    speech: f32,
    /// Frames since somebody spoke.
    quiet: u32,
}

impl SampleQueue {
    pub(super) fn new() -> Self {
        Self {
            samples: vec![0.0; CAPACITY].into_boxed_slice(),
            played: HISTORY,
            filled: HISTORY,
            speech: 0.0,
            quiet: 0,
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
        self.speech = stretch::power(output).max(self.speech * FORGETTING);
        self.quiet = if stretch::is_pause(output, self.speech) {
            self.quiet.saturating_add(1)
        } else {
            0
        };
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
        if !care.allows(likeness) && !self.pauses(sound, care) {
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
        let pauses = self.pauses(sound, care);
        // The search is dear, and for up to 20 s such a moment is looked for at each tick.
        if !pauses && !care.allows(1.0) {
            return None;
        }
        let (lag, likeness) = stretch::find_lag(sound, longest);
        (pauses || care.allows(likeness)).then_some(lag)
    }

    /// Whether nobody speaks, and nobody will in `sound`; noise is never like itself, and need not be.
    fn pauses(&self, sound: &[f32], care: Care) -> bool {
        let least = if care == Care::Leisurely {
            LONG_PAUSE_FRAMES
        } else {
            PAUSE_FRAMES
        };
        self.quiet >= least && stretch::is_pause(sound, self.speech)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::{Random as _, SeededRandom};
    use crate::media::frame::SILENCE;

    /// A queue that has played so many frames of a voice and then of a room's noise, with noise that waits.
    fn queue(voice: usize, noise: usize, noise_level: f32) -> SampleQueue {
        let mut random = SeededRandom::new(1);
        let mut queue = SampleQueue::new();
        let mut frame = SILENCE;
        for played in 0..voice + noise + 4 {
            for (n, sample) in queue.grow(FRAME_SAMPLES).iter_mut().enumerate() {
                let hiss = random.next_u32() as f32 / u32::MAX as f32 * 2.0 - 1.0;
                let turn = (n % 240) as f32 / 240.0;
                *sample = hiss * noise_level;
                if played < voice {
                    *sample += 0.5 * (2.0 * std::f32::consts::PI * turn).sin();
                }
            }
            if played < voice + noise {
                queue.pop(&mut frame);
            }
        }
        queue
    }

    #[test]
    fn a_pause_is_known_by_how_much_softer_it_is_than_the_words() {
        // −48 dB below full scale, and 36 below the voice.
        const ROOM: f32 = 0.007;
        let shrunk = |voice, noise, level| queue(voice, noise, level).shrink(720, Care::Patient);
        let extended = |voice, noise, level| queue(voice, noise, level).extend(720, Care::Patient);
        assert!(shrunk(50, 6, ROOM).is_some());
        assert!(extended(50, 8, ROOM).is_some());
        // Within a word.
        assert_eq!(shrunk(50, 0, ROOM), None);
        assert_eq!(shrunk(50, 4, ROOM), None);
        assert_eq!(extended(50, 4, ROOM), None);
        // Somebody speaks softly.
        assert_eq!(shrunk(50, 20, 0.1), None);
        // Nobody has spoken yet, and the room is not known.
        assert_eq!(shrunk(0, 20, ROOM), None);
        assert!(shrunk(0, 20, 0.001).is_some());
    }
}
