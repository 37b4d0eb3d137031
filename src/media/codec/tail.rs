//! What the codecs at 8 and 16 kHz have in common behind their decoding.
//!
//! ```text
//!  decoded ------+
//!  concealment --+-> blended -> to 48 kHz
//!  noise --------+
//! ```

use crate::media::codec::MAX_PACKET_SAMPLES;
use crate::media::codec::conceal::PitchConcealment;
use crate::media::codec::noise::ComfortNoise;
use crate::media::resample::{NARROW, NARROW_TAPS, Upsampler, WIDE, WIDE_TAPS};

/// Samples at 16 kHz that the largest packet holds.
const MOST_SAMPLES: usize = MAX_PACKET_SAMPLES / WIDE;
/// Sound runs into noise over so many samples at 8 kHz: 10 ms.
const INTO_NOISE: usize = 80;
/// Noise runs into sound over so many: 5 ms, so that the first consonant stays.
const OUT_OF_NOISE: usize = 40;

/// Behind a decoder at 8 kHz.
pub(super) type NarrowTail = Tail<NARROW, NARROW_TAPS, 1>;
/// Behind a decoder at 16 kHz.
pub(super) type WideTail = Tail<WIDE, WIDE_TAPS, 2>;

/// Concealment, comfort noise and the way to 48 kHz, at `SCALE` times 8 kHz.
pub(super) struct Tail<const FACTOR: usize, const TAPS: usize, const SCALE: usize> {
    up: Upsampler<FACTOR, TAPS>,
    concealment: PitchConcealment<SCALE>,
    noise: ComfortNoise<SCALE>,
    samples: [f32; MOST_SAMPLES],
}

impl<const FACTOR: usize, const TAPS: usize, const SCALE: usize> Default
    for Tail<FACTOR, TAPS, SCALE>
{
    fn default() -> Self {
        Self {
            up: Upsampler::default(),
            concealment: PitchConcealment::default(),
            noise: ComfortNoise::default(),
            samples: [0.0; MOST_SAMPLES],
        }
    }
}

impl<const FACTOR: usize, const TAPS: usize, const SCALE: usize> Tail<FACTOR, TAPS, SCALE> {
    /// Plays what `decode` writes; false where the output is no whole packet.
    pub(super) fn play(&mut self, output: &mut [f32], decode: impl FnOnce(&mut [f32])) -> bool {
        let Some(samples) = self.samples.get_mut(..output.len() / FACTOR) else {
            return false;
        };
        decode(samples);
        self.concealment.hear(samples);
        if self.noise.sounds() {
            let blend = (OUT_OF_NOISE * SCALE).min(samples.len());
            for (index, sample) in samples.iter_mut().take(blend).enumerate() {
                let weight = (index as f32 + 1.0) / (blend as f32 + 1.0);
                *sample = *sample * weight + self.noise.next() * (1.0 - weight);
            }
            self.noise.end();
        }
        self.up.process(samples, output);
        true
    }

    /// Makes up sound: noise while the far end is silent, else what continues the sound.
    pub(super) fn conceal(&mut self, output: &mut [f32]) {
        for piece in output.chunks_mut(MAX_PACKET_SAMPLES) {
            // What is left over at a length that is no multiple of the factor stays silent.
            piece.fill(0.0);
            let Some(samples) = self.samples.get_mut(..piece.len() / FACTOR) else {
                return;
            };
            if self.noise.sounds() {
                rest(&mut self.noise, &mut self.concealment, samples);
            } else {
                self.concealment.fill(samples);
            }
            self.up.process(samples, piece);
        }
    }

    /// The far end is silent from here on.
    pub(super) fn rest(&mut self, payload: &[u8]) {
        self.noise.begin(payload);
    }
}

/// Fills with noise, into which the sound before it runs.
fn rest<const SCALE: usize>(
    noise: &mut ComfortNoise<SCALE>,
    concealment: &mut PitchConcealment<SCALE>,
    samples: &mut [f32],
) {
    let age = noise.age();
    let blend = INTO_NOISE * SCALE;
    if age < blend {
        concealment.fill(samples);
        for (index, sample) in samples.iter_mut().enumerate() {
            let weight = 1.0 - ((age + index) as f32 / blend as f32).min(1.0);
            *sample = *sample * weight + noise.next();
        }
        if noise.age() >= blend {
            // What was said before the silence is no longer to be repeated.
            *concealment = PitchConcealment::default();
        }
    } else {
        for sample in samples {
            *sample = noise.next();
        }
    }
}
