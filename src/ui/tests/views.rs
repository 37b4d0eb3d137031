//! Every screen at every size with awkward data.

use egui::{Role, Vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::fixture::*;
use crate::control::{Asker, DialRequest, Notice, Registration, Snapshot, TextMessage};
use crate::crm::row::{MatchLevel, TicketState};
use crate::ui::state::View;
use crate::ui::view::test_forms;

const LONG: &str = "Maria-Magdalena Wolfeschlegelsteinhausenbergerdorff von und zu Hohenlohe-Langenburg-und-noch-viel-länger";
const ARABIC: &str = "محمد بن عبد الله العلي (شركة الخليج 2025)";
const VIEWS: [View; 9] = [
    View::Dialer,
    View::Calls,
    View::Contacts,
    View::Leads,
    View::Organizations,
    View::Tickets,
    View::Tasks,
    View::Statistics,
    View::Settings,
];

/// Nothing to press sticks out at a side of the window.
pub(super) fn nothing_sticks_out(shown: &Harness<'_, Stage>, width: f32, what: &str) {
    for node in shown.root().children_recursive() {
        let role = node.accesskit_node().role();
        if !matches!(role, Role::Button | Role::Tab | Role::TextInput) {
            continue;
        }
        let rect = node.rect();
        assert!(
            rect.left() >= 0.0 && rect.right() <= width + 0.5,
            "{what}: {:?} at {rect:?}",
            node.accesskit_node().label()
        );
    }
}

fn data(name: &str) -> (Snapshot, Rows) {
    let mut snapshot = registered();
    snapshot.to_call_back = 120;
    snapshot.store_problem = Some(LONG.repeat(3));
    snapshot.devices.problem = Some(name.repeat(2));
    snapshot.devices.microphone_problem = Some(name.repeat(3));
    snapshot.devices.microphones = vec![name.to_owned()];
    snapshot.accounts[0].account.display_name = name.to_owned();
    snapshot.accounts[0].registration = Registration::Failed {
        reason: LONG.to_owned(),
        retry_at: Some(start() + std::time::Duration::from_secs(30)),
    };
    for id in 0..9 {
        snapshot.notices.push(Notice {
            id,
            at: "2025-11-21T14:59:50Z".parse().unwrap(),
            text: format!("{name} {id}"),
        });
    }
    let matches = vec![
        candidate(1, name, MatchLevel::Known),
        candidate(2, name, MatchLevel::Weak),
    ];
    let mut call = talking(1, matches.clone());
    call.status = name.to_owned();
    call.notes = format!("{name}\n{LONG}\n{ARABIC}");
    if let Some(found) = &mut call.identification {
        found.last_calls = (0..5)
            .map(|n| row(n, Some((name, MatchLevel::Known))))
            .collect();
    }
    snapshot.calls = vec![call, ringing(2, matches), ringing(3, Vec::new())];
    let rows = Rows {
        calls: (0..40)
            .map(|n| {
                let level = if n % 2 == 0 {
                    MatchLevel::Known
                } else {
                    MatchLevel::Weak
                };
                row(n, (n % 3 != 0).then_some((name, level)))
            })
            .collect(),
        contacts: (1..40).map(|id| contact(id, name)).collect(),
        leads: (1..40).map(|id| super::people::lead(id, name)).collect(),
        hints: vec![
            super::people::hint(1, Some(1), name),
            super::people::hint(2, None, name),
        ],
        messages: exchange(name),
        tickets: (1..40)
            .map(|id| super::work::ticket(id, name, TicketState::Open))
            .collect(),
        ..Rows::default()
    };
    (snapshot, rows)
}

#[test]
fn every_view_draws_at_both_sizes_in_both_themes_with_long_and_turned_names() {
    for size in [Vec2::new(900.0, 600.0), Vec2::new(1440.0, 900.0)] {
        for dark in [true, false] {
            for name in [LONG, ARABIC, ""] {
                for view in VIEWS {
                    let (snapshot, rows) = data(name);
                    let shown = window(size, dark, snapshot, rows, |state| state.view = view);
                    nothing_sticks_out(&shown, size.x, &format!("{view:?} {size:?} {name}"));
                    assert!(shown.unnamed_widgets().is_empty());
                }
            }
        }
    }
}

#[test]
fn every_view_draws_empty_failing_and_at_the_smallest_size() {
    for size in [Vec2::new(720.0, 520.0), Vec2::new(1440.0, 900.0)] {
        for failing in [false, true] {
            for view in VIEWS {
                let rows = Rows {
                    failing,
                    ..Rows::default()
                };
                let shown = window(size, true, registered(), rows, |state| state.view = view);
                nothing_sticks_out(&shown, size.x, &format!("{view:?} {size:?}"));
            }
        }
    }
}

#[test]
fn forms_and_details_draw_with_long_and_turned_names() {
    for size in [Vec2::new(900.0, 600.0), Vec2::new(1440.0, 900.0)] {
        for name in [LONG, ARABIC, ""] {
            for prepare in test_forms() {
                let (snapshot, rows) = data(name);
                let shown = window(size, false, snapshot, rows, prepare);
                nothing_sticks_out(&shown, size.x, name);
                assert!(shown.unnamed_widgets().is_empty());
            }
        }
    }
}

#[test]
fn the_dial_question_draws_over_every_view() {
    for view in VIEWS {
        let mut snapshot = registered();
        snapshot.dial_request = Some(DialRequest {
            asker: Asker::Link,
            link: LONG.repeat(4),
            preview: Err(LONG.repeat(4)),
            identification: None,
            asked: start(),
        });
        let shown = window(
            Vec2::new(720.0, 520.0),
            false,
            snapshot,
            Rows::default(),
            |state| state.view = view,
        );
        shown.get_by_label("This cannot be dialled");
        assert!(shown.query_by_label("Dial").is_none());
    }
}

#[test]
fn the_first_run_offers_the_lab_and_an_account() {
    let mut shown = desk(Snapshot::default(), Rows::default(), |_| {});
    shown.get_by_label("Try it without a PBX").click();
    shown.run();
    assert_eq!(shown.state_mut().told(), ["StartLab"]);
    shown.get_by_label("Add an account…").click();
    shown.run();
    assert_eq!(shown.state().state.view, View::Settings);
    shown.get_by_label("SIP address");
}

#[test]
fn the_lab_offers_an_echo_and_three_callers() {
    let mut snapshot = registered();
    snapshot.lab = true;
    snapshot.accounts[0].account.address = "sip:lab@127.0.0.1:5070".to_owned();
    let mut shown = desk(snapshot, Rows::default(), |_| {});
    for (button, command) in [
        (
            "Call the echo",
            "Call(CallTarget { text: \"echo\", account: Some(AccountId(0)) })",
        ),
        ("A known person calls", "LabCall(Known)"),
        ("An unknown number calls", "LabCall(Unknown)"),
        ("A maybe calls", "LabCall(Maybe)"),
    ] {
        shown.get_by_label(button).click();
        shown.run();
        assert_eq!(shown.state_mut().told(), [command]);
    }
}

#[test]
fn the_keyboard_reaches_every_view() {
    let mut shown = desk(registered(), Rows::default(), |_| {});
    for (key, view) in [
        (egui::Key::Num2, View::Calls),
        (egui::Key::Num3, View::Contacts),
        (egui::Key::Num4, View::Leads),
        (egui::Key::Num5, View::Organizations),
        (egui::Key::Num6, View::Tickets),
        (egui::Key::Num7, View::Tasks),
        (egui::Key::Num8, View::Statistics),
        (egui::Key::Comma, View::Settings),
        (egui::Key::Num1, View::Dialer),
    ] {
        shown.key_press_modifiers(egui::Modifiers::COMMAND, key);
        shown.run();
        assert_eq!(shown.state().state.view, view);
    }
    shown.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Num2);
    shown.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::K);
    shown.run();
    assert!(
        shown
            .get_by_label("Name, number or SIP address")
            .is_focused()
    );
}

