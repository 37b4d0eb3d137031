//! The real window under Xvfb: a call comes in while the agent types in another program.

use std::net::{Ipv4Addr, UdpSocket};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::junit::scenario;
use crate::kamailio::{Kamailio, PASSWORD};
use crate::phone::{calls, run};
use crate::place;
use crate::screen::{Place, Screen};
use crate::sipp::Sipp;

/// The pop-up's title.
const POPUP: &str = "Incoming call";
/// What is typed while it rings; it takes some four seconds.
const TYPED: &str = "Dear Ms Doe, your order of last week left our warehouse today.";

/// A data folder with the account bob, whose password lies in the file, for there is no keyring.
pub(crate) fn data_folder(registrar: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let config = format!(
        "[settings]\ntheme = \"light\"\nmicrophone = \"null\"\nspeaker = \"null\"\nringer = \"null\"\n\n\
         [[accounts]]\naddress = \"sip:bob@lab.example\"\ndisplay_name = \"Service desk\"\n\
         registrar = \"{registrar}\"\n\
         dial_plan = {{ region = \"DE\" }}\noutbound_proxy = \"sip:{registrar};lr\"\n"
    );
    std::fs::write(folder.path().join("config.toml"), config).unwrap();
    let secrets = folder.path().join("secrets.toml");
    std::fs::write(
        &secrets,
        format!("[passwords]\n\"sip:bob@lab.example\" = \"{PASSWORD}\"\n"),
    )
    .unwrap();
    std::fs::set_permissions(&secrets, std::fs::Permissions::from_mode(0o600)).unwrap();
    folder
}

/// Waits until bob's phone answers through the proxy.
pub(crate) fn until_registered(proxy: &str) {
    place::until("the window's account is not registered", || {
        let status = reached(proxy)?;
        status.starts_with("SIP/2.0 200").then_some(())
    });
}

/// What the proxy, or bob's phone behind it, answers now; none when that takes too long.
pub(crate) fn reached(proxy: &str) -> Option<String> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    let from = socket.local_addr().unwrap();
    let request = format!(
        "OPTIONS sip:bob@lab.example SIP/2.0\r\n\
         Via: SIP/2.0/UDP {from};rport;branch=z9hG4bK-there-{number}\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:test@lab.example>;tag=there\r\n\
         To: <sip:bob@lab.example>\r\n\
         Call-ID: there-{number}\r\n\
         CSeq: 1 OPTIONS\r\n\
         Content-Length: 0\r\n\r\n"
    );
    socket.send_to(request.as_bytes(), proxy).unwrap();
    let mut buffer = [0; 4096];
    let (length, _) = socket.recv_from(&mut buffer).ok()?;
    let answer = String::from_utf8_lossy(&buffer[..length]);
    answer.lines().next().map(str::to_owned)
}

pub(crate) fn until_call_is(folder: &Path, state: &str) {
    place::until(&format!("the row does not say {state}"), || {
        calls(folder)
            .iter()
            .any(|row| row["state"] == state)
            .then_some(())
    });
}

/// Puts the caller among the contacts, through the running phone.
pub(crate) fn add_contact(folder: &Path) {
    let arguments = [
        "contacts".into(),
        "--add".into(),
        "Erika Mustermann".into(),
        "--organization".into(),
        "Muster & Co".into(),
        "--number".into(),
        "030 23125001".into(),
        "--data-dir".into(),
        folder.into(),
    ];
    let (code, _, stderr) = run(&arguments);
    assert_eq!(code, Some(0), "{stderr}");
}

#[test]
fn a_call_pops_up_without_taking_the_keyboard_and_is_answered_by_a_click() {
    scenario("call-through-proxy", || {
        let kamailio = Kamailio::start(&["OPEN_CALLS"]);
        let data = data_folder(&kamailio.address());
        let mut screen = Screen::start();

        screen.run(
            Command::new(place::binary())
                .arg("--data-dir")
                .arg(data.path()),
        );
        screen.window("Ringdesk");
        until_registered(&kamailio.address());
        add_contact(data.path());

        let letter = data.path().join("letter.txt");
        let shell = format!("cat > '{}'", letter.display());
        // It fills the screen: the pop-up lies above it, or it cannot be clicked.
        let large = ["-title", "Letter", "-geometry", "400x150+0+0"];
        screen.run(
            Command::new("xterm")
                .args(large)
                .args(["-e", "sh", "-c", &shell]),
        );
        let editor = screen.window("Letter");
        screen.focus(&editor);

        let sipp = thread::scope(|scope| {
            let typist = scope.spawn(|| screen.type_text(&format!("{TYPED}\n")));
            let sipp = Sipp::to(
                kamailio.address().parse().unwrap(),
                "call-through-proxy",
                &["-s", "bob"],
            );
            let popup = screen.window(POPUP);
            assert!(!typist.is_finished(), "it rings while the agent types");
            assert_eq!(
                screen.focused(),
                editor,
                "the pop-up did not take the keyboard"
            );
            let place = screen.place(&popup);
            place::until("the pop-up is not painted", || {
                (screen.colours(place) > 16).then_some(())
            });
            typist.join().unwrap();
            sipp
        });
        assert_eq!(screen.focused(), editor, "nor did it take it later");
        place::until("what was typed did not arrive", || {
            let text = std::fs::read_to_string(&letter).ok()?;
            (text == format!("{TYPED}\n")).then_some(())
        });
        screen.picture(&place::root().join("target/screenshots/popup.png"));
        until_call_is(data.path(), "ringing");

        // Answer takes the right two thirds of the pop-up's foot.
        let Place {
            x,
            y,
            width,
            height,
        } = screen.place(&screen.window(POPUP));
        screen.click(x + width * 2 / 3, y + height - 58);
        until_call_is(data.path(), "in-progress");
        place::until("the pop-up stays after the answer", || {
            (!screen.shows(POPUP)).then_some(())
        });
        screen.picture(&place::root().join("target/screenshots/call.png"));

        sipp.passes();
        until_call_is(data.path(), "completed");
    });
}

