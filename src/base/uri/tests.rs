//! URIs of RFC 3261 and 3966, read and written.

use super::*;
use crate::base::random::{Random as _, SeededRandom};

/// RFC 4007 section 11.2: such a text means the address on the link by which it came.
#[test]
fn a_password_is_left_out_of_what_is_shown() {
    for (uri, shown) in [
        ("sips:x:secret@h;a=b", "sips:x@h;a=b"),
        ("sip:x@h", "sip:x@h"),
        ("tel:+1555", "tel:+1555"),
    ] {
        let uri = Uri::parse(uri).unwrap();
        assert_eq!(uri.without_password().to_string(), shown);
    }
}

#[test]
fn the_zone_of_a_sender_is_ignored_and_never_written() {
    for text in ["sip:a@[fe80::1%eth0]:5070", "sip:a@[fe80::1%25eth0]:5070"] {
        assert_eq!(
            Uri::parse(text).unwrap().to_string(),
            "sip:a@[fe80::1]:5070"
        );
    }
    assert!(Uri::parse("sip:a@[2001:db8::1%eth0]").is_err());
}

#[test]
fn what_was_written_is_written_back() {
    for text in [
        "sip:example.com",
        "sip:john.doe@example.com",
        "sips:a%20b@example.com:5061",
        "sip:alice:secret@10.0.0.1;transport=tcp;lr",
        "sip:1234@[2001:db8::1]:5060;transport=udp",
        "sip:user;par=u%40example.net@example.com",
        "sip:sip%3Auser%40example.com@company.com;other-param=summit",
        "sip:null-%00-null@example.com",
        "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com",
        "sip:a@example.com?Route=%3Csip:x%3E&Subject=hi",
        "sip:a@example.com;;x=;y",
        "sip:@example.com",
        "tel:+1-201-555-0123",
        "tel:7042;phone-context=example.com",
        "urn:service:sos",
        "callto:someone",
        "nobodyknowsthisscheme:totallyopaquecontent",
    ] {
        let uri = Uri::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(uri.to_string(), text);
    }
}

#[test]
fn parts_are_found() {
    let uri = Uri::parse("SIP:alice:pw@[::1]:5070;Transport=TCP;lr?a=b&c=").unwrap();
    let sip = uri.as_sip().unwrap();
    assert_eq!(sip.user.as_deref(), Some("alice"));
    assert_eq!(sip.password.as_deref(), Some("pw"));
    assert_eq!(sip.host, Host::V6(Ipv6Addr::LOCALHOST));
    assert_eq!(sip.port, Some(5070));
    assert_eq!(
        sip.param("transport").unwrap().value.as_deref(),
        Some("TCP")
    );
    assert_eq!(sip.headers.len(), 2);
    assert_eq!(
        Uri::parse("sip:j%C3%B6rg;x=1@h")
            .unwrap()
            .user_decoded()
            .as_deref(),
        Some("jörg")
    );
    assert_eq!(
        Uri::parse("tel:+49%2030")
            .unwrap()
            .user_decoded()
            .as_deref(),
        Some("+49 30")
    );
}

#[test]
fn broken_uris_are_refused() {
    for (text, error) in [
        ("", UriError::NoScheme),
        ("alice", UriError::NoScheme),
        ("1sip:a@b", UriError::NoScheme),
        ("<sip:a@b>", UriError::NoScheme),
        ("sip:", UriError::BadHost),
        ("sip:a@", UriError::BadHost),
        ("sip:a@b@c", UriError::BadHost),
        ("sip:a@[::1", UriError::BadHost),
        ("sip:a@[::1]x", UriError::BadHost),
        ("sip:a@b..c", UriError::BadHost),
        ("sip:a@b:0", UriError::BadPort),
        ("sip:a@b:65536", UriError::BadPort),
        ("sip:a@b:", UriError::BadPort),
        ("sip:a@b:+5", UriError::BadPort),
        ("sip:a b@c", UriError::BadCharacter),
        ("sip:a@b\r\nEvil: x", UriError::BadCharacter),
        ("tel:", UriError::BadCharacter),
        ("tel:alice", UriError::BadCharacter),
    ] {
        assert_eq!(Uri::parse(text), Err(error), "{text}");
    }
}

#[test]
fn uris_compare_as_rfc_3261_section_19_1_4_says() {
    let same = |a: &str, b: &str| {
        let (a, b) = (Uri::parse(a).unwrap(), Uri::parse(b).unwrap());
        a.as_sip().unwrap().equivalent(b.as_sip().unwrap())
    };
    assert!(same("sip:%61lice@atlanta.com", "sip:alice@AtLanTa.CoM"));
    assert!(same(
        "sip:carol@chicago.com",
        "sip:carol@chicago.com;newparam=5"
    ));
    assert!(!same("sip:ALICE@a.com", "sip:alice@a.com"));
    assert!(!same("sip:bob@b.com", "sip:bob@b.com:5060"));
    assert!(!same("sip:bob@b.com", "sip:bob@b.com;transport=udp"));
    assert!(!same("sip:bob@b.com", "sips:bob@b.com"));
}

#[test]
fn any_uri_that_is_read_survives_being_written() {
    let pieces = [
        "sip:",
        "sips:",
        "tel:",
        "urn:",
        "@",
        ":",
        ";",
        "?",
        "=",
        "&",
        "%",
        "%41",
        "[",
        "]",
        "::1",
        "a",
        "B",
        "7",
        ".",
        "-",
        "_",
        "lr",
        "transport=tcp",
        "5060",
        "é",
        "+",
        "*",
        "10.0.0.1",
    ];
    let mut random = SeededRandom::new(7);
    let mut read = 0;
    for _ in 0..50_000 {
        let count = random.next_u32() % 12;
        let mut text = String::from(if random.next_u32().is_multiple_of(4) {
            ""
        } else {
            "sip:"
        });
        for _ in 0..count {
            text += pieces[random.next_u32() as usize % pieces.len()];
        }
        if let Ok(uri) = Uri::parse(&text) {
            read += 1;
            assert_eq!(Uri::parse(&uri.to_string()).as_ref(), Ok(&uri), "{text}");
        }
    }
    assert!(read > 1000, "the generator makes too few good ones: {read}");
}
