//! One organization: its numbers, its people, and what happened around it.

use egui::{ScrollArea, Ui};
use egui_material_icons::icons::{
    ICON_APARTMENT, ICON_ARROW_BACK, ICON_CALL, ICON_CLOSE, ICON_DELETE, ICON_EDIT, ICON_PERSON,
};

use super::organization_form::{edit, organization_form_ui};
use super::timeline::timeline_ui;
use super::waiting::waiting_ui;
use crate::control::{CallTarget, Command, Page, PageRequest, RecordChange, WorkPage, WorkRequest};
use crate::crm::row::{OrganizationRow, Subject};
use crate::ui::display_text::clean_line;
use crate::ui::scene::Scene;
use crate::ui::state::{View, ViewState};
use crate::ui::text;
use crate::ui::theme::{BODY, SMALL, Theme, Weight, font};
use crate::ui::widget::{Button, Look, avatar_ui, line_ui, paragraph_ui};

/// Draws the organization that is open, where it stands `alone` with a way back to the list.
pub(crate) fn organization_detail_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut ViewState,
    alone: bool,
) {
    if state.organizations.form.is_some() {
        organization_form_ui(ui, scene, &mut state.organizations);
        return;
    }
    let Some(id) = state.organizations.shown else {
        return;
    };
    let (word, icon) = if alone {
        (text::BACK, ICON_ARROW_BACK)
    } else {
        (text::CLOSE, ICON_CLOSE)
    };
    let close = Button::new(word).icon(icon).look(Look::Bare);
    if close.show(ui).clicked() {
        state.organizations.shown = None;
        return;
    }
    let page = scene.page(&PageRequest::Work(WorkRequest::Organization(id)));
    let Some(Page::Work(WorkPage::Organization(organization))) = page.as_deref() else {
        waiting_ui(ui, page.as_deref(), ICON_APARTMENT);
        return;
    };
    let Some(organization) = organization else {
        state.organizations.shown = None;
        return;
    };
    head_ui(ui, scene, state, organization);
    ui.separator();
    let mut clicked = None;
    ScrollArea::vertical()
        .id_salt(organization.id)
        .auto_shrink(false)
        .show(ui, |ui| {
            for (place, number) in organization.numbers.iter().enumerate() {
                ui.push_id(place, |ui| {
                    ui.horizontal(|ui| {
                        let theme = Theme::of(ui);
                        let name = text::call_person(&clean_line(&number.raw));
                        let call = Button::icon_only(ICON_CALL, &name).look(Look::Outlined);
                        if call.show(ui).clicked() {
                            scene.send(Command::Call(CallTarget {
                                text: number.e164.clone().unwrap_or_else(|| number.raw.clone()),
                                account: None,
                            }));
                        }
                        line_ui(ui, &number.raw, BODY, theme.colours.text);
                        line_ui(ui, &number.label, SMALL, theme.colours.muted);
                    });
                });
            }
            ui.add_space(8.0);
            let about = Subject::Organization(organization.id);
            clicked = timeline_ui(ui, scene, &mut state.organizations.timeline, about);
        });
    if let Some(clicked) = clicked {
        clicked.open(state);
    }
}

fn head_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut ViewState,
    organization: &OrganizationRow,
) {
    let theme = Theme::of(ui);
    ui.horizontal(|ui| {
        avatar_ui(ui, 44.0, Some(&organization.name));
        let name = font(18.0, Weight::SemiBold);
        line_ui(ui, &organization.name, name, theme.colours.text);
    });
    ui.horizontal_wrapped(|ui| {
        let members = text::members(organization.contacts);
        let people = Button::new(&members).icon(ICON_PERSON);
        if people.show(ui).clicked() {
            state.view = View::Contacts;
            state.contacts.search.clone_from(&organization.name);
        }
        if Button::new(text::EDIT).icon(ICON_EDIT).show(ui).clicked() {
            state.organizations.form = Some(edit(organization));
        }
        if state.organizations.deleting {
            let sure = Button::new(text::DELETE_SURE).look(Look::Danger);
            if sure.show(ui).clicked() {
                let change = RecordChange::DeleteOrganization(organization.id);
                scene.send(Command::ChangeRecords(change));
                state.organizations.shown = None;
                state.organizations.deleting = false;
            }
            if Button::new(text::CANCEL).show(ui).clicked() {
                state.organizations.deleting = false;
            }
        } else if Button::new(text::DELETE)
            .icon(ICON_DELETE)
            .look(Look::Outlined)
            .show(ui)
            .clicked()
        {
            state.organizations.deleting = true;
        }
    });
    if state.organizations.deleting {
        let why = text::DELETE_ORGANIZATION_WHY;
        paragraph_ui(ui, why, SMALL, theme.colours.muted);
    }
}
