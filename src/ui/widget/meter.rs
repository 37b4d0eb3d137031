//! A meter: how loud something is.

use egui::{CornerRadius, Rect, Response, Role, Sense, Ui, Vec2, WidgetInfo};

use crate::control::{LevelView, QUIETEST};
use crate::ui::text;
use crate::ui::theme::Theme;

/// How high it is, in points.
const HEIGHT: f32 = 6.0;
/// From here on the peak warns, in decibels of the full scale, and from here on it is cut.
const LOUD: i8 = -6;
const CUT: i8 = -1;

/// Adds a meter of that width: filled by the mean, with a mark at the peak. None is unknown, and it
/// is empty. Its name and value are what a screen reader says.
pub(crate) fn meter_ui(ui: &mut Ui, name: &str, level: Option<LevelView>, width: f32) -> Response {
    let theme = Theme::of(ui);
    let (place, response) = ui.allocate_exact_size(Vec2::new(width, HEIGHT), Sense::hover());
    let words = level.map_or_else(
        || text::UNKNOWN.to_owned(),
        |level| text::decibels(level.peak, level.peak <= QUIETEST),
    );
    response.widget_info(|| WidgetInfo {
        value: level.map(|level| f64::from(level.peak)),
        current_text_value: Some(words.clone()),
        ..WidgetInfo::labeled(Role::Meter, true, name)
    });
    let radius = CornerRadius::same(3);
    let painter = ui.painter();
    painter.rect_filled(place, radius, theme.colours.border);
    if let Some(level) = level {
        let tone = match level.peak {
            peak if peak >= CUT => theme.colours.bad,
            peak if peak >= LOUD => theme.colours.warn,
            _ => theme.colours.good,
        };
        let along = |decibels: i8| {
            let quietest = f32::from(QUIETEST);
            place.width() * (1.0 - f32::from(decibels) / quietest).clamp(0.0, 1.0)
        };
        let full = Vec2::new(along(level.mean), HEIGHT);
        painter.rect_filled(Rect::from_min_size(place.min, full), radius, tone.text);
        if level.peak > QUIETEST {
            let left = (place.left() + along(level.peak) - 2.0).max(place.left());
            let mark = Rect::from_min_size(egui::pos2(left, place.top()), Vec2::new(2.0, HEIGHT));
            painter.rect_filled(mark, CornerRadius::ZERO, tone.text);
        }
    }
    response.on_hover_text(format!("{name}: {words}"))
}
