//! The virtual network: a clock, and a queue of deliveries.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::agent::{Act, Agent, WatchAct};
use super::notifier::Notifier;
use super::registrar::Registrar;
use crate::base::clock;
use crate::base::flow::{ConnectionId, Output, ResolveId, Resolved, Transport};
use crate::base::id::AccountId;
use crate::base::random::{Random as _, SeededRandom};
use crate::base::uri::Uri;
use crate::sip::{
    AccountSetup, CallExtensions, Endpoint, EndpointConfig, SessionId, SubscriptionId,
};

/// How the network treats datagrams.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    /// Of a thousand datagrams, how many are lost.
    pub(super) loss: u32,
    /// Of a thousand datagrams, how many arrive twice.
    pub(super) duplicates: u32,
    /// The shortest way.
    pub(super) min_delay: Duration,
    /// How much longer it may take, so that datagrams overtake each other.
    pub(super) jitter: Duration,
}

impl Link {
    pub(super) const PERFECT: Self = Self {
        loss: 0,
        duplicates: 0,
        min_delay: Duration::from_millis(10),
        jitter: Duration::ZERO,
    };
}

#[derive(Debug, Clone)]
pub(super) enum Delivery {
    Datagram {
        from: SocketAddr,
        to: SocketAddr,
        bytes: Vec<u8>,
    },
    Resolved {
        agent: usize,
        id: ResolveId,
        answer: Result<Vec<Resolved>, String>,
    },
    Connected {
        agent: usize,
        connection: ConnectionId,
        local: SocketAddr,
    },
    Accepted {
        agent: usize,
        connection: ConnectionId,
        remote: SocketAddr,
        local: SocketAddr,
    },
    Stream {
        agent: usize,
        connection: ConnectionId,
        bytes: Vec<u8>,
    },
    Closed {
        agent: usize,
        connection: ConnectionId,
    },
    Act {
        agent: usize,
        session: SessionId,
        act: Act,
    },
    Watch {
        agent: usize,
        subscription: SubscriptionId,
        act: WatchAct,
    },
    Unreachable {
        agent: usize,
        remote: SocketAddr,
    },
}

/// Whether a datagram with this text is lost.
pub(super) type DropRule = Box<dyn FnMut(&str) -> bool>;

/// The whole simulation.
pub(super) struct World {
    pub(super) now: Instant,
    pub(super) random: SeededRandom,
    pub(super) link: Link,
    pub(super) agents: Vec<Agent>,
    pub(super) registrar: Registrar,
    pub(super) notifier: Notifier,
    /// What names resolve to; addresses resolve to themselves.
    pub(super) names: HashMap<String, Vec<(Transport, SocketAddr)>>,
    /// Loses datagrams by their text; for scripted tests.
    pub(super) drop_if: Option<DropRule>,
    /// How many keep-alive datagrams were sent.
    pub(super) keep_alives: usize,
    queue: BTreeMap<(Instant, u64), Delivery>,
    sequence: u64,
    /// Both ends of each stream, and when its last octets arrive.
    pipes: HashMap<(usize, ConnectionId), (usize, ConnectionId, Instant)>,
    streams: u64,
    /// How many calls were made for a REFER.
    pub(super) referred: usize,
}

pub(super) const PORT: u16 = 5060;

impl World {
    pub(super) fn new(seed: u64, link: Link) -> Self {
        Self {
            now: clock::monotonic_now(),
            random: SeededRandom::new(seed),
            link,
            agents: Vec::new(),
            registrar: Registrar::new(),
            notifier: Notifier::default(),
            names: HashMap::new(),
            drop_if: None,
            keep_alives: 0,
            queue: BTreeMap::new(),
            sequence: 0,
            pipes: HashMap::new(),
            streams: 0,
            referred: 0,
        }
    }

    /// Adds an endpoint at 10.0.0.1, 10.0.0.2 and so on.
    pub(super) fn add_agent(&mut self, direct: bool) -> usize {
        self.add_agent_with(direct, CallExtensions::default())
    }

    /// The same, with rules for calls of no account.
    pub(super) fn add_agent_with(&mut self, direct: bool, extensions: CallExtensions) -> usize {
        self.add_agent_of(EndpointConfig {
            udp_port: PORT,
            tcp_port: Some(PORT),
            tls_port: None,
            accept_direct_calls: direct,
            user_agent: "Simulated".to_owned(),
            max_sessions: 1000,
            direct_ring_limit: Duration::from_secs(120),
            requests_per_second: None,
            direct_extensions: extensions,
        })
    }

