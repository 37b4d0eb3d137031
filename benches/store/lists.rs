//! The lists: first pages, next ones, pages far below, narrower criteria, timelines.

use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use ringdesk::base::id::{ContactId, OrganizationId, TicketId};
use ringdesk::crm::Store;
use ringdesk::crm::row::{CallCriteria, CallCursor, CallFilter, CallState, NameCursor, Subject};

use crate::around::{AGENTS, CALL_TYPES, QUEUES};
use crate::figure::Figure;
use crate::filling::NEWEST;
use crate::people::{COLLEAGUES, mixed};
use crate::times::Times;

/// So many rows has a page of the window.
pub(crate) const ROWS: usize = 100;

/// All pages keep to this, in milliseconds.
const LIMIT: f64 = 2.0;

pub(crate) fn paged(store: &Store) -> Vec<Figure> {
    let (mut first, mut next, mut deep) = (Times::default(), Times::default(), Times::default());
    for filter in [
        CallFilter::All,
        CallFilter::Inbound,
        CallFilter::Outbound,
        CallFilter::Missed,
        CallFilter::ToCallBack,
    ] {
        let mut of_filter = Times::default();
        let mut page = |times: &mut Times, after| {
            let begun = Instant::now();
            let page = times.measure(|| {
                let page = store.calls(filter, "", after, ROWS);
                page.blocking_recv().unwrap().unwrap()
            });
            of_filter.0.push(begun.elapsed());
            page
        };
        for _ in 0..20 {
            let mut after = page(&mut first, None).next;
            for _ in 0..10 {
                if after.is_some() {
                    after = page(&mut next, after).next;
                }
            }
        }
        // As who scrolls to years ago.
        for back in 1..20 {
            let after = CallCursor {
                started_micros: NEWEST - back * 1_000_000_000_000,
                seq: 0,
            };
            page(&mut deep, Some(after));
        }
        of_filter.print(&format!("calls, {filter:?}"));
    }
    let mut people = Times::default();
    let mut after = None;
    for page in 0..50 {
        let times = if page % 5 == 0 { &mut first } else { &mut next };
        if page % 5 == 0 {
            after = None;
        }
        let begun = Instant::now();
        after = times.measure(|| people_after(store, after.take()));
        people.0.push(begun.elapsed());
    }
    people.print("contacts");
    let mut people = Times::default();
    for letter in 'a'..='s' {
        let somebody = NameCursor {
            folded: letter.to_string(),
            id: 0,
        };
        let begun = Instant::now();
        deep.measure(|| people_after(store, Some(somebody)));
        people.0.push(begun.elapsed());
    }
    people.print("contacts far below");
    let mut waiting = Times::default();
    for _ in 0..100 {
        waiting.measure(|| store.to_call_back().blocking_recv().unwrap().unwrap());
    }
    vec![
        first.figure("first page of a list, 99 of 100", LIMIT),
        next.figure("next page of a list, 99 of 100", LIMIT),
        deep.figure("page far below in a list, 99 of 100", LIMIT),
        waiting.figure("numbers to call back counted, 99 of 100", LIMIT),
    ]
}

/// A page of contacts; gives where the next one begins.
fn people_after(store: &Store, after: Option<NameCursor>) -> Option<NameCursor> {
    let page = store.contacts("", after, ROWS);
    let page = page.blocking_recv().unwrap().unwrap();
    assert!(!page.rows.is_empty());
    page.next
}

/// So many hours before the newest call.
fn hours(hours: i64) -> Timestamp {
    let newest = Timestamp::from_microsecond(NEWEST).unwrap();
    newest - SignedDuration::from_hours(hours)
}

fn agent(number: u64) -> String {
    format!("Agent {}", number % AGENTS)
}

