//! How the database of a folder is, for somebody who looks for a fault: whether it is whole, and how much is in
//! it, but no row.

use std::path::Path;

use crate::crm::open::{self, DATABASE};
use crate::crm::row::StoreState;
use crate::crm::store::OpenError;
use crate::crm::{backup, migration};

/// Reads a database through by a connection of its own, so that nobody's calls wait; of a large one that takes
/// seconds. None where there is no database yet.
///
/// # Errors
///
/// Fails when the file cannot be read, or is another program's or a newer version's.
pub fn store_state(data_dir: &Path) -> Result<Option<StoreState>, OpenError> {
    let path = data_dir.join(DATABASE);
    let size = |path: &Path| path.metadata().map(|file| file.len()).unwrap_or_default();
    if size(&path) == 0 {
        return Ok(None);
    }
    let connection = open::examined(&path)?;
    let look = || {
        Ok(StoreState {
            schema: migration::version(&connection)?,
            newest_schema: migration::newest(),
            octets: size(&path),
            log_octets: size(&path.with_extension("db-wal")),
            verdict: backup::sound(&connection)?,
            tables: backup::counts(&connection)?,
        })
    };
    look()
        .map(Some)
        .map_err(|error| open::failed(&path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crm::Store;

    #[test]
    fn a_running_store_is_looked_at_from_beside() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(store_state(folder.path()).unwrap(), None);
        let store = Store::open(folder.path(), "DE").unwrap();
        let state = store_state(folder.path()).unwrap().unwrap();
        assert_eq!(
            (state.schema, state.verdict.as_str()),
            (migration::newest(), "ok")
        );
        assert!(
            state
                .tables
                .iter()
                .any(|table| table.table == "store_settings")
        );
        drop(store);
        std::fs::write(folder.path().join(DATABASE), "no database at all").unwrap();
        store_state(folder.path()).unwrap_err();
    }
}
