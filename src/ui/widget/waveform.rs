//! The waveform of a recording: one lane for each side, what was played in the accent colour, with marks
//! over the time that they are about.

use egui::accesskit::Action;
use egui::{
    CornerRadius, CursorIcon, Painter, Pos2, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui,
    Vec2, WidgetInfo,
};

use super::label::{Line, paint_line};
use crate::ui::theme::{SMALL, Theme, Tone};

/// The height of a lane, and of the name above it.
const LANE: f32 = 34.0;
const NAME: f32 = 15.0;
/// A bar, and the room behind it.
const BAR: f32 = 2.0;
const STEP: f32 = 3.0;

/// A part of the time about which there is something to say, in parts of the whole.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) from: f32,
    pub(crate) to: f32,
    pub(crate) tone: Tone,
    /// Whether it is about the last lane alone.
    pub(crate) last_lane: bool,
}

/// One side.
pub(crate) struct Lane<'a> {
    pub(crate) name: &'a str,
    /// How loud it is by time, as far as that is known; 255 is the full scale.
    pub(crate) peaks: &'a [u8],
}

/// What is drawn.
pub(crate) struct Waveform<'a> {
    /// What a screen reader calls it.
    pub(crate) name: &'a str,
    /// What it says of the time.
    pub(crate) said: String,
    pub(crate) lanes: &'a [Lane<'a>],
    /// How many peaks there will be.
    pub(crate) parts: usize,
    pub(crate) spans: &'a [Span],
    /// The time, in parts of the whole.
    pub(crate) at: f32,
}

/// What was done with it.
pub(crate) struct Touched {
    pub(crate) response: Response,
    /// Where the pointer is that was pressed or is dragged, in parts of the whole.
    pub(crate) to: Option<f32>,
    /// Whether it was let go of.
    pub(crate) done: bool,
    /// How often an assistive program asked for a step on, or back.
    pub(crate) steps: i32,
}

impl Waveform<'_> {
    /// Adds it across the width that is there.
    pub(crate) fn show(self, ui: &mut Ui) -> Touched {
        let theme = Theme::of(ui);
        let height = self.lanes.len() as f32 * (NAME + LANE) + 4.0;
        let size = Vec2::new(ui.available_width(), height);
        let (place, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
        let response = response.on_hover_cursor(CursorIcon::PointingHand);
        response.widget_info(|| WidgetInfo {
            value: Some(f64::from(self.at) * 100.0),
            current_text_value: Some(self.said.clone()),
            ..WidgetInfo::labeled(Role::Slider, true, self.name)
        });
        ui.ctx().accesskit_node_builder(response.id, |node| {
            node.add_action(Action::Increment);
            node.add_action(Action::Decrement);
        });
        let asked = |action| ui.input(|it| it.num_accesskit_action_requests(response.id, action));
        let steps = [Action::Increment, Action::Decrement].map(asked);
        let [on, back] = steps.map(|count| i32::try_from(count).unwrap_or(0));
        if ui.is_rect_visible(place) {
            self.paint(ui, theme, place, &response);
        }
        let share = |pointer: Pos2| ((pointer.x - place.left()) / place.width()).clamp(0.0, 1.0);
        let held = response.is_pointer_button_down_on() || response.drag_stopped();
        let to = response
            .interact_pointer_pos()
            .filter(|_| held || response.clicked());
        Touched {
            to: to.map(share),
            done: response.clicked() || response.drag_stopped(),
            steps: on - back,
            response,
        }
    }

    fn paint(&self, ui: &Ui, theme: &Theme, place: Rect, response: &Response) {
        let painter = ui.painter();
        let lanes = place.with_min_y(place.top() + NAME);
        let along = |share: f32| egui::lerp(place.x_range(), share.clamp(0.0, 1.0));
        for (row, lane) in self.lanes.iter().enumerate() {
            let top = place.top() + row as f32 * (NAME + LANE);
            let name =
                Rect::from_min_size(Pos2::new(place.left(), top), Vec2::new(place.width(), NAME));
            let line = Line {
                text: lane.name,
                font: SMALL,
                colour: theme.colours.muted,
            };
            paint_line(painter, name, &line);
            let field = Rect::from_min_size(name.left_bottom(), Vec2::new(place.width(), LANE));
            let last = row + 1 == self.lanes.len();
            for span in self.spans.iter().filter(|span| last || !span.last_lane) {
                let right = along(span.to).max(along(span.from) + 2.0);
                let lit = field.with_min_x(along(span.from)).with_max_x(right);
                painter.rect_filled(lit, CornerRadius::same(2), span.tone.tint);
                let edge = lit.with_min_y(lit.bottom() - 2.0);
                painter.rect_filled(edge, CornerRadius::ZERO, span.tone.text);
            }
            self.paint_lane(painter, theme, field, lane.peaks);
        }
        let x = along(self.at);
        let stroke = Stroke::new(1.5, theme.colours.text);
        painter.vline(x, lanes.y_range(), stroke);
        painter.circle_filled(Pos2::new(x, lanes.top()), 4.0, theme.colours.text);
        if response.has_focus() {
            let radius = CornerRadius::same(theme.radius.control);
            let ring = place.expand2(Vec2::new(4.0, 2.0));
            painter.rect_stroke(ring, radius, theme.focus(), StrokeKind::Inside);
        }
    }

    fn paint_lane(&self, painter: &Painter, theme: &Theme, field: Rect, peaks: &[u8]) {
        let bars = (field.width() / STEP).floor().max(1.0);
        let middle = field.center().y;
        let mut left = field.left();
        let mut share = 0.0;
        while share < 1.0 {
            let next = share + 1.0 / bars;
            let found = loudest(peaks, self.parts, share, next);
            // As loud things are felt, quiet ones are seen too.
            let half = found.map_or(0.5, |peak| {
                ((f32::from(peak) / 255.0).sqrt() * (LANE / 2.0 - 2.0)).max(0.5)
            });
            let colour = match found {
                None => theme.colours.border,
                Some(_) if share < self.at => theme.colours.chosen.text,
                Some(_) => theme.colours.muted,
            };
            let bar = Rect::from_min_max(
                Pos2::new(left, middle - half),
                Pos2::new(left + BAR, middle + half),
            );
            painter.rect_filled(bar, CornerRadius::same(1), colour);
            left += STEP;
            share = next;
        }
    }
}

/// The loudest of the peaks between two shares of all parts; none where they are not known yet.
fn loudest(peaks: &[u8], parts: usize, from: f32, to: f32) -> Option<u8> {
    let place = |share: f32| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of at most some thousand parts"
        )]
        let part = (share.clamp(0.0, 1.0) * parts as f32) as usize;
        part
    };
    let first = place(from).min(parts.saturating_sub(1));
    let last = place(to).max(first + 1);
    peaks.get(first..last.min(parts))?.iter().copied().max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_show_the_loudest_of_their_parts_and_nothing_of_what_is_not_known() {
        let peaks = [1, 9, 2, 3];
        assert_eq!(loudest(&peaks, 4, 0.0, 0.5), Some(9));
        assert_eq!(loudest(&peaks, 4, 0.5, 1.0), Some(3));
        // More bars than parts: each part has several.
        assert_eq!(loudest(&peaks, 4, 0.9, 0.95), Some(3));
        assert_eq!(loudest(&peaks, 4, 1.0, 1.1), Some(3));
        assert_eq!(loudest(&peaks, 8, 0.5, 0.6), None);
        assert_eq!(loudest(&[], 0, 0.0, 1.0), None);
    }
}
