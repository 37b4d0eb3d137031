//! One call's outgoing half: codec, digits, packets.

use std::time::{Duration, Instant};

use crate::media::codec::{
    CodecError, Encoded, Encoder, MAX_PACKET_SAMPLES, MAX_PAYLOAD_BYTES, samples_of,
};
use crate::media::dtmf::{DigitTones, DtmfSender, EventStep};
use crate::media::frame::{FRAME_SAMPLES, Frame, Meter, SAMPLE_RATE};
use crate::media::glide::Glide;
use crate::media::rtcp::SenderInfo;
use crate::media::rtp::RtpPacket;
use crate::media::steering::{PathReport, Redundancy, Steering};
use crate::sdp::MediaPlan;

/// The random numbers that a stream begins with (RFC 3550 section 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamSeed {
    /// Our SSRC.
    pub ssrc: u32,
    /// The first sequence number.
    pub sequence: u16,
    /// The first timestamp.
    pub timestamp: u32,
}

/// The half.
pub struct Outgoing {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    plan: Option<MediaPlan>,
    encoder: Option<Encoder>,
    /// What the encoder does about the network; none without an encoder.
    steering: Option<Steering>,
    redundancy: Redundancy,
    /// Sound that waits until a packet is full; its room is made for the first, because many a
    /// call ends before it.
    gathered: Vec<f32>,
    digits: DtmfSender,
    tones: DigitTones,
    event_timestamp: u32,
    /// Whether the next packet is the first after a pause.
    fresh: bool,
    muted: bool,
    /// To or from mute.
    voice: Glide,
    /// To or from the directions in which nothing is sent.
    sound: Glide,
    /// Whether packets are still sent in which the sound ends.
    ending: bool,
    meter: Meter,
    packets: u64,
    bytes: u64,
}

impl Outgoing {
    /// Makes one that sends nothing yet.
    pub fn new(seed: StreamSeed) -> Self {
        Self {
            ssrc: seed.ssrc,
            sequence: seed.sequence,
            timestamp: seed.timestamp,
            plan: None,
            encoder: None,
            steering: None,
            redundancy: Redundancy::default(),
            gathered: Vec::new(),
            digits: DtmfSender::default(),
            tones: DigitTones::default(),
            event_timestamp: 0,
            fresh: true,
            muted: false,
            voice: Glide::OPEN,
            sound: Glide::CLOSED,
            ending: false,
            meter: Meter::default(),
            packets: 0,
            bytes: 0,
        }
    }

    /// Takes a plan; the codec keeps its state, and what is gathered stays, when nothing that
    /// concerns it changed.
    ///
    /// # Errors
    ///
    /// Fails when the codec cannot be made.
    pub fn apply(&mut self, plan: &MediaPlan) -> Result<(), CodecError> {
        let facts = |plan: &MediaPlan| (plan.codec, plan.opus, plan.comfort_noise_send.is_some());
        let same = self
            .plan
            .as_ref()
            .is_some_and(|old| facts(old) == facts(plan));
        if !same || self.encoder.is_none() {
            let steering = Steering::new(&plan.opus, self.redundancy);
            let mut encoder = Encoder::new(plan)?;
            encoder.steer(steering.course());
            self.encoder = Some(encoder);
            self.steering = Some(steering);
        }
        if (!same || self.gathered.len() >= full_length(plan))
            && let Some(old) = &self.plan
        {
            // What is not sent was spoken all the same: the clock goes on.
            let unsent = tick_of(old, self.gathered.len());
            self.timestamp = self.timestamp.wrapping_add(unsent);
            self.gathered.clear();
        }
        if !plan.direction.sends() {
            self.digits.clear();
            self.tones.clear();
        }
        let audible = self.ending || self.sound.passes(false);
        self.ending = same && !plan.direction.sends() && audible;
        self.plan = Some(plan.clone());
        Ok(())
    }

    /// Chooses when DRED is sent, for the encoders that are made from here on.
    pub fn choose_redundancy(&mut self, redundancy: Redundancy) {
        self.redundancy = redundancy;
    }

    /// Takes 10 ms, which is `frame` after mute and what is mixed over it; gives a datagram when a
    /// packet is full and there is somewhere to send it.
    pub fn capture(
        &mut self,
        frame: &mut Frame,
        over: Option<&Frame>,
        reachable: bool,
    ) -> Option<Vec<u8>> {
        self.voice.apply(!self.muted, frame);
        self.tones.replace(frame);
        self.meter.add(frame);
        for (sample, over) in frame.iter_mut().zip(over.into_iter().flatten()) {
            *sample += over;
        }
        let plan = self.plan.as_ref()?;
        let step = tick_of(plan, FRAME_SAMPLES);
        let sends = plan.direction.sends();
        if !(sends || self.ending) || !reachable {
            self.sound = Glide::CLOSED;
            self.ending = false;
            let unsent = tick_of(plan, self.gathered.len());
            self.timestamp = self.timestamp.wrapping_add(unsent).wrapping_add(step);
            self.fresh = true;
            self.gathered.clear();
            return None;
        }
        let heard = self.sound.apply(sends, frame);
        let full = full_length(plan);
        self.gathered
            .reserve_exact(full.saturating_sub(self.gathered.len()));
        self.gathered.extend_from_slice(frame);
        if self.gathered.len() < full {
            return None;
        }
        let datagram = self.packet(full);
        self.gathered.clear();
        // A codec is some milliseconds behind: the last packet ends with silence.
        self.ending &= heard;
        if let Some(plan) = &self.plan {
            self.timestamp = self.timestamp.wrapping_add(tick_of(plan, full));
        }
        datagram
    }

