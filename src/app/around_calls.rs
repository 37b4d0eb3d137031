//! What an agent sees and says around a call: what opens when it is answered, and the wrap-up after it.

use std::sync::Arc;
use std::time::Instant;

use crate::app::engine::{Engine, Internal};
use crate::base::clock;
use crate::base::id::CallId;
use crate::control::{Event, WrapUpWish};
use crate::crm::StoreError;
use crate::crm::row::{CallDirection, OnAnswer, TaskRow};
use crate::crm::store::{DraftFate, WrapUp, Write};

impl Engine {
    /// Whether somebody is there who reads and writes around a call: a call that a script answers by
    /// itself opens nothing.
    pub(super) fn has_agent(&self) -> bool {
        self.options.attended || self.options.script.controlled
    }

    /// A call was answered: asks the records what should open.
    pub(super) fn look_what_opens(&self, id: CallId) {
        let inbound = self
            .calls
            .get(&id)
            .is_some_and(|call| call.direction == CallDirection::Inbound);
        let settings = &self.options.settings;
        if !inbound || !settings.open_on_answer || !self.has_agent() {
            return;
        }
        let (now, days) = (clock::wall_now(), settings.ticket_days);
        let (store, internal) = (Arc::clone(&self.store), self.internal.clone());
        // A call that is answered at once is on its own page still, not in the log.
        let settled = store.write(Write::Settle);
        tokio::spawn(async move {
            drop(settled.await);
            let decision = store.read(move |reader| reader.on_answer(id, now, days));
            drop(store);
            let decision = decision.await.unwrap_or(Err(StoreError::Closed));
            drop(internal.send(Internal::Opens(id, decision)).await);
        });
    }

    /// The records say what opens.
    pub(super) fn handle_opens(
        &mut self,
        id: CallId,
        decision: Result<Option<OnAnswer>, StoreError>,
    ) {
        let opens = match decision {
            Ok(Some(opens)) => opens,
            // A row that is not written yet has nobody to show either.
            Ok(None) => OnAnswer::Draft { subject: None },
            Err(error) => {
                tracing::warn!(%error, "what opens on answer is not known");
                return;
            }
        };
        if matches!(opens, OnAnswer::Draft { .. }) {
            self.record(Write::DraftTicket(id));
        }
        if let Some(call) = self.calls.get_mut(&id) {
            call.opens = Some(opens.clone());
            let call = call.context();
            self.tell(Event::Opens { call, opens });
        }
    }

    /// The agent saves what is to be said of a call.
    pub(super) fn wrap_up(&mut self, now: Instant, id: CallId, wish: WrapUpWish) {
        let call_type = wish.call_type.filter(|name| !name.trim().is_empty());
        if call_type.is_none() && self.options.settings.call_type_required {
            // The words are kept meanwhile.
            if let Some(notes) = wish.notes {
                self.set_notes(id, notes);
            }
            self.problem(
                Some(id),
                "say what the call was about: a call type is asked for (call_type_required)"
                    .to_owned(),
            );
            return;
        }
        let call = self.calls.get_mut(&id);
        let ended = call.as_ref().and_then(|call| call.ended);
        if let (Some(call), Some(notes)) = (call, &wish.notes) {
            call.notes.clone_from(notes);
        }
        let took = ended.map_or(0, |ended| now.duration_since(ended).as_millis());
        let follow_up = wish
            .follow_up
            .map(|title| Box::new(TaskRow::new(&title, wish.due, clock::wall_now())));
        let said = WrapUp {
            notes: wish.notes,
            call_type,
            millis: i64::try_from(took).unwrap_or(i64::MAX),
            draft: if wish.keep_ticket {
                DraftFate::Kept
            } else {
                DraftFate::Discarded
            },
            follow_up,
        };
        self.record(Write::WrapUp(id, Box::new(said)));
    }

    /// What was said of a call is on disk. While its call type is not known, not all is said.
    pub(super) fn handle_wrapped_up(&mut self, id: CallId, unknown_type: Option<&str>) {
        match unknown_type {
            None => {
                self.tell(Event::WrappedUp { call: id });
                self.leave_wrap_up();
            }
            Some(name) => self.problem(
                Some(id),
                format!(
                    "there is no call type “{}”; all but that is saved: choose one of ringdesk call-types",
                    name.trim()
                ),
            ),
        }
    }
}
