//! Every deadline of the endpoint, what happens at each, and how much is under way.

use std::time::Instant;

use crate::base::flow::{ConnectionId, ResolveId, Transport};
use crate::base::id::AccountId;
use crate::sip::endpoint::Endpoint;
use crate::sip::event::SessionId;
use crate::sip::refusals::Why;
use crate::sip::subscription::{NotifierId, SubscriptionId};
use crate::sip::transaction::{TransactionId, TransactionTimer};
use crate::sip::ua::OutgoingId;

/// Every deadline of the endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Timer {
    /// A timer of a transaction (RFC 3261 table 4).
    Transaction(TransactionId, TransactionTimer),
    /// A stream that is being opened (5 s; with a handshake, 10 s).
    Connect(ConnectionId),
    /// A message on a stream that has begun and not ended (64*T1 from its first octet), or the first
    /// one on a stream that a peer opened (64*T1 from then).
    Partial(ConnectionId),
    /// A question to the resolver (64*T1).
    Resolve(ResolveId),
    /// The next REGISTER: refresh, or another try.
    Register(AccountId),
    /// The next keep-alive (RFC 5626 section 4.4.1).
    KeepAlive(AccountId),
    /// The ring limit of a call.
    Ring(SessionId),
    /// A provisional answer repeated each minute (RFC 3261 section 13.3.1.1).
    Provisional(SessionId),
    /// A reliable provisional answer repeated from T1 without end (RFC 3262 section 3).
    RepeatReliable(SessionId),
    /// The longest wait for its PRACK (64*T1).
    PrackLimit(SessionId),
    /// Our 2xx repeated from T1 to T2 (RFC 3261 section 13.3.1.4).
    Repeat2xx(SessionId),
    /// The longest wait for the ACK of our 2xx (64*T1).
    AckLimit(SessionId),
    /// The longest wait for the end of a cancelled INVITE (64*T1, RFC 3261 section 9.1).
    CancelLimit(SessionId),
    /// The next refresh of a call (RFC 4028 section 10).
    Refresh(SessionId),
    /// The end of a call that was not refreshed (RFC 4028 section 10).
    SessionExpires(SessionId),
    /// Our re-INVITE after glare (RFC 3261 section 14.1), or another one after a refusal.
    Glare(SessionId),
    /// The longest wait for the final answer to our re-INVITE.
    ReinviteLimit(OutgoingId),
    /// The longest wait for the next news of a transfer that we asked for.
    Refer(SessionId),
    /// Our REFER again, to a far end whose own change was under way.
    ReferAgain(SessionId),
    /// How long the far end hears of a transfer that it asked for.
    Referral(SessionId),
    /// The next try of a subscription.
    Subscribe(SubscriptionId),
    /// The next refresh of one dialog of a subscription.
    Resubscribe(SubscriptionId, NotifierId),
    /// The longest wait for the NOTIFY after a SUBSCRIBE (timer N, RFC 6665 section 4.1.2.4).
    NotifyLimit(SubscriptionId),
}

/// How much an endpoint holds; all zero when nothing is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Census {
    /// Calls that are not over.
    pub sessions: usize,
    /// Dialogs, early ones included.
    pub dialogs: usize,
    /// Transactions, those that only absorb repetitions included.
    pub transactions: usize,
    /// Outgoing requests that wait for an answer or for repeated 2xx.
    pub requests: usize,
    /// Questions to the resolver without an answer.
    pub questions: usize,
    /// Subscriptions that were not given up.
    pub subscriptions: usize,
    /// Deadlines, without those of registrations, subscriptions and connections.
    pub timers: usize,
}

impl Endpoint {
    /// Lets every timer run that is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(timer) = self.timers.pop_due(now) {
            match timer {
                Timer::Transaction(id, timer) => {
                    let mut outcomes = Vec::new();
                    self.transactions.handle_timer(id, timer, &mut outcomes);
                    self.apply(now, outcomes, None);
                }
                Timer::Connect(connection) => {
                    if self.border.connecting(connection) {
                        if let Some((Transport::Tcp, remote)) = self.border.close(connection) {
                            self.remember_streamless(now, remote);
                        }
                        self.connection_lost(now, connection, "the connection was not accepted");
                    }
                }
                Timer::Partial(connection) => {
                    if let Some((_, remote)) = self.border.close(connection) {
                        self.refusals.count(remote.ip(), Why::Slow);
                    }
                    self.connection_lost(now, connection, "the peer sent no whole message in time");
                }
                Timer::Resolve(id) => {
                    self.resolved(now, id, Err("the name was not resolved in time".to_owned()));
                }
                Timer::Register(account) => self.registration_due(now, account),
                Timer::KeepAlive(account) => self.keep_alive(now, account),
                Timer::Ring(session) => self.ring_limit_passed(now, session),
                Timer::Provisional(session) => self.repeat_provisional(now, session),
                Timer::RepeatReliable(session) => self.repeat_reliable(now, session),
                Timer::PrackLimit(session) => self.prack_missing(now, session),
                Timer::Repeat2xx(session) => self.repeat_2xx(now, session),
                Timer::AckLimit(session) => self.ack_missing(now, session),
                Timer::CancelLimit(session) => self.cancel_unanswered(now, session),
                Timer::Refresh(session) => self.refresh(now, session),
                Timer::SessionExpires(session) => self.session_expired(now, session),
                Timer::Glare(session) => self.glare_over(now, session),
                Timer::Refer(session) => self.transfer_limit_passed(session),
                Timer::ReferAgain(session) => self.refer_again(now, session),
                Timer::Referral(session) => self.referral_limit_passed(now, session),
                Timer::ReinviteLimit(request) => self.reinvite_limit_passed(now, request),
                Timer::Subscribe(subscription) => self.send_subscribe(now, subscription),
                Timer::Resubscribe(subscription, notifier) => {
                    self.resubscribe(now, subscription, notifier);
                }
                Timer::NotifyLimit(subscription) => self.notify_missing(now, subscription),
            }
        }
    }

    /// How much is under way.
    pub fn census(&self) -> Census {
        Census {
            sessions: self.sessions.len(),
            dialogs: self
                .sessions
                .values()
                .map(|session| session.early.len() + usize::from(session.dialog.is_some()))
                .sum(),
            transactions: self.transactions.len(),
            requests: self.outgoing.len(),
            questions: self.resolving.len(),
            subscriptions: self.subscriptions.len(),
            timers: self.timers.count(|timer| match timer {
                Timer::Register(_)
                | Timer::KeepAlive(_)
                | Timer::Subscribe(_)
                | Timer::Resubscribe(..)
                | Timer::NotifyLimit(_)
                | Timer::Connect(_)
                | Timer::Partial(_) => false,
                Timer::Transaction(..)
                | Timer::Resolve(_)
                | Timer::Ring(_)
                | Timer::Provisional(_)
                | Timer::RepeatReliable(_)
                | Timer::PrackLimit(_)
                | Timer::Repeat2xx(_)
                | Timer::AckLimit(_)
                | Timer::CancelLimit(_)
                | Timer::Refresh(_)
                | Timer::SessionExpires(_)
                | Timer::Glare(_)
                | Timer::Refer(_)
                | Timer::ReferAgain(_)
                | Timer::Referral(_)
                | Timer::ReinviteLimit(_) => true,
            }),
        }
    }
}
