//! Zones of link-local IPv6 addresses (RFC 4007): the network to which `fe80::1` is attached.
//!
//! People write a zone (`[fe80::1%eth0]`, or `[fe80::1%25eth0]` as RFC 6874 section 2 has it in URIs)
//! and sockets need it, but it means nothing on another machine and is never sent (RFC 4007 section
//! 11.2, RFC 6874 section 4). So it is taken out of a text where a person's words come in, and only
//! the sockets know it: no SIP message, no session description and no log of them can hold one.

use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};

/// The longest name of an interface that Linux has is 15 octets; other systems are not far above.
const MAX_NAME: usize = 32;

/// An address and the name or number of the interface behind which it lies.
pub type Zoned = (Ipv6Addr, String);

/// Takes the zones out of an address or URI, where a link-local address in brackets, or nothing
/// but such an address, has one. Anything else stays as it is.
pub fn without_zones(text: &str) -> (String, Vec<Zoned>) {
    if let Some((ip, zone)) = zoned(text) {
        return (ip.to_string(), vec![(ip, zone)]);
    }
    let mut bare = String::with_capacity(text.len());
    let mut zones = Vec::new();
    let mut rest = text;
    while let Some((before, inner, after)) = next_brackets(rest) {
        bare += before;
        match zoned(inner) {
            Some((ip, zone)) => {
                bare += &format!("[{ip}]");
                zones.push((ip, zone));
            }
            None => bare += &format!("[{inner}]"),
        }
        rest = after;
    }
    (bare + rest, zones)
}

/// Reads an IPv6 address, with a zone where somebody let one out: on another machine it means
/// nothing, so it is ignored.
pub fn parse_v6(text: &str) -> Option<Ipv6Addr> {
    match text.parse() {
        Ok(ip) => Some(ip),
        Err(_) => zoned(text).map(|(ip, _foreign)| ip),
    }
}

/// Whether an address means nothing without a zone.
pub fn needs_zone(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(_) => false,
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

/// An address with that zone, where it needs one; else as it is.
pub fn with_zone(address: SocketAddr, index: u32) -> SocketAddr {
    match address {
        SocketAddr::V6(v6) if v6.ip().is_unicast_link_local() => {
            SocketAddrV6::new(*v6.ip(), v6.port(), 0, index).into()
        }
        SocketAddr::V4(_) | SocketAddr::V6(_) => address,
    }
}

/// An address without its zone, as it may stand in a message.
pub fn bare(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip(), address.port())
}

/// The number of the interface that a zone names; none where there is no such interface now.
pub fn index(zone: &str) -> Option<u32> {
    match zone.parse() {
        Ok(0) => None,
        Ok(index) => Some(index),
        Err(_) => index_of_name(zone),
    }
}

/// One of the machine's own addresses, ready to be bound: with its zone where it needs one.
pub fn own(ip: IpAddr, port: u16) -> SocketAddr {
    let address = SocketAddr::new(ip, port);
    if !needs_zone(ip) {
        return address;
    }
    let link = links().into_iter().find(|(own, _)| ip == IpAddr::V6(*own));
    match link {
        Some((_, index)) => with_zone(address, index),
        None => address,
    }
}

/// The only interface that has a link-local address; none where there are several, or none.
pub fn only_link() -> Option<u32> {
    let mut indices: Vec<u32> = links().into_iter().map(|(_, index)| index).collect();
    indices.dedup();
    match indices.as_slice() {
        [only] => Some(*only),
        [] | [_, ..] => None,
    }
}

fn next_brackets(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('[')?;
    let (inner, after) = rest.split_once(']')?;
    Some((before, inner, after))
}

fn zoned(text: &str) -> Option<Zoned> {
    let (ip, zone) = text.split_once('%')?;
    let ip: Ipv6Addr = ip.parse().ok()?;
    // Escaped as in a URI; an interface that is called so is written by its number.
    let zone = match zone.strip_prefix("25") {
        Some(name) if !name.is_empty() => name,
        Some(_) | None => zone,
    };
    let named = !zone.is_empty()
        && zone.len() <= MAX_NAME
        && zone
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-_~@:".contains(&byte));
    (named && ip.is_unicast_link_local()).then(|| (ip, zone.to_owned()))
}

#[cfg(target_os = "linux")]
fn index_of_name(zone: &str) -> Option<u32> {
    nix::net::if_::if_nametoindex(zone).ok()
}

