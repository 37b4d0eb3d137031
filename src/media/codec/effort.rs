//! How much of the processor a decoder may take, and how that follows the load.

use std::time::{Duration, Instant};

/// Between two changes for the worse: as long as it takes to see what the last one brought.
const SETTLE: Duration = Duration::from_secs(1);
/// The span over which work is summed up.
const SPAN: Duration = Duration::from_millis(500);
/// Quiet for so long before more is dared.
const CALM: Duration = Duration::from_secs(10);
/// The share of its time that the media thread works, above which ticks come late soon.
const STRAINED: f32 = 0.7;
/// The share below which the next step fits: none doubles what is used.
const EASY: f32 = 0.35;

/// What the decoder does beside decoding; figures are processor time for a second of speech of which a
/// tenth is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Effort {
    /// Loss is filled by repetition: 1 ms.
    Plain,
    /// A network makes up what is lost: 3 ms.
    Deep,
    /// Also LACE clears what few bits have blurred.
    Lace,
    /// `NoLACE` does so better: 4.5 ms.
    #[default]
    NoLace,
}

impl Effort {
    /// The complexity that libopus is told.
    pub(super) fn complexity(self) -> u8 {
        match self {
            Self::Plain => 0,
            Self::Deep => 5,
            Self::Lace => 6,
            Self::NoLace => 7,
        }
    }

    /// Whether a network makes up what is lost.
    pub(super) fn is_deep(self) -> bool {
        self >= Self::Deep
    }

    fn less(self) -> Self {
        match self {
            Self::Plain | Self::Deep => Self::Plain,
            Self::Lace => Self::Deep,
            Self::NoLace => Self::Lace,
        }
    }

    fn more(self) -> Self {
        match self {
            Self::Plain => Self::Deep,
            Self::Deep => Self::Lace,
            Self::Lace | Self::NoLace => Self::NoLace,
        }
    }
}

/// Lowers the effort of all decoders at once when the media thread gets short of time, one step a second,
/// and raises it after ten calm seconds.
#[derive(Debug)]
pub struct EffortRule {
    effort: Effort,
    span_began: Instant,
    /// Work in this span.
    worked: Duration,
    /// Ticks left out before this span.
    left_out: u64,
    changed: Instant,
    /// Since when there was time enough.
    calm_since: Option<Instant>,
}

impl EffortRule {
    /// Begins with everything on.
    pub fn new(now: Instant) -> Self {
        Self {
            effort: Effort::default(),
            span_began: now,
            worked: Duration::ZERO,
            left_out: 0,
            changed: now,
            calm_since: None,
        }
    }

    /// What the decoders may do.
    pub fn effort(&self) -> Effort {
        self.effort
    }

    /// Takes note of work between two moments, and of how many ticks were left out so far because
    /// there was no time; gives the new effort where it changes.
    pub fn note_work(&mut self, from: Instant, to: Instant, left_out: u64) -> Option<Effort> {
        self.worked += to.saturating_duration_since(from);
        let span = to.saturating_duration_since(self.span_began);
        if span < SPAN {
            return None;
        }
        let busy = self.worked.as_secs_f32() / span.as_secs_f32();
        let late = left_out > self.left_out;
        self.span_began = to;
        self.worked = Duration::ZERO;
        self.left_out = left_out;
        let before = self.effort;
        (self.look(to, busy, late) != before).then_some(self.effort)
    }

    /// Takes what share of the last span the thread worked, 0.0 to 1.0, and whether ticks were left
    /// out in it; gives what the decoders may do from here on.
    fn look(&mut self, now: Instant, busy: f32, late: bool) -> Effort {
        let settled = now.saturating_duration_since(self.changed) >= SETTLE;
        if late || busy > STRAINED {
            self.calm_since = None;
            if settled {
                self.change(now, self.effort.less(), busy);
            }
        } else if busy > EASY {
            self.calm_since = None;
        } else {
            let since = *self.calm_since.get_or_insert(now);
            if now.saturating_duration_since(since) >= CALM {
                self.calm_since = Some(now);
                self.change(now, self.effort.more(), busy);
            }
        }
        self.effort
    }

    fn change(&mut self, now: Instant, effort: Effort, busy: f32) {
        if effort != self.effort {
            tracing::info!(old = ?self.effort, new = ?effort, busy, "the effort of decoding follows the load");
            self.effort = effort;
            self.changed = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::monotonic_now;

    /// Half-second looks of which each has that load; the effort after each.
    fn follow(rule: &mut EffortRule, at: &mut Instant, looks: u32, busy: f32) -> Vec<Effort> {
        (0..looks)
            .map(|_| {
                *at += Duration::from_millis(500);
                rule.look(*at, busy, false)
            })
            .collect()
    }

    #[test]
    fn it_falls_a_step_a_second_under_load_and_rises_after_ten_calm_seconds() {
        let mut at = monotonic_now();
        let mut rule = EffortRule::new(at);
        let calm = follow(&mut rule, &mut at, 10, 0.1);
        assert!(calm.iter().all(|effort| *effort == Effort::NoLace));
        let loaded = follow(&mut rule, &mut at, 7, 0.8);
        assert_eq!(
            loaded,
            [
                Effort::Lace,
                Effort::Lace,
                Effort::Deep,
                Effort::Deep,
                Effort::Plain,
                Effort::Plain,
                Effort::Plain
            ]
        );
        let middling = follow(&mut rule, &mut at, 100, 0.5);
        assert!(middling.iter().all(|effort| *effort == Effort::Plain));
        let easy = follow(&mut rule, &mut at, 64, 0.2);
        let risen = [19, 20, 40, 41, 61, 62].map(|look| easy[look]);
        assert_eq!(easy.last(), Some(&Effort::NoLace), "{risen:?}");
        assert_eq!(easy[19], Effort::Plain);
        assert_eq!(easy[20], Effort::Deep);
        assert_eq!(easy[40], Effort::Lace);
    }

    #[test]
    fn work_is_summed_up_over_half_a_second() {
        let begin = monotonic_now();
        let mut rule = EffortRule::new(begin);
        let mut changes = Vec::new();
        for turn in 0..500 {
            // 9 of each 10 ms.
            let from = begin + Duration::from_millis(10) * turn;
            changes.extend(rule.note_work(from, from + Duration::from_millis(9), 0));
        }
        assert_eq!(changes, [Effort::Lace, Effort::Deep, Effort::Plain]);
        let mut short = EffortRule::new(begin);
        let to = begin + SETTLE;
        assert_eq!(short.note_work(begin, to - SPAN, 0), None);
        assert_eq!(short.note_work(to, to, 3), Some(Effort::Lace));
        assert_eq!(short.note_work(to, to + SPAN * 3, 3), Some(Effort::Deep));
    }

    #[test]
    fn a_tick_left_out_counts_as_load_whatever_the_share() {
        let mut at = monotonic_now();
        let mut rule = EffortRule::new(at);
        at += SETTLE;
        assert_eq!(rule.look(at, 0.1, true), Effort::Lace);
    }

    #[test]
    fn one_calm_look_between_strained_ones_raises_nothing() {
        let mut at = monotonic_now();
        let mut rule = EffortRule::new(at);
        follow(&mut rule, &mut at, 10, 0.9);
        for _ in 0..50 {
            follow(&mut rule, &mut at, 2, 0.6);
            follow(&mut rule, &mut at, 10, 0.1);
        }
        assert_eq!(rule.look(at, 0.1, false), Effort::Plain);
    }
}
