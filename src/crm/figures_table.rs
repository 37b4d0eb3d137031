//! Figures as a table that spreadsheets open: what happened in each queue, and in each hour.

use std::io::{self, Write};

use crate::crm::export::line;
use crate::crm::row::{HourFigures, QueueFigures};

/// Writes the figures of queues; times are in seconds, an empty cell is unknown.
///
/// # Errors
///
/// Fails when it cannot be written.
pub fn queues(out: &mut impl Write, rows: &[QueueFigures]) -> io::Result<()> {
    line(
        out,
        [
            "queue",
            "calls",
            "inbound",
            "answered",
            "missed",
            "called_back",
            "call_back_s",
            "waiting_s",
            "talking_s",
            "wrap_up_s",
        ],
    )?;
    for row in rows {
        let cells = [
            row.queue.clone().unwrap_or_default(),
            row.calls.to_string(),
            row.inbound.to_string(),
            row.answered.to_string(),
            row.missed.to_string(),
            row.called_back.to_string(),
            seconds(row.call_back_millis),
            seconds(row.waiting_millis),
            seconds(Some(row.talking_millis)),
            seconds(row.wrap_up_millis),
        ];
        line(out, cells.iter().map(String::as_str))?;
    }
    Ok(())
}

/// Writes the figures of hours, which begin at those moments in UTC.
///
/// # Errors
///
/// Fails when it cannot be written.
pub fn hours(out: &mut impl Write, rows: &[HourFigures]) -> io::Result<()> {
    line(out, ["hour", "answered", "missed", "outbound"])?;
    for row in rows {
        let cells = [
            row.hour.to_string(),
            row.answered.to_string(),
            row.missed.to_string(),
            row.outbound.to_string(),
        ];
        line(out, cells.iter().map(String::as_str))?;
    }
    Ok(())
}

/// Seconds with one decimal; a point in every language.
fn seconds(millis: Option<i64>) -> String {
    millis.map_or_else(String::new, |millis| {
        format!("{}.{}", millis / 1000, millis % 1000 / 100)
    })
}
