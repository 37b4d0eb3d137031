//! A second call while one is talked: one at a time, by the phone or by the agent.

use serde_json::{Value, json};

use crate::junit::scenario;
use crate::phone::Phone;
use crate::place::PATIENCE;
use crate::sipp::Sipp;

fn command(phone: &mut Phone, name: &str, call: &Value) {
    phone.send(&json!({"command": name, "call_id": call}));
}

fn wait_for_call(phone: &mut Phone, name: &str, call: &Value) -> Value {
    phone.wait_for(name, PATIENCE, |event| {
        event["event"] == name && event["call_id"] == *call
    })
}

/// Waits for the next call that rings here, and gives its id.
fn rings(phone: &mut Phone) -> Value {
    let ringing = phone.wait_for("ringing", PATIENCE, |event| {
        event["event"] == "ringing" && event["direction"] == "inbound"
    });
    ringing["call_id"].clone()
}

fn calls(from: &Phone, options: &[&str]) -> Phone {
    let uri = from.uri();
    Phone::start(&[&["--no-register", "--call", &uri], options].concat())
}

/// Alice talks with Bob, who does as she asks for transfers; both, and the call at Bob.
fn alice_with_bob() -> (Phone, Phone, Value) {
    let mut bob = Phone::start(&[
        "--no-register",
        "--auto-answer",
        "--second-call",
        "hold",
        "--transfers",
        "always",
    ]);
    let mut alice = calls(&bob, &[]);
    let first = bob.wait("answered")["call_id"].clone();
    alice.wait("answered");
    (alice, bob, first)
}

/// Alice hangs up, and her call was not resumed before.
fn assert_ends_on_hold(alice: &mut Phone, bob: &mut Phone, first: &Value) {
    // A resume would have been told before this end.
    alice.command("hangup");
    wait_for_call(bob, "ended", first);
    let told = bob.drain();
    assert!(told.iter().all(|event| event["event"] != "resumed"));
}

#[test]
fn call_waiting() {
    scenario("call-waiting", || {
        let mut phone = Phone::start(&["--no-register", "--second-call", "hold"]);
        let first_caller = Sipp::to(phone.address(), "call-waiting", &[]);
        let first = rings(&mut phone);
        command(&mut phone, "answer", &first);
        wait_for_call(&mut phone, "answered", &first);
        let second_caller = Sipp::to(phone.address(), "call-waiting", &[]);
        let second = rings(&mut phone);
        command(&mut phone, "answer", &second);
        let held = wait_for_call(&mut phone, "held", &first);
        assert_eq!(held["by"], "local", "{held:#}");
        command(&mut phone, "resume", &first);
        wait_for_call(&mut phone, "held", &second);
        command(&mut phone, "hangup", &first);
        wait_for_call(&mut phone, "ended", &first);
        first_caller.passes();
        command(&mut phone, "resume", &second);
        wait_for_call(&mut phone, "resumed", &second);
        command(&mut phone, "hangup", &second);
        wait_for_call(&mut phone, "ended", &second);
        second_caller.passes();
        let states: Vec<Value> = phone
            .calls()
            .iter()
            .map(|row| row["state"].clone())
            .collect();
        assert_eq!(states, ["completed", "completed"]);
    });
}

#[test]
fn placing_a_second_call_holds_the_first_where_that_is_wanted() {
    let mut other = Phone::start(&["--no-register", "--auto-answer"]);
    let mut phone = Phone::start(&["--no-register", "--second-call", "hold", "--auto-answer"]);
    let mut caller = calls(&phone, &[]);
    let first = phone.wait("answered")["call_id"].clone();
    let to_other = other.uri();
    phone.send(&json!({"command": "call", "uri": to_other}));
    wait_for_call(&mut phone, "held", &first);
    assert_eq!(caller.wait("held")["by"], "remote");
    other.wait("answered");
    // Here, too: what is not answered yet cannot be held.
    let second = |event: &Value| event["event"] == "answered" && event["call_id"] != first;
    if !phone.drain().iter().any(second) {
        phone.wait_for("the second answer", PATIENCE, second);
    }
    command(&mut phone, "resume", &first);
    assert_eq!(other.wait("held")["by"], "remote");
    caller.wait("resumed");
}

#[test]
fn a_second_call_is_refused_in_words_until_the_first_is_held_or_over() {
    let other = Phone::start(&["--no-register", "--auto-answer"]);
    let mut phone = Phone::start(&["--no-register", "--second-call", "refuse"]);
    let mut first_caller = calls(&phone, &[]);
    let first = rings(&mut phone);
    command(&mut phone, "answer", &first);
    wait_for_call(&mut phone, "answered", &first);
    let mut second_caller = calls(&phone, &[]);
    let second = rings(&mut phone);
    let refused = |phone: &mut Phone, name: &str| {
        let told = phone.wait(name);
        let words = told["message"].as_str().unwrap();
        assert!(words.contains("hold or end that call first"), "{told:#}");
    };
    command(&mut phone, "answer", &second);
    refused(&mut phone, "error");
    let to_other = other.uri();
    phone.send(&json!({"command": "call", "uri": to_other}));
    refused(&mut phone, "error");
    assert_eq!(phone.calls().len(), 2, "nothing was dialled");
    command(&mut phone, "hold", &first);
    // Held as soon as it is asked for: nobody waits for the far end's word.
    command(&mut phone, "answer", &second);
    wait_for_call(&mut phone, "answered", &second);
    second_caller.wait("answered");
    first_caller.wait("held");
    command(&mut phone, "resume", &first);
    refused(&mut phone, "error");
    command(&mut phone, "hangup", &second);
    wait_for_call(&mut phone, "ended", &second);
    command(&mut phone, "resume", &first);
    wait_for_call(&mut phone, "resumed", &first);
    first_caller.wait("resumed");
}

