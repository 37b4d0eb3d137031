//! Erasing a person: from all rows, texts, recordings, SIP messages and indexes, with a proof.
//!
//! First everything is looked through in short reads, which keep no snapshot; then one transaction
//! erases what was found and writes the proof, so that there is no half erasure. After it the full-text
//! indexes are merged (a deleted row's words stay in them until then), free pages are overwritten and the
//! log is cut to nothing. In the end the files of the data folder are searched for the person, byte by
//! byte: what the proof says is seen, not believed. Where something is left, the whole file is made anew.
//!
//! Calls stay for statistics, unless that is asked for: time, direction, length, outcome, type, queue and
//! quality say nothing of a person, and a call centre must count its calls. Tickets stay with their
//! number, state and times, without title and articles.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, Transaction};

use crate::base::id::ContactId;
use crate::crm::care::{CareDone, CareStep};
use crate::crm::erase_rows::{Counts, erase_rows};
use crate::crm::erasures::{self, Proof};
use crate::crm::number_key::Numbering;
use crate::crm::overwrite::word_tables;
use crate::crm::person::{self, KeyPart, Mention, Person};
use crate::crm::row::{Erased, ErasedCalls, Erasure};
use crate::crm::store::{Store, StoreError, Write};
use crate::crm::writer::WriteError;
use crate::crm::{database_copies, raw_search, recovery};

/// So many rows are looked through in one read: some milliseconds.
const PIECE: usize = 2000;

/// A file up to this size, in bytes, is made anew while the phone works: the calls of that second wait.
const MADE_ANEW_AT_WORK: u64 = 64 << 20;

/// What is to be erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasePlan {
    pub(crate) person: Person,
    pub(crate) calls: ErasedCalls,
    pub(crate) mentions: Vec<Mention>,
    pub(crate) at: Timestamp,
    pub(crate) by: String,
    /// The number of the proof, and its salt; both random.
    pub(crate) id: i64,
    pub(crate) salt: String,
}

/// Who is to be erased, and how.
#[derive(Debug, Clone)]
pub struct EraseOrder {
    /// A contact's id, or a number.
    pub who: String,
    /// What becomes of the calls.
    pub calls: ErasedCalls,
    /// When.
    pub at: Timestamp,
    /// Who erases.
    pub by: String,
    /// A random number for the proof.
    pub id: i64,
    /// A random salt for the proof.
    pub salt: String,
    /// Whether nobody waits for the database, so that a large file may be made anew.
    pub alone: bool,
}

impl Store {
    /// Erases a person. Recordings are marked; whoever owns the files removes them. Blocks for as long
    /// as it takes to look through the whole database.
    ///
    /// # Errors
    ///
    /// Fails when there is no such contact or number, when several contacts share the number, and when
    /// SQLite refuses; nothing is erased then.
    pub fn erase(&self, order: &EraseOrder) -> Result<Erased, StoreError> {
        let numbering = self.numbering().clone();
        let who = order.who.clone();
        let person =
            self.read_piece(move |reader| Person::find(reader.connection(), &who, &numbering))?;
        let mentions = self.mentions(&person)?;
        let patterns = raw_search::patterns(&person);
        self.take_step(CareStep::Erase(Box::new(ErasePlan {
            person,
            calls: order.calls,
            mentions,
            at: order.at,
            by: order.by.clone(),
            id: order.id,
            salt: order.salt.clone(),
        })))?;
        self.overwrite()?;
        let database = self.data_dir().join(crate::crm::open::DATABASE);
        let mut still_in = raw_search::files_with(self.data_dir(), &patterns);
        let size = database.metadata().map_or(0, |file| file.len());
        if still_in.contains(&database) && (order.alone || size <= MADE_ANEW_AT_WORK) {
            self.write_and_wait(Write::MakeAnew)?;
            self.write_and_wait(Write::EmptyLog)?;
            still_in = raw_search::files_with(self.data_dir(), &patterns);
        }
        let id = order.id;
        let (proof, copies) = self.read_piece(move |reader| {
            let proofs = erasures::all(reader.connection())?;
            let proof = proofs.into_iter().find(|proof| proof.erasure.id == id);
            Ok((proof, database_copies::present(reader.connection())?))
        })?;
        let proof = proof.ok_or(StoreError::Missing("proof of the erasure"))?;
        Ok(Erased {
            erasure: proof.erasure,
            recordings_left: Vec::new(),
            still_in,
            copies,
        })
    }

