//! Contacts and leads, and their full-text index.

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use crate::base::id::{ContactId, OrganizationId};
use crate::crm::contact_numbers::Owner;
use crate::crm::link_again::Relinking;
use crate::crm::number_key::{NumberKeys, Numbering};
use crate::crm::row::{ContactRow, LeadStage, Subject};
use crate::crm::search::folded;
use crate::crm::writer::WriteError;
use crate::crm::{
    bulk, contact_numbers, link_again, memberships, organizations, word_index, words_behind,
};

pub(crate) const CREATE: &str = "
-- AUTOINCREMENT: an id is never used again. `folded` is the name for sorting.
CREATE TABLE contacts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    folded TEXT NOT NULL,
    organization INTEGER REFERENCES organizations (id) ON DELETE SET NULL,
    role TEXT,
    email TEXT,
    notes TEXT NOT NULL DEFAULT ''
) STRICT;
-- The list of contacts is sorted by name.
CREATE INDEX contacts_by_name ON contacts (folded, id);
-- An organization shows and counts its contacts.
CREATE INDEX contacts_by_organization ON contacts (organization);
";

pub(crate) const ADD_LEADS: &str = "
-- A lead is a person of whom nobody knows yet whether they become a customer: found, called and linked as
-- a contact is, so it is one, with a stage. NULL is a contact.
ALTER TABLE contacts ADD COLUMN stage TEXT;
-- The list of leads is sorted by name, too.
CREATE INDEX contacts_that_are_leads ON contacts (folded, id) WHERE stage IS NOT NULL;
";

pub(crate) const INDEX_STAGES: &str = "
-- The list of the leads of one stage is sorted by name as well, and counted.
CREATE INDEX contacts_by_stage ON contacts (stage, folded, id) WHERE stage IS NOT NULL;
";

pub(crate) const CREATE_WORDS: &str = "
-- Search as one types: prefixes of two and three letters are indexed, because those are typed
-- most. Contentless: the words are stored in the tables already.
CREATE VIRTUAL TABLE contact_words USING fts5 (
    name, organization, numbers, reversed,
    content = '', contentless_delete = 1,
    tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);
INSERT INTO contact_words (rowid, name, organization, numbers, reversed)
    SELECT c.id,
        c.name || ' ' || coalesce(c.email, '') || ' ' || coalesce((SELECT
            group_concat(n.address, ' ') FROM contact_numbers n WHERE n.contact = c.id), ''),
        coalesce(o.name, ''),
        coalesce((SELECT group_concat(coalesce(substr(n.e164, 2), '') || ' '
            || coalesce(n.digits || ' ' || ltrim(n.digits, '0'), ''), ' ') FROM contact_numbers n WHERE n.contact = c.id), ''),
        coalesce((SELECT group_concat(n.reversed, ' ')
            FROM contact_numbers n WHERE n.contact = c.id), '')
    FROM contacts c LEFT JOIN organizations o ON o.id = c.organization;
";

pub(crate) const INDEX_PREFIXES: &str = "
-- Numbers are typed digit by digit, and those of one town or one company share their first ones. Without an
-- index for that length all numbers with a prefix are gathered first, which takes a tenth of a second.
DROP TABLE contact_words;
CREATE VIRTUAL TABLE contact_words USING fts5 (
    name, organization, numbers, reversed,
    content = '', contentless_delete = 1,
    tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3 4 5 6 7'
);
INSERT INTO contact_words (rowid, name, organization, numbers, reversed)
    SELECT c.id,
        c.name || ' ' || coalesce(c.email, '') || ' ' || coalesce((SELECT
            group_concat(n.address, ' ') FROM contact_numbers n WHERE n.contact = c.id), ''),
        coalesce(o.name, ''),
        coalesce((SELECT group_concat(coalesce(substr(n.e164, 2), '') || ' '
            || coalesce(n.digits || ' ' || ltrim(n.digits, '0'), ''), ' ') FROM contact_numbers n WHERE n.contact = c.id), ''),
        coalesce((SELECT group_concat(n.reversed, ' ')
            FROM contact_numbers n WHERE n.contact = c.id), '')
    FROM contacts c LEFT JOIN organizations o ON o.id = c.organization;
