//! Scenarios of sipp-scenarios/ in which SIPp calls the phone.

use serde_json::Value;

use crate::junit::scenario;
use crate::phone::Phone;
use crate::place;
use crate::scenarios::{assert_tones, folder_with_tone};
use crate::sipp::Sipp;

/// SIPp calls a phone that answers at once; the rows afterwards.
fn answered_call(name: &str, phone_options: &[&str], sipp_options: &[&str]) -> Value {
    let options = [&["--no-register", "--auto-answer=100"], phone_options].concat();
    let mut phone = Phone::start(&options);
    Sipp::to(phone.address(), name, sipp_options).passes();
    let ended = phone.wait("ended");
    assert_eq!(ended["direction"], "inbound");
    let row = phone.only_call();
    assert_eq!(row["direction"], "inbound");
    assert_eq!(row["state"], "completed", "{row:#}");
    assert!(row["talking_millis"].as_i64().unwrap() >= 0, "{row:#}");
    assert_eq!(phone.stop().code, Some(0));
    row
}

/// SIPp calls a phone that does not take the call; the row afterwards.
fn unanswered_call(name: &str, phone_options: &[&str]) -> Value {
    let options = [&["--no-register"], phone_options].concat();
    let mut phone = Phone::start(&options);
    Sipp::to(phone.address(), name, &[]).passes();
    phone.wait("ended");
    let row = phone.only_call();
    assert_eq!(row["talking_millis"], Value::Null, "{row:#}");
    assert_eq!(phone.stop().code, Some(0));
    row
}

/// SIPp sends something that is no call: there is no row.
fn no_call(name: &str) {
    let phone = Phone::start(&["--no-register", "--auto-answer"]);
    Sipp::to(phone.address(), name, &[]).passes();
    assert_eq!(phone.calls(), Vec::<Value>::new());
    assert_eq!(phone.stop().code, Some(0));
}

#[test]
fn call_in() {
    scenario("call-in", || {
        let (_folder, own, records) = folder_with_tone();
        let row = answered_call("call-in", &["--play", &own, "--record-dir", &records], &[]);
        assert!(
            row["recording"].as_str().unwrap().ends_with(".wav"),
            "{row:#}"
        );
        assert_tones(records.as_ref());
    });
}

#[test]
fn call_in_over_tcp() {
    scenario("tcp-call-in", || {
        answered_call("tcp-call-in", &[], &["-t", "t1"]);
    });
}

#[test]
fn late_offer() {
    scenario("late-offer", || {
        let (_folder, own, records) = folder_with_tone();
        answered_call(
            "late-offer",
            &["--play", &own, "--record-dir", &records],
            &[],
        );
        assert_tones(records.as_ref());
    });
}

#[test]
fn bye_from_caller() {
    scenario("bye-from-caller", || {
        answered_call("bye-from-caller", &[], &[]);
    });
}

#[test]
fn bye_from_phone() {
    scenario("bye-from-phone", || {
        answered_call("bye-from-phone", &["--hangup-after", "1"], &[]);
    });
}

#[test]
fn record_route_in() {
    scenario("record-route-in", || {
        answered_call("record-route-in", &["--hangup-after", "1"], &[]);
    });
}

#[test]
fn lost_200() {
    scenario("lost-200", || {
        answered_call("lost-200", &[], &["-nr"]);
    });
}

#[test]
fn ack_never_comes() {
    scenario("ack-never-comes", || {
        let mut phone = Phone::start(&["--no-register", "--auto-answer"]);
        Sipp::to(phone.address(), "ack-never-comes", &[]).passes();
        phone.wait("ended");
        let row = phone.only_call();
        let reason = row["end_reason"].as_str().unwrap();
        assert!(reason.contains("peer unreachable"), "{row:#}");
    });
}

#[test]
fn hold_and_resume() {
    scenario("hold-and-resume", || {
        let mut phone = Phone::start(&["--no-register", "--auto-answer"]);
        let sipp = Sipp::to(phone.address(), "hold-and-resume", &[]);
        phone.wait("answered");
        phone.wait("held");
        phone.wait("resumed");
        phone.wait("ended");
        sipp.passes();
        assert_eq!(phone.only_call()["state"], "completed");
    });
}

#[test]
fn decline() {
    scenario("decline", || {
        let row = unanswered_call("decline", &["--reject", "603"]);
        assert_eq!(row["state"], "rejected", "{row:#}");
        assert_eq!(row["sip_status"], 603, "{row:#}");
    });
}

