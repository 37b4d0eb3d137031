//! Accounts and their bindings (RFC 3261 section 10; Path, RFC 3327; Service-Route, RFC 3608;
//! back-off and keep-alive, RFC 5626 sections 4.4 and 4.5).

use std::time::{Duration, Instant};

use super::account::{Account, Kept, MIN_EXPIRES, Wish};
use super::authentication::KeptBack;
use super::outgoing::{Answer, Outgoing, OutgoingId, Owner};
use super::{ALLOW, SUPPORTED, refusal};
use crate::base::flow::{ConnectionId, Resolved, Transport};
use crate::base::id::AccountId;
use crate::base::uri::{SipUri, Uri};
use crate::sip::account::AccountSetup;
use crate::sip::connection::Flow;
use crate::sip::deadline::Timer;
use crate::sip::endpoint::Endpoint;
use crate::sip::event::{RegistrationState, SipEvent, Status};
use crate::sip::message::{Message, Method};
use crate::sip::parse::AddressField;
use crate::sip::route::{self, Hop};

/// The pause between keep-alive datagrams; NAT bindings of UDP live 30 s and more.
const KEEP_ALIVE_UDP: Duration = Duration::from_secs(25);
/// The pause between keep-alives on a stream (RFC 5626 section 4.4.1).
const KEEP_ALIVE_TCP: Duration = Duration::from_secs(100);
/// The pause after the first failure, and the longest one (RFC 5626 section 4.5).
const BACK_OFF_BASE: Duration = Duration::from_secs(30);
const BACK_OFF_MAX: Duration = Duration::from_secs(1800);
/// The shortest pause before the next REGISTER of a binding, however briefly it was granted.
const LEAST_PAUSE: Duration = Duration::from_secs(1);
/// How long the removal of a binding may keep the next one of the same account waiting.
const FAREWELL: Duration = Duration::from_secs(2);
/// The longest lifetime that a registrar may demand by 423.
const MAX_EXPIRES: Duration = Duration::from_secs(86_400);
/// How often in a row the Contact follows a changed public address: a NAT that gives each request
/// another port must not make us register for ever.
const MAX_MOVES: u8 = 3;
/// How many Service-Routes are kept.
const MAX_SERVICE_ROUTES: usize = 8;

impl Endpoint {
    /// Adds an account and registers it. Where it has the place of one with another address, whose
    /// binding is being removed, that comes first: else calls to it would still come, for nobody.
    pub(crate) fn start_account(&mut self, now: Instant, id: AccountId, setup: AccountSetup) {
        if let Some(old) = self.accounts.get_mut(&id)
            && old.leaves_for(&setup)
        {
            old.successor = Some(Box::new(setup));
            self.timers.set(Timer::Register(id), now + FAREWELL);
            return;
        }
        let mut account = Account::new(
            setup,
            self.random.hex(8),
            self.random.hex(16),
            self.random.hex(8),
        );
        // A changed password or name refreshes the binding that is already there.
        if let Some(old) = self.accounts.get(&id) {
            account.take_over(old);
        }
        self.forget_account(now, id);
        let registers = account.setup.registrar.is_some();
        self.accounts.insert(id, account);
        if registers {
            self.register(now, id);
        } else {
            self.tell(id, RegistrationState::Off);
        }
    }

    /// Time for the next REGISTER; or the binding could not be removed in time, and its place is
    /// taken.
    pub(crate) fn registration_due(&mut self, now: Instant, id: AccountId) {
        let account = self.accounts.get_mut(&id);
        match account.and_then(|account| account.successor.take()) {
            Some(setup) => {
                self.forget_account(now, id);
                self.start_account(now, id, *setup);
            }
            None => self.register(now, id),
        }
    }

    /// Removes an account after its binding.
    pub(crate) fn stop_account(&mut self, now: Instant, id: AccountId) {
        self.unsubscribe_account(now, id);
        if let Some(account) = self.accounts.get_mut(&id) {
            account.successor = None;
            account.wish = Wish::Removed;
            self.unbind(now, id);
        }
    }

