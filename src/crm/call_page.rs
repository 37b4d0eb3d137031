//! Pages of the call log: filters, search, counts.
//!
//! Pages go by key, never by offset, so that the thousandth costs what the first does. Counts are kept
//! (`row_counts`).

use std::cmp::Reverse;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::base::id::CallId;
use crate::crm::call_backs::{NEWEST_TO_CALL_BACK, OF_THOSE_TO_CALL_BACK, WAITING};
use crate::crm::calls::{COLUMNS, read};
use crate::crm::row::{CALLS_COUNTED, CallCursor, CallFilter, CallPage, CallRow};
use crate::crm::search::{Asked, asked};
use crate::crm::store::StoreError;
use crate::crm::{row_counts, word_index};

/// A page holds at most so many rows.
const PAGE_LIMIT: usize = 1000;

/// So many matches of a search are counted, and so many read at first where nobody counts.
const COUNTED: u32 = if cfg!(test) { 20 } else { CALLS_COUNTED };

/// The condition of the index `calls_missed`, word for word: else SQLite does not see that the
/// index has them all.
const MISSED: &str = "direction = 'inbound' AND ended_at IS NOT NULL
    AND (answered_at IS NULL OR state IN ('failed', 'no-answer'))
    AND state NOT IN ('blocked', 'answered-elsewhere', 'forwarded')";

/// Reads a page, newest first. `ToCallBack` gives the newest call of each number. A search counts
/// at most [`CALLS_COUNTED`] rows.
pub(crate) fn page(
    connection: &Connection,
    filter: CallFilter,
    search: &str,
    after: Option<CallCursor>,
    limit: usize,
) -> Result<CallPage, StoreError> {
    let words = word_index::CALLS.names(connection, search)?;
    let (rows, next, total) = match &words {
        Some(words) if filter == CallFilter::All => {
            let matches = Matches::of(connection, search, words)?;
            let (rows, next) = matches.page(connection, words, after, limit)?;
            (rows, next, matches.total())
        }
        _ => {
            let in_time = entered_among(connection, search, words.as_deref())?;
            let in_time = in_time.as_deref();
            let (rows, next) = listed(connection, filter, words.as_deref(), in_time, after, limit)?;
            let total = count(connection, filter, words.as_deref())?;
            (rows, next, total)
        }
    };
    Ok(CallPage {
        next,
        total,
        waiting: if filter == CallFilter::ToCallBack {
            waiting(connection, &rows)?
        } else {
            Vec::new()
        },
        rows,
    })
}

/// Reads the rows of a page, and where the next one begins.
pub(crate) fn rows(
    connection: &Connection,
    filter: CallFilter,
    search: &str,
    after: Option<CallCursor>,
    limit: usize,
) -> Result<(Vec<CallRow>, Option<CallCursor>), StoreError> {
    match word_index::CALLS.names(connection, search)? {
        Some(words) if filter == CallFilter::All => {
            Matches::of(connection, search, &words)?.page(connection, &words, after, limit)
        }
        words => {
            let in_time = entered_among(connection, search, words.as_deref())?;
            let in_time = in_time.as_deref();
            listed(connection, filter, words.as_deref(), in_time, after, limit)
        }
    }
}

/// The matches of a search in the order of time, newest first, where one of them was entered by hand, and they are
/// not too many to sort; else none: the order in which the words' index has them is that of time.
pub(crate) fn entered_among(
    connection: &Connection,
    search: &str,
    words: Option<&str>,
) -> rusqlite::Result<Option<Vec<CallCursor>>> {
    let Some(words) = words else { return Ok(None) };
    if !connection.prepare_cached(ENTERED)?.exists([1])? {
        return Ok(None);
    }
    Ok(Matches::of(connection, search, words)?.in_time)
}

/// Those of matches in the order of time that are behind a call.
pub(crate) fn behind(in_time: &[CallCursor], after: Option<CallCursor>) -> &[CallCursor] {
    let key = |call: &CallCursor| (call.started_micros, call.seq);
    let first = after.map_or(0, |after| {
        in_time.partition_point(|call| key(call) >= key(&after))
    });
    in_time.get(first..).unwrap_or_default()
}

