//! Contacts that are not in the full-text index yet: an import leaves them to be indexed behind its commit.
//!
//! Indexing a contact takes longer than all else that an import does for it. So the words of those people are
//! kept as lines of text first, and the writer indexes a piece of them whenever nobody waits for it; a search
//! reads the lines that are left beside the index. First the lines, then the index: whoever goes from
//! one to the other in between is found twice rather than not at all.
//!
//! The lines hold the words as FTS5 makes them of plain letters. Who has another letter is indexed at once.

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use crate::base::id::ContactId;
use crate::crm::contacts;
use crate::crm::number_key::NumberKeys;
use crate::crm::row::ContactRow;
use crate::crm::search::{Asked, asked};
use crate::crm::word_index::plain;

pub(crate) const CREATE: &str = "
-- People of an import who are not in contact_words yet, so many in each row: a line with the words of each, by
-- ids from `first` on; an empty one is of somebody who needs none. The row goes as they are indexed.
CREATE TABLE contacts_to_index (
    first INTEGER PRIMARY KEY,
    lines TEXT NOT NULL
) STRICT;
";

/// The table.
pub(crate) const TABLE: &str = "contacts_to_index";

/// So many contacts are indexed in one transaction: some 20 ms.
const PIECE: usize = 1000;

/// Parts the columns of the index in a line; each word has a blank before it.
const COLUMN: char = '|';

/// The columns of the index.
const NAME: usize = 0;
const ORGANIZATION: usize = 1;
const NUMBERS: usize = 2;
const REVERSED: usize = 3;

/// The words of a contact as a line, but for those of the organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    name: String,
    numbers: String,
}

impl Line {
    /// The words of who has numbers with these keys; none where a letter is not plain.
    pub(crate) fn of(row: &ContactRow, keys: &[NumberKeys]) -> Option<Self> {
        let mut name = String::with_capacity(64);
        let mut words = |text: &str| add_words(&mut name, text);
        words(&row.name)?;
        words(row.email.as_deref().unwrap_or_default())?;
        for address in keys.iter().filter_map(|keys| keys.address.as_deref()) {
            words(address)?;
        }
        let mut numbers = String::with_capacity(64 * keys.len());
        for keys in keys {
            add_words(&mut numbers, keys.e164.as_deref().unwrap_or_default())?;
            let digits = keys.digits.as_deref().unwrap_or_default();
            add_words(&mut numbers, digits)?;
            add_words(&mut numbers, digits.trim_start_matches('0'))?;
        }
        numbers.push(COLUMN);
        for reversed in keys.iter().filter_map(|keys| keys.reversed.as_deref()) {
            add_words(&mut numbers, reversed)?;
        }
        Some(Self { name, numbers })
    }

    /// The whole line; none where a letter of the organization's name is not plain.
    pub(crate) fn with_organization(&self, organization: &str) -> Option<String> {
        let Self { name, numbers } = self;
        let mut line = String::with_capacity(name.len() + organization.len() + numbers.len() + 3);
        line.push_str(name);
        line.push(COLUMN);
        add_words(&mut line, organization)?;
        line.push(COLUMN);
        line.push_str(numbers);
        Some(line)
    }
}

/// Adds the words of a text as FTS5 takes them apart; none where a letter is not plain.
fn add_words(line: &mut String, text: &str) -> Option<()> {
    let mut within = false;
    for letter in text.chars() {
        match plain(letter) {
            Some(plain) => {
                if !within {
                    line.push(' ');
                }
                line.push(plain);
                within = true;
            }
            // In ASCII all else parts words; a zero ends a text for some of SQLite's functions.
            None if letter.is_ascii() && letter != '\0' => within = false,
            None => return None,
        }
    }
    Some(())
}

/// Keeps the lines of contacts with these ids on, who were just written; an empty one for those who are indexed.
pub(crate) fn keep(
    transaction: &Transaction<'_>,
    first: ContactId,
    lines: &[String],
) -> rusqlite::Result<()> {
    let mut insert = transaction
        .prepare_cached("INSERT INTO contacts_to_index (first, lines) VALUES (?1, ?2)")?;
    for (piece, first) in lines.chunks(PIECE).zip((first.0..).step_by(PIECE)) {
        insert.execute(params![first, piece.join("\n")])?;
    }
    Ok(())
}

