//! What is around the people and calls of the large store: tickets, notes, guesses, numbers of
//! organizations, call types.

use rusqlite::{Connection, params};

use crate::filling::{national, reversed, signed};
use crate::people::COLLEAGUES;

/// Every so many people one has a ticket, one a note, and one a guess.
pub(crate) const TICKET_EACH: u64 = 5;
pub(crate) const GUESS_EACH: u64 = 10;

/// Calls of one ticket are so far apart.
const LINKED_EACH: u64 = 25;

/// The queues; every fourth call is of none.
pub(crate) const QUEUES: [&str; 3] = ["Sales", "Support", "Front desk"];

/// What calls are about; every second one has none.
pub(crate) const CALL_TYPES: [&str; 4] = ["Order", "Complaint", "Question", "Wrong number"];

/// So many agents there are, by their number.
pub(crate) const AGENTS: u64 = 40;

/// The number of an organization's exchange in international form, without `+`.
pub(crate) fn exchange(organization: u64) -> String {
    format!("4930{}", 90_000_000 + organization)
}

/// A number that a note gives for a person.
pub(crate) fn guess(person: u64) -> String {
    format!("49761{}", 20_000_000 + person)
}

/// Fills the tables; the contacts, organizations and calls are there, and their triggers are not.
pub(crate) fn fill(connection: &Connection, contacts: u64, now_micros: i64) {
    let mut number_of = connection
        .prepare(
            "INSERT INTO organization_numbers (organization, place, label, raw, e164, digits, reversed, internal)
             VALUES (?1, 0, 'Exchange', ?2, ?2, ?3, ?4, 0)",
        )
        .unwrap();
    for organization in 0..contacts.div_ceil(COLLEAGUES) {
        let number = exchange(organization);
        number_of
            .execute(params![
                signed(organization + 1),
                format!("+{number}"),
                national(&number),
                reversed(&number)
            ])
            .unwrap();
    }
    let mut hint = connection
        .prepare(
            "INSERT INTO number_hints (number, digits, raw, fax, signature, contact, name, email, source,
                source_id, source_text, said_at, found_at)
             SELECT ?1, ?2, ?2, 0, 0, ?3, NULL, '', 'note', CAST(?3 AS TEXT), 'reach me under ' || ?2, ?4, ?4",
        )
        .unwrap();
    for person in (0..contacts).step_by(usize::try_from(GUESS_EACH).unwrap()) {
        let number = guess(person);
        hint.execute(params![
            format!("+{number}"),
            national(&number),
            signed(person + 1),
            now_micros - signed(person)
        ])
        .unwrap();
    }
    connection
        .execute(
            "INSERT INTO notes (kind, subject, at, author, text)
             SELECT 'contact', id, ?2 - id * 17000000, 'Agent ' || id % 40,
                CASE id % 7 WHEN 0 THEN 'prefers to be called in the morning'
                    WHEN 1 THEN 'wants an invoice for each delivery' WHEN 2 THEN 'speaks Polish and German'
                    WHEN 3 THEN 'gate code is with the porter' WHEN 4 THEN 'complained about the wrong colour'
                    WHEN 5 THEN 'knows our catalogue by heart' ELSE 'asks for a discount each time' END
             FROM contacts WHERE id % ?1 = 1",
            params![signed(TICKET_EACH), now_micros],
        )
        .unwrap();
    connection
        .execute(
            "INSERT INTO tickets (id, title, state, contact, organization, agent, created_at, updated_at, closed_at)
             SELECT id / ?1, CASE id / ?1 % 6 WHEN 0 THEN 'Offer for a printer' WHEN 1 THEN 'Delivery is late'
                    WHEN 2 THEN 'Invoice is wrong' WHEN 3 THEN 'Repair of the heating'
                    WHEN 4 THEN 'Contract ends' ELSE 'Question about the catalogue' END,
                CASE WHEN id / ?1 % 4 THEN 'closed' ELSE 'open' END, id, organization, 'Agent ' || id % 40,
                ?2 - id * 31000000, ?2 - id * 29000000, iif(id / ?1 % 4, ?2 - id * 29000000, NULL)
             FROM contacts WHERE id % ?1 = 0",
            params![signed(TICKET_EACH), now_micros],
        )
        .unwrap();
    connection
        .execute_batch(
            "INSERT INTO ticket_articles (ticket, at, kind, sender, internal, author, body)
                SELECT id, updated_at, 'phone', 'customer', 0, agent,
                    'called about it and wants an answer by the end of the week, number ' || id FROM tickets;",
        )
        .unwrap();
    connection
        .execute(
            "INSERT INTO call_links (call, kind, subject, level, reason, name, started_at)
             SELECT k.seq, 'ticket', t.id, 'manual', 'chosen by an agent', t.title, k.started_at
             FROM calls k JOIN tickets t ON t.id = k.seq / ?1 % (SELECT max(id) FROM tickets) + 1
             WHERE k.seq % ?1 = 0",
            params![signed(LINKED_EACH)],
        )
        .unwrap();
    for (id, name) in (1_i64..).zip(CALL_TYPES) {
        connection
            .execute(
                "INSERT INTO call_types (id, name, folded, active, place) VALUES (?1, ?2, ?3, 1, ?1)
                 ON CONFLICT DO UPDATE SET name = excluded.name, folded = excluded.folded",
                params![id, name, name.to_lowercase()],
            )
            .unwrap();
    }
}

/// The full-text indexes of tickets and notes, as their triggers would have filled them.
pub(crate) fn words(connection: &Connection) {
    connection
        .execute_batch(
            "INSERT INTO note_words (rowid, text) SELECT id, text FROM notes;
             INSERT INTO ticket_words (rowid, title, bodies)
                SELECT t.id, t.title, a.body FROM tickets t JOIN ticket_articles a ON a.ticket = t.id;",
        )
        .unwrap();
}
