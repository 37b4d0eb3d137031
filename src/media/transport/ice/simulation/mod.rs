//! Two sides, their NATs, a STUN and a TURN server, and a network that loses and reorders, in virtual
//! time.

mod nat;
mod server;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::base::clock::monotonic_now;
use crate::base::random::{Random as _, SeededRandom};
use crate::base::redact::Secret;
use crate::media::transport::ice::{IceEvent, IceFault, IceServers, IceSession, TurnServer};
use crate::sdp::ice::{RTCP, RTP, Settled};
use crate::sdp::{
    Candidate, Codec, Direction, IceCredentials, IceSeed, LocalIce, LocalMedia, LocalSrtp,
    MediaPlan, SessionDescription, accept, answer, offer,
};

use nat::Nat;
pub(super) use nat::NatKind;
use server::Server;

/// The server of STUN and TURN.
pub(super) const SERVER: &str = "198.51.100.1:3478";
/// Its user.
pub(super) const PASSWORD: &str = "sesame";

/// How a side is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kit {
    pub(super) nat: NatKind,
    pub(super) stun: bool,
    pub(super) turn: bool,
    pub(super) relay_only: bool,
    pub(super) password: &'static str,
}

impl Kit {
    pub(super) fn behind(nat: NatKind) -> Self {
        Self {
            nat,
            stun: true,
            turn: true,
            relay_only: false,
            password: PASSWORD,
        }
    }
}

/// One side.
pub(super) struct Side {
    pub(super) session: IceSession,
    nat: Nat,
    sockets: [SocketAddr; 2],
    pub(super) seed: IceSeed,
    pub(super) credentials: IceCredentials,
    pub(super) candidates: Option<Vec<Candidate>>,
    pub(super) problem: Option<String>,
    pub(super) settled: Vec<Settled>,
    pub(super) failed: Option<IceFault>,
    pub(super) paths: [Option<SocketAddr>; 2],
    pub(super) heard: Vec<(u8, SocketAddr, Vec<u8>)>,
    pub(super) gathered_after: Option<Duration>,
    pub(super) settled_after: Option<Duration>,
}

/// The world.
pub(super) struct World {
    pub(super) start: Instant,
    pub(super) now: Instant,
    pub(super) sides: [Side; 2],
    pub(super) server: Server,
    /// Whether the far ends multiplex.
    pub(super) mux: bool,
    /// Share of datagrams that are lost, of 1000.
    pub(super) loss: u64,
    /// Up to how much later than others a datagram comes.
    pub(super) jitter: Duration,
    /// How often the sockets are read: what came meanwhile is handled in a row.
    pub(super) reads: Duration,
    /// Datagrams to and from this side vanish.
    pub(super) cut: Option<usize>,
    random: SeededRandom,
    flying: BTreeMap<(Instant, u64), (SocketAddr, SocketAddr, Vec<u8>)>,
    flown: u64,
}

impl World {
    pub(super) fn new(seed: u64, kits: [Kit; 2]) -> Self {
        let start = monotonic_now();
        let sides = [0_u8, 1].map(|side| {
            let kit = kits[usize::from(side)];
            let sockets = [5000, 5001].map(|port| SocketAddr::from(([10, 0, side, 2], port)));
            let server: SocketAddr = SERVER.parse().unwrap();
            let servers = IceServers {
                stun: kit.stun.then_some(server),
                turn: kit.turn.then(|| TurnServer {
                    address: server,
                    user: "agent".to_owned(),
                    password: Secret::new(kit.password),
                }),
                relay_only: kit.relay_only,
            };
            let mut ice_seed = IceSeed::new([side + 1; 32]);
            let credentials = ice_seed.draw();
            let random = Box::new(SeededRandom::new(seed * 2 + u64::from(side)));
            Side {
                session: IceSession::begin(start, random, &servers, credentials.clone(), sockets),
                nat: Nat::new(kit.nat, side),
                sockets,
                seed: ice_seed,
                credentials,
                candidates: None,
                problem: None,
                settled: Vec::new(),
                failed: None,
                paths: [None; 2],
                heard: Vec::new(),
                gathered_after: None,
                settled_after: None,
            }
        });
        let mut world = Self {
            start,
            now: start,
            sides,
            server: Server::new(SERVER.parse().unwrap(), "agent", PASSWORD),
            mux: true,
            loss: 0,
            jitter: Duration::ZERO,
            reads: Duration::ZERO,
            cut: None,
            random: SeededRandom::new(seed + 77),
            flying: BTreeMap::new(),
            flown: 0,
        };
        world.drain();
        world
    }

