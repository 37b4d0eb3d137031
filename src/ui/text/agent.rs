//! The texts of what the agent does.

use crate::crm::row::AgentState;

pub(crate) const YOU: &str = "You";
pub(crate) const BREAK_FOR: &str = "Break";
pub(crate) const BREAK_REASON: &str = "Another reason";
pub(crate) const BEGIN_BREAK: &str = "Begin break";
pub(crate) const BREAK_WHY: &str = "Calls ring and do not pop up.";
pub(crate) const DISTURB_WHY: &str = "Calls are refused unheard.";
pub(crate) const WRAP_UP_WHY: &str = "You finish what belongs to the last call.";
pub(crate) const AVAILABLE_WHY: &str = "Calls ring and pop up.";
pub(crate) const POPUPS: &str = "Let calls pop up";
pub(crate) const BREAK_REASONS: [&str; 4] = ["Lunch", "Short break", "Meeting", "Training"];

pub(crate) fn agent_state(state: AgentState) -> &'static str {
    match state {
        AgentState::Available => "Available",
        AgentState::Break => "Break",
        AgentState::WrapUp => "Wrap-up",
        AgentState::DoNotDisturb => "Do not disturb",
    }
}
/// What is done, and why where that is told.
pub(crate) fn doing(state: AgentState, reason: &str) -> String {
    let word = agent_state(state);
    if reason.is_empty() {
        word.to_owned()
    } else {
        format!("{word}: {reason}")
    }
}
pub(crate) fn state_of(doing: &str) -> String {
    format!("State: {doing}")
}
pub(crate) fn break_for(reason: &str) -> String {
    format!("Break: {reason}")
}
pub(crate) fn hours_and_minutes(minutes: u64) -> String {
    match minutes / 60 {
        0 => format!("{minutes} min"),
        hours => format!("{hours} h {:02} min", minutes % 60),
    }
}
pub(crate) fn time_left(clock: &str) -> String {
    format!("{clock} left")
}
