//! The call log by criteria, and the figures of queues.

use super::*;
use crate::crm::Reader;
use crate::crm::row::{CallCriteria, CallCursor, CallFilter, CallTypeRow};

impl Desk {
    fn found(&self, filter: CallFilter, criteria: &CallCriteria, search: &str) -> Vec<CallId> {
        let (criteria, search) = (criteria.clone(), search.to_owned());
        let (rows, next) = wait(self.store.read(move |reader: &Reader| {
            reader.calls_where(filter, &criteria, &search, None, 100)
        }))
        .unwrap();
        assert_eq!(next, None);
        rows.into_iter().map(|row| row.id).collect()
    }
}

/// A call of a queue and an agent, that ended.
fn of(number: u64, queue: &str, agent: &str, state: CallState) -> CallRow {
    CallRow {
        queue: Some(queue.to_owned()),
        agent: Some(agent.to_owned()),
        state,
        ended_at: Some(second(i64::try_from(number).unwrap() + 5)),
        done: state != CallState::NoAnswer,
        recording: (state == CallState::Completed).then(|| format!("{number}.wav")),
        answered_at: (state == CallState::Completed)
            .then(|| second(i64::try_from(number).unwrap() + 2)),
        waiting_millis: Some(2_000),
        talking_millis: (state == CallState::Completed).then_some(3_000),
        ..inbound(number, &format!("0301234{number:03}"))
    }
}

#[test]
fn each_criterion_finds_its_calls_and_several_all_of_them() {
    let desk = Desk::open();
    let sales = desk.insert(&of(1, "sales", "Alice", CallState::Completed));
    let missed = desk.insert(&of(2, "sales", "Bob", CallState::NoAnswer));
    let other = desk.insert(&of(3, "support", "Alice", CallState::Completed));
    let none = CallCriteria::default();
    assert!(none.is_empty());
    assert_eq!(
        desk.found(CallFilter::All, &none, ""),
        [other, missed, sales]
    );
    let by = |change: fn(&mut CallCriteria)| {
        let mut criteria = CallCriteria::default();
        change(&mut criteria);
        desk.found(CallFilter::All, &criteria, "")
    };
    assert_eq!(by(|c| c.queue = Some("sales".to_owned())), [missed, sales]);
    assert_eq!(by(|c| c.agent = Some("Alice".to_owned())), [other, sales]);
    assert_eq!(by(|c| c.state = Some(CallState::NoAnswer)), [missed]);
    assert_eq!(by(|c| c.recorded = Some(true)), [other, sales]);
    assert_eq!(by(|c| c.recorded = Some(false)), [missed]);
    assert_eq!(by(|c| c.done = Some(false)), [missed]);
    assert_eq!(by(|c| c.since = Some(second(2))), [other, missed]);
    assert_eq!(by(|c| c.until = Some(second(2))), [sales]);
    assert_eq!(
        by(|c| {
            c.queue = Some("sales".to_owned());
            c.agent = Some("Alice".to_owned());
            c.recorded = Some(true);
        }),
        [sales]
    );
    let of_sales = CallCriteria {
        queue: Some("sales".to_owned()),
        ..none
    };
    assert_eq!(desk.found(CallFilter::Missed, &of_sales, ""), [missed]);
    assert_eq!(desk.found(CallFilter::ToCallBack, &of_sales, ""), [missed]);
    assert_eq!(desk.found(CallFilter::Outbound, &of_sales, ""), []);
    assert_eq!(
        desk.found(CallFilter::All, &of_sales, "0301234001"),
        [sales]
    );
    let named = CallTypeRow {
        id: crate::base::id::CallTypeId(0),
        name: "Offer".to_owned(),
        active: true,
        place: 0,
    };
    let Written::CallType(offer) = desk.write(Write::SaveCallType(named)) else {
        panic!("no call type");
    };
    desk.change(other, CallChange::CallType(Some(offer)));
    assert_eq!(by(|c| c.call_type = Some("OFFER".to_owned())), [other]);
}

