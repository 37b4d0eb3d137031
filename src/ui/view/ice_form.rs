//! How the sound of an account being written finds its way.

use egui::Ui;

use crate::ui::state::AccountForm;
use crate::ui::text;
use crate::ui::widget::{Field, switch_ui};

/// Its fields, to open their section when one of them is wrong.
pub(crate) const FIELDS: [&str; 2] = [text::STUN, text::TURN];

/// Draws them.
pub(crate) fn ice_form_ui(ui: &mut Ui, form: &mut AccountForm) {
    let ice = &mut form.account.ice;
    switch_ui(ui, &mut ice.enabled, text::ICE);
    Field::labelled(text::STUN, &mut ice.stun)
        .why(text::STUN_WHY)
        .checked(&mut form.problem)
        .show(ui);
    Field::labelled(text::TURN, &mut ice.turn)
        .why(text::TURN_WHY)
        .checked(&mut form.problem)
        .show(ui);
    Field::labelled(text::TURN_USER, &mut ice.turn_user).show(ui);
    Field::labelled(text::TURN_PASSWORD, &mut form.turn_password.0)
        .hint(text::TURN_PASSWORD_HINT)
        .password()
        .show(ui);
    switch_ui(ui, &mut ice.relay_only, text::RELAY_ONLY);
}
