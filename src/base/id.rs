//! Ids that cross the borders of rooms.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Names one call for ever: in events, in the store, in recordings' names and towards CRMs.
///
/// It is ours (a UUID of version 7, RFC 9562 section 5.7), never the SIP Call-ID, which a peer
/// chooses and which may hold any text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CallId(Uuid);

impl CallId {
    /// Makes an id from the time since the Unix epoch and ten random bytes.
    pub fn new(unix_millis: u64, random: [u8; 10]) -> Self {
        Self(uuid::Builder::from_unix_timestamp_millis(unix_millis, &random).into_uuid())
    }

    /// Reads the usual form with hyphens.
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Names one configured account while the process runs; its place in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(pub u32);

/// A row id in the store: it names its record for ever and is never used again after a deletion.
macro_rules! row_ids {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);
    )*};
}

row_ids! {
    /// Names a contact or a lead: a person.
    ContactId,
    /// Names an organization.
    OrganizationId,
    /// Names a ticket; also the number that people call it by.
    TicketId,
    /// Names an article of a ticket.
    ArticleId,
    /// Names a note.
    NoteId,
    /// Names a task.
    TaskId,
    /// Names a call type.
    CallTypeId,
    /// Names a guess of whose a number is.
    HintId,
    /// Names a step that can be undone.
    UndoId,
    /// Names an agent.
    AgentId,
    /// Names a queue.
    QueueId,
    /// Names an entry of the block list.
    BlockId,
}
