//! The phone numbers and SIP addresses of contacts and organizations, with the keys they are found by.

use std::collections::BTreeMap;

use rusqlite::{Connection, Transaction, params};

use crate::base::id::{ContactId, OrganizationId};
use crate::crm::bulk;
use crate::crm::contacts::NewContact;
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

pub(crate) const CREATE_FOR_ORGANIZATIONS: &str = "
-- Numbers that belong to a whole organization, such as that of its exchange; as for contacts.
CREATE TABLE organization_numbers (
    organization INTEGER NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    label TEXT NOT NULL,
    raw TEXT NOT NULL,
    e164 TEXT,
    digits TEXT,
    reversed TEXT,
    address TEXT,
    internal INTEGER NOT NULL,
    PRIMARY KEY (organization, place)
) STRICT, WITHOUT ROWID;
-- Each incoming call asks these too.
CREATE INDEX organization_numbers_by_e164 ON organization_numbers (e164) WHERE e164 IS NOT NULL;
CREATE INDEX organization_numbers_by_digits ON organization_numbers (digits) WHERE digits IS NOT NULL;
CREATE INDEX organization_numbers_by_end ON organization_numbers (reversed) WHERE reversed IS NOT NULL;
CREATE INDEX organization_numbers_by_address ON organization_numbers (address) WHERE address IS NOT NULL;
";

/// Whose numbers: each kind of owner has a table of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Owner {
    Contact(ContactId),
    Organization(OrganizationId),
}

impl Owner {
    /// The table, its column of the owner, and the owner's id.
    fn place(self) -> (&'static str, &'static str, i64) {
        match self {
            Self::Contact(id) => ("contact_numbers", "contact", id.0),
            Self::Organization(id) => ("organization_numbers", "organization", id.0),
        }
    }
}

/// Reads an owner's numbers in their order.
pub(crate) fn of(connection: &Connection, owner: Owner) -> rusqlite::Result<Vec<ContactNumber>> {
    let (table, column, id) = owner.place();
    let mut query = connection.prepare_cached(&format!(
        "SELECT label, raw, e164 FROM {table} WHERE {column} = ?1 ORDER BY place"
    ))?;
    let rows = query.query_map([id], |row| {
        Ok(ContactNumber {
            label: row.get(0)?,
            raw: row.get(1)?,
            e164: row.get(2)?,
        })
    })?;
    rows.collect()
}

/// Reads the numbers of contacts in their order.
pub(crate) fn of_contacts(
    connection: &Connection,
    ids: &[ContactId],
) -> rusqlite::Result<BTreeMap<ContactId, Vec<ContactNumber>>> {
    let mut query = connection.prepare_cached(
        "SELECT contact, label, raw, e164 FROM contact_numbers
         WHERE contact IN (SELECT value FROM json_each(?1)) ORDER BY contact, place",
    )?;
    let mut rows = query.query([list_of(ids)])?;
    let mut found: BTreeMap<ContactId, Vec<ContactNumber>> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let numbers = found.entry(ContactId(row.get(0)?)).or_default();
        numbers.push(ContactNumber {
            label: row.get(1)?,
            raw: row.get(2)?,
            e164: row.get(3)?,
        });
    }
    Ok(found)
}

/// Ids as SQL reads a list: in JSON.
pub(crate) fn list_of(ids: &[ContactId]) -> String {
    let ids: Vec<String> = ids.iter().map(|id| id.0.to_string()).collect();
    format!("[{}]", ids.join(","))
}

/// So many numbers are looked at in one read: a few milliseconds' worth.
const PIECE: u32 = if cfg!(test) { 3 } else { 20_000 };

const NEXT_PLACES: &str =
    "SELECT contact, place FROM contact_numbers WHERE (contact, place) > (?1, ?2)
    ORDER BY contact, place LIMIT ?3";

/// How many numbers the contact with most of them has, of the next numbers behind one: the contact, and its place
/// there. Gives the last of these numbers, too; none behind the last one.
pub(crate) fn most_of_next(
    connection: &Connection,
    (contact, place): (i64, i64),
) -> rusqlite::Result<(i64, Option<(i64, i64)>)> {
    let mut query = connection.prepare_cached(NEXT_PLACES)?;
    let mut rows = query.query(params![contact, place, PIECE])?;
    let (mut most, mut last) = (0, None);
    while let Some(row) = rows.next()? {
        let place: i64 = row.get(1)?;
        most = most.max(place + 1);
        last = Some((row.get(0)?, place));
    }
    Ok((most, last))
}

/// The statement that goes through all numbers, with what it must use.
#[cfg(test)]
pub(crate) fn query_for_plan() -> (String, &'static str) {
    (NEXT_PLACES.to_owned(), "USING PRIMARY KEY")
}

