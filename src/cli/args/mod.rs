//! The words of the command line: a contract with scripts; add freely, rename never.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::base::id::CallId;
use crate::base::page_template::{self, NoPage};
use crate::base::port_range::PortRange;
use crate::base::zone::without_zones;
use crate::cli::care_args::{BackupArgs, RecoverArgs, RestoreArgs};
use crate::cli::deferred::Deferred;
use crate::cli::desk_args::{
    AuditArgs, CallEnterArgs, CallSetArgs, CallTypesArgs, CallbacksArgs, CriteriaArgs, DeleteArgs,
    DialAgainArgs, FiguresArgs, LeadsArgs, ListArgs, NoteArgs, NotesArgs, OrganizationsArgs,
    SearchArgs, ShowArgs, TasksArgs, TicketsArgs, UndoArgs, WhoArgs, call_id,
};
use crate::cli::exchange_args::{CallsExportArgs, ContactsTask};
use crate::cli::extension_args::ExtensionArgs;
use crate::cli::hint_args::{HintsArgs, ImportMailArgs};
use crate::cli::ice_args::IceArgs;
use crate::cli::play::CallPlayArgs;
use crate::cli::routing_args::{AgentsArgs, BlockedArgs, CallPopupArgs, QueuesArgs};
use crate::cli::rule_args::RuleArgs;
use crate::cli::tls_args::TlsArgs;
use crate::cli::voice_args::VoiceArgs;
use crate::config::account::TransportChoice;
use crate::config::validate::PACKET_MILLIS;

/// A desktop SIP phone with a CRM inside.
///
/// Without arguments the window opens. A tel:, sip:, sips: or callto: link is handed to the running
/// phone, which asks before it dials.
///
/// Exit codes: 0 done, 1 failed (a sentence says why), 2 wrong usage, 3 not registered, 4 call
/// failed, 130 interrupted.
#[derive(Debug, Parser)]
#[command(name = "ringdesk", version, args_conflicts_with_subcommands = true)]
pub(super) struct Cli {
    /// A tel:, sip:, sips: or callto: link to hand to the running phone.
    #[arg(value_name = "URI")]
    pub(super) uri: Option<String>,
    /// Keep configuration, database and recordings in this folder.
    #[arg(long, value_name = "DIR")]
    pub(super) data_dir: Option<PathBuf>,
    /// Without a display, run the demonstration in the terminal instead of failing.
    #[arg(long)]
    pub(super) demo_without_display: bool,
    /// What to do instead of opening the window.
    #[command(subcommand)]
    pub(super) command: Option<Task>,
}

