//! Tabs as pills in a row.

use egui::{CornerRadius, Response, Role, Sense, StrokeKind, Ui, Vec2, WidgetInfo};

use super::badge::{badge_text, badge_width, paint_badge};
use super::label::{Line, paint_line};
use crate::ui::theme::{Theme, Weight, font};

const HEIGHT: f32 = 28.0;

/// Adds a tab; a badge counts what waits behind it.
pub(crate) fn tab_ui(ui: &mut Ui, word: &str, chosen: bool, badge: Option<u64>) -> Response {
    let theme = Theme::of(ui);
    let count = badge.map(badge_text);
    let face = font(13.0, Weight::Medium);
    let galley = ui
        .painter()
        .layout_no_wrap(word.to_owned(), face.clone(), theme.colours.text);
    let badge_width = count.as_ref().map_or(0.0, |count| badge_width(ui, count));
    let gap = if count.is_some() { 6.0 } else { 0.0 };
    let width = (galley.size().x + 2.0 * theme.space.medium + badge_width + gap).ceil();
    let (place, response) = ui.allocate_exact_size(Vec2::new(width, HEIGHT), Sense::click());
    let name = match badge {
        Some(badge) => format!("{word}, {badge}"),
        None => word.to_owned(),
    };
    response.widget_info(|| WidgetInfo::selected(Role::Tab, true, chosen, &name));
    let painter = ui.painter();
    let radius = CornerRadius::same(14);
    let ink = if chosen {
        painter.rect_filled(place, radius, theme.colours.chosen.tint);
        theme.colours.chosen.text
    } else {
        if response.hovered() {
            painter.rect_filled(place, radius, theme.colours.inset);
        }
        theme.colours.muted
    };
    if response.has_focus() {
        painter.rect_stroke(place, radius, theme.focus(), StrokeKind::Inside);
    }
    let mut inner = place.shrink2(Vec2::new(theme.space.medium, 0.0));
    inner.max.x += 2.0;
    let used = paint_line(
        painter,
        inner,
        &Line {
            text: word,
            font: face,
            colour: ink,
        },
    );
    if let Some(count) = count {
        paint_badge(
            ui,
            egui::pos2(inner.left() + used + gap, place.center().y),
            &count,
        );
    }
    response
}
