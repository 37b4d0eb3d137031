//! How the phone works together with the desktop around it.

use serde::{Deserialize, Serialize};

use crate::config::key_chord::KeyChord;

/// What the phone shows on the desktop, and what it does to other programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DesktopSettings {
    /// Whether the desktop's notifications tell of ringing and missed calls.
    pub notifications: bool,
    /// Whether an icon stands in the tray, where the desktop has one.
    pub tray: bool,
    /// Whether players that play are paused while the agent talks.
    pub pause_players: bool,
    /// Whether `answer_key` and `decline_key` work in every program while it rings (X11 only).
    pub global_keys: bool,
    /// Answers the call that rings.
    pub answer_key: KeyChord,
    /// Declines the call that rings.
    pub decline_key: KeyChord,
    /// Whether the phone starts with the desktop session.
    pub autostart: bool,
}

impl Default for DesktopSettings {
    fn default() -> Self {
        Self {
            notifications: true,
            tray: true,
            pause_players: true,
            global_keys: true,
            answer_key: KeyChord::ctrl_shift_function(9),
            decline_key: KeyChord::ctrl_shift_function(10),
            autostart: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[test]
    fn keys_are_words_in_the_file_and_wrong_ones_are_refused() {
        let text = "[settings.desktop]\nanswer_key = \"Ctrl+Alt+A\"\nnotifications = false\n";
        let config: Config = toml::from_str(text).unwrap();
        let desktop = &config.settings.desktop;
        assert_eq!(desktop.answer_key.to_string(), "Ctrl+Alt+A");
        assert!(!desktop.notifications && desktop.tray);
        let written = toml::to_string(&config).unwrap();
        assert!(written.contains("answer_key = \"Ctrl+Alt+A\""), "{written}");
        let wrong = toml::from_str::<Config>("[settings.desktop]\nanswer_key = \"Space\"\n");
        let told = wrong.unwrap_err().to_string();
        assert!(told.contains("such as Ctrl+Shift+F9"), "{told}");
    }
}
