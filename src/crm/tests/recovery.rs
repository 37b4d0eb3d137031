//! Really damaged pages of each kind: nothing outside them is lost, and what is lost is counted.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rusqlite::Connection;

use super::*;
use crate::base::random::{Random as _, SeededRandom};
use crate::crm::open::{self, DATABASE};
use crate::crm::page_format::{Page, Pages};
use crate::crm::recovery::recover;
use crate::crm::recovery_trees::{self, Tree};
use crate::crm::row::{CallFilter, Recovered};
use crate::crm::{OpenError, migration};

/// Bytes of a page.
const PAGE: usize = 4096;

fn filled() -> TempDir {
    let desk = Desk::open();
    let mut waiting = Vec::new();
    for number in 0..200 {
        let mut row = contact(
            &format!("Person {number} of a town with a long name"),
            &[
                ("Work", &format!("030 {}", 2_000_000 + number)),
                ("Mobile", "0171 1234567"),
            ],
        );
        row.notes = "likes to be called in the morning, ".repeat(6);
        row.organization_name = Some(format!("Company {}", number % 60));
        waiting.push(desk.store.write(Write::SaveContact(Box::new(row))));
    }
    for number in 0..400 {
        let call = CallRow {
            notes: "asked for an offer and will call again; ".repeat(5),
            ..missed(number, &format!("030 {}", 2_000_000 + number % 250))
        };
        waiting.push(desk.store.write(Write::InsertCall(Box::new(call))));
    }
    for answer in waiting {
        wait(answer).unwrap();
    }
    let Desk { store, folder } = desk;
    drop(store);
    folder
}

fn counts(path: &Path) -> BTreeMap<String, u64> {
    let connection = Connection::open(path).unwrap();
    let mut counts = BTreeMap::new();
    for table in [
        "calls",
        "call_links",
        "contacts",
        "contact_numbers",
        "number_choices",
        "organizations",
        "store_settings",
    ] {
        let sql = format!("SELECT count(*) FROM {table}");
        let rows: i64 = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
        counts.insert(table.to_owned(), u64::try_from(rows).unwrap());
    }
    counts
}

fn trees(path: &Path) -> (Pages, Vec<Tree>) {
    let mut model = Connection::open_in_memory().unwrap();
    migration::migrate_to(&mut model, migration::newest()).unwrap();
    let pages = Pages::open(path).unwrap();
    let found = recovery_trees::find(&pages, recovery_trees::expected(&model).unwrap());
    assert_eq!((found.unassigned, found.schema_damaged), (0, 0));
    assert!(found.trees.iter().all(|tree| !tree.broken));
    (pages, found.trees)
}

fn root(path: &Path, name: &str) -> u32 {
    let connection = Connection::open(path).unwrap();
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
    connection.query_row(sql, [name], |row| row.get(0)).unwrap()
}

fn rows_on(pages: &Pages, page: u32) -> u64 {
    let rows = match pages.read(page, &mut |_| {}).unwrap().page {
        Page::TableLeaf(rows) => rows.len(),
        Page::IndexLeaf(rows) | Page::IndexInner(_, rows) => rows.len(),
        Page::TableInner(_) => 0,
    };
    u64::try_from(rows).unwrap()
}

/// Damages pages of a copy of the folder in a way, and recovers it.
fn after(folder: &TempDir, pages: &[u32], way: u8) -> (TempDir, Recovered) {
    let copy = tempfile::tempdir().unwrap();
    let path = copy.path().join(DATABASE);
    let mut bytes = fs::read(folder.path().join(DATABASE)).unwrap();
    for page in pages {
        let start = (usize::try_from(*page).unwrap() - 1) * PAGE;
        let page = &mut bytes[start..start + PAGE];
        match way {
            0 => page.fill(0),
            1 => page.fill(0xff),
            _ => SeededRandom::new(9).fill(page),
        }
    }
    fs::write(&path, &bytes).unwrap();
    let recovered = recover(copy.path(), "DE", second(0)).unwrap();
    assert_eq!(
        fs::read(&recovered.kept).unwrap(),
        bytes,
        "the original is kept"
    );
    (copy, recovered)
}

