//! RTCP extended reports: the VoIP metrics that a far end measures of our sound (RFC 3611 section
//! 4.7). They are read and never sent.

use std::time::Duration;

/// The packet type (RFC 3611 section 2).
pub const PACKET_TYPE: u8 = 207;
/// The block type of VoIP metrics.
const VOIP_METRICS: u8 = 7;
/// Its length in 32-bit words, without the header.
const VOIP_WORDS: usize = 8;
/// Blocks of one packet that are read.
const MAX_BLOCKS: usize = 32;

/// What a far end measured of one stream; none is what it calls unavailable.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VoipMetrics {
    /// Whose stream.
    pub ssrc: u32,
    /// The share lost in the network since the beginning, 0.0 to 1.0.
    pub loss: f32,
    /// The share that came and was discarded by its jitter buffer, 0.0 to 1.0.
    pub discarded: f32,
    /// The share lost or discarded within bursts, 0.0 to 1.0; zero where there was none.
    pub burst_density: f32,
    /// Its most recent round trip; zero there means not measured.
    pub round_trip: Option<Duration>,
    /// Delay inside of the far end: buffer, decoder, encoder, playout; zero means not measured.
    pub end_system_delay: Option<Duration>,
    /// Its own score of the conversation.
    pub mos: Option<f32>,
}

/// Reads the VoIP metrics of a packet: its bytes from the header on, as long as the header says.
pub fn metrics(packet: &[u8]) -> impl Iterator<Item = VoipMetrics> + '_ {
    // Header and SSRC of the sender.
    let mut rest = packet.get(8..).unwrap_or_default();
    std::iter::from_fn(move || {
        let [kind, _, high, low, ..] = *rest else {
            return None;
        };
        let words = usize::from(u16::from_be_bytes([high, low]));
        let (block, after) = rest.split_at_checked((words + 1) * 4)?;
        rest = after;
        Some((kind, words, block))
    })
    .take(MAX_BLOCKS)
    .filter(|(kind, words, _)| *kind == VOIP_METRICS && *words == VOIP_WORDS)
    .filter_map(|(_, _, block)| read(block))
}

fn read(block: &[u8]) -> Option<VoipMetrics> {
    let byte = |at: usize| block.get(at).copied();
    let short = |at: usize| Some(u16::from_be_bytes([byte(at)?, byte(at + 1)?]));
    let delay = |at| {
        let millis = short(at)?;
        Some((millis > 0).then(|| Duration::from_millis(millis.into())))
    };
    let mos = byte(27)?;
    Some(VoipMetrics {
        ssrc: u32::from_be_bytes([byte(4)?, byte(5)?, byte(6)?, byte(7)?]),
        loss: f32::from(byte(8)?) / 256.0,
        discarded: f32::from(byte(9)?) / 256.0,
        burst_density: f32::from(byte(10)?) / 256.0,
        round_trip: delay(16)?,
        end_system_delay: delay(18)?,
        // 127 says that it is unavailable; others out of its scale say nothing.
        mos: (10..=50).contains(&mos).then(|| f32::from(mos) / 10.0),
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::base::random::{Random as _, SeededRandom};

    /// An extended report on that stream with a foreign block before the metrics.
    pub(in crate::media) fn report(ssrc: u32, loss: u8, delay: u16, mos: u8) -> Vec<u8> {
        let mut bytes = vec![0x80, PACKET_TYPE, 0, 0, 0, 0, 0, 9];
        // Receiver reference time (section 4.4).
        bytes.extend([4, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8]);
        bytes.extend([VOIP_METRICS, 0, 0, 8]);
        bytes.extend(ssrc.to_be_bytes());
        bytes.extend([loss, 13, 0, 0, 0, 0, 0, 0]);
        bytes.extend(60_u16.to_be_bytes());
        bytes.extend(delay.to_be_bytes());
        bytes.extend([127, 127, 127, 16, 93, 127, 44, mos]);
        bytes.extend([0x30, 0, 0, 40, 0, 60, 0, 80]);
        let words = u16::try_from(bytes.len() / 4 - 1).unwrap();
        bytes[2..4].copy_from_slice(&words.to_be_bytes());
        bytes
    }

    #[test]
    fn metrics_are_found_behind_other_blocks_and_unavailable_stays_unknown() {
        let found: Vec<_> = metrics(&report(77, 26, 85, 41)).collect();
        let [found] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(found.ssrc, 77);
        assert!((found.loss - 0.1016).abs() < 0.001);
        assert!((found.discarded - 0.0508).abs() < 0.001);
        assert_eq!(found.round_trip, Some(Duration::from_millis(60)));
        assert_eq!(found.end_system_delay, Some(Duration::from_millis(85)));
        assert_eq!(found.mos, Some(4.1));
        let unknown = metrics(&report(77, 0, 0, 127)).next().unwrap();
        assert_eq!((unknown.end_system_delay, unknown.mos), (None, None));
    }

    #[test]
    fn cut_and_mutated_reports_never_panic() {
        let whole = report(77, 26, 85, 41);
        for end in 0..whole.len() {
            assert_eq!(metrics(&whole[..end]).count(), 0, "{end}");
        }
        let mut random = SeededRandom::new(3);
        for _ in 0..20_000 {
            let mut bytes = whole.clone();
            for _ in 0..3 {
                let [at, value, ..] = random.next_u64().to_le_bytes();
                let at = usize::from(at) % bytes.len();
                bytes[at] = value;
            }
            assert!(metrics(&bytes).count() <= MAX_BLOCKS);
        }
    }
}
