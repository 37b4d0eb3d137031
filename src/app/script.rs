//! What a tester's phone does by itself, as pure decisions.

use std::time::{Duration, Instant};

use crate::app::options::{IncomingPolicy, Script};
use crate::sip::Status;

/// What to do with a call that has just arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reaction {
    /// Let it ring; answer at that time if there is one.
    Ring(Option<Instant>),
    /// Answer it at once: it takes the place of a call that was answered.
    TakePlace,
    /// Send sound before acceptance.
    EarlyMedia,
    /// Refuse.
    Refuse(Status),
    /// Send elsewhere.
    Redirect(String),
}

/// Decides on an incoming call.
pub(super) fn on_incoming(script: &Script, now: Instant) -> Reaction {
    match &script.incoming {
        IncomingPolicy::Ring => Reaction::Ring(None),
        IncomingPolicy::Answer(after) => Reaction::Ring(Some(now + *after)),
        IncomingPolicy::EarlyMedia => Reaction::EarlyMedia,
        IncomingPolicy::Reject(code) => Reaction::Refuse(Status::new(*code, phrase(*code))),
        IncomingPolicy::Redirect(target) => Reaction::Redirect(target.clone()),
    }
}

/// Whether a call that arrives is answered as soon as it rings.
pub(super) fn answers_at_once(script: &Script) -> bool {
    script.incoming == IncomingPolicy::Answer(Duration::ZERO)
}

/// When an answered call ends by itself.
pub(super) fn hang_up_at(script: &Script, now: Instant) -> Option<Instant> {
    script.hang_up_after.map(|after: Duration| now + after)
}

/// The usual phrase of a final status (RFC 3261 section 21).
pub(super) fn phrase(code: u16) -> &'static str {
    match code {
        301 => "Moved Permanently",
        302 => "Moved Temporarily",
        403 => "Forbidden",
        404 => "Not Found",
        408 => "Request Timeout",
        480 => "Temporarily Unavailable",
        486 => "Busy Here",
        488 => "Not Acceptable Here",
        500 => "Server Internal Error",
        503 => "Service Unavailable",
        600 => "Busy Everywhere",
        603 => "Decline",
        604 => "Does Not Exist Anywhere",
        606 => "Not Acceptable",
        _ => "Refused",
    }
}
