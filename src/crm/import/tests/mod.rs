//! From files to contacts and back, on a database of its own.

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
fn who_is_there_already_is_left_changed_or_added_again() {
    let again = "Name;Funktion;Telefon;Mobil;Notizen\r\n\
        Muster, Anna;Leiterin;0049 30 1234567;0172 1;neu\r\n\
        Carl Neu;;030 1234567;;\r\n";
    let mut desk = Desk::open();
    desk.import(THREE, Existing::Skip);
    let before = desk.dump();
    let (report, step) = desk.imported(again, Existing::Skip);
    assert_eq!((report.added, report.updated, report.skipped), (1, 0, 1));
    let told: Vec<_> = report
        .remarks
        .lines
        .iter()
        .map(|note| (note.line, note.what.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (
                2,
                "Muster, Anna is there already: Anna Muster (contact 1) has the same number"
            ),
            (
                3,
                "Carl Neu was added, and shares a number or e-mail address with Anna Muster (contact 1)"
            ),
        ]
    );
    assert_eq!(desk.undo(step), 0);
    assert_eq!(desk.dump(), before);

    let (report, step) = desk.imported(again, Existing::Update);
    assert_eq!((report.added, report.updated, report.skipped), (1, 1, 0));
    let anna = desk.named("Muster, Anna");
    assert_eq!(anna.role.as_deref(), Some("Leiterin"));
    assert_eq!(
        anna.email.as_deref(),
        Some("anna@example.com"),
        "what is not said stays"
    );
    let numbers: Vec<_> = anna
        .numbers
        .iter()
        .map(|it| (it.label.as_str(), it.raw.as_str()))
        .collect();
    assert_eq!(numbers, [("Phone", "030 1234567"), ("Mobile", "0172 1")]);
    let (second, nothing) = desk.imported(again, Existing::Update);
    assert_eq!((second.added, second.updated, second.skipped), (0, 0, 2));
    assert_eq!(nothing, None, "nothing to take back");
    assert_eq!(desk.undo(step), 0);
    assert_eq!(desk.dump(), before);

    let report = desk.import(again, Existing::Add);
    assert_eq!((report.added, report.skipped), (2, 0));
}

#[test]
fn a_number_in_imported_notes_is_a_guess_that_goes_with_the_import() {
    let mut desk = Desk::open();
    let file = "name,number,notes\nAnna,030 1234567,\"her mobile: 0171 2345678\"\n";
    let (_, step) = desk.imported(file, Existing::Add);
    let guesses = |desk: &Desk| -> i64 {
        let query = "SELECT count(*) FROM number_hints WHERE raw LIKE '0171%'";
        let counted = desk.connection.query_row(query, [], |row| row.get(0));
        counted.unwrap()
    };
    assert_eq!(guesses(&desk), 1);
    desk.undo(step);
    assert_eq!(guesses(&desk), 0);
}

/// They were mined as numbers of the phone's own country are written, so that none was found, or another one.
#[test]
fn a_number_in_notes_of_a_file_from_abroad_is_one_of_that_country() {
    let mut desk = Desk::open();
    let options = ImportOptions {
        region: Some("US".to_owned()),
        ..ImportOptions::default()
    };
    let mut import = |file: &str, existing| {
        let reading = read(file.as_bytes(), &options).unwrap();
        let batch = ImportBatch {
            label: "import of a file".to_owned(),
            existing,
            reading,
        };
        desk.write(|transaction, numbering| {
            write(transaction, second(100), &batch, numbering).unwrap()
        });
        let query = "SELECT number FROM number_hints ORDER BY id";
        let mut query = desk.connection.prepare(query).unwrap();
        let rows = query.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<Vec<String>, _>>().unwrap()
    };
    let file = "name,email,notes\nAnna,anna@example.com,\"mobile: (212) 736-5000\"\n";
    assert_eq!(import(file, Existing::Add), ["+12127365000"]);
    let file = "name,email,notes\nAnna,anna@example.com,\"fax: (212) 736-5001\"\n";
    // The first is of the phone's own country as far as anybody knows by now.
    assert!(import(file, Existing::Update).contains(&"+12127365001".to_owned()));
}

