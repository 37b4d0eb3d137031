//! What an agent changes of the records beside calls, contacts and settings.

use crate::base::id::{
    CallId, CallTypeId, ContactId, HintId, NoteId, OrganizationId, TaskId, TicketId, UndoId,
};
use crate::crm::row::{
    ArticleRow, CallTypeRow, ContactEdit, HintVerdict, NoteRow, OrganizationEdit, Subject, TaskRow,
    TicketRow,
};

/// A change of a record. The store keeps a step to undo of each that takes something away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordChange {
    /// Save a ticket (id 0 creates it).
    SaveTicket(Box<TicketRow>),
    /// Add an article to a ticket.
    AddArticle(TicketId, Box<ArticleRow>),
    /// Delete a ticket.
    DeleteTicket(TicketId),
    /// Save a task (id 0 creates it).
    SaveTask(Box<TaskRow>),
    /// Say that a task is done, or not yet.
    TaskDone(TaskId, bool),
    /// Delete a task.
    DeleteTask(TaskId),
    /// Save a note (id 0 creates it).
    SaveNote(NoteRow),
    /// Delete a note.
    DeleteNote(NoteId),
    /// Change a part of a contact or lead; earlier calls are linked again.
    EditContact(ContactId, Box<ContactEdit>),
    /// Change a part of an organization; earlier calls are linked again.
    EditOrganization(OrganizationId, OrganizationEdit),
    /// Delete an organization; its people stay.
    DeleteOrganization(OrganizationId),
    /// Save a call type (id 0 creates it).
    SaveCallType(CallTypeRow),
    /// Delete a call type, or hide one that calls have.
    DeleteCallType(CallTypeId),
    /// Make one contact of several; the first one stays.
    MergeContacts(Vec<ContactId>),
    /// Say what a guess of whose a number is comes to.
    JudgeHint(HintId, HintVerdict),
    /// Say of a call what it concerns, too.
    Link(CallId, Subject),
    /// Take that away.
    Unlink(CallId, Subject),
    /// Say what a call was about.
    SetCallType(CallId, Option<CallTypeId>),
    /// Mark all missed calls as done.
    AllDone,
    /// Take a step back.
    Undo(UndoId),
}
