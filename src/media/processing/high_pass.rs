//! A high-pass filter: what is below the voice is hum, rumble and wind.

use std::f64::consts::PI;

use crate::media::frame::{Frame, SAMPLE_RATE};

/// Where it begins, in hertz: 50 Hz is 24 dB lower, 60 Hz 18 dB; the deepest voices begin at 85 Hz.
const CORNER_HERTZ: f64 = 100.0;
/// The quality factors that make two sections one Butterworth filter of fourth order.
const QUALITIES: [f64; 2] = [0.541_196_1, 1.306_563];

/// A Butterworth filter of fourth order; it adds no delay.
pub(super) struct HighPass([Section; 2]);

impl HighPass {
    pub(super) fn new() -> Self {
        Self(QUALITIES.map(Section::new))
    }

    pub(super) fn capture(&mut self, frame: &mut Frame) {
        for section in &mut self.0 {
            section.run(frame);
        }
    }
}

/// Two poles and two zeros, in the second direct form, transposed.
struct Section {
    gain: f64,
    a1: f64,
    a2: f64,
    state: [f64; 2],
}

impl Section {
    /// By the bilinear transform (R. Bristow-Johnson, Cookbook formulae for audio EQ).
    fn new(quality: f64) -> Self {
        let turn = 2.0 * PI * CORNER_HERTZ / f64::from(SAMPLE_RATE);
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
    fn run(&mut self, frame: &mut Frame) {
        let [mut first, mut second] = self.state;
        for sample in frame {
            let input = f64::from(*sample) * self.gain;
            let output = input + first;
            first = second - 2.0 * input - self.a1 * output;
            second = input - self.a2 * output;
            *sample = output as f32;
        }
        self.state = [first, second];
    }
}
