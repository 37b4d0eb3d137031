//! Recordings of calls: who decides about them, and the pauses for payment data.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::app::engine::{Engine, Internal};
use crate::base::id::CallId;
use crate::config::RecordingPolicy;
use crate::control::{Event, RecordingView};
use crate::crm::store::{CallChange, Write};
use crate::media::MediaCommand;

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
        let tone = self.options.settings.recording_tone;
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        if on && !recording && !call.record_wanted && call.connected() {
            call.record_wanted = true;
            // The recorder finds a free name: looking for one takes its time on a network share.
            let path = file_of(&self.options.record_dir, id);
            self.sound(MediaCommand::StartRecording {
                call: id,
                path,
                tone,
            });
        } else if !on && (recording || call.record_wanted) {
            call.record_wanted = false;
            self.sound(MediaCommand::StopRecording { call: id });
        }
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
            (RecordingView::Off | RecordingView::Done(_) | RecordingView::Failed(_), _) => {
                let text = "the call is not being recorded, so there is nothing to pause";
                return self.problem(Some(id), text.to_owned());
            }
        };
        call.recording = view;
        call.unheard_since = if paused { Some(now) } else { None };
        call.heard_again = (!paused).then_some(now);
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
    /// file carries its call's id.
    pub(super) fn look_for_recordings(&self) {
        let interrupted = self.store.interrupted_unrecorded();
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
        }
    }

    /// Whether a digit that came just now, and lasted so long, was pressed while payment data was
    /// named: then nobody is told of it.
    pub(super) fn is_unheard(&self, now: Instant, id: CallId, lasted: Duration) -> bool {
        self.calls.get(&id).is_some_and(|call| {
            call.unheard_since.is_some()
                || call
                    .heard_again
                    .is_some_and(|again| now.checked_sub(lasted).is_none_or(|began| began < again))
        })
    }
}

/// The file of a call's first recording.
fn file_of(folder: &Path, call: CallId) -> PathBuf {
    folder.join(format!("{call}.wav"))
}

/// Those of the calls that have a recording. A file without even a header holds no sound, as a kill
/// leaves it between its creation and its first byte: it goes.
fn found(folder: &Path, calls: Vec<CallId>) -> Vec<(CallId, PathBuf)> {
    let files = calls.into_iter().filter_map(|call| {
        let path = file_of(folder, call);
        let bytes = fs::metadata(&path).ok()?.len();
        if bytes > 0 {
            return Some((call, path));
        }
        if let Err(error) = fs::remove_file(&path) {
            tracing::warn!(%error, path = %path.display(), "an empty recording stays");
        }
        None
    });
    files.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_is_found_by_its_calls_id_and_an_empty_one_goes() {
        let folder = tempfile::tempdir().unwrap();
        let [recorded, empty, silent] = [1, 2, 3].map(|number| CallId::new(number, [7; 10]));
        fs::write(file_of(folder.path(), recorded), "RIFF").unwrap();
        fs::write(file_of(folder.path(), empty), "").unwrap();
        let expected = vec![(recorded, file_of(folder.path(), recorded))];
        let calls = vec![recorded, empty, silent];
        assert_eq!(found(folder.path(), calls), expected);
        assert!(!file_of(folder.path(), empty).exists());
    }
}
