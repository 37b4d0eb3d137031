//! Contacts and calls go out as they are shown: as a table (CSV), as JSON lines, contacts as cards too.
//!
//! Page after page by key: the memory stays flat and no page holds the database for long. A table is
//! that of RFC 4180 with commas; its number columns are Google's pairs of label and value, which
//! other programs and our own import know. Cells that a spreadsheet would run are neutralised, see
//! `cell`; in JSON and in cards nothing runs, and nothing is changed.

use std::io::{self, Write};

use crate::base::id::ContactId;
use crate::crm::cell::neutral;
use crate::crm::reader::Reader;
use crate::crm::row::{CallCriteria, CallFilter, CallRow, ContactRow};
use crate::crm::store::StoreError;
use crate::crm::vcard_writer;

/// So many rows are read at once.
const PAGE: usize = 500;

/// More numbers of one contact than that do not become columns; the rest is in the last one.
const NUMBER_COLUMNS: usize = 50;

/// The form of what goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// A table that spreadsheets open.
    Csv,
    /// One JSON object in each line.
    Json,
    /// Cards (RFC 6350); contacts only.
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
    /// Calls are no people.
    #[error("calls cannot be written as cards; choose csv or json")]
    NoCards,
}

/// Writes the contacts that a search finds, all without one; gives how many.
///
/// # Errors
///
/// Fails when the store cannot be read or the output cannot be written.
pub fn contacts(
    reader: &Reader,
    search: &str,
    format: ExportFormat,
    out: &mut impl Write,
) -> Result<u64, ExportError> {
    let numbers = match format {
        ExportFormat::Csv => reader.most_numbers()?.clamp(1, NUMBER_COLUMNS),
        ExportFormat::Json | ExportFormat::Vcard => 0,
    };
    if format == ExportFormat::Csv {
        let mut heading: Vec<String> = CONTACT_COLUMNS.map(str::to_owned).to_vec();
        for number in 1..=numbers {
            heading.push(format!("Phone {number} - Label"));
            heading.push(format!("Phone {number} - Value"));
        }
        line(out, heading.iter().map(String::as_str))?;
    }
    let mut written = 0;
    let mut after: Option<ContactId> = None;
    loop {
        let page = reader.contacts_after(search, after, PAGE)?;
        let Some(last) = page.last() else {
            return Ok(written);
        };
        after = Some(last.id);
        for contact in &page {
            let uid = reader.uid(contact.id)?;
            match format {
                ExportFormat::Csv => contact_line(out, contact, uid.as_deref(), numbers)?,
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
    match format {
        ExportFormat::Csv => line(out, CALL_COLUMNS)?,
        ExportFormat::Json => {}
        ExportFormat::Vcard => return Err(ExportError::NoCards),
    }
    let mut written = 0;
    let mut after = None;
    loop {
        let (rows, next) = if criteria.is_empty() {
            reader.call_rows(filter, search, after, PAGE)?
        } else {
            let page = reader.calls_where(filter, criteria, search, after, PAGE)?;
            (page.rows, page.next)
        };
        for call in &rows {
            match format {
                ExportFormat::Csv => call_line(out, call)?,
                ExportFormat::Json | ExportFormat::Vcard => json(out, call)?,
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
const CALL_COLUMNS: [&str; 19] = [
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
];

fn contact_line(
    out: &mut impl Write,
    contact: &ContactRow,
    uid: Option<&str>,
    numbers: usize,
) -> io::Result<()> {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let mut cells = vec![
        contact.name.clone(),
        text(&contact.organization_name),
        text(&contact.role),
        text(&contact.email),
        contact.notes.clone(),
        uid.unwrap_or_default().to_owned(),
    ];
    for place in 0..numbers {
        let number = contact.numbers.get(place);
        let mut raw = number.map(|number| number.raw.clone()).unwrap_or_default();
        if place + 1 == numbers {
            for more in contact.numbers.iter().skip(numbers) {
                raw.push_str(" ::: ");
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
    line(out, cells.iter().map(String::as_str))
}

fn call_line(out: &mut impl Write, call: &CallRow) -> io::Result<()> {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let time = |at: Option<jiff::Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    let seconds = |millis: Option<i64>| {
        let tenths = millis.map(|millis| (millis + 50) / 100);
        tenths
            .map(|it| format!("{}.{}", it / 10, it % 10))
            .unwrap_or_default()
    };
    let cells = [
        call.id.to_string(),
        call.direction.as_str().to_owned(),
        call.state.as_str().to_owned(),
        call.remote.clone(),
        text(&call.e164),
        text(&call.remote_name),
        text(&call.contact_name),
        text(&call.organization),
        call.level
            .map(|level| level.as_str().to_owned())
            .unwrap_or_default(),
        call.local.clone(),
        time(Some(call.started_at)),
        time(call.answered_at),
        time(call.ended_at),
        seconds(call.waiting_millis),
        seconds(call.talking_millis),
        text(&call.end_reason),
        if call.done { "yes" } else { "no" }.to_owned(),
        text(&call.recording),
        call.notes.clone(),
    ];
    line(out, cells.iter().map(String::as_str))
}

fn json(out: &mut impl Write, row: &impl serde::Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, row)?;
    out.write_all(b"\n")
}

/// Writes a line of a table (RFC 4180 section 2).
fn line<'a>(out: &mut impl Write, cells: impl IntoIterator<Item = &'a str>) -> io::Result<()> {
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
