//! Initials in a circle whose colour belongs to the name.

use egui::{Painter, Pos2, Sense, Ui, Vec2};
use egui_material_icons::icons::ICON_PERSON;

use super::label::paint_icon;
use crate::ui::display_text::{clean_line, visual};
use crate::ui::format;
use crate::ui::theme::{Theme, Weight, font};

/// Paints it around a centre. Without letters it shows a person.
pub(crate) fn paint_avatar(
    painter: &Painter,
    theme: &Theme,
    centre: Pos2,
    diameter: f32,
    name: Option<&str>,
) {
    let name = name.map(clean_line);
    let initials = name.as_deref().and_then(format::initials);
    match (&name, initials) {
        (Some(name), Some(initials)) => {
            let tone = theme.avatar(name);
            painter.circle_filled(centre, diameter / 2.0, tone.tint);
            painter.text(
                centre,
                egui::Align2::CENTER_CENTER,
                visual(&initials),
                font((diameter * 0.36).round(), Weight::SemiBold),
                tone.text,
            );
        }
        (_, None) | (None, _) => {
            let tone = theme.colours.neutral;
            painter.circle_filled(centre, diameter / 2.0, tone.tint);
            paint_icon(
                painter,
                centre,
                ICON_PERSON,
                (diameter * 0.55).round(),
                tone.text,
            );
        }
    }
}

/// Adds it. The name stands beside it, so it has none of its own.
pub(crate) fn avatar_ui(ui: &mut Ui, diameter: f32, name: Option<&str>) {
    let (place, _) = ui.allocate_exact_size(Vec2::splat(diameter), Sense::hover());
    let theme = Theme::of(ui);
    paint_avatar(ui.painter(), theme, place.center(), diameter, name);
}
