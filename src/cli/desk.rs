//! `ringdesk leads|organizations|tickets|tasks|search|show|note|delete|undo|audit|call-types` and the changes of
//! `ringdesk calls`: the records around a call for scripts.

use anyhow::bail;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::app::desk::{CallEdit, DeskRequest};
use crate::app::lists::{After, ListRequest, TicketWord};
use crate::base::clock::wall_now;
use crate::base::id::{
    ArticleId, CallId, CallTypeId, ContactId, NoteId, OrganizationId, TaskId, TicketId, UndoId,
};
use crate::base::printable::printable;
use crate::base::random::{OsRandom, Random as _};
use crate::cli::args::RecordArgs;
use crate::cli::desk_args::{
    AuditArgs, AuditTask, CallEnterArgs, CallSetArgs, CallTypesArgs, CallbacksArgs, DeleteArgs,
    FiguresArgs, LeadsArgs, LeadsTask, ListArgs, NoteArgs, NotesArgs, OrganizationsArgs,
    OrganizationsTask, SearchArgs, ShowArgs, ShowTask, TasksArgs, TasksTask, TicketFilterArg,
    TicketsArgs, TicketsTask, UndoArgs, WhoArgs,
};
use crate::cli::edit_args::{ContactSetArgs, NotesTask, OrganizationSetArgs};
use crate::cli::headless::print_line;
use crate::cli::records::{ask, numbers};
use crate::cli::run::Exit;
use crate::cli::setup::{self, Usage};
use crate::cli::single_instance::{Reply, Request};
use crate::cli::{exchange, lists};
use crate::crm::row::{
    ArticleKind, ArticleRow, ArticleSender, CallDirection, CallRow, CallState, CallTypeRow,
    ContactEdit, ContactRow, NoteRow, OrganizationEdit, OrganizationRow, TaskKind, TaskRow,
    TicketChange, TicketRow, TicketState,
};

/// `ringdesk leads`.
pub(super) async fn leads(args: LeadsArgs) -> anyhow::Result<Exit> {
    match args.task {
        Some(LeadsTask::Set(args)) => return set_contact(*args).await,
        Some(LeadsTask::Export(args)) => return exchange::leads(args),
        None => {}
    }
    let Some(name) = args.add else {
        let first = args.after.map(|id| After::Row(ContactId(id)));
        let request = |after, limit| ListRequest::Contacts {
            leads: true,
            search: args.search.clone(),
            after,
            limit,
        };
        return rows(&args.list, first, request).await;
    };
    let row = ContactRow {
        organization_name: args.organization,
        numbers: numbers(args.number),
        stage: Some(args.stage),
        ..ContactRow::named(&name)
    };
    let paths = setup::paths(args.list.records.data_dir.as_deref())?;
    match ask(&paths, Request::SaveContact(Box::new(row))).await? {
        Reply::Saved { id, linked } => print(
            &serde_json::json!({"id": id, "linked_calls": linked}),
            args.list.json,
        ),
        other => bail!("unexpected answer: {other:?}"),
    }
    Ok(Exit::Done)
}

/// `ringdesk organizations`.
pub(super) async fn organizations(args: OrganizationsArgs) -> anyhow::Result<Exit> {
    match args.task {
        Some(OrganizationsTask::Set(args)) => return set_organization(args).await,
        Some(OrganizationsTask::Export(args)) => return exchange::organizations(args),
        None => {}
    }
    let Some(name) = args.add else {
        let first = args.after.map(|id| After::Row(OrganizationId(id)));
        let request = |after, limit| ListRequest::Organizations {
            search: args.search.clone(),
            after,
            limit,
        };
        return rows(&args.list, first, request).await;
    };
    let row = OrganizationRow {
        id: OrganizationId(0),
        name,
        contacts: 0,
        numbers: numbers(args.number),
    };
    list(&args.list, DeskRequest::SaveOrganization(row)).await
}

async fn set_organization(args: OrganizationSetArgs) -> anyhow::Result<Exit> {
    let edit = args.changes.edit();
    if edit == OrganizationEdit::default() {
        return Err(Usage("say what is to be changed, such as --name".to_owned()).into());
    }
    let request = DeskRequest::EditOrganization(OrganizationId(args.id), edit);
    answer(&args.records, args.json, request).await
}

