//! What can be done with the call on the card: answer, mute, hold, tones, record, hang up, and what
//! comes after.

use std::time::Duration;

use egui::Ui;
use egui_material_icons::icons::{
    ICON_CALL, ICON_CALL_END, ICON_CHECK, ICON_DIALPAD, ICON_MIC, ICON_MIC_OFF, ICON_PAUSE,
    ICON_PLAY_ARROW, ICON_RADIO_BUTTON_CHECKED,
};

use super::keypad::keypad_ui;
use crate::control::{CallStage, CallTarget, CallView, Command, RecordingView};
use crate::crm::row::CallDirection;
use crate::ui::scene::Scene;
use crate::ui::state::ViewState;
use crate::ui::theme::{BODY, SMALL, Theme};
use crate::ui::widget::{Button, Look, RoundButton, half_width, line_ui, paragraph_ui};
use crate::ui::{keys, text};

/// So long after a call was answered the buttons that have taken the place of Answer do nothing: some click twice
/// on everything.
const SECOND_CLICK: Duration = Duration::from_millis(500);

/// Answer takes two thirds, Decline is outlined.
pub(crate) fn ringing_ui(ui: &mut Ui, scene: &mut Scene<'_>, call: &CallView) {
    let theme = Theme::of(ui);
    let desktop = &scene.snapshot.settings.desktop;
    let (answer_key, decline_key) = (
        desktop.answer_key.to_string(),
        desktop.decline_key.to_string(),
    );
    // Not those of the buttons that come in their place: who presses Answer again would hold the call.
    ui.push_id("ringing", |ui| {
        ui.horizontal(|ui| {
            let third = ((ui.available_width() - theme.space.small) / 3.0).floor();
            let decline = Button::new(text::DECLINE)
                .icon(ICON_CALL_END)
                .look(Look::OutlinedDanger)
                .width(third)
                .height(40.0)
                .key(&decline_key)
                .show(ui);
            let answer = Button::new(text::ANSWER)
                .icon(ICON_CALL)
                .look(Look::Answer)
                .width(2.0 * third)
                .height(40.0)
                .key(&answer_key)
                .show(ui);
            if decline.clicked() {
                scene.send(Command::Decline(call.id));
            }
            if answer.clicked() {
                scene.send(Command::Answer(call.id));
            }
        })
    });
}

/// Mute, Hold, Keypad, Record, and 24 points apart Hang up.
pub(crate) fn controls_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut ViewState,
    call: &CallView,
) {
    let connected = call.answered.is_some();
    let held = call.stage == CallStage::Held;
    let recording = call.recording.is_wanted();
    let answered_here = call
        .answered
        .filter(|_| call.direction == CallDirection::Inbound);
    let settled =
        answered_here.is_none_or(|at| scene.now.mono.saturating_duration_since(at) >= SECOND_CLICK);
    let pressed = |on: bool| if on { Look::Chosen } else { Look::Quiet };
    let (mute, hold, record) = (
        if call.muted { text::UNMUTE } else { text::MUTE },
        if held { text::RESUME } else { text::HOLD },
        if recording {
            text::STOP_RECORDING
        } else {
            text::RECORD
        },
    );
    let mut buttons = [
        (
            if call.muted { ICON_MIC_OFF } else { ICON_MIC },
            mute,
            mute,
            keys::MUTE,
            pressed(call.muted),
        ),
        (
            if held { ICON_PLAY_ARROW } else { ICON_PAUSE },
            hold,
            hold,
            keys::HOLD,
            pressed(held),
        ),
        (
            ICON_DIALPAD,
            text::KEYPAD,
            text::KEYPAD,
            keys::KEYPAD,
            pressed(state.card.keypad),
        ),
        (
            ICON_RADIO_BUTTON_CHECKED,
            record,
            text::RECORD,
            keys::RECORD,
            pressed(recording),
        ),
    ]
    .into_iter();
    let act = |index| match index {
        0 => Some(Command::Mute(call.id, !call.muted)),
        1 if held => Some(Command::Resume(call.id)),
        1 => Some(Command::Hold(call.id)),
        3 => Some(Command::Record(call.id, !recording)),
        _ => None,
    };
    ui.horizontal(|ui| {
        let gap = ((ui.available_width() - 5.0 * 50.0 - 24.0) / 3.0).clamp(0.0, 14.0);
        ui.spacing_mut().item_spacing.x = gap;
        for index in 0..4 {
            let Some((icon, name, caption, key, look)) = buttons.next() else {
                break;
            };
            let button = RoundButton {
                icon,
                name,
                caption,
                key,
                look,
                enabled: connected,
            };
            if button.show(ui).clicked() && settled {
                match act(index) {
                    Some(command) => scene.send(command),
                    None => state.card.keypad = !state.card.keypad,
                }
            }
        }
        ui.spacing_mut().item_spacing.x = 0.0;
        ui.add_space(24.0 - gap.min(24.0));
        let hang_up = RoundButton {
            icon: ICON_CALL_END,
            name: text::HANG_UP,
            caption: text::HANG_UP,
            key: keys::HANG_UP,
            look: Look::Danger,
            enabled: true,
        };
        if hang_up.show(ui).clicked() && settled {
            scene.send(Command::HangUp(call.id));
        }
    });
}

