//! When our side is silent, and what it then tells of its background.
//!
//! A detector of our own: it compares each 10 ms with the floor of the noise. It errs towards
//! sending: what is loud, and what is a tone, is never silence, so that music and signals get
//! through.

use crate::media::codec::silence::{ORDER, Silence, correlate, level_of};

/// Samples of 10 ms at 8 kHz.
const STEP: usize = 80;
/// Sound by so much above the floor is speech, in decibels.
const ABOVE_FLOOR: f32 = 6.0;
/// Louder is never silence, in dBov: speech that is whispered into a microphone.
const LOUD: f32 = -40.0;
/// Softer is never speech, in dBov: the noise of the law itself.
const SOFT: f32 = -72.0;
/// The floor rises by so many decibels in 10 ms, and falls at once.
const FLOOR_RISE: f32 = 0.02;
/// What is foretold better than this is a tone and no noise.
const TONE: f32 = 0.02;
/// After speech it is sent on for so many steps: 250 ms, the ends of words.
const HANGOVER: u32 = 25;
/// In the first steps all is sent while the floor is learnt: 500 ms.
const LEARNING: u32 = 50;
/// The share of each step in the background that is told.
const MEMORY: f32 = 0.1;
/// The level that is told may differ by so much from what it is, in decibels.
const TOLERANCE: u8 = 3;
/// Steps between two descriptors: at least 200 ms, and at most 1 s.
const LEAST_STEPS: u32 = 20;
const MOST_STEPS: u32 = 100;

/// What a packet's sound is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Activity {
    /// Speech, or what may be.
    Sounding,
    /// Background; it is told where the far end needs to know.
    Silent(Option<Silence>),
}

/// The detector of one stream at `scale` times 8 kHz.
#[derive(Debug, Clone)]
pub(super) struct Suppressor {
    scale: usize,
    /// The level of the noise, in dBov.
    floor: f32,
    hangover: u32,
    correlation: [f32; ORDER + 1],
    /// The level told last, and the steps since then; none while we sound.
    told: Option<(u8, u32)>,
}

impl Suppressor {
    pub(super) fn new(scale: usize) -> Self {
        Self {
            scale,
            floor: LOUD,
            hangover: LEARNING,
            correlation: [0.0; ORDER + 1],
            told: None,
        }
    }

    /// Judges one packet of 10 ms or more.
    pub(super) fn judge(&mut self, samples: &[f32]) -> Activity {
        let mut steps = 0;
        let mut sounding = false;
        for piece in samples.chunks_exact(STEP * self.scale) {
            sounding |= self.is_speech(piece);
            steps += 1;
        }
        if sounding {
            self.told = None;
            return Activity::Sounding;
        }
        let silence = Silence::of(&self.correlation, STEP * self.scale);
        let due = self.told.is_none_or(|(level, since)| {
            let since = since + steps;
            since >= MOST_STEPS
                || (since >= LEAST_STEPS && silence.level.abs_diff(level) >= TOLERANCE)
        });
        self.told = match self.told {
            Some((level, since)) if !due => Some((level, since + steps)),
            Some(_) | None => Some((silence.level, 0)),
        };
        Activity::Silent(due.then_some(silence))
    }

