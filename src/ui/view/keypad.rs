//! Twelve keys with their letters.

use egui::{Align2, CornerRadius, Role, Sense, StrokeKind, Ui, Vec2, WidgetInfo};

use crate::ui::text;
use crate::ui::theme::{Theme, Weight, font};

/// Keys and letters as on every telephone (ITU-T E.161).
const KEYS: [[(&str, &str); 3]; 4] = [
    [("1", ""), ("2", "ABC"), ("3", "DEF")],
    [("4", "GHI"), ("5", "JKL"), ("6", "MNO")],
    [("7", "PQRS"), ("8", "TUV"), ("9", "WXYZ")],
    [("*", ""), ("0", "+"), ("#", "")],
];

/// Draws the keypad; gives the key that was pressed, `+` for a long press on 0.
pub(crate) fn keypad_ui(ui: &mut Ui, width: f32, key_height: f32) -> Option<&'static str> {
    let theme = Theme::of(ui);
    let gap = theme.space.small;
    let key_width = ((width - 2.0 * gap) / 3.0).floor();
    let mut pressed = None;
    ui.spacing_mut().item_spacing = Vec2::splat(gap);
    for row in KEYS {
        ui.horizontal(|ui| {
            for (digit, letters) in row {
                if let Some(key) = key_ui(ui, digit, letters, Vec2::new(key_width, key_height)) {
                    pressed = Some(key);
                }
            }
        });
    }
    pressed
}

fn key_ui(ui: &mut Ui, digit: &'static str, letters: &str, size: Vec2) -> Option<&'static str> {
    let theme = Theme::of(ui);
    let (place, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, text::digit(digit)));
    let radius = CornerRadius::same(theme.radius.control);
    let fill = if response.hovered() || response.is_pointer_button_down_on() {
        theme.colours.inset_hover
    } else {
        theme.colours.inset
    };
    let painter = ui.painter();
    painter.rect_filled(place, radius, fill);
    if response.has_focus() {
        painter.rect_stroke(place, radius, theme.focus(), StrokeKind::Inside);
    }
    let roomy = size.y >= 44.0;
    let lift = if roomy && !letters.is_empty() {
        7.0
    } else {
        0.0
    };
    painter.text(
        place.center() - Vec2::new(0.0, lift),
        Align2::CENTER_CENTER,
        digit,
        font(if roomy { 19.0 } else { 15.0 }, Weight::Medium),
        theme.colours.text,
    );
    if roomy {
        painter.text(
            place.center() + Vec2::new(0.0, 12.0),
            Align2::CENTER_CENTER,
            letters,
            font(10.0, Weight::Medium),
            theme.colours.muted,
        );
    }
    if digit == "0" && response.long_touched() {
        return Some("+");
    }
    if response.secondary_clicked() && digit == "0" {
        return Some("+");
    }
    response.clicked().then_some(digit)
}
