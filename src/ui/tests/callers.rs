//! Who a call is with: chosen among several, found, or written down.

use egui::{Key, Modifiers, Vec2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::call_card::with;
use super::fixture::*;
use super::people::hint;
use crate::base::id::{ContactId, HintId, OrganizationId};
use crate::control::{CallStage, CallView, Command, RecordChange};
use crate::crm::row::{HintVerdict, Identification, Match, MatchLevel, OnAnswer, Subject};
use crate::ui::state::View;

fn both() -> Vec<Match> {
    vec![
        candidate(1, "Amelia Hart", MatchLevel::Known),
        candidate(2, "Priya Nair", MatchLevel::Known),
    ]
}

#[test]
fn each_candidate_tells_why_and_a_guess_says_that_it_is_one() {
    let mut found = both();
    found.push(candidate(3, "Jim Weak", MatchLevel::Maybe));
    let shown = desk(with(talking(1, found)), Rows::default(), |_| {});
    let why = |label: &str| {
        let node = shown.get_by_label(label);
        node.accesskit_node().description().unwrap_or_default()
    };
    assert_eq!(why("1 Amelia Hart · Northwind Traders"), "Rule 1 found it");
    assert_eq!(
        why("3 Jim Weak · Northwind Traders"),
        "Not sure. Rule 3 found it"
    );
}

#[test]
fn nobody_of_these_is_remembered_and_asks_no_more() {
    let mut call = talking(1, both());
    call.nobody = true;
    let mut shown = desk(with(call), Rows::default(), |_| {});
    assert!(shown.query_by_label("Who is it?").is_none());
    shown.get_by_label("You said that it is nobody of those who are known.");
    shown.key_press_modifiers(Modifiers::ALT, Key::Num1);
    shown.run_steps(2);
    assert!(shown.state_mut().sent().is_empty());
    shown.get_by_label("Create contact…");
}

#[test]
fn what_the_answer_left_open_is_asked_on_the_card_and_by_its_keys() {
    let call = CallView {
        opens: Some(OnAnswer::Choose { candidates: both() }),
        ..talking(1, vec![candidate(9, "Only One", MatchLevel::Known)])
    };
    let mut shown = desk(with(call), Rows::default(), |_| {});
    shown.get_by_label("Who is it?");
    shown.key_press_modifiers(Modifiers::ALT, Key::Num2);
    shown.run_steps(2);
    let told = shown.state_mut().told();
    assert!(told[0].contains("Some(Contact(ContactId(2)))"), "{told:?}");
}

/// Alt+1 chose the only caller once more, and the call type stayed open.
#[test]
fn who_is_known_already_takes_no_key_from_the_call_types() {
    let call = CallView {
        stage: CallStage::Ended,
        ended: Some(start()),
        ..talking(1, vec![candidate(1, "Amelia Hart", MatchLevel::Known)])
    };
    let mut shown = desk(with(call), Rows::default(), |_| {});
    shown.key_press_modifiers(Modifiers::ALT, Key::Num1);
    shown.run_steps(2);
    assert!(shown.state_mut().sent().is_empty());
}

#[test]
fn an_unknown_caller_is_added_to_somebody_who_is_there() {
    let rows = Rows {
        contacts: vec![contact(1, "Amelia Hart")],
        ..Rows::default()
    };
    let mut shown = desk(with(talking(1, Vec::new())), rows, |_| {});
    shown.get_by_label("Add to existing…").click();
    shown.run_steps(3);
    shown.get_by_label("Find who it is").type_text("Amelia");
    shown.run_steps(3);
    shown
        .get_by_label("Amelia Hart, Northwind Traders · +1 415 555 0134")
        .click();
    shown.run_steps(2);
    let sent = shown.state_mut().sent();
    let [
        Command::ChangeRecords(RecordChange::EditContact(ContactId(1), edit)),
        Command::ChooseCaller(call, Some(Subject::Contact(ContactId(1)))),
    ] = sent.as_slice()
    else {
        panic!("{sent:?}");
    };
    assert_eq!(*call, call_id(1));
    assert_eq!(edit.numbers.add[0].raw, "+14155550134");
    assert!(edit.numbers.remove.is_empty());
}

#[test]
fn somebody_else_at_a_shared_number_does_not_get_the_number() {
    let rows = Rows {
        contacts: vec![contact(5, "Zoe Third")],
        ..Rows::default()
    };
    let mut shown = desk(with(talking(1, both())), rows, |_| {});
    shown.get_by_label("Somebody else…").click();
    shown.run_steps(3);
    shown.get_by_label("Find who it is").type_text("Zoe");
    shown.run_steps(3);
    shown.key_press(Key::Enter);
    shown.run_steps(3);
    let told = shown.state_mut().told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("Some(Contact(ContactId(5)))"));
}

