//! Who calls: the look-up of a number, again when records change, and the agent's own word.

use std::time::Instant;

use crate::app::engine::{Engine, Internal};
use crate::base::id::CallId;
use crate::crm::StoreError;
use crate::crm::row::{Identification, Subject};
use crate::crm::store::{CallChange, Write};

impl Engine {
    /// Asks the store who has the number of a call.
    pub(super) fn look_up(&mut self, id: CallId) {
        let Some(call) = self.calls.get(&id) else {
            return;
        };
        let region = self.region_of(call.account);
        let found = self.store.identify_in(&call.remote, region);
        let chosen = call.said.flatten();
        let links = chosen.map(|chosen| (chosen, self.store.links(id)));
        let internal = self.internal.clone();
        tokio::spawn(async move {
            let mut found = found.await.unwrap_or(Err(StoreError::Closed));
            // A choice is remembered with a number; of a caller who withholds it the call alone has it.
            if let (Ok(found), Some((chosen, links))) = (&mut found, links)
                && found.matches.iter().all(|known| known.subject != chosen)
                && let Ok(Ok(links)) = links.await
            {
                let linked = links.into_iter().find(|link| link.subject == chosen);
                found.matches.extend(linked);
            }
            drop(internal.send(Internal::Identified(id, found)).await);
        });
        self.dirty = true;
    }

    /// The look-up answered.
    pub(super) fn handle_identified(
        &mut self,
        now: Instant,
        id: CallId,
        found: Result<Identification, StoreError>,
    ) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let mut meant = None;
        let mut opens = false;
        match found {
            Ok(found) => {
                let again = call.identification.is_some() && call.answered.is_some();
                let shown = |call: &super::live_call::LiveCall| {
                    call.best_match().map(|found| found.subject)
                };
                let before = shown(call);
                meant = call.learn(found);
                opens = again && shown(call) != before;
            }
            Err(error) => tracing::warn!("a caller could not be looked up: {error}"),
        }
        if opens {
            self.look_what_opens(id);
        }
        if let Some(subject) = meant {
            self.choose(id, Some(subject));
        }
        self.leave_identifying(now, id);
    }

    /// The agent says who a call is with, or that it is nobody who is known.
    pub(super) fn choose(&mut self, id: CallId, subject: Option<Subject>) {
        self.show_chosen(id, subject);
        self.record(Write::ChangeCall(id, CallChange::Subject(subject)));
    }

    /// Shows whom somebody chose.
    pub(super) fn show_chosen(&mut self, id: CallId, subject: Option<Subject>) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.say_who(subject);
        }
    }

    /// Whom a call is with was said, and is on disk: what opens with them is another matter than before,
    /// and somebody who does not have the number is known by the choice from now on.
    pub(super) fn handle_chosen(&mut self, id: CallId) {
        let Some(call) = self.calls.get(&id) else {
            return;
        };
        if matches!(call.said, Some(Some(_))) && call.chosen.is_none() {
            self.look_up(id);
        } else if call.answered.is_some() {
            self.look_what_opens(id);
        }
    }

    /// A write that changes who has which number is on disk: the calls on the screen are looked up again.
    pub(super) fn follow_people(&mut self, write: &Write) {
        let people = matches!(
            write,
            Write::SaveContact(_)
                | Write::EditContact(..)
                | Write::DeleteContact(_)
                | Write::SaveOrganization(_)
                | Write::EditOrganization(..)
                | Write::DeleteOrganization(_)
                | Write::MergeContacts(_)
                | Write::JudgeHint(..)
                | Write::Import(_)
                | Write::Undo(_)
                | Write::UndoLastExchange
        );
        if people {
            self.look_all_up();
        }
    }

    /// Looks the calls on the screen up again.
    pub(super) fn look_all_up(&mut self) {
        if !self.has_agent() {
            return;
        }
        let known = self.calls.values();
        let known = known.filter(|call| call.identification.is_some());
        let known: Vec<CallId> = known.map(|call| call.id).collect();
        for id in known {
            self.look_up(id);
        }
    }
}
