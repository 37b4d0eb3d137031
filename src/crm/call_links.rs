//! What a call concerns: any number of people, organizations and tickets.

use rusqlite::{Connection, Transaction, params};

use crate::base::id::CallId;
use crate::crm::row::{Match, MatchLevel, Subject};

pub(crate) const CREATE: &str = "
-- A shared number gives one call and several links, never several calls. The name is kept as it
-- was at the time of the call, so that history stays readable.
CREATE TABLE call_links (
    call INTEGER NOT NULL REFERENCES calls (seq) ON DELETE CASCADE,
    contact INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    level TEXT NOT NULL,
    reason TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (call, contact)
) STRICT, WITHOUT ROWID;
-- A contact's calls, and what goes when it is deleted.
CREATE INDEX call_links_by_contact ON call_links (contact, call);
";

pub(crate) const CONCERN_ANYTHING: &str = "
-- A call concerns organizations and tickets as well as people: a link names the kind of its record.
ALTER TABLE call_links RENAME TO call_links_of_contacts;
CREATE TABLE call_links (
    call INTEGER NOT NULL REFERENCES calls (seq) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    subject INTEGER NOT NULL,
    level TEXT NOT NULL,
    reason TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (call, kind, subject)
) STRICT, WITHOUT ROWID;
INSERT INTO call_links SELECT call, 'contact', contact, level, reason, name FROM call_links_of_contacts;
DROP TABLE call_links_of_contacts;
-- A record's calls, and what goes when it is deleted.
CREATE INDEX call_links_by_subject ON call_links (kind, subject, call);
CREATE TRIGGER contacts_call_links AFTER DELETE ON contacts BEGIN
    DELETE FROM call_links WHERE kind = 'contact' AND subject = old.id;
END;
CREATE TRIGGER organizations_call_links AFTER DELETE ON organizations BEGIN
    DELETE FROM call_links WHERE kind = 'organization' AND subject = old.id;
END;
";

/// Links a call to a record; a manual link is never weakened, another one is replaced. True if there was
/// none.
pub(crate) fn link(
    transaction: &Transaction<'_>,
    call: i64,
    candidate: &Match,
) -> rusqlite::Result<bool> {
    let known = transaction
        .prepare_cached("SELECT 1 FROM call_links WHERE call = ?1 AND kind = ?2 AND subject = ?3")?
        .exists(params![
            call,
            candidate.subject.kind(),
            candidate.subject.id()
        ])?;
    transaction
        .prepare_cached(
            "INSERT INTO call_links (call, kind, subject, level, reason, name)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (call, kind, subject) DO UPDATE SET level = excluded.level,
                reason = excluded.reason WHERE level <> 'manual'",
        )?
        .execute(params![
            call,
            candidate.subject.kind(),
            candidate.subject.id(),
            candidate.level.as_str(),
            candidate.reason,
            candidate.name,
        ])?;
    Ok(!known)
}

/// Takes a link away; true if there was one.
pub(crate) fn unlink(
    transaction: &Transaction<'_>,
    call: i64,
    subject: Subject,
) -> rusqlite::Result<bool> {
    let gone = transaction
        .prepare_cached("DELETE FROM call_links WHERE call = ?1 AND kind = ?2 AND subject = ?3")?
        .execute(params![call, subject.kind(), subject.id()])?;
    Ok(gone > 0)
}

/// Reads what a call links to, the surest first.
pub(crate) fn of(connection: &Connection, call: CallId) -> rusqlite::Result<Vec<Match>> {
    let mut query = connection.prepare_cached(
        "SELECT l.kind, l.subject, l.name, o.name, c.role, l.level, l.reason
         FROM call_links l JOIN calls k ON k.seq = l.call
         LEFT JOIN contacts c ON l.kind = 'contact' AND c.id = l.subject
         LEFT JOIN organizations o ON o.id = c.organization
         WHERE k.id = ?1 ORDER BY l.kind, c.folded, l.subject",
    )?;
    let rows = query.query_map([call.to_string()], |row| {
        let (kind, id): (String, i64) = (row.get(0)?, row.get(1)?);
        let level: String = row.get(5)?;
        let subject = Subject::of(&kind, id);
        Ok(subject.map(|subject| {
            Ok(Match {
                subject,
                name: row.get(2)?,
                organization: row.get(3)?,
                role: row.get(4)?,
                level: MatchLevel::parse(&level).unwrap_or(MatchLevel::Maybe),
                reason: row.get(6)?,
            })
        }))
    })?;
    let mut links = rows
        .filter_map(Result::transpose)
        .map(|row| row.and_then(|link| link))
        .collect::<rusqlite::Result<Vec<_>>>()?;
    links.sort_by_key(|link| link.level);
    Ok(links)
}
