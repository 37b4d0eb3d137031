//! The copies of the database that this phone made: who is erased later is still in them.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, params};

use crate::crm::row::DatabaseCopy;

pub(crate) const CREATE: &str = "
-- Backups, and files that were kept when another took their place. An erasure cannot reach them, so
-- it names them.
CREATE TABLE database_copies (
    file TEXT PRIMARY KEY,
    made_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// Takes note of a copy; one that took the place of another is the newer one.
pub(crate) fn note(connection: &Connection, file: &Path, at: Timestamp) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT OR REPLACE INTO database_copies (file, made_at) VALUES (?1, ?2)",
        params![file.display().to_string(), at.as_microsecond()],
    )?;
    Ok(())
}

/// All copies that are still where they were put, oldest first.
pub(crate) fn present(connection: &Connection) -> rusqlite::Result<Vec<DatabaseCopy>> {
    let mut query =
        connection.prepare("SELECT file, made_at FROM database_copies ORDER BY made_at, file")?;
    let rows = query.query_map([], |row| {
        Ok(DatabaseCopy {
            file: PathBuf::from(row.get::<_, String>(0)?),
            made_at: Timestamp::from_microsecond(row.get(1)?).unwrap_or_default(),
        })
    })?;
    let copies = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(copies
        .into_iter()
        .filter(|copy| copy.file.exists())
        .collect())
}