/// What to do instead of opening the window.
#[derive(Debug, Subcommand)]
pub(super) enum Task {
    /// The phone without a window: scripted behaviour, events on stdout.
    Headless(Deferred<HeadlessArgs>),
    /// A registrar and test peers on loopback; prints addresses, users and passwords.
    Lab(Deferred<LabArgs>),
    /// Show the demonstration in the terminal: register, call the echo, record, log.
    Demo(Deferred<RecordArgs>),
    /// List calls, newest first.
    Calls(Deferred<CallsArgs>),
    /// List, add, change or search contacts; import, export and merge them; export or erase all that is held of a
    /// person.
    Contacts(Deferred<ContactsArgs>),
    /// List, add, change or search leads.
    Leads(Deferred<LeadsArgs>),
    /// List, add, change or search organizations.
    Organizations(Deferred<OrganizationsArgs>),
    /// List, add, show or change tickets.
    Tickets(Deferred<TicketsArgs>),
    /// List, add or do tasks.
    Tasks(Deferred<TasksArgs>),
    /// Search contacts, organizations, tickets, notes and calls at once.
    Search(Deferred<SearchArgs>),
    /// Say whom a call from a number would show, and why; or why nobody.
    Who(Deferred<WhoArgs>),
    /// Show a record and what happened around it.
    Show(Deferred<ShowArgs>),
    /// Write a note about a record.
    Note(Deferred<NoteArgs>),
    /// Change or delete a note.
    Notes(Deferred<NotesArgs>),
    /// Delete a record; contacts and organizations can be brought back with `ringdesk undo`.
    Delete(Deferred<DeleteArgs>),
    /// List what can be undone, or undo it.
    Undo(Deferred<UndoArgs>),
    /// Say who changed what.
    Audit(Deferred<AuditArgs>),
    /// List, add or delete call types.
    CallTypes(Deferred<CallTypesArgs>),
    /// List guesses of whose a number is, found in notes, tickets and mails; confirm or reject them.
    Hints(Deferred<HintsArgs>),
    /// Read mails (mbox, eml) for their senders' numbers. The texts themselves are not kept.
    ImportMail(Deferred<ImportMailArgs>),
    /// List, add, change or remove agents, with their numbers and groups.
    Agents(Deferred<AgentsArgs>),
    /// List, add, change or remove queues, with their numbers, slots and holidays.
    Queues(Deferred<QueuesArgs>),
    /// List, add or remove entries of the block list.
    Blocked(Deferred<BlockedArgs>),
    /// Set the phone up: an account from its address and password, or settings from an administrator.
    Setup(Deferred<crate::cli::set_up::SetupArgs>),
    /// Say what works and what does not, with remedies: registration, names, sound, call log, ports,
    /// refused strangers, malformed messages, disk, log, passwords. 1: something fails; 3: only a registration.
    Doctor(Deferred<DoctorArgs>),
    /// Show the SIP ladder of a call, or export it for Wireshark.
    Trace(Deferred<TraceArgs>),
    /// Copy the database to a file and verify the copy; the phone may work meanwhile.
    Backup(Deferred<BackupArgs>),
    /// Make a backup the database; no phone may run on it. The database as it was is kept under a dated
    /// name, and who was erased since is erased again.
    Restore(Deferred<RestoreArgs>),
    /// Save what is whole of a damaged database into a new one; the damaged file is kept, and what is saved
    /// and lost is counted. No phone may run on it.
    Recover(Deferred<RecoverArgs>),
    /// Put Ringdesk among this user's programs and let links open it, or take it away again.
    #[cfg(all(feature = "gui", target_os = "linux"))]
    Desktop(Deferred<crate::cli::desktop_entry::DesktopArgs>),
    /// Print the completions of a shell, such as for `source <(ringdesk completions bash)`.
    #[cfg(feature = "gui")]
    Completions(Deferred<crate::cli::pages::CompletionsArgs>),
    /// Print the manual page, or write those of all commands.
    #[cfg(feature = "gui")]
    Man(Deferred<crate::cli::pages::ManArgs>),
}

