//! The virtual network: a clock, a queue of deliveries, agents that act by a script.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::notifier::Notifier;
use super::registrar::Registrar;
use crate::base::clock;
use crate::base::flow::{ConnectionId, Output, ResolveId, Resolved, Transport};
use crate::base::id::AccountId;
use crate::base::random::{Random as _, SeededRandom};
use crate::base::uri::Uri;
use crate::sip::{
    AccountSetup, Body, CallExtensions, Endpoint, EndpointConfig, IncomingCall, OutgoingCall,
    ReferTarget, ReferralAnswer, SessionId, SipError, SipEvent, Status, SubscriptionId,
    SubscriptionSetup,
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

/// Something that an agent's user does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Offer,
    Ring,
    Early,
    Answer,
    Reject(u16),
    HangUp,
    Reinvite,
    AnswerChange(u16),
    /// Presses so many digits, each of which goes out by INFO.
    Digits(u32),
    /// Sends the far end to the agent of that number, counted round (a blind transfer).
    Transfer(usize),
    /// Sends the far end to the one of another call, where there is one (an attended transfer).
    Join,
    /// Follows the far end's wish to go elsewhere.
    Follow,
    /// Does not follow it; with or without a question to the user before.
    Refuse(bool),
}

/// How long a call lasts at most that was made for somebody else.
const REFERRED: Duration = Duration::from_secs(90);

#[derive(Debug, Clone)]
enum Delivery {
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

/// Something that an agent's user does with a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WatchAct {
    /// Asks for the whole state.
    Refresh,
    /// Begins again where it is over.
    Again,
    /// Gives it up.
    Leave,
}

/// What a user does, and when, after an event.
pub(super) type Script = fn(&mut SeededRandom, &SipEvent) -> Vec<(Duration, Act)>;

/// Whether a datagram with this text is lost.
pub(super) type DropRule = Box<dyn FnMut(&str) -> bool>;

/// What became of one call, as one side saw it.
#[derive(Debug, Clone)]
pub(super) struct Record {
    /// The label that both sides share.
    pub(super) label: String,
    pub(super) outgoing: bool,
    /// Whether the call was established here, and when.
    pub(super) established: Option<Instant>,
    /// When we accepted it.
    pub(super) accepted: Option<Instant>,
    /// How it ended.
    pub(super) ended: Vec<(Instant, SipEvent)>,
    /// The digits that were pressed here.
    pub(super) pressed: String,
    /// The digits of the far end.
    pub(super) heard: String,
}

impl Record {
    pub(super) fn outgoing(label: &str) -> Self {
        Self {
            outgoing: true,
            ..Self::incoming(label.to_owned())
        }
    }

    fn incoming(label: String) -> Self {
        Self {
            label,
            outgoing: false,
            established: None,
            accepted: None,
            ended: Vec::new(),
            pressed: String::new(),
            heard: String::new(),
        }
    }
}

