//! All that is held of a person, for the person: the right of access.

use std::collections::HashSet;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, params_from_iter};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::crm::erase_rows::pointing_to;
use crate::crm::person::{Mention, Person, quoted};
use crate::crm::store::{Store, StoreError};

/// Rows of the tables that hang on a call, read in one piece.
const PIECE: usize = 200;

/// What is held of a person.
#[derive(Debug, Clone, PartialEq)]
pub struct SubjectExport {
    /// All rows, by table, as JSON.
    pub data: Value,
    /// The recordings that calls name.
    pub recordings: Vec<String>,
}

impl Store {
    /// Gathers all that is held of a person, in short reads. Blocks for as long as it takes to look
    /// through the whole database.
    ///
    /// # Errors
    ///
    /// Fails when there is no such contact or number, or several contacts share the number.
    pub fn export_person(&self, who: &str) -> Result<SubjectExport, StoreError> {
        let numbering = self.numbering().clone();
        let text = who.to_owned();
        let person =
            self.read_piece(move |reader| Person::find(reader.connection(), &text, &numbering))?;
        let mentions = self.mentions(&person)?;
        let mut export = Export::default();
        let contact = person.contact.map(|contact| contact.0);
        if let Some(contact) = contact {
            let tables = self.read_piece(|reader| {
                let mut tables = pointing_to(reader.connection(), "contacts")?;
                tables.retain(|(table, _)| table != "calls");
                Ok(tables)
            })?;
            let own = ("contacts".to_owned(), "id".to_owned());
            for (table, column) in std::iter::once(own).chain(tables) {
                let rows = self.read_piece(move |reader| {
                    let condition = format!("\"{column}\" = ?1");
                    let keys = [rusqlite::types::Value::Integer(contact)];
                    Ok((read(reader.connection(), &table, &condition, &keys)?, table))
                })?;
                export.add(&rows.1, rows.0);
            }
        }
        if let Some(contact) = contact {
            let own = person.clone();
            let tickets = self.read_piece(move |reader| Ok(own.tickets(reader.connection())?))?;
            let about = tickets.into_iter().map(|ticket| ("ticket", ticket));
            for (kind, subject) in about.chain([("contact", contact)]) {
                for (table, condition) in [
                    ("notes", "kind = ?1 AND subject = ?2"),
                    ("tasks", "kind = ?1 AND subject = ?2"),
                    ("audit", "kind = ?1 AND subject = ?2"),
                    ("ticket_articles", "?1 = 'ticket' AND ticket = ?2"),
                ] {
                    let rows = self.read_piece(move |reader| {
                        let keys = [kind.to_owned().into(), subject.into()];
                        let keys: &[rusqlite::types::Value] = &keys;
                        Ok(read(reader.connection(), table, condition, keys)?)
                    })?;
                    export.add(table, rows);
                }
            }
        }
        let of_calls = self.read_piece(move |reader| {
            let calls = person.calls(reader.connection())?;
            Ok((calls, pointing_to(reader.connection(), "calls")?))
        })?;
        for calls in of_calls.0.chunks(PIECE) {
            let own = ("calls".to_owned(), "seq".to_owned());
            for (table, column) in std::iter::once(&own).chain(&of_calls.1) {
                let (table, column, calls) = (table.clone(), column.clone(), calls.to_vec());
                let rows = self.read_piece(move |reader| {
                    let mut rows = Vec::new();
                    for call in calls {
                        let condition = format!("\"{column}\" = ?1");
                        let keys = [rusqlite::types::Value::Integer(call)];
                        rows.extend(read(reader.connection(), &table, &condition, &keys)?);
                    }
                    Ok((rows, table))
                })?;
                export.add(&rows.1, rows.0);
            }
        }
        for mention in mentions {
            let rows = self.read_piece(move |reader| {
                let rows = mentioned(reader.connection(), &mention)?;
                Ok((rows, mention.table.name))
            })?;
            export.add(&rows.1, rows.0);
        }
        Ok(export.finished(who))
    }
}

/// What is gathered so far; a row that is found twice is told once.
#[derive(Default)]
struct Export {
    tables: Map<String, Value>,
    /// The digests of the rows that are told, with their tables.
    told: HashSet<[u8; 32]>,
}

impl Export {
    fn add(&mut self, table: &str, rows: Vec<Value>) {
        if rows.is_empty() {
            return;
        }
        let all = self.tables.entry(table).or_insert_with(|| json!([]));
        for row in rows {
            let digest = Sha256::digest(format!("{table} {row}"));
            if let (true, Value::Array(all)) = (self.told.insert(digest.into()), &mut *all) {
                all.push(row);
            }
        }
    }

    fn finished(self, who: &str) -> SubjectExport {
        let recordings: Vec<String> = self
            .tables
            .get("calls")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|call| call.get("recording")?.as_str().map(str::to_owned))
            .collect();
        SubjectExport {
            data: json!({
                "person": who,
                "times": "microseconds since 1970-01-01T00:00:00Z",
                "tables": self.tables,
                "recordings": recordings,
            }),
            recordings,
        }
    }
}

fn mentioned(connection: &Connection, mention: &Mention) -> rusqlite::Result<Vec<Value>> {
    let key = &mention.table.key;
    let condition = format!("({}) = ({})", quoted(key), vec!["?"; key.len()].join(", "));
    read(connection, &mention.table.name, &condition, &mention.key)
}

/// Rows as objects; a text that is JSON itself stays a text, as it is stored.
fn read(
    connection: &Connection,
    table: &str,
    condition: &str,
    keys: &[impl rusqlite::ToSql],
) -> rusqlite::Result<Vec<Value>> {
    let mut query =
        connection.prepare_cached(&format!("SELECT * FROM \"{table}\" WHERE {condition}"))?;
    let names: Vec<String> = query.column_names().map(str::to_owned).collect();
    let rows = query.query_map(params_from_iter(keys), |row| {
        let mut object = Map::new();
        for (column, name) in names.iter().enumerate() {
            let value = match row.get_ref(column)? {
                ValueRef::Null => continue,
                ValueRef::Integer(number) => json!(number),
                ValueRef::Real(number) => json!(number),
                ValueRef::Text(text) => json!(String::from_utf8_lossy(text)),
                ValueRef::Blob(bytes) => json!(format!("{} bytes", bytes.len())),
            };
            object.insert(name.clone(), value);
        }
        Ok(Value::Object(object))
    })?;
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each row was compared with all before it: of a number that calls all day, for hours.
    #[test]
    fn very_many_rows_are_told_once_each() {
        let rows = || (0..50_000).map(|seq| json!({"seq": seq, "state": "completed"}));
        let mut export = Export::default();
        for _ in 0..2 {
            export.add("calls", rows().collect());
        }
        export.add("notes", rows().take(1).collect());
        let export = export.finished("Anna").data;
        let count = |table: &str| export["tables"][table].as_array().unwrap().len();
        assert_eq!((count("calls"), count("notes")), (50_000, 1));
    }
}
