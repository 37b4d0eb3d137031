//! The call log: rows, paging, and what follows when a call ends or a contact appears.
//!
//! Times are stored as microseconds since the Unix epoch; anything finer is dropped.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use crate::base::id::{CallId, ContactId};
use crate::crm::number_key::{NumberKeys, Numbering};
use crate::crm::row::{
    CallCursor, CallDirection, CallFilter, CallPage, CallRow, CallState, Match, MatchLevel,
};
use crate::crm::search::{MATCH_LIMIT, full_text};
use crate::crm::store::{CallChange, StoreError};
use crate::crm::writer::WriteError;
use crate::crm::{call_links, contacts, match_number, number_choices};

/// A page holds at most so many rows.
const PAGE_LIMIT: usize = 1000;

/// The reason on rows that a crash left open.
pub(crate) const INTERRUPTED: &str = "the phone ended during the call (a crash, a kill or a power loss); how the call went on is unknown";

pub(crate) const CREATE: &str = "
-- One row for each call, made before it rings. `seq` orders what begins at the same moment and is
-- the key inside the file; `id` is the name outside. `number` is the key that all spellings of
-- the far end share; `digits` and `reversed` are what a search looks for. The names are those at
-- the time of the call.
CREATE TABLE calls (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    direction TEXT NOT NULL,
    state TEXT NOT NULL,
    remote TEXT NOT NULL,
    e164 TEXT,
    number TEXT,
    digits TEXT,
    reversed TEXT,
    remote_name TEXT,
    local TEXT NOT NULL,
    contact INTEGER REFERENCES contacts (id) ON DELETE SET NULL,
    contact_name TEXT,
    organization TEXT,
    level TEXT,
    match_reason TEXT,
    started_at INTEGER NOT NULL,
    answered_at INTEGER,
    ended_at INTEGER,
    waiting_millis INTEGER,
    talking_millis INTEGER,
    sip_status INTEGER,
    end_reason TEXT,
    sip_call_id TEXT,
    recording TEXT,
    notes TEXT NOT NULL DEFAULT '',
    done INTEGER NOT NULL
) STRICT;
-- The log, newest first, and each of its filters: pages come by key, and their counts from the
-- index alone, so a million rows cost no more than a thousand.
CREATE INDEX calls_newest ON calls (started_at);
CREATE INDEX calls_by_direction ON calls (direction, started_at);
CREATE INDEX calls_missed ON calls (started_at)
    WHERE direction = 'inbound' AND answered_at IS NULL AND ended_at IS NOT NULL
    AND state NOT IN ('blocked', 'answered-elsewhere', 'forwarded');
-- Whom to call back: one entry for each number, few rows of many.
CREATE INDEX calls_to_call_back ON calls (number, started_at)
    WHERE direction = 'inbound' AND done = 0 AND ended_at IS NOT NULL AND number IS NOT NULL
    AND state NOT IN ('blocked', 'answered-elsewhere');
-- The last calls with a number or a contact are shown while it rings.
CREATE INDEX calls_by_number ON calls (number, started_at) WHERE number IS NOT NULL;
CREATE INDEX calls_by_contact ON calls (contact, started_at) WHERE contact IS NOT NULL;
-- What a crash left open is found at the start.
CREATE INDEX calls_open ON calls (started_at) WHERE ended_at IS NULL;
";

pub(crate) const CREATE_WORDS: &str = "
-- Search in a million calls. Contentless; triggers keep it true, whoever writes a row.
CREATE VIRTUAL TABLE call_words USING fts5 (
    name, organization, numbers, reversed,
    content = '', contentless_delete = 1,
    tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);
INSERT INTO call_words (rowid, name, organization, numbers, reversed)
    SELECT seq, coalesce(contact_name, '') || ' ' || coalesce(remote_name, '') || ' '
        || iif(e164 IS NULL, remote, ''), coalesce(organization, ''),
        coalesce(substr(e164, 2), '') || ' ' || coalesce(digits || ' ' || ltrim(digits, '0'), ''), coalesce(reversed, '')
    FROM calls;
CREATE TRIGGER calls_words_insert AFTER INSERT ON calls BEGIN
    INSERT INTO call_words (rowid, name, organization, numbers, reversed)
    VALUES (new.seq, coalesce(new.contact_name, '') || ' ' || coalesce(new.remote_name, '') || ' '
        || iif(new.e164 IS NULL, new.remote, ''), coalesce(new.organization, ''),
        coalesce(substr(new.e164, 2), '') || ' ' || coalesce(new.digits || ' ' || ltrim(new.digits, '0'), ''),
        coalesce(new.reversed, ''));
