//! The rows of a person: what goes, what stays without them, and how much that was.

use rusqlite::{Connection, Params, Transaction, params_from_iter};

use crate::base::id::{ContactId, OrganizationId, TicketId};
use crate::crm::person::{KeyPart, Mention, Person, TextTable, quoted};
use crate::crm::row::{ErasedCalls, TableCount};
use crate::crm::writer::WriteError;
use crate::crm::{calls, contacts, files_to_remove, tickets, words_behind};

/// What stands in the place of the number of a call whose person was erased.
const NOBODY: &str = "erased";

/// Tables whose rows go as a whole where the person is mentioned: half a step cannot be undone, and half a
/// number finds nobody.
const WHOLE_ROWS: [&str; 5] = [
    "undo_steps",
    "import_rows",
    "number_hints",
    "hint_verdicts",
    "blocked",
];

/// How many rows of which table were changed or removed.
#[derive(Debug, Default)]
pub(crate) struct Counts(pub(crate) Vec<TableCount>);

impl Counts {
    fn add(&mut self, table: &str, rows: usize) {
        let rows = rows as u64;
        match self.0.iter_mut().find(|count| count.table == table) {
            Some(count) => count.rows += rows,
            None if rows > 0 => self.0.push(TableCount {
                table: table.to_owned(),
                rows,
            }),
            None => {}
        }
    }
}

/// Erases a person's rows and every mention; gives how many recordings are to be removed.
pub(crate) fn erase_rows(
    transaction: &Transaction<'_>,
    person: &Person,
    calls: ErasedCalls,
    mentions: &[Mention],
    counts: &mut Counts,
) -> Result<u64, WriteError> {
    // Their words may lie among those of people who are not in the index yet.
    while words_behind::index_piece(transaction)? {}
    let own = person.calls(transaction)?;
    let recordings = transaction
        .prepare("SELECT count(*) FROM calls WHERE recording IS NOT NULL AND seq = ?1")
        .and_then(|mut query| {
            own.iter().try_fold(0_u64, |sum, call| {
                let one: i64 = query.query_row([call], |row| row.get(0))?;
                Ok(sum + one.unsigned_abs())
            })
        })?;
    files_to_remove::add(transaction, &own, true)?;
    for call in &own {
        erase_tasks(transaction, "call = ?1", [call], counts)?;
        for table in ["call_ladders", "call_links"] {
            let sql = format!("DELETE FROM {table} WHERE call = ?1");
            counts.add(table, transaction.prepare_cached(&sql)?.execute([call])?);
        }
        let changed = match calls {
            ErasedCalls::Remove => transaction
                .prepare_cached("DELETE FROM calls WHERE seq = ?1")?
                .execute([call])?,
            ErasedCalls::Anonymise => anonymise(transaction, *call)?,
        };
        counts.add("calls", changed);
    }
    for key in person.own_keys() {
        let choices = transaction.execute("DELETE FROM number_choices WHERE number = ?1", [key])?;
        counts.add("number_choices", choices);
        erase_tasks(transaction, "number = ?1", [key], counts)?;
    }
    if let Some(contact) = person.contact {
        erase_around(transaction, person, contact, calls, counts)?;
        contacts::delete(transaction, contact)?;
        counts.add("contacts", 1);
    }
    // The person's own rows are gone by now.
    for mention in mentions {
        redact(transaction, person, mention, counts)?;
    }
    Ok(recordings)
}

/// Erases what hangs on a contact: tickets, tasks, notes, the trail and steps to undo.
fn erase_around(
    transaction: &Transaction<'_>,
    person: &Person,
    contact: ContactId,
    calls: ErasedCalls,
    counts: &mut Counts,
) -> rusqlite::Result<()> {
    for (table, column) in pointing_to(transaction, "contacts")? {
        if ["calls", "tickets"].contains(&table.as_str()) {
            continue;
        }
        let sql = format!("DELETE FROM \"{table}\" WHERE \"{column}\" = ?1");
        counts.add(&table, transaction.execute(&sql, [contact.0])?);
    }
    let tickets = person.tickets(transaction)?;
    let own = tickets.iter().map(|ticket| ("ticket", *ticket));
    for (kind, subject) in own.chain([("contact", contact.0)]) {
        let about = "kind = ?1 AND subject = ?2";
        erase_tasks(transaction, about, (kind, subject), counts)?;
        for (table, sql) in [
            (
                "notes",
                "DELETE FROM notes WHERE kind = ?1 AND subject = ?2",
            ),
            (
                "number_choices",
                "DELETE FROM number_choices WHERE kind = ?1 AND subject = ?2",
            ),
            // Who changed something stays, and when; what it was said of the person.
            (
                "audit",
                "UPDATE audit SET detail = '' WHERE kind = ?1 AND subject = ?2 AND detail <> ''",
            ),
        ] {
            counts.add(
                table,
                transaction.prepare_cached(sql)?.execute((kind, subject))?,
            );
        }
    }
    for ticket in tickets {
        let articles = "DELETE FROM ticket_articles WHERE ticket = ?1";
        let articles = transaction.prepare_cached(articles)?.execute([ticket])?;
        counts.add("ticket_articles", articles);
        let sql = match calls {
            ErasedCalls::Remove => "DELETE FROM tickets WHERE id = ?1",
            ErasedCalls::Anonymise => {
                "UPDATE tickets SET title = '[erased]', contact = NULL, organization = NULL WHERE id = ?1"
            }
        };
        counts.add(
            "tickets",
            transaction.prepare_cached(sql)?.execute([ticket])?,
        );
        tickets::index(transaction, TicketId(ticket))?;
    }
    // As steps write a record down, whatever it was called then.
    let (id, name) = (contact.0, person.name.as_deref().unwrap_or_default());
    let steps = transaction.execute(
        "DELETE FROM undo_steps WHERE instr(step, ?1) OR instr(step, ?2) OR instr(step, ?3)
            OR instr(step, ?4) OR (?5 <> '' AND (instr(step, ?5) OR instr(label, ?5)))",
        (
            format!("\"kind\":\"contact\",\"id\":{id}}}"),
            format!("\"Contact\":{{\"id\":{id},"),
            format!("\"contact\":{id},"),
            format!("\"contact\":{id}}}"),
            name,
        ),
    )?;
    counts.add("undo_steps", steps);
    Ok(())
}

