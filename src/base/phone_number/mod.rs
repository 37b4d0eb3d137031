//! Phone numbers by libphonenumber's rules.
//!
//! A text goes through three steps: the part that can be a number is taken out of it (a SIP user,
//! a `tel:` number), its spelling is reduced to dialable characters, and the result is read by the
//! numbering plans. Short numbers are internal first: numbering plans would read `101` as a number
//! of a whole country.

use rlibphonenumber::{
    CountryCodeSource, PHONE_NUMBER_UTIL, PhoneNumber as Parsed, PhoneNumberFormat,
    PhoneNumberType, Region,
};

use crate::base::number_spelling::{Spelled, extension_digits, invisible};

/// More characters than this are no number and no address; the rest is not read.
const TEXT_LIMIT: usize = 512;

/// Up to so many digits without a country code are an internal number, whatever a plan says.
const INTERNAL_DIGITS: usize = 5;

/// Up to so many digits are internal when no numbering plan knows them as public.
const UNKNOWN_INTERNAL_DIGITS: usize = 6;

/// From so many digits on a number without its trunk prefix cannot be a local one: the longest
/// local numbers (without area code) have eight digits.
const NATIONAL_WITHOUT_PREFIX: usize = 9;

/// From so many digits on a number without `+` may still begin with a foreign country code, as
/// trunks send it.
const INTERNATIONAL_WITHOUT_PLUS: usize = 11;

