//! Whose calls are refused by the block list, at whom the others pop up, and what the agent does.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::junit::scenario;
use crate::phone::{self, Phone};
use crate::place;
use crate::sipp::Sipp;

/// A command beside the running phone; its output.
fn ringdesk(phone: &Phone, arguments: &[&str]) -> String {
    let (code, output, errors) = try_ringdesk(phone.folder(), arguments);
    assert_eq!(code, Some(0), "{arguments:?}: {errors}");
    output
}

fn try_ringdesk(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut all: Vec<OsString> = arguments.iter().map(OsString::from).collect();
    all.push("--data-dir".into());
    all.push(folder.into());
    phone::run(&all)
}

fn rows(output: &str) -> Vec<Value> {
    let lines = output.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A phone that reads numbers as in Germany.
fn german_phone() -> Phone {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("config.toml"),
        "[settings]\nregion = \"DE\"\n",
    )
    .unwrap();
    let mut phone = Phone::spawn(folder, &["--no-register"]);
    phone.wait("started");
    phone
}

/// SIPp calls and gives up; what was decided about the pop-up.
fn popup(phone: &mut Phone) -> Value {
    Sipp::to(phone.address(), "cancel-after-180", &[]).passes();
    let popup = phone.wait("popup");
    let missed = phone.wait("missed");
    assert_eq!(missed["popped_up"], popup["shown"], "{missed:#}");
    phone.wait("ended");
    popup
}

fn silent_because(phone: &mut Phone, why: &str) {
    let popup = popup(phone);
    assert_eq!(popup["shown"], false, "{popup:#}");
    assert!(
        popup["reasons"].to_string().contains(why),
        "{why}: {popup:#}"
    );
}

#[test]
fn a_blocked_caller() {
    scenario("blocked-caller", || {
        let mut phone = german_phone();
        ringdesk(
            &phone,
            &["blocked", "add", "030/1234567", "--note", "sells windows"],
        );
        Sipp::to(phone.address(), "blocked-caller", &[]).passes();
        let ended = phone.wait("ended");
        assert_eq!(ended["state"], "blocked", "{ended:#}");
        let row = phone.only_call();
        assert_eq!(row["state"], "blocked", "{row:#}");
        assert_eq!(row["sip_status"], 603, "{row:#}");
        assert_eq!(row["done"], true, "{row:#}");
        let words = "refused by the block list (030/1234567): sells windows";
        assert_eq!(row["end_reason"], words, "{row:#}");
        let id = row["id"].as_str().unwrap();
        let why = ringdesk(&phone, &["calls", "popup", id]);
        assert!(why.contains(words), "{why}");
        let to_call_back = ["calls", "--filter", "to-call-back", "--json"];
        assert_eq!(ringdesk(&phone, &to_call_back), "");
        let list = rows(&ringdesk(&phone, &["blocked", "--json"]));
        assert_eq!(list[0]["hits"], 1, "{list:#?}");
        assert!(list[0]["last_hit"].is_string(), "{list:#?}");
        // Nobody else is kept out, and neither is the caller once the entry is gone.
        Sipp::to(phone.address(), "cancel-after-180", &[]).passes();
        ringdesk(&phone, &["blocked", "remove", "030/1234567"]);
        let ended = phone.stop();
        assert_eq!(ended.code, Some(0));
        let seen = ended.events.iter().filter(|it| it["event"] == "ringing");
        assert_eq!(seen.count(), 1, "of the other call");
    });
}

#[test]
fn a_caller_of_the_block_list_can_be_told_busy() {
    let mut phone = german_phone();
    ringdesk(&phone, &["blocked", "add", "+4930*", "--busy"]);
    let sipp = Sipp::to(phone.address(), "blocked-caller", &[]);
    let ended = phone.wait("ended");
    assert_eq!(
        (&ended["state"], &ended["status"]),
        (&json!("blocked"), &json!(486))
    );
    drop(sipp);
    let (code, _, errors) = try_ringdesk(phone.folder(), &["blocked", "add", "+4*"]);
    assert_eq!(code, Some(1));
    assert!(errors.contains("would block too many"), "{errors}");
    assert_eq!(phone.stop().code, Some(0));
}

