//! The call log by criteria, and the figures of queues.

use super::*;
use crate::crm::Reader;
use crate::crm::row::{CallCriteria, CallCursor, CallFilter, CallTypeRow, HourFigures};

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

    /// All of them, page by page.
    fn turned(&self, filter: CallFilter, criteria: &CallCriteria, limit: usize) -> Vec<CallId> {
        let (mut found, mut after) = (Vec::new(), None::<CallCursor>);
        loop {
            let criteria = criteria.clone();
            let (rows, next) = wait(self.store.read(move |reader: &Reader| {
                reader.calls_where(filter, &criteria, "", after, limit)
            }))
            .unwrap();
            found.extend(rows.iter().map(|row| row.id));
            after = next;
            if after.is_none() {
                return found;
            }
        }
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

/// Beside a criterion, a number stood in the list once for each of its missed calls.
#[test]
fn a_number_to_call_back_is_one_row_also_by_criteria() {
    let desk = Desk::open();
    let call = |number: u64, queue: &str| {
        desk.insert(&CallRow {
            queue: Some(queue.to_owned()),
            contact_name: Some("Anna".to_owned()),
            ..missed(number, "0301234567")
        })
    };
    let _first = call(1, "sales");
    let of_sales = call(2, "sales");
    let of_support = call(3, "support");
    let other = desk.insert(&CallRow {
        queue: Some("sales".to_owned()),
        ..missed(4, "0307777777")
    });
    let by = |change: fn(&mut CallCriteria), search| {
        let mut criteria = CallCriteria::default();
        change(&mut criteria);
        desk.found(CallFilter::ToCallBack, &criteria, search)
    };
    // The newest of those that are asked for: who waits for sales waits, whomever else they called.
    assert_eq!(
        by(|c| c.queue = Some("sales".to_owned()), ""),
        [other, of_sales]
    );
    assert_eq!(
        by(|c| c.queue = Some("sales".to_owned()), "Anna"),
        [of_sales]
    );
    assert_eq!(by(|c| c.since = Some(second(1)), ""), [other, of_support]);
    assert_eq!(by(|c| c.until = Some(second(3)), ""), [of_sales]);
    assert_eq!(by(|c| c.done = Some(false), ""), [other, of_support]);
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
    assert_eq!(desk.turned(CallFilter::All, &criteria, 10), all);
}

/// A sparse criterion read the whole log in one go, and ended as too long.
#[test]
fn a_rare_call_is_found_in_pages_that_each_look_at_few_rows() {
    let desk = Desk::open();
    let rare = desk.insert(&of(1, "sales", "Alice", CallState::Busy));
    for number in 2..=205 {
        desk.insert(&of(number, "sales", "Alice", CallState::Completed));
    }
    let busy = CallCriteria {
        agent: Some("Alice".to_owned()),
        state: Some(CallState::Busy),
        ..CallCriteria::default()
    };
    // The state's index has it alone.
    assert_eq!(desk.found(CallFilter::All, &busy, ""), [rare]);
    let criteria = CallCriteria {
        agent: Some("Alice".to_owned()),
        recorded: Some(false),
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

#[test]
fn calls_are_counted_by_the_hour_in_which_they_began() {
    let desk = Desk::open();
    desk.insert(&of(1, "sales", "Alice", CallState::Completed));
    desk.insert(&of(3_590, "sales", "Alice", CallState::NoAnswer));
    desk.insert(&of(3_595, "sales", "Alice", CallState::Blocked));
    desk.insert(&outbound(7_300, "0301234010"));
    desk.insert(&of(90_000, "sales", "Alice", CallState::Completed));
    let hours = wait(
        desk.store
            .read(|reader: &Reader| reader.hours(second(0), second(80_000))),
    )
    .unwrap();
    let total = |count: fn(&HourFigures) -> u32| hours.iter().map(count).sum::<u32>();
    assert_eq!(total(|hour| hour.answered), 1);
    assert_eq!(total(|hour| hour.missed), 1);
    assert_eq!(total(|hour| hour.outbound), 1);
    let begins = |hour: &HourFigures| hour.hour.as_second() % 3_600 == 0;
    assert!(hours.iter().all(begins), "{hours:?}");
    assert!(hours.is_sorted_by_key(|hour| hour.hour), "{hours:?}");
}

/// Every criterion with every other one, against what each row says of itself: the criterion that leads is
/// another each time.
#[test]
fn criteria_together_find_what_fits_all_of_them() {
    let desk = Desk::open();
    let names = ["Offer", "Complaint"];
    let types: Vec<_> = (0..)
        .zip(names)
        .map(|(place, name)| {
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
        })
        .collect();
    let mut rows = Vec::new();
    for number in 0..120_u64 {
        let states = [CallState::Completed, CallState::NoAnswer, CallState::Busy];
        // Now and then several begin together, and one later that began earlier.
        let at = i64::try_from(number / 2 * 2 % 90).unwrap();
        let pick = |salt: u64, of: u64| ((number * 2_654_435_761) >> salt) % of;
        let mut row = CallRow {
            started_at: second(at),
            call_type: (pick(3, 3) < 2).then(|| types[usize::try_from(pick(3, 3)).unwrap()]),
            done: pick(9, 3) > 0,
            ..of(
                number,
                ["sales", "support"][usize::try_from(pick(5, 2)).unwrap()],
                ["Alice", "Bob", "Carol"][usize::try_from(pick(7, 3)).unwrap()],
                states[usize::try_from(pick(11, 3)).unwrap()],
            )
        };
        if pick(13, 4) == 0 {
            row.direction = CallDirection::Outbound;
        }
        row.id = desk.insert(&row);
        rows.push(row);
    }
    // The last written first among those that begin together.
    rows.reverse();
    rows.sort_by_key(|row| std::cmp::Reverse(row.started_at));
    let mut found_any = 0;
    for asked in 0..1_u32 << 7 {
        let yes = |bit: u32| asked >> bit & 1 == 1;
        let criteria = CallCriteria {
            state: yes(0).then_some(CallState::NoAnswer),
            agent: yes(1).then(|| "Alice".to_owned()),
            queue: yes(2).then(|| "support".to_owned()),
            call_type: yes(3).then(|| "complaint".to_owned()),
            recorded: yes(4).then_some(asked % 3 == 0),
            done: yes(5).then_some(asked % 5 == 0),
            since: yes(6).then(|| second(30)),
            until: yes(6).then(|| second(80)),
        };
        for filter in [
            CallFilter::All,
            CallFilter::Inbound,
            CallFilter::Outbound,
            CallFilter::Missed,
            CallFilter::ToCallBack,
        ] {
            let fits = |row: &&CallRow| {
                criteria.state.is_none_or(|state| row.state == state)
                    && (criteria.agent.is_none() || row.agent == criteria.agent)
                    && (criteria.queue.is_none() || row.queue == criteria.queue)
                    && (criteria.call_type.is_none() || row.call_type == Some(types[1]))
                    && criteria
                        .recorded
                        .is_none_or(|it| row.recording.is_some() == it)
                    && criteria.done.is_none_or(|it| row.done == it)
                    && criteria.since.is_none_or(|at| row.started_at >= at)
                    && criteria.until.is_none_or(|at| row.started_at < at)
                    && match filter {
                        CallFilter::Inbound => row.direction == CallDirection::Inbound,
                        CallFilter::Outbound => row.direction == CallDirection::Outbound,
                        CallFilter::Missed => {
                            row.direction == CallDirection::Inbound && row.answered_at.is_none()
                        }
                        CallFilter::ToCallBack => {
                            row.direction == CallDirection::Inbound
                                && row.ended_at.is_some()
                                && !row.done
                        }
                        CallFilter::All => true,
                    }
            };
            let expected: Vec<CallId> = rows.iter().filter(fits).map(|row| row.id).collect();
            let found = desk.turned(filter, &criteria, 7);
            assert_eq!(found, expected, "{filter:?} {criteria:?}");
            found_any += usize::from(!expected.is_empty());
        }
    }
    assert!(found_any > 200, "{found_any}");
}
