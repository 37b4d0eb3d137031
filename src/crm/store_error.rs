//! Why the store cannot be opened, read or written; each says what to do.

use std::path::PathBuf;

use rusqlite::ErrorCode;

/// Why a store cannot be opened; each says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another phone has it open.
    #[error(
        "another Ringdesk is using {0}; close it, or give this one its own folder with --data-dir"
    )]
    InUse(PathBuf),
    /// It lies on a network share, where SQLite's locks do not hold.
    #[error(
        "{0} lies on a network share ({1}), where a database can be damaged; choose a local folder with --data-dir"
    )]
    NetworkShare(PathBuf, String),
    /// It is damaged; nothing was changed.
    #[error(
        "the database {path} is damaged ({detail}); nothing was changed. Restore a backup (ringdesk restore FILE), or save what is whole (ringdesk recover)"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// SQLite's words.
        detail: String,
    },
    /// It was written by a newer version.
    #[error(
        "the database {path} was written by a newer Ringdesk (schema {found}, this one knows {known}); update this Ringdesk"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The newest known here.
        known: i64,
    },
    /// It is an older version's, and could not be copied before it is brought to the newest schema.
    #[error(
        "the database {path} is of an older Ringdesk (schema {found}, this one needs {known}), and no copy of it could be made first ({detail}); it was not changed. Make room in its folder, which must be writable, and start again"
    )]
    NoCopy {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The newest known here.
        known: i64,
        /// Why there is no copy.
        detail: String,
    },
    /// The system refused.
    #[error("{path} cannot be opened: {detail}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's words.
        detail: String,
    },
}

/// Why a read or write failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The queue is full: the disk does not keep up.
    #[error("the disk does not keep up with the call log")]
    Overloaded,
    /// No space is left.
    #[error("the disk with the call log is full; free some space")]
    DiskFull,
    /// The store is closed.
    #[error("the call log is closed")]
    Closed,
    /// The row is not there: it was deleted, or never written.
    #[error("the {0} is not in the call log")]
    Missing(&'static str),
    /// It cannot be done as it was asked for: why, and how else.
    #[error("{0}")]
    Refused(String),
    /// It took longer than a read may.
    #[error(
        "that would read the call log for more than a second; ask for less at once, or search for more letters"
    )]
    TooLong,
    /// SQLite refused.
    #[error("the call log cannot be used: {0}")]
    Database(String),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            Some(ErrorCode::OperationInterrupted) => Self::TooLong,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Database(format!(
                "{error}; end the phone and run: ringdesk recover (it saves what is whole)"
            )),
            Some(ErrorCode::ReadOnly) => {
                Self::Database(format!("{error}; make the file and its folder writable"))
            }
            // Nothing is wrong with the file: another record has what this one is to have, or what it points
            // to is gone.
            Some(ErrorCode::ConstraintViolation) => Self::Refused(format!(
                "that contradicts what is there ({error}): its name or number is taken, or what it belongs to was deleted; look again, and save it anew"
            )),
            _ => Self::Database(error.to_string()),
        }
    }
}
