//! `ringdesk contacts import`, `undo`, `duplicates`, `merge` and `export`, and `ringdesk calls export`.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use serde::Serialize;

use crate::app::{ExportFormat, Exported, export};
use crate::base::country;
use crate::base::id::ContactId;
use crate::base::printable::printable;
use crate::cli::args::RecordArgs;
use crate::cli::care;
use crate::cli::desk_args::TicketFilterArg;
use crate::cli::exchange_args::{
    AuditExportArgs, CallsExportArgs, ContactsExportArgs, ContactsTask, DifferentArgs,
    DuplicatesArgs, ExportArgs, FormatArg, ImportArgs, MergeArgs, NamesExportArgs, TasksExportArgs,
    TicketsExportArgs, TimelineExportArgs, UndoArgs,
};
use crate::cli::headless::{print_error, print_line};
use crate::cli::hint_args::HintsExportArgs;
use crate::cli::run::Exit;
use crate::cli::single_instance::{Reply, Request};
use crate::cli::{desk, records, setup};
use crate::crm::row::{
    Duplicate, ImportOptions, ImportOutcome, ImportPreview, ImportReport, LineNotes, TaskFilter,
    TicketFilter, Undone,
};

/// Runs a subcommand of `ringdesk contacts`.
pub(super) async fn contacts(task: ContactsTask) -> anyhow::Result<Exit> {
    match task {
        ContactsTask::Set(args) => desk::set_contact(*args).await,
        ContactsTask::Import(args) => import(args).await,
        ContactsTask::Undo(args) => undo(args).await,
        ContactsTask::Duplicates(args) => duplicates(args).await,
        ContactsTask::Merge(args) => merge(args).await,
        ContactsTask::Different(args) => different(args).await,
        ContactsTask::ExportPerson(args) => care::export_person(args).await,
        ContactsTask::Erase(args) => care::erase(args).await,
        ContactsTask::Export(ContactsExportArgs {
            search,
            form,
            records,
        }) => out(&Exported::Contacts(search), &form, &records),
    }
}

/// Writes calls.
pub(super) fn calls(args: CallsExportArgs) -> anyhow::Result<Exit> {
    if args.callbacks {
        let what = Exported::Callbacks(args.search);
        return out(&what, &args.form, &args.records);
    }
    let filter = args.filter.into();
    let criteria = Box::new(args.criteria.criteria());
    let what = Exported::Calls(filter, criteria, args.search);
    out(&what, &args.form, &args.records)
}

/// Writes leads.
pub(super) fn leads(args: NamesExportArgs) -> anyhow::Result<Exit> {
    out(&Exported::Leads(args.search), &args.form, &args.records)
}

/// Writes organizations.
pub(super) fn organizations(args: NamesExportArgs) -> anyhow::Result<Exit> {
    let what = Exported::Organizations(args.search);
    out(&what, &args.form, &args.records)
}

/// Writes tickets.
pub(super) fn tickets(args: TicketsExportArgs) -> anyhow::Result<Exit> {
    let filter = match args.filter {
        TicketFilterArg::NotClosed => TicketFilter::NotClosed,
        TicketFilterArg::Drafts => TicketFilter::Drafts,
        TicketFilterArg::All => TicketFilter::All,
    };
    let what = Exported::Tickets(filter, args.search);
    out(&what, &args.form, &args.records)
}

/// Writes tasks.
pub(super) fn tasks(args: &TasksExportArgs) -> anyhow::Result<Exit> {
    let filter = match (args.done, args.due_until) {
        (true, _) => TaskFilter::Done,
        (false, Some(until)) => TaskFilter::DueUntil(until),
        (false, None) => TaskFilter::ToDo,
    };
    out(&Exported::Tasks(filter), &args.form, &args.records)
}

/// Writes guesses.
pub(super) fn hints(args: HintsExportArgs) -> anyhow::Result<Exit> {
    let what = Exported::Hints(args.filter.filter());
    out(&what, &args.form, &args.records)
}

/// Writes what happened around a record.
pub(super) fn timeline(args: &TimelineExportArgs) -> anyhow::Result<Exit> {
    out(&Exported::Timeline(args.subject), &args.form, &args.records)
}

/// Writes who changed what.
pub(super) fn audit(args: &AuditExportArgs) -> anyhow::Result<Exit> {
    out(&Exported::Audit(args.subject), &args.form, &args.records)
}

