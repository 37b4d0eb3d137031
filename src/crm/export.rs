//! Records go out as they are shown: as a table (CSV), as JSON lines, people as cards too.
//!
//! Page after page by key: the memory stays flat and no page holds the database for long. A table is
//! that of RFC 4180 with commas; its number columns are Google's pairs of label and value, which
//! other programs and our own import know. Cells that a spreadsheet would run are neutralised, see
//! `cell`; in JSON and in cards nothing runs, and nothing is changed.

use std::io::{self, Write};

use jiff::Timestamp;

use crate::base::id::ContactId;
use crate::crm::cell::neutral;
use crate::crm::reader::Reader;
use crate::crm::row::{
    CallCriteria, CallFilter, CallRow, ContactRow, LeadStage, NameCursor, TaskCursor, TaskFilter,
    TicketFilter,
};
use crate::crm::store::StoreError;
use crate::crm::vcard_writer;

/// So many rows are read at once.
pub(crate) const PAGE: usize = 500;

/// What stands between several numbers in one cell, as Google writes them.
const SEVERAL: &str = " ::: ";

/// More numbers of one contact than that do not become columns; the rest is in the last one.
const NUMBER_COLUMNS: usize = 50;

/// The form of what goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// A table that spreadsheets open.
    Csv,
    /// One JSON object in each line.
    Json,
    /// Cards (RFC 6350); contacts and leads only.
    Vcard,
}

/// Why nothing, or not all, went out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file cannot be written.
    #[error("it cannot be written: {0}")]
    Io(#[from] io::Error),
    /// They are no people.
    #[error("only contacts and leads can be written as cards; choose csv or json")]
    NoCards,
}

/// Writes the contacts and leads, or only the leads, that a search finds, all without one; gives how many.
///
/// # Errors
///
/// Fails when the store cannot be read or the output cannot be written.
pub fn contacts(
    reader: &Reader,
    leads_only: bool,
    search: &str,
    format: ExportFormat,
    out: &mut impl Write,
) -> Result<u64, ExportError> {
    let numbers = match format {
        ExportFormat::Csv => reader.most_numbers(NUMBER_COLUMNS)?.max(1),
        ExportFormat::Json | ExportFormat::Vcard => 0,
    };
    if format == ExportFormat::Csv {
        let mut heading: Vec<String> = CONTACT_COLUMNS.map(str::to_owned).to_vec();
        for number in 1..=numbers {
            heading.push(format!("Phone {number} - Label"));
            heading.push(format!("Phone {number} - Value"));
        }
        if leads_only {
            heading.push("Stage".to_owned());
        }
        line(out, heading.iter().map(String::as_str))?;
    }
    let mut written = 0;
    let mut after: Option<ContactId> = None;
    loop {
        let page = reader.within_budget(|it| it.contacts_after(leads_only, search, after, PAGE))?;
        let Some(last) = page.last() else {
            return Ok(written);
        };
        after = Some(last.id);
        for contact in &page {
            let uid = reader.uid(contact.id)?;
            match format {
                ExportFormat::Csv => {
                    let mut cells = contact_cells(contact, uid.as_deref(), numbers);
                    if leads_only {
                        cells.push(contact.stage.map_or("", LeadStage::as_str).to_owned());
                    }
                    line(out, cells.iter().map(String::as_str))?;
                }
                ExportFormat::Json => json(out, contact)?,
                ExportFormat::Vcard => vcard_writer::write(out, contact, uid.as_deref())?,
            }
            written += 1;
        }
    }
}

/// Writes the calls of a filter, criteria and a search, newest first; gives how many.
///
/// # Errors
///
/// Fails when the store cannot be read or the output cannot be written.
pub fn calls(
    reader: &Reader,
    filter: CallFilter,
    criteria: &CallCriteria,
    search: &str,
    format: ExportFormat,
    out: &mut impl Write,
) -> Result<u64, ExportError> {
    let page = |after| {
        reader.within_budget(|it| {
            if criteria.is_empty() {
                it.call_rows(filter, search, after, PAGE)
            } else {
                it.calls_where(filter, criteria, search, after, PAGE)
            }
        })
    };
    table(out, format, &CALL_COLUMNS, page, call_cells)
}

/// Writes the numbers that wait for a call back and that a search finds, the newest missed call first; gives how
/// many.
///
/// # Errors
///
/// Fails when the store cannot be read or the output cannot be written.
pub fn callbacks(
    reader: &Reader,
    search: &str,
    format: ExportFormat,
    out: &mut impl Write,
) -> Result<u64, ExportError> {
    // Each row asks for its attempts and notes.
    const ROWS: usize = 100;
    let page = |after| {
        let page = reader.within_budget(|it| it.callbacks(search, after, ROWS))?;
        Ok((page.rows, page.next))
    };
    table(out, format, &CALLBACK_COLUMNS, page, |row| {
        let note = row.last_note.as_ref();
        vec![
            row.call.e164.as_ref().unwrap_or(&row.call.remote).clone(),
            text(row.call.contact_name.as_ref()),
            text(row.call.organization.as_ref()),
            text(row.call.queue.as_ref()),
            row.missed.to_string(),
            time(Some(row.call.started_at)),
            row.attempts.to_string(),
            time(row.last_attempt),
            text(row.last_agent.as_ref()),
            note.map(|note| note.text.clone()).unwrap_or_default(),
            row.call.id.to_string(),
        ]
    })
}

