//! The slots of a queue: weekdays and times, also over midnight, and whose they are.

use egui::Ui;
use egui_material_icons::icons::{ICON_ADD, ICON_CLOSE};

use crate::crm::row::{Day, Slot, TimeSlot, WallTime};
use crate::ui::routing_state::SlotForm;
use crate::ui::text;
use crate::ui::theme::{BODY, SMALL, Theme, Weight, font};
use crate::ui::widget::{Button, Field, Look, framed_ui, line_ui, paragraph_ui, tab_ui, why_ui};

/// The room of a time.
const TIME: f32 = 84.0;

/// Draws those that there are, and a line for more.
pub(super) fn slots_ui(ui: &mut Ui, slots: &mut Vec<TimeSlot>, form: &mut SlotForm) {
    let theme = Theme::of(ui);
    let title = font(13.0, Weight::Medium);
    line_ui(ui, text::SLOTS, title, theme.colours.text);
    if slots.is_empty() {
        paragraph_ui(ui, text::NO_SLOTS, SMALL, theme.colours.muted);
    }
    slots.sort_by_key(|slot| slot.slot);
    let mut removed = None;
    for (place, slot) in slots.iter().enumerate() {
        let words = words(&slot.slot);
        ui.push_id(place, |ui| {
            ui.horizontal(|ui| {
                let name = text::remove_slot(&words);
                let remove = Button::icon_only(ICON_CLOSE, &name)
                    .look(Look::Bare)
                    .height(26.0);
                if remove.show(ui).clicked() {
                    removed = Some(place);
                }
                let line = format!("{words} · {}", slot.group);
                line_ui(ui, &line, BODY, theme.colours.text);
            });
        });
    }
    if let Some(removed) = removed {
        slots.remove(removed);
    }
    framed_ui(ui, |ui| {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            for (day, on) in Day::ALL.into_iter().zip(&mut form.days) {
                if tab_ui(ui, text::short_day(day), *on, None).clicked() {
                    *on = !*on;
                }
            }
        });
        ui.horizontal_wrapped(|ui| {
            Field::named(text::SLOT_FROM, &mut form.from)
                .hint(text::SLOT_FROM)
                .width(TIME)
                .show(ui);
            Field::named(text::SLOT_TO, &mut form.to)
                .hint(text::SLOT_TO)
                .width(TIME)
                .show(ui);
            Field::named(text::SLOT_GROUP, &mut form.group)
                .hint(text::SLOT_GROUP)
                .width(150.0)
                .show(ui);
        });
        why_ui(ui, text::SLOT_WHY);
        if let Some(problem) = &form.problem {
            paragraph_ui(ui, problem, SMALL, theme.colours.bad.text);
        }
        if Button::new(text::ADD_SLOTS)
            .icon(ICON_ADD)
            .show(ui)
            .clicked()
        {
            match typed(form) {
                Ok(new) => {
                    slots.extend(new);
                    form.problem = None;
                    form.group.clear();
                }
                Err(problem) => form.problem = Some(problem),
            }
        }
    });
    ui.add_space(4.0);
}

fn words(slot: &Slot) -> String {
    let (from, to) = (slot.from.to_string(), slot.to.to_string());
    text::slot(slot.day.name(), &from, &to, slot.to <= slot.from)
}

/// One slot for each chosen day, or what is missing.
fn typed(form: &SlotForm) -> Result<Vec<TimeSlot>, String> {
    let sentence = |problem: String| crate::ui::format::sentence(&problem);
    let from = WallTime::parse(&form.from).map_err(sentence)?;
    let to = WallTime::parse(&form.to).map_err(sentence)?;
    let group = form.group.trim();
    if group.is_empty() {
        return Err(text::SLOT_GROUP_MISSING.to_owned());
    }
    let chosen = Day::ALL.into_iter().zip(form.days);
    let chosen = chosen.filter(|(_, on)| *on).map(|(day, _)| day);
    let slots = chosen.map(|day| {
        let slot = Slot::new(day, from, to).map_err(sentence)?;
        Ok(TimeSlot {
            slot,
            group: group.to_owned(),
        })
    });
    let slots = slots.collect::<Result<Vec<_>, String>>()?;
    if slots.is_empty() {
        return Err(text::SLOT_DAYS_MISSING.to_owned());
    }
    Ok(slots)
}
