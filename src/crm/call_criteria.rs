//! Pages of the call log by narrower criteria: state, agent, queue, call type, recording, done, dates.
//!
//! Each page goes by key. The most telling criterion has an index in the order of time; the others are
//! looked at row by row.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::crm::call_page::position;
use crate::crm::calls::{COLUMNS, read};
use crate::crm::row::{CallCriteria, CallCursor, CallDirection, CallFilter, CallPage};
use crate::crm::search::{MATCH_LIMIT, full_text};
use crate::crm::store::StoreError;

pub(crate) const CREATE: &str = "
-- The criteria of the log that have no index yet, in the order of time.
CREATE INDEX calls_by_agent ON calls (agent, started_at) WHERE agent IS NOT NULL;
CREATE INDEX calls_with_recording ON calls (started_at) WHERE recording IS NOT NULL;
CREATE INDEX calls_by_state ON calls (state, started_at);
";

/// A page holds at most so many rows.
const PAGE_LIMIT: usize = 1_000;

/// Reads a page, newest first; its total counts at most [`MATCH_LIMIT`].
pub(crate) fn page(
    connection: &Connection,
    filter: CallFilter,
    criteria: &CallCriteria,
    search: &str,
    after: Option<CallCursor>,
    limit: usize,
) -> Result<CallPage, StoreError> {
    let limit = limit.clamp(1, PAGE_LIMIT);
    let mut wanted = Wanted::of(filter, criteria);
    if let Some(words) = full_text(search) {
        wanted.and(
            "c.seq IN (SELECT rowid FROM call_words WHERE call_words MATCH ?)",
            words,
        );
    }
    let total: i64 = connection
        .prepare_cached(&format!(
            "SELECT count(*) FROM (SELECT 1 FROM {} LIMIT {MATCH_LIMIT})",
            wanted.from()
        ))?
        .query_row(params_from_iter(&wanted.values), |row| row.get(0))?;
    if let Some(cursor) = after {
        let (start, seq) = position(connection, cursor)?;
        wanted.and("(c.started_at, c.seq) < (?, ", start);
        wanted.close(seq);
    }
    let more = i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX);
    let mut rows = connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM {} ORDER BY c.started_at DESC, c.seq DESC LIMIT {more}",
            wanted.from()
        ))?
        .query_map(params_from_iter(&wanted.values), read)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    Ok(CallPage {
        next: rows.last().filter(|_| more).map(|last| CallCursor {
            started_micros: last.started_at.as_microsecond(),
            id: last.id,
        }),
        total: u64::try_from(total).unwrap_or_default(),
        waiting: Vec::new(),
        rows,
    })
}

/// Conditions, and the values of their question marks in order.
#[derive(Default)]
struct Wanted {
    index: Option<&'static str>,
    conditions: Vec<String>,
    values: Vec<Value>,
}

impl Wanted {
    fn of(filter: CallFilter, criteria: &CallCriteria) -> Self {
        let mut wanted = Self::default();
        // The first that is asked for is the one whose index is read.
        if let Some(name) = &criteria.call_type {
            let folded = crate::crm::search::folded(name);
            wanted.and(
                "c.call_type = (SELECT id FROM call_types WHERE folded = ?)",
                folded,
            );
            wanted.index = Some("calls_by_type");
        }
        if let Some(queue) = &criteria.queue {
            wanted.and("c.queue = ?", queue.clone());
            wanted.index.get_or_insert("calls_by_queue");
        }
        if let Some(agent) = &criteria.agent {
            wanted.and("c.agent = ?", agent.clone());
            wanted.index.get_or_insert("calls_by_agent");
        }
        if let Some(state) = criteria.state {
            wanted.and("c.state = ?", state.as_str().to_owned());
            wanted.index.get_or_insert("calls_by_state");
        }
        match criteria.recorded {
            Some(true) => {
                wanted.conditions.push("c.recording IS NOT NULL".to_owned());
                wanted.index.get_or_insert("calls_with_recording");
            }
            Some(false) => wanted.conditions.push("c.recording IS NULL".to_owned()),
            None => {}
        }
        if let Some(done) = criteria.done {
            wanted.and("c.done = ?", i64::from(done));
        }
        if let Some(since) = criteria.since {
            wanted.and("c.started_at >= ?", since.as_microsecond());
        }
        if let Some(until) = criteria.until {
            wanted.and("c.started_at < ?", until.as_microsecond());
        }
        let direction = |wanted: &mut Self, direction: CallDirection| {
            wanted.and("c.direction = ?", direction.as_str().to_owned());
        };
        match filter {
            CallFilter::All => {}
            CallFilter::Inbound => direction(&mut wanted, CallDirection::Inbound),
            CallFilter::Outbound => direction(&mut wanted, CallDirection::Outbound),
            CallFilter::Missed => wanted.conditions.push(
                "c.direction = 'inbound' AND c.answered_at IS NULL AND c.ended_at IS NOT NULL
                 AND c.state NOT IN ('blocked', 'answered-elsewhere', 'forwarded')"
                    .to_owned(),
            ),
            CallFilter::ToCallBack => wanted.conditions.push(
                "c.direction = 'inbound' AND c.done = 0 AND c.ended_at IS NOT NULL
                 AND c.number IS NOT NULL AND c.state NOT IN ('blocked', 'answered-elsewhere')"
                    .to_owned(),
            ),
        }
        wanted
    }

    fn and(&mut self, condition: &str, value: impl Into<Value>) {
        self.conditions.push(condition.to_owned());
        self.values.push(value.into());
    }

    /// Ends a row value that [`and`](Self::and) began.
    fn close(&mut self, value: i64) {
        if let Some(last) = self.conditions.last_mut() {
            last.push_str("?)");
        }
        self.values.push(value.into());
    }

    fn from(&self) -> String {
        let index = self.index.unwrap_or("calls_newest");
        let conditions = if self.conditions.is_empty() {
            "true".to_owned()
        } else {
            self.conditions.join(" AND ")
        };
        format!("calls c INDEXED BY {index} WHERE {conditions}")
    }
}
