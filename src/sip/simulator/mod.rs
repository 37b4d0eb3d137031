//! Two or more endpoints under a virtual clock, with seeded loss, duplication and reordering.
//!
//! `RINGDESK_SIM_CALLS` says how many calls the long test makes (2,000 where it is not set) and
//! `RINGDESK_SIM_SEED` with which seed it begins (1). A failure names its seed, and the same seed
//! gives the same run.

mod agent;
mod answers;
pub(in crate::sip) mod bench;
mod calls;
mod challenges;
mod checks;
mod early_media;
mod faults;
mod hanging_up;
mod incoming_calls;
mod inside_calls;
mod invitations;
mod limits;
mod mutations;
mod networks;
mod notifier;
mod redirections;
mod registrar;
mod registrations;
mod reliable;
mod scenarios;
mod secured;
mod session_timers;
mod strangers;
mod streams;
mod subscriptions;
mod torture;
mod transfers;
mod watching;
mod witness;
mod world;
