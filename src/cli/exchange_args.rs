//! The words of `ringdesk contacts import` and its like.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::app::ExportFormat;
use crate::cli::args::{AnswerArgs, FilterArg, RecordArgs};
use crate::cli::care_args::{EraseArgs, ExportPersonArgs};
use crate::cli::desk_args::{CriteriaArgs, TicketFilterArg, subject};
use crate::cli::edit_args::ContactSetArgs;
use crate::cli::moment::moment;
use crate::crm::row::{Existing, Subject};

/// What `ringdesk contacts` does instead of listing.
#[derive(Debug, Subcommand)]
pub(super) enum ContactsTask {
    /// Change a contact; what is not named stays. Earlier calls follow its numbers.
    Set(Box<ContactSetArgs>),
    /// Import people from a file: vCard 2.1, 3.0 or 4.0, or CSV. Of a file with faults nothing is
    /// imported; each fault is told with its line.
    Import(ImportArgs),
    /// Take the last import or merge back. What somebody changed since stays.
    Undo(UndoArgs),
    /// List pairs of contacts that may be one person, with reason and score (1 to 100).
    Duplicates(DuplicatesArgs),
    /// Make one contact of several: the first one stays and takes what the others have.
    Merge(MergeArgs),
    /// Say that contacts are different people: `duplicates` does not list them any more.
    Different(DifferentArgs),
    /// Write contacts as CSV, JSON or vCard 4.0.
    Export(ContactsExportArgs),
    /// Write all that is held of a person to a file, as JSON: contact, numbers, calls, notes, SIP messages, and
    /// every text that names them. The recordings that belong to it are printed.
    ExportPerson(ExportPersonArgs),
    /// Erase a person from all records, texts, recordings, SIP messages and indexes, with a proof that holds
    /// nothing of them. This cannot be undone. Backups are not changed; they are named, and who is restored
    /// from one is erased again.
    Erase(EraseArgs),
}

/// Options of `ringdesk contacts import`.
#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// The file; cards and tables are told apart by what is in them, encodings and delimiters too.
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Show what would be imported, what the columns mean and all faults, and import nothing.
    #[arg(long)]
    pub(super) preview: bool,
    /// What a column of a table means, by its heading or number, such as "Telefon 2=number:Work"; may
    /// be repeated. Meanings: name, first-name, middle-name, last-name, prefix, suffix, nickname,
    /// organization, role, email, number or number:LABEL, notes, uid, ignore.
    #[arg(long, value_name = "COLUMN=MEANING")]
    pub(super) map: Vec<String>,
    /// The first line of the table is a person; columns are named by number.
    #[arg(long)]
    pub(super) no_header: bool,
    /// The country whose numbers stand in the file without a country code, in two letters, such as DE;
    /// without it that of the first account, else that of the settings. The preview tells which.
    #[arg(long, value_name = "COUNTRY")]
    pub(super) region: Option<String>,
    /// What becomes of people who are there already: those with the same UID, or the same number or
    /// e-mail address and a name that agrees.
    #[arg(long, value_enum, default_value_t = ExistingArg::Skip)]
    pub(super) existing: ExistingArg,
    /// Leave out entries with faults and import the others.
    #[arg(long)]
    pub(super) leave_out_faulty: bool,
    #[command(flatten)]
    pub(super) answer: AnswerArgs,
}

/// Options of `ringdesk contacts undo`.
#[derive(Debug, Args)]
pub(super) struct UndoArgs {
    #[command(flatten)]
    pub(super) answer: AnswerArgs,
}

/// Options of `ringdesk contacts duplicates`.
#[derive(Debug, Args)]
pub(super) struct DuplicatesArgs {
    /// How many pairs at most.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) limit: u32,
    #[command(flatten)]
    pub(super) answer: AnswerArgs,
}

/// Options of `ringdesk contacts merge`.
#[derive(Debug, Args)]
pub(super) struct MergeArgs {
    /// The contacts' ids, as `ringdesk contacts --json` and `duplicates` show them; the first one
    /// stays.
    #[arg(value_name = "ID", num_args = 2.., required = true)]
    pub(super) contacts: Vec<i64>,
    #[command(flatten)]
    pub(super) answer: AnswerArgs,
}

/// Options of `ringdesk contacts different`.
#[derive(Debug, Args)]
pub(super) struct DifferentArgs {
    /// The contacts' ids, as `ringdesk contacts duplicates` shows them.
    #[arg(value_name = "ID", num_args = 2..=50, required = true)]
    pub(super) contacts: Vec<i64>,
    #[command(flatten)]
    pub(super) records: RecordArgs,
}