/// Options of `ringdesk headless`. Of an option that is given twice and cannot be repeated, the
/// later counts, so that scripts can add to a fixed list.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(super) struct HeadlessArgs {
    /// Accounts and settings from a file; options win.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Local address for SIP and RTP (default: all, any port; with --no-register 127.0.0.1).
    #[arg(long, value_name = "IP[:PORT]", value_parser = bind_address)]
    pub(super) bind: Option<SocketAddr>,
    /// Name server to ask instead of the system's; may be repeated.
    #[arg(long, value_name = "IP[:PORT]", value_parser = name_server)]
    pub(super) name_server: Vec<String>,
    /// Loose route for all requests.
    #[arg(long, value_name = "URI")]
    pub(super) outbound_proxy: Option<String>,
    /// For requests that it starts; it listens on UDP and TCP in any case, and on TLS with
    /// --tls-certificate.
    #[arg(long, value_enum)]
    pub(super) transport: Option<TransportArg>,
    /// Address of record; may be repeated, each with the options that follow it.
    #[arg(long, value_name = "sip:USER@DOMAIN")]
    pub(super) account: Vec<String>,
    /// Registrar of the account before it.
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(super) registrar: Vec<String>,
    /// Authentication user name of the account before it.
    #[arg(long, value_name = "NAME")]
    pub(super) auth_user: Vec<String>,
    /// Environment variable with the password of the account before it.
    #[arg(long, value_name = "VAR")]
    pub(super) password_env: Vec<String>,
    /// File with the password of the account before it.
    #[arg(long, value_name = "FILE")]
    pub(super) password_file: Vec<PathBuf>,
    /// Registration lifetime to ask for, of the account before it.
    #[arg(long, value_name = "SECONDS")]
    pub(super) expires: Vec<u32>,
    /// What the agent says in calls of the account before it, told by the event opens; {name}, {number},
    /// {contact}, `{call_id}` and {queue} stand for what is known of the call.
    #[arg(long, value_name = "TEXT")]
    pub(super) script: Vec<String>,
    /// The web page that belongs to calls of the account before it, such as
    /// `https://crm.example/search?q={number}`.
    #[arg(long, value_name = "URL", value_parser = page)]
    pub(super) page: Vec<String>,
    /// How long a call rings before it is given up.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub(super) ring_limit: Option<u32>,
    #[command(flatten)]
    pub(super) extensions: ExtensionArgs,
    #[command(flatten)]
    pub(super) ice: IceArgs,
    /// Direct calls: any user part and any source is answered (for testers).
    #[arg(long)]
    pub(super) no_register: bool,
    /// 180, then 200 after so many milliseconds.
    #[arg(long, value_name = "MS", num_args = 0..=1, default_missing_value = "0", require_equals = true)]
    pub(super) auto_answer: Option<u64>,
    /// Answer 183 with SDP and stay there.
    #[arg(long, conflicts_with_all = ["auto_answer", "reject", "redirect"])]
    pub(super) early_media: bool,
    /// Refuse each call with this status.
    #[arg(long, value_name = "CODE", conflicts_with = "auto_answer", value_parser = clap::value_parser!(u16).range(300..=699))]
    pub(super) reject: Option<u16>,
    /// Send each call elsewhere (302).
    #[arg(long, value_name = "URI", conflicts_with_all = ["auto_answer", "reject"])]
    pub(super) redirect: Option<String>,
    /// Watch what a colleague's phone does (busy lamp field); may be repeated.
    #[arg(long, value_name = "URI")]
    pub(super) watch: Vec<String>,
    /// Watch what a colleague tells of their presence; may be repeated.
    #[arg(long, value_name = "URI")]
    pub(super) presence: Vec<String>,
    /// Ask the server for waiting messages, for each account that is given here.
    #[arg(long)]
    pub(super) message_waiting: bool,
    /// Place a call; may be repeated.
    #[arg(long, value_name = "URI")]
    pub(super) call: Vec<String>,
    /// Place the calls so many times.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) repeat: u32,
    /// Calls to begin each second; without it each waits for the end of the one before.
    #[arg(long, value_name = "PER_SECOND", value_parser = rate)]
    pub(super) rate: Option<f64>,
    /// End each call so long after it was answered.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(super) hangup_after: Option<f64>,
    /// Transfer each call there once it is answered.
    #[arg(long, value_name = "URI")]
    pub(super) transfer: Option<String>,
    /// Call there first, and join the two.
    #[arg(long, requires = "transfer")]
    pub(super) attended: bool,
    /// Digits to send once answered.
    #[arg(long, value_name = "DIGITS")]
    pub(super) dtmf: Option<String>,
    /// WAV as the microphone.
    #[arg(long, value_name = "FILE")]
    pub(super) play: Option<PathBuf>,
    /// Play the WAV again at its end.
    #[arg(long = "loop", requires = "play")]
    pub(super) repeat_play: bool,
    /// WAV that the far end hears while it is held, in place of silence.
    #[arg(long, value_name = "FILE")]
    pub(super) hold_music: Option<PathBuf>,
    /// What becomes of the call that is talked when another one is answered, placed or resumed: both
    /// go on, it is held, or the other one is refused until it is held or over.
    #[arg(long, value_enum, default_value_t = SecondCallArg::Together)]
    pub(super) second_call: SecondCallArg,
    /// One WAV for each call, named by call id (left own, right far end).
    #[arg(long, value_name = "DIR")]
    pub(super) record_dir: Option<PathBuf>,
    /// WAV of at most 30 s that both sides hear before a recording begins; without it nothing is
    /// recorded.
    #[arg(long, value_name = "FILE")]
    pub(super) recording_announcement: Option<PathBuf>,
    /// Send back what is heard.
    #[arg(long, conflicts_with = "play")]
    pub(super) echo: bool,
    /// Codecs in order of preference, of opus, g722, pcmu and pcma (all of them, in this order).
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(super) codecs: Vec<String>,
    /// UDP ports of calls' sound, two for each call, such as 40000-40100; any without it.
    #[arg(long, value_name = "FIRST-LAST")]
    pub(super) rtp_ports: Option<PortRange>,
    /// Send little or nothing while our side is silent (comfort noise, DTX).
    #[arg(long)]
    pub(super) silence_suppression: bool,
    /// Milliseconds of sound in each packet, where the other side has no wish of its own.
    #[arg(long, value_name = "10|20|40|60", value_parser = packet_millis)]
    pub(super) packet_time: Option<u32>,
    /// Sound device: null, default or a name.
    #[arg(long, value_name = "null|default|NAME", default_value = "null")]
    pub(super) audio: String,
    #[command(flatten)]
    pub(super) voice: VoiceArgs,
    /// Days for which the SIP messages of each call are kept; 0 keeps none.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(0..=3650))]
    pub(super) ladder_days: Option<u32>,
    /// Further calls get 486.
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub(super) max_calls: usize,
    /// Configuration, database and recordings.
    #[arg(long, value_name = "DIR")]
    pub(super) data_dir: Option<PathBuf>,
    /// End after so many ended calls: code 0, or 4 if any placed call failed.
    #[arg(long, value_name = "N")]
    pub(super) exit_after_calls: Option<u64>,
    /// JSON commands on standard input, one a line: {"command": "answer"}, and hold, resume, mute,
    /// unmute, dtmf (digits), pickup (with what the `watched` event tells as `pickup`), record (on),
    /// `pause_recording` (on), hangup, decline, busy, reject (status), redirect (uri), notes (text), choose (caller: a
    /// record such as contact:5, or none), `wrap_up` (text, `call_type`, `keep_ticket`, `follow_up`, due), join (`other_call_id`), transfer (uri; with attended: true the
    /// uri is called first, by the account of that address if one is named, and `other_call_id` joins two calls), `accept_transfer`,
    /// `refuse_transfer`, `accept_redirect`, `refuse_redirect`, swap (`other_call_id`), call (uri, account, confirm), dnd (on),
    /// forward (when: always, busy, no-answer; uri), agent (state: available, break, wrap-up,
    /// do-not-disturb; text: why), popups (on), quit; `call_id` names the call where there are several. Each is answered by an
    /// event.
    #[arg(long, value_enum)]
    pub(super) control: Option<ControlArg>,
    #[command(flatten)]
    pub(super) tls: TlsArgs,
    #[command(flatten)]
    pub(super) rules: RuleArgs,
    /// One line for each event on stdout.
    #[arg(long, value_enum, default_value_t = EventsArg::Json)]
    pub(super) events: EventsArg,
}

