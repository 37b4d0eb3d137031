//! What is in a data folder: looked at in a copy with SQLite alone, then started as the phone does.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Instant;

use ringdesk::crm::Store;
use ringdesk::crm::row::CallRow;
use rusqlite::Connection;

use crate::driver::HANGS;
use crate::expected::Expected;
use crate::record::{Call, Record, Row};

/// The database, its log, the journal from before it has one, and the calls that were put aside; what else
/// lies there is made again.
pub(crate) const FILES: [&str; 4] = [
    "ringdesk.db",
    "ringdesk.db-wal",
    "ringdesk.db-journal",
    "ringdesk.arrivals",
];

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) rows: BTreeMap<Record, Row>,
    /// Of these, the calls that lie on the page of arrivals and not in the log yet.
    pub(crate) arrivals: BTreeSet<Record>,
    /// Those that lie in the file beside the database.
    pub(crate) aside: BTreeSet<Record>,
}

/// Looks at a folder, starts the store on it, and looks again: everything that was acknowledged is there,
/// nothing is half there, the files are whole. Gives what was found before and after the start.
pub(crate) fn check(folder: &Path, expected: &Expected) -> Result<(Found, Found), String> {
    let before = look(folder)?;
    expected.compare(&before.rows)?;
    let began = Instant::now();
    match Store::open(folder, "DE") {
        Ok(store) => drop(store),
        Err(error) => return Err(format!("the next start fails: {error}")),
    }
    if began.elapsed() > HANGS {
        return Err(format!("the next start takes {:?}", began.elapsed()));
    }
    let after = look(folder)?;
    let settled: BTreeMap<Record, Row> = before
        .rows
        .iter()
        .map(|(record, row)| (record.clone(), row.after_start()))
        .collect();
    if !after.arrivals.is_empty() || !after.aside.is_empty() {
        let left = (&after.arrivals, &after.aside);
        return Err(format!("not taken into the log: {left:?}"));
    }
    Expected::of(&settled)
        .compare(&after.rows)
        .map_err(|why| format!("the next start changes something: {why}"))?;
    Ok((before, after))
}

/// Reads what is there, in a copy.
pub(crate) fn look(folder: &Path) -> Result<Found, String> {
    let copy = folder.with_extension("copy");
    fs::create_dir_all(&copy).unwrap();
    for name in FILES {
        let (from, to) = (folder.join(name), copy.join(name));
        if from.exists() {
            fs::copy(from, to).unwrap();
        } else if to.exists() {
            fs::remove_file(to).unwrap();
        }
    }
    let found = read(&copy.join(FILES[0]));
    let aside = fs::read(copy.join(FILES[3])).unwrap_or_default();
    fs::remove_dir_all(copy).unwrap();
    let mut found = found.map_err(|error| format!("it cannot be read: {error}"))??;
    // A line that was cut off was never acknowledged.
    for line in aside.split(|byte| *byte == b'\n') {
        let Ok(call) = serde_json::from_slice::<CallRow>(line) else {
            continue;
        };
        let record = Record::Call(call.id.to_string());
        found
            .rows
            .entry(record.clone())
            .or_insert_with(|| Row::Call(Call::of(&call)));
        found.aside.insert(record);
    }
    Ok(found)
}

/// Each full-text index, and the rows that it must have.
const SEARCHED: [(&str, &str); 5] = [
    ("call_words", "SELECT seq AS id FROM calls"),
    (
        "call_note_words",
        "SELECT seq AS id FROM calls WHERE notes <> ''",
    ),
    // Those of an import are indexed behind its commit; until then their words are kept as lines.
    (
        "contact_words",
        "SELECT id FROM contacts WHERE id IN (SELECT id FROM contact_words_docsize)
         OR NOT EXISTS (SELECT 1 FROM contacts_to_index WHERE contacts.id BETWEEN first
            AND first + length(lines) - length(replace(lines, char(10), '')))",
    ),
    (
        "contact_note_words",
        "SELECT id FROM contacts WHERE notes <> ''",
    ),
    ("organization_words", "SELECT id FROM organizations"),
];

