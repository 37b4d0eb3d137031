//! What is kept of a recording beside its file.

use serde::{Deserialize, Serialize};

use crate::base::id::CallId;

/// Why a recording has a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordingGapCause {
    /// It was paused.
    #[default]
    Paused,
    /// The disk did not keep up.
    DiskBehind,
}

/// A gap of a recording, in which nothing was recorded though the call went on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordingGap {
    /// Why; of rows written before this was told apart, a pause.
    #[serde(default)]
    pub cause: RecordingGapCause,
    /// Where it begins, in milliseconds from the beginning of the recording.
    pub start_millis: u64,
    /// How long it is; none where it lasts to the end, and while it lasts.
    pub length_millis: Option<u64>,
}

/// A call in which the phone ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterruptedCall {
    /// Which.
    pub id: CallId,
    /// The path of the recording that its row names.
    pub recording: Option<String>,
}
