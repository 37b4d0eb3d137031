//! Recordings that are paused for payment data, that must be, and that must not.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::audio::{Sound, read_recording};
use crate::bad_input::small_disk;
use crate::phone::{Phone, only_recording, run};

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

/// A data folder in this one, with these settings.
fn data_with(folder: &TempDir, settings: &str) -> PathBuf {
    let data = folder.path().join("data");
    std::fs::create_dir_all(&data).unwrap();
    let settings = format!("[settings]\n{settings}\n");
    std::fs::write(data.join("config.toml"), settings).unwrap();
    data
}

/// What both sides of a call without noise are told.
const PLAIN: [&str; 3] = ["--no-register", "--codecs", "pcma"];

/// A phone that records onto a disk of a mebibyte, which holds five seconds; how it started, where the disk is,
/// and its data beside that.
fn on_small_disk(folder: &TempDir) -> (Phone, Value, [PathBuf; 2]) {
    let disk = folder.path().join("disk");
    for path in [&disk, &folder.path().join("disk.saved")] {
        std::fs::create_dir_all(path).unwrap();
    }
    let data = data_with(folder, "");
    let dir = disk.to_string_lossy();
    let options = [&PLAIN[..], &["--auto-answer", "--record-dir", &dir]].concat();
    let mut phone = Phone::behind(&small_disk(1, &disk), &data, &options);
    let started = phone.wait("started");
    (phone, started, [disk, data])
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
    agent.pass();
    agent.send(&json!({"command": "pause_recording"}));
    let paused = agent.wait("recording");
    assert_eq!(paused["state"], "paused", "{paused:#}");
    caller.send(&json!({"command": "dtmf", "digits": "42"}));
    agent.pass();
    agent.send(&json!({"command": "pause_recording", "on": false}));
    let resumed = agent.wait("recording");
    assert_eq!(resumed["state"], "resumed", "{resumed:#}");
    // A digit that begins as the pause ends counts as pressed in it.
    agent.pass();
    caller.send(&json!({"command": "dtmf", "digits": "7"}));
    agent.wait("dtmf");
    agent.pass();
    let events = agent.drain();
    assert_eq!(digits(events), "7", "{events:#?}");
    caller.command("hangup");
    agent.wait("ended");
    let ended = agent.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!ended.stderr.contains("42"), "{}", ended.stderr);
    let row = ended.only_call();
    let [gap] = row["recording_gaps"].as_array().unwrap().as_slice() else {
        panic!("one gap: {row:#}");
    };
    assert!(gap["start_millis"].as_u64().unwrap() > 900, "{gap}");
    let paused = gap["length_millis"].as_u64().unwrap();
    assert!((900..3_000).contains(&paused), "{gap}");
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

/// All that lies in a folder and below it, as text.
fn everything_in(folder: &Path) -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all += &everything_in(&path);
        } else {
            // A socket, or a file that is gone meanwhile, holds nothing.
            let bytes = std::fs::read(&path).unwrap_or_default();
            all += &String::from_utf8_lossy(&bytes);
        }
    }
    all
}