/// Reads the newest calls that a search finds, for who counts none and turns no page; none where nothing is searched
/// for.
pub(crate) fn newest(
    connection: &Connection,
    search: &str,
    limit: usize,
) -> Result<Vec<CallRow>, StoreError> {
    let Some(words) = word_index::CALLS.names(connection, search)? else {
        return Ok(Vec::new());
    };
    // One that was entered by hand began before it was written, and may take the place of another one there.
    let entered: i64 = connection
        .prepare_cached(&format!("SELECT count(*) FROM ({ENTERED})"))?
        .query_row([COUNTED], |row| row.get(0))?;
    let wanted = i64::try_from(limit).unwrap_or(i64::MAX);
    let wanted = wanted.saturating_add(entered);
    let places = connection
        .prepare_cached(
            "SELECT rowid FROM call_words WHERE call_words MATCH ?1 ORDER BY rowid DESC LIMIT ?2",
        )?
        .query_map(params![words, wanted], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<i64>>>()?;
    let places = if entered > 0 {
        let calls = in_time(connection, &places)?;
        calls.into_iter().map(|call| call.seq).collect()
    } else {
        places
    };
    let found = placed(connection, places.into_iter().take(limit))?;
    Ok(found.into_iter().map(|placed| placed.row).collect())
}

/// Matches of a search in all calls, as many as are counted: the newest or the oldest, of which FTS5 reads the
/// oldest twice as fast. Where these are all, or the page is among them, it is not searched again: what is rare
/// takes long to be found, and digits beyond the indexed ones are gathered each time.
struct Matches {
    /// Their places in the order in which calls were written, the newest first.
    places: Vec<i64>,
    are_newest: bool,
    /// When each began, and its place, the newest first: where one was entered by hand, which may have begun long
    /// before it was written. Known where these are all.
    in_time: Option<Vec<CallCursor>>,
}

/// As many calls that were entered by hand are looked for among the matches as there can be of these.
const ENTERED: &str = "SELECT seq FROM calls INDEXED BY calls_entered WHERE by_hand = 1
    ORDER BY started_at DESC LIMIT ?1";

impl Matches {
    fn of(connection: &Connection, search: &str, words: &str) -> rusqlite::Result<Self> {
        let are_newest = asked(search)
            .iter()
            .all(|asked| matches!(asked, Asked::Digits(_)));
        let order = if are_newest {
            "ORDER BY rowid DESC"
        } else {
            ""
        };
        let mut places = connection
            .prepare_cached(&format!(
                "SELECT rowid FROM call_words WHERE call_words MATCH ?1 {order} LIMIT {COUNTED}"
            ))?
            .query_map([words], |row| row.get(0))?
            .collect::<rusqlite::Result<Vec<i64>>>()?;
        if !are_newest {
            places.reverse();
        }
        let mut matches = Self {
            places,
            are_newest,
            in_time: None,
        };
        if matches.are_all() && matches.any_entered(connection)? {
            matches.in_time = Some(in_time(connection, &matches.places)?);
        }
        Ok(matches)
    }

    fn any_entered(&self, connection: &Connection) -> rusqlite::Result<bool> {
        let mut query = connection.prepare_cached(ENTERED)?;
        let mut rows = query.query([COUNTED])?;
        while let Some(row) = rows.next()? {
            let entered: i64 = row.get(0)?;
            let place = |seq: &i64| entered.cmp(seq);
            if self.places.binary_search_by(place).is_ok() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn are_all(&self) -> bool {
        self.places.len() < usize::try_from(COUNTED).unwrap_or(usize::MAX)
    }

    fn total(&self) -> u64 {
        u64::try_from(self.places.len()).unwrap_or_default()
    }

    fn page(
        &self,
        connection: &Connection,
        words: &str,
        after: Option<CallCursor>,
        limit: usize,
    ) -> Result<(Vec<CallRow>, Option<CallCursor>), StoreError> {
        let limit = limit.clamp(1, PAGE_LIMIT);
        if let Some(in_time) = &self.in_time {
            let places = behind(in_time, after).iter().map(|call| call.seq);
            let found = placed(connection, places.take(limit.saturating_add(1)))?;
            return Ok(cut(found, limit));
        }
        // The index is read in the order of `seq`, in which the calls were written: of too many matches to sort, one
        // that was entered by hand for an earlier time stands where it was entered.
        let before = after.map_or(i64::MAX, |after| after.seq);
        let first = self.places.partition_point(|seq| *seq >= before);
        let left = self.places.get(first..).unwrap_or_default();
        if self.are_all() || (self.are_newest && left.len() > limit) {
            let found = placed(
                connection,
                left.iter().copied().take(limit.saturating_add(1)),
            )?;
            return Ok(cut(found, limit));
        }
        listed(connection, CallFilter::All, Some(words), None, after, limit)
    }
}

/// When calls began, the newest first.
fn in_time(connection: &Connection, places: &[i64]) -> rusqlite::Result<Vec<CallCursor>> {
    let mut query = connection.prepare_cached("SELECT started_at FROM calls WHERE seq = ?1")?;
    let mut calls = Vec::with_capacity(places.len());
    for seq in places {
        let started: Option<i64> = query.query_row([seq], |row| row.get(0)).optional()?;
        calls.extend(started.map(|started_micros| CallCursor {
            started_micros,
            seq: *seq,
        }));
    }
    calls.sort_unstable_by_key(|call| Reverse((call.started_micros, call.seq)));
    Ok(calls)
}

/// Lists the calls of a filter, of all or of those that a search finds; `in_time` has these where one was entered by
/// hand.
fn listed(
    connection: &Connection,
    filter: CallFilter,
    words: Option<&str>,
    in_time: Option<&[CallCursor]>,
    after: Option<CallCursor>,
    limit: usize,
) -> Result<(Vec<CallRow>, Option<CallCursor>), StoreError> {
    let (after_start, after_seq) = after.map_or((i64::MAX, i64::MAX), |after| {
        (after.started_micros, after.seq)
    });
    let limit = limit.clamp(1, PAGE_LIMIT);
    if let Some(in_time) = in_time {
        let condition = condition(filter);
        let mut query = connection.prepare_cached(&format!(
            "SELECT {COLUMNS}, c.seq AS seq FROM calls c WHERE c.seq = ?1 AND {condition}"
        ))?;
        let mut found = Vec::new();
        for call in behind(in_time, after) {
            found.extend(query.query_row([call.seq], read_placed).optional()?);
            if found.len() > limit {
                break;
            }
        }
        return Ok(cut(found, limit));
    }
    let from = source(filter, words.is_some());
    let mut query = connection.prepare_cached(&page_query(&from, words.is_some()))?;
    let wanted = i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX);
    let found = match words {
        Some(words) => query
            .query_map(params![after_start, after_seq, wanted, words], read_placed)?
            .collect::<rusqlite::Result<Vec<_>>>()?,
        None => query
            .query_map(params![after_start, after_seq, wanted], read_placed)?
            .collect::<rusqlite::Result<Vec<_>>>()?,
    };
    Ok(cut(found, limit))
}

/// Leaves out what is beyond a page; gives where the next one begins.
fn cut(mut found: Vec<Placed>, limit: usize) -> (Vec<CallRow>, Option<CallCursor>) {
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(Placed::cursor);
    (found.into_iter().map(|placed| placed.row).collect(), next)
}

/// Reads calls by their places in the order in which they were written.
pub(crate) fn placed(
    connection: &Connection,
    places: impl IntoIterator<Item = i64>,
) -> rusqlite::Result<Vec<Placed>> {
    let mut query = connection.prepare_cached(&format!(
        "SELECT {COLUMNS}, c.seq AS seq FROM calls c WHERE c.seq = ?1"
    ))?;
    let mut found = Vec::new();
    for place in places {
        found.extend(query.query_row([place], read_placed).optional()?);
    }
    Ok(found)
}

/// A call with its place in the order in which calls were written.
pub(crate) struct Placed {
    pub(crate) row: CallRow,
    pub(crate) seq: i64,
}

impl Placed {
    /// Where the page behind it begins.
    pub(crate) fn cursor(&self) -> CallCursor {
        CallCursor {
            started_micros: self.row.started_at.as_microsecond(),
            seq: self.seq,
        }
    }
}

/// Where `c.seq` is in a row of [`COLUMNS`] that has it beside them: found by its name, it would be looked for in
/// each row.
const SEQ: usize = 40;

/// Reads a row of [`COLUMNS`] that has `c.seq` beside them.
pub(crate) fn read_placed(row: &Row<'_>) -> rusqlite::Result<Placed> {
    Ok(Placed {
        row: read(row)?,
        seq: row.get(SEQ)?,
    })
}

/// Where the page after a call begins; none where there is no such call.
pub(crate) fn cursor(connection: &Connection, id: CallId) -> rusqlite::Result<Option<CallCursor>> {
    connection
        .prepare_cached("SELECT started_at, seq FROM calls WHERE id = ?1")?
        .query_row([id.to_string()], |row| {
            Ok(CallCursor {
                started_micros: row.get(0)?,
                seq: row.get(1)?,
            })
        })
        .optional()
}

/// Counts the numbers that wait for a call back.
pub(crate) fn to_call_back(connection: &Connection) -> Result<u64, StoreError> {
    count(connection, CallFilter::ToCallBack, None)
}

/// Counts the missed calls that wait, for the number of each row.
fn waiting(connection: &Connection, rows: &[CallRow]) -> rusqlite::Result<Vec<u32>> {
    let mut query = connection.prepare_cached(&format!(
        "SELECT count(*) FROM {OF_THOSE_TO_CALL_BACK}
         AND number = (SELECT number FROM calls WHERE id = ?1)"
    ))?;
    rows.iter()
        .map(|row| query.query_row([row.id.to_string()], |row| row.get(0)))
        .collect()
}

/// Where a page's rows come from, up to and with the first conditions.
fn source(filter: CallFilter, searching: bool) -> String {
    let condition = condition(filter);
    if searching {
        // Few calls wait, and those lately: of all that a search finds only these are read.
        let among = match filter {
            CallFilter::ToCallBack => format!(
                "w.rowid >= (SELECT coalesce(min(seq), 0) FROM {WAITING})
                 AND +w.rowid IN (SELECT seq FROM {WAITING}) AND "
            ),
            _ => String::new(),
        };
        format!(
            "call_words w CROSS JOIN calls c ON c.seq = w.rowid
             WHERE w.call_words MATCH ?4 AND {among}{condition}"
        )
    } else {
        // Without statistics SQLite would take an index with an equality, and read all of it.
        let index = match filter {
            CallFilter::Missed => "INDEXED BY calls_missed",
            CallFilter::ToCallBack => "INDEXED BY calls_waiting",
            CallFilter::All | CallFilter::Inbound | CallFilter::Outbound => "",
        };
        format!("calls c {index} WHERE {condition}")
    }
}

/// What a filter asks of `calls c`.
fn condition(filter: CallFilter) -> &'static str {
    match filter {
        CallFilter::All => "true",
        CallFilter::Inbound => "direction = 'inbound'",
        CallFilter::Outbound => "direction = 'outbound'",
        CallFilter::Missed => MISSED,
        CallFilter::ToCallBack => NEWEST_TO_CALL_BACK,
    }
}

fn page_query(from: &str, searching: bool) -> String {
    let order = if searching {
        "AND w.rowid < ?2 ORDER BY w.rowid DESC"
    } else {
        "AND (c.started_at, c.seq) < (?1, ?2) ORDER BY c.started_at DESC, c.seq DESC"
    };
    format!("SELECT {COLUMNS}, c.seq AS seq FROM {from} {order} LIMIT ?3")
}

fn count(
    connection: &Connection,
    filter: CallFilter,
    words: Option<&str>,
) -> Result<u64, StoreError> {
    let total: i64 = match words {
        Some(words) => {
            let from = if filter == CallFilter::All {
                "call_words w WHERE w.call_words MATCH ?1".to_owned()
            } else {
                source(filter, true).replace("?4", "?1")
            };
            connection
                .prepare_cached(&format!(
                    "SELECT count(*) FROM (SELECT 1 FROM {from} LIMIT {COUNTED})"
                ))?
                .query_row([words], |row| row.get(0))?
        }
        None => {
            let list = match filter {
                CallFilter::All => "calls",
                CallFilter::Inbound => "inbound",
                CallFilter::Outbound => "outbound",
                CallFilter::Missed => "missed",
                CallFilter::ToCallBack => "to-call-back",
            };
            row_counts::of(connection, list)?
        }
    };
    Ok(u64::try_from(total).unwrap_or_default())
}

/// The statements of the lists without values, with the index that each must use.
#[cfg(test)]
pub(crate) fn queries_for_plan() -> Vec<(String, &'static str)> {
    let mut queries = Vec::new();
    for (filter, index) in [
        (CallFilter::All, "calls_newest"),
        (CallFilter::Inbound, "calls_by_direction"),
        (CallFilter::Outbound, "calls_by_direction"),
        (CallFilter::Missed, "calls_missed"),
        (CallFilter::ToCallBack, "calls_waiting"),
    ] {
        let from = source(filter, false);
        queries.push((page_query(&from, false), index));
    }
    let waiting = format!("SELECT count(*) FROM {OF_THOSE_TO_CALL_BACK} AND number = ?1");
    queries.push((waiting, "calls_to_call_back"));
    queries.push((ENTERED.to_owned(), "calls_entered"));
    let searched = page_query(&source(CallFilter::All, true), true);
    queries.push((searched, "VIRTUAL TABLE INDEX"));
    queries
}
