//! The keys under which a number is looked up: one spelling for all that mean the same.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

use crate::base::phone_number::{PhoneNumber, percent_decoded, split_scheme};

/// So many last digits must agree for a weak match.
pub(crate) const WEAK_DIGITS: usize = 7;

/// Longer addresses, in bytes, are nobody's and would only fill the indexes.
const ADDRESS_LIMIT: usize = 512;

/// What stands in a SIP user part when the caller hides the number (RFC 3323 section 4.1.1.3 and
/// what exchanges send instead).
const WITHHELD: [&str; 8] = [
    "anonymous",
    "restricted",
    "unavailable",
    "unknown",
    "withheld",
    "private",
    "blocked",
    // What stands in the row of a call whose person was erased.
    "erased",
];

/// How the phone reads numbers, and which ones are its own.
#[derive(Debug, Default)]
pub(crate) struct Numbering {
    /// The ISO 3166 code for numbers without a country code.
    region: RwLock<Arc<str>>,
    own: Arc<RwLock<BTreeSet<String>>>,
}

impl Numbering {
    /// Starts without own numbers.
    pub(crate) fn new(region: &str) -> Self {
        Self {
            region: RwLock::new(region.into()),
            own: Arc::default(),
        }
    }

    /// The same own numbers, and the region of an account.
    pub(crate) fn in_region(&self, region: &str) -> Self {
        Self {
            region: RwLock::new(region.into()),
            own: Arc::clone(&self.own),
        }
    }

    /// Reads numbers as another region writes them from now on; false where it is the same.
    pub(crate) fn read_as(&self, region: &str) -> bool {
        let mut read_as = self.region.write().unwrap_or_else(PoisonError::into_inner);
        let other = **read_as != *region;
        *read_as = region.into();
        other
    }

    /// The ISO 3166 code for numbers without a country code.
    pub(crate) fn region(&self) -> Arc<str> {
        Arc::clone(&self.region.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the own numbers; gives their keys, when they are others than before.
    pub(crate) fn set_own(&self, numbers: &[String]) -> Option<Vec<String>> {
        let keys: BTreeSet<String> = numbers
            .iter()
            .filter_map(|number| self.keys(number).key().map(str::to_owned))
            .collect();
        let mut own = self.own.write().unwrap_or_else(PoisonError::into_inner);
        if *own == keys {
            return None;
        }
        own.clone_from(&keys);
        Some(keys.into_iter().collect())
    }

    /// Takes the keys of the own numbers as they were kept.
    pub(crate) fn know_own(&self, keys: Vec<String>) {
        *self.own.write().unwrap_or_else(PoisonError::into_inner) = keys.into_iter().collect();
    }

    /// The keys of the own lines, in order.
    pub(crate) fn own_keys(&self) -> Vec<String> {
        let own = self.own.read().unwrap_or_else(PoisonError::into_inner);
        let mut keys: Vec<String> = own.iter().cloned().collect();
        keys.sort_unstable();
        keys
    }

    /// Reads a number's keys.
    pub(crate) fn keys(&self, text: &str) -> NumberKeys {
        NumberKeys::of(text, &self.region())
    }

    /// Whether a number is an own line.
    pub(crate) fn is_own(&self, keys: &NumberKeys) -> bool {
        keys.key().is_some_and(|key| self.is_own_key(key))
    }

    /// Whether a number's key is that of an own line.
    pub(crate) fn is_own_key(&self, key: &str) -> bool {
        let own = self.own.read().unwrap_or_else(PoisonError::into_inner);
        own.contains(key)
    }
}

/// The keys of one number or address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct NumberKeys {
    /// International form with `+`.
    pub(crate) e164: Option<String>,
    /// The national form's digits, or the dialable characters of what no plan knows.
    pub(crate) digits: Option<String>,
    /// The digits from the last to the first, for suffix search: only of numbers that a suffix may
    /// find, so neither internal nor short ones.
    pub(crate) reversed: Option<String>,
    /// The SIP address in lower case, `user@host` or a bare name, when it is no number.
    pub(crate) address: Option<String>,
    /// Whether it is a short internal number or a service code.
    pub(crate) internal: bool,
    /// The extension beside the number.
    pub(crate) extension: Option<String>,
    /// What the numbers of a company's extensions begin with, where its spelling shows it.
    pub(crate) stem: Option<String>,
    /// The number of the extension itself, where it is dialled as further digits.
    pub(crate) direct: Option<String>,
}

impl NumberKeys {
    /// Reads a number in any spelling, a SIP user or a whole URI.
    pub(crate) fn of(text: &str, region: &str) -> Self {
        let number = PhoneNumber::parse(text, region);
        if number.dialable.is_empty() {
            return Self {
                address: address(text),
                ..Self::default()
            };
        }
        let digits = match &number.national {
            Some(national) => national.chars().filter(char::is_ascii_digit).collect(),
            None => number.dialable.clone(),
        };
        let whole = number.e164.as_ref().unwrap_or(&number.dialable);
        let reversed: String = whole.chars().rev().filter(char::is_ascii_digit).collect();
        let suffix_counts = !number.internal && reversed.len() >= WEAK_DIGITS;
        Self {
            digits: Some(digits),
            reversed: suffix_counts.then_some(reversed),
            address: None,
            internal: number.internal,
            e164: number.e164,
            direct: number
                .stem
                .as_ref()
                .zip(number.extension.as_ref())
                .map(|(stem, extension)| format!("{stem}{extension}")),
            extension: number.extension,
            stem: number.stem,
        }
    }

