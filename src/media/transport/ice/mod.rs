//! Interactive Connectivity Establishment (RFC 8445) for one call, with STUN (RFC 8489) and TURN
//! (RFC 8656) over UDP, consent (RFC 7675) included; sans-IO.
//!
//! ```text
//!                 +-- probe (STUN server)           how our sockets look from outside
//! session: socket +-- turn  (TURN server)  <------- datagrams that are relayed
//!    |    gathering: candidates
//!    +-- agent: checklist of pairs -> checks -> nomination -> consent
//!    +-- media: over the pair that was chosen
//! ```
//!
//! The agent is our own: that of `rtc::ice` changes its role before a message is authenticated, drops
//! the answer that tells of a conflict, has no components and no pace, and draws its transaction ids
//! itself; of `rtc::turn` the last holds too. What both write and read on the wire is `rtc::stun`.

mod agent;
mod checklist;
mod consent;
mod gathering;
mod pair;
mod probe;
mod session;
mod stun;
mod transaction;
mod turn;

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

pub use gathering::IceServers;
pub use session::{IceEvent, IceFault, IceSession, IceTransmit, Media};
pub use turn::{TurnFault, TurnServer};
