//! One row of the call log: 46 points, two lines, columns by the room that is there.

use egui::{
    Align2, Color32, CornerRadius, Painter, Rect, Response, Role, Sense, StrokeKind, Ui, Vec2,
    WidgetInfo,
};
use egui_material_icons::icons::{ICON_CALL, ICON_PLAY_CIRCLE};

use crate::control::{CallTarget, Command, Snapshot};
use crate::crm::row::CallRow;
use crate::ui::scene::Scene;
use crate::ui::theme::{BODY, SMALL, Theme, Tone, Weight, font};
use crate::ui::widget::{
    Button, Line, Look, describe, paint_avatar, paint_icon, paint_line, paint_pill, pill_width,
};
use crate::ui::{display_text::clean_line, format, keys, outcome, person, text};

/// Where each column is; a missing one has no room.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Columns {
    name: (f32, f32),
    number: Option<(f32, f32)>,
    outcome: (f32, f32),
    length: Option<(f32, f32)>,
    when: (f32, f32),
    action: (f32, f32),
    brief: bool,
}

/// The room before the name: arrow and avatar.
const LEAD: f32 = 74.0;
const NUMBER: f32 = 132.0;
const OUTCOME: f32 = 88.0;
const LENGTH: f32 = 58.0;
const WHEN: f32 = 124.0;
const SHORT_WHEN: f32 = 86.0;
const ACTION: f32 = 88.0;

/// What a pill may say in a row.
const OUTCOMES: [&str; 14] = [
    text::RINGING,
    text::IN_CALL,
    text::ON_HOLD,
    text::ANSWERED,
    text::MISSED,
    text::NO_ANSWER,
    text::CANCELED,
    text::BUSY,
    text::FAILED,
    text::DECLINED,
    text::FORWARDED,
    text::VOICEMAIL,
    text::BLOCKED,
    text::INTERRUPTED,
];

/// Below this width the time is told in one word.
const BRIEF: f32 = 600.0;

impl Columns {
    /// Lays the columns out for a width. None is narrower than its words are.
    pub(crate) fn new(painter: &Painter, width: f32) -> Self {
        let outcome = OUTCOMES.iter().map(|word| pill_width(painter, word) + 8.0);
        let outcome = outcome.fold(OUTCOME, f32::max);
        let face = font(13.0, Weight::Medium);
        let layout =
            |word: String| painter.layout_no_wrap(word, face.clone(), Color32::PLACEHOLDER);
        let length_of = |word: String| layout(word).size().x;
        let whens = [text::yesterday_at("23:59"), text::minutes_ago(59)];
        let long_when = whens.map(|word| length_of(word) + 10.0);
        let long_when = long_when.into_iter().fold(WHEN, f32::max);
        let short_when = (length_of(text::YESTERDAY.to_owned()) + 10.0).max(SHORT_WHEN);
        let action_width = (length_of(text::CALL_BACK.to_owned()) + 32.0).max(ACTION);
        let length_width = (length_of(text::COLUMN_LENGTH.to_owned()) + 10.0).max(LENGTH);
        let mut right = width - 8.0;
        let mut take = |wide: f32| {
            right -= wide;
            (right, wide)
        };
        let action = take(action_width);
        let brief = width < BRIEF;
        let when = take(if brief { short_when } else { long_when });
        let length = (width >= 660.0).then(|| take(length_width));
        let outcome = take(outcome);
        let number = (width >= 760.0).then(|| take(NUMBER));
        let name = (LEAD, (right - LEAD - 8.0).max(40.0));
        Self {
            name,
            number,
            outcome,
            length,
            when,
            action,
            brief,
        }
    }

