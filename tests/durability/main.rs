//! What was acknowledged stays: the store is killed, cut off from power and given a bad disk.
//!
//! Acknowledged means that another process has read it. So one process, the driver, opens a store and
//! writes a seeded script of calls and edits into it, with a line on its standard output for each change
//! that the store calls written; the test reads these lines, ends the driver in one way or another, and
//! compares what is left with what they said.
//!
//! `make test` takes samples, `make soak` the whole: `RINGDESK_STORE_KILLS` (in each phase),
//! `RINGDESK_STORE_IMAGES` and `RINGDESK_STORE_FAULTS=all`. All is repeatable by `RINGDESK_SEED`, but for
//! the moments at which the system lets threads run.

#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may end where it fails"
)]
#![expect(
    clippy::print_stdout,
    reason = "what was tried is counted and printed; the driver talks on its standard output"
)]
#![expect(clippy::disallowed_methods, reason = "these tests run in real time")]
#![expect(
    clippy::indexing_slicing,
    reason = "an index out of bounds fails the test, as it should"
)]

mod crash_images;
mod disk;
mod driver;
mod episodes;
mod expected;
mod faults;
mod kills;
mod look;
mod old_file;
#[path = "../peers/random.rs"]
#[expect(dead_code, reason = "the tests against other programs need more of it")]
mod random;
mod record;
mod script;
mod trace;

/// What the environment says of a seed, or the one of this year's beginning.
fn seed() -> u64 {
    random::number_from("RINGDESK_SEED").unwrap_or(20_261_129)
}
