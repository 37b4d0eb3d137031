//! What scripts ask of the records beside calls and contacts, and the answers as JSON.

use anyhow::bail;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::app::Records;
use crate::app::lists::{CallsRequest, ListRequest};
use crate::app::player::check_named;
use crate::base::id::{
    CallId, CallTypeId, ContactId, HintId, NoteId, OrganizationId, TaskId, TicketId, UndoId,
};
use crate::crm::row::{
    ArticleRow, CallDirection, CallRow, CallTypeRow, ContactEdit, ContactRow, HintVerdict,
    MailHints, NoteRow, OrganizationEdit, OrganizationRow, Subject, TaskRow, TicketChange,
    TicketRow, TimelineEntry, TimelineId,
};
use crate::crm::store::{CallChange, Write, Written};
use crate::crm::{Reader, StoreError};

/// A question or a change.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeskRequest {
    /// Rows of the call log.
    Calls(Box<CallsRequest>),
    /// Rows of another list.
    List(ListRequest),
    /// Save an organization.
    SaveOrganization(OrganizationRow),
    /// Change a part of a contact or lead.
    EditContact(ContactId, Box<ContactEdit>),
    /// Change a part of an organization.
    EditOrganization(OrganizationId, OrganizationEdit),
    /// One ticket with its articles.
    Ticket(TicketId),
    /// Save a ticket.
    SaveTicket(Box<TicketRow>),
    /// Change some of a ticket.
    ChangeTicket(TicketId, Box<TicketChange>),
    /// Add an article.
    AddArticle(TicketId, Box<ArticleRow>),
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
    /// Whom a call would show.
    Who {
        /// The number or address.
        number: String,
        /// The region (ISO 3166) by which it is read; none is that of the records.
        region: Option<String>,
    },
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
        /// After which entry of its timeline.
        after: Option<TimelineId>,
        /// How many entries at most.
        limit: usize,
    },
    /// Delete a record.
    Delete(Subject),
    /// Write a note.
    SaveNote(NoteRow),
    /// Give a note another text.
    ChangeNote(NoteId, String),
    /// Delete a note.
    DeleteNote(NoteId),
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

impl DeskRequest {
    /// Whether it changes something.
    pub fn changes(&self) -> bool {
        !matches!(
            self,
            Self::Calls(_)
                | Self::List(_)
                | Self::Ticket(_)
                | Self::CallTypes
                | Self::Who { .. }
                | Self::Search { .. }
                | Self::Show { .. }
                | Self::UndoSteps
                | Self::Figures { .. }
        )
    }

    /// Whom it says that a call was with: nobody of those who are known, or this record.
    pub fn chosen_caller(&self) -> Option<(CallId, Option<Subject>)> {
        let Self::ChangeCall(call, edit) = self else {
            return None;
        };
        edit.caller.map(|caller| (*call, caller.subject()))
    }
}

/// A question or a change about guesses of whose a number is.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HintRequest {
    /// Say what a guess is.
    Judge(HintId, HintVerdict),
    /// Keep what mails say of their senders' numbers.
    AddMails(Vec<MailHints>),
}

/// What a script may change of a call: what is none stays.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct CallEdit {
    /// The notes.
    pub notes: Option<String>,
    /// The name of the call type; an empty one takes it away.
    pub call_type: Option<String>,
    /// Whom it was with.
    pub caller: Option<CallerEdit>,
    /// Link it to these.
    pub link: Vec<Subject>,
    /// Take the links to these away.
    pub unlink: Vec<Subject>,
    /// Whether nothing is left to do.
    pub done: Option<bool>,
}

/// Whom a call was with.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallerEdit {
    /// This record.
    Record(Subject),
    /// None of those who are known.
    Nobody,
}

impl CallerEdit {
    /// The record, where it is one.
    pub fn subject(self) -> Option<Subject> {
        match self {
            Self::Record(subject) => Some(subject),
            Self::Nobody => None,
        }
    }
}

