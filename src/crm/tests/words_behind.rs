//! Contacts of an import that are not in the full-text index yet: a search makes no difference.

use std::time::Duration;

use rusqlite::Connection;

use super::*;
use crate::base::clock::monotonic_now;
use crate::crm::erase::EraseOrder;
use crate::crm::import::tests::Desk as Table;
use crate::crm::open::DATABASE;
use crate::crm::row::{ErasedCalls, Existing, LeadStage};
use crate::crm::word_index::plain;
use crate::crm::{Reader, contact_list, contacts, merge, words_behind};

/// People whose names and numbers part in all ways.
const PEOPLE: &str = "Name;Firma;Telefon;Mobil;E-Mail;SIP\n\
    Anna Müller-Lüdenscheidt;Bäckerei Groß & Söhne;030 1234567;0171 2345678;anna.mueller@example.com;\n\
    Jürgen O'Neill (Einkauf);Example AG;+43 1 5123456;;;sip:j.oneill@pbx.example.com\n\
    Łukasz Żółć;Example AG;00 48 22 1234567;;;\n\
    Straße 12;;030 7654321;;;\n\
    Наталья Иванова;ООО Пример;+7 495 1234567;;;\n\
    王小明;Example AG;+86 10 12345678;;;\n\
    Zoë–Ann Ğ;Café “Zum Löwen”;030 5556677-88;;;\n\
    4711 Parfüm;4711;*21#;;4711@example.com;\n\
    Bert 00 Zero;;0800 1234567;;;\n\
    anna;;030 1234599;;;\n";

const SEARCHES: [&str; 58] = [
    "anna",
    "Anna Mü",
    "ANNA MULLER",
    "müller-l",
    "muller-ludenscheidt",
    "müller-x",
    "lüdenscheidt",
    "ann",
    "an",
    "nna",
    "example",
    "example ag",
    "ag example",
    "example.com",
    "anna.mueller@example",
    "mueller@example.com",
    "@example",
    "o'neill",
    "oneill",
    "neill (ein",
    "j.oneill@pbx",
    "pbx",
    "lukasz",
    "żółć",
    "zolc",
    "łukasz",
    "straße",
    "strasse",
    "stra",
    "12",
    "наталья",
    "Иванова",
    "пример",
    "王",
    "王小",
    "zoë",
    "zoe–ann",
    "zoe ann",
    "ğ",
    "zum löwen",
    "“zum",
    "gross",
    "groß",
    "& söhne",
    "Ju\u{308}rgen",
    "030",
    "030 12",
    "0301234567",
    "+4930",
    "004930",
    "0049 30 1234567",
    "4567",
    "7654",
    "4711",
    "00",
    "0043",
    "anna 0171",
    "anna 030 12345 muller example",
];

/// Whom a search finds, in both ways in which lists read.
fn found(connection: &Connection, search: &str) -> (Vec<String>, Vec<String>, u64) {
    let names = |rows: Vec<ContactRow>| rows.into_iter().map(|row| row.name).collect();
    let everybody = contact_list::Listed::Everybody;
    let page = contact_list::page(connection, everybody, search, None, 100).unwrap();
    let by_age = contact_list::after(connection, false, search, None, 100).unwrap();
    (names(page.rows), names(by_age), page.total)
}

fn index_all(table: &mut Table) {
    while table.write(|transaction, _| words_behind::index_piece(transaction).unwrap()) {}
}

fn waiting(connection: &Connection) -> i64 {
    let query =
        "SELECT count(*) FROM contacts WHERE id NOT IN (SELECT id FROM contact_words_docsize)";
    connection.query_row(query, [], |row| row.get(0)).unwrap()
}

