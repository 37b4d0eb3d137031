//! Between 8 kHz and 48 kHz, for G.711: one polyphase low-pass of 240 taps in both directions.
//!
//! A Kaiser window for 60 dB at a cut-off of 3.7 kHz passes to 3.3 kHz and stops from 4.1 kHz on;
//! the delay is 2.5 ms each way.

#![expect(
    clippy::indexing_slicing,
    reason = "every index is bounded by the constants of the filter"
)]

use std::sync::LazyLock;

/// 48 kHz samples for each sample at 8 kHz.
pub const FACTOR: usize = 6;
/// Taps for each of the six phases.
const TAPS: usize = 40;
const LENGTH: usize = TAPS * FACTOR;
const CUTOFF_HERTZ: f64 = 3_700.0;
/// Kaiser's β for 60 dB.
const BETA: f64 = 5.65;

/// The prototype at 48 kHz, with a gain of 1 at 0 Hz.
static PROTOTYPE: LazyLock<[f32; LENGTH]> = LazyLock::new(|| {
    let bessel = |x: f64| {
        let mut sum = 1.0;
        let mut term = 1.0;
        for k in 1..30 {
            term *= (x / (2.0 * f64::from(k))).powi(2);
            sum += term;
        }
        sum
    };
    let centre = (LENGTH as f64 - 1.0) / 2.0;
    let mut taps = [0.0_f64; LENGTH];
    for (index, tap) in taps.iter_mut().enumerate() {
        let x = index as f64 - centre;
        let phase = 2.0 * std::f64::consts::PI * CUTOFF_HERTZ / 48_000.0 * x;
        let window = bessel(BETA * (1.0 - (x / centre).powi(2)).max(0.0).sqrt()) / bessel(BETA);
        *tap = phase.sin() / (std::f64::consts::PI * x) * window;
    }
    let sum: f64 = taps.iter().sum();
    taps.map(|tap| narrow(tap / sum))
});

#[expect(clippy::cast_possible_truncation, reason = "f64 to f32 only rounds")]
fn narrow(value: f64) -> f32 {
    value as f32
}

/// From 8 kHz to 48 kHz.
#[derive(Debug, Clone)]
pub struct Upsampler {
    /// The last inputs, twice, so that a window is always contiguous.
    history: [f32; TAPS * 2],
    at: usize,
}

impl Default for Upsampler {
    fn default() -> Self {
        Self {
            history: [0.0; TAPS * 2],
            at: 0,
        }
    }
}

impl Upsampler {
    /// Makes six samples of each input; writes `input.len() * 6`, or as many as `output` holds.
    pub fn process(&mut self, input: &[f32], output: &mut [f32]) {
        let prototype = &*PROTOTYPE;
        for (sample, six) in input.iter().zip(output.chunks_exact_mut(FACTOR)) {
            self.history[self.at] = *sample;
            self.history[self.at + TAPS] = *sample;
            self.at = (self.at + 1) % TAPS;
            // Oldest first.
            let window = &self.history[self.at..self.at + TAPS];
            for (phase, out) in six.iter_mut().enumerate() {
                let mut sum = 0.0;
                for (tap, value) in window.iter().rev().enumerate() {
                    sum += prototype[tap * FACTOR + phase] * value;
                }
                *out = sum * FACTOR as f32;
            }
        }
    }
}

/// From 48 kHz to 8 kHz.
#[derive(Debug, Clone)]
pub struct Downsampler {
    history: [f32; LENGTH * 2],
    at: usize,
}

impl Default for Downsampler {
    fn default() -> Self {
        Self {
            history: [0.0; LENGTH * 2],
            at: 0,
        }
    }
}

impl Downsampler {
    /// Makes one sample of each six; `input` is a multiple of six.
    pub fn process(&mut self, input: &[f32], output: &mut [f32]) {
        let prototype = &*PROTOTYPE;
        for (six, out) in input.chunks_exact(FACTOR).zip(output) {
            for sample in six {
                self.history[self.at] = *sample;
                self.history[self.at + LENGTH] = *sample;
                self.at = (self.at + 1) % LENGTH;
            }
            let window = &self.history[self.at..self.at + LENGTH];
            *out = prototype.iter().zip(window).map(|(a, b)| a * b).sum();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(hertz: f32, rate: f32, count: usize) -> Vec<f32> {
        (0..count)
            .map(|n| (2.0 * std::f32::consts::PI * hertz * n as f32 / rate).sin())
            .collect()
    }

    fn power(samples: &[f32]) -> f32 {
        samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32
    }

    fn down(hertz: f32) -> f32 {
        let input = sine(hertz, 48_000.0, 48_000);
        let mut output = vec![0.0; 8_000];
        Downsampler::default().process(&input, &mut output);
        power(&output[200..])
    }

    #[test]
    fn speech_passes_and_what_would_fold_back_does_not() {
        for hertz in [200.0, 1_000.0, 3_000.0] {
            assert!((down(hertz) - 0.5).abs() < 0.01, "{hertz}: {}", down(hertz));
        }
        for hertz in [4_300.0, 6_000.0, 8_000.0, 12_000.0] {
            assert!(down(hertz) < 2e-6, "{hertz}: {}", down(hertz));
        }
    }

    #[test]
    fn up_makes_no_images() {
        let input = sine(1_000.0, 8_000.0, 8_000);
        let mut output = vec![0.0; 48_000];
        Upsampler::default().process(&input, &mut output);
        let settled = &output[2_400..];
        assert!((power(settled) - 0.5).abs() < 0.01);
        // What is left beside the sine itself, fitted by its two quadratures.
        let (mut a, mut b) = (0.0, 0.0);
        let phase = |n: usize| 2.0 * std::f32::consts::PI * n as f32 / 48.0;
        for (n, s) in settled.iter().enumerate() {
            a += s * phase(n).cos();
            b += s * phase(n).sin();
        }
        let scale = 2.0 / settled.len() as f32;
        let (a, b) = (a * scale, b * scale);
        let rest: Vec<f32> = settled
            .iter()
            .enumerate()
            .map(|(n, s)| s - a * phase(n).cos() - b * phase(n).sin())
            .collect();
        assert!(power(&rest) < 1e-5, "{}", power(&rest));
    }

    #[test]
    fn pieces_give_the_same_as_the_whole() {
        let input = sine(700.0, 8_000.0, 800);
        let mut whole = vec![0.0; 4_800];
        Upsampler::default().process(&input, &mut whole);
        let mut pieces = vec![0.0; 4_800];
        let mut up = Upsampler::default();
        for (i, o) in input.chunks(37).zip(pieces.chunks_mut(37 * FACTOR)) {
            up.process(i, o);
        }
        assert_eq!(whole, pieces);
    }
}
