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
mod tests {
    use super::*;
    use crate::base::number_spelling::DIGIT_LIMIT;

    /// Spelling, region it is read in, and what the country's numbering plan makes of it; no
    /// number stands for "not a public number".
    const SPELLINGS: &[(&str, &str, &str)] = &[
        // Germany: trunk prefix 0, area codes of two to five digits, extensions without a mark.
        ("030 1234567", "DE", "+49301234567"),
        ("030/1234567", "DE", "+49301234567"),
        ("(030) 12 34 567", "DE", "+49301234567"),
        ("030-1234567", "DE", "+49301234567"),
        ("030.123.4567", "DE", "+49301234567"),
        ("[030] 1234567", "DE", "+49301234567"),
        ("+49 30 1234567", "US", "+49301234567"),
        ("+49 (0)30 1234567", "US", "+49301234567"),
        ("+49(0)30/1234567", "DE", "+49301234567"),
        ("+49 [0] 30 1234567", "DE", "+49301234567"),
        ("0049 30 1234567", "DE", "+49301234567"),
        ("0049 (0)30 1234567", "DE", "+49301234567"),
        ("0049301234567", "US", "+49301234567"),
        ("+0049 30 1234567", "DE", "+49301234567"),
        ("49301234567", "DE", "+49301234567"),
        ("++49 30 1234567", "DE", "+49301234567"),
        ("Tel.: 030 / 123 45 67", "DE", "+49301234567"),
        ("Mobil: 0171 2345678", "DE", "+491712345678"),
        ("0171/2345678", "DE", "+491712345678"),
        ("0171 – 234 56 78", "DE", "+491712345678"),
        ("1712345678", "DE", "+491712345678"),
        ("0800 REIMANN", "DE", "+498007346266"),
        ("030\u{a0}123\u{202f}4567", "DE", "+49301234567"),
        ("\u{202d}+49 30 1234567\u{202c}", "DE", "+49301234567"),
        ("089 1234-0", "DE", "+498912340"),
        ("1234567", "DE", ""),
        ("30123456", "DE", ""),
        // United States and Canada: ten digits, trunk prefix 1.
        ("(212) 555-0123", "US", "+12125550123"),
        ("212-555-0123", "US", "+12125550123"),
        ("212.555.0123", "US", "+12125550123"),
        ("212/555-0123", "US", "+12125550123"),
        ("2125550123", "US", "+12125550123"),
        ("1 212 555 0123", "US", "+12125550123"),
        ("12125550123", "DE", "+12125550123"),
        ("+1 (212) 555-0123", "DE", "+12125550123"),
        ("001 212 555 0123", "DE", "+12125550123"),
        ("011 49 30 1234567", "US", "+49301234567"),
        ("1-800-FLOWERS", "US", "+18003569377"),
        ("1 (800) GOFEDEX", "US", "+18004633339"),
        ("416-555-0123", "CA", "+14165550123"),
        ("+1 604 555 0199", "US", "+16045550199"),
        ("555-0123", "US", ""),
        ("212 555 012", "US", ""),
        ("012 555 0123", "US", ""),
        // United Kingdom: trunk prefix 0.
        ("020 7946 0958", "GB", "+442079460958"),
        ("+44 (0)20 7946 0958", "DE", "+442079460958"),
        ("(0)20 7946 0958", "GB", "+442079460958"),
        ("07400 123456", "GB", "+447400123456"),
        ("00 44 7400 123456", "DE", "+447400123456"),
        ("447400123456", "GB", "+447400123456"),
        ("7946 0958", "GB", ""),
        // France: ten digits with the trunk prefix 0.
        ("01 23 45 67 89", "FR", "+33123456789"),
        ("+33 (0)1.23.45.67.89", "DE", "+33123456789"),
        ("06.12.34.56.78", "FR", "+33612345678"),
        ("33612345678", "US", "+33612345678"),
        // Italy: the leading zero of a fixed line belongs to the number.
        ("06 123 4567", "IT", "+39061234567"),
        ("+39 06 1234567", "DE", "+39061234567"),
        ("+39 (0)6 1234567", "DE", "+39061234567"),
        ("312 345 6789", "IT", "+393123456789"),
        // Spain and Portugal: nine digits, no trunk prefix.
        ("912 34 56 78", "ES", "+34912345678"),
        ("+34 (0)912 345 678", "DE", "+34912345678"),
        ("612 345 678", "ES", "+34612345678"),
        ("212 345 678", "PT", "+351212345678"),
        ("+351 912 345 678", "DE", "+351912345678"),
        // Austria: numbers of many lengths.
        ("01 5880000", "AT", "+4315880000"),
        ("+43 (0) 1 588 00-0", "DE", "+431588000"),
        ("0664 1234567", "AT", "+436641234567"),
        // Switzerland.
        ("044 668 18 00", "CH", "+41446681800"),
        ("+41 (0)44 668 18 00", "DE", "+41446681800"),
        ("079/123.45.67", "CH", "+41791234567"),
        // Netherlands, Belgium, Luxembourg.
        ("020-1234567", "NL", "+31201234567"),
        ("06-12345678", "NL", "+31612345678"),
        ("+31 (0)20 123 4567", "DE", "+31201234567"),
        ("02 512 34 56", "BE", "+3225123456"),
        ("0470 12 34 56", "BE", "+32470123456"),
        ("27 12 34 56", "LU", "+35227123456"),
        // Denmark, Norway, Sweden, Finland.
        ("32 12 34 56", "DK", "+4532123456"),
        ("21 23 45 67", "NO", "+4721234567"),
        ("08-123 456 78", "SE", "+46812345678"),
        ("070-123 45 67", "SE", "+46701234567"),
        ("041 2345678", "FI", "+358412345678"),
        // Poland, Czech Republic, Hungary (trunk prefix 06).
        ("12 345 67 89", "PL", "+48123456789"),
        ("601 123 456", "CZ", "+420601123456"),
        ("06 1 234 5678", "HU", "+3612345678"),
        // Greece, Turkey, Israel.
        ("21 2345 6789", "GR", "+302123456789"),
        ("0212 345 67 89", "TR", "+902123456789"),
        ("0501 234 56 78", "TR", "+905012345678"),
        ("02-123-4567", "IL", "+97221234567"),
        // Russia: trunk prefix 8.
        ("8 (495) 123-45-67", "RU", "+74951234567"),
        ("+7 495 123-45-67", "DE", "+74951234567"),
        ("8 912 345 67 89", "RU", "+79123456789"),
        // Asia.
        ("03-1234-5678", "JP", "+81312345678"),
        ("０３−１２３４−５６７８", "JP", "+81312345678"),
        ("010 1234 5678", "CN", "+861012345678"),
        ("131 2345 6789", "CN", "+8613123456789"),
        ("02-123-4567", "KR", "+8221234567"),
        ("081234 56789", "IN", "+918123456789"),
        ("+91 81234 56789", "US", "+918123456789"),
        ("6123 4567", "SG", "+6561234567"),
        ("2123 4567", "HK", "+85221234567"),
        // Arabic-Indic, extended Arabic-Indic and Devanagari digits.
        ("٠٢ ٢٣٤٥٦٧٨٩", "EG", "+20223456789"),
        ("+٩٦٦ ٥٠ ١٢٣ ٤٥٦٧", "EG", "+966501234567"),
        ("۰۲۱ ۲۳۴۵ ۶۷۸۹", "IR", "+982123456789"),
        ("०८१२३४ ५६७८९", "IN", "+918123456789"),
        ("050 123 4567", "AE", "+971501234567"),
        // Latin America: mobile marks in Argentina and, until 2019, in Mexico.
        ("011 15-2345-6789", "AR", "+5491123456789"),
        ("+54 9 11 2345 6789", "DE", "+5491123456789"),
        ("(11) 96123-4567", "BR", "+5511961234567"),
        ("55 1234 5678", "MX", "+525512345678"),
        ("+52 1 55 1234 5678", "DE", "+525512345678"),
        // Australia, New Zealand, South Africa.
        ("(02) 1234 5678", "AU", "+61212345678"),
        ("0412 345 678", "AU", "+61412345678"),
        ("0011 49 30 1234567", "AU", "+49301234567"),
        ("09 345 6789", "NZ", "+6493456789"),
        ("010 123 4567", "ZA", "+27101234567"),
        // No country's: freephone, and what does not exist.
        ("+800 1234 5678", "DE", "+80012345678"),
        ("+999 123 4567", "DE", ""),
        ("+49", "DE", ""),
        // Extensions do not belong to the number.
        ("+49 30 1234567 ext. 12", "DE", "+49301234567"),
        ("212-555-0123 x123", "US", "+12125550123"),
        ("212-555-0123 #123", "US", "+12125550123"),
        ("+1 212 555 0123,,123", "DE", "+12125550123"),
        ("030 1234567 Durchwahl 12", "DE", "+49301234567"),
        ("+7 495 123-45-67 доб. 12", "DE", "+74951234567"),
        ("tel:+1-212-555-0123;ext=123", "DE", "+12125550123"),
        // SIP users and URIs.
        ("sip:+49301234567@example.com", "US", "+49301234567"),
        (
            "sips:+49301234567@example.com;transport=tls",
            "US",
            "+49301234567",
        ),
        (
            "SIP:%2B49301234567@example.com:5060;user=phone",
            "US",
            "+49301234567",
        ),
        (
            "sip:030-1234567;phone-context=example.com@example.com",
            "DE",
            "+49301234567",
        ),
        (
            "\"Alice\" <sip:0301234567@192.0.2.1>;tag=1",
            "DE",
            "+49301234567",
        ),
        ("+49301234567@example.com", "US", "+49301234567"),
        ("sip:+49301234567:secret@example.com", "US", "+49301234567"),
        ("tel:+49-30-1234567", "US", "+49301234567"),
        ("tel:030%201234567", "DE", "+49301234567"),
        ("tel://+49301234567", "US", "+49301234567"),
        ("callto:+49301234567", "US", "+49301234567"),
        ("tel:555-0123;phone-context=+1-212", "DE", "+12125550123"),
        ("tel:7042;phone-context=example.com", "DE", ""),
        ("sip:1-800-FLOWERS@example.com", "US", ""),
        // Internal numbers and codes first, though plans would read them.
        ("101", "DE", ""),
        ("110", "DE", ""),
        ("12345", "DE", ""),
        ("911", "US", ""),
        ("*62#", "DE", ""),
        ("**61*0301234567#", "DE", ""),
        ("#31#0301234567", "DE", ""),
        // Names.
        ("alice", "DE", ""),
        ("sip:alice@example.com", "DE", ""),
        ("4u2call", "US", ""),
        ("anonymous", "DE", ""),
        ("", "DE", ""),
        ("+", "DE", ""),
        ("()", "DE", ""),
        ("%%%", "DE", ""),
    ];

