//! One contact or lead: numbers, stage, guesses, merging, and what happened around them.

use egui::{ScrollArea, Ui};
use egui_material_icons::icons::{
    ICON_ARROW_BACK, ICON_CALL, ICON_CLOSE, ICON_DELETE, ICON_EDIT, ICON_HOW_TO_REG, ICON_MERGE,
};

use super::call_detail::fact_ui;
use super::contact_form::{contact_form_ui, edit};
use super::contacts::{People, shown_name, stage_pill};
use super::guesses::guesses_ui;
use super::picker::{Found, Picked, picker_ui};
use super::timeline::timeline_ui;
use crate::control::{CallTarget, Command, Page, PageRequest, RecordChange};
use crate::crm::row::{
    ContactEdit, ContactRow, HintFilter, HintState, LeadStage, StageEdit, Subject,
};
use crate::ui::display_text::{clean_line, shown_line};
use crate::ui::scene::Scene;
use crate::ui::state::{ContactsState, Merging, ViewState};
use crate::ui::text;
use crate::ui::theme::{BODY, SMALL, Theme, Weight, font};
use crate::ui::widget::{Button, Look, avatar_ui, choice_ui, line_ui, paragraph_ui, pill_ui};

/// Draws the form, or the one that is open, where it stands `alone` with a way back to the list.
pub(crate) fn contact_detail_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut ViewState,
    people: People,
    alone: bool,
) {
    let list = people.of(state);
    if list.form.is_some() {
        contact_form_ui(ui, scene, list);
        return;
    }
    let Some(id) = list.shown else { return };
    if alone {
        let back = Button::new(text::BACK)
            .icon(ICON_ARROW_BACK)
            .look(Look::Bare);
        if back.show(ui).clicked() {
            list.show(None);
            return;
        }
    }
    let theme = Theme::of(ui);
    let page = scene.page(&PageRequest::Contact(id));
    match page.as_deref() {
        Some(Page::Contact(Some(contact))) => {
            contact_ui(ui, scene, state, people, contact, alone);
        }
        Some(Page::Contact(None)) => list.show(None),
        Some(Page::Failed(why)) => paragraph_ui(ui, why, BODY, theme.colours.bad.text),
        Some(_) | None => {
            line_ui(ui, text::LOADING, BODY, theme.colours.muted);
        }
    }
}

fn contact_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut ViewState,
    people: People,
    contact: &ContactRow,
    alone: bool,
) {
    let list = people.of(state);
    if head_ui(ui, contact, alone) {
        list.show(None);
        return;
    }
    ui.add_space(4.0);
    actions_ui(ui, scene, list, contact);
    if list.merging.is_some() {
        merge_ui(ui, scene, list, contact);
    }
    ui.separator();
    let mut clicked = None;
    ScrollArea::vertical()
        .id_salt(contact.id)
        .auto_shrink(false)
        .show(ui, |ui| {
            stage_ui(ui, scene, contact);
            for (index, number) in contact.numbers.iter().enumerate() {
                ui.push_id(index, |ui| number_ui(ui, scene, number));
            }
            if let Some(email) = &contact.email {
                fact_ui(ui, text::EMAIL, email, true);
            }
            if !contact.notes.is_empty() {
                fact_ui(ui, text::NOTES, &contact.notes, false);
            }
            let of = HintFilter {
                state: Some(HintState::Open),
                number: None,
                contact: Some(contact.id),
            };
            guesses_ui(ui, scene, &mut state.guesses, of);
            ui.add_space(8.0);
            let about = Subject::Contact(contact.id);
            let list = people.of(state);
            clicked = timeline_ui(ui, scene, &mut list.timeline, about);
        });
    if let Some(clicked) = clicked {
        clicked.open(state);
    }
}

/// Who it is; true when the page was closed.
fn head_ui(ui: &mut Ui, contact: &ContactRow, alone: bool) -> bool {
    let theme = Theme::of(ui);
    let mut closed = false;
    ui.horizontal(|ui| {
        avatar_ui(ui, 52.0, Some(&contact.name));
        let words = ui.available_width() - if alone { 0.0 } else { 40.0 };
        ui.vertical(|ui| {
            ui.set_width(words);
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
            if let Some(stage) = contact.stage {
                let (word, _) = stage_pill(stage, theme);
                pill_ui(ui, word, None, |theme| stage_pill(stage, theme).1);
            }
        });
        if !alone {
            let close = Button::icon_only(ICON_CLOSE, text::CLOSE)
                .look(Look::Bare)
                .height(28.0);
            closed = close.show(ui).clicked();
        }
    });
    closed
}

