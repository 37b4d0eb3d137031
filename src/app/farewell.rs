//! The end: calls hang up, bindings are removed, rows reach the disk.

use std::time::{Duration, Instant};

use crate::app::accounts::LiveAccount;
use crate::app::engine::Engine;
use crate::base::id::CallId;

/// How long un-registering and hanging up may take at the end (a script may count on two seconds in all).
const FAREWELL: Duration = Duration::from_millis(1_500);

impl Engine {
    /// Begins the end: calls hang up, subscriptions and registrations are given up.
    pub(super) fn begin_farewell(&mut self, now: Instant) {
        if self.ending.is_some() {
            return;
        }
        self.ending = Some(now + FAREWELL);
        let open: Vec<CallId> = self
            .calls
            .values()
            .filter(|call| call.ended.is_none())
            .map(|call| call.id)
            .collect();
        for call in open {
            self.hang_up(now, call);
        }
        self.endpoint.unsubscribe_all(now);
        self.endpoint.unregister_all(now);
        self.refusals_due = Some(now);
        self.write_refusals(now);
        self.end_agent();
        self.dirty = true;
    }

    /// Whether all is said: calls are over and told, bindings are gone, rows are on disk.
    pub(super) fn farewell_over(&mut self, now: Instant) -> bool {
        let Some(until) = self.ending else {
            return false;
        };
        let quiet = self
            .calls
            .values()
            .all(|call| call.ended.is_some() && call.ending.is_none())
            // A BYE that is lost is sent again.
            && self.sessions.is_empty()
            && self.accounts.iter().all(LiveAccount::gone)
            // Who was subscribed to is told, or calls would be watched for nobody.
            && self.endpoint.census().subscriptions == 0
            && self.journal.is_empty()
            && self.tidings.is_empty();
        let over = quiet || now >= until;
        if over {
            self.tell_rest(now);
            self.publish_now(now);
        }
        over
    }
}
