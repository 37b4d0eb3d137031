//! A count of what waits.

use egui::{Color32, CornerRadius, Pos2, Rect, Ui, Vec2};

use crate::ui::theme::{Theme, Weight, font};

const HEIGHT: f32 = 18.0;
const SIZE: f32 = 11.0;

/// At most three characters.
pub(crate) fn badge_text(count: u64) -> String {
    if count > 99 {
        "99+".to_owned()
    } else {
        count.to_string()
    }
}

/// How wide the badge is.
pub(crate) fn badge_width(ui: &Ui, count: &str) -> f32 {
    let galley = ui.painter().layout_no_wrap(
        count.to_owned(),
        font(SIZE, Weight::SemiBold),
        Color32::PLACEHOLDER,
    );
    (galley.size().x + 10.0).max(HEIGHT).ceil()
}

/// Paints a badge whose left edge and vertical middle are given.
pub(crate) fn paint_badge(ui: &Ui, left_middle: Pos2, count: &str) {
    let theme = Theme::of(ui);
    let place = Rect::from_min_size(
        left_middle - Vec2::new(0.0, HEIGHT / 2.0),
        Vec2::new(badge_width(ui, count), HEIGHT),
    );
    ui.painter()
        .rect_filled(place, CornerRadius::same(9), theme.colours.danger);
    ui.painter().text(
        place.center(),
        egui::Align2::CENTER_CENTER,
        count,
        font(SIZE, Weight::SemiBold),
        theme.colours.on_fill,
    );
}
