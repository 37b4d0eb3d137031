//! Makes the large store, once: row by row in SQL, with the indexes and the words at the end.

use std::fs;
use std::path::Path;
use std::time::Instant;

use ringdesk::base::id::CallId;
use ringdesk::crm::Store;
use rusqlite::{Connection, params};

use crate::around::{self, AGENTS, CALL_TYPES, QUEUES};
use crate::people::{COLLEAGUES, caller, folded, mixed, name, numbers, organization};

/// When the last call of the large store began, in microseconds since the Unix epoch.
pub(crate) const NEWEST: i64 = 1_795_000_000_000_000;

/// What is filled; another word makes the store anew.
const FILLED: &str = "with tickets, notes, guesses and numbers of organizations";

/// Fills a folder with so many contacts and calls; false if it is already.
pub(crate) fn fill(folder: &Path, contacts: u64, calls: u64) -> bool {
    let done = folder.join("done");
    if fs::read_to_string(&done).is_ok_and(|filled| filled == FILLED) {
        return false;
    }
    let begun = Instant::now();
    if folder.exists() {
        fs::remove_dir_all(folder).unwrap();
    }
    drop(Store::open(folder, "DE").unwrap());
    let connection = Connection::open(folder.join("ringdesk.db")).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = off; PRAGMA synchronous = off; PRAGMA foreign_keys = off;
             PRAGMA cache_size = -400000; PRAGMA temp_store = file; BEGIN;",
        )
        .unwrap();
    let later = put_off(&connection);
    people(&connection, contacts);
    log(&connection, contacts, calls);
    around::fill(&connection, contacts, NEWEST);
    for statement in later {
        connection.execute_batch(&statement).unwrap();
    }
    words(&connection);
    around::words(&connection);
    counts(&connection);
    connection
        .execute_batch("COMMIT; PRAGMA journal_mode = wal;")
        .unwrap();
    drop(connection);
    // What the store itself would not have left undone.
    drop(Store::open(folder, "DE").unwrap());
    fs::write(done, FILLED).unwrap();
    println!(
        "{contacts} contacts and {calls} calls made in {:.0} s",
        begun.elapsed().as_secs_f64()
    );
    true
}

/// Removes indexes and triggers; gives the statements that make them again.
fn put_off(connection: &Connection) -> Vec<String> {
    let mut query = connection
        .prepare(
            "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL
             AND type IN ('index', 'trigger') ORDER BY type, name",
        )
        .unwrap();
    let found: Vec<(String, String, String)> = query
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    for (kind, name, _) in &found {
        connection
            .execute_batch(&format!("DROP {kind} \"{name}\""))
            .unwrap();
    }
    found
        .into_iter()
        .map(|(_, _, sql)| format!("{sql};"))
        .collect()
}

fn people(connection: &Connection, contacts: u64) {
    let mut insert = connection
        .prepare("INSERT INTO organizations (id, name, folded) VALUES (?1, ?2, ?3)")
        .unwrap();
    for number in 0..contacts.div_ceil(COLLEAGUES) {
        let name = organization(number);
        insert
            .execute(params![signed(number + 1), name, folded(&name)])
            .unwrap();
    }
    let mut insert = connection
        .prepare(
            "INSERT INTO contacts (id, name, folded, organization, email) VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .unwrap();
    let mut number_of = connection
        .prepare(
            "INSERT INTO contact_numbers (contact, place, label, raw, e164, digits, reversed, internal)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)",
        )
        .unwrap();
    for person in 0..contacts {
        let name = name(person);
        let folded = folded(&name);
        let email = format!("{}@example.com", folded.replace(' ', "."));
        let organization = signed(person / COLLEAGUES + 1);
        insert
            .execute(params![
                signed(person + 1),
                name,
                folded,
                organization,
                email
            ])
            .unwrap();
        for (place, number) in (0_i64..).zip(&numbers(person)) {
            let label = if place == 0 { "Work" } else { "Mobile" };
            number_of
                .execute(params![
                    signed(person + 1),
                    place,
                    label,
                    format!("+{number}"),
                    format!("+{number}"),
                    national(number),
                    reversed(number)
                ])
                .unwrap();
        }
    }
}

/// Calls half a minute apart, the last one now.
fn log(connection: &Connection, contacts: u64, calls: u64) {
    const APART: i64 = 30_000_000;
    let begin = NEWEST - signed(calls) * APART;
    let mut insert = connection
        .prepare(
            "INSERT INTO calls (seq, id, direction, state, remote, e164, number, digits, reversed, local,
                contact, contact_name, organization, level, match_reason, started_at, answered_at, ended_at,
                waiting_millis, talking_millis, sip_status, end_reason, sip_call_id, notes, done, agent,
                queue, call_type, recording)
             VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?5, ?6, ?7, 'sip:alice@example.com', ?8, ?9, ?10, ?11, ?12, ?13,
                ?14, ?15, 4000, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25)",
        )
        .unwrap();
    let mut link = connection
        .prepare(
            "INSERT INTO call_links (call, kind, subject, level, reason, name, started_at)
             VALUES (?1, 'contact', ?2, 'known', ?3, ?4, ?5)",
        )
        .unwrap();
    let types = u64::try_from(CALL_TYPES.len()).unwrap();
    for call in 0..calls {
        let draw = mixed(call);
        let (person, number) = caller(call, contacts);
        let started = begin + signed(call) * APART;
        let inbound = draw % 5 < 3;
        let answered = !draw.is_multiple_of(4);
        let name = person.map(name);
        let reason = "same number in international form, \"Work\"";
        let mut random = [0; 10];
        random[2..].copy_from_slice(&draw.to_be_bytes());
        let id = CallId::new(u64::try_from(started / 1000).unwrap(), random);
        // The latest missed calls still wait.
        let done = !inbound || answered || call + 60_000 < calls;
        insert
            .execute(params![
                signed(call + 1),
                id.to_string(),
                if inbound { "inbound" } else { "outbound" },
                if answered { "completed" } else { "no-answer" },
                format!("+{number}"),
                national(&number),
                reversed(&number),
                person.map(|person| signed(person + 1)),
                name,
                person.map(|person| organization(person / COLLEAGUES)),
                person.map(|_| "known"),
                person.map(|_| reason),
                started,
                answered.then_some(started + 4_000_000),
                started + 64_000_000,
                answered.then_some(60_000),
                if answered { 200 } else { 487 },
                if answered {
                    "the far end hung up"
                } else {
                    "nobody answered"
                },
                format!("{draw:016x}@example.com"),
                if draw.is_multiple_of(7) {
                    "wants an offer by Friday"
                } else {
                    ""
                },
                done,
                format!("Agent {}", (draw >> 20) % AGENTS),
                one_of(&QUEUES, draw >> 30).filter(|_| inbound),
                (answered && (draw >> 40).is_multiple_of(2))
                    .then(|| signed((draw >> 41) % types + 1)),
                (answered && draw.is_multiple_of(10)).then(|| format!("/recordings/{id}.wav"))
            ])
            .unwrap();
        if let (Some(person), Some(name)) = (person, name) {
            link.execute(params![
                signed(call + 1),
                signed(person + 1),
                reason,
                name,
                started
            ])
            .unwrap();
        }
    }
}

