//! Recordings of calls: who decides about them, and the pauses for payment data.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::app::engine::{Engine, Internal};
use crate::app::live_call::LiveCall;
use crate::app::player::gap_row;
use crate::app::sound::check_announcement;
use crate::base::id::CallId;
use crate::config::RecordingPolicy;
use crate::control::{Event, RecordingView};
use crate::crm::row::{InterruptedCall, RecordingGap, RecordingGapCause};
use crate::crm::store::{CallChange, Write};
use crate::media::gap::{Gap, GapCause};
use crate::media::recorder::numbered;
use crate::media::{MediaCommand, MediaEvent, RecordingNotice};

/// What is known of a call's recording beside what is shown.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    /// Whether it was asked for and is not yet told as started.
    wanted: bool,
    /// Since when it is paused.
    unheard_since: Option<Instant>,
    /// When it went on.
    heard_again: Option<Instant>,
    /// Where it was paused, or is lost.
    gaps: Vec<RecordingGap>,
}

impl Recorded {
    /// Takes note of a gap; the newest one with a beginning counts.
    fn note(&mut self, gap: Gap) {
        let gap = gap_row(gap);
        self.gaps
            .retain(|known| known.start_millis != gap.start_millis);
        self.gaps.push(gap);
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

impl Engine {
    /// Whether a call is recorded from its answer without anybody's doing.
    pub(super) fn records_by_itself(&self, id: CallId) -> bool {
        let settings = &self.options.settings;
        match settings.recording {
            RecordingPolicy::Always => true,
            RecordingPolicy::Never => false,
            RecordingPolicy::Agent => {
                self.options.script.record || settings.record_calls || self.is_lab_call(id)
            }
        }
    }

    /// Somebody wants a call recorded, or not.
    pub(super) fn want_recording(&mut self, id: CallId, on: bool) {
        let why = match (self.options.settings.recording, on) {
            (RecordingPolicy::Never, true) => {
                "recording is switched off by the settings of this phone"
            }
            (RecordingPolicy::Always, false) => {
                "this phone records each call to its end; pause it while payment data is named"
            }
            (_, _) => return self.set_recording(id, on),
        };
        self.problem(Some(id), why.to_owned());
    }

    /// Starts or stops a call's recording.
    pub(super) fn set_recording(&mut self, id: CallId, on: bool) {
        let recording = self.recording_of(id).is_some_and(RecordingView::is_on);
        let notice = self.recording_notice(id);
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        if on && !recording && !call.recorded.wanted && call.connected() {
            call.recorded.wanted = true;
            // The recorder finds a free name: looking for one takes its time on a network share.
            let path = file_of(&self.options.record_dir, id);
            self.sound(MediaCommand::StartRecording {
                call: id,
                path,
                notice,
            });
        } else if !on && (recording || call.recorded.wanted) {
            call.recorded.wanted = false;
            let announced = call.recording == RecordingView::Announced;
            self.sound(MediaCommand::StopRecording { call: id });
            if announced {
                self.tell_recording(id, RecordingView::Off, "stopped", PathBuf::new(), None);
            }
        }
    }

    /// How both sides of a call learn that it is recorded. The peers of the lab are no persons.
    fn recording_notice(&self, id: CallId) -> RecordingNotice {
        RecordingNotice {
            tone: self.options.settings.recording_tone,
            announcement: self.announcement().filter(|_| !self.is_lab_call(id)),
        }
    }

    /// What both sides hear before a recording.
    fn announcement(&self) -> Option<PathBuf> {
        let path = self.options.settings.recording_announcement.trim();
        (!path.is_empty()).then(|| PathBuf::from(path))
    }

    /// Tries the announcement, so that a missing one is known before a call.
    pub(super) fn read_announcement(&mut self) {
        self.devices.announcement_problem = None;
        let Some(path) = self.announcement() else {
            return;
        };
        let internal = self.internal.clone();
        tokio::spawn(async move {
            let read = move || {
                check_announcement(&path)
                    .err()
                    .map(|error| error.to_string())
            };
            if let Ok(problem) = tokio::task::spawn_blocking(read).await {
                let problem = problem.map(|why| format!("no call is recorded: {why}"));
                drop(internal.send(Internal::AnnouncementRead(problem)).await);
            }
        });
    }

    /// Takes tidings of a recording from the sound threads.
    pub(super) fn handle_recording(&mut self, event: MediaEvent) {
        match event {
            MediaEvent::RecordingAnnounced { call, path } => {
                let wanted = |live: &&mut LiveCall| live.recorded.wanted;
                if let Some(live) = self.calls.get_mut(&call).filter(wanted) {
                    live.recording = RecordingView::Announced;
                    let call = live.context();
                    self.tell(Event::Recording {
                        call,
                        state: "announced",
                        path,
                        problem: None,
                    });
                }
            }
            MediaEvent::RecordingStarted { call, path } => {
                let text = path.display().to_string();
                self.record(Write::ChangeCall(call, CallChange::Recording(text.clone())));
                let seconds = self.calls.get(&call).map(|live| live.sound.seconds());
                self.record(Write::ChangeCall(call, CallChange::RecordingStart(seconds)));
                self.forget_gaps(call);
                self.tell_recording(call, RecordingView::On(text), "started", path, None);
            }
            MediaEvent::RecordingGap { call, gap } => self.note_gap(call, gap),
            MediaEvent::RecordingStopped {
                call,
                path,
                duration: _,
            } => {
                let text = path.display().to_string();
                self.tell_recording(call, RecordingView::Done(text), "stopped", path, None);
            }
            MediaEvent::RecordingFailed {
                call,
                path,
                message,
            } => {
                let view = RecordingView::Failed(message.clone());
                self.tell_recording(call, view, "failed", path, Some(message.clone()));
                self.notice(message);
            }
            // Nothing else is about a recording.
            _ => {}
        }
    }

    /// Another recording of the call begins; the gaps that are kept are those of the last one.
    fn forget_gaps(&mut self, id: CallId) {
        let gaps = self
            .calls
            .get_mut(&id)
            .map(|call| &mut call.recorded.gaps)
            .filter(|gaps| !gaps.is_empty());
        if let Some(gaps) = gaps {
            gaps.clear();
            self.record(Write::ChangeCall(id, CallChange::RecordingGaps(Vec::new())));
        }
    }

    /// A gap begins or is over. It is written down at once: a crash may follow.
    fn note_gap(&mut self, id: CallId, gap: Gap) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        call.recorded.note(gap);
        let change = CallChange::RecordingGaps(call.recorded.gaps.clone());
        let told = match (gap.cause, call.recorded.loss()) {
            (GapCause::DiskBehind, Some(loss)) => Some((call.context(), loss)),
            (GapCause::Paused | GapCause::DiskBehind, _) => None,
        };
        let path = call.recording.path().unwrap_or_default().into();
        self.record(Write::ChangeCall(id, change));
        if let Some((call, loss)) = told {
            self.tell(Event::Recording {
                call,
                state: if gap.length.is_none() {
                    "lagging"
                } else {
                    "incomplete"
                },
                path,
                problem: Some(loss),
            });
        }
    }

    fn tell_recording(
        &mut self,
        call: CallId,
        view: RecordingView,
        state: &'static str,
        path: PathBuf,
        problem: Option<String>,
    ) {
        let Some(live) = self.calls.get_mut(&call) else {
            return;
        };
        live.recording = view;
        live.recorded.wanted = false;
        live.recorded.unheard_since = None;
        let call = live.context();
        self.tell(Event::Recording {
            call,
            state,
            path,
            problem,
        });
    }

    /// Keeps payment data out of everything that is kept, or goes on.
    pub(super) fn pause_recording(&mut self, now: Instant, id: CallId, paused: bool) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let view = match (&call.recording, paused) {
            (RecordingView::On(path), true) => RecordingView::Paused(path.clone()),
            (RecordingView::Paused(path), false) => RecordingView::On(path.clone()),
            (RecordingView::On(_) | RecordingView::Paused(_), _) => return,
            (
                RecordingView::Off
                | RecordingView::Announced
                | RecordingView::Done(_)
                | RecordingView::Failed(_),
                _,
            ) => {
                let text = "the call is not being recorded, so there is nothing to pause";
                return self.problem(Some(id), text.to_owned());
            }
        };
        call.recording = view;
        call.recorded.unheard_since = if paused { Some(now) } else { None };
        call.recorded.heard_again = (!paused).then_some(now);
        let event = Event::Recording {
            call: call.context(),
            state: if paused { "paused" } else { "resumed" },
            path: call.recording.path().unwrap_or_default().into(),
            problem: None,
        };
        self.sound(MediaCommand::PauseRecording { call: id, paused });
        self.tell(event);
    }

