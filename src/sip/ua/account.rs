//! One account: what the owner configured, and what is known of its binding.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::authentication::{KnownChallenge, NonceCounts};
use super::outgoing::OutgoingId;
use crate::base::flow::{ConnectionId, Resolved, Transport};
use crate::base::uri::{Host, SipUri, Uri};
use crate::sip::account::AccountSetup;
use crate::sip::connection::Flow;
use crate::sip::message::Message;
use crate::sip::parse::{AddressField, ContactField};
use crate::sip::route;

/// The shortest lifetime that is asked for; a registrar may grant less.
pub(crate) const MIN_EXPIRES: Duration = Duration::from_secs(10);

/// How many addresses of its servers one account remembers.
const MAX_SERVERS: usize = 32;

/// One account and its binding.
#[derive(Debug)]
pub(crate) struct Account {
    /// What the owner configured.
    pub(crate) setup: AccountSetup,
    /// The random user part of its Contact, by which calls find it.
    pub(crate) contact_user: String,
    /// The challenges that were answered.
    pub(crate) challenges: Vec<KnownChallenge>,
    /// How often each nonce was used.
    pub(crate) nonces: NonceCounts,
    /// The Service-Route of the last answer (RFC 3608).
    pub(crate) service_routes: Vec<AddressField>,
    /// The Call-ID of all its REGISTERs.
    pub(crate) call_id: String,
    /// The tag of their From.
    pub(crate) local_tag: String,
    /// The number of the last REGISTER.
    pub(crate) cseq: u32,
    /// The REGISTER that is on its way.
    pub(crate) outgoing: Option<OutgoingId>,
    /// The lifetime to ask for.
    pub(crate) expires: Duration,
    /// How many tries in a row failed.
    pub(crate) failures: u32,
    /// How often the lifetime was raised for 423 in a row.
    pub(crate) too_brief: u8,
    /// Whether the owner was told that a REGISTER is on its way.
    pub(crate) registering: bool,
    /// What its owner wants.
    pub(crate) wish: Wish,
    /// Whether the last answer was a 2xx to a binding.
    pub(crate) bound: bool,
    /// Where the last REGISTER went.
    pub(crate) place: Option<Resolved>,
    /// By which flow it went, which keep-alives hold open.
    pub(crate) flow: Option<Flow>,
    /// Our address as the registrar's side sees it, where it differs from ours.
    pub(crate) public: Option<SocketAddr>,
    /// The binding that the last accepted REGISTER made.
    pub(crate) binding: Option<SipUri>,
    /// A binding under an address that is no longer ours.
    pub(crate) outdated: Option<SipUri>,
    /// How often in a row the registrar saw another address.
    pub(crate) moves: u8,
    /// Whether its last REGISTER came back to us.
    pub(crate) looped: bool,
    /// What the account becomes once its binding is removed: another address or registrar.
    pub(crate) successor: Option<Box<AccountSetup>>,
    /// The realms that the account's own servers asked for.
    pub(crate) realms: VecDeque<String>,
    /// The addresses that were resolved for its own servers, the oldest first.
    servers: VecDeque<IpAddr>,
}

/// What a registrar's yes says of our binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// It is kept, for so many seconds where they are named.
    For(Option<u32>),
    /// The bindings are listed, and ours is none of them.
    Missing,
}

/// What is wanted of a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// A binding that is kept alive.
    Bound,
    /// None.
    Unbound,
    /// None, and then no account.
    Removed,
}

impl Account {
    /// Makes an account that was never registered; the texts are random.
    pub(crate) fn new(
        setup: AccountSetup,
        contact_user: String,
        call_id: String,
        local_tag: String,
    ) -> Self {
        Self {
            contact_user,
            challenges: Vec::new(),
            nonces: NonceCounts::default(),
            service_routes: Vec::new(),
            call_id,
            local_tag,
            cseq: 0,
            outgoing: None,
            // Zero would remove the binding.
            expires: setup.expires.max(MIN_EXPIRES),
            failures: 0,
            too_brief: 0,
            registering: false,
            wish: Wish::Bound,
            bound: false,
            place: None,
            flow: None,
            public: None,
            binding: None,
            outdated: None,
            moves: 0,
            looped: false,
            successor: None,
            realms: VecDeque::new(),
            servers: VecDeque::new(),
            setup,
        }
    }

