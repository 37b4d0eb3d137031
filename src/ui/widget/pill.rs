//! Tinted pills: the only place of a status colour.

use egui::{Color32, CornerRadius, FontId, Painter, Pos2, Rect, Response, Role, Sense, Ui, Vec2};
use egui_material_icons::MaterialIcon;

use super::label::paint_icon;
use crate::ui::theme::{Theme, Tone, Weight, font};

const HEIGHT: f32 = 20.0;
const PADDING: f32 = 8.0;
const ICON: f32 = 10.0;

fn pill_font() -> FontId {
    font(11.5, Weight::Medium)
}

/// How wide a pill with this word is.
pub(crate) fn pill_width(painter: &Painter, text: &str) -> f32 {
    let galley = painter.layout_no_wrap(text.to_owned(), pill_font(), Color32::PLACEHOLDER);
    (galley.size().x + 2.0 * PADDING).ceil()
}

/// Paints a pill whose left edge and vertical middle are given.
pub(crate) fn paint_pill(painter: &Painter, left_middle: Pos2, text: &str, tone: Tone) {
    let place = Rect::from_min_size(
        left_middle - Vec2::new(0.0, HEIGHT / 2.0),
        Vec2::new(pill_width(painter, text), HEIGHT),
    );
    paint(painter, place, text, None, tone);
}

fn paint(painter: &Painter, place: Rect, text: &str, icon: Option<MaterialIcon>, tone: Tone) {
    painter.rect_filled(place, CornerRadius::same(10), tone.tint);
    let mut left = place.left() + PADDING;
    if let Some(icon) = icon {
        let centre = egui::pos2(left + ICON / 2.0, place.center().y);
        paint_icon(painter, centre, icon, ICON, tone.text);
        left += ICON + 3.0;
    }
    painter.text(
        egui::pos2(left, place.center().y),
        egui::Align2::LEFT_CENTER,
        text,
        pill_font(),
        tone.text,
    );
}

/// The same with an icon before its word, where one is given.
pub(crate) fn pill_ui_width(painter: &Painter, text: &str, icon: Option<MaterialIcon>) -> f32 {
    let icon_width = icon.map_or(0.0, |_| ICON + 3.0);
    pill_width(painter, text) + icon_width
}

/// Adds a pill, with an icon before its word where one is given.
pub(crate) fn pill_ui(
    ui: &mut Ui,
    text: &str,
    icon: Option<MaterialIcon>,
    tone: impl Fn(&Theme) -> Tone,
) -> Response {
    let theme = Theme::of(ui);
    let width = pill_ui_width(ui.painter(), text, icon);
    let (place, response) = ui.allocate_exact_size(Vec2::new(width, HEIGHT), Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(Role::Label, true, text));
    if ui.is_rect_visible(place) {
        paint(ui.painter(), place, text, icon, tone(theme));
    }
    response
}