#[test]
fn a_lost_registration_is_visible_with_its_reason_on_every_view() {
    for view in VIEWS {
        let mut snapshot = registered();
        snapshot.accounts[0].registration = Registration::Failed {
            reason: "the registrar refuses the password.".to_owned(),
            retry_at: None,
        };
        let shown = desk(snapshot, Rows::default(), |state| state.view = view);
        shown.get_by_label("Not registered. sam@pbx.example: the registrar refuses the password.");
    }
}

/// Reasons as the registration, the names and TLS give them, without a full stop of their own.
#[test]
fn each_reason_is_shown_whole_and_apart_from_the_next_try() {
    let reasons = [
        "the registrar cannot be reached: the domain nowhere.example does not exist; check its spelling",
        "the registrar cannot be reached: the certificate of pbx.example expired on 2020-02-29; its operator must renew it",
        "the registrar asks for credentials by AKAv1-MD5, which is not supported; it must offer Digest with SHA-256, SHA-512-256 or MD5",
        "the registrar accepted the registration and let it expire at once; ask its administrator how long registrations may last",
        "the registrar is overloaded or being serviced; it is tried again (503 Service Unavailable)",
    ];
    for reason in reasons {
        let mut snapshot = registered();
        snapshot.accounts[0].registration = Registration::Failed {
            reason: reason.to_owned(),
            retry_at: Some(start() + std::time::Duration::from_millis(121_000)),
        };
        let shown = desk(snapshot, Rows::default(), |state| {
            state.view = View::Settings;
        });
        let words = format!("{reason}. Tried again in 120 s.");
        shown.get_by_label(&format!("Not registered. sam@pbx.example: {words}"));
        let sentence = crate::ui::format::sentence(&words);
        let drawn = shown.get_by_value(&sentence).rect();
        assert!(
            drawn.right() <= 1440.0 && drawn.width() > 100.0,
            "{drawn:?}"
        );
    }
}

