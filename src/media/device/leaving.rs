//! What was added for a speaker, until it leaves the ring.
//!
//! An echo canceller must know what is played when it is played. What waits in front of a card changes
//! where the card, the sound server or the media thread is held up, and is worked off for seconds afterwards:
//! told of each frame when it was added, the canceller heard an echo that moved, and lost it for four seconds.
//! Told when it leaves, the echo stays where it is.

use crate::media::frame::{FRAME_SAMPLES, Frame, SAMPLE_RATE, SILENCE};

/// The most that may wait, in samples: 200 ms.
const MOST: usize = 20 * FRAME_SAMPLES;
/// So much sooner than it leaves it is told, in seconds: what waits is an estimate, and an echo that came
/// before its sound would not be found.
const SOONER: f64 = 0.002;
/// An estimate that is off by fewer samples changes nothing: 0.5 ms.
const NEAR: f64 = 24.0;

/// The last 200 ms that were added, at 48 kHz.
#[derive(Debug)]
pub(super) struct Leaving {
    /// A ring; the newest sample is before `end`.
    samples: Vec<f32>,
    end: usize,
    /// By how many samples what leaves is older than the newest frame.
    delay: usize,
}

impl Default for Leaving {
    fn default() -> Self {
        Self {
            samples: vec![0.0; MOST + FRAME_SAMPLES],
            end: 0,
            delay: 0,
        }
    }
}

impl Leaving {
    /// Takes a frame that was added, but for so many seconds of its beginning that were left out.
    pub(super) fn add(&mut self, frame: &Frame, left_out: f64) {
        let left_out = samples_of(left_out).min(FRAME_SAMPLES);
        self.write(
            frame.iter().copied().skip(left_out),
            FRAME_SAMPLES - left_out,
        );
    }

    /// Takes so many seconds of silence that were added.
    pub(super) fn add_silence(&mut self, seconds: f64) {
        let count = samples_of(seconds).min(self.samples.len());
        self.write(std::iter::repeat_n(0.0, count), count);
    }

    /// So many seconds wait in front of the newest frame; `moves` says that they are being changed, which is
    /// followed by the sample.
    pub(super) fn follow(&mut self, waits: f64, moves: bool) {
        let delay = samples_of(waits - SOONER).min(MOST);
        let near = if moves { 0.0 } else { NEAR };
        if (delay as f64 - self.delay as f64).abs() > near {
            self.delay = delay;
        }
    }

    /// The 10 ms that leave while the newest frame begins to wait.
    pub(super) fn frame(&self) -> Frame {
        let length = self.samples.len();
        let from = (self.end + length - (FRAME_SAMPLES + self.delay).min(length)) % length;
        let (newer, older) = self.samples.split_at(from);
        let mut frame = SILENCE;
        for (to, sample) in frame.iter_mut().zip(older.iter().chain(newer)) {
            *to = *sample;
        }
        frame
    }

    fn write(&mut self, samples: impl Iterator<Item = f32>, count: usize) {
        let (newer, older) = self.samples.split_at_mut(self.end);
        for (to, sample) in older.iter_mut().chain(newer).zip(samples) {
            *to = sample;
        }
        self.end = (self.end + count) % self.samples.len();
    }
}

/// Seconds as samples; none where it is less than none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "less than a second"
)]
fn samples_of(seconds: f64) -> usize {
    (seconds * f64::from(SAMPLE_RATE)).max(0.0).round() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Adds frames of a ramp, whose samples tell their places, in front of each of which so many
    /// milliseconds wait; gives the first and last sample of what leaves with the last one.
    fn leave(leaving: &mut Leaving, from: u16, waits: &[f64]) -> (f32, f32) {
        for (number, waits) in (from..).zip(waits) {
            let first = usize::from(number) * FRAME_SAMPLES;
            let frame: Frame = std::array::from_fn(|place| (first + place) as f32);
            leaving.add(&frame, 0.0);
            leaving.follow(waits / 1e3, false);
        }
        let frame = leaving.frame();
        (frame[0], frame[FRAME_SAMPLES - 1])
    }

    #[test]
    fn what_leaves_is_as_old_as_what_waits() {
        let mut leaving = Leaving::default();
        // The 29th frame begins at 13,920; of 22 ms, two are told sooner.
        assert_eq!(leave(&mut leaving, 0, &[22.0; 30]), (12_960.0, 13_439.0));
        assert_eq!(leave(&mut leaving, 30, &[1.0; 1]), (14_400.0, 14_879.0));
        // More than is kept.
        assert_eq!(leave(&mut leaving, 31, &[500.0; 30]), (19_200.0, 19_679.0));
    }

    #[test]
    fn an_estimate_that_trembles_moves_nothing() {
        let mut leaving = Leaving::default();
        let waits: Vec<f64> = (0..30).map(|n| 22.0 + f64::from(n % 3) * 0.2).collect();
        assert_eq!(leave(&mut leaving, 0, &waits).0, 12_960.0);
    }

    #[test]
    fn silence_that_was_added_and_what_was_left_out_leave_no_gap() {
        let mut leaving = Leaving::default();
        leave(&mut leaving, 0, &[12.0; 10]);
        let next = leaving.frame()[FRAME_SAMPLES - 1] + 1.0;
        leaving.add_silence(0.010);
        assert_eq!(leave(&mut leaving, 10, &[22.0]).0, next);
        // The silence is next, and behind it what stood before the frame that was left out.
        leaving.add(&[7.0; FRAME_SAMPLES], 0.010);
        leaving.follow(0.012, false);
        assert_eq!(leaving.frame(), SILENCE);
        assert_eq!(leave(&mut leaving, 11, &[12.0]).0, 4_800.0);
    }
}