END;
CREATE TRIGGER calls_words_update AFTER UPDATE OF contact_name, organization ON calls
WHEN old.contact_name IS NOT new.contact_name OR old.organization IS NOT new.organization BEGIN
    DELETE FROM call_words WHERE rowid = old.seq;
    INSERT INTO call_words (rowid, name, organization, numbers, reversed)
    VALUES (new.seq, coalesce(new.contact_name, '') || ' ' || coalesce(new.remote_name, '') || ' '
        || iif(new.e164 IS NULL, new.remote, ''), coalesce(new.organization, ''),
        coalesce(substr(new.e164, 2), '') || ' ' || coalesce(new.digits || ' ' || ltrim(new.digits, '0'), ''),
        coalesce(new.reversed, ''));
END;
CREATE TRIGGER calls_words_delete AFTER DELETE ON calls BEGIN
    DELETE FROM call_words WHERE rowid = old.seq;
END;
";

const COLUMNS: &str = "c.id, c.direction, c.state, c.remote, c.e164, c.remote_name, c.local,
    c.contact, c.contact_name, c.organization, c.level, c.match_reason, c.started_at,
    c.answered_at, c.ended_at, c.waiting_millis, c.talking_millis, c.sip_status, c.end_reason,
    c.sip_call_id, c.recording, c.notes, c.done";

// These conditions are those of the partial indexes above, word for word: else SQLite does not
// see that an index has them all.
const MISSED: &str = "direction = 'inbound' AND answered_at IS NULL AND ended_at IS NOT NULL
    AND state NOT IN ('blocked', 'answered-elsewhere', 'forwarded')";
const TO_CALL_BACK: &str = "direction = 'inbound' AND done = 0 AND ended_at IS NOT NULL
    AND number IS NOT NULL AND state NOT IN ('blocked', 'answered-elsewhere')";

/// Reads one call.
pub(crate) fn one(connection: &Connection, id: CallId) -> Result<Option<CallRow>, StoreError> {
    Ok(connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM calls c WHERE c.id = ?1"))?
        .query_row([id.to_string()], read)
        .optional()?)
}

/// Reads a page, newest first. `ToCallBack` gives the newest call of each number. A search counts
/// at most [`MATCH_LIMIT`] rows.
pub(crate) fn page(
    connection: &Connection,
    filter: CallFilter,
    search: &str,
    after: Option<CallCursor>,
    limit: usize,
) -> Result<CallPage, StoreError> {
    let words = full_text(search);
    let after = after
        .map(|cursor| position(connection, cursor))
        .transpose()?;
    let (after_start, after_seq) = after.unwrap_or((i64::MAX, i64::MAX));
    let limit = limit.clamp(1, PAGE_LIMIT);
    let from = source(filter, words.is_some());
    let mut query = connection.prepare_cached(&page_query(&from, words.is_some()))?;
    let wanted = i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX);
    let mut rows = match &words {
        Some(words) => query
            .query_map(params![after_start, after_seq, wanted, words], read)?
            .collect::<rusqlite::Result<Vec<_>>>()?,
        None => query
            .query_map(params![after_start, after_seq, wanted], read)?
            .collect::<rusqlite::Result<Vec<_>>>()?,
    };
    let more = rows.len() > limit;
    rows.truncate(limit);
    Ok(CallPage {
        next: rows.last().filter(|_| more).map(|last| CallCursor {
            started_micros: last.started_at.as_microsecond(),
            id: last.id,
        }),
        total: count(connection, filter, words.as_deref())?,
        rows,
    })
}

/// Counts the numbers that wait for a call back.
pub(crate) fn to_call_back(connection: &Connection) -> Result<u64, StoreError> {
    count(connection, CallFilter::ToCallBack, None)
}

