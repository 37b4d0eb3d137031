//! Timelines, the trail and guesses as tables and as JSON.

use super::*;
use crate::base::id::{NoteId, TicketId};
use crate::crm::Reader;
use crate::crm::export::{ExportError, ExportFormat};
use crate::crm::export_history;
use crate::crm::row::{AuditRow, HintFilter, HintRow, NoteRow, TaskRow, TimelineEntry};

/// What a cell may begin with whose content is this.
const FORMULAS: [&str; 5] = ["=1+1", "+49 30 1", "-1+2", "@SUM(A1)", "\t=1"];

fn written(write: impl FnOnce(&mut Vec<u8>) -> Result<u64, ExportError>) -> (u64, String) {
    let mut out = Vec::new();
    let count = write(&mut out).unwrap();
    (count, String::from_utf8(out).unwrap())
}

/// The cells of a table, with its heading; none begins a formula.
fn cells(table: &str) -> Vec<Vec<String>> {
    let mut rows = csv::ReaderBuilder::new();
    let mut rows = rows.has_headers(false).from_reader(table.as_bytes());
    let rows: Vec<Vec<String>> = rows
        .records()
        .map(|row| row.unwrap().iter().map(str::to_owned).collect())
        .collect();
    for cell in rows.iter().flatten() {
        assert!(
            !cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']),
            "{cell:?}"
        );
    }
    rows
}

#[test]
fn what_happened_around_somebody_goes_out_whole_and_runs_nothing() {
    let desk = Desk::open();
    let anna = desk.contact("=Anna", "030 1234567");
    let about = Subject::Contact(anna);
    for (text, number) in FORMULAS.iter().zip(1..) {
        let call = desk.insert(&missed(number, "0301234567"));
        desk.change(call, CallChange::Notes((*text).to_owned()));
        desk.write(Write::SaveNote(NoteRow {
            id: NoteId(0),
            about,
            at: second(100),
            author: String::new(),
            text: (*text).to_owned(),
        }));
        let mut task = TaskRow::new(text.trim(), None, second(200));
        task.about = Some(about);
        desk.write(Write::SaveTask(Box::new(task)));
    }
    // More than one read takes.
    for number in 10..1_000 {
        desk.insert(&missed(number, "0301234567"));
    }
    let reader = Reader::open(desk.folder.path()).unwrap();
    let (count, json) =
        written(|out| export_history::timeline(&reader, about, ExportFormat::Json, out));
    let entries: Vec<TimelineEntry> = json
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!((count, entries.len()), (1_005, 1_005));
    assert!(entries.windows(2).all(|pair| pair[0].at() >= pair[1].at()));
    let (count, table) =
        written(|out| export_history::timeline(&reader, about, ExportFormat::Csv, out));
    let rows = cells(&table);
    assert_eq!((count, rows.len()), (1_005, 1_006));
    assert_eq!(
        rows[0].join(","),
        "When,Entry,Id,Title,State,Name,Number,Agent,Text"
    );
    for text in FORMULAS {
        let cell = format!("'{text}");
        let with = |entry: &str| rows.iter().any(|row| row[1] == entry && row[8] == cell);
        assert!(with("call") && with("note"), "{text}");
        let title = format!("'{}", text.trim());
        assert!(
            text.starts_with('\t') || rows.iter().any(|row| row[1] == "task" && row[3] == title)
        );
    }
    let nobody = Subject::Ticket(TicketId(7));
    let none = export_history::timeline(&reader, nobody, ExportFormat::Csv, &mut Vec::new());
    assert!(matches!(
        none,
        Err(ExportError::Store(StoreError::Missing("ticket")))
    ));
    let cards = export_history::timeline(&reader, about, ExportFormat::Vcard, &mut Vec::new());
    assert!(matches!(cards, Err(ExportError::NoCards)));
}

#[test]
fn the_trail_goes_out_of_everything_or_of_one_record() {
    let desk = Desk::open();
    let anna = desk.contact("=Anna", "030 1234567");
    for number in 0..700 {
        desk.contact(&format!("Person {number}"), "101");
    }
    desk.ticket("@Printer", Some(anna));
    let reader = Reader::open(desk.folder.path()).unwrap();
    let (count, json) =
        written(|out| export_history::audit(&reader, None, ExportFormat::Json, out));
    let rows: Vec<AuditRow> = json
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!((count, rows.len()), (702, 702));
    assert!(rows.windows(2).all(|pair| pair[0].id > pair[1].id));
    let (_, table) = written(|out| export_history::audit(&reader, None, ExportFormat::Csv, out));
    assert_eq!(cells(&table).len(), 703);
    let about = Some(Subject::Contact(anna));
    let (count, table) =
        written(|out| export_history::audit(&reader, about, ExportFormat::Csv, out));
    let rows = cells(&table);
    assert_eq!(count, 1, "{rows:?}");
    assert_eq!(rows[0].join(","), "Id,When,Agent,Change,Record,Detail");
    assert_eq!(rows[1][3..], ["save contact", "contact:1", "'=Anna"]);
}

#[test]
fn guesses_go_out_as_they_are_listed() {
    let desk = Desk::open();
    let anna = desk.contact("Anna", "030 1234567");
    desk.write(Write::SaveNote(NoteRow {
        id: NoteId(0),
        about: Subject::Contact(anna),
        at: second(0),
        author: String::new(),
        text: "her sister: +49 171 2345678".to_owned(),
    }));
    let reader = Reader::open(desk.folder.path()).unwrap();
    let all = HintFilter::default();
    let (count, json) =
        written(|out| export_history::hints(&reader, &all, ExportFormat::Json, out));
    let row: HintRow = serde_json::from_str(json.trim()).unwrap();
    assert_eq!((count, row.number.as_str()), (1, "+491712345678"));
    let (_, table) = written(|out| export_history::hints(&reader, &all, ExportFormat::Csv, out));
    let rows = cells(&table);
    assert_eq!(rows[0].len(), rows[1].len());
    assert_eq!(
        rows[1][1..6],
        ["'+491712345678", "'+49 171 2345678", "no", "1", "Anna"]
    );
    let other = HintFilter {
        number: Some("040 1".to_owned()),
        ..HintFilter::default()
    };
    let (count, _) = written(|out| export_history::hints(&reader, &other, ExportFormat::Csv, out));
    assert_eq!(count, 0);
}
