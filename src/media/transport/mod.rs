//! How media reaches the wire: the port pair, which protocol a datagram is, where to send and by which
//! way, and under which keys.

mod demux;
mod dtls;
pub mod ice;
mod latch;
mod ports;
mod report_latch;
mod srtp;
mod stamped;

pub use demux::Kind;
pub use dtls::{DtlsEvent, DtlsFailure, DtlsTransport, Identity, IdentityError};
pub use latch::{Latch, Proof};
pub use ports::{MOST_AWAITED, PortPair, Received, SparePair, wait_for_any};
pub use report_latch::{FarSound, ReportLatch, Reporter};
pub use srtp::{Protector, SrtpError, Unprotector};
pub use stamped::STAMPS;