#[test]
fn calls_that_are_kept_away_are_told_on_every_view() {
    for view in VIEWS {
        let mut snapshot = registered();
        snapshot.accounts[0].account.rules.do_not_disturb = true;
        let shown = desk(snapshot, Rows::default(), |state| state.view = view);
        shown.get_by_label("Do not disturb. sam@pbx.example: calls are refused");
        let mut snapshot = registered();
        snapshot.accounts[0].account.rules.forward_always = "102".to_owned();
        let shown = desk(snapshot, Rows::default(), |state| state.view = view);
        shown.get_by_label("Calls are forwarded. sam@pbx.example: calls go to 102");
    }
}

#[test]
fn a_text_message_is_shown_as_it_is_and_goes_when_it_is_dismissed() {
    let mut snapshot = registered();
    snapshot.messages.push(TextMessage {
        id: 9,
        at: "2025-11-21T14:59:50Z".parse().unwrap(),
        account: None,
        from: "+14155550199".to_owned(),
        from_name: Some("Bob".to_owned()),
        text: "Lunch? <a href=\"http://192.0.2.1/\">here</a>".to_owned(),
    });
    let mut shown = desk(snapshot, Rows::default(), |_| {});
    shown.get_by_label("Message from Bob (+14155550199)");
    shown.get_by_label("Lunch? <a href=\"http://192.0.2.1/\">here</a>");
    shown.get_by_label("Dismiss").click();
    shown.run();
    assert_eq!(shown.state_mut().told(), ["DismissMessage(9)"]);
}

#[test]
fn banners_go_when_they_are_dismissed() {
    let mut snapshot = registered();
    snapshot.notices.push(Notice {
        id: 7,
        at: "2025-11-21T14:59:50Z".parse().unwrap(),
        text: "The disk is full.".to_owned(),
    });
    let mut shown = desk(snapshot, Rows::default(), |_| {});
    shown.get_by_label("The disk is full.");
    shown.get_by_label("Dismiss").click();
    shown.run();
    assert_eq!(shown.state_mut().told(), ["DismissNotice(7)"]);
    shown.state().change(|snapshot| {
        snapshot.notices.clear();
        snapshot.devices.problem = Some("No microphone was found.".to_owned());
    });
    shown.run();
    shown.get_by_label("Dismiss").click();
    shown.run();
    assert!(shown.query_by_label("Dismiss").is_none());
}
