//! Options of the commands for leads, organizations, tickets, tasks and what hangs on them.

use clap::{Args, Subcommand, ValueEnum};

use crate::app::desk::CallerEdit;
use crate::base::id::CallId;
use crate::cli::args::RecordArgs;
use crate::cli::edit_args::{ContactSetArgs, NotesTask, OrganizationSetArgs};
use crate::cli::exchange_args::{
    AuditExportArgs, NamesExportArgs, TasksExportArgs, TicketsExportArgs, TimelineExportArgs,
};
use crate::cli::moment::moment;
use crate::crm::row::{CallCriteria, CallState, LeadStage, Subject, TicketState, TimelineId};

/// How rows are printed and where they are.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// JSON, one record a line.
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// How many at most (`list_length` in the settings: 100); a search by name finds at most 1,000.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) limit: Option<u32>,
    #[command(flatten)]
    pub(super) records: RecordArgs,
}

/// Options of `ringdesk leads`.
#[derive(Debug, Args)]
pub(super) struct LeadsArgs {
    /// What to do instead of listing.
    #[command(subcommand)]
    pub(super) task: Option<LeadsTask>,
    /// Name, organization or number.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(super) search: String,
    /// Only those behind this one in the list.
    #[arg(long, value_name = "ID")]
    pub(super) after: Option<i64>,
    /// Add a lead with this name.
    #[arg(long, value_name = "NAME")]
    pub(super) add: Option<String>,
    /// Its organization.
    #[arg(long, value_name = "NAME", requires = "add")]
    pub(super) organization: Option<String>,
    /// Its number; may be repeated.
    #[arg(long, value_name = "NUMBER", requires = "add")]
    pub(super) number: Vec<String>,
    /// How far it is: new, contacted, qualified, converted or lost.
    #[arg(long, value_name = "STAGE", requires = "add", value_parser = stage, default_value = "new")]
    pub(super) stage: LeadStage,
    #[command(flatten)]
    pub(super) list: ListArgs,
}

/// What `ringdesk leads` does instead of listing.
#[derive(Debug, Subcommand)]
pub(super) enum LeadsTask {
    /// Write leads as CSV, JSON or vCard 4.0.
    Export(NamesExportArgs),
    /// Change a lead; what is not named stays. Earlier calls follow its numbers.
    Set(Box<ContactSetArgs>),
}

/// Options of `ringdesk organizations`.
#[derive(Debug, Args)]
pub(super) struct OrganizationsArgs {
    /// What to do instead of listing.
    #[command(subcommand)]
    pub(super) task: Option<OrganizationsTask>,
    /// Beginnings of words of the name, or a number.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(super) search: String,
    /// Only those behind this one in the list.
    #[arg(long, value_name = "ID")]
    pub(super) after: Option<i64>,
    /// Add an organization with this name, or numbers to the one that has it.
    #[arg(long, value_name = "NAME")]
    pub(super) add: Option<String>,
    /// A number of the whole organization; may be repeated.
    #[arg(long, value_name = "NUMBER", requires = "add")]
    pub(super) number: Vec<String>,
    #[command(flatten)]
    pub(super) list: ListArgs,
}

/// What `ringdesk organizations` does instead of listing.
#[derive(Debug, Subcommand)]
pub(super) enum OrganizationsTask {
    /// Write organizations as CSV or JSON.
    Export(NamesExportArgs),
    /// Change an organization; what is not named stays. Earlier calls follow its numbers.
    Set(OrganizationSetArgs),
}

/// Options of `ringdesk tickets`.
#[derive(Debug, Args)]
pub(super) struct TicketsArgs {
    /// What to do instead of listing.
    #[command(subcommand)]
    pub(super) task: Option<TicketsTask>,
    /// Words of the title or of articles.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(super) search: String,
    /// Only these.
    #[arg(long, value_enum, default_value_t = TicketFilterArg::NotClosed)]
    pub(super) filter: TicketFilterArg,
    /// Only those behind this one in the list.
    #[arg(long, value_name = "ID")]
    pub(super) after: Option<i64>,
    #[command(flatten)]
    pub(super) list: ListArgs,
}