/// Carol has Alice on hold when Alice hands Bob over to her: nobody opens her microphone for her.
#[test]
fn who_takes_the_place_of_a_held_call_waits_in_its_place() {
    let mut carol = Phone::start(&["--no-register", "--auto-answer", "--transfers", "always"]);
    let to_carol = carol.uri();
    let mut bob = Phone::start(&["--no-register", "--auto-answer", "--transfers", "always"]);
    let mut alice = calls(&bob, &[]);
    let first = alice.wait("answered")["call_id"].clone();
    bob.wait("answered");
    alice.send(&json!({"command": "transfer", "attended": true, "uri": to_carol}));
    let consult = alice.wait("outgoing")["call_id"].clone();
    wait_for_call(&mut alice, "answered", &consult);
    carol.wait("answered");
    carol.command("hold");
    carol.wait("held");
    alice.send(&json!({"command": "transfer", "call_id": first, "other_call_id": consult}));
    let after = carol.wait("answered")["call_id"].clone();
    let held = wait_for_call(&mut carol, "held", &after);
    assert_eq!(held["by"], "local", "{held:#}");
    command(&mut carol, "resume", &after);
    wait_for_call(&mut carol, "resumed", &after);
}

/// Bob is sent to Carol, who is busy: Alice waited on hold for good, and nobody told Bob.
#[test]
fn who_waits_for_a_transfer_that_nobody_answers_comes_back() {
    let carol = Phone::start(&["--no-register", "--reject", "486"]);
    let to_carol = carol.uri();
    let (mut alice, mut bob, first) = alice_with_bob();
    alice.send(&json!({"command": "transfer", "uri": to_carol}));
    wait_for_call(&mut bob, "held", &first);
    assert_eq!(alice.wait("transferred")["status"], 486);
    wait_for_call(&mut bob, "resumed", &first);
    alice.wait("resumed");
}

/// It stayed on hold for a call that never was.
#[test]
fn who_was_held_for_a_call_that_cannot_be_placed_comes_back() {
    let mut alice = Phone::start(&["--no-register", "--auto-answer"]);
    let mut bob = calls(&alice, &[]);
    let first = bob.wait("answered")["call_id"].clone();
    bob.send(
        &json!({"command": "transfer", "attended": true, "uri": "sip:carol@[not-an-address]"}),
    );
    bob.wait("error");
    wait_for_call(&mut bob, "resumed", &first);
    alice.wait("resumed");
}

#[test]
fn who_waits_for_a_transfer_does_not_come_back_while_somebody_else_is_talked_with() {
    let mut carol = Phone::start(&["--no-register"]);
    let to_carol = carol.uri();
    let mut bob = Phone::start(&[
        "--no-register",
        "--second-call",
        "hold",
        "--transfers",
        "always",
    ]);
    let mut alice = calls(&bob, &[]);
    let first = rings(&mut bob);
    command(&mut bob, "answer", &first);
    alice.wait("answered");
    alice.send(&json!({"command": "transfer", "uri": to_carol}));
    wait_for_call(&mut bob, "held", &first);
    let at_carol = rings(&mut carol);
    let mut dave = calls(&bob, &[]);
    let other = rings(&mut bob);
    command(&mut bob, "answer", &other);
    dave.wait("answered");
    command(&mut carol, "busy", &at_carol);
    let new = bob.wait("ended")["call_id"].clone();
    assert_ne!(new, first);
    alice.wait("transferred");
    assert_ends_on_hold(&mut alice, &mut bob, &first);
}

#[test]
fn who_was_held_before_a_transfer_that_nobody_answers_stays_on_hold() {
    let carol = Phone::start(&["--no-register", "--reject", "486"]);
    let to_carol = carol.uri();
    let (mut alice, mut bob, first) = alice_with_bob();
    command(&mut bob, "hold", &first);
    wait_for_call(&mut bob, "held", &first);
    alice.wait("held");
    alice.send(&json!({"command": "transfer", "uri": to_carol}));
    let new = bob.wait("outgoing")["call_id"].clone();
    assert_eq!(alice.wait("transferred")["status"], 486);
    wait_for_call(&mut bob, "ended", &new);
    assert_ends_on_hold(&mut alice, &mut bob, &first);
}

#[test]
fn calls_stand_side_by_side_for_testers() {
    let mut phone = Phone::start(&["--no-register", "--auto-answer"]);
    let mut callers = [calls(&phone, &[]), calls(&phone, &[])];
    for caller in &mut callers {
        caller.wait("answered");
        phone.wait("answered");
    }
    // A held one would have been told before the end.
    for caller in &mut callers {
        caller.command("hangup");
        caller.wait("ended");
        phone.wait("ended");
        assert!(caller.drain().iter().all(|event| event["event"] != "held"));
    }
}
