//! Notices a microphone that gives nothing.

use crate::media::frame::Frame;

/// So many ticks without any sound are told: 3 s.
const PATIENCE: u32 = 300;
/// A microphone that falls silent and comes back again and again, such as one that is switched off at
/// pauses, is told less and less often; at last after five minutes.
const MOST_PATIENCE: u32 = 30_000;
/// Samples that differ by less are the same: a third of the least step of 16 bits.
const SAME: f32 = 1e-5;

/// What became of the microphone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MicrophoneState {
    /// It gives frames, but nothing is in them: it is muted, or the system keeps it from us.
    Silent,
    /// It gives no frames any more.
    Stopped,
    /// After one of these it gives sound again.
    Back,
}

/// Counts ticks of 10 ms in which the microphone is wanted.
#[derive(Debug)]
pub struct MicrophoneWatch {
    /// The value that all samples have had.
    value: f32,
    /// For so many ticks.
    silent: u32,
    /// So many ticks have brought no frame.
    missing: u32,
    patience: u32,
    told: Option<MicrophoneState>,
}

impl Default for MicrophoneWatch {
    fn default() -> Self {
        Self {
            value: 0.0,
            silent: 0,
            missing: 0,
            patience: PATIENCE,
            told: None,
        }
    }
}

impl MicrophoneWatch {
    /// Takes what one tick brought: a frame, or none. The agent's own mute is no trouble, so what
    /// comes meanwhile does not count as silence.
    pub fn tick(&mut self, frame: Option<&Frame>, muted: bool) -> Option<MicrophoneState> {
        let Some(frame) = frame else {
            // One that is late breaks no silence.
            self.missing = self.missing.saturating_add(1);
            let told = self.trouble(self.missing, MicrophoneState::Stopped);
            if told.is_some() {
                self.silent = 0;
            }
            return told;
        };
        self.missing = 0;
        let same = |sample: &f32| (sample - self.value).abs() < SAME;
        if frame.iter().all(same) {
            self.silent = if muted {
                0
            } else {
                self.silent.saturating_add(1)
            };
            if self.told == Some(MicrophoneState::Stopped) {
                return self.back();
            }
            return self.trouble(self.silent, MicrophoneState::Silent);
        }
        let [first, ..] = frame;
        self.value = *first;
        // One click on the way to another constant value is no sound yet.
        let constant = frame.iter().all(|sample| (sample - first).abs() < SAME);
        self.silent = u32::from(constant);
        if constant { None } else { self.back() }
    }

    fn trouble(&mut self, ticks: u32, state: MicrophoneState) -> Option<MicrophoneState> {
        if ticks < self.patience || self.told == Some(state) {
            return None;
        }
        self.told = Some(state);
        self.patience = (self.patience * 2).min(MOST_PATIENCE);
        self.told
    }

    fn back(&mut self) -> Option<MicrophoneState> {
        self.told.take().map(|_| MicrophoneState::Back)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::frame::{FRAME_SAMPLES, SILENCE};
    use crate::media::processing::acoustics::Noise;

    fn told(
        watch: &mut MicrophoneWatch,
        ticks: u32,
        frame: Option<&Frame>,
        muted: bool,
    ) -> Vec<(u32, MicrophoneState)> {
        (1..=ticks)
            .filter_map(|tick| watch.tick(frame, muted).map(|state| (tick, state)))
            .collect()
    }

    fn hiss() -> Frame {
        // A quiet room through a good microphone.
        let sound = Noise::new(1).steady(FRAME_SAMPLES, 5e-5);
        sound.try_into().unwrap()
    }

    #[test]
    fn three_seconds_of_nothing_are_told_once_and_so_is_the_end() {
        for value in [0.0, 0.25] {
            let mut watch = MicrophoneWatch::default();
            assert_eq!(told(&mut watch, 500, Some(&hiss()), false), []);
            let nothing = [value; FRAME_SAMPLES];
            let once = told(&mut watch, 3_000, Some(&nothing), false);
            assert!(
                matches!(once.as_slice(), [(300 | 301, MicrophoneState::Silent)]),
                "{once:?}"
            );
            assert_eq!(
                told(&mut watch, 100, Some(&hiss()), false),
                [(1, MicrophoneState::Back)]
            );
        }
    }

    #[test]
    fn silence_is_told_also_where_a_frame_is_late_now_and_then() {
        let mut watch = MicrophoneWatch::default();
        let frames = (1..=400).map(|tick| (tick % 50 != 0).then_some(&SILENCE));
        let told: Vec<MicrophoneState> = frames
            .filter_map(|frame| watch.tick(frame, false))
            .collect();
        assert_eq!(told, [MicrophoneState::Silent]);
    }

    #[test]
    fn frames_that_stop_coming_are_told_and_that_they_come_again() {
        let mut watch = MicrophoneWatch::default();
        told(&mut watch, 10, Some(&hiss()), false);
        assert_eq!(
            told(&mut watch, 1_000, None, true),
            [(300, MicrophoneState::Stopped)]
        );
        assert_eq!(
            told(&mut watch, 10, Some(&SILENCE), false)
                .first()
                .map(|(_, state)| *state),
            Some(MicrophoneState::Back)
        );
        // A stall now and then is none.
        let mut watch = MicrophoneWatch::default();
        for _ in 0..10 {
            assert_eq!(told(&mut watch, 299, None, false), []);
            assert_eq!(told(&mut watch, 1, Some(&hiss()), false), []);
        }
    }

    #[test]
    fn the_agents_own_mute_is_no_trouble() {
        let mut watch = MicrophoneWatch::default();
        assert_eq!(told(&mut watch, 3_000, Some(&SILENCE), true), []);
        assert_eq!(
            told(&mut watch, 400, Some(&SILENCE), false),
            [(300, MicrophoneState::Silent)]
        );
    }

    #[test]
    fn one_that_is_switched_off_in_each_pause_is_told_less_and_less() {
        let mut watch = MicrophoneWatch::default();
        let mut count = 0;
        for _ in 0..20 {
            count += told(&mut watch, 400, Some(&SILENCE), false).len();
            told(&mut watch, 400, Some(&hiss()), false);
        }
        assert_eq!(count, 1);
    }
}
