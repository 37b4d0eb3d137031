//! Each file of sipp-scenarios/ against the phone: the flow (SIPp's exit code), the call's row,
//! and the recording where there is sound.

use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::audio::{Sound, read_recording};
use crate::junit::scenario;
use crate::phone::{Phone, only_recording};
use crate::place;
use crate::sipp::Sipp;

/// The tone that the phone's own side hears, in hertz.
const OWN_TONE: f64 = 1_000.0;
/// The tone that SIPp sends: sipp-scenarios/tone-440hz.pcma.
const FAR_TONE: f64 = 440.0;

/// SIPp calls a phone that answers at once; the rows afterwards.
fn answered_call(name: &str, phone_options: &[&str], sipp_options: &[&str]) -> Value {
    let options = [&["--no-register", "--auto-answer=100"], phone_options].concat();
    let mut phone = Phone::start(&options);
    Sipp::to(phone.address(), name, sipp_options).passes();
    let ended = phone.wait("ended");
    assert_eq!(ended["direction"], "inbound");
    let row = phone.only_call();
    assert_eq!(row["direction"], "inbound");
    assert_eq!(row["state"], "completed", "{row:#}");
    assert!(row["talking_millis"].as_i64().unwrap() >= 0, "{row:#}");
    assert_eq!(phone.stop().code, Some(0));
    row
}

/// SIPp calls a phone that does not take the call; the row afterwards.
fn unanswered_call(name: &str, phone_options: &[&str]) -> Value {
    let options = [&["--no-register"], phone_options].concat();
    let mut phone = Phone::start(&options);
    Sipp::to(phone.address(), name, &[]).passes();
    phone.wait("ended");
    let row = phone.only_call();
    assert_eq!(row["talking_millis"], Value::Null, "{row:#}");
    assert_eq!(phone.stop().code, Some(0));
    row
}

/// SIPp sends something that is no call: there is no row.
fn no_call(name: &str) {
    let phone = Phone::start(&["--no-register", "--auto-answer"]);
    Sipp::to(phone.address(), name, &[]).passes();
    assert_eq!(phone.calls(), Vec::<Value>::new());
    assert_eq!(phone.stop().code, Some(0));
}

/// The phone calls SIPp, which answers; the row afterwards.
fn placed_call(name: &str, phone_options: &[&str], sipp_options: &[&str]) -> Value {
    let sipp = Sipp::called(name, sipp_options);
    let uri = format!("sip:sipp@127.0.0.1:{}", sipp.port());
    let options = [
        &["--no-register", "--call", &uri, "--exit-after-calls", "1"],
        phone_options,
    ]
    .concat();
    let ended = Phone::start(&options).ended();
    sipp.passes();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let row = ended.only_call();
    assert_eq!(row["direction"], "outbound");
    assert_eq!(row["state"], "completed", "{row:#}");
    row
}

/// Both sides' tones lie where they belong.
fn assert_tones(folder: &std::path::Path) {
    let (left, right) = read_recording(&only_recording(folder));
    assert!(
        right.share_of_tone(FAR_TONE) > 0.7,
        "the far end's tone on the right"
    );
    assert!(
        right.share_of_tone(OWN_TONE) < 0.05,
        "the own tone is not on the right"
    );
    assert!(
        left.share_of_tone(OWN_TONE) > 0.7,
        "the own tone on the left"
    );
    assert!(
        left.share_of_tone(FAR_TONE) < 0.05,
        "the far end's tone is not on the left"
    );
    assert!(
        (1.0..6.0).contains(&right.seconds()),
        "{} s",
        right.seconds()
    );
}

/// A folder with the own tone as `own.wav`.
fn folder_with_tone() -> (TempDir, String, String) {
    let folder = TempDir::new().unwrap();
    let own = folder.path().join("own.wav");
    Sound::tone(OWN_TONE, 10, 48_000).write(&own);
    let records = folder.path().join("recordings");
    std::fs::create_dir(&records).unwrap();
    let texts = [own, records].map(|path| path.to_string_lossy().into_owned());
    let [own, records] = texts;
    (folder, own, records)
}