/// Forgets the lines, after all contacts were indexed.
pub(crate) fn forget(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM contacts_to_index", [])?;
    Ok(())
}

/// Whether somebody waits to be indexed.
pub(crate) fn any(connection: &Connection) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM contacts_to_index")?
        .exists([])
}

/// Indexes one piece of those who wait; false when nobody does.
pub(crate) fn index_piece(transaction: &Transaction<'_>) -> rusqlite::Result<bool> {
    let piece = transaction
        .prepare_cached("SELECT first, lines FROM contacts_to_index ORDER BY first LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))
        .optional()?;
    let Some((first, lines)) = piece else {
        return Ok(false);
    };
    let people = i64::try_from(lines.split('\n').count()).unwrap_or(i64::MAX);
    let last = i64::saturating_add(first, people - 1);
    contacts::index_missing(transaction, ContactId(first), ContactId(last))?;
    transaction
        .prepare_cached("DELETE FROM contacts_to_index WHERE first = ?1")?
        .execute([first])?;
    Ok(true)
}

/// The contacts behind one that a search finds among those who wait, by age, so many at most. To be read before
/// the index is.
pub(crate) fn found(
    connection: &Connection,
    search: &str,
    after: ContactId,
    limit: usize,
) -> rusqlite::Result<Vec<i64>> {
    let mut found = Vec::new();
    let mut pieces =
        connection.prepare_cached("SELECT first, lines FROM contacts_to_index ORDER BY first")?;
    let mut pieces = pieces.query([])?;
    let mut terms = None;
    while let Some(piece) = pieces.next()? {
        let Some(terms) = terms.get_or_insert_with(|| terms_of(search)) else {
            break;
        };
        let first: i64 = piece.get(0)?;
        let lines = piece.get_ref(1)?.as_str()?;
        if !terms.iter().all(|term| term.is_in(lines)) {
            continue;
        }
        for (line, id) in lines.split('\n').zip(first..) {
            if id > after.0
                && terms.iter().all(|term| term.is_of(line))
                && !contacts::is_indexed(connection, ContactId(id))?
            {
                found.push(id);
                if found.len() == limit {
                    return Ok(found);
                }
            }
        }
    }
    Ok(found)
}

/// One of the things that are searched for: a beginning of words in one of some columns.
struct Term(Vec<(&'static [usize], String)>);

impl Term {
    /// Whether a text has it somewhere.
    fn is_in(&self, text: &str) -> bool {
        self.0.iter().any(|(_, words)| text.contains(words))
    }

    /// Whether a line has it where it belongs.
    fn is_of(&self, line: &str) -> bool {
        self.0.iter().any(|(columns, words)| {
            let texts = line.split(COLUMN).enumerate();
            texts
                .filter(|(column, _)| columns.contains(column))
                .any(|(_, text)| text.contains(words))
        })
    }
}

/// What is searched for; nothing where no line can have it.
fn terms_of(search: &str) -> Option<Vec<Term>> {
    let mut terms = Vec::new();
    for asked in asked(search) {
        let term = match asked {
            Asked::Word(word) => vec![(&[NAME, ORGANIZATION] as &[usize], beginning(&word)?)],
            Asked::Digits(digits) => {
                let reversed: String = digits.chars().rev().collect();
                // As the index is asked.
                let (begin, other): (_, &[usize]) = match digits.strip_prefix("00") {
                    Some(begin) if !begin.is_empty() => (begin, &[NUMBERS]),
                    _ => (digits.as_str(), &[NAME, NUMBERS]),
                };
                vec![
                    (other, format!(" {begin}")),
                    (&[REVERSED], format!(" {reversed}")),
                    (&[NAME], format!(" {digits}")),
                ]
            }
        };
        terms.push(Term(term));
    }
    terms.retain(|term| term.0.iter().any(|(_, words)| !words.is_empty()));
    (!terms.is_empty()).then_some(terms)
}

/// What a person typed as the beginning of words that stand behind each other; none where it has a letter that
/// no line has.
fn beginning(word: &str) -> Option<String> {
    let mut beginning = String::new();
    let parted = |letter: char| plain(letter).is_none() && !letter.is_alphanumeric();
    // Marks of the letter before them, as some systems type them.
    let word = word.replace(|letter| ('\u{300}'..='\u{331}').contains(&letter), "");
    for part in word.split(parted) {
        add_words(&mut beginning, part)?;
    }
    Some(beginning)
}
