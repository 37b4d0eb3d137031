//! What was measured of the sound of each call, second by second.
//!
//! Like ladders, it may be lost in a crash, a call's row never: it is written now and then during a
//! long call, and after its end.

use rusqlite::{Connection, Transaction, params};

use crate::base::id::CallId;
use crate::crm::row::QualitySpan;
use crate::crm::store::StoreError;

/// So many octets are kept in all: some ten thousand calls of three minutes. The oldest go first.
const KEPT_OCTETS: i64 = 64 << 20;

pub(crate) const CREATE: &str = "
-- The sum of what was measured of a call's sound, as JSON, and why one side was not heard. Both are
-- shown with the call in every list.
ALTER TABLE calls ADD COLUMN quality TEXT;
ALTER TABLE calls ADD COLUMN sound_problem TEXT;
-- The figures by time, for a graph: JSON, one array of numbers for each span of one second or more.
CREATE TABLE call_quality (
    call INTEGER PRIMARY KEY REFERENCES calls (seq) ON DELETE CASCADE,
    octets INTEGER NOT NULL,
    spans TEXT NOT NULL
) STRICT;
-- The oldest are found without reading any figures.
CREATE INDEX call_quality_by_size ON call_quality (call, octets);
";

/// Writes the spans of calls, in place of those that are there; those of calls that are not in the
/// log are left out.
pub(crate) fn save(
    transaction: &Transaction<'_>,
    batch: &[(CallId, Vec<QualitySpan>)],
) -> rusqlite::Result<()> {
    for (call, spans) in batch {
        let numbers: Vec<_> = spans.iter().map(QualitySpan::numbers).collect();
        let text = serde_json::to_string(&numbers)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO call_quality (call, octets, spans)
                 SELECT seq, ?2, ?3 FROM calls WHERE id = ?1",
            )?
            .execute(params![
                call.to_string(),
                i64::try_from(text.len()).unwrap_or(i64::MAX),
                text,
            ])?;
    }
    Ok(())
}

/// Reads the spans of a call, in order; none are left of an old one.
pub(crate) fn of(connection: &Connection, call: CallId) -> Result<Vec<QualitySpan>, StoreError> {
    let mut query = connection.prepare_cached(
        "SELECT spans FROM call_quality WHERE call = (SELECT seq FROM calls WHERE id = ?1)",
    )?;
    let mut rows = query.query([call.to_string()])?;
    let Some(row) = rows.next()? else {
        return Ok(Vec::new());
    };
    let text: String = row.get(0)?;
    let numbers: Vec<Vec<Option<u32>>> = serde_json::from_str(&text)
        .map_err(|error| StoreError::Database(format!("a call's figures are damaged: {error}")))?;
    let spans = numbers.iter().map(|span| QualitySpan::of_numbers(span));
    Ok(spans.collect())
}

/// Keeps the sum of all figures bounded.
pub(crate) fn prune_to_limit(transaction: &Transaction<'_>) -> rusqlite::Result<usize> {
    prune(transaction, KEPT_OCTETS)
}

/// Removes the oldest figures beyond so many octets in all.
pub(crate) fn prune(transaction: &Transaction<'_>, octets: i64) -> rusqlite::Result<usize> {
    transaction
        .prepare_cached(
            "DELETE FROM call_quality WHERE call <= (SELECT max(call) FROM
                (SELECT call, sum(octets) OVER (ORDER BY call DESC) AS total
                 FROM call_quality INDEXED BY call_quality_by_size) WHERE total > ?1)",
        )?
        .execute([octets])
}
