//! The CRM: one SQLite file, one writer, caller identification, search.
//!
//! `store` is the face. Each table has its file with the migration, the queries and the writes;
//! `writer` and `reader` are the threads that run them.

mod arrivals;
pub mod call_ladders;
mod call_links;
mod call_page;
mod call_quality;
mod calls;
mod contact_numbers;
mod contacts;
mod link_again;
mod match_number;
mod migration;
mod network_share;
mod number_choices;
mod number_key;
mod open;
mod organizations;
mod quality_row;
mod reader;
mod refused;
pub mod row;
mod search;
pub mod store;
#[cfg(test)]
mod tests;
mod writer;

pub use reader::Reader;
pub use store::{OpenError, Store, StoreError};
