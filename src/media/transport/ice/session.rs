//! ICE of one call, sans-IO: it gathers candidates, checks pairs, and carries media over the one that
//! was chosen.
//!
//! It stands between the sockets and the call's media. Input: `handle` (a datagram; it gives back what
//! is media), `send` (media), `apply`, `handle_timeout`, `close`. Output: after each of them
//! `poll_transmit` and `poll_event` until they are empty; then `next_timeout`.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::base::random::Random;
use crate::media::transport::Kind;
use crate::media::transport::ice::agent::{Agent, AgentEvent};
use crate::media::transport::ice::gathering::{IceServers, Socket};
use crate::media::transport::ice::pair::{Base, Way};
use crate::media::transport::ice::stun::Stun;
use crate::media::transport::ice::turn::{Carried, TurnClient, TurnFault};
use crate::sdp::ice::{RTCP, RTP, Settled};
use crate::sdp::{Candidate, IceCredentials, IcePlan, MediaPlan};

/// How long a call waits for the servers before it goes on with what is known.
const GATHERING: Duration = Duration::from_millis(500);
/// The same where without the relay there is nothing: six requests are sent meanwhile.
const GATHERING_RELAY_ONLY: Duration = Duration::from_secs(3);
/// Datagrams and events that wait to be polled.
const MAX_WAITING: usize = 256;

/// Why a call has no path to its far end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IceFault {
    /// No pair of candidates works.
    #[error(
        "no way was found to the far end's sound (ICE): every address of both sides was tried; a TURN server in the account gets through most firewalls"
    )]
    NoPath,
    /// The far end answers no longer.
    #[error(
        "the far end has not answered for 30 s on the way that its sound took (ICE); its network or ours has changed"
    )]
    ConsentLost,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IceEvent {
    /// What our side can offer is known.
    Gathered {
        /// The candidates, the default one of each component first; none where there is no relay and
        /// nothing else is allowed.
        candidates: Vec<Candidate>,
        /// Why there is no relay, where there should be one.
        problem: Option<TurnFault>,
    },
    /// Media of a component goes there from now on, or nowhere.
    Path(u8, Option<SocketAddr>),
    /// All components have their pairs.
    Settled(Vec<Settled>),
    /// There is no path.
    Failed(IceFault),
}

/// A datagram to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IceTransmit {
    /// From which component's socket.
    pub component: u8,
    /// Where to.
    pub to: SocketAddr,
    /// What.
    pub bytes: Vec<u8>,
}

/// Media that came.
#[derive(Debug, PartialEq, Eq)]
pub struct Media<'d> {
    /// For which component.
    pub component: u8,
    /// Of whom. Once `IceEvent::Path` was polled, the far address that it told, whichever proven one it
    /// came from.
    pub from: SocketAddr,
    /// What.
    pub bytes: Cow<'d, [u8]>,
}

/// What the call's media does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Nothing is agreed.
    Waiting,
    /// Checks say where media goes.
    Checked,
    /// The far end has no ICE: media goes where its description says, by the relay where that is the
    /// address that ours said.
    Unchecked,
}

/// The session.
pub struct IceSession {
    random: Box<dyn Random>,
    local: IceCredentials,
    sockets: Vec<Socket>,
    relay_only: bool,
    /// Until when the servers are waited for.
    gathering: Option<Instant>,
    agent: Option<Agent>,
    /// The session before a restart: media takes its path until there is a new one (RFC 8445 section
    /// 9).
    former: Option<Agent>,
    mode: Mode,
    /// What waits to be told, or was.
    paths: [Option<SocketAddr>; 2],
    /// What was told last.
    told: [Option<SocketAddr>; 2],
    transmits: VecDeque<IceTransmit>,
    events: VecDeque<IceEvent>,
    dropped: u64,
}

impl IceSession {
    /// Begins to gather, for the sockets of RTP and RTCP.
    pub fn begin(
        now: Instant,
        mut random: Box<dyn Random>,
        servers: &IceServers,
        local: IceCredentials,
        sockets: [SocketAddr; 2],
    ) -> Self {
        let components = [RTP, RTCP].into_iter().zip(sockets);
        let sockets = components
            .map(|(component, address)| {
                Socket::begin(now, random.as_mut(), servers, component, address)
            })
            .collect();
        let patience = if servers.relay_only {
            GATHERING_RELAY_ONLY
        } else {
            GATHERING
        };
        let mut session = Self {
            random,
            local,
            sockets,
            relay_only: servers.relay_only,
            gathering: Some(now + patience),
            agent: None,
            former: None,
            mode: Mode::Waiting,
            paths: [None; 2],
            told: [None; 2],
            transmits: VecDeque::new(),
            events: VecDeque::new(),
            dropped: 0,
        };
        session.look(now);
        session
    }

