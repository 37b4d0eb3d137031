//! What all kinds of records have in common: a name to show, and whether they are there.

use rusqlite::{Connection, OptionalExtension as _};

use crate::crm::contacts;
use crate::crm::row::Subject;
use crate::crm::writer::WriteError;

/// Reads a record's name, and for a person that of the main organization.
pub(crate) fn names(
    connection: &Connection,
    subject: Subject,
) -> rusqlite::Result<Option<(String, Option<String>)>> {
    let query = match subject {
        Subject::Contact(id) => return contacts::names(connection, id),
        Subject::Organization(_) => "SELECT name FROM organizations WHERE id = ?1",
        Subject::Ticket(_) => "SELECT title FROM tickets WHERE id = ?1",
    };
    connection
        .prepare_cached(query)?
        .query_row([subject.id()], |row| Ok((row.get(0)?, None)))
        .optional()
}

/// Refuses a record without a name, which no list could show; the sentence says so.
pub(crate) fn must_be_named(name: &str, sentence: &str) -> Result<(), WriteError> {
    if name.trim().is_empty() {
        return Err(WriteError::Refused(sentence.to_owned()));
    }
    Ok(())
}

/// Refuses an edit that points to a record which somebody deleted meanwhile.
pub(crate) fn must_be_there_still(
    connection: &Connection,
    subjects: impl IntoIterator<Item = Subject>,
) -> Result<(), WriteError> {
    for subject in subjects {
        if names(connection, subject)?.is_none() {
            let kind = subject.kind();
            return Err(WriteError::Refused(format!(
                "the {kind} was deleted meanwhile; choose another one, or none, and save again"
            )));
        }
    }
    Ok(())
}

/// Refuses what points to nothing.
pub(crate) fn must_exist(connection: &Connection, subject: Subject) -> Result<String, WriteError> {
    names(connection, subject)?
        .map(|(name, _)| name)
        .ok_or(WriteError::Missing(subject.kind()))
}
