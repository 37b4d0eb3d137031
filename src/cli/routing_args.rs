//! The words of `ringdesk agents`, `ringdesk queues` and `ringdesk blocked`.

use clap::{Args, Subcommand};
use jiff::civil::Date;

use crate::cli::args::{AnswerArgs, RecordArgs};

/// Options of `ringdesk agents`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct AgentsArgs {
    /// What to do instead of listing them.
    #[command(subcommand)]
    pub(super) task: Option<AgentsTask>,
    #[command(flatten)]
    pub(super) answer: AnswerArgs,
}

/// What `ringdesk agents` does instead of listing them.
#[derive(Debug, Subcommand)]
pub(super) enum AgentsTask {
    /// Add an agent.
    Add(AgentArgs),
    /// Change an agent; what is not named stays as it is.
    Set(AgentArgs),
    /// Remove an agent.
    Remove(NamedArgs),
    /// Show how long the agent of this phone was in each state on a day.
    Time(TimeArgs),
}

/// An agent.
#[derive(Debug, Args)]
pub(super) struct AgentArgs {
    /// The agent's name.
    #[arg(value_name = "NAME")]
    pub(super) name: String,
    /// A new name.
    #[arg(long, value_name = "NAME")]
    pub(super) rename: Option<String>,
    /// An own number or SIP address; may be repeated.
    #[arg(long, value_name = "NUMBER")]
    pub(super) number: Vec<String>,
    /// A group whose slots are the agent's; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub(super) group: Vec<String>,
    /// The name at the exchange or at a CRM.
    #[arg(long, value_name = "NAME")]
    pub(super) login: Option<String>,
    /// Whether the agent works here at present.
    #[arg(long, value_name = "on|off", value_parser = switch)]
    pub(super) active: Option<bool>,
    /// The administrator's word on whether calls may pop up at this agent's phone.
    #[arg(long, value_name = "on|off", value_parser = switch)]
    pub(super) panel: Option<bool>,
    #[command(flatten)]
    pub(super) answer: AnswerArgs,
}

/// A thing by its name.
#[derive(Debug, Args)]
pub(super) struct NamedArgs {
    /// The name.
    #[arg(value_name = "NAME")]
    pub(super) name: String,
    #[command(flatten)]
    pub(super) answer: AnswerArgs,
}

/// Which day.
#[derive(Debug, Args)]
pub(super) struct TimeArgs {
    /// The day in the system's time zone (today).
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(super) day: Option<Date>,
    #[command(flatten)]
    pub(super) answer: AnswerArgs,
}

/// Options of `ringdesk queues`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct QueuesArgs {
    /// What to do instead of listing them.
    #[command(subcommand)]
    pub(super) task: Option<QueuesTask>,
    #[command(flatten)]
    pub(super) answer: AnswerArgs,
}

/// What `ringdesk queues` does instead of listing them.
#[derive(Debug, Subcommand)]
pub(super) enum QueuesTask {
    /// Add a queue; without slots everybody takes its calls at all times.
    Add(QueueArgs),
    /// Change a queue; what is not named stays as it is.
    Set(QueueArgs),
    /// Remove a queue.
    Remove(NamedArgs),
    /// List the dates on which no slot begins.
    Holidays(HolidaysArgs),
    /// Let no slot begin on a date.
    Close(HolidayArgs),
    /// Let slots begin on a date again.
    Open(HolidayArgs),
}

/// A queue.
#[derive(Debug, Args)]
pub(super) struct QueueArgs {
    /// The queue's name.
    #[arg(value_name = "NAME")]
    pub(super) name: String,
    /// A new name.
    #[arg(long, value_name = "NAME")]
    pub(super) rename: Option<String>,
    /// A called number or SIP address that is its, `*` for any digits or letters, such as
    /// +4930123*; may be repeated.
    #[arg(long, value_name = "NUMBER")]
    pub(super) number: Vec<String>,
    /// Days, times and the group that takes its calls then, such as "mon-fri 08:00-17:00 Day" or
    /// "sat,sun 22:00-06:00 Night"; may be repeated.
    #[arg(long, value_name = "SLOT")]
    pub(super) slot: Vec<String>,
    /// Take all slots away: everybody takes its calls at all times.
    #[arg(long, conflicts_with = "slot")]
    pub(super) no_slots: bool,
    /// The time zone of its slots by its IANA name, such as Europe/Berlin (the system's).
    #[arg(long, value_name = "ZONE")]
    pub(super) zone: Option<String>,
    /// The communication medium at a CRM.
    #[arg(long, value_name = "NAME")]
    pub(super) medium: Option<String>,
    /// What is dialled when a break begins, such as *45.
    #[arg(long, value_name = "CODE")]
    pub(super) pause_code: Option<String>,
    /// What is dialled when it ends.
    #[arg(long, value_name = "CODE")]
    pub(super) unpause_code: Option<String>,
    /// What the agent says in its calls; {name}, {number}, {contact}, `{call_id}` and {queue} stand for what is
    /// known of the call. An empty one takes it away.
    #[arg(long, value_name = "TEXT")]
    pub(super) script: Option<String>,
    /// The web page that belongs to its calls, such as `https://crm.example/search?q={number}`; the same names,
    /// percent-encoded. An empty one takes it away.
    #[arg(long, value_name = "URL")]
    pub(super) page: Option<String>,
    #[command(flatten)]
    pub(super) answer: AnswerArgs,
}

/// How holidays are listed.
#[derive(Debug, Args)]
pub(super) struct HolidaysArgs {
    #[command(flatten)]
    pub(super) answer: AnswerArgs,
}

/// A holiday.
#[derive(Debug, Args)]
pub(super) struct HolidayArgs {
    /// The date.
    #[arg(value_name = "YYYY-MM-DD")]
    pub(super) date: Date,
    /// The queue (all of them).
    #[arg(long, value_name = "NAME")]
    pub(super) queue: Option<String>,
    /// What it is called.
    #[arg(long, value_name = "NAME", default_value = "closed")]
    pub(super) name: String,
    #[command(flatten)]
    pub(super) records: RecordArgs,
}

/// Options of `ringdesk blocked`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct BlockedArgs {
    /// What to do instead of listing them.
    #[command(subcommand)]
    pub(super) task: Option<BlockedTask>,
    #[command(flatten)]
    pub(super) answer: AnswerArgs,
}

/// What `ringdesk blocked` does instead of listing them.
#[derive(Debug, Subcommand)]
pub(super) enum BlockedTask {
    /// Block a number in all its spellings, all numbers that begin so (+4990*), or whoever withholds
    /// the number (anonymous).
    Add(BlockArgs),
    /// Take an entry off the list.
    Remove(NamedArgs),
}

/// An entry of the block list.
#[derive(Debug, Args)]
pub(super) struct BlockArgs {
    /// The number or SIP address; with a star behind it a beginning; anonymous for withheld ones.
    #[arg(value_name = "NUMBER")]
    pub(super) number: String,
    /// Refuse as busy (486) instead of as declined (603).
    #[arg(long)]
    pub(super) busy: bool,
    /// Why.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(super) note: String,
    #[command(flatten)]
    pub(super) answer: AnswerArgs,
}

/// Options of `ringdesk calls popup`.
#[derive(Debug, Args)]
pub(super) struct CallPopupArgs {
    /// The call: its id in events and in `ringdesk calls --json`, or its SIP Call-ID.
    #[arg(value_name = "CALL_ID")]
    pub(super) call_id: String,
    #[command(flatten)]
    pub(super) answer: AnswerArgs,
}

fn switch(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("on or off is needed".to_owned()),
    }
}
