//! What a call, a note or a task concerns.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::id::{ContactId, OrganizationId, TicketId};

/// A record that others point to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "kebab-case")]
pub enum Subject {
    /// A person: a contact or a lead.
    Contact(ContactId),
    /// An organization.
    Organization(OrganizationId),
    /// A ticket.
    Ticket(TicketId),
}

impl Subject {
    /// The word in the store, in events and in exports.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Contact(_) => "contact",
            Self::Organization(_) => "organization",
            Self::Ticket(_) => "ticket",
        }
    }

    /// The row's id, of its kind.
    pub fn id(self) -> i64 {
        match self {
            Self::Contact(id) => id.0,
            Self::Organization(id) => id.0,
            Self::Ticket(id) => id.0,
        }
    }

    /// Reads the words of [`Self::kind`] and [`Self::id`]; a lead is a contact.
    pub fn of(kind: &str, id: i64) -> Option<Self> {
        match kind {
            "contact" | "lead" => Some(Self::Contact(ContactId(id))),
            "organization" => Some(Self::Organization(OrganizationId(id))),
            "ticket" => Some(Self::Ticket(TicketId(id))),
            _ => None,
        }
    }

    /// Reads what [`fmt::Display`] writes, such as `contact:5`.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, id) = text.split_once(':')?;
        Self::of(kind, id.parse().ok().filter(|id| *id > 0)?)
    }

    /// The person.
    pub fn contact(self) -> Option<ContactId> {
        match self {
            Self::Contact(id) => Some(id),
            Self::Organization(_) | Self::Ticket(_) => None,
        }
    }

    /// The organization.
    pub fn organization(self) -> Option<OrganizationId> {
        match self {
            Self::Organization(id) => Some(id),
            Self::Contact(_) | Self::Ticket(_) => None,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind(), self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_words_name_it() {
        for subject in [
            Subject::Contact(ContactId(5)),
            Subject::Organization(OrganizationId(3)),
            Subject::Ticket(TicketId(7)),
        ] {
            assert_eq!(Subject::parse(&subject.to_string()), Some(subject));
            assert_eq!(Subject::of(subject.kind(), subject.id()), Some(subject));
        }
        assert_eq!(
            Subject::parse("lead:5"),
            Some(Subject::Contact(ContactId(5)))
        );
        for text in [
            "",
            "contact",
            "contact:",
            "contact:0",
            "contact:-1",
            "call:5",
            "5",
        ] {
            assert_eq!(Subject::parse(text), None, "{text}");
        }
    }
}
