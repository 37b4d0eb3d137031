//! The messages between two lines, the phone at the left and the far end at the right. Only those
//! in sight are drawn.

use std::sync::Arc;

use egui::text::{LayoutJob, TextFormat};
use egui::{
    Color32, CornerRadius, Galley, Label, Margin, Painter, Pos2, Rect, Role, ScrollArea, Sense,
    Shape, Stroke, Ui, Vec2, WidgetInfo,
};
use egui_material_icons::icons::{ICON_CONTENT_COPY, ICON_EXPAND_LESS, ICON_EXPAND_MORE};

use crate::control::ladder;
use crate::crm::row::{CallLadder, LadderMessage};
use crate::ui::display_text::clean_text;
use crate::ui::state::LadderState;
use crate::ui::text;
use crate::ui::theme::{SMALL, Theme, Weight, font};
use crate::ui::widget::{Button, Line, Look, paint_centred, paint_icon, paint_line};

/// Heights in points.
const ENDS: f32 = 30.0;
const GAP: f32 = 26.0;
const RUNG: f32 = 42.0;
/// The room for the times at the left and for the sign at the right.
const TIMES: f32 = 78.0;
const SIGN: f32 = 30.0;
/// A line of an open message.
const LINE: f32 = 17.0;
/// The room for its copy button.
const COPY: f32 = 32.0;
/// Around the text of an open message.
const MARGIN: f32 = 10.0;
/// A title is cut by its width; this only bounds the work.
const LONGEST_TITLE: usize = 300;

/// What stands in one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Row {
    /// Who is at the ends from here on.
    Ends(usize),
    /// So many messages were left out.
    Gap(u64),
    /// A message, counted from the first.
    Rung(usize),
}

/// The rows of a ladder.
fn rows(messages: &[LadderMessage]) -> Vec<Row> {
    let mut rows = Vec::with_capacity(messages.len() + 2);
    let mut ends = None;
    for (place, message) in messages.iter().enumerate() {
        if message.omitted > 0 {
            rows.push(Row::Gap(message.omitted));
        }
        let now = (message.local, message.remote);
        if ends != Some(now) {
            ends = Some(now);
            rows.push(Row::Ends(place));
        }
        rows.push(Row::Rung(place));
    }
    rows
}

/// Draws the ladder.
pub(crate) fn rungs_ui(ui: &mut Ui, open: &mut LadderState, found: &CallLadder) {
    let messages = found.messages.as_slice();
    let rows = rows(messages);
    ScrollArea::vertical()
        .id_salt(("ladder", found.call.id))
        .auto_shrink(false)
        .show_viewport(ui, |ui, sight| {
            let corner = ui.max_rect().min;
            let width = ui.available_width();
            let mut top = 0.0;
            for row in &rows {
                let (height, galley) = measure(ui, *row, messages, open, width);
                let place =
                    Rect::from_min_size(corner + Vec2::new(0.0, top), Vec2::new(width, height));
                // One row more on each side, so that the keyboard finds the next one.
                if top + height >= sight.top() - RUNG && top <= sight.bottom() + RUNG {
                    row_ui(ui, place, *row, messages, open, galley);
                }
                top += height;
            }
            ui.allocate_space(Vec2::new(width, top));
        });
}

/// How high a row is, with the text of an open message.
fn measure(
    ui: &Ui,
    row: Row,
    messages: &[LadderMessage],
    open: &LadderState,
    width: f32,
) -> (f32, Option<Arc<Galley>>) {
    match row {
        Row::Ends(_) => (ENDS, None),
        Row::Gap(_) => (GAP, None),
        Row::Rung(place) => match messages.get(place) {
            Some(message) if open.open.contains(&place) => {
                let room = width - 2.0 * (MARGIN + f32::from(OUTSIDE.left)) - COPY;
                let galley = ui.painter().layout_job(whole(message, Theme::of(ui), room));
                let text = galley.size().y + 2.0 * MARGIN + OUTSIDE.sum().y;
                (RUNG + text, Some(galley))
            }
            Some(_) | None => (RUNG, None),
        },
    }
}

/// Around the frame of an open message.
const OUTSIDE: Margin = Margin {
    left: 8,
    right: 8,
    top: 2,
    bottom: 8,
};

