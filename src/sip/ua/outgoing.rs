//! A request on its way: where it may go, what it was challenged for, who waits for the answer.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Instant;

use super::ack::Ack;
use super::authentication::{KeptBack, KnownChallenge};
use super::lookup::Asked;
use crate::base::flow::{ConnectionId, ResolveId, Resolved, Transport};
use crate::base::id::AccountId;
use crate::base::uri::SipUri;
use crate::sip::connection::Flow;
use crate::sip::deadline::Timer;
use crate::sip::dialog::Dialog;
use crate::sip::endpoint::Endpoint;
use crate::sip::event::{SessionId, Status};
use crate::sip::message::Message;
use crate::sip::route::{Hop, MAX_DATAGRAM_REQUEST};
use crate::sip::subscription::{NotifierId, SubscriptionId};
use crate::sip::transaction::{ClientOwner, TransactionId};

/// How many places one request tries (RFC 3263 section 4.3).
pub(super) const MAX_TARGETS: usize = 16;

/// Names one outgoing request over all its attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct OutgoingId(pub(crate) u64);

/// Who waits for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// A registration.
    Register(AccountId),
    /// The INVITE that starts a call.
    Invite(SessionId),
    /// A re-INVITE or UPDATE that offers new media.
    Change(SessionId),
    /// An UPDATE that only refreshes the call.
    Refresh(SessionId),
    /// The PRACK of a provisional answer.
    Prack(SessionId),
    /// The BYE of a call.
    Bye(SessionId),
    /// An INFO inside a call.
    Information(SessionId),
    /// Our REFER in a call.
    Refer(SessionId),
    /// The NOTIFY about a transfer that the far end of a call asked for.
    ReferNews(SessionId),
    /// A SUBSCRIBE outside of a dialog.
    Subscribe(SubscriptionId),
    /// A SUBSCRIBE in the dialog with a notifier.
    Resubscribe(SubscriptionId, NotifierId),
    /// Nobody.
    Nobody,
}

/// What came of an outgoing request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer<'m> {
    /// A response.
    Response(&'m Message),
    /// None: 408 where nobody answered, 503 where nobody could be reached.
    Failed {
        /// The status that stands for it (RFC 3261 section 8.1.3.1).
        code: u16,
        /// Why, for a person.
        why: &'m str,
    },
}

impl Answer<'_> {
    /// The status.
    pub(crate) fn status(&self) -> Status {
        match self {
            Self::Response(response) => Status::new(
                response.code().unwrap_or(500),
                response.phrase().unwrap_or_default(),
            ),
            Self::Failed { code, why } => Status::new(*code, *why),
        }
    }
}

/// A place to try.
#[derive(Debug, Clone, Copy)]
struct Target {
    place: Resolved,
    /// Whether a large request may go there by UDP, because TCP failed.
    large_by_udp: bool,
}

/// What the running attempt went by; its transaction may be over before its answer is taken.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    /// The Contact that it named.
    pub(crate) contact: Option<SipUri>,
    /// The flow.
    pub(crate) flow: Flow,
}

/// One request over all its attempts.
#[derive(Debug)]
pub(crate) struct Outgoing {
    /// Who waits.
    pub(crate) owner: Owner,
    /// Whose credentials and transport it uses.
    pub(crate) account: Option<AccountId>,
    /// The request without Via, Contact and credentials, which each attempt adds.
    pub(crate) request: Message,
    /// Its first hop.
    pub(crate) hop: Hop,
    /// Whether UDP was asked for, so that size does not change it.
    pinned: bool,
    targets: VecDeque<Target>,
    /// The places as the resolver ranked them.
    ranking: Vec<Resolved>,
    tried: Option<Target>,
    current: Option<TransactionId>,
    /// What the last attempt went by.
    pub(crate) sent: Option<Sent>,
    challenges: u8,
    /// How often its session interval was raised.
    pub(crate) raises: u8,
    /// The stream of the call, which reaches a peer behind a NAT.
    pub(crate) stream: Option<(ConnectionId, SocketAddr)>,
    /// Where it goes when its hop cannot be resolved: where the call came from or went to.
    fallback: Option<Resolved>,
    /// The ACKs of its 2xx by their To tags.
    pub(crate) acks: BTreeMap<String, Ack>,
    /// Why its last challenge was not answered.
    pub(crate) kept_back: Option<KeptBack>,
    /// The early dialogs of an answered INVITE that did not become the call: a late 2xx of one is
    /// ended within it.
    pub(crate) forks: Vec<Dialog>,
    answered: bool,
}

