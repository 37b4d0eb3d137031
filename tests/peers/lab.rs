//! The lab in the box and the demonstration: the first minutes of somebody without a PBX.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::audio::{Sound, read_recording};
use crate::phone::{Phone, calls, only_recording, run};
use crate::place;

/// A running `ringdesk lab`.
struct Lab {
    child: Child,
    started: Value,
}

impl Lab {
    fn start() -> Self {
        let mut child = Command::new(place::binary())
            .args(["lab", "--json", "--bind"])
            .arg(format!("127.0.0.1:{}", place::ports(1)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let started = serde_json::from_str(&line).unwrap();
        Self { child, started }
    }

    /// The options of a user's phone.
    fn options(&self, user: &str, folder: &Path) -> Vec<String> {
        let users = self.started["users"].as_array().unwrap();
        let user = users.iter().find(|known| known["name"] == user).unwrap();
        let text = |name: &str| user[name].as_str().unwrap().to_owned();
        let file = folder.join(text("name"));
        std::fs::write(&file, text("password")).unwrap();
        [
            "--account",
            &text("address"),
            "--registrar",
            self.started["registrar"].as_str().unwrap(),
            "--password-file",
            &file.to_string_lossy(),
        ]
        .map(str::to_owned)
        .to_vec()
    }

    /// The URI of the peer whose name begins so.
    fn peer(&self, name: &str) -> String {
        let peers = self.started["peers"].as_array().unwrap();
        peers
            .iter()
            .map(|peer| peer["uri"].as_str().unwrap())
            .find(|uri| uri.starts_with(&format!("sip:{name}@")))
            .unwrap()
            .to_owned()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        place::terminate(self.child.id());
        let _reaped = self.child.wait();
    }
}

fn start(mut options: Vec<String>, more: &[&str]) -> Phone {
    options.extend(more.iter().map(|option| (*option).to_owned()));
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    Phone::start(&options)
}

#[test]
fn a_phone_registers_at_the_lab_and_hears_its_own_voice_from_the_echo() {
    let lab = Lab::start();
    let folder = TempDir::new().unwrap();
    let play = folder.path().join("tone.wav");
    Sound::tone(1_000.0, 5, 48_000).write(&play);
    let records = folder.path().join("recordings");
    let options = [
        "--call",
        &lab.peer("echo"),
        "--play",
        &play.to_string_lossy(),
        "--record-dir",
        &records.to_string_lossy(),
        "--hangup-after",
        "3",
        "--exit-after-calls",
        "1",
    ];
    let ended = start(lab.options("alice", folder.path()), &options).ended();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.event("registered")["event"], "registered");
    let (left, right) = read_recording(&only_recording(&records));
    assert!(left.share_of_tone(1_000.0) > 0.7, "what was said");
    assert!(right.share_of_tone(1_000.0) > 0.7, "what came back");
}

#[test]
fn the_labs_peers_are_busy_decline_and_never_answer() {
    let lab = Lab::start();
    let folder = TempDir::new().unwrap();
    for (peer, state) in [
        ("busy", "busy"),
        ("decline", "rejected"),
        ("never", "no-answer"),
    ] {
        let uri = lab.peer(peer);
        let options = [
            "--call",
            &uri,
            "--ring-limit",
            "2",
            "--exit-after-calls",
            "1",
        ];
        let ended = start(lab.options("bob", folder.path()), &options).ended();
        assert_eq!(ended.code, Some(4), "{peer}: {}", ended.stderr);
        assert_eq!(ended.only_call()["state"], state, "{peer}");
    }
}

#[test]
fn without_a_display_the_demonstration_registers_calls_records_and_logs() {
    let folder = TempDir::new().unwrap();
    let arguments: Vec<OsString> = vec![
        "--demo-without-display".into(),
        "--data-dir".into(),
        folder.path().into(),
    ];
    let (code, stdout, stderr) = run(&arguments);
    assert_eq!(code, Some(0), "{stderr}");
    for words in ["REGISTER", "INVITE", "BYE", "\"completed\"", ".wav"] {
        assert!(stdout.contains(words), "no {words} in {stdout}");
    }
    let rows = calls(folder.path());
    assert_eq!(rows.len(), 1, "{rows:#?}");
    let recording = rows[0]["recording"].as_str().unwrap();
    let (left, right) = read_recording(Path::new(recording));
    assert!(
        left.loudest() > 0.01 && right.loudest() > 0.01,
        "both sides have sound"
    );
}

#[test]
fn without_a_display_the_window_says_what_to_do_instead() {
    let folder = TempDir::new().unwrap();
    let arguments: Vec<OsString> = vec!["--data-dir".into(), folder.path().into()];
    let (code, _, stderr) = run(&arguments);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(
        stderr.contains("display") && stderr.contains("headless"),
        "{stderr}"
    );
}