#[test]
fn an_unknown_caller_becomes_a_lead_or_an_organization() {
    let mut call = talking(1, Vec::new());
    call.remote_name = Some("Best Offers".to_owned());
    let mut shown = desk(with(call), Rows::default(), |_| {});
    shown.get_by_label("Create lead…").click();
    shown.run_steps(3);
    assert_eq!(shown.state().state.view, View::Leads);
    shown.get_by_label("Save").click();
    shown.run_steps(2);
    shown.get_by_label("Create organization…").click();
    shown.run_steps(3);
    shown.get_by_label("Save").click();
    shown.run_steps(2);
    let sent = shown.state_mut().sent();
    let [
        Command::SaveContact(lead),
        Command::SaveOrganization(organization),
    ] = sent.as_slice()
    else {
        panic!("{sent:?}");
    };
    assert!(lead.stage.is_some());
    assert_eq!(lead.numbers[0].raw, "+14155550134");
    assert_eq!(organization.id, OrganizationId(0));
    assert_eq!(organization.name, "Best Offers");
    assert_eq!(organization.numbers[0].raw, "+14155550134");
}

#[test]
fn a_stranger_of_a_mail_is_a_maybe_with_its_source_and_is_confirmed_on_the_card() {
    let mut call = talking(1, Vec::new());
    call.identification.as_mut().unwrap().strangers = vec![hint(4, None, "Anna Mail")];
    let rows = Rows {
        hints: vec![hint(4, None, "Anna Mail")],
        ..Rows::default()
    };
    let mut shown = desk(with(call), rows, |_| {});
    shown.get_by_label("may be Anna Mail");
    shown
        .get_by_label("Yes, 415 555-0134 is a number of Anna Mail")
        .click();
    shown.run_steps(2);
    let told = super::people::changes(shown.state_mut().sent());
    assert_eq!(
        told,
        [RecordChange::JudgeHint(HintId(4), HintVerdict::Confirm)]
    );
}

#[test]
fn a_logged_call_is_given_to_one_of_several_or_to_somebody_new() {
    let rows = Rows {
        calls: vec![row(1, None)],
        identification: Identification {
            matches: both(),
            ..Identification::default()
        },
        ..Rows::default()
    };
    let mut shown = desk(registered(), rows, |state| {
        state.view = View::Calls;
        state.detail = Some(call_id(1));
    });
    shown
        .get_by_label("2 Priya Nair · Northwind Traders")
        .click();
    shown.run();
    let told = shown.state_mut().told();
    assert!(told[0].contains("Some(Contact(ContactId(2)))"), "{told:?}");
    shown.get_by_label("Create lead…").click();
    shown.run();
    assert_eq!(shown.state().state.view, View::Leads);
    let form = shown.state().state.leads.form.as_ref().unwrap();
    assert_eq!(form.row.numbers[0].raw, "+14155550134");
}

#[test]
fn the_question_draws_small_and_in_both_themes_with_long_and_turned_names() {
    for dark in [true, false] {
        for name in ["A name without end ".repeat(9), "محمد العلي".to_owned()] {
            let found = vec![
                candidate(1, &name, MatchLevel::Known),
                candidate(2, &name, MatchLevel::Maybe),
            ];
            let rows = Rows {
                hints: vec![hint(4, None, &name)],
                ..Rows::default()
            };
            let size = Vec2::new(900.0, 600.0);
            let shown = window(size, dark, with(talking(1, found)), rows, |_| {});
            super::views::nothing_sticks_out(&shown, size.x, &name);
            assert!(shown.unnamed_widgets().is_empty());
        }
    }
}
