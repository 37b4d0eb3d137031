//! Registration and calls through Kamailio: digest, record-routing, UDP and TCP.

use std::path::Path;

use serde_json::json;
use tempfile::TempDir;

use crate::audio::{Sound, read_recording};
use crate::kamailio::{Kamailio, PASSWORD};
use crate::phone::{Phone, only_recording};

fn start(mut options: Vec<String>, more: &[&str]) -> Phone {
    options.extend(more.iter().map(|option| (*option).to_owned()));
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let mut phone = Phone::start(&options);
    phone.wait("registered");
    phone
}

/// Something to say, in a file.
fn speech(folder: &Path, text: &str, voice: &str) -> (Sound, String) {
    let sound = Sound::speech(text, voice, 48_000);
    let file = folder.join(format!("{voice}.wav"));
    sound.write(&file);
    (sound, file.to_string_lossy().into_owned())
}

fn two_phones_talk(defines: &[&str], transport: &str) {
    let kamailio = Kamailio::start(defines);
    let folder = TempDir::new().unwrap();
    let [alices, bobs] = ["alice", "bob"].map(|user| {
        let path = folder.path().join(user);
        std::fs::create_dir(&path).unwrap();
        path
    });
    let alice_text = "The quick brown fox jumps over the lazy dog, and runs into the woods.";
    let bob_text = "Please hold the line while I look for the order of last week.";
    let (alice_said, alice_file) = speech(folder.path(), alice_text, "en-us");
    let (bob_said, bob_file) = speech(folder.path(), bob_text, "en-us+f3");

    let bob_records = bobs.to_string_lossy().into_owned();
    let mut bob = start(
        kamailio.options("bob", transport),
        &[
            "--auto-answer=200",
            "--play",
            &bob_file,
            "--record-dir",
            &bob_records,
        ],
    );
    let alice_records = alices.to_string_lossy().into_owned();
    let more = [
        "--call",
        "sip:bob@lab.example",
        "--play",
        &alice_file,
        "--record-dir",
        &alice_records,
        "--hangup-after",
        "6",
        "--exit-after-calls",
        "1",
    ];
    let ended = start(kamailio.options("alice", transport), &more).ended();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let heard_end = bob.wait("ended");
    assert_eq!(
        heard_end["from"]
            .as_str()
            .map(|from| from.contains("alice")),
        Some(true)
    );
    assert_eq!(ended.only_call()["state"], "completed");
    assert_eq!(bob.only_call()["state"], "completed");
    assert_eq!(bob.stop().code, Some(0));

    for (folder, own, far) in [
        (&alices, &alice_said, &bob_said),
        (&bobs, &bob_said, &alice_said),
    ] {
        let (left, right) = read_recording(&only_recording(folder));
        let distances = [
            left.distance_from(own),
            right.distance_from(far),
            left.distance_from(far),
            right.distance_from(own),
        ];
        let [own_left, far_right, far_left, own_right] = distances;
        assert!(own_left < 5.0 && far_right < 5.0, "near: {distances:?}");
        assert!(
            far_left > 7.0 && own_right > 7.0,
            "told apart: {distances:?}"
        );
    }
}

#[test]
fn two_phones_talk_through_kamailio_over_udp() {
    two_phones_talk(&[], "udp");
}

#[test]
fn two_phones_talk_through_kamailio_over_tcp_with_sha_256() {
    two_phones_talk(&["WITH_SHA256"], "tcp");
}

#[test]
fn a_wrong_password_ends_with_exit_code_3_and_a_sentence() {
    let kamailio = Kamailio::start(&[]);
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, "shut sesame\n").unwrap();
    let file = file.to_string_lossy();
    let address = kamailio.address();
    let ended = Phone::spawn(
        TempDir::new().unwrap(),
        &[
            "--account",
            "sip:alice@lab.example",
            "--registrar",
            &address,
            "--password-file",
            &file,
        ],
    )
    .ended();
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(ended.stderr.contains("password"), "{}", ended.stderr);
    assert!(
        !ended.stderr.contains("sesame") && !PASSWORD.is_empty(),
        "it is not repeated"
    );
    assert_eq!(ended.event("registration_failed")["status"], json!(401));
}

#[test]
fn a_phone_that_ended_is_not_reached_any_more() {
    let kamailio = Kamailio::start(&[]);
    let bob = start(kamailio.options("bob", "udp"), &["--auto-answer"]);
    assert_eq!(bob.stop().code, Some(0));
    let more = ["--call", "sip:bob@lab.example", "--exit-after-calls", "1"];
    let ended = start(kamailio.options("alice", "udp"), &more).ended();
    assert_eq!(ended.code, Some(4), "{}", ended.stderr);
    assert_eq!(ended.event("ended")["status"], 404);
    let row = ended.only_call();
    assert_eq!(
        (&row["state"], &row["sip_status"]),
        (&json!("failed"), &json!(404)),
        "{row:#}"
    );
}
