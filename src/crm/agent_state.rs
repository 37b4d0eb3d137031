//! What an agent does: the states, and how one leads to another. Pure: the moment is an argument.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// So many characters of a reason are kept.
const REASON: usize = 100;

/// What an agent does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AgentState {
    /// Takes calls.
    #[default]
    Available,
    /// Away for a reason; calls ring but do not pop up.
    Break,
    /// Finishes what belongs to the last call.
    WrapUp,
    /// Calls are refused unheard.
    DoNotDisturb,
}

impl AgentState {
    const ALL: [Self; 4] = [
        Self::Available,
        Self::Break,
        Self::WrapUp,
        Self::DoNotDisturb,
    ];

    /// The word in the store, in events and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Break => "break",
            Self::WrapUp => "wrap-up",
            Self::DoNotDisturb => "do-not-disturb",
        }
    }

    /// Reads the word of [`Self::as_str`].
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// The state of this phone's agent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Presence {
    /// What the agent does.
    pub state: AgentState,
    /// Why: the reason of a break; empty elsewhere.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// When it ends by itself: a wrap-up that is limited.
    pub until: Option<Timestamp>,
}

impl Presence {
    /// Takes calls from now on.
    pub fn available(now: Timestamp) -> Self {
        Self {
            since: now,
            ..Self::default()
        }
    }

    /// The agent says what they do; true when that is something else than before.
    pub fn set(&mut self, now: Timestamp, state: AgentState, reason: &str) -> bool {
        let reason: String = match state {
            AgentState::Break => reason.trim().chars().take(REASON).collect(),
            AgentState::Available | AgentState::WrapUp | AgentState::DoNotDisturb => String::new(),
        };
        if self.state == state && self.reason == reason {
            return false;
        }
        *self = Self {
            state,
            reason,
            since: now,
            until: None,
        };
        true
    }

    /// Do not disturb was switched on or off.
    pub fn handle_do_not_disturb(&mut self, now: Timestamp, on: bool) -> bool {
        match (on, self.state) {
            (true, _) => self.set(now, AgentState::DoNotDisturb, ""),
            (false, AgentState::DoNotDisturb) => self.set(now, AgentState::Available, ""),
            (false, AgentState::Available | AgentState::Break | AgentState::WrapUp) => false,
        }
    }

    /// A call that was talked is over, and no other one is open: what belongs to it is finished for
    /// at most so long. Who is on a break or not to be disturbed stays so.
    pub fn handle_talk_over(&mut self, now: Timestamp, wrap_up: Duration) -> bool {
        let limited = jiff::SignedDuration::try_from(wrap_up).ok();
        let until = limited.and_then(|limit| now.checked_add(limit).ok());
        if wrap_up.is_zero() || self.state != AgentState::Available {
            return false;
        }
        let changed = self.set(now, AgentState::WrapUp, "");
        self.until = until;
        changed
    }

    /// The time for a wrap-up is over, or another call is talked.
    pub fn end_wrap_up(&mut self, now: Timestamp) -> bool {
        self.state == AgentState::WrapUp && self.set(now, AgentState::Available, "")
    }

    /// What keeps calls from popping up, in plain words.
    pub fn silences(&self) -> Option<String> {
        match self.state {
            AgentState::Available | AgentState::WrapUp => None,
            AgentState::Break if self.reason.is_empty() => Some("you are on a break".to_owned()),
            AgentState::Break => Some(format!("you are on a break ({})", self.reason)),
            AgentState::DoNotDisturb => Some("do not disturb is on".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRAP_UP: Duration = Duration::from_secs(30);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    #[test]
    fn a_break_has_a_reason_and_its_own_time() {
        let mut presence = Presence::available(at(0));
        assert!(presence.set(at(10), AgentState::Break, "  lunch "));
        assert_eq!(
            (presence.reason.as_str(), presence.since),
            ("lunch", at(10))
        );
        assert_eq!(
            presence.silences().as_deref(),
            Some("you are on a break (lunch)")
        );
        assert!(!presence.set(at(20), AgentState::Break, "lunch"));
        assert_eq!(presence.since, at(10), "it goes on");
        assert!(presence.set(at(30), AgentState::Break, "training"));
        assert!(presence.set(at(40), AgentState::Available, "ignored"));
        assert_eq!(presence, Presence::available(at(40)));
        presence.set(at(50), AgentState::Break, &"x".repeat(1000));
        assert_eq!(presence.reason.len(), REASON);
    }

    #[test]
    fn a_wrap_up_is_limited_and_ends_once() {
        let mut presence = Presence::available(at(0));
        assert!(presence.handle_talk_over(at(100), WRAP_UP));
        assert_eq!(presence.state, AgentState::WrapUp);
        assert_eq!(presence.until, Some(at(130)));
        assert_eq!(presence.silences(), None);
        assert!(presence.end_wrap_up(at(130)));
        assert_eq!(presence, Presence::available(at(130)));
        assert!(!presence.end_wrap_up(at(131)));
        assert!(
            presence.handle_talk_over(at(200), WRAP_UP),
            "the next one has its own"
        );
        assert_eq!(presence.until, Some(at(230)));
    }

    #[test]
    fn without_a_time_for_it_there_is_no_wrap_up() {
        let mut presence = Presence::available(at(0));
        assert!(!presence.handle_talk_over(at(1), Duration::ZERO));
        assert_eq!(presence, Presence::available(at(0)));
    }

    #[test]
    fn a_break_and_do_not_disturb_outlast_a_call() {
        for state in [AgentState::Break, AgentState::DoNotDisturb] {
            let mut presence = Presence::available(at(0));
            presence.set(at(1), state, "");
            let before = presence.clone();
            assert!(!presence.end_wrap_up(at(2)));
            assert!(!presence.handle_talk_over(at(3), WRAP_UP));
            assert_eq!(presence, before);
        }
    }

    #[test]
    fn do_not_disturb_is_one_thing_with_its_switch() {
        let mut presence = Presence::available(at(0));
        assert!(presence.handle_do_not_disturb(at(1), true));
        assert_eq!(presence.state, AgentState::DoNotDisturb);
        assert!(!presence.handle_do_not_disturb(at(2), true));
        assert!(presence.handle_do_not_disturb(at(3), false));
        assert_eq!(presence, Presence::available(at(3)));
        presence.set(at(4), AgentState::Break, "lunch");
        assert!(!presence.handle_do_not_disturb(at(5), false));
        assert_eq!(presence.state, AgentState::Break, "it was not on");
    }

    #[test]
    fn each_state_has_a_word() {
        for state in AgentState::ALL {
            assert_eq!(AgentState::parse(state.as_str()), Some(state));
        }
        assert_eq!(AgentState::parse("asleep"), None);
    }
}
