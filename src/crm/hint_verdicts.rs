//! What an agent says of a guess: it is right, it is wrong, it is somebody else's; and how that is
//! taken back.

use jiff::Timestamp;
use rusqlite::{Connection, Transaction};
use serde::{Deserialize, Serialize};

use crate::base::id::{ContactId, HintId};
use crate::crm::link_again::{self, Relinking};
use crate::crm::mining::texts;
use crate::crm::number_hints::{self, Key, Said};
use crate::crm::number_key::Numbering;
use crate::crm::row::{ContactNumber, ContactRow, HintRow, HintState, HintVerdict, Subject};
use crate::crm::writer::WriteError;
use crate::crm::{contacts, import, records};

/// What a verdict did.
#[derive(Debug)]
pub(crate) struct Judged {
    /// The contact whom the guess points to now.
    pub(crate) contact: Option<ContactId>,
    /// What was said, for the trail.
    pub(crate) label: String,
    /// How to take it back.
    pub(crate) undo: Undo,
}

impl Judged {
    /// How many earlier calls show the contact now.
    pub(crate) fn linked(&self) -> usize {
        self.undo.relinking.shown()
    }
}

/// How a verdict is taken back.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Undo {
    key: Key,
    before: Said,
    /// The contact that got the number, and whether the contact was made for that.
    given: Option<(ContactId, bool)>,
    /// What one that was made looked like.
    #[serde(default)]
    mark: Option<i64>,
    relinking: Relinking,
}

/// Carries out a verdict. A contact who gets the number is known from then on, also in earlier calls.
pub(crate) fn judge(
    transaction: &Transaction<'_>,
    id: HintId,
    verdict: HintVerdict,
    at: Timestamp,
    numbering: &Numbering,
) -> Result<Judged, WriteError> {
    let (hint, key) = number_hints::one(transaction, id)?.ok_or(WriteError::Missing("guess"))?;
    let mut judged = Judged {
        contact: hint.contact,
        label: format!("guess for {}", hint.number),
        undo: Undo {
            before: number_hints::said(transaction, &key)?,
            key,
            given: None,
            mark: None,
            relinking: Relinking::default(),
        },
    };
    let key = &judged.undo.key;
    match verdict {
        HintVerdict::Reject => {
            number_hints::say(transaction, key, Said::Rejected(at))?;
        }
        HintVerdict::Reopen => number_hints::say(transaction, key, Said::Nothing)?,
        HintVerdict::Assign(contact) => {
            records::must_exist(transaction, Subject::Contact(contact))?;
            let own = key.contact == Some(contact);
            let said = if own {
                Said::Nothing
            } else {
                Said::Assigned(contact, at)
            };
            number_hints::say(transaction, key, said)?;
            judged.contact = Some(contact);
        }
        HintVerdict::Confirm => {
            // Who says so takes back that it was wrong.
            if matches!(judged.undo.before, Said::Rejected(_)) {
                number_hints::say(transaction, key, Said::Nothing)?;
            }
            let row = with_number(transaction, &hint, numbering)?;
            let new = row.id.0 == 0;
            let (contact, relinking) = contacts::save(transaction, &row, numbering)?;
            texts::of_contact(transaction, contact, &row, at, numbering)?;
            texts::of_calls(transaction, relinking.calls(), at, numbering)?;
            judged.contact = Some(contact);
            judged.undo.relinking = relinking;
            judged.undo.given = (hint.state != HintState::Confirmed).then_some((contact, new));
            if let Some(made) = contacts::one(transaction, contact)?.filter(|_| new) {
                judged.undo.mark = Some(import::mark(&made, made.organization));
            }
        }
    }
    Ok(judged)
}

/// Takes a verdict back; gives how many calls were changed since, and stay as they are. A contact that was made
/// for it and changed or used since stays without the number, and counts as well.
pub(crate) fn undo(
    transaction: &Transaction<'_>,
    undo: &Undo,
    numbering: &Numbering,
) -> Result<usize, WriteError> {
    number_hints::say(transaction, &undo.key, undo.before)?;
    let mut left = link_again::undo(transaction, &undo.relinking)?;
    let given = match undo.given {
        Some((contact, new)) => contacts::one(transaction, contact)?.map(|row| (row, new)),
        None => None,
    };
    if let Some((mut row, new)) = given {
        let changed = (undo.mark).is_some_and(|mark| mark != import::mark(&row, row.organization));
        row.numbers
            .retain(|number| number.e164.as_ref() != Some(&undo.key.number));
        let says_more = changed || !row.numbers.is_empty() || !row.notes.is_empty();
        if new && !says_more && !import::used(transaction, row.id)? {
            number_hints::leave_contact(transaction, row.id, &undo.key.email, &row.name)?;
            contacts::delete(transaction, row.id)?;
        } else {
            left += usize::from(new);
            contacts::save(transaction, &row, numbering)?;
        }
    }
    Ok(left)
}

/// The contact whom a guess points to, or a new one, with the number filled in; nothing is written.
pub(crate) fn with_number(
    connection: &Connection,
    hint: &HintRow,
    numbering: &Numbering,
) -> rusqlite::Result<ContactRow> {
    let known = match hint.contact {
        Some(contact) => contacts::one(connection, contact)?,
        None => None,
    };
    let mut row = known.unwrap_or_else(|| stranger(hint));
    let there = |number: &ContactNumber| number.e164.as_ref() == Some(&hint.number);
    if !row.numbers.iter().any(there) {
        // As the text writes it, unless that is read differently here than where it came from.
        let same = numbering.keys(&hint.raw).e164.as_ref() == Some(&hint.number);
        let raw = if same { &hint.raw } else { &hint.number };
        row.numbers.push(ContactNumber {
            label: if hint.fax { "Fax" } else { "Phone" }.to_owned(),
            raw: raw.clone(),
            e164: Some(hint.number.clone()),
        });
    }
    Ok(row)
}

/// A contact that is not stored yet, of somebody who wrote a mail.
fn stranger(hint: &HintRow) -> ContactRow {
    let name = hint.name.as_ref().or(hint.email.as_ref());
    ContactRow {
        email: hint.email.clone(),
        ..ContactRow::named(name.unwrap_or(&hint.number))
    }
}
