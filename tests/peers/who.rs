//! Who would call, and why: asked by a command.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::phone::run;

fn ask(folder: &Path, words: &[&str]) -> (Option<i32>, String, String) {
    let mut arguments: Vec<_> = words.iter().map(Into::into).collect();
    arguments.extend(["--data-dir".into(), folder.into()]);
    run(&arguments)
}

/// What `ringdesk who` says.
fn who(folder: &Path, words: &[&str]) -> Value {
    let words = [&["who", "--json"], words].concat();
    let (code, stdout, stderr) = ask(folder, &words);
    assert_eq!(code, Some(0), "{words:?}: {stderr}");
    serde_json::from_str(&stdout).unwrap()
}

#[test]
fn each_match_and_each_miss_says_why() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("config.toml"), "[settings]\nregion = \"DE\"\n").unwrap();
    for (name, number) in [("Anna", "030/123 45 67"), ("Bob", "+1 212 555 0123")] {
        let words = ["contacts", "--add", name, "--number", number];
        assert_eq!(ask(folder, &words).0, Some(0));
    }
    assert_eq!(
        ask(folder, &["note", "contact:1", "mobile 0171 2345678"]).0,
        Some(0)
    );
    for (words, name, level, reason) in [
        (
            &["+49 30 1234567"][..],
            "Anna",
            "known",
            "same number in international form",
        ),
        (
            &["2125550123", "--region", "us"],
            "Bob",
            "known",
            "same number in international form",
        ),
        (&["0171/2345678"], "Anna", "maybe", "a note of"),
    ] {
        let found = who(folder, words);
        let best = &found["matches"][0];
        assert_eq!(best["name"], name, "{words:?}: {found:#}");
        assert_eq!(best["level"], level, "{words:?}: {found:#}");
        let why = best["reason"].as_str().unwrap();
        assert!(why.contains(reason), "{words:?}: {why}");
    }
    for (number, why) in [
        (
            "040 7654321",
            "no contact has this number, nor one ending in 7654321",
        ),
        ("101", "no contact has the internal number 101"),
        (
            "sip:eve@example.com",
            "no contact has the SIP address eve@example.com",
        ),
        ("anonymous", "the caller hides the number"),
    ] {
        let found = who(folder, &[number]);
        let told = found["no_match"].as_str().unwrap();
        assert!(told.starts_with(why), "{told}");
    }
    let (code, _, stderr) = ask(folder, &["who", "101", "--region", "Atlantis"]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("such as DE or US"), "{stderr}");
    let (_, plain, _) = ask(folder, &["who", "030 1234567"]);
    assert!(plain.contains("name: Anna"), "{plain}");
}
