//! What the engine shows: snapshots for who looks, events for who listens, notices for the agent.

use std::sync::Arc;
use std::time::Instant;

use crate::app::engine::{Engine, SNAPSHOT_INTERVAL};
use crate::app::noting;
use crate::base::clock;
use crate::base::id::CallId;
use crate::control::{Event, Notice};

/// What was published last, and what changed since beside the rest.
#[derive(Debug, Default)]
pub(super) struct Published {
    at: Option<Instant>,
    revision: u64,
    /// The revision in which more changed than levels and the time at which a recording plays.
    content: u64,
    /// Whether the levels of the devices changed, or that time.
    pub(super) louder: bool,
}

impl Published {
    /// When the next snapshot may come.
    pub(super) fn next(&self) -> Instant {
        self.at
            .map_or_else(clock::monotonic_now, |at| at + SNAPSHOT_INTERVAL)
    }
}

impl Engine {
    /// Whether there is something that the last snapshot does not show.
    pub(super) fn to_publish(&self) -> bool {
        self.dirty || self.published.louder
    }

    /// Publishes a snapshot when something changed and the last one is old enough.
    pub(super) fn publish(&mut self, now: Instant) {
        if self.to_publish()
            && self
                .published
                .at
                .is_none_or(|_| now >= self.published.next())
        {
            self.publish_now(now);
        }
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
        let published = &mut self.published;
        published.at = Some(now);
        published.revision += 1;
        let levels_alone = std::mem::take(&mut published.louder) && !self.dirty;
        if !levels_alone {
            published.content = published.revision;
        }
        self.dirty = false;
        let (revision, content) = (published.revision, published.content);
        let snapshot = self.view(revision, content);
        drop(self.snapshot.send_replace(Arc::new(snapshot)));
        self.waker.wake();
    }

    /// Tells an event, behind those that wait for their rows.
    pub(super) fn tell(&mut self, event: Event) {
        self.dirty = true;
        if self.tidings.is_empty() {
            return self.hand_out(event);
        }
        self.tidings.push(event);
        self.tell_due(clock::monotonic_now());
    }

    /// Tells the events whose turn it is: their rows are on disk, were refused, or take too long.
    pub(super) fn tell_due(&mut self, now: Instant) {
        while let Some((mut event, durable)) = self.tidings.poll(now) {
            if let Some(durable) = durable
                && let Some(call) = event.say_durable(durable)
                && let Some(call) = self.calls.get_mut(&call)
            {
                call.durable &= durable;
            }
            self.hand_out(event);
        }
    }

    /// Tells what still waits: nothing comes after it.
    pub(super) fn tell_rest(&mut self, now: Instant) {
        while let Some(until) = self.tidings.deadline() {
            self.tell_due(until.max(now));
        }
    }

    /// Hands an event to who listens, or counts it as missing when the reader does not keep up.
    fn hand_out(&mut self, event: Event) {
        noting::note(&event);
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
