//! What a recording gets of a call, and what the call gets of its recording; sans-IO.
//!
//! While a recording is paused (payment data) it gets silence of the same length between two short
//! marks, so that its times stay those of the call and nobody takes the gap for a fault. The tone by
//! which both sides may be told that they are recorded is 1400 Hz for 0.2 s each 15 s (47 CFR 64.501).

use crate::media::command::Tone;
use crate::media::frame::{FRAME_TIME, Frame, SILENCE};
use crate::media::gap::{Gap, MOST_GAPS};
use crate::media::tone::TonePlayer;

/// How long a mark is, in frames of 10 ms.
const MARK_FRAMES: u32 = 12;

/// The state of one call's recording.
#[derive(Default)]
pub(super) struct Recorded {
    paused: bool,
    mark: Option<(TonePlayer, u32)>,
    /// How long the recording is, in frames.
    frames: u32,
    /// Its gaps; the last one may last still.
    gaps: Vec<Gap>,
    /// Whether the last one changed since somebody asked.
    changed: bool,
    notice: Option<TonePlayer>,
}

impl Recorded {
    /// A recording that begins; with the tone if both sides are to hear that.
    pub(super) fn begin(tone: bool) -> Self {
        Self {
            notice: tone.then(|| TonePlayer::new(Tone::Recorded)),
            ..Self::default()
        }
    }

    /// Pauses it, or goes on.
    pub(super) fn pause(&mut self, paused: bool) {
        if self.paused != paused {
            self.paused = paused;
            self.mark = Some((TonePlayer::new(Tone::Gap), MARK_FRAMES));
            self.note_gap();
        }
    }

    /// The recording ends.
    pub(super) fn end(&mut self) {
        if std::mem::take(&mut self.paused) {
            self.note_gap();
        }
    }

    /// The gap that began or ended since this was asked.
    pub(super) fn changed_gap(&mut self) -> Option<Gap> {
        let changed = std::mem::take(&mut self.changed);
        self.gaps.last().copied().filter(|_| changed)
    }

    /// All gaps.
    pub(super) fn take_gaps(&mut self) -> Vec<Gap> {
        std::mem::take(&mut self.gaps)
    }

    /// Remembers where a gap begins, or how long it was.
    fn note_gap(&mut self) {
        let now = FRAME_TIME * self.frames;
        if self.paused {
            if self.gaps.len() >= MOST_GAPS {
                return;
            }
            self.gaps.push(Gap {
                start: now,
                length: None,
            });
        } else if let Some(gap) = self.gaps.last_mut().filter(|gap| gap.length.is_none()) {
            gap.length = Some(now.saturating_sub(gap.start));
        } else {
            return;
        }
        self.changed = true;
    }

    /// The tone's next 10 ms, for both sides; none while nobody is recorded.
    pub(super) fn notice(&mut self) -> Option<Frame> {
        let mut frame = SILENCE;
        let player = self.notice.as_mut().filter(|_| !self.paused)?;
        player.mix_into(&mut frame);
        Some(frame)
    }

    /// What is written of both sides.
    pub(super) fn take(&mut self, agent: &Frame, far_end: &Frame) -> [Frame; 2] {
        let mut sides = if self.paused {
            [SILENCE; 2]
        } else {
            [*agent, *far_end]
        };
        self.frames = self.frames.saturating_add(1);
        if let Some((player, left)) = &mut self.mark {
            let mut mark = SILENCE;
            player.mix_into(&mut mark);
            for side in &mut sides {
                for (sample, mark) in side.iter_mut().zip(&mark) {
                    *sample += mark;
                }
            }
            *left -= 1;
            if *left == 0 {
                self.mark = None;
            }
        }
        sides
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::frame::{FRAME_SAMPLES, peak};

    const AGENT: Frame = [0.5; FRAME_SAMPLES];
    const FAR_END: Frame = [-0.25; FRAME_SAMPLES];

    fn levels(recorded: &mut Recorded, frames: usize) -> Vec<[f32; 2]> {
        let level = |_| recorded.take(&AGENT, &FAR_END).map(|side| peak(&side));
        (0..frames).map(level).collect()
    }

    #[test]
    fn a_pause_is_a_silence_between_two_marks() {
        let mut recorded = Recorded::begin(false);
        assert_eq!(recorded.take(&AGENT, &FAR_END), [AGENT, FAR_END]);
        recorded.pause(true);
        let gap = levels(&mut recorded, 100);
        let (mark, silence) = gap.split_at(12);
        assert!(mark.iter().flatten().all(|level| *level < 0.12));
        assert!(mark.iter().flatten().any(|level| *level > 0.05));
        assert!(silence.iter().flatten().all(|level| *level == 0.0));
        recorded.pause(true);
        assert_eq!(recorded.take(&AGENT, &FAR_END), [SILENCE; 2], "one mark");
        recorded.pause(false);
        let mark = levels(&mut recorded, 12);
        assert!(mark.iter().any(|[agent, _]| *agent > 0.55), "{mark:?}");
        assert_eq!(recorded.take(&AGENT, &FAR_END), [AGENT, FAR_END]);
    }

    #[test]
    fn both_sides_hear_a_tone_each_quarter_of_a_minute_while_they_are_recorded() {
        let mut recorded = Recorded::begin(true);
        let mut heard = Vec::new();
        for frame in 0..4_000 {
            if let Some(notice) = recorded.notice()
                && peak(&notice) > 0.05
            {
                heard.push(frame);
            }
        }
        // Three bursts of 20 frames, 1500 apart.
        let begins: Vec<i32> = heard
            .iter()
            .copied()
            .filter(|frame| !heard.contains(&(frame - 1)))
            .collect();
        assert_eq!(begins, [0, 1_500, 3_000]);
        assert!((54..=60).contains(&heard.len()), "{}", heard.len());
        recorded.pause(true);
        assert_eq!(recorded.notice(), None);
        assert_eq!(Recorded::begin(false).notice(), None);
    }
}