    /// Looks for the recordings of calls in which the phone ended before their rows named them: a
    /// file carries its call's id, and a further one of the same call a number behind it.
    pub(super) fn look_for_recordings(&self) {
        let interrupted = self.store.lately_interrupted();
        let folder = self.options.record_dir.clone();
        let internal = self.internal.clone();
        tokio::spawn(async move {
            let Ok(Ok(calls)) = interrupted.await else {
                return;
            };
            if calls.is_empty() {
                return;
            }
            // The folder may be on a network.
            let looked = tokio::task::spawn_blocking(move || found(&folder, calls)).await;
            if let Ok(found) = looked
                && !found.is_empty()
            {
                drop(internal.send(Internal::RecordingsFound(found)).await);
            }
        });
    }

    /// Writes down which calls they are of.
    pub(super) fn tie_recordings(&mut self, found: Vec<(CallId, PathBuf)>) {
        for (call, path) in found {
            let path = path.display().to_string();
            tracing::info!(%call, path, "a recording of an interrupted call was found");
            self.record(Write::ChangeCall(call, CallChange::Recording(path)));
            // What is known is another recording's: of this one nothing was written down.
            self.record(Write::ChangeCall(call, CallChange::RecordingStart(None)));
            self.record(Write::ChangeCall(
                call,
                CallChange::RecordingGaps(Vec::new()),
            ));
        }
    }

