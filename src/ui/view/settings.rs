//! The settings: accounts, sound, appearance, calls.

use std::sync::Arc;

use egui::{ScrollArea, Ui};
use egui_material_icons::icons::{ICON_ADD, ICON_DELETE, ICON_EDIT, ICON_REFRESH};

use super::account_form::{self, account_form_ui};
use super::colleague_settings::colleague_settings_ui;
use super::desktop_settings::desktop_settings_ui;
use super::diagnostics::diagnostics_ui;
use super::provisioning::provisioning_ui;
use super::routing::routing_ui;
use super::sound_check::{sound_check_ui, volume_ui};
use super::typed_setting::TypedSetting;
use super::voice_settings::voice_settings_ui;
use crate::config::settings::ThemeChoice;
use crate::config::{RecordingPolicy, RedundancyChoice, Settings};
use crate::control::{AccountView, Command, Registration, Snapshot};
use crate::ui::readiness::with_retry;
use crate::ui::routing_state::SettingsTab;
use crate::ui::scene::Scene;
use crate::ui::state::{SettingsState, Unsaved, ViewState};
use crate::ui::theme::{BODY, SMALL, Theme, Tone, Weight, font};
use crate::ui::widget::{
    Button, FORM, Look, SECTION, choice_ui, explained_choice_ui, explained_switch_ui, line_ui,
    locked_ui, paragraph_ui, pill_ui, section_ui, tab_ui, title_ui, with_locks,
};
use crate::ui::{format, text};

/// Draws the view.
pub(crate) fn settings_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut ViewState) {
    title_ui(ui, text::SETTINGS);
    ui.add_space(4.0);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        for (tab, word) in TABS {
            if tab_ui(ui, word, state.settings.tab == tab, None).clicked() {
                state.settings.tab = tab;
            }
        }
    });
    ui.add_space(4.0);
    let snapshot = Arc::clone(&scene.snapshot);
    with_locks(ui, &snapshot.locks, |ui| match state.settings.tab {
        SettingsTab::Phone => phone_ui(ui, scene, state),
        SettingsTab::Diagnostics => diagnostics_ui(ui, scene, state),
        tab => routing_ui(ui, scene, &mut state.settings, tab),
    });
}

/// The pages in their order.
const TABS: [(SettingsTab, &str); 7] = [
    (SettingsTab::Phone, text::PHONE_TAB),
    (SettingsTab::Agents, text::AGENTS_TAB),
    (SettingsTab::Queues, text::QUEUES_TAB),
    (SettingsTab::Holidays, text::HOLIDAYS_TAB),
    (SettingsTab::CallTypes, text::CALL_TYPES_TAB),
    (SettingsTab::Blocked, text::BLOCKED_TAB),
    (SettingsTab::Diagnostics, text::DIAGNOSTICS_TAB),
];

/// Accounts, sound, appearance, calls, colleagues, network.
fn phone_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut ViewState) {
    let snapshot = Arc::clone(&scene.snapshot);
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        // Beside the card of a call there is less room.
        ui.set_max_width(SECTION.min(ui.available_width()));
        section_ui(ui, text::ACCOUNTS, |ui| {
            accounts_ui(ui, scene, &mut state.settings, &snapshot);
        });
        let mut settings = snapshot.settings.clone();
        section_ui(ui, text::SOUND, |ui| {
            sound_ui(ui, scene, &mut settings, &mut state.settings, &snapshot);
            voice_settings_ui(ui, &mut settings.voice);
            redundancy_ui(ui, &mut settings);
            hold_music_ui(ui, &mut settings, &mut state.settings, &snapshot);
        });
        section_ui(ui, text::APPEARANCE, |ui| theme_ui(ui, &mut settings));
        section_ui(ui, text::CALLS_SECTION, |ui| {
            calls_section_ui(ui, &mut settings, &mut state.settings, &snapshot);
        });
        section_ui(ui, text::COLLEAGUES, |ui| {
            colleague_settings_ui(ui, &mut settings, &mut state.settings);
        });
        section_ui(ui, text::DESKTOP, |ui| {
            desktop_settings_ui(ui, &mut settings, &mut state.settings);
        });
        section_ui(ui, text::NETWORK, |ui| {
            network_ui(ui, &mut settings, &mut state.settings);
        });
        section_ui(ui, text::PROVISIONING, |ui| {
            ui.set_max_width(FORM.min(ui.available_width()));
            provisioning_ui(ui, scene, &mut state.settings.provisioning);
        });
        if settings != snapshot.settings {
            scene.send(Command::SaveSettings(Box::new(settings)));
        }
    });
}

