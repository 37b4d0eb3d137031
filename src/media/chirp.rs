//! A chirp, and where it is found in what a microphone heard; pure.
//!
//! Both are compared at 8 kHz: an eighth of a millisecond is near enough, and costs little.

use std::f32::consts::PI;

use crate::media::frame::SAMPLE_RATE;

/// Samples of the chirp: 100 ms.
pub(super) const CHIRP_SAMPLES: usize = 4_800;
/// It rises from here to there, in hertz: what any loudspeaker and headset carries.
const FROM_HERTZ: f32 = 400.0;
const TO_HERTZ: f32 = 2_800.0;
/// How loud it is.
const LEVEL: f32 = 0.3;
/// So many samples become one for the comparison.
const THINNING: usize = 6;
/// The least likeness that counts as heard: one where they are the same but for loudness. Speech and
/// noise stay below 0.25.
const LIKENESS: f32 = 0.4;

/// The whole chirp.
pub(super) fn chirp() -> Vec<f32> {
    let seconds = CHIRP_SAMPLES as f32 / SAMPLE_RATE as f32;
    (0..CHIRP_SAMPLES)
        .map(|index| {
            let at = index as f32 / SAMPLE_RATE as f32;
            let part = index as f32 / CHIRP_SAMPLES as f32;
            let turns = FROM_HERTZ * at + (TO_HERTZ - FROM_HERTZ) * at * at / (2.0 * seconds);
            // It rises and falls slowly, so that nothing clicks.
            LEVEL * (PI * part).sin() * (2.0 * PI * turns.fract()).sin()
        })
        .collect()
}

/// Finds the chirp; gives how many samples it begins behind the beginning, if it is there.
pub(super) fn find(chirp: &[f32], heard: &[f32]) -> Option<usize> {
    let (chirp, heard) = (thinned(chirp), thinned(heard));
    let own: f32 = energy(&chirp);
    let mut best = (0.0_f32, 0);
    for (at, piece) in heard.windows(chirp.len()).enumerate() {
        let product: f32 = piece.iter().zip(&chirp).map(|(a, b)| a * b).sum();
        let scale = (own * energy(piece)).sqrt();
        // Digital silence is like nothing.
        let likeness = if scale > 1e-6 {
            product.abs() / scale
        } else {
            0.0
        };
        if likeness > best.0 {
            best = (likeness, at);
        }
    }
    (best.0 >= LIKENESS).then_some(best.1 * THINNING)
}

/// At 8 kHz, by the mean of neighbours.
fn thinned(samples: &[f32]) -> Vec<f32> {
    samples
        .chunks_exact(THINNING)
        .map(|piece| piece.iter().sum::<f32>() / THINNING as f32)
        .collect()
}

fn energy(samples: &[f32]) -> f32 {
    samples.iter().map(|sample| sample * sample).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::{Random as _, SeededRandom};

    fn noise(random: &mut SeededRandom, level: f32) -> f32 {
        (random.next_u32() as f32 / u32::MAX as f32 - 0.5) * 2.0 * level
    }

    #[test]
    fn a_chirp_is_found_where_it_is_also_softly_turned_over_and_in_noise() {
        let chirp = chirp();
        let mut random = SeededRandom::new(5);
        for (delay, gain, level) in [
            (0, 1.0, 0.0),
            (1_234, 0.05, 0.0),
            (7_000, -0.3, 0.03),
            (20_000, 0.5, 0.1),
        ] {
            let mut heard: Vec<f32> = (0..28_800).map(|_| noise(&mut random, level)).collect();
            for (sample, chirp) in heard.iter_mut().skip(delay).zip(&chirp) {
                *sample += chirp * gain;
            }
            let found = find(&chirp, &heard).unwrap();
            assert!(found.abs_diff(delay) <= 6, "{found} for {delay}");
        }
    }

    #[test]
    fn silence_noise_and_another_tone_are_no_chirp() {
        let chirp = chirp();
        let mut random = SeededRandom::new(6);
        let noise: Vec<f32> = (0..28_800).map(|_| noise(&mut random, 0.5)).collect();
        let tone: Vec<f32> = (0..28_800)
            .map(|n| (2.0 * PI * 700.0 * n as f32 / 48_000.0).sin())
            .collect();
        for heard in [vec![0.0; 28_800], noise, tone, vec![0.1; 100]] {
            assert_eq!(find(&chirp, &heard), None);
        }
    }
}
