//! The finer points of an account and of the settings: what is saved, and what is told when it is not.

use egui::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::fixture::*;
use crate::config::account::{MessageWaiting, TransportChoice};
use crate::config::call_extensions::ReliableChoice;
use crate::config::ice::IceOptions;
use crate::config::{RedundancyChoice, TransferPolicy};
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
    shown.get_by_role_and_label(Role::ComboBox, name).click();
    shown.run();
    click(shown, choice);
}

fn write(shown: &mut Harness<'_, Stage>, name: &str, text: &str) {
    let field = if name.ends_with("password") {
        Role::PasswordInput
    } else {
        Role::TextInput
    };
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
        let field = shown.get_by_role_and_label(Role::TextInput, name);
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
fn keys_that_cannot_be_used_are_told_and_others_are_saved() {
    let mut shown = settings();
    write(&mut shown, "Answer with", "Ctrl+Space");
    shown.key_press(egui::Key::Tab);
    shown.run();
    shown.get_by_label_contains("such as Ctrl+Shift+F9");
    write(&mut shown, "Answer with", "Ctrl+Shift+F10");
    shown.key_press(egui::Key::Tab);
    shown.run();
    shown.get_by_label_contains("answer_key and decline_key are both");
    assert!(shown.state_mut().told().is_empty());
    write(&mut shown, "Answer with", "alt + a");
    shown.key_press(egui::Key::Tab);
    shown.run();
    let sent = shown.state_mut().sent();
    let [Command::SaveSettings(settings)] = sent.as_slice() else {
        panic!("{sent:?}");
    };
    assert_eq!(settings.desktop.answer_key.to_string(), "Alt+A");
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

/// What a screen reader says of a control beside its name.
fn told(shown: &Harness<'_, Stage>, role: Role, name: &str) -> String {
    let control = shown.get_by_role_and_label(role, name);
    control.accesskit_node().description().unwrap_or_default()
}

#[test]
fn servers_for_the_way_through_firewalls_are_saved_as_they_are_meant() {
    let mut shown = form();
    click(&mut shown, "Through firewalls");
    write(&mut shown, "STUN server", " s");
    // The sentence that comes with the first letter leaves the keyboard where it is.
    shown.get_by_label("This is off, so the servers below are not used.");
    let field = shown.get_by_role_and_label(Role::TextInput, "STUN server");
    assert!(field.is_focused());
    field.type_text("tun.pbx.example ");
    shown.run();
    write(&mut shown, "TURN server", "turn:relay.pbx.example:3479");
    write(&mut shown, "TURN user", "agent ");
    write(&mut shown, "TURN password", "s3cret");
    // Who sends sound by the relay alone means ICE, without which it would go the direct way.
    click(&mut shown, "Send sound by the TURN server alone");
    assert!(shown.query_by_label_contains("This is off").is_none());
    click(&mut shown, "Save");
    let sent = shown.state_mut().sent();
    let [
        Command::SaveAccount {
            account,
            turn_password: Some(password),
            ..
        },
    ] = sent.as_slice()
    else {
        panic!("{sent:?}");
    };
    let expected = IceOptions {
        enabled: true,
        stun: "stun.pbx.example".to_owned(),
        turn: "turn:relay.pbx.example:3479".to_owned(),
        turn_user: "agent".to_owned(),
        relay_only: true,
    };
    assert_eq!(account.ice, expected);
    assert_eq!(password.expose(), "s3cret");
}

#[test]
fn a_server_that_is_none_is_told_at_its_field_until_it_is_mended() {
    let mut shown = form();
    for (name, wrong, sentence) in [
        (
            "STUN server",
            "not a host",
            "The STUN server \"not a host\"",
        ),
        (
            "TURN server",
            "turns:relay.example",
            "The TURN server \"turns:relay.example\" cannot be used",
        ),
    ] {
        let form = shown.state_mut().state.settings.form.as_mut().unwrap();
        let ice = &mut form.account.ice;
        let field = if name == "STUN server" {
            &mut ice.stun
        } else {
            &mut ice.turn
        };
        *field = wrong.to_owned();
        shown.run();
        click(&mut shown, "Save");
        assert!(shown.state_mut().sent().is_empty());
        shown.get_by_label_contains(sentence);
        assert!(told(&shown, Role::TextInput, name).starts_with(sentence));
        let field = shown.get_by_role_and_label(Role::TextInput, name);
        assert!(field.is_focused());
        write(&mut shown, name, "relay.example");
        assert!(shown.query_by_label_contains(sentence).is_none());
        assert!(!told(&shown, Role::TextInput, name).contains(sentence));
    }
    let form = shown.state_mut().state.settings.form.as_mut().unwrap();
    form.account.ice.turn.clear();
    shown.run();
    click(&mut shown, "Send sound by the TURN server alone");
    click(&mut shown, "Save");
    shown.get_by_label_contains("Name the TURN server that all sound is to go by");
    assert!(
        shown
            .get_by_role_and_label(Role::TextInput, "TURN server")
            .is_focused()
    );
    // Without ICE there is nothing to relay.
    click(
        &mut shown,
        "Look for a way through routers and firewalls (ICE)",
    );
    click(&mut shown, "Save");
    assert!(matches!(
        shown.state_mut().sent().as_slice(),
        [Command::SaveAccount { account, .. }] if !account.ice.enabled && !account.ice.relay_only
    ));
}

#[test]
fn a_stored_turn_password_is_told_as_that_of_its_server_and_user_alone() {
    let mut snapshot = registered();
    let account = &mut snapshot.accounts[0];
    account.has_turn_password = true;
    account.account.ice = IceOptions {
        enabled: true,
        turn: "turn:relay.example".to_owned(),
        turn_user: "agent".to_owned(),
        ..IceOptions::default()
    };
    let size = egui::vec2(1440.0, 3_600.0);
    let mut shown = window(size, true, snapshot, Rows::default(), |state| {
        state.view = View::Settings;
    });
    click(&mut shown, "Edit… sip:sam@pbx.example");
    click(&mut shown, "Through firewalls");
    let hint = |shown: &Harness<'_, Stage>| {
        let field = shown.get_by_role_and_label(Role::PasswordInput, "TURN password");
        let node = field.accesskit_node();
        node.placeholder().unwrap_or_default().to_owned()
    };
    assert_eq!(hint(&shown), "Stored; type to replace");
    write(&mut shown, "TURN user", "other");
    assert_eq!(hint(&shown), "");
    write(&mut shown, "TURN user", "agent");
    assert_eq!(hint(&shown), "Stored; type to replace");
}

#[test]
fn the_keyboard_goes_through_the_firewall_fields_from_top_to_bottom() {
    let mut shown = form();
    click(&mut shown, "Through firewalls");
    let order = [
        (
            Role::Switch,
            "Look for a way through routers and firewalls (ICE)",
        ),
        (Role::TextInput, "STUN server"),
        (Role::TextInput, "TURN server"),
        (Role::TextInput, "TURN user"),
        (Role::PasswordInput, "TURN password"),
        (Role::Switch, "Send sound by the TURN server alone"),
    ];
    shown.get_by_role_and_label(order[0].0, order[0].1).focus();
    shown.run();
    for (role, name) in order {
        assert!(
            shown.get_by_role_and_label(role, name).is_focused(),
            "{name}"
        );
        assert!(
            name == "TURN user" || !told(&shown, role, name).is_empty(),
            "{name}"
        );
        shown.key_press(egui::Key::Tab);
        shown.run();
    }
    assert!(shown.unnamed_widgets().is_empty());
}

#[test]
fn how_much_is_sent_again_over_a_bad_network_is_chosen_with_the_sound() {
    for (choice, expected) in [
        ("Send each sound once", RedundancyChoice::Off),
        ("Always send it again", RedundancyChoice::Always),
    ] {
        let mut shown = settings();
        choose(&mut shown, "When the network loses words", choice);
        let sent = shown.state_mut().sent();
        assert!(
            matches!(
                sent.as_slice(),
                [Command::SaveSettings(settings)] if settings.redundancy == expected
            ),
            "{choice}: {sent:?}"
        );
        let told = told(&shown, Role::ComboBox, "When the network loses words");
        assert!(told.contains("From the next call on"), "{told}");
    }
}
