//! Recordings that are paused for payment data, that must be, and that must not.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::audio::{Sound, read_recording};
use crate::phone::{Phone, only_recording};

/// A phone that records and one that calls it with a tone.
fn two(folder: &TempDir) -> (Phone, Phone) {
    let voice = folder.path().join("voice.wav");
    Sound::tone(440.0, 20, 48_000).write(&voice);
    let records = folder.path().join("recordings");
    let records = records.to_string_lossy();
    let options = [
        "--no-register",
        "--auto-answer",
        "--codecs",
        "pcma",
        "--record-dir",
    ];
    let mut agent = Phone::start(&[&options[..], &[&records]].concat());
    let target = format!("sip:agent@{}", agent.address());
    let voice = voice.to_string_lossy();
    let options = [
        "--no-register",
        "--codecs",
        "pcma",
        "--play",
        &voice,
        "--call",
        &target,
    ];
    let mut caller = Phone::start(&options);
    caller.wait("answered");
    agent.wait("media");
    (agent, caller)
}

/// Lets the call go on for a second or two: figures come each second.
fn pass(phone: &mut Phone) {
    phone.drain();
    phone.wait("quality");
    phone.wait("quality");
}

fn digits(events: &[Value]) -> String {
    let digits = events.iter().filter(|event| event["event"] == "dtmf");
    digits.filter_map(|event| event["digit"].as_str()).collect()
}

#[test]
fn what_is_said_and_pressed_in_a_pause_is_kept_nowhere() {
    let folder = TempDir::new().unwrap();
    let (mut agent, mut caller) = two(&folder);
    agent.wait("recording");
    pass(&mut agent);
    agent.send(&json!({"command": "pause_recording"}));
    let paused = agent.wait("recording");
    assert_eq!(paused["state"], "paused", "{paused:#}");
    caller.send(&json!({"command": "dtmf", "digits": "42"}));
    pass(&mut agent);
    agent.send(&json!({"command": "pause_recording", "on": false}));
    let resumed = agent.wait("recording");
    assert_eq!(resumed["state"], "resumed", "{resumed:#}");
    // A digit that begins as the pause ends counts as pressed in it.
    pass(&mut agent);
    caller.send(&json!({"command": "dtmf", "digits": "7"}));
    agent.wait("dtmf");
    pass(&mut agent);
    let events = agent.drain();
    assert_eq!(digits(events), "7", "{events:#?}");
    caller.command("hangup");
    agent.wait("ended");
    let ended = agent.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!ended.stderr.contains("42"), "{}", ended.stderr);
    let (_, far_end) = read_recording(&only_recording(&folder.path().join("recordings")));
    // The whole call, and a silence in it about as long as the pause.
    assert!(far_end.seconds() > 3.0, "{} s", far_end.seconds());
    let rate = usize::try_from(far_end.rate).unwrap();
    let silent = far_end
        .samples
        .chunks(rate / 100)
        .filter(|piece| piece.iter().all(|sample| *sample == 0.0))
        .count();
    assert!((90..300).contains(&silent), "{silent} of 10 ms are silent");
}

#[test]
fn a_phone_that_must_record_does_not_stop_and_one_that_must_not_does_not_begin() {
    for (policy, on, words) in [
        ("always", false, "records each call to its end"),
        ("never", true, "switched off"),
    ] {
        let folder = TempDir::new().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir_all(&data).unwrap();
        let settings = format!("[settings]\nrecording = \"{policy}\"\n");
        std::fs::write(data.join("config.toml"), settings).unwrap();
        let options = ["--no-register", "--auto-answer"];
        let mut agent = Phone::behind(&[], &data, &options);
        let target = format!("sip:agent@{}", agent.address());
        let mut caller = Phone::start(&["--no-register", "--call", &target]);
        caller.wait("answered");
        if policy == "always" {
            let started = agent.wait("recording");
            assert_eq!(started["state"], "started", "{started:#}");
        } else {
            agent.wait("media");
        }
        agent.send(&json!({"command": "record", "on": on}));
        let error = agent.wait("error");
        assert!(
            error["message"].as_str().unwrap().contains(words),
            "{error:#}"
        );
        caller.command("hangup");
        agent.wait("ended");
        let seen = agent.drain();
        let recorded = seen.iter().any(|event| event["event"] == "recording");
        assert_eq!(recorded, policy == "always");
    }
}