#[test]
fn call_in() {
    scenario("call-in", || {
        let (_folder, own, records) = folder_with_tone();
        let row = answered_call("call-in", &["--play", &own, "--record-dir", &records], &[]);
        assert!(
            row["recording"].as_str().unwrap().ends_with(".wav"),
            "{row:#}"
        );
        assert_tones(records.as_ref());
    });
}

#[test]
fn call_in_over_tcp() {
    scenario("tcp-call-in", || {
        answered_call("tcp-call-in", &[], &["-t", "t1"]);
    });
}

#[test]
fn late_offer() {
    scenario("late-offer", || {
        let (_folder, own, records) = folder_with_tone();
        answered_call(
            "late-offer",
            &["--play", &own, "--record-dir", &records],
            &[],
        );
        assert_tones(records.as_ref());
    });
}

#[test]
fn bye_from_caller() {
    scenario("bye-from-caller", || {
        answered_call("bye-from-caller", &[], &[]);
    });
}

#[test]
fn bye_from_phone() {
    scenario("bye-from-phone", || {
        answered_call("bye-from-phone", &["--hangup-after", "1"], &[]);
    });
}

#[test]
fn record_route_in() {
    scenario("record-route-in", || {
        answered_call("record-route-in", &["--hangup-after", "1"], &[]);
    });
}

#[test]
fn lost_200() {
    scenario("lost-200", || {
        answered_call("lost-200", &[], &["-nr"]);
    });
}

#[test]
fn ack_never_comes() {
    scenario("ack-never-comes", || {
        let mut phone = Phone::start(&["--no-register", "--auto-answer"]);
        Sipp::to(phone.address(), "ack-never-comes", &[]).passes();
        phone.wait("ended");
        let row = phone.only_call();
        let reason = row["end_reason"].as_str().unwrap();
        assert!(reason.contains("peer unreachable"), "{row:#}");
    });
}

#[test]
fn hold_and_resume() {
    scenario("hold-and-resume", || {
        let mut phone = Phone::start(&["--no-register", "--auto-answer"]);
        let sipp = Sipp::to(phone.address(), "hold-and-resume", &[]);
        phone.wait("answered");
        phone.wait("held");
        phone.wait("resumed");
        phone.wait("ended");
        sipp.passes();
        assert_eq!(phone.only_call()["state"], "completed");
    });
}

#[test]
fn decline() {
    scenario("decline", || {
        let row = unanswered_call("decline", &["--reject", "603"]);
        assert_eq!(row["state"], "rejected", "{row:#}");
        assert_eq!(row["sip_status"], 603, "{row:#}");
    });
}

#[test]
fn cancel_after_180() {
    scenario("cancel-after-180", || {
        let row = unanswered_call("cancel-after-180", &[]);
        assert_eq!(row["state"], "no-answer", "a missed call: {row:#}");
        assert_eq!(row["done"], false, "to be called back: {row:#}");
    });
}

#[test]
fn answered_elsewhere() {
    scenario("answered-elsewhere", || {
        let row = unanswered_call("answered-elsewhere", &[]);
        assert_eq!(row["state"], "answered-elsewhere", "{row:#}");
        assert_eq!(row["done"], true, "nobody needs to call back: {row:#}");
    });
}

#[test]
fn early_media() {
    scenario("early-media", || {
        let row = unanswered_call("early-media", &["--early-media"]);
        assert_eq!(row["state"], "no-answer", "{row:#}");
    });
}

#[test]
fn redirect() {
    scenario("redirect", || {
        let row = unanswered_call("redirect", &["--redirect", "sip:mailbox@192.0.2.7"]);
        assert_eq!(row["state"], "forwarded", "{row:#}");
        assert_eq!(row["sip_status"], 302, "{row:#}");
    });
}

#[test]
fn merged_request() {
    scenario("merged-request", || {
        let row = unanswered_call("merged-request", &[]);
        assert_eq!(row["state"], "no-answer", "{row:#}");
    });
}

