//! What is to do, such as to call somebody back tomorrow.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use crate::base::id::{CallId, TaskId};
use crate::crm::calls::timestamp;
use crate::crm::records;
use crate::crm::row::{Subject, TaskCursor, TaskFilter, TaskKind, TaskRow};
use crate::crm::writer::WriteError;

/// A page holds at most so many.
const PAGE_LIMIT: u32 = 1_000;

pub(crate) const CREATE: &str = "
-- Follow-up work. What it is about may be gone; the task stays.
CREATE TABLE tasks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    task_kind TEXT NOT NULL,
    title TEXT NOT NULL,
    notes TEXT NOT NULL,
    due_at INTEGER,
    kind TEXT,
    subject INTEGER,
    call INTEGER REFERENCES calls (seq) ON DELETE SET NULL,
    number TEXT,
    agent TEXT,
    created_at INTEGER NOT NULL,
    done_at INTEGER
) STRICT;
-- What is due next: few rows of many are not done.
CREATE INDEX tasks_to_do ON tasks (due_at) WHERE done_at IS NULL;
CREATE INDEX tasks_by_subject ON tasks (kind, subject, created_at) WHERE kind IS NOT NULL;
CREATE INDEX tasks_by_call ON tasks (call) WHERE call IS NOT NULL;
CREATE TRIGGER contacts_tasks AFTER DELETE ON contacts BEGIN
    UPDATE tasks SET kind = NULL, subject = NULL WHERE kind = 'contact' AND subject = old.id;
END;
CREATE TRIGGER organizations_tasks AFTER DELETE ON organizations BEGIN
    UPDATE tasks SET kind = NULL, subject = NULL WHERE kind = 'organization' AND subject = old.id;
END;
CREATE TRIGGER tickets_tasks AFTER DELETE ON tickets BEGIN
    UPDATE tasks SET kind = NULL, subject = NULL WHERE kind = 'ticket' AND subject = old.id;
END;
";

pub(crate) const INDEX_DONE: &str = "
-- Done tasks are listed by their age, and drafts of tickets by their last change, however few they are.
CREATE INDEX tasks_done ON tasks (id) WHERE done_at IS NOT NULL;
CREATE INDEX tickets_drafts ON tickets (updated_at) WHERE state = 'draft';
-- Guesses are listed by the age of their texts.
CREATE INDEX number_hints_newest ON number_hints (said_at);
";

const COLUMNS: &str =
    "t.id, t.task_kind, t.title, t.notes, t.due_at, t.kind, t.subject, k.id, t.number,
    t.agent, t.created_at, t.done_at FROM tasks t LEFT JOIN calls k ON k.seq = t.call";

/// Reads a page of tasks: those to do by when they are due, without a time last; done ones the newest first.
pub(crate) fn page(
    connection: &Connection,
    filter: TaskFilter,
    after: Option<TaskCursor>,
    limit: u32,
) -> rusqlite::Result<Vec<TaskRow>> {
    let limit = limit.min(PAGE_LIMIT);
    let (due, id) = after.map_or((None, 0), |after| (after.due_micros, after.id.0));
    let until = match filter {
        TaskFilter::Done => {
            let before = after.map_or(i64::MAX, |after| after.id.0);
            return connection
                .prepare_cached(&done())?
                .query_map([before, i64::from(limit)], read)?
                .collect();
        }
        TaskFilter::DueUntil(until) => until.as_microsecond(),
        TaskFilter::ToDo => i64::MAX,
    };
    let mut rows = Vec::new();
    // Those without a time come behind all others.
    if after.is_none() || due.is_some() {
        rows = connection
            .prepare_cached(&due_next())?
            .query_map(params![due.unwrap_or(i64::MIN), id, until, limit], read)?
            .collect::<rusqlite::Result<_>>()?;
    }
    let left = usize::try_from(limit).unwrap_or_default() - rows.len();
    if filter == TaskFilter::ToDo && left > 0 {
        let id = if due.is_some() { 0 } else { id };
        let left = i64::try_from(left).unwrap_or_default();
        let mut query = connection.prepare_cached(&without_time())?;
        for row in query.query_map([id, left], read)? {
            rows.push(row?);
        }
    }
    Ok(rows)
}

fn due_next() -> String {
    format!(
        "SELECT {COLUMNS} WHERE t.done_at IS NULL AND (t.due_at, t.id) > (?1, ?2) AND t.due_at <= ?3
         ORDER BY t.due_at, t.id LIMIT ?4"
    )
}

fn without_time() -> String {
    format!(
        "SELECT {COLUMNS} WHERE t.done_at IS NULL AND t.due_at IS NULL AND t.id > ?1
         ORDER BY t.id LIMIT ?2"
    )
}

fn done() -> String {
    format!(
        "SELECT {COLUMNS} WHERE t.done_at IS NOT NULL AND t.id < ?1 ORDER BY t.id DESC LIMIT ?2"
    )
}

