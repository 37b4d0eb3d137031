//! What belongs together, in a frame of its own inside a card.

use egui::{CornerRadius, Frame, Margin, Ui};

use crate::ui::theme::Theme;

/// Adds it across the width that is there.
pub(crate) fn framed_ui(ui: &mut Ui, content: impl FnOnce(&mut Ui)) {
    let theme = Theme::of(ui);
    Frame::new()
        .stroke(theme.border())
        .corner_radius(CornerRadius::same(theme.radius.control))
        .inner_margin(Margin::same(10))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            content(ui);
        });
    ui.add_space(4.0);
}
