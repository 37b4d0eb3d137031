//! Calls that just began, each kept on one page until the log has taken it in.
//!
//! A row of the log touches the pages of its indexes and of the search, a dozen and more, and a
//! caller hears nothing before they are on disk. So a call that comes alone is first kept here as it
//! is, which is as durable and costs one page. The writer takes it into the log right after; where it
//! could not, the next transaction does, or the next start. While the writer is busy for long, `aside` has
//! what would be kept here.

use rusqlite::{Transaction, params};

use crate::crm::calls;
use crate::crm::number_key::Numbering;
use crate::crm::row::CallRow;

pub(crate) const CREATE: &str = "
-- Calls on their way into the log, as JSON: each is here for a moment, before it rings.
CREATE TABLE arrivals (
    seq INTEGER PRIMARY KEY,
    call TEXT NOT NULL
) STRICT;
";

/// Keeps a call; once that is committed, it is in the log for all but its readers.
pub(crate) fn keep(transaction: &Transaction<'_>, call: &CallRow) -> rusqlite::Result<()> {
    let text = serde_json::to_string(call)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    take_over(transaction, &text)
}

/// Keeps a call that was written down elsewhere, as JSON.
pub(crate) fn take_over(transaction: &Transaction<'_>, text: &str) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("INSERT INTO arrivals (call) VALUES (?1)")?
        .execute([text])?;
    Ok(())
}

/// Takes what is kept into the log.
pub(crate) fn settle(transaction: &Transaction<'_>, numbering: &Numbering) -> rusqlite::Result<()> {
    let kept: Vec<(i64, String)> = transaction
        .prepare_cached("SELECT seq, call FROM arrivals ORDER BY seq")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (seq, text) in kept {
        match serde_json::from_str(&text) {
            Ok(call) => calls::insert(transaction, &call, numbering)?,
            // Only a damaged file says what no version wrote; it must not hold up the others.
            Err(error) => tracing::error!("a call that began cannot be read: {error}: {text}"),
        }
        transaction
            .prepare_cached("DELETE FROM arrivals WHERE seq = ?1")?
            .execute(params![seq])?;
    }
    Ok(())
}
