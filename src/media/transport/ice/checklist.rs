//! The check list of a stream: which pair is checked next (RFC 8445 sections 6.1.2 and 6.1.4.2).

use std::collections::VecDeque;

use crate::media::transport::ice::pair::{Base, Pair, PairState};
use crate::sdp::Candidate;

/// Pairs of a list (section 6.1.2.5).
pub(super) const MAX_PAIRS: usize = 100;

/// The list. Pairs keep their places in it.
#[derive(Debug, Default)]
pub(super) struct CheckList {
    pairs: Vec<Pair>,
    triggered: VecDeque<usize>,
}

impl CheckList {
    /// Forms the pairs, the best ones where there are too many, and lets the first of each foundation
    /// begin.
    pub(super) fn form(bases: &[Base], remotes: &[Candidate], controlling: bool) -> Self {
        let all = bases
            .iter()
            .flat_map(|base| remotes.iter().filter_map(|remote| Pair::new(base, remote)));
        let mut pairs: Vec<Pair> = all.collect();
        pairs.sort_by_key(|pair| std::cmp::Reverse(pair.priority(controlling)));
        let mut formed: Vec<Pair> = Vec::new();
        for pair in pairs {
            let known = formed
                .iter()
                .any(|it| it.joins(pair.way, pair.remote.address));
            if !known && formed.len() < MAX_PAIRS {
                formed.push(pair);
            }
        }
        for place in 0..formed.len() {
            let (before, rest) = formed.split_at_mut(place);
            if let Some(pair) = rest.first_mut()
                && !before.iter().any(|it| it.is_founded_like(pair))
            {
                pair.state = PairState::Waiting;
            }
        }
        Self {
            pairs: formed,
            triggered: VecDeque::new(),
        }
    }

    /// Adds a pair that was found by a check of the far end; gives its place, while there is room.
    pub(super) fn add(&mut self, pair: Pair) -> Option<usize> {
        (self.pairs.len() < MAX_PAIRS).then(|| {
            self.pairs.push(pair);
            self.pairs.len() - 1
        })
    }

    /// Lets a pair be checked before all others, once.
    pub(super) fn trigger(&mut self, place: usize) {
        if let Some(pair) = self.pairs.get_mut(place)
            && !self.triggered.contains(&place)
        {
            if pair.state != PairState::Succeeded {
                pair.state = PairState::Waiting;
            }
            self.triggered.push_back(place);
        }
    }

    /// The pair that is checked next, with whether it was triggered; `open` says of which components.
    pub(super) fn next(
        &mut self,
        controlling: bool,
        open: impl Fn(u8) -> bool,
    ) -> Option<(usize, bool)> {
        if let Some(place) = self.triggered.pop_front() {
            return Some((place, true));
        }
        let best = |list: &Self, state: PairState| {
            let pairs = list.pairs.iter().enumerate();
            let of_state = pairs.filter(|(_, it)| it.state == state && open(it.way.component));
            of_state
                .max_by_key(|(_, pair)| pair.priority(controlling))
                .map(|(place, _)| place)
        };
        if let Some(place) = best(self, PairState::Waiting) {
            return Some((place, false));
        }
        // A frozen one whose foundation nobody else is busy with.
        let place = self
            .pairs
            .iter()
            .enumerate()
            .filter(|(_, it)| it.state == PairState::Frozen && open(it.way.component))
            .filter(|(_, it)| {
                let mut others = self.pairs.iter();
                !others.any(|o| o.state == PairState::InProgress && o.is_founded_like(it))
            })
            .max_by_key(|(_, pair)| pair.priority(controlling))
            .map(|(place, _)| place)?;
        Some((place, false))
    }

    /// Whether something is left to be checked.
    pub(super) fn has_work(&self, open: impl Fn(u8) -> bool) -> bool {
        let mut pairs = self.pairs.iter();
        !self.triggered.is_empty()
            || pairs.any(|it| {
                matches!(it.state, PairState::Waiting | PairState::Frozen) && open(it.way.component)
            })
    }

    /// A check of it was answered: others of its foundation may begin (section 7.2.5.3.3).
    pub(super) fn succeed(&mut self, place: usize) {
        let Some(pair) = self.pairs.get_mut(place) else {
            return;
        };
        pair.state = PairState::Succeeded;
        let like = pair.clone();
        for other in &mut self.pairs {
            if other.state == PairState::Frozen && other.is_founded_like(&like) {
                other.state = PairState::Waiting;
            }
        }
    }

