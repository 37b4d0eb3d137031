//! The log of what this phone's agent did: from when to when, and why.

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, params};

use crate::base::id::AgentId;
use crate::crm::agent_state::AgentState;
use crate::crm::agents;
use crate::crm::calls::unreadable;
use crate::crm::number_key::Numbering;
use crate::crm::routing_row::StateTotal;

pub(crate) const CREATE: &str = "
-- What this phone's agent did, one row for each time in a state. `agent` is known where exactly one
-- has the phone's line. An open row has no end.
CREATE TABLE agent_states (
    id INTEGER PRIMARY KEY,
    agent INTEGER REFERENCES agents (id) ON DELETE SET NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    began_at INTEGER NOT NULL,
    ended_at INTEGER
) STRICT;
-- The sums of a day, and the open row.
CREATE INDEX agent_states_by_time ON agent_states (began_at);
CREATE INDEX agent_states_open ON agent_states (id) WHERE ended_at IS NULL;
CREATE INDEX agent_states_by_agent ON agent_states (agent) WHERE agent IS NOT NULL;
";

/// Ends the state that goes on, and begins the next one; none where the phone ends.
pub(crate) fn change(
    transaction: &Transaction<'_>,
    at: Timestamp,
    next: Option<(AgentState, &str)>,
    numbering: &Numbering,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "UPDATE agent_states SET ended_at = max(began_at, ?1) WHERE ended_at IS NULL",
        )?
        .execute([at.as_microsecond()])?;
    let Some((state, reason)) = next else {
        return Ok(());
    };
    let agent = match agents::of_lines(transaction, numbering)?.as_slice() {
        [only] => Some(only.id),
        _ => None,
    };
    transaction
        .prepare_cached(
            "INSERT INTO agent_states (agent, state, reason, began_at) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            agent.map(|AgentId(id)| id),
            state.as_str(),
            reason,
            at.as_microsecond()
        ])?;
    Ok(())
}

/// Ends the state that a crash left open, at the last moment that is known: else the night until the
/// next start would count as work.
pub(crate) fn interrupt_open(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute(
        "UPDATE agent_states SET ended_at = max(began_at, coalesce((SELECT max(started_at,
            coalesce(answered_at, 0), coalesce(ended_at, 0)) FROM calls
            ORDER BY started_at DESC LIMIT 1), 0))
         WHERE ended_at IS NULL",
        [],
    )?;
    Ok(())
}

/// How long each state lasted from one moment to another, for each reason; what goes on counts until
/// `now`.
pub(crate) fn totals(
    connection: &Connection,
    from: Timestamp,
    to: Timestamp,
    now: Timestamp,
) -> rusqlite::Result<Vec<StateTotal>> {
    let mut query = connection.prepare_cached(
        "SELECT state, reason, sum(began_at >= ?1),
            sum(max(0, min(coalesce(ended_at, ?3), ?2) - max(began_at, ?1)))
         FROM agent_states
         WHERE began_at < ?2 AND coalesce(ended_at, ?3) > ?1
         GROUP BY state, reason ORDER BY state, reason",
    )?;
    let (from, to, now) = (
        from.as_microsecond(),
        to.as_microsecond(),
        now.as_microsecond(),
    );
    let rows = query.query_map([from, to, now], |row| {
        let state: String = row.get(0)?;
        Ok(StateTotal {
            state: AgentState::parse(&state).ok_or_else(|| unreadable(0))?,
            reason: row.get(1)?,
            times: row.get::<_, i64>(2)?.unsigned_abs(),
            millis: row.get::<_, i64>(3)? / 1000,
        })
    })?;
    rows.collect()
}
