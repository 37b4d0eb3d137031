//! The keyboard: shortcuts that work wherever the keyboard is.

use egui::{Key, KeyboardShortcut, Modifiers, Ui};

use super::outcome::rings_here;
use super::person;
use super::scene::Scene;
use super::state::{View, ViewState};
use crate::config::key_chord::KeyChord;
use crate::control::{CallStage, CallView, Command, RecordingView};

/// Names of keys, for tooltips.
pub(crate) use super::text::keys::*;

const ALT_DIGITS: [Key; 9] = [
    Key::Num1,
    Key::Num2,
    Key::Num3,
    Key::Num4,
    Key::Num5,
    Key::Num6,
    Key::Num7,
    Key::Num8,
    Key::Num9,
];

fn pressed(ui: &Ui, modifiers: Modifiers, key: Key) -> bool {
    ui.input_mut(|input| input.consume_shortcut(&KeyboardShortcut::new(modifiers, key)))
}

/// Whether a recording shall be played: that of the row that has the keyboard, else the open one.
pub(crate) fn play_pressed(ui: &Ui) -> bool {
    pressed(ui, Modifiers::COMMAND, Key::P)
}

fn pressed_chord(ui: &Ui, chord: KeyChord) -> bool {
    let mut held = Modifiers::NONE;
    for (wanted, modifier) in [
        (chord.ctrl, Modifiers::COMMAND),
        (chord.alt, Modifiers::ALT),
        (chord.shift, Modifiers::SHIFT),
    ] {
        if wanted {
            held |= modifier;
        }
    }
    Key::from_name(&chord.key.to_string()).is_some_and(|key| pressed(ui, held, key))
}

/// Carries out what was pressed in this frame.
pub(crate) fn handle(ui: &Ui, scene: &mut Scene<'_>, state: &mut ViewState) {
    if scene.snapshot.dial_request.is_some() {
        return;
    }
    let ctrl = Modifiers::COMMAND;
    if pressed(ui, ctrl, Key::K) {
        state.view = View::Dialer;
        state.dialer.focus = true;
    }
    for (view, _, _, key) in super::view::VIEWS {
        if pressed(ui, ctrl, key) {
            state.view = view;
            state.detail = None;
        }
    }
    if pressed(ui, ctrl | Modifiers::SHIFT, Key::A) {
        state.agent.open = !state.agent.open;
        state.agent.focus = state.agent.open;
    }
    // In a field it takes back what was typed.
    if !state.typing
        && let Some(step) = super::view::undo_step(scene, state)
        && pressed(ui, ctrl, Key::Z)
    {
        super::view::take_back(scene, state, &step);
    }
    // egui has taken the keyboard from the field already; the first press does no more.
    let open = state.ladder.is_some() || state.detail.is_some();
    if open && !state.typing && pressed(ui, Modifiers::NONE, Key::Escape) {
        // What was opened last goes first.
        match state.ladder.take() {
            Some(_closed) => {}
            None => state.detail = None,
        }
    }
    let snapshot = std::sync::Arc::clone(&scene.snapshot);
    if let Some(call) = snapshot.calls.iter().find(|call| rings_here(call)) {
        let desktop = &snapshot.settings.desktop;
        if pressed_chord(ui, desktop.answer_key) {
            scene.send(Command::Answer(call.id));
        }
        if pressed_chord(ui, desktop.decline_key) {
            scene.send(Command::Decline(call.id));
        }
    }
    let shown = snapshot
        .calls
        .iter()
        .find(|call| Some(call.id) == state.card.shown);
    if let Some(call) = shown {
        in_call(ui, scene, state, call);
    }
}

fn in_call(ui: &Ui, scene: &mut Scene<'_>, state: &mut ViewState, call: &CallView) {
    let ctrl = Modifiers::COMMAND;
    let candidates = person::open_question(call);
    for (key, candidate) in ALT_DIGITS.into_iter().zip(candidates) {
        if pressed(ui, Modifiers::ALT, key) {
            scene.send(Command::ChooseCaller(call.id, Some(candidate.subject)));
        }
    }
    if !candidates.is_empty() && pressed(ui, Modifiers::ALT, Key::Num0) {
        scene.send(Command::ChooseCaller(call.id, None));
    }
    if call.stage.is_over() {
        if call.answered.is_some() {
            for (key, name) in ALT_DIGITS.into_iter().zip(super::view::call_types(scene)) {
                if pressed(ui, Modifiers::ALT, key) {
                    super::view::wrap_up_of(state, call).call_type = Some(name);
                }
            }
        }
        if pressed(ui, ctrl, Key::Enter) {
            if call.answered.is_some() {
                super::view::save_wrap_up(scene, state, call);
            } else {
                scene.send(Command::Dismiss(call.id));
            }
        }
        return;
    }
    if rings_here(call) {
        return;
    }
    if pressed(ui, ctrl, Key::E) {
        scene.send(Command::HangUp(call.id));
    }
    if call.answered.is_none() {
        return;
    }
    if pressed(ui, ctrl, Key::M) {
        scene.send(Command::Mute(call.id, !call.muted));
    }
    if pressed(ui, ctrl, Key::H) {
        scene.send(if call.stage == CallStage::Held {
            Command::Resume(call.id)
        } else {
            Command::Hold(call.id)
        });
    }
    if pressed(ui, ctrl, Key::T) {
        match call.consult_for {
            Some(first) => scene.send(super::view::joined(first, call)),
            None => state.card.transfer = !state.card.transfer,
        }
    }
    if pressed(ui, ctrl, Key::J) {
        let other = super::view::joinable(call, &scene.snapshot.calls).next();
        if let Some(other) = other.map(|other| other.id) {
            scene.send(Command::Join(call.id, other));
        }
    }
    if pressed(ui, ctrl, Key::D) {
        state.card.keypad = !state.card.keypad;
    }
    // The longer shortcut first: the shorter one would take it.
    if call.recording.is_wanted() && pressed(ui, ctrl | Modifiers::SHIFT, Key::R) {
        let paused = matches!(call.recording, RecordingView::Paused(_));
        scene.send(Command::PauseRecording(call.id, !paused));
    }
    if pressed(ui, ctrl, Key::R) {
        scene.send(Command::Record(call.id, !call.recording.is_wanted()));
    }
}
