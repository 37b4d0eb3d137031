//! What was decided for each call: whether it popped up, to whom, and why.

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use crate::base::id::CallId;
use crate::crm::routing_row::PopupDecision;

pub(crate) const CREATE: &str = "
-- Why a call popped up here, or why it did not: one row for each call for which something was set up
-- or in the way; `decision` is JSON.
CREATE TABLE call_popups (
    call INTEGER PRIMARY KEY REFERENCES calls (seq) ON DELETE CASCADE,
    shown INTEGER NOT NULL,
    nobody_scheduled INTEGER NOT NULL,
    decision TEXT NOT NULL
) STRICT;
";

/// Keeps what was decided for a call, in place of what is there, and in its row the queue and whose
/// line it is; of a call that is not in the log nothing is kept.
pub(crate) fn save(
    transaction: &Transaction<'_>,
    call: CallId,
    decision: &PopupDecision,
) -> rusqlite::Result<()> {
    let text = serde_json::to_string(decision)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO call_popups (call, shown, nobody_scheduled, decision)
             SELECT seq, ?2, ?3, ?4 FROM calls WHERE id = ?1",
        )?
        .execute(params![
            call.to_string(),
            decision.shown,
            decision.nobody_scheduled,
            text
        ])?;
    let agent = match decision.matching.as_slice() {
        [only] => Some(only),
        _ => None,
    };
    transaction
        .prepare_cached(
            "UPDATE calls SET queue = coalesce(queue, ?2), agent = coalesce(agent, ?3) WHERE id = ?1",
        )?
        .execute(params![call.to_string(), decision.queue, agent])?;
    Ok(())
}

/// Reads what was decided for a call; none where nothing was set up and nothing in the way.
pub(crate) fn of(connection: &Connection, call: CallId) -> rusqlite::Result<Option<PopupDecision>> {
    let text: Option<String> = connection
        .prepare_cached(
            "SELECT p.decision FROM call_popups p JOIN calls c ON c.seq = p.call WHERE c.id = ?1",
        )?
        .query_row([call.to_string()], |row| row.get(0))
        .optional()?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}
