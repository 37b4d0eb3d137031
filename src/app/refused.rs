//! What the SIP core refused unheard, and what calls threw away of the datagrams that came to their
//! sound, goes into the store, once a minute.

use std::time::{Duration, Instant};

use crate::app::engine::Engine;
use crate::base::clock;
use crate::crm::row::SOUND;
use crate::crm::store::Write;
use crate::media::dropped::DroppedOf;

/// How long counts are gathered.
const GATHER: Duration = Duration::from_secs(60);
/// How long the first are.
const SOON: Duration = Duration::from_secs(1);

impl Engine {
    /// Writes the counts that are due; they are no calls, so a store that refuses them is not
    /// asked again.
    pub(super) fn write_refusals(&mut self, now: Instant) {
        if !self.endpoint.has_refusals() {
            self.refusals_due = None;
            return;
        }
        // The first one is written soon, so that somebody who looks at once finds it.
        let last = self.refusals_written;
        let soon = now + SOON;
        let due = *self
            .refusals_due
            .get_or_insert_with(|| last.map_or(soon, |at| soon.max(at + GATHER)));
        if due > now {
            return;
        }
        self.refusals_due = None;
        self.refusals_written = Some(now);
        let counts = self
            .endpoint
            .take_refusals()
            .into_iter()
            .map(|refused| (refused.source, refused.why.word(), refused.count))
            .collect();
        drop(
            self.store
                .write(Write::CountRefused(clock::wall_now(), counts)),
        );
    }

    /// Writes what a call threw away; it is told once a minute and at its end.
    pub(super) fn write_dropped(&self, dropped: &[DroppedOf]) {
        let row = |of: &DroppedOf| (of.source, format!("{SOUND}{}", of.reason.word()), of.count);
        let counts = dropped.iter().map(row).collect();
        drop(
            self.store
                .write(Write::CountRefused(clock::wall_now(), counts)),
        );
    }
}
