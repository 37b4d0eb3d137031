//! The last calls with somebody, in short rows.

use egui::{Sense, Ui, Vec2};

use crate::crm::row::CallRow;
use crate::ui::scene::Scene;
use crate::ui::theme::{BODY, SMALL, Theme, Weight, font};
use crate::ui::widget::{Line, elided, line_ui, paint_icon, paint_line};
use crate::ui::{format, outcome, text};

const ROW: f32 = 30.0;

/// Draws them, newest first, with the first line of their notes; where nobody scrolls, only as many as
/// are seen whole.
pub(crate) fn last_calls_ui(ui: &mut Ui, scene: &Scene<'_>, calls: &[CallRow], whole: bool) {
    let theme = Theme::of(ui);
    ui.add_space(4.0);
    line_ui(
        ui,
        text::LAST_CALLS,
        font(12.0, Weight::Medium),
        theme.colours.muted,
    );
    if calls.is_empty() {
        line_ui(ui, text::FIRST_CALL, SMALL, theme.colours.muted);
        return;
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    // One that would be cut off says less than none.
    let bottom = ui.clip_rect().bottom();
    for (place, row) in calls.iter().enumerate() {
        if whole && place > 0 && ui.cursor().top() + ROW > bottom {
            break;
        }
        row_ui(ui, scene, row);
    }
}

fn row_ui(ui: &mut Ui, scene: &Scene<'_>, row: &CallRow) {
    let theme = Theme::of(ui);
    let (place, response) =
        ui.allocate_exact_size(Vec2::new(ui.available_width(), ROW), Sense::hover());
    let (arrow, _) = outcome::arrow(row);
    let (word, _) = outcome::of_row(row, theme);
    let length = match row.talking_millis {
        Some(_) => format!("{word}, {}", format::length(row.talking_millis)),
        None => word.to_owned(),
    };
    let whole_note = row.notes.lines().find(|line| !line.trim().is_empty());
    let what = told(whole_note, &length);
    let when = format::when(row.started_at, scene.now.wall, &scene.now.zone);
    response.widget_info(|| {
        egui::WidgetInfo::labeled(egui::Role::Label, true, format!("{what}, {when}"))
    });
    let painter = ui.painter();
    paint_icon(
        painter,
        egui::pos2(place.left() + 8.0, place.center().y),
        arrow,
        16.0,
        theme.colours.muted,
    );
    let galley = painter.layout_no_wrap(when.clone(), SMALL, theme.colours.muted);
    let when_left = place.right() - galley.size().x;
    paint_line(
        painter,
        place.with_min_x(when_left).with_max_x(place.right() + 1.0),
        &Line {
            text: &when,
            font: SMALL,
            colour: theme.colours.muted,
        },
    );
    let middle = place
        .with_min_x(place.left() + 24.0)
        .with_max_x(when_left - 8.0);
    // A long note is shortened, not what became of the call.
    let outcome = painter.layout_no_wrap(told(Some(""), &length), BODY, theme.colours.text);
    let left = middle.width() - outcome.size().x;
    let note = whole_note.map(|note| elided(painter, note, &BODY, left));
    paint_line(
        painter,
        middle,
        &Line {
            text: &told(note.as_deref(), &length),
            font: BODY,
            colour: theme.colours.text,
        },
    );
    if let Some(note) = whole_note {
        response.on_hover_text(crate::ui::display_text::shown_line(note));
    }
}

/// The note, with what became of the call.
fn told(note: Option<&str>, length: &str) -> String {
    match note {
        Some(note) => format!("{note} ({length})"),
        None => length.to_owned(),
    }
}
