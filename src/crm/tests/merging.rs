//! Doubles: found with their reasons, merged, and taken apart again.

use crate::base::id::{ContactId, HintId, NoteId};
use crate::crm::exchange_row::{Duplicate, Existing};
use crate::crm::import::tests::{Desk, second};
use crate::crm::row::{CallRow, ContactRow, HintVerdict, MatchLevel, NoteRow, Subject};
use crate::crm::store::CallChange;
use crate::crm::{
    call_links, contact_list, contacts, different_people, duplicates, hint_verdicts, merge, notes,
    removal,
};

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
fn two_people_that_somebody_told_apart_are_no_doubles_any_more() {
    let mut desk = Desk::open();
    desk.import(PEOPLE, Existing::Skip);
    let (dora, other) = (id(&desk, "Dora"), id(&desk, "dora"));
    let told = |desk: &mut Desk, contacts: &[ContactId]| {
        desk.write(|transaction, _| different_people::save(transaction, contacts))
    };
    // In any order, and as often as somebody says it.
    assert_eq!(told(&mut desk, &[other, dora]).unwrap(), 1);
    assert_eq!(told(&mut desk, &[dora, other, dora]).unwrap(), 0);
    let names = |desk: &Desk| -> Vec<String> {
        let all = pairs(desk, 100);
        all.into_iter().map(|pair| pair.first_name).collect()
    };
    assert_eq!(
        names(&desk),
        ["Anna Muster", "Anna Muster", "Bert Beispiel", "Emil"]
    );
    // Three of one number in one word.
    let three = ["Anna Muster", "Bert Beispiel", "A. Muster"].map(|name| id(&desk, name));
    assert_eq!(told(&mut desk, &three).unwrap(), 3);
    assert_eq!(names(&desk), ["Emil"]);
    assert!(told(&mut desk, &[dora]).is_err(), "of whom else?");
    assert!(told(&mut desk, &[dora, ContactId(999)]).is_err());
    // Who goes takes it along, and brings it back.
    let (gone, untouched) = (three[0], desk.dump());
    let about = Subject::Contact(gone);
    let removal = desk.write(|it, numbering| removal::remove(it, about, numbering).unwrap());
    assert!(!different_people::are(&desk.connection, gone, three[1]).unwrap());
    desk.write(|it, numbering| removal::undo(it, &removal, numbering).unwrap());
    assert_eq!(desk.dump(), untouched);
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
    let (merged, undo) =
        desk.write(|it, numbering| merge::merge(it, second(9), &ids, numbering).unwrap());
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

    let undone = desk.write(|it, numbering| merge::undo(it, second(9), &undo, numbering).unwrap());
    assert_eq!(undone, 0);
    assert_eq!(desk.dump(), untouched);
    let found = contact_list::after(&desk.connection, false, "examp boss a", None, 10).unwrap();
    assert!(found.is_empty());
    assert_eq!(
        contact_list::after(&desk.connection, false, "0171", None, 10)
            .unwrap()
            .len(),
        1
    );
}

/// The number was nobody's but the third one's in the middle of the merge, and the call became theirs.
#[test]
fn a_call_of_a_shared_number_stays_a_question_when_one_of_the_two_is_merged() {
    let mut desk = Desk::open();
    let numbers = "Name;Telefon\r\nAnna;030 1111111\r\nBert;030 1234567\r\nCarl;030 1234567\r\n";
    desk.import(numbers, Existing::Add);
    let call = desk.call(1, "030 1234567");
    assert_eq!(desk.shown(call).subject(), None, "it may be two");
    let untouched = desk.dump();
    let ids = [id(&desk, "Anna"), id(&desk, "Bert")];
    let (merged, undo) =
        desk.write(|it, numbering| merge::merge(it, second(9), &ids, numbering).unwrap());
    let row = desk.shown(call);
    assert_eq!((row.subject(), row.level), (None, None), "it still may");
    assert_eq!((merged.calls, merged.linked_calls), (0, 0));
    let mut linked: Vec<_> = call_links::of(&desk.connection, call)
        .unwrap()
        .into_iter()
        .map(|link| link.subject)
        .collect();
    linked.sort();
    let carl = id(&desk, "Carl");
    assert_eq!(linked, [Subject::Contact(ids[0]), Subject::Contact(carl)]);
    desk.write(|it, numbering| merge::undo(it, second(9), &undo, numbering).unwrap());
    assert_eq!(desk.dump(), untouched);
}

/// The word went with the contact that was merged, and was asked for again.
#[test]
fn who_is_another_person_stays_one_through_a_merge_and_its_undo() {
    let mut desk = Desk::open();
    let people = "Name;Telefon\r\nAnna;030 1234567\r\nBert;030 1234567\r\nCarl;030 1234567\r\n\
        Dora;030 1234567\r\n";
    desk.import(people, Existing::Add);
    let [anna, bert, carl, dora] = ["Anna", "Bert", "Carl", "Dora"].map(|name| id(&desk, name));
    for pair in [[anna, carl], [dora, anna], [bert, carl]] {
        desk.write(|it, _| different_people::save(it, &pair).unwrap());
    }
    let are =
        |desk: &Desk, one, other| different_people::are(&desk.connection, one, other).unwrap();
    let untouched = desk.dump();
    // Two at once that were told apart, and one that both were told apart from.
    let ids = [bert, anna, dora];
    let (_, undo) =
        desk.write(|it, numbering| merge::merge(it, second(9), &ids, numbering).unwrap());
    assert!(are(&desk, bert, carl));
    assert_eq!(pairs(&desk, 100), [], "two are left, and told apart");
    // As it is kept until it is taken back.
    let undo = serde_json::from_str(&serde_json::to_string(&undo).unwrap()).unwrap();
    desk.write(|it, numbering| merge::undo(it, second(9), &undo, numbering).unwrap());
    assert_eq!(desk.dump(), untouched);

    let (_, undo) =
        desk.write(|it, numbering| merge::merge(it, second(9), &[bert, dora], numbering).unwrap());
    assert!(are(&desk, anna, bert), "Dora was another person than Anna");
    desk.write(|it, numbering| merge::undo(it, second(9), &undo, numbering).unwrap());
    assert!(!are(&desk, anna, bert) && are(&desk, anna, dora));
    assert_eq!(desk.dump(), untouched);
}

