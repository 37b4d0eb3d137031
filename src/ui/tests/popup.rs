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
fn a_call_that_does_not_pop_up_is_left_out_and_its_card_says_why() {
    let mut silent = ringing(1, amelia(MatchLevel::Known));
    silent.no_popup = Some("you are on a break (lunch)".to_owned());
    let shown = pop_up(with_calls(vec![silent.clone()]), true);
    assert!(shown.query_by_label("Amelia Hart").is_none());
    // Beside it another call still pops up, alone.
    let both = vec![silent.clone(), ringing(2, Vec::new())];
    let shown = pop_up(with_calls(both), true);
    shown.get_by_label("Nobody has it");
    assert!(shown.query_by_label_contains("more").is_none());
    let card = desk(with_calls(vec![silent]), Rows::default(), |_| {});
    card.get_by_label("No pop-up: you are on a break (lunch).");
    card.get_by_label("Answer");
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
    call.queue = Some("Sales\u{202e}".to_owned());
    let shown = pop_up(with_calls(vec![call]), false);
    shown.get_by_label("+1 415-555-0134");
    shown.get_by_label("US · first call");
    shown.get_by_label("calls itself “Best Bank”");
    shown.get_by_label("Nobody has it");
    shown.get_by_label_contains("queue Sales · via sip:desk@pbx.example");
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

fn with_notes(note: &str, why: &str) -> Snapshot {
    let mut call = ringing(1, amelia(MatchLevel::Known));
    if let Some(found) = &mut call.identification {
        found.matches[0].reason = why.to_owned();
        let noted = |number| crate::crm::row::CallRow {
            notes: note.to_owned(),
            talking_millis: Some(3_723_000),
            ..row(number, None)
        };
        found.last_calls = (1..=5).map(noted).collect();
    }
    with_calls(vec![call])
}

const NOTE: &str = "Asked for the invoice of the third of October once more, to be called at noon";
const ARABIC_NOTE: &str =
    "طلب فاتورة الثالث من أكتوبر مرة أخرى ويريد أن نتصل به بشأنها قبل ظهر الغد";

/// Of an Arabic note the end was shown and the beginning cut off, and of each long one the outcome.
#[test]
fn a_long_note_is_shortened_where_its_reading_ends_and_leaves_the_outcome() {
    for scale in [1.0, 2.0] {
        let shown = pop_up_at(scale, with_notes(NOTE, "same number"), true);
        let of_note = |(text, ..): &(String, egui::Rect, egui::Rect)| text.contains("1:02:03");
        let found: Vec<_> = texts(&shown).into_iter().filter(of_note).collect();
        assert_eq!(found.len(), 5);
        for (text, place, seen) in found {
            assert!(text.starts_with("Asked for"), "{scale}: {text}");
            assert!(text.ends_with("… (Missed, 1:02:03)"), "{scale}: {text}");
            assert!(seen.contains_rect(place) && place.right() <= 336.0);
        }
        let shown = pop_up_at(scale, with_notes(ARABIC_NOTE, "same number"), true);
        let found: Vec<_> = texts(&shown).into_iter().filter(of_note).collect();
        assert_eq!(found.len(), 5);
        for (text, place, seen) in found {
            // From right to left: the first word stands at the right, the outcome at the left.
            assert!(text.starts_with("(Missed, 1:02:03) …"), "{scale}: {text}");
            assert!(text.ends_with("طلب"), "{scale}: {text}");
            assert!(seen.contains_rect(place) && place.right() <= 336.0);
        }
    }
}

#[test]
fn no_last_call_is_cut_in_half_by_what_stands_above() {
    let why = "the number is that of the switchboard, and so on ".repeat(6);
    for scale in [1.0, 2.0] {
        for note in [NOTE, ARABIC_NOTE] {
            let shown = pop_up_at(scale, with_notes(note, &why), false);
            let all = texts(&shown);
            let rows = all.iter().filter(|(text, ..)| text.contains("10 min ago"));
            let rows: Vec<_> = rows.collect();
            assert!((1..5).contains(&rows.len()), "{}", rows.len());
            for (_, place, seen) in rows {
                assert!(seen.contains_rect(*place), "{scale}: {place} in {seen}");
            }
        }
    }
}

#[test]
fn open_tickets_stand_above_the_last_calls() {
    let mut call = ringing(1, amelia(MatchLevel::Known));
    if let Some(found) = &mut call.identification {
        let state = crate::crm::row::TicketState::Open;
        found.tickets = vec![super::work::ticket(4812, "Delivery delayed", state)];
    }
    let shown = pop_up(with_calls(vec![call]), true);
    shown.get_by_label("Open tickets · 1");
    shown.get_by_label("#4812 Delivery delayed");
}

#[test]
fn a_caller_is_told_busy_or_sent_to_voice_mail() {
    let mut snapshot = with_calls(vec![ringing(1, amelia(MatchLevel::Known))]);
    let shown = pop_up(snapshot.clone(), true);
    assert!(shown.query_by_label("To voice mail").is_none());
    snapshot.accounts[0].account.voicemail = "8000".to_owned();
    for (button, command) in [("Busy", "Busy("), ("To voice mail", "Redirect(")] {
        let mut shown = pop_up(snapshot.clone(), true);
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
fn a_number_is_blocked_only_after_a_second_click() {
    let mut shown = pop_up(with_calls(vec![ringing(1, Vec::new())]), true);
    shown.state_mut().pass(READY);
    shown.run();
    shown.get_by_label("Block").click();
    shown.run();
    assert!(shown.state_mut().sent().is_empty());
    shown.get_by_label("Block this number?").click();
    shown.run();
    let told = shown.state_mut().told();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("+14155550134"), "{told:?}");
    assert!(told[1].starts_with("Decline("), "{told:?}");
}
