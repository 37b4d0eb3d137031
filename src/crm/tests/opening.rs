//! Opening: rights, lock, damage, older and newer files.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use rusqlite::Connection;

use super::*;
use crate::crm::open::DATABASE;
use crate::crm::row::CallFilter;
use crate::crm::{OpenError, Reader, migration};

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn refusal(folder: &TempDir) -> OpenError {
    match Store::open(folder.path(), "DE") {
        Ok(_) => panic!("it opened"),
        Err(error) => error,
    }
}

#[test]
fn only_the_user_can_read_the_files() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("new/data");
    let store = Store::open(&folder, "DE").unwrap();
    wait(store.write(Write::InsertCall(Box::new(missed(1, "1"))))).unwrap();
    // What may take long makes the file for calls that begin meanwhile.
    wait(store.write(Write::AllDone)).unwrap();
    assert_eq!(mode(&folder), 0o700);
    for file in [
        "ringdesk.db",
        "ringdesk.db-wal",
        "ringdesk.db-shm",
        "ringdesk.lock",
        "ringdesk.arrivals",
    ] {
        assert_eq!(mode(&folder.join(file)), 0o600, "{file}");
    }
    drop(store);
    // Rights that a copy widened are taken back.
    fs::set_permissions(folder.join(DATABASE), fs::Permissions::from_mode(0o644)).unwrap();
    let _store = Store::open(&folder, "DE").unwrap();
    assert_eq!(mode(&folder.join(DATABASE)), 0o600);
}

#[test]
fn a_folder_that_is_used_for_more_keeps_its_rights() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("other"), "").unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let _store = Store::open(folder.path(), "DE").unwrap();
    assert_eq!(mode(folder.path()), 0o755);
}

#[test]
fn a_second_phone_on_the_folder_is_refused_with_the_remedy() {
    let desk = Desk::open();
    let error = refusal(&desk.folder);
    assert!(matches!(error, OpenError::InUse(_)));
    assert!(error.to_string().contains("--data-dir"), "{error}");
    let Desk { store, folder } = desk;
    drop(store);
    assert!(Store::open(folder.path(), "DE").is_ok());
}

#[test]
fn a_reader_reads_beside_the_running_phone_and_after_it() {
    let desk = Desk::open();
    let anna = desk.contact("Anna", "0301234567");
    let id = desk.insert(&missed(1, "0301234567"));
    for running in [true, false] {
        let reader = Reader::open(desk.folder.path()).unwrap();
        let page = reader.calls(CallFilter::All, "", None, 10).unwrap();
        assert_eq!(page.rows[0].id, id);
        assert_eq!(reader.call(id).unwrap().unwrap().contact, Some(anna));
        assert_eq!(reader.to_call_back(), Ok(1));
        // The region of the store counts here too.
        assert_eq!(reader.identify("0301234567").unwrap().matches.len(), 1);
        assert_eq!(reader.contacts("anna", None, 10).unwrap().total, 1);
        if !running {
            return;
        }
    }
    let folder = {
        let Desk { store, folder } = desk;
        drop(store);
        folder
    };
    let reader = Reader::open(folder.path()).unwrap();
    assert!(reader.call(id).unwrap().is_some());
}

