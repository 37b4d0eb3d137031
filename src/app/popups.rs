//! Whose calls are refused by the block list, and at whom the others pop up.

use std::time::{Duration, Instant};

use jiff::tz::TimeZone;

use crate::app::engine::{Engine, Internal};
use crate::app::live_call::{Gate, RowState};
use crate::app::script::phrase;
use crate::base::clock;
use crate::base::id::CallId;
use crate::control::{Event, PopupQuestion};
use crate::crm::popup_routing::{self, Situation, UNRESTRICTED};
use crate::crm::routing::{Arrival, ArrivalFacts};
use crate::crm::row::{BlockedRow, CallState, PopupDecision};
use crate::crm::store::Write;
use crate::crm::{Reader, StoreError};
use crate::sip::{IncomingCall, Status};

/// How long an ended call stays on the screen, however it ended (ERPNext's pop-up stays as long). Text that
/// was typed keeps it for good.
pub(super) const STAYS: Duration = Duration::from_secs(60);

/// How a call that came in is met.
#[derive(Debug, Default)]
pub(super) struct Reception {
    /// What is set up for it, once read.
    pub(super) facts: Option<ArrivalFacts>,
    /// Whether that is still being read.
    pub(super) awaits_facts: bool,
    /// Why it does not pop up, where it does not.
    pub(super) no_popup: Option<String>,
    /// Whether the agent sees nothing of it.
    pub(super) hidden: bool,
}

impl Reception {
    /// The queue that the call is for, once that is read.
    pub(super) fn queue(&self) -> Option<String> {
        let queue = self.facts.as_ref()?.routing.queue.as_ref()?;
        Some(queue.row.name.clone())
    }
}

/// How a call of the block list ends, in plain words.
pub(super) fn blocked_words(entry: &BlockedRow) -> String {
    let note = if entry.note.is_empty() {
        String::new()
    } else {
        format!(": {}", entry.note)
    };
    format!("refused by the block list ({}){note}", entry.words())
}

/// Where a call came in.
pub(super) fn arrival(
    incoming: &IncomingCall,
    caller: &str,
    account: Option<&str>,
    region: &str,
) -> Arrival {
    let to = incoming.to.uri.to_string();
    let diverted = incoming
        .caller
        .via
        .iter()
        .map(|step| step.by.uri.to_string());
    let request = std::iter::once(incoming.request_uri.to_string());
    Arrival {
        caller: caller.to_owned(),
        line: account.map_or_else(|| to.clone(), str::to_owned),
        called: std::iter::once(to).chain(request).chain(diverted).collect(),
        region: Some(region.to_owned()),
    }
}

/// Decides whether a call would pop up that came in at some moment, and at whom.
pub(super) fn preview(
    reader: &Reader,
    question: &PopupQuestion,
) -> Result<PopupDecision, StoreError> {
    let facts = reader.arrival(&Arrival {
        caller: question.caller.clone(),
        line: question.line.clone(),
        called: vec![question.called.clone()],
        region: None,
    })?;
    if let Some(entry) = &facts.blocked {
        let words = blocked_words(entry);
        return Ok(popup_routing::by_rule(&words, Some(&facts.routing)));
    }
    Ok(popup_routing::decide(&Situation {
        facts: Some(&facts.routing),
        line: &question.line,
        now: question.at,
        zone: &TimeZone::system(),
        switch_on: question.popups,
        presence: &question.presence,
        urgent: false,
    }))
}

impl Engine {
    /// Lets the store answer once before the first call does: reading the numbering plans and preparing
    /// the questions takes tens of milliseconds, for which no caller need wait. The plans take 14 MB, which a
    /// phone without a window has only once somebody calls.
    pub(super) fn warm_up_look_ups(&self) {
        if !self.attended() {
            return;
        }
        let number = "+493012345678".to_owned();
        let arrival = Arrival {
            caller: number.clone(),
            line: number.clone(),
            called: vec![number.clone()],
            region: None,
        };
        // Who no longer waits for an answer does not get the work done, either.
        let (arrived, found) = (self.store.arrival(arrival), self.store.identify(&number));
        tokio::spawn(async move {
            drop((found.await, arrived.await));
        });
    }

