//! A row of a list that can be chosen: 46 points, lit under the pointer, with a ring for the keyboard.

use egui::{CornerRadius, Rect, Response, Role, Sense, StrokeKind, Ui, Vec2, WidgetInfo};

use super::label::{Line, paint_line};
use super::pill::{paint_pill, pill_width};
use crate::ui::display_text::{clean_line, visual};
use crate::ui::text;
use crate::ui::theme::{SMALL, Theme, Weight, font};

/// Adds a choice among several, across the width that is there: what it is with why below, a pill where
/// something is to be said of it, and the key that takes it.
pub(crate) fn choose_ui(
    ui: &mut Ui,
    name: &str,
    why: &str,
    pill: Option<&str>,
    key: Option<&str>,
) -> Response {
    const INSET: Vec2 = Vec2::new(12.0, 7.0);
    let theme = Theme::of(ui);
    let width = ui.available_width();
    let inner = (width - 2.0 * INSET.x).max(40.0);
    let reason = ui
        .painter()
        .layout(visual(why), SMALL, theme.colours.muted, inner);
    let height = 18.0 + reason.size().y + 2.0 * INSET.y;
    let (place, response) = ui.allocate_exact_size(Vec2::new(width, height), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, clean_line(name)));
    let said = match pill {
        Some(pill) => format!("{pill}. {why}"),
        None => why.to_owned(),
    };
    ui.ctx()
        .accesskit_node_builder(response.id, |node| node.set_description(said.as_str()));
    let painter = ui.painter();
    let radius = CornerRadius::same(theme.radius.control);
    let fill = if response.hovered() {
        theme.colours.inset
    } else {
        theme.colours.surface
    };
    painter.rect(place, radius, fill, theme.border(), StrokeKind::Inside);
    if response.has_focus() {
        painter.rect_stroke(place, radius, theme.focus(), StrokeKind::Inside);
    }
    let mut title = place.shrink2(INSET);
    title.max.y = title.min.y + 18.0;
    if let Some(pill) = pill {
        title.max.x -= pill_width(painter, pill);
        let left = egui::pos2(title.right(), title.center().y);
        paint_pill(painter, left, pill, theme.colours.warn);
        title.max.x -= 6.0;
    }
    let line = Line {
        text: name,
        font: font(13.0, Weight::Medium),
        colour: theme.colours.text,
    };
    paint_line(painter, title, &line);
    let below = egui::pos2(title.left(), title.bottom());
    painter.galley(below, reason, theme.colours.muted);
    match key {
        Some(key) => response.on_hover_text(text::key(name, key)),
        None => response,
    }
}

/// Adds one; what stands in it is painted into its place.
pub(crate) fn row_ui(ui: &mut Ui, name: &str, chosen: bool) -> (Rect, Response) {
    let height = Theme::of(ui).height.row;
    tall_row_ui(ui, name, chosen, height)
}

/// Adds one that is higher.
pub(crate) fn tall_row_ui(ui: &mut Ui, name: &str, chosen: bool, height: f32) -> (Rect, Response) {
    let theme = Theme::of(ui);
    let size = Vec2::new(ui.available_width(), height);
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
