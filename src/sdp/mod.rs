//! Session descriptions (RFC 8866) and offer/answer (RFC 3264); pure.

pub mod codec;
pub mod description;
pub mod negotiate;

pub use codec::Codec;
pub use description::{Direction, SdpError, SessionDescription};
pub use negotiate::{LocalMedia, MediaPlan, NegotiationError, accept, answer, offer};
