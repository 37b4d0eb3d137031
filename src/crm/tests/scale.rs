//! Ten thousand rows: pages are complete, and each list comes from its index.

use rusqlite::Connection;

use super::*;
use crate::crm::open::DATABASE;
use crate::crm::row::CallFilter;

/// Numbers that differ in their last seven digits too.
fn number(of: u64) -> String {
    format!("+4930{:08}", of * 7919 % 100_000_000)
}

fn filled() -> Desk {
    let desk = Desk::open();
    let mut waiting = Vec::new();
    for count in 0..10_000 {
        let row = if count % 3 == 0 {
            outbound(count, &number(count % 500))
        } else {
            missed(count, &number(count % 500))
        };
        waiting.push(desk.store.write(Write::InsertCall(Box::new(row))));
        if waiting.len() == 1000 {
            waiting
                .drain(..)
                .for_each(|answer| assert!(wait(answer).is_ok()));
        }
    }
    desk
}

#[test]
fn ten_thousand_calls_are_paged_completely_and_in_order() {
    let desk = filled();
    for (filter, expected) in [
        (CallFilter::All, 10_000),
        (CallFilter::Outbound, 3334),
        (CallFilter::Missed, 6666),
        (CallFilter::ToCallBack, 500),
    ] {
        let mut after = None;
        let mut seen: Vec<CallRow> = Vec::new();
        loop {
            let page = wait(desk.store.calls(filter, "", after, 700)).unwrap();
            assert_eq!(page.total, expected);
            seen.extend(page.rows);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(u64::try_from(seen.len()).unwrap(), expected, "{filter:?}");
        assert!(
            seen.windows(2)
                .all(|pair| pair[0].started_at > pair[1].started_at),
            "{filter:?}"
        );
    }
    assert_eq!(desk.to_call_back(), 500);
}

#[test]
fn lists_and_lookups_read_indexes_only() {
    let desk = Desk::open();
    let connection = Connection::open(desk.folder.path().join(DATABASE)).unwrap();
    let plan = |sql: &str| -> String {
        let mut query = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .unwrap();
        let count = query.parameter_count();
        let steps = query
            .query_map(
                rusqlite::params_from_iter(vec![rusqlite::types::Null; count]),
                |row| row.get::<_, String>(3),
            )
            .unwrap()
            .collect::<Result<Vec<_>, _>>()
            .unwrap();
        steps.join("; ")
    };
    let mut checked = 0;
    for (sql, index) in crate::crm::call_page::queries_for_plan() {
        let steps = plan(&sql);
        assert!(steps.contains(index), "{sql}\n{steps}");
        assert!(
            !steps.contains("TEMP B-TREE FOR ORDER BY"),
            "{sql}\n{steps}"
        );
        checked += 1;
    }
    assert!(checked >= 7);
}
