//! One phone for each data folder: links and record commands go through the running one.
//!
//! The running phone listens on a local socket in its runtime folder, which only its user can
//! enter. One line of JSON in, one line out.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use interprocess::local_socket::tokio::{Listener, Stream, prelude::*};
use interprocess::local_socket::{GenericFilePath, ListenerOptions, Name};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::task::{JoinHandle, JoinSet};

use crate::app::Records;
use crate::app::desk::DeskRequest;
use crate::base::id::{CallId, ContactId};
use crate::cli::{dial_again, support};
use crate::config::paths::Paths;
use crate::control::{Command, Handle, Registration, Snapshot};
use crate::crm::row::{
    BackupMade, CallDirection, CallLadder, ContactRow, DuplicatePage, Erased, ErasedCalls,
    ImportOptions, ImportOutcome, ImportPreview, MeasuredCall, MergeReport, PoppedCall, RefusedRow,
    RoutingChange, RoutingTables, StateTotal, Undone,
};

/// How long the other side may take.
const DEADLINE: Duration = Duration::from_secs(5);
/// How long it may take to look through a whole database, or to import a million people on a slow disk.
const LONG_DEADLINE: Duration = Duration::from_secs(3600);
/// How long a question may be.
const QUESTION_LIMIT: u64 = 256 * 1024;
/// How long an answer may be: 100,000 rows of calls.
const ANSWER_LIMIT: u64 = 256 * 1024 * 1024;

/// What one process asks of the running phone.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Request {
    /// Show the window.
    Raise,
    /// Ask the agent whether to dial this link.
    Open(String),
    /// Dial a logged call.
    DialAgain {
        /// Which.
        call: CallId,
        /// Who started it: a call that came in is called back, one that went out is dialled again.
        direction: CallDirection,
        /// Whether a person has already said yes to a costly number.
        confirmed: bool,
    },
    /// A call with its SIP messages: by our id or by its SIP Call-ID.
    Ladder(String),
    /// A call with what was measured of its sound: by our id or by its SIP Call-ID.
    Quality(String),
    /// Save a contact.
    SaveContact(Box<ContactRow>),
    /// Import the people of a file, or show what that would do.
    Import {
        /// The file's whole path.
        file: PathBuf,
        /// Whether it is only shown.
        preview: bool,
        /// How it is read.
        options: ImportOptions,
    },
    /// Take the last import or merge back.
    UndoLastExchange,
    /// Contacts that may be one person.
    Duplicates {
        /// After this one.
        after: Option<ContactId>,
        /// How many pairs at most.
        limit: usize,
    },
    /// Make one contact of several; the first one stays.
    Merge(Vec<ContactId>),
    /// Contacts are different people.
    Different(Vec<ContactId>),
    /// All agents, queues, holidays and the block list.
    Routing,
    /// Change them.
    ChangeRouting(Box<RoutingChange>),
    /// Why a call popped up or did not: by our id or by its SIP Call-ID.
    Popup(String),
    /// How long the agent was in each state.
    StateTotals {
        /// From when.
        from: jiff::Timestamp,
        /// To when.
        to: jiff::Timestamp,
        /// Until when what goes on counts.
        now: jiff::Timestamp,
    },
    /// How the running phone does.
    Health,
    /// What only it knows for a support bundle.
    Support,
    /// What was refused unheard.
    Refused {
        /// From when on.
        since: jiff::Timestamp,
    },
    /// The other records.
    Desk(Box<DeskRequest>),
    /// Copy the database to this file.
    Backup(PathBuf),
    /// Write all that is held of a person to a file.
    ExportPerson {
        /// A contact's id, or a number.
        who: String,
        /// The new file.
        file: PathBuf,
    },
    /// Erase a person.
    Erase {
        /// A contact's id, or a number.
        who: String,
        /// What becomes of the calls.
        calls: ErasedCalls,
        /// Who erases.
        by: String,
    },
}

