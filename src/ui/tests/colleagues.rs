//! Colleagues and waiting messages.

use egui::Vec2;
use egui_kittest::kittest::Queryable as _;

use super::fixture::*;
use crate::base::id::AccountId;
use crate::config::settings::WatchKind;
use crate::control::{
    ColleagueState, ColleagueView, MailboxView, MessageCount, PickupTarget, Snapshot,
};

pub(super) fn colleague(name: &str, state: ColleagueState) -> ColleagueView {
    ColleagueView {
        name: name.to_owned(),
        address: format!("sip:{}@example.com", name.to_lowercase()),
        watch: WatchKind::Blf,
        state,
        detail: None,
        pickup: None,
        problem: None,
    }
}

fn with(colleagues: Vec<ColleagueView>) -> Snapshot {
    Snapshot {
        colleagues,
        ..registered()
    }
}

pub(super) fn mailbox(waiting: bool, new: u32, voicemail: Option<&str>) -> Snapshot {
    Snapshot {
        mailboxes: vec![MailboxView {
            account: Some(AccountId(0)),
            address: "sip:alice@example.com".to_owned(),
            waiting,
            counts: vec![MessageCount {
                class: "voice",
                new,
                old: 1,
                new_urgent: 0,
                old_urgent: 0,
            }],
            voicemail: voicemail.map(str::to_owned),
        }],
        ..registered()
    }
}

#[test]
fn each_colleague_says_in_words_what_they_do_and_a_press_calls() {
    let mut bob = colleague("Bob", ColleagueState::Talking);
    bob.detail = Some("Anna (anna@example.com)".to_owned());
    let snapshot = with(vec![bob, colleague("Carol", ColleagueState::Free)]);
    let mut desk = window(
        Vec2::new(1300.0, 760.0),
        true,
        snapshot,
        Rows::default(),
        |_| {},
    );
    desk.get_by_label("Call Bob, On the phone · Anna (anna@example.com)");
    desk.get_by_label("Call Carol, Free").click();
    desk.run();
    let told = desk.state_mut().told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("sip:carol@example.com"), "{told:?}");
}

#[test]
fn a_ringing_colleague_can_be_picked_up() {
    let mut bob = colleague("Bob", ColleagueState::Ringing);
    bob.pickup = Some(PickupTarget {
        call_id: "c1".to_owned(),
        local_tag: "l1".to_owned(),
        remote_tag: "r1".to_owned(),
        target: "sip:anna@10.0.0.1".to_owned(),
    });
    let mut desk = window(
        Vec2::new(800.0, 560.0),
        false,
        with(vec![bob]),
        Rows::default(),
        |_| {},
    );
    desk.get_by_label("Call Bob, Ringing");
    desk.get_by_label("Pick up the call that rings at Bob")
        .click();
    desk.run();
    let told = desk.state_mut().told();
    assert!(
        told[0].starts_with("Pickup") && told[0].contains("\"r1\""),
        "{told:?}"
    );
}

#[test]
fn without_colleagues_there_is_no_strip() {
    let desk = window(
        Vec2::new(1300.0, 760.0),
        true,
        registered(),
        Rows::default(),
        |_| {},
    );
    assert!(desk.query_by_label_contains("Call Bob").is_none());
    assert!(desk.query_by_label_contains("Voicemail").is_none());
}

#[test]
fn waiting_messages_are_counted_and_a_press_calls_the_voice_mail() {
    for wide in [800.0, 1300.0] {
        let size = Vec2::new(wide, 600.0);
        let mut desk = window(
            size,
            true,
            mailbox(true, 3, Some("*97")),
            Rows::default(),
            |_| {},
        );
        desk.get_by_label("Voicemail, 3 new messages. Calls *97")
            .click();
        desk.run();
        let told = desk.state_mut().told();
        assert!(told[0].contains("\"*97\""), "{told:?}");
    }
}

#[test]
fn a_voice_mail_without_a_number_says_what_to_do_and_calls_nobody() {
    let size = Vec2::new(1300.0, 760.0);
    let mut desk = window(
        size,
        false,
        mailbox(false, 0, None),
        Rows::default(),
        |_| {},
    );
    let label = "Voicemail, no new messages. Name its number in the account to call it";
    desk.get_by_label(label).click();
    desk.run();
    assert!(desk.state_mut().told().is_empty());
}

#[test]
fn a_hundred_colleagues_leave_room_for_the_rest() {
    let many = (0..100).map(|n| colleague(&format!("C{n}"), ColleagueState::Unknown));
    let desk = window(
        Vec2::new(720.0, 520.0),
        true,
        with(many.collect()),
        Rows::default(),
        |_| {},
    );
    // The strip once widened the window's content beyond its edge.
    for n in 0..100 {
        let chip = desk.get_by_label(&format!("Call C{n}, Unknown")).rect();
        assert!(chip.left() >= 0.0 && chip.right() <= 720.0, "{chip:?}");
    }
    // The dialer is still there, within the window.
    let field = desk.get_by_role(egui::Role::TextInput).rect();
    assert!(field.bottom() <= 520.0, "{field:?}");
}

#[test]
fn a_colleague_is_added_and_removed_in_the_settings() {
    let mut snapshot = registered();
    snapshot.settings.colleagues = vec![crate::config::settings::Colleague {
        name: "Bob".to_owned(),
        address: "201".to_owned(),
        watch: WatchKind::Blf,
    }];
    let size = Vec2::new(1300.0, 3000.0);
    let mut desk = window(size, true, snapshot, Rows::default(), |state| {
        state.view = crate::ui::state::View::Settings;
        state.settings.colleague.address = " my friend ".to_owned();
    });
    desk.get_by_label("Add colleague").click();
    desk.run();
    assert!(desk.state_mut().told().is_empty());
    desk.get_by_label_contains("The colleague \"my friend\"");
    desk.state_mut().state.settings.colleague.address = " 202 ".to_owned();
    desk.run();
    desk.get_by_label("Add colleague").click();
    desk.run();
    let told = desk.state_mut().told();
    assert!(
        told[0].starts_with("SaveSettings") && told[0].contains("\"202\""),
        "{told:?}"
    );
    desk.get_by_label("Do not watch 201 any more").click();
    desk.run();
    let told = desk.state_mut().told();
    assert!(!told[0].contains("\"201\""), "{told:?}");
}
