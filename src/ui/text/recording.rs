//! Words about recordings.

pub(crate) const RECORDING_POLICY: &str = "Recording";
pub(crate) const RECORDING_POLICY_WHY: &str = "Every call: none can be left out, but each may be paused while card numbers are named. No call: nobody can start it.";
pub(crate) const RECORDING_AGENT: &str = "As the agent decides";
pub(crate) const RECORDING_ALWAYS: &str = "Every call";
pub(crate) const RECORDING_NEVER: &str = "No call";
pub(crate) const RECORDING_TONE: &str = "Let both sides hear a short tone while a call is recorded";
pub(crate) const RECORDING_TONE_WHY: &str =
    "A soft beep each 15 seconds, as some countries ask for.";
pub(crate) const REC_PAUSED: &str = "REC paused";
pub(crate) const PAUSE_RECORDING: &str = "Pause the recording";
pub(crate) const RESUME_RECORDING: &str = "Go on recording";
pub(crate) const RECORDING_PAUSED_WHY: &str =
    "What is said and pressed now is kept nowhere: for card numbers and the like.";
pub(crate) const REC_ANNOUNCED: &str = "REC announced";
pub(crate) const REC_ANNOUNCED_WHY: &str =
    "Both sides hear the announcement; the recording begins after it.";
pub(crate) const RECORDING_ANNOUNCEMENT: &str = "Announcement before a recording";
pub(crate) const RECORDING_ANNOUNCEMENT_HINT: &str = "none";
pub(crate) const RECORDING_ANNOUNCEMENT_WHY: &str = "A WAV file of at most 30 seconds that both sides hear first. When it cannot be played, nothing is recorded.";
pub(crate) const DETAIL_GAPS: &str = "Gaps in it";
pub(crate) const GAP_LOST: &str = "(lost, because the disk did not keep up)";

/// A gap of a recording: where it begins, and how long it is or that it never ended.
pub(crate) fn gap(start: &str, length: Option<&str>) -> String {
    match length {
        Some(length) => format!("at {start} for {length}"),
        None => format!("from {start} on"),
    }
}
