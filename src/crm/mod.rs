//! The CRM: one SQLite file, one writer, caller identification, search.

pub mod row;
pub mod store;

pub use store::{OpenError, Store, StoreError};
