//! Loss concealment for G.711 by repetition of the pitch, after ITU-T G.711 Appendix I.
//!
//! Unlike the appendix it adds no delay: where that overlaps into sound not yet played, this lets
//! the step at the seam fade out. After 10 ms the repeated sound fades, and is gone after 60 ms.

#![expect(
    clippy::indexing_slicing,
    reason = "every index is bounded by the constants of the history"
)]

/// Samples at 8 kHz that are remembered: three of the longest periods and a window.
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

/// The state of one stream at 8 kHz.
#[derive(Debug, Clone)]
pub(super) struct PitchConcealment {
    /// The last samples that were played, oldest first.
    history: [f32; HISTORY],
    /// The sound that is repeated, as the history was when the loss began.
    frozen: [f32; HISTORY],
    /// The pitch period found when the loss began.
    period: usize,
    /// Samples made up since the loss began; 0 when there is none.
    made_up: usize,
    /// Where in the repeated pitch cycles the next sample comes from.
    phase: usize,
    /// The step at the seam, which fades over a quarter period.
    seam: f32,
}

impl Default for PitchConcealment {
    fn default() -> Self {
        Self {
            history: [0.0; HISTORY],
            frozen: [0.0; HISTORY],
            period: SHORTEST,
            made_up: 0,
            phase: 0,
            seam: 0.0,
        }
    }
}

impl PitchConcealment {
    /// Takes decoded sound, and blends its start with what was made up before it.
    pub(super) fn hear(&mut self, samples: &mut [f32]) {
        if self.made_up > 0 {
            // 4 ms for each 10 ms made up beyond a quarter period, at most 10 ms (appendix I.2.4).
            let overlap = (self.period / 4 + self.made_up / STEP * 32)
                .min(STEP)
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
        self.seam = self.frozen[HISTORY - 1] - self.frozen[HISTORY - 1 - self.period];
    }

    /// The next made-up sample.
    fn next(&mut self) -> f32 {
        // One period is repeated in the first 10 ms, then two, then three, lest it sounds like a
        // machine (appendix I.2.3).
        let span = self.period * (self.made_up / STEP + 1).min(3);
        if self.phase >= span {
            self.phase = 0;
        }
        let start = HISTORY - span;
        let mut sample = self.frozen[start + self.phase];
        // The end of the span runs into its start without a step.
        let blend = (self.period / 4).max(1);
        let left = span - self.phase;
        if left <= blend {
            let weight = left as f32 / (blend as f32 + 1.0);
            let before = self.frozen[start - left];
            sample = sample * weight + before * (1.0 - weight);
        }
        if self.made_up < blend {
            sample += self.seam * (1.0 - self.made_up as f32 / blend as f32);
        }
        let gain = match self.made_up {
            0..STEP => 1.0,
            STEP..GONE => 1.0 - (self.made_up - STEP) as f32 / (GONE - STEP) as f32,
            _ => 0.0,
        };
        self.phase += 1;
        self.made_up = (self.made_up + 1).min(GONE);
        sample * gain
    }

    fn remember(&mut self, samples: &[f32]) {
        let kept = samples.len().min(HISTORY);
        self.history.copy_within(kept.., 0);
        self.history[HISTORY - kept..].copy_from_slice(&samples[samples.len() - kept..]);
    }

    /// The lag at which the last 20 ms look most like what was before them.
    fn find_period(&self) -> usize {
        let recent = &self.history[HISTORY - WINDOW..];
        let mut best = (SHORTEST, f32::MIN);
        for lag in SHORTEST..=LONGEST {
            let earlier = &self.history[HISTORY - WINDOW - lag..HISTORY - lag];
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

    fn sine(start: usize, count: usize) -> Vec<f32> {
        (start..start + count)
            .map(|n| 0.5 * (2.0 * std::f32::consts::PI * 160.0 * n as f32 / 8_000.0).sin())
            .collect()
    }

    #[test]
    fn a_lost_packet_of_a_steady_tone_is_hardly_heard() {
        let mut concealment = PitchConcealment::default();
        let mut played = sine(0, 1_600);
        concealment.hear(&mut played);
        let mut lost = vec![0.0; 160];
        concealment.fill(&mut lost);
        let mut after = sine(1_760, 160);
        concealment.hear(&mut after);
        played.extend(&lost);
        played.extend(&after);
        let truth = sine(0, played.len());
        let noise: f32 = played[1_600..]
            .iter()
            .zip(&truth[1_600..])
            .map(|(a, b)| (a - b).powi(2))
            .sum();
        let power: f32 = truth[1_600..].iter().map(|a| a * a).sum();
        assert!(noise < 0.01 * power, "{}", noise / power);
        let step = played
            .windows(2)
            .map(|w| (w[1] - w[0]).abs())
            .fold(0.0, f32::max);
        assert!(step < 0.08, "a click of {step}");
    }

    #[test]
    fn a_long_loss_fades_to_silence() {
        let mut concealment = PitchConcealment::default();
        concealment.hear(&mut sine(0, 800));
        let mut lost = vec![1.0; 800];
        concealment.fill(&mut lost);
        assert!(lost[..80].iter().any(|s| s.abs() > 0.4));
        assert!(lost[480..].iter().all(|s| *s == 0.0));
    }

    #[test]
    fn noise_and_silence_give_no_step_above_their_own() {
        let mut concealment = PitchConcealment::default();
        let mut lost = [1.0; 80];
        concealment.fill(&mut lost);
        assert!(lost.iter().all(|s| *s == 0.0));
    }
}
