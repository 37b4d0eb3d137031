//! Opus (RFC 6716) by libopus: mono at 48 kHz with in-band FEC and DRED.

use crate::media::codec::effort::Effort;
use crate::media::codec::libopus::{
    self, Bandwidth, Decoder, Encoder, OpusError, Redundancy, Setting,
};
use crate::media::codec::source_band::SourceBand;
use crate::media::codec::{Course, Encoded, MAX_PACKET_SAMPLES, MAX_PAYLOAD_BYTES};
use crate::media::frame::{SAMPLE_RATE, SAMPLES_PER_MILLI};
use crate::sdp::OpusParameters;

/// Bits a second: what G.711 takes. RFC 7587 section 3.1.1 names 28 to 40 kbit/s for full-band speech;
/// FEC and DRED take theirs from the same, and with a fifth of the packets lost twice the bits make
/// half a point of PESQ.
const BITRATE: u32 = 64_000;
/// RFC 7587 section 6.1: the least that the codec makes.
const LEAST_BITRATE: u32 = 6_000;
/// Encoder complexity, 0 to 10. 6 is the first whose quantizer libopus has for AVX2: it costs what 5 does,
/// 9 ms of CPU a second with FEC, and is worth 0.03 to 0.05 of PESQ with and without loss. 8 costs a quarter
/// more for 0.01 to 0.02.
const COMPLEXITY: u8 = 6;
/// The loss that FEC is prepared for before the far end has reported, in percent.
pub(in crate::media) const LEAST_EXPECTED_LOSS: u8 = 5;
/// Bits a second, redundancy included, below which speech is blurred so that it is heard.
const COARSE: f32 = 36_000.0;
/// Bits a second above which it no longer is.
const FINE: f32 = 44_000.0;
/// DRED is read in steps of 40 ms, and ends up to one step before its packet.
const REDUNDANCY_STEP: usize = 80 * SAMPLES_PER_MILLI;
/// A packet up to this size says that nothing is to be heard, and need not be sent.
const LARGEST_SILENCE: usize = 2;

/// The sending half.
pub struct OpusEncoder {
    encoder: Encoder,
    /// The widest band that the far end plays.
    band: Bandwidth,
    source: SourceBand,
    /// Whether the source has nothing above the wide band, and nothing above it is sent.
    is_wide: bool,
    course: Course,
    /// The most bits a second that the far end takes.
    most: u32,
    /// Whether the far end reads FEC.
    fec: bool,
    dtx: bool,
}

impl OpusEncoder {
    /// Makes one that sends what the far end can use: no FEC that it does not read, no frequencies
    /// that it does not play, and never more bits than it takes.
    pub(super) fn new(wanted: &OpusParameters) -> Result<Self, OpusError> {
        let mut encoder = Encoder::new()?;
        let (band, _) = band(wanted.max_playback_rate);
        encoder.set(Setting::Bandwidth(band))?;
        encoder.set(Setting::Complexity(COMPLEXITY))?;
        encoder.set(Setting::VariableBitrate(!wanted.constant_bitrate))?;
        encoder.set(Setting::Dtx(wanted.dtx))?;
        let course = Course {
            bitrate: most_bitrate(wanted),
            expected_loss: if wanted.fec { LEAST_EXPECTED_LOSS } else { 0 },
            redundancy: 0,
        };
        encoder.set(Setting::Bitrate(course.bitrate))?;
        encoder.set(Setting::InbandFec(wanted.fec))?;
        encoder.set(Setting::ExpectedLoss(course.expected_loss))?;
        Ok(Self {
            encoder,
            band,
            source: SourceBand::new(),
            is_wide: false,
            course,
            most: course.bitrate,
            fec: wanted.fec,
            dtx: wanted.dtx,
        })
    }

    pub(super) fn encode(
        &mut self,
        samples: &[f32],
        payload: &mut [u8; MAX_PAYLOAD_BYTES],
    ) -> Encoded {
        self.follow_source(samples);
        match self.encoder.encode(samples, payload).unwrap_or(0) {
            0 => Encoded::Nothing,
            length if self.dtx && length <= LARGEST_SILENCE => Encoded::Nothing,
            length => Encoded::Sound(length),
        }
    }