/// `ringdesk tickets`.
pub(super) async fn tickets(args: TicketsArgs) -> anyhow::Result<Exit> {
    let request = match args.task {
        None => {
            let filter = match args.filter {
                TicketFilterArg::NotClosed => TicketWord::NotClosed,
                TicketFilterArg::Drafts => TicketWord::Drafts,
                TicketFilterArg::All => TicketWord::All,
            };
            let first = args.after.map(|id| After::Row(TicketId(id)));
            let request = |after, limit| ListRequest::Tickets {
                filter,
                search: args.search.clone(),
                after,
                limit,
            };
            return rows(&args.list, first, request).await;
        }
        Some(TicketsTask::Export(args)) => return exchange::tickets(args),
        Some(TicketsTask::Show { id }) => DeskRequest::Ticket(TicketId(id)),
        Some(TicketsTask::Add {
            title,
            contact,
            body,
            call,
        }) => DeskRequest::SaveTicket(Box::new(new_ticket(title, contact, body, call))),
        Some(TicketsTask::Article {
            id,
            body,
            internal,
            from_customer,
            call,
        }) => {
            let sender = if from_customer {
                ArticleSender::Customer
            } else {
                ArticleSender::Agent
            };
            let article = ArticleRow {
                internal,
                ..article(body, sender, call)
            };
            DeskRequest::AddArticle(TicketId(id), Box::new(article))
        }
        Some(TicketsTask::Set {
            id,
            title,
            state,
            contact,
            agent,
        }) => {
            let change = TicketChange {
                title,
                state,
                contact: contact.map(ContactId),
                agent,
            };
            DeskRequest::ChangeTicket(TicketId(id), Box::new(change))
        }
    };
    list(&args.list, request).await
}

fn new_ticket(
    title: String,
    contact: Option<i64>,
    body: Option<String>,
    call: Option<CallId>,
) -> TicketRow {
    let now = wall_now();
    TicketRow {
        id: TicketId(0),
        title,
        state: TicketState::New,
        contact: contact.map(ContactId),
        contact_name: None,
        organization: None,
        organization_name: None,
        agent: None,
        created_at: now,
        updated_at: now,
        closed_at: None,
        articles: body
            .map(|body| article(body, ArticleSender::Customer, call))
            .into_iter()
            .collect(),
    }
}

fn article(body: String, sender: ArticleSender, call: Option<CallId>) -> ArticleRow {
    ArticleRow {
        id: ArticleId(0),
        at: wall_now(),
        kind: if call.is_some() {
            ArticleKind::Phone
        } else {
            ArticleKind::Note
        },
        sender,
        internal: false,
        author: String::new(),
        body,
        call,
    }
}

/// `ringdesk tasks`.
pub(super) async fn tasks(args: TasksArgs) -> anyhow::Result<Exit> {
    let request = match args.task {
        None => {
            let first = args.after.map(|id| After::Row(TaskId(id)));
            let request = |after, limit| ListRequest::Tasks {
                done: args.done,
                due_until: args.due_until,
                after,
                limit,
            };
            return rows(&args.list, first, request).await;
        }
        Some(TasksTask::Export(args)) => return exchange::tasks(&args),
        Some(TasksTask::Add {
            title,
            due,
            about,
            number,
            call,
            agent,
            notes,
        }) => DeskRequest::SaveTask(Box::new(TaskRow {
            kind: if number.is_some() {
                TaskKind::Callback
            } else {
                TaskKind::Task
            },
            notes,
            about,
            call,
            number,
            agent,
            ..TaskRow::new(&title, due, wall_now())
        })),
        Some(TasksTask::Done { id }) => DeskRequest::TaskDone(TaskId(id), true),
        Some(TasksTask::Reopen { id }) => DeskRequest::TaskDone(TaskId(id), false),
        Some(TasksTask::Delete { id }) => DeskRequest::DeleteTask(TaskId(id)),
    };
    list(&args.list, request).await
}

/// `ringdesk search`.
pub(super) async fn search(args: SearchArgs) -> anyhow::Result<Exit> {
    let limit = usize::try_from(args.limit)?;
    let text = args.text;
    let request = DeskRequest::Search { text, limit };
    answer(&args.records, args.json, request).await
}

/// `ringdesk who`.
pub(super) async fn who(args: WhoArgs) -> anyhow::Result<Exit> {
    let request = DeskRequest::Who {
        number: args.number,
        region: args.region,
    };
    answer(&args.records, args.json, request).await
}