/// Options of `ringdesk contacts export`.
#[derive(Debug, Args)]
pub(super) struct ContactsExportArgs {
    /// Only those with this name, organization or number.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(super) search: String,
    #[command(flatten)]
    pub(super) form: ExportArgs,
    #[command(flatten)]
    pub(super) records: RecordArgs,
}

/// Options of `ringdesk calls export`.
#[derive(Debug, Args)]
pub(super) struct CallsExportArgs {
    /// Only these.
    #[arg(long, value_enum, default_value_t = FilterArg::All)]
    pub(super) filter: FilterArg,
    /// The numbers to call back in place of calls, with how often each was missed and tried, by whom and when.
    #[arg(long, conflicts_with_all = ["filter", "CriteriaArgs"])]
    pub(super) callbacks: bool,
    #[command(flatten)]
    pub(super) criteria: CriteriaArgs,
    /// Name or number.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(super) search: String,
    #[command(flatten)]
    pub(super) form: ExportArgs,
    #[command(flatten)]
    pub(super) records: RecordArgs,
}

/// Options of `ringdesk leads export` and `ringdesk organizations export`.
#[derive(Debug, Args)]
pub(super) struct NamesExportArgs {
    /// Only those with this name or number.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(super) search: String,
    #[command(flatten)]
    pub(super) form: ExportArgs,
    #[command(flatten)]
    pub(super) records: RecordArgs,
}

/// Options of `ringdesk tickets export`.
#[derive(Debug, Args)]
pub(super) struct TicketsExportArgs {
    /// Words of the title or of articles.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(super) search: String,
    /// Only these.
    #[arg(long, value_enum, default_value_t = TicketFilterArg::All)]
    pub(super) filter: TicketFilterArg,
    #[command(flatten)]
    pub(super) form: ExportArgs,
    #[command(flatten)]
    pub(super) records: RecordArgs,
}

/// Options of `ringdesk tasks export`.
#[derive(Debug, Args)]
pub(super) struct TasksExportArgs {
    /// Done ones instead of those to do.
    #[arg(long)]
    pub(super) done: bool,
    /// Only those to do that are due until then, such as 2026-12-24 or 2026-12-24T18:00:00Z.
    #[arg(long, value_name = "TIME", conflicts_with = "done", value_parser = moment)]
    pub(super) due_until: Option<jiff::Timestamp>,
    #[command(flatten)]
    pub(super) form: ExportArgs,
    #[command(flatten)]
    pub(super) records: RecordArgs,
}

/// Options of `ringdesk show export`.
#[derive(Debug, Args)]
pub(super) struct TimelineExportArgs {
    /// Around which record, such as contact:5, organization:3 or ticket:7.
    #[arg(value_name = "KIND:ID", value_parser = subject)]
    pub(super) subject: Subject,
    #[command(flatten)]
    pub(super) form: ExportArgs,
    #[command(flatten)]
    pub(super) records: RecordArgs,
}

/// Options of `ringdesk audit export`.
#[derive(Debug, Args)]
pub(super) struct AuditExportArgs {
    /// Only of that record, such as contact:5.
    #[arg(value_name = "KIND:ID", value_parser = subject)]
    pub(super) subject: Option<Subject>,
    #[command(flatten)]
    pub(super) form: ExportArgs,
    #[command(flatten)]
    pub(super) records: RecordArgs,
}

/// Where an export goes and in which form.
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// The form; without it that of the file's ending, else CSV. In CSV, cells that a spreadsheet would
    /// run as a formula get an apostrophe in front, which an import takes away again.
    #[arg(long, value_enum)]
    pub(super) format: Option<FormatArg>,
    /// Write to this new file, which only you can read, in place of standard output; a CSV file gets a
    /// byte order mark, so that spreadsheets see that it is UTF-8.
    #[arg(long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

/// What becomes of people who are there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ExistingArg {
    /// The stored one stays as it is.
    Skip,
    /// What the file says wins, the rest stays, numbers come together.
    Update,
    /// They are added once more.
    Add,
}

impl From<ExistingArg> for Existing {
    fn from(word: ExistingArg) -> Self {
        match word {
            ExistingArg::Skip => Self::Skip,
            ExistingArg::Update => Self::Update,
            ExistingArg::Add => Self::Add,
        }
    }
}

/// A form for exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FormatArg {
    /// A table with commas.
    Csv,
    /// One JSON object a line.
    Json,
    /// Cards, for contacts.
    Vcard,
}

impl From<FormatArg> for ExportFormat {
    fn from(word: FormatArg) -> Self {
        match word {
            FormatArg::Csv => Self::Csv,
            FormatArg::Json => Self::Json,
            FormatArg::Vcard => Self::Vcard,
        }
    }
}
