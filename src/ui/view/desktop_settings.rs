//! What the phone shows on the desktop outside of its window, and what it does to other programs.

use egui::Ui;

use super::settings::sound;
use super::typed_setting::TypedSetting;
use crate::config::Settings;
use crate::config::key_chord::KeyChord;
use crate::ui::state::SettingsState;
use crate::ui::text;
use crate::ui::widget::{FORM, explained_switch_ui};

/// Draws the section.
pub(super) fn desktop_settings_ui(ui: &mut Ui, settings: &mut Settings, state: &mut SettingsState) {
    let desktop = &mut settings.desktop;
    let switches = [
        (
            &mut desktop.notifications,
            text::NOTIFICATIONS,
            text::NOTIFICATIONS_WHY,
        ),
        (&mut desktop.tray, text::TRAY, text::TRAY_WHY),
        (
            &mut desktop.pause_players,
            text::PAUSE_PLAYERS,
            text::PAUSE_PLAYERS_WHY,
        ),
        (&mut desktop.autostart, text::AUTOSTART, text::AUTOSTART_WHY),
        (
            &mut desktop.global_keys,
            text::GLOBAL_KEYS,
            text::GLOBAL_KEYS_WHY,
        ),
    ];
    // What they switch is done by Linux desktops alone.
    for (on, words, why) in switches.into_iter().filter(|_| cfg!(target_os = "linux")) {
        explained_switch_ui(ui, on, words, why);
    }
    for (name, answers) in [(text::ANSWER_KEYS, true), (text::DECLINE_KEYS, false)] {
        let keys = TypedSetting {
            name,
            hint: text::KEYS_HINT,
            why: text::KEYS_WHY,
            width: FORM,
        };
        let (stored, unsaved) = if answers {
            (settings.desktop.answer_key, &mut state.answer_key)
        } else {
            (settings.desktop.decline_key, &mut state.decline_key)
        };
        let typed = keys.show(ui, unsaved, stored.to_string(), |typed| {
            let typed: KeyChord = typed.parse().map_err(|wrong| format!("{wrong}"))?;
            sound(settings, |it| {
                if answers {
                    it.desktop.answer_key = typed;
                } else {
                    it.desktop.decline_key = typed;
                }
            })
        });
        if let Some(changed) = typed {
            *settings = changed;
        }
    }
}
