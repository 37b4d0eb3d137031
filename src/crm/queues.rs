//! Queues: their called numbers, their slots and their holidays.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use crate::base::id::QueueId;
use crate::base::number_pattern;
use crate::base::page_template;
use crate::crm::agents;
use crate::crm::calls::unreadable;
use crate::crm::number_key::{NumberKeys, Numbering};
use crate::crm::routing_row::{HolidayRow, QueueRow, TimeSlot};
use crate::crm::schedule::{Day, Slot, WallTime, first_overlap};
use crate::crm::search::folded;
use crate::crm::writer::WriteError;

/// A queue has at most so many numbers and so many slots.
const MANY: usize = 1000;
/// What is said in its calls has at most so many characters: some pages.
const LONGEST_SCRIPT: usize = 10_000;

pub(crate) const CREATE: &str = "
-- Where calls wait for who is scheduled; `zone` is the IANA name of its slots' time zone, empty for
-- the system's. AUTOINCREMENT: an id is never used again.
CREATE TABLE queues (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    folded TEXT NOT NULL UNIQUE,
    medium TEXT NOT NULL,
    zone TEXT NOT NULL,
    pause_code TEXT NOT NULL,
    unpause_code TEXT NOT NULL
) STRICT;
-- The called numbers that are its: `number` is the key that all spellings share, `pattern` what a
-- number with a star is compared by.
CREATE TABLE queue_numbers (
    queue INTEGER NOT NULL REFERENCES queues (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    raw TEXT NOT NULL,
    number TEXT,
    pattern TEXT,
    PRIMARY KEY (queue, place)
) STRICT, WITHOUT ROWID;
-- Which queue is called? Asked before each call rings.
CREATE INDEX queue_numbers_by_number ON queue_numbers (number) WHERE number IS NOT NULL;
CREATE INDEX queue_numbers_by_pattern ON queue_numbers (pattern) WHERE pattern IS NOT NULL;
-- When which group takes its calls, in minutes since midnight on the wall clock; an end before the
-- beginning is of the next day.
CREATE TABLE time_slots (
    queue INTEGER NOT NULL REFERENCES queues (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    day TEXT NOT NULL,
    begins INTEGER NOT NULL,
    ends INTEGER NOT NULL,
    agent_group INTEGER NOT NULL REFERENCES agent_groups (id),
    PRIMARY KEY (queue, place)
) STRICT, WITHOUT ROWID;
-- A group that no slot names any more goes.
CREATE INDEX time_slots_by_group ON time_slots (agent_group);
-- Dates on which no slot begins, of one queue or (0) of all.
CREATE TABLE holidays (
    date TEXT NOT NULL,
    queue INTEGER NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (date, queue)
) STRICT, WITHOUT ROWID;
-- A queue takes its holidays along; the ones of all belong to none, so there is no foreign key.
CREATE TRIGGER holidays_of_queue AFTER DELETE ON queues BEGIN
    DELETE FROM holidays WHERE queue = old.id;
END;
";

pub(crate) const ADD_SCRIPTS: &str = "
-- What is said in a queue's calls, and the web page that belongs to them.
ALTER TABLE queues ADD COLUMN script TEXT NOT NULL DEFAULT '';
ALTER TABLE queues ADD COLUMN page TEXT NOT NULL DEFAULT '';
";

/// Reads all queues, by name.
pub(crate) fn all(connection: &Connection) -> rusqlite::Result<Vec<QueueRow>> {
    whole(connection, "ORDER BY folded", params![])
}

/// Finds the queue of the first of some called numbers that is one's: a number without a star counts
/// for more than one with it.
pub(crate) fn called(
    connection: &Connection,
    called: &[String],
    numbering: &Numbering,
) -> rusqlite::Result<Option<(QueueRow, String)>> {
    let mut exact = connection.prepare_cached(
        "SELECT queue FROM queue_numbers WHERE number = ?1 ORDER BY queue LIMIT 1",
    )?;
    let mut stars = connection.prepare_cached(
        "SELECT queue, pattern FROM queue_numbers WHERE pattern IS NOT NULL
         ORDER BY length(pattern) DESC, queue",
    )?;
    for text in called {
        let spellings = spellings(text, &numbering.keys(text));
        let mut found: Option<i64> = None;
        for spelling in &spellings {
            let hit = exact.query_row([spelling], |row| row.get(0)).optional()?;
            found = found.or(hit);
        }
        let mut rows = stars.query([])?;
        while let (None, Some(row)) = (found, rows.next()?) {
            let pattern: String = row.get(1)?;
            if spellings
                .iter()
                .any(|it| number_pattern::fits(&pattern, it, 0))
            {
                found = Some(row.get(0)?);
            }
        }
        drop(rows);
        if let Some(id) = found {
            let queues = whole(connection, "WHERE id = ?1", params![id])?;
            return Ok(queues.into_iter().next().map(|queue| (queue, text.clone())));
        }
    }
    Ok(None)
}

/// Inserts (id 0) or changes a queue with all numbers and slots.
pub(crate) fn save(
    transaction: &Transaction<'_>,
    row: &QueueRow,
    numbering: &Numbering,
) -> Result<QueueId, WriteError> {
    check(row)?;
    let name = row.name.trim();
    let namesake: Option<i64> = transaction
        .prepare_cached("SELECT id FROM queues WHERE folded = ?1")?
        .query_row([folded(name)], |found| found.get(0))
        .optional()?;
    if namesake.is_some_and(|id| id != row.id.0) {
        return Err(WriteError::Refused(format!(
            "there is a queue {name} already; change that one or choose another name"
        )));
    }
    let values = params![
        (row.id.0 != 0).then_some(row.id.0),
        name,
        folded(name),
        row.medium.trim(),
        row.zone.trim(),
        row.pause_code.trim(),
        row.unpause_code.trim(),
        row.script.trim(),
        row.page.trim()
    ];
    let id = if row.id.0 == 0 {
        transaction
            .prepare_cached(
                "INSERT INTO queues (id, name, folded, medium, zone, pause_code, unpause_code,
                    script, page)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(values)?;
        QueueId(transaction.last_insert_rowid())
    } else {
        let changed = transaction
            .prepare_cached(
                "UPDATE queues SET name = ?2, folded = ?3, medium = ?4, zone = ?5, pause_code = ?6,
                    unpause_code = ?7, script = ?8, page = ?9 WHERE id = ?1",
            )?
            .execute(values)?;
        if changed == 0 {
            return Err(WriteError::Missing("queue"));
        }
        row.id
    };
    for table in ["queue_numbers", "time_slots"] {
        transaction
            .prepare_cached(&format!("DELETE FROM {table} WHERE queue = ?1"))?
            .execute([id.0])?;
    }
    let numbers = row.numbers.iter().map(|raw| raw.trim());
    for (place, raw) in (0_i64..).zip(numbers.filter(|raw| !raw.is_empty())) {
        let (number, pattern) = compared(raw, &numbering.region());
        transaction
            .prepare_cached(
                "INSERT INTO queue_numbers (queue, place, raw, number, pattern)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![id.0, place, raw, number, pattern])?;
    }
    for (place, slot) in (0_i64..).zip(&row.slots) {
        let group = agents::group_named(transaction, &slot.group)?;
        let Slot { day, from, to } = slot.slot;
        transaction
            .prepare_cached(
                "INSERT INTO time_slots (queue, place, day, begins, ends, agent_group)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                id.0,
                place,
                day.as_str(),
                from.minutes(),
                to.minutes(),
                group
            ])?;
    }
    Ok(id)
}

/// Deletes a queue with its holidays.
pub(crate) fn delete(transaction: &Transaction<'_>, id: QueueId) -> Result<(), WriteError> {
    let deleted = transaction
        .prepare_cached("DELETE FROM queues WHERE id = ?1")?
        .execute([id.0])?;
    if deleted == 0 {
        return Err(WriteError::Missing("queue"));
    }
    Ok(())
}

/// Reads all holidays, by date.
pub(crate) fn holidays(connection: &Connection) -> rusqlite::Result<Vec<HolidayRow>> {
    let mut query = connection.prepare_cached(
        "SELECT h.date, q.name, h.name FROM holidays h LEFT JOIN queues q ON q.id = h.queue
         ORDER BY h.date, q.folded",
    )?;
    let rows = query.query_map([], holiday)?;
    rows.collect()
}

/// Reads the holidays of a queue, its own and those of all.
pub(crate) fn holidays_of(
    connection: &Connection,
    queue: QueueId,
) -> rusqlite::Result<Vec<HolidayRow>> {
    let mut query = connection.prepare_cached(
        "SELECT h.date, q.name, h.name FROM holidays h LEFT JOIN queues q ON q.id = h.queue
         WHERE h.queue IN (0, ?1) ORDER BY h.date",
    )?;
    let rows = query.query_map([queue.0], holiday)?;
    rows.collect()
}

/// Inserts or renames a holiday.
pub(crate) fn save_holiday(
    transaction: &Transaction<'_>,
    row: &HolidayRow,
) -> Result<(), WriteError> {
    let queue = holiday_queue(transaction, row.queue.as_deref())?;
    transaction
        .prepare_cached("INSERT OR REPLACE INTO holidays (date, queue, name) VALUES (?1, ?2, ?3)")?
        .execute(params![row.date.to_string(), queue, row.name.trim()])?;
    Ok(())
}

/// Deletes a holiday of a queue, or of all.
pub(crate) fn delete_holiday(
    transaction: &Transaction<'_>,
    date: Date,
    queue: Option<&str>,
) -> Result<(), WriteError> {
    let queue = holiday_queue(transaction, queue)?;
    let deleted = transaction
        .prepare_cached("DELETE FROM holidays WHERE date = ?1 AND queue = ?2")?
        .execute(params![date.to_string(), queue])?;
    if deleted == 0 {
        return Err(WriteError::Missing("holiday"));
    }
    Ok(())
}

/// Makes all keys again, after the region for numbers without a country code changed.
pub(crate) fn read_again(transaction: &Transaction<'_>, region: &str) -> rusqlite::Result<()> {
    let mut all = transaction.prepare("SELECT queue, place, raw FROM queue_numbers")?;
    let mut change = transaction.prepare(
        "UPDATE queue_numbers SET number = ?3, pattern = ?4 WHERE queue = ?1 AND place = ?2",
    )?;
    // The keys may change while the table is read: they are not part of its order.
    let mut rows = all.query([])?;
    while let Some(row) = rows.next()? {
        let (queue, place): (i64, i64) = (row.get(0)?, row.get(1)?);
        let (number, pattern) = compared(&row.get::<_, String>(2)?, region);
        change.execute(params![queue, place, number, pattern])?;
    }
    Ok(())
}

/// What is wrong with a queue before anything is written.
fn check(row: &QueueRow) -> Result<(), WriteError> {
    let refused = |why: String| Err(WriteError::Refused(why));
    if row.name.trim().is_empty() {
        return refused("a queue needs a name".to_owned());
    }
    if row.numbers.len() > MANY || row.slots.len() > MANY {
        return refused(format!(
            "a queue has at most {MANY} numbers and {MANY} slots"
        ));
    }
    if row.script.chars().count() > LONGEST_SCRIPT {
        return refused(format!(
            "what is said in a queue's calls has at most {LONGEST_SCRIPT} characters"
        ));
    }
    let page = row.page.trim();
    if !page.is_empty() {
        page_template::check(page).map_err(|why| WriteError::Refused(why.to_string()))?;
    }
    let zone = row.zone.trim();
    if !zone.is_empty() && TimeZone::get(zone).is_err() {
        return refused(format!(
            "there is no time zone \"{zone}\"; write its IANA name, such as Europe/Berlin"
        ));
    }
    if let Some(slot) = row.slots.iter().find(|slot| slot.group.trim().is_empty()) {
        return refused(format!("the slot {} needs a group of agents", slot.slot));
    }
    for TimeSlot { slot, .. } in &row.slots {
        Slot::new(slot.day, slot.from, slot.to).map_err(WriteError::Refused)?;
    }
    let slots: Vec<Slot> = row.slots.iter().map(|slot| slot.slot).collect();
    if let Some((one, other)) = first_overlap(&slots) {
        return refused(format!(
            "the slots {one} and {other} overlap; let one end where the other begins"
        ));
    }
    Ok(())
}

fn holiday_queue(transaction: &Transaction<'_>, queue: Option<&str>) -> Result<i64, WriteError> {
    let Some(name) = queue else {
        return Ok(0);
    };
    transaction
        .prepare_cached("SELECT id FROM queues WHERE folded = ?1")?
        .query_row([folded(name.trim())], |row| row.get(0))
        .optional()?
        .ok_or(WriteError::Missing("queue"))
}

/// What a queue's number is compared by: its key, or a pattern where it has a star.
fn compared(raw: &str, region: &str) -> (Option<String>, Option<String>) {
    if !raw.contains('*') {
        return (NumberKeys::of(raw, region).key().map(str::to_owned), None);
    }
    let bare = number_pattern::bare(raw);
    let bare = bare.strip_prefix("sip:").unwrap_or(&bare).to_lowercase();
    // As numbers are dialled abroad; a dot is part of a domain.
    let international = bare.strip_prefix("00").map(|rest| format!("+{rest}"));
    (None, Some(international.unwrap_or(bare)))
}

/// The ways in which a called number may be written in a queue's numbers.
fn spellings(text: &str, keys: &NumberKeys) -> Vec<String> {
    let user = keys
        .address
        .as_deref()
        .and_then(|address| address.split_once('@'))
        .map(|(user, _)| user.to_owned());
    let whole = text.strip_prefix("sip:").map(str::to_lowercase);
    [
        keys.e164.clone(),
        keys.digits.clone(),
        keys.address.clone(),
        user,
        whole,
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn whole(
    connection: &Connection,
    condition: &str,
    values: &[&dyn rusqlite::ToSql],
) -> rusqlite::Result<Vec<QueueRow>> {
    let mut query = connection.prepare_cached(&format!(
        "SELECT id, name, medium, zone, pause_code, unpause_code, script, page FROM queues {condition}"
    ))?;
    let mut queues = query
        .query_map(values, read)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    for queue in &mut queues {
        queue.numbers = agents::texts(
            connection,
            "SELECT raw FROM queue_numbers WHERE queue = ?1 ORDER BY place",
            queue.id.0,
        )?;
        let mut slots = connection.prepare_cached(
            "SELECT s.day, s.begins, s.ends, g.name FROM time_slots s
             JOIN agent_groups g ON g.id = s.agent_group WHERE s.queue = ?1 ORDER BY s.place",
        )?;
        let rows = slots.query_map([queue.id.0], slot)?;
        queue.slots = rows.collect::<rusqlite::Result<_>>()?;
    }
    Ok(queues)
}

fn read(row: &Row<'_>) -> rusqlite::Result<QueueRow> {
    Ok(QueueRow {
        id: QueueId(row.get(0)?),
        name: row.get(1)?,
        medium: row.get(2)?,
        zone: row.get(3)?,
        numbers: Vec::new(),
        slots: Vec::new(),
        pause_code: row.get(4)?,
        unpause_code: row.get(5)?,
        script: row.get(6)?,
        page: row.get(7)?,
    })
}

fn slot(row: &Row<'_>) -> rusqlite::Result<TimeSlot> {
    let day: String = row.get(0)?;
    let time = |column| WallTime::of_minutes(row.get(column)?).ok_or_else(|| unreadable(column));
    Ok(TimeSlot {
        slot: Slot {
            day: Day::parse(&day).ok_or_else(|| unreadable(0))?,
            from: time(1)?,
            to: time(2)?,
        },
        group: row.get(3)?,
    })
}

fn holiday(row: &Row<'_>) -> rusqlite::Result<HolidayRow> {
    let date: String = row.get(0)?;
    Ok(HolidayRow {
        date: date.parse().map_err(|_unreadable| unreadable(0))?,
        queue: row.get(1)?,
        name: row.get(2)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_with_a_star_is_compared_as_it_is_dialled() {
        for (raw, pattern) in [
            ("+49 (30) 123-*", "+4930123*"),
            ("0049 30 123*", "+4930123*"),
            ("sip:*@Sales.Example.com", "*@sales.example.com"),
        ] {
            assert_eq!(
                compared(raw, "DE"),
                (None, Some(pattern.to_owned())),
                "{raw}"
            );
        }
        assert_eq!(
            compared("030 1234500", "DE"),
            (Some("+49301234500".to_owned()), None)
        );
    }
}
