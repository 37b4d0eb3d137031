//! What the agent does, told and changed at the head of the window.

use egui::{Key, Modifiers, Vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use super::fixture::*;
use crate::control::{Command, Snapshot};
use crate::crm::row::{AgentState, Presence};
use crate::ui::state::View;

/// What the agent does since some seconds before the stage's time.
fn doing(state: AgentState, reason: &str, since: &str) -> Snapshot {
    let mut presence = Presence::available("2025-11-21T08:00:00Z".parse().unwrap());
    presence.set(since.parse().unwrap(), state, reason);
    Snapshot {
        agent: presence,
        ..registered()
    }
}

fn open(shown: &mut Harness<'_, Stage>) {
    shown.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::A);
    shown.run_steps(4);
}

#[test]
fn the_state_and_its_time_stand_on_every_view_with_words_and_without() {
    for size in [Vec2::new(1440.0, 900.0), Vec2::new(900.0, 600.0)] {
        for view in [View::Dialer, View::Calls, View::Settings] {
            let snapshot = doing(AgentState::Break, "Lunch", "2025-11-21T14:55:47Z");
            let shown = window(size, true, snapshot, Rows::default(), |state| {
                state.view = view;
            });
            let chip = shown.get_by_label("State: Break: Lunch");
            assert_eq!(chip.value().as_deref(), Some("04:13"));
            let painted = texts(&shown);
            assert!(painted.iter().any(|(text, ..)| text.contains("04:13")));
        }
    }
}

#[test]
fn a_state_is_chosen_by_the_keyboard_alone() {
    let snapshot = doing(AgentState::Available, "", "2025-11-21T08:00:00Z");
    let mut shown = desk(snapshot, Rows::default(), |_| {});
    open(&mut shown);
    assert!(shown.get_by_label("Available").is_focused());
    shown.key_press(Key::Tab);
    shown.run_steps(2);
    shown.key_press(Key::Tab);
    shown.run_steps(2);
    assert!(shown.get_by_label("Do not disturb").is_focused());
    shown.key_press(Key::Enter);
    shown.run_steps(2);
    let sent = shown.state_mut().sent();
    assert!(
        matches!(
            sent.as_slice(),
            [Command::SetAgentState(AgentState::DoNotDisturb, reason)] if reason.is_empty()
        ),
        "{sent:?}"
    );
    shown.run_steps(2);
    assert!(shown.query_by_label("Available").is_none());
}

#[test]
fn a_break_has_a_reason_of_the_list_or_of_its_own() {
    let snapshot = doing(AgentState::Available, "", "2025-11-21T08:00:00Z");
    let mut shown = desk(snapshot, Rows::default(), |_| {});
    open(&mut shown);
    shown.get_by_label("Break: Lunch").click();
    shown.run_steps(4);
    open(&mut shown);
    shown.get_by_label("Another reason").focus();
    shown.run_steps(2);
    shown
        .get_by_label("Another reason")
        .type_text(" Fire drill ");
    shown.run_steps(2);
    shown.get_by_label("Begin break").click();
    shown.run_steps(2);
    let told = shown.state_mut().told();
    assert_eq!(
        told,
        [
            "SetAgentState(Break, \"Lunch\")",
            "SetAgentState(Break, \"Fire drill\")"
        ]
    );
}

#[test]
fn pop_ups_are_switched_off_where_the_state_is() {
    let snapshot = doing(AgentState::WrapUp, "", "2025-11-21T14:59:00Z");
    let mut shown = desk(snapshot, Rows::default(), |_| {});
    open(&mut shown);
    shown.get_by_label("Let calls pop up").click();
    shown.run_steps(2);
    let told = shown.state_mut().told();
    assert_eq!(told, ["SetPopups(false)"]);
    shown.key_press(Key::Escape);
    shown.run_steps(3);
    assert!(shown.query_by_label("Let calls pop up").is_none());
}

#[test]
fn the_menu_draws_small_and_in_both_themes_with_long_and_turned_reasons() {
    for dark in [true, false] {
        for reason in ["reason ".repeat(14), "محمد العلي".to_owned()] {
            let size = Vec2::new(720.0, 520.0);
            let snapshot = doing(AgentState::Break, &reason, "2025-11-21T14:00:00Z");
            let mut shown = window(size, dark, snapshot, Rows::default(), |_| {});
            open(&mut shown);
            super::views::nothing_sticks_out(&shown, size.x, &reason);
            assert!(shown.unnamed_widgets().is_empty());
            let last = shown.get_by_label("Let calls pop up").rect();
            assert!(last.bottom() <= size.y, "{last:?}");
        }
    }
}
