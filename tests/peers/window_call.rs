//! A whole call in the real window, by its keys: answered, sent on, wrapped up; and cut off with the phone.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::desktop_bus::Bus;
use crate::kamailio::Kamailio;
use crate::on_desktop::{caller_with, data_folder};
use crate::phone::{Phone, calls, run};
use crate::place;
use crate::screen::{Program, Screen};
use crate::screen_reader::{BUTTON, ENTRY, Reader, TOGGLE};
use crate::window::{until_call_is, until_registered};

/// To whom the call is sent on.
const ALICE: &str = "alice@lab.example";

/// bob's phone with its window.
fn window(screen: &Screen, data: &Path) -> Program {
    let window = screen.watch(
        Command::new(place::binary())
            .arg("--data-dir")
            .arg(data)
            .env("RINGDESK_LOG", "ringdesk=warn"),
    );
    let _there = screen.window("Ringdesk");
    window
}

/// Calls bob, who has the window, and lets him answer by a key.
fn talk(screen: &Screen, data: &Path, caller: &mut Phone) {
    caller.send(&json!({"command": "call", "uri": "sip:bob@lab.example"}));
    let _event = caller.wait("ringing");
    let main = screen.window("Ringdesk");
    screen.focus(&main);
    // The far end hears that it rings a moment before the window shows it.
    place::until("the keys do not answer", || {
        screen.press("ctrl+shift+F9");
        let rows = calls(data);
        let talks = |row: &Value| row["state"] == "in-progress";
        rows.iter().any(talks).then_some(())
    });
    let _event = caller.wait("answered");
}

/// Waits for the first row that is like that.
fn until_row(data: &Path, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    place::until(&format!("no row {what}: {:#?}", calls(data)), || {
        calls(data).into_iter().find(|row| is(row))
    })
}

#[test]
fn a_call_is_answered_sent_on_and_wrapped_up_by_keys_in_the_window() {
    let kamailio = Kamailio::start(&["OPEN_CALLS"]);
    let data = data_folder(&kamailio.address(), "");
    let add: [std::ffi::OsString; 5] = [
        "call-types".into(),
        "--add".into(),
        "Sales".into(),
        "--data-dir".into(),
        data.path().into(),
    ];
    let (code, _, stderr) = run(&add);
    assert_eq!(code, Some(0), "{stderr}");
    let bus = Bus::start();
    let mut screen = Screen::start_on(bus.address());
    let reader = Reader::start(&bus, &mut screen);
    let _window = window(&screen, data.path());
    until_registered(&kamailio.address());
    let options = kamailio.options("alice", "udp");
    let mut options: Vec<&str> = options.iter().map(String::as_str).collect();
    options.push("--auto-answer");
    let mut alice = Phone::start(&options);
    let _event = alice.wait("registered");
    let mut eve = caller_with(&kamailio.address(), &["--transfers", "always"]);

    talk(&screen, data.path(), &mut eve);
    let _card = reader.find(BUTTON, "Hang up");
    screen.press("ctrl+t");
    // Where it goes is typed at once, and the button that sends it there follows.
    let field = reader.find(ENTRY, "Transfer to");
    reader.until_focused(&field);
    screen.type_text(ALICE);
    screen.picture(&place::root().join("target/screenshots/transfer.png"));
    let transfer = reader.find(BUTTON, "Transfer now");
    reader.go_to(&screen, &transfer);
    screen.press("Return");
    let _event = alice.wait("answered");
    until_call_is(data.path(), "completed");

    let _offered = reader.find(BUTTON, "Sales");
    screen.press("alt+1");
    let _chosen = reader.find(TOGGLE, "Sales");
    screen.press("ctrl+Return");
    let row = until_row(data.path(), "is wrapped up", |row| {
        row["call_type_name"] == "Sales"
    });
    let went = row["transferred_to"].as_str().unwrap_or_default();
    assert!(went.contains(ALICE), "{row:#}");
    alice.command("hangup");
}

/// What was said before the kill is there after it, and the next call rings as ever.
#[test]
fn a_window_that_is_killed_in_a_call_tells_so_when_it_starts_again_and_rings() {
    let kamailio = Kamailio::start(&["OPEN_CALLS", "NEWEST_CONTACT"]);
    let data = data_folder(&kamailio.address(), "");
    let screen = Screen::start();
    let first = window(&screen, data.path());
    until_registered(&kamailio.address());
    let mut eve = caller_with(&kamailio.address(), &[]);

    talk(&screen, data.path(), &mut eve);
    drop(first);
    place::until("the window outlives its phone", || {
        (!screen.shows("Ringdesk")).then_some(())
    });
    eve.command("hangup");
    let _event = eve.wait("ended");

    let _second = window(&screen, data.path());
    until_registered(&kamailio.address());
    let row = until_row(data.path(), "is interrupted", |row| {
        row["state"] == "interrupted"
    });
    assert!(!row["answered_at"].is_null(), "{row:#}");
    talk(&screen, data.path(), &mut eve);
    screen.press("ctrl+e");
    let _event = eve.wait("ended");
    until_call_is(data.path(), "completed");
}
