//! What is too old goes, by class, and only that.

use rusqlite::Connection;

use super::records::{article, note, task, ticket};
use super::*;
use crate::crm::agent_state::AgentState;
use crate::crm::open::DATABASE;
use crate::crm::row::{
    ArticleSender, QualitySpan, Retention, TaskFilter, TicketFilter, TicketState,
};

const DAY: i64 = 24 * 3600;

/// A call on each of ten days, with notes, a recording and figures.
fn desk() -> Desk {
    let desk = Desk::open();
    for day in 0..10 {
        let at = second(i64::try_from(day).unwrap() * DAY);
        let call = CallRow {
            started_at: at,
            ended_at: Some(at),
            notes: "n".to_owned(),
            recording: Some(format!("/r/{}.wav", call_id(day))),
            ..missed(day, "0301234567")
        };
        let id = desk.insert(&call);
        desk.write(Write::SaveQuality(vec![(id, vec![QualitySpan::default()])]));
    }
    desk
}

fn retain(desk: &Desk, retention: &Retention) -> u64 {
    let now = second(10 * DAY - 1);
    desk.store.retain(retention, now, &|| true).unwrap()
}

#[test]
fn by_default_everything_stays() {
    let desk = desk();
    assert_eq!(retain(&desk, &Retention::default()), 0);
    assert_eq!(desk.call(call_id(0)).notes, "n");
}

#[test]
fn each_class_has_its_own_time() {
    let desk = desk();
    let retention = Retention {
        notes: Some(3),
        recordings: Some(5),
        quality: Some(7),
        calls: Some(8),
        ..Retention::default()
    };
    assert_eq!(retain(&desk, &retention), 7 + 5 + 3 + 2);
    for day in 0..10 {
        let row = wait(desk.store.call(call_id(day))).unwrap();
        assert_eq!(row.is_some(), day >= 2, "{day}");
        let Some(row) = row else { continue };
        assert_eq!(row.notes.is_empty(), day < 7, "{day}");
        assert_eq!(row.recording.is_none(), day < 5, "{day}");
        let figures = wait(desk.store.quality(row.id)).unwrap();
        assert_eq!(figures.is_empty(), day < 3, "{day}");
    }
    // Each file once, of the calls that went too.
    let files = desk.store.files_to_remove(0, 100).unwrap();
    let calls: Vec<CallId> = files.iter().map(|file| file.call).collect();
    assert_eq!(calls, (0..5).map(call_id).collect::<Vec<_>>());
    // A second time there is nothing to do, also after a restart.
    let desk = desk.again();
    assert_eq!(retain(&desk, &retention), 0);
    assert_eq!(desk.store.files_to_remove(0, 100).unwrap(), files);
}

#[test]
fn a_call_that_goes_on_and_one_of_the_future_stay() {
    let desk = Desk::open();
    let open = desk.insert(&inbound(1, "0301"));
    let later = desk.insert(&missed(1_000_000, "0301"));
    let all = Retention {
        calls: Some(0),
        ..Retention::default()
    };
    assert_eq!(desk.store.retain(&all, second(100), &|| true).unwrap(), 0);
    assert_eq!((desk.call(open).id, desk.call(later).id), (open, later));
    // Nor is anything removed once the phone ends.
    desk.end(open, CallState::NoAnswer, 5);
    assert_eq!(desk.store.retain(&all, second(100), &|| false).unwrap(), 0);
    assert_eq!(desk.store.retain(&all, second(100), &|| true).unwrap(), 1);
}

/// Moves all times of a column so many days back, as if all of it had happened then.
fn age(desk: &Desk, table: &str, columns: &[&str], days: i64) {
    let connection = Connection::open(desk.folder.path().join(DATABASE)).unwrap();
    for column in columns {
        let sql = format!("UPDATE {table} SET {column} = {column} - ?1");
        connection.execute(&sql, [days * DAY * 1_000_000]).unwrap();
    }
}