impl Request {
    /// Whether it looks through the whole database, which may take minutes.
    fn is_long(&self) -> bool {
        matches!(
            self,
            Self::Backup(_)
                | Self::ExportPerson { .. }
                | Self::Erase { .. }
                | Self::Import { .. }
                | Self::UndoLastExchange
                | Self::Merge(_)
        )
    }

    /// Whether it changes records that the phone may show.
    fn changes_records(&self) -> bool {
        match self {
            Self::SaveContact(_)
            | Self::Import { preview: false, .. }
            | Self::UndoLastExchange
            | Self::Merge(_)
            | Self::Different(_)
            | Self::ChangeRouting(_)
            | Self::Erase { .. } => true,
            Self::Desk(request) => request.changes(),
            Self::Raise
            | Self::Open(_)
            | Self::DialAgain { .. }
            | Self::Ladder(_)
            | Self::Quality(_)
            | Self::Import { preview: true, .. }
            | Self::Duplicates { .. }
            | Self::Routing
            | Self::Popup(_)
            | Self::StateTotals { .. }
            | Self::Health
            | Self::Support
            | Self::Refused { .. }
            | Self::Backup(_)
            | Self::ExportPerson { .. } => false,
        }
    }

    fn deadline(&self) -> Duration {
        if self.is_long() {
            LONG_DEADLINE
        } else {
            DEADLINE
        }
    }
}

/// How the running phone does.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Health {
    /// Its accounts.
    pub(super) accounts: Vec<AccountHealth>,
    /// What is wrong with the sound.
    pub(super) sound_problem: Option<String>,
    /// What is wrong with the call log.
    pub(super) store_problem: Option<String>,
    /// Why the log file is not written.
    pub(super) log_problem: Option<String>,
}

/// How an account does.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct AccountHealth {
    /// Its address.
    pub(super) address: String,
    /// Whether it is registered.
    pub(super) registered: bool,
    /// Why it is not, and what to do.
    pub(super) problem: Option<String>,
    /// The rule that keeps calls away from it.
    pub(super) kept_away: Option<String>,
}

/// What the running phone answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Reply {
    /// Done.
    Done,
    /// It is dialled.
    Dialling {
        /// Whom.
        to: String,
        /// From which account; none for a phone without accounts.
        from: Option<String>,
    },
    /// A call with its SIP messages; none when there is no such call.
    Ladder(Option<Box<CallLadder>>),
    /// A call with what was measured of its sound; none when there is no such call.
    Quality(Option<Box<MeasuredCall>>),
    /// The contact was saved, and so many earlier calls were linked.
    Saved {
        /// Its id.
        id: i64,
        /// Linked calls.
        linked: usize,
    },
    /// What an import would do.
    Preview(Box<ImportPreview>),
    /// What came of an import.
    Imported(Box<ImportOutcome>),
    /// What was taken back.
    Undone(Undone),
    /// Contacts that may be one person.
    Duplicates(DuplicatePage),
    /// What a merge did.
    Merged(MergeReport),
    /// All agents, queues, holidays and the block list.
    Routing(Box<RoutingTables>),
    /// They were changed: what was saved or deleted has this id.
    Changed(i64),
    /// Why a call popped up or did not; none when there is no such call.
    Popup(Option<Box<PoppedCall>>),
    /// For `StateTotals`.
    StateTotals(Vec<StateTotal>),
    /// For `Health`.
    Health(Health),
    /// For `Support`.
    Support(Box<support::Phone>),
    /// For `Refused`.
    Refused(Vec<RefusedRow>),
    /// For `Desk`: what `--json` prints.
    Desk(serde_json::Value),
    /// For `Backup`.
    Backup(BackupMade),
    /// For `ExportPerson`: the recordings that belong to it.
    Exported(Vec<String>),
    /// For `Erase`.
    Erased(Box<Erased>),
    /// It could not be done: why, and what to do.
    Impossible(String),
}

