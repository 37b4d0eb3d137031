//! Tickets and their articles.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use crate::base::id::{ArticleId, CallId, ContactId, OrganizationId, TicketId};
use crate::crm::calls::timestamp;
use crate::crm::row::{
    ArticleKind, ArticleRow, ArticleSender, Subject, TicketChange, TicketFilter, TicketRow,
    TicketState,
};
use crate::crm::search::asked;
use crate::crm::writer::WriteError;
use crate::crm::{records, word_index};

/// So many of a search's tickets are sorted for a page of the list, and so many where a few of them are shown beside
/// what else is found: the newest.
const GATHERED: u32 = if cfg!(test) { 20 } else { 5_000 };
const FOUND_AMONG: u32 = if cfg!(test) { 10 } else { 2_000 };

/// A page holds at most so many.
const PAGE_LIMIT: usize = 1_000;

pub(crate) const CREATE: &str = "
-- What customers want. AUTOINCREMENT: people call a ticket by its number, which is never used again.
CREATE TABLE tickets (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    title TEXT NOT NULL,
    state TEXT NOT NULL,
    contact INTEGER REFERENCES contacts (id) ON DELETE SET NULL,
    organization INTEGER REFERENCES organizations (id) ON DELETE SET NULL,
    agent TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    closed_at INTEGER
) STRICT;
-- The list, newest change first; those of a customer are shown while it rings.
CREATE INDEX tickets_newest ON tickets (updated_at);
CREATE INDEX tickets_not_closed ON tickets (updated_at) WHERE state <> 'closed';
CREATE INDEX tickets_by_contact ON tickets (contact, updated_at) WHERE contact IS NOT NULL;
CREATE INDEX tickets_by_organization ON tickets (organization, updated_at)
    WHERE organization IS NOT NULL;
CREATE TABLE ticket_articles (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    ticket INTEGER NOT NULL REFERENCES tickets (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    sender TEXT NOT NULL,
    internal INTEGER NOT NULL,
    author TEXT NOT NULL,
    body TEXT NOT NULL,
    call INTEGER REFERENCES calls (seq) ON DELETE SET NULL
) STRICT;
-- A ticket is read with its articles; a call that goes takes its name out of them.
CREATE INDEX ticket_articles_by_ticket ON ticket_articles (ticket, id);
CREATE INDEX ticket_articles_by_call ON ticket_articles (call) WHERE call IS NOT NULL;
-- Search in titles and articles; contentless, as for calls.
CREATE VIRTUAL TABLE ticket_words USING fts5 (
    title, bodies, content = '', contentless_delete = 1,
    tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);
CREATE TRIGGER tickets_delete AFTER DELETE ON tickets BEGIN
    DELETE FROM ticket_words WHERE rowid = old.id;
    DELETE FROM call_links WHERE kind = 'ticket' AND subject = old.id;
END;
";

pub(crate) const MARK_WRAP_UPS: &str = "
-- Which article holds what was said of its call in the wrap-up: said again, it is replaced.
ALTER TABLE ticket_articles ADD COLUMN wrap_up INTEGER NOT NULL DEFAULT 0;
";

const COLUMNS: &str = "t.id, t.title, t.state, t.contact, c.name, t.organization, o.name, t.agent,
    t.created_at, t.updated_at, t.closed_at
    FROM tickets t LEFT JOIN contacts c ON c.id = t.contact
    LEFT JOIN organizations o ON o.id = t.organization";

/// Reads a ticket with its articles.
pub(crate) fn one(connection: &Connection, id: TicketId) -> rusqlite::Result<Option<TicketRow>> {
    let Some(mut ticket) = connection
        .prepare_cached(&format!("SELECT {COLUMNS} WHERE t.id = ?1"))?
        .query_row([id.0], read)
        .optional()?
    else {
        return Ok(None);
    };
    let mut query = connection.prepare_cached(
        "SELECT a.id, a.at, a.kind, a.sender, a.internal, a.author, a.body, k.id
         FROM ticket_articles a LEFT JOIN calls k ON k.seq = a.call
         WHERE a.ticket = ?1 ORDER BY a.id",
    )?;
    ticket.articles = query
        .query_map([id.0], read_article)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Some(ticket))
}

