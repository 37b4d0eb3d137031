//! Calls with baresip, both ways; the sound that arrived is compared with the sound that was sent.

use tempfile::TempDir;

use crate::audio::{Sound, read_recording};
use crate::baresip::Baresip;
use crate::phone::{Phone, only_recording};

/// How long each side talks, in seconds.
const TALK: &str = "7";
/// Speech after a codec is nearer than this, in decibels; other speech is beyond `FAR`.
const NEAR: f64 = 5.0;
const FAR: f64 = 7.0;

struct Call {
    ours: Sound,
    theirs: Sound,
    folder: TempDir,
    options: Vec<String>,
}

impl Call {
    fn prepare(codecs: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let ours = Sound::speech(
            "She sells sea shells by the sea shore; the shells she sells are surely seashells.",
            "en-us",
            48_000,
        );
        let theirs = Sound::speech(
            "How much wood would a woodchuck chuck, if a woodchuck could chuck wood?",
            "en-us+f3",
            48_000,
        );
        let play = folder.path().join("ours.wav");
        ours.write(&play);
        let records = folder.path().join("recordings");
        std::fs::create_dir(&records).unwrap();
        let options = [
            "--no-register",
            "--codecs",
            codecs,
            "--play",
            &play.to_string_lossy(),
            "--record-dir",
            &records.to_string_lossy(),
            "--hangup-after",
            TALK,
            "--exit-after-calls",
            "1",
        ]
        .map(str::to_owned)
        .to_vec();
        Self {
            ours,
            theirs,
            folder,
            options,
        }
    }

    fn phone(&self, more: &[&str]) -> Phone {
        let options: Vec<&str> = self
            .options
            .iter()
            .map(String::as_str)
            .chain(more.iter().copied())
            .collect();
        Phone::start(&options)
    }

    /// Both sides heard the other, and the recording tells them apart.
    fn assert_heard(&self, heard_by_baresip: &Sound) {
        let there = heard_by_baresip.distance_from(&self.ours);
        assert!(there < NEAR, "baresip heard us {there} dB away");
        let not_there = heard_by_baresip.distance_from(&self.theirs);
        assert!(
            not_there > FAR,
            "the measure tells speech apart: {not_there} dB"
        );
        let recording = only_recording(&self.folder.path().join("recordings"));
        let (left, right) = read_recording(&recording);
        let distances = [
            left.distance_from(&self.ours),
            right.distance_from(&self.theirs),
            left.distance_from(&self.theirs),
            right.distance_from(&self.ours),
        ];
        let [own_left, far_right, far_left, own_right] = distances;
        assert!(own_left < NEAR && far_right < NEAR, "near: {distances:?}");
        assert!(
            far_left > FAR && own_right > FAR,
            "told apart: {distances:?}"
        );
    }
}

fn baresip_calls_us(codec: &str, ours: &str) {
    let call = Call::prepare(ours);
    let mut baresip = Baresip::start(codec, &call.theirs);
    let mut phone = call.phone(&["--auto-answer=100"]);
    baresip.command("dial", &format!("sip:phone@{}", phone.address()));
    let media = phone.wait("media");
    assert!(
        codec.starts_with(&media["codec"].as_str().unwrap().to_lowercase()),
        "{media}"
    );
    let ended = phone.ended();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.only_call()["state"], "completed");
    baresip.wait("CALL_CLOSED");
    call.assert_heard(&baresip.heard());
}

fn we_call_baresip(codec: &str, ours: &str) {
    let call = Call::prepare(ours);
    let mut baresip = Baresip::start(codec, &call.theirs);
    let uri = baresip.uri();
    let ended = call.phone(&["--call", &uri]).ended();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let row = ended.only_call();
    assert_eq!(row["state"], "completed");
    assert_eq!(row["direction"], "outbound");
    baresip.wait("CALL_CLOSED");
    call.assert_heard(&baresip.heard());
}

#[test]
fn baresip_calls_us_with_opus() {
    baresip_calls_us("opus/48000/2", "opus,pcmu,pcma");
}

#[test]
fn we_call_baresip_with_opus() {
    we_call_baresip("opus/48000/2", "opus,pcmu,pcma");
}

#[test]
fn we_call_baresip_which_knows_only_g711() {
    we_call_baresip("pcma", "opus,pcmu,pcma");
}

#[test]
fn baresip_is_transferred_to_another_phone() {
    let speech = Sound::tone(440.0, 20, 48_000);
    let baresip = Baresip::start("PCMA/8000/1", &speech);
    let mut carol = Phone::start(&["--no-register", "--auto-answer", "--codecs", "pcma"]);
    let to_carol = format!("sip:carol@{}", carol.address());
    let target = baresip.uri();
    let options = ["--no-register", "--codecs", "pcma", "--call", &target];
    let transfer = ["--transfer", &to_carol, "--exit-after-calls", "1"];
    let alice = Phone::start(&[&options[..], &transfer[..]].concat()).ended();
    assert_eq!(alice.code, Some(0), "{}", alice.stderr);
    let told = alice.event("transferred");
    assert!(told["status"].as_u64().unwrap() < 300, "{told:#}");
    let answered = carol.wait("answered");
    assert!(
        answered["from"].as_str().unwrap().contains("baresip"),
        "{answered:#}"
    );
}

#[test]
fn baresip_transfers_us_to_another_phone() {
    let speech = Sound::tone(440.0, 20, 48_000);
    let mut baresip = Baresip::start("PCMA/8000/1", &speech);
    let mut carol = Phone::start(&["--no-register", "--auto-answer", "--codecs", "pcma"]);
    let target = baresip.uri();
    let mut alice = Phone::start(&[
        "--no-register",
        "--codecs",
        "pcma",
        "--transfers",
        "always",
        "--call",
        &target,
    ]);
    alice.wait("answered");
    baresip.wait("CALL_ESTABLISHED");
    baresip.command("transfer", &format!("sip:carol@{}", carol.address()));
    let wish = alice.wait("transfer_requested");
    assert_eq!(wish["decision"], "followed", "{wish:#}");
    carol.wait("answered");
    // baresip leaves once it hears that it worked.
    let left = alice.wait("ended");
    assert_eq!(left["reason"], "the far end hung up", "{left:#}");
    alice.command("hangup");
    carol.wait("ended");
}