impl Outgoing {
    /// Prepares a request for its next hop.
    pub(crate) fn new(
        owner: Owner,
        account: Option<AccountId>,
        request: Message,
        hop: Hop,
    ) -> Self {
        let pinned = hop.transport == Some(Transport::Udp);
        Self {
            owner,
            account,
            request,
            hop,
            pinned,
            targets: VecDeque::new(),
            ranking: Vec::new(),
            tried: None,
            sent: None,
            current: None,
            challenges: 0,
            raises: 0,
            stream: None,
            fallback: None,
            acks: BTreeMap::new(),
            kept_back: None,
            forks: Vec::new(),
            answered: false,
        }
    }

    /// Takes places that were resolved before.
    #[must_use]
    pub(crate) fn with_targets(mut self, places: Vec<Resolved>) -> Self {
        self.targets = targets(places);
        self
    }

    /// Prefers a stream to the same machine.
    #[must_use]
    pub(crate) fn with_stream(mut self, stream: Option<(ConnectionId, SocketAddr)>) -> Self {
        self.stream = stream;
        self
    }

    /// Goes to a known place when its hop cannot be resolved.
    #[must_use]
    pub(crate) fn with_fallback(mut self, place: Option<Resolved>) -> Self {
        self.fallback = place;
        self
    }

    /// Takes the places that its hop leads to: as the resolver ranked them, and in the order in
    /// which they are to be tried.
    pub(crate) fn take_places(&mut self, ranking: Vec<Resolved>, places: Vec<Resolved>) {
        self.ranking = ranking;
        self.targets = targets(places);
    }

    /// Where it goes when its hop cannot be resolved.
    pub(crate) fn fallback(&self) -> Option<Resolved> {
        self.fallback
    }

    /// Looks at each place that it may still use.
    pub(crate) fn for_each_place(&mut self, mut look: impl FnMut(&mut Resolved)) {
        for target in self.targets.iter_mut().chain(&mut self.tried) {
            look(&mut target.place);
        }
        if let Some(place) = &mut self.fallback {
            look(place);
        }
    }

    /// Lets the target that was tried last be tried once more.
    pub(crate) fn repeat_by_another_flow(&mut self) {
        if let Some(tried) = self.tried.filter(|_| !self.answered) {
            self.targets.push_front(tried);
        }
    }

    /// Lets the running attempt be the last one.
    pub(crate) fn forget_targets(&mut self) {
        self.targets.clear();
    }

    /// The transaction of the running attempt.
    pub(crate) fn current(&self) -> Option<TransactionId> {
        self.current
    }

    /// The places that stand before the one to which the running attempt went.
    pub(crate) fn better_places(&self) -> impl Iterator<Item = &Resolved> {
        let place = self.place();
        self.ranking.iter().take_while(move |better| {
            place.is_some_and(|place| {
                (better.transport, better.remote) != (place.transport, place.remote)
            })
        })
    }

    /// Where the running attempt went.
    pub(crate) fn place(&self) -> Option<Resolved> {
        self.tried.map(|target| target.place)
    }

    /// The transport of the running attempt, when it is an encrypted one: what follows in the same
    /// call must not fall behind it.
    pub(crate) fn secure_way(&self) -> Option<Transport> {
        let transport = self.place()?.transport;
        transport.secure().then_some(transport)
    }

    /// How often it was challenged, this time included.
    pub(crate) fn count_challenge(&mut self) -> u8 {
        self.challenges = self.challenges.saturating_add(1);
        self.challenges
    }

    /// Whether it was challenged before.
    pub(crate) fn challenged(&self) -> bool {
        self.challenges > 0
    }
}

impl Endpoint {
    /// Sends a request, after resolving its hop where that is not done yet.
    pub(crate) fn launch(&mut self, now: Instant, outgoing: Outgoing) -> OutgoingId {
        let resolved = !outgoing.targets.is_empty();
        let hop = outgoing.hop.clone();
        let id = self.reserve(outgoing);
        if resolved {
            self.attempt(now, id);
        } else {
            self.ask(now, Asked::Outgoing(id), &hop);
        }
        id
    }

    /// Keeps a request that `attempt` will send.
    pub(crate) fn reserve(&mut self, outgoing: Outgoing) -> OutgoingId {
        let id = OutgoingId(self.new_id());
        self.outgoing.insert(id, outgoing);
        id
    }

