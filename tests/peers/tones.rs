//! A call in which each side plays a tone of its own until it is clear that both hear the other: what
//! the beginning lost to a handshake or to checks does not count.

use std::ffi::OsString;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::audio::Sound;
use crate::conversation::{RECORDINGS, one_call, recording};
use crate::phone::Phone;
use crate::place::PATIENCE;

/// The tones of both sides, in hertz.
const TONES: [f64; 2] = [440.0, 1_000.0];
/// How long they would last, in seconds.
const LENGTH: u32 = 30;
/// Packets of 20 ms, in both directions, after which a tone has been heard: most of a second.
const ENOUGH: u64 = 40;
/// The part of a recording that counts, in seconds from its end.
const LAST: f64 = 1.2;

/// What both sides play, and how our phone is started for it.
#[derive(Debug)]
pub(crate) struct Tones {
    /// What our phone plays, and what is played to it, in hertz.
    hertz: [f64; 2],
    pub(crate) theirs: Sound,
    folder: TempDir,
    options: Vec<String>,
}

impl Tones {
    /// With these codecs of ours, in order.
    pub(crate) fn prepare(codecs: &str) -> Self {
        Self::playing(TONES, codecs)
    }

    /// The two sides of a call between two phones of ours.
    pub(crate) fn pair(codecs: &str) -> [Self; 2] {
        let [first, second] = TONES;
        [[first, second], [second, first]].map(|hertz| Self::playing(hertz, codecs))
    }

    fn playing(hertz: [f64; 2], codecs: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let [ours, theirs] = hertz.map(|hertz| Sound::tone(hertz, LENGTH, 48_000));
        Self {
            hertz,
            theirs,
            options: one_call(folder.path(), codecs, &ours),
            folder,
        }
    }

    /// Starts our phone, without an account, where `prefix` starts a program.
    pub(crate) fn phone(&self, prefix: &[OsString], more: &[&str]) -> Phone {
        self.start(prefix, &[&["--no-register"], more].concat())
    }

    /// Starts our phone with an account.
    pub(crate) fn phone_of(&self, account: &[String], more: &[&str]) -> Phone {
        let account = account.iter().map(String::as_str);
        let options: Vec<&str> = account.chain(more.iter().copied()).collect();
        let mut phone = self.start(&[], &options);
        phone.wait("registered");
        phone
    }

    fn start(&self, prefix: &[OsString], more: &[&str]) -> Phone {
        let own = self.options.iter().map(String::as_str);
        let all: Vec<&str> = own.chain(more.iter().copied()).collect();
        Phone::start_behind(prefix, self.folder.path(), &all)
    }

    /// Its folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Both sides heard the other at the end, and nothing of themselves.
    pub(crate) fn assert_heard(&self, heard_there: &Sound) {
        let [ours, theirs] = self.hertz;
        assert_tone(heard_there, ours, theirs);
        self.assert_recorded();
    }

    /// Our phone heard the other side at the end, and nothing of itself.
    pub(crate) fn assert_recorded(&self) {
        let (left, right) = recording(self.folder.path());
        let [ours, theirs] = self.hertz;
        assert_tone(&left, ours, theirs);
        assert_tone(&right, theirs, ours);
    }

    /// Nothing of the far end was ever played: where there is a recording, its side is silent.
    pub(crate) fn assert_unheard(&self) {
        let records = self.folder.path().join(RECORDINGS);
        if std::fs::read_dir(records).unwrap().next().is_some() {
            let (_, right) = recording(self.folder.path());
            assert!(right.loudest() < 1e-3, "heard: {}", right.loudest());
        }
    }
}

/// Waits until enough sound went from now on in both directions.
pub(crate) fn until_heard(phone: &mut Phone) {
    let counts = |event: &Value| ["sent", "received"].map(|it| event[it].as_u64().unwrap());
    let begun = counts(&phone.wait("quality"));
    phone.wait_for("sound both ways", PATIENCE, |event| {
        event["event"] == "quality" && {
            let mut both = counts(event).into_iter().zip(begun);
            both.all(|(now, then)| now >= then + ENOUGH)
        }
    });
}

/// The end of it is that tone, and not the other. Looked at in short pieces, so that it may be stretched
/// or mended where a busy machine was late.
fn assert_tone(sound: &Sound, hertz: f64, other: f64) {
    let end = sound.from(sound.seconds() - LAST);
    let [share, not] = [hertz, other].map(|it| end.share_between(it - 150.0, it + 150.0));
    assert!(
        end.loudest() > 0.05 && share > 0.8 && not < 0.1,
        "{hertz} Hz and not {other}: {share} and {not}, at most {}, of {} s",
        end.loudest(),
        sound.seconds()
    );
}
