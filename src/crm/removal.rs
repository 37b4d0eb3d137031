//! The deletion of a person or an organization, and its return.
//!
//! The calls keep the name that they showed. Where somebody else has the same number, the calls go to
//! them. What hung on the record goes along and comes back with it.

use rusqlite::{Transaction, params};
use serde::{Deserialize, Serialize};

use crate::base::id::ContactId;
use crate::crm::link_again::{self, Relinking};
use crate::crm::number_hints::{self, Guesses};
use crate::crm::number_key::{NumberKeys, Numbering};
use crate::crm::row::{ContactRow, OrganizationRow, Subject};
use crate::crm::writer::WriteError;
use crate::crm::{contact_numbers, contact_uids, contacts, different_people, notes, organizations};

/// What a deletion took.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Removal {
    record: Record,
    /// Persons of the organization: of their main one or, with a place, of a further one.
    members: Vec<(ContactId, Option<i64>, Option<String>)>,
    /// Links of calls: call, level, reason, name.
    links: Vec<(i64, String, String, String)>,
    /// Numbers for which it was chosen.
    choices: Vec<String>,
    notes: Vec<(i64, String, String)>,
    /// Tickets and tasks that were about it.
    tickets: Vec<i64>,
    tasks: Vec<i64>,
    /// The names that other programs gave it.
    #[serde(default)]
    uids: Vec<String>,
    /// Guesses that no text here makes again, and what was said of guesses.
    #[serde(default)]
    guesses: Guesses,
    /// Contacts that are other people, by an agent's word.
    #[serde(default)]
    different: Vec<ContactId>,
    /// What became of the calls that showed it.
    relinking: Relinking,
}

#[derive(Debug, Serialize, Deserialize)]
enum Record {
    Contact(ContactRow),
    Organization(OrganizationRow),
}

impl Record {
    fn subject(&self) -> Subject {
        match self {
            Self::Contact(row) => Subject::Contact(row.id),
            Self::Organization(row) => Subject::Organization(row.id),
        }
    }

    fn keys(&self, numbering: &Numbering) -> Vec<NumberKeys> {
        let numbers = match self {
            Self::Contact(row) => &row.numbers,
            Self::Organization(row) => &row.numbers,
        };
        contact_numbers::keys_of(numbers, &numbering.region())
    }
}

impl Removal {
    /// The person, if it was one.
    pub(crate) fn contact(&self) -> Option<&ContactRow> {
        match &self.record {
            Record::Contact(row) => Some(row),
            Record::Organization(_) => None,
        }
    }
}

/// Deletes a person or an organization; gives what brings it back.
pub(crate) fn remove(
    transaction: &Transaction<'_>,
    subject: Subject,
    numbering: &Numbering,
) -> Result<Removal, WriteError> {
    let mut removal = take(transaction, subject)?;
    let keys = removal.record.keys(numbering);
    link_again::hand_on(transaction, &keys, numbering, &mut removal.relinking)?;
    Ok(removal)
}