/// One endpoint with its user.
pub(super) struct Agent {
    pub(super) endpoint: Endpoint,
    pub(super) ip: IpAddr,
    pub(super) records: BTreeMap<SessionId, Record>,
    /// What was told of each subscription.
    pub(super) watched: BTreeMap<SubscriptionId, Vec<SipEvent>>,
    /// The labels of calls that a restart forgot, when, and whether they were talked.
    pub(super) lost: Vec<(String, Instant, bool)>,
    config: EndpointConfig,
    /// All events but traces.
    pub(super) events: Vec<(Instant, SipEvent)>,
    /// All messages: when, whether sent, the far end, the text.
    pub(super) ladder: Vec<(Instant, bool, SocketAddr, String)>,
    /// What the user does on each event; none leaves it to the test.
    pub(super) script: Option<Script>,
    /// Whether its host answers with ICMP only.
    pub(super) down: bool,
    /// Whether streams to it are refused.
    pub(super) refuses_streams: bool,
    /// The address that others see instead of its own, for datagrams.
    pub(super) nat: Option<SocketAddr>,
}

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

    /// Starts a call that both sides will know by its label.
    pub(super) fn call(
        &mut self,
        agent: usize,
        account: Option<AccountId>,
        target: &Uri,
        label: &str,
    ) -> SessionId {
        let headers = [("X-Label".to_owned(), label.to_owned())];
        let now = self.now;
        let caller = &mut self.agents[agent];
        let session = caller
            .endpoint
            .invite(now, account, target, &headers)
            .unwrap();
        caller.records.insert(session, Record::outgoing(label));
        self.drain(agent);
        session
    }

    pub(super) fn act_in(&mut self, after: Duration, agent: usize, session: SessionId, act: Act) {
        self.schedule(
            after,
            Delivery::Act {
                agent,
                session,
                act,
            },
        );
    }

    /// Does something at once; errors are those of a user who was too late.
    pub(super) fn act(&mut self, agent: usize, session: SessionId, act: Act) {
        let now = self.now;
        let body = Body::sdp(format!("v=0 {act:?}"));
        let done = match act {
            Act::Transfer(number) => {
                let target = self.uri(number % self.agents.len());
                self.agents[agent]
                    .endpoint
                    .transfer(now, session, &ReferTarget::Uri(target))
            }
            Act::Join => match self.other_call(agent, session) {
                Some(other) => {
                    self.agents[agent]
                        .endpoint
                        .transfer(now, session, &ReferTarget::Call(other))
                }
                None => Ok(()),
            },
            Act::Follow => self.follow(agent, session),
            Act::Refuse(asked) => {
                let refusal = ReferralAnswer::Refuse(Status::new(603, "Decline"));
                let endpoint = self.endpoint(agent);
                let asked = if asked {
                    endpoint.answer_referral(now, session, &ReferralAnswer::Ask)
                } else {
                    Ok(())
                };
                asked.and_then(|()| endpoint.answer_referral(now, session, &refusal))
            }
            Act::Offer => self.endpoint(agent).offer(now, session, body),
            Act::Ring => self.endpoint(agent).ring(now, session, None),
            Act::Early => self.endpoint(agent).ring(now, session, Some(body)),
            Act::Answer => self.endpoint(agent).answer(now, session, body),
            Act::Reject(code) => {
                self.endpoint(agent)
                    .reject(now, session, Status::new(code, "No"), &[])
            }
            Act::HangUp => self.endpoint(agent).hang_up(now, session),
            Act::Digits(count) => {
                for _ in 0..count {
                    self.press(agent, session);
                }
                Ok(())
            }
            Act::Reinvite => self.endpoint(agent).reinvite(now, session, body),
            Act::AnswerChange(code) => self.endpoint(agent).answer_reinvite(
                now,
                session,
                Status::new(code, ""),
                (code < 300).then_some(body),
            ),
        };
        if done.is_ok()
            && act == Act::Answer
            && let Some(record) = self.agents[agent].records.get_mut(&session)
        {
            record.accepted = Some(now);
        }
        self.drain(agent);
    }

    /// Presses the next digit, which is sent by INFO.
    fn press(&mut self, agent: usize, session: SessionId) {
        const KEYS: [char; 12] = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'];
        let now = self.now;
        let host = &mut self.agents[agent];
        let Some(record) = host.records.get_mut(&session) else {
            return;
        };
        let digit = KEYS[record.pressed.len() % KEYS.len()];
        let body = Body {
            content_type: "application/dtmf-relay".to_owned(),
            bytes: format!("Signal={digit}\r\nDuration=160\r\n").into_bytes(),
        };
        if host.endpoint.inform(now, session, body).is_ok() {
            record.pressed.push(digit);
        }
    }

    /// Subscribes to news, and plans what the user does with the subscription.
    pub(super) fn watch(
        &mut self,
        agent: usize,
        account: Option<AccountId>,
        setup: SubscriptionSetup,
        acts: &[(Duration, WatchAct)],
    ) {
        let now = self.now;
        let subscription = self.endpoint(agent).subscribe(now, account, setup).unwrap();
        for (after, act) in acts {
            self.schedule(
                *after,
                Delivery::Watch {
                    agent,
                    subscription,
                    act: *act,
                },
            );
        }
        self.drain(agent);
    }

    fn act_on_watch(&mut self, agent: usize, subscription: SubscriptionId, act: WatchAct) {
        let now = self.now;
        let endpoint = self.endpoint(agent);
        match act {
            WatchAct::Refresh => endpoint.refresh_subscription(now, subscription),
            WatchAct::Again => endpoint.subscribe_again(now, subscription),
            WatchAct::Leave => endpoint.unsubscribe(now, subscription),
        }
    }

    /// The notifier tells one of its watchers something.
    pub(super) fn tell_watcher(&mut self) {
        if let Some((to, bytes)) = self.notifier.tell(self.now, &mut self.random) {
            self.transmit(Notifier::address(), to, bytes);
        }
    }

    /// The notifier writes to an agent that did not ask for it.
    pub(super) fn write_to(&mut self, agent: usize) {
        let user = self.uri(agent);
        let bytes = self.notifier.write(&user, &mut self.random);
        self.transmit(Notifier::address(), self.address(agent), bytes);
    }

    fn endpoint(&mut self, agent: usize) -> &mut Endpoint {
        &mut self.agents[agent].endpoint
    }

    /// Another established call of an agent.
    fn other_call(&self, agent: usize, session: SessionId) -> Option<SessionId> {
        let mut records = self.agents[agent].records.iter();
        let open = |record: &Record| record.established.is_some() && record.ended.is_empty();
        records.find_map(|(id, record)| (*id != session && open(record)).then_some(*id))
    }

    /// Calls whom the far end names; the call has a label and an end of its own.
    fn follow(&mut self, agent: usize, session: SessionId) -> Result<(), SipError> {
        let now = self.now;
        self.referred += 1;
        let label = format!("referred-{}", self.referred);
        let headers = [("X-Label".to_owned(), label.clone())];
        let host = &mut self.agents[agent];
        let wish = host.events.iter().rev().find_map(|(_, event)| match event {
            SipEvent::Referral(wish) if wish.session == session => Some(wish.target.clone()),
            _ => None,
        });
        let target = wish.expect("the far end named somebody");
        let wanted = OutgoingCall {
            account: None,
            target: &target,
            headers: &headers,
            urgent: false,
        };
        host.endpoint
            .answer_referral(now, session, &ReferralAnswer::Follow)?;
        let call = host.endpoint.invite_referred(now, session, &wanted)?;
        host.records.insert(call, Record::outgoing(&label));
        self.act_in(REFERRED, agent, call, Act::HangUp);
        Ok(())
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

    /// Whether an event of an agent fits.
    pub(super) fn saw(&self, agent: usize, fits: impl Fn(&SipEvent) -> bool) -> bool {
        self.agents[agent].events.iter().any(|(_, e)| fits(e))
    }

    /// How many messages an agent sent or received whose first line begins so.
    pub(super) fn count(&self, agent: usize, sent: bool, start: &str) -> usize {
        self.agents[agent]
            .ladder
            .iter()
            .filter(|(_, was_sent, _, text)| *was_sent == sent && text.starts_with(start))
            .count()
    }

    /// The calls of an agent that are not over, with their messages, for reading a failure.
    pub(super) fn show(&self, agent: usize) -> String {
        let host = &self.agents[agent];
        let mut all = format!("{:?}\n", host.endpoint.census());
        let open = host
            .records
            .values()
            .filter(|record| record.ended.len() != 1);
        for record in open {
            all += &self.show_call(agent, &record.label);
        }
        if all.lines().count() == 1 {
            all += &lines(&host.ladder, self.now, |_| true);
        }
        all
    }

    /// The session interval that a call's last 2xx at an agent names (RFC 4028).
    pub(super) fn interval(&self, agent: usize, label: &str) -> Option<Duration> {
        let ladder = &self.agents[agent].ladder;
        let mark = format!("X-Label: {label}\r");
        let (_, _, _, invite) = ladder.iter().find(|(_, _, _, text)| text.contains(&mark))?;
        let call = field(invite, "Call-ID");
        let agreed = ladder.iter().rev().find(|(_, _, _, text)| {
            let cseq = field(text, "CSeq");
            text.starts_with("SIP/2.0 2")
                && field(text, "Call-ID") == call
                && (cseq.ends_with("INVITE") || cseq.ends_with("UPDATE"))
        });
        let (_, _, _, agreed) = agreed?;
        let seconds = field(agreed, "Session-Expires").split(';').next()?;
        seconds.parse().ok().map(Duration::from_secs)
    }

    /// The first lines of a call's messages at an agent.
    pub(super) fn show_call(&self, agent: usize, label: &str) -> String {
        let host = &self.agents[agent];
        let mark = format!("X-Label: {label}\r");
        let calls: Vec<&str> = host
            .ladder
            .iter()
            .filter(|(_, _, _, text)| text.contains(&mark))
            .map(|(_, _, _, text)| field(text, "Call-ID"))
            .collect();
        let shown = lines(&host.ladder, self.now, |text| {
            calls.contains(&field(text, "Call-ID"))
        });
        format!("agent {agent}, call {label}:\n{shown}")
    }

    /// The first lines of the messages of a Call-ID at an agent.
    pub(super) fn show_call_id(&self, agent: usize, call_id: &str) -> String {
        let ladder = &self.agents[agent].ladder;
        lines(ladder, self.now, |text| field(text, "Call-ID") == call_id)
    }

    /// The incoming call of an agent that has a label.
    pub(super) fn incoming(&self, agent: usize, label: &str) -> Option<IncomingCall> {
        self.agents[agent].events.iter().find_map(|(_, e)| match e {
            SipEvent::Incoming(call) if label_of(call) == label => Some((**call).clone()),
            _ => None,
        })
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

    fn transmit(&mut self, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
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

    fn note(&mut self, agent: usize, event: SipEvent) {
        let now = self.now;
        let host = &mut self.agents[agent];
        match &event {
            SipEvent::Trace {
                sent,
                remote,
                message,
                ..
            } => {
                host.ladder.push((now, *sent, *remote, message.redacted()));
                return;
            }
            SipEvent::Incoming(call) => {
                let record = Record::incoming(label_of(call));
                host.records.insert(call.session, record);
            }
            SipEvent::Answered { session, .. } | SipEvent::Confirmed { session, .. } => {
                let record = host.records.get_mut(session).unwrap();
                assert!(record.established.is_none(), "{} twice", record.label);
                record.established = Some(now);
            }
            SipEvent::Ended { session, .. } => {
                let record = host.records.get_mut(session).unwrap();
                record.ended.push((now, event.clone()));
            }
            SipEvent::InfoDigit { session, digit } => {
                let record = host.records.get_mut(session).unwrap();
                record.heard.push(*digit);
            }
            SipEvent::Subscription { subscription, .. }
            | SipEvent::News { subscription, .. }
            | SipEvent::NotifierGone { subscription, .. } => {
                let told = host.watched.entry(*subscription).or_default();
                told.push(event.clone());
            }
            _ => {}
        }
        host.events.push((now, event.clone()));
        let Some(script) = host.script else {
            return;
        };
        if let Some(session) = session_of(&event) {
            for (after, act) in script(&mut self.random, &event) {
                self.act_in(after, agent, session, act);
            }
        }
    }

    fn schedule(&mut self, after: Duration, delivery: Delivery) {
        self.sequence += 1;
        self.queue
            .insert((self.now + after, self.sequence), delivery);
    }
}

/// The value of the first header field of that name.
pub(super) fn field<'t>(text: &'t str, name: &str) -> &'t str {
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        .unwrap_or_default()
}

