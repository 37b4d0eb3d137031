//! The options of `ringdesk headless` that say which extensions its calls use.

use clap::{Args, ValueEnum};

use crate::config::call_extensions::{CallExtensions, KeyingChoice, ReliableChoice, SrtpChoice};

/// Extensions, for each account and for direct calls.
#[derive(Debug, Args)]
pub(super) struct ExtensionArgs {
    /// Whether provisional answers are acknowledged (PRACK).
    #[arg(long = "100rel", value_enum, value_name = "HOW")]
    reliable: Option<ReliableArg>,
    /// End a call that nobody refreshes for so long, 90 to 86400; 0 asks for no session timer (1800).
    #[arg(long, value_name = "SECONDS")]
    session_expires: Option<u32>,
    /// Whether sound is encrypted (SRTP); optional offers it where the keys go by TLS or WSS, or by a
    /// handshake, and takes it always.
    #[arg(long, value_enum, value_name = "HOW")]
    srtp: Option<SrtpArg>,
    /// How both sides get the keys of encrypted sound (both).
    #[arg(long, value_enum, value_name = "HOW")]
    keying: Option<KeyingArg>,
}

/// Whether sound is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SrtpArg {
    /// Never; who demands it is refused.
    Off,
    /// Where the far end offers it; offered where the keys go by TLS or WSS, or by a handshake.
    Optional,
    /// Always; no calls with a far end that cannot.
    Required,
}

/// How both sides get the keys of encrypted sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum KeyingArg {
    /// In the call's set-up (SDES).
    Sdes,
    /// By a handshake on the sound's own way (DTLS-SRTP).
    Dtls,
    /// As the far end offers it; offered is SDES.
    Both,
}

/// Whether provisional answers are acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ReliableArg {
    /// Never.
    Off,
    /// Where the far end asks for it, and for sound before the answer where it can.
    Supported,
    /// Always.
    Required,
}

impl ExtensionArgs {
    /// Writes what was said over what stands there.
    pub(super) fn apply(&self, extensions: &mut CallExtensions) {
        if let Some(reliable) = self.reliable {
            extensions.reliable = match reliable {
                ReliableArg::Off => ReliableChoice::Off,
                ReliableArg::Supported => ReliableChoice::Supported,
                ReliableArg::Required => ReliableChoice::Required,
            };
        }
        if let Some(seconds) = self.session_expires {
            extensions.session_expires = seconds;
        }
        if let Some(srtp) = self.srtp {
            extensions.srtp = match srtp {
                SrtpArg::Off => SrtpChoice::Off,
                SrtpArg::Optional => SrtpChoice::Optional,
                SrtpArg::Required => SrtpChoice::Required,
            };
        }
        if let Some(keying) = self.keying {
            extensions.keying = match keying {
                KeyingArg::Sdes => KeyingChoice::Sdes,
                KeyingArg::Dtls => KeyingChoice::Dtls,
                KeyingArg::Both => KeyingChoice::Both,
            };
        }
    }
}
