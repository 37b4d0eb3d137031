//! The texts of what stands on the desktop outside of the window, and of its settings.

// Notifications.
pub(crate) const SHOW: &str = "Show";
pub(crate) const MISSED_CALL: &str = "Missed call";
pub(crate) fn incoming_from(who: &str) -> String {
    format!("Incoming call: {who}")
}
pub(crate) fn missed_from(who: &str) -> String {
    format!("Missed call: {who}")
}
pub(crate) fn missed_calls(count: usize) -> String {
    format!("{count} missed calls")
}

// The tray.
pub(crate) const SHOW_WINDOW: &str = "Show Ringdesk";
pub(crate) const QUIT: &str = "Quit";
pub(crate) const NO_CONNECTION: &str = "Not registered: calls do not reach you";
pub(crate) const RINGS: &str = "A call rings";

// The settings.
pub(crate) const DESKTOP: &str = "Desktop";
pub(crate) const NOTIFICATIONS: &str = "Desktop notifications";
pub(crate) const NOTIFICATIONS_WHY: &str =
    "Of ringing and missed calls. While the screen is locked they name nobody.";
pub(crate) const TRAY: &str = "Icon in the tray";
pub(crate) const TRAY_WHY: &str =
    "It shows whether calls reach you, and sets what you do. Not each desktop has a tray.";
pub(crate) const PAUSE_PLAYERS: &str = "Pause music and videos while I talk";
pub(crate) const PAUSE_PLAYERS_WHY: &str =
    "They go on after the last call. What did not play stays silent.";
pub(crate) const GLOBAL_KEYS: &str = "Answer and decline by keys in every program";
pub(crate) const GLOBAL_KEYS_WHY: &str = "Only while it rings. Under Wayland the keys work in this window alone; the notification answers there.";
pub(crate) const ANSWER_KEYS: &str = "Answer with";
pub(crate) const DECLINE_KEYS: &str = "Decline with";
pub(crate) const KEYS_HINT: &str = "Ctrl+Shift+F9";
pub(crate) const KEYS_WHY: &str = "Ctrl, Alt or Shift and a letter, a digit or F1 to F24.";
pub(crate) const AUTOSTART: &str = "Start with the desktop session";
pub(crate) const AUTOSTART_WHY: &str =
    "An entry in your autostart folder starts Ringdesk after you log in.";
