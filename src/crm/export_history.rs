//! What happened and what is guessed goes out: timelines, the trail and guesses, in the forms of `export`.

use std::io::Write;

use crate::crm::export::{ExportError, ExportFormat, PAGE, table, text, time};
use crate::crm::reader::Reader;
use crate::crm::records;
use crate::crm::row::{HintCursor, HintFilter, Subject, TimelineEntry};

/// The columns of a timeline, whatever its entries are.
const TIMELINE_COLUMNS: [&str; 9] = [
    "When", "Entry", "Id", "Title", "State", "Name", "Number", "Agent", "Text",
];

/// The columns of the trail.
const AUDIT_COLUMNS: [&str; 6] = ["Id", "When", "Agent", "Change", "Record", "Detail"];

/// The columns of guesses.
const HINT_COLUMNS: [&str; 13] = [
    "Id",
    "Number",
    "As written",
    "Fax",
    "Contact",
    "Name",
    "E-mail",
    "Source",
    "Text",
    "Written",
    "Found",
    "State",
    "Assigned",
];

/// Writes what happened around a record, the newest first; gives how many entries.
///
/// # Errors
///
/// Fails when the store cannot be read or the output cannot be written.
pub fn timeline(
    reader: &Reader,
    about: Subject,
    format: ExportFormat,
    out: &mut impl Write,
) -> Result<u64, ExportError> {
    // An empty table would say that there is such a record, and that nothing happened.
    reader.within_budget(|it| Ok(records::must_exist(it.connection(), about)?))?;
    let page = |after| reader.within_budget(|it| it.timeline(about, after, PAGE));
    table(out, format, &TIMELINE_COLUMNS, page, entry_cells)
}

/// Writes who changed what, of everything or of one record, the newest first; gives how many changes.
///
/// # Errors
///
/// Fails when the store cannot be read or the output cannot be written.
pub fn audit(
    reader: &Reader,
    subject: Option<Subject>,
    format: ExportFormat,
    out: &mut impl Write,
) -> Result<u64, ExportError> {
    let count = u32::try_from(PAGE).unwrap_or(u32::MAX);
    let page = |before| {
        let rows = reader.within_budget(|it| it.audit(subject, before, count))?;
        let next = rows.last().map(|row| row.id);
        Ok((rows, next))
    };
    table(out, format, &AUDIT_COLUMNS, page, |row| {
        vec![
            row.id.to_string(),
            time(Some(row.at)),
            row.agent.clone(),
            row.what.clone(),
            record(row.subject),
            row.detail.clone(),
        ]
    })
}

/// Writes the guesses that a filter shows, those of the newest texts first; gives how many.
///
/// # Errors
///
/// Fails when the store cannot be read or the output cannot be written.
pub fn hints(
    reader: &Reader,
    filter: &HintFilter,
    format: ExportFormat,
    out: &mut impl Write,
) -> Result<u64, ExportError> {
    let page = |after| {
        let rows = reader.within_budget(|it| it.hints(filter, after, PAGE))?;
        let next = rows.last().map(|row| HintCursor {
            said_micros: row.said_at.as_microsecond(),
            id: row.id,
        });
        Ok((rows, next))
    };
    table(out, format, &HINT_COLUMNS, page, |row| {
        vec![
            row.id.0.to_string(),
            row.number.clone(),
            row.raw.clone(),
            yes_or_no(row.fax),
            row.contact.map(|id| id.0.to_string()).unwrap_or_default(),
            text(row.name.as_ref()),
            text(row.email.as_ref()),
            row.source.as_str().to_owned(),
            row.source_text.clone(),
            time(Some(row.said_at)),
            time(Some(row.found_at)),
            row.state.as_str().to_owned(),
            yes_or_no(row.assigned),
        ]
    })
}

/// An entry's cells; what its kind does not have is empty.
fn entry_cells(entry: &TimelineEntry) -> Vec<String> {
    let cells = match entry {
        TimelineEntry::Call(call) => [
            "call".to_owned(),
            call.id.to_string(),
            call.direction.as_str().to_owned(),
            call.state.as_str().to_owned(),
            text(call.contact_name.as_ref()),
            call.e164.as_ref().unwrap_or(&call.remote).clone(),
            text(call.agent.as_ref()),
            call.notes.clone(),
        ],
        TimelineEntry::Note(note) => [
            "note".to_owned(),
            note.id.0.to_string(),
            String::new(),
            String::new(),
            String::new(),
            String::new(),
            note.author.clone(),
            note.text.clone(),
        ],
        TimelineEntry::Ticket(ticket) => [
            "ticket".to_owned(),
            ticket.id.0.to_string(),
            ticket.title.clone(),
            ticket.state.as_str().to_owned(),
            text(ticket.contact_name.as_ref()),
            String::new(),
            text(ticket.agent.as_ref()),
            String::new(),
        ],
        TimelineEntry::Task(task) => [
            task.kind.as_str().to_owned(),
            task.id.0.to_string(),
            task.title.clone(),
            task.done_at.map_or("to do", |_| "done").to_owned(),
            String::new(),
            text(task.number.as_ref()),
            text(task.agent.as_ref()),
            task.notes.clone(),
        ],
    };
    std::iter::once(time(Some(entry.at())))
        .chain(cells)
        .collect()
}

fn record(subject: Option<Subject>) -> String {
    subject
        .map(|subject| subject.to_string())
        .unwrap_or_default()
}

fn yes_or_no(so: bool) -> String {
    if so { "yes" } else { "no" }.to_owned()
}
