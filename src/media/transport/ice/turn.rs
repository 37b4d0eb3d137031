//! A client of TURN over UDP (RFC 8656), sans-IO: one allocation on one server, for one socket.
//!
//! Covered: Allocate with long-term credentials (section 7, RFC 8489 section 9.2), Refresh,
//! `CreatePermission`, Send and Data indications, `ChannelBind` and `ChannelData`, stale nonces. Not: other
//! transports, even ports and reservations, several relayed families, ALTERNATE-SERVER.
//!
//! Input: `begin`, `handle`, `send`, `permit`, `bind`, `release`, `handle_timeout`. Output: after each
//! of them `poll_transmit`, all of it for the server, until it is empty.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use rtc::crypto::providers::RingCrypto;
use rtc::stun::attributes::{
    ATTR_CHANNEL_NUMBER, ATTR_DATA, ATTR_LIFETIME, ATTR_NONCE, ATTR_REALM,
    ATTR_REQUESTED_TRANSPORT, ATTR_USERNAME, ATTR_XOR_PEER_ADDRESS, ATTR_XOR_RELAYED_ADDRESS,
    ATTR_XORMAPPED_ADDRESS,
};
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::{
    METHOD_ALLOCATE, METHOD_CHANNEL_BIND, METHOD_CREATE_PERMISSION, METHOD_DATA, METHOD_REFRESH,
    METHOD_SEND, Method,
};

use crate::base::random::Random;
use crate::base::redact::Secret;
use crate::media::transport::Kind;
use crate::media::transport::ice::stun::{Class, Id, Stun, Writing};
use crate::media::transport::ice::transaction::{Due, RTO, RTO_OF_SERVERS, Retransmission};

/// UDP in REQUESTED-TRANSPORT.
const UDP: [u8; 4] = [17, 0, 0, 0];
/// The lifetime that is asked for (RFC 8656 section 3.2's default).
const LIFETIME: Duration = Duration::from_secs(600);
/// How long before its end an allocation is refreshed (section 8).
const EARLY: Duration = Duration::from_secs(60);
/// A permission lasts five minutes (section 9); it is renewed after four.
const RENEW_PERMISSION: Duration = Duration::from_secs(240);
/// A channel lasts ten minutes (section 12); it is renewed after nine.
const RENEW_CHANNEL: Duration = Duration::from_secs(540);
/// The first channel number (section 12).
const FIRST_CHANNEL: u16 = 0x4000;
/// Far addresses that are permitted: as many as there are candidates.
const MAX_PERMISSIONS: usize = 64;
/// Far addresses with a channel: one for each path that was chosen.
const MAX_CHANNELS: usize = 8;
/// Requests that wait for an answer.
const MAX_REQUESTS: usize = 96;
/// Datagrams that wait to be polled.
const MAX_WAITING: usize = 256;
/// How often one request is sent anew because of a nonce.
const MAX_NONCES: u8 = 3;

/// A TURN server, and by whose right it is used.
#[derive(Debug, Clone)]
pub struct TurnServer {
    /// Where it is.
    pub address: SocketAddr,
    /// The user name.
    pub user: String,
    /// The password.
    pub password: Secret,
}

impl PartialEq for TurnServer {
    fn eq(&self, other: &Self) -> bool {
        (self.address, &self.user) == (other.address, &other.user)
            && self.password.expose() == other.password.expose()
    }
}

impl Eq for TurnServer {}

/// Why there is no relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TurnFault {
    /// It does not answer.
    #[error("the TURN server does not answer; check its address, and that UDP reaches it")]
    Silent,
    /// It does not take the user name and password.
    #[error("the TURN server refuses the user name or the password; correct them in the account")]
    Credentials,
    /// It has no room for this user or at all (486, 508).
    #[error(
        "the TURN server has no room for another call ({0}); its administrator can raise the quota"
    )]
    Quota(u16),
    /// It refuses for another reason.
    #[error("the TURN server refuses with {0}; ask its administrator")]
    Refused(u16),
    /// It answers in a way that cannot be used.
    #[error("the TURN server answers in a way that cannot be used; ask its administrator")]
    Odd,
}

