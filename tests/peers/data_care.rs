//! Backup, restore, recovery, and what is held of a person, by the commands: beside a running phone and
//! without one.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::phone::{Phone, calls, only_recording, run};
use crate::sipp::Sipp;

fn ringdesk(folder: &Path, words: &[&str]) -> (Option<i32>, String, String) {
    let mut arguments: Vec<OsString> = words.iter().map(OsString::from).collect();
    arguments.extend(["--data-dir".into(), folder.into()]);
    run(&arguments)
}

/// The one line of JSON that a command tells.
fn told(folder: &Path, words: &[&str]) -> Value {
    let (code, stdout, stderr) = ringdesk(folder, words);
    assert_eq!(code, Some(0), "{words:?}: {stderr}{stdout}");
    serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{stdout}: {error}"))
}

fn refused(folder: &Path, words: &[&str], why: &str) {
    let (code, _, stderr) = ringdesk(folder, words);
    assert_eq!(code, Some(1), "{words:?}: {stderr}");
    assert!(stderr.contains(why), "{words:?}: {stderr}");
}

#[test]
fn a_person_is_exported_backed_up_erased_and_erased_again_after_a_restore() {
    let records = tempfile::TempDir::new().unwrap();
    let record_dir = records.path().to_string_lossy().into_owned();
    let mut phone = Phone::start(&[
        "--no-register",
        "--auto-answer",
        "--record-dir",
        &record_dir,
    ]);
    Sipp::to(phone.address(), "bye-from-caller", &[]).passes();
    phone.wait("ended");
    let folder = phone.folder().to_owned();
    let caller = phone.only_call()["remote"].as_str().unwrap().to_owned();
    let recording = only_recording(records.path());
    let file = |name: &str| records.path().join(name).to_string_lossy().into_owned();

    // Beside the running phone.
    let (export, backup) = (file("person.json"), file("backup"));
    let (code, stdout, stderr) =
        ringdesk(&folder, &["contacts", "export-person", &caller, &export]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(stdout.trim(), recording.display().to_string());
    let held: Value = serde_json::from_str(&fs::read_to_string(&export).unwrap()).unwrap();
    assert_eq!(
        held["tables"]["calls"][0]["remote"],
        Value::from(caller.clone())
    );
    let made = told(&folder, &["backup", &backup, "--json"]);
    assert_eq!(made["file"], Value::from(backup.clone()));
    for file in [&export, &backup] {
        assert_eq!(
            fs::metadata(file).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    refused(&folder, &["restore", &backup], "another Ringdesk is using");
    refused(&folder, &["recover"], "another Ringdesk is using");
    let (code, _, stderr) = ringdesk(&folder, &["contacts", "erase", &caller]);
    assert_eq!(code, Some(2), "only with --yes: {stderr}");
    let erased = told(&folder, &["contacts", "erase", &caller, "--yes", "--json"]);
    assert_eq!(erased["recordings_left"], Value::from(Vec::<Value>::new()));
    assert_eq!(erased["copies"][0]["file"], Value::from(backup.clone()));
    assert!(!recording.exists(), "{erased}");
    let row = phone.only_call();
    assert_eq!(row["remote"], Value::from("erased"), "{row}");
    assert_eq!(row["state"], Value::from("completed"), "{row}");

    // Without one.
    let folder = phone.stop().into_folder();
    let restored = told(folder.path(), &["restore", &backup, "--json"]);
    assert_eq!(restored["erased_again"], Value::from(1), "{restored}");
    assert_eq!(calls(folder.path())[0]["remote"], Value::from("erased"));
    let recovered = told(folder.path(), &["recover", "--json"]);
    assert_eq!(recovered["damaged_pages"], Value::from(0), "{recovered}");
    assert_eq!(calls(folder.path()).len(), 1);
}

/// A file with so many people.
fn people(file: &Path, count: u32) {
    let mut text = "name,mobile,email\n".to_owned();
    for person in 0..count {
        writeln!(
            text,
            "Person {person},+4930{person:07},p{person}@example.com"
        )
        .unwrap();
    }
    fs::write(file, text).unwrap();
}

#[test]
fn a_caller_during_an_import_outlives_a_kill_and_the_import_is_not_half_done() {
    let data = tempfile::TempDir::new().unwrap();
    let folder = data.path().to_owned();
    let mut phone = Phone::start_behind(&[], &folder, &["--no-register"]);
    let target = phone.uri();
    let file = folder.join("people.csv");
    people(&file, 200_000);
    let mut caller = Phone::start(&["--no-register"]);
    let import = {
        let folder = folder.clone();
        let file = file.to_string_lossy().into_owned();
        std::thread::spawn(move || ringdesk(&folder, &["contacts", "import", &file, "--json"]))
    };
    // The file is read and its numbers are before it is written: the phone is called until a call comes
    // in the midst of that.
    let begun = Instant::now();
    let call = loop {
        assert!(!import.is_finished(), "{:?}", import.join().unwrap());
        assert!(begun.elapsed() < Duration::from_secs(120));
        caller.send(&json!({"command": "call", "uri": target}));
        let incoming = phone.wait("incoming");
        // There is none before the first long write.
        if fs::metadata(folder.join("ringdesk.arrivals")).is_ok_and(|aside| aside.len() > 0) {
            break incoming;
        }
        caller.command("hangup");
        phone.wait("ended");
        caller.wait("ended");
    };
    assert_eq!(call["durable"], true, "{call}");
    // Neither the answer waits for the import, nor what opens with it, nor a note, nor the next caller.
    let said = Instant::now();
    phone.send(&json!({"command": "answer", "call_id": call["call_id"]}));
    let answered = phone.wait("answered");
    assert_eq!(answered["durable"], true, "{answered}");
    let opens = phone.wait("opens");
    assert_eq!(opens["open"], "draft", "{opens}");
    assert!(
        said.elapsed() < Duration::from_secs(1),
        "{:?}",
        said.elapsed()
    );
    phone.send(&json!({"command": "notes", "call_id": call["call_id"], "text": "calls again"}));
    let mut second = Phone::start(&["--no-register"]);
    second.send(&json!({"command": "call", "uri": target}));
    let next = phone.wait("incoming");
    assert!(!import.is_finished(), "the import was too short for this");
    assert_eq!(next["durable"], true, "{next}");
    phone.kill();
    let (code, ..) = import.join().unwrap();
    assert_eq!(code, Some(1), "nobody said that it was done");
    let _again = Phone::start_behind(&[], &folder, &["--no-register"]);
    let rows = calls(&folder);
    let [talked, missed] = [call, next].map(|call| {
        let row = rows.iter().find(|row| row["id"] == call["call_id"]);
        let row = row.unwrap_or_else(|| panic!("{call}: {rows:?}"));
        assert_eq!(row["state"], "interrupted", "{row:#}");
        row
    });
    assert_ne!(talked["answered_at"], Value::Null, "{talked:#}");
    assert_eq!(talked["done"], true, "{talked:#}");
    assert_eq!(talked["notes"], "calls again", "{talked:#}");
    assert_eq!(missed["done"], false, "{missed:#}");
    let (code, stdout, _) = ringdesk(&folder, &["contacts", "--json"]);
    assert_eq!((code, stdout.as_str()), (Some(0), ""), "all or nobody");
}
