//! The tasks: what is to be done, the first due first, and what is done.

use egui::{ScrollArea, Ui};
use egui_material_icons::icons::{
    ICON_ADD, ICON_CALL, ICON_CHECK_CIRCLE, ICON_DELETE, ICON_RADIO_BUTTON_UNCHECKED, ICON_TASK_ALT,
};
use jiff::{Timestamp, ToSpan as _};

use super::call_row::paint_two_lines;
use super::goto::Goto;
use super::waiting::waiting_ui;
use crate::control::{CallTarget, Command, Page, PageRequest, RecordChange, WorkPage, WorkRequest};
use crate::crm::row::{TaskFilter, TaskKind, TaskRow};
use crate::ui::display_text::clean_line;
use crate::ui::scene::{Now, Scene};
use crate::ui::state::{Due, TasksState, ViewState};
use crate::ui::theme::{Theme, Tone};
use crate::ui::widget::{
    Button, Field, Look, describe, empty_ui, paint_pill, pill_width, row_ui, tab_ui, title_ui,
};
use crate::ui::{format, text};

/// The hour at which what is due on a later day is due.
const MORNING: i8 = 9;
/// The hour at which what is due today is due.
const EVENING: i8 = 17;

/// When a task may be due, in words.
const DUES: [(Due, &str); 4] = [
    (Due::Never, text::NO_DATE),
    (Due::Today, text::TODAY),
    (Due::Tomorrow, text::TOMORROW),
    (Due::NextWeek, text::NEXT_WEEK),
];

/// Draws the view.
pub(crate) fn tasks_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut ViewState) {
    title_ui(ui, text::TASKS);
    ui.add_space(4.0);
    new_ui(ui, scene, &mut state.tasks);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        for (done, word) in [(false, text::TO_DO), (true, text::DONE_TASKS)] {
            if tab_ui(ui, word, state.tasks.done == done, None).clicked() {
                state.tasks.done = done;
            }
        }
    });
    ui.add_space(4.0);
    let theme = Theme::of(ui);
    let filter = if state.tasks.done {
        TaskFilter::Done
    } else {
        TaskFilter::ToDo
    };
    let page = scene.page(&PageRequest::Work(WorkRequest::Tasks(filter)));
    let mut clicked = None;
    theme.card().show(ui, |ui| {
        ui.set_min_size(ui.available_size());
        let Some(Page::Work(WorkPage::Tasks(rows))) = page.as_deref() else {
            waiting_ui(ui, page.as_deref(), ICON_TASK_ALT);
            return;
        };
        if rows.is_empty() {
            let (title, why) = if state.tasks.done {
                (text::NO_DONE_TASKS, text::NO_DONE_TASKS_WHY)
            } else {
                (text::NO_TASKS, text::NO_TASKS_WHY)
            };
            empty_ui(ui, ICON_TASK_ALT, title, why, None);
            return;
        }
        ui.spacing_mut().item_spacing.y = 0.0;
        let height = theme.height.row;
        ScrollArea::vertical()
            .id_salt(("tasks", state.tasks.done))
            .auto_shrink(false)
            .show_rows(ui, height, rows.len(), |ui, range| {
                for task in rows.get(range).unwrap_or_default() {
                    let went = ui.push_id(task.id, |ui| task_ui(ui, scene, task)).inner;
                    clicked = went.or(clicked);
                }
            });
    });
    if let Some(clicked) = clicked {
        clicked.open(state);
    }
}

fn new_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut TasksState) {
    let mut wanted = false;
    ui.horizontal_wrapped(|ui| {
        let field = Field::named(text::NEW_TASK, &mut state.title)
            .hint(text::NEW_TASK_HINT)
            .width(280.0)
            .show(ui);
        wanted |= field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        ui.spacing_mut().item_spacing.x = 4.0;
        due_ui(ui, &mut state.due);
        let named = !state.title.trim().is_empty();
        let add = Button::new(text::ADD)
            .icon(ICON_ADD)
            .look(Look::Primary)
            .enabled(named)
            .show(ui);
        wanted |= add.clicked();
        if wanted && named {
            let title = std::mem::take(&mut state.title);
            let due = moment(state.due, &scene.now);
            let row = TaskRow::new(title.trim(), due, scene.now.wall);
            scene.send(Command::ChangeRecords(RecordChange::SaveTask(Box::new(
                row,
            ))));
            state.due = Due::Never;
        }
    });
    ui.add_space(4.0);
}

/// Lets the agent choose when something is due.
pub(crate) fn due_ui(ui: &mut Ui, due: &mut Due) {
    for (choice, word) in DUES {
        if tab_ui(ui, word, *due == choice, None).clicked() {
            *due = choice;
        }
    }
}

