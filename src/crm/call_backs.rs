//! Who waits for a call back: the missed calls, the calls that are dialled to answer them, and the reminder
//! where one reached nobody.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use crate::base::id::CallId;
use crate::crm::row::CallNote;

/// So long after a call back that reached nobody it is to be tried again.
const REMINDED_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// The rows of the index `calls_to_call_back`: the condition is its own, word for word, and the
/// index is named, because without statistics SQLite would take one with more equalities.
pub(crate) const OF_THOSE_TO_CALL_BACK: &str = "calls INDEXED BY calls_to_call_back
    WHERE direction = 'inbound' AND done = 0 AND ended_at IS NOT NULL AND number IS NOT NULL
    AND state NOT IN ('blocked', 'answered-elsewhere')";

/// The same, in the order of time.
pub(crate) const WAITING: &str = "calls INDEXED BY calls_waiting
    WHERE direction = 'inbound' AND done = 0 AND ended_at IS NOT NULL AND number IS NOT NULL
    AND state NOT IN ('blocked', 'answered-elsewhere')";

/// The rows of the index `calls_withheld`: missed calls without a number, which nobody can call back.
const WITHHELD: &str = "calls INDEXED BY calls_withheld
    WHERE direction = 'inbound' AND done = 0 AND ended_at IS NOT NULL AND number IS NULL
    AND state NOT IN ('blocked', 'answered-elsewhere')";

/// The condition of the index `calls_waiting`, of `calls c`, and that no later call of the number waits.
pub(crate) const NEWEST_TO_CALL_BACK: &str = "c.direction = 'inbound' AND c.done = 0
    AND c.ended_at IS NOT NULL AND c.number IS NOT NULL
    AND c.state NOT IN ('blocked', 'answered-elsewhere')
    AND NOT EXISTS (SELECT 1 FROM calls l INDEXED BY calls_to_call_back
        WHERE l.direction = 'inbound' AND l.done = 0 AND l.ended_at IS NOT NULL
        AND l.number IS NOT NULL AND l.state NOT IN ('blocked', 'answered-elsewhere')
        AND l.number = c.number AND (l.started_at, l.seq) > (c.started_at, c.seq))";

/// The open reminders of the number of a call, ?1.
const REMINDERS: &str = "tasks INDEXED BY tasks_to_remind
    WHERE origin = 'call-back' AND done_at IS NULL AND call IN (SELECT seq FROM calls
        WHERE number = (SELECT number FROM calls WHERE seq = ?1))";

/// Links a call that is dialled to the missed calls of its number that wait: to those before it, for one
/// that is entered by hand may be older than they are.
pub(crate) fn note(transaction: &Transaction<'_>, call: i64) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(&format!(
            "INSERT OR IGNORE INTO call_backs (missed, call)
             SELECT seq, ?1 FROM {OF_THOSE_TO_CALL_BACK}
             AND number = (SELECT number FROM calls WHERE seq = ?1)
             AND started_at < (SELECT started_at FROM calls WHERE seq = ?1)"
        ))?
        .execute([call])?;
    Ok(())
}

/// Whether somebody talked is what the state of a call says: an answer may never have been confirmed.
///
/// Once somebody talked with a number, its earlier missed calls are settled; who was called back and did not
/// answer is called again.
pub(crate) fn settle_earlier(
    transaction: &Transaction<'_>,
    seq: i64,
    at: Timestamp,
) -> rusqlite::Result<()> {
    let (talked, called): (bool, bool) = transaction
        .prepare_cached(
            "SELECT state = 'completed' OR (direction = 'inbound' AND answered_at IS NOT NULL
                    AND state NOT IN ('failed', 'no-answer')),
                direction = 'outbound'
             FROM calls WHERE seq = ?1",
        )?
        .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if talked {
        settle(transaction, seq, at)?;
    } else if called {
        remind(transaction, seq, at)?;
    }
    Ok(())
}

