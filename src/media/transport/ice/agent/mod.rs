//! The connectivity checks of one session of ICE (RFC 8445 sections 7 and 8), sans-IO.
//!
//! A full agent; far ends may be lite. Nomination is regular: the controlling side waits a moment for
//! a better pair and then chooses; a far end that nominates at once (RFC 5245) is understood. What
//! cannot prove that it knows the password is dropped and counted, and changes nothing: no error is
//! sent back, and no role is changed, unlike what section 7.3 asks for.
//!
//! Input: `start`, `handle`, `handle_timeout`. Output: after each of them `poll_transmit` and
//! `poll_event`.

mod checks;
mod nomination;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rtc::stun::attributes::{
    ATTR_ICE_CONTROLLED, ATTR_ICE_CONTROLLING, ATTR_PRIORITY, ATTR_USE_CANDIDATE, ATTR_USERNAME,
    ATTR_XORMAPPED_ADDRESS,
};
use rtc::stun::message::METHOD_BINDING;

use crate::base::random::Random;
use crate::media::transport::ice::checklist::CheckList;
use crate::media::transport::ice::consent::Consent;
use crate::media::transport::ice::pair::{Base, Pair, PairState, Way};
use crate::media::transport::ice::stun::{Class, Id, Stun, Writing};
use crate::media::transport::ice::transaction::Retransmission;
use crate::sdp::ice::{RTCP, RTP};
use crate::sdp::{Candidate, CandidateKind, IceCredentials, IcePlan};

/// Between two checks (section 14.2, Ta).
const TA: Duration = Duration::from_millis(50);
/// How long the controlling side waits for a better pair once it has one.
const PATIENCE: Duration = Duration::from_millis(300);
/// Without a pair for so long there is none. RFC 8863 would wait 39.5 s; a person with the receiver at
/// the ear does not.
const LIMIT: Duration = Duration::from_secs(20);
/// Checks that wait for an answer, superseded ones among them.
const MAX_CHECKS: usize = 256;
/// Checks of the far end that came before its description.
const MAX_EARLY: usize = 16;
/// Datagrams that wait to be polled.
const MAX_WAITING: usize = 256;
/// The attributes of a check that must be understood.
const KNOWN: [rtc::stun::attributes::AttrType; 3] =
    [ATTR_USERNAME, ATTR_PRIORITY, ATTR_USE_CANDIDATE];

/// Something that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AgentEvent {
    /// A pair was chosen for this component.
    Selected(u8),
    /// All components have their pairs.
    Completed,
    /// There is no pair for RTP.
    Failed,
    /// The far end answers no longer.
    ConsentLost,
}

/// A check whose answer is waited for.
struct Check {
    id: Id,
    pair: usize,
    clock: Retransmission,
    bytes: Vec<u8>,
    nominates: bool,
    controlling: bool,
    /// Another check of the same pair took its place: it is not repeated, but may be answered.
    superseded: bool,
}

/// What an authentic check of the far end tells.
struct Told {
    way: Way,
    from: SocketAddr,
    priority: u32,
    nominates: bool,
}

/// The pair of one component that is used.
struct Chosen {
    component: u8,
    pair: usize,
    consent: Consent,
}

/// The agent.
pub(super) struct Agent {
    local: IceCredentials,
    remote: Option<IceCredentials>,
    controlling: bool,
    tie_breaker: u64,
    bases: Vec<Base>,
    list: CheckList,
    checks: Vec<Check>,
    chosen: Vec<Chosen>,
    /// Checks of the far end that came before its description.
    early: Vec<Told>,
    started: Option<Instant>,
    /// When the next check may go.
    next_check: Option<Instant>,
    /// When the first pair of a component became valid.
    valid_since: Vec<(u8, Instant)>,
    /// Until when a better pair is waited for.
    patience: Option<Instant>,
    over: bool,
    completed: bool,
    transmits: VecDeque<(Way, SocketAddr, Vec<u8>)>,
    events: VecDeque<AgentEvent>,
    dropped: u64,
}