/// What is there after it is what was there but for these, and the phone works with it.
fn is_whole_but_for(
    folder: &TempDir,
    recovered: &Recovered,
    before: &BTreeMap<String, u64>,
    lost: &[(&str, u64)],
) {
    let path = folder.path().join(DATABASE);
    let mut expected = before.clone();
    for (table, rows) in lost {
        *expected.get_mut(*table).unwrap() -= rows;
    }
    assert_eq!(counts(&path), expected, "{recovered:?}");
    for table in &recovered.tables {
        let Some(there) = expected.get(&table.table) else {
            continue;
        };
        assert_eq!(table.saved, *there, "{recovered:?}");
        let rows = lost.iter().find(|(name, _)| *name == table.table);
        let rows = rows.map_or(0, |(_, rows)| *rows);
        assert!(
            table.lost == Some(rows) || table.damaged_pages > 0 && table.lost.is_none(),
            "{recovered:?}"
        );
    }
    let desk = Store::open(folder.path(), "DE").unwrap();
    let page = wait(desk.calls(CallFilter::All, "", None, 1)).unwrap();
    assert_eq!(page.total, expected["calls"]);
    let found = wait(desk.contacts("person 19", None, 100)).unwrap();
    assert!(found.total > 0);
    drop(desk);
    let connection = Connection::open(&path).unwrap();
    let verdict: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(verdict, "ok");
    let unmatched: i64 = connection
        .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(unmatched, 0);
}

#[test]
fn a_whole_file_is_recovered_as_it_is() {
    let folder = filled();
    let before = counts(&folder.path().join(DATABASE));
    let (copy, recovered) = after(&folder, &[], 0);
    assert_eq!(
        (recovered.damaged_pages, recovered.unassigned_pages),
        (0, 0)
    );
    is_whole_but_for(&copy, &recovered, &before, &[]);
}

#[test]
fn an_import_can_be_taken_back_after_a_recovery_as_far_as_it_is_whole() {
    let folder = filled();
    let store = Store::open(folder.path(), "DE").unwrap();
    wait(store.write(arrivals::import(400))).unwrap();
    drop(store);
    let path = folder.path().join(DATABASE);
    let (pages, trees) = trees(&path);
    let tree = trees.iter().find(|it| it.name == "import_rows").unwrap();
    let leaf = tree.leaves[tree.leaves.len() / 2];
    let lost = rows_on(&pages, leaf);
    assert!(lost > 0 && lost < 400, "{lost}");
    for (damaged, left) in [(None, 0), (Some(leaf), lost)] {
        let (copy, recovered) = after(&folder, damaged.as_slice(), 0);
        let mut tables = recovered.tables.iter();
        let rows = tables.find(|it| it.table == "import_rows").unwrap();
        assert_eq!(rows.saved, 400 - left, "{recovered:?}");
        let store = Store::open(copy.path(), "DE").unwrap();
        assert_eq!(wait(store.contacts("", None, 1)).unwrap().total, 600);
        let undone = wait(store.write(Write::UndoLastExchange)).unwrap();
        assert!(matches!(undone, Written::Undone(_)), "{undone:?}");
        // Those of whom it is not known any more that they came with it stay.
        assert_eq!(wait(store.contacts("", None, 1)).unwrap().total, 200 + left);
    }
}

#[test]
fn only_the_rows_of_a_damaged_leaf_are_lost_and_they_are_counted() {
    let folder = filled();
    let path = folder.path().join(DATABASE);
    let before = counts(&path);
    let (pages, trees) = trees(&path);
    for table in ["calls", "contacts", "contact_numbers", "organizations"] {
        let tree = trees.iter().find(|tree| tree.name == table).unwrap();
        let leaf = tree.leaves[tree.leaves.len() / 2];
        let rows = rows_on(&pages, leaf);
        assert!(rows > 0);
        for way in 0..3 {
            let (copy, recovered) = after(&folder, &[leaf], way);
            assert_eq!(recovered.damaged_pages, 1, "{table}: {recovered:?}");
            let told = recovered
                .tables
                .iter()
                .find(|it| it.table == table)
                .unwrap();
            match table {
                // Each that is lost is replaced by one that has what belongs to it, so nothing hangs loose.
                "contacts" | "organizations" => {
                    assert_eq!(told.lost, Some(rows));
                    let path = copy.path().join(DATABASE);
                    assert_eq!(counts(&path), before);
                }
                "calls" => {
                    assert_eq!(told.lost, Some(rows));
                    let path = copy.path().join(DATABASE);
                    let links = before["call_links"] - counts(&path)["call_links"];
                    let lost = [("calls", rows), ("call_links", links)];
                    is_whole_but_for(&copy, &recovered, &before, &lost);
                }
                _ => is_whole_but_for(&copy, &recovered, &before, &[(table, rows)]),
            }
        }
    }
}

#[test]
fn no_row_is_lost_with_an_inner_page_an_index_or_a_page_of_the_search() {
    let folder = filled();
    let path = folder.path().join(DATABASE);
    let before = counts(&path);
    let (pages, trees) = trees(&path);
    let words = trees
        .iter()
        .find(|tree| tree.name == "call_words_data")
        .unwrap();
    let index = trees
        .iter()
        .find(|tree| tree.name == "calls_newest")
        .unwrap();
    let inner = root(&path, "calls");
    assert!(matches!(
        pages.read(inner, &mut |_| {}).unwrap().page,
        Page::TableInner(_)
    ));
    for page in [
        inner,
        root(&path, "contacts"),
        root(&path, "calls_newest"),
        index.leaves[1],
        root(&path, "contact_numbers_by_e164"),
        words.leaves[0],
        words.leaves[words.leaves.len() - 1],
        root(&path, "call_words_data"),
        root(&path, "contact_words_idx"),
    ] {
        for way in [0, 2] {
            let (copy, recovered) = after(&folder, &[page], way);
            assert!(recovered.damaged_pages >= 1, "{page}: {recovered:?}");
            is_whole_but_for(&copy, &recovered, &before, &[]);
        }
    }
}

