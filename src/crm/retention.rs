//! What is kept for how long, by class: once a day, in small transactions.
//!
//! Rows that are due are looked for in short reads, a piece of the log after the other; the writer is only
//! told which. A recording's file is marked in the transaction that takes it out of its row.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, Transaction};

use crate::crm::care::{CareDone, CareStep};
use crate::crm::row::Retention;
use crate::crm::store::{Store, StoreError};
use crate::crm::{files_to_remove, undo};

/// Rows that are removed in one transaction.
const STEP: usize = 200;

/// Calls that are looked at in one read.
const PIECE: u32 = 5000;

/// What has a time of its own to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetentionClass {
    /// Calls with all that hangs on them.
    Calls,
    /// Notes of calls.
    Notes,
    /// Recordings.
    Recordings,
    /// SIP messages of calls.
    Ladders,
    /// Figures of calls' sound by time.
    Quality,
    /// Notes about people, organizations and tickets.
    RecordNotes,
    /// Who changed what.
    Audit,
    /// Closed tickets with their articles.
    Tickets,
    /// Tasks that are done.
    Tasks,
    /// Guesses of who calls.
    Guesses,
    /// What the agent did.
    AgentStates,
    /// Steps that can be undone, with what imports changed.
    Undo,
}

impl RetentionClass {
    const ALL: [Self; 12] = [
        Self::Undo,
        Self::AgentStates,
        Self::Guesses,
        Self::Tasks,
        Self::Tickets,
        Self::Audit,
        Self::RecordNotes,
        Self::Recordings,
        Self::Notes,
        Self::Ladders,
        Self::Quality,
        Self::Calls,
    ];

    fn days(self, retention: &Retention) -> Option<u32> {
        match self {
            Self::Calls => retention.calls,
            Self::Notes | Self::RecordNotes => retention.notes,
            Self::Recordings => retention.recordings,
            Self::Ladders => retention.ladders,
            Self::Quality => retention.quality,
            Self::Audit => retention.audit,
            Self::Tickets => retention.tickets,
            Self::Tasks => retention.tasks,
            Self::Guesses => retention.guesses,
            Self::AgentStates => retention.agent_states,
            Self::Undo => retention.undo,
        }
    }

    fn rows(self) -> Rows {
        match self {
            Self::Calls => Rows::OfCalls("ended_at IS NOT NULL"),
            Self::Notes => Rows::OfCalls("notes <> ''"),
            Self::Recordings => Rows::OfCalls("recording IS NOT NULL"),
            Self::Ladders => Rows::OfCalls("EXISTS (SELECT 1 FROM call_ladders WHERE call = seq)"),
            Self::Quality => Rows::OfCalls("EXISTS (SELECT 1 FROM call_quality WHERE call = seq)"),
            Self::RecordNotes => Rows::Apart("notes", "at"),
            Self::Audit => Rows::Apart("audit", "at"),
            // What is not closed, done or over has no such time.
            Self::Tickets => Rows::Apart("tickets", "closed_at"),
            Self::Tasks => Rows::Apart("tasks", "done_at"),
            Self::Guesses => Rows::Apart("number_hints", "said_at"),
            Self::AgentStates => Rows::Apart("agent_states", "ended_at"),
            Self::Undo => Rows::Apart("undo_steps", "at"),
        }
    }
}

