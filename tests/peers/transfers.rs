//! Transfers among our phones, linphone, baresip and SIPp, each in each role that it knows.

use serde_json::{Value, json};

use crate::audio::Sound;
use crate::baresip::Baresip;
use crate::junit::scenario;
use crate::kamailio::Kamailio;
use crate::linphone::Linphone;
use crate::phone::Phone;
use crate::place::PATIENCE;
use crate::sipp::Sipp;

const OPUS: &str = "opus/48000/2";

fn linphone(hertz: f64) -> Linphone {
    Linphone::start(OPUS, &Sound::tone(hertz, 3, 48_000))
}

/// A phone of ours that answers each call and follows each transfer.
fn willing() -> Phone {
    Phone::start(&["--no-register", "--auto-answer", "--transfers", "always"])
}

fn answered(phone: &mut Phone, call: &Value) {
    phone.wait_for("the answer", PATIENCE, |event| {
        event["event"] == "answered" && event["call_id"] == *call
    });
}

/// Ours calls two others and joins them.
fn join(alice: &mut Phone, first: &str, second: &str) -> Value {
    alice.send(&json!({"command": "call", "uri": first}));
    let call = alice.wait("outgoing")["call_id"].clone();
    answered(alice, &call);
    alice.send(&json!({"command": "transfer", "attended": true, "uri": second}));
    let consult = alice.wait("outgoing")["call_id"].clone();
    answered(alice, &consult);
    alice.send(&json!({"command": "transfer", "call_id": call, "other_call_id": consult}));
    let told = alice.wait("transferred");
    // The one that was replaced may have ended before the transferee told of its success.
    let ended = |event: &Value| event["event"] == "ended";
    while alice.drain().iter().filter(|event| ended(event)).count() < 2 {
        alice.wait_for("the end of both calls", PATIENCE, ended);
    }
    for ended in alice.drain().iter().filter(|event| ended(event)) {
        let reason = ended["reason"].as_str().unwrap();
        assert!(reason.starts_with("transferred to"), "{ended:#}");
    }
    told
}

#[test]
fn linphone_is_transferred_by_us() {
    let mut bob = linphone(440.0);
    let mut carol = willing();
    let mut alice = Phone::start(&["--no-register", "--call", &bob.uri()]);
    alice.wait("answered");
    alice.send(&json!({"command": "transfer", "uri": carol.uri()}));
    let from = carol.wait("answered")["from"].clone();
    assert!(from.as_str().unwrap().contains("linphone"), "{from}");
    let told = alice.wait("transferred");
    assert_eq!(told["status"], 200, "{told:#}");
    alice.wait("ended");
    carol.command("hangup");
    bob.wait("Call 2 with");
    bob.wait("ended (No error)");
}

#[test]
fn linphone_transfers_us() {
    let mut bob = linphone(440.0);
    let mut carol = willing();
    let options = ["--no-register", "--transfers", "always", "--call"];
    let mut alice = Phone::start(&[&options[..], &[&bob.uri()]].concat());
    alice.wait("answered");
    bob.wait("Media streams established");
    bob.command(&format!("transfer {}", carol.uri()));
    let wish = alice.wait("transfer_requested");
    assert_eq!(wish["decision"], "followed", "{wish:#}");
    assert_eq!(wish["attended"], false, "{wish:#}");
    carol.wait("answered");
    // Whoever asked leaves once it hears that it worked.
    bob.wait("ended (No error)");
    let left = alice.wait("ended");
    assert_eq!(left["reason"], "the far end hung up", "{left:#}");
    alice.command("hangup");
    carol.wait("ended");
}

/// A user's phone that answers each call and follows each transfer.
fn registered(kamailio: &Kamailio, user: &str) -> Phone {
    let options = kamailio.options(user, "udp");
    let options = options.iter().map(String::as_str);
    let more = ["--auto-answer", "--transfers", "always"];
    let mut phone = Phone::start(&options.chain(more).collect::<Vec<_>>());
    phone.wait("registered");
    phone
}

