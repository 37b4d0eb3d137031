//! The copy of a database that is made before a newer version changes it.
//!
//! A migration is one transaction, so a crash undoes it; the copy is for what a version does wrong, and for the
//! way back to the older one. Without a copy nothing is changed.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::Connection;
use rusqlite::backup::Backup;

use crate::crm::migration;
use crate::crm::open::private_file;
use crate::crm::replace_database::{remove, sync_folder};
use crate::crm::store::OpenError;
use crate::crm::{backup, open};

/// How the copies are called; what follows is the moment, so that the newest is the last one by name.
const PREFIX: &str = "ringdesk-before-upgrade-";
/// A copy while it is made.
const WORK: &str = "ringdesk-before-upgrade.new";
/// So many are kept.
const KEPT: usize = 2;

/// Copies the database of a folder where steps of the migration are to come, reads the copy through and lets the
/// older ones go, but for the last. None where there is nothing to change.
///
/// # Errors
///
/// Fails when the copy cannot be made: then the database must stay as it is.
pub(crate) fn copy(
    data_dir: &Path,
    connection: &Connection,
    at: Timestamp,
) -> Result<Option<PathBuf>, OpenError> {
    let path = data_dir.join(open::DATABASE);
    let found = migration::version(connection).map_err(|error| open::failed(&path, &error))?;
    if found == 0 || found >= migration::newest() {
        return Ok(None);
    }
    let work = data_dir.join(WORK);
    let made = make(connection, &work, data_dir, at);
    if made.is_err() {
        // What was begun is of no use; the first error is the one to tell.
        drop(remove(&work));
    }
    let copy = made.map_err(|detail| OpenError::NoCopy {
        path,
        found,
        known: migration::newest(),
        detail,
    })?;
    tracing::info!(
        "before the database goes from schema {found} to {} it is copied to {}",
        migration::newest(),
        copy.display()
    );
    let_older_go(data_dir);
    Ok(Some(copy))
}

fn make(
    connection: &Connection,
    work: &Path,
    data_dir: &Path,
    at: Timestamp,
) -> Result<PathBuf, String> {
    let system = |error: std::io::Error| error.to_string();
    let sqlite = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => "the disk is full".to_owned(),
        _ => error.to_string(),
    };
    remove(work).map_err(system)?;
    drop(private_file(work).map_err(system)?);
    let mut target = Connection::open(work).map_err(sqlite)?;
    let copied = (|| {
        target.pragma_update(None, "synchronous", "off")?;
        target.pragma_update(None, "journal_mode", "off")?;
        Backup::new(connection, &mut target)?.step(-1)?;
        // One file, without a log beside it.
        target.pragma_update(None, "journal_mode", "delete")?;
        backup::sound(&target)
    })();
    let verdict = copied.map_err(sqlite)?;
    target.close().map_err(|(_, error)| sqlite(error))?;
    if verdict != "ok" {
        return Err(format!("the copy is not sound: {verdict}"));
    }
    private_file(work)
        .and_then(|file| file.sync_all())
        .map_err(system)?;
    let name = format!("{PREFIX}{}.db", at.strftime("%Y-%m-%dT%H-%M-%SZ"));
    let copy = data_dir.join(name);
    fs::rename(work, &copy).map_err(system)?;
    sync_folder(data_dir).map_err(system)?;
    Ok(copy)
}

/// Removes all copies but the newest. What cannot be removed stays; nothing depends on it.
fn let_older_go(data_dir: &Path) {
    let mut copies = copies(data_dir);
    copies.truncate(copies.len().saturating_sub(KEPT));
    for copy in copies {
        if let Err(error) = remove(&copy) {
            tracing::warn!(
                "an old copy of the database stays: {}: {error}",
                copy.display()
            );
        }
    }
}

/// The copies in a folder, the oldest first.
fn copies(data_dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(data_dir).into_iter().flatten().flatten();
    let mut copies: Vec<PathBuf> = entries
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with(PREFIX) && name.ends_with(".db")
        })
        .map(|entry| entry.path())
        .collect();
    copies.sort();
    copies
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crm::Store;
    use crate::crm::open::DATABASE;

    /// A file of an older version, with a call type of its own in it.
    fn older(folder: &Path) {
        drop(fs::remove_file(folder.join(DATABASE)));
        let mut connection = open::for_writing(folder, open::CHECKED_AT_START).unwrap();
        migration::migrate_to(&mut connection, migration::newest() - 1).unwrap();
        connection
            .execute_batch("INSERT OR REPLACE INTO store_settings VALUES ('region', 'FR')")
            .unwrap();
    }

    fn region(file: &Path) -> (i64, String) {
        let connection = Connection::open(file).unwrap();
        let region = migration::stored_region(&connection).unwrap();
        (migration::version(&connection).unwrap(), region.unwrap())
    }

    #[test]
    fn an_older_database_is_copied_before_it_is_changed_and_two_copies_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        for second in 0..4 {
            older(folder.path());
            let connection = open::for_writing(folder.path(), 0).unwrap();
            let at = Timestamp::from_second(second).unwrap();
            let copy = copy(folder.path(), &connection, at).unwrap().unwrap();
            assert_eq!(region(&copy), (migration::newest() - 1, "FR".to_owned()));
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                let mode = copy.metadata().unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o600);
            }
        }
        let kept = copies(folder.path());
        let names: Vec<_> = kept.iter().map(|it| it.file_name().unwrap()).collect();
        assert_eq!(
            names,
            [
                "ringdesk-before-upgrade-1970-01-01T00-00-02Z.db",
                "ringdesk-before-upgrade-1970-01-01T00-00-03Z.db"
            ]
        );
        assert!(!folder.path().join(WORK).exists());
    }

    #[test]
    fn opening_an_older_database_leaves_its_copy_and_notes_it_for_erasures() {
        let folder = tempfile::tempdir().unwrap();
        older(folder.path());
        drop(Store::open(folder.path(), "DE").unwrap());
        let copy = &copies(folder.path())[0];
        assert_eq!(region(copy), (migration::newest() - 1, "FR".to_owned()));
        let database = folder.path().join(DATABASE);
        assert_eq!(region(&database), (migration::newest(), "DE".to_owned()));
        let known = crate::crm::database_copies::present(&Connection::open(&database).unwrap());
        assert_eq!(known.unwrap()[0].file, *copy);
        // There is nothing to copy any more.
        drop(Store::open(folder.path(), "DE").unwrap());
        assert_eq!(copies(folder.path()).len(), 1);
    }

    #[test]
    fn without_a_copy_the_database_stays_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        older(folder.path());
        // A folder stands where the copy is made: that stops also a test that runs as root.
        fs::create_dir(folder.path().join(WORK)).unwrap();
        let error = Store::open(folder.path(), "DE").err().unwrap();
        assert!(matches!(error, OpenError::NoCopy { .. }), "{error}");
        assert!(error.to_string().contains("not changed"), "{error}");
        let database = folder.path().join(DATABASE);
        assert_eq!(
            region(&database),
            (migration::newest() - 1, "FR".to_owned())
        );
        assert!(copies(folder.path()).is_empty());
    }
}