    /// Ends a registration, keeping the account.
    pub(crate) fn unregister(&mut self, now: Instant, id: AccountId) {
        if let Some(account) = self.accounts.get_mut(&id) {
            if account.setup.registrar.is_none() {
                return;
            }
            account.wish = Wish::Unbound;
            self.unbind(now, id);
        }
    }

    /// Registers at once, whatever is under way.
    pub(crate) fn register_afresh(&mut self, now: Instant, id: AccountId) {
        let Some(account) = self.accounts.get_mut(&id) else {
            return;
        };
        if account.setup.registrar.is_none() {
            return;
        }
        account.wish = Wish::Bound;
        account.failures = 0;
        let outgoing = account.outgoing.take();
        if let Some(outgoing) = outgoing {
            self.abandon(now, outgoing);
        }
        self.register(now, id);
    }

    /// Sends the next REGISTER: a binding, its refresh, or its removal.
    pub(crate) fn register(&mut self, now: Instant, id: AccountId) {
        let user_agent = self.config.user_agent.clone();
        let Some(account) = self.accounts.get_mut(&id) else {
            return;
        };
        let Some(registrar) = account.setup.registrar.clone() else {
            return;
        };
        if account.outgoing.is_some() {
            return;
        }
        if !account.bound && account.wish == Wish::Bound && !account.registering {
            account.registering = true;
            self.border.event(SipEvent::Registration {
                account: id,
                state: RegistrationState::Registering { why: None },
            });
        }
        account.cseq += 1;
        let mut request = Message::request(Method::Register, registrar.clone());
        let routes: Vec<_> = account
            .setup
            .outbound_proxy
            .iter()
            .map(route::loose)
            .collect();
        let hop = route::apply(&mut request, &routes, &without_user(&registrar));
        let to = AddressField {
            display_name: account.setup.display_name.clone(),
            uri: account.setup.address.clone(),
            params: Vec::new(),
        };
        let expires = match account.wish {
            Wish::Bound => account.expires,
            Wish::Unbound | Wish::Removed => Duration::ZERO,
        };
        let headers = &mut request.headers;
        headers.push("Max-Forwards", "70");
        headers.push("From", account.from(&account.local_tag));
        headers.push("To", to.to_string());
        headers.push("Call-ID", account.call_id.clone());
        headers.push("CSeq", format!("{} REGISTER", account.cseq));
        headers.push("Expires", expires.as_secs().to_string());
        headers.push("Allow", ALLOW);
        headers.push("Supported", SUPPORTED);
        headers.push("User-Agent", user_agent);
        let transport = account.setup.transport;
        // Where the name servers are silent the last registrar may still be there; a binding is
        // removed where it was made.
        let last = account.place;
        let known = match account.wish {
            Wish::Bound => None,
            Wish::Unbound | Wish::Removed => last,
        };
        let Some(hop) = hop.map(|hop: Hop| hop.or_transport(transport)) else {
            self.registration_failed(
                now,
                id,
                None,
                "the registrar's address cannot be reached by SIP; check it",
                None,
            );
            return;
        };
        let outgoing = self.launch(
            now,
            Outgoing::new(Owner::Register(id), Some(id), request, hop)
                .with_targets(known.into_iter().collect())
                .with_fallback(last),
        );
        // An answer may already have come: a flow that failed at once.
        if self.outgoing.contains_key(&outgoing)
            && let Some(account) = self.accounts.get_mut(&id)
        {
            account.outgoing = Some(outgoing);
        }
    }

    /// Whether a REGISTER is our own: the registrar's address leads to this phone.
    pub(crate) fn came_back(&mut self, request: &Message) -> bool {
        let own = self.accounts.values_mut().find(|account| {
            account.call_id == request.call_id() && account.local_tag == request.from_tag()
        });
        if let Some(account) = own {
            account.looped = true;
            return true;
        }
        false
    }

