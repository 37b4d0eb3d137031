//! Opening the data folder: rights, lock, and a look at the file before anything is changed.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::crm::migration::{self, APPLICATION_ID};
use crate::crm::store::OpenError;
use crate::crm::{network_share, replace_database};

/// The database's file in the data folder.
pub(crate) const DATABASE: &str = "ringdesk.db";

/// Whoever holds the lock on this file writes the database.
const LOCK: &str = "ringdesk.lock";

/// Files up to this size, in bytes, are read through at each start: some 15 ms, of the 50 that opening may
/// take. After a crash, larger ones are read through while the phone works; nobody waits for it.
pub(crate) const CHECKED_AT_START: u64 = 8 << 20;

/// So long another program may hold the database, such as a backup or the `sqlite3` shell.
const BUSY: Duration = Duration::from_secs(5);

/// So many pages of the log are moved into the database by a commit, where nobody did it before.
pub(crate) const CHECKPOINT_AFTER: i64 = 4000;

/// The cache of a connection, in KiB. Pages of 4 KiB: it holds the inner pages of all indexes of a million calls.
pub(crate) const CACHE: i64 = 16_384;

/// Makes the folder, refuses what is no place for a database, and takes the folder's lock, which
/// lasts as long as the file is kept.
pub(crate) fn lock(data_dir: &Path) -> Result<File, OpenError> {
    let refused = |error: io::Error| OpenError::Io {
        path: data_dir.to_owned(),
        detail: error.to_string(),
    };
    make_private(data_dir).map_err(refused)?;
    let folder = data_dir.canonicalize().map_err(refused)?;
    if let Some(kind) = network_share::of(&folder) {
        return Err(OpenError::NetworkShare(data_dir.to_owned(), kind));
    }
    let lock = private_file(&data_dir.join(LOCK)).map_err(refused)?;
    match lock.try_lock() {
        Ok(()) => {
            replace_database::finish(&folder).map_err(refused)?;
            Ok(lock)
        }
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(data_dir.to_owned())),
        Err(TryLockError::Error(error)) => Err(refused(error)),
    }
}

/// Makes the database of a folder that has none: beside its place and without a log, so that it is flushed once
/// and not page by page, and then under its name. Says whether it made one. The folder must be locked.
pub(crate) fn make_where_none_is(data_dir: &Path, region: &str) -> Result<bool, OpenError> {
    let path = data_dir.join(DATABASE);
    // What an earlier start left in its place is brought to its end there.
    let begun = ["db", "db-wal", "db-journal"];
    if begun.iter().any(|end| size(&path.with_extension(end)) > 0) {
        return Ok(false);
    }
    let work = data_dir.join(replace_database::WORK);
    let refused = |error: io::Error| OpenError::Io {
        path: path.clone(),
        detail: error.to_string(),
    };
    // A log that lay beside it would be read into it.
    for end in ["new", "new-wal", "new-shm"] {
        replace_database::remove(&work.with_extension(end)).map_err(refused)?;
    }
    let file = private_file(&work).map_err(refused)?;
    let make = || {
        let mut connection = apart(&work)?;
        migration::migrate(&mut connection, region)?;
        // From its first opening on it has a log.
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.close().map_err(|(_, error)| error)
    };
    make().map_err(|error| failed(&path, &error))?;
    file.sync_all()
        .and_then(|()| fs::rename(&work, &path))
        .and_then(|()| sync_name(&path))
        .map_err(refused)?;
    Ok(true)
}

/// Opens the database for writing, or makes it, once it is found sound; a file of up to so many bytes is read
/// through for that. The folder must be locked.
pub(crate) fn for_writing(data_dir: &Path, limit: u64) -> Result<Connection, OpenError> {
    let path = data_dir.join(DATABASE);
    private_file(&path).map_err(|error| OpenError::Io {
        path: path.clone(),
        detail: error.to_string(),
    })?;
    roll_back(&path).map_err(|error| failed(&path, &error))?;
    // Of a new file there is nothing to examine.
    if size(&path) > 0 {
        drop(examined_up_to(&path, limit)?);
    }
    for_writing_unexamined(data_dir)
}

/// Opens a database for writing that this process has just made or examined.
pub(crate) fn for_writing_unexamined(data_dir: &Path) -> Result<Connection, OpenError> {
    let path = data_dir.join(DATABASE);
    let open = || {
        let connection = Connection::open_with_flags(
            &path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        tune(&connection)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        // A call record is acknowledged only once it would survive a power loss.
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "fullfsync", true)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // The writer moves the log into the database while nobody waits; this is for bursts.
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_AFTER)?;
        // What is deleted is overwritten where the page is written anyway; the rest an erasure does.
        connection.pragma_update(None, "secure_delete", "fast")?;
        // After a burst the log shrinks again.
        connection.pragma_update(None, "journal_size_limit", 16 << 20)?;
        Ok(connection)
    };
    open().map_err(|error| failed(&path, &error))
}