/// Where the page after a task begins; none where there is no such task.
pub(crate) fn cursor(connection: &Connection, id: TaskId) -> rusqlite::Result<Option<TaskCursor>> {
    connection
        .prepare_cached("SELECT due_at FROM tasks WHERE id = ?1")?
        .query_row([id.0], |row| {
            Ok(TaskCursor {
                due_micros: row.get(0)?,
                id,
            })
        })
        .optional()
}

/// The statements of the lists, with the index that each must use.
#[cfg(test)]
pub(crate) fn queries_for_plan() -> [(String, &'static str); 3] {
    [
        (due_next(), "tasks_to_do"),
        (without_time(), "tasks_to_do"),
        (done(), "tasks_done"),
    ]
}

/// Reads the tasks about a record before a time of making and an id, the newest first.
pub(crate) fn of(
    connection: &Connection,
    about: Subject,
    before: (i64, i64),
    limit: u32,
) -> rusqlite::Result<Vec<TaskRow>> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} WHERE t.kind = ?1 AND t.subject = ?2 AND (t.created_at, t.id) < (?3, ?4)
             ORDER BY t.created_at DESC, t.id DESC LIMIT ?5"
        ))?
        .query_map(
            params![about.kind(), about.id(), before.0, before.1, limit],
            read,
        )?
        .collect()
}

/// Inserts (id 0) or changes a task.
pub(crate) fn save(
    transaction: &Transaction<'_>,
    at: Timestamp,
    row: &TaskRow,
) -> Result<TaskId, WriteError> {
    if let Some(about) = row.about {
        records::must_exist(transaction, about)?;
    }
    let known = row.id.0 != 0;
    let changed = transaction
        .prepare_cached(
            "INSERT INTO tasks (id, task_kind, title, notes, due_at, kind, subject, call, number,
                agent, created_at, done_at)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, (SELECT seq FROM calls WHERE id = ?8), ?9, ?10, ?11,
                ?12
             WHERE ?1 IS NULL OR EXISTS (SELECT 1 FROM tasks WHERE id = ?1)
             ON CONFLICT (id) DO UPDATE SET task_kind = excluded.task_kind,
                title = excluded.title, notes = excluded.notes, due_at = excluded.due_at,
                kind = excluded.kind, subject = excluded.subject, call = excluded.call,
                number = excluded.number, agent = excluded.agent, done_at = excluded.done_at",
        )?
        .execute(params![
            known.then_some(row.id.0),
            row.kind.as_str(),
            row.title.trim(),
            row.notes,
            row.due_at.map(Timestamp::as_microsecond),
            row.about.map(Subject::kind),
            row.about.map(Subject::id),
            row.call.map(|id| id.to_string()),
            row.number,
            row.agent,
            at.as_microsecond(),
            row.done_at.map(Timestamp::as_microsecond),
        ])?;
    if changed == 0 {
        return Err(WriteError::Missing("task"));
    }
    Ok(if known {
        row.id
    } else {
        TaskId(transaction.last_insert_rowid())
    })
}

/// Says that a task is done, or not yet; once done, it stays so at its first time.
pub(crate) fn set_done(
    transaction: &Transaction<'_>,
    at: Timestamp,
    id: TaskId,
    done: bool,
) -> Result<(), WriteError> {
    let changed = transaction
        .prepare_cached(
            "UPDATE tasks SET done_at = iif(?2, coalesce(done_at, ?3), NULL) WHERE id = ?1",
        )?
        .execute(params![id.0, done, at.as_microsecond()])?;
    if changed == 0 {
        return Err(WriteError::Missing("task"));
    }
    Ok(())
}

/// Deletes a task.
pub(crate) fn delete(transaction: &Transaction<'_>, id: TaskId) -> Result<(), WriteError> {
    let deleted = transaction
        .prepare_cached("DELETE FROM tasks WHERE id = ?1")?
        .execute([id.0])?;
    if deleted == 0 {
        return Err(WriteError::Missing("task"));
    }
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<TaskRow> {
    let kind: String = row.get(1)?;
    let about: (Option<String>, Option<i64>) = (row.get(5)?, row.get(6)?);
    let call: Option<String> = row.get(7)?;
    Ok(TaskRow {
        id: TaskId(row.get(0)?),
        kind: TaskKind::parse(&kind).unwrap_or(TaskKind::Task),
        title: row.get(2)?,
        notes: row.get(3)?,
        due_at: row.get::<_, Option<i64>>(4)?.map(timestamp),
        about: about
            .0
            .zip(about.1)
            .and_then(|(kind, id)| Subject::of(&kind, id)),
        call: call.as_deref().and_then(CallId::parse),
        number: row.get(8)?,
        agent: row.get(9)?,
        created_at: timestamp(row.get(10)?),
        done_at: row.get::<_, Option<i64>>(11)?.map(timestamp),
    })
}