/// Writes the organizations that a search finds, all without one, by name; gives how many.
///
/// # Errors
///
/// Fails when the store cannot be read or the output cannot be written.
pub fn organizations(
    reader: &Reader,
    search: &str,
    format: ExportFormat,
    out: &mut impl Write,
) -> Result<u64, ExportError> {
    let page = |after: Option<NameCursor>| {
        let page = reader.within_budget(|it| it.organizations(search, after.as_ref(), PAGE))?;
        Ok((page.rows, page.next))
    };
    table(out, format, &ORGANIZATION_COLUMNS, page, |row| {
        let numbers = row.numbers.iter().map(|number| number.raw.as_str());
        vec![
            row.id.0.to_string(),
            row.name.clone(),
            row.contacts.to_string(),
            numbers.collect::<Vec<_>>().join(SEVERAL),
        ]
    })
}

/// Writes the tickets of a filter and a search, the last changed first, with their articles as JSON; gives how
/// many.
///
/// # Errors
///
/// Fails when the store cannot be read or the output cannot be written.
pub fn tickets(
    reader: &Reader,
    filter: TicketFilter,
    search: &str,
    format: ExportFormat,
    out: &mut impl Write,
) -> Result<u64, ExportError> {
    let page = |after| {
        let mut rows = reader.within_budget(|it| it.tickets(filter, search, after, PAGE))?;
        let next = rows.last().map(|row| (row.updated_at, row.id));
        if format == ExportFormat::Json {
            for row in &mut rows {
                if let Some(whole) = reader.ticket(row.id)? {
                    *row = whole;
                }
            }
        }
        Ok((rows, next))
    };
    table(out, format, &TICKET_COLUMNS, page, |row| {
        vec![
            row.id.0.to_string(),
            row.title.clone(),
            row.state.as_str().to_owned(),
            text(row.contact_name.as_ref()),
            text(row.organization_name.as_ref()),
            text(row.agent.as_ref()),
            time(Some(row.created_at)),
            time(Some(row.updated_at)),
            time(row.closed_at),
        ]
    })
}

/// Writes the tasks of a filter, those that are due first; gives how many.
///
/// # Errors
///
/// Fails when the store cannot be read or the output cannot be written.
pub fn tasks(
    reader: &Reader,
    filter: TaskFilter,
    format: ExportFormat,
    out: &mut impl Write,
) -> Result<u64, ExportError> {
    let count = u32::try_from(PAGE).unwrap_or(u32::MAX);
    let page = |after| {
        let rows = reader.within_budget(|it| it.tasks(filter, after, count))?;
        let next = rows.last().map(|row| TaskCursor {
            due_micros: row.due_at.map(Timestamp::as_microsecond),
            id: row.id,
        });
        Ok((rows, next))
    };
    table(out, format, &TASK_COLUMNS, page, |row| {
        vec![
            row.id.0.to_string(),
            row.kind.as_str().to_owned(),
            row.title.clone(),
            time(row.due_at),
            row.about.map(|about| about.to_string()).unwrap_or_default(),
            text(row.number.as_ref()),
            row.call.map(|call| call.to_string()).unwrap_or_default(),
            text(row.agent.as_ref()),
            time(Some(row.created_at)),
            time(row.done_at),
            row.notes.clone(),
        ]
    })
}

/// Writes rows page after page, as a table or as JSON; the last page has no next, or no rows.
pub(crate) fn table<Row: serde::Serialize, Cursor>(
    out: &mut impl Write,
    format: ExportFormat,
    columns: &[&str],
    mut page: impl FnMut(Option<Cursor>) -> Result<(Vec<Row>, Option<Cursor>), StoreError>,
    cells: impl Fn(&Row) -> Vec<String>,
) -> Result<u64, ExportError> {
    match format {
        ExportFormat::Csv => line(out, columns.iter().copied())?,
        ExportFormat::Json => {}
        ExportFormat::Vcard => return Err(ExportError::NoCards),
    }
    let mut written = 0;
    let mut after = None;
    loop {
        let (rows, next) = page(after)?;
        for row in &rows {
            if format == ExportFormat::Csv {
                line(out, cells(row).iter().map(String::as_str))?;
            } else {
                json(out, row)?;
            }
            written += 1;
        }
        after = next;
        if after.is_none() {
            return Ok(written);
        }
    }
}

