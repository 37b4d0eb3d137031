//! Carries out one write inside a transaction, and notes in the trail what an agent changed.

use jiff::Timestamp;
use rusqlite::Transaction;

use crate::base::id::CallId;
use crate::crm::audit::{self, Change};
use crate::crm::call_ladders::Pruning;
use crate::crm::care::CareStep;
use crate::crm::link_again::Relinking;
use crate::crm::mining::texts;
use crate::crm::number_key::Numbering;
use crate::crm::row::Subject;
use crate::crm::store::{CallChange, Write, Written};
use crate::crm::undo::{self, Undo};
use crate::crm::writer::WriteError;
use crate::crm::{
    agent_states, block_list, call_backs, call_ladders, call_notes, call_popups, call_quality,
    call_types, calls, contacts, different_people, edits, hint_verdicts, import, merge, migration,
    notes, organizations, own_lines, records, refused, removal, routing, tasks, tickets, wrap_up,
};

const TICKET_NEEDS_TITLE: &str = "a ticket needs a title";

/// What a write is carried out with.
pub(crate) struct Context<'a> {
    /// When.
    pub(crate) at: Timestamp,
    /// Who; empty where that is not known.
    pub(crate) agent: &'a str,
    pub(crate) numbering: &'a Numbering,
    pub(crate) pruning: &'a mut Pruning,
}

impl Context<'_> {
    fn note(
        &self,
        transaction: &Transaction<'_>,
        what: &str,
        subject: Option<Subject>,
        detail: &str,
    ) -> rusqlite::Result<()> {
        let change = Change {
            at: self.at,
            agent: self.agent,
        };
        audit::note(transaction, &change, what, subject, detail)
    }

    /// Notes that a record was saved, and lets what became of earlier calls be undone.
    fn saved(
        &self,
        transaction: &Transaction<'_>,
        subject: Subject,
        name: &str,
        relinking: Relinking,
    ) -> Result<usize, WriteError> {
        self.note(
            transaction,
            &format!("save {}", subject.kind()),
            Some(subject),
            name,
        )?;
        let shown = relinking.shown();
        texts::of_calls(transaction, relinking.calls(), self.at, self.numbering)?;
        if !relinking.is_empty() {
            let label = format!("earlier calls of {name}");
            undo::record(transaction, self.at, &label, &Undo::Relinked(relinking))?;
        }
        Ok(shown)
    }

    fn remove(&self, transaction: &Transaction<'_>, subject: Subject) -> Result<(), WriteError> {
        let name = records::must_exist(transaction, subject)?;
        let removal = removal::remove(transaction, subject, self.numbering)?;
        let what = format!("delete {}", subject.kind());
        self.note(transaction, &what, Some(subject), &name)?;
        let step = Undo::Removed(Box::new(removal));
        undo::record(transaction, self.at, &format!("deleted {name}"), &step)?;
        Ok(())
    }

    fn edit_call(
        &self,
        transaction: &Transaction<'_>,
        id: CallId,
        changes: &[CallChange],
    ) -> Result<(), WriteError> {
        // One that is refused takes those before it along.
        transaction.execute_batch("SAVEPOINT edit_call")?;
        let mut all = changes.iter();
        let mut edited = all.try_for_each(|change| self.change_call(transaction, id, change));
        if edited.is_ok() && changes.iter().any(|it| matches!(it, CallChange::Notes(_))) {
            let noted = self.note(transaction, "change notes", None, &id.to_string());
            edited = noted.map_err(WriteError::from);
        }
        if edited.is_err() {
            transaction.execute_batch("ROLLBACK TO edit_call")?;
        }
        transaction.execute_batch("RELEASE edit_call")?;
        edited
    }

    fn change_call(
        &self,
        transaction: &Transaction<'_>,
        id: CallId,
        change: &CallChange,
    ) -> Result<(), WriteError> {
        if let CallChange::Notes(notes) = change {
            call_notes::check(notes)?;
        }
        calls::change(transaction, id, change)?;
        if matches!(change, CallChange::Notes(_) | CallChange::Subject(_)) {
            texts::of_call(transaction, id, self.at, self.numbering)?;
        }
        let (what, subject) = match change {
            CallChange::Subject(subject) => ("choose caller", *subject),
            CallChange::Link(subject) => ("link call", Some(*subject)),
            CallChange::Unlink(subject) => ("unlink call", Some(*subject)),
            CallChange::Done(true) => ("call done", None),
            CallChange::Done(false) => ("call not done", None),
            CallChange::CallType(_) => ("choose call type", None),
            // What the phone itself notes, and notes as they are typed, would only hide the rest.
            _ => return Ok(()),
        };
        if matches!(change, CallChange::Done(true)) {
            call_backs::forget_reminder_of(transaction, id, self.at)?;
        }
        self.note(transaction, what, subject, &id.to_string())?;
        Ok(())
    }
}