/// The text of a message: the first line stands out, names of header fields stand back.
fn whole(message: &LadderMessage, theme: &Theme, room: f32) -> LayoutJob {
    let mut job = LayoutJob::default();
    job.wrap.max_width = room.max(80.0);
    let mut in_head = true;
    for (number, line) in message.text.lines().enumerate() {
        let line = clean_text(line);
        in_head &= !line.is_empty();
        let format = |weight, colour| TextFormat {
            line_height: Some(LINE),
            ..TextFormat::simple(font(12.0, weight), colour)
        };
        let colours = &theme.colours;
        if number > 0 {
            job.append("\n", 0.0, format(Weight::Regular, colours.text));
        }
        match line.split_once(':') {
            _ if number == 0 => job.append(&line, 0.0, format(Weight::SemiBold, colours.text)),
            Some((name, value)) if in_head => {
                job.append(name, 0.0, format(Weight::Medium, colours.muted));
                job.append(":", 0.0, format(Weight::Medium, colours.muted));
                job.append(value, 0.0, format(Weight::Regular, colours.text));
            }
            Some(_) | None => job.append(&line, 0.0, format(Weight::Regular, colours.text)),
        }
    }
    job
}

fn row_ui(
    ui: &mut Ui,
    place: Rect,
    row: Row,
    messages: &[LadderMessage],
    open: &mut LadderState,
    galley: Option<Arc<Galley>>,
) {
    let lanes = Lanes::within(place);
    match row {
        Row::Ends(at) => {
            if let Some(message) = messages.get(at) {
                ends_ui(ui, place, &lanes, message);
            }
        }
        Row::Gap(count) => {
            lanes.paint(ui, place, true);
            let line = Line {
                text: &text::left_out(count),
                font: SMALL,
                colour: Theme::of(ui).colours.muted,
            };
            paint_centred(ui.painter(), lanes.between(place), &line);
        }
        Row::Rung(at) => {
            let (Some(message), Some(first)) = (messages.get(at), messages.first()) else {
                return;
            };
            let head = place.with_max_y(place.top() + RUNG);
            let since = message.at.duration_since(first.at).as_secs_f64();
            let pressed = rung_ui(ui, head, &lanes, (at, since, message), galley.is_some());
            if pressed && !open.open.remove(&at) {
                open.open.insert(at);
            }
            if let Some(galley) = galley {
                whole_ui(ui, place.with_min_y(head.bottom()), at, message, galley);
            }
        }
    }
}

/// Where the two lines are.
struct Lanes {
    left: f32,
    right: f32,
}

impl Lanes {
    fn within(place: Rect) -> Self {
        Self {
            left: place.left() + TIMES + 6.0,
            right: place.right() - SIGN - 6.0,
        }
    }

    fn between(&self, place: Rect) -> Rect {
        place
            .with_min_x(self.left + 14.0)
            .with_max_x(self.right - 14.0)
    }

    fn paint(&self, ui: &Ui, place: Rect, broken: bool) {
        let line = Theme::of(ui).border();
        for x in [self.left, self.right] {
            if broken {
                let ends = [Pos2::new(x, place.top()), Pos2::new(x, place.bottom())];
                ui.painter()
                    .extend(Shape::dashed_line(&ends, line, 3.0, 3.0));
            } else {
                ui.painter().vline(x, place.y_range(), line);
            }
        }
    }
}

fn ends_ui(ui: &Ui, place: Rect, lanes: &Lanes, message: &LadderMessage) {
    let theme = Theme::of(ui);
    let middle = place.center().x;
    let ours = format!("{} · {}", text::THIS_PHONE, message.local);
    let theirs = message.remote.to_string();
    ui.interact(place, ui.scope_id().with("ends"), Sense::hover())
        .widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{ours}, {theirs}")));
    let line = |text| Line {
        text,
        font: font(12.0, Weight::Medium),
        colour: theme.colours.muted,
    };
    let painter = ui.painter();
    let half = place
        .with_min_x(lanes.left - 4.0)
        .with_max_x(middle.max(lanes.right - 150.0) - 8.0);
    paint_line(painter, half, &line(&ours));
    let galley = painter.layout_no_wrap(
        theirs.clone(),
        font(12.0, Weight::Medium),
        theme.colours.muted,
    );
    let left = (lanes.right + 4.0 - galley.size().x).max(half.right() + 8.0);
    let half = place.with_min_x(left).with_max_x(lanes.right + 8.0);
    paint_line(painter, half, &line(&theirs));
}

/// The colour of a message: what is asked, what went well, what did not.
fn ink(message: &LadderMessage, theme: &Theme) -> Color32 {
    let colours = &theme.colours;
    match ladder::status(&message.text) {
        None => colours.chosen.text,
        Some(..200) => colours.neutral.text,
        Some(200..300) => colours.good.text,
        Some(300..400 | 401 | 407 | 487) => colours.warn.text,
        Some(400..) => colours.bad.text,
    }
}

