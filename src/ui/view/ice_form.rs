//! How the sound of an account being written finds its way.

use egui::Ui;

use crate::config::ice::IceOptions;
use crate::ui::state::AccountForm;
use crate::ui::text;
use crate::ui::theme::{SMALL, Theme};
use crate::ui::widget::{Field, explained_switch_ui, paragraph_ui};

/// Its fields, to open their section when one of them is wrong.
pub(crate) const FIELDS: [&str; 2] = [text::STUN, text::TURN];

/// Draws them.
pub(crate) fn ice_form_ui(ui: &mut Ui, form: &mut AccountForm) {
    let ice = &mut form.account.ice;
    if explained_switch_ui(ui, &mut ice.enabled, text::ICE, text::ICE_WHY) {
        // Without it there is no relay either, and the address would be seen.
        ice.relay_only &= ice.enabled;
        form.problem = None;
    }
    // In a place of its own: what comes and goes must not take the keyboard from the field below, whose
    // first letter calls it forth.
    ui.scope(|ui| {
        if !ice.enabled && *ice != IceOptions::default() {
            paragraph_ui(ui, text::ICE_OFF, SMALL, Theme::of(ui).colours.warn.text);
        }
    });
    ui.add_space(8.0);
    Field::labelled(text::STUN, &mut ice.stun)
        .hint(text::STUN_HINT)
        .why(text::STUN_WHY)
        .checked(&mut form.problem)
        .show(ui);
    Field::labelled(text::TURN, &mut ice.turn)
        .hint(text::TURN_HINT)
        .why(text::TURN_WHY)
        .checked(&mut form.problem)
        .show(ui);
    Field::labelled(text::TURN_USER, &mut ice.turn_user).show(ui);
    let kept = form.turn_secret.is_some() && form.turn_secret == ice.secret_name();
    Field::labelled(text::TURN_PASSWORD, &mut form.turn_password.0)
        .hint(if kept { text::PASSWORD_KEPT } else { "" })
        .why(text::TURN_PASSWORD_WHY)
        .password()
        .show(ui);
    let why = text::RELAY_ONLY_WHY;
    if explained_switch_ui(ui, &mut ice.relay_only, text::RELAY_ONLY, why) {
        ice.enabled |= ice.relay_only;
        form.problem = None;
    }
}