#[test]
fn second_call_is_busy() {
    scenario("second-call-is-busy", || {
        let mut phone = Phone::start(&["--no-register", "--auto-answer", "--max-calls", "1"]);
        let first = Sipp::to(phone.address(), "bye-from-phone", &[]);
        phone.wait("answered");
        Sipp::to(phone.address(), "second-call-is-busy", &[]).passes();
        phone.wait("ended");
        phone.command("hangup");
        first.passes();
        phone.wait("ended");
        let is = |state: &'static str| move |row: &Value| row["state"] == state;
        let rows = phone.calls();
        assert!(rows.iter().any(is("completed")), "{rows:#?}");
        assert!(rows.iter().any(is("busy")), "{rows:#?}");
        assert_eq!(phone.stop().code, Some(0));
    });
}

#[test]
fn no_common_codec() {
    scenario("no-common-codec", || {
        let phone = Phone::start(&["--no-register", "--auto-answer"]);
        Sipp::to(phone.address(), "no-common-codec", &[]).passes();
        let rows = phone.calls();
        let [row] = rows.as_slice() else {
            panic!("{rows:#?}")
        };
        assert_eq!(row["state"], "failed", "{row:#}");
        assert_eq!(row["sip_status"], 488, "{row:#}");
        assert_eq!(row["talking_millis"], Value::Null, "{row:#}");
    });
}

#[test]
fn unknown_require() {
    scenario("unknown-require", || no_call("unknown-require"));
}

#[test]
fn unknown_method() {
    scenario("unknown-method", || no_call("unknown-method"));
}

#[test]
fn options_ping() {
    scenario("options-ping", || no_call("options-ping"));
}

#[test]
fn bye_for_unknown_call() {
    scenario("bye-for-unknown-call", || no_call("bye-for-unknown-call"));
}

#[test]
fn call_out() {
    scenario("call-out", || {
        let (_folder, own, records) = folder_with_tone();
        let options = [
            "--play",
            &own,
            "--record-dir",
            &records,
            "--hangup-after",
            "2",
        ];
        placed_call("call-out", &options, &[]);
        assert_tones(records.as_ref());
    });
}

#[test]
fn lost_ack() {
    scenario("lost-ack", || {
        placed_call("lost-ack", &["--hangup-after", "4"], &["-nr"]);
    });
}

#[test]
fn forked_200() {
    scenario("forked-200", || {
        placed_call("forked-200", &["--hangup-after", "3"], &["-nr"]);
    });
}

#[test]
fn record_route_out() {
    scenario("record-route-out", || {
        let sipp = Sipp::called("record-route-out", &[]);
        let proxy = format!("sip:127.0.0.1:{};lr", sipp.port());
        let ended = Phone::start(&[
            "--no-register",
            "--outbound-proxy",
            &proxy,
            "--call",
            "sip:sipp@192.0.2.7",
            "--hangup-after",
            "1",
            "--exit-after-calls",
            "1",
        ])
        .ended();
        sipp.passes();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert_eq!(ended.only_call()["state"], "completed");
    });
}

#[test]
fn busy() {
    scenario("busy", || {
        let sipp = Sipp::called("busy", &[]);
        let uri = format!("sip:sipp@127.0.0.1:{}", sipp.port());
        let ended =
            Phone::start(&["--no-register", "--call", &uri, "--exit-after-calls", "1"]).ended();
        sipp.passes();
        assert_eq!(ended.code, Some(4), "{}", ended.stderr);
        assert_eq!(ended.event("ended")["status"], 486);
        let row = ended.only_call();
        assert_eq!(
            (&row["state"], &row["sip_status"]),
            (&json!("busy"), &json!(486)),
            "{row:#}"
        );
    });
}

/// The phone calls SIPp and hangs up by a command after `event`; the row afterwards.
fn given_up_call(name: &str, event: &str) -> Value {
    let sipp = Sipp::called(name, &[]);
    let uri = format!("sip:sipp@127.0.0.1:{}", sipp.port());
    let mut phone = Phone::start(&["--no-register", "--call", &uri]);
    phone.wait(event);
    sipp.until_message("INVITE sip:sipp@");
    phone.command("hangup");
    phone.wait("ended");
    sipp.passes();
    let row = phone.only_call();
    assert_eq!(phone.stop().code, Some(0));
    row
}

