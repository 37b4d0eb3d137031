//! Contacts and leads as lists: by name, by stage, and as a search finds them.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::base::id::ContactId;
use crate::crm::contacts::{COLUMNS, FIELDS, read, read_sorted, whole};
use crate::crm::row::{ContactPage, ContactRow, LeadStage, NameCursor, PEOPLE_COUNTED};
use crate::crm::store::StoreError;
use crate::crm::{contact_numbers, row_counts, word_index, words_behind};

/// A page holds at most so many.
const PAGE_LIMIT: usize = 1000;

/// A search for leads looks at so many times more people than it finds.
const LOOKED_AT: u32 = 10;

/// Whom a list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listed {
    /// Contacts and leads.
    Everybody,
    /// Leads, those of one stage where it is named.
    Leads(Option<LeadStage>),
}

impl Listed {
    /// The condition, of `contacts c`; each has an index in the order of names.
    fn condition(self) -> String {
        match self {
            Self::Everybody => "true".to_owned(),
            Self::Leads(None) => "c.stage IS NOT NULL".to_owned(),
            // One of our own words.
            Self::Leads(Some(stage)) => format!("c.stage = '{}'", stage.as_str()),
        }
    }

    /// How many there are.
    fn count(self, connection: &Connection) -> rusqlite::Result<i64> {
        match self {
            Self::Everybody => row_counts::of(connection, "contacts"),
            Self::Leads(None) => row_counts::of(connection, "leads"),
            Self::Leads(Some(_)) => connection
                .prepare_cached(&format!(
                    "SELECT count(*) FROM contacts c INDEXED BY contacts_by_stage WHERE {}",
                    self.condition()
                ))?
                .query_row([], |row| row.get(0)),
        }
    }
}

/// Reads a page of people by name; a search counts and reads at most [`PEOPLE_COUNTED`].
pub(crate) fn page(
    connection: &Connection,
    listed: Listed,
    search: &str,
    after: Option<&NameCursor>,
    limit: usize,
) -> Result<ContactPage, StoreError> {
    let limit = limit.clamp(1, PAGE_LIMIT);
    // No name sorts before the empty one, and no id is below 1.
    let (name, id) = after.map_or(("", 0), |after| (after.folded.as_str(), after.id));
    let wanted = i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX);
    let (mut found, total) = match word_index::CONTACTS.names(connection, search)? {
        None => {
            let found = connection
                .prepare_cached(&by_name(listed))?
                .query_map(params![name, id, wanted], read_sorted)?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            (found, listed.count(connection)?)
        }
        Some(words) => {
            let all = matches(connection, listed, search, &words)?;
            let total = i64::try_from(all.len()).unwrap_or(i64::MAX);
            let beyond = all
                .into_iter()
                .filter(|(folded, found)| (folded.as_str(), *found) > (name, id));
            let mut query = connection.prepare_cached(&format!(
                "SELECT {FIELDS}, c.folded FROM contacts c
                 LEFT JOIN organizations o ON o.id = c.organization WHERE c.id = ?1"
            ))?;
            let found = beyond
                .take(limit.saturating_add(1))
                .map(|(_, id)| query.query_row([id], read_sorted))
                .collect::<rusqlite::Result<Vec<_>>>()?;
            (found, total)
        }
    };
    let more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| more);
    let next = last.map(|(contact, folded)| NameCursor {
        folded: folded.clone(),
        id: contact.id.0,
    });
    let found = found.into_iter().map(|(contact, _)| contact).collect();
    Ok(ContactPage {
        rows: whole(connection, found)?,
        next,
        total: u64::try_from(total).unwrap_or_default(),
    })
}

