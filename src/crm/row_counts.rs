//! How many rows the lists have: kept by triggers, because counting millions takes many milliseconds for
//! each page.

use rusqlite::Connection;

use crate::base::id::ContactId;

/// Counts all lists, in an empty table.
macro_rules! counts {
    () => {
        "
INSERT INTO row_counts (list, row_count) VALUES
    ('contacts', (SELECT count(*) FROM contacts)),
    ('leads', (SELECT count(*) FROM contacts WHERE stage IS NOT NULL)),
    ('calls', (SELECT count(*) FROM calls)),
    ('inbound', (SELECT count(*) FROM calls WHERE direction = 'inbound')),
    ('outbound', (SELECT count(*) FROM calls WHERE direction = 'outbound')),
    ('missed', (SELECT count(*) FROM calls WHERE direction = 'inbound' AND answered_at IS NULL
        AND ended_at IS NOT NULL AND state NOT IN ('blocked', 'answered-elsewhere', 'forwarded'))),
    ('to-call-back', (SELECT count(DISTINCT number) FROM calls WHERE direction = 'inbound' AND done = 0
        AND ended_at IS NOT NULL AND number IS NOT NULL
        AND state NOT IN ('blocked', 'answered-elsewhere')));
"
    };
}

/// Counts the missed calls by the condition that the index `calls_missed` has now.
macro_rules! count_missed {
    () => {
        "
UPDATE row_counts SET row_count = (SELECT count(*) FROM calls INDEXED BY calls_missed
    WHERE direction = 'inbound' AND ended_at IS NOT NULL
    AND (answered_at IS NULL OR state IN ('failed', 'no-answer'))
    AND state NOT IN ('blocked', 'answered-elsewhere', 'forwarded'))
WHERE list = 'missed';
"
    };
}

