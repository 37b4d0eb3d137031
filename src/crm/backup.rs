//! Backups: a copy of the database while the phone works, and back.
//!
//! The writer itself copies, a few pages at a time between its transactions (SQLite's online backup). Only
//! so can a copy of a busy database end: what the copying connection writes goes into the copy, too, while
//! a write of any other connection would make it begin anew. `VACUUM INTO` would hold one snapshot to its
//! end, seconds in which the log grows. The copy is made beside the database, so that a slow stick or
//! share slows nobody's calls; it is then verified, and put where it is wanted.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use crate::base::clock::monotonic_now;
use crate::crm::care::CareStep;
use crate::crm::migration::{self, APPLICATION_ID};
use crate::crm::open::{self, DATABASE, private_file};
use crate::crm::replace_database::{WORK, keep_present, remove, replace, sync_folder};
use crate::crm::row::{BackupMade, Restored, TableCount};
use crate::crm::store::{OpenError, Store, StoreError, Write};
use crate::crm::{database_copies, erase};

/// So many pages are copied before the clock is looked at.
const PAGES: i32 = 32;

/// So long pages are copied before what waits is written: a call that begins waits no longer.
const SLICE: Duration = Duration::from_millis(3);

/// Why a backup was not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The database could not be copied.
    #[error("the backup was not made: {0}")]
    Store(#[from] StoreError),
    /// The file could not be written.
    #[error("the backup {} cannot be written ({source}); name another file, or free some space", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// There is another file.
    #[error("{} is there already and is no Ringdesk backup; name another file", .0.display())]
    Taken(PathBuf),
    /// The copy is not whole.
    #[error(
        "the copy is not sound ({0}), so the database may be damaged; end the phone and run: ringdesk recover"
    )]
    Unsound(String),
}

impl From<rusqlite::Error> for BackupError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

impl Store {
    /// Copies the database to a file while the phone works, verifies the copy and tells what is in it.
    /// An older backup of that name gives way once the new one is whole. Blocks for as long as it takes.
    ///
    /// # Errors
    ///
    /// See [`BackupError`]; an older backup of that name is still there then.
    pub fn back_up(&self, file: &Path, at: Timestamp) -> Result<BackupMade, BackupError> {
        let refused = |source: io::Error| BackupError::File {
            file: file.to_owned(),
            source,
        };
        let file = &std::path::absolute(file).map_err(refused)?;
        let own = std::path::absolute(self.data_dir().join(DATABASE)).map_err(refused)?;
        if file.exists() && (!is_ours(file) || *file == own) {
            return Err(BackupError::Taken(file.clone()));
        }
        let Ok(_one) = self.copying().try_lock() else {
            let busy = "a backup is being made; try again when it is done";
            return Err(StoreError::Database(busy.to_owned()).into());
        };
        let work = self.data_dir().join(WORK);
        remove(&work).map_err(refused)?;
        drop(private_file(&work).map_err(refused)?);
        let made = self
            .write_and_wait(Write::CopyTo(work.clone()))
            .map_err(BackupError::from)
            .and_then(|_| {
                let tables = verified(&work)?;
                let octets = work.metadata().map_err(refused)?.len();
                put(&work, file).map_err(refused)?;
                Ok(BackupMade {
                    file: file.clone(),
                    octets,
                    tables,
                })
            });
        if made.is_err() {
            // What was begun is of no use; the first error is the one to tell.
            remove(&work).ok();
        } else {
            self.take_step(CareStep::NoteCopy(file.clone(), at))?;
        }
        made
    }
}

