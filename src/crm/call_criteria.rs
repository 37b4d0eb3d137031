//! Pages of the call log by narrower criteria: state, agent, queue, call type, recording, done, dates.
//!
//! Each page goes by key. Most criteria have an index in the order of time. The calls of the one that has the
//! fewest lately are gone through, so many at most for one page, and looked for in the indexes of the others,
//! where neighbours in time are neighbours; only what they all have is read. How many rows there are in all is
//! therefore not known.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params_from_iter};

use crate::crm::call_page::{self, Placed, read_placed};
use crate::crm::calls::COLUMNS;
use crate::crm::row::{CallCriteria, CallCursor, CallDirection, CallFilter, CallRow};
use crate::crm::search::folded;
use crate::crm::store::StoreError;
use crate::crm::word_index;

pub(crate) const CREATE: &str = "
-- The criteria of the log that have no index yet, in the order of time.
CREATE INDEX calls_by_agent ON calls (agent, started_at) WHERE agent IS NOT NULL;
CREATE INDEX calls_with_recording ON calls (started_at) WHERE recording IS NOT NULL;
CREATE INDEX calls_by_state ON calls (state, started_at);
";

pub(crate) const INDEX_NOT_DONE: &str = "
-- What is left to do, of all calls: few rows of many, and years back none.
CREATE INDEX calls_not_done ON calls (started_at) WHERE done = 0;
";

/// A page holds at most so many rows.
const PAGE_LIMIT: usize = 1_000;

/// So many rows are looked at for one page: a millisecond's worth.
const LOOKED_AT: u32 = if cfg!(test) { 50 } else { 2_000 };

/// The index whose last so many rows reach back the farthest has the fewest lately.
const LATELY: u32 = if cfg!(test) { 10 } else { 500 };

/// Reads the rows of a page, newest first, and where the next one begins. Where few rows are wanted a page has
/// fewer than the limit, or none; only the last one has no next.
pub(crate) fn page(
    connection: &Connection,
    filter: CallFilter,
    criteria: &CallCriteria,
    search: &str,
    after: Option<CallCursor>,
    limit: usize,
) -> Result<(Vec<CallRow>, Option<CallCursor>), StoreError> {
    let limit = limit.clamp(1, PAGE_LIMIT);
    let after = after.unwrap_or(CallCursor {
        started_micros: i64::MAX,
        seq: i64::MAX,
    });
    let wanted = match word_index::CALLS.names(connection, search)? {
        Some(words) => {
            if let Some(in_time) = call_page::entered_among(connection, search, Some(&words))? {
                let left = call_page::behind(&in_time, Some(after));
                return among(connection, left, &of_search(filter, criteria), limit);
            }
            Wanted::in_search(filter, criteria, words, after)
        }
        None => Wanted::in_indexes(connection, filter, criteria, after)?,
    };
    let edge = wanted.edge(connection, LOOKED_AT)?;
    let mut found = wanted.rows(connection, edge, limit)?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = if more {
        found.last().map(Placed::cursor)
    } else {
        edge
    };
    Ok((found.into_iter().map(|placed| placed.row).collect(), next))
}

/// Reads the rows of a page among calls in the order of time that a search found.
fn among(
    connection: &Connection,
    left: &[CallCursor],
    wanted: &Conditions,
    limit: usize,
) -> Result<(Vec<CallRow>, Option<CallCursor>), StoreError> {
    let texts: Vec<&str> = wanted.texts.iter().map(String::as_str).collect();
    let mut query = connection.prepare_cached(&format!(
        "SELECT {COLUMNS}, c.seq AS seq FROM calls c WHERE {}",
        [&["c.seq = ?"][..], &texts].concat().join(" AND ")
    ))?;
    let (mut found, mut next) = (Vec::new(), None);
    for (place, call) in left.iter().enumerate() {
        if found.len() == limit || place == LOOKED_AT as usize {
            next = left.get(place.saturating_sub(1)).copied();
            break;
        }
        let values = std::iter::once(Value::from(call.seq)).chain(wanted.values.iter().cloned());
        let row = query.query_row(params_from_iter(values), read_placed);
        found.extend(row.optional()?.map(|placed| placed.row));
    }
    Ok((found, next))
}

