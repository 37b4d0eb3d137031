//! What holds for every number and every text.

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberType};

use super::spellings::Spelling;
use super::*;
use crate::base::number_spelling::DIGIT_LIMIT;
use crate::base::random::{Random as _, SeededRandom};

/// So many characters at most are added to a text by its display: the country code's blanks, ` ext. ` and
/// an extension.
const DISPLAY_GROWTH: usize = 64;

const KINDS: [PhoneNumberType; 8] = [
    PhoneNumberType::FixedLine,
    PhoneNumberType::Mobile,
    PhoneNumberType::TollFree,
    PhoneNumberType::PremiumRate,
    PhoneNumberType::SharedCost,
    PhoneNumberType::PersonalNumber,
    PhoneNumberType::VoIP,
    PhoneNumberType::UAN,
];

/// A number of each kind of each region that the tables know.
fn examples() -> Vec<(String, String)> {
    let mut examples: Vec<(String, String)> = PHONE_NUMBER_UTIL
        .get_supported_regions()
        .flat_map(|region| {
            KINDS.iter().filter_map(move |kind| {
                let number = PHONE_NUMBER_UTIL
                    .get_example_number_for_type_and_region(region, *kind)
                    .ok()?;
                let e164 = number.format_as(PhoneNumberFormat::E164).into_owned();
                Some((region.to_string(), e164))
            })
        })
        .collect();
    examples.sort();
    examples.dedup();
    examples
}

#[test]
fn numbers_of_all_regions_read_back_from_all_their_forms() {
    let examples = examples();
    assert!(examples.len() > 1000, "{}", examples.len());
    for (region, e164) in &examples {
        for home in [region.as_str(), "DE", "US", ""] {
            let number = PhoneNumber::parse(e164, home);
            assert_eq!(number.e164.as_deref(), Some(e164.as_str()), "in {home}");
            let again = PhoneNumber::parse(&number.display(), home);
            assert_eq!(again.e164, number.e164, "{} in {home}", number.display());
        }
        let number = PhoneNumber::parse(e164, region);
        let national = number.national.as_deref().unwrap();
        let again = PhoneNumber::parse(national, region);
        // What is that short is an extension first.
        if again.dialable.len() > UNKNOWN_INTERNAL_DIGITS {
            assert_eq!(again.e164, number.e164, "{national} in {region}");
        }
        let abroad = PhoneNumber::parse(&e164.replacen('+', "00", 1), "DE");
        assert_eq!(abroad.e164, number.e164, "00 in DE");
    }
}

/// What holds of any text, and why it would matter.
fn hold(text: &str, region: &str) {
    let number = PhoneNumber::parse(text, region);
    let what = || format!("{text:?} in {region}: {number:?}");
    // Indexes and rows hold them.
    assert!(number.dialable.len() <= DIGIT_LIMIT + 1, "{}", what());
    assert!(number.raw.chars().count() <= TEXT_LIMIT, "{}", what());
    let long = |text: &Option<String>, limit| text.as_ref().is_some_and(|text| text.len() > limit);
    assert!(!long(&number.e164, 18), "{}", what());
    assert!(!long(&number.stem, 18), "{}", what());
    assert!(!long(&number.extension, 20), "{}", what());
    let display = number.display();
    assert!(
        display.chars().count() <= text.chars().count() + DISPLAY_GROWTH,
        "{}",
        what()
    );
    // A caller must not look like another.
    assert_eq!(printable(&display), display, "{}", what());
    // What is dialled is digits and nothing a SIP address could be broken with.
    let plain = |text: &str| {
        text.chars()
            .all(|c| c.is_ascii_digit() || "+*#".contains(c))
    };
    assert!(plain(&number.dialable), "{}", what());
    let Some(e164) = &number.e164 else { return };
    assert!(!number.internal, "{}", what());
    assert!(e164.starts_with('+') && plain(e164), "{}", what());
    // Reading again changes nothing, wherever.
    for region in [region, "US", "IT", ""] {
        let again = PhoneNumber::parse(e164, region);
        assert_eq!(again.e164.as_ref(), Some(e164), "{}", what());
        let shown = PhoneNumber::parse(&display, region);
        assert_eq!(shown.e164.as_ref(), Some(e164), "{}", what());
        assert_eq!(shown.extension, number.extension, "{}", what());
    }
    if let Some(stem) = &number.stem {
        assert!(e164.starts_with(stem.as_str()), "{}", what());
    }
}

const ALPHABET: &str = "0123456789+*#()[]/.-,;=@:<>%xaE \u{0}\u{7f}é٣۳३３＋－（０）ー転ß\u{a0}\u{ad}\u{202e}\u{2011}\u{1f4de}ext";

#[test]
fn any_text_holds() {
    let mut random = SeededRandom::new(7);
    let alphabet: Vec<char> = ALPHABET.chars().collect();
    let regions = ["DE", "US", "AT", "FR", "BR", "MX", "CN", "PL", "IT", ""];
    for _ in 0..20_000 {
        let length = random.next_u32() % 40;
        let text: String = (0..length)
            .map(|_| alphabet[random.next_u32() as usize % alphabet.len()])
            .collect();
        hold(&text, regions[random.next_u32() as usize % regions.len()]);
    }
}

#[test]
fn damaged_spellings_hold() {
    let mut random = SeededRandom::new(11);
    let alphabet: Vec<char> = ALPHABET.chars().collect();
    let spellings = Spelling::all();
    for _ in 0..20_000 {
        let mut drawn = || random.next_u32() as usize;
        let row = &spellings[drawn() % spellings.len()];
        let mut text: Vec<char> = row.written.chars().collect();
        for _ in 0..=drawn() % 3 {
            let place = drawn() % (text.len() + 1);
            match drawn() % 4 {
                0 => text.insert(place, alphabet[drawn() % alphabet.len()]),
                1 if place < text.len() => drop(text.remove(place)),
                2 if place < text.len() => text[place] = alphabet[drawn() % alphabet.len()],
                _ => {
                    let other = &spellings[drawn() % spellings.len()].written;
                    text.extend(other.chars().take(drawn() % 20));
                }
            }
        }
        let text: String = text.into_iter().collect();
        let region = spellings[drawn() % spellings.len()].region;
        hold(&text, region);
    }
}

#[test]
fn endless_texts_are_cut() {
    for part in [
        "9", "+", "(0)", "x", "tel:", "-", "\u{202e}", "%", "ext. 1 ", "0 30 / ",
    ] {
        hold(&part.repeat(50_000), "DE");
    }
}