    pub(super) fn add_agent_of(&mut self, config: EndpointConfig) -> usize {
        let number = u8::try_from(self.agents.len() + 1).unwrap();
        let seed = self.random.next_u64();
        self.agents.push(Agent {
            endpoint: Endpoint::new(config.clone(), Box::new(SeededRandom::new(seed))),
            config,
            lost: Vec::new(),
            ip: IpAddr::from([10, 0, 0, number]),
            records: BTreeMap::new(),
            watched: BTreeMap::new(),
            events: Vec::new(),
            ladder: Vec::new(),
            script: None,
            down: false,
            refuses_streams: false,
            nat: None,
        });
        self.agents.len() - 1
    }

    pub(super) fn address(&self, agent: usize) -> SocketAddr {
        (self.agents[agent].ip, PORT).into()
    }

    pub(super) fn uri(&self, agent: usize) -> Uri {
        Uri::parse(&format!("sip:agent{agent}@{}", self.agents[agent].ip)).unwrap()
    }

    pub(super) fn add_account(&mut self, agent: usize, setup: AccountSetup) -> AccountId {
        let id = AccountId(0);
        let now = self.now;
        self.agents[agent].endpoint.add_account(now, id, setup);
        self.drain(agent);
        id
    }

    /// Kills an agent's process and starts it again: it has forgotten everything.
    pub(super) fn restart(&mut self, agent: usize, setup: AccountSetup) {
        let seed = self.random.next_u64();
        let host = &mut self.agents[agent];
        host.endpoint = Endpoint::new(host.config.clone(), Box::new(SeededRandom::new(seed)));
        host.watched.clear();
        for (_, record) in std::mem::take(&mut host.records) {
            let talked = record.established.is_some() && record.ended.is_empty();
            host.lost.push((record.label, self.now, talked));
        }
        host.ladder.clear();
        let streams: Vec<_> = self
            .pipes
            .iter()
            .filter(|((owner, _), _)| *owner == agent)
            .map(|((_, connection), (peer, theirs, _))| (*connection, *peer, *theirs))
            .collect();
        for (connection, peer, theirs) in streams {
            self.pipes.remove(&(agent, connection));
            self.schedule(
                self.link.min_delay,
                Delivery::Closed {
                    agent: peer,
                    connection: theirs,
                },
            );
        }
        // What the old process waited for comes to nobody.
        self.queue.retain(|_, delivery| match delivery {
            Delivery::Resolved { agent: to, .. }
            | Delivery::Connected { agent: to, .. }
            | Delivery::Accepted { agent: to, .. }
            | Delivery::Stream { agent: to, .. }
            | Delivery::Closed { agent: to, .. }
            | Delivery::Watch { agent: to, .. }
            | Delivery::Act { agent: to, .. } => *to != agent,
            Delivery::Datagram { .. } | Delivery::Unreachable { .. } => true,
        });
        self.add_account(agent, setup);
    }

    /// Every stream breaks, at both ends.
    pub(super) fn break_streams(&mut self) {
        let mut ends: Vec<_> = self.pipes.keys().copied().collect();
        ends.sort_unstable();
        for (agent, connection) in ends {
            self.schedule(self.link.min_delay, Delivery::Closed { agent, connection });
        }
    }

    /// Runs until the time has passed.
    pub(super) fn run_for(&mut self, span: Duration) {
        let end = self.now + span;
        while self.next_time().is_some_and(|at| at <= end) {
            self.step();
        }
        self.now = end;
    }

    /// Runs until nothing is under way, at most for `limit`; gives whether that was reached.
    pub(super) fn run_until_quiet(&mut self, limit: Duration) -> bool {
        let end = self.now + limit;
        loop {
            let busy = self.queue.values().any(|delivery| match delivery {
                // A keep-alive of a registration is always on its way.
                Delivery::Datagram { bytes, .. } => bytes.len() > 4,
                _ => true,
            }) || self.agents.iter().any(|agent| {
                let census = agent.endpoint.census();
                census != crate::sip::Census::default()
            });
            if !busy {
                return true;
            }
            match self.next_time() {
                Some(at) if at <= end => self.step(),
                Some(_) | None => return false,
            }
        }
    }