    fn is_speech(&mut self, piece: &[f32]) -> bool {
        let correlation = correlate(piece);
        let level = -f32::from(level_of(correlation[0] / piece.len().max(1) as f32));
        let noise = level <= SOFT || {
            let tone = Silence::of(&correlation, piece.len()).unpredicted() < TONE;
            level <= LOUD && level <= self.floor + ABOVE_FLOOR && !tone
        };
        self.floor = level.max(SOFT).min(self.floor + FLOOR_RISE).min(LOUD);
        if !noise {
            self.hangover = self.hangover.max(HANGOVER);
            return true;
        }
        for (kept, new) in self.correlation.iter_mut().zip(correlation) {
            *kept += (new - *kept) * MEMORY;
        }
        self.hangover = self.hangover.saturating_sub(1);
        self.hangover > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::{Random as _, SeededRandom};

    /// Noise of that level in dBov.
    fn noise(random: &mut SeededRandom, level: f32, count: usize) -> Vec<f32> {
        // An even distribution from −a to a has the power a²/3.
        let peak = 10.0_f32.powf(level / 20.0) * 3.0_f32.sqrt();
        (0..count)
            .map(|_| (random.next_u32() as f32 / u32::MAX as f32 * 2.0 - 1.0) * peak)
            .collect()
    }

    /// The packets of 20 ms that are sent, as letters: `s`ound, `d`escriptor, `.` nothing.
    fn sent(suppressor: &mut Suppressor, sound: &[f32]) -> String {
        sound
            .chunks_exact(160)
            .map(|packet| match suppressor.judge(packet) {
                Activity::Sounding => 's',
                Activity::Silent(Some(_)) => 'd',
                Activity::Silent(None) => '.',
            })
            .collect()
    }

    #[test]
    fn a_quiet_room_is_told_once_a_second_and_speech_is_sent() {
        let mut random = SeededRandom::new(1);
        let mut suppressor = Suppressor::new(1);
        let room = noise(&mut random, -60.0, 8_000 * 4);
        let quiet = sent(&mut suppressor, &room);
        // It learns first.
        let (learning, learnt) = quiet.split_at(25);
        assert_eq!(learning, "s".repeat(25));
        assert!(!learnt.contains('s'), "{quiet}");
        assert!((3..=5).contains(&quiet.matches('d').count()), "{quiet}");
        let speech = noise(&mut random, -30.0, 8_000);
        assert_eq!(sent(&mut suppressor, &speech), "s".repeat(50));
        // The ends of words are sent, then it is silent again.
        let after = sent(&mut suppressor, &room[..16_000]);
        let (hangover, silent) = after.split_at(14);
        assert!(hangover.starts_with(&"s".repeat(12)), "{after}");
        assert!(silent.starts_with(".."), "{after}");
    }

    #[test]
    fn the_background_is_told_as_it_is_and_again_when_it_changes() {
        let mut random = SeededRandom::new(2);
        let mut suppressor = Suppressor::new(1);
        sent(&mut suppressor, &noise(&mut random, -62.0, 16_000));
        let levels: Vec<u8> = noise(&mut random, -58.0, 8_000)
            .chunks_exact(160)
            .filter_map(|packet| match suppressor.judge(packet) {
                Activity::Silent(told) => told,
                Activity::Sounding => panic!("4 dB more are no speech"),
            })
            .map(|silence| silence.level)
            .collect();
        assert!((57..=60).contains(levels.last().unwrap()), "{levels:?}");
    }

    #[test]
    fn tones_and_loud_music_are_never_silence() {
        let mut suppressor = Suppressor::new(1);
        for (hertz, peak) in [(440.0, 0.004), (1_000.0, 0.2)] {
            let tone: Vec<f32> = (0..8_000 * 30)
                .map(|n| peak * (2.0 * std::f32::consts::PI * hertz * n as f32 / 8_000.0).sin())
                .collect();
            let sent = sent(&mut suppressor, &tone);
            assert_eq!(sent.matches('s').count(), sent.len(), "{hertz}");
        }
        let mut random = SeededRandom::new(3);
        let sent = sent(&mut suppressor, &noise(&mut random, -35.0, 8_000 * 60));
        assert_eq!(sent.matches('s').count(), sent.len());
    }

    #[test]
    fn a_muted_microphone_is_told_as_silence() {
        let mut suppressor = Suppressor::new(2);
        let mut last = Activity::Sounding;
        for _ in 0..100 {
            let activity = suppressor.judge(&[0.0; 320]);
            if let Activity::Silent(Some(_)) = activity {
                last = activity;
            }
        }
        let Activity::Silent(Some(silence)) = last else {
            panic!("{last:?}");
        };
        assert_eq!(silence.level, 127);
    }
}