/// Which tickets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum TicketFilterArg {
    /// Those that are not closed.
    NotClosed,
    /// Drafts.
    Drafts,
    /// All.
    All,
}

/// What `ringdesk tickets` does instead of listing.
#[derive(Debug, Subcommand)]
pub(super) enum TicketsTask {
    /// Write tickets as CSV, or with their articles as JSON.
    Export(TicketsExportArgs),
    /// Add a ticket.
    Add {
        /// What it is about, in a line.
        title: String,
        /// The customer.
        #[arg(long, value_name = "CONTACT_ID")]
        contact: Option<i64>,
        /// The first article: what the customer said.
        #[arg(long, value_name = "TEXT")]
        body: Option<String>,
        /// The call that it comes from.
        #[arg(long, value_name = "CALL_ID", value_parser = call_id)]
        call: Option<CallId>,
    },
    /// Show a ticket with its articles.
    Show {
        /// Its number.
        id: i64,
    },
    /// Add an article to a ticket.
    Article {
        /// The ticket's number.
        id: i64,
        /// The text.
        body: String,
        /// For agents only.
        #[arg(long)]
        internal: bool,
        /// It holds the customer's words, not the agent's.
        #[arg(long)]
        from_customer: bool,
        /// The call that it comes from.
        #[arg(long, value_name = "CALL_ID", value_parser = call_id)]
        call: Option<CallId>,
    },
    /// Change a ticket; what is not named stays.
    Set {
        /// Its number.
        id: i64,
        /// Another title.
        #[arg(long)]
        title: Option<String>,
        /// draft, new, open, pending or closed.
        #[arg(long, value_parser = ticket_state)]
        state: Option<TicketState>,
        /// Another customer.
        #[arg(long, value_name = "CONTACT_ID")]
        contact: Option<i64>,
        /// Who works on it.
        #[arg(long, value_name = "NAME")]
        agent: Option<String>,
    },
}

/// Options of `ringdesk tasks`.
#[derive(Debug, Args)]
pub(super) struct TasksArgs {
    /// What to do instead of listing.
    #[command(subcommand)]
    pub(super) task: Option<TasksTask>,
    /// Done ones instead of those to do.
    #[arg(long)]
    pub(super) done: bool,
    /// Only those that are due until then, such as 2026-12-24, 2026-12-24T18:00 or 2026-12-24T18:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(super) due_until: Option<jiff::Timestamp>,
    /// Only those behind this one in the list.
    #[arg(long, value_name = "ID")]
    pub(super) after: Option<i64>,
    #[command(flatten)]
    pub(super) list: ListArgs,
}

/// What `ringdesk tasks` does instead of listing.
#[derive(Debug, Subcommand)]
pub(super) enum TasksTask {
    /// Write tasks as CSV or JSON.
    Export(TasksExportArgs),
    /// Add a task.
    Add {
        /// What is to do, in a line.
        title: String,
        /// When it is due, such as 2026-12-24, 2026-12-24T18:00 or 2026-12-24T18:00:00Z.
        #[arg(long, value_name = "TIME", value_parser = moment)]
        due: Option<jiff::Timestamp>,
        /// What it is about, such as contact:5 or ticket:7.
        #[arg(long, value_name = "KIND:ID", value_parser = subject)]
        about: Option<Subject>,
        /// A number to call: the task is to call back.
        #[arg(long, value_name = "NUMBER")]
        number: Option<String>,
        /// The call that it follows.
        #[arg(long, value_name = "CALL_ID", value_parser = call_id)]
        call: Option<CallId>,
        /// Who is to do it.
        #[arg(long, value_name = "NAME")]
        agent: Option<String>,
        /// More about it.
        #[arg(long, value_name = "TEXT", default_value = "")]
        notes: String,
    },
    /// Say that a task is done.
    Done {
        /// Its number.
        id: i64,
    },
    /// Say that a task is not done yet.
    Reopen {
        /// Its number.
        id: i64,
    },
    /// Delete a task.
    Delete {
        /// Its number.
        id: i64,
    },
}

