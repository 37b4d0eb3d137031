//! The full-text indexes, and how each is asked for what a person types.
//!
//! Each word finds what begins with it. FTS5 reads a prefix of an indexed length straight from the index, and
//! ends as soon as it has enough rows; of a longer one it gathers all rows first, a tenth of a second's worth
//! of a common word. So a longer word is asked for as the few words of the index that begin with it.

use rusqlite::types::Value;
use rusqlite::{CachedStatement, Connection, OptionalExtension as _};

use crate::crm::search::{Asked, asked, words};

/// A longer word that is the beginning of more words of the index is asked for as a prefix: that many are
/// rarely common ones.
const BEGINNINGS: usize = 12;

pub(crate) const INDEX_FIRST_LETTERS: &str = "
-- What is noted is searched as one types, too: the next word's first letter came to all words that begin with it,
-- each of them gathered. Contentless, so made anew from the rows.
DROP TABLE ticket_words;
CREATE VIRTUAL TABLE ticket_words USING fts5 (
    title, bodies, content = '', contentless_delete = 1,
    tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3'
);
INSERT INTO ticket_words (rowid, title, bodies)
    SELECT id, title, coalesce((SELECT group_concat(body, ' ') FROM ticket_articles
        WHERE ticket = tickets.id), '') FROM tickets;
DROP TABLE note_words;
CREATE VIRTUAL TABLE note_words USING fts5 (
    text, content = '', contentless_delete = 1,
    tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3'
);
INSERT INTO note_words (rowid, text) SELECT id, text FROM notes;
DROP TABLE call_note_words;
CREATE VIRTUAL TABLE call_note_words USING fts5 (
    text, content = '', contentless_delete = 1,
    tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3'
);
INSERT INTO call_note_words (rowid, text) SELECT seq, notes FROM calls WHERE notes <> '';
DROP TABLE contact_note_words;
CREATE VIRTUAL TABLE contact_note_words USING fts5 (
    text, content = '', contentless_delete = 1,
    tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3'
);
INSERT INTO contact_note_words (rowid, text) SELECT id, notes FROM contacts WHERE notes <> '';
";

/// A full-text index.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WordIndex {
    /// Its table.
    table: &'static str,
    /// The length of the longest prefixes that are indexed, in characters.
    prefix: usize,
}

pub(crate) const CALLS: WordIndex = WordIndex::of("call_words", 7);
pub(crate) const CONTACTS: WordIndex = WordIndex::of("contact_words", 7);
pub(crate) const ORGANIZATIONS: WordIndex = WordIndex::of("organization_words", 7);
pub(crate) const CALL_NOTES: WordIndex = WordIndex::of("call_note_words", 3);
pub(crate) const CONTACT_NOTES: WordIndex = WordIndex::of("contact_note_words", 3);
pub(crate) const NOTES: WordIndex = WordIndex::of("note_words", 3);
pub(crate) const TICKETS: WordIndex = WordIndex::of("ticket_words", 3);

impl WordIndex {
    const fn of(table: &'static str, prefix: usize) -> Self {
        Self { table, prefix }
    }

    /// What this index of names and numbers is asked; none when nothing is searched for.
    pub(crate) fn names(
        self,
        connection: &Connection,
        search: &str,
    ) -> rusqlite::Result<Option<String>> {
        let mut terms = Vec::new();
        for asked in asked(search) {
            terms.push(match asked {
                Asked::Word(word) => {
                    let spelled = self.spelled(connection, &word)?;
                    if has_letters(&word) {
                        // The columns of numbers have no letters, and FTS5 need not look where it found it.
                        spelled
                    } else {
                        format!("{{name organization}} : {spelled}")
                    }
                }
                Asked::Digits(digits) => numbers(&digits),
            });
        }
        Ok((!terms.is_empty()).then(|| terms.join(" AND ")))
    }

    /// What this index is asked for all words, in whichever column.
    pub(crate) fn texts(self, connection: &Connection, search: &str) -> rusqlite::Result<String> {
        let terms = words(search)
            .map(|word| self.spelled(connection, &word))
            .collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(terms.join(" AND "))
    }

