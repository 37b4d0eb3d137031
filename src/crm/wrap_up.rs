//! Around a call: the ticket that is drafted when it is answered, and what is said of it afterwards.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::base::id::{ArticleId, CallId, TicketId};
use crate::crm::row::{
    ArticleKind, ArticleRow, ArticleSender, CallDirection, Match, MatchLevel, Subject, TicketRow,
    TicketState,
};
use crate::crm::store::{DraftFate, WrapUp};
use crate::crm::writer::WriteError;
use crate::crm::{call_links, call_types, calls, tasks, tickets};

/// What a draft is called until the agent says what it is about.
const TITLE: &str = "Call";

/// Why a call is linked to the ticket that was drafted for it; the link keeps it.
const DRAFTED: &str = "drafted when the call was answered";

/// Drafts a ticket for a call, with whom the call shows; one that has a draft keeps it.
pub(crate) fn draft(
    transaction: &Transaction<'_>,
    at: Timestamp,
    agent: &str,
    id: CallId,
) -> Result<TicketId, WriteError> {
    let seq = seq_of(transaction, id)?;
    if let Some(known) = drafts(transaction, seq)?.first() {
        return Ok(*known);
    }
    let call = calls::one(transaction, id)?.ok_or(WriteError::Missing("call"))?;
    let row = TicketRow {
        id: TicketId(0),
        title: TITLE.to_owned(),
        state: TicketState::Draft,
        contact: call.contact,
        contact_name: None,
        organization: call.organization_id,
        organization_name: None,
        agent: (!agent.is_empty()).then(|| agent.to_owned()),
        created_at: at,
        updated_at: at,
        closed_at: None,
        articles: Vec::new(),
    };
    let ticket = tickets::save(transaction, at, &row)?;
    let link = Match {
        subject: Subject::Ticket(ticket),
        name: row.title,
        organization: None,
        role: None,
        level: MatchLevel::Manual,
        reason: DRAFTED.to_owned(),
    };
    call_links::link(transaction, seq, &link)?;
    Ok(ticket)
}

/// The drafts of a call follow whom it shows, as long as nobody gave them another customer.
pub(crate) fn follow(
    transaction: &Transaction<'_>,
    seq: i64,
    before: Option<Subject>,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "UPDATE tickets SET contact = (SELECT contact FROM calls WHERE seq = ?1),
                organization = (SELECT coalesce(k.organization_id, c.organization) FROM calls k
                    LEFT JOIN contacts c ON c.id = k.contact WHERE k.seq = ?1)
             WHERE state = 'draft' AND contact IS ?2
             AND id IN (SELECT subject FROM call_links
                WHERE call = ?1 AND kind = 'ticket' AND reason = ?3)",
        )?
        .execute(params![
            seq,
            before.and_then(Subject::contact).map(|id| id.0),
            DRAFTED
        ])?;
    Ok(())
}

/// Keeps what an agent says of a call that ended, in one piece. Said again, it replaces what was said before:
/// its article, and its task unless that is done. A call type that there is not, or is not to be chosen any
/// more, is given back and leaves the call's own as it is; the words must not be lost for it.
pub(crate) fn save(
    transaction: &Transaction<'_>,
    at: Timestamp,
    agent: &str,
    id: CallId,
    said: &WrapUp,
) -> Result<Option<String>, WriteError> {
    let seq = seq_of(transaction, id)?;
    let call_type = match &said.call_type {
        Some(name) => call_types::named(transaction, name)?,
        None => None,
    };
    let unknown = said.call_type.clone().filter(|_| call_type.is_none());
    transaction
        .prepare_cached(
            "UPDATE calls SET notes = coalesce(?2, notes), call_type = iif(?3, call_type, ?4),
                wrap_up_millis = ?5 WHERE seq = ?1",
        )?
        .execute(params![
            seq,
            said.notes,
            unknown.is_some(),
            call_type.map(|id| id.0),
            said.millis
        ])?;
    let call = calls::one(transaction, id)?.ok_or(WriteError::Missing("call"))?;
    let article = ArticleRow {
        id: ArticleId(0),
        at,
        kind: ArticleKind::Phone,
        sender: match call.direction {
            CallDirection::Inbound => ArticleSender::Customer,
            CallDirection::Outbound => ArticleSender::Agent,
        },
        internal: false,
        author: agent.to_owned(),
        body: call.notes.clone(),
        call: Some(id),
    };
    let mut kept = drafted(transaction, seq)?;
    for ticket in drafts(transaction, seq)? {
        match said.draft {
            DraftFate::Discarded => tickets::delete(transaction, ticket)?,
            DraftFate::Kept => {
                transaction
                    .prepare_cached("UPDATE tickets SET state = 'new' WHERE id = ?1")?
                    .execute([ticket.0])?;
                kept.push(ticket);
            }
        }
    }
    for ticket in kept {
        tickets::keep_wrap_up(transaction, at, ticket, &article)?;
    }
    if let Some(task) = &said.follow_up {
        let mut task = task.as_ref().clone();
        task.call = Some(id);
        task.about = task.about.or_else(|| call.subject());
        tasks::follow_up(transaction, at, &task)?;
    }
    Ok(unknown)
}

fn seq_of(transaction: &Transaction<'_>, id: CallId) -> Result<i64, WriteError> {
    transaction
        .prepare_cached("SELECT seq FROM calls WHERE id = ?1")?
        .query_row([id.to_string()], |row| row.get(0))
        .optional()?
        .ok_or(WriteError::Missing("call"))
}

/// The drafts of a call; another call's may be linked to it, too.
fn drafts(transaction: &Transaction<'_>, seq: i64) -> rusqlite::Result<Vec<TicketId>> {
    drafted_for(transaction, seq, "t.state = 'draft'")
}

/// The tickets that were drafted for a call, and are none any more.
fn drafted(transaction: &Transaction<'_>, seq: i64) -> rusqlite::Result<Vec<TicketId>> {
    drafted_for(transaction, seq, "t.state <> 'draft'")
}

fn drafted_for(
    transaction: &Transaction<'_>,
    seq: i64,
    condition: &str,
) -> rusqlite::Result<Vec<TicketId>> {
    transaction
        .prepare_cached(&format!(
            "SELECT t.id FROM call_links l JOIN tickets t ON t.id = l.subject
             WHERE l.call = ?1 AND l.kind = 'ticket' AND l.reason = ?2 AND {condition}
             ORDER BY t.id"
        ))?
        .query_map(params![seq, DRAFTED], |row| row.get(0).map(TicketId))?
        .collect()
}
