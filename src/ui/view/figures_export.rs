//! Figures that go to a file: which table, and where to.

use egui::{Key, Ui};
use egui_material_icons::icons::ICON_DOWNLOAD;
use jiff::Timestamp;

use super::ladder::in_exports;
use crate::control::{Command, ExportedWhat, FiguresTable};
use crate::ui::scene::Scene;
use crate::ui::state::{FiguresExport, ViewState};
use crate::ui::theme::{BODY, Theme};
use crate::ui::widget::{Button, FORM, Field, Look, choice_ui, paragraph_ui};
use crate::ui::{format, text};

/// The way to it.
pub(super) fn export_button_ui(ui: &mut Ui, scene: &Scene<'_>, state: &mut ViewState) {
    let asking = state.figures.file.is_some();
    let look = if asking { Look::Chosen } else { Look::Quiet };
    let export = Button::new(text::EXPORT_FIGURES)
        .icon(ICON_DOWNLOAD)
        .look(look);
    if export.show(ui).clicked() {
        let today = scene.now.wall.to_zoned(scene.now.zone.clone());
        let name = format!("ringdesk-figures-{}.csv", today.strftime("%Y-%m-%d"));
        state.figures.file = (!asking).then(|| in_exports(scene, name));
        state.figures.asked = None;
    }
}

/// Asks for the file, and tells what became of it.
pub(super) fn export_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut FiguresExport,
    (since, until): (Timestamp, Timestamp),
) {
    let colours = &Theme::of(ui).colours;
    let exported = scene.snapshot.exported.as_ref();
    let asked = state.asked.map(ExportedWhat::Figures);
    if let Some(export) = exported.filter(|it| Some(it.what) == asked) {
        match &export.outcome {
            Ok(path) => paragraph_ui(ui, &text::exported_to(path), BODY, colours.good.text),
            Err(why) => paragraph_ui(ui, &format::sentence(why), BODY, colours.bad.text),
        }
        ui.add_space(4.0);
    }
    let Some(file) = &mut state.file else { return };
    let mut over = false;
    Theme::of(ui).card().show(ui, |ui| {
        ui.set_max_width(FORM.min(ui.available_width()));
        let tables = [
            (false, text::FIGURES_BY_QUEUE.to_owned()),
            (true, text::FIGURES_BY_HOUR.to_owned()),
        ];
        if let Some(hours) = choice_ui(ui, text::FIGURES_TABLE, &state.hours, &tables) {
            state.hours = hours;
        }
        let field = Field::labelled(text::FIGURES_FILE, file)
            .why(text::FIGURES_WHY)
            .show(ui);
        let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        ui.horizontal(|ui| {
            let named = !file.trim().is_empty();
            let export = Button::new(text::EXPORT)
                .look(Look::Primary)
                .width(110.0)
                .enabled(named)
                .show(ui);
            if (export.clicked() || entered) && named {
                let table = if state.hours {
                    FiguresTable::Hours { since, until }
                } else {
                    FiguresTable::Queues { since, until }
                };
                scene.send(Command::ExportFigures(table, file.clone()));
                state.asked = Some(table);
                over = true;
            }
            over |= Button::new(text::CANCEL).width(110.0).show(ui).clicked();
        });
    });
    ui.add_space(4.0);
    if over {
        state.file = None;
    }
}
