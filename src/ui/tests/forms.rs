//! The finer points of an account and of the settings: what is saved, and what is told when it is not.

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use super::fixture::*;
use crate::config::TransferPolicy;
use crate::config::account::{MessageWaiting, TransportChoice};
use crate::config::call_extensions::ReliableChoice;
use crate::control::Command;
use crate::ui::state::View;

/// The form of the one account that there is.
fn form() -> Harness<'static, Stage> {
    let mut shown = settings();
    shown.get_by_label("Edit… sip:sam@pbx.example").click();
    shown.run();
    shown
}

fn settings() -> Harness<'static, Stage> {
    window(
        egui::vec2(1440.0, 3_600.0),
        true,
        registered(),
        Rows::default(),
        |state| state.view = View::Settings,
    )
}

fn click(shown: &mut Harness<'_, Stage>, label: &str) {
    shown.get_by_label(label).click();
    shown.run();
}

fn choose(shown: &mut Harness<'_, Stage>, name: &str, choice: &str) {
    shown
        .get_by_role_and_label(egui::accesskit::Role::ComboBox, name)
        .click();
    shown.run();
    click(shown, choice);
}

fn write(shown: &mut Harness<'_, Stage>, name: &str, text: &str) {
    let field = egui::accesskit::Role::TextInput;
    shown.get_by_role_and_label(field, name).focus();
    shown.run();
    shown.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::A);
    shown.run();
    shown.get_by_role_and_label(field, name).type_text(text);
    shown.run();
}

#[test]
fn extensions_mailbox_and_transfers_of_an_account_are_saved() {
    let mut shown = form();
    for section in ["More options", "SIP extensions", "Calls by rule"] {
        click(&mut shown, section);
    }
    write(&mut shown, "Voicemail number", " *97 ");
    choose(&mut shown, "Waiting messages", "Do not ask");
    choose(&mut shown, "Acknowledged progress (100rel)", "Required");
    write(&mut shown, "Session timer, in seconds", "600");
    choose(&mut shown, "When the other side transfers me", "refuse");
    click(&mut shown, "Save");
    let sent = shown.state_mut().sent();
    let [Command::SaveAccount { account, .. }] = sent.as_slice() else {
        panic!("{sent:?}");
    };
    assert_eq!(account.voicemail, "*97");
    assert_eq!(account.message_waiting, MessageWaiting::Off);
    assert_eq!(account.extensions.reliable, ReliableChoice::Required);
    assert_eq!(account.extensions.session_expires, 600);
    assert_eq!(account.rules.transfers, TransferPolicy::Never);
}

#[test]
fn a_fault_in_a_closed_section_opens_it_and_takes_the_keyboard_to_its_field() {
    let mut shown = form();
    let form = shown.state_mut().state.settings.form.as_mut().unwrap();
    form.session_timer = "7".to_owned();
    shown.run();
    click(&mut shown, "Save");
    shown.get_by_label(
        "The session timer is 7; write 0 for none, or a number from 90 to 86400 (1800 is usual).",
    );
    assert!(shown.get_by_label("Session timer, in seconds").is_focused());
    assert!(shown.state_mut().sent().is_empty());
    write(&mut shown, "Session timer, in seconds", "0");
    click(&mut shown, "Save");
    assert!(matches!(
        shown.state_mut().sent().as_slice(),
        [Command::SaveAccount { account, .. }] if account.extensions.session_expires == 0
    ));
}

#[test]
fn whom_an_encrypted_account_trusts_is_asked_where_it_is_encrypted() {
    let mut shown = form();
    click(&mut shown, "More options");
    assert!(
        shown
            .query_by_label("Pinned certificate (SHA-256)")
            .is_none()
    );
    let form = shown.state_mut().state.settings.form.as_mut().unwrap();
    form.account.transport = TransportChoice::Tls;
    shown.run();
    write(&mut shown, "Pinned certificate (SHA-256)", "12:34");
    write(
        &mut shown,
        "File with the trusted authority",
        "/etc/pbx.pem",
    );
    click(&mut shown, "Save");
    shown.get_by_label_contains("The pinned certificate is not the SHA-256 of a certificate");
    let pin = ["0A"; 32].join(":");
    write(&mut shown, "Pinned certificate (SHA-256)", &pin);
    click(&mut shown, "Save");
    let sent = shown.state_mut().sent();
    let [Command::SaveAccount { account, .. }] = sent.as_slice() else {
        panic!("{sent:?}");
    };
    assert_eq!(account.tls.pinned_certificate, pin);
    assert_eq!(account.tls.ca_file, "/etc/pbx.pem");
}

