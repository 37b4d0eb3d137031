//! Tickets and their articles, as the store gives and takes them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::base::id::{ArticleId, CallId, ContactId, OrganizationId, TicketId};

/// An enum whose words are the same in the store, in events, in exports and on the command line.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// All of them, in their usual order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word in the store, in events and in exports.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// Reads the word of [`Self::as_str`].
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word)
            }
        }
    };
}
pub(crate) use words;

words! {
    /// Where a ticket stands.
    TicketState {
        /// Made when a call was answered, not saved by the agent yet.
        Draft = "draft",
        /// Nobody works on it yet.
        New = "new",
        /// Somebody works on it.
        Open = "open",
        /// It waits for something.
        Pending = "pending",
        /// Nothing is left to do.
        Closed = "closed",
    }
}

words! {
    /// What an article is.
    ArticleKind {
        /// What was said in a call.
        Phone = "phone",
        /// Something that an agent wrote down.
        Note = "note",
        /// A mail.
        Mail = "mail",
    }
}

words! {
    /// Whose words an article holds.
    ArticleSender {
        /// The customer's.
        Customer = "customer",
        /// An agent's.
        Agent = "agent",
        /// This program's.
        System = "system",
    }
}

/// A ticket: what a customer wants, until it is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketRow {
    /// The ticket; `TicketId(0)` for one that is not stored yet.
    pub id: TicketId,
    /// What it is about, in a line.
    pub title: String,
    /// Where it stands.
    pub state: TicketState,
    /// The customer.
    pub contact: Option<ContactId>,
    /// The customer's name.
    #[serde(default)]
    pub contact_name: Option<String>,
    /// The customer's organization.
    pub organization: Option<OrganizationId>,
    /// The organization's name.
    #[serde(default)]
    pub organization_name: Option<String>,
    /// The agent who works on it.
    pub agent: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last, or an article was added.
    pub updated_at: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// Its articles in order; a list of tickets leaves them out.
    #[serde(default)]
    pub articles: Vec<ArticleRow>,
}

/// One article of a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArticleRow {
    /// The article; `ArticleId(0)` for one that is not stored yet.
    pub id: ArticleId,
    /// When it was written.
    pub at: Timestamp,
    /// What it is.
    pub kind: ArticleKind,
    /// Whose words it holds.
    pub sender: ArticleSender,
    /// Whether it is for agents only.
    pub internal: bool,
    /// Who wrote it down.
    pub author: String,
    /// The text.
    pub body: String,
    /// The call that it comes from.
    pub call: Option<CallId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_reads_back_and_is_that_of_the_json() {
        for state in TicketState::ALL {
            assert_eq!(TicketState::parse(state.as_str()), Some(*state));
            let json = serde_json::to_value(state).unwrap();
            assert_eq!(json, state.as_str());
        }
        assert_eq!(TicketState::parse("done"), None);
    }
}

/// What changes of a ticket: what is none stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketChange {
    /// Another title.
    pub title: Option<String>,
    /// Another state.
    pub state: Option<TicketState>,
    /// Another customer.
    pub contact: Option<ContactId>,
    /// Who works on it.
    pub agent: Option<String>,
}
