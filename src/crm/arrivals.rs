//! Calls that just began, and what happened in them, kept on one page until the log has taken it in.
//!
//! A row of the log touches the pages of its indexes and of the search, a dozen and more, and a
//! caller hears nothing before they are on disk. So a call that comes alone is first kept here as it
//! is, which is as durable and costs one page. The writer takes it into the log right after; where it
//! could not, the next transaction does, or the next start. While the writer is busy for long, `aside` has
//! what would be kept here, and what happens in calls as well: their answers, holds, notes and ends. All of
//! it is written once more when its turn comes, which changes nothing.

use rusqlite::{Transaction, params};
use serde::{Deserialize, Serialize};

use crate::base::clock::wall_now;
use crate::base::id::CallId;
use crate::crm::calls;
use crate::crm::mining::texts;
use crate::crm::number_key::Numbering;
use crate::crm::row::CallRow;
use crate::crm::store::{CallChange, Write};
use crate::crm::writer::WriteError;

pub(crate) const CREATE: &str = "
-- Calls on their way into the log, as JSON: each is here for a moment, before it rings.
CREATE TABLE arrivals (
    seq INTEGER PRIMARY KEY,
    call TEXT NOT NULL
) STRICT;
";

/// What is kept of a call, as it is written down.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(untagged)]
pub(crate) enum News<'a> {
    /// It begins.
    Beginning(&'a CallRow),
    /// Something happened in it.
    Change {
        /// In which.
        change_of: CallId,
        /// What.
        change: &'a CallChange,
    },
}

/// The same as it is read.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Kept {
    Change {
        change_of: CallId,
        change: CallChange,
    },
    Beginning(Box<CallRow>),
}

impl<'a> News<'a> {
    /// What a write tells that must not wait for a long work: that somebody waits for it, or that nobody could
    /// say it again.
    pub(crate) fn of(write: &'a Write) -> Option<Self> {
        match write {
            Write::InsertCall(call) => Some(Self::Beginning(call)),
            Write::ChangeCall(id, change) => matches!(
                change,
                CallChange::Answered { .. }
                    | CallChange::AnsweredBy(_)
                    | CallChange::Held(_)
                    | CallChange::Notes(_)
                    | CallChange::Ended { .. }
            )
            .then_some(Self::Change {
                change_of: *id,
                change,
            }),
            _ => None,
        }
    }
}

/// Keeps something of a call; once that is committed, it is in the log for all but its readers.
pub(crate) fn keep(transaction: &Transaction<'_>, news: News<'_>) -> rusqlite::Result<()> {
    let text = serde_json::to_string(&news)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    take_over(transaction, &text)
}

/// Keeps what was written down elsewhere, as JSON.
pub(crate) fn take_over(transaction: &Transaction<'_>, text: &str) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("INSERT INTO arrivals (call) VALUES (?1)")?
        .execute([text])?;
    Ok(())
}

/// Takes what is kept into the log.
pub(crate) fn settle(transaction: &Transaction<'_>, numbering: &Numbering) -> rusqlite::Result<()> {
    let kept: Vec<(i64, String)> = transaction
        .prepare_cached("SELECT seq, call FROM arrivals ORDER BY seq")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (seq, text) in kept {
        match serde_json::from_str(&text) {
            Ok(Kept::Beginning(call)) => calls::insert(transaction, &call, numbering)?,
            Ok(Kept::Change { change_of, change }) => {
                change_call(transaction, change_of, &change, numbering)?;
            }
            // Only a damaged file says what no version wrote; it must not hold up the others.
            Err(error) => tracing::error!("a call that began cannot be read: {error}: {text}"),
        }
        transaction
            .prepare_cached("DELETE FROM arrivals WHERE seq = ?1")?
            .execute(params![seq])?;
    }
    Ok(())
}

fn change_call(
    transaction: &Transaction<'_>,
    id: CallId,
    change: &CallChange,
    numbering: &Numbering,
) -> rusqlite::Result<()> {
    let mut changed = calls::change(transaction, id, change);
    if changed.is_ok() && matches!(change, CallChange::Notes(_)) {
        changed = texts::of_call(transaction, id, wall_now(), numbering);
    }
    match changed {
        // Where it was erased meanwhile or is refused, who wrote it is told when its turn comes.
        Ok(()) | Err(WriteError::Missing(_) | WriteError::Refused(_)) => Ok(()),
        Err(WriteError::Sqlite(error)) => Err(error),
    }
}
