//! Transport addresses by which a side may be reached (RFC 8445 section 5.1, RFC 8839 section 5.1).

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::sdp::ice::is_ice_text;

/// The component of RTP (RFC 8445 section 13).
pub const RTP: u8 = 1;
/// The component of RTCP where it has a port of its own.
pub const RTCP: u8 = 2;

/// Where a candidate comes from (RFC 8445 section 5.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CandidateKind {
    /// An address of the machine.
    Host,
    /// What a STUN server sees.
    ServerReflexive,
    /// What the far end sees.
    PeerReflexive,
    /// An address of a TURN server.
    Relayed,
}

impl CandidateKind {
    const ALL: [Self; 4] = [
        Self::Host,
        Self::ServerReflexive,
        Self::PeerReflexive,
        Self::Relayed,
    ];

    /// The word behind `typ` (RFC 8839 section 5.1).
    pub fn word(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::ServerReflexive => "srflx",
            Self::PeerReflexive => "prflx",
            Self::Relayed => "relay",
        }
    }

    /// How it is preferred to others (RFC 8445 section 5.1.2.2).
    pub fn preference(self) -> u32 {
        match self {
            Self::Host => 126,
            Self::PeerReflexive => 110,
            Self::ServerReflexive => 100,
            Self::Relayed => 0,
        }
    }

    /// The priority of a candidate of this kind (RFC 8445 section 5.1.2.1).
    pub fn priority(self, component: u8, local_preference: u16) -> u32 {
        (self.preference() << 24)
            | (u32::from(local_preference) << 8)
            | (256 - u32::from(component.max(1)))
    }
}

/// A transport address by which a side may be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The same for candidates of one kind, base and server; 1 to 32 characters.
    pub foundation: String,
    /// [`RTP`] or [`RTCP`].
    pub component: u8,
    /// Higher is better.
    pub priority: u32,
    /// The address.
    pub address: SocketAddr,
    /// Where it comes from.
    pub kind: CandidateKind,
    /// Its base, or for a relayed one what the server sees; for people who look for faults.
    pub related: Option<SocketAddr>,
}

impl Candidate {
    /// Reads the value of `a=candidate`. None where it is damaged, of no use here (TCP, a name such
    /// as those of multicast DNS, another component), or where media must not go.
    pub fn parse(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let foundation = words.next().filter(|it| is_ice_text(it, 1..=32))?;
        let component = words.next()?.parse().ok()?;
        let udp = words.next()?.eq_ignore_ascii_case("udp");
        let priority = words.next()?.parse().ok().filter(|it| *it != 0)?;
        let ip: IpAddr = words.next()?.parse().ok()?;
        let port = words.next()?.parse().ok().filter(|port| *port != 0)?;
        let typ = words.next()?.eq_ignore_ascii_case("typ");
        let word = words.next()?;
        let kind = CandidateKind::ALL
            .into_iter()
            .find(|kind| kind.word().eq_ignore_ascii_case(word))?;
        let (mut related_ip, mut related_port) = (None, None);
        // Pairs of name and value; those that are not known are left out.
        while let (Some(name), Some(value)) = (words.next(), words.next()) {
            match name.to_ascii_lowercase().as_str() {
                "raddr" => related_ip = value.parse().ok(),
                "rport" => related_port = value.parse().ok(),
                _ => {}
            }
        }
        let ip = ip.to_canonical();
        let useful = udp && typ && matches!(component, RTP | RTCP) && is_unicast(ip);
        useful.then(|| Self {
            foundation: foundation.to_owned(),
            component,
            priority,
            address: SocketAddr::new(ip, port),
            kind,
            related: related_ip
                .zip(related_port)
                .map(|(ip, port)| SocketAddr::new(ip, port)),
        })
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} UDP {} {} {} typ {}",
            self.foundation,
            self.component,
            self.priority,
            self.address.ip(),
            self.address.port(),
            self.kind.word()
        )?;
        match self.related {
            Some(related) => write!(f, " raddr {} rport {}", related.ip(), related.port()),
            None => Ok(()),
        }
    }
}

