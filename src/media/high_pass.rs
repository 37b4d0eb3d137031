//! High-pass filters: what is below the voice, and what is above a band.

use std::f64::consts::PI;

use crate::media::frame::SAMPLE_RATE;

/// A Butterworth filter of twice as many orders as it has sections; it adds no delay.
#[derive(Debug)]
pub(super) struct HighPass<const SECTIONS: usize>([Section; SECTIONS]);

impl<const SECTIONS: usize> HighPass<SECTIONS> {
    /// One that is 3 dB lower at `corner`, in hertz.
    pub(super) fn new(corner: f64) -> Self {
        // Where the poles lie on the circle makes the quality of each pair.
        let step = PI / (4.0 * SECTIONS as f64);
        Self(std::array::from_fn(|pair| {
            let angle = step * (2.0 * pair as f64 + 1.0);
            Section::new(corner, 1.0 / (2.0 * angle.cos()))
        }))
    }

    pub(super) fn run(&mut self, samples: &mut [f32]) {
        for section in &mut self.0 {
            section.run(samples);
        }
    }
}

/// Two poles and two zeros, in the second direct form, transposed.
#[derive(Debug)]
struct Section {
    gain: f64,
    a1: f64,
    a2: f64,
    state: [f64; 2],
}

impl Section {
    /// By the bilinear transform (R. Bristow-Johnson, Cookbook formulae for audio EQ).
    fn new(corner: f64, quality: f64) -> Self {
        let turn = 2.0 * PI * corner / f64::from(SAMPLE_RATE);
        let alpha = turn.sin() / (2.0 * quality);
        let a0 = 1.0 + alpha;
        Self {
            gain: (1.0 + turn.cos()) / 2.0 / a0,
            a1: -2.0 * turn.cos() / a0,
            a2: (1.0 - alpha) / a0,
            state: [0.0; 2],
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "samples are single floats")]
    fn run(&mut self, samples: &mut [f32]) {
        let [mut first, mut second] = self.state;
        for sample in samples {
            let input = f64::from(*sample) * self.gain;
            let output = input + first;
            first = second - 2.0 * input - self.a1 * output;
            second = input - self.a2 * output;
            *sample = output as f32;
        }
        self.state = [first, second];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of a sine behind a filter of eighth order at 12 kHz, in decibels.
    fn left(hertz: f32) -> f32 {
        let turn = 2.0 * std::f32::consts::PI * hertz / SAMPLE_RATE as f32;
        let mut samples: Vec<f32> = (0..4_800).map(|n| (turn * n as f32).sin()).collect();
        HighPass::<4>::new(12_000.0).run(&mut samples);
        let power: f32 = samples[2_400..].iter().map(|sample| sample * sample).sum();
        10.0 * (power / 1_200.0).log10()
    }

    #[test]
    fn a_filter_of_eighth_order_falls_as_butterworth_says() {
        assert!((left(12_000.0) + 3.0).abs() < 0.1, "{}", left(12_000.0));
        assert!(left(16_000.0).abs() < 0.1, "{}", left(16_000.0));
        // (tan(8/48 pi) / tan(12/48 pi))^8 of the amplitude.
        assert!((left(8_000.0) + 38.2).abs() < 0.5, "{}", left(8_000.0));
        assert!(left(4_000.0) < -80.0, "{}", left(4_000.0));
    }
}
