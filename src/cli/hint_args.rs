//! The words of `ringdesk hints` and `ringdesk import-mail`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::base::id::ContactId;
use crate::cli::args::RecordArgs;
use crate::cli::exchange_args::ExportArgs;
use crate::crm::row::{HintFilter, HintState};

/// Options of `ringdesk hints`.
#[derive(Debug, Args)]
pub(super) struct HintsArgs {
    /// What to do with guesses.
    #[command(subcommand)]
    pub(super) task: HintsTask,
}

/// What to do with guesses.
#[derive(Debug, Subcommand)]
pub(super) enum HintsTask {
    /// List guesses, those of the newest texts first.
    List(HintListArgs),
    /// Write guesses as CSV or JSON.
    Export(HintsExportArgs),
    /// The number is that person's: the contact gets it, and earlier calls are linked. Somebody who is
    /// no contact yet becomes one.
    Confirm(HintArgs),
    /// The number is not that person's, whatever other texts say.
    Reject(HintArgs),
    /// The number is somebody else's.
    Assign(HintAssignArgs),
    /// Take back what was said of a guess: a rejection, or whom it was given to.
    Reopen(HintArgs),
}

/// Options of `ringdesk hints list`.
#[derive(Debug, Args)]
pub(super) struct HintListArgs {
    /// JSON, one guess a line.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) filter: HintFilterArgs,
    /// Only those behind this one in the list.
    #[arg(long, value_name = "ID")]
    pub(super) after: Option<i64>,
    /// How many at most (`list_length` in the settings: 100).
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) limit: Option<u32>,
    #[command(flatten)]
    pub(super) records: RecordArgs,
}

/// Options of `ringdesk hints export`.
#[derive(Debug, Args)]
pub(super) struct HintsExportArgs {
    #[command(flatten)]
    pub(super) filter: HintFilterArgs,
    #[command(flatten)]
    pub(super) form: ExportArgs,
    #[command(flatten)]
    pub(super) records: RecordArgs,
}

/// Which guesses.
#[derive(Debug, Args)]
pub(super) struct HintFilterArgs {
    /// Only these.
    #[arg(long, value_enum, default_value_t = HintStateArg::Open)]
    pub(super) state: HintStateArg,
    /// Only those for this number, in any spelling.
    #[arg(long, value_name = "NUMBER")]
    pub(super) number: Option<String>,
    /// Only those for this contact.
    #[arg(long, value_name = "CONTACT_ID")]
    pub(super) contact: Option<i64>,
}

impl HintFilterArgs {
    /// What is asked for.
    pub(super) fn filter(self) -> HintFilter {
        HintFilter {
            state: match self.state {
                HintStateArg::Open => Some(HintState::Open),
                HintStateArg::Confirmed => Some(HintState::Confirmed),
                HintStateArg::Rejected => Some(HintState::Rejected),
                HintStateArg::All => None,
            },
            number: self.number,
            contact: self.contact.map(ContactId),
        }
    }
}

/// One guess.
#[derive(Debug, Args)]
pub(super) struct HintArgs {
    /// The guess: its id in `ringdesk hints list`.
    #[arg(value_name = "HINT_ID")]
    pub(super) hint: i64,
    /// JSON.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) records: RecordArgs,
}

/// Options of `ringdesk hints assign`.
#[derive(Debug, Args)]
pub(super) struct HintAssignArgs {
    #[command(flatten)]
    pub(super) hint: HintArgs,
    /// Whose the number may be: a contact's id in `ringdesk contacts --json`.
    #[arg(long, value_name = "CONTACT_ID")]
    pub(super) to: i64,
}

/// What became of guesses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum HintStateArg {
    /// Nobody said anything of them.
    Open,
    /// The number is the contact's now.
    Confirmed,
    /// It is not.
    Rejected,
    /// All.
    All,
}

/// Options of `ringdesk import-mail`.
#[derive(Debug, Args)]
pub(super) struct ImportMailArgs {
    /// Mailboxes (mbox) and single mails (.eml).
    #[arg(value_name = "FILE", required = true)]
    pub(super) files: Vec<PathBuf>,
    /// Leave out mails from this address, such as your own; may be repeated.
    #[arg(long, value_name = "ADDRESS")]
    pub(super) not_from: Vec<String>,
    /// JSON, one file a line.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) records: RecordArgs,
}