/// Reads the last calls with a number or a contact, newest first.
pub(crate) fn last(
    connection: &Connection,
    number: Option<&str>,
    contact: Option<ContactId>,
    limit: u32,
) -> rusqlite::Result<Vec<CallRow>> {
    let mut query = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM calls c WHERE c.seq IN (
            SELECT seq FROM (SELECT seq FROM calls WHERE number = ?1
                ORDER BY started_at DESC LIMIT ?3)
            UNION
            SELECT seq FROM (SELECT seq FROM calls WHERE contact = ?2
                ORDER BY started_at DESC LIMIT ?3))
         ORDER BY c.started_at DESC, c.seq DESC LIMIT ?3"
    ))?;
    let rows = query.query_map(params![number, contact.map(|id| id.0), limit], read)?;
    rows.collect()
}

/// Inserts a call and links it to all contacts that its number may belong to; a call that is there
/// already stays as it is.
pub(crate) fn insert(
    transaction: &Transaction<'_>,
    call: &CallRow,
    numbering: &Numbering,
) -> Result<(), WriteError> {
    let mut keys = numbering.keys(call.e164.as_deref().unwrap_or(&call.remote));
    if call.e164.is_some() {
        keys.e164.clone_from(&call.e164);
    }
    let inserted = transaction
        .prepare_cached(
            "INSERT INTO calls (id, direction, state, remote, e164, number, digits, reversed,
                remote_name, local, contact, contact_name, organization, level, match_reason,
                started_at, answered_at, ended_at, waiting_millis, talking_millis, sip_status,
                end_reason, sip_call_id, recording, notes, done)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,
                (SELECT id FROM contacts WHERE id = ?11),
                ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26)
             ON CONFLICT (id) DO NOTHING",
        )?
        .execute(params![
            call.id.to_string(),
            call.direction.as_str(),
            call.state.as_str(),
            call.remote,
            keys.e164,
            keys.key(),
            keys.digits,
            keys.reversed,
            call.remote_name,
            call.local,
            call.contact.map(|id| id.0),
            call.contact_name,
            call.organization,
            call.level.map(MatchLevel::as_str),
            call.match_reason,
            call.started_at.as_microsecond(),
            call.answered_at.map(Timestamp::as_microsecond),
            call.ended_at.map(Timestamp::as_microsecond),
            call.waiting_millis,
            call.talking_millis,
            call.sip_status,
            call.end_reason,
            call.sip_call_id,
            call.recording,
            call.notes,
            call.done,
        ])?;
    if inserted == 0 {
        return Ok(());
    }
    let seq = transaction.last_insert_rowid();
    let candidates = match_number::candidates(transaction, &keys, numbering)?;
    for candidate in &candidates {
        call_links::link(transaction, seq, candidate)?;
    }
    if call.contact.is_none() && call.contact_name.is_none() && call.level.is_none() {
        // The call was not identified in time: a single sure candidate is shown in the log.
        let mut sure = candidates
            .iter()
            .filter(|found| found.level <= MatchLevel::Known);
        if let (Some(only), None) = (sure.next(), sure.next()) {
            show(transaction, seq, only)?;
        }
    }
    if call.state.ended() {
        settle_earlier(transaction, call.id)?;
    }
    Ok(())
}

/// Applies a change. What comes late is ignored: an answer or a hold after the end, a second end.
pub(crate) fn change(
    transaction: &Transaction<'_>,
    id: CallId,
    change: &CallChange,
) -> Result<(), WriteError> {
    let key = id.to_string();
    if !transaction
        .prepare_cached("SELECT 1 FROM calls WHERE id = ?1")?
        .exists([&key])?
    {
        return Err(WriteError::Missing("call"));
    }
    let run = |sql: &str, values: &[&dyn rusqlite::ToSql]| {
        transaction.prepare_cached(sql)?.execute(values)
    };
    match change {
        CallChange::Answered { at, waiting_millis } => {
            run(
                "UPDATE calls SET state = 'in-progress', answered_at = ?2, waiting_millis = ?3
                 WHERE id = ?1 AND ended_at IS NULL AND answered_at IS NULL",
                &[&key, &at.as_microsecond(), waiting_millis],
            )?;
        }
        CallChange::Held(held) => {
            let state = if *held {
                CallState::Held
            } else {
                CallState::InProgress
            };
            run(
                "UPDATE calls SET state = ?2
                 WHERE id = ?1 AND ended_at IS NULL AND answered_at IS NOT NULL",
                &[&key, &state.as_str()],
            )?;
        }
        CallChange::Ended {
            state,
            at,
            waiting_millis,
            talking_millis,
            sip_status,
            end_reason,
            done,
        } => {
            let changed = run(
                "UPDATE calls SET state = ?2, ended_at = ?3, waiting_millis = ?4,
                    talking_millis = ?5, sip_status = ?6, end_reason = ?7, done = ?8
                 WHERE id = ?1 AND (ended_at IS NULL OR state = 'interrupted')",
                &[
                    &key,
                    &state.as_str(),
                    &at.as_microsecond(),
                    waiting_millis,
                    talking_millis,
                    sip_status,
                    end_reason,
                    done,
                ],
            )?;
            if changed > 0 {
                settle_earlier(transaction, id)?;
            }
        }
        CallChange::Recording(file) => {
            run(
                "UPDATE calls SET recording = ?2 WHERE id = ?1",
                &[&key, file],
            )?;
        }
        CallChange::Notes(notes) => {
            run("UPDATE calls SET notes = ?2 WHERE id = ?1", &[&key, notes])?;
        }
        CallChange::Done(done) => {
            run("UPDATE calls SET done = ?2 WHERE id = ?1", &[&key, done])?;
            if *done {
                // The list shows one entry for each number: what is done there is done for all.
                settle(transaction, id)?;
            }
        }
        CallChange::Contact(contact) => choose(transaction, &key, *contact)?,
    }
    Ok(())
}

