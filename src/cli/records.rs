//! `ringdesk calls` and `ringdesk contacts`: the CRM for scripts.

use anyhow::bail;
use serde::Serialize;

use crate::app::Records;
use crate::app::desk::DeskRequest;
use crate::app::lists::{After, CallsRequest, ListRequest};
use crate::base::id::ContactId;
use crate::base::printable::printable;
use crate::cli::args::{CallsArgs, CallsTask, ContactsArgs, FilterArg};
use crate::cli::headless::print_line;
use crate::cli::run::Exit;
use crate::cli::single_instance::{self, Reply, Request};
use crate::cli::{desk, dial_again, exchange, lists, play, quality, routing, setup};
use crate::config::numbering::{default_region, own_lines};
use crate::config::paths::Paths;
use crate::crm::row::{CallDirection, CallFilter, CallRow, ContactNumber, ContactRow, MatchLevel};

/// Lists calls.
pub(super) async fn calls(args: CallsArgs) -> anyhow::Result<Exit> {
    match args.task {
        Some(CallsTask::Quality(args)) => return quality::run(args).await,
        Some(CallsTask::Export(args)) => return exchange::calls(args),
        Some(CallsTask::Set(args)) => return desk::set_call(args).await,
        Some(CallsTask::Enter(args)) => return desk::enter_call(args).await,
        Some(CallsTask::Play(args)) => return play::run(args).await,
        Some(CallsTask::Done(args)) => return desk::all_done(args).await,
        Some(CallsTask::Callback(args)) => {
            return dial_again::run(args, CallDirection::Inbound).await;
        }
        Some(CallsTask::Again(args)) => {
            return dial_again::run(args, CallDirection::Outbound).await;
        }
        Some(CallsTask::Callbacks(args)) => return desk::callbacks(args).await,
        Some(CallsTask::Figures(args)) => return desk::figures(args).await,
        Some(CallsTask::Popup(args)) => return routing::popup(args).await,
        None => {}
    }
    let paths = setup::paths(args.records.data_dir.as_deref())?;
    let length = lists::length(&paths, args.limit)?;
    let (filter, criteria) = (args.filter.into(), args.criteria.criteria());
    let request = |after, limit| {
        DeskRequest::Calls(Box::new(CallsRequest {
            filter,
            criteria: criteria.clone(),
            search: args.search.clone(),
            after,
            limit,
        }))
    };
    let first = args.after.map(After::Row);
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

/// Lists contacts, or adds one.
pub(super) async fn contacts(args: ContactsArgs) -> anyhow::Result<Exit> {
    if let Some(task) = args.task {
        return exchange::contacts(task).await;
    }
    let paths = setup::paths(args.records.data_dir.as_deref())?;
    let Some(name) = args.add else {
        let length = lists::length(&paths, args.limit)?;
        let request = |after, limit| {
            DeskRequest::List(ListRequest::Contacts {
                leads: false,
                search: args.search.clone(),
                after,
                limit,
            })
        };
        let first = args.after.map(|id| After::Row(ContactId(id)));
        lists::each_row(&paths, length, first, request, |row| {
            if args.json {
                print_line(&row.to_string());
            } else {
                print_line(&contact_line(serde_json::from_value(row)?));
            }
            Ok(())
        })
        .await?;
        return Ok(Exit::Done);
    };
    let row = ContactRow {
        organization_name: args.organization,
        numbers: numbers(args.number),
        ..ContactRow::named(&name)
    };
    match ask(&paths, Request::SaveContact(Box::new(row))).await? {
        Reply::Saved { id, linked } if args.json => {
            print_line(&serde_json::json!({"id": id, "linked_calls": linked}).to_string());
        }
        Reply::Saved { id, linked } => {
            print_line(&format!(
                "contact {id} saved, {linked} earlier calls linked"
            ));
        }
        other => bail!("unexpected answer: {other:?}"),
    }
    Ok(Exit::Done)
}

fn contact_line(row: ContactRow) -> String {
    let numbers: Vec<&str> = row
        .numbers
        .iter()
        .map(|number| number.raw.as_str())
        .collect();
    let organization = row.organization_name.unwrap_or_default();
    let text = format!(
        "{:>6}  {}  {organization}  {}",
        row.id.0,
        row.name,
        numbers.join(", ")
    );
    printable(&text)
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

impl From<FilterArg> for CallFilter {
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
            let config = crate::config::file::load(&paths.config_file)?;
            let recordings = match config.settings.record_dir.as_str() {
                "" => paths.recordings.clone(),
                folder => folder.into(),
            };
            let region = default_region(config.accounts.iter(), &config.settings);
            let records = Records::open(&paths.data_dir, region)?;
            let records = records.with_recordings(recordings);
            records.set_own_lines(&own_lines(config.accounts.iter()));
            single_instance::carry_out_on_records(request, &records).await
        }
    };
    match reply {
        Reply::Impossible(why) => bail!(why),
        reply => Ok(reply),
    }
}

/// The region of numbers without a country code, by the configuration.
pub(super) fn region(paths: &Paths) -> anyhow::Result<String> {
    let config = crate::config::file::load(&paths.config_file)?;
    Ok(default_region(config.accounts.iter(), &config.settings).to_owned())
}

/// Prints rows, one a line.
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
        CallDirection::Inbound => "in ",
        CallDirection::Outbound => "out",
    };
    printable(&format!(
        "{when}  {direction}  {:<12}  {}  {who}  {reason}",
        row.state.as_str(),
        row.remote
    ))
}
