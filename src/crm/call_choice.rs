//! What an agent says of a call: who it was, and what it concerns.

use rusqlite::{Transaction, params};

use crate::base::id::{ContactId, OrganizationId};
use crate::crm::row::{Match, MatchLevel, Subject};
use crate::crm::writer::WriteError;
use crate::crm::{call_links, number_choices, records, wrap_up};

/// An agent says that a call concerns a record, too.
pub(crate) fn link(
    transaction: &Transaction<'_>,
    seq: i64,
    subject: Subject,
) -> Result<(), WriteError> {
    let link = Match {
        subject,
        name: records::must_exist(transaction, subject)?,
        organization: None,
        role: None,
        level: MatchLevel::Manual,
        reason: "an agent linked it".to_owned(),
    };
    call_links::link(transaction, seq, &link)?;
    Ok(())
}

/// An agent says that a call does not concern a record. Whom the call shows is another question: they would be
/// named by a call that is not among theirs.
pub(crate) fn unlink(
    transaction: &Transaction<'_>,
    seq: i64,
    subject: Subject,
) -> Result<(), WriteError> {
    if shown_by(transaction, seq)? == Some(subject) {
        return Err(WriteError::Refused(format!(
            "the call shows {} {} as its caller; choose another caller, or none, instead",
            subject.kind(),
            subject.id()
        )));
    }
    call_links::unlink(transaction, seq, subject)?;
    Ok(())
}

/// The agent says who it was, or that it was none of those who are known.
pub(crate) fn choose(
    transaction: &Transaction<'_>,
    seq: i64,
    subject: Option<Subject>,
) -> Result<(), WriteError> {
    let number: Option<String> = transaction
        .prepare_cached("SELECT number FROM calls WHERE seq = ?1")?
        .query_row([seq], |row| row.get(0))?;
    let before = shown_by(transaction, seq)?;
    match subject {
        Some(Subject::Ticket(ticket)) => {
            return Err(WriteError::Refused(format!(
                "ticket {} is nobody who calls; link the call to it instead",
                ticket.0
            )));
        }
        Some(subject) => {
            let (name, organization) =
                records::names(transaction, subject)?.ok_or(WriteError::Missing(subject.kind()))?;
            let chosen = Match {
                subject,
                name,
                organization,
                role: None,
                level: MatchLevel::Manual,
                reason: format!("you chose this {} for the call", subject.kind()),
            };
            call_links::link(transaction, seq, &chosen)?;
            show(transaction, seq, &chosen)?;
        }
        None => {
            transaction
                .prepare_cached(
                    "UPDATE calls SET contact = NULL, organization_id = NULL, contact_name = NULL,
                        organization = NULL, level = 'manual',
                        match_reason = 'you said it is none of the contacts'
                     WHERE seq = ?1",
                )?
                .execute([seq])?;
        }
    }
    wrap_up::follow(transaction, seq, before)?;
    if let Some(number) = number {
        number_choices::set(transaction, &number, subject)?;
    }
    Ok(())
}

/// Whom a call's row shows.
fn shown_by(transaction: &Transaction<'_>, seq: i64) -> rusqlite::Result<Option<Subject>> {
    transaction
        .prepare_cached("SELECT contact, organization_id FROM calls WHERE seq = ?1")?
        .query_row([seq], |row| {
            let contact: Option<i64> = row.get(0)?;
            let organization: Option<i64> = row.get(1)?;
            Ok(contact
                .map(|id| Subject::Contact(ContactId(id)))
                .or_else(|| organization.map(|id| Subject::Organization(OrganizationId(id)))))
        })
}

/// Shows a record in a call's row.
fn show(transaction: &Transaction<'_>, seq: i64, shown: &Match) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "UPDATE calls SET contact = ?2, contact_name = ?3, organization = ?4, level = ?5,
                match_reason = ?6, organization_id = ?7 WHERE seq = ?1",
        )?
        .execute(params![
            seq,
            shown.subject.contact().map(|id| id.0),
            shown.name,
            shown.organization,
            shown.level.as_str(),
            shown.reason,
            shown.subject.organization().map(|id| id.0),
        ])?;
    Ok(())
}
