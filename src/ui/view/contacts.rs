//! The contacts: a list, and one of them beside it or in its place.

use std::sync::Arc;

use egui::{
    Align, CornerRadius, Frame, Layout, Margin, Role, ScrollArea, Sense, Ui, Vec2, WidgetInfo,
};
use egui_material_icons::icons::{
    ICON_ARROW_BACK, ICON_CALL, ICON_DELETE, ICON_EDIT, ICON_PERSON, ICON_PERSON_ADD, ICON_SEARCH,
};

use super::call_detail::fact_ui;
use super::call_row::paint_two_lines;
use super::contact_form::{contact_form_ui, edit, fresh};
use super::goto::Goto;
use super::timeline::timeline_ui;
use crate::base::id::ContactId;
use crate::control::{CallTarget, Command, Page, PageRequest};
use crate::crm::row::{ContactRow, PEOPLE_COUNTED, Subject};
use crate::ui::display_text::clean_line;
use crate::ui::scene::Scene;
use crate::ui::spans::AHEAD;
use crate::ui::state::{ContactsState, View, ViewState};
use crate::ui::theme::{BODY, SMALL, Theme, Weight, font};
use crate::ui::widget::{
    Button, Field, Line, Look, avatar_ui, empty_ui, line_ui, paint_avatar, paint_line,
    paragraph_ui, title_ui,
};
use crate::ui::{format, text};

/// Below this width the contact takes the list's place.
pub(super) const BESIDE: f32 = 720.0;

/// Shows one contact.
pub(crate) fn open(state: &mut ViewState, contact: ContactId) {
    state.view = View::Contacts;
    state.detail = None;
    state.contacts.shown = Some(contact);
    state.contacts.form = None;
    state.contacts.deleting = false;
}

/// Begins a new contact with a number, and a name where the far end claimed one.
pub(crate) fn create(state: &mut ViewState, number: &str, name: Option<&str>) {
    state.view = View::Contacts;
    state.detail = None;
    state.contacts.shown = None;
    state.contacts.form = Some(fresh(number, name.unwrap_or_default()));
}

/// Draws the view.
pub(crate) fn contacts_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut ViewState) {
    let contacts = &mut state.contacts;
    contacts.spans.show(contacts.search.trim().to_owned());
    let first = span_page(scene, contacts, 0);
    head_ui(ui, contacts, first.total());
    ui.add_space(8.0);
    let open = contacts.shown.is_some() || contacts.form.is_some();
    let size = ui.available_size();
    let mut clicked = None;
    if open && size.x < BESIDE {
        card(ui, size, |ui| {
            clicked = one_ui(ui, scene, contacts, true);
        });
        if let Some(clicked) = clicked {
            clicked.open(state);
        }
        return;
    }
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 12.0;
        let side = if open { (size.x * 0.46).floor() } else { 0.0 };
        let list = if open { size.x - side - 12.0 } else { size.x };
        card(ui, Vec2::new(list, size.y), |ui| {
            list_ui(ui, scene, contacts, &first);
        });
        if open {
            card(ui, Vec2::new(side, size.y), |ui| {
                clicked = one_ui(ui, scene, contacts, false);
            });
        }
    });
    if let Some(clicked) = clicked {
        clicked.open(state);
    }
}

/// A card of a fixed size.
pub(super) fn card(ui: &mut Ui, size: Vec2, content: impl FnOnce(&mut Ui)) {
    let theme = Theme::of(ui);
    ui.allocate_ui_with_layout(size, Layout::top_down(Align::Min), |ui| {
        Frame::new()
            .fill(theme.colours.surface)
            .stroke(theme.border())
            .corner_radius(CornerRadius::same(theme.radius.card))
            .inner_margin(Margin::same(12))
            .show(ui, |ui| {
                ui.set_min_size(size - Vec2::splat(26.0));
                ui.set_max_size(size - Vec2::splat(26.0));
                content(ui);
            });
    });
}

/// A page of contacts as far as it is there.
struct Rows(Option<Arc<Page>>);

impl Rows {
    fn rows(&self) -> &[ContactRow] {
        match self.0.as_deref() {
            Some(Page::Contacts(page)) => &page.rows,
            _ => &[],
        }
    }

    fn total(&self) -> Option<u64> {
        match self.0.as_deref() {
            Some(Page::Contacts(page)) => Some(page.total),
            _ => None,
        }
    }

    fn failed(&self) -> Option<&str> {
        match self.0.as_deref() {
            Some(Page::Failed(why)) => Some(why),
            _ => None,
        }
    }
}

/// Reads one page and learns where the next one begins.
fn span_page(scene: &Scene<'_>, state: &mut ContactsState, index: usize) -> Rows {
    let Some(after) = state.spans.begin(index) else {
        return Rows(None);
    };
    let search = state.spans.key().clone();
    let page = scene.page(&PageRequest::Contacts { search, after });
    if let Some(Page::Contacts(page)) = page.as_deref() {
        (state.spans).learn(index, page.rows.len(), page.next.clone());
    }
    Rows(page)
}

