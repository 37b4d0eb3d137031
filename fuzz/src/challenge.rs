//! WWW-Authenticate and Authorization.

use ringdesk::base::redact::Secret;
use ringdesk::sip::digest::{Challenge, Subject, verify};
use ringdesk::sip::message::Method;
use ringdesk::sip::parse;

/// Whatever a challenge asks for, our answer is one line that a registrar reads and accepts.
pub(crate) fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if text.contains(['\r', '\n']) {
        return;
    }
    drop(parse::credentials(text));
    let Ok(challenges) = parse::challenges(text) else {
        return;
    };
    let password = Secret::new("open sesame");
    let method = Method::Register;
    let subject = Subject {
        method: &method,
        uri: "sip:lab.example",
        body: b"body",
    };
    for challenge in Challenge::choose(&challenges) {
        let answer = challenge.authorize("al\"ice\\", &password, subject, "c0ffee", 1);
        assert!(!answer.contains(['\r', '\n']), "{answer:?}");
        assert!(!answer.contains("open sesame"), "{answer:?}");
        let read = parse::credentials(&answer).expect("our credentials can be read");
        assert_eq!(read.value("nonce"), Some(challenge.nonce.as_str()));
        assert_eq!(read.value("opaque"), challenge.opaque.as_deref());
        let verdict = verify(&read, &challenge.realm, &password, &method, b"body");
        assert_eq!(verdict, Ok(()), "{answer:?}");
        let wrong = Secret::new("sesame, open");
        assert!(verify(&read, &challenge.realm, &wrong, &method, b"body").is_err());
    }
}
