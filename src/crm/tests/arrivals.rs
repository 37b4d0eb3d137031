//! A call that comes alone is kept on one page before the log takes it in.

use std::fmt::Write as _;

use rusqlite::Connection;

use super::durability::{drain, fill_disk, prepared};
use super::*;
use crate::crm::arrivals::News;
use crate::crm::aside::{self, Aside};
use crate::crm::import::{self, ImportBatch};
use crate::crm::number_key::Numbering;
use crate::crm::open::DATABASE;
use crate::crm::row::{CallFilter, Existing, ImportOptions, MatchLevel};
use crate::crm::writer::Queued;
use crate::crm::{arrivals, migration, writer};

/// A folder whose phone lost its power between the keeping of a call and its way into the log.
fn after_power_loss(call: &CallRow) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut connection = prepared(&folder);
    let transaction = connection.transaction().unwrap();
    arrivals::keep(&transaction, News::Beginning(call)).unwrap();
    transaction.commit().unwrap();
    folder
}

fn kept_in(folder: &TempDir) -> i64 {
    Connection::open(folder.path().join(DATABASE))
        .unwrap()
        .query_row("SELECT count(*) FROM arrivals", [], |row| row.get(0))
        .unwrap()
}

fn queued(write: Write) -> (Box<Queued>, oneshot::Receiver<()>, Answer) {
    let (keeper, kept) = oneshot::channel();
    let (answer, written) = oneshot::channel();
    let queued = Queued {
        write,
        kept: Some(keeper),
        answer,
    };
    (Box::new(queued), kept, written)
}

type Answer = oneshot::Receiver<Result<Written, StoreError>>;

/// An import of so many people.
pub(super) fn import(people: usize) -> Write {
    let mut file = "name,mobile,email,organization\n".to_owned();
    for number in 0..people {
        writeln!(
            file,
            "Person {number},+4930{number:07},p{number}@example.com,Employer {}",
            number / 20
        )
        .unwrap();
    }
    let reading = import::read(file.as_bytes(), &ImportOptions::default()).unwrap();
    Write::Import(Box::new(ImportBatch {
        label: "import of people.csv".to_owned(),
        existing: Existing::Skip,
        reading,
    }))
}

/// What a kill at this moment would leave.
fn killed_now(folder: &TempDir) -> TempDir {
    let left = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        // The memory beside the log is made again.
        if path.extension().is_none_or(|end| end != "db-shm") {
            std::fs::copy(&path, left.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    left
}

#[test]
fn a_call_that_comes_alone_is_kept_and_then_in_the_log_once() {
    let desk = Desk::open();
    let anna = desk.contact("Anna", "0301234567");
    let before = desk.store.commits();
    let call = inbound(1, "0301234567");
    let pending = desk.store.keep(Write::InsertCall(Box::new(call.clone())));
    assert_eq!(pending.kept.blocking_recv(), Ok(()));
    assert_eq!(wait(pending.written), Ok(Written::Call));
    assert_eq!(desk.store.commits() - before, 2);
    let page = wait(desk.store.calls(CallFilter::All, "anna", None, 10)).unwrap();
    assert_eq!(page.total, 1);
    assert_eq!(
        (page.rows[0].id, page.rows[0].contact),
        (call.id, Some(anna))
    );
    assert_eq!(kept_in(&desk.folder), 0);
}

#[test]
fn what_only_was_kept_is_in_the_log_after_a_power_loss() {
    let call = CallRow {
        contact_name: Some("Anna".to_owned()),
        level: Some(MatchLevel::Known),
        via: Some("Sales".to_owned()),
        ..inbound(1, "0301234567")
    };
    let folder = after_power_loss(&call);
    let store = Store::open(folder.path(), "DE").unwrap();
    let found = wait(store.call(call.id)).unwrap().unwrap();
    assert_eq!(found.state, CallState::Interrupted);
    assert_eq!(found.started_at, call.started_at);
    assert_eq!(
        (found.contact_name, found.via),
        (call.contact_name, call.via)
    );
    drop(store);
    assert_eq!(kept_in(&folder), 0);
}

#[test]
fn the_next_write_takes_along_what_could_not_go_into_the_log() {
    let call = inbound(1, "0301234567");
    let folder = after_power_loss(&call);
    let connection = Connection::open(folder.path().join(DATABASE)).unwrap();
    let change = Write::ChangeCall(call.id, answered(5));
    let (results, commits) = drain(connection, vec![change]);
    assert_eq!((results, commits), (vec![Ok(Written::Call)], 1));
    let store = Store::open(folder.path(), "DE").unwrap();
    let found = wait(store.call(call.id)).unwrap().unwrap();
    assert_eq!(found.answered_at, Some(second(5)));
}

#[test]
fn a_kept_call_that_a_damaged_file_holds_keeps_no_other_from_the_log() {
    let call = inbound(1, "0301234567");
    let folder = after_power_loss(&call);
    let connection = Connection::open(folder.path().join(DATABASE)).unwrap();
    connection
        .execute_batch("INSERT INTO arrivals (seq, call) VALUES (0, '{')")
        .unwrap();
    drop(connection);
    let store = Store::open(folder.path(), "DE").unwrap();
    assert!(wait(store.call(call.id)).unwrap().is_some());
    drop(store);
    assert_eq!(kept_in(&folder), 0);
}

#[test]
fn a_disk_that_is_full_keeps_nothing_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let connection = prepared(&folder);
    fill_disk(&connection, 0);
    let long = CallRow {
        notes: "n".repeat(9000),
        ..inbound(1, "0301234567")
    };
    let (queued, kept, written) = queued(Write::InsertCall(Box::new(long)));
    let (sender, queue) = std::sync::mpsc::sync_channel(1);
    assert!(sender.try_send(queued).is_ok());
    drop(sender);
    let numbering = std::sync::Arc::new(Numbering::new("DE"));
    let agent = crate::crm::acting_agent::ActingAgent::default();
    let aside = Aside::open(folder.path()).unwrap();
    let commits = Default::default();
    writer::run(connection, queue, aside, &numbering, &agent, &commits);
    assert!(kept.blocking_recv().is_err());
    assert_eq!(wait(written), Err(StoreError::DiskFull));
    assert_eq!(kept_in(&folder), 0);
}

#[test]
fn the_form_of_kept_calls_is_of_the_schema() {
    // Whoever changes what is kept must still read what an older version kept.
    assert!(migration::newest() >= 15);
    let old = r#"{"id":"018bcfe5-6800-7000-8000-000000000001","direction":"inbound","state":"ringing",
        "remote":"0301234567","e164":null,"remote_name":null,"local":"sip:alice@example.com",
        "contact":null,"contact_name":null,"organization":null,"level":null,"match_reason":null,
        "started_at":"2023-11-14T22:13:20Z","answered_at":null,"ended_at":null,"waiting_millis":null,
        "talking_millis":null,"sip_status":null,"end_reason":null,"sip_call_id":"a@b",
        "recording":null,"notes":"","done":false,"transferred_to":null,"transferred_by":null}"#;
    let folder = tempfile::tempdir().unwrap();
    let connection = prepared(&folder);
    connection
        .execute("INSERT INTO arrivals (call) VALUES (?1)", [old])
        .unwrap();
    drop(connection);
    let store = Store::open(folder.path(), "DE").unwrap();
    let page = wait(store.calls(CallFilter::All, "", None, 10)).unwrap();
    assert_eq!(page.rows[0].sip_call_id.as_deref(), Some("a@b"));
}