/// The first columns of contacts; the pairs of numbers follow.
const CONTACT_COLUMNS: [&str; 6] = ["Name", "Organization", "Role", "E-mail", "Notes", "UID"];

/// The columns of calls.
const CALL_COLUMNS: [&str; 23] = [
    "Id",
    "Direction",
    "State",
    "Number",
    "International number",
    "Name given",
    "Contact",
    "Organization",
    "Match",
    "Own line",
    "Started",
    "Answered",
    "Ended",
    "Waiting seconds",
    "Talking seconds",
    "Reason",
    "Done",
    "Recording",
    "Notes",
    "Agent",
    "Queue",
    "Call type",
    "Wrap-up seconds",
];

/// The columns of organizations.
const ORGANIZATION_COLUMNS: [&str; 4] = ["Id", "Name", "Contacts", "Numbers"];

/// The columns of tickets.
const TICKET_COLUMNS: [&str; 9] = [
    "Id",
    "Title",
    "State",
    "Contact",
    "Organization",
    "Agent",
    "Created",
    "Changed",
    "Closed",
];

/// The columns of numbers to call back.
const CALLBACK_COLUMNS: [&str; 11] = [
    "Number",
    "Name",
    "Organization",
    "Queue",
    "Missed",
    "Missed last",
    "Attempts",
    "Last attempt",
    "Last attempt by",
    "Last note",
    "Call",
];

/// The columns of tasks.
const TASK_COLUMNS: [&str; 11] = [
    "Id", "Kind", "Title", "Due", "About", "Number", "Call", "Agent", "Made", "Done", "Notes",
];

pub(crate) fn text(field: Option<&String>) -> String {
    field.cloned().unwrap_or_default()
}

pub(crate) fn time(at: Option<Timestamp>) -> String {
    at.map(|at| at.to_string()).unwrap_or_default()
}

fn contact_cells(contact: &ContactRow, uid: Option<&str>, numbers: usize) -> Vec<String> {
    let mut cells = vec![
        contact.name.clone(),
        text(contact.organization_name.as_ref()),
        text(contact.role.as_ref()),
        text(contact.email.as_ref()),
        contact.notes.clone(),
        uid.unwrap_or_default().to_owned(),
    ];
    for place in 0..numbers {
        let number = contact.numbers.get(place);
        let mut raw = number.map(|number| number.raw.clone()).unwrap_or_default();
        if place + 1 == numbers {
            for more in contact.numbers.iter().skip(numbers) {
                raw.push_str(SEVERAL);
                raw.push_str(&more.raw);
            }
        }
        cells.push(
            number
                .map(|number| number.label.clone())
                .unwrap_or_default(),
        );
        cells.push(raw);
    }
    cells
}

fn call_cells(call: &CallRow) -> Vec<String> {
    let seconds = |millis: Option<i64>| {
        let tenths = millis.map(|millis| (millis + 50) / 100);
        tenths
            .map(|it| format!("{}.{}", it / 10, it % 10))
            .unwrap_or_default()
    };
    vec![
        call.id.to_string(),
        call.direction.as_str().to_owned(),
        call.state.as_str().to_owned(),
        call.remote.clone(),
        text(call.e164.as_ref()),
        text(call.remote_name.as_ref()),
        text(call.contact_name.as_ref()),
        text(call.organization.as_ref()),
        call.level
            .map(|level| level.as_str().to_owned())
            .unwrap_or_default(),
        call.local.clone(),
        time(Some(call.started_at)),
        time(call.answered_at),
        time(call.ended_at),
        seconds(call.waiting_millis),
        seconds(call.talking_millis),
        text(call.end_reason.as_ref()),
        if call.done { "yes" } else { "no" }.to_owned(),
        text(call.recording.as_ref()),
        call.notes.clone(),
        text(call.agent.as_ref()),
        text(call.queue.as_ref()),
        text(call.call_type_name.as_ref()),
        seconds(call.wrap_up_millis),
    ]
}

fn json(out: &mut impl Write, row: &impl serde::Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, row)?;
    out.write_all(b"\n")
}

/// Writes a line of a table (RFC 4180 section 2).
pub(crate) fn line<'a>(
    out: &mut impl Write,
    cells: impl IntoIterator<Item = &'a str>,
) -> io::Result<()> {
    let mut first = true;
    for cell in cells {
        if !first {
            out.write_all(b",")?;
        }
        first = false;
        let cell = neutral(cell);
        // A blank at an edge is lost by many readers without quotes.
        let quoted = cell.contains([',', ';', '"', '\r', '\n', '\t']) || cell.trim() != cell;
        if quoted {
            write!(out, "\"{}\"", cell.replace('"', "\"\""))?;
        } else {
            out.write_all(cell.as_bytes())?;
        }
    }
    out.write_all(b"\r\n")
}
