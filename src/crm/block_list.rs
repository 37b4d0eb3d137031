//! The block list: whose calls are refused unheard.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use crate::base::id::BlockId;
use crate::base::phone_number::PhoneNumber;
use crate::crm::calls::{timestamp, unreadable};
use crate::crm::number_key::{NumberKeys, Numbering};
use crate::crm::routing_row::{BlockKind, BlockedRow};
use crate::crm::writer::WriteError;

/// So many entries are read for a list.
const LIST_LIMIT: u32 = 10_000;
/// Fewer digits would block half the world by a slip of the finger.
const SHORTEST_PREFIX: usize = 2;
/// Of an address no more characters are compared; a number has fewer.
const LONGEST_PREFIX: usize = 64;
/// So many characters of a note are kept.
const NOTE: usize = 500;

pub(crate) const CREATE: &str = "
-- Whose calls are refused unheard. `key` is the number's key that all spellings share, or the
-- beginning in the form in which numbers are compared; empty for withheld ones.
CREATE TABLE blocked (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    number TEXT NOT NULL,
    status INTEGER NOT NULL,
    note TEXT NOT NULL,
    since INTEGER NOT NULL,
    hits INTEGER NOT NULL DEFAULT 0,
    last_hit INTEGER
) STRICT;
-- Is the caller blocked? Asked before each call rings, once for each beginning of the number.
CREATE UNIQUE INDEX blocked_by_key ON blocked (kind, key);
";

const COLUMNS: &str = "id, kind, number, status, note, since, hits, last_hit FROM blocked";

/// Reads the list, the newest first.
pub(crate) fn all(connection: &Connection) -> rusqlite::Result<Vec<BlockedRow>> {
    let mut query = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} ORDER BY since DESC, id DESC LIMIT ?1"
    ))?;
    let rows = query.query_map([LIST_LIMIT], read)?;
    rows.collect()
}

/// Finds the entry that a caller falls under: the number itself before the longest beginning. The
/// own lines are never blocked.
pub(crate) fn of(
    connection: &Connection,
    caller: &str,
    at_line: &Numbering,
    numbering: &Numbering,
) -> rusqlite::Result<Option<BlockedRow>> {
    let keys = at_line.keys(caller);
    if numbering.is_own(&keys) {
        return Ok(None);
    }
    let mut query =
        connection.prepare_cached(&format!("SELECT {COLUMNS} WHERE kind = ?1 AND key = ?2"))?;
    let mut find = |kind: BlockKind, key: &str| {
        query
            .query_row(params![kind.as_str(), key], read)
            .optional()
    };
    let Some(key) = keys.key() else {
        return find(BlockKind::Withheld, "");
    };
    if let Some(found) = find(BlockKind::Exact, key)? {
        return Ok(Some(found));
    }
    for form in forms(&keys, &numbering.region()) {
        let ends = form.char_indices().map(|(at, c)| at + c.len_utf8());
        let ends = ends.take(LONGEST_PREFIX);
        for end in ends.collect::<Vec<_>>().into_iter().rev() {
            let beginning = form.get(..end).unwrap_or_default();
            if let Some(found) = find(BlockKind::Prefix, beginning)? {
                return Ok(Some(found));
            }
        }
    }
    Ok(None)
}

/// Inserts an entry, or changes the one of the same number; its hits stay.
pub(crate) fn save(
    transaction: &Transaction<'_>,
    row: &BlockedRow,
    numbering: &Numbering,
) -> Result<BlockId, WriteError> {
    let key = key(row, &numbering.region())?;
    if !matches!(row.status, 486 | 603) {
        return Err(WriteError::Refused(format!(
            "a blocked call is refused with 486 or 603, not with {}",
            row.status
        )));
    }
    let own = row.kind == BlockKind::Exact && numbering.is_own(&numbering.keys(&row.number));
    if own {
        return Err(WriteError::Refused(format!(
            "{} is a line of this phone and cannot be blocked",
            row.number.trim()
        )));
    }
    let note: String = row.note.trim().chars().take(NOTE).collect();
    let id: i64 = transaction
        .prepare_cached(
            "INSERT INTO blocked (kind, key, number, status, note, since)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (kind, key) DO UPDATE SET number = excluded.number,
                status = excluded.status, note = excluded.note
             RETURNING id",
        )?
        .query_row(
            params![
                row.kind.as_str(),
                key,
                row.number.trim(),
                row.status,
                note,
                row.since.as_microsecond()
            ],
            |found| found.get(0),
        )?;
    Ok(BlockId(id))
}

