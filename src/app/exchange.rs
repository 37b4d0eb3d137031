//! People in and out for scripts and the window: imports, doubles, exports.
//!
//! What goes in is read whole and compared in the store's one writer; what goes out is read beside the
//! running phone, page after page.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::app::records::Records;
use crate::base::id::ContactId;
use crate::crm::import::{self, FILE_LIMIT, ImportBatch, ImportError, Reading};
use crate::crm::row::{
    CallCriteria, CallFilter, DuplicatePage, HintFilter, ImportOptions, ImportOutcome,
    ImportPreview, MergeReport, Subject, TaskFilter, TicketFilter, Undone,
};
use crate::crm::store::{Write, Written};
use crate::crm::{OpenError, Reader, StoreError, export as outgo, export_history};

pub use crate::crm::export::{ExportError, ExportFormat};

/// Why a file does not go in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IntakeError {
    /// It cannot be read from the disk.
    #[error("{path} cannot be read: {why}")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's words.
        why: String,
    },
    /// It is nothing that can be imported.
    #[error("{path}: {why}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What it is instead, and what to do.
        why: ImportError,
    },
    /// It cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Records {
    /// Shows what an import of a file would do.
    ///
    /// # Errors
    ///
    /// Fails when the file cannot be read.
    pub async fn preview_import(
        &self,
        path: PathBuf,
        options: ImportOptions,
    ) -> Result<ImportPreview, IntakeError> {
        let shown = self.store().import_preview();
        let read = tokio::task::spawn_blocking(move || read(&path, &options).map(shown));
        read.await.or(Err(StoreError::Closed))?
    }

    /// Imports the people of a file: all of them, or none when there is a fault that is not to be left
    /// out.
    ///
    /// # Errors
    ///
    /// Fails when the file cannot be read or the people cannot be written.
    pub async fn import(
        &self,
        path: PathBuf,
        options: ImportOptions,
    ) -> Result<ImportOutcome, IntakeError> {
        let existing = options.existing;
        let leave_out = options.leave_out_faulty;
        let name = path.file_name().unwrap_or(path.as_os_str());
        let label = format!("import of {}", name.to_string_lossy());
        let work = tokio::task::spawn_blocking(move || read(&path, &options));
        let reading = work.await.or(Err(StoreError::Closed))??;
        if reading.faults().count > 0 && !leave_out {
            return Ok(ImportOutcome::Refused(reading.faults().clone()));
        }
        let batch = ImportBatch {
            label,
            existing,
            reading,
        };
        let written = self.store().write(Write::Import(Box::new(batch))).await;
        match written.or(Err(StoreError::Closed))?? {
            Written::Imported(report) => Ok(ImportOutcome::Done(*report)),
            other => Err(unexpected(&other).into()),
        }
    }

    /// Takes the last import or merge back.
    ///
    /// # Errors
    ///
    /// Fails when there is none, or it cannot be written.
    pub async fn undo_last_exchange(&self) -> Result<Undone, StoreError> {
        let written = self.store().write(Write::UndoLastExchange).await;
        match written.or(Err(StoreError::Closed))?? {
            Written::Undone(undone) => Ok(undone),
            other => Err(unexpected(&other)),
        }
    }

    /// Makes one contact of several; the first one stays.
    ///
    /// # Errors
    ///
    /// Fails when one of them is not there, or it cannot be written.
    pub async fn merge(&self, contacts: Vec<ContactId>) -> Result<MergeReport, StoreError> {
        let written = self.store().write(Write::MergeContacts(contacts)).await;
        match written.or(Err(StoreError::Closed))?? {
            Written::Merged(report) => Ok(*report),
            other => Err(unexpected(&other)),
        }
    }

    /// Keeps that contacts are different people: they are not found as doubles any more.
    ///
    /// # Errors
    ///
    /// Fails when one of them is not there, or it cannot be written.
    pub async fn different(&self, contacts: Vec<ContactId>) -> Result<(), StoreError> {
        let written = self.store().write(Write::DifferentPeople(contacts)).await;
        written.or(Err(StoreError::Closed))??;
        Ok(())
    }

    /// Finds contacts that may be one person.
    ///
    /// # Errors
    ///
    /// Fails when the store cannot be read.
    pub async fn duplicates(
        &self,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<DuplicatePage, StoreError> {
        let found = self.store().duplicates(after, limit).await;
        found.or(Err(StoreError::Closed))?
    }
}