    /// Whether a binding made by this account would be one of that setup, too.
    fn has_binding_of(&self, other: &AccountSetup) -> bool {
        (&self.setup.address, &self.setup.registrar) == (&other.address, &other.registrar)
    }

    /// Whether its binding is being removed, and is none of that setup.
    pub(crate) fn leaves_for(&self, next: &AccountSetup) -> bool {
        let removing = self.wish == Wish::Removed && self.bound && self.outgoing.is_some();
        removing && !self.has_binding_of(next)
    }

    /// Continues the binding of an older setup, when it is of the same address and registrar.
    pub(crate) fn take_over(&mut self, old: &Self) {
        if old.has_binding_of(&self.setup) {
            self.contact_user.clone_from(&old.contact_user);
            self.call_id.clone_from(&old.call_id);
            self.cseq = old.cseq;
            self.binding.clone_from(&old.binding);
            self.servers.clone_from(&old.servers);
            self.realms.clone_from(&old.realms);
            self.nonces.clone_from(&old.nonces);
        }
    }

    /// Our public address towards a place, where it is on the registrar's side of the NAT.
    pub(crate) fn public_address(&self, place: &Resolved) -> Option<SocketAddr> {
        let registrar = self.place?;
        let same_side = registrar.remote.ip() == place.remote.ip()
            && registrar.transport == place.transport
            && registrar.local_ip == place.local_ip;
        self.public.filter(|_| same_side)
    }

    /// Remembers an address that was resolved for the account's own servers.
    pub(crate) fn learn_server(&mut self, ip: IpAddr) {
        let ip = ip.to_canonical();
        if !self.servers.contains(&ip) {
            if self.servers.len() >= MAX_SERVERS {
                self.servers.pop_front();
            }
            self.servers.push_back(ip);
        }
    }

    /// Whether an address was resolved for the account's own servers.
    pub(crate) fn is_server(&self, ip: IpAddr) -> bool {
        self.servers.contains(&ip.to_canonical())
    }

    /// Whether a flow leads to the account's own servers: it is the registration's, or its far end
    /// was resolved for them.
    pub(crate) fn is_own_flow(&self, flow: &Flow) -> bool {
        let own = self.flow.as_ref().and_then(Flow::connection);
        (own.is_some() && own == flow.connection()) || self.is_server(flow.remote().ip())
    }

    /// Whether a request goes to the account's own servers: to an address that was resolved for
    /// them, or by the registration's own stream.
    pub(crate) fn is_own_way(&self, place: Option<Resolved>, stream: Option<ConnectionId>) -> bool {
        let own = self.flow.as_ref().and_then(Flow::connection);
        place.is_some_and(|place| self.is_server(place.remote.ip()))
            || (stream.is_some() && own == stream)
    }

    /// Remembers a realm that the account's own servers asked for.
    pub(crate) fn learn_realm(&mut self, realm: String) {
        const MAX_REALMS: usize = 8;
        if !self.realms.contains(&realm) {
            if self.realms.len() >= MAX_REALMS {
                self.realms.pop_front();
            }
            self.realms.push_back(realm);
        }
    }

    /// Whether a realm is the account's own: it asked before for a registration or a call within
    /// the own domain, or it is named like one of the own hosts, or like a part or the whole of
    /// their domain.
    pub(crate) fn is_own_realm(&self, realm: &str) -> bool {
        let realm = realm.to_ascii_lowercase();
        let related = |host: &Host| {
            let host = host.to_string().to_ascii_lowercase();
            let below = |inner: &str, outer: &str| {
                outer.contains('.')
                    && inner
                        .strip_suffix(outer)
                        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            };
            below(&realm, &host) || below(&host, &realm)
        };
        let setup = &self.setup;
        self.realms
            .iter()
            .any(|known| known.eq_ignore_ascii_case(&realm))
            || [
                Some(&setup.address),
                setup.registrar.as_ref(),
                setup.outbound_proxy.as_ref(),
            ]
            .into_iter()
            .flatten()
            .filter_map(Uri::as_sip)
            .any(|own| related(&own.host))
    }

