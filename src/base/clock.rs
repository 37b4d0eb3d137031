//! The only place that reads a clock; everything else takes the time as an argument.

use std::time::Instant;

use jiff::Timestamp;

/// Reads the monotonic clock, for timers and durations.
#[expect(clippy::disallowed_methods, reason = "the one place that may")]
pub fn monotonic_now() -> Instant {
    Instant::now()
}

/// Reads the wall clock, for what a person or another system will read.
pub fn wall_now() -> Timestamp {
    Timestamp::now()
}
