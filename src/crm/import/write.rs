//! The people of a file become contacts: all in one transaction, or none.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use jiff::Timestamp;
use rusqlite::{Transaction, params};

use crate::base::id::{ContactId, OrganizationId};
use crate::crm::exchange_row::{Existing, ImportReport};
use crate::crm::import::ImportBatch;
use crate::crm::import::keys::PreparedPerson;
use crate::crm::import::undo::{Before, ImportStep, mark};
use crate::crm::link_again::{self, Relinking};
use crate::crm::mining::texts;
use crate::crm::number_key::{NumberKeys, Numbering};
use crate::crm::row::{ContactRow, Subject};
use crate::crm::same_person::{Known, find};
use crate::crm::writer::WriteError;
use crate::crm::{contact_uids, contacts, organizations};

pub(crate) const CREATE: &str = "
-- An import can be taken back as one step. For each contact that it made or changed: what it looked
-- like afterwards (a hash), so that what somebody changed since stays; what it was before; and what
-- became of earlier calls. A table, because there may be a million.
CREATE TABLE imports (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL
) STRICT;
CREATE TABLE import_rows (
    import INTEGER NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    contact INTEGER NOT NULL,
    mark INTEGER NOT NULL,
    before TEXT,
    relinking TEXT,
    PRIMARY KEY (import, contact)
) STRICT, WITHOUT ROWID;
-- Organizations that it made go with it, when nobody is left in them.
CREATE TABLE import_organizations (
    import INTEGER NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    organization INTEGER NOT NULL,
    PRIMARY KEY (import, organization)
) STRICT, WITHOUT ROWID;
";

/// So many imports can be taken back, the newest.
const KEPT: i64 = 100;

/// So many organizations are remembered, to ask for each once.
const REMEMBERED: usize = 100_000;

/// Writes a file's people; gives what takes that back too, if anything was changed.
pub(crate) fn write(
    transaction: &Transaction<'_>,
    at: Timestamp,
    batch: &ImportBatch,
    numbering: &Numbering,
) -> Result<(ImportReport, Option<ImportStep>), WriteError> {
    let (existing, prepared) = (batch.existing, &batch.prepared);
    transaction
        .prepare_cached("INSERT INTO imports (at) VALUES (?1)")?
        .execute([at.as_microsecond()])?;
    let id = transaction.last_insert_rowid();
    transaction
        .prepare_cached("DELETE FROM imports WHERE id <= ?1")?
        .execute([id - KEPT])?;
    let mut import = Import {
        transaction,
        id,
        at,
        newest: contacts::newest(transaction)?,
        organizations: HashMap::new(),
        report: ImportReport {
            left_out: prepared.faulty,
            own_lines: prepared.own_lines,
            remarks: prepared.remarks.clone(),
            ..ImportReport::default()
        },
    };
    let newest_organization = organizations::newest(transaction)?;
    let mut added: Vec<(ContactId, &[NumberKeys])> = Vec::new();
    for person in &prepared.people {
        let known = if existing == Existing::Add || import.newest.0 == 0 {
            Known::Nobody
        } else {
            let uid = person.uid.as_deref();
            find(transaction, uid, &person.row, &person.keys, import.newest)?
        };
        match known {
            Known::Same(contact, _) if existing == Existing::Update => {
                import.update(person, contact, numbering)?;
            }
            Known::Same(contact, why) => import.skip(person, contact, why)?,
            Known::Shares(contact) => {
                import.tell_shared(person, contact)?;
                added.push((import.add(person, numbering)?, &person.keys));
            }
            Known::Nobody => added.push((import.add(person, numbering)?, &person.keys)),
        }
    }
    // All words at once, and calls when all are there: a number that two of them share is a question.
    contacts::index_newer(transaction, import.newest)?;
    if link_again::any_call(transaction)? {
        for (contact, keys) in added {
            let (subject, mut relinking) = (Subject::Contact(contact), Relinking::default());
            link_again::link_again(transaction, subject, true, keys, numbering, &mut relinking)?;
            import.linked(contact, &relinking)?;
        }
    }
    transaction
        .prepare_cached(
            "INSERT INTO import_organizations (import, organization)
             SELECT ?1, id FROM organizations WHERE id > ?2",
        )?
        .execute(params![import.id, newest_organization.0])?;
    Ok(import.finish()?)
}

