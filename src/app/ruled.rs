//! The rules at work: calls that are refused, forwarded or answered without a person, and how the
//! rules change.

use std::time::{Duration, Instant};

use crate::app::engine::Engine;
use crate::app::rules::{self, Decision, Forward, Situation};
use crate::app::script::{self, Reaction, phrase};
use crate::base::id::{AccountId, CallId};
use crate::config::call_rules::CallRules;
use crate::control::{Event, Rule, Wish};
use crate::crm::row::CallState;
use crate::media::Tone;
use crate::sip::{SessionId, Status};

/// How long the beep is heard when a call is answered without a person.
const BEEP: Duration = Duration::from_millis(300);

impl Engine {
    /// The rules of an account, or of direct calls.
    pub(super) fn rules_of(&self, account: Option<AccountId>) -> CallRules {
        account
            .and_then(|id| self.account(id))
            .map_or(&self.options.script.rules, |live| &live.account.rules)
            .clone()
    }

    /// Whether the account of a call believes its own server's word of who is there.
    pub(super) fn trusts_identity(&self, session: SessionId) -> bool {
        let id = self.sessions.get(&session);
        let account = id.and_then(|id| self.calls.get(id)?.account);
        self.rules_of(account).trust_identity
    }

    /// Applies the rules to a call that has arrived; none when it is already refused.
    pub(super) fn apply_rules(&mut self, now: Instant, id: CallId) -> Option<Reaction> {
        let call = self.calls.get(&id)?;
        let rules = self.rules_of(call.account);
        let own_address = call
            .account
            .and_then(|account| self.account_address(account))
            .unwrap_or_default();
        let engaged = self
            .calls
            .values()
            .any(|other| other.id != id && other.engages());
        let decision = rules::decide(&Situation {
            rules: &rules,
            caller: &call.caller,
            blocked: call
                .reception
                .facts
                .as_ref()
                .and_then(|facts| facts.blocked.as_ref()),
            own_address: &own_address,
            engaged,
            full: call.surplus,
            helped: self.helped(now),
        });
        match decision {
            Decision::Block(entry) => {
                self.refuse_blocked(now, id, &entry);
                None
            }
            Decision::Refuse(refusal) => {
                self.keep_rule(id, refusal.words);
                self.end_by_rule(id, refusal.state, refusal.words.to_owned());
                let status = Status::new(refusal.status, phrase(refusal.status));
                self.with_call(now, id, |call| {
                    call.call.reject(status, Vec::new()).ok();
                });
                None
            }
            Decision::Forward(forward) => {
                self.keep_rule(id, &forward.words());
                self.forward(now, id, &forward);
                None
            }
            Decision::Ring { forward, answer } => {
                let call = self.calls.get_mut(&id)?;
                call.forward = forward.map(|(to, after)| (to, now + after));
                let reaction = script::on_incoming(&self.options.script, now);
                match (reaction, answer) {
                    (Reaction::Ring(None), Some((after, header))) => {
                        call.answers_by = Some(header);
                        Some(Reaction::Ring(Some(now + after)))
                    }
                    (reaction, _) => Some(reaction),
                }
            }
        }
    }

    /// Sends a ringing call elsewhere by rule.
    pub(super) fn forward(&mut self, now: Instant, id: CallId, forward: &Forward) {
        let account = self.calls.get(&id).and_then(|call| call.account);
        let live = account.and_then(|account| self.account(account));
        let target = match live {
            Some(live) => live
                .account
                .forward_uri(&forward.target)
                .map_err(|problem| problem.to_string()),
            None => crate::base::uri::Uri::parse(&forward.target)
                .map(|uri| uri.to_string())
                .map_err(|error| format!("\"{}\": {error}", forward.target)),
        };
        let target = match target {
            Ok(target) => target,
            // The call must not be lost for a rule that cannot be carried out.
            Err(problem) => {
                self.problem(Some(id), format!("a call was not forwarded: {problem}"));
                self.with_call(now, id, |call| {
                    call.call.ring().ok();
                });
                return;
            }
        };
        let headers = self.elsewhere(id, &target, forward.reason);
        let state = self.sent_to(account, &target);
        self.end_by_rule(id, state, forward.words());
        self.with_call(now, id, |call| {
            call.call
                .reject(Status::new(302, phrase(302)), headers)
                .ok();
        });
    }

