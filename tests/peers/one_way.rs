//! What the phone says of a call's sound, with SIPp as a far end that sends wrongly or not at all.

use std::ffi::OsString;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::audio::read_recording;
use crate::junit::scenario;
use crate::phone::{Ended, Phone, only_recording, run};
use crate::sipp::Sipp;

/// What SIPp's tone has, in hertz.
const TONE: f64 = 440.0;

fn at(event: &Value) -> Timestamp {
    event["at"].as_str().unwrap().parse().unwrap()
}

/// Lets SIPp call a phone that answers at once; gives what is left of it, with all its events.
fn call(name: &str, options: &[&str]) -> Ended {
    let own = ["--no-register", "--auto-answer", "--exit-after-calls", "1"];
    let phone = Phone::start(&[&own[..], options].concat());
    let sipp = Sipp::to(phone.address(), name, &[]);
    sipp.passes();
    phone.ended()
}

/// The fault of the one that was told, no more than three seconds after the answer.
fn told_fault<'e>(ended: &'e Ended, cause: &str) -> &'e Value {
    let fault = ended.event("sound_fault");
    assert_eq!(fault["cause"], cause, "{:#?}", ended.events);
    assert_eq!(
        (&fault["side"], &fault["state"]),
        (&Value::from("incoming"), &Value::from("found"))
    );
    let waited = at(fault).duration_since(at(ended.event("answered")));
    assert!(waited.as_secs_f64() < 3.3, "told after {waited:?}");
    assert!(!fault["advice"].as_str().unwrap().is_empty());
    let row = ended.only_call();
    let kept = row["sound_problem"].as_str().unwrap();
    assert!(
        kept.starts_with(fault["message"].as_str().unwrap()),
        "{row:#}"
    );
    fault
}

#[test]
fn no_sound_comes() {
    scenario("no-sound-comes", || {
        let ended = call("no-sound-comes", &[]);
        let fault = told_fault(&ended, "nothing-received");
        assert!(fault["advice"].as_str().unwrap().contains("firewall"));
        // Nothing was measured of what never came.
        let quality = &ended.event("ended")["quality"];
        for unknown in ["loss", "jitter_ms", "mos", "round_trip_ms", "remote_loss"] {
            assert_eq!(quality[unknown], Value::Null, "{quality:#}");
        }
        assert!(quality["sent"].as_u64().unwrap() > 100, "{quality:#}");
    });
}

#[test]
fn unagreed_payload() {
    scenario("unagreed-payload", || {
        let ended = call("unagreed-payload", &["--codecs", "pcma,pcmu"]);
        let fault = told_fault(&ended, "wrong-payload-type");
        let message = fault["message"].as_str().unwrap();
        assert!(message.contains("G.729 (payload type 18)"), "{message}");
    });
}

#[test]
fn sound_from_elsewhere() {
    scenario("sound-from-elsewhere", || {
        let folder = tempfile::TempDir::new().unwrap();
        let records = folder.path().to_str().unwrap();
        let ended = call("sound-from-elsewhere", &["--record-dir", records]);
        let (_, heard) = read_recording(&only_recording(folder.path()));
        assert!(heard.share_of_tone(TONE) > 0.5, "the tone is heard");
        let told = |event: &&Value| event["event"] == "sound_fault";
        assert!(!ended.events.iter().any(|event| told(&event)));
        let row = ended.only_call();
        assert_eq!(row["sound_problem"], Value::Null, "{row:#}");
        let quality = &row["quality"];
        assert!(quality["received"].as_u64().unwrap() > 120, "{quality:#}");
        assert_eq!(quality["loss"], 0.0, "{quality:#}");
        assert!(quality["jitter_ms"].as_f64().unwrap() < 20.0, "{quality:#}");
        // SIPp sends no reports, so the delay is unknown, and with it the score.
        assert_eq!(quality["mos"], Value::Null, "{quality:#}");

        // The seconds are there for a graph and for scripts.
        let id = row["id"].as_str().unwrap().to_owned();
        let data = ended.into_folder();
        let words = ["calls", "quality", &id, "--json", "--data-dir"];
        let mut arguments: Vec<OsString> = words.map(OsString::from).to_vec();
        arguments.push(data.path().into());
        let (code, printed, error) = run(&arguments);
        assert_eq!(code, Some(0), "{error}");
        let spans: Vec<Value> = printed
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert!((3..=5).contains(&spans.len()), "{printed}");
        let received: u64 = spans.iter().map(|s| s["received"].as_u64().unwrap()).sum();
        assert_eq!(Some(received), quality["received"].as_u64());
        assert_eq!(spans[2]["at"], 2);
    });
}

/// Two phones of ours talk: each measures the other by RTCP, and the score is known.
#[test]
fn two_phones_measure_each_other() {
    let folder = tempfile::TempDir::new().unwrap();
    let tone = folder.path().join("tone.wav");
    crate::audio::Sound::tone(TONE, 3, 16_000).write(&tone);
    let tone = tone.to_str().unwrap();
    let sound = [
        "--no-register",
        "--codecs",
        "pcma",
        "--play",
        tone,
        "--loop",
    ];
    let other = Phone::start(&[&sound[..], &["--auto-answer"]].concat());
    let uri = format!("sip:test@{}", other.address());
    let mut phone = Phone::start(&[&sound[..], &["--call", &uri]].concat());
    phone.wait("answered");
    let scored = phone.wait_for("a score", Duration::from_secs(20), |event| {
        event["event"] == "quality" && !event["mos"].is_null()
    });
    assert!(scored["mos"].as_f64().unwrap() > 4.2, "{scored:#}");
    assert_eq!(scored["mos_scale"], "narrowband");
    assert_eq!(scored["mos_estimate"], false);
    assert!(
        scored["round_trip_ms"].as_f64().unwrap() < 50.0,
        "{scored:#}"
    );
    assert_eq!(scored["remote_loss"], 0.0, "{scored:#}");
    phone.command("hangup");
    let ended = phone.wait("ended");
    assert!(ended["quality"]["mos"].as_f64().unwrap() > 4.2, "{ended:#}");
    assert_eq!(phone.stop().code, Some(0));
    assert_eq!(other.stop().code, Some(0));
}
