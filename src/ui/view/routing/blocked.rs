//! The block list: whose calls are refused unheard, why, and how often that was.

use egui::Ui;
use egui_material_icons::icons::ICON_BLOCK;

use super::change;
use super::entry::{Entry, Pressed, form_head_ui, problem_ui};
use crate::crm::row::{BlockKind, BlockedRow, RoutingChange, RoutingTables};
use crate::ui::routing_state::{BlockForm, Deleting, RoutingState};
use crate::ui::scene::Scene;
use crate::ui::theme::{BODY, Theme};
use crate::ui::widget::{Button, FORM, Field, Look, choice_ui, line_ui, paragraph_ui};
use crate::ui::{format, locale, text};

/// 486 Busy Here and 603 Decline (RFC 3261).
const BUSY: u16 = 486;
const DECLINED: u16 = 603;

/// Draws the list, and a form for one more.
pub(super) fn blocked_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut RoutingState,
    tables: &RoutingTables,
) {
    let theme = Theme::of(ui);
    if tables.blocked.is_empty() {
        line_ui(ui, text::NO_BLOCKED, BODY, theme.colours.text);
        paragraph_ui(ui, text::NO_BLOCKED_WHY, BODY, theme.colours.muted);
        ui.add_space(8.0);
    }
    for blocked in &tables.blocked {
        let title = format::sentence(&blocked.words());
        let under = facts(scene, blocked);
        let deleting = Deleting::Blocked(blocked.id);
        let word = if blocked.status == BUSY {
            text::BUSY
        } else {
            text::DECLINED
        };
        let entry = Entry {
            title: &title,
            under: &under,
            pill: Some((word, theme.colours.neutral)),
            deleting: state.deleting.as_ref() == Some(&deleting),
            room: 0.0,
        };
        let pressed = ui.push_id(blocked.id, |ui| entry.show(ui)).inner;
        match pressed {
            Some(Pressed::Open) => state.blocked = form(blocked),
            Some(Pressed::Delete) => state.deleting = Some(deleting),
            Some(Pressed::DeleteSure) => {
                change(scene, RoutingChange::Unblock(blocked.id));
                state.deleting = None;
            }
            Some(Pressed::Keep) => state.deleting = None,
            None => {}
        }
    }
    ui.add_space(8.0);
    form_ui(ui, scene, &mut state.blocked);
}

fn facts(scene: &Scene<'_>, blocked: &BlockedRow) -> String {
    let zone = &scene.now.zone;
    let last = blocked.last_hit;
    let last = last.map(|at| format::when_inside(at, scene.now.wall, zone));
    let since = blocked.since.to_zoned(zone.clone());
    let facts = [
        blocked.note.clone(),
        text::blocked_since(&locale::current().date(since.date())),
        text::refused_calls(blocked.hits, last.as_deref()),
    ];
    let facts = facts.iter().filter(|fact| !fact.is_empty());
    facts.cloned().collect::<Vec<_>>().join(" · ")
}

fn form(blocked: &BlockedRow) -> BlockForm {
    let number = match blocked.kind {
        BlockKind::Exact => blocked.number.clone(),
        BlockKind::Prefix => format!("{}*", blocked.number),
        BlockKind::Withheld => "anonymous".to_owned(),
    };
    BlockForm {
        number,
        note: blocked.note.clone(),
        busy: blocked.status == BUSY,
        of: Some(blocked.clone()),
        problem: None,
    }
}

fn form_ui(ui: &mut Ui, scene: &mut Scene<'_>, form: &mut BlockForm) {
    let title = if form.of.is_some() {
        text::EDIT_BLOCK_TITLE
    } else {
        text::NEW_BLOCK_TITLE
    };
    form_head_ui(ui, title);
    ui.scope(|ui| {
        ui.set_max_width(FORM.min(ui.available_width()));
        Field::labelled(text::BLOCK_NUMBER, &mut form.number)
            .why(text::BLOCK_NUMBER_WHY)
            .show(ui);
        Field::labelled(text::BLOCK_NOTE, &mut form.note).show(ui);
        let answers = [
            (false, text::ANSWER_DECLINED.to_owned()),
            (true, text::ANSWER_BUSY.to_owned()),
        ];
        if let Some(busy) = choice_ui(ui, text::BLOCK_ANSWER, &form.busy, &answers) {
            form.busy = busy;
        }
    });
    problem_ui(ui, form.problem.as_ref());
    ui.horizontal(|ui| {
        let word = if form.of.is_some() {
            text::SAVE_BLOCK
        } else {
            text::ADD_BLOCK
        };
        let save = Button::new(word).icon(ICON_BLOCK).look(Look::Primary);
        if save.show(ui).clicked() {
            if form.number.trim().is_empty() {
                form.problem = Some(text::BLOCK_NUMBER_MISSING.to_owned());
            } else {
                save_entry(scene, form);
                *form = BlockForm::default();
            }
        }
        if form.of.is_some() && Button::new(text::CANCEL).show(ui).clicked() {
            *form = BlockForm::default();
        }
    });
}

/// Saves what was typed. An entry is known by whom it means: with another number it is another one, in place
/// of the one that was opened.
fn save_entry(scene: &mut Scene<'_>, form: &BlockForm) {
    let status = if form.busy { BUSY } else { DECLINED };
    let entry = BlockedRow::typed(&form.number, status, form.note.trim(), scene.now.wall);
    let before = form.of.as_ref();
    let other = before.filter(|old| (old.kind, &old.number) != (entry.kind, &entry.number));
    let removal = other.map(|old| RoutingChange::Unblock(old.id));
    change(scene, RoutingChange::Block(entry));
    if let Some(removal) = removal {
        change(scene, removal);
    }
}
