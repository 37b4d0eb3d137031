//! RTCP (RFC 3550 section 6): compound packets, read and written with `rtc::rtcp`.
//!
//! A datagram is first cut into its packets by our own reading of the lengths; only the kinds that
//! we use reach the crate, each within its own bytes.

use rtc::rtcp::Packet;
use rtc::rtcp::goodbye::Goodbye;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::reception_report::ReceptionReport;
use rtc::rtcp::sender_report::SenderReport;
use rtc::rtcp::source_description::{
    SdesType, SourceDescription, SourceDescriptionChunk, SourceDescriptionItem,
};
use rtc::shared::marshal::Unmarshal as _;

use crate::media::rtcp_xr::{self, VoipMetrics};

/// Packets of one compound that are read.
const MAX_PACKETS: usize = 16;

/// What a report block says of the stream that it received (RFC 3550 section 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReportBlock {
    /// Whose stream.
    pub ssrc: u32,
    /// Loss since the last report, in 1/256.
    pub fraction_lost: u8,
    /// Loss since the beginning.
    pub total_lost: u32,
    /// Highest sequence number with its cycles.
    pub highest_sequence: u32,
    /// Interarrival jitter in the codec's clock.
    pub jitter: u32,
    /// The middle 32 bits of the last sender report's time; 0 for none.
    pub last_sender_report: u32,
    /// Time since then in 1/65536 s.
    pub delay_since_last: u32,
}

/// What a sender says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderInfo {
    /// Its wall clock, NTP format.
    pub ntp_time: u64,
    /// The same moment in its codec's clock.
    pub rtp_time: u32,
    /// Packets so far.
    pub packets: u32,
    /// Payload bytes so far.
    pub bytes: u32,
}

/// What a compound packet brings that we use.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reports {
    /// Who sent it.
    pub ssrc: u32,
    /// Its sender information, with a sender report.
    pub sender: Option<SenderInfo>,
    /// What it says of streams that it receives.
    pub blocks: Vec<ReportBlock>,
    /// What it measured of streams that it plays (RFC 3611).
    pub voip: Vec<VoipMetrics>,
    /// Whether it says goodbye.
    pub goodbye: bool,
}

/// Reads a compound packet; none when its lengths do not fit or it does not begin with a report.
pub fn parse(datagram: &[u8]) -> Option<Reports> {
    let mut reports = Reports::default();
    let mut rest = datagram;
    let mut first = true;
    for _ in 0..MAX_PACKETS {
        if rest.is_empty() {
            break;
        }
        let [flags, kind, high, low, ..] = *rest else {
            return None;
        };
        let length = (usize::from(u16::from_be_bytes([high, low])) + 1) * 4;
        let (mut packet, after) = rest.split_at_checked(length)?;
        let count = usize::from(flags & 0x1f);
        if flags >> 6 != 2 || (first && !matches!(kind, 200 | 201)) {
            return None;
        }
        first = false;
        rest = after;
        match kind {
            200 if length >= 28 + count * 24 => {
                let report = SenderReport::unmarshal(&mut packet).ok()?;
                reports.ssrc = report.ssrc;
                reports.sender = Some(SenderInfo {
                    ntp_time: report.ntp_time,
                    rtp_time: report.rtp_time,
                    packets: report.packet_count,
                    bytes: report.octet_count,
                });
                reports.blocks.extend(report.reports.iter().map(block_of));
            }
            201 if length >= 8 + count * 24 => {
                let report = ReceiverReport::unmarshal(&mut packet).ok()?;
                reports.ssrc = report.ssrc;
                reports.blocks.extend(report.reports.iter().map(block_of));
            }
            200 | 201 => return None,
            203 => reports.goodbye = true,
            rtcp_xr::PACKET_TYPE => reports.voip.extend(rtcp_xr::metrics(packet)),
            _ => {}
        }
    }
    (!first && rest.is_empty()).then_some(reports)
}

