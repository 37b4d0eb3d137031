//! For how long what is kept.

use serde::{Deserialize, Serialize};

/// So many days each class of data is kept; 0 is for ever. What is older goes once a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionSettings {
    /// Calls, with all that hangs on them.
    pub calls_days: u32,
    /// Notes, of calls and of other records.
    pub notes_days: u32,
    /// Recordings, with their files.
    pub recordings_days: u32,
    /// Figures of calls' sound by time; the sum of each call stays with it.
    pub quality_days: u32,
    /// The trail of who changed what.
    pub audit_days: u32,
}
