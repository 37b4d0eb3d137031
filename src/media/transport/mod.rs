//! How media reaches the wire: the port pair, and where to send.

mod latch;
mod ports;

pub use latch::Latch;
pub use ports::{PortPair, SparePair};
