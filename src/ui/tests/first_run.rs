//! The first minute, the diagnostics, and settings of an administrator.

use std::sync::Arc;
use std::time::Duration;

use egui::{Role, Vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::fixture::{Rows, Stage, desk, registered, window};
use super::views::nothing_sticks_out;
use crate::base::flow::Transport;
use crate::config::account::TransportChoice;
use crate::config::provisioning::{Provisioning, changes};
use crate::config::{Account, Config};
use crate::control::{
    Command, DiskView, ExportView, ExportedWhat, ProvisioningView, Reached, Registration, Snapshot,
    SupportBundle, SupportFile, TrialOutcome, TrialStep, TrialView,
};
use crate::ui::routing_state::SettingsTab;
use crate::ui::state::{View, ViewState};
use crate::ui::text;

fn diagnostics(state: &mut ViewState) {
    state.view = View::Settings;
    state.settings.tab = SettingsTab::Diagnostics;
}

fn tried(result: Result<Reached, String>) -> Box<TrialOutcome> {
    Box::new(TrialOutcome {
        account: Account {
            address: "sip:alice@example.com".to_owned(),
            transport: TransportChoice::Tls,
            ..Account::default()
        },
        steps: vec![TrialStep {
            transport: TransportChoice::Tls,
            result,
        }],
    })
}

#[test]
fn an_address_and_a_password_are_tried_and_then_kept() {
    let mut shown = desk(Snapshot::default(), Rows::default(), |state| {
        state.first_run.address = "alice@example.com".to_owned();
        state.first_run.password.0 = "sesame".to_owned();
    });
    shown.get_by_label("Connect").click_accesskit();
    shown.run();
    let sent = shown.state_mut().sent();
    let [Command::TryAccount { account, password }] = sent.as_slice() else {
        panic!("{sent:?}")
    };
    assert_eq!(account.address, "sip:alice@example.com");
    assert_eq!(password.as_ref().unwrap().expose(), "sesame");
    shown.state().change(|snapshot| {
        snapshot.trial = Some(TrialView::Trying("sip:alice@example.com".to_owned()));
    });
    shown.run();
    assert!(
        shown
            .get_by_label("Connecting…")
            .accesskit_node()
            .is_disabled()
    );
    shown.state().change(|snapshot| {
        snapshot.trial = Some(TrialView::Over(tried(Ok(Reached {
            transport: Transport::Tls,
            server: "192.0.2.1:5061".parse().unwrap(),
            expires: Duration::from_secs(600),
        }))));
    });
    shown.run();
    shown.get_by_label("alice@example.com works: it is registered by TLS at 192.0.2.1:5061.");
    shown.get_by_label("Save account").click_accesskit();
    shown.run();
    let sent = shown.state_mut().sent();
    let [
        Command::SaveAccount {
            account, password, ..
        },
        Command::DropTrial,
    ] = sent.as_slice()
    else {
        panic!("{sent:?}")
    };
    assert_eq!(account.transport, TransportChoice::Tls);
    assert_eq!(password.as_ref().unwrap().expose(), "sesame");
}

#[test]
fn an_account_that_does_not_work_says_why_and_is_kept_only_on_demand() {
    let snapshot = Snapshot {
        trial: Some(TrialView::Over(tried(Err("wrong password".to_owned())))),
        ..Snapshot::default()
    };
    let mut shown = desk(snapshot, Rows::default(), |_| {});
    shown.get_by_label_contains("TLS: Wrong password");
    assert!(shown.query_by_label("Save account").is_none());
    shown.get_by_label("Save anyway").click_accesskit();
    shown.run();
    assert!(matches!(
        shown.state_mut().sent().as_slice(),
        [Command::SaveAccount { .. }, Command::DropTrial]
    ));
}

#[test]
fn what_is_no_address_is_told_at_the_field() {
    let mut shown = desk(Snapshot::default(), Rows::default(), |state| {
        state.first_run.address = "alice".to_owned();
    });
    shown.get_by_label("Connect").click_accesskit();
    shown.run();
    assert!(shown.state_mut().sent().is_empty());
    shown.get_by_label_contains("\"alice\" is no address");
}

#[test]
fn the_light_leads_to_each_reason_and_each_can_be_reached_by_the_keyboard() {
    let mut snapshot = registered();
    snapshot.accounts[0].registration = Registration::Failed {
        reason: "the password is wrong".to_owned(),
        retry_at: None,
    };
    snapshot.network_problem = Some("no way out".to_owned());
    snapshot.log_problem = Some("the log is not written".to_owned());
    snapshot.disk = Some(DiskView {
        full: false,
        problem: "5 MiB are free".to_owned(),
    });
    let mut shown = desk(snapshot, Rows::default(), |_| {});
    shown
        .get_by_label("No network. No way out")
        .click_accesskit();
    shown.run();
    assert_eq!(shown.state().state.settings.tab, SettingsTab::Diagnostics);
    for (name, why) in [
        ("Registration sam@pbx.example", "The password is wrong"),
        ("Network", "No way out"),
        ("Disk", "5 MiB are free"),
        ("Log file", "The log is not written"),
        ("Call log", "Calls are kept"),
    ] {
        let part = shown.get_by_role_and_label(Role::Button, name);
        let said = part.accesskit_node().description().unwrap_or_default();
        assert!(said.contains(why), "{name}: {said}");
        part.focus();
        shown.run();
        let part = shown.get_by_role_and_label(Role::Button, name);
        assert!(part.is_focused(), "{name}");
    }
    shown
        .get_by_label("Registration sam@pbx.example")
        .click_accesskit();
    shown.run();
    assert!(matches!(
        shown.state_mut().sent().as_slice(),
        [Command::RegisterNow(_)]
    ));
}

#[test]
fn a_support_bundle_is_seen_before_it_is_saved() {
    let mut shown = desk(registered(), Rows::default(), diagnostics);
    shown
        .get_by_label("Gather support bundle…")
        .click_accesskit();
    shown.run();
    assert!(matches!(
        shown.state_mut().sent().as_slice(),
        [Command::DropSupport, Command::GatherSupport(false)]
    ));
    let file = |name: &str, text: &str| SupportFile {
        name: name.to_owned(),
        text: text.to_owned(),
    };
    shown.state().change(|snapshot| {
        snapshot.support = Some(Arc::new(SupportBundle {
            files: vec![
                file("about.txt", "Ringdesk 0.1.0\n"),
                file("log/a.log", "a line\n"),
            ],
            people: false,
        }));
    });
    shown.run();
    shown.get_by_label("Ringdesk 0.1.0");
    shown.get_by_label("log/a.log, 1 KiB").click_accesskit();
    shown.run();
    shown.get_by_label("a line");
    shown.get_by_label("Save support bundle").click_accesskit();
    shown.run();
    let sent = shown.state_mut().sent();
    let [Command::SaveSupport(name)] = sent.as_slice() else {
        panic!("{sent:?}")
    };
    assert!(
        name.contains("ringdesk-support-") && name.ends_with(".zip"),
        "{name}"
    );
    shown.state().change(|snapshot| {
        snapshot.exported = Some(ExportView {
            what: ExportedWhat::SupportBundle,
            outcome: Ok("/tmp/a.zip".to_owned()),
        });
    });
    shown.run();
    shown.get_by_label_contains("/tmp/a.zip");
}

fn provisioning() -> Provisioning {
    let file = "locked = [\"settings.recording\"]\nlocked_because = \"the law\"\n[settings]\nrecording = \"always\"\n";
    Provisioning::parse(file.as_bytes()).unwrap()
}

#[test]
fn settings_of_an_administrator_are_shown_before_they_apply() {
    let mut shown = desk(registered(), Rows::default(), |state| {
        state.view = View::Settings;
        state.settings.provisioning = "https://example.com/p.toml".to_owned();
    });
    shown.get_by_label("Read…").click_accesskit();
    shown.run();
    let sent = shown.state_mut().sent();
    assert!(
        matches!(sent.as_slice(), [Command::FetchProvisioning(from)] if from == "https://example.com/p.toml")
    );
    let old = Config::default();
    let new = provisioning().apply(&old).unwrap();
    shown.state().change(|snapshot| {
        snapshot.provisioning = Some(ProvisioningView::Offered {
            source: "https://example.com/p.toml".to_owned(),
            changes: changes(&old, &new),
            locked: provisioning().locks().keys().to_vec(),
            because: "the law".to_owned(),
        });
    });
    shown.run();
    shown.get_by_label("Recording: settings.recording: agent becomes always");
    shown.get_by_label("You will not be able to change: settings.recording (the law)");
    shown.get_by_label("Apply").click_accesskit();
    shown.run();
    assert!(matches!(
        shown.state_mut().sent().as_slice(),
        [Command::ApplyProvisioning]
    ));
}

#[test]
fn a_locked_setting_has_a_lock_and_the_reason_and_cannot_be_changed() {
    let mut snapshot = registered();
    let shown = desk(snapshot.clone(), Rows::default(), |state| {
        state.view = View::Settings;
    });
    assert!(
        shown
            .query_by_label("Locked by your administrator: the law")
            .is_none()
    );
    snapshot.locks = provisioning().locks().clone();
    let shown = desk(snapshot, Rows::default(), |state| {
        state.view = View::Settings;
    });
    shown.get_by_label("Locked by your administrator: the law");
    let control = shown.get_by_role_and_label(Role::ComboBox, "Recording");
    assert!(control.accesskit_node().is_disabled());
}

/// What holds a group holds each of its controls, in an account's form and beside it.
#[test]
fn locked_groups_lock_each_of_their_controls() {
    let file = "locked = [\"accounts.ice\", \"accounts.rules\", \"settings.theme\", \"settings.speaker_volume\"]\nlocked_because = \"the law\"\n";
    let mut snapshot = registered();
    snapshot.locks = Provisioning::parse(file.as_bytes())
        .unwrap()
        .locks()
        .clone();
    let mut shown = window(
        Vec2::new(1280.0, 6000.0),
        true,
        snapshot,
        Rows::default(),
        |state| state.view = View::Settings,
    );
    let locked = |shown: &Harness<'_, Stage>, role: Role, name: &str| {
        let control = shown.get_by_role_and_label(role, name);
        let node = control.accesskit_node();
        let why = node.description().unwrap_or_default();
        assert!(node.is_disabled(), "{name} is not locked");
        assert!(why.contains("the law"), "{name} says {why:?}");
    };
    locked(&shown, Role::Slider, "Volume of the speaker");
    let dark = shown.get_by_role_and_label(Role::Button, "Dark");
    assert!(dark.accesskit_node().is_disabled());
    shown
        .get_by_label("Edit… sip:sam@pbx.example")
        .click_accesskit();
    shown.run();
    for section in [text::FIREWALLS, text::RULES] {
        shown.get_by_label(section).click_accesskit();
        shown.run_steps(20);
    }
    for (role, name) in [
        (Role::Switch, text::ICE),
        (Role::TextInput, text::STUN),
        (Role::TextInput, text::TURN),
        (Role::TextInput, text::TURN_USER),
        (Role::PasswordInput, text::TURN_PASSWORD),
        (Role::Switch, text::RELAY_ONLY),
        (Role::Switch, text::DO_NOT_DISTURB),
        (Role::Switch, text::CALL_WAITING),
        (Role::TextInput, text::FORWARD_ALWAYS),
        (Role::ComboBox, text::FORWARD_AFTER),
        (Role::ComboBox, text::AUTO_ANSWER),
        (Role::ComboBox, text::TRANSFERS),
        (Role::ComboBox, text::REDIRECTS),
        (Role::ComboBox, text::SEND_DIGITS),
        (Role::Switch, text::HIDE_NUMBER),
        (Role::Switch, text::TRUST_IDENTITY),
        (Role::Switch, text::ALLOW_MD5),
    ] {
        locked(&shown, role, name);
    }
    let free = shown.get_by_role_and_label(Role::TextInput, text::DISPLAY_NAME);
    assert!(!free.accesskit_node().is_disabled());
}

#[test]
fn the_new_views_fit_at_every_size_in_both_themes() {
    let mut snapshot = registered();
    snapshot.network_problem = Some("a rather long reason ".repeat(9));
    snapshot.log_dir = "/home/somebody/with/a/long/name/".repeat(4);
    for width in [900.0, 1440.0] {
        for dark in [true, false] {
            let size = Vec2::new(width, 600.0);
            let shown = window(size, dark, snapshot.clone(), Rows::default(), diagnostics);
            nothing_sticks_out(&shown, width, "diagnostics");
            let first = Snapshot {
                trial: Some(TrialView::Over(tried(Err("why ".repeat(90))))),
                ..Snapshot::default()
            };
            let shown = window(size, dark, first, Rows::default(), |_| {});
            nothing_sticks_out(&shown, width, "first run");
        }
    }
}
