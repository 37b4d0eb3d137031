//! Doubles: found with their reasons, merged, and taken apart again.

use crate::base::id::{ContactId, NoteId};
use crate::crm::exchange_row::{Duplicate, Existing};
use crate::crm::import::tests::{Desk, second};
use crate::crm::row::{CallRow, ContactRow, MatchLevel, NoteRow, Subject};
use crate::crm::store::CallChange;
use crate::crm::{call_links, contacts, duplicates, merge, notes};

fn pairs(desk: &Desk, limit: usize) -> Vec<Duplicate> {
    let mut after = None;
    let mut all = Vec::new();
    loop {
        let page = duplicates::page(&desk.connection, after, limit, "DE").unwrap();
        all.extend(page.pairs);
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

fn id(desk: &Desk, name: &str) -> ContactId {
    let all = desk.all();
    all.iter().find(|row| row.name == name).unwrap().id
}

const PEOPLE: &str = "Name;Firma;Telefon;E-Mail\r\n\
    Anna Muster;Example AG;030 1234567;anna@example.com\r\n\
    Bert Beispiel;Example AG;030 1234567;\r\n\
    A. Muster;;+49 30 1234567;ANNA@example.com\r\n\
    Carl;One AG;0171 1;\r\n\
    Carl;Two AG;0171 2;\r\n\
    Dora;Three AG;0171 3;\r\n\
    dora;three ag;0171 4;\r\n\
    Emil;;101;\r\n\
    Fritz;;101;\r\n";

#[test]
fn doubles_are_found_with_reason_and_score_page_by_page() {
    let mut desk = Desk::open();
    desk.import(PEOPLE, Existing::Skip);
    let all = pairs(&desk, 100);
    let told: Vec<_> = all
        .iter()
        .map(|pair| {
            (
                pair.first_name.as_str(),
                pair.second_name.as_str(),
                pair.score,
                pair.reasons.join(", "),
            )
        })
        .collect();
    let number = "same number 030 1234567".to_owned();
    assert_eq!(
        told,
        [
            ("Anna Muster", "Bert Beispiel", 40, number.clone()),
            (
                "Anna Muster",
                "A. Muster",
                100,
                format!("{number}, same e-mail address anna@example.com")
            ),
            ("Bert Beispiel", "A. Muster", 40, number),
            ("Dora", "dora", 70, "same name and organization".to_owned()),
            ("Emil", "Fritz", 40, "same number 101".to_owned()),
        ]
    );
    assert_eq!(pairs(&desk, 1), all, "pages hold all of them, each once");
}

#[test]
fn a_merge_takes_everything_and_gives_it_back() {
    let mut desk = Desk::open();
    let early = desk.call(1, "0171 2345678");
    let report = desk.import(
        "BEGIN:VCARD\nVERSION:3.0\nUID:a\nFN:Anna Muster\nTEL:030 1234567\nEMAIL:anna@example.com\nEND:VCARD\n\
         BEGIN:VCARD\nVERSION:3.0\nUID:b\nFN:A. Muster\nORG:Example AG\nTITLE:Boss\nTEL;TYPE=CELL:0171 2345678\n\
         TEL:+49 30 1234567\nEMAIL:home@example.com\nNOTE:likes tea\nEND:VCARD\n",
        Existing::Add,
    );
    assert_eq!(report.added, 2);
    let (anna, double) = (id(&desk, "Anna Muster"), id(&desk, "A. Muster"));
    let both = desk.call(2, "030 1234567");
    desk.change(both, &CallChange::Subject(Some(Subject::Contact(double))));
    let note = NoteRow {
        id: NoteId(0),
        about: Subject::Contact(double),
        at: second(3),
        author: String::new(),
        text: "called about tea".to_owned(),
    };
    desk.write(|it, _| notes::save(it, second(3), "alice", &note).unwrap());
    let untouched = desk.dump();

    let ids = [anna, double];
    let (merged, undo) = desk.write(|it, numbering| merge::merge(it, &ids, numbering).unwrap());
    assert_eq!((merged.contact, merged.merged, merged.calls), (anna, 1, 2));
    let row = contacts::one(&desk.connection, anna).unwrap().unwrap();
    assert_eq!(desk.all(), std::slice::from_ref(&row));
    assert_eq!(row.name, "Anna Muster");
    assert_eq!(row.organization_name.as_deref(), Some("Example AG"));
    assert_eq!(row.role.as_deref(), Some("Boss"));
    assert_eq!(row.email.as_deref(), Some("anna@example.com"));
    assert_eq!(row.notes, "E-mail: home@example.com\nlikes tea");
    let numbers: Vec<_> = row.numbers.iter().map(|it| it.raw.as_str()).collect();
    assert_eq!(numbers, ["030 1234567", "0171 2345678"]);
    let about = Subject::Contact(anna);
    assert_eq!(notes::all_of(&desk.connection, about).unwrap().len(), 1);
    let shown = desk.shown(early);
    assert_eq!(
        (shown.contact, shown.contact_name.as_deref()),
        (Some(anna), Some("A. Muster")),
        "the name of its time"
    );
    let shown = desk.shown(both);
    assert_eq!(
        (shown.contact, shown.level),
        (Some(anna), Some(MatchLevel::Manual))
    );
    let links = call_links::of(&desk.connection, both).unwrap();
    assert_eq!(links.len(), 1);
    assert_eq!(
        (links[0].subject, links[0].level),
        (Subject::Contact(anna), MatchLevel::Manual),
        "a choice is not weakened"
    );
    let again = "BEGIN:VCARD\nVERSION:3.0\nUID:b\nFN:Somebody\nEND:VCARD\n";
    assert_eq!(
        desk.import(again, Existing::Skip).skipped,
        1,
        "both cards are this one"
    );

    let undone = desk.write(|it, numbering| merge::undo(it, &undo, numbering).unwrap());
    assert_eq!(undone, 0);
    assert_eq!(desk.dump(), untouched);
    let found = contacts::after(&desk.connection, false, "examp boss a", None, 10).unwrap();
    assert!(found.is_empty());
    assert_eq!(
        contacts::after(&desk.connection, false, "0171", None, 10)
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn what_was_done_since_a_merge_stays() {
    let mut desk = Desk::open();
    desk.import(PEOPLE, Existing::Add);
    let ids = [id(&desk, "Carl"), id(&desk, "Dora"), id(&desk, "dora")];
    let chosen = desk.call(1, "0171 3");
    desk.change(chosen, &CallChange::Subject(Some(Subject::Contact(ids[1]))));
    let (_, undo) = desk.write(|it, numbering| merge::merge(it, &ids, numbering).unwrap());
    let carl = contacts::one(&desk.connection, ids[0]).unwrap().unwrap();
    desk.save(&ContactRow {
        notes: "changed".to_owned(),
        ..carl
    });
    let emil = id(&desk, "Emil");
    desk.change(chosen, &CallChange::Subject(Some(Subject::Contact(emil))));
    let undone = desk.write(|it, numbering| merge::undo(it, &undo, numbering).unwrap());
    assert_eq!(undone, 1);
    let carl = contacts::one(&desk.connection, ids[0]).unwrap().unwrap();
    assert_eq!(carl.notes, "changed");
    let CallRow { contact, level, .. } = desk.shown(chosen);
    assert_eq!((contact, level), (Some(emil), Some(MatchLevel::Manual)));
    let choice: i64 = desk
        .connection
        .query_row("SELECT subject FROM number_choices", [], |row| row.get(0))
        .unwrap();
    assert_eq!(choice, emil.0);
}

#[test]
fn a_merge_that_cannot_be_done_changes_nothing() {
    let mut desk = Desk::open();
    desk.import(PEOPLE, Existing::Skip);
    let before = desk.dump();
    let anna = id(&desk, "Anna Muster");
    for ids in [
        vec![],
        vec![anna],
        vec![anna, anna],
        vec![anna, ContactId(99)],
        vec![ContactId(99), anna],
    ] {
        assert!(desk.write(|it, numbering| merge::merge(it, &ids, numbering).is_err()));
    }
    assert_eq!(desk.dump(), before);
}

/// Who adds a table that belongs to a contact says in `merge` what becomes of its rows.
#[test]
fn all_that_belongs_to_a_contact_goes_over_in_a_merge() {
    let desk = Desk::open();
    let strings = |sql: &str| -> Vec<String> {
        let mut query = desk.connection.prepare(sql).unwrap();
        let rows = query.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let belonging = strings(
        "SELECT t.name || '.' || f.\"from\" FROM sqlite_schema t
            JOIN pragma_foreign_key_list(t.name) f WHERE t.type = 'table' AND f.\"table\" = 'contacts'
         UNION SELECT t.name || '.subject' FROM sqlite_schema t
            JOIN pragma_table_info(t.name) c WHERE t.type = 'table' AND c.name = 'subject'
         ORDER BY 1",
    );
    // Of the contact itself; links that the other may have too; and what was once done stays so.
    let apart = [
        "contact_numbers.contact",
        "memberships.contact",
        "call_links.subject",
        "audit.subject",
    ];
    let mut expected: Vec<String> = merge::BELONGINGS
        .iter()
        .map(|it| format!("{}.{}", it.table, it.column))
        .chain(apart.map(str::to_owned))
        .collect();
    expected.sort();
    assert_eq!(belonging, expected);
}
