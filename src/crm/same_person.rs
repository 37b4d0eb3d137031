//! Whether two entries are one person: by what both have, and by what their names say.

use rusqlite::{Connection, params};

use crate::base::id::ContactId;
use crate::crm::number_key::NumberKeys;
use crate::crm::row::ContactRow;
use crate::crm::search::folded;
use crate::crm::{bulk, contact_uids};

/// A number or address that more contacts than that share says nothing about whose it is.
const SHARED: usize = 20;

/// Who of those in the store an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Known {
    /// This one, for this reason.
    Same(ContactId, &'static str),
    /// Nobody, though this one has a number or an e-mail address of it under another name.
    Shares(ContactId),
    /// Nobody.
    Nobody,
}

/// An entry: its UID, what it says, and the keys of its numbers.
pub(crate) type Entry<'a> = (Option<&'a str>, &'a ContactRow, &'a [NumberKeys]);

/// Says for each entry whether a contact may be it, or shares something with it: [`find`] finds nobody for the
/// others. UIDs are asked for where anybody has one who counts.
pub(crate) fn perhaps_known(
    connection: &Connection,
    entries: &[Entry<'_>],
    any_uids: bool,
) -> rusqlite::Result<Vec<bool>> {
    // Of whom nothing but a name is known may be anybody of that name.
    let mut marks: Vec<bool> = entries
        .iter()
        .map(|(uid, row, keys)| keys.is_empty() && row.email.is_none() && uid.is_none())
        .collect();
    let uids = entries.iter().zip(0..);
    let uids = uids.filter_map(|((uid, ..), place)| Some(((*uid).filter(|_| any_uids)?, place)));
    let condition = "EXISTS (SELECT 1 FROM contact_uids WHERE uid = asked.text)";
    bulk::mark(connection, condition, uids, &mut marks)?;
    for (column, of) in KEYS {
        let numbers = entries.iter().zip(0..).flat_map(|((.., keys), place)| {
            let keys = keys.iter().filter_map(|keys| of(keys));
            keys.map(move |key| (key.as_str(), place))
        });
        let condition =
            format!("EXISTS (SELECT 1 FROM contact_numbers WHERE {column} = asked.text)");
        bulk::mark(connection, &condition, numbers, &mut marks)?;
    }
    let emails: Vec<(String, usize)> = (entries.iter().zip(0..))
        .filter_map(|((_, row, _), place)| Some((row.email.as_ref()?.to_ascii_lowercase(), place)))
        .collect();
    let emails = emails.iter().map(|(email, place)| (email.as_str(), *place));
    let condition = "EXISTS (SELECT 1 FROM contacts
        WHERE lower(email) = asked.text AND email IS NOT NULL)";
    bulk::mark(connection, condition, emails, &mut marks)?;
    Ok(marks)
}

/// The one key that a number is compared by, in the column that has it.
type Key = fn(&NumberKeys) -> Option<&String>;
const KEYS: [(&str, Key); 3] = [
    ("e164", |keys| keys.e164.as_ref()),
    ("digits", |keys| {
        keys.digits.as_ref().filter(|_| keys.e164.is_none())
    }),
    ("address", |keys| {
        let number = keys.e164.is_some() || keys.digits.is_some();
        keys.address.as_ref().filter(|_| !number)
    }),
];

/// Finds the contact that an entry describes among those up to `newest`.
pub(crate) fn find(
    connection: &Connection,
    uid: Option<&str>,
    row: &ContactRow,
    keys: &[NumberKeys],
    newest: ContactId,
) -> rusqlite::Result<Known> {
    if let Some(uid) = uid
        && let Some(owner) = contact_uids::owner(connection, uid)?
        && owner <= newest
    {
        return Ok(Known::Same(owner, "the same UID"));
    }
    let mut shares = None;
    let name = Words::of(&row.name);
    let mut agreeing = |found: Vec<(ContactId, String)>| {
        for (contact, theirs) in found {
            if name.agree(&Words::of(&theirs)) {
                return Some(contact);
            }
            shares.get_or_insert(contact);
        }
        None
    };
    for number in keys {
        if let Some(contact) = agreeing(with_number(connection, number, newest)?) {
            return Ok(Known::Same(contact, "the same number"));
        }
    }
    if let Some(email) = &row.email
        && let Some(contact) = agreeing(with_email(connection, email, newest)?)
    {
        return Ok(Known::Same(contact, "the same e-mail address"));
    }
    // Of whom nothing but a name is known, the name must do.
    if keys.is_empty() && row.email.is_none() && uid.is_none() {
        let found = with_name(connection, row, newest)?;
        if let Some(contact) = found {
            return Ok(Known::Same(contact, "the same name"));
        }
    }
    Ok(shares.map_or(Known::Nobody, Known::Shares))
}

