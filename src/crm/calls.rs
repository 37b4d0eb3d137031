//! The call log: its rows, how they change, and what follows when a call ends.
//!
//! Times are stored as microseconds since the Unix epoch; anything finer is dropped.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use crate::base::id::{CallId, CallTypeId, ContactId, OrganizationId};
use crate::crm::number_key::Numbering;
use crate::crm::row::{
    CallDirection, CallRow, CallState, InterruptedCall, MatchLevel, NumberProof, Subject,
};
use crate::crm::store::{CallChange, StoreError};
use crate::crm::writer::WriteError;
use crate::crm::{call_backs, call_choice, call_links, match_number};

/// So many characters of an address, name or Call-ID that a peer sent are kept: a hostile one must
/// not fill the disk.
const PEER_TEXT: usize = 512;

/// Among so many of the newest calls, recordings are looked for that a crash left without their call.
const LATELY_INTERRUPTED: usize = 64;

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

pub(crate) const ADD_TRANSFERS: &str = "
-- Who sent a call here, and where its far end went.
ALTER TABLE calls ADD COLUMN transferred_to TEXT;
ALTER TABLE calls ADD COLUMN transferred_by TEXT;
";

pub(crate) const ADD_REDIRECTION: &str = "
-- Where the far end sent a call that was dialled; the call stays the one of the dialled number.
ALTER TABLE calls ADD COLUMN redirected_to TEXT;
";

pub(crate) const ADD_RECORDING_GAPS: &str = "
-- Where a recording was paused, as JSON: a list of objects with a start and a length in milliseconds.
ALTER TABLE calls ADD COLUMN recording_gaps TEXT;
";

pub(crate) const ADD_RECORDING_START: &str = "
-- How many seconds of the call's sound were over when its recording began: what was measured by time is
-- shown beside what is heard.
ALTER TABLE calls ADD COLUMN recording_start_seconds INTEGER;
";

pub(crate) const ADD_ANSWERER: &str = "
-- Who answered a call that was dialled, where the network says that it is somebody else.
ALTER TABLE calls ADD COLUMN answered_by TEXT;
";

pub(crate) const INDEX_PREFIXES: &str = "
-- As of contacts: what is typed up to seven letters or digits is read from an index of that length, newest
-- first, and never gathered.
DROP TABLE call_words;
CREATE VIRTUAL TABLE call_words USING fts5 (
    name, organization, numbers, reversed,
    content = '', contentless_delete = 1,
    tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3 4 5 6 7'
);
INSERT INTO call_words (rowid, name, organization, numbers, reversed)
    SELECT seq, coalesce(contact_name, '') || ' ' || coalesce(remote_name, '') || ' '
        || iif(e164 IS NULL, remote, ''), coalesce(organization, ''),
        coalesce(substr(e164, 2), '') || ' ' || coalesce(digits || ' ' || ltrim(digits, '0'), ''), coalesce(reversed, '')
    FROM calls;
";

pub(crate) const INDEX_WAITING: &str = "
-- The calls that wait, newest first: their list takes its rows from here and leaves out those of
-- numbers that called again, instead of gathering all numbers for each page.
CREATE INDEX calls_waiting ON calls (started_at)
    WHERE direction = 'inbound' AND done = 0 AND ended_at IS NOT NULL AND number IS NOT NULL
    AND state NOT IN ('blocked', 'answered-elsewhere');
";

pub(crate) const INDEX_WITHHELD: &str = "
-- Missed calls without a number are in no list of whom to call back, but who says that all is done means
-- them, too: few rows of many.
CREATE INDEX calls_withheld ON calls (started_at)
    WHERE direction = 'inbound' AND done = 0 AND ended_at IS NOT NULL AND number IS NULL
    AND state NOT IN ('blocked', 'answered-elsewhere');
";

pub(crate) const INDEX_ENTERED: &str = "
-- Calls that were entered by hand are written long after they began: a search puts them where they began, and finds
-- them here, few rows of many.
CREATE INDEX calls_entered ON calls (started_at) WHERE by_hand = 1;
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

pub(crate) const ADD_WAY: &str = "
-- The way of a call before it came here, and what the network says of its number: both are shown
-- beside the caller, and neither can be known later.
ALTER TABLE calls ADD COLUMN via TEXT;
ALTER TABLE calls ADD COLUMN number_proof TEXT;
";

