//! The documents in which others tell of themselves: dialog state (RFC 4235), presence (RFC 3863
//! with activities of RFC 4480) and waiting messages (RFC 3842).
//!
//! Each reader is a pure function over bytes from a network, with limits on size, depth and
//! count. What is subscribed to and when is the business of `sip` and `app`.
//!
//! # Deviations
//!
//! - Elements are known by their local names: many notifiers declare wrong namespaces.
//! - A full dialog state counts whatever its version: NOTIFYs out of order are refused before, and
//!   some notifiers always write the same number.

pub mod dialog_info;
pub mod line;
pub mod message_summary;
pub mod pidf;

mod xml;

pub use xml::Unreadable;
