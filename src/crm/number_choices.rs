//! What the agents chose for a number, to rank it first next time.

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use crate::base::id::CallId;
use crate::crm::row::{Match, MatchLevel, Subject};

pub(crate) const CREATE: &str = "
-- A number shared by several people: whom the agent chose last. A choice ranks first the next
-- time; it is no proof, so it is kept apart from the contacts' own numbers.
CREATE TABLE number_choices (
    number TEXT PRIMARY KEY,
    contact INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
-- A deleted contact takes its choices along.
CREATE INDEX number_choices_by_contact ON number_choices (contact);
";

pub(crate) const OF_ANYTHING: &str = "
-- An organization can be chosen as well as a person.
ALTER TABLE number_choices RENAME TO number_choices_of_contacts;
CREATE TABLE number_choices (
    number TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    subject INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO number_choices SELECT number, 'contact', contact FROM number_choices_of_contacts;
DROP TABLE number_choices_of_contacts;
-- A deleted record takes its choices along.
CREATE INDEX number_choices_by_subject ON number_choices (kind, subject);
CREATE TRIGGER contacts_number_choices AFTER DELETE ON contacts BEGIN
    DELETE FROM number_choices WHERE kind = 'contact' AND subject = old.id;
END;
CREATE TRIGGER organizations_number_choices AFTER DELETE ON organizations BEGIN
    DELETE FROM number_choices WHERE kind = 'organization' AND subject = old.id;
END;
";

/// Reads the last choice for a number's key.
pub(crate) fn of(connection: &Connection, key: &str) -> rusqlite::Result<Option<Subject>> {
    let found: Option<(String, i64)> = connection
        .prepare_cached("SELECT kind, subject FROM number_choices WHERE number = ?1")?
        .query_row([key], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(found.and_then(|(kind, id)| Subject::of(&kind, id)))
}

/// Ranks whom somebody chose for a call's number before first of those whom it may be with: to be asked for, for
/// the call itself has them as sure as their number.
pub(crate) fn rank_first(
    connection: &Connection,
    call: CallId,
    links: &mut [Match],
) -> rusqlite::Result<()> {
    let number: Option<Option<String>> = connection
        .prepare_cached("SELECT number FROM calls WHERE id = ?1")?
        .query_row([call.to_string()], |row| row.get(0))
        .optional()?;
    let Some(number) = number.flatten() else {
        return Ok(());
    };
    let chosen = of(connection, &number)?;
    if let Some(link) = links.iter_mut().find(|link| Some(link.subject) == chosen) {
        link.level = MatchLevel::Manual;
        link.reason = reason(link.subject);
        links.sort_by_key(|link| link.level);
    }
    Ok(())
}

/// Why somebody ranks first for a number.
pub(crate) fn reason(chosen: Subject) -> String {
    format!("you chose this {} for this number before", chosen.kind())
}

/// Remembers a choice, or forgets it.
pub(crate) fn set(
    transaction: &Transaction<'_>,
    key: &str,
    chosen: Option<Subject>,
) -> rusqlite::Result<()> {
    match chosen {
        Some(chosen) => transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO number_choices (number, kind, subject) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![key, chosen.kind(), chosen.id()])?,
        None => transaction
            .prepare_cached("DELETE FROM number_choices WHERE number = ?1")?
            .execute([key])?,
    };
    Ok(())
}
