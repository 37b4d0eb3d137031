//! Reads of tickets, notes, tasks and what happened around a record.

use jiff::Timestamp;

use crate::base::id::{CallId, OrganizationId, TaskId, TicketId};
use crate::crm::reader::Reader;
use crate::crm::row::{
    AuditRow, CallCriteria, CallCursor, CallFilter, CallRow, CallTypeRow, CallbackPage,
    CallbackRow, Found, HourFigures, Match, OnAnswer, OrganizationRow, QueueFigures, Subject,
    TaskCursor, TaskFilter, TaskRow, TicketFilter, TicketRow, TimelineCursor, TimelineEntry,
    TimelineId, UndoRow,
};
use crate::crm::store::StoreError;
use crate::crm::{
    audit, call_backs, call_criteria, call_types, figures, find, on_answer, organizations, tasks,
    tickets, timeline, undo,
};

impl Reader {
    /// Reads one organization.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn organization(&self, id: OrganizationId) -> Result<Option<OrganizationRow>, StoreError> {
        Ok(organizations::one(self.connection(), id)?)
    }

    /// Reads the rows of a page of calls by narrower criteria, newest first, and where the next one begins. Where
    /// few rows are wanted a page has fewer than the limit, or none; only the last one has no next.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn calls_where(
        &self,
        filter: CallFilter,
        criteria: &CallCriteria,
        search: &str,
        after: Option<CallCursor>,
        limit: usize,
    ) -> Result<(Vec<CallRow>, Option<CallCursor>), StoreError> {
        call_criteria::page(self.connection(), filter, criteria, search, after, limit)
    }

    /// Counts what happened in each queue in that time.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn figures(
        &self,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<QueueFigures>, StoreError> {
        Ok(figures::by_queue(self.connection(), since, until)?)
    }

    /// Reads what happened in each hour of some time, the first hour first.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn hours(
        &self,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<HourFigures>, StoreError> {
        Ok(figures::by_hour(self.connection(), since, until)?)
    }

    /// Reads one ticket with its articles.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn ticket(&self, id: TicketId) -> Result<Option<TicketRow>, StoreError> {
        Ok(tickets::one(self.connection(), id)?)
    }

    /// Reads a page of tickets without their articles, the last changed first; `before` is the last row of
    /// the page before.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn tickets(
        &self,
        filter: TicketFilter,
        search: &str,
        before: Option<(Timestamp, TicketId)>,
        limit: usize,
    ) -> Result<Vec<TicketRow>, StoreError> {
        Ok(tickets::page(
            self.connection(),
            filter,
            search,
            before,
            limit,
        )?)
    }

    /// Searches contacts, leads, organizations, tickets, notes and calls, at most so many of each.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn search(&self, text: &str, limit: usize) -> Result<Found, StoreError> {
        find::everything(self.connection(), text, limit)
    }

    /// Where the page after a ticket begins.
    ///
    /// # Errors
    ///
    /// Fails when there is no such ticket.
    pub fn after_ticket(&self, id: TicketId) -> Result<(Timestamp, TicketId), StoreError> {
        tickets::cursor(self.connection(), id)?.ok_or(StoreError::Missing("ticket"))
    }

    /// Reads a page of tasks: those to do by when they are due, without a time last.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn tasks(
        &self,
        filter: TaskFilter,
        after: Option<TaskCursor>,
        limit: u32,
    ) -> Result<Vec<TaskRow>, StoreError> {
        Ok(tasks::page(self.connection(), filter, after, limit)?)
    }

    /// Where the page after a task begins.
    ///
    /// # Errors
    ///
    /// Fails when there is no such task.
    pub fn after_task(&self, id: TaskId) -> Result<TaskCursor, StoreError> {
        tasks::cursor(self.connection(), id)?.ok_or(StoreError::Missing("task"))
    }

    /// Reads the call types in their order.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn call_types(&self) -> Result<Vec<CallTypeRow>, StoreError> {
        Ok(call_types::list(self.connection())?)
    }

    /// Reads a page of what happened around a record, the newest first, and where the next one begins.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn timeline(
        &self,
        about: Subject,
        after: Option<TimelineCursor>,
        limit: usize,
    ) -> Result<(Vec<TimelineEntry>, Option<TimelineCursor>), StoreError> {
        Ok(timeline::page(self.connection(), about, after, limit)?)
    }

    /// Where a timeline goes on after an entry.
    ///
    /// # Errors
    ///
    /// Fails when there is no such entry.
    pub fn after_entry(&self, entry: TimelineId) -> Result<TimelineCursor, StoreError> {
        timeline::cursor(self.connection(), entry)?.ok_or(StoreError::Missing("entry"))
    }

    /// Decides what opens when a call was answered; none for one that is not in the log. A ticket that was
    /// changed within so many days opens the customer's profile.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn on_answer(
        &self,
        call: CallId,
        now: Timestamp,
        days: u16,
    ) -> Result<Option<OnAnswer>, StoreError> {
        Ok(on_answer::decide(self.connection(), call, now, days)?)
    }

    /// Decides the same by who may be calling, for a call that is not in the log yet, and by whom the agent
    /// chose of them, where they did.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn on_answer_of(
        &self,
        candidates: Vec<Match>,
        said: Option<Option<Subject>>,
        now: Timestamp,
        days: u16,
    ) -> Result<OnAnswer, StoreError> {
        let decided = on_answer::decide_for(self.connection(), candidates, said, now, days);
        Ok(decided?)
    }

    /// Reads how often somebody tried to call back a missed call and those before it that still wait, and when the
    /// last time.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn attempts(&self, missed: CallId) -> Result<(u32, Option<Timestamp>), StoreError> {
        let (count, last) = call_backs::attempts(self.connection(), missed)?;
        let last = last.and_then(|micros| Timestamp::from_microsecond(micros).ok());
        Ok((count, last))
    }

    /// Reads a page of the numbers to call back, the newest missed call first; a search is for a name or
    /// number.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn callbacks(
        &self,
        search: &str,
        after: Option<CallCursor>,
        limit: usize,
    ) -> Result<CallbackPage, StoreError> {
        let page = self.calls(CallFilter::ToCallBack, search, after, limit)?;
        let rows = page.rows.into_iter().zip(page.waiting);
        let rows = rows.map(|(call, missed)| {
            let (attempts, last_attempt) = self.attempts(call.id)?;
            let last_agent = match attempts {
                0 => None,
                _ => call_backs::last_agent(self.connection(), call.id)?,
            };
            let last_note = call_backs::last_note(self.connection(), call.id)?;
            Ok(CallbackRow {
                call,
                missed,
                attempts,
                last_attempt,
                last_agent,
                last_note,
            })
        });
        Ok(CallbackPage {
            rows: rows.collect::<Result<_, StoreError>>()?,
            next: page.next,
            total: page.total,
        })
    }

    /// Reads the missed calls that a dialled call is the answer to, the oldest first.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn answers(&self, call: CallId) -> Result<Vec<CallId>, StoreError> {
        Ok(call_backs::answered_by(self.connection(), call)?)
    }

    /// Reads who changed what, the newest first, of everything or of one record; `before` is the last row of
    /// the page before.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn audit(
        &self,
        subject: Option<Subject>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<AuditRow>, StoreError> {
        Ok(audit::page(self.connection(), subject, before, limit)?)
    }

    /// Reads the steps that can be undone, the newest first.
    ///
    /// # Errors
    ///
    /// Fails when SQLite refuses.
    pub fn undo_steps(&self) -> Result<Vec<UndoRow>, StoreError> {
        Ok(undo::list(self.connection())?)
    }
}
