//! What went wrong, across the top of the content.

use egui::{CornerRadius, Frame, Margin, Ui};
use egui_material_icons::MaterialIcon;
use egui_material_icons::icons::{ICON_CHAT, ICON_CLOSE, ICON_WARNING};

use super::button::{Button, Look};
use super::label::{icon_ui, line_ui, paragraph_ui};
use crate::ui::text;
use crate::ui::theme::{BODY, SMALL, Theme, Tone};

/// Adds a banner; true when the agent took it away.
pub(crate) fn banner_ui(ui: &mut Ui, what: &str, severe: bool) -> bool {
    let theme = Theme::of(ui);
    let tone = if severe {
        theme.colours.bad
    } else {
        theme.colours.warn
    };
    frame_ui(ui, tone, (ICON_WARNING, text::CAUTION), |ui| {
        paragraph_ui(ui, what, BODY, theme.colours.text);
    })
}

/// Adds a text message; true when the agent took it away.
pub(crate) fn message_ui(ui: &mut Ui, from: &str, what: &str) -> bool {
    let theme = Theme::of(ui);
    frame_ui(ui, theme.colours.good, (ICON_CHAT, text::MESSAGE), |ui| {
        line_ui(ui, from, SMALL, theme.colours.muted);
        paragraph_ui(ui, what, BODY, theme.colours.text);
    })
}

fn frame_ui(
    ui: &mut Ui,
    tone: Tone,
    (sign, name): (MaterialIcon, &str),
    content: impl FnOnce(&mut Ui),
) -> bool {
    let theme = Theme::of(ui);
    Frame::new()
        .fill(tone.tint)
        .corner_radius(CornerRadius::same(theme.radius.control))
        .inner_margin(Margin::symmetric(12, 6))
        .show(ui, |ui| {
            ui.horizontal(|ui| {
                icon_ui(ui, sign, 16.0, tone.text, name);
                let words = ui.available_width() - 36.0;
                ui.vertical(|ui| {
                    ui.set_width(words);
                    content(ui);
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
