//! What calls are about, to choose from after each: dispositions.

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use crate::base::id::CallTypeId;
use crate::crm::row::CallTypeRow;
use crate::crm::search::folded;
use crate::crm::writer::WriteError;

pub(crate) const CREATE: &str = "
-- A list that administrators keep. One that calls have is never deleted: it can only not be chosen any
-- more, so that old calls still say what they were about.
CREATE TABLE call_types (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    folded TEXT NOT NULL UNIQUE,
    active INTEGER NOT NULL,
    place INTEGER NOT NULL
) STRICT;
-- What a call was about, how long the agent wrote after it, whose call it was, and where it came in.
ALTER TABLE calls ADD COLUMN call_type INTEGER REFERENCES call_types (id) ON DELETE SET NULL;
ALTER TABLE calls ADD COLUMN wrap_up_millis INTEGER;
ALTER TABLE calls ADD COLUMN agent TEXT;
ALTER TABLE calls ADD COLUMN queue TEXT;
-- Calls that were made elsewhere are entered by hand.
ALTER TABLE calls ADD COLUMN by_hand INTEGER NOT NULL DEFAULT 0;
-- A call may be from a whole organization.
ALTER TABLE calls ADD COLUMN organization_id INTEGER
    REFERENCES organizations (id) ON DELETE SET NULL;
CREATE INDEX calls_by_organization ON calls (organization_id, started_at)
    WHERE organization_id IS NOT NULL;
CREATE INDEX calls_by_type ON calls (call_type, started_at) WHERE call_type IS NOT NULL;
CREATE INDEX calls_by_queue ON calls (queue, started_at) WHERE queue IS NOT NULL;
-- Which missed calls a call that was dialled answers, and so how often somebody tried.
CREATE TABLE call_backs (
    missed INTEGER NOT NULL REFERENCES calls (seq) ON DELETE CASCADE,
    call INTEGER NOT NULL REFERENCES calls (seq) ON DELETE CASCADE,
    PRIMARY KEY (missed, call)
) STRICT, WITHOUT ROWID;
CREATE INDEX call_backs_by_call ON call_backs (call);
";

/// Reads all of them in their order; those that cannot be chosen any more come last.
pub(crate) fn list(connection: &Connection) -> rusqlite::Result<Vec<CallTypeRow>> {
    connection
        .prepare_cached(
            "SELECT id, name, active, place FROM call_types ORDER BY active DESC, place, folded",
        )?
        .query_map([], |row| {
            Ok(CallTypeRow {
                id: CallTypeId(row.get(0)?),
                name: row.get(1)?,
                active: row.get(2)?,
                place: row.get(3)?,
            })
        })?
        .collect()
}

/// Inserts (id 0), renames, orders or hides one. A new one with a name that is there gives that one, and
/// shows it again.
pub(crate) fn save(
    transaction: &Transaction<'_>,
    row: &CallTypeRow,
) -> Result<CallTypeId, WriteError> {
    let name = row.name.trim();
    if row.id.0 != 0 {
        let namesake: Option<i64> = transaction
            .prepare_cached("SELECT id FROM call_types WHERE folded = ?1")?
            .query_row([folded(name)], |found| found.get(0))
            .optional()?;
        if namesake.is_some_and(|id| id != row.id.0) {
            return Err(WriteError::Refused(format!(
                "there is a call type {name} already; choose another name"
            )));
        }
        let changed = transaction
            .prepare_cached(
                "UPDATE call_types SET name = ?2, folded = ?3, active = ?4, place = ?5 WHERE id = ?1",
            )?
            .execute(params![row.id.0, name, folded(name), row.active, row.place])?;
        return if changed == 0 {
            Err(WriteError::Missing("call type"))
        } else {
            Ok(row.id)
        };
    }
    let id = transaction
        .prepare_cached(
            "INSERT INTO call_types (name, folded, active, place) VALUES (?1, ?2, 1, ?3)
             ON CONFLICT (folded) DO UPDATE SET active = 1 RETURNING id",
        )?
        .query_row(params![name, folded(name), row.place], |row| row.get(0))?;
    Ok(CallTypeId(id))
}

/// Deletes one that no call has, hides another; true if it is gone.
pub(crate) fn delete(transaction: &Transaction<'_>, id: CallTypeId) -> Result<bool, WriteError> {
    let used = transaction
        .prepare_cached("SELECT 1 FROM calls WHERE call_type = ?1 LIMIT 1")?
        .exists([id.0])?;
    let changed = if used {
        transaction
            .prepare_cached("UPDATE call_types SET active = 0 WHERE id = ?1")?
            .execute([id.0])?
    } else {
        transaction
            .prepare_cached("DELETE FROM call_types WHERE id = ?1")?
            .execute([id.0])?
    };
    if changed == 0 {
        return Err(WriteError::Missing("call type"));
    }
    Ok(!used)
}

/// Whether there is one to choose.
pub(crate) fn any(connection: &Connection) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM call_types WHERE active = 1 LIMIT 1")?
        .exists([])
}

/// Finds one that can be chosen by its name.
pub(crate) fn named(connection: &Connection, name: &str) -> rusqlite::Result<Option<CallTypeId>> {
    connection
        .prepare_cached("SELECT id FROM call_types WHERE folded = ?1 AND active = 1")?
        .query_row([folded(name)], |row| row.get(0).map(CallTypeId))
        .optional()
}