/// Says that all missed calls are done, also those without a number to call; gives how many were not.
pub(crate) fn all_done(transaction: &Transaction<'_>, at: Timestamp) -> rusqlite::Result<usize> {
    let mut done = 0;
    for waiting in [OF_THOSE_TO_CALL_BACK, WITHHELD] {
        done += transaction
            .prepare_cached(&format!(
                "UPDATE calls SET done = 1 WHERE seq IN (SELECT seq FROM {waiting})"
            ))?
            .execute([])?;
    }
    forget_all_reminders(transaction, at)?;
    Ok(done)
}

/// Says that the missed calls of a call's number before it are done, and so is the reminder.
pub(crate) fn settle(
    transaction: &Transaction<'_>,
    seq: i64,
    at: Timestamp,
) -> rusqlite::Result<()> {
    if settle_before(transaction, seq)? > 0 {
        forget_reminder(transaction, seq, at)?;
    }
    Ok(())
}

/// Says that the missed calls of a call's number before it are done; gives how many were not.
pub(crate) fn settle_before(transaction: &Transaction<'_>, seq: i64) -> rusqlite::Result<usize> {
    transaction
        .prepare_cached(&format!(
            "UPDATE calls SET done = 1 WHERE seq IN (SELECT seq FROM {OF_THOSE_TO_CALL_BACK}
             AND number = (SELECT number FROM calls WHERE seq = ?1)
             AND started_at < (SELECT started_at FROM calls WHERE seq = ?1))"
        ))?
        .execute([seq])
}

/// A call back reached nobody: a task says to call again, one for each number, due later with each attempt.
/// A call that answers no missed call that still waits leaves none.
pub(crate) fn remind(
    transaction: &Transaction<'_>,
    call: i64,
    at: Timestamp,
) -> rusqlite::Result<()> {
    let missed: Option<i64> = transaction
        .prepare_cached(
            "SELECT m.seq FROM call_backs b JOIN calls m ON m.seq = b.missed
             WHERE b.call = ?1 AND m.done = 0 ORDER BY m.started_at DESC LIMIT 1",
        )?
        .query_row([call], |row| row.get(0))
        .optional()?;
    let Some(missed) = missed else {
        return Ok(());
    };
    let due = at.checked_add(REMINDED_AFTER).unwrap_or(at);
    let due = due.as_microsecond();
    let known = transaction
        .prepare_cached(&format!(
            "UPDATE tasks SET due_at = ?2 WHERE id IN (SELECT id FROM {REMINDERS})"
        ))?
        .execute([call, due])?;
    if known == 0 {
        transaction
            .prepare_cached(
                "INSERT INTO tasks (task_kind, title, notes, due_at, kind, subject, call, number,
                    agent, created_at, origin)
                 SELECT 'callback', 'Call ' || coalesce(contact_name, remote_name, remote) || ' back',
                    '', ?3, CASE WHEN contact IS NOT NULL THEN 'contact'
                        WHEN organization_id IS NOT NULL THEN 'organization' END,
                    coalesce(contact, organization_id), ?2, coalesce(e164, remote), agent, ?4,
                    'call-back'
                 FROM calls WHERE seq = ?1",
            )?
            .execute(params![call, missed, due, at.as_microsecond()])?;
    }
    Ok(())
}

/// Nobody of a call's number waits any more: the reminder is done. Where somebody does, it stays.
pub(crate) fn forget_reminder(
    transaction: &Transaction<'_>,
    call: i64,
    at: Timestamp,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(&format!(
            "UPDATE tasks SET done_at = ?2 WHERE id IN (SELECT id FROM {REMINDERS})
             AND NOT EXISTS (SELECT 1 FROM {OF_THOSE_TO_CALL_BACK}
                AND number = (SELECT number FROM calls WHERE seq = ?1))"
        ))?
        .execute([call, at.as_microsecond()])?;
    Ok(())
}

