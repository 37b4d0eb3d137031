//! G.711 (RFC 3551 sections 4.5.14): 8 kHz, resampled to and from 48 kHz.

use audio_codec_algorithms::{decode_alaw, decode_ulaw, encode_alaw, encode_ulaw};

use crate::media::codec::conceal::PitchConcealment;
use crate::media::codec::{MAX_PACKET_SAMPLES, MAX_PAYLOAD_BYTES};
use crate::media::frame::{from_pcm16, to_pcm16};
use crate::media::resample::{Downsampler, FACTOR, Upsampler};

/// Samples at 8 kHz that the largest packet holds.
const MAX_NARROW: usize = MAX_PACKET_SAMPLES / FACTOR;

/// Which of the two laws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Law {
    /// µ-law, PCMU.
    Mu,
    /// A-law, PCMA.
    A,
}

impl Law {
    fn encode(self, sample: i16) -> u8 {
        match self {
            Self::Mu => encode_ulaw(sample),
            Self::A => encode_alaw(sample),
        }
    }

    fn decode(self, byte: u8) -> i16 {
        match self {
            Self::Mu => decode_ulaw(byte),
            Self::A => decode_alaw(byte),
        }
    }
}

/// The sending half.
pub struct G711Encoder {
    law: Law,
    down: Downsampler,
    narrow: [f32; MAX_NARROW],
}

impl G711Encoder {
    pub(super) fn new(law: Law) -> Self {
        Self {
            law,
            down: Downsampler::default(),
            narrow: [0.0; MAX_NARROW],
        }
    }

    pub(super) fn encode(
        &mut self,
        samples: &[f32],
        payload: &mut [u8; MAX_PAYLOAD_BYTES],
    ) -> usize {
        let Some(narrow) = self.narrow.get_mut(..samples.len() / FACTOR) else {
            return 0;
        };
        self.down.process(samples, narrow);
        for (byte, sample) in payload.iter_mut().zip(narrow.iter()) {
            *byte = self.law.encode(to_pcm16(*sample));
        }
        narrow.len()
    }
}

/// The receiving half.
pub struct G711Decoder {
    law: Law,
    up: Upsampler,
    concealment: PitchConcealment,
    narrow: [f32; MAX_NARROW],
}

impl G711Decoder {
    pub(super) fn new(law: Law) -> Self {
        Self {
            law,
            up: Upsampler::default(),
            concealment: PitchConcealment::default(),
            narrow: [0.0; MAX_NARROW],
        }
    }

    pub(super) fn decode(&mut self, payload: &[u8], output: &mut [f32]) -> bool {
        if payload.len() * FACTOR != output.len() {
            return false;
        }
        let Some(narrow) = self.narrow.get_mut(..payload.len()) else {
            return false;
        };
        for (sample, byte) in narrow.iter_mut().zip(payload) {
            *sample = from_pcm16(self.law.decode(*byte));
        }
        self.concealment.hear(narrow);
        self.up.process(narrow, output);
        true
    }

    pub(super) fn conceal(&mut self, output: &mut [f32]) {
        for piece in output.chunks_mut(MAX_PACKET_SAMPLES) {
            // What is left over at a length that is no multiple of six stays silent.
            piece.fill(0.0);
            let Some(narrow) = self.narrow.get_mut(..piece.len() / FACTOR) else {
                return;
            };
            self.concealment.fill(narrow);
            self.up.process(narrow, piece);
        }
    }
}

/// The samples at 48 kHz of a packet.
pub(super) fn samples_in(payload: &[u8]) -> Option<usize> {
    payload.len().checked_mul(FACTOR)
}