/// Two people whose notes name the same number, and a third.
const GUESSED: &str =
    "Name;Notizen\r\nAnna;mobil 0171 2345678\r\nBert;mobil 0171 2345678\r\nCarl;\r\n";

/// Judges the guess of a contact's notes, at that second.
fn judge(desk: &mut Desk, contact: ContactId, at: i64, verdict: HintVerdict) {
    let guess = desk
        .connection
        .query_row(
            "SELECT id FROM number_hints WHERE contact = ?1",
            [contact.0],
            |row| row.get(0).map(HintId),
        )
        .unwrap();
    desk.write(|it, numbering| {
        hint_verdicts::judge(it, guess, verdict, second(at), numbering).unwrap();
    });
}

/// What is kept of verdicts: on whose guess, and to whom it was given.
fn said(desk: &Desk) -> Vec<(i64, Option<i64>)> {
    let mut query = desk
        .connection
        .prepare("SELECT contact, assigned FROM hint_verdicts ORDER BY contact")
        .unwrap();
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

/// Two verdicts on one number cannot be one contact's: the word on the one that stays holds until the
/// merge is taken back, and then each has its own.
#[test]
fn verdicts_that_collide_in_a_merge_are_each_ones_own_after_its_undo() {
    let mut desk = Desk::open();
    desk.import(GUESSED, Existing::Add);
    let [anna, bert, carl] = ["Anna", "Bert", "Carl"].map(|name| id(&desk, name));
    judge(&mut desk, anna, 6, HintVerdict::Assign(carl));
    judge(&mut desk, bert, 7, HintVerdict::Reject);
    let untouched = said(&desk);
    assert_eq!(untouched, [(anna.0, Some(carl.0)), (bert.0, None)]);

    let ids = [anna, bert];
    let (_, undo) =
        desk.write(|it, numbering| merge::merge(it, second(9), &ids, numbering).unwrap());
    assert_eq!(said(&desk), [(anna.0, Some(carl.0))]);
    desk.write(|it, numbering| merge::undo(it, second(9), &undo, numbering).unwrap());
    assert_eq!(said(&desk), untouched);
}

/// SQLite gives a new row the number of one that is gone: the new word went to the other contact.
#[test]
fn a_verdict_since_a_merge_stays_where_it_was_said() {
    let mut desk = Desk::open();
    desk.import(GUESSED, Existing::Add);
    let [anna, bert, carl] = ["Anna", "Bert", "Carl"].map(|name| id(&desk, name));
    judge(&mut desk, bert, 6, HintVerdict::Reject);
    let ids = [anna, bert];
    let (_, undo) =
        desk.write(|it, numbering| merge::merge(it, second(9), &ids, numbering).unwrap());
    assert_eq!(said(&desk), [(anna.0, None)], "it came over");
    judge(&mut desk, anna, 7, HintVerdict::Reopen);
    judge(&mut desk, anna, 8, HintVerdict::Assign(carl));
    desk.write(|it, numbering| merge::undo(it, second(9), &undo, numbering).unwrap());
    assert_eq!(said(&desk), [(anna.0, Some(carl.0))]);
}

#[test]
fn what_was_done_since_a_merge_stays() {
    let mut desk = Desk::open();
    desk.import(PEOPLE, Existing::Add);
    let ids = [id(&desk, "Carl"), id(&desk, "Dora"), id(&desk, "dora")];
    let chosen = desk.call(1, "0171 3");
    desk.change(chosen, &CallChange::Subject(Some(Subject::Contact(ids[1]))));
    let (_, undo) =
        desk.write(|it, numbering| merge::merge(it, second(9), &ids, numbering).unwrap());
    let carl = contacts::one(&desk.connection, ids[0]).unwrap().unwrap();
    desk.save(&ContactRow {
        notes: "changed".to_owned(),
        ..carl
    });
    let emil = id(&desk, "Emil");
    desk.change(chosen, &CallChange::Subject(Some(Subject::Contact(emil))));
    let undone = desk.write(|it, numbering| merge::undo(it, second(9), &undo, numbering).unwrap());
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
        assert!(desk.write(|it, numbering| merge::merge(it, second(9), &ids, numbering).is_err()));
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
    // Of the contact itself; links that the other may have too; what was once done stays so; and pairs of
    // different people, which name the contact in either column.
    let apart = [
        "contact_numbers.contact",
        "memberships.contact",
        "call_links.subject",
        "audit.subject",
        "different_people.first",
        "different_people.second",
    ];
    let mut expected: Vec<String> = merge::BELONGINGS
        .iter()
        .map(|it| format!("{}.{}", it.table, it.column))
        .chain(apart.map(str::to_owned))
        .collect();
    expected.sort();
    assert_eq!(belonging, expected);
}
