//! The accounts' own lines: they are nobody's customers.
//!
//! The running phone tells them; the file keeps them, so that a call which a crash left on its way into the
//! log, and a command beside the phone, know them too.

use rusqlite::{Connection, Transaction};

use crate::crm::migration;
use crate::crm::number_key::Numbering;

/// The name under which the keys are kept, as a JSON list.
const SETTING: &str = "own_lines";

/// Keeps the keys of the own lines.
pub(crate) fn save(transaction: &Transaction<'_>, keys: &[String]) -> rusqlite::Result<()> {
    let text = serde_json::to_string(keys)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    migration::set(transaction, SETTING, &text)
}

/// Tells the reading of numbers which own lines the file keeps.
pub(crate) fn load(connection: &Connection, numbering: &Numbering) -> rusqlite::Result<()> {
    let kept = migration::setting(connection, SETTING)?;
    // Only a damaged file says what no version wrote; the phone tells its lines again.
    let keys: Option<Vec<String>> = kept.and_then(|text| serde_json::from_str(&text).ok());
    numbering.know_own(keys.unwrap_or_default());
    Ok(())
}
