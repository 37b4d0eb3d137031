//! Phone numbers by libphonenumber's rules.
//!
//! A text goes through three steps: the part that can be a number is taken out of it (a SIP user,
//! a `tel:` number), its spelling is reduced to dialable characters, and the result is read by the
//! numbering plans. Short numbers are internal first: numbering plans would read `101` as a number
//! of a whole country.

mod plan;
#[cfg(test)]
mod properties;
#[cfg(test)]
pub(crate) mod spellings;
mod subject;

use rlibphonenumber::{PhoneNumber as Parsed, PhoneNumberFormat, PhoneNumberType, Region};

use crate::base::number_spelling::{Spelled, invisible};
use crate::base::phone_number::plan::{Found, dialable_characters, is_nanpa, region_of};
use crate::base::phone_number::subject::Subject;

pub(crate) use crate::base::phone_number::plan::DIRECT_DIGITS;
pub(crate) use crate::base::phone_number::subject::{parameter, split_scheme};

/// More characters than this are no number and no address; the rest is not read.
const TEXT_LIMIT: usize = 512;

/// Up to so many digits are internal when no numbering plan knows them as public.
const UNKNOWN_INTERNAL_DIGITS: usize = 6;

/// A number as somebody wrote or signalled it, understood as far as it can be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PhoneNumber {
    /// As written.
    pub raw: String,
    /// The dialable characters: digits, a leading `+`, `*`, `#`; empty when it is a name.
    pub dialable: String,
    /// International form with `+`, when it is a valid number.
    pub e164: Option<String>,
    /// National form as written in its country.
    pub national: Option<String>,
    /// The extension behind the number, digits only; not part of `dialable` and `e164`.
    pub extension: Option<String>,
    /// The number that the extensions of a company share, in international form, where it shows: of
    /// `+49 30 1234-56` it is `+49301234`, and each extension is dialled as further digits.
    pub stem: Option<String>,
    /// The ISO 3166 code of its region; none for numbers of no country, such as `+800`.
    pub region: Option<String>,
    /// Whether it is a short internal number, service code or SIP user and no public number.
    pub internal: bool,
}

impl PhoneNumber {
    /// Understands a text: a number in any spelling, a SIP user part, or a whole `sip:`/`tel:` URI
    /// (its user part counts). Numbers without a country code are read as `default_region` (ISO
    /// 3166) writes them.
    pub fn parse(text: &str, default_region: &str) -> Self {
        let raw = clipped(text).trim().to_owned();
        let region = Region::from_code(default_region.trim()).ok();
        let subject = Subject::of(&raw);
        let Some(mut spelled) = Spelled::read(&subject.text, subject.words_allowed) else {
            return Self {
                raw,
                internal: true,
                ..Self::default()
            };
        };
        let found = subject
            .context
            .as_deref()
            .and_then(|context| Found::in_context(context, &spelled, region))
            .or_else(|| Found::of(&spelled, region));
        let Some(found) = found else {
            spelled.drop_words();
            return Self {
                internal: spelled.service_code
                    || (!spelled.dialable.starts_with('+')
                        && spelled.dialable.len() <= UNKNOWN_INTERNAL_DIGITS),
                raw,
                dialable: spelled.dialable,
                extension: spelled.extension.or(subject.extension),
                ..Self::default()
            };
        };
        let e164 = found.parsed.format_as(PhoneNumberFormat::E164).into_owned();
        let stem = found.stem(&e164, &spelled);
        let Found {
            parsed,
            dialable,
            extension,
        } = found;
        Self {
            raw,
            dialable: if dialable.starts_with('+') {
                e164.clone()
            } else {
                dialable
            },
            national: Some(parsed.format_as(PhoneNumberFormat::National).into_owned()),
            extension: spelled.extension.or(subject.extension).or(extension),
            stem,
            region: region_of(&parsed),
            e164: Some(e164),
            internal: false,
        }
    }

    /// How a person reads it: international form with spaces, else as written, without what would
    /// hide or reorder characters on the screen.
    pub fn display(&self) -> String {
        let mut shown = match self.parsed() {
            Some(parsed) => parsed
                .format_as(PhoneNumberFormat::International)
                .into_owned(),
            None => printable(&Subject::of(&self.raw).written),
        };
        if let (Some(extension), true) = (&self.extension, self.e164.is_some()) {
            shown.push_str(" ext. ");
            shown.push_str(extension);
        }
        shown
    }

    /// The digits to dial from `region` (ISO 3166) on a keypad: the national form inside the
    /// country, else the region's international prefix and the number. None without a public
    /// number or region.
    pub fn dialled_from(&self, region: &str) -> Option<String> {
        let parsed = self.parsed()?;
        let region = Region::from_code(region).ok()?;
        let dialled = parsed.format_out_of_country_calling_number(region);
        Some(dialable_characters(&dialled))
    }

    /// The digits to dial from `region` (ISO 3166) on a keypad as for a foreign country, inside
    /// the country too: the region's international prefix, the country code and the number.
    pub fn dialled_internationally_from(&self, region: &str) -> Option<String> {
        let e164 = self.e164.as_deref()?.strip_prefix('+')?;
        // A number of another country shows which prefix the region uses; with several carriers'
        // prefixes the library gives `+`, and `00` is the one ITU-T E.164 recommends.
        let abroad = if Region::from_code(region).is_ok_and(is_nanpa) {
            "+493012345678"
        } else {
            "+12125550123"
        };
        let prefix = Self::parse(abroad, region)
            .dialled_from(region)
            .and_then(|dialled| {
                dialled
                    .strip_suffix(abroad.trim_start_matches('+'))
                    .map(str::to_owned)
            })
            .filter(|prefix| !prefix.starts_with('+') && !prefix.is_empty());
        Some(format!("{}{e164}", prefix.as_deref().unwrap_or("00")))
    }

    /// Why a call to it may be expensive, in plain words, as far as its numbering plan tells.
    pub fn cost_warning(&self) -> Option<&'static str> {
        let parsed = self.parsed()?;
        match (parsed.country_code, parsed.get_type()) {
            (881..=883, _) => Some("satellite or network number: the call may be expensive"),
            (_, PhoneNumberType::PremiumRate) => {
                Some("premium-rate number: the call may be expensive")
            }
            (_, PhoneNumberType::SharedCost) => {
                Some("shared-cost number: the call costs more than others")
            }
            _ => None,
        }
    }

    /// The digits alone, without `+`, `*` and `#`.
    pub fn digits(&self) -> String {
        self.dialable.chars().filter(char::is_ascii_digit).collect()
    }

    fn parsed(&self) -> Option<Parsed> {
        Parsed::parse(self.e164.as_deref()?, None).ok()
    }
}

/// Decodes `%` escapes; bytes that are no UTF-8 become replacement characters.
pub(crate) fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut ahead = rest.clone();
        let escaped = if byte == b'%' {
            ahead
                .next()
                .and_then(hex_value)
                .zip(ahead.next().and_then(hex_value))
        } else {
            None
        };
        match escaped {
            Some((high, low)) => {
                bytes.push(high << 4 | low);
                rest = ahead;
            }
            None => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Drops control characters and those that hide or reorder others (Unicode's bidirectional and
/// zero-width ones): a caller must not look like another.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .filter(|character| !character.is_control() && !invisible(*character))
        .collect()
}

fn clipped(text: &str) -> &str {
    match text.char_indices().nth(TEXT_LIMIT) {
        Some((end, _)) => text.get(..end).unwrap_or_default(),
        None => text,
    }
}

fn hex_value(byte: u8) -> Option<u8> {
    let value = char::from(byte).to_digit(16)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests;
