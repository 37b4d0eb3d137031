//! What the agents chose for a number, to rank it first next time.

use rusqlite::{Connection, OptionalExtension as _, Transaction};

use crate::base::id::ContactId;

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

/// Reads the last choice for a number's key.
pub(crate) fn of(connection: &Connection, key: &str) -> rusqlite::Result<Option<ContactId>> {
    connection
        .prepare_cached("SELECT contact FROM number_choices WHERE number = ?1")?
        .query_row([key], |row| row.get(0).map(ContactId))
        .optional()
}

/// Remembers a choice, or forgets it.
pub(crate) fn set(
    transaction: &Transaction<'_>,
    key: &str,
    contact: Option<ContactId>,
) -> rusqlite::Result<()> {
    match contact {
        Some(contact) => transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO number_choices (number, contact) VALUES (?1, ?2)",
            )?
            .execute(rusqlite::params![key, contact.0])?,
        None => transaction
            .prepare_cached("DELETE FROM number_choices WHERE number = ?1")?
            .execute([key])?,
    };
    Ok(())
}
