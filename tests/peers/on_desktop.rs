//! The window on a desktop: what it tells notifications, tray, players and other programs, and what it
//! hears from them.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;
use zbus::zvariant::{OwnedValue, Structure, Value};

use crate::desktop_bus::{
    Bus, Login, Notifications, Player, Portal, RealtimeKit, ScreenSaver, TrayWatcher,
};
use crate::kamailio::{Kamailio, PASSWORD};
use crate::phone::{Phone, calls};
use crate::place;
use crate::screen::{Program, Screen};
use crate::window::{reached, until_call_is, until_registered};

/// What a notification of a call that rings begins with.
const INCOMING: &str = "Incoming call";
/// A name that is nothing but trouble.
const EVE: &str = "<b>Eve</b> \u{202e}knab\u{202c} & Co";

/// bob's phone with its window, the proxy in front of it, and somebody who calls.
struct Desk {
    kamailio: Kamailio,
    data: TempDir,
    screen: Screen,
    window: Program,
    caller: Phone,
}

impl Desk {
    /// With these further settings.
    fn open(bus: &Bus, settings: &str) -> Self {
        let kamailio = Kamailio::start(&["OPEN_CALLS"]);
        let data = data_folder(&kamailio.address(), settings);
        let screen = Screen::start_on(bus.address());
        let window = screen.watch(
            Command::new(place::binary())
                .arg("--data-dir")
                .arg(data.path())
                .env("RINGDESK_LOG", "ringdesk=warn"),
        );
        let _there = screen.window("Ringdesk");
        until_registered(&kamailio.address());
        let caller = caller(&kamailio.address());
        Self {
            kamailio,
            data,
            screen,
            window,
            caller,
        }
    }

    /// Eve calls, and it rings.
    fn ring(&mut self) {
        self.caller
            .send(&json!({"command": "call", "uri": "sip:bob@lab.example"}));
        let _event = self.caller.wait("ringing");
    }

    /// Eve hangs up, or gives up.
    fn hang_up(&mut self) {
        self.caller.command("hangup");
        let _event = self.caller.wait("ended");
    }
}

pub(crate) fn data_folder(registrar: &str, settings: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let config = format!(
        "[settings]\nmicrophone = \"null\"\nspeaker = \"null\"\nringer = \"null\"\n{settings}\n\n\
         [[accounts]]\naddress = \"sip:bob@lab.example\"\nregistrar = \"{registrar}\"\n\
         dial_plan = {{ region = \"DE\" }}\noutbound_proxy = \"sip:{registrar};lr\"\n"
    );
    std::fs::write(folder.path().join("config.toml"), config).unwrap();
    let secrets = folder.path().join("secrets.toml");
    let text = format!("[passwords]\n\"sip:bob@lab.example\" = \"{PASSWORD}\"\n");
    std::fs::write(&secrets, text).unwrap();
    std::fs::set_permissions(&secrets, std::fs::Permissions::from_mode(0o600)).unwrap();
    folder
}

/// Eve's phone, which calls through the proxy.
pub(crate) fn caller(proxy: &str) -> Phone {
    caller_with(proxy, &[])
}

/// The same with further options.
pub(crate) fn caller_with(proxy: &str, options: &[&str]) -> Phone {
    let folder = TempDir::new().unwrap();
    let config = format!(
        "[[accounts]]\naddress = \"sip:+493099887766@caller.example\"\ndisplay_name = '{EVE}'\n\
         register = false\noutbound_proxy = \"sip:{proxy};lr\"\n"
    );
    std::fs::write(folder.path().join("config.toml"), config).unwrap();
    let mut phone = Phone::spawn(folder, options);
    let _event = phone.wait("started");
    phone
}

#[test]
fn a_call_is_answered_declined_and_missed_by_notifications() {
    let bus = Bus::start();
    let daemon = Notifications::start(&bus, &["actions", "body", "body-markup"]);
    let mut desk = Desk::open(&bus, "");
    assert_eq!(daemon.notes(), [], "nothing rings yet");

    desk.ring();
    let note = daemon.note(INCOMING);
    assert!(
        note.body
            .contains("calls itself “&lt;b&gt;Eve&lt;/b&gt; knab &amp; Co”"),
        "{note:?}"
    );
    assert_eq!(
        note.actions,
        ["default", "Show", "answer", "Answer", "decline", "Decline"]
    );
    assert_eq!((note.urgency, note.expires), (1, 0), "beside the pop-up");
    daemon.choose(note.id, "answer");
    let _event = desk.caller.wait("answered");
    until_call_is(desk.data.path(), "in-progress");
    daemon.until_gone(INCOMING);
    desk.hang_up();

    desk.ring();
    let note = daemon.note(INCOMING);
    daemon.choose(note.id, "decline");
    let ended = desk.caller.wait("ended");
    assert_eq!(ended["status"], 603, "{ended}");

    desk.ring();
    let _note = daemon.note(INCOMING);
    desk.hang_up();
    daemon.until_gone(INCOMING);
    let note = daemon.note("Missed call");
    assert_eq!(note.actions, ["default", "Show"]);
    desk.ring();
    let _note = daemon.note(INCOMING);
    desk.hang_up();
    let both = daemon.note("2 missed calls");
    assert_eq!(both.id, note.id, "they stand in one");
}

