//! The records by commands alone, without a phone that runs: each command once as it is meant, and once as it
//! is not.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::phone::{self, Phone};

/// Runs `ringdesk` with these words on a data folder: its exit code, stdout and stderr.
fn run(folder: &Path, words: &[&str]) -> (Option<i32>, String, String) {
    let mut arguments: Vec<_> = words.iter().map(Into::into).collect();
    arguments.extend(["--data-dir".into(), folder.into()]);
    phone::run(&arguments)
}

/// What it answers, each line.
fn ask(folder: &Path, words: &[&str]) -> Vec<Value> {
    let words = [words, &["--json"]].concat();
    let (code, stdout, stderr) = run(folder, &words);
    assert_eq!(code, Some(0), "{words:?}: {stderr}");
    stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn one(folder: &Path, words: &[&str]) -> Value {
    let mut rows = ask(folder, words);
    assert_eq!(rows.len(), 1, "{words:?}: {rows:#?}");
    rows.remove(0)
}

/// It fails with this code, says this on stderr and nothing on stdout.
fn refused(folder: &Path, words: &[&str], code: i32, says: &str) {
    let (found, stdout, stderr) = run(folder, words);
    assert_eq!(found, Some(code), "{words:?}: {stderr}");
    assert!(stderr.contains(says), "{words:?}: {stderr}");
    assert_eq!(stdout, "", "{words:?}");
}

#[test]
fn leads_and_contacts_are_added_changed_paged_and_written() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    for name in ["Anna", "Bert", "Cleo"] {
        let added = [
            "leads",
            "--add",
            name,
            "--number",
            "+49 30 1234567",
            "--organization",
            "Example AG",
        ];
        assert_eq!(one(folder, &added)["linked_calls"], 0);
    }
    let names = |words: &[&str]| -> Vec<Value> {
        ask(folder, words)
            .iter()
            .map(|row| row["name"].clone())
            .collect()
    };
    assert_eq!(names(&["leads"]), ["Anna", "Bert", "Cleo"]);
    assert_eq!(names(&["leads", "--limit", "1", "--after", "1"]), ["Bert"]);
    assert_eq!(names(&["contacts", "--after", "2"]), ["Cleo"]);
    refused(folder, &["leads", "--after", "99"], 1, "contact is not in");
    one(folder, &["leads", "set", "3", "--stage", "none"]);
    assert_eq!(names(&["leads"]), ["Anna", "Bert"]);
    refused(
        folder,
        &["leads", "set", "3", "--stage", "cold"],
        2,
        "it is one of",
    );
    refused(
        folder,
        &["contacts", "set", "1"],
        2,
        "what is to be changed",
    );
    refused(
        folder,
        &[
            "contacts",
            "set",
            "1",
            "--name",
            "X",
            "--remove-number",
            "110",
        ],
        1,
        "it has no number 110",
    );
    let (code, table, _) = run(folder, &["leads", "export"]);
    assert_eq!(code, Some(0));
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 3, "{table}");
    assert!(
        lines[0].ends_with("Stage") && lines[1].ends_with("new"),
        "{table}"
    );
    let (_, cards, _) = run(folder, &["leads", "export", "--format", "vcard"]);
    assert_eq!(cards.matches("BEGIN:VCARD").count(), 2, "{cards}");
}

