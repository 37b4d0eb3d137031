//! Silence descriptors: what the background sounds like (RFC 3389 section 3).

#![expect(
    clippy::indexing_slicing,
    reason = "every index is bounded by the order of the filter"
)]

/// Reflection coefficients that are read; further ones would be hardly heard.
pub(super) const MOST_ORDER: usize = 16;
/// Reflection coefficients that are sent: enough for the tilt of a room's noise.
pub(super) const ORDER: usize = 8;
/// A filter nearer to the edge of stability than this would ring.
const MOST_REFLECTION: f32 = 0.98;
/// What stands for a background that nothing is known of, in −dBov.
const UNKNOWN_LEVEL: u8 = 70;
/// A level above is damage or malice, and would hurt, in −dBov.
const LOUDEST_LEVEL: u8 = 30;
/// The quietest level there is, in −dBov.
const QUIETEST_LEVEL: u8 = 127;

/// A background: its level and the shape of its spectrum.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Silence {
    /// In −dBov: decibels below a square wave of full scale.
    pub(super) level: u8,
    /// With the sign that libwebrtc and `FFmpeg` use: the first is negative where low frequencies
    /// prevail. Those behind the last one told are zero.
    pub(super) reflections: [f32; MOST_ORDER],
}

impl Default for Silence {
    fn default() -> Self {
        Self {
            level: UNKNOWN_LEVEL,
            reflections: [0.0; MOST_ORDER],
        }
    }
}

impl Silence {
    /// Reads a payload; none when it says nothing.
    pub(super) fn parse(payload: &[u8]) -> Option<Self> {
        let (level, indices) = payload.split_first()?;
        let mut silence = Self {
            level: (level & 0x7f).max(LOUDEST_LEVEL),
            ..Self::default()
        };
        for (reflection, index) in silence.reflections.iter_mut().zip(indices) {
            let value = 258.0 * (f32::from(*index) - 127.0) / 32_768.0;
            *reflection = value.clamp(-MOST_REFLECTION, MOST_REFLECTION);
        }
        Some(silence)
    }

    /// Writes the payload; gives its length.
    pub(super) fn write(&self, payload: &mut [u8]) -> usize {
        let Some((level, indices)) = payload.split_first_mut() else {
            return 0;
        };
        *level = self.level;
        let pairs = indices.iter_mut().zip(&self.reflections[..ORDER]);
        let mut written = 1;
        for (index, reflection) in pairs {
            *index = index_of(*reflection);
            written += 1;
        }
        written
    }

    /// What an autocorrelation of that many samples of full scale 1 says.
    pub(super) fn of(correlation: &[f32; ORDER + 1], samples: usize) -> Self {
        let mut silence = Self {
            level: level_of(correlation[0] / samples.max(1) as f32),
            ..Self::default()
        };
        // Levinson and Durbin; the little white noise keeps the silence of a muted microphone stable.
        let mut error = correlation[0] * 1.000_1 + 1e-9;
        let mut filter = [0.0_f32; ORDER + 1];
        for order in 1..=ORDER {
            let mut sum = correlation[order];
            for tap in 1..order {
                sum += filter[tap] * correlation[order - tap];
            }
            let reflection = (-sum / error).clamp(-MOST_REFLECTION, MOST_REFLECTION);
            let before = filter;
            for tap in 1..order {
                filter[tap] = before[tap] + reflection * before[order - tap];
            }
            filter[order] = reflection;
            error *= 1.0 - reflection * reflection;
            silence.reflections[order - 1] = reflection;
        }
        silence
    }

    /// The root mean square of the background, where 1 is full scale.
    pub(super) fn amplitude(&self) -> f32 {
        10.0_f32.powf(-f32::from(self.level) / 20.0)
    }

    /// The share of the power that the spectrum's shape does not foretell: 1 for white noise, next to
    /// nothing for a tone.
    pub(super) fn unpredicted(&self) -> f32 {
        self.reflections.iter().map(|k| 1.0 - k * k).product()
    }
}

/// The autocorrelation of a piece.
pub(super) fn correlate(samples: &[f32]) -> [f32; ORDER + 1] {
    let mut correlation = [0.0; ORDER + 1];
    for (lag, sum) in correlation.iter_mut().enumerate() {
        let later = samples.iter().skip(lag);
        *sum = samples.iter().zip(later).map(|(a, b)| a * b).sum();
    }
    correlation
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range of the type"
)]
fn index_of(reflection: f32) -> u8 {
    (127.0 + reflection * 32_768.0 / 258.0)
        .round()
        .clamp(0.0, 254.0) as u8
}

/// A mean square in −dBov.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range of the type"
)]
pub(super) fn level_of(mean_square: f32) -> u8 {
    let level = -10.0 * mean_square.max(1e-13).log10();
    level.round().clamp(0.0, f32::from(QUIETEST_LEVEL)) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_reads_back_what_was_written() {
        let mut silence = Silence {
            level: 57,
            ..Silence::default()
        };
        for (n, reflection) in silence.reflections[..ORDER].iter_mut().enumerate() {
            *reflection = 0.2 * n as f32 - 0.7;
        }
        let mut payload = [0; 20];
        assert_eq!(silence.write(&mut payload), 1 + ORDER);
        let read = Silence::parse(&payload[..=ORDER]).unwrap();
        assert_eq!(read.level, 57);
        for (a, b) in silence.reflections.iter().zip(read.reflections) {
            assert!((a - b).abs() < 0.004, "{a} {b}");
        }
    }

    #[test]
    fn any_bytes_give_a_stable_filter_and_no_blast() {
        assert_eq!(Silence::parse(&[]), None);
        let wild = Silence::parse(&[0x80; 40]).unwrap();
        assert_eq!(wild.level, LOUDEST_LEVEL);
        for byte in 0..=255 {
            let silence = Silence::parse(&[byte; 40]).unwrap();
            assert!((LOUDEST_LEVEL..=127).contains(&silence.level));
            let reflections = silence.reflections.iter();
            assert!(
                reflections
                    .clone()
                    .all(|k| (-MOST_REFLECTION..=MOST_REFLECTION).contains(k))
            );
            assert_eq!(reflections.count(), MOST_ORDER);
        }
    }

    #[test]
    fn a_tone_is_foretold_and_its_level_is_measured() {
        let tone: Vec<f32> = (0..800)
            .map(|n| 0.1 * (2.0 * std::f32::consts::PI * 400.0 * n as f32 / 8_000.0).sin())
            .collect();
        let silence = Silence::of(&correlate(&tone), tone.len());
        // The power of a sine is half of its peak's square: −23 dBov.
        assert_eq!(silence.level, 23);
        assert!(silence.unpredicted() < 0.02, "{}", silence.unpredicted());
        assert!(silence.reflections[0] < -0.9, "low frequencies prevail");
        let muted = Silence::of(&correlate(&[0.0; 80]), 80);
        assert_eq!((muted.level, muted.unpredicted()), (127, 1.0));
    }
}
