//! Whether a far end may send our calls elsewhere.

use serde::{Deserialize, Serialize};

/// What happens when a far end asks this phone to call somebody else: in a call (REFER), or instead
/// of taking one (3xx).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransferPolicy {
    /// It is refused.
    Never,
    /// The agent is asked.
    #[default]
    Ask,
    /// It is done at once.
    Always,
}

impl TransferPolicy {
    /// The word of the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Ask => "ask",
            Self::Always => "always",
        }
    }
}
