//! What the engine shows: snapshots for who looks, events for who listens, notices for the agent.

use std::sync::Arc;
use std::time::Instant;

use crate::app::engine::{Engine, SNAPSHOT_INTERVAL};
use crate::base::clock;
use crate::base::id::CallId;
use crate::control::{Event, Notice};

impl Engine {
    /// Publishes a snapshot when something changed and the last one is old enough.
    pub(super) fn publish(&mut self, now: Instant) {
        let due = self
            .published
            .is_none_or(|at| now >= at + SNAPSHOT_INTERVAL);
        if !self.dirty || !due {
            return;
        }
        self.publish_now(now);
    }

    /// Publishes what a person waits for, such as a ring edge, without the interval: where there is
    /// a window.
    pub(super) fn publish_edge(&mut self, now: Instant) {
        if self.waker.is_set() {
            self.publish_now(now);
        }
    }

    /// Publishes at once.
    pub(super) fn publish_now(&mut self, now: Instant) {
        if self.recount {
            self.count_to_call_back();
        }
        self.dirty = false;
        self.published = Some(now);
        self.revision += 1;
        let snapshot = self.view(self.revision);
        drop(self.snapshot.send_replace(Arc::new(snapshot)));
        self.waker.wake();
    }

    /// Tells an event, or counts it as missing when the reader does not keep up.
    pub(super) fn tell(&mut self, event: Event) {
        self.dirty = true;
        if self.missing > 0 {
            let lagged = Event::Lagged {
                missing: self.missing,
            };
            if self.events.try_send(lagged).is_err() {
                self.missing += 1;
                return;
            }
            self.missing = 0;
        }
        if self.events.try_send(event).is_err() {
            self.missing += 1;
        }
    }

    /// Tells what went wrong, as an event and as a notice in the window.
    pub(super) fn problem(&mut self, call: Option<CallId>, text: String) {
        self.tell(Event::Error {
            call,
            text: text.clone(),
        });
        self.notice(text);
    }

    /// Shows a notice; the same text is shown once.
    pub(super) fn notice(&mut self, text: String) {
        const SHOWN: usize = 20;
        self.notices.retain(|notice| notice.text != text);
        self.notices.push_back(Notice {
            id: self.next_notice,
            at: clock::wall_now(),
            text,
        });
        self.next_notice += 1;
        while self.notices.len() > SHOWN {
            self.notices.pop_front();
        }
        self.dirty = true;
    }
}
