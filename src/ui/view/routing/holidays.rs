//! The holidays: dates on which nobody is scheduled.

use egui::Ui;
use egui_material_icons::icons::ICON_ADD;
use jiff::civil::Date;

use super::change;
use super::entry::{Entry, Pressed, form_head_ui, problem_ui};
use crate::crm::row::{HolidayRow, RoutingChange, RoutingTables};
use crate::ui::routing_state::{Deleting, HolidayForm, RoutingState};
use crate::ui::scene::Scene;
use crate::ui::theme::{BODY, Theme};
use crate::ui::widget::{Button, FORM, Field, Look, choice_ui, line_ui, paragraph_ui};
use crate::ui::{locale, text};

/// Draws the list, and a form for one more.
pub(super) fn holidays_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut RoutingState,
    tables: &RoutingTables,
) {
    let theme = Theme::of(ui);
    if tables.holidays.is_empty() {
        line_ui(ui, text::NO_HOLIDAYS, BODY, theme.colours.text);
        paragraph_ui(ui, text::NO_HOLIDAYS_WHY, BODY, theme.colours.muted);
        ui.add_space(8.0);
    }
    for holiday in &tables.holidays {
        let title = locale::current().full_date(holiday.date);
        let queue = holiday.queue.as_deref().unwrap_or(text::ALL_QUEUES);
        let under = if holiday.name.is_empty() {
            queue.to_owned()
        } else {
            format!("{} · {queue}", holiday.name)
        };
        let deleting = Deleting::Holiday(holiday.date, holiday.queue.clone());
        let entry = Entry {
            title: &title,
            under: &under,
            pill: None,
            deleting: state.deleting.as_ref() == Some(&deleting),
            room: 0.0,
        };
        let key = (holiday.date.to_string(), &holiday.queue);
        let pressed = ui.push_id(key, |ui| entry.show(ui)).inner;
        match pressed {
            Some(Pressed::Open) => state.holiday = form(holiday),
            Some(Pressed::Delete) => state.deleting = Some(deleting),
            Some(Pressed::DeleteSure) => {
                let removal = RoutingChange::RemoveHoliday {
                    date: holiday.date,
                    queue: holiday.queue.clone(),
                };
                change(scene, removal);
                state.deleting = None;
            }
            Some(Pressed::Keep) => state.deleting = None,
            None => {}
        }
    }
    ui.add_space(8.0);
    form_ui(ui, scene, &mut state.holiday, tables);
}

fn form(holiday: &HolidayRow) -> HolidayForm {
    HolidayForm {
        date: holiday.date.to_string(),
        name: holiday.name.clone(),
        queue: holiday.queue.clone(),
        problem: None,
    }
}

fn form_ui(ui: &mut Ui, scene: &mut Scene<'_>, form: &mut HolidayForm, tables: &RoutingTables) {
    form_head_ui(ui, text::HOLIDAY_TITLE);
    ui.scope(|ui| {
        ui.set_max_width(FORM.min(ui.available_width()));
        Field::labelled(text::HOLIDAY_DATE, &mut form.date)
            .hint(text::HOLIDAY_DATE_HINT)
            .show(ui);
        Field::labelled(text::HOLIDAY_NAME, &mut form.name).show(ui);
        let mut queues = vec![(None, text::ALL_QUEUES.to_owned())];
        let named = tables.queues.iter().map(|queue| &queue.name);
        queues.extend(named.map(|name| (Some(name.clone()), name.clone())));
        if let Some(queue) = choice_ui(ui, text::HOLIDAY_QUEUE, &form.queue, &queues) {
            form.queue = queue;
        }
    });
    problem_ui(ui, form.problem.as_ref());
    let save = Button::new(text::ADD_HOLIDAY)
        .icon(ICON_ADD)
        .look(Look::Primary);
    if !save.show(ui).clicked() {
        return;
    }
    match form.date.trim().parse::<Date>() {
        Ok(date) => {
            let row = HolidayRow {
                date,
                queue: form.queue.clone(),
                name: form.name.trim().to_owned(),
            };
            change(scene, RoutingChange::SaveHoliday(row));
            *form = HolidayForm::default();
        }
        Err(_) => form.problem = Some(text::no_date(form.date.trim())),
    }
}