#[test]
fn people_go_in_and_out_and_two_become_one() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let table = folder.join("people.csv");
    std::fs::write(
        &table,
        "Name,Phone,E-mail,Notes\nAnna Muster,030 1234567,anna@example.com,call +49 171 5550100\n\
         A. Muster,030 1234567,,\nBert,0171 5550101,,\n",
    )
    .unwrap();
    let table = table.to_str().unwrap();
    // Which country's numbers they are taken for is shown before.
    let preview = one(folder, &["contacts", "import", table, "--preview"]);
    assert_eq!(preview["region"], "US", "{preview:#}");
    let abroad = ["contacts", "import", table, "--preview", "--region", "DE"];
    let preview = one(folder, &abroad);
    assert_eq!(preview["region"], "DE", "{preview:#}");
    let number = &preview["first"][0]["numbers"][0];
    assert_eq!(number["e164"], "+49301234567", "{preview:#}");
    let nowhere = ["contacts", "import", table, "--region", "Germany"];
    refused(folder, &nowhere, 1, "--region \"Germany\" is no country");
    let done = one(folder, &["contacts", "import", table]);
    assert_eq!(done["done"]["added"], 3, "{done:#}");
    refused(
        folder,
        &["contacts", "import", "/nowhere.csv"],
        1,
        "/nowhere.csv",
    );
    let pair = one(folder, &["contacts", "duplicates"]);
    assert_eq!((&pair["first"], &pair["second"]), (&json!(1), &json!(2)));
    refused(
        folder,
        &["contacts", "duplicates", "--limit", "0"],
        2,
        "--limit",
    );
    let merged = one(folder, &["contacts", "merge", "1", "2"]);
    assert_eq!(merged["contact"], 1, "{merged:#}");
    refused(folder, &["contacts", "merge", "1"], 2, "<ID>");
    refused(
        folder,
        &["contacts", "merge", "1", "2"],
        1,
        "not in the call log",
    );
    let (code, out, _) = run(folder, &["contacts", "export", "--format", "json"]);
    assert_eq!((code, out.lines().count()), (Some(0), 2), "{out}");
    refused(
        folder,
        &["calls", "export", "--format", "vcard"],
        1,
        "choose csv or json",
    );

    // What is noted on people says whose a number may be.
    let guess = one(folder, &["hints", "list"]);
    assert_eq!(guess["number"], "+491715550100", "{guess:#}");
    let id = guess["id"].to_string();
    let judged = one(folder, &["hints", "confirm", &id]);
    assert_eq!(judged["contact"], 1, "{judged:#}");
    refused(folder, &["hints", "reject", "99"], 1, "guess is not in");
    let mail = folder.join("offer.eml");
    std::fs::write(
        &mail,
        "From: Cleo <cleo@example.com>\r\nDate: Mon, 5 Jan 2026 10:00:00 +0100\r\n\
         Message-ID: <1@example.com>\r\nSubject: Offer\r\n\r\nHello\r\n\r\n-- \r\nCleo\r\n\
         Phone: +49 30 7654321\r\n",
    )
    .unwrap();
    let read = one(folder, &["import-mail", mail.to_str().unwrap()]);
    assert_eq!((&read["mails"], &read["new"]), (&json!(1), &json!(1)));
    refused(folder, &["import-mail", "/nowhere.eml"], 1, "/nowhere.eml");
    assert_eq!(ask(folder, &["hints", "list", "--state", "all"]).len(), 2);
}

#[test]
fn tickets_tasks_and_notes_are_kept_listed_and_written() {
    let folder = TempDir::new().unwrap();
    tickets(folder.path());
    tasks(folder.path());
    notes_and_what_happened(folder.path());
}

fn tickets(folder: &Path) {
    one(
        folder,
        &["contacts", "--add", "Anna", "--organization", "Example AG"],
    );
    for title in ["Printer", "Scanner"] {
        one(
            folder,
            &[
                "tickets",
                "add",
                title,
                "--contact",
                "1",
                "--body",
                "it smokes",
            ],
        );
    }
    refused(
        folder,
        &["tickets", "add", "X", "--contact", "9"],
        1,
        "contact is not in",
    );
    one(
        folder,
        &[
            "tickets", "set", "1", "--state", "closed", "--agent", "Alice",
        ],
    );
    refused(
        folder,
        &["tickets", "set", "1", "--state", "lost"],
        2,
        "it is one of",
    );
    one(
        folder,
        &["tickets", "article", "2", "came by", "--internal"],
    );
    refused(
        folder,
        &["tickets", "article", "9", "x"],
        1,
        "ticket is not in",
    );
    let shown = one(folder, &["tickets", "show", "2"]);
    assert_eq!(shown["articles"][1]["internal"], true, "{shown:#}");
    assert_eq!(ask(folder, &["tickets"]).len(), 1);
    assert_eq!(
        ask(folder, &["tickets", "--filter", "all", "--after", "2"]).len(),
        1
    );
    let (_, table, _) = run(folder, &["tickets", "export"]);
    assert_eq!(table.lines().count(), 3, "{table}");
    assert!(table.contains("Scanner,new,Anna,Example AG"), "{table}");
    let (_, rows, _) = run(folder, &["tickets", "export", "--format", "json"]);
    assert!(rows.contains("it smokes"), "{rows}");
}