    fn cells(&self) -> [(Option<(f32, f32)>, &'static str); 5] {
        [
            (Some(self.name), text::COLUMN_CONTACT),
            (self.number, text::COLUMN_NUMBER),
            (Some(self.outcome), text::COLUMN_OUTCOME),
            (self.length, text::COLUMN_LENGTH),
            (Some(self.when), text::COLUMN_WHEN),
        ]
    }

    /// Draws the head above the rows.
    pub(crate) fn head_ui(&self, ui: &mut Ui) {
        let theme = Theme::of(ui);
        let (place, _) =
            ui.allocate_exact_size(Vec2::new(ui.available_width(), 28.0), Sense::hover());
        for (cell, word) in self.cells() {
            let Some(cell) = cell else { continue };
            let id = ui.scope_id().with(("column", word));
            ui.interact(column(place, cell), id, Sense::hover())
                .widget_info(|| WidgetInfo::labeled(Role::ColumnHeader, true, word));
            paint_line(
                ui.painter(),
                column(place, cell),
                &Line {
                    text: word,
                    font: font(12.0, Weight::Medium),
                    colour: theme.colours.muted,
                },
            );
        }
        ui.painter()
            .hline(place.x_range(), place.bottom(), theme.border());
    }
}

fn column(row: Rect, (left, width): (f32, f32)) -> Rect {
    Rect::from_min_size(
        egui::pos2(row.left() + left, row.top()),
        Vec2::new(width - 8.0, row.height()),
    )
}

/// What a row shows.
pub(crate) struct Entry<'a> {
    pub(crate) row: &'a CallRow,
    /// How many missed calls of this number wait.
    pub(crate) waiting: u32,
    /// Whether it is open at the right.
    pub(crate) chosen: bool,
}

impl Entry<'_> {
    /// The outcome, with how often where several wait.
    fn outcome(&self, theme: &Theme) -> (String, Tone) {
        let (word, tone) = outcome::of_row(self.row, theme);
        if self.waiting > 1 {
            (text::times(word, self.waiting), tone)
        } else {
            (word.to_owned(), tone)
        }
    }
}

/// What was done with a row.
pub(crate) struct Touched {
    /// With the whole row.
    pub(crate) response: Response,
    /// Whether its recording shall be played.
    pub(crate) play: bool,
}

/// Draws a row.
pub(crate) fn call_row_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    columns: &Columns,
    entry: &Entry<'_>,
) -> Touched {
    let (row, chosen) = (entry.row, entry.chosen);
    let theme = Theme::of(ui);
    let size = Vec2::new(ui.available_width(), theme.height.row);
    let (place, response) = ui.allocate_exact_size(size, Sense::click());
    let words = Words::of(scene, row, columns.brief);
    let (outcome, _) = entry.outcome(theme);
    let name = format!(
        "{}, {}, {outcome}, {}",
        clean_line(&words.title),
        outcome::arrow(row).1,
        words.when
    );
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, chosen, &name));
    describe(ui, &response, words.second.as_deref().unwrap_or_default());
    // The player of the row that is open plays and pauses by the same key.
    let has_key = response.has_focus() && !chosen;
    let mut play = row.recording.is_some() && has_key && keys::play_pressed(ui);
    if !ui.is_rect_visible(place) {
        return Touched { response, play };
    }
    let painter = ui.painter();
    if chosen || response.hovered() || response.has_focus() {
        let fill = if chosen {
            theme.colours.chosen.tint
        } else {
            theme.colours.row_hover
        };
        let lit = place.shrink2(Vec2::new(4.0, 1.0));
        let radius = CornerRadius::same(theme.radius.control);
        painter.rect_filled(lit, radius, fill);
        if response.has_focus() {
            painter.rect_stroke(lit, radius, theme.focus(), StrokeKind::Inside);
        }
    }
    paint_icon(
        painter,
        egui::pos2(place.left() + 20.0, place.center().y),
        outcome::arrow(row).0,
        18.0,
        theme.colours.muted,
    );
    words.paint(painter, theme, place, columns, entry);
    let actions = column(place, columns.action);
    action_ui(ui, scene, actions, row, &words.title);
    if row.recording.is_some() && !outcome::waits(row) {
        play |= play_ui(ui, actions, row, &words.title);
    }
    Touched { response, play }
}

/// Plays the recording, left of the way to call.
fn play_ui(ui: &Ui, cell: Rect, row: &CallRow, title: &str) -> bool {
    let place = Align2::RIGHT_CENTER.align_size_within_rect(Vec2::new(32.0, 28.0), cell);
    let name = text::play_recording(&clean_line(title));
    Button::icon_only(ICON_PLAY_CIRCLE, &name)
        .look(Look::Bare)
        .key(keys::PLAY)
        .put(
            ui,
            place.translate(Vec2::new(-34.0, 0.0)),
            ui.scope_id().with(("play", row.id)),
        )
        .clicked()
}

