//! Calls that the far end sends elsewhere (3xx), against SIPp and between phones.

use serde_json::{Value, json};

use crate::calls_out::called_with_digest;
use crate::junit::scenario;
use crate::phone::Phone;
use crate::sipp::Sipp;

/// A phone that calls SIPp under a policy, until its call is over.
fn called(sipp: &Sipp, policy: &str, more: &[&str]) -> crate::phone::Ended {
    let target = sipp.uri();
    let options = ["--no-register", "--call", &target, "--redirects", policy];
    Phone::start(&[&options[..], more, &["--exit-after-calls", "1"]].concat()).ended()
}

#[test]
fn redirected_call() {
    scenario("redirected-call", || {
        let sipp = Sipp::called("redirected-call", &[]);
        let ended = called(&sipp, "always", &["--hangup-after", "1"]);
        let dave = format!("sip:dave@127.0.0.1:{}", sipp.port());
        let dialled = sipp.uri();
        sipp.passes();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let asked = ended.event("redirect_requested");
        assert_eq!(asked["status"], 302, "{asked:#}");
        assert_eq!(asked["decision"], "followed", "{asked:#}");
        assert_eq!(asked["redirect_to"].as_array().unwrap().len(), 2);
        let row = ended.only_call();
        assert_eq!(row["state"], "completed", "{row:#}");
        assert_eq!(row["remote"], dialled, "the customer's: {row:#}");
        assert_eq!(row["redirected_to"], dave, "{row:#}");
    });
}

#[test]
fn redirect_loop() {
    scenario("redirect-loop", || {
        let sipp = Sipp::called("redirect-loop", &[]);
        let ended = called(&sipp, "always", &[]);
        sipp.passes();
        assert_eq!(ended.code, Some(4), "{}", ended.stderr);
        let over = ended.event("ended");
        assert_eq!(over["status"], 301, "{over:#}");
        let reason = over["reason"].as_str().unwrap();
        assert!(reason.contains("in a circle"), "{reason}");
        assert!(reason.contains("redirected to sip:carol@"), "{reason}");
    });
}

#[test]
fn redirect_refused() {
    scenario("redirect-refused", || {
        let sipp = Sipp::called("redirect-refused", &[]);
        let ended = called(&sipp, "never", &[]);
        sipp.passes();
        let asked = ended.event("redirect_requested");
        assert_eq!(asked["decision"], "refused", "{asked:#}");
        let row = ended.only_call();
        assert_eq!(row["state"], "forwarded", "{row:#}");
        assert_eq!(row["redirected_to"], Value::Null, "{row:#}");
        let reason = row["end_reason"].as_str().unwrap();
        assert!(reason.contains("+1 900-555-0100"), "{reason}");
        assert!(reason.contains("not followed"), "{reason}");
    });
}

#[test]
fn a_costly_number_is_not_called_for_a_redirection_without_a_question() {
    scenario("redirect-refused", || {
        let sipp = Sipp::called("redirect-refused", &[]);
        let target = sipp.uri();
        let options = ["--no-register", "--call", &target, "--redirects", "always"];
        let mut phone = Phone::start(&options);
        let asked = phone.wait("redirect_requested");
        assert_eq!(asked["decision"], "asked", "{asked:#}");
        sipp.passes();
        phone.command("hangup");
        let over = phone.wait("ended");
        assert_eq!(over["state"], "canceled", "{over:#}");
    });
}

#[test]
fn redirected_abroad() {
    scenario("redirected-abroad", || {
        let abroad = Sipp::called_at(&[], "127.0.0.2", "no-digest-abroad", &[]);
        let port = abroad.port().to_string();
        let home = Sipp::called("redirected-abroad", &["-key", "abroad_port", &port]);
        let ended = called_with_digest(&home, &["--redirects", "always"]);
        home.passes();
        abroad.passes();
        let over = ended.event("ended");
        assert_eq!(over["status"], 401, "{over:#}");
        let reason = over["reason"].as_str().unwrap();
        assert!(reason.contains("the password was not used"), "{reason}");
    });
}

#[test]
fn who_is_asked_lets_a_call_go_elsewhere_or_not() {
    let carol = Phone::start(&["--no-register", "--auto-answer"]);
    let elsewhere = carol.uri();
    let bob = Phone::start(&["--no-register", "--redirect", &elsewhere]);
    for yes in [true, false] {
        let mut alice = Phone::start(&["--no-register", "--call", &bob.uri()]);
        let asked = alice.wait("redirect_requested");
        assert_eq!(asked["decision"], "asked", "{asked:#}");
        assert_eq!(asked["redirect_to"], json!([elsewhere]), "{asked:#}");
        if yes {
            alice.command("accept_redirect");
            let gone = alice.wait("redirected");
            assert_eq!(gone["redirected_to"], elsewhere, "{gone:#}");
            alice.wait("answered");
            alice.command("hangup");
        } else {
            alice.command("refuse_redirect");
        }
        let over = alice.wait("ended");
        let row = alice.only_call();
        assert_eq!(row["remote"], bob.uri(), "{row:#}");
        if yes {
            assert_eq!(row["state"], "completed", "{row:#}");
            assert_eq!(row["redirected_to"], elsewhere, "{row:#}");
        } else {
            assert_eq!(row["state"], "forwarded", "{row:#}");
            let reason = over["reason"].as_str().unwrap();
            assert!(reason.contains("you did not"), "{reason}");
        }
    }
}

#[test]
fn a_call_for_help_goes_elsewhere_without_a_question() {
    let mut carol = Phone::start(&["--no-register", "--auto-answer"]);
    let bob = Phone::start(&["--no-register", "--redirect", &carol.uri()]);
    let help = format!("sip:112@{}", bob.address());
    let options = ["--no-register", "--redirects", "never", "--call", &help];
    let mut alice = Phone::start(&options);
    let asked = alice.wait("redirect_requested");
    assert_eq!(asked["decision"], "followed", "{asked:#}");
    alice.wait("answered");
    carol.wait("answered");
    alice.command("hangup");
    alice.wait("ended");
    let row = alice.only_call();
    assert_eq!(row["redirected_to"], carol.uri(), "{row:#}");
}