/// Writes a compound packet: sender or receiver report, our canonical name, and perhaps goodbye.
pub fn write(
    ssrc: u32,
    cname: &str,
    sender: Option<SenderInfo>,
    block: Option<ReportBlock>,
    goodbye: bool,
) -> Vec<u8> {
    let reports: Vec<ReceptionReport> = block.iter().map(reception_of).collect();
    let report: Box<dyn Packet> = match sender {
        Some(info) => Box::new(SenderReport {
            ssrc,
            ntp_time: info.ntp_time,
            rtp_time: info.rtp_time,
            packet_count: info.packets,
            octet_count: info.bytes,
            reports,
            ..SenderReport::default()
        }),
        None => Box::new(ReceiverReport {
            ssrc,
            reports,
            ..ReceiverReport::default()
        }),
    };
    let name = SourceDescription {
        chunks: vec![SourceDescriptionChunk {
            source: ssrc,
            items: vec![SourceDescriptionItem {
                sdes_type: SdesType::SdesCname,
                text: cname.to_owned().into(),
            }],
        }],
    };
    let mut packets = vec![report, Box::new(name)];
    if goodbye {
        packets.push(Box::new(Goodbye {
            sources: vec![ssrc],
            ..Goodbye::default()
        }));
    }
    rtc::rtcp::packet::marshal(&packets).map_or_else(|_| Vec::new(), |bytes| bytes.to_vec())
}

fn block_of(report: &ReceptionReport) -> ReportBlock {
    ReportBlock {
        ssrc: report.ssrc,
        fraction_lost: report.fraction_lost,
        total_lost: report.total_lost,
        highest_sequence: report.last_sequence_number,
        jitter: report.jitter,
        last_sender_report: report.last_sender_report,
        delay_since_last: report.delay,
    }
}

fn reception_of(block: &ReportBlock) -> ReceptionReport {
    ReceptionReport {
        ssrc: block.ssrc,
        fraction_lost: block.fraction_lost,
        total_lost: block.total_lost.min(0x007f_ffff),
        last_sequence_number: block.highest_sequence,
        jitter: block.jitter,
        last_sender_report: block.last_sender_report,
        delay: block.delay_since_last,
    }
}

/// The middle 32 of the 64 bits of an NTP time (RFC 3550 section 4).
pub(super) fn middle_of(ntp_time: u64) -> u32 {
    u32::try_from((ntp_time >> 16) & u64::from(u32::MAX)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::{Random as _, SeededRandom};

    const SENDER: SenderInfo = SenderInfo {
        ntp_time: 0x0102_0304_0506_0708,
        rtp_time: 99,
        packets: 50,
        bytes: 8_000,
    };
    const BLOCK: ReportBlock = ReportBlock {
        ssrc: 7,
        fraction_lost: 25,
        total_lost: 3,
        highest_sequence: 70_000,
        jitter: 160,
        last_sender_report: 5,
        delay_since_last: 6,
    };

    #[test]
    fn reports_and_goodbye_read_back() {
        for (sender, block, goodbye) in [
            (Some(SENDER), Some(BLOCK), false),
            (Some(SENDER), None, true),
            (None, Some(BLOCK), false),
            (None, None, true),
        ] {
            let bytes = write(42, "a@ringdesk", sender, block, goodbye);
            assert_eq!(bytes.len() % 4, 0);
            let reports = parse(&bytes).unwrap();
            assert_eq!(reports.ssrc, 42);
            assert_eq!(reports.sender, sender);
            assert_eq!(reports.blocks.first().copied(), block);
            assert_eq!(reports.goodbye, goodbye);
        }
    }

    #[test]
    fn a_compound_must_begin_with_a_report_and_fit_its_lengths() {
        let bytes = write(42, "a", Some(SENDER), Some(BLOCK), true);
        for cut in 1..bytes.len() {
            let cut = parse(&bytes[..cut]);
            assert!(cut.is_none_or(|reports| !reports.goodbye));
        }
        let goodbye = [0x81, 203, 0, 1, 0, 0, 0, 42];
        assert_eq!(parse(&goodbye), None);
        let mut lying = bytes.clone();
        lying[0] |= 0x1f;
        assert_eq!(parse(&lying), None);
        assert_eq!(parse(&[]), None);
    }

    #[test]
    fn mutated_compounds_never_panic() {
        let mut random = SeededRandom::new(5);
        let base = write(42, "name@host", Some(SENDER), Some(BLOCK), true);
        for _ in 0..50_000 {
            let mut bytes = base.clone();
            for _ in 0..3 {
                let [at, value, ..] = random.next_u64().to_le_bytes();
                let at = usize::from(at) % bytes.len();
                bytes[at] = value;
            }
            if let Some(reports) = parse(&bytes) {
                assert!(reports.blocks.len() <= 31 * MAX_PACKETS);
            }
        }
    }
}