pub(crate) const CREATE: &str = concat!(
    "
-- The lists say how many rows they have, on each page. An index with five million entries takes a
-- tenth of a second to count, so the counts are kept, by whoever writes a row. `missed` is the
-- condition of the index calls_missed, `to-call-back` counts the numbers in calls_to_call_back.
CREATE TABLE row_counts (
    list TEXT PRIMARY KEY,
    row_count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
",
    counts!(),
    "
CREATE TRIGGER contacts_count_insert AFTER INSERT ON contacts BEGIN
    UPDATE row_counts SET row_count = row_count + 1
    WHERE list IN ('contacts', iif(new.stage IS NULL, '', 'leads'));
END;
CREATE TRIGGER contacts_count_delete AFTER DELETE ON contacts BEGIN
    UPDATE row_counts SET row_count = row_count - 1
    WHERE list IN ('contacts', iif(old.stage IS NULL, '', 'leads'));
END;
CREATE TRIGGER contacts_count_update AFTER UPDATE OF stage ON contacts
WHEN (old.stage IS NULL) <> (new.stage IS NULL) BEGIN
    UPDATE row_counts SET row_count = row_count + (old.stage IS NULL) - (new.stage IS NULL)
    WHERE list = 'leads';
END;
CREATE TRIGGER calls_count_insert AFTER INSERT ON calls BEGIN
    UPDATE row_counts SET row_count = row_count + 1 WHERE list IN ('calls', new.direction,
        iif(new.direction = 'inbound' AND new.answered_at IS NULL AND new.ended_at IS NOT NULL
            AND new.state NOT IN ('blocked', 'answered-elsewhere', 'forwarded'), 'missed', ''));
END;
CREATE TRIGGER calls_count_delete AFTER DELETE ON calls BEGIN
    UPDATE row_counts SET row_count = row_count - 1 WHERE list IN ('calls', old.direction,
        iif(old.direction = 'inbound' AND old.answered_at IS NULL AND old.ended_at IS NOT NULL
            AND old.state NOT IN ('blocked', 'answered-elsewhere', 'forwarded'), 'missed', ''));
END;
CREATE TRIGGER calls_count_update AFTER UPDATE OF state, answered_at, ended_at ON calls
WHEN new.direction = 'inbound' BEGIN
    UPDATE row_counts SET row_count = row_count
        + (new.answered_at IS NULL AND new.ended_at IS NOT NULL
            AND new.state NOT IN ('blocked', 'answered-elsewhere', 'forwarded'))
        - (old.answered_at IS NULL AND old.ended_at IS NOT NULL
            AND old.state NOT IN ('blocked', 'answered-elsewhere', 'forwarded'))
    WHERE list = 'missed';
END;
-- A number that waits counts once: with the first of its calls that waits, to the last one.
CREATE TRIGGER calls_waiting_insert AFTER INSERT ON calls
WHEN new.direction = 'inbound' AND new.done = 0 AND new.ended_at IS NOT NULL
    AND new.number IS NOT NULL AND new.state NOT IN ('blocked', 'answered-elsewhere') BEGIN
    UPDATE row_counts SET row_count = row_count + 1 WHERE list = 'to-call-back' AND NOT EXISTS (
        SELECT 1 FROM calls INDEXED BY calls_to_call_back
        WHERE direction = 'inbound' AND done = 0 AND ended_at IS NOT NULL AND number IS NOT NULL
        AND state NOT IN ('blocked', 'answered-elsewhere') AND number = new.number AND seq <> new.seq);
END;
CREATE TRIGGER calls_waiting_delete AFTER DELETE ON calls
WHEN old.direction = 'inbound' AND old.done = 0 AND old.ended_at IS NOT NULL
    AND old.number IS NOT NULL AND old.state NOT IN ('blocked', 'answered-elsewhere') BEGIN
    UPDATE row_counts SET row_count = row_count - 1 WHERE list = 'to-call-back' AND NOT EXISTS (
        SELECT 1 FROM calls INDEXED BY calls_to_call_back
        WHERE direction = 'inbound' AND done = 0 AND ended_at IS NOT NULL AND number IS NOT NULL
        AND state NOT IN ('blocked', 'answered-elsewhere') AND number = old.number);
END;
CREATE TRIGGER calls_waiting_update AFTER UPDATE OF state, ended_at, done, number ON calls
WHEN new.direction = 'inbound' AND (new.number IS NOT old.number
    OR (new.done = 0 AND new.ended_at IS NOT NULL
        AND new.state NOT IN ('blocked', 'answered-elsewhere'))
    <> (old.done = 0 AND old.ended_at IS NOT NULL
        AND old.state NOT IN ('blocked', 'answered-elsewhere'))) BEGIN
    UPDATE row_counts SET row_count = row_count - 1 WHERE list = 'to-call-back'
    AND old.done = 0 AND old.ended_at IS NOT NULL AND old.number IS NOT NULL
    AND old.state NOT IN ('blocked', 'answered-elsewhere') AND NOT EXISTS (
        SELECT 1 FROM calls INDEXED BY calls_to_call_back
        WHERE direction = 'inbound' AND done = 0 AND ended_at IS NOT NULL AND number IS NOT NULL
        AND state NOT IN ('blocked', 'answered-elsewhere') AND number = old.number AND seq <> old.seq);
    UPDATE row_counts SET row_count = row_count + 1 WHERE list = 'to-call-back'
    AND new.done = 0 AND new.ended_at IS NOT NULL AND new.number IS NOT NULL
    AND new.state NOT IN ('blocked', 'answered-elsewhere') AND NOT EXISTS (
        SELECT 1 FROM calls INDEXED BY calls_to_call_back
        WHERE direction = 'inbound' AND done = 0 AND ended_at IS NOT NULL AND number IS NOT NULL
        AND state NOT IN ('blocked', 'answered-elsewhere') AND number = new.number AND seq <> new.seq);
END;
"
);

pub(crate) const COUNT_SILENT: &str = concat!(
    "
-- A call that was answered and in which nobody talked, for the caller never confirmed the answer or gave up
-- meanwhile, is missed as well: who reads the missed calls has to see it.
DROP INDEX calls_missed;
CREATE INDEX calls_missed ON calls (started_at)
    WHERE direction = 'inbound' AND ended_at IS NOT NULL
    AND (answered_at IS NULL OR state IN ('failed', 'no-answer'))
    AND state NOT IN ('blocked', 'answered-elsewhere', 'forwarded');
DROP TRIGGER calls_count_insert;
DROP TRIGGER calls_count_delete;
DROP TRIGGER calls_count_update;
CREATE TRIGGER calls_count_insert AFTER INSERT ON calls BEGIN
    UPDATE row_counts SET row_count = row_count + 1 WHERE list IN ('calls', new.direction,
        iif(new.direction = 'inbound' AND new.ended_at IS NOT NULL
            AND (new.answered_at IS NULL OR new.state IN ('failed', 'no-answer'))
            AND new.state NOT IN ('blocked', 'answered-elsewhere', 'forwarded'), 'missed', ''));
END;
CREATE TRIGGER calls_count_delete AFTER DELETE ON calls BEGIN
    UPDATE row_counts SET row_count = row_count - 1 WHERE list IN ('calls', old.direction,
        iif(old.direction = 'inbound' AND old.ended_at IS NOT NULL
            AND (old.answered_at IS NULL OR old.state IN ('failed', 'no-answer'))
            AND old.state NOT IN ('blocked', 'answered-elsewhere', 'forwarded'), 'missed', ''));
END;
CREATE TRIGGER calls_count_update AFTER UPDATE OF state, answered_at, ended_at ON calls
WHEN new.direction = 'inbound' BEGIN
    UPDATE row_counts SET row_count = row_count
        + (new.ended_at IS NOT NULL
            AND (new.answered_at IS NULL OR new.state IN ('failed', 'no-answer'))
            AND new.state NOT IN ('blocked', 'answered-elsewhere', 'forwarded'))
        - (old.ended_at IS NOT NULL
            AND (old.answered_at IS NULL OR old.state IN ('failed', 'no-answer'))
            AND old.state NOT IN ('blocked', 'answered-elsewhere', 'forwarded'))
    WHERE list = 'missed';
END;
",
    count_missed!()
);

/// Counts all lists again, after rows came without their triggers.
pub(crate) fn count_again(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(concat!(
        "DELETE FROM row_counts;",
        counts!(),
        count_missed!()
    ))
}

/// Counts the contacts that are newer than one, as their trigger does.
pub(crate) fn count_newer(connection: &Connection, than: ContactId) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE row_counts SET row_count = row_count + (SELECT count(*) FROM contacts
                WHERE id > ?1 AND (list = 'contacts' OR stage IS NOT NULL))
             WHERE list IN ('contacts', 'leads')",
        )?
        .execute([than.0])?;
    Ok(())
}

/// Reads how many rows a list has.
pub(crate) fn of(connection: &Connection, list: &str) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("SELECT row_count FROM row_counts WHERE list = ?1")?
        .query_row([list], |row| row.get(0))
}
