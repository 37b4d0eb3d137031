//! What this phone's agent does: the state with its timers, its ties to calls and to do not disturb,
//! and the codes that a break dials.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::app::engine::{Engine, Internal};
use crate::base::clock;
use crate::base::id::CallId;
use crate::control::{Asker, CallTarget, Event, Rule, Wish};
use crate::crm::StoreError;
use crate::crm::row::{AgentState, Presence, QueueCodes};
use crate::crm::store::Write;

/// How long a call lasts that dials a code: exchanges say a sentence and hang up.
const CODE_LASTS: Duration = Duration::from_secs(10);
/// So many codes may wait to be dialled.
const CODES: usize = 64;

/// This phone's agent.
#[derive(Debug, Default)]
pub(super) struct Agent {
    presence: Presence,
    /// When the wrap-up ends, by the monotonic clock.
    until: Option<Instant>,
    /// The call of which it is.
    wraps_up: Option<CallId>,
    /// Codes that wait until no call is open.
    codes: VecDeque<String>,
}

impl Agent {
    pub(super) fn presence(&self) -> &Presence {
        &self.presence
    }

    /// When something is due by itself.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.until
    }

    /// Lets codes wait; what comes last counts, so what it takes back is forgotten.
    fn push_codes(&mut self, codes: &[QueueCodes], pause: bool) {
        for queue in codes {
            let (code, back) = if pause {
                (&queue.pause, &queue.unpause)
            } else {
                (&queue.unpause, &queue.pause)
            };
            let waits = self.codes.iter().position(|it| it == back);
            if let Some(place) = waits.filter(|_| !back.is_empty()) {
                self.codes.remove(place);
            } else if !code.is_empty() && self.codes.len() < CODES && !self.codes.contains(code) {
                self.codes.push_back(code.clone());
            }
        }
    }
}

impl Engine {
    /// The first state, once the accounts are there.
    pub(super) fn begin_agent(&mut self) {
        let now = clock::wall_now();
        self.agent.presence = Presence::available(now);
        let on = self.disturbs_nobody();
        self.agent.presence.handle_do_not_disturb(now, on);
        self.record(self.agent_write(now));
    }

    /// The phone ends, and with it what the agent does.
    pub(super) fn end_agent(&mut self) {
        self.record(Write::AgentState(clock::wall_now(), None));
    }

    /// The agent says what they do.
    pub(super) fn set_agent_state(&mut self, now: Instant, state: AgentState, reason: &str) {
        let before = self.agent.presence.state;
        let (on, was) = (
            state == AgentState::DoNotDisturb,
            before == AgentState::DoNotDisturb,
        );
        self.change_presence(|presence, at| presence.set(at, state, reason));
        // Its switch tells the state once more, which by then changes nothing.
        if on != was {
            self.change_rule(now, None, &Rule::DoNotDisturb(on), Wish::AGENT);
        }
    }

    /// Do not disturb may have been switched.
    pub(super) fn follow_do_not_disturb(&mut self) {
        let on = self.disturbs_nobody();
        self.change_presence(|presence, at| presence.handle_do_not_disturb(at, on));
    }

    /// A call was answered, here or there.
    pub(super) fn leave_wrap_up(&mut self) {
        self.change_presence(Presence::end_wrap_up);
    }

    /// What was to be said of a call is said; another one may be wrapped up since.
    pub(super) fn leave_wrap_up_of(&mut self, id: CallId) {
        if self.agent.wraps_up.is_none_or(|present| present == id) {
            self.leave_wrap_up();
        }
    }

    /// A call that was talked is over.
    pub(super) fn agent_talked(&mut self, now: Instant, id: CallId) {
        let code = self.calls.get(&id).is_some_and(|call| call.is_code);
        let wrap_up = Duration::from_secs(self.options.settings.wrap_up_seconds.into());
        if code || self.calls.values().any(|call| call.connected()) {
            return;
        }
        if self.change_presence(|presence, at| presence.handle_talk_over(at, wrap_up)) {
            self.agent.until = Some(now + wrap_up);
            self.agent.wraps_up = Some(id);
        }
    }

    /// What is due by the clock, and codes for which there is a line now.
    pub(super) fn handle_agent_timeouts(&mut self, now: Instant) {
        if self.agent.until.take_if(|until| *until <= now).is_some() {
            self.change_presence(Presence::end_wrap_up);
        }
        self.dial_code(now);
    }

