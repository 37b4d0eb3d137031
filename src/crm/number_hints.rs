//! Guesses of who calls: numbers that texts name, for the person whom the text is of.
//!
//! The rows are made from texts and follow them; what an agent says of a guess is kept apart, so that
//! it holds when a text is read again.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};
use serde::{Deserialize, Serialize};

use crate::base::id::{ContactId, HintId};
use crate::crm::bulk;
use crate::crm::calls::timestamp;
use crate::crm::row::{HintRow, HintSource, HintState, TextNumber};

/// So many guesses for one number are weighed, the newest ones.
const WEIGHED: u32 = 200;

pub(crate) const CREATE: &str = "
-- A number that a text names, and the person whom the text is of: a contact, or somebody who is none
-- yet, by address and name; a contact's own name and address are elsewhere. Times in microseconds.
CREATE TABLE number_hints (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    number TEXT NOT NULL,
    digits TEXT NOT NULL,
    raw TEXT NOT NULL,
    fax INTEGER NOT NULL,
    signature INTEGER NOT NULL,
    contact INTEGER REFERENCES contacts (id) ON DELETE CASCADE,
    name TEXT,
    email TEXT NOT NULL,
    source TEXT NOT NULL,
    source_id TEXT NOT NULL,
    source_text TEXT NOT NULL,
    said_at INTEGER NOT NULL,
    found_at INTEGER NOT NULL
) STRICT;
-- Who may call? Asked for each caller whom nobody is known to be; the newest texts count most.
CREATE INDEX number_hints_by_number ON number_hints (number, said_at);
CREATE INDEX number_hints_by_digits ON number_hints (digits, said_at);
-- A text that changes takes its old numbers along, and each number of a text is kept once.
CREATE INDEX number_hints_by_source ON number_hints (source, source_id);
-- What goes with a contact, and what comes to one that is made.
CREATE INDEX number_hints_by_contact ON number_hints (contact);
CREATE INDEX number_hints_by_email ON number_hints (email) WHERE contact IS NULL;
-- What goes with its text. That of a mail is nowhere else, so it goes with its contact alone.
CREATE TRIGGER notes_hints AFTER DELETE ON notes BEGIN
    DELETE FROM number_hints WHERE source = 'note' AND source_id = CAST(old.id AS TEXT);
END;
CREATE TRIGGER ticket_articles_hints AFTER DELETE ON ticket_articles BEGIN
    DELETE FROM number_hints WHERE source = 'ticket' AND source_id = CAST(old.id AS TEXT);
END;
CREATE TRIGGER calls_hints AFTER DELETE ON calls WHEN old.notes <> '' BEGIN
    DELETE FROM number_hints WHERE source = 'call' AND source_id = old.id;
END;
-- A mail's sender is looked up by address among all contacts.
CREATE INDEX contacts_by_email ON contacts (lower(email)) WHERE email IS NOT NULL;
-- What an agent said of a number and a person; it is kept apart from the texts, because they may be
-- read again at any time.
CREATE TABLE hint_verdicts (
    number TEXT NOT NULL,
    contact INTEGER REFERENCES contacts (id) ON DELETE CASCADE,
    email TEXT NOT NULL,
    assigned INTEGER REFERENCES contacts (id) ON DELETE CASCADE,
    decided_at INTEGER NOT NULL
) STRICT;
-- One verdict for each number and person.
CREATE UNIQUE INDEX hint_verdicts_by_person ON hint_verdicts (number, ifnull(contact, 0), email);
-- What goes with a contact.
CREATE INDEX hint_verdicts_by_contact ON hint_verdicts (contact);
CREATE INDEX hint_verdicts_by_assigned ON hint_verdicts (assigned);
";

pub(crate) const OWN_MERGED_TEXTS: &str = "
-- What was noted on a contact that was merged into another one is noted on that one: its guesses are of the other
-- one's words, count once and go with them.
DELETE FROM number_hints WHERE source = 'contact' AND source_id <> CAST(contact AS TEXT)
    AND EXISTS (SELECT 1 FROM number_hints o WHERE o.source = 'contact'
        AND o.source_id = CAST(number_hints.contact AS TEXT) AND o.number = number_hints.number);
