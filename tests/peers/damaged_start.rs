//! The desktop phone is started upon damaged files: whoever started it from a menu reads why in a
//! window, whoever started it from a script on stderr, and nothing is lost.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::place;
use crate::screen::{Program, Screen};

/// The window that says why the phone did not start is this wide; the phone's own is wider.
const FAILURE_WIDTH: u32 = 560;

fn start(screen: &Screen, data: &Path) -> Program {
    screen.watch(
        Command::new(place::binary())
            .arg("--data-dir")
            .arg(data)
            .env("RUST_BACKTRACE", "0"),
    )
}

/// Waits until its window is painted and has the keyboard; its width.
fn until_painted(screen: &Screen) -> u32 {
    let window = screen.window("Ringdesk");
    screen.focus(&window);
    place::until("the window is not painted", || {
        (screen.colours(screen.place(&window)) > 16).then_some(())
    });
    screen.place(&window).width
}

/// A database that begins with something else.
fn damaged_database() -> TempDir {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("ringdesk.db");
    std::fs::write(file, [b'?'; 8192]).unwrap();
    folder
}

/// All files of a folder with their bytes.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, std::fs::read(entry.path()).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn a_damaged_database_opens_a_window_that_says_so_and_ends_with_exit_code_1() {
    let data = damaged_database();
    let before = files(data.path());
    let screen = Screen::start();
    let mut phone = start(&screen, data.path());

    assert_eq!(until_painted(&screen), FAILURE_WIDTH);
    screen.picture(&place::root().join("target/screenshots/damaged-database.png"));
    assert!(phone.runs(), "it stays until it was read");
    let said = phone.said();
    for words in [
        "ringdesk.db",
        "damaged",
        "nothing was changed",
        "Restore a backup (ringdesk restore FILE), or save what is whole (ringdesk recover)",
    ] {
        assert!(said.contains(words), "no `{words}` at once in: {said}");
    }

    screen.focus(&screen.window("Ringdesk"));
    screen.press("Escape");
    assert_eq!(phone.ended(), Some(1));
    let after = files(data.path());
    assert!(
        before.iter().all(|file| after.contains(file)),
        "the database changed"
    );
}

/// Its exit code when the window manager closed it. That takes keys a moment after the window has the
/// keyboard; a person presses again.
fn closed_by_key(screen: &Screen, mut phone: Program) -> Option<i32> {
    place::until("the window is not closed by the key", || {
        screen.press("alt+F4");
        (!phone.runs()).then_some(())
    });
    phone.ended()
}

#[test]
fn closing_the_window_that_says_why_is_exit_code_1_too() {
    let data = damaged_database();
    let screen = Screen::start();
    let phone = start(&screen, data.path());
    assert_eq!(until_painted(&screen), FAILURE_WIDTH);
    // It is painted before it has the keyboard.
    screen.focus(&screen.window("Ringdesk"));
    assert_eq!(closed_by_key(&screen, phone), Some(1));
}

#[test]
fn damaged_settings_open_the_phone_without_them_and_stay_as_they_are() {
    let data = TempDir::new().unwrap();
    let file = data.path().join("config.toml");
    let damaged = "[settings\ntheme = \"dark";
    std::fs::write(&file, damaged).unwrap();
    let screen = Screen::start();
    let mut phone = start(&screen, data.path());

    assert!(
        until_painted(&screen) > FAILURE_WIDTH,
        "the phone itself opens"
    );
    screen.picture(&place::root().join("target/screenshots/damaged-settings.png"));
    assert!(phone.runs());
    let said = phone.said();
    for words in ["config.toml", "damaged at line 1", "move the file away"] {
        assert!(said.contains(words), "no `{words}` at once in: {said}");
    }

    // It is painted before it has the keyboard.
    screen.focus(&screen.window("Ringdesk"));
    assert_eq!(closed_by_key(&screen, phone), Some(0));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), damaged);
}