/// Options of `ringdesk lab`.
#[derive(Debug, Args)]
pub(super) struct LabArgs {
    /// Where the registrar listens.
    #[arg(long, value_name = "IP[:PORT]", value_parser = bind_address, default_value = "127.0.0.1:5060")]
    pub(super) bind: SocketAddr,
    /// Print addresses, users and passwords as JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// Where the records are.
#[derive(Debug, Args)]
pub(super) struct RecordArgs {
    /// Configuration, database and recordings.
    #[arg(long, value_name = "DIR", global = true)]
    pub(super) data_dir: Option<PathBuf>,
}

/// How an answer is printed, and where the records are.
#[derive(Debug, Args)]
pub(super) struct AnswerArgs {
    /// JSON, one object a line.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) records: RecordArgs,
}

/// Options of `ringdesk doctor`.
#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// Write a support bundle (ZIP) as well: settings, log, accounts, devices, the last calls' SIP messages,
    /// without secrets and bodies; names and numbers of people are shortened. What is in it is listed.
    #[arg(long, value_name = "FILE")]
    pub(super) bundle: Option<PathBuf>,
    /// Leave names and numbers of people at full length in the bundle.
    #[arg(long, requires = "bundle")]
    pub(super) with_people: bool,
    #[command(flatten)]
    pub(super) answer: AnswerArgs,
}