#[test]
fn a_setting_that_cannot_be_used_says_why_and_stays_as_it_was_typed() {
    for (name, wrong, sentence) in [
        (
            "Name servers",
            "192.0.2.1, pbx",
            "The name server \"pbx\" is not an address",
        ),
        (
            "Days to keep SIP messages",
            "some",
            "\"some\" is not a number of days",
        ),
        (
            "Days to keep SIP messages",
            "9999",
            "The number of days is 9999; write a number",
        ),
        (
            "Seconds of silence before a call ends",
            "never",
            "\"never\" is not a number of seconds",
        ),
        (
            "Seconds of silence before a call ends",
            "9",
            "The time of silence is 9; write a number of seconds from 10 to 3600",
        ),
        (
            "Country of numbers without country code",
            "Germany",
            "The region \"GERMANY\" is not a country code",
        ),
    ] {
        let mut shown = settings();
        write(&mut shown, name, wrong);
        assert!(shown.query_by_label_contains(sentence).is_none());
        shown.key_press(egui::Key::Tab);
        shown.run();
        shown.get_by_label_contains(sentence);
        assert!(shown.state_mut().sent().is_empty());
        let field = shown.get_by_role_and_label(egui::accesskit::Role::TextInput, name);
        assert_eq!(field.value().as_deref(), Some(wrong));
        assert!(!field.is_focused());
    }
}

#[test]
fn name_servers_days_and_seconds_are_saved_when_the_keyboard_leaves_them() {
    let mut shown = settings();
    write(&mut shown, "Name servers", "192.0.2.1,  [2001:db8::1]:5353");
    write(&mut shown, "Days to keep SIP messages", "7");
    write(&mut shown, "Seconds of silence before a call ends", "45");
    shown.key_press(egui::Key::Tab);
    shown.run();
    let saved: Vec<_> = shown
        .state_mut()
        .sent()
        .into_iter()
        .filter_map(|command| match command {
            Command::SaveSettings(settings) => Some(*settings),
            _ => None,
        })
        .collect();
    let servers = ["192.0.2.1", "[2001:db8::1]:5353"];
    assert!(
        saved.iter().any(|it| it.name_servers == servers),
        "{saved:?}"
    );
    assert!(saved.iter().any(|it| it.ladder_days == 7), "{saved:?}");
    assert!(
        saved.iter().any(|it| it.silence_limit_seconds == 45),
        "{saved:?}"
    );
}

#[test]
fn codecs_are_ordered_left_out_and_added() {
    let mut shown = form();
    click(&mut shown, "Sound of calls");
    shown.get_by_label_contains("1. Opus");
    click(&mut shown, "Move PCMA up");
    click(&mut shown, "Move Opus down");
    click(&mut shown, "Leave out PCMU");
    shown.get_by_label_contains("1. G.722");
    click(&mut shown, "Add PCMU");
    click(&mut shown, "Leave out Opus");
    click(&mut shown, "Send next to nothing while I am silent");
    choose(&mut shown, "Sound in each packet", "10 ms");
    click(&mut shown, "Save");
    let sent = shown.state_mut().sent();
    let [Command::SaveAccount { account, .. }] = sent.as_slice() else {
        panic!("{sent:?}");
    };
    assert_eq!(account.codecs, ["g722", "pcma", "pcmu"]);
    assert!(account.silence_suppression);
    assert_eq!(account.packet_millis, 10);
}

#[test]
fn the_last_codec_stays() {
    let mut shown = form();
    click(&mut shown, "Sound of calls");
    for name in ["Opus", "G.722", "PCMU"] {
        click(&mut shown, &format!("Leave out {name}"));
    }
    click(&mut shown, "Leave out PCMA");
    click(&mut shown, "Save");
    assert!(matches!(
        shown.state_mut().sent().as_slice(),
        [Command::SaveAccount { account, .. }] if account.codecs == ["pcma"]
    ));
}
