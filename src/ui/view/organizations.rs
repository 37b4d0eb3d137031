//! The organizations: a simple list.

use std::sync::Arc;

use egui::{Align, Layout, ScrollArea, Ui, Vec2};
use egui_material_icons::icons::{ICON_ADD, ICON_APARTMENT, ICON_SEARCH};

use super::contacts::{BESIDE, card};
use super::organization_detail::organization_detail_ui;
use super::waiting::waiting_ui;
use crate::base::id::OrganizationId;
use crate::control::{Command, Page, PageRequest};
use crate::crm::row::OrganizationRow;
use crate::ui::display_text::clean_line;
use crate::ui::scene::Scene;
use crate::ui::spans::AHEAD;
use crate::ui::state::{OrganizationsState, View, ViewState};
use crate::ui::text;
use crate::ui::theme::Theme;
use crate::ui::widget::{Button, Field, Look, avatar_ui, empty_ui, title_ui};

/// Draws the view.
pub(crate) fn organizations_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut ViewState) {
    head_ui(ui, &mut state.organizations);
    add_ui(ui, scene, &mut state.organizations);
    ui.add_space(4.0);
    let search = state.organizations.search.trim().to_owned();
    state.organizations.spans.show(search);
    let first = span_page(scene, &mut state.organizations, 0);
    let size = ui.available_size();
    let open = state.organizations.shown.is_some() || state.organizations.form.is_some();
    if open && size.x < BESIDE {
        card(ui, size, |ui| {
            organization_detail_ui(ui, scene, state, true);
        });
        return;
    }
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 12.0;
        let side = if open { (size.x * 0.46).floor() } else { 0.0 };
        let list = if open { size.x - side - 12.0 } else { size.x };
        card(ui, Vec2::new(list, size.y), |ui| match first.as_deref() {
            Some(Page::Organizations(page)) if page.rows.is_empty() => {
                empty_ui(
                    ui,
                    ICON_APARTMENT,
                    text::NO_ORGANIZATIONS,
                    text::NO_ORGANIZATIONS_WHY,
                    None,
                );
            }
            Some(Page::Organizations(_)) => list_ui(ui, scene, state),
            other => waiting_ui(ui, other, ICON_APARTMENT),
        });
        if open {
            card(ui, Vec2::new(side, size.y), |ui| {
                organization_detail_ui(ui, scene, state, false);
            });
        }
    });
}

/// Reads one page and learns where the next one begins.
fn span_page(scene: &Scene<'_>, state: &mut OrganizationsState, index: usize) -> Option<Arc<Page>> {
    let after = state.spans.begin(index)?;
    let search = state.spans.key().clone();
    let page = scene.page(&PageRequest::Organizations { search, after });
    if let Some(Page::Organizations(page)) = page.as_deref() {
        (state.spans).learn(index, page.rows.len(), page.next.clone());
    }
    page
}

fn list_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut ViewState) {
    let height = Theme::of(ui).height.row;
    let rows = state.organizations.spans.rows();
    let mut last_shown = 0;
    ScrollArea::vertical()
        .auto_shrink(false)
        .show_rows(ui, height, rows, |ui, range| {
            last_shown = range.end;
            for (span, inside) in state.organizations.spans.places(range) {
                let page = span_page(scene, &mut state.organizations, span);
                let row = match page.as_deref() {
                    Some(Page::Organizations(page)) => page.rows.get(inside),
                    Some(_) | None => None,
                };
                match row {
                    Some(row) => {
                        ui.push_id(row.id, |ui| row_ui(ui, scene, state, row));
                    }
                    None => ui.add_space(height),
                }
            }
        });
    if last_shown + AHEAD >= rows {
        let last = state.organizations.spans.last();
        span_page(scene, &mut state.organizations, last);
    }
}

fn head_ui(ui: &mut Ui, state: &mut OrganizationsState) {
    ui.horizontal(|ui| {
        title_ui(ui, text::ORGANIZATIONS);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let width = ui.available_width().clamp(100.0, 260.0);
            Field::named(text::SEARCH_ORGANIZATIONS, &mut state.search)
                .hint(text::SEARCH_ORGANIZATIONS)
                .glyph(ICON_SEARCH)
                .width(width)
                .show(ui);
        });
    });
}

fn add_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut OrganizationsState) {
    ui.horizontal(|ui| {
        Field::named(text::NEW_ORGANIZATION, &mut state.name)
            .hint(text::NEW_ORGANIZATION)
            .width(220.0)
            .show(ui);
        let named = !state.name.trim().is_empty();
        let add = Button::new(text::ADD)
            .icon(ICON_ADD)
            .look(Look::Primary)
            .enabled(named)
            .show(ui);
        if add.clicked() && named {
            let name = std::mem::take(&mut state.name);
            scene.send(Command::SaveOrganization(OrganizationRow {
                id: OrganizationId(0),
                name: name.trim().to_owned(),
                contacts: 0,
                numbers: Vec::new(),
            }));
        }
    });
}

fn row_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut ViewState, row: &OrganizationRow) {
    let theme = Theme::of(ui);
    ui.horizontal(|ui| {
        ui.set_height(theme.height.row - 8.0);
        avatar_ui(ui, 30.0, Some(&row.name));
        if let Some((id, name)) = &mut state.organizations.renaming
            && *id == row.id
        {
            Field::named(text::NAME, name).width(220.0).show(ui);
            let save = Button::new(text::SAVE).look(Look::Primary).show(ui);
            let name = name.trim().to_owned();
            let mut over = Button::new(text::CANCEL).show(ui).clicked();
            if save.clicked() && !name.is_empty() {
                scene.send(Command::SaveOrganization(OrganizationRow {
                    name,
                    ..row.clone()
                }));
                over = true;
            }
            if over {
                state.organizations.renaming = None;
            }
            return;
        }
        let name = clean_line(&row.name);
        let count = text::members(row.contacts);
        let (counted, renamed) = (
            format!("{name}, {count}"),
            format!("{} {name}", text::RENAME),
        );
        let members = Button::new(&count).look(Look::Bare).name(&counted);
        let rename = Button::new(text::RENAME).look(Look::Bare).name(&renamed);
        let gap = ui.spacing().item_spacing.x;
        let others = members.natural_width(ui) + rename.natural_width(ui) + 2.0 * gap;
        let room = (ui.available_width() - others).max(60.0);
        let open = Button::new(&name).look(Look::Bare).height(28.0);
        let width = open.natural_width(ui).min(room);
        if open.width(width).show(ui).clicked() {
            state.organizations.shown = Some(row.id);
        }
        ui.add_space(room - width);
        if members.show(ui).clicked() {
            state.view = View::Contacts;
            state.contacts.search.clone_from(&row.name);
        }
        if rename.show(ui).clicked() {
            state.organizations.renaming = Some((row.id, row.name.clone()));
        }
    });
}
