//! One table for all deadlines, and what each timer is called.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::time::{Duration, Instant};

/// The estimate of a round trip (RFC 3261 section 17.1.1.1).
pub(crate) const T1: Duration = Duration::from_millis(500);
/// The longest pause between retransmissions of a request or 2xx.
pub(crate) const T2: Duration = Duration::from_secs(4);
/// How long a message lives in the network.
pub(crate) const T4: Duration = Duration::from_secs(5);
/// 64*T1: how long anything is waited for.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(32);

/// Deadlines by key; each key has at most one.
#[derive(Debug)]
pub(crate) struct Deadlines<K> {
    by_time: BTreeMap<(Instant, u64), K>,
    by_key: HashMap<K, (Instant, u64)>,
    /// Keeps deadlines of the same instant in the order in which they were set.
    sequence: u64,
}

impl<K: Clone + Eq + Hash> Deadlines<K> {
    /// Makes an empty table.
    pub(crate) fn new() -> Self {
        Self {
            by_time: BTreeMap::new(),
            by_key: HashMap::new(),
            sequence: 0,
        }
    }

    /// Sets or moves the deadline of a key.
    pub(crate) fn set(&mut self, key: K, at: Instant) {
        self.cancel(&key);
        self.sequence += 1;
        let place = (at, self.sequence);
        self.by_key.insert(key.clone(), place);
        self.by_time.insert(place, key);
    }

    /// Moves the deadline of a key where it would come later.
    pub(crate) fn set_earlier(&mut self, key: K, at: Instant) {
        if self.by_key.get(&key).is_none_or(|(known, _)| *known > at) {
            self.set(key, at);
        }
    }

    /// Whether a key has a deadline.
    pub(crate) fn contains(&self, key: &K) -> bool {
        self.by_key.contains_key(key)
    }

    /// Forgets the deadline of a key.
    pub(crate) fn cancel(&mut self, key: &K) {
        if let Some(place) = self.by_key.remove(key) {
            self.by_time.remove(&place);
        }
    }

    /// Takes the earliest key that is due.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<K> {
        let (place, _) = self.by_time.first_key_value()?;
        if place.0 > now {
            return None;
        }
        let (_, key) = self.by_time.pop_first()?;
        self.by_key.remove(&key);
        Some(key)
    }

    /// The earliest deadline.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.by_time.first_key_value().map(|((at, _), _)| *at)
    }

    /// How many deadlines of a kind are set.
    pub(crate) fn count(&self, counts: impl Fn(&K) -> bool) -> usize {
        self.by_time.values().filter(|key| counts(key)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock;

    #[test]
    fn deadlines_come_in_order_and_only_when_due() {
        let start = clock::monotonic_now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut table = Deadlines::new();
        table.set("late", at(30));
        table.set("first", at(10));
        table.set("second", at(10));
        table.set("gone", at(5));
        table.cancel(&"gone");
        table.set("late", at(20));
        assert_eq!(table.next(), Some(at(10)));
        assert_eq!(table.pop_due(at(9)), None);
        assert_eq!(table.pop_due(at(10)), Some("first"));
        assert_eq!(table.pop_due(at(10)), Some("second"));
        assert_eq!(table.pop_due(at(10)), None);
        assert!(table.contains(&"late"));
        assert_eq!(table.pop_due(at(25)), Some("late"));
        assert_eq!((table.count(|_| true), table.next()), (0, None));
    }
}
