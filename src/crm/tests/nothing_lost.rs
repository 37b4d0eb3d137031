//! What somebody wrote is kept through merges, imports and steps that are taken back, and is found.

use rusqlite::Connection;

use super::*;
use crate::base::id::{NoteId, TicketId};
use crate::crm::exchange_row::Existing;
use crate::crm::import::tests::Desk as Exchange;
use crate::crm::open::DATABASE;
use crate::crm::row::{LeadStage, NoteRow, TicketFilter};

fn noted(name: &str, notes: &str) -> ContactRow {
    ContactRow {
        notes: notes.to_owned(),
        ..contact(name, &[("Mobile", "0171 2345678")])
    }
}

/// What was a part of a word of the other one's notes was taken for said, and lost.
#[test]
fn notes_that_are_a_part_of_other_words_are_kept_in_a_merge_and_in_an_import() {
    let desk = Desk::open();
    let (stays, _) = desk.save(&noted("Anna", "never calls\nlikes tea"));
    let (goes, _) = desk.save(&noted("A. Berger", "call\nlikes tea"));
    desk.write(Write::MergeContacts(vec![stays, goes]));
    let merged = wait(desk.store.contact(stays)).unwrap().unwrap();
    assert_eq!(merged.notes, "never calls\nlikes tea\ncall\nlikes tea");

    let mut exchange = Exchange::open();
    exchange.import(
        "Name;Telefon;Notizen\nAnna;0171 2345678;never calls\n",
        Existing::Add,
    );
    for notes in ["call", "never calls", "call"] {
        let file = format!("Name;Telefon;Notizen\nAnna;0171 2345678;{notes}\n");
        exchange.import(&file, Existing::Update);
    }
    assert_eq!(exchange.all()[0].notes, "never calls\ncall");
}

#[test]
fn a_note_without_a_text_is_refused_and_the_old_one_stays() {
    let desk = Desk::open();
    let about = Subject::Contact(desk.contact("Anna", "030 1234567"));
    let note = |text: &str| {
        Write::SaveNote(NoteRow {
            id: NoteId(0),
            about,
            at: second(0),
            author: String::new(),
            text: text.to_owned(),
        })
    };
    let Written::Note(id) = desk.write(note("likes tea")) else {
        panic!("no note")
    };
    for write in [note(" \n"), Write::ChangeNote(id, String::new())] {
        let refused = wait(desk.store.write(write));
        assert!(
            matches!(&refused, Err(StoreError::Refused(why)) if why.contains("needs a text")),
            "{refused:?}"
        );
    }
    let found = desk.read(|reader| reader.search("tea", 10));
    assert_eq!(found.notes.len(), 1);
}

/// The draft stayed with the person of a step that was taken back.
#[test]
fn a_draft_leaves_a_person_together_with_its_call() {
    let desk = Desk::open();
    let call = desk.insert(&inbound(1, "0301234567"));
    desk.change(call, answered(2));
    desk.write(Write::DraftTicket(call));
    let draft = |desk: &Desk| {
        let rows = desk.read(|reader| reader.tickets(TicketFilter::Drafts, "", None, 10));
        rows[0].contact
    };
    let anna = desk.contact("Anna", "030 1234567");
    assert_eq!(draft(&desk), Some(anna));
    let steps = desk.read(|reader| reader.undo_steps());
    desk.write(Write::Undo(steps[0].id));
    assert_eq!((desk.call(call).contact, draft(&desk)), (None, None));
}

/// The first thousand people of a name were looked at, and no lead behind them was found.
#[test]
fn a_lead_is_found_among_very_many_people_of_its_name() {
    let desk = Desk::open();
    let connection = Connection::open(desk.folder.path().join(DATABASE)).unwrap();
    connection
        .execute_batch(
            "BEGIN;
             WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 3000)
             INSERT INTO contacts (id, name, folded) SELECT id, 'Berger', 'berger' FROM n;
             INSERT INTO contact_words (rowid, name, organization, numbers, reversed)
                SELECT id, name, '', '', '' FROM contacts;
             COMMIT;",
        )
        .unwrap();
    let mut lead = contact("Lena Berger", &[]);
    lead.stage = Some(LeadStage::New);
    let (lead, _) = desk.save(&lead);
    let found = desk.read(|reader| reader.leads(None, "berger", None, 10));
    assert_eq!(found.total, 1);
    assert_eq!(found.rows[0].id, lead);
}

/// The oldest tickets with a common word were found, and none of today's.
#[test]
fn the_newest_of_very_many_tickets_with_a_word_are_found() {
    let desk = Desk::open();
    let newest = 10_050;
    let connection = Connection::open(desk.folder.path().join(DATABASE)).unwrap();
    connection
        .execute_batch(&format!(
            "BEGIN;
             WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < {newest})
             INSERT INTO tickets (id, title, state, created_at, updated_at)
             SELECT id, 'Printer', 'open', id, id FROM n;
             INSERT INTO ticket_words (rowid, title, bodies) SELECT id, title, '' FROM tickets;
             COMMIT;"
        ))
        .unwrap();
    let found = desk.read(|reader| reader.tickets(TicketFilter::All, "printer", None, 3));
    let found: Vec<TicketId> = found.iter().map(|ticket| ticket.id).collect();
    assert_eq!(found, [newest, newest - 1, newest - 2].map(TicketId));
}