    /// Sends no band that the source does not have.
    fn follow_source(&mut self, samples: &[f32]) {
        if self.band <= Bandwidth::Wide || self.source.is_wide(samples) == self.is_wide {
            return;
        }
        self.is_wide = !self.is_wide;
        let band = if self.is_wide {
            Bandwidth::Wide
        } else {
            self.band
        };
        if let Err(error) = self.encoder.set(Setting::Bandwidth(band)) {
            tracing::warn!(%error, "what is sent cannot follow the source's band");
        }
    }

    /// Takes a course, as far as the far end can use it.
    pub(super) fn steer(&mut self, course: Course) {
        let course = Course {
            bitrate: course.bitrate.clamp(LEAST_BITRATE, self.most),
            ..course
        };
        if course == self.course {
            return;
        }
        let fec = self.fec && course.expected_loss > 0;
        let settings = [
            Setting::Bitrate(course.bitrate),
            Setting::InbandFec(fec),
            // DRED is given its share of the bits by this, too.
            Setting::ExpectedLoss(course.expected_loss),
            Setting::Redundancy(course.redundancy),
        ];
        for setting in settings {
            if let Err(error) = self.encoder.set(setting) {
                tracing::warn!(%error, ?setting, "what is sent cannot follow the far end's reports");
            }
        }
        self.course = course;
    }
}

/// The receiving half; stereo streams are mixed down by the decoder.
pub struct OpusDecoder {
    decoder: Decoder,
    /// What the packet behind a loss carries of it.
    redundancy: Redundancy,
    /// The most that may be computed.
    effort: Effort,
    /// Bits a second of the last packets.
    bitrate: f32,
    /// Whether they are so few that it is heard.
    coarse: bool,
}

impl OpusDecoder {
    pub(super) fn new(effort: Effort) -> Result<Self, OpusError> {
        let mut decoder = Self {
            decoder: Decoder::new()?,
            redundancy: Redundancy::new()?,
            effort,
            bitrate: COARSE,
            coarse: true,
        };
        decoder.set_effort(effort);
        Ok(decoder)
    }

    /// Takes less or more of the processor from here on.
    pub(super) fn set_effort(&mut self, effort: Effort) {
        self.effort = effort;
        // What clears speech of few bits does nothing for speech of many: 0.02 of PESQ less at 64 kbit/s.
        let useful = if self.coarse {
            effort
        } else {
            effort.min(Effort::Deep)
        };
        if let Err(error) = self.decoder.set_complexity(useful.complexity()) {
            tracing::warn!(%error, "the decoder goes on as before");
        }
    }

    pub(super) fn decode(&mut self, payload: &[u8], output: &mut [f32]) -> bool {
        self.follow_bitrate(payload.len(), output.len());
        // An empty payload would ask libopus for concealment.
        !payload.is_empty() && self.decoder.decode(payload, output) == Ok(output.len())
    }

    fn follow_bitrate(&mut self, bytes: usize, samples: usize) {
        let seconds = samples.max(1) as f32 / SAMPLE_RATE as f32;
        let bitrate = bytes as f32 * 8.0 / seconds;
        self.bitrate += (bitrate - self.bitrate) * seconds.min(1.0);
        let coarse = self.bitrate < if self.coarse { FINE } else { COARSE };
        if coarse != self.coarse {
            self.coarse = coarse;
            self.set_effort(self.effort);
        }
    }

    /// Fills what begins `before` samples before `next` from the redundancy in it; false, and
    /// untouched, when it has none that reaches so far.
    ///
    /// Of the one packet before, FEC has the sound itself, where DRED has only what it was like: with a
    /// fifth of the packets lost, that makes half a point of PESQ.
    pub(super) fn recover(&mut self, next: &[u8], before: usize, output: &mut [f32]) -> bool {
        let by_fec = before == output.len()
            && samples_in(next) == Some(before)
            && libopus::has_fec(next)
            && self.decoder.decode_fec(next, output) == Ok(output.len());
        by_fec || self.recover_by_dred(next, before, output)
    }