    /// Adds digits: as events where the far end takes those, else in band. Ignored while we do not
    /// send.
    pub fn send_digits(&mut self, digits: &str) {
        let Some(plan) = self.plan.as_ref().filter(|plan| plan.direction.sends()) else {
            return;
        };
        if plan.telephone_event_send.is_some() {
            self.digits.push(digits);
        } else {
            self.tones.push(digits);
        }
    }

    /// Whether digits are heard in what is sent, or will be.
    pub fn sounds_digits(&self) -> bool {
        self.tones.sounds()
    }

    /// Sends silence in place of what is captured.
    pub fn mute(&mut self, muted: bool) {
        self.muted = muted;
    }

    /// Whether silence is sent in place of what is captured.
    pub fn muted(&self) -> bool {
        self.muted
    }

    /// Takes what the far end reports of our stream; the codec follows.
    pub fn report(&mut self, now: Instant, report: PathReport) {
        if let (Some(steering), Some(encoder)) = (&mut self.steering, &mut self.encoder) {
            steering.report(now, report);
            encoder.steer(steering.course());
        }
    }

    /// The far end is reached by another way, or is another one.
    pub fn forget_way(&mut self) {
        if let Some(steering) = &mut self.steering {
            steering.forget_way();
        }
    }

    /// Our SSRC.
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Packets sent.
    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// The level after mute, 0.0 to 1.0.
    pub fn level(&self) -> f32 {
        self.meter.level()
    }

    /// What to say of ourselves at that NTP time; none before the first packet.
    pub fn sender_info(&self, ntp_time: u64) -> Option<SenderInfo> {
        (self.packets > 0).then(|| SenderInfo {
            ntp_time,
            rtp_time: self.timestamp,
            packets: low_bits(self.packets),
            bytes: low_bits(self.bytes),
        })
    }

    /// Makes the packet of the `samples` gathered, or of a digit in their place.
    fn packet(&mut self, samples: usize) -> Option<Vec<u8>> {
        let plan = self.plan.as_ref()?;
        if let Some(payload_type) = plan.telephone_event_send
            && let EventStep::Send(event) = self
                .digits
                .step(plan.ptime_millis, plan.telephone_event_rate)
        {
            if event.start {
                self.event_timestamp = self.timestamp;
            }
            let payload = event.payload.write();
            let timestamp = self.event_timestamp;
            self.fresh = true;
            return Some(self.write(event.start, payload_type, timestamp, &payload));
        }
        let (sound_type, noise_type) = (plan.send_payload_type, plan.comfort_noise_send);
        let mut payload = [0; MAX_PAYLOAD_BYTES];
        let sound = self.gathered.get(..samples)?;
        let (length, payload_type, marker) =
            match self.encoder.as_mut()?.encode(sound, &mut payload) {
                Encoded::Sound(length) => (length, sound_type, std::mem::take(&mut self.fresh)),
                Encoded::Silence(length) => {
                    self.fresh = true;
                    (length, noise_type?, false)
                }
                Encoded::Nothing => {
                    self.fresh = true;
                    return None;
                }
            };
        let payload = payload.get(..length)?;
        Some(self.write(marker, payload_type, self.timestamp, payload))
    }

    fn write(&mut self, marker: bool, payload_type: u8, timestamp: u32, payload: &[u8]) -> Vec<u8> {
        let packet = RtpPacket {
            marker,
            payload_type,
            sequence: self.sequence,
            timestamp,
            ssrc: self.ssrc,
            payload,
        };
        self.sequence = self.sequence.wrapping_add(1);
        self.packets += 1;
        self.bytes += u64::try_from(payload.len()).unwrap_or(0);
        packet.write()
    }
}

/// The samples at 48 kHz of the plan's packets.
fn full_length(plan: &MediaPlan) -> usize {
    let ptime = Duration::from_millis(u64::from(plan.ptime_millis));
    samples_of(ptime).clamp(FRAME_SAMPLES, MAX_PACKET_SAMPLES / 2)
}

/// Samples at 48 kHz in the clock of the plan's codec.
fn tick_of(plan: &MediaPlan, samples: usize) -> u32 {
    let scale = SAMPLE_RATE / plan.codec.clock_rate();
    u32::try_from(samples).unwrap_or(0) / scale.max(1)
}

fn low_bits(count: u64) -> u32 {
    u32::try_from(count & u64::from(u32::MAX)).unwrap_or(0)
}
