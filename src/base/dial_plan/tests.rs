//! What is dialled, and what becomes of it.

use super::*;

fn plan(region: &str, outside_prefix: &str, e164: bool) -> DialPlan {
    DialPlan {
        region: region.to_owned(),
        domain: "pbx.example.com".to_owned(),
        outside_prefix: outside_prefix.to_owned(),
        e164,
        emergency_numbers: Vec::new(),
    }
}

/// Typed, region, outside prefix, international form, the URI's user part, the rule.
const NUMBERS: &[(&str, &str, &str, bool, &str, &str)] = &[
    (
        "030/1234567",
        "DE",
        "",
        true,
        "+49301234567",
        "national number of DE, sent in international form",
    ),
    (
        "+33 1 23 45 67 89",
        "DE",
        "",
        true,
        "+33123456789",
        "number of FR, sent in international form",
    ),
    (
        "030/1234567",
        "DE",
        "",
        false,
        "0301234567",
        "national number of DE, sent in national form",
    ),
    (
        "+49 (0)30 1234567",
        "DE",
        "0",
        false,
        "00301234567",
        "national number of DE, sent in national form after 0 for an outside line",
    ),
    (
        "+33 1 23 45 67 89",
        "DE",
        "0",
        false,
        "00033123456789",
        "number of FR, sent with the international prefix after 0 for an outside line",
    ),
    (
        "030 1234567",
        "DE",
        "0",
        true,
        "00049301234567",
        "national number of DE, sent with the international prefix after 0 for an outside line",
    ),
    (
        "(212) 555-0123",
        "US",
        "9",
        false,
        "912125550123",
        "national number of US, sent in national form after 9 for an outside line",
    ),
    (
        "9 212 555 0123",
        "US",
        "9",
        false,
        "912125550123",
        "national number of US, sent in national form after 9 for an outside line (it was typed)",
    ),
    (
        "+44 20 7946 0958",
        "US",
        "9",
        true,
        "9011442079460958",
        "number of GB, sent with the international prefix after 9 for an outside line",
    ),
    (
        "101",
        "DE",
        "0",
        true,
        "101",
        "internal number, dialled as it is",
    ),
    (
        "*62#",
        "DE",
        "0",
        true,
        "*62%23",
        "service code, dialled as it is",
    ),
    (
        "1234567",
        "DE",
        "",
        true,
        "1234567",
        "no number that the numbering plan of DE knows, dialled as it is",
    ),
    (
        "1234567",
        "DE",
        "0",
        true,
        "01234567",
        "no number that the numbering plan of DE knows, dialled as it is after 0 for an outside line",
    ),
    (
        "1-800-FLOWERS",
        "US",
        "",
        true,
        "+18003569377",
        "national number of US, sent in international form",
    ),
];

#[test]
fn numbers_follow_the_accounts_rules() {
    for &(text, region, prefix, e164, user, rule) in NUMBERS {
        let preview = plan(region, prefix, e164).preview(text).unwrap();
        assert_eq!(preview.uri, format!("sip:{user}@pbx.example.com"), "{text}");
        assert_eq!(preview.rule, rule, "{text}");
        assert_eq!(preview.original, text);
        assert_eq!(preview.caution, None, "{text}");
    }
}

#[test]
fn whom_it_calls_is_never_read_from_behind_a_prefix() {
    // In the URI, 0 0 30 1234567 would be a number of Greece.
    for (text, region, prefix, called) in [
        ("030/1234567", "DE", "0", "+49301234567"),
        ("9 212 555 0123", "US", "9", "+12125550123"),
        ("1234567", "DE", "0", "1234567"),
        ("101", "DE", "0", "101"),
        ("sip:0301234567@example.org", "DE", "0", "+49301234567"),
        ("sip:alice@example.org", "DE", "0", "sip:alice@example.org"),
        ("alice", "DE", "0", "sip:alice@pbx.example.com"),
    ] {
        let preview = plan(region, prefix, false).preview(text).unwrap();
        assert_eq!(preview.called, called, "{text}");
    }
}

