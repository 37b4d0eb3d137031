//! How long the gaps are that redundancy can fill.

/// The longest gap that is waited for, in packets; what is longer counts as that.
const LONGEST: usize = 6;
/// The longest wait, in microseconds: a conversation bears no more.
const MOST_MICROS: i64 = 120_000;
/// What is left of a gap's weight after the next packet: half is forgotten in 14 s of 20 ms. A delay that
/// follows each spell of loss up and down would be heard more than the loss.
const FORGETTING: f32 = 0.999;
/// No single packet makes more of the whole than it does after so many.
const LEARNING_PACKETS: u32 = 20;
/// The share of packets lost from which on waiting is worth it.
const LEAST_LOSS: f32 = 0.01;
/// The share of the lost packets that shall be brought back.
const PERCENTILE: f32 = 0.95;

/// The estimate for one stream.
#[derive(Debug, Default)]
pub(super) struct GapEstimate {
    /// By the packets of a gap, less one: the share of all packets lost in such, as far as they could be
    /// brought back.
    shares: [f32; LONGEST],
    /// Packets so far.
    packets: u32,
}

impl GapEstimate {
    /// Takes note of a packet that was there.
    pub(super) fn played(&mut self) {
        self.pass();
    }

    /// Takes note of a gap of so many packets.
    pub(super) fn lost(&mut self, packets: usize) {
        let index = packets.clamp(1, LONGEST) - 1;
        for _ in 0..=index {
            let weight = self.pass();
            if let Some(share) = self.shares.get_mut(index) {
                *share += weight;
            }
        }
    }

    /// Lets one packet pass; gives its weight.
    fn pass(&mut self) -> f32 {
        self.packets = self.packets.saturating_add(1);
        let known = self.packets.max(LEARNING_PACKETS) as f32;
        let weight = (1.0 - FORGETTING).max(1.0 / known);
        for share in &mut self.shares {
            *share *= 1.0 - weight;
        }
        weight
    }

    /// How long what is missing waits for what brings it back, in microseconds, where a packet has
    /// `length`.
    pub(super) fn wait(&self, length: i64) -> i64 {
        let all: f32 = self.shares.iter().sum();
        if all < LEAST_LOSS {
            return 0;
        }
        let mut sum = 0.0;
        let covering = self.shares.iter().position(|share| {
            sum += share;
            sum >= all * PERCENTILE
        });
        let packets = i64::try_from(covering.unwrap_or(0)).unwrap_or(0) + 1;
        // What is longer than all together may take is not waited for by half.
        let most = (MOST_MICROS / length.max(1)).max(1);
        packets.min(most) * length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays packets of which so many in each hundred are lost, in gaps of that length.
    fn estimate(lost: usize, gap: usize) -> GapEstimate {
        let mut estimate = GapEstimate::default();
        for packet in 0..1_000 {
            if lost > 0 && packet % (100 * gap / lost) == 0 {
                estimate.lost(gap);
            } else {
                estimate.played();
            }
        }
        estimate
    }

    #[test]
    fn the_wait_is_as_long_as_the_gaps_that_are_usual() {
        assert_eq!(estimate(0, 1).wait(20_000), 0);
        assert_eq!(estimate(5, 1).wait(20_000), 20_000);
        assert_eq!(estimate(20, 1).wait(20_000), 20_000);
        assert_eq!(estimate(10, 3).wait(20_000), 60_000);
        assert_eq!(estimate(10, 3).wait(10_000), 30_000);
    }

    #[test]
    fn the_first_losses_of_a_call_count_at_once() {
        let mut young = GapEstimate::default();
        young.lost(2);
        assert_eq!(young.wait(20_000), 40_000);
    }

    #[test]
    fn nobody_waits_for_a_rare_loss_or_longer_than_a_conversation_bears() {
        let mut rare = estimate(0, 1);
        rare.lost(3);
        assert_eq!(rare.wait(20_000), 0);
        assert_eq!(estimate(20, 20).wait(20_000), 120_000);
        assert_eq!(estimate(20, 4).wait(60_000), 120_000);
    }

    #[test]
    fn the_wait_ends_with_the_loss() {
        let mut estimate = estimate(20, 2);
        assert_eq!(estimate.wait(20_000), 40_000);
        for _ in 0..3_500 {
            estimate.played();
        }
        assert_eq!(estimate.wait(20_000), 0);
    }
}
