//! The names of keys, as keyboards are labelled.

pub(crate) const MUTE: &str = "Ctrl+M";
pub(crate) const HOLD: &str = "Ctrl+H";
pub(crate) const KEYPAD: &str = "Ctrl+D";
pub(crate) const RECORD: &str = "Ctrl+R";
pub(crate) const PAUSE_RECORDING: &str = "Ctrl+Shift+R";
pub(crate) const JOIN: &str = "Ctrl+J";
pub(crate) const TRANSFER: &str = "Ctrl+T";
pub(crate) const HANG_UP: &str = "Ctrl+E";
pub(crate) const DONE: &str = "Ctrl+Enter";
pub(crate) const UNDO: &str = "Ctrl+Z";
pub(crate) const PLAY: &str = "Ctrl+P";
pub(crate) const AGENT: &str = "Ctrl+Shift+A";
pub(crate) const ESCAPE: &str = "Esc";
pub(crate) const ENTER: &str = "Enter";
pub(crate) const DELETE: &str = "Delete";

pub(crate) fn ctrl(key: &str) -> String {
    format!("Ctrl+{key}")
}
pub(crate) fn alt(number: usize) -> String {
    format!("Alt+{number}")
}
