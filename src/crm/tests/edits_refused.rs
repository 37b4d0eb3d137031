//! Edits that cannot be: each is refused with a sentence, and keeps nothing else from the disk.

use super::*;
use crate::base::id::{CallTypeId, OrganizationId};
use crate::crm::row::{AuditRow, CallTypeRow, Membership, NOTES_LIMIT, OnAnswer, TicketState};
use crate::crm::store::{DraftFate, WrapUp};

fn call_type(name: &str) -> CallTypeRow {
    CallTypeRow {
        id: CallTypeId(0),
        name: name.to_owned(),
        active: true,
        place: 0,
    }
}

fn refused(desk: &Desk, write: Write, says: &str) {
    match wait(desk.store.write(write)) {
        Err(StoreError::Refused(why)) => assert!(why.contains(says), "{why}"),
        other => panic!("{says}: {other:?}"),
    }
}

/// SQLite's own refusal was taken for a fault of the disk: the call log waited half a minute behind it.
#[test]
fn a_taken_name_and_a_deleted_organization_are_no_fault_of_the_disk() {
    let desk = Desk::open();
    desk.write(Write::SaveCallType(call_type("Sales")));
    let other = Write::SaveCallType(call_type("Support"));
    let Written::CallType(id) = desk.write(other) else {
        panic!("no call type");
    };
    let renamed = CallTypeRow {
        id,
        ..call_type("sales")
    };
    let taken = "there is a call type sales already";
    refused(&desk, Write::SaveCallType(renamed), taken);
    desk.write(Write::SaveCallType(CallTypeRow {
        id,
        ..call_type("SUPPORT")
    }));

    let gone = Some(OrganizationId(7));
    let says = "the organization was deleted meanwhile";
    let mut contact = contact("Anna", &[]);
    contact.organization = gone;
    refused(&desk, Write::SaveContact(Box::new(contact.clone())), says);
    contact.organization = None;
    contact.memberships = vec![Membership {
        organization: gone,
        organization_name: "Choir".to_owned(),
        role: None,
    }];
    refused(&desk, Write::SaveContact(Box::new(contact)), says);
    let ticket = desk.ticket("Printer", None);
    let mut ticket = desk.read(move |reader| reader.ticket(ticket)).unwrap();
    ticket.organization = gone;
    refused(&desk, Write::SaveTicket(Box::new(ticket)), says);
}

#[test]
fn what_sqlite_alone_refuses_is_told_as_a_contradiction() {
    let folder = tempfile::tempdir().unwrap();
    drop(Store::open(folder.path(), "DE").unwrap());
    let file = folder.path().join(crate::crm::open::DATABASE);
    let connection = rusqlite::Connection::open(file).unwrap();
    let insert = "INSERT INTO call_types (name, folded, active, place) VALUES ('A', 'a', 1, 0)";
    connection.execute(insert, []).unwrap();
    let error = StoreError::from(connection.execute(insert, []).unwrap_err());
    let StoreError::Refused(why) = error else {
        panic!("{error:?}");
    };
    assert!(why.contains("its name or number is taken"), "{why}");
}

/// Longer ones were cut off without a word, but for those that came by another way.
#[test]
fn notes_of_a_call_have_one_limit_by_each_way() {
    let desk = Desk::open();
    let call = desk.insert(&inbound(1, "0301234567"));
    let longest = "ü".repeat(NOTES_LIMIT);
    desk.change(call, CallChange::Notes(longest.clone()));
    assert_eq!(desk.call(call).notes, longest);
    let too_long = format!("{longest}!");
    let said = |notes: &str| WrapUp {
        notes: Some(notes.to_owned()),
        call_type: None,
        millis: 0,
        draft: DraftFate::Kept,
        follow_up: None,
    };
    let entered = CallRow {
        notes: too_long.clone(),
        by_hand: true,
        ..missed(2, "0301234567")
    };
    let notes = CallChange::Notes(too_long.clone());
    for write in [
        Write::ChangeCall(call, notes.clone()),
        Write::EditCall(call, vec![CallChange::Done(true), notes]),
        Write::WrapUp(call, Box::new(said(&too_long))),
        Write::WrapUpWithType(call, Box::new(said(&too_long))),
        Write::InsertCall(Box::new(entered)),
    ] {
        refused(&desk, write, "these have 65537");
    }
    assert_eq!(desk.call(call).notes, longest);
    assert_eq!(wait(desk.store.call(call_id(2))).unwrap(), None);
}