impl Agent {
    /// An agent that answers checks, and waits for the far end's description.
    pub(super) fn new(random: &mut dyn Random, local: IceCredentials, bases: Vec<Base>) -> Self {
        Self {
            local,
            remote: None,
            controlling: false,
            tie_breaker: random.next_u64(),
            bases,
            list: CheckList::default(),
            checks: Vec::new(),
            chosen: Vec::new(),
            early: Vec::new(),
            started: None,
            next_check: None,
            valid_since: Vec::new(),
            patience: None,
            over: false,
            completed: false,
            transmits: VecDeque::new(),
            events: VecDeque::new(),
            dropped: 0,
        }
    }

    /// Takes the far end's description and begins.
    pub(super) fn start(
        &mut self,
        now: Instant,
        random: &mut dyn Random,
        plan: &IcePlan,
        mux: bool,
    ) {
        let has_rtcp = plan.candidates.iter().any(|it| it.component == RTCP);
        if mux || !has_rtcp {
            self.bases.retain(|base| base.way.component == RTP);
        }
        self.remote = Some(plan.remote.clone());
        self.controlling = plan.controlling;
        self.list = CheckList::form(&self.bases, &plan.candidates, plan.controlling);
        self.started = Some(now);
        self.next_check = Some(now);
        for early in std::mem::take(&mut self.early) {
            self.learn(now, random, &early);
        }
    }

    /// Takes a datagram; says whether it is one of this session.
    pub(super) fn handle(
        &mut self,
        now: Instant,
        random: &mut dyn Random,
        way: Way,
        from: SocketAddr,
        message: &mut Stun,
    ) -> bool {
        if message.method() != METHOD_BINDING {
            return false;
        }
        match message.class() {
            Class::Request => self.handle_check(now, random, way, from, message),
            Class::Success | Class::Error => self.handle_answer(now, random, way, from, message),
            // A keepalive (section 11); nothing is to be done.
            Class::Indication => true,
        }
    }

    /// Does what time asks for.
    pub(super) fn handle_timeout(&mut self, now: Instant, random: &mut dyn Random) {
        self.repeat(now);
        self.ask_consent(now, random);
        let Some(started) = self.started.filter(|_| !self.over) else {
            return;
        };
        self.nominate(now);
        if self.next_check.is_some_and(|next| now >= next) {
            self.check_next(now, random);
        }
        if now >= started + LIMIT && self.path(RTP).is_none() {
            self.end(AgentEvent::Failed, "no pair works");
        }
    }

    /// The next datagram to send: from where, to where.
    pub(super) fn poll_transmit(&mut self) -> Option<(Way, SocketAddr, Vec<u8>)> {
        self.transmits.pop_front()
    }

    /// The next thing that happened.
    pub(super) fn poll_event(&mut self) -> Option<AgentEvent> {
        self.events.pop_front()
    }

    /// By what our checks are known.
    pub(super) fn local(&self) -> &IceCredentials {
        &self.local
    }

    /// By what the far end's checks are known.
    pub(super) fn remote(&self) -> Option<&IceCredentials> {
        self.remote.as_ref()
    }

    /// The pair that media of a component takes: the chosen one, or until then the best valid one
    /// (section 12.1).
    pub(super) fn path(&self, component: u8) -> Option<&Pair> {
        if self.over {
            return None;
        }
        let chosen = self.chosen.iter().find(|it| it.component == component);
        match chosen {
            Some(chosen) => self.list.get(chosen.pair),
            None => self.best_valid(component).and_then(|it| self.list.get(it)),
        }
    }

    /// The pair that was chosen for a component.
    pub(super) fn selected(&self, component: u8) -> Option<&Pair> {
        let chosen = self.chosen.iter().find(|it| it.component == component)?;
        self.list.get(chosen.pair)
    }

    /// Whether the far end has proven that it sends from there.
    pub(super) fn is_proven(&self, way: Way, from: SocketAddr) -> bool {
        let mut pairs = self.list.pairs().iter();
        !self.over && pairs.any(|pair| pair.proven && pair.joins(way, from))
    }