fn accounts_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut SettingsState, snapshot: &Snapshot) {
    let theme = Theme::of(ui);
    if snapshot.accounts.is_empty() && state.form.is_none() {
        paragraph_ui(ui, text::NO_ACCOUNTS_WHY, BODY, theme.colours.muted);
    }
    for view in &snapshot.accounts {
        ui.push_id(view.id, |ui| account_ui(ui, scene, state, view));
        ui.separator();
    }
    if state.form.is_some() {
        ui.scope(|ui| {
            ui.set_max_width(FORM.min(ui.available_width()));
            account_form_ui(ui, scene, state);
        });
        return;
    }
    ui.horizontal_wrapped(|ui| {
        if Button::new(text::ADD_ACCOUNT)
            .icon(ICON_ADD)
            .look(Look::Primary)
            .show(ui)
            .clicked()
        {
            state.form = Some(account_form::empty());
        }
        if !snapshot.lab && Button::new(text::TRY_LAB).show(ui).clicked() {
            scene.send(Command::StartLab);
        }
    });
}

/// Word and colours of a registration.
fn standing(registration: &Registration, theme: &Theme) -> (&'static str, Tone) {
    match registration {
        Registration::Off => (text::DIRECT_CALLS, theme.colours.neutral),
        Registration::Registering { .. } => (text::REGISTERING, theme.colours.warn),
        Registration::Registered => (text::REGISTERED, theme.colours.good),
        Registration::Failed { .. } => (text::NOT_REGISTERED, theme.colours.bad),
    }
}

fn account_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut SettingsState, view: &AccountView) {
    let theme = Theme::of(ui);
    let (word, tone) = standing(&view.registration, theme);
    ui.horizontal(|ui| {
        pill_ui(ui, word, None, |_| tone);
        line_ui(
            ui,
            format::bare_address(&view.account.address),
            font(14.0, Weight::Medium),
            theme.colours.text,
        );
    });
    if let Registration::Failed { reason, .. } = &view.registration {
        let (words, _) = with_retry(reason, &view.registration, scene.now.mono);
        paragraph_ui(ui, &format::sentence(&words), BODY, theme.colours.bad.text);
    }
    ui.horizontal_wrapped(|ui| {
        let edit = format!("{} {}", text::EDIT, view.account.address);
        if Button::new(text::EDIT)
            .icon(ICON_EDIT)
            .name(&edit)
            .show(ui)
            .clicked()
        {
            state.form = Some(account_form::of(view));
        }
        if view.account.register
            && Button::new(text::REGISTER_NOW)
                .icon(ICON_REFRESH)
                .show(ui)
                .clicked()
        {
            scene.send(Command::RegisterNow(view.id));
        }
        if state.removing == Some(view.id) {
            if Button::new(text::REMOVE_SURE)
                .look(Look::Danger)
                .show(ui)
                .clicked()
            {
                scene.send(Command::RemoveAccount(view.id));
                state.removing = None;
            }
            if Button::new(text::CANCEL).show(ui).clicked() {
                state.removing = None;
            }
        } else if Button::new(text::REMOVE)
            .icon(ICON_DELETE)
            .look(Look::Outlined)
            .show(ui)
            .clicked()
        {
            state.removing = Some(view.id);
        }
    });
}

