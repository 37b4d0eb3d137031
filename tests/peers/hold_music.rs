//! Hold in both directions against baresip, and what is heard meanwhile.

use std::path::{Path, PathBuf};

use serde_json::json;
use tempfile::TempDir;

use crate::audio::{Sound, read_recording};
use crate::baresip::Baresip;
use crate::phone::{Phone, only_recording};
use crate::place::PATIENCE;

/// Speech after a codec is nearer than this, in decibels; other speech is beyond `FAR`.
const NEAR: f64 = 5.0;
const FAR: f64 = 7.0;
/// RTP packets in a second.
const PACKETS: f64 = 50.0;

/// Three things to say or to play, that the measure tells apart.
struct Sounds {
    before: Sound,
    after: Sound,
    music: Sound,
    theirs: Sound,
    folder: TempDir,
}

impl Sounds {
    fn new() -> Self {
        let speech = |text, voice| Sound::speech(text, voice, 48_000);
        Self {
            before: speech("She sells sea shells by the sea shore.", "en-us"),
            after: speech("Around the rugged rocks the ragged rascal ran.", "en-us"),
            music: speech("All of our lines are busy now, please hold.", "en-us+m7"),
            theirs: speech("How much wood would a woodchuck chuck?", "en-us+f3"),
            folder: TempDir::new().unwrap(),
        }
    }

    /// What is said before the hold, a pause in which it is pressed, what is said after it.
    fn voice(&self) -> PathBuf {
        let mut voice = self.before.clone();
        voice.samples.extend(vec![0.0; 3 * 48_000]);
        voice.samples.extend_from_slice(&self.after.samples);
        let path = self.folder.path().join("voice.wav");
        voice.write(&path);
        path
    }

