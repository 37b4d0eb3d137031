//! The order of the hosts of one service (RFC 2782, "Usage rules").

use crate::base::random::Random;
use crate::net::locate::Srv;

/// Puts hosts into the order in which they are tried: by priority, and within one priority by
/// drawing lots according to the weights.
///
/// The same records give the same order from the same random numbers, however the answer had them
/// mixed.
pub(crate) fn in_order(mut records: Vec<Srv>, random: &mut dyn Random) -> Vec<Srv> {
    // Hosts of weight 0 stand first, so that they have a small chance of being drawn.
    records.sort_by(|a, b| {
        (a.priority, a.weight, &a.target, a.port).cmp(&(b.priority, b.weight, &b.target, b.port))
    });
    records.dedup();
    let mut ordered = Vec::with_capacity(records.len());
    while let Some(priority) = records.first().map(|record| record.priority) {
        let end = records.partition_point(|record| record.priority == priority);
        let mut group: Vec<Srv> = records.drain(..end).collect();
        while !group.is_empty() {
            let drawn = draw(&group, random);
            ordered.push(group.remove(drawn));
        }
    }
    ordered
}

/// The index of the first host whose running sum of weights reaches a number between 0 and the sum
/// of all, both included.
fn draw(group: &[Srv], random: &mut dyn Random) -> usize {
    let total: u64 = group.iter().map(|record| u64::from(record.weight)).sum();
    let lot = random.next_u64() % (total + 1);
    let mut sum = 0;
    group
        .iter()
        .position(|record| {
            sum += u64::from(record.weight);
            sum >= lot
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::base::random::SeededRandom;

    fn srv(priority: u16, weight: u16, target: &str) -> Srv {
        Srv {
            priority,
            weight,
            port: 5060,
            target: target.to_owned(),
        }
    }

    fn names(records: Vec<Srv>, seed: u64) -> Vec<String> {
        in_order(records, &mut SeededRandom::new(seed))
            .into_iter()
            .map(|record| record.target)
            .collect()
    }

    #[test]
    fn the_lowest_priority_comes_first_whatever_the_weights() {
        let records = vec![srv(20, 1000, "b"), srv(10, 0, "a"), srv(30, 5, "c")];
        for seed in 0..100 {
            assert_eq!(names(records.clone(), seed), ["a", "b", "c"]);
        }
    }

    #[test]
    fn hosts_of_one_priority_come_first_in_the_share_of_their_weights() {
        let records = vec![srv(1, 60, "big"), srv(1, 30, "small"), srv(1, 10, "tiny")];
        let mut first = BTreeMap::new();
        for seed in 0..10_000 {
            *first
                .entry(names(records.clone(), seed).remove(0))
                .or_insert(0_u32) += 1;
        }
        for (name, share) in [("big", 6000), ("small", 3000), ("tiny", 1000)] {
            let seen = first[name];
            assert!(seen.abs_diff(share) < 250, "{name}: {seen} of 10000");
        }
    }

    #[test]
    fn a_host_without_weight_is_drawn_seldom_but_never_lost() {
        let records = vec![srv(1, 99, "main"), srv(1, 0, "spare")];
        let spare_first = (0..10_000)
            .filter(|seed| names(records.clone(), *seed)[0] == "spare")
            .count();
        assert!((50..200).contains(&spare_first), "{spare_first}");
        assert!((0..100).all(|seed| names(records.clone(), seed).len() == 2));
        // Only hosts without weight: each may be first.
        let all_zero: Vec<Srv> = ["a", "b"].map(|name| srv(1, 0, name)).into();
        assert_eq!(names(all_zero, 1).len(), 2);
    }

    #[test]
    fn the_order_of_the_answer_does_not_matter() {
        let mut records = vec![
            srv(1, 5, "a"),
            srv(1, 5, "b"),
            srv(1, 5, "c"),
            srv(2, 0, "d"),
        ];
        let once = names(records.clone(), 7);
        records.reverse();
        assert_eq!(names(records, 7), once);
    }
}