/// The pause of a recording, for payment data.
pub(crate) fn pause_ui(ui: &mut Ui, scene: &mut Scene<'_>, call: &CallView) {
    let paused = match call.recording {
        RecordingView::Announced | RecordingView::On(_) => false,
        RecordingView::Paused(_) => true,
        RecordingView::Off | RecordingView::Done(_) | RecordingView::Failed(_) => return,
    };
    let (word, icon, look) = if paused {
        (
            text::RESUME_RECORDING,
            ICON_RADIO_BUTTON_CHECKED,
            Look::Chosen,
        )
    } else {
        (text::PAUSE_RECORDING, ICON_PAUSE, Look::Quiet)
    };
    let pause = Button::new(word)
        .icon(icon)
        .look(look)
        .width(ui.available_width())
        .key(keys::PAUSE_RECORDING)
        .show(ui);
    if pause.clicked() {
        scene.send(Command::PauseRecording(call.id, !paused));
    }
    if paused {
        let warn = Theme::of(ui).colours.warn.text;
        paragraph_ui(ui, text::RECORDING_PAUSED_WHY, SMALL, warn);
    }
}

/// The keypad in a call, and what was sent.
pub(crate) fn digits_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut ViewState,
    call: &CallView,
) {
    let theme = Theme::of(ui);
    let sent = if state.card.digits.is_empty() {
        text::DIGITS_HINT
    } else {
        state.card.digits.as_str()
    };
    line_ui(ui, sent, BODY, theme.colours.muted);
    let width = ui.available_width();
    let mut pressed = ui.scope(|ui| keypad_ui(ui, width, 36.0)).inner;
    if !ui.ctx().text_edit_focused() {
        let typed = ui.input(|input| {
            input.events.iter().find_map(|event| match event {
                egui::Event::Text(typed) => Some(typed.clone()),
                _ => None,
            })
        });
        if let Some(typed) = typed {
            pressed = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "#"]
                .into_iter()
                .find(|key| *key == typed)
                .or(pressed);
        }
    }
    if let Some(digit) = pressed.filter(|digit| *digit != "+") {
        if state.card.digits.chars().count() >= 40 {
            state.card.digits.remove(0);
        }
        // Payment data: neither who looks over a shoulder nor who listens to a screen reader.
        let paused = matches!(call.recording, RecordingView::Paused(_));
        state.card.digits.push_str(if paused { "•" } else { digit });
        scene.send(Command::Dtmf(call.id, digit.to_owned()));
    }
    ui.add_space(8.0);
}

/// Where the recording is.
pub(crate) fn recorded_ui(ui: &mut Ui, call: &CallView) {
    if let Some(path) = call.recording.path() {
        let muted = Theme::of(ui).colours.muted;
        paragraph_ui(ui, &text::recorded_to(path), SMALL, muted);
    }
}

/// The outcome, and what comes next.
pub(crate) fn ended_ui(ui: &mut Ui, scene: &mut Scene<'_>, call: &CallView) {
    recorded_ui(ui, call);
    ui.horizontal(|ui| {
        let half = half_width(ui);
        let again = Button::new(text::CALL_AGAIN)
            .icon(ICON_CALL)
            .width(half)
            .show(ui);
        let done = Button::new(text::DONE)
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
        if done.clicked() {
            scene.send(Command::Dismiss(call.id));
        }
    });
}

/// The number or address that reaches the far end again.
pub(crate) fn reach(call: &CallView) -> String {
    call.identification
        .as_ref()
        .and_then(|found| found.e164.clone())
        .unwrap_or_else(|| call.remote.clone())
}