fn lines(
    ladder: &[(Instant, bool, SocketAddr, String)],
    now: Instant,
    shown: impl Fn(&str) -> bool,
) -> String {
    let mut all = String::new();
    for (at, sent, remote, text) in ladder.iter().filter(|(_, _, _, text)| shown(text)) {
        let arrow = if *sent { "->" } else { "<-" };
        let first = text.lines().next().unwrap_or_default();
        let ago = (now - *at).as_secs_f64();
        all += &format!(
            "-{ago:.3} {arrow} {remote} {first} | {}\n",
            field(text, "CSeq")
        );
    }
    all
}

fn session_of(event: &SipEvent) -> Option<SessionId> {
    match event {
        SipEvent::Incoming(call) => Some(call.session),
        SipEvent::Referral(referral) => Some(referral.session),
        SipEvent::OfferNeeded { session, .. }
        | SipEvent::Progress { session, .. }
        | SipEvent::Answered { session, .. }
        | SipEvent::Confirmed { session, .. }
        | SipEvent::Reinvite { session, .. }
        | SipEvent::ReinviteConfirmed { session, .. }
        | SipEvent::ReinviteAnswered { session, .. }
        | SipEvent::ChangeDeferred { session }
        | SipEvent::ChangePossible { session }
        | SipEvent::InfoDigit { session, .. }
        | SipEvent::Transfer { session, .. }
        | SipEvent::ReferralOver { session }
        | SipEvent::Moved { session, .. }
        | SipEvent::Redirected { session, .. }
        | SipEvent::Redirecting { session, .. }
        | SipEvent::NotFollowed { session, .. }
        | SipEvent::Ended { session, .. } => Some(*session),
        SipEvent::Registration { .. }
        | SipEvent::StrongRealm { .. }
        | SipEvent::InformationRefused { .. }
        | SipEvent::CredentialsKept { .. }
        | SipEvent::Subscription { .. }
        | SipEvent::News { .. }
        | SipEvent::NotifierGone { .. }
        | SipEvent::UnsolicitedNews(_)
        | SipEvent::Message { .. }
        | SipEvent::Trace { .. } => None,
    }
}

fn label_of(call: &IncomingCall) -> String {
    call.headers
        .iter()
        .find(|(name, _)| name == "X-Label")
        .map(|(_, value)| value.clone())
        .unwrap_or_default()
}