#[test]
fn pages_by_criteria_go_by_key_through_calls_that_begin_together() {
    let desk = Desk::open();
    let mut all: Vec<CallId> = (1..=25)
        .map(|number| {
            let row = CallRow {
                started_at: second(7),
                ..of(number, "sales", "Alice", CallState::Completed)
            };
            desk.insert(&row)
        })
        .collect();
    all.reverse();
    let criteria = CallCriteria {
        queue: Some("sales".to_owned()),
        ..CallCriteria::default()
    };
    let (mut found, mut after) = (Vec::new(), None::<CallCursor>);
    loop {
        let criteria = criteria.clone();
        let (rows, next) = wait(desk.store.read(move |reader: &Reader| {
            reader.calls_where(CallFilter::All, &criteria, "", after, 10)
        }))
        .unwrap();
        found.extend(rows.iter().map(|row| row.id));
        after = next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(found, all);
}

/// A sparse criterion read the whole log in one go, and ended as too long.
#[test]
fn a_rare_call_is_found_in_pages_that_each_look_at_few_rows() {
    let desk = Desk::open();
    let rare = desk.insert(&of(1, "sales", "Alice", CallState::Busy));
    for number in 2..=205 {
        desk.insert(&of(number, "sales", "Alice", CallState::Completed));
    }
    let criteria = CallCriteria {
        agent: Some("Alice".to_owned()),
        state: Some(CallState::Busy),
        ..CallCriteria::default()
    };
    for search in ["", "0301234"] {
        let (mut found, mut after, mut pages) = (Vec::new(), None::<CallCursor>, 0);
        loop {
            let (criteria, search) = (criteria.clone(), search.to_owned());
            let (rows, next) = wait(desk.store.read(move |reader: &Reader| {
                reader.calls_where(CallFilter::All, &criteria, &search, after, 10)
            }))
            .unwrap();
            found.extend(rows.iter().map(|row| row.id));
            pages += 1;
            after = next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!((found, pages), (vec![rare], 5), "{search:?}");
    }
}

#[test]
fn the_figures_of_a_queue_tell_how_soon_missed_calls_were_called_back() {
    let desk = Desk::open();
    let answered = desk.insert(&of(1, "sales", "Alice", CallState::Completed));
    desk.insert(&of(10, "sales", "Alice", CallState::NoAnswer));
    desk.insert(&of(20, "sales", "Alice", CallState::NoAnswer));
    desk.insert(&of(30, "sales", "Alice", CallState::Blocked));
    let back = CallRow {
        queue: None,
        ..outbound(75, "0301234010")
    };
    desk.insert(&back);
    desk.insert(&of(200, "sales", "Alice", CallState::Completed));
    let said = crate::crm::store::WrapUp {
        notes: None,
        call_type: None,
        millis: 8_000,
        draft: crate::crm::store::DraftFate::Kept,
        follow_up: None,
    };
    desk.write(Write::WrapUp(answered, Box::new(said)));
    let rows = wait(
        desk.store
            .read(|reader: &Reader| reader.figures(second(0), second(100))),
    )
    .unwrap();
    let [sales, none] = rows.as_slice() else {
        panic!("{rows:?}");
    };
    assert_eq!(sales.queue.as_deref(), Some("sales"));
    assert_eq!((sales.calls, sales.inbound, sales.answered), (4, 4, 1));
    assert_eq!((sales.missed, sales.called_back), (2, 1));
    assert_eq!(sales.call_back_millis, Some(60_000));
    assert_eq!(sales.waiting_millis, Some(2_000));
    assert_eq!(sales.talking_millis, 3_000);
    assert_eq!(sales.wrap_up_millis, Some(8_000));
    assert_eq!((none.queue.as_deref(), none.calls), (None, 1));
}
