//! What is listed goes out as a table or as JSON, by commands alone.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::phone::run;

/// What a command prints.
fn said(folder: &Path, words: &[&str]) -> String {
    let mut arguments: Vec<_> = words.iter().map(Into::into).collect();
    arguments.extend(["--data-dir".into(), folder.into()]);
    let (code, stdout, stderr) = run(&arguments);
    assert_eq!(code, Some(0), "{words:?}: {stderr}");
    stdout
}

/// Why a command does nothing.
fn refused(folder: &Path, words: &[&str]) -> String {
    let mut arguments: Vec<_> = words.iter().map(Into::into).collect();
    arguments.extend(["--data-dir".into(), folder.into()]);
    let (code, stdout, stderr) = run(&arguments);
    assert!(matches!(code, Some(1 | 2)), "{words:?}: {stdout}");
    stderr
}

fn json(lines: &str) -> Vec<Value> {
    let rows = lines.lines().map(serde_json::from_str);
    rows.map(Result::unwrap).collect()
}

#[test]
fn timelines_the_trail_and_guesses_are_written_and_run_nothing() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    said(
        folder,
        &["contacts", "--add", "=Anna", "--number", "+49 30 1234567"],
    );
    said(
        folder,
        &["note", "contact:1", "@home: mobile +49 171 2345678"],
    );
    said(
        folder,
        &["tasks", "add", "=call her", "--about", "contact:1"],
    );
    let table = said(folder, &["show", "export", "contact:1"]);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines[0], "When,Entry,Id,Title,State,Name,Number,Agent,Text");
    assert_eq!(lines.len(), 3, "{table}");
    assert!(table.contains(",'@home: mobile"), "{table}");
    assert!(table.contains(",'=call her,to do,"), "{table}");
    let rows = json(&said(
        folder,
        &["show", "export", "contact:1", "--format", "json"],
    ));
    assert_eq!(rows[0]["entry"], "task", "{rows:#?}");
    assert!(refused(folder, &["show", "export", "contact:9"]).contains("contact"));
    assert!(refused(folder, &["show"]).contains("KIND:ID"));

    let table = said(folder, &["audit", "export", "contact:1"]);
    assert!(table.contains(",save contact,contact:1,'=Anna"), "{table}");
    let all = json(&said(folder, &["audit", "export", "--format", "json"]));
    let whats: Vec<_> = all.iter().map(|row| row["what"].clone()).collect();
    assert_eq!(whats, ["save task", "save note", "save contact"]);

    let table = said(folder, &["hints", "export", "--number", "+49171/2345678"]);
    assert!(
        table.contains(",'+491712345678,'+49 171 2345678,no,1,'=Anna,"),
        "{table}"
    );
    let file = folder.join("guesses.json");
    let named = file.to_str().unwrap();
    let told = said(
        folder,
        &["hints", "export", "--state", "all", "--output", named],
    );
    assert!(told.starts_with("1 row written"), "{told}");
    let rows = json(&std::fs::read_to_string(&file).unwrap());
    assert_eq!(rows[0]["contact"], 1, "{rows:#?}");
    assert!(refused(folder, &["hints", "export", "--format", "vcard"]).contains("csv or json"));
}

#[test]
fn a_day_is_written_as_a_date() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    // In the middle of the day it is that day in each zone of these tests.
    for at in ["2026-03-09T12:00", "2026-03-10T12:00", "2026-03-11 12:00"] {
        said(folder, &["calls", "enter", "030 1234567", "--at", at]);
    }
    let day = [
        "calls",
        "--json",
        "--since",
        "2026-03-10",
        "--until",
        "2026-03-11",
    ];
    assert_eq!(json(&said(folder, &day)).len(), 1);
    let export = ["calls", "export", "--since", "2026-03-10"];
    assert_eq!(said(folder, &export).lines().count(), 3);
    said(folder, &["tasks", "add", "Offer", "--due", "2026-03-10"]);
    for (until, tasks) in [("2026-03-09", 0), ("2026-03-10", 1)] {
        let due = ["tasks", "--json", "--due-until", until];
        assert_eq!(json(&said(folder, &due)).len(), tasks, "{until}");
    }
    let told = refused(folder, &["calls", "--since", "yesterday"]);
    assert!(told.contains("such as 2026-12-24"), "{told}");
}