#[test]
fn a_call_pops_up_by_queue_schedule_number_and_switches() {
    let mut phone = Phone::start(&["--no-register"]);
    // Nothing is set up: nothing is to be told, and it pops up.
    Sipp::to(phone.address(), "cancel-after-180", &[]).passes();
    assert_eq!(phone.wait("missed")["popped_up"], true);
    let row = phone.only_call();
    let why = ringdesk(&phone, &["calls", "popup", row["id"].as_str().unwrap()]);
    assert!(why.contains("always pop up"), "{why}");

    let slot = "daily 00:00-24:00 Day";
    let sales = ["queues", "add", "Sales", "--number", "sip:phone@127.0.0.1"];
    ringdesk(
        &phone,
        &[&sales[..], &["--slot", slot, "--zone", "Europe/Berlin"]].concat(),
    );
    silent_because(&mut phone, "the group Day of");
    ringdesk(&phone, &["agents", "add", "Bob", "--group", "Day"]);
    silent_because(&mut phone, "nobody here is scheduled");
    let anna = ["agents", "add", "Anna", "--number", "sip:phone@127.0.0.1"];
    ringdesk(&phone, &anna);
    silent_because(&mut phone, "is not scheduled now");
    ringdesk(&phone, &["agents", "set", "Anna", "--group", "Day"]);
    let shown = popup(&mut phone);
    assert_eq!(shown["shown"], true, "{shown:#}");
    assert_eq!(shown["queue"], "Sales", "{shown:#}");
    assert_eq!(shown["scheduled"], json!(["Anna", "Bob"]), "{shown:#}");
    assert_eq!(shown["matching"], json!(["Anna"]), "{shown:#}");
    assert_eq!(shown["to"], json!(["Anna"]), "{shown:#}");
    ringdesk(&phone, &["agents", "set", "Anna", "--panel", "off"]);
    silent_because(
        &mut phone,
        "an administrator switched the phone panel of Anna off",
    );
    ringdesk(&phone, &["agents", "set", "Anna", "--panel", "on"]);
    phone.send(&json!({"command": "popups", "on": false}));
    assert_eq!(phone.wait("agent_state")["popups"], false);
    silent_because(&mut phone, "you switched pop-ups off");
    phone.send(&json!({"command": "popups", "on": true}));
    phone.send(&json!({"command": "agent", "state": "break", "text": "lunch"}));
    silent_because(&mut phone, "you are on a break (lunch)");
    phone.send(&json!({"command": "agent", "state": "available"}));
    ringdesk(&phone, &["queues", "set", "Sales", "--no-slots"]);
    assert_eq!(popup(&mut phone)["shown"], true);

    let overlap = [
        "--slot",
        "mon 08:00-12:00 Day",
        "--slot",
        "mon 11:00-13:00 Late",
    ];
    let (code, _, errors) = try_ringdesk(
        phone.folder(),
        &[&["queues", "set", "Sales"], &overlap[..]].concat(),
    );
    assert_eq!(code, Some(1));
    assert!(errors.contains("overlap"), "{errors}");
    assert_eq!(phone.stop().code, Some(0));
}

#[test]
fn do_not_disturb_is_a_state_of_the_agent_and_told_with_the_call() {
    let mut phone = Phone::start(&["--no-register"]);
    let state = |phone: &mut Phone, expected: &str| {
        let told = phone.wait("agent_state");
        assert_eq!(told["state"], expected, "{told:#}");
    };
    phone.send(&json!({"command": "dnd", "on": true}));
    state(&mut phone, "do-not-disturb");
    Sipp::to(phone.address(), "do-not-disturb", &[]).passes();
    let popup = phone.wait("popup");
    assert_eq!(popup["shown"], false, "{popup:#}");
    assert_eq!(popup["reasons"], json!(["rejected by do not disturb"]));
    phone.send(&json!({"command": "agent", "state": "break", "text": "lunch"}));
    state(&mut phone, "break");
    let rules = phone.wait("rules");
    assert_eq!(
        rules["do_not_disturb"], false,
        "the switch follows: {rules:#}"
    );
    phone.send(&json!({"command": "agent", "state": "do-not-disturb"}));
    state(&mut phone, "do-not-disturb");
    assert_eq!(phone.wait("rules")["do_not_disturb"], true);
    phone.send(&json!({"command": "dnd", "on": false}));
    state(&mut phone, "available");
    let totals = rows(&ringdesk(&phone, &["agents", "time", "--json"]));
    let states: Vec<&str> = totals
        .iter()
        .filter_map(|it| it["state"].as_str())
        .collect();
    assert_eq!(
        states,
        ["available", "break", "do-not-disturb"],
        "{totals:#?}"
    );
    assert_eq!(totals[2]["times"], 2, "{totals:#?}");
    assert_eq!(phone.stop().code, Some(0));
}

