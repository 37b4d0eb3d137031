//! How media reaches the wire: the port pair, which protocol a datagram is, where to send, and under
//! which keys.

mod demux;
mod latch;
mod ports;
mod srtp;

pub use demux::Kind;
pub use latch::Latch;
pub use ports::{PortPair, SparePair};
pub use srtp::{Protector, SrtpError, Unprotector};
