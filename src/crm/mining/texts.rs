//! Which texts are mined, for whom, and what a person calls them.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::base::id::{ArticleId, CallId, ContactId, NoteId, TicketId};
use crate::crm::calls::timestamp;
use crate::crm::mining::{self, Style};
use crate::crm::notes;
use crate::crm::number_hints::{self, Source, Who};
use crate::crm::number_key::Numbering;
use crate::crm::row::{
    ArticleKind, ArticleSender, ContactRow, HintSource, MailHints, MatchLevel, NoteRow, Subject,
    TextNumber,
};
use crate::crm::writer::WriteError;

/// So many articles of a ticket, tickets or calls are mined again, the newest.
const TEXTS: u32 = 200;

/// Mines what is noted on a contact, and gives the contact the guesses for the address.
pub(crate) fn of_contact(
    transaction: &Transaction<'_>,
    id: ContactId,
    row: &ContactRow,
    at: Timestamp,
    numbering: &Numbering,
) -> rusqlite::Result<()> {
    // Most contacts come without notes, many thousands at once.
    let notes = [(row.notes.as_str(), numbering)];
    let nothing = row.id.0 == 0 && row.notes.is_empty();
    let notes: &[_] = if nothing { &[] } else { &notes };
    of_contact_in_regions(transaction, id, row.email.as_deref(), notes, at)
}

/// Mines what is noted on a contact, of which parts may be written as in other countries, and gives the contact
/// the guesses for the address. Without any part the notes stay as they were mined.
pub(crate) fn of_contact_in_regions(
    transaction: &Transaction<'_>,
    id: ContactId,
    email: Option<&str>,
    notes: &[(&str, &Numbering)],
    at: Timestamp,
) -> rusqlite::Result<()> {
    if let Some(email) = email {
        number_hints::follow_email(transaction, id, email)?;
    }
    let Some((_, numbering)) = notes.first() else {
        return Ok(());
    };
    let source = Source {
        kind: HintSource::Contact,
        id: &id.0.to_string(),
        text: &format!("what is noted on the contact ({})", day(at)),
        said_at: at,
        found_at: at,
    };
    let mut numbers: Vec<TextNumber> = Vec::new();
    for (text, numbering) in notes {
        for found in mining::of_text(text, &numbering.region()) {
            if !numbers.iter().any(|known| known.e164 == found.e164) {
                numbers.push(found);
            }
        }
    }
    mining::keep(
        transaction,
        &source,
        numbers,
        &[Who::Contact(id)],
        numbering,
    )?;
    Ok(())
}

/// Mines a note about a contact; those about other records are of nobody.
pub(crate) fn of_note(
    transaction: &Transaction<'_>,
    id: NoteId,
    note: &NoteRow,
    at: Timestamp,
    numbering: &Numbering,
) -> rusqlite::Result<()> {
    let Subject::Contact(contact) = note.about else {
        return Ok(());
    };
    let source = Source {
        kind: HintSource::Note,
        id: &id.0.to_string(),
        text: &format!("a note of {}", day(at)),
        said_at: at,
        found_at: at,
    };
    let text = (note.text.as_str(), Style::Plain);
    mining::note(
        transaction,
        &source,
        text,
        &[Who::Contact(contact)],
        numbering,
    )?;
    Ok(())
}

/// Mines the notes on a call, for its contact when that is sure.
pub(crate) fn of_call(
    transaction: &Transaction<'_>,
    id: CallId,
    at: Timestamp,
    numbering: &Numbering,
) -> Result<(), WriteError> {
    struct Call {
        notes: String,
        contact: Option<i64>,
        level: Option<String>,
        number: Option<String>,
        started_at: i64,
    }
    let id = id.to_string();
    let call = transaction
        .prepare_cached(
            "SELECT notes, contact, level, number, started_at FROM calls WHERE id = ?1",
        )?
        .query_row([&id], |row| {
            Ok(Call {
                notes: row.get(0)?,
                contact: row.get(1)?,
                level: row.get(2)?,
                number: row.get(3)?,
                started_at: row.get(4)?,
            })
        })
        .optional()?
        .ok_or(WriteError::Missing("call"))?;
    let level = call.level.as_deref().and_then(MatchLevel::parse);
    let sure = matches!(level, Some(MatchLevel::Known | MatchLevel::Manual));
    let who: Vec<Who<'_>> = call
        .contact
        .filter(|_| sure)
        .map(|id| Who::Contact(ContactId(id)))
        .into_iter()
        .collect();
    let said_at = timestamp(call.started_at);
    let source = Source {
        kind: HintSource::Call,
        id: &id,
        text: &format!("the notes on the call of {}", day(said_at)),
        said_at,
        found_at: at,
    };
    let mut numbers = match who.is_empty() {
        true => Vec::new(),
        false => mining::of_text(&call.notes, &numbering.region()),
    };
    // That the call was with its own number says nothing new.
    numbers.retain(|found| Some(&found.e164) != call.number.as_ref());
    mining::keep(transaction, &source, numbers, &who, numbering)?;
    Ok(())
}

/// Mines the notes on calls again that show somebody else now: what is noted there is said of that person.
pub(crate) fn of_calls(
    transaction: &Transaction<'_>,
    calls: impl Iterator<Item = i64>,
    at: Timestamp,
    numbering: &Numbering,
) -> Result<(), WriteError> {
    let mut noted = Vec::new();
    for call in calls {
        let id: Option<String> = transaction
            .prepare_cached("SELECT id FROM calls WHERE seq = ?1 AND notes <> ''")?
            .query_row([call], |row| row.get(0))
            .optional()?;
        noted.extend(id.as_deref().and_then(CallId::parse));
        if noted.len() == TEXTS as usize {
            break;
        }
    }
    for call in noted {
        of_call(transaction, call, at, numbering)?;
    }
    Ok(())
}

