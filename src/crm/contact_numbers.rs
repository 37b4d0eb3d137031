//! The contacts' phone numbers and SIP addresses, with the keys they are found by.

use rusqlite::{Connection, Transaction, params};

use crate::base::id::ContactId;
use crate::crm::number_key::NumberKeys;
use crate::crm::row::ContactNumber;

pub(crate) const CREATE: &str = "
-- One row for each number of a contact. `raw` is what was typed; the other columns are keys made
-- from it: a lookup compares keys only, so that the spelling never matters.
CREATE TABLE contact_numbers (
    contact INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    label TEXT NOT NULL,
    raw TEXT NOT NULL,
    e164 TEXT,
    digits TEXT,
    reversed TEXT,
    address TEXT,
    internal INTEGER NOT NULL,
    PRIMARY KEY (contact, place)
) STRICT, WITHOUT ROWID;
-- Who calls? Each incoming call asks these before it rings, so each must answer in microseconds
-- with a million contacts. Partial ones stay small: most columns are null in most rows.
CREATE INDEX contact_numbers_by_e164 ON contact_numbers (e164) WHERE e164 IS NOT NULL;
CREATE INDEX contact_numbers_by_digits ON contact_numbers (digits) WHERE digits IS NOT NULL;
CREATE INDEX contact_numbers_by_end ON contact_numbers (reversed) WHERE reversed IS NOT NULL;
CREATE INDEX contact_numbers_by_address ON contact_numbers (address) WHERE address IS NOT NULL;
";

/// Reads a contact's numbers in their order.
pub(crate) fn of(
    connection: &Connection,
    contact: ContactId,
) -> rusqlite::Result<Vec<ContactNumber>> {
    let mut query = connection.prepare_cached(
        "SELECT label, raw, e164 FROM contact_numbers WHERE contact = ?1 ORDER BY place",
    )?;
    let rows = query.query_map([contact.0], |row| {
        Ok(ContactNumber {
            label: row.get(0)?,
            raw: row.get(1)?,
            e164: row.get(2)?,
        })
    })?;
    rows.collect()
}

/// Replaces a contact's numbers; empty ones are left out. Gives the keys of those stored.
pub(crate) fn replace(
    transaction: &Transaction<'_>,
    contact: ContactId,
    numbers: &[ContactNumber],
    region: &str,
) -> rusqlite::Result<Vec<NumberKeys>> {
    transaction
        .prepare_cached("DELETE FROM contact_numbers WHERE contact = ?1")?
        .execute([contact.0])?;
    let mut stored = Vec::new();
    for number in numbers
        .iter()
        .filter(|number| !number.raw.trim().is_empty())
    {
        let keys = NumberKeys::of(&number.raw, region);
        let place = i64::try_from(stored.len()).unwrap_or(i64::MAX);
        transaction
            .prepare_cached(
                "INSERT INTO contact_numbers
                 (contact, place, label, raw, e164, digits, reversed, address, internal)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                contact.0,
                place,
                number.label.trim(),
                number.raw.trim(),
                keys.e164,
                keys.digits,
                keys.reversed,
                keys.address,
                keys.internal,
            ])?;
        stored.push(keys);
    }
    Ok(stored)
}

/// Makes all keys again, after the region for numbers without a country code changed.
pub(crate) fn read_again(transaction: &Transaction<'_>, region: &str) -> rusqlite::Result<()> {
    let mut all = transaction.prepare("SELECT contact, place, raw FROM contact_numbers")?;
    let mut change = transaction.prepare(
        "UPDATE contact_numbers
         SET e164 = ?3, digits = ?4, reversed = ?5, address = ?6, internal = ?7
         WHERE contact = ?1 AND place = ?2",
    )?;
    // The keys may change while the table is read: they are not part of its order.
    let mut rows = all.query([])?;
    while let Some(row) = rows.next()? {
        let (contact, place): (i64, i64) = (row.get(0)?, row.get(1)?);
        let keys = NumberKeys::of(&row.get::<_, String>(2)?, region);
        change.execute(params![
            contact,
            place,
            keys.e164,
            keys.digits,
            keys.reversed,
            keys.address,
            keys.internal
        ])?;
    }
    Ok(())
}
