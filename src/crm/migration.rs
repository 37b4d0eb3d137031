//! The schema's history: append-only steps on `user_version`, applied all or none.
//!
//! A step that was released is never edited: what it made wrong, a later one mends.

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};

use crate::crm::{
    agent_states, agents, arrivals, audit, block_list, call_criteria, call_ladders, call_links,
    call_popups, call_quality, call_types, calls, contact_numbers, contact_uids, contacts,
    database_copies, different_people, direct_dial, erasures, files_to_remove, import, memberships,
    notes, number_choices, number_hints, organizations, queues, refused, routing, row_counts,
    tasks, tickets, undo, word_index, words_behind,
};

/// Marks the file as Ringdesk's in SQLite's header: the letters `RING`.
pub(crate) const APPLICATION_ID: i64 = 0x5249_4e47;

/// The steps in order; the n-th leads to schema version n.
const STEPS: &[&str] = &[
    SETTINGS,
    organizations::CREATE,
    contacts::CREATE,
    contact_numbers::CREATE,
    calls::CREATE,
    call_links::CREATE,
    number_choices::CREATE,
    contacts::CREATE_WORDS,
    calls::CREATE_WORDS,
    calls::ADD_WAY,
    refused::CREATE,
    call_ladders::CREATE,
    calls::ADD_TRANSFERS,
    calls::ADD_REDIRECTION,
    arrivals::CREATE,
    calls::ADD_ANSWERER,
    call_quality::CREATE,
    calls::ADD_RECORDING_GAPS,
    contacts::ADD_LEADS,
    memberships::CREATE,
    contact_numbers::CREATE_FOR_ORGANIZATIONS,
    call_links::CONCERN_ANYTHING,
    number_choices::OF_ANYTHING,
    call_types::CREATE,
    tickets::CREATE,
    notes::CREATE,
    tasks::CREATE,
    audit::CREATE,
    undo::CREATE,
    call_criteria::CREATE,
    direct_dial::ADD_EXTENSIONS,
    number_hints::CREATE,
    contact_uids::CREATE,
    import::CREATE,
    files_to_remove::CREATE,
    database_copies::CREATE,
    erasures::CREATE,
    agents::CREATE,
    queues::CREATE,
    block_list::CREATE,
    call_popups::CREATE,
    agent_states::CREATE,
    row_counts::CREATE,
    calls::INDEX_WAITING,
    contacts::INDEX_PREFIXES,
    calls::INDEX_PREFIXES,
    different_people::CREATE,
    tasks::ADD_ORIGIN,
    tickets::MARK_WRAP_UPS,
    calls::INDEX_WITHHELD,
    contacts::INDEX_NOTES,
    organizations::CREATE_WORDS,
    tasks::INDEX_DONE,
    call_criteria::INDEX_NOT_DONE,
    call_links::ORDER_BY_TIME,
    word_index::INDEX_FIRST_LETTERS,
    contacts::INDEX_STAGES,
    row_counts::COUNT_SILENT,
    number_hints::OWN_MERGED_TEXTS,
    calls::INDEX_ENTERED,
    calls::ADD_RECORDING_START,
    queues::ADD_SCRIPTS,
    words_behind::CREATE,
    number_choices::TELL_REMEMBERED,
];

/// Where all steps lead, as one script: a new file is made by it, for the steps take five times as long and leave
/// their traces in memory. A test compares the two.
const NEWEST: &str = include_str!("newest_schema.sql");

/// How numbers are read: another word than the file's makes all number keys again. It changes when the
/// same spelling gets other keys.
const READING: &str = "2";

const SETTINGS: &str = "
-- What the rows depend on and the configuration may change: with another region the numbers
-- without a country code mean other people, so all keys are made again.
CREATE TABLE store_settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
";

/// The newest schema version that this program knows.
pub(crate) fn newest() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