#[test]
fn a_reader_of_an_empty_folder_says_that_there_is_nothing_yet() {
    let folder = tempfile::tempdir().unwrap();
    let error = Reader::open(folder.path()).err().unwrap().to_string();
    assert!(error.contains("there is no call log yet"), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_new_database_is_whole_under_its_name_and_nothing_of_its_making_is_left() {
    let folder = tempfile::tempdir().unwrap();
    // A start that was cut off: what it left is neither a database nor the log of one.
    for rest in [
        "ringdesk.db.new",
        "ringdesk.db.new-wal",
        "ringdesk.db.new-shm",
    ] {
        fs::write(folder.path().join(rest), "cut off").unwrap();
    }
    // An empty file was the first thing that earlier versions made.
    fs::write(folder.path().join(DATABASE), "").unwrap();
    drop(Store::open(folder.path(), "AT").unwrap());
    let mut names: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, [DATABASE, "ringdesk.lock"]);
    assert_eq!(mode(&folder.path().join(DATABASE)), 0o600);
    let made = Connection::open(folder.path().join(DATABASE)).unwrap();
    assert_eq!(migration::version(&made).unwrap(), migration::newest());
    assert_eq!(
        migration::stored_region(&made).unwrap().as_deref(),
        Some("AT")
    );
    let mode: String = made
        .pragma_query_value(None, "journal_mode", |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
}

#[test]
fn what_an_earlier_start_left_in_the_log_alone_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(DATABASE);
    let mut connection =
        crate::crm::open::for_writing(folder.path(), crate::crm::open::CHECKED_AT_START).unwrap();
    migration::migrate(&mut connection, "DE").unwrap();
    migration::set(&connection, "kept", "here").unwrap();
    let log = fs::read(path.with_extension("db-wal")).unwrap();
    assert!(!log.is_empty());
    let (left, first) = (tempfile::tempdir().unwrap(), fs::read(&path).unwrap());
    fs::write(left.path().join(DATABASE), first).unwrap();
    fs::write(left.path().join("ringdesk.db-wal"), log).unwrap();
    drop(Store::open(left.path(), "AT").unwrap());
    let made = Connection::open(left.path().join(DATABASE)).unwrap();
    let kept = migration::setting(&made, "kept").unwrap();
    assert_eq!(kept.as_deref(), Some("here"));
}

/// A closed database with some rows.
fn closed() -> TempDir {
    let desk = Desk::open();
    for number in 0..50 {
        desk.insert(&missed(number, "0301234567"));
    }
    let Desk { store, folder } = desk;
    drop(store);
    folder
}

#[test]
fn a_damaged_file_is_refused_and_not_touched() {
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 5] = [
        ("no database", |bytes| {
            *bytes = b"hello, this is no database at all".repeat(40);
        }),
        ("a cut", |bytes| bytes.truncate(bytes.len() / 2 + 100)),
        ("a zeroed page", |bytes| {
            let page = 4096 * 3;
            bytes[page..page + 4096].fill(0);
        }),
        ("a scrambled head", |bytes| bytes[100..140].fill(0xff)),
        ("another program's", |bytes| {
            bytes[68..72].copy_from_slice(b"OTHR");
        }),
    ];
    for (name, damage) in damages {
        let folder = closed();
        let path = folder.path().join(DATABASE);
        let mut bytes = fs::read(&path).unwrap();
        damage(&mut bytes);
        fs::write(&path, &bytes).unwrap();
        for error in [refusal(&folder), Reader::open(folder.path()).err().unwrap()] {
            assert!(
                matches!(error, OpenError::Damaged { .. }),
                "{name}: {error}"
            );
            let told = error.to_string();
            assert!(told.contains("Restore a backup"), "{told}");
            assert!(!told.contains(char::is_control), "{told:?}");
        }
        assert_eq!(fs::read(&path).unwrap(), bytes, "{name}");
    }
}

#[test]
fn a_newer_file_is_refused_and_not_touched() {
    let folder = closed();
    let path = folder.path().join(DATABASE);
    Connection::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", migration::newest() + 1)
        .unwrap();
    let bytes = fs::read(&path).unwrap();
    for error in [refusal(&folder), Reader::open(folder.path()).err().unwrap()] {
        assert!(matches!(error, OpenError::Newer { .. }), "{error}");
        assert!(
            error.to_string().contains("update this Ringdesk"),
            "{error}"
        );
    }
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn what_cannot_be_a_folder_is_refused() {
    let parent = tempfile::tempdir().unwrap();
    let file = parent.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [file.clone(), file.join("below")] {
        let error = Store::open(&path, "DE").err().unwrap();
        assert!(matches!(error, OpenError::Io { .. }), "{error}");
        assert!(error.to_string().contains("file"), "{error}");
    }
}

/// A power loss in the first start, while the file still had a journal, once left it unreadable for ever.
#[test]
fn a_journal_that_was_left_is_rolled_back() {
    let desk = Desk::open();
    let id = desk.insert(&missed(1, "0301234567"));
    let Desk { store, folder } = desk;
    drop(store);
    let path = folder.path().join(DATABASE);
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = delete; PRAGMA cache_size = 1; BEGIN; DELETE FROM calls;",
        )
        .unwrap();
    // Pages of what is not committed have gone to the file, so that the journal is needed.
    connection.cache_flush().unwrap();
    let cut_off = tempfile::tempdir().unwrap();
    for name in ["ringdesk.db", "ringdesk.db-journal"] {
        fs::copy(folder.path().join(name), cut_off.path().join(name)).unwrap();
    }
    let store = Store::open(cut_off.path(), "DE").unwrap();
    assert!(wait(store.call(id)).unwrap().is_some());
}
