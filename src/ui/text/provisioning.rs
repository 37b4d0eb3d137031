//! The texts of settings that an administrator gives out.

use crate::config::provisioning::{Change, Weight};

pub(crate) const PROVISIONING: &str = "Settings from your administrator";
pub(crate) const PROVISIONING_SOURCE: &str = "File or address";
pub(crate) const PROVISIONING_HINT: &str = "https://example.com/ringdesk.toml";
pub(crate) const READ_PROVISIONING: &str = "Read…";
pub(crate) const READING: &str = "Reading…";
pub(crate) const PROVISIONING_CHANGES: &str = "This will change";
pub(crate) const PROVISIONING_CHANGES_NOTHING: &str = "It changes no setting.";
pub(crate) const APPLY: &str = "Apply";
pub(crate) const NOT_NOW: &str = "Not now";
pub(crate) const LOCKED: &str = "Locked";
pub(crate) fn provisioned_from(source: &str) -> String {
    format!("The settings come from {source}; it is read again at each start.")
}
pub(crate) fn will_lock(keys: &[String], because: &str) -> String {
    let keys = keys.join(", ");
    if because.is_empty() {
        format!("You will not be able to change: {keys}")
    } else {
        format!("You will not be able to change: {keys} ({because})")
    }
}
pub(crate) fn locked_because(because: &str) -> String {
    if because.is_empty() {
        "Locked by your administrator".to_owned()
    } else {
        format!("Locked by your administrator: {because}")
    }
}
/// A change and what it may do, for a list.
pub(crate) fn change(change: &Change) -> String {
    let kind = match change.weight {
        Weight::Plain => return change.to_string(),
        Weight::Forwarding => "Forwarding",
        Weight::Trust => "Whom you trust",
        Weight::Proxy => "Servers in between",
        Weight::Recording => "Recording",
    };
    format!("{kind}: {change}")
}
