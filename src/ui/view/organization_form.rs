//! An organization being written: its name and its own numbers.

use egui::{ScrollArea, Ui};

use super::contact_form::{number, numbers_ui};
use crate::base::id::OrganizationId;
use crate::control::Command;
use crate::crm::row::OrganizationRow;
use crate::ui::display_text::clean_line;
use crate::ui::scene::Scene;
use crate::ui::state::{OrganizationForm, OrganizationsState, View, ViewState};
use crate::ui::text;
use crate::ui::theme::{SMALL, Theme, Weight, font};
use crate::ui::widget::{Button, Field, Look, line_ui};

/// Begins a new organization with a number, and a name where the far end claimed one.
pub(crate) fn create(state: &mut ViewState, raw: &str, name: Option<&str>) {
    state.view = View::Organizations;
    state.detail = None;
    state.organizations.shown = None;
    state.organizations.form = Some(OrganizationForm {
        row: OrganizationRow {
            id: OrganizationId(0),
            name: clean_line(name.unwrap_or_default()),
            contacts: 0,
            numbers: vec![number(raw)],
        },
        problem: None,
        focus: true,
    });
}

/// A form with what is stored.
pub(super) fn edit(organization: &OrganizationRow) -> OrganizationForm {
    let mut row = organization.clone();
    if row.numbers.is_empty() {
        row.numbers.push(number(""));
    }
    OrganizationForm {
        row,
        problem: None,
        focus: true,
    }
}

/// Draws the form.
pub(super) fn organization_form_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut OrganizationsState,
) {
    let Some(form) = &mut state.form else { return };
    let theme = Theme::of(ui);
    let title = if form.row.id == OrganizationId(0) {
        text::NEW_ORGANIZATION_TITLE
    } else {
        text::EDIT_ORGANIZATION_TITLE
    };
    line_ui(ui, title, font(17.0, Weight::SemiBold), theme.colours.text);
    let fields = ui.available_height() - 48.0;
    ScrollArea::vertical()
        .id_salt("organization form")
        .max_height(fields)
        .auto_shrink([false, true])
        .show(ui, |ui| {
            let name = Field::labelled(text::NAME, &mut form.row.name).show(ui);
            if std::mem::take(&mut form.focus) {
                name.request_focus();
            }
            numbers_ui(ui, &mut form.row.numbers);
        });
    if let Some(problem) = form.problem {
        line_ui(ui, problem, SMALL, theme.colours.bad.text);
    }
    let mut done = false;
    ui.horizontal(|ui| {
        let save = Button::new(text::SAVE)
            .look(Look::Primary)
            .width(110.0)
            .show(ui);
        if save.clicked() {
            let mut row = form.row.clone();
            row.name = row.name.trim().to_owned();
            row.numbers.retain(|number| !number.raw.trim().is_empty());
            if row.name.is_empty() {
                form.problem = Some(text::ORGANIZATION_NAME_MISSING);
            } else {
                scene.send(Command::SaveOrganization(row));
                done = true;
            }
        }
        done |= Button::new(text::CANCEL).width(110.0).show(ui).clicked();
    });
    if done {
        state.form = None;
    }
}