/// Reads the schema version of a file; 0 is an empty one.
pub(crate) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Brings the schema to the newest version in one transaction, and the number keys to the region and to how
/// numbers are read now.
pub(crate) fn migrate(connection: &mut Connection, region: &str) -> rusqlite::Result<()> {
    migrate_to(connection, newest())?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    follow_reading(&transaction, region)?;
    transaction.commit()
}

pub(crate) fn migrate_to(connection: &mut Connection, target: i64) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = version(&transaction)?;
    if found == 0 && target == newest() && is_empty(&transaction)? {
        // One by one: SQLite copies all that follows a statement.
        for statement in NEWEST.split("\n\n") {
            transaction.execute_batch(statement)?;
        }
    } else {
        for (step, number) in STEPS.iter().zip(1..) {
            if number > found && number <= target {
                transaction.execute_batch(step)?;
            }
        }
    }
    if found < target {
        transaction.pragma_update(None, "user_version", target)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    transaction.commit()
}

fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row(
        "SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)",
        [],
        |row| row.get(0),
    )
}

/// Reads the region that the number keys were made for.
pub(crate) fn stored_region(connection: &Connection) -> rusqlite::Result<Option<String>> {
    setting(connection, "region")
}

/// Reads what the store was told under a name.
pub(crate) fn setting(connection: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT value FROM store_settings WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

/// Keeps a value under a name.
pub(crate) fn set(connection: &Connection, name: &str, value: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO store_settings (name, value) VALUES (?1, ?2)")?
        .execute([name, value])?;
    Ok(())
}

/// Makes the number keys again where they were made for another region, or by another reading.
pub(crate) fn follow_reading(transaction: &Transaction<'_>, region: &str) -> rusqlite::Result<()> {
    let before = stored_region(transaction)?;
    let reading = setting(transaction, "reading")?;
    if before.as_deref() == Some(region) && reading.as_deref() == Some(READING) {
        return Ok(());
    }
    if before.is_some() {
        contact_numbers::read_again(transaction, region)?;
        contacts::index_all(transaction)?;
        routing::read_again(transaction, region)?;
    }
    set(transaction, "region", region)?;
    set(transaction, "reading", READING)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crm::open::{self, DATABASE};
    use crate::crm::row::CallFilter;
    use crate::crm::{OpenError, Store};

    /// A file as the program made it before there was full-text search.
    fn older() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let mut connection = open::for_writing(folder.path(), open::CHECKED_AT_START).unwrap();
        migrate_to(&mut connection, 7).unwrap();
        connection
            .execute_batch(
                "INSERT INTO store_settings VALUES ('region', 'DE');
                 INSERT INTO organizations VALUES (1, 'Example AG', 'example ag');
                 INSERT INTO contacts VALUES (5, 'Anna', 'anna', 1, NULL, NULL, '');
                 INSERT INTO contact_numbers VALUES (5, 0, 'Work', '0301234567', '+49301234567',
                    '0301234567', '76543210394', NULL, 0);
                 INSERT INTO calls (id, direction, state, remote, e164, number, digits, reversed,
                    local, contact, contact_name, started_at, ended_at, done)
                 VALUES ('018bcfe5-6800-7000-8000-000000000001', 'inbound', 'no-answer',
                    '0301234567', '+49301234567', '+49301234567', '0301234567', '76543210394',
                    'sip:alice@example.com', 5, 'Anna', 1700000000000000, 1700000010000000, 0);",
            )
            .unwrap();
        folder
    }

    fn file_version(folder: &tempfile::TempDir) -> i64 {
        version(&Connection::open(folder.path().join(DATABASE)).unwrap()).unwrap()
    }

    #[test]
    fn an_older_file_is_brought_up_with_all_its_rows() {
        let folder = older();
        let store = Store::open(folder.path(), "DE").unwrap();
        for search in ["anna", "030123", "4567", ""] {
            let page = store.calls(CallFilter::All, search, None, 10);
            let page = page.blocking_recv().unwrap().unwrap();
            assert_eq!(page.rows.len(), 1, "{search}");
            assert_eq!(page.rows[0].contact_name.as_deref(), Some("Anna"));
            let found = store.contacts(search, None, 10).blocking_recv().unwrap();
            assert_eq!(found.unwrap().total, 1, "{search}");
        }
        drop(store);
        assert_eq!(file_version(&folder), newest());
    }

    #[test]
    fn a_step_that_fails_leaves_the_file_as_it_was() {
        let folder = older();
        let blocker = Connection::open(folder.path().join(DATABASE)).unwrap();
        // The last step cannot make its table; those before it could.
        blocker
            .execute_batch("CREATE TABLE call_words (mine TEXT)")
            .unwrap();
        drop(blocker);
        let error = Store::open(folder.path(), "DE").err().unwrap();
        assert!(matches!(error, OpenError::Io { .. }), "{error}");
        assert!(error.to_string().contains("call_words"), "{error}");
        assert_eq!(file_version(&folder), 7);
        let connection = Connection::open(folder.path().join(DATABASE)).unwrap();
        let made: i64 = connection
            .query_row(
                "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'contact_words%'",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(made, 0);
    }

    /// What makes the tables, indexes and triggers of a file, and the rows in it, in the order of their making.
    fn script_of(connection: &Connection) -> String {
        let mut script = String::new();
        let mut made = connection
            .prepare(
                "SELECT name, sql FROM sqlite_schema AS made WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'
                 -- The tables behind a full-text index come with it.
                 AND NOT EXISTS (SELECT 1 FROM sqlite_schema AS words
                    WHERE words.sql LIKE 'CREATE VIRTUAL TABLE%' AND made.name LIKE words.name || '#_%' ESCAPE '#')
                 ORDER BY rowid",
            )
            .unwrap();
        let made = made.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        let made: Vec<(String, String)> = made.unwrap().map(Result::unwrap).collect();
        for (_, sql) in &made {
            script.push_str(sql);
            script.push_str(";\n\n");
        }
        for (name, sql) in &made {
            if !sql.starts_with("CREATE TABLE") {
                continue;
            }
            let mut rows = connection
                .prepare(&format!("SELECT * FROM {name}"))
                .unwrap();
            let columns = rows.column_count();
            let mut rows = rows.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                let values: Vec<String> = (0..columns)
                    .map(|column| {
                        let literal = "SELECT quote(?1)";
                        let value: rusqlite::types::Value = row.get(column).unwrap();
                        connection
                            .query_row(literal, [value], |row| row.get(0))
                            .unwrap()
                    })
                    .collect();
                script.push_str(&format!(
                    "INSERT INTO {name} VALUES ({});\n",
                    values.join(", ")
                ));
            }
        }
        script
    }

    #[test]
    fn a_new_file_is_what_the_steps_make() {
        let folder = tempfile::tempdir().unwrap();
        let mut stepped = open::for_writing(folder.path(), open::CHECKED_AT_START).unwrap();
        migrate_to(&mut stepped, newest() - 1).unwrap();
        migrate_to(&mut stepped, newest()).unwrap();
        let wanted = script_of(&stepped);
        if wanted.trim() != NEWEST.trim() {
            let place = std::env::temp_dir().join("newest_schema.sql");
            std::fs::write(&place, &wanted).unwrap();
            panic!(
                "src/crm/newest_schema.sql is not what the steps make; it is written to {}",
                place.display()
            );
        }
        let folder = tempfile::tempdir().unwrap();
        let mut fresh = open::for_writing(folder.path(), open::CHECKED_AT_START).unwrap();
        migrate_to(&mut fresh, newest()).unwrap();
        assert_eq!(script_of(&fresh), wanted);
        assert_eq!(version(&fresh).unwrap(), newest());
    }

    #[test]
    fn each_step_says_why() {
        for step in STEPS {
            assert!(step.trim_start().starts_with("-- "), "{step}");
        }
    }
}
