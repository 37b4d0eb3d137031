//! A contact or lead being written.

use egui::{ScrollArea, Ui};
use egui_material_icons::icons::{ICON_ADD, ICON_CLOSE};

use crate::base::id::ContactId;
use crate::control::Command;
use crate::crm::row::{ContactNumber, ContactRow, LeadStage};
use crate::ui::display_text::clean_line;
use crate::ui::scene::Scene;
use crate::ui::state::{ContactForm, ContactsState};
use crate::ui::text;
use crate::ui::theme::{SMALL, Theme, Weight, font};
use crate::ui::widget::{Button, Field, Look, choice_ui, line_ui};

/// How many numbers the form takes.
const MOST_NUMBERS: usize = 50;

/// A number as it is begun.
pub(super) fn number(raw: &str) -> ContactNumber {
    ContactNumber {
        label: text::DEFAULT_LABEL.to_owned(),
        raw: raw.to_owned(),
        e164: None,
    }
}

/// An empty form, with a number and a name where they are known.
pub(crate) fn fresh(raw: &str, name: &str) -> ContactForm {
    ContactForm {
        row: ContactRow {
            numbers: vec![number(raw)],
            ..ContactRow::named(&clean_line(name))
        },
        organization: String::new(),
        role: String::new(),
        email: String::new(),
        problem: None,
        focus: true,
    }
}

/// A form with what is stored.
pub(crate) fn edit(contact: &ContactRow) -> ContactForm {
    let mut row = contact.clone();
    if row.numbers.is_empty() {
        row.numbers.push(number(""));
    }
    ContactForm {
        organization: row.organization_name.clone().unwrap_or_default(),
        role: row.role.clone().unwrap_or_default(),
        email: row.email.clone().unwrap_or_default(),
        row,
        problem: None,
        focus: true,
    }
}

/// Draws the form.
pub(crate) fn contact_form_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut ContactsState) {
    let Some(form) = &mut state.form else { return };
    let theme = Theme::of(ui);
    let title = match (form.row.id == ContactId(0), form.row.stage.is_some()) {
        (true, false) => text::NEW_CONTACT_TITLE,
        (true, true) => text::NEW_LEAD_TITLE,
        (false, false) => text::EDIT_CONTACT_TITLE,
        (false, true) => text::EDIT_LEAD_TITLE,
    };
    line_ui(ui, title, font(17.0, Weight::SemiBold), theme.colours.text);
    let fields = ui.available_height() - 48.0;
    ScrollArea::vertical()
        .max_height(fields)
        .auto_shrink([false, true])
        .show(ui, |ui| fields_ui(ui, form));
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
            if form.row.name.trim().is_empty() {
                form.problem = Some(text::NAME_MISSING);
            } else {
                let row = finished(form);
                scene.send(Command::SaveContact(row));
                done = true;
            }
        }
        done |= Button::new(text::CANCEL).width(110.0).show(ui).clicked();
    });
    if done {
        state.form = None;
    }
}

fn fields_ui(ui: &mut Ui, form: &mut ContactForm) {
    let name = Field::labelled(text::NAME, &mut form.row.name).show(ui);
    if std::mem::take(&mut form.focus) {
        name.request_focus();
    }
    numbers_ui(ui, &mut form.row.numbers);
    ui.add_space(4.0);
    Field::labelled(text::ORGANIZATION, &mut form.organization).show(ui);
    Field::labelled(text::ROLE, &mut form.role).show(ui);
    let mut stages = vec![(None, text::NO_STAGE.to_owned())];
    let known = LeadStage::ALL.iter();
    stages.extend(known.map(|stage| (Some(*stage), text::lead_stage(*stage).to_owned())));
    if let Some(stage) = choice_ui(ui, text::STAGE, &form.row.stage, &stages) {
        form.row.stage = stage;
    }
    Field::labelled(text::EMAIL, &mut form.email).show(ui);
    Field::labelled(text::NOTES, &mut form.row.notes)
        .rows(4)
        .show(ui);
}

/// Draws phone numbers with their labels, and a way to add one.
pub(super) fn numbers_ui(ui: &mut Ui, numbers: &mut Vec<ContactNumber>) {
    let theme = Theme::of(ui);
    ui.label(
        egui::RichText::new(text::NUMBERS)
            .font(SMALL)
            .color(theme.colours.muted),
    );
    let mut removed = None;
    let many = numbers.len() > 1;
    for (index, number) in numbers.iter_mut().enumerate() {
        ui.push_id(index, |ui| {
            ui.horizontal(|ui| {
                let label = 84.0;
                let rest = ui.available_width() - label - if many { 48.0 } else { 8.0 };
                Field::named(text::NUMBER_LABEL, &mut number.label)
                    .hint(text::NUMBER_LABEL)
                    .width(label)
                    .show(ui);
                let before = number.raw.clone();
                Field::named(text::NUMBER, &mut number.raw)
                    .hint(text::NUMBER)
                    .width(rest)
                    .show(ui);
                if number.raw != before {
                    number.e164 = None;
                }
                if many
                    && Button::icon_only(ICON_CLOSE, text::REMOVE_NUMBER)
                        .look(Look::Bare)
                        .show(ui)
                        .clicked()
                {
                    removed = Some(index);
                }
            });
        });
    }
    if let Some(index) = removed {
        numbers.remove(index);
    }
    if numbers.len() < MOST_NUMBERS
        && Button::new(text::ADD_NUMBER)
            .icon(ICON_ADD)
            .look(Look::Outlined)
            .show(ui)
            .clicked()
    {
        numbers.push(number(""));
    }
}

/// The row to save: trimmed, without empty numbers.
fn finished(form: &ContactForm) -> ContactRow {
    let filled = |text: &str| {
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let mut row = form.row.clone();
    row.name = row.name.trim().to_owned();
    row.numbers.retain(|number| !number.raw.trim().is_empty());
    row.role = filled(&form.role);
    row.email = filled(&form.email);
    let organization = filled(&form.organization);
    if row.organization_name != organization {
        // The store finds it by its name, or makes it.
        row.organization = None;
        row.organization_name = organization;
    }
    row
}
