//! Several contacts become one: the first stays and takes what the others have.
//!
//! Its own words win, what it does not say comes from the others in their order, numbers come together
//! without doubles, notes below each other, a second e-mail address into the notes, other organizations
//! beside its own. Calls, links, choices, notes, tasks, tickets and UIDs go over to it, and so does who is
//! another person; what the calls showed at their time stays. Earlier calls are linked again. Undone, each has its own again, except
//! what somebody changed since.

use jiff::Timestamp;
use rusqlite::{Transaction, params};
use serde::{Deserialize, Serialize};

use crate::base::id::ContactId;
use crate::crm::exchange_row::MergeReport;
use crate::crm::import::{mark, says, unite_numbers};
use crate::crm::link_again::{self, Relinking};
use crate::crm::mining::texts;
use crate::crm::number_key::Numbering;
use crate::crm::removal::{self, Removal};
use crate::crm::row::{ContactRow, Membership, Subject};
use crate::crm::writer::WriteError;
use crate::crm::{call_links, contacts, different_people};

/// More contacts at once are no doubles of one person.
const AT_ONCE: usize = 50;

/// A table of what belongs to a contact and goes over to the one that stays.
pub(crate) struct Belonging {
    pub(crate) table: &'static str,
    /// What names a row.
    key: &'static str,
    /// The column with the contact, and a condition for the rows in which it is one.
    pub(crate) column: &'static str,
    condition: &'static str,
}

/// Names a verdict by what it says and when. Its rowid may be another's once it was said anew.
const VERDICT: &str = "number || ' ' || email || ' ' || decided_at";

/// All of them but the links of calls, of which the contact that stays may have the same.
pub(crate) const BELONGINGS: [Belonging; 9] = [
    Belonging {
        table: "calls",
        key: "seq",
        column: "contact",
        condition: "true",
    },
    Belonging {
        table: "tickets",
        key: "id",
        column: "contact",
        condition: "true",
    },
    Belonging {
        table: "contact_uids",
        key: "uid",
        column: "contact",
        condition: "true",
    },
    Belonging {
        table: "notes",
        key: "id",
        column: "subject",
        condition: "kind = 'contact'",
    },
    Belonging {
        table: "tasks",
        key: "id",
        column: "subject",
        condition: "kind = 'contact'",
    },
    Belonging {
        table: "number_choices",
        key: "number",
        column: "subject",
        condition: "kind = 'contact'",
    },
    Belonging {
        table: "number_hints",
        key: "id",
        column: "contact",
        // What is noted on the two becomes one text, which is read anew.
        condition: "source <> 'contact'",
    },
    // Where both were judged, the word on the one that stays holds.
    Belonging {
        table: "hint_verdicts",
        key: VERDICT,
        column: "contact",
        condition: "true",
    },
    Belonging {
        table: "hint_verdicts",
        key: VERDICT,
        column: "assigned",
        condition: "true",
    },
];

/// How to take a merge back.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MergeStep {
    /// The contact that stayed, as it was.
    before: ContactRow,
    /// What it looked like afterwards.
    mark: i64,
    /// What became of earlier calls when it had all numbers.
    relinking: Relinking,
    /// Those that went into it.
    merged: Vec<Merged>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Merged {
    contact: ContactId,
    removal: Removal,
    /// The keys of its rows, for each of [`BELONGINGS`].
    moved: Vec<Vec<Key>>,
    /// Its links that went over, and those of the one that stayed that gave way.
    links: Vec<Link>,
    displaced: Vec<Link>,
    /// Who is another person than the one that stayed only because of this one.
    #[serde(default)]
    apart: Vec<ContactId>,
}

/// Names a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Key {
    Number(i64),
    Text(String),
}

impl rusqlite::types::FromSql for Key {
    fn column_result(value: rusqlite::types::ValueRef<'_>) -> rusqlite::types::FromSqlResult<Self> {
        match value {
            rusqlite::types::ValueRef::Integer(number) => Ok(Self::Number(number)),
            other => Ok(Self::Text(other.as_str()?.to_owned())),
        }
    }
}

impl rusqlite::ToSql for Key {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        match self {
            Self::Number(number) => number.to_sql(),
            Self::Text(text) => text.to_sql(),
        }
    }
}

/// A call's link: call, level, reason, name.
type Link = (i64, String, String, String);