#[test]
fn a_daemon_without_actions_and_markup_gets_plain_text_and_a_locked_screen_names_nobody() {
    let bus = Bus::start();
    let daemon = Notifications::start(&bus, &["body"]);
    let (_saver, saver) = bus.program(
        "org.freedesktop.ScreenSaver",
        "/org/freedesktop/ScreenSaver",
        ScreenSaver,
    );
    let mut desk = Desk::open(&bus, "");
    desk.ring();
    let note = daemon.note("Incoming call: ");
    assert!(note.body.contains("“<b>Eve</b> knab & Co”"), "{note:?}");
    assert_eq!(note.actions, [] as [String; 0]);

    bus.wait(ScreenSaver::active_changed(saver.signal_emitter(), true));
    daemon.until_gone("Incoming call: ");
    let locked = daemon.note(INCOMING);
    assert_eq!(
        (locked.summary.as_str(), locked.body.as_str()),
        (INCOMING, "")
    );
    assert_eq!(locked.id, note.id);
    bus.wait(ScreenSaver::active_changed(saver.signal_emitter(), false));
    let _named = daemon.note("Incoming call: ");
    desk.hang_up();
    daemon.until_gone(INCOMING);
}

#[test]
fn without_a_daemon_the_call_rings_and_one_line_says_so() {
    let bus = Bus::start();
    let mut desk = Desk::open(&bus, "");
    for _ in 0..2 {
        desk.ring();
        let _popup = desk.screen.window("Incoming call");
        place::until("nothing is said of the missing daemon", || {
            let said = desk.window.said();
            said.contains("not told by a desktop notification")
                .then_some(())
        });
        desk.hang_up();
    }
    let said = desk.window.said();
    let lines = said.lines().filter(|line| line.contains("notification"));
    assert_eq!(lines.count(), 1, "{said}");
}

#[test]
fn players_rest_while_the_agent_talks_and_only_those_go_on_that_were_paused() {
    let bus = Bus::start();
    let daemon = Notifications::start(&bus, &["actions"]);
    let music = Player::start(&bus, "org.mpris.MediaPlayer2.music", "Playing");
    let still = Player::start(&bus, "org.mpris.MediaPlayer2.still", "Paused");
    let video = Player::start(&bus, "org.mpris.MediaPlayer2.video", "Playing");
    let mut desk = Desk::open(&bus, "");

    desk.ring();
    let note = daemon.note(INCOMING);
    assert_eq!(music.status(), "Playing", "it only rings");
    daemon.choose(note.id, "answer");
    let _event = desk.caller.wait("answered");
    music.until("Paused");
    video.until("Paused");
    // Somebody shows the caller something, and stops it again.
    video.set("Playing");
    video.set("Paused");
    desk.hang_up();
    music.until("Playing");
    assert_eq!(still.status(), "Paused", "it did not play before");
    assert_eq!(video.status(), "Paused", "a person paused it");
}

/// xterm writes what it gets of keys into a file.
fn typed(file: &Path) -> usize {
    std::fs::read(file).map_or(0, |bytes| bytes.len())
}

