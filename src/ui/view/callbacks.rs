//! Whom to call back: one row for each number, with how often it was missed and tried, by whom and when, and
//! what was noted last.

use std::sync::Arc;

use egui::{Key, Rect, ScrollArea, Ui, Vec2};
use egui_material_icons::icons::{
    ICON_CHECK, ICON_DONE_ALL, ICON_HISTORY, ICON_PHONE_CALLBACK, ICON_SEARCH,
};

use super::call_row::{call_target, paint_two_lines};
use super::waiting::waiting_ui;
use crate::control::{Command, Page, PageRequest, RecordChange, WorkPage, WorkRequest};
use crate::crm::row::{CallFilter, CallbackPage, CallbackRow};
use crate::ui::display_text::{clean_line, shown_line};
use crate::ui::scene::Scene;
use crate::ui::spans::AHEAD;
use crate::ui::state::{CallsState, ViewState};
use crate::ui::theme::{SMALL, Theme};
use crate::ui::widget::{
    Button, Line, Look, describe, empty_ui, paint_avatar, paint_line, paint_pill, pill_width,
    tall_row_ui,
};
use crate::ui::{format, keys, outcome, person, text};

/// A row: two lines, and a third for what was noted.
const HEIGHT: f32 = 62.0;
/// The button that calls.
const CALL_BACK: f32 = 108.0;
/// Below this width it is an icon.
const NARROW: f32 = 560.0;

/// Draws the list.
pub(super) fn callbacks_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut ViewState) {
    state
        .calls
        .callbacks
        .show(state.calls.search.trim().to_owned());
    let first = span_page(scene, &mut state.calls, 0);
    let Some(page) = rows_of(first.as_ref()) else {
        waiting_ui(ui, first.as_deref(), ICON_HISTORY);
        return;
    };
    state.calls.total = Some(page.total);
    if page.rows.is_empty() {
        nothing_ui(ui, &mut state.calls);
        return;
    }
    all_ui(ui, scene, &mut state.calls, page.total);
    ui.spacing_mut().item_spacing.y = 0.0;
    let rows = state.calls.callbacks.rows();
    let mut last_shown = 0;
    let mut opened = None;
    ScrollArea::vertical()
        .id_salt("callbacks")
        .auto_shrink(false)
        .show_rows(ui, HEIGHT, rows, |ui, range| {
            last_shown = range.end;
            for (span, inside) in state.calls.callbacks.places(range) {
                let page = span_page(scene, &mut state.calls, span);
                let row = rows_of(page.as_ref()).and_then(|page| page.rows.get(inside));
                let Some(row) = row else {
                    ui.add_space(HEIGHT);
                    continue;
                };
                let chosen = state.detail == Some(row.call.id);
                let clicked = ui.push_id(row.call.id, |ui| callback_ui(ui, scene, row, chosen));
                if clicked.inner {
                    opened = Some((row.call.id, chosen));
                }
            }
        });
    if last_shown + AHEAD >= rows {
        let last = state.calls.callbacks.last();
        span_page(scene, &mut state.calls, last);
    }
    if let Some((call, chosen)) = opened {
        state.detail = (!chosen).then_some(call);
    }
}

fn rows_of(page: Option<&Arc<Page>>) -> Option<&CallbackPage> {
    match page?.as_ref() {
        Page::Work(WorkPage::Callbacks(page)) => Some(page),
        _ => None,
    }
}

/// Reads one page and learns where the next one begins.
fn span_page(scene: &Scene<'_>, calls: &mut CallsState, index: usize) -> Option<Arc<Page>> {
    let after = calls.callbacks.begin(index)?;
    let search = calls.callbacks.key().clone();
    let request = WorkRequest::Callbacks { search, after };
    let page = scene.page(&PageRequest::Work(request));
    if let Some(rows) = rows_of(page.as_ref()) {
        (calls.callbacks).learn(index, rows.rows.len(), rows.next);
    }
    page
}

