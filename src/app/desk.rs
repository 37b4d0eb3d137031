//! What scripts ask of the records beside calls and contacts, and the answers as JSON.

use anyhow::bail;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::app::Records;
use crate::base::id::{
    CallId, CallTypeId, ContactId, HintId, NoteId, OrganizationId, TaskId, TicketId, UndoId,
};
use crate::crm::row::{
    ArticleRow, CallCriteria, CallFilter, CallRow, CallTypeRow, ContactRow, HintFilter,
    HintVerdict, MailHints, NoteRow, OrganizationRow, Subject, TaskFilter, TaskRow, TicketChange,
    TicketFilter, TicketRow,
};
use crate::crm::store::{CallChange, Write, Written};
use crate::crm::{Reader, StoreError};

/// A question or a change.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeskRequest {
    /// Leads by name.
    Leads {
        /// Name, organization or number.
        search: String,
        /// How many at most.
        limit: usize,
    },
    /// Organizations by name.
    Organizations {
        /// A part of the name.
        search: String,
    },
    /// Save an organization.
    SaveOrganization(OrganizationRow),
    /// Tickets, the last changed first.
    Tickets {
        /// Which.
        filter: TicketWord,
        /// Words of the title or of articles.
        search: String,
        /// How many at most.
        limit: usize,
    },
    /// One ticket with its articles.
    Ticket(TicketId),
    /// Save a ticket.
    SaveTicket(Box<TicketRow>),
    /// Change some of a ticket.
    ChangeTicket(TicketId, Box<TicketChange>),
    /// Add an article.
    AddArticle(TicketId, Box<ArticleRow>),
    /// Tasks.
    Tasks {
        /// Done ones.
        done: bool,
        /// Only those that are due until then.
        due_until: Option<Timestamp>,
        /// How many at most.
        limit: u32,
    },
    /// Save a task.
    SaveTask(Box<TaskRow>),
    /// Say that a task is done, or not yet.
    TaskDone(TaskId, bool),
    /// Delete a task.
    DeleteTask(TaskId),
    /// The call types.
    CallTypes,
    /// Save a call type.
    SaveCallType(CallTypeRow),
    /// Delete or hide a call type.
    DeleteCallType(CallTypeId),
    /// Search everything.
    Search {
        /// What for.
        text: String,
        /// How many of each kind at most.
        limit: usize,
    },
    /// A record and what happened around it.
    Show {
        /// Which.
        subject: Subject,
        /// How many entries at most.
        limit: usize,
    },
    /// Delete a record.
    Delete(Subject),
    /// Write a note.
    SaveNote(NoteRow),
    /// Delete a note.
    DeleteNote(NoteId),
    /// Who changed what.
    Audit {
        /// Only of that record.
        subject: Option<Subject>,
        /// How many rows at most.
        limit: u32,
    },
    /// The steps that can be undone.
    UndoSteps,
    /// Take a step back.
    Undo(UndoId),
    /// Enter a call that was made elsewhere.
    EnterCall(Box<CallRow>),
    /// Change a call.
    ChangeCall(CallId, CallEdit),
    /// Say that all missed calls are done.
    AllDone,
    /// Calls by criteria, newest first.
    Calls {
        /// Which.
        filter: CallFilter,
        /// More narrowly.
        criteria: Box<CallCriteria>,
        /// Name or number.
        search: String,
        /// How many at most.
        limit: usize,
    },
    /// The numbers to call back.
    Callbacks {
        /// How many at most.
        limit: usize,
    },
    /// What happened in each queue.
    Figures {
        /// From when on.
        since: Timestamp,
        /// Before when.
        until: Timestamp,
    },
    /// Guesses of whose a number is.
    Hints(HintRequest),
}

/// A question or a change about guesses of whose a number is.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HintRequest {
    /// Those of the newest texts first.
    List {
        /// Which.
        filter: HintFilter,
        /// How many at most.
        limit: usize,
    },
    /// Say what a guess is.
    Judge(HintId, HintVerdict),
    /// Keep what mails say of their senders' numbers.
    AddMails(Vec<MailHints>),
}

/// Which tickets, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TicketWord {
    /// Those that are not closed.
    NotClosed,
    /// Drafts.
    Drafts,
    /// All.
    All,
}

/// What a script may change of a call: what is none stays.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct CallEdit {
    /// The notes.
    pub notes: Option<String>,
    /// The name of the call type; an empty one takes it away.
    pub call_type: Option<String>,
    /// Whom it was with; none of those who are known.
    pub caller: Option<Option<Subject>>,
    /// Link it to these.
    pub link: Vec<Subject>,
    /// Take the links to these away.
    pub unlink: Vec<Subject>,
    /// Whether nothing is left to do.
    pub done: Option<bool>,
}

