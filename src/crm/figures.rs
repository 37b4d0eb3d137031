//! What happened in each queue in some time: calls, missed ones, how soon they were called back, and the
//! wrap-up.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use crate::crm::calls::timestamp;
use crate::crm::row::{HourFigures, QueueFigures};

/// Counts the calls that began in `[since, until)`, by queue; those of no queue are one row, the last.
pub(crate) fn by_queue(
    connection: &Connection,
    since: Timestamp,
    until: Timestamp,
) -> rusqlite::Result<Vec<QueueFigures>> {
    connection
        .prepare_cached(
            "SELECT queue, count(*), sum(direction = 'inbound'), sum(answered),
                sum(missed), sum(missed AND back IS NOT NULL),
                avg(iif(missed, (back - ended_at) / 1000, NULL)),
                avg(iif(answered AND direction = 'inbound', waiting_millis, NULL)),
                sum(coalesce(talking_millis, 0)), avg(wrap_up_millis)
             FROM (SELECT c.*,
                    c.answered_at IS NOT NULL AND c.state NOT IN ('failed', 'no-answer') AS answered,
                    c.direction = 'inbound' AND c.ended_at IS NOT NULL
                        AND (c.answered_at IS NULL OR c.state IN ('failed', 'no-answer'))
                        AND c.state NOT IN ('blocked', 'answered-elsewhere', 'forwarded') AS missed,
                    (SELECT min(k.started_at) FROM call_backs b JOIN calls k ON k.seq = b.call
                        WHERE b.missed = c.seq) AS back
                FROM calls c INDEXED BY calls_newest
                WHERE c.started_at >= ?1 AND c.started_at < ?2)
             GROUP BY queue ORDER BY queue IS NULL, queue",
        )?
        .query_map(
            params![since.as_microsecond(), until.as_microsecond()],
            |row| {
                let millis = |column| -> rusqlite::Result<Option<i64>> {
                    let mean: Option<f64> = row.get(column)?;
                    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of a call")]
                    Ok(mean.map(|mean| mean.round() as i64))
                };
                Ok(QueueFigures {
                    queue: row.get(0)?,
                    calls: row.get(1)?,
                    inbound: row.get(2)?,
                    answered: row.get(3)?,
                    missed: row.get(4)?,
                    called_back: row.get(5)?,
                    call_back_millis: millis(6)?,
                    waiting_millis: millis(7)?,
                    talking_millis: row.get(8)?,
                    wrap_up_millis: millis(9)?,
                })
            },
        )?
        .collect()
}

/// Microseconds of an hour.
const HOUR: i64 = 3_600_000_000;

/// Counts the calls that began in `[since, until)`, by hour; hours without a call are left out.
pub(crate) fn by_hour(
    connection: &Connection,
    since: Timestamp,
    until: Timestamp,
) -> rusqlite::Result<Vec<HourFigures>> {
    connection
        .prepare_cached(
            "SELECT started_at / ?3 * ?3, sum(direction = 'inbound' AND answered_at IS NOT NULL
                    AND state NOT IN ('failed', 'no-answer')),
                sum(direction = 'inbound' AND ended_at IS NOT NULL
                    AND (answered_at IS NULL OR state IN ('failed', 'no-answer'))
                    AND state NOT IN ('blocked', 'answered-elsewhere', 'forwarded')),
                sum(direction = 'outbound')
             FROM calls INDEXED BY calls_newest WHERE started_at >= ?1 AND started_at < ?2
             GROUP BY 1 ORDER BY 1",
        )?
        .query_map(
            params![since.as_microsecond(), until.as_microsecond(), HOUR],
            |row| {
                Ok(HourFigures {
                    hour: timestamp(row.get(0)?),
                    answered: row.get(1)?,
                    missed: row.get(2)?,
                    outbound: row.get(3)?,
                })
            },
        )?
        .collect()
}
