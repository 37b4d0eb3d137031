//! How calls are placed: what was asked for becomes a URI, the rules are applied, the agent is
//! asked where they want it.

use std::time::Instant;

use crate::app::engine::{Engine, Internal};
use crate::app::outbound_rules::Verdict;
use crate::base::dial_class::DialClass;
use crate::base::dial_plan::{DialPlan, DialPreview};
use crate::base::id::{AccountId, CallId};
use crate::control::{Asker, CallTarget, DialRequest, Event, Wish};
use crate::crm::StoreError;

impl Engine {
    /// Places a call that the agent wants: typed here, or the answer to an open question.
    pub(super) fn place_wanted(&mut self, now: Instant, target: &CallTarget) {
        let asked = self.dial_request.as_ref().filter(|request| {
            let original = request.preview.as_ref().map(|preview| &preview.original);
            original.is_ok_and(|original| *original == target.text)
        });
        match asked.map(|request| request.asker) {
            Some(asker) => self.place_call(now, target, asker, true),
            None => self.place_call(now, target, Asker::Agent, false),
        };
    }

    /// Places a call, asks the agent first, or says why not.
    pub(super) fn place_call(
        &mut self,
        now: Instant,
        target: &CallTarget,
        asker: Asker,
        confirmed: bool,
    ) -> Option<CallId> {
        let (account, plan) = self.plan_for(target.account);
        let preview = match plan.preview(&target.text) {
            Ok(preview) => preview,
            Err(error) => {
                self.refuse_placing(target, error.to_string());
                return None;
            }
        };
        let open = self
            .calls
            .values()
            .filter(|call| call.ended.is_none())
            .count();
        // Nothing stands in the way of a call for help.
        if open >= self.options.max_calls && preview.class != DialClass::Emergency {
            let text = format!("{open} calls are open already, which is the limit; end one first");
            self.refuse_placing(target, text);
            return None;
        }
        let rules = &self.options.settings.dialling;
        match self
            .outbound
            .judge(now, rules, asker, preview.class, confirmed)
        {
            Verdict::Dial => {
                if preview.class == DialClass::Emergency {
                    let _held = self.hold_for(now, None);
                } else if let Err(why) = self.make_way(now, None) {
                    self.refuse_placing(target, why);
                    return None;
                }
                self.outbound.placed(now, asker, preview.class);
                return Some(self.begin_outgoing(now, account, &preview));
            }
            Verdict::Ask(why) if self.attended() => {
                self.ask_to_dial(now, account, preview, asker, why);
            }
            Verdict::Ask(why) => {
                let text = format!(
                    "{why}, and nobody is there to be asked; repeat it with \"confirm\": true, or allow it by --allow"
                );
                self.refuse_placing(target, text);
            }
            Verdict::Refuse(why) => self.refuse_placing(target, why),
        }
        None
    }

    /// Whether somebody may have calls sent to a target: redirected, forwarded or transferred there.
    /// Counts it if so.
    ///
    /// # Errors
    ///
    /// A sentence that says what stands in the way, and what to do.
    pub(super) fn may_send_to(
        &mut self,
        now: Instant,
        account: Option<AccountId>,
        target: &str,
        wish: Wish,
    ) -> Result<(), String> {
        let (_, mut plan) = self.plan_for(account);
        // What a number costs does not hang on who carries it.
        if plan.domain.is_empty() {
            "anywhere.invalid".clone_into(&mut plan.domain);
        }
        // Nothing to dial; whether it can be reached is found out elsewhere.
        let Ok(preview) = plan.preview(target) else {
            return Ok(());
        };
        let rules = &self.options.settings.dialling;
        let Wish { asker, confirmed } = wish;
        match self
            .outbound
            .judge(now, rules, asker, preview.class, confirmed)
        {
            Verdict::Dial => {
                self.outbound.placed(now, asker, preview.class);
                Ok(())
            }
            Verdict::Ask(why) if asker == Asker::Agent => {
                Err(format!("{why}; do it again to confirm"))
            }
            Verdict::Ask(why) => Err(format!(
                "{why}, and nobody is there to be asked; repeat it with \"confirm\": true, or allow it by --allow"
            )),
            Verdict::Refuse(why) => Err(why),
        }
    }

