//! What the numbering plans make of dialable characters.
//!
//! libphonenumber's tables say what a number is today and in one country. People write more: the
//! prefixes of some years ago, the numbers of other countries under one's own plan, more letters than a
//! number has digits. What follows from the plans is read here, each rule with its plan.

use rlibphonenumber::{
    CountryCodeSource, PHONE_NUMBER_UTIL, PhoneNumber as Parsed, PhoneNumberFormat,
    PhoneNumberType, Region,
};

use crate::base::number_spelling::Spelled;

/// Up to so many digits without a country code are an internal number, whatever a plan says.
const INTERNAL_DIGITS: usize = 5;

/// From so many digits on a number without its trunk prefix cannot be a local one: the longest
/// local numbers (without area code) have eight digits.
const NATIONAL_WITHOUT_PREFIX: usize = 9;

/// From so many digits on a number without `+` may still begin with a foreign country code, as
/// trunks send it.
const INTERNATIONAL_WITHOUT_PLUS: usize = 11;

/// So many digits at least stand before an extension that is only parted by a mark.
const NUMBER_BEFORE_MARK: usize = 7;

/// So many digits at most are dialled behind a company's number for one of its extensions.
pub(crate) const DIRECT_DIGITS: usize = 5;

/// Countries of open numbering: a company's extensions are dialled as further digits behind its number,
/// and a hyphen stands between (DIN 5008, ÖNORM A 1080).
const DIRECT_DIALLING: [i32; 2] = [49, 43];

/// Whose numbers are dialled alike, with ten digits, in France and overseas (Arcep's national plan),
/// though each has a country code: 590, 594, 596 and 262 beside 33.
const FRENCH_PLAN: [&str; 5] = ["FR", "GP", "GF", "MQ", "RE"];

/// What regulators keep for films, books and examples where the tables leave it out: people try the phone
/// with it. Country code, beginning, digits (Ofcom's and Arcep's lists).
const KEPT_FOR_FILMS: [(i32, &str, usize); 3] =
    [(44, "1632960", 10), (44, "7700900", 10), (33, "63998", 9)];

/// A public number, and what of the spelling it is.
pub(super) struct Found {
    pub(super) parsed: Parsed,
    /// The dialable characters of the number alone.
    pub(super) dialable: String,
    /// The extension behind its last mark.
    pub(super) extension: Option<String>,
}

impl Found {
    /// Finds the public number that a spelling means, in order of likelihood.
    pub(super) fn of(spelled: &Spelled, region: Option<Region>) -> Option<Self> {
        if spelled.service_code {
            return None;
        }
        let found = |dialable: &str, parsed| Self {
            parsed,
            dialable: dialable.to_owned(),
            extension: None,
        };
        let before_words = spelled.before_words();
        if let Some(number) = before_words
            && let Some(parsed) = public(number, spelled.optional_zero, false, region)
        {
            return Some(found(number, parsed));
        }
        let whole = spelled.dialable.as_str();
        if let Some(parsed) = public(whole, spelled.optional_zero, spelled.letters, region) {
            return Some(found(whole, parsed));
        }
        // `021-61234567-802`: more digits than the number has, behind a mark.
        let number = before_words.unwrap_or(whole);
        let place = spelled
            .marks
            .iter()
            .rev()
            .find(|mark| mark.place < number.len())?
            .place;
        let (number, extension) = number.split_at_checked(place)?;
        if number.len() < NUMBER_BEFORE_MARK {
            return None;
        }
        let parsed = public(number, spelled.optional_zero, false, region)?;
        Some(Self {
            extension: Some(extension.to_owned()),
            ..found(number, parsed)
        })
    }

    /// Reads a local number inside its RFC 3966 `phone-context`, when that is the number's beginning.
    pub(super) fn in_context(
        context: &str,
        spelled: &Spelled,
        region: Option<Region>,
    ) -> Option<Self> {
        if !context.starts_with('+') || spelled.dialable.starts_with('+') {
            return None;
        }
        let beginning = Spelled::read(context, false)?.dialable;
        Some(Self {
            parsed: valid(&format!("{beginning}{}", spelled.dialable), region)?,
            dialable: spelled.dialable.clone(),
            extension: None,
        })
    }

    /// The number that a company's extensions share, in international form, where the country dials them
    /// as further digits and the spelling shows where they begin.
    pub(super) fn stem(&self, e164: &str, spelled: &Spelled) -> Option<String> {
        let end = self.dialable.len();
        let named = spelled.extension.is_some();
        // Most numbers show none, and what follows costs more than the look.
        let shows = spelled
            .marks
            .iter()
            .any(|mark| mark.hyphen && mark.place < end && end - mark.place <= DIRECT_DIGITS);
        if !(named || shows) || !DIRECT_DIALLING.contains(&self.parsed.country_code) {
            return None;
        }
        let kind = self.parsed.get_type();
        if !matches!(
            kind,
            PhoneNumberType::FixedLine | PhoneNumberType::UAN | PhoneNumberType::VoIP
        ) {
            return None;
        }
        let area_end = "+49".len() + self.parsed.get_length_of_geographical_area_code();
        let mut places = spelled
            .marks
            .iter()
            .filter(|mark| mark.place < end)
            .filter_map(|mark| Some((e164.len().checked_sub(end - mark.place)?, mark.hyphen)));
        // The mark behind the area code is no other's; of two further ones none shows an extension.
        let direct = places
            .by_ref()
            .find(|(place, _)| *place > area_end)
            .filter(|(place, hyphen)| {
                *hyphen && *place >= area_end + 2 && e164.len() - place <= DIRECT_DIGITS
            })
            .filter(|_| places.next().is_none())
            .and_then(|(place, _)| e164.split_at_checked(place));
        match direct {
            Some((stem, "0")) => Some(stem.to_owned()),
            Some((stem, _)) if !named => Some(stem.to_owned()),
            Some(_) | None => named.then(|| e164.to_owned()),
        }
    }
}