/// The calls that a queue loses were in no list of the queue: no rule said of which queue they were.
#[test]
fn a_call_that_a_rule_ends_is_its_queues_and_its_agents_all_the_same() {
    let mut phone = Phone::start(&["--no-register"]);
    let line = ["--number", "sip:phone@127.0.0.1"];
    ringdesk(&phone, &[&["agents", "add", "Anna"], &line[..]].concat());
    ringdesk(&phone, &[&["queues", "add", "Sales"], &line[..]].concat());
    phone.send(&json!({"command": "dnd", "on": true}));
    phone.wait("agent_state");
    Sipp::to(phone.address(), "do-not-disturb", &[]).passes();
    let popup = phone.wait("popup");
    assert_eq!(popup["queue"], "Sales", "{popup:#}");
    phone.wait("ended");
    for criterion in [["--queue", "Sales"], ["--agent", "Anna"]] {
        let of = [&["calls", "--json"], &criterion[..]].concat();
        let found = rows(&ringdesk(&phone, &of));
        assert_eq!(found.len(), 1, "{criterion:?}: {found:#?}");
        assert_eq!(found[0]["state"], "rejected", "{found:#?}");
    }
    let figures = rows(&ringdesk(&phone, &["calls", "figures", "--json"]));
    assert_eq!(figures[0]["queue"], "Sales", "{figures:#?}");
    assert_eq!(figures[0]["missed"], 1, "{figures:#?}");
    assert_eq!(phone.stop().code, Some(0));
}

#[test]
fn each_call_is_the_agents_whom_the_settings_name() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("config.toml"),
        "[settings]\nagent = \"Alice\"\n",
    )
    .unwrap();
    let mut phone = Phone::spawn(folder, &["--no-register"]);
    phone.wait("started");
    let busy = Sipp::called("busy", &[]);
    phone.send(&json!({"command": "call", "uri": busy.uri()}));
    phone.wait("ended");
    busy.passes();
    Sipp::to(phone.address(), "cancel-after-180", &[]).passes();
    phone.wait("ended");
    let hers = rows(&ringdesk(&phone, &["calls", "--agent", "Alice", "--json"]));
    let directions: Vec<_> = hers.iter().map(|row| &row["direction"]).collect();
    assert_eq!(directions, ["inbound", "outbound"], "{hers:#?}");
    assert_eq!(phone.stop().code, Some(0));
}

#[test]
fn a_talk_is_followed_by_a_wrap_up_that_ends_by_itself() {
    let options = [
        "--no-register",
        "--auto-answer=100",
        "--hangup-after",
        "1",
        "--wrap-up",
        "1",
    ];
    let mut phone = Phone::start(&options);
    Sipp::to(phone.address(), "bye-from-phone", &[]).passes();
    let begun = phone.wait("agent_state");
    assert_eq!(begun["state"], "wrap-up", "{begun:#}");
    assert!(begun["until"].is_string(), "{begun:#}");
    let over = phone.wait("agent_state");
    assert_eq!(over["state"], "available", "{over:#}");
    let moment =
        |event: &Value| -> jiff::Timestamp { event["since"].as_str().unwrap().parse().unwrap() };
    let lasted = moment(&over).duration_since(moment(&begun));
    assert!(lasted >= jiff::SignedDuration::from_millis(990), "{lasted}");
    assert_eq!(phone.stop().code, Some(0));
}

#[test]
fn what_is_said_of_a_call_ends_the_wrap_up() {
    let mut options = vec!["--no-register", "--auto-answer=100", "--hangup-after", "1"];
    options.extend(["--wrap-up", "600"]);
    let mut phone = Phone::start(&options);
    Sipp::to(phone.address(), "bye-from-phone", &[]).passes();
    assert_eq!(phone.wait("agent_state")["state"], "wrap-up");
    let call = phone.wait("ended")["call_id"].clone();
    phone.send(&json!({"command": "wrap_up", "call_id": call, "text": "wants a quote"}));
    assert_eq!(phone.wait("agent_state")["state"], "available");
    assert_eq!(phone.stop().code, Some(0));
}

#[test]
fn a_break_dials_the_codes_of_its_queues() {
    let mut phone = Phone::start(&["--no-register"]);
    let port = place::ports(1);
    let code = |user: &str| format!("sip:{user}@127.0.0.1:{port}");
    let (pause, unpause) = (code("45"), code("46"));
    let add = [
        "queues",
        "add",
        "Sales",
        "--pause-code",
        &pause,
        "--unpause-code",
        &unpause,
    ];
    ringdesk(&phone, &add);
    for (state, uri) in [("break", &pause), ("available", &unpause)] {
        phone.send(&json!({"command": "agent", "state": state}));
        let outgoing = phone.wait("outgoing");
        assert_eq!(outgoing["uri"], **uri, "{outgoing:#}");
        // Nobody listens there; the next code waits until this call is over.
        phone.wait_for("ended", Duration::from_secs(40), |it| {
            it["event"] == "ended"
        });
    }
    assert_eq!(phone.stop().code, Some(0));
}
