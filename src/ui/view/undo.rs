//! What was just done and can be taken back, for some seconds at the foot of the window.

use std::time::Duration;

use egui::{Align2, Area, Order, Ui};
use egui_material_icons::icons::{ICON_CLOSE, ICON_UNDO};

use crate::control::{Command, Page, PageRequest, RecordChange, WorkPage, WorkRequest};
use crate::crm::row::UndoRow;
use crate::ui::scene::Scene;
use crate::ui::state::ViewState;
use crate::ui::theme::{BODY, Theme};
use crate::ui::widget::{Button, Look, line_ui};
use crate::ui::{format, keys, text};

/// So long it stands.
const STANDS: Duration = Duration::from_secs(12);

/// The step that can be taken back now.
pub(crate) fn step(scene: &Scene<'_>, state: &ViewState) -> Option<UndoRow> {
    let page = scene.page(&PageRequest::Work(WorkRequest::UndoSteps))?;
    let Page::Work(WorkPage::UndoSteps(steps)) = page.as_ref() else {
        return None;
    };
    let newest = steps.first()?;
    let age = Duration::try_from(scene.now.wall.duration_since(newest.at)).ok()?;
    let stands = age < STANDS && state.undone != Some(newest.id);
    stands.then(|| newest.clone())
}

/// Takes it back.
pub(crate) fn take_back(scene: &mut Scene<'_>, state: &mut ViewState, step: &UndoRow) {
    state.undone = Some(step.id);
    scene.send(Command::ChangeRecords(RecordChange::Undo(step.id)));
}

/// Draws it.
pub(crate) fn undo_ui(ui: &Ui, scene: &mut Scene<'_>, state: &mut ViewState) {
    let Some(step) = step(scene, state) else {
        return;
    };
    let theme = Theme::of(ui);
    Area::new(egui::Id::unique("undo"))
        .order(Order::Foreground)
        .anchor(Align2::CENTER_BOTTOM, egui::vec2(0.0, -20.0))
        .show(ui.ctx(), |ui| {
            theme.card().show(ui, |ui| {
                ui.horizontal(|ui| {
                    let words = format::sentence(&step.label);
                    line_ui(ui, &words, BODY, theme.colours.text);
                    let back = Button::new(text::UNDO)
                        .icon(ICON_UNDO)
                        .look(Look::Primary)
                        .key(keys::UNDO)
                        .show(ui);
                    if back.clicked() {
                        take_back(scene, state, &step);
                    }
                    let close = Button::icon_only(ICON_CLOSE, text::DISMISS).look(Look::Bare);
                    if close.show(ui).clicked() {
                        state.undone = Some(step.id);
                    }
                });
            });
        });
    ui.ctx().request_repaint_after(Duration::from_secs(1));
}
