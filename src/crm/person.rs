//! Whom data is about: from a contact or a number to all that is held of a person.
//!
//! Rows that point to the contact, and calls with its numbers, are the person's. Beyond those, every text
//! of every table is looked through for the person's full name, e-mail address, SIP addresses and numbers
//! in any spelling. A name of a single word and a number of fewer than six digits are too common for that:
//! they are found in the person's own rows only.

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, ToSql, params_from_iter};

use crate::base::id::ContactId;
use crate::base::number_spelling::ascii_digit;
use crate::crm::contact_numbers::Owner;
use crate::crm::number_key::{NumberKeys, Numbering};
use crate::crm::row::MatchLevel;
use crate::crm::store::StoreError;
use crate::crm::{contact_numbers, match_number, words_behind};

/// What stands in a text where a name, an address or a number was erased.
pub(crate) const ERASED: &str = "[erased]";

/// Shorter numbers are not looked for in texts.
const LEAST_DIGITS: usize = 6;

/// Tables that hold nothing of a person, or only what erasing needs.
const NOT_LOOKED_THROUGH: [&str; 6] = [
    "arrivals",
    // It is empty when somebody is erased.
    words_behind::TABLE,
    "database_copies",
    "erasures",
    "files_to_remove",
    "store_settings",
];

/// Somebody of whom data is held.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Person {
    pub(crate) contact: Option<ContactId>,
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    /// The keys of all numbers and addresses, and whether others have them, too.
    pub(crate) numbers: Vec<(NumberKeys, bool)>,
}

impl Person {
    /// Finds the person of a contact's id or of a number; digits alone are an id where there is one.
    pub(crate) fn find(
        connection: &Connection,
        who: &str,
        numbering: &Numbering,
    ) -> Result<Self, StoreError> {
        let who = who.trim();
        if let Ok(id) = who.parse::<i64>()
            && !who.starts_with(['+', '0'])
            && let Some(person) = Self::of_contact(connection, ContactId(id), numbering)?
        {
            return Ok(person);
        }
        let keys = numbering.keys(who);
        if keys.key().is_none() {
            return Err(StoreError::Missing("contact or number"));
        }
        let mut having = match_number::candidates(connection, &keys, numbering)?;
        having.retain(|found| found.level <= MatchLevel::Known);
        let contacts: Vec<ContactId> = having
            .iter()
            .filter_map(|found| found.subject.contact())
            .collect();
        if let ([organization, ..], []) = (having.as_slice(), contacts.as_slice()) {
            let why = format!(
                "{who} is the number of {}, which is no person",
                organization.name
            );
            return Err(StoreError::Refused(why));
        }
        match contacts.as_slice() {
            [] => Ok(Self {
                numbers: vec![(keys, false)],
                ..Self::default()
            }),
            [one] => {
                Self::of_contact(connection, *one, numbering)?.ok_or(StoreError::Missing("contact"))
            }
            [_, _, ..] => {
                let list: Vec<String> = having
                    .iter()
                    .filter(|found| found.subject.contact().is_some())
                    .map(|found| format!("{} {}", found.subject.id(), found.name))
                    .collect();
                let why = format!(
                    "{who} is the number of several contacts; name one by its id: {}",
                    list.join(", ")
                );
                Err(StoreError::Refused(why))
            }
        }
    }