    /// Datagrams that were dropped because nobody proved them.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// When something is due.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let checks = self.checks.iter().map(|check| check.clock.next());
        let consent = self.chosen.iter().map(|it| it.consent.next_timeout());
        let running = self.started.filter(|_| !self.over);
        let limit = running.map(|started| started + LIMIT);
        let limit = limit.filter(|_| self.path(RTP).is_none());
        let next = self.next_check.filter(|_| running.is_some());
        let patience = self.patience.filter(|_| running.is_some());
        let live = checks.chain(consent).filter(|_| !self.over);
        live.chain(limit).chain(next).chain(patience).min()
    }

    fn handle_check(
        &mut self,
        now: Instant,
        random: &mut dyn Random,
        way: Way,
        from: SocketAddr,
        message: &mut Stun,
    ) -> bool {
        let name = message.text(ATTR_USERNAME).unwrap_or_default();
        let Some((ours, theirs)) = name.split_once(':') else {
            self.dropped += 1;
            return false;
        };
        let expected = self
            .remote
            .as_ref()
            .is_none_or(|it| it.fragment() == theirs);
        if ours != self.local.fragment() || !expected {
            self.dropped += 1;
            return false;
        }
        let Some(priority) = message.number(ATTR_PRIORITY) else {
            self.dropped += 1;
            return true;
        };
        if self.over || !message.is_by(self.local.password().as_bytes()) {
            self.dropped += 1;
            return true;
        }
        if message.asks_more_than(&KNOWN) {
            self.answer(way, from, message, Some(420));
            return true;
        }
        if self.started.is_some() && self.is_in_conflict(message) {
            self.answer(way, from, message, Some(487));
            return true;
        }
        self.answer(way, from, message, None);
        let told = Told {
            way,
            from,
            priority,
            nominates: message.get(ATTR_USE_CANDIDATE).is_some(),
        };
        if self.started.is_some() {
            self.learn(now, random, &told);
        } else if self.early.len() < MAX_EARLY {
            self.early.push(told);
        }
        true
    }

    /// Repairs a conflict of roles (section 7.3.1.1); says whether it is the far end that must change.
    fn is_in_conflict(&mut self, message: &Stun) -> bool {
        let same = if self.controlling {
            ATTR_ICE_CONTROLLING
        } else {
            ATTR_ICE_CONTROLLED
        };
        let Some(theirs) = message.long_number(same) else {
            return false;
        };
        let ours_is_larger = self.tie_breaker >= theirs;
        // The larger one controls.
        if ours_is_larger == self.controlling {
            return true;
        }
        self.switch_role("the far end has the same");
        false
    }

    fn switch_role(&mut self, reason: &str) {
        let word = |controlling: bool| {
            if controlling {
                "controlling"
            } else {
                "controlled"
            }
        };
        let (old, new) = (word(self.controlling), word(!self.controlling));
        tracing::debug!("ICE role {old} -> {new}: {reason}");
        self.controlling = !self.controlling;
        // Who chose in the other role has no say any more.
        for place in 0..self.list.pairs().len() {
            if let Some(pair) = self.list.get_mut(place) {
                pair.nominated = false;
            }
        }
    }

    fn answer(&mut self, way: Way, to: SocketAddr, message: &Stun, error: Option<u16>) {
        let class = if error.is_some() {
            Class::Error
        } else {
            Class::Success
        };
        let writing = Writing::new(class, METHOD_BINDING, message.id());
        let writing = match error {
            Some(code) => writing.error(code),
            None => writing.address(ATTR_XORMAPPED_ADDRESS, to),
        };
        let key = self.local.password().as_bytes();
        let bytes = writing.by(key).finish_with_fingerprint();
        self.transmit(way, to, bytes);
    }

    /// A check of the far end was answered: the pair is checked in turn (section 7.3.1.4).
    fn learn(&mut self, now: Instant, random: &mut dyn Random, told: &Told) {
        let (way, from) = (told.way, told.from);
        let known = self.list.pairs().iter().position(|it| it.joins(way, from));
        let Some(place) = known.or_else(|| self.discover(way, from, told.priority)) else {
            return;
        };
        let Some(pair) = self.list.get_mut(place) else {
            return;
        };
        pair.proven = true;
        pair.nominated |= told.nominates && !self.controlling;
        match pair.state {
            PairState::Succeeded => {
                if pair.nominated && !self.controlling {
                    self.choose(now, random, place);
                }
            }
            PairState::Frozen | PairState::Waiting | PairState::InProgress | PairState::Failed => {
                for check in self.checks.iter_mut().filter(|check| check.pair == place) {
                    check.superseded = true;
                }
                self.list.trigger(place);
                self.next_check = self.next_check.or(Some(now));
            }
        }
    }

    /// A pair with an address that no description told (section 7.3.1.3).
    fn discover(&mut self, way: Way, from: SocketAddr, priority: u32) -> Option<usize> {
        let base = self.bases.iter().find(|base| base.way == way)?;
        let told = self.list.pairs().iter().map(|pair| &pair.remote);
        let mut told = told.filter(|it| it.address == from && it.component == way.component);
        let remote = told.next().cloned().unwrap_or_else(|| Candidate {
            foundation: format!("prflx{from}"),
            component: way.component,
            priority: priority.max(1),
            address: from,
            kind: CandidateKind::PeerReflexive,
            related: None,
        });
        let pair = Pair::new(base, &remote)?;
        self.list.add(pair)
    }

    fn handle_answer(
        &mut self,
        now: Instant,
        random: &mut dyn Random,
        way: Way,
        from: SocketAddr,
        message: &mut Stun,
    ) -> bool {
        let id = message.id();
        let place = self.checks.iter().position(|check| check.id == id);
        let consents = self.chosen.iter().any(|it| it.consent.asked(id));
        if place.is_none() && !consents {
            self.dropped += 1;
            return false;
        }
        let key = self.remote.as_ref().map(IceCredentials::password);
        if !key.is_some_and(|key| message.is_by(key.as_bytes())) {
            self.dropped += 1;
            return true;
        }
        let Some(check) = place.map(|place| self.checks.swap_remove(place)) else {
            self.take_consent(now, way, from, message);
            return true;
        };
        let asked = self
            .list
            .get(check.pair)
            .is_some_and(|it| it.joins(way, from));
        let mapped = message.address(ATTR_XORMAPPED_ADDRESS);
        match (message.class(), message.error(), mapped) {
            (Class::Success, _, Some(mapped)) if asked => {
                self.succeed(now, random, &check, mapped);
            }
            (Class::Error, Some(487), _) if asked => {
                if check.controlling == self.controlling {
                    self.switch_role("the far end says so");
                    self.tie_breaker = random.next_u64();
                }
                self.list.trigger(check.pair);
                self.next_check = self.next_check.or(Some(now));
            }
            // From elsewhere (section 7.2.5.2.1), or refused.
            (_, error, _) => self.fail(&check, error),
        }
        true
    }

    fn succeed(
        &mut self,
        now: Instant,
        random: &mut dyn Random,
        check: &Check,
        mapped: SocketAddr,
    ) {
        self.list.succeed(check.pair);
        for other in self.checks.iter_mut().filter(|it| it.pair == check.pair) {
            other.superseded |= !other.nominates;
        }
        let Some(pair) = self.list.get_mut(check.pair) else {
            return;
        };
        pair.proven = true;
        pair.mapped = Some(mapped);
        let component = pair.way.component;
        let nominated = pair.nominated && (check.nominates || !self.controlling);
        if self
            .valid_since
            .iter()
            .all(|(known, _)| *known != component)
        {
            self.valid_since.push((component, now));
        }
        if nominated {
            self.choose(now, random, check.pair);
        }
        self.nominate(now);
    }

    fn fail(&mut self, check: &Check, error: Option<u16>) {
        if check.superseded && error.is_none() {
            return;
        }
        if let Some(pair) = self.list.get_mut(check.pair) {
            tracing::debug!(remote = %pair.remote.address, ?error, "a pair failed");
            // A pair that worked and cannot be chosen is not chosen again.
            if pair.state != PairState::Succeeded || check.nominates {
                pair.state = PairState::Failed;
                pair.nominated = false;
            }
        }
    }

    fn end(&mut self, event: AgentEvent, reason: &str) {
        tracing::debug!("ICE ended: {reason}");
        self.over = true;
        self.checks.clear();
        self.events.push_back(event);
    }

    fn transmit(&mut self, way: Way, to: SocketAddr, bytes: Vec<u8>) {
        if self.transmits.len() < MAX_WAITING {
            self.transmits.push_back((way, to, bytes));
        }
    }
}
