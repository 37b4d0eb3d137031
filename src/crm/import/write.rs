//! The people of a file become contacts: all in one transaction, or none.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use rusqlite::{Transaction, params};

use crate::base::id::{ContactId, OrganizationId};
use crate::crm::bulk::WithoutTriggers;
use crate::crm::contacts::NewContact;
use crate::crm::exchange_row::{Existing, ImportReport};
use crate::crm::import::ImportBatch;
use crate::crm::import::keys::{self, PreparedPerson, WithKeys};
use crate::crm::import::undo::{Before, ImportStep, mark};
use crate::crm::link_again::{self, Relinking};
use crate::crm::mining::texts;
use crate::crm::number_key::{NumberKeys, Numbering};
use crate::crm::row::{ContactRow, Subject};
use crate::crm::same_person::{Entry, Known, find, perhaps_known};
use crate::crm::writer::WriteError;
use crate::crm::{
    bulk, contact_uids, contacts, number_hints, organizations, row_counts, words_behind,
};

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
    let (existing, file) = (batch.existing, &batch.reading);
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
        existing,
        written_in: (file.region.as_deref()).map(|region| numbering.in_region(region)),
        newest: contacts::newest(transaction)?,
        any_uids: contact_uids::any(transaction)?,
        organizations: HashMap::new(),
        waiting: Vec::new(),
        called: Vec::new(),
        report: ImportReport {
            left_out: file.people.faulty,
            remarks: file.people.remarks.clone(),
            ..ImportReport::default()
        },
    };
    let newest_organization = organizations::newest(transaction)?;
    // Where nobody who is there is changed, each trigger's work is done for all rows at once.
    let alone = existing != Existing::Update;
    let without_triggers = alone
        .then(|| WithoutTriggers::on(transaction))
        .transpose()?;
    let region = file.region.as_deref();
    keys::each_piece(&file.people.people, numbering, region, |piece| {
        import.take(piece, numbering)
    })?;
    drop(without_triggers);
    if alone {
        row_counts::count_newer(transaction, import.newest)?;
        contacts::index_notes_newer(transaction, import.newest)?;
        organizations::index_newer(transaction, newest_organization)?;
    }
    import.follow_calls(numbering)?;
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
    /// What becomes of people who are there.
    existing: Existing,
    /// How numbers in the file are read, where its country was named.
    written_in: Option<Numbering>,
    /// The newest contact that was there before.
    newest: ContactId,
    /// Whether anybody of these has a UID.
    any_uids: bool,
    /// Those whose people were met, with their names as they are stored.
    organizations: HashMap<String, (OrganizationId, String)>,
    /// People who become contacts, in the order of the file.
    waiting: Vec<PreparedPerson>,
    /// Those who did and whose numbers earlier calls have, with these.
    called: Vec<(ContactId, Vec<NumberKeys>)>,
    report: ImportReport,
}

