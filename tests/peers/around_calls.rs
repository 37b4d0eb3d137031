//! What an agent sees and says around a call, by commands alone.

use serde_json::{Value, json};

use crate::phone::{Phone, ringdesk};
use crate::sipp::Sipp;

#[test]
fn an_unknown_caller_is_drafted_created_wrapped_up_and_known_next_time() {
    let mut phone = Phone::start(&["--no-register"]);
    ringdesk(&phone, &["call-types", "--add", "Sales"]);
    let caller = Sipp::to(phone.address(), "call-in", &[]);
    phone.wait("incoming");
    phone.command("answer");
    let opens = phone.wait("opens");
    assert_eq!(opens["open"], "draft", "{opens:#}");
    assert_eq!(opens["subject"], Value::Null, "{opens:#}");
    caller.passes();
    phone.wait("ended");
    let row = phone.only_call();
    let (id, remote) = (row["id"].as_str().unwrap(), row["remote"].as_str().unwrap());

    // Somebody new: the draft and the call go to them.
    let created = ringdesk(&phone, &["contacts", "--add", "Anna", "--number", remote]);
    assert_eq!(created[0]["linked_calls"], 1, "{created:#?}");
    let drafts = ringdesk(&phone, &["tickets", "--filter", "drafts"]);
    assert_eq!(drafts[0]["contact_name"], "Anna", "{drafts:#?}");

    phone.send(&json!({
        "command": "wrap_up", "call_id": id, "text": "wants an offer", "call_type": "sales",
        "follow_up": "Send the offer",
    }));
    let wrapped = phone.wait("wrapped_up");
    assert_eq!(wrapped["call_id"], id, "{wrapped:#}");
    let row = phone.only_call();
    assert_eq!(row["notes"], "wants an offer", "{row:#}");
    assert_eq!(row["call_type_name"], "Sales", "{row:#}");
    assert!(row["wrap_up_millis"].as_i64().unwrap() >= 0, "{row:#}");
    let number = drafts[0]["id"].to_string();
    let ticket = &ringdesk(&phone, &["tickets", "show", &number])[0];
    assert_eq!(ticket["state"], "new", "{ticket:#}");
    assert_eq!(ticket["articles"][0]["body"], "wants an offer");
    assert_eq!(ticket["articles"][0]["call"], id);
    let tasks = ringdesk(&phone, &["tasks"]);
    assert_eq!(tasks[0]["title"], "Send the offer", "{tasks:#?}");
    let found = &ringdesk(&phone, &["search", "offer"])[0];
    for kind in ["tickets", "calls"] {
        assert_eq!(found[kind].as_array().unwrap().len(), 1, "{found:#}");
    }

    // What is learned in the call is added to the person, and nothing else is touched.
    let id = created[0]["id"].to_string();
    let changed = [
        "contacts",
        "set",
        &id,
        "--add-number",
        "+49 30 1234567",
        "--label",
        "Work",
        "--stage",
        "qualified",
        "--organization",
        "Example AG",
        "--join",
        "Choir=Alto",
        "--notes",
        "likes tea",
    ];
    assert_eq!(ringdesk(&phone, &changed)[0]["id"], created[0]["id"]);
    let lead = &ringdesk(&phone, &["leads"])[0];
    assert_eq!(lead["name"], "Anna", "{lead:#}");
    assert_eq!(lead["stage"], "qualified", "{lead:#}");
    assert_eq!(lead["numbers"].as_array().unwrap().len(), 2, "{lead:#}");
    assert_eq!(lead["memberships"][0]["organization_name"], "Choir");
    ringdesk(&phone, &["leads", "set", &id, "--stage", "none"]);
    assert!(ringdesk(&phone, &["leads"]).is_empty());
    let organization = ["organizations", "set", "1", "--add-number", "030 7654321"];
    ringdesk(&phone, &organization);
    let found = &ringdesk(&phone, &["search", "7654321"])[0]["organizations"];
    assert_eq!(found[0]["name"], "Example AG", "{found:#}");
    let subject = format!("contact:{id}");
    let note = &ringdesk(&phone, &["note", &subject, "wants tea"])[0]["id"].to_string();
    ringdesk(&phone, &["notes", "set", note, "wants coffee"]);
    let found = &ringdesk(&phone, &["search", "coffee"])[0]["notes"];
    assert_eq!(found[0]["text"], "wants coffee", "{found:#}");
    ringdesk(&phone, &["notes", "delete", note]);
    let found = &ringdesk(&phone, &["search", "coffee"])[0]["notes"];
    assert_eq!(found, &json!([]));

    // The next call opens the profile, for the ticket was changed lately.
    let caller = Sipp::to(phone.address(), "call-in", &[]);
    phone.wait("incoming");
    phone.command("answer");
    let opens = phone.wait("opens");
    assert_eq!(opens["open"], "profile", "{opens:#}");
    assert_eq!(opens["ticket"]["id"], drafts[0]["id"], "{opens:#}");
    caller.passes();
    phone.wait("ended");
    let subject = format!("contact:{}", created[0]["id"]);
    let shown = &ringdesk(&phone, &["show", &subject])[0];
    assert_eq!(shown["record"]["name"], "Anna", "{shown:#}");
    let timeline = shown["timeline"].as_array().unwrap();
    let entries: Vec<_> = timeline.iter().map(|entry| &entry["entry"]).collect();
    assert_eq!(entries.iter().filter(|entry| **entry == "call").count(), 2);
    assert_eq!(
        entries.iter().filter(|entry| **entry == "ticket").count(),
        1
    );
    assert_eq!(entries.iter().filter(|entry| **entry == "task").count(), 1);
    assert_eq!(phone.stop().code, Some(0));
}