    /// Sends the request to its next target; without one it has failed.
    pub(crate) fn attempt(&mut self, now: Instant, id: OutgoingId) {
        let Some(outgoing) = self.outgoing.get_mut(&id) else {
            return;
        };
        let Some(mut target) = outgoing.targets.pop_front() else {
            self.fail(now, id, 503, "no target could be reached");
            return;
        };
        let (account, stream, pinned) = (outgoing.account, outgoing.stream, outgoing.pinned);
        let host = outgoing.hop.host.clone();
        let mut request = outgoing.request.clone();
        let challenged = outgoing.challenged();
        self.name_session(&mut request);
        self.add_contact(&mut request, account, &target.place);
        if self.may_carry_credentials(id, target.place) {
            self.add_credentials(&mut request, account, challenged);
        }
        let branch = format!("z9hG4bK{}", self.random.hex(12));
        let via = self.via(&target.place, &branch);
        request.headers.prepend("Via", via);
        if target.place.transport == Transport::Udp
            && !pinned
            && !target.large_by_udp
            && !self.refuses_streams(now, &target.place)
            && request.to_bytes().len() > MAX_DATAGRAM_REQUEST
            && let Some(outgoing) = self.outgoing.get_mut(&id)
        {
            // The Contact stays that of UDP: only this request goes another way.
            outgoing.targets.push_front(Target {
                large_by_udp: true,
                ..target
            });
            target.place.transport = Transport::Tcp;
            let via = self.via(&target.place, &branch);
            request.headers.set("Via", via);
        }
        let flow = self.flow_to(now, &target.place, stream, &host, account);
        if let Some(outgoing) = self.outgoing.get_mut(&id) {
            let contact = request.contact();
            outgoing.sent = Some(Sent {
                contact: contact.and_then(|contact| contact.uri.as_sip().cloned()),
                flow: flow.clone(),
            });
        }
        let mut outcomes = Vec::new();
        let owner = ClientOwner::Outgoing(id);
        let transaction = self
            .transactions
            .start_client(request, flow, owner, &mut outcomes);
        if let Some(outgoing) = self.outgoing.get_mut(&id) {
            outgoing.current = Some(transaction);
            outgoing.tried = Some(target);
            if let Owner::Invite(session) = outgoing.owner {
                self.forget_last_target(now, session);
            }
        }
        self.apply(now, outcomes, None);
    }

    /// Takes a response that a client transaction passed on.
    pub(crate) fn outgoing_response(
        &mut self,
        now: Instant,
        id: OutgoingId,
        transaction: TransactionId,
        response: &Message,
    ) {
        let Some(outgoing) = self.outgoing.get_mut(&id) else {
            return;
        };
        let code = response.code().unwrap_or(500);
        if outgoing.current != Some(transaction) {
            return;
        }
        let (owner, place) = (outgoing.owner, outgoing.place());
        self.judge_response(now, owner, place, response);
        self.learn_session_name(response);
        if code < 200 {
            self.deliver(now, id, Answer::Response(response));
            return;
        }
        let again = match code {
            401 | 407 => self.wants_retry(id) && self.learn_challenge(id, response),
            422 => self.wants_retry(id) && self.raise_interval(id, response),
            _ => false,
        };
        if again {
            if let Some(outgoing) = self.outgoing.get_mut(&id)
                && let Some(tried) = outgoing.tried
            {
                outgoing.targets.push_front(tried);
            }
            self.attempt(now, id);
            return;
        }
        if matches!(code, 401 | 407) {
            self.tell_kept_back(id);
        }
        if code == 503 && self.has_other_target(id) && self.wants_retry(id) {
            self.attempt(now, id);
            return;
        }
        self.deliver(now, id, Answer::Response(response));
    }

    /// Learns that an attempt got no answer in time, or that its flow broke.
    pub(crate) fn attempt_failed(
        &mut self,
        now: Instant,
        id: OutgoingId,
        transaction: TransactionId,
        code: u16,
        why: &str,
    ) {
        let Some(outgoing) = self.outgoing.get_mut(&id) else {
            return;
        };
        if outgoing.current != Some(transaction) || outgoing.answered {
            return;
        }
        let (owner, place) = (outgoing.owner, outgoing.place());
        let last = outgoing.targets.is_empty();
        self.judge_failure(now, owner, place, code);
        if last || !self.wants_retry(id) {
            self.fail(now, id, code, why);
        } else {
            self.attempt(now, id);
        }
    }

    /// Forgets an outgoing request whose last transaction is over.
    pub(crate) fn attempt_ended(&mut self, id: OutgoingId, transaction: TransactionId) {
        let is_last = self
            .outgoing
            .get(&id)
            .is_some_and(|outgoing| outgoing.current == Some(transaction));
        if is_last {
            self.forget_outgoing(id);
        }
    }

