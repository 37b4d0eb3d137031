//! Colleagues and mailboxes: which subscriptions they need, and what their news change.

use std::time::Instant;

use crate::app::engine::Engine;
use crate::app::watched::{Heard, Mailbox, Watched};
use crate::base::id::AccountId;
use crate::base::uri::Uri;
use crate::config::account::MessageWaiting;
use crate::config::settings::Colleague;
use crate::control::{CallTarget, ColleagueView, Event, MailboxView, PickupTarget, Wish};
use crate::sip::{Body, NotifierId, SubscriptionId, SubscriptionState, UnsolicitedNews};

/// What a subscription is for.
enum Purpose {
    Colleague(usize),
    Mailbox(usize),
}

impl Engine {
    /// Takes the colleagues of the settings; those that stay keep their subscriptions.
    pub(super) fn set_colleagues(&mut self, now: Instant, colleagues: &[Colleague]) {
        let mut old = std::mem::take(&mut self.watched);
        for colleague in colleagues {
            let known = old.iter().position(|it| it.colleague == *colleague);
            let watched = match known {
                Some(known) => old.remove(known),
                None => {
                    let account = self.account_of_colleague(&colleague.address);
                    Watched::new(colleague.clone(), account)
                }
            };
            self.watched.push(watched);
        }
        for gone in old {
            if let Some(subscription) = gone.subscription {
                self.endpoint.unsubscribe(now, subscription);
            }
        }
        self.dirty = true;
    }

    /// Subscribes what an account (or a phone without one) watches and does not yet.
    pub(super) fn begin_watching(&mut self, now: Instant, account: Option<AccountId>) {
        let own = account.and_then(|id| self.own_uri(id));
        self.begin_watching_colleagues(now, account);
        for at in 0..self.watched.len() {
            let watched = self.watched.get(at).filter(|it| it.account == account);
            if let Some(subscription) = watched.and_then(|it| it.subscription) {
                self.endpoint.subscribe_again(now, subscription);
            }
        }
        let wanted = account
            .and_then(|id| self.account(id))
            .is_some_and(|live| live.account.message_waiting == MessageWaiting::Auto);
        if let (true, Some(own)) = (wanted, own) {
            let at = self.mailbox_of(account);
            let Some(mailbox) = self.mailboxes.get(at) else {
                return;
            };
            match mailbox.subscription {
                Some(subscription) => self.endpoint.subscribe_again(now, subscription),
                None => {
                    let begun = self.endpoint.subscribe(now, account, Mailbox::setup(&own));
                    if let (Ok(subscription), Some(mailbox)) = (begun, self.mailboxes.get_mut(at)) {
                        mailbox.subscription = Some(subscription);
                    }
                }
            }
        }
    }

    /// Subscribes to the colleagues of an account that are not subscribed to yet.
    pub(super) fn begin_watching_colleagues(&mut self, now: Instant, account: Option<AccountId>) {
        let own = account.and_then(|id| self.own_uri(id));
        for at in 0..self.watched.len() {
            self.begin_watching_colleague(now, at, account, own.as_ref());
        }
    }

    /// Forgets the subscriptions of an account that is set up anew or removed.
    pub(super) fn forget_watching(&mut self, account: AccountId) {
        for watched in &mut self.watched {
            if watched.account == Some(account) {
                watched.forget();
            }
        }
        self.mailboxes
            .retain(|mailbox| mailbox.account != Some(account));
        self.dirty = true;
    }

    /// Finds anew which account watches whom, when accounts came or went.
    pub(super) fn assign_colleagues(&mut self, now: Instant) {
        for at in 0..self.watched.len() {
            let Some(address) = self.watched.get(at).map(|it| it.colleague.address.clone()) else {
                continue;
            };
            let account = self.account_of_colleague(&address);
            let Some(watched) = self.watched.get_mut(at) else {
                continue;
            };
            if watched.account == account {
                continue;
            }
            watched.account = account;
            if let Some(subscription) = watched.subscription {
                watched.forget();
                self.endpoint.unsubscribe(now, subscription);
            }
        }
    }

    /// A notifier of a subscription is gone.
    pub(super) fn handle_notifier_gone(&mut self, id: SubscriptionId, notifier: NotifierId) {
        if let Some(Purpose::Colleague(at)) = self.purpose(id)
            && let Some(watched) = self.watched.get_mut(at)
        {
            watched.handle_gone(notifier);
            self.tell_colleague(at);
        }
    }

    /// The colleagues as the window shows them.
    pub(super) fn colleague_views(&self) -> Vec<ColleagueView> {
        let view = |watched: &Watched| {
            let own = watched.account.and_then(|id| self.own_uri(id));
            watched.view(own.as_ref())
        };
        self.watched.iter().map(view).collect()
    }

    /// The mailboxes as the window shows them.
    pub(super) fn mailbox_views(&self) -> Vec<MailboxView> {
        let view = |mailbox| self.mailbox_view(mailbox);
        self.mailboxes.iter().filter_map(view).collect()
    }

    /// Takes a call that rings elsewhere: the caller is asked to replace that dialog (RFC 3891).
    pub(super) fn pick_up(&mut self, now: Instant, pickup: &PickupTarget, wish: Wish) {
        // What a notifier wrote must not begin another header field.
        let sound = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        let tag = |text: &str| sound(text) && !text.contains([';', ',', '"']);
        if !tag(&pickup.call_id) || !tag(&pickup.local_tag) || !tag(&pickup.remote_tag) {
            return self.problem(
                None,
                "this call cannot be picked up: its ids are damaged".to_owned(),
            );
        }
        // The caller compares to-tag with its own tag.
        let replaces = format!(
            "{};to-tag={};from-tag={};early-only",
            pickup.call_id, pickup.remote_tag, pickup.local_tag
        );
        let target = CallTarget {
            text: pickup.target.clone(),
            account: None,
        };
        self.place_replacing(now, &target, replaces, wish);
    }

