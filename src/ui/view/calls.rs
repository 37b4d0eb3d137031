//! The call log: tabs, search, and a list without end.

use std::sync::Arc;

use egui::{Align, Frame, Layout, Margin, ScrollArea, Ui};
use egui_material_icons::icons::{ICON_HISTORY, ICON_SEARCH};

use super::call_row::{Columns, Entry, call_row_ui};
use super::callbacks::callbacks_ui;
use crate::control::{Page, PageRequest};
use crate::crm::row::{CALLS_COUNTED, CallFilter};
use crate::ui::scene::Scene;
use crate::ui::spans::AHEAD;
use crate::ui::state::{CallsState, View, ViewState};
use crate::ui::theme::{BODY, Theme};
use crate::ui::widget::{Field, empty_ui, line_ui, tab_ui, title_ui};
use crate::ui::{format, text};

/// The tabs in their order.
const TABS: [(CallFilter, &str); 5] = [
    (CallFilter::ToCallBack, text::TO_CALL_BACK),
    (CallFilter::All, text::ALL),
    (CallFilter::Inbound, text::INBOUND),
    (CallFilter::Outbound, text::OUTBOUND),
    (CallFilter::Missed, text::MISSED),
];

/// Draws the view.
pub(crate) fn calls_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut ViewState) {
    let theme = Theme::of(ui);
    head_ui(ui, &mut state.calls);
    ui.add_space(4.0);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        for (filter, word) in TABS {
            let badge = (filter == CallFilter::ToCallBack)
                .then_some(scene.snapshot.to_call_back)
                .filter(|count| *count > 0);
            if tab_ui(ui, word, state.calls.filter == filter, badge).clicked() {
                state.calls.filter = filter;
            }
        }
    });
    ui.add_space(4.0);
    let key = (state.calls.filter, state.calls.search.trim().to_owned());
    if state.calls.spans.show(key) {
        state.calls.total = None;
    }
    Frame::new()
        .fill(theme.colours.surface)
        .stroke(theme.border())
        .corner_radius(egui::CornerRadius::same(theme.radius.card))
        .inner_margin(Margin::symmetric(4, 6))
        .show(ui, |ui| {
            ui.set_min_size(ui.available_size());
            if state.calls.filter == CallFilter::ToCallBack {
                callbacks_ui(ui, scene, state);
            } else {
                list_ui(ui, scene, state);
            }
        });
}

fn head_ui(ui: &mut Ui, state: &mut CallsState) {
    let theme = Theme::of(ui);
    ui.horizontal(|ui| {
        title_ui(ui, text::CALLS);
        if let Some(total) = state.total {
            let words = if state.search.trim().is_empty() {
                text::total(total)
            } else {
                text::found(total, CALLS_COUNTED)
            };
            line_ui(ui, &words, BODY, theme.colours.muted);
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let width = ui.available_width().clamp(120.0, 280.0);
            Field::named(text::SEARCH_CALLS, &mut state.search)
                .hint(text::SEARCH_CALLS)
                .glyph(ICON_SEARCH)
                .width(width)
                .show(ui);
        });
    });
}

fn list_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut ViewState) {
    if !first_page_ui(ui, scene, state) {
        return;
    }
    let columns = Columns::new(ui.painter(), ui.available_width());
    columns.head_ui(ui);
    let height = Theme::of(ui).height.row;
    ui.spacing_mut().item_spacing.y = 0.0;
    let rows = state.calls.spans.rows();
    let (mut clicked, mut played) = (None, None);
    let mut last_shown = 0;
    ScrollArea::vertical()
        .id_salt(("calls", state.calls.filter))
        .auto_shrink(false)
        .show_rows(ui, height, rows, |ui, range| {
            last_shown = range.end;
            for (span, inside) in state.calls.spans.places(range) {
                let Loaded::Rows(page) = span_page(scene, &mut state.calls, span) else {
                    ui.add_space(height);
                    continue;
                };
                let Page::Calls(page) = page.as_ref() else {
                    continue;
                };
                let Some(row) = page.rows.get(inside) else {
                    continue;
                };
                let entry = Entry {
                    row,
                    waiting: page.waiting.get(inside).copied().unwrap_or(1),
                    chosen: state.detail == Some(row.id),
                };
                let touched = ui
                    .push_id(row.id, |ui| call_row_ui(ui, scene, &columns, &entry))
                    .inner;
                if touched.play {
                    played = Some(row.id);
                } else if touched.response.clicked() {
                    clicked = Some(row.id);
                }
            }
        });
    if last_shown + AHEAD >= rows {
        let last = state.calls.spans.last();
        span_page(scene, &mut state.calls, last);
    }
    if let Some(call) = clicked {
        state.detail = (state.detail != Some(call)).then_some(call);
    }
    if let Some(call) = played {
        state.play(call);
    }
}

