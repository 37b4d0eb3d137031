//! The steps of the care of the data, each one transaction of the writer.

use std::path::PathBuf;

use jiff::Timestamp;
use rusqlite::Transaction;

use crate::crm::erase::{self, ErasePlan};
use crate::crm::number_key::Numbering;
use crate::crm::retention::{self, RetentionClass};
use crate::crm::writer::WriteError;
use crate::crm::{database_copies, files_to_remove, overwrite};

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CareStep {
    /// Take note of a copy of the database.
    NoteCopy(PathBuf, Timestamp),
    /// Remove, of one class, what these rows hold.
    Retain(RetentionClass, Vec<i64>),
    /// Forget files that were removed.
    FilesRemoved(Vec<i64>),
    /// Erase a person.
    Erase(Box<ErasePlan>),
    /// Merge a little of the full-text indexes.
    MergeWords {
        /// Whether the merge of everything begins.
        first: bool,
    },
    /// Overwrite some free pages.
    OverwriteFree,
}

/// What a step tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CareDone {
    /// Rows that were changed or removed.
    pub rows: u64,
    /// Whether there is more to do of the same.
    pub more: bool,
}

impl CareStep {
    pub(crate) fn carry_out(
        &self,
        transaction: &Transaction<'_>,
        numbering: &Numbering,
    ) -> Result<CareDone, WriteError> {
        Ok(match self {
            Self::NoteCopy(file, at) => {
                database_copies::note(transaction, file, *at)?;
                CareDone::default()
            }
            Self::Retain(class, rows) => retention::remove(transaction, *class, rows)?,
            Self::FilesRemoved(files) => {
                files_to_remove::removed(transaction, files)?;
                CareDone::default()
            }
            Self::Erase(plan) => erase::erase(transaction, plan, numbering)?,
            Self::MergeWords { first } => overwrite::merge_words(transaction, *first)?,
            Self::OverwriteFree => overwrite::overwrite_free(transaction)?,
        })
    }
}
