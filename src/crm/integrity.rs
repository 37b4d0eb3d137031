//! Looking for damage in a large database while the phone works.
//!
//! SQLite's own check is one statement for the whole file, or for one table with its indexes: it can be
//! interrupted, and not taken up again. So each table is given well below a second; one that needs longer is
//! read through in pieces by its key instead. That reads every page of the table and all long values, as
//! the check does, and asks each index for each row, which the quick check does not.

use rusqlite::{Connection, params_from_iter};

use crate::crm::person::{KeyPart, quoted};
use crate::crm::store::{Store, StoreError};

/// Rows that are read in one piece where a table is too large to be checked at once.
const PIECE: usize = 2000;

/// One table, and how it is read by key.
#[derive(Debug, Clone)]
struct Checked {
    name: String,
    key: Vec<String>,
}

impl Store {
    /// Reads all tables and indexes and gives what is damaged, in SQLite's words; empty when all is
    /// well. No snapshot is held for a second. `goes_on` is asked between the pieces; it may pause.
    ///
    /// # Errors
    ///
    /// Fails when the file cannot be read at all.
    pub fn check(&self, goes_on: &dyn Fn() -> bool) -> Result<Vec<String>, StoreError> {
        let tables = self.read_piece(|reader| Ok(tables(reader.connection())?))?;
        let mut damage = Vec::new();
        for table in tables {
            if !goes_on() {
                break;
            }
            let name = table.name.clone();
            let verdict = self.read_piece(move |reader| {
                let sql = format!("PRAGMA quick_check(\"{name}\")");
                let mut query = reader.connection().prepare(&sql)?;
                let lines = query.query_map([], |row| row.get::<_, String>(0))?;
                Ok(lines.collect::<rusqlite::Result<Vec<_>>>()?)
            });
            match verdict {
                Ok(lines) => damage.extend(lines.into_iter().filter(|line| line != "ok")),
                Err(StoreError::TooLong) => damage.extend(self.check_in_pieces(&table, goes_on)?),
                Err(StoreError::Closed) => return Err(StoreError::Closed),
                Err(error) => damage.push(format!("{}: {error}", table.name)),
            }
        }
        Ok(damage)
    }

    /// As [`check`](Self::check) does with a table that is too large to be checked at once.
    #[cfg(test)]
    pub(crate) fn check_all_in_pieces(
        &self,
        goes_on: &dyn Fn() -> bool,
    ) -> Result<Vec<String>, StoreError> {
        let mut damage = Vec::new();
        for table in self.read_piece(|reader| Ok(tables(reader.connection())?))? {
            damage.extend(self.check_in_pieces(&table, goes_on)?);
        }
        Ok(damage)
    }

    fn check_in_pieces(
        &self,
        table: &Checked,
        goes_on: &dyn Fn() -> bool,
    ) -> Result<Vec<String>, StoreError> {
        let mut damage = Vec::new();
        let mut after: Option<Vec<KeyPart>> = None;
        while goes_on() {
            let (table, last) = (table.clone(), after.take());
            let name = table.name.clone();
            let piece = self.read_piece(move |reader| {
                Ok(piece(reader.connection(), &table, last.as_deref(), PIECE)?)
            });
            match piece {
                Ok((found, next)) => {
                    damage.extend(found);
                    if next.is_none() {
                        break;
                    }
                    after = next;
                }
                Err(StoreError::Closed) => return Err(StoreError::Closed),
                Err(error) => {
                    damage.push(format!("{name}: {error}"));
                    break;
                }
            }
        }
        Ok(damage)
    }
}

/// All tables, those behind the full-text indexes too.
fn tables(connection: &Connection) -> rusqlite::Result<Vec<Checked>> {
    let mut query = connection.prepare(
        "SELECT name, wr FROM pragma_table_list WHERE schema = 'main'
         AND type IN ('table', 'shadow') AND name NOT LIKE 'sqlite%' ORDER BY name",
    )?;
    let tables: Vec<(String, bool)> = query
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut keys =
        connection.prepare("SELECT name FROM pragma_table_xinfo(?1) WHERE pk > 0 ORDER BY pk")?;
    tables
        .into_iter()
        .map(|(name, by_key)| {
            let key = if by_key {
                keys.query_map([&name], |row| row.get(0))?
                    .collect::<rusqlite::Result<_>>()?
            } else {
                vec!["rowid".to_owned()]
            };
            Ok(Checked { name, key })
        })
        .collect()
}