UPDATE number_hints SET source_id = CAST(contact AS TEXT)
    WHERE source = 'contact' AND source_id <> CAST(contact AS TEXT);
";

/// What is read of a guess: with the verdict on it, and the contact whom it now points to.
pub(crate) const SELECT: &str = "
    SELECT h.id AS id, h.number, h.raw, h.fax, c.id, coalesce(c.name, h.name), h.email, h.source,
        h.signature, h.source_text, h.said_at AS said_at, h.found_at,
        v.number IS NOT NULL AS decided, v.assigned AS assigned,
        EXISTS (SELECT 1 FROM contact_numbers n WHERE n.contact = c.id AND n.e164 = h.number)
            AS known,
        h.contact
    FROM number_hints h
    LEFT JOIN hint_verdicts v ON v.number = h.number
        AND ifnull(v.contact, 0) = ifnull(h.contact, 0) AND v.email = h.email
    LEFT JOIN contacts c ON c.id = coalesce(v.assigned, h.contact)";

/// Whom a text is of: a contact, or somebody with an address who is none yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who<'a> {
    /// A contact.
    Contact(ContactId),
    /// Somebody else, with the address in lower case, and the name, as far as it is known.
    Stranger(&'a str, Option<&'a str>),
}

/// A text that numbers are found in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Source<'a> {
    /// What kind of text.
    pub(crate) kind: HintSource,
    /// Which one of its kind: a contact's, call's or article's id, a Message-ID.
    pub(crate) id: &'a str,
    /// What a person calls it, such as `the mail of 2026-05-12, "Offer"`.
    pub(crate) text: &'a str,
    /// When it was written.
    pub(crate) said_at: Timestamp,
    /// When it is read.
    pub(crate) found_at: Timestamp,
}

/// Whom a guess is of, as a verdict names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Key {
    /// The number in international form.
    pub(crate) number: String,
    /// The contact of the text, whoever the guess was given to since.
    pub(crate) contact: Option<ContactId>,
    /// The address of who is no contact; else empty.
    pub(crate) email: String,
}

impl<'a> Who<'a> {
    fn contact(self) -> Option<i64> {
        match self {
            Self::Contact(id) => Some(id.0),
            Self::Stranger(..) => None,
        }
    }

    fn email(self) -> &'a str {
        match self {
            Self::Contact(_) => "",
            Self::Stranger(email, _) => email,
        }
    }

    fn name(self) -> Option<&'a str> {
        match self {
            Self::Contact(_) => None,
            Self::Stranger(_, name) => name,
        }
    }
}

/// Keeps what a text names, in place of what it named before; a number that stays keeps its dates.
/// Gives how many numbers are new.
pub(crate) fn replace(
    transaction: &Transaction<'_>,
    source: &Source<'_>,
    who: &[Who<'_>],
    numbers: &[TextNumber],
) -> rusqlite::Result<usize> {
    let mut before = transaction
        .prepare_cached(
            "SELECT id, number, contact, email FROM number_hints
             WHERE source = ?1 AND source_id = ?2",
        )?
        .query_map(params![source.kind.as_str(), source.id], |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, Option<i64>>(2)?,
                row.get::<_, String>(3)?,
            ))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let mut new = 0;
    for who in who {
        for number in numbers {
            let kept = before.iter().position(|(_, known, contact, email)| {
                *known == number.e164 && *contact == who.contact() && email == who.email()
            });
            match kept {
                Some(kept) => {
                    let (id, ..) = before.swap_remove(kept);
                    change(transaction, id, source, number)?;
                }
                None => {
                    insert(transaction, source, *who, number)?;
                    new += 1;
                }
            }
        }
    }
    for (gone, ..) in before {
        transaction
            .prepare_cached("DELETE FROM number_hints WHERE id = ?1")?
            .execute([gone])?;
    }
    Ok(new)
}

