//! Whom an account's encrypted connections trust, being written.

use egui::Ui;

use crate::config::tls::TlsOptions;
use crate::ui::state::FormProblem;
use crate::ui::text;
use crate::ui::widget::Field;

/// Draws the files and the fingerprint.
pub(crate) fn tls_form_ui(ui: &mut Ui, tls: &mut TlsOptions, problem: &mut Option<FormProblem>) {
    for (name, hint, why, value) in [
        (
            text::CA_FILE,
            text::CA_FILE_HINT,
            text::CA_FILE_WHY,
            &mut tls.ca_file,
        ),
        (
            text::PINNED,
            text::PINNED_HINT,
            text::PINNED_WHY,
            &mut tls.pinned_certificate,
        ),
        (
            text::CLIENT_CERTIFICATE,
            text::NONE_HINT,
            text::CLIENT_CERTIFICATE_WHY,
            &mut tls.client_certificate,
        ),
        (
            text::CLIENT_KEY,
            text::NONE_HINT,
            text::CLIENT_KEY_WHY,
            &mut tls.client_key,
        ),
    ] {
        Field::labelled(name, value)
            .hint(hint)
            .why(why)
            .checked(problem)
            .show(ui);
    }
}