/// Erases tasks, and their titles from the trail.
fn erase_tasks(
    transaction: &Transaction<'_>,
    condition: &str,
    values: impl Params,
    counts: &mut Counts,
) -> rusqlite::Result<()> {
    let sql = format!("DELETE FROM tasks WHERE {condition} RETURNING title");
    let mut query = transaction.prepare_cached(&sql)?;
    let titles = query.query_map(values, |row| row.get::<_, String>(0))?;
    for title in titles.collect::<rusqlite::Result<Vec<_>>>()? {
        counts.add("tasks", 1);
        let told = transaction.execute(
            "UPDATE audit SET detail = '' WHERE what = 'save task' AND detail <> ''
                AND instr(?1, detail) = 1",
            [title],
        )?;
        counts.add("audit", told);
    }
    Ok(())
}

/// Takes everything of a person out of a call; what statistics need stays.
fn anonymise(transaction: &Transaction<'_>, call: i64) -> rusqlite::Result<usize> {
    let changed = transaction
        .prepare_cached(
            "UPDATE calls SET remote = ?2, e164 = NULL, number = NULL, digits = NULL,
                reversed = NULL, remote_name = NULL, contact = NULL, contact_name = NULL,
                organization = NULL, organization_id = NULL, level = NULL, match_reason = NULL, sip_call_id = NULL,
                end_reason = NULL, recording = NULL, recording_gaps = NULL, notes = '', done = 1,
                via = NULL, number_proof = NULL, transferred_to = NULL, transferred_by = NULL,
                redirected_to = NULL, answered_by = NULL
             WHERE seq = ?1",
        )?
        .execute((call, NOBODY))?;
    transaction
        .prepare_cached("DELETE FROM call_words WHERE rowid = ?1")?
        .execute([call])?;
    Ok(changed)
}

/// Takes a person out of the texts of a row.
fn redact(
    transaction: &Transaction<'_>,
    person: &Person,
    mention: &Mention,
    counts: &mut Counts,
) -> rusqlite::Result<()> {
    let TextTable { name, key, texts } = &mention.table;
    let row = format!("({}) = ({})", quoted(key), vec!["?"; key.len()].join(", "));
    if WHOLE_ROWS.contains(&name.as_str()) {
        let sql = format!("DELETE FROM \"{name}\" WHERE {row}");
        let gone = transaction
            .prepare_cached(&sql)?
            .execute(params_from_iter(&mention.key))?;
        counts.add(name, gone);
        return Ok(());
    }
    let traces = person.traces();
    let mut changed = 0;
    for column in texts {
        let sql = format!("SELECT \"{column}\" FROM \"{name}\" WHERE {row}");
        let mut query = transaction.prepare_cached(&sql)?;
        let mut rows = query.query(params_from_iter(&mention.key))?;
        let text: Option<String> = match rows.next()? {
            Some(row) => row.get(0)?,
            None => None,
        };
        drop(rows);
        let Some(text) = text.and_then(|text| traces.redacted(&text)) else {
            continue;
        };
        let sql = format!("UPDATE OR REPLACE \"{name}\" SET \"{column}\" = ? WHERE {row}");
        let first = KeyPart::Text(text);
        let values = std::iter::once(&first).chain(&mention.key);
        transaction
            .prepare_cached(&sql)?
            .execute(params_from_iter(values))?;
        changed = 1;
    }
    if let (1, [KeyPart::Number(row), ..]) = (changed, mention.key.as_slice()) {
        index_again(transaction, name, *row)?;
    }
    counts.add(name, changed);
    Ok(())
}

/// Makes the words of a row that was redacted anew, where no trigger does.
fn index_again(transaction: &Transaction<'_>, table: &str, row: i64) -> rusqlite::Result<()> {
    match table {
        "calls" => calls::index_words(transaction, row),
        "contacts" | "contact_numbers" => contacts::index(transaction, ContactId(row)),
        "organizations" => contacts::index_organization(transaction, OrganizationId(row)),
        "tickets" => tickets::index(transaction, TicketId(row)),
        "ticket_articles" => {
            let sql = "SELECT ticket FROM ticket_articles WHERE id = ?1";
            let ticket = transaction.query_row(sql, [row], |row| row.get(0).map(TicketId))?;
            tickets::index(transaction, ticket)
        }
        _ => Ok(()),
    }
}

/// Tables and their columns that point to a table.
pub(crate) fn pointing_to(
    connection: &Connection,
    table: &str,
) -> rusqlite::Result<Vec<(String, String)>> {
    let mut query = connection.prepare(
        "SELECT t.name, f.\"from\" FROM pragma_table_list t
         JOIN pragma_foreign_key_list(t.name) f ON f.\"table\" = ?1
         WHERE t.schema = 'main' AND t.type = 'table' ORDER BY t.name",
    )?;
    let rows = query.query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}