#[test]
fn a_number_of_two_people_is_one_call_and_a_question_each_time() {
    let mut phone = Phone::start(&["--no-register"]);
    let answered = |phone: &mut Phone| {
        let caller = Sipp::to(phone.address(), "call-in", &[]);
        phone.wait("incoming");
        phone.command("answer");
        let opens = phone.wait("opens");
        caller.passes();
        phone.wait("ended");
        opens
    };
    let remote = answered(&mut phone)["from"].as_str().unwrap().to_owned();
    for name in ["Anna", "Bert"] {
        ringdesk(&phone, &["contacts", "--add", name, "--number", &remote]);
    }
    let opens = answered(&mut phone);
    assert_eq!(opens["open"], "choose", "{opens:#}");
    assert_eq!(opens["contact"], Value::Null, "{opens:#}");
    assert_eq!(opens["candidates"].as_array().unwrap().len(), 2);
    let rows = phone.calls();
    assert_eq!(rows.len(), 2, "one record for each call");
    let newest = rows[0]["id"].as_str().unwrap();
    ringdesk(&phone, &["calls", "set", newest, "--caller", "contact:2"]);
    // Next time the choice ranks first, and it is still a question.
    let opens = answered(&mut phone);
    assert_eq!(opens["open"], "choose", "{opens:#}");
    assert_eq!(opens["candidates"][0]["name"], "Bert", "{opens:#}");
    assert_eq!(opens["candidates"][0]["level"], "manual", "{opens:#}");
    // Who does not choose leaves it open, which is no choice; somebody else is one.
    let unresolved = &phone.calls()[0];
    assert_eq!(unresolved["contact"], Value::Null, "{unresolved:#}");
    assert_eq!(unresolved["level"], Value::Null, "{unresolved:#}");
    let newest = unresolved["id"].as_str().unwrap();
    phone.send(&json!({"command": "wrap_up", "call_id": newest, "text": "who was it?"}));
    phone.wait("wrapped_up");
    let unresolved = &phone.calls()[0];
    assert_eq!(unresolved["notes"], "who was it?", "{unresolved:#}");
    assert_eq!(
        unresolved["level"],
        Value::Null,
        "saved, and still open: {unresolved:#}"
    );
    let changed = &ringdesk(&phone, &["calls", "set", newest, "--caller", "none"])[0];
    assert_eq!(changed["contact"], Value::Null, "{changed:#}");
    assert_eq!(changed["level"], "manual", "{changed:#}");
    let opens = answered(&mut phone);
    assert_eq!(opens["open"], "choose", "{opens:#}");
    assert_eq!(phone.stop().code, Some(0));
}

