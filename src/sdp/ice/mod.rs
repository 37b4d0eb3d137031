//! What session descriptions say of ICE (RFC 8839), and what offer and answer agree on.
//!
//! Only UDP is used: candidates of TCP and those with names, such as multicast DNS gives them, are read
//! over. Trickled candidates are not waited for; who trickles is found by its checks.

mod agreement;
mod attributes;
mod candidate;
mod credentials;

pub use agreement::{IcePlan, LocalIce, Settled};
pub use attributes::IceAttributes;
pub use candidate::{Candidate, CandidateKind, RTCP, RTP};
pub use credentials::{IceCredentials, IceSeed};

pub(super) use agreement::{Agreement, agreed_ice, written_ice};
pub(crate) use candidate::is_unicast;

/// Whether a text has that many of the characters that ICE allows (RFC 8839 section 5.1, `ice-char`).
fn is_ice_text(text: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}
