//! Loss concealment for G.711 and G.722 by repetition of the pitch, after ITU-T G.711 Appendix I.
//!
//! Unlike the appendix it adds no delay: where that overlaps into sound not yet played, this lets
//! the step at the seam fade out. After 10 ms the repeated sound fades, and is gone after 60 ms.

#![expect(
    clippy::indexing_slicing,
    reason = "every index is bounded by the constants of the history"
)]

// All lengths are samples at 8 kHz.

/// What is remembered: three of the longest periods and a window.
const HISTORY: usize = 3 * LONGEST + WINDOW;
/// The shortest pitch period: 200 Hz.
const SHORTEST: usize = 40;
/// The longest pitch period: 66 Hz.
const LONGEST: usize = 120;
/// The samples that are compared to find the pitch: 20 ms.
const WINDOW: usize = 160;
/// 10 ms.
const STEP: usize = 80;
/// Where the sound has faded away: 60 ms.
const GONE: usize = 480;

/// The state of one stream at `SCALE` times 8 kHz.
#[derive(Debug, Clone)]
pub(super) struct PitchConcealment<const SCALE: usize> {
    /// The last samples that were played, oldest first.
    history: [[f32; HISTORY]; SCALE],
    /// The sound that is repeated, as the history was when the loss began.
    frozen: [[f32; HISTORY]; SCALE],
    /// The pitch period found when the loss began.
    period: usize,
    /// Samples made up since the loss began; 0 when there is none.
    made_up: usize,
    /// Where in the repeated pitch cycles the next sample comes from.
    phase: usize,
    /// The step at the seam, which fades over a quarter period.
    seam: f32,
}

impl<const SCALE: usize> Default for PitchConcealment<SCALE> {
    fn default() -> Self {
        Self {
            history: [[0.0; HISTORY]; SCALE],
            frozen: [[0.0; HISTORY]; SCALE],
            period: SHORTEST * SCALE,
            made_up: 0,
            phase: 0,
            seam: 0.0,
        }
    }
}

impl<const SCALE: usize> PitchConcealment<SCALE> {
    /// Takes decoded sound, and blends its start with what was made up before it.
    pub(super) fn hear(&mut self, samples: &mut [f32]) {
        if self.made_up > 0 {
            // 4 ms for each 10 ms made up beyond a quarter period, at most 10 ms (appendix I.2.4).
            let overlap = (self.period / 4 + self.made_up / (STEP * SCALE) * 32 * SCALE)
                .min(STEP * SCALE)
                .min(samples.len());
            for (index, sample) in samples.iter_mut().take(overlap).enumerate() {
                let weight = (index as f32 + 1.0) / (overlap as f32 + 1.0);
                *sample = *sample * weight + self.next() * (1.0 - weight);
            }
            self.made_up = 0;
        }
        self.remember(samples);
    }

    /// Makes up sound.
    pub(super) fn fill(&mut self, samples: &mut [f32]) {
        if self.made_up == 0 {
            self.begin();
        }
        for sample in samples.iter_mut() {
            *sample = self.next();
        }
        self.remember(samples);
    }

    fn begin(&mut self) {
        self.frozen = self.history;
        self.period = self.find_period();
        self.phase = 0;
        let frozen = self.frozen.as_flattened();
        let last = frozen.len() - 1;
        self.seam = frozen[last] - frozen[last - self.period];
    }

    /// The next made-up sample.
    fn next(&mut self) -> f32 {
        // One period is repeated in the first 10 ms, then two, then three, lest it sounds like a
        // machine (appendix I.2.3).
        let (step, gone) = (STEP * SCALE, GONE * SCALE);
        let span = self.period * (self.made_up / step + 1).min(3);
        if self.phase >= span {
            self.phase = 0;
        }
        let frozen = self.frozen.as_flattened();
        let start = frozen.len() - span;
        let mut sample = frozen[start + self.phase];
        // The end of the span runs into its start without a step.
        let blend = (self.period / 4).max(1);
        let left = span - self.phase;
        if left <= blend {
            let weight = left as f32 / (blend as f32 + 1.0);
            let before = frozen[start - left];
            sample = sample * weight + before * (1.0 - weight);
        }
        if self.made_up < blend {
            sample += self.seam * (1.0 - self.made_up as f32 / blend as f32);
        }
        let gain = if self.made_up < step {
            1.0
        } else {
            (gone - self.made_up) as f32 / (gone - step) as f32
        };
        self.phase += 1;
        self.made_up = (self.made_up + 1).min(gone);
        sample * gain
    }

