//! SUBSCRIBE on its way: the first one, refreshes, and what is done about each answer (RFC 6665
//! sections 4.1.2 and 4.1.3; RFC 5057 says which answers end a dialog).

use std::time::{Duration, Instant};

use super::outgoing::{Answer, Outgoing, OutgoingId, Owner};
use super::registration::refresh_after;
use super::subscription::{Phase, Subscription};
use super::{ALLOW, SUPPORTED};
use crate::base::uri::{Host, SipUri};
use crate::sip::deadline::Timer;
use crate::sip::endpoint::Endpoint;
use crate::sip::event::Status;
use crate::sip::message::{Message, Method};
use crate::sip::route::{self, Hop};
use crate::sip::subscription::{NotifierId, SubscriptionId, SubscriptionState};
use crate::sip::timer::TIMEOUT;

/// The pause after the first failure, and the longest one.
const BACK_OFF_BASE: Duration = Duration::from_secs(30);
const BACK_OFF_MAX: Duration = Duration::from_secs(1800);
/// The longest lifetime or pause that a notifier may demand.
const MAX_EXPIRES: Duration = Duration::from_secs(86_400);
/// The shortest lifetime that a notifier is believed to give.
pub(crate) const MIN_LIFE: Duration = Duration::from_secs(10);
/// A subscription that lived so long was sound: the next failure is the first again.
const SOUND_AFTER: Duration = Duration::from_secs(60);
/// So shortly before its end, a subscription that cannot be refreshed is begun again.
const LAST_MOMENT: Duration = Duration::from_secs(5);
/// How often 423 may raise the lifetime in a row.
const MAX_RAISES: u8 = 2;

/// When a subscription that was lost is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retry {
    /// Within a second, the first time; then as `Later`.
    AtOnce,
    /// After a growing pause, or the one that was asked for.
    Later(Option<u32>),
    /// Not at all.
    Never,
}

impl Endpoint {
    /// Sends the first SUBSCRIBE of a new subscription.
    pub(crate) fn send_subscribe(&mut self, now: Instant, id: SubscriptionId) {
        let (call_id, local_tag) = (self.random.hex(16), self.random.hex(8));
        let Some(subscription) = self.subscriptions.get_mut(&id) else {
            return;
        };
        subscription.call_id.clone_from(&call_id);
        subscription.local_tag.clone_from(&local_tag);
        subscription.cseq = 1;
        subscription.granted = None;
        subscription.phase = Phase::Trying;
        self.by_subscription.insert((call_id, local_tag), id);
        self.tell_subscription(id, SubscriptionState::Subscribing);
        self.launch_subscribe(now, id);
    }

    /// Sends a SUBSCRIBE outside of a dialog, with the number that is due.
    fn launch_subscribe(&mut self, now: Instant, id: SubscriptionId) {
        let user_agent = self.config.user_agent.clone();
        let Some(subscription) = self.subscriptions.get(&id) else {
            return;
        };
        let account = subscription.account;
        let known = account.and_then(|account| self.accounts.get(&account));
        let routes = known.map(super::Account::routes).unwrap_or_default();
        let target = &subscription.setup.target;
        let tag = &subscription.local_tag;
        let from = match known {
            Some(known) => known.from(tag),
            None => {
                let host = Host::Name("anonymous.invalid".to_owned());
                let uri = SipUri::new(Some(&self.direct_user), host, None);
                format!("<{uri}>;tag={tag}")
            }
        };
        let mut request = Message::request(Method::Subscribe, target.clone());
        let hop = route::apply(&mut request, &routes, target);
        let transport = known.and_then(|known| known.setup.transport);
        let headers = &mut request.headers;
        headers.push("Max-Forwards", "70");
        headers.push("From", from);
        headers.push("To", format!("<{}>", route::as_request_uri(target)));
        headers.push("Call-ID", subscription.call_id.clone());
        headers.push("CSeq", format!("{} SUBSCRIBE", subscription.cseq));
        add_fields(&mut request, subscription);
        request.headers.push("User-Agent", user_agent);
        let Some(hop) = hop.map(|hop: Hop| hop.or_transport(transport)) else {
            let why = "its address cannot be reached by SIP";
            self.subscription_lost(now, id, None, why, Retry::Never);
            return;
        };
        let outgoing = Outgoing::new(Owner::Subscribe(id), account, request, hop);
        self.timers.set(Timer::NotifyLimit(id), now + TIMEOUT);
        // The answer of the resolver comes later, so nothing has failed yet.
        let outgoing = self.launch(now, outgoing);
        if let Some(subscription) = self.subscriptions.get_mut(&id) {
            subscription.outgoing = Some(outgoing);
        }
    }