    /// Adds the Contacts of a REGISTER that goes to a place.
    pub(crate) fn add_bindings(&mut self, request: &mut Message, id: AccountId, place: &Resolved) {
        let expires = request.seconds("Expires").unwrap_or_default();
        if let Some(account) = self.accounts.get_mut(&id) {
            if account.place.is_some_and(|old| {
                old.local_ip != place.local_ip || old.transport != place.transport
            }) {
                // Another network: what was learned on the old one is wrong here.
                account.public = None;
            }
            account.place = Some(*place);
        }
        let uri = self.contact_uri(Some(id), place, self.account_is_secure(Some(id)));
        let Some(account) = self.accounts.get_mut(&id) else {
            return;
        };
        request
            .headers
            .push("Contact", format!("<{uri}>;expires={expires}"));
        account.outdated = account.binding.clone().filter(|old| !old.equivalent(&uri));
        if let Some(old) = &account.outdated {
            request
                .headers
                .push("Contact", format!("<{old}>;expires=0"));
        }
    }

    /// Takes the final answer to a REGISTER.
    pub(crate) fn register_answered(
        &mut self,
        now: Instant,
        id: AccountId,
        outgoing: OutgoingId,
        answer: Answer<'_>,
    ) {
        let sent = self.outgoing.get(&outgoing).and_then(|it| it.sent.clone());
        let better = self.better_server_back(now, outgoing);
        let kept = self
            .outgoing
            .get(&outgoing)
            .and_then(|it| it.kept_back.clone());
        let Some(account) = self.accounts.get_mut(&id) else {
            return;
        };
        account.outgoing = None;
        let mut contact = None;
        if let Some(sent) = sent {
            account.flow = Some(sent.flow);
            contact = sent.contact;
        }
        if account.wish != Wish::Bound {
            self.unbound(now, id);
            return;
        }
        let Answer::Response(response) = answer else {
            let why = refusal::unreachable(&answer.status());
            self.registration_failed(now, id, None, &why, None);
            return;
        };
        match response.code() {
            Some(200..300) => {
                self.bound(now, id, response, contact);
                self.go_back(id, better);
            }
            Some(423) => self.too_brief(now, id, response),
            Some(401 | 407) => {
                let kept = kept.unwrap_or(KeptBack::Refused);
                let why = kept.sentence("the registrar");
                let status = answer.status();
                if kept == KeptBack::Stale {
                    // No fault of the password's, so no account is locked by another try.
                    self.registration_failed(now, id, Some(status), &why, None);
                } else {
                    self.registration_refused(id, status, &why);
                }
            }
            Some(_) | None => {
                let status = answer.status();
                let why = if std::mem::take(&mut account.looped) {
                    refusal::LOOPED.to_owned()
                } else {
                    refusal::reason(&status)
                };
                let after = response.seconds("Retry-After");
                self.registration_failed(now, id, Some(status), &why, after);
            }
        }
    }

    /// Sends the next keep-alive of an account.
    pub(crate) fn keep_alive(&mut self, now: Instant, id: AccountId) {
        let Some(account) = self.accounts.get(&id) else {
            return;
        };
        let Some(flow) = account.flow.clone().filter(|_| account.bound) else {
            return;
        };
        let Some((bytes, pause)) = keep_alive_of(flow.transport()) else {
            return;
        };
        self.border.send_keep_alive(&flow, bytes);
        self.timers.set(Timer::KeepAlive(id), now + pause);
    }

    /// Registers again where the stream of a registration is gone.
    pub(crate) fn registration_flow_lost(&mut self, now: Instant, connection: ConnectionId) {
        let lost: Vec<AccountId> = self
            .accounts
            .iter()
            .filter(|(_, account)| {
                account.bound
                    && account.outgoing.is_none()
                    && account.wish == Wish::Bound
                    && account.flow.as_ref().and_then(Flow::connection) == Some(connection)
            })
            .map(|(id, _)| *id)
            .collect();
        for id in lost {
            // One to three seconds later, so that a restarted registrar is not stormed.
            let millis = 1000 + u64::from(self.random.next_u32() % 2000);
            self.timers
                .set(Timer::Register(id), now + Duration::from_millis(millis));
        }
    }