    #[test]
    fn each_spelling_gives_what_the_numbering_plan_says() {
        let wrong: Vec<String> = SPELLINGS
            .iter()
            .filter_map(|(text, region, expected)| {
                let found = PhoneNumber::parse(text, region);
                (found.e164.as_deref().unwrap_or_default() != *expected)
                    .then(|| format!("{text:?} in {region}: {found:?}, expected {expected:?}"))
            })
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(SPELLINGS.len() > 100);
    }

    #[test]
    fn a_public_number_in_international_form_reads_as_itself_in_every_region() {
        for (_, _, expected) in SPELLINGS.iter().filter(|row| !row.2.is_empty()) {
            for region in ["DE", "US", "IT", "RU", "MX", "XX", ""] {
                let again = PhoneNumber::parse(expected, region);
                assert_eq!(again.e164.as_deref(), Some(*expected), "in {region}");
                assert!(!again.internal);
            }
        }
    }

    #[test]
    fn the_national_form_reads_as_the_same_number_in_its_country() {
        for (text, region, expected) in SPELLINGS.iter().filter(|row| !row.2.is_empty()) {
            let number = PhoneNumber::parse(text, region);
            let (Some(national), Some(home)) = (number.national, number.region) else {
                continue;
            };
            let again = PhoneNumber::parse(&national, &home);
            assert_eq!(again.e164.as_deref(), Some(*expected), "{national}");
        }
    }

