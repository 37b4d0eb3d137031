//! The window under Wayland, in a weston without a screen: there no window can be placed, so the desktop
//! notification is the alert, and the call is answered by it.

use std::path::PathBuf;
use std::process::Command;

use serde_json::json;

use crate::desktop_bus::{Bus, Notifications};
use crate::kamailio::Kamailio;
use crate::on_desktop::{caller, data_folder};
use crate::place;
use crate::screen::Compositor;
use crate::window::{until_call_is, until_registered};

#[test]
fn under_wayland_a_call_is_told_and_answered_by_its_notification() {
    let bus = Bus::start();
    let daemon = Notifications::start(&bus, &["actions", "body", "body-markup"]);
    let kamailio = Kamailio::start(&["OPEN_CALLS"]);
    let data = data_folder(&kamailio.address(), "");
    let weston = Compositor::start(bus.address());
    let phone = weston.watch(
        Command::new(place::binary())
            .arg("--data-dir")
            .arg(data.path())
            .env("RINGDESK_LOG", "ringdesk=warn"),
    );
    until_registered(&kamailio.address());
    let mut caller = caller(&kamailio.address());
    caller.send(&json!({"command": "call", "uri": "sip:bob@lab.example"}));
    let _event = caller.wait("ringing");
    let note = daemon.note("Incoming call");
    assert_eq!(note.urgency, 2, "nothing else alerts: {note:?}");
    daemon.choose(note.id, "answer");
    let _event = caller.wait("answered");
    until_call_is(data.path(), "in-progress");
    daemon.until_gone("Incoming call");
    caller.command("hangup");
    let _event = caller.wait("ended");
    until_call_is(data.path(), "completed");
    // It drew all the while.
    let said = phone.said();
    assert!(!said.contains("panicked"), "{said}");
    let log: PathBuf = weston.log();
    let told = std::fs::read_to_string(log).unwrap();
    assert!(!told.contains("error in client communication"), "{told}");
}
