//! One call's incoming half: source, statistics, digits, jitter buffer, codec.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::media::codec::{Effort, Receiver, samples_in};
use crate::media::dtmf::{DtmfReceiver, EventPayload, ReceivedDigit};
use crate::media::frame::{Frame, SAMPLE_RATE, SILENCE, duration_of};
use crate::media::glide::Glide;
use crate::media::jitter::{JitterBuffer, JitterFigures, SoundPacket};
use crate::media::quality::ArrivalRecord;
use crate::media::rtcp::ReportBlock;
use crate::media::rtp::RtpPacket;
use crate::media::statistics::SourceStatistics;
use crate::media::transport::{FarSound, Latch, Proof};
use crate::sdp::{Codec, MediaPlan};

/// A new SSRC takes over at once when the old one has been silent for so long.
const SOURCE_SILENCE: Duration = Duration::from_millis(200);

/// What a payload type means here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Sound(Codec),
    Event { clock_rate: u32 },
    ComfortNoise,
}

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Fate {
    /// It is not the time for it, or it is of no use.
    #[default]
    Ignored,
    /// Its source is not believed.
    Refused,
    /// Nobody agreed on its payload type.
    UnknownPayload,
    /// It was taken; whether the codec can read it, when it is sound.
    Accepted(Option<bool>),
}

/// What a packet led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Arrival {
    /// What became of it.
    pub(super) fate: Fate,
    /// The address of a source whose first packet this was.
    pub(super) flowing: Option<SocketAddr>,
    /// Digits that it ended.
    pub(super) digits: [Option<ReceivedDigit>; 2],
}

/// The half.
pub(super) struct Incoming {
    latch: Latch,
    meanings: Vec<(u8, Meaning)>,
    receives: bool,
    /// To or from the directions in which nothing is heard.
    sound: Glide,
    source: Option<SourceStatistics>,
    /// The clock rate of the sound that came last, in hertz.
    clock_rate: u32,
    /// A packet of another SSRC that came last.
    newcomer: Option<(u32, u16)>,
    /// Received and lost by sources that were replaced.
    earlier: (u64, u64),
    /// Made for the first packet: it is large, and many a call ends before it.
    jitter: Option<Box<JitterBuffer>>,
    receiver: Receiver,
    /// The codec of the sound that came last, or that will.
    codec: Option<Codec>,
    /// The length of the sound packet that came last, in samples.
    packet_samples: usize,
    record: ArrivalRecord,
    digits: DtmfReceiver,
    heard: Option<Instant>,
    flowing_from: Option<(SocketAddr, u32)>,
}

impl Incoming {
    /// Makes one that knows nothing yet.
    pub(super) fn new() -> Self {
        Self {
            latch: Latch::default(),
            meanings: Vec::new(),
            receives: false,
            sound: Glide::CLOSED,
            source: None,
            clock_rate: SAMPLE_RATE,
            newcomer: None,
            earlier: (0, 0),
            jitter: None,
            receiver: Receiver::default(),
            codec: None,
            packet_samples: 0,
            record: ArrivalRecord::default(),
            digits: DtmfReceiver::default(),
            heard: None,
            flowing_from: None,
        }
    }

    /// Takes a plan.
    pub(super) fn apply(&mut self, plan: &MediaPlan) {
        self.latch.apply(plan.remote_rtp);
        if plan.direction.receives() && !self.receives {
            // Time went by without a pull.
            if let Some(jitter) = &mut self.jitter {
                jitter.silence();
            }
            self.receiver.forget();
        }
        self.receives = plan.direction.receives();
        self.meanings.clear();
        for (payload_type, codec) in &plan.receive {
            self.meanings.push((*payload_type, Meaning::Sound(*codec)));
        }
        for (payload_type, clock_rate) in &plan.telephone_event_receive {
            let clock_rate = *clock_rate;
            self.meanings
                .push((*payload_type, Meaning::Event { clock_rate }));
        }
        for payload_type in &plan.comfort_noise_receive {
            self.meanings.push((*payload_type, Meaning::ComfortNoise));
        }
        self.codec = self.codec.or(Some(plan.codec));
    }

    /// Expects the far end there, and sends there.
    pub(super) fn route(&mut self, remote: Option<SocketAddr>) {
        self.latch.apply(remote);
    }

