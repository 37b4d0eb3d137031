//! Transfers in all three roles: who asks, who is sent elsewhere, whose call takes another's place.

use std::time::Instant;

use crate::app::engine::Engine;
use crate::app::live_call::{LiveCall, ReferralQuestion, TransferUnderWay};
use crate::app::options::ScriptedTransfer;
use crate::app::popups::STAYS;
use crate::app::referrals::{self, Replacement, Replacing};
use crate::app::script::{Reaction, phrase};
use crate::base::dial_plan::DialPreview;
use crate::base::id::{AccountId, CallId};
use crate::base::uri::Uri;
use crate::call::Phase;
use crate::config::TransferPolicy;
use crate::control::{Asker, CallTarget, Event, ReferralDecision, TransferTo, Wish};
use crate::crm::store::{CallChange, Write};
use crate::sip::{ReferTarget, Referral, ReferralAnswer, SessionId, Status};

impl Engine {
    /// Asks the far end of a call to call somebody else instead.
    pub(super) fn transfer(&mut self, now: Instant, id: CallId, to: &TransferTo, wish: Wish) {
        let prepared = match to {
            TransferTo::Address(text) => self.blind_target(now, id, text, wish),
            TransferTo::Call(other) => self.attended_target(now, id, *other),
        };
        let (target, under_way) = match prepared {
            Ok(prepared) => prepared,
            Err(problem) => return self.problem(Some(id), problem),
        };
        // A person who fails wants the caller back; a script says itself what it wants.
        let comes_back = self.attended() && under_way.consult.is_none();
        let mut refused = None;
        self.with_call(now, id, |call| {
            match call.call.transfer(target, comes_back) {
                Ok(()) => {
                    call.status = format!("transferring to {}", under_way.to);
                    call.transfer_problem = None;
                    call.transfer = Some(under_way);
                }
                Err(error) => refused = Some(error),
            }
        });
        if let Some(error) = refused {
            self.problem(Some(id), error.to_string());
        }
    }

    /// Calls somebody to announce a call to; the call itself waits on hold.
    pub(super) fn consult(
        &mut self,
        now: Instant,
        id: CallId,
        target: &CallTarget,
        wish: Wish,
    ) -> Option<CallId> {
        let talks = self.calls.get(&id).is_some_and(LiveCall::connected);
        if !talks {
            self.problem(
                Some(id),
                "only a connected call can be transferred".to_owned(),
            );
            return None;
        }
        let talked = self.is_talked(id);
        self.set_hold(now, id, true);
        let account = self.calls.get(&id).and_then(|call| call.account);
        let target = CallTarget {
            text: target.text.clone(),
            account: target.account.or(account),
        };
        let placed = self.place_call(now, &target, wish.asker, wish.confirmed);
        if placed.is_none() && talked {
            self.bring_back(now, id);
        }
        let consult = placed?;
        if let Some(call) = self.calls.get_mut(&consult) {
            call.consult_for = Some(id);
            call.waiting = talked.then_some(id);
        }
        Some(consult)
    }

    /// The script's transfer, once both sides have agreed.
    pub(super) fn begin_scripted_transfer(&mut self, now: Instant, id: CallId) {
        let Some(ScriptedTransfer { uri, attended }) = self.options.script.transfer.clone() else {
            return;
        };
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let ready = call.call.phase() == Phase::Established;
        if let Some(first) = call.consult_for {
            if ready {
                self.transfer(now, first, &TransferTo::Call(id), SCRIPTED);
            }
            return;
        }
        if !ready || call.scripted || call.takes_place_of.is_some() || call.referrer.is_some() {
            return;
        }
        call.scripted = true;
        if attended {
            let target = CallTarget {
                text: uri,
                account: None,
            };
            self.consult(now, id, &target, SCRIPTED);
        } else {
            self.transfer(now, id, &TransferTo::Address(uri), SCRIPTED);
        }
    }

