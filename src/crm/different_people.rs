//! Contacts that look like one person and are not, by an agent's word: no list of doubles shows them again.

use rusqlite::{Connection, Transaction};

use crate::base::id::ContactId;
use crate::crm::records;
use crate::crm::row::Subject;
use crate::crm::writer::WriteError;

/// More at once are no doubles of each other.
const AT_ONCE: usize = 50;

pub(crate) const CREATE: &str = "
-- A pair that somebody looked at is not shown again each time; the older contact comes first.
CREATE TABLE different_people (
    first INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    second INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    PRIMARY KEY (first, second)
) STRICT, WITHOUT ROWID;
-- What goes with a contact.
CREATE INDEX different_people_by_second ON different_people (second);
";

/// Keeps that each of these is another person than the others; gives how many pairs are new.
pub(crate) fn save(
    transaction: &Transaction<'_>,
    contacts: &[ContactId],
) -> Result<usize, WriteError> {
    let mut different = contacts.to_vec();
    different.sort_unstable();
    different.dedup();
    if different.len() < 2 {
        return Err(WriteError::Missing("second contact that is another person"));
    }
    if different.len() > AT_ONCE {
        let why = format!("say it of at most {AT_ONCE} contacts at once");
        return Err(WriteError::Refused(why));
    }
    for contact in &different {
        records::must_exist(transaction, Subject::Contact(*contact))?;
    }
    let mut insert = transaction
        .prepare_cached("INSERT OR IGNORE INTO different_people (first, second) VALUES (?1, ?2)")?;
    let mut new = 0;
    for (place, first) in different.iter().enumerate() {
        for second in different.iter().skip(place + 1) {
            new += insert.execute([first.0, second.0])?;
        }
    }
    Ok(new)
}

/// Whether somebody said that the two are different people.
pub(crate) fn are(
    connection: &Connection,
    one: ContactId,
    other: ContactId,
) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM different_people WHERE first = ?1 AND second = ?2")?
        .exists([one.min(other).0, one.max(other).0])
}