    /// Whether a digit that came just now, and lasted so long, was pressed while payment data was
    /// named: then nobody is told of it.
    pub(super) fn is_unheard(&self, now: Instant, id: CallId, lasted: Duration) -> bool {
        self.calls.get(&id).is_some_and(|call| {
            call.recorded.unheard_since.is_some()
                || call
                    .recorded
                    .heard_again
                    .is_some_and(|again| now.checked_sub(lasted).is_none_or(|began| began < again))
        })
    }
}

/// The file of a call's first recording.
fn file_of(folder: &Path, call: CallId) -> PathBuf {
    folder.join(format!("{call}.wav"))
}

/// Those of the calls whose last recording is not the one that their row names. A file without even a
/// header holds no sound, as a kill leaves it between its creation and its first byte: it goes.
fn found(folder: &Path, calls: Vec<InterruptedCall>) -> Vec<(CallId, PathBuf)> {
    let files = calls.into_iter().filter_map(|call| {
        let last = last_of(&file_of(folder, call.id))?;
        let known = call.recording.is_some_and(|path| Path::new(&path) == last);
        (!known).then_some((call.id, last))
    });
    files.collect()
}

/// The last of a call's recordings, whose first has that name; none without sound.
fn last_of(first: &Path) -> Option<PathBuf> {
    let further = (2..).map(|number| numbered(first, number));
    // The first may have been moved elsewhere.
    let there = |path: &PathBuf| path == first || path.exists();
    let files = std::iter::once(first.to_owned()).chain(further);
    let mut last = None;
    for path in files.take_while(there) {
        match fs::metadata(&path) {
            Ok(file) if file.len() > 0 => last = Some(path),
            Ok(_empty) => {
                if let Err(error) = fs::remove_file(&path) {
                    tracing::warn!(%error, path = %path.display(), "an empty recording stays");
                }
            }
            Err(_none) => {}
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interrupted(id: CallId, named: Option<&PathBuf>) -> InterruptedCall {
        InterruptedCall {
            id,
            recording: named.map(|path| path.display().to_string()),
        }
    }

    #[test]
    fn what_the_disk_lost_is_told_while_it_lasts_and_in_sum() {
        let mut recorded = Recorded::default();
        let gap = |cause, start, length: Option<u64>| Gap {
            cause,
            start: Duration::from_millis(start),
            length: length.map(Duration::from_millis),
        };
        recorded.note(gap(GapCause::Paused, 1_000, Some(5_000)));
        assert_eq!(recorded.loss(), None);
        for (start, told) in [(20_000, "1.2 s are missing"), (40_000, "2.5 s are missing")] {
            recorded.note(gap(GapCause::DiskBehind, start, None));
            let lasting = recorded.loss().unwrap();
            assert!(lasting.contains("what is said now is missing"), "{lasting}");
            recorded.note(gap(GapCause::DiskBehind, start, Some(1_260)));
            let over = recorded.loss().unwrap();
            assert!(over.starts_with(told), "{over}");
        }
        assert_eq!(recorded.gaps.len(), 3);
    }

    #[test]
    fn a_recording_is_found_by_its_calls_id_and_an_empty_one_goes() {
        let folder = tempfile::tempdir().unwrap();
        let [recorded, empty, silent] = [1, 2, 3].map(|number| CallId::new(number, [7; 10]));
        fs::write(file_of(folder.path(), recorded), "RIFF").unwrap();
        fs::write(file_of(folder.path(), empty), "").unwrap();
        let expected = vec![(recorded, file_of(folder.path(), recorded))];
        let calls = [recorded, empty, silent].map(|id| interrupted(id, None));
        assert_eq!(found(folder.path(), calls.to_vec()), expected);
        assert!(!file_of(folder.path(), empty).exists());
        // Its row names it by now.
        let named = interrupted(recorded, Some(&expected[0].1));
        assert_eq!(found(folder.path(), vec![named]), []);
    }

    #[test]
    fn the_last_of_a_calls_recordings_is_found_though_its_row_names_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let call = CallId::new(1, [7; 10]);
        let first = file_of(folder.path(), call);
        let [second, third, fourth] = [2, 3, 4].map(|number| numbered(&first, number));
        for file in [&first, &second, &third] {
            fs::write(file, "RIFF").unwrap();
        }
        fs::write(&fourth, "").unwrap();
        let named = || vec![interrupted(call, Some(&first))];
        assert_eq!(found(folder.path(), named()), [(call, third.clone())]);
        assert!(!fourth.exists());
        // Nor does it matter that the first is kept elsewhere by now.
        fs::remove_file(&first).unwrap();
        assert_eq!(found(folder.path(), named()), [(call, third)]);
        // One that the row names from another folder stays where nothing is found here.
        let elsewhere = tempfile::tempdir().unwrap();
        assert_eq!(found(elsewhere.path(), named()), []);
    }
}
