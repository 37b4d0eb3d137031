//! The CRM: one SQLite file, one writer, caller identification, search.
//!
//! `store` is the face. Each table has its file with the migration, the queries and the writes;
//! `writer` and `reader` are the threads that run them.

mod apply;
mod arrivals;
mod audit;
mod call_backs;
mod call_choice;
mod call_criteria;
pub mod call_ladders;
mod call_links;
mod call_page;
mod call_quality;
mod call_types;
mod calls;
mod cell;
mod contact_numbers;
mod contact_uids;
mod contacts;
mod direct_dial;
mod duplicates;
mod exchange_row;
pub mod export;
mod figures;
mod find;
pub mod import;
mod link_again;
mod match_number;
mod memberships;
mod merge;
mod migration;
mod network_share;
mod notes;
mod number_choices;
mod number_key;
mod on_answer;
mod open;
mod organizations;
mod own_lines;
mod page_row;
mod quality_row;
mod read_work;
mod reader;
mod records;
mod refused;
mod removal;
pub mod row;
mod same_person;
mod search;
pub mod store;
mod store_error;
mod subject;
mod tasks;
#[cfg(test)]
mod tests;
mod ticket_row;
mod tickets;
mod timeline;
mod undo;
mod vcard_writer;
mod work_row;
mod wrap_up;
mod write;
mod writer;

pub use reader::Reader;
pub use store::{OpenError, Store, StoreError};
