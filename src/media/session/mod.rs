//! One call's media, sans-IO.
//!
//! Input: `apply`, `handle_rtp`, `handle_rtcp`, and at each tick of 10 ms `playout`, `microphone`, `capture`
//! and `tick`, in that order. Output: after each of them `poll_transmit` and `poll_event` until they
//! are empty.

mod figures;
mod output;
mod reports;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::media::codec::Effort;
use crate::media::dropped::{DropCount, DropReason, Dropped, DroppedOf};
use crate::media::frame::{Frame, Meter};
use crate::media::incoming::{Fate, Incoming};
use crate::media::keyed_port::KeyedPort;
use crate::media::one_way::{Captured, Cause, Duties, OneWayDetector};
use crate::media::outgoing::{Outgoing, StreamSeed};
use crate::media::quality::{FarReports, QualityMeter};
use crate::media::rtp::RtpPacket;
use crate::media::steering::Redundancy;
use crate::media::transport::{Identity, Kind, ReportLatch};
use crate::sdp::MediaPlan;

pub use output::{PlanError, SessionEvent, Transmit};

/// The mean time between two reports (RFC 3550 section 6.2).
const REPORT_INTERVAL: Duration = Duration::from_secs(5);
/// Without sound and reports for so long the call is told to be silent, and again each time as long.
const SILENT_AFTER: Duration = Duration::from_secs(10);
/// Between two empty datagrams that keep a NAT open while we send nothing (RFC 6263 section 4.1).
const KEEPALIVE: Duration = Duration::from_secs(15);
/// The same while nothing is heard: the NAT may have forgotten the way to us.
const URGENT_KEEPALIVE: Duration = Duration::from_secs(1);
/// Between two looks for the cause of a silence.
const LOOK: Duration = Duration::from_millis(100);
/// Datagrams and events that wait to be polled.
const MAX_WAITING: usize = 64;

/// What a session begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionSeed {
    /// The numbers of the stream.
    pub stream: StreamSeed,
    /// The NTP time of the beginning; it then follows the monotonic clock.
    pub ntp_time: u64,
    /// A random number that spreads the reports in time.
    pub spread: u64,
}

/// One call.
pub struct Session {
    started: Instant,
    ntp_start: u64,
    cname: String,
    spread: u64,
    plan: Option<MediaPlan>,
    incoming: Incoming,
    outgoing: Outgoing,
    keys: KeyedPort,
    /// Those of the RTCP port, where a handshake of its own gives them (RFC 5764 section 4.1.2).
    report_keys: KeyedPort,
    report_latch: ReportLatch,
    next_report: Instant,
    /// The middle bits of the far end's last sender report, and when it came.
    last_sender_report: Option<(u32, Instant)>,
    reports: FarReports,
    meter: QualityMeter,
    detector: OneWayDetector,
    next_look: Instant,
    sending_since: Option<Instant>,
    /// When the RTP port sent last.
    sent_at: Instant,
    listening_since: Option<Instant>,
    /// When the far end reported last.
    reported: Option<Instant>,
    /// Where we sent to then, and the SSRC of who reported.
    way: Option<(Option<SocketAddr>, u32)>,
    silences_told: u32,
    dropped: DropCount,
    level_in: Meter,
    transmits: VecDeque<Transmit>,
    events: VecDeque<SessionEvent>,
}

