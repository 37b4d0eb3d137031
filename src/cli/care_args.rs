//! The words of `ringdesk backup`, `restore`, `recover`, and of what concerns a person's data.

use std::path::PathBuf;

use clap::Args;

use crate::cli::args::RecordArgs;

/// Options of `ringdesk backup`.
#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// Where the backup goes: one file, for your eyes alone. An older backup of that name gives way once
    /// the new one is verified.
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Tell what is in it as JSON.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) records: RecordArgs,
}

/// Options of `ringdesk restore`.
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The backup.
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Tell what was restored as JSON.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) records: RecordArgs,
}

/// Options of `ringdesk recover`.
#[derive(Debug, Args)]
pub(crate) struct RecoverArgs {
    /// Tell what was saved and lost as JSON.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) records: RecordArgs,
}

/// Options of `ringdesk contacts export-person`.
#[derive(Debug, Args)]
pub(crate) struct ExportPersonArgs {
    /// The contact's id (`ringdesk contacts --json`), or a number in any spelling. Digits alone that do not
    /// begin with 0 are an id where there is one.
    #[arg(value_name = "ID|NUMBER")]
    pub(super) who: String,
    /// The new file, for your eyes alone.
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    #[command(flatten)]
    pub(super) records: RecordArgs,
}

/// Options of `ringdesk contacts erase`.
#[derive(Debug, Args)]
pub(crate) struct EraseArgs {
    /// The contact's id (`ringdesk contacts --json`), or a number in any spelling. Digits alone that do not
    /// begin with 0 are an id where there is one.
    #[arg(value_name = "ID|NUMBER")]
    pub(super) who: String,
    /// Yes, erase: nothing brings it back.
    #[arg(long, required = true)]
    pub(super) yes: bool,
    /// Remove the person's calls, too. Without it they stay for statistics with time, direction, length and
    /// outcome, and nothing that says who it was.
    #[arg(long)]
    pub(super) remove_calls: bool,
    /// Tell the proof as JSON.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) records: RecordArgs,
}
