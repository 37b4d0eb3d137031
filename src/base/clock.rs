//! The only place that reads a clock; everything else takes the time as an argument.

use std::time::{Duration, Instant};

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

/// The time since the machine started, sleep included (`CLOCK_BOOTTIME`), to a hundredth of a
/// second; none where the system does not tell it. [`monotonic_now`] rests during sleep.
pub fn uptime() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/uptime").ok()?;
    let seconds: f64 = text.split_whitespace().next()?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}
