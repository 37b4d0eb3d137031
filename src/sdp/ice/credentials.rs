//! By what the checks of a side are known.

use std::fmt;

use data_encoding::BASE64_NOPAD;
use sha2::{Digest as _, Sha256};

use crate::base::redact::Secret;
use crate::sdp::ice::is_ice_text;

/// The lengths of `a=ice-ufrag` and `a=ice-pwd` (RFC 8839 section 5.4).
const FRAGMENT: std::ops::RangeInclusive<usize> = 4..=256;
const PASSWORD: std::ops::RangeInclusive<usize> = 22..=256;

/// The user name fragment and the password of one side.
#[derive(Clone)]
pub struct IceCredentials {
    fragment: String,
    password: Secret,
}

impl IceCredentials {
    /// Takes what a description says, where it keeps to the grammar.
    pub fn new(fragment: &str, password: &str) -> Option<Self> {
        let sound = is_ice_text(fragment, FRAGMENT) && is_ice_text(password, PASSWORD);
        sound.then(|| Self {
            fragment: fragment.to_owned(),
            password: Secret::new(password),
        })
    }

    /// The user name fragment.
    pub fn fragment(&self) -> &str {
        &self.fragment
    }

    /// The password.
    pub fn password(&self) -> &str {
        self.password.expose()
    }
}

impl PartialEq for IceCredentials {
    fn eq(&self, other: &Self) -> bool {
        (&self.fragment, self.password()) == (&other.fragment, other.password())
    }
}

impl Eq for IceCredentials {}

impl fmt::Debug for IceCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IceCredentials({}, ..)", self.fragment)
    }
}

/// Random octets of which a call draws its credentials: new ones for each restart.
#[derive(Clone)]
pub struct IceSeed {
    seed: Secret,
    drawn: u32,
}

impl IceSeed {
    /// Takes random octets into custody.
    pub fn new(random: [u8; 32]) -> Self {
        Self {
            seed: Secret::new(BASE64_NOPAD.encode(&random)),
            drawn: 0,
        }
    }

    /// The next credentials: 48 random bits of fragment and 192 of password (RFC 8839 section 5.4
    /// wants 24 and 128).
    pub fn draw(&mut self) -> IceCredentials {
        self.drawn = self.drawn.wrapping_add(1);
        let mut hash = Sha256::new();
        hash.update(self.seed.expose());
        hash.update(self.drawn.to_be_bytes());
        let text = BASE64_NOPAD.encode(&hash.finalize());
        let (fragment, rest) = text.split_at_checked(8).unwrap_or((&text, ""));
        IceCredentials {
            fragment: fragment.to_owned(),
            password: Secret::new(rest.get(..32).unwrap_or(rest)),
        }
    }
}

impl PartialEq for IceSeed {
    fn eq(&self, other: &Self) -> bool {
        (self.drawn, self.seed.expose()) == (other.drawn, other.seed.expose())
    }
}

impl Eq for IceSeed {}

impl fmt::Debug for IceSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IceSeed(.., {} drawn)", self.drawn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_is_new_each_time_keeps_to_the_grammar_and_does_not_show_itself() {
        let mut seed = IceSeed::new([7; 32]);
        let (first, second) = (seed.draw(), seed.draw());
        assert_ne!(first.fragment(), second.fragment());
        assert_ne!(first.password(), second.password());
        for drawn in [&first, &second] {
            let again = IceCredentials::new(drawn.fragment(), drawn.password());
            assert_eq!(again.as_ref(), Some(drawn));
            let shown = format!("{drawn:?} {seed:?}");
            assert!(!shown.contains(drawn.password()), "{shown}");
        }
        assert_eq!(IceSeed::new([7; 32]).draw(), first);
        assert_ne!(IceSeed::new([8; 32]).draw(), first);
    }

    #[test]
    fn lengths_and_characters_are_those_of_the_grammar() {
        let (fragment, password) = ("a".repeat(256), "b".repeat(256));
        assert!(IceCredentials::new(&fragment, &password).is_some());
        assert!(IceCredentials::new("abcd", &"b".repeat(22)).is_some());
        for (fragment, password) in [
            ("abc".to_owned(), "b".repeat(22)),
            ("abcd".to_owned(), "b".repeat(21)),
            ("a".repeat(257), "b".repeat(22)),
            ("abcd".to_owned(), "b".repeat(257)),
            ("ab:d".to_owned(), "b".repeat(22)),
            ("abcd".to_owned(), "b ".repeat(11)),
        ] {
            assert_eq!(IceCredentials::new(&fragment, &password), None);
        }
    }
}
