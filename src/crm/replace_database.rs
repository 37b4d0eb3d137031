//! Putting another database in the place of the present one, which is kept.
//!
//! A crash at any moment leaves the one or the other, whole. The present file and its log get a second,
//! dated name first. The new file then becomes `ringdesk.db.next`: from there on it is the database.
//! What is left (the old log goes, the new file takes its name) is done again at each opening until it
//! is done; a log that stayed beside another file than its own would be read into it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::crm::open::{DATABASE, private_file};

/// A database while it is made: what a crash leaves of it is of no use.
pub(super) const WORK: &str = "ringdesk.db.new";

/// What the new database is called until the old one is gone.
const NEXT: &str = "ringdesk.db.next";

/// The files beside a database that belong to it.
const BESIDE: [&str; 2] = ["ringdesk.db-wal", "ringdesk.db-shm"];

/// Gives the present database and its log a second name, which tells why and when; gives that name.
pub(super) fn keep_present(data_dir: &Path, why: &str, at: Timestamp) -> io::Result<PathBuf> {
    let stamp = at.strftime("%Y-%m-%dT%H-%M-%SZ");
    let name = (1_u32..)
        .map(|number| match number {
            1 => format!("ringdesk-{why}-{stamp}.db"),
            _ => format!("ringdesk-{why}-{stamp}-{number}.db"),
        })
        .find(|name| !data_dir.join(name).exists())
        .unwrap_or_default();
    let kept = data_dir.join(name);
    second_name(&data_dir.join(DATABASE), &kept)?;
    let log = data_dir.join("ringdesk.db-wal");
    if log.exists() {
        second_name(&log, &kept.with_extension("db-wal"))?;
    }
    sync_folder(data_dir)?;
    Ok(kept)
}

/// Makes a finished database file of this folder, which nobody has open, the present one.
pub(super) fn replace(data_dir: &Path, fresh: &Path) -> io::Result<()> {
    private_file(fresh)?.sync_all()?;
    fs::rename(fresh, data_dir.join(NEXT))?;
    sync_folder(data_dir)?;
    finish(data_dir)
}

/// Finishes what a crash may have interrupted; nobody may have the database open.
pub(super) fn finish(data_dir: &Path) -> io::Result<()> {
    remove(&data_dir.join(WORK))?;
    let next = data_dir.join(NEXT);
    if !next.exists() {
        return Ok(());
    }
    for file in BESIDE {
        remove(&data_dir.join(file))?;
    }
    fs::rename(next, data_dir.join(DATABASE))?;
    sync_folder(data_dir)
}

/// Removes a file that may not be there.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Where the file system has no second names, the file is copied.
fn second_name(from: &Path, to: &Path) -> io::Result<()> {
    if fs::hard_link(from, to).is_err() {
        let mut copy = private_file(to)?;
        io::copy(&mut File::open(from)?, &mut copy)?;
        copy.sync_all()?;
    }
    Ok(())
}

/// Makes new names in a folder last; Windows has no handle on a folder to sync.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(DATABASE), "old").unwrap();
        fs::write(folder.path().join("ringdesk.db-wal"), "log of the old").unwrap();
        fs::write(folder.path().join("fresh"), "new").unwrap();
        folder
    }

    fn text(folder: &tempfile::TempDir, name: &str) -> Option<String> {
        fs::read_to_string(folder.path().join(name)).ok()
    }

    #[test]
    fn the_old_file_is_kept_with_its_log_and_the_new_one_stands_alone() {
        let folder = folder();
        let at = Timestamp::UNIX_EPOCH;
        let kept = keep_present(folder.path(), "damaged", at).unwrap();
        let again = keep_present(folder.path(), "damaged", at).unwrap();
        replace(folder.path(), &folder.path().join("fresh")).unwrap();
        assert_eq!(text(&folder, DATABASE).as_deref(), Some("new"));
        assert_eq!(text(&folder, "ringdesk.db-wal"), None);
        for (kept, name) in [
            (kept, "ringdesk-damaged-1970-01-01T00-00-00Z"),
            (again, "ringdesk-damaged-1970-01-01T00-00-00Z-2"),
        ] {
            assert_eq!(kept, folder.path().join(format!("{name}.db")));
            assert_eq!(fs::read_to_string(&kept).unwrap(), "old");
            let log = text(&folder, &format!("{name}.db-wal"));
            assert_eq!(log.as_deref(), Some("log of the old"));
        }
    }

    #[test]
    fn a_crash_in_between_is_finished_at_the_next_start() {
        // After each step of the exchange; before the first, nothing has begun.
        for step in 0..3 {
            let folder = folder();
            let path = |name| folder.path().join(name);
            if step > 0 {
                fs::rename(path("fresh"), path(NEXT)).unwrap();
            }
            if step > 1 {
                fs::remove_file(path("ringdesk.db-wal")).unwrap();
            }
            finish(folder.path()).unwrap();
            let new = step > 0;
            assert_eq!(
                text(&folder, DATABASE).as_deref(),
                Some(if new { "new" } else { "old" })
            );
            assert_eq!(text(&folder, "ringdesk.db-wal").is_none(), new);
        }
    }
}