    /// The far end was asked, and this is how it goes.
    pub(super) fn handle_transferring(&mut self, id: CallId, status: u16) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let Some(transfer) = &call.transfer else {
            return;
        };
        let to = &transfer.to;
        call.status = match status {
            180..=189 => format!("transferring: it rings at {to}"),
            _ => format!("transferring to {to}"),
        };
    }

    /// A transfer is over, well or badly.
    pub(super) fn handle_transferred(&mut self, now: Instant, id: CallId, status: &Status) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let Some(under_way) = call.transfer.take() else {
            return;
        };
        if status.code == 420 && self.transfer_without_replaces(now, id, &under_way) {
            return;
        }
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let TransferUnderWay { to, consult, .. } = under_way;
        let reached = status.code < 300;
        let reason = if reached {
            "transferred".to_owned()
        } else {
            failure(status)
        };
        if reached {
            call.transferred_to = Some(to.clone());
        } else {
            call.transfer_problem = Some(format!("the transfer to {to} failed: {reason}"));
        }
        let event = Event::Transferred {
            call: call.context(),
            to: to.clone(),
            attended: consult.is_some(),
            status: status.code,
            reason,
        };
        if reached {
            self.record(Write::ChangeCall(id, CallChange::TransferredTo(to)));
            if let Some(consult) = consult {
                self.leave_consult(now, consult, id);
            }
        }
        self.tell(event);
    }

    /// Who was consulted has a phone that knows no Replaces: it gets a second call, and once that is
    /// answered ours are over (RFC 5589 section 7.6). Gives whether this is tried now.
    fn transfer_without_replaces(
        &mut self,
        now: Instant,
        id: CallId,
        refused: &TransferUnderWay,
    ) -> bool {
        let consult = refused.consult.filter(|_| refused.replaces);
        let target = consult
            .and_then(|consult| self.calls.get(&consult))
            .filter(|consult| consult.ended.is_none())
            .and_then(|consult| Uri::parse(consult.uri.as_deref()?).ok());
        let Some(target) = target else {
            return false;
        };
        let mut asked = false;
        self.with_call(now, id, |call| {
            asked = call.call.transfer(ReferTarget::Uri(target), false).is_ok();
            call.transfer = asked.then(|| TransferUnderWay {
                replaces: false,
                ..refused.clone()
            });
        });
        asked
    }

    /// The far end asks to be transferred.
    pub(super) fn handle_referral(&mut self, now: Instant, referral: &Referral) {
        let session = referral.session;
        let Some(id) = self.sessions.get(&session).copied() else {
            return;
        };
        let Some(call) = self.calls.get(&id) else {
            return;
        };
        let account = call.account;
        let policy = self.transfer_policy(account);
        let by = match &referral.referred_by {
            Some(address) => crate::app::call_begin::who(address),
            None => call.remote.clone(),
        };
        let context = call.context();
        let (_, plan) = self.plan_for(account);
        let wish = plan.preview(&referral.target.to_string());
        let can_ask = self.can_ask();
        let (decision, question) = match wish {
            Err(_) => (ReferralDecision::Refused, None),
            Ok(preview) => {
                let rules = &self.options.settings.dialling;
                let verdict =
                    self.outbound
                        .judge(now, rules, Asker::Transfer, preview.class, false);
                let question = |caution| ReferralQuestion {
                    preview,
                    by,
                    attended: referral.replaces,
                    caution,
                    asked: now,
                };
                match referrals::referral(policy, verdict, can_ask) {
                    referrals::Referral::Decline => (ReferralDecision::Refused, None),
                    referrals::Referral::Ask(why) => (ReferralDecision::Asked, Some(question(why))),
                    referrals::Referral::Follow => {
                        (ReferralDecision::Followed, Some(question(None)))
                    }
                }
            }
        };
        self.tell(Event::TransferRequested {
            call: context,
            to: referral.target.without_password().to_string(),
            by: question.as_ref().map(|question| question.by.clone()),
            attended: referral.replaces,
            decision,
        });
        match (decision, question) {
            (ReferralDecision::Followed, Some(question)) => {
                self.follow_referral(now, id, session, &question.preview);
            }
            (ReferralDecision::Asked, Some(question)) => {
                self.decide(now, session, &ReferralAnswer::Ask);
                if let Some(call) = self.calls.get_mut(&id) {
                    call.referral = Some(question);
                }
                self.publish_now(now);
            }
            (_, _) => self.decide(now, session, &decline()),
        }
    }

    /// The agent decided about a wish to be transferred, or about a call that wants this one's place.
    pub(super) fn answer_referral(&mut self, now: Instant, id: CallId, yes: bool) {
        let claimant = self.calls.values().find(|call| {
            call.rings_here()
                && call
                    .takes_place_of
                    .is_some_and(|old| old == id || call.id == id)
        });
        if let Some(claimant) = claimant.map(|call| call.id) {
            return if yes {
                self.answer(now, claimant);
            } else {
                self.refuse(now, claimant, 603);
            };
        }
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let (Some(question), Some(session)) = (call.referral.take(), call.session) else {
            let text = "nobody asks for a transfer in this call".to_owned();
            return self.problem(Some(id), text);
        };
        if call.ended.is_some() {
            call.leave_at = Some(now + STAYS);
        }
        if yes {
            self.follow_referral(now, id, session, &question.preview);
        } else {
            self.decide(now, session, &decline());
        }
    }

    /// The far end no longer waits for a decision.
    pub(super) fn handle_referral_over(&mut self, session: SessionId) {
        // Its call may be over.
        let asked = |call: &&mut LiveCall| call.session == Some(session);
        if let Some(call) = self.calls.values_mut().find(asked) {
            call.referral = None;
        }
    }

    /// What happens to a call that wants another's place; none for any other call.
    pub(super) fn reaction_to_replacing(&mut self, id: CallId) -> Option<Reaction> {
        let call = self.calls.get(&id)?;
        let old = self.calls.get(&call.takes_place_of?)?;
        let replacement = referrals::replacement(Replacing {
            policy: self.transfer_policy(old.account),
            same_account: old.account == call.account,
            can_ask: self.can_ask(),
        });
        let event = Event::TransferRequested {
            call: old.context(),
            to: call.from.clone(),
            by: call.transferred_by.clone(),
            attended: true,
            decision: match replacement {
                Replacement::Refuse(_) => ReferralDecision::Refused,
                Replacement::Ask => ReferralDecision::Asked,
                Replacement::Take => ReferralDecision::Followed,
            },
        };
        self.tell(event);
        Some(match replacement {
            Replacement::Refuse(code) => Reaction::Refuse(Status::new(code, phrase(code))),
            Replacement::Ask => Reaction::Ring(None),
            Replacement::Take => Reaction::TakePlace,
        })
    }

    /// Whether a person or a program can be asked.
    fn can_ask(&self) -> bool {
        self.attended() || self.options.script.controlled
    }

    /// A call that takes another's place was answered: the other is over.
    pub(super) fn take_place(&mut self, now: Instant, old: CallId) {
        if let Some(call) = self.calls.get_mut(&old) {
            call.gave_way = true;
        }
        self.with_call(now, old, |call| call.call.give_way());
    }

    /// Whether the far end of a call was just handed over to somebody else of ours.
    pub(super) fn handed_over(&self, id: CallId) -> Option<String> {
        let by_this_call = |call: &LiveCall| {
            let transfer = call.transfer.as_ref()?;
            (transfer.consult == Some(id)).then(|| call.remote.clone())
        };
        self.calls.values().find_map(by_this_call)
    }

    /// What an account's calls may be asked for by their far ends.
    pub(super) fn transfer_policy(&self, account: Option<AccountId>) -> TransferPolicy {
        account
            .and_then(|id| self.account(id))
            .map_or(self.options.script.rules.transfers, |account| {
                account.account.rules.transfers
            })
    }

    fn follow_referral(
        &mut self,
        now: Instant,
        id: CallId,
        session: SessionId,
        preview: &DialPreview,
    ) {
        let Some(call) = self.calls.get(&id) else {
            return;
        };
        let (account, by) = (call.account, call.remote.clone());
        self.decide(now, session, &ReferralAnswer::Follow);
        self.outbound.placed(now, Asker::Transfer, preview.class);
        let waiting = self.hold_for(now, None);
        let new = self.begin_outgoing(now, account, preview);
        if let Some(call) = self.calls.get_mut(&new) {
            call.referrer = Some(session);
            call.waiting = waiting;
            call.transferred_by = Some(by);
        }
    }

    /// Tells the SIP layer; a far end that is gone needs no answer.
    pub(super) fn decide(&mut self, now: Instant, session: SessionId, answer: &ReferralAnswer) {
        if let Err(error) = self.endpoint.answer_referral(now, session, answer) {
            tracing::debug!("a transfer: {error}");
        }
    }

    /// A call that was placed for a transfer was not answered: the call that waits for it is told so
    /// and comes back.
    pub(super) fn transfer_unanswered(&mut self, now: Instant, new: CallId, why: &str, code: u16) {
        let Some(call) = self.calls.get(&new) else {
            return;
        };
        // Cancelled for a blind transfer to the same one, or given up by the agent.
        if call.answered.is_some() || call.transferred_to.is_some() || code == 487 {
            return;
        }
        let (to, waiting, consult_for) = (call.remote.clone(), call.waiting, call.consult_for);
        let referrer = (call.referrer).and_then(|session| self.sessions.get(&session).copied());
        let Some(first) = consult_for.or(referrer).or(waiting) else {
            return;
        };
        let scripted = self.options.script.transfer.is_some();
        if let Some(call) = self.calls.get_mut(&first)
            && call.ended.is_none()
        {
            if call.transfer.is_some() {
                return;
            }
            call.transfer_problem = Some(format!("{to} was not reached: {why}"));
            let event = Event::Transferred {
                call: call.context(),
                to,
                attended: true,
                status: code,
                reason: why.to_owned(),
            };
            if scripted && consult_for.is_some() {
                self.tell(event);
            }
        }
        // A script that consults says itself what it wants; what the phone held by itself comes back.
        if let Some(waiting) = waiting
            && (self.attended() || consult_for.is_none())
        {
            self.bring_back(now, waiting);
        }
    }

    /// Somebody else talks with the one who was consulted.
    fn leave_consult(&mut self, now: Instant, consult: CallId, first: CallId) {
        let remote = self.calls.get(&first).map(|call| call.remote.clone());
        let Some(call) = self.calls.get_mut(&consult) else {
            return;
        };
        if call.ended.is_none() {
            call.transferred_to = remote;
            self.hang_up(now, consult);
        }
    }

    fn blind_target(
        &mut self,
        now: Instant,
        id: CallId,
        text: &str,
        mut wish: Wish,
    ) -> Result<(ReferTarget, TransferUnderWay), String> {
        let call = self.calls.get_mut(&id);
        let account = call.as_ref().and_then(|call| call.account);
        if let Some(call) = call
            && wish.asker == Asker::Agent
        {
            // The second time it is meant.
            let asked = call.transfer_asked.replace(text.to_owned());
            wish.confirmed |= asked.as_deref() == Some(text);
        }
        let (_, plan) = self.plan_for(account);
        let preview = plan.preview(text).map_err(|error| error.to_string())?;
        self.may_send_to(now, account, text, wish)?;
        if let Some(call) = self.calls.get_mut(&id) {
            call.transfer_asked = None;
        }
        let uri = Uri::parse(&preview.uri).map_err(|error| format!("{text}: {error}"))?;
        let under_way = TransferUnderWay {
            to: preview.called,
            consult: None,
            replaces: false,
        };
        Ok((ReferTarget::Uri(uri), under_way))
    }

    fn attended_target(
        &mut self,
        now: Instant,
        id: CallId,
        other: CallId,
    ) -> Result<(ReferTarget, TransferUnderWay), String> {
        if id == other {
            return Err("a call cannot be transferred to itself".to_owned());
        }
        let Some(consult) = self.calls.get(&other).filter(|call| call.ended.is_none()) else {
            return Err("the call to transfer to is over".to_owned());
        };
        let (to, uri, session) = (consult.remote.clone(), consult.uri.clone(), consult.session);
        match (consult.call.phase(), session, uri) {
            (Phase::Established, Some(session), _) => Ok((
                ReferTarget::Call(session),
                TransferUnderWay {
                    to,
                    consult: Some(other),
                    replaces: true,
                },
            )),
            // It only rings there: our own attempt ends, and the far end makes its own (a call that
            // is not answered cannot be replaced by one that did not make it, RFC 3891 section 3).
            (Phase::Dialling | Phase::Offered, _, Some(uri)) => {
                let uri = Uri::parse(&uri).map_err(|error| error.to_string())?;
                self.hang_up(now, other);
                Ok((
                    ReferTarget::Uri(uri),
                    TransferUnderWay {
                        to,
                        consult: None,
                        replaces: false,
                    },
                ))
            }
            (_, _, _) => Err("the call to transfer to is not connected".to_owned()),
        }
    }
}

