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
    let mut new = 0;
    for (place, first) in different.iter().enumerate() {
        for second in different.iter().skip(place + 1) {
            new += usize::from(tell_apart(transaction, *first, *second)?);
        }
    }
    Ok(new)
}

/// Keeps that two contacts are different people, where both are there; gives whether that is new.
pub(crate) fn tell_apart(
    transaction: &Transaction<'_>,
    one: ContactId,
    other: ContactId,
) -> rusqlite::Result<bool> {
    let (first, second) = ordered(one, other);
    let new = transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO different_people (first, second)
             SELECT a.id, b.id FROM contacts a JOIN contacts b WHERE a.id = ?1 AND b.id = ?2",
        )?
        .execute([first, second])?;
    Ok(new > 0)
}

/// Takes back that two contacts are different people.
pub(crate) fn forget(
    transaction: &Transaction<'_>,
    one: ContactId,
    other: ContactId,
) -> rusqlite::Result<()> {
    let (first, second) = ordered(one, other);
    transaction
        .prepare_cached("DELETE FROM different_people WHERE first = ?1 AND second = ?2")?
        .execute([first, second])?;
    Ok(())
}

/// Reads who is another person than a contact, by age.
pub(crate) fn of(connection: &Connection, contact: ContactId) -> rusqlite::Result<Vec<ContactId>> {
    connection
        .prepare_cached(
            "SELECT second FROM different_people WHERE first = ?1 UNION ALL
             SELECT first FROM different_people WHERE second = ?1 ORDER BY 1",
        )?
        .query_map([contact.0], |row| row.get(0).map(ContactId))?
        .collect()
}

/// Whether somebody said that the two are different people.
pub(crate) fn are(
    connection: &Connection,
    one: ContactId,
    other: ContactId,
) -> rusqlite::Result<bool> {
    let (first, second) = ordered(one, other);
    connection
        .prepare_cached("SELECT 1 FROM different_people WHERE first = ?1 AND second = ?2")?
        .exists([first, second])
}

/// A pair as it is kept: the older contact first.
fn ordered(one: ContactId, other: ContactId) -> (i64, i64) {
    (one.min(other).0, one.max(other).0)
}