fn actions_ui(ui: &mut Ui, scene: &mut Scene<'_>, list: &mut ContactsState, contact: &ContactRow) {
    let theme = Theme::of(ui);
    ui.horizontal_wrapped(|ui| {
        if Button::new(text::EDIT).icon(ICON_EDIT).show(ui).clicked() {
            list.form = Some(edit(contact));
        }
        let merging = list.merging.is_some();
        let merge = Button::new(text::MERGE).icon(ICON_MERGE).look(if merging {
            Look::Chosen
        } else {
            Look::Quiet
        });
        if merge.show(ui).clicked() {
            list.merging = (!merging).then(Merging::default);
        }
        if list.deleting {
            let sure = Button::new(text::DELETE_SURE)
                .look(Look::Danger)
                .tooltip(text::DELETE_WHY)
                .show(ui);
            if sure.clicked() {
                scene.send(Command::DeleteContact(contact.id));
                list.show(None);
            }
            if Button::new(text::CANCEL).show(ui).clicked() {
                list.deleting = false;
            }
        } else if Button::new(text::DELETE)
            .icon(ICON_DELETE)
            .look(Look::Outlined)
            .show(ui)
            .clicked()
        {
            list.deleting = true;
        }
    });
    if list.deleting {
        paragraph_ui(ui, text::DELETE_WHY, SMALL, theme.colours.muted);
    }
}

/// How far a lead is, and the way out of it.
fn stage_ui(ui: &mut Ui, scene: &mut Scene<'_>, contact: &ContactRow) {
    let Some(stage) = contact.stage else { return };
    let stages: Vec<_> = LeadStage::ALL
        .iter()
        .map(|stage| (*stage, text::lead_stage(*stage).to_owned()))
        .collect();
    let mut wanted = choice_ui(ui, text::STAGE, &stage, &stages).map(StageEdit::Lead);
    let make = Button::new(text::MAKE_CONTACT)
        .icon(ICON_HOW_TO_REG)
        .tooltip(text::MAKE_CONTACT_WHY);
    if make.show(ui).clicked() {
        wanted = Some(StageEdit::Contact);
    }
    ui.add_space(4.0);
    if wanted.is_some() {
        let edit = ContactEdit {
            stage: wanted,
            ..ContactEdit::default()
        };
        let change = RecordChange::EditContact(contact.id, Box::new(edit));
        scene.send(Command::ChangeRecords(change));
    }
}

fn number_ui(ui: &mut Ui, scene: &mut Scene<'_>, number: &crate::crm::row::ContactNumber) {
    let theme = Theme::of(ui);
    ui.horizontal(|ui| {
        let name = text::call_person(&clean_line(&number.raw));
        let call = Button::new(text::CALL)
            .icon(ICON_CALL)
            .look(Look::Outlined)
            .name(&name);
        let beside = call.natural_width(ui) + ui.spacing().item_spacing.x;
        let width = (ui.available_width() - beside).max(40.0);
        ui.vertical(|ui| {
            ui.set_width(width);
            ui.spacing_mut().item_spacing.y = 0.0;
            line_ui(ui, &number.raw, BODY, theme.colours.text);
            line_ui(ui, &number.label, SMALL, theme.colours.muted);
        });
        if call.show(ui).clicked() {
            scene.send(Command::Call(CallTarget {
                text: number.e164.clone().unwrap_or_else(|| number.raw.clone()),
                account: None,
            }));
        }
    });
}

/// Looks for who is the same person, and asks before the two become one.
fn merge_ui(ui: &mut Ui, scene: &mut Scene<'_>, list: &mut ContactsState, contact: &ContactRow) {
    let Some(merging) = &mut list.merging else {
        return;
    };
    let theme = Theme::of(ui);
    let mut over = false;
    if let Some((other, name)) = &merging.other {
        let why = text::merge_why(&shown_line(&shown_name(contact)), &shown_line(name));
        paragraph_ui(ui, &why, SMALL, theme.colours.muted);
        ui.horizontal(|ui| {
            let sure = Button::new(text::MERGE_SURE).look(Look::Primary).show(ui);
            if sure.clicked() {
                let change = RecordChange::MergeContacts(vec![contact.id, *other]);
                scene.send(Command::ChangeRecords(change));
                over = true;
            }
            over |= Button::new(text::CANCEL).show(ui).clicked();
        });
    } else {
        let found = Found::People {
            but: Some(contact.id),
        };
        match picker_ui(ui, scene, &mut merging.picker, text::MERGE_WITH, found) {
            Some(Picked::Contact(id, name)) => merging.other = Some((id, name)),
            Some(Picked::Organization(..)) | None => {}
            Some(Picked::Nobody) => over = true,
        }
    }
    if over {
        list.merging = None;
    }
}