    #[test]
    fn short_numbers_codes_and_names_are_internal() {
        for text in [
            "101",
            "12345",
            "*62#",
            "**61*0301234567#",
            "alice",
            "sip:bob@h",
            "112",
        ] {
            assert!(PhoneNumber::parse(text, "DE").internal, "{text}");
        }
        for text in ["1234567", "+49 30 1234567", "+999 123 4567"] {
            assert!(!PhoneNumber::parse(text, "DE").internal, "{text}");
        }
    }

    #[test]
    fn extensions_stand_beside_the_number() {
        for (text, extension) in [
            ("+49 30 1234567 ext. 12", Some("12")),
            ("212-555-0123x123", Some("123")),
            ("212-555-0123 #123", Some("123")),
            ("+1 212 555 0123,,12 3", Some("123")),
            ("tel:+1-212-555-0123;ext=12-3", Some("123")),
            ("+49 30 1234567", None),
        ] {
            let number = PhoneNumber::parse(text, "US");
            assert_eq!(number.extension.as_deref(), extension, "{text}");
        }
        let number = PhoneNumber::parse("212-555-0123x123", "US");
        assert_eq!(number.display(), "+1 212-555-0123 ext. 123");
    }

    #[test]
    fn the_display_is_international_else_as_written() {
        for (text, shown) in [
            ("030/1234567", "+49 30 1234567"),
            ("sip:0301234567@pbx", "+49 30 1234567"),
            ("101", "101"),
            ("sip:101@pbx.example.com", "101"),
            (
                "sip:alice%20b@example.com;transport=tcp",
                "alice b@example.com",
            ),
            ("sip:\u{202e}alice@example.com", "alice@example.com"),
            ("*62#", "*62#"),
            ("123-45 67", "123-45 67"),
        ] {
            assert_eq!(PhoneNumber::parse(text, "DE").display(), shown);
        }
    }

