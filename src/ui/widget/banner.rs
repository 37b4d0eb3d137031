//! What went wrong, across the top of the content.

use egui::{CornerRadius, Frame, Margin, Ui};
use egui_material_icons::icons::{ICON_CLOSE, ICON_WARNING};

use super::button::{Button, Look};
use super::label::{icon, paragraph_ui};
use crate::ui::text;
use crate::ui::theme::{BODY, Theme};

/// Adds a banner; true when the agent took it away.
pub(crate) fn banner_ui(ui: &mut Ui, what: &str, severe: bool) -> bool {
    let theme = Theme::of(ui);
    let tone = if severe {
        theme.colours.bad
    } else {
        theme.colours.warn
    };
    Frame::new()
        .fill(tone.tint)
        .corner_radius(CornerRadius::same(theme.radius.control))
        .inner_margin(Margin::symmetric(12, 6))
        .show(ui, |ui| {
            ui.horizontal(|ui| {
                ui.label(icon(ICON_WARNING, 16.0, tone.text))
                    .accessible_name(text::CAUTION);
                let words = ui.available_width() - 36.0;
                ui.vertical(|ui| {
                    ui.set_width(words);
                    paragraph_ui(ui, what, BODY, theme.colours.text);
                });
                Button::icon_only(ICON_CLOSE, text::DISMISS)
                    .look(Look::Quiet)
                    .height(24.0)
                    .show(ui)
                    .clicked()
            })
            .inner
        })
        .inner
}