/// Asks the running phone; none when no phone runs on this data folder.
///
/// # Errors
///
/// Fails when a phone runs but does not answer.
pub(super) async fn ask(paths: &Paths, request: &Request) -> io::Result<Option<Reply>> {
    let path = socket_path(paths);
    let Ok(name) = name(&path) else {
        return Ok(None);
    };
    let Ok(stream) = Stream::connect(name).await else {
        return Ok(None);
    };
    let exchange = async {
        let mut writer = &stream;
        let mut question = serde_json::to_vec(request)?;
        question.push(b'\n');
        writer.write_all(&question).await?;
        let mut answer = Vec::new();
        BufReader::new((&stream).take(ANSWER_LIMIT))
            .read_until(b'\n', &mut answer)
            .await?;
        serde_json::from_slice(&answer).map_err(io::Error::from)
    };
    match tokio::time::timeout(request.deadline(), exchange).await {
        Ok(reply) => reply.map(Some),
        Err(_) => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the running Ringdesk does not answer; end it and start it again",
        )),
    }
}

/// Listens for other processes until dropped; without a socket the phone works, only links and
/// record commands do not reach it.
pub(super) fn serve(paths: &Paths, handle: Handle, records: Records) -> Option<Server> {
    let path = socket_path(paths);
    // The store's lock says that we are the only phone: a socket file here is a dead one's.
    drop(std::fs::remove_file(&path));
    let listener = name(&path).and_then(|name| ListenerOptions::new().name(name).create_tokio());
    match listener {
        Ok(listener) => {
            let task = tokio::spawn(accept(listener, handle, records));
            Some(Server { task, path })
        }
        Err(error) => {
            tracing::warn!(
                "links will not reach this phone: {}: {error}",
                path.display()
            );
            None
        }
    }
}

/// The listening socket; it goes with this.
pub(super) struct Server {
    task: JoinHandle<()>,
    path: PathBuf,
}

impl Server {
    /// Stops listening and lets go of the records, so that the store can close in order.
    pub(super) async fn stop(mut self) {
        self.task.abort();
        // An aborted task answers with that; it is what was asked for.
        drop((&mut self.task).await);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
        drop(std::fs::remove_file(&self.path));
    }
}

async fn accept(listener: Listener, handle: Handle, records: Records) {
    // One at a time: each takes milliseconds, and nobody can pile them up. What takes longer goes on
    // beside them, one at a time too; it ends with this.
    let mut long = JoinSet::new();
    loop {
        let Ok(stream) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        while long.try_join_next().is_some() {}
        let busy = !long.is_empty();
        let exchange = async {
            let reply = match question(&stream).await? {
                Ok(request) if request.is_long() && !busy => return Ok(Some(request)),
                Ok(request) if request.is_long() => {
                    Reply::Impossible("the running Ringdesk is still at another import, merge, backup, export or erasure; wait until it is done".to_owned())
                }
                Ok(request) => carry_out(request, &handle, &records).await,
                Err(impossible) => impossible,
            };
            answer(&stream, &reply).await?;
            Ok::<_, io::Error>(None)
        };
        match tokio::time::timeout(DEADLINE, exchange).await {
            Ok(Ok(Some(request))) => {
                let (handle, records) = (handle.clone(), records.clone());
                long.spawn(async move {
                    let reply = carry_out(request, &handle, &records).await;
                    if let Err(error) = answer(&stream, &reply).await {
                        tracing::debug!("another process did not wait for its answer: {error}");
                    }
                });
            }
            Ok(Err(error)) => tracing::debug!("another process asked in vain: {error}"),
            Ok(Ok(None)) | Err(_) => {}
        }
    }
}

/// Reads what another process asks, or why it cannot be understood.
async fn question(stream: &Stream) -> io::Result<Result<Request, Reply>> {
    let mut question = Vec::new();
    BufReader::new(stream.take(QUESTION_LIMIT))
        .read_until(b'\n', &mut question)
        .await?;
    Ok(serde_json::from_slice(&question).map_err(|error| {
        Reply::Impossible(format!("the running Ringdesk does not know that: {error}"))
    }))
}

