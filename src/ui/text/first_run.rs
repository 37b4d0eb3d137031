//! The texts of the first minute: an account from an address and a password.

use crate::base::flow::Transport;

pub(crate) const OWN_ACCOUNT: &str = "Or with your own account";
pub(crate) const PLAIN_ADDRESS_HINT: &str = "alice@example.com";
pub(crate) const CONNECT: &str = "Connect";
pub(crate) const CONNECTING: &str = "Connecting…";
pub(crate) const SAVE_ACCOUNT: &str = "Save account";
pub(crate) const SAVE_ANYWAY: &str = "Save anyway";
pub(crate) const CHANGE_ACCOUNT: &str = "More settings…";
pub(crate) const IN_THE_CLEAR: &str =
    "It is not encrypted: others on the way can read who calls whom.";
pub(crate) fn reached(address: &str, transport: Transport, server: &str) -> String {
    format!("{address} works: it is registered by {transport} at {server}.")
}
pub(crate) fn way_failed(way: &str, reason: &str) -> String {
    format!("{way}: {reason}")
}
pub(crate) const WAY_AUTO: &str = "As the domain says";
pub(crate) const WAY_WSS: &str = "WebSocket, TLS";
pub(crate) fn not_an_address(typed: &str) -> String {
    format!("\"{typed}\" is no address; write it as {PLAIN_ADDRESS_HINT}")
}