/// Reads a page of tickets, the last changed first; `before` is the last row of the page before.
pub(crate) fn page(
    connection: &Connection,
    filter: TicketFilter,
    search: &str,
    before: Option<(Timestamp, TicketId)>,
    limit: usize,
) -> rusqlite::Result<Vec<TicketRow>> {
    let (at, id) = before.map_or((i64::MAX, i64::MAX), |(at, id)| (at.as_microsecond(), id.0));
    let limit = i64::try_from(limit.min(PAGE_LIMIT)).unwrap_or(i64::MAX);
    if asked(search).is_empty() {
        return connection
            .prepare_cached(&page_query(filter))?
            .query_map(params![at, id, limit], read)?
            .collect();
    }
    let words = word_index::TICKETS.texts(connection, search)?;
    connection
        .prepare_cached(&search_query(filter))?
        .query_map(params![at, id, limit, words, GATHERED], read)?
        .collect()
}

/// Finds tickets by their words among the newest with these, the last changed first.
pub(crate) fn find(
    connection: &Connection,
    search: &str,
    limit: u32,
) -> rusqlite::Result<Vec<TicketRow>> {
    let words = word_index::TICKETS.texts(connection, search)?;
    connection
        .prepare_cached(&search_query(TicketFilter::All))?
        .query_map(params![i64::MAX, i64::MAX, limit, words, FOUND_AMONG], read)?
        .collect()
}

fn page_query(filter: TicketFilter) -> String {
    let condition = condition(filter);
    format!(
        "SELECT {COLUMNS} WHERE {condition} AND (t.updated_at, t.id) < (?1, ?2)
         ORDER BY t.updated_at DESC, t.id DESC LIMIT ?3"
    )
}

/// The page of a search: the newest that it finds, so many of them, are sorted by their own columns, and the names
/// come for the page alone.
fn search_query(filter: TicketFilter) -> String {
    let condition = condition(filter);
    format!(
        "SELECT {COLUMNS} WHERE t.id IN (SELECT t.id FROM tickets t WHERE {condition}
            AND t.id IN (SELECT rowid FROM ticket_words WHERE ticket_words MATCH ?4
                ORDER BY rowid DESC LIMIT ?5)
            AND (t.updated_at, t.id) < (?1, ?2) ORDER BY t.updated_at DESC, t.id DESC LIMIT ?3)
         ORDER BY t.updated_at DESC, t.id DESC"
    )
}

fn condition(filter: TicketFilter) -> &'static str {
    match filter {
        TicketFilter::All => "true",
        TicketFilter::NotClosed => "t.state <> 'closed'",
        TicketFilter::Drafts => "t.state = 'draft'",
    }
}

/// The statements of the lists, with the index that each must use.
#[cfg(test)]
pub(crate) fn queries_for_plan() -> [(String, &'static str); 3] {
    [
        (page_query(TicketFilter::All), "tickets_newest"),
        (page_query(TicketFilter::NotClosed), "tickets_not_closed"),
        (page_query(TicketFilter::Drafts), "tickets_drafts"),
    ]
}

/// Where the page after a ticket begins; none where there is no such ticket.
pub(crate) fn cursor(
    connection: &Connection,
    id: TicketId,
) -> rusqlite::Result<Option<(Timestamp, TicketId)>> {
    connection
        .prepare_cached("SELECT updated_at FROM tickets WHERE id = ?1")?
        .query_row([id.0], |row| Ok((timestamp(row.get(0)?), id)))
        .optional()
}

/// Reads the tickets of a customer that were changed last, without drafts.
pub(crate) fn latest(
    connection: &Connection,
    subject: Subject,
    limit: u32,
) -> rusqlite::Result<Vec<TicketRow>> {
    let condition = match subject {
        Subject::Contact(_) => "t.contact = ?1",
        Subject::Organization(_) => "t.organization = ?1",
        Subject::Ticket(_) => "t.id = ?1",
    };
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} WHERE {condition} AND t.state <> 'draft'
             ORDER BY t.updated_at DESC LIMIT ?2"
        ))?
        .query_map(params![subject.id(), limit], read)?
        .collect()
}

/// Reads the tickets of a customer before a time of change and an id, the last changed first.
pub(crate) fn changed_before(
    connection: &Connection,
    subject: Subject,
    before: (i64, i64),
    limit: u32,
) -> rusqlite::Result<Vec<TicketRow>> {
    let condition = match subject {
        Subject::Contact(_) => "t.contact = ?1",
        Subject::Organization(_) => "t.organization = ?1",
        Subject::Ticket(_) => "t.id = ?1",
    };
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} WHERE {condition} AND (t.updated_at, t.id) < (?2, ?3)
             ORDER BY t.updated_at DESC, t.id DESC LIMIT ?4"
        ))?
        .query_map(params![subject.id(), before.0, before.1, limit], read)?
        .collect()
}