/// Nothing opened once the question was answered.
#[test]
fn a_choice_during_the_call_opens_what_belongs_to_whom_was_chosen() {
    let mut phone = Phone::start(&["--no-register", "--auto-answer=100"]);
    let caller = Sipp::to(phone.address(), "call-in", &[]);
    let first = phone.wait("opens");
    let remote = first["from"].as_str().unwrap().to_owned();
    caller.passes();
    phone.wait("ended");
    for name in ["Anna", "Bert"] {
        ringdesk(&phone, &["contacts", "--add", name, "--number", &remote]);
    }
    ringdesk(&phone, &["tickets", "add", "Printer", "--contact", "2"]);
    let caller = Sipp::to(phone.address(), "bye-from-phone", &[]);
    // The call before is on the screen still, and is told again as soon as its caller has a name.
    let mut opens = phone.wait("opens");
    while opens["call_id"] == first["call_id"] {
        opens = phone.wait("opens");
    }
    assert_eq!(opens["open"], "choose", "{opens:#}");
    for (caller, open, contact) in [
        ("contact:1", "draft", json!("Anna")),
        ("contact:2", "profile", json!("Bert")),
    ] {
        phone.send(&json!({"command": "choose", "caller": caller}));
        let opens = phone.wait("opens");
        assert_eq!(opens["open"], open, "{caller}: {opens:#}");
        assert_eq!(opens["subject"], caller_of(caller), "{opens:#}");
        assert_eq!(opens["contact"]["name"], contact, "{opens:#}");
        assert_eq!(phone.calls()[0]["contact_name"], contact);
    }
    let drafts = ringdesk(&phone, &["tickets", "--filter", "drafts"]);
    assert_eq!(drafts.len(), 2, "one for each call: {drafts:#?}");
    assert_eq!(drafts[0]["contact_name"], "Bert", "it follows: {drafts:#?}");
    phone.send(&json!({"command": "choose", "caller": "none"}));
    let opens = phone.wait("opens");
    assert_eq!(opens["open"], "draft", "{opens:#}");
    assert_eq!(opens["subject"], Value::Null, "{opens:#}");
    assert_eq!(opens["contact"], Value::Null, "{opens:#}");
    // Somebody who calls from there and has another number.
    ringdesk(
        &phone,
        &["contacts", "--add", "Carla", "--number", "030 999"],
    );
    phone.send(&json!({"command": "choose", "caller": "contact:3"}));
    let opens = phone.wait("opens");
    assert_eq!(opens["subject"], caller_of("contact:3"), "{opens:#}");
    assert_eq!(opens["contact"]["name"], "Carla", "{opens:#}");
    assert_eq!(phone.calls()[0]["contact_name"], "Carla");
    phone.command("hangup");
    phone.wait("ended");
    caller.passes();
    assert_eq!(phone.stop().code, Some(0));
}

