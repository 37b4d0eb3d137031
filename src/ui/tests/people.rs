//! Leads, people who become one, and guesses.

use egui::Key;
use egui_kittest::kittest::Queryable as _;

use super::fixture::*;
use crate::base::id::{ContactId, HintId};
use crate::control::{Command, RecordChange};
use crate::crm::row::{
    ContactRow, HintRow, HintSource, HintState, HintVerdict, LeadStage, StageEdit,
};
use crate::ui::state::View;

pub(super) fn lead(id: i64, name: &str) -> ContactRow {
    ContactRow {
        stage: Some(LeadStage::New),
        ..contact(id, name)
    }
}

pub(super) fn hint(id: i64, of: Option<i64>, name: &str) -> HintRow {
    HintRow {
        id: HintId(id),
        number: "+14155550134".to_owned(),
        raw: "415 555-0134".to_owned(),
        fax: false,
        contact: of.map(ContactId),
        name: Some(name.to_owned()),
        email: of.is_none().then(|| "anna@example.com".to_owned()),
        source: HintSource::Mail,
        signature: true,
        source_text: "the mail of 2025-05-12, \"Offer\"".to_owned(),
        said_at: "2025-05-12T09:00:00Z".parse().unwrap(),
        found_at: "2025-05-13T09:00:00Z".parse().unwrap(),
        state: HintState::Open,
        assigned: false,
    }
}

pub(super) fn changes(sent: Vec<Command>) -> Vec<RecordChange> {
    let of = |command| match command {
        Command::ChangeRecords(change) => Some(change),
        _ => None,
    };
    sent.into_iter().filter_map(of).collect()
}

fn leads() -> Rows {
    Rows {
        leads: vec![
            lead(1, "Lea Stern"),
            ContactRow {
                stage: Some(LeadStage::Qualified),
                ..lead(2, "Leo Busch")
            },
        ],
        contacts: vec![contact(3, "Lea Stern-Wolf")],
        ..Rows::default()
    }
}

#[test]
fn leads_are_listed_with_their_stage_and_by_it() {
    let mut shown = desk(registered(), leads(), |state| state.view = View::Leads);
    shown.get_by_label("Lea Stern, New");
    shown.get_by_label("Leo Busch, Qualified");
    shown.get_by_label("Qualified").click();
    shown.run();
    assert!(shown.query_by_label("Lea Stern, New").is_none());
    shown.get_by_label("Leo Busch, Qualified");
    shown.get_by_label("Lost").click();
    shown.run();
    shown.get_by_label("No lead is at this stage");
    shown.get_by_label("Show all leads").click();
    shown.run();
    shown.get_by_label("Lea Stern, New");
}

#[test]
fn a_lead_moves_on_and_becomes_a_contact() {
    let mut shown = desk(registered(), leads(), |state| state.view = View::Leads);
    shown.get_by_label("Lea Stern, New").click();
    shown.run();
    shown.get_by_label("Stage").click();
    shown.run();
    shown.get_all_by_label("Contacted").last().unwrap().click();
    shown.run();
    shown.get_by_label("Make a contact").click();
    shown.run();
    let told = changes(shown.state_mut().sent());
    let [
        RecordChange::EditContact(ContactId(1), moved),
        RecordChange::EditContact(ContactId(1), made),
    ] = told.as_slice()
    else {
        panic!("{told:?}");
    };
    assert_eq!(moved.stage, Some(StageEdit::Lead(LeadStage::Contacted)));
    assert_eq!(made.stage, Some(StageEdit::Contact));
    // What is not named stays as it is.
    assert_eq!((&made.name, &made.numbers.add), (&None, &Vec::new()));
}

#[test]
fn a_new_lead_has_the_stage_whose_list_it_is_begun_in() {
    let mut shown = desk(registered(), leads(), |state| {
        state.view = View::Leads;
        state.leads.stage = Some(LeadStage::Qualified);
    });
    shown.get_by_label("New lead…").click();
    shown.run();
    shown.get_by_label("Name").type_text("Mia Blum");
    shown.run();
    shown.get_by_label("Save").click();
    shown.run();
    let sent = shown.state_mut().sent();
    let [Command::SaveContact(row)] = sent.as_slice() else {
        panic!("{sent:?}");
    };
    assert_eq!(row.name, "Mia Blum");
    assert_eq!(row.stage, Some(LeadStage::Qualified));
}

#[test]
fn two_people_become_one_after_a_second_look() {
    let mut shown = desk(registered(), leads(), |state| {
        state.view = View::Leads;
        state.leads.show(Some(ContactId(1)));
    });
    shown.get_by_label("Merge…").click();
    shown.run();
    // The field has the keyboard at once.
    shown
        .get_by_label("Who is the same person?")
        .type_text("Lea");
    shown.run();
    assert!(shown.query_by_label_contains("Lea Stern, Lead").is_none());
    shown.key_press(Key::Enter);
    shown.run();
    assert!(shown.state_mut().sent().is_empty());
    shown.get_by_label_contains("Lea Stern-Wolf goes into Lea Stern");
    shown.get_by_label("Merge").click();
    shown.run();
    let told = changes(shown.state_mut().sent());
    assert_eq!(
        told,
        [RecordChange::MergeContacts(vec![
            ContactId(1),
            ContactId(3)
        ])]
    );
}

#[test]
fn a_guess_tells_its_text_and_date_and_is_judged_where_it_is_shown() {
    let rows = Rows {
        hints: vec![hint(7, Some(1), "Lea Stern"), hint(8, Some(1), "Lea Stern")],
        ..leads()
    };
    let mut shown = desk(registered(), rows, |state| {
        state.view = View::Leads;
        state.leads.show(Some(ContactId(1)));
    });
    shown.get_by_label("Found in texts");
    shown.get_by_label("The number is in the signature of the mail of 2025-05-12, \"Offer\"");
    shown.get_by_label("Mon 12 May, and 1 more text");
    shown
        .get_by_label("Yes, 415 555-0134 is a number of Lea Stern")
        .click();
    shown.run();
    shown
        .get_by_label("No, 415 555-0134 is no number of Lea Stern")
        .click();
    shown.run();
    shown
        .get_by_label("415 555-0134 is somebody else's than Lea Stern's")
        .click();
    shown.run();
    shown.get_by_label("Whose number is it?").type_text("Leo");
    shown.run();
    shown.key_press(Key::Enter);
    shown.run();
    assert_eq!(
        changes(shown.state_mut().sent()),
        [
            RecordChange::JudgeHint(HintId(7), HintVerdict::Confirm),
            RecordChange::JudgeHint(HintId(7), HintVerdict::Reject),
            RecordChange::JudgeHint(HintId(7), HintVerdict::Assign(ContactId(2))),
        ]
    );
    assert!(shown.query_by_label("Whose number is it?").is_none());
}
