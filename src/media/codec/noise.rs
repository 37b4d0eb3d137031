//! Comfort noise: what is heard while the far end is silent (RFC 3389 section 5).

use crate::media::codec::silence::{MOST_ORDER, Silence};

/// How fast the level follows what is told, for each sample at 8 kHz: nine tenths in 30 ms.
const GLIDE: f32 = 0.01;
/// The noise fades in over so many samples at 8 kHz: 20 ms.
const FADE: usize = 160;

/// The noise of one stream at `SCALE` times 8 kHz.
#[derive(Debug, Clone)]
pub(super) struct ComfortNoise<const SCALE: usize> {
    silence: Silence,
    /// The root mean square of the excitation, which glides to what the silence asks for.
    amplitude: f32,
    /// The backward errors of the lattice.
    lattice: [f32; MOST_ORDER],
    random: u32,
    /// Samples since it began; none while it does not sound.
    sounding: Option<usize>,
}

impl<const SCALE: usize> Default for ComfortNoise<SCALE> {
    fn default() -> Self {
        Self {
            silence: Silence::default(),
            amplitude: 0.0,
            lattice: [0.0; MOST_ORDER],
            // Any number but 0 does; that two calls have the same noise nobody hears.
            random: 0x9e37_79b9,
            sounding: None,
        }
    }
}

impl<const SCALE: usize> ComfortNoise<SCALE> {
    /// Takes a descriptor; one that says nothing changes nothing but that it sounds.
    pub(super) fn begin(&mut self, payload: &[u8]) {
        if let Some(silence) = Silence::parse(payload) {
            self.silence = silence;
        }
        if self.sounding.is_none() {
            self.sounding = Some(0);
            self.amplitude = self.goal();
        }
    }

    /// Ends it.
    pub(super) fn end(&mut self) {
        self.sounding = None;
    }

    /// Whether it sounds.
    pub(super) fn sounds(&self) -> bool {
        self.sounding.is_some()
    }

    /// Samples since it began.
    pub(super) fn age(&self) -> usize {
        self.sounding.unwrap_or(0)
    }

    /// The next sample.
    pub(super) fn next(&mut self) -> f32 {
        let age = self.age();
        self.sounding = Some(age.saturating_add(1));
        self.amplitude += (self.goal() - self.amplitude) * GLIDE / SCALE as f32;
        let fade = (age as f32 / (FADE * SCALE) as f32).min(1.0);
        let mut forward = self.white() * self.amplitude;
        // The lattice in which each stage takes its reflection from the stage before. Backwards, so
        // that each still sees the error of the sample before.
        for stage in (0..MOST_ORDER).rev() {
            let (Some(reflection), Some(backward)) = (
                self.silence.reflections.get(stage).copied(),
                self.lattice.get(stage).copied(),
            ) else {
                continue;
            };
            forward -= reflection * backward;
            if let Some(next) = self.lattice.get_mut(stage + 1) {
                *next = backward + reflection * forward;
            }
        }
        if let Some(first) = self.lattice.first_mut() {
            *first = forward;
        }
        forward * fade
    }

    /// The root mean square that the excitation must have for the level to be as told.
    fn goal(&self) -> f32 {
        self.silence.amplitude() * self.silence.unpredicted().sqrt()
    }

    /// White noise of power 1: the sum of four even ones, which is nearly normal.
    fn white(&mut self) -> f32 {
        // Xorshift (Marsaglia 2003).
        let mut sum = 0.0;
        for _ in 0..2 {
            self.random ^= self.random << 13;
            self.random ^= self.random >> 17;
            self.random ^= self.random << 5;
            let [a, b, c, d] = self.random.to_le_bytes();
            sum += f32::from(u16::from_le_bytes([a, b])) + f32::from(u16::from_le_bytes([c, d]));
        }
        // Four of variance 1/12 each.
        (sum / 65_535.0 - 2.0) * 3.0_f32.sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::codec::silence::correlate;

    /// The noise to a descriptor, behind its fade.
    fn noise(payload: &[u8]) -> Vec<f32> {
        let mut noise = ComfortNoise::<1>::default();
        noise.begin(payload);
        let all: Vec<f32> = (0..32_000).map(|_| noise.next()).collect();
        all[1_600..].to_vec()
    }

    fn level(samples: &[f32]) -> f32 {
        let power = samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32;
        10.0 * power.log10()
    }

    #[test]
    fn the_level_is_as_told_with_and_without_a_spectrum() {
        for told in [40_u8, 55, 70] {
            for spectrum in [&[][..], &[30, 150, 100], &[127; 8], &[20, 200]] {
                let payload: Vec<u8> = [told].into_iter().chain(spectrum.iter().copied()).collect();
                let heard = level(&noise(&payload));
                let wrong = heard + f32::from(told);
                assert!(wrong.abs() < 1.5, "{told} {spectrum:?}: {heard} dBov");
            }
        }
    }

    #[test]
    fn the_spectrum_is_as_told() {
        // The reflection coefficients that come out are those that went in.
        let told = Silence::parse(&[50, 40, 160, 100, 140]).unwrap();
        let heard = noise(&[50, 40, 160, 100, 140]);
        let heard = Silence::of(&correlate(&heard), heard.len());
        for (told, heard) in told.reflections.iter().zip(heard.reflections) {
            assert!((told - heard).abs() < 0.05, "{told} {heard}");
        }
    }

    /// What `FFmpeg` 5.1 writes for brown noise (low frequencies prevail) and for violet noise:
    /// `ffmpeg -f lavfi -i anoisesrc=color=brown:amplitude=0.02:r=8000 -c:a comfortnoise`.
    #[test]
    fn another_encoders_descriptor_tilts_the_noise_the_way_that_it_meant() {
        for (payload, low) in [(&BROWN, true), (&VIOLET, false)] {
            let heard = noise(payload);
            let correlation = correlate(&heard);
            let tilt = correlation[1] / correlation[0];
            assert_eq!(tilt > 0.3, low, "{tilt}");
            assert_eq!(tilt < -0.3, !low, "{tilt}");
        }
    }

    const BROWN: [u8; 11] = [50, 3, 108, 107, 133, 141, 127, 125, 127, 116, 126];
    const VIOLET: [u8; 11] = [50, 249, 129, 139, 137, 134, 133, 134, 121, 121, 129];

    #[test]
    fn it_fades_in_and_follows_a_new_level_without_a_step() {
        let mut noise = ComfortNoise::<2>::default();
        noise.begin(&[40]);
        let start: Vec<f32> = (0..320).map(|_| noise.next()).collect();
        assert!(level(&start[..32]) < level(&start[288..]) - 10.0);
        let loud: Vec<f32> = (0..3_200).map(|_| noise.next()).collect();
        noise.begin(&[60]);
        let turn: Vec<f32> = (0..160).map(|_| noise.next()).collect();
        let soft: Vec<f32> = (0..6_400).map(|_| noise.next()).collect();
        let soft = &soft[3_200..];
        assert!((level(&loud) - level(soft) - 20.0).abs() < 2.0);
        assert!(level(&turn) > level(soft) + 6.0, "it glides");
    }
}
