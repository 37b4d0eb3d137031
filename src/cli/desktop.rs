//! The window.

use crate::cli::args::Cli;
use crate::cli::run::Exit;

/// Runs it.
pub(super) fn run(_runtime: &tokio::runtime::Runtime, _cli: &Cli) -> anyhow::Result<Exit> {
    anyhow::bail!("later")
}