    fn music(&self) -> PathBuf {
        let path = self.folder.path().join("music.wav");
        self.music.at_rate(22_050).write_stereo(&path);
        path
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Waits until so many packets were sent; gives how many it were.
fn until_sent(phone: &mut Phone, packets: f64) -> f64 {
    let told = phone.wait_for("packets", PATIENCE, |event| {
        event["event"] == "quality" && event["sent"].as_f64().unwrap() >= packets
    });
    told["sent"].as_f64().unwrap()
}

/// The longest time in which nothing is heard, in seconds.
fn longest_silence(sound: &Sound) -> f64 {
    let piece = usize::try_from(sound.rate / 100).unwrap();
    let (mut longest, mut now) = (0_u32, 0_u32);
    for samples in sound.samples.chunks(piece) {
        let quiet = samples.iter().all(|sample| sample.abs() < 0.01);
        now = if quiet { now + 1 } else { 0 };
        longest = longest.max(now);
    }
    f64::from(longest) / 100.0
}

#[test]
fn baresip_hears_the_music_and_then_us_again() {
    let sounds = Sounds::new();
    let [ours, listened] = ["ours", "listened"].map(|name| sounds.folder.path().join(name));
    let baresip = Baresip::overheard(&sounds.theirs);
    let (uri, listener) = (baresip.uri(), baresip.listener());
    let (voice, music) = (sounds.voice(), sounds.music());
    let mut phone = Phone::start(&[
        "--no-register",
        "--codecs",
        "pcma",
        "--play",
        text(&voice),
        "--hold-music",
        text(&music),
        "--record-dir",
        text(&ours),
        "--call",
        &uri,
    ]);
    until_sent(&mut phone, (sounds.before.seconds() + 0.2) * PACKETS);
    phone.command("hold");
    phone.wait("held");
    // Its bridge begins anew with the hold, so nobody may listen before.
    let options = ["--no-register", "--codecs", "pcma", "--call", &listener];
    let record = ["--record-dir", text(&listened)];
    let mut listener = Phone::start(&[&options[..], &record[..]].concat());
    listener.wait("answered");
    // The listener came in the middle of it: it is whole in the round after that.
    let since = until_sent(&mut phone, 0.0);
    until_sent(
        &mut phone,
        since + (2.0 * sounds.music.seconds() + 1.0) * PACKETS,
    );
    phone.command("resume");
    phone.wait("resumed");
    let since = until_sent(&mut phone, 0.0);
    until_sent(&mut phone, since + (sounds.after.seconds() + 3.5) * PACKETS);
    phone.command("hangup");
    phone.wait("ended");
    assert_eq!(phone.stop().code, Some(0));
    assert_eq!(listener.stop().code, Some(0));
    let (_, heard) = read_recording(&only_recording(&listened));
    let near = [&sounds.music, &sounds.after].map(|it| heard.distance_from(it));
    assert!(near.iter().all(|it| *it < NEAR), "heard: {near:?} dB");
    let far = heard.distance_from(&sounds.before);
    assert!(far > FAR, "told apart: {far} dB");
    // Our own side of the recording is silent while the music plays.
    let (left, _) = read_recording(&only_recording(&ours));
    let said = [&sounds.before, &sounds.after].map(|it| left.distance_from(it));
    assert!(said.iter().all(|it| *it < NEAR), "recorded: {said:?} dB");
    let music = left.distance_from(&sounds.music);
    assert!(music > FAR, "the music is recorded: {music} dB");
    assert!(longest_silence(&left) > 2.0 * sounds.music.seconds());
}

#[test]
fn baresip_holds_us_while_we_hold_it_and_both_come_back() {
    let sounds = Sounds::new();
    let mut baresip = Baresip::start("pcma", &sounds.theirs);
    let uri = baresip.uri();
    let (voice, music) = (sounds.voice(), sounds.music());
    let options = ["--no-register", "--codecs", "pcma", "--call", &uri];
    let sound = ["--play", text(&voice), "--hold-music", text(&music)];
    let mut phone = Phone::start(&[&options[..], &sound[..]].concat());
    phone.wait("answered");
    until_sent(&mut phone, 10.0);
    baresip.command("hold", "");
    assert_eq!(phone.wait("held")["by"], "remote");
    // Nothing is sent to a far end that holds, whether we hold it or not.
    let stands_still = |phone: &mut Phone| {
        phone.wait("quality");
        let sent = phone.wait("quality")["sent"].clone();
        assert_eq!(phone.wait("quality")["sent"], sent);
        sent.as_f64().unwrap()
    };
    stands_still(&mut phone);
    phone.command("hold");
    assert_eq!(phone.wait("held")["by"], "local");
    let since = stands_still(&mut phone);
    // It comes back and hears the music, for we still hold.
    baresip.command("resume", "");
    assert_eq!(phone.wait("held")["by"], "local", "now we alone");
    let since = until_sent(&mut phone, since + PACKETS);
    let playing = phone.wait("quality");
    assert!(playing["level_out"].as_f64().unwrap() > 0.0, "{playing:#}");
    phone.command("resume");
    phone.wait("resumed");
    let back = phone.wait_for("sound both ways", PATIENCE, |event| {
        event["event"] == "quality" && event["sent"].as_f64().unwrap() > since + 2.0 * PACKETS
    });
    assert!(back["level_in"].as_f64().is_some(), "{back:#}");
    phone.command("hangup");
    assert_eq!(phone.wait("ended")["state"], "completed");
    baresip.wait("CALL_CLOSED");
}

#[test]
fn music_that_cannot_be_played_is_told_and_the_phone_works_on() {
    let folder = TempDir::new().unwrap();
    let music = folder.path().join("music.wav");
    std::fs::write(&music, "no sound at all").unwrap();
    let config = folder.path().join("ringdesk.toml");
    let settings = json!({"settings": {"hold_music": music}});
    std::fs::write(&config, toml::to_string(&settings).unwrap()).unwrap();
    let mut other = Phone::start(&["--no-register", "--auto-answer"]);
    let to_other = other.uri();
    let options = [
        "--no-register",
        "--config",
        text(&config),
        "--call",
        &to_other,
    ];
    let mut phone = Phone::start(&options);
    let told = phone.wait("error");
    let words = told["message"].as_str().unwrap();
    for part in ["held callers hear silence", "music.wav", "choose another"] {
        assert!(words.contains(part), "{told:#}");
    }
    phone.wait("answered");
    phone.command("hold");
    assert_eq!(other.wait("held")["by"], "remote");
    phone.command("resume");
    other.wait("resumed");
    let ended = phone.stop();
    assert_eq!(ended.code, Some(0));
    assert!(ended.stderr.contains(words), "{}", ended.stderr);
}