/// An import that is being written.
struct Import<'a> {
    transaction: &'a Transaction<'a>,
    id: i64,
    at: Timestamp,
    /// The newest contact that was there before.
    newest: ContactId,
    organizations: HashMap<String, OrganizationId>,
    report: ImportReport,
}

impl Import<'_> {
    fn add(
        &mut self,
        person: &PreparedPerson,
        numbering: &Numbering,
    ) -> rusqlite::Result<ContactId> {
        let organization = match &person.row.organization_name {
            Some(name) => Some(self.organization(name)?),
            None => None,
        };
        let contact = contacts::insert(self.transaction, &person.row, organization, &person.keys)?;
        if let Some(uid) = &person.uid {
            contact_uids::give(self.transaction, uid, contact)?;
        }
        if person.row.email.is_some() || !person.row.notes.is_empty() {
            texts::of_contact(self.transaction, contact, &person.row, self.at, numbering)?;
        }
        self.record(contact, mark(&person.row, organization), None)?;
        self.report.added += 1;
        Ok(contact)
    }

    fn update(
        &mut self,
        person: &PreparedPerson,
        contact: ContactId,
        numbering: &Numbering,
    ) -> Result<(), WriteError> {
        // It was found a moment ago; were it gone, nothing may be kept of what was written.
        let gone = || rusqlite::Error::QueryReturnedNoRows;
        let before = contacts::one(self.transaction, contact)?.ok_or_else(gone)?;
        let updated = updated(&before, person, numbering);
        let uid = match &person.uid {
            Some(uid) => contact_uids::give(self.transaction, uid, contact)?.then(|| uid.clone()),
            None => None,
        };
        if updated == before && uid.is_none() {
            self.report.skipped += 1;
            return Ok(());
        }
        let (_, relinking) = contacts::save(self.transaction, &updated, numbering)?;
        if updated.notes != before.notes || updated.email != before.email {
            texts::of_contact(self.transaction, contact, &updated, self.at, numbering)?;
        }
        let after = contacts::one(self.transaction, contact)?;
        let after = after.ok_or_else(gone)?;
        let mark = mark(&after, after.organization);
        self.record(contact, mark, Some(&Before { row: before, uid }))?;
        self.linked(contact, &relinking)?;
        self.report.updated += 1;
        Ok(())
    }

    fn skip(
        &mut self,
        person: &PreparedPerson,
        contact: ContactId,
        why: &str,
    ) -> rusqlite::Result<()> {
        self.report.skipped += 1;
        let name = contacts::names(self.transaction, contact)?;
        let name = name.map(|(name, _)| name).unwrap_or_default();
        self.report.remarks.add(
            person.line,
            format!(
                "{} is there already: {name} (contact {}) has {why}",
                person.row.name, contact.0
            ),
        );
        Ok(())
    }

    fn tell_shared(&mut self, person: &PreparedPerson, contact: ContactId) -> rusqlite::Result<()> {
        let name = contacts::names(self.transaction, contact)?;
        let name = name.map(|(name, _)| name).unwrap_or_default();
        self.report.remarks.add(
            person.line,
            format!(
                "{} was added, and shares a number or e-mail address with {name} (contact {})",
                person.row.name, contact.0
            ),
        );
        Ok(())
    }

    /// Keeps how to take a change back. Of a contact that is changed twice, what it was at first stays.
    fn record(
        &self,
        contact: ContactId,
        mark: i64,
        before: Option<&Before>,
    ) -> rusqlite::Result<()> {
        let before = before.map(json).transpose()?;
        self.transaction
            .prepare_cached(
                "INSERT INTO import_rows (import, contact, mark, before) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (import, contact) DO UPDATE SET mark = excluded.mark",
            )?
            .execute(params![self.id, contact.0, mark, before])?;
        Ok(())
    }

    /// Keeps what became of earlier calls. Of a contact that is changed twice only the first time counts:
    /// it is the one whose calls are as they were.
    fn linked(&mut self, contact: ContactId, relinking: &Relinking) -> rusqlite::Result<()> {
        if relinking.is_empty() {
            return Ok(());
        }
        self.report.linked_calls += u64::try_from(relinking.shown()).unwrap_or_default();
        self.transaction
            .prepare_cached(
                "UPDATE import_rows SET relinking = coalesce(relinking, ?3)
                 WHERE import = ?1 AND contact = ?2",
            )?
            .execute(params![self.id, contact.0, json(relinking)?])?;
        Ok(())
    }

    fn organization(&mut self, name: &str) -> rusqlite::Result<OrganizationId> {
        if self.organizations.len() >= REMEMBERED {
            self.organizations.clear();
        }
        match self.organizations.entry(name.to_owned()) {
            Entry::Occupied(known) => Ok(*known.get()),
            Entry::Vacant(place) => {
                Ok(*place.insert(organizations::named(self.transaction, name)?))
            }
        }
    }

    fn finish(mut self) -> rusqlite::Result<(ImportReport, Option<ImportStep>)> {
        self.report.remarks.sort();
        if self.report.added + self.report.updated > 0 {
            return Ok((self.report, Some(ImportStep { import: self.id })));
        }
        self.transaction
            .prepare_cached("DELETE FROM imports WHERE id = ?1")?
            .execute([self.id])?;
        Ok((self.report, None))
    }
}