#[test]
fn keys_answer_and_decline_in_every_program_while_it_rings_and_only_then() {
    let bus = Bus::start();
    let settings = "[settings.desktop]\nnotifications = false\ndecline_key = \"Ctrl+Alt+D\"\n";
    let daemon = Notifications::start(&bus, &["actions"]);
    let mut desk = Desk::open(&bus, settings);
    let letter = desk.data.path().join("letter.txt");
    let shell = format!("stty raw; cat > '{}'", letter.display());
    desk.screen
        .run(Command::new("xterm").args(["-title", "Letter", "-e", "sh", "-c", &shell]));
    let editor = desk.screen.window("Letter");
    desk.screen.focus(&editor);

    // Nothing rings: the keys are the editor's.
    place::until("the editor does not get the keys", || {
        desk.screen.press("ctrl+shift+F9");
        (typed(&letter) > 0).then_some(())
    });
    desk.ring();
    let _popup = desk.screen.window("Incoming call");
    place::until("the keys do not answer", || {
        desk.screen.press("ctrl+shift+F9");
        calls(desk.data.path())
            .iter()
            .any(|row| row["state"] == "in-progress")
            .then_some(())
    });
    let _event = desk.caller.wait("answered");
    desk.hang_up();

    desk.screen.focus(&editor);
    desk.ring();
    let _popup = desk.screen.window("Incoming call");
    place::until("the other keys do not decline", || {
        desk.screen.press("ctrl+alt+d");
        let mut events = desk.caller.drain().iter().rev();
        let ended =
            events.find(|event| event["event"] == "ended" || event["event"] == "ringing")?;
        (ended["status"] == 603).then_some(())
    });
    desk.screen.focus(&editor);
    let before = typed(&letter);
    place::until("the keys are not given back", || {
        desk.screen.press("ctrl+shift+F9");
        (typed(&letter) > before).then_some(())
    });
    assert_eq!(daemon.notes(), [], "notifications are switched off");
}

#[test]
fn the_registrar_knows_of_sleep_before_it_begins_and_of_its_end() {
    let bus = Bus::start();
    let (_connection, login) = bus.program(
        "org.freedesktop.login1",
        "/org/freedesktop/login1",
        Login::default(),
    );
    let desk = Desk::open(&bus, "");
    let proxy = desk.kamailio.address();
    let holders = || bus.wait(async { Ok(login.get().await.held_up_by.len()) });
    place::until("nobody would hold sleep up", || {
        (holders() == 1).then_some(())
    });

    bus.wait(Login::prepare_for_sleep(login.signal_emitter(), true));
    place::until("sleep is held up for good", || {
        bus.wait(async {
            let mut login = login.get_mut().await;
            // The end of the stream: the other end was closed.
            Ok(matches!(login.held_up_by[0].read(&mut [0]), Ok(0)).then_some(()))
        })
    });
    let answer = place::until("the proxy does not answer", || reached(&proxy));
    assert_eq!(
        answer, "SIP/2.0 404 Not Found",
        "callers would be sent to a phone that sleeps"
    );

    bus.wait(Login::prepare_for_sleep(login.signal_emitter(), false));
    until_registered(&proxy);
    place::until("the next sleep is not held up", || {
        (holders() == 2).then_some(())
    });
}

#[test]
fn the_threads_of_the_sound_go_first_also_for_a_user_who_may_not_say_so() {
    place::need("setpriv");
    let bus = Bus::start();
    let (_connection, kit) = bus.program(
        "org.freedesktop.RealtimeKit1",
        "/org/freedesktop/RealtimeKit1",
        RealtimeKit::default(),
    );
    let data = data_folder("127.0.0.1:9", "");
    let screen = Screen::start_on(bus.address());
    let _window = screen.watch(
        Command::new("setpriv")
            .args(["--bounding-set=-sys_nice", "--inh-caps=-sys_nice"])
            .arg(place::binary())
            .arg("--data-dir")
            .arg(data.path()),
    );
    let preferred = || bus.wait(async { Ok(kit.get().await.preferred.clone()) });
    let name_of = |thread: u64| {
        let file = format!("/proc/{thread}/comm");
        std::fs::read_to_string(file).map(|name| name.trim().to_owned())
    };
    place::until("RealtimeKit is not asked", || {
        let names: Vec<_> = preferred()
            .iter()
            .filter_map(|(thread, _)| name_of(*thread).ok())
            .collect();
        let both = ["ringdesk-media", "ringdesk-cards"];
        both.iter()
            .all(|name| names.iter().any(|asked| asked == name))
            .then_some(())
    });
    assert!(preferred().iter().all(|(_, priority)| *priority == -11));
}

/// The item in the tray, as a panel sees it.
struct Item<'b> {
    bus: &'b Bus,
    item: zbus::Proxy<'static>,
    menu: zbus::Proxy<'static>,
}