/// Deletes a person whose numbers somebody else is about to get: as long as nobody has them, no call is
/// handed on. Gives what brings the person back.
pub(crate) fn take(transaction: &Transaction<'_>, subject: Subject) -> Result<Removal, WriteError> {
    let record = match subject {
        Subject::Contact(id) => contacts::one(transaction, id)?.map(Record::Contact),
        Subject::Organization(id) => organizations::one(transaction, id)?.map(Record::Organization),
        Subject::Ticket(_) => None,
    }
    .ok_or(WriteError::Missing(subject.kind()))?;
    let rows = |sql: &str| -> rusqlite::Result<Vec<i64>> {
        transaction
            .prepare_cached(sql)?
            .query_map([subject.id()], |row| row.get(0))?
            .collect()
    };
    let column = match subject {
        Subject::Organization(_) => "organization",
        Subject::Contact(_) | Subject::Ticket(_) => "contact",
    };
    let mut removal = Removal {
        members: Vec::new(),
        links: transaction
            .prepare_cached(
                "SELECT call, level, reason, name FROM call_links WHERE kind = ?1 AND subject = ?2",
            )?
            .query_map(params![subject.kind(), subject.id()], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })?
            .collect::<rusqlite::Result<_>>()?,
        choices: transaction
            .prepare_cached("SELECT number FROM number_choices WHERE kind = ?1 AND subject = ?2")?
            .query_map(params![subject.kind(), subject.id()], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?,
        notes: notes::all_of(transaction, subject)?,
        tickets: rows(&format!("SELECT id FROM tickets WHERE {column} = ?1"))?,
        tasks: transaction
            .prepare_cached("SELECT id FROM tasks WHERE kind = ?1 AND subject = ?2")?
            .query_map(params![subject.kind(), subject.id()], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?,
        uids: Vec::new(),
        guesses: Guesses::default(),
        different: Vec::new(),
        relinking: link_again::before_removal(transaction, subject)?,
        record,
    };
    match subject {
        Subject::Organization(id) => {
            removal.members = transaction
                .prepare_cached(
                    "SELECT id, NULL, role FROM contacts WHERE organization = ?1 UNION ALL
                     SELECT contact, place, role FROM memberships WHERE organization = ?1",
                )?
                .query_map([id.0], |row| {
                    Ok((ContactId(row.get(0)?), row.get(1)?, row.get(2)?))
                })?
                .collect::<rusqlite::Result<_>>()?;
            organizations::delete(transaction, id)?;
        }
        Subject::Contact(id) => {
            removal.uids = contact_uids::all_of(transaction, id)?;
            removal.guesses = number_hints::guesses_of(transaction, id)?;
            removal.different = different_people::of(transaction, id)?;
            contacts::delete(transaction, id)?;
        }
        Subject::Ticket(_) => {}
    }
    Ok(removal)
}

/// Brings it back; gives how much was left because it was changed since.
pub(crate) fn undo(
    transaction: &Transaction<'_>,
    removal: &Removal,
    numbering: &Numbering,
) -> Result<usize, WriteError> {
    let subject = removal.record.subject();
    match &removal.record {
        Record::Contact(row) => {
            contacts::bring_back(transaction, row, numbering)?;
            for uid in &removal.uids {
                contact_uids::give(transaction, uid, row.id)?;
            }
            let email = row.email.as_deref().unwrap_or_default();
            number_hints::follow_email(transaction, row.id, email)?;
            number_hints::bring_back(transaction, row.id, &removal.guesses)?;
            for other in &removal.different {
                different_people::tell_apart(transaction, row.id, *other)?;
            }
        }
        Record::Organization(row) => organizations::bring_back(transaction, row, numbering)?,
    }
    for (contact, place, role) in &removal.members {
        match place {
            Some(place) => transaction
                .prepare_cached(
                    "INSERT OR IGNORE INTO memberships (contact, place, organization, role)
                     SELECT id, ?2, ?3, ?4 FROM contacts WHERE id = ?1",
                )?
                .execute(params![contact.0, place, subject.id(), role])?,
            None => transaction
                .prepare_cached(
                    "UPDATE contacts SET organization = ?2 WHERE id = ?1 AND organization IS NULL",
                )?
                .execute(params![contact.0, subject.id()])?,
        };
        contacts::index(transaction, *contact)?;
    }
    for (call, level, reason, name) in &removal.links {
        transaction
            .prepare_cached(
                "INSERT OR IGNORE INTO call_links (call, kind, subject, level, reason, name)
                 SELECT seq, ?2, ?3, ?4, ?5, ?6 FROM calls WHERE seq = ?1",
            )?
            .execute(params![
                call,
                subject.kind(),
                subject.id(),
                level,
                reason,
                name
            ])?;
    }
    for number in &removal.choices {
        transaction
            .prepare_cached(
                "INSERT OR IGNORE INTO number_choices (number, kind, subject) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![number, subject.kind(), subject.id()])?;
    }
    notes::bring_back(transaction, subject, &removal.notes)?;
    let column = match subject {
        Subject::Organization(_) => "organization",
        Subject::Contact(_) | Subject::Ticket(_) => "contact",
    };
    for ticket in &removal.tickets {
        transaction
            .prepare_cached(&format!(
                "UPDATE tickets SET {column} = ?2 WHERE id = ?1 AND {column} IS NULL"
            ))?
            .execute([*ticket, subject.id()])?;
    }
    for task in &removal.tasks {
        transaction
            .prepare_cached(
                "UPDATE tasks SET kind = ?2, subject = ?3 WHERE id = ?1 AND kind IS NULL",
            )?
            .execute(params![task, subject.kind(), subject.id()])?;
    }
    Ok(link_again::undo(transaction, &removal.relinking)?)
}