/// Links earlier calls to a contact that was just saved with these keys; gives how many calls show
/// it now that showed nobody for sure before.
pub(crate) fn link_again(
    transaction: &Transaction<'_>,
    contact: ContactId,
    is_new: bool,
    keys: &[NumberKeys],
    numbering: &Numbering,
) -> Result<usize, WriteError> {
    let mut shown = 0_usize;
    for number in keys.iter().filter(|keys| !numbering.is_own(keys)) {
        let spellings = [&number.e164, &number.digits, &number.address];
        for key in spellings.into_iter().flatten() {
            let earlier = with_number(transaction, key)?;
            if earlier.is_empty() {
                continue;
            }
            let candidates =
                match_number::candidates(transaction, &numbering.keys(key), numbering)?;
            let sure: Vec<&Match> = candidates
                .iter()
                .filter(|found| found.level <= MatchLevel::Known)
                .collect();
            let Some(own) = sure.iter().find(|found| found.contact == contact) else {
                continue;
            };
            for call in earlier {
                call_links::link(transaction, call.seq, own)?;
                // A number of several people stays a question until somebody answers it.
                if sure.len() == 1 && call.may_be_taken(is_new) {
                    if call.guessed || !call.named {
                        show(transaction, call.seq, own)?;
                    } else {
                        show_under_old_name(transaction, call.seq, own)?;
                    }
                    shown += 1;
                }
            }
        }
    }
    Ok(shown)
}

/// What decides whether an earlier call goes to a contact that appears later.
struct Earlier {
    seq: i64,
    linked: bool,
    named: bool,
    guessed: bool,
    chosen: bool,
}

impl Earlier {
    fn may_be_taken(&self, by_a_new_contact: bool) -> bool {
        if self.chosen {
            // "None of the contacts" was said of those who were there, not of a new one.
            !self.linked && by_a_new_contact
        } else {
            !self.linked || self.guessed
        }
    }
}

fn with_number(transaction: &Transaction<'_>, key: &str) -> rusqlite::Result<Vec<Earlier>> {
    let mut query = transaction.prepare_cached(
        "SELECT seq, contact, contact_name, level FROM calls WHERE number = ?1
         ORDER BY started_at DESC LIMIT ?2",
    )?;
    let rows = query.query_map(params![key, MATCH_LIMIT], |row| {
        let level: Option<String> = row.get(3)?;
        let level = level.as_deref().and_then(MatchLevel::parse);
        Ok(Earlier {
            seq: row.get(0)?,
            linked: row.get::<_, Option<i64>>(1)?.is_some(),
            named: row.get::<_, Option<String>>(2)?.is_some(),
            guessed: matches!(level, Some(MatchLevel::Weak | MatchLevel::Maybe)),
            chosen: level == Some(MatchLevel::Manual),
        })
    })?;
    rows.collect()
}

/// Ends the calls that a crash left open: their end is the last moment that is known of them.
pub(crate) fn interrupt_open(transaction: &Transaction<'_>) -> rusqlite::Result<usize> {
    transaction.execute(
        "UPDATE calls SET state = 'interrupted', end_reason = ?1,
            ended_at = coalesce(answered_at, started_at),
            done = iif(direction = 'inbound' AND answered_at IS NULL, 0, 1)
         WHERE ended_at IS NULL",
        [INTERRUPTED],
    )
}

