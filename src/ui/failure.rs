//! A window that says why the phone did not start, for somebody who sees no terminal.

use egui::{CentralPanel, Frame, Key, Margin};
use egui_material_icons::icons::ICON_WARNING;

use super::shell::{UiError, native_options};
use super::theme::{BODY, Theme, Weight, font};
use super::widget::{Button, Look, icon_ui, line_ui, paragraph_ui};
use super::{format, keys, text, theme};

/// Shows the sentence until the window is closed.
///
/// # Errors
///
/// Fails when there is no display or no driver to draw with.
pub fn show_failure(sentence: &str) -> Result<(), UiError> {
    let sentence = sentence.to_owned();
    eframe::run_native(
        "ringdesk",
        native_options([560.0, 260.0], [400.0, 200.0]),
        Box::new(move |creation| {
            theme::install(&creation.egui_ctx);
            Ok(Box::new(Failure { sentence }))
        }),
    )?;
    Ok(())
}

struct Failure {
    sentence: String,
}

impl eframe::App for Failure {
    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        if failure_ui(ui, &self.sentence) {
            ui.ctx().send_viewport_cmd(egui::ViewportCommand::Close);
        }
    }
}

/// Draws the sentence; true when it was read.
pub(super) fn failure_ui(ui: &mut egui::Ui, sentence: &str) -> bool {
    let theme = Theme::of(ui);
    let frame = Frame::new()
        .fill(theme.colours.surface)
        .inner_margin(Margin::same(24));
    let close = CentralPanel::default()
        .frame(frame)
        .show(ui, |ui| {
            ui.horizontal(|ui| {
                let bad = theme.colours.bad.text;
                icon_ui(ui, ICON_WARNING, 20.0, bad, text::CAUTION);
                let face = font(17.0, Weight::SemiBold);
                line_ui(ui, text::NOT_STARTED, face, theme.colours.text);
            });
            ui.add_space(8.0);
            egui::ScrollArea::vertical()
                .max_height(ui.available_height() - 48.0)
                .auto_shrink([false, true])
                .show(ui, |ui| {
                    paragraph_ui(ui, &format::sentence(sentence), BODY, theme.colours.text);
                });
            ui.add_space(12.0);
            Button::new(text::CLOSE)
                .look(Look::Primary)
                .width(110.0)
                .key(keys::ESCAPE)
                .show(ui)
                .clicked()
        })
        .inner;
    close || ui.input(|input| input.key_pressed(Key::Escape))
}
