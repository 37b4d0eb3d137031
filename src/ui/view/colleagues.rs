//! The strip of watched colleagues: what each does, by word, shape and colour. A press calls, a
//! ringing one can be picked up.

use egui::{CornerRadius, Id, Role, ScrollArea, Sense, StrokeKind, Ui, Vec2, WidgetInfo};
use egui_material_icons::MaterialIcon;
use egui_material_icons::icons::{
    ICON_CALL_MADE, ICON_CANCEL, ICON_CHECK_CIRCLE, ICON_DO_NOT_DISTURB_ON, ICON_HELP,
    ICON_PAUSE_CIRCLE, ICON_PHONE_CALLBACK, ICON_PHONE_IN_TALK, ICON_RING_VOLUME, ICON_SCHEDULE,
};

use crate::control::{CallTarget, ColleagueState, ColleagueView, Command, Wish};
use crate::ui::display_text::{clean_line, shown_line};
use crate::ui::scene::Scene;
use crate::ui::theme::{SMALL, Theme, Tone, Weight, font};
use crate::ui::widget::{Button, Line, Look, paint_icon, paint_own_line};
use crate::ui::{format, text};

const CHIP: Vec2 = Vec2::new(168.0, 44.0);
/// Between two of them.
const GAP: f32 = 6.0;
const PICK_UP_WIDTH: f32 = 94.0;
/// Two rows; more are reached by scrolling.
const MOST_HEIGHT: f32 = 100.0;

/// Draws the strip, where anybody is watched.
pub(crate) fn colleagues_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let snapshot = std::sync::Arc::clone(&scene.snapshot);
    if snapshot.colleagues.is_empty() {
        return;
    }
    ScrollArea::vertical()
        .id_salt("colleagues")
        .max_height(MOST_HEIGHT)
        .auto_shrink([false, true])
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing = Vec2::splat(GAP);
            for row in rows(&snapshot.colleagues, ui.available_width()) {
                ui.horizontal(|ui| {
                    for colleague in row {
                        colleague_ui(ui, scene, colleague);
                    }
                });
            }
        });
    ui.add_space(8.0);
}

/// As many in each row as there is room for; at least one.
fn rows(colleagues: &[ColleagueView], width: f32) -> Vec<Vec<&ColleagueView>> {
    let mut rows: Vec<Vec<&ColleagueView>> = Vec::new();
    let mut left = 0.0;
    for colleague in colleagues {
        let mut needed = CHIP.x + GAP;
        if colleague.pickup.is_some() {
            needed += PICK_UP_WIDTH + GAP;
        }
        match rows.last_mut() {
            Some(row) if left >= needed => row.push(colleague),
            Some(_) | None => {
                rows.push(vec![colleague]);
                left = width + GAP;
            }
        }
        left -= needed;
    }
    rows
}

fn colleague_ui(ui: &mut Ui, scene: &mut Scene<'_>, colleague: &ColleagueView) {
    // An id of its own, so that the keyboard stays with the same person when a button appears.
    let id = Id::unique(("colleague", &colleague.address, colleague.watch));
    if chip_ui(ui, colleague, id) {
        scene.send(Command::Call(CallTarget {
            text: colleague.address.clone(),
            account: None,
        }));
    }
    if let Some(pickup) = &colleague.pickup {
        let name = text::pick_up_from(&clean_line(&colleague.name));
        let (_, place) = ui.allocate_space(Vec2::new(PICK_UP_WIDTH, CHIP.y));
        let button = Button::new(text::PICK_UP)
            .icon(ICON_PHONE_CALLBACK)
            .name(&name)
            .tooltip(&name)
            .look(Look::Answer);
        if button.put(ui, place, id.with("pick up")).clicked() {
            scene.send(Command::Pickup(Box::new(pickup.clone()), Wish::AGENT));
        }
    }
}

fn chip_ui(ui: &mut Ui, colleague: &ColleagueView, id: Id) -> bool {
    let theme = Theme::of(ui);
    let (_, place) = ui.allocate_space(CHIP);
    let response = ui.interact(place, id, Sense::click());
    let (icon, tone) = look(theme, colleague.state);
    let word = text::colleague_state(colleague.state);
    let what = match &colleague.detail {
        Some(detail) => format!("{word} · {}", clean_line(detail)),
        None => word.to_owned(),
    };
    let name = clean_line(&colleague.name);
    response.widget_info(|| {
        let label = text::call_colleague(&name, &what);
        WidgetInfo::labeled(Role::Button, true, label)
    });
    if ui.is_rect_visible(place) {
        let painter = ui.painter();
        let radius = CornerRadius::same(theme.radius.control);
        let fill = if response.hovered() {
            theme.colours.inset_hover
        } else {
            theme.colours.surface
        };
        painter.rect(place, radius, fill, theme.border(), StrokeKind::Inside);
        if response.has_focus() {
            painter.rect_stroke(place, radius, theme.focus(), StrokeKind::Inside);
        }
        let circle = egui::pos2(place.left() + 22.0, place.center().y);
        painter.circle_filled(circle, 14.0, tone.tint);
        paint_icon(painter, circle, icon, 18.0, tone.text);
        let words = place
            .with_min_x(place.left() + 44.0)
            .with_max_x(place.right() - 6.0);
        let middle = place.center().y;
        let first = Line {
            text: &colleague.name,
            font: font(13.0, Weight::Medium),
            colour: theme.colours.text,
        };
        paint_own_line(
            painter,
            words.with_min_y(place.top() + 4.0).with_max_y(middle + 1.0),
            &first,
        );
        let second = Line {
            text: &what,
            font: SMALL,
            colour: tone.text,
        };
        paint_own_line(
            painter,
            words.with_min_y(middle).with_max_y(place.bottom() - 4.0),
            &second,
        );
    }
    let address = format!("{name}, {what}\n{}", shown_line(&colleague.address));
    let tooltip = match &colleague.problem {
        Some(problem) => format!("{address}\n{}", format::sentence(problem)),
        None => address,
    };
    response.on_hover_text(tooltip).clicked()
}

/// A shape and a colour for each state, so that neither must be seen alone.
fn look(theme: &Theme, state: ColleagueState) -> (MaterialIcon, Tone) {
    let c = &theme.colours;
    match state {
        ColleagueState::Unknown => (ICON_HELP, c.neutral),
        ColleagueState::Free | ColleagueState::Available => (ICON_CHECK_CIRCLE, c.good),
        ColleagueState::Ringing => (ICON_RING_VOLUME, c.warn),
        ColleagueState::Calling => (ICON_CALL_MADE, c.bad),
        ColleagueState::Talking => (ICON_PHONE_IN_TALK, c.bad),
        ColleagueState::Held => (ICON_PAUSE_CIRCLE, c.bad),
        ColleagueState::Busy => (ICON_DO_NOT_DISTURB_ON, c.bad),
        ColleagueState::Away => (ICON_SCHEDULE, c.warn),
        ColleagueState::Offline => (ICON_CANCEL, c.neutral),
    }
}
