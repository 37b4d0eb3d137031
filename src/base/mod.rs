//! What every room may use: ids, clock, randomness, countries, phone numbers, URIs, dial plan, flows,
//! port ranges, sites, zones, priorities, redaction, cleaning, printing, the log file.

pub mod clean_text;
pub mod clock;
pub mod country;
pub mod dial_class;
pub mod dial_plan;
pub mod flow;
pub mod id;
pub mod log;
pub(crate) mod number_pattern;
pub(crate) mod number_spelling;
pub mod page_template;
pub mod phone_number;
pub mod port_range;
pub mod printable;
pub mod priority;
pub(crate) mod private_dir;
pub mod random;
pub mod redact;
pub mod scrub;
pub mod site;
pub mod uri;
pub mod zone;
