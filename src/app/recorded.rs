//! What is known of a call's recordings, and of the pauses in them, sans-IO.
//!
//! A call may have several, one after the other; the sound threads tell of each how it goes, and of two in
//! any order. A pause keeps payment data out of everything that is kept: it begins when it is asked for,
//! though the recording may still be announced or its file be opened, and ends only when somebody says
//! so, though the recording may end before.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::app::player::gap_row;
use crate::control::RecordingView;
use crate::crm::row::{RecordingGap, RecordingGapCause};
use crate::media::gap::Gap;

/// How far the newest recording is.
#[derive(Debug, Default)]
enum Course {
    /// There is none, or it was stopped before it was told as begun.
    #[default]
    Off,
    /// It was asked for.
    Asked,
    /// Both sides are being told.
    Announced,
    /// It goes on, into that file.
    On(String),
    /// It is in that file.
    Done(String),
    /// It could not be begun or went on no longer, in a sentence.
    Failed(String),
}

/// The recordings of one call.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    course: Course,
    /// The number of the newest one.
    number: u32,
    /// The number of the one whose file the call's row names.
    named: u32,
    /// Since when there is a pause.
    unheard_since: Option<Instant>,
    /// When the last one ended.
    heard_again: Option<Instant>,
    /// Where the newest one was paused, or is lost.
    gaps: Vec<RecordingGap>,
}

impl Recorded {
    /// Asks for a recording; gives its number, none while there is one.
    pub(super) fn begin(&mut self) -> Option<u32> {
        if self.goes_on() {
            return None;
        }
        self.course = Course::Asked;
        self.number += 1;
        self.gaps.clear();
        Some(self.number)
    }

    /// The agent ends it, and with it the pause; whether there is one to end.
    pub(super) fn end(&mut self, now: Instant) -> bool {
        if !self.goes_on() {
            return false;
        }
        // What has a file is told as stopped once that is closed.
        if !matches!(self.course, Course::On(_)) {
            self.course = Course::Off;
        }
        self.resume(now);
        true
    }

    /// Both sides are being told of it; whether that is so.
    pub(super) fn announced(&mut self, number: u32) -> bool {
        let asked = number == self.number && matches!(self.course, Course::Asked);
        if asked {
            self.course = Course::Announced;
        }
        asked
    }

    /// Its file is open; whether the call's row is to name it, which names the newest.
    pub(super) fn started(&mut self, number: u32, file: String) -> bool {
        if number == self.number && self.goes_on() {
            self.course = Course::On(file);
        }
        let newer = number > self.named;
        self.named = self.named.max(number);
        newer
    }

    /// Its file is closed.
    pub(super) fn stopped(&mut self, number: u32, file: String) {
        if number == self.number {
            self.course = Course::Done(file);
        }
    }

    /// It could not be begun, or went on no longer. What must not be heard is still being said.
    pub(super) fn failed(&mut self, number: u32, why: String) {
        if number == self.number {
            self.course = Course::Failed(why);
        }
    }

    /// Begins or ends a pause; whether that changes anything.
    pub(super) fn pause(&mut self, now: Instant, paused: bool) -> bool {
        if self.is_paused() == paused {
            return false;
        }
        if paused {
            self.unheard_since = Some(now);
        } else {
            self.resume(now);
        }
        true
    }

    fn resume(&mut self, now: Instant) {
        if self.unheard_since.take().is_some() {
            self.heard_again = Some(now);
        }
    }

    /// Whether one goes on, or was asked for.
    pub(super) fn goes_on(&self) -> bool {
        match self.course {
            Course::Asked | Course::Announced | Course::On(_) => true,
            Course::Off | Course::Done(_) | Course::Failed(_) => false,
        }
    }

    /// Whether both sides are being told of it.
    pub(super) fn is_announced(&self) -> bool {
        matches!(self.course, Course::Announced)
    }

    /// Whether payment data is being named.
    pub(super) fn is_paused(&self) -> bool {
        self.unheard_since.is_some()
    }

    /// Whether a digit that came just now, and lasted so long, was pressed in a pause.
    pub(super) fn is_unheard(&self, now: Instant, lasted: Duration) -> bool {
        let began = now.checked_sub(lasted);
        let before = |again: Instant| began.is_none_or(|began| began < again);
        self.is_paused() || self.heard_again.is_some_and(before)
    }

