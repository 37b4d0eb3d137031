//! The phone among a user's programs: what is written, and that links reach the window.

use std::path::Path;
use std::process::Command;

use crate::place;
use crate::screen::Screen;
use crate::sipp::Sipp;

/// The phone below this home, as a desktop starts it.
fn phone(home: &Path) -> Command {
    let mut command = Command::new(place::binary());
    command
        .env("HOME", home)
        .env_remove("XDG_CONFIG_HOME")
        .env_remove("XDG_DATA_HOME");
    command
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path.display().to_string());
        }
    }
    found.sort();
    found
}

#[test]
fn the_validator_is_content_with_the_entries_and_all_of_it_can_be_removed() {
    place::need("desktop-file-validate");
    let home = tempfile::tempdir().unwrap();
    let said = output(phone(home.path()).args(["desktop", "install", "--autostart"]));
    assert!(said.contains("tel: links open Ringdesk\n"), "{said}");
    for entry in [
        ".local/share/applications/ringdesk.desktop",
        ".config/autostart/ringdesk.desktop",
    ] {
        let validated = output(Command::new("desktop-file-validate").arg(home.path().join(entry)));
        assert_eq!(validated, "", "{entry}");
    }
    let again = output(phone(home.path()).args(["desktop", "install"]));
    assert!(!again.contains("wrote"), "{again}");
    let gone = output(phone(home.path()).args(["desktop", "uninstall"]));
    assert!(gone.contains("removed"), "{gone}");
    assert_eq!(files(home.path()), [] as [String; 0]);
}

#[test]
fn a_link_of_any_program_reaches_the_window_which_asks_before_it_dials() {
    for program in ["xdg-open", "xdg-mime"] {
        place::need(program);
    }
    let sipp = Sipp::called("busy", &[]);
    let mut screen = Screen::start();
    let home = screen.home().to_owned();
    output(phone(&home).args(["desktop", "install"]));
    let asked = screen.output(Command::new("xdg-mime").args([
        "query",
        "default",
        "x-scheme-handler/callto",
    ]));
    assert_eq!(asked.trim(), "ringdesk.desktop");

    let config = home.join(".config/ringdesk");
    std::fs::create_dir_all(&config).unwrap();
    let uri = sipp.uri();
    let (_user, proxy) = uri.rsplit_once('@').unwrap();
    let text = format!(
        "[settings]\nmicrophone = \"null\"\nspeaker = \"null\"\nringer = \"null\"\n\
         [[accounts]]\naddress = \"sip:bob@lab.example\"\nregister = false\nmessage_waiting = \"off\"\n\
         dial_plan = {{ region = \"DE\" }}\n\
         outbound_proxy = \"sip:{proxy};lr\"\n"
    );
    std::fs::write(config.join("config.toml"), text).unwrap();
    screen.run(&mut phone(&home));
    let window = screen.window("Ringdesk");
    screen.run(Command::new("xterm").args(["-title", "Letter"]));
    let editor = screen.window("Letter");

    // As a script of the user asks.
    let calls = || {
        let rows = screen.output(phone(&home).args(["calls", "--json"]));
        let rows = rows.lines().map(serde_json::from_str);
        rows.collect::<Result<Vec<serde_json::Value>, _>>().unwrap()
    };
    let open = |link: &str| {
        screen.focus(&editor);
        screen.output(Command::new("xdg-open").arg(link));
        place::until("a link does not raise the window", || {
            (screen.focused() == window).then_some(())
        });
    };
    let link = "tel:+493012345678";
    open(link);
    assert_eq!(calls().len(), 0, "it asks first");
    // Keys of the first half second are ignored, as they were meant for something else.
    place::until("Enter does not dial", || {
        screen.press("Return");
        (!calls().is_empty()).then_some(())
    });
    sipp.passes();
    let rows = calls();
    assert_eq!(rows.len(), 1, "{rows:#?}");
    let remote = rows[0]["remote"].as_str().unwrap();
    assert!(remote.contains("3012345678"), "{rows:#?}");
}

#[test]
fn the_setting_starts_the_phone_with_the_session_and_an_entry_that_was_taken_away_stays_away() {
    let screen = Screen::start();
    let data = tempfile::tempdir().unwrap();
    let config = data.path().join("config.toml");
    let text = "[settings]\nmicrophone = \"null\"\nspeaker = \"null\"\nringer = \"null\"\n\n\
                [settings.desktop]\nautostart = true\n";
    std::fs::write(&config, text).unwrap();
    let entry = screen.home().join(".config/autostart/ringdesk.desktop");
    let start = || {
        let mut command = phone(screen.home());
        screen.watch(command.arg("--data-dir").arg(data.path()))
    };
    let window = start();
    let receipt = screen
        .home()
        .join(".local/share/ringdesk/desktop-files.json");
    place::until("no entry is written and noted", || {
        let noted = std::fs::read_to_string(&receipt).ok()?;
        (entry.exists() && noted.contains("autostart")).then_some(())
    });
    drop(window);

    std::fs::remove_file(&entry).unwrap();
    let _window = start();
    place::until("the setting does not say what is so", || {
        let text = std::fs::read_to_string(&config).ok()?;
        text.contains("autostart = false").then_some(())
    });
    assert!(!entry.exists());
}
