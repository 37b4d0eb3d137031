//! The names that other programs gave a contact for ever (UID of RFC 6350 section 6.7.6).

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use crate::base::id::ContactId;
use crate::crm::bulk;

pub(crate) const CREATE: &str = "
-- A card with the same UID is the same person, whatever changed in it: so a second import of one
-- address book finds everybody. Kept apart, because a merged contact has several.
CREATE TABLE contact_uids (
    uid TEXT PRIMARY KEY,
    contact INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
-- A deleted contact takes its names along, an exported one shows the first.
CREATE INDEX contact_uids_by_contact ON contact_uids (contact, uid);
";

/// Finds the contact that has a UID.
pub(crate) fn owner(connection: &Connection, uid: &str) -> rusqlite::Result<Option<ContactId>> {
    connection
        .prepare_cached("SELECT contact FROM contact_uids WHERE uid = ?1")?
        .query_row([uid], |row| row.get(0).map(ContactId))
        .optional()
}

/// Whether any contact has a UID.
pub(crate) fn any(connection: &Connection) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM contact_uids")?
        .exists([])
}

/// Reads a contact's first UID.
pub(crate) fn first(
    connection: &Connection,
    contact: ContactId,
) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT min(uid) FROM contact_uids WHERE contact = ?1")?
        .query_row([contact.0], |row| row.get(0))
}

/// Reads all UIDs of a contact.
pub(crate) fn all_of(connection: &Connection, contact: ContactId) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare_cached("SELECT uid FROM contact_uids WHERE contact = ?1 ORDER BY uid")?
        .query_map([contact.0], |row| row.get(0))?
        .collect()
}

/// Gives a contact a UID that nobody has; true if it got it.
pub(crate) fn give(
    transaction: &Transaction<'_>,
    uid: &str,
    contact: ContactId,
) -> rusqlite::Result<bool> {
    let given = transaction
        .prepare_cached("INSERT OR IGNORE INTO contact_uids (uid, contact) VALUES (?1, ?2)")?
        .execute(params![uid, contact.0])?;
    Ok(given > 0)
}

/// Gives contacts their UIDs; one that somebody has, or has it before in the list, stays there.
pub(crate) fn give_all(
    transaction: &Transaction<'_>,
    uids: &[(&str, ContactId)],
) -> rusqlite::Result<()> {
    bulk::insert(
        transaction,
        "INSERT OR IGNORE INTO contact_uids (uid, contact)",
        uids,
        2,
        |values, (uid, contact)| {
            values.add(uid)?;
            values.add(contact.0)
        },
    )
}

/// Takes a UID from a contact.
pub(crate) fn take(
    transaction: &Transaction<'_>,
    uid: &str,
    contact: ContactId,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("DELETE FROM contact_uids WHERE uid = ?1 AND contact = ?2")?
        .execute(params![uid, contact.0])?;
    Ok(())
}
