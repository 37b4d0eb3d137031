//! What is known of one subscription, and what the owner may do with it (RFC 6665 section 4.1).
//!
//! ```text
//! subscribe -> Trying -> Alive -> refresh ... -> Leaving -> forgotten
//!                 ^         |
//!                 +-Waiting-+-> Over (only the owner begins again)
//! ```
//!
//! The dialog of a notifier is made by its NOTIFY, which may overtake the answer to the SUBSCRIBE
//! (section 4.4.1).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::outgoing::OutgoingId;
use super::session::Way;
use crate::base::flow::{ConnectionId, Resolved};
use crate::base::id::AccountId;
use crate::base::uri::SipUri;
use crate::sip::connection::Flow;
use crate::sip::deadline::Timer;
use crate::sip::dialog::Dialog;
use crate::sip::endpoint::Endpoint;
use crate::sip::event::{SipError, SipEvent};
use crate::sip::route::Hop;
use crate::sip::subscription::{NotifierId, SubscriptionId, SubscriptionSetup, SubscriptionState};
use crate::sip::timer::TIMEOUT;

/// How many subscriptions may live at once.
pub(crate) const MAX_SUBSCRIPTIONS: usize = 256;
/// How many notifiers one forked subscription may have; further ones are refused.
pub(crate) const MAX_NOTIFIERS: usize = 8;
/// How often at most the whole state is asked for again.
const REFRESH_PAUSE: Duration = Duration::from_secs(5);

/// One notifier and its dialog.
#[derive(Debug)]
pub(crate) struct Notifier {
    /// Its name.
    pub(crate) id: NotifierId,
    /// The dialog that its first NOTIFY made.
    pub(crate) dialog: Dialog,
    /// When it forgets us.
    pub(crate) until: Instant,
    /// The SUBSCRIBE that is on its way.
    pub(crate) outgoing: Option<OutgoingId>,
    /// Whether a NOTIFY must follow a SUBSCRIBE (timer N).
    pub(crate) owes_notify: bool,
    /// When it was last asked for everything.
    pub(crate) asked: Instant,
    /// How many refreshes in a row failed.
    pub(crate) failures: u32,
}

/// Where a subscription stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The first SUBSCRIBE is on its way, or its NOTIFY.
    Trying,
    /// There is a notifier; since when.
    Alive(Instant),
    /// It is tried again later.
    Waiting,
    /// It is not tried again of its own accord.
    Over,
    /// It was given up; the last NOTIFY is awaited.
    Leaving,
}

/// One subscription.
#[derive(Debug)]
pub(crate) struct Subscription {
    /// Whose it is.
    pub(crate) account: Option<AccountId>,
    /// What for.
    pub(crate) setup: SubscriptionSetup,
    /// The Call-ID of its dialogs.
    pub(crate) call_id: String,
    /// Our tag in them.
    pub(crate) local_tag: String,
    /// The number of the last SUBSCRIBE outside of a dialog.
    pub(crate) cseq: u32,
    /// The lifetime to ask for.
    pub(crate) expires: Duration,
    /// The lifetime that the last 2xx gave.
    pub(crate) granted: Option<Duration>,
    /// The SUBSCRIBE that is on its way.
    pub(crate) outgoing: Option<OutgoingId>,
    /// Who answers.
    pub(crate) notifiers: Vec<Notifier>,
    /// Where it stands.
    pub(crate) phase: Phase,
    /// How many tries in a row failed.
    pub(crate) failures: u32,
    /// How often the lifetime was raised for 423 in a row.
    pub(crate) raises: u8,
    /// Where the last SUBSCRIBE went.
    pub(crate) place: Option<Resolved>,
    /// The stream that it went by.
    pub(crate) stream: Option<(ConnectionId, SocketAddr)>,
    /// The Contact that it named.
    pub(crate) contact: Option<SipUri>,
    /// What the owner knows.
    pub(crate) told: Option<SubscriptionState>,
}

impl Subscription {
    /// How requests inside its dialogs reach the notifier.
    pub(crate) fn way(&self) -> Way {
        Way {
            account: self.account,
            stream: self.stream,
            place: self.place,
        }
    }

    /// Whether the state is fetched once.
    pub(crate) fn is_poll(&self) -> bool {
        self.setup.expires.is_zero()
    }

    /// Finds a notifier.
    pub(crate) fn notifier_mut(&mut self, id: NotifierId) -> Option<&mut Notifier> {
        self.notifiers.iter_mut().find(|known| known.id == id)
    }
}

