//! What was acknowledged stays; what cannot be written says so and takes nothing along.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicU64;

use rusqlite::Connection;

use super::*;
use crate::crm::aside::Aside;
use crate::crm::migration;
use crate::crm::number_key::Numbering;
use crate::crm::open::{self, DATABASE};
use crate::crm::row::CallFilter;
use crate::crm::writer::{self, Queued};

type Waiting = Vec<oneshot::Receiver<Result<Written, StoreError>>>;

/// Runs the writer over a queue that is full before it starts.
pub(super) fn drain(
    connection: Connection,
    writes: Vec<Write>,
) -> (Vec<Result<Written, StoreError>>, u64) {
    let (sender, queue) = std::sync::mpsc::sync_channel(writes.len());
    let mut waiting: Waiting = Vec::new();
    for write in writes {
        let (answer, receiver) = oneshot::channel();
        assert!(
            sender
                .try_send(Box::new(Queued {
                    write,
                    kept: None,
                    answer
                }))
                .is_ok()
        );
        waiting.push(receiver);
    }
    drop(sender);
    let commits = AtomicU64::new(0);
    let numbering = std::sync::Arc::new(Numbering::new("DE"));
    let folder = connection.path().map(std::path::Path::new).unwrap();
    let aside = Aside::open(folder.parent().unwrap()).unwrap();
    writer::run(
        connection,
        queue,
        aside,
        &numbering,
        &Default::default(),
        &commits,
    );
    (
        waiting.into_iter().map(wait).collect(),
        commits.into_inner(),
    )
}

pub(super) fn prepared(folder: &TempDir) -> Connection {
    let mut connection = open::for_writing(folder.path(), open::CHECKED_AT_START).unwrap();
    migration::migrate(&mut connection, "DE").unwrap();
    connection
}

/// Leaves a database no room but for so many pages.
pub(super) fn fill_disk(connection: &Connection, pages_left: i64) {
    let pages: i64 = connection
        .pragma_query_value(None, "page_count", |row| row.get(0))
        .unwrap();
    connection
        .pragma_update_and_check(None, "max_page_count", pages + pages_left, |_| Ok(()))
        .unwrap();
}

fn insert(number: u64) -> Write {
    Write::InsertCall(Box::new(missed(number, "0301234567")))
}

fn bad() -> Write {
    // No call type has this id, and nothing but SQLite itself looks at that.
    let call_type = CallChange::CallType(Some(crate::base::id::CallTypeId(99)));
    Write::ChangeCall(call_id(1), call_type)
}

#[test]
fn what_waits_together_becomes_one_transaction() {
    let folder = tempfile::tempdir().unwrap();
    let (results, commits) = drain(prepared(&folder), (0..600).map(insert).collect());
    assert!(results.iter().all(|result| *result == Ok(Written::Call)));
    assert_eq!(commits, 3, "of 256, 256 and 88 writes");
}

#[test]
fn a_bad_write_takes_no_other_along() {
    let folder = tempfile::tempdir().unwrap();
    let writes = vec![
        insert(1),
        bad(),
        insert(2),
        Write::DeleteContact(ContactId(5)),
        insert(3),
    ];
    let (results, commits) = drain(prepared(&folder), writes);
    assert_eq!(results[0], Ok(Written::Call));
    assert!(
        matches!(&results[1], Err(StoreError::Refused(why)) if why.contains("FOREIGN KEY")),
        "{:?}",
        results[1]
    );
    assert_eq!(results[2], Ok(Written::Call));
    assert_eq!(results[3], Err(StoreError::Missing("contact")));
    assert_eq!(results[4], Ok(Written::Call));
    assert_eq!(commits, 4, "each alone, but for the bad one");
    let connection = Connection::open(folder.path().join(DATABASE)).unwrap();
    let rows: i64 = connection
        .query_row("SELECT count(*) FROM calls", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 3);
}

#[test]
fn a_full_disk_is_said_and_what_was_written_stays() {
    let folder = tempfile::tempdir().unwrap();
    let connection = prepared(&folder);
    fill_disk(&connection, 8);
    let long = |number| {
        Write::InsertCall(Box::new(CallRow {
            notes: "n".repeat(9000),
            ..missed(number, "0301234567")
        }))
    };
    let (results, _) = drain(connection, (0..10).map(long).collect());
    let written = results.iter().filter(|result| result.is_ok()).count();
    assert!((1..10).contains(&written), "{results:?}");
    assert!(
        results
            .iter()
            .filter_map(|result| result.as_ref().err())
            .all(|error| *error == StoreError::DiskFull),
        "{results:?}"
    );
    assert_eq!(
        StoreError::DiskFull.to_string(),
        "the disk with the call log is full; free some space"
    );
    let store = Store::open(folder.path(), "DE").unwrap();
    let page = wait(store.calls(CallFilter::All, "", None, 100)).unwrap();
    assert_eq!(page.rows.len(), written);
}

