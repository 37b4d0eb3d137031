//! A card with a title, one of several below each other on a page.

use egui::Ui;

use super::line_ui;
use crate::ui::theme::{Theme, Weight, font};

/// The widest that a section becomes.
pub(crate) const SECTION: f32 = 640.0;

/// Adds it across the width that is there.
pub(crate) fn section_ui(ui: &mut Ui, title: &str, content: impl FnOnce(&mut Ui)) {
    let theme = Theme::of(ui);
    theme.card().show(ui, |ui| {
        ui.set_width(ui.available_width());
        line_ui(ui, title, font(15.0, Weight::SemiBold), theme.colours.text);
        ui.add_space(4.0);
        content(ui);
    });
    ui.add_space(8.0);
}