/// Reads the keys of numbers, in their order.
pub(crate) fn keys_of(numbers: &[ContactNumber], region: &str) -> Vec<NumberKeys> {
    numbers
        .iter()
        .map(|number| NumberKeys::of(&number.raw, region))
        .collect()
}

/// Replaces an owner's numbers; empty ones are left out. Gives the keys of those stored.
pub(crate) fn replace(
    transaction: &Transaction<'_>,
    owner: Owner,
    numbers: &[ContactNumber],
    region: &str,
) -> rusqlite::Result<Vec<NumberKeys>> {
    let (table, column, id) = owner.place();
    transaction
        .prepare_cached(&format!("DELETE FROM {table} WHERE {column} = ?1"))?
        .execute([id])?;
    let keys = keys_of(numbers, region);
    insert(transaction, owner, numbers, &keys)?;
    let filled = numbers.iter().map(|number| !number.raw.trim().is_empty());
    Ok(keys
        .into_iter()
        .zip(filled)
        .filter_map(|(keys, filled)| filled.then_some(keys))
        .collect())
}

/// The columns of a number behind its owner, and their values.
const COLUMNS: &str =
    "place, label, raw, e164, digits, reversed, address, internal, extension, stem";

/// Gives an owner that has none its numbers, which have these keys; empty ones are left out.
fn insert(
    transaction: &Transaction<'_>,
    owner: Owner,
    numbers: &[ContactNumber],
    keys: &[NumberKeys],
) -> rusqlite::Result<()> {
    let (table, column, id) = owner.place();
    let rows: Vec<_> = rows(id, numbers, keys).collect();
    bulk::insert(
        transaction,
        &format!("INSERT INTO {table} ({column}, {COLUMNS})"),
        &rows,
        11,
        add_row,
    )
}

/// Gives new contacts their numbers; empty ones are left out. After a failure the transaction is to be given up.
pub(crate) fn insert_all(
    transaction: &Transaction<'_>,
    contacts: &[NewContact<'_>],
) -> rusqlite::Result<()> {
    let rows: Vec<_> = contacts
        .iter()
        .flat_map(|new| rows(new.id.0, &new.row.numbers, new.keys))
        .collect();
    bulk::insert(
        transaction,
        &format!("INSERT OR FAIL INTO contact_numbers (contact, {COLUMNS})"),
        &rows,
        11,
        add_row,
    )
}

/// A number with its owner, its place and its keys.
type NumberRow<'a> = (i64, i64, &'a ContactNumber, &'a NumberKeys);

fn rows<'a>(
    owner: i64,
    numbers: &'a [ContactNumber],
    keys: &'a [NumberKeys],
) -> impl Iterator<Item = NumberRow<'a>> {
    let filled = numbers
        .iter()
        .zip(keys)
        .filter(|(number, _)| !number.raw.trim().is_empty());
    (filled.zip(0..)).map(move |((number, keys), place)| (owner, place, number, keys))
}

fn add_row(
    values: &mut bulk::Values<'_, '_>,
    (owner, place, number, keys): &NumberRow<'_>,
) -> rusqlite::Result<()> {
    values.add(owner)?;
    values.add(place)?;
    values.add(number.label.trim())?;
    values.add(number.raw.trim())?;
    values.add(&keys.e164)?;
    values.add(&keys.digits)?;
    values.add(&keys.reversed)?;
    values.add(&keys.address)?;
    values.add(keys.internal)?;
    values.add(&keys.extension)?;
    values.add(&keys.stem)
}

/// Makes all keys again, after the region for numbers without a country code, or the reading itself, changed.
pub(crate) fn read_again(transaction: &Transaction<'_>, region: &str) -> rusqlite::Result<()> {
    for owner in [
        Owner::Contact(ContactId(0)),
        Owner::Organization(OrganizationId(0)),
    ] {
        let (table, column, _) = owner.place();
        let mut all = transaction.prepare(&format!("SELECT {column}, place, raw FROM {table}"))?;
        let mut change = transaction.prepare(&format!(
            "UPDATE {table} SET e164 = ?3, digits = ?4, reversed = ?5, address = ?6, internal = ?7,
                extension = ?8, stem = ?9
             WHERE {column} = ?1 AND place = ?2"
        ))?;
        // The keys may change while the table is read: they are not part of its order.
        let mut rows = all.query([])?;
        while let Some(row) = rows.next()? {
            let (owner, place): (i64, i64) = (row.get(0)?, row.get(1)?);
            let keys = NumberKeys::of(&row.get::<_, String>(2)?, region);
            change.execute(params![
                owner,
                place,
                keys.e164,
                keys.digits,
                keys.reversed,
                keys.address,
                keys.internal,
                keys.extension,
                keys.stem
            ])?;
        }
    }
    Ok(())
}