    #[test]
    fn a_keypad_dials_the_national_form_at_home_and_a_prefix_abroad() {
        let berlin = PhoneNumber::parse("+49 30 1234567", "DE");
        assert_eq!(berlin.dialled_from("DE").as_deref(), Some("0301234567"));
        assert_eq!(berlin.dialled_from("AT").as_deref(), Some("0049301234567"));
        assert_eq!(berlin.dialled_from("US").as_deref(), Some("01149301234567"));
        assert_eq!(
            berlin.dialled_internationally_from("DE").as_deref(),
            Some("0049301234567")
        );
        assert_eq!(
            berlin.dialled_internationally_from("CA").as_deref(),
            Some("01149301234567")
        );
    }

    #[test]
    fn premium_and_satellite_numbers_warn_of_their_cost() {
        for text in [
            "0900 1 123456",
            "+1 900 555 0123",
            "+870 773 111 632",
            "+881 612 345 678",
        ] {
            let number = PhoneNumber::parse(text, "DE");
            let satellite_sea = text.starts_with("+870");
            assert_eq!(
                number.cost_warning().is_some(),
                !satellite_sea,
                "{number:?}"
            );
        }
        assert_eq!(PhoneNumber::parse("030 1234567", "DE").cost_warning(), None);
    }

    #[test]
    fn any_text_is_read_without_panic_and_without_growth() {
        let mut random = crate::base::random::SeededRandom::new(7);
        let alphabet: Vec<char> =
            "0123456789+*#()[]/.-,;=@:<>%xaE \u{0}\u{7f}é٣\u{202e}\u{1f4de}ext"
                .chars()
                .collect();
        for _ in 0..20_000 {
            let length = crate::base::random::Random::next_u32(&mut random) % 40;
            let text: String = (0..length)
                .map(|_| {
                    let drawn = crate::base::random::Random::next_u32(&mut random);
                    alphabet[drawn as usize % alphabet.len()]
                })
                .collect();
            let number = PhoneNumber::parse(&text, "DE");
            assert!(number.dialable.len() <= DIGIT_LIMIT + 1, "{number:?}");
            assert!(!number.display().contains('\0'));
        }
        let endless = PhoneNumber::parse(&"9".repeat(100_000), "DE");
        assert!(endless.raw.len() <= TEXT_LIMIT && endless.e164.is_none());
    }
}
