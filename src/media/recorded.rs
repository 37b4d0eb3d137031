//! What a recording gets of a call, and what the call gets of its recording; sans-IO.
//!
//! While a recording is paused (payment data) it gets silence of the same length between two short
//! marks, so that its times stay those of the call and nobody takes the gap for a fault. What is lost
//! because the disk did not keep up is a gap, too, without marks. The tone by
//! which both sides may be told that they are recorded is 1400 Hz for 0.2 s each 15 s (47 CFR 64.501).

use std::collections::VecDeque;

use crate::media::command::Tone;
use crate::media::frame::{FRAME_TIME, Frame, SILENCE};
use crate::media::gap::{Gap, GapCause, MOST_GAPS};
use crate::media::tone::TonePlayer;

/// How long a mark is, in frames of 10 ms.
const MARK_FRAMES: u32 = 12;

/// The state of one call's recording.
#[derive(Default)]
pub(super) struct Recorded {
    paused: bool,
    /// Whether what was written last is lost.
    losing: bool,
    mark: Option<(TonePlayer, u32)>,
    /// How long the recording is, in frames.
    frames: u32,
    /// Its gaps; the last one may last still.
    gaps: Vec<Gap>,
    /// Those that changed since somebody asked; a pause may begin where a loss ends.
    changed: VecDeque<Gap>,
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
            self.losing = false;
            self.mark = Some((TonePlayer::new(Tone::Gap), MARK_FRAMES));
            self.end_gap(self.frames);
            if paused {
                self.begin_gap(GapCause::Paused, self.frames);
            }
        }
    }

    /// Whether what was taken last is written or lost. In a pause nothing can be lost.
    pub(super) fn note_written(&mut self, kept: bool) {
        if self.paused || self.losing != kept {
            return;
        }
        self.losing = !kept;
        let before = self.frames.saturating_sub(1);
        if kept {
            self.end_gap(before);
        } else {
            self.begin_gap(GapCause::DiskBehind, before);
        }
    }

    /// The recording ends.
    pub(super) fn end(&mut self) {
        (self.paused, self.losing) = (false, false);
        self.end_gap(self.frames);
    }

    /// The next gap that began or ended since this was asked.
    pub(super) fn changed_gap(&mut self) -> Option<Gap> {
        self.changed.pop_front()
    }

    /// All gaps.
    pub(super) fn take_gaps(&mut self) -> Vec<Gap> {
        std::mem::take(&mut self.gaps)
    }

    /// Remembers where a gap begins, behind so many frames.
    fn begin_gap(&mut self, cause: GapCause, frames: u32) {
        if self.gaps.len() >= MOST_GAPS {
            return;
        }
        let gap = Gap {
            cause,
            start: FRAME_TIME * frames,
            length: None,
        };
        self.gaps.push(gap);
        self.changed.push_back(gap);
    }

    /// Remembers how long the gap was that ends behind so many frames, if there is one.
    fn end_gap(&mut self, frames: u32) {
        if let Some(gap) = self.gaps.last_mut().filter(|gap| gap.length.is_none()) {
            gap.length = Some((FRAME_TIME * frames).saturating_sub(gap.start));
            self.changed.push_back(*gap);
        }
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
    use std::time::Duration;

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
    fn what_is_lost_is_a_gap_that_a_pause_ends() {
        let mut recorded = Recorded::begin(false);
        let write = |recorded: &mut Recorded, frames: u32, kept: bool| {
            for _ in 0..frames {
                recorded.take(&AGENT, &FAR_END);
                recorded.note_written(kept);
            }
        };
        write(&mut recorded, 10, true);
        assert_eq!(recorded.changed_gap(), None);
        write(&mut recorded, 5, false);
        write(&mut recorded, 5, true);
        write(&mut recorded, 5, false);
        recorded.pause(true);
        write(&mut recorded, 5, false);
        recorded.pause(false);
        write(&mut recorded, 1, false);
        recorded.end();
        let gap = |cause, start: u64, length: Option<u64>| Gap {
            cause,
            start: Duration::from_millis(start),
            length: length.map(Duration::from_millis),
        };
        let (lost, paused) = (GapCause::DiskBehind, GapCause::Paused);
        let gaps = [
            (lost, 100, 50),
            (lost, 200, 50),
            (paused, 250, 50),
            (lost, 300, 10),
        ];
        let told: Vec<Gap> = std::iter::from_fn(|| recorded.changed_gap()).collect();
        let expected: Vec<Gap> = gaps
            .iter()
            .flat_map(|(cause, start, length)| {
                [
                    gap(*cause, *start, None),
                    gap(*cause, *start, Some(*length)),
                ]
            })
            .collect();
        assert_eq!(told, expected);
        assert_eq!(
            recorded.take_gaps(),
            gaps.map(|(c, s, l)| gap(c, s, Some(l)))
        );
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
