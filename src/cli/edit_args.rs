//! Options of the commands that change a part of a record.

use clap::{Args, Subcommand};

use crate::cli::args::RecordArgs;
use crate::cli::desk_args::stage;
use crate::crm::row::{
    ContactEdit, ContactNumber, Membership, NumbersEdit, OrganizationEdit, StageEdit,
};

/// Options of `ringdesk contacts set` and `ringdesk leads set`.
#[derive(Debug, Args)]
pub(super) struct ContactSetArgs {
    /// Which: its id in `ringdesk contacts --json`.
    pub(super) id: i64,
    #[command(flatten)]
    pub(super) changes: ContactChanges,
    /// JSON, one object.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) records: RecordArgs,
}

/// What is changed of a contact or lead.
#[derive(Debug, Args)]
pub(super) struct ContactChanges {
    /// Another name.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Another main organization; an empty name takes it away.
    #[arg(long, value_name = "NAME")]
    organization: Option<String>,
    /// Another role there; an empty one takes it away.
    #[arg(long, value_name = "TEXT")]
    role: Option<String>,
    /// Another e-mail address; an empty one takes it away.
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Other notes, the whole text.
    #[arg(long, value_name = "TEXT")]
    notes: Option<String>,
    /// How far a lead is: new, contacted, qualified, converted or lost; none makes a contact of it.
    #[arg(long, value_name = "STAGE|none", value_parser = stage_edit)]
    stage: Option<StageEdit>,
    #[command(flatten)]
    numbers: NumberChanges,
    /// A further organization, with the role there; may be repeated.
    #[arg(long, value_name = "NAME[=ROLE]", value_parser = membership)]
    join: Vec<Membership>,
    /// A further organization that it belongs to no more; may be repeated.
    #[arg(long, value_name = "NAME")]
    leave: Vec<String>,
}

impl ContactChanges {
    /// What is asked for.
    pub(super) fn edit(self) -> ContactEdit {
        ContactEdit {
            name: self.name,
            organization: self.organization,
            role: self.role,
            email: self.email,
            notes: self.notes,
            stage: self.stage,
            numbers: self.numbers.edit(),
            join: self.join,
            leave: self.leave,
        }
    }
}

/// Options of `ringdesk organizations set`.
#[derive(Debug, Args)]
pub(super) struct OrganizationSetArgs {
    /// Which: its id in `ringdesk organizations --json`.
    pub(super) id: i64,
    #[command(flatten)]
    pub(super) changes: OrganizationChanges,
    /// JSON, one object.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) records: RecordArgs,
}

/// What is changed of an organization.
#[derive(Debug, Args)]
pub(super) struct OrganizationChanges {
    /// Another name.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    numbers: NumberChanges,
}

impl OrganizationChanges {
    /// What is asked for.
    pub(super) fn edit(self) -> OrganizationEdit {
        OrganizationEdit {
            name: self.name,
            numbers: self.numbers.edit(),
        }
    }
}

/// What is changed of the numbers of a record.
#[derive(Debug, Args)]
struct NumberChanges {
    /// A further number; may be repeated.
    #[arg(long, value_name = "NUMBER")]
    add_number: Vec<String>,
    /// What kind these numbers are, such as Mobile; without it a new one is a Phone.
    #[arg(long, value_name = "LABEL", requires = "add_number")]
    label: Option<String>,
    /// A number that goes, in any spelling; may be repeated.
    #[arg(long, value_name = "NUMBER")]
    remove_number: Vec<String>,
}

impl NumberChanges {
    fn edit(self) -> NumbersEdit {
        let number = |raw| ContactNumber {
            label: self.label.clone().unwrap_or_default(),
            raw,
            e164: None,
        };
        NumbersEdit {
            add: self.add_number.into_iter().map(number).collect(),
            remove: self.remove_number,
        }
    }
}

/// What `ringdesk notes` does.
#[derive(Debug, Subcommand)]
pub(super) enum NotesTask {
    /// Give a note another text.
    Set {
        /// Its id, as `ringdesk show` tells it.
        id: i64,
        /// The whole text.
        text: String,
    },
    /// Delete a note.
    Delete {
        /// Its id, as `ringdesk show` tells it.
        id: i64,
    },
}

fn stage_edit(word: &str) -> Result<StageEdit, String> {
    if word == "none" {
        return Ok(StageEdit::Contact);
    }
    stage(word)
        .map(StageEdit::Lead)
        .map_err(|why| format!("{why}, none"))
}

fn membership(text: &str) -> Result<Membership, String> {
    let (name, role) = match text.split_once('=') {
        Some((name, role)) => (name, Some(role.trim().to_owned())),
        None => (text, None),
    };
    if name.trim().is_empty() {
        return Err("an organization is named, such as \"Example AG=Buyer\"".to_owned());
    }
    Ok(Membership {
        organization: None,
        organization_name: name.trim().to_owned(),
        role,
    })
}