#[test]
fn cancel_before_180() {
    scenario("cancel-before-180", || {
        let row = given_up_call("cancel-before-180", "outgoing");
        assert_eq!(row["state"], "canceled", "{row:#}");
    });
}

#[test]
fn cancel_out_after_180() {
    scenario("cancel-out-after-180", || {
        let row = given_up_call("cancel-out-after-180", "ringing");
        assert_eq!(row["state"], "canceled", "{row:#}");
    });
}

#[test]
fn cancel_crosses_200() {
    scenario("cancel-crosses-200", || {
        let row = given_up_call("cancel-crosses-200", "ringing");
        assert_eq!(row["state"], "canceled", "{row:#}");
    });
}

#[test]
fn no_answer() {
    scenario("no-answer", || {
        let sipp = Sipp::called("no-answer", &[]);
        let uri = format!("sip:sipp@127.0.0.1:{}", sipp.port());
        let options = ["--no-register", "--ring-limit", "2", "--call", &uri];
        let ended = Phone::start(&[&options[..], &["--exit-after-calls", "1"]].concat()).ended();
        sipp.passes();
        assert_eq!(ended.code, Some(4), "{}", ended.stderr);
        let row = ended.only_call();
        assert_eq!(row["state"], "no-answer", "{row:#}");
        let waited = row["waiting_millis"].as_i64().unwrap();
        assert!((1_900..4_000).contains(&waited), "{waited} ms");
    });
}

#[test]
fn hold_by_phone() {
    scenario("hold-by-phone", || {
        let sipp = Sipp::called("hold-by-phone", &[]);
        let uri = format!("sip:sipp@127.0.0.1:{}", sipp.port());
        let mut phone = Phone::start(&["--no-register", "--call", &uri]);
        phone.wait("answered");
        phone.command("hold");
        phone.wait("held");
        phone.command("resume");
        phone.wait("resumed");
        phone.command("hangup");
        phone.wait("ended");
        sipp.passes();
        assert_eq!(phone.only_call()["state"], "completed");
    });
}

#[test]
fn glare() {
    scenario("glare", || {
        let sipp = Sipp::called("glare", &[]);
        let uri = format!("sip:sipp@127.0.0.1:{}", sipp.port());
        let mut phone = Phone::start(&["--no-register", "--call", &uri]);
        phone.wait("answered");
        phone.command("hold");
        phone.wait("held");
        phone.command("hangup");
        phone.wait("ended");
        sipp.passes();
        assert_eq!(phone.only_call()["state"], "completed");
    });
}

/// The options of an account at SIPp's port.
fn account(registrar: &str) -> [&str; 6] {
    [
        "--account",
        "sip:alice@127.0.0.1",
        "--registrar",
        registrar,
        "--password-env",
        "RINGDESK_TEST_PASSWORD",
    ]
}

#[test]
fn register_with_digest() {
    scenario("register-with-digest", || {
        let sipp = Sipp::called("register-with-digest", &[]);
        let registrar = format!("127.0.0.1:{}", sipp.port());
        let mut phone = Phone::start(&account(&registrar));
        phone.wait("registered");
        let ended = phone.stop();
        sipp.passes();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    });
}

#[test]
fn register_interval_too_brief() {
    scenario("register-interval-too-brief", || {
        let sipp = Sipp::called("register-interval-too-brief", &[]);
        let registrar = format!("127.0.0.1:{}", sipp.port());
        let mut phone = Phone::start(&[&account(&registrar)[..], &["--expires", "60"]].concat());
        let registered = phone.wait("registered");
        assert!(
            registered["expires"].as_f64().unwrap() >= 1_700.0,
            "{registered}"
        );
        let _ended = phone.stop();
        sipp.passes();
    });
}