/// Mines the articles of a ticket again, for its customer.
pub(crate) fn of_ticket(
    transaction: &Transaction<'_>,
    ticket: TicketId,
    at: Timestamp,
    numbering: &Numbering,
) -> rusqlite::Result<()> {
    let articles = transaction
        .prepare_cached(
            "SELECT id FROM ticket_articles WHERE ticket = ?1 ORDER BY id DESC LIMIT ?2",
        )?
        .query_map(params![ticket.0, TEXTS], |row| row.get(0).map(ArticleId))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    for article in articles {
        of_article(transaction, article, at, numbering)?;
    }
    Ok(())
}

/// Mines an article of a ticket, for the ticket's customer. What we sent has our own signature, and
/// what was said in a call stands in the notes on the call.
pub(crate) fn of_article(
    transaction: &Transaction<'_>,
    article: ArticleId,
    at: Timestamp,
    numbering: &Numbering,
) -> rusqlite::Result<()> {
    struct Article {
        kind: String,
        sender: String,
        body: String,
        at: i64,
        ticket: i64,
        title: String,
        contact: Option<i64>,
        call: Option<i64>,
    }
    let found = transaction
        .prepare_cached(
            "SELECT a.kind, a.sender, a.body, a.at, t.id, t.title, t.contact, a.call
             FROM ticket_articles a JOIN tickets t ON t.id = a.ticket WHERE a.id = ?1",
        )?
        .query_row([article.0], |row| {
            Ok(Article {
                kind: row.get(0)?,
                sender: row.get(1)?,
                body: row.get(2)?,
                at: row.get(3)?,
                ticket: row.get(4)?,
                title: row.get(5)?,
                contact: row.get(6)?,
                call: row.get(7)?,
            })
        })
        .optional()?;
    let Some(found) = found else { return Ok(()) };
    let customers = found.sender == ArticleSender::Customer.as_str();
    let mail = found.kind == ArticleKind::Mail.as_str();
    let who: Vec<Who<'_>> = found
        .contact
        .filter(|_| found.call.is_none() && (customers || !mail))
        .map(|id| Who::Contact(ContactId(id)))
        .into_iter()
        .collect();
    let said_at = timestamp(found.at);
    let source = Source {
        kind: HintSource::Ticket,
        id: &article.0.to_string(),
        text: &format!(
            "ticket {} of {}, \"{}\"",
            found.ticket,
            day(said_at),
            found.title
        ),
        said_at,
        found_at: at,
    };
    let style = if mail { Style::Letter } else { Style::Plain };
    let text = (found.body.as_str(), style);
    mining::note(transaction, &source, text, &who, numbering)?;
    Ok(())
}

/// Mines all texts that are of a contact again, after it was brought back. What was imported of mails
/// went with it.
pub(crate) fn of_all(
    transaction: &Transaction<'_>,
    row: &ContactRow,
    at: Timestamp,
    numbering: &Numbering,
) -> Result<(), WriteError> {
    of_contact(transaction, row.id, row, at, numbering)?;
    let about = Subject::Contact(row.id);
    for note in notes::of(transaction, about, (i64::MAX, i64::MAX), TEXTS)? {
        of_note(transaction, note.id, &note, note.at, numbering)?;
    }
    let ids = |sql: &str| {
        transaction
            .prepare_cached(sql)?
            .query_map(params![row.id.0, TEXTS], |row| row.get::<_, i64>(0))?
            .collect::<rusqlite::Result<Vec<_>>>()
    };
    for ticket in
        ids("SELECT id FROM tickets WHERE contact = ?1 ORDER BY updated_at DESC LIMIT ?2")?
    {
        of_ticket(transaction, TicketId(ticket), at, numbering)?;
    }
    let calls = transaction
        .prepare_cached(
            "SELECT id FROM calls WHERE contact = ?1 AND notes <> '' ORDER BY started_at DESC LIMIT ?2",
        )?
        .query_map(params![row.id.0, TEXTS], |row| row.get::<_, String>(0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    for call in calls.iter().filter_map(|id| CallId::parse(id)) {
        of_call(transaction, call, at, numbering)?;
    }
    Ok(())
}

/// Keeps what a mail says of its sender: for the contacts with that address, else for somebody who is
/// no contact yet. Gives how many guesses are new.
pub(crate) fn of_mail(
    transaction: &Transaction<'_>,
    mail: &MailHints,
    at: Timestamp,
    numbering: &Numbering,
) -> rusqlite::Result<usize> {
    let contacts = number_hints::with_email(transaction, &mail.email)?;
    let mut who: Vec<Who<'_>> = contacts.into_iter().map(Who::Contact).collect();
    if who.is_empty() {
        who.push(Who::Stranger(&mail.email, mail.name.as_deref()));
    }
    let date = mail.sent_at.map(|at| format!(" of {}", day(at)));
    let source = Source {
        kind: HintSource::Mail,
        id: &mail.message,
        text: &format!("the mail{}, \"{}\"", date.unwrap_or_default(), mail.subject),
        // A clock that goes wrong does not make a mail the newest for ever.
        said_at: mail.sent_at.unwrap_or(at).min(at),
        found_at: at,
    };
    mining::keep(transaction, &source, mail.numbers.clone(), &who, numbering)
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}
