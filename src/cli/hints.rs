//! `ringdesk hints` and `ringdesk import-mail`: guesses of who calls, for scripts.

use std::path::Path;

use anyhow::{Context as _, bail};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::app::Mails;
use crate::app::desk::{DeskRequest, HintRequest};
use crate::app::lists::{After, ListRequest};
use crate::base::id::{ContactId, HintId};
use crate::base::printable::printable;
use crate::cli::headless::{print_error, print_line};
use crate::cli::hint_args::{HintArgs, HintListArgs, HintsArgs, HintsTask, ImportMailArgs};
use crate::cli::records::{ask, region};
use crate::cli::run::Exit;
use crate::cli::single_instance::{Reply, Request};
use crate::cli::{exchange, lists, setup};
use crate::config::paths::Paths;
use crate::crm::row::{HintRow, HintVerdict, MailHints};

/// So many mails go to the store together. What they say fits into one question to a running phone.
const BATCH: usize = 20;

/// So many faults of a file are told one by one.
const FAULTS: u64 = 20;

/// Lists guesses, or judges one.
pub(super) async fn run(args: HintsArgs) -> anyhow::Result<Exit> {
    match args.task {
        HintsTask::List(args) => list(args).await,
        HintsTask::Export(args) => exchange::hints(args),
        HintsTask::Confirm(args) => judge(args, HintVerdict::Confirm).await,
        HintsTask::Reject(args) => judge(args, HintVerdict::Reject).await,
        HintsTask::Reopen(args) => judge(args, HintVerdict::Reopen).await,
        HintsTask::Assign(args) => judge(args.hint, HintVerdict::Assign(ContactId(args.to))).await,
    }
}

async fn list(args: HintListArgs) -> anyhow::Result<Exit> {
    let paths = setup::paths(args.records.data_dir.as_deref())?;
    let filter = args.filter.filter();
    let length = lists::length(&paths, args.limit)?;
    let first = args.after.map(|id| After::Row(HintId(id)));
    let request = |after, limit| {
        DeskRequest::List(ListRequest::Hints {
            filter: filter.clone(),
            after,
            limit,
        })
    };
    lists::each_row(&paths, length, first, request, |row| {
        if args.json {
            print_line(&row.to_string());
        } else {
            print_line(&line(&serde_json::from_value(row)?));
        }
        Ok(())
    })
    .await?;
    Ok(Exit::Done)
}

async fn judge(args: HintArgs, verdict: HintVerdict) -> anyhow::Result<Exit> {
    let paths = setup::paths(args.records.data_dir.as_deref())?;
    let request = HintRequest::Judge(HintId(args.hint), verdict);
    let done: Judged = desk(&paths, request).await?;
    if args.json {
        print_line(&serde_json::to_string(&done)?);
        return Ok(Exit::Done);
    }
    let contact = done.contact.unwrap_or_default();
    print_line(&match verdict {
        HintVerdict::Confirm => format!(
            "contact {contact} has the number, {} earlier calls linked",
            done.linked_calls
        ),
        HintVerdict::Assign(_) => format!("the guess points to contact {contact}"),
        HintVerdict::Reject => "the guess is rejected".to_owned(),
        HintVerdict::Reopen => "the guess is open again".to_owned(),
    });
    Ok(Exit::Done)
}

/// What came of a verdict.
#[derive(Debug, Serialize, Deserialize)]
struct Judged {
    /// Whom the guess points to.
    contact: Option<i64>,
    /// Earlier calls that show the contact now.
    linked_calls: usize,
}

/// What came of a file.
#[derive(Debug, Default, Serialize)]
struct Imported {
    file: String,
    /// Mails that were read.
    mails: u64,
    /// Numbers in their senders' own words.
    numbers: usize,
    /// Guesses that were not there before.
    new: usize,
    /// Mails that were left out, because their sender is.
    left_out: u64,
    /// Messages that cannot be read.
    faults: u64,
}

/// Reads mails for numbers; each mail is kept whole or not at all.
pub(super) async fn import_mail(args: ImportMailArgs) -> anyhow::Result<Exit> {
    let paths = setup::paths(args.records.data_dir.as_deref())?;
    let region = region(&paths)?;
    let not_from: Vec<String> = args
        .not_from
        .iter()
        .map(|address| address.trim().to_ascii_lowercase())
        .collect();
    let mut exit = Exit::Done;
    for file in &args.files {
        let done = import_file(&paths, file, &region, &not_from).await?;
        if args.json {
            print_line(&serde_json::to_string(&done)?);
        } else {
            print_line(&printable(&format!(
                "{}: {} mails read, {} numbers, {} new guesses, {} left out, {} not readable",
                done.file, done.mails, done.numbers, done.new, done.left_out, done.faults
            )));
        }
        if done.faults > 0 {
            exit = Exit::Failed;
        }
    }
    Ok(exit)
}

async fn import_file(
    paths: &Paths,
    file: &Path,
    region: &str,
    not_from: &[String],
) -> anyhow::Result<Imported> {
    let name = file.display().to_string();
    let unreadable = || format!("{name} cannot be read");
    let mut done = Imported {
        file: name.clone(),
        ..Imported::default()
    };
    let mut batch = Vec::with_capacity(BATCH);
    for (mail, number) in Mails::open(file, region)
        .with_context(unreadable)?
        .zip(1_u64..)
    {
        match mail.with_context(unreadable)? {
            Ok(mail) if not_from.contains(&mail.email) => done.left_out += 1,
            Ok(mail) => {
                done.mails += 1;
                done.numbers += mail.numbers.len();
                batch.push(mail);
            }
            Err(fault) => {
                done.faults += 1;
                if done.faults <= FAULTS {
                    print_error(&format!("{name}, message {number}: {fault}"));
                }
            }
        }
        if batch.len() >= BATCH {
            done.new += keep(paths, std::mem::take(&mut batch)).await?;
        }
    }
    if !batch.is_empty() {
        done.new += keep(paths, batch).await?;
    }
    Ok(done)
}

async fn keep(paths: &Paths, mails: Vec<MailHints>) -> anyhow::Result<usize> {
    /// So many guesses are new.
    #[derive(Deserialize)]
    struct Kept {
        new: usize,
    }
    let kept: Kept = desk(paths, HintRequest::AddMails(mails)).await?;
    Ok(kept.new)
}

/// Asks the running phone, else the store.
async fn desk<T: DeserializeOwned>(paths: &Paths, request: HintRequest) -> anyhow::Result<T> {
    let request = Request::Desk(Box::new(DeskRequest::Hints(request)));
    match ask(paths, request).await? {
        Reply::Desk(answer) => Ok(serde_json::from_value(answer)?),
        other => bail!("unexpected answer: {other:?}"),
    }
}

fn line(row: &HintRow) -> String {
    let who = match (&row.name, &row.email) {
        (Some(name), Some(email)) => format!("{name} <{email}>"),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => String::new(),
    };
    printable(&format!(
        "{:>6}  {:<16}  {:<9}  maybe {who}: {}",
        row.id.0,
        row.number,
        row.state.as_str(),
        row.reason()
    ))
}