/// The people of a list that a search finds, at most [`PEOPLE_COUNTED`], in the order in which they are sorted.
fn matches(
    connection: &Connection,
    listed: Listed,
    search: &str,
    words: &str,
) -> rusqlite::Result<Vec<(String, i64)>> {
    let all = listed.condition();
    let most = usize::try_from(PEOPLE_COUNTED).unwrap_or(usize::MAX);
    let behind = words_behind::found(connection, search, ContactId(0), most)?;
    // Among all people of a name few are leads.
    let looked_at = match listed {
        Listed::Everybody => PEOPLE_COUNTED,
        Listed::Leads(_) => PEOPLE_COUNTED * LOOKED_AT,
    };
    let mut found = connection
        .prepare_cached(&format!(
            "SELECT c.folded, c.id FROM contacts c WHERE {all} AND c.id IN
                (SELECT rowid FROM contact_words WHERE contact_words MATCH ?1 LIMIT ?2)"
        ))?
        .query_map(params![words, looked_at], sorted)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    if !behind.is_empty() {
        let behind: Vec<ContactId> = behind.into_iter().map(ContactId).collect();
        let mut query = connection.prepare_cached(&format!(
            "SELECT c.folded, c.id FROM contacts c
             WHERE {all} AND c.id IN (SELECT value FROM json_each(?1))"
        ))?;
        for row in query.query_map([contact_numbers::list_of(&behind)], sorted)? {
            found.push(row?);
        }
    }
    found.sort_unstable();
    found.dedup();
    found.truncate(most);
    Ok(found)
}

fn sorted(row: &Row<'_>) -> rusqlite::Result<(String, i64)> {
    Ok((row.get(0)?, row.get(1)?))
}

/// A page of a list without a search, straight from the index of its order.
fn by_name(listed: Listed) -> String {
    let index = match listed {
        Listed::Everybody => "contacts_by_name",
        Listed::Leads(None) => "contacts_that_are_leads",
        Listed::Leads(Some(_)) => "contacts_by_stage",
    };
    format!(
        "SELECT {FIELDS}, c.folded FROM contacts c INDEXED BY {index}
         LEFT JOIN organizations o ON o.id = c.organization
         WHERE {} AND (c.folded, c.id) > (?1, ?2) ORDER BY c.folded, c.id LIMIT ?3",
        listed.condition()
    )
}

/// Where the page after a contact begins; none where there is no such contact.
pub(crate) fn cursor(
    connection: &Connection,
    id: ContactId,
) -> rusqlite::Result<Option<NameCursor>> {
    connection
        .prepare_cached("SELECT folded FROM contacts WHERE id = ?1")?
        .query_row([id.0], |row| {
            Ok(NameCursor {
                folded: row.get(0)?,
                id: id.0,
            })
        })
        .optional()
}

/// Reads contacts and leads, or leads only, that a search finds, all without one, by age and after one of
/// them; a search is not bounded.
pub(crate) fn after(
    connection: &Connection,
    leads_only: bool,
    search: &str,
    after: Option<ContactId>,
    limit: usize,
) -> rusqlite::Result<Vec<ContactRow>> {
    let after = after.map_or(0, |id| id.0);
    let limit = i64::try_from(limit.min(PAGE_LIMIT)).unwrap_or(i64::MAX);
    let all = if leads_only {
        "c.stage IS NOT NULL"
    } else {
        "true"
    };
    let found = match word_index::CONTACTS.names(connection, search)? {
        None => connection
            .prepare_cached(&format!(
                "SELECT {COLUMNS} WHERE {all} AND c.id > ?1 ORDER BY c.id LIMIT ?2"
            ))?
            .query_map([after, limit], read)?
            .collect::<rusqlite::Result<Vec<_>>>()?,
        Some(words) => {
            let behind = words_behind::found(connection, search, ContactId(after), usize::MAX)?;
            let behind: Vec<ContactId> = behind.into_iter().map(ContactId).collect();
            connection
                .prepare_cached(&format!(
                    "SELECT {COLUMNS} WHERE c.id IN (SELECT w.rowid FROM contact_words w
                        CROSS JOIN contacts c ON c.id = w.rowid
                        WHERE w.contact_words MATCH ?1 AND w.rowid > ?2 AND {all}
                        ORDER BY w.rowid LIMIT ?3)
                     OR c.id IN (SELECT c.id FROM contacts c
                        WHERE {all} AND c.id IN (SELECT value FROM json_each(?4)))
                     ORDER BY c.id LIMIT ?3"
                ))?
                .query_map(
                    params![words, after, limit, contact_numbers::list_of(&behind)],
                    read,
                )?
                .collect::<rusqlite::Result<Vec<_>>>()?
        }
    };
    whole(connection, found)
}

#[cfg(test)]
pub(crate) fn queries_for_plan() -> [(String, &'static str); 3] {
    [
        (by_name(Listed::Everybody), "contacts_by_name"),
        (by_name(Listed::Leads(None)), "contacts_that_are_leads"),
        (
            by_name(Listed::Leads(Some(LeadStage::New))),
            "contacts_by_stage",
        ),
    ]
}
