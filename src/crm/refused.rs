//! What was refused unheard: one row for a source, a reason and a minute, however many requests.

use std::net::IpAddr;

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, params};

use crate::crm::row::RefusedRow;

/// How long rows are kept, in minutes: 30 days.
const KEPT_MINUTES: i64 = 30 * 24 * 60;
/// How many rows are kept at most, the newest.
const KEPT_ROWS: i64 = 50_000;
/// So many characters of a reason are kept.
const WHY: usize = 64;

pub(crate) const CREATE: &str = "
-- Scanners knock thousands of times a minute: they are counted by minute, source and reason, and
-- never written into the call log.
CREATE TABLE refused (
    minute INTEGER NOT NULL,
    source TEXT NOT NULL,
    why TEXT NOT NULL,
    requests INTEGER NOT NULL,
    PRIMARY KEY (minute, source, why)
) STRICT, WITHOUT ROWID;
";

/// Adds counts to the rows of their minute, and drops what is too old or too much.
pub(crate) fn add(
    transaction: &Transaction<'_>,
    at: Timestamp,
    counts: &[(IpAddr, String, u64)],
) -> rusqlite::Result<()> {
    let minute = at.as_second().div_euclid(60);
    for (source, why, count) in counts {
        let why: String = why.chars().take(WHY).collect();
        transaction
            .prepare_cached(
                "INSERT INTO refused (minute, source, why, requests) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (minute, source, why) DO UPDATE SET requests = requests + ?4",
            )?
            .execute(params![
                minute,
                source.to_string(),
                why,
                i64::try_from(*count).unwrap_or(i64::MAX)
            ])?;
    }
    transaction
        .prepare_cached("DELETE FROM refused WHERE minute < ?1")?
        .execute([minute - KEPT_MINUTES])?;
    transaction
        .prepare_cached(
            "DELETE FROM refused WHERE (minute, source, why) IN (
                SELECT minute, source, why FROM refused
                ORDER BY minute DESC, source, why LIMIT -1 OFFSET ?1)",
        )?
        .execute([KEPT_ROWS])?;
    Ok(())
}

/// The counts since a moment, summed over the minutes, the most first.
pub(crate) fn since(
    connection: &Connection,
    at: Timestamp,
    limit: u32,
) -> rusqlite::Result<Vec<RefusedRow>> {
    let mut query = connection.prepare_cached(
        "SELECT source, why, sum(requests), count(*), max(minute) FROM refused
         WHERE minute >= ?1 GROUP BY source, why ORDER BY sum(requests) DESC, source, why LIMIT ?2",
    )?;
    let rows = query.query_map(params![at.as_second().div_euclid(60), limit], |row| {
        let last: i64 = row.get(4)?;
        Ok(RefusedRow {
            source: row.get(0)?,
            why: row.get(1)?,
            requests: row.get(2)?,
            minutes: row.get(3)?,
            last_at: Timestamp::from_second(last * 60).unwrap_or_default(),
        })
    })?;
    rows.collect()
}
