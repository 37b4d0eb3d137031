//! Who changed what, and when: one row for each change that an agent makes.

use jiff::Timestamp;
use rusqlite::{Connection, Row, Transaction, params};

use crate::crm::row::{AuditRow, Subject};

/// So many rows are read at most.
const PAGE_LIMIT: u32 = 1_000;
/// So many characters of a detail are kept.
const DETAIL: usize = 512;

pub(crate) const CREATE: &str = "
-- A trail for administrators: rows are only ever added here, but for the erasure of a person and for age.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    agent TEXT NOT NULL,
    what TEXT NOT NULL,
    kind TEXT,
    subject INTEGER,
    detail TEXT NOT NULL
) STRICT;
-- What happened to one record.
CREATE INDEX audit_by_subject ON audit (kind, subject, id) WHERE kind IS NOT NULL;
";

/// Who writes, and when: what each change is noted with.
#[derive(Debug, Clone)]
pub(crate) struct Change<'a> {
    /// When.
    pub(crate) at: Timestamp,
    /// The agent's name.
    pub(crate) agent: &'a str,
}

/// Notes a change: `what` is a verb and a noun such as `save contact`.
pub(crate) fn note(
    transaction: &Transaction<'_>,
    change: &Change<'_>,
    what: &str,
    subject: Option<Subject>,
    detail: &str,
) -> rusqlite::Result<()> {
    let end = detail
        .char_indices()
        .nth(DETAIL)
        .map_or(detail.len(), |(end, _)| end);
    transaction
        .prepare_cached(
            "INSERT INTO audit (at, agent, what, kind, subject, detail)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            change.at.as_microsecond(),
            change.agent,
            what,
            subject.map(Subject::kind),
            subject.map(Subject::id),
            detail.get(..end).unwrap_or_default(),
        ])?;
    Ok(())
}

/// Reads the trail, the newest first, of everything or of one record; `before` is the id of the last row
/// of the page before.
pub(crate) fn page(
    connection: &Connection,
    subject: Option<Subject>,
    before: Option<i64>,
    limit: u32,
) -> rusqlite::Result<Vec<AuditRow>> {
    let before = before.unwrap_or(i64::MAX);
    let limit = limit.min(PAGE_LIMIT);
    const COLUMNS: &str = "id, at, agent, what, kind, subject, detail";
    match subject {
        Some(subject) => connection
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM audit WHERE kind = ?1 AND subject = ?2 AND id < ?3
                 ORDER BY id DESC LIMIT ?4"
            ))?
            .query_map(params![subject.kind(), subject.id(), before, limit], read)?
            .collect(),
        None => connection
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM audit WHERE id < ?1 ORDER BY id DESC LIMIT ?2"
            ))?
            .query_map(params![before, limit], read)?
            .collect(),
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<AuditRow> {
    let (kind, id): (Option<String>, Option<i64>) = (row.get(4)?, row.get(5)?);
    Ok(AuditRow {
        id: row.get(0)?,
        at: Timestamp::from_microsecond(row.get(1)?).unwrap_or_default(),
        agent: row.get(2)?,
        what: row.get(3)?,
        subject: kind.zip(id).and_then(|(kind, id)| Subject::of(&kind, id)),
        detail: row.get(6)?,
    })
}