/// Options of `ringdesk search`.
#[derive(Debug, Args)]
pub(super) struct SearchArgs {
    /// Words or digits.
    pub(super) text: String,
    /// JSON, one object.
    #[arg(long)]
    pub(super) json: bool,
    /// How many of each kind at most.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(super) limit: u32,
    #[command(flatten)]
    pub(super) records: RecordArgs,
}

/// Options of `ringdesk who`.
#[derive(Debug, Args)]
pub(super) struct WhoArgs {
    /// A number in any spelling, or a SIP address.
    pub(super) number: String,
    /// The country (ISO 3166, such as FR) of the account at which it calls, by which a number without a country code
    /// is read; without it that of the first account, else that of the settings.
    #[arg(long, value_name = "COUNTRY", value_parser = country)]
    pub(super) region: Option<String>,
    /// JSON, one object.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) records: RecordArgs,
}

/// Options of `ringdesk show`.
#[derive(Debug, Args)]
#[command(subcommand_negates_reqs = true, args_conflicts_with_subcommands = true)]
pub(super) struct ShowArgs {
    /// What to do instead of showing it.
    #[command(subcommand)]
    pub(super) task: Option<ShowTask>,
    /// Which record, such as contact:5, organization:3 or ticket:7.
    #[arg(value_name = "KIND:ID", value_parser = subject, required = true)]
    pub(super) subject: Option<Subject>,
    /// Only what is behind this entry in its timeline, such as note:5.
    #[arg(long, value_name = "KIND:ID", value_parser = entry)]
    pub(super) after: Option<TimelineId>,
    #[command(flatten)]
    pub(super) list: ListArgs,
}

/// What `ringdesk show` does instead of showing a record.
#[derive(Debug, Subcommand)]
pub(super) enum ShowTask {
    /// Write what happened around a record as CSV or JSON.
    Export(TimelineExportArgs),
}

/// Options of `ringdesk calls callback` and `ringdesk calls again`.
#[derive(Debug, Args)]
pub(super) struct DialAgainArgs {
    /// The call: its id in events and in `ringdesk calls --json`.
    #[arg(value_name = "CALL_ID", value_parser = call_id)]
    pub(super) call_id: CallId,
    /// Dial also what would be asked first, such as a costly number.
    #[arg(long)]
    pub(super) confirm: bool,
    /// JSON, one object.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) records: RecordArgs,
}

/// Options of `ringdesk calls callbacks`.
#[derive(Debug, Args)]
pub(super) struct CallbacksArgs {
    /// Only those behind this call in the list.
    #[arg(long, value_name = "CALL_ID", value_parser = call_id)]
    pub(super) after: Option<CallId>,
    #[command(flatten)]
    pub(super) list: ListArgs,
}

/// Options of `ringdesk delete`.
#[derive(Debug, Args)]
pub(super) struct DeleteArgs {
    /// Which record, such as contact:5, organization:3 or ticket:7.
    #[arg(value_name = "KIND:ID", value_parser = subject)]
    pub(super) subject: Subject,
    #[command(flatten)]
    pub(super) list: ListArgs,
}

/// Options of `ringdesk note`.
#[derive(Debug, Args)]
pub(super) struct NoteArgs {
    /// About which record, such as contact:5, organization:3 or ticket:7.
    #[arg(value_name = "KIND:ID", value_parser = subject)]
    pub(super) subject: Subject,
    /// The text.
    pub(super) text: String,
    #[command(flatten)]
    pub(super) list: ListArgs,
}

/// Options of `ringdesk notes`.
#[derive(Debug, Args)]
pub(super) struct NotesArgs {
    /// What to do.
    #[command(subcommand)]
    pub(super) task: NotesTask,
    /// JSON, one object.
    #[arg(long, global = true)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) records: RecordArgs,
}