impl Import<'_> {
    /// Writes some of the people.
    fn take(&mut self, piece: Vec<WithKeys>, numbering: &Numbering) -> Result<(), WriteError> {
        let mut people = Vec::with_capacity(piece.len());
        for (person, own_lines, remarks) in piece {
            self.report.own_lines = self.report.own_lines.saturating_add(own_lines);
            for (line, what) in remarks {
                self.report.remarks.add(line, what);
            }
            people.push(person);
        }
        let perhaps_known = self.perhaps_known(&people)?;
        for (person, perhaps_known) in people.into_iter().zip(perhaps_known) {
            let known = if perhaps_known {
                let uid = person.uid.as_deref();
                find(
                    self.transaction,
                    uid,
                    &person.row,
                    &person.keys,
                    self.newest,
                )?
            } else {
                Known::Nobody
            };
            match known {
                Known::Same(contact, _) if self.existing == Existing::Update => {
                    self.add_waiting(numbering)?;
                    self.update(&person, contact, numbering)?;
                }
                Known::Same(contact, why) => self.skip(&person, contact, why)?,
                Known::Shares(contact) => {
                    self.tell_shared(&person, contact)?;
                    self.waiting.push(person);
                }
                Known::Nobody => self.waiting.push(person),
            }
        }
        self.add_waiting(numbering)?;
        Ok(())
    }

    /// Says for each person whether it may be somebody who is there.
    fn perhaps_known(&self, people: &[PreparedPerson]) -> rusqlite::Result<Vec<bool>> {
        let nobody = self.existing == Existing::Add || self.newest.0 == 0;
        // Each change may make somebody known.
        if nobody || self.existing == Existing::Update {
            return Ok(vec![!nobody; people.len()]);
        }
        let entries: Vec<Entry<'_>> = people
            .iter()
            .map(|person| (person.uid.as_deref(), &person.row, person.keys.as_slice()))
            .collect();
        perhaps_known(self.transaction, &entries, self.any_uids)
    }

    /// Writes those who wait, each of their tables at once.
    fn add_waiting(&mut self, numbering: &Numbering) -> rusqlite::Result<()> {
        let people = std::mem::take(&mut self.waiting);
        if people.is_empty() {
            return Ok(());
        }
        let first = contacts::next_id(self.transaction)?;
        let mut new = Vec::with_capacity(people.len());
        let mut lines = Vec::with_capacity(people.len());
        let mut not_plain = Vec::new();
        for (person, id) in people.iter().zip(first.0..) {
            let id = ContactId(id);
            let (organization, name) = match &person.row.organization_name {
                Some(name) => {
                    let (organization, name) = self.organization(name)?;
                    (Some(*organization), name.as_str())
                }
                None => (None, ""),
            };
            let line = person.line_of_words.as_ref();
            let line = line.and_then(|line| line.with_organization(name));
            if line.is_none() {
                not_plain.push(id);
            }
            lines.push(line.unwrap_or_default());
            new.push(NewContact {
                id,
                row: &person.row,
                folded: &person.folded,
                organization,
                keys: &person.keys,
            });
        }
        contacts::insert_all(self.transaction, &new)?;
        words_behind::keep(self.transaction, first, &lines)?;
        for contact in not_plain {
            contacts::index_missing(self.transaction, contact, contact)?;
        }
        let mut uids: Vec<(&str, ContactId)> = (people.iter().zip(&new))
            .filter_map(|(person, new)| Some((person.uid.as_deref()?, new.id)))
            .collect();
        // Of two with one name the first has it.
        uids.sort_unstable();
        contact_uids::give_all(self.transaction, &uids)?;
        bulk::insert(
            self.transaction,
            "INSERT OR FAIL INTO import_rows (import, contact, mark)",
            &new,
            3,
            |values, new| {
                values.add(self.id)?;
                values.add(new.id.0)?;
                values.add(mark(new.row, new.organization))
            },
        )?;
        self.report.added += u64::try_from(people.len()).unwrap_or_default();
        let added: Vec<(ContactId, PreparedPerson)> =
            (first.0..).map(ContactId).zip(people).collect();
        self.follow_texts(&added, numbering)?;
        let mut marks = vec![false; added.len()];
        let numbers = (added.iter().zip(0..))
            .flat_map(|((_, person), place)| person.keys.iter().map(move |keys| (keys, place)));
        link_again::mark_called(self.transaction, numbers, &mut marks)?;
        let called = added.into_iter().zip(marks).filter(|(_, mark)| *mark);
        let called = called.map(|((contact, person), _)| (contact, person.keys));
        self.called.extend(called);
        Ok(())
    }

    /// Mines what is noted on those who were added, as numbers of the file's country are written, and gives them
    /// the guesses for their addresses.
    fn follow_texts(
        &self,
        added: &[(ContactId, PreparedPerson)],
        numbering: &Numbering,
    ) -> rusqlite::Result<()> {
        let numbering = self.written_in.as_ref().unwrap_or(numbering);
        let noted = added.iter().map(|(_, person)| !person.row.notes.is_empty());
        let mut marks: Vec<bool> = noted.collect();
        let emails: Vec<(String, usize)> = (added.iter().zip(0..))
            .filter_map(|((_, person), place)| {
                let email = person.row.email.as_ref()?;
                Some((email.trim().to_ascii_lowercase(), place))
            })
            .collect();
        let emails = emails.iter().map(|(email, place)| (email.as_str(), *place));
        number_hints::mark_waiting(self.transaction, emails, &mut marks)?;
        for ((contact, person), _) in added.iter().zip(marks).filter(|(_, mark)| *mark) {
            texts::of_contact(self.transaction, *contact, &person.row, self.at, numbering)?;
        }
        Ok(())
    }

    /// Links earlier calls to those who were added, when all are there: a number that two of them share is a
    /// question.
    fn follow_calls(&mut self, numbering: &Numbering) -> rusqlite::Result<()> {
        for (contact, keys) in std::mem::take(&mut self.called) {
            let (subject, mut relinking) = (Subject::Contact(contact), Relinking::default());
            link_again::link_again(
                self.transaction,
                subject,
                true,
                &keys,
                numbering,
                &mut relinking,
            )?;
            self.linked(contact, &relinking)?;
        }
        Ok(())
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
            let mut notes = vec![(before.notes.as_str(), numbering)];
            if updated.notes != before.notes {
                let written_in = self.written_in.as_ref().unwrap_or(numbering);
                notes.push((person.row.notes.as_str(), written_in));
            }
            let email = updated.email.as_deref();
            texts::of_contact_in_regions(self.transaction, contact, email, &notes, self.at)?;
        }
        let after = contacts::one(self.transaction, contact)?;
        let after = after.ok_or_else(gone)?;
        let mark = mark(&after, after.organization);
        self.record(contact, mark, &Before { row: before, uid })?;
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
    fn record(&self, contact: ContactId, mark: i64, before: &Before) -> rusqlite::Result<()> {
        let before = json(before)?;
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

    /// The organization of a name, and its name as it is stored.
    fn organization(&mut self, name: &str) -> rusqlite::Result<&(OrganizationId, String)> {
        if !self.organizations.contains_key(name) {
            if self.organizations.len() >= REMEMBERED {
                self.organizations.clear();
            }
            let found = organizations::found_or_inserted(self.transaction, name)?;
            self.organizations.insert(name.to_owned(), found);
        }
        // It is there by now.
        let gone = rusqlite::Error::QueryReturnedNoRows;
        self.organizations.get(name).ok_or(gone)
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
    if !says(&row.notes, &said.notes) {
        if !row.notes.is_empty() {
            row.notes.push('\n');
        }
        row.notes.push_str(&said.notes);
    }
    unite_numbers(&mut row, said, numbering, true);
    row
}

/// Whether a text has each line of another one: what is only a part of one of its words is something else.
pub(crate) fn says(text: &str, other: &str) -> bool {
    let lines: HashSet<&str> = text.lines().map(str::trim).collect();
    let mut others = other.lines().map(str::trim);
    others.all(|line| line.is_empty() || lines.contains(line))
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