/// Where the rows of a class are.
enum Rows {
    /// Part of a call, or hanging on it: what says that it has something of the class.
    OfCalls(&'static str),
    /// In a table of their own: its name, and the column with the time that counts.
    Apart(&'static str, &'static str),
}

impl Store {
    /// Removes what is older than it is to be kept; gives how many rows that were. Blocks for as long as
    /// it takes; `goes_on` is asked between the steps.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses; what was removed until then is.
    pub fn retain(
        &self,
        retention: &Retention,
        now: Timestamp,
        goes_on: &dyn Fn() -> bool,
    ) -> Result<u64, StoreError> {
        let mut removed = 0;
        for class in RetentionClass::ALL {
            let Some(before) = class.days(retention).and_then(|days| earlier(now, days)) else {
                continue;
            };
            let mut after = (i64::MIN, i64::MIN);
            while goes_on() {
                let (due, next) = self.read_piece(move |reader| {
                    Ok(due(reader.connection(), class, before, after)?)
                })?;
                for rows in due.chunks(STEP) {
                    removed += self.take_step(CareStep::Retain(class, rows.to_vec()))?.rows;
                }
                let Some(next) = next else { break };
                after = next;
            }
        }
        Ok(removed)
    }
}

/// So many days before a moment; none where that is before all times.
fn earlier(now: Timestamp, days: u32) -> Option<Timestamp> {
    let span = SignedDuration::from_hours(i64::from(days) * 24);
    now.checked_sub(span).ok()
}

/// Rows that are due, and the last that was looked at: its time and key.
type Due = (Vec<i64>, Option<(i64, i64)>);

/// Looks at the next calls that began before a moment; gives those that have something of the class,
/// and the last that was looked at unless there are no more.
fn due(
    connection: &Connection,
    class: RetentionClass,
    before: Timestamp,
    after: (i64, i64),
) -> rusqlite::Result<Due> {
    let condition = match class.rows() {
        Rows::OfCalls(condition) => condition,
        Rows::Apart(table, time) => return due_apart(connection, table, time, before, after),
    };
    let mut query = connection.prepare_cached(&format!(
        "SELECT started_at, seq, {condition} FROM calls INDEXED BY calls_newest
         WHERE started_at < ?1 AND (started_at, seq) > (?2, ?3)
         ORDER BY started_at, seq LIMIT {PIECE}"
    ))?;
    let mut rows = query.query((before.as_microsecond(), after.0, after.1))?;
    let (mut found, mut last, mut read) = (Vec::new(), None, 0);
    while let Some(row) = rows.next()? {
        read += 1;
        let seq = row.get(1)?;
        if row.get(2)? {
            found.push(seq);
        }
        last = Some((row.get(0)?, seq));
    }
    Ok((found, last.filter(|_| read == PIECE)))
}

/// The same for rows that are no part of a call; those that were read are looked at once.
fn due_apart(
    connection: &Connection,
    table: &str,
    time: &str,
    before: Timestamp,
    after: (i64, i64),
) -> rusqlite::Result<Due> {
    let mut query = connection.prepare_cached(&format!(
        "SELECT id, {time} IS NOT NULL AND {time} < ?1 FROM {table} WHERE id > ?2 ORDER BY id LIMIT {PIECE}"
    ))?;
    let mut rows = query.query((before.as_microsecond(), after.1))?;
    let (mut found, mut last, mut read) = (Vec::new(), None, 0);
    while let Some(row) = rows.next()? {
        read += 1;
        let id = row.get(0)?;
        if row.get(1)? {
            found.push(id);
        }
        last = Some((0, id));
    }
    Ok((found, last.filter(|_| read == PIECE)))
}

/// Removes what rows hold of a class: calls, or those that are apart.
pub(crate) fn remove(
    transaction: &Transaction<'_>,
    class: RetentionClass,
    rows: &[i64],
) -> rusqlite::Result<CareDone> {
    if matches!(class, RetentionClass::Calls | RetentionClass::Recordings) {
        files_to_remove::add(transaction, rows, false)?;
    }
    if class == RetentionClass::Notes {
        // What a text no longer says is no guess any more.
        let mut guesses = transaction.prepare_cached(
            "DELETE FROM number_hints WHERE source = 'call'
             AND source_id = (SELECT id FROM calls WHERE seq = ?1)",
        )?;
        for row in rows {
            guesses.execute([row])?;
        }
    }
    let sql = match class {
        RetentionClass::Calls => "DELETE FROM calls WHERE seq = ?1",
        RetentionClass::Notes => "UPDATE calls SET notes = '' WHERE seq = ?1",
        RetentionClass::Recordings => {
            "UPDATE calls SET recording = NULL, recording_gaps = NULL WHERE seq = ?1"
        }
        RetentionClass::Ladders => "DELETE FROM call_ladders WHERE call = ?1",
        RetentionClass::Quality => "DELETE FROM call_quality WHERE call = ?1",
        RetentionClass::RecordNotes => "DELETE FROM notes WHERE id = ?1",
        RetentionClass::Audit => "DELETE FROM audit WHERE id = ?1",
        RetentionClass::Tickets => "DELETE FROM tickets WHERE id = ?1",
        RetentionClass::Tasks => "DELETE FROM tasks WHERE id = ?1",
        RetentionClass::Guesses => "DELETE FROM number_hints WHERE id = ?1",
        RetentionClass::AgentStates => "DELETE FROM agent_states WHERE id = ?1",
        RetentionClass::Undo => {
            undo::forget(transaction, rows)?;
            return Ok(CareDone {
                rows: rows.len() as u64,
                more: false,
            });
        }
    };
    let mut change = transaction.prepare_cached(sql)?;
    let mut changed = 0;
    for row in rows {
        changed += change.execute([row])? as u64;
    }
    Ok(CareDone {
        rows: changed,
        more: false,
    })
}