    fn bound(&mut self, now: Instant, id: AccountId, response: &Message, sent: Option<SipUri>) {
        let Some(account) = self.accounts.get_mut(&id) else {
            return;
        };
        let listed = match account.own_binding(response, sent.as_ref()) {
            Kept::For(seconds) => {
                seconds
                    .or_else(|| response.seconds("Expires"))
                    .map_or(Ok(None), |seconds| match seconds {
                        0 => Err(refusal::NOT_KEPT),
                        seconds => Ok(Some(seconds)),
                    })
            }
            Kept::Missing => Err(refusal::NOT_LISTED),
        };
        let seconds = match listed {
            Ok(seconds) => seconds,
            Err(why) => {
                let status = Answer::Response(response).status();
                self.registration_failed(now, id, Some(status), why, None);
                return;
            }
        };
        let expires = seconds.map_or(account.expires, |s| Duration::from_secs(s.into()));
        let expires = expires.min(MAX_EXPIRES);
        account.service_routes = response.addresses("Service-Route");
        account.service_routes.truncate(MAX_SERVICE_ROUTES);
        account.failures = 0;
        account.too_brief = 0;
        let first_time = !account.bound;
        account.bound = true;
        account.binding = sent;
        account.outdated = None;
        let moved = account.learn_public(response) && account.moves < MAX_MOVES;
        account.moves = if moved { account.moves + 1 } else { 0 };
        let refresh = now + refresh_after(expires).max(LEAST_PAUSE);
        let flow = account.flow.clone();
        self.timers.set(Timer::Register(id), refresh);
        let keep_alive = flow.and_then(|flow| keep_alive_of(flow.transport()));
        if first_time && let Some((_, pause)) = keep_alive {
            self.timers.set(Timer::KeepAlive(id), now + pause);
        }
        self.tell(id, RegistrationState::Registered { expires });
        self.subscriptions_follow(now, id);
        // The Contact follows what the registrar saw (RFC 3581 and common practice): at once, or by an
        // early refresh where bindings are so brief that these are many.
        if moved && expires >= MIN_EXPIRES {
            self.register(now, id);
        } else if moved {
            let timer = Timer::Register(id);
            self.timers.set_earlier(timer, now + LEAST_PAUSE);
        }
    }

    /// When a server that stands before the one that answered may be tried again.
    fn better_server_back(&self, now: Instant, outgoing: OutgoingId) -> Option<Instant> {
        self.outgoing
            .get(&outgoing)?
            .better_places()
            .filter_map(|place| self.penalties.until(now, place))
            .min()
    }

    /// Registers earlier than the binding needs, to return to the better server.
    fn go_back(&mut self, id: AccountId, better: Option<Instant>) {
        let timer = Timer::Register(id);
        if let Some(at) = better
            && self.timers.contains(&timer)
        {
            // One to five seconds later, so that a server that is back is not stormed.
            let millis = 1000 + u64::from(self.random.next_u32() % 4000);
            self.timers
                .set_earlier(timer, at + Duration::from_millis(millis));
        }
    }

    fn too_brief(&mut self, now: Instant, id: AccountId, response: &Message) {
        const MAX_RAISES: u8 = 2;
        let status = Answer::Response(response).status();
        let Some(account) = self.accounts.get_mut(&id) else {
            return;
        };
        let wanted = response
            .seconds("Min-Expires")
            .map(|seconds| Duration::from_secs(seconds.into()))
            .filter(|wanted| *wanted > account.expires && *wanted <= MAX_EXPIRES);
        account.too_brief += 1;
        match wanted {
            Some(wanted) if account.too_brief <= MAX_RAISES => {
                account.expires = wanted;
                self.register(now, id);
            }
            Some(_) | None => {
                self.registration_failed(now, id, Some(status), refusal::NEVER_LONG_ENOUGH, None);
            }
        }
    }

    /// Ends the tries: the same credentials would only lock the account.
    fn registration_refused(&mut self, id: AccountId, status: Status, why: &str) {
        self.lose_binding(id);
        self.tell(
            id,
            RegistrationState::Failed {
                status: Some(status),
                reason: why.to_owned(),
                retry_in: None,
            },
        );
    }

