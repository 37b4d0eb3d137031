//! Why we think who it is, and the choice where it is not sure.

use egui::Ui;
use egui_material_icons::icons::ICON_PERSON_ADD;

use super::call_controls::reach;
use super::contacts;
use crate::control::{CallView, Command};
use crate::ui::display_text::shown_line;
use crate::ui::person::{Certainty, Person};
use crate::ui::scene::Scene;
use crate::ui::state::ViewState;
use crate::ui::theme::{SMALL, Theme, Weight, font};
use crate::ui::widget::{Button, Look, line_ui, paragraph_ui};
use crate::ui::{format, text};

/// Draws the reason, the candidates, and the way to the contact.
pub(crate) fn who_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut ViewState,
    call: &CallView,
    person: &Person<'_>,
) {
    let theme = Theme::of(ui);
    let why = if person.candidates.is_empty() {
        format::sentence(&person.why)
    } else {
        text::matched_by(&person.why)
    };
    paragraph_ui(ui, &why, SMALL, theme.colours.muted);
    let open = call.chosen.is_none()
        && match person.certainty {
            Certainty::Several | Certainty::Maybe => true,
            Certainty::Known | Certainty::Nobody | Certainty::LookingUp => false,
        };
    if open {
        line_ui(
            ui,
            text::WHO_IS_IT,
            font(12.0, Weight::Medium),
            theme.colours.text,
        );
        let width = ui.available_width();
        for (number, candidate) in (1..).zip(person.candidates.iter().take(9)) {
            let name = match &candidate.organization {
                Some(organization) => format!("{} · {organization}", candidate.name),
                None => candidate.name.clone(),
            };
            let label = text::choose_nth(number, &shown_line(&name));
            let button = Button::new(&label)
                .look(Look::Outlined)
                .width(width)
                .tooltip(&candidate.reason)
                .show(ui);
            if button.clicked() {
                scene.send(Command::ChooseCaller(call.id, Some(candidate.subject)));
            }
        }
        if Button::new(text::SOMEONE_ELSE)
            .look(Look::Bare)
            .key("Alt+0")
            .width(width)
            .show(ui)
            .clicked()
        {
            scene.send(Command::ChooseCaller(call.id, None));
        }
    }
    ui.horizontal(|ui| {
        if let Some(contact) = person.sure.and_then(|sure| sure.subject.contact()) {
            if Button::new(text::OPEN_CONTACT).show(ui).clicked() {
                contacts::open(state, contact);
            }
        } else if person.certainty != Certainty::LookingUp
            && Button::new(text::CREATE_CONTACT)
                .icon(ICON_PERSON_ADD)
                .show(ui)
                .clicked()
        {
            contacts::create(state, &reach(call), call.remote_name.as_deref());
        }
    });
    ui.add_space(8.0);
}