fn tasks(folder: &Path) {
    for (title, due) in [
        ("later", "2030-01-02T00:00:00Z"),
        ("soon", "2030-01-01T00:00:00Z"),
    ] {
        one(
            folder,
            &["tasks", "add", title, "--due", due, "--about", "ticket:2"],
        );
    }
    one(
        folder,
        &["tasks", "add", "any time", "--number", "0301234567"],
    );
    let titles = |words: &[&str]| -> Vec<Value> {
        ask(folder, words)
            .iter()
            .map(|row| row["title"].clone())
            .collect()
    };
    assert_eq!(titles(&["tasks"]), ["soon", "later", "any time"]);
    assert_eq!(titles(&["tasks", "--after", "1"]), ["any time"]);
    one(folder, &["tasks", "done", "2"]);
    refused(folder, &["tasks", "done", "9"], 1, "task is not in");
    refused(
        folder,
        &["tasks", "add", "x", "--about", "anna"],
        2,
        "kind and number",
    );
    assert_eq!(titles(&["tasks", "--done"]), ["soon"]);
    let (_, table, _) = run(folder, &["tasks", "export"]);
    assert_eq!(table.lines().count(), 3, "{table}");
    one(folder, &["tasks", "delete", "2"]);
    assert!(ask(folder, &["tasks", "--done"]).is_empty());
}

fn notes_and_what_happened(folder: &Path) {
    one(folder, &["note", "contact:1", "likes tea"]);
    refused(folder, &["note", "contact:9", "x"], 1, "contact is not in");
    refused(folder, &["notes", "set", "9", "x"], 1, "note is not in");
    let shown = one(folder, &["show", "contact:1"]);
    let entries = shown["timeline"].as_array().unwrap();
    assert_eq!(entries.len(), 3, "{shown:#}");
    assert_eq!(entries[0]["entry"], "note", "{shown:#}");
    let note = format!("note:{}", entries[0]["row"]["id"]);
    let rest = one(folder, &["show", "contact:1", "--after", &note]);
    assert_eq!(rest["timeline"].as_array().unwrap()[..], entries[1..]);
    refused(
        folder,
        &["show", "contact:1", "--after", "5"],
        2,
        "such as note:5",
    );
    let (_, table, _) = run(folder, &["organizations", "export"]);
    assert_eq!(table.lines().nth(1), Some("1,Example AG,1,"), "{table}");
    refused(
        folder,
        &["organizations", "set", "9", "--name", "X"],
        1,
        "organization is not in",
    );
    let newest = one(folder, &["audit", "--limit", "1"]);
    assert_eq!(newest["what"], "save note", "{newest:#}");
    let before = one(
        folder,
        &[
            "audit",
            "--limit",
            "1",
            "--after",
            &newest["id"].to_string(),
        ],
    );
    assert_eq!(before["what"], "delete task", "{before:#}");
    one(folder, &["delete", "contact:1"]);
    refused(folder, &["delete", "contact:1"], 1, "contact is not in");
    refused(folder, &["delete", "anna"], 2, "kind and number");
    let step = &ask(folder, &["undo"])[0];
    one(folder, &["undo", &step["id"].to_string()]);
    assert_eq!(one(folder, &["contacts"])["notes"], "");
    refused(folder, &["undo", "99"], 1, "step to undo is not in");
}