/// Merges contacts into the first of them; gives what takes it back too.
pub(crate) fn merge(
    transaction: &Transaction<'_>,
    at: Timestamp,
    contacts: &[ContactId],
    numbering: &Numbering,
) -> Result<(MergeReport, MergeStep), WriteError> {
    let mut different: Vec<ContactId> = Vec::new();
    for contact in contacts {
        if !different.contains(contact) {
            different.push(*contact);
        }
    }
    let Some((stays, others)) = different.split_first().filter(|(_, it)| !it.is_empty()) else {
        return Err(WriteError::Missing("second contact to merge"));
    };
    if others.len() >= AT_ONCE {
        return Err(WriteError::Missing("place for so many contacts in one"));
    }
    let read = |contact: ContactId| {
        contacts::one(transaction, contact)?.ok_or(WriteError::Missing("contact"))
    };
    // All are read before anything is written: who is missing stops it.
    let before = read(*stays)?;
    let rows = others
        .iter()
        .map(|other| read(*other))
        .collect::<Result<Vec<_>, _>>()?;
    let mut merged = Vec::new();
    let mut row = before.clone();
    let mut calls = 0;
    for other in &rows {
        add(&mut row, other, numbering);
        let went = move_over(transaction, other.id, *stays)?;
        calls += went.moved.first().map_or(0, Vec::len);
        merged.push(went);
    }
    let (_, relinking) = contacts::save(transaction, &row, numbering)?;
    texts::of_contact(transaction, *stays, &row, at, numbering)?;
    texts::of_calls(transaction, relinking.calls(), at, numbering)?;
    let after = read(*stays)?;
    let report = MergeReport {
        contact: *stays,
        name: after.name.clone(),
        merged: u64::try_from(merged.len()).unwrap_or_default(),
        calls: u64::try_from(calls).unwrap_or_default(),
        linked_calls: u64::try_from(relinking.shown()).unwrap_or_default(),
    };
    let step = MergeStep {
        mark: mark(&after, after.organization),
        before,
        relinking,
        merged,
    };
    Ok((report, step))
}

/// Takes a merge back; gives how much was left because it was changed since.
pub(crate) fn undo(
    transaction: &Transaction<'_>,
    at: Timestamp,
    step: &MergeStep,
    numbering: &Numbering,
) -> Result<usize, WriteError> {
    let stays = step.before.id;
    let mut left = link_again::undo(transaction, &step.relinking)?;
    for merged in step.merged.iter().rev() {
        for other in &merged.apart {
            different_people::forget(transaction, stays, *other)?;
        }
        left += removal::undo(transaction, &merged.removal, numbering)?;
        for (belonging, keys) in BELONGINGS.iter().zip(&merged.moved) {
            give_back(transaction, belonging, keys, stays, merged.contact)?;
        }
        for link in &merged.links {
            take_link(transaction, link, stays, merged.contact)?;
        }
        for link in &merged.displaced {
            put_link(transaction, link, stays)?;
        }
    }
    // Last: what it has of the others' numbers must not take their calls along.
    match contacts::one(transaction, stays)? {
        Some(now) if mark(&now, now.organization) == step.mark => {
            contacts::save(transaction, &step.before, numbering)?;
            texts::of_contact(transaction, stays, &step.before, at, numbering)?;
        }
        Some(_) | None => left += 1,
    }
    Ok(left)
}

/// Adds to a contact what another one says beyond it.
fn add(row: &mut ContactRow, other: &ContactRow, numbering: &Numbering) {
    let further = other.organization_name.clone().map(|name| Membership {
        organization: other.organization,
        organization_name: name,
        role: other.role.clone(),
    });
    if row.organization.is_none() {
        row.organization = other.organization;
        row.organization_name.clone_from(&other.organization_name);
    }
    if row.role.is_none() {
        row.role.clone_from(&other.role);
    }
    for membership in further.into_iter().chain(other.memberships.iter().cloned()) {
        let organization = membership.organization;
        let known = organization == row.organization
            || row
                .memberships
                .iter()
                .any(|it| it.organization == organization);
        if !known {
            row.memberships.push(membership);
        }
    }
    // Who is a customer once is no lead any more.
    if other.stage.is_none() {
        row.stage = None;
    }
    let mut notes: Vec<String> = Vec::new();
    match (&row.email, &other.email) {
        (None, _) => row.email.clone_from(&other.email),
        (Some(own), Some(second)) if !own.eq_ignore_ascii_case(second) => {
            notes.push(format!("E-mail: {second}"));
        }
        (Some(_), _) => {}
    }
    notes.push(other.notes.clone());
    for note in notes {
        if !note.trim().is_empty() && !says(&row.notes, &note) {
            if !row.notes.is_empty() {
                row.notes.push('\n');
            }
            row.notes.push_str(note.trim());
        }
    }
    unite_numbers(row, other, numbering, false);
}

