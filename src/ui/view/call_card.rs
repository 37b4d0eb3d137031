//! The call card: who it is, the controls, why, the last calls and the notes.

use std::sync::Arc;
use std::time::Duration;

use egui::{Align, Layout, ScrollArea, Ui, Vec2};
use egui_material_icons::icons::{
    ICON_CALL, ICON_CALL_END, ICON_CHECK, ICON_DIALPAD, ICON_FIBER_MANUAL_RECORD, ICON_MIC,
    ICON_MIC_OFF, ICON_PAUSE, ICON_PERSON_ADD, ICON_PLAY_ARROW, ICON_RADIO_BUTTON_CHECKED,
};

use super::contacts;
use super::keypad::keypad_ui;
use super::last_calls_ui;
use super::notes::notes_ui;
use crate::base::id::CallId;
use crate::control::{CallStage, CallTarget, CallView, Command, RecordingView};
use crate::ui::outcome::{self, rings_here};
use crate::ui::person::{self, Certainty, Person};
use crate::ui::scene::Scene;
use crate::ui::state::ViewState;
use crate::ui::theme::{BODY, SMALL, Theme, Weight, font};
use crate::ui::widget::{
    Button, Look, RoundButton, avatar_ui, line_ui, paragraph_ui, pill_ui, tab_ui,
};
use crate::ui::{format, keys, text};

/// Below this height the notes have fewer lines.
const LOW: f32 = 700.0;

/// Notices new and gone calls: a new one is shown, a gone one is forgotten.
pub(crate) fn follow_calls(scene: &Scene<'_>, state: &mut ViewState) {
    let live: Vec<CallId> = scene.snapshot.calls.iter().map(|call| call.id).collect();
    let card = &mut state.card;
    if live == card.known {
        return;
    }
    let newest = live.iter().rev().find(|id| !card.known.contains(id));
    if let Some(newest) = newest {
        let busy = scene.snapshot.calls.iter().any(|call| {
            Some(call.id) == card.shown && call.stage != CallStage::Ended && call.id != *newest
        });
        let rings = scene
            .snapshot
            .calls
            .iter()
            .any(|call| call.id == *newest && rings_here(call));
        // A call that rings does not push away the one that is being talked in.
        if !(busy && rings) {
            card.shown = Some(*newest);
            card.keypad = false;
            card.digits.clear();
        }
        state.detail = None;
    }
    let card = &mut state.card;
    if !card.shown.is_some_and(|shown| live.contains(&shown)) {
        card.shown = live.last().copied();
    }
    card.known = live;
}

/// Whether there is a call to show.
pub(crate) fn is_shown(scene: &Scene<'_>, state: &ViewState) -> bool {
    shown(scene, state).is_some()
}

/// The call that is shown.
pub(crate) fn shown<'s>(scene: &'s Scene<'_>, state: &ViewState) -> Option<&'s CallView> {
    scene
        .snapshot
        .calls
        .iter()
        .find(|call| Some(call.id) == state.card.shown)
}

/// Draws the card.
pub(crate) fn call_card_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut ViewState) {
    let snapshot = Arc::clone(&scene.snapshot);
    if snapshot.calls.len() > 1 {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = Vec2::splat(4.0);
            for call in &snapshot.calls {
                let person = person::of_call(call);
                let word = outcome::of_call(call, Theme::of(ui)).0;
                let name = format!("{} · {word}", short(&person.title));
                let chosen = state.card.shown == Some(call.id);
                if tab_ui(ui, &name, chosen, None).clicked() {
                    state.card.shown = Some(call.id);
                    state.card.keypad = false;
                    state.card.digits.clear();
                }
            }
        });
        ui.add_space(4.0);
    }
    let Some(call) = snapshot
        .calls
        .iter()
        .find(|call| Some(call.id) == state.card.shown)
    else {
        return;
    };
    let person = person::of_call(call);
    head_ui(ui, scene, call, &person);
    status_ui(ui, call);
    ui.add_space(4.0);
    if call.stage == CallStage::Ended {
        ended_ui(ui, scene, call);
    } else if rings_here(call) {
        ringing_ui(ui, scene, call);
    } else {
        controls_ui(ui, scene, state, call);
    }
    ui.separator();
    let low = ui.ctx().content_rect().height() < LOW;
    ScrollArea::vertical()
        .id_salt(call.id)
        .auto_shrink(false)
        .show(ui, |ui| {
            if state.card.keypad && call.stage != CallStage::Ended {
                digits_ui(ui, scene, state, call);
            }
            who_ui(ui, scene, state, call, &person);
            notes_ui(
                ui,
                scene,
                &mut state.notes,
                call.id,
                &call.notes,
                if low { 3 } else { 6 },
            );
            if let Some(found) = &call.identification {
                last_calls_ui(ui, scene, &found.last_calls);
            }
        });
    if call.stage != CallStage::Ended {
        ui.ctx().request_repaint_after(next_second(scene, call));
    }
}