/// Opens a file beside the database that nobody else uses and that becomes something only once it is
/// whole and synced.
pub(crate) fn apart(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    tune(&connection)?;
    connection.pragma_update(None, "synchronous", "off")?;
    // Not in the file's log: what is renamed is one file.
    connection.pragma_update(None, "journal_mode", "memory")?;
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

/// Undoes what the very first start had begun when it was cut off, before the database had its log: as long as
/// that journal is there, nobody may read the file without writing.
fn roll_back(path: &Path) -> rusqlite::Result<()> {
    let journal = path.with_extension("db-journal");
    if journal.metadata().is_ok_and(|journal| journal.len() > 0) {
        let connection = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        connection.busy_timeout(BUSY)?;
        migration::version(&connection)?;
    }
    Ok(())
}

/// Opens the database for reading only, and refuses a damaged, a foreign or a newer one. Nothing is
/// written: a damaged file stays as it was found.
pub(crate) fn examined(path: &Path) -> Result<Connection, OpenError> {
    examined_up_to(path, CHECKED_AT_START)
}

fn examined_up_to(path: &Path, limit: u64) -> Result<Connection, OpenError> {
    let size = size(path);
    let look = || {
        let connection = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        connection.busy_timeout(BUSY)?;
        let found = migration::version(&connection)?;
        let application: i64 =
            connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
        let tables: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        let verdict = if size <= limit {
            connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?
        } else {
            "ok".to_owned()
        };
        Ok((connection, found, application, tables, verdict))
    };
    let (connection, found, application, tables, verdict) =
        look().map_err(|error| failed(path, &error))?;
    let damaged = |detail: String| OpenError::Damaged {
        path: path.to_owned(),
        detail,
    };
    if verdict != "ok" {
        // SQLite tells it in several lines.
        return Err(damaged(verdict.lines().collect::<Vec<_>>().join(" ")));
    }
    if (tables > 0 || found > 0) && application != APPLICATION_ID {
        return Err(damaged("it belongs to another program".to_owned()));
    }
    if found > migration::newest() {
        return Err(OpenError::Newer {
            path: path.to_owned(),
            found,
            known: migration::newest(),
        });
    }
    Ok(connection)
}

/// Whether a crash may have damaged a file that is too large to be read through at the start.
pub(crate) fn is_left_to_be_checked(path: &Path, limit: u64) -> bool {
    crashed(path) && size(path) > limit
}

/// A phone that ends in order leaves no log.
fn crashed(path: &Path) -> bool {
    let log = path.with_extension("db-wal").metadata();
    log.is_ok_and(|log| log.len() > 0)
}

fn size(path: &Path) -> u64 {
    path.metadata().map(|file| file.len()).unwrap_or_default()
}

/// Sets what reading and writing connections share.
pub(crate) fn tune(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.pragma_update(None, "trusted_schema", false)?;
    // No statement may write what only SQLite itself may: the schema, or the tables behind an index.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // A damaged page is met as such, before its cells are believed.
    connection.pragma_update(None, "cell_size_check", true)?;
    // A statement is planned once. Else SQLite looks at the bound values to see whether a partial
    // index fits, and plans the statement again for each caller.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.pragma_update(None, "cache_size", -CACHE)
}

/// Says why a file cannot be opened.
pub(crate) fn failed(path: &Path, error: &rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    let detail = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            OpenError::Damaged { path, detail }
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => OpenError::Io {
            path,
            detail: format!("{detail} by another program; end that one and start again"),
        },
        Some(ErrorCode::ReadOnly) => OpenError::Io {
            path,
            detail: format!("{detail}; make the file and its folder writable"),
        },
        Some(ErrorCode::DiskFull) => OpenError::Io {
            path,
            detail: "the disk is full; free some space".to_owned(),
        },
        _ => OpenError::Io { path, detail },
    }
}

/// Makes a folder that only the user can enter. One that is there and not empty keeps its rights:
/// it may be used for more than this.
fn make_private(folder: &Path) -> io::Result<()> {
    let mut made: Vec<&Path> = folder
        .ancestors()
        .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
        .collect();
    fs::create_dir_all(folder)?;
    if fs::read_dir(folder)?.next().is_some() {
        return Ok(());
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    // An empty one may be left from a start that was cut off before its name was on the disk.
    if made.is_empty() {
        made.push(folder);
    }
    made.into_iter().try_for_each(sync_name)
}

/// Waits until a new folder's or file's name would survive a power loss, which would else take it along,
/// however safe what is in it is.
#[cfg(unix)]
pub(crate) fn sync_name(path: &Path) -> io::Result<()> {
    let around = match path.parent() {
        Some(around) if around.as_os_str().is_empty() => Path::new("."),
        Some(around) => around,
        None => return Ok(()),
    };
    match File::open(around).and_then(|around| around.sync_all()) {
        // Not every file system can, and not every folder may be read by who owns one in it.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidInput
                    | io::ErrorKind::Unsupported
                    | io::ErrorKind::PermissionDenied
            ) =>
        {
            Ok(())
        }
        synced => synced,
    }
}

/// Elsewhere a folder cannot be synced.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "where it can be, that may fail")]
pub(crate) fn sync_name(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Opens or makes a file that only the user can read; SQLite gives the log files beside it the
/// same rights.
pub(crate) fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
        options.mode(0o600);
        let file = options.open(path)?;
        if file.metadata()?.permissions().mode() & 0o077 != 0 {
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
        }
        Ok(file)
    }
    #[cfg(not(unix))]
    options.open(path)
}
