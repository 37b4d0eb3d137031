//! What opens on answer, the draft, the wrap-up, call types, calls back and calls entered by hand.

use super::records::task;
use super::*;
use crate::crm::Reader;
use crate::crm::row::{
    ArticleSender, CallFilter, CallTypeRow, OnAnswer, TaskFilter, TicketFilter, TicketState,
};
use crate::crm::store::{DraftFate, WrapUp};

#[test]
fn what_opens_on_answer_follows_the_tickets_of_the_customer() {
    let desk = Desk::open();
    let now = Timestamp::now();
    let open = |desk: &Desk, call, days| {
        desk.read(move |reader| reader.on_answer(call, now, days))
            .unwrap()
    };
    let unknown = desk.insert(&inbound(1, "0307777777"));
    assert_eq!(open(&desk, unknown, 30), OnAnswer::Draft { subject: None });
    let anna = desk.contact("Anna", "0301234567");
    let call = desk.insert(&inbound(2, "0301234567"));
    let subject = Subject::Contact(anna);
    assert_eq!(
        open(&desk, call, 30),
        OnAnswer::Draft {
            subject: Some(subject)
        }
    );
    let ticket = desk.ticket("Printer", Some(anna));
    assert!(matches!(
        open(&desk, call, 30),
        OnAnswer::Profile { subject: found, ticket: newest } if found == subject && newest.id == ticket
    ));
    // A ticket that was not changed for so long opens no profile; a draft does not either.
    let later = now + jiff::SignedDuration::from_hours(31 * 24);
    let decided = desk.read(move |reader| reader.on_answer(call, later, 30));
    assert!(matches!(decided, Some(OnAnswer::Draft { .. })));
    let mut draft = desk.read(move |reader| reader.ticket(ticket)).unwrap();
    draft.state = TicketState::Draft;
    desk.write(Write::SaveTicket(Box::new(draft)));
    assert!(matches!(open(&desk, call, 30), OnAnswer::Draft { .. }));
    // Shared: a question, until the agent answers it.
    desk.contact("Bert", "0301234567");
    let shared = desk.insert(&inbound(3, "0301234567"));
    let OnAnswer::Choose { candidates } = open(&desk, shared, 30) else {
        panic!("no question");
    };
    assert_eq!(candidates.len(), 2);
    desk.change(shared, CallChange::Subject(None));
    assert_eq!(open(&desk, shared, 30), OnAnswer::Draft { subject: None });
    assert_eq!(
        desk.read(move |reader| reader.on_answer(call_id(99), now, 30)),
        None
    );
}

#[test]
fn a_draft_follows_the_caller_and_becomes_a_ticket_with_the_notes() {
    let desk = Desk::open();
    desk.store.set_agent("Alice");
    let call = desk.insert(&inbound(1, "0301234567"));
    let Written::Ticket(draft) = desk.write(Write::DraftTicket(call)) else {
        panic!("no draft");
    };
    // Answered twice, as after a transfer, it has one draft.
    assert_eq!(desk.write(Write::DraftTicket(call)), Written::Ticket(draft));
    let contact_of = |desk: &Desk| {
        desk.read(move |reader| reader.ticket(draft))
            .unwrap()
            .contact
    };
    assert_eq!(contact_of(&desk), None);
    // Creating the contact links the draft, and so does choosing another one.
    let anna = desk.contact("Anna", "0301234567");
    assert_eq!(contact_of(&desk), Some(anna));
    let bert = desk.contact("Bert", "0307777777");
    desk.change(call, CallChange::Subject(Some(Subject::Contact(bert))));
    assert_eq!(contact_of(&desk), Some(bert));
    assert_eq!(
        desk.read(|reader| reader.tickets(TicketFilter::Drafts, "", None, 9))
            .len(),
        1
    );
    desk.end(call, CallState::Completed, 60);
    let said = WrapUp {
        notes: Some("wants an offer".to_owned()),
        call_type: None,
        millis: 12_000,
        draft: DraftFate::Kept,
        follow_up: Some(Box::new(task("Send the offer", None))),
    };
    desk.write(Write::WrapUp(call, Box::new(said.clone())));
    let ticket = desk.read(move |reader| reader.ticket(draft)).unwrap();
    assert_eq!(ticket.state, TicketState::New);
    assert_eq!(ticket.articles[0].body, "wants an offer");
    assert_eq!(ticket.articles[0].sender, ArticleSender::Customer);
    assert_eq!(ticket.articles[0].author, "Alice");
    let row = desk.call(call);
    assert_eq!(row.notes, "wants an offer");
    assert_eq!(row.wrap_up_millis, Some(12_000));
    let tasks = desk.read(|reader| reader.tasks(TaskFilter::ToDo, None, 9));
    assert_eq!(tasks[0].about, Some(Subject::Contact(bert)));
    assert_eq!(tasks[0].call, Some(call));
    // What is no draft any more stays as it is.
    desk.change(call, CallChange::Subject(Some(Subject::Contact(anna))));
    assert_eq!(contact_of(&desk), Some(bert));
    // An unwanted draft goes, and leaves nothing.
    let other = desk.insert(&inbound(2, "0305555555"));
    desk.write(Write::DraftTicket(other));
    let unwanted = WrapUp {
        draft: DraftFate::Discarded,
        follow_up: None,
        ..said
    };
    desk.write(Write::WrapUp(other, Box::new(unwanted)));
    assert_eq!(
        desk.read(|reader| reader.tickets(TicketFilter::All, "", None, 9))
            .len(),
        1
    );
    assert!(wait(desk.store.links(other)).unwrap().is_empty());
    let missing = wait(desk.store.write(Write::DraftTicket(call_id(99))));
    assert_eq!(missing, Err(StoreError::Missing("call")));
}

