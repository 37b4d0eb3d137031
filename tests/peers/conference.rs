//! Two callers and the agent who talk together.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::audio::{Sound, read_recording};
use crate::phone::{Phone, calls, only_recording};

/// A caller with a tone of its own, who records what it hears.
fn caller(folder: &Path, hertz: f64, target: &str) -> Phone {
    std::fs::create_dir_all(folder).unwrap();
    let voice = folder.join("voice.wav");
    Sound::tone(hertz, 30, 48_000).write(&voice);
    let (voice, records) = (voice.to_string_lossy(), folder.join("recordings"));
    let records = records.to_string_lossy();
    let mut caller = Phone::start(&[
        "--no-register",
        "--codecs",
        "pcma",
        "--play",
        &voice,
        "--record-dir",
        &records,
        "--call",
        target,
    ]);
    caller.wait("answered");
    caller
}

fn ids(event: &Value) -> Vec<&str> {
    let ids = event["call_ids"].as_array().unwrap().iter();
    ids.map(|id| id.as_str().unwrap()).collect()
}

/// What a caller heard in the last seconds of its call.
fn heard(folder: &Path) -> Sound {
    let (_, far_end) = read_recording(&only_recording(&folder.join("recordings")));
    far_end.from(far_end.seconds() - 1.0)
}

/// The next events of recordings, as many as said, which tell that state; of which calls.
fn states(agent: &mut Phone, state: &str, count: usize) -> Vec<String> {
    let told = (0..count).map(|_| {
        let told = agent.wait("recording");
        assert_eq!(told["state"], state, "{told:#}");
        told["call_id"].as_str().unwrap().to_owned()
    });
    let mut calls: Vec<String> = told.collect();
    calls.sort_unstable();
    calls
}

/// What one caller said in a pause was in the recording of the other.
#[test]
fn a_pause_holds_for_the_recordings_of_all_who_are_joined() {
    let folder = TempDir::new().unwrap();
    let records = folder.path().join("records");
    let dir = records.to_string_lossy();
    let options = ["--no-register", "--auto-answer", "--codecs", "pcma"];
    let more = [
        "--second-call",
        "hold",
        "--max-calls",
        "4",
        "--record-dir",
        &dir,
    ];
    let mut agent = Phone::start(&[&options[..], &more[..]].concat());
    let target = agent.uri();
    let (low, high) = (folder.path().join("low"), folder.path().join("high"));
    let mut first = caller(&low, 440.0, &target);
    let one = agent.wait("answered")["call_id"].clone();
    states(&mut agent, "started", 1);
    let mut second = caller(&high, 1_000.0, &target);
    let other = agent.wait("answered")["call_id"].clone();
    states(&mut agent, "started", 1);
    let mut both = [&one, &other].map(|id| id.as_str().unwrap().to_owned());
    both.sort_unstable();
    // Who comes into a pause is paused, too.
    agent.send(&json!({"command": "pause_recording", "call_id": one}));
    assert_eq!(states(&mut agent, "paused", 1), [one.as_str().unwrap()]);
    agent.send(&json!({"command": "join", "call_id": one, "other_call_id": other}));
    assert_eq!(states(&mut agent, "paused", 1), [other.as_str().unwrap()]);
    agent.send(&json!({"command": "pause_recording", "call_id": other, "on": false}));
    assert_eq!(states(&mut agent, "resumed", 2), both);
    agent.pass();
    agent.send(&json!({"command": "pause_recording", "call_id": other}));
    assert_eq!(states(&mut agent, "paused", 2), both);
    first.send(&json!({"command": "dtmf", "digits": "42"}));
    agent.pass();
    agent.pass();
    agent.send(&json!({"command": "pause_recording", "call_id": one, "on": false}));
    assert_eq!(states(&mut agent, "resumed", 2), both);
    agent.pass();
    let digits = agent
        .drain()
        .iter()
        .filter(|event| event["event"] == "dtmf");
    assert_eq!(digits.count(), 0);
    first.command("hangup");
    agent.wait("ended");
    second.command("hangup");
    agent.wait("ended");
    let ended = agent.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    for row in calls(ended.into_folder().path()) {
        let gaps = row["recording_gaps"].as_array().unwrap();
        let gap = gaps.last().unwrap();
        let [start, length] = ["start_millis", "length_millis"]
            .map(|name| usize::try_from(gap[name].as_u64().unwrap()).unwrap());
        assert!(length >= 1_900, "{row:#}");
        let (agents, far_end) = read_recording(row["recording"].as_str().unwrap().as_ref());
        for side in [agents, far_end] {
            let per_milli = usize::try_from(side.rate).unwrap() / 1_000;
            // Without the marks at both ends.
            let [from, to] = [start + 200, start + length - 100].map(|at| at * per_milli);
            let paused = side.samples.iter().take(to).skip(from);
            assert!(paused.clone().count() > 40_000, "{row:#}");
            assert!(paused.clone().all(|sample| *sample == 0.0), "{row:#}");
        }
    }
}

#[test]
fn callers_that_are_joined_hear_each_other_until_one_is_held() {
    let folder = TempDir::new().unwrap();
    let options = ["--no-register", "--auto-answer", "--codecs", "pcma"];
    let more = ["--second-call", "hold", "--max-calls", "4"];
    let mut agent = Phone::start(&[&options[..], &more[..]].concat());
    let target = agent.uri();
    let (low, high) = (folder.path().join("low"), folder.path().join("high"));
    let mut first = caller(&low, 440.0, &target);
    let one = agent.wait("answered")["call_id"].clone();
    let mut second = caller(&high, 1_000.0, &target);
    let other = agent.wait("answered")["call_id"].clone();
    agent.send(&json!({"command": "join", "call_id": one, "other_call_id": other}));
    let conference = agent.wait("conference");
    let mut joined = ids(&conference);
    joined.sort_unstable();
    assert_eq!(joined, [one.as_str().unwrap(), other.as_str().unwrap()]);
    second.drain();
    for _ in 0..4 {
        second.wait("quality");
    }
    // The second leaves what it heard; then the first is alone again.
    second.command("hangup");
    second.wait("ended");
    assert_eq!(second.stop().code, Some(0));
    let after = agent.wait("conference");
    assert!(ids(&after).is_empty(), "{after:#}");
    let there = heard(&high);
    assert!(
        there.share_of_tone(440.0) > 0.9,
        "the second hears the first"
    );
    assert!(there.share_of_tone(1_000.0) < 0.05, "and not itself");
    first.drain();
    for _ in 0..3 {
        first.wait("quality");
    }
    first.command("hangup");
    agent.wait("ended");
    assert_eq!(first.stop().code, Some(0));
    let alone = heard(&low);
    assert!(alone.share_of_tone(1_000.0) < 0.05, "nobody is left");
    let (_, all) = read_recording(&only_recording(&low.join("recordings")));
    // Somewhere in the middle it heard the second.
    let rate = usize::try_from(all.rate).unwrap();
    let pieces = all.samples.chunks(rate / 2).map(|piece| Sound {
        samples: piece.to_vec(),
        rate: all.rate,
    });
    let with = pieces
        .filter(|piece| piece.share_of_tone(1_000.0) > 0.9)
        .count();
    assert!(with >= 3, "{with} half seconds");
    assert_eq!(agent.stop().code, Some(0));
}