    /// Gives an outgoing request up; its transaction ends without a word.
    pub(crate) fn abandon(&mut self, now: Instant, id: OutgoingId) {
        if let Some(transaction) = self.outgoing.get(&id).and_then(Outgoing::current) {
            let mut outcomes = Vec::new();
            self.transactions.drop_client(transaction, &mut outcomes);
            self.apply(now, outcomes, None);
        }
        self.forget_outgoing(id);
    }

    fn has_other_target(&self, id: OutgoingId) -> bool {
        self.outgoing
            .get(&id)
            .is_some_and(|outgoing| outgoing.targets.iter().any(|t| !t.large_by_udp))
    }

    /// Whether the one who waits still wants an answer by another attempt.
    fn wants_retry(&self, id: OutgoingId) -> bool {
        match self.outgoing.get(&id).map(|outgoing| outgoing.owner) {
            Some(Owner::Invite(session)) => self
                .sessions
                .get(&session)
                .is_some_and(|session| !session.cancelled()),
            Some(
                Owner::Change(session)
                | Owner::Refresh(session)
                | Owner::Prack(session)
                | Owner::Information(session)
                | Owner::Refer(session)
                | Owner::ReferNews(session),
            ) => self.sessions.contains_key(&session),
            Some(Owner::Subscribe(id) | Owner::Resubscribe(id, _)) => {
                self.subscriptions.contains_key(&id)
            }
            Some(Owner::Register(_) | Owner::Bye(_) | Owner::Nobody) => true,
            None => false,
        }
    }

    pub(super) fn fail(&mut self, now: Instant, id: OutgoingId, code: u16, why: &str) {
        let without_transaction = self
            .outgoing
            .get(&id)
            .is_some_and(|outgoing| outgoing.current.is_none());
        self.deliver(now, id, Answer::Failed { code, why });
        if without_transaction {
            self.forget_outgoing(id);
        }
    }

    fn deliver(&mut self, now: Instant, id: OutgoingId, answer: Answer<'_>) {
        let Some(outgoing) = self.outgoing.get_mut(&id) else {
            return;
        };
        let is_final = match answer {
            Answer::Response(response) => response.code().is_some_and(|code| code >= 200),
            Answer::Failed { .. } => true,
        };
        outgoing.answered |= is_final;
        match outgoing.owner {
            Owner::Register(account) => {
                if is_final {
                    self.register_answered(now, account, id, answer);
                }
            }
            Owner::Invite(session) => self.invite_answered(now, session, id, answer),
            Owner::Information(session) => {
                if is_final {
                    self.information_answered(now, session, answer);
                }
            }
            Owner::Refer(session) => self.refer_answered(now, session, answer),
            Owner::ReferNews(session) => self.referrer_answered(now, session, answer),
            Owner::Change(session) => self.change_answered(now, session, id, answer),
            Owner::Refresh(session) => {
                if is_final {
                    self.refresh_answered(now, session, answer);
                }
            }
            Owner::Prack(session) => {
                if is_final {
                    self.prack_answered(session, id, answer);
                }
            }
            Owner::Bye(session) => {
                if is_final {
                    self.bye_answered(session, answer);
                }
            }
            Owner::Subscribe(subscription) => {
                if is_final {
                    self.subscribe_answered(now, subscription, id, answer);
                }
            }
            Owner::Resubscribe(subscription, notifier) => {
                if is_final {
                    self.resubscribe_answered(now, subscription, notifier, id, answer);
                }
            }
            Owner::Nobody => {}
        }
    }

    fn forget_outgoing(&mut self, id: OutgoingId) {
        self.outgoing.remove(&id);
        self.timers.cancel(&Timer::ReinviteLimit(id));
        let questions: Vec<ResolveId> = self
            .resolving
            .iter()
            .filter(|(_, asked)| match asked {
                Asked::Outgoing(owner) | Asked::Ack(owner, _) => *owner == id,
                Asked::Session(_) => false,
            })
            .map(|(question, _)| *question)
            .collect();
        for question in questions {
            self.resolving.remove(&question);
            self.timers.cancel(&Timer::Resolve(question));
        }
    }

    /// The answered challenges of an account; empty for a direct call.
    pub(crate) fn known_challenges(
        &mut self,
        account: Option<AccountId>,
    ) -> Option<&mut Vec<KnownChallenge>> {
        Some(&mut self.accounts.get_mut(&account?)?.challenges)
    }
}

fn targets(places: Vec<Resolved>) -> VecDeque<Target> {
    places
        .into_iter()
        .take(MAX_TARGETS)
        .map(|place| Target {
            place,
            large_by_udp: false,
        })
        .collect()
}
