//! How late packets come, and what playout delay that asks for.

use crate::media::jitter::histogram::{BUCKET_MICROS, Histogram};
use crate::media::jitter::skew::Skew;

/// The share of packets that shall come in time.
const PERCENTILE: f32 = 0.96;
/// What is left of a packet's weight after the next one: half is forgotten in 1.4 s of 20 ms.
const FORGETTING: f32 = 0.99;
/// The share of packets that shall come in time over a longer while. Where the few that decide the other
/// are now here and now there, the delay would follow them up and down, and each way be heard.
const LONG_PERCENTILE: f32 = 0.99;
/// Half is forgotten in 7 s of 20 ms.
const LONG_FORGETTING: f32 = 0.998;
/// The most that the longer while adds, in microseconds: a stall of the network is soon over.
const MOST_ADDED_MICROS: i64 = 10_000;
/// The weight of a packet that came in the wake of a delayed one: a stall of the network is one
/// event, not as many as packets were held up in it.
const WAKE_WEIGHT: f32 = 0.2;
/// Seconds within which the fastest packet is looked for.
const WINDOW_SECONDS: usize = 10;
/// Packets before the histogram alone decides.
const LEARNING_PACKETS: u32 = 25;
/// The same where they come unevenly: the range of so many is that of the stream within a few parts in a
/// hundred.
const UNEVEN_LEARNING_PACKETS: u32 = 50;
/// How long a young stream must have been even to be taken for even, in microseconds.
const PROMISING_MICROS: i64 = 400_000;

/// What is later than the one makes a stream uneven, and what is not is played the other after it comes at
/// the soonest, in microseconds: a cable, and a network in an office.
const EVEN_MICROS: [(i64, i64); 2] = [(1_500, 2_500), (5_000, 5_000)];
/// How long a stream must have been so even, in microseconds.
const CALM_MICROS: i64 = 10_000_000;

/// The estimate for one stream. Times are microseconds since any fixed moment.
#[derive(Debug)]
pub(super) struct DelayEstimate {
    recent: Histogram,
    long: Histogram,
    packets: u32,
    /// What the two clocks come apart by.
    skew: Skew,
    /// The fastest transit in each of the last seconds, without the skew.
    fastest: [i64; WINDOW_SECONDS],
    second: i64,
    previous_arrival: i64,
    previous_lateness: i64,
    /// When the last packet came that was later than each, or the first of all.
    uneven_at: [i64; 2],
}

impl DelayEstimate {
    pub(super) fn new() -> Self {
        Self {
            recent: Histogram::new(FORGETTING),
            long: Histogram::new(LONG_FORGETTING),
            packets: 0,
            skew: Skew::default(),
            fastest: [i64::MAX; WINDOW_SECONDS],
            second: 0,
            previous_arrival: 0,
            previous_lateness: 0,
            uneven_at: [0; 2],
        }
    }

    /// Forgets which packet was the fastest, but not how late others came.
    pub(super) fn restart(&mut self) {
        self.fastest.fill(i64::MAX);
    }

    /// Takes one packet: when it came, when its first sample was taken (in the sender's clock), and
    /// how long it is.
    pub(super) fn add(&mut self, arrival: i64, sampled: i64, length: i64) {
        let transit = arrival - sampled - self.skew.advance(arrival);
        let before = self.fastest();
        self.note_transit(arrival, transit);
        if let (Some(before), Some(fastest)) = (before, self.fastest()) {
            self.measure_anew(before - fastest);
        }
        let lateness = transit - self.fastest().unwrap_or(transit);
        let in_wake =
            lateness < self.previous_lateness && arrival - self.previous_arrival < length / 2;
        let weight = if in_wake { WAKE_WEIGHT } else { 1.0 };
        self.previous_arrival = arrival;
        self.previous_lateness = lateness;
        for (uneven_at, (most, _)) in self.uneven_at.iter_mut().zip(EVEN_MICROS) {
            if self.packets == 0 || lateness > most {
                *uneven_at = arrival;
            }
        }

        self.packets = self.packets.saturating_add(1);
        self.recent.add(self.packets, lateness, weight);
        self.long.add(self.packets, lateness, weight);
    }