/// Gives all that belongs to one contact but its numbers to another, and deletes it.
fn move_over(
    transaction: &Transaction<'_>,
    from: ContactId,
    to: ContactId,
) -> Result<Merged, WriteError> {
    let mut moved = Vec::new();
    for belonging in &BELONGINGS {
        let Belonging {
            table,
            key,
            column,
            condition,
        } = belonging;
        let keys = transaction
            .prepare_cached(&format!(
                "UPDATE OR IGNORE {table} SET {column} = ?2 WHERE {column} = ?1 AND {condition}
                 RETURNING {key}"
            ))?
            .query_map(params![from.0, to.0], |row| row.get(0))?
            .collect::<rusqlite::Result<Vec<Key>>>()?;
        moved.push(keys);
    }
    let (mut links, mut displaced) = (Vec::new(), Vec::new());
    let theirs = links_of(transaction, to)?;
    for link in links_of(transaction, from)? {
        match theirs.iter().find(|(call, ..)| *call == link.0) {
            // What an agent chose is stronger than what a number said.
            Some(weaker) if link.1 == "manual" && weaker.1 != "manual" => {
                call_links::unlink(transaction, weaker.0, Subject::Contact(to))?;
                displaced.push(weaker.clone());
            }
            // The other one's goes with it, and comes back with it.
            Some(_) => continue,
            None => {}
        }
        call_links::unlink(transaction, link.0, Subject::Contact(from))?;
        put_link(transaction, &link, to)?;
        links.push(link);
    }
    let mut apart = Vec::new();
    for other in different_people::of(transaction, from)? {
        if other != to && different_people::tell_apart(transaction, to, other)? {
            apart.push(other);
        }
    }
    let removal = removal::take(transaction, Subject::Contact(from))?;
    Ok(Merged {
        contact: from,
        removal,
        moved,
        links,
        displaced,
        apart,
    })
}

fn give_back(
    transaction: &Transaction<'_>,
    belonging: &Belonging,
    keys: &[Key],
    from: ContactId,
    to: ContactId,
) -> rusqlite::Result<()> {
    let Belonging {
        table,
        key,
        column,
        condition,
    } = belonging;
    // What is gone, or was given to somebody else since, stays so.
    let mut give = transaction.prepare_cached(&format!(
        "UPDATE OR IGNORE {table} SET {column} = ?3 WHERE {key} = ?1 AND {column} IS ?2 AND {condition}"
    ))?;
    let owner = contacts::one(transaction, from)?.map(|_| from.0);
    for key in keys {
        give.execute(params![key, owner, to.0])?;
    }
    Ok(())
}

fn links_of(transaction: &Transaction<'_>, contact: ContactId) -> rusqlite::Result<Vec<Link>> {
    transaction
        .prepare_cached(
            "SELECT call, level, reason, name FROM call_links
             WHERE kind = 'contact' AND subject = ?1 ORDER BY call",
        )?
        .query_map([contact.0], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?
        .collect()
}

fn put_link(
    transaction: &Transaction<'_>,
    (call, level, reason, name): &Link,
    contact: ContactId,
) -> rusqlite::Result<()> {
    let subject = Subject::Contact(contact);
    call_links::bring_back(transaction, *call, subject, [level, reason, name])
}

/// Takes a link back from the contact that stayed, unless an agent chose it for that one since.
fn take_link(
    transaction: &Transaction<'_>,
    link: &Link,
    from: ContactId,
    to: ContactId,
) -> rusqlite::Result<()> {
    let (call, level, ..) = link;
    transaction
        .prepare_cached(
            "DELETE FROM call_links WHERE call = ?1 AND kind = 'contact' AND subject = ?2
             AND (level <> 'manual' OR ?3 = 'manual')",
        )?
        .execute(params![call, from.0, level])?;
    put_link(transaction, link, to)
}
