//! What another process asked is done: by the phone, or on the records alone where no phone runs.

use std::path::PathBuf;

use super::{Reply, Request, health};
use crate::app::Records;
use crate::cli::{dial_again, support};
use crate::control::{Command, Handle};
use crate::crm::row::ImportOptions;

/// Carries out a request, and has the phone show what came of it.
pub(super) async fn carry_out(request: Request, handle: &Handle, records: &Records) -> Reply {
    let sent = |sent: bool| {
        if sent {
            Reply::Done
        } else {
            Reply::Impossible("the running Ringdesk is busy; try again".to_owned())
        }
    };
    match request {
        Request::Raise => sent(handle.send(Command::Raise)),
        Request::Open(link) => sent(handle.send(Command::RequestDial(link))),
        Request::Health => Reply::Health(health(&handle.snapshot())),
        Request::Support => Reply::Support(Box::new(support::phone(handle, records).await)),
        Request::DialAgain {
            call,
            direction,
            confirmed,
        } => dial_again::carry_out(call, direction, confirmed, handle, records).await,
        other => {
            let chosen = match &other {
                Request::Desk(request) => request.chosen_caller(),
                _ => None,
            };
            let changes = other.changes_records();
            let reply = carry_out_on_records(other, records).await;
            // What the phone shows of it follows: of a chosen caller also the card of a call that goes on, and
            // what opens beside it.
            let follow = match (&reply, chosen) {
                (Reply::Desk(_), Some((call, caller))) => Command::CallerChosen(call, caller),
                _ => Command::RecordsChanged,
            };
            if changes && !handle.send(follow) {
                tracing::warn!("the phone is too busy to show what was changed beside it");
            }
            reply
        }
    }
}

/// Carries out a request that needs only the records.
pub(in crate::cli) async fn carry_out_on_records(request: Request, records: &Records) -> Reply {
    let reply = match request {
        Request::Ladder(id) => records
            .ladder(&id)
            .await
            .map(|found| Reply::Ladder(found.map(Box::new))),
        Request::Quality(id) => records
            .sound(&id)
            .await
            .map(|found| Reply::Quality(found.map(Box::new))),
        Request::SaveContact(row) => records
            .save_contact(*row)
            .await
            .map(|(id, linked)| Reply::Saved { id: id.0, linked }),
        Request::Import {
            file,
            preview,
            options,
        } => return import(file, preview, options, records).await,
        Request::UndoLastExchange => records.undo_last_exchange().await.map(Reply::Undone),
        Request::Duplicates { after, limit } => records
            .duplicates(after, limit)
            .await
            .map(Reply::Duplicates),
        Request::Merge(contacts) => records.merge(contacts).await.map(Reply::Merged),
        Request::Different(contacts) => records.different(contacts).await.map(|()| Reply::Done),
        Request::Routing => (records.routing().await).map(|it| Reply::Routing(Box::new(it))),
        Request::ChangeRouting(change) => records.change_routing(*change).await.map(Reply::Changed),
        Request::Popup(id) => records
            .popup(&id)
            .await
            .map(|found| Reply::Popup(found.map(Box::new))),
        Request::StateTotals { from, to, now } => records
            .state_totals(from, to, now)
            .await
            .map(Reply::StateTotals),
        Request::Refused { since } => records.refused(since).await.map(Reply::Refused),
        Request::Desk(request) => {
            return match records.desk(*request).await {
                Ok(answer) => Reply::Desk(answer),
                Err(error) => Reply::Impossible(format!("{error:#}")),
            };
        }
        Request::Backup(file) => {
            let made = records.back_up(&file).await;
            return made.map_or_else(impossible, Reply::Backup);
        }
        Request::ExportPerson { who, file } => {
            let exported = records.export_person(&who, &file).await;
            return exported.map_or_else(impossible, Reply::Exported);
        }
        Request::Erase { who, calls, by } => {
            let erased = records.erase(&who, calls, &by).await;
            return erased.map_or_else(impossible, |erased| Reply::Erased(Box::new(erased)));
        }
        Request::DialAgain { .. } => {
            return Reply::Impossible(
                "no Ringdesk runs that could dial; start it first".to_owned(),
            );
        }
        Request::Raise | Request::Open(_) | Request::Health | Request::Support => {
            return Reply::Impossible("no Ringdesk window is open".to_owned());
        }
    };
    reply.unwrap_or_else(|error| Reply::Impossible(error.to_string()))
}

async fn import(file: PathBuf, preview: bool, options: ImportOptions, records: &Records) -> Reply {
    let reply = if preview {
        let shown = records.preview_import(file, options).await;
        shown.map(|it| Reply::Preview(Box::new(it)))
    } else {
        let done = records.import(file, options).await;
        done.map(|it| Reply::Imported(Box::new(it)))
    };
    reply.unwrap_or_else(|error| Reply::Impossible(error.to_string()))
}

fn impossible(error: anyhow::Error) -> Reply {
    Reply::Impossible(format!("{error:#}"))
}
