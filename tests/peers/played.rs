//! Recordings that are heard again: from a file, and from a server that keeps them.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::thread;

use serde_json::Value;
use tempfile::TempDir;

use crate::phone::run;

/// A recording of a second in which both sides speak.
fn write_recording(path: &Path) {
    write_seconds(path, 1);
}

/// A longer one.
pub(crate) fn write_seconds(path: &Path, seconds: u32) {
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for _ in 0..seconds {
        for n in 0..16_000_i16 {
            writer.write_sample(n % 100 * 50).unwrap();
        }
    }
    writer.finalize().unwrap();
}

fn ringdesk(data: &Path, words: &[&str]) -> (Option<i32>, String, String) {
    let mut arguments: Vec<OsString> = words.iter().map(OsString::from).collect();
    arguments.extend(["--data-dir".into(), data.into()]);
    run(&arguments)
}

/// Enters a call whose recording is there; gives its id.
pub(crate) fn enter(data: &Path, recording: &str) -> String {
    let words = [
        "calls",
        "enter",
        "+49 30 901820",
        "--json",
        "--recording",
        recording,
    ];
    let (code, stdout, stderr) = ringdesk(data, &words);
    assert_eq!(code, Some(0), "{stderr}");
    let entered: Value = serde_json::from_str(&stdout).unwrap();
    entered["call_id"].as_str().unwrap().to_owned()
}

fn play(data: &Path, call: &str) -> (Option<i32>, String, String) {
    let words = [
        "calls", "play", call, "--json", "--speed", "2", "--audio", "null",
    ];
    ringdesk(data, &words)
}

#[test]
fn a_recording_is_played_to_its_end_and_a_missing_one_is_told() {
    let data = TempDir::new().unwrap();
    let file = data.path().join("elsewhere.wav");
    write_recording(&file);
    let call = enter(data.path(), file.to_str().unwrap());
    let (code, stdout, stderr) = play(data.path(), &call);
    assert_eq!(code, Some(0), "{stderr}");
    let played: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(played["length_ms"], 1_000, "{played}");
    // The folder was moved: it is found by its name among the recordings.
    let folder = data.path().join("recordings");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::rename(&file, folder.join("elsewhere.wav")).unwrap();
    assert_eq!(play(data.path(), &call).0, Some(0));
    std::fs::remove_file(folder.join("elsewhere.wav")).unwrap();
    let (code, _, stderr) = play(data.path(), &call);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("moved or deleted"), "{stderr}");
    let nowhere = ["calls", "enter", "1", "--recording", "/nowhere/a.wav"];
    assert_eq!(ringdesk(data.path(), &nowhere).0, Some(2));
}

#[test]
fn a_recording_at_a_server_is_fetched_played_and_removed() {
    let data = TempDir::new().unwrap();
    let file = data.path().join("kept.wav");
    write_recording(&file);
    let sound = std::fs::read(&file).unwrap();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/kept.wav", server.local_addr().unwrap());
    let served = thread::spawn(move || {
        for body in [sound.as_slice(), b"<html>sign in</html>"] {
            let (mut peer, _) = server.accept().unwrap();
            let mut asked = [0; 2_048];
            let length = peer.read(&mut asked).unwrap();
            assert!(asked[..length].starts_with(b"GET /kept.wav HTTP/1.1\r\n"));
            let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ";
            write!(peer, "{head}{}\r\n\r\n", body.len()).unwrap();
            peer.write_all(body).unwrap();
        }
    });
    let call = enter(data.path(), &address);
    let (code, stdout, stderr) = play(data.path(), &call);
    assert_eq!(code, Some(0), "{stderr}");
    let played: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(played["length_ms"], 1_000, "{played}");
    let fetched = data.path().join("fetched");
    assert_eq!(
        std::fs::read_dir(&fetched).unwrap().count(),
        0,
        "nothing stays"
    );
    let (code, _, stderr) = play(data.path(), &call);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("web page"), "{stderr}");
    served.join().unwrap();
    let (code, _, stderr) = play(data.path(), &call);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("cannot be reached"), "{stderr}");
    assert_eq!(
        std::fs::read_dir(&fetched).unwrap().count(),
        0,
        "nothing stays"
    );
    let wrong = [
        "calls",
        "enter",
        "1",
        "--recording",
        "ftp://pbx.example/a.wav",
    ];
    let (code, _, stderr) = ringdesk(data.path(), &wrong);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("http://"), "{stderr}");
}
