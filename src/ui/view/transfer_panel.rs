//! Transfers on the call card: the far end's question, our own wish, and what came of it.

use egui::Ui;
use egui_material_icons::icons::{ICON_CALL, ICON_GROUP_ADD, ICON_PHONE_FORWARDED};

use super::wish::referral_ui;
use crate::base::id::CallId;
use crate::control::{CallStage, CallTarget, CallView, Command, Snapshot, TransferTo, Wish};
use crate::ui::scene::Scene;
use crate::ui::state::ViewState;
use crate::ui::theme::{SMALL, Theme};
use crate::ui::widget::{Button, Field, Look, framed_ui, half_width, paragraph_ui};
use crate::ui::{format, keys, person, text};

/// Draws what there is to say and to do about transfers of a call that lives.
pub(crate) fn transfer_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut ViewState,
    call: &CallView,
    snapshot: &Snapshot,
) {
    let theme = Theme::of(ui);
    if let Some(question) = &call.referral {
        referral_ui(ui, scene, call, question);
    }
    if let Some(by) = &call.transferred_by {
        let words = text::transferred_by(by);
        paragraph_ui(ui, &format::sentence(&words), SMALL, theme.colours.muted);
    }
    if let Some(who) = &call.answered_by {
        paragraph_ui(ui, &text::answered_by(who), SMALL, theme.colours.muted);
    }
    if let Some(problem) = &call.transfer_problem {
        paragraph_ui(
            ui,
            &format::sentence(problem),
            SMALL,
            theme.colours.bad.text,
        );
    }
    if call.answered.is_none() || call.transferring_to.is_some() {
        return;
    }
    conference_ui(ui, scene, call, snapshot);
    // The one who waits is joined with the one who was asked.
    if let Some(first) = call.consult_for {
        consult_ui(ui, scene, call, first);
        return;
    }
    let open = Button::new(text::TRANSFER)
        .icon(ICON_PHONE_FORWARDED)
        .width(ui.available_width())
        .look(if state.card.transfer {
            Look::Chosen
        } else {
            Look::Quiet
        })
        .key(keys::TRANSFER)
        .show(ui);
    if open.clicked() {
        state.card.transfer = !state.card.transfer;
    }
    if state.card.transfer {
        wish_ui(ui, scene, state, call, snapshot);
    } else {
        state.card.transfer_focused = false;
    }
    ui.add_space(4.0);
}

/// The calls that may be talked with together with this one.
pub(crate) fn joinable<'c>(
    call: &CallView,
    calls: &'c [CallView],
) -> impl Iterator<Item = &'c CallView> {
    let (id, joined) = (call.id, call.joined);
    calls.iter().filter(move |other| {
        let talks = matches!(
            other.stage,
            CallStage::Talking | CallStage::Held | CallStage::HeldByRemote
        );
        other.id != id && talks && !(joined && other.joined)
    })
}

/// Talking with several at once.
fn conference_ui(ui: &mut Ui, scene: &mut Scene<'_>, call: &CallView, snapshot: &Snapshot) {
    if call.joined {
        let others = snapshot.calls.iter().filter(|other| other.joined);
        let others = others.filter(|other| other.id != call.id);
        let names: Vec<String> = others.map(|other| person::of_call(other).title).collect();
        let good = Theme::of(ui).colours.good.text;
        paragraph_ui(ui, &text::together_with(&names.join(", ")), SMALL, good);
    }
    for (at, other) in joinable(call, &snapshot.calls).enumerate() {
        let name = text::talk_together(&person::of_call(other).title);
        let button = Button::new(&name)
            .icon(ICON_GROUP_ADD)
            .look(Look::Quiet)
            .width(ui.available_width());
        let button = if at == 0 {
            button.key(keys::JOIN)
        } else {
            button
        };
        if button.show(ui).clicked() {
            scene.send(Command::Join(call.id, other.id));
        }
    }
}