/// Options of `ringdesk audit`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct AuditArgs {
    /// What to do instead of listing.
    #[command(subcommand)]
    pub(super) task: Option<AuditTask>,
    /// Only of that record, such as contact:5.
    #[arg(value_name = "KIND:ID", value_parser = subject)]
    pub(super) subject: Option<Subject>,
    /// Only those behind this one in the list.
    #[arg(long, value_name = "ID")]
    pub(super) after: Option<i64>,
    #[command(flatten)]
    pub(super) list: ListArgs,
}

/// What `ringdesk audit` does instead of listing.
#[derive(Debug, Subcommand)]
pub(super) enum AuditTask {
    /// Write who changed what as CSV or JSON.
    Export(AuditExportArgs),
}

/// Options of `ringdesk undo`.
#[derive(Debug, Args)]
pub(super) struct UndoArgs {
    /// Which step; without it, the steps are listed.
    pub(super) step: Option<i64>,
    #[command(flatten)]
    pub(super) list: ListArgs,
}

/// Options of `ringdesk call-types`.
#[derive(Debug, Args)]
pub(super) struct CallTypesArgs {
    /// Add one with this name.
    #[arg(long, value_name = "NAME")]
    pub(super) add: Option<String>,
    /// Delete one, or hide it where calls have it.
    #[arg(long, value_name = "ID", conflicts_with = "add")]
    pub(super) delete: Option<i64>,
    #[command(flatten)]
    pub(super) list: ListArgs,
}

/// Criteria of `ringdesk calls`.
#[derive(Debug, Args)]
pub(super) struct CriteriaArgs {
    /// Only calls that stand so, such as completed or no-answer.
    #[arg(long, value_name = "STATE", value_parser = call_state)]
    pub(super) state: Option<CallState>,
    /// Only calls of this agent.
    #[arg(long, value_name = "NAME")]
    pub(super) agent: Option<String>,
    /// Only calls from this queue.
    #[arg(long, value_name = "NAME")]
    pub(super) queue: Option<String>,
    /// Only calls about this: the name of a call type.
    #[arg(long, value_name = "NAME")]
    pub(super) call_type: Option<String>,
    /// Only calls that were recorded, or were not.
    #[arg(long, value_name = "true|false")]
    pub(super) recorded: Option<bool>,
    /// Only calls for which nothing, or something, is left to do.
    #[arg(long, value_name = "true|false")]
    pub(super) done: Option<bool>,
    /// Only calls that began then or later, such as 2026-12-24, 2026-12-24T18:00 or 2026-12-24T18:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(super) since: Option<jiff::Timestamp>,
    /// Only calls that began before then.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(super) until: Option<jiff::Timestamp>,
}

impl CriteriaArgs {
    /// What is asked for.
    pub(super) fn criteria(self) -> CallCriteria {
        CallCriteria {
            state: self.state,
            agent: self.agent,
            queue: self.queue,
            call_type: self.call_type,
            recorded: self.recorded,
            done: self.done,
            since: self.since,
            until: self.until,
        }
    }
}

/// Options of `ringdesk calls figures`.
#[derive(Debug, Args)]
pub(super) struct FiguresArgs {
    /// The day, in the system's time zone, such as 2026-12-24 (default: today).
    #[arg(long, value_name = "DATE")]
    pub(super) day: Option<jiff::civil::Date>,
    /// How many days, that one the last.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..=3_660))]
    pub(super) days: i32,
    #[command(flatten)]
    pub(super) list: ListArgs,
}

/// Options of `ringdesk calls set`.
#[derive(Debug, Args)]
pub(super) struct CallSetArgs {
    /// The call: its id in events and in `ringdesk calls --json`.
    #[arg(value_name = "CALL_ID", value_parser = call_id)]
    pub(super) call_id: CallId,
    /// Its notes.
    #[arg(long, value_name = "TEXT")]
    pub(super) notes: Option<String>,
    /// What it was about: the name of a call type; an empty one takes it away.
    #[arg(long, value_name = "NAME")]
    pub(super) call_type: Option<String>,
    /// Whom it was with, such as contact:5, or none.
    #[arg(long, value_name = "KIND:ID|none", value_parser = caller)]
    pub(super) caller: Option<CallerEdit>,
    /// Link it to this record; may be repeated.
    #[arg(long, value_name = "KIND:ID", value_parser = subject)]
    pub(super) link: Vec<Subject>,
    /// Take the link to this record away; may be repeated.
    #[arg(long, value_name = "KIND:ID", value_parser = subject)]
    pub(super) unlink: Vec<Subject>,
    /// Nothing is left to do, or something is.
    #[arg(long, value_name = "true|false")]
    pub(super) done: Option<bool>,
    #[command(flatten)]
    pub(super) list: ListArgs,
}