";

pub(crate) const INDEX_NOTES: &str = "
-- What is noted on people themselves, also what an import brought, is searched apart: few have any.
-- Contentless, and kept true by triggers, whoever writes a row.
CREATE VIRTUAL TABLE contact_note_words USING fts5 (
    text, content = '', contentless_delete = 1,
    tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);
INSERT INTO contact_note_words (rowid, text) SELECT id, notes FROM contacts WHERE notes <> '';
CREATE TRIGGER contacts_note_words_insert AFTER INSERT ON contacts WHEN new.notes <> '' BEGIN
    INSERT INTO contact_note_words (rowid, text) VALUES (new.id, new.notes);
END;
CREATE TRIGGER contacts_note_words_update AFTER UPDATE OF notes ON contacts
WHEN old.notes <> new.notes BEGIN
    DELETE FROM contact_note_words WHERE rowid = old.id;
    INSERT INTO contact_note_words (rowid, text) SELECT new.id, new.notes WHERE new.notes <> '';
END;
CREATE TRIGGER contacts_note_words_delete AFTER DELETE ON contacts WHEN old.notes <> '' BEGIN
    DELETE FROM contact_note_words WHERE rowid = old.id;
END;
-- People are found by all of their organizations, not only by the main one.
DELETE FROM contact_words WHERE rowid IN (SELECT contact FROM memberships);
INSERT INTO contact_words (rowid, name, organization, numbers, reversed)
    SELECT c.id,
        c.name || ' ' || coalesce(c.email, '') || ' ' || coalesce((SELECT
            group_concat(n.address, ' ') FROM contact_numbers n WHERE n.contact = c.id), ''),
        coalesce(o.name, '') || coalesce((SELECT ' ' || group_concat(f.name, ' ')
            FROM memberships m JOIN organizations f ON f.id = m.organization WHERE m.contact = c.id), ''),
        coalesce((SELECT group_concat(coalesce(substr(n.e164, 2), '') || ' '
            || coalesce(n.digits || ' ' || ltrim(n.digits, '0'), ''), ' ') FROM contact_numbers n WHERE n.contact = c.id), ''),
        coalesce((SELECT group_concat(n.reversed, ' ')
            FROM contact_numbers n WHERE n.contact = c.id), '')
    FROM contacts c LEFT JOIN organizations o ON o.id = c.organization
    WHERE c.id IN (SELECT contact FROM memberships);
";

/// What the index holds of each contact; conditions follow.
const WORDS: &str = "
INSERT INTO contact_words (rowid, name, organization, numbers, reversed)
    SELECT c.id,
        c.name || ' ' || coalesce(c.email, '') || ' ' || coalesce((SELECT
            group_concat(n.address, ' ') FROM contact_numbers n WHERE n.contact = c.id), ''),
        coalesce(o.name, '') || coalesce((SELECT ' ' || group_concat(f.name, ' ')
            FROM memberships m JOIN organizations f ON f.id = m.organization WHERE m.contact = c.id), ''),
        coalesce((SELECT group_concat(coalesce(substr(n.e164, 2), '') || ' '
            || coalesce(n.digits || ' ' || ltrim(n.digits, '0'), ''), ' ') FROM contact_numbers n WHERE n.contact = c.id), ''),
        coalesce((SELECT group_concat(n.reversed, ' ')
            FROM contact_numbers n WHERE n.contact = c.id), '')
    FROM contacts c LEFT JOIN organizations o ON o.id = c.organization
";

/// The people of an organization: the main one of some, a further one of others.
const PEOPLE: &str = "SELECT id FROM contacts WHERE organization = ?1
    UNION SELECT contact FROM memberships WHERE organization = ?1";

