//! What an agent does with several calls, against SIPp.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::junit::scenario;
use crate::phone::{Ended, Phone};
use crate::sipp::Sipp;

/// Whom SIPp is sent to.
const ELSEWHERE: &str = "sip:elsewhere@192.0.2.7";

#[test]
fn bye_never_answered() {
    scenario("bye-never-answered", || {
        let dead = Sipp::called("bye-never-answered", &["-nr"]);
        let next = Sipp::called("call-out", &[]);
        let mut phone = Phone::start(&["--no-register", "--max-calls", "1", "--call", &dead.uri()]);
        phone.wait("answered");
        phone.command("hangup");
        let since = Instant::now();
        let ended = phone.wait("ended");
        assert!(since.elapsed() < Duration::from_secs(2), "it ends at once");
        assert_eq!(ended["durable"], true, "{ended:#}");
        let row = phone.only_call();
        assert_eq!(row["state"], "completed", "{row:#}");
        assert_eq!(row["end_reason"], "you hung up", "{row:#}");
        assert!(row["ended_at"].is_string(), "{row:#}");
        // The only line is free again, long before the far end is given up.
        let next_call = serde_json::json!({"command": "call", "uri": next.uri()});
        phone.send(&next_call);
        phone.wait("answered");
        phone.command("hangup");
        phone.wait("ended");
        next.passes();
        assert!(since.elapsed() < Duration::from_secs(20));
        let told = phone.wait_for("word of the silence", Duration::from_secs(40), |event| {
            event["event"] == "error" && event["call_id"] == row["id"]
        });
        assert!(
            told["message"]
                .as_str()
                .unwrap()
                .contains("never confirmed"),
            "{told:#}"
        );
        dead.passes();
        let rows = phone.calls();
        let first = rows.iter().find(|other| other["id"] == row["id"]).unwrap();
        let reason = first["end_reason"].as_str().unwrap();
        assert!(reason.contains("peer unreachable"), "{first:#}");
        assert_eq!(first["ended_at"], row["ended_at"], "the moment stays");
        assert_eq!(first["talking_millis"], row["talking_millis"]);
        assert_eq!(phone.stop().code, Some(0));
    });
}

/// The phone calls SIPp and transfers it elsewhere.
fn transferred(name: &str) -> Ended {
    let sipp = Sipp::called(name, &[]);
    let target = sipp.uri();
    let options = ["--no-register", "--call", &target, "--transfer", ELSEWHERE];
    let ended = Phone::start(&[&options[..], &["--exit-after-calls", "1"]].concat()).ended();
    sipp.passes();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    ended
}

#[test]
fn transfer_by_phone() {
    scenario("transfer-by-phone", || {
        let ended = transferred("transfer-by-phone");
        let told = ended.event("transferred");
        assert_eq!(told["status"], 200, "{told:#}");
        assert_eq!(told["transferred_to"], ELSEWHERE, "{told:#}");
        let row = ended.only_call();
        assert_eq!(row["state"], "completed", "{row:#}");
        assert_eq!(row["transferred_to"], ELSEWHERE, "{row:#}");
        let reason = row["end_reason"].as_str().unwrap();
        assert!(reason.starts_with("transferred to"), "{row:#}");
    });
}

#[test]
fn transfer_asked_again() {
    scenario("transfer-asked-again", || {
        let ended = transferred("transfer-asked-again");
        assert_eq!(ended.event("transferred")["status"], 200);
        assert_eq!(ended.only_call()["transferred_to"], ELSEWHERE);
    });
}

#[test]
fn transfer_after_hold() {
    scenario("transfer-after-hold", || {
        let sipp = Sipp::called("transfer-after-hold", &[]);
        let mut phone = Phone::start(&["--no-register", "--call", &sipp.uri()]);
        phone.wait("answered");
        phone.command("hold");
        phone.send(&json!({"command": "transfer", "uri": ELSEWHERE}));
        let told = phone.wait("transferred");
        assert_eq!(told["status"], 200, "{told:#}");
        phone.wait("ended");
        sipp.passes();
        phone.only_call();
    });
}

#[test]
fn transfer_fails() {
    scenario("transfer-fails", || {
        let sipp = Sipp::called("transfer-fails", &[]);
        let target = sipp.uri();
        let mut phone = Phone::start(&["--no-register", "--call", &target]);
        phone.wait("answered");
        phone.send(&json!({"command": "transfer", "uri": ELSEWHERE}));
        let told = phone.wait("transferred");
        assert_eq!(told["status"], 486, "{told:#}");
        assert_eq!(told["reason"], "busy", "{told:#}");
        let ended = phone.wait("ended");
        assert_eq!(ended["reason"], "the far end hung up", "{ended:#}");
        sipp.passes();
        assert_eq!(phone.only_call()["transferred_to"], Value::Null);
    });
}