/// The way to say that nothing is left to do for any of them.
fn all_ui(ui: &mut Ui, scene: &mut Scene<'_>, calls: &mut CallsState, total: u64) {
    // What a search leaves out would be done, too, unseen.
    if !calls.search.trim().is_empty() {
        calls.all_done = false;
        return;
    }
    ui.horizontal_wrapped(|ui| {
        ui.add_space(8.0);
        if calls.all_done {
            let sure = Button::new(&text::all_seen_sure(total))
                .look(Look::Primary)
                .height(28.0)
                .show(ui);
            if sure.clicked() {
                scene.send(Command::ChangeRecords(RecordChange::AllDone));
                calls.all_done = false;
            }
            let stay = Button::new(text::CANCEL).height(28.0);
            if stay.show(ui).clicked() {
                calls.all_done = false;
            }
        } else if Button::new(text::ALL_SEEN)
            .icon(ICON_DONE_ALL)
            .look(Look::Bare)
            .height(28.0)
            .show(ui)
            .clicked()
        {
            calls.all_done = true;
        }
    });
    ui.add_space(4.0);
}

fn nothing_ui(ui: &mut Ui, calls: &mut CallsState) {
    calls.all_done = false;
    if calls.search.trim().is_empty() {
        let (title, why) = (text::NOBODY_WAITS, text::NOBODY_WAITS_WHY);
        if empty_ui(ui, ICON_HISTORY, title, why, Some(text::SHOW_ALL_CALLS)) {
            calls.filter = CallFilter::All;
        }
        return;
    }
    let (title, why) = (text::NO_CALLS_FOUND, text::NO_CALLS_FOUND_WHY);
    if empty_ui(ui, ICON_SEARCH, title, why, Some(text::CLEAR_SEARCH)) {
        calls.search.clear();
    }
}

/// Draws a row; true when it was to be opened or closed.
fn callback_ui(ui: &mut Ui, scene: &mut Scene<'_>, row: &CallbackRow, chosen: bool) -> bool {
    let theme = Theme::of(ui);
    let words = Words::of(scene, row);
    let (word, tone) = outcome::of_row(&row.call, theme);
    let pill = if row.missed > 1 {
        text::times(word, row.missed)
    } else {
        word.to_owned()
    };
    let inbound = text::INBOUND;
    let name = format!(
        "{}, {inbound}, {pill}, {}",
        clean_line(&words.title),
        words.history
    );
    let (place, response) = tall_row_ui(ui, &name, chosen, HEIGHT);
    describe(ui, &response, words.note.as_deref().unwrap_or_default());
    if !ui.is_rect_visible(place) {
        return false;
    }
    let wanted = Button::new(text::CALL_BACK).icon(ICON_PHONE_CALLBACK);
    let wanted = wanted.natural_width(ui).max(CALL_BACK);
    let painter = ui.painter();
    let avatar = egui::pos2(place.left() + 30.0, place.center().y);
    let known = words.sure.then_some(words.title.as_str());
    paint_avatar(painter, theme, avatar, 34.0, known);
    let narrow = place.width() < NARROW;
    let call_width = if narrow { 34.0 } else { wanted };
    let mut right = place.right() - 10.0 - call_width - 40.0;
    right -= pill_width(painter, &pill) + 8.0;
    paint_pill(painter, egui::pos2(right, place.center().y), &pill, tone);
    let cell = place
        .with_min_x(place.left() + 56.0)
        .with_max_x(right - 8.0)
        .shrink2(Vec2::new(0.0, 4.0));
    let history = if narrow { &words.brief } else { &words.history };
    match &words.note {
        None => paint_two_lines(painter, theme, cell, &words.title, Some(history)),
        Some(note) => {
            let (upper, lower) = cell.split_top_bottom_at_y(cell.bottom() - 19.0);
            paint_two_lines(painter, theme, upper, &words.title, Some(history));
            let line = Line {
                text: note,
                font: SMALL,
                colour: theme.colours.text,
            };
            paint_line(painter, lower, &line);
        }
    }
    let done = buttons_ui(ui, scene, row, &words.title, place, call_width);
    // The keyboard looks first, and then calls or ticks off.
    let pressed = |key| response.has_focus() && ui.input(|input| input.key_pressed(key));
    if pressed(Key::Delete) || done {
        scene.send(Command::MarkDone(row.call.id, true));
        return false;
    }
    if chosen && pressed(Key::Enter) {
        scene.send(Command::Call(call_target(&row.call, &scene.snapshot)));
        return false;
    }
    response.clicked()
}