    /// What is shown of it. A pause in what has no file yet has no name.
    pub(super) fn view(&self) -> RecordingView {
        let paused = self.is_paused();
        match &self.course {
            Course::Asked | Course::Announced if paused => RecordingView::Paused(String::new()),
            Course::Off | Course::Asked => RecordingView::Off,
            Course::Announced => RecordingView::Announced,
            Course::On(file) if paused => RecordingView::Paused(file.clone()),
            Course::On(file) => RecordingView::On(file.clone()),
            Course::Done(file) => RecordingView::Done(file.clone()),
            Course::Failed(why) => RecordingView::Failed(why.clone()),
        }
    }

    /// Its file; empty while there is none.
    pub(super) fn file(&self) -> PathBuf {
        self.view().path().unwrap_or_default().into()
    }

    /// Takes note of a gap of the newest one; of several with the same beginning the last counts. True
    /// when it is to be written down, which waits until the recording has begun.
    pub(super) fn note(&mut self, number: u32, gap: Gap) -> bool {
        if number != self.number {
            return false;
        }
        let gap = gap_row(gap);
        self.gaps
            .retain(|known| known.start_millis != gap.start_millis);
        self.gaps.push(gap);
        self.named == number
    }

    /// Where it was paused, or is lost.
    pub(super) fn gaps(&self) -> &[RecordingGap] {
        &self.gaps
    }

