//! Backups, erasures and exports of a person, for scripts: through the running phone, or straight from the
//! file.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use crate::app::care::remove_files;
use crate::app::records::Records;
use crate::base::clock;
use crate::base::random::{OsRandom, Random as _};
use crate::crm::erase::EraseOrder;
use crate::crm::row::{BackupMade, Erased, ErasedCalls, Recovered, Restored};
use crate::crm::{backup, recovery};

/// Makes a backup the database of a folder on which no phone runs.
///
/// # Errors
///
/// Fails when a phone runs there, or the backup is none; the message says what to do.
pub fn restore(data_dir: &Path, file: &Path, region: &str) -> anyhow::Result<Restored> {
    Ok(backup::restore(data_dir, file, region, clock::wall_now())?)
}

/// Saves what is whole of a damaged database.
///
/// # Errors
///
/// Fails when a phone runs there, or nothing can be read; the message says what to do.
pub fn recover(data_dir: &Path, region: &str) -> anyhow::Result<Recovered> {
    Ok(recovery::recover(data_dir, region, clock::wall_now())?)
}

impl Records {
    /// Copies the database to a file, verified; the phone works meanwhile.
    ///
    /// # Errors
    ///
    /// Fails when the file cannot be written; the message says what to do.
    pub async fn back_up(&self, file: &Path) -> anyhow::Result<BackupMade> {
        let (store, file) = (self.shared_store(), file.to_owned());
        let made = move || store.back_up(&file, clock::wall_now());
        Ok(tokio::task::spawn_blocking(made).await??)
    }

    /// Erases a person: a contact's id, or a number.
    ///
    /// # Errors
    ///
    /// Fails when there is no such person, and then nothing was erased.
    pub async fn erase(&self, who: &str, calls: ErasedCalls, by: &str) -> anyhow::Result<Erased> {
        let order = EraseOrder {
            who: who.to_owned(),
            calls,
            at: clock::wall_now(),
            by: by.to_owned(),
            id: i64::try_from(OsRandom.next_u64() >> 1).unwrap_or_default(),
            salt: OsRandom.hex(16),
            alone: self.alone(),
        };
        let (store, recordings) = (self.shared_store(), self.recordings().to_owned());
        let erased = move || {
            let mut erased = store.erase(&order)?;
            erased.recordings_left = remove_files(&store, &recordings)?;
            anyhow::Ok(erased)
        };
        tokio::task::spawn_blocking(erased).await?
    }

    /// Writes all that is held of a person to a new file that only the user can read; gives the
    /// recordings that belong to it.
    ///
    /// # Errors
    ///
    /// Fails when there is no such person, or the file is there already or cannot be written.
    pub async fn export_person(&self, who: &str, file: &Path) -> anyhow::Result<Vec<String>> {
        let (store, who, file) = (self.shared_store(), who.to_owned(), file.to_owned());
        let exported = move || {
            let export = store.export_person(&who)?;
            let text = serde_json::to_string_pretty(&export.data)?;
            write_new(&file, text.as_bytes()).map_err(|error| {
                let file = file.display();
                anyhow::anyhow!("the file {file} cannot be written ({error}); name another one")
            })?;
            anyhow::Ok(export.recordings)
        };
        tokio::task::spawn_blocking(exported).await?
    }
}

fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