/// As [`forget_reminder`], of a call by its name outside.
pub(crate) fn forget_reminder_of(
    transaction: &Transaction<'_>,
    call: CallId,
    at: Timestamp,
) -> rusqlite::Result<()> {
    let seq: Option<i64> = transaction
        .prepare_cached("SELECT seq FROM calls WHERE id = ?1")?
        .query_row([call.to_string()], |row| row.get(0))
        .optional()?;
    match seq {
        Some(seq) => forget_reminder(transaction, seq, at),
        None => Ok(()),
    }
}

/// Nobody waits any more at all.
pub(crate) fn forget_all_reminders(
    transaction: &Transaction<'_>,
    at: Timestamp,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "UPDATE tasks SET done_at = ?1 WHERE origin = 'call-back' AND done_at IS NULL",
        )?
        .execute([at.as_microsecond()])?;
    Ok(())
}

/// The calls `k` that were dialled to call back the one whose id is ?1, or an earlier one of its number that still
/// waits: who calls again was called back all the same.
const ATTEMPTS: &str = "calls k WHERE k.seq IN (SELECT b.call FROM call_backs b
    WHERE b.missed = (SELECT seq FROM calls WHERE id = ?1)
    OR b.missed IN (SELECT seq FROM calls INDEXED BY calls_to_call_back
        WHERE direction = 'inbound' AND done = 0 AND ended_at IS NOT NULL AND number IS NOT NULL
        AND state NOT IN ('blocked', 'answered-elsewhere')
        AND number = (SELECT number FROM calls WHERE id = ?1)))";

/// How often somebody tried to call back since a number was missed, and when the last time.
pub(crate) fn attempts(
    connection: &Connection,
    missed: CallId,
) -> rusqlite::Result<(u32, Option<i64>)> {
    connection
        .prepare_cached(&format!(
            "SELECT count(*), max(k.started_at) FROM {ATTEMPTS}"
        ))?
        .query_row([missed.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Whose call back of a number that was missed was the last one.
pub(crate) fn last_agent(
    connection: &Connection,
    missed: CallId,
) -> rusqlite::Result<Option<String>> {
    let found: Option<Option<String>> = connection
        .prepare_cached(&format!(
            "SELECT k.agent FROM {ATTEMPTS} ORDER BY k.started_at DESC LIMIT 1"
        ))?
        .query_row([missed.to_string()], |row| row.get(0))
        .optional()?;
    Ok(found.flatten())
}

/// What was noted last on a call of the same number; only its newest calls are looked at, for a number that
/// calls all day would hold up the list.
pub(crate) fn last_note(
    connection: &Connection,
    missed: CallId,
) -> rusqlite::Result<Option<CallNote>> {
    connection
        .prepare_cached(
            "SELECT started_at, agent, notes FROM (SELECT started_at, agent, notes FROM calls
                INDEXED BY calls_by_number WHERE number IS NOT NULL
                AND number = (SELECT number FROM calls WHERE id = ?1)
                ORDER BY started_at DESC LIMIT 50)
             WHERE notes <> '' LIMIT 1",
        )?
        .query_row([missed.to_string()], |row| {
            let at = Timestamp::from_microsecond(row.get(0)?).unwrap_or_default();
            Ok(CallNote {
                at,
                agent: row.get(1)?,
                text: row.get(2)?,
            })
        })
        .optional()
}

/// The missed calls that a call answers, the oldest first.
pub(crate) fn answered_by(connection: &Connection, call: CallId) -> rusqlite::Result<Vec<CallId>> {
    let seq: Option<i64> = connection
        .prepare_cached("SELECT seq FROM calls WHERE id = ?1")?
        .query_row([call.to_string()], |row| row.get(0))
        .optional()?;
    connection
        .prepare_cached(
            "SELECT m.id FROM call_backs b JOIN calls m ON m.seq = b.missed
             WHERE b.call = ?1 ORDER BY m.started_at",
        )?
        .query_map(params![seq], |row| row.get::<_, String>(0))?
        .map(|id| Ok(CallId::parse(&id?)))
        .filter_map(Result::transpose)
        .collect()
}