    /// Takes a plan: begins checks, begins them anew after a restart, or goes without.
    pub fn apply(&mut self, now: Instant, plan: &MediaPlan) {
        match &plan.ice {
            Some(ice) => self.check(now, ice, plan.rtcp_mux),
            None => {
                self.mode = Mode::Unchecked;
                (self.agent, self.former) = (None, None);
                (self.paths, self.told) = ([None; 2], [None; 2]);
                for socket in &mut self.sockets {
                    socket.settle();
                    let remote = match socket.component {
                        RTP => plan.remote_rtp,
                        _ => plan.remote_rtcp,
                    };
                    if let (Some(relay), Some(remote)) = (&mut socket.relay, remote) {
                        relay.permit(now, self.random.as_mut(), remote.ip());
                        relay.bind(now, self.random.as_mut(), remote);
                    }
                }
            }
        }
        self.look(now);
    }

    /// Takes a datagram that came to a socket; gives it back when it is media of the far end.
    pub fn handle<'d>(
        &mut self,
        now: Instant,
        component: u8,
        from: SocketAddr,
        datagram: &'d [u8],
    ) -> Option<Media<'d>> {
        let socket = self
            .sockets
            .iter_mut()
            .find(|it| it.component == component)?;
        let of_servers = socket.handle(now, self.random.as_mut(), from, datagram);
        let (way, from, bytes) = match of_servers {
            Ok(Some(Carried { peer, bytes })) => {
                let relayed = true;
                (Way { component, relayed }, peer, Cow::Owned(bytes))
            }
            Ok(None) => {
                self.look(now);
                return None;
            }
            // Not even a check is answered: the far end would learn the address.
            Err(_) if self.relay_only => {
                self.dropped += 1;
                return None;
            }
            Err(_) => {
                let relayed = false;
                (Way { component, relayed }, from, Cow::Borrowed(datagram))
            }
        };
        let media = match Kind::of(&bytes) {
            Kind::Stun => {
                self.handle_check(now, way, from, &bytes);
                None
            }
            Kind::Rtp | Kind::Rtcp | Kind::Dtls => self.media(way, from, bytes),
            Kind::TurnChannel | Kind::Other => {
                self.dropped += 1;
                None
            }
        };
        self.look(now);
        media
    }

    /// Sends media of a component; without checks to that address, else over the path, where there is
    /// one.
    pub fn send(&mut self, now: Instant, component: u8, to: SocketAddr, bytes: Vec<u8>) {
        let (relayed, to) = match self.mode {
            Mode::Waiting => return,
            Mode::Unchecked => (self.relay_only, to),
            Mode::Checked => {
                let path = self.way(component);
                // What keeps ways open has no octets; the checks do that already.
                let Some((way, to)) = path.filter(|_| !bytes.is_empty()) else {
                    return;
                };
                (way.relayed, to)
            }
        };
        if relayed {
            self.relay(now, component, to, &bytes);
        } else {
            self.transmit(component, to, bytes);
        }
        self.drain_sockets();
    }

    /// Does what time asks for.
    pub fn handle_timeout(&mut self, now: Instant) {
        for socket in &mut self.sockets {
            socket.handle_timeout(now, self.random.as_mut());
        }
        for agent in [&mut self.agent, &mut self.former].into_iter().flatten() {
            agent.handle_timeout(now, self.random.as_mut());
        }
        self.look(now);
    }

    /// Where media of a component goes.
    pub fn remote(&self, component: u8) -> Option<SocketAddr> {
        self.way(component).map(|(_, far)| far)
    }

    /// Whether checks say where media goes.
    pub fn is_checked(&self) -> bool {
        self.mode == Mode::Checked
    }

    /// Gives the relayed addresses back.
    pub fn close(&mut self, now: Instant) {
        for socket in &mut self.sockets {
            if let Some(relay) = &mut socket.relay {
                relay.release(now, self.random.as_mut());
            }
        }
        self.drain_sockets();
    }

    /// The next datagram to send.
    pub fn poll_transmit(&mut self) -> Option<IceTransmit> {
        self.transmits.pop_front()
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<IceEvent> {
        let event = self.events.pop_front();
        if let Some(IceEvent::Path(component, path)) = event
            && let Some(told) = self.told.get_mut(usize::from(component - RTP))
        {
            *told = path;
        }
        event
    }

    /// When something is due.
    pub fn next_timeout(&self) -> Option<Instant> {
        let sockets = self.sockets.iter().filter_map(Socket::next_timeout);
        let agents = [&self.agent, &self.former].into_iter().flatten();
        let agents = agents.filter_map(Agent::next_timeout);
        sockets.chain(agents).chain(self.gathering).min()
    }

    /// Datagrams that came and were of no use: forged, damaged, or of nobody who proved himself.
    pub fn dropped(&self) -> u64 {
        let agents = [&self.agent, &self.former].into_iter().flatten();
        let relays = self.sockets.iter().filter_map(|it| it.relay.as_ref());
        let relays: u64 = relays.map(|it| it.dropped()).sum();
        self.dropped + relays + agents.map(Agent::dropped).sum::<u64>()
    }

    fn check(&mut self, now: Instant, plan: &IcePlan, mux: bool) {
        self.mode = Mode::Checked;
        self.local = plan.local.clone();
        let same = |agent: &Agent| *agent.local() == plan.local;
        let known = self.agent.as_ref().filter(|agent| same(agent));
        let goes_on = match known.map(Agent::remote) {
            Some(Some(remote)) if *remote == plan.remote => return,
            Some(remote) => remote.is_none(),
            None => false,
        };
        if !goes_on {
            let bases = self.bases();
            let agent = Agent::new(self.random.as_mut(), plan.local.clone(), bases);
            let former = self.agent.replace(agent);
            self.former = former.filter(|former| former.path(RTP).is_some());
        }
        for candidate in &plan.candidates {
            let mut sockets = self.sockets.iter_mut();
            let socket = sockets.find(|it| it.component == candidate.component);
            if let Some(relay) = socket.and_then(|socket| socket.relay.as_mut()) {
                relay.permit(now, self.random.as_mut(), candidate.address.ip());
            }
        }
        if let Some(agent) = &mut self.agent {
            agent.start(now, self.random.as_mut(), plan, mux);
        }
    }

    fn handle_check(&mut self, now: Instant, way: Way, from: SocketAddr, bytes: &[u8]) {
        let Some(mut message) = Stun::read(bytes) else {
            self.dropped += 1;
            return;
        };
        for agent in [&mut self.agent, &mut self.former].into_iter().flatten() {
            if agent.handle(now, self.random.as_mut(), way, from, &mut message) {
                return;
            }
        }
    }

    fn media<'d>(&mut self, way: Way, from: SocketAddr, bytes: Cow<'d, [u8]>) -> Option<Media<'d>> {
        let component = way.component;
        let mut agents = [&self.agent, &self.former].into_iter().flatten();
        let from = match self.mode {
            Mode::Waiting => None,
            Mode::Unchecked => Some(from).filter(|_| way.relayed == self.relay_only),
            Mode::Checked => agents
                .any(|agent| agent.is_proven(way, from))
                .then(|| self.told(component).unwrap_or(from)),
        };
        if from.is_none() {
            self.dropped += 1;
        }
        from.map(|from| Media {
            component,
            from,
            bytes,
        })
    }

    /// The path of a component.
    fn way(&self, component: u8) -> Option<(Way, SocketAddr)> {
        let mut agents = [&self.agent, &self.former].into_iter().flatten();
        let pair = agents.find_map(|agent| agent.path(component))?;
        Some((pair.way, pair.remote.address))
    }

    /// The far address of a component's path, as it was told.
    fn told(&self, component: u8) -> Option<SocketAddr> {
        let told = self.told.get(usize::from(component - RTP));
        told.copied().flatten()
    }

    fn bases(&self) -> Vec<Base> {
        self.sockets.iter().flat_map(Socket::bases).collect()
    }

    /// Looks what an input has led to.
    fn look(&mut self, now: Instant) {
        let waiting = self.sockets.iter().any(Socket::is_waiting);
        if self.gathering.is_some_and(|until| !waiting || now >= until) {
            self.gathering = None;
            let relays = self.sockets.iter().filter_map(|it| it.relay.as_ref());
            let silent = |it: &TurnClient| it.is_allocating().then_some(TurnFault::Silent);
            let problem = relays
                .filter_map(|it| it.fault().or_else(|| silent(it)))
                .next();
            let bases = self.bases();
            let agent = Agent::new(self.random.as_mut(), self.local.clone(), bases);
            self.agent = Some(agent);
            self.events.push_back(IceEvent::Gathered {
                candidates: self.sockets.iter().flat_map(Socket::candidates).collect(),
                problem,
            });
        }
        while let Some(event) = self.agent.as_mut().and_then(Agent::poll_event) {
            self.take(now, event);
        }
        // What becomes of the session before a restart concerns nobody.
        while self.former.as_mut().and_then(Agent::poll_event).is_some() {}
        self.drain_agents(now);
        self.drain_sockets();
        if self.mode == Mode::Checked {
            for (component, told) in [RTP, RTCP].into_iter().zip(0..) {
                let path = self.way(component).map(|(_, far)| far);
                if let Some(slot) = self.paths.get_mut::<usize>(told)
                    && *slot != path
                {
                    *slot = path;
                    self.events.push_back(IceEvent::Path(component, path));
                }
            }
        }
    }

    fn take(&mut self, now: Instant, event: AgentEvent) {
        match event {
            AgentEvent::Selected(component) => {
                if component == RTP {
                    self.former = None;
                }
                let agent = self.agent.as_ref();
                let pair = agent.and_then(|agent| agent.selected(component));
                let Some((way, far)) = pair.map(|pair| (pair.way, pair.remote.address)) else {
                    return;
                };
                let mut sockets = self.sockets.iter_mut();
                let socket = sockets.find(|it| it.component == component);
                if let Some(relay) = socket.and_then(|it| it.relay.as_mut())
                    && way.relayed
                {
                    relay.bind(now, self.random.as_mut(), far);
                }
            }
            AgentEvent::Completed => {
                let settled = [RTP, RTCP].into_iter().filter_map(|it| self.settled(it));
                let settled: Vec<Settled> = settled.collect();
                for socket in &mut self.sockets {
                    socket.settle();
                    let used = settled.iter().any(|it| it.component == socket.component);
                    if let Some(relay) = socket.relay.as_mut().filter(|_| !used) {
                        relay.release(now, self.random.as_mut());
                    }
                }
                self.events.push_back(IceEvent::Settled(settled));
            }
            AgentEvent::Failed => self.events.push_back(IceEvent::Failed(IceFault::NoPath)),
            AgentEvent::ConsentLost => {
                self.events
                    .push_back(IceEvent::Failed(IceFault::ConsentLost));
            }
        }
    }

    fn settled(&self, component: u8) -> Option<Settled> {
        let pair = self.agent.as_ref()?.selected(component)?;
        Some(Settled {
            component,
            local: pair.mapped?,
            remote: pair.remote.address,
        })
    }

    fn drain_agents(&mut self, now: Instant) {
        loop {
            let agents = [&mut self.agent, &mut self.former].into_iter().flatten();
            let next = agents.filter_map(Agent::poll_transmit).next();
            let Some((way, to, bytes)) = next else {
                return;
            };
            if way.relayed {
                self.relay(now, way.component, to, &bytes);
            } else {
                self.transmit(way.component, to, bytes);
            }
        }
    }

    fn drain_sockets(&mut self) {
        for place in 0..self.sockets.len() {
            while let Some(socket) = self.sockets.get_mut(place)
                && let component = socket.component
                && let Some((to, bytes)) = socket.poll_transmit()
            {
                self.transmit(component, to, bytes);
            }
        }
    }

    fn relay(&mut self, now: Instant, component: u8, to: SocketAddr, bytes: &[u8]) {
        let mut sockets = self.sockets.iter_mut();
        let socket = sockets.find(|it| it.component == component);
        if let Some(relay) = socket.and_then(|socket| socket.relay.as_mut()) {
            relay.send(now, self.random.as_mut(), to, bytes);
        }
    }

    fn transmit(&mut self, component: u8, to: SocketAddr, bytes: Vec<u8>) {
        if self.transmits.len() < MAX_WAITING {
            self.transmits.push_back(IceTransmit {
                component,
                to,
                bytes,
            });
        }
    }
}
