//! Plain rows of guesses: which number a text gives to whom.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::base::id::{ContactId, HintId};
use crate::crm::ticket_row::words;

words! {
    /// What kind of text a guess comes from.
    HintSource {
        /// What is noted on a contact itself.
        Contact = "contact",
        /// A note about a contact.
        Note = "note",
        /// The notes on a call.
        Call = "call",
        /// An article of a ticket.
        Ticket = "ticket",
        /// A mail that was imported.
        Mail = "mail",
    }
}

words! {
    /// What became of a guess.
    HintState {
        /// Nobody said anything of it.
        Open = "open",
        /// The number is one of that contact's.
        Confirmed = "confirmed",
        /// The agent said that it is not that person's.
        Rejected = "rejected",
    }
}

/// A guess: a text names this number, so it may be this person's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HintRow {
    /// The guess.
    pub id: HintId,
    /// The number in international form.
    pub number: String,
    /// As it is written in the text.
    pub raw: String,
    /// Whether the text calls it a fax.
    pub fax: bool,
    /// The contact; none for somebody who is no contact yet.
    pub contact: Option<ContactId>,
    /// The person's name, as far as it is known.
    pub name: Option<String>,
    /// The address of somebody who is no contact yet.
    pub email: Option<String>,
    /// What kind of text it was found in.
    pub source: HintSource,
    /// Whether it stands in the text's signature.
    pub signature: bool,
    /// Which text, such as `the mail of 2026-05-12, "Offer"`.
    pub source_text: String,
    /// When the text was written; guesses fade with time.
    pub said_at: Timestamp,
    /// When the number was found in it.
    pub found_at: Timestamp,
    /// What became of it.
    pub state: HintState,
    /// Whether the agent gave it to this contact in place of somebody else.
    pub assigned: bool,
}

impl HintRow {
    /// Where the number was found, in plain words.
    pub fn reason(&self) -> String {
        let place = if self.signature {
            "the signature of "
        } else {
            ""
        };
        let fax = if self.fax { ", as a fax" } else { "" };
        let assigned = if self.assigned {
            ", and you gave it to this contact"
        } else {
            ""
        };
        format!(
            "the number is in {place}{}{fax}{assigned}",
            self.source_text
        )
    }
}

/// What the agent says of a guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HintVerdict {
    /// The number is this person's: it becomes one of the contact's. Somebody who is no contact yet
    /// becomes one.
    Confirm,
    /// It is not; the person is not guessed for this number again, however many texts say so.
    Reject,
    /// It is that contact's.
    Assign(ContactId),
    /// What was said before is taken back.
    Reopen,
}

impl HintVerdict {
    /// The verb and the noun of the trail.
    pub(crate) fn what(self) -> &'static str {
        match self {
            Self::Confirm => "confirm guess",
            Self::Reject => "reject guess",
            Self::Assign(_) => "assign guess",
            Self::Reopen => "reopen guess",
        }
    }
}

/// What one mail says of its sender; its text is not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailHints {
    /// The mail's Message-ID, or a digest in place of one: a mail that is imported twice counts once.
    pub message: String,
    /// The sender's name.
    pub name: Option<String>,
    /// The sender's address, in lower case.
    pub email: String,
    /// When it was sent, as far as it says.
    pub sent_at: Option<Timestamp>,
    /// Its subject.
    pub subject: String,
    /// The numbers in the sender's own words.
    pub numbers: Vec<TextNumber>,
}

/// A number in a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextNumber {
    /// As written.
    pub raw: String,
    /// In international form.
    pub e164: String,
    /// In its country's form, digits only.
    pub national: String,
    /// Whether a label calls it a fax.
    pub fax: bool,
    /// Whether it stands in the signature of a mail.
    pub signature: bool,
}

/// Which guesses a list shows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct HintFilter {
    /// Only those in this state.
    pub state: Option<HintState>,
    /// Only those for this number, in any spelling.
    pub number: Option<String>,
    /// Only those for this contact.
    pub contact: Option<ContactId>,
}
