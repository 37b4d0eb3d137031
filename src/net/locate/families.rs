//! The order of a host's addresses: what a route leads to, the better family first, then in turns
//! (RFC 6724 section 6 and RFC 8305 section 4, as far as a phone needs them).

use std::cmp::Reverse;
use std::net::IpAddr;

/// Orders addresses, each with the address from which the machine's routes reach it; those that no
/// route leads to are left out before. Within one family the order stays.
///
/// The best address comes first, then one of the other family, and so on, so that a network that
/// only pretends to carry one family costs one failed try.
pub(crate) fn happy_order(mut reached: Vec<(IpAddr, IpAddr)>) -> Vec<(IpAddr, IpAddr)> {
    reached.sort_by_key(|(far, near)| Reverse(rank(*far, *near)));
    let Some(v6_first) = reached.first().map(|(far, _)| far.is_ipv6()) else {
        return reached;
    };
    let (better, other): (Vec<_>, Vec<_>) = reached
        .into_iter()
        .partition(|(far, _)| far.is_ipv6() == v6_first);
    let mut ordered = Vec::with_capacity(better.len() + other.len());
    let (mut better, mut other) = (better.into_iter(), other.into_iter());
    loop {
        let (one, two) = (better.next(), other.next());
        if one.is_none() && two.is_none() {
            return ordered;
        }
        ordered.extend(one);
        ordered.extend(two);
    }
}

/// How good a pair is: source and destination of one scope (rule 2) and of one kind (rule 5), then
/// IPv6 before IPv4 (rule 6).
fn rank(far: IpAddr, near: IpAddr) -> (bool, bool, bool) {
    (
        scope(far) == scope(near),
        unique_local(far) == unique_local(near),
        far.is_ipv6(),
    )
}

/// Link-local and loopback addresses are of the link's scope, all others global (RFC 6724 section
/// 3.1 and 3.2).
fn scope(ip: IpAddr) -> u8 {
    const LINK: u8 = 2;
    const GLOBAL: u8 = 14;
    let link = match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unicast_link_local(),
    };
    if link { LINK } else { GLOBAL }
}

/// A private IPv6 address (RFC 4193) does not lead to the world.
fn unique_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(_) => false,
        IpAddr::V6(ip) => ip.is_unique_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(pairs: &[(&str, &str)]) -> Vec<String> {
        let pairs = pairs
            .iter()
            .map(|(far, near)| (far.parse().unwrap(), near.parse().unwrap()))
            .collect();
        happy_order(pairs)
            .into_iter()
            .map(|(far, _)| far.to_string())
            .collect()
    }

    #[test]
    fn ipv6_comes_first_and_then_the_families_take_turns() {
        let order = order(&[
            ("192.0.2.1", "192.0.2.9"),
            ("192.0.2.2", "192.0.2.9"),
            ("2001:db8::1", "2001:db8::9"),
            ("2001:db8::2", "2001:db8::9"),
            ("2001:db8::3", "2001:db8::9"),
        ]);
        let expected = [
            "2001:db8::1",
            "192.0.2.1",
            "2001:db8::2",
            "192.0.2.2",
            "2001:db8::3",
        ];
        assert_eq!(order, expected);
    }

    #[test]
    fn a_private_ipv6_source_does_not_reach_the_world_so_ipv4_comes_first() {
        let rows = [
            ("2001:db8::1", "fd00::9", "192.0.2.1"),
            ("2001:db8::1", "fe80::9", "192.0.2.1"),
        ];
        for (far, near, first) in rows {
            let order = order(&[(far, near), ("192.0.2.1", "10.0.0.9")]);
            assert_eq!(order, [first, far]);
        }
        let private = order(&[("192.0.2.1", "10.0.0.9"), ("fd00::1", "fd00::9")]);
        assert_eq!(private, ["fd00::1", "192.0.2.1"]);
    }

    #[test]
    fn the_order_within_a_family_stays() {
        let near = "10.0.0.9";
        let rows = [("10.0.0.3", near), ("10.0.0.1", near), ("10.0.0.2", near)];
        assert_eq!(order(&rows), ["10.0.0.3", "10.0.0.1", "10.0.0.2"]);
        assert!(order(&[]).is_empty());
    }
}