/// What [`read`] reads.
pub(super) const FIELDS: &str =
    "c.id, c.name, c.organization, o.name, c.role, c.email, c.notes, c.stage";

pub(super) const COLUMNS: &str =
    "c.id, c.name, c.organization, o.name, c.role, c.email, c.notes, c.stage
    FROM contacts c LEFT JOIN organizations o ON o.id = c.organization";

/// Reads one contact.
pub(crate) fn one(connection: &Connection, id: ContactId) -> rusqlite::Result<Option<ContactRow>> {
    let found = connection
        .prepare_cached(&format!("SELECT {COLUMNS} WHERE c.id = ?1"))?
        .query_row([id.0], read)
        .optional()?;
    Ok(whole(connection, found.into_iter().collect())?.pop())
}

/// Inserts (id 0) or changes a contact, then links earlier calls; gives its id and what became of them.
/// An organization that is only named is found or made by its name.
pub(crate) fn save(
    transaction: &Transaction<'_>,
    row: &ContactRow,
    numbering: &Numbering,
) -> Result<(ContactId, Relinking), WriteError> {
    let is_new = row.id.0 == 0;
    if !is_new && !exists(transaction, row.id)? {
        return Err(WriteError::Missing("contact"));
    }
    let owner = Owner::Contact(row.id);
    let known = contact_numbers::of(transaction, owner)?;
    let before = contact_numbers::keys_of(&known, &numbering.region());
    let (id, keys) = put(transaction, row, numbering)?;
    let subject = Subject::Contact(id);
    let relinking = link_again::follow(transaction, subject, is_new, before, &keys, numbering)?;
    Ok((id, relinking))
}

/// A contact on its way into the store, with others.
pub(crate) struct NewContact<'a> {
    pub(crate) id: ContactId,
    pub(crate) row: &'a ContactRow,
    /// The name for sorting.
    pub(crate) folded: &'a str,
    pub(crate) organization: Option<OrganizationId>,
    /// Those of the row's numbers, in their order.
    pub(crate) keys: &'a [NumberKeys],
}

