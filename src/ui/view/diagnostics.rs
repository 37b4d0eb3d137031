//! What works and what does not, each with what to do; the log; and one button for somebody who helps.

use std::sync::Arc;

use egui::{ScrollArea, Ui};
use egui_material_icons::icons::ICON_CONTACT_SUPPORT;

use super::ladder::in_exports;
use crate::base::log::LogLevel;
use crate::control::{Command, ExportedWhat, SupportBundle};
use crate::ui::readiness::{Act, Level, Part, parts};
use crate::ui::scene::Scene;
use crate::ui::state::{SupportState, ViewState};
use crate::ui::theme::{BODY, SMALL, Theme};
use crate::ui::widget::{
    Button, FORM, Field, Look, SECTION, choose_ui, explained_choice_ui, explained_switch_ui,
    line_ui, paragraph_ui, section_ui,
};
use crate::ui::{format, text};

/// How high a file of the bundle is shown.
const SHOWN: f32 = 220.0;

/// Draws the page.
pub(super) fn diagnostics_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut ViewState) {
    ScrollArea::vertical()
        .id_salt("diagnostics")
        .auto_shrink(false)
        .show(ui, |ui| {
            ui.set_max_width(SECTION.min(ui.available_width()));
            section_ui(ui, text::READINESS, |ui| readiness_ui(ui, scene, state));
            section_ui(ui, text::LOG, |ui| log_ui(ui, scene));
            section_ui(ui, text::SUPPORT, |ui| {
                support_ui(ui, scene, &mut state.settings.support);
            });
        });
}

fn readiness_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut ViewState) {
    let parts = parts(&scene.snapshot, scene.now.mono);
    if parts.iter().any(|part| part.retries) {
        ui.ctx()
            .request_repaint_after(std::time::Duration::from_secs(1));
    }
    for (number, part) in parts.iter().enumerate() {
        let Part {
            name,
            level,
            reason,
            act,
            ..
        } = part;
        let pill = match level {
            Level::Ready => None,
            Level::Working => Some(text::WAITS),
            Level::Limited | Level::Idle => Some(text::LOOK),
            Level::Broken => Some(text::PART_BROKEN),
        };
        let reason = crate::ui::display_text::clean_text(reason);
        let chosen = ui.push_id(("part", number), |ui| {
            choose_ui(ui, name, &reason, pill, None)
        });
        ui.add_space(4.0);
        if !chosen.inner.clicked() {
            continue;
        }
        match act {
            Act::Settings => state.open_phone_settings(),
            Act::Register(account) => scene.send(Command::RegisterNow(*account)),
            Act::LookForDevices => scene.send(Command::RefreshDevices),
            Act::Nothing => {}
        }
    }
}

fn log_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let theme = Theme::of(ui);
    let mut settings = scene.snapshot.settings.clone();
    let choices = [
        (LogLevel::Error, text::LOG_ERRORS.to_owned()),
        (LogLevel::Warn, text::LOG_WARNINGS.to_owned()),
        (LogLevel::Info, text::LOG_INFO.to_owned()),
        (LogLevel::Debug, text::LOG_DEBUG.to_owned()),
    ];
    let (name, why) = (text::LOG_LEVEL, text::LOG_WHY);
    if let Some(level) = explained_choice_ui(ui, name, why, &settings.log_level, &choices) {
        settings.log_level = level;
        scene.send(Command::SaveSettings(Box::new(settings)));
    }
    let folder = &scene.snapshot.log_dir;
    if !folder.is_empty() {
        paragraph_ui(ui, &text::log_is_in(folder), SMALL, theme.colours.muted);
    }
}

fn support_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut SupportState) {
    let colours = &Theme::of(ui).colours;
    paragraph_ui(ui, text::SUPPORT_WHY, BODY, colours.muted);
    explained_switch_ui(
        ui,
        &mut state.people,
        text::WITH_PEOPLE,
        text::WITH_PEOPLE_WHY,
    );
    let gathered = scene.snapshot.support.clone();
    if gathered.is_some() {
        state.gathering = false;
    }
    let words = if state.gathering {
        text::GATHERING
    } else {
        text::GATHER
    };
    let gather = Button::new(words)
        .icon(ICON_CONTACT_SUPPORT)
        .look(Look::Primary)
        .enabled(!state.gathering);
    if gather.show(ui).clicked() {
        // What is shown was gathered by another wish.
        scene.send(Command::DropSupport);
        scene.send(Command::GatherSupport(state.people));
        state.gathering = true;
        state.file = None;
        state.open = 0;
        return;
    }
    let exported = scene.snapshot.exported.as_ref();
    if let Some(export) = exported.filter(|it| it.what == ExportedWhat::SupportBundle) {
        match &export.outcome {
            Ok(path) => paragraph_ui(ui, &text::exported_to(path), BODY, colours.good.text),
            Err(why) => paragraph_ui(ui, &format::sentence(why), BODY, colours.bad.text),
        }
    }
    if let Some(bundle) = gathered {
        ui.add_space(8.0);
        contents_ui(ui, &bundle, state);
        save_ui(ui, scene, state);
    }
}

/// Everything that is in it, file by file.
fn contents_ui(ui: &mut Ui, bundle: &Arc<SupportBundle>, state: &mut SupportState) {
    let theme = Theme::of(ui);
    line_ui(ui, text::SUPPORT_CONTENTS, SMALL, theme.colours.muted);
    ui.horizontal_wrapped(|ui| {
        for (number, file) in bundle.files.iter().enumerate() {
            let look = if state.open == number {
                Look::Chosen
            } else {
                Look::Quiet
            };
            let words = text::support_file(&file.name, file.text.len());
            if Button::new(&words).look(look).show(ui).clicked() {
                state.open = number;
            }
        }
    });
    let Some(file) = bundle.files.get(state.open) else {
        return;
    };
    let lines: Vec<&str> = file.text.lines().collect();
    let height = ui.fonts_mut(|fonts| fonts.row_height(&SMALL));
    ScrollArea::both()
        .id_salt(("support", state.open))
        .max_height(SHOWN)
        .auto_shrink([false, true])
        .show_rows(ui, height, lines.len(), |ui, rows| {
            for line in lines.get(rows).unwrap_or_default() {
                let shown = crate::ui::display_text::clean_line(line);
                let label = egui::RichText::new(shown)
                    .font(SMALL)
                    .color(theme.colours.text);
                ui.add(egui::Label::new(label).extend());
            }
        });
}

fn save_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut SupportState) {
    let today = scene.now.wall.to_zoned(scene.now.zone.clone());
    let proposed = format!("ringdesk-support-{}.zip", today.strftime("%Y-%m-%d"));
    let file = state
        .file
        .get_or_insert_with(|| in_exports(scene, proposed));
    ui.scope(|ui| {
        ui.set_max_width(FORM.min(ui.available_width()));
        Field::labelled(text::SUPPORT_FILE, file).show(ui);
    });
    let named = !file.trim().is_empty();
    ui.horizontal_wrapped(|ui| {
        let save = Button::new(text::SAVE_SUPPORT)
            .look(Look::Primary)
            .enabled(named);
        if save.show(ui).clicked() {
            scene.send(Command::SaveSupport(file.clone()));
        }
        if Button::new(text::CANCEL).show(ui).clicked() {
            scene.send(Command::DropSupport);
        }
    });
}
