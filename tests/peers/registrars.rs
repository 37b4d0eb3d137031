//! Registrars that make no binding: SIPp answers what no phone can use, and the phone says why in
//! its event, on stderr and by its exit code.

use tempfile::TempDir;

use crate::junit::scenario;
use crate::phone::{Ended, Phone};
use crate::sipp::Sipp;

/// What becomes of a phone at SIPp as its registrar.
fn refused_by(sipp: Sipp) -> Ended {
    let registrar = format!("127.0.0.1:{}", sipp.port());
    let options = [
        "--account",
        "sip:alice@lab.example",
        "--registrar",
        &registrar,
        "--password-env",
        "RINGDESK_TEST_PASSWORD",
    ];
    let ended = Phone::spawn(TempDir::new().unwrap(), &options).ended();
    sipp.passes();
    ended
}

/// The same words stand in the event and in the sentence on stderr, which names the account.
fn assert_told(ended: &Ended, status: u16, words: &[&str]) {
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    let failed = ended.event("registration_failed");
    assert_eq!(failed["status"], status, "{failed}");
    let reason = failed["reason"].as_str().unwrap();
    let told = format!("alice@lab.example is not registered: {reason}");
    assert!(ended.stderr.contains(&told), "{told}: {}", ended.stderr);
    for word in words {
        assert!(reason.contains(word), "no `{word}` in: {reason}");
    }
    assert!(!ended.stderr.contains("sesame"), "{}", ended.stderr);
}

/// The seconds until the next try, where there is one.
fn pause(ended: &Ended) -> Option<f64> {
    ended.event("registration_failed")["retry_in"].as_f64()
}

#[test]
fn register_keeps_nothing() {
    scenario("register-keeps-nothing", || {
        for (header, words) in [
            ("Expires: 0", "let it expire at once"),
            (
                "Contact: <sip:desk@192.0.2.7>;expires=3600",
                "lists other phones",
            ),
        ] {
            let sipp = Sipp::called("register-keeps-nothing", &["-key", "header", header]);
            let ended = refused_by(sipp);
            assert_told(&ended, 200, &[words, "ask its administrator"]);
            assert!(pause(&ended).unwrap() > 1.0);
        }
    });
}

#[test]
fn register_elsewhere() {
    scenario("register-elsewhere", || {
        let ended = refused_by(Sipp::called("register-elsewhere", &[]));
        assert_told(&ended, 302, &["elsewhere", "(302 Moved Temporarily)"]);
    });
}

#[test]
fn register_overloaded() {
    scenario("register-overloaded", || {
        let ended = refused_by(Sipp::called("register-overloaded", &[]));
        assert_told(
            &ended,
            503,
            &["overloaded or being serviced", "tried again"],
        );
        assert!(pause(&ended).unwrap() >= 119.0);
    });
}

#[test]
fn register_unknown_algorithm() {
    scenario("register-unknown-algorithm", || {
        for (challenge, what) in [
            (
                "Digest realm=\"lab.example\", nonce=\"n\", algorithm=AKAv1-MD5",
                "AKAv1-MD5",
            ),
            (
                "Bearer authz_server=\"https://login.lab.example\"",
                "Bearer",
            ),
        ] {
            let key = ["-key", "challenge", challenge];
            let ended = refused_by(Sipp::called("register-unknown-algorithm", &key));
            assert_told(
                &ended,
                401,
                &[what, "not supported", "it must offer Digest"],
            );
            assert_eq!(pause(&ended), None, "another try would be the same");
        }
    });
}

#[test]
fn register_always_too_brief() {
    scenario("register-always-too-brief", || {
        let ended = refused_by(Sipp::called("register-always-too-brief", &[]));
        let words = ["every lifetime as too brief", "set it as expires"];
        assert_told(&ended, 423, &words);
    });
}

#[test]
fn register_always_stale() {
    scenario("register-always-stale", || {
        let ended = refused_by(Sipp::called("register-always-stale", &[]));
        let words = ["proof of the password outdated", "ask its administrator"];
        assert_told(&ended, 401, &words);
    });
}
