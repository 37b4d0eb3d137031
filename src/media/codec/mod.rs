//! Codecs: 48 kHz mono in and out, whatever their own rate.

mod activity;
mod adpcm;
mod conceal;
mod effort;
pub mod g711;
pub mod g722;
mod libopus;
mod noise;
pub mod opus;
mod receiver;
mod silence;
mod source_band;
mod tail;

use std::time::Duration;

use crate::media::frame::SAMPLES_PER_MILLI;
use crate::sdp::{Codec, MediaPlan};

pub use effort::{Effort, EffortRule};
pub use libopus::OpusError;
pub use receiver::Receiver;

/// The most samples that one packet may hold: 120 ms (RFC 6716 section 2.1.4).
pub const MAX_PACKET_SAMPLES: usize = 120 * SAMPLES_PER_MILLI;
/// The largest payload that is taken or made, in bytes: what fits an Ethernet frame.
pub const MAX_PAYLOAD_BYTES: usize = 1_472;

/// Why a codec could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the Opus codec could not be set up: {0}")]
pub struct CodecError(#[from] OpusError);

/// What the sending codec does about the network; only Opus can do anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Course {
    /// Bits a second, redundancy included.
    pub bitrate: u32,
    /// The loss that redundancy is made for, in percent; at 0 there is no in-band FEC.
    pub expected_loss: u8,
    /// How much sound each packet carries again as DRED, in steps of 10 ms.
    pub redundancy: u8,
}

/// What became of a packet's sound; the numbers are bytes of the payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoded {
    /// Sound.
    Sound(usize),
    /// What the background sounds like from here on (RFC 3389).
    Silence(usize),
    /// Nothing is to be sent: it is silent as told, or the codec failed.
    Nothing,
}

/// The codec that sends.
pub enum Encoder {
    /// Opus.
    Opus(Box<opus::OpusEncoder>),
    /// G.722.
    G722(Box<g722::G722Encoder>),
    /// G.711.
    G711(Box<g711::G711Encoder>),
}

impl Encoder {
    /// Makes the one that the plan names.
    ///
    /// # Errors
    ///
    /// Fails when libopus has no memory.
    pub fn new(plan: &MediaPlan) -> Result<Self, CodecError> {
        let suppress = plan.comfort_noise_send.is_some();
        let g711 = |law| Self::G711(Box::new(g711::G711Encoder::new(law, suppress)));
        Ok(match plan.codec {
            Codec::Opus => Self::Opus(Box::new(opus::OpusEncoder::new(&plan.opus)?)),
            Codec::G722 => Self::G722(Box::new(g722::G722Encoder::new(suppress))),
            Codec::Pcmu => g711(g711::Law::Mu),
            Codec::Pcma => g711(g711::Law::A),
        })
    }

    /// Encodes 10, 20, 40 or 60 ms into `payload`; all but Opus take 30 and 50, too.
    pub fn encode(&mut self, samples: &[f32], payload: &mut [u8; MAX_PAYLOAD_BYTES]) -> Encoded {
        match self {
            Self::Opus(opus) => opus.encode(samples, payload),
            Self::G722(g722) => g722.encode(samples, payload),
            Self::G711(g711) => g711.encode(samples, payload),
        }
    }

    /// Follows a course from the next packet on.
    pub fn steer(&mut self, course: Course) {
        match self {
            Self::Opus(opus) => opus.steer(course),
            Self::G722(_) | Self::G711(_) => {}
        }
    }
}

/// The codec that receives.
pub enum Decoder {
    /// Opus.
    Opus(Box<opus::OpusDecoder>),
    /// G.722.
    G722(Box<g722::G722Decoder>),
    /// G.711.
    G711(Box<g711::G711Decoder>),
}

impl Decoder {
    /// Makes one.
    ///
    /// # Errors
    ///
    /// Fails when libopus has no memory.
    pub fn new(codec: Codec) -> Result<Self, CodecError> {
        Ok(match codec {
            Codec::Opus => Self::Opus(Box::new(opus::OpusDecoder::new(Effort::default())?)),
            Codec::G722 => Self::G722(Box::new(g722::G722Decoder::new())),
            Codec::Pcmu => Self::G711(Box::new(g711::G711Decoder::new(g711::Law::Mu))),
            Codec::Pcma => Self::G711(Box::new(g711::G711Decoder::new(g711::Law::A))),
        })
    }

    /// Decodes a payload into exactly its samples; false when it is damaged.
    pub fn decode(&mut self, payload: &[u8], output: &mut [f32]) -> bool {
        match self {
            Self::Opus(opus) => opus.decode(payload, output),
            Self::G722(g722) => g722.decode(payload, output),
            Self::G711(g711) => g711.decode(payload, output),
        }
    }

    /// Takes less or more of the processor from here on.
    pub fn set_effort(&mut self, effort: Effort) {
        match self {
            Self::Opus(opus) => opus.set_effort(effort),
            Self::G722(_) | Self::G711(_) => {}
        }
    }

    /// Fills what begins `before` samples before `next` from the redundancy in it; false when there is
    /// none that reaches so far.
    pub fn recover(&mut self, next: &[u8], before: usize, output: &mut [f32]) -> bool {
        match self {
            Self::Opus(opus) => opus.recover(next, before, output),
            Self::G722(_) | Self::G711(_) => false,
        }
    }

    /// How far before a packet its redundancy reaches, in samples.
    pub fn reach(&mut self, payload: &[u8]) -> usize {
        match self {
            Self::Opus(opus) => opus.reach(payload),
            Self::G722(_) | Self::G711(_) => 0,
        }
    }

    /// Makes up sound that continues what was decoded last; comfort noise while the far end rests.
    pub fn conceal(&mut self, output: &mut [f32]) {
        match self {
            Self::Opus(opus) => opus.conceal(output),
            Self::G722(g722) => g722.conceal(output),
            Self::G711(g711) => g711.conceal(output),
        }
    }

    /// The far end is silent until the next payload is decoded; `payload` tells what its background
    /// sounds like (RFC 3389), and is empty where nothing is told. Opus knows by itself.
    pub fn rest(&mut self, payload: &[u8]) {
        match self {
            Self::Opus(_) => {}
            Self::G722(g722) => g722.rest(payload),
            Self::G711(g711) => g711.rest(payload),
        }
    }
}

/// How many samples at 48 kHz a codec's payload holds; none when it is damaged.
pub fn samples_in(codec: Codec, payload: &[u8]) -> Option<usize> {
    let samples = match codec {
        Codec::Opus => opus::samples_in(payload),
        Codec::G722 => g722::samples_in(payload),
        Codec::Pcmu | Codec::Pcma => g711::samples_in(payload),
    };
    samples.filter(|samples| (1..=MAX_PACKET_SAMPLES).contains(samples))
}

/// The samples at 48 kHz that a packet time has.
pub fn samples_of(ptime: Duration) -> usize {
    usize::try_from(ptime.as_millis()).unwrap_or(0) * SAMPLES_PER_MILLI
}

#[cfg(test)]
mod tests;
