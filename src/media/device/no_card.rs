//! What stands in for sound cards where the feature `audio` is off.

use crate::media::command::DeviceChoice;
use crate::media::device::{MicrophoneEnd, SpeakerEnd};

/// A stream that never exists.
pub(super) enum Stream {}

impl Stream {
    /// Why it has ended.
    pub(super) fn failure(&self) -> Option<String> {
        match *self {}
    }
}

const REASON: &str = "this program was built without sound cards";

/// Opens nothing.
pub(super) fn open_microphone(
    _choice: &DeviceChoice,
) -> Result<(Stream, MicrophoneEnd, String), String> {
    Err(REASON.to_owned())
}

/// Opens nothing.
pub(super) fn open_speaker(_choice: &DeviceChoice) -> Result<(Stream, SpeakerEnd, String), String> {
    Err(REASON.to_owned())
}

/// Lists nothing.
#[expect(clippy::unnecessary_wraps, reason = "sound cards may not answer")]
pub(super) fn list() -> Option<(Vec<String>, Vec<String>)> {
    Some((Vec::new(), Vec::new()))
}