fn insert(
    transaction: &Transaction<'_>,
    source: &Source<'_>,
    who: Who<'_>,
    number: &TextNumber,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO number_hints (number, digits, raw, fax, signature, contact, name, email,
                source, source_id, source_text, said_at, found_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?
        .execute(params![
            number.e164,
            number.national,
            number.raw,
            number.fax,
            number.signature,
            who.contact(),
            who.name(),
            who.email(),
            source.kind.as_str(),
            source.id,
            source.text,
            source.said_at.as_microsecond(),
            source.found_at.as_microsecond(),
        ])?;
    Ok(())
}

fn change(
    transaction: &Transaction<'_>,
    id: i64,
    source: &Source<'_>,
    number: &TextNumber,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "UPDATE number_hints SET digits = ?2, raw = ?3, fax = ?4, signature = ?5 WHERE id = ?1
             AND source = ?6",
        )?
        .execute(params![
            id,
            number.national,
            number.raw,
            number.fax,
            number.signature,
            source.kind.as_str(),
        ])?;
    Ok(())
}

/// Gives the guesses for an address to the contact who has it now.
pub(crate) fn follow_email(
    transaction: &Transaction<'_>,
    contact: ContactId,
    email: &str,
) -> rusqlite::Result<()> {
    let email = email.trim().to_ascii_lowercase();
    if email.is_empty() {
        return Ok(());
    }
    for table in ["number_hints", "hint_verdicts"] {
        transaction
            .prepare_cached(&format!(
                "UPDATE OR REPLACE {table} SET contact = ?1, email = ''
                 WHERE contact IS NULL AND email = ?2"
            ))?
            .execute(params![contact.0, email])?;
    }
    Ok(())
}

/// Marks the places of addresses in lower case that guesses of no contact are for.
pub(crate) fn mark_waiting<'a>(
    connection: &Connection,
    emails: impl IntoIterator<Item = (&'a str, usize)>,
    marks: &mut [bool],
) -> rusqlite::Result<()> {
    let any = connection
        .prepare_cached(
            "SELECT 1 WHERE EXISTS (SELECT 1 FROM number_hints INDEXED BY number_hints_by_email
                    WHERE contact IS NULL)
                OR EXISTS (SELECT 1 FROM hint_verdicts WHERE contact IS NULL)",
        )?
        .exists([])?;
    if !any {
        return Ok(());
    }
    let condition =
        "EXISTS (SELECT 1 FROM number_hints WHERE contact IS NULL AND email = asked.text)
        OR EXISTS (SELECT 1 FROM hint_verdicts WHERE contact IS NULL AND email = asked.text)";
    bulk::mark(connection, condition, emails, marks)
}

/// Gives the guesses of mails back to the address alone, before its contact goes.
pub(crate) fn leave_contact(
    transaction: &Transaction<'_>,
    contact: ContactId,
    email: &str,
    name: &str,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "UPDATE number_hints SET contact = NULL, email = ?2, name = ?3
             WHERE contact = ?1 AND source = 'mail'",
        )?
        .execute(params![contact.0, email, name])?;
    Ok(())
}

/// What goes with a contact and cannot be found in texts again, or not as old as it is.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Guesses {
    #[serde(rename = "mails")]
    texts: Vec<TextGuess>,
    verdicts: Vec<Verdict>,
}

/// A number that a mail named for a contact, which itself is not kept, or what is noted on the contact.
#[derive(Debug, Serialize, Deserialize)]
struct TextGuess {
    #[serde(default = "mail")]
    source: String,
    id: i64,
    number: String,
    digits: String,
    raw: String,
    fax: bool,
    signature: bool,
    /// Which one of its kind.
    #[serde(rename = "mail")]
    source_id: String,
    text: String,
    said_at: i64,
    found_at: i64,
}

fn mail() -> String {
    HintSource::Mail.as_str().to_owned()
}

/// A row of `hint_verdicts`.
#[derive(Debug, Serialize, Deserialize)]
struct Verdict {
    number: String,
    contact: Option<i64>,
    email: String,
    assigned: Option<i64>,
    decided_at: i64,
}

