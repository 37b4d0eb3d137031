//! A call in which each side says a sentence of its own.

use std::ffi::OsString;
use std::path::Path;

use tempfile::TempDir;

use crate::audio::{Sound, read_recording};
use crate::phone::{Phone, only_recording};

/// How long each side talks, in seconds.
const TALK: &str = "7";
/// Speech after a codec is nearer than this, in decibels; other speech is beyond `FAR`.
const NEAR: f64 = 6.0;
const FAR: f64 = 7.0;
/// Where its recordings lie, below its folder.
pub(crate) const RECORDINGS: &str = "recordings";

/// What both sides say, and how our phone is started for it.
#[derive(Debug)]
pub(crate) struct Conversation {
    pub(crate) ours: Sound,
    pub(crate) theirs: Sound,
    folder: TempDir,
    options: Vec<String>,
}

impl Conversation {
    /// With these codecs of ours, in order.
    pub(crate) fn prepare(codecs: &str) -> Self {
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
        let mut options = one_call(folder.path(), codecs, &ours);
        options.extend(["--no-register", "--hangup-after", TALK].map(str::to_owned));
        Self {
            ours,
            theirs,
            folder,
            options,
        }
    }

    /// Starts our phone, which hangs up once both have talked.
    pub(crate) fn phone(&self, more: &[&str]) -> Phone {
        Phone::start(&self.options(more))
    }

    /// The same in a namespace: `prefix` starts a program there.
    pub(crate) fn phone_in(&self, prefix: &[OsString], more: &[&str]) -> Phone {
        Phone::start_behind(prefix, self.folder.path(), &self.options(more))
    }

    fn options<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        let own = self.options.iter().map(String::as_str);
        own.chain(more.iter().copied()).collect()
    }

    /// Both sides heard the other, and the recording tells them apart.
    pub(crate) fn assert_heard(&self, heard_there: &Sound) {
        let there = heard_there.distance_from(&self.ours);
        assert!(there < NEAR, "the far end heard us {there} dB away");
        let not_there = heard_there.distance_from(&self.theirs);
        assert!(
            not_there > FAR,
            "the measure tells speech apart: {not_there} dB"
        );
        self.assert_recorded();
    }

    /// Both sides heard what a telephone band does not carry: the hiss of the s and sh.
    pub(crate) fn assert_wide(&self, heard_there: &Sound) {
        let (_, heard_here) = recording(self.folder.path());
        // What the far end's file holds is at the codec's rate.
        for (sent, heard) in [
            (&self.ours, heard_there),
            (&self.theirs.at_rate(16_000), &heard_here),
        ] {
            let [sent, heard] = [sent, heard].map(|it| it.share_between(4_200.0, 6_800.0));
            assert!(sent > 1e-3, "the sentence has such a hiss: {sent}");
            let decibels = 10.0 * (heard / sent).log10();
            assert!(decibels.abs() < 3.0, "{decibels} dB of the upper band");
        }
    }

    /// Both voices are in the recording, each on its side.
    pub(crate) fn assert_recorded(&self) {
        let (left, right) = recording(self.folder.path());
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

/// The options of a phone that has one call, in which it says that and records both sides below `folder`.
pub(crate) fn one_call(folder: &Path, codecs: &str, ours: &Sound) -> Vec<String> {
    let play = folder.join("ours.wav");
    ours.write(&play);
    let records = folder.join(RECORDINGS);
    std::fs::create_dir(&records).unwrap();
    [
        "--codecs",
        codecs,
        "--play",
        &play.to_string_lossy(),
        "--record-dir",
        &records.to_string_lossy(),
        "--exit-after-calls",
        "1",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// What such a phone has recorded: its own side, and the far end.
pub(crate) fn recording(folder: &Path) -> (Sound, Sound) {
    read_recording(&only_recording(&folder.join(RECORDINGS)))
}
