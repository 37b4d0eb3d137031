//! Whole calls as an agent has them, step by step, by commands, events and rows: from somebody unknown, to a
//! number behind a link, and back to somebody who was missed.

use std::net::{Ipv4Addr, UdpSocket};
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::phone::{Phone, calls, ringdesk};
use crate::place::{self, PATIENCE};
use crate::sipp::Sipp;

/// The caller's number, as their exchange sends it.
const NATIONAL: &str = "03012345678";
const INTERNATIONAL: &str = "+493012345678";
/// The account, which nobody registers.
const ACCOUNT: &str = "sip:desk@lab.example";

/// A data folder of a phone in Germany whose account calls by way of this port.
fn german_folder(proxy: u16) -> TempDir {
    let folder = TempDir::new().unwrap();
    let config = format!(
        "[settings]\nregion = \"DE\"\n\n[[accounts]]\naddress = \"{ACCOUNT}\"\nregister = false\nmessage_waiting = \"off\"\n\
         outbound_proxy = \"sip:127.0.0.1:{proxy};lr\"\ndial_plan = {{ region = \"DE\" }}\n"
    );
    std::fs::write(folder.path().join("config.toml"), config).unwrap();
    folder
}

/// That phone; direct calls reach it too.
fn german_phone(proxy: u16, more: &[&str]) -> Phone {
    let options = [&["--no-register", "--account", ACCOUNT], more].concat();
    let mut phone = Phone::spawn(german_folder(proxy), &options);
    phone.wait("started");
    phone
}

fn id_of(row: &Value) -> String {
    row["id"].as_str().unwrap().to_owned()
}

/// Calls that are to be called back: what the badge counts.
fn badge(phone: &Phone) -> usize {
    ringdesk(phone, &["calls", "--filter", "to-call-back"]).len()
}

/// Whom the calls of the log show, the newest first.
fn shown(phone: &Phone) -> Vec<Value> {
    let rows = phone.calls();
    rows.iter().map(|row| row["contact_name"].clone()).collect()
}

/// Rings and gives up until the caller is looked up before the phone rings, which a busy machine may be too
/// slow for; how many calls that were, and the event of the last.
fn looked_up_in_time(phone: &mut Phone) -> (usize, Value) {
    for calls in 1..=10 {
        Sipp::to(phone.address(), "cancel-after-180", &["-s", NATIONAL]).passes();
        let incoming = phone.wait("incoming");
        phone.wait("ended");
        if !incoming["country"].is_null() {
            return (calls, incoming);
        }
    }
    panic!("no caller is ever looked up in time");
}