/// Once somebody talked with a number, its earlier missed calls are settled.
fn settle_earlier(transaction: &Transaction<'_>, id: CallId) -> rusqlite::Result<()> {
    let talked = transaction
        .prepare_cached(
            "SELECT 1 FROM calls WHERE id = ?1 AND (state = 'completed'
                OR (direction = 'inbound' AND answered_at IS NOT NULL))",
        )?
        .exists([id.to_string()])?;
    if talked {
        settle(transaction, id)?;
    }
    Ok(())
}

fn settle(transaction: &Transaction<'_>, id: CallId) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(&format!(
            "UPDATE calls SET done = 1 WHERE {TO_CALL_BACK}
             AND number = (SELECT number FROM calls WHERE id = ?1)
             AND started_at < (SELECT started_at FROM calls WHERE id = ?1)"
        ))?
        .execute([id.to_string()])?;
    Ok(())
}

/// The agent says who it was, or that it was none of the contacts.
fn choose(
    transaction: &Transaction<'_>,
    call: &str,
    contact: Option<ContactId>,
) -> Result<(), WriteError> {
    let (seq, number): (i64, Option<String>) = transaction
        .prepare_cached("SELECT seq, number FROM calls WHERE id = ?1")?
        .query_row([call], |row| Ok((row.get(0)?, row.get(1)?)))?;
    match contact {
        Some(contact) => {
            let (name, organization) =
                contacts::names(transaction, contact)?.ok_or(WriteError::Missing("contact"))?;
            let chosen = Match {
                contact,
                name,
                organization,
                role: None,
                level: MatchLevel::Manual,
                reason: "you chose this contact for the call".to_owned(),
            };
            call_links::link(transaction, seq, &chosen)?;
            show(transaction, seq, &chosen)?;
        }
        None => {
            transaction
                .prepare_cached(
                    "UPDATE calls SET contact = NULL, contact_name = NULL, organization = NULL,
                        level = 'manual', match_reason = 'you said it is none of the contacts'
                     WHERE seq = ?1",
                )?
                .execute([seq])?;
        }
    }
    if let Some(number) = number {
        number_choices::set(transaction, &number, contact)?;
    }
    Ok(())
}

/// Shows a contact in a call's row.
fn show(transaction: &Transaction<'_>, seq: i64, contact: &Match) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "UPDATE calls SET contact = ?2, contact_name = ?3, organization = ?4, level = ?5,
                match_reason = ?6 WHERE seq = ?1",
        )?
        .execute(params![
            seq,
            contact.contact.0,
            contact.name,
            contact.organization,
            contact.level.as_str(),
            contact.reason,
        ])?;
    Ok(())
}

/// Links a call's row to a contact and keeps the name that it showed.
fn show_under_old_name(
    transaction: &Transaction<'_>,
    seq: i64,
    contact: &Match,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "UPDATE calls SET contact = ?2, level = ?3, match_reason = ?4 WHERE seq = ?1",
        )?
        .execute(params![
            seq,
            contact.contact.0,
            contact.level.as_str(),
            contact.reason,
        ])?;
    Ok(())
}

/// Where a page's rows come from, up to and with the first conditions.
fn source(filter: CallFilter, searching: bool) -> String {
    let condition = match filter {
        CallFilter::All => "true".to_owned(),
        CallFilter::Inbound => "direction = 'inbound'".to_owned(),
        CallFilter::Outbound => "direction = 'outbound'".to_owned(),
        CallFilter::Missed => MISSED.to_owned(),
        // The newest of each number. SQLite takes the bare column from the row with the maximum.
        CallFilter::ToCallBack => format!(
            "c.seq IN (SELECT seq FROM
             (SELECT seq, max(started_at) FROM calls WHERE {TO_CALL_BACK} GROUP BY number))"
        ),
    };
    if searching {
        format!(
            "call_words w CROSS JOIN calls c ON c.seq = w.rowid
             WHERE w.call_words MATCH ?4 AND {condition}"
        )
    } else if filter == CallFilter::Missed {
        // Without statistics SQLite would take the index with the equality, and read all of it.
        format!("calls c INDEXED BY calls_missed WHERE {condition}")
    } else {
        format!("calls c WHERE {condition}")
    }
}

