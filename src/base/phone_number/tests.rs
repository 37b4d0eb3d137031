//! Numbers as people write them, and what they are.

use std::collections::BTreeSet;

use super::spellings::{Expected, Spelling};
use super::*;

#[test]
fn each_spelling_gives_what_the_numbering_plan_says() {
    let spellings = Spelling::all();
    let wrong: Vec<String> = spellings
        .iter()
        .filter_map(|row| {
            let found = PhoneNumber::parse(&row.written, row.region);
            let code = found.dialable.contains(['*', '#']);
            let right = match row.expected {
                Expected::Public(number) => {
                    found.e164.as_deref() == Some(number) && !found.internal
                }
                Expected::Internal => {
                    found.e164.is_none() && found.internal && !code && !found.dialable.is_empty()
                }
                Expected::Service => found.e164.is_none() && found.internal && code,
                Expected::Withheld => found.e164.is_none() && found.dialable.is_empty(),
                Expected::None => {
                    found.e164.is_none() && (found.dialable.is_empty() || !found.internal)
                }
            };
            let right = right && found.extension.as_deref() == row.extension;
            (!right).then(|| {
                format!(
                    "{:?} in {}: {found:?}\n    expected {:?} {:?}: {}",
                    row.written, row.region, row.expected, row.extension, row.rests_on
                )
            })
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_is_of_many_countries_and_says_what_each_row_rests_on() {
    let spellings = Spelling::all();
    let distinct: BTreeSet<_> = spellings
        .iter()
        .map(|row| (row.region, &row.written))
        .collect();
    assert_eq!(distinct.len(), spellings.len(), "a row is there twice");
    assert!(spellings.len() >= 300, "{}", spellings.len());
    let countries: BTreeSet<_> = spellings.iter().map(|row| row.region).collect();
    assert!(countries.len() >= 40, "{countries:?}");
    assert!(spellings.iter().all(|row| !row.rests_on.is_empty()));
}

#[test]
fn a_public_number_in_international_form_reads_as_itself_in_every_region() {
    for expected in Spelling::all().iter().filter_map(Spelling::e164) {
        for region in ["DE", "US", "IT", "RU", "MX", "FR", "XX", ""] {
            let again = PhoneNumber::parse(expected, region);
            assert_eq!(again.e164.as_deref(), Some(expected), "in {region}");
            assert!(!again.internal);
        }
    }
}

#[test]
fn the_national_form_reads_as_the_same_number_in_its_country() {
    for row in Spelling::all() {
        let number = PhoneNumber::parse(&row.written, row.region);
        let (Some(national), Some(home)) = (number.national, number.region) else {
            continue;
        };
        let again = PhoneNumber::parse(&national, &home);
        assert_eq!(again.e164, number.e164, "{national}");
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
