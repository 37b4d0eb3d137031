//! SIP (RFC 3261 and its extensions) as a sans-IO state machine.

pub mod account;
pub mod digest;
pub mod endpoint;
pub mod event;
pub mod flow;
pub mod message;
pub mod parse;
pub mod wire;

mod connection;
mod dialog;
mod route;
#[cfg(test)]
mod simulator;
mod timer;
mod transaction;
mod ua;
mod write;

pub use account::{AccountSetup, Credentials};
pub use endpoint::{Census, Endpoint, EndpointConfig};
pub use event::*;
pub use flow::{ConnectionId, Output, ResolveId, Resolved, Transport};
