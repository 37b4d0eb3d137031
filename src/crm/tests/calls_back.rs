//! Missed calls, who calls back, and what settles them.

use super::*;
use crate::crm::row::{CallFilter, HourFigures, TaskFilter, TaskKind};

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
