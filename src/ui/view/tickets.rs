//! The tickets: a list, and one of them beside it or in its place.

use egui::{ScrollArea, Ui, Vec2};
use egui_material_icons::icons::{ICON_ADD, ICON_CONFIRMATION_NUMBER, ICON_SEARCH};

use super::call_row::paint_two_lines;
use super::contacts::{BESIDE, card};
use super::ticket_detail::{fresh, ticket_detail_ui};
use super::waiting::waiting_ui;
use crate::control::{Command, Page, PageRequest, RecordChange, WorkPage, WorkRequest};
use crate::crm::row::{TicketFilter, TicketRow, TicketState};
use crate::ui::display_text::clean_line;
use crate::ui::scene::Scene;
use crate::ui::state::{TicketsState, ViewState};
use crate::ui::theme::{SMALL, Theme, Tone};
use crate::ui::widget::{
    Button, Line, Look, describe, empty_ui, paint_icon, paint_line, paint_pill, pill_width, row_ui,
    search_ui, tab_ui, title_ui,
};
use crate::ui::{format, text};

/// The tabs in their order.
const TABS: [(TicketFilter, &str); 3] = [
    (TicketFilter::NotClosed, text::NOT_CLOSED),
    (TicketFilter::Drafts, text::DRAFTS),
    (TicketFilter::All, text::ALL),
];

/// The page size of `WorkRequest::Tickets`.
const PAGE: usize = 100;

/// Draws the view.
pub(crate) fn tickets_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut ViewState) {
    head_ui(ui, scene, &mut state.tickets);
    ui.add_space(4.0);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        for (filter, word) in TABS {
            if tab_ui(ui, word, state.tickets.filter == filter, None).clicked() {
                state.tickets.filter = filter;
            }
        }
    });
    ui.add_space(4.0);
    let size = ui.available_size();
    let open = state.tickets.shown.is_some();
    if open && size.x < BESIDE {
        card(ui, size, |ui| ticket_detail_ui(ui, scene, state, true));
        return;
    }
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 12.0;
        let side = if open { (size.x * 0.5).floor() } else { 0.0 };
        let list = if open { size.x - side - 12.0 } else { size.x };
        card(ui, Vec2::new(list, size.y), |ui| {
            list_ui(ui, scene, &mut state.tickets);
        });
        if open {
            card(ui, Vec2::new(side, size.y), |ui| {
                ticket_detail_ui(ui, scene, state, false);
            });
        }
    });
}

fn head_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut TicketsState) {
    ui.horizontal(|ui| {
        title_ui(ui, text::TICKETS);
        let new = Button::new(text::NEW_TICKET)
            .icon(ICON_ADD)
            .look(Look::Primary);
        search_ui(ui, text::SEARCH_TICKETS, &mut state.search, &new);
        if new.show(ui).clicked() {
            begin(scene, state);
        }
    });
}

/// Begins a ticket about nobody yet.
fn begin(scene: &mut Scene<'_>, state: &mut TicketsState) {
    let change = RecordChange::SaveTicket(Box::new(fresh(scene)));
    scene.send(Command::ChangeRecords(change));
    state.filter = TicketFilter::NotClosed;
    state.search.clear();
}

fn list_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut TicketsState) {
    let of = (state.filter, state.search.trim().to_owned());
    if state.pages_of != of {
        state.pages_of = of;
        state.pages.clear();
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    ScrollArea::vertical()
        .id_salt(("tickets", state.filter))
        .auto_shrink(false)
        .show(ui, |ui| {
            for index in 0..=state.pages.len() {
                if !page_ui(ui, scene, state, index) {
                    break;
                }
            }
        });
}

/// Draws one page; false where no further one follows.
fn page_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut TicketsState, index: usize) -> bool {
    let after = index
        .checked_sub(1)
        .and_then(|index| state.pages.get(index).copied());
    let request = WorkRequest::Tickets {
        filter: state.pages_of.0,
        search: state.pages_of.1.clone(),
        after,
    };
    let page = scene.page(&PageRequest::Work(request));
    let Some(Page::Work(WorkPage::Tickets(rows))) = page.as_deref() else {
        waiting_ui(ui, page.as_deref(), ICON_CONFIRMATION_NUMBER);
        return false;
    };
    if rows.is_empty() && index == 0 {
        nothing_ui(ui, scene, state);
        return false;
    }
    let height = Theme::of(ui).height.row;
    for ticket in rows {
        // What is out of sight costs no more than its room.
        let top = ui.cursor().top();
        if top > ui.clip_rect().bottom() || top + height < ui.clip_rect().top() {
            ui.add_space(height);
            continue;
        }
        ui.push_id(ticket.id, |ui| ticket_ui(ui, scene, state, ticket));
    }
    let next = rows.last().map(|last| (last.updated_at, last.id));
    let follows = rows.len() >= PAGE && ui.cursor().top() < ui.clip_rect().bottom() + 40.0 * height;
    match next.filter(|_| follows) {
        Some(next) if state.pages.get(index) == Some(&next) => true,
        Some(next) => {
            // Rows came or went since: what follows begins elsewhere now.
            state.pages.truncate(index);
            state.pages.push(next);
            true
        }
        None => false,
    }
}

