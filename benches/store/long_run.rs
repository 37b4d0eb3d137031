//! A long run of everything: what it takes of memory in its first quarter is all that it ever takes.

use std::fs;

use ringdesk::base::id::ContactId;
use ringdesk::crm::Store;
use ringdesk::crm::row::{CallCriteria, CallFilter, Subject};

use crate::calling::{number, write_call};
use crate::figure::{Figure, Limit};
use crate::lists::ROWS;
use crate::typing::typed;

/// Rounds, each of so many callers, pages, searches and calls.
const ROUNDS: u64 = 40;
const CALLERS: u64 = 1_000;
const WRITTEN: u64 = 100;

/// So much more, in MB, is left to what the system's allocator does not give back.
const GROWTH: f64 = 4.0;

pub(crate) fn flat(store: &Store, contacts: u64) -> Vec<Figure> {
    let typed = typed();
    let mut begin = 0;
    let mut most: u64 = 0;
    for round in 0..ROUNDS {
        for asked in 0..CALLERS {
            let (_, number) = number(round * CALLERS + asked, contacts);
            let found = store.identify(&format!("+{number}"));
            drop(found.blocking_recv().unwrap().unwrap());
        }
        let mut after = None;
        for text in &typed {
            let page = store.calls(CallFilter::All, "", after, ROWS);
            after = page.blocking_recv().unwrap().unwrap().next;
            let text = text.clone();
            let found = store.read(move |reader| reader.search(&text, ROWS));
            drop(found.blocking_recv().unwrap().unwrap());
        }
        for page in 0..50 {
            let about = Subject::Contact(ContactId(i64::try_from(round * 50 + page + 1).unwrap()));
            let criteria = CallCriteria {
                agent: Some(format!("Agent {}", page % 40)),
                ..CallCriteria::default()
            };
            let read = store.read(move |reader| {
                reader.timeline(about, None, ROWS)?;
                reader.calls_where(CallFilter::All, &criteria, "", None, ROWS)
            });
            drop(read.blocking_recv().unwrap().unwrap());
        }
        for written in 0..WRITTEN {
            write_call(store, contacts, round * WRITTEN + written);
        }
        if round < ROUNDS / 4 {
            begin = resident();
        } else {
            most = most.max(resident());
        }
    }
    let grown = (most as f64 - begin as f64) / 1e6;
    vec![
        Figure::alone(
            "resident memory in a long run",
            "MB",
            most as f64 / 1e6,
            Limit::None,
        ),
        Figure::alone(
            "what it grew by after the first quarter",
            "MB",
            grown.max(0.0),
            Limit::AtMost(GROWTH),
        ),
    ]
}

/// Bytes resident.
pub(crate) fn resident() -> u64 {
    let text = fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = text.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}
