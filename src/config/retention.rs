//! For how long what is kept.

use serde::{Deserialize, Serialize};

/// So many days each class of data is kept; 0 is for ever. What is older goes once a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Tickets with their articles, from when they were closed; open ones stay.
    pub tickets_days: u32,
    /// Tasks, from when they were done; those to do stay.
    pub tasks_days: u32,
    /// Guesses of who calls, from the date of the text that names the number.
    pub guesses_days: u32,
    /// When the agent was available, away, wrapping up.
    pub agent_states_days: u32,
    /// Steps that can be undone: they hold what was deleted or overwritten. 30 unless said otherwise.
    pub undo_days: u32,
}

impl Default for RetentionSettings {
    fn default() -> Self {
        Self {
            calls_days: 0,
            notes_days: 0,
            recordings_days: 0,
            quality_days: 0,
            audit_days: 0,
            tickets_days: 0,
            tasks_days: 0,
            guesses_days: 0,
            agent_states_days: 0,
            undo_days: 30,
        }
    }
}
