//! Whose requests are taken at all.
//!
//! A request outside of calls is taken for the random user part of an account's Contact, which only
//! the account's own side knows, or from an address that was resolved for the account's registrar,
//! proxy or domain. One that names a call or an INVITE is taken when it is one of ours. Anything else
//! is refused unheard by 404, 481 or 400, which tells a scanner neither who is here nor which names
//! exist; it costs no transaction, is never longer than the request and never repeated, and after a
//! few refusals a source hears nothing at all, as from a host without a phone. OPTIONS is treated as
//! an INVITE would be (RFC 3261 section 11.2).

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use super::incoming::{Arrival, phrase};
use super::lookup::Asked;
use super::outgoing::{MAX_TARGETS, Owner};
use super::session::Phase;
use crate::base::flow::{ConnectionId, Output, Resolved, Transport};
use crate::base::id::AccountId;
use crate::base::uri::{Uri, percent_decode};
use crate::sip::connection::{Flow, Room, Stream, response_flow};
use crate::sip::deadline::Timer;
use crate::sip::endpoint::Endpoint;
use crate::sip::event::Status;
use crate::sip::message::{Message, Method};
use crate::sip::parse;
use crate::sip::rate_limit::Admission;
use crate::sip::refusals::{Refused, Why};
use crate::sip::timer::TIMEOUT;
use crate::sip::transaction::{ServerKey, Standing};

/// Whom a request means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Called {
    /// An account.
    Account(AccountId),
    /// Nobody in particular: direct calls are taken.
    Direct,
    /// Nobody here.
    Nobody,
}

impl Endpoint {
    /// Remembers what was resolved for the own servers of an account.
    pub(super) fn learn_servers(&mut self, asked: &Asked, places: &[Resolved]) {
        let (account, host, registers) = match asked {
            Asked::Outgoing(id) => match self.outgoing.get(id) {
                Some(outgoing) => {
                    let registers = match outgoing.owner {
                        Owner::Register(_) => true,
                        Owner::Invite(_)
                        | Owner::Change(_)
                        | Owner::Refresh(_)
                        | Owner::Prack(_)
                        | Owner::Bye(_)
                        | Owner::Information(_)
                        | Owner::Refer(_)
                        | Owner::ReferNews(_)
                        | Owner::Subscribe(_)
                        | Owner::Resubscribe(..)
                        | Owner::Nobody => false,
                    };
                    (outgoing.account, outgoing.hop.host.clone(), registers)
                }
                None => return,
            },
            Asked::Session(id) => match self.sessions.get(id) {
                Some(session) => match &session.phase {
                    Phase::Resolving(plan) => (session.account, plan.hop.host.clone(), false),
                    Phase::OfferNeeded(..)
                    | Phase::Redirected(..)
                    | Phase::Calling { .. }
                    | Phase::Ringing { .. }
                    | Phase::Answered(_)
                    | Phase::Established
                    | Phase::Ending { .. } => return,
                },
                None => return,
            },
            Asked::Ack(..) => return,
        };
        let Some(account) = account.and_then(|id| self.accounts.get_mut(&id)) else {
            return;
        };
        if registers || account.is_own_host(&host) {
            for place in places.iter().take(MAX_TARGETS) {
                account.learn_server(place.remote.ip());
            }
        }
    }

    /// Whom a request outside of calls means.
    pub(crate) fn called(&self, arrival: &Arrival, request: &Message) -> Called {
        let user = request.uri().and_then(sip_user);
        let by_contact = self
            .accounts
            .iter()
            .find(|(_, account)| user.as_deref() == Some(account.contact_user.as_str()));
        if let Some((id, _)) = by_contact {
            return Called::Account(*id);
        }
        // From the own server, whatever name it calls: trunks call numbers, not Contacts.
        let callee = request.to().and_then(|to| sip_user(&to.uri));
        let own = |user: &Option<String>, id: &AccountId| {
            let address = self.accounts.get(id);
            let name = address.and_then(|account| sip_user(&account.setup.address));
            name.is_some() && name == *user
        };
        let served: Vec<AccountId> = self
            .accounts
            .iter()
            .filter(|(_, account)| account.is_own_flow(&arrival.flow))
            .map(|(id, _)| *id)
            .collect();
        let by_address = served
            .iter()
            .find(|id| own(&user, id))
            .or_else(|| served.iter().find(|id| own(&callee, id)))
            .or_else(|| served.first());
        match by_address {
            Some(id) => Called::Account(*id),
            None if self.config.accept_direct_calls => Called::Direct,
            None => Called::Nobody,
        }
    }

    /// Whether a request came from the called account's own server.
    pub(crate) fn is_from_own_server(&self, account: Option<AccountId>, flow: &Flow) -> bool {
        account
            .and_then(|id| self.accounts.get(&id))
            .is_some_and(|account| account.is_own_flow(flow))
    }

    /// Who sends a request: somebody whom we know by his address or by what the request belongs to,
    /// or anybody.
    pub(super) fn standing(&self, flow: &Flow, request: &Message, key: &ServerKey) -> Standing {
        if self.accounts.values().any(|it| it.is_own_flow(flow)) {
            return Standing::Own;
        }
        let dialog = (request.call_id().to_owned(), request.to_tag());
        let invite = || key.clone().invite_of_cancel();
        let ours = self.by_dialog.contains_key(&dialog)
            || self.by_subscription.contains_key(&dialog)
            || (request.method() == Some(&Method::Cancel)
                && self.transactions.server(&invite()).is_some());
        if ours {
            Standing::Peer
        } else {
            Standing::Stranger
        }
    }

