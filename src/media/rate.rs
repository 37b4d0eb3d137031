//! Between any sample rate and another: windowed sinc of 64 taps by `rubato`, in pieces of 10 ms.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Adjustable as _, Async, FixedAsync, Resampler as _, SincInterpolationParameters,
    SincInterpolationType, WindowFunction,
};

/// The slowest rate that is converted, in hertz.
pub const SLOWEST: u32 = 4_000;
/// The fastest rate that is converted, in hertz.
pub const FASTEST: u32 = 384_000;
/// How far the ratio may be steered: 1 %, far beyond any two clocks.
const STEERING: f64 = 1.01;

/// Why a rate cannot be converted.
#[derive(Debug, thiserror::Error)]
#[error("a sample rate of {0} Hz cannot be played")]
pub struct RateError(pub u32);

/// A converter for one channel; it allocates only when it is made.
pub struct RateConverter {
    inner: Async<f32>,
    input: Vec<f32>,
    filled: usize,
    output: Vec<f32>,
}

impl RateConverter {
    /// Makes one, in hertz.
    ///
    /// # Errors
    ///
    /// Fails when either rate is no sound.
    pub fn new(from: u32, to: u32) -> Result<Self, RateError> {
        for rate in [from, to] {
            if !(SLOWEST..=FASTEST).contains(&rate) {
                return Err(RateError(rate));
            }
        }
        let parameters = SincInterpolationParameters::new(64, WindowFunction::BlackmanHarris2)
            .interpolation(SincInterpolationType::Cubic);
        let chunk = usize::try_from(from / 100).unwrap_or(1).max(1);
        let ratio = f64::from(to) / f64::from(from);
        let inner = Async::new_sinc(ratio, STEERING, &parameters, chunk, 1, FixedAsync::Input)
            .map_err(|_invalid| RateError(from))?;
        Ok(Self {
            input: vec![0.0; inner.input_frames_max()],
            filled: 0,
            output: vec![0.0; inner.output_frames_max()],
            inner,
        })
    }

    /// Makes the output faster (above 1.0) or slower than the rates say, by at most 1 %.
    pub fn steer(&mut self, factor: f64) {
        let factor = factor.clamp(1.0 / STEERING, STEERING);
        if let Err(error) = self.inner.set_resample_ratio_relative(factor, true) {
            tracing::debug!(%error, "the clock of a sound device is not followed");
        }
    }

    /// Converts; each finished piece goes to `sink`. What is short of a piece waits.
    pub fn process(&mut self, mut samples: &[f32], mut sink: impl FnMut(&[f32])) {
        while !samples.is_empty() {
            let needed = self.inner.input_frames_next();
            let room = self.input.get_mut(self.filled..needed).unwrap_or_default();
            let taken = room.len().min(samples.len());
            let (now, later) = samples.split_at(taken);
            for (to, from) in room.iter_mut().zip(now) {
                *to = *from;
            }
            self.filled += taken;
            samples = later;
            if self.filled >= needed {
                self.filled = 0;
                sink(self.convert(needed));
            } else if taken == 0 {
                return;
            }
        }
    }

    /// Converts the samples that wait, with silence behind them.
    pub fn finish(&mut self, sink: impl FnMut(&[f32])) {
        let delay = self.inner.output_delay() + self.inner.input_frames_next();
        let silence = vec![0.0; delay.max(self.input.len()) * 2];
        self.process(&silence, sink);
    }

    /// Samples of silence that come out before the first one that went in.
    pub fn delay(&self) -> usize {
        self.inner.output_delay()
    }

    fn convert(&mut self, frames: usize) -> &[f32] {
        let room = self.output.len();
        let converted = InterleavedSlice::new(&self.input, 1, frames)
            .ok()
            .zip(InterleavedSlice::new_mut(&mut self.output, 1, room).ok())
            .and_then(|(input, mut output)| {
                self.inner
                    .process_into_buffer(&input, &mut output, None)
                    .ok()
            });
        let count = converted.map_or(0, |(_, count)| count);
        self.output.get(..count).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(from: u32, to: u32, factor: f64) -> Vec<f32> {
        let mut converter = RateConverter::new(from, to).unwrap();
        converter.steer(factor);
        let input: Vec<f32> = (0..from)
            .map(|n| 0.5 * (2.0 * std::f32::consts::PI * 440.0 * n as f32 / from as f32).sin())
            .collect();
        let mut output = Vec::new();
        for piece in input.chunks(7) {
            converter.process(piece, |samples| output.extend_from_slice(samples));
        }
        output
    }

    #[test]
    fn a_second_stays_a_second_at_any_rate() {
        for (from, to) in [
            (8_000, 48_000),
            (44_100, 48_000),
            (48_000, 44_100),
            (48_000, 16_000),
        ] {
            let output = convert(from, to, 1.0);
            let short = usize::try_from(to).unwrap() - output.len();
            assert!(
                short < usize::try_from(to / 100).unwrap(),
                "{from} {to} {short}"
            );
            let settled = &output[output.len() / 4..];
            let power: f32 = settled.iter().map(|s| s * s).sum::<f32>() / settled.len() as f32;
            assert!((power - 0.125).abs() < 0.002, "{from} {to} {power}");
        }
    }

    #[test]
    fn steering_changes_how_much_comes_out() {
        let straight = convert(48_000, 48_000, 1.0).len();
        let faster = convert(48_000, 48_000, 1.005).len();
        assert!(
            (235..=245).contains(&(faster - straight)),
            "{}",
            faster - straight
        );
    }

    #[test]
    fn impossible_rates_are_refused() {
        assert!(RateConverter::new(0, 48_000).is_err());
        assert!(RateConverter::new(48_000, 1_000_000).is_err());
    }
}