/// The choices of a device: the system's, the real ones, none, and a chosen one that is gone.
fn devices(chosen: &str, real: &[String]) -> Vec<(String, String)> {
    let mut choices = vec![("default".to_owned(), text::DEVICE_DEFAULT.to_owned())];
    choices.extend(
        real.iter()
            .filter(|name| !matches!(name.as_str(), "default" | "null"))
            .map(|name| (name.clone(), name.clone())),
    );
    choices.push(("null".to_owned(), text::DEVICE_NULL.to_owned()));
    if choices.iter().all(|(name, _)| name != chosen) {
        choices.push((chosen.to_owned(), text::device_gone(chosen)));
    }
    choices
}

fn sound_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    settings: &mut Settings,
    state: &mut SettingsState,
    snapshot: &Snapshot,
) {
    let theme = Theme::of(ui);
    let view = &snapshot.devices;
    let devices_of = [
        (
            text::MICROPHONE,
            &mut settings.microphone,
            &view.microphones,
            Some(&view.microphone),
            (text::MICROPHONE_VOLUME, &mut settings.microphone_volume),
        ),
        (
            text::SPEAKER,
            &mut settings.speaker,
            &view.speakers,
            Some(&view.speaker),
            (text::SPEAKER_VOLUME, &mut settings.speaker_volume),
        ),
        (
            text::RINGER,
            &mut settings.ringer,
            &view.speakers,
            None,
            (text::RINGER_VOLUME, &mut settings.ringer_volume),
        ),
    ];
    for ((name, chosen, real, used, volume), dragged) in
        devices_of.into_iter().zip(&mut state.volumes)
    {
        if let Some(choice) = choice_ui(ui, name, chosen, &devices(chosen, real)) {
            *chosen = choice;
        }
        if let Some(used) = used.filter(|used| !used.is_empty() && *used != chosen) {
            line_ui(ui, &text::in_use(used), SMALL, theme.colours.muted);
            ui.add_space(6.0);
        }
        volume_ui(ui, volume.0, volume.1, dragged);
    }
    for problem in [&view.problem, &view.microphone_problem]
        .into_iter()
        .flatten()
    {
        paragraph_ui(
            ui,
            &format::sentence(problem),
            BODY,
            theme.colours.warn.text,
        );
    }
    if Button::new(text::REFRESH_DEVICES)
        .icon(ICON_REFRESH)
        .show(ui)
        .clicked()
    {
        scene.send(Command::RefreshDevices);
    }
    sound_check_ui(ui, scene);
}

/// How much is sent again for a network that loses sound.
fn redundancy_ui(ui: &mut Ui, settings: &mut Settings) {
    ui.add_space(8.0);
    let choices = [
        (RedundancyChoice::Off, text::REDUNDANCY_OFF.to_owned()),
        (RedundancyChoice::Bursts, text::REDUNDANCY_BURSTS.to_owned()),
        (RedundancyChoice::Always, text::REDUNDANCY_ALWAYS.to_owned()),
    ];
    let (name, why) = (text::REDUNDANCY, text::REDUNDANCY_WHY);
    let chosen = explained_choice_ui(ui, name, why, &settings.redundancy, &choices);
    if let Some(choice) = chosen {
        settings.redundancy = choice;
    }
}

/// The file is read by the engine, which tells what is wrong with it.
fn hold_music_ui(
    ui: &mut Ui,
    settings: &mut Settings,
    state: &mut SettingsState,
    snapshot: &Snapshot,
) {
    let theme = Theme::of(ui);
    ui.add_space(8.0);
    let name = (
        text::HOLD_MUSIC,
        text::HOLD_MUSIC_HINT,
        text::HOLD_MUSIC_WHY,
    );
    path_ui(ui, name, &mut settings.hold_music, &mut state.hold_music);
    if let Some(problem) = &snapshot.devices.hold_music_problem {
        let words = format::sentence(problem);
        paragraph_ui(ui, &words, BODY, theme.colours.bad.text);
    }
}

