//! The wrap-up on the card of a call that was talked: what it was about, what is to do next, and whether
//! the drafted ticket is kept.

use egui::{Ui, Vec2};
use egui_material_icons::icons::{
    ICON_CALL, ICON_CHECK, ICON_CONFIRMATION_NUMBER, ICON_OPEN_IN_NEW,
};

use super::call_controls::{reach, recorded_ui};
use super::goto::Goto;
use super::tasks::{due_ui, moment};
use crate::control::{
    CallTarget, CallView, Command, Page, PageRequest, WorkPage, WorkRequest, WrapUpWish,
};
use crate::crm::row::OnAnswer;
use crate::ui::display_text::clean_line;
use crate::ui::scene::Scene;
use crate::ui::state::{ViewState, WrapUpState};
use crate::ui::theme::{BODY, SMALL, Theme};
use crate::ui::widget::{Button, Field, Look, half_width, line_ui, paragraph_ui, switch_ui};
use crate::ui::{keys, text};

/// Call types that a key chooses: Alt and a digit, once it is known who it was.
pub(crate) const KEYED: usize = 9;

/// The names of the call types in use, in their order.
pub(crate) fn call_types(scene: &Scene<'_>) -> Vec<String> {
    let page = scene.page(&PageRequest::Work(WorkRequest::CallTypes));
    let Some(Page::Work(WorkPage::CallTypes(rows))) = page.as_deref() else {
        return Vec::new();
    };
    let used = rows.iter().filter(|row| row.active);
    used.map(|row| row.name.clone()).collect()
}

/// What was typed for a call; another call begins anew.
pub(crate) fn state_of<'s>(state: &'s mut ViewState, call: &CallView) -> &'s mut WrapUpState {
    let wrap_up = &mut state.card.wrap_up;
    if wrap_up.call != Some(call.id) {
        *wrap_up = WrapUpState {
            call: Some(call.id),
            keep_ticket: matches!(call.opens, Some(OnAnswer::Draft { .. })),
            ..WrapUpState::default()
        };
    }
    wrap_up
}

/// What opens with the call: the ticket that was worked on lately.
pub(crate) fn opens_ui(ui: &mut Ui, call: &CallView) -> Option<Goto> {
    let theme = Theme::of(ui);
    match call.opens.as_ref()? {
        OnAnswer::Profile { ticket, .. } => {
            let title = super::tickets::shown_title(ticket);
            let label = format!("{} {title}", text::ticket_number(ticket.id.0));
            let open = Button::new(&label)
                .icon(ICON_CONFIRMATION_NUMBER)
                .look(Look::Outlined)
                .width(ui.available_width())
                .tooltip(text::OPEN_TICKET)
                .show(ui);
            open.clicked().then(|| Goto::ticket(ticket.id))
        }
        OnAnswer::Draft { .. } => {
            line_ui(ui, text::DRAFTED, SMALL, theme.colours.muted);
            None
        }
        // The candidates stand on the card already.
        OnAnswer::Choose { .. } => None,
    }
}

/// What is said in the call, and the page that belongs to it, which opens by a click.
pub(crate) fn script_ui(ui: &mut Ui, scene: &mut Scene<'_>, call: &CallView) {
    let Some(script) = &call.script else {
        return;
    };
    let theme = Theme::of(ui);
    if let Some(words) = &script.text {
        for line in words.lines() {
            paragraph_ui(ui, &clean_line(line), BODY, theme.colours.text);
        }
    }
    if let Some(page) = &script.page {
        let open = Button::new(text::OPEN_PAGE)
            .icon(ICON_OPEN_IN_NEW)
            .look(Look::Outlined)
            .width(ui.available_width())
            .tooltip(page)
            .show(ui);
        if open.clicked() {
            scene.send(Command::OpenPage(call.id));
        }
    }
}

/// Draws it, with the buttons that end it.
pub(crate) fn wrap_up_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut ViewState,
    call: &CallView,
) {
    let theme = Theme::of(ui);
    recorded_ui(ui, call);
    let types = call_types(scene);
    let wanted = state_of(state, call);
    if !types.is_empty() {
        line_ui(ui, text::CALL_TYPE, SMALL, theme.colours.muted);
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = Vec2::splat(4.0);
            for (place, name) in types.iter().enumerate() {
                let chosen = wanted.call_type.as_ref() == Some(name);
                let look = if chosen { Look::Chosen } else { Look::Quiet };
                let key = keys::alt(place + 1);
                let mut chip = Button::new(name).look(look).height(28.0);
                if place < KEYED {
                    chip = chip.key(&key);
                }
                if chip.show(ui).clicked() {
                    wanted.call_type = (!chosen).then(|| name.clone());
                    wanted.refused = false;
                }
            }
        });
    }
    if wanted.refused {
        paragraph_ui(ui, text::TYPE_WANTED, BODY, theme.colours.bad.text);
    }
    Field::labelled(text::FOLLOW_UP, &mut wanted.follow_up)
        .hint(text::FOLLOW_UP_HINT)
        .show(ui);
    if !wanted.follow_up.trim().is_empty() {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            due_ui(ui, &mut wanted.due);
        });
    }
    if matches!(call.opens, Some(OnAnswer::Draft { .. })) {
        switch_ui(ui, &mut wanted.keep_ticket, text::KEEP_TICKET);
    }
    ui.horizontal(|ui| {
        let half = half_width(ui);
        let again = Button::new(text::CALL_AGAIN)
            .icon(ICON_CALL)
            .width(half)
            .show(ui);
        let save = Button::new(text::SAVE_WRAP_UP)
            .icon(ICON_CHECK)
            .look(Look::Primary)
            .width(half)
            .key(keys::DONE)
            .show(ui);
        if again.clicked() {
            scene.send(Command::Call(CallTarget {
                text: reach(call),
                account: call.account,
            }));
        }
        if save.clicked() {
            save_wrap_up(scene, state, call);
        }
    });
}

/// Saves what was said of the call and takes it off the screen.
pub(crate) fn save_wrap_up(scene: &mut Scene<'_>, state: &mut ViewState, call: &CallView) {
    let required = scene.snapshot.settings.call_type_required && !call_types(scene).is_empty();
    let typed = state.notes.drafts.get(&call.id);
    let notes = typed.map(|draft| draft.text.clone());
    let wanted = state_of(state, call);
    if required && wanted.call_type.is_none() {
        wanted.refused = true;
        return;
    }
    let follow_up = wanted.follow_up.trim().to_owned();
    let due = moment(wanted.due, &scene.now);
    scene.send(Command::WrapUp(
        call.id,
        WrapUpWish {
            notes,
            call_type: wanted.call_type.clone(),
            keep_ticket: wanted.keep_ticket,
            due: due.filter(|_| !follow_up.is_empty()),
            follow_up: (!follow_up.is_empty()).then_some(follow_up),
        },
    ));
    scene.send(Command::Dismiss(call.id));
    *wanted = WrapUpState::default();
    if let Some(draft) = state.notes.drafts.get_mut(&call.id) {
        draft.sent.clone_from(&draft.text);
    }
}