/// What can be done while the one who is asked is on the line.
fn consult_ui(ui: &mut Ui, scene: &mut Scene<'_>, call: &CallView, first: CallId) {
    ui.horizontal(|ui| {
        let half = half_width(ui);
        let join = Button::new(text::COMPLETE_TRANSFER)
            .look(Look::Primary)
            .width(half)
            .key(keys::TRANSFER)
            .show(ui);
        if join.clicked() {
            scene.send(joined(first, call));
        }
        let back = Button::new(text::BACK_TO_CALLER).width(half).show(ui);
        if back.clicked() {
            scene.send(Command::HangUp(call.id));
            scene.send(Command::Resume(first));
        }
    });
    ui.add_space(4.0);
}

/// What an answer does to another call, where a ringing one wants its place.
pub(crate) fn claim(call: &CallView, snapshot: &Snapshot) -> Option<String> {
    let old = call.takes_place_of?;
    let old = snapshot.calls.iter().find(|other| other.id == old)?;
    Some(text::takes_place_of(&person::of_call(old).title))
}

/// The transfer that joins the call that waits with the one that was made for it.
pub(crate) fn joined(first: CallId, consult: &CallView) -> Command {
    Command::Transfer {
        call: first,
        to: TransferTo::Call(consult.id),
        wish: Wish::AGENT,
    }
}

fn wish_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut ViewState,
    call: &CallView,
    snapshot: &Snapshot,
) {
    let mut wanted = None;
    framed_ui(ui, |ui| {
        let to = &mut state.card.transfer_to;
        let field = Field::labelled(text::TRANSFER_TO, to)
            .hint(text::DIAL_HINT)
            .show(ui);
        if !std::mem::replace(&mut state.card.transfer_focused, true) {
            field.request_focus();
        }
        wanted = target_ui(ui, call, to.trim());
        // Any other call that is talked can be joined with this one.
        for other in &snapshot.calls {
            wanted = joining_ui(ui, call, other).or_else(|| wanted.take());
        }
    });
    if let Some(command) = wanted {
        scene.send(command);
        state.card.transfer = false;
        state.card.transfer_to.clear();
    }
}

/// Transfers at once, or asks the one who was typed first.
fn target_ui(ui: &mut Ui, call: &CallView, to: &str) -> Option<Command> {
    let given = !to.is_empty();
    ui.horizontal(|ui| {
        let half = half_width(ui);
        let blind = Button::new(text::TRANSFER_NOW)
            .icon(ICON_PHONE_FORWARDED)
            .look(Look::Primary)
            .width(half)
            .enabled(given)
            .show(ui);
        let first = Button::new(text::CALL_FIRST)
            .icon(ICON_CALL)
            .width(half)
            .enabled(given)
            .show(ui);
        if blind.clicked() {
            Some(Command::Transfer {
                call: call.id,
                to: TransferTo::Address(to.to_owned()),
                wish: Wish::AGENT,
            })
        } else if first.clicked() {
            Some(Command::Consult {
                call: call.id,
                target: CallTarget {
                    text: to.to_owned(),
                    account: call.account,
                },
                wish: Wish::AGENT,
            })
        } else {
            None
        }
    })
    .inner
}

/// Joins the far end of this call with that of another one.
fn joining_ui(ui: &mut Ui, call: &CallView, other: &CallView) -> Option<Command> {
    let talks = matches!(
        other.stage,
        CallStage::Talking | CallStage::Held | CallStage::HeldByRemote
    );
    if other.id == call.id || !talks {
        return None;
    }
    let name = text::transfer_to_call(&person::of_call(other).title);
    let button = Button::new(&name)
        .look(Look::Outlined)
        .width(ui.available_width())
        .show(ui);
    button.clicked().then(|| Command::Transfer {
        call: call.id,
        to: TransferTo::Call(other.id),
        wish: Wish::AGENT,
    })
}
