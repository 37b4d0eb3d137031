//! How loud the microphone and the speaker are, for meters; sans-IO.

use crate::media::frame::{FRAME_SAMPLES, Frame, peak};

/// Frames between two values: ten a second, as fast as an eye follows a bar.
const FRAMES: u32 = 10;

/// How loud something is, in parts of the full scale.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Level {
    /// The loudest sample.
    pub peak: f32,
    /// The root of the mean square.
    pub rms: f32,
}

/// How loud both devices are.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Levels {
    /// What the microphone gives.
    pub microphone: Level,
    /// What the speaker plays.
    pub speaker: Level,
}

#[derive(Debug, Default)]
struct Sum {
    peak: f32,
    energy: f32,
}

impl Sum {
    fn add(&mut self, frame: &Frame) {
        self.peak = self.peak.max(peak(frame));
        self.energy += frame.iter().map(|sample| sample * sample).sum::<f32>();
    }

    fn level(&self) -> Level {
        Level {
            peak: self.peak,
            rms: (self.energy / (FRAMES as f32 * FRAME_SAMPLES as f32)).sqrt(),
        }
    }
}

/// Measures both over tenths of a second.
#[derive(Debug, Default)]
pub(super) struct Meters {
    frames: u32,
    microphone: Sum,
    speaker: Sum,
}

impl Meters {
    /// Takes 10 ms of both; gives a value each tenth of a second.
    pub(super) fn add(&mut self, microphone: &Frame, speaker: &Frame) -> Option<Levels> {
        self.microphone.add(microphone);
        self.speaker.add(speaker);
        self.frames += 1;
        if self.frames < FRAMES {
            return None;
        }
        let done = std::mem::take(self);
        Some(Levels {
            microphone: done.microphone.level(),
            speaker: done.speaker.level(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::frame::SILENCE;

    #[test]
    fn a_square_wave_is_as_loud_as_its_peak_and_a_burst_is_not() {
        let mut meters = Meters::default();
        let mut values = Vec::new();
        for n in 0..20 {
            let speaker = if n == 3 {
                [-0.8; FRAME_SAMPLES]
            } else {
                SILENCE
            };
            values.extend(meters.add(&[0.5; FRAME_SAMPLES], &speaker));
        }
        assert_eq!(values.len(), 2, "ten a second");
        for value in &values {
            assert!((value.microphone.rms - 0.5).abs() < 0.001);
            assert!((value.microphone.peak - 0.5).abs() < 0.001);
        }
        assert!((values[0].speaker.peak - 0.8).abs() < 0.001);
        assert!((values[0].speaker.rms - 0.8 / 10.0_f32.sqrt()).abs() < 0.001);
        assert_eq!(values[1].speaker, Level::default());
    }
}
