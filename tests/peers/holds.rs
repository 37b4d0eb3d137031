//! Holding and being held by linphone and baresip: what is said, and what is heard meanwhile.

use serde_json::Value;
use tempfile::TempDir;

use crate::audio::{Sound, read_recording};
use crate::baresip::Baresip;
use crate::linphone::Linphone;
use crate::phone::{Phone, only_recording};
use crate::place::PATIENCE;

/// What our phone says all the time, in hertz.
const OURS: f64 = 1_000.0;
/// What the far end says before, while and after it is held.
const BEFORE: f64 = 440.0;
const MEANWHILE: f64 = 700.0;
const AFTER: f64 = 2_000.0;
/// So long each part is listened to, in milliseconds.
const LISTEN: usize = 1_500;
/// What was under way when a recording began may still be in it, for so long.
const SETTLES: f64 = 0.7;
/// A tone that is heard has more than this share of the sound, one that is not has less than `UNHEARD`.
const HEARD: f64 = 0.7;
const UNHEARD: f64 = 0.2;

fn tone(hertz: f64) -> Sound {
    Sound::tone(hertz, 3, 48_000)
}

/// A phone of ours in a call that it placed, saying its tone and recording.
struct Caller {
    phone: Phone,
    folder: TempDir,
}

impl Caller {
    fn of(target: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let play = folder.path().join("ours.wav");
        Sound::tone(OURS, 1, 48_000).write(&play);
        let records = folder.path().join("recordings");
        std::fs::create_dir(&records).unwrap();
        let mut phone = Phone::start(&[
            "--no-register",
            "--call",
            target,
            "--play",
            &play.to_string_lossy(),
            "--loop",
            "--record-dir",
            &records.to_string_lossy(),
            "--exit-after-calls",
            "1",
        ]);
        phone.wait("answered");
        Self { phone, folder }
    }

    fn held_by(&mut self, whom: &str) {
        let held = self.phone.wait("held");
        assert_eq!(held["by"], whom, "{held:#}");
    }

    /// Waits until so many more packets were counted, as `received` or `sent`.
    fn packets(&mut self, which: &str, more: u64) {
        let count = |event: &Value| event[which].as_u64().unwrap();
        let first = self.phone.wait("quality");
        let wanted = count(&first) + more;
        self.phone.wait_for("more packets", PATIENCE, |event| {
            event["event"] == "quality" && count(event) >= wanted
        });
    }

    /// The packets counted in the next report, and in the one after it.
    fn two_counts(&mut self, which: &str) -> [Value; 2] {
        [(); 2].map(|()| self.phone.wait("quality")[which].clone())
    }

    /// Hangs up and gives what it heard.
    fn heard(mut self) -> Sound {
        self.phone.command("hangup");
        let ended = self.phone.ended();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert_eq!(ended.only_call()["state"], "completed");
        read_recording(&only_recording(&self.folder.path().join("recordings"))).1
    }
}

#[test]
fn linphone_holds_us_and_resumes() {
    let mut linphone = Linphone::start("opus/48000/2", &tone(BEFORE));
    let mut caller = Caller::of(&linphone.uri());
    linphone.wait("Media streams established");
    linphone.until_recorded("first", LISTEN);
    linphone.record("held");
    linphone.command("pause");
    linphone.wait("is now paused");
    caller.held_by("remote");
    let [once, again] = caller.two_counts("sent");
    assert_eq!(once, again, "we are silent while held");
    linphone.play(&tone(AFTER));
    linphone.record("after");
    linphone.command("resume 1");
    caller.phone.wait("resumed");
    linphone.until_recorded("after", LISTEN);
    let heard = caller.heard();
    linphone.wait("ended (No error)");
    let linphone = linphone.quit();
    assert!(linphone.recording("first").share_of_tone(OURS) > HEARD);
    assert!(linphone.recording("held").from(SETTLES).share_of_tone(OURS) < UNHEARD);
    assert!(linphone.recording("after").share_of_tone(OURS) > HEARD);
    assert!(heard.share_of_tone(BEFORE) > HEARD);
    assert!(heard.share_of_tone(AFTER) > HEARD);
}

#[test]
fn we_hold_linphone_and_resume() {
    let mut linphone = Linphone::start("opus/48000/2", &tone(BEFORE));
    let mut caller = Caller::of(&linphone.uri());
    linphone.wait("Media streams established");
    linphone.until_recorded("first", LISTEN);
    caller.phone.command("hold");
    caller.held_by("local");
    linphone.wait("has been paused by");
    linphone.play(&tone(MEANWHILE));
    linphone.record("held");
    linphone.until_recorded("held", LISTEN);
    linphone.play(&tone(AFTER));
    linphone.record("after");
    caller.phone.command("resume");
    caller.phone.wait("resumed");
    linphone.wait("Media streams established");
    linphone.until_recorded("after", LISTEN);
    let heard = caller.heard();
    linphone.wait("ended (No error)");
    let linphone = linphone.quit();
    assert!(linphone.recording("first").share_of_tone(OURS) > HEARD);
    assert!(linphone.recording("after").share_of_tone(OURS) > HEARD);
    assert!(heard.share_of_tone(BEFORE) > HEARD);
    assert!(
        heard.share_of_tone(MEANWHILE) < UNHEARD,
        "nobody listens to who is held"
    );
    assert!(heard.share_of_tone(AFTER) > HEARD);
}

#[test]
fn baresip_holds_us_and_resumes() {
    let mut baresip = Baresip::start("opus/48000/2", &Sound::tone(BEFORE, 20, 48_000));
    let mut caller = Caller::of(&baresip.uri());
    baresip.wait("CALL_ESTABLISHED");
    caller.packets("received", 50);
    baresip.command("hold", "");
    caller.held_by("remote");
    let [once, again] = caller.two_counts("sent");
    assert_eq!(once, again, "we are silent while held");
    baresip.command("resume", "");
    caller.phone.wait("resumed");
    caller.packets("sent", 50);
    caller.packets("received", 50);
    assert!(caller.heard().share_of_tone(BEFORE) > HEARD);
    baresip.wait("CALL_CLOSED");
    assert!(baresip.heard().share_of_tone(OURS) > HEARD);
}

#[test]
fn we_hold_baresip_and_resume() {
    let mut baresip = Baresip::start("opus/48000/2", &Sound::tone(BEFORE, 20, 48_000));
    let mut caller = Caller::of(&baresip.uri());
    baresip.wait("CALL_ESTABLISHED");
    caller.packets("received", 50);
    caller.phone.command("hold");
    caller.held_by("local");
    let [once, again] = caller.two_counts("received");
    assert_eq!(once, again, "baresip is silent while held");
    caller.phone.command("resume");
    caller.phone.wait("resumed");
    caller.packets("sent", 50);
    caller.packets("received", 50);
    assert!(caller.heard().share_of_tone(BEFORE) > HEARD);
    baresip.wait("CALL_CLOSED");
    assert!(baresip.heard().share_of_tone(OURS) > HEARD);
}
