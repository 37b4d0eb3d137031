//! How many requests one source may send: a token bucket for each, in a bounded table.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::base::site::site;

/// How many sources have a bucket of their own; the rest share one.
const MAX_SOURCES: usize = 1024;
/// The span that a full bucket covers.
const BURST: Duration = Duration::from_secs(1);

/// What is left of a source's second.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    /// Nanoseconds of credit, at most `BURST`.
    credit: u64,
    at: Instant,
    /// When the source was last told that it is too fast.
    told: Option<Instant>,
}

/// Whether a request is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It is.
    Taken,
    /// It is refused in words, once a second and source.
    Refused,
    /// It is dropped unread, so that a flood is not answered by a flood.
    Dropped,
}

/// The buckets of all sources.
#[derive(Debug)]
pub(crate) struct RateLimit {
    /// Requests a second; none takes all.
    limit: Option<u32>,
    buckets: BTreeMap<IpAddr, Bucket>,
    shared: Option<Bucket>,
}

impl RateLimit {
    /// Allows so many requests a second and source, or any number.
    pub(crate) fn new(limit: Option<u32>) -> Self {
        Self {
            limit: limit.map(|limit| limit.max(1)),
            buckets: BTreeMap::new(),
            shared: None,
        }
    }

    /// Charges a source for one request.
    pub(crate) fn admit(&mut self, now: Instant, source: IpAddr) -> Admission {
        let Some(limit) = self.limit else {
            return Admission::Taken;
        };
        let burst = nanos(BURST);
        let cost = burst / u64::from(limit);
        let source = site(source);
        if !self.buckets.contains_key(&source) && self.buckets.len() >= MAX_SOURCES {
            // Who was quiet for a second has a full bucket again, which is like none.
            self.buckets
                .retain(|_, bucket| now.saturating_duration_since(bucket.at) < BURST);
        }
        let fresh = Bucket {
            credit: burst,
            at: now,
            told: None,
        };
        let bucket = if self.buckets.len() < MAX_SOURCES || self.buckets.contains_key(&source) {
            self.buckets.entry(source).or_insert(fresh)
        } else {
            self.shared.get_or_insert(fresh)
        };
        let gained = nanos(now.saturating_duration_since(bucket.at));
        bucket.credit = bucket.credit.saturating_add(gained).min(burst);
        bucket.at = now;
        if let Some(left) = bucket.credit.checked_sub(cost) {
            bucket.credit = left;
            return Admission::Taken;
        }
        let silent = bucket
            .told
            .is_some_and(|told| now.saturating_duration_since(told) < BURST);
        if silent {
            Admission::Dropped
        } else {
            bucket.told = Some(now);
            Admission::Refused
        }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock;

    fn source(number: u16) -> IpAddr {
        let [high, low] = number.to_be_bytes();
        IpAddr::from([10, 0, high, low])
    }

    #[test]
    fn a_source_gets_its_rate_and_one_second_ahead() {
        let mut limit = RateLimit::new(Some(10));
        let start = clock::monotonic_now();
        let taken = |limit: &mut RateLimit, now| {
            (0..100)
                .filter(|_| limit.admit(now, source(1)) == Admission::Taken)
                .count()
        };
        assert_eq!(taken(&mut limit, start), 10);
        assert_eq!(taken(&mut limit, start + BURST / 2), 5);
        assert_eq!(taken(&mut limit, start + BURST * 100), 10);
    }

    #[test]
    fn a_flood_is_answered_once_a_second() {
        let mut limit = RateLimit::new(Some(1));
        let start = clock::monotonic_now();
        let mut told = 0;
        for millis in 0..3000 {
            let now = start + Duration::from_millis(millis);
            told += u32::from(limit.admit(now, source(1)) == Admission::Refused);
        }
        assert!((2..=3).contains(&told), "{told}");
    }

    #[test]
    fn a_loud_source_does_not_silence_another() {
        let mut limit = RateLimit::new(Some(5));
        let now = clock::monotonic_now();
        for _ in 0..1000 {
            limit.admit(now, source(1));
        }
        assert_eq!(limit.admit(now, source(2)), Admission::Taken);
    }

    #[test]
    fn ten_thousand_sources_need_no_more_memory_than_the_table_has() {
        let mut limit = RateLimit::new(Some(2));
        let now = clock::monotonic_now();
        let mut refused = 0;
        for number in 0..10_000 {
            refused += u32::from(limit.admit(now, source(number)) != Admission::Taken);
        }
        assert_eq!(limit.buckets.len(), MAX_SOURCES);
        assert!(refused > 8000, "the rest share one bucket: {refused}");
        // A second later the quiet ones have made room.
        assert_eq!(limit.admit(now + BURST, source(20_000)), Admission::Taken);
        assert!(limit.buckets.len() <= 2);
    }

    #[test]
    fn all_addresses_of_one_ipv6_network_are_one_source() {
        let mut limit = RateLimit::new(Some(1));
        let now = clock::monotonic_now();
        let address = |last: u16| IpAddr::from([0x2001, 0xdb8, 1, 2, 0, 0, 0, last]);
        assert_eq!(limit.admit(now, address(1)), Admission::Taken);
        assert_ne!(limit.admit(now, address(2)), Admission::Taken);
        assert_eq!(site("::ffff:10.0.0.1".parse().unwrap()), source(1));
    }

    #[test]
    fn without_a_limit_all_are_taken() {
        let mut limit = RateLimit::new(None);
        let now = clock::monotonic_now();
        assert!((0..10_000).all(|_| limit.admit(now, source(1)) == Admission::Taken));
    }
}
