//! The call types in their order: what calls are about.

use egui::{Rect, Ui, Vec2};
use egui_material_icons::icons::{ICON_ADD, ICON_ARROW_DOWNWARD, ICON_ARROW_UPWARD, ICON_LABEL};

use super::entry::{Entry, Pressed, form_end_ui, form_head_ui};
use crate::base::id::CallTypeId;
use crate::control::{Command, Page, PageRequest, RecordChange, WorkPage, WorkRequest};
use crate::crm::row::CallTypeRow;
use crate::ui::display_text::clean_line;
use crate::ui::routing_state::{CallTypeForm, Deleting, RoutingState};
use crate::ui::scene::Scene;
use crate::ui::text;
use crate::ui::theme::Theme;
use crate::ui::view::waiting::waiting_ui;
use crate::ui::view::wrap_up::KEYED;
use crate::ui::widget::{Button, FORM, Field, Look, empty_ui, switch_ui};

/// The room of the two arrows.
const ARROWS: f32 = 72.0;

/// Draws the list, or the call type that is being written.
pub(super) fn call_types_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut RoutingState) {
    if state.call_type.is_some() {
        form_ui(ui, scene, state);
        return;
    }
    let page = scene.page(&PageRequest::Work(WorkRequest::CallTypes));
    let Some(Page::Work(WorkPage::CallTypes(rows))) = page.as_deref() else {
        waiting_ui(ui, page.as_deref(), ICON_LABEL);
        return;
    };
    let next = rows.iter().map(|row| row.place).max().unwrap_or(0) + 1;
    if rows.is_empty() {
        let (title, why) = (text::NO_CALL_TYPES, text::NO_CALL_TYPES_WHY);
        if empty_ui(ui, ICON_LABEL, title, why, Some(text::NEW_CALL_TYPE)) {
            state.call_type = Some(form(fresh(next)));
        }
        return;
    }
    let mut key = 0;
    for (place, row) in rows.iter().enumerate() {
        key += usize::from(row.active);
        let by_key = (row.active && key <= KEYED).then(|| text::chosen_by(key));
        ui.push_id(row.id, |ui| {
            row_ui(ui, scene, state, rows, place, by_key.as_deref());
        });
    }
    ui.add_space(4.0);
    let new = Button::new(text::NEW_CALL_TYPE)
        .icon(ICON_ADD)
        .look(Look::Primary);
    if new.show(ui).clicked() {
        state.call_type = Some(form(fresh(next)));
    }
    ui.add_space(8.0);
    let mut settings = scene.snapshot.settings.clone();
    if switch_ui(
        ui,
        &mut settings.call_type_required,
        text::CALL_TYPE_REQUIRED,
    ) {
        scene.send(Command::SaveSettings(Box::new(settings)));
    }
}

fn row_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut RoutingState,
    rows: &[CallTypeRow],
    place: usize,
    by_key: Option<&str>,
) {
    let Some(row) = rows.get(place) else { return };
    let theme = Theme::of(ui);
    let deleting = Deleting::CallType(row.id);
    let entry = Entry {
        title: &row.name,
        under: by_key.unwrap_or_default(),
        pill: (!row.active).then_some((text::HIDDEN, theme.colours.neutral)),
        deleting: state.deleting.as_ref() == Some(&deleting),
        room: ARROWS,
    };
    let mut moved = None;
    let pressed = entry.show_with(ui, |ui, line| {
        moved = arrows_ui(ui, line, rows, place, &clean_line(&row.name));
    });
    if let Some(to) = moved {
        reorder(scene, rows, place, to);
    }
    match pressed {
        Some(Pressed::Open) => state.call_type = Some(form(row.clone())),
        Some(Pressed::Delete) => state.deleting = Some(deleting),
        Some(Pressed::DeleteSure) => {
            send(scene, RecordChange::DeleteCallType(row.id));
            state.deleting = None;
        }
        Some(Pressed::Keep) => state.deleting = None,
        None => {}
    }
}

/// The two ways to another place, which they give.
fn arrows_ui(ui: &Ui, line: Rect, rows: &[CallTypeRow], place: usize, name: &str) -> Option<usize> {
    let arrows = [
        (place.checked_sub(1), ICON_ARROW_UPWARD, text::move_up(name)),
        (
            Some(place + 1).filter(|to| *to < rows.len()),
            ICON_ARROW_DOWNWARD,
            text::move_down(name),
        ),
    ];
    let mut moved = None;
    let mut left = line.right() - 40.0 - ARROWS;
    for (to, icon, name) in arrows {
        let corner = egui::pos2(left, line.center().y - 15.0);
        let cell = Rect::from_min_size(corner, Vec2::new(32.0, 30.0));
        left += 36.0;
        let arrow = Button::icon_only(icon, &name)
            .look(Look::Bare)
            .enabled(to.is_some())
            .put(ui, cell, ui.scope_id().with(&name));
        moved = to.filter(|_| arrow.clicked()).or(moved);
    }
    moved
}

/// Moves one of them, and saves those whose place is another now.
fn reorder(scene: &mut Scene<'_>, rows: &[CallTypeRow], from: usize, to: usize) {
    let mut order: Vec<&CallTypeRow> = rows.iter().collect();
    order.swap(from, to);
    for (place, row) in (1..).zip(order) {
        if row.place != place {
            let moved = CallTypeRow {
                place,
                ..row.clone()
            };
            send(scene, RecordChange::SaveCallType(moved));
        }
    }
}

fn send(scene: &mut Scene<'_>, change: RecordChange) {
    scene.send(Command::ChangeRecords(change));
}

fn fresh(place: u32) -> CallTypeRow {
    CallTypeRow {
        id: CallTypeId(0),
        name: String::new(),
        active: true,
        place,
    }
}

fn form(row: CallTypeRow) -> CallTypeForm {
    CallTypeForm {
        row,
        problem: None,
        focus: true,
    }
}

fn form_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut RoutingState) {
    let Some(form) = &mut state.call_type else {
        return;
    };
    let title = if form.row.id == CallTypeId(0) {
        text::NEW_CALL_TYPE_TITLE
    } else {
        text::EDIT_CALL_TYPE_TITLE
    };
    form_head_ui(ui, title);
    ui.scope(|ui| {
        ui.set_max_width(FORM.min(ui.available_width()));
        let name = Field::labelled(text::CALL_TYPE_NAME, &mut form.row.name).show(ui);
        if std::mem::take(&mut form.focus) {
            name.request_focus();
        }
        switch_ui(ui, &mut form.row.active, text::CALL_TYPE_ACTIVE);
    });
    let (save, mut leave) = form_end_ui(ui, form.problem.as_ref());
    if save {
        form.row.name = form.row.name.trim().to_owned();
        if form.row.name.is_empty() {
            form.problem = Some(text::CALL_TYPE_NAME_MISSING.to_owned());
        } else {
            send(scene, RecordChange::SaveCallType(form.row.clone()));
            leave = true;
        }
    }
    if leave {
        state.call_type = None;
    }
}
