//! Three-way calls and larger ones: calls that hear each other, by the agent's wish.

use std::time::Instant;

use crate::app::engine::Engine;
use crate::base::id::CallId;
use crate::control::{CallStage, Event};

impl Engine {
    /// Lets the far ends of two calls hear each other, and all of those who are with one of them.
    pub(super) fn join(&mut self, now: Instant, one: CallId, other: CallId) {
        let talks = |id| self.calls.get(&id).is_some_and(|call| call.connected());
        if one == other || !talks(one) || !talks(other) {
            let text = "only two calls that are connected can be joined";
            return self.problem(Some(one), text.to_owned());
        }
        for id in [one, other] {
            if let Some(call) = self.calls.get_mut(&id) {
                call.joined = true;
                // It waits for nobody any more.
                call.waiting = None;
                call.consult_for = None;
            }
            if self
                .calls
                .get(&id)
                .is_some_and(|call| call.call.wants_hold())
            {
                self.set_hold(now, id, false);
            }
        }
        self.tell_conference();
    }

    /// Takes a call out: it is held, handed over, or over. The last one stays alone.
    pub(super) fn leave_conference(&mut self, id: CallId) {
        let left = self
            .calls
            .get_mut(&id)
            .is_some_and(|call| std::mem::take(&mut call.joined));
        if !left {
            return;
        }
        let mut others = self.calls.values_mut().filter(|call| call.joined);
        if let (Some(last), None) = (others.next(), others.next()) {
            last.joined = false;
        }
        self.tell_conference();
    }

    /// The calls that are heard together with one that is talked, it among them.
    pub(super) fn heard_with(&self, id: CallId) -> Vec<CallId> {
        let joined = self.calls.get(&id).is_some_and(|call| call.joined);
        let together = self.calls.values().filter(|call| {
            call.id == id || (joined && call.joined && call.stage() == CallStage::Talking)
        });
        together.map(|call| call.id).collect()
    }

    fn tell_conference(&mut self) {
        let calls = self.calls.values().filter(|call| call.joined);
        let calls = calls.map(|call| call.id).collect();
        self.tell(Event::Conference { calls });
        self.dirty = true;
    }
}
