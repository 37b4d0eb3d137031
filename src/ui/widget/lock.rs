//! Controls that an administrator locked: shown with a lock and the reason, and not to be changed.

use std::sync::Arc;

use egui::{Id, Response, Ui};
use egui_material_icons::icons::ICON_LOCK;

use super::label::{icon_ui, paragraph_ui};
use crate::config::provisioning::Locks;
use crate::ui::text;
use crate::ui::theme::{SMALL, Theme};

/// The settings that have a control, by the name that locks use and that of the control. Where two controls have
/// the same name, the engine alone refuses.
const CONTROLS: [(&str, &str); 76] = [
    ("settings.theme", text::THEME),
    ("settings.microphone", text::MICROPHONE),
    ("settings.microphone_volume", text::MICROPHONE_VOLUME),
    ("settings.speaker", text::SPEAKER),
    ("settings.speaker_volume", text::SPEAKER_VOLUME),
    ("settings.ringer", text::RINGER),
    ("settings.ringer_volume", text::RINGER_VOLUME),
    ("settings.hold_music", text::HOLD_MUSIC),
    ("settings.hold_on_answer", text::HOLD_ON_ANSWER),
    ("settings.record_calls", text::RECORD_CALLS),
    ("settings.recording", text::RECORDING_POLICY),
    ("settings.recording_tone", text::RECORDING_TONE),
    (
        "settings.recording_announcement",
        text::RECORDING_ANNOUNCEMENT,
    ),
    ("settings.record_dir", text::RECORD_DIR),
    ("settings.ladder_days", text::LADDER_DAYS),
    ("settings.name_servers", text::NAME_SERVERS),
    ("settings.silence_limit_seconds", text::SILENCE_LIMIT),
    ("settings.rtp_ports", text::RTP_PORTS),
    ("settings.redundancy", text::REDUNDANCY),
    ("settings.voice.profile", text::VOICE_PROFILE),
    ("settings.voice.echo_cancellation", text::ECHO_CANCELLATION),
    ("settings.voice.noise_suppression", text::NOISE_SUPPRESSION),
    ("settings.voice.gain_control", text::GAIN_CONTROL),
    ("settings.voice.high_pass", text::HIGH_PASS),
    ("settings.voice.muted_hint", text::MUTED_HINT),
    ("settings.log_level", text::LOG_LEVEL),
    ("settings.dialling.ask_agent", text::ASK_AGENT),
    ("settings.desktop.notifications", text::NOTIFICATIONS),
    ("settings.desktop.tray", text::TRAY),
    ("settings.desktop.pause_players", text::PAUSE_PLAYERS),
    ("settings.desktop.autostart", text::AUTOSTART),
    ("settings.desktop.global_keys", text::GLOBAL_KEYS),
    ("settings.desktop.answer_key", text::ANSWER_KEYS),
    ("settings.desktop.decline_key", text::DECLINE_KEYS),
    ("accounts.address", text::ADDRESS),
    ("accounts.display_name", text::DISPLAY_NAME),
    ("accounts.register", text::REGISTER),
    ("accounts.registrar", text::REGISTRAR),
    ("accounts.auth_user", text::AUTH_USER),
    ("accounts.outbound_proxy", text::PROXY),
    ("accounts.transport", text::TRANSPORT),
    ("accounts.tls.ca_file", text::CA_FILE),
    ("accounts.tls.pinned_certificate", text::PINNED),
    ("accounts.tls.client_certificate", text::CLIENT_CERTIFICATE),
    ("accounts.tls.client_key", text::CLIENT_KEY),
    ("accounts.websocket_path", text::WEBSOCKET_PATH),
    ("accounts.voicemail", text::VOICEMAIL_NUMBER),
    ("accounts.message_waiting", text::MESSAGE_WAITING),
    ("accounts.silence_suppression", text::SILENCE_SUPPRESSION),
    ("accounts.packet_millis", text::PACKET_TIME),
    ("accounts.dial_plan.outside_prefix", text::OUTSIDE_PREFIX),
    ("accounts.dial_plan.e164", text::SEND_E164),
    ("accounts.extensions.100rel", text::RELIABLE),
    ("accounts.extensions.session_expires", text::SESSION_TIMER),
    ("accounts.extensions.srtp", text::SRTP),
    ("accounts.extensions.keying", text::KEYING),
    ("accounts.ice.enabled", text::ICE),
    ("accounts.ice.stun", text::STUN),
    ("accounts.ice.turn", text::TURN),
    ("accounts.ice.turn_user", text::TURN_USER),
    ("accounts.ice.turn_password", text::TURN_PASSWORD),
    ("accounts.ice.relay_only", text::RELAY_ONLY),
    ("accounts.rules.do_not_disturb", text::DO_NOT_DISTURB),
    ("accounts.rules.do_not_disturb_status", text::DISTURB_STATUS),
    ("accounts.rules.call_waiting", text::CALL_WAITING),
    ("accounts.rules.forward_always", text::FORWARD_ALWAYS),
    ("accounts.rules.forward_busy", text::FORWARD_BUSY),
    ("accounts.rules.forward_no_answer", text::FORWARD_NO_ANSWER),
    (
        "accounts.rules.forward_no_answer_seconds",
        text::FORWARD_AFTER,
    ),
    ("accounts.rules.auto_answer", text::AUTO_ANSWER),
    ("accounts.rules.transfers", text::TRANSFERS),
    ("accounts.rules.redirects", text::REDIRECTS),
    ("accounts.rules.send_digits", text::SEND_DIGITS),
    ("accounts.rules.hide_number", text::HIDE_NUMBER),
    ("accounts.rules.trust_identity", text::TRUST_IDENTITY),
    ("accounts.rules.allow_md5", text::ALLOW_MD5),
];