/// Whether packets may go to that address: 0/8 is "this network"; from 224 on come multicast, reserved
/// and broadcast addresses (RFC 6890).
pub(crate) fn is_unicast(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => !matches!(v4.octets(), [0 | 224..=255, ..]),
        IpAddr::V6(v6) => !v6.is_unspecified() && !v6.is_multicast(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_candidates_of_the_rfc_are_read_and_written_alike() {
        for (line, kind, address) in [
            (
                "1 1 UDP 2130706431 203.0.113.141 8998 typ host",
                CandidateKind::Host,
                "203.0.113.141:8998",
            ),
            (
                "2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr 203.0.113.141 rport 8998",
                CandidateKind::ServerReflexive,
                "192.0.2.3:45664",
            ),
            (
                "aB+/ 2 UDP 1 2001:db8::1 9 typ relay raddr 2001:db8::2 rport 0",
                CandidateKind::Relayed,
                "[2001:db8::1]:9",
            ),
        ] {
            let read = Candidate::parse(line).unwrap();
            assert_eq!(
                (read.kind, read.address.to_string().as_str()),
                (kind, address)
            );
            assert_eq!(read.to_string(), line);
        }
    }

    #[test]
    fn what_other_stacks_add_is_left_out() {
        let line = "842163049 1 udp 1677729535 198.51.100.7 50000 TYP PRFLX raddr 10.0.0.1 rport 50000 generation 0 network-cost 999";
        let read = Candidate::parse(line).unwrap();
        assert_eq!(read.kind, CandidateKind::PeerReflexive);
        assert_eq!(read.related, Some("10.0.0.1:50000".parse().unwrap()));
        assert_eq!(Candidate::parse(&format!("{line} odd")), Some(read));
    }

    #[test]
    fn what_is_of_no_use_or_damaged_is_not_taken() {
        for (line, why) in [
            ("1 1 TCP 1 192.0.2.1 9 typ host tcptype active", "TCP"),
            ("1 1 UDP 1 4b2c.local 5000 typ host", "multicast DNS"),
            ("1 3 UDP 1 192.0.2.1 5000 typ host", "component"),
            ("1 1 UDP 0 192.0.2.1 5000 typ host", "priority"),
            (
                "1 1 UDP 4294967296 192.0.2.1 5000 typ host",
                "huge priority",
            ),
            ("1 1 UDP 1 192.0.2.1 0 typ host", "port"),
            ("1 1 UDP 1 192.0.2.1 65536 typ host", "huge port"),
            ("1 1 UDP 1 224.0.0.1 5000 typ host", "multicast"),
            ("1 1 UDP 1 255.255.255.255 5000 typ host", "broadcast"),
            ("1 1 UDP 1 0.0.0.0 5000 typ host", "unspecified"),
            (
                "1 1 UDP 1 ::ffff:224.0.0.1 5000 typ host",
                "mapped multicast",
            ),
            ("1 1 UDP 1 192.0.2.1 5000 typ odd", "kind"),
            ("1 1 UDP 1 192.0.2.1 5000 host", "no typ"),
            ("! 1 UDP 1 192.0.2.1 5000 typ host", "foundation"),
            ("1 1 UDP 1 192.0.2.1", "short"),
            ("", "nothing"),
        ] {
            assert_eq!(Candidate::parse(line), None, "{why}");
        }
        let long = format!("{} 1 UDP 1 192.0.2.1 5000 typ host", "a".repeat(33));
        assert_eq!(Candidate::parse(&long), None);
    }

    /// RFC 8445 section 5.1.2.1 by hand.
    #[test]
    fn priorities_follow_kind_then_preference_then_component() {
        assert_eq!(CandidateKind::Host.priority(RTP, 65_535), 2_130_706_431);
        assert_eq!(
            CandidateKind::ServerReflexive.priority(RTP, 65_535),
            1_694_498_815
        );
        assert_eq!(CandidateKind::Relayed.priority(RTCP, 65_535), 16_777_214);
    }
}
