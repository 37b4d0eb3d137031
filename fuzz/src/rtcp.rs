//! Reports on sound: RTCP compounds and their extended reports.

use ringdesk::media::rtcp_xr::VoipMetrics;
use ringdesk::media::{rtcp, rtcp_xr};

/// Packets of a compound that are read.
const MOST_PACKETS: usize = 16;
/// Report blocks that one of them can hold.
const MOST_BLOCKS: usize = MOST_PACKETS * 31;
/// Blocks of an extended report that are read.
const MOST_METRICS: usize = 32;
/// The most that a lost count says when we write it: 24 bits with a sign (RFC 3550 section 6.4.1).
const MOST_LOST: u32 = 0x007f_ffff;

/// Nothing panics and what is read stays small and within its scale; each report that we would send
/// reads the same; a packet that nobody knows behind a compound changes nothing of it.
pub(crate) fn check(bytes: &[u8]) {
    let metrics: Vec<VoipMetrics> = rtcp_xr::metrics(bytes).collect();
    assert!(metrics.len() <= MOST_METRICS);
    metrics.iter().for_each(within_scale);
    let Some(reports) = rtcp::parse(bytes) else {
        return;
    };
    assert!(reports.blocks.len() <= MOST_BLOCKS);
    assert!(reports.voip.len() <= MOST_PACKETS * MOST_METRICS);
    reports.voip.iter().for_each(within_scale);
    let blocks = reports.blocks.iter().copied().map(Some);
    for block in blocks.take(31).chain([None]) {
        let written = rtcp::write(reports.ssrc, "name", reports.sender, block, reports.goodbye);
        let again = rtcp::parse(&written).expect("what we write can be read");
        assert_eq!(again.ssrc, reports.ssrc);
        assert_eq!(again.sender, reports.sender);
        assert_eq!(again.goodbye, reports.goodbye);
        let expected = block.map(|block| rtcp::ReportBlock {
            total_lost: block.total_lost.min(MOST_LOST),
            ..block
        });
        assert_eq!(again.blocks, Vec::from_iter(expected));
    }
    // An empty packet of a type that is not assigned.
    let longer = [bytes, &[0x80, 199, 0, 0]].concat();
    if let Some(longer) = rtcp::parse(&longer) {
        assert_eq!(longer, reports);
    }
}

fn within_scale(metrics: &VoipMetrics) {
    for share in [metrics.loss, metrics.discarded] {
        assert!((0.0..=1.0).contains(&share), "{metrics:?}");
    }
    assert!(metrics.mos.is_none_or(|mos| (1.0..=5.0).contains(&mos)));
    for delay in [metrics.round_trip, metrics.end_system_delay] {
        assert!(delay.is_none_or(|delay| !delay.is_zero()), "{metrics:?}");
    }
}
