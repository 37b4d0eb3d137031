//! The contacts and the leads: a list, and one of them beside it or in its place.

use std::sync::Arc;

use egui::{Align, CornerRadius, Frame, Layout, Margin, ScrollArea, Ui, Vec2};
use egui_material_icons::MaterialIcon;
use egui_material_icons::icons::{
    ICON_CALL, ICON_PERSON, ICON_PERSON_ADD, ICON_SEARCH, ICON_TRENDING_UP,
};

use super::call_row::paint_two_lines;
use super::contact_detail::contact_detail_ui;
use super::contact_form::fresh;
use crate::base::id::ContactId;
use crate::control::{CallTarget, Command, Page, PageRequest, WorkPage, WorkRequest};
use crate::crm::row::{ContactPage, ContactRow, LeadStage, PEOPLE_COUNTED};
use crate::ui::display_text::clean_line;
use crate::ui::scene::Scene;
use crate::ui::spans::AHEAD;
use crate::ui::state::{ContactsState, View, ViewState};
use crate::ui::theme::{BODY, SMALL, Theme, Tone};
use crate::ui::widget::{
    Button, Line, Look, describe, empty_ui, line_ui, paint_avatar, paint_line, paint_pill,
    pill_width, row_ui, search_ui, tab_ui, title_ui,
};
use crate::ui::{format, text};

/// Which people a list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum People {
    /// Contacts, and leads among them.
    Contacts,
    /// Leads only.
    Leads,
}

impl People {
    fn view(self) -> View {
        match self {
            Self::Contacts => View::Contacts,
            Self::Leads => View::Leads,
        }
    }

    /// What is open of them.
    pub(super) fn of(self, state: &mut ViewState) -> &mut ContactsState {
        match self {
            Self::Contacts => &mut state.contacts,
            Self::Leads => &mut state.leads,
        }
    }

    /// The stage of somebody who is begun in this list.
    fn begun(self, state: &ContactsState) -> Option<LeadStage> {
        match self {
            Self::Contacts => None,
            Self::Leads => Some(state.stage.unwrap_or(LeadStage::New)),
        }
    }

    fn icon(self) -> MaterialIcon {
        match self {
            Self::Contacts => ICON_PERSON,
            Self::Leads => ICON_TRENDING_UP,
        }
    }
}

/// Below this width the contact takes the list's place.
pub(super) const BESIDE: f32 = 720.0;

/// Shows one contact.
pub(crate) fn open(state: &mut ViewState, contact: ContactId) {
    state.view = View::Contacts;
    state.detail = None;
    state.contacts.show(Some(contact));
}

/// Begins a new contact or lead with a number, and a name where the far end claimed one.
pub(crate) fn create(state: &mut ViewState, people: People, number: &str, name: Option<&str>) {
    state.view = people.view();
    state.detail = None;
    let list = people.of(state);
    list.show(None);
    let mut form = fresh(number, name.unwrap_or_default());
    form.row.stage = people.begun(list);
    list.form = Some(form);
}

/// Draws the view.
pub(crate) fn people_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut ViewState, people: People) {
    let list = people.of(state);
    list.spans.show((list.stage, list.search.trim().to_owned()));
    let first = span_page(scene, list, people, 0);
    head_ui(ui, list, people, first.total());
    if people == People::Leads {
        stages_ui(ui, list);
    }
    ui.add_space(8.0);
    let list = people.of(state);
    let open = list.shown.is_some() || list.form.is_some();
    let size = ui.available_size();
    if open && size.x < BESIDE {
        card(ui, size, |ui| {
            contact_detail_ui(ui, scene, state, people, true);
        });
        return;
    }
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 12.0;
        let side = if open { (size.x * 0.46).floor() } else { 0.0 };
        let width = if open { size.x - side - 12.0 } else { size.x };
        card(ui, Vec2::new(width, size.y), |ui| {
            list_ui(ui, scene, people.of(state), people, &first);
        });
        if open {
            card(ui, Vec2::new(side, size.y), |ui| {
                contact_detail_ui(ui, scene, state, people, false);
            });
        }
    });
}

/// Lets the agent choose a stage whose leads are listed.
fn stages_ui(ui: &mut Ui, list: &mut ContactsState) {
    ui.add_space(4.0);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        if tab_ui(ui, text::ALL, list.stage.is_none(), None).clicked() {
            list.stage = None;
        }
        for stage in LeadStage::ALL {
            let word = text::lead_stage(*stage);
            if tab_ui(ui, word, list.stage == Some(*stage), None).clicked() {
                list.stage = Some(*stage);
            }
        }
    });
}