/// Reads the next rows of a table in full, and looks for each in each index. Gives what is missing, and
/// the last row's key unless there are no more.
fn piece(
    connection: &Connection,
    table: &Checked,
    after: Option<&[KeyPart]>,
    limit: usize,
) -> rusqlite::Result<(Vec<String>, Option<Vec<KeyPart>>)> {
    let key = quoted(&table.key);
    let places = vec!["?"; table.key.len()].join(", ");
    let start = match after {
        Some(_) => format!("WHERE ({key}) > ({places})"),
        None => String::new(),
    };
    let mut query = connection.prepare_cached(&format!(
        "SELECT {key}, * FROM \"{}\" {start} ORDER BY {key} LIMIT {limit}",
        table.name
    ))?;
    let columns = query.column_count();
    let mut rows = query.query(params_from_iter(after.unwrap_or_default()))?;
    let (mut last, mut read) = (None, 0);
    while let Some(row) = rows.next()? {
        read += 1;
        // A long value is read only when it is asked for.
        for column in 0..columns {
            row.get_ref(column)?;
        }
        let mut parts = Vec::with_capacity(table.key.len());
        for column in 0..table.key.len() {
            parts.push(match row.get(column)? {
                rusqlite::types::Value::Integer(number) => KeyPart::Number(number),
                rusqlite::types::Value::Text(text) => KeyPart::Text(text),
                _ => KeyPart::Number(0),
            });
        }
        last = Some(parts);
    }
    let Some(last) = last else {
        return Ok((Vec::new(), None));
    };
    let mut damage = Vec::new();
    for (index, columns, partial) in indexes(connection, &table.name)? {
        let same: Vec<String> = columns
            .iter()
            .chain(&table.key)
            .map(|column| format!("x.\"{column}\" IS r.\"{column}\""))
            .collect();
        let of_index = partial.as_deref().unwrap_or("1");
        let range = match after {
            Some(_) => format!("(r_key) > ({places}) AND (r_key) <= ({places})"),
            None => format!("(r_key) <= ({places})"),
        };
        let r_key: Vec<String> = table.key.iter().map(|it| format!("r.\"{it}\"")).collect();
        let range = range.replace("r_key", &r_key.join(", "));
        let keys_of_index = format!(
            "SELECT {key} FROM \"{0}\" NOT INDEXED WHERE {of_index}",
            table.name
        );
        let mut query = connection.prepare_cached(&format!(
            "SELECT count(*) FROM \"{0}\" r WHERE {range}
             AND EXISTS ({keys_of_index} AND {same_row})
             AND NOT EXISTS (SELECT 1 FROM \"{0}\" x INDEXED BY \"{index}\"
                WHERE {same} AND ({of_index}))",
            table.name,
            same_row = table
                .key
                .iter()
                .map(|it| format!("\"{0}\".\"{it}\" = r.\"{it}\"", table.name))
                .collect::<Vec<_>>()
                .join(" AND "),
            same = same.join(" AND "),
        ))?;
        let bound = after.unwrap_or_default().iter().chain(&last);
        let missing: i64 = query.query_row(params_from_iter(bound), |row| row.get(0))?;
        if missing > 0 {
            damage.push(format!(
                "{missing} rows of {} are not in {index}",
                table.name
            ));
        }
    }
    Ok((damage, Some(last).filter(|_| read == limit)))
}

type Index = (String, Vec<String>, Option<String>);

/// The indexes of a table: name, columns, and the condition of one that has only some rows.
fn indexes(connection: &Connection, table: &str) -> rusqlite::Result<Vec<Index>> {
    let mut query = connection.prepare_cached(
        "SELECT l.name, l.partial, s.sql FROM pragma_index_list(?1) l
         JOIN sqlite_schema s ON s.name = l.name AND s.type = 'index'",
    )?;
    let list: Vec<(String, bool, Option<String>)> = query
        .query_map([table], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut columns = connection.prepare_cached(
        "SELECT name FROM pragma_index_info(?1) WHERE name IS NOT NULL ORDER BY seqno",
    )?;
    list.into_iter()
        .map(|(index, partial, sql)| {
            let names = columns
                .query_map([&index], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            // Our own words: the condition is what follows the only WHERE.
            let condition = sql
                .filter(|_| partial)
                .and_then(|sql| sql.split_once("WHERE").map(|(_, it)| it.trim().to_owned()));
            Ok((index, names, condition))
        })
        .collect()
}
