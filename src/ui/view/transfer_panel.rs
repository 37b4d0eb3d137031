//! Transfers on the call card: the far end's question, our own wish, and what came of it.

use egui::Ui;

use super::wish::referral_ui;
use crate::control::{Asker, CallStage, CallTarget, CallView, Command, Snapshot, TransferTo};
use crate::ui::scene::Scene;
use crate::ui::state::ViewState;
use crate::ui::theme::{SMALL, Theme};
use crate::ui::widget::{Button, Field, Look, paragraph_ui};
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
        paragraph_ui(ui, &text::transferred_by(by), SMALL, theme.colours.muted);
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
    // The one who waits is joined with the one who was asked.
    if let Some(first) = call.consult_for {
        let join = Button::new(text::COMPLETE_TRANSFER)
            .look(Look::Primary)
            .key(keys::TRANSFER)
            .show(ui);
        if join.clicked() {
            scene.send(joined(first, call));
        }
        let back = Button::new(text::BACK_TO_CALLER).look(Look::Quiet).show(ui);
        if back.clicked() {
            scene.send(Command::HangUp(call.id));
            scene.send(Command::Resume(first));
        }
        return;
    }
    let open = Button::new(text::TRANSFER)
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
    }
}

/// The transfer that joins the call that waits with the one that was made for it.
pub(crate) fn joined(first: crate::base::id::CallId, consult: &CallView) -> Command {
    Command::Transfer {
        call: first,
        to: TransferTo::Call(consult.id),
        asker: Asker::Agent,
    }
}

fn wish_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut ViewState,
    call: &CallView,
    snapshot: &Snapshot,
) {
    Field::labelled(text::TRANSFER_TO, &mut state.card.transfer_to).show(ui);
    let to = state.card.transfer_to.trim().to_owned();
    let (mut blind, mut first) = (false, false);
    ui.horizontal(|ui| {
        blind = Button::new(text::TRANSFER_NOW)
            .look(Look::Primary)
            .enabled(!to.is_empty())
            .show(ui)
            .clicked();
        first = Button::new(text::CALL_FIRST)
            .look(Look::Quiet)
            .enabled(!to.is_empty())
            .show(ui)
            .clicked();
    });
    let mut wanted = None;
    if blind {
        wanted = Some(Command::Transfer {
            call: call.id,
            to: TransferTo::Address(to),
            asker: Asker::Agent,
        });
    } else if first {
        wanted = Some(Command::Consult {
            call: call.id,
            target: CallTarget {
                text: to,
                account: call.account,
            },
            asker: Asker::Agent,
        });
    }
    // Any other call that is talked can be joined with this one.
    for other in &snapshot.calls {
        let talks = matches!(
            other.stage,
            CallStage::Talking | CallStage::Held | CallStage::HeldByRemote
        );
        if other.id != call.id && talks {
            let name = text::transfer_to_call(&person::of_call(other).title);
            if Button::new(&name).look(Look::Outlined).show(ui).clicked() {
                wanted = Some(Command::Transfer {
                    call: call.id,
                    to: TransferTo::Call(other.id),
                    asker: Asker::Agent,
                });
            }
        }
    }
    if let Some(command) = wanted {
        scene.send(command);
        state.card.transfer = false;
        state.card.transfer_to.clear();
    }
}
