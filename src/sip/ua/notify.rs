//! NOTIFY (RFC 6665 sections 4.1.3 and 4.4.1): to the subscription that it belongs to, to a call,
//! or to nobody.

use std::time::{Duration, Instant};

use super::acceptance::Called;
use super::incoming::{Arrival, Refusal};
use super::registration::refresh_after;
use super::subscribe::{MIN_LIFE, Retry};
use super::subscription::{MAX_NOTIFIERS, Notifier, Phase};
use crate::sip::deadline::Timer;
use crate::sip::dialog::Dialog;
use crate::sip::endpoint::Endpoint;
use crate::sip::event::SipEvent;
use crate::sip::message::Message;
use crate::sip::parse::{self, EventPackage, SubscriptionStateField};
use crate::sip::subscription::{NotifierId, SubscriptionId, SubscriptionState, UnsolicitedNews};
use crate::sip::transaction::TransactionId;

/// The package whose news are taken without a subscription.
const MESSAGE_SUMMARY: &str = "message-summary";
/// The packages that we know, as Allow-Events lists them.
const ALLOW_EVENTS: &str = "dialog, message-summary, presence";

impl Endpoint {
    /// Takes a NOTIFY.
    pub(crate) fn notify_arrived(
        &mut self,
        now: Instant,
        arrival: &Arrival,
        transaction: TransactionId,
        request: &Message,
    ) {
        let Some(event) = request.header("Event").and_then(parse::event_package) else {
            let refusal = Refusal::with(489, "Allow-Events", ALLOW_EVENTS);
            self.answer_refusal(now, transaction, refusal);
            return;
        };
        let key = (request.call_id().to_owned(), request.to_tag());
        if let Some(id) = self.by_subscription.get(&key).copied() {
            self.news_arrived(now, id, &event, transaction, request);
        } else if key.1.is_empty() {
            self.unsolicited_arrived(now, arrival, &event, transaction, request);
        } else {
            self.handle_in_dialog(now, transaction, request);
        }
    }

    /// Takes news that nobody asked for: message waiting, for one of our accounts.
    fn unsolicited_arrived(
        &mut self,
        now: Instant,
        arrival: &Arrival,
        event: &EventPackage,
        transaction: TransactionId,
        request: &Message,
    ) {
        let account = match self.called(arrival, request) {
            _ if event.name != MESSAGE_SUMMARY => None,
            Called::Account(account) => Some(Some(account)),
            Called::Direct => Some(None),
            Called::Nobody => None,
        };
        let Some(account) = account else {
            self.answer_plainly(now, transaction, 481);
            return;
        };
        self.answer_plainly(now, transaction, 200);
        if let (Some(from), Some(body)) = (request.name_addr("From"), request.content()) {
            let event = event.name.clone();
            self.border
                .event(SipEvent::UnsolicitedNews(Box::new(UnsolicitedNews {
                    account,
                    event,
                    from,
                    body,
                })));
        }
    }

    /// Takes the news of a subscription.
    fn news_arrived(
        &mut self,
        now: Instant,
        id: SubscriptionId,
        event: &EventPackage,
        transaction: TransactionId,
        request: &Message,
    ) {
        let Some(subscription) = self.subscriptions.get_mut(&id) else {
            self.answer_plainly(now, transaction, 481);
            return;
        };
        let asked = parse::event_package(subscription.setup.event);
        if asked.as_ref() != Some(event) {
            self.answer_plainly(now, transaction, 481);
            return;
        }
        let accept = subscription.setup.accept;
        let tag = request.from_tag();
        let known = subscription
            .notifiers
            .iter_mut()
            .find(|known| known.dialog.remote_tag() == tag);
        let notifier = match known {
            Some(known) => {
                if !known.dialog.in_order(request) {
                    self.answer_later(now, transaction, 500);
                    return;
                }
                known.dialog.refresh(request);
                known.owes_notify = false;
                known.id
            }
            None => match self.new_notifier(now, id, request) {
                Ok(notifier) => notifier,
                Err(code) => {
                    self.answer_plainly(now, transaction, code);
                    return;
                }
            },
        };
        self.settle_notify_limit(id);
        if let Err(refusal) = check_body(request, accept) {
            self.answer_refusal(now, transaction, refusal);
            return;
        }
        self.answer_plainly(now, transaction, 200);
        let state = request
            .header("Subscription-State")
            .and_then(parse::subscription_state);
        let ended = state.as_ref().filter(|state| state.state == "terminated");
        if ended.is_none() {
            self.notifier_lives(now, id, notifier, state.as_ref());
        }
        self.border.event(SipEvent::News {
            subscription: id,
            notifier,
            body: request.content(),
        });
        let leaving_poll = self
            .subscriptions
            .get(&id)
            .is_some_and(|subscription| subscription.is_poll() && !request.body.is_empty());
        if let Some(state) = ended {
            self.notifier_ended(now, id, notifier, state);
        } else if leaving_poll {
            // Some notifiers end a fetch with the next NOTIFY only, or never.
            self.notifier_lost(now, id, notifier, None, FETCHED, Retry::Never);
        }
    }

