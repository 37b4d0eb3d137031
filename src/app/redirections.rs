//! Calls of ours that the far end sends elsewhere (3xx): who decides, and what is remembered.

use std::time::Instant;

use crate::app::engine::Engine;
use crate::app::live_call::{RedirectionQuestion, RedirectionTarget};
use crate::app::outbound_rules::Verdict;
use crate::base::dial_class::DialClass;
use crate::base::dial_plan::DialPlan;
use crate::base::id::{AccountId, CallId};
use crate::base::uri::Uri;
use crate::config::TransferPolicy;
use crate::control::{Asker, Event, ReferralDecision};
use crate::crm::store::{CallChange, Write};
use crate::media::MediaCommand;
use crate::sip::{SessionId, Status};

/// What becomes of a 3xx.
enum Decision {
    Follow(Vec<RedirectionTarget>),
    /// Somebody is asked; why to look twice.
    Ask(Vec<RedirectionTarget>, Option<String>),
    /// It is not followed; why, and what to do.
    Refuse(String),
}

impl Engine {
    /// The far end of a call that we make asks to be called elsewhere.
    pub(super) fn handle_redirected(
        &mut self,
        now: Instant,
        session: SessionId,
        status: &Status,
        targets: &[Uri],
    ) {
        let Some(id) = self.sessions.get(&session).copied() else {
            return;
        };
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        // Nothing rings any more, whatever comes next.
        call.ringing = false;
        call.early_media = false;
        let (account, emergency, context) = (call.account, call.emergency, call.context());
        let (_, plan) = self.plan_for(account);
        let named: Vec<String> = targets.iter().map(shown).collect();
        let targets: Vec<_> = (targets.iter())
            .filter_map(|uri| target(&plan, uri))
            .collect();
        let first = first_of(&targets).to_owned();
        let decision = self.judge_redirection(now, account, emergency, targets);
        self.tell(Event::RedirectRequested {
            call: context,
            to: named,
            status: status.code,
            decision: match decision {
                Decision::Follow(_) => ReferralDecision::Followed,
                Decision::Ask(..) => ReferralDecision::Asked,
                Decision::Refuse(_) => ReferralDecision::Refused,
            },
        });
        match decision {
            Decision::Follow(targets) => self.follow_redirection(now, session, &targets),
            Decision::Ask(targets, caution) => {
                let code = status.code;
                if let Some(call) = self.calls.get_mut(&id) {
                    "asked to call elsewhere".clone_into(&mut call.status);
                    call.redirection = Some(RedirectionQuestion {
                        targets,
                        status: code,
                        caution,
                        asked: now,
                    });
                }
                self.publish_now(now);
            }
            Decision::Refuse(why) => {
                let words = format!("the far end asks to call {first} instead; {why}");
                self.leave_redirection(now, id, session, words);
            }
        }
    }

