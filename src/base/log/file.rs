//! The files of the log: bounded in size and number, turned over without losing a line.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::base::private_dir;

/// The file that grows.
const NAME: &str = "ringdesk.log";
/// Whoever holds the lock on this file writes the log: two that turn it over would lose lines.
const LOCK: &str = "ringdesk.log.lock";
/// Older files are looked for up to this number, also after the bound became smaller.
const MOST_FILES: usize = 99;

/// How much of the log is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most octets of one file.
    pub octets: u64,
    /// The most files, the one that grows among them; at least 2.
    pub files: usize,
}

impl Default for Limits {
    /// 20 MiB in all: about a week of a busy phone, a day at the level `debug`.
    fn default() -> Self {
        Self {
            octets: 4 << 20,
            files: 5,
        }
    }
}

/// The log in a folder, opened for writing.
#[derive(Debug)]
pub struct LogFile {
    folder: PathBuf,
    limits: Limits,
    file: File,
    /// Octets in `file`.
    size: u64,
    _lock: File,
}

impl LogFile {
    /// Makes the folder where it is missing and opens the newest file to go on with it.
    ///
    /// # Errors
    ///
    /// Fails when the folder or the file cannot be made, or another process writes this log.
    pub fn open(folder: &Path, limits: Limits) -> io::Result<Self> {
        private_dir::create(folder)?;
        let lock = private(&folder.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(io::Error::new(
                    io::ErrorKind::WouldBlock,
                    "another Ringdesk writes it",
                ));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let file = private(&folder.join(NAME))?;
        let size = file.metadata()?.len();
        Ok(Self {
            folder: folder.to_owned(),
            limits,
            file,
            size,
            _lock: lock,
        })
    }

    /// Writes whole lines; where they no longer fit, into a new file.
    ///
    /// # Errors
    ///
    /// Fails when the disk does not take all of it: then none of it is in the file.
    pub fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        let more = u64::try_from(lines.len()).unwrap_or(u64::MAX);
        if self.size > 0 && self.size.saturating_add(more) > self.limits.octets {
            self.turn_over()?;
        }
        match self.file.write_all(lines) {
            Ok(()) => {
                self.size = self.size.saturating_add(more);
                Ok(())
            }
            Err(error) => {
                // Half a line would be read as a whole one; the first error is the one to tell.
                drop(self.file.set_len(self.size));
                Err(error)
            }
        }
    }

    /// Renames the files, the oldest of which goes, and begins a new one. A crash in between leaves a gap in
    /// the numbers and every line.
    fn turn_over(&mut self) -> io::Result<()> {
        let kept = self.limits.files.clamp(2, MOST_FILES) - 1;
        for number in kept..=MOST_FILES {
            remove(&older(&self.folder, number))?;
        }
        for number in (1..kept).rev() {
            let from = older(&self.folder, number);
            if from.exists() {
                fs::rename(from, older(&self.folder, number + 1))?;
            }
        }
        fs::rename(self.folder.join(NAME), older(&self.folder, 1))?;
        self.file = private(&self.folder.join(NAME))?;
        self.size = self.file.metadata()?.len();
        Ok(())
    }
}

/// The files of the log in a folder, the oldest first.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = (1..=MOST_FILES)
        .rev()
        .map(|number| older(folder, number))
        .collect();
    files.push(folder.join(NAME));
    files.retain(|file| file.is_file());
    files
}

fn older(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("ringdesk.{number}.log"))
}

/// Opens or makes a file that only its owner reads, to write at its end.
fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
        options.mode(0o600);
        let file = options.open(path)?;
        let about = file.metadata()?;
        if about.is_file() && about.permissions().mode() & 0o077 != 0 {
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
        }
        Ok(file)
    }
    #[cfg(not(unix))]
    options.open(path)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