    /// The transit of the fastest packet of the last seconds, as it would be now.
    pub(super) fn base(&self) -> Option<i64> {
        Some(self.fastest()? + self.skew.taken())
    }

    fn fastest(&self) -> Option<i64> {
        let fastest = self.fastest.iter().copied().min();
        fastest.filter(|transit| *transit != i64::MAX)
    }

    /// The playout delay to aim for, for packets of that length, when what is missing waits so long for
    /// what brings it back.
    pub(super) fn target(&self, length: i64, wait: i64) -> i64 {
        let asked = self.recent.percentile(PERCENTILE);
        let long = self.long.percentile(LONG_PERCENTILE);
        let asked = asked.max(long.min(asked + MOST_ADDED_MICROS));
        match self.packets {
            0 => wait.max(2 * length),
            _ if self.is_learning() => (asked + wait).max(2 * length),
            // The buckets are too coarse for it.
            _ if wait == 0
                && let Some(soonest) = self.soonest() =>
            {
                soonest
            }
            _ => (asked + wait).max(if self.is_calm() { 0 } else { length }),
        }
    }

    /// What the packets come later than that the delay is still to cover, at the beginning of their bucket: with a
    /// shorter delay some are too late all the time.
    pub(super) fn usual(&self) -> i64 {
        self.recent.percentile(PERCENTILE) - BUCKET_MICROS
    }

    /// Whether so little is known of the stream that its delay shall not fall yet.
    pub(super) fn is_learning(&self) -> bool {
        self.packets < LEARNING_PACKETS
            || (self.packets < UNEVEN_LEARNING_PACKETS && !self.is_promising())
    }

    /// Whether the stream has been even for a while.
    pub(super) fn is_calm(&self) -> bool {
        self.soonest().is_some()
    }

    /// How soon an even stream may be played, in microseconds.
    fn soonest(&self) -> Option<i64> {
        let levels = self.uneven_at.iter().zip(EVEN_MICROS);
        let mut calm = levels.filter(|(at, _)| self.previous_arrival - **at >= CALM_MICROS);
        calm.next().map(|(_, (_, soonest))| soonest)
    }

    /// Whether the last packets came evenly.
    fn is_promising(&self) -> bool {
        let [_, uneven_at] = self.uneven_at;
        self.previous_arrival - uneven_at >= PROMISING_MICROS
    }

    /// The fastest packet is another, faster by so much: how late all came is measured by it.
    fn measure_anew(&mut self, faster: i64) {
        // Later in a stream a faster way says nothing of how late packets come on it.
        let learns = faster > 0 && self.packets < UNEVEN_LEARNING_PACKETS;
        if learns || faster < -BUCKET_MICROS {
            self.recent.shift(faster);
            self.long.shift(faster);
        }
    }

    fn note_transit(&mut self, arrival: i64, transit: i64) {
        let second = arrival.div_euclid(1_000_000);
        let passed = (second - self.second).clamp(0, 10);
        if passed == 1 && !self.fastest.contains(&i64::MAX) {
            let mut seconds = self.fastest;
            // The oldest is in the place of the new one.
            seconds.rotate_left(self.index_of(second));
            self.skew.learn(seconds);
        }
        for back in 0..passed {
            self.set_fastest(second - back, i64::MAX);
        }
        self.second = self.second.max(second);
        let index = self.index_of(second);
        if let Some(fastest) = self.fastest.get_mut(index) {
            *fastest = transit.min(*fastest);
        }
    }

    fn set_fastest(&mut self, second: i64, transit: i64) {
        let index = self.index_of(second);
        if let Some(fastest) = self.fastest.get_mut(index) {
            *fastest = transit;
        }
    }