    /// Refreshes one dialog of a subscription, or ends it when that is what it is up to.
    pub(crate) fn resubscribe(&mut self, now: Instant, id: SubscriptionId, notifier: NotifierId) {
        let Some(subscription) = self.subscriptions.get_mut(&id) else {
            return;
        };
        let way = subscription.way();
        let leaving = subscription.phase == Phase::Leaving;
        let Some(known) = subscription.notifier_mut(notifier) else {
            return;
        };
        if let Some(old) = known.outgoing {
            if !leaving {
                return;
            }
            known.outgoing = None;
            self.abandon(now, old);
        }
        if let Some(subscription) = self.subscriptions.get_mut(&id)
            && let Some(known) = subscription.notifier_mut(notifier)
        {
            known.asked = now;
            known.owes_notify = true;
            let (mut request, hop) = known.dialog.request(Method::Subscribe);
            add_fields(&mut request, subscription);
            self.timers.cancel(&Timer::Resubscribe(id, notifier));
            self.timers.set(Timer::NotifyLimit(id), now + TIMEOUT);
            let owner = Owner::Resubscribe(id, notifier);
            let sent = self.send_in_dialog(now, owner, way, request, hop);
            let still = sent.filter(|sent| self.outgoing.contains_key(sent));
            let subscription = self.subscriptions.get_mut(&id);
            if let Some(known) = subscription.and_then(|it| it.notifier_mut(notifier)) {
                known.outgoing = still;
            }
            if sent.is_none() {
                self.notifier_lost(
                    now,
                    id,
                    notifier,
                    None,
                    "it cannot be reached",
                    Retry::AtOnce,
                );
            }
        }
    }

    /// Takes the final answer to a SUBSCRIBE outside of a dialog.
    pub(crate) fn subscribe_answered(
        &mut self,
        now: Instant,
        id: SubscriptionId,
        outgoing: OutgoingId,
        answer: Answer<'_>,
    ) {
        self.learn_subscription_way(id, outgoing);
        let Some(subscription) = self.subscriptions.get_mut(&id) else {
            return;
        };
        subscription.outgoing = None;
        let response = match answer {
            Answer::Response(response) => response,
            Answer::Failed { .. } => {
                let status = answer.status();
                let why = format!("nobody answers ({})", status.phrase);
                self.subscription_lost(now, id, None, &why, Retry::Later(None));
                return;
            }
        };
        match response.code().unwrap_or(500) {
            200..300 => {
                subscription.granted = granted(response, subscription.expires);
                subscription.raises = 0;
            }
            423 if raise(subscription, response) => {
                subscription.cseq = subscription.cseq.saturating_add(1);
                self.launch_subscribe(now, id);
            }
            _ => self.subscription_refused(now, id, answer.status(), response),
        }
    }