/// Words that no test had said to the program before.
#[test]
fn calls_are_linked_types_deleted_guesses_assigned_and_people_told_apart() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("config.toml"), "[settings]\nregion = \"DE\"\n").unwrap();
    for name in ["Anna Berg", "Anna Berg"] {
        one(
            folder,
            &["contacts", "--add", name, "--number", "030 1234567"],
        );
    }
    let pairs = ask(folder, &["contacts", "duplicates"]);
    assert_eq!(pairs.len(), 1, "{pairs:#?}");
    let (code, _, errors) = run(folder, &["contacts", "different", "1", "2"]);
    assert_eq!(code, Some(0), "{errors}");
    assert!(ask(folder, &["contacts", "duplicates"]).is_empty());
    refused(
        folder,
        &["contacts", "different", "1", "9"],
        1,
        "contact is not in",
    );

    let entered = one(
        folder,
        &[
            "calls",
            "enter",
            "089 7654321",
            "--inbound",
            "--talked",
            "60",
        ],
    );
    let call = entered["call_id"].as_str().unwrap();
    one(folder, &["tickets", "add", "Printer"]);
    let calls_of_ticket = || {
        let shown = one(folder, &["show", "ticket:1"]);
        let entries = shown["timeline"].as_array().unwrap();
        entries
            .iter()
            .filter(|entry| entry["entry"] == "call")
            .count()
    };
    one(
        folder,
        &[
            "calls",
            "set",
            call,
            "--link",
            "ticket:1",
            "--call-type",
            "",
        ],
    );
    assert_eq!(calls_of_ticket(), 1);
    one(folder, &["calls", "set", call, "--unlink", "ticket:1"]);
    assert_eq!(calls_of_ticket(), 0);

    let kind = one(folder, &["call-types", "--add", "Sales"])["id"].to_string();
    one(folder, &["calls", "set", call, "--call-type", "sales"]);
    one(folder, &["call-types", "--delete", &kind]);
    let hidden = one(folder, &["call-types"]);
    assert_eq!(hidden["active"], false, "a call has it: {hidden:#}");
    refused(
        folder,
        &["call-types", "--delete", "9"],
        1,
        "call type is not in",
    );
    let last = [
        "calls",
        "enter",
        "110",
        "--at",
        "9999-12-30T20:00:00Z",
        "--talked",
        "100000",
    ];
    refused(folder, &last, 2, "no clock shows");

    one(folder, &["note", "contact:1", "New mobile 0171 2345678"]);
    let guess = one(folder, &["hints", "list"]);
    assert_eq!(guess["number"], "+491712345678", "{guess:#}");
    let guess = guess["id"].to_string();
    one(folder, &["hints", "reject", &guess]);
    assert!(ask(folder, &["hints", "list"]).is_empty());
    one(folder, &["hints", "reopen", &guess]);
    assert_eq!(one(folder, &["hints", "list"])["contact"], 1);
    let assigned = one(folder, &["hints", "assign", &guess, "--to", "2"]);
    assert_eq!(assigned["contact"], 2, "{assigned:#}");
    let guess = one(folder, &["hints", "list"]);
    assert_eq!(
        (&guess["contact"], &guess["assigned"]),
        (&json!(2), &json!(true))
    );
}

#[test]
fn the_numbers_to_call_back_are_exported_with_their_counts() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    for at in ["2026-11-01T09:00:00Z", "2026-11-02T09:00:00Z"] {
        let missed = [
            "calls",
            "enter",
            "+493012345",
            "--inbound",
            "--missed",
            "--at",
            at,
        ];
        one(folder, &[&missed[..], &["--notes", "=1+1"]].concat());
    }
    let (code, table, errors) = run(folder, &["calls", "export", "--callbacks"]);
    assert_eq!(code, Some(0), "{errors}");
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 2, "one for the number: {table}");
    assert!(lines[0].starts_with("Number,Name,"), "{table}");
    let row = "'+493012345,,,,2,2026-11-02T09:00:00Z,0,,,'=1+1,";
    assert!(lines[1].starts_with(row), "{table}");
    let rows = ask(folder, &["calls", "callbacks"]);
    let (_, json, _) = run(
        folder,
        &["calls", "export", "--callbacks", "--format", "json"],
    );
    let written: Value = serde_json::from_str(json.trim()).unwrap();
    assert_eq!(written, rows[0]);
    let both = ["calls", "export", "--callbacks", "--filter", "missed"];
    refused(folder, &both, 2, "cannot be used with");
}

#[test]
fn tasks_that_are_due_until_a_moment_are_exported() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    for (title, due) in [
        ("Soon", "2026-12-01T09:00:00Z"),
        ("Later", "2026-12-09T09:00:00Z"),
    ] {
        one(folder, &["tasks", "add", title, "--due", due]);
    }
    let until = ["tasks", "export", "--due-until", "2026-12-05T00:00:00Z"];
    let (code, table, errors) = run(folder, &until);
    assert_eq!(code, Some(0), "{errors}");
    assert!(
        table.contains("Soon") && !table.contains("Later"),
        "{table}"
    );
    let (_, all, _) = run(folder, &["tasks", "export"]);
    assert!(all.contains("Later"), "{all}");
    refused(
        folder,
        &[&until[..], &["--done"]].concat(),
        2,
        "cannot be used with",
    );
}