/// A program that opens a link starts the phone again: the one that runs comes forward and asks.
#[test]
fn a_link_goes_to_the_window_that_runs_which_asks_before_it_dials() {
    scenario("busy", || {
        let sipp = Sipp::called("busy", &[]);
        let data = TempDir::new().unwrap();
        let config = format!(
            "[settings]\ntheme = \"light\"\nmicrophone = \"null\"\nspeaker = \"null\"\n\
             ringer = \"null\"\n\n[[accounts]]\naddress = \"sip:desk@lab.example\"\n\
             register = false\nmessage_waiting = \"off\"\noutbound_proxy = \"sip:127.0.0.1:{};lr\"\n\
             dial_plan = {{ region = \"DE\" }}\n",
            sipp.port()
        );
        std::fs::write(data.path().join("config.toml"), config).unwrap();
        let mut screen = Screen::start();
        let phone = || {
            let mut command = Command::new(place::binary());
            command.arg("--data-dir").arg(data.path());
            command
        };
        screen.run(&mut phone());
        let window = screen.window("Ringdesk");
        add_contact(data.path());
        screen.run(Command::new("xterm").args(["-title", "Letter"]));
        let editor = screen.window("Letter");

        // A second start ends at once and raises the first.
        screen.focus(&editor);
        let second = screen.watch(&mut phone());
        assert_eq!(second.ended(), Some(0));
        let comes_forward = || (screen.focused() == window).then_some(());
        place::until("a second start does not raise the first", comes_forward);

        // A link is asked about; Escape dials nothing.
        screen.focus(&editor);
        let nowhere = screen.watch(phone().arg("sip:nobody@192.0.2.7"));
        assert_eq!(nowhere.ended(), Some(0));
        place::until("a link does not raise the window", comes_forward);
        screen.press("Escape");

        screen.focus(&editor);
        let link = "tel:+49-30-23125001";
        assert_eq!(screen.watch(phone().arg(link)).ended(), Some(0));
        place::until("a link does not raise the window", comes_forward);
        assert_eq!(calls(data.path()).len(), 0, "it asks first");
        screen.picture(&place::root().join("target/screenshots/link.png"));
        // Keys of the first half second are ignored, as they were meant for something else.
        place::until("Enter does not dial", || {
            screen.press("Return");
            (!calls(data.path()).is_empty()).then_some(())
        });
        until_call_is(data.path(), "busy");
        assert!(
            sipp.messages()
                .contains("INVITE sip:+493023125001@lab.example")
        );
        sipp.passes();
        let rows = calls(data.path());
        assert_eq!(rows.len(), 1, "{rows:#?}");
        assert_eq!(rows[0]["e164"], "+493023125001", "{rows:#?}");
        assert_eq!(rows[0]["contact_name"], "Erika Mustermann", "{rows:#?}");
        assert_eq!(rows[0]["local"], "sip:desk@lab.example", "{rows:#?}");
    });
}

/// It showed what had been there when it was looked at, until the phone itself wrote something.
#[test]
fn a_list_in_the_window_follows_what_a_command_changes_beside_it() {
    let data = TempDir::new().unwrap();
    let config = "[settings]\ntheme = \"light\"\nmicrophone = \"null\"\nspeaker = \"null\"\n\
        ringer = \"null\"\n\n[[accounts]]\naddress = \"sip:desk@lab.example\"\nregister = false\n\
        message_waiting = \"off\"\noutbound_proxy = \"sip:127.0.0.1:9;lr\"\n";
    std::fs::write(data.path().join("config.toml"), config).unwrap();
    let mut screen = Screen::start();
    screen.run(
        Command::new(place::binary())
            .arg("--data-dir")
            .arg(data.path()),
    );
    let window = screen.window("Ringdesk");
    screen.focus(&window);
    let whole = screen.place(&window);
    place::until("the window is not painted", || {
        (screen.colours(whole) > 16).then_some(())
    });
    // The lower part of the list: nobody is in it.
    let list = Place {
        y: whole.y + whole.height * 6 / 10,
        height: whole.height * 3 / 10,
        ..whole
    };
    screen.press("ctrl+3");
    screen.picture(&place::root().join("target/screenshots/contacts-none.png"));
    let nobody = screen.colours(list);
    let people = data.path().join("people.csv");
    let mut table = "name,number\n".to_owned();
    for person in 0..60 {
        table += &format!("Person {person},030 2312{person:04}\n");
    }
    std::fs::write(&people, table).unwrap();
    let arguments = [
        "contacts".into(),
        "import".into(),
        people.into(),
        "--data-dir".into(),
        data.path().into(),
    ];
    let (code, _, stderr) = run(&arguments);
    assert_eq!(code, Some(0), "{stderr}");
    place::until("the window does not show who was imported", || {
        (screen.colours(list) > nobody + 8).then_some(())
    });
    screen.picture(&place::root().join("target/screenshots/contacts-imported.png"));
}
