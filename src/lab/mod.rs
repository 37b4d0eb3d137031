//! A small telephone system on loopback, so that anyone can try and test the phone without a PBX.
//!
//! ```text
//! phone <── SIP ──> hub: server (registrar, stateless proxy) <── SIP ──> peers (one endpoint)
//!   ^                                                                      ^
//!   └───────────────────────────── RTP ────────────────────────────────────┘
//! ```
//!
//! The server asks for digest authentication and routes requests to the phones that registered and
//! to the lab's own peers: some that can be called ([`Peer`]) and some that call ([`Caller`]).

mod demo;
mod guard;
mod handle;
mod hop;
mod hub;
mod peers;
mod registrar;
mod server;
#[cfg(test)]
mod tests;
mod voice;

pub use demo::{DemoContact, demo_contacts};
pub use handle::{Caller, Lab, LabError, LabEvent, LabOptions, LabUser, Peer};
pub use registrar::Lifetimes;
pub use server::ServerOptions;
pub use voice::VoiceFile;