async fn import(args: ImportArgs) -> anyhow::Result<Exit> {
    let paths = setup::paths(args.answer.records.data_dir.as_deref())?;
    // The running phone has another working folder.
    let file = std::path::absolute(&args.file)?;
    let shown = args.file.display().to_string();
    let request = Request::Import {
        file,
        preview: args.preview,
        options: ImportOptions {
            map: args.map,
            no_header: args.no_header,
            existing: args.existing.into(),
            leave_out_faulty: args.leave_out_faulty,
            region: args.region,
        },
    };
    match records::ask(&paths, request).await? {
        Reply::Preview(preview) => {
            if args.answer.json {
                print_object(&preview)?;
            } else {
                print_preview(&preview);
                print_notes(&shown, &preview.remarks);
                print_notes(&shown, &preview.faults);
            }
            Ok(if preview.faults.count > 0 {
                Exit::Failed
            } else {
                Exit::Done
            })
        }
        Reply::Imported(outcome) => {
            if args.answer.json {
                print_object(&outcome)?;
            }
            match *outcome {
                ImportOutcome::Done(report) => {
                    if !args.answer.json {
                        print_notes(&shown, &report.remarks);
                        print_line(&imported(&report));
                    }
                    Ok(Exit::Done)
                }
                ImportOutcome::Refused(faults) => {
                    print_notes(&shown, &faults);
                    bail!(
                        "nothing was imported, because of {} in the file; mend it, or leave out what has faults with --leave-out-faulty",
                        counted(faults.count, "fault", "faults")
                    );
                }
            }
        }
        other => bail!("unexpected answer: {other:?}"),
    }
}

async fn undo(args: UndoArgs) -> anyhow::Result<Exit> {
    let paths = setup::paths(args.answer.records.data_dir.as_deref())?;
    match records::ask(&paths, Request::UndoLastExchange).await? {
        Reply::Undone(report) if args.answer.json => print_object(&report)?,
        Reply::Undone(report) => print_line(&undone(&report)),
        other => bail!("unexpected answer: {other:?}"),
    }
    Ok(Exit::Done)
}

async fn duplicates(args: DuplicatesArgs) -> anyhow::Result<Exit> {
    let paths = setup::paths(args.answer.records.data_dir.as_deref())?;
    let mut left = usize::try_from(args.limit)?;
    let mut after = None;
    loop {
        let request = Request::Duplicates { after, limit: left };
        let page = match records::ask(&paths, request).await? {
            Reply::Duplicates(page) => page,
            other => bail!("unexpected answer: {other:?}"),
        };
        for pair in page.pairs.iter().take(left) {
            if args.answer.json {
                print_object(pair)?;
            } else {
                print_line(&double(pair));
            }
        }
        left = left.saturating_sub(page.pairs.len());
        after = page.next;
        if left == 0 || after.is_none() {
            return Ok(Exit::Done);
        }
    }
}

async fn merge(args: MergeArgs) -> anyhow::Result<Exit> {
    let paths = setup::paths(args.answer.records.data_dir.as_deref())?;
    let contacts = args.contacts.into_iter().map(ContactId).collect();
    match records::ask(&paths, Request::Merge(contacts)).await? {
        Reply::Merged(report) if args.answer.json => print_object(&report)?,
        Reply::Merged(report) => print_line(&printable(&format!(
            "{} went into {} (contact {}), with {}; `ringdesk contacts undo` takes it back",
            counted(report.merged, "contact", "contacts"),
            report.name,
            report.contact.0,
            counted(report.calls + report.linked_calls, "call", "calls"),
        ))),
        other => bail!("unexpected answer: {other:?}"),
    }
    Ok(Exit::Done)
}

async fn different(args: DifferentArgs) -> anyhow::Result<Exit> {
    let paths = setup::paths(args.records.data_dir.as_deref())?;
    let contacts = args.contacts.into_iter().map(ContactId).collect();
    match records::ask(&paths, Request::Different(contacts)).await? {
        Reply::Done => Ok(Exit::Done),
        other => bail!("unexpected answer: {other:?}"),
    }
}

