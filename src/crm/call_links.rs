//! Who may have been on a call: any number of contacts for each call.

use rusqlite::{Connection, Transaction, params};

use crate::base::id::{CallId, ContactId};
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

/// Reads the contacts that a call links to, the surest first.
pub(crate) fn of(connection: &Connection, call: CallId) -> rusqlite::Result<Vec<Match>> {
    let mut query = connection.prepare_cached(
        "SELECT l.contact, l.name, o.name, c.role, l.level, l.reason
         FROM call_links l JOIN calls k ON k.seq = l.call JOIN contacts c ON c.id = l.contact
         LEFT JOIN organizations o ON o.id = c.organization
         WHERE k.id = ?1 ORDER BY c.folded, c.id",
    )?;
    let rows = query.query_map([call.to_string()], |row| {
        let level: String = row.get(4)?;
        Ok(Match {
            contact: ContactId(row.get(0)?),
            name: row.get(1)?,
            organization: row.get(2)?,
            role: row.get(3)?,
            level: MatchLevel::parse(&level).unwrap_or(MatchLevel::Maybe),
            reason: row.get(5)?,
        })
    })?;
    let mut links = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    links.sort_by_key(|link| link.level);
    Ok(links)
}
