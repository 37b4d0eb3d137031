//! From files to contacts and back, on a database of its own.

mod files;
mod hints;
mod people;
mod undoing;

use jiff::Timestamp;
use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::base::id::{CallId, ContactId};
use crate::crm::exchange_row::{Existing, ImportReport};
use crate::crm::row::{CallRow, ContactRow, MatchLevel, Subject};
use crate::crm::store::CallChange;
use crate::crm::{calls, contact_list, contact_numbers, contacts, migration, open, organizations};

/// A database that nobody else uses.
pub(in crate::crm) struct Desk {
    pub(in crate::crm) connection: Connection,
    pub(in crate::crm) numbering: Numbering,
    pub(in crate::crm) folder: TempDir,
}

impl Desk {
    pub(in crate::crm) fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut connection = open::for_writing(folder.path(), open::CHECKED_AT_START).unwrap();
        migration::migrate(&mut connection, "DE").unwrap();
        Self {
            connection,
            numbering: Numbering::new("DE"),
            folder,
        }
    }

    pub(in crate::crm) fn write<T>(
        &mut self,
        work: impl FnOnce(&rusqlite::Transaction<'_>, &Numbering) -> T,
    ) -> T {
        let transaction = self.connection.transaction().unwrap();
        let done = work(&transaction, &self.numbering);
        transaction.commit().unwrap();
        done
    }

    pub(in crate::crm) fn import(&mut self, file: &str, existing: Existing) -> ImportReport {
        self.imported(file, existing).0
    }

    fn imported(&mut self, file: &str, existing: Existing) -> (ImportReport, Option<ImportStep>) {
        let reading = read(file.as_bytes(), &ImportOptions::default()).unwrap();
        assert_eq!(reading.faults().lines, []);
        let batch = ImportBatch {
            label: "import of a file".to_owned(),
            existing,
            reading,
        };
        self.write(|transaction, numbering| {
            write(transaction, second(100), &batch, numbering).unwrap()
        })
    }

    fn undo(&mut self, step: Option<ImportStep>) -> usize {
        let step = step.unwrap();
        self.write(|transaction, numbering| {
            undo(transaction, second(200), step, numbering).unwrap()
        })
    }

    pub(in crate::crm) fn save(&mut self, row: &ContactRow) -> ContactId {
        self.write(|transaction, numbering| contacts::save(transaction, row, numbering).unwrap().0)
    }

    pub(in crate::crm) fn all(&self) -> Vec<ContactRow> {
        contact_list::after(&self.connection, false, "", None, 1000).unwrap()
    }

    pub(in crate::crm) fn all_of(&self, most: usize) -> Vec<ContactRow> {
        let mut all: Vec<ContactRow> = Vec::new();
        while all.len() < most {
            let after = all.last().map(|row| row.id);
            let page = contact_list::after(&self.connection, false, "", after, 1000).unwrap();
            if page.is_empty() {
                break;
            }
            all.extend(page);
        }
        all
    }

    fn named(&self, name: &str) -> ContactRow {
        let mut all = self.all();
        all.retain(|row| row.name == name);
        assert_eq!(all.len(), 1, "{name}");
        all.remove(0)
    }

    pub(in crate::crm) fn call(&mut self, number: u64, remote: &str) -> CallId {
        let id = CallId::new(number, [1; 10]);
        let started = second(i64::try_from(number).unwrap());
        let row = CallRow::ringing(id, remote, started);
        self.write(|transaction, numbering| calls::insert(transaction, &row, numbering).unwrap());
        id
    }

    pub(in crate::crm) fn change(&mut self, id: CallId, change: &CallChange) {
        self.write(|transaction, _| calls::change(transaction, id, change).unwrap());
    }

    pub(in crate::crm) fn shown(&self, id: CallId) -> CallRow {
        calls::one(&self.connection, id).unwrap().unwrap()
    }

    /// All that the tables hold, to compare two moments.
    pub(in crate::crm) fn dump(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for table in [
            "contacts",
            "contact_numbers",
            "memberships",
            "notes",
            "tasks",
            "tickets",
            "organizations",
            "call_links",
            "number_choices",
            "contact_uids",
            "number_hints",
            "hint_verdicts",
            "different_people",
            "calls",
        ] {
            let mut query = self
                .connection
                .prepare(&format!("SELECT * FROM {table}"))
                .unwrap();
            let count = query.column_count();
            let mut rows = query.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                let cells: Vec<_> = (0..count)
                    .map(|place| format!("{:?}", row.get_ref(place).unwrap()))
                    .collect();
                lines.push(format!("{table}: {}", cells.join(" ")));
            }
        }
        lines
    }
}

