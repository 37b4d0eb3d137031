//! A finished call's sound by time: one strip for each figure.

use egui::{Pos2, Rect, Sense, Shape, Stroke, Ui, Vec2};

use super::call_detail::fact_ui;
use crate::control::{Page, PageRequest};
use crate::crm::row::{CallQuality, CallRow, Fixed, QualitySpan};
use crate::ui::scene::Scene;
use crate::ui::theme::{SMALL, Theme, Weight, font};
use crate::ui::widget::{Line, line_ui, paint_line, paragraph_ui};
use crate::ui::{format, text};

/// The height of a strip.
const HEIGHT: f32 = 40.0;

/// One figure by time.
struct Strip {
    name: &'static str,
    of: fn(&QualitySpan) -> Option<f64>,
    shown: fn(f64) -> String,
    /// The least that the scale reaches to, so that trifles do not fill it.
    least: f64,
    /// What the lower end stands for.
    floor: f64,
    /// Whether the lowest is the worst.
    falls: bool,
}

const STRIPS: [Strip; 4] = [
    Strip {
        name: text::LOSS,
        of: QualitySpan::loss,
        shown: text::percent,
        least: 0.05,
        floor: 0.0,
        falls: false,
    },
    Strip {
        name: text::JITTER,
        of: |span| span.jitter_ms.map(Fixed::value),
        shown: text::millis,
        least: 30.0,
        floor: 0.0,
        falls: false,
    },
    Strip {
        name: text::ROUND_TRIP,
        of: |span| span.round_trip_ms.map(Fixed::value),
        shown: text::millis,
        least: 150.0,
        floor: 0.0,
        falls: false,
    },
    Strip {
        name: text::SCORE,
        of: |span| span.mos.map(Fixed::value),
        shown: text::decimal,
        least: 4.5,
        floor: 1.0,
        falls: true,
    },
];

/// What this machine broke: drawn where it broke something.
const BREAKS: [Strip; 2] = [
    Strip {
        name: text::SPEAKER_DRY,
        of: |span| Some(span.speaker_dry.into()),
        shown: text::moments,
        least: 5.0,
        floor: 0.0,
        falls: false,
    },
    Strip {
        name: text::HELD_UP,
        of: |span| Some(span.held_up_ms.into()),
        shown: text::millis,
        least: 100.0,
        floor: 0.0,
        falls: false,
    },
];

/// Draws what is known of a call's sound.
pub(crate) fn call_sound_ui(ui: &mut Ui, scene: &Scene<'_>, row: &CallRow) {
    let Some(quality) = &row.quality else {
        return;
    };
    let theme = Theme::of(ui);
    ui.add_space(8.0);
    line_ui(
        ui,
        text::SOUND,
        font(13.0, Weight::Medium),
        theme.colours.text,
    );
    facts_ui(ui, quality);
    let page = scene.page(&PageRequest::Quality(row.id));
    match page.as_deref() {
        Some(Page::Quality(spans)) if !spans.is_empty() => {
            for strip in &STRIPS {
                strip_ui(ui, strip, spans);
            }
            let broke = |strip: &&Strip| spans.iter().filter_map(strip.of).any(|n| n > 0.0);
            for strip in BREAKS.iter().filter(broke) {
                strip_ui(ui, strip, spans);
            }
        }
        Some(Page::Quality(_)) => {
            paragraph_ui(ui, text::NO_SOUND_FIGURES, SMALL, theme.colours.muted);
        }
        Some(Page::Failed(why)) => paragraph_ui(ui, why, SMALL, theme.colours.bad.text),
        Some(
            Page::Calls(_)
            | Page::Call(_)
            | Page::Ladder(_)
            | Page::Contacts(_)
            | Page::Contact(_)
            | Page::Organizations(_)
            | Page::Identify(_)
            | Page::Work(_),
        )
        | None => {
            line_ui(ui, text::LOADING, SMALL, theme.colours.muted);
        }
    }
}

fn facts_ui(ui: &mut Ui, quality: &CallQuality) {
    let unknown = || text::UNKNOWN.to_owned();
    let score = quality.mos.map_or_else(unknown, |mos| {
        text::score(mos.value(), quality.wideband, quality.mos_estimate)
    });
    let loss = quality.loss.map(|loss| text::percent(loss.value()));
    let reported = quality.remote_loss.map(|loss| text::percent(loss.value()));
    let buffer = quality.playout_ms.map(|delay| text::millis(delay.value()));
    let counted = |count: u64| u32::try_from(count).map_or(f64::MAX, f64::from);
    for (name, value) in [
        (text::SCORE, score),
        (text::LOSS, loss.unwrap_or_else(unknown)),
        (text::BUFFER, buffer.unwrap_or_else(unknown)),
        (
            text::CONCEALED,
            text::seconds(counted(quality.concealed_ms)),
        ),
        (text::HEARD_THERE, reported.unwrap_or_else(unknown)),
    ] {
        fact_ui(ui, name, &value, false);
    }
    if quality.speaker_dry > 0 {
        let times = text::moments(counted(quality.speaker_dry));
        fact_ui(ui, text::SPEAKER_DRY, &times, false);
    }
    if quality.held_up_ms > 0 {
        let lost = text::seconds(counted(quality.held_up_ms));
        fact_ui(ui, text::HELD_UP, &lost, false);
    }
}

