//! What the lock may say of a call's sound.

/// How the sound of a call is protected on its way to the next hop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MediaSecurity {
    /// Not at all: plain RTP.
    #[default]
    None,
    /// SRTP, whose key went over the network in the clear: whoever saw the call being set up can listen.
    KeyVisible,
    /// SRTP, whose key went encrypted.
    Encrypted,
}

impl MediaSecurity {
    /// What is true of a stream that is encrypted or not, where the signalling is or not.
    pub fn of(encrypted: bool, key_hidden: bool) -> Self {
        match (encrypted, key_hidden) {
            (false, _) => Self::None,
            (true, false) => Self::KeyVisible,
            (true, true) => Self::Encrypted,
        }
    }

    /// The word for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::KeyVisible => "key-visible",
            Self::Encrypted => "encrypted",
        }
    }
}