/// `ringdesk show`.
pub(super) async fn show(args: ShowArgs) -> anyhow::Result<Exit> {
    let subject = match (args.task, args.subject) {
        (Some(ShowTask::Export(args)), _) => return exchange::timeline(&args),
        (None, Some(subject)) => subject,
        (None, None) => bail!("name a record, such as contact:5"),
    };
    let paths = setup::paths(args.list.records.data_dir.as_deref())?;
    let request = DeskRequest::Show {
        subject,
        after: args.after,
        limit: lists::length(&paths, args.list.limit)?,
    };
    list(&args.list, request).await
}

/// `ringdesk delete`.
pub(super) async fn delete(args: DeleteArgs) -> anyhow::Result<Exit> {
    list(&args.list, DeskRequest::Delete(args.subject)).await
}

/// `ringdesk note`.
pub(super) async fn note(args: NoteArgs) -> anyhow::Result<Exit> {
    let row = NoteRow {
        id: NoteId(0),
        about: args.subject,
        at: wall_now(),
        author: String::new(),
        text: args.text,
    };
    list(&args.list, DeskRequest::SaveNote(row)).await
}

/// `ringdesk notes`.
pub(super) async fn notes(args: NotesArgs) -> anyhow::Result<Exit> {
    let request = match args.task {
        NotesTask::Set { id, text } => DeskRequest::ChangeNote(NoteId(id), text),
        NotesTask::Delete { id } => DeskRequest::DeleteNote(NoteId(id)),
    };
    answer(&args.records, args.json, request).await
}

/// `ringdesk contacts set` and `ringdesk leads set`.
pub(super) async fn set_contact(args: ContactSetArgs) -> anyhow::Result<Exit> {
    let edit = args.changes.edit();
    if edit == ContactEdit::default() {
        return Err(Usage("say what is to be changed, such as --add-number".to_owned()).into());
    }
    let request = DeskRequest::EditContact(ContactId(args.id), Box::new(edit));
    answer(&args.records, args.json, request).await
}

/// `ringdesk audit`.
pub(super) async fn audit(args: AuditArgs) -> anyhow::Result<Exit> {
    if let Some(AuditTask::Export(args)) = args.task {
        return exchange::audit(&args);
    }
    let request = |after, limit| ListRequest::Audit {
        subject: args.subject,
        after,
        limit,
    };
    rows(&args.list, args.after.map(After::Row), request).await
}

/// `ringdesk undo`.
pub(super) async fn undo(args: UndoArgs) -> anyhow::Result<Exit> {
    let request = match args.step {
        Some(step) => DeskRequest::Undo(UndoId(step)),
        None => DeskRequest::UndoSteps,
    };
    list(&args.list, request).await
}

/// `ringdesk call-types`.
pub(super) async fn call_types(args: CallTypesArgs) -> anyhow::Result<Exit> {
    let request = match (args.add, args.delete) {
        (Some(name), _) => DeskRequest::SaveCallType(CallTypeRow {
            id: CallTypeId(0),
            name,
            active: true,
            place: 0,
        }),
        (None, Some(id)) => DeskRequest::DeleteCallType(CallTypeId(id)),
        (None, None) => DeskRequest::CallTypes,
    };
    list(&args.list, request).await
}

/// `ringdesk calls set`.
pub(super) async fn set_call(args: CallSetArgs) -> anyhow::Result<Exit> {
    let edit = CallEdit {
        notes: args.notes,
        call_type: args.call_type,
        caller: args.caller,
        link: args.link,
        unlink: args.unlink,
        done: args.done,
    };
    list(&args.list, DeskRequest::ChangeCall(args.call_id, edit)).await
}