/// Reads what goes with a contact.
pub(crate) fn guesses_of(connection: &Connection, contact: ContactId) -> rusqlite::Result<Guesses> {
    let texts = connection
        .prepare_cached(
            "SELECT id, number, digits, raw, fax, signature, source_id, source_text, said_at,
                found_at, source
             FROM number_hints WHERE contact = ?1 AND source IN ('mail', 'contact') ORDER BY id",
        )?
        .query_map([contact.0], |row| {
            Ok(TextGuess {
                source: row.get(10)?,
                id: row.get(0)?,
                number: row.get(1)?,
                digits: row.get(2)?,
                raw: row.get(3)?,
                fax: row.get(4)?,
                signature: row.get(5)?,
                source_id: row.get(6)?,
                text: row.get(7)?,
                said_at: row.get(8)?,
                found_at: row.get(9)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    let verdicts = connection
        .prepare_cached(
            "SELECT number, contact, email, assigned, decided_at FROM hint_verdicts
             WHERE contact = ?1 OR assigned = ?1 ORDER BY rowid",
        )?
        .query_map([contact.0], |row| {
            Ok(Verdict {
                number: row.get(0)?,
                contact: row.get(1)?,
                email: row.get(2)?,
                assigned: row.get(3)?,
                decided_at: row.get(4)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Guesses { texts, verdicts })
}

/// Brings back what [`guesses_of`] read, for a contact that is there again: what a text says once more by
/// now, and what was said anew, stays as it is.
pub(crate) fn bring_back(
    transaction: &Transaction<'_>,
    contact: ContactId,
    guesses: &Guesses,
) -> rusqlite::Result<()> {
    for guess in &guesses.texts {
        transaction
            .prepare_cached(
                "INSERT INTO number_hints (id, number, digits, raw, fax, signature, contact, email,
                    source, source_id, source_text, said_at, found_at)
                 SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, '', ?12, ?8, ?9, ?10, ?11
                 WHERE NOT EXISTS (SELECT 1 FROM number_hints WHERE source = ?12
                    AND source_id = ?8 AND number = ?2 AND contact = ?7)",
            )?
            .execute(params![
                guess.id,
                guess.number,
                guess.digits,
                guess.raw,
                guess.fax,
                guess.signature,
                contact.0,
                guess.source_id,
                guess.text,
                guess.said_at,
                guess.found_at,
                guess.source,
            ])?;
    }
    for verdict in &guesses.verdicts {
        // The other one of the two may be gone by now.
        transaction
            .prepare_cached(
                "INSERT OR IGNORE INTO hint_verdicts (number, contact, email, assigned, decided_at)
                 SELECT ?1, ?2, ?3, ?4, ?5
                 WHERE (?2 IS NULL OR EXISTS (SELECT 1 FROM contacts WHERE id = ?2))
                 AND (?4 IS NULL OR EXISTS (SELECT 1 FROM contacts WHERE id = ?4))",
            )?
            .execute(params![
                verdict.number,
                verdict.contact,
                verdict.email,
                verdict.assigned,
                verdict.decided_at,
            ])?;
    }
    Ok(())
}

/// Finds the contacts with an address in lower case, at most five.
pub(crate) fn with_email(connection: &Connection, email: &str) -> rusqlite::Result<Vec<ContactId>> {
    let mut query = connection.prepare_cached(
        "SELECT id FROM contacts WHERE lower(email) = ?1 AND email IS NOT NULL ORDER BY id LIMIT 5",
    )?;
    let rows = query.query_map([email], |row| row.get(0).map(ContactId))?;
    rows.collect()
}

/// Reads one guess, and whom its text is of.
pub(crate) fn one(connection: &Connection, id: HintId) -> rusqlite::Result<Option<(HintRow, Key)>> {
    connection
        .prepare_cached(&format!("{SELECT} WHERE h.id = ?1"))?
        .query_row([id.0], |row| {
            let hint = read(row)?;
            let contact: Option<i64> = row.get(15)?;
            let key = Key {
                number: hint.number.clone(),
                contact: contact.map(ContactId),
                email: row.get(6)?,
            };
            Ok((hint, key))
        })
        .optional()
}

/// Reads the guesses that are not rejected for a number, or for the digits of its national form where
/// it has no other, the newest texts first.
pub(crate) fn of_number(
    connection: &Connection,
    e164: Option<&str>,
    digits: Option<&str>,
) -> rusqlite::Result<Vec<HintRow>> {
    let (column, value) = match (e164, digits) {
        (Some(e164), _) => ("number", e164),
        (None, Some(digits)) => ("digits", digits),
        (None, None) => return Ok(Vec::new()),
    };
    let mut query = connection.prepare_cached(&format!(
        "{SELECT} WHERE h.{column} = ?1 AND (v.number IS NULL OR v.assigned IS NOT NULL)
         ORDER BY h.said_at DESC LIMIT {WEIGHED}"
    ))?;
    let rows = query.query_map([value], read)?;
    rows.collect()
}

/// Whether an agent said of somebody that a number is not theirs.
pub(crate) fn any_rejected(connection: &Connection, e164: &str) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM hint_verdicts WHERE number = ?1 AND assigned IS NULL")?
        .exists([e164])
}

/// What an agent said of a guess before: nothing, that it is wrong, or whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Said {
    /// Nothing.
    Nothing,
    /// It is not that person's.
    Rejected(Timestamp),
    /// It is this contact's.
    Assigned(ContactId, Timestamp),
}

/// Reads what was said.
pub(crate) fn said(connection: &Connection, key: &Key) -> rusqlite::Result<Said> {
    let found = connection
        .prepare_cached(
            "SELECT assigned, decided_at FROM hint_verdicts
             WHERE number = ?1 AND ifnull(contact, 0) = ?2 AND email = ?3",
        )?
        .query_row(
            params![key.number, key.contact.map_or(0, |id| id.0), key.email],
            |row| {
                let at = timestamp(row.get(1)?);
                let assigned: Option<i64> = row.get(0)?;
                Ok(assigned.map_or(Said::Rejected(at), |id| Said::Assigned(ContactId(id), at)))
            },
        )
        .optional()?;
    Ok(found.unwrap_or(Said::Nothing))
}

/// Remembers what is said, in place of what was said before.
pub(crate) fn say(transaction: &Transaction<'_>, key: &Key, said: Said) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "DELETE FROM hint_verdicts WHERE number = ?1 AND ifnull(contact, 0) = ?2 AND email = ?3",
        )?
        .execute(params![key.number, key.contact.map_or(0, |id| id.0), key.email])?;
    let (assigned, at) = match said {
        Said::Nothing => return Ok(()),
        Said::Rejected(at) => (None, at),
        Said::Assigned(contact, at) => (Some(contact.0), at),
    };
    transaction
        .prepare_cached(
            "INSERT INTO hint_verdicts (number, contact, email, assigned, decided_at)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            key.number,
            key.contact.map(|id| id.0),
            key.email,
            assigned,
            at.as_microsecond()
        ])?;
    Ok(())
}

/// Reads a guess as `SELECT` gives it.
pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<HintRow> {
    let source: String = row.get(7)?;
    let decided: bool = row.get(12)?;
    let assigned = row.get::<_, Option<i64>>(13)?.is_some();
    let known: bool = row.get(14)?;
    let state = match (known, decided && !assigned) {
        (true, _) => HintState::Confirmed,
        (false, true) => HintState::Rejected,
        (false, false) => HintState::Open,
    };
    let email: String = row.get(6)?;
    let contact = row.get::<_, Option<i64>>(4)?.map(ContactId);
    Ok(HintRow {
        id: HintId(row.get(0)?),
        number: row.get(1)?,
        raw: row.get(2)?,
        fax: row.get(3)?,
        contact,
        name: row.get(5)?,
        email: (contact.is_none() && !email.is_empty()).then_some(email),
        source: HintSource::parse(&source).unwrap_or(HintSource::Note),
        signature: row.get(8)?,
        source_text: row.get(9)?,
        said_at: timestamp(row.get(10)?),
        found_at: timestamp(row.get(11)?),
        state,
        assigned,
    })
}