    /// What is missing because the disk did not keep up, in plain words.
    pub(super) fn loss(&self) -> Option<String> {
        let lost = |gap: &&RecordingGap| gap.cause == RecordingGapCause::DiskBehind;
        let mut gaps = self.gaps.iter().filter(lost).peekable();
        gaps.peek()?;
        let millis = gaps.try_fold(0_u64, |sum, gap| {
            gap.length_millis.map(|millis| sum.saturating_add(millis))
        });
        Some(match millis {
            None => {
                "the disk does not keep up: what is said now is missing in the recording; stop \
                     other programs that write, or choose another folder in the settings"
                    .to_owned()
            }
            Some(millis) => format!(
                "{}.{} s are missing in the recording, because the disk did not keep up; choose \
                 another folder in the settings",
                millis / 1_000,
                millis % 1_000 / 100
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::monotonic_now;
    use crate::media::gap::GapCause;

    const SECOND: Duration = Duration::from_secs(1);

    fn file(name: &str) -> String {
        name.to_owned()
    }

    /// Until the folder has answered the pause was refused, and what was said was recorded.
    #[test]
    fn a_pause_is_taken_before_the_recording_is_told_as_begun() {
        for announced in [false, true] {
            let now = monotonic_now();
            let mut recorded = Recorded::default();
            let number = recorded.begin().unwrap();
            if announced {
                assert!(recorded.announced(number));
                assert_eq!(recorded.view(), RecordingView::Announced);
            }
            assert!(recorded.goes_on() && recorded.pause(now, true));
            assert!(recorded.is_unheard(now, Duration::ZERO));
            assert_eq!(recorded.view(), RecordingView::Paused(file("")));
            assert!(recorded.started(number, file("a.wav")));
            assert_eq!(recorded.view(), RecordingView::Paused(file("a.wav")));
            assert!(recorded.pause(now + SECOND, false));
            assert_eq!(recorded.view(), RecordingView::On(file("a.wav")));
        }
    }

    /// The next digits of the card were told.
    #[test]
    fn a_pause_outlasts_a_recording_that_ends_by_itself_and_ends_with_the_agents_stop() {
        let now = monotonic_now();
        let paused = || {
            let mut recorded = Recorded::default();
            let number = recorded.begin().unwrap();
            recorded.started(number, file("a.wav"));
            assert!(recorded.pause(now, true));
            recorded
        };
        let mut full = paused();
        full.failed(1, "the disk is full".to_owned());
        let mut long = paused();
        long.stopped(1, file("a.wav"));
        for recorded in [&mut full, &mut long] {
            assert!(!recorded.goes_on() && recorded.is_unheard(now + SECOND, Duration::ZERO));
            // A further one begins with it.
            let mut further = recorded.begin().unwrap();
            recorded.started(further, file("a-2.wav"));
            assert_eq!(recorded.view(), RecordingView::Paused(file("a-2.wav")));
            recorded.failed(further, "the disk is full".to_owned());
            assert!(recorded.pause(now + SECOND * 2, false));
            let later = now + SECOND * 3;
            assert!(!recorded.is_unheard(later, Duration::from_millis(500)));
            assert!(
                recorded.is_unheard(later, SECOND * 2),
                "it began in the pause"
            );
            further = recorded.begin().unwrap();
            recorded.started(further, file("a-3.wav"));
            assert_eq!(recorded.view(), RecordingView::On(file("a-3.wav")));
        }
        let mut stopped = paused();
        assert!(stopped.end(now + SECOND));
        assert!(!stopped.is_unheard(now + SECOND * 2, Duration::ZERO));
        stopped.stopped(1, file("a.wav"));
        assert_eq!(stopped.view(), RecordingView::Done(file("a.wav")));
    }

    /// Two threads tell of them: the end of the first was taken for that of the second.
    #[test]
    fn of_two_recordings_in_a_row_the_second_counts_in_whatever_order_they_are_told() {
        type Step = fn(&mut Recorded);
        let first_starts: Step = |recorded| {
            recorded.started(1, file("a.wav"));
        };
        let first_stops: Step = |recorded| recorded.stopped(1, file("a.wav"));
        let second_starts: Step = |recorded| {
            assert!(recorded.started(2, file("a-2.wav")));
        };
        for order in [
            [first_starts, first_stops, second_starts],
            [first_starts, second_starts, first_stops],
            [second_starts, first_starts, first_stops],
        ] {
            let now = monotonic_now();
            let mut recorded = Recorded::default();
            assert_eq!(recorded.begin(), Some(1));
            assert!(recorded.end(now));
            assert_eq!(recorded.view(), RecordingView::Off);
            assert_eq!(recorded.begin(), Some(2));
            assert_eq!(recorded.begin(), None, "there is one");
            for step in order {
                step(&mut recorded);
                assert!(recorded.goes_on());
            }
            assert_eq!(recorded.view(), RecordingView::On(file("a-2.wav")));
            assert!(
                !recorded.started(1, file("a.wav")),
                "the row names the newest"
            );
            assert!(recorded.end(now));
            recorded.stopped(2, file("a-2.wav"));
            assert_eq!(recorded.view(), RecordingView::Done(file("a-2.wav")));
        }
    }

    #[test]
    fn one_that_is_stopped_while_it_is_asked_for_or_announced_is_none() {
        for announced in [false, true] {
            let now = monotonic_now();
            let mut recorded = Recorded::default();
            let number = recorded.begin().unwrap();
            if announced {
                recorded.announced(number);
            }
            recorded.pause(now, true);
            assert!(recorded.end(now) && !recorded.end(now));
            assert_eq!(recorded.view(), RecordingView::Off);
            assert!(!recorded.announced(number));
            recorded.started(number, file("a.wav"));
            assert_eq!(recorded.view(), RecordingView::Off);
        }
    }

    #[test]
    fn a_gap_is_written_down_once_its_recording_has_begun() {
        let gap = Gap {
            cause: GapCause::Paused,
            start: Duration::ZERO,
            length: None,
        };
        let mut recorded = Recorded::default();
        recorded.begin();
        assert!(!recorded.note(1, gap), "the row names no file yet");
        recorded.started(1, file("a.wav"));
        assert!(recorded.note(1, gap));
        recorded.stopped(1, file("a.wav"));
        recorded.begin();
        assert!(!recorded.note(1, gap), "it is over");
        assert!(recorded.gaps().is_empty());
    }

    #[test]
    fn what_the_disk_lost_is_told_while_it_lasts_and_in_sum() {
        let mut recorded = Recorded::default();
        let gap = |cause, start, length: Option<u64>| Gap {
            cause,
            start: Duration::from_millis(start),
            length: length.map(Duration::from_millis),
        };
        recorded.note(0, gap(GapCause::Paused, 1_000, Some(5_000)));
        assert_eq!(recorded.loss(), None);
        for (start, told) in [(20_000, "1.2 s are missing"), (40_000, "2.5 s are missing")] {
            recorded.note(0, gap(GapCause::DiskBehind, start, None));
            let lasting = recorded.loss().unwrap();
            assert!(lasting.contains("what is said now is missing"), "{lasting}");
            recorded.note(0, gap(GapCause::DiskBehind, start, Some(1_260)));
            let over = recorded.loss().unwrap();
            assert!(over.starts_with(told), "{over}");
        }
        assert_eq!(recorded.gaps.len(), 3);
    }
}
