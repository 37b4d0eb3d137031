//! Organizations.

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use crate::base::id::OrganizationId;
use crate::crm::contact_numbers::{self, Owner};
use crate::crm::link_again::Relinking;
use crate::crm::number_key::{NumberKeys, Numbering};
use crate::crm::row::{NameCursor, OrganizationPage, OrganizationRow, PEOPLE_COUNTED, Subject};
use crate::crm::search::folded;
use crate::crm::writer::WriteError;
use crate::crm::{contacts, link_again, word_index};

/// A page holds at most so many.
const PAGE_LIMIT: usize = 1_000;

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

/// Fills in the words of the organizations behind it.
macro_rules! index_words {
    () => {
        "INSERT INTO organization_words (rowid, name, organization, numbers, reversed)
    SELECT o.id, o.name || coalesce((SELECT ' ' || group_concat(n.address, ' ')
            FROM organization_numbers n WHERE n.organization = o.id), ''), '',
        coalesce((SELECT group_concat(coalesce(substr(n.e164, 2), '') || ' '
            || coalesce(n.digits || ' ' || ltrim(n.digits, '0'), ''), ' ')
            FROM organization_numbers n WHERE n.organization = o.id), ''),
        coalesce((SELECT group_concat(n.reversed, ' ')
            FROM organization_numbers n WHERE n.organization = o.id), '')
    FROM organizations o"
    };
}

pub(crate) const CREATE_WORDS: &str = concat!(
    "
-- Organizations are found as people are: by the beginnings of the words of their names, and by their own
-- numbers. The columns are those of contact_words, which one query asks for; `organization` is empty.
-- Contentless, and kept true by triggers, whoever writes a row.
CREATE VIRTUAL TABLE organization_words USING fts5 (
    name, organization, numbers, reversed,
    content = '', contentless_delete = 1,
    tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3 4 5 6 7'
);
",
    index_words!(),
    ";
CREATE TRIGGER organizations_words_insert AFTER INSERT ON organizations BEGIN
    DELETE FROM organization_words WHERE rowid = new.id;
    ",
    index_words!(),
    "
    WHERE o.id = new.id;
END;
CREATE TRIGGER organizations_words_update AFTER UPDATE OF name ON organizations BEGIN
    DELETE FROM organization_words WHERE rowid = new.id;
    ",
    index_words!(),
    "
    WHERE o.id = new.id;
END;
CREATE TRIGGER organizations_words_delete AFTER DELETE ON organizations BEGIN
    DELETE FROM organization_words WHERE rowid = old.id;
END;
CREATE TRIGGER organization_numbers_insert AFTER INSERT ON organization_numbers BEGIN
    DELETE FROM organization_words WHERE rowid = new.organization;
    ",
    index_words!(),
    "
    WHERE o.id = new.organization;
END;
CREATE TRIGGER organization_numbers_update AFTER UPDATE OF e164, digits, reversed, address ON organization_numbers BEGIN
    DELETE FROM organization_words WHERE rowid = new.organization;
    ",
    index_words!(),
    "
    WHERE o.id = new.organization;
END;
CREATE TRIGGER organization_numbers_delete AFTER DELETE ON organization_numbers BEGIN
    DELETE FROM organization_words WHERE rowid = old.organization;
    ",
    index_words!(),
    "
    WHERE o.id = old.organization;
END;
"
);

const COLUMNS: &str = "o.id, o.name,
    (SELECT count(*) FROM (SELECT id FROM contacts WHERE organization = o.id
        UNION SELECT contact FROM memberships WHERE organization = o.id)), o.folded
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
        .map(|(organization, _)| with_numbers(connection, organization))
        .transpose()
}

/// Reads a page of organizations by name; a search by the beginnings of words or by numbers reads at most
/// [`PEOPLE_COUNTED`].
pub(crate) fn page(
    connection: &Connection,
    search: &str,
    after: Option<&NameCursor>,
    limit: usize,
) -> rusqlite::Result<OrganizationPage> {
    let limit = limit.clamp(1, PAGE_LIMIT);
    let (name, id) = after.map_or(("", 0), |after| (after.folded.as_str(), after.id));
    let wanted = i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX);
    let mut found = match word_index::ORGANIZATIONS.names(connection, search)? {
        None => connection
            .prepare_cached(&by_name())?
            .query_map(params![name, id, wanted], read)?
            .collect::<rusqlite::Result<Vec<_>>>()?,
        Some(words) => connection
            .prepare_cached(&format!(
                "SELECT {COLUMNS} WHERE o.id IN (SELECT rowid FROM organization_words
                    WHERE organization_words MATCH ?1 LIMIT {PEOPLE_COUNTED})
                 AND (o.folded, o.id) > (?2, ?3) ORDER BY o.folded, o.id LIMIT ?4"
            ))?
            .query_map(params![words, name, id, wanted], read)?
            .collect::<rusqlite::Result<Vec<_>>>()?,
    };
    let more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| more);
    let next = last.map(|(organization, folded)| NameCursor {
        folded: folded.clone(),
        id: organization.id.0,
    });
    let rows = found
        .into_iter()
        .map(|(organization, _)| with_numbers(connection, organization))
        .collect::<rusqlite::Result<_>>()?;
    Ok(OrganizationPage { rows, next })
}