#[test]
fn no_sink_has_digits_of_a_pause_however_they_came() {
    // What the far end presses, and what the agent does: so long that no number is it by accident.
    let (theirs, ours) = ("8642086420", "9753197531");
    for way in ["sound", "info", "info-plain"] {
        let folder = TempDir::new().unwrap();
        let data = data_with(&folder, "");
        let records = folder.path().join("recordings");
        let records = records.to_string_lossy();
        let prefix = ["env", "RINGDESK_LOG=trace"].map(OsString::from);
        let common = ["--no-register", "--codecs", "pcma", "--dtmf-by", way];
        let options = ["--auto-answer", "--record-dir", &records];
        let mut agent = Phone::start_behind(&prefix, &data, &[&common[..], &options].concat());
        let target = agent.uri();
        let mut caller = Phone::start(&[&common[..], &["--call", &target]].concat());
        caller.wait("answered");
        agent.wait("media");
        agent.wait("recording");
        agent.send(&json!({"command": "pause_recording"}));
        agent.wait("recording");
        caller.send(&json!({"command": "dtmf", "digits": theirs}));
        agent.send(&json!({"command": "dtmf", "digits": ours}));
        // What is no command, and what are no digits, is told without them.
        agent.send(&json!({"command": "dtmf", "digits": 9_753_197_531_u64}));
        let error = agent.wait("error");
        assert!(
            error["message"].as_str().unwrap().contains("no command"),
            "{error}"
        );
        agent.send(&json!({"command": "dtmf", "digits": "9753197531x"}));
        let error = agent.wait("error");
        assert!(
            error["message"]
                .as_str()
                .unwrap()
                .contains("cannot be sent"),
            "{error}"
        );
        let mut heard = String::new();
        while heard.len() < ours.len() {
            heard += caller.wait("dtmf")["digit"].as_str().unwrap();
        }
        assert_eq!(heard, ours, "{way}");
        agent.pass();
        agent.pass();
        agent.send(&json!({"command": "pause_recording", "on": false}));
        agent.wait("recording");
        agent.pass();
        caller.send(&json!({"command": "dtmf", "digits": "7"}));
        assert_eq!(agent.wait("dtmf")["digit"], "7");
        caller.command("hangup");
        agent.wait("ended");
        let mut sinks = vec![("events", format!("{:?}", agent.drain()))];
        assert_eq!(digits(agent.drain()), "7", "{way}");
        let ended = agent.stop();
        sinks.push(("log", ended.stderr.clone()));
        let call = crate::phone::calls(&data)[0]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let pcap = folder.path().join("call.pcapng");
        let pcap = pcap.to_string_lossy();
        for (sink, arguments) in [
            ("call log", &["calls", "--json"][..]),
            ("quality", &["calls", "quality", &call, "--json"]),
            ("ladder", &["trace", &call]),
            ("messages", &["trace", &call, "--json"]),
            ("capture", &["trace", &call, "--pcap", &pcap]),
        ] {
            let folder = ["--data-dir", &data.to_string_lossy()].map(OsString::from);
            let arguments = arguments.iter().map(OsString::from).chain(folder);
            let (code, stdout, stderr) = run(&arguments.collect::<Vec<_>>());
            assert_eq!(code, Some(0), "{sink}: {stderr}");
            sinks.push((sink, stdout + &stderr));
        }
        // The database, the capture and the recording itself.
        sinks.push(("files", everything_in(folder.path())));
        for (sink, text) in sinks {
            for secret in [theirs, ours] {
                assert!(!text.contains(secret), "{way}: {secret} is in the {sink}");
            }
            for digit in theirs.chars().chain(ours.chars()) {
                let signal = format!("Signal={digit}");
                assert!(!text.contains(&signal), "{way}: {signal} is in the {sink}");
                let plain = format!("Content-Length: 1\r\n\r\n{digit}");
                assert!(!text.contains(&plain), "{way}: {digit} is in the {sink}");
                let escaped = plain.replace("\r\n", "\\r\\n");
                assert!(!text.contains(&escaped), "{way}: {digit} is in the {sink}");
            }
        }
    }
}