    /// A word as the beginning of what is found.
    fn spelled(self, connection: &Connection, word: &str) -> rusqlite::Result<String> {
        if let Some(token) = token(word).filter(|token| token.chars().count() > self.prefix)
            && let Some(beginnings) = self.beginnings(connection, &token)?
        {
            return Ok(format!("(\"{}\")", beginnings.join("\" OR \"")));
        }
        Ok(format!("\"{}\" *", word.replace('"', " ")))
    }

    /// The words of the index that begin with a token; none where there is none, or too many.
    fn beginnings(
        self,
        connection: &Connection,
        token: &str,
    ) -> rusqlite::Result<Option<Vec<String>>> {
        let mut next = self.vocabulary(connection)?;
        let (mut found, mut from) = (Vec::new(), token.to_owned());
        loop {
            let word: Option<String> = next.query_row([&from], |row| row.get(0)).optional()?;
            match word.filter(|word| word.starts_with(token)) {
                Some(_) if found.len() == BEGINNINGS => return Ok(None),
                Some(word) => {
                    // The least that sorts behind it: the same word's other places are not gone through.
                    from.clone_from(&word);
                    from.push('\0');
                    found.push(word);
                }
                None => return Ok((!found.is_empty()).then_some(found)),
            }
        }
    }

    /// The statement that reads the first word of the index from one on. Its table is made for the
    /// connection that searches first, and holds nothing itself.
    fn vocabulary(self, connection: &Connection) -> rusqlite::Result<CachedStatement<'_>> {
        let table = self.table;
        let read = format!("SELECT term FROM temp.{table}_terms WHERE term >= ?1 LIMIT 1");
        let known = connection
            .prepare_cached("SELECT 1 FROM temp.sqlite_schema WHERE name = ?1 || '_terms'")?
            .exists([table])?;
        if !known {
            let query_only: Value =
                connection.pragma_query_value(None, "query_only", |row| row.get(0))?;
            connection.pragma_update(None, "query_only", false)?;
            let made = connection.execute_batch(&format!(
                "CREATE VIRTUAL TABLE temp.{table}_terms USING fts5vocab(main, {table}, instance)"
            ));
            connection.pragma_update(None, "query_only", query_only)?;
            made?;
        }
        connection.prepare_cached(&read)
    }
}

/// Digits as the beginning or the end of a number, or in a name.
fn numbers(digits: &str) -> String {
    let reversed: String = digits.chars().rev().collect();
    // `00` is how many write the `+` of the international form.
    let begin = digits.strip_prefix("00").filter(|rest| !rest.is_empty());
    match begin {
        Some(begin) => format!(
            "((numbers : \"{begin}\" *) OR (reversed : \"{reversed}\" *) OR (name : \"{digits}\" *))"
        ),
        // In one go: FTS5 gathers a long prefix in all columns each time.
        None => format!("(({{name numbers}} : \"{digits}\" *) OR (reversed : \"{reversed}\" *))"),
    }
}

/// Whether a word has a letter that FTS5 sees as one, too: Latin ones are enough.
fn has_letters(word: &str) -> bool {
    word.chars()
        .any(|letter| plain(letter).is_some_and(|letter| letter.is_ascii_alphabetic()))
}

/// The one token that FTS5 makes of a word (`unicode61`, without diacritics); none where that is not plain.
fn token(word: &str) -> Option<String> {
    word.chars().map(plain).collect()
}

