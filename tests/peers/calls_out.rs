//! Scenarios of sipp-scenarios/ in which the phone calls SIPp.

use serde_json::{Value, json};

use crate::junit::scenario;
use crate::phone::{Ended, Phone};
use crate::scenarios::{assert_tones, folder_with_tone};
use crate::sipp::Sipp;

/// The phone calls SIPp, which asks for the password, until the call is over.
pub(crate) fn called_with_digest(sipp: &Sipp, more: &[&str]) -> Ended {
    let uri = sipp.uri();
    let options = [
        "--account",
        "sip:alice@127.0.0.1",
        "--password-env",
        "RINGDESK_TEST_PASSWORD",
        // SIPp takes no TCP, which so large a request would try first.
        "--transport",
        "udp",
        "--no-register",
        "--call",
        &uri,
        "--exit-after-calls",
        "1",
    ];
    Phone::start(&[&options[..], more].concat()).ended()
}

/// The phone calls SIPp, which answers; the row afterwards.
fn placed_call(name: &str, phone_options: &[&str], sipp_options: &[&str]) -> Value {
    let sipp = Sipp::called(name, sipp_options);
    let uri = sipp.uri();
    let options = [
        &["--no-register", "--call", &uri, "--exit-after-calls", "1"],
        phone_options,
    ]
    .concat();
    let ended = Phone::start(&options).ended();
    sipp.passes();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let row = ended.only_call();
    assert_eq!(row["direction"], "outbound");
    assert_eq!(row["state"], "completed", "{row:#}");
    row
}

#[test]
fn call_out() {
    scenario("call-out", || {
        let (_folder, own, records) = folder_with_tone();
        let options = [
            "--play",
            &own,
            "--record-dir",
            &records,
            "--hangup-after",
            "2",
        ];
        placed_call("call-out", &options, &[]);
        assert_tones(records.as_ref());
    });
}

#[test]
fn lost_ack() {
    scenario("lost-ack", || {
        placed_call("lost-ack", &["--hangup-after", "4"], &["-nr"]);
    });
}

#[test]
fn forked_200() {
    scenario("forked-200", || {
        placed_call("forked-200", &["--hangup-after", "3"], &["-nr"]);
    });
}

#[test]
fn record_route_out() {
    scenario("record-route-out", || {
        let sipp = Sipp::called("record-route-out", &[]);
        let proxy = format!("sip:127.0.0.1:{};lr", sipp.port());
        let ended = Phone::start(&[
            "--no-register",
            "--outbound-proxy",
            &proxy,
            "--call",
            "sip:sipp@192.0.2.7",
            "--hangup-after",
            "1",
            "--exit-after-calls",
            "1",
        ])
        .ended();
        sipp.passes();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert_eq!(ended.only_call()["state"], "completed");
    });
}

#[test]
fn busy() {
    scenario("busy", || {
        let sipp = Sipp::called("busy", &[]);
        let uri = sipp.uri();
        let ended =
            Phone::start(&["--no-register", "--call", &uri, "--exit-after-calls", "1"]).ended();
        sipp.passes();
        assert_eq!(ended.code, Some(4), "{}", ended.stderr);
        assert_eq!(ended.event("ended")["status"], 486);
        let row = ended.only_call();
        assert_eq!(
            (&row["state"], &row["sip_status"]),
            (&json!("busy"), &json!(486)),
            "{row:#}"
        );
    });
}

/// The phone calls SIPp and hangs up by a command after `event`; the row afterwards.
fn given_up_call(name: &str, event: &str) -> Value {
    let sipp = Sipp::called(name, &[]);
    let uri = sipp.uri();
    let mut phone = Phone::start(&["--no-register", "--call", &uri]);
    phone.wait(event);
    sipp.until_message("INVITE sip:sipp@");
    phone.command("hangup");
    phone.wait("ended");
    sipp.passes();
    let row = phone.only_call();
    assert_eq!(phone.stop().code, Some(0));
    row
}

#[test]
fn cancel_before_180() {
    scenario("cancel-before-180", || {
        let row = given_up_call("cancel-before-180", "outgoing");
        assert_eq!(row["state"], "canceled", "{row:#}");
    });
}

