//! Sockets, name resolution and route lookup: tasks that move bytes and decide nothing.
//!
//! [`Net`] is the one face. Its owner performs [`Output`](crate::base::flow::Output)s on it, which
//! never blocks, and receives [`Input`](crate::base::flow::Input)s from a bounded channel. When that
//! channel is full the sockets are read no further, so that the system's buffers fill and peers
//! slow down or datagrams are lost, as the network may lose them anyway.
//!
//! Apart from them, [`NetWatch`] notices another network and a wake-up from sleep, and [`http`] fetches files.
//!
//! ```text
//! owner ── perform ──> Net ──> udp  (try_send, short backlog)          ┐
//!                          ──> connections  (a bounded queue each)     ├─> Input channel ──> owner
//!                                tcp, tls (trust: whom we believe), ws │
//!                          ──> resolver (a task per question, 8 s)     ┘
//! ```

mod certificate_fault;
mod certificate_names;
mod connections;
pub mod http;
#[cfg(target_os = "linux")]
mod icmp;
#[cfg(target_os = "linux")]
mod kernel_news;
#[cfg(test)]
mod limit_tests;
mod locate;
mod names;
mod resolver;
mod route;
#[cfg(test)]
mod secured_tests;
mod sockets;
mod tcp;
mod tls;
mod traffic_class;
mod trust;
mod udp;
mod watch;
mod ws;
mod zones;

pub use certificate_fault::Fingerprint;
pub use sockets::{Limits, Net, NetError, NetOptions, Profile};
pub use tls::{TlsFileError, TlsIdentity, TlsSettings};
pub use watch::{NetChange, NetWatch};
