//! One call: the SIP session, offer and answer, and the media plan, joined. Sans-IO.
//!
//! ```text
//! outgoing   Dialling -> Offered -> Established -> Ended
//! incoming   Arriving -> Ringing -> Answering -> Established -> Ended
//! ```
//!
//! When our side hangs up, a call that the far end knows of is `Ending` until the SIP layer has said
//! goodbye; for people and records it is over at once (`Edge::HungUp`).
//!
//! Inputs are the agent's wishes (`ring`, `answer`, `hold` …) and what the SIP layer tells
//! (`handle_*`); outputs are [`Action`]s, drained by `poll_action` after each input.

mod action;
mod change;
mod fork;
mod hold;
mod ice;
mod negotiation;
mod phase;
mod session;
#[cfg(test)]
mod tests;
mod transfer;

pub use action::{Action, CallError, Edge, SipAction};
pub use negotiation::{MediaPreferences, SrtpPreferences};
pub use phase::Phase;
pub use session::Call;
