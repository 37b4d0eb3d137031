//! A call that comes alone is kept on one page before the log takes it in.

use rusqlite::Connection;

use super::durability::{drain, fill_disk, prepared};
use super::*;
use crate::crm::open::DATABASE;
use crate::crm::row::{CallFilter, MatchLevel};
use crate::crm::{arrivals, migration};

/// A folder whose phone lost its power between the keeping of a call and its way into the log.
fn after_power_loss(call: &CallRow) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut connection = prepared(&folder);
    let transaction = connection.transaction().unwrap();
    arrivals::keep(&transaction, call).unwrap();
    transaction.commit().unwrap();
    folder
}

fn kept_in(folder: &TempDir) -> i64 {
    Connection::open(folder.path().join(DATABASE))
        .unwrap()
        .query_row("SELECT count(*) FROM arrivals", [], |row| row.get(0))
        .unwrap()
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
    let (keeper, kept) = oneshot::channel();
    let (answer, written) = oneshot::channel();
    let queued = crate::crm::writer::Queued {
        write: Write::InsertCall(Box::new(long)),
        kept: Some(keeper),
        answer,
    };
    let (sender, queue) = std::sync::mpsc::sync_channel(1);
    assert!(sender.try_send(Box::new(queued)).is_ok());
    drop(sender);
    let numbering = std::sync::Arc::new(crate::crm::number_key::Numbering::new("DE"));
    let agent = crate::crm::acting_agent::ActingAgent::default();
    crate::crm::writer::run(connection, &queue, &numbering, &agent, &Default::default());
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
