//! The list of guesses, page by page, the newest texts first.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::base::id::HintId;
use crate::crm::number_hints::{SELECT, read};
use crate::crm::row::{HintCursor, HintFilter, HintRow, HintState};
use crate::crm::store::StoreError;

/// A page holds at most so many.
const PAGE_LIMIT: u32 = 1_000;

/// Reads a page of the guesses that a filter shows, the newest texts first; `number` is its international
/// form.
pub(crate) fn page(
    connection: &Connection,
    filter: &HintFilter,
    number: Option<&str>,
    after: Option<HintCursor>,
    limit: usize,
) -> Result<Vec<HintRow>, StoreError> {
    let limit = u32::try_from(limit).unwrap_or(u32::MAX).min(PAGE_LIMIT);
    let mut query = connection.prepare_cached(&page_query(number.is_some()))?;
    let state = filter.state.map(HintState::as_str);
    let contact = filter.contact.map(|id| id.0);
    let (said, id) = after.map_or((i64::MAX, i64::MAX), |after| {
        (after.said_micros, after.id.0)
    });
    let rows = query.query_map(params![number, contact, state, limit, said, id], read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn page_query(of_number: bool) -> String {
    let number = if of_number {
        "h.number = ?1"
    } else {
        "?1 IS NULL"
    };
    format!(
        "SELECT * FROM ({SELECT}
            WHERE {number} AND (?2 IS NULL OR c.id = ?2) AND (h.said_at, h.id) < (?5, ?6))
         WHERE ?3 IS NULL OR ?3 = CASE WHEN known THEN 'confirmed'
            WHEN decided AND assigned IS NULL THEN 'rejected' ELSE 'open' END
         ORDER BY said_at DESC, id DESC LIMIT ?4"
    )
}

/// Where the page after a guess begins; none where there is no such guess.
pub(crate) fn cursor(connection: &Connection, id: HintId) -> rusqlite::Result<Option<HintCursor>> {
    connection
        .prepare_cached("SELECT said_at FROM number_hints WHERE id = ?1")?
        .query_row([id.0], |row| {
            Ok(HintCursor {
                said_micros: row.get(0)?,
                id,
            })
        })
        .optional()
}

/// The statements of the list, with the index that each must use.
#[cfg(test)]
pub(crate) fn queries_for_plan() -> [(String, &'static str); 2] {
    [
        (page_query(false), "number_hints_newest"),
        (page_query(true), "number_hints_by_number"),
    ]
}
