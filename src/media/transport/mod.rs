//! How media reaches the wire: the port pair, where to send, and under which keys.

mod latch;
mod ports;
mod srtp;

pub use latch::Latch;
pub use ports::{PortPair, SparePair};
pub use srtp::{Protector, SrtpError, Unprotector};