/// Reads the first page where it is not known; false where there is no row to show.
///
/// Later on only visible pages are read, so that a new call at the top does not move what is being
/// read further down.
fn first_page_ui(ui: &mut Ui, scene: &Scene<'_>, state: &mut ViewState) -> bool {
    let calls = &mut state.calls;
    if calls.spans.rows() > 0 {
        return true;
    }
    match span_page(scene, calls, 0) {
        Loaded::Rows(_) => {}
        Loaded::Waiting => {
            line_ui(ui, text::LOADING, BODY, Theme::of(ui).colours.muted);
            return false;
        }
        Loaded::Failed(why) => {
            empty_ui(
                ui,
                ICON_HISTORY,
                text::STORE_PROBLEM,
                &format::sentence(&why),
                None,
            );
            return false;
        }
    }
    let any = calls.spans.rows() > 0;
    if !any {
        nothing_ui(ui, state);
    }
    any
}

enum Loaded {
    Rows(Arc<Page>),
    Waiting,
    Failed(String),
}

/// Reads one page and learns where the next one begins.
fn span_page(scene: &Scene<'_>, state: &mut CallsState, index: usize) -> Loaded {
    let Some(after) = state.spans.begin(index) else {
        return Loaded::Waiting;
    };
    let (filter, search) = state.spans.key().clone();
    let request = PageRequest::Calls {
        filter,
        search,
        after,
    };
    let Some(page) = scene.page(&request) else {
        return Loaded::Waiting;
    };
    let (rows, next, total) = match page.as_ref() {
        Page::Calls(page) => (page.rows.len(), page.next, page.total),
        Page::Failed(why) => return Loaded::Failed(why.clone()),
        Page::Call(_)
        | Page::Contacts(_)
        | Page::Contact(_)
        | Page::Organizations(_)
        | Page::Identify(_)
        | Page::Ladder(_)
        | Page::Quality(_)
        | Page::Work(_) => return Loaded::Waiting,
    };
    state.spans.learn(index, rows, next);
    state.total = Some(total);
    Loaded::Rows(page)
}

fn nothing_ui(ui: &mut Ui, state: &mut ViewState) {
    if !state.calls.search.trim().is_empty() {
        if empty_ui(
            ui,
            ICON_SEARCH,
            text::NO_CALLS_FOUND,
            text::NO_CALLS_FOUND_WHY,
            Some(text::CLEAR_SEARCH),
        ) {
            state.calls.search.clear();
        }
        return;
    }
    let all = text::SHOW_ALL_CALLS;
    let (title, why, action) = match state.calls.filter {
        CallFilter::ToCallBack => (text::NOBODY_WAITS, text::NOBODY_WAITS_WHY, all),
        CallFilter::Missed => (text::NO_MISSED, text::NO_MISSED_WHY, all),
        CallFilter::All | CallFilter::Inbound | CallFilter::Outbound => {
            (text::NO_CALLS, text::NO_CALLS_WHY, text::OPEN_DIALER)
        }
    };
    if !empty_ui(ui, ICON_HISTORY, title, why, Some(action)) {
        return;
    }
    if action == all {
        state.calls.filter = CallFilter::All;
    } else {
        state.view = View::Dialer;
        state.dialer.focus = true;
    }
}
