//! Who stands behind a source address, for limits that hold for each.

use std::net::{IpAddr, Ipv6Addr};

/// The machine behind an address: with IPv6 each has a whole network of 64 bits to choose addresses
/// from (RFC 4291 section 2.5.1), but for link-local ones, of which all on a link share one.
pub fn site(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(ip) if !ip.is_unicast_link_local() => {
            let [a, b, c, d, ..] = ip.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        one => one,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_64_bits_is_one_machine_and_a_link_is_many() {
        let of = |text: &str| site(text.parse().unwrap()).to_string();
        assert_eq!(of("192.0.2.1"), "192.0.2.1");
        assert_eq!(of("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(of("fe80::1"), "fe80::1");
    }
}