/// A page of all organizations, straight from the index of its order.
fn by_name() -> String {
    format!(
        "SELECT {COLUMNS} INDEXED BY organizations_by_name WHERE (o.folded, o.id) > (?1, ?2)
         ORDER BY o.folded, o.id LIMIT ?3"
    )
}

/// Where the page after an organization begins; none where there is no such organization.
pub(crate) fn cursor(
    connection: &Connection,
    id: OrganizationId,
) -> rusqlite::Result<Option<NameCursor>> {
    connection
        .prepare_cached("SELECT folded FROM organizations WHERE id = ?1")?
        .query_row([id.0], |row| {
            Ok(NameCursor {
                folded: row.get(0)?,
                id: id.0,
            })
        })
        .optional()
}

/// The statement of the list, with the index that it must use.
#[cfg(test)]
pub(crate) fn query_for_plan() -> (String, &'static str) {
    (by_name(), "organizations_by_name")
}

/// Reads a row of [`COLUMNS`], with the name as it is sorted.
fn read(row: &Row<'_>) -> rusqlite::Result<(OrganizationRow, String)> {
    let organization = OrganizationRow {
        id: OrganizationId(row.get(0)?),
        name: row.get(1)?,
        contacts: row.get(2)?,
        numbers: Vec::new(),
    };
    Ok((organization, row.get(3)?))
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
    let before = contact_numbers::keys_of(&known, &numbering.region());
    let mut numbers = row.numbers.clone();
    if is_new {
        numbers.retain(|new| {
            let keys = numbering.keys(&new.raw);
            let same =
                |known: &NumberKeys| known.key() == keys.key() && known.extension == keys.extension;
            !before.iter().any(same)
        });
        numbers.splice(..0, known);
    } else {
        let name = row.name.trim();
        must_be_free(transaction, id, name)?;
        let changed = transaction
            .prepare_cached("UPDATE organizations SET name = ?2, folded = ?3 WHERE id = ?1")?
            .execute(params![id.0, name, folded(name)])?;
        if changed == 0 {
            return Err(WriteError::Missing("organization"));
        }
        contacts::index_organization(transaction, id)?;
    }
    let keys = contact_numbers::replace(transaction, owner, &numbers, &numbering.region())?;
    let subject = Subject::Organization(id);
    let relinking = link_again::follow(transaction, subject, is_new, before, &keys, numbering)?;
    Ok((id, relinking))
}

/// Refuses a new name that another one has: who is found by it would be either of the two.
fn must_be_free(
    transaction: &Transaction<'_>,
    id: OrganizationId,
    name: &str,
) -> Result<(), WriteError> {
    let other: Option<(i64, String)> = transaction
        .prepare_cached(
            "SELECT id, name FROM organizations WHERE folded = ?2 AND id <> ?1
             AND NOT EXISTS (SELECT 1 FROM organizations WHERE id = ?1 AND folded = ?2)
             ORDER BY id LIMIT 1",
        )?
        .query_row(params![id.0, folded(name)], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    match other {
        Some((other, name)) => Err(WriteError::Refused(format!(
            "organization {other} is named “{name}” already"
        ))),
        None => Ok(()),
    }
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
    contact_numbers::replace(transaction, owner, &row.numbers, &numbering.region())?;
    Ok(())
}

/// Deletes one; its people stay, and its calls keep the name that they showed.
pub(crate) fn delete(transaction: &Transaction<'_>, id: OrganizationId) -> Result<(), WriteError> {
    let people = contacts::people(transaction, id)?;
    let deleted = transaction
        .prepare_cached("DELETE FROM organizations WHERE id = ?1")?
        .execute([id.0])?;
    if deleted == 0 {
        return Err(WriteError::Missing("organization"));
    }
    for person in people {
        contacts::index(transaction, person)?;
    }
    Ok(())
}

/// Finds the organization of a name, or inserts it.
pub(crate) fn named(transaction: &Transaction<'_>, name: &str) -> rusqlite::Result<OrganizationId> {
    found_or_inserted(transaction, name).map(|(id, _)| id)
}

/// Finds the organization of a name, or inserts it; gives the name that it has, too.
pub(crate) fn found_or_inserted(
    transaction: &Transaction<'_>,
    name: &str,
) -> rusqlite::Result<(OrganizationId, String)> {
    let name = name.trim();
    let found = transaction
        .prepare_cached("SELECT id, name FROM organizations WHERE folded = ?1 ORDER BY id LIMIT 1")?
        .query_row([folded(name)], |row| {
            Ok((OrganizationId(row.get(0)?), row.get(1)?))
        })
        .optional()?;
    if let Some(found) = found {
        return Ok(found);
    }
    transaction
        .prepare_cached("INSERT INTO organizations (name, folded) VALUES (?1, ?2)")?
        .execute([name, &folded(name)])?;
    let id = OrganizationId(transaction.last_insert_rowid());
    Ok((id, name.to_owned()))
}

/// Indexes the words of the organizations that are newer than one, as their trigger does.
pub(crate) fn index_newer(
    transaction: &Transaction<'_>,
    than: OrganizationId,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(concat!(index_words!(), " WHERE o.id > ?1"))?
        .execute([than.0])?;
    Ok(())
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