/// Elsewhere a zone is written as the interface's number.
#[cfg(not(target_os = "linux"))]
fn index_of_name(_zone: &str) -> Option<u32> {
    None
}

/// The machine's link-local addresses with the numbers of their interfaces, in order of these.
#[cfg(target_os = "linux")]
fn links() -> Vec<(Ipv6Addr, u32)> {
    links_of(&std::fs::read_to_string("/proc/net/if_inet6").unwrap_or_default())
}

#[cfg(not(target_os = "linux"))]
fn links() -> Vec<(Ipv6Addr, u32)> {
    Vec::new()
}

/// Reads the kernel's table: address, interface, prefix length, scope and flags as hexadecimal
/// digits, and the interface's name.
#[cfg(any(target_os = "linux", test))]
fn links_of(table: &str) -> Vec<(Ipv6Addr, u32)> {
    let mut links: Vec<(Ipv6Addr, u32)> = table
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let ip = Ipv6Addr::from(u128::from_str_radix(words.next()?, 16).ok()?);
            let index = u32::from_str_radix(words.next()?, 16).ok()?;
            ip.is_unicast_link_local().then_some((ip, index))
        })
        .collect();
    links.sort_by_key(|(_, index)| *index);
    links
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_of_link_local_addresses_are_taken_out_in_each_spelling() {
        let rows = [
            ("fe80::1%eth0", "fe80::1", "eth0"),
            ("[fe80::1%eth0]:5070", "[fe80::1]:5070", "eth0"),
            (
                "sip:a%20b@[fe80::1%25wlan0];lr",
                "sip:a%20b@[fe80::1];lr",
                "wlan0",
            ),
            ("sips:[fe80::0:1%3]", "sips:[fe80::1]", "3"),
            ("[fe80::1%25]", "[fe80::1]", "25"),
            (
                "<sip:b@[fe80::1%br-0.7]:5060>",
                "<sip:b@[fe80::1]:5060>",
                "br-0.7",
            ),
        ];
        for (text, bare, zone) in rows {
            let (found, zones) = without_zones(text);
            assert_eq!(found, bare);
            assert_eq!(zones, [("fe80::1".parse().unwrap(), zone.to_owned())]);
        }
    }

    #[test]
    fn nothing_else_is_touched() {
        for text in [
            "sip:a%20b@example.com",
            "[2001:db8::1%eth0]",
            "[fe80::1%]",
            "[fe80::1%a b]",
            "[fe80::1%a\r\nVia: x]",
            "[fe80::1",
            "%eth0",
            "]fe80::1%eth0[",
            "",
        ] {
            assert_eq!(without_zones(text), (text.to_owned(), Vec::new()));
        }
    }

    #[test]
    fn the_zone_of_another_machine_is_ignored() {
        for text in ["fe80::1", "fe80::1%v1", "fe80::1%25v1"] {
            assert_eq!(parse_v6(text), "fe80::1".parse().ok(), "{text}");
        }
        for text in ["2001:db8::1%v1", "fe80::1%", "192.0.2.1", ""] {
            assert_eq!(parse_v6(text), None, "{text}");
        }
    }

    #[test]
    fn the_kernels_table_is_read() {
        let table = "\
            fe800000000000000000000000000002 0c 40 20 80     eth1\n\
            00000000000000000000000000000001 01 80 10 80       lo\n\
            fe800000000000000000000000000001 02 40 20 80     eth0\n\
            20010db8000000000000000000000001 02 40 00 80     eth0\n\
            what is this\n";
        let expected = [("fe80::1", 2), ("fe80::2", 12)];
        let expected = expected.map(|(ip, index)| (ip.parse().unwrap(), index));
        assert_eq!(links_of(table), expected);
    }

    #[test]
    fn a_zone_is_put_on_and_taken_off_where_there_can_be_one() {
        let link: SocketAddr = "[fe80::1]:5060".parse().unwrap();
        assert_eq!(with_zone(link, 3).to_string(), "[fe80::1%3]:5060");
        assert_eq!(bare(with_zone(link, 3)), link);
        for other in ["192.0.2.1:5060", "[2001:db8::1]:5060"] {
            let other: SocketAddr = other.parse().unwrap();
            assert_eq!(with_zone(other, 3), other);
        }
        assert_eq!(index("7"), Some(7));
        assert_eq!((index("0"), index("no-such-interface")), (None, None));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_loopback_interface_is_found_by_its_name() {
        assert!(index("lo").is_some());
    }
}