    fn index_of(&self, second: i64) -> usize {
        usize::try_from(second.rem_euclid(10)).unwrap_or(0) % self.fastest.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(estimate: &mut DelayEstimate, lateness: impl Iterator<Item = i64>) {
        for (n, late) in (0..).zip(lateness) {
            estimate.add(n * 20_000 + 5_000_000 + late, n * 20_000, 20_000);
        }
    }

    #[test]
    fn a_stream_that_was_even_for_ten_seconds_waits_for_a_few_milliseconds() {
        let mut estimate = DelayEstimate::new();
        feed(&mut estimate, std::iter::repeat_n(1_000, 500));
        assert_eq!(estimate.target(20_000, 0), 20_000);
        let late = |at: usize| (0..1_100).map(move |n| if n == at { 6_000 } else { 0 });
        feed(&mut estimate, late(2_000));
        assert_eq!(estimate.target(20_000, 0), 2_500);
        assert_eq!(estimate.target(60_000, 0), 2_500);
        // What brings back a lost packet is waited for as ever.
        assert_eq!(estimate.target(20_000, 20_000), 25_000);
        // One packet that is late ends it, for ten seconds.
        let mut estimate = DelayEstimate::new();
        feed(&mut estimate, late(700));
        assert_eq!(estimate.target(20_000, 0), 20_000);
        let mut estimate = DelayEstimate::new();
        feed(&mut estimate, late(500));
        assert_eq!(estimate.target(20_000, 0), 2_500);
        // Two milliseconds are even, but not like on a cable.
        let mut estimate = DelayEstimate::new();
        feed(&mut estimate, (0..1_100).map(|n| n % 3 * 1_000));
        assert_eq!(estimate.target(20_000, 0), 5_000);
    }

    /// Nothing but the clocks makes it later: 3 ms and more in ten seconds, which were uneven.
    #[test]
    fn an_even_stream_is_even_whatever_its_clock() {
        for parts in [-500, -300, 300, 500] {
            let mut estimate = DelayEstimate::new();
            let mut packet = |n: i64| {
                let drifted = n * 20_000 * parts / 1_000_000;
                estimate.add(
                    5_000_000 + n * 20_000 + drifted + n % 3 * 300,
                    n * 20_000,
                    20_000,
                );
                (
                    estimate.target(20_000, 0),
                    estimate.base().unwrap() - drifted,
                )
            };
            let (target, base) = (0..3_000).map(&mut packet).last().unwrap();
            assert_eq!(target, 2_500, "{parts}");
            assert!((base - 5_000_000).abs() < 400, "{parts}: {base}");
        }
    }

    #[test]
    fn an_even_stream_needs_one_packet() {
        let mut estimate = DelayEstimate::new();
        assert_eq!(estimate.target(20_000, 0), 40_000);
        feed(&mut estimate, std::iter::repeat_n(0, 200));
        assert_eq!(estimate.target(20_000, 0), 20_000);
        assert_eq!(estimate.base(), Some(5_000_000));
    }

    #[test]
    fn the_target_is_the_96th_percentile_and_forgets() {
        let mut estimate = DelayEstimate::new();
        // One packet in ten comes 70 ms late.
        feed(
            &mut estimate,
            (0..1_000).map(|n| if n % 10 == 9 { 70_000 } else { 0 }),
        );
        assert_eq!(estimate.target(20_000, 0), 75_000);
        feed(&mut estimate, std::iter::repeat_n(0, 1_000));
        assert_eq!(estimate.target(20_000, 0), 20_000);
    }

    #[test]
    fn what_brings_a_packet_back_may_be_late_too() {
        let mut estimate = DelayEstimate::new();
        feed(&mut estimate, std::iter::repeat_n(0, 200));
        assert_eq!(estimate.target(20_000, 20_000), 25_000);
        assert_eq!(estimate.target(20_000, 60_000), 65_000);
    }

    #[test]
    fn one_stall_is_one_event() {
        let mut estimate = DelayEstimate::new();
        // 300 ms without a packet, then 15 at once.
        let stall = (0..15).map(|n| 300_000 - 20_000 * n);
        feed(&mut estimate, std::iter::repeat_n(0, 500).chain(stall));
        assert!(
            estimate.target(20_000, 0) <= 40_000,
            "{}",
            estimate.target(20_000, 0)
        );
    }

    #[test]
    fn the_fastest_packet_is_forgotten_after_ten_seconds() {
        let mut estimate = DelayEstimate::new();
        feed(
            &mut estimate,
            (0..2_000).map(|n| if n < 500 { 0 } else { 40_000 }),
        );
        assert_eq!(estimate.base(), Some(5_040_000));
        assert_eq!(estimate.target(20_000, 0), 2_500);
    }
}
