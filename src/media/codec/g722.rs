//! G.722 at 64 kbit/s (RFC 3551 section 4.5.2): 16 kHz, resampled to and from 48 kHz.

use crate::media::codec::activity::{Activity, Suppressor};
use crate::media::codec::adpcm::{AdpcmDecoder, AdpcmEncoder};
use crate::media::codec::tail::WideTail;
use crate::media::codec::{Encoded, MAX_PACKET_SAMPLES, MAX_PAYLOAD_BYTES};
use crate::media::frame::{from_pcm16, to_pcm16};
use crate::media::resample::{Downsampler, WIDE};

/// Samples at 16 kHz that the largest packet holds.
const MOST_SAMPLES: usize = MAX_PACKET_SAMPLES / WIDE;
/// Samples at 48 kHz of one octet.
const OCTET: usize = 2 * WIDE;

/// The sending half.
pub struct G722Encoder {
    adpcm: AdpcmEncoder,
    down: Downsampler<WIDE>,
    samples: [f32; MOST_SAMPLES],
    suppressor: Option<Suppressor>,
}

impl G722Encoder {
    pub(super) fn new(suppress: bool) -> Self {
        Self {
            adpcm: AdpcmEncoder::new(),
            down: Downsampler::default(),
            samples: [0.0; MOST_SAMPLES],
            suppressor: suppress.then(|| Suppressor::new(2)),
        }
    }

    pub(super) fn encode(
        &mut self,
        sound: &[f32],
        payload: &mut [u8; MAX_PAYLOAD_BYTES],
    ) -> Encoded {
        let Some(samples) = self.samples.get_mut(..sound.len() / WIDE) else {
            return Encoded::Nothing;
        };
        self.down.process(sound, samples);
        if let Some(suppressor) = &mut self.suppressor
            && let Activity::Silent(told) = suppressor.judge(samples)
        {
            // The encoder stands still, as the far end's decoder does.
            return told.map_or(Encoded::Nothing, |silence| {
                Encoded::Silence(silence.write(payload))
            });
        }
        let pairs = samples.as_chunks::<2>().0;
        for (octet, pair) in payload.iter_mut().zip(pairs) {
            *octet = self.adpcm.encode(pair.map(to_pcm16));
        }
        Encoded::Sound(pairs.len())
    }
}

/// The receiving half.
pub struct G722Decoder {
    adpcm: AdpcmDecoder,
    tail: WideTail,
}

impl G722Decoder {
    pub(super) fn new() -> Self {
        Self {
            adpcm: AdpcmDecoder::new(),
            tail: WideTail::default(),
        }
    }

    pub(super) fn decode(&mut self, payload: &[u8], output: &mut [f32]) -> bool {
        if payload.len() * OCTET != output.len() {
            return false;
        }
        let adpcm = &mut self.adpcm;
        self.tail.play(output, |samples| {
            let pairs = samples.as_chunks_mut::<2>().0;
            for (pair, octet) in pairs.iter_mut().zip(payload) {
                *pair = adpcm.decode(*octet).map(from_pcm16);
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
    payload.len().checked_mul(OCTET)
}