/// A file or folder; it is taken when the field is left.
fn path_ui(
    ui: &mut Ui,
    (name, hint, why): (&'static str, &'static str, &'static str),
    path: &mut String,
    unsaved: &mut Option<Unsaved>,
) {
    let setting = TypedSetting {
        name,
        hint,
        why,
        width: FORM,
    };
    let typed = setting.show(ui, unsaved, path.clone(), |typed| Ok(typed.to_owned()));
    if let Some(typed) = typed {
        *path = typed;
    }
}

fn theme_ui(ui: &mut Ui, settings: &mut Settings) {
    let theme = Theme::of(ui);
    line_ui(ui, text::THEME, SMALL, theme.colours.muted);
    let draw = |ui: &mut Ui| theme_buttons_ui(ui, settings);
    locked_ui(ui, text::THEME, draw, Clone::clone);
}

fn theme_buttons_ui(ui: &mut Ui, settings: &mut Settings) -> egui::Response {
    let buttons = ui.horizontal_wrapped(|ui| {
        for (choice, word) in [
            (ThemeChoice::System, text::THEME_SYSTEM),
            (ThemeChoice::Light, text::THEME_LIGHT),
            (ThemeChoice::Dark, text::THEME_DARK),
        ] {
            let look = if settings.theme == choice {
                Look::Chosen
            } else {
                Look::Quiet
            };
            let button = Button::new(word).look(look);
            let width = button.natural_width(ui).max(92.0);
            let button = button.width(width).enabled(ui.is_enabled());
            if button.show(ui).clicked() {
                settings.theme = choice;
            }
        }
    });
    buttons.response
}

fn calls_section_ui(
    ui: &mut Ui,
    settings: &mut Settings,
    state: &mut SettingsState,
    snapshot: &Snapshot,
) {
    explained_switch_ui(
        ui,
        &mut settings.hold_on_answer,
        text::HOLD_ON_ANSWER,
        text::HOLD_ON_ANSWER_WHY,
    );
    silence_limit_ui(ui, settings, state);
    let choices = [
        (RecordingPolicy::Agent, text::RECORDING_AGENT.to_owned()),
        (RecordingPolicy::Always, text::RECORDING_ALWAYS.to_owned()),
        (RecordingPolicy::Never, text::RECORDING_NEVER.to_owned()),
    ];
    let (name, why) = (text::RECORDING_POLICY, text::RECORDING_POLICY_WHY);
    if let Some(policy) = explained_choice_ui(ui, name, why, &settings.recording, &choices) {
        settings.recording = policy;
    }
    if settings.recording == RecordingPolicy::Agent {
        explained_switch_ui(
            ui,
            &mut settings.record_calls,
            text::RECORD_CALLS,
            text::RECORD_CALLS_WHY,
        );
    }
    explained_switch_ui(
        ui,
        &mut settings.recording_tone,
        text::RECORDING_TONE,
        text::RECORDING_TONE_WHY,
    );
    announcement_ui(ui, settings, state, snapshot);
    explained_switch_ui(
        ui,
        &mut settings.dialling.ask_agent,
        text::ASK_AGENT,
        text::ASK_AGENT_WHY,
    );
    ui.add_space(8.0);
    let name = (
        text::RECORD_DIR,
        text::RECORD_DIR_HINT,
        text::RECORD_DIR_WHY,
    );
    path_ui(ui, name, &mut settings.record_dir, &mut state.record_dir);
    region_ui(ui, settings, state);
    ladder_days_ui(ui, settings, state);
}

/// The file is read by the engine, which tells what is wrong with it.
fn announcement_ui(
    ui: &mut Ui,
    settings: &mut Settings,
    state: &mut SettingsState,
    snapshot: &Snapshot,
) {
    ui.add_space(8.0);
    let name = (
        text::RECORDING_ANNOUNCEMENT,
        text::RECORDING_ANNOUNCEMENT_HINT,
        text::RECORDING_ANNOUNCEMENT_WHY,
    );
    let file = &mut settings.recording_announcement;
    path_ui(ui, name, file, &mut state.recording_announcement);
    if let Some(problem) = &snapshot.devices.announcement_problem {
        let words = format::sentence(problem);
        paragraph_ui(ui, &words, BODY, Theme::of(ui).colours.bad.text);
    }
}

fn silence_limit_ui(ui: &mut Ui, settings: &mut Settings, state: &mut SettingsState) {
    let limit = TypedSetting {
        name: text::SILENCE_LIMIT,
        hint: "",
        why: text::SILENCE_LIMIT_WHY,
        width: 60.0,
    };
    let stored = settings.silence_limit_seconds.to_string();
    let typed = limit.show(ui, &mut state.silence_limit, stored, |typed| {
        let seconds = typed.parse();
        let seconds = seconds.map_err(|_no_number| text::silence_limit_wrong(typed))?;
        sound(settings, |it| it.silence_limit_seconds = seconds)
    });
    if let Some(changed) = typed {
        *settings = changed;
    }
}

fn region_ui(ui: &mut Ui, settings: &mut Settings, state: &mut SettingsState) {
    let region = TypedSetting {
        name: text::REGION,
        hint: "",
        why: text::REGION_WHY,
        width: 60.0,
    };
    let stored = settings.region.clone();
    let typed = region.show(ui, &mut state.region, stored, |typed| {
        let region = typed.to_ascii_uppercase();
        sound(settings, |it| it.region = region)
    });
    if let Some(changed) = typed {
        *settings = changed;
    }
}

fn ladder_days_ui(ui: &mut Ui, settings: &mut Settings, state: &mut SettingsState) {
    let days = TypedSetting {
        name: text::LADDER_DAYS,
        hint: "",
        why: text::LADDER_DAYS_WHY,
        width: 60.0,
    };
    let stored = settings.ladder_days.to_string();
    let typed = days.show(ui, &mut state.ladder_days, stored, |typed| {
        let days = typed.parse();
        let days = days.map_err(|_no_number| text::ladder_days_wrong(typed))?;
        sound(settings, |it| it.ladder_days = days)
    });
    if let Some(changed) = typed {
        *settings = changed;
    }
}

fn network_ui(ui: &mut Ui, settings: &mut Settings, state: &mut SettingsState) {
    let servers = TypedSetting {
        name: text::NAME_SERVERS,
        hint: text::NAME_SERVERS_HINT,
        why: text::NAME_SERVERS_WHY,
        width: FORM,
    };
    let stored = settings.name_servers.join(", ");
    let typed = servers.show(ui, &mut state.name_servers, stored, |typed| {
        let parts = typed.split([',', ' ']).filter(|part| !part.is_empty());
        let servers = parts.map(str::to_owned).collect();
        sound(settings, |it| it.name_servers = servers)
    });
    if let Some(changed) = typed {
        *settings = changed;
    }
    let ports = TypedSetting {
        name: text::RTP_PORTS,
        hint: text::RTP_PORTS_HINT,
        why: text::RTP_PORTS_WHY,
        width: FORM,
    };
    let stored = settings.rtp_ports.clone();
    let typed = ports.show(ui, &mut state.rtp_ports, stored, |typed| {
        sound(settings, |it| typed.clone_into(&mut it.rtp_ports))
    });
    if let Some(changed) = typed {
        *settings = changed;
    }
}

/// The settings with a change, if the phone can work with them.
pub(super) fn sound(
    settings: &Settings,
    change: impl FnOnce(&mut Settings),
) -> Result<Settings, String> {
    let mut changed = settings.clone();
    change(&mut changed);
    match changed.validate() {
        Ok(()) => Ok(changed),
        Err(problem) => Err(format::problem(&problem)),
    }
}