    pub(super) fn drain(&mut self, agent: usize) {
        while let Some(output) = self.agents[agent].endpoint.poll_output() {
            self.carry(agent, output);
        }
        while let Some(event) = self.agents[agent].endpoint.poll_event() {
            self.note(agent, event);
        }
    }

    fn next_time(&self) -> Option<Instant> {
        let queued = self.queue.first_key_value().map(|((at, _), _)| *at);
        let timers = self.agents.iter().filter_map(|a| a.endpoint.poll_timeout());
        timers.chain(queued).min()
    }

    fn step(&mut self) {
        let Some(at) = self.next_time() else {
            return;
        };
        self.now = self.now.max(at);
        let now = self.now;
        for agent in 0..self.agents.len() {
            let endpoint = &mut self.agents[agent].endpoint;
            if endpoint.poll_timeout().is_some_and(|due| due <= now) {
                endpoint.handle_timeout(now);
                self.drain(agent);
            }
        }
        let due = self.queue.first_key_value().map(|((at, _), _)| *at);
        if due.is_some_and(|due| due <= now) {
            let (_, delivery) = self.queue.pop_first().unwrap();
            self.deliver(delivery);
        }
    }

    fn deliver(&mut self, delivery: Delivery) {
        let now = self.now;
        let agent = match delivery {
            Delivery::Datagram { from, to, bytes } => {
                if to.ip() == Registrar::ip() {
                    for (to, bytes) in self.registrar.handle(now, from, &bytes, &mut self.random) {
                        self.transmit(Registrar::address(), to, bytes);
                    }
                    return;
                }
                if to.ip() == Notifier::ip() {
                    for (to, bytes) in self.notifier.handle(now, from, &bytes, &mut self.random) {
                        self.transmit(Notifier::address(), to, bytes);
                    }
                    return;
                }
                let reached = |a: &Agent| match a.nat {
                    Some(public) => public == to,
                    None => a.ip == to.ip(),
                };
                let Some(agent) = self.agents.iter().position(reached) else {
                    return;
                };
                let ip = self.agents[agent].ip;
                self.agents[agent]
                    .endpoint
                    .handle_datagram(now, from, ip, &bytes);
                agent
            }
            Delivery::Resolved { agent, id, answer } => {
                self.agents[agent].endpoint.handle_resolved(now, id, answer);
                agent
            }
            Delivery::Connected {
                agent,
                connection,
                local,
            } => {
                self.agents[agent]
                    .endpoint
                    .handle_connected(now, connection, local);
                agent
            }
            Delivery::Accepted {
                agent,
                connection,
                remote,
                local,
            } => {
                self.agents[agent].endpoint.handle_accepted(
                    now,
                    connection,
                    Transport::Tcp,
                    remote,
                    local,
                );
                agent
            }
            Delivery::Stream {
                agent,
                connection,
                bytes,
            } => {
                // Octets of a stream may arrive in any portions.
                let cut = usize::try_from(self.random.next_u32()).unwrap() % (bytes.len() + 1);
                let endpoint = &mut self.agents[agent].endpoint;
                endpoint.handle_stream(now, connection, &bytes[..cut]);
                endpoint.handle_stream(now, connection, &bytes[cut..]);
                agent
            }
            Delivery::Closed { agent, connection } => {
                self.pipes.remove(&(agent, connection));
                self.agents[agent]
                    .endpoint
                    .handle_connection_closed(now, connection, None);
                agent
            }
            Delivery::Act {
                agent,
                session,
                act,
            } => {
                self.act(agent, session, act);
                agent
            }
            Delivery::Watch {
                agent,
                subscription,
                act,
            } => {
                self.act_on_watch(agent, subscription, act);
                agent
            }
            Delivery::Unreachable { agent, remote } => {
                self.agents[agent]
                    .endpoint
                    .handle_send_error(now, remote, "port unreachable");
                agent
            }
        };
        self.drain(agent);
    }

