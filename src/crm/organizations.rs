//! Organizations.

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use crate::base::id::{ContactId, OrganizationId};
use crate::crm::contact_numbers::{self, Owner};
use crate::crm::link_again::Relinking;
use crate::crm::number_key::{NumberKeys, Numbering};
use crate::crm::row::{OrganizationRow, Subject};
use crate::crm::search::folded;
use crate::crm::writer::WriteError;
use crate::crm::{contacts, link_again};

/// A list shows at most so many.
const LIST_LIMIT: u32 = 500;

pub(crate) const CREATE: &str = "
-- AUTOINCREMENT: an id is never used again, so that what points to a deleted row never points to
-- another one. `folded` is the name for sorting and comparing.
CREATE TABLE organizations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    folded TEXT NOT NULL
) STRICT;
-- Finds an organization by its name, and lists them in order.
CREATE INDEX organizations_by_name ON organizations (folded, id);
";

const COLUMNS: &str = "o.id, o.name,
    (SELECT count(*) FROM (SELECT id FROM contacts WHERE organization = o.id
        UNION SELECT contact FROM memberships WHERE organization = o.id))
    FROM organizations o";

/// Reads one organization.
pub(crate) fn one(
    connection: &Connection,
    id: OrganizationId,
) -> rusqlite::Result<Option<OrganizationRow>> {
    let found = connection
        .prepare_cached(&format!("SELECT {COLUMNS} WHERE o.id = ?1"))?
        .query_row([id.0], read)
        .optional()?;
    found
        .map(|organization| with_numbers(connection, organization))
        .transpose()
}

/// Reads organizations whose name holds `search`, by name.
pub(crate) fn list(
    connection: &Connection,
    search: &str,
) -> rusqlite::Result<Vec<OrganizationRow>> {
    let mut query = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} WHERE ?1 = '' OR instr(o.folded, ?1) > 0
         ORDER BY o.folded, o.id LIMIT ?2"
    ))?;
    let rows = query.query_map(params![folded(search), LIST_LIMIT], read)?;
    rows.map(|row| with_numbers(connection, row?)).collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<OrganizationRow> {
    Ok(OrganizationRow {
        id: OrganizationId(row.get(0)?),
        name: row.get(1)?,
        contacts: row.get(2)?,
        numbers: Vec::new(),
    })
}

fn with_numbers(
    connection: &Connection,
    mut organization: OrganizationRow,
) -> rusqlite::Result<OrganizationRow> {
    organization.numbers = contact_numbers::of(connection, Owner::Organization(organization.id))?;
    Ok(organization)
}

/// Inserts (id 0) or changes one with its numbers, then links earlier calls; gives its id and what became
/// of them. A new one whose name is there already gives that organization, with these numbers beside its
/// own.
pub(crate) fn save(
    transaction: &Transaction<'_>,
    row: &OrganizationRow,
    numbering: &Numbering,
) -> Result<(OrganizationId, Relinking), WriteError> {
    let is_new = row.id.0 == 0;
    let id = if is_new {
        named(transaction, &row.name)?
    } else {
        row.id
    };
    let owner = Owner::Organization(id);
    let known = contact_numbers::of(transaction, owner)?;
    let before: Vec<NumberKeys> = known
        .iter()
        .map(|number| numbering.keys(&number.raw))
        .collect();
    let mut numbers = row.numbers.clone();
    if is_new {
        numbers.retain(|new| {
            let key = numbering.keys(&new.raw);
            !before.iter().any(|known| known.key() == key.key())
        });
        numbers.splice(..0, known);
    } else {
        let name = row.name.trim();
        let changed = transaction
            .prepare_cached("UPDATE organizations SET name = ?2, folded = ?3 WHERE id = ?1")?
            .execute(params![id.0, name, folded(name)])?;
        if changed == 0 {
            return Err(WriteError::Missing("organization"));
        }
        contacts::index_organization(transaction, id)?;
    }
    let keys = contact_numbers::replace(transaction, owner, &numbers, &numbering.region)?;
    let lost: Vec<NumberKeys> = before
        .into_iter()
        .filter(|before| !keys.iter().any(|kept| kept.key() == before.key()))
        .collect();
    let (subject, mut relinking) = (Subject::Organization(id), Relinking::default());
    link_again::lose(transaction, subject, &lost, numbering, &mut relinking)?;
    link_again::link_again(
        transaction,
        subject,
        is_new,
        &keys,
        numbering,
        &mut relinking,
    )?;
    Ok((id, relinking))
}

/// Brings back one that was deleted, under its id.
pub(crate) fn bring_back(
    transaction: &Transaction<'_>,
    row: &OrganizationRow,
    numbering: &Numbering,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO organizations (id, name, folded) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![row.id.0, row.name, folded(&row.name)])?;
    let owner = Owner::Organization(row.id);
    contact_numbers::replace(transaction, owner, &row.numbers, &numbering.region)?;
    Ok(())
}

/// Deletes one; its people stay, and its calls keep the name that they showed.
pub(crate) fn delete(transaction: &Transaction<'_>, id: OrganizationId) -> Result<(), WriteError> {
    let people: Vec<i64> = transaction
        .prepare_cached("SELECT id FROM contacts WHERE organization = ?1")?
        .query_map([id.0], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let deleted = transaction
        .prepare_cached("DELETE FROM organizations WHERE id = ?1")?
        .execute([id.0])?;
    if deleted == 0 {
        return Err(WriteError::Missing("organization"));
    }
    for person in people {
        contacts::index(transaction, ContactId(person))?;
    }
    Ok(())
}

/// Finds the organization of a name, or inserts it.
pub(crate) fn named(transaction: &Transaction<'_>, name: &str) -> rusqlite::Result<OrganizationId> {
    let name = name.trim();
    let found = transaction
        .prepare_cached("SELECT id FROM organizations WHERE folded = ?1 ORDER BY id LIMIT 1")?
        .query_row([folded(name)], |row| row.get(0))
        .optional()?;
    if let Some(id) = found {
        return Ok(OrganizationId(id));
    }
    transaction
        .prepare_cached("INSERT INTO organizations (name, folded) VALUES (?1, ?2)")?
        .execute([name, &folded(name)])?;
    Ok(OrganizationId(transaction.last_insert_rowid()))
}

/// Reads the newest organization's id; 0 when there is none.
pub(crate) fn newest(connection: &Connection) -> rusqlite::Result<OrganizationId> {
    connection
        .prepare_cached("SELECT coalesce(max(id), 0) FROM organizations")?
        .query_row([], |row| row.get(0).map(OrganizationId))
}

/// Deletes an organization that nobody belongs to.
pub(crate) fn delete_if_empty(
    transaction: &Transaction<'_>,
    id: OrganizationId,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "DELETE FROM organizations WHERE id = ?1
             AND NOT EXISTS (SELECT 1 FROM contacts WHERE organization = ?1)
             AND NOT EXISTS (SELECT 1 FROM memberships WHERE organization = ?1)
             AND NOT EXISTS (SELECT 1 FROM tickets WHERE organization = ?1)
             AND NOT EXISTS (SELECT 1 FROM organization_numbers WHERE organization = ?1)
             AND NOT EXISTS (SELECT 1 FROM notes WHERE kind = 'organization' AND subject = ?1)
             AND NOT EXISTS (SELECT 1 FROM tasks WHERE kind = 'organization' AND subject = ?1)",
        )?
        .execute([id.0])?;
    Ok(())
}