async fn answer(stream: &Stream, reply: &Reply) -> io::Result<()> {
    let mut writer = stream;
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    writer.write_all(&line).await
}

async fn carry_out(request: Request, handle: &Handle, records: &Records) -> Reply {
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
pub(super) async fn carry_out_on_records(request: Request, records: &Records) -> Reply {
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

/// How the phone does by what it shows.
pub(super) fn health(snapshot: &Snapshot) -> Health {
    let accounts = snapshot
        .accounts
        .iter()
        .map(|view| {
            let rules = &view.account.rules;
            let kept_away = if rules.forward_always.is_empty() {
                rules
                    .do_not_disturb
                    .then(|| "do not disturb refuses its calls".to_owned())
            } else {
                Some(format!(
                    "its calls are forwarded to {}",
                    rules.forward_always
                ))
            };
            AccountHealth {
                address: view.account.address.clone(),
                registered: view.registration == Registration::Registered,
                problem: failure(&view.registration),
                kept_away,
            }
        })
        .collect();
    Health {
        accounts,
        sound_problem: snapshot.devices.any_problem().cloned(),
        store_problem: snapshot.store_problem.clone(),
        log_problem: snapshot.log_problem.clone(),
    }
}

fn failure(registration: &Registration) -> Option<String> {
    if let Registration::Failed { reason, .. } = registration {
        Some(reason.clone())
    } else {
        None
    }
}

fn socket_path(paths: &Paths) -> PathBuf {
    paths.runtime_dir.join("phone.sock")
}

fn name(path: &std::path::Path) -> io::Result<Name<'_>> {
    path.to_fs_name::<GenericFilePath>()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::{mpsc, watch};

    use super::*;
    use crate::app::lists::ListRequest;
    use crate::base::id::NoteId;
    use crate::control::handle::PageSource;
    use crate::control::{Page, PageRequest, Snapshot};
    use crate::crm::row::{ContactEdit, NoteRow, Subject};

    struct NoPages;

    impl PageSource for NoPages {
        fn page(&self, _: &PageRequest) -> Option<Arc<Page>> {
            None
        }
    }

    /// The window showed the old name until something else was written.
    #[tokio::test]
    async fn the_phone_is_told_of_each_change_that_comes_from_beside_it_and_of_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::open(folder.path(), "DE").unwrap();
        let (outlet, mut commands) = mpsc::channel(8);
        let (_snapshots, snapshot) = watch::channel(Arc::new(Snapshot::default()));
        let handle = Handle::new(outlet, snapshot, Arc::new(NoPages));
        let save = || Request::SaveContact(Box::new(ContactRow::named("Anna")));
        let edit = ContactEdit {
            name: Some("Anna Muster".to_owned()),
            ..ContactEdit::default()
        };
        let desk = |request| Request::Desk(Box::new(request));
        let note = NoteRow {
            id: NoteId(0),
            about: Subject::Contact(ContactId(1)),
            at: jiff::Timestamp::UNIX_EPOCH,
            author: String::new(),
            text: "calls again".to_owned(),
        };
        let list = ListRequest::Contacts {
            leads: false,
            search: String::new(),
            after: None,
            limit: 10,
        };
        for (request, changes) in [
            (save(), true),
            (save(), true),
            (
                desk(DeskRequest::EditContact(ContactId(1), Box::new(edit))),
                true,
            ),
            (desk(DeskRequest::SaveNote(note)), true),
            (desk(DeskRequest::List(list)), false),
            (desk(DeskRequest::UndoSteps), false),
            (Request::Merge(vec![ContactId(1), ContactId(2)]), true),
            (Request::UndoLastExchange, true),
            (Request::Routing, false),
        ] {
            let what = format!("{request:?}");
            let reply = carry_out(request, &handle, &records).await;
            assert!(!matches!(reply, Reply::Impossible(_)), "{what}: {reply:?}");
            let told = matches!(commands.try_recv(), Ok(Command::RecordsChanged));
            assert_eq!(told, changes, "{what}");
        }
    }
}