#[test]
fn emergency_numbers_never_get_a_prefix() {
    for (text, region) in [
        ("112", "DE"),
        ("110", "DE"),
        ("911", "US"),
        ("9-1-1", "US"),
        ("999", "GB"),
        ("000", "AU"),
        ("112", "XX"),
    ] {
        let preview = plan(region, "0", false).preview(text).unwrap();
        let digits = text.replace('-', "");
        assert_eq!(preview.uri, format!("sip:{digits}@pbx.example.com"));
        assert_eq!(preview.rule, "emergency number, dialled as it is");
        assert_eq!(preview.caution, None);
    }
    for (text, region, prefix) in [("0112", "DE", "0"), ("9911", "US", "9")] {
        let preview = plan(region, prefix, false).preview(text).unwrap();
        let digits = text.trim_start_matches('0').trim_start_matches("99");
        assert!(preview.uri.contains(digits), "{preview:?}");
        assert_eq!(preview.uri.len(), "sip:112@pbx.example.com".len());
        assert_eq!(preview.class, DialClass::Emergency);
        assert!(preview.rule.contains("without the"), "{preview:?}");
    }
    let internal = plan("DE", "0", false).preview("999").unwrap();
    assert_eq!(internal.rule, "internal number, dialled as it is");
}

#[test]
fn a_preview_says_what_kind_of_number_it_is() {
    use DialClass::{Emergency, International, Ordinary, Premium, ServiceCode, Short};
    for (text, class) in [
        ("tel:112", Emergency),
        ("sip:112@example.org", Emergency),
        ("0 0900 1123456", Premium),
        ("sip:+499001123456@example.org", Premium),
        ("0044 20 7946 0958", International),
        ("sip:*21%23@example.org", ServiceCode),
        ("alice*bob@example.org", Ordinary),
        ("101", Short),
        ("alice", Ordinary),
        ("030 1234567", Ordinary),
    ] {
        let preview = plan("DE", "0", true).preview(text).unwrap();
        assert_eq!(preview.class, class, "{text}: {preview:?}");
    }
    let mut own = plan("DE", "", true);
    own.emergency_numbers = vec!["7777".to_owned()];
    assert_eq!(own.preview("7777").unwrap().class, Emergency);
}

#[test]
fn addresses_and_names_are_dialled_as_they_are() {
    let rows = [
        ("alice", "sip:alice@pbx.example.com"),
        ("jürgen", "sip:j%C3%BCrgen@pbx.example.com"),
        ("alice@example.org", "sip:alice@example.org"),
        ("alice@example.org:5070", "sip:alice@example.org:5070"),
        ("alice@[2001:db8::1]:5070", "sip:alice@[2001:db8::1]:5070"),
        // The network is a matter of this machine alone.
        ("alice@[fe80::1%eth0]", "sip:alice@[fe80::1]"),
        ("sip:[fe80::1%25eth0]:5070", "sip:[fe80::1]:5070"),
        ("\"Alice\" <sip:alice@example.org>", "sip:alice@example.org"),
        (
            "sip:alice@example.org;transport=tcp",
            "sip:alice@example.org;transport=tcp",
        ),
        ("SIPS:alice@example.org", "sips:alice@example.org"),
        ("sip://alice@example.org", "sip:alice@example.org"),
        ("sip:alice%40example.org", "sip:alice@example.org"),
        ("sip:al%20ice@example.org", "sip:al%20ice@example.org"),
        ("sip:al ice@example.org", "sip:al%20ice@example.org"),
        ("sip:192.0.2.1:5060", "sip:192.0.2.1:5060"),
        ("sip:echo.example.org", "sip:echo.example.org"),
        ("192.0.2.1", "sip:192.0.2.1"),
        ("192.0.2.1:5070", "sip:192.0.2.1:5070"),
        ("127.0.0.1", "sip:127.0.0.1"),
        ("sip:alice", "sip:alice@pbx.example.com"),
        ("sip:101", "sip:101@pbx.example.com"),
        ("sip:0301234567@example.org", "sip:0301234567@example.org"),
        ("callto:alice", "sip:alice@pbx.example.com"),
        ("callto:alice@example.org", "sip:alice@example.org"),
        ("callto:sip:alice@example.org", "sip:alice@example.org"),
        ("callto://+49301234567", "sip:+49301234567@pbx.example.com"),
        ("tel:+49-30-1234567", "sip:+49301234567@pbx.example.com"),
        ("tel:030%2F1234567", "sip:+49301234567@pbx.example.com"),
        ("TEL:+49%2030%201234567", "sip:+49301234567@pbx.example.com"),
    ];
    for (text, uri) in rows {
        let preview = plan("DE", "", true).preview(text).unwrap();
        assert_eq!(preview.uri, uri, "{text}");
        assert_eq!(preview.caution, None, "{text}");
    }
}