/// Through a proxy: in its Refer-To, linphone names the address of record without its port.
#[test]
fn linphone_joins_the_two_phones_that_it_talks_with() {
    let kamailio = Kamailio::start(&["OPEN_CALLS"]);
    let (mut alice, mut bob) = (registered(&kamailio, "alice"), registered(&kamailio, "bob"));
    let speech = Sound::tone(440.0, 3, 48_000);
    let mut linphone = Linphone::start_behind(&kamailio.address(), OPUS, &speech);
    linphone.command("call sip:alice@lab.example");
    linphone.wait("Media streams established");
    linphone.command("pause");
    linphone.wait("is now paused");
    alice.wait("held");
    linphone.command("call sip:bob@lab.example");
    linphone.wait("Media streams established");
    let before = bob.wait("answered")["call_id"].clone();
    linphone.command("transfer 1 --to-call 2");
    let wish = alice.wait("transfer_requested");
    assert_eq!(wish["decision"], "followed", "{wish:#}");
    assert_eq!(wish["attended"], true, "{wish:#}");
    let after = bob.wait("answered")["call_id"].clone();
    assert_ne!(before, after);
    let gone = bob.wait("ended");
    assert_eq!(gone["call_id"], before, "{gone:#}");
    assert_eq!(gone["reason"], "another call took its place", "{gone:#}");
    linphone.wait("ended (No error)");
    alice.wait("ended");
    alice.command("hangup");
    let gone = bob.wait("ended");
    assert_eq!(gone["call_id"], after, "{gone:#}");
}

#[test]
fn we_join_two_linphones_that_then_hear_each_other() {
    let (mut bob, mut carol) = (linphone(440.0), linphone(2_000.0));
    let mut alice = Phone::start(&["--no-register"]);
    let told = join(&mut alice, &bob.uri(), &carol.uri());
    assert_eq!(told["status"], 200, "{told:#}");
    assert_eq!(told["attended"], true, "{told:#}");
    // Each first heard our silence, and now the tone of the other one.
    for linphone in [&mut bob, &mut carol] {
        linphone.wait("Media streams established");
        linphone.record("joined");
        linphone.until_recorded("joined", 1_500);
    }
    let (bob, carol) = (bob.quit(), carol.quit());
    assert!(bob.recording("joined").share_of_tone(2_000.0) > 0.7);
    assert!(carol.recording("joined").share_of_tone(440.0) > 0.7);
}

/// baresip 1.0 knows no Replaces: the second call is one of its own at the target, and we end both.
#[test]
fn we_join_two_baresips() {
    let [mut bob, mut carol] = [440.0, 2_000.0].map(|hertz| {
        let tone = Sound::tone(hertz, 3, 48_000);
        Baresip::start(OPUS, &tone)
    });
    let mut alice = Phone::start(&["--no-register"]);
    let told = join(&mut alice, &bob.uri(), &carol.uri());
    assert_eq!(told["status"], 200, "{told:#}");
    for baresip in [&mut bob, &mut carol] {
        let with_us = baresip.wait("CALL_ESTABLISHED")["id"].clone();
        let [joined, closed] = baresip.wait_both(["CALL_ESTABLISHED", "CALL_CLOSED"]);
        assert_ne!(with_us, joined["id"]);
        assert_eq!(closed["id"], with_us);
    }
}

/// baresip 1.0 calls the whole Refer-To, with the Replaces inside: a second call, not one in place.
#[test]
fn we_join_baresip_with_another_phone() {
    let mut bob = Baresip::start(OPUS, &Sound::tone(440.0, 3, 48_000));
    let mut carol = willing();
    let mut alice = Phone::start(&["--no-register"]);
    let told = join(&mut alice, &bob.uri(), &carol.uri());
    assert_eq!(told["status"], 200, "{told:#}");
    let before = carol.wait("answered")["call_id"].clone();
    let after = carol.wait("answered");
    assert!(
        after["from"].as_str().unwrap().contains("baresip"),
        "{after:#}"
    );
    let gone = carol.wait("ended");
    assert_eq!(gone["call_id"], before, "{gone:#}");
    carol.command("hangup");
    bob.wait("CALL_CLOSED");
    bob.wait("CALL_CLOSED");
}