/// What is asked of each row that a search finds.
fn of_search(filter: CallFilter, criteria: &CallCriteria) -> Conditions {
    let mut wanted = Conditions::default();
    let asked = asked(criteria).into_iter().chain(range_of(criteria));
    for criterion in asked.chain(of_filter(filter)) {
        wanted.and(&criterion.of("c"), criterion.value);
    }
    wanted.newest_of_each_number(filter, criteria);
    wanted
}

/// Conditions, and the values of their question marks in order.
#[derive(Default)]
struct Conditions {
    texts: Vec<String>,
    values: Vec<Value>,
}

impl Conditions {
    fn and(&mut self, condition: &str, values: impl IntoIterator<Item = Value>) {
        self.texts.push(condition.to_owned());
        self.values.extend(values);
    }
}

impl Conditions {
    /// Of the calls that wait, and that criteria ask for, each number has one: the newest.
    fn newest_of_each_number(&mut self, filter: CallFilter, criteria: &CallCriteria) {
        if filter != CallFilter::ToCallBack {
            return;
        }
        let asked = asked(criteria).into_iter().chain(range_of(criteria));
        let (texts, values): (Vec<String>, Vec<Option<Value>>) = asked
            .chain(of_filter(filter))
            .map(|criterion| (criterion.of("l"), criterion.value))
            .unzip();
        self.and(
            &format!(
                "NOT EXISTS (SELECT 1 FROM calls l INDEXED BY calls_to_call_back
                    WHERE l.number = c.number AND (l.started_at, l.seq) > (c.started_at, c.seq)
                    AND {})",
                texts.join(" AND ")
            ),
            values.into_iter().flatten(),
        );
    }
}

/// What is asked for, as a query.
struct Wanted {
    /// The index or the search that has the rows in their order.
    index: String,
    /// The rows that come from there.
    rows: String,
    /// The columns of a row's place in that order, without those that are the same for all.
    place: &'static str,
    order: &'static str,
    /// What the index or the search answers by itself.
    ordered: Conditions,
    /// What other indexes are asked of each.
    probed: Conditions,
    /// What the rows are asked that are left.
    others: Conditions,
    searching: bool,
}

impl Wanted {
    /// Rows that a search finds, in the order of `seq`, in which the calls were written.
    fn in_search(
        filter: CallFilter,
        criteria: &CallCriteria,
        words: String,
        after: CallCursor,
    ) -> Self {
        let mut ordered = Conditions::default();
        ordered.and("w.call_words MATCH ?", [words.into()]);
        ordered.and("w.rowid < ?", [after.seq.into()]);
        Self {
            index: "call_words w".to_owned(),
            rows: "call_words w CROSS JOIN calls c ON c.seq = w.rowid".to_owned(),
            place: "0, w.rowid",
            order: "w.rowid DESC",
            ordered,
            probed: Conditions::default(),
            others: of_search(filter, criteria),
            searching: true,
        }
    }

