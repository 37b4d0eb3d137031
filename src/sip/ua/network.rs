//! Another network under the phone: what was said of our address to registrars and in calls is
//! said again, where it changed (RFC 3261 sections 10.2.4, 12.2 and 14.1; RFC 5626 section 4.5).

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use super::account::Wish;
use super::outgoing::{Outgoing, Owner};
use super::session::{Phase, Session};
use crate::base::flow::{ConnectionId, Resolved};
use crate::base::id::AccountId;
use crate::sip::connection::Flow;
use crate::sip::deadline::Timer;
use crate::sip::endpoint::Endpoint;
use crate::sip::event::{RegistrationState, SessionId, SipEvent};
use crate::sip::subscription::SubscriptionId;
use crate::sip::transaction::ClientOwner;

/// The address from which the machine's routes reach a far end; none when no way leads there.
pub(crate) type RouteTo<'r> = &'r dyn Fn(SocketAddr) -> Option<IpAddr>;

impl Endpoint {
    /// Repairs what the change broke, and leaves alone what it did not touch.
    pub(crate) fn network_changed(&mut self, now: Instant, woke: bool, route: RouteTo<'_>) {
        let accounts = self.accounts_to_register(woke, route);
        let calls = self.calls_that_moved(woke, route);
        let streams = self.dead_streams(woke, route);
        let subscriptions = self.subscriptions_that_moved(route);
        if accounts.is_empty() && calls.is_empty() && streams.is_empty() && subscriptions.is_empty()
        {
            return;
        }
        // What could not be reached from there may be reached from here.
        self.streamless.clear();
        self.penalties.clear();
        for outgoing in self.outgoing.values_mut() {
            outgoing.follow(route);
        }
        for connection in streams {
            self.leave_stream(now, connection);
        }
        for (session, local_ip) in calls {
            self.move_call(session, local_ip, route);
        }
        for account in accounts {
            self.register_from_here(now, account, woke, route);
        }
        for (id, local_ip) in subscriptions {
            if let Some(subscription) = self.subscriptions.get_mut(&id)
                && let Some(place) = &mut subscription.place
            {
                place.local_ip = local_ip;
            }
            self.refresh_subscription(now, id);
        }
    }

    /// Subscriptions towards whose notifier another address of ours leads now, where no registration
    /// comes first: those of a registered account follow its binding.
    fn subscriptions_that_moved(&self, route: RouteTo<'_>) -> Vec<(SubscriptionId, IpAddr)> {
        let registers = |id: &AccountId| {
            let account = self.accounts.get(id);
            account.is_some_and(|account| account.setup.registrar.is_some())
        };
        self.subscriptions
            .iter()
            .filter(|(_, subscription)| !subscription.account.as_ref().is_some_and(registers))
            .filter_map(|(id, subscription)| {
                let place = subscription.place?;
                let local_ip = route(place.remote)?;
                (local_ip != place.local_ip).then_some((*id, local_ip))
            })
            .collect()
    }

    /// Accounts whose binding names another address, or that wait for a better time to register.
    /// Those that were refused stay so: their password did not change.
    fn accounts_to_register(&self, woke: bool, route: RouteTo<'_>) -> Vec<AccountId> {
        let wanted = self.accounts.iter().filter(|(_, account)| {
            account.wish == Wish::Bound && account.setup.registrar.is_some()
        });
        wanted
            .filter(|(id, account)| {
                let sent = account
                    .outgoing
                    .and_then(|outgoing| self.outgoing.get(&outgoing))
                    .map(|outgoing| outgoing.current().is_some());
                let away = account
                    .place
                    .is_some_and(|place| route(place.remote) != Some(place.local_ip));
                match sent {
                    // Its name is being looked up, by name servers of the old network perhaps.
                    Some(false) => true,
                    Some(true) => away || woke,
                    None if account.bound => away || woke,
                    None => self.timers.contains(&Timer::Register(**id)),
                }
            })
            .map(|(id, _)| *id)
            .collect()
    }

    /// Calls towards whose next hop another address of ours leads now; after sleep, all that are
    /// established: the way of their sound, or a NAT's word for it, may be forgotten.
    fn calls_that_moved(&self, woke: bool, route: RouteTo<'_>) -> Vec<(SessionId, IpAddr)> {
        self.sessions
            .iter()
            .filter_map(|(id, session)| {
                let place = session.place?;
                let local_ip = route(place.remote)?;
                let slept = woke && matches!(session.phase, Phase::Established);
                (slept || local_ip != place.local_ip).then_some((*id, local_ip))
            })
            .collect()
    }