fn page_query(from: &str, searching: bool) -> String {
    let order = if searching {
        // The index is read in the order of `seq`, which is the order in which calls began.
        "AND c.seq < ?2 ORDER BY c.seq DESC"
    } else {
        "AND (c.started_at, c.seq) < (?1, ?2) ORDER BY c.started_at DESC, c.seq DESC"
    };
    format!("SELECT {COLUMNS} FROM {from} {order} LIMIT ?3")
}

fn count(
    connection: &Connection,
    filter: CallFilter,
    words: Option<&str>,
) -> Result<u64, StoreError> {
    let total: i64 = match words {
        Some(words) => {
            let from = source(filter, true).replace("?4", "?1");
            connection
                .prepare_cached(&format!(
                    "SELECT count(*) FROM (SELECT 1 FROM {from} LIMIT {MATCH_LIMIT})"
                ))?
                .query_row([words], |row| row.get(0))?
        }
        None => {
            let from = match filter {
                CallFilter::ToCallBack => {
                    format!("(SELECT DISTINCT number FROM calls WHERE {TO_CALL_BACK})")
                }
                CallFilter::All
                | CallFilter::Inbound
                | CallFilter::Outbound
                | CallFilter::Missed => source(filter, false),
            };
            connection
                .prepare_cached(&format!("SELECT count(*) FROM {from}"))?
                .query_row([], |row| row.get(0))?
        }
    };
    Ok(u64::try_from(total).unwrap_or_default())
}

/// The place of a cursor in the order of the log; a row that is gone leaves its time.
fn position(connection: &Connection, cursor: CallCursor) -> rusqlite::Result<(i64, i64)> {
    let seq = connection
        .prepare_cached("SELECT seq FROM calls WHERE id = ?1")?
        .query_row([cursor.id.to_string()], |row| row.get(0))
        .optional()?;
    Ok((cursor.started_micros, seq.unwrap_or_default()))
}

fn read(row: &Row<'_>) -> rusqlite::Result<CallRow> {
    let id: String = row.get(0)?;
    let direction: String = row.get(1)?;
    let state: String = row.get(2)?;
    let level: Option<String> = row.get(10)?;
    Ok(CallRow {
        id: CallId::parse(&id).ok_or_else(|| unreadable(0))?,
        direction: CallDirection::parse(&direction).ok_or_else(|| unreadable(1))?,
        state: CallState::parse(&state).ok_or_else(|| unreadable(2))?,
        remote: row.get(3)?,
        e164: row.get(4)?,
        remote_name: row.get(5)?,
        local: row.get(6)?,
        contact: row.get::<_, Option<i64>>(7)?.map(ContactId),
        contact_name: row.get(8)?,
        organization: row.get(9)?,
        level: level.as_deref().and_then(MatchLevel::parse),
        match_reason: row.get(11)?,
        started_at: timestamp(row.get(12)?),
        answered_at: row.get::<_, Option<i64>>(13)?.map(timestamp),
        ended_at: row.get::<_, Option<i64>>(14)?.map(timestamp),
        waiting_millis: row.get(15)?,
        talking_millis: row.get(16)?,
        sip_status: row.get(17)?,
        end_reason: row.get(18)?,
        sip_call_id: row.get(19)?,
        recording: row.get(20)?,
        notes: row.get(21)?,
        done: row.get(22)?,
    })
}

fn timestamp(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or_default()
}

fn unreadable(column: usize) -> rusqlite::Error {
    rusqlite::Error::InvalidColumnType(
        column,
        "a word that this Ringdesk does not know".to_owned(),
        rusqlite::types::Type::Text,
    )
}

/// The statements of the lists without values, with the index that each must use.
#[cfg(test)]
pub(crate) fn queries_for_plan() -> Vec<(String, &'static str)> {
    let mut queries = Vec::new();
    for (filter, index) in [
        (CallFilter::All, "calls_newest"),
        (CallFilter::Inbound, "calls_by_direction"),
        (CallFilter::Outbound, "calls_by_direction"),
        (CallFilter::Missed, "calls_missed"),
    ] {
        let from = source(filter, false);
        queries.push((page_query(&from, false), index));
        queries.push((format!("SELECT count(*) FROM {from}"), index));
    }
    queries
}
