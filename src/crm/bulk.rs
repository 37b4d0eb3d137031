//! Many rows at once: with few statements, and without what is done for each row alone.

use rusqlite::config::DbConfig;
use rusqlite::{CachedStatement, Connection, ToSql};

/// So many rows one statement writes or asks for: beyond that its making costs more than it saves.
const ROWS: usize = 64;

/// Writes rows, many with each statement: opening the table and its indexes costs as much as writing a row.
/// `into` is the statement up to `VALUES`; each row gives the values of its columns in order.
///
/// For a statement of many rows that may be undone alone SQLite copies each page before it is changed, which
/// took a quarter of an import's time. Whoever gives up the whole transaction when a row is refused writes
/// `INSERT OR FAIL`, which undoes nothing.
pub(crate) fn insert<T>(
    connection: &Connection,
    into: &str,
    rows: &[T],
    columns: usize,
    mut values: impl FnMut(&mut Values<'_, '_>, &T) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let row = format!("({})", vec!["?"; columns].join(", "));
    let mut write = |rows: &[T], sql: &str| {
        let mut statement = connection.prepare_cached(sql)?;
        let mut bound = Values {
            statement: &mut statement,
            next: 1,
        };
        for row in rows {
            values(&mut bound, row)?;
        }
        statement.raw_execute().map(drop)
    };
    let (whole, rest) = rows.as_chunks::<ROWS>();
    let many = format!("{into} VALUES {}", vec![row.as_str(); ROWS].join(", "));
    for rows in whole {
        write(rows, &many)?;
    }
    let one = format!("{into} VALUES {row}");
    for row in rest {
        write(std::slice::from_ref(row), &one)?;
    }
    Ok(())
}

/// The values of a statement that writes rows.
pub(crate) struct Values<'a, 'c> {
    statement: &'a mut CachedStatement<'c>,
    next: usize,
}

impl Values<'_, '_> {
    /// Gives the next column its value.
    pub(crate) fn add(&mut self, value: impl ToSql) -> rusqlite::Result<()> {
        self.statement.raw_bind_parameter(self.next, value)?;
        self.next += 1;
        Ok(())
    }
}

/// Asks a condition of many texts, in the order that indexes have, and marks the places of those for which it
/// holds. The condition names the text `asked.text`.
pub(crate) fn mark<'a>(
    connection: &Connection,
    condition: &str,
    texts: impl IntoIterator<Item = (&'a str, usize)>,
    marks: &mut [bool],
) -> rusqlite::Result<()> {
    let mut texts: Vec<(&str, usize)> = texts.into_iter().collect();
    texts.sort_unstable();
    if texts.is_empty() {
        return Ok(());
    }
    let many = vec!["(?)"; ROWS].join(", ");
    let mut query = connection.prepare_cached(&format!(
        "WITH asked (text) AS (VALUES {many}) SELECT text FROM asked WHERE {condition}"
    ))?;
    for some in texts.chunks(ROWS) {
        for place in 0..ROWS {
            // What is not there is null, and equal to nothing.
            let text = some.get(place).map(|(text, _)| text);
            query.raw_bind_parameter(place + 1, text)?;
        }
        let mut rows = query.raw_query();
        while let Some(row) = rows.next()? {
            let found = row.get_ref(0)?.as_str()?;
            for (_, place) in some.iter().filter(|(text, _)| *text == found) {
                if let Some(mark) = marks.get_mut(*place) {
                    *mark = true;
                }
            }
        }
    }
    Ok(())
}

/// As long as it lives, a connection runs no triggers and looks up no references: whoever writes does the
/// triggers' work for all rows at once, and points to nothing that is not there.
pub(crate) struct WithoutTriggers<'c>(&'c Connection);

impl<'c> WithoutTriggers<'c> {
    pub(crate) fn on(connection: &'c Connection) -> rusqlite::Result<Self> {
        let without = Self(connection);
        without.set(false)?;
        Ok(without)
    }

    fn set(&self, on: bool) -> rusqlite::Result<()> {
        for config in [
            DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER,
            DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY,
        ] {
            self.0.set_db_config(config, on)?;
        }
        Ok(())
    }
}

impl Drop for WithoutTriggers<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.set(true) {
            tracing::error!("triggers could not be switched on again: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("CREATE TABLE words (place INTEGER PRIMARY KEY, word TEXT)")
            .unwrap();
        connection
    }

    fn fill(connection: &Connection, words: &[String]) {
        insert(
            connection,
            "INSERT INTO words (word)",
            words,
            1,
            |values, word| values.add(word),
        )
        .unwrap();
    }

    #[test]
    fn all_rows_are_written_in_order_however_many_there_are() {
        for count in [0, 1, ROWS - 1, ROWS, ROWS + 1, 3 * ROWS + 5] {
            let connection = table();
            let words: Vec<String> = (0..count).map(|n| n.to_string()).collect();
            fill(&connection, &words);
            let mut query = connection
                .prepare("SELECT word FROM words ORDER BY place")
                .unwrap();
            let rows = query.query_map([], |row| row.get::<_, String>(0)).unwrap();
            let written: Vec<String> = rows.map(Result::unwrap).collect();
            assert_eq!(written, words);
        }
    }

    #[test]
    fn those_for_whom_it_holds_are_marked_at_each_place_that_they_have() {
        let connection = table();
        let words: Vec<String> = (0..200).step_by(3).map(|n| format!("{n:03}")).collect();
        fill(&connection, &words);
        let asked: Vec<String> = (0..200)
            .rev()
            .map(|n| format!("{:03}", n - n % 2))
            .collect();
        let mut marks = vec![false; 200];
        let texts = asked.iter().map(String::as_str).zip(0..);
        let condition = "EXISTS (SELECT 1 FROM words WHERE word = asked.text)";
        mark(&connection, condition, texts, &mut marks).unwrap();
        let expected: Vec<bool> = asked.iter().map(|text| words.contains(text)).collect();
        assert_eq!(marks, expected);
    }

    #[test]
    fn triggers_and_references_are_left_out_only_as_long_as_that_was_wished() {
        let connection = table();
        connection
            .execute_batch(
                "CREATE TABLE seen (word TEXT REFERENCES words (place));
                 CREATE TRIGGER words_insert AFTER INSERT ON words BEGIN
                    INSERT INTO seen VALUES (new.place);
                 END;",
            )
            .unwrap();
        let seen = || -> i64 {
            let count = "SELECT count(*) FROM seen";
            connection.query_row(count, [], |row| row.get(0)).unwrap()
        };
        fill(&connection, &["a".to_owned()]);
        assert_eq!(seen(), 1);
        let without = WithoutTriggers::on(&connection).unwrap();
        fill(&connection, &["b".to_owned()]);
        assert_eq!(seen(), 1);
        connection
            .execute("INSERT INTO seen VALUES (99)", [])
            .unwrap();
        connection
            .execute("DELETE FROM seen WHERE word = 99", [])
            .unwrap();
        drop(without);
        fill(&connection, &["c".to_owned()]);
        assert_eq!(seen(), 2);
        assert!(
            connection
                .execute("INSERT INTO seen VALUES (99)", [])
                .is_err()
        );
    }
}
