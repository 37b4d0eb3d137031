//! Each seed of each fuzz target, fed to the same oracle that libFuzzer feeds.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end where it fails"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

#[path = "../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "the fuzz targets are crates of their own")]
mod oracles;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// The seeds of a target, in order.
fn seeds(target: &str) -> Vec<PathBuf> {
    let folder = fuzz().join("seeds").join(target);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

/// Feeds all seeds of a target and names those that it does wrong with.
fn replay(target: &str) {
    let files = seeds(target);
    assert!(!files.is_empty(), "{target} has no seeds");
    let failed: Vec<String> = files
        .iter()
        .filter(|file| {
            let bytes = std::fs::read(file).unwrap();
            catch_unwind(AssertUnwindSafe(|| oracles::check(target, &bytes))).is_err()
        })
        .map(|file| file.display().to_string())
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

macro_rules! replayed {
    ($($target:ident),* $(,)?) => {
        mod replayed {
            $(#[test]
            fn $target() {
                super::replay(stringify!($target));
            })*
        }

        const REPLAYED: &[&str] = &[$(stringify!($target)),*];
    };
}

replayed!(
    challenge,
    dialog_info,
    dtls,
    dtmf,
    endpoint,
    mail,
    message,
    name_addr,
    numbers,
    people,
    rtcp,
    rtp,
    sdp,
    sound,
    srtp,
    stun,
    uri,
    via,
    wire
);

#[test]
fn each_target_is_fuzzed_and_replayed() {
    let targets: Vec<&str> = oracles::TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(targets, REPLAYED);
    let manifest = std::fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    let bins: Vec<&str> = manifest
        .split("[[bin]]\n")
        .skip(1)
        .filter_map(|bin| bin.strip_prefix("name = \"")?.split('"').next())
        .collect();
    assert_eq!(targets, bins);
}

/// A file of this size is looked at; a larger one hides what it is about.
#[test]
fn seeds_are_small_and_few() {
    const MOST_BYTES: u64 = 4096;
    const MOST_FILES: usize = 300;

    for (target, _) in oracles::TARGETS {
        let files = seeds(target);
        assert!(files.len() <= MOST_FILES, "{target}: {}", files.len());
        for file in files {
            let length = file.metadata().unwrap().len();
            assert!(length <= MOST_BYTES, "{}: {length}", file.display());
        }
    }
}