/// One arrow with its title; true when it was pressed.
fn rung_ui(
    ui: &Ui,
    place: Rect,
    lanes: &Lanes,
    (at, since, message): (usize, f64, &LadderMessage),
    is_open: bool,
) -> bool {
    let theme = Theme::of(ui);
    let id = ui.scope_id().with(("rung", at));
    let response = ui.interact(place, id, Sense::click());
    let title = ladder::title(&message.text, LONGEST_TITLE);
    response.widget_info(|| {
        let way = if message.sent {
            text::MESSAGE_SENT
        } else {
            text::MESSAGE_RECEIVED
        };
        let name = format!("{}, {way}, {title}", text::since_first(since));
        WidgetInfo::selected(Role::Button, true, is_open, name)
    });
    if response.gained_focus() {
        ui.scroll_to_rect(place.expand(RUNG), None);
    }
    let painter = ui.painter();
    let radius = CornerRadius::same(theme.radius.control);
    if response.hovered() || response.has_focus() {
        painter.rect_filled(place, radius, theme.colours.row_hover);
    }
    lanes.paint(ui, place, false);
    let time = Line {
        text: &text::since_first(since),
        font: SMALL,
        colour: theme.colours.text,
    };
    let left = place.with_min_x(place.left() + 8.0);
    let upper = left.with_max_x(place.left() + TIMES);
    paint_line(painter, upper.with_max_y(place.top() + 24.0), &time);
    let transport = Line {
        text: &message.transport,
        font: font(11.0, Weight::Regular),
        colour: theme.colours.muted,
    };
    paint_line(painter, upper.with_min_y(place.top() + 18.0), &transport);
    let ink = ink(message, theme);
    let words = lanes.between(place).with_max_y(place.top() + 28.0);
    let line = Line {
        text: &title,
        font: font(13.0, Weight::Medium),
        colour: ink,
    };
    paint_centred(painter, words, &line);
    paint_arrow(painter, place.top() + 32.0, lanes, message.sent, ink);
    let sign = if is_open {
        ICON_EXPAND_LESS
    } else {
        ICON_EXPAND_MORE
    };
    let centre = Pos2::new(place.right() - SIGN / 2.0, place.center().y);
    paint_icon(painter, centre, sign, 18.0, theme.colours.muted);
    if response.has_focus() {
        painter.rect_stroke(place, radius, theme.focus(), egui::StrokeKind::Inside);
    }
    response.clicked()
}

fn paint_arrow(painter: &Painter, y: f32, lanes: &Lanes, sent: bool, ink: Color32) {
    const HEAD: Vec2 = Vec2::new(7.0, 4.0);
    let (tip, back) = if sent {
        (lanes.right - 1.0, -HEAD.x)
    } else {
        (lanes.left + 1.0, HEAD.x)
    };
    let line = Stroke::new(1.5, ink);
    let shaft = if sent {
        lanes.left..=tip + back
    } else {
        tip + back..=lanes.right
    };
    painter.hline(shaft, y, line);
    let corners = vec![
        Pos2::new(tip, y),
        Pos2::new(tip + back, y - HEAD.y),
        Pos2::new(tip + back, y + HEAD.y),
    ];
    painter.add(Shape::convex_polygon(corners, ink, Stroke::NONE));
}

/// The text of an open message, to read, to mark and to copy.
fn whole_ui(ui: &mut Ui, place: Rect, at: usize, message: &LadderMessage, galley: Arc<Galley>) {
    let theme = Theme::of(ui);
    let frame = place - OUTSIDE;
    let radius = CornerRadius::same(theme.radius.control);
    ui.painter().rect_filled(frame, radius, theme.colours.inset);
    let text = Rect::from_min_size(frame.min + Vec2::splat(MARGIN), galley.size());
    ui.put(text, Label::new(galley).selectable(true));
    let corner = Pos2::new(frame.right() - COPY, frame.top() + 4.0);
    let button = Rect::from_min_size(corner, Vec2::splat(28.0));
    let copy = Button::icon_only(ICON_CONTENT_COPY, text::COPY_MESSAGE)
        .look(Look::Quiet)
        .put(ui, button, ui.scope_id().with(("copy", at)));
    if copy.clicked() {
        ui.ctx().copy_text(message.text.clone());
    }
}
