//! The test of the sound devices, levels and volumes.

use crate::app::engine::Engine;
use crate::config::Settings;
use crate::control::{
    LatencyView, LevelView, LevelsView, QUIETEST, SoundCheck, SoundCheckStage, SoundCheckView,
};
use crate::media::level::{Level, Levels};
use crate::media::{MediaCommand, SoundTest, SoundTestNews, Volumes};

/// The volumes of the settings.
pub(super) fn volumes(settings: &Settings) -> Volumes {
    Volumes {
        microphone: settings.microphone_volume,
        speaker: settings.speaker_volume,
        ringer: settings.ringer_volume,
    }
}

impl Engine {
    /// Begins a test of the devices, or ends it.
    pub(super) fn check_sound(&mut self, check: Option<SoundCheck>) {
        let calls = self.calls.values().any(|call| call.ended.is_none());
        if check.is_some() && calls {
            let text = "a call has the sound devices; test them after it";
            return self.problem(None, text.to_owned());
        }
        if let Some(check) = check {
            self.make_way_for_test();
            let view = &mut self.sound_check;
            view.on = true;
            view.no_microphone = false;
            view.stage = (check != SoundCheck::Listen).then_some(SoundCheckStage::Opening);
            if check == SoundCheck::Latency {
                view.latency = None;
            }
        }
        let test = check.map(|check| match check {
            SoundCheck::Listen => SoundTest::Listen,
            SoundCheck::Record => SoundTest::Record,
            SoundCheck::Latency => SoundTest::Latency,
            SoundCheck::Ring => SoundTest::Ring,
        });
        self.sound(MediaCommand::SoundTest(test));
    }

    /// Takes how a test goes.
    pub(super) fn handle_sound_test(&mut self, news: SoundTestNews) {
        let view = &mut self.sound_check;
        view.stage = match news {
            SoundTestNews::Recording => Some(SoundCheckStage::Recording),
            SoundTestNews::Playing => Some(SoundCheckStage::Playing),
            SoundTestNews::Measuring => Some(SoundCheckStage::Measuring),
            SoundTestNews::Ringing => Some(SoundCheckStage::Ringing),
            SoundTestNews::Latency(latency) => {
                let heard = latency.map(|way| u32::try_from(way.as_millis()).unwrap_or(u32::MAX));
                view.latency = Some(heard.map_or(LatencyView::NotHeard, LatencyView::Heard));
                None
            }
            SoundTestNews::NoMicrophone => {
                view.no_microphone = true;
                None
            }
            SoundTestNews::Done => None,
            SoundTestNews::Ended => {
                *view = SoundCheckView {
                    latency: view.latency,
                    ..SoundCheckView::default()
                };
                None
            }
        };
    }

    /// Takes how loud the devices are.
    pub(super) fn handle_levels(&mut self, levels: Levels) {
        let heard = self.sound_check.on || !self.focus.is_empty();
        let levels = heard.then(|| LevelsView {
            microphone: shown(levels.microphone),
            speaker: shown(levels.speaker),
        });
        // Each change draws the window.
        self.published.louder |= levels != self.sound_check.levels;
        self.sound_check.levels = levels;
    }
}

fn shown(level: Level) -> LevelView {
    LevelView {
        peak: decibels(level.peak),
        mean: decibels(level.rms),
    }
}

/// Parts of the full scale in whole decibels.
#[expect(
    clippy::cast_possible_truncation,
    reason = "between -60 and 0, and not-a-number becomes 0"
)]
fn decibels(part: f32) -> i8 {
    let quietest = f32::from(QUIETEST);
    (20.0 * part.log10()).clamp(quietest, 0.0).round() as i8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decibels_go_from_silence_to_the_full_scale() {
        let levels = [0.0, 0.000_1, 0.001, 0.1, 0.5, 1.0, 2.0].map(decibels);
        assert_eq!(levels, [-60, -60, -60, -20, -6, 0, 0]);
    }
}
