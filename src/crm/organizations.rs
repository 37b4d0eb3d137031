//! Organizations.

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use crate::base::id::OrganizationId;
use crate::crm::contacts;
use crate::crm::row::OrganizationRow;
use crate::crm::search::folded;
use crate::crm::store::StoreError;
use crate::crm::writer::WriteError;

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

/// Reads organizations whose name holds `search`, by name.
pub(crate) fn list(
    connection: &Connection,
    search: &str,
) -> Result<Vec<OrganizationRow>, StoreError> {
    let mut query = connection.prepare_cached(
        "SELECT o.id, o.name, (SELECT count(*) FROM contacts c WHERE c.organization = o.id)
         FROM organizations o WHERE ?1 = '' OR instr(o.folded, ?1) > 0
         ORDER BY o.folded, o.id LIMIT ?2",
    )?;
    let rows = query.query_map(params![folded(search), LIST_LIMIT], |row| {
        Ok(OrganizationRow {
            id: OrganizationId(row.get(0)?),
            name: row.get(1)?,
            contacts: row.get(2)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Inserts (id 0) or renames one. A name that is there already gives that organization.
pub(crate) fn save(
    transaction: &Transaction<'_>,
    row: &OrganizationRow,
) -> Result<OrganizationId, WriteError> {
    if row.id.0 == 0 {
        return Ok(named(transaction, &row.name)?);
    }
    let name = row.name.trim();
    let changed = transaction.execute(
        "UPDATE organizations SET name = ?2, folded = ?3 WHERE id = ?1",
        params![row.id.0, name, folded(name)],
    )?;
    if changed == 0 {
        return Err(WriteError::Missing("organization"));
    }
    contacts::index_organization(transaction, row.id)?;
    Ok(row.id)
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
    transaction.execute(
        "INSERT INTO organizations (name, folded) VALUES (?1, ?2)",
        [name, &folded(name)],
    )?;
    Ok(OrganizationId(transaction.last_insert_rowid()))
}