/// The tester's own command line wants it.
const SCRIPTED: Wish = Wish {
    asker: Asker::CommandLine,
    confirmed: false,
};

fn decline() -> ReferralAnswer {
    ReferralAnswer::Refuse(Status::new(603, "Decline"))
}

/// Why a transfer failed, for a person.
fn failure(status: &Status) -> String {
    match status.code {
        486 | 600 => "busy".to_owned(),
        480 | 408 if !status.phrase.is_empty() => status.phrase.to_lowercase(),
        404 | 484 | 604 => "this number or address does not exist".to_owned(),
        405 | 501 => "the far end cannot transfer calls".to_owned(),
        // Only a call that is to take another's place demands something of the phone it reaches.
        420 => "the phone there cannot take a call over; transfer without asking first".to_owned(),
        403 => "the far end does not allow it".to_owned(),
        487 => "given up".to_owned(),
        491 => "the far end is busy changing the call; try again in a while".to_owned(),
        603 => "declined".to_owned(),
        code => format!("{code} {}", status.phrase),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_said_in_words() {
        for (code, phrase, says) in [
            (486, "Busy Here", "busy"),
            (404, "Not Found", "does not exist"),
            (405, "Method Not Allowed", "cannot transfer"),
            (
                420,
                "Bad Extension",
                "the phone there cannot take a call over",
            ),
            (480, "Temporarily Unavailable", "temporarily unavailable"),
            (491, "Request Pending", "busy changing the call"),
            (502, "Bad Gateway", "502 Bad Gateway"),
        ] {
            let words = failure(&Status::new(code, phrase));
            assert!(words.contains(says), "{words}");
        }
    }
}