#[test]
fn call_types_are_listed_chosen_and_hidden_but_never_lost() {
    let desk = Desk::open();
    let save = |name: &str, place| {
        let row = CallTypeRow {
            id: crate::base::id::CallTypeId(0),
            name: name.to_owned(),
            active: true,
            place,
        };
        match desk.write(Write::SaveCallType(row)) {
            Written::CallType(id) => id,
            other => panic!("{other:?}"),
        }
    };
    let sales = save("Sales", 2);
    let support = save("Support", 1);
    assert_eq!(save("SALES", 9), sales, "one of each name");
    let call = desk.insert(&inbound(1, "0301234567"));
    desk.change(call, CallChange::CallType(Some(sales)));
    assert_eq!(desk.call(call).call_type_name.as_deref(), Some("Sales"));
    desk.write(Write::DeleteCallType(sales));
    desk.write(Write::DeleteCallType(support));
    let left = desk.read(Reader::call_types);
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(!left[0].active);
    assert_eq!(desk.call(call).call_type, Some(sales));
}

#[test]
fn a_call_back_is_linked_to_the_calls_that_it_answers_and_counted() {
    let desk = Desk::open();
    let first = desk.insert(&inbound(1, "0301234567"));
    desk.end(first, CallState::NoAnswer, 5);
    let last = desk.insert(&inbound(10, "+49 30 1234567"));
    desk.end(last, CallState::NoAnswer, 15);
    let busy = desk.insert(&outbound(20, "0301234567"));
    desk.end(busy, CallState::Busy, 25);
    assert_eq!(desk.read(move |reader| reader.answers(busy)), [first, last]);
    assert_eq!(
        desk.read(move |reader| reader.attempts(last)),
        (1, Some(second(20)))
    );
    assert_eq!(desk.to_call_back(), 1);
    let talked = desk.insert(&outbound(30, "0301234567"));
    desk.end(talked, CallState::Completed, 60);
    assert_eq!(desk.to_call_back(), 0);
    assert_eq!(desk.read(move |reader| reader.attempts(first)).0, 2);
    // Nothing waits any more: the next call answers nothing.
    let later = desk.insert(&outbound(70, "0301234567"));
    assert!(desk.read(move |reader| reader.answers(later)).is_empty());
}

#[test]
fn all_missed_calls_are_done_at_once() {
    let desk = Desk::open();
    for (number, remote) in [(1, "0301234567"), (2, "0307654321"), (3, "0301234567")] {
        let id = desk.insert(&inbound(number, remote));
        desk.end(id, CallState::NoAnswer, 9);
    }
    assert_eq!(desk.to_call_back(), 2);
    assert_eq!(desk.write(Write::AllDone), Written::Done(3));
    assert_eq!(desk.to_call_back(), 0);
}

#[test]
fn a_call_that_was_made_elsewhere_is_entered_by_hand() {
    let desk = Desk::open();
    let anna = desk.contact("Anna", "0301234567");
    let ended = CallRow {
        by_hand: true,
        state: CallState::Completed,
        ended_at: Some(second(90)),
        talking_millis: Some(60_000),
        notes: "from my mobile".to_owned(),
        ..outbound(30, "0301234567")
    };
    let missed = desk.insert(&inbound(1, "0301234567"));
    desk.end(missed, CallState::NoAnswer, 9);
    let id = desk.insert(&ended);
    let row = desk.call(id);
    assert!(row.by_hand);
    assert_eq!(row.contact, Some(anna));
    // Somebody talked with them: nothing is left to call back.
    assert_eq!(desk.to_call_back(), 0);
    let listed = wait(desk.store.calls(CallFilter::All, "", None, 10)).unwrap();
    assert_eq!(listed.rows.len(), 2);
}