#[test]
fn who_waits_is_found_as_who_is_in_the_index() {
    let mut table = Table::open();
    table.import(PEOPLE, Existing::Add);
    // All but one have plain letters only.
    assert_eq!(waiting(&table.connection), 9);
    let before = SEARCHES.map(|search| found(&table.connection, search));
    index_all(&mut table);
    assert_eq!(waiting(&table.connection), 0);
    let after = SEARCHES.map(|search| found(&table.connection, search));
    for ((search, before), after) in SEARCHES.iter().zip(before).zip(after) {
        assert_eq!(before, after, "{search}");
    }
    let some = |search| found(&table.connection, search).2;
    assert!(some("müller-l") == 1 && some("example") >= 4 && some("030") >= 4);
}

/// Else a person would be looked for under other words than the index has.
#[test]
fn lines_have_the_words_that_fts5_makes() {
    let connection = Connection::open_in_memory().unwrap();
    connection
        .execute_batch(
            "CREATE VIRTUAL TABLE words USING fts5 (text, tokenize = 'unicode61 remove_diacritics 2');
             CREATE VIRTUAL TABLE terms USING fts5vocab (words, instance);",
        )
        .unwrap();
    let row = |text: &str| ContactRow {
        name: text.to_owned(),
        ..ContactRow::named("")
    };
    let mut kept = 0;
    for letter in (' '..='\u{24f}').chain('\u{2000}'..='\u{206f}') {
        let text = format!("x{letter}Y {letter}z");
        let line = words_behind::Line::of(&row(&text), &[]);
        let Some(line) = line.and_then(|line| line.with_organization("")) else {
            assert_eq!(plain(letter), None);
            continue;
        };
        kept += 1;
        connection.execute("DELETE FROM words", []).unwrap();
        connection
            .execute("INSERT INTO words VALUES (?1)", [&text])
            .unwrap();
        let mut terms = connection
            .prepare("SELECT term FROM terms ORDER BY offset")
            .unwrap();
        let terms = terms.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let terms: Vec<String> = terms.map(|term| format!(" {}", term.unwrap())).collect();
        assert_eq!(line, format!("{}|||", terms.concat()), "{text:?}");
    }
    assert!(kept > 200, "{kept}");
}

