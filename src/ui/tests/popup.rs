//! The pop-up: who calls, and that it cannot be answered by accident.

use std::time::Duration;

use egui::Key;
use egui_kittest::kittest::Queryable as _;

use super::fixture::*;
use crate::control::Snapshot;
use crate::crm::row::{MatchLevel, NumberProof};

const READY: Duration = Duration::from_millis(400);

fn with_calls(calls: Vec<crate::control::CallView>) -> Snapshot {
    Snapshot {
        calls,
        ..registered()
    }
}

fn amelia(level: MatchLevel) -> Vec<crate::crm::row::Match> {
    vec![candidate(1, "Amelia Hart", level)]
}

#[test]
fn it_shows_name_organization_number_line_and_reason() {
    let shown = pop_up(
        with_calls(vec![ringing(1, amelia(MatchLevel::Known))]),
        true,
    );
    for words in [
        "Incoming call",
        "Amelia Hart",
        "Northwind Traders",
        "+1 415-555-0134",
        "Rule 1 found it",
        "Sales",
    ] {
        shown.get_by_label(words);
    }
}

#[test]
fn answer_and_decline_send_their_commands() {
    for (button, command) in [("Answer", "Answer("), ("Decline", "Decline(")] {
        let mut shown = pop_up(
            with_calls(vec![ringing(1, amelia(MatchLevel::Known))]),
            true,
        );
        shown.state_mut().pass(READY);
        shown.run();
        shown.get_by_label(button).click();
        shown.run();
        let told = shown.state_mut().told();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with(command), "{told:?}");
    }
}

#[test]
fn clicks_in_the_first_300_milliseconds_do_nothing() {
    let mut shown = pop_up(
        with_calls(vec![ringing(1, amelia(MatchLevel::Known))]),
        true,
    );
    shown.state_mut().pass(Duration::from_millis(299));
    for button in ["Answer", "Decline"] {
        shown.get_by_label(button).click();
        shown.run();
    }
    assert!(shown.state_mut().sent().is_empty());
    shown.state_mut().pass(Duration::from_millis(2));
    shown.get_by_label("Answer").click();
    shown.run();
    assert_eq!(shown.state_mut().sent().len(), 1);
}

#[test]
fn a_press_that_began_too_early_does_nothing_when_it_ends_later() {
    let mut shown = pop_up(
        with_calls(vec![ringing(1, amelia(MatchLevel::Known))]),
        true,
    );
    let centre = shown.get_by_label("Answer").rect().center();
    shown.event(egui::Event::PointerMoved(centre));
    shown.drag_at(centre);
    shown.run();
    shown.state_mut().pass(READY);
    shown.drop_at(centre);
    shown.run();
    assert!(shown.state_mut().sent().is_empty());
}

#[test]
fn space_and_enter_never_answer_even_when_a_button_has_the_keyboard() {
    let mut shown = pop_up(
        with_calls(vec![ringing(1, amelia(MatchLevel::Known))]),
        true,
    );
    shown.state_mut().pass(READY);
    shown.run();
    for button in ["Answer", "Decline"] {
        shown.get_by_label(button).focus();
        shown.run();
        for key in [Key::Space, Key::Enter] {
            shown.key_press(key);
            shown.run();
        }
    }
    assert!(shown.state_mut().sent().is_empty());
}

#[test]
fn a_screen_reader_can_answer() {
    let mut shown = pop_up(
        with_calls(vec![ringing(1, amelia(MatchLevel::Known))]),
        true,
    );
    shown.state_mut().pass(READY);
    shown.run();
    shown.get_by_label("Answer").click_accesskit();
    shown.run();
    assert_eq!(shown.state_mut().sent().len(), 1);
}

#[test]
fn a_weak_match_is_a_maybe_and_never_the_title() {
    for level in [MatchLevel::Weak, MatchLevel::Maybe] {
        let shown = pop_up(with_calls(vec![ringing(1, amelia(level))]), true);
        shown.get_by_label("+1 415-555-0134");
        shown.get_by_label("may be Amelia Hart, Northwind Traders");
        assert!(shown.query_by_label("Amelia Hart").is_none());
    }
}

#[test]
fn a_shared_number_is_the_title_and_lists_both_people() {
    let both = vec![
        candidate(1, "Amelia Hart", MatchLevel::Known),
        candidate(2, "Priya Nair", MatchLevel::Known),
    ];
    let shown = pop_up(with_calls(vec![ringing(1, both)]), true);
    shown.get_by_label("+1 415-555-0134");
    shown.get_by_label("1 Amelia Hart · Northwind Traders");
    shown.get_by_label("2 Priya Nair · Northwind Traders");
    assert!(shown.query_by_label("Amelia Hart").is_none());
}

#[test]
fn an_unknown_caller_shows_number_country_and_why() {
    let mut call = ringing(1, Vec::new());
    call.remote_name = Some("\u{202e}Best \u{f0be}Bank".to_owned());
    call.diverted_from = Some("sip:desk@pbx.example".to_owned());
    let shown = pop_up(with_calls(vec![call]), false);
    shown.get_by_label("+1 415-555-0134");
    shown.get_by_label("US · first call");
    shown.get_by_label("calls itself “Best Bank”");
    shown.get_by_label("Nobody has it");
    shown.get_by_label_contains("via sip:desk@pbx.example");
}

#[test]
fn what_the_network_says_of_the_number_stands_beside_the_way() {
    for (claim, words) in [
        (NumberProof::Passed, Some("number proven, says the network")),
        (
            NumberProof::Failed,
            Some("number may be forged, says the network"),
        ),
        (NumberProof::None, None),
    ] {
        let mut call = ringing(1, Vec::new());
        call.number_proof = Some(claim);
        let shown = pop_up(with_calls(vec![call]), false);
        let found = shown.query_by_label_contains("says the network");
        assert_eq!(found.is_some(), words.is_some(), "{claim:?}");
        if let Some(words) = words {
            shown.get_by_label_contains(words);
        }
    }
}

#[test]
fn the_first_of_several_calls_is_shown_and_the_others_are_counted() {
    let calls = vec![
        ringing(1, amelia(MatchLevel::Known)),
        ringing(2, Vec::new()),
        ringing(3, Vec::new()),
    ];
    let mut shown = pop_up(with_calls(calls), true);
    shown.get_by_label("Amelia Hart");
    shown.get_by_label("+2 more");
    // The next one has its own moment in which clicks do nothing.
    shown.state_mut().pass(READY);
    shown.state().change(|snapshot| {
        snapshot.calls.remove(0);
    });
    shown.run();
    shown.get_by_label("Answer").click();
    shown.run();
    assert!(shown.state_mut().sent().is_empty());
}

#[test]
fn it_draws_while_the_caller_is_looked_up_and_after_the_call_is_gone() {
    let mut call = ringing(1, Vec::new());
    call.identification = None;
    let mut shown = pop_up(with_calls(vec![call]), true);
    shown.get_by_label("+14155550134");
    shown.get_by_label_contains("Looking up");
    shown.state().change(|snapshot| snapshot.calls.clear());
    shown.run();
    assert!(shown.query_by_label("Answer").is_none());
}

#[test]
fn there_is_no_field_to_type_into() {
    let shown = pop_up(
        with_calls(vec![ringing(1, amelia(MatchLevel::Known))]),
        true,
    );
    assert!(shown.query_by_role(egui::Role::TextInput).is_none());
    assert!(
        shown
            .query_by_role(egui::Role::MultilineTextInput)
            .is_none()
    );
}