/// baresip 1.0 refuses to take a call over (420): it gets a second call instead.
#[test]
fn we_join_another_phone_with_baresip() {
    let mut bob = willing();
    let mut carol = Baresip::start(OPUS, &Sound::tone(440.0, 3, 48_000));
    let mut alice = Phone::start(&["--no-register"]);
    let told = join(&mut alice, &bob.uri(), &carol.uri());
    assert_eq!(told["status"], 200, "{told:#}");
    assert_eq!(told["attended"], true, "{told:#}");
    let with_us = carol.wait("CALL_ESTABLISHED")["id"].clone();
    // Our call with her may be over before she tells of the new one.
    let [joined, closed] = carol.wait_both(["CALL_ESTABLISHED", "CALL_CLOSED"]);
    let joined = joined["id"].clone();
    assert_ne!(with_us, joined);
    assert_eq!(closed["id"], with_us);
    // One attempt of Bob's failed before, by the 420.
    let first = bob
        .drain()
        .iter()
        .find(|event| event["event"] == "answered");
    let first = first.unwrap()["call_id"].clone();
    let is_first = |event: &Value| event["event"] == "ended" && event["call_id"] == first;
    if !bob.drain().iter().any(is_first) {
        bob.wait_for("the end of the call with us", PATIENCE, is_first);
    }
    bob.command("hangup");
    assert_eq!(carol.wait("CALL_CLOSED")["id"], joined);
}

#[test]
fn transfer_followed() {
    scenario("transfer-followed", || {
        let target = Sipp::called("transfer-target", &[]);
        let port = target.port().to_string();
        let mut phone = willing();
        let key = ["-key", "target_port", port.as_str()];
        let asking = Sipp::to(phone.address(), "transfer-followed", &key);
        let wish = phone.wait("transfer_requested");
        assert_eq!(wish["decision"], "followed", "{wish:#}");
        assert_eq!(wish["attended"], false, "{wish:#}");
        let by = wish["by"].as_str().unwrap();
        assert!(by.contains("sip:erika@192.0.2.7"), "{wish:#}");
        let made = phone.wait("outgoing");
        let carol = format!("sip:carol@127.0.0.1:{port}");
        assert_eq!(made["uri"], carol.as_str(), "{made:#}");
        answered(&mut phone, &made["call_id"]);
        let left = phone.wait("ended");
        assert_eq!(left["call_id"], wish["call_id"], "{left:#}");
        asking.passes();
        phone.command("hangup");
        phone.wait("ended");
        target.passes();
        let rows = phone.calls();
        let completed = rows.iter().filter(|row| row["state"] == "completed");
        assert_eq!(completed.count(), 2, "{rows:#?}");
        assert_eq!(phone.stop().code, Some(0));
    });
}

/// A field of the first message that has it.
fn field<'a>(messages: &'a str, name: &str) -> &'a str {
    let mut lines = messages.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    value.unwrap_or_else(|| panic!("no {name} in {messages}"))
}

#[test]
fn replaces_taken() {
    scenario("replaces-taken", || {
        let mut phone = willing();
        let first = Sipp::to(phone.address(), "bye-from-phone", &[]);
        let before = phone.wait("answered")["call_id"].clone();
        first.until_message("ACK sip:");
        let messages = first.messages();
        // The phone is named by the tag in its answers' To, its far end by that in From.
        let (_, ok) = messages.split_once("SIP/2.0 200 ").unwrap();
        let tag = |name| field(ok, name).split_once(";tag=").unwrap().1;
        let (call_id, to, from) = (field(ok, "Call-ID"), tag("To"), tag("From"));
        let replaces = format!("{call_id};to-tag={to};from-tag={from}");
        let key = ["-key", "replaces", replaces.as_str()];
        let second = Sipp::to(phone.address(), "replaces-taken", &key);
        let wish = phone.wait("transfer_requested");
        assert_eq!(wish["call_id"], before, "{wish:#}");
        assert_eq!(wish["decision"], "followed", "{wish:#}");
        assert_eq!(wish["by"], "sip:erika@192.0.2.7", "{wish:#}");
        let after = phone.wait("answered")["call_id"].clone();
        assert_ne!(before, after);
        let gone = phone.wait("ended");
        assert_eq!(gone["call_id"], before, "{gone:#}");
        assert_eq!(gone["reason"], "another call took its place", "{gone:#}");
        first.passes();
        second.passes();
        let gone = phone.wait("ended");
        assert_eq!(gone["call_id"], after, "{gone:#}");
        assert_eq!(phone.stop().code, Some(0));
    });
}
