//! `ringdesk backup`, `restore`, `recover`, and what concerns a person's data.

use anyhow::{Context as _, bail};
use serde::Serialize;

use crate::app;
use crate::cli::care_args::{BackupArgs, EraseArgs, ExportPersonArgs, RecoverArgs, RestoreArgs};
use crate::cli::headless::print_line;
use crate::cli::records::{ask, region};
use crate::cli::run::Exit;
use crate::cli::setup;
use crate::cli::single_instance::{Reply, Request};
use crate::crm::row::{Erased, ErasedCalls, RecoveredTable, TableCount};

/// Makes a backup, also while the phone works.
pub(super) async fn backup(args: BackupArgs) -> anyhow::Result<Exit> {
    let paths = setup::paths(args.records.data_dir.as_deref())?;
    let file = std::path::absolute(&args.file)?;
    let made = match ask(&paths, Request::Backup(file)).await? {
        Reply::Backup(made) => made,
        other => bail!("unexpected answer: {other:?}"),
    };
    if args.json {
        return print_json(&made);
    }
    print_line(&format!(
        "{}: {} bytes, verified; {}",
        made.file.display(),
        made.octets,
        counted(&made.tables)
    ));
    Ok(Exit::Done)
}

/// Makes a backup the database.
pub(super) fn restore(args: &RestoreArgs) -> anyhow::Result<Exit> {
    let paths = setup::paths(args.records.data_dir.as_deref())?;
    let restored = app::restore(&paths.data_dir, &args.file, &region(&paths)?)?;
    if args.json {
        return print_json(&restored);
    }
    print_line(&format!("restored: {}", counted(&restored.tables)));
    if let Some(kept) = &restored.kept {
        print_line(&format!(
            "the database as it was is kept: {}",
            kept.display()
        ));
    }
    if restored.erased_again > 0 {
        let persons = restored.erased_again;
        print_line(&format!(
            "{persons} who had been erased since were erased again"
        ));
    }
    Ok(Exit::Done)
}

/// Saves what is whole of a damaged database.
pub(super) fn recover(args: &RecoverArgs) -> anyhow::Result<Exit> {
    let paths = setup::paths(args.records.data_dir.as_deref())?;
    let recovered = app::recover(&paths.data_dir, &region(&paths)?)?;
    if args.json {
        return print_json(&recovered);
    }
    print_line(&format!(
        "{} of {} pages are damaged; the file as it was is kept: {}",
        recovered.damaged_pages,
        recovered.pages,
        recovered.kept.display()
    ));
    for table in &recovered.tables {
        print_line(&saved(table));
    }
    if recovered.unassigned_pages > 0 {
        print_line(&format!(
            "{} whole pages belong to nothing that is sure; they are in the kept file only",
            recovered.unassigned_pages
        ));
    }
    Ok(Exit::Done)
}

/// Writes all that is held of a person to a file.
pub(super) async fn export_person(args: ExportPersonArgs) -> anyhow::Result<Exit> {
    let paths = setup::paths(args.records.data_dir.as_deref())?;
    let file = std::path::absolute(&args.file)?;
    match ask(
        &paths,
        Request::ExportPerson {
            who: args.who,
            file,
        },
    )
    .await?
    {
        Reply::Exported(recordings) => recordings.iter().for_each(|path| print_line(path)),
        other => bail!("unexpected answer: {other:?}"),
    }
    Ok(Exit::Done)
}

/// Erases a person.
pub(super) async fn erase(args: EraseArgs) -> anyhow::Result<Exit> {
    let paths = setup::paths(args.records.data_dir.as_deref())?;
    let request = Request::Erase {
        who: args.who,
        calls: if args.remove_calls {
            ErasedCalls::Remove
        } else {
            ErasedCalls::Anonymise
        },
        by: by(),
    };
    let erased = match ask(&paths, request).await? {
        Reply::Erased(erased) => erased,
        other => bail!("unexpected answer: {other:?}"),
    };
    if args.json {
        print_json(&erased)?;
    } else {
        told(&erased);
    }
    Ok(
        if erased.still_in.is_empty() && erased.recordings_left.is_empty() {
            Exit::Done
        } else {
            Exit::Failed
        },
    )
}

/// Who sits here, for the proof.
fn by() -> String {
    ["USER", "LOGNAME", "USERNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|name| !name.is_empty()))
        .unwrap_or_else(|| "unknown".to_owned())
}

fn told(erased: &Erased) {
    let proof = &erased.erasure;
    print_line(&format!(
        "erased, proof {}: {}; {} recordings",
        proof.id,
        counted(&proof.tables),
        proof.recordings
    ));
    for file in &erased.recordings_left {
        print_line(&format!(
            "cannot be removed, each start of the phone tries again: {file}"
        ));
    }
    for file in &erased.still_in {
        print_line(&format!(
            "still holds the person's name, address or number: {} (of the database: end the phone and erase again)",
            file.display()
        ));
    }
    for copy in &erased.copies {
        print_line(&format!(
            "a copy from before, which still holds everything: {} ({})",
            copy.file.display(),
            copy.made_at.strftime("%Y-%m-%d %H:%MZ")
        ));
    }
}

fn saved(table: &RecoveredTable) -> String {
    let lost = match table.lost {
        Some(lost) => format!("{lost} lost"),
        None => format!("an unknown number lost on {} pages", table.damaged_pages),
    };
    format!("{}: {} saved, {lost}", table.table, table.saved)
}

fn counted(tables: &[TableCount]) -> String {
    let counts: Vec<String> = tables
        .iter()
        .map(|count| format!("{} {}", count.rows, count.table))
        .collect();
    if counts.is_empty() {
        "no rows".to_owned()
    } else {
        counts.join(", ")
    }
}

fn print_json(value: &impl Serialize) -> anyhow::Result<Exit> {
    print_line(&serde_json::to_string(value).context("the answer cannot be written")?);
    Ok(Exit::Done)
}
