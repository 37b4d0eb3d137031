//! `ringdesk calls` and `ringdesk contacts`: the CRM for scripts.

use anyhow::bail;
use serde::Serialize;

use crate::app::Records;
use crate::base::printable::printable;
use crate::cli::args::{CallsArgs, CallsTask, ContactsArgs, FilterArg};
use crate::cli::headless::print_line;
use crate::cli::run::Exit;
use crate::cli::single_instance::{self, FilterWord, Reply, Request};
use crate::cli::{desk, exchange, quality, setup};
use crate::config::paths::Paths;
use crate::crm::row::{CallRow, ContactNumber, ContactRow, MatchLevel};

/// Lists calls.
pub(super) async fn calls(args: CallsArgs) -> anyhow::Result<Exit> {
    match args.task {
        Some(CallsTask::Quality(args)) => return quality::run(args).await,
        Some(CallsTask::Export(args)) => return exchange::calls(args),
        Some(CallsTask::Set(args)) => return desk::set_call(args).await,
        Some(CallsTask::Enter(args)) => return desk::enter_call(args).await,
        Some(CallsTask::Done(args)) => return desk::all_done(args).await,
        Some(CallsTask::Callbacks(args)) => return desk::callbacks(args).await,
        Some(CallsTask::Figures(args)) => return desk::figures(args).await,
        None => {}
    }
    let paths = setup::paths(args.records.data_dir.as_deref())?;
    let filter = FilterWord::from(args.filter);
    let limit = usize::try_from(args.limit)?;
    let criteria = args.criteria.criteria();
    if !criteria.is_empty() {
        let rows = desk::calls_where(&paths, filter.into(), criteria, args.search, limit).await?;
        if args.json {
            print_json(&rows)?;
        } else {
            rows.iter().for_each(|row| print_line(&line(row)));
        }
        return Ok(Exit::Done);
    }
    let request = Request::Calls {
        filter,
        search: args.search,
        limit,
    };
    match ask(&paths, request).await? {
        Reply::Calls(rows) if args.json => print_json(&rows)?,
        Reply::Calls(rows) => rows.iter().for_each(|row| print_line(&line(row))),
        other => bail!("unexpected answer: {other:?}"),
    }
    Ok(Exit::Done)
}

/// Lists contacts, or adds one.
pub(super) async fn contacts(args: ContactsArgs) -> anyhow::Result<Exit> {
    if let Some(task) = args.task {
        return exchange::contacts(task).await;
    }
    let paths = setup::paths(args.records.data_dir.as_deref())?;
    let request = match args.add {
        Some(name) => Request::SaveContact(Box::new(ContactRow {
            organization_name: args.organization,
            numbers: numbers(args.number),
            ..ContactRow::named(&name)
        })),
        None => Request::Contacts {
            search: args.search,
            limit: usize::try_from(args.limit)?,
        },
    };
    match ask(&paths, request).await? {
        Reply::Saved { id, linked } if args.json => {
            print_line(&serde_json::json!({"id": id, "linked_calls": linked}).to_string());
        }
        Reply::Saved { id, linked } => {
            print_line(&format!(
                "contact {id} saved, {linked} earlier calls linked"
            ));
        }
        Reply::Contacts(rows) if args.json => print_json(&rows)?,
        Reply::Contacts(rows) => {
            for row in rows {
                let numbers: Vec<&str> = row
                    .numbers
                    .iter()
                    .map(|number| number.raw.as_str())
                    .collect();
                let organization = row.organization_name.unwrap_or_default();
                let text = format!("{}\t{organization}\t{}", row.name, numbers.join(", "));
                print_line(&printable(&text.replace('\t', "  ")));
            }
        }
        other => bail!("unexpected answer: {other:?}"),
    }
    Ok(Exit::Done)
}

/// Numbers as they are given on the command line.
pub(super) fn numbers(raw: Vec<String>) -> Vec<ContactNumber> {
    raw.into_iter()
        .map(|raw| ContactNumber {
            label: "Phone".to_owned(),
            raw,
            e164: None,
        })
        .collect()
}

impl From<FilterArg> for FilterWord {
    fn from(word: FilterArg) -> Self {
        match word {
            FilterArg::All => Self::All,
            FilterArg::Inbound => Self::Inbound,
            FilterArg::Outbound => Self::Outbound,
            FilterArg::Missed => Self::Missed,
            FilterArg::ToCallBack => Self::ToCallBack,
        }
    }
}

/// Through the running phone, else straight from the file.
pub(super) async fn ask(paths: &Paths, request: Request) -> anyhow::Result<Reply> {
    let reply = match single_instance::ask(paths, &request).await? {
        Some(reply) => reply,
        None => {
            paths.create()?;
            let records = Records::open(&paths.data_dir, &region(paths)?)?;
            let folder = crate::config::file::load(&paths.config_file)?;
            let records = records.with_recordings(match folder.settings.record_dir.as_str() {
                "" => paths.recordings.clone(),
                folder => folder.into(),
            });
            records.set_own_lines(&own_lines(paths)?);
            single_instance::carry_out_on_records(request, &records).await
        }
    };
    match reply {
        Reply::Impossible(why) => bail!(why),
        reply => Ok(reply),
    }
}

/// The ISO 3166 code for numbers without a country code.
pub(super) fn region(paths: &Paths) -> anyhow::Result<String> {
    let config = crate::config::file::load(&paths.config_file)?;
    let first = config.accounts.first();
    Ok(first.map_or(config.settings.region, |account| {
        account.dial_plan.region.clone()
    }))
}

/// The addresses of the accounts, which are nobody else's.
fn own_lines(paths: &Paths) -> anyhow::Result<Vec<String>> {
    let accounts = crate::config::file::load(&paths.config_file)?.accounts;
    Ok(accounts
        .into_iter()
        .map(|account| account.address)
        .collect())
}

pub(super) fn print_json(rows: &[impl Serialize]) -> anyhow::Result<()> {
    for row in rows {
        print_line(&serde_json::to_string(row)?);
    }
    Ok(())
}

fn line(row: &CallRow) -> String {
    let when = row.started_at.strftime("%Y-%m-%d %H:%M:%SZ");
    let who = match (&row.contact_name, row.level) {
        // A guess is never shown as known.
        (Some(name), Some(MatchLevel::Weak | MatchLevel::Maybe)) => format!("maybe {name}"),
        (Some(name), _) => name.clone(),
        (None, _) => row.remote_name.clone().unwrap_or_default(),
    };
    let reason = row.end_reason.as_deref().unwrap_or("");
    let direction = match row.direction {
        crate::crm::row::CallDirection::Inbound => "in ",
        crate::crm::row::CallDirection::Outbound => "out",
    };
    printable(&format!(
        "{when}  {direction}  {:<12}  {}  {who}  {reason}",
        row.state.as_str(),
        row.remote
    ))
}
