//! What happened around a record: its calls, notes, tickets and tasks, the newest first.

use std::cmp::{Ordering, Reverse};

use rusqlite::{Connection, OptionalExtension as _};

use crate::crm::call_links::Place;
use crate::crm::call_page::{self, Placed};
use crate::crm::row::{Subject, TimelineCursor, TimelineEntry, TimelineId, TimelineKind};
use crate::crm::{call_links, contacts, notes, tasks, tickets};

/// A page holds at most so many entries.
const PAGE_LIMIT: usize = 500;

/// Reads a page of entries, the newest first, and where the next page begins.
pub(crate) fn page(
    connection: &Connection,
    about: Subject,
    after: Option<TimelineCursor>,
    limit: usize,
) -> rusqlite::Result<(Vec<TimelineEntry>, Option<TimelineCursor>)> {
    let limit = limit.clamp(1, PAGE_LIMIT);
    let each = u32::try_from(limit.saturating_add(1)).unwrap_or(u32::MAX);
    let before = |kind| before(after, kind);
    let mut found: Vec<(TimelineCursor, TimelineEntry)> = Vec::new();
    for call in calls(connection, about, before(TimelineKind::Call), each)? {
        let entry = TimelineEntry::Call(Box::new(call.row));
        found.push((place(&entry, TimelineKind::Call, call.seq), entry));
    }
    for note in notes::of(connection, about, before(TimelineKind::Note), each)? {
        let id = note.id.0;
        let entry = TimelineEntry::Note(note);
        found.push((place(&entry, TimelineKind::Note, id), entry));
    }
    for task in tasks::of(connection, about, before(TimelineKind::Task), each)? {
        let id = task.id.0;
        let entry = TimelineEntry::Task(task);
        found.push((place(&entry, TimelineKind::Task, id), entry));
    }
    if !matches!(about, Subject::Ticket(_)) {
        let before = before(TimelineKind::Ticket);
        for ticket in tickets::changed_before(connection, about, before, each)? {
            let id = ticket.id.0;
            let entry = TimelineEntry::Ticket(ticket);
            found.push((place(&entry, TimelineKind::Ticket, id), entry));
        }
    }
    found.sort_by_key(|(at, _)| (Reverse(at.at_micros), at.kind, Reverse(at.id)));
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|(at, _)| *at);
    Ok((found.into_iter().map(|(_, entry)| entry).collect(), next))
}

/// The time and id before which entries of a kind belong to a page: those of the cursor's own moment are shown
/// already where their kind comes before the cursor's.
fn before(after: Option<TimelineCursor>, kind: TimelineKind) -> (i64, i64) {
    let Some(after) = after else {
        return (i64::MAX, i64::MAX);
    };
    let id = match kind.cmp(&after.kind) {
        Ordering::Less => i64::MIN,
        Ordering::Equal => after.id,
        Ordering::Greater => i64::MAX,
    };
    (after.at_micros, id)
}

fn place(entry: &TimelineEntry, kind: TimelineKind, id: i64) -> TimelineCursor {
    TimelineCursor {
        at_micros: entry.at().as_microsecond(),
        kind,
        id,
    }
}

/// Where a timeline goes on after an entry; none where there is no such entry.
pub(crate) fn cursor(
    connection: &Connection,
    entry: TimelineId,
) -> rusqlite::Result<Option<TimelineCursor>> {
    let (kind, query, id) = match entry {
        TimelineId::Call(id) => {
            let found = call_page::cursor(connection, id)?;
            return Ok(found.map(|call| TimelineCursor {
                at_micros: call.started_micros,
                kind: TimelineKind::Call,
                id: call.seq,
            }));
        }
        TimelineId::Note(id) => (
            TimelineKind::Note,
            "SELECT at FROM notes WHERE id = ?1",
            id.0,
        ),
        TimelineId::Task(id) => (
            TimelineKind::Task,
            "SELECT created_at FROM tasks WHERE id = ?1",
            id.0,
        ),
        TimelineId::Ticket(id) => (
            TimelineKind::Ticket,
            "SELECT updated_at FROM tickets WHERE id = ?1",
            id.0,
        ),
    };
    connection
        .prepare_cached(query)?
        .query_row([id], |row| {
            Ok(TimelineCursor {
                at_micros: row.get(0)?,
                kind,
                id,
            })
        })
        .optional()
}

/// The calls that are linked to a record; an organization has those of its people, too.
fn calls(
    connection: &Connection,
    about: Subject,
    before: Place,
    limit: u32,
) -> rusqlite::Result<Vec<Placed>> {
    let always = (i64::MIN, i64::MIN);
    let mut newest = call_links::newest(connection, about, before, always, limit)?;
    if let Subject::Organization(organization) = about {
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        for person in contacts::people(connection, organization)? {
            // What is older than a page of the others is on none.
            let full = newest.len() == most;
            let behind = newest.last().filter(|_| full).copied().unwrap_or(always);
            let person = Subject::Contact(person);
            let theirs = call_links::newest(connection, person, before, behind, limit)?;
            newest.extend(theirs);
            newest.sort_unstable_by_key(|place| Reverse(*place));
            // A call with several of them is one.
            newest.dedup();
            newest.truncate(most);
        }
    }
    call_page::placed(connection, newest.into_iter().map(|(_, seq)| seq))
}
