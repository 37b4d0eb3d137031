//! The proofs of erasures: when, by whom and how much, and by what the person is known again.
//!
//! A proof holds no data: of the person's numbers, e-mail address and name there are salted hashes. They
//! are needed where an older backup is restored: whoever is in it and was erased since is erased again.
//! A hash of a number is no secret: who has the database can try all numbers there are, and so learn
//! that a number was erased once, which is what the proof is for; of what was erased it tells nothing.

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params, params_from_iter};
use sha2::{Digest as _, Sha256};

use crate::crm::person::Person;
use crate::crm::row::{Erasure, TableCount};

pub(crate) const CREATE: &str = "
-- Whom was erased, without saying who it was. The id is random: proofs of two databases do not meet.
-- `known_by` is JSON, a list of salted hashes; `contact` is a row that is gone and never used again.
CREATE TABLE erasures (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    calls_removed INTEGER NOT NULL,
    contact INTEGER,
    salt TEXT NOT NULL,
    known_by TEXT NOT NULL,
    tables TEXT NOT NULL,
    recordings INTEGER NOT NULL
) STRICT;
";

/// A proof as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Proof {
    pub(crate) erasure: Erasure,
    pub(crate) calls_removed: bool,
    pub(crate) contact: Option<i64>,
    salt: String,
    known_by: Vec<String>,
}

impl Proof {
    /// Makes the proof of an erasure.
    pub(crate) fn new(
        person: &Person,
        erasure: Erasure,
        salt: String,
        calls_removed: bool,
    ) -> Self {
        let mut proof = Self {
            erasure,
            calls_removed,
            contact: person.contact.map(|contact| contact.0),
            known_by: Vec::new(),
            salt,
        };
        let numbers = person.own_keys().map(|key| proof.hash("number", key));
        proof.known_by = numbers
            .chain(person.email.iter().map(|email| proof.hash("mail", email)))
            .chain(person.name.iter().map(|name| proof.hash("name", name)))
            .collect();
        proof
    }

    /// Whether a person of another database is the one who was erased. A name alone, or a number
    /// under another name, is not enough.
    pub(crate) fn is_of(&self, person: &Person) -> bool {
        let name = person.name.as_deref().map(|name| self.knows("name", name));
        let number = person.own_keys().any(|key| self.knows("number", key));
        let mail = person
            .email
            .as_deref()
            .is_some_and(|it| self.knows("mail", it));
        let row = self.contact.is_some() && self.contact == person.contact.map(|it| it.0);
        let nameless = self.contact.is_none();
        mail || (number && (nameless || name != Some(false))) || (row && name == Some(true))
    }

    /// Whether a number is one that was erased.
    pub(crate) fn knows_number(&self, key: &str) -> bool {
        self.knows("number", key)
    }

    fn knows(&self, what: &str, text: &str) -> bool {
        self.known_by.contains(&self.hash(what, text))
    }

    fn hash(&self, what: &str, text: &str) -> String {
        let folded = text.trim().to_lowercase();
        let hash = Sha256::new()
            .chain_update(&self.salt)
            .chain_update(what)
            .chain_update([0])
            .chain_update(folded);
        let hash = hash.finalize();
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Writes a proof.
pub(crate) fn insert(connection: &Connection, proof: &Proof) -> rusqlite::Result<()> {
    let erasure = &proof.erasure;
    connection.execute(
        "INSERT OR IGNORE INTO erasures
            (id, at, by, calls_removed, contact, salt, known_by, tables, recordings)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            erasure.id,
            erasure.at.as_microsecond(),
            erasure.by,
            proof.calls_removed,
            proof.contact,
            proof.salt,
            json(&proof.known_by)?,
            json(&erasure.tables)?,
            i64::try_from(erasure.recordings).unwrap_or(i64::MAX),
        ],
    )?;
    Ok(())
}

/// All proofs, oldest first.
pub(crate) fn all(connection: &Connection) -> rusqlite::Result<Vec<Proof>> {
    let mut query = connection.prepare("SELECT * FROM erasures ORDER BY at, id")?;
    let rows = query.query_map([], read)?;
    rows.collect()
}

/// Takes over the rows of another database, as [`all`] would read them there; those that are here
/// already stay.
pub(crate) fn take_over(
    connection: &Connection,
    table: &str,
    rows: &[Vec<(String, Value)>],
) -> rusqlite::Result<()> {
    for row in rows {
        let names: Vec<String> = row.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        connection.execute(
            &format!(
                "INSERT OR IGNORE INTO \"{table}\" ({}) VALUES ({})",
                names.join(", "),
                vec!["?"; names.len()].join(", ")
            ),
            params_from_iter(row.iter().map(|(_, value)| value)),
        )?;
    }
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Proof> {
    let known_by: String = row.get("known_by")?;
    let tables: String = row.get("tables")?;
    Ok(Proof {
        erasure: Erasure {
            id: row.get("id")?,
            at: Timestamp::from_microsecond(row.get("at")?).unwrap_or_default(),
            by: row.get("by")?,
            tables: serde_json::from_str::<Vec<TableCount>>(&tables).unwrap_or_default(),
            recordings: row.get::<_, i64>("recordings")?.unsigned_abs(),
        },
        calls_removed: row.get("calls_removed")?,
        contact: row.get("contact")?,
        salt: row.get("salt")?,
        known_by: serde_json::from_str(&known_by).unwrap_or_default(),
    })
}

fn json(value: &impl serde::Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}