    /// Takes a packet; `proof` says what tells that it is the far end's.
    pub(super) fn handle(
        &mut self,
        now: Instant,
        from: SocketAddr,
        packet: &RtpPacket<'_>,
        proof: Proof,
    ) -> Arrival {
        let meaning = self.meanings.iter().find(|m| m.0 == packet.payload_type);
        let Some((_, meaning)) = meaning.copied() else {
            return self.leave(self.stranger_or(from, Fate::UnknownPayload));
        };
        if !self.receives {
            return Arrival::default();
        }
        if !self.latch.accept(now, from, packet, proof) {
            return self.leave(Fate::Refused);
        }
        if !self.is_source(now, packet) {
            return Arrival::default();
        }
        self.heard = Some(now);
        let clock_rate = match meaning {
            Meaning::Sound(codec) => codec.clock_rate(),
            Meaning::Event { .. } | Meaning::ComfortNoise => self.clock_rate,
        };
        if let Some(source) = &mut self.source {
            source.add(now, packet, clock_rate);
        }
        let mut arrival = Arrival {
            fate: Fate::Accepted(None),
            ..Arrival::default()
        };
        let late = self.figures().late;
        // One that was overtaken while the far end moved begins nothing.
        let here = self.latch.remote() == Some(from);
        if here && self.flowing_from != Some((from, packet.ssrc)) {
            self.flowing_from = Some((from, packet.ssrc));
            arrival.flowing = Some(from);
        }
        match meaning {
            Meaning::Sound(codec) => {
                arrival.fate = Fate::Accepted(Some(self.hear(now, packet, codec)));
            }
            Meaning::Event { clock_rate } => {
                self.skip(packet.sequence);
                if let Some(payload) = EventPayload::parse(packet.payload) {
                    arrival.digits = self
                        .digits
                        .handle(now, packet.timestamp, clock_rate, payload);
                }
            }
            Meaning::ComfortNoise => match self.codec {
                // Opus has a noise of its own; what another one tells is of no use to it.
                Some(Codec::Opus) | None => self.skip(packet.sequence),
                Some(codec) => self.push(now, packet, codec, 0),
            },
        }
        let in_time = self.figures().late == late;
        self.record.add(packet.sequence, in_time);
        arrival
    }

    /// Takes less or more of the processor.
    pub(super) fn set_effort(&mut self, effort: Effort) {
        self.receiver.set_effort(effort);
    }

    /// Gives the next 10 ms.
    pub(super) fn playout(&mut self, now: Instant, output: &mut Frame) {
        match &mut self.jitter {
            // What waits there is enough to end without a click.
            Some(jitter) if self.sound.passes(self.receives) => {
                jitter.pull(now, &mut self.receiver, output);
            }
            Some(_) | None => *output = SILENCE,
        }
        self.sound.apply(self.receives, output);
    }

    /// Gives a digit whose end was lost.
    pub(super) fn tick(&mut self, now: Instant) -> Option<ReceivedDigit> {
        self.digits.tick(now)
    }

    /// Where to send.
    pub(super) fn remote(&self) -> Option<SocketAddr> {
        self.latch.remote()
    }

    /// Where its sound comes from, and which is heard.
    pub(super) fn sound(&self) -> FarSound {
        let source = self.source.as_ref().filter(|_| self.is_heard());
        FarSound {
            remote: self.latch.remote(),
            found: self.latch.is_found(),
            ssrc: source.map(|source| source.ssrc),
        }
    }

    /// Whether something was heard since the last session description.
    pub(super) fn is_heard(&self) -> bool {
        self.latch.is_heard()
    }

    /// When the last packet came.
    pub(super) fn heard(&self) -> Option<Instant> {
        self.heard
    }

    /// Packets received, and packets that never came, of all sources.
    pub(super) fn counts(&self) -> (u64, u64) {
        let (received, lost) = self.earlier;
        match &self.source {
            Some(source) => (received + source.received(), lost + source.lost()),
            None => (received, lost),
        }
    }

    /// Which packets came in time.
    pub(super) fn record(&mut self) -> &mut ArrivalRecord {
        &mut self.record
    }

    /// The codec of the sound that came last, and how long its packets are.
    pub(super) fn codec(&self) -> Option<(Codec, Duration)> {
        let samples = u64::try_from(self.packet_samples).unwrap_or(0);
        Some((self.codec?, duration_of(samples)))
    }

    /// Interarrival jitter, once two packets came.
    pub(super) fn measured_jitter(&self) -> Option<Duration> {
        let source = self.source.as_ref()?;
        (source.received() > 1).then(|| self.jitter())
    }

