//! What the care of the data tells: backups, recovery, erasures, retention.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How many rows a table has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableCount {
    /// The table.
    pub table: String,
    /// Its rows.
    pub rows: u64,
}

/// How a database is, without a row of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreState {
    /// The version of its schema.
    pub schema: i64,
    /// The newest that this program knows.
    pub newest_schema: i64,
    /// The size of the file.
    pub octets: u64,
    /// The size of the log beside it.
    pub log_octets: u64,
    /// `ok`, or the first thing that is wrong with it.
    pub verdict: String,
    /// The tables that have rows.
    pub tables: Vec<TableCount>,
}

/// A backup that was made and verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupMade {
    /// Where it is.
    pub file: PathBuf,
    /// Its size in bytes.
    pub octets: u64,
    /// Its tables that have rows, read from the backup itself.
    pub tables: Vec<TableCount>,
}

/// A backup that became the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// The database as it was before; none where there was none.
    pub kept: Option<PathBuf>,
    /// Its tables that have rows.
    pub tables: Vec<TableCount>,
    /// How many persons were erased again: they had been erased after the backup.
    pub erased_again: u64,
}

/// What was saved of a damaged database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovered {
    /// The damaged file, as it was.
    pub kept: PathBuf,
    /// Pages of the file.
    pub pages: u32,
    /// Pages that cannot be read, of tables, indexes and the schema.
    pub damaged_pages: u64,
    /// Whole pages of which it is not sure what they belong to; they are only in the kept file.
    pub unassigned_pages: u64,
    /// Each table with rows, or with damage.
    pub tables: Vec<RecoveredTable>,
}

/// What was saved of one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveredTable {
    /// The table.
    pub table: String,
    /// Rows that are in the new database.
    pub saved: u64,
    /// Rows that were lost; none where nothing tells how many the damaged pages held.
    pub lost: Option<u64>,
    /// Its damaged pages.
    pub damaged_pages: u64,
}

/// A copy of the database that this phone made: a backup, or one that it kept before it changed a
/// whole file. Whoever is erased later is still in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseCopy {
    /// Where it was put.
    pub file: PathBuf,
    /// When.
    pub made_at: Timestamp,
}

/// What becomes of the calls of somebody who is erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ErasedCalls {
    /// They stay for statistics: time, direction, length, outcome and quality, and nothing else.
    #[default]
    Anonymise,
    /// They go.
    Remove,
}

/// A person who was erased: the proof, which holds nothing of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub by: String,
    /// Rows that were changed or removed, by table.
    pub tables: Vec<TableCount>,
    /// How many recordings were marked to be removed.
    pub recordings: u64,
}

/// What an erasure tells whoever asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    /// The proof.
    pub erasure: Erasure,
    /// Recordings that could not be removed yet; each start of the phone tries again.
    pub recordings_left: Vec<String>,
    /// Files of the data folder that still hold the person's name, address or number.
    pub still_in: Vec<PathBuf>,
    /// Copies of the database that were made before: they hold what was erased.
    pub copies: Vec<DatabaseCopy>,
}

/// For how many days what is kept; none is for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Retention {
    /// Calls with all that hangs on them.
    pub calls: Option<u32>,
    /// Notes, of calls and of other records.
    pub notes: Option<u32>,
    /// Recordings.
    pub recordings: Option<u32>,
    /// SIP messages of calls.
    pub ladders: Option<u32>,
    /// Figures of calls' sound by time.
    pub quality: Option<u32>,
    /// Who changed what.
    pub audit: Option<u32>,
    /// Tickets, from when they were closed.
    pub tickets: Option<u32>,
    /// Tasks, from when they were done.
    pub tasks: Option<u32>,
    /// Guesses of who calls, from the date of their text.
    pub guesses: Option<u32>,
    /// What the agent did.
    pub agent_states: Option<u32>,
    /// Steps that can be undone.
    pub undo: Option<u32>,
}