#[test]
fn cancel_after_180() {
    scenario("cancel-after-180", || {
        let row = unanswered_call("cancel-after-180", &[]);
        assert_eq!(row["state"], "no-answer", "a missed call: {row:#}");
        assert_eq!(row["done"], false, "to be called back: {row:#}");
    });
}

#[test]
fn answered_elsewhere() {
    scenario("answered-elsewhere", || {
        let row = unanswered_call("answered-elsewhere", &[]);
        assert_eq!(row["state"], "answered-elsewhere", "{row:#}");
        assert_eq!(row["done"], true, "nobody needs to call back: {row:#}");
    });
}

#[test]
fn early_media() {
    scenario("early-media", || {
        let row = unanswered_call("early-media", &["--early-media"]);
        assert_eq!(row["state"], "no-answer", "{row:#}");
    });
}

#[test]
fn redirect() {
    scenario("redirect", || {
        let row = unanswered_call("redirect", &["--redirect", "sip:mailbox@192.0.2.7"]);
        assert_eq!(row["state"], "forwarded", "{row:#}");
        assert_eq!(row["sip_status"], 302, "{row:#}");
    });
}

#[test]
fn merged_request() {
    scenario("merged-request", || {
        let row = unanswered_call("merged-request", &[]);
        assert_eq!(row["state"], "no-answer", "{row:#}");
    });
}

#[test]
fn second_call_is_busy() {
    scenario("second-call-is-busy", || {
        let mut phone = Phone::start(&["--no-register", "--auto-answer", "--max-calls", "1"]);
        let first = Sipp::to(phone.address(), "bye-from-phone", &[]);
        phone.wait("answered");
        Sipp::to(phone.address(), "second-call-is-busy", &[]).passes();
        phone.wait("ended");
        phone.command("hangup");
        first.passes();
        phone.wait("ended");
        let is = |state: &'static str| move |row: &Value| row["state"] == state;
        let rows = phone.calls();
        assert!(rows.iter().any(is("completed")), "{rows:#?}");
        assert!(rows.iter().any(is("busy")), "{rows:#?}");
        assert_eq!(phone.stop().code, Some(0));
    });
}

#[test]
fn wide_band_offer() {
    scenario("wide-band-offer", || {
        answered_call("wide-band-offer", &[], &[]);
    });
}

#[test]
fn no_common_codec() {
    scenario("no-common-codec", || {
        let phone = Phone::start(&["--no-register", "--auto-answer"]);
        Sipp::to(phone.address(), "no-common-codec", &[]).passes();
        let rows = phone.calls();
        let [row] = rows.as_slice() else {
            panic!("{rows:#?}")
        };
        assert_eq!(row["state"], "failed", "{row:#}");
        assert_eq!(row["sip_status"], 488, "{row:#}");
        assert_eq!(row["talking_millis"], Value::Null, "{row:#}");
    });
}

#[test]
fn unknown_require() {
    scenario("unknown-require", || no_call("unknown-require"));
}

#[test]
fn unknown_method() {
    scenario("unknown-method", || no_call("unknown-method"));
}

#[test]
fn options_ping() {
    scenario("options-ping", || no_call("options-ping"));
}

#[test]
fn bye_for_unknown_call() {
    scenario("bye-for-unknown-call", || no_call("bye-for-unknown-call"));
}

#[test]
fn sound_uses_the_ports_that_the_firewall_knows_and_a_call_too_many_says_so() {
    let begin = place::ports(3).next_multiple_of(2);
    let range = format!("{begin}-{}", begin + 1);
    let options = ["--no-register", "--auto-answer", "--rtp-ports", &range];
    let mut phone = Phone::start(&options);
    let target = phone.uri();
    let mut first = Phone::start(&["--no-register", "--call", &target]);
    let media = phone.wait("media");
    assert_eq!(media["local"], format!("127.0.0.1:{begin}"), "{media:#}");
    let mut second = Phone::start(&["--no-register", "--call", &target]);
    let error = phone.wait("ended");
    let reason = error["reason"].as_str().unwrap();
    assert!(
        reason.contains(&range) && reason.contains("widen it"),
        "{error:#}"
    );
    second.wait("ended");
    first.command("hangup");
    phone.wait("ended");
    assert_eq!(phone.stop().code, Some(0));
}