fn head_ui(ui: &mut Ui, state: &mut ContactsState, total: Option<u64>) {
    let theme = Theme::of(ui);
    ui.horizontal(|ui| {
        title_ui(ui, text::CONTACTS);
        if let Some(total) = total {
            let words = if state.search.trim().is_empty() {
                text::total(total)
            } else {
                text::found(total, PEOPLE_COUNTED)
            };
            line_ui(ui, &words, BODY, theme.colours.muted);
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let new = Button::new(text::NEW_CONTACT)
                .icon(ICON_PERSON_ADD)
                .look(Look::Primary)
                .show(ui);
            if new.clicked() {
                state.shown = None;
                state.form = Some(fresh("", ""));
            }
            let width = (ui.available_width() - 40.0).clamp(100.0, 240.0);
            Field::named(text::SEARCH_CONTACTS, &mut state.search)
                .hint(text::SEARCH_CONTACTS)
                .glyph(ICON_SEARCH)
                .width(width)
                .show(ui);
        });
    });
}

fn list_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut ContactsState, first: &Rows) {
    let theme = Theme::of(ui);
    if let Some(why) = first.failed() {
        empty_ui(
            ui,
            ICON_PERSON,
            text::STORE_PROBLEM,
            &format::sentence(why),
            None,
        );
        return;
    }
    let Some(total) = first.total() else {
        line_ui(ui, text::LOADING, BODY, theme.colours.muted);
        return;
    };
    if total == 0 {
        nothing_ui(ui, state);
        return;
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    let height = theme.height.row;
    let rows = state.spans.rows();
    let mut last_shown = 0;
    ScrollArea::vertical()
        .id_salt("contacts")
        .auto_shrink(false)
        .show_rows(ui, height, rows, |ui, range| {
            last_shown = range.end;
            for (span, inside) in state.spans.places(range) {
                match span_page(scene, state, span).rows().get(inside) {
                    Some(contact) => {
                        ui.push_id(contact.id, |ui| row_ui(ui, scene, state, contact));
                    }
                    None => ui.add_space(height),
                }
            }
        });
    if last_shown + AHEAD >= rows {
        span_page(scene, state, state.spans.last());
    }
}

fn nothing_ui(ui: &mut Ui, state: &mut ContactsState) {
    if state.search.trim().is_empty() {
        if empty_ui(
            ui,
            ICON_PERSON,
            text::NO_CONTACTS,
            text::NO_CONTACTS_WHY,
            Some(text::NEW_CONTACT),
        ) {
            state.form = Some(fresh("", ""));
        }
    } else if empty_ui(
        ui,
        ICON_SEARCH,
        text::NO_CONTACTS_FOUND,
        text::NO_CALLS_FOUND_WHY,
        Some(text::CLEAR_SEARCH),
    ) {
        state.search.clear();
    }
}

fn row_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut ContactsState, contact: &ContactRow) {
    let theme = Theme::of(ui);
    let size = Vec2::new(ui.available_width(), theme.height.row);
    let (place, response) = ui.allocate_exact_size(size, Sense::click());
    let chosen = state.shown == Some(contact.id);
    let name = shown_name(contact);
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, chosen, &name));
    let painter = ui.painter();
    if chosen || response.hovered() || response.has_focus() {
        let fill = if chosen {
            theme.colours.chosen.tint
        } else {
            theme.colours.row_hover
        };
        painter.rect_filled(
            place.shrink2(Vec2::new(0.0, 1.0)),
            CornerRadius::same(theme.radius.control),
            fill,
        );
    }
    let middle = place.center().y;
    paint_avatar(
        painter,
        theme,
        egui::pos2(place.left() + 25.0, middle),
        30.0,
        Some(&contact.name),
    );
    let number = contact.numbers.first();
    let number_width = if place.width() > 420.0 { 150.0 } else { 0.0 };
    let words = place
        .with_min_x(place.left() + 50.0)
        .with_max_x(place.right() - 48.0 - number_width);
    let under = [
        contact.organization_name.as_deref(),
        contact.role.as_deref(),
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join(" · ");
    paint_two_lines(painter, theme, words, &name, Some(&under));
    if let Some(number) = number {
        if number_width > 0.0 {
            let cell = place
                .with_min_x(place.right() - 48.0 - number_width)
                .with_max_x(place.right() - 44.0);
            let line = Line {
                text: &number.raw,
                font: SMALL,
                colour: theme.colours.muted,
            };
            paint_line(painter, cell, &line);
        }
        let cell = egui::Rect::from_center_size(
            egui::pos2(place.right() - 22.0, middle),
            Vec2::new(32.0, 28.0),
        );
        let call = Button::icon_only(ICON_CALL, &text::call_person(&name))
            .look(Look::Bare)
            .put(ui, cell, ui.scope_id().with("call"));
        if call.clicked() {
            scene.send(Command::Call(CallTarget {
                text: number.e164.clone().unwrap_or_else(|| number.raw.clone()),
                account: None,
            }));
        }
    }
    if response.clicked() {
        state.shown = Some(contact.id);
        state.form = None;
        state.deleting = false;
    }
}