/// Nothing opened when the choice came from another program.
#[test]
fn a_choice_that_another_process_makes_during_the_call_opens_as_well() {
    let mut phone = Phone::start(&["--no-register", "--auto-answer=100"]);
    let caller = Sipp::to(phone.address(), "call-in", &[]);
    let first = phone.wait("opens");
    let remote = first["from"].as_str().unwrap().to_owned();
    caller.passes();
    phone.wait("ended");
    for name in ["Anna", "Bert"] {
        ringdesk(&phone, &["contacts", "--add", name, "--number", &remote]);
    }
    ringdesk(&phone, &["tickets", "add", "Printer", "--contact", "2"]);
    let caller = Sipp::to(phone.address(), "bye-from-phone", &[]);
    // The call before is on the screen still, and is told again as soon as its caller has a name.
    let mut opens = phone.wait("opens");
    while opens["call_id"] == first["call_id"] {
        opens = phone.wait("opens");
    }
    assert_eq!(opens["open"], "choose", "{opens:#}");
    let call = opens["call_id"].as_str().unwrap();
    for (caller, open, contact) in [
        ("contact:1", "draft", json!("Anna")),
        ("contact:2", "profile", json!("Bert")),
    ] {
        let set = &ringdesk(&phone, &["calls", "set", call, "--caller", caller])[0];
        assert_eq!(set["contact_name"], contact, "{set:#}");
        let opens = phone.wait("opens");
        assert_eq!(opens["open"], open, "{caller}: {opens:#}");
        assert_eq!(opens["call_id"], call, "{opens:#}");
        assert_eq!(opens["subject"], caller_of(caller), "{opens:#}");
        assert_eq!(opens["contact"]["name"], contact, "{opens:#}");
    }
    // Other changes open nothing.
    ringdesk(
        &phone,
        &["calls", "set", call, "--notes", "wants a printer"],
    );
    ringdesk(&phone, &["calls", "set", call, "--caller", "none"]);
    let opens = phone.wait("opens");
    assert_eq!(opens["call_id"], call, "{opens:#}");
    assert_eq!(opens["open"], "draft", "{opens:#}");
    assert_eq!(opens["subject"], Value::Null, "{opens:#}");
    phone.command("hangup");
    phone.wait("ended");
    caller.passes();
    let ended = phone.stop();
    let of_this = |it: &&Value| it["event"] == "opens" && it["call_id"] == call;
    assert_eq!(ended.events.iter().filter(of_this).count(), 4);
    assert_eq!(ended.code, Some(0));
}

/// A record as events name it.
fn caller_of(text: &str) -> Value {
    let (kind, id) = text.split_once(':').unwrap();
    json!({"kind": kind, "id": id.parse::<i64>().unwrap()})
}

/// The words were lost, and with them the wrap-up.
#[test]
fn a_mistyped_call_type_loses_no_words_and_ends_no_wrap_up() {
    let mut options = vec!["--no-register", "--auto-answer=100", "--hangup-after", "1"];
    options.extend(["--wrap-up", "600"]);
    let mut phone = Phone::start(&options);
    ringdesk(&phone, &["call-types", "--add", "Sales"]);
    Sipp::to(phone.address(), "bye-from-phone", &[]).passes();
    assert_eq!(phone.wait("agent_state")["state"], "wrap-up");
    let call = phone.wait("ended")["call_id"].clone();
    let say = |phone: &mut Phone, call_type: &str| {
        phone.send(&json!({
            "command": "wrap_up", "call_id": call, "text": "wants a quote",
            "call_type": call_type, "follow_up": "Send the quote",
        }));
    };
    say(&mut phone, "salse");
    let error = phone.wait("error")["message"].as_str().unwrap().to_owned();
    assert!(error.contains("no call type “salse”"), "{error}");
    assert_eq!(phone.only_call()["notes"], "wants a quote");
    say(&mut phone, "sales");
    assert_eq!(phone.wait("wrapped_up")["call_id"], call);
    assert_eq!(phone.wait("agent_state")["state"], "available");
    assert_eq!(phone.only_call()["call_type_name"], "Sales");
    assert_eq!(ringdesk(&phone, &["tasks"]).len(), 1, "said twice");
    let ended = phone.stop();
    assert_eq!(ended.code, Some(0));
    let states = ended
        .events
        .iter()
        .filter(|it| it["event"] == "agent_state");
    let wrapped_up = ended.events.iter().filter(|it| it["event"] == "wrapped_up");
    assert_eq!((states.count(), wrapped_up.count()), (2, 1));
}