    /// Streams from an address that no longer leads there. Where no way leads there at all they
    /// are kept: the way may come back. After sleep the far end or a NAT has forgotten ours.
    fn dead_streams(&self, woke: bool, route: RouteTo<'_>) -> Vec<ConnectionId> {
        self.border
            .streams()
            .filter(|stream| {
                let elsewhere = match (stream.local_ip, route(stream.remote)) {
                    (Some(was), Some(is)) => was != is,
                    (_, _) => false,
                };
                elsewhere || (woke && stream.ours)
            })
            .map(|stream| stream.connection)
            .collect()
    }

    /// Closes a stream; requests that waited for an answer on it go out again by another, but for an
    /// INVITE that may have arrived.
    fn leave_stream(&mut self, now: Instant, connection: ConnectionId) {
        let on_it = |flow: &Flow| flow.connection() == Some(connection);
        let never_open = self.border.connecting(connection);
        for (transaction, owner) in self.transactions.clients_on(on_it) {
            if let ClientOwner::Outgoing(id) = owner
                && let Some(outgoing) = self.outgoing.get_mut(&id)
                && outgoing.current() == Some(transaction)
            {
                match outgoing.owner {
                    // It may have arrived, and a second one would ring a second time.
                    Owner::Invite(_) if !never_open => outgoing.forget_targets(),
                    Owner::Invite(_)
                    | Owner::Register(_)
                    | Owner::Subscribe(_)
                    | Owner::Resubscribe(..)
                    | Owner::Information(_)
                    | Owner::Change(_)
                    | Owner::Refresh(_)
                    | Owner::Prack(_)
                    | Owner::Refer(_)
                    | Owner::ReferNews(_)
                    | Owner::Bye(_)
                    | Owner::Nobody => {
                        outgoing.repeat_by_another_flow();
                    }
                }
            }
        }
        self.border.close(connection);
        self.connection_lost(now, connection, "the network changed");
    }

    fn move_call(&mut self, id: SessionId, local_ip: IpAddr, route: RouteTo<'_>) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if let Some(place) = &mut session.place {
            place.local_ip = local_ip;
        }
        session.stream = session
            .stream
            .filter(|(connection, _)| self.border.transport(*connection).is_some());
        if let Phase::OfferNeeded(_, places) = &mut session.phase {
            follow(places, route);
        }
        self.tell_moved(id, local_ip);
    }

    /// Tells the owner from where the way to a call's far end begins now.
    pub(crate) fn tell_moved(&mut self, session: SessionId, local_ip: IpAddr) {
        self.border.event(SipEvent::Moved { session, local_ip });
    }

    /// Registers an account anew from where the machine is now.
    pub(crate) fn register_from_here(
        &mut self,
        now: Instant,
        id: AccountId,
        woke: bool,
        route: RouteTo<'_>,
    ) {
        let why = if woke {
            "the computer woke up"
        } else {
            "the network changed"
        };
        if let Some(account) = self.accounts.get_mut(&id) {
            account.registering = true;
            if let Some(place) = &mut account.place
                && let Some(local_ip) = route(place.remote)
                && local_ip != place.local_ip
            {
                place.local_ip = local_ip;
                // What was learned on the old network is wrong here.
                account.public = None;
            }
        }
        self.border.event(SipEvent::Registration {
            account: id,
            state: RegistrationState::Registering { why: Some(why) },
        });
        self.register_afresh(now, id);
    }
}

impl Session {
    /// Takes the place that took the call, which may be another than the one that was first in the
    /// list; gives our address towards it where the offer named another.
    pub(crate) fn settle_at(&mut self, place: Option<Resolved>) -> Option<IpAddr> {
        let offered_from = self.place.map(|place| place.local_ip);
        self.place = place.or(self.place);
        let local_ip = self.place?.local_ip;
        (offered_from != Some(local_ip)).then_some(local_ip)
    }
}

impl Outgoing {
    /// Takes our new addresses for what is still to be tried.
    fn follow(&mut self, route: RouteTo<'_>) {
        self.for_each_place(|place| {
            if let Some(local_ip) = route(place.remote) {
                place.local_ip = local_ip;
            }
        });
    }
}

fn follow(places: &mut [Resolved], route: RouteTo<'_>) {
    for place in places {
        if let Some(local_ip) = route(place.remote) {
            place.local_ip = local_ip;
        }
    }
}
