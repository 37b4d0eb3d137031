//! The endpoint: bytes in, bytes out, between them transactions, dialogs and the user agent.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use crate::base::id::AccountId;
use crate::base::random::Random;
use crate::base::uri::Uri;
use crate::sip::account::AccountSetup;
use crate::sip::event::{Body, SessionId, SipError, SipEvent, Status};
use crate::sip::flow::{ConnectionId, Output, ResolveId, Resolved, Transport};

/// What the endpoint must know of its surroundings.
#[derive(Debug, Clone)]
pub struct EndpointConfig {
    /// The port of the bound UDP socket, for Via and Contact.
    pub udp_port: u16,
    /// The port of the listening TCP socket, for Contact; none when it does not listen.
    pub tcp_port: Option<u16>,
    /// Whether any user part and any source is answered (direct calls, for testers).
    pub accept_direct_calls: bool,
    /// The User-Agent and Server header fields.
    pub user_agent: String,
    /// How many sessions may live at once; a further INVITE gets 486.
    pub max_sessions: usize,
}

/// The sans-IO SIP user agent; see the crate's drain rule.
pub struct Endpoint {}

#[expect(unused_variables, clippy::todo, reason = "contract")]
impl Endpoint {
    /// Makes an endpoint without accounts.
    pub fn new(config: EndpointConfig, random: Box<dyn Random>) -> Self {
        todo!()
    }

    // Inputs.

    /// Takes one datagram.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        remote: SocketAddr,
        local_ip: IpAddr,
        bytes: &[u8],
    ) {
        todo!()
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
        todo!()
    }
    /// Learns that a stream it asked for is open.
    pub fn handle_connected(&mut self, now: Instant, connection: ConnectionId, local: SocketAddr) {
        todo!()
    }
    /// Takes bytes of a stream, split anywhere.
    pub fn handle_stream(&mut self, now: Instant, connection: ConnectionId, bytes: &[u8]) {
        todo!()
    }
    /// Learns that a stream ended or could not be opened.
    pub fn handle_connection_closed(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        error: Option<String>,
    ) {
        todo!()
    }
    /// Learns where to send; an empty list or an error means unreachable.
    pub fn handle_resolved(
        &mut self,
        now: Instant,
        id: ResolveId,
        answer: Result<Vec<Resolved>, String>,
    ) {
        todo!()
    }
    /// Learns that a datagram could not be sent (ICMP, no route).
    pub fn handle_send_error(&mut self, now: Instant, remote: SocketAddr, error: &str) {
        todo!()
    }
    /// Lets every timer run that is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        todo!()
    }

    // Outputs.

    /// The next thing for the sockets.
    pub fn poll_output(&mut self) -> Option<Output> {
        todo!()
    }
    /// The next thing for the owner.
    pub fn poll_event(&mut self) -> Option<SipEvent> {
        todo!()
    }
    /// When `handle_timeout` must be called at the latest.
    pub fn poll_timeout(&self) -> Option<Instant> {
        todo!()
    }

    // Accounts.

    /// Adds an account and, if it has a registrar, starts its registration.
    pub fn add_account(&mut self, now: Instant, id: AccountId, setup: AccountSetup) {
        todo!()
    }
    /// Removes an account; its registration is ended first.
    pub fn remove_account(&mut self, now: Instant, id: AccountId) {
        todo!()
    }
    /// Registers again at once (after a failure, a network change or on the user's wish).
    pub fn register_now(&mut self, now: Instant, id: AccountId) {
        todo!()
    }
    /// Ends all registrations (at exit); each tells its end by an event.
    pub fn unregister_all(&mut self, now: Instant) {
        todo!()
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
        todo!()
    }
    /// Gives the offer that `OfferNeeded` asked for; the INVITE goes out.
    ///
    /// # Errors
    ///
    /// Fails when the call is over or the INVITE is already sent.
    pub fn offer(&mut self, now: Instant, session: SessionId, offer: Body) -> Result<(), SipError> {
        todo!()
    }
    /// Sends 180, or 183 when a body (an early answer) is given.
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
        todo!()
    }
    /// Accepts an incoming call with 200; `body` is the answer, or the offer after a late offer.
    ///
    /// # Errors
    ///
    /// Fails when the call is over or already answered.
    pub fn answer(&mut self, now: Instant, session: SessionId, body: Body) -> Result<(), SipError> {
        todo!()
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
        todo!()
    }
    /// Ends a call in whatever state it is: CANCEL, BYE, or 603 for one that rings here.
    ///
    /// # Errors
    ///
    /// Fails when the call is over.
    pub fn hang_up(&mut self, now: Instant, session: SessionId) -> Result<(), SipError> {
        todo!()
    }
    /// Offers new media in an established call.
    ///
    /// # Errors
    ///
    /// Fails when the call is not established or another offer is open.
    pub fn reinvite(
        &mut self,
        now: Instant,
        session: SessionId,
        offer: Body,
    ) -> Result<(), SipError> {
        todo!()
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
        todo!()
    }
}