    /// Refuses a request that is for nobody here; nothing is kept of it but a count.
    pub(super) fn refuse_stranger(
        &mut self,
        now: Instant,
        arrival: &Arrival,
        flow: &Flow,
        request: &Message,
    ) {
        let belongs = !request.to_tag().is_empty() || request.method() == Some(&Method::Cancel);
        let code = if belongs { 481 } else { 404 };
        let source = flow.remote().ip();
        self.refusals.count(source, Why::Stranger);
        if self.refusals.tells(now, source) {
            let response = Self::stateless_response(request, code, phrase(code));
            self.send_small(now, flow, &response, arrival.size);
        }
    }

    /// Refuses a request that is malformed; a stranger is told so a few times.
    pub(super) fn refuse_malformed(
        &mut self,
        now: Instant,
        arrival: &Arrival,
        request: &Message,
        what: &'static str,
        status: &Status,
    ) {
        let mut request = request.clone();
        let flow = response_flow(&mut request, &arrival.flow);
        let source = flow.remote().ip();
        self.refusals.count(source, Why::Malformed(what));
        let response = Self::stateless_response(&request, status.code, &status.phrase);
        if self.called(arrival, &request) != Called::Nobody {
            self.send(now, &flow, response.to_bytes());
        } else if self.refusals.tells(now, source) {
            self.send_small(now, &flow, &response, arrival.size);
        }
    }

    /// Takes a stream that a peer opened, where there is room; far end first.
    pub(crate) fn stream_accepted(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        transport: Transport,
        (remote, local): (SocketAddr, SocketAddr),
    ) {
        if self.makes_room(now, remote.ip()) {
            self.border.accepted(connection, transport, remote, local);
            // A peer that opens a stream has something to say.
            self.timers.set(Timer::Partial(connection), now + TIMEOUT);
        } else {
            self.refusals.count(remote.ip(), Why::TooManyStreams);
            self.border.output(Output::Close { connection });
        }
    }

    /// Whether a peer may open another stream: where there are as many as there may be, one that is
    /// idle is closed for it.
    fn makes_room(&mut self, now: Instant, source: IpAddr) -> bool {
        match self.border.room_for(source) {
            Room::Free => return true,
            Room::Greedy => return false,
            Room::Crowded => {}
        }
        let Some(idle) = self.idle_stream(now, self.is_server(source)) else {
            return false;
        };
        self.refusals.count(idle.remote.ip(), Why::TooManyStreams);
        self.border.close(idle.connection);
        self.connection_lost(now, idle.connection, "its place was needed");
        true
    }

    /// The stream of a stranger that was silent for the longest and that nothing needs; for another
    /// stranger it must have been silent for a while.
    fn idle_stream(&self, now: Instant, for_server: bool) -> Option<Stream> {
        let quiet = |stream: &Stream| {
            let heard = stream.heard;
            heard.is_some_and(|heard| now.saturating_duration_since(heard) >= TIMEOUT)
        };
        let mut needed: BTreeSet<ConnectionId> = self.transactions.connections().collect();
        needed.extend((self.sessions.values()).filter_map(|it| Some(it.stream?.0)));
        self.border
            .streams()
            .filter(|it| !it.ours && !self.is_server(it.remote.ip()))
            .filter(|it| !needed.contains(&it.connection) && (for_server || quiet(it)))
            .min_by_key(|it| it.heard)
    }

    /// Whether an address was resolved for an account's own servers.
    fn is_server(&self, ip: IpAddr) -> bool {
        self.accounts.values().any(|account| account.is_server(ip))
    }

    /// Charges the source of a request that is not read yet; whether it may go on.
    pub(crate) fn admit(&mut self, now: Instant, arrival: &Arrival, bytes: &[u8]) -> bool {
        if !costs_something(bytes) {
            return true;
        }
        let source = arrival.flow.remote().ip();
        match self.rate_limit.admit(now, source) {
            Admission::Taken => return true,
            Admission::Dropped => {}
            Admission::Refused => {
                if let Ok(mut request) = parse::message(bytes) {
                    let flow = response_flow(&mut request, &arrival.flow);
                    let mut busy = Self::stateless_response(&request, 503, phrase(503));
                    busy.headers.push("Retry-After", "1");
                    self.send_small(now, &flow, &busy, arrival.size);
                }
            }
        }
        self.refusals.count(source, Why::TooFast);
        false
    }

    /// Counts a message that could not be read.
    pub(crate) fn discard(&mut self, source: IpAddr, what: &'static str) {
        self.discarded += 1;
        self.refusals.count(source, Why::Malformed(what));
    }

    /// Whether something was refused or thrown away since the counts were last taken.
    pub fn has_refusals(&self) -> bool {
        !self.refusals.is_empty()
    }

    /// Takes the counts of what was refused or thrown away unheard.
    pub fn take_refusals(&mut self) -> Vec<Refused> {
        self.refusals.take()
    }

    /// Sends a response unless it is longer than its request, so that nobody can let us flood a
    /// forged source with more than the flood that comes in.
    pub(super) fn send_small(
        &mut self,
        now: Instant,
        flow: &Flow,
        response: &Message,
        limit: usize,
    ) {
        let bytes = response.to_bytes();
        if bytes.len() <= limit {
            self.send(now, flow, bytes);
        }
    }
}

/// Whether it is a request that makes us answer: no response, and no ACK.
fn costs_something(bytes: &[u8]) -> bool {
    let start = parse::without_leading_crlf(bytes);
    !start.starts_with(b"SIP/") && !start.starts_with(b"ACK ")
}

fn sip_user(uri: &Uri) -> Option<String> {
    uri.as_sip()?.user.as_deref().map(percent_decode)
}