/// What [`read`] reads, of `calls c`.
pub(crate) const COLUMNS: &str =
    "c.id, c.direction, c.state, c.remote, c.e164, c.remote_name, c.local,
    c.contact, c.contact_name, c.organization, c.level, c.match_reason, c.started_at,
    c.answered_at, c.ended_at, c.waiting_millis, c.talking_millis, c.sip_status, c.end_reason,
    c.sip_call_id, c.recording, c.notes, c.done, c.via, c.number_proof,
    c.transferred_to, c.transferred_by, c.redirected_to, c.answered_by, c.quality,
    c.sound_problem, c.recording_gaps, c.organization_id, c.agent, c.queue, c.call_type,
    (SELECT name FROM call_types WHERE id = c.call_type), c.wrap_up_millis, c.by_hand,
    c.recording_start_seconds";

/// Reads one call.
pub(crate) fn one(connection: &Connection, id: CallId) -> rusqlite::Result<Option<CallRow>> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM calls c WHERE c.id = ?1"))?
        .query_row([id.to_string()], read)
        .optional()
}

/// Reads the last calls with a number, a person or an organization, newest first.
pub(crate) fn last(
    connection: &Connection,
    number: Option<&str>,
    subject: Option<Subject>,
    limit: u32,
) -> rusqlite::Result<Vec<CallRow>> {
    let column = match subject {
        Some(Subject::Organization(_)) => "organization_id",
        Some(Subject::Contact(_) | Subject::Ticket(_)) | None => "contact",
    };
    let mut query = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM calls c WHERE c.seq IN (
            SELECT seq FROM (SELECT seq FROM calls WHERE number = ?1
                ORDER BY started_at DESC LIMIT ?3)
            UNION
            SELECT seq FROM (SELECT seq FROM calls WHERE {column} = ?2
                ORDER BY started_at DESC LIMIT ?3))
         ORDER BY c.started_at DESC, c.seq DESC LIMIT ?3"
    ))?;
    let rows = query.query_map(params![number, subject.map(Subject::id), limit], read)?;
    rows.collect()
}

/// Inserts a call and links it to all contacts that its number may belong to; one that comes without a
/// contact gets the best of them. A call that is there already stays as it is.
pub(crate) fn insert(
    transaction: &Transaction<'_>,
    call: &CallRow,
    numbering: &Numbering,
) -> rusqlite::Result<()> {
    let known = transaction
        .prepare_cached("SELECT 1 FROM calls WHERE id = ?1")?
        .exists([call.id.to_string()])?;
    if known {
        return Ok(());
    }
    let mut keys = numbering.keys(call.e164.as_deref().unwrap_or(&call.remote));
    if call.e164.is_some() {
        keys.e164.clone_from(&call.e164);
    }
    let candidates = match_number::for_calls(transaction, &keys, numbering)?;
    // Who looks a call up only afterwards sees what the window will show.
    let identified =
        call.subject().is_some() || call.contact_name.is_some() || call.level.is_some();
    let best = if identified {
        candidates.remembered_in(call)
    } else {
        candidates.best()
    };
    transaction
        .prepare_cached(
            "INSERT INTO calls (id, direction, state, remote, e164, number, digits, reversed,
                remote_name, local, contact, contact_name, organization, level, match_reason,
                started_at, answered_at, ended_at, waiting_millis, talking_millis, sip_status,
                end_reason, sip_call_id, recording, notes, done, via, number_proof,
                transferred_to, transferred_by, redirected_to, answered_by, organization_id, agent,
                queue, call_type, by_hand)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,
                (SELECT id FROM contacts WHERE id = ?11),
                ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26,
                ?27, ?28, ?29, ?30, ?31, ?32, (SELECT id FROM organizations WHERE id = ?33), ?34, ?35,
                ?36, ?37)",
        )?
        .execute(params![
            call.id.to_string(),
            call.direction.as_str(),
            call.state.as_str(),
            clipped(&call.remote),
            keys.e164,
            keys.key(),
            keys.digits,
            keys.reversed,
            call.remote_name.as_deref().map(clipped),
            clipped(&call.local),
            best.map_or(call.contact, |best| best.subject.contact())
                .map(|id| id.0),
            best.map(|best| &best.name).or(call.contact_name.as_ref()),
            best.and_then(|best| best.organization.as_ref())
                .or(call.organization.as_ref()),
            best.map(|best| best.level)
                .or(call.level)
                .map(MatchLevel::as_str),
            best.map(|best| &best.reason).or(call.match_reason.as_ref()),
            call.started_at.as_microsecond(),
            call.answered_at.map(Timestamp::as_microsecond),
            call.ended_at.map(Timestamp::as_microsecond),
            call.waiting_millis,
            call.talking_millis,
            call.sip_status,
            call.end_reason,
            call.sip_call_id.as_deref().map(clipped),
            call.recording,
            call.notes,
            call.done,
            call.via.as_deref().map(clipped),
            call.number_proof.map(NumberProof::as_str),
            call.transferred_to.as_deref().map(clipped),
            call.transferred_by.as_deref().map(clipped),
            call.redirected_to.as_deref().map(clipped),
            call.answered_by.as_deref().map(clipped),
            best.map_or(call.organization_id, |best| best.subject.organization())
                .map(|id| id.0),
            call.agent,
            call.queue.as_deref().map(clipped),
            call.call_type.map(|id| id.0),
            call.by_hand,
        ])?;
    let seq = transaction.last_insert_rowid();
    for candidate in candidates.all() {
        call_links::link(transaction, seq, candidate)?;
    }
    if call.direction == CallDirection::Outbound {
        call_backs::note(transaction, seq)?;
    }
    if call.state.ended() {
        call_backs::settle_earlier(transaction, seq, call.ended_at.unwrap_or(call.started_at))?;
    }
    Ok(())
}

