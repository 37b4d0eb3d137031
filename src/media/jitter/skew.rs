//! How much faster or slower the sender's clock runs than ours.
//!
//! How late a packet is, is told by the fastest one of the last ten seconds. Where the clocks are apart by 300 parts in a
//! million, as cheap sound cards are, the fastest of ten seconds ago was 3 ms faster for that alone, and an even
//! stream looked uneven. So a line is fitted to the fastest packets of the seconds (Moon, Skelly and Towsley, Estimation
//! and Removal of Clock Skew from Network Delay Measurements, INFOCOM 1999, who lay it below all of them), and what it
//! rises by is taken out.

/// Seconds through which the line is laid.
const SECONDS: usize = 10;
/// The most that clocks are apart, in microseconds a second.
const MOST: f64 = 1_000.0;
/// The part of what the line still rises by that is believed after each second.
const PULL: f64 = 0.25;
/// The most by which one of the seconds may be off the line, in microseconds: else the way itself has changed, or
/// no packet of that second was fast.
const OFF: f64 = 1_000.0;

/// The skew of one sender.
#[derive(Debug, Default)]
pub(super) struct Skew {
    /// Microseconds a second.
    slope: f64,
    /// What has been taken out so far, in microseconds, and up to when.
    taken: f64,
    at: Option<i64>,
}

impl Skew {
    /// How much later a packet comes at that time, in microseconds, by what the clocks have come apart until then.
    pub(super) fn advance(&mut self, arrival: i64) -> i64 {
        let before = self.at.unwrap_or(arrival);
        if arrival > before || self.at.is_none() {
            self.taken += self.slope * (arrival - before) as f64 / 1e6;
            self.at = Some(arrival);
        }
        self.taken()
    }

    /// The same at the last packet.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a call lasts no thousand years"
    )]
    pub(super) fn taken(&self) -> i64 {
        self.taken.round() as i64
    }

    /// Learns from the fastest packets of the last seconds, the oldest first, from which what was known is taken out.
    pub(super) fn learn(&mut self, fastest: [i64; SECONDS]) {
        let [first, ..] = fastest;
        let values = fastest.map(|transit| (transit - first) as f64);
        let centre = (SECONDS - 1) as f64 / 2.0;
        let mean = values.iter().sum::<f64>() / SECONDS as f64;
        let (mut along, mut square) = (0.0, 0.0);
        for (second, value) in values.iter().enumerate() {
            let place = second as f64 - centre;
            along += place * value;
            square += place * place;
        }
        let rise = along / square;
        let off = |(second, value): (usize, &f64)| {
            (value - mean - rise * (second as f64 - centre)).abs() > OFF
        };
        if !values.iter().enumerate().any(off) {
            self.slope = (self.slope + PULL * rise).clamp(-MOST, MOST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of the rise in each second's fastest packet, in microseconds, after so many seconds of a sender whose
    /// fastest packets come so much later each second, and later by what `way` says of a second.
    fn left_after(seconds: i64, rise: i64, way: impl Fn(i64) -> i64) -> i64 {
        let mut skew = Skew::default();
        let mut fastest = Vec::new();
        for second in 0..seconds {
            let taken = skew.advance(second * 1_000_000);
            fastest.push(7_000_000 + rise * second + way(second) - taken);
            if let Some(last) = fastest.last_chunk() {
                skew.learn(*last);
            }
        }
        let [before, after] = *fastest.last_chunk().unwrap();
        after - before
    }

    #[test]
    fn what_a_clock_makes_later_is_learned_within_a_minute() {
        for rise in [-600, -100, 20, 300, 600] {
            let left = left_after(60, rise, |_| 0);
            assert!(left.abs() <= 10, "{rise}: {left}");
            // Fastest packets that are off by half a millisecond here and there.
            let left = left_after(60, rise, |second| second * 37 % 5 * 100);
            assert!(left.abs() <= 450, "{rise}: {left}");
        }
    }

    #[test]
    fn another_way_is_no_other_clock() {
        let way = |second| if second < 30 { 0 } else { 40_000 };
        assert_eq!(left_after(60, 0, way), 0);
        let way = |second| if second % 7 == 3 { 15_000 } else { 0 };
        assert!(left_after(58, 0, way).abs() < 10);
        // Nobody's clock is so wrong.
        assert!(left_after(120, 5_000, |_| 0) >= 4_000);
    }
}