fn out(what: &Exported, form: &ExportArgs, records: &RecordArgs) -> anyhow::Result<Exit> {
    let paths = setup::paths(records.data_dir.as_deref())?;
    let format: ExportFormat = form
        .format
        .or_else(|| ending(form.output.as_deref()?))
        .unwrap_or(FormatArg::Csv)
        .into();
    let Some(path) = &form.output else {
        let written = export(&paths.data_dir, what, format, io::stdout().lock());
        return match written {
            Ok(_) => Ok(Exit::Done),
            // Who reads only the beginning, such as `head`, has what was wanted.
            Err(error) if is_broken_pipe(&error) => Ok(Exit::Done),
            Err(error) => Err(error.into()),
        };
    };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let shown = path.display();
    let mut file = options
        .open(path)
        .with_context(|| format!("the file {shown} cannot be made"))?;
    let whole = if format == ExportFormat::Csv {
        file.write_all(b"\xef\xbb\xbf").map_err(anyhow::Error::from)
    } else {
        Ok(())
    };
    let written = whole.and_then(|()| Ok(export(&paths.data_dir, what, format, file)?));
    match written {
        Ok(written) => {
            print_line(&format!(
                "{} written to {shown}",
                counted(written, "row", "rows")
            ));
            Ok(Exit::Done)
        }
        Err(error) => {
            // Half a list looks like a whole one.
            drop(std::fs::remove_file(path));
            Err(error.context(format!("{shown} was not written")))
        }
    }
}

fn is_broken_pipe(error: &crate::app::OutgoError) -> bool {
    use crate::app::{ExportError, OutgoError};
    matches!(error, OutgoError::Export(ExportError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe)
}

/// The form that a file's name asks for.
fn ending(path: &Path) -> Option<FormatArg> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "csv" => Some(FormatArg::Csv),
        "json" | "jsonl" | "ndjson" => Some(FormatArg::Json),
        "vcf" | "vcard" => Some(FormatArg::Vcard),
        _ => None,
    }
}

fn print_object(value: &impl Serialize) -> anyhow::Result<()> {
    print_line(&serde_json::to_string(value)?);
    Ok(())
}

fn print_notes(file: &str, notes: &LineNotes) {
    for note in &notes.lines {
        print_error(&format!("{file}:{}: {}", note.line, note.what));
    }
    let told = u64::try_from(notes.lines.len()).unwrap_or(u64::MAX);
    if notes.count > told {
        print_error(&format!("{file}: and {} more", notes.count - told));
    }
}

fn print_preview(preview: &ImportPreview) {
    let delimiter = match preview.delimiter {
        Some('\t') => ", tabs between cells".to_owned(),
        Some(delimiter) => format!(", {delimiter:?} between cells"),
        None => String::new(),
    };
    print_line(&format!(
        "{} in {}{delimiter}",
        counted(preview.people, "person", "people"),
        preview.encoding
    ));
    let region = &preview.region;
    print_line(&format!(
        "numbers without country code are read as in {} ({region}); --region says it otherwise",
        country::name(region).unwrap_or("this country")
    ));
    for column in &preview.columns {
        let (heading, example) = (&column.heading, &column.example);
        print_line(&printable(&format!(
            "  {heading} -> {}   such as {example:?}",
            column.meaning
        )));
    }
    for row in &preview.first {
        let numbers: Vec<String> = row
            .numbers
            .iter()
            .map(|number| {
                format!(
                    "{} {}",
                    number.label,
                    number.e164.as_ref().unwrap_or(&number.raw)
                )
            })
            .collect();
        let parts = [&row.organization_name, &row.role, &row.email];
        let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        print_line(&printable(&format!(
            "{}  {}  {}",
            row.name,
            parts.join(", "),
            numbers.join(", ")
        )));
    }
}

fn imported(report: &ImportReport) -> String {
    let mut text = format!(
        "{} added, {} changed, {} there already, {} linked",
        counted(report.added, "contact", "contacts"),
        report.updated,
        report.skipped,
        counted(report.linked_calls, "earlier call", "earlier calls"),
    );
    for (count, what) in [
        (report.left_out, "left out because of faults"),
        (report.own_lines, "own lines left out"),
    ] {
        if count > 0 {
            text.push_str(&format!(", {count} {what}"));
        }
    }
    if report.added + report.updated > 0 {
        text.push_str("; `ringdesk contacts undo` takes it back");
    }
    text
}

fn undone(undone: &Undone) -> String {
    let left = match undone.left {
        0 => String::new(),
        left => format!("; {left} changed since and left as they are"),
    };
    printable(&format!("{} taken back{left}", undone.label))
}

fn double(pair: &Duplicate) -> String {
    printable(&format!(
        "{:>3}  {} {}  =  {} {}  ({})",
        pair.score,
        pair.first.0,
        pair.first_name,
        pair.second.0,
        pair.second_name,
        pair.reasons.join("; ")
    ))
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