fn ticket_ui(ui: &mut Ui, scene: &Scene<'_>, state: &mut TicketsState, ticket: &TicketRow) {
    let theme = Theme::of(ui);
    let title = shown_title(ticket);
    let (word, tone) = state_pill(ticket.state, theme);
    let name = format!("{}, {title}, {word}", text::ticket_number(ticket.id.0));
    let (place, response) = row_ui(ui, &name, state.shown == Some(ticket.id));
    let painter = ui.painter();
    let middle = place.center().y;
    let icon = egui::pos2(place.left() + 20.0, middle);
    paint_icon(
        painter,
        icon,
        ICON_CONFIRMATION_NUMBER,
        20.0,
        theme.colours.muted,
    );
    let when = format::when_briefly(ticket.updated_at, scene.now.wall, &scene.now.zone);
    let line = Line {
        text: &when,
        font: SMALL,
        colour: theme.colours.muted,
    };
    let mut right = place.right() - 84.0;
    paint_line(
        painter,
        place.with_min_x(right).with_max_x(place.right() - 4.0),
        &line,
    );
    right -= pill_width(painter, word) + 10.0;
    paint_pill(painter, egui::pos2(right, middle), word, tone);
    let number = text::ticket_number(ticket.id.0);
    let under = [
        Some(number.as_str()),
        ticket.contact_name.as_deref(),
        ticket.organization_name.as_deref(),
    ];
    let under = under.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let words = place
        .with_min_x(place.left() + 42.0)
        .with_max_x(right - 8.0);
    paint_two_lines(painter, theme, words, &title, Some(&under));
    describe(ui, &response, &under);
    if response.clicked() {
        state.open(ticket.id);
    }
}

/// The title, or that there is none.
pub(crate) fn shown_title(ticket: &TicketRow) -> String {
    let title = clean_line(&ticket.title);
    if title.is_empty() {
        text::NO_TITLE.to_owned()
    } else {
        title
    }
}

/// The word and the tone of a state.
pub(crate) fn state_pill(state: TicketState, theme: &Theme) -> (&'static str, Tone) {
    let tone = match state {
        TicketState::Draft | TicketState::Pending => theme.colours.neutral,
        TicketState::New => theme.colours.chosen,
        TicketState::Open => theme.colours.warn,
        TicketState::Closed => theme.colours.good,
    };
    (text::ticket_state(state), tone)
}

fn nothing_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut TicketsState) {
    if !state.search.trim().is_empty() {
        let clear = empty_ui(
            ui,
            ICON_SEARCH,
            text::NO_TICKETS_FOUND,
            text::NO_CALLS_FOUND_WHY,
            Some(text::CLEAR_SEARCH),
        );
        if clear {
            state.search.clear();
        }
        return;
    }
    let (title, why) = match state.filter {
        TicketFilter::Drafts => (text::NO_DRAFTS, text::NO_DRAFTS_WHY),
        TicketFilter::NotClosed | TicketFilter::All => (text::NO_TICKETS, text::NO_TICKETS_WHY),
    };
    let new = Some(text::NEW_TICKET);
    if empty_ui(ui, ICON_CONFIRMATION_NUMBER, title, why, new) {
        begin(scene, state);
    }
}
