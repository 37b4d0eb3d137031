//! Notes about people, organizations and tickets; those of a call are in its own row.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use crate::base::id::NoteId;
use crate::crm::calls::timestamp;
use crate::crm::row::{NoteRow, Subject};
use crate::crm::writer::WriteError;
use crate::crm::{records, word_index};

pub(crate) const CREATE: &str = "
-- What agents write about a record, any number of times, each with its author and time.
CREATE TABLE notes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    subject INTEGER NOT NULL,
    at INTEGER NOT NULL,
    author TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;
-- A record shows its notes, the newest first, and takes them along when it is deleted.
CREATE INDEX notes_by_subject ON notes (kind, subject, at);
CREATE TRIGGER contacts_notes AFTER DELETE ON contacts BEGIN
    DELETE FROM notes WHERE kind = 'contact' AND subject = old.id;
END;
CREATE TRIGGER organizations_notes AFTER DELETE ON organizations BEGIN
    DELETE FROM notes WHERE kind = 'organization' AND subject = old.id;
END;
CREATE TRIGGER tickets_notes AFTER DELETE ON tickets BEGIN
    DELETE FROM notes WHERE kind = 'ticket' AND subject = old.id;
END;
-- Search in them; contentless, and kept true by triggers, whoever writes a row.
CREATE VIRTUAL TABLE note_words USING fts5 (
    text, content = '', contentless_delete = 1,
    tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);
CREATE TRIGGER notes_words_insert AFTER INSERT ON notes BEGIN
    INSERT INTO note_words (rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER notes_words_update AFTER UPDATE OF text ON notes BEGIN
    DELETE FROM note_words WHERE rowid = old.id;
    INSERT INTO note_words (rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER notes_words_delete AFTER DELETE ON notes BEGIN
    DELETE FROM note_words WHERE rowid = old.id;
END;
-- The notes of calls are searched apart: few calls have any.
CREATE VIRTUAL TABLE call_note_words USING fts5 (
    text, content = '', contentless_delete = 1,
    tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);
INSERT INTO call_note_words (rowid, text) SELECT seq, notes FROM calls WHERE notes <> '';
CREATE TRIGGER calls_notes_insert AFTER INSERT ON calls WHEN new.notes <> '' BEGIN
    INSERT INTO call_note_words (rowid, text) VALUES (new.seq, new.notes);
END;
CREATE TRIGGER calls_notes_update AFTER UPDATE OF notes ON calls WHEN old.notes <> new.notes BEGIN
    DELETE FROM call_note_words WHERE rowid = old.seq;
    INSERT INTO call_note_words (rowid, text) SELECT new.seq, new.notes WHERE new.notes <> '';
END;
CREATE TRIGGER calls_notes_delete AFTER DELETE ON calls WHEN old.notes <> '' BEGIN
    DELETE FROM call_note_words WHERE rowid = old.seq;
END;
";

const COLUMNS: &str = "n.id, n.kind, n.subject, n.at, n.author, n.text FROM notes n";

/// Reads the notes about a record before a time and id, the newest first.
pub(crate) fn of(
    connection: &Connection,
    about: Subject,
    before: (i64, i64),
    limit: u32,
) -> rusqlite::Result<Vec<NoteRow>> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} WHERE n.kind = ?1 AND n.subject = ?2 AND (n.at, n.id) < (?3, ?4)
             ORDER BY n.at DESC, n.id DESC LIMIT ?5"
        ))?
        .query_map(
            params![about.kind(), about.id(), before.0, before.1, limit],
            read,
        )?
        .filter_map(Result::transpose)
        .collect()
}

/// Finds notes by their words, the newest first.
pub(crate) fn find(
    connection: &Connection,
    search: &str,
    limit: u32,
) -> rusqlite::Result<Vec<NoteRow>> {
    let words = word_index::NOTES.texts(connection, search)?;
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} WHERE n.id IN
             (SELECT rowid FROM note_words WHERE note_words MATCH ?1 ORDER BY rowid DESC LIMIT ?2)
             ORDER BY n.id DESC"
        ))?
        .query_map(params![words, limit], read)?
        .filter_map(Result::transpose)
        .collect()
}

/// Reads one note; none where it is gone, or about something that this Ringdesk does not know.
pub(crate) fn one(connection: &Connection, id: NoteId) -> rusqlite::Result<Option<NoteRow>> {
    let found = connection
        .prepare_cached(&format!("SELECT {COLUMNS} WHERE n.id = ?1"))?
        .query_row([id.0], read)
        .optional()?;
    Ok(found.flatten())
}

/// Inserts (id 0) or changes a note.
pub(crate) fn save(
    transaction: &Transaction<'_>,
    at: Timestamp,
    author: &str,
    row: &NoteRow,
) -> Result<NoteId, WriteError> {
    records::must_exist(transaction, row.about)?;
    if row.text.trim().is_empty() {
        let why = "a note needs a text; delete it if it says nothing any more";
        return Err(WriteError::Refused(why.to_owned()));
    }
    if row.id.0 != 0 {
        let changed = transaction
            .prepare_cached("UPDATE notes SET text = ?2 WHERE id = ?1")?
            .execute(params![row.id.0, row.text])?;
        return if changed == 0 {
            Err(WriteError::Missing("note"))
        } else {
            Ok(row.id)
        };
    }
    transaction
        .prepare_cached(
            "INSERT INTO notes (kind, subject, at, author, text) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            row.about.kind(),
            row.about.id(),
            at.as_microsecond(),
            author,
            row.text
        ])?;
    Ok(NoteId(transaction.last_insert_rowid()))
}

/// Deletes a note; gives what it was about.
pub(crate) fn delete(transaction: &Transaction<'_>, id: NoteId) -> Result<Subject, WriteError> {
    let (kind, subject): (String, i64) = transaction
        .prepare_cached("DELETE FROM notes WHERE id = ?1 RETURNING kind, subject")?
        .query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?
        .ok_or(WriteError::Missing("note"))?;
    Subject::of(&kind, subject).ok_or(WriteError::Missing("note"))
}

/// All notes about a record as time, author and text, to bring them back.
pub(crate) fn all_of(
    connection: &Connection,
    about: Subject,
) -> rusqlite::Result<Vec<(i64, String, String)>> {
    connection
        .prepare_cached(
            "SELECT at, author, text FROM notes WHERE kind = ?1 AND subject = ?2 ORDER BY id",
        )?
        .query_map(params![about.kind(), about.id()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?
        .collect()
}

/// Writes what [`all_of`] gave.
pub(crate) fn bring_back(
    transaction: &Transaction<'_>,
    about: Subject,
    notes: &[(i64, String, String)],
) -> rusqlite::Result<()> {
    for (at, author, text) in notes {
        transaction
            .prepare_cached(
                "INSERT INTO notes (kind, subject, at, author, text) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![about.kind(), about.id(), at, author, text])?;
    }
    Ok(())
}

/// Reads a row; none where it is about something that this Ringdesk does not know.
fn read(row: &Row<'_>) -> rusqlite::Result<Option<NoteRow>> {
    let (kind, id): (String, i64) = (row.get(1)?, row.get(2)?);
    let Some(about) = Subject::of(&kind, id) else {
        return Ok(None);
    };
    Ok(Some(NoteRow {
        id: NoteId(row.get(0)?),
        about,
        at: timestamp(row.get(3)?),
        author: row.get(4)?,
        text: row.get(5)?,
    }))
}