/// Carries out one write.
#[expect(clippy::too_many_lines, reason = "a table: one arm for each write")]
pub(crate) fn apply(
    transaction: &Transaction<'_>,
    write: &Write,
    context: &mut Context<'_>,
) -> Result<Written, WriteError> {
    let at = context.at;
    Ok(match write {
        Write::InsertCall(call) => {
            if call.by_hand {
                call_notes::check(&call.notes)?;
            }
            calls::insert(transaction, call, context.numbering)?;
            if call.by_hand {
                texts::of_call(transaction, call.id, at, context.numbering)?;
                context.note(transaction, "enter call", None, &call.id.to_string())?;
            }
            Written::Call
        }
        Write::ChangeCall(id, change) => {
            context.change_call(transaction, *id, change)?;
            Written::Call
        }
        Write::EditCall(id, changes) => {
            context.edit_call(transaction, *id, changes)?;
            Written::Call
        }
        Write::SaveLadders(batch) => {
            call_ladders::save(transaction, batch, context.pruning)?;
            Written::Call
        }
        Write::SaveQuality(batch) => {
            call_quality::save(transaction, batch)?;
            call_quality::prune_to_limit(transaction)?;
            Written::Call
        }
        Write::SaveContact(contact) => {
            records::must_be_named(&contact.name, "a contact needs a name")?;
            let further = contact.memberships.iter().filter_map(|it| it.organization);
            let named = contact.organization.into_iter().chain(further);
            records::must_be_there_still(transaction, named.map(Subject::Organization))?;
            let (id, relinking) = contacts::save(transaction, contact, context.numbering)?;
            texts::of_contact(transaction, id, contact, at, context.numbering)?;
            let subject = Subject::Contact(id);
            let linked = context.saved(transaction, subject, contact.name.trim(), relinking)?;
            Written::Contact(id, linked)
        }
        Write::EditContact(id, edit) => {
            let row = edits::contact(transaction, *id, edit, context.numbering)?;
            return apply(transaction, &Write::SaveContact(Box::new(row)), context);
        }
        Write::DeleteContact(id) => {
            context.remove(transaction, Subject::Contact(*id))?;
            Written::Contact(*id, 0)
        }
        Write::SaveOrganization(row) => {
            records::must_be_named(&row.name, "an organization needs a name")?;
            let (id, relinking) = organizations::save(transaction, row, context.numbering)?;
            let subject = Subject::Organization(id);
            let linked = context.saved(transaction, subject, row.name.trim(), relinking)?;
            Written::Organization(id, linked)
        }
        Write::EditOrganization(id, edit) => {
            let row = edits::organization(transaction, *id, edit, context.numbering)?;
            return apply(transaction, &Write::SaveOrganization(row), context);
        }
        Write::DeleteOrganization(id) => {
            context.remove(transaction, Subject::Organization(*id))?;
            Written::Organization(*id, 0)
        }
        Write::SaveTicket(ticket) => {
            records::must_be_named(&ticket.title, TICKET_NEEDS_TITLE)?;
            let organization = ticket.organization.map(Subject::Organization);
            records::must_be_there_still(transaction, organization)?;
            let id = tickets::save(transaction, at, ticket)?;
            texts::of_ticket(transaction, id, at, context.numbering)?;
            let subject = Some(Subject::Ticket(id));
            context.note(transaction, "save ticket", subject, &ticket.title)?;
            Written::Ticket(id)
        }
        Write::ChangeTicket(id, change) => {
            if let Some(title) = &change.title {
                records::must_be_named(title, TICKET_NEEDS_TITLE)?;
            }
            tickets::change(transaction, at, *id, change)?;
            if change.contact.is_some() {
                texts::of_ticket(transaction, *id, at, context.numbering)?;
            }
            let subject = Subject::Ticket(*id);
            let name = records::must_exist(transaction, subject)?;
            context.note(transaction, "save ticket", Some(subject), &name)?;
            Written::Ticket(*id)
        }
        Write::AddArticle(id, article) => {
            let new = tickets::add_article(transaction, at, *id, article)?;
            texts::of_article(transaction, new, at, context.numbering)?;
            let subject = Some(Subject::Ticket(*id));
            context.note(transaction, "add article", subject, article.kind.as_str())?;
            Written::Ticket(*id)
        }
        Write::DeleteTicket(id) => {
            let name = records::must_exist(transaction, Subject::Ticket(*id))?;
            tickets::delete(transaction, *id)?;
            let subject = Some(Subject::Ticket(*id));
            context.note(transaction, "delete ticket", subject, &name)?;
            Written::Ticket(*id)
        }
        Write::SaveNote(note) => {
            let id = notes::save(transaction, at, context.agent, note)?;
            texts::of_note(transaction, id, note, at, context.numbering)?;
            context.note(transaction, "save note", Some(note.about), "")?;
            Written::Note(id)
        }
        Write::ChangeNote(id, text) => {
            let row = edits::note(transaction, *id, text)?;
            return apply(transaction, &Write::SaveNote(row), context);
        }
        Write::DeleteNote(id) => {
            let about = notes::delete(transaction, *id)?;
            context.note(transaction, "delete note", Some(about), "")?;
            Written::Note(*id)
        }
        Write::SaveTask(task) => {
            records::must_be_named(&task.title, "a task needs a title")?;
            let id = tasks::save(transaction, at, task)?;
            context.note(transaction, "save task", task.about, &task.title)?;
            Written::Task(id)
        }
        Write::TaskDone(id, done) => {
            tasks::set_done(transaction, at, *id, *done)?;
            let what = if *done { "task done" } else { "task not done" };
            context.note(transaction, what, None, &id.0.to_string())?;
            Written::Task(*id)
        }
        Write::DeleteTask(id) => {
            tasks::delete(transaction, *id)?;
            context.note(transaction, "delete task", None, &id.0.to_string())?;
            Written::Task(*id)
        }
        Write::SaveCallType(row) => {
            records::must_be_named(&row.name, "a call type needs a name")?;
            let id = call_types::save(transaction, row)?;
            context.note(transaction, "save call type", None, &row.name)?;
            Written::CallType(id)
        }
        Write::DeleteCallType(id) => {
            call_types::delete(transaction, *id)?;
            context.note(transaction, "delete call type", None, &id.0.to_string())?;
            Written::CallType(*id)
        }
        Write::DraftTicket(call) => {
            let id = wrap_up::draft(transaction, at, context.agent, *call)?;
            let subject = Some(Subject::Ticket(id));
            context.note(transaction, "draft ticket", subject, &call.to_string())?;
            Written::Ticket(id)
        }
        Write::WrapUpWithType(call, said) => {
            let wanted = said.call_type.is_none() && call_types::any(transaction)?;
            let written = apply(transaction, &Write::WrapUp(*call, said.clone()), context)?;
            if wanted { Written::TypeWanted } else { written }
        }
        Write::WrapUp(call, said) => {
            call_notes::check(said.notes.as_deref().unwrap_or_default())?;
            let unknown_type = wrap_up::save(transaction, at, context.agent, *call, said)?;
            texts::of_call(transaction, *call, at, context.numbering)?;
            context.note(transaction, "wrap up call", None, &call.to_string())?;
            Written::WrappedUp { unknown_type }
        }
        Write::AllDone => {
            let done = call_backs::all_done(transaction, at)?;
            context.note(transaction, "all calls done", None, &done.to_string())?;
            Written::Done(done)
        }
        Write::AddMailHints(mails) => {
            let mut new = 0;
            for mail in mails {
                new += texts::of_mail(transaction, mail, at, context.numbering)?;
            }
            let detail = format!("{} mails", mails.len());
            context.note(transaction, "import mail", None, &detail)?;
            Written::Hints(new)
        }
        Write::JudgeHint(id, verdict) => {
            let judged = hint_verdicts::judge(transaction, *id, *verdict, at, context.numbering)?;
            let subject = judged.contact.map(Subject::Contact);
            context.note(transaction, verdict.what(), subject, &judged.label)?;
            let linked = judged.linked();
            undo::record(transaction, at, &judged.label, &Undo::Judged(judged.undo))?;
            Written::Judged(judged.contact, linked)
        }
        Write::Import(batch) => {
            let (report, step) = import::write(transaction, at, batch, context.numbering)?;
            if let Some(step) = step {
                undo::record(transaction, at, &batch.label, &Undo::Imported(step))?;
                context.note(transaction, "import", None, &batch.label)?;
            }
            Written::Imported(Box::new(report))
        }
        Write::MergeContacts(contacts) => {
            let (report, step) = merge::merge(transaction, at, contacts, context.numbering)?;
            let label = format!("merge into {}", report.name);
            undo::record(transaction, at, &label, &Undo::Merged(Box::new(step)))?;
            let subject = Some(Subject::Contact(report.contact));
            context.note(transaction, "merge contacts", subject, &report.name)?;
            Written::Merged(Box::new(report))
        }
        Write::DifferentPeople(contacts) => {
            different_people::save(transaction, contacts)?;
            for contact in contacts {
                let subject = Some(Subject::Contact(*contact));
                context.note(transaction, "different people", subject, "")?;
            }
            Written::Settled
        }
        Write::UndoLastExchange => {
            let last = undo::last_exchange(transaction)?;
            let last = last.ok_or(WriteError::Missing("import or merge to undo"))?;
            return apply(transaction, &Write::Undo(last), context);
        }
        Write::Undo(id) => {
            let undone = undo::run(transaction, at, *id, context.numbering)?;
            context.note(transaction, "undo", None, &undone.label)?;
            Written::Undone(undone)
        }
        Write::CountRefused(at, counts) => {
            refused::add(transaction, *at, counts)?;
            Written::Refused
        }
        Write::SaveOwnLines(keys) => {
            own_lines::save(transaction, keys)?;
            Written::Settled
        }
        Write::ReadNumbersAs(region) => {
            migration::follow_reading(transaction, region)?;
            Written::Settled
        }
        Write::Routing(change) => {
            let id = routing::change(transaction, change, context.numbering)?;
            let (what, detail) = routing::words(change);
            context.note(transaction, what, None, &detail)?;
            Written::Routing(id)
        }
        Write::SavePopup(call, decision) => {
            call_popups::save(transaction, *call, decision)?;
            Written::Call
        }
        Write::CountBlocked(id, at) => {
            block_list::count(transaction, *id, *at)?;
            Written::Call
        }
        Write::AgentState(at, next) => {
            let next = next
                .as_ref()
                .map(|(state, reason)| (*state, reason.as_str()));
            agent_states::change(transaction, *at, next, context.numbering)?;
            Written::Call
        }
        Write::Care(care) => {
            let done = care.carry_out(transaction, context.numbering)?;
            if let CareStep::Erase(plan) = care.as_ref() {
                context.note(transaction, "erase person", None, &plan.id.to_string())?;
            }
            Written::Care(done)
        }
        // All but the first are no transactions, and done apart.
        Write::Settle | Write::CopyTo(_) | Write::EmptyLog | Write::MakeAnew => Written::Settled,
    })
}
