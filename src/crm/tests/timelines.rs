//! What happened around a record, page by page.

use super::*;
use crate::crm::row::{Membership, TimelineEntry, TimelineId};

/// The page after a moment left out what happened in the same moment.
#[test]
fn a_timeline_goes_on_within_one_moment() {
    let desk = Desk::open();
    let anna = desk.contact("Anna", "0301234567");
    for number in 1..=3 {
        let call = CallRow {
            started_at: second(7),
            ..inbound(number, "0301234567")
        };
        desk.insert(&call);
    }
    let at = second(7).as_microsecond();
    rusqlite::Connection::open(desk.folder.path().join(crate::crm::open::DATABASE))
        .unwrap()
        .execute_batch(&format!(
            "INSERT INTO notes (kind, subject, at, author, text) VALUES
                ('contact', {id}, {at}, '', 'one'), ('contact', {id}, {at}, '', 'two');
             INSERT INTO tasks (task_kind, title, notes, kind, subject, created_at) VALUES
                ('task', 'three', '', 'contact', {id}, {at});
             INSERT INTO tickets (title, state, contact, created_at, updated_at) VALUES
                ('four', 'new', {id}, {at}, {at}), ('five', 'new', {id}, {at}, {at});",
            id = anna.0
        ))
        .unwrap();
    let about = Subject::Contact(anna);
    let all = desk.read(move |reader| reader.timeline(about, None, 100));
    assert_eq!((all.0.len(), all.1), (8, None));
    for limit in 1..8 {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let (entries, next) = desk.read(move |reader| reader.timeline(about, after, limit));
            assert!(entries.len() <= limit);
            found.extend(entries);
            after = next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, all.0, "{limit} at once");
    }
    let TimelineEntry::Note(last) = &all.0[4] else {
        panic!("no note");
    };
    let entry = TimelineId::Note(last.id);
    let after = desk.read(move |reader| reader.after_entry(entry));
    let rest = desk.read(move |reader| reader.timeline(about, Some(after), 100));
    assert_eq!(rest.0, all.0[5..]);
}

/// All pages of a record's timeline together, so many entries in each: which calls, in which order.
fn calls_around(desk: &Desk, about: Subject, limit: usize) -> Vec<CallId> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let (entries, next) = desk.read(move |reader| reader.timeline(about, after, limit));
        found.extend(entries.iter().map(|entry| match entry {
            TimelineEntry::Call(row) => row.id,
            other => panic!("{other:?}"),
        }));
        after = next;
        if after.is_none() {
            return found;
        }
    }
}

#[test]
fn a_timeline_has_the_calls_by_their_time_however_they_were_written() {
    let desk = Desk::open();
    let anna = desk.contact("Anna", "0301234567");
    let expected: Vec<CallId> = [50, 20, 90, 20, 70]
        .into_iter()
        .zip(1..)
        .map(|(at, number)| {
            desk.insert(&CallRow {
                started_at: second(at),
                ..inbound(number, "0301234567")
            })
        })
        .collect();
    let about = Subject::Contact(anna);
    let order = |places: [usize; 5]| places.map(|place| expected[place]).to_vec();
    for limit in [1, 2, 10] {
        assert_eq!(calls_around(&desk, about, limit), order([2, 4, 0, 3, 1]));
    }
    // A call whose time is put right by hand has its place there, too.
    rusqlite::Connection::open(desk.folder.path().join(crate::crm::open::DATABASE))
        .unwrap()
        .execute(
            "UPDATE calls SET started_at = ?1 WHERE id = ?2",
            (second(60).as_microsecond(), expected[2].to_string()),
        )
        .unwrap();
    assert_eq!(calls_around(&desk, about, 2), order([4, 2, 0, 3, 1]));
}

#[test]
fn an_organization_has_each_call_of_its_people_once_in_their_order() {
    let desk = Desk::open();
    let anna = desk.contact("Anna", "0301234567");
    let bert = desk.contact("Bert", "0301234567");
    let cora = desk.contact("Cora", "0309876543");
    let employed = |id, main: bool| {
        let mut row = desk.read(move |reader| reader.contact(id)).unwrap();
        if main {
            row.organization_name = Some("Example AG".to_owned());
        } else {
            row.memberships = vec![Membership {
                organization: None,
                organization_name: "Example AG".to_owned(),
                role: None,
            }];
        }
        desk.write(Write::SaveContact(Box::new(row)));
    };
    employed(anna, true);
    employed(bert, false);
    employed(cora, true);
    let stranger = desk.contact("Dora", "0305555555");
    let mut calls: Vec<CallId> = (1..=12)
        .map(|number| {
            let numbers = ["0301234567", "0309876543", "0305555555"];
            let number_of = numbers[usize::try_from(number).unwrap() % 3];
            desk.insert(&inbound(number, number_of))
        })
        .collect();
    calls.reverse();
    // Every third one is the stranger's.
    let theirs: Vec<CallId> = (calls.iter().copied().zip((1..=12_u64).rev()))
        .filter(|(_, number)| number % 3 != 2)
        .map(|(call, _)| call)
        .collect();
    let page = wait(desk.store.organizations("example", None, 10)).unwrap();
    let about = Subject::Organization(page.rows[0].id);
    for limit in [1, 3, 20] {
        assert_eq!(calls_around(&desk, about, limit), theirs, "{limit} at once");
    }
    assert_eq!(calls_around(&desk, Subject::Contact(stranger), 20).len(), 4);
}