/// Inserts contacts under ids from [`next_id`] on; after a failure the transaction is to be given up. Their words
/// are not indexed yet, and no call is linked.
pub(crate) fn insert_all(
    transaction: &Transaction<'_>,
    contacts: &[NewContact<'_>],
) -> rusqlite::Result<()> {
    bulk::insert(
        transaction,
        "INSERT OR FAIL INTO contacts (id, name, folded, organization, role, email, notes, stage)",
        contacts,
        8,
        |values, new| {
            let name = new.row.name.trim();
            values.add(new.id.0)?;
            values.add(name)?;
            values.add(new.folded)?;
            values.add(new.organization.map(|id| id.0))?;
            values.add(filled(new.row.role.as_ref()))?;
            values.add(filled(new.row.email.as_ref()))?;
            values.add(&new.row.notes)?;
            values.add(new.row.stage.map(LeadStage::as_str))
        },
    )?;
    contact_numbers::insert_all(transaction, contacts)
}

/// The id of the next contact: no id is used again.
pub(crate) fn next_id(connection: &Connection) -> rusqlite::Result<ContactId> {
    connection
        .prepare_cached(
            "SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'contacts'",
        )?
        .query_row([], |row| row.get(0).map(ContactId))
}

/// Brings back a contact that was deleted, under its id.
pub(crate) fn bring_back(
    transaction: &Transaction<'_>,
    row: &ContactRow,
    numbering: &Numbering,
) -> rusqlite::Result<()> {
    // What is gone in the meantime is found by its name, or made again.
    let mut row = row.clone();
    row.organization = None;
    for membership in &mut row.memberships {
        membership.organization = None;
    }
    put(transaction, &row, numbering)?;
    Ok(())
}

/// Writes a contact's rows; gives its id and its keys.
fn put(
    transaction: &Transaction<'_>,
    row: &ContactRow,
    numbering: &Numbering,
) -> rusqlite::Result<(ContactId, Vec<NumberKeys>)> {
    let organization = match (row.organization, &row.organization_name) {
        (Some(id), _) => Some(id),
        (None, Some(name)) if !name.trim().is_empty() => {
            Some(organizations::named(transaction, name)?)
        }
        (None, _) => None,
    };
    put_row(transaction, row, organization)?;
    let id = if row.id.0 == 0 {
        ContactId(transaction.last_insert_rowid())
    } else {
        row.id
    };
    memberships::replace(transaction, id, &row.memberships)?;
    let owner = Owner::Contact(id);
    let keys = contact_numbers::replace(transaction, owner, &row.numbers, &numbering.region())?;
    index(transaction, id)?;
    Ok((id, keys))
}

fn put_row(
    transaction: &Transaction<'_>,
    row: &ContactRow,
    organization: Option<OrganizationId>,
) -> rusqlite::Result<()> {
    let name = row.name.trim();
    transaction
        .prepare_cached(
            "INSERT INTO contacts (id, name, folded, organization, role, email, notes, stage)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, folded = excluded.folded,
                organization = excluded.organization, role = excluded.role,
                email = excluded.email, notes = excluded.notes, stage = excluded.stage",
        )?
        .execute(params![
            (row.id.0 != 0).then_some(row.id.0),
            name,
            folded(name),
            organization.map(|id| id.0),
            filled(row.role.as_ref()),
            filled(row.email.as_ref()),
            row.notes,
            row.stage.map(LeadStage::as_str),
        ])?;
    Ok(())
}

/// Deletes a contact; its calls keep the name that they showed.
pub(crate) fn delete(transaction: &Transaction<'_>, id: ContactId) -> Result<(), WriteError> {
    let deleted = transaction
        .prepare_cached("DELETE FROM contacts WHERE id = ?1")?
        .execute([id.0])?;
    if deleted == 0 {
        return Err(WriteError::Missing("contact"));
    }
    transaction
        .prepare_cached("DELETE FROM contact_words WHERE rowid = ?1")?
        .execute([id.0])?;
    Ok(())
}

/// Reads a contact's and its organization's name.
pub(crate) fn names(
    connection: &Connection,
    id: ContactId,
) -> rusqlite::Result<Option<(String, Option<String>)>> {
    connection
        .prepare_cached(
            "SELECT c.name, o.name FROM contacts c
             LEFT JOIN organizations o ON o.id = c.organization WHERE c.id = ?1",
        )?
        .query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

/// Indexes the words of all contacts again.
pub(crate) fn index_all(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO contact_words (contact_words) VALUES ('delete-all')",
        [],
    )?;
    transaction.execute(WORDS, [])?;
    words_behind::forget(transaction)
}

/// Indexes the words of an organization's people again, after it was renamed.
pub(crate) fn index_organization(
    transaction: &Transaction<'_>,
    organization: OrganizationId,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(&format!(
            "DELETE FROM contact_words WHERE rowid IN ({PEOPLE})"
        ))?
        .execute([organization.0])?;
    transaction
        .prepare_cached(&format!("{WORDS} WHERE c.id IN ({PEOPLE})"))?
        .execute([organization.0])?;
    Ok(())
}

/// Reads the ids of an organization's people.
pub(crate) fn people(
    connection: &Connection,
    organization: OrganizationId,
) -> rusqlite::Result<Vec<ContactId>> {
    connection
        .prepare_cached(PEOPLE)?
        .query_map([organization.0], |row| row.get(0).map(ContactId))?
        .collect()
}

/// Finds contacts by what is noted on them, the newest ones.
pub(crate) fn by_notes(
    connection: &Connection,
    search: &str,
    limit: u32,
) -> rusqlite::Result<Vec<ContactRow>> {
    let words = word_index::CONTACT_NOTES.texts(connection, search)?;
    let found = connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} WHERE c.id IN (
                SELECT rowid FROM contact_note_words WHERE contact_note_words MATCH ?1
                ORDER BY rowid DESC LIMIT ?2)
             ORDER BY c.folded, c.id"
        ))?
        .query_map(params![words, limit], read)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    whole(connection, found)
}