/// How long until the clock of a call shows another second.
fn next_second(scene: &Scene<'_>, call: &CallView) -> Duration {
    let since = scene
        .now
        .mono
        .saturating_duration_since(call.answered.unwrap_or(call.started));
    Duration::from_millis(1_005)
        .saturating_sub(Duration::from_nanos(u64::from(since.subsec_nanos())))
}

/// A name that fits on a tab.
fn short(name: &str) -> String {
    let clean = crate::ui::display_text::clean_line(name);
    if clean.chars().count() <= 16 {
        return clean;
    }
    let mut cut: String = clean.chars().take(15).collect();
    cut.push('…');
    cut
}

/// One row of 56: avatar, name, organization, time.
fn head_ui(ui: &mut Ui, scene: &Scene<'_>, call: &CallView, person: &Person<'_>) {
    let theme = Theme::of(ui);
    let until = call.ended.unwrap_or(scene.now.mono);
    let clock =
        format::clock(until.saturating_duration_since(call.answered.unwrap_or(call.started)));
    ui.horizontal(|ui| {
        ui.set_height(theme.height.head);
        avatar_ui(ui, 44.0, person.avatar_name());
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let ink = if call.answered.is_some() {
                theme.colours.text
            } else {
                theme.colours.muted
            };
            clock_ui(ui, &clock, ink);
            ui.with_layout(Layout::top_down(Align::Min), |ui| {
                ui.spacing_mut().item_spacing.y = 1.0;
                let lines =
                    1 + usize::from(person.second.is_some()) + usize::from(person.third.is_some());
                ui.add_space(if lines == 3 { 2.0 } else { 9.0 });
                line_ui(
                    ui,
                    &person.title,
                    font(16.0, Weight::SemiBold),
                    theme.colours.text,
                );
                if let Some(second) = &person.second {
                    let ink = if person.certainty == Certainty::Maybe {
                        theme.colours.warn.text
                    } else {
                        theme.colours.muted
                    };
                    line_ui(ui, second, SMALL, ink);
                }
                if let Some(third) = &person.third {
                    line_ui(ui, third, SMALL, theme.colours.muted);
                }
            });
        });
    });
}

/// Digits that stand still: each has the same room.
fn clock_ui(ui: &mut Ui, clock: &str, ink: egui::Color32) {
    let face = font(20.0, Weight::SemiBold);
    let digit = ui
        .painter()
        .layout_no_wrap("0".to_owned(), face.clone(), ink)
        .size();
    let colon = digit.x * 0.5;
    let width: f32 = clock
        .chars()
        .map(|letter| if letter == ':' { colon } else { digit.x })
        .sum();
    let (place, response) = ui.allocate_exact_size(Vec2::new(width, digit.y), egui::Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Timer, true, clock));
    let mut left = place.left();
    for letter in clock.chars() {
        let room = if letter == ':' { colon } else { digit.x };
        ui.painter().text(
            egui::pos2(left + room / 2.0, place.center().y),
            egui::Align2::CENTER_CENTER,
            letter,
            face.clone(),
            ink,
        );
        left += room;
    }
}

/// State, recording, sound.
fn status_ui(ui: &mut Ui, call: &CallView) {
    let theme = Theme::of(ui);
    let (word, tone) = outcome::of_call(call, theme);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        pill_ui(ui, word, None, |_| tone);
        if matches!(call.recording, RecordingView::On(_)) {
            pill_ui(ui, text::REC, Some(ICON_FIBER_MANUAL_RECORD), |theme| {
                theme.colours.bad
            });
        }
        if call.muted && call.stage != CallStage::Ended {
            pill_ui(ui, text::MUTED, Some(ICON_MIC_OFF), |theme| {
                theme.colours.warn
            });
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if call.stage != CallStage::Ended && !rings_here(call) {
                let words = format::quality(call.codec.as_deref(), call.quality);
                line_ui(ui, &words, font(11.5, Weight::Regular), theme.colours.muted);
            }
        });
    });
    // While the call lives the pill says it; a sentence says more.
    if call.stage == CallStage::Ended || call.status.split_whitespace().count() > 2 {
        paragraph_ui(
            ui,
            &format::sentence(&call.status),
            SMALL,
            theme.colours.muted,
        );
    }
    if let Some(from) = &call.diverted_from {
        line_ui(ui, &text::via(from), SMALL, theme.colours.muted);
    }
    if !call.durable {
        line_ui(ui, text::NOT_DURABLE, SMALL, theme.colours.warn.text);
    }
    if let RecordingView::Failed(why) = &call.recording {
        paragraph_ui(ui, &format::sentence(why), SMALL, theme.colours.bad.text);
    }
}