/// Deletes an entry.
pub(crate) fn delete(transaction: &Transaction<'_>, id: BlockId) -> Result<(), WriteError> {
    let deleted = transaction
        .prepare_cached("DELETE FROM blocked WHERE id = ?1")?
        .execute([id.0])?;
    if deleted == 0 {
        return Err(WriteError::Missing("entry of the block list"));
    }
    Ok(())
}

/// Counts a call that an entry refused; one that was deleted meanwhile counts nothing.
pub(crate) fn count(
    transaction: &Transaction<'_>,
    id: BlockId,
    at: Timestamp,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("UPDATE blocked SET hits = hits + 1, last_hit = ?2 WHERE id = ?1")?
        .execute(params![id.0, at.as_microsecond()])?;
    Ok(())
}

/// Makes all keys again, after the region for numbers without a country code changed. Of two entries
/// that become the same, the older stays.
pub(crate) fn read_again(transaction: &Transaction<'_>, region: &str) -> rusqlite::Result<()> {
    let mut all = transaction.prepare(&format!("SELECT {COLUMNS} ORDER BY id"))?;
    let rows = all
        .query_map([], read)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    for row in rows {
        // What was accepted once is a number in any region.
        let Ok(key) = key(&row, region) else { continue };
        transaction.execute(
            "UPDATE OR IGNORE blocked SET key = ?2 WHERE id = ?1",
            params![row.id.0, key],
        )?;
    }
    Ok(())
}

/// What an entry is found by.
fn key(row: &BlockedRow, region: &str) -> Result<String, WriteError> {
    let refused = |why: &str| {
        let number = row.number.trim();
        WriteError::Refused(format!("\"{number}\" cannot be blocked: {why}"))
    };
    match row.kind {
        BlockKind::Withheld => Ok(String::new()),
        BlockKind::Exact => NumberKeys::of(&row.number, region)
            .key()
            .map(str::to_owned)
            .ok_or_else(|| refused("it is no number; write anonymous for withheld numbers")),
        BlockKind::Prefix => {
            let key = beginning(&row.number);
            let digits = key.trim_start_matches(['+', '0']).chars().count();
            if digits < SHORTEST_PREFIX {
                return Err(refused("so short a beginning would block too many"));
            }
            if key.chars().count() > LONGEST_PREFIX {
                return Err(refused("it is too long for a beginning"));
            }
            Ok(key)
        }
    }
}

/// A beginning in the form in which numbers are compared: international with `+`, else national.
fn beginning(text: &str) -> String {
    let text = text.trim().to_lowercase();
    let bare = text.strip_prefix("sip:").unwrap_or(&text);
    let spelled = bare
        .trim_start_matches(['+', '('])
        .starts_with(|c: char| c.is_ascii_digit());
    if !spelled {
        return bare.to_owned();
    }
    let digits: String = bare
        .replace("(0)", "")
        .chars()
        .filter(|c| c.is_ascii_digit() || *c == '+')
        .collect();
    match digits.strip_prefix("00") {
        Some(rest) => format!("+{rest}"),
        None => digits,
    }
}

/// The forms of a caller's number whose beginnings are compared.
fn forms(keys: &NumberKeys, region: &str) -> Vec<String> {
    let at_home = match &keys.e164 {
        // The national form of another country may begin like one of here.
        Some(e164) => PhoneNumber::parse(e164, region)
            .region
            .is_some_and(|its| its.eq_ignore_ascii_case(region.trim())),
        None => true,
    };
    let national = keys.digits.clone().filter(|_| at_home);
    [keys.e164.clone(), national, keys.address.clone()]
        .into_iter()
        .flatten()
        .collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<BlockedRow> {
    let kind: String = row.get(1)?;
    Ok(BlockedRow {
        id: BlockId(row.get(0)?),
        kind: BlockKind::parse(&kind).ok_or_else(|| unreadable(1))?,
        number: row.get(2)?,
        status: row.get(3)?,
        note: row.get(4)?,
        since: timestamp(row.get(5)?),
        hits: row.get::<_, i64>(6)?.unsigned_abs(),
        last_hit: row.get::<_, Option<i64>>(7)?.map(timestamp),
    })
}
