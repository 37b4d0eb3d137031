//! The one sample format inside: mono `f32` at 48 kHz, in frames of 10 ms.

use std::time::Duration;

/// Samples a second everywhere between codec and device.
pub const SAMPLE_RATE: u32 = 48_000;
/// Samples of one frame.
pub const FRAME_SAMPLES: usize = 480;
/// The time of one frame, which is the tick of the media thread.
pub const FRAME_TIME: Duration = Duration::from_millis(10);
/// Samples of a millisecond.
pub const SAMPLES_PER_MILLI: usize = 48;

/// 10 ms of sound; full scale is −1.0 to 1.0.
pub type Frame = [f32; FRAME_SAMPLES];

/// A frame in which nothing is heard.
pub const SILENCE: Frame = [0.0; FRAME_SAMPLES];

/// Adds one frame to another.
pub fn mix(into: &mut Frame, more: &Frame) {
    for (sum, sample) in into.iter_mut().zip(more) {
        *sum += sample;
    }
}

/// The largest magnitude, 0.0 to 1.0.
pub fn peak(samples: &[f32]) -> f32 {
    samples
        .iter()
        .fold(0.0_f32, |peak, sample| peak.max(sample.abs()))
        .min(1.0)
}

/// One sample as 16-bit PCM, saturated.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a float cast saturates, and not-a-number becomes 0"
)]
pub fn to_pcm16(sample: f32) -> i16 {
    let scaled = sample * 32_768.0;
    // Rounds as `round` does, which is a call of its own for each sample.
    (scaled + 0.5_f32.copysign(scaled)) as i16
}

/// One sample from 16-bit PCM.
pub fn from_pcm16(sample: i16) -> f32 {
    f32::from(sample) / 32_768.0
}

/// The time that so many samples at 48 kHz take.
pub fn duration_of(samples: u64) -> Duration {
    Duration::from_nanos(samples.saturating_mul(62_500) / 3)
}

/// A frame's meter: jumps to a peak at once and falls by half in about a tenth of a second.
#[derive(Debug, Clone, Copy, Default)]
pub struct Meter(f32);

impl Meter {
    /// Takes one frame.
    pub fn add(&mut self, frame: &Frame) {
        self.0 = peak(frame).max(self.0 * 0.933);
    }

    /// The level, 0.0 to 1.0 of full scale.
    pub fn level(self) -> f32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_saturate_and_come_back_the_same() {
        assert_eq!(to_pcm16(1.5), i16::MAX);
        assert_eq!(to_pcm16(-1.5), i16::MIN);
        assert_eq!(to_pcm16(f32::NAN), 0);
        for value in [i16::MIN, -1, 0, 1, 12_345, i16::MAX] {
            assert_eq!(to_pcm16(from_pcm16(value)), value);
        }
    }

    #[test]
    fn a_second_has_48000_samples() {
        assert_eq!(duration_of(48_000), Duration::from_secs(1));
        assert_eq!(duration_of(480), FRAME_TIME);
    }

    #[test]
    fn the_meter_rises_at_once_and_falls_slowly() {
        let mut meter = Meter::default();
        let mut loud = SILENCE;
        loud[7] = -0.5;
        meter.add(&loud);
        assert_eq!(meter.level(), 0.5);
        meter.add(&SILENCE);
        assert!(meter.level() > 0.4 && meter.level() < 0.5);
    }
}