/// Answer takes two thirds, Decline is outlined.
fn ringing_ui(ui: &mut Ui, scene: &mut Scene<'_>, call: &CallView) {
    let theme = Theme::of(ui);
    ui.horizontal(|ui| {
        let third = ((ui.available_width() - theme.space.small) / 3.0).floor();
        let decline = Button::new(text::DECLINE)
            .icon(ICON_CALL_END)
            .look(Look::OutlinedDanger)
            .width(third)
            .height(40.0)
            .key(keys::DECLINE)
            .show(ui);
        let answer = Button::new(text::ANSWER)
            .icon(ICON_CALL)
            .look(Look::Answer)
            .width(2.0 * third)
            .height(40.0)
            .key(keys::ANSWER)
            .show(ui);
        if decline.clicked() {
            scene.send(Command::Decline(call.id));
        }
        if answer.clicked() {
            scene.send(Command::Answer(call.id));
        }
    });
}

/// Mute, Hold, Keypad, Record, and 24 points apart Hang up.
fn controls_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut ViewState, call: &CallView) {
    let connected = call.answered.is_some();
    let held = call.stage == CallStage::Held;
    let recording = matches!(call.recording, RecordingView::On(_));
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
            if button.show(ui).clicked() {
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
        if hang_up.show(ui).clicked() {
            scene.send(Command::HangUp(call.id));
        }
    });
}

/// The keypad in a call, and what was sent.
fn digits_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut ViewState, call: &CallView) {
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
        state.card.digits.push_str(digit);
        scene.send(Command::Dtmf(call.id, digit.to_owned()));
    }
    ui.add_space(8.0);
}

/// The outcome, and what comes next.
fn ended_ui(ui: &mut Ui, scene: &mut Scene<'_>, call: &CallView) {
    let theme = Theme::of(ui);
    if let RecordingView::Done(path) | RecordingView::On(path) = &call.recording {
        paragraph_ui(ui, &text::recorded_to(path), SMALL, theme.colours.muted);
    }
    ui.horizontal(|ui| {
        let half = ((ui.available_width() - theme.space.small) / 2.0).floor();
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
fn reach(call: &CallView) -> String {
    call.identification
        .as_ref()
        .and_then(|found| found.e164.clone())
        .unwrap_or_else(|| call.remote.clone())
}

/// Why we think who it is, and the choice where it is not sure.
fn who_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut ViewState,
    call: &CallView,
    person: &Person<'_>,
) {
    let theme = Theme::of(ui);
    let why = if person.candidates.is_empty() {
        format::sentence(&person.why)
    } else {
        text::matched_by(&person.why)
    };
    paragraph_ui(ui, &why, SMALL, theme.colours.muted);
    let open = call.chosen.is_none()
        && match person.certainty {
            Certainty::Several | Certainty::Maybe => true,
            Certainty::Known | Certainty::Nobody | Certainty::LookingUp => false,
        };
    if open {
        line_ui(
            ui,
            text::WHO_IS_IT,
            font(12.0, Weight::Medium),
            theme.colours.text,
        );
        let width = ui.available_width();
        for (number, candidate) in (1..).zip(person.candidates.iter().take(9)) {
            let name = match &candidate.organization {
                Some(organization) => format!("{} · {organization}", candidate.name),
                None => candidate.name.clone(),
            };
            let label = text::choose_nth(number, &crate::ui::display_text::shown_line(&name));
            let button = Button::new(&label)
                .look(Look::Outlined)
                .width(width)
                .tooltip(&candidate.reason)
                .show(ui);
            if button.clicked() {
                scene.send(Command::ChooseContact(call.id, Some(candidate.contact)));
            }
        }
        if Button::new(text::SOMEONE_ELSE)
            .look(Look::Bare)
            .key("Alt+0")
            .width(width)
            .show(ui)
            .clicked()
        {
            scene.send(Command::ChooseContact(call.id, None));
        }
    }
    ui.horizontal(|ui| {
        if let Some(sure) = person.sure {
            if Button::new(text::OPEN_CONTACT).show(ui).clicked() {
                contacts::open(state, sure.contact);
            }
        } else if person.certainty != Certainty::LookingUp
            && Button::new(text::CREATE_CONTACT)
                .icon(ICON_PERSON_ADD)
                .show(ui)
                .clicked()
        {
            contacts::create(state, &reach(call), call.remote_name.as_deref());
        }
    });
    ui.add_space(8.0);
}
