//! Which pair is used (RFC 8445 section 8.1), and whether the far end still wants what goes over it (RFC
//! 7675).

use std::net::SocketAddr;
use std::time::Instant;

use super::{Agent, AgentEvent, Chosen, PATIENCE};
use crate::base::random::Random;
use crate::media::transport::ice::consent::{Asked, Consent};
use crate::media::transport::ice::pair::{PairState, Way};
use crate::media::transport::ice::stun::{Class, Stun};
use crate::sdp::ice::RTP;

impl Agent {
    /// The controlling side chooses (section 8.1.1).
    pub(super) fn nominate(&mut self, now: Instant) {
        self.patience = None;
        if !self.controlling || self.completed {
            return;
        }
        for (component, since) in self.valid_since.clone() {
            let nominating = self
                .list
                .pairs()
                .iter()
                .any(|pair| pair.nominated && pair.way.component == component);
            let Some(best) = self.best_valid(component) else {
                continue;
            };
            if nominating || self.is_chosen(component) {
                continue;
            }
            let priority = self.list.get(best).map(|pair| pair.priority(true));
            let better = self.list.pairs().iter().any(|pair| {
                pair.way.component == component
                    && pair.is_open()
                    && Some(pair.priority(true)) > priority
            });
            if better && now < since + PATIENCE {
                self.patience = Some(since + PATIENCE);
                continue;
            }
            if let Some(pair) = self.list.get_mut(best) {
                pair.nominated = true;
            }
            self.list.trigger(best);
            self.next_check = self.next_check.or(Some(now));
        }
    }

    /// Uses a pair; of several that were nominated the best one.
    pub(super) fn choose(&mut self, now: Instant, random: &mut dyn Random, place: usize) {
        let controlling = self.controlling;
        let Some(pair) = self.list.get(place) else {
            return;
        };
        let (component, priority) = (pair.way.component, pair.priority(controlling));
        if let Some(chosen) = self.chosen.iter().find(|it| it.component == component) {
            let current = self.list.get(chosen.pair);
            if chosen.pair == place || current.is_some_and(|it| it.priority(controlling) > priority)
            {
                return;
            }
        }
        tracing::debug!(remote = %pair.remote.address, relayed = pair.way.relayed, component, "ICE pair chosen");
        self.chosen.retain(|it| it.component != component);
        self.chosen.push(Chosen {
            component,
            pair: place,
            consent: Consent::begin(now, random),
        });
        self.events.push_back(AgentEvent::Selected(component));
        let all = self
            .bases
            .iter()
            .all(|base| self.is_chosen(base.way.component));
        if all && !self.completed {
            self.completed = true;
            self.events.push_back(AgentEvent::Completed);
        }
    }

    pub(super) fn is_chosen(&self, component: u8) -> bool {
        self.chosen.iter().any(|it| it.component == component)
    }

    pub(super) fn best_valid(&self, component: u8) -> Option<usize> {
        let pairs = self.list.pairs().iter().enumerate();
        let valid = pairs
            .filter(|(_, it)| it.state == PairState::Succeeded && it.way.component == component);
        valid
            .max_by_key(|(_, pair)| pair.priority(self.controlling))
            .map(|(place, _)| place)
    }

    pub(super) fn ask_consent(&mut self, now: Instant, random: &mut dyn Random) {
        if self.over {
            return;
        }
        let mut questions = Vec::new();
        let mut expired = Vec::new();
        for chosen in &mut self.chosen {
            match chosen.consent.poll(now, random) {
                Asked::Nothing => {}
                Asked::Ask(id) => questions.push((id, chosen.pair)),
                Asked::Expired => expired.push(chosen.component),
            }
        }
        for (id, pair) in questions {
            let Some((way, to)) = self.list.get(pair).map(|it| (it.way, it.remote.address)) else {
                continue;
            };
            if let Some(bytes) = self.write_check(id, way, false) {
                self.transmit(way, to, bytes);
            }
        }
        if expired.contains(&RTP) {
            self.end(AgentEvent::ConsentLost, "the far end answers no longer");
        } else {
            self.chosen.retain(|it| !expired.contains(&it.component));
        }
    }

    pub(super) fn take_consent(
        &mut self,
        now: Instant,
        way: Way,
        from: SocketAddr,
        message: &Stun,
    ) {
        let id = message.id();
        if message.class() != Class::Success {
            return;
        }
        for chosen in &mut self.chosen {
            let pair = self.list.get(chosen.pair);
            if chosen.consent.asked(id) && pair.is_some_and(|it| it.joins(way, from)) {
                chosen.consent.given(now, id);
            }
        }
    }
}