#[test]
fn transfer_refused() {
    scenario("transfer-refused", || {
        let mut phone = Phone::start(&["--no-register", "--auto-answer", "--transfers", "never"]);
        let sipp = Sipp::to(phone.address(), "transfer-refused", &[]);
        let asked = phone.wait("transfer_requested");
        assert_eq!(asked["decision"], "refused", "{asked:#}");
        phone.wait("ended");
        sipp.passes();
        phone.only_call();
    });
}

#[test]
fn transfer_and_gone() {
    scenario("transfer-and-gone", || {
        let target = UdpSocket::bind("127.0.0.1:0").unwrap();
        target
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        let port = target.local_addr().unwrap().port().to_string();
        let options = ["--no-register", "--auto-answer", "--transfers", "always"];
        let mut phone = Phone::start(&options);
        let key = ["-key", "target_port", port.as_str()];
        let sipp = Sipp::to(phone.address(), "transfer-and-gone", &key);
        let mut invite = [0; 4096];
        let (length, _) = target.recv_from(&mut invite).unwrap();
        let invite = String::from_utf8_lossy(&invite[..length]);
        assert!(invite.starts_with("INVITE sip:carol@"), "{invite}");
        assert!(invite.contains("\r\nReferred-By: "), "{invite}");
        sipp.passes();
        phone.wait("ended");
        assert_eq!(phone.calls().len(), 2);
    });
}

#[test]
fn a_costly_number_is_not_dialled_for_a_far_end_without_a_question() {
    scenario("transfer-refused", || {
        let options = ["--no-register", "--auto-answer", "--transfers", "always"];
        let mut phone = Phone::start(&options);
        let sipp = Sipp::to(phone.address(), "transfer-refused", &[]);
        let asked = phone.wait("transfer_requested");
        drop(sipp);
        assert_ne!(asked["decision"], "followed", "{asked:#}");
        assert_eq!(phone.calls().len(), 1);
    });
}

#[test]
fn replaces_unknown() {
    scenario("replaces-unknown", || {
        let phone = Phone::start(&["--no-register", "--auto-answer"]);
        Sipp::to(phone.address(), "replaces-unknown", &[]).passes();
        assert_eq!(phone.calls(), Vec::<Value>::new());
    });
}

/// The first call is transferred by its caller to the third; the rows and the words of all.
#[test]
fn a_blind_transfer_joins_two_phones_and_leaves_the_one_who_asked() {
    let mut carol = Phone::start(&["--no-register", "--auto-answer"]);
    let mut bob = Phone::start(&["--no-register", "--auto-answer"]);
    let mut alice = Phone::start(&["--no-register", "--call", &bob.uri()]);
    alice.wait("answered");
    alice.send(&json!({"command": "transfer", "uri": carol.uri()}));
    let wish = bob.wait("transfer_requested");
    assert_eq!(wish["decision"], "asked", "{wish:#}");
    bob.send(&json!({"command": "accept_transfer"}));
    let placed = bob.wait("outgoing");
    assert_eq!(placed["uri"], carol.uri(), "{placed:#}");
    carol.wait("answered");
    let told = alice.wait("transferred");
    assert_eq!(told["status"], 200, "{told:#}");
    let left = alice.wait("ended");
    assert!(
        left["reason"]
            .as_str()
            .unwrap()
            .starts_with("transferred to"),
        "{left:#}"
    );
    bob.wait("ended");
    let rows = bob.calls();
    assert_eq!(rows.len(), 2, "{rows:#?}");
    let new = rows
        .iter()
        .find(|row| row["direction"] == "outbound")
        .unwrap();
    assert!(new["transferred_by"].is_string(), "{new:#}");
    assert_eq!(new["ended_at"], Value::Null, "they still talk: {new:#}");
    bob.command("hangup");
    carol.wait("ended");
}

