//! From arguments to the task, and from its result to the exit code.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

use crate::cli::args::{Cli, Task};
use crate::cli::headless::print_error;
use crate::cli::setup::Usage;
use crate::cli::{
    care, demo, desk, doctor, headless, hints, lab, log, records, routing, set_up, setup, trace,
};

/// How the program ends: a contract with scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// 0.
    Done,
    /// 1; why is already said.
    Failed,
    /// 3.
    NotRegistered,
    /// 4.
    CallFailed,
    /// 130.
    Interrupted,
}

impl Exit {
    fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::NotRegistered => 3,
            Self::CallFailed => 4,
            Self::Interrupted => 130,
        }
    }
}

/// Runs the program.
pub fn main() -> ExitCode {
    let matches = Cli::command().get_matches();
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    log::start(log_folder(&cli).as_deref());
    let code = match run(cli, &matches) {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(error) => {
            // The whole chain: the outer sentence says what, the inner ones why.
            print_error(&format!("{error:#}"));
            ExitCode::from(if error.is::<Usage>() { 2 } else { 1 })
        }
    };
    log::finish();
    code
}

/// Where a phone keeps its log; a command that asks and ends keeps none.
fn log_folder(cli: &Cli) -> Option<PathBuf> {
    let data_dir = match &cli.command {
        None => cli.data_dir.as_deref(),
        Some(Task::Headless(args)) => args.0.data_dir.as_deref(),
        Some(_) => return None,
    };
    // Without a home the start itself fails, and says so.
    Some(setup::paths(data_dir).ok()?.log_dir)
}

fn run(cli: Cli, matches: &clap::ArgMatches) -> anyhow::Result<Exit> {
    let runtime = runtime(cli.command.as_ref())?;
    let exit = match cli.command {
        Some(Task::Headless(args)) => {
            let empty = clap::ArgMatches::default();
            let own = matches.subcommand_matches("headless").unwrap_or(&empty);
            runtime.block_on(headless::run(*args.0, own))
        }
        Some(Task::Lab(args)) => runtime.block_on(lab::run(*args.0)),
        Some(Task::Demo(args)) => runtime.block_on(demo::run(args.0.data_dir.as_deref())),
        Some(Task::Calls(args)) => runtime.block_on(records::calls(*args.0)),
        Some(Task::Contacts(args)) => runtime.block_on(records::contacts(*args.0)),
        Some(Task::Leads(args)) => runtime.block_on(desk::leads(*args.0)),
        Some(Task::Organizations(args)) => runtime.block_on(desk::organizations(*args.0)),
        Some(Task::Tickets(args)) => runtime.block_on(desk::tickets(*args.0)),
        Some(Task::Tasks(args)) => runtime.block_on(desk::tasks(*args.0)),
        Some(Task::Search(args)) => runtime.block_on(desk::search(*args.0)),
        Some(Task::Who(args)) => runtime.block_on(desk::who(*args.0)),
        Some(Task::Show(args)) => runtime.block_on(desk::show(*args.0)),
        Some(Task::Note(args)) => runtime.block_on(desk::note(*args.0)),
        Some(Task::Notes(args)) => runtime.block_on(desk::notes(*args.0)),
        Some(Task::Delete(args)) => runtime.block_on(desk::delete(*args.0)),
        Some(Task::Undo(args)) => runtime.block_on(desk::undo(*args.0)),
        Some(Task::Audit(args)) => runtime.block_on(desk::audit(*args.0)),
        Some(Task::CallTypes(args)) => runtime.block_on(desk::call_types(*args.0)),
        Some(Task::Hints(args)) => runtime.block_on(hints::run(*args.0)),
        Some(Task::ImportMail(args)) => runtime.block_on(hints::import_mail(*args.0)),
        Some(Task::Agents(args)) => runtime.block_on(routing::agents(*args.0)),
        Some(Task::Queues(args)) => runtime.block_on(routing::queues(*args.0)),
        Some(Task::Blocked(args)) => runtime.block_on(routing::blocked(*args.0)),
        Some(Task::Setup(args)) => runtime.block_on(set_up::run(*args.0)),
        Some(Task::Doctor(args)) => runtime.block_on(doctor::run(*args.0)),
        Some(Task::Trace(args)) => runtime.block_on(trace::run(*args.0)),
        Some(Task::Backup(args)) => runtime.block_on(care::backup(*args.0)),
        Some(Task::Restore(args)) => care::restore(&args.0),
        Some(Task::Recover(args)) => care::recover(&args.0),
        #[cfg(all(feature = "gui", target_os = "linux"))]
        Some(Task::Desktop(args)) => crate::cli::desktop_entry::run(&args.0),
        #[cfg(feature = "gui")]
        Some(Task::Completions(args)) => crate::cli::pages::completions(&args.0),
        #[cfg(feature = "gui")]
        Some(Task::Man(args)) => crate::cli::pages::man(&args.0),
        None => window(&runtime, &cli),
    };
    // Blocking helpers (a device that hangs) must not keep the program from ending.
    runtime.shutdown_background();
    exit
}

/// Two threads beside a window or a lab; the phone without a window needs no second one, and a
/// message that does not change threads is answered sooner.
fn runtime(task: Option<&Task>) -> std::io::Result<tokio::runtime::Runtime> {
    let alone = !matches!(task, Some(Task::Lab(_) | Task::Demo(_)) | None);
    if alone {
        return tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
    }
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("ringdesk-engine")
        .enable_all()
        .build()
}

#[cfg(feature = "gui")]
fn window(runtime: &tokio::runtime::Runtime, cli: &Cli) -> anyhow::Result<Exit> {
    crate::cli::desktop::run(runtime, cli)
}

#[cfg(not(feature = "gui"))]
fn window(runtime: &tokio::runtime::Runtime, cli: &Cli) -> anyhow::Result<Exit> {
    if cli.demo_without_display {
        return runtime.block_on(demo::run(cli.data_dir.as_deref()));
    }
    anyhow::bail!("this Ringdesk was built without a window; use: ringdesk headless --help")
}
