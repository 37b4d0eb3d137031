//! The endpoint: bytes in, bytes out, between them transactions, dialogs and the user agent.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::base::flow::{ConnectionId, Input, Output, ResolveId, Resolved, Transport};
use crate::base::id::AccountId;
use crate::base::random::Random;
use crate::base::uri::{Host, Uri};
use crate::sip::account::{AccountSetup, CallExtensions};
use crate::sip::connection::{Border, Flow, connect_limit};
use crate::sip::deadline::Timer;
use crate::sip::event::{Body, OutgoingCall, ReferTarget, SessionId, SipError, SipEvent, Status};
use crate::sip::message::Message;
use crate::sip::parse::{self, Unreadable};
use crate::sip::rate_limit::RateLimit;
use crate::sip::refusals::Refusals;
use crate::sip::subscription::SubscriptionId;
use crate::sip::timer::{Deadlines, TIMEOUT};
use crate::sip::transaction::{ClientOwner, Outcome, TransactionId, Transactions};
use crate::sip::ua::{
    Account, Arrival, Asked, Outgoing, OutgoingId, Penalties, ReferralAnswer, Session,
    Subscription, Unfollowed,
};
use crate::sip::wire::{self, Datagram, Frame};

/// What the endpoint must know of its surroundings.
#[derive(Debug, Clone)]
pub struct EndpointConfig {
    /// The port of the bound UDP socket, for Via and Contact.
    pub udp_port: u16,
    /// The port of the listening TCP socket, for Contact; none when it does not listen.
    pub tcp_port: Option<u16>,
    /// The port at which TLS is accepted, for Contact; none when it is not.
    pub tls_port: Option<u16>,
    /// Whether any user part and any source is answered (direct calls, for testers).
    pub accept_direct_calls: bool,
    /// The User-Agent and Server header fields.
    pub user_agent: String,
    /// How many sessions may live at once; a further INVITE gets 486.
    pub max_sessions: usize,
    /// How long a call of no account rings.
    pub direct_ring_limit: Duration,
    /// How many requests one source may send in a second; none takes all.
    pub requests_per_second: Option<u32>,
    /// Which extensions calls of no account use.
    pub direct_extensions: CallExtensions,
}

/// The sans-IO SIP user agent; see the crate's drain rule.
pub struct Endpoint {
    pub(super) config: EndpointConfig,
    pub(super) random: Box<dyn Random>,
    pub(super) border: Border,
    pub(super) timers: Deadlines<Timer>,
    pub(super) transactions: Transactions,
    pub(super) accounts: BTreeMap<AccountId, Account>,
    pub(super) sessions: BTreeMap<SessionId, Session>,
    /// Sessions by Call-ID and our tag.
    pub(super) by_dialog: HashMap<(String, String), SessionId>,
    pub(super) subscriptions: BTreeMap<SubscriptionId, Subscription>,
    /// Subscriptions by Call-ID and our tag.
    pub(super) by_subscription: HashMap<(String, String), SubscriptionId>,
    pub(super) outgoing: BTreeMap<OutgoingId, Outgoing>,
    pub(super) resolving: BTreeMap<ResolveId, Asked>,
    /// The user part of our Contact in calls of no account.
    pub(super) direct_user: String,
    /// What stands for us where nobody can reach us: Via and Contact over WebSocket (RFC 7118
    /// section 5).
    pub(super) nowhere: Host,
    /// Far ends that refused a stream, and until when they are not asked again because of size.
    pub(super) streamless: BTreeMap<SocketAddr, Instant>,
    /// Servers that failed lately.
    pub(super) penalties: Penalties,
    /// Wishes to be transferred that waited to be followed when their calls ended.
    pub(super) unfollowed: BTreeMap<SessionId, Unfollowed>,
    pub(super) discarded: u64,
    /// What was refused unheard since its owner asked.
    pub(super) refusals: Refusals,
    pub(super) rate_limit: RateLimit,
    last_id: u64,
}

