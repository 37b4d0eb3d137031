//! The demonstration.

use std::path::Path;

use crate::cli::run::Exit;

/// Runs it.
pub(super) async fn run(_data_dir: Option<&Path>) -> anyhow::Result<Exit> {
    anyhow::bail!("later")
}