/// The contacts that have a number, with their names.
pub(crate) fn with_number(
    connection: &Connection,
    keys: &NumberKeys,
    newest: ContactId,
) -> rusqlite::Result<Vec<(ContactId, String)>> {
    let (column, key) = match (&keys.e164, &keys.digits, &keys.address) {
        (Some(e164), _, _) => ("e164", e164),
        (None, Some(digits), _) => ("e164 IS NULL AND n.digits", digits),
        (None, None, Some(address)) => ("address", address),
        (None, None, None) => return Ok(Vec::new()),
    };
    let mut query = connection.prepare_cached(&format!(
        "SELECT DISTINCT c.id, c.name FROM contact_numbers n JOIN contacts c ON c.id = n.contact
         WHERE n.{column} = ?1 AND n.contact <= ?2 ORDER BY c.id LIMIT {SHARED}"
    ))?;
    let rows = query.query_map(params![key, newest.0], |row| {
        Ok((ContactId(row.get(0)?), row.get(1)?))
    })?;
    rows.collect()
}

/// The contacts that have an e-mail address, with their names.
pub(crate) fn with_email(
    connection: &Connection,
    email: &str,
    newest: ContactId,
) -> rusqlite::Result<Vec<(ContactId, String)>> {
    let mut query = connection.prepare_cached(&format!(
        "SELECT id, name FROM contacts
         WHERE lower(email) = lower(?1) AND email IS NOT NULL AND id <= ?2 ORDER BY id LIMIT {SHARED}"
    ))?;
    let rows = query.query_map(params![email, newest.0], |row| {
        Ok((ContactId(row.get(0)?), row.get(1)?))
    })?;
    rows.collect()
}

/// The contact of this name in this organization.
fn with_name(
    connection: &Connection,
    row: &ContactRow,
    newest: ContactId,
) -> rusqlite::Result<Option<ContactId>> {
    let mut query = connection.prepare_cached(&format!(
        "SELECT c.id, o.folded FROM contacts c LEFT JOIN organizations o ON o.id = c.organization
         WHERE c.folded = ?1 AND c.id <= ?2 ORDER BY c.id LIMIT {SHARED}"
    ))?;
    let organization = row.organization_name.as_deref().map(folded);
    let mut rows = query.query(params![folded(&row.name), newest.0])?;
    while let Some(found) = rows.next()? {
        if found.get::<_, Option<String>>(1)? == organization {
            return Ok(Some(ContactId(found.get(0)?)));
        }
    }
    Ok(None)
}

/// A name's words without case, marks and order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words(Vec<String>);

impl Words {
    /// Takes a name apart; what is only a number or an address is no name.
    pub(crate) fn of(name: &str) -> Self {
        let is_name = name.chars().any(char::is_alphabetic) && !name.contains('@');
        let mut words: Vec<String> = folded(if is_name { name } else { "" })
            .split(|character: char| !character.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect();
        words.sort();
        words.dedup();
        Self(words)
    }

    /// Whether both may be one person's: all words of the shorter are in the longer, an initial stands
    /// for a word, and no name says nothing.
    pub(crate) fn agree(&self, other: &Self) -> bool {
        let (few, many) = if self.0.len() <= other.0.len() {
            (&self.0, &other.0)
        } else {
            (&other.0, &self.0)
        };
        few.iter().all(|word| {
            many.iter().any(|other| {
                let initial = word.chars().count() == 1 || other.chars().count() == 1;
                word == other
                    || (initial
                        && (word.starts_with(other.as_str()) || other.starts_with(word.as_str())))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_agree_when_they_may_be_one_persons() {
        for (left, right, agree) in [
            ("Anna Muster", "Muster, Anna", true),
            ("Anna Muster", "anna  MUSTER", true),
            ("Jürgen Müller", "Jurgen Muller", true),
            ("A. Muster", "Anna Muster", true),
            ("Anna", "Anna Muster", true),
            ("Anna Muster", "Bert Muster", false),
            ("Anna Muster", "Anna Beispiel", false),
            ("+49 30 1", "Anna", true),
            ("anna@example.com", "Bert", true),
            ("", "Anna", true),
        ] {
            assert_eq!(
                Words::of(left).agree(&Words::of(right)),
                agree,
                "{left} {right}"
            );
            assert_eq!(
                Words::of(right).agree(&Words::of(left)),
                agree,
                "{right} {left}"
            );
        }
    }
}