/// Guesses of notes that an update brought stayed away, and those of the notes before did not come back.
#[test]
fn guesses_follow_the_notes_of_an_update_and_of_its_undo() {
    let mut desk = Desk::open();
    let guesses = |desk: &Desk| -> Vec<String> {
        let query = "SELECT raw FROM number_hints ORDER BY raw";
        let mut query = desk.connection.prepare(query).unwrap();
        let rows = query.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    };
    let file = |notes: &str| format!("name,number,notes\nAnna,030 1234567,\"{notes}\"\n");
    desk.import(&file("her mobile: 0171 2345678"), Existing::Skip);
    assert_eq!(guesses(&desk), ["0171 2345678"]);
    let (report, step) = desk.imported(&file("her fax: 030 7654321"), Existing::Update);
    assert_eq!(report.updated, 1);
    assert_eq!(guesses(&desk), ["0171 2345678", "030 7654321"]);
    assert_eq!(desk.undo(step), 0);
    assert_eq!(guesses(&desk), ["0171 2345678"]);
}

#[test]
fn a_uid_finds_a_person_whatever_else_changed() {
    let card = |name: &str, number: &str| {
        format!("BEGIN:VCARD\nVERSION:3.0\nUID:urn:x:1\nFN:{name}\nTEL:{number}\nEND:VCARD\n")
    };
    let mut desk = Desk::open();
    desk.import(&card("Anna Muster", "030 1"), Existing::Skip);
    let report = desk.import(&card("Anna Ehe", "030 2"), Existing::Update);
    assert_eq!((report.updated, report.added), (1, 0));
    assert_eq!(desk.named("Anna Ehe").numbers.len(), 2);
    // A contact typed by hand gets the UID of the card that it is.
    let mut desk = Desk::open();
    let mut row = ContactRow::named("");
    row.name = "Anna Muster".to_owned();
    row.numbers = read(
        card("x", "030 1234567").as_bytes(),
        &ImportOptions::default(),
    )
    .unwrap()
    .people
    .people[0]
        .row
        .numbers
        .clone();
    desk.save(&row);
    let before = desk.dump();
    let (report, step) = desk.imported(&card("Anna Muster", "030 1234567"), Existing::Update);
    assert_eq!(report.updated, 1);
    assert_eq!(
        desk.import(&card("Berta", "040 1"), Existing::Update)
            .updated,
        1
    );
    let last = desk.all();
    assert_eq!(last.len(), 1);
    assert_eq!(desk.undo(step), 1);
    assert_eq!(
        desk.all()[0].name,
        "Berta",
        "it was changed since by another import"
    );
    drop(before);
}

#[test]
fn an_import_is_taken_back_but_not_what_was_done_since() {
    let mut desk = Desk::open();
    let early = desk.call(1, "0171 2345678");
    let before = desk.dump();
    let (_, step) = desk.imported(THREE, Existing::Skip);
    assert_eq!(desk.undo(step), 0);
    assert_eq!(desk.dump(), before);
    let found = contact_list::after(&desk.connection, false, "muster", None, 10).unwrap();
    assert!(found.is_empty());
    let again = desk
        .write(|transaction, numbering| undo(transaction, second(200), step.unwrap(), numbering));
    assert!(again.is_err(), "there is nothing left to take back");

    let (_, step) = desk.imported(THREE, Existing::Skip);
    let late = desk.call(200, "0171 2345678");
    let anna = desk.named("Anna Muster");
    let changed = ContactRow {
        notes: "likes tea".to_owned(),
        ..anna.clone()
    };
    desk.save(&changed);
    let chosen = desk.call(300, "030 1234567");
    let company = desk.named("Example AG").id;
    desk.change(
        chosen,
        &CallChange::Subject(Some(Subject::Contact(company))),
    );
    assert_eq!(desk.undo(step), 2);
    assert_eq!(desk.named("Anna Muster").notes, "likes tea");
    assert_eq!(
        desk.named("Anna Muster").organization_name.as_deref(),
        Some("Example AG")
    );
    assert_eq!(desk.shown(chosen).contact, Some(company));
    assert_eq!(
        desk.shown(early).contact_name,
        None,
        "it was linked by the import"
    );
    let late = desk.shown(late);
    assert_eq!(
        (late.contact, late.contact_name.as_deref()),
        (None, Some("Bert Beispiel")),
        "so it was shown then"
    );

    let (_, step) = desk.imported("Name;Tel\nCarl;0175 1\n", Existing::Skip);
    let carl = desk.named("Carl").id;
    desk.write(|transaction, _| contacts::delete(transaction, carl).unwrap());
    assert_eq!(desk.undo(step), 1);
}

