//! What a list says when it has nothing: why, and what to do.

use egui::{Sense, Ui, Vec2};
use egui_material_icons::MaterialIcon;

use super::button::{Button, Look};
use super::label::{paint_icon, paragraph_ui};
use crate::ui::theme::{BODY, Theme, Weight, font};

/// Adds it in the middle of the room that is there; true when its button was pressed.
pub(crate) fn empty_ui(
    ui: &mut Ui,
    glyph: MaterialIcon,
    title: &str,
    why: &str,
    action: Option<&str>,
) -> bool {
    let theme = Theme::of(ui);
    let room = ui.available_height();
    ui.vertical_centered(|ui| {
        ui.set_max_width(380.0);
        // A list has its rows close together.
        ui.spacing_mut().item_spacing.y = 6.0;
        ui.add_space(((room - 150.0) / 3.0).clamp(8.0, 160.0));
        // The title says it.
        let (place, _) = ui.allocate_exact_size(Vec2::splat(32.0), Sense::hover());
        paint_icon(
            ui.painter(),
            place.center(),
            glyph,
            32.0,
            theme.colours.muted,
        );
        ui.label(
            egui::RichText::new(title)
                .font(font(15.0, Weight::SemiBold))
                .color(theme.colours.text),
        );
        paragraph_ui(ui, why, BODY, theme.colours.muted);
        ui.add_space(theme.space.small);
        action.is_some_and(|action| Button::new(action).look(Look::Primary).show(ui).clicked())
    })
    .inner
}
