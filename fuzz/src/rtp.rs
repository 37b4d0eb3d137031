//! A datagram of sound or of its reports.

use ringdesk::media::{rtcp, rtp};

/// Nothing panics; sound that is read is written so that it reads the same, and reports stay small.
pub(crate) fn check(bytes: &[u8]) {
    /// Packets of a compound that are read, by the report blocks that one can hold.
    const MOST_BLOCKS: usize = 16 * 31;

    if rtp::is_rtcp(bytes) {
        if let Some(reports) = rtcp::parse(bytes) {
            assert!(reports.blocks.len() <= MOST_BLOCKS);
            let written = rtcp::write(
                reports.ssrc,
                "name",
                reports.sender,
                reports.blocks.first().copied(),
                reports.goodbye,
            );
            let again = rtcp::parse(&written).expect("what we write can be read");
            assert_eq!(again.ssrc, reports.ssrc);
            assert_eq!(again.sender, reports.sender);
            assert_eq!(again.goodbye, reports.goodbye);
        }
    } else if let Some(packet) = rtp::RtpPacket::parse(bytes) {
        let written = packet.write();
        assert_eq!(rtp::RtpPacket::parse(&written), Some(packet));
    }
}