/// Indexes the words of the contacts from one to another that are not in the index yet.
pub(crate) fn index_missing(
    transaction: &Transaction<'_>,
    first: ContactId,
    last: ContactId,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(&format!(
            "{WORDS} WHERE c.id BETWEEN ?1 AND ?2
             AND NOT EXISTS (SELECT 1 FROM contact_words_docsize known WHERE known.id = c.id)"
        ))?
        .execute([first.0, last.0])?;
    Ok(())
}

/// Whether a contact is in the index.
pub(crate) fn is_indexed(connection: &Connection, id: ContactId) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM contact_words_docsize WHERE id = ?1")?
        .exists([id.0])
}

/// Indexes what is noted on the contacts that are newer than one, as its trigger does.
pub(crate) fn index_notes_newer(
    transaction: &Transaction<'_>,
    than: ContactId,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO contact_note_words (rowid, text)
             SELECT id, notes FROM contacts WHERE id > ?1 AND notes <> ''",
        )?
        .execute([than.0])?;
    Ok(())
}

/// Reads the newest contact's id; 0 when there is none.
pub(crate) fn newest(connection: &Connection) -> rusqlite::Result<ContactId> {
    connection
        .prepare_cached("SELECT coalesce(max(id), 0) FROM contacts")?
        .query_row([], |row| row.get(0).map(ContactId))
}

/// Indexes the words of a contact again.
pub(crate) fn index(transaction: &Transaction<'_>, id: ContactId) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("DELETE FROM contact_words WHERE rowid = ?1")?
        .execute([id.0])?;
    transaction
        .prepare_cached(&format!("{WORDS} WHERE c.id = ?1"))?
        .execute([id.0])?;
    Ok(())
}

fn exists(transaction: &Transaction<'_>, id: ContactId) -> rusqlite::Result<bool> {
    transaction
        .prepare_cached("SELECT 1 FROM contacts WHERE id = ?1")?
        .exists([id.0])
}

fn filled(text: Option<&String>) -> Option<&str> {
    text.map(|text| text.trim()).filter(|text| !text.is_empty())
}

pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<ContactRow> {
    Ok(ContactRow {
        id: ContactId(row.get(0)?),
        name: row.get(1)?,
        organization: row.get::<_, Option<i64>>(2)?.map(OrganizationId),
        organization_name: row.get(3)?,
        role: row.get(4)?,
        email: row.get(5)?,
        notes: row.get(6)?,
        numbers: Vec::new(),
        stage: row
            .get::<_, Option<String>>(7)?
            .as_deref()
            .and_then(LeadStage::parse),
        memberships: Vec::new(),
    })
}

pub(super) fn read_sorted(row: &Row<'_>) -> rusqlite::Result<(ContactRow, String)> {
    Ok((read(row)?, row.get(8)?))
}

/// The statements of the lists, with the index that each must use.
/// Adds what other tables hold of contacts.
pub(super) fn whole(
    connection: &Connection,
    mut contacts: Vec<ContactRow>,
) -> rusqlite::Result<Vec<ContactRow>> {
    let ids: Vec<ContactId> = contacts.iter().map(|contact| contact.id).collect();
    let mut numbers = contact_numbers::of_contacts(connection, &ids)?;
    let mut memberships = memberships::of_contacts(connection, &ids)?;
    for contact in &mut contacts {
        contact.numbers = numbers.remove(&contact.id).unwrap_or_default();
        contact.memberships = memberships.remove(&contact.id).unwrap_or_default();
    }
    Ok(contacts)
}