#[test]
fn a_wrap_up_without_a_call_type_is_refused_where_one_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("config.toml"),
        "[settings]\ncall_type_required = true\n",
    )
    .unwrap();
    let options = ["--no-register", "--auto-answer=100", "--hangup-after", "1"];
    let mut phone = Phone::spawn(folder, &options);
    phone.wait("started");
    ringdesk(&phone, &["call-types", "--add", "Sales"]);
    Sipp::to(phone.address(), "bye-from-phone", &[]).passes();
    let call = phone.wait("ended")["call_id"].clone();
    for call_type in [Value::Null, json!(" ")] {
        phone.send(&json!({
            "command": "wrap_up", "call_id": call, "text": "wants a quote", "call_type": call_type,
        }));
        let error = phone.wait("error")["message"].as_str().unwrap().to_owned();
        assert!(error.contains("call_type_required"), "{error}");
    }
    phone.send(&json!({"command": "wrap_up", "call_id": call, "call_type": "Sales"}));
    phone.wait("wrapped_up");
    let row = phone.only_call();
    assert_eq!(row["notes"], "wants a quote", "kept meanwhile: {row:#}");
    assert_eq!(row["call_type_name"], "Sales", "{row:#}");
    assert_eq!(phone.stop().code, Some(0));
}

/// The words of an older call ended the wrap-up of the present one.
#[test]
fn a_wrap_up_ends_with_the_words_of_its_own_call() {
    let mut options = vec!["--no-register", "--auto-answer=100", "--hangup-after", "1"];
    options.extend(["--wrap-up", "600"]);
    let mut phone = Phone::start(&options);
    let talk = |phone: &mut Phone| {
        Sipp::to(phone.address(), "bye-from-phone", &[]).passes();
        assert_eq!(phone.wait("agent_state")["state"], "wrap-up");
        phone.wait("ended")["call_id"].clone()
    };
    let first = talk(&mut phone);
    let say = |phone: &mut Phone, call: &Value, text: &str| {
        phone.send(&json!({"command": "wrap_up", "call_id": call, "text": text}));
    };
    // The next call ends that wrap-up, and begins its own.
    Sipp::to(phone.address(), "bye-from-phone", &[]).passes();
    assert_eq!(phone.wait("agent_state")["state"], "available");
    assert_eq!(phone.wait("agent_state")["state"], "wrap-up");
    let second = phone.wait("ended")["call_id"].clone();
    say(&mut phone, &first, "said late");
    assert_eq!(phone.wait("wrapped_up")["call_id"], first);
    assert_eq!(
        ringdesk(&phone, &["tickets"]).len(),
        2,
        "a ticket and a draft"
    );
    phone.send(&json!({
        "command": "wrap_up", "call_id": second, "text": "said at once", "keep_ticket": false,
        "follow_up": "Send paper", "due": "2030-12-24T18:00:00Z",
    }));
    assert_eq!(phone.wait("wrapped_up")["call_id"], second);
    assert_eq!(ringdesk(&phone, &["tickets"]).len(), 1, "no draft is left");
    let tasks = ringdesk(&phone, &["tasks"]);
    assert_eq!(tasks[0]["due_at"], "2030-12-24T18:00:00Z", "{tasks:#?}");
    let told = phone.wait("agent_state");
    assert_eq!(told["state"], "available", "{told:#}");
    assert_eq!(told["durable"], true, "{told:#}");
    let ended = phone.stop();
    let states = ended
        .events
        .iter()
        .filter(|it| it["event"] == "agent_state");
    assert_eq!(states.count(), 4, "none in between");
    assert_eq!(ended.code, Some(0));
}