    /// Makes the dialog of a notifier; the error is the status that refuses it.
    fn new_notifier(
        &mut self,
        now: Instant,
        id: SubscriptionId,
        request: &Message,
    ) -> Result<NotifierId, u16> {
        let notifier = NotifierId(self.new_id());
        let subscription = self.subscriptions.get_mut(&id).ok_or(481_u16)?;
        match subscription.phase {
            Phase::Trying => subscription.phase = Phase::Alive(now),
            Phase::Alive(_) if subscription.setup.forks => {}
            // A second notifier where the package allows only one (RFC 6665 section 4.4.1), or
            // one that comes when nothing is wanted any more.
            Phase::Alive(_) | Phase::Waiting | Phase::Over | Phase::Leaving => return Err(481),
        }
        if subscription.notifiers.len() >= MAX_NOTIFIERS {
            return Err(481);
        }
        let dialog = Dialog::of_notify(request, subscription.cseq).ok_or(400_u16)?;
        subscription.notifiers.push(Notifier {
            id: notifier,
            dialog,
            until: now,
            outgoing: None,
            owes_notify: false,
            asked: now,
            failures: 0,
        });
        Ok(notifier)
    }

    /// A notifier says that the subscription lives, and how long.
    fn notifier_lives(
        &mut self,
        now: Instant,
        id: SubscriptionId,
        notifier: NotifierId,
        state: Option<&SubscriptionStateField>,
    ) {
        let Some(subscription) = self.subscriptions.get_mut(&id) else {
            return;
        };
        let leaving = subscription.phase == Phase::Leaving || subscription.is_poll();
        let usual = subscription.granted.unwrap_or(subscription.expires);
        let asked = subscription.expires.max(MIN_LIFE);
        let Some(known) = subscription.notifier_mut(notifier) else {
            return;
        };
        let named = state.and_then(|state| state.expires);
        let fresh = known.until <= now;
        let rest = match named {
            Some(seconds) => Duration::from_secs(seconds.into()).clamp(MIN_LIFE, asked),
            None if fresh => usual.max(MIN_LIFE),
            // A NOTIFY that names no time leaves it as it was.
            None => known.until - now,
        };
        known.until = now + rest;
        if leaving {
            return;
        }
        if known.outgoing.is_none() && (named.is_some() || fresh) {
            self.timers
                .set(Timer::Resubscribe(id, notifier), now + refresh_after(rest));
        }
        let pending = state.is_some_and(|state| state.state == "pending");
        let state = if pending {
            SubscriptionState::Pending
        } else {
            SubscriptionState::Active { expires: rest }
        };
        self.tell_subscription(id, state);
    }

    /// A notifier ended the subscription, for a reason that says what to do next.
    fn notifier_ended(
        &mut self,
        now: Instant,
        id: SubscriptionId,
        notifier: NotifierId,
        state: &SubscriptionStateField,
    ) {
        let subscription = self.subscriptions.get(&id);
        if subscription.is_some_and(|it| it.is_poll()) {
            self.notifier_lost(now, id, notifier, None, FETCHED, Retry::Never);
            return;
        }
        let (why, retry) = match state.reason.as_deref() {
            Some("deactivated") => ("the server moved the subscription", Retry::AtOnce),
            Some("timeout") => ("the server says that it expired", Retry::AtOnce),
            Some("probation") => (
                "the server asks to come back later",
                Retry::Later(state.retry_after),
            ),
            Some("giveup") => (
                "nobody could be asked for permission",
                Retry::Later(state.retry_after),
            ),
            Some("rejected") => ("it was not allowed", Retry::Never),
            Some("noresource") => ("what was watched is no longer there", Retry::Never),
            Some("invariant") => ("it cannot change any more", Retry::Never),
            Some(_) | None => (
                "the server ended the subscription",
                Retry::Later(state.retry_after),
            ),
        };
        self.notifier_lost(now, id, notifier, None, why, retry);
    }
}

/// Why a fetch is over.
const FETCHED: &str = "the state was fetched";

/// Whether a body can be read as the subscription asked for it.
fn check_body(request: &Message, accept: &str) -> Result<(), Refusal> {
    if request.body.is_empty() {
        return Ok(());
    }
    let encoded = request
        .tokens("Content-Encoding")
        .iter()
        .any(|coding| !coding.eq_ignore_ascii_case("identity"));
    if encoded {
        return Err(Refusal::with(415, "Accept-Encoding", "identity"));
    }
    let kind = request.header("Content-Type").map(parse::media_type);
    let readable = kind.is_some_and(|kind| accept.split(',').any(|type_| type_.trim() == kind));
    if readable {
        Ok(())
    } else {
        Err(Refusal::with(415, "Accept", accept))
    }
}
