//! What older versions wrote as choices of calls, and was only remembered.

use rusqlite::Connection;

use super::*;
use crate::base::clock::wall_now;
use crate::crm::number_choices::{self, TELL_REMEMBERED};
use crate::crm::open::DATABASE;
use crate::crm::row::MatchLevel::{self, Known, Manual, Weak};

/// Says of a call what an older version did where a record was chosen for its number before.
fn as_if_chosen(desk: &Desk, call: CallId, subject: Subject, row_too: bool) {
    let connection = Connection::open(desk.folder.path().join(DATABASE)).unwrap();
    let reason = number_choices::reason(subject);
    let call = call.to_string();
    let changed = connection
        .execute(
            "INSERT INTO call_links (call, kind, subject, level, reason, name, started_at)
             SELECT seq, ?2, ?3, 'manual', ?4, '', started_at FROM calls WHERE id = ?1
             ON CONFLICT DO UPDATE SET level = 'manual', reason = excluded.reason",
            rusqlite::params![call, subject.kind(), subject.id(), reason],
        )
        .unwrap();
    assert_eq!(changed, 1);
    if row_too {
        connection
            .execute(
                "UPDATE calls SET contact = ?2, level = 'manual', match_reason = ?3 WHERE id = ?1",
                rusqlite::params![call, subject.id(), reason],
            )
            .unwrap();
    }
}

impl Desk {
    /// How sure a call's row and its link to a record are.
    fn levels(&self, call: CallId, subject: Subject) -> (Option<MatchLevel>, Option<MatchLevel>) {
        let links = Connection::open(self.folder.path().join(DATABASE)).unwrap();
        let level: Option<String> = links
            .query_row(
                "SELECT l.level FROM call_links l JOIN calls c ON c.seq = l.call
                 WHERE c.id = ?1 AND l.kind = ?2 AND l.subject = ?3",
                rusqlite::params![call.to_string(), subject.kind(), subject.id()],
                |row| row.get(0),
            )
            .ok();
        let level = level.as_deref().and_then(MatchLevel::parse);
        (self.call(call).level, level)
    }
}

#[test]
fn what_was_only_remembered_is_as_sure_as_the_number_after_an_upgrade_and_choices_stay() {
    let desk = Desk::open();
    let anna = Subject::Contact(desk.contact("Anna", "030 1234567"));
    let bert = Subject::Contact(desk.contact("Bert", "030 1234567"));
    let carla = Subject::Contact(desk.contact("Carla", "030 7654321"));
    let calls: Vec<CallId> = (1..=5)
        .map(|number| desk.insert(&missed(number, "0301234567")))
        .collect();
    // Shown as remembered: one who has the number, and one who has another one.
    as_if_chosen(&desk, calls[0], anna, true);
    as_if_chosen(&desk, calls[1], carla, true);
    // Remembered, and then said of the call itself.
    as_if_chosen(&desk, calls[2], bert, true);
    desk.change(calls[2], CallChange::Subject(Some(bert)));
    // Only linked as remembered, which an agent may have done as well: the trail tells, where it reaches so far.
    let [linked, remembered] = [6, 7].map(|number| {
        let call = CallRow {
            started_at: wall_now(),
            ..inbound(number, "0301234567")
        };
        desk.insert(&call)
    });
    for call in [calls[3], linked, remembered] {
        as_if_chosen(&desk, call, carla, false);
    }
    desk.change(linked, CallChange::Link(carla));
    // An agent's own, of a number that nobody was chosen for.
    desk.change(calls[4], CallChange::Subject(Some(carla)));

    let connection = Connection::open(desk.folder.path().join(DATABASE)).unwrap();
    connection.execute_batch(TELL_REMEMBERED).unwrap();
    assert_eq!(desk.levels(calls[0], anna), (Some(Known), Some(Known)));
    assert_eq!(desk.levels(calls[1], carla), (Some(Weak), Some(Weak)));
    assert_eq!(desk.levels(calls[2], bert), (Some(Manual), Some(Manual)));
    for (call, level) in [(calls[3], Manual), (linked, Manual), (remembered, Weak)] {
        assert_eq!(desk.levels(call, carla).1, Some(level), "{call}");
    }
    assert_eq!(desk.levels(calls[4], carla), (Some(Manual), Some(Manual)));
    // What is no choice follows the records again.
    let reason = desk.call(calls[1]).match_reason;
    assert_eq!(reason, Some(number_choices::reason(carla)));
    let Subject::Contact(anna) = anna else {
        unreachable!()
    };
    desk.write(Write::DeleteContact(anna));
    assert_eq!(desk.call(calls[0]).contact, None);
    assert_eq!(desk.call(calls[2]).contact, bert.contact());
}