    fn begin_watching_colleague(
        &mut self,
        now: Instant,
        at: usize,
        account: Option<AccountId>,
        own: Option<&Uri>,
    ) {
        let Some(watched) = self.watched.get(at) else {
            return;
        };
        if watched.account != account || watched.subscription.is_some() {
            return;
        }
        let begun = match watched.setup(own) {
            Some(setup) => self
                .endpoint
                .subscribe(now, account, setup)
                .map_err(|error| error.to_string()),
            None => Err(format!(
                "{} cannot be watched: without an account a SIP address is needed",
                watched.colleague.address
            )),
        };
        match begun {
            Ok(subscription) => {
                if let Some(watched) = self.watched.get_mut(at) {
                    watched.subscription = Some(subscription);
                }
            }
            Err(problem) => self.problem(None, problem),
        }
    }

    /// A subscription moved.
    pub(super) fn handle_subscription_state(
        &mut self,
        id: SubscriptionId,
        state: &SubscriptionState,
    ) {
        match self.purpose(id) {
            Some(Purpose::Colleague(at)) => {
                if let Some(watched) = self.watched.get_mut(at) {
                    watched.handle_state(state);
                }
                self.tell_colleague(at);
            }
            // Many servers offer no message waiting; that is no fault.
            Some(Purpose::Mailbox(_)) => tracing::debug!("message waiting: {state:?}"),
            None => {}
        }
    }

    /// A notifier tells something.
    pub(super) fn handle_news(
        &mut self,
        now: Instant,
        id: SubscriptionId,
        notifier: NotifierId,
        body: &Body,
    ) {
        match self.purpose(id) {
            Some(Purpose::Colleague(at)) => {
                let heard = self
                    .watched
                    .get_mut(at)
                    .map(|watched| watched.handle_news(notifier, body));
                if heard == Some(Heard::Gap) {
                    self.endpoint.refresh_subscription(now, id);
                }
                self.tell_colleague(at);
            }
            Some(Purpose::Mailbox(at)) => {
                if let Some(mailbox) = self.mailboxes.get_mut(at) {
                    mailbox.handle_news(body);
                }
                self.tell_mailbox(at);
            }
            None => {}
        }
    }

    /// Somebody tells something unasked.
    pub(super) fn handle_unsolicited(&mut self, news: &UnsolicitedNews) {
        let at = self.mailbox_of(news.account);
        if let Some(mailbox) = self.mailboxes.get_mut(at) {
            mailbox.handle_news(&news.body);
        }
        self.tell_mailbox(at);
    }

    /// The place of an account's mailbox, which is made where there is none.
    fn mailbox_of(&mut self, account: Option<AccountId>) -> usize {
        let known = self.mailboxes.iter().position(|it| it.account == account);
        known.unwrap_or_else(|| {
            self.mailboxes.push(Mailbox::new(account));
            self.mailboxes.len() - 1
        })
    }

    fn purpose(&self, id: SubscriptionId) -> Option<Purpose> {
        let mut watched = self.watched.iter();
        let mut mailboxes = self.mailboxes.iter();
        watched
            .position(|it| it.subscription == Some(id))
            .map(Purpose::Colleague)
            .or_else(|| {
                let at = mailboxes.position(|it| it.subscription == Some(id))?;
                Some(Purpose::Mailbox(at))
            })
    }

    fn tell_colleague(&mut self, at: usize) {
        let Some(watched) = self.watched.get(at) else {
            return;
        };
        let own = watched.account.and_then(|id| self.own_uri(id));
        let view = watched.view(own.as_ref());
        if let Some(watched) = self.watched.get_mut(at)
            && watched.told.as_ref() != Some(&view)
        {
            watched.told = Some(view.clone());
            self.tell(Event::Watched(Box::new(view)));
        }
    }

    fn tell_mailbox(&mut self, at: usize) {
        let Some(view) = self.mailboxes.get(at).and_then(|it| self.mailbox_view(it)) else {
            return;
        };
        if let Some(mailbox) = self.mailboxes.get_mut(at)
            && mailbox.told.as_ref() != Some(&view)
        {
            mailbox.told = Some(view.clone());
            self.tell(Event::MessageWaiting(Box::new(view)));
        }
    }

    pub(super) fn mailbox_view(&self, mailbox: &Mailbox) -> Option<MailboxView> {
        let live = mailbox.account.and_then(|id| self.account(id));
        let address = live.map(|live| live.account.address.clone());
        let voicemail = live.map(|live| live.account.voicemail.as_str());
        mailbox.view(address.unwrap_or_default(), voicemail.unwrap_or_default())
    }

    fn own_uri(&self, id: AccountId) -> Option<Uri> {
        let (account, _zones) = self.account(id)?.account.without_zones();
        Uri::parse(&account.address).ok()
    }

    /// The account that watches an address: the first of its domain, else the first.
    fn account_of_colleague(&self, address: &str) -> Option<AccountId> {
        let named = Uri::parse(address).ok();
        let host = named.as_ref().and_then(|uri| Some(&uri.as_sip()?.host));
        let same_domain = self.accounts.iter().find(|live| {
            let own = self.own_uri(live.id);
            let own = own.as_ref().and_then(|uri| Some(&uri.as_sip()?.host));
            matches!((host, own), (Some(host), Some(own)) if host.equivalent(own))
        });
        same_domain
            .or_else(|| self.accounts.first())
            .map(|live| live.id)
    }
}
