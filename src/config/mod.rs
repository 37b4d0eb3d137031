//! What the user decided: accounts, settings, paths, secrets.

pub mod account;
pub mod call_extensions;
pub mod call_rules;
pub mod caller_id;
pub mod desktop;
pub mod dialling_rules;
pub mod file;
pub mod ice;
pub mod key_chord;
mod keyring;
pub mod numbering;
pub mod paths;
pub mod provisioning;
pub(crate) mod replace;
pub mod retention;
pub mod secret;
pub mod settings;
pub mod tls;
pub mod transfer_policy;
pub mod validate;
pub mod voice;

pub use account::Account;
pub use file::ConfigError;
pub use paths::{Paths, PathsError};
pub use secret::{SecretError, SecretStore};
pub use settings::{Config, RecordingPolicy, RedundancyChoice, Settings};
pub use transfer_policy::TransferPolicy;
pub use validate::Problem;