/// What came through the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Carried {
    pub(super) peer: SocketAddr,
    pub(super) bytes: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    Allocating,
    Allocated {
        relayed: SocketAddr,
        mapped: Option<SocketAddr>,
        refresh: Instant,
    },
    Failed(TurnFault),
    Released,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Allocate,
    Refresh,
    Release,
    Permit(IpAddr),
    Bind(u16, SocketAddr),
}

struct Request {
    id: Id,
    purpose: Purpose,
    clock: Retransmission,
    bytes: Vec<u8>,
    /// Whether it carried credentials.
    authenticated: bool,
    nonces: u8,
}

struct Channel {
    number: u16,
    peer: SocketAddr,
    bound: bool,
    renew: Instant,
}

/// What the server said of itself.
struct Realm {
    realm: String,
    nonce: Vec<u8>,
    key: Vec<u8>,
}

/// The client.
pub(super) struct TurnClient {
    server: TurnServer,
    state: State,
    realm: Option<Realm>,
    requests: Vec<Request>,
    /// Each with when it is renewed.
    permissions: Vec<(IpAddr, Instant)>,
    channels: Vec<Channel>,
    transmits: VecDeque<Vec<u8>>,
    dropped: u64,
}

impl TurnClient {
    /// A client that has not begun.
    pub(super) fn new(server: TurnServer) -> Self {
        Self {
            server,
            state: State::Idle,
            realm: None,
            requests: Vec::new(),
            permissions: Vec::new(),
            channels: Vec::new(),
            transmits: VecDeque::new(),
            dropped: 0,
        }
    }

    /// Asks for a relayed address.
    pub(super) fn begin(&mut self, now: Instant, random: &mut dyn Random) {
        if self.state == State::Idle {
            self.set_state(State::Allocating, "asked for");
            self.request(now, random, Purpose::Allocate, 0);
        }
    }

    /// Takes a datagram of the server; gives what came through the relay.
    pub(super) fn handle(
        &mut self,
        now: Instant,
        random: &mut dyn Random,
        datagram: &[u8],
    ) -> Option<Carried> {
        if Kind::of(datagram) == Kind::TurnChannel {
            return self.open_channel_data(datagram);
        }
        let Some(mut message) = Stun::read(datagram) else {
            self.dropped += 1;
            return None;
        };
        match (message.class(), message.method()) {
            (Class::Indication, METHOD_DATA) => {
                let peer = message.address(ATTR_XOR_PEER_ADDRESS)?;
                let bytes = message.get(ATTR_DATA)?.to_vec();
                Some(Carried { peer, bytes }).filter(|_| self.relayed().is_some())
            }
            (Class::Success | Class::Error, _) => {
                self.handle_response(now, random, &mut message);
                None
            }
            (Class::Request | Class::Indication, _) => {
                self.dropped += 1;
                None
            }
        }
    }

    /// Sends octets to a far address through the relay.
    pub(super) fn send(
        &mut self,
        now: Instant,
        random: &mut dyn Random,
        peer: SocketAddr,
        bytes: &[u8],
    ) {
        if self.relayed().is_none() {
            return;
        }
        let bound = self.channels.iter().find(|it| it.bound && it.peer == peer);
        if let Some(channel) = bound
            && let Ok(length) = u16::try_from(bytes.len())
        {
            let mut framed = channel.number.to_be_bytes().to_vec();
            framed.extend(length.to_be_bytes());
            framed.extend(bytes);
            self.transmit(framed);
            return;
        }
        self.permit(now, random, peer.ip());
        let mut id = Id::default();
        random.fill(&mut id);
        let indication = Writing::new(Class::Indication, METHOD_SEND, id)
            .address(ATTR_XOR_PEER_ADDRESS, peer)
            .add(ATTR_DATA, bytes)
            .finish();
        self.transmit(indication);
    }