#[test]
fn a_phone_that_must_record_does_not_stop_and_one_that_must_not_does_not_begin() {
    for (policy, on, words) in [
        ("always", false, "records each call to its end"),
        ("never", true, "switched off"),
    ] {
        let folder = TempDir::new().unwrap();
        let data = data_with(&folder, &format!("recording = \"{policy}\""));
        let options = ["--no-register", "--auto-answer"];
        let mut agent = Phone::start_behind(&[], &data, &options);
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

#[test]
fn both_sides_hear_the_announcement_and_then_they_are_recorded() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (announcement, voice) = (path("announcement.wav"), path("voice.wav"));
    Sound::tone(880.0, 1, 16_000).write(announcement.as_ref());
    Sound::tone(440.0, 20, 48_000).write(voice.as_ref());
    let (here, there) = (path("here"), path("there"));
    let options = [
        "--no-register",
        "--codecs",
        "pcma",
        "--auto-answer",
        "--record-dir",
        &here,
        "--recording-announcement",
        &announcement,
    ];
    let mut agent = Phone::start(&options);
    let target = format!("sip:agent@{}", agent.address());
    let options = [
        "--no-register",
        "--codecs",
        "pcma",
        "--play",
        &voice,
        "--record-dir",
        &there,
        "--call",
        &target,
    ];
    let mut caller = Phone::start(&options);
    let announced = agent.wait("recording");
    assert_eq!(announced["state"], "announced", "{announced:#}");
    let started = agent.wait("recording");
    assert_eq!(started["state"], "started", "{started:#}");
    agent.pass();
    caller.command("hangup");
    agent.wait("ended");
    agent.stop();
    caller.stop();
    let (_, heard) = read_recording(&only_recording(there.as_ref()));
    assert!(heard.share_of_tone(880.0) > 0.7, "the caller was not told");
    let (said, far_end) = read_recording(&only_recording(here.as_ref()));
    assert!(said.share_of_tone(880.0) < 0.01);
    assert!(far_end.from(0.3).share_of_tone(440.0) > 0.7);
}

/// The tone by which both sides may be told that they are recorded (47 CFR 64.501).
#[test]
fn the_far_end_hears_the_tone_where_the_settings_want_it() {
    for tone in [true, false] {
        let folder = TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        let data = data_with(&folder, &format!("recording_tone = {tone}"));
        let (here, there) = (path("here"), path("there"));
        let common = ["--no-register", "--codecs", "pcma", "--record-dir"];
        let options = [&common[..], &[&here, "--auto-answer"]].concat();
        let mut agent = Phone::start_behind(&[], &data, &options);
        let target = format!("sip:agent@{}", agent.address());
        let options = [&common[..], &[&there, "--call", &target]].concat();
        let mut caller = Phone::start(&options);
        agent.wait("recording");
        agent.pass();
        caller.command("hangup");
        agent.wait("ended");
        agent.stop();
        caller.stop();
        let (_, heard) = read_recording(&only_recording(there.as_ref()));
        // 0.2 s of the half second that it is looked for in.
        let share = heard.share_of_tone(1_400.0);
        assert_eq!(share > 0.3, tone, "{share}");
    }
}

/// The pause ended with the recording, and the rest of the card's digits was told.
#[test]
fn a_disk_that_is_full_in_a_pause_does_not_end_the_pause() {
    let folder = TempDir::new().unwrap();
    let (mut agent, _, _) = on_small_disk(&folder);
    let target = agent.uri();
    let mut caller = Phone::start(&[&PLAIN[..], &["--call", &target]].concat());
    caller.wait("answered");
    assert_eq!(agent.wait("recording")["state"], "started");
    agent.send(&json!({"command": "pause_recording"}));
    assert_eq!(agent.wait("recording")["state"], "paused");
    assert_eq!(agent.wait("recording")["state"], "failed");
    caller.send(&json!({"command": "dtmf", "digits": "42"}));
    agent.pass();
    agent.pass();
    agent.send(&json!({"command": "pause_recording", "on": false}));
    assert_eq!(agent.wait("recording")["state"], "resumed");
    agent.pass();
    caller.send(&json!({"command": "dtmf", "digits": "7"}));
    assert_eq!(agent.wait("dtmf")["digit"], "7");
    assert_eq!(digits(agent.drain()), "7", "no other one was told");
    caller.command("hangup");
    agent.wait("ended");
}

#[test]
fn without_its_announcement_nothing_is_recorded_and_that_is_said() {
    let folder = TempDir::new().unwrap();
    let missing = folder.path().join("none.wav");
    let missing = missing.to_string_lossy();
    let options = ["--no-register", "--recording-announcement", &missing];
    let refused = Phone::spawn(TempDir::new().unwrap(), &options).ended();
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("none.wav"), "{}", refused.stderr);
    // In the settings it may have been there once.
    let data = data_with(&folder, &format!("recording_announcement = '{missing}'"));
    let records = folder.path().join("recordings");
    let dir = records.to_string_lossy();
    let options = ["--no-register", "--auto-answer", "--record-dir", &dir];
    let mut agent = Phone::start_behind(&[], &data, &options);
    let target = format!("sip:agent@{}", agent.address());
    let mut caller = Phone::start(&["--no-register", "--call", &target]);
    let failed = agent.wait("recording");
    assert_eq!(failed["state"], "failed", "{failed:#}");
    let problem = failed["problem"].as_str().unwrap();
    assert!(problem.contains("nothing is recorded"), "{problem}");
    assert!(problem.contains("none.wav"), "{problem}");
    agent.pass();
    caller.command("hangup");
    agent.wait("ended");
    assert_eq!(std::fs::read_dir(&records).unwrap().count(), 0);
}

#[test]
fn a_full_disk_is_told_the_call_goes_on_and_what_was_recorded_plays() {
    let folder = TempDir::new().unwrap();
    let voice = folder.path().join("voice.wav");
    Sound::tone(440.0, 20, 48_000).write(&voice);
    let (mut agent, started, [disk, data]) = on_small_disk(&folder);
    let (target, voice) = (agent.uri(), voice.to_string_lossy());
    let options = ["--loop", "--play", &voice, "--call", &target];
    let mut caller = Phone::start(&[&PLAIN[..], &options].concat());
    caller.wait("answered");
    assert_eq!(agent.wait("recording")["state"], "started");
    let failed = agent.wait("recording");
    assert_eq!(failed["state"], "failed", "{failed:#}");
    let problem = failed["problem"].as_str().unwrap();
    assert!(problem.contains("the disk is full"), "{problem}");
    assert!(problem.contains("free some space"), "{problem}");
    // The call goes on, in both directions.
    agent.send(&json!({"command": "dtmf", "digits": "1"}));
    assert_eq!(caller.wait("dtmf")["digit"], "1");
    caller.send(&json!({"command": "dtmf", "digits": "2"}));
    assert_eq!(agent.wait("dtmf")["digit"], "2");
    // The small disk is seen through the process that has it.
    let seen = Path::new("/proc").join(started["pid"].to_string());
    let seen = seen.join("root").join(disk.strip_prefix("/").unwrap());
    let (_, far_end) = read_recording(&only_recording(&seen));
    assert!(far_end.seconds() > 4.0, "{} s", far_end.seconds());
    assert!(far_end.from(0.3).share_of_tone(440.0) > 0.7);
    caller.command("hangup");
    let ended = agent.wait("ended");
    assert_eq!(ended["durable"], true, "{ended:#}");
    let row = crate::phone::calls(&data).remove(0);
    assert_eq!(row["state"], "completed", "{row:#}");
    let file = row["recording"].as_str().unwrap();
    assert!(Path::new(file).starts_with(&disk), "{file}");
}