/// Options of `ringdesk calls`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct CallsArgs {
    /// What to show instead of the list.
    #[command(subcommand)]
    pub(super) task: Option<CallsTask>,
    /// JSON, one call a line.
    #[arg(long)]
    pub(super) json: bool,
    /// Only these.
    #[arg(long, value_enum, default_value_t = FilterArg::All)]
    pub(super) filter: FilterArg,
    #[command(flatten)]
    pub(super) criteria: CriteriaArgs,
    /// Name or number.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(super) search: String,
    /// Only those behind this one in the list.
    #[arg(long, value_name = "CALL_ID", value_parser = call_id)]
    pub(super) after: Option<CallId>,
    /// How many at most (`list_length` in the settings: 100).
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) limit: Option<u32>,
    #[command(flatten)]
    pub(super) records: RecordArgs,
}

/// What `ringdesk calls` shows instead of the list.
#[derive(Debug, Subcommand)]
pub(super) enum CallsTask {
    /// Show what was measured of a call's sound, by time: packets, loss, jitter, delay, levels and
    /// the score by the E-model, both directions.
    Quality(CallQualityArgs),
    /// Write calls as CSV or JSON.
    Export(CallsExportArgs),
    /// Change a call: notes, call type, whom it was with, links, done.
    Set(CallSetArgs),
    /// Enter a call that was made elsewhere.
    Enter(CallEnterArgs),
    /// Play a call's recording, to its end.
    Play(CallPlayArgs),
    /// Say that nothing is left to do for any missed call.
    Done(ListArgs),
    /// Call the number of a call that came in, from the line on which it came; the phone must run.
    Callback(DialAgainArgs),
    /// Dial a call that went out again, from the line that it used; the phone must run.
    Again(DialAgainArgs),
    /// List the numbers to call back: how many missed calls wait, and how often somebody tried.
    Callbacks(CallbacksArgs),
    /// Count what happened in each queue on a day: calls, missed ones, how soon they were called back.
    Figures(FiguresArgs),
    /// Say why a call popped up or did not: queue, schedule, own number, switches, block list.
    Popup(CallPopupArgs),
}

/// Options of `ringdesk calls quality`.
#[derive(Debug, Args)]
pub(super) struct CallQualityArgs {
    /// The call: its id in events and in `ringdesk calls --json`, or its SIP Call-ID.
    #[arg(value_name = "CALL_ID")]
    pub(super) call_id: String,
    #[command(flatten)]
    pub(super) answer: AnswerArgs,
}