    /// Looks through all texts for a person, in short reads.
    pub(crate) fn mentions(&self, person: &Person) -> Result<Vec<Mention>, StoreError> {
        let traces = person.traces();
        let tables = self.read_piece(|reader| Ok(person::text_tables(reader.connection())?))?;
        let mut all = Vec::new();
        for table in tables {
            let mut after = None;
            let mut rows = PIECE;
            loop {
                let (table, traces, last) = (table.clone(), traces.clone(), after.clone());
                let read = self.read_piece(move |reader| {
                    let last: Option<&[KeyPart]> = last.as_deref();
                    let connection = reader.connection();
                    Ok(person::mentions(connection, &table, &traces, last, rows)?)
                });
                let (found, more) = match read {
                    // Long texts, or a machine that is busy: fewer of them at once.
                    Err(StoreError::TooLong) if rows > 1 => {
                        rows = (rows / 4).max(1);
                        continue;
                    }
                    read => read?,
                };
                all.extend(found);
                if more.is_none() {
                    break;
                }
                after = more;
            }
        }
        Ok(all)
    }
}

/// Erases what a plan names, in one transaction with the proof.
pub(crate) fn erase(
    transaction: &Transaction<'_>,
    plan: &ErasePlan,
    numbering: &Numbering,
) -> Result<CareDone, WriteError> {
    let mut person = plan.person.clone();
    if let Some(contact) = person.contact {
        // As it is now: it may have been changed since everything was looked through.
        let now = Person::of_contact(transaction, contact, numbering);
        person = now.ok().flatten().ok_or(WriteError::Missing("contact"))?;
    }
    let mut counts = Counts::default();
    let recordings = erase_rows(
        transaction,
        &person,
        plan.calls,
        &plan.mentions,
        &mut counts,
    )?;
    let erasure = Erasure {
        id: plan.id,
        at: plan.at,
        by: plan.by.clone(),
        tables: counts.0,
        recordings,
    };
    let removed = plan.calls == ErasedCalls::Remove;
    erasures::insert(
        transaction,
        &Proof::new(&person, erasure, plan.salt.clone(), removed),
    )?;
    Ok(CareDone::default())
}

/// Erases again, in the restored copy of a database, whom the present one of the folder says was erased
/// since; gives how many persons that were.
pub(crate) fn again(
    connection: &mut Connection,
    data_dir: &Path,
    region: &str,
) -> rusqlite::Result<u64> {
    let before: Vec<i64> = erasures::all(connection)?
        .iter()
        .map(|proof| proof.erasure.id)
        .collect();
    for table in ["erasures", "database_copies", "files_to_remove"] {
        let rows = recovery::rows_of(data_dir, table)?;
        erasures::take_over(connection, table, &rows)?;
    }
    let mut proofs = erasures::all(connection)?;
    proofs.retain(|proof| !before.contains(&proof.erasure.id));
    if proofs.is_empty() {
        return Ok(0);
    }
    let numbering = Numbering::new(region);
    let mut erased = Vec::new();
    for (person, proof) in erased_since(connection, &proofs, &numbering)? {
        let traces = person.traces();
        let mut mentions = Vec::new();
        for table in person::text_tables(connection)? {
            let found = person::mentions(connection, &table, &traces, None, usize::MAX >> 1)?;
            mentions.extend(found.0);
        }
        let transaction = connection.transaction()?;
        let counts = &mut Counts::default();
        let calls = if proof.calls_removed {
            ErasedCalls::Remove
        } else {
            ErasedCalls::Anonymise
        };
        match erase_rows(&transaction, &person, calls, &mentions, counts) {
            Ok(_) | Err(WriteError::Missing(_) | WriteError::Refused(_)) => {}
            Err(WriteError::Sqlite(error)) => return Err(error),
        }
        transaction.commit()?;
        erased.push(proof.erasure.id);
    }
    erased.sort_unstable();
    erased.dedup();
    for index in word_tables(connection)? {
        connection.execute(
            &format!("INSERT INTO \"{index}\" (\"{index}\") VALUES ('optimize')"),
            [],
        )?;
    }
    connection.execute_batch("VACUUM")?;
    Ok(erased.len() as u64)
}

/// The persons of a database whom proofs name: contacts, then numbers without one.
fn erased_since<'a>(
    connection: &Connection,
    proofs: &'a [Proof],
    numbering: &Numbering,
) -> rusqlite::Result<Vec<(Person, &'a Proof)>> {
    let mut persons = Vec::new();
    let mut contacts = connection.prepare("SELECT id FROM contacts")?;
    for contact in contacts.query_map([], |row| row.get(0).map(ContactId))? {
        let person = Person::of_contact(connection, contact?, numbering)
            .ok()
            .flatten();
        if let Some(person) = person
            && let Some(proof) = proofs.iter().find(|proof| proof.is_of(&person))
        {
            persons.push((person, proof));
        }
    }
    let mut numbers =
        connection.prepare("SELECT DISTINCT number FROM calls WHERE number IS NOT NULL")?;
    for number in numbers.query_map([], |row| row.get::<_, String>(0))? {
        let number = number?;
        if let Some(proof) = proofs.iter().find(|proof| proof.knows_number(&number)) {
            let person = Person {
                numbers: vec![(numbering.keys(&number), false)],
                ..Person::default()
            };
            persons.push((person, proof));
        }
    }
    Ok(persons)
}