    /// Takes the final answer to a SUBSCRIBE inside a dialog.
    pub(crate) fn resubscribe_answered(
        &mut self,
        now: Instant,
        id: SubscriptionId,
        notifier: NotifierId,
        outgoing: OutgoingId,
        answer: Answer<'_>,
    ) {
        self.learn_subscription_way(id, outgoing);
        let Some(subscription) = self.subscriptions.get_mut(&id) else {
            return;
        };
        let leaving = subscription.phase == Phase::Leaving;
        let expires = subscription.expires;
        let Some(known) = subscription.notifier_mut(notifier) else {
            return;
        };
        known.outgoing = None;
        let code = match answer {
            Answer::Response(response) => response.code().unwrap_or(500),
            Answer::Failed { .. } => 503,
        };
        if let (200..300, Answer::Response(response)) = (code, answer) {
            if leaving {
                return;
            }
            let life = granted(response, expires).unwrap_or(expires).max(MIN_LIFE);
            known.until = now + life;
            known.failures = 0;
            // No NOTIFY follows a 204 (RFC 5839).
            known.owes_notify &= code != 204;
            subscription.failures = 0;
            subscription.raises = 0;
            subscription.granted = Some(life);
            self.timers
                .set(Timer::Resubscribe(id, notifier), now + refresh_after(life));
            self.settle_notify_limit(id);
            return;
        }
        known.owes_notify = false;
        if leaving {
            if self.drop_notifier(now, id, notifier) == 0 {
                self.forget_subscription(now, id);
            }
            return;
        }
        self.settle_notify_limit(id);
        if let (423, Answer::Response(response)) = (code, answer)
            && let Some(subscription) = self.subscriptions.get_mut(&id)
            && raise(subscription, response)
        {
            self.resubscribe(now, id, notifier);
            return;
        }
        match (code, answer) {
            (481, _) => {
                let why = "the server has forgotten the subscription";
                self.notifier_lost(now, id, notifier, Some(answer.status()), why, Retry::AtOnce);
            }
            // These end the dialog or the subscription in it (RFC 6665 section 4.1.2.2).
            (404 | 405 | 410 | 416 | 480..=485 | 489 | 501 | 604, Answer::Response(response)) => {
                if self.drop_notifier(now, id, notifier) == 0 {
                    self.subscription_refused(now, id, answer.status(), response);
                }
            }
            // Any other failure leaves it alive for the rest of its time.
            _ => self.resubscribe_failed(now, id, notifier),
        }
    }

    /// Tries a failed refresh again before the subscription ends.
    fn resubscribe_failed(&mut self, now: Instant, id: SubscriptionId, notifier: NotifierId) {
        let subscription = self.subscriptions.get_mut(&id);
        let Some(known) = subscription.and_then(|it| it.notifier_mut(notifier)) else {
            return;
        };
        let rest = known.until.saturating_duration_since(now);
        if rest <= LAST_MOMENT {
            let why = "it could not be refreshed in time";
            self.notifier_lost(now, id, notifier, None, why, Retry::Later(None));
            return;
        }
        let failures = known.failures;
        known.failures = failures.saturating_add(1);
        let pause = self.back_off(failures).min(rest - LAST_MOMENT);
        self.timers
            .set(Timer::Resubscribe(id, notifier), now + pause);
    }

    /// Learns that a SUBSCRIBE was followed by no NOTIFY (timer N).
    pub(crate) fn notify_missing(&mut self, now: Instant, id: SubscriptionId) {
        let Some(subscription) = self.subscriptions.get(&id) else {
            return;
        };
        match subscription.phase {
            Phase::Leaving => self.forget_subscription(now, id),
            Phase::Trying => {
                let why = "the server took the subscription but sends no news";
                self.subscription_lost(now, id, None, why, Retry::Later(None));
            }
            Phase::Alive(_) => {
                let silent = |notifier: &&super::subscription::Notifier| notifier.owes_notify;
                let silent = subscription.notifiers.iter().filter(silent);
                let silent: Vec<NotifierId> = silent.map(|notifier| notifier.id).collect();
                for notifier in silent {
                    let why = "the server sends no news after a refresh";
                    self.notifier_lost(now, id, notifier, None, why, Retry::AtOnce);
                }
            }
            Phase::Waiting | Phase::Over => {}
        }
    }

    /// Cancels timer N when no NOTIFY is owed any more.
    pub(crate) fn settle_notify_limit(&mut self, id: SubscriptionId) {
        let Some(subscription) = self.subscriptions.get(&id) else {
            return;
        };
        // The last NOTIFY of one that was given up may be lost: then the limit ends it.
        if subscription.phase == Phase::Leaving {
            return;
        }
        let owed = subscription.notifiers.iter().any(|known| known.owes_notify);
        let first = subscription.notifiers.is_empty();
        if !owed && !first {
            self.timers.cancel(&Timer::NotifyLimit(id));
        }
    }

    /// One notifier is gone; the last one takes the subscription with it.
    pub(crate) fn notifier_lost(
        &mut self,
        now: Instant,
        id: SubscriptionId,
        notifier: NotifierId,
        status: Option<Status>,
        why: &str,
        retry: Retry,
    ) {
        if self.drop_notifier(now, id, notifier) == 0 {
            self.subscription_lost(now, id, status, why, retry);
        }
    }

