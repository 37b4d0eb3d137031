//! What opens when a call is answered, by the rule of help desks: the profile of a customer with a ticket
//! that was changed lately, else a new ticket.

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;

use crate::base::id::CallId;
use crate::crm::row::{Match, MatchLevel, OnAnswer, Subject};
use crate::crm::{call_links, calls, number_choices, tickets};

/// Decides for a call that was answered; none for one that is not in the log. `days` is how long ago a
/// ticket may have been changed.
pub(crate) fn decide(
    connection: &Connection,
    call: CallId,
    now: Timestamp,
    days: u16,
) -> rusqlite::Result<Option<OnAnswer>> {
    let Some(row) = calls::one(connection, call)? else {
        return Ok(None);
    };
    let mut links = call_links::of(connection, call)?;
    number_choices::rank_first(connection, call, &mut links)?;
    let said = match row.subject() {
        None if row.level == Some(MatchLevel::Manual) => Some(None),
        shown => shown.map(Some),
    };
    decide_for(connection, links, said, now, days).map(Some)
}

/// Decides by who may be calling, and by whom the agent chose of them, where they did: none inside for nobody
/// who is known.
pub(crate) fn decide_for(
    connection: &Connection,
    mut candidates: Vec<Match>,
    said: Option<Option<Subject>>,
    now: Timestamp,
    days: u16,
) -> rusqlite::Result<OnAnswer> {
    // A ticket is what a call concerns, and nobody who calls.
    candidates.retain(|link| !matches!(link.subject, Subject::Ticket(_)));
    let customer = match (said, Match::best(&candidates)) {
        (Some(said), _) => said,
        (None, Some(best)) => Some(best.subject),
        (None, None) if candidates.len() > 1 => return Ok(OnAnswer::Choose { candidates }),
        (None, None) => None,
    };
    let Some(subject) = customer else {
        return Ok(OnAnswer::Draft { subject: None });
    };
    let since = now - SignedDuration::from_hours(i64::from(days) * 24);
    let lately = tickets::latest(connection, subject, 1)?
        .pop()
        .filter(|ticket| ticket.updated_at >= since);
    Ok(match lately {
        Some(ticket) => OnAnswer::Profile {
            subject,
            ticket: Box::new(ticket),
        },
        None => OnAnswer::Draft {
            subject: Some(subject),
        },
    })
}