#[test]
fn a_missed_call_is_called_back_until_somebody_talked() {
    let mut phone = Phone::start(&["--no-register"]);
    for _ in 0..2 {
        Sipp::to(phone.address(), "cancel-after-180", &["-s", "sipp"]).passes();
        phone.wait("ended");
    }
    let waiting = |phone: &Phone| ringdesk(phone, &["calls", "callbacks"]);
    let rows = waiting(&phone);
    assert_eq!(
        (rows.len(), &rows[0]["missed"]),
        (1, &json!(2)),
        "{rows:#?}"
    );
    assert_eq!(rows[0]["attempts"], 0);
    let badge = |phone: &Phone| ringdesk(phone, &["calls", "--filter", "to-call-back"]).len();
    assert_eq!(badge(&phone), 1, "one number waits");
    let remote = rows[0]["call"]["remote"].as_str().unwrap();
    let user = remote.split(['@', ':']).nth(1).unwrap();
    let call_back = |phone: &mut Phone, scenario: &str| {
        let peer = Sipp::called(scenario, &[]);
        let address = peer.uri().split_once('@').unwrap().1.to_owned();
        phone.send(&json!({"command": "call", "uri": format!("sip:{user}@{address}")}));
        phone.wait_for(
            "the call back",
            std::time::Duration::from_secs(20),
            |event| event["event"] == "answered" || event["event"] == "ended",
        );
        peer
    };
    call_back(&mut phone, "busy").passes();
    let rows = waiting(&phone);
    assert_eq!(rows[0]["attempts"], 1, "{rows:#?}");
    assert!(rows[0]["last_attempt"].is_string());
    let reminder = ringdesk(&phone, &["tasks"]);
    assert_eq!(reminder.len(), 1, "{reminder:#?}");
    assert_eq!(reminder[0]["kind"], "callback", "{reminder:#?}");
    assert_eq!(reminder[0]["call"], rows[0]["call"]["id"], "{reminder:#?}");
    assert!(reminder[0]["due_at"].is_string(), "{reminder:#?}");
    let peer = call_back(&mut phone, "call-out");
    phone.command("hangup");
    phone.wait_for("the end", std::time::Duration::from_secs(20), |event| {
        event["event"] == "ended" && event["direction"] == "outbound" && event["status"] == 200
    });
    peer.passes();
    assert!(waiting(&phone).is_empty());
    assert!(ringdesk(&phone, &["tasks"]).is_empty(), "nobody waits");
    assert_eq!(badge(&phone), 0);
    assert_eq!(phone.stop().code, Some(0));
}

#[test]
fn what_linked_by_mistake_is_undone_and_a_call_made_elsewhere_is_entered() {
    let mut phone = Phone::start(&["--no-register"]);
    let entered = ringdesk(
        &phone,
        &["calls", "enter", "030 1234567", "--inbound", "--missed"],
    );
    let call = entered[0]["call_id"].as_str().unwrap().to_owned();
    assert_eq!(
        ringdesk(&phone, &["calls", "--filter", "to-call-back"]).len(),
        1
    );
    ringdesk(
        &phone,
        &[
            "organizations",
            "--add",
            "Example AG",
            "--number",
            "+49 30 1234567",
        ],
    );
    let shown = |phone: &Phone| phone.only_call()["contact_name"].clone();
    assert_eq!(shown(&phone), "Example AG");
    let steps = ringdesk(&phone, &["undo"]);
    assert_eq!(steps[0]["label"], "earlier calls of Example AG");
    let undone = ringdesk(&phone, &["undo", &steps[0]["id"].to_string()]);
    assert_eq!(undone[0]["left"], 0, "{undone:#?}");
    assert_eq!(shown(&phone), Value::Null);
    let changed = ringdesk(
        &phone,
        &[
            "calls",
            "set",
            &call,
            "--caller",
            "organization:1",
            "--notes",
            "called us",
        ],
    );
    assert_eq!(changed[0]["level"], "manual", "{changed:#?}");
    assert_eq!(changed[0]["notes"], "called us");
    ringdesk(&phone, &["calls", "done"]);
    assert!(ringdesk(&phone, &["calls", "--filter", "to-call-back"]).is_empty());
    let done = ["calls", "--done", "true", "--state", "no-answer"];
    assert_eq!(ringdesk(&phone, &done).len(), 1);
    assert!(ringdesk(&phone, &["calls", "--queue", "sales"]).is_empty());
    let figures = ringdesk(&phone, &["calls", "figures"]);
    assert_eq!(figures[0]["missed"], 1, "{figures:#?}");
    let trail = ringdesk(&phone, &["audit"]);
    let words: Vec<_> = trail
        .iter()
        .map(|row| row["what"].as_str().unwrap())
        .collect();
    assert_eq!(
        words,
        [
            "all calls done",
            "change notes",
            "choose caller",
            "undo",
            "save organization",
            "enter call"
        ]
    );
    phone.command("quit");
    assert_eq!(phone.ended().code, Some(0));
}