    /// Asks for what is set up for a call, before the look-up of its caller, which is waited for.
    pub(super) fn look_up_arrival(&mut self, id: CallId, arrival: Arrival) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.reception.awaits_facts = true;
        }
        let found = self.store.arrival(arrival);
        let internal = self.internal.clone();
        tokio::spawn(async move {
            let found = found.await.unwrap_or(Err(StoreError::Closed));
            drop(internal.send(Internal::Arrived(id, Box::new(found))).await);
        });
    }

    /// The store says what is set up for a call. One that rings already, because the store was too
    /// slow, is refused now where the block list says so.
    pub(super) fn handle_arrived(
        &mut self,
        now: Instant,
        id: CallId,
        found: Result<ArrivalFacts, StoreError>,
    ) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        call.reception.awaits_facts = false;
        match found {
            Ok(facts) => call.reception.facts = Some(facts),
            Err(error) => tracing::warn!("what is set up for a call could not be read: {error}"),
        }
        let ready = matches!(call.gate, Gate::Writing(_)) && call.row == RowState::Answered;
        if ready {
            return self.open_gate(now, id);
        }
        let helped = self.helped(now);
        let late = self
            .calls
            .get(&id)
            .filter(|call| call.rings_here() && !helped && !call.is_urgent());
        let entry = late.and_then(|call| call.reception.facts.as_ref()?.blocked.clone());
        if let Some(entry) = entry {
            self.refuse_blocked(now, id, &entry);
        }
    }

    /// Refuses a call by the block list; the agent sees nothing of it but the row in the log.
    pub(super) fn refuse_blocked(&mut self, now: Instant, id: CallId, entry: &BlockedRow) {
        let words = blocked_words(entry);
        if let Some(call) = self.calls.get_mut(&id) {
            call.reception.hidden = true;
        }
        self.record(Write::CountBlocked(entry.id, clock::wall_now()));
        self.keep_rule(id, &words);
        self.end_by_rule(id, CallState::Blocked, words);
        let status = Status::new(entry.status, phrase(entry.status));
        self.with_call(now, id, |call| {
            call.call.reject(status, Vec::new()).ok();
        });
    }

    /// Decides whether a call that rings pops up, and keeps why.
    pub(super) fn decide_popup(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get(&id) else {
            return;
        };
        let account = call
            .account
            .and_then(|account| self.account_address(account));
        let decision = popup_routing::decide(&Situation {
            facts: call.reception.facts.as_ref().map(|facts| &facts.routing),
            line: account.as_deref().unwrap_or(&call.to),
            now: clock::wall_now(),
            zone: &TimeZone::system(),
            switch_on: self.options.settings.popups,
            presence: self.agent.presence(),
            urgent: self.helped(now) || call.is_urgent(),
        });
        self.keep_popup(id, decision);
    }

    /// Keeps by which rule a call ended before anybody was asked.
    pub(super) fn keep_rule(&mut self, id: CallId, words: &str) {
        let facts = self.calls.get(&id).and_then(|call| {
            let facts = call.reception.facts.as_ref()?;
            Some(&facts.routing)
        });
        let decision = popup_routing::by_rule(words, facts);
        self.keep_popup(id, decision);
    }

    /// Keeps what was decided with the call, unless it pops up because nothing is set up at all.
    pub(super) fn keep_popup(&mut self, id: CallId, decision: PopupDecision) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        call.reception.no_popup = (!decision.shown).then(|| decision.reasons.join("; "));
        let plain = decision.shown
            && decision.to.is_empty()
            && decision.reasons.iter().all(|reason| reason == UNRESTRICTED);
        if plain {
            return;
        }
        let event = Event::Popup {
            call: call.context(),
            decision: Box::new(decision.clone()),
            durable: false,
        };
        self.record_and_tell(Write::SavePopup(id, Box::new(decision)), event);
    }

    /// Whether a call for help was made lately.
    pub(super) fn helped(&self, now: Instant) -> bool {
        self.helped_until.is_some_and(|until| until > now)
    }

    /// Switches pop-ups on or off.
    pub(super) fn set_popups(&mut self, on: bool) {
        self.options.settings.popups = on;
        self.persist();
        self.tell_agent();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::{AgentId, QueueId};
    use crate::crm::Store;
    use crate::crm::row::{AgentRow, Presence, QueueRow, RoutingChange, Slot, TimeSlot};

    #[tokio::test]
    async fn a_call_that_might_come_is_decided_as_one_that_does() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), "DE").unwrap();
        let slots = Slot::parse("mon-fri 08:00-17:00").unwrap();
        let queue = RoutingChange::SaveQueue(QueueRow {
            id: QueueId(0),
            name: "Sales".to_owned(),
            medium: String::new(),
            zone: "Europe/Berlin".to_owned(),
            numbers: vec!["030 1234500".to_owned()],
            slots: slots
                .into_iter()
                .map(|slot| TimeSlot {
                    slot,
                    group: "Day".to_owned(),
                })
                .collect(),
            pause_code: String::new(),
            unpause_code: String::new(),
            script: String::new(),
            page: String::new(),
        });
        let agent = RoutingChange::SaveAgent(AgentRow {
            id: AgentId(0),
            name: "Anna".to_owned(),
            login: String::new(),
            active: true,
            panel: true,
            numbers: vec!["sip:anna@pbx.example".to_owned()],
            groups: vec!["Day".to_owned()],
        });
        let now = jiff::Timestamp::UNIX_EPOCH;
        let block = RoutingChange::Block(BlockedRow::typed("030 9", 603, "rude", now));
        for change in [agent, queue, block] {
            let written = store.write(Write::Routing(Box::new(change)));
            written.await.unwrap().unwrap();
        }
        let decided = |caller: &str, at: &str| {
            let question = PopupQuestion {
                caller: caller.to_owned(),
                line: "sip:anna@pbx.example".to_owned(),
                called: "030 1234500".to_owned(),
                at: at.parse().unwrap(),
                popups: true,
                presence: Presence::default(),
            };
            store.read(move |reader| preview(reader, &question))
        };
        // Monday 09:12 in Berlin, and the Sunday before.
        let at_work = decided("0301234567", "2026-11-30T08:12:00Z");
        assert_eq!(at_work.await.unwrap().unwrap().to, ["Anna"]);
        let sunday = decided("0301234567", "2026-11-29T08:12:00Z");
        let sunday = sunday.await.unwrap().unwrap();
        assert!(!sunday.shown && sunday.nobody_scheduled, "{sunday:?}");
        let blocked = decided("0309", "2026-11-30T08:12:00Z");
        let blocked = blocked.await.unwrap().unwrap();
        assert_eq!(blocked.reasons, ["refused by the block list (030 9): rude"]);
    }

    #[test]
    fn the_row_of_a_blocked_call_says_which_entry_and_why() {
        let entry = |number: &str, note: &str| {
            BlockedRow::typed(number, 603, note, jiff::Timestamp::UNIX_EPOCH)
        };
        for (entry, words) in [
            (
                entry("030 1234567", ""),
                "refused by the block list (030 1234567)",
            ),
            (
                entry("+4990*", "costly"),
                "refused by the block list (numbers that begin with +4990): costly",
            ),
            (
                entry("anonymous", ""),
                "refused by the block list (withheld numbers)",
            ),
        ] {
            assert_eq!(blocked_words(&entry), words);
        }
    }
}
