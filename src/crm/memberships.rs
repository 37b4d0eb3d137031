//! The further organizations of a person, beside the main one.

use std::collections::BTreeMap;

use rusqlite::{Connection, Transaction, params};

use crate::base::id::{ContactId, OrganizationId};
use crate::crm::contact_numbers::list_of;
use crate::crm::organizations;
use crate::crm::row::Membership;

pub(crate) const CREATE: &str = "
-- A person may work for several organizations. The one that is shown with the name is in the person's
-- own row; these are the others, in the order that the agent gave them.
CREATE TABLE memberships (
    contact INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    organization INTEGER NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    role TEXT,
    PRIMARY KEY (contact, place)
) STRICT, WITHOUT ROWID;
-- An organization shows its people.
CREATE INDEX memberships_by_organization ON memberships (organization, contact);
";

/// Reads people's further organizations in their order.
pub(crate) fn of_contacts(
    connection: &Connection,
    ids: &[ContactId],
) -> rusqlite::Result<BTreeMap<ContactId, Vec<Membership>>> {
    let mut query = connection.prepare_cached(
        "SELECT m.contact, m.organization, o.name, m.role FROM memberships m
         JOIN organizations o ON o.id = m.organization
         WHERE m.contact IN (SELECT value FROM json_each(?1)) ORDER BY m.contact, m.place",
    )?;
    let mut rows = query.query([list_of(ids)])?;
    let mut found: BTreeMap<ContactId, Vec<Membership>> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let memberships = found.entry(ContactId(row.get(0)?)).or_default();
        memberships.push(Membership {
            organization: Some(OrganizationId(row.get(1)?)),
            organization_name: row.get(2)?,
            role: row.get(3)?,
        });
    }
    Ok(found)
}

/// Replaces them; an organization that is only named is found or made by its name.
pub(crate) fn replace(
    transaction: &Transaction<'_>,
    contact: ContactId,
    memberships: &[Membership],
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("DELETE FROM memberships WHERE contact = ?1")?
        .execute([contact.0])?;
    for (place, membership) in (0_i64..).zip(memberships) {
        let organization = match membership.organization {
            Some(id) => id,
            None if membership.organization_name.trim().is_empty() => continue,
            None => organizations::named(transaction, &membership.organization_name)?,
        };
        transaction
            .prepare_cached(
                "INSERT INTO memberships (contact, place, organization, role) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![contact.0, place, organization.0, membership.role])?;
    }
    Ok(())
}