    /// Ends a subscription that was lost, or has it tried again.
    pub(crate) fn subscription_lost(
        &mut self,
        now: Instant,
        id: SubscriptionId,
        status: Option<Status>,
        why: &str,
        retry: Retry,
    ) {
        self.drop_subscription_dialogs(now, id);
        let Some(subscription) = self.subscriptions.get_mut(&id) else {
            return;
        };
        match subscription.phase {
            Phase::Leaving => return self.forget_subscription(now, id),
            Phase::Alive(since) if now.saturating_duration_since(since) >= SOUND_AFTER => {
                subscription.failures = 0;
            }
            Phase::Alive(_) | Phase::Trying | Phase::Waiting | Phase::Over => {}
        }
        let reason = why.to_owned();
        let failures = subscription.failures;
        subscription.failures = failures.saturating_add(1);
        // A poll asks once.
        let retry = if subscription.is_poll() {
            Retry::Never
        } else {
            retry
        };
        let retry_in = match retry {
            Retry::Never => {
                subscription.phase = Phase::Over;
                self.tell_subscription(id, SubscriptionState::Ended { status, reason });
                return;
            }
            Retry::AtOnce if failures == 0 => {
                Duration::from_millis((self.random.next_u32() % 1000).into())
            }
            Retry::AtOnce => self.back_off(failures),
            Retry::Later(asked) => {
                let asked = Duration::from_secs(asked.unwrap_or(0).into());
                self.back_off(failures).max(asked).min(MAX_EXPIRES)
            }
        };
        if let Some(subscription) = self.subscriptions.get_mut(&id) {
            subscription.phase = Phase::Waiting;
        }
        self.timers.set(Timer::Subscribe(id), now + retry_in);
        self.tell_subscription(
            id,
            SubscriptionState::Waiting {
                status,
                reason,
                retry_in,
            },
        );
    }

    fn subscription_refused(
        &mut self,
        now: Instant,
        id: SubscriptionId,
        status: Status,
        response: &Message,
    ) {
        let why = match status.code {
            401 | 407 => "the server refuses the user name or the password".to_owned(),
            403 | 603 => "the server does not allow this subscription".to_owned(),
            404 | 410 | 604 => "the server knows nobody by this address".to_owned(),
            405 | 501 => "the server offers no subscriptions".to_owned(),
            489 => "the server offers no news of this kind".to_owned(),
            code => format!("the server answers {code} {}", status.phrase),
        };
        let retry = match status.code {
            // The same request would get the same answer.
            401 | 403 | 405 | 407 | 410 | 416 | 420 | 489 | 501 | 603 | 604 => Retry::Never,
            _ => Retry::Later(response.seconds("Retry-After")),
        };
        self.subscription_lost(now, id, Some(status), &why, retry);
    }

    /// Half to all of a pause that doubles with each failure.
    fn back_off(&mut self, failures: u32) -> Duration {
        let longest = BACK_OFF_BASE
            .saturating_mul(1 << failures.min(10))
            .min(BACK_OFF_MAX);
        longest * (500 + self.random.next_u32() % 501) / 1000
    }
}

/// Adds what each SUBSCRIBE says of its subscription.
fn add_fields(request: &mut Message, subscription: &Subscription) {
    let headers = &mut request.headers;
    headers.push("Event", subscription.setup.event);
    headers.push("Accept", subscription.setup.accept);
    headers.push("Expires", subscription.expires.as_secs().to_string());
    headers.push("Allow", ALLOW);
    headers.push("Supported", SUPPORTED);
}

/// The lifetime of a 2xx; a notifier may only shorten it.
fn granted(response: &Message, asked: Duration) -> Option<Duration> {
    let given = Duration::from_secs(response.seconds("Expires")?.into());
    Some(given.min(asked))
}

/// Raises the lifetime as a 423 demands; gives whether that may help.
fn raise(subscription: &mut Subscription, response: &Message) -> bool {
    let wanted = response
        .seconds("Min-Expires")
        .map(|seconds| Duration::from_secs(seconds.into()))
        .filter(|wanted| *wanted > subscription.expires && *wanted <= MAX_EXPIRES);
    subscription.raises = subscription.raises.saturating_add(1);
    match wanted {
        Some(wanted) if subscription.raises <= MAX_RAISES => {
            subscription.expires = wanted;
            true
        }
        Some(_) | None => false,
    }
}
