//! Files that cannot be written or read: each gives a sentence, and nothing outside is lost.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::durability::{drain, fill_disk, prepared};
use super::*;
use crate::base::clock::monotonic_now;
use crate::base::id::NoteId;
use crate::crm::care::CareStep;
use crate::crm::erase::ErasePlan;
use crate::crm::number_key::Numbering;
use crate::crm::open::DATABASE;
use crate::crm::person::Person;
use crate::crm::reader::BUDGET;
use crate::crm::row::{CallFilter, ErasedCalls, NoteRow};
use crate::crm::{OpenError, Reader};

fn closed() -> (TempDir, CallId) {
    let desk = Desk::open();
    for number in 0..500 {
        desk.store.write(Write::InsertCall(Box::new(CallRow {
            notes: "n".repeat(200),
            ..missed(number, &format!("030{}", 1_000_000 + number))
        })));
    }
    let id = desk.insert(&missed(500, "0301234567"));
    let Desk { store, folder } = desk;
    drop(store);
    (folder, id)
}

fn set(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Who may do everything is no test of what one may not.
fn may_everything(folder: &Path) -> bool {
    fs::write(folder.join("probe"), "")
        .is_ok_and(|()| fs::remove_file(folder.join("probe")).is_ok())
}

#[test]
fn a_database_that_only_can_be_read_gives_a_sentence_and_stays() {
    let (folder, id) = closed();
    // A file system that takes no writes is the same for all users, root too.
    let connection = Connection::open(folder.path().join(DATABASE)).unwrap();
    connection.pragma_update(None, "query_only", true).unwrap();
    let (results, commits) = drain(
        connection,
        vec![Write::InsertCall(Box::new(missed(9000, "1")))],
    );
    assert_eq!(commits, 0);
    let error = results[0].as_ref().unwrap_err().to_string();
    assert!(error.contains("readonly"), "{error}");
    set(folder.path(), 0o500);
    if !may_everything(folder.path()) {
        let error = Store::open(folder.path(), "DE").err().unwrap().to_string();
        assert!(error.contains("cannot be opened"), "{error}");
    }
    set(folder.path(), 0o700);
    let store = Store::open(folder.path(), "DE").unwrap();
    assert!(wait(store.call(id)).unwrap().is_some());
}

#[test]
fn a_database_that_another_program_locks_for_longer_than_we_wait_gives_a_sentence() {
    let (folder, id) = closed();
    let path = folder.path().join(DATABASE);
    let other = Connection::open(&path).unwrap();
    other
        .pragma_update(None, "locking_mode", "exclusive")
        .unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let begun = monotonic_now();
    let error = Store::open(folder.path(), "DE").err().unwrap();
    assert!(matches!(error, OpenError::Io { .. }), "{error}");
    assert!(error.to_string().contains("locked"), "{error}");
    assert!(error.to_string().contains("another program"), "{error}");
    assert!(
        monotonic_now() - begun >= Duration::from_secs(5),
        "it was waited for"
    );
    drop(other);
    let store = Store::open(folder.path(), "DE").unwrap();
    assert!(wait(store.call(id)).unwrap().is_some());
}

#[test]
fn a_damaged_page_gives_a_sentence_that_names_the_remedy_and_the_other_rows_are_read() {
    let (folder, _) = closed();
    let path = folder.path().join(DATABASE);
    let store = Store::open(folder.path(), "DE").unwrap();
    // The phone works when the page goes bad; the leaf of the newest calls is none of the oldest.
    let root: u32 = Connection::open(&path)
        .unwrap()
        .query_row(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'calls'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let pages = crate::crm::page_format::Pages::open(&path).unwrap();
    let Some(crate::crm::page_format::Page::TableInner(leaves)) =
        pages.read(root, &mut |_| {}).map(|read| read.page)
    else {
        panic!("the calls fit on one page");
    };
    let mut bytes = fs::read(&path).unwrap();
    let start = (usize::try_from(leaves[0]).unwrap() - 1) * 4096;
    bytes[start..start + 4096].fill(0xff);
    fs::write(&path, bytes).unwrap();
    let error = wait(store.call(call_id(0))).unwrap_err().to_string();
    assert!(
        error.contains("malformed") && error.contains("ringdesk recover"),
        "{error}"
    );
    assert!(wait(store.call(call_id(499))).unwrap().is_some());
    assert_eq!(
        wait(store.calls(CallFilter::All, "", None, 20))
            .unwrap()
            .rows
            .len(),
        20
    );
    let damage = store.check(&|| true).unwrap();
    assert!(damage[0].contains("calls"), "{damage:?}");
}

#[test]
fn a_sound_database_is_found_sound_and_a_missing_entry_of_an_index_is_found_also_in_pieces() {
    let (folder, _) = closed();
    let store = Store::open(folder.path(), "DE").unwrap();
    assert_eq!(store.check(&|| true).unwrap(), Vec::<String>::new());
    assert_eq!(
        store.check_all_in_pieces(&|| true).unwrap(),
        Vec::<String>::new()
    );
    drop(store);
    // Behind its back a row is written without its entry in an index.
    let path = folder.path().join(DATABASE);
    let schema = |sql: &str| {
        let connection = Connection::open(&path).unwrap();
        connection
            .pragma_update(None, "writable_schema", true)
            .unwrap();
        connection.execute_batch(sql).unwrap();
    };
    let name = "calls_newest";
    schema(&format!(
        "CREATE TABLE aside AS SELECT * FROM sqlite_schema WHERE name = '{name}';
         DELETE FROM sqlite_schema WHERE name = '{name}'"
    ));
    schema("UPDATE calls SET started_at = started_at + 1 WHERE seq = 7");
    schema("INSERT INTO sqlite_schema SELECT * FROM aside; DROP TABLE aside");
    let store = Store::open(folder.path(), "DE").unwrap();
    let damage = store.check_all_in_pieces(&|| true).unwrap();
    assert_eq!(damage, [format!("1 rows of calls are not in {name}")]);
}

#[test]
fn a_full_disk_stops_an_erasure_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), "DE").unwrap();
    let anna = Write::SaveContact(Box::new(contact("Anna", &[("Work", "0301234567")])));
    wait(store.write(anna)).unwrap();
    for number in 0..200 {
        store.write(Write::InsertCall(Box::new(missed(number, "0301234567"))));
    }
    let note = NoteRow {
        id: NoteId(0),
        about: Subject::Contact(ContactId(1)),
        at: second(0),
        author: String::new(),
        text: "Anna likes tea".to_owned(),
    };
    wait(store.write(Write::SaveNote(note))).unwrap();
    let person = store.read_piece(|reader| {
        let numbering = Numbering::new("DE");
        Person::find(reader.connection(), "0301234567", &numbering)
    });
    let person = person.unwrap();
    let mentions = store.mentions(&person).unwrap();
    assert_eq!(person.contact, Some(ContactId(1)));
    drop(store);
    let before = rows(&folder);
    let erase = || {
        Write::Care(Box::new(CareStep::Erase(Box::new(ErasePlan {
            person: person.clone(),
            calls: ErasedCalls::Anonymise,
            mentions: mentions.clone(),
            at: second(9),
            by: "agent".to_owned(),
            id: 7,
            salt: "salt".to_owned(),
        }))))
    };
    // It fails after nothing, after a part of its pages, and in its last ones.
    let mut refused = 0;
    for pages_left in 0..400 {
        let connection = prepared(&folder);
        fill_disk(&connection, pages_left);
        let (results, _) = drain(connection, vec![erase()]);
        if let [Ok(Written::Care(_))] = results.as_slice() {
            break;
        }
        assert_eq!(results, [Err(StoreError::DiskFull)], "{pages_left}");
        assert_eq!(rows(&folder), before, "{pages_left}");
        refused += 1;
    }
    assert!(refused > 0);
    let erased = rows(&folder);
    assert!(
        erased.iter().all(|row| !row.contains("Anna")),
        "{erased:#?}"
    );
    let proofs = |rows: &[String]| {
        rows.iter()
            .filter(|row| row.starts_with("erasures"))
            .count()
    };
    assert_eq!((proofs(&before), proofs(&erased)), (0, 1));
}

