//! A damaged database becomes a whole one: what can be read of it goes into a new file.
//!
//! Nothing outside a damaged page is lost. The file is read page by page, without SQLite; each row that
//! is whole goes into a new file of the same schema version, which is then brought to the newest. Indexes and
//! full-text indexes are made anew. Rows that point to lost ones are mended: a lost contact, organization
//! or ticket is replaced by one with the name that its calls show, so that what hung on it stays; what else points nowhere is
//! unlinked, or goes with the row that it belonged to, and is counted as lost. The damaged file stays,
//! under a dated name.
//!
//! SQLite has no checksums: bytes that changed inside of a text are no damage that anybody can see.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, params_from_iter};

use crate::base::id::TicketId;
use crate::crm::migration::{self, APPLICATION_ID};
use crate::crm::open::{self, DATABASE};
use crate::crm::page_format::{Page, Pages, Record};
use crate::crm::recovery_trees::{self, Found, Tree};
use crate::crm::replace_database::WORK;
use crate::crm::row::{Recovered, RecoveredTable};
use crate::crm::store::OpenError;
use crate::crm::{contacts, database_copies, replace_database, row_counts, tickets, words_behind};

/// Where the header has the schema version and whose file it is (section 1.3 of the format).
const USER_VERSION: usize = 60;
const APPLICATION: usize = 68;

/// Saves what is whole of a folder's database into a new one, and keeps the present one under a dated
/// name. The region is that of numbers without a country code.
///
/// # Errors
///
/// Fails when a phone runs on the folder, when the file is another program's or a newer version's, and
/// when the disk is full; the database is as it was then.
pub fn recover(data_dir: &Path, region: &str, at: Timestamp) -> Result<Recovered, OpenError> {
    let _lock = open::lock(data_dir)?;
    let path = data_dir.join(DATABASE);
    let refused = |error: std::io::Error| OpenError::Io {
        path: path.clone(),
        detail: error.to_string(),
    };
    let pages = Pages::open(&path).map_err(refused)?;
    let version = version(&pages, &path)?;
    let fresh = data_dir.join(WORK);
    replace_database::remove(&fresh).map_err(refused)?;
    drop(open::private_file(&fresh).map_err(refused)?);
    let made = save(&pages, &fresh, version, region).and_then(|(connection, mut recovered)| {
        let kept = replace_database::keep_present(data_dir, "damaged", at).map_err(io_error)?;
        database_copies::note(&connection, &kept, at)?;
        connection.close().map_err(|(_, error)| error)?;
        recovered.kept = kept;
        Ok(recovered)
    });
    match made {
        Ok(recovered) => {
            replace_database::replace(data_dir, &fresh).map_err(refused)?;
            Ok(recovered)
        }
        Err(error) => {
            // What was begun is of no use; the first error is the one to tell.
            replace_database::remove(&fresh).ok();
            Err(open::failed(&fresh, &error))
        }
    }
}

/// All rows of one table that can be read in a file, damaged or not, with the names of their columns.
pub(super) fn rows_of(
    data_dir: &Path,
    table: &str,
) -> rusqlite::Result<Vec<Vec<(String, rusqlite::types::Value)>>> {
    let Ok(pages) = Pages::open(&data_dir.join(DATABASE)) else {
        return Ok(Vec::new());
    };
    let mut model = Connection::open_in_memory()?;
    migration::migrate_to(&mut model, migration::newest())?;
    let found = recovery_trees::find(&pages, recovery_trees::expected(&model)?);
    let mut rows = Vec::new();
    for tree in found.trees.iter().filter(|tree| tree.name == table) {
        each_row(&pages, tree, |key, row| {
            let names = tree.columns.iter();
            rows.push(
                names
                    .zip(row)
                    .map(|(column, value)| match key.filter(|_| column.is_key) {
                        Some(key) => (column.name.clone(), key.into()),
                        None => (column.name.clone(), value),
                    })
                    .collect(),
            );
            Ok(())
        })?;
    }
    Ok(rows)
}

/// The schema version of the file; where its header is lost, the newest.
fn version(pages: &Pages, path: &Path) -> Result<i64, OpenError> {
    let newest = migration::newest();
    let (Some(version), Some(application)) =
        (pages.header(USER_VERSION), pages.header(APPLICATION))
    else {
        return Ok(newest);
    };
    let found = i64::from(version);
    if i64::from(application) != APPLICATION_ID {
        return Err(OpenError::Damaged {
            path: path.to_owned(),
            detail: "it belongs to another program".to_owned(),
        });
    }
    if found > newest {
        return Err(OpenError::Newer {
            path: path.to_owned(),
            found,
            known: newest,
        });
    }
    Ok(if found == 0 { newest } else { found })
}