#[test]
fn what_a_link_adds_asks_for_a_second_look_and_is_not_sent() {
    let rows = [
        (
            "sip:alice@example.org?Subject=Hi&Route=%3Csip:evil%3E",
            "sip:alice@example.org",
            "Subject, Route",
        ),
        (
            "sip:alice:secret@example.org",
            "sip:alice@example.org",
            "password",
        ),
        (
            "sip:alice@example.org;method=REFER",
            "sip:alice@example.org",
            "method",
        ),
        (
            "sip:alice@example.org;maddr=192.0.2.9",
            "sip:alice@example.org;maddr=192.0.2.9",
            "maddr",
        ),
        (
            "tel:*21*0301234567%23",
            "sip:*21*0301234567%23@pbx.example.com",
            "* or #",
        ),
        ("sip:*21%23@example.org", "sip:*21%23@example.org", "* or #"),
        ("callto:*21#", "sip:*21%23@pbx.example.com", "* or #"),
        ("tel:112", "sip:112@pbx.example.com", "emergency"),
        (
            "tel:7042;phone-context=example.com",
            "sip:7042@pbx.example.com",
            "example.com",
        ),
        (
            "tel:555-0123;phone-context=+1-212",
            "sip:+12125550123@pbx.example.com",
            "+1-212",
        ),
        (
            "tel:+49301234567;ext=12",
            "sip:+49301234567@pbx.example.com",
            "extension 12",
        ),
        (
            "tel:+49301234567?subject=x",
            "sip:+49301234567@pbx.example.com",
            "subject",
        ),
        (
            "tel:09001123456",
            "sip:+499001123456@pbx.example.com",
            "premium",
        ),
        (
            "tel:+9991234567",
            "sip:+9991234567@pbx.example.com",
            "no country",
        ),
    ];
    for (text, uri, words) in rows {
        let preview = plan("DE", "", true).preview(text).unwrap();
        assert_eq!(preview.uri, uri, "{text}");
        let caution = preview.caution.unwrap_or_default();
        assert!(caution.contains(words), "{text}: {caution}");
    }
}

#[test]
fn what_cannot_be_dialled_says_why() {
    let plan = plan("DE", "", true);
    for text in ["", "  ", "\t"] {
        assert_eq!(plan.preview(text), Err(DialError::Empty));
    }
    for text in [
        "http://example.com",
        "javascript:alert(1)",
        "mailto:alice",
        "alice smith",
        "tel:",
        "tel:alice",
        "sip:",
        "sip:@example.com",
        "sip:alice@",
        "sip:alice@exa mple.com",
        "sip:alice@example.com:0",
        "sip:alice@example.com:99999",
        "sip:alice@[::1",
        "sip:alice%0d%0aVia:x@example.com",
        "sip:alice@example.com;x=\"y",
        "alice\r\nVia: x@example.com",
        "...",
        "+",
    ] {
        let refused = plan.preview(text);
        assert!(
            matches!(refused, Err(DialError::NotDialable(_))),
            "{text:?}: {refused:?}"
        );
    }
    let endless = plan.preview(&"a".repeat(100_000)).unwrap_err().to_string();
    assert!(endless.len() < 200, "{endless}");
}

#[test]
fn without_a_domain_only_whole_addresses_can_be_dialled() {
    let plan = DialPlan::default();
    for text in ["alice", "101", "+49 30 1234567", "tel:+49301234567"] {
        assert!(matches!(plan.preview(text), Err(DialError::NoDomain(_))));
    }
    assert!(plan.preview("alice@example.org").is_ok());
}

#[test]
fn any_text_gives_a_uri_of_clean_characters_or_a_refusal() {
    let mut random = crate::base::random::SeededRandom::new(11);
    let pieces = [
        "sip:",
        "tel:",
        "callto:",
        "@",
        ";",
        "?",
        "%",
        "%0a",
        "%40",
        "h.example",
        "*",
        "#",
        "+49",
        "30",
        "1234567",
        "é",
        "\u{202e}",
        " ",
        "\r\n",
        "x=y",
        ":",
        "[",
        "]",
        "/",
        "<",
        ">",
        "\"",
        "phone-context=",
    ];
    for _ in 0..20_000 {
        let count = crate::base::random::Random::next_u32(&mut random) % 8;
        let text: String = (0..count)
            .map(|_| {
                let drawn = crate::base::random::Random::next_u32(&mut random);
                pieces[drawn as usize % pieces.len()]
            })
            .collect();
        if let Ok(preview) = plan("DE", "0", false).preview(&text) {
            assert!(
                preview.uri.bytes().all(|byte| byte.is_ascii_graphic()),
                "{text:?}: {preview:?}"
            );
            assert!(!preview.uri.contains(['<', '>', '"', '#']), "{preview:?}");
        }
    }
}
