//! What others than the agent may dial: links, scripts, transfers, redirections.

use serde::{Deserialize, Serialize};

use crate::base::dial_class::CostlyClass;

/// How many calls an hour others than the agent may place.
pub const CALLS_PER_HOUR: std::ops::RangeInclusive<u32> = 1..=100_000;

/// The rules for outgoing calls. None of them stands in the way of an emergency number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DiallingRules {
    /// How many calls an hour links, scripts, transfers and redirections may place.
    pub calls_per_hour: u32,
    /// What they may dial without the agent's yes.
    pub allow: Vec<CostlyClass>,
    /// Whether the agent is asked too, for what was typed here.
    pub ask_agent: bool,
}

impl Default for DiallingRules {
    fn default() -> Self {
        Self {
            calls_per_hour: 120,
            allow: Vec::new(),
            ask_agent: false,
        }
    }
}