    /// The one key that all spellings of the number share; none when the number is withheld.
    pub(crate) fn key(&self) -> Option<&str> {
        self.e164
            .as_deref()
            .or(self.digits.as_deref())
            .or(self.address.as_deref())
    }
}

/// The address that two spellings of one SIP address share; none for withheld ones.
fn address(text: &str) -> Option<String> {
    let bare = text
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'))
        .map_or(text, |(inside, _)| inside)
        .trim();
    let (_, rest) = split_scheme(bare);
    let rest = rest.trim_start_matches('/');
    let (user, place) = rest.split_once('@').unwrap_or((rest, ""));
    let user = user.split([':', ';', '?']).next().unwrap_or_default();
    let user = percent_decoded(user).trim().to_lowercase();
    let place = place.split([';', '?']).next().unwrap_or_default();
    let host = match place.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => host,
        _ => place,
    };
    let host = host.to_lowercase();
    let too_long = user.len() + host.len() > ADDRESS_LIMIT;
    if too_long
        || user.is_empty()
        || WITHHELD.contains(&user.as_str())
        || host == "anonymous.invalid"
    {
        None
    } else if host.is_empty() {
        Some(user)
    } else {
        Some(format!("{user}@{host}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::phone_number::spellings::{Expected, Spelling};
    use crate::base::random::{Random as _, SeededRandom};

    /// The rows of the table that mean one subscriber are found by one key, from a whole address too.
    #[test]
    fn each_spelling_of_a_number_has_the_key_of_its_international_form() {
        for row in Spelling::all() {
            let keys = NumberKeys::of(&row.written, row.region);
            let what = format!("{:?} in {}", row.written, row.region);
            match row.expected {
                Expected::Public(number) => {
                    assert_eq!(keys.key(), Some(number), "{what}");
                    let whole = NumberKeys::of(number, row.region);
                    assert_eq!(
                        (&whole.digits, &whole.reversed),
                        (&keys.digits, &keys.reversed)
                    );
                }
                Expected::Withheld => assert_eq!(keys.key(), None, "{what}"),
                Expected::Internal | Expected::Service => {
                    assert!(keys.internal && keys.key().is_some(), "{what}");
                    assert_eq!(keys.reversed, None, "{what}");
                }
                Expected::None => assert_eq!(keys.e164, None, "{what}"),
            }
            assert_eq!(keys.extension.as_deref(), row.extension, "{what}");
        }
    }

    #[test]
    fn what_is_shown_has_the_key_of_what_was_written() {
        for row in Spelling::all() {
            let shown = PhoneNumber::parse(&row.written, row.region).display();
            let keys = NumberKeys::of(&row.written, row.region);
            let again = NumberKeys::of(&shown, row.region);
            assert_eq!(again.key(), keys.key(), "{shown:?} of {:?}", row.written);
        }
    }

    #[test]
    fn keys_are_bounded_and_reading_them_again_changes_nothing() {
        let mut random = SeededRandom::new(5);
        let alphabet: Vec<char> = "0123456789+*#()/-.,;=@:<>%xaZé٣０\u{a0}\u{202e} "
            .chars()
            .collect();
        for _ in 0..20_000 {
            let length = random.next_u32() % 48;
            let text: String = (0..length)
                .map(|_| alphabet[random.next_u32() as usize % alphabet.len()])
                .collect();
            let keys = NumberKeys::of(&text, "DE");
            let Some(key) = keys.key() else { continue };
            assert!(key.len() <= ADDRESS_LIMIT + 1, "{text:?}");
            if let Some(e164) = &keys.e164 {
                assert_eq!(NumberKeys::of(e164, "US").key(), Some(key), "{text:?}");
            }
        }
    }

    #[test]
    fn all_spellings_of_a_number_share_one_key() {
        for text in [
            "030/1234567",
            "+49 30 1234567",
            "sip:0049301234567@pbx.example.com",
            "tel:030-1234567",
        ] {
            assert_eq!(NumberKeys::of(text, "DE").key(), Some("+49301234567"));
        }
        for text in [
            "sip:Alice@Example.com:5070;transport=tcp",
            "<sip:alice@example.com>",
            "alice@example.com",
            "sip:%61lice@example.com?x=y",
        ] {
            assert_eq!(NumberKeys::of(text, "DE").key(), Some("alice@example.com"));
        }
        assert_eq!(
            NumberKeys::of("sip:bob@[2001:db8::1]", "DE").key(),
            Some("bob@[2001:db8::1]")
        );
    }

    #[test]
    fn withheld_numbers_have_no_key() {
        for text in [
            "anonymous",
            "sip:anonymous@anonymous.invalid",
            "sip:x@anonymous.invalid",
            "Restricted",
            "",
        ] {
            assert_eq!(NumberKeys::of(text, "DE").key(), None, "{text}");
        }
    }

    #[test]
    fn only_long_public_numbers_can_be_found_by_their_end() {
        let reversed = |text| NumberKeys::of(text, "DE").reversed;
        assert_eq!(reversed("030 1234567").as_deref(), Some("76543210394"));
        assert_eq!(reversed("1234567").as_deref(), Some("7654321"));
        for text in ["101", "123456", "*62#1234567", "alice"] {
            assert_eq!(reversed(text), None, "{text}");
        }
    }

    #[test]
    fn own_lines_are_known_in_any_spelling() {
        let numbering = Numbering::new("DE");
        numbering.set_own(&["030 1234567".to_owned(), "sip:alice@example.com".to_owned()]);
        for (text, own) in [
            ("+49301234567", true),
            ("sip:ALICE@example.com:5060", true),
            ("+49301234568", false),
            ("anonymous", false),
        ] {
            assert_eq!(numbering.is_own(&numbering.keys(text)), own, "{text}");
        }
    }
}
