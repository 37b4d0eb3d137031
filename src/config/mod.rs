//! What the user decided: accounts, settings, paths, secrets.

pub mod account;
pub mod file;
pub mod paths;
pub mod secret;
pub mod settings;

pub use account::Account;
pub use settings::{Config, Settings};
