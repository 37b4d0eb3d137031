//! Settings of an administrator, before they are applied.

use crate::config::provisioning::Change;

/// Where a provisioning file stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProvisioningView {
    /// It is being read or fetched.
    Fetching(String),
    /// It cannot be used: what is wrong and what to do. What was applied before stays.
    Failed(String),
    /// It can be applied.
    Offered {
        /// Where it is from.
        source: String,
        /// What becomes another, what matters most first.
        changes: Vec<Change>,
        /// What the user may not change any more.
        locked: Vec<String>,
        /// Why not.
        because: String,
    },
}
