//! A server of STUN and TURN that insists on what RFC 8656 lets it insist on.

use std::net::{IpAddr, SocketAddr};

use rtc::crypto::providers::RingCrypto;
use rtc::stun::attributes::{
    ATTR_CHANNEL_NUMBER, ATTR_DATA, ATTR_LIFETIME, ATTR_NONCE, ATTR_REALM, ATTR_USERNAME,
    ATTR_XOR_PEER_ADDRESS, ATTR_XOR_RELAYED_ADDRESS, ATTR_XORMAPPED_ADDRESS,
};
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::{
    METHOD_ALLOCATE, METHOD_BINDING, METHOD_CHANNEL_BIND, METHOD_CREATE_PERMISSION, METHOD_DATA,
    METHOD_REFRESH, METHOD_SEND,
};

use crate::media::transport::ice::stun::{Class, Stun, Writing};

const REALM: &str = "relay.example";

struct Allocation {
    client: SocketAddr,
    relayed: SocketAddr,
    permitted: Vec<IpAddr>,
    channels: Vec<(u16, SocketAddr)>,
}

/// From, to, octets.
type Datagram = (SocketAddr, SocketAddr, Vec<u8>);

pub(in super::super) struct Server {
    address: SocketAddr,
    user: String,
    key: Vec<u8>,
    allocations: Vec<Allocation>,
    /// The nonce that counts; older ones are stale.
    pub(in super::super) nonce: u32,
    /// Refuses allocations with this.
    pub(in super::super) refuses: Option<u16>,
    /// It does not answer.
    pub(in super::super) silent: bool,
    /// Messages that came by a channel and as indications.
    pub(in super::super) carried: (u32, u32),
    pub(in super::super) refreshed: u32,
}

impl Server {
    pub(super) fn new(address: SocketAddr, user: &str, password: &str) -> Self {
        let key = MessageIntegrity::long_term_integrity_key(
            user.to_owned(),
            REALM.to_owned(),
            password.to_owned(),
            &RingCrypto,
        );
        Self {
            address,
            user: user.to_owned(),
            key: key.unwrap(),
            allocations: Vec::new(),
            nonce: 1,
            refuses: None,
            silent: false,
            carried: (0, 0),
            refreshed: 0,
        }
    }

    pub(super) fn owns(&self, ip: IpAddr) -> bool {
        self.address.ip() == ip
    }

    /// How many relayed addresses are given out.
    pub(in super::super) fn allocations(&self) -> usize {
        self.allocations.len()
    }

    pub(super) fn handle(
        &mut self,
        from: SocketAddr,
        to: SocketAddr,
        bytes: &[u8],
    ) -> Vec<Datagram> {
        if self.silent {
            return Vec::new();
        }
        if to != self.address {
            return self.inward(from, to, bytes);
        }
        if matches!(bytes[0], 64..=79) {
            let number = u16::from_be_bytes([bytes[0], bytes[1]]);
            let of = self.allocations.iter().find(|it| it.client == from);
            let bound = of.and_then(|it| it.channels.iter().find(|(n, _)| *n == number));
            let sent = bound.map(|(_, peer)| (of.unwrap().relayed, *peer, bytes[4..].to_vec()));
            self.carried.0 += 1;
            return sent.into_iter().collect();
        }
        let Some(mut message) = Stun::read(bytes) else {
            return Vec::new();
        };
        if message.class() == Class::Indication && message.method() == METHOD_SEND {
            let peer = message.address(ATTR_XOR_PEER_ADDRESS).unwrap();
            let of = self.allocations.iter().find(|it| it.client == from);
            let of = of.filter(|it| it.permitted.contains(&peer.ip()));
            let data = message.get(ATTR_DATA).unwrap().to_vec();
            let sent = of.map(|it| (it.relayed, peer, data));
            self.carried.1 += 1;
            return sent.into_iter().collect();
        }
        let answer = self.answer(from, &mut message);
        vec![(self.address, from, answer)]
    }

    fn answer(&mut self, from: SocketAddr, message: &mut Stun) -> Vec<u8> {
        let (method, id) = (message.method(), message.id());
        let success = Writing::new(Class::Success, method, id);
        let error = |code| Writing::new(Class::Error, method, id).error(code);
        if method == METHOD_BINDING {
            return success.address(ATTR_XORMAPPED_ADDRESS, from).finish();
        }
        let nonce = self.nonce.to_be_bytes();
        let challenge = |code| {
            error(code)
                .add(ATTR_REALM, REALM.as_bytes())
                .add(ATTR_NONCE, &nonce)
                .finish()
        };
        if message.text(ATTR_USERNAME) != Some(&self.user) || !message.is_by(&self.key) {
            return challenge(401);
        }
        if message.get(ATTR_NONCE) != Some(&nonce) {
            return challenge(438);
        }
        let place = self.allocations.iter().position(|it| it.client == from);
        let lifetime = 600_u32.to_be_bytes();
        let peer = message.address(ATTR_XOR_PEER_ADDRESS);
        let written = match (method, place) {
            (METHOD_ALLOCATE, _) if self.refuses.is_some() => error(self.refuses.unwrap()),
            (METHOD_ALLOCATE, None) => {
                let port = 50_000 + u16::try_from(self.allocations.len()).unwrap();
                let relayed = SocketAddr::new(self.address.ip(), port);
                self.allocations.push(Allocation {
                    client: from,
                    relayed,
                    permitted: Vec::new(),
                    channels: Vec::new(),
                });
                success
                    .address(ATTR_XOR_RELAYED_ADDRESS, relayed)
                    .address(ATTR_XORMAPPED_ADDRESS, from)
                    .add(ATTR_LIFETIME, &lifetime)
            }
            (METHOD_REFRESH, Some(place)) => {
                self.refreshed += 1;
                if message.number(ATTR_LIFETIME) == Some(0) {
                    self.allocations.remove(place);
                }
                success.add(ATTR_LIFETIME, &lifetime)
            }
            (METHOD_CREATE_PERMISSION, Some(place)) => {
                self.allocations[place].permitted.push(peer.unwrap().ip());
                success
            }
            (METHOD_CHANNEL_BIND, Some(place)) => {
                let number = message.number(ATTR_CHANNEL_NUMBER).unwrap() >> 16;
                let channel = (u16::try_from(number).unwrap(), peer.unwrap());
                self.allocations[place].channels.push(channel);
                success
            }
            _ => error(437),
        };
        written.by(&self.key).finish()
    }

    /// Something came to a relayed address.
    fn inward(&self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) -> Vec<Datagram> {
        let of = self.allocations.iter().find(|it| it.relayed == to);
        let Some(of) = of.filter(|it| it.permitted.contains(&from.ip())) else {
            return Vec::new();
        };
        let channel = of.channels.iter().find(|(_, peer)| *peer == from);
        let framed = match channel {
            Some((number, _)) => {
                let length = u16::try_from(bytes.len()).unwrap();
                let head = [number.to_be_bytes(), length.to_be_bytes()].concat();
                [head, bytes.to_vec()].concat()
            }
            None => Writing::new(Class::Indication, METHOD_DATA, [9; 12])
                .address(ATTR_XOR_PEER_ADDRESS, from)
                .add(ATTR_DATA, bytes)
                .finish(),
        };
        vec![(self.address, of.client, framed)]
    }
}