/// What a row says.
struct Words {
    title: String,
    second: Option<String>,
    number: String,
    when: String,
    sure: bool,
}

impl Words {
    fn of(scene: &Scene<'_>, row: &CallRow, brief: bool) -> Self {
        let number = format::number(row.e164.as_deref().unwrap_or(&row.remote), &scene.snapshot);
        let (title, second) = person::of_row(row, &number);
        Self {
            title,
            second,
            number,
            when: if brief {
                format::when_briefly(row.started_at, scene.now.wall, &scene.now.zone)
            } else {
                format::when(row.started_at, scene.now.wall, &scene.now.zone)
            },
            sure: person::row_is_sure(row),
        }
    }

    fn paint(
        &self,
        painter: &Painter,
        theme: &Theme,
        place: Rect,
        columns: &Columns,
        entry: &Entry<'_>,
    ) {
        let middle = place.center().y;
        let avatar = self.sure.then_some(self.title.as_str());
        paint_avatar(
            painter,
            theme,
            egui::pos2(place.left() + 54.0, middle),
            30.0,
            avatar,
        );
        let under = match columns.number {
            None if self.sure => Some(self.number.as_str()),
            None | Some(_) => self.second.as_deref(),
        };
        let cell = column(place, columns.name);
        paint_two_lines(painter, theme, cell, &self.title, under);
        let muted = |cell, text: &str| {
            let line = Line {
                text,
                font: BODY,
                colour: theme.colours.muted,
            };
            paint_line(painter, column(place, cell), &line);
        };
        // A number that is the title already is not said twice.
        if let Some(cell) = columns.number.filter(|_| self.sure) {
            muted(cell, &self.number);
        }
        if let Some(cell) = columns.length {
            muted(cell, &format::length(entry.row.talking_millis));
        }
        muted(columns.when, &self.when);
        let (word, tone) = entry.outcome(theme);
        let left = column(place, columns.outcome).left();
        paint_pill(painter, egui::pos2(left, middle), &word, tone);
    }
}

/// Paints a title with a smaller line under it, or the title alone in the middle.
pub(crate) fn paint_two_lines(
    painter: &Painter,
    theme: &Theme,
    cell: Rect,
    title: &str,
    under: Option<&str>,
) {
    let half = |offset: f32| {
        Rect::from_center_size(
            cell.center() + Vec2::new(0.0, offset),
            Vec2::new(cell.width(), 18.0),
        )
    };
    let title = Line {
        text: title,
        font: font(13.0, Weight::Medium),
        colour: theme.colours.text,
    };
    let Some(under) = under.filter(|under| !under.is_empty()) else {
        paint_line(painter, cell, &title);
        return;
    };
    paint_line(painter, half(-8.0), &title);
    let under = Line {
        text: under,
        font: SMALL,
        colour: theme.colours.muted,
    };
    paint_line(painter, half(9.0), &under);
}

/// "Call back" where somebody waits, else a quiet way to call.
fn action_ui(ui: &Ui, scene: &mut Scene<'_>, cell: Rect, row: &CallRow, title: &str) {
    let id = ui.scope_id().with(("call", row.id));
    let name = text::call_person(&clean_line(title));
    let pressed = if outcome::waits(row) {
        let place =
            Align2::RIGHT_CENTER.align_size_within_rect(Vec2::new(cell.width(), 28.0), cell);
        Button::new(text::CALL_BACK)
            .look(Look::Outlined)
            .name(&name)
            .put(ui, place, id)
    } else {
        let place = Align2::RIGHT_CENTER.align_size_within_rect(Vec2::new(32.0, 28.0), cell);
        Button::icon_only(ICON_CALL, &name)
            .look(Look::Bare)
            .put(ui, place, id)
    };
    if pressed.clicked() {
        let target = call_target(row, &scene.snapshot);
        scene.send(Command::Call(target));
    }
}

/// Whom to call to reach the far end of a logged call, from the line that it used while there is one.
pub(crate) fn call_target(row: &CallRow, snapshot: &Snapshot) -> CallTarget {
    CallTarget {
        text: row.e164.clone().unwrap_or_else(|| row.remote.clone()),
        account: snapshot.account_of(&row.local),
    }
}