/// The word and the tone of a lead's stage.
pub(super) fn stage_pill(stage: LeadStage, theme: &Theme) -> (&'static str, Tone) {
    let tone = match stage {
        LeadStage::New => theme.colours.chosen,
        LeadStage::Contacted => theme.colours.warn,
        LeadStage::Qualified | LeadStage::Converted => theme.colours.good,
        LeadStage::Lost => theme.colours.neutral,
    };
    (text::lead_stage(stage), tone)
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

/// A page of people as far as it is there.
struct Rows(Option<Arc<Page>>);

impl Rows {
    fn page(&self) -> Option<&ContactPage> {
        match self.0.as_deref()? {
            Page::Contacts(page) | Page::Work(WorkPage::Leads(page)) => Some(page),
            _ => None,
        }
    }

    fn rows(&self) -> &[ContactRow] {
        self.page().map_or(&[], |page| &page.rows)
    }

    fn total(&self) -> Option<u64> {
        self.page().map(|page| page.total)
    }

    fn failed(&self) -> Option<&str> {
        match self.0.as_deref() {
            Some(Page::Failed(why)) => Some(why),
            _ => None,
        }
    }
}

/// Reads one page and learns where the next one begins.
fn span_page(scene: &Scene<'_>, list: &mut ContactsState, people: People, index: usize) -> Rows {
    let Some(after) = list.spans.begin(index) else {
        return Rows(None);
    };
    let (stage, search) = list.spans.key().clone();
    let request = match people {
        People::Contacts => PageRequest::Contacts { search, after },
        People::Leads => PageRequest::Work(WorkRequest::Leads {
            stage,
            search,
            after,
        }),
    };
    let rows = Rows(scene.page(&request));
    if let Some(page) = rows.page() {
        (list.spans).learn(index, page.rows.len(), page.next.clone());
    }
    rows
}

fn head_ui(ui: &mut Ui, list: &mut ContactsState, people: People, total: Option<u64>) {
    let theme = Theme::of(ui);
    let (title, new, search) = match people {
        People::Contacts => (text::CONTACTS, text::NEW_CONTACT, text::SEARCH_CONTACTS),
        People::Leads => (text::LEADS, text::NEW_LEAD, text::SEARCH_LEADS),
    };
    ui.horizontal(|ui| {
        title_ui(ui, title);
        if let Some(total) = total {
            let words = if list.search.trim().is_empty() {
                text::total(total)
            } else {
                text::found(total, PEOPLE_COUNTED)
            };
            line_ui(ui, &words, BODY, theme.colours.muted);
        }
        let button = Button::new(new).icon(ICON_PERSON_ADD).look(Look::Primary);
        search_ui(ui, search, &mut list.search, &button);
        if button.show(ui).clicked() {
            begin(list, people);
        }
    });
}

/// Begins somebody of whom nothing is known.
fn begin(list: &mut ContactsState, people: People) {
    list.show(None);
    let mut form = fresh("", "");
    form.row.stage = people.begun(list);
    list.form = Some(form);
}

fn list_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    list: &mut ContactsState,
    people: People,
    first: &Rows,
) {
    let theme = Theme::of(ui);
    if let Some(why) = first.failed() {
        empty_ui(
            ui,
            people.icon(),
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
        nothing_ui(ui, list, people);
        return;
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    let height = theme.height.row;
    let rows = list.spans.rows();
    let mut last_shown = 0;
    ScrollArea::vertical()
        .id_salt(("people", list.stage))
        .auto_shrink(false)
        .show_rows(ui, height, rows, |ui, range| {
            last_shown = range.end;
            for (span, inside) in list.spans.places(range) {
                match span_page(scene, list, people, span).rows().get(inside) {
                    Some(contact) => {
                        ui.push_id(contact.id, |ui| person_ui(ui, scene, list, contact));
                    }
                    None => ui.add_space(height),
                }
            }
        });
    if last_shown + AHEAD >= rows {
        span_page(scene, list, people, list.spans.last());
    }
}

fn nothing_ui(ui: &mut Ui, list: &mut ContactsState, people: People) {
    if !list.search.trim().is_empty() {
        let title = match people {
            People::Contacts => text::NO_CONTACTS_FOUND,
            People::Leads => text::NO_LEADS_FOUND,
        };
        let (why, clear) = (text::NO_CALLS_FOUND_WHY, Some(text::CLEAR_SEARCH));
        if empty_ui(ui, ICON_SEARCH, title, why, clear) {
            list.search.clear();
        }
        return;
    }
    if list.stage.is_some() {
        let (title, why) = (text::NO_LEADS_OF_STAGE, text::NO_LEADS_OF_STAGE_WHY);
        if empty_ui(ui, people.icon(), title, why, Some(text::ALL_LEADS)) {
            list.stage = None;
        }
        return;
    }
    let (title, why, new) = match people {
        People::Contacts => (text::NO_CONTACTS, text::NO_CONTACTS_WHY, text::NEW_CONTACT),
        People::Leads => (text::NO_LEADS, text::NO_LEADS_WHY, text::NEW_LEAD),
    };
    if empty_ui(ui, people.icon(), title, why, Some(new)) {
        begin(list, people);
    }
}

fn person_ui(ui: &mut Ui, scene: &mut Scene<'_>, list: &mut ContactsState, contact: &ContactRow) {
    let theme = Theme::of(ui);
    let chosen = list.shown == Some(contact.id);
    let name = shown_name(contact);
    let said = match contact.stage {
        Some(stage) => format!("{name}, {}", text::lead_stage(stage)),
        None => name.clone(),
    };
    let (place, response) = row_ui(ui, &said, chosen);
    let painter = ui.painter();
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
    let mut right = place.right() - 48.0 - number_width;
    if let Some((word, tone)) = contact.stage.map(|stage| stage_pill(stage, theme)) {
        right -= pill_width(painter, word) + 8.0;
        paint_pill(painter, egui::pos2(right, middle), word, tone);
    }
    let words = place
        .with_min_x(place.left() + 50.0)
        .with_max_x(right - 4.0);
    let under = [
        contact.organization_name.as_deref(),
        contact.role.as_deref(),
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join(" · ");
    paint_two_lines(painter, theme, words, &name, Some(&under));
    describe(ui, &response, &under);
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
        list.show(Some(contact.id));
    }
}

/// The name, or that there is none.
pub(super) fn shown_name(contact: &ContactRow) -> String {
    let name = clean_line(&contact.name);
    if name.is_empty() {
        text::NO_NAME.to_owned()
    } else {
        name
    }
}
