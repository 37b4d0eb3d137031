//! G.711 (RFC 3551 sections 4.5.14): 8 kHz, resampled to and from 48 kHz.

use audio_codec_algorithms::{decode_alaw, decode_ulaw, encode_alaw, encode_ulaw};

use crate::media::codec::activity::{Activity, Suppressor};
use crate::media::codec::tail::NarrowTail;
use crate::media::codec::{Encoded, MAX_PACKET_SAMPLES, MAX_PAYLOAD_BYTES};
use crate::media::frame::{from_pcm16, to_pcm16};
use crate::media::resample::{Downsampler, NARROW};

/// Samples at 8 kHz that the largest packet holds.
const MOST_SAMPLES: usize = MAX_PACKET_SAMPLES / NARROW;

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
    down: Downsampler<NARROW>,
    samples: [f32; MOST_SAMPLES],
    suppressor: Option<Suppressor>,
}

impl G711Encoder {
    pub(super) fn new(law: Law, suppress: bool) -> Self {
        Self {
            law,
            down: Downsampler::default(),
            samples: [0.0; MOST_SAMPLES],
            suppressor: suppress.then(|| Suppressor::new(1)),
        }
    }

    pub(super) fn encode(
        &mut self,
        sound: &[f32],
        payload: &mut [u8; MAX_PAYLOAD_BYTES],
    ) -> Encoded {
        let Some(samples) = self.samples.get_mut(..sound.len() / NARROW) else {
            return Encoded::Nothing;
        };
        self.down.process(sound, samples);
        if let Some(suppressor) = &mut self.suppressor
            && let Activity::Silent(told) = suppressor.judge(samples)
        {
            return told.map_or(Encoded::Nothing, |silence| {
                Encoded::Silence(silence.write(payload))
            });
        }
        for (byte, sample) in payload.iter_mut().zip(samples.iter()) {
            *byte = self.law.encode(to_pcm16(*sample));
        }
        Encoded::Sound(samples.len())
    }
}

/// The receiving half.
pub struct G711Decoder {
    law: Law,
    tail: NarrowTail,
}

impl G711Decoder {
    pub(super) fn new(law: Law) -> Self {
        Self {
            law,
            tail: NarrowTail::default(),
        }
    }

    pub(super) fn decode(&mut self, payload: &[u8], output: &mut [f32]) -> bool {
        if payload.len() * NARROW != output.len() {
            return false;
        }
        let law = self.law;
        self.tail.play(output, |samples| {
            for (sample, byte) in samples.iter_mut().zip(payload) {
                *sample = from_pcm16(law.decode(*byte));
            }
        })
    }

    pub(super) fn conceal(&mut self, output: &mut [f32]) {
        self.tail.conceal(output);
    }

    pub(super) fn rest(&mut self, payload: &[u8]) {
        self.tail.rest(payload);
    }
}

/// The samples at 48 kHz of a packet.
pub(super) fn samples_in(payload: &[u8]) -> Option<usize> {
    payload.len().checked_mul(NARROW)
}