/// Fills a new file; gives it with what there is to tell.
fn save(
    pages: &Pages,
    fresh: &Path,
    version: i64,
    region: &str,
) -> rusqlite::Result<(Connection, Recovered)> {
    let mut connection = open::apart(fresh)?;
    connection.pragma_update(None, "foreign_keys", false)?;
    migration::migrate_to(&mut connection, version)?;
    let found = recovery_trees::find(pages, recovery_trees::expected(&connection)?);
    let transaction = connection.transaction()?;
    let read = fill(&transaction, pages, &found)?;
    transaction.commit()?;
    migration::migrate(&mut connection, region)?;
    connection.pragma_update(None, "foreign_keys", false)?;
    let transaction = connection.transaction()?;
    mend(&transaction)?;
    contacts::index_all(&transaction)?;
    row_counts::count_again(&transaction)?;
    let tickets: Vec<i64> = transaction
        .prepare("SELECT id FROM tickets")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for ticket in tickets {
        tickets::index(&transaction, TicketId(ticket))?;
    }
    transaction.commit()?;
    let verdict: String =
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        let text = format!("what was saved is not sound: {verdict}");
        return Err(io_error(std::io::Error::other(text)));
    }
    let tables = report(&connection, &found, &read)?;
    let damaged = |tree: &Tree| tree.damaged;
    let recovered = Recovered {
        kept: fresh.to_owned(),
        pages: pages.count(),
        damaged_pages: found.trees.iter().map(damaged).sum::<u64>() + found.schema_damaged,
        unassigned_pages: found.unassigned,
        tables,
    };
    Ok((connection, recovered))
}

/// How many rows of a table were met, whole or not.
struct Met {
    table: String,
    rows: u64,
    whole: u64,
}

/// Puts the rows of all tables into the new file.
fn fill(connection: &Connection, pages: &Pages, found: &Found) -> rusqlite::Result<Vec<Met>> {
    let ordinary: Vec<String> = connection
        .prepare(
            "SELECT name FROM pragma_table_list
             WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite%'",
        )?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    // What the schema's steps put there themselves is in the file, too.
    for table in &ordinary {
        connection.execute(&format!("DELETE FROM \"{table}\""), [])?;
    }
    let mut met = Vec::new();
    for tree in &found.trees {
        // What is still to be indexed is indexed with all else.
        if tree.index_of.is_some()
            || !ordinary.contains(&tree.name)
            || tree.name == words_behind::TABLE
        {
            continue;
        }
        let mut whole = 0;
        let unreadable = each_row(pages, tree, |key, row| {
            whole += 1;
            insert(connection, tree, key, row)
        })?;
        met.push(Met {
            table: tree.name.clone(),
            rows: whole + unreadable,
            whole,
        });
    }
    for sequence in &found.sequences {
        if let [table, highest] = sequence.as_slice() {
            // An id is never used again, also that of a row that was deleted or is lost.
            connection.execute(
                "UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1",
                [table, highest],
            )?;
            connection.execute(
                "INSERT INTO sqlite_sequence (name, seq) SELECT ?1, ?2 WHERE NOT EXISTS
                    (SELECT 1 FROM sqlite_sequence WHERE name = ?1)",
                [table, highest],
            )?;
        }
    }
    Ok(met)
}

/// Takes each readable row of a table; gives how many cells cannot be read.
fn each_row(
    pages: &Pages,
    tree: &Tree,
    mut take: impl FnMut(Option<i64>, Record) -> rusqlite::Result<()>,
) -> rusqlite::Result<u64> {
    let mut unreadable = 0;
    for leaf in &tree.leaves {
        let Some(read) = pages.read(*leaf, &mut |_| {}) else {
            continue;
        };
        unreadable += read.unreadable;
        let (keyed, plain) = match read.page {
            Page::TableLeaf(rows) => (rows, Vec::new()),
            Page::IndexLeaf(rows) | Page::IndexInner(_, rows) => (Vec::new(), rows),
            Page::TableInner(_) => (Vec::new(), Vec::new()),
        };
        let keyed = keyed.into_iter().map(|(key, row)| (Some(key), row));
        for (key, row) in keyed.chain(plain.into_iter().map(|row| (None, row))) {
            if tree.fits(&row) {
                take(key, row)?;
            } else {
                unreadable += 1;
            }
        }
    }
    Ok(unreadable)
}

