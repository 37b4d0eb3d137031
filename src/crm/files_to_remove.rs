//! Files whose rows are gone: the phone removes them, and what a crash interrupts goes at the next start.

use rusqlite::{Connection, Transaction};

use crate::base::id::CallId;
use crate::crm::care::CareStep;
use crate::crm::store::{Store, StoreError};

pub(crate) const CREATE: &str = "
-- Recordings that nobody may hear any more. The row that named one goes in the transaction that puts
-- it here, so that no crash in between leaves a file that nobody knows. Without a file it is the one
-- that carries the call's id.
CREATE TABLE files_to_remove (
    seq INTEGER PRIMARY KEY,
    call TEXT NOT NULL,
    file TEXT
) STRICT;
";

/// A recording that is to be removed, with the further ones of its call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileToRemove {
    /// What says that it was removed.
    pub seq: i64,
    /// Its call.
    pub call: CallId,
    /// Its path; without one it has the call's id in the folder of recordings.
    pub file: Option<String>,
}

/// Adds the recordings of calls, those of rows that name none only where that is asked for.
pub(crate) fn add(
    transaction: &Transaction<'_>,
    calls: &[i64],
    unnamed_too: bool,
) -> rusqlite::Result<u64> {
    let mut added = 0;
    let mut insert = transaction.prepare_cached(
        "INSERT INTO files_to_remove (call, file) SELECT id, recording FROM calls
         WHERE seq = ?1 AND (recording IS NOT NULL OR ?2)",
    )?;
    for call in calls {
        added += insert.execute((call, unnamed_too))? as u64;
    }
    Ok(added)
}

impl Store {
    /// The next files after a number. Blocks.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn files_to_remove(&self, after: i64, limit: u32) -> Result<Vec<FileToRemove>, StoreError> {
        self.read_piece(move |reader| Ok(some(reader.connection(), after, limit)?))
    }

    /// Forgets files that were removed. Blocks.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn forget_files(&self, seqs: Vec<i64>) -> Result<(), StoreError> {
        if seqs.is_empty() {
            return Ok(());
        }
        self.take_step(CareStep::FilesRemoved(seqs)).map(drop)
    }
}

fn some(connection: &Connection, after: i64, limit: u32) -> rusqlite::Result<Vec<FileToRemove>> {
    let mut query = connection.prepare_cached(
        "SELECT seq, call, file FROM files_to_remove WHERE seq > ?1 ORDER BY seq LIMIT ?2",
    )?;
    let rows = query.query_map((after, limit), |row| {
        Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?))
    })?;
    let mut files = Vec::new();
    for row in rows {
        let (seq, call, file) = row?;
        files.extend(CallId::parse(&call).map(|call| FileToRemove { seq, call, file }));
    }
    Ok(files)
}

/// Forgets those that are removed.
pub(crate) fn removed(transaction: &Transaction<'_>, seqs: &[i64]) -> rusqlite::Result<()> {
    for seq in seqs {
        transaction
            .prepare_cached("DELETE FROM files_to_remove WHERE seq = ?1")?
            .execute([seq])?;
    }
    Ok(())
}
