//! Recordings of calls: who decides about them, and the pauses for payment data.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::app::engine::{Engine, Internal};
use crate::app::live_call::LiveCall;
use crate::app::sound::check_announcement;
use crate::base::id::CallId;
use crate::config::RecordingPolicy;
use crate::control::{Event, RecordingView};
use crate::crm::row::InterruptedCall;
use crate::crm::store::{CallChange, Write};
use crate::media::gap::{Gap, GapCause};
use crate::media::recorder::numbered;
use crate::media::{MediaCommand, MediaEvent, RecordingNotice};

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
    pub(super) fn want_recording(&mut self, now: Instant, id: CallId, on: bool) {
        let why = match (self.options.settings.recording, on) {
            (RecordingPolicy::Never, true) => {
                "recording is switched off by the settings of this phone"
            }
            (RecordingPolicy::Always, false) => {
                "this phone records each call to its end; pause it while payment data is named"
            }
            (_, _) => return self.set_recording(now, id, on),
        };
        self.problem(Some(id), why.to_owned());
    }

    /// Starts or stops a call's recording.
    pub(super) fn set_recording(&mut self, now: Instant, id: CallId, on: bool) {
        if on {
            self.begin_recording(now, id);
        } else if let Some(call) = self.calls.get_mut(&id) {
            let announced = call.recorded.is_announced();
            if call.recorded.end(now) {
                self.sound(MediaCommand::StopRecording { call: id });
                if announced {
                    // Nothing was recorded, so nobody else tells its end.
                    self.tell_recording(id, "stopped", PathBuf::new(), None);
                }
            }
        }
    }

    /// Starts one, paused where those who are heard in it are in a pause.
    fn begin_recording(&mut self, now: Instant, id: CallId) {
        let notice = self.recording_notice(id);
        // The recorder finds a free name: looking for one takes its time on a network share.
        let path = file_of(&self.options.record_dir, id);
        let connected = |live: &&mut LiveCall| live.connected();
        let Some(call) = self.calls.get_mut(&id).filter(connected) else {
            return;
        };
        let Some(number) = call.recorded.begin() else {
            return;
        };
        let paused = call.recorded.is_paused();
        self.sound(MediaCommand::StartRecording {
            call: id,
            number,
            path,
            notice,
        });
        if paused {
            self.sound(MediaCommand::PauseRecording { call: id, paused });
        } else {
            let together = self.heard_with(id);
            self.pause_together(now, &together);
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
            MediaEvent::RecordingAnnounced { call, number, path } => {
                let live = self.calls.get_mut(&call);
                if live.is_some_and(|live| live.recorded.announced(number)) {
                    self.tell_recording(call, "announced", path, None);
                }
            }
            MediaEvent::RecordingStarted { call, number, path } => {
                self.handle_started(call, number, path);
            }
            MediaEvent::RecordingGap { call, number, gap } => self.note_gap(call, number, gap),
            MediaEvent::RecordingStopped {
                call,
                number,
                path,
                duration: _,
            } => {
                if let Some(live) = self.calls.get_mut(&call) {
                    live.recorded.stopped(number, path.display().to_string());
                }
                self.tell_recording(call, "stopped", path, None);
            }
            MediaEvent::RecordingFailed {
                call,
                number,
                path,
                message,
            } => {
                if let Some(live) = self.calls.get_mut(&call) {
                    live.recorded.failed(number, message.clone());
                }
                self.tell_recording(call, "failed", path, Some(message.clone()));
                self.notice(message);
            }
            // Nothing else is about a recording.
            _ => {}
        }
    }

    /// The file of a recording is open: the call's row names it, and its gaps in place of those of the
    /// one before.
    fn handle_started(&mut self, id: CallId, number: u32, path: PathBuf) {
        let text = path.display().to_string();
        let mut paused = false;
        // A call that is over by now has a row all the same.
        let mut named = true;
        if let Some(live) = self.calls.get_mut(&id) {
            named = live.recorded.started(number, text.clone());
            paused = matches!(live.recorded.view(), RecordingView::Paused(_));
            let gaps = live.recorded.gaps().to_vec();
            if named && (number > 1 || !gaps.is_empty()) {
                self.record(Write::ChangeCall(id, CallChange::RecordingGaps(gaps)));
            }
        }
        if named {
            let seconds = self.calls.get(&id).map(|live| live.sound.seconds());
            self.record(Write::ChangeCall(id, CallChange::Recording(text)));
            self.record(Write::ChangeCall(id, CallChange::RecordingStart(seconds)));
        }
        self.tell_recording(id, "started", path.clone(), None);
        if paused {
            self.tell_recording(id, "paused", path, None);
        }
    }

    /// A gap begins or is over. It is written down at once: a crash may follow.
    fn note_gap(&mut self, id: CallId, number: u32, gap: Gap) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        if !call.recorded.note(number, gap) {
            return;
        }
        let change = CallChange::RecordingGaps(call.recorded.gaps().to_vec());
        let told = match (gap.cause, call.recorded.loss()) {
            (GapCause::DiskBehind, Some(loss)) => Some((call.context(), loss)),
            (GapCause::Paused | GapCause::DiskBehind, _) => None,
        };
        let path = call.recorded.file();
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
        state: &'static str,
        path: PathBuf,
        problem: Option<String>,
    ) {
        let Some(live) = self.calls.get(&call) else {
            return;
        };
        let call = live.context();
        self.tell(Event::Recording {
            call,
            state,
            path,
            problem,
        });
    }

    /// Keeps payment data out of everything that is kept, or goes on: in all calls that hear each other,
    /// since what is said in one is recorded in all.
    pub(super) fn pause_recording(&mut self, now: Instant, id: CallId, paused: bool) {
        let mut together = self.heard_with(id);
        together.retain(|id| {
            let call = self.calls.get(id);
            call.is_some_and(|call| call.recorded.goes_on() || call.recorded.is_paused())
        });
        if together.is_empty() {
            let text = "the call is not being recorded, so there is nothing to pause";
            return self.problem(Some(id), text.to_owned());
        }
        for id in together {
            self.pause_one(now, id, paused);
        }
    }

    /// Lets the recordings of all of these be paused, if one is.
    pub(super) fn pause_together(&mut self, now: Instant, together: &[CallId]) {
        let calls = together.iter().filter_map(|id| self.calls.get(id));
        if calls.clone().any(|call| call.recorded.is_paused()) {
            let recorded = calls.filter(|call| call.recorded.goes_on());
            for id in recorded.map(|call| call.id).collect::<Vec<_>>() {
                self.pause_one(now, id, true);
            }
        }
    }

    fn pause_one(&mut self, now: Instant, id: CallId, paused: bool) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        if !call.recorded.pause(now, paused) {
            return;
        }
        let path = call.recorded.file();
        self.sound(MediaCommand::PauseRecording { call: id, paused });
        let state = if paused { "paused" } else { "resumed" };
        self.tell_recording(id, state, path, None);
        self.dirty = true;
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
    /// named, in this call or in one that is heard with it: then nobody is told of it.
    pub(super) fn is_unheard(&self, now: Instant, id: CallId, lasted: Duration) -> bool {
        let together = self.heard_with(id);
        let mut calls = together.iter().filter_map(|id| self.calls.get(id));
        calls.any(|call| call.recorded.is_unheard(now, lasted))
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
