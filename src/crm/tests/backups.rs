//! Backups while the phone works, and back.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use rusqlite::Connection;

use super::*;
use crate::crm::OpenError;
use crate::crm::backup::{BackupError, restore};
use crate::crm::open::DATABASE;
use crate::crm::row::CallFilter;

fn rows(file: &std::path::Path, table: &str) -> i64 {
    let connection = Connection::open(file).unwrap();
    let sql = format!("SELECT count(*) FROM {table}");
    connection.query_row(&sql, [], |row| row.get(0)).unwrap()
}

fn target(folder: &TempDir) -> PathBuf {
    folder.path().join("of the evening.backup")
}

#[test]
fn a_backup_is_one_private_file_with_everything_that_was_written() {
    let desk = Desk::open();
    desk.contact("Anna", "0301234567");
    let id = desk.insert(&missed(1, "0301234567"));
    let elsewhere = tempfile::tempdir().unwrap();
    let made = desk.store.back_up(&target(&elsewhere), second(5)).unwrap();
    assert_eq!(
        made.file.metadata().unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(made.octets, made.file.metadata().unwrap().len());
    let told: Vec<(&str, u64)> = made
        .tables
        .iter()
        .map(|it| (it.table.as_str(), it.rows))
        .collect();
    assert!(
        told.contains(&("calls", 1)) && told.contains(&("contacts", 1)),
        "{told:?}"
    );
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 1);
    // The phone opens it as its own, and has all of it.
    let again = tempfile::tempdir().unwrap();
    let restored = restore(again.path(), &made.file, "DE", second(9)).unwrap();
    assert_eq!((restored.kept, restored.erased_again), (None, 0));
    let store = Store::open(again.path(), "DE").unwrap();
    assert!(wait(store.call(id)).unwrap().is_some());
    assert_eq!(wait(store.contacts("anna", None, 9)).unwrap().total, 1);
}

/// The copy took up what was written meanwhile, or began anew with each write and never ended.
#[test]
fn calls_are_written_while_a_backup_is_made_and_are_in_it() {
    let desk = Desk::open();
    let before = 600;
    for number in 0..before {
        desk.insert(&CallRow {
            notes: "n".repeat(12_000),
            ..missed(number, "0301234567")
        });
    }
    let file = target(&desk.folder);
    std::thread::scope(|scope| {
        let making = scope.spawn(|| desk.store.back_up(&file, second(0)).unwrap());
        let mut written = before;
        while !making.is_finished() {
            desk.insert(&missed(written, "0301234567"));
            written += 1;
        }
        let made = making.join().unwrap();
        let there = u64::try_from(rows(&made.file, "calls")).unwrap();
        assert!((before..=written).contains(&there), "{there} of {written}");
        assert!(
            written > before + 5,
            "{written}: the writer was kept waiting"
        );
    });
}

#[test]
fn an_older_backup_gives_way_and_no_other_file_does() {
    let desk = Desk::open();
    let file = target(&desk.folder);
    desk.store.back_up(&file, second(0)).unwrap();
    desk.insert(&missed(1, "0301"));
    desk.store.back_up(&file, second(1)).unwrap();
    assert_eq!(rows(&file, "calls"), 1);
    let other = desk.folder.path().join("letter.txt");
    fs::write(&other, "dear").unwrap();
    for file in [other.clone(), desk.folder.path().join(DATABASE)] {
        let error = desk.store.back_up(&file, second(2));
        // The database is a database of ours, and still no backup.
        assert!(matches!(error, Err(BackupError::Taken(_))), "{error:?}");
    }
    assert_eq!(fs::read_to_string(other).unwrap(), "dear");
    let below = desk.folder.path().join("no folder/here");
    let error = desk.store.back_up(&below, second(2)).unwrap_err();
    assert!(error.to_string().contains("name another file"), "{error}");
    assert!(!desk.folder.path().join("ringdesk.db.new").exists());
}

#[test]
fn a_restored_backup_takes_the_place_of_a_database_that_is_kept() {
    let desk = Desk::open();
    let first = desk.insert(&missed(1, "0301"));
    let file = target(&desk.folder);
    desk.store.back_up(&file, second(0)).unwrap();
    let later = desk.insert(&missed(2, "0302"));
    let error = restore(desk.folder.path(), &file, "DE", second(3)).unwrap_err();
    assert!(matches!(error, OpenError::InUse(_)), "{error}");
    let Desk { store, folder } = desk;
    drop(store);
    let restored = restore(folder.path(), &file, "DE", second(3)).unwrap();
    let kept = restored.kept.unwrap();
    assert_eq!(rows(&kept, "calls"), 2);
    let store = Store::open(folder.path(), "DE").unwrap();
    assert!(wait(store.call(first)).unwrap().is_some());
    assert!(wait(store.call(later)).unwrap().is_none());
    assert_eq!(
        wait(store.calls(CallFilter::All, "0301", None, 9))
            .unwrap()
            .rows
            .len(),
        1
    );
}

#[test]
fn no_backup_a_damaged_and_a_newer_one_are_refused_and_nothing_is_changed() {
    let desk = Desk::open();
    let id = desk.insert(&missed(1, "0301"));
    let file = target(&desk.folder);
    desk.store.back_up(&file, second(0)).unwrap();
    let Desk { store, folder } = desk;
    drop(store);
    let whole = fs::read(&file).unwrap();
    let mut damaged = whole.clone();
    damaged[4096 * 4..4096 * 5].fill(0xff);
    let mut newer = whole.clone();
    newer[60..64].copy_from_slice(&[0, 0, 9, 9]);
    let mut none = whole.clone();
    none[68..72].copy_from_slice(b"OTHR");
    let before = fs::read(folder.path().join(DATABASE)).unwrap();
    for bytes in [damaged, newer, none, b"hello".to_vec(), Vec::new()] {
        fs::write(&file, bytes).unwrap();
        assert!(restore(folder.path(), &file, "DE", second(3)).is_err());
        assert_eq!(fs::read(folder.path().join(DATABASE)).unwrap(), before);
    }
    let store = Store::open(folder.path(), "DE").unwrap();
    assert!(wait(store.call(id)).unwrap().is_some());
}