fn count(desk: &Desk, table: &str) -> i64 {
    let connection = Connection::open(desk.folder.path().join(DATABASE)).unwrap();
    let sql = format!("SELECT count(*) FROM {table}");
    connection.query_row(&sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn closed_tickets_done_tasks_and_guesses_go_and_what_is_open_stays() {
    let desk = Desk::open();
    let anna = desk.contact("Anna", "0301234567");
    let text = "call me at 0171 7654321";
    for state in [TicketState::Open, TicketState::Closed] {
        let mut row = ticket("Delivery", Some(anna));
        let mut said = article(text, ArticleSender::Customer);
        said.at = Timestamp::now();
        row.articles.push(said);
        row.state = state;
        desk.write(Write::SaveTicket(Box::new(row)));
    }
    desk.write(Write::SaveNote(note(Subject::Contact(anna), text)));
    for done in [false, true] {
        let Written::Task(id) = desk.write(Write::SaveTask(Box::new(task("to do", None)))) else {
            panic!("no task");
        };
        desk.write(Write::TaskDone(id, done));
    }
    let all = Retention {
        tickets: Some(30),
        tasks: Some(30),
        guesses: Some(30),
        ..Retention::default()
    };
    let retain = |desk: &Desk| {
        let now = Timestamp::now();
        desk.store.retain(&all, now, &|| true).unwrap()
    };
    assert_eq!(count(&desk, "number_hints"), 3);
    assert_eq!(retain(&desk), 0, "nothing is old yet");
    age(&desk, "tickets", &["closed_at", "updated_at"], 31);
    age(&desk, "tasks", &["done_at", "created_at"], 31);
    assert_eq!(retain(&desk), 2);
    let tickets = desk
        .store
        .read(|reader| reader.tickets(TicketFilter::All, "delivery", None, 10));
    let tickets = wait(tickets).unwrap();
    assert_eq!(tickets.len(), 1);
    assert_eq!(tickets[0].state, TicketState::Open);
    let tasks = desk
        .store
        .read(|reader| reader.tasks(TaskFilter::ToDo, None, 10));
    assert_eq!(wait(tasks).unwrap().len(), 1);
    assert_eq!(count(&desk, "tasks"), 1);
    assert_eq!(count(&desk, "ticket_articles"), 1);
    // The guess of the article that went is gone, those of the others are young.
    assert_eq!(count(&desk, "number_hints"), 2);
    age(&desk, "number_hints", &["said_at"], 31);
    assert_eq!(retain(&desk), 2);
    assert_eq!(count(&desk, "number_hints"), 0);
    assert_eq!(count(&desk, "notes"), 1);
}

#[test]
fn steps_to_undo_go_with_what_they_hold_of_people_and_states_that_ended() {
    let desk = Desk::open();
    let anna = desk.contact("Anna Berger", "0301234567");
    desk.write(Write::DeleteContact(anna));
    desk.write(arrivals::import(3));
    for (at, state) in [(1, AgentState::Available), (2, AgentState::Break)] {
        let next = Some((state, "lunch".to_owned()));
        desk.write(Write::AgentState(second(at), next));
    }
    let all = Retention {
        undo: Some(30),
        agent_states: Some(30),
        ..Retention::default()
    };
    let now = Timestamp::now();
    assert_eq!(
        desk.store.retain(&all, now, &|| true).unwrap(),
        1,
        "a state"
    );
    assert_eq!(count(&desk, "agent_states"), 1, "the one that goes on");
    assert_eq!(count(&desk, "undo_steps"), 2);
    assert_eq!(count(&desk, "import_rows"), 3);
    age(&desk, "undo_steps", &["at"], 31);
    assert_eq!(desk.store.retain(&all, now, &|| true).unwrap(), 2);
    for table in ["undo_steps", "imports", "import_rows"] {
        assert_eq!(count(&desk, table), 0, "{table}");
    }
    assert_eq!(wait(desk.store.contacts("", None, 10)).unwrap().total, 3);
}