/// Draws one figure; what is unknown leaves a gap.
fn strip_ui(ui: &mut Ui, strip: &Strip, spans: &[QualitySpan]) {
    let theme = Theme::of(ui);
    let known: Vec<f64> = spans.iter().filter_map(strip.of).collect();
    let highest = known.iter().copied().fold(f64::MIN, f64::max);
    let lowest = known.iter().copied().fold(f64::MAX, f64::min);
    let worst = if strip.falls { lowest } else { highest };
    let count = f64::from(u32::try_from(known.len()).unwrap_or(u32::MAX));
    let mean = known.iter().sum::<f64>() / count.max(1.0);
    let (name, ends) = if known.is_empty() {
        (text::unknown_graph(strip.name), text::UNKNOWN.to_owned())
    } else {
        let (mean, worst) = ((strip.shown)(mean), (strip.shown)(worst));
        (
            text::graph(strip.name, &mean, &worst),
            text::mean_and_worst(&mean, &worst),
        )
    };
    let size = Vec2::new(ui.available_width(), HEIGHT);
    let (place, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, &name));
    if !ui.is_rect_visible(place) {
        return;
    }
    let painter = ui.painter();
    let head = Rect::from_min_size(place.min, Vec2::new(place.width(), 16.0));
    let line = |text| Line {
        text,
        font: SMALL,
        colour: theme.colours.muted,
    };
    let width = paint_line(painter, head, &line(strip.name));
    let rest = head.with_min_x(head.left() + width + 8.0);
    paint_line(painter, rest, &line(&ends));
    let field = place.with_min_y(head.bottom());
    let ground = [field.left_bottom(), field.right_bottom()];
    painter.line_segment(ground, theme.border());
    let scale = Scale {
        field,
        seconds: spans.last().map_or(1, |last| last.at + last.seconds.max(1)),
        floor: strip.floor,
        top: highest.max(strip.least),
    };
    let stroke = Stroke::new(1.5, theme.colours.chosen.text);
    for points in runs(strip, spans, &scale) {
        painter.add(Shape::line(points, stroke));
    }
    let Some(pointer) = response.hover_pos() else {
        return;
    };
    let Some(span) = spans
        .iter()
        .rev()
        .find(|span| scale.x(span.at) <= pointer.x)
    else {
        return;
    };
    let time = format::clock(std::time::Duration::from_secs(span.at.into()));
    let value = (strip.of)(span).map_or_else(|| text::UNKNOWN.to_owned(), strip.shown);
    response.on_hover_text_at_pointer(format!("{time}  {} {value}", strip.name));
}

/// Where a figure lies.
struct Scale {
    field: Rect,
    seconds: u32,
    floor: f64,
    top: f64,
}

impl Scale {
    fn x(&self, second: u32) -> f32 {
        let share = f64::from(second) / f64::from(self.seconds.max(1));
        egui::lerp(self.field.left()..=self.field.right(), narrow(share))
    }

    fn y(&self, value: f64) -> f32 {
        let share = (value - self.floor) / (self.top - self.floor).max(1e-9);
        let share = narrow(share.clamp(0.0, 1.0));
        egui::lerp(self.field.bottom()..=self.field.top() + 2.0, share)
    }
}

/// The lines of a figure: one for each run of seconds in which it is known, level in each span.
fn runs(strip: &Strip, spans: &[QualitySpan], scale: &Scale) -> Vec<Vec<Pos2>> {
    let mut lines: Vec<Vec<Pos2>> = Vec::new();
    let mut broken = true;
    for span in spans {
        let Some(value) = (strip.of)(span) else {
            broken = true;
            continue;
        };
        if std::mem::take(&mut broken) {
            lines.push(Vec::new());
        }
        if let Some(line) = lines.last_mut() {
            let y = scale.y(value);
            line.push(Pos2::new(scale.x(span.at), y));
            line.push(Pos2::new(scale.x(span.at + span.seconds.max(1)), y));
        }
    }
    lines
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a share, for a place on the screen"
)]
fn narrow(share: f64) -> f32 {
    share as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crm::row::Mos;

    #[test]
    fn unknown_seconds_leave_a_gap_and_the_scale_is_kept() {
        let span = |at, mos: Option<f64>| QualitySpan {
            at,
            seconds: 1,
            mos: mos.map(Mos::of),
            ..QualitySpan::default()
        };
        let spans = [
            span(0, None),
            span(1, Some(4.5)),
            span(2, Some(1.0)),
            span(3, None),
            span(4, Some(4.4)),
        ];
        let scale = Scale {
            field: Rect::from_min_max(Pos2::new(0.0, 0.0), Pos2::new(100.0, 24.0)),
            seconds: 5,
            floor: 1.0,
            top: 4.5,
        };
        let [.., score] = &STRIPS;
        let lines = runs(score, &spans, &scale);
        let ends: Vec<usize> = lines.iter().map(Vec::len).collect();
        assert_eq!(ends, [4, 2]);
        assert!(lines[0][0].distance(Pos2::new(20.0, 2.0)) < 0.01);
        assert!(lines[0][3].distance(Pos2::new(60.0, 24.0)) < 0.01);
    }
}
