//! The counts of the lists are those of their rows, whatever becomes of these.

use rusqlite::Connection;

use super::*;
use crate::crm::open::DATABASE;
use crate::crm::row::CallFilter;

/// The counts that are kept, and what the rows say.
fn kept_and_counted(desk: &Desk) -> Vec<(String, i64, i64)> {
    let connection = Connection::open(desk.folder.path().join(DATABASE)).unwrap();
    let count = |query: &str| -> i64 { connection.query_row(query, [], |row| row.get(0)).unwrap() };
    let waiting = "direction = 'inbound' AND done = 0 AND ended_at IS NOT NULL
        AND state NOT IN ('blocked', 'answered-elsewhere')";
    [
        ("contacts", "SELECT count(*) FROM contacts".to_owned()),
        ("calls", "SELECT count(*) FROM calls".to_owned()),
        (
            "inbound",
            "SELECT count(*) FROM calls WHERE direction = 'inbound'".to_owned(),
        ),
        (
            "outbound",
            "SELECT count(*) FROM calls WHERE direction = 'outbound'".to_owned(),
        ),
        (
            "missed",
            "SELECT count(*) FROM calls WHERE direction = 'inbound' AND answered_at IS NULL
             AND ended_at IS NOT NULL AND state NOT IN ('blocked', 'answered-elsewhere', 'forwarded')"
                .to_owned(),
        ),
        (
            "to-call-back",
            format!("SELECT count(DISTINCT number) FROM calls WHERE {waiting}"),
        ),
    ]
    .into_iter()
    .map(|(list, query)| {
        let kept = format!("SELECT row_count FROM row_counts WHERE list = '{list}'");
        (list.to_owned(), count(&kept), count(&query))
    })
    .collect()
}

fn assert_true(desk: &Desk, after: &str) {
    for (list, kept, counted) in kept_and_counted(desk) {
        assert_eq!(kept, counted, "{list}, after {after}");
    }
}

#[test]
fn the_counts_follow_each_change() {
    let desk = Desk::open();
    assert_true(&desk, "the start");
    for number in 0..8 {
        let remote = if number % 2 == 0 {
            "0301234567"
        } else {
            "0307654321"
        };
        desk.insert(&missed(number, remote));
        assert_true(&desk, "a missed call");
    }
    assert_eq!(desk.to_call_back(), 2);
    desk.insert(&missed(20, "anonymous"));
    assert_true(&desk, "a missed call of nobody");
    for (number, state) in [
        (30, CallState::Blocked),
        (31, CallState::AnsweredElsewhere),
        (32, CallState::Forwarded),
        (33, CallState::NoAnswer),
        (34, CallState::Completed),
    ] {
        let id = desk.insert(&inbound(number, "0309999999"));
        assert_true(&desk, "a call that rings");
        if state == CallState::Completed {
            desk.change(id, answered(40));
            assert_true(&desk, "an answer");
        }
        desk.end(id, state, 50);
        assert_true(&desk, state.as_str());
    }
    let out = desk.insert(&outbound(60, "0307654321"));
    desk.change(out, answered(62));
    desk.end(out, CallState::Completed, 70);
    assert_true(&desk, "a call back that talked");
    assert_eq!(desk.to_call_back(), 1);
    desk.change(call_id(6), CallChange::Done(true));
    assert_true(&desk, "done");
    assert_eq!(desk.to_call_back(), 0);
    desk.change(call_id(6), CallChange::Done(false));
    desk.change(call_id(4), CallChange::Done(false));
    assert_true(&desk, "not done after all, twice");
    assert_eq!(desk.to_call_back(), 1);
    let anna = desk.contact("Anna", "0301234567");
    desk.contact("Berta", "0307654321");
    assert_true(&desk, "contacts");
    desk.write(Write::DeleteContact(anna));
    assert_true(&desk, "a deletion");
    // A row that goes takes its part along, whoever removes it.
    let connection = Connection::open(desk.folder.path().join(DATABASE)).unwrap();
    for call in [6, 4, 33, 60] {
        connection
            .execute(
                "DELETE FROM calls WHERE id = ?1",
                [call_id(call).to_string()],
            )
            .unwrap();
        assert_true(&desk, "a deletion of a call");
    }
    let desk = desk.again();
    assert_true(&desk, "another start");
    for (filter, list) in [
        (CallFilter::All, 1),
        (CallFilter::Inbound, 2),
        (CallFilter::Outbound, 3),
        (CallFilter::Missed, 4),
        (CallFilter::ToCallBack, 5),
    ] {
        let page = wait(desk.store.calls(filter, "", None, 1)).unwrap();
        let counted = kept_and_counted(&desk)[list].2;
        assert_eq!(i64::try_from(page.total).unwrap(), counted, "{filter:?}");
    }
    assert_eq!(wait(desk.store.contacts("", None, 1)).unwrap().total, 1);
}
