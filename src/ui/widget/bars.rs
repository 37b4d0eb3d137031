//! Four bars that say how good something is, and a word beside them.

use egui::{CornerRadius, Rect, Response, Role, Sense, Ui, Vec2};

use crate::ui::theme::{Theme, Tone};

/// How many there are.
pub(crate) const BARS: u8 = 4;
const WIDTH: f32 = 3.0;
const GAP: f32 = 2.0;
const HEIGHT: f32 = 14.0;

/// Adds the bars, so many of which are full; none is unknown, and all are empty. `name` says it to
/// a screen reader.
pub(crate) fn bars_ui(ui: &mut Ui, full: Option<u8>, tone: Tone, name: &str) -> Response {
    let theme = Theme::of(ui);
    let count = f32::from(BARS);
    let size = Vec2::new(count * WIDTH + (count - 1.0) * GAP, HEIGHT);
    let (place, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(Role::Meter, true, name));
    for bar in 0..BARS {
        let height = HEIGHT * f32::from(bar + 1) / count;
        let left = place.left() + f32::from(bar) * (WIDTH + GAP);
        let corner = egui::pos2(left, place.bottom() - height);
        let fill = if full.is_some_and(|full| bar < full) {
            tone.text
        } else {
            theme.colours.border
        };
        let bar = Rect::from_min_size(corner, Vec2::new(WIDTH, height));
        ui.painter().rect_filled(bar, CornerRadius::same(1), fill);
    }
    response
}
