//! Scenarios of sipp-scenarios/ in which SIPp is the registrar of the phone. Registrars that make no
//! binding stand in registrars.rs.

use std::time::Duration;

use tempfile::TempDir;

use crate::junit::scenario;
use crate::phone::Phone;
use crate::sipp::Sipp;

/// The options of an account at SIPp's port.
fn account(registrar: &str) -> [&str; 6] {
    [
        "--account",
        "sip:alice@127.0.0.1",
        "--registrar",
        registrar,
        "--password-env",
        "RINGDESK_TEST_PASSWORD",
    ]
}

#[test]
fn register_with_digest() {
    scenario("register-with-digest", || {
        let sipp = Sipp::called("register-with-digest", &[]);
        let registrar = format!("127.0.0.1:{}", sipp.port());
        let mut phone = Phone::start(&account(&registrar));
        phone.wait("registered");
        let ended = phone.stop();
        sipp.passes();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    });
}

#[test]
fn register_interval_too_brief() {
    scenario("register-interval-too-brief", || {
        let sipp = Sipp::called("register-interval-too-brief", &[]);
        let registrar = format!("127.0.0.1:{}", sipp.port());
        let mut phone = Phone::start(&[&account(&registrar)[..], &["--expires", "60"]].concat());
        let registered = phone.wait("registered");
        assert!(
            registered["expires"].as_f64().unwrap() >= 1_700.0,
            "{registered}"
        );
        let _ended = phone.stop();
        sipp.passes();
    });
}

#[test]
fn register_for_seconds() {
    scenario("register-for-seconds", || {
        let sipp = Sipp::called("register-for-seconds", &[]);
        let registrar = format!("127.0.0.1:{}", sipp.port());
        let mut phone = Phone::start(&account(&registrar));
        assert_eq!(phone.wait("registered")["expires"], 3);
        assert_eq!(phone.wait("registration_failed")["status"], 403);
        sipp.passes();
    });
}

#[test]
fn register_with_a_wrong_password() {
    scenario("register-wrong-password", || {
        let sipp = Sipp::called("register-wrong-password", &[]);
        let registrar = format!("127.0.0.1:{}", sipp.port());
        let mut phone = Phone::spawn(TempDir::new().unwrap(), &account(&registrar));
        let patience = Duration::from_secs(10);
        let failed = phone.wait_for("registration_failed", patience, |event| {
            event["event"] == "registration_failed"
        });
        assert_eq!(failed["status"], 401, "{failed}");
        assert!(
            failed["reason"].as_str().unwrap().contains("password"),
            "{failed}"
        );
        let ended = phone.ended();
        assert_eq!(ended.code, Some(3));
        assert!(ended.stderr.contains("password"), "{}", ended.stderr);
        assert!(
            !ended.stderr.contains("sesame"),
            "the password is not repeated"
        );
        sipp.passes();
    });
}
