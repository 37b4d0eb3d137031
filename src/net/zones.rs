//! On which network a link-local peer is: what the owner wrote, else where it was heard last, else
//! the only network that there is.
//!
//! What comes in loses its zone here and what goes out gets it here, so nobody above the sockets
//! knows of zones ([`crate::base::zone`]).

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::base::zone;

/// How many peers are remembered in each table; past it all that were heard are forgotten.
const MAX_PEERS: usize = 256;

/// The zones that are known.
#[derive(Debug, Default)]
pub(crate) struct Zones {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// By the names that the owner wrote: an interface may come back with another number.
    written: HashMap<Ipv6Addr, String>,
    heard: HashMap<Ipv6Addr, u32>,
}

impl Zones {
    /// Takes the owner's word for where a server is; it stands above what is heard.
    pub(crate) fn write(&self, ip: Ipv6Addr, zone: String) {
        let mut known = self.lock();
        if known.written.len() < MAX_PEERS || known.written.contains_key(&ip) {
            known.written.insert(ip, zone);
        }
    }

    /// Learns where somebody is who may be elsewhere later.
    pub(crate) fn suppose(&self, ip: Ipv6Addr, zone: &str) {
        if let Some(index) = zone::index(zone) {
            self.remember(ip, index);
        }
    }

    /// Learns from where something came, and gives the address as it may stand in a message.
    pub(crate) fn heard(&self, from: SocketAddr) -> SocketAddr {
        if let SocketAddr::V6(v6) = from
            && v6.ip().is_unicast_link_local()
            && v6.scope_id() != 0
        {
            self.remember(*v6.ip(), v6.scope_id());
        }
        zone::bare(from)
    }

    /// The address as a socket needs it; as it is where the zone is not known.
    pub(crate) fn towards(&self, remote: SocketAddr) -> SocketAddr {
        self.known(remote).unwrap_or(remote)
    }

    /// The address as a socket needs it; none where it needs a zone that is not known.
    pub(crate) fn known(&self, remote: SocketAddr) -> Option<SocketAddr> {
        if !zone::needs_zone(remote.ip()) {
            return Some(remote);
        }
        let index = self.of(remote.ip())?;
        Some(zone::with_zone(remote, index))
    }

    fn of(&self, ip: IpAddr) -> Option<u32> {
        let IpAddr::V6(ip) = ip else { return None };
        let known = self.lock();
        let written = known.written.get(&ip).and_then(|zone| zone::index(zone));
        written
            .or_else(|| known.heard.get(&ip).copied())
            .or_else(zone::only_link)
    }

    fn remember(&self, ip: Ipv6Addr, index: u32) {
        let mut known = self.lock();
        if known.heard.len() >= MAX_PEERS && !known.heard.contains_key(&ip) {
            known.heard.clear();
        }
        known.heard.insert(ip, index);
    }

    /// The tables are whole after each statement, so a panic elsewhere does not spoil them.
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn who_was_heard_is_answered_on_the_same_network() {
        let zones = Zones::default();
        let bare = at("[fe80::7]:5060");
        assert_eq!(zones.heard(at("[fe80::7%4]:5060")), bare);
        assert_eq!(zones.towards(bare), at("[fe80::7%4]:5060"));
        assert_eq!(zones.towards(at("[fe80::7]:9")), at("[fe80::7%4]:9"));
        zones.heard(at("[fe80::7%5]:5060"));
        assert_eq!(zones.towards(bare), at("[fe80::7%5]:5060"), "it moved");
        for other in ["[2001:db8::1]:5060", "192.0.2.1:5060"] {
            assert_eq!(zones.heard(at(other)), at(other));
            assert_eq!(zones.towards(at(other)), at(other));
        }
    }

    /// Else somebody on another network could draw the requests to a server to himself.
    #[test]
    fn the_owners_word_stands_above_what_is_heard() {
        let zones = Zones::default();
        let ip: Ipv6Addr = "fe80::7".parse().unwrap();
        zones.write(ip, "4".to_owned());
        zones.heard(at("[fe80::7%5]:5060"));
        zones.suppose(ip, "6");
        assert_eq!(zones.towards(at("[fe80::7]:5060")), at("[fe80::7%4]:5060"));
    }

    #[test]
    fn a_flood_of_addresses_fills_no_memory() {
        let zones = Zones::default();
        zones.write("fe80::ffff".parse().unwrap(), "4".to_owned());
        for number in 1..2000 {
            let ip = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, number);
            zones.heard(zone::with_zone(SocketAddr::new(ip.into(), 1), 5));
            zones.write(ip, "4".to_owned());
        }
        let known = zones.lock();
        assert!(known.heard.len() <= MAX_PEERS && known.written.len() <= MAX_PEERS);
    }
}
