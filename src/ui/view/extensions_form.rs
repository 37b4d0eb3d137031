//! The extensions of an account being written.

use egui::Ui;

use crate::config::call_extensions::{KeyingChoice, ReliableChoice, SrtpChoice};
use crate::ui::state::{AccountForm, FormProblem};
use crate::ui::text;
use crate::ui::widget::{Field, explained_choice_ui};

/// Draws them.
pub(crate) fn extensions_form_ui(ui: &mut Ui, form: &mut AccountForm) {
    let reliable = &mut form.account.extensions.reliable;
    let choices = [
        (ReliableChoice::Off, text::RELIABLE_OFF.to_owned()),
        (
            ReliableChoice::Supported,
            text::RELIABLE_SUPPORTED.to_owned(),
        ),
        (ReliableChoice::Required, text::RELIABLE_REQUIRED.to_owned()),
    ];
    if let Some(choice) =
        explained_choice_ui(ui, text::RELIABLE, text::RELIABLE_WHY, reliable, &choices)
    {
        *reliable = choice;
    }
    let srtp = &mut form.account.extensions.srtp;
    let choices = [
        (SrtpChoice::Off, text::SRTP_OFF.to_owned()),
        (SrtpChoice::Optional, text::SRTP_OPTIONAL.to_owned()),
        (SrtpChoice::Required, text::SRTP_REQUIRED.to_owned()),
    ];
    if let Some(choice) = explained_choice_ui(ui, text::SRTP, text::SRTP_WHY, srtp, &choices) {
        *srtp = choice;
    }
    let keying = &mut form.account.extensions.keying;
    let choices = [
        (KeyingChoice::Both, text::KEYING_BOTH.to_owned()),
        (KeyingChoice::Sdes, text::KEYING_SDES.to_owned()),
        (KeyingChoice::Dtls, text::KEYING_DTLS.to_owned()),
    ];
    if let Some(choice) = explained_choice_ui(ui, text::KEYING, text::KEYING_WHY, keying, &choices)
    {
        *keying = choice;
    }
    Field::labelled(text::SESSION_TIMER, &mut form.session_timer)
        .width(90.0)
        .why(text::SESSION_TIMER_WHY)
        .checked(&mut form.problem)
        .show(ui);
}

/// The seconds that were typed.
pub(crate) fn session_timer(typed: &str) -> Result<u32, FormProblem> {
    typed.trim().parse().map_err(|_no_number| FormProblem {
        field: Some(text::SESSION_TIMER),
        sentence: text::session_timer_wrong(typed.trim()),
        fresh: true,
    })
}
