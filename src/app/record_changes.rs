//! What an agent changes of the records, on its way to the store.

use crate::control::RecordChange;
use crate::crm::store::{CallChange, Write};

/// The write of a change.
pub(super) fn write_of(change: RecordChange) -> Write {
    match change {
        RecordChange::SaveTicket(row) => Write::SaveTicket(row),
        RecordChange::AddArticle(ticket, row) => Write::AddArticle(ticket, row),
        RecordChange::DeleteTicket(id) => Write::DeleteTicket(id),
        RecordChange::SaveTask(row) => Write::SaveTask(row),
        RecordChange::TaskDone(id, done) => Write::TaskDone(id, done),
        RecordChange::DeleteTask(id) => Write::DeleteTask(id),
        RecordChange::SaveNote(row) => Write::SaveNote(row),
        RecordChange::DeleteNote(id) => Write::DeleteNote(id),
        RecordChange::EditContact(id, edit) => Write::EditContact(id, edit),
        RecordChange::EditOrganization(id, edit) => Write::EditOrganization(id, edit),
        RecordChange::DeleteOrganization(id) => Write::DeleteOrganization(id),
        RecordChange::SaveCallType(row) => Write::SaveCallType(row),
        RecordChange::DeleteCallType(id) => Write::DeleteCallType(id),
        RecordChange::MergeContacts(ids) => Write::MergeContacts(ids),
        RecordChange::JudgeHint(id, verdict) => Write::JudgeHint(id, verdict),
        RecordChange::Link(call, subject) => Write::ChangeCall(call, CallChange::Link(subject)),
        RecordChange::Unlink(call, subject) => Write::ChangeCall(call, CallChange::Unlink(subject)),
        RecordChange::SetCallType(call, kind) => {
            Write::ChangeCall(call, CallChange::CallType(kind))
        }
        RecordChange::AllDone => Write::AllDone,
        RecordChange::Undo(id) => Write::Undo(id),
    }
}