/// Words in front of a number that say what it is, in lower case.
const LABELS: [&str; 11] = [
    "tel",
    "telefon",
    "telephone",
    "phone",
    "fon",
    "mobile",
    "mobil",
    "cell",
    "handy",
    "fax",
    "call",
];

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
        let extension = spelled.extension.take().or(subject.extension);
        let parsed = subject
            .context
            .as_deref()
            .and_then(|context| in_context(context, &spelled, region))
            .or_else(|| public_number(&spelled, region));
        match parsed {
            Some(parsed) => {
                let e164 = parsed.format_as(PhoneNumberFormat::E164).into_owned();
                Self {
                    raw,
                    dialable: if spelled.dialable.starts_with('+') {
                        e164.clone()
                    } else {
                        spelled.dialable
                    },
                    national: Some(parsed.format_as(PhoneNumberFormat::National).into_owned()),
                    extension,
                    region: parsed
                        .get_region_code()
                        .filter(|region| *region != Region::World)
                        .map(|region| region.to_string()),
                    e164: Some(e164),
                    internal: false,
                }
            }
            None => Self {
                internal: spelled.service_code
                    || (!spelled.dialable.starts_with('+')
                        && spelled.dialable.len() <= UNKNOWN_INTERNAL_DIGITS),
                raw,
                dialable: spelled.dialable,
                extension,
                ..Self::default()
            },
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
        let abroad = if is_nanpa(region) {
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

/// What of a text may be a number.
struct Subject {
    /// The number or name to read.
    text: String,
    /// What a person sees of it.
    written: String,
    /// RFC 3966 `phone-context`, when it is a number's beginning.
    context: Option<String>,
    /// RFC 3966 `ext`.
    extension: Option<String>,
    /// Whether letters may stand for digits: not in a SIP user part, where they are a name.
    words_allowed: bool,
}

impl Subject {
    fn of(text: &str) -> Self {
        let bare = text
            .split_once('<')
            .and_then(|(_, rest)| rest.split_once('>'))
            .map_or(text, |(inside, _)| inside)
            .trim();
        let (scheme, rest) = split_scheme(bare);
        let rest = if scheme.is_some() {
            rest.trim_start_matches('/')
        } else {
            rest
        };
        if let Some((user, host)) = rest.split_once('@') {
            let user = user.split_once(':').map_or(user, |(user, _)| user);
            let (name, params) = user.split_once(';').unwrap_or((user, ""));
            let name = percent_decoded(name);
            let host = host.split([';', '?']).next().unwrap_or_default();
            return Self {
                written: if name.chars().any(char::is_alphabetic) {
                    format!("{name}@{host}")
                } else {
                    name.clone()
                },
                text: name,
                context: parameter(params, "phone-context"),
                extension: parameter(params, "ext").and_then(|ext| extension_digits(&ext)),
                words_allowed: false,
            };
        }
        let rest = match scheme {
            Some(_) => rest.split('?').next().unwrap_or_default(),
            None => rest,
        };
        // Without a scheme a semicolon only begins parameters when they look like some.
        let (number, params) = match rest.split_once(';') {
            Some((number, params)) if scheme.is_some() || params.contains('=') => (number, params),
            _ => (rest, ""),
        };
        let number = if scheme.is_some() {
            percent_decoded(number)
        } else {
            number.to_owned()
        };
        Self {
            written: number.clone(),
            text: without_label(&number).to_owned(),
            context: parameter(params, "phone-context"),
            extension: parameter(params, "ext").and_then(|ext| extension_digits(&ext)),
            words_allowed: !matches!(scheme, Some("sip" | "sips")),
        }
    }
}

/// Finds the public number that a spelling means, in order of likelihood.
fn public_number(spelled: &Spelled, region: Option<Region>) -> Option<Parsed> {
    let dialable = spelled.dialable.as_str();
    if spelled.service_code {
        return None;
    }
    if !dialable.starts_with('+') && dialable.len() <= INTERNAL_DIGITS {
        return None;
    }
    let without_zero = spelled.optional_zero.map(|place| {
        let mut shorter = dialable.to_owned();
        shorter.remove(place);
        shorter
    });
    valid(dialable, region)
        .or_else(|| without_zero.and_then(|shorter| valid(&shorter, region)))
        .or_else(|| {
            // Mexico's mobile numbers had a 1 after the country code until August 2019.
            let rest = dialable.strip_prefix("+521")?;
            valid(&format!("+52{rest}"), None)
        })
        .or_else(|| {
            // `00` and `+00` are written in countries whose own prefix is another.
            let rest = dialable
                .strip_prefix("+00")
                .or_else(|| dialable.strip_prefix("00"))?;
            valid(&format!("+{rest}"), None)
        })
        .or_else(|| {
            let whole =
                dialable.len() >= INTERNATIONAL_WITHOUT_PLUS && !dialable.starts_with(['0', '+']);
            whole
                .then(|| valid(&format!("+{dialable}"), None))
                .flatten()
        })
}

/// Reads a local number inside its RFC 3966 `phone-context`, when that is the number's beginning.
fn in_context(context: &str, spelled: &Spelled, region: Option<Region>) -> Option<Parsed> {
    if !context.starts_with('+') || spelled.dialable.starts_with('+') {
        return None;
    }
    let beginning = Spelled::read(context, false)?.dialable;
    valid(&format!("{beginning}{}", spelled.dialable), region)
}

fn valid(dialable: &str, region: Option<Region>) -> Option<Parsed> {
    let parsed = PHONE_NUMBER_UTIL
        .parse_and_keep_raw_input(dialable, region)
        .ok()?;
    if !parsed.is_valid() {
        return None;
    }
    let whole = parsed.country_code_source() != CountryCodeSource::FromDefaultCountry
        || nationally_complete(dialable, &parsed);
    // The raw input would be taken for the number's own spelling when it is formatted.
    whole.then_some(Parsed {
        raw_input: None,
        country_code_source: None,
        preferred_domestic_carrier_code: None,
        ..parsed
    })
}

/// Whether digits without a country code are a whole national number. Where the national form has
/// a trunk prefix, few digits without it are a local number, which exists in each area.
fn nationally_complete(dialable: &str, parsed: &Parsed) -> bool {
    let national = dialable_characters(&parsed.format_as(PhoneNumberFormat::National));
    let significant = parsed.get_national_significant_number();
    match national.strip_suffix(&significant) {
        None | Some("") => true,
        Some(prefix) => {
            dialable.starts_with(prefix)
                || dialable.len() >= NATIONAL_WITHOUT_PREFIX
                || parsed.get_type() == PhoneNumberType::Mobile
        }
    }
}

fn is_nanpa(region: &str) -> bool {
    Region::from_code(region).is_ok_and(|region| PHONE_NUMBER_UTIL.is_nanpa_country(region))
}

fn dialable_characters(text: &str) -> String {
    text.chars()
        .filter(|character| character.is_ascii_digit() || matches!(character, '+' | '*' | '#'))
        .collect()
}

fn clipped(text: &str) -> &str {
    match text.char_indices().nth(TEXT_LIMIT) {
        Some((end, _)) => text.get(..end).unwrap_or_default(),
        None => text,
    }
}

/// Splits a known scheme off; its name comes back in lower case.
pub(crate) fn split_scheme(text: &str) -> (Option<&'static str>, &str) {
    let Some((scheme, rest)) = text.split_once(':') else {
        return (None, text);
    };
    let known = ["sip", "sips", "tel", "callto"]
        .into_iter()
        .find(|known| scheme.eq_ignore_ascii_case(known));
    match known {
        Some(known) => (Some(known), rest),
        None => (None, text),
    }
}

/// Finds a parameter's decoded value.
pub(crate) fn parameter(params: &str, name: &str) -> Option<String> {
    params.split(';').find_map(|param| {
        let (key, value) = param.split_once('=')?;
        key.trim()
            .eq_ignore_ascii_case(name)
            .then(|| percent_decoded(value.trim()))
    })
}

fn without_label(text: &str) -> &str {
    let text = text.trim();
    let end = text
        .find(|character: char| !character.is_alphabetic())
        .unwrap_or_default();
    let (word, rest) = text.split_at_checked(end).unwrap_or(("", text));
    if LABELS.contains(&word.to_lowercase().as_str()) {
        rest.trim_start_matches(['.', ':', ' '])
    } else {
        text
    }
}

fn hex_value(byte: u8) -> Option<u8> {
    let value = char::from(byte).to_digit(16)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests;