/// What opens pages here: it writes down which.
fn browser(folder: &std::path::Path) -> std::path::PathBuf {
    let opened = folder.join("opened");
    let opener = folder.join("xdg-open");
    let script = format!("#!/bin/sh\nprintf %s \"$1\" > {}\n", opened.display());
    std::fs::write(&opener, script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&opener, mode).unwrap();
    opened
}

#[test]
fn a_queue_says_what_is_said_and_which_page_belongs_to_its_calls() {
    let programs = tempfile::tempdir().unwrap();
    let opened = browser(programs.path());
    let path = format!("PATH={}:/usr/bin:/bin", programs.path().display());
    let data = tempfile::tempdir().unwrap();
    let prefix = ["env", &path].map(std::ffi::OsString::from);
    let mut phone = Phone::start_behind(&prefix, data.path(), &["--no-register"]);
    let ringdesk = |words: &[&str]| {
        let mut all: Vec<std::ffi::OsString> = words.iter().map(Into::into).collect();
        all.extend(["--data-dir".into(), data.path().into()]);
        crate::phone::run(&all)
    };
    let page = "https://crm.example/{queue}?who={name}&n={contact}&call={call_id}#{number}";
    let queue = ["queues", "add", "Help & Sales", "--number", "*"];
    let script = ["--script", "Hello {name}", "--page", page];
    let (code, _, errors) = ringdesk(&[&queue[..], &script].concat());
    assert_eq!(code, Some(0), "{errors}");
    let wrong = [
        "queues",
        "set",
        "Help & Sales",
        "--page",
        "file:///etc/passwd",
    ];
    let (code, _, errors) = ringdesk(&wrong);
    assert_eq!(code, Some(1), "{errors}");
    assert!(errors.contains("must begin with https://"), "{errors}");

    let caller = Sipp::to(phone.address(), "bye-from-phone", &[]);
    let from = phone.wait("incoming")["from"].as_str().unwrap().to_owned();
    let remote = from.trim_start_matches("sip:").to_owned();
    phone.command("answer");
    let opens = phone.wait("opens");
    let call = opens["call_id"].as_str().unwrap().to_owned();
    assert_eq!(opens["queue"], "Help & Sales", "{opens:#}");
    let told = opens["page"].as_str().unwrap();
    let begins = "https://crm.example/Help%20%26%20Sales?who=";
    assert!(told.starts_with(begins), "{told}");
    assert!(told.contains(&format!("&n=&call={call}#")), "{told}");
    assert!(opens["script"].as_str().unwrap().starts_with("Hello "));
    // Somebody whose name would lead elsewhere.
    let name = "Eve&who=\"x\"#/../";
    let (code, _, errors) = ringdesk(&["contacts", "--add", name, "--number", &from]);
    assert_eq!(code, Some(0), "{errors} {remote}");
    phone.send(&json!({"command": "choose", "caller": "contact:1"}));
    let opens = phone.wait_for("her page", std::time::Duration::from_secs(20), |event| {
        event["event"] == "opens" && event["contact"]["id"] == 1
    });
    assert_eq!(opens["script"], format!("Hello {name}"), "{opens:#}");
    let told = opens["page"].as_str().unwrap();
    let hers = "who=Eve%26who%3D%22x%22%23%2F..%2F&n=1&call=";
    assert!(told.contains(hers), "{told}");
    // It opens by the agent's wish, and by nothing else.
    assert!(!opened.exists());
    phone.command("open_page");
    let seen = crate::place::until("the page does not open", || {
        let seen = std::fs::read_to_string(&opened).ok()?;
        (!seen.is_empty()).then_some(seen)
    });
    assert_eq!(seen, told);
    phone.command("hangup");
    phone.wait("ended");
    caller.passes();
    let (code, _, errors) = ringdesk(&[
        "queues",
        "set",
        "Help & Sales",
        "--page",
        "",
        "--script",
        "",
    ]);
    assert_eq!(code, Some(0), "{errors}");
    assert_eq!(phone.stop().code, Some(0));
}
