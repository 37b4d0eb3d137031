//! The reader of everything that comes from a network (RFC 3261 sections 7, 20 and 25).
//!
//! It takes what the field sends: folding, compact names, space before the colon, several values
//! on one line, octets that are no UTF-8 (read as Latin-1). It refuses what has no one meaning:
//! unbalanced quotes, empty list elements, doubled single fields, numbers out of range.

mod challenge;
mod event_package;
mod fields;
mod message;
mod multipart;
mod name_addr;
mod replaces;
mod scan;
mod via;

pub use challenge::{AuthFields, challenges, credentials};
pub use event_package::{EventPackage, SubscriptionStateField, event_package, subscription_state};
pub use fields::{comma_list, cseq, media_type, parameters, rack, rseq};
pub use message::{COMPACT_NAMES, Unreadable, message, message_in_transit};
pub use multipart::part;
pub use name_addr::{AddressField, ContactField, address, contact};
pub use replaces::{Replaces, replaces};
pub use scan::{Malformed, is_token, quote};
pub use via::{Via, via};

pub(crate) use message::{scan_head, without_leading_crlf};
