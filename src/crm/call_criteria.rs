//! Pages of the call log by narrower criteria: state, agent, queue, call type, recording, done, dates.
//!
//! Each page goes by key. The most telling criterion has an index in the order of time; the others are
//! looked at row by row, so many at most for one page. How many rows there are in all is therefore not known.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params_from_iter};

use crate::crm::call_page::{Placed, read_placed};
use crate::crm::calls::COLUMNS;
use crate::crm::row::{CallCriteria, CallCursor, CallDirection, CallFilter, CallRow};
use crate::crm::search::{folded, full_text};
use crate::crm::store::StoreError;

pub(crate) const CREATE: &str = "
-- The criteria of the log that have no index yet, in the order of time.
CREATE INDEX calls_by_agent ON calls (agent, started_at) WHERE agent IS NOT NULL;
CREATE INDEX calls_with_recording ON calls (started_at) WHERE recording IS NOT NULL;
CREATE INDEX calls_by_state ON calls (state, started_at);
";

/// A page holds at most so many rows.
const PAGE_LIMIT: usize = 1_000;

/// So many rows are looked at for one page: some milliseconds' worth.
const LOOKED_AT: u32 = if cfg!(test) { 50 } else { 10_000 };

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
    let wanted = match full_text(search) {
        Some(words) => Wanted::in_search(filter, criteria, words, after),
        None => Wanted::in_index(filter, criteria, after),
    };
    let edge = wanted.edge(connection)?;
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

/// What is asked for, as a query.
struct Wanted {
    /// The rows in their order, with the index or the search that has it.
    rows: String,
    /// The columns of a row's place in that order, without those that are the same for all.
    place: &'static str,
    order: &'static str,
    /// What the index or the search answers by itself.
    ordered: Conditions,
    /// What each of its rows is asked.
    others: Conditions,
    searching: bool,
}

impl Wanted {
    /// Rows that a search finds, in the order of `seq`, which is the order in which calls began.
    fn in_search(
        filter: CallFilter,
        criteria: &CallCriteria,
        words: String,
        after: CallCursor,
    ) -> Self {
        let mut ordered = Conditions::default();
        ordered.and("w.call_words MATCH ?", [words.into()]);
        ordered.and("w.rowid < ?", [after.seq.into()]);
        let mut others = Conditions::default();
        for criterion in asked(criteria).into_iter().chain(range(criteria)) {
            others.and(criterion.condition, criterion.value);
        }
        add_filter(&mut others, filter);
        Self {
            rows: "call_words w CROSS JOIN calls c ON c.seq = w.rowid".to_owned(),
            place: "0, w.rowid",
            order: "w.rowid DESC",
            ordered,
            others,
            searching: true,
        }
    }

    /// Rows of the index of the most telling criterion, in the order of time.
    fn in_index(filter: CallFilter, criteria: &CallCriteria, after: CallCursor) -> Self {
        let (mut ordered, mut others) = (Conditions::default(), Conditions::default());
        let mut index = None;
        for criterion in asked(criteria) {
            let leads = index.is_none() && criterion.index.is_some();
            let conditions = if leads { &mut ordered } else { &mut others };
            conditions.and(criterion.condition, criterion.value);
            index = index.or(criterion.index);
        }
        for criterion in range(criteria) {
            ordered.and(criterion.condition, criterion.value);
        }
        ordered.and(
            "(c.started_at, c.seq) < (?, ?)",
            [after.started_micros.into(), after.seq.into()],
        );
        add_filter(&mut others, filter);
        Self {
            rows: format!("calls c INDEXED BY {}", index.unwrap_or("calls_newest")),
            place: "c.started_at, c.seq",
            order: "c.started_at DESC, c.seq DESC",
            ordered,
            others,
            searching: false,
        }
    }

    /// The last row that is looked at for a page; none where the log ends before.
    fn edge(&self, connection: &Connection) -> rusqlite::Result<Option<CallCursor>> {
        // The index alone is read for this.
        let rows = if self.searching {
            "call_words w"
        } else {
            &self.rows
        };
        connection
            .prepare_cached(&format!(
                "SELECT {} FROM {rows} WHERE {} ORDER BY {} LIMIT 1 OFFSET {}",
                self.place,
                self.ordered.texts.join(" AND "),
                self.order,
                LOOKED_AT - 1
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
                "(c.started_at, c.seq) >= (?, ?)",
                [edge.started_micros.into(), edge.seq.into()],
            ),
            None => {}
        }
        let all = [&self.ordered, &last, &self.others];
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
    condition: &'static str,
    value: Option<Value>,
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
    let done =
        (criteria.done).map(|done| criterion(None, "c.done = ?", Some(i64::from(done).into())));
    [call_type, queue, agent, state, recorded, done]
        .into_iter()
        .flatten()
        .collect()
}

/// The dates that are asked for: a part of each index's order.
fn range(criteria: &CallCriteria) -> impl Iterator<Item = Criterion> {
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

fn add_filter(conditions: &mut Conditions, filter: CallFilter) {
    let condition = match filter {
        CallFilter::All => return,
        CallFilter::Inbound | CallFilter::Outbound => {
            let direction = if filter == CallFilter::Inbound {
                CallDirection::Inbound
            } else {
                CallDirection::Outbound
            };
            let word = direction.as_str().to_owned();
            return conditions.and("c.direction = ?", [word.into()]);
        }
        CallFilter::Missed => {
            "c.direction = 'inbound' AND c.answered_at IS NULL AND c.ended_at IS NOT NULL
             AND c.state NOT IN ('blocked', 'answered-elsewhere', 'forwarded')"
        }
        CallFilter::ToCallBack => {
            "c.direction = 'inbound' AND c.done = 0 AND c.ended_at IS NOT NULL
             AND c.number IS NOT NULL AND c.state NOT IN ('blocked', 'answered-elsewhere')"
        }
    };
    conditions.and(condition, []);
}
