//! Writes of calls and what the store says of them.

use std::time::Instant;

use crate::app::engine::{Awaited, Engine, Internal};
use crate::control::Event;
use crate::crm::StoreError;
use crate::crm::store::{Pending, Write, Written};

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
            // Somebody named a record that is gone, or wanted what cannot be; the rows of calls wait behind their insertion.
            Err(error @ (StoreError::Missing(_) | StoreError::Refused(_)))
                if !retry && self.journal.is_empty() =>
            {
                let text = error.to_string();
                self.problem(None, text);
            }
            Err(error) if retry => self.journal.retry_failed(now, error),
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
            self.await_ack(write, pending, false);
        }
        self.dirty = true;
    }

    fn await_ack(&self, write: Write, pending: Pending, retry: bool) {
        let Pending { kept, written } = pending;
        if let Write::InsertCall(row) = &write {
            // Out of turn: what was written before it may wait for an import, the caller must not.
            let (call, internal) = (row.id, self.internal.clone());
            tokio::spawn(async move {
                if kept.await.is_ok() {
                    drop(internal.send(Internal::Kept(call)).await);
                }
            });
        }
        // The journal gives out no more acknowledgements than there is room for.
        let awaited = Awaited {
            write,
            written,
            retry,
        };
        if self.acks.try_send(awaited).is_err() {
            tracing::error!("an acknowledgement of the store cannot be awaited");
        }
    }

    pub(super) fn retry_writes(&mut self, now: Instant) {
        if let Some((write, pending)) = self.journal.due(now) {
            self.await_ack(write, pending, true);
        }
    }
}
