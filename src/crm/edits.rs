//! Changes a part of a record: the row is read and written within one transaction, so that nothing that
//! somebody else changed meanwhile is lost.

use rusqlite::Transaction;

use crate::base::id::{ContactId, NoteId, OrganizationId};
use crate::crm::number_key::Numbering;
use crate::crm::row::{
    ContactEdit, ContactNumber, ContactRow, NoteRow, NumbersEdit, OrganizationEdit,
    OrganizationRow, StageEdit,
};
use crate::crm::search::folded;
use crate::crm::writer::WriteError;
use crate::crm::{contacts, notes, organizations};

/// What kind a new number is that nobody gave a label.
const UNLABELLED: &str = "Phone";

/// Reads a contact as it is to be saved.
pub(crate) fn contact(
    transaction: &Transaction<'_>,
    id: ContactId,
    edit: &ContactEdit,
    numbering: &Numbering,
) -> Result<ContactRow, WriteError> {
    let mut row = contacts::one(transaction, id)?.ok_or(WriteError::Missing("contact"))?;
    if let Some(name) = &edit.name {
        row.name.clone_from(name);
    }
    if let Some(name) = &edit.organization {
        row.organization = None;
        row.organization_name = Some(name.clone());
    }
    for (field, new) in [(&mut row.role, &edit.role), (&mut row.email, &edit.email)] {
        if new.is_some() {
            field.clone_from(new);
        }
    }
    if let Some(notes) = &edit.notes {
        row.notes.clone_from(notes);
    }
    match edit.stage {
        Some(StageEdit::Lead(stage)) => row.stage = Some(stage),
        Some(StageEdit::Contact) => row.stage = None,
        None => {}
    }
    change_numbers(&mut row.numbers, &edit.numbers, numbering)?;
    for name in &edit.leave {
        let wanted = folded(name);
        let before = row.memberships.len();
        (row.memberships).retain(|known| folded(&known.organization_name) != wanted);
        if row.memberships.len() == before {
            let name = name.trim();
            return Err(WriteError::Refused(format!(
                "contact {} has no further organization “{name}”",
                id.0
            )));
        }
    }
    for new in &edit.join {
        let wanted = folded(&new.organization_name);
        let known =
            (row.memberships.iter_mut()).find(|known| folded(&known.organization_name) == wanted);
        match known {
            Some(known) => known.role.clone_from(&new.role),
            None => row.memberships.push(new.clone()),
        }
    }
    Ok(row)
}

/// Reads an organization as it is to be saved.
pub(crate) fn organization(
    transaction: &Transaction<'_>,
    id: OrganizationId,
    edit: &OrganizationEdit,
    numbering: &Numbering,
) -> Result<OrganizationRow, WriteError> {
    let found = organizations::one(transaction, id)?;
    let mut row = found.ok_or(WriteError::Missing("organization"))?;
    if let Some(name) = &edit.name {
        row.name.clone_from(name);
    }
    change_numbers(&mut row.numbers, &edit.numbers, numbering)?;
    Ok(row)
}

/// Reads a note with another text.
pub(crate) fn note(
    transaction: &Transaction<'_>,
    id: NoteId,
    text: &str,
) -> Result<NoteRow, WriteError> {
    let mut row = notes::one(transaction, id)?.ok_or(WriteError::Missing("note"))?;
    text.clone_into(&mut row.text);
    Ok(row)
}

fn change_numbers(
    numbers: &mut Vec<ContactNumber>,
    edit: &NumbersEdit,
    numbering: &Numbering,
) -> Result<(), WriteError> {
    for gone in &edit.remove {
        match place(numbers, gone, numbering) {
            Some(place) => drop(numbers.remove(place)),
            None => {
                let gone = gone.trim();
                return Err(WriteError::Refused(format!("it has no number {gone}")));
            }
        }
    }
    for new in &edit.add {
        let known = place(numbers, &new.raw, numbering);
        let mut number = new.clone();
        match known.and_then(|place| numbers.get_mut(place)) {
            Some(known) => {
                if number.label.is_empty() {
                    number.label.clone_from(&known.label);
                }
                *known = number;
            }
            None => {
                if number.label.is_empty() {
                    UNLABELLED.clone_into(&mut number.label);
                }
                numbers.push(number);
            }
        }
    }
    Ok(())
}

/// Where a number is, in any spelling; what is no number is compared as it is written. Two extensions of one number
/// are two numbers, and so is the number without one.
fn place(numbers: &[ContactNumber], raw: &str, numbering: &Numbering) -> Option<usize> {
    let wanted = numbering.keys(raw);
    numbers.iter().position(|known| {
        let keys = numbering.keys(&known.raw);
        match (keys.key(), wanted.key()) {
            (Some(known), Some(other)) => known == other && keys.extension == wanted.extension,
            (None, None) => known.raw.trim() == raw.trim(),
            (Some(_), None) | (None, Some(_)) => false,
        }
    })
}
