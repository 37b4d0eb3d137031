//! The texts of the page with a call's SIP messages.

use crate::ui::locale;

pub(crate) const LADDER: &str = "SIP messages";
pub(crate) const LADDER_BACK: &str = "Close the SIP messages";
pub(crate) const LADDER_COPY: &str = "Copy";
pub(crate) const LADDER_COPY_WHY: &str =
    "Copies the arrows, and the text of the messages that are open";
pub(crate) const LADDER_EXPORT: &str = "Export for Wireshark…";
pub(crate) const LADDER_FILE: &str = "Capture file";
pub(crate) const LADDER_FILE_WHY: &str =
    "A file that is there already stays: the new one gets a number.";
pub(crate) const EXPORT: &str = "Export";
pub(crate) const THIS_PHONE: &str = "This phone";
pub(crate) const MESSAGE_SENT: &str = "sent";
pub(crate) const MESSAGE_RECEIVED: &str = "received";
pub(crate) const COPY_MESSAGE: &str = "Copy this message";
pub(crate) const NO_LADDER: &str = "No SIP messages are kept of this call";
pub(crate) const NO_LADDER_WHY: &str = "It is older than the settings keep them, it never reached the network, or the phone was killed before they were written.";
pub(crate) const LADDERS_OFF_WHY: &str =
    "The settings keep none. Say there for how many days they are kept, and later calls have them.";
pub(crate) const OPEN_SETTINGS: &str = "Open the settings";
pub(crate) fn messages(count: usize) -> String {
    match count {
        1 => "1 message".to_owned(),
        _ => format!("{count} messages"),
    }
}
pub(crate) fn left_out(count: u64) -> String {
    match count {
        1 => "1 message was left out here".to_owned(),
        _ => format!("{count} messages were left out here"),
    }
}
pub(crate) fn exported_to(path: &str) -> String {
    format!("Written to {path}")
}

/// How long after the first message, in seconds.
pub(crate) fn since_first(seconds: f64) -> String {
    format!("{} s", locale::current().decimal(seconds, 3))
}