    /// The playout delay, once there is sound to play.
    pub(super) fn measured_delay(&self) -> Option<Duration> {
        let delay = self.playout_delay();
        (!delay.is_zero()).then_some(delay)
    }

    /// Interarrival jitter.
    pub(super) fn jitter(&self) -> Duration {
        let ticks = self.source.as_ref().map_or(0, SourceStatistics::jitter);
        Duration::from_secs(1) * ticks / self.clock_rate.max(1)
    }

    /// What the jitter buffer did.
    pub(super) fn figures(&self) -> JitterFigures {
        self.jitter
            .as_ref()
            .map(|jitter| jitter.figures())
            .unwrap_or_default()
    }

    /// The playout delay.
    pub(super) fn playout_delay(&self) -> Duration {
        self.jitter
            .as_ref()
            .map(|jitter| jitter.playout_delay())
            .unwrap_or_default()
    }

    /// What to report of the current source; begins a new interval of loss.
    pub(super) fn report(&mut self) -> Option<ReportBlock> {
        let source = self.source.as_mut()?;
        Some(ReportBlock {
            ssrc: source.ssrc,
            fraction_lost: source.take_fraction_lost(),
            total_lost: u32::try_from(source.lost()).unwrap_or(u32::MAX),
            highest_sequence: source.extended_sequence(),
            jitter: source.jitter(),
            last_sender_report: 0,
            delay_since_last: 0,
        })
    }

    /// Whether a packet belongs to the source that is heard, which it may replace: at its second
    /// consecutive packet, or at once when the old one is silent.
    ///
    /// Our own SSRC is no reason to refuse: simple echo servers send our packets back unchanged.
    fn is_source(&mut self, now: Instant, packet: &RtpPacket<'_>) -> bool {
        if let Some(source) = &self.source {
            if source.ssrc == packet.ssrc {
                self.newcomer = None;
                return true;
            }
            let silent = self
                .heard
                .is_none_or(|heard| now.saturating_duration_since(heard) >= SOURCE_SILENCE);
            let expected = (packet.ssrc, packet.sequence.wrapping_sub(1));
            if !silent && self.newcomer != Some(expected) {
                self.newcomer = Some((packet.ssrc, packet.sequence));
                return false;
            }
            self.earlier = self.counts();
            self.record.restart();
            if let Some(jitter) = &mut self.jitter {
                jitter.restart();
            }
            self.receiver.renew();
            self.digits = DtmfReceiver::default();
        }
        self.newcomer = None;
        self.source = Some(SourceStatistics::new(now, packet));
        true
    }

    /// A packet that is not taken.
    fn leave(&self, fate: Fate) -> Arrival {
        Arrival {
            fate: if self.receives { fate } else { Fate::Ignored },
            ..Arrival::default()
        }
    }

    /// What a packet of the far end shows; one from elsewhere shows nothing of that.
    fn stranger_or(&self, from: SocketAddr, fate: Fate) -> Fate {
        match self.latch.remote() {
            Some(remote) if remote.ip() != from.ip() => Fate::Refused,
            Some(_) | None => fate,
        }
    }

    /// A packet that is no sound stands in the row of the others.
    fn skip(&mut self, sequence: u16) {
        if let Some(jitter) = &mut self.jitter {
            jitter.skip(sequence);
        }
    }

    /// Takes sound; whether the codec can read it.
    fn hear(&mut self, now: Instant, packet: &RtpPacket<'_>, codec: Codec) -> bool {
        // A packet without a byte is the shortest way to say that nothing is to be heard.
        let samples = if packet.payload.is_empty() {
            Some(0)
        } else {
            samples_in(codec, packet.payload)
        };
        if let Some(samples) = samples {
            self.codec = Some(codec);
            self.clock_rate = codec.clock_rate();
            if samples > 0 {
                self.packet_samples = samples;
            }
            self.push(now, packet, codec, samples);
        }
        samples.is_some()
    }

    fn push(&mut self, now: Instant, packet: &RtpPacket<'_>, codec: Codec, samples: usize) {
        let jitter = self
            .jitter
            .get_or_insert_with(|| Box::new(JitterBuffer::new(now)));
        let sound = SoundPacket {
            sequence: packet.sequence,
            timestamp: packet.timestamp,
            scale: SAMPLE_RATE / codec.clock_rate(),
            codec,
            samples,
            payload: packet.payload,
        };
        jitter.push(now, &sound);
    }
}
