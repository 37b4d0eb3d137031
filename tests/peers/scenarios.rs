//! Each file of sipp-scenarios/ has a test and a fault that it notices. The tests look at the flow
//! (SIPp's exit code), the call's row, and the recording where there is sound, of which the tones
//! stand here.

use tempfile::TempDir;

use crate::audio::{Sound, read_recording};
use crate::phone::only_recording;
use crate::place;

/// The tone that the phone's own side hears, in hertz.
const OWN_TONE: f64 = 1_000.0;
/// The tone that SIPp sends: sipp-scenarios/tone-440hz.pcma.
const FAR_TONE: f64 = 440.0;

/// Both sides' tones lie where they belong.
pub(crate) fn assert_tones(folder: &std::path::Path) {
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
pub(crate) fn folder_with_tone() -> (TempDir, String, String) {
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
