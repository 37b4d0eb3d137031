//! An import is taken back: what it made goes, what it changed is as before; what somebody changed or
//! used since stays.

use jiff::Timestamp;
use rusqlite::{Connection, Transaction};
use serde::{Deserialize, Serialize};

use crate::base::id::{ContactId, OrganizationId};
use crate::crm::link_again::{self, Relinking};
use crate::crm::mining::texts;
use crate::crm::number_key::Numbering;
use crate::crm::row::ContactRow;
use crate::crm::writer::WriteError;
use crate::crm::{contact_uids, contacts, organizations};

/// Names an import that can be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ImportStep {
    pub(crate) import: i64,
}

/// What a contact was before an import changed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Before {
    pub(super) row: ContactRow,
    /// The UID that the import gave it.
    pub(super) uid: Option<String>,
}

/// Takes an import back; gives how many contacts are left as they are, because somebody changed, used or
/// deleted them since.
pub(crate) fn undo(
    transaction: &Transaction<'_>,
    at: Timestamp,
    step: ImportStep,
    numbering: &Numbering,
) -> Result<usize, WriteError> {
    let known = transaction
        .prepare_cached("SELECT 1 FROM imports WHERE id = ?1")?
        .exists([step.import])?;
    if !known {
        return Err(WriteError::Missing("import"));
    }
    let mut left = 0;
    let mut rows = transaction.prepare_cached(
        "SELECT contact, mark, before, relinking FROM import_rows WHERE import = ?1",
    )?;
    let mut rows = rows.query([step.import])?;
    while let Some(row) = rows.next()? {
        let contact = ContactId(row.get(0)?);
        let (before, relinking): (Option<String>, Option<String>) = (row.get(2)?, row.get(3)?);
        let unchanged = match contacts::one(transaction, contact)? {
            Some(now) => mark(&now, now.organization) == row.get::<_, i64>(1)?,
            None => false,
        };
        // What cannot be read any more is better left alone.
        let before: Option<Option<Before>> = match before {
            None => Some(None),
            Some(text) => serde_json::from_str(&text).ok().map(Some),
        };
        let relinking = relinking.and_then(|text| serde_json::from_str::<Relinking>(&text).ok());
        match before {
            Some(before) if unchanged && (before.is_some() || !used(transaction, contact)?) => {
                if let Some(relinking) = relinking {
                    link_again::undo(transaction, &relinking)?;
                }
                match before {
                    Some(before) => restore(transaction, at, &before, numbering)?,
                    None => contacts::delete(transaction, contact)?,
                }
            }
            Some(_) | None => left += 1,
        }
    }
    let made = transaction
        .prepare_cached("SELECT organization FROM import_organizations WHERE import = ?1")?
        .query_map([step.import], |row| row.get(0).map(OrganizationId))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    for organization in made {
        organizations::delete_if_empty(transaction, organization)?;
    }
    transaction
        .prepare_cached("DELETE FROM imports WHERE id = ?1")?
        .execute([step.import])?;
    Ok(left)
}

fn restore(
    transaction: &Transaction<'_>,
    at: Timestamp,
    before: &Before,
    numbering: &Numbering,
) -> Result<(), WriteError> {
    contacts::save(transaction, &before.row, numbering)?;
    texts::of_contact(transaction, before.row.id, &before.row, at, numbering)?;
    if let Some(uid) = &before.uid {
        contact_uids::take(transaction, uid, before.row.id)?;
    }
    Ok(())
}

/// Whether an agent chose this contact for a call or a number, or wrote something about it.
pub(crate) fn used(connection: &Connection, contact: ContactId) -> rusqlite::Result<bool> {
    connection
        .prepare_cached(
            "SELECT 1 WHERE EXISTS (SELECT 1 FROM number_choices
                    WHERE kind = 'contact' AND subject = ?1)
                OR EXISTS (SELECT 1 FROM call_links
                    WHERE kind = 'contact' AND subject = ?1 AND level = 'manual')
                OR EXISTS (SELECT 1 FROM calls WHERE contact = ?1 AND level = 'manual')
                OR EXISTS (SELECT 1 FROM notes WHERE kind = 'contact' AND subject = ?1)
                OR EXISTS (SELECT 1 FROM tasks WHERE kind = 'contact' AND subject = ?1)
                OR EXISTS (SELECT 1 FROM tickets WHERE contact = ?1)
                OR EXISTS (SELECT 1 FROM hint_verdicts WHERE contact = ?1 OR assigned = ?1)",
        )?
        .exists([contact.0])
}

/// A hash of all that a contact says (Fowler, Noll and Vo's FNV-1a with 64 bits): equal as long as
/// nobody changed it.
pub(crate) fn mark(row: &ContactRow, organization: Option<OrganizationId>) -> i64 {
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    let number = |id: Option<OrganizationId>| id.map_or(0, |id| id.0).to_string();
    hash.add(&row.name);
    hash.add(&number(organization));
    hash.add(row.role.as_deref().unwrap_or_default());
    hash.add(row.email.as_deref().unwrap_or_default());
    hash.add(&row.notes);
    hash.add(row.stage.map_or("", |stage| stage.as_str()));
    for number in &row.numbers {
        hash.add(&number.label);
        hash.add(&number.raw);
    }
    for membership in &row.memberships {
        hash.add(&number(membership.organization));
        hash.add(membership.role.as_deref().unwrap_or_default());
    }
    hash.0.cast_signed()
}

struct Fnv(u64);

impl Fnv {
    fn add(&mut self, text: &str) {
        // The end of a field counts: else a letter could move to the next one.
        for byte in text.bytes().chain([0xff]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
