//! Questions to the resolver, and what its answers are good for (RFC 3263 section 4).

use std::time::Instant;

use super::failover::prefer;
use super::outgoing::{Outgoing, OutgoingId, Owner};
use super::session::Phase;
use crate::base::flow::{Output, ResolveId, Resolved};
use crate::sip::deadline::Timer;
use crate::sip::endpoint::Endpoint;
use crate::sip::event::SessionId;
use crate::sip::route::Hop;
use crate::sip::timer::TIMEOUT;

/// What a question to the resolver is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// An outgoing request.
    Outgoing(OutgoingId),
    /// The ACK of the 2xx with this To tag.
    Ack(OutgoingId, String),
    /// A call that waits for its offer.
    Session(SessionId),
}

impl Endpoint {
    /// Asks the resolver.
    pub(crate) fn ask(&mut self, now: Instant, asked: Asked, hop: &Hop) {
        let id = ResolveId(self.new_id());
        self.resolving.insert(id, asked);
        self.timers.set(Timer::Resolve(id), now + TIMEOUT);
        self.border.output(Output::Resolve {
            id,
            host: hop.host_text(),
            port: hop.port,
            transport: hop.transport,
            secure: hop.secure,
        });
    }

    /// Takes the resolver's answer.
    pub(crate) fn resolved(
        &mut self,
        now: Instant,
        id: ResolveId,
        answer: Result<Vec<Resolved>, String>,
    ) {
        self.timers.cancel(&Timer::Resolve(id));
        let Some(asked) = self.resolving.remove(&id) else {
            return;
        };
        let (places, why) = match answer {
            Ok(places) if places.is_empty() => (places, "the name has no address".to_owned()),
            Ok(places) => (places, String::new()),
            Err(why) => (Vec::new(), why),
        };
        self.learn_servers(&asked, &places);
        match asked {
            Asked::Outgoing(id) => {
                let Some(outgoing) = self.outgoing.get_mut(&id) else {
                    return;
                };
                let places = if places.is_empty() {
                    outgoing.fallback().into_iter().collect()
                } else {
                    places
                };
                let (places, why) = outgoing.hop.never_less(places, why);
                if places.is_empty() {
                    self.fail(now, id, 503, &why);
                } else {
                    let ranking = places.clone();
                    let mut places = places;
                    self.penalties.sort(now, &mut places);
                    match outgoing.owner {
                        Owner::Register(_) | Owner::Invite(_) | Owner::Subscribe(_) => {}
                        // Inside a call the server that carries it knows it; another may not.
                        Owner::Information(_)
                        | Owner::Change(_)
                        | Owner::Refresh(_)
                        | Owner::Prack(_)
                        | Owner::Refer(_)
                        | Owner::ReferNews(_)
                        | Owner::Resubscribe(..)
                        | Owner::Bye(_)
                        | Owner::Nobody => {
                            prefer(&mut places, outgoing.fallback());
                        }
                    }
                    outgoing.take_places(ranking, places);
                    self.attempt(now, id);
                }
            }
            Asked::Ack(id, tag) => {
                let first_hop = self.outgoing.get(&id).and_then(Outgoing::place);
                let mut places = places;
                prefer(&mut places, first_hop);
                if let Some(place) = places.into_iter().next().or(first_hop) {
                    self.send_resolved_ack(now, id, &tag, place);
                }
            }
            Asked::Session(session) => {
                let mut places = places;
                // The server that has our binding is known to work, and by the same flow; also where
                // the name servers are silent just now.
                let bound = self.bound_server(session);
                if places.is_empty() && self.goes_to_own_server(session) {
                    places.extend(bound);
                }
                prefer(&mut places, bound);
                self.penalties.sort(now, &mut places);
                self.invite_resolved(now, session, places, why);
            }
        }
    }

    /// The server that has the binding of a call's account.
    fn bound_server(&self, session: SessionId) -> Option<Resolved> {
        let account = self.accounts.get(&self.sessions.get(&session)?.account?)?;
        account.place.filter(|_| account.bound)
    }

    /// Whether a call goes to a server of its account, by its name.
    fn goes_to_own_server(&self, session: SessionId) -> bool {
        let Some(session) = self.sessions.get(&session) else {
            return false;
        };
        let account = session.account.and_then(|id| self.accounts.get(&id));
        match (&session.phase, account) {
            (Phase::Resolving(plan), Some(account)) => account.is_own_host(&plan.hop.host),
            (_, _) => false,
        }
    }
}