/// Inserts (id 0) or changes a ticket; its articles are only added to: those without an id. A customer
/// without an organization brings the own one along.
pub(crate) fn save(
    transaction: &Transaction<'_>,
    at: Timestamp,
    row: &TicketRow,
) -> Result<TicketId, WriteError> {
    if let Some(contact) = row.contact {
        records::must_exist(transaction, Subject::Contact(contact))?;
    }
    let values = params![
        (row.id.0 != 0).then_some(row.id.0),
        row.title.trim(),
        row.state.as_str(),
        row.contact.map(|id| id.0),
        row.organization.map(|id| id.0),
        row.agent,
        at.as_microsecond(),
    ];
    const ORGANIZATION: &str = "coalesce(?5, (SELECT organization FROM contacts WHERE id = ?4))";
    const CLOSED: &str = "iif(?3 = 'closed', coalesce(closed_at, ?7), NULL)";
    let id = if row.id.0 == 0 {
        transaction
            .prepare_cached(&format!(
                "INSERT INTO tickets (id, title, state, contact, organization, agent, created_at,
                    updated_at, closed_at)
                 VALUES (?1, ?2, ?3, ?4, {ORGANIZATION}, ?6, ?7, ?7, iif(?3 = 'closed', ?7, NULL))"
            ))?
            .execute(values)?;
        TicketId(transaction.last_insert_rowid())
    } else {
        let changed = transaction
            .prepare_cached(&format!(
                "UPDATE tickets SET title = ?2, state = ?3, contact = ?4,
                    organization = {ORGANIZATION}, agent = ?6, updated_at = ?7, closed_at = {CLOSED}
                 WHERE id = ?1"
            ))?
            .execute(values)?;
        if changed == 0 {
            return Err(WriteError::Missing("ticket"));
        }
        row.id
    };
    for article in row.articles.iter().filter(|article| article.id.0 == 0) {
        add(transaction, id, article)?;
    }
    index(transaction, id)?;
    Ok(id)
}

/// Adds an article to a ticket; a closed one is open again when it holds a customer's words.
pub(crate) fn add_article(
    transaction: &Transaction<'_>,
    at: Timestamp,
    ticket: TicketId,
    article: &ArticleRow,
) -> Result<ArticleId, WriteError> {
    let changed = transaction
        .prepare_cached(
            "UPDATE tickets SET updated_at = ?2,
                closed_at = iif(?3 AND state = 'closed', NULL, closed_at),
                state = iif(?3 AND state = 'closed', 'open', state)
             WHERE id = ?1",
        )?
        .execute(params![
            ticket.0,
            at.as_microsecond(),
            article.sender == ArticleSender::Customer
        ])?;
    if changed == 0 {
        return Err(WriteError::Missing("ticket"));
    }
    let id = add(transaction, ticket, article)?;
    index(transaction, ticket)?;
    Ok(id)
}

/// Changes some of a ticket; what is none stays. Another customer brings the own organization along.
pub(crate) fn change(
    transaction: &Transaction<'_>,
    at: Timestamp,
    id: TicketId,
    change: &TicketChange,
) -> Result<(), WriteError> {
    if let Some(contact) = change.contact {
        records::must_exist(transaction, Subject::Contact(contact))?;
    }
    let changed = transaction
        .prepare_cached(
            "UPDATE tickets SET title = coalesce(?2, title), state = coalesce(?3, state),
                contact = coalesce(?4, contact),
                organization = iif(?4 IS NULL OR ?4 IS contact, organization,
                    (SELECT organization FROM contacts WHERE id = ?4)),
                agent = coalesce(?5, agent), updated_at = ?6,
                closed_at = iif(coalesce(?3, state) = 'closed', coalesce(closed_at, ?6), NULL)
             WHERE id = ?1",
        )?
        .execute(params![
            id.0,
            change.title.as_deref().map(str::trim),
            change.state.map(TicketState::as_str),
            change.contact.map(|id| id.0),
            change.agent,
            at.as_microsecond(),
        ])?;
    if changed == 0 {
        return Err(WriteError::Missing("ticket"));
    }
    index(transaction, id)?;
    Ok(())
}

