//! The first minute by the command line, what the phone notes of its work, and what it gives to who helps.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
#[cfg(feature = "gui")]
use std::process::Stdio;

use tempfile::TempDir;

use crate::kamailio::{Kamailio, PASSWORD};
use crate::phone::{Phone, run};
#[cfg(feature = "gui")]
use crate::place;
#[cfg(feature = "gui")]
use crate::screen::Screen;

/// Runs a command on a data folder.
fn on(data: &Path, words: &[&str]) -> (Option<i32>, String, String) {
    let folder = ["--data-dir", &data.to_string_lossy()].map(OsString::from);
    let words = words.iter().map(OsString::from).chain(folder);
    run(&words.collect::<Vec<_>>())
}

/// A phone with its data there, which was called; and the id of that call.
fn called(data: &Path) -> (Phone, String) {
    std::fs::create_dir_all(data).unwrap();
    let mut phone = Phone::start_behind(&[], data, &["--no-register", "--auto-answer"]);
    let mut caller = Phone::start(&["--no-register", "--call", &phone.uri()]);
    caller.wait("answered");
    phone.wait("answered");
    caller.command("hangup");
    let call = phone.wait("ended")["call_id"].as_str().unwrap().to_owned();
    (phone, call)
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn the_log_is_private_names_calls_and_doctor_says_where_it_is() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let (phone, call) = called(&data);
    phone.stop();
    let file = data.join("log/ringdesk.log");
    let log = text(&file);
    for words in [
        "starts on linux".to_owned(),
        format!("call {call} came in, kept"),
        format!("call {call} is answered"),
        format!("call {call} ended as"),
    ] {
        assert!(log.contains(&words), "no `{words}` in {log}");
    }
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let (_, said, _) = on(&data, &["doctor"]);
    assert!(
        said.contains(&data.join("log").display().to_string()),
        "{said}"
    );
}

#[test]
fn a_log_that_cannot_be_written_is_told_and_calls_go_on() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir_all(&data).unwrap();
    std::fs::write(data.join("log"), "in the way").unwrap();
    let mut phone = Phone::start_behind(&[], &data, &["--no-register", "--auto-answer"]);
    let told = phone.wait("error");
    let words = told["message"].as_str().unwrap();
    assert!(words.contains("the log is not written"), "{words}");
    let mut caller = Phone::start(&["--no-register", "--call", &phone.uri()]);
    caller.wait("answered");
    phone.wait("answered");
    caller.stop();
    phone.stop();
}

#[test]
fn doctor_writes_a_bundle_of_a_running_phone_and_lists_it() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let (phone, call) = called(&data);
    let file = folder.path().join("help.zip");
    let (_, _, listed) = on(&data, &["doctor", "--bundle", &file.to_string_lossy()]);
    phone.stop();
    for name in [
        "about.txt".to_owned(),
        "doctor.txt".to_owned(),
        "store.txt".to_owned(),
        "log/ringdesk.log".to_owned(),
        format!("sip/call {call}.txt"),
    ] {
        assert!(listed.contains(&name), "no `{name}` in {listed}");
    }
    let read = Command::new("python3")
        .args(["-m", "zipfile", "-t"])
        .arg(&file)
        .output()
        .unwrap();
    assert!(read.status.success());
}

#[test]
fn an_account_is_found_by_its_address_tried_and_kept() {
    let kamailio = Kamailio::start(&[]);
    let data = TempDir::new().unwrap();
    let registrar = kamailio.address();
    let file = data.path().join("password");
    let password = file.to_string_lossy().into_owned();
    std::fs::write(&file, "wrong").unwrap();
    let words = [
        "setup",
        "account",
        "alice@lab.example",
        "--registrar",
        &registrar,
        "--password-in-file",
        "--password-file",
        &password,
    ];
    let (code, _, said) = on(data.path(), &words);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("was not kept"), "{said}");
    assert!(!data.path().join("config.toml").exists());
    std::fs::write(&file, PASSWORD).unwrap();
    let (code, said, told) = on(data.path(), &words);
    assert_eq!(code, Some(0), "{said}{told}");
    assert!(said.contains("works: registered by"), "{said}");
    let config = text(&data.path().join("config.toml"));
    assert!(config.contains("sip:alice@lab.example"), "{config}");
    assert!(!config.contains(PASSWORD));
}

#[test]
fn settings_of_an_administrator_are_shown_and_applied_only_when_told() {
    let data = TempDir::new().unwrap();
    let file = data.path().join("given.toml");
    let given = "locked = [\"settings.recording\"]\nlocked_because = \"the law\"\n[settings]\nrecording = \"always\"\n";
    std::fs::write(&file, given).unwrap();
    let source = file.to_string_lossy().into_owned();
    let (code, shown, said) = on(data.path(), &["setup", "from", &source]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        shown.contains("! settings.recording: agent becomes always"),
        "{shown}"
    );
    assert!(!data.path().join("config.toml").exists());
    let (code, _, said) = on(data.path(), &["setup", "from", &source, "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(text(&data.path().join("config.toml")).contains("recording = \"always\""));
    assert!(text(&data.path().join("provisioned.toml")).contains("the law"));
    for (source, words) in [
        ("http://example.com/given.toml", "https://"),
        ("/nowhere/given.toml", "/nowhere/given.toml"),
    ] {
        let (code, _, said) = on(data.path(), &["setup", "from", source, "--yes"]);
        assert_eq!(code, Some(1), "{said}");
        assert!(
            said.contains(words) && said.contains("stay as they are"),
            "{said}"
        );
    }
}

/// What the window's start says where it cannot open, and its exit code.
#[cfg(feature = "gui")]
fn without(change: impl FnOnce(&mut Command)) -> (Option<i32>, String) {
    let data = TempDir::new().unwrap();
    let mut command = Command::new(place::binary());
    command
        .arg("--data-dir")
        .arg(data.path())
        .stdin(Stdio::null());
    for name in ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"] {
        command.env_remove(name);
    }
    change(&mut command);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), said)
}

#[cfg(feature = "gui")]
#[test]
fn without_a_display_a_sentence_names_the_phone_without_a_window() {
    let (code, said) = without(|_| {});
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("display") && said.contains("ringdesk headless"),
        "{said}"
    );
    let (code, said) = without(|command| {
        command.env("DISPLAY", ":4093");
    });
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("DISPLAY") && said.contains("ringdesk headless"),
        "{said}"
    );
}

#[cfg(feature = "gui")]
#[test]
fn without_a_driver_a_sentence_names_the_package_and_the_phone_without_a_window() {
    let screen = Screen::start();
    let data = TempDir::new().unwrap();
    let phone = screen.watch(
        Command::new(place::binary())
            .arg("--data-dir")
            .arg(data.path())
            // No vendor of EGL, none of GLX, and no driver of Mesa.
            .env("__EGL_VENDOR_LIBRARY_DIRS", "/nonexistent")
            .env("__GLX_VENDOR_LIBRARY_NAME", "nonexistent")
            .env("LIBGL_DRIVERS_PATH", "/nonexistent"),
    );
    let said = place::until("nothing is said of the driver", || {
        let said = phone.said();
        said.contains("OpenGL").then_some(said)
    });
    for words in ["libgl1-mesa-dri", "ringdesk headless"] {
        assert!(said.contains(words), "no `{words}` in {said}");
    }
    assert_eq!(phone.ended(), Some(1));
}
