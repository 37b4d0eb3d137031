//! What every room may use: ids, clock, randomness, phone numbers, URIs, dial plan, redaction.

pub mod clock;
pub mod dial_plan;
pub mod id;
pub mod phone_number;
pub mod random;
pub mod redact;
pub mod uri;
