//! The codecs that can be negotiated and their static facts.

use std::fmt;

/// An audio codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// Opus (RFC 6716, RFC 7587).
    Opus,
    /// G.722 at 64 kbit/s (RFC 3551 section 4.5.2), static payload type 9.
    G722,
    /// G.711 µ-law (RFC 3551), static payload type 0.
    Pcmu,
    /// G.711 A-law (RFC 3551), static payload type 8.
    Pcma,
}

impl Codec {
    /// All of them, in the order that an account has by default: the best sound first.
    pub const ALL: [Self; 4] = [Self::Opus, Self::G722, Self::Pcmu, Self::Pcma];

    /// The encoding name of RFC 3551 and RFC 7587, as `a=rtpmap` writes it.
    pub fn encoding_name(self) -> &'static str {
        match self {
            Self::Opus => "opus",
            Self::G722 => "G722",
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
        }
    }

    /// The RTP clock rate in hertz; of G.722 that is half its sampling rate, by an error in
    /// RFC 1890 that stays for the sake of what is deployed (RFC 3551 section 4.5.2).
    pub fn clock_rate(self) -> u32 {
        match self {
            Self::Opus => 48_000,
            Self::G722 | Self::Pcmu | Self::Pcma => 8_000,
        }
    }

    /// The static payload type (RFC 3551 table 4), where there is one.
    pub fn static_payload_type(self) -> Option<u8> {
        match self {
            Self::Opus => None,
            Self::G722 => Some(9),
            Self::Pcmu => Some(0),
            Self::Pcma => Some(8),
        }
    }

    /// Reads an encoding name, whatever its case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|codec| codec.encoding_name().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.encoding_name())
    }
}
