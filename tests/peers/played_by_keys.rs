//! The player in the real window: a recording is found, heard, gone through and closed by the keyboard alone.

use std::process::Command;

use tempfile::TempDir;

use crate::desktop_bus::Bus;
use crate::place;
use crate::played::{enter, write_seconds};
use crate::screen::Screen;
use crate::screen_reader::{BUTTON, Reader, SLIDER, TAB, TOGGLE};

/// Where in the recording it is, in seconds; the window says `00:07 / 01:00`.
fn time(reader: &Reader<'_>) -> Option<u32> {
    let nodes = reader.tree().into_iter();
    let mut words = nodes.flat_map(|node| [node.name, node.text]);
    let words = words.find(|words| words.ends_with(" / 01:00"))?;
    let (minutes, seconds) = words.split_once(' ')?.0.split_once(':')?;
    Some(minutes.parse::<u32>().ok()? * 60 + seconds.parse::<u32>().ok()?)
}

#[test]
fn a_recording_is_played_in_the_window_by_keys_alone() {
    let data = TempDir::new().unwrap();
    let config = "[settings]\ntheme = \"light\"\nmicrophone = \"null\"\nspeaker = \"null\"\n\
        ringer = \"null\"\n\n[[accounts]]\naddress = \"sip:desk@lab.example\"\nregister = false\n\
        message_waiting = \"off\"\noutbound_proxy = \"sip:127.0.0.1:9;lr\"\n";
    std::fs::write(data.path().join("config.toml"), config).unwrap();
    let file = data.path().join("call.wav");
    write_seconds(&file, 60);
    let _call = enter(data.path(), file.to_str().unwrap());
    let bus = Bus::start();
    let mut screen = Screen::start_on(bus.address());
    let reader = Reader::start(&bus, &mut screen);
    screen.run(
        Command::new(place::binary())
            .arg("--data-dir")
            .arg(data.path()),
    );
    let window = screen.window("Ringdesk");
    screen.focus(&window);
    let _there = reader.find(TAB, "Calls");

    // All calls, the one with the recording, and its detail.
    screen.press("ctrl+2");
    let all = reader.find(TAB, "All");
    reader.go_to(&screen, &all);
    screen.press("Return");
    let row = reader.find_beginning(TOGGLE, "+49 30 901820, ");
    reader.go_to(&screen, &row);
    screen.press("Return");
    let slider = reader.find(SLIDER, "Time in the recording");

    // It plays, and pauses, wherever the keyboard is.
    screen.press("ctrl+p");
    let _plays = reader.find(BUTTON, "Pause");
    place::until("the recording is not heard", || {
        time(&reader).filter(|at| *at >= 1)
    });
    screen.press("ctrl+p");
    let _paused = reader.find(BUTTON, "Play");

    // On its time: to the end and the beginning, five seconds on and back, faster, on and off.
    reader.go_to(&screen, &slider);
    for (key, second) in [
        ("End", 60),
        ("Home", 0),
        ("Right", 5),
        ("Right", 10),
        ("Left", 5),
    ] {
        screen.press(key);
        place::until(&format!("{key} does not lead to {second}"), || {
            time(&reader).filter(|at| *at == second)
        });
    }
    for speed in ["Speed 1.25×", "Speed 1.5×"] {
        screen.press("period");
        let _chosen = reader.find(TOGGLE, speed);
    }
    screen.press("space");
    let _plays = reader.find(BUTTON, "Pause");
    place::until("it does not go on", || time(&reader).filter(|at| *at > 5));
    screen.picture(&place::root().join("target/screenshots/player.png"));
    screen.press("space");
    let _paused = reader.find(BUTTON, "Play");

    // With the detail the player goes.
    screen.press("Escape");
    place::until("the detail stays", || time(&reader).is_none().then_some(()));
}