/// Options of `ringdesk contacts`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct ContactsArgs {
    /// What to do instead of listing.
    #[command(subcommand)]
    pub(super) task: Option<ContactsTask>,
    /// JSON, one contact a line.
    #[arg(long)]
    pub(super) json: bool,
    /// Name, organization or number.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(super) search: String,
    /// Add a contact with this name.
    #[arg(long, value_name = "NAME")]
    pub(super) add: Option<String>,
    /// Its organization.
    #[arg(long, value_name = "NAME", requires = "add")]
    pub(super) organization: Option<String>,
    /// Its number; may be repeated.
    #[arg(long, value_name = "NUMBER", requires = "add")]
    pub(super) number: Vec<String>,
    /// Only those behind this one in the list.
    #[arg(long, value_name = "ID")]
    pub(super) after: Option<i64>,
    /// How many at most (`list_length` in the settings: 100); a search finds at most 1,000.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) limit: Option<u32>,
    #[command(flatten)]
    pub(super) records: RecordArgs,
}

/// Options of `ringdesk trace`.
#[derive(Debug, Args)]
pub(super) struct TraceArgs {
    /// The call: its id in events and in `ringdesk calls --json`, or its SIP Call-ID.
    #[arg(value_name = "CALL_ID")]
    pub(super) call_id: String,
    /// JSON, one message a line.
    #[arg(long)]
    pub(super) json: bool,
    /// Write a capture file (pcapng) for Wireshark and the like.
    #[arg(long, value_name = "FILE")]
    pub(super) pcap: Option<PathBuf>,
    #[command(flatten)]
    pub(super) records: RecordArgs,
}

/// A transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum TransportArg {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS.
    Tls,
    /// WebSocket, in the clear.
    Ws,
    /// WebSocket under TLS.
    Wss,
}

impl TransportArg {
    /// As it stands in the configuration.
    pub(super) fn choice(self) -> TransportChoice {
        match self {
            Self::Udp => TransportChoice::Udp,
            Self::Tcp => TransportChoice::Tcp,
            Self::Tls => TransportChoice::Tls,
            Self::Ws => TransportChoice::Ws,
            Self::Wss => TransportChoice::Wss,
        }
    }
}

/// Where commands come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ControlArg {
    /// Standard input.
    Stdin,
}

/// What becomes of the call that is talked when there is another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SecondCallArg {
    /// Both go on.
    Together,
    /// It is held.
    Hold,
    /// The other one is refused.
    Refuse,
}

/// How events are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum EventsArg {
    /// JSON objects.
    Json,
    /// Lines for a person.
    Text,
    /// Not at all.
    Off,
}

/// Which calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FilterArg {
    /// All.
    All,
    /// Inbound.
    Inbound,
    /// Outbound.
    Outbound,
    /// Inbound and never answered.
    Missed,
    /// Missed and not yet called back.
    ToCallBack,
}

fn bind_address(text: &str) -> Result<SocketAddr, String> {
    // The zone of an own address is known to the system.
    let (bare, _zones) = without_zones(text);
    if let Ok(address) = bare.parse() {
        return Ok(address);
    }
    match bare.trim_matches(['[', ']']).parse() {
        Ok(ip) => Ok(SocketAddr::new(ip, 0)),
        Err(_) => Err(format!("{text} is no IP address, nor one with a port")),
    }
}

fn name_server(text: &str) -> Result<String, String> {
    match crate::config::validate::name_server(text) {
        Some(address) => Ok(address.to_string()),
        None => Err(format!("{text} is no IP address, nor one with a port")),
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (0.0..=86_400.0).contains(&value) => Ok(value),
        Ok(_) | Err(_) => Err("a number of seconds from 0 to 86400 is needed".to_owned()),
    }
}

fn packet_millis(text: &str) -> Result<u32, String> {
    let known = text.parse().ok().filter(|it| PACKET_MILLIS.contains(it));
    known.ok_or_else(|| "10, 20, 40 or 60 is needed".to_owned())
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value > 0.0 && value <= 1_000.0 => Ok(value),
        Ok(_) | Err(_) => Err("a number above 0 and up to 1000 is needed".to_owned()),
    }
}

/// The address of a page as it may be opened.
fn page(text: &str) -> Result<String, NoPage> {
    page_template::check(text).map(|()| text.to_owned())
}

#[cfg(test)]
mod tests;