/// The name, or that there is none.
fn shown_name(contact: &ContactRow) -> String {
    let name = clean_line(&contact.name);
    if name.is_empty() {
        text::NO_NAME.to_owned()
    } else {
        name
    }
}

/// The form, or the contact with its numbers; gives what was clicked of what happened around it.
fn one_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut ContactsState,
    alone: bool,
) -> Option<Goto> {
    if state.form.is_some() {
        contact_form_ui(ui, scene, state);
        return None;
    }
    let id = state.shown?;
    if alone
        && Button::new(text::BACK)
            .icon(ICON_ARROW_BACK)
            .look(Look::Bare)
            .show(ui)
            .clicked()
    {
        state.shown = None;
        return None;
    }
    let theme = Theme::of(ui);
    let page = scene.page(&PageRequest::Contact(id));
    let contact = match page.as_deref() {
        Some(Page::Contact(Some(contact))) => contact.as_ref(),
        Some(Page::Contact(None)) => {
            state.shown = None;
            return None;
        }
        Some(Page::Failed(why)) => {
            paragraph_ui(ui, why, BODY, theme.colours.bad.text);
            return None;
        }
        Some(
            Page::Calls(_)
            | Page::Call(_)
            | Page::Contacts(_)
            | Page::Organizations(_)
            | Page::Identify(_)
            | Page::Ladder(_)
            | Page::Quality(_)
            | Page::Work(_),
        )
        | None => {
            line_ui(ui, text::LOADING, BODY, theme.colours.muted);
            return None;
        }
    };
    contact_ui(ui, scene, state, contact)
}

fn contact_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut ContactsState,
    contact: &ContactRow,
) -> Option<Goto> {
    let theme = Theme::of(ui);
    ui.horizontal(|ui| {
        avatar_ui(ui, 52.0, Some(&contact.name));
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            line_ui(
                ui,
                &shown_name(contact),
                font(18.0, Weight::SemiBold),
                theme.colours.text,
            );
            for line in [&contact.organization_name, &contact.role]
                .into_iter()
                .flatten()
            {
                line_ui(ui, line, SMALL, theme.colours.muted);
            }
        });
    });
    ui.add_space(4.0);
    ui.horizontal_wrapped(|ui| {
        if Button::new(text::EDIT).icon(ICON_EDIT).show(ui).clicked() {
            state.form = Some(edit(contact));
        }
        if state.deleting {
            let sure = Button::new(text::DELETE_SURE)
                .look(Look::Danger)
                .tooltip(text::DELETE_WHY)
                .show(ui);
            if sure.clicked() {
                scene.send(Command::DeleteContact(contact.id));
                state.shown = None;
                state.deleting = false;
            }
            if Button::new(text::CANCEL).show(ui).clicked() {
                state.deleting = false;
            }
        } else if Button::new(text::DELETE)
            .icon(ICON_DELETE)
            .look(Look::Outlined)
            .show(ui)
            .clicked()
        {
            state.deleting = true;
        }
    });
    if state.deleting {
        paragraph_ui(ui, text::DELETE_WHY, SMALL, theme.colours.muted);
    }
    ui.separator();
    let mut clicked = None;
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        for (index, number) in contact.numbers.iter().enumerate() {
            ui.push_id(index, |ui| {
                ui.horizontal(|ui| {
                    let width = ui.available_width() - 84.0;
                    ui.vertical(|ui| {
                        ui.set_width(width);
                        ui.spacing_mut().item_spacing.y = 0.0;
                        line_ui(ui, &number.raw, BODY, theme.colours.text);
                        line_ui(ui, &number.label, SMALL, theme.colours.muted);
                    });
                    let name = text::call_person(&clean_line(&number.raw));
                    let call = Button::new(text::CALL)
                        .icon(ICON_CALL)
                        .look(Look::Outlined)
                        .name(&name)
                        .show(ui);
                    if call.clicked() {
                        scene.send(Command::Call(CallTarget {
                            text: number.e164.clone().unwrap_or_else(|| number.raw.clone()),
                            account: None,
                        }));
                    }
                });
            });
        }
        if let Some(email) = &contact.email {
            fact_ui(ui, text::EMAIL, email, true);
        }
        if !contact.notes.is_empty() {
            fact_ui(ui, text::NOTES, &contact.notes, false);
        }
        ui.add_space(8.0);
        let about = Subject::Contact(contact.id);
        clicked = timeline_ui(ui, scene, &mut state.timeline, about);
    });
    clicked
}