    fn registration_failed(
        &mut self,
        now: Instant,
        id: AccountId,
        status: Option<Status>,
        why: &str,
        retry_after: Option<u32>,
    ) {
        self.lose_binding(id);
        let Some(account) = self.accounts.get_mut(&id) else {
            return;
        };
        if account.wish != Wish::Bound {
            self.unbound(now, id);
            return;
        }
        let bound = BACK_OFF_BASE
            .saturating_mul(1 << account.failures.min(10))
            .min(BACK_OFF_MAX);
        account.failures = account.failures.saturating_add(1);
        // Between half of it and all of it, so that many phones do not come back at once.
        let part = 500 + self.random.next_u32() % 501;
        let retry_in = (bound * part / 1000)
            .max(Duration::from_secs(retry_after.unwrap_or(0).into()))
            .min(MAX_EXPIRES);
        self.timers.set(Timer::Register(id), now + retry_in);
        self.tell(
            id,
            RegistrationState::Failed {
                status,
                reason: why.to_owned(),
                retry_in: Some(retry_in),
            },
        );
    }

    fn lose_binding(&mut self, id: AccountId) {
        self.timers.cancel(&Timer::KeepAlive(id));
        self.timers.cancel(&Timer::Register(id));
        if let Some(account) = self.accounts.get_mut(&id) {
            account.bound = false;
        }
    }

    fn unbind(&mut self, now: Instant, id: AccountId) {
        self.timers.cancel(&Timer::Register(id));
        self.timers.cancel(&Timer::KeepAlive(id));
        let Some(account) = self.accounts.get_mut(&id) else {
            return;
        };
        let outgoing = account.outgoing.take();
        let may_be_bound = account.bound || outgoing.is_some();
        if let Some(outgoing) = outgoing {
            self.abandon(now, outgoing);
        }
        if may_be_bound {
            self.register(now, id);
        } else {
            self.unbound(now, id);
        }
    }

    fn unbound(&mut self, now: Instant, id: AccountId) {
        self.lose_binding(id);
        let Some(account) = self.accounts.get_mut(&id) else {
            return;
        };
        account.binding = None;
        let removed = account.wish == Wish::Removed;
        let successor = account.successor.take();
        if account.setup.registrar.is_some() {
            self.tell(id, RegistrationState::Unregistered);
        }
        if removed {
            self.forget_account(now, id);
        }
        if let Some(setup) = successor {
            self.start_account(now, id, *setup);
        }
    }

    fn forget_account(&mut self, now: Instant, id: AccountId) {
        self.timers.cancel(&Timer::Register(id));
        self.timers.cancel(&Timer::KeepAlive(id));
        if let Some(outgoing) = self.accounts.remove(&id).and_then(|old| old.outgoing) {
            self.abandon(now, outgoing);
        }
    }

    fn tell(&mut self, account: AccountId, state: RegistrationState) {
        if let Some(known) = self.accounts.get_mut(&account) {
            known.registering = false;
        }
        self.border.event(SipEvent::Registration { account, state });
    }
}

/// When a binding is refreshed: a tenth of its life before its end, at least 5 s and at most 60 s;
/// half-way for very short ones.
pub(crate) fn refresh_after(expires: Duration) -> Duration {
    let lead = (expires / 10).clamp(Duration::from_secs(5), Duration::from_secs(60));
    if expires > lead * 2 {
        expires - lead
    } else {
        expires / 2
    }
}

/// What keeps a flow open, and the pause between; nothing where the transport has pings of its own
/// (RFC 7118 section 6).
fn keep_alive_of(transport: Transport) -> Option<(&'static [u8], Duration)> {
    match transport {
        Transport::Udp => Some((b"\r\n", KEEP_ALIVE_UDP)),
        Transport::Tcp | Transport::Tls => Some((b"\r\n\r\n", KEEP_ALIVE_TCP)),
        Transport::Ws | Transport::Wss => None,
    }
}

fn without_user(uri: &Uri) -> Uri {
    match uri {
        Uri::Sip(sip) => Uri::Sip(SipUri {
            user: None,
            password: None,
            ..sip.clone()
        }),
        Uri::Tel(_) | Uri::Other { .. } => uri.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binding_is_refreshed_well_before_it_ends() {
        for (expires, after) in [(3600, 3540), (300, 270), (60, 54), (20, 15), (8, 4), (2, 1)] {
            assert_eq!(
                refresh_after(Duration::from_secs(expires)),
                Duration::from_secs(after)
            );
        }
    }
}