impl Records {
    /// Carries out a question or a change; the answer is what `--json` prints: an object, or an array of
    /// which each element is a line.
    ///
    /// # Errors
    ///
    /// Fails when the store refuses; the sentence says why.
    #[expect(clippy::too_many_lines, reason = "a table: one arm for each request")]
    pub async fn desk(&self, request: DeskRequest) -> anyhow::Result<Value> {
        Ok(match request {
            DeskRequest::Leads { search, limit } => {
                let found = self
                    .read(move |reader| reader.leads(&search, 0, limit))
                    .await?;
                json!(found.0)
            }
            DeskRequest::Organizations { search } => {
                json!(
                    self.read(move |reader| reader.organizations(&search))
                        .await?
                )
            }
            DeskRequest::SaveOrganization(row) => self.write(Write::SaveOrganization(row)).await?,
            DeskRequest::Tickets {
                filter,
                search,
                limit,
            } => {
                let filter = match filter {
                    TicketWord::NotClosed => TicketFilter::NotClosed,
                    TicketWord::Drafts => TicketFilter::Drafts,
                    TicketWord::All => TicketFilter::All,
                };
                let page = move |reader: &Reader| reader.tickets(filter, &search, None, limit);
                json!(self.read(page).await?)
            }
            DeskRequest::Ticket(id) => json!(self.ticket(id).await?),
            DeskRequest::SaveTicket(row) => self.write(Write::SaveTicket(row)).await?,
            DeskRequest::ChangeTicket(id, change) => {
                self.write(Write::ChangeTicket(id, change)).await?
            }
            DeskRequest::AddArticle(id, row) => self.write(Write::AddArticle(id, row)).await?,
            DeskRequest::Tasks {
                done,
                due_until,
                limit,
            } => {
                let filter = match (done, due_until) {
                    (true, _) => TaskFilter::Done,
                    (false, Some(until)) => TaskFilter::DueUntil(until),
                    (false, None) => TaskFilter::ToDo,
                };
                json!(self.read(move |reader| reader.tasks(filter, limit)).await?)
            }
            DeskRequest::SaveTask(row) => self.write(Write::SaveTask(row)).await?,
            DeskRequest::TaskDone(id, done) => self.write(Write::TaskDone(id, done)).await?,
            DeskRequest::DeleteTask(id) => self.write(Write::DeleteTask(id)).await?,
            DeskRequest::CallTypes => json!(self.read(Reader::call_types).await?),
            DeskRequest::SaveCallType(row) => self.write(Write::SaveCallType(row)).await?,
            DeskRequest::DeleteCallType(id) => self.write(Write::DeleteCallType(id)).await?,
            DeskRequest::Search { text, limit } => {
                json!(self.read(move |reader| reader.search(&text, limit)).await?)
            }
            DeskRequest::Show { subject, limit } => {
                let record = self.record_of(subject).await?;
                let timeline =
                    move |reader: &Reader| reader.timeline(subject, Timestamp::MAX, limit);
                json!({"record": record, "timeline": self.read(timeline).await?})
            }
            DeskRequest::Delete(subject) => {
                let write = match subject {
                    Subject::Contact(id) => Write::DeleteContact(id),
                    Subject::Organization(id) => Write::DeleteOrganization(id),
                    Subject::Ticket(id) => Write::DeleteTicket(id),
                };
                self.write(write).await?
            }
            DeskRequest::SaveNote(row) => self.write(Write::SaveNote(row)).await?,
            DeskRequest::DeleteNote(id) => self.write(Write::DeleteNote(id)).await?,
            DeskRequest::Audit { subject, limit } => {
                json!(
                    self.read(move |reader| reader.audit(subject, None, limit))
                        .await?
                )
            }
            DeskRequest::UndoSteps => json!(self.read(Reader::undo_steps).await?),
            DeskRequest::Undo(id) => self.write(Write::Undo(id)).await?,
            DeskRequest::EnterCall(mut row) => {
                let id = row.id;
                row.agent = row.agent.or_else(|| self.store().agent());
                self.write(Write::InsertCall(row)).await?;
                json!({"call_id": id})
            }
            DeskRequest::ChangeCall(id, edit) => self.edit_call(id, edit).await?,
            DeskRequest::AllDone => self.write(Write::AllDone).await?,
            DeskRequest::Calls {
                filter,
                criteria,
                search,
                limit,
            } => {
                let page = move |reader: &Reader| {
                    reader.calls_where(filter, &criteria, &search, None, limit)
                };
                json!(self.read(page).await?.rows)
            }
            DeskRequest::Callbacks { limit } => {
                json!(self.read(move |reader| reader.callbacks(limit)).await?)
            }
            DeskRequest::Figures { since, until } => {
                json!(
                    self.read(move |reader| reader.figures(since, until))
                        .await?
                )
            }
            DeskRequest::Hints(request) => self.hints(request).await?,
        })
    }

