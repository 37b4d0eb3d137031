//! What a datagram on a media socket is, by its first octet (RFC 7983 section 7): several protocols
//! share the port of a call.

use crate::media::rtp::is_rtcp;

/// A protocol of a media socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// STUN (RFC 8489), first octet 0 to 3.
    Stun,
    /// DTLS (RFC 5764), 20 to 63.
    Dtls,
    /// A TURN channel (RFC 8656), 64 to 79.
    TurnChannel,
    /// RTP, 128 to 191.
    Rtp,
    /// RTCP, in the same range: told by its packet type (RFC 5761 section 4).
    Rtcp,
    /// None that is understood here: ZRTP (16 to 19), what keeps a NAT open, nonsense.
    Other,
}

impl Kind {
    /// Looks at the first two octets alone; whether the rest fits is for who reads it.
    pub fn of(datagram: &[u8]) -> Self {
        match datagram.first() {
            Some(0..=3) => Self::Stun,
            Some(20..=63) => Self::Dtls,
            Some(64..=79) => Self::TurnChannel,
            Some(128..=191) if is_rtcp(datagram) => Self::Rtcp,
            Some(128..=191) => Self::Rtp,
            Some(_) | None => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_first_octet_is_one_protocols() {
        let ranges = [
            (0..=3, Kind::Stun),
            (4..=19, Kind::Other),
            (20..=63, Kind::Dtls),
            (64..=79, Kind::TurnChannel),
            (80..=127, Kind::Other),
            (128..=191, Kind::Rtp),
            (192..=255, Kind::Other),
        ];
        let mut seen = 0;
        for (octets, kind) in ranges {
            for octet in octets {
                assert_eq!(Kind::of(&[octet]), kind, "{octet}");
                assert_eq!(Kind::of(&[octet, 0]), kind, "{octet}");
                seen += 1;
            }
        }
        assert_eq!(seen, 256);
        assert_eq!(Kind::of(&[]), Kind::Other);
    }

    /// RFC 5761 section 4: 192 to 223 are packet types of RTCP, and as such payload types 64 to 95 with
    /// a marker, which nobody gives to RTP.
    #[test]
    fn reports_are_told_from_sound_by_their_packet_type() {
        for second in 0..=255 {
            let expected = if (192..=223).contains(&second) {
                Kind::Rtcp
            } else {
                Kind::Rtp
            };
            assert_eq!(Kind::of(&[0x80, second]), expected, "{second}");
        }
    }
}
