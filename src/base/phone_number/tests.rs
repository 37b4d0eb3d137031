//! Numbers as people write them, and what they are.

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
    let alphabet: Vec<char> = "0123456789+*#()[]/.-,;=@:<>%xaE \u{0}\u{7f}é٣\u{202e}\u{1f4de}ext"
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
