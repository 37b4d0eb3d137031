//! A window that says why the phone did not start, for somebody who sees no terminal.

use super::shell::{UiError, native_options};
use super::{text, theme};

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
        egui::Frame::new().inner_margin(24.0).show(ui, |ui| {
            ui.heading(text::NOT_STARTED);
            ui.add_space(12.0);
            ui.label(&self.sentence);
            ui.add_space(16.0);
            let close = ui.button(text::CLOSE);
            if close.clicked() || ui.input(|input| input.key_pressed(egui::Key::Escape)) {
                ui.ctx().send_viewport_cmd(egui::ViewportCommand::Close);
            }
        });
    }
}
