//! `ringdesk lab`.

use crate::cli::args::LabArgs;
use crate::cli::run::Exit;

/// Runs until interrupted.
pub(super) async fn run(_args: LabArgs) -> anyhow::Result<Exit> {
    anyhow::bail!("later")
}