    /// The header fields of a 302 to that target: where to, and by whom and why (RFC 5806 section 4), as
    /// far as the call came to an account.
    pub(super) fn elsewhere(
        &self,
        id: CallId,
        target: &str,
        reason: &str,
    ) -> Vec<(String, String)> {
        let mut headers = vec![("Contact".to_owned(), format!("<{target}>"))];
        let account = self.calls.get(&id).and_then(|call| call.account);
        if let Some(address) = account.and_then(|account| self.account_address(account)) {
            let by = format!("<{address}>;reason={reason}");
            headers.push(("Diversion".to_owned(), by));
        }
        headers
    }

    pub(super) fn end_by_rule(&mut self, id: CallId, state: CallState, words: String) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.ended_by_rule = Some((state, words));
            call.forward = None;
        }
    }

    /// Lets the agent hear that a call was answered without a person.
    pub(super) fn beep(&mut self, now: Instant) {
        self.tone_until = Some((Tone::CallWaiting, now + BEEP));
    }

    /// Changes a rule, unless it would send calls to where the asker may not have them sent.
    pub(super) fn change_rule(
        &mut self,
        now: Instant,
        account: Option<AccountId>,
        rule: &Rule,
        wish: Wish,
    ) {
        let target = match rule {
            Rule::DoNotDisturb(_) => "",
            Rule::ForwardAlways(to) | Rule::ForwardBusy(to) | Rule::ForwardNoAnswer(to) => to,
        };
        if !target.is_empty()
            && let Err(why) = self.may_send_to(now, account, target, wish)
        {
            return self.problem(None, why);
        }
        self.set_rule(account, rule);
    }

    fn set_rule(&mut self, asked: Option<AccountId>, rule: &Rule) {
        let mut changed = Vec::new();
        let mut problem = None;
        for live in &mut self.accounts {
            if asked.is_some_and(|id| id != live.id) {
                continue;
            }
            let mut account = live.account.clone();
            apply(&mut account.rules, rule);
            match account.validate() {
                Ok(()) => {
                    live.account = account;
                    let rules = Box::new(live.account.rules.clone());
                    changed.push((Some(live.account.address.clone()), rules));
                }
                Err(wrong) => problem = Some(wrong.to_string()),
            }
        }
        if asked.is_none() && self.accounts.is_empty() {
            apply(&mut self.options.script.rules, rule);
            changed.push((None, Box::new(self.options.script.rules.clone())));
        }
        if let Some(problem) = problem {
            self.problem(None, problem);
        }
        if !changed.is_empty() {
            self.persist();
            self.follow_do_not_disturb();
        }
        for (address, rules) in changed {
            self.tell(Event::Rules { address, rules });
        }
    }

    /// Keeps that a realm offered SHA-256: from now on MD5 alone needs consent.
    pub(super) fn remember_strong(&mut self, account: AccountId, realm: String) {
        const REALMS: usize = 8;
        let Some(live) = self.accounts.iter_mut().find(|live| live.id == account) else {
            return;
        };
        let realms = &mut live.account.rules.sha256_realms;
        if realms.contains(&realm) {
            return;
        }
        if realms.len() >= REALMS {
            realms.remove(0);
        }
        realms.push(realm);
        if live.stored {
            self.persist();
        }
    }
}

fn apply(rules: &mut CallRules, rule: &Rule) {
    match rule {
        Rule::DoNotDisturb(on) => rules.do_not_disturb = *on,
        Rule::ForwardAlways(target) => target.trim().clone_into(&mut rules.forward_always),
        Rule::ForwardBusy(target) => target.trim().clone_into(&mut rules.forward_busy),
        Rule::ForwardNoAnswer(target) => target.trim().clone_into(&mut rules.forward_no_answer),
    }
}