/// Reads one public number in all forms that a plan knows or knew.
fn public(
    dialable: &str,
    optional_zero: Option<usize>,
    letters: bool,
    region: Option<Region>,
) -> Option<Parsed> {
    if !dialable.starts_with('+') && dialable.len() <= INTERNAL_DIGITS {
        return None;
    }
    valid(dialable, region)
        .or_else(|| {
            let place = optional_zero.filter(|place| *place < dialable.len())?;
            let mut shorter = dialable.to_owned();
            shorter.remove(place);
            valid(&shorter, region)
        })
        .or_else(|| international(dialable, letters))
        .or_else(|| national_of_old(dialable, region))
        .or_else(|| letters.then(|| overdialled(dialable, region)).flatten())
}

/// A number that begins with a country code, though the region dials it otherwise.
fn international(dialable: &str, letters: bool) -> Option<Parsed> {
    // `00` and `+00` are written in countries whose own prefix is another.
    let prefixed = dialable
        .strip_prefix("+00")
        .or_else(|| dialable.strip_prefix("00"));
    let known = prefixed.or_else(|| dialable.strip_prefix('+'));
    let digits = known.or_else(|| {
        let whole =
            dialable.len() >= INTERNATIONAL_WITHOUT_PLUS && !dialable.starts_with('0') && !letters;
        whole.then_some(dialable)
    })?;
    let plain = || valid(&format!("+{digits}"), None);
    // Mexico's mobile numbers had a 1 after the country code until August 2019.
    let mexican = || {
        let rest = known?.strip_prefix("521")?;
        valid(&format!("+52{rest}"), None)
    };
    // `+49 0049 30 …`: the country code was put before what had it already.
    let doubled = || {
        (1..=3).find_map(|length| {
            let (code, rest) = known?.split_at_checked(length)?;
            let rest = rest.strip_prefix("00")?.strip_prefix(code)?;
            valid(&format!("+{code}{rest}"), None)
        })
    };
    plain().or_else(mexican).or_else(doubled)
}

/// A national number with a prefix that its plan had until some years ago, or of another country that is
/// dialled by the same plan.
fn national_of_old(dialable: &str, region: Option<Region>) -> Option<Parsed> {
    let region = region?.to_string();
    let behind = |prefixes: &[&str], digits: usize| {
        prefixes
            .iter()
            .filter_map(|prefix| dialable.strip_prefix(prefix))
            .find(|rest| rest.len() == digits)
    };
    match region.as_str() {
        // The trunk prefix 01, and 044 and 045 before mobiles, until August 2019 (IFT).
        "MX" => valid(&format!("+52{}", behind(&["01", "044", "045"], 10)?), None),
        // The trunk prefix 0 until May 2010 (UKE).
        "PL" => valid(&format!("+48{}", behind(&["0"], 9)?), None),
        french if FRENCH_PLAN.contains(&french) || matches!(french, "YT" | "BL" | "MF") => {
            behind(&["0"], 9)?;
            FRENCH_PLAN
                .iter()
                .filter_map(|other| Region::from_code(other).ok())
                .find_map(|other| valid(dialable, Some(other)))
        }
        _ => None,
    }
}

/// More letters than the number has digits: the North American network ignores what is dialled behind the
/// tenth.
fn overdialled(dialable: &str, region: Option<Region>) -> Option<Parsed> {
    let digits = match dialable.strip_prefix('+') {
        Some(digits) => digits.strip_prefix('1')?,
        None if is_nanpa(region?) => dialable.strip_prefix('1').unwrap_or(dialable),
        None => return None,
    };
    valid(&format!("+1{}", digits.get(..10)?), None)
}

fn valid(dialable: &str, region: Option<Region>) -> Option<Parsed> {
    let parsed = PHONE_NUMBER_UTIL
        .parse_and_keep_raw_input(dialable, region)
        .ok()?;
    if !parsed.is_valid() && !kept_for_films(&parsed) {
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

fn kept_for_films(parsed: &Parsed) -> bool {
    let mut kept = KEPT_FOR_FILMS
        .iter()
        .filter(|(code, ..)| *code == parsed.country_code)
        .peekable();
    kept.peek().is_some() && {
        let national = parsed.get_national_significant_number();
        kept.any(|(_, beginning, digits)| {
            national.len() == *digits && national.starts_with(beginning)
        })
    }
}

/// The region of a number; none for numbers of no country, such as `+800`.
pub(super) fn region_of(parsed: &Parsed) -> Option<String> {
    parsed
        .get_region_code()
        .or_else(|| PHONE_NUMBER_UTIL.get_region_for_country_code(parsed.country_code))
        .filter(|region| *region != Region::World)
        .map(|region| region.to_string())
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

/// Whether a region dials by the North American plan.
pub(super) fn is_nanpa(region: Region) -> bool {
    PHONE_NUMBER_UTIL.is_nanpa_country(region)
}

/// What of a text is dialled.
pub(super) fn dialable_characters(text: &str) -> String {
    text.chars()
        .filter(|character| character.is_ascii_digit() || matches!(character, '+' | '*' | '#'))
        .collect()
}
