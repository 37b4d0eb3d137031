//! How loud each device is made.

use crate::media::frame::{FRAME_SAMPLES, Frame};

/// Volumes of the three roles, in percent: 100 leaves the sound as it is, and the loudness follows the
/// square, so that half of the way sounds about half as loud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Volumes {
    /// Of the microphone.
    pub microphone: u32,
    /// Of the speaker.
    pub speaker: u32,
    /// Of the ringer.
    pub ringer: u32,
}

impl Default for Volumes {
    fn default() -> Self {
        Self {
            microphone: 100,
            speaker: 100,
            ringer: 100,
        }
    }
}

/// One volume, which changes without a click.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gain {
    now: f32,
    wanted: f32,
}

impl Default for Gain {
    fn default() -> Self {
        Self {
            now: 1.0,
            wanted: 1.0,
        }
    }
}

impl Gain {
    /// Goes there within the next frame.
    pub(super) fn set(&mut self, percent: u32) {
        let part = percent as f32 / 100.0;
        self.wanted = part * part;
    }

    /// Makes 10 ms as loud as they shall be; nothing is louder than the full scale.
    pub(super) fn apply(&mut self, frame: &mut Frame) {
        #[expect(
            clippy::float_cmp,
            reason = "both are the same number where nothing is to be done"
        )]
        let untouched = self.now == 1.0 && self.wanted == 1.0;
        if untouched {
            return;
        }
        let step = (self.wanted - self.now) / FRAME_SAMPLES as f32;
        let mut gain = self.now;
        for sample in frame.iter_mut() {
            gain += step;
            *sample = (*sample * gain).clamp(-1.0, 1.0);
        }
        self.now = self.wanted;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_changes_within_a_frame_without_a_jump() {
        let mut gain = Gain::default();
        let mut frame = [0.5; FRAME_SAMPLES];
        gain.apply(&mut frame);
        assert_eq!(frame, [0.5; FRAME_SAMPLES]);
        gain.set(50);
        gain.apply(&mut frame);
        let jump = frame
            .windows(2)
            .map(|w| (w[1] - w[0]).abs())
            .fold(0.0, f32::max);
        assert!(jump < 0.002, "{jump}");
        let mut frame = [0.5; FRAME_SAMPLES];
        gain.apply(&mut frame);
        assert!(frame.iter().all(|sample| (sample - 0.125).abs() < 1e-6));
        gain.set(0);
        gain.apply(&mut frame);
        let mut frame = [0.5; FRAME_SAMPLES];
        gain.apply(&mut frame);
        assert!(frame.iter().all(|sample| sample.abs() < 1e-6));
        gain.set(150);
        for _ in 0..2 {
            let mut loud = [0.9; FRAME_SAMPLES];
            gain.apply(&mut loud);
            assert!(loud.iter().all(|sample| *sample <= 1.0));
        }
    }
}