    async fn hints(&self, request: HintRequest) -> Result<Value, StoreError> {
        match request {
            HintRequest::List { filter, limit } => {
                let list = move |reader: &Reader| reader.hints(&filter, limit);
                Ok(json!(self.read(list).await?))
            }
            HintRequest::Judge(id, verdict) => self.write(Write::JudgeHint(id, verdict)).await,
            HintRequest::AddMails(mails) => self.write(Write::AddMailHints(mails)).await,
        }
    }

    async fn edit_call(&self, id: CallId, edit: CallEdit) -> anyhow::Result<Value> {
        let mut changes = Vec::new();
        if let Some(name) = edit.call_type {
            changes.push(CallChange::CallType(self.call_type_named(&name).await?));
        }
        changes.extend(edit.notes.map(CallChange::Notes));
        changes.extend(edit.caller.map(CallChange::Subject));
        changes.extend(edit.link.into_iter().map(CallChange::Link));
        changes.extend(edit.unlink.into_iter().map(CallChange::Unlink));
        changes.extend(edit.done.map(CallChange::Done));
        for change in changes {
            self.write(Write::ChangeCall(id, change)).await?;
        }
        match self.read(move |reader| reader.call(id)).await? {
            Some(row) => Ok(json!(row)),
            None => bail!("there is no call {id}"),
        }
    }

    async fn call_type_named(&self, name: &str) -> anyhow::Result<Option<CallTypeId>> {
        if name.trim().is_empty() {
            return Ok(None);
        }
        let types = self.read(Reader::call_types).await?;
        let wanted = name.trim().to_lowercase();
        let mut active = types.into_iter().filter(|row| row.active);
        match active.find(|row| row.name.to_lowercase() == wanted) {
            Some(row) => Ok(Some(row.id)),
            None => bail!(
                "there is no call type “{}”; add it with: ringdesk calls types --add NAME",
                name.trim()
            ),
        }
    }

    async fn ticket(&self, id: TicketId) -> anyhow::Result<TicketRow> {
        match self.read(move |reader| reader.ticket(id)).await? {
            Some(row) => Ok(row),
            None => bail!("there is no ticket {}", id.0),
        }
    }

    async fn record_of(&self, subject: Subject) -> anyhow::Result<Value> {
        let found = match subject {
            Subject::Contact(id) => json!(self.contact_of(id).await?),
            Subject::Organization(id) => json!(self.organization_of(id).await?),
            Subject::Ticket(id) => json!(Some(self.ticket(id).await?)),
        };
        if found.is_null() {
            bail!("there is no {} {}", subject.kind(), subject.id());
        }
        Ok(found)
    }

    async fn contact_of(&self, id: ContactId) -> Result<Option<ContactRow>, StoreError> {
        self.read(move |reader| reader.contact(id)).await
    }

    async fn organization_of(
        &self,
        id: OrganizationId,
    ) -> Result<Option<OrganizationRow>, StoreError> {
        self.read(move |reader| reader.organization(id)).await
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.store()
            .read(read)
            .await
            .unwrap_or(Err(StoreError::Closed))
    }

    async fn write(&self, write: Write) -> Result<Value, StoreError> {
        let written = self.store().write(write).await;
        Ok(match written.unwrap_or(Err(StoreError::Closed))? {
            Written::Contact(id, linked) => json!({"id": id, "linked_calls": linked}),
            Written::Organization(id, linked) => json!({"id": id, "linked_calls": linked}),
            Written::Ticket(id) => json!({"id": id}),
            Written::Note(id) => json!({"id": id}),
            Written::Task(id) => json!({"id": id}),
            Written::CallType(id) => json!({"id": id}),
            Written::Done(count) => json!({"done": count}),
            Written::Hints(count) => json!({"new": count}),
            Written::Judged(contact, linked) => {
                json!({"contact": contact, "linked_calls": linked})
            }
            Written::Undone(undone) => json!(undone),
            Written::Routing(id) => json!({ "id": id }),
            Written::Imported(report) => json!(report),
            Written::Merged(report) => json!(report),
            Written::Call
            | Written::WrappedUp { .. }
            | Written::Refused
            | Written::Settled
            | Written::Care(_) => json!({}),
        })
    }
}