    /// The person of a contact.
    pub(crate) fn of_contact(
        connection: &Connection,
        contact: ContactId,
        numbering: &Numbering,
    ) -> Result<Option<Self>, StoreError> {
        let found = connection
            .prepare_cached("SELECT name, email FROM contacts WHERE id = ?1")?
            .query_row([contact.0], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((name, email)) = found else {
            return Ok(None);
        };
        let mut numbers = Vec::new();
        for number in contact_numbers::of(connection, Owner::Contact(contact))? {
            let keys = numbering.keys(&number.raw);
            let others = match_number::candidates(connection, &keys, numbering)?;
            let shared = others.iter().any(|other| {
                other.subject.contact() != Some(contact) && other.level <= MatchLevel::Known
            });
            numbers.push((keys, shared));
        }
        Ok(Some(Self {
            contact: Some(contact),
            name: Some(name),
            email,
            numbers,
        }))
    }

    /// The keys of the person's calls, oldest first: those that show the contact, and those with one of
    /// the numbers that show nobody.
    pub(crate) fn calls(&self, connection: &Connection) -> rusqlite::Result<Vec<i64>> {
        let contact = self.contact.map(|contact| contact.0);
        let mut calls: Vec<i64> = connection
            .prepare_cached("SELECT seq FROM calls WHERE contact = ?1")?
            .query_map([contact], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for key in self.own_keys() {
            let mut query = connection.prepare_cached(
                "SELECT seq FROM calls WHERE number = ?1
                 AND (contact = ?2 OR (contact IS NULL AND organization_id IS NULL))",
            )?;
            for call in query.query_map((key, contact), |row| row.get(0))? {
                calls.push(call?);
            }
        }
        calls.sort_unstable();
        calls.dedup();
        Ok(calls)
    }

    /// The spellings under which a call has one of the numbers that are nobody else's.
    pub(crate) fn own_keys(&self) -> impl Iterator<Item = &str> {
        let own = self.numbers.iter().filter(|(_, shared)| !shared);
        own.flat_map(|(keys, _)| [&keys.e164, &keys.digits, &keys.address])
            .flatten()
            .map(String::as_str)
    }

    /// The keys of the person's tickets.
    pub(crate) fn tickets(&self, connection: &Connection) -> rusqlite::Result<Vec<i64>> {
        connection
            .prepare_cached("SELECT id FROM tickets WHERE contact = ?1")?
            .query_map([self.contact.map(|contact| contact.0)], |row| row.get(0))?
            .collect()
    }

    /// What is looked for in texts.
    pub(crate) fn traces(&self) -> Traces {
        let mut words = Vec::new();
        let name = self.name.as_deref().unwrap_or_default();
        words.extend((name.split_whitespace().count() > 1).then(|| name.to_owned()));
        words.extend(self.email.clone().filter(|email| email.contains('@')));
        let mut numbers = Vec::new();
        for (keys, shared) in &self.numbers {
            if *shared {
                continue;
            }
            words.extend(keys.address.clone().filter(|address| address.contains('@')));
            let Some(digits) = keys.digits.as_deref().filter(|_| !keys.internal) else {
                continue;
            };
            let significant = digits.trim_start_matches(['+', '0']);
            let whole = keys
                .e164
                .as_deref()
                .unwrap_or_default()
                .trim_start_matches('+');
            let code = whole.strip_suffix(significant).unwrap_or_default();
            if significant.len() >= LEAST_DIGITS {
                numbers.push(Trace {
                    significant: significant.chars().collect(),
                    code: code.to_owned(),
                });
            }
        }
        let words = words
            .into_iter()
            .map(|word| word.trim().to_lowercase().chars().collect::<Vec<_>>())
            .filter(|word: &Vec<char>| word.len() >= 5)
            .collect();
        Traces { words, numbers }
    }
}

/// What a person leaves in texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Traces {
    words: Vec<Vec<char>>,
    numbers: Vec<Trace>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Trace {
    /// The digits of the national number without a trunk prefix.
    significant: Vec<char>,
    /// The country code.
    code: String,
}

impl Traces {
    /// The text without the person; none where the person is not in it.
    pub(crate) fn redacted(&self, text: &str) -> Option<String> {
        let mut places: Vec<(usize, usize)> = Vec::new();
        let letters: Vec<(usize, char)> = text.char_indices().collect();
        for word in &self.words {
            find_word(&letters, word, text.len(), &mut places);
        }
        if !self.numbers.is_empty() {
            let digits: Vec<(usize, usize, char)> = letters
                .iter()
                .enumerate()
                .filter_map(|(place, (_, letter))| {
                    ascii_digit(*letter).map(|digit| (place, place + 1, digit))
                })
                .collect();
            for number in &self.numbers {
                number.find(&letters, &digits, text.len(), &mut places);
            }
        }
        if places.is_empty() {
            return None;
        }
        places.sort_unstable();
        let mut redacted = String::with_capacity(text.len());
        let mut at = 0;
        for (from, to) in places {
            if from < at {
                continue;
            }
            redacted.push_str(text.get(at..from).unwrap_or_default());
            redacted.push_str(ERASED);
            at = to;
        }
        redacted.push_str(text.get(at..).unwrap_or_default());
        Some(redacted)
    }
}

/// Finds a word or phrase that stands alone, in any case.
fn find_word(
    letters: &[(usize, char)],
    word: &[char],
    end: usize,
    places: &mut Vec<(usize, usize)>,
) {
    let same = |letter: char, wanted: char| letter == wanted || letter.to_lowercase().eq([wanted]);
    for (start, window) in letters.windows(word.len()).enumerate() {
        if !window
            .iter()
            .zip(word)
            .all(|((_, letter), wanted)| same(*letter, *wanted))
        {
            continue;
        }
        let after = letters.get(start + word.len());
        let before = start.checked_sub(1).and_then(|place| letters.get(place));
        let alone = |letter: Option<&(usize, char)>| {
            letter.is_none_or(|(_, letter)| !letter.is_alphanumeric())
        };
        if alone(before) && alone(after) {
            let from = window.first().map_or(end, |(at, _)| *at);
            places.push((from, after.map_or(end, |(at, _)| *at)));
        }
    }
}

impl Trace {
    /// Finds the number in any spelling: between its digits stand separators at most.
    fn find(
        &self,
        letters: &[(usize, char)],
        digits: &[(usize, usize, char)],
        end: usize,
        places: &mut Vec<(usize, usize)>,
    ) {
        let together = |left: &(usize, usize, char), right: &(usize, usize, char)| {
            let between = letters.get(left.1..right.0).unwrap_or_default();
            between.len() <= 3 && between.iter().all(|(_, letter)| is_separator(*letter))
        };
        for (start, window) in digits.windows(self.significant.len()).enumerate() {
            let same = window
                .iter()
                .zip(&self.significant)
                .all(|(digit, wanted)| digit.2 == *wanted);
            let joined = window.windows(2).all(|pair| match pair {
                [left, right] => together(left, right),
                _ => false,
            });
            if !same || !joined {
                continue;
            }
            // Before it, in the spellings of the world: 0, 49, 0049, 49 (0).
            let (zero, code) = (String::from("0"), &self.code);
            let prefixes = [
                format!("00{code}0"),
                format!("{code}0"),
                format!("00{code}"),
                code.clone(),
                zero,
            ];
            let first = prefixes
                .iter()
                .filter(|prefix| !prefix.is_empty())
                .find_map(|prefix| {
                    let from = start.checked_sub(prefix.len())?;
                    let before = digits.get(from..start)?;
                    let same = before.iter().map(|digit| digit.2).eq(prefix.chars());
                    let all = digits.get(from..=start)?;
                    let joined = all.windows(2).all(|pair| match pair {
                        [left, right] => together(left, right),
                        _ => false,
                    });
                    (same && joined).then_some(from)
                })
                .unwrap_or(start);
            let touches = |left: Option<&(usize, usize, char)>,
                           right: Option<&(usize, usize, char)>| {
                matches!((left, right), (Some(left), Some(right)) if left.1 == right.0)
            };
            let last = start + window.len() - 1;
            let alone = !touches(
                first.checked_sub(1).and_then(|it| digits.get(it)),
                digits.get(first),
            ) && !touches(digits.get(last), digits.get(last + 1));
            if !alone {
                continue;
            }
            let mut from = digits.get(first).map_or(0, |digit| digit.0);
            while let Some((_, '+' | '(')) = from.checked_sub(1).and_then(|it| letters.get(it)) {
                from -= 1;
            }
            let to = digits.get(last).map_or(0, |digit| digit.1);
            let byte = |place: usize| letters.get(place).map_or(end, |(at, _)| *at);
            places.push((byte(from), byte(to)));
        }
    }
}

fn is_separator(letter: char) -> bool {
    matches!(
        letter,
        ' ' | '-'
            | '/'
            | '.'
            | '('
            | ')'
            | '+'
            | '\u{a0}'
            | '\u{2009}'
            | '\u{2011}'
            | '\u{202f}'
            | '–'
    )
}

/// A part of a row's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeyPart {
    /// A row's id, or another number.
    Number(i64),
    /// A text.
    Text(String),
}

impl ToSql for KeyPart {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        match self {
            Self::Number(number) => number.to_sql(),
            Self::Text(text) => text.to_sql(),
        }
    }
}