fn json(value: &impl serde::Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

/// What the file says wins, what it does not say stays, numbers come together.
fn updated(before: &ContactRow, person: &PreparedPerson, numbering: &Numbering) -> ContactRow {
    let mut row = before.clone();
    let said = &person.row;
    row.name.clone_from(&said.name);
    if said.organization_name.is_some() {
        let same = |left: &Option<String>, right: &Option<String>| {
            let folded = |name: &Option<String>| name.as_deref().map(crate::crm::search::folded);
            folded(left) == folded(right)
        };
        if !same(&row.organization_name, &said.organization_name) {
            row.organization = None;
            row.organization_name.clone_from(&said.organization_name);
        }
    }
    if said.role.is_some() {
        row.role.clone_from(&said.role);
    }
    if said.email.is_some() {
        row.email.clone_from(&said.email);
    }
    if !row.notes.contains(&said.notes) {
        if !row.notes.is_empty() {
            row.notes.push('\n');
        }
        row.notes.push_str(&said.notes);
    }
    unite_numbers(&mut row, said, numbering, true);
    row
}

/// Adds the numbers that a contact does not have; of those that it has, the label may be taken over.
pub(crate) fn unite_numbers(
    row: &mut ContactRow,
    from: &ContactRow,
    numbering: &Numbering,
    labels: bool,
) {
    // Two extensions of one number are two numbers.
    let key = |raw: &str| {
        let keys = numbering.keys(raw);
        (keys.key().map(str::to_owned), keys.extension)
    };
    let mut known: Vec<_> = row.numbers.iter().map(|it| key(&it.raw)).collect();
    for number in &from.numbers {
        let new = key(&number.raw);
        match known.iter().position(|known| *known == new) {
            Some(place) => {
                if let Some(same) = row.numbers.get_mut(place).filter(|_| labels) {
                    same.label.clone_from(&number.label);
                }
            }
            None => {
                known.push(new);
                row.numbers.push(number.clone());
            }
        }
    }
}
