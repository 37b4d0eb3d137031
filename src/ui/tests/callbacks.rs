//! Whom to call back.

use egui::{Key, Vec2};
use egui_kittest::kittest::Queryable as _;

use super::fixture::*;
use crate::control::{Command, RecordChange, Snapshot};
use crate::crm::row::{CallNote, CallbackRow, MatchLevel};
use crate::ui::state::View;

const NAME: &str = "Amelia Hart";

fn callback(number: u8, name: &str) -> CallbackRow {
    CallbackRow {
        call: row(number, Some((name, MatchLevel::Known))),
        missed: 3,
        attempts: 2,
        last_attempt: Some("2025-11-21T14:20:00Z".parse().unwrap()),
        last_agent: Some("Sam".to_owned()),
        last_note: Some(CallNote {
            at: "2025-11-20T09:00:00Z".parse().unwrap(),
            agent: Some("Priya".to_owned()),
            text: "\nWants a quote\nfor Madrid".to_owned(),
        }),
    }
}

fn waiting() -> (Snapshot, Rows) {
    let snapshot = Snapshot {
        to_call_back: 2,
        ..registered()
    };
    let rows = Rows {
        callbacks: vec![callback(1, NAME), callback(2, "Priya Nair")],
        ..Rows::default()
    };
    (snapshot, rows)
}

#[test]
fn a_number_tells_how_often_it_was_missed_and_tried_by_whom_and_what_was_noted() {
    let (snapshot, rows) = waiting();
    let shown = desk(snapshot, rows, |state| state.view = View::Calls);
    let painted: Vec<String> = texts(&shown).into_iter().map(|(text, ..)| text).collect();
    let has = |words: &str| painted.iter().any(|text| text.contains(words));
    assert!(has("missed 3 times, last 10 min ago"), "{painted:?}");
    assert!(has("tried twice, last by Sam, 40 min ago"), "{painted:?}");
    assert!(
        has("“Wants a quote” (Priya, yesterday 09:00)"),
        "{painted:?}"
    );
}

#[test]
fn a_number_is_ticked_off_by_its_button_and_by_the_delete_key() {
    let (snapshot, rows) = waiting();
    let mut shown = desk(snapshot, rows, |state| state.view = View::Calls);
    shown.get_by_label("Mark Amelia Hart as done").click();
    shown.run();
    shown.get_by_label_contains("Priya Nair, Inbound").focus();
    shown.run();
    shown.key_press(Key::Delete);
    shown.run();
    let sent = shown.state_mut().sent();
    assert!(
        matches!(
            sent.as_slice(),
            [Command::MarkDone(one, true), Command::MarkDone(other, true)]
                if (*one, *other) == (call_id(1), call_id(2))
        ),
        "{sent:?}"
    );
}

#[test]
fn enter_looks_first_and_then_calls() {
    let (snapshot, rows) = waiting();
    let mut shown = desk(snapshot, rows, |state| state.view = View::Calls);
    shown.get_by_label_contains("Amelia Hart, Inbound").focus();
    shown.run();
    shown.key_press(Key::Enter);
    shown.run();
    assert_eq!(shown.state().state.detail, Some(call_id(1)));
    assert!(shown.state_mut().sent().is_empty());
    shown.key_press(Key::Enter);
    shown.run();
    let told = shown.state_mut().told();
    assert!(
        told[0].starts_with("Call(CallTarget { text: \"+14155550134\""),
        "{told:?}"
    );
}

#[test]
fn all_are_done_only_after_a_second_look_and_not_behind_a_search() {
    let (snapshot, rows) = waiting();
    let mut shown = desk(snapshot, rows, |state| state.view = View::Calls);
    shown.get_by_label("Mark all as done…").click();
    shown.run();
    assert!(shown.state_mut().sent().is_empty());
    shown.get_by_label("Mark 2 numbers as done").click();
    shown.run();
    let sent = shown.state_mut().sent();
    assert!(matches!(
        sent.as_slice(),
        [Command::ChangeRecords(RecordChange::AllDone)]
    ));
    shown.state_mut().state.calls.search = "+1415".to_owned();
    shown.run();
    assert!(shown.query_by_label("Mark all as done…").is_none());
}

#[test]
fn the_list_draws_small_and_in_both_themes_with_long_and_turned_names() {
    for dark in [true, false] {
        for name in ["A name without end ".repeat(9), "محمد العلي".to_owned()] {
            for size in [Vec2::new(720.0, 520.0), Vec2::new(900.0, 600.0)] {
                let rows = Rows {
                    callbacks: (0..40).map(|number| callback(number, &name)).collect(),
                    ..Rows::default()
                };
                let shown = window(size, dark, registered(), rows, |state| {
                    state.view = View::Calls;
                });
                super::views::nothing_sticks_out(&shown, size.x, &name);
                assert!(shown.unnamed_widgets().is_empty());
            }
        }
    }
}
