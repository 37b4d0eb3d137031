//! Reception statistics of one source (RFC 3550 appendices A.1, A.3 and A.8).

use std::time::Instant;

use crate::media::rtp::RtpPacket;

/// The counters of one source.
#[derive(Debug)]
pub struct SourceStatistics {
    /// Who sends.
    pub ssrc: u32,
    started: Instant,
    base_sequence: u32,
    highest_sequence: u16,
    cycles: u32,
    received: u64,
    expected_before: u64,
    received_before: u64,
    transit: Option<i64>,
    /// The clock of the packet before; a transit in another one says nothing.
    clock_rate: u32,
    /// In 1/16 of the clock's tick.
    jitter_16th: i64,
}

impl SourceStatistics {
    /// Begins with the first packet of a source, which is not yet counted.
    pub fn new(now: Instant, first: &RtpPacket<'_>) -> Self {
        Self {
            ssrc: first.ssrc,
            started: now,
            base_sequence: u32::from(first.sequence),
            highest_sequence: first.sequence,
            cycles: 0,
            received: 0,
            expected_before: 0,
            received_before: 0,
            transit: None,
            clock_rate: 0,
            jitter_16th: 0,
        }
    }

    /// Counts a packet; `clock_rate` in hertz.
    pub fn add(&mut self, now: Instant, packet: &RtpPacket<'_>, clock_rate: u32) {
        self.received += 1;
        let ahead = packet.sequence.wrapping_sub(self.highest_sequence);
        if ahead < 0x8000 {
            if packet.sequence < self.highest_sequence {
                self.cycles = self.cycles.wrapping_add(1 << 16);
            }
            self.highest_sequence = packet.sequence;
        }
        let micros = now.saturating_duration_since(self.started).as_micros();
        let ticks = i64::try_from(micros * u128::from(clock_rate) / 1_000_000).unwrap_or(0);
        let transit = ticks - i64::from(packet.timestamp);
        if self.clock_rate != clock_rate {
            self.clock_rate = clock_rate;
            self.transit = None;
        }
        if let Some(before) = self.transit.replace(transit) {
            // The difference of two 32-bit clocks, so that a timestamp that wraps is no leap.
            let step = i64::from(i32::try_from(wrap(transit - before)).unwrap_or(0)).abs();
            self.jitter_16th += step - ((self.jitter_16th + 8) >> 4);
        }
    }

    /// Packets that came.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Packets that never came; packets that came twice count against them.
    pub fn lost(&self) -> u64 {
        self.expected().saturating_sub(self.received)
    }

    /// The highest sequence number with its cycles.
    pub fn extended_sequence(&self) -> u32 {
        self.cycles.wrapping_add(u32::from(self.highest_sequence))
    }

    /// Interarrival jitter in the clock's ticks.
    pub fn jitter(&self) -> u32 {
        u32::try_from(self.jitter_16th >> 4).unwrap_or(0)
    }

    /// The share lost since the last call, in 1/256.
    pub fn take_fraction_lost(&mut self) -> u8 {
        let expected = self.expected() - self.expected_before;
        let received = self.received - self.received_before;
        self.expected_before = self.expected();
        self.received_before = self.received;
        let lost = expected.saturating_sub(received);
        if lost == 0 {
            return 0;
        }
        u8::try_from(lost * 256 / expected).unwrap_or(u8::MAX)
    }

    fn expected(&self) -> u64 {
        u64::from(self.extended_sequence().wrapping_sub(self.base_sequence)) + 1
    }
}

/// A difference modulo 2³² with its sign.
fn wrap(difference: i64) -> i64 {
    let low = u32::try_from(difference.rem_euclid(1 << 32)).unwrap_or(0);
    i64::from(low.cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::monotonic_now;
    use std::time::Duration;

    fn packet(sequence: u16, timestamp: u32) -> RtpPacket<'static> {
        RtpPacket {
            marker: false,
            payload_type: 0,
            sequence,
            timestamp,
            ssrc: 1,
            payload: &[],
        }
    }

    #[test]
    fn loss_is_counted_over_the_wrap_of_the_sequence_number() {
        let now = monotonic_now();
        let mut statistics = SourceStatistics::new(now, &packet(65_530, 0));
        for n in (0..100_u16).filter(|n| n % 10 != 5) {
            statistics.add(now, &packet(65_530_u16.wrapping_add(n), 0), 8_000);
        }
        assert_eq!((statistics.received(), statistics.lost()), (90, 10));
        assert_eq!(statistics.extended_sequence(), 65_536 + 93);
        assert_eq!(statistics.take_fraction_lost(), 25);
        assert_eq!(statistics.take_fraction_lost(), 0);
    }

    #[test]
    fn reordering_and_duplicates_are_no_loss() {
        let now = monotonic_now();
        let mut statistics = SourceStatistics::new(now, &packet(10, 0));
        for sequence in [10, 12, 11, 11, 13] {
            statistics.add(now, &packet(sequence, 0), 8_000);
        }
        assert_eq!(statistics.lost(), 0);
    }

    #[test]
    fn jitter_follows_the_formula_and_a_wrapped_timestamp_is_no_leap() {
        let start = monotonic_now();
        let mut statistics = SourceStatistics::new(start, &packet(0, 0));
        for n in 0..400_u16 {
            // Every other packet 10 ms late: D is 80 ticks of 8 kHz each time.
            let late = u64::from(n % 2) * 10;
            let now = start + Duration::from_millis(u64::from(n) * 20 + late);
            let timestamp = (u32::MAX - 20_000).wrapping_add(u32::from(n) * 160);
            statistics.add(now, &packet(n, timestamp), 8_000);
        }
        assert!(
            (78..=80).contains(&statistics.jitter()),
            "{}",
            statistics.jitter()
        );
    }
}
