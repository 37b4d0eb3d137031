//! The real window as somebody has it who does not see it: read, heard and answered through AT-SPI, while
//! SIPp calls.

use std::process::Command;

use crate::desktop_bus::Bus;
use crate::junit::scenario;
use crate::kamailio::Kamailio;
use crate::place;
use crate::screen::Screen;
use crate::screen_reader::{BUTTON, Reader, TAB, is_private};
use crate::sipp::Sipp;
use crate::window::{add_contact, data_folder, until_call_is, until_registered};

#[test]
fn a_call_is_announced_read_and_answered_without_seeing_the_window() {
    scenario("call-through-proxy-unseen", || {
        let kamailio = Kamailio::start(&["OPEN_CALLS"]);
        let data = data_folder(&kamailio.address());
        let bus = Bus::start();
        let mut screen = Screen::start_on(bus.address());
        let mut reader = Reader::start(&bus, &mut screen);
        screen.run(
            Command::new(place::binary())
                .arg("--data-dir")
                .arg(data.path()),
        );
        let _there = screen.window("Ringdesk");
        until_registered(&kamailio.address());
        add_contact(data.path());

        // Before a call: each view is there by name, and no glyph is read out.
        let _dialer = reader.find(TAB, "Dialer");
        let tree = reader.tree();
        for view in ["Calls", "Contacts", "Leads", "Tickets", "Tasks", "Settings"] {
            assert!(
                tree.iter()
                    .any(|node| node.role == TAB && node.name == view),
                "{view} is missing: {tree:#?}"
            );
        }
        let nameless = tree.iter().find(|node| {
            let read_out = node.name.contains(is_private) || node.text.contains(is_private);
            read_out || (node.role == BUTTON && node.name.is_empty())
        });
        assert!(nameless.is_none(), "{nameless:?}");

        let sipp = Sipp::to(
            kamailio.address().parse().unwrap(),
            "call-through-proxy",
            &["-s", "bob"],
        );
        reader.hear("Incoming call: Erika Mustermann, Muster & Co");
        let _answer = reader.find(BUTTON, "Answer");
        until_call_is(data.path(), "ringing");
        // The card's or the pop-up's; that one takes nothing in its first moments.
        place::until("the button does not answer", || {
            // Once it has answered, the button in its place puts the call on hold.
            let mut buttons = reader.tree().into_iter();
            if let Some(answer) = buttons.find(|it| it.role == BUTTON && it.name == "Answer") {
                reader.press(&answer);
            }
            crate::phone::calls(data.path())
                .iter()
                .any(|row| row["state"] == "in-progress")
                .then_some(())
        });
        reader.hear("In call: Erika Mustermann");
        let _hang_up = reader.find(BUTTON, "Hang up");
        sipp.passes();
        reader.hear("Ended: Erika Mustermann");
        until_call_is(data.path(), "completed");
    });
}
