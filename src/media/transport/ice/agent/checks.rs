//! When checks are sent, and what they say (RFC 8445 sections 6.1.4.2 and 7.2.2).

use std::time::Instant;

use rtc::stun::attributes::{
    ATTR_ICE_CONTROLLED, ATTR_ICE_CONTROLLING, ATTR_PRIORITY, ATTR_USE_CANDIDATE, ATTR_USERNAME,
};
use rtc::stun::message::METHOD_BINDING;

use super::{Agent, Check, MAX_CHECKS, TA};
use crate::base::random::Random;
use crate::media::transport::ice::pair::{PairState, Way};
use crate::media::transport::ice::stun::{Class, Id, Writing};
use crate::media::transport::ice::transaction::{Due, RTO, Retransmission};
use crate::sdp::CandidateKind;

impl Agent {
    pub(super) fn check_next(&mut self, now: Instant, random: &mut dyn Random) {
        let chosen: Vec<u8> = self.chosen.iter().map(|it| it.component).collect();
        let open = |component: u8| !chosen.contains(&component);
        let next = self.list.next(self.controlling, open);
        self.next_check = None;
        if let Some((place, _)) = next {
            self.check(now, random, place);
            self.next_check = Some(now + TA);
        }
        if !self.list.has_work(open) {
            self.next_check = self.next_check.filter(|_| next.is_some());
        }
    }

    pub(super) fn check(&mut self, now: Instant, random: &mut dyn Random, place: usize) {
        let count = u32::try_from(self.list.busy()).unwrap_or(u32::MAX).max(1);
        let Some(pair) = self.list.get_mut(place) else {
            return;
        };
        if pair.state != PairState::Succeeded {
            pair.state = PairState::InProgress;
        }
        let (way, to) = (pair.way, pair.remote.address);
        let nominates = pair.nominated && self.controlling;
        let mut id = Id::default();
        random.fill(&mut id);
        let Some(bytes) = self.write_check(id, way, nominates) else {
            return;
        };
        if self.checks.len() < MAX_CHECKS {
            self.checks.push(Check {
                id,
                pair: place,
                clock: Retransmission::begin(now, RTO.max(TA * count)),
                bytes: bytes.clone(),
                nominates,
                controlling: self.controlling,
                superseded: false,
            });
        }
        self.transmit(way, to, bytes);
    }

    pub(super) fn write_check(&self, id: Id, way: Way, nominates: bool) -> Option<Vec<u8>> {
        let remote = self.remote.as_ref()?;
        let name = format!("{}:{}", remote.fragment(), self.local.fragment());
        let local = u16::from(!way.relayed) * u16::MAX;
        let priority = CandidateKind::PeerReflexive.priority(way.component, local);
        let role = if self.controlling {
            ATTR_ICE_CONTROLLING
        } else {
            ATTR_ICE_CONTROLLED
        };
        let mut writing = Writing::new(Class::Request, METHOD_BINDING, id)
            .add(ATTR_USERNAME, name.as_bytes())
            .add(ATTR_PRIORITY, &priority.to_be_bytes())
            .add(role, &self.tie_breaker.to_be_bytes());
        if nominates {
            writing = writing.add(ATTR_USE_CANDIDATE, &[]);
        }
        let key = remote.password().as_bytes();
        Some(writing.by(key).finish_with_fingerprint())
    }

    pub(super) fn repeat(&mut self, now: Instant) {
        let mut again = Vec::new();
        let mut silent = Vec::new();
        for (at, check) in self.checks.iter_mut().enumerate() {
            match check.clock.poll(now) {
                Due::Later => {}
                Due::Again if check.superseded => {}
                Due::Again => again.push((check.pair, check.bytes.clone())),
                Due::TimedOut => silent.push(at),
            }
        }
        for (pair, bytes) in again {
            if let Some((way, to)) = self.list.get(pair).map(|it| (it.way, it.remote.address)) {
                self.transmit(way, to, bytes);
            }
        }
        for at in silent.into_iter().rev() {
            let check = self.checks.swap_remove(at);
            self.fail(&check, None);
        }
    }
}