/// The moment of a choice, where the agent is.
pub(crate) fn moment(due: Due, now: &Now) -> Option<Timestamp> {
    let here = now.wall.to_zoned(now.zone.clone());
    let today = here.date();
    let (day, hour) = match due {
        Due::Never => return None,
        Due::Today => (today, EVENING),
        Due::Tomorrow => (today.tomorrow().ok()?, MORNING),
        Due::NextWeek => {
            let monday = i64::from(7 - today.weekday().to_monday_zero_offset());
            (today.checked_add(monday.days()).ok()?, MORNING)
        }
    };
    let at = day.at(hour, 0, 0, 0).to_zoned(now.zone.clone()).ok()?;
    // What is due today is never due already.
    Some(at.timestamp().max(now.wall))
}

fn task_ui(ui: &mut Ui, scene: &mut Scene<'_>, task: &TaskRow) -> Option<Goto> {
    let theme = Theme::of(ui);
    let done = task.done_at.is_some();
    let title = clean_line(&task.title);
    let (place, response) = row_ui(ui, &title, false);
    let middle = place.center().y;
    let cell = |right: f32| {
        egui::Rect::from_center_size(egui::pos2(right, middle), egui::vec2(32.0, 28.0))
    };
    let (icon, name) = if done {
        (ICON_CHECK_CIRCLE, text::not_done(&title))
    } else {
        (ICON_RADIO_BUTTON_UNCHECKED, text::tick_off(&title))
    };
    let tick = Button::icon_only(icon, &name).look(Look::Bare).put(
        ui,
        cell(place.left() + 20.0),
        ui.scope_id().with("tick"),
    );
    if tick.clicked() {
        let change = RecordChange::TaskDone(task.id, !done);
        scene.send(Command::ChangeRecords(change));
    }
    let delete = Button::icon_only(ICON_DELETE, &text::delete_task(&title))
        .look(Look::Bare)
        .put(ui, cell(place.right() - 20.0), ui.scope_id().with("delete"));
    if delete.clicked() {
        let change = RecordChange::DeleteTask(task.id);
        scene.send(Command::ChangeRecords(change));
    }
    let mut right = place.right() - 40.0;
    if let Some(number) = &task.number {
        let call = Button::icon_only(ICON_CALL, &text::call_person(&clean_line(number)))
            .look(Look::Bare)
            .put(ui, cell(right - 16.0), ui.scope_id().with("call"));
        if call.clicked() {
            scene.send(Command::Call(CallTarget {
                text: number.clone(),
                account: None,
            }));
        }
        right -= 36.0;
    }
    if let Some((word, tone)) = due_pill(task, &scene.now, theme) {
        right -= pill_width(ui.painter(), &word) + 8.0;
        paint_pill(ui.painter(), egui::pos2(right, middle), &word, tone);
    }
    let under = match task.kind {
        TaskKind::Callback => text::CALLBACK.to_owned(),
        TaskKind::Task => clean_line(&task.notes),
    };
    let words = place
        .with_min_x(place.left() + 42.0)
        .with_max_x(right - 8.0);
    paint_two_lines(ui.painter(), theme, words, &title, Some(&under));
    describe(ui, &response, &under);
    let leads = task
        .about
        .map(Goto::Record)
        .or_else(|| task.call.map(Goto::Call));
    leads.filter(|_| response.clicked())
}

/// When it is due, or that it was.
fn due_pill(task: &TaskRow, now: &Now, theme: &Theme) -> Option<(String, Tone)> {
    let due = task.due_at?;
    let tone = if task.done_at.is_some() {
        theme.colours.neutral
    } else if due < now.wall {
        return Some((text::OVERDUE.to_owned(), theme.colours.bad));
    } else if due.to_zoned(now.zone.clone()).date() == now.wall.to_zoned(now.zone.clone()).date() {
        theme.colours.warn
    } else {
        theme.colours.neutral
    };
    Some((format::when(due, now.wall, &now.zone), tone))
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::base::clock;

    #[test]
    fn what_is_due_is_due_where_the_agent_is() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let now = Now {
            wall: "2026-03-27T13:00:00Z".parse().unwrap(),
            mono: clock::monotonic_now(),
            zone,
        };
        let at = |due| moment(due, &now).map(|at| at.to_string());
        assert_eq!(at(Due::Never), None);
        assert_eq!(at(Due::Today).as_deref(), Some("2026-03-27T16:00:00Z"));
        assert_eq!(at(Due::Tomorrow).as_deref(), Some("2026-03-28T08:00:00Z"));
        // A Monday after the clocks went forward.
        assert_eq!(at(Due::NextWeek).as_deref(), Some("2026-03-30T07:00:00Z"));
        let late = Now {
            wall: "2026-03-27T19:00:00Z".parse().unwrap(),
            ..now
        };
        assert_eq!(moment(Due::Today, &late), Some(late.wall));
    }
}