    /// The pairs.
    pub(super) fn pairs(&self) -> &[Pair] {
        &self.pairs
    }

    /// One of them.
    pub(super) fn get(&self, place: usize) -> Option<&Pair> {
        self.pairs.get(place)
    }

    /// One of them, to be changed.
    pub(super) fn get_mut(&mut self, place: usize) -> Option<&mut Pair> {
        self.pairs.get_mut(place)
    }

    /// How many checks are under way or to come, for the timeout of a new one (section 14.3).
    pub(super) fn busy(&self) -> usize {
        let active =
            |pair: &&Pair| matches!(pair.state, PairState::Waiting | PairState::InProgress);
        self.pairs.iter().filter(active).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::transport::ice::pair::Way;
    use crate::sdp::CandidateKind;

    fn candidate(component: u8, port: u16, kind: CandidateKind) -> Candidate {
        Candidate {
            foundation: kind.word().to_owned(),
            component,
            priority: kind.priority(component, 65_535),
            address: ([192, 0, 2, 1], port).into(),
            kind,
            related: None,
        }
    }

    fn bases() -> Vec<Base> {
        let of = |component: u8, relayed: bool| Base {
            way: Way { component, relayed },
            candidate: candidate(
                component,
                u16::from(component),
                if relayed {
                    CandidateKind::Relayed
                } else {
                    CandidateKind::Host
                },
            ),
        };
        vec![of(1, false), of(2, false), of(1, true), of(2, true)]
    }

    fn remotes() -> Vec<Candidate> {
        [CandidateKind::Host, CandidateKind::Relayed]
            .into_iter()
            .flat_map(|kind| {
                let port = if kind == CandidateKind::Host { 10 } else { 20 };
                [candidate(1, port, kind), candidate(2, port + 1, kind)]
            })
            .collect()
    }

    #[test]
    fn the_first_of_each_foundation_begins_and_success_frees_its_like() {
        let mut list = CheckList::form(&bases(), &remotes(), true);
        assert_eq!(list.pairs().len(), 8);
        let waiting = |list: &CheckList| {
            let pairs = list
                .pairs()
                .iter()
                .filter(|it| it.state == PairState::Waiting);
            pairs.map(|it| it.way.component).collect::<Vec<_>>()
        };
        assert_eq!(waiting(&list), [1, 1, 1, 1], "RTP first, four foundations");
        let (first, triggered) = list.next(true, |_| true).unwrap();
        assert_eq!((first, triggered), (0, false), "host to host");
        list.succeed(first);
        assert_eq!(waiting(&list), [2, 1, 1, 1], "host to host of RTCP is free");
    }

    #[test]
    fn a_triggered_pair_comes_first_and_once() {
        let mut list = CheckList::form(&bases(), &remotes(), false);
        list.trigger(5);
        list.trigger(5);
        assert_eq!(list.next(false, |_| true), Some((5, true)));
        assert_ne!(list.next(false, |_| true), Some((5, true)));
        assert!(list.has_work(|_| true));
        assert!(!list.has_work(|_| false));
    }

    #[test]
    fn pairs_are_bounded_the_best_stay_and_doubles_are_left_out() {
        let many: Vec<Candidate> = (1..=200)
            .flat_map(|port| [1, 1].map(|it| candidate(it, port, CandidateKind::Host)))
            .collect();
        let mut list = CheckList::form(&bases(), &many, true);
        assert_eq!(list.pairs().len(), MAX_PAIRS);
        assert!(list.pairs().iter().all(|pair| !pair.way.relayed));
        let more = list.pairs()[0].clone();
        assert_eq!(list.add(more), None);
    }

    /// RFC 8445 section 6.1.2.3 by hand.
    #[test]
    fn both_sides_give_a_pair_the_same_priority() {
        let mut low = candidate(1, 7, CandidateKind::Relayed);
        low.priority = 5;
        let base = &bases()[0];
        let pair = Pair::new(base, &low).unwrap();
        let high = u64::from(base.candidate.priority);
        assert_eq!(pair.priority(true), (5 << 32) + 2 * high + 1);
        assert_eq!(pair.priority(false), (5 << 32) + 2 * high);
    }
}
