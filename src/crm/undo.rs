//! Steps that can be taken back: what each of them changed, kept as JSON.
//!
//! A step is undone once, and leaves alone what was changed again since: how much, it tells.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use serde::{Deserialize, Serialize};

use crate::base::id::UndoId;
use crate::crm::import::{self, ImportStep};
use crate::crm::link_again::Relinking;
use crate::crm::merge::{self, MergeStep};
use crate::crm::mining::texts;
use crate::crm::number_key::Numbering;
use crate::crm::removal::Removal;
use crate::crm::row::{UndoRow, Undone};
use crate::crm::writer::WriteError;
use crate::crm::{hint_verdicts, link_again, removal};

/// So many steps are kept, the newest.
const KEPT: i64 = 1_000;
/// So many are listed.
const LISTED: u32 = 100;

pub(crate) const CREATE: &str = "
-- What an agent may take back: the inverse of a change as JSON, made in the same transaction.
CREATE TABLE undo_steps (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    label TEXT NOT NULL,
    step TEXT NOT NULL,
    undone_at INTEGER
) STRICT;
";

/// The inverse of each change that can be undone; each belongs to the file of its change.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub(crate) enum Undo {
    /// Earlier calls were linked to a record, or away from it.
    Relinked(Relinking),
    /// A guess was judged.
    Judged(hint_verdicts::Undo),
    /// A person was deleted.
    Removed(Box<Removal>),
    /// The people of a file were imported.
    Imported(ImportStep),
    /// Contacts were merged.
    Merged(Box<MergeStep>),
}

/// Keeps a step; the oldest ones go.
pub(crate) fn record(
    transaction: &Transaction<'_>,
    at: Timestamp,
    label: &str,
    step: &Undo,
) -> rusqlite::Result<UndoId> {
    let step = serde_json::to_string(step)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    transaction
        .prepare_cached("INSERT INTO undo_steps (at, label, step) VALUES (?1, ?2, ?3)")?
        .execute(params![at.as_microsecond(), label, step])?;
    let id = transaction.last_insert_rowid();
    transaction
        .prepare_cached("DELETE FROM undo_steps WHERE id <= ?1")?
        .execute([id - KEPT])?;
    Ok(UndoId(id))
}

/// Reads the steps that can still be undone, the newest first.
pub(crate) fn list(connection: &Connection) -> rusqlite::Result<Vec<UndoRow>> {
    let mut query = connection.prepare_cached(
        "SELECT id, at, label FROM undo_steps WHERE undone_at IS NULL ORDER BY id DESC LIMIT ?1",
    )?;
    let rows = query.query_map([LISTED], |row| {
        Ok(UndoRow {
            id: UndoId(row.get(0)?),
            at: Timestamp::from_microsecond(row.get(1)?).unwrap_or_default(),
            label: row.get(2)?,
        })
    })?;
    rows.collect()
}

/// Finds the newest import or merge that can still be undone.
pub(crate) fn last_exchange(connection: &Connection) -> rusqlite::Result<Option<UndoId>> {
    connection
        .prepare_cached(
            "SELECT id FROM undo_steps WHERE undone_at IS NULL
                AND json_extract(step, '$.what') IN ('imported', 'merged')
             ORDER BY id DESC LIMIT 1",
        )?
        .query_row([], |row| row.get(0).map(UndoId))
        .optional()
}

/// Forgets steps, with what imports keep to be taken back.
pub(crate) fn forget(transaction: &Transaction<'_>, steps: &[i64]) -> rusqlite::Result<()> {
    let mut import = transaction.prepare_cached(
        "DELETE FROM imports WHERE id = (SELECT json_extract(step, '$.import') FROM undo_steps
            WHERE id = ?1 AND json_extract(step, '$.what') = 'imported')",
    )?;
    let mut step = transaction.prepare_cached("DELETE FROM undo_steps WHERE id = ?1")?;
    for id in steps {
        import.execute([id])?;
        step.execute([id])?;
    }
    Ok(())
}

/// Takes a step back.
pub(crate) fn run(
    transaction: &Transaction<'_>,
    at: Timestamp,
    id: UndoId,
    numbering: &Numbering,
) -> Result<Undone, WriteError> {
    let (label, step): (String, String) = transaction
        .prepare_cached("SELECT label, step FROM undo_steps WHERE id = ?1 AND undone_at IS NULL")?
        .query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?
        .ok_or(WriteError::Missing("step to undo"))?;
    let step: Undo =
        serde_json::from_str(&step).map_err(|_unreadable| WriteError::Missing("step to undo"))?;
    let left = match step {
        Undo::Relinked(relinking) => {
            let left = link_again::undo(transaction, &relinking)?;
            texts::of_calls(transaction, relinking.calls(), at, numbering)?;
            left
        }
        Undo::Judged(judged) => hint_verdicts::undo(transaction, &judged, numbering)?,
        Undo::Removed(removal) => {
            let left = removal::undo(transaction, &removal, numbering)?;
            if let Some(contact) = removal.contact() {
                texts::of_all(transaction, contact, at, numbering)?;
            }
            left
        }
        Undo::Imported(step) => import::undo(transaction, at, step, numbering)?,
        Undo::Merged(step) => merge::undo(transaction, at, &step, numbering)?,
    };
    transaction
        .prepare_cached("UPDATE undo_steps SET undone_at = ?2 WHERE id = ?1")?
        .execute(params![id.0, at.as_microsecond()])?;
    Ok(Undone { label, left })
}
