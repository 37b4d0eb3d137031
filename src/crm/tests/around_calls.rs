//! What opens on answer, the draft, the wrap-up, call types and calls entered by hand.

use super::records::task;
use super::*;
use crate::base::id::NoteId;
use crate::crm::Reader;
use crate::crm::row::{
    ArticleSender, CallFilter, CallTypeRow, MatchLevel, NoteRow, OnAnswer, TaskFilter,
    TicketChange, TicketFilter, TicketState,
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
fn the_only_one_who_may_be_it_by_a_text_opens_like_somebody_known() {
    let desk = Desk::open();
    let now = Timestamp::now();
    let anna = desk.contact("Anna", "0301111111");
    desk.write(Write::SaveNote(NoteRow {
        id: NoteId(0),
        about: Subject::Contact(anna),
        at: now,
        author: String::new(),
        text: "in the evening 030 7777777".to_owned(),
    }));
    let open = |call| desk.read(move |reader| reader.on_answer(call, now, 30));
    let call = desk.insert(&inbound(1, "0307777777"));
    assert_eq!(desk.call(call).level, Some(MatchLevel::Maybe));
    let subject = Some(Subject::Contact(anna));
    assert_eq!(open(call), Some(OnAnswer::Draft { subject }));
    let ticket = desk.ticket("Printer", Some(anna));
    assert!(matches!(
        open(call),
        Some(OnAnswer::Profile { subject: found, ticket: newest })
            if Some(found) == subject && newest.id == ticket
    ));
}

/// A call that was linked to a ticket showed the ticket's customer as nobody and its title as a name.
#[test]
fn a_ticket_is_nobody_who_calls() {
    let desk = Desk::open();
    let now = Timestamp::now();
    let ticket = desk.ticket("Printer", None);
    let open = |call| desk.read(move |reader| reader.on_answer(call, now, 30));
    let unknown = desk.insert(&inbound(1, "0307777777"));
    desk.change(unknown, CallChange::Link(Subject::Ticket(ticket)));
    assert_eq!(open(unknown), Some(OnAnswer::Draft { subject: None }));
    for name in ["Anna", "Bert"] {
        desk.contact(name, "0301234567");
    }
    let shared = desk.insert(&inbound(2, "0301234567"));
    desk.change(shared, CallChange::Link(Subject::Ticket(ticket)));
    let Some(OnAnswer::Choose { candidates }) = open(shared) else {
        panic!("no question");
    };
    assert_eq!(candidates.len(), 2, "{candidates:#?}");
    let chosen = CallChange::Subject(Some(Subject::Ticket(ticket)));
    let refused = wait(desk.store.write(Write::ChangeCall(shared, chosen)));
    assert!(
        matches!(&refused, Err(StoreError::Refused(why)) if why.contains("nobody who calls")),
        "{refused:?}"
    );
    assert_eq!(desk.call(shared).contact_name, None);
    assert_eq!(
        desk.identify("0301234567").matches.len(),
        2,
        "none is chosen"
    );
}

#[test]
fn a_wrap_up_that_is_said_again_replaces_what_was_said() {
    let desk = Desk::open();
    desk.write(Write::SaveCallType(CallTypeRow {
        id: crate::base::id::CallTypeId(0),
        name: "Sales".to_owned(),
        active: true,
        place: 1,
    }));
    let call = desk.insert(&inbound(1, "0301234567"));
    let Written::Ticket(draft) = desk.write(Write::DraftTicket(call)) else {
        panic!("no draft");
    };
    desk.end(call, CallState::Completed, 60);
    // What somebody else wrote of the call is theirs.
    let mut other = task("Look into it", None);
    other.call = Some(call);
    desk.write(Write::SaveTask(Box::new(other)));
    let say = |words: &str, call_type: &str, title: &str| {
        let said = WrapUp {
            notes: Some(words.to_owned()),
            call_type: Some(call_type.to_owned()),
            millis: 12_000,
            draft: DraftFate::Kept,
            follow_up: Some(Box::new(task(title, None))),
        };
        desk.write(Write::WrapUp(call, Box::new(said)))
    };
    let bodies = || {
        let ticket = desk.read(move |reader| reader.ticket(draft)).unwrap();
        let bodies = ticket.articles.into_iter().map(|article| article.body);
        bodies.collect::<Vec<_>>()
    };
    let titles = || {
        let tasks = desk.read(|reader| reader.tasks(TaskFilter::ToDo, None, 9));
        let titles = tasks.into_iter().map(|task| task.title);
        titles.collect::<Vec<_>>()
    };
    // A word that is no call type loses nothing else.
    assert_eq!(
        say("wants paper", "Salse", "Send it"),
        Written::WrappedUp {
            unknown_type: Some("Salse".to_owned())
        }
    );
    assert_eq!(desk.call(call).notes, "wants paper");
    assert_eq!(desk.call(call).call_type_name, None);
    assert_eq!(bodies(), ["wants paper"]);
    let all_said = Written::WrappedUp { unknown_type: None };
    assert_eq!(say("wants toner", "sales", "Send both"), all_said);
    assert_eq!(desk.call(call).call_type_name.as_deref(), Some("Sales"));
    assert_eq!(bodies(), ["wants toner"]);
    assert_eq!(titles(), ["Look into it", "Send both"]);
    let found = |words: &'static str| {
        desk.read(move |reader| reader.tickets(TicketFilter::All, words, None, 9))
            .len()
    };
    assert_eq!((found("toner"), found("paper")), (1, 0));
    // One that is done stays, and the next one is another.
    let mine = desk.read(|reader| reader.tasks(TaskFilter::ToDo, None, 9))[1].id;
    desk.write(Write::TaskDone(mine, true));
    assert_eq!(say("", "sales", "Call in May"), all_said);
    assert_eq!(bodies(), [""; 0], "nothing is said");
    assert_eq!(titles(), ["Look into it", "Call in May"]);
    assert_eq!(say("in May", "sales", "Call in May"), all_said);
    assert_eq!(bodies(), ["in May"]);
}

