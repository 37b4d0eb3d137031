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
/// Where packets are lost and brought back, two are waited for unless they last longer than this, in microseconds:
/// where single ones go, two in a row go soon, and a delay that grows only then is heard more than one that is a
/// packet longer from the first loss on.
const TWO_MICROS: i64 = 40_000;
/// The share of the lost packets that shall be brought back.
const PERCENTILE: f32 = 0.9;

/// The estimate for one stream.
#[derive(Debug, Default)]
pub(super) struct GapEstimate {
    /// By the packets of a gap, less one: the share of all packets lost in such.
    shares: [f32; LONGEST],
    /// Packets so far.
    packets: u32,
    /// How many packets before it the last one brought back that brought any.
    reach: usize,
}

impl GapEstimate {
    /// Takes note of a packet that was there.
    pub(super) fn played(&mut self) {
        self.pass();
    }

    /// Takes note of a gap of so many packets, of which the next one brings back at most `reach`. Gaps that
    /// were too long for that count, too: what reaches farther may come any time, and is then waited for at
    /// once.
    pub(super) fn lost(&mut self, packets: usize, reach: usize) {
        // In silence a sender has nothing to bring back.
        if reach > 0 {
            self.reach = reach;
        }
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
        let packets = (covering.unwrap_or(0) + 1).min(self.reach);
        let packets = i64::try_from(packets).unwrap_or(0);
        if packets == 0 {
            return 0;
        }
        // What is longer than all together may take is not waited for by half.
        let most = (MOST_MICROS / length.max(1)).max(1);
        (packets.min(most) * length).max(TWO_MICROS.min(2 * length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRED: usize = 6;
    const FEC: usize = 1;

    /// Plays packets of which so many in each hundred are lost, in gaps of that length, and brought back.
    fn estimate(lost: usize, gap: usize) -> GapEstimate {
        let mut estimate = GapEstimate::default();
        for packet in 0..1_000 {
            if lost > 0 && packet % (100 * gap / lost) == 0 {
                estimate.lost(gap, DRED);
            } else {
                estimate.played();
            }
        }
        estimate
    }

    #[test]
    fn the_wait_is_as_long_as_the_gaps_that_are_usual() {
        assert_eq!(estimate(0, 1).wait(20_000), 0);
        assert_eq!(estimate(20, 2).wait(20_000), 40_000);
        assert_eq!(estimate(10, 3).wait(20_000), 60_000);
        assert_eq!(estimate(10, 3).wait(10_000), 30_000);
    }

    #[test]
    fn the_first_losses_of_a_call_count_at_once() {
        let mut young = GapEstimate::default();
        young.lost(2, DRED);
        assert_eq!(young.wait(20_000), 40_000);
    }

    #[test]
    fn nobody_waits_for_a_rare_loss_or_longer_than_a_conversation_bears() {
        let mut rare = estimate(0, 1);
        rare.lost(3, DRED);
        assert_eq!(rare.wait(20_000), 0);
        assert_eq!(estimate(20, 20).wait(20_000), 120_000);
        assert_eq!(estimate(20, 4).wait(60_000), 120_000);
    }

    #[test]
    fn two_packets_are_waited_for_where_one_is_lost_now_and_then() {
        for (length, wait) in [(10, 20), (20, 40), (40, 40), (60, 60)] {
            for lost in [5, 20] {
                assert_eq!(estimate(lost, 1).wait(length * 1_000), wait * 1_000);
            }
        }
    }

    /// Only what could be brought back counted: where several in a row were lost before the far end sent DRED,
    /// and one in a row since, the next several came before what had them.
    #[test]
    fn what_is_brought_back_from_farther_away_is_waited_for_as_soon_as_it_comes() {
        let mut estimate = GapEstimate::default();
        for packet in 0..200 {
            match packet % 20 {
                0 => estimate.lost(3, FEC),
                7 | 14 => estimate.lost(1, FEC),
                _ => estimate.played(),
            }
        }
        assert_eq!(estimate.wait(20_000), 40_000);
        estimate.lost(1, DRED);
        assert_eq!(estimate.wait(20_000), 60_000);
        // Nothing is to be said of a silence.
        estimate.lost(1, 0);
        assert_eq!(estimate.wait(20_000), 60_000);
        estimate.lost(1, FEC);
        assert_eq!(estimate.wait(20_000), 40_000);
        // G.711 brings nothing back.
        let mut never = GapEstimate::default();
        never.lost(2, 0);
        assert_eq!(never.wait(20_000), 0);
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