    /// Lets a far address reach the relayed one.
    pub(super) fn permit(&mut self, now: Instant, random: &mut dyn Random, ip: IpAddr) {
        let Some(relayed) = self.relayed() else {
            return;
        };
        let known = self
            .permissions
            .iter()
            .any(|(permitted, _)| *permitted == ip);
        let same_family = relayed.is_ipv4() == ip.is_ipv4();
        if !known && same_family && self.permissions.len() < MAX_PERMISSIONS {
            self.permissions.push((ip, now + RENEW_PERMISSION));
            self.request(now, random, Purpose::Permit(ip), 0);
        }
    }

    /// Saves 32 octets of each packet to and from that address.
    pub(super) fn bind(&mut self, now: Instant, random: &mut dyn Random, peer: SocketAddr) {
        let known = self.channels.iter().any(|channel| channel.peer == peer);
        if self.relayed().is_none() || known || self.channels.len() >= MAX_CHANNELS {
            return;
        }
        let place = u16::try_from(self.channels.len()).unwrap_or(0);
        let number = FIRST_CHANNEL + place;
        self.channels.push(Channel {
            number,
            peer,
            bound: false,
            renew: now + RENEW_CHANNEL,
        });
        self.request(now, random, Purpose::Bind(number, peer), 0);
    }

    /// Gives the relayed address back.
    pub(super) fn release(&mut self, now: Instant, random: &mut dyn Random) {
        if self.relayed().is_some() {
            self.requests.clear();
            self.request(now, random, Purpose::Release, 0);
        }
        self.set_state(State::Released, "given back");
    }

    /// Does what time asks for.
    pub(super) fn handle_timeout(&mut self, now: Instant, random: &mut dyn Random) {
        let mut silent = Vec::new();
        let mut again = Vec::new();
        for request in &mut self.requests {
            match request.clock.poll(now) {
                Due::Later => {}
                Due::Again => again.push(request.bytes.clone()),
                Due::TimedOut => silent.push((request.id, request.purpose)),
            }
        }
        again.into_iter().for_each(|bytes| self.transmit(bytes));
        for (id, purpose) in silent {
            self.requests.retain(|request| request.id != id);
            self.failed(purpose, TurnFault::Silent);
        }
        let State::Allocated { refresh, .. } = &mut self.state else {
            return;
        };
        if now >= *refresh {
            *refresh = now + EARLY;
            self.request(now, random, Purpose::Refresh, 0);
        }
        let mut due = Vec::new();
        for (ip, renew) in &mut self.permissions {
            if now >= *renew {
                *renew = now + RENEW_PERMISSION;
                due.push(Purpose::Permit(*ip));
            }
        }
        for channel in &mut self.channels {
            if now >= channel.renew {
                channel.renew = now + RENEW_CHANNEL;
                due.push(Purpose::Bind(channel.number, channel.peer));
            }
        }
        for purpose in due {
            self.request(now, random, purpose, 0);
        }
    }