fn place() -> Id {
    Id::unique("locked settings")
}

/// Says what is locked, for all that is drawn by `content`.
pub(crate) fn with_locks<R>(ui: &mut Ui, locks: &Locks, content: impl FnOnce(&mut Ui) -> R) -> R {
    if !locks.is_empty() {
        let locks = Arc::new(locks.clone());
        ui.ctx().data_mut(|data| data.insert_temp(place(), locks));
    }
    let drawn = content(ui);
    if !locks.is_empty() {
        ui.ctx().data_mut(|data| data.remove::<Arc<Locks>>(place()));
    }
    drawn
}

/// Draws a control of this name: where it is locked, so that nothing can be done with it, and with the reason.
pub(crate) fn locked_ui<R>(
    ui: &mut Ui,
    name: &str,
    draw: impl FnOnce(&mut Ui) -> R,
    response: impl FnOnce(&R) -> Response,
) -> R {
    let locks: Option<Arc<Locks>> = ui.ctx().data(|data| data.get_temp(place()));
    let because = locks.and_then(|locks| {
        let mut controls = CONTROLS.iter().filter(|(_, control)| *control == name);
        let because = controls.find_map(|(key, _)| locks.holds(key))?;
        Some(text::locked_because(because))
    });
    let Some(because) = because else {
        return draw(ui);
    };
    let drawn = ui
        .scope(|ui| {
            ui.disable();
            draw(ui)
        })
        .inner;
    let control = response(&drawn);
    super::field::describe(ui, &control, &because);
    let colours = &Theme::of(ui).colours;
    ui.horizontal_wrapped(|ui| {
        icon_ui(ui, ICON_LOCK, 14.0, colours.muted, text::LOCKED);
        paragraph_ui(ui, &because, SMALL, colours.muted);
    });
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::provisioning::changes;
    use crate::config::voice::{NoiseChoice, VoiceSettings};
    use crate::config::{Account, Config};

    /// A name that is none would lock nothing.
    #[test]
    fn each_control_is_a_setting() {
        let mut config = Config {
            accounts: vec![Account::default()],
            ..Config::default()
        };
        // They are written only where they differ from the profile.
        config.settings.voice = VoiceSettings {
            echo_cancellation: Some(true),
            noise_suppression: Some(NoiseChoice::Full),
            gain_control: Some(true),
            high_pass: Some(true),
            muted_hint: Some(true),
            ..VoiceSettings::default()
        };
        let names: Vec<String> = changes(&Config::default(), &config)
            .into_iter()
            .map(|change| change.name.replace("accounts..", "accounts."))
            .collect();
        let whole = toml::to_string(&config).unwrap();
        // Kept apart from the configuration.
        let secret = "accounts.ice.turn_password";
        for (key, _) in CONTROLS.iter().filter(|(key, _)| *key != secret) {
            let last = key.rsplit('.').next().unwrap();
            let known = names.iter().any(|name| name == *key);
            assert!(known || whole.contains(&format!("\n{last} = ")), "{key}");
        }
    }
}