impl Endpoint {
    /// Subscribes to news (RFC 6665); its state and the news come by events.
    ///
    /// # Errors
    ///
    /// Fails when the target is no SIP URI or there are too many subscriptions.
    pub fn subscribe(
        &mut self,
        now: Instant,
        account: Option<AccountId>,
        setup: SubscriptionSetup,
    ) -> Result<SubscriptionId, SipError> {
        if self.subscriptions.len() >= MAX_SUBSCRIPTIONS {
            return Err(SipError::Limit("as many subscriptions as it can"));
        }
        if Hop::of(&setup.target).is_none() {
            return Err(SipError::BadTarget(
                setup.target.without_password().to_string(),
            ));
        }
        let id = SubscriptionId(self.new_id());
        let subscription = Subscription {
            account,
            expires: setup.expires,
            setup,
            call_id: String::new(),
            local_tag: String::new(),
            cseq: 0,
            granted: None,
            outgoing: None,
            notifiers: Vec::new(),
            phase: Phase::Waiting,
            failures: 0,
            raises: 0,
            place: None,
            stream: None,
            contact: None,
            told: None,
        };
        self.subscriptions.insert(id, subscription);
        self.send_subscribe(now, id);
        Ok(id)
    }

    /// Begins a subscription again at once where it waits or is over; refreshes one that lives.
    pub fn subscribe_again(&mut self, now: Instant, id: SubscriptionId) {
        let Some(subscription) = self.subscriptions.get_mut(&id) else {
            return;
        };
        match subscription.phase {
            Phase::Waiting | Phase::Over => {}
            Phase::Alive(_) => return self.refresh_subscription(now, id),
            Phase::Trying | Phase::Leaving => return,
        }
        subscription.failures = 0;
        subscription.expires = subscription.setup.expires;
        self.drop_subscription_dialogs(now, id);
        self.send_subscribe(now, id);
    }

    /// Asks for the whole state again by a refresh (RFC 4235 section 4.6), at most every 5 s.
    pub fn refresh_subscription(&mut self, now: Instant, id: SubscriptionId) {
        let Some(subscription) = self.subscriptions.get(&id) else {
            return;
        };
        if !matches!(subscription.phase, Phase::Alive(_)) {
            return;
        }
        let due: Vec<(NotifierId, Instant)> = subscription
            .notifiers
            .iter()
            .filter(|notifier| notifier.outgoing.is_none())
            .map(|notifier| (notifier.id, (notifier.asked + REFRESH_PAUSE).max(now)))
            .collect();
        for (notifier, at) in due {
            if at <= now {
                self.resubscribe(now, id, notifier);
            } else {
                self.timers.set(Timer::Resubscribe(id, notifier), at);
            }
        }
    }

    /// Gives a subscription up; the notifier is told (RFC 6665 section 4.1.2.3).
    pub fn unsubscribe(&mut self, now: Instant, id: SubscriptionId) {
        self.timers.cancel(&Timer::Subscribe(id));
        self.timers.cancel(&Timer::NotifyLimit(id));
        let Some(subscription) = self.subscriptions.get_mut(&id) else {
            return;
        };
        if subscription.phase == Phase::Leaving {
            return;
        }
        let outgoing = subscription.outgoing.take();
        subscription.phase = Phase::Leaving;
        subscription.expires = Duration::ZERO;
        let notifiers: Vec<NotifierId> = subscription.notifiers.iter().map(|n| n.id).collect();
        if let Some(outgoing) = outgoing {
            // Its NOTIFY will be answered 481, which ends the subscription there as well.
            self.abandon(now, outgoing);
        }
        for notifier in notifiers {
            self.resubscribe(now, id, notifier);
        }
        let left = self.subscriptions.get(&id).map(|it| it.notifiers.len());
        match left {
            Some(0) => self.forget_subscription(now, id),
            Some(_) => self.timers.set(Timer::NotifyLimit(id), now + TIMEOUT),
            None => {}
        }
    }

    /// Gives all subscriptions up, at exit.
    pub fn unsubscribe_all(&mut self, now: Instant) {
        let ids: Vec<SubscriptionId> = self.subscriptions.keys().copied().collect();
        for id in ids {
            self.unsubscribe(now, id);
        }
    }

    /// Gives all subscriptions of an account up.
    pub(crate) fn unsubscribe_account(&mut self, now: Instant, account: AccountId) {
        let of_account = |(id, subscription): (&SubscriptionId, &Subscription)| {
            (subscription.account == Some(account)).then_some(*id)
        };
        let ids: Vec<SubscriptionId> = self.subscriptions.iter().filter_map(of_account).collect();
        for id in ids {
            self.unsubscribe(now, id);
        }
    }

