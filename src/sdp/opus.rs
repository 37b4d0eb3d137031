//! What a far end asks of our Opus encoder (RFC 7587 section 6.1).

use crate::sdp::media_description::PayloadFormat;

/// The parameters of its `a=fmtp`. Those that say what it sends (`stereo` of the encoder,
/// `sprop-stereo`, `sprop-maxcapturerate`) need no answer: the decoder takes all of it, and gives
/// mono at 48 kHz.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OpusParameters {
    /// Whether it reads in-band FEC (`useinbandfec=1`).
    pub fec: bool,
    /// The most bits a second that it takes (`maxaveragebitrate`).
    pub max_bitrate: Option<u32>,
    /// The highest sampling rate in hertz that it plays (`maxplaybackrate`).
    pub max_playback_rate: Option<u32>,
    /// Whether each packet must have the same size (`cbr=1`).
    pub constant_bitrate: bool,
    /// Whether nothing may be sent while our side is silent: our own setting, unless the far end
    /// forbids it (`usedtx=0`).
    pub dtx: bool,
}

impl OpusParameters {
    /// Reads them; `suppress` is our own setting for silence.
    pub(super) fn read(format: &PayloadFormat, suppress: bool) -> Self {
        let number = |key| format.parameter(key).and_then(|value| value.parse().ok());
        Self {
            fec: format.parameter("useinbandfec") == Some("1"),
            max_bitrate: number("maxaveragebitrate"),
            max_playback_rate: number("maxplaybackrate"),
            constant_bitrate: format.parameter("cbr") == Some("1"),
            dtx: suppress && format.parameter("usedtx") != Some("0"),
        }
    }
}

/// The least packet time in milliseconds that it wants (`minptime`).
pub(super) fn least_packet_time(format: &PayloadFormat) -> Option<u32> {
    format.parameter("minptime")?.parse().ok()
}
