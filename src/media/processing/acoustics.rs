//! A room with a loudspeaker, a microphone and people in it, for tests and measurements: the same
//! seed gives the same sound. It knows nothing of the rest, so that measurements may include it.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "lengths and places are small"
)]

use std::f32::consts::PI;

/// Samples a second.
const RATE: f32 = 48_000.0;

/// Random numbers from −1.0 to 1.0.
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// One number (xorshift64*).
    pub(crate) fn draw(&mut self) -> f32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 40;
        bits as f32 / (1_u64 << 23) as f32 - 1.0
    }

    /// Steady noise at that root mean square.
    pub(crate) fn steady(&mut self, samples: usize, level: f32) -> Vec<f32> {
        let peak = level * 3.0_f32.sqrt();
        (0..samples).map(|_| self.draw() * peak).collect()
    }
}

/// The way from a loudspeaker to a microphone.
pub(crate) struct Room {
    /// Samples of delay and strength of each reflection.
    reflections: Vec<(usize, f32)>,
    /// What the loudspeaker reaches at most, of full scale: beyond, it clips softly.
    pub(crate) clips_at: f32,
    /// How much faster the microphone's clock runs.
    pub(crate) drift: f64,
}

impl Room {
    /// A room whose reflections fall by 60 dB within so many milliseconds, after a delay of so many
    /// (what devices hold back, and the air); the echo is 6 dB below what is played.
    pub(crate) fn new(noise: &mut Noise, reverberation: usize, delay: usize) -> Self {
        const COUNT: usize = 160;
        let length = reverberation * 48;
        let mut reflections = vec![(delay * 48, 1.0)];
        for n in 1..COUNT {
            // Denser and weaker with time.
            let share = (n as f32 / COUNT as f32).sqrt();
            let at = (share * length as f32) as usize;
            let strength = noise.draw() * 10.0_f32.powf(-3.0 * at as f32 / length as f32);
            reflections.push((delay * 48 + at, strength));
        }
        let power: f32 = reflections
            .iter()
            .map(|(_, strength)| strength * strength)
            .sum();
        for (_, strength) in &mut reflections {
            *strength *= 0.5 / power.sqrt();
        }
        Self {
            reflections,
            clips_at: 2.0,
            drift: 0.0,
        }
    }

    /// What the microphone hears of what is played.
    pub(crate) fn echo(&self, played: &[f32]) -> Vec<f32> {
        let limit = self.clips_at;
        let heard: Vec<f32> = played.iter().map(|s| s.clamp(-limit, limit)).collect();
        let mut echo = vec![0.0; played.len()];
        for (delay, strength) in &self.reflections {
            for (to, from) in echo.iter_mut().skip(*delay).zip(&heard) {
                *to += strength * from;
            }
        }
        if self.drift == 0.0 {
            return echo;
        }
        // The microphone takes its samples at other moments: cubic between four neighbours.
        (0..played.len())
            .map(|n| {
                let at = n as f64 / (1.0 + self.drift);
                let whole = at as usize;
                let t = (at - whole as f64) as f32;
                let sample = |k: usize| (whole + k).checked_sub(1).and_then(|i| echo.get(i));
                let [a, b, c, d] = [0, 1, 2, 3].map(|k| sample(k).copied().unwrap_or(0.0));
                b + 0.5
                    * t
                    * (c - a + t * (2.0 * a - 5.0 * b + 4.0 * c - d + t * (3.0 * (b - c) + d - a)))
            })
            .collect()
    }
}

/// Speech-like sound at that root mean square while it is voiced: a glottal pulse through formants
/// that change with each syllable, fricatives between, and pauses. Another seed is another person.
pub(crate) fn speech(seed: u64, seconds: usize, level: f32) -> Vec<f32> {
    const VOWELS: [[f32; 3]; 5] = [
        [730.0, 1_090.0, 2_440.0],
        [270.0, 2_290.0, 3_010.0],
        [300.0, 870.0, 2_240.0],
        [530.0, 1_840.0, 2_480.0],
        [570.0, 840.0, 2_410.0],
    ];
    let mut noise = Noise::new(seed);
    let total = seconds * 48_000;
    let mut sound = Vec::with_capacity(total);
    let pitch = 120.0 + 40.0 * noise.draw();
    let mut phase = 0.0_f32;
    let mut formants = [[0.0_f32; 2]; 3];
    while sound.len() < total {
        let length = (RATE * (0.16 + 0.06 * noise.draw())) as usize;
        let Some(vowel) = VOWELS.get((noise.draw().abs() * 4.99) as usize) else {
            continue;
        };
        let kind = noise.draw();
        let glide = 1.0 + 0.15 * noise.draw();
        let begun = sound.len();
        for n in 0..length {
            let t = n as f32 / length as f32;
            let envelope = 0.25 + 0.75 * (PI * t).sin().powi(2);
            let mut sample = 0.0;
            if kind > -0.75 {
                phase += pitch * (1.0 + 0.2 * (1.0 - t) * glide) / RATE;
                phase %= 1.0;
                // A smooth pulse in the first part of each period.
                let pulse = if phase < 0.4 {
                    (PI * phase / 0.4).sin().powi(2) - 0.2
                } else {
                    -0.2
                };
                let source = pulse + 0.02 * noise.draw();
                for (state, (frequency, width)) in formants
                    .iter_mut()
                    .zip(vowel.iter().zip([80.0, 100.0, 140.0]))
                {
                    let radius = (-PI * width / RATE).exp();
                    let turn =
                        2.0 * radius * (2.0 * PI * frequency * (0.9 + 0.1 * glide) / RATE).cos();
                    let out =
                        source * (1.0 - radius) + turn * state[0] - radius * radius * state[1];
                    *state = [out, state[0]];
                    sample += out;
                }
            } else if kind > -0.87 {
                sample = 0.15 * noise.draw();
            }
            sound.push(sample * envelope);
        }
        // No syllable is much louder than others.
        let syllable = sound.get_mut(begun..).unwrap_or_default();
        let own = rms(syllable).max(1e-6);
        let wanted = if own > 2e-6 {
            0.1 + 0.04 * noise.draw()
        } else {
            0.0
        };
        for sample in syllable {
            *sample *= wanted / own;
        }
    }
    sound.truncate(total);
    let own = active_level(&sound);
    for sample in &mut sound {
        *sample *= level / own;
    }
    sound
}

/// The root mean square.
pub(crate) fn rms(samples: &[f32]) -> f32 {
    (samples.iter().map(|s| s * s).sum::<f32>() / samples.len().max(1) as f32).sqrt()
}

/// The root mean square of those pieces of 20 ms in which somebody speaks.
pub(crate) fn active_level(samples: &[f32]) -> f32 {
    let pieces: Vec<f32> = samples.chunks(960).map(rms).collect();
    let loudest = pieces.iter().copied().fold(0.0, f32::max);
    let active: Vec<f32> = pieces
        .into_iter()
        .filter(|level| *level > loudest * 0.1)
        .collect();
    rms(&active)
}

/// A ratio of amplitudes in dB.
pub(crate) fn db(ratio: f32) -> f32 {
    20.0 * ratio.max(1e-9).log10()
}