    /// Tells the notifiers where an account is reached now.
    pub(crate) fn subscriptions_follow(&mut self, now: Instant, account: AccountId) {
        let binding = self
            .accounts
            .get(&account)
            .and_then(|it| it.binding.clone());
        let Some(binding) = binding else {
            return;
        };
        let moved = |(id, subscription): (&SubscriptionId, &Subscription)| {
            let contact = subscription.contact.as_ref();
            let stale = contact.is_some_and(|contact| !contact.equivalent(&binding));
            (subscription.account == Some(account) && stale).then_some(*id)
        };
        let ids: Vec<SubscriptionId> = self.subscriptions.iter().filter_map(moved).collect();
        for id in ids {
            self.refresh_subscription(now, id);
        }
    }

    /// Refreshes the subscriptions whose stream is gone, so that news find a new way.
    pub(crate) fn subscription_flow_lost(&mut self, now: Instant, connection: ConnectionId) {
        // After the registration, which comes back within three seconds.
        const AFTER: Duration = Duration::from_secs(5);
        for (id, subscription) in &mut self.subscriptions {
            if subscription
                .stream
                .is_none_or(|(lost, _)| lost != connection)
            {
                continue;
            }
            subscription.stream = None;
            if matches!(subscription.phase, Phase::Alive(_)) {
                for notifier in &subscription.notifiers {
                    self.timers
                        .set(Timer::Resubscribe(*id, notifier.id), now + AFTER);
                }
            }
        }
    }

    /// Remembers by which way the last SUBSCRIBE went.
    pub(crate) fn learn_subscription_way(&mut self, id: SubscriptionId, outgoing: OutgoingId) {
        let Some(known) = self.outgoing.get(&outgoing) else {
            return;
        };
        let (place, sent) = (known.place(), known.sent.clone());
        if let Some(subscription) = self.subscriptions.get_mut(&id) {
            subscription.place = place.or(subscription.place);
            if let Some(sent) = sent {
                subscription.contact = sent.contact;
                subscription.stream = stream_of(&sent.flow);
            }
        }
    }

    /// Tells the owner where a subscription stands, unless that is known.
    pub(crate) fn tell_subscription(&mut self, id: SubscriptionId, state: SubscriptionState) {
        let Some(subscription) = self.subscriptions.get_mut(&id) else {
            return;
        };
        let known = match (&subscription.told, &state) {
            // Each NOTIFY names another rest of the same lifetime.
            (Some(SubscriptionState::Active { .. }), SubscriptionState::Active { .. }) => true,
            (told, state) => told.as_ref() == Some(state),
        };
        if known {
            return;
        }
        subscription.told = Some(state.clone());
        self.border.event(SipEvent::Subscription {
            subscription: id,
            state,
        });
    }

    /// Forgets all dialogs of a subscription, without a word to the notifiers.
    pub(crate) fn drop_subscription_dialogs(&mut self, now: Instant, id: SubscriptionId) {
        self.timers.cancel(&Timer::Subscribe(id));
        self.timers.cancel(&Timer::NotifyLimit(id));
        let Some(subscription) = self.subscriptions.get_mut(&id) else {
            return;
        };
        let key = (
            std::mem::take(&mut subscription.call_id),
            std::mem::take(&mut subscription.local_tag),
        );
        self.by_subscription.remove(&key);
        let outgoing = subscription.outgoing.take();
        let notifiers: Vec<NotifierId> = subscription.notifiers.iter().map(|n| n.id).collect();
        if let Some(outgoing) = outgoing {
            self.abandon(now, outgoing);
        }
        for notifier in notifiers {
            self.drop_notifier(now, id, notifier);
        }
    }

    /// Forgets one dialog of a subscription; gives how many are left.
    pub(crate) fn drop_notifier(
        &mut self,
        now: Instant,
        id: SubscriptionId,
        notifier: NotifierId,
    ) -> usize {
        self.timers.cancel(&Timer::Resubscribe(id, notifier));
        let Some(subscription) = self.subscriptions.get_mut(&id) else {
            return 0;
        };
        let place = subscription.notifiers.iter().position(|n| n.id == notifier);
        let gone = place.map(|place| subscription.notifiers.remove(place));
        let left = subscription.notifiers.len();
        if let Some(gone) = gone {
            if let Some(outgoing) = gone.outgoing {
                self.abandon(now, outgoing);
            }
            self.border.event(SipEvent::NotifierGone {
                subscription: id,
                notifier,
            });
        }
        left
    }

    /// Forgets a subscription that was given up.
    pub(crate) fn forget_subscription(&mut self, now: Instant, id: SubscriptionId) {
        self.drop_subscription_dialogs(now, id);
        self.tell_subscription(
            id,
            SubscriptionState::Ended {
                status: None,
                reason: "it was ended on request".to_owned(),
            },
        );
        self.subscriptions.remove(&id);
    }
}

fn stream_of(flow: &Flow) -> Option<(ConnectionId, SocketAddr)> {
    flow.connection()
        .map(|connection| (connection, flow.remote()))
}
