//! The two sides of a call, and the network between them.

use std::f32::consts::PI;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::base::clock::monotonic_now;
use crate::base::random::{Random as _, SeededRandom};
use crate::media::frame::{FRAME_TIME, Frame, SILENCE, peak};
use crate::media::hold_music::OnHold;
use crate::media::one_way::Captured;
use crate::media::outgoing::StreamSeed;
use crate::media::rtp::is_rtcp;
use crate::media::session::{Session, SessionEvent, SessionSeed, Transmit};
use crate::sdp::{Codec, Direction, LocalMedia, LocalSrtp, MediaPlan, accept, answer, offer};

/// What the network does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weather {
    /// The share of datagrams that are lost.
    pub(super) loss: f32,
    /// One way, in milliseconds.
    pub(super) delay: u64,
    /// Added at random, in milliseconds; enough of it reorders.
    pub(super) jitter: u64,
}

pub(super) const CLEAR: Weather = Weather {
    loss: 0.0,
    delay: 20,
    jitter: 0,
};

pub(super) struct Side {
    pub(super) session: Session,
    /// Where it is seen to send from.
    pub(super) address: SocketAddr,
    /// What its microphone hears: a tone of that frequency in hertz.
    pub(super) hertz: f32,
    /// Whether it hears a voice in place of the tone: no encoder spends redundancy on a tone.
    pub(super) voiced: bool,
    /// Whether what it sends is a sound card's microphone, and whether that has stopped.
    pub(super) live: bool,
    pub(super) stalled: bool,
    spoken: u64,
    pub(super) on_hold: OnHold,
    /// Whether its plan lets it send.
    sends: bool,
    pub(super) heard: Vec<f32>,
    pub(super) events: Vec<SessionEvent>,
    /// RTP datagrams that reached it.
    pub(super) arrived: u32,
    /// Empty datagrams that did.
    pub(super) kept_open: u32,
    /// All that it sent.
    pub(super) sent: Vec<Transmit>,
}

impl Side {
    pub(super) fn new(now: Instant, number: u8, hertz: f32) -> Self {
        let seed = SessionSeed {
            stream: StreamSeed {
                ssrc: u32::from(number) * 1_000,
                // Both numbers wrap within the first seconds.
                sequence: 65_500,
                timestamp: u32::MAX - 100_000,
            },
            ntp_time: 0xdead_0000_0000_0000,
            spread: u64::from(number),
        };
        Self {
            session: Session::new(now, &seed),
            address: SocketAddr::from(([192, 0, 2, number], 4_000)),
            hertz,
            voiced: false,
            live: false,
            stalled: false,
            spoken: 0,
            on_hold: OnHold::default(),
            sends: false,
            heard: Vec::new(),
            events: Vec::new(),
            arrived: 0,
            kept_open: 0,
            sent: Vec::new(),
        }
    }

    pub(super) fn speak(&mut self) -> Frame {
        let mut frame = SILENCE;
        for sample in &mut frame {
            let at = self.spoken as f32 / 48_000.0;
            *sample = if self.voiced {
                let pitch = 120.0 + 20.0 * (2.0 * PI * at).sin();
                let loud = 0.6 + 0.4 * (6.0 * PI * at).sin();
                0.3 * ((at * pitch).fract() - 0.5) * loud
            } else {
                0.3 * (2.0 * PI * self.hertz * at).sin()
            };
            // Each tone has whole periods in a second, so the phase stays exact.
            self.spoken = (self.spoken + 1) % 48_000;
        }
        frame
    }

    pub(super) fn digits(&self) -> String {
        let digit = |event: &SessionEvent| match event {
            SessionEvent::Digit((digit, _)) => Some(*digit),
            SessionEvent::Flowing(_)
            | SessionEvent::Silent { .. }
            | SessionEvent::Heard
            | SessionEvent::Secured(_)
            | SessionEvent::KeysFailed(_)
            | SessionEvent::OneWay { .. } => None,
        };
        self.events.iter().filter_map(digit).collect()
    }

    pub(super) fn silences(&self) -> Vec<u64> {
        let silence = |event: &SessionEvent| match event {
            SessionEvent::Silent { lasting, .. } => Some(lasting.as_secs()),
            SessionEvent::Flowing(_)
            | SessionEvent::Digit(_)
            | SessionEvent::Heard
            | SessionEvent::Secured(_)
            | SessionEvent::KeysFailed(_)
            | SessionEvent::OneWay { .. } => None,
        };
        self.events.iter().filter_map(silence).collect()
    }
}

pub(super) struct Flying {
    pub(super) arrival: Instant,
    pub(super) to: SocketAddr,
    pub(super) from: SocketAddr,
    pub(super) transmit: Transmit,
}