    fn remember(&mut self, samples: &[f32]) {
        let history = self.history.as_flattened_mut();
        let kept = samples.len().min(history.len());
        history.copy_within(kept.., 0);
        let from = history.len() - kept;
        history[from..].copy_from_slice(&samples[samples.len() - kept..]);
    }

    /// The lag at which the last 20 ms look most like what was before them.
    fn find_period(&self) -> usize {
        let history = self.history.as_flattened();
        let start = history.len() - WINDOW * SCALE;
        let recent = &history[start..];
        let mut best = (SHORTEST * SCALE, f32::MIN);
        for lag in SHORTEST * SCALE..=LONGEST * SCALE {
            let earlier = &history[start - lag..history.len() - lag];
            let product: f32 = recent.iter().zip(earlier).map(|(a, b)| a * b).sum();
            let energy: f32 = earlier.iter().map(|b| b * b).sum();
            let score = product / (energy + 1e-6).sqrt();
            if score > best.1 {
                best = (lag, score);
            }
        }
        best.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(scale: usize, range: std::ops::Range<usize>) -> Vec<f32> {
        let rate = 8_000.0 * scale as f32;
        range
            .map(|n| 0.5 * (2.0 * std::f32::consts::PI * 160.0 * n as f32 / rate).sin())
            .collect()
    }

    fn a_lost_packet_is_hardly_heard<const SCALE: usize>() {
        let mut concealment = PitchConcealment::<SCALE>::default();
        let packet = 160 * SCALE;
        let mut played = sine(SCALE, 0..10 * packet);
        concealment.hear(&mut played);
        let mut lost = vec![0.0; packet];
        concealment.fill(&mut lost);
        let mut after = sine(SCALE, 11 * packet..12 * packet);
        concealment.hear(&mut after);
        played.extend(&lost);
        played.extend(&after);
        let truth = sine(SCALE, 0..played.len());
        let noise: f32 = played[10 * packet..]
            .iter()
            .zip(&truth[10 * packet..])
            .map(|(a, b)| (a - b).powi(2))
            .sum();
        let power: f32 = truth[10 * packet..].iter().map(|a| a * a).sum();
        assert!(noise < 0.01 * power, "{SCALE}: {}", noise / power);
        let step = played
            .windows(2)
            .map(|w| (w[1] - w[0]).abs())
            .fold(0.0, f32::max);
        assert!(step < 0.08 / SCALE as f32, "{SCALE}: a click of {step}");
    }

    #[test]
    fn a_lost_packet_of_a_steady_tone_is_hardly_heard() {
        a_lost_packet_is_hardly_heard::<1>();
        a_lost_packet_is_hardly_heard::<2>();
    }

    fn a_long_loss_fades<const SCALE: usize>() {
        let mut concealment = PitchConcealment::<SCALE>::default();
        concealment.hear(&mut sine(SCALE, 0..800 * SCALE));
        let mut lost = vec![1.0; 800 * SCALE];
        concealment.fill(&mut lost);
        assert!(lost[..80 * SCALE].iter().any(|s| s.abs() > 0.4));
        assert!(lost[480 * SCALE..].iter().all(|s| *s == 0.0));
    }

    #[test]
    fn a_long_loss_fades_to_silence() {
        a_long_loss_fades::<1>();
        a_long_loss_fades::<2>();
    }

    #[test]
    fn noise_and_silence_give_no_step_above_their_own() {
        let mut concealment = PitchConcealment::<1>::default();
        let mut lost = [1.0; 80];
        concealment.fill(&mut lost);
        assert!(lost.iter().all(|s| *s == 0.0));
    }
}
