//! What happened around a record: its calls, notes, tickets and tasks, the newest first.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use crate::crm::calls::{COLUMNS, read};
use crate::crm::row::{CallRow, Subject, TimelineEntry};
use crate::crm::{notes, tasks, tickets};

/// A page holds at most so many entries.
const PAGE_LIMIT: usize = 500;

/// Reads the entries before a moment, the newest first.
pub(crate) fn page(
    connection: &Connection,
    about: Subject,
    before: Timestamp,
    limit: usize,
) -> rusqlite::Result<Vec<TimelineEntry>> {
    let limit = limit.min(PAGE_LIMIT);
    let each = u32::try_from(limit).unwrap_or(u32::MAX);
    let calls = calls(connection, about, before, each)?;
    let mut entries: Vec<TimelineEntry> = calls
        .into_iter()
        .map(|call| TimelineEntry::Call(Box::new(call)))
        .collect();
    let notes = notes::of(connection, about, before, each)?;
    entries.extend(notes.into_iter().map(TimelineEntry::Note));
    let tasks = tasks::of(connection, about, before, each)?;
    entries.extend(tasks.into_iter().map(TimelineEntry::Task));
    if !matches!(about, Subject::Ticket(_)) {
        let tickets = tickets::changed_before(connection, about, before, each)?;
        entries.extend(tickets.into_iter().map(TimelineEntry::Ticket));
    }
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.at()));
    entries.truncate(limit);
    Ok(entries)
}

/// The calls that are linked to a record; an organization has those of its people, too.
fn calls(
    connection: &Connection,
    about: Subject,
    before: Timestamp,
    limit: u32,
) -> rusqlite::Result<Vec<CallRow>> {
    let people = match about {
        Subject::Organization(_) => {
            "UNION SELECT call FROM call_links WHERE kind = 'contact' AND subject IN (
                SELECT id FROM contacts WHERE organization = ?2
                UNION SELECT contact FROM memberships WHERE organization = ?2)"
        }
        Subject::Contact(_) | Subject::Ticket(_) => "",
    };
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM calls c WHERE c.seq IN (
                SELECT call FROM call_links WHERE kind = ?1 AND subject = ?2 {people})
             AND c.started_at < ?3 ORDER BY c.started_at DESC, c.seq DESC LIMIT ?4"
        ))?
        .query_map(
            params![about.kind(), about.id(), before.as_microsecond(), limit],
            read,
        )?
        .collect()
}