    /// How far before a packet its redundancy reaches, in samples.
    pub(super) fn reach(&mut self, payload: &[u8]) -> usize {
        let dred = if self.effort.is_deep() {
            self.redundancy.reach(payload).unwrap_or(0)
        } else {
            0
        };
        let fec = samples_in(payload).filter(|_| libopus::has_fec(payload));
        dred.max(fec.unwrap_or(0))
    }

    fn recover_by_dred(&mut self, next: &[u8], before: usize, output: &mut [f32]) -> bool {
        // Without its network the decoder does not hear what DRED says.
        if !self.effort.is_deep() {
            return false;
        }
        let Ok((begin, end)) = self.redundancy.read(next, before + REDUNDANCY_STEP) else {
            return false;
        };
        let covered = begin >= before && end + output.len() <= before;
        covered
            && self
                .decoder
                .decode_redundancy(&self.redundancy, before, output)
                == Ok(output.len())
    }

    pub(super) fn conceal(&mut self, output: &mut [f32]) {
        for piece in output.chunks_mut(MAX_PACKET_SAMPLES) {
            if self.decoder.conceal(piece).is_err() {
                piece.fill(0.0);
            }
        }
    }
}

/// The most bits a second that are sent (RFC 7587 section 6.1: `maxaveragebitrate`), which a call begins
/// with.
pub(in crate::media) fn most_bitrate(wanted: &OpusParameters) -> u32 {
    let (_, enough) = band(wanted.max_playback_rate);
    let bitrate = wanted.max_bitrate.unwrap_or(BITRATE).min(enough);
    bitrate.clamp(LEAST_BITRATE, BITRATE)
}

/// The widest band that a far end plays, with the bits a second that speech needs in it (RFC 7587
/// sections 3.1.1 and 6.1: `maxplaybackrate`, in hertz).
fn band(max_playback_rate: Option<u32>) -> (Bandwidth, u32) {
    match max_playback_rate.unwrap_or(48_000) {
        0..12_000 => (Bandwidth::Narrow, 12_000),
        12_000..16_000 => (Bandwidth::Medium, 16_000),
        16_000..24_000 => (Bandwidth::Wide, 20_000),
        24_000..48_000 => (Bandwidth::SuperWide, 28_000),
        48_000.. => (Bandwidth::Full, BITRATE),
    }
}

/// Whether the far end is silent behind this packet: one that holds no frame, which an encoder with
/// DTX sends now and then (RFC 7587 section 3.1.3).
pub(super) fn rests(payload: &[u8]) -> bool {
    payload.len() <= LARGEST_SILENCE
}

/// The samples at 48 kHz of a packet, from its first byte (RFC 6716 section 3.1).
pub(super) fn samples_in(payload: &[u8]) -> Option<usize> {
    libopus::samples_in(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clears_coarse_speech_is_off_where_there_are_bits_enough() {
        let mut decoder = OpusDecoder::new(Effort::NoLace).unwrap();
        let mut feed = |bitrate: usize, packets: usize| {
            for _ in 0..packets {
                decoder.follow_bitrate(bitrate / 8 / 50, 960);
            }
            decoder.coarse
        };
        assert!(!feed(64_000, 100));
        assert!(!feed(40_000, 500), "not again before it is needed");
        assert!(feed(24_000, 200));
        assert!(feed(40_000, 500));
        assert!(!feed(48_000, 500));
    }

    #[test]
    fn bits_are_as_many_as_the_far_end_takes() {
        let most = |max_bitrate, max_playback_rate| {
            most_bitrate(&OpusParameters {
                max_bitrate,
                max_playback_rate,
                ..OpusParameters::default()
            })
        };
        assert_eq!(most(None, None), 64_000);
        assert_eq!(most(Some(24_000), None), 24_000);
        assert_eq!(most(Some(500_000), None), 64_000);
        assert_eq!(most(Some(1), None), 6_000);
        assert_eq!(most(None, Some(8_000)), 12_000);
    }
}
