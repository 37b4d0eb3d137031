//! Sockets, name resolution and route lookup: tasks that move bytes and decide nothing.
//!
//! [`Net`] is the one face. Its owner performs [`Output`](crate::base::flow::Output)s on it, which
//! never blocks, and receives [`Input`](crate::base::flow::Input)s from a bounded channel. When that
//! channel is full the sockets are read no further, so that the system's buffers fill and peers
//! slow down or datagrams are lost, as the network may lose them anyway.
//!
//! Apart from them, [`NetWatch`] notices another network and a wake-up from sleep.
//!
//! ```text
//! owner ── perform ──> Net ──> udp  (try_send, short backlog)          ┐
//!                          ──> tcp  (a bounded queue per connection)   ├─> Input channel ──> owner
//!                          ──> resolver (a task per question, 5 s)     ┘
//! ```

#[cfg(target_os = "linux")]
mod icmp;
mod resolver;
mod route;
mod sockets;
mod tcp;
mod udp;
mod watch;

pub use sockets::{Limits, Net, NetError, NetOptions};
pub use watch::{NetChange, NetWatch};
