//! Two or more endpoints under a virtual clock, with seeded loss, duplication and reordering.
//!
//! `RINGDESK_SIM_CALLS` says how many calls the long test makes (2,000 where it is not set); a
//! failure names the seed, and the same seed gives the same run.

pub(in crate::sip) mod bench;
mod calls;
mod challenges;
mod checks;
mod mutations;
mod peers;
mod registrar;
mod registrations;
mod scenarios;
mod secured;
mod strangers;
mod streams;
mod subscriptions;
mod torture;
mod world;