impl Records {
    /// Carries out a question or a change; the answer is what `--json` prints: an object, or an array of
    /// which each element is a line.
    ///
    /// # Errors
    ///
    /// Fails when the store refuses; the sentence says why.
    pub async fn desk(&self, request: DeskRequest) -> anyhow::Result<Value> {
        Ok(match request {
            DeskRequest::Calls(request) => self.list_calls(*request).await?,
            DeskRequest::List(request) => self.list(request).await?,
            DeskRequest::SaveOrganization(row) => self.write(Write::SaveOrganization(row)).await?,
            DeskRequest::EditContact(id, edit) => self.write(Write::EditContact(id, edit)).await?,
            DeskRequest::EditOrganization(id, edit) => {
                self.write(Write::EditOrganization(id, edit)).await?
            }
            DeskRequest::Ticket(id) => json!(self.ticket(id).await?),
            DeskRequest::SaveTicket(row) => self.write(Write::SaveTicket(row)).await?,
            DeskRequest::ChangeTicket(id, change) => {
                self.write(Write::ChangeTicket(id, change)).await?
            }
            DeskRequest::AddArticle(id, row) => self.write(Write::AddArticle(id, row)).await?,
            DeskRequest::SaveTask(row) => self.write(Write::SaveTask(row)).await?,
            DeskRequest::TaskDone(id, done) => self.write(Write::TaskDone(id, done)).await?,
            DeskRequest::DeleteTask(id) => self.write(Write::DeleteTask(id)).await?,
            DeskRequest::CallTypes => json!(self.read(Reader::call_types).await?),
            DeskRequest::SaveCallType(row) => self.write(Write::SaveCallType(row)).await?,
            DeskRequest::DeleteCallType(id) => self.write(Write::DeleteCallType(id)).await?,
            DeskRequest::Who { number, region } => {
                let found = self.read(move |reader| match region {
                    Some(region) => reader.identify_in(&number, &region),
                    None => reader.identify(&number),
                });
                json!(found.await?)
            }
            DeskRequest::Search { text, limit } => {
                json!(self.read(move |reader| reader.search(&text, limit)).await?)
            }
            DeskRequest::Show {
                subject,
                after,
                limit,
            } => {
                let record = self.record_of(subject).await?;
                let timeline = self.timeline(subject, after, limit).await?;
                json!({"record": record, "timeline": timeline})
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
            DeskRequest::ChangeNote(id, text) => self.write(Write::ChangeNote(id, text)).await?,
            DeskRequest::DeleteNote(id) => self.write(Write::DeleteNote(id)).await?,
            DeskRequest::UndoSteps => json!(self.read(Reader::undo_steps).await?),
            DeskRequest::Undo(id) => self.write(Write::Undo(id)).await?,
            DeskRequest::EnterCall(mut row) => {
                let id = row.id;
                row.recording = row.recording.map(check_named).transpose()?;
                row.agent = row.agent.or_else(|| self.store().agent());
                self.write(Write::InsertCall(row)).await?;
                json!({"call_id": id})
            }
            DeskRequest::ChangeCall(id, edit) => self.edit_call(id, edit).await?,
            DeskRequest::AllDone => self.write(Write::AllDone).await?,
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
        let caller = edit.caller.map(CallerEdit::subject);
        changes.extend(caller.map(CallChange::Subject));
        changes.extend(edit.link.into_iter().map(CallChange::Link));
        changes.extend(edit.unlink.into_iter().map(CallChange::Unlink));
        changes.extend(edit.done.map(CallChange::Done));
        if !changes.is_empty() {
            self.write(Write::EditCall(id, changes)).await?;
        }
        let Some(row) = self.read(move |reader| reader.call(id)).await? else {
            bail!("there is no call {id}");
        };
        let mut told = json!(row);
        if row.direction == CallDirection::Outbound {
            // Which missed calls it is the answer to.
            let answers = self.read(move |reader| reader.answers(id)).await?;
            if let Value::Object(fields) = &mut told {
                fields.insert("answers".to_owned(), json!(answers));
            }
        }
        Ok(told)
    }

    /// Reads what happened around a record, page by page.
    async fn timeline(
        &self,
        subject: Subject,
        after: Option<TimelineId>,
        limit: usize,
    ) -> Result<Vec<TimelineEntry>, StoreError> {
        let mut after = match after {
            Some(entry) => Some(self.read(move |reader| reader.after_entry(entry)).await?),
            None => None,
        };
        let mut found = Vec::new();
        while found.len() < limit {
            let left = limit - found.len();
            let page = self.read(move |reader| reader.timeline(subject, after, left));
            let (entries, next) = page.await?;
            found.extend(entries);
            after = next;
            if after.is_none() {
                break;
            }
        }
        Ok(found)
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
                "there is no call type “{}”; add it with: ringdesk call-types --add NAME",
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

    pub(super) async fn read<T: Send + 'static>(
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
            | Written::TypeWanted
            | Written::Refused
            | Written::Settled
            | Written::Care(_) => json!({}),
        })
    }
}