/// Applies a change. What comes late is ignored: an answer or a hold after the end, a second end.
pub(crate) fn change(
    transaction: &Transaction<'_>,
    id: CallId,
    change: &CallChange,
) -> Result<(), WriteError> {
    // The row's own key: each statement below then goes straight to it.
    let seq: i64 = transaction
        .prepare_cached("SELECT seq FROM calls WHERE id = ?1")?
        .query_row([id.to_string()], |row| row.get(0))
        .optional()?
        .ok_or(WriteError::Missing("call"))?;
    let run = |sql: &str, values: &[&dyn rusqlite::ToSql]| {
        transaction.prepare_cached(sql)?.execute(values)
    };
    let set = |column: &str, value: &dyn rusqlite::ToSql| {
        run(
            &format!("UPDATE calls SET {column} = ?2 WHERE seq = ?1"),
            &[&seq, value],
        )
        .map(drop)
    };
    match change {
        CallChange::Answered { at, waiting_millis } => {
            run(
                "UPDATE calls SET state = 'in-progress', answered_at = ?2, waiting_millis = ?3
                 WHERE seq = ?1 AND ended_at IS NULL AND answered_at IS NULL",
                &[&seq, &at.as_microsecond(), waiting_millis],
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
                 WHERE seq = ?1 AND ended_at IS NULL AND answered_at IS NOT NULL",
                &[&seq, &state.as_str()],
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
                 WHERE seq = ?1 AND (ended_at IS NULL OR state = 'interrupted')",
                &[
                    &seq,
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
                call_backs::settle_earlier(transaction, seq, *at)?;
            }
        }
        CallChange::Dialled(sip_call_id) => set("sip_call_id", sip_call_id)?,
        CallChange::TransferredTo(to) => set("transferred_to", &clipped(to))?,
        CallChange::AnsweredBy(who) => set("answered_by", &clipped(who))?,
        CallChange::RedirectedTo(to) => set("redirected_to", &clipped(to))?,
        CallChange::EndReason {
            sip_status,
            end_reason,
        } => {
            run(
                "UPDATE calls SET sip_status = ?2, end_reason = ?3
                 WHERE seq = ?1 AND ended_at IS NOT NULL",
                &[&seq, sip_status, end_reason],
            )?;
        }
        CallChange::Recording(file) => set("recording", file)?,
        CallChange::RecordingStart(seconds) => set("recording_start_seconds", seconds)?,
        CallChange::RecordingGaps(gaps) => set("recording_gaps", &json(gaps)?)?,
        CallChange::Sound { quality, problem } => {
            set("quality", &quality.as_ref().map(json).transpose()?)?;
            set("sound_problem", problem)?;
        }
        CallChange::Notes(notes) => set("notes", notes)?,
        CallChange::Done(done) => {
            set("done", done)?;
            if *done {
                // The list shows one entry for each number: what is done there is done for all.
                call_backs::settle_before(transaction, seq)?;
            }
        }
        CallChange::Subject(subject) => call_choice::choose(transaction, seq, *subject)?,
        CallChange::Link(subject) => call_choice::link(transaction, seq, *subject)?,
        CallChange::Unlink(subject) => call_choice::unlink(transaction, seq, *subject)?,
        CallChange::CallType(id) => set("call_type", &id.map(|id| id.0))?,
        CallChange::WrappedUp { millis } => set("wrap_up_millis", millis)?,
    }
    Ok(())
}

/// Ends the calls that a crash left open: their end is the last moment that is known of them. Whoever was
/// talked with is called back no more, however the talk ended.
pub(crate) fn interrupt_open(transaction: &Transaction<'_>) -> rusqlite::Result<usize> {
    let talked: Vec<(i64, i64)> = transaction
        .prepare(
            "SELECT seq, answered_at FROM calls
             WHERE ended_at IS NULL AND answered_at IS NOT NULL",
        )?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (seq, answered_at) in talked {
        call_backs::settle(transaction, seq, timestamp(answered_at))?;
    }
    transaction.execute(
        "UPDATE calls SET state = 'interrupted', end_reason = ?1,
            ended_at = coalesce(answered_at, started_at),
            done = iif(direction = 'inbound' AND answered_at IS NULL, 0, 1)
         WHERE ended_at IS NULL",
        [INTERRUPTED],
    )
}

/// Finds, among the newest calls, those that were interrupted, with the recordings that their rows
/// name.
pub(crate) fn lately_interrupted(
    connection: &Connection,
) -> Result<Vec<InterruptedCall>, StoreError> {
    let mut query = connection.prepare(&format!(
        "SELECT id, recording FROM (SELECT id, state, recording FROM calls
            ORDER BY started_at DESC LIMIT {LATELY_INTERRUPTED})
         WHERE state = 'interrupted'"
    ))?;
    let rows = query.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
    let mut found = Vec::new();
    for row in rows {
        let (id, recording) = row?;
        found.extend(CallId::parse(&id).map(|id| InterruptedCall { id, recording }));
    }
    Ok(found)
}

