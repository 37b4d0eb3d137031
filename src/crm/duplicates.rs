//! Contacts that may be one person: the same number, e-mail address, or name and organization.
//!
//! The contacts are gone through by age, a bounded stretch for each page, so that no page holds the
//! database for long whatever is in it.

use rusqlite::{Connection, params};

use crate::base::id::ContactId;
use crate::crm::exchange_row::{Duplicate, DuplicatePage};
use crate::crm::row::ContactRow;
use crate::crm::same_person::{Words, with_email, with_number};
use crate::crm::search::folded;
use crate::crm::store::StoreError;
use crate::crm::{contact_numbers, contacts, different_people};

/// So many contacts are looked at for one page: below a second on any disk.
const STRETCH: i64 = 10_000;

/// A page holds at most so many pairs.
const PAGE_LIMIT: usize = 1000;

/// So many of one name are compared.
const NAMESAKES: i64 = 20;

/// Reads a page of pairs, after the contact where the last one ended.
pub(crate) fn page(
    connection: &Connection,
    after: Option<ContactId>,
    limit: usize,
    region: &str,
) -> Result<DuplicatePage, StoreError> {
    let limit = limit.clamp(1, PAGE_LIMIT);
    let newest = contacts::newest(connection)?;
    let begin = after.map_or(0, |id| id.0);
    let end = begin.saturating_add(STRETCH);
    let mut page = DuplicatePage::default();
    // Most have no double: those are left out without being read.
    let mut candidates = connection.prepare_cached(
        "SELECT c.id FROM contacts c WHERE c.id > ?1 AND c.id <= ?2 AND (
            EXISTS (SELECT 1 FROM contact_numbers n JOIN contact_numbers m ON m.e164 = n.e164
                WHERE n.contact = c.id AND m.contact > c.id)
            OR EXISTS (SELECT 1 FROM contact_numbers n JOIN contact_numbers m ON m.digits = n.digits
                WHERE n.contact = c.id AND n.e164 IS NULL AND m.e164 IS NULL AND m.contact > c.id)
            OR EXISTS (SELECT 1 FROM contact_numbers n JOIN contact_numbers m ON m.address = n.address
                WHERE n.contact = c.id AND m.contact > c.id)
            OR EXISTS (SELECT 1 FROM contacts d WHERE d.folded = c.folded AND d.id > c.id)
            OR (c.email IS NOT NULL AND EXISTS (SELECT 1 FROM contacts d
                WHERE lower(d.email) = lower(c.email) AND d.email IS NOT NULL AND d.id > c.id)))
         ORDER BY c.id",
    )?;
    let mut rows = candidates.query([begin, end])?;
    while let Some(row) = rows.next()? {
        let id = ContactId(row.get(0)?);
        let Some(contact) = contacts::one(connection, id)? else {
            continue;
        };
        page.pairs
            .extend(doubles(connection, &contact, newest, region)?);
        if page.pairs.len() >= limit {
            page.next = (id < newest).then_some(id);
            return Ok(page);
        }
    }
    page.next = (end < newest.0).then_some(ContactId(end));
    Ok(page)
}

/// The newer contacts that may be the same person as this one.
fn doubles(
    connection: &Connection,
    contact: &ContactRow,
    newest: ContactId,
    region: &str,
) -> Result<Vec<Duplicate>, StoreError> {
    let mut found: Vec<Duplicate> = Vec::new();
    let words = Words::of(&contact.name);
    let mut add = |(id, name): (ContactId, String), score: u8, reason: String| {
        if id <= contact.id {
            return;
        }
        let pair = match found.iter_mut().find(|pair| pair.second == id) {
            Some(pair) => pair,
            None => {
                found.push(Duplicate {
                    first: contact.id,
                    first_name: contact.name.clone(),
                    second: id,
                    // A line that a family or a company shares says less.
                    score: if words.agree(&Words::of(&name)) {
                        30
                    } else {
                        0
                    },
                    second_name: name,
                    reasons: Vec::new(),
                });
                let last = found.len().saturating_sub(1);
                let Some(pair) = found.get_mut(last) else {
                    return;
                };
                pair
            }
        };
        if !pair.reasons.contains(&reason) {
            pair.score = pair.score.saturating_add(score).min(100);
            pair.reasons.push(reason);
        }
    };
    for (number, keys) in contact
        .numbers
        .iter()
        .zip(contact_numbers::keys_of(&contact.numbers, region))
    {
        for other in with_number(connection, &keys, newest)? {
            add(other, 40, format!("same number {}", number.raw));
        }
    }
    if let Some(email) = &contact.email {
        for other in with_email(connection, email, newest)? {
            add(other, 40, format!("same e-mail address {email}"));
        }
    }
    let mut namesakes = connection.prepare_cached(
        "SELECT c.id, c.name, o.folded FROM contacts c
         LEFT JOIN organizations o ON o.id = c.organization
         WHERE c.folded = ?1 AND c.id > ?2 ORDER BY c.id LIMIT ?3",
    )?;
    let organization = contact.organization_name.as_deref().map(folded);
    let mut rows = namesakes.query(params![folded(&contact.name), contact.id.0, NAMESAKES])?;
    while let Some(row) = rows.next()? {
        let theirs: Option<String> = row.get(2)?;
        let other = (ContactId(row.get(0)?), row.get(1)?);
        match (&organization, theirs) {
            (Some(own), Some(theirs)) if *own == theirs => {
                add(other, 40, "same name and organization".to_owned());
            }
            // Two of one name in two organizations are two people, as a rule.
            (Some(_), Some(_)) => {}
            (None, None) => add(other, 30, "same name".to_owned()),
            (Some(_), None) | (None, Some(_)) => {
                add(
                    other,
                    20,
                    "same name, one without an organization".to_owned(),
                );
            }
        }
    }
    let mut doubles = Vec::with_capacity(found.len());
    for pair in found {
        if !different_people::are(connection, pair.first, pair.second)? {
            doubles.push(pair);
        }
    }
    Ok(doubles)
}