    /// Asks a caller to let us take the place of the phone that rings (RFC 3891). Whom it reaches is
    /// already calling; but where that is was said by a notifier, which must not cost anything.
    pub(super) fn place_replacing(
        &mut self,
        now: Instant,
        target: &CallTarget,
        replaces: String,
        wish: Wish,
    ) {
        let (account, plan) = self.plan_for(target.account);
        let preview = match plan.preview(&target.text) {
            Ok(preview) => preview,
            Err(error) => return self.refuse_placing(target, error.to_string()),
        };
        let open = self.calls.values().filter(|call| call.ended.is_none());
        let open = open.count();
        if open >= self.options.max_calls {
            let text = format!("{open} calls are open already, which is the limit; end one first");
            return self.refuse_placing(target, text);
        }
        if let Err(why) = self.make_way(now, None) {
            return self.refuse_placing(target, why);
        }
        let rules = &self.options.settings.dialling;
        let asker = match wish.asker {
            Asker::Agent => Asker::Redirect,
            other => other,
        };
        let class = preview.class;
        match self
            .outbound
            .judge(now, rules, asker, class, wish.confirmed)
        {
            Verdict::Dial => self.outbound.placed(now, wish.asker, class),
            Verdict::Ask(why) | Verdict::Refuse(why) => {
                return self
                    .refuse_placing(target, format!("{why}; the call stays where it rings"));
            }
        }
        let id = self.begin_outgoing(now, account, &preview);
        if let Some(call) = self.calls.get_mut(&id) {
            call.replaces = Some(replaces);
        }
    }

    /// A link was opened: it is asked before it is dialled.
    pub(super) fn request_dial(&mut self, now: Instant, link: String) {
        let (account, plan) = self.plan_for(None);
        let preview = plan.preview(&link).map_err(|error| error.to_string());
        let rules = &self.options.settings.dialling;
        let preview = preview.and_then(|preview| {
            match self
                .outbound
                .judge(now, rules, Asker::Link, preview.class, false)
            {
                Verdict::Dial => Ok(preview),
                Verdict::Ask(why) => Ok(cautioned(preview, why)),
                Verdict::Refuse(why) => Err(why),
            }
        });
        self.open_question(now, link, Asker::Link, account, preview);
    }

    fn ask_to_dial(
        &mut self,
        now: Instant,
        account: Option<AccountId>,
        preview: DialPreview,
        asker: Asker,
        why: String,
    ) {
        let text = preview.original.clone();
        self.open_question(now, text, asker, account, Ok(cautioned(preview, why)));
    }

    fn open_question(
        &mut self,
        now: Instant,
        link: String,
        asker: Asker,
        account: Option<AccountId>,
        preview: Result<DialPreview, String>,
    ) {
        if let Ok(preview) = &preview {
            let region = self.region_of(account);
            let found = self.store.identify_in(&preview.called, region);
            let internal = self.internal.clone();
            let link = link.clone();
            tokio::spawn(async move {
                let found = found.await.unwrap_or(Err(StoreError::Closed));
                drop(internal.send(Internal::DialIdentified(link, found)).await);
            });
        }
        self.dial_request = Some(DialRequest {
            link,
            asker,
            preview,
            identification: None,
            asked: now,
        });
        self.raised += 1;
    }

    fn refuse_placing(&mut self, target: &CallTarget, text: String) {
        self.tell(Event::CallRefused {
            target: target.text.clone(),
            text: text.clone(),
        });
        self.notice(text);
    }

    /// The account for a call and its dial plan. A registered phone calls by its account; a direct
    /// one straight to the address.
    pub(super) fn plan_for(&self, asked: Option<AccountId>) -> (Option<AccountId>, DialPlan) {
        let account = self.account_for_call(asked);
        let plan = account
            .map(|live| live.account.dial_plan.clone())
            .unwrap_or_default();
        let account = account.map(|live| live.id);
        (account, self.with_domain(plan, account))
    }

    /// A dial plan without a domain uses its account's.
    fn with_domain(&self, plan: DialPlan, account: Option<AccountId>) -> DialPlan {
        if !plan.domain.is_empty() {
            return plan;
        }
        let domain = account
            .and_then(|id| self.account_address(id))
            .and_then(|address| address.split_once('@').map(|(_, domain)| domain.to_owned()))
            .unwrap_or_default();
        DialPlan { domain, ..plan }
    }

    /// Whether a person sits at the phone who can be asked.
    pub(super) fn attended(&self) -> bool {
        self.options.attended
    }
}

fn cautioned(preview: DialPreview, why: String) -> DialPreview {
    let caution = match &preview.caution {
        Some(caution) => format!("{why}; {caution}"),
        None => why,
    };
    DialPreview {
        caution: Some(caution),
        ..preview
    }
}