#[test]
fn what_was_acknowledged_is_there_though_nothing_was_closed() {
    let desk = Desk::open();
    let id = desk.insert(&missed(1, "0301234567"));
    // A copy of the files at this moment is what a power loss would leave.
    let after_power_loss = tempfile::tempdir().unwrap();
    for file in ["ringdesk.db", "ringdesk.db-wal"] {
        std::fs::copy(
            desk.folder.path().join(file),
            after_power_loss.path().join(file),
        )
        .unwrap();
    }
    let store = Store::open(after_power_loss.path(), "DE").unwrap();
    assert!(wait(store.call(id)).unwrap().is_some());
}

/// Set for the process that [`a_kill_at_any_moment_loses_nothing_that_was_acknowledged`] kills.
const VICTIM: &str = "RINGDESK_TEST_VICTIM";

/// Writes calls for ever and says which are kept, and which acknowledged.
fn write_until_killed(folder: &str) {
    let store = Store::open(std::path::Path::new(folder), "DE").unwrap();
    let mut out = std::io::stdout();
    for number in 0.. {
        let call = inbound(number, "0301234567");
        let pending = store.keep(Write::InsertCall(Box::new(call)));
        if pending.kept.blocking_recv().is_ok() {
            writeln!(out, "kept {number}").unwrap();
        }
        let answers = [
            pending.written,
            store.write(Write::ChangeCall(call_id(number), answered(5))),
        ];
        if answers.into_iter().all(|answer| wait(answer).is_ok()) {
            writeln!(out, "acknowledged {number}").unwrap();
        }
    }
}

#[test]
fn a_kill_at_any_moment_loses_nothing_that_was_acknowledged() {
    if let Ok(folder) = std::env::var(VICTIM) {
        write_until_killed(&folder);
        return;
    }
    for kill_after in [1, 2, 3, 34, 35, 300] {
        // Of its own each time: a call that an earlier victim left half written stays interrupted.
        let folder = tempfile::tempdir().unwrap();
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture"])
            .arg("crm::tests::durability::a_kill_at_any_moment_loses_nothing_that_was_acknowledged")
            .env(VICTIM, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(victim.stdout.take().unwrap()).lines();
        let told: Vec<(bool, u64)> = lines
            .map_while(Result::ok)
            .filter_map(|line| {
                let (what, number) = line.split_once(' ')?;
                let whole = match what {
                    "acknowledged" => true,
                    "kept" => false,
                    _ => return None,
                };
                Some((whole, number.parse().ok()?))
            })
            .take(kill_after)
            .collect();
        victim.kill().unwrap();
        victim.wait().unwrap();
        assert_eq!(told.len(), kill_after);
        assert!(told.iter().any(|(whole, _)| !whole));
        let store = Store::open(folder.path(), "DE").unwrap();
        for (whole, number) in told {
            let call = wait(store.call(call_id(number))).unwrap().unwrap();
            assert_eq!(call.state, CallState::Interrupted);
            if whole {
                assert_eq!(call.answered_at, Some(second(5)));
            }
        }
    }
}

#[test]
fn dropping_the_store_writes_what_is_queued() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), "DE").unwrap();
    let waiting: Waiting = (0..500).map(|number| store.write(insert(number))).collect();
    drop(store);
    assert!(waiting.into_iter().all(|answer| wait(answer).is_ok()));
    let store = Store::open(folder.path(), "DE").unwrap();
    let page = wait(store.calls(CallFilter::All, "", None, 1)).unwrap();
    assert_eq!(page.total, 500);
    assert!(!folder.path().join("ringdesk.db-wal").exists() || store.commits() == 0);
}

#[test]
fn a_database_that_another_program_holds_is_said_once_for_all_that_wait() {
    let folder = tempfile::tempdir().unwrap();
    let connection = prepared(&folder);
    connection
        .busy_timeout(std::time::Duration::from_millis(1))
        .unwrap();
    let other = Connection::open(folder.path().join(DATABASE)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (results, commits) = drain(connection, (0..300).map(insert).collect());
    assert_eq!(commits, 0);
    for result in results {
        assert!(
            matches!(&result, Err(StoreError::Database(why)) if why.contains("locked")),
            "{result:?}"
        );
    }
}