    /// Rows of the index that has the fewest lately, in the order of time.
    fn in_indexes(
        connection: &Connection,
        filter: CallFilter,
        criteria: &CallCriteria,
        after: CallCursor,
    ) -> rusqlite::Result<Self> {
        let mut all = asked(criteria);
        all.extend(of_filter(filter));
        let mut range = Conditions::default();
        for criterion in range_of(criteria) {
            range.and(&criterion.of("k"), criterion.value);
        }
        range.and(
            "(k.started_at, k.seq) < (?, ?)",
            [after.started_micros.into(), after.seq.into()],
        );
        let (indexed, others): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|criterion| criterion.index.is_some());
        let mut leading: Option<(Option<i64>, usize)> = None;
        if indexed.len() > 1 {
            for (place, criterion) in indexed.iter().enumerate() {
                let edge = Self::led_by(Some(criterion), &range).edge(connection, LATELY)?;
                let edge = edge.map(|edge| edge.started_micros);
                // None is the log's end, and before any other.
                if leading.is_none_or(|(least, _)| edge < least) {
                    leading = Some((edge, place));
                }
            }
        }
        let leading = leading.map_or(0, |(_, place)| place);
        let mut wanted = Self::led_by(indexed.get(leading), &range);
        for (_, criterion) in (indexed.iter().enumerate()).filter(|(place, _)| *place != leading) {
            wanted.probed.and(
                &format!(
                    "EXISTS (SELECT 1 FROM calls p INDEXED BY {} WHERE {}
                        AND p.started_at = k.started_at AND p.seq = k.seq)",
                    criterion.index.unwrap_or("calls_newest"),
                    criterion.of("p")
                ),
                criterion.value.clone(),
            );
        }
        for criterion in others {
            wanted.others.and(&criterion.of("c"), criterion.value);
        }
        wanted.others.newest_of_each_number(filter, criteria);
        Ok(wanted)
    }

    /// All rows of a criterion's index in some time.
    fn led_by(criterion: Option<&Criterion>, range: &Conditions) -> Self {
        let mut ordered = Conditions::default();
        if let Some(criterion) = criterion {
            ordered.and(&criterion.of("k"), criterion.value.clone());
        }
        ordered.texts.extend_from_slice(&range.texts);
        ordered.values.extend_from_slice(&range.values);
        let index = criterion.and_then(|criterion| criterion.index);
        let index = index.unwrap_or("calls_newest");
        Self {
            index: format!("calls k INDEXED BY {index}"),
            rows: format!("calls k INDEXED BY {index} CROSS JOIN calls c ON c.seq = k.seq"),
            place: "k.started_at, k.seq",
            order: "k.started_at DESC, k.seq DESC",
            ordered,
            probed: Conditions::default(),
            others: Conditions::default(),
            searching: false,
        }
    }

    /// The last of so many rows; none where the log ends before.
    fn edge(&self, connection: &Connection, rows: u32) -> rusqlite::Result<Option<CallCursor>> {
        // The index alone is read for this.
        connection
            .prepare_cached(&format!(
                "SELECT {} FROM {} WHERE {} ORDER BY {} LIMIT 1 OFFSET {}",
                self.place,
                self.index,
                self.ordered.texts.join(" AND "),
                self.order,
                rows - 1
            ))?
            .query_row(params_from_iter(&self.ordered.values), |row| {
                Ok(CallCursor {
                    started_micros: row.get(0)?,
                    seq: row.get(1)?,
                })
            })
            .optional()
    }

    /// The rows down to the edge, one more than the limit where there are so many.
    fn rows(
        &self,
        connection: &Connection,
        edge: Option<CallCursor>,
        limit: usize,
    ) -> rusqlite::Result<Vec<Placed>> {
        let mut last = Conditions::default();
        match edge {
            Some(edge) if self.searching => last.and("w.rowid >= ?", [edge.seq.into()]),
            Some(edge) => last.and(
                "(k.started_at, k.seq) >= (?, ?)",
                [edge.started_micros.into(), edge.seq.into()],
            ),
            None => {}
        }
        let all = [&self.ordered, &last, &self.probed, &self.others];
        let texts: Vec<&str> = all
            .iter()
            .flat_map(|conditions| conditions.texts.iter().map(String::as_str))
            .collect();
        let values = all.iter().flat_map(|conditions| &conditions.values);
        connection
            .prepare_cached(&format!(
                "SELECT {COLUMNS}, c.seq AS seq FROM {} WHERE {} ORDER BY {} LIMIT {}",
                self.rows,
                texts.join(" AND "),
                self.order,
                limit.saturating_add(1)
            ))?
            .query_map(params_from_iter(values), read_placed)?
            .collect()
    }
}