    /// The agent or a program decided about a call that was sent elsewhere.
    pub(super) fn answer_redirection(&mut self, now: Instant, id: CallId, yes: bool) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let (Some(question), Some(session)) = (call.redirection.take(), call.session) else {
            let text = "this call is not asked to go elsewhere".to_owned();
            return self.problem(Some(id), text);
        };
        if yes {
            self.follow_redirection(now, session, &question.targets);
        } else {
            let words = format!(
                "the far end asks to call {} instead; you did not",
                first_of(&question.targets)
            );
            self.leave_redirection(now, id, session, words);
        }
    }

    /// The next target is being called: the row stays the one of the dialled number.
    pub(super) fn handle_redirecting(&mut self, now: Instant, session: SessionId, uri: &Uri) {
        let Some(id) = self.sessions.get(&session).copied() else {
            return;
        };
        let Some(call) = self.calls.get(&id) else {
            return;
        };
        let (account, emergency) = (call.account, call.emergency);
        let (_, plan) = self.plan_for(account);
        let preview = plan.preview(&shown(uri)).ok();
        let class = if emergency {
            DialClass::Emergency
        } else {
            preview
                .as_ref()
                .map_or(DialClass::Ordinary, |known| known.class)
        };
        self.outbound.placed(now, Asker::Redirect, class);
        let to = preview.map_or_else(|| shown(uri), |known| known.called);
        // Whoever sent early sound has no part in the call any more; the next one gets a new path.
        self.sound(MediaCommand::Close { call: id });
        if self.focus.contains(&id) {
            self.focus.clear();
        }
        self.with_call(now, id, |call| {
            call.ringing = false;
            call.early_media = false;
            call.flowing = false;
            call.status = format!("redirected to {to}");
            call.redirected_to = Some(to.clone());
            call.call.handle_redirected();
        });
        self.record(Write::ChangeCall(id, CallChange::RedirectedTo(to.clone())));
        if let Some(call) = self.calls.get(&id) {
            let call = call.context();
            self.tell(Event::Redirected { call, to });
        }
    }

    fn judge_redirection(
        &mut self,
        now: Instant,
        account: Option<AccountId>,
        emergency: bool,
        mut targets: Vec<RedirectionTarget>,
    ) -> Decision {
        if targets.is_empty() {
            return Decision::Refuse("that is no number or address that can be dialled".to_owned());
        }
        // Nothing stands in the way of a call for help.
        if emergency {
            return Decision::Follow(targets);
        }
        let policy = self.redirect_policy(account);
        if policy == TransferPolicy::Never {
            return Decision::Refuse(
                "redirections are not followed; call it yourself, or allow them by the rules of the account"
                    .to_owned(),
            );
        }
        let can_ask = self.attended() || self.options.script.controlled;
        let rules = &self.options.settings.dialling;
        let mut caution = None;
        let mut costly = Vec::new();
        for target in &targets {
            let class = target.preview.class;
            match self
                .outbound
                .judge(now, rules, Asker::Redirect, class, false)
            {
                Verdict::Dial => {}
                Verdict::Ask(why) => {
                    costly.push(target.uri.clone());
                    caution.get_or_insert(why);
                }
                Verdict::Refuse(why) => return Decision::Refuse(why),
            }
        }
        match (policy, caution) {
            (TransferPolicy::Always, None) => Decision::Follow(targets),
            (_, caution) if can_ask => Decision::Ask(targets, caution),
            (TransferPolicy::Always, Some(why)) => {
                targets.retain(|target| !costly.contains(&target.uri));
                if targets.is_empty() {
                    Decision::Refuse(format!(
                        "{why}, and nobody is there to be asked; allow it by --allow"
                    ))
                } else {
                    Decision::Follow(targets)
                }
            }
            (TransferPolicy::Never | TransferPolicy::Ask, _) => Decision::Refuse(
                "nobody is there to be asked; allow it by --redirects always, or answer by --control"
                    .to_owned(),
            ),
        }
    }

    fn follow_redirection(
        &mut self,
        now: Instant,
        session: SessionId,
        targets: &[RedirectionTarget],
    ) {
        let targets: Vec<Uri> = targets.iter().map(|target| target.uri.clone()).collect();
        // The far end may have ended the call a moment before; its end follows by event.
        if let Err(error) = self.endpoint.follow_redirection(now, session, &targets) {
            tracing::debug!("a redirection: {error}");
        }
    }

    fn leave_redirection(&mut self, now: Instant, id: CallId, session: SessionId, words: String) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.not_followed = Some(words);
        }
        if let Err(error) = self.endpoint.decline_redirection(now, session) {
            tracing::debug!("a redirection: {error}");
        }
    }

    /// Whether an account's calls may be sent elsewhere before they are answered.
    fn redirect_policy(&self, account: Option<AccountId>) -> TransferPolicy {
        account
            .and_then(|id| self.account(id))
            .map_or(self.options.script.rules.redirects, |account| {
                account.account.rules.redirects
            })
    }
}

/// A target as it is dialled: a `tel:` number goes by the account's dial plan.
fn target(plan: &DialPlan, uri: &Uri) -> Option<RedirectionTarget> {
    let preview = plan.preview(&shown(uri)).ok()?;
    let uri = match uri {
        Uri::Sip(_) => uri.clone(),
        Uri::Tel(_) | Uri::Other { .. } => Uri::parse(&preview.uri).ok()?,
    };
    Some(RedirectionTarget { uri, preview })
}

/// The best target, as a person reads it.
pub(super) fn first_of(targets: &[RedirectionTarget]) -> &str {
    targets
        .first()
        .map_or("another address", |target| &target.preview.display)
}

/// A URI as it is shown and kept: without the password that a far end may have written into it.
pub(super) fn shown(uri: &Uri) -> String {
    uri.without_password().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_dialled_as_it_came_and_shown_without_its_password() {
        let plan = DialPlan {
            domain: "pbx.example".to_owned(),
            ..DialPlan::default()
        };
        for (came, dialled, said) in [
            (
                "sip:carol:secret@example.com;transport=tcp",
                "sip:carol:secret@example.com;transport=tcp",
                "sip:carol@example.com",
            ),
            (
                "tel:+4930123456",
                "sip:+4930123456@pbx.example",
                "+4930123456",
            ),
        ] {
            let uri = Uri::parse(came).unwrap();
            let target = target(&plan, &uri).unwrap();
            assert!(target.uri.to_string().starts_with(dialled), "{came}");
            assert!(target.preview.called.starts_with(said), "{came}");
            let words = format!("{:?} {}", target.preview, shown(&uri));
            assert!(!words.contains("secret"), "{words}");
        }
    }
}