fn insert(
    connection: &Connection,
    tree: &Tree,
    key: Option<i64>,
    row: Record,
) -> rusqlite::Result<()> {
    let columns: Vec<String> = tree
        .columns
        .iter()
        .take(row.len())
        .map(|column| format!("\"{}\"", column.name))
        .collect();
    let places = vec!["?"; columns.len()];
    let sql = format!(
        "INSERT OR IGNORE INTO \"{}\" ({}) VALUES ({})",
        tree.name,
        columns.join(", "),
        places.join(", ")
    );
    let values = row.into_iter().zip(&tree.columns).map(|(value, column)| {
        match key.filter(|_| column.is_key) {
            Some(key) => key.into(),
            None => value,
        }
    });
    match connection
        .prepare_cached(&sql)?
        .execute(params_from_iter(values))
    {
        // A damaged row may hold what no rule of its table allows: it is not whole.
        Err(error)
            if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) =>
        {
            Ok(())
        }
        Ok(_) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Mends what points to rows that are lost.
fn mend(connection: &Connection) -> rusqlite::Result<()> {
    let mut references = connection.prepare(
        "SELECT t.name, f.\"table\", f.\"from\", coalesce(f.\"to\", 'id'), x.\"notnull\" OR x.pk > 0
         FROM pragma_table_list t JOIN pragma_foreign_key_list(t.name) f
         JOIN pragma_table_xinfo(t.name) x ON x.name = f.\"from\"
         WHERE t.schema = 'main' AND t.type = 'table'",
    )?;
    let references: Vec<Reference> = references
        .query_map([], |row| {
            Ok((
                row.get(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get(3)?,
                row.get(4)?,
            ))
        })?
        .collect::<rusqlite::Result<_>>()?;
    stand_for_lost(connection, &references)?;
    // What goes may have been pointed to itself.
    loop {
        let mut changed = 0;
        for (table, parent, from, to, needed) in &references {
            let change = if *needed {
                format!("DELETE FROM \"{table}\"")
            } else {
                format!("UPDATE \"{table}\" SET \"{from}\" = NULL")
            };
            changed += connection.execute(
                &format!(
                    "{change} WHERE \"{from}\" IS NOT NULL
                     AND \"{from}\" NOT IN (SELECT \"{to}\" FROM \"{parent}\")"
                ),
                [],
            )?;
        }
        if changed == 0 {
            return Ok(());
        }
    }
}

/// A reference: table, what it points to, from which column, to which, and whether it must.
type Reference = (String, String, String, String, bool);

/// Puts a row in the place of each lost contact, organization and ticket that others belong to, so that
/// numbers, notes and articles stay. Its name is the one that calls show.
fn stand_for_lost(connection: &Connection, references: &[Reference]) -> rusqlite::Result<()> {
    for (parent, kind, word) in [
        ("contacts", "contact", "Contact"),
        ("organizations", "organization", "Organization"),
        ("tickets", "ticket", "Ticket"),
    ] {
        let mut pointing: Vec<String> = references
            .iter()
            .filter(|(_, to, _, _, _)| to == parent)
            .map(|(table, _, from, _, _)| format!("SELECT \"{from}\" AS lost FROM \"{table}\""))
            .collect();
        for table in ["call_links", "notes", "tasks", "number_choices"] {
            pointing.push(format!("SELECT subject FROM {table} WHERE kind = '{kind}'"));
        }
        let (columns, values) = match parent {
            "tickets" => ("title, state, created_at, updated_at", "name, 'open', 0, 0"),
            _ => ("name, folded", "name, lower(name)"),
        };
        connection.execute(
            &format!(
                "INSERT INTO {parent} (id, {columns}) SELECT lost, {values} FROM
                    (SELECT DISTINCT lost, coalesce((SELECT name FROM call_links
                        WHERE kind = '{kind}' AND subject = lost LIMIT 1),
                        '{word} ' || lost || ' (recovered)') AS name
                    FROM ({}) WHERE lost IS NOT NULL AND lost NOT IN (SELECT id FROM {parent}))",
                pointing.join(" UNION ALL ")
            ),
            [],
        )?;
    }
    Ok(())
}

/// Counts what was saved and lost.
fn report(
    connection: &Connection,
    found: &Found,
    met: &[Met],
) -> rusqlite::Result<Vec<RecoveredTable>> {
    let mut tables = Vec::new();
    for Met { table, rows, whole } in met {
        let Some(tree) = found.trees.iter().find(|tree| tree.name == *table) else {
            continue;
        };
        let saved: i64 =
            connection.query_row(&format!("SELECT count(*) FROM \"{table}\""), [], |row| {
                row.get(0)
            })?;
        let saved = u64::try_from(saved).unwrap_or_default();
        // A whole index has an entry for each row, also for those that are lost.
        let indexed = found
            .trees
            .iter()
            .filter(|index| index.index_of.as_ref() == Some(table) && index.full && !index.broken)
            .map(|index| index.entries)
            .max();
        let all = match indexed {
            Some(entries) => Some(entries.max(*rows)),
            None => (tree.damaged == 0).then_some(*rows),
        };
        // A contact that stands for a lost one is not saved, and none that was there is lost twice.
        let lost = all.map(|all| all.saturating_sub(saved.min(*whole)));
        if saved > 0 || tree.damaged > 0 || lost != Some(0) {
            tables.push(RecoveredTable {
                table: table.clone(),
                saved,
                lost,
                damaged_pages: tree.damaged,
            });
        }
    }
    tables.sort_by(|left, right| left.table.cmp(&right.table));
    Ok(tables)
}

fn io_error(error: std::io::Error) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(error))
}