/// What is searched: as the schema's own steps fill it from the rows.
fn words(connection: &Connection) {
    connection
        .execute_batch(
            "INSERT INTO contact_words (rowid, name, organization, numbers, reversed)
                SELECT c.id, c.name || ' ' || c.email, coalesce(o.name, ''),
                    (SELECT group_concat(substr(n.e164, 2) || ' ' || n.digits || ' ' || ltrim(n.digits, '0'), ' ')
                        FROM contact_numbers n WHERE n.contact = c.id),
                    (SELECT group_concat(n.reversed, ' ') FROM contact_numbers n WHERE n.contact = c.id)
                FROM contacts c LEFT JOIN organizations o ON o.id = c.organization;
             INSERT INTO call_words (rowid, name, organization, numbers, reversed)
                SELECT seq, coalesce(contact_name, '') || ' ', coalesce(organization, ''),
                    substr(e164, 2) || ' ' || digits || ' ' || ltrim(digits, '0'), reversed
                FROM calls;
             INSERT INTO organization_words (rowid, name, organization, numbers, reversed)
                SELECT id, name, '', '', '' FROM organizations;
             INSERT INTO contact_note_words (rowid, text) SELECT id, notes FROM contacts WHERE notes <> '';
             INSERT INTO call_note_words (rowid, text) SELECT seq, notes FROM calls WHERE notes <> '';",
        )
        .unwrap();
}

/// What the triggers would have counted.
fn counts(connection: &Connection) {
    connection
        .execute_batch(
            "UPDATE row_counts SET row_count = (SELECT count(*) FROM contacts) WHERE list = 'contacts';
             UPDATE row_counts SET row_count = (SELECT count(*) FROM calls) WHERE list = 'calls';
             UPDATE row_counts SET row_count = (SELECT count(*) FROM calls WHERE direction = list)
                WHERE list IN ('inbound', 'outbound');
             UPDATE row_counts SET row_count = (SELECT count(*) FROM calls WHERE direction = 'inbound'
                AND answered_at IS NULL AND ended_at IS NOT NULL) WHERE list = 'missed';
             UPDATE row_counts SET row_count = (SELECT count(DISTINCT number) FROM calls
                WHERE direction = 'inbound' AND done = 0 AND ended_at IS NOT NULL) WHERE list = 'to-call-back';",
        )
        .unwrap();
}

/// One of a list, or none as often as each of them.
fn one_of(list: &[&'static str], draw: u64) -> Option<&'static str> {
    let place = draw % u64::try_from(list.len() + 1).unwrap();
    list.get(usize::try_from(place).unwrap()).copied()
}

pub(crate) fn national(number: &str) -> String {
    format!("0{}", &number[2..])
}

pub(crate) fn reversed(number: &str) -> String {
    number.chars().rev().collect()
}

pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap()
}
