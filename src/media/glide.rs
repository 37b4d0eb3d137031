//! A gain that glides: what begins, ends or is taken away makes no click.

use crate::media::frame::{FRAME_SAMPLES, Frame, SILENCE};

/// The gain of the last sample; a change takes one frame, 10 ms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Glide(f32);

impl Glide {
    /// Where nothing is heard.
    pub const CLOSED: Self = Self(0.0);
    /// Where everything is heard as it is.
    pub const OPEN: Self = Self(1.0);

    /// Glides to being heard or to silence; gives whether any of the frame is heard.
    pub fn apply(&mut self, heard: bool, frame: &mut Frame) -> bool {
        let goal = if heard { 1.0 } else { 0.0 };
        if self.0 == 1.0 && heard {
            return true;
        }
        if !self.passes(heard) {
            *frame = SILENCE;
            return false;
        }
        let start = std::mem::replace(&mut self.0, goal);
        let mut passed = 0.0;
        for sample in frame.iter_mut() {
            passed += 1.0;
            *sample *= start + (goal - start) * passed / FRAME_SAMPLES as f32;
        }
        true
    }

    /// Whether anything of the next frame will be heard.
    pub fn passes(self, heard: bool) -> bool {
        heard || self.0 > 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_takes_one_frame_without_a_step() {
        let mut glide = Glide::OPEN;
        let mut heard = Vec::new();
        for on in [true, false, false, true, true] {
            let mut frame = [0.5; FRAME_SAMPLES];
            let passes = glide.passes(on);
            assert_eq!(glide.apply(on, &mut frame), passes);
            heard.extend(frame);
        }
        let steps = heard.windows(2).map(|pair| (pair[1] - pair[0]).abs());
        assert!(steps.fold(0.0, f32::max) < 0.002);
        let ends = [479, 959, 1_439, 1_919, 2_399].map(|n| heard[n]);
        assert_eq!(ends, [0.5, 0.0, 0.0, 0.5, 0.5]);
    }

    #[test]
    fn a_change_of_mind_starts_where_the_gain_is() {
        let mut glide = Glide(0.25);
        let mut frame = [1.0; FRAME_SAMPLES];
        glide.apply(true, &mut frame);
        assert!((frame[0] - 0.25).abs() < 0.002 && frame[479] > 0.999);
    }
}