/// All that stands in the tables of a store that nobody has open.
fn rows(folder: &TempDir) -> Vec<String> {
    let connection = Connection::open(folder.path().join(DATABASE)).unwrap();
    let mut tables = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%STRICT%'")
        .unwrap();
    let tables = tables.query_map([], |row| row.get(0));
    let tables: Vec<String> = tables.unwrap().map(Result::unwrap).collect();
    let mut lines = Vec::new();
    for table in tables {
        let mut query = connection
            .prepare(&format!("SELECT * FROM {table}"))
            .unwrap();
        let columns = query.column_count();
        let mut rows = query.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let cells = (0..columns).map(|place| match row.get_ref(place).unwrap() {
                ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                other => format!("{other:?}"),
            });
            lines.push(format!("{table}: {}", cells.collect::<Vec<_>>().join(" ")));
        }
    }
    lines
}

#[test]
fn no_reader_holds_a_snapshot_for_more_than_a_second() {
    let (folder, id) = closed();
    let store = Store::open(folder.path(), "DE").unwrap();
    let begun = monotonic_now();
    // For ever, if nobody stops it.
    let endless = store.read_piece(|reader| {
        let sql = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n)
            SELECT count(*) FROM n, calls";
        Ok(reader
            .connection()
            .query_row(sql, [], |row| row.get::<_, i64>(0))?)
    });
    assert_eq!(endless, Err(StoreError::TooLong));
    assert!(monotonic_now() - begun < BUDGET * 3);
    let sentence = StoreError::TooLong.to_string();
    assert!(sentence.contains("ask for less"), "{sentence}");
    // The next read has its own second.
    assert!(wait(store.call(id)).unwrap().is_some());
    assert_eq!(store.read_piece(|reader| reader.to_call_back()), Ok(501));
    assert!(Reader::open(folder.path()).is_ok());
}

#[test]
fn no_statement_writes_the_schema_or_the_tables_behind_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let connection = prepared(&folder);
    let trusted: bool = connection
        .pragma_query_value(None, "trusted_schema", |row| row.get(0))
        .unwrap();
    assert!(!trusted);
    for sql in [
        "DELETE FROM call_words_data",
        "PRAGMA writable_schema = on; DELETE FROM sqlite_schema",
    ] {
        let error = connection.execute_batch(sql).unwrap_err().to_string();
        assert!(error.contains("may not be modified"), "{sql}: {error}");
    }
}
