//! Who the far end of a call is: those who are known, and whom the agent chose among them.

use crate::app::live_call::LiveCall;
use crate::crm::row::{Identification, Match, MatchLevel, Subject};

impl LiveCall {
    /// The chosen contact, else the best one; nobody where the agent said so.
    pub(in crate::app) fn best_match(&self) -> Option<&Match> {
        let matches = &self.identification.as_ref()?.matches;
        match (self.said, self.chosen) {
            (Some(None), _) => None,
            (_, Some(chosen)) => matches.get(chosen),
            (_, None) => Match::best(matches),
        }
    }

    /// The agent says who it is, or that it is none of those who are known.
    pub(in crate::app) fn say_who(&mut self, subject: Option<Subject>) {
        self.said = Some(subject);
        self.follow_choice();
    }

    /// The number was looked up, not for the first time perhaps: records change while people talk. Gives
    /// whom the agent must have meant who said that it was nobody, and wrote somebody down since.
    pub(in crate::app) fn learn(&mut self, mut found: Identification) -> Option<Subject> {
        // Its own row is no earlier call.
        found.last_calls.retain(|row| row.id != self.id);
        let before = self.identification.replace(found);
        self.follow_choice();
        let (before, now) = (before?, self.identification.as_ref()?);
        let is_new = |candidate: &&Match| {
            let mut known = before.matches.iter();
            candidate.level == MatchLevel::Known
                && known.all(|other| other.subject != candidate.subject)
        };
        let mut new = now.matches.iter().filter(is_new);
        match (self.said, new.next(), new.next()) {
            (Some(None), Some(only), None) => Some(only.subject),
            _ => None,
        }
    }

    /// Finds whom the agent chose among those who are known now.
    fn follow_choice(&mut self) {
        let matches = self.identification.as_ref().map(|known| &known.matches);
        self.chosen = self.said.flatten().and_then(|subject| {
            let mut known = matches?.iter();
            known.position(|candidate| candidate.subject == subject)
        });
    }
}
