//! Which extensions of SIP and RTP the calls of an account use.

use serde::{Deserialize, Serialize};

use crate::config::validate::Problem;

/// The intervals of a session timer in seconds, from the least that RFC 4028 allows to a day.
const SESSION_EXPIRES: std::ops::RangeInclusive<u32> = 90..=86_400;

/// Extensions of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CallExtensions {
    /// Whether provisional answers are acknowledged (RFC 3262).
    #[serde(rename = "100rel")]
    pub reliable: ReliableChoice,
    /// The interval after which a call that nobody refreshes ends (RFC 4028), in seconds, 90 to
    /// 86400; 0 asks for none.
    pub session_expires: u32,
    /// Whether sound is encrypted (SRTP).
    pub srtp: SrtpChoice,
    /// How both sides get its keys.
    pub keying: KeyingChoice,
}

/// How both sides get the keys of encrypted sound, as the user chooses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyingChoice {
    /// In the call's set-up (SDES, RFC 4568).
    Sdes,
    /// By a handshake on the sound's own way (DTLS-SRTP, RFC 5763).
    Dtls,
    /// As the far end offers it; offered is SDES, which more servers and phones have.
    #[default]
    Both,
}

/// Whether sound is encrypted (SRTP), as the user chooses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SrtpChoice {
    /// Never; who demands it is refused.
    Off,
    /// Where the far end offers it; offered where the keys go by TLS, or by a handshake (RFC 8643).
    #[default]
    Optional,
    /// Always; no calls with a far end that cannot.
    Required,
}

/// Whether provisional answers are acknowledged, as the user chooses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReliableChoice {
    /// Never.
    Off,
    /// Where the far end asks for it, and for sound before the answer where it can.
    #[default]
    Supported,
    /// Always; no calls with a far end that cannot.
    Required,
}

impl Default for CallExtensions {
    fn default() -> Self {
        Self {
            reliable: ReliableChoice::Supported,
            session_expires: 1800,
            srtp: SrtpChoice::Optional,
            keying: KeyingChoice::Both,
        }
    }
}

impl CallExtensions {
    /// Finds the first thing that the phone could not work with.
    ///
    /// # Errors
    ///
    /// Fails with that thing.
    pub fn validate(self) -> Result<(), Problem> {
        if self.session_expires == 0 || SESSION_EXPIRES.contains(&self.session_expires) {
            Ok(())
        } else {
            Err(Problem::SessionExpires(self.session_expires))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_file_are_read_and_an_interval_that_no_call_may_have_is_refused() {
        let read = |text: &str| toml::from_str::<CallExtensions>(text);
        assert_eq!(read("").unwrap(), CallExtensions::default());
        let set = read("100rel = \"required\"\nsession_expires = 0").unwrap();
        assert_eq!(set.reliable, ReliableChoice::Required);
        assert_eq!(set.validate(), Ok(()));
        let set = read("srtp = \"required\"").unwrap();
        assert_eq!(set.srtp, SrtpChoice::Required);
        assert!(read("srtp = \"sometimes\"").is_err());
        let set = read("keying = \"dtls\"").unwrap();
        assert_eq!(set.keying, KeyingChoice::Dtls);
        assert!(read("keying = \"zrtp\"").is_err());
        assert!(read("100rel = \"perhaps\"").is_err());
        for (seconds, sound) in [
            (0, true),
            (1, false),
            (89, false),
            (90, true),
            (86_401, false),
        ] {
            let set = CallExtensions {
                session_expires: seconds,
                ..CallExtensions::default()
            };
            assert_eq!(set.validate().is_ok(), sound, "{seconds}");
        }
        let sentence = Problem::SessionExpires(7).to_string();
        assert!(sentence.contains("90 to 86400"), "{sentence}");
    }
}