    /// Lets time pass until that is true; says whether it became so in time.
    pub(super) fn run_until(&mut self, limit: Duration, done: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + limit;
        while !done(self) {
            let timeouts = self
                .sides
                .iter()
                .filter_map(|side| side.session.next_timeout());
            let arrival = self.flying.keys().next().map(|(at, _)| *at);
            let Some(next) = timeouts.chain(arrival).min().filter(|next| *next <= end) else {
                self.now = end;
                return done(self);
            };
            // A session that wants to be called again at once would never let time pass.
            self.now = self.now.max(next);
            let before = self.flown;
            while let Some(entry) = self.flying.first_entry()
                && entry.key().0 <= self.now
            {
                let (from, to, bytes) = entry.remove();
                self.arrive(from, to, &bytes);
            }
            for side in &mut self.sides {
                if side.session.next_timeout().is_some_and(|at| at <= self.now) {
                    side.session.handle_timeout(self.now);
                    let next = side.session.next_timeout();
                    assert!(next.is_none_or(|at| at > self.now), "it would spin");
                }
            }
            self.drain();
            assert!(self.flown - before < 1_000, "a storm");
        }
        true
    }

    pub(super) fn run(&mut self, time: Duration) {
        self.run_until(time, |_| false);
    }

    /// Both gather; then the first one offers and the second one answers.
    pub(super) fn connect(&mut self) {
        assert!(self.run_until(Duration::from_secs(4), |world| {
            world.sides.iter().all(|side| side.candidates.is_some())
        }));
        self.negotiate(0);
    }

    /// That side offers what it has; the other one answers.
    pub(super) fn negotiate(&mut self, offerer: usize) {
        let locals = [offerer == 0, offerer == 1]
            .into_iter()
            .enumerate()
            .map(|(side, offered)| self.local(side, offered))
            .collect::<Vec<_>>();
        let mut text = offer(&locals[offerer]).to_string();
        if !self.mux {
            text = text.replace("a=rtcp-mux\r\n", "");
        }
        let offered = SessionDescription::parse(text.as_bytes()).unwrap();
        let (answered, theirs) = answer(&locals[1 - offerer], &offered).unwrap();
        let answered = SessionDescription::parse(answered.to_string().as_bytes()).unwrap();
        let ours = accept(&locals[offerer], &answered).unwrap();
        self.apply(1 - offerer, &theirs);
        self.apply(offerer, &ours);
    }

    pub(super) fn apply(&mut self, side: usize, plan: &MediaPlan) {
        let side = &mut self.sides[side];
        side.settled.clear();
        side.settled_after = None;
        side.session.apply(self.now, plan);
        self.drain();
    }

    pub(super) fn local(&self, side: usize, offered: bool) -> LocalMedia {
        let side = &self.sides[side];
        LocalMedia {
            session_id: 1,
            version: 1,
            address: side.sockets[0].ip(),
            rtp_port: side.sockets[0].port(),
            codecs: vec![Codec::Pcmu],
            ptime_millis: 20,
            direction: Direction::SendRecv,
            srtp: LocalSrtp::default(),
            silence_suppression: false,
            ice: Some(LocalIce {
                credentials: side.credentials.clone(),
                candidates: side.candidates.clone().unwrap_or_default(),
                offers: true,
                offered,
                settled: Vec::new(),
            }),
        }
    }