#[test]
fn cancel_out_after_180() {
    scenario("cancel-out-after-180", || {
        let row = given_up_call("cancel-out-after-180", "ringing");
        assert_eq!(row["state"], "canceled", "{row:#}");
    });
}

#[test]
fn cancel_crosses_200() {
    scenario("cancel-crosses-200", || {
        let row = given_up_call("cancel-crosses-200", "ringing");
        assert_eq!(row["state"], "canceled", "{row:#}");
    });
}

#[test]
fn no_answer() {
    scenario("no-answer", || {
        let sipp = Sipp::called("no-answer", &[]);
        let uri = sipp.uri();
        let options = ["--no-register", "--ring-limit", "2", "--call", &uri];
        let ended = Phone::start(&[&options[..], &["--exit-after-calls", "1"]].concat()).ended();
        sipp.passes();
        assert_eq!(ended.code, Some(4), "{}", ended.stderr);
        let row = ended.only_call();
        assert_eq!(row["state"], "no-answer", "{row:#}");
        let waited = row["waiting_millis"].as_i64().unwrap();
        assert!((1_900..4_000).contains(&waited), "{waited} ms");
    });
}

#[test]
fn hold_by_phone() {
    scenario("hold-by-phone", || {
        let sipp = Sipp::called("hold-by-phone", &[]);
        let uri = sipp.uri();
        let mut phone = Phone::start(&["--no-register", "--call", &uri]);
        phone.wait("answered");
        phone.command("hold");
        phone.wait("held");
        phone.command("resume");
        phone.wait("resumed");
        phone.command("hangup");
        phone.wait("ended");
        sipp.passes();
        assert_eq!(phone.only_call()["state"], "completed");
    });
}

#[test]
fn glare() {
    scenario("glare", || {
        let sipp = Sipp::called("glare", &[]);
        let uri = sipp.uri();
        let mut phone = Phone::start(&["--no-register", "--call", &uri]);
        phone.wait("answered");
        phone.command("hold");
        phone.wait("held");
        phone.command("hangup");
        phone.wait("ended");
        sipp.passes();
        assert_eq!(phone.only_call()["state"], "completed");
    });
}

#[test]
fn call_out_with_digest() {
    scenario("call-out-with-digest", || {
        let sipp = Sipp::called("call-out-with-digest", &[]);
        let ended = called_with_digest(&sipp, &["--hangup-after", "1"]);
        sipp.passes();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert_eq!(ended.only_call()["answered_by"], "Bea (201)");
    });
}

#[test]
fn preferred_identity() {
    scenario("preferred-identity", || {
        let sipp = Sipp::called("preferred-identity", &[]);
        let uri = sipp.uri().replace("sipp@", "+431999@");
        let account = ["--account", "sip:alice@127.0.0.1", "--no-register"];
        let ids = [
            "--caller-id",
            "+43*=+4312345",
            "--caller-id",
            "+49301234500",
        ];
        let call = ["--transport", "udp", "--call", &uri, "--hangup-after", "1"];
        let end = ["--exit-after-calls", "1"];
        let ended = Phone::start(&[&account[..], &ids, &call, &end].concat()).ended();
        sipp.passes();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    });
}

/// How many packets a second the phone counts as `received` or `sent`, in its next two reports.
fn rate_of(phone: &mut Phone, which: &str) -> i64 {
    let [before, after] = [(); 2].map(|()| phone.wait("quality")[which].as_i64().unwrap());
    after - before
}

#[test]
fn each_side_is_sent_packets_as_long_as_it_asks_for() {
    let answers = ["--no-register", "--auto-answer", "--packet-time", "40"];
    let callee = Phone::start(&answers);
    let uri = callee.uri();
    let mut caller = Phone::start(&["--no-register", "--packet-time", "10", "--call", &uri]);
    caller.wait("answered");
    caller.wait("quality");
    let (received, sent) = (
        rate_of(&mut caller, "received"),
        rate_of(&mut caller, "sent"),
    );
    assert!((90..=110).contains(&received), "{received}");
    assert!((20..=30).contains(&sent), "{sent}");
    caller.command("hangup");
    caller.wait("ended");
}
