//! RTP packets (RFC 3550 section 5.1): read without a copy, written by `rtc::rtp`.
//!
//! Reading is our own: a header extension is skipped whole instead of being parsed, so that a
//! damaged one cannot shift the payload, and nothing is allocated.

use rtc::rtp::header::Header;
use rtc::shared::marshal::{Marshal as _, MarshalSize as _};

/// A packet that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RtpPacket<'a> {
    /// The marker bit: the first packet after silence.
    pub marker: bool,
    /// The payload type, 0 to 127.
    pub payload_type: u8,
    /// One more for each packet.
    pub sequence: u16,
    /// The sampling time of the first sample, in the codec's clock.
    pub timestamp: u32,
    /// Who sends.
    pub ssrc: u32,
    /// The codec's bytes, without padding.
    pub payload: &'a [u8],
}

impl<'a> RtpPacket<'a> {
    /// Reads a datagram; none when it is no RTP of version 2 or its lengths do not fit.
    pub fn parse(datagram: &'a [u8]) -> Option<Self> {
        let (head, rest) = datagram.split_at_checked(12)?;
        let [flags, second, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3] = *head else {
            return None;
        };
        if flags >> 6 != 2 {
            return None;
        }
        let mut rest = rest.get(usize::from(flags & 0x0f) * 4..)?;
        if flags & 0x10 != 0 {
            let (extension, after) = rest.split_at_checked(4)?;
            let [_, _, high, low] = *extension else {
                return None;
            };
            rest = after.get(usize::from(u16::from_be_bytes([high, low])) * 4..)?;
        }
        if flags & 0x20 != 0 {
            let padding = usize::from(*rest.last()?);
            if padding == 0 {
                return None;
            }
            rest = rest.get(..rest.len().checked_sub(padding)?)?;
        }
        Some(Self {
            marker: second & 0x80 != 0,
            payload_type: second & 0x7f,
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([c0, c1, c2, c3]),
            payload: rest,
        })
    }

    /// Writes it as a datagram.
    pub fn write(&self) -> Vec<u8> {
        let header = Header {
            version: 2,
            marker: self.marker,
            payload_type: self.payload_type,
            sequence_number: self.sequence,
            timestamp: self.timestamp,
            ssrc: self.ssrc,
            ..Header::default()
        };
        let mut datagram = vec![0; header.marshal_size()];
        if header.marshal_to(&mut datagram).is_err() {
            // A header without list and extension always fits its own size.
            datagram.clear();
        }
        datagram.extend_from_slice(self.payload);
        datagram
    }
}

/// Whether a datagram on a shared port is RTCP (RFC 5761 section 4: packet types 192 to 223).
pub fn is_rtcp(datagram: &[u8]) -> bool {
    matches!(datagram, [_, 192..=223, ..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::{Random as _, SeededRandom};
    use rtc::shared::marshal::Unmarshal as _;

    const PACKET: RtpPacket<'_> = RtpPacket {
        marker: true,
        payload_type: 111,
        sequence: 65_535,
        timestamp: 0xdead_beef,
        ssrc: 0x0102_0304,
        payload: &[1, 2, 3],
    };

    #[test]
    fn what_is_written_reads_back() {
        assert_eq!(RtpPacket::parse(&PACKET.write()), Some(PACKET));
    }

    #[test]
    fn contributors_extensions_and_padding_are_skipped() {
        let mut bytes = PACKET.write();
        bytes[0] |= 0x20 | 0x10 | 2;
        let extra = [0; 8].into_iter().chain([0xbe, 0xde, 0, 1, 0xf3, 9, 9, 9]);
        bytes.splice(12..12, extra);
        bytes.extend([0, 2]);
        assert_eq!(RtpPacket::parse(&bytes), Some(PACKET));
    }

    #[test]
    fn lengths_that_do_not_fit_are_refused() {
        let bytes = PACKET.write();
        assert_eq!(RtpPacket::parse(&bytes[..11]), None);
        for (flags, name) in [
            (0x40, "version 1"),
            (0x8f, "15 contributors"),
            (0x90, "extension"),
            (0xa0, "padding of 3 is everything, of 200 too much"),
        ] {
            let mut damaged = bytes.clone();
            damaged[0] = flags;
            damaged[14] = 200;
            assert_eq!(RtpPacket::parse(&damaged), None, "{name}");
        }
    }

    #[test]
    fn random_bytes_never_panic_and_agree_with_another_reader() {
        let mut random = SeededRandom::new(3);
        for _ in 0..50_000 {
            let mut bytes = vec![0; usize::from(random.next_u64().to_le_bytes()[0]) / 4];
            random.fill(&mut bytes);
            if let Some(first) = bytes.first_mut() {
                // Version 2, no padding, no extension: where both readers follow the same rules.
                *first = 0x80 | (*first & 0x03);
            }
            let ours = RtpPacket::parse(&bytes);
            let theirs = rtc::rtp::Packet::unmarshal(&mut bytes.as_slice()).ok();
            assert_eq!(ours.is_some(), theirs.is_some());
            if let (Some(ours), Some(theirs)) = (ours, theirs) {
                assert_eq!(ours.ssrc, theirs.header.ssrc);
                assert_eq!(ours.payload, &theirs.payload[..]);
            }
            random.fill(&mut bytes);
            let _ = RtpPacket::parse(&bytes);
        }
    }
}