    /// Sends media of a component and says what the other side hears of it.
    pub(super) fn say(&mut self, side: usize, component: u8, word: &str) -> Vec<String> {
        let nowhere = SocketAddr::from(([192, 0, 2, 99], 9));
        let packet = [&[0x80, 0][..], word.as_bytes()].concat();
        let now = self.now;
        self.sides[side]
            .session
            .send(now, component, nowhere, packet);
        self.drain();
        self.run(Duration::from_millis(400));
        let heard = std::mem::take(&mut self.sides[1 - side].heard);
        let of_component = heard.into_iter().filter(|(of, _, _)| *of == component);
        of_component
            .map(|(_, _, bytes)| String::from_utf8_lossy(&bytes[2..]).into_owned())
            .collect()
    }

    /// Sends media of both sides, and goes on.
    pub(super) fn talk_at_once(&mut self) {
        let nowhere = SocketAddr::from(([192, 0, 2, 99], 9));
        for side in &mut self.sides {
            let packet = [0x80, 0, 1, 2].to_vec();
            side.session.send(self.now, RTP, nowhere, packet);
        }
        self.drain();
    }

    /// Sends octets from anywhere to a side's socket, past its NAT.
    pub(super) fn inject(&mut self, side: usize, component: u8, from: SocketAddr, bytes: &[u8]) {
        self.take(side, component, from, bytes);
        self.drain();
    }

    pub(super) fn both_settled(&self) -> bool {
        self.sides.iter().all(|side| !side.settled.is_empty())
    }

    fn arrive(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        if self.server.owns(to.ip()) {
            let answers = self.server.handle(from, to, bytes);
            for (from, to, bytes) in answers {
                self.fly(from, to, bytes);
            }
            return;
        }
        for side in 0..2 {
            let inside = self.sides[side].nat.inward(from, to);
            let socket = inside.and_then(|inside| {
                self.sides[side]
                    .sockets
                    .iter()
                    .position(|socket| *socket == inside)
            });
            if let Some(place) = socket {
                let component = if place == 0 { RTP } else { RTCP };
                self.take(side, component, from, bytes);
                return;
            }
        }
    }

    fn take(&mut self, side: usize, component: u8, from: SocketAddr, bytes: &[u8]) {
        let side = &mut self.sides[side];
        if let Some(media) = side.session.handle(self.now, component, from, bytes) {
            let told = side.paths[usize::from(media.component - 1)];
            assert!(told.is_none_or(|told| told == media.from), "it was told");
            side.heard
                .push((media.component, media.from, media.bytes.into_owned()));
        }
    }

    fn drain(&mut self) {
        for side in 0..2 {
            while let Some(transmit) = self.sides[side].session.poll_transmit() {
                let socket = self.sides[side].sockets[usize::from(transmit.component - 1)];
                let outside = self.sides[side].nat.outward(socket, transmit.to);
                let cut = self.cut == Some(side);
                if let Some(from) = outside.filter(|_| !cut) {
                    self.fly(from, transmit.to, transmit.bytes);
                }
            }
            let since = self.now - self.start;
            let side = &mut self.sides[side];
            while let Some(event) = side.session.poll_event() {
                match event {
                    IceEvent::Gathered {
                        candidates,
                        problem,
                    } => {
                        side.candidates = Some(candidates);
                        side.problem = problem.map(|problem| problem.to_string());
                        side.gathered_after = Some(since);
                    }
                    IceEvent::Path(component, path) => {
                        side.paths[usize::from(component - 1)] = path;
                    }
                    IceEvent::Settled(settled) => {
                        side.settled = settled;
                        side.settled_after = Some(since);
                    }
                    IceEvent::Failed(fault) => side.failed = Some(fault),
                }
            }
        }
    }

    fn fly(&mut self, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
        if self.random.next_u64() % 1_000 < self.loss {
            return;
        }
        let jitter = u64::try_from(self.jitter.as_micros()).unwrap();
        let late = Duration::from_micros(self.random.next_u64() % (jitter + 1));
        self.flown += 1;
        let mut at = self.now + Duration::from_millis(10) + late;
        if !self.reads.is_zero() {
            let since = (at - self.start).as_nanos();
            let rounds = since.div_ceil(self.reads.as_nanos());
            at = self.start + self.reads * u32::try_from(rounds).unwrap();
        }
        self.flying.insert((at, self.flown), (from, to, bytes));
    }
}