impl Endpoint {
    /// Makes an endpoint without accounts.
    pub fn new(config: EndpointConfig, mut random: Box<dyn Random>) -> Self {
        let direct_user = random.hex(8);
        let nowhere = Host::Name(format!("{}.invalid", random.hex(6)));
        let rate_limit = RateLimit::new(config.requests_per_second);
        let transactions = Transactions::new(config.max_sessions);
        Self {
            config,
            random,
            border: Border::default(),
            timers: Deadlines::new(),
            transactions,
            accounts: BTreeMap::new(),
            sessions: BTreeMap::new(),
            by_dialog: HashMap::new(),
            subscriptions: BTreeMap::new(),
            by_subscription: HashMap::new(),
            outgoing: BTreeMap::new(),
            resolving: BTreeMap::new(),
            direct_user,
            nowhere,
            streamless: BTreeMap::new(),
            penalties: Penalties::default(),
            unfollowed: BTreeMap::new(),
            discarded: 0,
            refusals: Refusals::default(),
            rate_limit,
            last_id: 0,
        }
    }

    // Inputs.

    /// Takes what the sockets tell.
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Datagram {
                remote,
                local_ip,
                bytes,
            } => self.handle_datagram(now, remote, local_ip, &bytes),
            Input::Accepted {
                connection,
                transport,
                remote,
                local,
            } => self.handle_accepted(now, connection, transport, remote, local),
            Input::NotAccepted { source, why } => {
                self.refusals.count(source, why.into());
            }
            Input::Connected { connection, local } => {
                self.handle_connected(now, connection, local);
            }
            Input::Stream { connection, bytes } => self.handle_stream(now, connection, &bytes),
            Input::Closed { connection, error } => {
                self.handle_connection_closed(now, connection, error);
            }
            Input::SendError { remote, error } => self.handle_send_error(now, remote, &error),
            Input::Resolved { id, answer } => self.handle_resolved(now, id, answer),
        }
    }

    /// Takes one datagram; `local_ip` is the address that it was sent to.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        remote: SocketAddr,
        local_ip: IpAddr,
        bytes: &[u8],
    ) {
        match wire::datagram(bytes) {
            Datagram::KeepAlive => {}
            Datagram::Message => {
                let arrival = Arrival {
                    flow: Flow::Datagram { remote },
                    local_ip,
                    size: bytes.len(),
                };
                self.receive(now, &arrival, bytes);
            }
        }
    }

    /// Learns of a stream that a peer opened.
    pub fn handle_accepted(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        transport: Transport,
        remote: SocketAddr,
        local: SocketAddr,
    ) {
        // Datagrams have no connections.
        if transport != Transport::Udp {
            self.stream_accepted(now, connection, transport, (remote, local));
        }
    }

    /// Learns that a stream it asked for is open.
    pub fn handle_connected(&mut self, _now: Instant, connection: ConnectionId, local: SocketAddr) {
        self.timers.cancel(&Timer::Connect(connection));
        self.border.connected(connection, local);
    }

    /// Takes bytes of a stream, split anywhere.
    pub fn handle_stream(&mut self, now: Instant, connection: ConnectionId, bytes: &[u8]) {
        const PONG: &[u8] = b"\r\n";
        self.border.push(connection, bytes);
        let mut ended = false;
        while let Some((frame, flow, local_ip)) = self.border.next_frame(connection) {
            if let Frame::Message(_) = frame {
                ended = true;
                self.border.heard(now, connection);
            }
            let size = match &frame {
                Frame::Message(bytes) => bytes.len(),
                Frame::Broken { head, .. } => head.len(),
                Frame::Ping => 0,
            };
            let arrival = Arrival {
                flow,
                local_ip,
                size,
            };
            match frame {
                Frame::Message(bytes) => self.receive(now, &arrival, &bytes),
                Frame::Ping => self.border.send_keep_alive(&arrival.flow, PONG),
                Frame::Broken { head, code, phrase } => {
                    self.refuse_broken(now, &arrival, &head, code, phrase);
                    if !arrival.flow.transport().websocket() {
                        self.border.close(connection);
                        self.connection_lost(now, connection, "the peer broke the stream");
                    }
                }
            }
        }
        let partial = Timer::Partial(connection);
        if !self.border.partial(connection) && !self.border.silent(connection) {
            self.timers.cancel(&partial);
        } else if ended || !self.timers.contains(&partial) {
            // A sender that adds an octet now and then gains no time by it.
            self.timers.set(partial, now + TIMEOUT);
        }
    }

    /// Learns that a stream ended or could not be opened.
    pub fn handle_connection_closed(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        error: Option<String>,
    ) {
        let refused = self.border.connecting(connection);
        if let Some((transport, remote)) = self.border.closed(connection) {
            if refused && transport == Transport::Tcp {
                self.remember_streamless(now, remote);
            }
            let why = error.as_deref().unwrap_or("the connection was closed");
            self.connection_lost(now, connection, why);
        }
    }

    /// Learns where to send; an empty list or an error means unreachable.
    pub fn handle_resolved(
        &mut self,
        now: Instant,
        id: ResolveId,
        answer: Result<Vec<Resolved>, String>,
    ) {
        self.resolved(now, id, answer);
    }

    /// Learns that a datagram could not be sent (ICMP, no route).
    pub fn handle_send_error(&mut self, now: Instant, remote: SocketAddr, error: &str) {
        let broken = Flow::Datagram { remote };
        self.flow_broke(now, |flow| *flow == broken, error);
    }

    // Outputs.

    /// The next thing for the sockets.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.border.poll_output()
    }

    /// The next thing for the owner.
    pub fn poll_event(&mut self) -> Option<SipEvent> {
        self.border.poll_event()
    }

    /// When `handle_timeout` must be called at the latest.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// The Call-ID of a call that is not over, to find it in a trace.
    pub fn sip_call_id(&self, session: SessionId) -> Option<&str> {
        self.sessions
            .get(&session)
            .map(|session| session.call_id.as_str())
    }

    /// Whether a call's messages go to its next hop encrypted; none for one that is over, or that was
    /// not sent yet.
    pub fn is_encrypted(&self, session: SessionId) -> Option<bool> {
        let place = self.sessions.get(&session)?.place?;
        Some(place.transport.secure())
    }

    /// How many messages were thrown away because nobody could be told.
    pub fn discarded(&self) -> u64 {
        self.discarded
    }

    // Accounts.

    /// Adds an account and, if it has a registrar, starts its registration.
    pub fn add_account(&mut self, now: Instant, id: AccountId, setup: AccountSetup) {
        self.start_account(now, id, setup);
    }

    /// Removes an account; its registration is ended first.
    pub fn remove_account(&mut self, now: Instant, id: AccountId) {
        self.stop_account(now, id);
    }

    /// Registers again at once (after a failure, a network change or on the user's wish).
    pub fn register_now(&mut self, now: Instant, id: AccountId) {
        self.register_afresh(now, id);
    }

    /// Learns that the machine may be on another network, or that it slept: bindings, streams and
    /// calls that the change touched follow (each call by an event `Moved`), the others are left
    /// alone. `route` gives the address from which the machine now reaches a far end, or none.
    pub fn handle_network_change(
        &mut self,
        now: Instant,
        woke: bool,
        route: &dyn Fn(SocketAddr) -> Option<IpAddr>,
    ) {
        self.network_changed(now, woke, route);
    }

    /// Ends all registrations (at exit); each tells its end by an event.
    pub fn unregister_all(&mut self, now: Instant) {
        let ids: Vec<AccountId> = self.accounts.keys().copied().collect();
        for id in ids {
            self.unregister(now, id);
        }
    }

    // Calls.

    /// Starts a call: once the target is resolved, `OfferNeeded` asks for the offer. Without an
    /// account the request goes straight to the target.
    ///
    /// # Errors
    ///
    /// Fails when the target is no SIP URI or a limit is reached.
    pub fn invite(
        &mut self,
        now: Instant,
        account: Option<AccountId>,
        target: &Uri,
        headers: &[(String, String)],
    ) -> Result<SessionId, SipError> {
        let urgent = false;
        self.start_call(
            now,
            &OutgoingCall {
                account,
                target,
                headers,
                urgent,
            },
        )
    }

    /// Gives the offer that `OfferNeeded` asked for; the INVITE goes out.
    ///
    /// # Errors
    ///
    /// Fails when the call is over or the INVITE is already sent.
    pub fn offer(&mut self, now: Instant, session: SessionId, offer: Body) -> Result<(), SipError> {
        self.send_invite(now, session, &offer)
    }

    /// Sends 180, or 183 when a body (an early answer) is given; reliably where the caller can and
    /// the account's rule asks for it (RFC 3262). The early offer of a call that came without one
    /// goes out only reliably; else 180 is sent.
    ///
    /// # Errors
    ///
    /// Fails when the call is over or already answered.
    pub fn ring(
        &mut self,
        now: Instant,
        session: SessionId,
        body: Option<Body>,
    ) -> Result<(), SipError> {
        self.send_provisional(now, session, body.as_ref())
    }

    /// Accepts an incoming call with 200; `body` is the answer, or the offer after a late offer.
    /// The 200 waits for the PRACK of a session description.
    ///
    /// # Errors
    ///
    /// Fails when the call is over or already answered.
    pub fn answer(&mut self, now: Instant, session: SessionId, body: Body) -> Result<(), SipError> {
        self.accept_call(now, session, &body)
    }

    /// Refuses an incoming call with a final status of 300 to 699.
    ///
    /// # Errors
    ///
    /// Fails when the call is over or already answered.
    pub fn reject(
        &mut self,
        now: Instant,
        session: SessionId,
        status: Status,
        headers: &[(String, String)],
    ) -> Result<(), SipError> {
        self.refuse_call(now, session, &status, headers)
    }

    /// Ends a call in whatever state it is: CANCEL, BYE, or 603 for one that rings here.
    ///
    /// # Errors
    ///
    /// Fails when the call is over.
    pub fn hang_up(&mut self, now: Instant, session: SessionId) -> Result<(), SipError> {
        self.end_call(now, session)
    }

    /// Sends a body by INFO inside an established call, such as a digit; several keep their order.
    ///
    /// # Errors
    ///
    /// Fails when the call is not established or too many wait.
    pub fn inform(&mut self, now: Instant, session: SessionId, body: Body) -> Result<(), SipError> {
        self.queue_information(now, session, body)
    }

    /// Offers new media: by re-INVITE in an established call, by UPDATE before, once offer and
    /// answer of the INVITE were exchanged reliably.
    ///
    /// # Errors
    ///
    /// Fails when the call is in another state or another offer is open; after the latter
    /// `ChangePossible` follows.
    pub fn reinvite(
        &mut self,
        now: Instant,
        session: SessionId,
        offer: Body,
    ) -> Result<(), SipError> {
        self.start_reinvite(now, session, offer)
    }

    /// Answers a `Reinvite` event: 200 with a body, or a refusal such as 488 without.
    ///
    /// # Errors
    ///
    /// Fails when there is no re-INVITE to answer.
    pub fn answer_reinvite(
        &mut self,
        now: Instant,
        session: SessionId,
        status: Status,
        body: Option<Body>,
    ) -> Result<(), SipError> {
        self.answer_change(now, session, &status, body.as_ref())
    }

    /// Asks the far end of an established call to call somebody else instead; what comes of it is
    /// told by `SipEvent::Transfer`. The call goes on until the owner ends it.
    ///
    /// # Errors
    ///
    /// Fails when either call is not established, or a transfer is under way.
    pub fn transfer(
        &mut self,
        now: Instant,
        session: SessionId,
        target: &ReferTarget,
    ) -> Result<(), SipError> {
        self.send_refer(now, session, target)
    }

    /// Answers a `Referral` event.
    ///
    /// # Errors
    ///
    /// Fails when the far end no longer waits for it.
    pub fn answer_referral(
        &mut self,
        now: Instant,
        session: SessionId,
        answer: &ReferralAnswer,
    ) -> Result<(), SipError> {
        self.decide_referral(now, session, answer)
    }

    // Inside.

    /// Draws a number that no other id of this endpoint has.
    pub(super) fn new_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Sends a message that belongs to no transaction.
    pub(super) fn send(&mut self, now: Instant, flow: &Flow, bytes: Vec<u8>) {
        if let Some(connection) = self.border.send(now, flow, bytes) {
            let limit = connect_limit(flow.transport());
            self.timers.set(Timer::Connect(connection), now + limit);
        }
    }

    /// Does what a transaction wants done; `response` is what moved it.
    pub(super) fn apply(
        &mut self,
        now: Instant,
        outcomes: Vec<Outcome>,
        response: Option<(TransactionId, ClientOwner, &Message)>,
    ) {
        for outcome in outcomes {
            match outcome {
                Outcome::Send(flow, bytes) => self.send(now, &flow, bytes),
                Outcome::Start(id, timer, after) => {
                    self.timers.set(Timer::Transaction(id, timer), now + after);
                }
                Outcome::Stop(id, timer) => self.timers.cancel(&Timer::Transaction(id, timer)),
                Outcome::Pass => {
                    if let Some((id, ClientOwner::Outgoing(owner), response)) = response {
                        self.outgoing_response(now, owner, id, response);
                    }
                }
                Outcome::ClientTimedOut(id, ClientOwner::Outgoing(owner)) => {
                    self.attempt_failed(now, owner, id, 408, "nobody answered in time");
                }
                Outcome::ClientEnded(id, ClientOwner::Outgoing(owner)) => {
                    self.attempt_ended(owner, id);
                }
                // The INVITE itself tells what came of its CANCEL.
                Outcome::ClientTimedOut(_, ClientOwner::Cancel(_))
                | Outcome::ClientEnded(_, ClientOwner::Cancel(_)) => {}
            }
        }
    }

    /// Answers a request by its transaction.
    pub(super) fn respond(&mut self, now: Instant, id: TransactionId, mut response: Message) {
        response
            .headers
            .set("Server", self.config.user_agent.clone());
        self.name_session(&mut response);
        let mut outcomes = Vec::new();
        self.transactions.respond(id, &response, &mut outcomes);
        self.apply(now, outcomes, None);
    }

    fn receive(&mut self, now: Instant, arrival: &Arrival, bytes: &[u8]) {
        if !self.admit(now, arrival, bytes) {
            return;
        }
        let local = SocketAddr::new(arrival.local_ip, self.config.udp_port);
        self.border
            .trace(now, false, &arrival.flow, Some(local), bytes);
        match parse::message(bytes) {
            Ok(message) if message.method().is_some() => {
                self.handle_request(now, arrival, message);
            }
            Ok(response) => {
                let mut outcomes = Vec::new();
                let found = self.transactions.handle_response(&response, &mut outcomes);
                match found {
                    Some((id, owner)) => self.apply(now, outcomes, Some((id, owner, &response))),
                    None => self.discarded += 1,
                }
            }
            Err(Unreadable::Answer {
                code,
                phrase,
                request,
            }) => self.refuse_unreadable(now, arrival, &request, code, phrase),
            Err(Unreadable::Discard(what)) => self.discard(arrival.flow.remote().ip(), what),
        }
    }

    /// Fails all requests that wait on a flow (RFC 3261 section 18.4).
    fn flow_broke(&mut self, now: Instant, fits: impl Fn(&Flow) -> bool, why: &str) {
        for (id, owner) in self.transactions.clients_on(fits) {
            let mut outcomes = Vec::new();
            self.transactions.drop_client(id, &mut outcomes);
            self.apply(now, outcomes, None);
            if let ClientOwner::Outgoing(owner) = owner {
                self.attempt_failed(now, owner, id, 503, why);
                self.attempt_ended(owner, id);
            }
        }
    }

    pub(super) fn connection_lost(&mut self, now: Instant, connection: ConnectionId, why: &str) {
        self.timers.cancel(&Timer::Connect(connection));
        self.timers.cancel(&Timer::Partial(connection));
        self.flow_broke(now, |flow| flow.connection() == Some(connection), why);
        self.registration_flow_lost(now, connection);
        self.subscription_flow_lost(now, connection);
    }
}
