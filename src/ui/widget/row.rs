//! A row of a list that can be chosen: 46 points, lit under the pointer, with a ring for the keyboard.

use egui::{CornerRadius, Rect, Response, Role, Sense, StrokeKind, Ui, Vec2, WidgetInfo};

use crate::ui::theme::Theme;

/// Adds one; what stands in it is painted into its place.
pub(crate) fn row_ui(ui: &mut Ui, name: &str, chosen: bool) -> (Rect, Response) {
    let theme = Theme::of(ui);
    let size = Vec2::new(ui.available_width(), theme.height.row);
    let (place, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, chosen, name));
    let lit = place.shrink2(Vec2::new(0.0, 1.0));
    let radius = CornerRadius::same(theme.radius.control);
    if chosen || response.hovered() {
        let fill = if chosen {
            theme.colours.chosen.tint
        } else {
            theme.colours.row_hover
        };
        ui.painter().rect_filled(lit, radius, fill);
    }
    if response.has_focus() {
        let ring = theme.focus();
        ui.painter()
            .rect_stroke(lit, radius, ring, StrokeKind::Inside);
    }
    (place, response)
}
