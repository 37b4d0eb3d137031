//! The schema's history: append-only steps on `user_version`, applied all or none.
//!
//! A step that was released is never edited: what it made wrong, a later one mends.

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::crm::{call_links, calls, contact_numbers, contacts, number_choices, organizations};

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
];

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

/// Brings the schema to the newest version in one transaction, and the number keys to the region.
pub(crate) fn migrate(connection: &mut Connection, region: &str) -> rusqlite::Result<()> {
    migrate_to(connection, newest())?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    follow_region(&transaction, region)?;
    transaction.commit()
}

fn migrate_to(connection: &mut Connection, target: i64) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = version(&transaction)?;
    for (step, number) in STEPS.iter().zip(1..) {
        if number > found && number <= target {
            transaction.execute_batch(step)?;
        }
    }
    if found < target {
        transaction.pragma_update(None, "user_version", target)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    transaction.commit()
}

/// Reads the region that the number keys were made for.
pub(crate) fn stored_region(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let mut query = connection.prepare("SELECT value FROM store_settings WHERE name = 'region'")?;
    let mut rows = query.query([])?;
    rows.next()?.map(|row| row.get(0)).transpose()
}

fn follow_region(transaction: &Transaction<'_>, region: &str) -> rusqlite::Result<()> {
    let before = stored_region(transaction)?;
    if before.as_deref() == Some(region) {
        return Ok(());
    }
    if before.is_some() {
        contact_numbers::read_again(transaction, region)?;
        contacts::index_all(transaction)?;
    }
    transaction.execute(
        "INSERT OR REPLACE INTO store_settings (name, value) VALUES ('region', ?1)",
        [region],
    )?;
    Ok(())
}
