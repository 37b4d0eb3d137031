//! SQLite's log of writes: when it is moved into the database, and how an import uses it.

use rusqlite::Connection;

use crate::crm::open;

/// So large the cache of pages is during an import, in KiB: each page of an index is written once then, and not
/// again for each contact that belongs there.
const IMPORT_CACHE: i64 = 128 << 10;

/// Moves the whole log into the database and cuts it to nothing: what was erased is not left there.
/// Readers that still look at it are waited for, as long as for another program.
pub(super) fn empty_log(connection: &Connection) -> rusqlite::Result<()> {
    let busy: bool =
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if busy {
        let why = "a reader kept the log from being emptied";
        return Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY),
            Some(why.to_owned()),
        ));
    }
    Ok(())
}

/// Moves the log into the database without waiting for readers; what is left goes the next time.
pub(super) fn tidy(connection: &Connection) {
    if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
        tracing::warn!("the call log's journal could not be moved into the database: {error}");
    }
}

/// Gives an import its cache, and leaves the log alone until it was answered; or takes both back.
pub(super) fn widen(connection: &Connection, wide: bool) {
    let set = || {
        if wide {
            connection.pragma_update(None, "cache_size", -IMPORT_CACHE)?;
            return connection.pragma_update(None, "wal_autocheckpoint", 0);
        }
        connection.pragma_update(None, "wal_autocheckpoint", open::CHECKPOINT_AFTER)?;
        connection.pragma_update(None, "cache_size", -open::CACHE)?;
        connection.execute_batch("PRAGMA shrink_memory")
    };
    if let Err(error) = set() {
        tracing::warn!("the cache could not be made larger or smaller: {error}");
    }
}