#[test]
fn who_changes_goes_or_comes_back_while_waiting_is_found_as_he_is() {
    let mut table = Table::open();
    table.import(PEOPLE, Existing::Add);
    let one = |table: &Table, name: &str| {
        let mut rows = table.all();
        rows.retain(|row| row.name == name);
        rows.remove(0)
    };
    // Renamed, twice.
    let anna = one(&table, "anna");
    for name in ["Berta", "Carla"] {
        table.save(&ContactRow {
            name: name.to_owned(),
            ..anna.clone()
        });
    }
    // Deleted, and brought back under another name.
    let bert = one(&table, "Bert 00 Zero");
    table.write(|transaction, _| contacts::delete(transaction, bert.id).unwrap());
    let straight = |table: &Table, search| found(&table.connection, search).2;
    assert_eq!(straight(&table, "bert"), 0);
    let gone = one(&table, "4711 Parfüm");
    table.write(|transaction, numbering| {
        contacts::delete(transaction, gone.id).unwrap();
        let back = ContactRow {
            name: "Kölnisch Wasser".to_owned(),
            ..gone.clone()
        };
        contacts::bring_back(transaction, &back, numbering).unwrap();
    });
    // Made one, and a firm renamed.
    let (jurgen, muller) = (
        one(&table, "Jürgen O'Neill (Einkauf)"),
        one(&table, "Anna Müller-Lüdenscheidt"),
    );
    table.write(|transaction, numbering| {
        merge::merge(transaction, second(9), &[muller.id, jurgen.id], numbering).unwrap();
    });
    let searches = [
        "berta",
        "carla",
        "anna",
        "bert",
        "parfüm",
        "kölnisch",
        "4711",
        "neill",
        "müller",
        "1 512",
        "5123456",
        "example ag",
    ];
    let before = searches.map(|search| found(&table.connection, search));
    index_all(&mut table);
    assert_eq!(
        searches.map(|search| found(&table.connection, search)),
        before
    );
    assert_eq!(straight(&table, "carla"), 1);
    assert_eq!(straight(&table, "berta"), 0);
    assert_eq!(straight(&table, "kölnisch"), 1);
    assert_eq!(straight(&table, "5123456"), 1);
    let known: i64 = table
        .connection
        .query_row("SELECT count(*) FROM contact_words_docsize", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(known, i64::try_from(table.all().len()).unwrap());
}

#[test]
fn leads_are_searched_among_those_who_wait_too() {
    let mut table = Table::open();
    table.import(PEOPLE, Existing::Add);
    let lead = ContactRow {
        stage: Some(LeadStage::New),
        ..ContactRow::named("Anna Lead")
    };
    table.save(&lead);
    let leads = contact_list::after(&table.connection, true, "anna", None, 10).unwrap();
    assert_eq!(leads.len(), 1);
    let everybody = contact_list::after(&table.connection, false, "anna", None, 2).unwrap();
    let ids: Vec<i64> = everybody.iter().map(|row| row.id.0).collect();
    assert_eq!(ids, [1, 10], "by age, and no more than were asked for");
    let rest = contact_list::after(&table.connection, false, "anna", Some(everybody[1].id), 2);
    assert_eq!(rest.unwrap().len(), 1);
}

#[test]
fn the_writer_indexes_them_when_nobody_waits_for_it_and_after_a_kill() {
    let desk = Desk::open();
    let Written::Imported(_) = wait(desk.store.write(arrivals::import(5_000))).unwrap() else {
        panic!("not imported");
    };
    let search = |store: &Store| wait(store.contacts("person 71", None, 1000)).unwrap().total;
    // Names that begin with it, and numbers that end with it.
    let expected = (0..5_000).filter(|n: &u64| n.to_string().starts_with("71") || n % 100 == 71);
    let expected = u64::try_from(expected.count()).unwrap();
    assert_eq!(search(&desk.store), expected);
    let left = tempfile::tempdir().unwrap();
    let copy = left.path().join(DATABASE);
    let connection = Connection::open(desk.folder.path().join(DATABASE)).unwrap();
    connection
        .execute("VACUUM INTO ?1", [copy.to_str().unwrap()])
        .unwrap();
    drop(connection);
    let reader = Reader::open(left.path()).unwrap();
    assert_eq!(reader.contacts("person 4999", None, 10).unwrap().total, 1);
    drop(reader);
    for (store, folder) in [
        (Store::open(left.path(), "DE").unwrap(), left.path()),
        (desk.store, desk.folder.path()),
    ] {
        let connection = Connection::open(folder.join(DATABASE)).unwrap();
        let begun = monotonic_now();
        while words_behind::any(&connection).unwrap() {
            assert_eq!(search(&store), expected);
            assert!(monotonic_now() - begun < Duration::from_secs(60));
        }
        assert_eq!(waiting(&connection), 0);
        assert_eq!(search(&store), expected);
    }
}

#[test]
fn who_is_erased_while_others_wait_leaves_no_word() {
    let desk = Desk::open();
    let Written::Imported(_) = wait(desk.store.write(arrivals::import(3_000))).unwrap() else {
        panic!("not imported");
    };
    let erased = desk
        .store
        .erase(&EraseOrder {
            who: "2999".to_owned(),
            calls: ErasedCalls::Remove,
            at: second(300),
            by: "tester".to_owned(),
            id: 7,
            salt: "salt".to_owned(),
            alone: true,
        })
        .unwrap();
    assert_eq!(erased.still_in, Vec::<std::path::PathBuf>::new());
    assert_eq!(
        wait(desk.store.contacts("person 2998", None, 10))
            .unwrap()
            .total,
        0
    );
    assert_eq!(
        wait(desk.store.contacts("person 2997", None, 10))
            .unwrap()
            .total,
        1
    );
}