#[test]
fn a_call_from_an_unknown_number_step_by_step() {
    let recordings = TempDir::new().unwrap();
    let folder = recordings.path().to_str().unwrap();
    let mut phone = german_phone(9, &["--record-dir", folder, "--wrap-up", "600"]);
    ringdesk(&phone, &["call-types", "--add", "Sales"]);
    let line = [
        "queues",
        "add",
        "Support",
        "--number",
        "sip:phone@127.0.0.1",
    ];
    ringdesk(&phone, &line);
    // What the agent sees says who is not known, and why.
    let (earlier, incoming) = looked_up_in_time(&mut phone);
    assert_eq!(incoming["queue"], "Support", "{incoming:#}");
    assert_eq!(incoming["country"], "Germany", "{incoming:#}");
    assert_eq!(incoming["contact"], Value::Null, "{incoming:#}");
    let why = incoming["no_match"].as_str().unwrap();
    assert!(why.starts_with("no contact has this number"), "{why}");
    assert_eq!(badge(&phone), 1);

    // It rings again, and the row is there.
    let caller = Sipp::to(phone.address(), "bye-from-phone", &["-s", NATIONAL]);
    phone.wait("incoming");
    let ringing = &phone.calls()[0];
    assert_eq!(ringing["state"], "ringing", "{ringing:#}");
    assert_eq!(ringing["e164"], INTERNATIONAL, "{ringing:#}");
    assert_eq!(ringing["queue"], "Support", "{ringing:#}");
    let call = id_of(ringing);

    // The draft has no customer yet, and notes are kept as they are typed.
    phone.command("answer");
    let opens = phone.wait("opens");
    assert_eq!(opens["open"], "draft", "{opens:#}");
    assert_eq!(opens["subject"], Value::Null, "{opens:#}");
    for typed in ["wants", "wants an offer"] {
        phone.send(&json!({"command": "notes", "text": typed}));
        place::until("a note is not kept while the call goes on", || {
            (phone.calls()[0]["notes"] == typed).then_some(())
        });
    }
    let draft = |phone: &Phone| ringdesk(phone, &["tickets", "--filter", "drafts"])[0].clone();
    assert_eq!(draft(&phone)["contact_name"], Value::Null);

    // Somebody new: the draft and the earlier call go to them, which can be taken back.
    let anna = ["contacts", "--add", "Anna", "--number", "030/123 45 678"];
    let created = ringdesk(&phone, &anna);
    assert_eq!(created[0]["linked_calls"], earlier + 1, "{created:#?}");
    assert!(shown(&phone).iter().all(|name| name == "Anna"));
    assert_eq!(draft(&phone)["contact_name"], "Anna");
    let steps = ringdesk(&phone, &["undo"]);
    assert_eq!(steps[0]["label"], "earlier calls of Anna", "{steps:#?}");
    let undone = ringdesk(&phone, &["undo", &steps[0]["id"].to_string()]);
    assert_eq!(undone[0]["left"], 0, "{undone:#?}");
    assert!(shown(&phone).iter().all(Value::is_null));

    // Or somebody who is there already.
    ringdesk(&phone, &["delete", "contact:1"]);
    ringdesk(&phone, &["contacts", "--add", "Bert"]);
    let bert = ["contacts", "set", "2", "--add-number", NATIONAL];
    ringdesk(&phone, &bert);
    assert!(shown(&phone).iter().all(|name| name == "Bert"));
    assert_eq!(draft(&phone)["contact_name"], "Bert");

    // The end begins the wrap-up, which saves all of it.
    phone.command("hangup");
    let states = phone.wait_for("the wrap-up", PATIENCE, |event| event["state"] == "wrap-up");
    assert_eq!(states["event"], "agent_state", "{states:#}");
    caller.passes();
    phone.send(&json!({
        "command": "wrap_up", "call_id": call, "text": "wants an offer", "call_type": "Sales",
    }));
    assert_eq!(phone.wait("wrapped_up")["call_id"], call);
    let row = &phone.calls()[0];
    assert_eq!(row["state"], "completed", "{row:#}");
    assert_eq!(row["notes"], "wants an offer", "{row:#}");
    assert_eq!(row["call_type_name"], "Sales", "{row:#}");
    assert_eq!(row["done"], true, "{row:#}");
    let recording = Path::new(row["recording"].as_str().unwrap());
    assert!(recordings.path().join(recording).is_file(), "{row:#}");
    assert_eq!(badge(&phone), 0, "somebody talked with the number");
    // Who calls again is known.
    let (_, incoming) = looked_up_in_time(&mut phone);
    assert_eq!(incoming["contact"]["name"], "Bert", "{incoming:#}");
    assert_eq!(incoming["no_match"], Value::Null, "{incoming:#}");
    assert_eq!(phone.stop().code, Some(0));
}

/// A copy of what a phone has on the disk, as it is while the phone stands still.
fn frozen(phone: &Phone) -> TempDir {
    let copy = TempDir::new().unwrap();
    place::signal("STOP", phone.id());
    for entry in std::fs::read_dir(phone.folder()).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
        }
    }
    place::signal("CONT", phone.id());
    copy
}

/// The INVITE of a call that this far end has not heard of yet; its Call-ID.
fn new_invite(far_end: &UdpSocket, known: &[String]) -> (String, String) {
    loop {
        let mut datagram = [0; 4096];
        let (length, _) = far_end.recv_from(&mut datagram).unwrap();
        let text = String::from_utf8_lossy(&datagram[..length]).into_owned();
        let id = text.lines().find_map(|line| line.strip_prefix("Call-ID: "));
        let id = id.unwrap().to_owned();
        if text.starts_with("INVITE ") && !known.contains(&id) {
            return (text, id);
        }
    }
}

/// What is not on the disk when the far end hears of the call was written too late, unless the phone says so
/// because the disk is slow: the far end stops the phone as the INVITE arrives, and looks.
#[test]
fn the_row_of_a_call_is_on_the_disk_before_the_far_end_hears_of_it() {
    let far_end = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    far_end.set_read_timeout(Some(PATIENCE)).unwrap();
    let port = far_end.local_addr().unwrap().port();
    let mut phone = german_phone(port, &["--max-calls", "100"]);
    let mut known = Vec::new();
    let mut in_time = 0;
    while in_time < 3 && known.len() < 50 {
        phone.send(&json!({"command": "call", "uri": "tel:+49-30-12345678"}));
        let (invite, id) = new_invite(&far_end, &known);
        known.push(id);
        let then = frozen(&phone);
        let line = format!("INVITE sip:{INTERNATIONAL}@lab.example");
        assert!(invite.starts_with(&line), "{invite}");
        let outgoing = phone.wait("outgoing");
        if outgoing["durable"] == true {
            in_time += 1;
            let rows = calls(then.path());
            assert_eq!(rows[0]["id"], outgoing["call_id"], "{rows:#?}");
            assert_eq!(rows[0]["direction"], "outbound", "{rows:#?}");
            assert_eq!(rows[0]["e164"], INTERNATIONAL, "{rows:#?}");
        }
    }
    assert!(in_time > 0, "the disk is never fast enough");
}