    /// Which codes belong to the break that began or ended.
    pub(super) fn handle_codes(&mut self, pause: bool, codes: Result<Vec<QueueCodes>, StoreError>) {
        match codes {
            Ok(codes) => self.agent.push_codes(&codes, pause),
            Err(error) => self.problem(
                None,
                format!("the queues were not told of the break: {error}"),
            ),
        }
    }

    /// Tells what the agent does and whether calls pop up.
    pub(super) fn tell_agent(&mut self) {
        // The state was written before; where that waits in memory, so does this.
        let durable = self.journal.is_empty();
        let event = self.agent_event(durable);
        self.tell(event);
    }

    fn agent_event(&self, durable: bool) -> Event {
        Event::AgentState {
            presence: self.agent.presence.clone(),
            popups: self.options.settings.popups,
            durable,
        }
    }

    /// Lets something change the state; what changed is kept and told.
    fn change_presence(&mut self, change: impl FnOnce(&mut Presence, Timestamp) -> bool) -> bool {
        let at = clock::wall_now();
        let before = self.agent.presence.state;
        if !change(&mut self.agent.presence, at) {
            return false;
        }
        self.agent.until = None;
        self.agent.wraps_up = None;
        let event = self.agent_event(false);
        self.record_and_tell(self.agent_write(at), event);
        let (was, is) = (
            before == AgentState::Break,
            self.agent.presence.state == AgentState::Break,
        );
        if was != is {
            self.ask_for_codes(is);
        }
        true
    }

    fn agent_write(&self, at: Timestamp) -> Write {
        let Presence { state, reason, .. } = &self.agent.presence;
        Write::AgentState(at, Some((*state, reason.clone())))
    }

    fn ask_for_codes(&self, pause: bool) {
        let codes = self.store.pause_codes();
        let internal = self.internal.clone();
        tokio::spawn(async move {
            let codes = codes.await.unwrap_or(Err(StoreError::Closed));
            drop(internal.send(Internal::PauseCodes(pause, codes)).await);
        });
    }

    /// Dials the next code, unless a call is open or the phone ends.
    fn dial_code(&mut self, now: Instant) {
        let busy = self.calls.values().any(|call| call.ended.is_none());
        if busy || self.ending.is_some() {
            return;
        }
        let Some(text) = self.agent.codes.pop_front() else {
            return;
        };
        let target = CallTarget {
            text,
            account: None,
        };
        // An administrator wrote it down for this, so nobody is asked.
        let placed = self.place_call(now, &target, Asker::CommandLine, true);
        if let Some(call) = placed.and_then(|id| self.calls.get_mut(&id)) {
            call.is_code = true;
            call.hang_up_at = Some(now + CODE_LASTS);
        }
    }

    /// Whether all calls are refused by do not disturb.
    fn disturbs_nobody(&self) -> bool {
        if self.accounts.is_empty() {
            return self.options.script.rules.do_not_disturb;
        }
        self.accounts
            .iter()
            .all(|live| live.account.rules.do_not_disturb)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(pause: &str, unpause: &str) -> QueueCodes {
        QueueCodes {
            queue: "Sales".to_owned(),
            pause: pause.to_owned(),
            unpause: unpause.to_owned(),
        }
    }

    #[test]
    fn a_break_dials_each_code_once_and_its_end_takes_back_what_still_waits() {
        let queues = [queue("*45", "*46"), queue("*451", ""), queue("", "*47")];
        let mut agent = Agent::default();
        agent.push_codes(&queues, true);
        agent.push_codes(&queues, true);
        assert_eq!(agent.codes, ["*45", "*451"]);
        // The first was dialled; the second was not, so nothing is to be taken back of it.
        agent.codes.pop_front();
        agent.push_codes(&queues, false);
        assert_eq!(agent.codes, ["*46", "*47"]);
        // Nothing was dialled of that: the break that begins again leaves it as it was.
        agent.push_codes(&queues[..1], true);
        assert_eq!(agent.codes, ["*47"]);
    }

    #[test]
    fn codes_that_wait_are_limited() {
        let mut agent = Agent::default();
        for number in 0..1000 {
            agent.push_codes(&[queue(&format!("*{number}"), "")], true);
        }
        assert_eq!(agent.codes.len(), CODES);
    }
}
