//! What an agent sees and says around a call: what opens when it is answered, and the wrap-up after it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use crate::app::engine::{Engine, Internal};
use crate::app::live_call::LiveCall;
use crate::base::clock;
use crate::base::id::CallId;
use crate::control::{Event, WrapUpWish};
use crate::crm::StoreError;
use crate::crm::row::{CallDirection, OnAnswer, TaskRow, notes_refused};
use crate::crm::store::{DraftFate, WrapUp, Write, Written};

/// How long what opens waits for a call's row to be in the log: an import would keep an agent waiting who
/// talks already.
const SETTLING: Duration = Duration::from_millis(300);

impl Engine {
    /// Whether somebody is there who reads and writes around a call: a call that a script answers by
    /// itself opens nothing.
    pub(super) fn has_agent(&self) -> bool {
        self.options.attended || self.options.script.controlled
    }

    /// A call was answered: asks the records what should open. Where its row waits for an import, who is
    /// known of it decides.
    pub(super) fn look_what_opens(&self, id: CallId) {
        let inbound = |call: &&LiveCall| call.direction == CallDirection::Inbound;
        let Some(call) = self.calls.get(&id).filter(inbound) else {
            return;
        };
        let settings = &self.options.settings;
        if !settings.open_on_answer || !self.has_agent() {
            return;
        }
        let known = call.identification.as_ref();
        let candidates = known.map(|known| known.matches.clone());
        let (said, candidates) = (call.said, candidates.unwrap_or_default());
        let (now, days) = (clock::wall_now(), settings.ticket_days);
        let (store, internal) = (Arc::clone(&self.store), self.internal.clone());
        // A call that is answered at once is on its own page still, not in the log.
        let settled = store.write(Write::Settle);
        tokio::spawn(async move {
            drop(timeout(SETTLING, settled).await);
            let decision = store.read(move |reader| match reader.on_answer(id, now, days)? {
                Some(decision) => Ok(decision),
                None => reader.on_answer_of(candidates, said, now, days),
            });
            drop(store);
            let decision = decision.await.unwrap_or(Err(StoreError::Closed));
            drop(internal.send(Internal::Opens(id, decision)).await);
        });
    }

    /// The records say what opens.
    pub(super) fn handle_opens(&mut self, id: CallId, decision: Result<OnAnswer, StoreError>) {
        let opens = match decision {
            Ok(opens) => opens,
            Err(error) => {
                let text = format!("what belongs to the caller could not be read: {error}");
                return self.problem(Some(id), text);
            }
        };
        let drafts = matches!(opens, OnAnswer::Draft { .. });
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        // All was said of it already: a draft would wait for nobody.
        if drafts && call.wrapped_up {
            return;
        }
        call.opens = Some(opens.clone());
        let context = call.context();
        if drafts {
            self.record(Write::DraftTicket(id));
        }
        let script = self.calls.get(&id).and_then(|call| self.script_of(call));
        self.tell(Event::Opens {
            call: context,
            opens,
            script,
        });
    }

    /// The agent saves what is to be said of a call.
    pub(super) fn wrap_up(&mut self, now: Instant, id: CallId, wish: WrapUpWish) {
        if let Some(why) = wish.notes.as_deref().and_then(notes_refused) {
            return self.problem(Some(id), why);
        }
        let call_type = wish.call_type.filter(|name| !name.trim().is_empty());
        let mut ended = None;
        if let Some(call) = self.calls.get_mut(&id) {
            ended = call.ended;
            call.wrapped_up = true;
            if let Some(notes) = &wish.notes {
                call.notes.clone_from(notes);
            }
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
        self.record(if self.options.settings.call_type_required {
            Write::WrapUpWithType(id, Box::new(said))
        } else {
            Write::WrapUp(id, Box::new(said))
        });
    }

    /// What was said of a call is on disk. While its call type is wanted or not known, not all is said.
    pub(super) fn handle_wrapped_up(&mut self, id: CallId, written: &Written) {
        let why = match written {
            Written::TypeWanted => {
                "say what the call was about: a call type is asked for (call_type_required); all but that is saved"
                    .to_owned()
            }
            Written::WrappedUp {
                unknown_type: Some(name),
            } => format!(
                "there is no call type “{}”; all but that is saved: choose one of ringdesk call-types",
                name.trim()
            ),
            _ => {
                self.tell(Event::WrappedUp { call: id });
                return self.leave_wrap_up_of(id);
            }
        };
        self.problem(Some(id), why);
    }
}
