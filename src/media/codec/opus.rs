//! Opus (RFC 6716) by libopus: mono at 48 kHz with in-band FEC.

use opus::{Application, Bandwidth, Bitrate, Channels};

use crate::media::codec::{CodecError, Encoded, MAX_PACKET_SAMPLES, MAX_PAYLOAD_BYTES};
use crate::sdp::OpusParameters;

/// Bits a second: full-band speech (RFC 7587 section 3.1.1 names 28 to 40 kbit/s).
const BITRATE: u32 = 32_000;
/// RFC 7587 section 6.1: the least that the codec makes.
const LEAST_BITRATE: u32 = 6_000;
/// Encoder complexity, 0 to 10; 5 costs 5 ms of CPU a second.
const COMPLEXITY: i32 = 5;
/// The loss that FEC is prepared for before the far end has reported, in percent.
const LEAST_EXPECTED_LOSS: i32 = 5;
/// A packet up to this size says that nothing is to be heard, and need not be sent.
const LARGEST_SILENCE: usize = 2;

/// The sending half.
pub struct OpusEncoder {
    encoder: opus::Encoder,
    expected_loss: i32,
    fec: bool,
    dtx: bool,
}

impl OpusEncoder {
    /// Makes one that sends what the far end can use: no FEC that it does not read, no frequencies
    /// that it does not play, and never more bits than it takes.
    pub(super) fn new(wanted: &OpusParameters) -> Result<Self, CodecError> {
        let mut encoder = opus::Encoder::new(48_000, Channels::Mono, Application::Voip)?;
        let (bandwidth, most) = band(wanted.max_playback_rate);
        let bitrate = wanted.max_bitrate.unwrap_or(BITRATE).min(most);
        let bitrate = bitrate.clamp(LEAST_BITRATE, BITRATE);
        encoder.set_bitrate(Bitrate::Bits(i32::try_from(bitrate).unwrap_or(32_000)))?;
        encoder.set_max_bandwidth(bandwidth)?;
        encoder.set_complexity(COMPLEXITY)?;
        encoder.set_vbr(!wanted.constant_bitrate)?;
        encoder.set_inband_fec(wanted.fec)?;
        encoder.set_packet_loss_perc(if wanted.fec { LEAST_EXPECTED_LOSS } else { 0 })?;
        encoder.set_dtx(wanted.dtx)?;
        Ok(Self {
            encoder,
            expected_loss: LEAST_EXPECTED_LOSS,
            fec: wanted.fec,
            dtx: wanted.dtx,
        })
    }

    pub(super) fn encode(
        &mut self,
        samples: &[f32],
        payload: &mut [u8; MAX_PAYLOAD_BYTES],
    ) -> Encoded {
        match self.encoder.encode_float(samples, payload).unwrap_or(0) {
            0 => Encoded::Nothing,
            length if self.dtx && length <= LARGEST_SILENCE => Encoded::Nothing,
            length => Encoded::Sound(length),
        }
    }

    /// Follows a rise at once and a fall slowly, because loss comes in spells.
    #[expect(clippy::cast_possible_truncation, reason = "0 to 100")]
    pub(super) fn expect_loss(&mut self, share: f32) {
        let percent = (share.clamp(0.0, 1.0) * 100.0).ceil() as i32;
        let expected = percent
            .max(self.expected_loss * 3 / 4)
            .clamp(LEAST_EXPECTED_LOSS, 30);
        if self.fec
            && expected != self.expected_loss
            && self.encoder.set_packet_loss_perc(expected).is_ok()
        {
            self.expected_loss = expected;
        }
    }
}

/// The receiving half; stereo streams are mixed down by the decoder.
pub struct OpusDecoder(opus::Decoder);

impl OpusDecoder {
    pub(super) fn new() -> Result<Self, CodecError> {
        Ok(Self(opus::Decoder::new(48_000, Channels::Mono)?))
    }

    pub(super) fn decode(&mut self, payload: &[u8], output: &mut [f32]) -> bool {
        // An empty payload would ask libopus for concealment.
        !payload.is_empty()
            && self.0.decode_float(payload, output, false).ok() == Some(output.len())
    }

    /// Fills the packet before `next` from the FEC in it; false, and untouched, when it has none.
    pub(super) fn recover(&mut self, next: &[u8], output: &mut [f32]) -> bool {
        has_fec(next) && self.0.decode_float(next, output, true).ok() == Some(output.len())
    }

    pub(super) fn conceal(&mut self, output: &mut [f32]) {
        for piece in output.chunks_mut(MAX_PACKET_SAMPLES) {
            if self.0.decode_float(&[], piece, false).is_err() {
                piece.fill(0.0);
            }
        }
    }
}

/// The widest band that a far end plays, with the bits a second that speech needs in it (RFC 7587
/// sections 3.1.1 and 6.1: `maxplaybackrate`, in hertz).
fn band(max_playback_rate: Option<u32>) -> (Bandwidth, u32) {
    match max_playback_rate.unwrap_or(48_000) {
        0..12_000 => (Bandwidth::Narrowband, 12_000),
        12_000..16_000 => (Bandwidth::Mediumband, 16_000),
        16_000..24_000 => (Bandwidth::Wideband, 20_000),
        24_000..48_000 => (Bandwidth::Superwideband, 28_000),
        48_000.. => (Bandwidth::Fullband, BITRATE),
    }
}

/// Whether the far end is silent behind this packet: one that holds no frame, which an encoder with
/// DTX sends now and then (RFC 7587 section 3.1.3).
pub(super) fn rests(payload: &[u8]) -> bool {
    payload.len() <= LARGEST_SILENCE
}

/// The samples at 48 kHz of a packet, from its first byte (RFC 6716 section 3.1).
pub(super) fn samples_in(payload: &[u8]) -> Option<usize> {
    opus::packet::get_nb_samples(payload, 48_000).ok()
}

/// Whether a packet carries the one before it again (the LBRR flag of RFC 6716 section 4.2.4).
///
/// Without it libopus would conceal; the buffer must know, because then a pitch-true concealment
/// in pieces of 10 ms is as good and needs no later packet.
fn has_fec(payload: &[u8]) -> bool {
    let Some((toc, rest)) = payload.split_first() else {
        return false;
    };
    // Configurations from 16 on are CELT only, which has no LBRR.
    let config = toc >> 3;
    if config >= 16 {
        return false;
    }
    // The frame begins behind the lengths of the code (RFC 6716 section 3.2).
    let frame = match toc & 3 {
        0 | 1 => rest,
        _ => return true,
    };
    let Some(first) = frame.first() else {
        return false;
    };
    // SILK header bits: one VAD flag for each 20 ms (or 10), then the LBRR flag; mono or the mid
    // channel first.
    let silk_frames = match config {
        0 | 4 | 8 | 1 | 5 | 9 | 12..=15 => 1,
        2 | 6 | 10 => 2,
        _ => 3,
    };
    first & (0x80 >> silk_frames) != 0
}
