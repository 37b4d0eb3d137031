//! Overwriting what deleted rows leave behind: words in the full-text indexes, free pages, the log.

use rusqlite::{Connection, Transaction};

use crate::crm::care::{CareDone, CareStep};
use crate::crm::store::{Store, StoreError, Write};

impl Store {
    /// Overwrites what deleted rows left in indexes, free pages and the log.
    pub(crate) fn overwrite(&self) -> Result<(), StoreError> {
        let mut first = true;
        while self.take_step(CareStep::MergeWords { first })?.more {
            first = false;
        }
        while self.take_step(CareStep::OverwriteFree)?.more {}
        self.write_and_wait(Write::EmptyLog).map(drop)
    }
}

/// The full-text indexes.
pub(crate) fn word_tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut query = connection.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%USING fts5%'",
    )?;
    let rows = query.query_map([], |row| row.get(0))?;
    rows.collect()
}

/// Merges a little of the full-text indexes, so that the words of deleted rows go. The first step
/// begins the merge of everything, the others go on with it.
pub(crate) fn merge_words(
    transaction: &Transaction<'_>,
    first: bool,
) -> rusqlite::Result<CareDone> {
    /// Pages that are written in one step.
    const PAGES: i64 = 500;
    let mut more = false;
    for index in word_tables(transaction)? {
        let mut merge = transaction.prepare(&format!(
            "INSERT INTO \"{index}\" (\"{index}\", rank) VALUES ('merge', ?1)"
        ))?;
        let before = transaction.total_changes();
        merge.execute([if first { -PAGES } else { PAGES }])?;
        // Fewer changes than two say that there was nothing to merge (FTS5, section 6.8).
        more |= transaction.total_changes() - before >= 2;
    }
    Ok(CareDone { rows: 0, more })
}

/// Overwrites some of the free pages, which still hold what was deleted: a table takes them, filled with
/// zeros, and is dropped when it has them all.
pub(crate) fn overwrite_free(transaction: &Transaction<'_>) -> rusqlite::Result<CareDone> {
    /// Pages in one transaction: 4 MiB.
    const PAGES: i64 = 1000;
    transaction.execute_batch("CREATE TABLE IF NOT EXISTS free_pages (zeros BLOB) STRICT")?;
    let free = |transaction: &Transaction<'_>| {
        transaction.pragma_query_value(None, "freelist_count", |row| row.get::<_, i64>(0))
    };
    let before = free(transaction)?;
    transaction.execute(
        "WITH RECURSIVE n (n) AS (SELECT 1 WHERE ?1 > 0 UNION ALL SELECT n + 1 FROM n WHERE n < ?1)
         INSERT INTO free_pages SELECT zeroblob(4000) FROM n",
        [before.min(PAGES)],
    )?;
    let more = free(transaction)? > 0;
    if !more {
        transaction.execute_batch("DROP TABLE free_pages")?;
    }
    Ok(CareDone { rows: 0, more })
}