impl Session {
    /// Makes a session that waits for its plan.
    pub fn new(now: Instant, seed: &SessionSeed) -> Self {
        Self {
            started: now,
            ntp_start: seed.ntp_time,
            // RFC 7022 section 4.2: a name for this session alone, which says nothing of us.
            cname: format!("{:016x}", seed.spread),
            spread: seed.spread,
            plan: None,
            incoming: Incoming::new(),
            outgoing: Outgoing::new(seed.stream),
            keys: KeyedPort::default(),
            report_keys: KeyedPort::default(),
            report_latch: ReportLatch::default(),
            next_report: now + REPORT_INTERVAL / 2,
            last_sender_report: None,
            reports: FarReports::default(),
            meter: QualityMeter::default(),
            detector: OneWayDetector::new(),
            next_look: now,
            sending_since: None,
            sent_at: now,
            listening_since: None,
            reported: None,
            way: None,
            silences_told: 0,
            dropped: DropCount::default(),
            level_in: Meter::default(),
            transmits: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// Takes the certificate of this phone, where the call's keys may come by a handshake.
    pub fn identify(&mut self, identity: Option<Identity>) {
        self.keys.identify(identity.clone());
        self.report_keys.identify(identity);
    }

    /// Takes handshakes before the plan says whose is the right one: our offer invites to it.
    pub fn expect_handshake(&mut self) {
        self.keys.expect();
        self.report_keys.expect();
    }

    /// Starts or changes the media. Where a handshake gives the keys, nothing is sent until it did.
    ///
    /// # Errors
    ///
    /// Fails when the codec cannot be made, or the keys cannot be used; the former plan stays.
    pub fn apply(&mut self, now: Instant, plan: &MediaPlan) -> Result<(), PlanError> {
        let (keys, handshake) = (plan.srtp.as_ref(), plan.dtls.as_ref());
        self.keys.apply(now, keys, handshake, plan.remote_rtp)?;
        let apart = handshake.filter(|_| !plan.rtcp_mux);
        self.report_keys.apply(now, None, apart, plan.remote_rtcp)?;
        self.outgoing.apply(plan)?;
        self.incoming.apply(plan);
        let moved = self
            .plan
            .as_ref()
            .is_none_or(|old| (old.remote_rtcp, old.rtcp_mux) != (plan.remote_rtcp, plan.rtcp_mux));
        if moved {
            self.report_latch.apply(plan.remote_rtcp);
        }
        if plan.direction.receives() {
            if self.listening_since.is_none() {
                self.silences_told = 0;
            }
            self.listening_since = self.listening_since.or(Some(now));
        } else {
            self.listening_since = None;
        }
        let sends = plan.direction.sends();
        self.sending_since = self.sending_since.or(Some(now)).filter(|_| sends);
        self.detector.restart(self.outgoing.packets());
        self.plan = Some(plan.clone());
        self.take_handshake(now);
        Ok(())
    }

    /// Takes a datagram that came to the RTP port.
    pub fn handle_rtp(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) {
        match Kind::of(datagram) {
            Kind::Rtp => self.handle_sound(now, from, datagram),
            Kind::Rtcp => {
                if self.plan.as_ref().is_some_and(|plan| plan.rtcp_mux) {
                    self.handle_reports(now, from, datagram);
                } else {
                    self.drop_unexpected(from, datagram);
                }
            }
            Kind::Dtls => {
                if !self.keys.handle(now, from, datagram) {
                    self.drop_from(from, DropReason::Handshake);
                }
                self.take_handshake(now);
            }
            Kind::Stun | Kind::TurnChannel | Kind::Other => self.drop_unexpected(from, datagram),
        }
    }

    /// Takes a datagram that came to the RTCP port.
    pub fn handle_rtcp(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) {
        match Kind::of(datagram) {
            Kind::Rtcp => self.handle_reports(now, from, datagram),
            Kind::Dtls => {
                if !self.report_keys.handle(now, from, datagram) {
                    self.drop_from(from, DropReason::Handshake);
                }
                self.take_handshake(now);
            }
            Kind::Rtp | Kind::Stun | Kind::TurnChannel | Kind::Other => {
                self.drop_unexpected(from, datagram);
            }
        }
    }

    /// Counts a datagram that came from there and was of no use.
    pub(super) fn drop_from(&mut self, from: SocketAddr, reason: DropReason) {
        self.dropped.add(from.ip(), reason);
    }

    /// What keeps a NAT open has no octets, and is no fault.
    fn drop_unexpected(&mut self, from: SocketAddr, datagram: &[u8]) {
        if !datagram.is_empty() {
            self.drop_from(from, DropReason::Unexpected);
        }
    }

    fn handle_sound(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) {
        if self.plan.is_none() {
            return;
        }
        let Some(opened) = self.keys.open_rtp(now, datagram) else {
            self.note_unauthentic(now, from);
            return;
        };
        let Some(packet) = RtpPacket::parse(&opened.bytes) else {
            return self.drop_from(from, DropReason::MalformedRtp);
        };
        let arrival = self.incoming.handle(now, from, &packet, opened.proof);
        match arrival.fate {
            Fate::Ignored | Fate::Accepted(None) => {}
            Fate::Accepted(Some(readable)) => {
                self.detector.decoded(now, readable);
                if !readable {
                    self.drop_from(from, DropReason::Undecodable);
                }
            }
            Fate::Refused => {
                self.detector.refused(now, from);
                self.drop_from(from, DropReason::Stranger);
            }
            Fate::UnknownPayload => {
                self.detector.unknown_payload(now, packet.payload_type);
                self.drop_from(from, DropReason::PayloadType);
            }
        }
        if let Some(remote) = arrival.flowing {
            self.push_event(SessionEvent::Flowing(remote));
        }
        for digit in arrival.digits.into_iter().flatten() {
            self.push_event(SessionEvent::Digit(digit));
        }
    }

    /// Anybody can forge; only what seems to be the far end's shows what is wrong with it: what comes
    /// from its host, or from elsewhere before it was heard, as a NAT lets it come.
    fn note_unauthentic(&mut self, now: Instant, from: SocketAddr) {
        let far_end = self.incoming.remote().is_none_or(|it| it.ip() == from.ip());
        if self.keys.waits() {
            return;
        }
        self.drop_from(from, DropReason::Unauthentic);
        if far_end {
            self.detector.unauthentic(now);
        } else if !self.incoming.is_heard() {
            self.detector.unauthentic_elsewhere(now, from);
        }
    }

    /// Sends a component there from now on, or nowhere: what ICE has found out.
    pub fn route(&mut self, rtcp: bool, remote: Option<SocketAddr>) {
        if rtcp {
            self.report_latch.apply(remote);
            self.report_keys.route(remote);
        } else {
            self.incoming.route(remote);
            self.keys.route(remote);
        }
    }

    /// Takes what the microphone gave, before each `capture`.
    pub fn microphone(&mut self, now: Instant, captured: Captured) {
        self.detector.captured(now, captured, self.outgoing.muted());
    }

    /// Whether sound has come: what follows is needed at the next tick and not before.
    pub fn hears(&self) -> bool {
        self.incoming.is_heard()
    }

    /// Gives the next 10 ms of what the far end says.
    pub fn playout(&mut self, now: Instant, output: &mut Frame) {
        self.incoming.playout(now, output);
        self.level_in.add(output);
    }

    /// Takes the next 10 ms of what we say, and what the phone itself says over it, muted or not;
    /// leaves in `frame` what is sent.
    pub fn capture(&mut self, now: Instant, frame: &mut Frame, notice: Option<&Frame>) {
        let remote = self.incoming.remote();
        let keepalive = if self.detector.incoming().is_some() {
            URGENT_KEEPALIVE
        } else {
            KEEPALIVE
        };
        let open = remote.is_some() && !self.keys.waits();
        let bytes = self.outgoing.capture(frame, notice, open);
        let Some(to) = remote else {
            return;
        };
        if let Some(bytes) = bytes.and_then(|bytes| self.keys.seal_rtp(bytes)) {
            self.sent_at = now;
            self.transmit(to, false, bytes);
        } else if now.saturating_duration_since(self.sent_at) >= keepalive {
            self.sent_at = now;
            self.transmit(to, false, Vec::new());
        }
    }

    /// Does what time asks for: reports, the end of lost digits, the warning of silence.
    pub fn tick(&mut self, now: Instant) {
        if let Some(digit) = self.incoming.tick(now) {
            self.push_event(SessionEvent::Digit(digit));
        }
        self.keys.tick(now);
        self.report_keys.tick(now);
        self.take_handshake(now);
        if self.plan.is_some() && now >= self.next_report {
            self.next_report = now + self.report_interval();
            self.send_report(now, false);
        }
        if now >= self.next_look {
            self.next_look = now + LOOK;
            self.look(now);
        }
        if let Some(since) = self.listening_since {
            let signs = [self.incoming.heard(), self.reported];
            let since = signs.into_iter().flatten().fold(since, Instant::max);
            let lasting = now.saturating_duration_since(since);
            if lasting < SILENT_AFTER {
                if std::mem::take(&mut self.silences_told) > 0 {
                    self.push_event(SessionEvent::Heard);
                }
            } else if lasting >= SILENT_AFTER * (self.silences_told + 1) {
                self.silences_told += 1;
                self.push_event(SessionEvent::Silent { lasting });
            }
        }
    }

    /// Says goodbye.
    pub fn close(&mut self, now: Instant) {
        if self.plan.is_some() {
            self.send_report(now, true);
        }
    }

    /// Chooses when DRED is sent, from the next codec on.
    pub fn choose_redundancy(&mut self, redundancy: Redundancy) {
        self.outgoing.choose_redundancy(redundancy);
    }

    /// Takes less or more of the processor for what is heard.
    pub fn set_effort(&mut self, effort: Effort) {
        self.incoming.set_effort(effort);
    }

    /// Sends silence in place of what is captured.
    pub fn mute(&mut self, muted: bool) {
        self.outgoing.mute(muted);
    }

    /// Sends digits.
    pub fn send_digits(&mut self, digits: &str) {
        self.outgoing.send_digits(digits);
    }

    /// Whether digits are heard in what is sent, or will be.
    pub fn sounds_digits(&self) -> bool {
        self.outgoing.sounds_digits()
    }

    /// Datagrams that came and were of no use, since the beginning.
    pub fn dropped(&self) -> Dropped {
        self.dropped.all()
    }

    /// Those since the last time, by source.
    pub(super) fn take_dropped(&mut self) -> Vec<DroppedOf> {
        self.dropped.take()
    }

    /// The next datagram to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<SessionEvent> {
        self.events.pop_front()
    }

    /// Looks why one side is not heard, and does against it what can be done here.
    fn look(&mut self, now: Instant) {
        let duties = Duties {
            receives: self.listening_since,
            sends: self.sending_since,
            // While checks look for a way, they say themselves whether there is one.
            reachable: self.incoming.remote().is_some()
                || self.plan.as_ref().is_some_and(|plan| plan.ice.is_some()),
            heard: self.incoming.heard(),
        };
        for (over, found) in self.detector.look(now, &duties) {
            for (cause, over) in [(over, true), (found, false)] {
                if let Some(cause) = cause {
                    self.push_event(SessionEvent::OneWay { cause, over });
                }
            }
            if over.is_none() && found.is_some_and(Cause::is_incoming) {
                // A report at once: it opens the way for those of the far end, and tells it.
                self.next_report = self.next_report.min(now);
            }
        }
    }

    /// Sends what the handshakes want to be sent, and takes what came of them.
    fn take_handshake(&mut self, now: Instant) {
        while let Some((to, bytes)) = self.keys.poll_transmit() {
            self.transmit(to, false, bytes);
        }
        while let Some((to, bytes)) = self.report_keys.poll_transmit() {
            self.transmit(to, true, bytes);
        }
        while let Some(outcome) = self.keys.poll_outcome(now) {
            self.push_event(match outcome {
                Ok(suite) => SessionEvent::Secured(suite),
                Err(failure) => SessionEvent::KeysFailed(failure),
            });
        }
        while let Some(outcome) = self.report_keys.poll_outcome(now) {
            // A call goes on without reports; what is measured by them stays unknown.
            if let Err(failure) = outcome {
                tracing::debug!(%failure, "no keys for RTCP");
            }
        }
    }

    fn transmit(&mut self, to: SocketAddr, from_rtcp_port: bool, bytes: Vec<u8>) {
        if self.transmits.len() < MAX_WAITING {
            self.transmits.push_back(Transmit {
                to,
                from_rtcp_port,
                bytes,
            });
        }
    }

    fn push_event(&mut self, event: SessionEvent) {
        if self.events.len() < MAX_WAITING {
            self.events.push_back(event);
        }
    }
}
