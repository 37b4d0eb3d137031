//! What was refused unheard: one row for a source and minute.

use std::net::IpAddr;

use super::{Desk, second, wait};
use crate::crm::row::RefusedRow;
use crate::crm::store::{Write, Written};

fn count(desk: &Desk, at: i64, counts: &[(&str, &str, u64)]) {
    let counts = counts
        .iter()
        .map(|(source, why, count)| {
            let source: IpAddr = source.parse().unwrap();
            (source, (*why).to_owned(), *count)
        })
        .collect();
    let written = desk.write(Write::CountRefused(second(at), counts));
    assert_eq!(written, Written::Refused);
}

fn since(desk: &Desk, at: i64) -> Vec<RefusedRow> {
    wait(desk.store.refused(second(at), 10)).unwrap()
}

#[test]
fn counts_of_a_minute_are_added_and_minutes_summed() {
    let desk = Desk::open();
    // Second 0 is 20 s into its minute.
    count(
        &desk,
        0,
        &[
            ("192.0.2.1", "stranger", 5),
            ("2001:db8::", "too-fast", 900),
        ],
    );
    count(&desk, 10, &[("192.0.2.1", "stranger", 2)]);
    count(
        &desk,
        60,
        &[
            ("192.0.2.1", "stranger", 1),
            ("192.0.2.1", "malformed: Via", 3),
        ],
    );
    let rows = since(&desk, 0);
    let told: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row.source.as_str(),
                row.why.as_str(),
                row.requests,
                row.minutes,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("2001:db8::", "too-fast", 900, 1),
            ("192.0.2.1", "stranger", 8, 2),
            ("192.0.2.1", "malformed: Via", 3, 1),
        ]
    );
    assert_eq!(
        since(&desk, 60).len(),
        2,
        "the minute before is not asked for"
    );
    let again = desk.again();
    assert_eq!(since(&again, 0), rows);
}

#[test]
fn old_minutes_go_by_themselves() {
    let desk = Desk::open();
    count(&desk, 0, &[("192.0.2.1", "stranger", 5)]);
    const MONTH: i64 = 31 * 24 * 3600;
    count(&desk, MONTH, &[("192.0.2.2", "stranger", 1)]);
    let rows = since(&desk, 0);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].source, "192.0.2.2");
}
