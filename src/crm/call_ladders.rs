//! The SIP ladder of each call: what went over the wire, kept for a while as evidence.
//!
//! A ladder may be lost in a crash, a call's row never: ladders are written later and apart.

use std::fmt;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use crate::base::flow::Transport;
use crate::base::id::CallId;
use crate::base::redact::WireMessage;
use crate::crm::row::LadderMessage;
use crate::crm::store::StoreError;

/// So many octets of ladders are kept in all: some ten thousand calls. The oldest go first.
const KEPT_OCTETS: i64 = 64 << 20;

/// After so many ladders the oldest are looked for.
const PRUNE_AFTER: usize = 256;

pub(crate) const CREATE: &str = "
-- What went over the wire for a call, without secrets: JSON, an array of messages. Messages that
-- come after a call's end make further parts. No row of a call waits for its ladder.
CREATE TABLE call_ladders (
    call INTEGER NOT NULL REFERENCES calls (seq) ON DELETE CASCADE,
    part INTEGER NOT NULL,
    saved_at INTEGER NOT NULL,
    octets INTEGER NOT NULL,
    messages TEXT NOT NULL,
    PRIMARY KEY (call, part)
) STRICT;
-- The oldest are found without reading any ladder.
CREATE INDEX call_ladders_by_age ON call_ladders (call, saved_at, octets);
";

/// One message that waits to be written.
#[derive(Clone, PartialEq, Eq)]
pub struct WireRung {
    /// When.
    pub at: Timestamp,
    /// Whether we sent it.
    pub sent: bool,
    /// The transport.
    pub transport: Transport,
    /// Our end.
    pub local: std::net::SocketAddr,
    /// The far end.
    pub remote: std::net::SocketAddr,
    /// How many messages before this one were left out.
    pub omitted: u64,
    /// The message; only its redacted form is ever written or shown.
    pub message: WireMessage,
}

/// Messages of calls' ladders, after those that are already written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LadderBatch {
    /// The calls and their messages, in order.
    pub ladders: Vec<(CallId, Vec<WireRung>)>,
    /// When they are written.
    pub saved_at: Timestamp,
    /// Ladders that were written before this are removed.
    pub kept_since: Timestamp,
}

impl WireRung {
    /// The rung without secrets.
    pub fn redacted(&self) -> LadderMessage {
        LadderMessage {
            at: self.at,
            sent: self.sent,
            transport: self.transport.to_string(),
            local: self.local,
            remote: self.remote,
            omitted: self.omitted,
            text: self.message.redacted(),
        }
    }
}

impl fmt::Debug for WireRung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arrow = if self.sent { "->" } else { "<-" };
        write!(
            f,
            "{} {arrow} {} {:?}",
            self.local, self.remote, self.message
        )
    }
}

/// Writes messages of calls after those that are there; not of one whose person was erased meanwhile.
pub(crate) fn save(
    transaction: &Transaction<'_>,
    batch: &LadderBatch,
    pruning: &mut Pruning,
) -> rusqlite::Result<()> {
    for (call, rungs) in &batch.ladders {
        let messages: Vec<LadderMessage> = rungs.iter().map(WireRung::redacted).collect();
        let text = serde_json::to_string(&messages)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        transaction
            .prepare_cached(
                "INSERT INTO call_ladders (call, part, saved_at, octets, messages)
                 SELECT seq, (SELECT coalesce(max(part) + 1, 0) FROM call_ladders WHERE call = seq),
                    ?2, ?3, ?4 FROM calls WHERE id = ?1 AND remote <> 'erased'",
            )?
            .execute(params![
                call.to_string(),
                batch.saved_at.as_microsecond(),
                i64::try_from(text.len()).unwrap_or(i64::MAX),
                text,
            ])?;
    }
    pruning.saved(transaction, batch)
}

/// Reads the messages of a call, in order.
pub(crate) fn of(connection: &Connection, call: CallId) -> Result<Vec<LadderMessage>, StoreError> {
    let mut query = connection.prepare_cached(
        "SELECT messages FROM call_ladders WHERE call = (SELECT seq FROM calls WHERE id = ?1)
         ORDER BY part",
    )?;
    let mut rows = query.query([call.to_string()])?;
    let mut messages = Vec::new();
    while let Some(row) = rows.next()? {
        let text: String = row.get(0)?;
        let part: Vec<LadderMessage> = serde_json::from_str(&text)
            .map_err(|error| StoreError::Database(format!("a ladder is damaged: {error}")))?;
        messages.extend(part);
    }
    Ok(messages)
}

/// Finds the newest call with a SIP Call-ID, as a PBX names it in its log.
pub(crate) fn call_of(
    connection: &Connection,
    sip_call_id: &str,
) -> Result<Option<CallId>, StoreError> {
    let found: Option<String> = connection
        .prepare_cached("SELECT id FROM calls WHERE sip_call_id = ?1 ORDER BY seq DESC LIMIT 1")?
        .query_row([sip_call_id], |row| row.get(0))
        .optional()?;
    Ok(found.as_deref().and_then(CallId::parse))
}

/// Keeps the sum of all ladders bounded; looks at the first batch and then now and then.
#[derive(Debug, Default)]
pub(crate) struct Pruning {
    /// Ladders until the next look.
    until_next: usize,
}

impl Pruning {
    /// Counts ladders that were saved, and removes the oldest where it is time for that: those
    /// older than `kept_since` and those beyond the limit of all.
    fn saved(
        &mut self,
        transaction: &Transaction<'_>,
        batch: &LadderBatch,
    ) -> rusqlite::Result<()> {
        if self.until_next == 0 {
            prune(transaction, batch.kept_since, KEPT_OCTETS)?;
            self.until_next = PRUNE_AFTER;
        }
        self.until_next = self.until_next.saturating_sub(batch.ladders.len());
        Ok(())
    }
}

/// Removes ladders written before `kept_since`, and the oldest beyond so many octets in all.
pub(crate) fn prune(
    transaction: &Transaction<'_>,
    kept_since: Timestamp,
    octets: i64,
) -> rusqlite::Result<usize> {
    let old = transaction
        .prepare_cached(
            "DELETE FROM call_ladders WHERE call <= (SELECT max(call) FROM call_ladders
                INDEXED BY call_ladders_by_age WHERE saved_at < ?1)",
        )?
        .execute([kept_since.as_microsecond()])?;
    let many = transaction
        .prepare_cached(
            "DELETE FROM call_ladders WHERE call <= (SELECT max(call) FROM
                (SELECT call, sum(octets) OVER (ORDER BY call DESC) AS total
                 FROM call_ladders INDEXED BY call_ladders_by_age) WHERE total > ?1)",
        )?
        .execute([octets])?;
    Ok(old + many)
}
