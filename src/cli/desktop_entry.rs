//! `ringdesk desktop`: among the user's programs, and away again.

use clap::{Args, Subcommand};

use crate::cli::run::Exit;
use crate::desktop::install::{Folders, Step, install, uninstall};

/// Options of `ringdesk desktop`.
#[derive(Debug, Args)]
pub(super) struct DesktopArgs {
    /// What to do.
    #[command(subcommand)]
    task: DesktopTask,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum DesktopTask {
    /// Write a menu entry and icons for this user, and let tel:, sip:, sips: and callto: links open
    /// Ringdesk. What was written is noted, so that `uninstall` removes just that.
    Install {
        /// Start Ringdesk with the desktop session too.
        #[arg(long)]
        autostart: bool,
    },
    /// Remove what `install` wrote; links open again what they opened before.
    Uninstall,
}

/// Carries it out, and says on stdout what was done.
pub(super) fn run(args: &DesktopArgs) -> anyhow::Result<Exit> {
    let folders = Folders::user()?;
    let steps = match args.task {
        DesktopTask::Install { autostart } => {
            install(&folders, &std::env::current_exe()?, autostart)?
        }
        DesktopTask::Uninstall => uninstall(&folders)?,
    };
    print(&steps);
    Ok(Exit::Done)
}

#[expect(clippy::print_stdout, reason = "the steps are what was asked for")]
fn print(steps: &[Step]) {
    for step in steps {
        println!("{step}");
    }
    if steps.is_empty() {
        println!("nothing was installed");
    }
}