#[test]
fn register_for_seconds() {
    scenario("register-for-seconds", || {
        let sipp = Sipp::called("register-for-seconds", &[]);
        let registrar = format!("127.0.0.1:{}", sipp.port());
        let mut phone = Phone::start(&account(&registrar));
        assert_eq!(phone.wait("registered")["expires"], 3);
        assert_eq!(phone.wait("registration_failed")["status"], 403);
        sipp.passes();
    });
}

#[test]
fn register_with_a_wrong_password() {
    scenario("register-wrong-password", || {
        let sipp = Sipp::called("register-wrong-password", &[]);
        let registrar = format!("127.0.0.1:{}", sipp.port());
        let mut phone = Phone::spawn(TempDir::new().unwrap(), &account(&registrar));
        let patience = Duration::from_secs(10);
        let failed = phone.wait_for("registration_failed", patience, |event| {
            event["event"] == "registration_failed"
        });
        assert_eq!(failed["status"], 401, "{failed}");
        assert!(
            failed["reason"].as_str().unwrap().contains("password"),
            "{failed}"
        );
        let ended = phone.ended();
        assert_eq!(ended.code, Some(3));
        assert!(ended.stderr.contains("password"), "{}", ended.stderr);
        assert!(
            !ended.stderr.contains("sesame"),
            "the password is not repeated"
        );
        sipp.passes();
    });
}

#[test]
fn call_out_with_digest() {
    scenario("call-out-with-digest", || {
        let sipp = Sipp::called("call-out-with-digest", &[]);
        let uri = format!("sip:sipp@127.0.0.1:{}", sipp.port());
        let ended = Phone::start(&[
            "--account",
            "sip:alice@127.0.0.1",
            "--password-env",
            "RINGDESK_TEST_PASSWORD",
            // SIPp takes no TCP, which so large a request would try first.
            "--transport",
            "udp",
            "--no-register",
            "--call",
            &uri,
            "--hangup-after",
            "1",
            "--exit-after-calls",
            "1",
        ])
        .ended();
        sipp.passes();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert_eq!(ended.only_call()["answered_by"], "Bea (201)");
    });
}

#[test]
fn every_scenario_has_a_test_and_a_row_that_names_a_fault() {
    let folder = place::root().join("sipp-scenarios");
    let table = std::fs::read_to_string(folder.join("README.md")).unwrap();
    let tests = sources();
    let mut missing = Vec::new();
    for path in files(&folder, "xml") {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let row = table
            .lines()
            .find(|line| line.starts_with(&format!("| `{name}` |")));
        let fault = row
            .and_then(|row| row.rsplit('`').nth(1))
            .unwrap_or_default();
        let patch = place::root().join(format!("tests/broken/{fault}.patch"));
        if !tests.contains(&format!("\"{name}\"")) || !patch.exists() {
            missing.push(name);
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn every_fault_fits_the_sources_and_names_tests() {
    let tests = sources();
    let mut wrong = Vec::new();
    for path in files(&place::root().join("tests/broken"), "patch") {
        let text = std::fs::read_to_string(&path).unwrap();
        let named = text
            .lines()
            .find_map(|line| line.strip_prefix("fails: "))
            .unwrap_or_default();
        let known = |test: &str| tests.contains(&format!("fn {test}()"));
        let fits = std::process::Command::new("patch")
            .args(["--dry-run", "--force", "--quiet", "--fuzz=0"])
            .args(["--strip=1", "--input"])
            .arg(&path)
            .current_dir(place::root())
            .stdout(std::process::Stdio::null())
            .status()
            .unwrap()
            .success();
        if named.is_empty() || !named.split(' ').all(known) || !fits {
            wrong.push(path);
        }
    }
    assert_eq!(wrong, Vec::<std::path::PathBuf>::new());
}

/// The text of every file of these tests.
fn sources() -> String {
    files(&place::root().join("tests/peers"), "rs")
        .into_iter()
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect()
}

/// The files of a folder with this extension.
fn files(folder: &std::path::Path, extension: &str) -> Vec<std::path::PathBuf> {
    let files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    assert!(!files.is_empty(), "nothing in {}", folder.display());
    files
}
