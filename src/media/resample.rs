//! Between 8 kHz (G.711) or 16 kHz (G.722) and 48 kHz: one polyphase low-pass of 240 taps in both
//! directions.
//!
//! A Kaiser window for 60 dB at a cut-off of 3.7 kHz passes to 3.3 kHz and stops from 4.1 kHz on,
//! one at 7.5 kHz passes to 7.1 kHz and stops from 7.9 kHz on; the delay is 2.5 ms each way.

#![expect(
    clippy::indexing_slicing,
    reason = "every index is bounded by the constants of the filter"
)]

use std::sync::LazyLock;

/// 48 kHz samples for each sample at 8 kHz.
pub const NARROW: usize = 6;
/// 48 kHz samples for each sample at 16 kHz.
pub const WIDE: usize = 3;
/// Taps at 48 kHz.
const LENGTH: usize = 240;
/// Taps for each phase of the filter for 8 kHz.
pub const NARROW_TAPS: usize = LENGTH / NARROW;
/// Taps for each phase of the filter for 16 kHz.
pub const WIDE_TAPS: usize = LENGTH / WIDE;
/// Kaiser's β for 60 dB.
const BETA: f64 = 5.65;

type Prototype = [f32; LENGTH];

static NARROW_BAND: LazyLock<Prototype> = LazyLock::new(|| low_pass(3_700.0));
static WIDE_BAND: LazyLock<Prototype> = LazyLock::new(|| low_pass(7_500.0));

/// The filter for so many samples at 48 kHz.
fn prototype(factor: usize) -> &'static Prototype {
    if factor == WIDE {
        &WIDE_BAND
    } else {
        &NARROW_BAND
    }
}

/// A low-pass at 48 kHz, with a gain of 1 at 0 Hz.
fn low_pass(cutoff_hertz: f64) -> Prototype {
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
        let phase = 2.0 * std::f64::consts::PI * cutoff_hertz / 48_000.0 * x;
        let window = bessel(BETA * (1.0 - (x / centre).powi(2)).max(0.0).sqrt()) / bessel(BETA);
        *tap = phase.sin() / (std::f64::consts::PI * x) * window;
    }
    let sum: f64 = taps.iter().sum();
    taps.map(|tap| rounded(tap / sum))
}

#[expect(clippy::cast_possible_truncation, reason = "f64 to f32 only rounds")]
fn rounded(value: f64) -> f32 {
    value as f32
}

/// To 48 kHz, `FACTOR` samples for each, in phases of `TAPS` taps.
#[derive(Debug, Clone)]
pub struct Upsampler<const FACTOR: usize, const TAPS: usize> {
    /// The last inputs, twice, so that a window is always contiguous.
    history: [[f32; TAPS]; 2],
    at: usize,
}

impl<const FACTOR: usize, const TAPS: usize> Default for Upsampler<FACTOR, TAPS> {
    fn default() -> Self {
        const { assert!(FACTOR * TAPS == LENGTH) };
        Self {
            history: [[0.0; TAPS]; 2],
            at: 0,
        }
    }
}

impl<const FACTOR: usize, const TAPS: usize> Upsampler<FACTOR, TAPS> {
    /// Makes `FACTOR` samples of each input; writes as many as `output` holds.
    pub fn process(&mut self, input: &[f32], output: &mut [f32]) {
        let prototype = prototype(FACTOR);
        for (sample, made) in input.iter().zip(output.chunks_exact_mut(FACTOR)) {
            for half in &mut self.history {
                half[self.at] = *sample;
            }
            self.at = (self.at + 1) % TAPS;
            // Oldest first.
            let window = &self.history.as_flattened()[self.at..self.at + TAPS];
            for (phase, out) in made.iter_mut().enumerate() {
                let mut sum = 0.0;
                for (tap, value) in window.iter().rev().enumerate() {
                    sum += prototype[tap * FACTOR + phase] * value;
                }
                *out = sum * FACTOR as f32;
            }
        }
    }
}

/// From 48 kHz, one sample for each `FACTOR`.
#[derive(Debug, Clone)]
pub struct Downsampler<const FACTOR: usize> {
    history: [f32; LENGTH * 2],
    at: usize,
}

impl<const FACTOR: usize> Default for Downsampler<FACTOR> {
    fn default() -> Self {
        Self {
            history: [0.0; LENGTH * 2],
            at: 0,
        }
    }
}

impl<const FACTOR: usize> Downsampler<FACTOR> {
    /// Makes one sample of each `FACTOR`; `input` is a multiple of it.
    pub fn process(&mut self, input: &[f32], output: &mut [f32]) {
        let prototype = prototype(FACTOR);
        for (taken, out) in input.chunks_exact(FACTOR).zip(output) {
            for sample in taken {
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

    fn down<const FACTOR: usize>(hertz: f32) -> f32 {
        let input = sine(hertz, 48_000.0, 48_000);
        let mut output = vec![0.0; 48_000 / FACTOR];
        Downsampler::<FACTOR>::default().process(&input, &mut output);
        power(&output[400..])
    }

    #[test]
    fn speech_passes_and_what_would_fold_back_does_not() {
        for hertz in [200.0, 1_000.0, 3_000.0] {
            let power = down::<NARROW>(hertz);
            assert!((power - 0.5).abs() < 0.01, "{hertz}: {power}");
        }
        for hertz in [4_300.0, 6_000.0, 8_000.0, 12_000.0] {
            let power = down::<NARROW>(hertz);
            assert!(power < 2e-6, "{hertz}: {power}");
        }
        for hertz in [100.0, 3_000.0, 5_000.0, 7_000.0] {
            let power = down::<WIDE>(hertz);
            assert!((power - 0.5).abs() < 0.01, "{hertz}: {power}");
        }
        for hertz in [8_100.0, 9_000.0, 12_000.0, 16_000.0] {
            let power = down::<WIDE>(hertz);
            assert!(power < 2e-6, "{hertz}: {power}");
        }
    }

    /// What is left beside the sine itself, fitted by its two quadratures.
    fn images<const FACTOR: usize, const TAPS: usize>(hertz: f32) -> f32 {
        let rate = 48_000 / FACTOR;
        let input = sine(hertz, rate as f32, rate);
        let mut output = vec![0.0; 48_000];
        Upsampler::<FACTOR, TAPS>::default().process(&input, &mut output);
        let settled = &output[2_400..];
        assert!((power(settled) - 0.5).abs() < 0.01);
        let (mut a, mut b) = (0.0, 0.0);
        let phase = |n: usize| 2.0 * std::f32::consts::PI * hertz * n as f32 / 48_000.0;
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
        power(&rest)
    }

    #[test]
    fn up_makes_no_images() {
        let narrow = images::<NARROW, NARROW_TAPS>(1_000.0);
        assert!(narrow < 1e-5, "{narrow}");
        let wide = images::<WIDE, WIDE_TAPS>(5_000.0);
        assert!(wide < 1e-5, "{wide}");
    }

    #[test]
    fn pieces_give_the_same_as_the_whole() {
        let input = sine(700.0, 8_000.0, 800);
        let mut whole = vec![0.0; 4_800];
        Upsampler::<NARROW, NARROW_TAPS>::default().process(&input, &mut whole);
        let mut pieces = vec![0.0; 4_800];
        let mut up = Upsampler::<NARROW, NARROW_TAPS>::default();
        for (i, o) in input.chunks(37).zip(pieces.chunks_mut(37 * NARROW)) {
            up.process(i, o);
        }
        assert_eq!(whole, pieces);
    }
}
