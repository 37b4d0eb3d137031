//! Whole calls under simulated time: two sessions, a network between them, a seed.

mod changes;
mod far_ends;
mod handshakes;
mod holds;
mod one_way;
mod secured;
mod sound;
mod strangers;
pub(super) mod world;
