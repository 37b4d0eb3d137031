//! What is done to the microphone's sound: a profile, and each part of it.

use egui::Ui;

use crate::config::voice::{NoiseChoice, VoiceProfile, VoiceSettings};
use crate::ui::text;
use crate::ui::widget::{choice_ui, explained_choice_ui, switch_ui};

/// Draws it below the devices; a change is heard at once, in a call too.
pub(super) fn voice_settings_ui(ui: &mut Ui, voice: &mut VoiceSettings) {
    ui.add_space(8.0);
    let profiles = [
        (VoiceProfile::Speaker, text::VOICE_SPEAKER.to_owned()),
        (VoiceProfile::Headset, text::VOICE_HEADSET.to_owned()),
        (VoiceProfile::Off, text::VOICE_OFF.to_owned()),
    ];
    let chosen = explained_choice_ui(
        ui,
        text::VOICE_PROFILE,
        text::VOICE_PROFILE_WHY,
        &voice.profile,
        &profiles,
    );
    if let Some(profile) = chosen {
        *voice = VoiceSettings::of(profile);
    }
    let mut parts = voice.parts();
    switch_ui(ui, &mut parts.echo_cancellation, text::ECHO_CANCELLATION);
    switch_ui(ui, &mut parts.gain_control, text::GAIN_CONTROL);
    switch_ui(ui, &mut parts.high_pass, text::HIGH_PASS);
    let amounts = [
        (NoiseChoice::Off, text::NOISE_OFF.to_owned()),
        (NoiseChoice::Light, text::NOISE_LIGHT.to_owned()),
        (NoiseChoice::Full, text::NOISE_FULL.to_owned()),
    ];
    let noise = &parts.noise_suppression;
    if let Some(amount) = choice_ui(ui, text::NOISE_SUPPRESSION, noise, &amounts) {
        parts.noise_suppression = amount;
    }
    switch_ui(ui, &mut parts.muted_hint, text::MUTED_HINT);
    voice.set_parts(parts);
}