/// Makes a backup the database of a folder on which no phone runs. The present database is kept under
/// a dated name; who was erased after the backup was made is erased again.
///
/// # Errors
///
/// Fails when a phone runs on the folder, when the backup is damaged, another program's or a newer
/// version's, and when the disk is full; the database is as it was then.
pub fn restore(
    data_dir: &Path,
    file: &Path,
    region: &str,
    at: Timestamp,
) -> Result<Restored, OpenError> {
    let _lock = open::lock(data_dir)?;
    let source = open::examined(file)?;
    let of_file = |error: rusqlite::Error| open::failed(file, &error);
    if migration::version(&source).map_err(of_file)? == 0 {
        return Err(OpenError::Io {
            path: file.to_owned(),
            detail: "it is no backup of a Ringdesk database".to_owned(),
        });
    }
    let verdict = sound(&source).map_err(of_file)?;
    if verdict != "ok" {
        return Err(OpenError::Damaged {
            path: file.to_owned(),
            detail: verdict,
        });
    }
    let work = data_dir.join(WORK);
    let refused = |error: io::Error| OpenError::Io {
        path: work.clone(),
        detail: error.to_string(),
    };
    drop(private_file(&work).map_err(refused)?);
    let prepared = (|| {
        let mut target = Connection::open(&work)?;
        Backup::new(&source, &mut target)?.step(-1)?;
        drop(target);
        let mut target = open::apart(&work)?;
        migration::migrate(&mut target, region)?;
        let erased_again = erase::again(&mut target, data_dir, region)?;
        database_copies::note(&target, file, at)?;
        let kept = if data_dir.join(DATABASE).exists() {
            let kept = keep_present(data_dir, "before-restore", at);
            let kept =
                kept.map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
            database_copies::note(&target, &kept, at)?;
            Some(kept)
        } else {
            None
        };
        let tables = counts(&target)?;
        target.close().map_err(|(_, error)| error)?;
        Ok(Restored {
            kept,
            tables,
            erased_again,
        })
    })();
    let restored = prepared.map_err(|error| {
        remove(&work).ok();
        open::failed(&work, &error)
    })?;
    replace(data_dir, &work).map_err(refused)?;
    Ok(restored)
}

/// Copies a database through its own writer; `between` does what waits, and says whether to go on.
pub(super) fn copy_online(
    from: &Connection,
    file: &Path,
    mut between: impl FnMut() -> bool,
) -> rusqlite::Result<()> {
    let mut target = Connection::open_with_flags(
        file,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    target.pragma_update(None, "synchronous", "off")?;
    target.pragma_update(None, "journal_mode", "off")?;
    let backup = Backup::new(from, &mut target)?;
    loop {
        let until = monotonic_now() + SLICE;
        while monotonic_now() < until {
            if backup.step(PAGES)? == StepResult::Done {
                return Ok(());
            }
        }
        if !between() {
            return Err(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_INTERRUPT),
                Some("the phone ends".to_owned()),
            ));
        }
    }
}

/// Reads a copy through, and counts what is in it. It becomes one file, without a log beside it.
fn verified(file: &Path) -> Result<Vec<TableCount>, BackupError> {
    let connection = Connection::open(file)?;
    connection.pragma_update(None, "journal_mode", "delete")?;
    let verdict = sound(&connection)?;
    let application: i64 =
        connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if verdict != "ok" {
        return Err(BackupError::Unsound(verdict));
    }
    if application != APPLICATION_ID {
        return Err(BackupError::Unsound("it has no head".to_owned()));
    }
    Ok(counts(&connection)?)
}

pub(super) fn sound(connection: &Connection) -> rusqlite::Result<String> {
    connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
}

/// The tables that have rows.
pub(super) fn counts(connection: &Connection) -> rusqlite::Result<Vec<TableCount>> {
    let mut names = connection.prepare(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'
         AND name NOT LIKE 'sqlite%' ORDER BY name",
    )?;
    let names = names.query_map([], |row| row.get::<_, String>(0))?;
    let mut tables = Vec::new();
    for table in names {
        let table = table?;
        let sql = format!("SELECT count(*) FROM \"{table}\"");
        let rows: i64 = connection.query_row(&sql, [], |row| row.get(0))?;
        if rows > 0 {
            let rows = u64::try_from(rows).unwrap_or_default();
            tables.push(TableCount { table, rows });
        }
    }
    Ok(tables)
}

/// Puts a finished file where it is wanted, under its name only once it is there and synced.
fn put(work: &Path, file: &Path) -> io::Result<()> {
    let mut beside: OsString = file.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let placed = (|| {
        if fs::rename(work, &beside).is_err() {
            // On another disk.
            let mut copy = private_file(&beside)?;
            copy.set_len(0)?;
            io::copy(&mut File::open(work)?, &mut copy)?;
            remove(work)?;
        }
        private_file(&beside)?.sync_all()?;
        fs::rename(&beside, file)
    })();
    if placed.is_err() {
        remove(&beside).ok();
    }
    placed?;
    sync_folder(file.parent().unwrap_or_else(|| Path::new("/")))
}

fn is_ours(file: &Path) -> bool {
    let application = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .and_then(|it| it.pragma_query_value(None, "application_id", |row| row.get::<_, i64>(0)));
    application.is_ok_and(|application| application == APPLICATION_ID)
}
