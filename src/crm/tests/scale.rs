//! Ten thousand rows: pages are complete, and each list comes from its index.

use rusqlite::Connection;

use super::*;
use crate::crm::open::DATABASE;
use crate::crm::row::{CallFilter, HintCursor, HintFilter, NameCursor, TaskCursor, TaskFilter};

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

/// Ten thousand of each kind: people of the same few names, half of them leads, organizations, tasks of which
/// many have no time.
fn full() -> Desk {
    let desk = Desk::open();
    let connection = Connection::open(desk.folder.path().join(DATABASE)).unwrap();
    connection
        .execute_batch(
            "BEGIN;
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
             INSERT INTO contacts (name, folded, stage)
                SELECT 'Name ' || (i % 7), 'name ' || (i % 7), iif(i % 2, NULL, 'new') FROM n;
             INSERT INTO organizations (name, folded) SELECT name, folded FROM contacts;
             INSERT INTO tasks (task_kind, title, notes, due_at, created_at, done_at)
                SELECT 'task', name, '', iif(id % 3, id % 100, NULL), id, iif(id % 5, NULL, id)
                FROM contacts;
             INSERT INTO number_hints (number, digits, raw, fax, signature, contact, email, source,
                source_id, source_text, said_at, found_at)
                SELECT '+49' || id, '0' || id, '0' || id, 0, 0, id, '', 'note', id, '', id % 50, id
                FROM contacts;
             COMMIT;",
        )
        .unwrap();
    desk
}

/// Reads all pages of a list, and says how many rows they have, each once.
fn paged<Row, Cursor, Id: Ord>(
    mut page: impl FnMut(Option<Cursor>) -> (Vec<Row>, Option<Cursor>),
    id: impl Fn(&Row) -> Id,
) -> usize {
    let (mut ids, mut after) = (std::collections::BTreeSet::new(), None);
    loop {
        let (rows, next) = page(after);
        for row in &rows {
            assert!(ids.insert(id(row)), "a row is on two pages");
        }
        after = next;
        if after.is_none() {
            return ids.len();
        }
    }
}

#[test]
fn ten_thousand_records_of_each_kind_are_paged_completely() {
    let desk = full();
    let store = &desk.store;
    let people = |after| {
        let page = wait(store.contacts("", after, 700)).unwrap();
        assert_eq!(page.total, 10_000);
        (page.rows, page.next)
    };
    assert_eq!(paged(people, |row| row.id), 10_000);
    let leads = |after: Option<NameCursor>| {
        let page = desk.read(move |reader| reader.leads(None, "", after.as_ref(), 700));
        assert_eq!(page.total, 5_000);
        (page.rows, page.next)
    };
    assert_eq!(paged(leads, |row| row.id), 5_000);
    let organizations = |after| {
        let page = wait(store.organizations("", after, 700)).unwrap();
        (page.rows, page.next)
    };
    assert_eq!(paged(organizations, |row| row.id), 10_000);
    for (filter, expected) in [
        (TaskFilter::ToDo, 8_000),
        (TaskFilter::Done, 2_000),
        (
            TaskFilter::DueUntil(Timestamp::from_microsecond(9).unwrap()),
            533,
        ),
    ] {
        let tasks = |after: Option<TaskCursor>| {
            let rows = desk.read(move |reader| reader.tasks(filter, after, 70));
            let next = rows
                .last()
                .filter(|_| rows.len() == 70)
                .map(|row| TaskCursor {
                    due_micros: row.due_at.map(Timestamp::as_microsecond),
                    id: row.id,
                });
            (rows, next)
        };
        assert_eq!(paged(tasks, |row| row.id), expected, "{filter:?}");
    }
    let hints = |after: Option<HintCursor>| {
        let rows = desk.read(move |reader| reader.hints(&HintFilter::default(), after, 700));
        let next = rows
            .last()
            .filter(|_| rows.len() == 700)
            .map(|row| HintCursor {
                said_micros: row.said_at.as_microsecond(),
                id: row.id,
            });
        (rows, next)
    };
    assert_eq!(paged(hints, |row| row.id), 10_000);
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
    let mut queries = crate::crm::call_page::queries_for_plan();
    queries.extend(crate::crm::contact_list::queries_for_plan());
    queries.push(crate::crm::organizations::query_for_plan());
    queries.push(crate::crm::call_links::query_for_plan());
    queries.push(crate::crm::contact_numbers::query_for_plan());
    queries.extend(crate::crm::tasks::queries_for_plan());
    queries.extend(crate::crm::tickets::queries_for_plan());
    queries.extend(crate::crm::hint_list::queries_for_plan());
    for (sql, index) in queries {
        let steps = plan(&sql);
        assert!(steps.contains(index), "{sql}\n{steps}");
        assert!(
            !steps.contains("TEMP B-TREE FOR ORDER BY"),
            "{sql}\n{steps}"
        );
        checked += 1;
    }
    assert!(checked >= 19);
}
