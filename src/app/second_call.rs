//! One call at a time: what becomes of the call that is talked when another one is to be.

use std::time::Instant;

use crate::app::engine::Engine;
use crate::app::live_call::LiveCall;
use crate::app::options::SecondCall;
use crate::base::id::CallId;
use crate::control::CallStage;

impl Engine {
    /// Makes way for a call that is about to be answered, placed or resumed.
    ///
    /// # Errors
    ///
    /// Fails with a sentence when another call must be held or over first.
    pub(super) fn make_way(&mut self, now: Instant, wanted: Option<CallId>) -> Result<(), String> {
        match self.second_call() {
            SecondCall::Together => Ok(()),
            SecondCall::Hold => {
                self.hold_others(now, wanted);
                Ok(())
            }
            SecondCall::Refuse => match self.in_the_way(wanted) {
                None => Ok(()),
                Some(call) => Err(refusal(call)),
            },
        }
    }

    /// Makes way where nothing may be refused: the call is answered already, is for help, or was
    /// agreed on by the agent. Gives the call that was talked until now.
    pub(super) fn hold_for(&mut self, now: Instant, wanted: Option<CallId>) -> Option<CallId> {
        match self.second_call() {
            SecondCall::Together => None,
            SecondCall::Hold | SecondCall::Refuse => self.hold_others(now, wanted),
        }
    }

    /// Lets a call come back that we held for the sake of another one, which nobody answered; not
    /// while somebody else is talked with or called.
    pub(super) fn bring_back(&mut self, now: Instant, id: CallId) {
        let waits = (self.calls.get(&id)).is_some_and(|call| call.connected() && !talked(call));
        if waits && !self.busy_elsewhere(id) {
            self.set_hold(now, id, false);
        }
    }

    /// Whether a call is talked: connected, and neither held by us nor about to be.
    pub(super) fn is_talked(&self, id: CallId) -> bool {
        self.calls.get(&id).is_some_and(talked)
    }

    /// Whether another call would be disturbed when this one came back by itself.
    pub(super) fn busy_elsewhere(&self, id: CallId) -> bool {
        self.second_call() != SecondCall::Together && self.in_the_way(Some(id)).is_some()
    }

    /// What the options say, else the settings.
    pub(super) fn second_call(&self) -> SecondCall {
        let by_settings = if self.options.settings.hold_on_answer {
            SecondCall::Hold
        } else {
            SecondCall::Refuse
        };
        self.options.second_call.unwrap_or(by_settings)
    }

    /// Holds every connected call but one. Gives the first that was talked.
    fn hold_others(&mut self, now: Instant, but: Option<CallId>) -> Option<CallId> {
        let others: Vec<CallId> = self
            .calls
            .values()
            .filter(|call| Some(call.id) != but && talked(call))
            .map(|call| call.id)
            .collect();
        for other in &others {
            self.set_hold(now, *other, true);
        }
        others.first().copied()
    }

    /// A call that is talked, or will be as soon as its far end answers.
    fn in_the_way(&self, but: Option<CallId>) -> Option<&LiveCall> {
        let mut others = self.calls.values().filter(|call| Some(call.id) != but);
        others.find(|call| talked(call) || dialled(call))
    }
}

/// Whether it is connected, and we neither hold it nor have asked for that.
fn talked(call: &LiveCall) -> bool {
    call.connected() && !call.call.wants_hold()
}

/// Whether somebody is being called.
fn dialled(call: &LiveCall) -> bool {
    use crate::crm::row::CallDirection::Outbound;
    let on_its_way = matches!(call.stage(), CallStage::Calling | CallStage::Ringing);
    call.direction == Outbound && on_its_way && call.ended.is_none()
}

fn refusal(call: &LiveCall) -> String {
    let who = call.shown_remote();
    if talked(call) {
        format!("you talk with {who}: hold or end that call first")
    } else {
        format!("you are calling {who}: end that call first")
    }
}