    fn carry(&mut self, agent: usize, output: Output) {
        match output {
            Output::Datagram { remote, bytes } => {
                let from = self.agents[agent]
                    .nat
                    .unwrap_or_else(|| self.address(agent));
                if bytes == b"\r\n" {
                    self.keep_alives += 1;
                }
                self.transmit(from, remote, bytes);
            }
            Output::Connect {
                connection, remote, ..
            } => self.connect(agent, connection, remote),
            Output::Stream { connection, bytes } => {
                let Some((peer, theirs, last)) = self.pipes.get(&(agent, connection)).copied()
                else {
                    return;
                };
                let at = (self.now + self.link.min_delay).max(last);
                self.pipes.insert((agent, connection), (peer, theirs, at));
                self.schedule(
                    at - self.now,
                    Delivery::Stream {
                        agent: peer,
                        connection: theirs,
                        bytes,
                    },
                );
            }
            Output::Close { connection } => {
                if let Some((peer, theirs, _)) = self.pipes.remove(&(agent, connection)) {
                    self.schedule(
                        self.link.min_delay,
                        Delivery::Closed {
                            agent: peer,
                            connection: theirs,
                        },
                    );
                }
            }
            Output::Resolve {
                id,
                host,
                port,
                transport,
                secure: _,
            } => {
                let answer = self.resolve(agent, &host, port, transport);
                self.schedule(
                    Duration::from_millis(5),
                    Delivery::Resolved { agent, id, answer },
                );
            }
        }
    }

    fn resolve(
        &self,
        agent: usize,
        host: &str,
        port: Option<u16>,
        transport: Option<Transport>,
    ) -> Result<Vec<Resolved>, String> {
        let local_ip = self.agents[agent].ip;
        let places = match host.parse::<IpAddr>() {
            Ok(ip) => vec![(
                transport.unwrap_or(Transport::Udp),
                SocketAddr::new(ip, port.unwrap_or(PORT)),
            )],
            Err(_) => self
                .names
                .get(host)
                .cloned()
                .ok_or_else(|| format!("{host} is unknown"))?,
        };
        Ok(places
            .into_iter()
            .map(|(transport, remote)| Resolved {
                transport,
                remote,
                local_ip,
            })
            .collect())
    }

    fn connect(&mut self, agent: usize, connection: ConnectionId, remote: SocketAddr) {
        let peer = self.agents.iter().position(|a| a.ip == remote.ip());
        let peer = peer.filter(|p| !self.agents[*p].refuses_streams && !self.agents[*p].down);
        let Some(peer) = peer else {
            self.schedule(self.link.min_delay, Delivery::Closed { agent, connection });
            return;
        };
        self.streams += 1;
        let theirs = ConnectionId(self.streams * 2);
        let port = 40_000 + u16::try_from(self.streams % 20_000).unwrap();
        let local = SocketAddr::new(self.agents[agent].ip, port);
        let at = self.now + self.link.min_delay * 2;
        self.pipes.insert((agent, connection), (peer, theirs, at));
        self.pipes.insert((peer, theirs), (agent, connection, at));
        self.schedule(
            self.link.min_delay,
            Delivery::Accepted {
                agent: peer,
                connection: theirs,
                remote: local,
                local: remote,
            },
        );
        self.schedule(
            self.link.min_delay * 2,
            Delivery::Connected {
                agent,
                connection,
                local,
            },
        );
    }

    pub(super) fn transmit(&mut self, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
        if let Some(drop_if) = &mut self.drop_if
            && drop_if(&String::from_utf8_lossy(&bytes))
        {
            return;
        }
        let down = self.agents.iter().any(|a| a.ip == to.ip() && a.down);
        if down {
            if let Some(agent) = self.agents.iter().position(|a| a.ip == from.ip()) {
                self.schedule(
                    self.link.min_delay,
                    Delivery::Unreachable { agent, remote: to },
                );
            }
            return;
        }
        let copies = if self.random.next_u32() % 1000 < self.link.duplicates {
            2
        } else {
            1
        };
        for _ in 0..copies {
            if self.random.next_u32() % 1000 < self.link.loss {
                continue;
            }
            let jitter = u32::try_from(self.link.jitter.as_millis()).unwrap();
            let extra = self.random.next_u32() % (jitter + 1);
            let delay = self.link.min_delay + Duration::from_millis(extra.into());
            let bytes = bytes.clone();
            self.schedule(delay, Delivery::Datagram { from, to, bytes });
        }
    }

    pub(super) fn schedule(&mut self, after: Duration, delivery: Delivery) {
        self.sequence += 1;
        self.queue
            .insert((self.now + after, self.sequence), delivery);
    }
}