pub(in crate::crm) fn second(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

const THREE: &str = "Name;Firma;Telefon;E-Mail\r\n\
    Anna Muster;Example AG;030 1234567;anna@example.com\r\n\
    Bert Beispiel;Example AG;0171 2345678;\r\n\
    Example AG;Example AG;030 1234567;\r\n";

#[test]
fn people_become_contacts_with_everything_that_finds_them() {
    let mut desk = Desk::open();
    let call = desk.call(1, "0171/2345678");
    let shared = desk.call(2, "0301234567");
    let report = desk.import(THREE, Existing::Skip);
    assert_eq!(
        (report.added, report.skipped, report.linked_calls),
        (3, 0, 1)
    );
    assert_eq!(
        desk.shown(call).contact_name.as_deref(),
        Some("Bert Beispiel")
    );
    assert_eq!(
        desk.shown(shared).contact,
        None,
        "two have that number: a question"
    );
    let anna = desk.named("Anna Muster");
    assert_eq!(anna.organization_name.as_deref(), Some("Example AG"));
    assert_eq!(anna.numbers[0].e164.as_deref(), Some("+49301234567"));
    for search in ["muster", "examp", "030123", "4567", "anna@ex"] {
        let found = contact_list::after(&desk.connection, false, search, None, 10).unwrap();
        assert!(found.contains(&anna), "{search}");
    }
    let fresh = Desk::open();
    let mut by_hand = fresh;
    for row in desk.all() {
        by_hand.save(&ContactRow {
            id: ContactId(0),
            organization: None,
            ..row
        });
    }
    assert_eq!(
        by_hand.all(),
        desk.all(),
        "an import saves as the window does"
    );
}

#[test]
fn a_preview_shows_what_an_import_would_do_and_does_nothing() {
    let desk = Desk::open();
    let file = "Wer,Telefon 2,Firma\nAnna,0301234567,\nBert\n";
    let options = ImportOptions {
        map: vec!["Wer=name".to_owned(), "Telefon 2=number:Work".to_owned()],
        ..ImportOptions::default()
    };
    let preview = read(file.as_bytes(), &options)
        .unwrap()
        .preview(&desk.numbering);
    assert_eq!(
        (preview.kind, preview.delimiter, preview.people),
        (FileKind::Csv, Some(','), 1)
    );
    assert_eq!(preview.encoding, "UTF-8");
    assert_eq!(
        preview.first[0].numbers[0].e164.as_deref(),
        Some("+49301234567")
    );
    assert_eq!(preview.first[0].numbers[0].label, "Work");
    let columns: Vec<_> = preview
        .columns
        .iter()
        .map(|it| {
            (
                it.heading.as_str(),
                it.meaning.as_str(),
                it.example.as_str(),
            )
        })
        .collect();
    assert_eq!(
        columns,
        [
            ("Wer", "name", "Anna"),
            ("Telefon 2", "number:Work", "0301234567"),
            ("Firma", "organization", "")
        ]
    );
    assert_eq!(preview.faults.lines[0].line, 3);
    assert!(desk.all().is_empty());
}

/// An import does the work of these for all rows at once: what another one did would be missing.
#[test]
fn an_import_does_what_each_trigger_does() {
    let mut desk = Desk::open();
    let triggers = "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND sql LIKE '%AFTER INSERT%'
        AND tbl_name IN ('contacts', 'contact_numbers', 'contact_uids', 'organizations', 'import_rows')
        ORDER BY name";
    let names = |desk: &Desk, query: &str| -> Vec<String> {
        let mut query = desk.connection.prepare(query).unwrap();
        let rows = query.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    };
    assert_eq!(
        names(&desk, triggers),
        [
            "contacts_count_insert",
            "contacts_note_words_insert",
            "organizations_words_insert"
        ]
    );
    desk.import(THREE, Existing::Skip);
    let file = "Name;Firma;Telefon;Notizen\nDora;Neue GmbH;030 99;mag Tee\nEmil;Example AG;;\n";
    desk.import(file, Existing::Add);
    assert_eq!(
        names(
            &desk,
            "SELECT list || row_count FROM row_counts WHERE list IN ('contacts', 'leads') ORDER BY list"
        ),
        ["contacts5", "leads0"]
    );
    let found = contacts::by_notes(&desk.connection, "tee", 10).unwrap();
    assert_eq!(found.len(), 1);
    for search in ["neue", "example"] {
        let page = organizations::page(&desk.connection, search, None, 10).unwrap();
        assert_eq!(page.rows.len(), 1, "{search}");
    }
    let orphans = "SELECT \"table\" FROM pragma_foreign_key_check";
    assert_eq!(names(&desk, orphans), [""; 0]);
    // Whoever writes afterwards has triggers and references again.
    desk.save(&ContactRow::named("Fritz"));
    let count = "SELECT list || row_count FROM row_counts WHERE list = 'contacts'";
    assert_eq!(names(&desk, count), ["contacts6"]);
    let nobody = "INSERT INTO contact_uids (uid, contact) VALUES ('x', 999)";
    assert!(desk.connection.execute(nobody, []).is_err());
}
