//! What the agents chose for a number, to rank it first next time.

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use crate::base::id::CallId;
use crate::crm::row::{Match, MatchLevel, Subject};

pub(crate) const CREATE: &str = "
-- A number shared by several people: whom the agent chose last. A choice ranks first the next
-- time; it is no proof, so it is kept apart from the contacts' own numbers.
CREATE TABLE number_choices (
    number TEXT PRIMARY KEY,
    contact INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
-- A deleted contact takes its choices along.
CREATE INDEX number_choices_by_contact ON number_choices (contact);
";

pub(crate) const OF_ANYTHING: &str = "
-- An organization can be chosen as well as a person.
ALTER TABLE number_choices RENAME TO number_choices_of_contacts;
CREATE TABLE number_choices (
    number TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    subject INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO number_choices SELECT number, 'contact', contact FROM number_choices_of_contacts;
DROP TABLE number_choices_of_contacts;
-- A deleted record takes its choices along.
CREATE INDEX number_choices_by_subject ON number_choices (kind, subject);
CREATE TRIGGER contacts_number_choices AFTER DELETE ON contacts BEGIN
    DELETE FROM number_choices WHERE kind = 'contact' AND subject = old.id;
END;
CREATE TRIGGER organizations_number_choices AFTER DELETE ON organizations BEGIN
    DELETE FROM number_choices WHERE kind = 'organization' AND subject = old.id;
END;
";

pub(crate) const TELL_REMEMBERED: &str = "
-- Whom somebody chose for a number was written as an agent's choice of each later call, which no change of a record may
-- take back. Its reason tells it from what was said of the call itself; from now on it is as sure as the number that
-- the record has. A link may have been made once more by an agent, of which the trail alone tells: it stays a choice
-- where the trail does, and where the call is older than the trail and shows somebody else or nobody.
UPDATE calls SET level = iif(EXISTS (SELECT 1 FROM contact_numbers n WHERE n.contact = calls.contact
            AND (n.e164 = calls.e164 OR n.address = calls.number
                OR (n.digits = calls.digits AND (n.e164 IS NULL OR calls.e164 IS NULL))))
        OR EXISTS (SELECT 1 FROM organization_numbers n WHERE n.organization = calls.organization_id
            AND (n.e164 = calls.e164 OR n.address = calls.number
                OR (n.digits = calls.digits AND (n.e164 IS NULL OR calls.e164 IS NULL)))),
        'known', 'weak')
    WHERE level = 'manual' AND match_reason IN ('you chose this contact for this number before',
        'you chose this organization for this number before')
    AND seq IN (SELECT call FROM call_links WHERE level = 'manual' AND reason IN (
        'you chose this contact for this number before', 'you chose this organization for this number before'));
UPDATE call_links SET level = iif(EXISTS (SELECT 1 FROM calls c JOIN contact_numbers n ON n.contact = call_links.subject
            WHERE c.seq = call_links.call AND call_links.kind = 'contact'
            AND (n.e164 = c.e164 OR n.address = c.number
                OR (n.digits = c.digits AND (n.e164 IS NULL OR c.e164 IS NULL))))
        OR EXISTS (SELECT 1 FROM calls c JOIN organization_numbers n ON n.organization = call_links.subject
            WHERE c.seq = call_links.call AND call_links.kind = 'organization'
            AND (n.e164 = c.e164 OR n.address = c.number
                OR (n.digits = c.digits AND (n.e164 IS NULL OR c.e164 IS NULL)))),
        'known', 'weak')
    WHERE level = 'manual' AND reason IN ('you chose this contact for this number before',
        'you chose this organization for this number before')
    AND NOT EXISTS (SELECT 1 FROM calls c WHERE c.seq = call_links.call AND c.level = 'manual'
        AND call_links.subject = iif(call_links.kind = 'contact', c.contact, c.organization_id))
    AND NOT EXISTS (SELECT 1 FROM audit a WHERE a.kind = call_links.kind AND a.subject = call_links.subject
        AND a.what = 'link call' AND a.detail = (SELECT id FROM calls c WHERE c.seq = call_links.call))
    AND (started_at >= (SELECT min(at) FROM audit)
        OR EXISTS (SELECT 1 FROM calls c WHERE c.seq = call_links.call AND c.match_reason = call_links.reason
            AND call_links.subject = iif(call_links.kind = 'contact', c.contact, c.organization_id)));
";

/// Reads the last choice for a number's key.
pub(crate) fn of(connection: &Connection, key: &str) -> rusqlite::Result<Option<Subject>> {
    let found: Option<(String, i64)> = connection
        .prepare_cached("SELECT kind, subject FROM number_choices WHERE number = ?1")?
        .query_row([key], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(found.and_then(|(kind, id)| Subject::of(&kind, id)))
}

/// Ranks whom somebody chose for a call's number before first of those whom it may be with: to be asked for, for
/// the call itself has them as sure as their number.
pub(crate) fn rank_first(
    connection: &Connection,
    call: CallId,
    links: &mut [Match],
) -> rusqlite::Result<()> {
    let number: Option<Option<String>> = connection
        .prepare_cached("SELECT number FROM calls WHERE id = ?1")?
        .query_row([call.to_string()], |row| row.get(0))
        .optional()?;
    let Some(number) = number.flatten() else {
        return Ok(());
    };
    let chosen = of(connection, &number)?;
    if let Some(link) = links.iter_mut().find(|link| Some(link.subject) == chosen) {
        link.level = MatchLevel::Manual;
        link.reason = reason(link.subject);
        links.sort_by_key(|link| link.level);
    }
    Ok(())
}

/// Why somebody ranks first for a number.
pub(crate) fn reason(chosen: Subject) -> String {
    format!("you chose this {} for this number before", chosen.kind())
}

/// Remembers a choice, or forgets it.
pub(crate) fn set(
    transaction: &Transaction<'_>,
    key: &str,
    chosen: Option<Subject>,
) -> rusqlite::Result<()> {
    match chosen {
        Some(chosen) => transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO number_choices (number, kind, subject) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![key, chosen.kind(), chosen.id()])?,
        None => transaction
            .prepare_cached("DELETE FROM number_choices WHERE number = ?1")?
            .execute([key])?,
    };
    Ok(())
}
