//! What the lock may say of a call's sound.

/// How the sound of a call is protected on its way to the next hop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MediaSecurity {
    /// Not at all: plain RTP.
    #[default]
    None,
    /// SRTP, whose key went over the network in the clear: whoever saw the call being set up can listen.
    KeyVisible,
    /// SRTP, whose keys both sides computed; but the fingerprint by which they know each other went in the
    /// clear: whoever could change it on its way may sit in between (RFC 5763 section 3). Nobody who only
    /// saw it can listen.
    Unverified,
    /// SRTP, whose key or fingerprint went encrypted.
    Encrypted,
}

/// How both sides got the keys of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyOrigin {
    /// They stood in the signalling (SDES).
    Signalling,
    /// By a handshake between both sides (DTLS-SRTP).
    Handshake,
}

impl MediaSecurity {
    /// What is true of a stream with such keys, or none, where the signalling is encrypted or not.
    pub fn of(keys: Option<KeyOrigin>, signalling_hidden: bool) -> Self {
        match (keys, signalling_hidden) {
            (None, _) => Self::None,
            (Some(KeyOrigin::Signalling), false) => Self::KeyVisible,
            (Some(KeyOrigin::Handshake), false) => Self::Unverified,
            (Some(KeyOrigin::Signalling | KeyOrigin::Handshake), true) => Self::Encrypted,
        }
    }

    /// The word for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::KeyVisible => "key-visible",
            Self::Unverified => "unverified",
            Self::Encrypted => "encrypted",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_promises_no_more_than_is_true() {
        for (keys, hidden, word) in [
            (None, true, "none"),
            (None, false, "none"),
            (Some(KeyOrigin::Signalling), false, "key-visible"),
            (Some(KeyOrigin::Signalling), true, "encrypted"),
            (Some(KeyOrigin::Handshake), false, "unverified"),
            (Some(KeyOrigin::Handshake), true, "encrypted"),
        ] {
            assert_eq!(MediaSecurity::of(keys, hidden).word(), word);
        }
    }
}
