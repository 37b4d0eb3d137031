//! What opens on answer, the draft, the wrap-up, call types, calls back and calls entered by hand.

use super::records::task;
use super::*;
use crate::base::id::NoteId;
use crate::crm::Reader;
use crate::crm::row::{
    ArticleSender, CallFilter, CallTypeRow, HourFigures, MatchLevel, NoteRow, OnAnswer, TaskFilter,
    TaskKind, TicketChange, TicketFilter, TicketState,
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

/// Only the call backs of the newest missed call were counted: who called again was never called back.
#[test]
fn a_number_that_calls_again_keeps_the_attempts_to_call_it_back() {
    let desk = Desk::open();
    for at in [1, 10] {
        let missed = desk.insert(&inbound(at, "0301234567"));
        desk.end(missed, CallState::NoAnswer, 15);
    }
    let busy = desk.insert(&CallRow {
        agent: Some("Bert".to_owned()),
        ..outbound(20, "0301234567")
    });
    desk.end(busy, CallState::Busy, 25);
    let again = desk.insert(&inbound(30, "0301234567"));
    desk.end(again, CallState::NoAnswer, 35);
    let row = desk
        .read(|reader| reader.callbacks("", None, 10))
        .rows
        .remove(0);
    assert_eq!((row.call.id, row.missed), (again, 3));
    assert_eq!((row.attempts, row.last_attempt), (1, Some(second(20))));
    assert_eq!(row.last_agent.as_deref(), Some("Bert"));
    let tried = desk.insert(&outbound(40, "0301234567"));
    desk.end(tried, CallState::NoAnswer, 45);
    let row = desk
        .read(|reader| reader.callbacks("", None, 10))
        .rows
        .remove(0);
    assert_eq!((row.attempts, row.last_attempt), (2, Some(second(40))));
}

/// A call that the caller never confirmed, or gave up while it was answered, settled the missed ones before it,
/// and was in no list of missed calls.
#[test]
fn a_call_in_which_nobody_talked_is_missed_and_settles_nothing() {
    for state in [CallState::Failed, CallState::NoAnswer] {
        let desk = Desk::open();
        let first = desk.insert(&missed(1, "0301234567"));
        let silent = desk.insert(&inbound(20, "0301234567"));
        desk.change(silent, answered(24));
        desk.change(
            silent,
            CallChange::Ended {
                state,
                at: second(30),
                waiting_millis: 4000,
                talking_millis: None,
                sip_status: Some(408),
                end_reason: "peer unreachable".to_owned(),
                done: false,
            },
        );
        let waiting = desk.read(|reader| reader.callbacks("", None, 10)).rows;
        assert_eq!(waiting.len(), 1);
        assert_eq!((waiting[0].call.id, waiting[0].missed), (silent, 2));
        let listed = desk.read(|reader| reader.calls(CallFilter::Missed, "", None, 10));
        let ids: Vec<_> = listed.rows.iter().map(|row| row.id).collect();
        assert_eq!((ids, listed.total), (vec![silent, first], 2));
        let figures = desk.read(|reader| reader.figures(second(0), second(99)));
        assert_eq!((figures[0].answered, figures[0].missed), (0, 2));
        let hours = desk.read(|reader| reader.hours(second(0), second(99)));
        let of = |count: fn(&HourFigures) -> u32| hours.iter().map(count).sum::<u32>();
        assert_eq!((of(|it| it.answered), of(|it| it.missed)), (0, 2));
    }
}

#[test]
fn a_number_to_call_back_tells_who_tried_last_and_what_was_noted_last() {
    let desk = Desk::open();
    let missed = desk.insert(&inbound(10, "0301234567"));
    desk.end(missed, CallState::NoAnswer, 15);
    let waiting = || desk.read(|reader| reader.callbacks("", None, 10));
    let row = waiting().rows.remove(0);
    assert_eq!(
        (row.attempts, row.last_agent, row.last_note),
        (0, None, None)
    );
    for (at, end, agent, notes) in [(20, 25, "Bert", "Not before three"), (30, 35, "Anna", "")] {
        let tried = CallRow {
            agent: Some(agent.to_owned()),
            notes: notes.to_owned(),
            ..outbound(at, "+49 30 1234567")
        };
        let tried = desk.insert(&tried);
        desk.end(tried, CallState::Busy, end);
    }
    let page = waiting();
    assert_eq!((page.total, page.next), (1, None));
    let row = &page.rows[0];
    assert_eq!((row.call.id, row.attempts), (missed, 2));
    assert_eq!(row.last_attempt, Some(second(30)));
    assert_eq!(row.last_agent.as_deref(), Some("Anna"));
    let note = row.last_note.as_ref().unwrap();
    assert_eq!(
        (note.text.as_str(), note.at),
        ("Not before three", second(20))
    );
    assert_eq!(note.agent.as_deref(), Some("Bert"));
    let found = desk.read(|reader| reader.callbacks("99", None, 10));
    assert!(found.rows.is_empty());
}

/// It became the call back of calls that were missed only later, and the figures had it before them.
#[test]
fn a_call_that_is_entered_for_an_earlier_time_answers_nothing_later() {
    let desk = Desk::open();
    let missed = desk.insert(&inbound(1_000, "0301234567"));
    desk.end(missed, CallState::NoAnswer, 1_010);
    let earlier = CallRow {
        by_hand: true,
        state: CallState::NoAnswer,
        ended_at: Some(second(40)),
        ..outbound(30, "0301234567")
    };
    let id = desk.insert(&earlier);
    assert!(desk.read(move |reader| reader.answers(id)).is_empty());
    assert_eq!(desk.read(move |reader| reader.attempts(missed)), (0, None));
    let figures = || desk.read(|reader| reader.figures(second(0), second(2_000)));
    assert_eq!(
        (figures()[0].called_back, figures()[0].call_back_millis),
        (0, None)
    );
    let back = desk.insert(&outbound(1_040, "0301234567"));
    desk.end(back, CallState::Busy, 1_050);
    assert_eq!(
        (figures()[0].called_back, figures()[0].call_back_millis),
        (1, Some(30_000))
    );
}

#[test]
fn a_call_back_that_reaches_nobody_leaves_one_reminder_until_somebody_talked() {
    let desk = Desk::open();
    let anna = desk.contact("Anna", "0301234567");
    let missed = desk.insert(&inbound(1, "0301234567"));
    desk.end(missed, CallState::NoAnswer, 5);
    let to_do = || desk.read(|reader| reader.tasks(TaskFilter::ToDo, None, 9));
    let busy = desk.insert(&outbound(20, "0301234567"));
    desk.end(busy, CallState::Busy, 25);
    let tasks = to_do();
    assert_eq!(tasks.len(), 1, "{tasks:#?}");
    assert_eq!(tasks[0].kind, TaskKind::Callback);
    assert_eq!(tasks[0].title, "Call Anna back");
    assert_eq!(tasks[0].about, Some(Subject::Contact(anna)));
    assert_eq!(tasks[0].call, Some(missed));
    assert_eq!(tasks[0].number.as_deref(), Some("+49301234567"));
    assert_eq!(tasks[0].due_at, Some(second(25 + 3600)));
    // The next attempt puts it off.
    let ringing = desk.insert(&outbound(4_000, "030 1234567"));
    desk.end(ringing, CallState::Canceled, 4_030);
    let tasks = to_do();
    assert_eq!(tasks.len(), 1, "{tasks:#?}");
    assert_eq!(tasks[0].due_at, Some(second(4_030 + 3600)));
    // A call that answers no missed one leaves none.
    let other = desk.insert(&outbound(4_100, "0309999999"));
    desk.end(other, CallState::Busy, 4_110);
    assert_eq!(to_do().len(), 1);
    let talked = desk.insert(&outbound(9_000, "0301234567"));
    desk.end(talked, CallState::Completed, 9_060);
    assert!(to_do().is_empty());
    let done = desk.read(|reader| reader.tasks(TaskFilter::Done, None, 9));
    assert_eq!(done[0].done_at, Some(second(9_060)));
    // Who is done with the number is done with the reminder.
    for settles in [
        Write::ChangeCall(call_id(10_000), CallChange::Done(true)),
        Write::AllDone,
    ] {
        let number = if settles == Write::AllDone {
            20_000
        } else {
            10_000
        };
        let missed = desk.insert(&inbound(number, "0301234567"));
        desk.end(
            missed,
            CallState::NoAnswer,
            i64::try_from(number).unwrap() + 5,
        );
        let back = desk.insert(&outbound(number + 10, "0301234567"));
        desk.end(
            back,
            CallState::NoAnswer,
            i64::try_from(number).unwrap() + 20,
        );
        assert_eq!(to_do().len(), 1);
        desk.write(settles);
        assert!(to_do().is_empty());
    }
}

#[test]
fn all_missed_calls_are_done_at_once_also_those_that_nobody_can_call_back() {
    let desk = Desk::open();
    let callers = ["0301234567", "0307654321", "0301234567", "anonymous"];
    let missed: Vec<CallId> = (1..)
        .zip(callers)
        .map(|(number, remote)| {
            let id = desk.insert(&inbound(number, remote));
            desk.end(id, CallState::NoAnswer, 9);
            id
        })
        .collect();
    assert_eq!(desk.to_call_back(), 2);
    assert_eq!(desk.write(Write::AllDone), Written::Done(4));
    assert_eq!(desk.to_call_back(), 0);
    assert!(missed.iter().all(|id| desk.call(*id).done));
}

#[test]
fn whoever_was_talked_with_when_the_phone_ended_is_called_back_no_more() {
    let desk = Desk::open();
    for (number, remote) in [(1, "0301234567"), (2, "0307654321")] {
        let missed = desk.insert(&inbound(number, remote));
        desk.end(missed, CallState::NoAnswer, 9);
    }
    let talked = desk.insert(&outbound(20, "0301234567"));
    desk.change(talked, answered(24));
    desk.insert(&outbound(30, "0307654321"));
    let desk = desk.again();
    assert_eq!(desk.call(talked).state, CallState::Interrupted);
    assert_eq!(desk.to_call_back(), 1, "the other one was never reached");
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