#[test]
fn own_lines_never_become_customers_and_doubles_in_one_entry_go() {
    let mut desk = Desk::open();
    desk.numbering.set_own(&["030 1234567".to_owned()]);
    let report = desk.import(
        "BEGIN:VCARD\nVERSION:3.0\nFN:Me\nTEL:+49 30 1234567\nTEL;TYPE=CELL:0171 1\nTEL:0171/1\nTEL:call Bob\nEND:VCARD\n",
        Existing::Skip,
    );
    assert_eq!(report.own_lines, 1);
    let me = desk.named("Me");
    assert_eq!(me.numbers.len(), 1);
    assert_eq!(me.notes, "Phone: call Bob");
    let told: Vec<_> = report
        .remarks
        .lines
        .iter()
        .map(|note| (note.line, note.what.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (
                4,
                "+49 30 1234567 is one of your own lines and was left out"
            ),
            (7, "\"call Bob\" is no number; it is kept in the notes"),
        ]
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

/// They were read as the country of the settings writes them, and were nobody's or other people's.
#[test]
fn numbers_of_a_file_from_another_country_are_those_of_that_country() {
    let mut desk = Desk::open();
    desk.numbering.set_own(&["+12125550199".to_owned()]);
    let file = "Name,Phone\nBob,212-555-0123\nIvy,(212) 555-0124 ext. 12\nEmil,101\nOwn,212 555 0199\n\
        Ines,+39 06 6982 0000\n";
    let options = ImportOptions {
        region: Some("us".to_owned()),
        ..ImportOptions::default()
    };
    let reading = || read(file.as_bytes(), &options).unwrap();
    let preview = reading().preview(&desk.numbering);
    assert_eq!(preview.region, "US");
    assert_eq!(
        preview.first[0].numbers[0].e164.as_deref(),
        Some("+12125550123")
    );
    let plain = read(file.as_bytes(), &ImportOptions::default()).unwrap();
    assert_eq!(plain.preview(&desk.numbering).region, "DE");

    let call = desk.call(1, "+1 212 555 0123");
    let batch = ImportBatch {
        label: "import of a file".to_owned(),
        existing: Existing::Skip,
        reading: reading(),
    };
    let (report, _) =
        desk.write(|it, numbering| write(it, second(100), &batch, numbering).unwrap());
    assert_eq!((report.added, report.own_lines), (5, 1));
    assert_eq!(desk.shown(call).contact_name.as_deref(), Some("Bob"));
    // What is read again at another start is the same, and what is dialled too.
    let raw = |desk: &Desk, name: &str| desk.named(name).numbers[0].raw.clone();
    assert_eq!(raw(&desk, "Bob"), "+1 212-555-0123");
    assert_eq!(raw(&desk, "Ivy"), "+1 212-555-0124 ext. 12");
    assert_eq!(
        raw(&desk, "Emil"),
        "101",
        "an internal number has no country"
    );
    assert_eq!(raw(&desk, "Ines"), "+39 06 6982 0000");
    let again = desk.dump();
    desk.write(|it, numbering| contact_numbers::read_again(it, &numbering.region()).unwrap());
    assert_eq!(desk.dump(), again);

    let nowhere = ImportOptions {
        region: Some("Germany".to_owned()),
        ..ImportOptions::default()
    };
    let refused = read(file.as_bytes(), &nowhere).unwrap_err().to_string();
    assert_eq!(
        refused,
        "--region \"Germany\" is no country; say it in two letters, such as US or DE"
    );
}

#[test]
fn files_in_all_encodings_give_the_same_people() {
    let text = "Name;Telefon\r\nJürgen Müller;030\r\n";
    let card = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Jürgen Müller\r\nEND:VCARD\r\n";
    for text in [text, card] {
        let windows: Vec<u8> = text
            .chars()
            .map(|it| u8::try_from(u32::from(it)).unwrap())
            .collect();
        let utf_16: Vec<u8> = [0xff, 0xfe]
            .into_iter()
            .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        for file in [text.as_bytes().to_vec(), windows, utf_16] {
            let reading = read(&file, &ImportOptions::default()).unwrap();
            assert_eq!(reading.people()[0].row.name, "Jürgen Müller");
        }
    }
    assert_eq!(
        read(b"", &ImportOptions::default()).unwrap_err(),
        ImportError::Empty
    );
}

/// Whatever is in a file, reading it ends, and what it gives fits the limits.
#[test]
fn any_octets_are_read_without_harm() {
    let mut seed = 7_u64;
    let mut random = move |below: usize| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    const PIECES: [&[u8]; 24] = [
        b"BEGIN:VCARD\r\n",
        b"END:VCARD\r\n",
        b"VERSION:2.1\n",
        b"VERSION:4.0\r\n",
        b"N:;;",
        b"FN",
        b";CHARSET=",
        b"ENCODING=QUOTED-PRINTABLE",
        b"=C3=BC",
        b"=\r\n",
        b"\r\n ",
        b":",
        b";",
        b",",
        b"\"",
        b"\n",
        b"\t",
        b"\xff\xfe",
        b"\xc3\xbc",
        b"\\n",
        b"TEL;TYPE=CELL:+4930",
        b"Name;Telefon\n",
        b"item1.X-ABLabel:_$!<",
        b"\0",
    ];
    for _ in 0..4000 {
        let mut file: Vec<u8> = match random(3) {
            0 => b"BEGIN:VCARD\nVERSION:3.0\n".to_vec(),
            1 => b"Name,Telefon,Notizen\n".to_vec(),
            _ => Vec::new(),
        };
        for _ in 0..random(40) {
            if random(4) == 0 {
                file.push(u8::try_from(random(256)).unwrap());
            } else {
                file.extend_from_slice(PIECES[random(PIECES.len())]);
            }
        }
        let Ok(reading) = read(&file, &ImportOptions::default()) else {
            continue;
        };
        for person in reading.people() {
            assert!(!person.row.name.is_empty());
            assert!(
                person
                    .row
                    .numbers
                    .iter()
                    .all(|number| !number.raw.is_empty())
            );
        }
        let lines = file
            .iter()
            .filter(|byte| matches!(byte, b'\n' | b'\r'))
            .count()
            + 1;
        let within = |note: &crate::crm::row::LineNote| note.line <= u64::try_from(lines).unwrap();
        assert!(
            reading.faults().lines.iter().all(within),
            "{:?}",
            reading.faults()
        );
    }
}

#[test]
fn calls_that_were_shown_stay_when_an_update_is_taken_back() {
    let mut desk = Desk::open();
    desk.import("Name;Tel\nAnna Muster;030 1234567\n", Existing::Skip);
    let known = desk.call(1, "030 1234567");
    let other = desk.call(2, "0171 2345678");
    let before = desk.dump();
    let (report, step) = desk.imported(
        "Name;Tel;Mobil\nAnna Muster;030 1234567;0171 2345678\n",
        Existing::Update,
    );
    assert_eq!((report.updated, report.linked_calls), (1, 1));
    assert_eq!(desk.shown(other).level, Some(MatchLevel::Known));
    assert_eq!(desk.undo(step), 0);
    assert_eq!(desk.shown(other).contact, None);
    assert_eq!(
        desk.shown(known).contact_name.as_deref(),
        Some("Anna Muster")
    );
    assert_eq!(desk.dump(), before);
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

/// Who is looked at closer is decided for all of a file at once; that must leave nobody out.
#[test]
fn who_is_known_by_anything_is_found_among_many() {
    let mut desk = Desk::open();
    let card = |name: &str, rest: &str| {
        format!("BEGIN:VCARD\nVERSION:3.0\nFN:{name}\n{rest}\nEND:VCARD\n")
    };
    let known = [
        card("Anna Muster", "UID:urn:x:1"),
        card("Bert Muster", "TEL:030 1234567"),
        card("Carl Muster", "TEL:22"),
        card("Dora Muster", "EMAIL:Dora@Example.com"),
        card("Emil Muster", "X-SIP:sip:emil@example.com"),
        card("Fritz Muster", "NOTE:of whom nothing but a name is known"),
    ];
    desk.import(&known.concat(), Existing::Skip);
    let mut file = String::new();
    for stranger in 0..300 {
        file += &card(
            &format!("Stranger {stranger}"),
            &format!("TEL:040 {:07}", 1_000_000 + stranger),
        );
        if stranger % 50 == 0 {
            file += &known[stranger / 50];
        }
    }
    let report = desk.import(&file, Existing::Skip);
    assert_eq!((report.added, report.skipped), (300, 6));
}