fn unexpected(written: &Written) -> StoreError {
    StoreError::Database(format!("it was written as something else: {written:?}"))
}

fn read(path: &Path, options: &ImportOptions) -> Result<Reading, IntakeError> {
    let bytes = octets(path).map_err(|error| IntakeError::File {
        path: path.to_owned(),
        why: error.to_string(),
    })?;
    import::read(&bytes, options).map_err(|why| IntakeError::Content {
        path: path.to_owned(),
        why,
    })
}

/// A file's octets; what is no file could keep the phone waiting for ever.
fn octets(path: &Path) -> io::Result<Vec<u8>> {
    let other = |what: &str| io::Error::other(what.to_owned());
    if !std::fs::metadata(path)?.is_file() {
        return Err(other("it is no file"));
    }
    let mut bytes = Vec::new();
    let read = File::open(path)?
        .take(FILE_LIMIT + 1)
        .read_to_end(&mut bytes)?;
    if u64::try_from(read).unwrap_or(u64::MAX) > FILE_LIMIT {
        return Err(other("it is larger than 512 MiB; split it"));
    }
    Ok(bytes)
}

/// What goes out.
#[derive(Debug, Clone)]
pub enum Exported {
    /// Contacts and leads that a search finds.
    Contacts(String),
    /// Leads that a search finds.
    Leads(String),
    /// Organizations that a search finds.
    Organizations(String),
    /// Tickets of a filter and a search.
    Tickets(TicketFilter, String),
    /// Tasks of a filter.
    Tasks(TaskFilter),
    /// Numbers to call back that a search finds.
    Callbacks(String),
    /// Calls of a filter, criteria and a search.
    Calls(CallFilter, Box<CallCriteria>, String),
    /// What happened around a record.
    Timeline(Subject),
    /// Who changed what: all of it, or what was done to one record.
    Audit(Option<Subject>),
    /// Guesses of a filter.
    Hints(HintFilter),
}

/// Why nothing went out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutgoError {
    /// There are no records, or they cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// They cannot be read or written.
    #[error(transparent)]
    Export(#[from] ExportError),
}

/// Writes records of a data folder, also while a phone uses it; gives how many. Blocks.
///
/// # Errors
///
/// Fails when they cannot be read, or the output takes them not.
pub fn export(
    data_dir: &Path,
    what: &Exported,
    format: ExportFormat,
    out: impl io::Write,
) -> Result<u64, OutgoError> {
    let reader = Reader::open(data_dir)?;
    let mut out = io::BufWriter::new(out);
    let written = match what {
        Exported::Contacts(search) => outgo::contacts(&reader, false, search, format, &mut out)?,
        Exported::Leads(search) => outgo::contacts(&reader, true, search, format, &mut out)?,
        Exported::Organizations(search) => outgo::organizations(&reader, search, format, &mut out)?,
        Exported::Tickets(filter, search) => {
            outgo::tickets(&reader, *filter, search, format, &mut out)?
        }
        Exported::Tasks(filter) => outgo::tasks(&reader, *filter, format, &mut out)?,
        Exported::Callbacks(search) => outgo::callbacks(&reader, search, format, &mut out)?,
        Exported::Calls(filter, criteria, search) => {
            outgo::calls(&reader, *filter, criteria, search, format, &mut out)?
        }
        Exported::Timeline(subject) => {
            export_history::timeline(&reader, *subject, format, &mut out)?
        }
        Exported::Audit(subject) => export_history::audit(&reader, *subject, format, &mut out)?,
        Exported::Hints(filter) => export_history::hints(&reader, filter, format, &mut out)?,
    };
    out.flush().map_err(ExportError::from)?;
    Ok(written)
}