/// Options of `ringdesk calls enter`.
#[derive(Debug, Args)]
pub(super) struct CallEnterArgs {
    /// The far end's number.
    pub(super) number: String,
    /// They called, instead of us.
    #[arg(long)]
    pub(super) inbound: bool,
    /// Nobody answered it.
    #[arg(long)]
    pub(super) missed: bool,
    /// When it began, such as 2026-12-24T18:00 or 2026-12-24T18:00:00Z (default: now).
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(super) at: Option<jiff::Timestamp>,
    /// How long it was talked.
    #[arg(
        long,
        value_name = "SECONDS",
        conflicts_with = "missed",
        default_value_t = 0
    )]
    pub(super) talked: u32,
    /// Its recording: a WAV file, or its address (http, https) at a server that keeps it.
    #[arg(long, value_name = "FILE|URL", value_parser = recording)]
    pub(super) recording: Option<String>,
    /// Notes.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(super) notes: String,
    #[command(flatten)]
    pub(super) list: ListArgs,
}

/// A file is named by its whole path: the phone may look for it from elsewhere.
fn recording(text: &str) -> Result<String, String> {
    if text.contains("://") {
        return Ok(text.to_owned());
    }
    let path = std::path::absolute(text).map_err(|error| error.to_string())?;
    if !path.is_file() {
        return Err(format!("there is no file {}", path.display()));
    }
    let path = path.into_os_string().into_string();
    path.map_err(|path| format!("{} is no readable name", path.display()))
}

fn caller(text: &str) -> Result<CallerEdit, String> {
    if text == "none" {
        return Ok(CallerEdit::Nobody);
    }
    subject(text).map(CallerEdit::Record)
}

fn country(code: &str) -> Result<String, String> {
    let code = code.trim().to_ascii_uppercase();
    let known = crate::base::country::name(&code).is_some();
    let unknown = || format!("{code} is no country of ISO 3166, such as DE or US");
    known.then_some(code.clone()).ok_or_else(unknown)
}

pub(super) fn subject(text: &str) -> Result<Subject, String> {
    Subject::parse(text).ok_or_else(|| {
        "a record is named by its kind and number, such as contact:5, organization:3 or ticket:7"
            .to_owned()
    })
}

fn entry(text: &str) -> Result<TimelineId, String> {
    TimelineId::parse(text).ok_or_else(|| {
        "an entry is named by its kind and id: call, note, task or ticket, such as note:5"
            .to_owned()
    })
}

fn call_state(word: &str) -> Result<CallState, String> {
    CallState::parse(word)
        .ok_or_else(|| "a state is a word such as completed, no-answer, busy or failed".to_owned())
}

pub(super) fn stage(word: &str) -> Result<LeadStage, String> {
    LeadStage::parse(word).ok_or_else(|| expected(LeadStage::ALL, LeadStage::as_str))
}

fn ticket_state(word: &str) -> Result<TicketState, String> {
    TicketState::parse(word).ok_or_else(|| expected(TicketState::ALL, TicketState::as_str))
}

fn expected<T: Copy>(all: &[T], word: impl Fn(T) -> &'static str) -> String {
    let words: Vec<&str> = all.iter().map(|known| word(*known)).collect();
    format!("it is one of: {}", words.join(", "))
}

pub(super) fn call_id(text: &str) -> Result<CallId, String> {
    CallId::parse(text)
        .ok_or_else(|| "a call is named by its id in `ringdesk calls --json`".to_owned())
}