#[test]
fn a_transfer_that_nobody_may_decide_is_declined_and_one_to_a_busy_phone_comes_back() {
    let bob_options = ["--no-register", "--auto-answer", "--transfers", "always"];
    let mut carol = Phone::start(&["--no-register", "--reject", "486"]);
    let mut bob = Phone::start(&bob_options);
    let mut alice = Phone::start(&["--no-register", "--call", &bob.uri()]);
    alice.wait("answered");
    alice.send(&json!({"command": "transfer", "uri": carol.uri()}));
    carol.wait("ended");
    let told = alice.wait("transferred");
    assert_eq!(told["status"], 486, "{told:#}");
    // The first call is still there and can be held.
    alice.command("hold");
    alice.wait("held");
    bob.wait("held");
    alice.command("hangup");
    bob.wait("ended");
}

#[test]
fn an_attended_transfer_joins_the_two_that_were_talked_with() {
    let mut carol = Phone::start(&["--no-register", "--auto-answer"]);
    let bob_options = ["--no-register", "--auto-answer", "--transfers", "always"];
    let mut bob = Phone::start(&bob_options);
    let mut alice = Phone::start(&["--no-register", "--call", &bob.uri()]);
    let first = alice.wait("answered")["call_id"].clone();
    alice.send(&json!({"command": "transfer", "attended": true, "uri": carol.uri()}));
    let consult = alice.wait("outgoing")["call_id"].clone();
    alice.wait_for("the consult call", Duration::from_secs(20), |event| {
        event["event"] == "answered" && event["call_id"] == consult
    });
    let before = carol.wait("answered")["call_id"].clone();
    alice.send(&json!({"command": "transfer", "call_id": first, "other_call_id": consult}));
    // Carol's rule is to ask: Bob's call rings until she says yes to the end of her first.
    let wish = carol.wait("transfer_requested");
    assert_eq!(wish["decision"], "asked", "{wish:#}");
    assert_eq!(wish["call_id"], before, "{wish:#}");
    carol.send(&json!({"command": "accept_transfer", "call_id": before}));
    let after = carol.wait("answered")["call_id"].clone();
    assert_ne!(before, after);
    let gone = carol.wait("ended");
    assert_eq!(gone["call_id"], before);
    assert_eq!(gone["reason"], "another call took its place", "{gone:#}");
    // In any order: Bob may hang up before his news of the transfer is heard.
    for _ in 0..3 {
        let told = alice.wait_for(
            "the end of the transfer",
            Duration::from_secs(20),
            |event| event["event"] == "transferred" || event["event"] == "ended",
        );
        if told["event"] == "ended" {
            let reason = told["reason"].as_str().unwrap();
            assert!(reason.starts_with("transferred to"), "{told:#}");
        } else {
            assert_eq!(told["status"], 200, "{told:#}");
            assert_eq!(told["attended"], true, "{told:#}");
        }
    }
    let rows = carol.calls();
    let new = rows.iter().find(|row| row["id"] == after).unwrap();
    assert!(new["transferred_by"].is_string(), "{new:#}");
    bob.wait("ended");
    bob.command("hangup");
    carol.wait("ended");
}

#[test]
fn a_call_keeps_its_place_where_its_rule_says_so() {
    let mut carol = Phone::start(&["--no-register", "--auto-answer", "--transfers", "never"]);
    let options = ["--no-register", "--auto-answer", "--transfers", "always"];
    let bob = Phone::start(&options);
    let mut alice = Phone::start(&["--no-register", "--call", &bob.uri()]);
    let first = alice.wait("answered")["call_id"].clone();
    alice.send(&json!({"command": "transfer", "attended": true, "uri": carol.uri()}));
    let consult = alice.wait("outgoing")["call_id"].clone();
    alice.wait_for("the consult call", Duration::from_secs(20), |event| {
        event["event"] == "answered" && event["call_id"] == consult
    });
    alice.send(&json!({"command": "transfer", "call_id": first, "other_call_id": consult}));
    let wish = carol.wait("transfer_requested");
    assert_eq!(wish["decision"], "refused", "{wish:#}");
    let told = alice.wait("transferred");
    assert_eq!(told["status"], 403, "{told:#}");
}

#[test]
fn a_script_transfers_attended_by_its_options_alone() {
    // Where the rule is to follow, nobody need answer.
    let options = ["--no-register", "--auto-answer", "--transfers", "always"];
    let carol = Phone::start(&options);
    let bob = Phone::start(&options);
    let (to_bob, to_carol) = (bob.uri(), carol.uri());
    let options = [
        "--no-register",
        "--call",
        &to_bob,
        "--transfer",
        &to_carol,
        "--attended",
    ];
    let alice = Phone::start(&[&options[..], &["--exit-after-calls", "2"]].concat()).ended();
    assert_eq!(alice.code, Some(0), "{}", alice.stderr);
    assert_eq!(alice.event("transferred")["status"], 200);
}
