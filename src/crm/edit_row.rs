//! What may be changed of a record without naming the rest: what is none stays as it is.

use serde::{Deserialize, Serialize};

use crate::crm::row::{ContactNumber, LeadStage, Membership};

/// What is changed of a contact or lead.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ContactEdit {
    /// Another name.
    pub name: Option<String>,
    /// Another main organization, by its name; an empty one takes it away.
    pub organization: Option<String>,
    /// Another role there; an empty one takes it away.
    pub role: Option<String>,
    /// Another e-mail address; an empty one takes it away.
    pub email: Option<String>,
    /// Other notes, the whole text.
    pub notes: Option<String>,
    /// How far a lead is, or that it is a contact.
    pub stage: Option<StageEdit>,
    /// Its numbers.
    pub numbers: NumbersEdit,
    /// Further organizations that it belongs to from now on, or with another role.
    pub join: Vec<Membership>,
    /// The names of those that it belongs to no more.
    pub leave: Vec<String>,
}

/// How far a lead is, or that it is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StageEdit {
    /// A lead that is so far.
    Lead(LeadStage),
    /// A contact.
    Contact,
}

/// What is changed of an organization.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OrganizationEdit {
    /// Another name.
    pub name: Option<String>,
    /// Its numbers.
    pub numbers: NumbersEdit,
}

/// What is changed of the numbers of a record; the others stay.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NumbersEdit {
    /// New ones, behind the others; one that is there already is not doubled, and gets the new spelling, and the
    /// new label unless that is empty. A new one with an empty label is a "Phone".
    pub add: Vec<ContactNumber>,
    /// Those that go, in any spelling.
    pub remove: Vec<String>,
}