/// `ringdesk calls enter`.
pub(super) async fn enter_call(args: CallEnterArgs) -> anyhow::Result<Exit> {
    let direction = if args.inbound {
        CallDirection::Inbound
    } else {
        CallDirection::Outbound
    };
    let talked = jiff::SignedDuration::from_secs(i64::from(args.talked));
    let at = |at: Result<jiff::Timestamp, jiff::Error>| {
        at.map_err(|_no_time| {
            Usage("no clock shows when that call was; look at --at and --talked".to_owned())
        })
    };
    let begun = match args.at {
        Some(begun) => begun,
        None => at(wall_now().checked_sub(talked))?,
    };
    let ended = at(begun.checked_add(talked))?;
    let mut random = [0; 10];
    OsRandom.fill(&mut random);
    let millis = u64::try_from(begun.as_millisecond()).unwrap_or_default();
    let id = CallId::new(millis, random);
    let row = CallRow {
        state: if args.missed {
            CallState::NoAnswer
        } else {
            CallState::Completed
        },
        remote: args.number,
        answered_at: (!args.missed).then_some(begun),
        ended_at: Some(ended),
        waiting_millis: Some(0),
        talking_millis: (!args.missed).then_some(i64::from(args.talked) * 1_000),
        end_reason: Some("entered by hand".to_owned()),
        recording: args.recording,
        notes: args.notes,
        done: !(args.inbound && args.missed),
        by_hand: true,
        ..CallRow::begun(id, direction, begun)
    };
    list(&args.list, DeskRequest::EnterCall(Box::new(row))).await
}

/// `ringdesk calls figures`.
pub(super) async fn figures(args: FiguresArgs) -> anyhow::Result<Exit> {
    let zone = jiff::tz::TimeZone::system();
    let last = match args.day {
        Some(day) => day,
        None => wall_now().to_zoned(zone.clone()).date(),
    };
    let first = last.checked_sub(jiff::Span::new().days(args.days - 1))?;
    let request = DeskRequest::Figures {
        since: first.to_zoned(zone.clone())?.timestamp(),
        until: last.tomorrow()?.to_zoned(zone)?.timestamp(),
    };
    list(&args.list, request).await
}

/// `ringdesk calls callbacks`.
pub(super) async fn callbacks(args: CallbacksArgs) -> anyhow::Result<Exit> {
    let request = |after, limit| ListRequest::Callbacks { after, limit };
    rows(&args.list, args.after.map(After::Row), request).await
}

/// `ringdesk calls done`.
pub(super) async fn all_done(args: ListArgs) -> anyhow::Result<Exit> {
    list(&args, DeskRequest::AllDone).await
}

/// Prints a list.
async fn rows<Place: DeserializeOwned>(
    args: &ListArgs,
    first: Option<Place>,
    request: impl Fn(Option<Place>, usize) -> ListRequest,
) -> anyhow::Result<Exit> {
    let paths = setup::paths(args.records.data_dir.as_deref())?;
    let length = lists::length(&paths, args.limit)?;
    let request = |after, limit| DeskRequest::List(request(after, limit));
    lists::each_row(&paths, length, first, request, |row| {
        print(&row, args.json);
        Ok(())
    })
    .await?;
    Ok(Exit::Done)
}

async fn list(args: &ListArgs, request: DeskRequest) -> anyhow::Result<Exit> {
    answer(&args.records, args.json, request).await
}

/// Prints what comes of a request.
async fn answer(records: &RecordArgs, json: bool, request: DeskRequest) -> anyhow::Result<Exit> {
    let paths = setup::paths(records.data_dir.as_deref())?;
    match ask(&paths, Request::Desk(Box::new(request))).await? {
        Reply::Desk(answer) => print(&answer, json),
        other => bail!("unexpected answer: {other:?}"),
    }
    Ok(Exit::Done)
}

/// Prints an answer: as JSON, or each row in a line of its words.
fn print(answer: &Value, json: bool) {
    match answer {
        Value::Array(rows) => rows.iter().for_each(|row| print(row, json)),
        row if json => print_line(&row.to_string()),
        Value::Object(fields) => {
            let (mut words, mut inner) = (Vec::new(), Vec::new());
            for (name, value) in fields {
                match value {
                    Value::Null => {}
                    Value::String(text) if text.is_empty() => {}
                    Value::Array(rows) if rows.iter().all(Value::is_object) => {
                        inner.extend(rows.iter().map(|row| (name, row)));
                    }
                    Value::Object(_) => inner.push((name, value)),
                    Value::String(text) => words.push(format!("{name}: {text}")),
                    other => words.push(format!("{name}: {other}")),
                }
            }
            if !words.is_empty() {
                print_line(&printable(&words.join("  ")));
            }
            for (name, row) in inner {
                print_line(&format!("  {name}:"));
                print(row, json);
            }
        }
        other => print_line(&other.to_string()),
    }
}
