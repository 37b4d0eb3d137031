//! Writes of calls and what the store says of them.

use std::time::Instant;

use crate::app::engine::{Awaited, Engine, Internal, Kept};
use crate::app::journal::{PATIENCE, Retried};
use crate::app::tidings::Ticket;
use crate::base::clock;
use crate::control::Event;
use crate::crm::StoreError;
use crate::crm::store::{CallChange, Pending, Write, Written};

impl Engine {
    /// A write was acknowledged or refused.
    pub(super) fn handle_written(
        &mut self,
        now: Instant,
        write: Write,
        result: Result<Written, StoreError>,
        retry: bool,
    ) {
        self.journal.answered(now);
        match &result {
            Ok(_) => {
                self.rows_changed();
                if retry {
                    self.journal.retried(now);
                }
                self.recount = true;
                self.follow_people(&write);
            }
            Err(StoreError::Closed) => {}
            Err(error) if retry => {
                if self.journal.retry_failed(now, error) == Retried::Dropped {
                    self.problem(None, error.to_string());
                }
            }
            // Somebody named a record that is gone, or wanted what cannot be; the rows of calls wait behind their insertion.
            Err(error) if !self.journal.keeps(&write, error) => {
                self.problem(None, error.to_string());
            }
            Err(error) => {
                if self.journal.is_empty() {
                    self.tell(Event::Error {
                        call: None,
                        text: format!("{error}; until then it is kept in memory"),
                    });
                }
                self.journal.refused(now, write.clone(), error);
            }
        }
        self.handle_call_written(now, &write, result.as_ref().ok());
        self.retry_writes(now);
    }

    /// Lets pages be read again.
    pub(super) fn rows_changed(&mut self) {
        self.store_revision += 1;
        self.pages.invalidate(self.store_revision);
        self.dirty = true;
    }

    /// Sends a write of a call through the journal and awaits its acknowledgement.
    pub(super) fn record(&mut self, write: Write) {
        if let Some((write, pending)) = self.journal.write(write) {
            self.await_ack(write, pending, false, None);
        }
        self.dirty = true;
    }

    /// Sends a write of a call or of the agent, and tells an event once it is on disk, was refused, or
    /// patience is over.
    pub(super) fn record_and_tell(&mut self, write: Write, event: Event) {
        if let Write::ChangeCall(id, _) | Write::SavePopup(id, _) = &write
            && let Some(call) = self.calls.get_mut(id)
        {
            call.unwritten += 1;
        }
        let now = clock::monotonic_now();
        let ticket = self.tidings.push_awaiting(event, now + PATIENCE);
        match self.journal.write(write) {
            Some((write, pending)) => self.await_ack(write, pending, false, Some(ticket)),
            None => {
                self.tidings.answered(ticket, false);
                self.tell_due(now);
            }
        }
        self.dirty = true;
    }

    /// What is waited for would survive a power loss.
    pub(super) fn handle_kept(&mut self, now: Instant, what: Kept) {
        match what {
            Kept::Beginning(call) => self.handle_row_answered(now, call, true),
            Kept::End(call) => self.tell_ended(call, true),
            Kept::Event(ticket) => {
                self.tidings.answered(ticket, true);
                self.tell_due(now);
            }
        }
    }

    fn await_ack(&self, write: Write, pending: Pending, retry: bool, event: Option<Ticket>) {
        let Pending { kept, written } = pending;
        let awaits = match &write {
            Write::InsertCall(row) => Some(Kept::Beginning(row.id)),
            Write::ChangeCall(id, CallChange::Ended { .. }) => Some(Kept::End(*id)),
            _ => event.map(Kept::Event),
        };
        if let Some(what) = awaits {
            // Out of turn: what was written before it may wait for an import, who calls or listens must not.
            let internal = self.internal.clone();
            tokio::spawn(async move {
                if kept.await.is_ok() {
                    drop(internal.send(Internal::Kept(what)).await);
                }
            });
        }
        // The journal gives out no more acknowledgements than there is room for.
        let awaited = Awaited {
            write,
            written,
            retry,
            event,
        };
        if self.acks.try_send(awaited).is_err() {
            tracing::error!("an acknowledgement of the store cannot be awaited");
        }
    }

    pub(super) fn retry_writes(&mut self, now: Instant) {
        if let Some((write, pending)) = self.journal.due(now) {
            self.await_ack(write, pending, true, None);
        }
    }
}
