//! Which missed calls a call that was dialled is the answer to.

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use crate::base::id::CallId;
use crate::crm::calls::OF_THOSE_TO_CALL_BACK;

/// Links a call that is dialled to the missed calls of its number that wait.
pub(crate) fn note(transaction: &Transaction<'_>, call: i64) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(&format!(
            "INSERT OR IGNORE INTO call_backs (missed, call)
             SELECT seq, ?1 FROM {OF_THOSE_TO_CALL_BACK}
             AND number = (SELECT number FROM calls WHERE seq = ?1)"
        ))?
        .execute([call])?;
    Ok(())
}

/// How often somebody tried to call back since a call was missed, and when the last time.
pub(crate) fn attempts(
    connection: &Connection,
    missed: CallId,
) -> rusqlite::Result<(u32, Option<i64>)> {
    connection
        .prepare_cached(
            "SELECT count(*), max(k.started_at) FROM call_backs b
             JOIN calls m ON m.seq = b.missed JOIN calls k ON k.seq = b.call WHERE m.id = ?1",
        )?
        .query_row([missed.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The missed calls that a call answers, the oldest first.
pub(crate) fn answered_by(connection: &Connection, call: CallId) -> rusqlite::Result<Vec<CallId>> {
    let seq: Option<i64> = connection
        .prepare_cached("SELECT seq FROM calls WHERE id = ?1")?
        .query_row([call.to_string()], |row| row.get(0))
        .optional()?;
    connection
        .prepare_cached(
            "SELECT m.id FROM call_backs b JOIN calls m ON m.seq = b.missed
             WHERE b.call = ?1 ORDER BY m.started_at",
        )?
        .query_map(params![seq], |row| row.get::<_, String>(0))?
        .map(|id| Ok(CallId::parse(&id?)))
        .filter_map(Result::transpose)
        .collect()
}