#[test]
fn a_ticket_that_is_given_away_takes_the_new_customers_organization() {
    let desk = Desk::open();
    let of = |name: &str, organization: &str| {
        let mut row = contact(name, &[]);
        row.organization_name = Some(organization.to_owned());
        desk.save(&row).0
    };
    let (anna, bert) = (of("Anna", "Example AG"), of("Bert", "Choir"));
    let carl = desk.contact("Carl", "0305555555");
    let ticket = desk.ticket("Printer", Some(anna));
    let change = |change: TicketChange| {
        let write = Write::ChangeTicket(ticket, Box::new(change));
        assert_eq!(desk.write(write), Written::Ticket(ticket));
        desk.read(move |reader| reader.ticket(ticket)).unwrap()
    };
    let to = |contact| TicketChange {
        contact: Some(contact),
        ..TicketChange::default()
    };
    let row = change(to(bert));
    assert_eq!(row.contact, Some(bert));
    assert_eq!(row.organization_name.as_deref(), Some("Choir"));
    assert_eq!(
        (row.title.as_str(), row.state),
        ("Printer", TicketState::New)
    );
    let row = change(to(carl));
    assert_eq!((row.contact, row.organization), (Some(carl), None));
    // What is not named stays, whatever it became meanwhile.
    let row = change(TicketChange {
        state: Some(TicketState::Closed),
        agent: Some("Alice".to_owned()),
        ..TicketChange::default()
    });
    assert_eq!((row.contact, row.state), (Some(carl), TicketState::Closed));
    assert!(row.closed_at.is_some());
    let row = change(TicketChange {
        title: Some("Scanner".to_owned()),
        ..TicketChange::default()
    });
    assert_eq!(row.agent.as_deref(), Some("Alice"));
    assert_eq!(row.state, TicketState::Closed);
    let found = desk.read(|reader| reader.tickets(TicketFilter::All, "scanner", None, 9));
    assert_eq!(found.len(), 1);
    let nobody = Write::ChangeTicket(ticket, Box::new(to(ContactId(99))));
    assert_eq!(
        wait(desk.store.write(nobody)),
        Err(StoreError::Missing("contact"))
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

/// A draft that was linked to another call, too, was taken for that call's own: it got that caller as its
/// customer, that call's words, or was thrown away with it.
#[test]
fn a_call_that_is_linked_to_the_draft_of_another_one_leaves_it_alone() {
    let desk = Desk::open();
    let first = desk.insert(&inbound(1, "0301234567"));
    let Written::Ticket(draft) = desk.write(Write::DraftTicket(first)) else {
        panic!("no draft");
    };
    let other = desk.insert(&inbound(2, "0305555555"));
    desk.change(other, CallChange::Link(Subject::Ticket(draft)));
    let bert = desk.contact("Bert", "0307777777");
    desk.change(other, CallChange::Subject(Some(Subject::Contact(bert))));
    let of_first = || desk.read(move |reader| reader.ticket(draft)).unwrap();
    assert_eq!(of_first().contact, None);
    let Written::Ticket(own) = desk.write(Write::DraftTicket(other)) else {
        panic!("no draft");
    };
    assert_ne!(own, draft);
    desk.end(other, CallState::Completed, 60);
    for fate in [DraftFate::Kept, DraftFate::Discarded] {
        let said = WrapUp {
            notes: Some("wants paper".to_owned()),
            call_type: None,
            millis: 12_000,
            draft: fate,
            follow_up: None,
        };
        desk.write(Write::WrapUp(other, Box::new(said)));
        let ticket = of_first();
        assert_eq!(ticket.state, TicketState::Draft);
        assert_eq!(ticket.articles, []);
    }
    let kept = desk.read(move |reader| reader.ticket(own)).unwrap();
    assert_eq!(kept.state, TicketState::New);
    assert_eq!(kept.articles[0].body, "wants paper");
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