    /// The next datagram for the server.
    pub(super) fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.transmits.pop_front()
    }

    /// Where it is.
    pub(super) fn server(&self) -> SocketAddr {
        self.server.address
    }

    /// The relayed address.
    pub(super) fn relayed(&self) -> Option<SocketAddr> {
        match self.state {
            State::Allocated { relayed, .. } => Some(relayed),
            State::Idle | State::Allocating | State::Failed(_) | State::Released => None,
        }
    }

    /// Our own address as the server sees it.
    pub(super) fn mapped(&self) -> Option<SocketAddr> {
        match self.state {
            State::Allocated { mapped, .. } => mapped,
            State::Idle | State::Allocating | State::Failed(_) | State::Released => None,
        }
    }

    /// Whether the server is still to say whether there is a relayed address.
    pub(super) fn is_allocating(&self) -> bool {
        self.state == State::Allocating
    }

    /// Why there is none.
    pub(super) fn fault(&self) -> Option<TurnFault> {
        match self.state {
            State::Failed(fault) => Some(fault),
            State::Idle | State::Allocating | State::Allocated { .. } | State::Released => None,
        }
    }

    /// Datagrams of no use that came.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// When something is due.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let requests = self.requests.iter().map(|request| request.clock.next());
        let refresh = match self.state {
            State::Allocated { refresh, .. } => Some(refresh),
            State::Idle | State::Allocating | State::Failed(_) | State::Released => None,
        };
        let permissions = self.permissions.iter().map(|(_, renew)| *renew);
        let channels = self.channels.iter().map(|channel| channel.renew);
        let renewals = permissions.chain(channels).filter(|_| refresh.is_some());
        requests.chain(refresh).chain(renewals).min()
    }

    fn open_channel_data(&mut self, datagram: &[u8]) -> Option<Carried> {
        let two = |at: usize| {
            let octets = datagram.get(at..at + 2)?;
            Some(u16::from_be_bytes(octets.try_into().ok()?))
        };
        let opened = || {
            let number = two(0)?;
            let channel = self.channels.iter().find(|it| it.number == number)?;
            let bytes = datagram.get(4..)?.get(..usize::from(two(2)?))?;
            Some(Carried {
                peer: channel.peer,
                bytes: bytes.to_vec(),
            })
        };
        let opened = opened().filter(|_| self.relayed().is_some());
        if opened.is_none() {
            self.dropped += 1;
        }
        opened
    }

    fn handle_response(&mut self, now: Instant, random: &mut dyn Random, message: &mut Stun) {
        let place = self.requests.iter().position(|it| it.id == message.id());
        let Some(request) = place.and_then(|place| self.requests.get(place)) else {
            self.dropped += 1;
            return;
        };
        let (purpose, nonces) = (request.purpose, request.nonces);
        let authenticated = request.authenticated;
        if request.purpose.method() != message.method() {
            self.dropped += 1;
            return;
        }
        if message.class() == Class::Success {
            // Only who knows the password can say yes.
            let key = self.realm.as_ref().map(|realm| realm.key.as_slice());
            let sound = authenticated && key.is_some_and(|key| message.is_by(key));
            if !sound {
                self.dropped += 1;
                return;
            }
            self.requests.retain(|request| request.id != message.id());
            self.succeeded(now, purpose, message);
            return;
        }
        self.requests.retain(|request| request.id != message.id());
        match message.error() {
            Some(401) if !authenticated && self.learn_realm(message) => {
                self.request(now, random, purpose, nonces);
            }
            Some(438) if nonces < MAX_NONCES && self.learn_realm(message) => {
                self.request(now, random, purpose, nonces + 1);
            }
            Some(401 | 441) => self.failed(purpose, TurnFault::Credentials),
            Some(code @ (486 | 508)) => self.failed(purpose, TurnFault::Quota(code)),
            Some(code) => self.failed(purpose, TurnFault::Refused(code)),
            None => self.failed(purpose, TurnFault::Odd),
        }
    }

    fn succeeded(&mut self, now: Instant, purpose: Purpose, message: &Stun) {
        let lifetime = message.number(ATTR_LIFETIME).map(u64::from);
        let lifetime = lifetime.map_or(LIFETIME, Duration::from_secs);
        let renew = now + lifetime.saturating_sub(EARLY).max(lifetime / 2).max(RTO);
        match purpose {
            Purpose::Allocate => match message.address(ATTR_XOR_RELAYED_ADDRESS) {
                Some(relayed) => {
                    let allocated = State::Allocated {
                        relayed,
                        mapped: message.address(ATTR_XORMAPPED_ADDRESS),
                        refresh: renew,
                    };
                    self.set_state(allocated, "the server gave it");
                }
                None => self.failed(purpose, TurnFault::Odd),
            },
            Purpose::Refresh => {
                if let State::Allocated { refresh, .. } = &mut self.state {
                    *refresh = renew;
                }
            }
            Purpose::Bind(number, _) => {
                let mut channels = self.channels.iter_mut();
                if let Some(channel) = channels.find(|it| it.number == number) {
                    channel.bound = true;
                }
            }
            Purpose::Permit(_) | Purpose::Release => {}
        }
    }

    fn failed(&mut self, purpose: Purpose, fault: TurnFault) {
        match purpose {
            Purpose::Allocate | Purpose::Refresh => self.set_state(State::Failed(fault), "refused"),
            // The pairs behind it fail by themselves, or go by indications.
            Purpose::Permit(ip) => tracing::debug!(%ip, %fault, "no permission at the relay"),
            Purpose::Bind(_, peer) => tracing::debug!(%peer, %fault, "no channel at the relay"),
            Purpose::Release => {}
        }
    }

    /// Takes realm and nonce of a challenge; says whether there is one.
    fn learn_realm(&mut self, message: &Stun) -> bool {
        let nonce = message.get(ATTR_NONCE).map(<[u8]>::to_vec);
        let known = self.realm.as_ref().map(|realm| realm.realm.as_str());
        let realm = message.text(ATTR_REALM).or(known).map(str::to_owned);
        let (Some(realm), Some(nonce)) = (realm, nonce) else {
            return false;
        };
        let key = MessageIntegrity::long_term_integrity_key(
            self.server.user.clone(),
            realm.clone(),
            self.server.password.expose().to_owned(),
            &RingCrypto,
        );
        self.realm = key.ok().map(|key| Realm { realm, nonce, key });
        self.realm.is_some()
    }

    fn request(&mut self, now: Instant, random: &mut dyn Random, purpose: Purpose, nonces: u8) {
        if self.requests.len() >= MAX_REQUESTS {
            return;
        }
        let mut id = Id::default();
        random.fill(&mut id);
        let writing = Writing::new(Class::Request, purpose.method(), id);
        let writing = match purpose {
            Purpose::Allocate => writing
                .add(ATTR_REQUESTED_TRANSPORT, &UDP)
                .add(ATTR_LIFETIME, &seconds(LIFETIME)),
            Purpose::Refresh => writing.add(ATTR_LIFETIME, &seconds(LIFETIME)),
            Purpose::Release => writing.add(ATTR_LIFETIME, &seconds(Duration::ZERO)),
            // The port is of no meaning (RFC 8656 section 9.1).
            Purpose::Permit(ip) => writing.address(ATTR_XOR_PEER_ADDRESS, SocketAddr::new(ip, 9)),
            Purpose::Bind(number, peer) => {
                let [high, low] = number.to_be_bytes();
                writing
                    .add(ATTR_CHANNEL_NUMBER, &[high, low, 0, 0])
                    .address(ATTR_XOR_PEER_ADDRESS, peer)
            }
        };
        let bytes = match &self.realm {
            Some(realm) => writing
                .add(ATTR_USERNAME, self.server.user.as_bytes())
                .add(ATTR_REALM, realm.realm.as_bytes())
                .add(ATTR_NONCE, &realm.nonce)
                .by(&realm.key)
                .finish(),
            None => writing.finish(),
        };
        self.transmit(bytes.clone());
        let timeout = if purpose == Purpose::Allocate {
            RTO_OF_SERVERS
        } else {
            RTO
        };
        self.requests.push(Request {
            id,
            purpose,
            clock: Retransmission::begin(now, timeout),
            bytes,
            authenticated: self.realm.is_some(),
            nonces,
        });
    }

    fn transmit(&mut self, bytes: Vec<u8>) {
        if self.transmits.len() < MAX_WAITING {
            self.transmits.push_back(bytes);
        }
    }

    fn set_state(&mut self, state: State, reason: &str) {
        tracing::debug!(server = %self.server.address, "relay {:?} -> {state:?}: {reason}", self.state);
        self.state = state;
    }
}

impl Purpose {
    fn method(self) -> Method {
        match self {
            Self::Allocate => METHOD_ALLOCATE,
            Self::Refresh | Self::Release => METHOD_REFRESH,
            Self::Permit(_) => METHOD_CREATE_PERMISSION,
            Self::Bind(..) => METHOD_CHANNEL_BIND,
        }
    }
}

fn seconds(duration: Duration) -> [u8; 4] {
    u32::try_from(duration.as_secs())
        .unwrap_or(u32::MAX)
        .to_be_bytes()
}
