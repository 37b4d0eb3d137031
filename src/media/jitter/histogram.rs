//! How late packets came, with forgetting.

/// Buckets of a histogram; the last one takes what is later, too.
const BUCKETS: usize = 160;
/// The width of one, in microseconds.
pub(super) const BUCKET_MICROS: i64 = 5_000;

/// Which share of the packets was how late.
#[derive(Debug)]
pub(super) struct Histogram {
    shares: [f32; BUCKETS],
    /// What is left of a packet's weight after the next one.
    forgetting: f32,
}

impl Histogram {
    /// Makes an empty one that forgets so much with each packet.
    pub(super) fn new(forgetting: f32) -> Self {
        Self {
            shares: [0.0; BUCKETS],
            forgetting,
        }
    }

    /// Takes the packet that is the `number`th, from 1 on, with a weight of 0.0 to 1.0. As long as they are
    /// few all count the same.
    pub(super) fn add(&mut self, number: u32, lateness: i64, weight: f32) {
        let keep = self.forgetting.min(1.0 - 1.0 / number.max(1) as f32);
        let share = (1.0 - keep) * weight;
        for bucket in &mut self.shares {
            *bucket *= 1.0 - share;
        }
        let index = usize::try_from(lateness / BUCKET_MICROS).unwrap_or(0);
        if let Some(bucket) = self.shares.get_mut(index.min(BUCKETS - 1)) {
            *bucket += share;
        }
    }

    /// Makes all of them later by so much, or earlier, in whole buckets: what they are measured by has
    /// turned out to be another.
    pub(super) fn shift(&mut self, later: i64) {
        let half = later.signum() * BUCKET_MICROS / 2;
        let Ok(by) = usize::try_from((later + half).abs() / BUCKET_MICROS) else {
            return;
        };
        let by = by.min(BUCKETS - 1);
        let late = later > 0;
        let turn = if late { BUCKETS - by } else { by };
        // What would pass an end stays at it.
        self.shares.rotate_left(turn);
        let (kept, passed) = if late {
            let (passed, kept) = self.shares.split_at_mut(by);
            (kept.last_mut(), passed)
        } else {
            let (kept, passed) = self.shares.split_at_mut(BUCKETS - by);
            (kept.first_mut(), passed)
        };
        if let Some(end) = kept {
            *end += passed.iter().sum::<f32>();
        }
        passed.fill(0.0);
    }

    /// The lateness that so large a share of the packets does not pass, at the end of its bucket.
    pub(super) fn percentile(&self, share: f32) -> i64 {
        let mut sum = 0.0;
        let bucket = self.shares.iter().position(|bucket| {
            sum += bucket;
            sum >= share
        });
        let bucket = i64::try_from(bucket.unwrap_or(BUCKETS - 1)).unwrap_or(0);
        (bucket + 1) * BUCKET_MICROS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nine in ten are at once, one in ten is 70 ms late.
    fn typical() -> Histogram {
        let mut histogram = Histogram::new(0.99);
        for number in 1..=1_000 {
            let lateness = if number % 10 == 0 { 70_000 } else { 0 };
            histogram.add(number, lateness, 1.0);
        }
        histogram
    }

    #[test]
    fn a_percentile_is_the_end_of_its_bucket() {
        let histogram = typical();
        assert_eq!(histogram.percentile(0.8), 5_000);
        assert_eq!(histogram.percentile(0.96), 75_000);
    }

    #[test]
    fn what_is_shifted_is_later_or_earlier_by_whole_buckets_and_never_lost() {
        for (later, low, high) in [
            (2_000, 5_000, 75_000),
            (3_000, 10_000, 80_000),
            (20_000, 25_000, 95_000),
            (-2_000, 5_000, 75_000),
            (-20_000, 5_000, 55_000),
            (-70_000, 5_000, 5_000),
            (10_000_000, 800_000, 800_000),
            (-10_000_000, 5_000, 5_000),
        ] {
            let mut histogram = typical();
            histogram.shift(later);
            assert_eq!(histogram.percentile(0.8), low, "{later}");
            assert_eq!(histogram.percentile(0.96), high, "{later}");
            assert!((histogram.shares.iter().sum::<f32>() - 1.0).abs() < 1e-3);
        }
    }
}