/// A table whose texts can be looked through, row by row in the order of its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TextTable {
    pub(crate) name: String,
    /// The columns of its key; `rowid` where rows have one.
    pub(crate) key: Vec<String>,
    pub(crate) texts: Vec<String>,
}

/// A row in which a person was found outside of their own rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mention {
    pub(crate) table: TextTable,
    pub(crate) key: Vec<KeyPart>,
}

/// All tables with texts.
pub(crate) fn text_tables(connection: &Connection) -> rusqlite::Result<Vec<TextTable>> {
    let mut tables = connection.prepare(
        "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table'
         AND name NOT LIKE 'sqlite%' ORDER BY name",
    )?;
    let tables: Vec<(String, bool)> = tables
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut found = Vec::new();
    for (name, by_key) in tables {
        if NOT_LOOKED_THROUGH.contains(&name.as_str()) {
            continue;
        }
        let mut columns = connection
            .prepare("SELECT name, upper(type), pk FROM pragma_table_xinfo(?1) ORDER BY pk, cid")?;
        let columns: Vec<(String, String, i64)> = columns
            .query_map([&name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<rusqlite::Result<_>>()?;
        let names = |wanted: &dyn Fn(&str, i64) -> bool| {
            let columns = columns.iter().filter(|(_, kind, pk)| wanted(kind, *pk));
            columns.map(|(name, _, _)| name.clone()).collect::<Vec<_>>()
        };
        let texts = names(&|kind, _| matches!(kind, "TEXT" | "ANY" | "JSON"));
        let key = if by_key {
            names(&|_, pk| pk > 0)
        } else {
            vec!["rowid".to_owned()]
        };
        if !texts.is_empty() {
            found.push(TextTable { name, key, texts });
        }
    }
    Ok(found)
}

/// Looks through the next rows of a table; gives where the person is, and the last row's key unless
/// there are no more.
pub(crate) fn mentions(
    connection: &Connection,
    table: &TextTable,
    traces: &Traces,
    after: Option<&[KeyPart]>,
    limit: usize,
) -> rusqlite::Result<(Vec<Mention>, Option<Vec<KeyPart>>)> {
    let key = quoted(&table.key);
    let condition = match after {
        Some(_) => format!(
            "WHERE ({key}) > ({})",
            vec!["?"; table.key.len()].join(", ")
        ),
        None => String::new(),
    };
    let mut query = connection.prepare_cached(&format!(
        "SELECT {key}, {} FROM \"{}\" {condition} ORDER BY {key} LIMIT {limit}",
        quoted(&table.texts),
        table.name
    ))?;
    let mut rows = query.query(params_from_iter(after.unwrap_or_default()))?;
    let (mut found, mut last, mut read) = (Vec::new(), None, 0);
    while let Some(row) = rows.next()? {
        read += 1;
        let mut parts = Vec::with_capacity(table.key.len());
        for column in 0..table.key.len() {
            parts.push(match row.get(column)? {
                Value::Integer(number) => KeyPart::Number(number),
                Value::Text(text) => KeyPart::Text(text),
                _ => KeyPart::Number(0),
            });
        }
        for column in table.key.len()..table.key.len() + table.texts.len() {
            if let ValueRef::Text(text) = row.get_ref(column)?
                && let Ok(text) = std::str::from_utf8(text)
                && traces.redacted(text).is_some()
            {
                found.push(Mention {
                    table: table.clone(),
                    key: parts.clone(),
                });
                break;
            }
        }
        last = Some(parts);
    }
    Ok((found, last.filter(|_| read == limit)))
}

/// Names as SQL has them.
pub(crate) fn quoted(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traces() -> Traces {
        let keys = |text| (NumberKeys::of(text, "DE"), false);
        Person {
            contact: None,
            name: Some("Änne Berger".to_owned()),
            email: Some("Anne.Berger@example.com".to_owned()),
            numbers: vec![
                keys("030 1234567"),
                keys("sip:anne@pbx.example"),
                keys("101"),
            ],
        }
        .traces()
    }

    #[test]
    fn a_person_is_found_in_any_spelling_and_nobody_else_is() {
        for (text, redacted) in [
            ("call 030/123 45-67 again", "call [erased] again"),
            ("+49 (0)30 1234567", "[erased]"),
            ("0049301234567;tag=1", "[erased];tag=1"),
            ("sip:+49301234567@pbx", "sip:[erased]@pbx"),
            ("٠٣٠ ١٢٣٤٥٦٧", "[erased]"),
            (
                "040 999 030 1234567 or 030 1234567.",
                "040 999 [erased] or [erased].",
            ),
            ("änne BERGER, says ÄNNE BERGER", "[erased], says [erased]"),
            (
                "{\"mail\":\"anne.berger@example.com\"}",
                "{\"mail\":\"[erased]\"}",
            ),
            ("from anne@pbx.example", "from [erased]"),
        ] {
            assert_eq!(traces().redacted(text).as_deref(), Some(redacted), "{text}");
        }
        for text in [
            "030 12345678",
            "order 9301234567",
            "13012345671",
            "30-1234 and 567",
            "Änne Bergers",
            "call 101",
            "Berger",
            "",
        ] {
            assert_eq!(traces().redacted(text), None, "{text}");
        }
    }
}