#[test]
fn no_row_is_lost_with_the_header_or_any_page_of_the_schema() {
    let folder = filled();
    let path = folder.path().join(DATABASE);
    let before = counts(&path);
    let pages = Pages::open(&path).unwrap();
    let mut schema = vec![1];
    let mut below = vec![1];
    while let Some(page) = below.pop() {
        if let Page::TableInner(pages) = pages.read(page, &mut |_| {}).unwrap().page {
            schema.extend(&pages);
            below.extend(pages);
        }
    }
    assert!(schema.len() > 2, "{schema:?}");
    for page in schema {
        for way in 0..3 {
            let (copy, recovered) = after(&folder, &[page], way);
            assert!(recovered.damaged_pages >= 1, "{page}: {recovered:?}");
            is_whole_but_for(&copy, &recovered, &before, &[]);
        }
    }
}

#[test]
fn what_is_only_in_the_log_is_saved_too() {
    let desk = Desk::open();
    let id = desk.insert(&missed(1, "0301234567"));
    let copy = tempfile::tempdir().unwrap();
    for file in ["ringdesk.db", "ringdesk.db-wal"] {
        fs::copy(desk.folder.path().join(file), copy.path().join(file)).unwrap();
    }
    let recovered = recover(copy.path(), "DE", second(0)).unwrap();
    let calls = recovered
        .tables
        .iter()
        .find(|it| it.table == "calls")
        .unwrap();
    assert_eq!((calls.saved, calls.lost), (1, Some(0)));
    let store = Store::open(copy.path(), "DE").unwrap();
    assert!(wait(store.call(id)).unwrap().is_some());
    assert!(recovered.kept.with_extension("db-wal").exists());
}

#[test]
fn an_older_file_is_recovered_and_brought_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut connection = open::for_writing(folder.path(), open::CHECKED_AT_START).unwrap();
    migration::migrate_to(&mut connection, 7).unwrap();
    connection
        .execute_batch(
            "INSERT INTO store_settings VALUES ('region', 'DE');
             INSERT INTO contacts VALUES (5, 'Anna', 'anna', NULL, NULL, NULL, '');
             INSERT INTO contact_numbers VALUES (5, 0, 'Work', '0301234567', '+49301234567',
                '0301234567', '76543210394', NULL, 0);",
        )
        .unwrap();
    drop(connection);
    recover(folder.path(), "DE", second(0)).unwrap();
    let store = Store::open(folder.path(), "DE").unwrap();
    assert_eq!(wait(store.contacts("anna", None, 9)).unwrap().total, 1);
    assert_eq!(wait(store.identify("0301234567")).unwrap().matches.len(), 1);
}

#[test]
fn an_id_is_not_used_again_though_its_row_is_lost() {
    let desk = Desk::open();
    desk.contact("Anna", "0301");
    let last = desk.contact("Bert", "0302");
    desk.write(Write::DeleteContact(last));
    let Desk { store, folder } = desk;
    drop(store);
    recover(folder.path(), "DE", second(0)).unwrap();
    let desk = Desk {
        store: Store::open(folder.path(), "DE").unwrap(),
        folder,
    };
    assert!(desk.contact("Carl", "0303") > last);
}

#[test]
fn a_running_phone_another_programs_file_and_a_newer_one_are_refused_and_not_touched() {
    let desk = Desk::open();
    let error = recover(desk.folder.path(), "DE", second(0)).unwrap_err();
    assert!(matches!(error, OpenError::InUse(_)), "{error}");
    let Desk { store, folder } = desk;
    drop(store);
    let path = folder.path().join(DATABASE);
    let whole = fs::read(&path).unwrap();
    for (at, bytes) in [(68, *b"OTHR"), (60, [0, 0, 9, 9])] {
        let mut changed = whole.clone();
        changed[at..at + 4].copy_from_slice(&bytes);
        fs::write(&path, &changed).unwrap();
        let error = recover(folder.path(), "DE", second(0)).unwrap_err();
        assert!(
            matches!(error, OpenError::Damaged { .. } | OpenError::Newer { .. }),
            "{error}"
        );
        assert_eq!(fs::read(&path).unwrap(), changed);
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            2,
            "and the lock"
        );
    }
}