/// Dials a known number behind a link until who that is was looked up before, which a busy machine may be too
/// slow for; the phone, its far end, and the event.
fn dialled_in_time() -> (Phone, Sipp, Value) {
    for _ in 0..10 {
        let busy = Sipp::called("busy", &[]);
        let mut phone = german_phone(busy.port(), &["--wrap-up", "600"]);
        let anna = ["contacts", "--add", "Anna", "--number", "030 12345678"];
        ringdesk(&phone, &anna);
        // A question that nobody says yes to dials nothing, and leaves nothing.
        phone.send(&json!({"command": "call", "uri": "tel:+882991234567"}));
        let refused = phone.wait("error")["message"].as_str().unwrap().to_owned();
        assert!(refused.contains("nobody is there to be asked"), "{refused}");
        assert_eq!(phone.calls(), [] as [Value; 0]);

        phone.send(&json!({"command": "call", "uri": "tel:+49-30-12345678"}));
        let outgoing = phone.wait("outgoing");
        if !outgoing["contact"].is_null() {
            return (phone, busy, outgoing);
        }
    }
    panic!("nobody is ever looked up in time");
}

#[test]
fn a_call_to_a_number_behind_a_link_step_by_step() {
    // The exact URI, from this account.
    let (mut phone, busy, outgoing) = dialled_in_time();
    let uri = outgoing["uri"].as_str().unwrap().to_owned();
    assert!(
        uri.starts_with(&format!("sip:{INTERNATIONAL}@lab.example")),
        "{uri}"
    );
    assert_eq!(outgoing["contact"]["name"], "Anna", "{outgoing:#}");
    let ended = phone.wait("ended");
    assert_eq!(ended["status"], 486, "{ended:#}");
    assert!(busy.messages().contains(&format!("INVITE {uri} SIP/2.0")));
    busy.passes();
    let row = phone.only_call();
    assert_eq!(row["state"], "busy", "{row:#}");
    assert_eq!(row["contact_name"], "Anna", "{row:#}");
    assert_eq!(row["local"], ACCOUNT, "{row:#}");
    assert!(
        row["end_reason"]
            .as_str()
            .is_some_and(|why| !why.is_empty())
    );

    // Wrap-up, whatever came of it.
    let call = id_of(&row);
    phone.send(&json!({"command": "wrap_up", "call_id": call, "text": "was busy"}));
    assert_eq!(phone.wait("wrapped_up")["call_id"], call);
    assert_eq!(phone.only_call()["notes"], "was busy");
    assert_eq!(phone.stop().code, Some(0));
}

#[test]
fn a_missed_call_is_called_back_by_a_link_step_by_step() {
    let answering = Sipp::called("call-out", &[]);
    let mut phone = german_phone(answering.port(), &["--wrap-up", "600"]);
    // Neither who is blocked nor whom a colleague took is to be called back.
    ringdesk(&phone, &["blocked", "add", "030/1234567"]);
    let blocked = Sipp::to(phone.address(), "blocked-caller", &[]);
    assert_eq!(phone.wait("ended")["state"], "blocked");
    drop(blocked);
    Sipp::to(phone.address(), "answered-elsewhere", &["-s", "0307654321"]).passes();
    assert_eq!(phone.wait("ended")["state"], "answered-elsewhere");
    assert_eq!(badge(&phone), 0);

    for missed in 1..=2 {
        Sipp::to(phone.address(), "cancel-after-180", &["-s", NATIONAL]).passes();
        assert_eq!(phone.wait("missed")["popped_up"], true);
        phone.wait("ended");
        let rows = ringdesk(&phone, &["calls", "callbacks"]);
        assert_eq!((rows.len(), &rows[0]["missed"]), (1, &json!(missed)));
    }
    assert_eq!(badge(&phone), 1, "one entry for the number");
    let missed: Vec<String> = phone.calls()[..2].iter().rev().map(id_of).collect();

    phone.send(&json!({"command": "call", "uri": "tel:030-12345678;phone-context=+49"}));
    phone.wait("answered");
    let rows = ringdesk(&phone, &["calls", "callbacks"]);
    assert_eq!(rows[0]["attempts"], 1, "{rows:#?}");
    let back = id_of(&phone.calls()[0]);
    let row = &ringdesk(&phone, &["calls", "set", &back])[0];
    assert_eq!(row["answers"], json!(missed), "{row:#}");
    phone.command("hangup");
    let ended = phone.wait_for("the end", Duration::from_secs(20), |event| {
        event["event"] == "ended" && event["direction"] == "outbound"
    });
    assert_eq!(ended["state"], "completed", "{ended:#}");
    answering.passes();
    phone.send(&json!({"command": "wrap_up", "call_id": back, "text": "called back"}));
    phone.wait("wrapped_up");
    assert_eq!(badge(&phone), 0);
    assert!(ringdesk(&phone, &["tasks"]).is_empty(), "no reminder");
    assert!(phone.calls().iter().all(|row| row["done"] == true));
    assert_eq!(phone.stop().code, Some(0));
}