#[test]
fn a_caller_during_an_import_outlives_a_kill_and_the_import_does_not() {
    let desk = Desk::open();
    let mut imported = desk.store.write(import(20_000));
    let call = inbound(1, "+49300000007");
    let pending = desk.store.keep(Write::InsertCall(Box::new(call.clone())));
    assert_eq!(pending.kept.blocking_recv(), Ok(()));
    let left = killed_now(&desk.folder);
    assert_eq!(
        imported.try_recv(),
        Err(oneshot::error::TryRecvError::Empty),
        "it still goes on"
    );
    let store = Store::open(left.path(), "DE").unwrap();
    let found = wait(store.call(call.id)).unwrap().unwrap();
    assert_eq!(found.state, CallState::Interrupted);
    assert_eq!(
        wait(store.contacts("", None, 1)).unwrap().total,
        0,
        "all or none"
    );
    // And without a kill the call is in the log, once, with whom the import made known.
    let Ok(Ok(Written::Imported(report))) = imported.blocking_recv() else {
        panic!("not imported");
    };
    assert_eq!(report.added, 20_000);
    assert_eq!(wait(pending.written), Ok(Written::Call));
    assert_eq!(desk.call(call.id).contact_name.as_deref(), Some("Person 7"));
    assert_eq!(
        wait(desk.store.calls(CallFilter::All, "", None, 10))
            .unwrap()
            .total,
        1
    );
    let file = desk.folder.path().join(aside::FILE);
    assert_eq!(std::fs::read(file).unwrap(), b"");
}

#[test]
fn a_call_that_waits_with_something_long_is_kept_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let connection = prepared(&folder);
    let call = inbound(1, "+49300000007");
    let (first, _, imported) = queued(import(10));
    let (second, kept, written) = queued(Write::InsertCall(Box::new(call)));
    let (sender, queue) = std::sync::mpsc::sync_channel(2);
    assert!(sender.try_send(first).is_ok() && sender.try_send(second).is_ok());
    drop(sender);
    let numbering = std::sync::Arc::new(Numbering::new("DE"));
    let aside = Aside::open(folder.path()).unwrap();
    let commits = std::sync::atomic::AtomicU64::new(0);
    let agent = crate::crm::acting_agent::ActingAgent::default();
    writer::run(connection, queue, aside, &numbering, &agent, &commits);
    assert_eq!(kept.blocking_recv(), Ok(()));
    assert!(wait(imported).is_ok());
    assert_eq!(wait(written), Ok(Written::Call));
    assert_eq!(commits.into_inner(), 2, "its page, and the rest");
}

#[test]
fn what_a_long_write_left_aside_is_in_the_log_after_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    drop(prepared(&folder));
    let calls = [inbound(1, "0301234567"), inbound(2, "0301234568")];
    let mut aside = Aside::open(folder.path()).unwrap();
    let both = [&calls[0], &calls[1]].map(News::Beginning);
    aside.keep(&both).unwrap();
    for _ in 0..2 {
        let store = Store::open(folder.path(), "DE").unwrap();
        let page = wait(store.calls(CallFilter::All, "", None, 10)).unwrap();
        let ids: Vec<CallId> = page.rows.iter().map(|row| row.id).collect();
        assert_eq!(ids, [calls[1].id, calls[0].id]);
    }
    let file = folder.path().join(aside::FILE);
    assert_eq!(std::fs::read(file).unwrap(), b"");
}