/// "Call back" and the tick; true when the tick was pressed.
fn buttons_ui(
    ui: &Ui,
    scene: &mut Scene<'_>,
    row: &CallbackRow,
    title: &str,
    place: Rect,
    call_width: f32,
) -> bool {
    let middle = place.center().y;
    let button = |right: f32, width: f32| {
        Rect::from_min_max(
            egui::pos2(right - width, middle - 15.0),
            egui::pos2(right, middle + 15.0),
        )
    };
    let shown = shown_line(title);
    let tick = text::mark_number_done(&shown);
    let cell = button(place.right() - 14.0 - call_width, 34.0);
    let done = Button::icon_only(ICON_CHECK, &tick)
        .look(Look::Bare)
        .key(keys::DELETE)
        .put(ui, cell, ui.scope_id().with("done"))
        .clicked();
    let name = text::call_person(&shown);
    let call = if call_width < CALL_BACK {
        Button::icon_only(ICON_PHONE_CALLBACK, &name)
    } else {
        Button::new(text::CALL_BACK)
            .icon(ICON_PHONE_CALLBACK)
            .name(&name)
    };
    let cell = button(place.right() - 10.0, call_width);
    let call = call
        .look(Look::Outlined)
        .key(keys::ENTER)
        .put(ui, cell, ui.scope_id().with("call"));
    if call.clicked() {
        scene.send(Command::Call(call_target(&row.call, &scene.snapshot)));
    }
    done
}

/// What a row says.
struct Words {
    title: String,
    /// Who it is, and how often it was missed and tried.
    history: String,
    /// The same in a narrow list.
    brief: String,
    note: Option<String>,
    sure: bool,
}

impl Words {
    fn of(scene: &Scene<'_>, row: &CallbackRow) -> Self {
        let call = &row.call;
        let when = |at| format::when_inside(at, scene.now.wall, &scene.now.zone);
        let number = format::number(
            call.e164.as_deref().unwrap_or(&call.remote),
            &scene.snapshot,
        );
        let (title, second) = person::of_row(call, &number);
        let sure = person::row_is_sure(call);
        let tried = match row.attempts {
            0 => text::NOT_TRIED.to_owned(),
            attempts => {
                let last = row.last_attempt.map(when).unwrap_or_default();
                text::tried(attempts, row.last_agent.as_deref(), &last)
            }
        };
        let missed = text::missed_times(row.missed, &when(call.started_at));
        // A number that is the title already is not said twice, and a guess stands beside it.
        let who = if sure { Some(number) } else { second };
        // The pill says how often it was missed, where there is no room for both.
        let brief = format!("{tried} · {missed}");
        let facts = who.into_iter().chain([missed, tried]);
        let note = row.last_note.as_ref().and_then(|note| {
            let line = note.text.lines().find(|line| !line.trim().is_empty())?;
            let agent = note.agent.as_deref().map(|agent| format!("{agent}, "));
            let agent = agent.unwrap_or_default();
            Some(format!("“{}” ({agent}{})", line.trim(), when(note.at)))
        });
        Self {
            title,
            history: facts.collect::<Vec<_>>().join(" · "),
            brief,
            note,
            sure,
        }
    }
}