pub(super) struct World {
    pub(super) now: Instant,
    pub(super) sides: [Side; 2],
    pub(super) weather: Weather,
    random: SeededRandom,
    pub(super) flying: Vec<Flying>,
    /// Whether only sound is lost, and never a report.
    pub(super) sound_alone: bool,
    /// Which side sends next to nothing while it is silent.
    pub(super) suppress: [bool; 2],
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let now = monotonic_now();
        Self {
            now,
            sides: [Side::new(now, 1, 500.0), Side::new(now, 2, 900.0)],
            weather: CLEAR,
            random: SeededRandom::new(seed),
            flying: Vec::new(),
            sound_alone: false,
            suppress: [false; 2],
        }
    }

    /// A call that both sides agreed on.
    pub(super) fn call(seed: u64, codec: Codec) -> Self {
        let mut world = Self::new(seed);
        let plans = world.agree(&[codec], [Direction::SendRecv; 2]);
        world.apply(plans);
        world
    }

    fn local(&self, side: usize, codecs: &[Codec], direction: Direction) -> LocalMedia {
        LocalMedia {
            session_id: 1,
            version: 1,
            address: self.sides[side].address.ip(),
            rtp_port: self.sides[side].address.port(),
            codecs: codecs.to_vec(),
            ptime_millis: 20,
            direction,
            silence_suppression: self.suppress[side],
            ice: None,
            srtp: LocalSrtp::default(),
        }
    }

    pub(super) fn agree(&self, codecs: &[Codec], directions: [Direction; 2]) -> [MediaPlan; 2] {
        let locals = [0, 1].map(|side| self.local(side, codecs, directions[side]));
        let (answered, theirs) = answer(&locals[1], &offer(&locals[0])).unwrap();
        [accept(&locals[0], &answered).unwrap(), theirs]
    }

    pub(super) fn apply(&mut self, plans: [MediaPlan; 2]) {
        for (side, plan) in plans.iter().enumerate() {
            self.apply_to(side, plan);
        }
    }

    /// Lets one side follow its plan.
    pub(super) fn apply_to(&mut self, side: usize, plan: &MediaPlan) {
        let side = &mut self.sides[side];
        side.session.apply(self.now, plan).unwrap();
        side.sends = plan.direction.sends();
    }

    pub(super) fn run(&mut self, seconds: f32) {
        for _ in 0..(Duration::from_secs_f32(seconds).as_millis() / FRAME_TIME.as_millis()) {
            self.tick();
        }
    }

    pub(super) fn tick(&mut self) {
        self.flying.sort_by_key(|flying| flying.arrival);
        let due = self.flying.partition_point(|f| f.arrival <= self.now);
        for flying in self.flying.drain(..due).collect::<Vec<_>>() {
            self.deliver(&flying);
        }
        for index in [0, 1] {
            let side = &mut self.sides[index];
            let mut frame = SILENCE;
            side.session.playout(self.now, &mut frame);
            side.heard.extend(frame);
            let mut on_hold = std::mem::take(&mut side.on_hold);
            let mut frame = on_hold.say(side.sends, || side.speak()).together();
            side.on_hold = on_hold;
            let captured = match (side.live, side.stalled) {
                (false, _) => Captured::Other,
                (true, true) => Captured::Nothing,
                (true, false) => Captured::Frame {
                    peak: peak(&frame),
                    voice: peak(&frame),
                },
            };
            side.session.microphone(self.now, captured);
            side.session.capture(self.now, &mut frame, None);
            side.session.tick(self.now);
            while let Some(event) = side.session.poll_event() {
                side.events.push(event);
            }
            self.send(index);
        }
        self.now += FRAME_TIME;
    }

    fn send(&mut self, index: usize) {
        while let Some(transmit) = self.sides[index].session.poll_transmit() {
            self.sides[index].sent.push(transmit.clone());
            let dice = self.random.next_u32() as f32 / u32::MAX as f32;
            let late = self.random.next_u64() % (self.weather.jitter + 1);
            let reports = self.sound_alone && is_rtcp(&transmit.bytes);
            if dice < self.weather.loss && !reports {
                continue;
            }
            self.flying.push(Flying {
                arrival: self.now + Duration::from_millis(self.weather.delay + late),
                to: transmit.to,
                from: if transmit.from_rtcp_port {
                    next_port(self.sides[index].address)
                } else {
                    self.sides[index].address
                },
                transmit,
            });
        }
    }

    fn deliver(&mut self, flying: &Flying) {
        let to_side =
            |side: &&mut Side| [side.address, next_port(side.address)].contains(&flying.to);
        let Some(side) = self.sides.iter_mut().find(to_side) else {
            return;
        };
        let bytes = &flying.transmit.bytes;
        side.arrived += u32::from(!bytes.is_empty() && !is_rtcp(bytes));
        side.kept_open += u32::from(bytes.is_empty());
        let (at, from) = (flying.arrival, flying.from);
        if flying.to == side.address {
            side.session.handle_rtp(at, from, bytes);
        } else {
            side.session.handle_rtcp(at, from, bytes);
        }
    }

    /// What that side heard after the first second.
    pub(super) fn heard(&self, side: usize) -> &[f32] {
        &self.sides[side].heard[48_000..]
    }
}

/// The plans of sides that have ports of their own for their reports.
pub(super) fn with_report_ports(mut plans: [MediaPlan; 2]) -> [MediaPlan; 2] {
    for plan in &mut plans {
        plan.rtcp_mux = false;
        plan.remote_rtcp = plan.remote_rtp.map(next_port);
    }
    plans
}

/// Where a side has its RTCP.
fn next_port(rtp: SocketAddr) -> SocketAddr {
    SocketAddr::new(rtp.ip(), rtp.port() + 1)
}

/// The share of a sound's power that is a tone of that frequency, in pieces of 50 ms, so that a
/// shift in time between them does not matter.
pub(in crate::media) fn share_of(samples: &[f32], hertz: f32) -> f32 {
    let (mut tone, mut all) = (0.0, 1e-9);
    for piece in samples.chunks_exact(2_400) {
        let (mut a, mut b) = (0.0, 0.0);
        for (n, sample) in piece.iter().enumerate() {
            let phase = 2.0 * PI * hertz * n as f32 / 48_000.0;
            a += sample * phase.cos();
            b += sample * phase.sin();
            all += sample * sample;
        }
        tone += 2.0 * (a * a + b * b) / piece.len() as f32;
    }
    tone / all
}