    /// Whether a host is one of the account's own: of its address, registrar, outbound proxy or
    /// Service-Route.
    pub(crate) fn is_own_host(&self, host: &Host) -> bool {
        let setup = &self.setup;
        [
            Some(&setup.address),
            setup.registrar.as_ref(),
            setup.outbound_proxy.as_ref(),
        ]
        .into_iter()
        .flatten()
        .chain(self.service_routes.iter().map(|route| &route.uri))
        .filter_map(Uri::as_sip)
        .any(|own| own.host.equivalent(host))
    }

    /// The Routes of a request outside of dialogs: the outbound proxy, then what the registrar
    /// gave (RFC 3608 section 6.1).
    pub(crate) fn routes(&self) -> Vec<AddressField> {
        let proxy = self.setup.outbound_proxy.as_ref().map(route::loose);
        let same_as_proxy = |route: &&AddressField| {
            let (Some(proxy), Some(first)) = (
                self.setup.outbound_proxy.as_ref().and_then(Uri::as_sip),
                route.uri.as_sip(),
            ) else {
                return false;
            };
            proxy.host.equivalent(&first.host) && proxy.port == first.port
        };
        let skip = usize::from(self.service_routes.first().filter(same_as_proxy).is_some());
        let skip = if proxy.is_some() { skip } else { 0 };
        proxy
            .into_iter()
            .chain(self.service_routes.iter().skip(skip).cloned())
            .collect()
    }

    /// From as our requests carry it.
    pub(crate) fn from(&self, tag: &str) -> String {
        let from = AddressField {
            display_name: self.setup.display_name.clone(),
            uri: self.setup.address.clone(),
            params: Vec::new(),
        };
        format!("{from};tag={tag}")
    }

    /// Our binding among the Contacts of a 200 (RFC 3261 section 10.3 step 8: all are listed). Some
    /// registrars rewrite host and port, so our random user part counts where no Contact is the one
    /// that we sent; some list none at all, and are believed.
    pub(crate) fn own_binding(&self, response: &Message, sent: Option<&SipUri>) -> Kept {
        let contacts = response.contacts();
        let ours = |same: &dyn Fn(&SipUri) -> bool| {
            contacts.iter().find_map(|contact| match contact {
                ContactField::Address(address) if address.uri.as_sip().is_some_and(same) => {
                    Some(Kept::For(address.expires()))
                }
                ContactField::Address(_) | ContactField::All => None,
            })
        };
        ours(&|uri| sent.is_some_and(|sent| sent.equivalent(uri)))
            .or_else(|| ours(&|uri| uri.user.as_deref() == Some(self.contact_user.as_str())))
            .unwrap_or(if contacts.is_empty() {
                Kept::For(None)
            } else {
                Kept::Missing
            })
    }

    /// Learns our public address from the Via that came back; `true` when the Contact must follow.
    pub(crate) fn learn_public(&mut self, response: &Message) -> bool {
        let (Some(place), Some(via)) = (self.place, response.top_via()) else {
            return false;
        };
        let seen_ip = via.received().unwrap_or(place.local_ip);
        let sent_port = via.port.unwrap_or_default();
        let seen_port = via.rport().unwrap_or(sent_port);
        let differs = match place.transport {
            Transport::Udp => seen_ip != place.local_ip || seen_port != sent_port,
            // The port of a stream is always another; without NAT our listening port is right.
            Transport::Tcp | Transport::Tls => seen_ip != place.local_ip,
            // Its Contact leads nowhere anyway.
            Transport::Ws | Transport::Wss => false,
        };
        let public = differs.then(|| SocketAddr::new(seen_ip, seen_port));
        let moved = public != self.public;
        self.public = public;
        moved
    }
}