/// Keeps what was said of a call in its wrap-up as an article, in place of what was said before; where
/// nothing is said, there is none.
pub(crate) fn keep_wrap_up(
    transaction: &Transaction<'_>,
    at: Timestamp,
    ticket: TicketId,
    article: &ArticleRow,
) -> Result<(), WriteError> {
    let before: Option<i64> = transaction
        .prepare_cached(
            "SELECT id FROM ticket_articles WHERE ticket = ?1 AND wrap_up = 1
             AND call = (SELECT seq FROM calls WHERE id = ?2)",
        )?
        .query_row(
            params![ticket.0, article.call.map(|id| id.to_string())],
            |row| row.get(0),
        )
        .optional()?;
    let nothing = article.body.trim().is_empty();
    let Some(before) = before else {
        if !nothing {
            let id = add_article(transaction, at, ticket, article)?;
            transaction
                .prepare_cached("UPDATE ticket_articles SET wrap_up = 1 WHERE id = ?1")?
                .execute([id.0])?;
        }
        return Ok(());
    };
    if nothing {
        transaction
            .prepare_cached("DELETE FROM ticket_articles WHERE id = ?1")?
            .execute([before])?;
    } else {
        transaction
            .prepare_cached(
                "UPDATE ticket_articles SET at = ?2, author = ?3, body = ?4 WHERE id = ?1",
            )?
            .execute(params![
                before,
                article.at.as_microsecond(),
                article.author,
                article.body
            ])?;
    }
    transaction
        .prepare_cached("UPDATE tickets SET updated_at = ?2 WHERE id = ?1")?
        .execute(params![ticket.0, at.as_microsecond()])?;
    index(transaction, ticket)?;
    Ok(())
}

/// Deletes a ticket with its articles.
pub(crate) fn delete(transaction: &Transaction<'_>, id: TicketId) -> Result<(), WriteError> {
    let deleted = transaction
        .prepare_cached("DELETE FROM tickets WHERE id = ?1")?
        .execute([id.0])?;
    if deleted == 0 {
        return Err(WriteError::Missing("ticket"));
    }
    Ok(())
}

fn add(
    transaction: &Transaction<'_>,
    ticket: TicketId,
    article: &ArticleRow,
) -> rusqlite::Result<ArticleId> {
    transaction
        .prepare_cached(
            "INSERT INTO ticket_articles (ticket, at, kind, sender, internal, author, body, call)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, (SELECT seq FROM calls WHERE id = ?8))",
        )?
        .execute(params![
            ticket.0,
            article.at.as_microsecond(),
            article.kind.as_str(),
            article.sender.as_str(),
            article.internal,
            article.author,
            article.body,
            article.call.map(|id| id.to_string()),
        ])?;
    Ok(ArticleId(transaction.last_insert_rowid()))
}

/// Indexes the words of a ticket again.
pub(crate) fn index(transaction: &Transaction<'_>, id: TicketId) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("DELETE FROM ticket_words WHERE rowid = ?1")?
        .execute([id.0])?;
    transaction
        .prepare_cached(
            "INSERT INTO ticket_words (rowid, title, bodies)
             SELECT id, title, coalesce((SELECT group_concat(body, ' ') FROM ticket_articles
                WHERE ticket = tickets.id), '') FROM tickets WHERE id = ?1",
        )?
        .execute([id.0])?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<TicketRow> {
    let state: String = row.get(2)?;
    Ok(TicketRow {
        id: TicketId(row.get(0)?),
        title: row.get(1)?,
        state: TicketState::parse(&state).unwrap_or(TicketState::Open),
        contact: row.get::<_, Option<i64>>(3)?.map(ContactId),
        contact_name: row.get(4)?,
        organization: row.get::<_, Option<i64>>(5)?.map(OrganizationId),
        organization_name: row.get(6)?,
        agent: row.get(7)?,
        created_at: timestamp(row.get(8)?),
        updated_at: timestamp(row.get(9)?),
        closed_at: row.get::<_, Option<i64>>(10)?.map(timestamp),
        articles: Vec::new(),
    })
}

fn read_article(row: &Row<'_>) -> rusqlite::Result<ArticleRow> {
    let (kind, sender): (String, String) = (row.get(2)?, row.get(3)?);
    let call: Option<String> = row.get(7)?;
    Ok(ArticleRow {
        id: ArticleId(row.get(0)?),
        at: timestamp(row.get(1)?),
        kind: ArticleKind::parse(&kind).unwrap_or(ArticleKind::Note),
        sender: ArticleSender::parse(&sender).unwrap_or(ArticleSender::System),
        internal: row.get(4)?,
        author: row.get(5)?,
        body: row.get(6)?,
        call: call.as_deref().and_then(CallId::parse),
    })
}
