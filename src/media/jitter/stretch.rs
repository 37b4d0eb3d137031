//! Time stretch: where sound repeats itself, and how two stretches of it blend (WSOLA, Verhelst and
//! Roelands 1993).

#![expect(
    clippy::indexing_slicing,
    reason = "callers give slices of the lengths that the functions name"
)]

/// The shortest stretch that is left out or repeated: 2.5 ms, one period of 400 Hz.
pub(in crate::media) const SHORTEST: usize = 120;
/// The longest: 15 ms, one period of 67 Hz.
pub(in crate::media) const LONGEST: usize = 720;
/// What is compared: 10 ms.
pub(in crate::media) const WINDOW: usize = 480;
/// The coarse search looks at 8 kHz.
const COARSE: usize = 6;
/// Mean power below which nobody hears a seam: −66 dB.
const QUIET: f32 = 2.5e-7;

/// Mean power below which nobody speaks: −50 dB.
const PAUSE: f32 = 1e-5;
/// The same in parts of the loudest frame of speech before: 30 dB less.
const PAUSE_SHARE: f32 = 1e-3;

/// Whether nobody speaks in it, where speech has that mean power in its loudest frames.
pub(in crate::media) fn is_pause(sound: &[f32], speech: f32) -> bool {
    power(sound) < PAUSE.max(speech * PAUSE_SHARE)
}

/// Finds the lag at which `sound` is most like itself; gives it with the likeness, −1.0 to 1.0.
///
/// Looks at `sound[..WINDOW]` and the same behind each lag up to `longest`; `sound` has
/// `WINDOW + longest` samples, and `longest` is at least `SHORTEST`. Silence is like itself.
pub(in crate::media) fn find_lag(sound: &[f32], longest: usize) -> (usize, f32) {
    if power(&sound[..WINDOW + longest]) < QUIET {
        return (longest, 1.0);
    }
    let mut coarse = [0.0_f32; (WINDOW + LONGEST) / COARSE];
    for (out, six) in coarse.iter_mut().zip(sound.chunks_exact(COARSE)) {
        *out = six.iter().sum();
    }
    let window = WINDOW / COARSE;
    let mut best = (SHORTEST / COARSE, f32::MIN);
    for lag in SHORTEST / COARSE..=longest / COARSE {
        let score = likeness(&coarse[..window], &coarse[lag..lag + window]);
        if score > best.1 {
            best = (lag, score);
        }
    }
    let centre = best.0 * COARSE;
    let from = centre.saturating_sub(COARSE - 1).max(SHORTEST);
    let to = (centre + COARSE - 1).min(longest);
    let mut fine = (centre.min(longest), f32::MIN);
    for lag in from..=to {
        let score = likeness(&sound[..WINDOW], &sound[lag..lag + WINDOW]);
        if score > fine.1 {
            fine = (lag, score);
        }
    }
    fine
}

/// Blends from one sound into another of the same length, sample by sample, in place of the first.
pub(in crate::media) fn blend_into(first: &mut [f32], second: &[f32]) {
    let length = first.len() as f32 + 1.0;
    for (index, (a, b)) in first.iter_mut().zip(second).enumerate() {
        let weight = (index as f32 + 1.0) / length;
        *a = *a * (1.0 - weight) + *b * weight;
    }
}

/// The mean power.
pub(in crate::media) fn power(samples: &[f32]) -> f32 {
    samples.iter().map(|s| s * s).sum::<f32>() / samples.len().max(1) as f32
}

fn likeness(a: &[f32], b: &[f32]) -> f32 {
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    ab / (aa * bb).sqrt().max(1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lag_of_a_tone_is_a_multiple_of_its_period() {
        for hertz in [80.0, 110.0, 200.0, 390.0] {
            let sound: Vec<f32> = (0..WINDOW + LONGEST)
                .map(|n| (2.0 * std::f32::consts::PI * hertz * n as f32 / 48_000.0).sin())
                .collect();
            let (lag, likeness) = find_lag(&sound, LONGEST);
            let periods = lag as f32 * hertz / 48_000.0;
            assert!((periods - periods.round()).abs() < 0.02, "{hertz}: {lag}");
            assert!(likeness > 0.99);
        }
    }

    #[test]
    fn silence_is_like_itself_at_any_lag() {
        assert_eq!(find_lag(&[0.0; WINDOW + 300], 300), (300, 1.0));
    }

    #[test]
    fn a_blend_starts_as_the_first_and_ends_as_the_second() {
        let mut sound = [1.0; 99];
        blend_into(&mut sound, &[0.0; 99]);
        assert!(sound[0] > 0.98 && sound[98] < 0.02);
    }
}
