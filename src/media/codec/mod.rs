//! Codecs: 48 kHz mono in and out, whatever their own rate.

mod conceal;
pub mod g711;
pub mod opus;

use std::time::Duration;

use crate::media::frame::SAMPLES_PER_MILLI;
use crate::media::jitter::Decode;
use crate::sdp::{Codec, MediaPlan};

/// The most samples that one packet may hold: 120 ms (RFC 6716 section 2.1.4).
pub const MAX_PACKET_SAMPLES: usize = 120 * SAMPLES_PER_MILLI;
/// The largest payload that is taken or made, in bytes: what fits an Ethernet frame.
pub const MAX_PAYLOAD_BYTES: usize = 1_472;

/// Why a codec could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the Opus codec could not be set up: {0}")]
pub struct CodecError(#[from] ::opus::Error);

/// The codec that sends.
pub enum Encoder {
    /// Opus.
    Opus(Box<opus::OpusEncoder>),
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
        Ok(match plan.codec {
            Codec::Opus => Self::Opus(Box::new(opus::OpusEncoder::new(
                plan.opus_fec,
                plan.opus_max_bitrate,
            )?)),
            Codec::Pcmu => Self::G711(Box::new(g711::G711Encoder::new(g711::Law::Mu))),
            Codec::Pcma => Self::G711(Box::new(g711::G711Encoder::new(g711::Law::A))),
        })
    }

    /// Encodes 10, 20, 40 or 60 ms into `payload` and gives its length; 0 when that failed.
    pub fn encode(&mut self, samples: &[f32], payload: &mut [u8; MAX_PAYLOAD_BYTES]) -> usize {
        match self {
            Self::Opus(opus) => opus.encode(samples, payload),
            Self::G711(g711) => g711.encode(samples, payload),
        }
    }

    /// Tells what share of the packets the far end loses, 0.0 to 1.0.
    pub fn expect_loss(&mut self, share: f32) {
        match self {
            Self::Opus(opus) => opus.expect_loss(share),
            Self::G711(_) => {}
        }
    }
}

/// The codec that receives.
pub enum Decoder {
    /// Opus.
    Opus(Box<opus::OpusDecoder>),
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
            Codec::Opus => Self::Opus(Box::new(opus::OpusDecoder::new()?)),
            Codec::Pcmu => Self::G711(Box::new(g711::G711Decoder::new(g711::Law::Mu))),
            Codec::Pcma => Self::G711(Box::new(g711::G711Decoder::new(g711::Law::A))),
        })
    }
}

impl Decode for Decoder {
    fn samples_in(&self, payload: &[u8]) -> Option<usize> {
        let samples = match self {
            Self::Opus(_) => opus::samples_in(payload),
            Self::G711(_) => g711::samples_in(payload),
        };
        samples.filter(|samples| (1..=MAX_PACKET_SAMPLES).contains(samples))
    }

    fn decode(&mut self, payload: &[u8], output: &mut [f32]) -> bool {
        match self {
            Self::Opus(opus) => opus.decode(payload, output),
            Self::G711(g711) => g711.decode(payload, output),
        }
    }

    fn recover(&mut self, next: &[u8], output: &mut [f32]) -> bool {
        match self {
            Self::Opus(opus) => opus.recover(next, output),
            Self::G711(_) => false,
        }
    }

    fn conceal(&mut self, output: &mut [f32]) {
        match self {
            Self::Opus(opus) => opus.conceal(output),
            Self::G711(g711) => g711.conceal(output),
        }
    }
}

/// The samples at 48 kHz that a packet time has.
pub fn samples_of(ptime: Duration) -> usize {
    usize::try_from(ptime.as_millis()).unwrap_or(0) * SAMPLES_PER_MILLI
}

#[cfg(test)]
mod tests;