fn read(path: &Path) -> rusqlite::Result<Result<Found, String>> {
    let connection = Connection::open(path)?;
    let tables = names(&connection, "SELECT name FROM sqlite_schema")?;
    if tables.is_empty() {
        return Ok(Ok(Found::default()));
    }
    let verdicts = names(&connection, "PRAGMA integrity_check")?;
    if verdicts != BTreeSet::from(["ok".to_owned()]) {
        return Ok(Err(format!("it is damaged: {verdicts:?}")));
    }
    let orphans = names(
        &connection,
        "SELECT \"table\" FROM pragma_foreign_key_check",
    )?;
    if !orphans.is_empty() {
        return Ok(Err(format!("rows point to nothing: {orphans:?}")));
    }
    let searched = names(
        &connection,
        "SELECT name FROM sqlite_schema WHERE sql LIKE 'CREATE VIRTUAL TABLE%USING fts5%'",
    )?;
    for words in &searched {
        connection.execute(
            &format!("INSERT INTO {words} ({words}) VALUES ('integrity-check')"),
            [],
        )?;
    }
    for (words, rows) in SEARCHED {
        if !searched.contains(words) {
            continue;
        }
        let half: i64 = connection.query_row(
            &format!(
                "SELECT count(*) FROM (SELECT * FROM ({rows} EXCEPT SELECT id FROM {words}_docsize)
                    UNION ALL SELECT * FROM (SELECT id FROM {words}_docsize EXCEPT {rows}))"
            ),
            [],
            |row| row.get(0),
        )?;
        if half > 0 {
            return Ok(Err(format!(
                "{half} rows are half there: {words} differs from {rows}"
            )));
        }
    }
    if tables.contains("row_counts") {
        let wrong = names(
            &connection,
            "SELECT list FROM row_counts WHERE list = 'calls'
                AND row_count <> (SELECT count(*) FROM calls)
             OR list = 'contacts' AND row_count <> (SELECT count(*) FROM contacts)",
        )?;
        if !wrong.is_empty() {
            return Ok(Err(format!("the counts are wrong: {wrong:?}")));
        }
    }
    let unlinked: i64 = connection.query_row(
        "SELECT count(*) FROM calls WHERE contact IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM call_links WHERE call = seq)",
        [],
        |row| row.get(0),
    )?;
    if unlinked > 0 {
        return Ok(Err(format!(
            "{unlinked} calls show somebody without a link"
        )));
    }
    let mut found = Found {
        rows: rows(&connection)?,
        ..Found::default()
    };
    if tables.contains("tickets") {
        found.rows.extend(work(&connection)?);
    }
    if tables.contains("arrivals") {
        for text in names(&connection, "SELECT call FROM arrivals")? {
            let call: CallRow = match serde_json::from_str(&text) {
                Ok(call) => call,
                Err(error) => return Ok(Err(format!("half a call: {error}: {text}"))),
            };
            let record = Record::Call(call.id.to_string());
            found
                .rows
                .entry(record.clone())
                .or_insert_with(|| Row::Call(Call::of(&call)));
            found.arrivals.insert(record);
        }
    }
    Ok(Ok(found))
}

fn names(connection: &Connection, query: &str) -> rusqlite::Result<BTreeSet<String>> {
    let mut query = connection.prepare(query)?;
    let rows = query.query_map([], |row| row.get(0))?;
    rows.collect()
}

fn rows(connection: &Connection) -> rusqlite::Result<BTreeMap<Record, Row>> {
    let mut found = BTreeMap::new();
    let mut query = connection.prepare(
        "SELECT id, direction = 'inbound', state, started_at, answered_at, ended_at, waiting_millis,
            talking_millis, sip_call_id, end_reason, notes, done,
            iif(level = 'manual', contact_name, NULL) FROM calls",
    )?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let call = Call {
            inbound: row.get(1)?,
            state: row.get(2)?,
            started: row.get(3)?,
            answered: row.get(4)?,
            ended: row.get(5)?,
            waiting_millis: row.get(6)?,
            talking_millis: row.get(7)?,
            sip_call_id: row.get(8)?,
            end_reason: row.get(9)?,
            notes: row.get(10)?,
            done: row.get(11)?,
            chosen: row.get(12)?,
        };
        found.insert(Record::Call(row.get(0)?), Row::Call(call));
    }
    let mut query = connection.prepare(
        "SELECT c.email, c.name, c.notes, o.name, (SELECT group_concat(raw, '|' ORDER BY place)
            FROM contact_numbers WHERE contact = c.id)
         FROM contacts c LEFT JOIN organizations o ON o.id = c.organization",
    )?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let numbers: Option<String> = row.get(4)?;
        let contact = Row::Contact {
            name: row.get(1)?,
            notes: row.get(2)?,
            organization: row.get(3)?,
            numbers: numbers
                .iter()
                .flat_map(|numbers| numbers.split('|').map(str::to_owned))
                .collect(),
        };
        found.insert(Record::Contact(row.get(0)?), contact);
    }
    // Employers come with their contacts.
    let mut query =
        connection.prepare("SELECT name FROM organizations WHERE name LIKE 'Organization %'")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        let words: Vec<&str> = name.split(' ').take(2).collect();
        let record = Record::Organization(words.join(" "));
        found.insert(record, Row::Organization { name });
    }
    Ok(found)
}

/// Tickets, tasks and notes.
fn work(connection: &Connection) -> rusqlite::Result<BTreeMap<Record, Row>> {
    let mut found = BTreeMap::new();
    let mut query = connection.prepare(
        "SELECT t.title, t.state, (SELECT json_group_array(body) FROM
                (SELECT body FROM ticket_articles WHERE ticket = t.id ORDER BY id)),
            (SELECT k.id FROM call_links l JOIN calls k ON k.seq = l.call
                WHERE l.kind = 'ticket' AND l.subject = t.id)
         FROM tickets t",
    )?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let (title, articles): (String, String) = (row.get(0)?, row.get(2)?);
        let record = match row.get(3)? {
            Some(call) => Record::Draft(call),
            None => Record::Ticket(title),
        };
        let ticket = Row::Ticket {
            state: row.get(1)?,
            articles: serde_json::from_str(&articles).unwrap(),
        };
        found.insert(record, ticket);
    }
    let mut query = connection.prepare("SELECT title, notes, done_at IS NOT NULL FROM tasks")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let task = Row::Task {
            notes: row.get(1)?,
            done: row.get(2)?,
        };
        found.insert(Record::Task(row.get(0)?), task);
    }
    for text in names(connection, "SELECT text FROM notes")? {
        let words: Vec<&str> = text.split(' ').take(2).collect();
        found.insert(Record::Note(words.join(" ")), Row::Note { text });
    }
    Ok(found)
}