/// Indexes the words of a call again, after its texts were changed otherwise than by a choice.
pub(crate) fn index_words(transaction: &Transaction<'_>, seq: i64) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("DELETE FROM call_words WHERE rowid = ?1")?
        .execute([seq])?;
    transaction
        .prepare_cached(
            "INSERT INTO call_words (rowid, name, organization, numbers, reversed)
             SELECT seq, coalesce(contact_name, '') || ' ' || coalesce(remote_name, '') || ' '
                || iif(e164 IS NULL, remote, ''), coalesce(organization, ''),
                coalesce(substr(e164, 2), '') || ' '
                || coalesce(digits || ' ' || ltrim(digits, '0'), ''), coalesce(reversed, '')
             FROM calls WHERE seq = ?1",
        )?
        .execute([seq])?;
    Ok(())
}

/// Reads a row of [`COLUMNS`].
pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<CallRow> {
    let id: String = row.get(0)?;
    let direction: String = row.get(1)?;
    let state: String = row.get(2)?;
    let level: Option<String> = row.get(10)?;
    let proof: Option<String> = row.get(24)?;
    let quality: Option<String> = row.get(29)?;
    let gaps: Option<String> = row.get(31)?;
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
        via: row.get(23)?,
        number_proof: proof.as_deref().and_then(NumberProof::parse),
        transferred_to: row.get(25)?,
        transferred_by: row.get(26)?,
        redirected_to: row.get(27)?,
        answered_by: row.get(28)?,
        quality: quality
            .as_deref()
            .and_then(|text| serde_json::from_str(text).ok()),
        sound_problem: row.get(30)?,
        recording_gaps: gaps
            .as_deref()
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default(),
        organization_id: row.get::<_, Option<i64>>(32)?.map(OrganizationId),
        agent: row.get(33)?,
        queue: row.get(34)?,
        call_type: row.get::<_, Option<i64>>(35)?.map(CallTypeId),
        call_type_name: row.get(36)?,
        wrap_up_millis: row.get(37)?,
        by_hand: row.get(38)?,
        recording_start_seconds: row.get(39)?,
    })
}

/// What a column keeps as JSON.
fn json(value: &impl serde::Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

/// What a peer names itself is kept up to [`PEER_TEXT`] characters.
fn clipped(text: &str) -> &str {
    match text.char_indices().nth(PEER_TEXT) {
        Some((end, _)) => text.get(..end).unwrap_or_default(),
        None => text,
    }
}

/// Reads a column of time.
pub(crate) fn timestamp(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or_default()
}

/// A column holds what this version does not know.
pub(crate) fn unreadable(column: usize) -> rusqlite::Error {
    rusqlite::Error::InvalidColumnType(
        column,
        "a word that this Ringdesk does not know".to_owned(),
        rusqlite::types::Type::Text,
    )
}