/// One thing that is asked for.
struct Criterion {
    /// The index that has its rows in the order of time.
    index: Option<&'static str>,
    /// What is asked of a row, whose columns begin with `c.`.
    condition: &'static str,
    value: Option<Value>,
}

impl Criterion {
    /// What is asked of a row under another name.
    fn of(&self, name: &str) -> String {
        self.condition.replace("c.", &format!("{name}."))
    }
}

/// What is asked for beside the dates, the most telling first.
fn asked(criteria: &CallCriteria) -> Vec<Criterion> {
    let criterion = |index, condition, value| Criterion {
        index,
        condition,
        value,
    };
    let text = |text: &String| Some(Value::from(text.clone()));
    let call_type = criteria.call_type.as_ref().map(|name| {
        criterion(
            Some("calls_by_type"),
            "c.call_type = (SELECT id FROM call_types WHERE folded = ?)",
            Some(folded(name).into()),
        )
    });
    let queue = (criteria.queue.as_ref())
        .map(|queue| criterion(Some("calls_by_queue"), "c.queue = ?", text(queue)));
    let agent = (criteria.agent.as_ref())
        .map(|agent| criterion(Some("calls_by_agent"), "c.agent = ?", text(agent)));
    let state = criteria.state.map(|state| {
        let word = state.as_str().to_owned();
        criterion(Some("calls_by_state"), "c.state = ?", Some(word.into()))
    });
    let recorded = criteria.recorded.map(|recorded| {
        if recorded {
            let index = Some("calls_with_recording");
            criterion(index, "c.recording IS NOT NULL", None)
        } else {
            criterion(None, "c.recording IS NULL", None)
        }
    });
    let done = criteria.done.map(|done| {
        if done {
            criterion(None, "c.done <> 0", None)
        } else {
            criterion(Some("calls_not_done"), "c.done = 0", None)
        }
    });
    [call_type, queue, agent, state, recorded, done]
        .into_iter()
        .flatten()
        .collect()
}

/// The dates that are asked for: a part of each index's order.
fn range_of(criteria: &CallCriteria) -> impl Iterator<Item = Criterion> {
    let since = criteria.since.map(|at| ("c.started_at >= ?", at));
    let until = criteria.until.map(|at| ("c.started_at < ?", at));
    [since, until]
        .into_iter()
        .flatten()
        .map(|(condition, at)| Criterion {
            index: None,
            condition,
            value: Some(at.as_microsecond().into()),
        })
}

/// What a filter asks for. The conditions of the partial indexes stand here word for word: else SQLite does not
/// see that they have all rows.
fn of_filter(filter: CallFilter) -> Option<Criterion> {
    let (index, condition, direction) = match filter {
        CallFilter::All => return None,
        CallFilter::Inbound => (
            "calls_by_direction",
            "c.direction = ?",
            Some(CallDirection::Inbound),
        ),
        CallFilter::Outbound => (
            "calls_by_direction",
            "c.direction = ?",
            Some(CallDirection::Outbound),
        ),
        CallFilter::Missed => (
            "calls_missed",
            "c.direction = 'inbound' AND c.ended_at IS NOT NULL
             AND (c.answered_at IS NULL OR c.state IN ('failed', 'no-answer'))
             AND c.state NOT IN ('blocked', 'answered-elsewhere', 'forwarded')",
            None,
        ),
        CallFilter::ToCallBack => (
            "calls_waiting",
            "c.direction = 'inbound' AND c.done = 0 AND c.ended_at IS NOT NULL
             AND c.number IS NOT NULL AND c.state NOT IN ('blocked', 'answered-elsewhere')",
            None,
        ),
    };
    Some(Criterion {
        index: Some(index),
        condition,
        value: direction.map(|direction| direction.as_str().to_owned().into()),
    })
}