/// Without any call type no wrap-up could ever be saved where one is asked for.
#[test]
fn a_call_type_is_asked_for_only_where_there_is_one() {
    let desk = Desk::open();
    let call = desk.insert(&inbound(1, "0301234567"));
    desk.write(Write::DraftTicket(call));
    desk.end(call, CallState::Completed, 60);
    let say = |call_type: Option<&str>| {
        let said = WrapUp {
            notes: Some("wants paper".to_owned()),
            call_type: call_type.map(str::to_owned),
            millis: 12_000,
            draft: DraftFate::Kept,
            follow_up: None,
        };
        desk.write(Write::WrapUpWithType(call, Box::new(said)))
    };
    let all_said = Written::WrappedUp { unknown_type: None };
    assert_eq!(say(None), all_said);
    let Written::CallType(id) = desk.write(Write::SaveCallType(call_type("Sales"))) else {
        panic!("no call type");
    };
    assert_eq!(say(None), Written::TypeWanted);
    assert_eq!(desk.call(call).notes, "wants paper");
    assert_eq!(say(Some("sales")), all_said);
    // One that calls have is hidden, and cannot be chosen any more.
    desk.write(Write::DeleteCallType(id));
    assert_eq!(say(None), all_said);
}

/// The trail kept silent about notes that a script changed; those that are typed would fill it.
#[test]
fn the_trail_tells_of_notes_that_were_edited_and_not_of_those_that_are_typed() {
    let desk = Desk::open();
    let call = desk.insert(&inbound(1, "0301234567"));
    desk.change(call, CallChange::Notes("typed".to_owned()));
    desk.write(Write::EditCall(
        call,
        vec![CallChange::Notes("edited".to_owned())],
    ));
    let trail: Vec<AuditRow> = desk.read(|reader| reader.audit(None, None, 9));
    let words: Vec<&str> = trail.iter().map(|row| row.what.as_str()).collect();
    assert_eq!(words, ["change notes"]);
    assert_eq!(trail[0].detail, call.to_string());
}

/// During an import nothing opened: the row of the call waited behind it.
#[test]
fn what_opens_is_known_before_the_row_is_in_the_log() {
    let desk = Desk::open();
    let now = Timestamp::now();
    let opens = |number: &str, said| {
        let candidates = desk.identify(number).matches;
        desk.read(move |reader| reader.on_answer_of(candidates, said, now, 30))
    };
    let nobody = OnAnswer::Draft { subject: None };
    assert_eq!(opens("0301234567", None), nobody);
    let anna = Subject::Contact(desk.contact("Anna", "0301234567"));
    let drafted = OnAnswer::Draft {
        subject: Some(anna),
    };
    assert_eq!(opens("0301234567", None), drafted);
    let ticket = desk.ticket("Printer", anna.contact());
    let OnAnswer::Profile {
        subject,
        ticket: row,
    } = opens("0301234567", None)
    else {
        panic!("no profile");
    };
    assert_eq!(
        (subject, row.id, row.state),
        (anna, ticket, TicketState::New)
    );
    let bert = Subject::Contact(desk.contact("Bert", "0301234567"));
    let OnAnswer::Choose { candidates } = opens("0301234567", None) else {
        panic!("no question");
    };
    assert_eq!(candidates.len(), 2);
    let chosen = OnAnswer::Draft {
        subject: Some(bert),
    };
    assert_eq!(opens("0301234567", Some(Some(bert))), chosen);
    assert_eq!(opens("0301234567", Some(None)), nobody);
}
