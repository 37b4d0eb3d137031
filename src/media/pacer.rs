//! The clock of the tick: which ticks of 10 ms are due.

use std::time::{Duration, Instant};

use crate::media::device::BACKLOG_FRAMES;
use crate::media::frame::FRAME_TIME;

/// Ticks that are made up for at once after a stall; what is beyond is left out.
const MAX_CATCH_UP: u32 = 8;

/// A sound card that is late by so much has stalled; the timer takes its place meanwhile.
const STALL: Duration = Duration::from_millis(40);
/// The part of a card's unevenness that a tick's time takes over is one of so many.
const SMOOTHING: u32 = 16;

/// Deadlines on the monotonic clock, which never drift: each is the one before plus 10 ms.
#[derive(Debug)]
pub(super) struct Pacer {
    deadline: Instant,
    /// When the sound card was ready last.
    card_ready: Instant,
    left_out: u64,
    /// Those that nobody asked for yet.
    untold: u32,
}

impl Pacer {
    /// The first tick is due at once.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            deadline: now,
            card_ready: now,
            left_out: 0,
            untold: 0,
        }
    }

    /// Gives the time of a tick that is due, until none is.
    pub(super) fn next_due(&mut self, now: Instant) -> Option<Instant> {
        if now < self.deadline {
            return None;
        }
        let late = now.duration_since(self.deadline);
        if late >= FRAME_TIME * MAX_CATCH_UP {
            let skipped = late.as_millis() / FRAME_TIME.as_millis() + 1 - u128::from(MAX_CATCH_UP);
            let skipped = u32::try_from(skipped).unwrap_or(0);
            self.leave_out(skipped);
            self.deadline += FRAME_TIME * skipped;
        }
        let due = self.deadline;
        self.deadline += FRAME_TIME;
        Some(due)
    }

    /// Lets the next ticks come later by so many seconds, or sooner where it is less than none; by less than one
    /// tick.
    pub(super) fn shift(&mut self, seconds: f64) {
        let by = Duration::from_secs_f64(seconds.abs()).min(FRAME_TIME / 2);
        let sooner = self.deadline.checked_sub(by).filter(|_| seconds < 0.0);
        self.deadline = sooner.unwrap_or(self.deadline + by);
    }

    /// The same when a sound card is the clock: a tick is due when the card is ready, and by the
    /// timer while it has stalled. The tick's time is smoothed, because cards deliver in uneven
    /// pieces.
    pub(super) fn follow(&mut self, now: Instant, ready: bool) -> Option<Instant> {
        if !ready {
            let stalled = now.saturating_duration_since(self.card_ready) >= STALL;
            return if stalled { self.next_due(now) } else { None };
        }
        self.card_ready = now;
        let due = if now >= self.deadline {
            let late = now.duration_since(self.deadline);
            if late > STALL * 2 {
                // What waits in the card is still made up for.
                let missed = late.as_millis() / FRAME_TIME.as_millis() + 1;
                let missed = u32::try_from(missed).unwrap_or(u32::MAX);
                self.leave_out(missed.saturating_sub(BACKLOG_FRAMES));
                now
            } else {
                self.deadline + late / SMOOTHING
            }
        } else {
            let early = self.deadline.duration_since(now);
            self.deadline.checked_sub(early / SMOOTHING).unwrap_or(now)
        };
        self.deadline = due + FRAME_TIME;
        Some(due)
    }

    /// The time until the next tick.
    pub(super) fn wait(&self, now: Instant) -> Duration {
        self.deadline.saturating_duration_since(now)
    }

    /// Ticks that were left out because the thread did not run in time.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Those since this was asked.
    pub(super) fn take_left_out(&mut self) -> u32 {
        std::mem::take(&mut self.untold)
    }

    fn leave_out(&mut self, ticks: u32) {
        self.left_out += u64::from(ticks);
        self.untold = self.untold.saturating_add(ticks);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::monotonic_now;

    fn count(pacer: &mut Pacer, now: Instant) -> u32 {
        let mut ticks = 0;
        while pacer.next_due(now).is_some() {
            ticks += 1;
        }
        ticks
    }

    #[test]
    fn ticks_are_shifted_once_and_go_on_evenly() {
        let start = monotonic_now();
        for (seconds, millis) in [(0.003, 13), (-0.003, 7)] {
            let mut pacer = Pacer::new(start);
            assert_eq!(pacer.next_due(start), Some(start));
            pacer.shift(seconds);
            let at = |millis| start + Duration::from_millis(millis);
            assert_eq!(pacer.next_due(at(millis) - Duration::from_micros(1)), None);
            assert_eq!(pacer.next_due(at(millis)), Some(at(millis)));
            assert_eq!(pacer.next_due(at(millis + 10)), Some(at(millis + 10)));
        }
    }

    #[test]
    fn ticks_do_not_drift_however_late_the_thread_wakes() {
        let start = monotonic_now();
        let mut pacer = Pacer::new(start);
        let mut ticks = 0;
        for wake in 0..1_000_u32 {
            let late = Duration::from_micros(u64::from(wake * 7_919 % 9_000));
            ticks += count(&mut pacer, start + FRAME_TIME * wake + late);
        }
        assert_eq!((ticks, pacer.left_out()), (1_000, 0));
    }

    #[test]
    fn a_card_is_followed_smoothly_and_the_timer_stands_in_when_it_stalls() {
        let start = monotonic_now();
        let mut pacer = Pacer::new(start);
        let mut now = start;
        let mut before = None;
        // A card that runs 0.1 % slow and delivers up to 6 ms unevenly.
        for n in 0..1_000_u32 {
            let uneven = Duration::from_micros(u64::from(n * 7_919 % 6_000));
            now = start + Duration::from_micros(10_010) * n + uneven;
            let at = pacer.follow(now, true).unwrap();
            if let Some(before) = before.replace(at).filter(|_| n > 100) {
                let step = at.duration_since(before);
                assert!(
                    step.abs_diff(FRAME_TIME) < Duration::from_micros(500),
                    "{step:?}"
                );
            }
            assert!(at <= now + Duration::from_millis(6));
        }
        assert_eq!(pacer.follow(now + Duration::from_millis(20), false), None);
        assert!(
            pacer
                .follow(now + Duration::from_millis(60), false)
                .is_some()
        );
    }

    #[test]
    fn a_stall_is_made_up_for_within_bounds() {
        let start = monotonic_now();
        let mut pacer = Pacer::new(start);
        assert_eq!(count(&mut pacer, start + Duration::from_millis(50)), 6);
        assert_eq!(
            count(&mut pacer, start + Duration::from_secs(60)),
            MAX_CATCH_UP
        );
        assert_eq!(pacer.left_out(), 6_001 - 6 - u64::from(MAX_CATCH_UP));
        assert_eq!(pacer.take_left_out(), 6_001 - 6 - MAX_CATCH_UP);
        assert_eq!(pacer.take_left_out(), 0);
        assert_eq!(pacer.wait(start + Duration::from_secs(60)), FRAME_TIME);
    }

    #[test]
    fn behind_a_stall_what_waits_in_a_card_is_made_up_for_and_the_rest_is_left_out() {
        let start = monotonic_now();
        let mut pacer = Pacer::new(start);
        let mut now = start;
        // Behind a stall the card gives all that it may keep at once, and then goes on.
        for (stall, left_out) in [(10, 0), (400, 30), (90, 0), (10, 0)] {
            now += Duration::from_millis(stall);
            assert!(pacer.follow(now, true).is_some());
            for _ in 1..(stall / 10).min(u64::from(BACKLOG_FRAMES)) {
                assert!(pacer.follow(now, true).is_some());
            }
            assert_eq!(pacer.take_left_out(), left_out, "{stall} ms");
            for _ in 0..50 {
                now += FRAME_TIME;
                assert!(pacer.follow(now, true).is_some());
            }
            assert_eq!(pacer.take_left_out(), 0);
        }
    }
}
