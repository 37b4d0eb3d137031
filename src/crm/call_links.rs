//! Who may have been on a call: any number of contacts for each call.

use rusqlite::{Connection, Transaction, params};

use crate::base::id::ContactId;
use crate::crm::row::{Match, MatchLevel};

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

/// Links a call to a contact; a manual link is never weakened, another one is replaced.
pub(crate) fn link(
    transaction: &Transaction<'_>,
    call: i64,
    candidate: &Match,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO call_links (call, contact, level, reason, name)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (call, contact) DO UPDATE SET level = excluded.level,
                reason = excluded.reason WHERE level <> 'manual'",
        )?
        .execute(params![
            call,
            candidate.contact.0,
            candidate.level.as_str(),
            candidate.reason,
            candidate.name,
        ])?;
    Ok(())
}

/// Reads the contacts that a call links to and how sure each is, in the order of their ids.
pub(crate) fn of(
    connection: &Connection,
    call: i64,
) -> rusqlite::Result<Vec<(ContactId, MatchLevel)>> {
    let mut query = connection
        .prepare_cached("SELECT contact, level FROM call_links WHERE call = ?1 ORDER BY contact")?;
    let rows = query.query_map([call], |row| {
        let level: String = row.get(1)?;
        Ok((
            ContactId(row.get(0)?),
            MatchLevel::parse(&level).unwrap_or(MatchLevel::Maybe),
        ))
    })?;
    rows.collect()
}
