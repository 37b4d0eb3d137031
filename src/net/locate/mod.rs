//! Locating a SIP server (RFC 3263 section 4), as decisions alone: what to ask of the DNS next, and
//! in which order to try what it answers. Who asks, and when to give up, is the resolver's.
//!
//! ```text
//! host ─> Location ─ NAPTR? ─> which transports ─ SRV? ─> which hosts and ports ─ A, AAAA? ─> targets
//!         (an address, a port or a transport that is named skips what it makes needless)
//! ```

mod families;
mod records;
mod server;
mod weigh;

pub(crate) use families::happy_order;
pub(crate) use records::{Answer, Naptr, Query, Refusal, Srv};
pub(crate) use server::{Location, Wanted};