/// Each criterion of the log alone.
fn alone() -> Vec<(String, CallCriteria)> {
    let mut all = Vec::new();
    let mut add = |name: &str, criteria: CallCriteria| all.push((name.to_owned(), criteria));
    let none = CallCriteria::default();
    for queue in QUEUES {
        let queue = Some(queue.to_owned());
        add(
            "queue",
            CallCriteria {
                queue,
                ..none.clone()
            },
        );
    }
    for call_type in CALL_TYPES {
        let call_type = Some(call_type.to_owned());
        add(
            "call type",
            CallCriteria {
                call_type,
                ..none.clone()
            },
        );
    }
    for number in 0..5 {
        let agent = Some(agent(number));
        add(
            "agent",
            CallCriteria {
                agent,
                ..none.clone()
            },
        );
    }
    for state in [CallState::Completed, CallState::NoAnswer, CallState::Failed] {
        let state = Some(state);
        add(
            "state",
            CallCriteria {
                state,
                ..none.clone()
            },
        );
    }
    for yes in [true, false] {
        let (recorded, done) = (Some(yes), Some(yes));
        add(
            "recorded or not",
            CallCriteria {
                recorded,
                ..none.clone()
            },
        );
        add(
            "done or not",
            CallCriteria {
                done,
                ..none.clone()
            },
        );
    }
    for (since, until) in [(24, 0), (24 * 365, 24 * 364), (24 * 1200, 24 * 1199)] {
        let (since, until) = (Some(hours(since)), Some(hours(until)));
        add(
            "dates",
            CallCriteria {
                since,
                until,
                ..none.clone()
            },
        );
    }
    all
}

/// Those that few calls or none have together.
fn together() -> Vec<(String, CallCriteria)> {
    let mut all = Vec::new();
    let mut add = |name: &str, criteria: CallCriteria| all.push((name.to_owned(), criteria));
    let none = CallCriteria::default();
    add(
        "agent, queue and call type",
        CallCriteria {
            agent: Some(agent(3)),
            queue: Some(QUEUES[1].to_owned()),
            call_type: Some(CALL_TYPES[3].to_owned()),
            ..none.clone()
        },
    );
    add(
        "an agent's that are not done, recorded",
        CallCriteria {
            agent: Some(agent(7)),
            done: Some(false),
            recorded: Some(true),
            ..none.clone()
        },
    );
    add(
        "not done, long ago: none",
        CallCriteria {
            done: Some(false),
            until: Some(hours(24 * 400)),
            ..none.clone()
        },
    );
    add(
        "an agent that is not there",
        CallCriteria {
            agent: Some("Nobody".to_owned()),
            ..none
        },
    );
    all
}

pub(crate) fn narrowed(store: &Store) -> Vec<Figure> {
    let (mut first, mut next) = (Times::default(), Times::default());
    for (name, criteria) in alone().into_iter().chain(together()) {
        let mut of_kind = Times::default();
        let mut page = |times: &mut Times, after| {
            let criteria = criteria.clone();
            let begun = Instant::now();
            let page = times.measure(|| {
                let page = store.read(move |reader| {
                    reader.calls_where(CallFilter::All, &criteria, "", after, ROWS)
                });
                page.blocking_recv().unwrap().unwrap()
            });
            of_kind.0.push(begun.elapsed());
            page
        };
        for _ in 0..10 {
            let mut after = page(&mut first, None).1;
            for _ in 0..5 {
                if after.is_some() {
                    after = page(&mut next, after).1;
                }
            }
        }
        of_kind.print(&name);
    }
    vec![
        first.figure("first page of calls by criteria, 99 of 100", LIMIT),
        next.figure("next page of calls by criteria, 99 of 100", LIMIT),
    ]
}

/// What happened around people, with few calls and with most, around organizations and tickets.
pub(crate) fn timelines(store: &Store, contacts: u64) -> Vec<Figure> {
    let (mut first, mut next) = (Times::default(), Times::default());
    let id = |number: u64| i64::try_from(number + 1).unwrap();
    for kind in [
        "somebody",
        "a frequent caller",
        "an organization",
        "a ticket",
    ] {
        let mut of_kind = Times::default();
        for asked in 0..50 {
            let draw = mixed(asked ^ 0x74_696d);
            let about = match kind {
                "somebody" => Subject::Contact(ContactId(id(draw % contacts))),
                "a frequent caller" => Subject::Contact(ContactId(id(draw % 50))),
                "an organization" => {
                    Subject::Organization(OrganizationId(id(draw % (contacts / COLLEAGUES))))
                }
                _ => Subject::Ticket(TicketId(id(draw % (contacts / 10)))),
            };
            let mut after = None;
            for number in 0..4 {
                let times = if number == 0 { &mut first } else { &mut next };
                let begun = Instant::now();
                let page = times.measure(|| {
                    let page = store.read(move |reader| reader.timeline(about, after, ROWS));
                    page.blocking_recv().unwrap().unwrap()
                });
                of_kind.0.push(begun.elapsed());
                after = page.1;
                if after.is_none() {
                    break;
                }
            }
        }
        of_kind.print(&format!("timeline of {kind}"));
    }
    vec![
        first.figure("first page of a timeline, 99 of 100", LIMIT),
        next.figure("next page of a timeline, 99 of 100", LIMIT),
    ]
}
