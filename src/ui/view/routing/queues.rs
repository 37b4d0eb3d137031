//! The queues: the numbers that are called, and who takes their calls when.

use egui::Ui;
use egui_material_icons::icons::{ICON_ADD, ICON_GROUPS};
use jiff::tz::TimeZone;

use super::entry::{Entry, Pressed, form_end_ui, form_head_ui};
use super::slots::slots_ui;
use super::{change, parts, preview};
use crate::base::id::QueueId;
use crate::base::page_template;
use crate::control::Command;
use crate::crm::row::{QueueRow, RoutingChange, RoutingTables, Slot, first_overlap};
use crate::ui::routing_state::{Deleting, QueueForm, RoutingState, SlotForm};
use crate::ui::scene::Scene;
use crate::ui::text;
use crate::ui::widget::{Button, FORM, Field, Look, empty_ui, switch_ui};

/// Draws the list, or the queue that is being written.
pub(super) fn queues_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut RoutingState,
    tables: &RoutingTables,
) {
    if state.queue.is_some() {
        form_ui(ui, scene, state);
        return;
    }
    if tables.queues.is_empty() {
        let (title, why) = (text::NO_QUEUES, text::NO_QUEUES_WHY);
        if empty_ui(ui, ICON_GROUPS, title, why, Some(text::NEW_QUEUE)) {
            state.queue = Some(form(fresh()));
        }
        return;
    }
    for queue in &tables.queues {
        let under = facts(scene, queue);
        let deleting = Deleting::Queue(queue.id);
        let entry = Entry {
            title: &queue.name,
            under: &under,
            pill: None,
            deleting: state.deleting.as_ref() == Some(&deleting),
            room: 0.0,
        };
        let pressed = ui.push_id(queue.id, |ui| entry.show(ui)).inner;
        match pressed {
            Some(Pressed::Open) => state.queue = Some(form(queue.clone())),
            Some(Pressed::Delete) => state.deleting = Some(deleting),
            Some(Pressed::DeleteSure) => {
                change(scene, RoutingChange::RemoveQueue(queue.id));
                state.deleting = None;
            }
            Some(Pressed::Keep) => state.deleting = None,
            None => {}
        }
    }
    ui.add_space(4.0);
    let new = Button::new(text::NEW_QUEUE)
        .icon(ICON_ADD)
        .look(Look::Primary);
    if new.show(ui).clicked() {
        state.queue = Some(form(fresh()));
    }
    ui.add_space(8.0);
    let mut settings = scene.snapshot.settings.clone();
    let page = &mut settings.open_page_on_answer;
    if switch_ui(ui, page, text::OPEN_PAGE_ON_ANSWER) {
        scene.send(Command::SaveSettings(Box::new(settings)));
    }
}

/// Its numbers, how many slots it has, and who takes its calls now.
fn facts(scene: &Scene<'_>, queue: &QueueRow) -> String {
    let mut facts = vec![queue.numbers.join(", ")];
    if queue.slots.is_empty() {
        facts.push(text::AT_ALL_TIMES.to_owned());
    } else {
        facts.push(text::slot_count(queue.slots.len()));
        if let Some(names) = preview::scheduled_now(scene, queue) {
            facts.push(if names.is_empty() {
                text::NOBODY_NOW.to_owned()
            } else {
                text::now_scheduled(&names.join(", "))
            });
        }
    }
    facts.push(queue.zone.clone());
    facts.retain(|fact| !fact.is_empty());
    facts.join(" · ")
}

fn fresh() -> QueueRow {
    QueueRow {
        id: QueueId(0),
        name: String::new(),
        medium: String::new(),
        zone: String::new(),
        numbers: Vec::new(),
        slots: Vec::new(),
        pause_code: String::new(),
        unpause_code: String::new(),
        script: String::new(),
        page: String::new(),
    }
}

fn form(row: QueueRow) -> QueueForm {
    QueueForm {
        numbers: row.numbers.join(", "),
        row,
        slot: SlotForm::default(),
        problem: None,
        focus: true,
    }
}

fn form_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut RoutingState) {
    let Some(form) = &mut state.queue else { return };
    let title = if form.row.id == QueueId(0) {
        text::NEW_QUEUE_TITLE
    } else {
        text::EDIT_QUEUE_TITLE
    };
    form_head_ui(ui, title);
    ui.scope(|ui| {
        ui.set_max_width(FORM.min(ui.available_width()));
        let name = Field::labelled(text::QUEUE_NAME, &mut form.row.name).show(ui);
        if std::mem::take(&mut form.focus) {
            name.request_focus();
        }
        Field::labelled(text::QUEUE_NUMBERS, &mut form.numbers)
            .why(text::QUEUE_NUMBERS_WHY)
            .show(ui);
        Field::labelled(text::ZONE, &mut form.row.zone)
            .hint(text::ZONE_HINT)
            .why(text::ZONE_WHY)
            .show(ui);
        slots_ui(ui, &mut form.row.slots, &mut form.slot);
        Field::labelled(text::MEDIUM, &mut form.row.medium)
            .hint(text::MEDIUM_HINT)
            .show(ui);
        Field::labelled(text::PAUSE_CODE, &mut form.row.pause_code)
            .hint(text::CODE_HINT)
            .show(ui);
        Field::labelled(text::UNPAUSE_CODE, &mut form.row.unpause_code)
            .hint(text::CODE_HINT)
            .show(ui);
        Field::labelled(text::SCRIPT, &mut form.row.script)
            .why(text::SCRIPT_WHY)
            .rows(3)
            .show(ui);
        Field::labelled(text::PAGE, &mut form.row.page)
            .hint(text::PAGE_HINT)
            .why(text::PAGE_WHY)
            .show(ui);
    });
    ui.add_space(4.0);
    let (save, mut leave) = form_end_ui(ui, form.problem.as_ref());
    if save {
        let row = finished(form);
        match problem(&row) {
            None => {
                change(scene, RoutingChange::SaveQueue(row));
                leave = true;
            }
            some => form.problem = some,
        }
    }
    if leave {
        state.queue = None;
    }
}

fn finished(form: &QueueForm) -> QueueRow {
    let row = &form.row;
    QueueRow {
        id: row.id,
        name: row.name.trim().to_owned(),
        medium: row.medium.trim().to_owned(),
        zone: row.zone.trim().to_owned(),
        numbers: parts(&form.numbers),
        slots: row.slots.clone(),
        pause_code: row.pause_code.trim().to_owned(),
        unpause_code: row.unpause_code.trim().to_owned(),
        script: row.script.trim().to_owned(),
        page: row.page.trim().to_owned(),
    }
}

/// Why it cannot be saved, before the store says so.
fn problem(row: &QueueRow) -> Option<String> {
    if row.name.is_empty() {
        return Some(text::QUEUE_NAME_MISSING.to_owned());
    }
    if !row.zone.is_empty() && TimeZone::get(&row.zone).is_err() {
        return Some(text::no_zone(&row.zone));
    }
    if !row.page.is_empty()
        && let Err(why) = page_template::check(&row.page)
    {
        return Some(why.to_string());
    }
    let slots: Vec<Slot> = row.slots.iter().map(|slot| slot.slot).collect();
    let (one, other) = first_overlap(&slots)?;
    Some(text::overlap(&one.to_string(), &other.to_string()))
}
