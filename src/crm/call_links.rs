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

pub(crate) const ORDER_BY_TIME: &str = "
-- What happened around somebody is read from its newest end: a link has its call's time, so that nobody who
-- calls often has all calls gathered and sorted for each page. Filled in the order of the table, which takes a
-- fifth of what changing each row does.
DROP TRIGGER contacts_call_links;
DROP TRIGGER organizations_call_links;
DROP TRIGGER tickets_delete;
ALTER TABLE call_links RENAME TO call_links_without_time;
CREATE TABLE call_links (
    call INTEGER NOT NULL REFERENCES calls (seq) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    subject INTEGER NOT NULL,
    level TEXT NOT NULL,
    reason TEXT NOT NULL,
    name TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    PRIMARY KEY (call, kind, subject)
) STRICT, WITHOUT ROWID;
INSERT INTO call_links
    SELECT l.call, l.kind, l.subject, l.level, l.reason, l.name, c.started_at
    FROM call_links_without_time l CROSS JOIN calls c ON c.seq = l.call ORDER BY l.call, l.kind, l.subject;
DROP TABLE call_links_without_time;
-- A record's calls, newest last, and what goes when it is deleted.
CREATE INDEX call_links_in_time ON call_links (kind, subject, started_at, call);
CREATE TRIGGER calls_links_time AFTER UPDATE OF started_at ON calls BEGIN
    UPDATE call_links SET started_at = new.started_at WHERE call = new.seq;
END;
CREATE TRIGGER contacts_call_links AFTER DELETE ON contacts BEGIN
    DELETE FROM call_links WHERE kind = 'contact' AND subject = old.id;
END;
CREATE TRIGGER organizations_call_links AFTER DELETE ON organizations BEGIN
    DELETE FROM call_links WHERE kind = 'organization' AND subject = old.id;
END;
CREATE TRIGGER tickets_delete AFTER DELETE ON tickets BEGIN
    DELETE FROM ticket_words WHERE rowid = old.id;
    DELETE FROM call_links WHERE kind = 'ticket' AND subject = old.id;
END;
";

/// A call's place among those of a record: when it began, in microseconds since the Unix epoch, and its place
/// in the order in which calls were written.
pub(crate) type Place = (i64, i64);

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
            "INSERT INTO call_links (call, kind, subject, level, reason, name, started_at)
             SELECT seq, ?2, ?3, ?4, ?5, ?6, started_at FROM calls WHERE seq = ?1
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

/// Gives a call a link that was taken away, unless there is one by now, or no call any more.
pub(crate) fn bring_back(
    transaction: &Transaction<'_>,
    call: i64,
    subject: Subject,
    [level, reason, name]: [&str; 3],
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO call_links (call, kind, subject, level, reason, name, started_at)
             SELECT seq, ?2, ?3, ?4, ?5, ?6, started_at FROM calls WHERE seq = ?1",
        )?
        .execute(params![
            call,
            subject.kind(),
            subject.id(),
            level,
            reason,
            name
        ])?;
    Ok(())
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

/// Reads the places of the calls that are linked to a record, the newest of those before one, at most so many.
pub(crate) fn newest(
    connection: &Connection,
    subject: Subject,
    before: Place,
    behind: Place,
    limit: u32,
) -> rusqlite::Result<Vec<Place>> {
    let (kind, id) = (subject.kind(), subject.id());
    connection
        .prepare_cached(NEWEST)?
        .query_map(
            params![kind, id, before.0, before.1, limit, behind.0, behind.1],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?
        .collect()
}

const NEWEST: &str = "SELECT started_at, call FROM call_links WHERE kind = ?1 AND subject = ?2
     AND (started_at, call) < (?3, ?4)
     AND (started_at, call) > (?6, ?7) ORDER BY started_at DESC, call DESC LIMIT ?5";

/// The statement of the list, with the index that it must use.
#[cfg(test)]
pub(crate) fn query_for_plan() -> (String, &'static str) {
    (NEWEST.to_owned(), "call_links_in_time")
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