impl<'b> Item<'b> {
    fn of(bus: &'b Bus, name: &str) -> Self {
        let panel = bus.somebody();
        let proxy = |path: &'static str, interface: &'static str| {
            bus.wait(
                zbus::proxy::Builder::new(&panel)
                    .destination(name.to_owned())
                    .unwrap()
                    .path(path)
                    .unwrap()
                    .interface(interface)
                    .unwrap()
                    .cache_properties(zbus::proxy::CacheProperties::No)
                    .build(),
            )
        };
        Self {
            bus,
            item: proxy("/StatusNotifierItem", "org.kde.StatusNotifierItem"),
            menu: proxy("/MenuBar", "com.canonical.dbusmenu"),
        }
    }

    /// The tooltip's title and text.
    fn tool_tip(&self) -> (String, String) {
        type ToolTip = (String, Vec<(i32, i32, Vec<u8>)>, String, String);
        let value: OwnedValue = self.bus.wait(self.item.get_property("ToolTip"));
        let (_icon, _pixels, title, text) = ToolTip::try_from(value).unwrap();
        (title, text)
    }

    fn until_title(&self, title: &str) {
        place::until(&format!("the tooltip does not say {title}"), || {
            (self.tool_tip().0 == title).then_some(())
        });
    }

    fn status(&self) -> String {
        self.bus.wait(self.item.get_property("Status"))
    }

    /// Chooses from the menu.
    fn choose(&self, label: &str) {
        type Node = (
            i32,
            std::collections::HashMap<String, OwnedValue>,
            Vec<OwnedValue>,
        );
        let (_revision, root): (u32, Node) = self.bus.wait(
            self.menu
                .call("GetLayout", &(0_i32, -1_i32, Vec::<String>::new())),
        );
        let id = root.2.into_iter().find_map(|entry| {
            let entry = Structure::try_from(entry).unwrap();
            let (id, properties, _below) = Node::try_from(Value::from(entry)).unwrap();
            let found = properties.get("label")?.downcast_ref::<String>().unwrap() == label;
            found.then_some(id)
        });
        let id = id.unwrap_or_else(|| panic!("the menu has no {label}"));
        let clicked = (id, "clicked", Value::from(0_i32), 0_u32);
        self.bus.wait(self.menu.call::<_, _, ()>("Event", &clicked));
    }
}

#[test]
fn the_tray_shows_what_the_phone_does_and_its_menu_works() {
    let bus = Bus::start();
    let mut desk = Desk::open(&bus, "");
    // The panel starts after the phone.
    let (_connection, watcher) = bus.program(
        "org.kde.StatusNotifierWatcher",
        "/StatusNotifierWatcher",
        TrayWatcher::default(),
    );
    let name = place::until("nothing stands in the tray", || {
        bus.wait(async { Ok(watcher.get().await.items.first().cloned()) })
    });
    let item = Item::of(&bus, &name);
    item.until_title("Ringdesk: Ready");
    assert_eq!(item.status(), "Active");

    item.choose("Do not disturb");
    item.until_title("Ringdesk: Do not disturb");
    item.choose("Available");
    item.until_title("Ringdesk: Ready");

    desk.ring();
    item.until_title("Ringdesk: A call rings");
    assert_eq!(item.status(), "NeedsAttention");
    desk.hang_up();
    place::until("the tooltip counts nobody", || {
        (item.tool_tip().1 == "1 to call back").then_some(())
    });

    desk.screen
        .run(Command::new("xterm").args(["-title", "Letter"]));
    let editor = desk.screen.window("Letter");
    desk.screen.focus(&editor);
    let window = desk.screen.window("Ringdesk");
    item.choose("Show Ringdesk");
    place::until("the window does not come forward", || {
        (desk.screen.focused() == window).then_some(())
    });
    item.choose("Quit");
    assert_eq!(desk.window.ended(), Some(0));
}

/// X11 says nothing of the colours that a person chose; the portal does.
#[test]
fn the_window_is_dark_or_light_as_the_desktop_asks() {
    let bus = Bus::start();
    let (_connection, portal) = bus.program(
        "org.freedesktop.portal.Desktop",
        "/org/freedesktop/portal/desktop",
        Portal { scheme: 2 },
    );
    let desk = Desk::open(&bus, "");
    let window = desk.screen.window("Ringdesk");
    let place = desk.screen.place(&window);
    let until = |what: &str, fits: &dyn Fn(f64) -> bool| {
        place::until(&format!("the window is not {what}"), || {
            let brightness = desk.screen.brightness(place);
            fits(brightness).then_some(())
        });
    };
    until("light", &|brightness| brightness > 0.7);
    bus.wait(Portal::change(&portal, 1));
    until("dark", &|brightness| brightness < 0.3);
    bus.wait(Portal::change(&portal, 2));
    until("light again", &|brightness| brightness > 0.7);
}