/// A letter or digit as FTS5 stores it, of those for which that is plain: ASCII, Latin letters with one mark or of
/// their own, Russian and Chinese ones.
pub(crate) fn plain(letter: char) -> Option<char> {
    if letter.is_ascii() {
        let lower = letter.to_ascii_lowercase();
        return lower.is_ascii_alphanumeric().then_some(lower);
    }
    let mut lower = letter.to_lowercase();
    let (letter, None) = (lower.next()?, lower.next()) else {
        return None;
    };
    Some(match letter {
        'ß' | 'æ' | 'ð' | 'ø' | 'þ' | 'đ' | 'ł' | 'œ' => letter,
        'а'..='я' | 'ё' | '\u{4e00}'..='\u{9fa5}' => letter,
        'à'..='å' | 'ā' | 'ă' | 'ą' => 'a',
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => 'c',
        'ď' => 'd',
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => 'e',
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => 'g',
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' => 'i',
        'ĺ' | 'ļ' | 'ľ' => 'l',
        'ñ' | 'ń' | 'ņ' | 'ň' => 'n',
        'ò'..='ö' | 'ō' | 'ŏ' | 'ő' => 'o',
        'ŕ' | 'ŗ' | 'ř' => 'r',
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => 's',
        'ţ' | 'ť' | 'ț' => 't',
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => 'u',
        'ý' | 'ÿ' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An index as the store's, of these names.
    fn index(names: &[&str]) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "CREATE VIRTUAL TABLE call_words USING fts5 (
                    name, organization, numbers, reversed, content = '', contentless_delete = 1,
                    tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3 4 5 6 7'
                 );",
            )
            .unwrap();
        let mut insert = connection
            .prepare("INSERT INTO call_words VALUES (?1, 'Bäckerei', '4930123', '3210394')")
            .unwrap();
        for name in names {
            insert.execute([name]).unwrap();
        }
        drop(insert);
        connection.pragma_update(None, "query_only", true).unwrap();
        connection
    }

    fn found(connection: &Connection, search: &str) -> Vec<i64> {
        let words = CALLS.names(connection, search).unwrap().unwrap();
        let mut query = connection
            .prepare("SELECT rowid FROM call_words WHERE call_words MATCH ?1 ORDER BY rowid")
            .unwrap();
        let rows = query.query_map([words], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    #[test]
    fn a_short_word_is_a_prefix_and_a_long_one_the_words_that_begin_with_it() {
        let connection = index(&["Anna Schneider", "Schneiderling", "SCHNEIDÉR", "Schneidig"]);
        for (search, query) in [
            ("anna", "\"anna\" *"),
            ("a\"b", "\"a b\" *"),
            ("王", "{name organization} : \"王\" *"),
            ("schneid", "\"schneid\" *"),
            ("Schneide", "(\"schneider\" OR \"schneiderling\")"),
            ("schneiderl", "(\"schneiderling\")"),
            ("schneiderly", "\"schneiderly\" *"),
            ("schneid-er", "\"schneid-er\" *"),
            (
                "030/12",
                "(({name numbers} : \"03012\" *) OR (reversed : \"21030\" *))",
            ),
            (
                "anna 0049 30",
                "\"anna\" * AND ((numbers : \"4930\" *) OR (reversed : \"039400\" *) OR (name : \"004930\" *))",
            ),
        ] {
            let asked = CALLS.names(&connection, search).unwrap();
            assert_eq!(asked.as_deref(), Some(query), "{search}");
        }
        assert_eq!(CALLS.names(&connection, "a").unwrap(), None);
        assert_eq!(found(&connection, "schneider"), [1, 2, 3]);
        assert_eq!(found(&connection, "schneiderl"), [2]);
        assert_eq!(found(&connection, "anna schneiders"), [0; 0]);
        assert_eq!(found(&connection, "anna schneider bäck"), [1]);
        assert_eq!(found(&connection, "0123 schneidig"), [4]);
        // What was made for that is no way to write.
        assert!(connection.execute("DELETE FROM call_words", []).is_err());
    }

    #[test]
    fn a_beginning_of_very_many_words_stays_a_prefix() {
        let names: Vec<String> = (0..20).map(|n| format!("Beginning{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let connection = index(&names);
        let asked = CALLS.names(&connection, "beginning").unwrap();
        assert_eq!(asked.as_deref(), Some("\"beginning\" *"));
        assert_eq!(found(&connection, "beginning").len(), 20);
        assert_eq!(found(&connection, "beginning1").len(), 11);
    }

    /// Else a word would be looked for under a spelling that the index does not have.
    #[test]
    fn plain_letters_are_what_fts5_makes_of_them() {
        let letters: Vec<char> = (' '..='\u{24f}')
            .chain('\u{400}'..='\u{45f}')
            .chain(['一', '王', '龥'])
            .filter(|it| plain(*it).is_some())
            .collect();
        assert!(letters.len() > 220, "{}", letters.len());
        for letter in letters {
            let connection = index(&[&format!("x{letter}y")]);
            let mut words = CALLS.vocabulary(&connection).unwrap();
            let word: String = words.query_row(["x"], |row| row.get(0)).unwrap();
            assert_eq!(Some(word), token(&format!("X{letter}Y")), "{letter}");
        }
    }
}