#[test]
fn a_list_is_as_long_as_the_settings_say_and_longer_than_one_answer() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let table = folder.join("people.csv");
    let people: String = (0..1_200)
        .map(|n| format!("Name {n:04},0301{n:06}\n"))
        .collect();
    std::fs::write(&table, format!("Name,Phone\n{people}")).unwrap();
    one(folder, &["contacts", "import", table.to_str().unwrap()]);
    assert_eq!(ask(folder, &["contacts"]).len(), 100);
    let all = ask(folder, &["contacts", "--limit", "5000"]);
    assert_eq!(all.len(), 1_200);
    assert!(
        all.windows(2)
            .all(|pair| pair[0]["name"].as_str() < pair[1]["name"].as_str())
    );
    std::fs::write(folder.join("config.toml"), "[settings]\nlist_length = 7\n").unwrap();
    assert_eq!(ask(folder, &["contacts"]).len(), 7);
    std::fs::write(folder.join("config.toml"), "[settings]\nlist_length = 0\n").unwrap();
    refused(folder, &["contacts"], 1, "list_length is 0");
}

#[test]
fn a_call_is_changed_in_one_write_and_dialled_again_from_its_line() {
    let mut callee = Phone::start(&["--no-register", "--auto-answer"]);
    let mut phone = Phone::start(&["--no-register"]);
    let uri = format!("sip:callee@{}", callee.address());
    phone.send(&json!({"command": "call", "uri": uri}));
    let outgoing = phone.wait("outgoing");
    phone.wait("answered");
    phone.command("hangup");
    let ended = phone.wait("ended");
    let id = ended["call_id"].as_str().unwrap().to_owned();
    callee.wait("ended");
    let folder = phone.folder().to_owned();
    assert_eq!(outgoing["durable"], true, "{outgoing:#}");
    // Half of a change that is refused stayed.
    let wrong = ["calls", "set", &id, "--notes", "half", "--link", "ticket:9"];
    refused(&folder, &wrong, 1, "ticket is not in");
    assert_eq!(phone.only_call()["notes"], "");
    one(
        &folder,
        &["calls", "set", &id, "--notes", "whole", "--caller", "none"],
    );
    let row = phone.only_call();
    assert_eq!(
        (&row["notes"], &row["level"]),
        (&json!("whole"), &json!("manual"))
    );

    refused(
        &folder,
        &["calls", "callback", &id],
        1,
        "ringdesk calls again",
    );
    let dialled = one(&folder, &["calls", "again", &id]);
    assert_eq!(dialled["to"], row["remote"], "{dialled:#}");
    callee.wait("incoming");
    phone.wait("answered");
    phone.command("hangup");
    phone.wait("ended");
    let ended = phone.stop();
    assert_eq!(ended.code, Some(0));
    refused(&folder, &["calls", "again", &id], 1, "start it first");
    assert_eq!(callee.stop().code, Some(0));
}

#[test]
fn a_record_without_a_name_of_its_own_is_refused() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    one(folder, &["leads", "--add", "Lea"]);
    for name in ["Example AG", "Choir"] {
        one(folder, &["organizations", "--add", name]);
    }
    let wrong: [(&[&str], &str); 7] = [
        (&["contacts", "--add", ""], "a contact needs a name"),
        (
            &["leads", "set", "1", "--name", " "],
            "a contact needs a name",
        ),
        (
            &["organizations", "set", "1", "--name", ""],
            "an organization needs a name",
        ),
        (
            &["organizations", "set", "2", "--name", "example ag"],
            "organization 1 is named “Example AG” already",
        ),
        (&["tickets", "add", ""], "a ticket needs a title"),
        (&["tasks", "add", " "], "a task needs a title"),
        (&["call-types", "--add", ""], "a call type needs a name"),
    ];
    for (words, says) in wrong {
        refused(folder, words, 1, says);
    }
    assert_eq!(one(folder, &["leads"])["name"], "Lea");
    assert_eq!(ask(folder, &["organizations"]).len(), 2);
}
