//! The call card: who it is, the controls, why, the last calls and the notes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use egui::{Align, Layout, ScrollArea, Ui, Vec2};
use egui_material_icons::MaterialIcon;
use egui_material_icons::icons::{
    ICON_CAMPAIGN, ICON_FIBER_MANUAL_RECORD, ICON_LOCK, ICON_LOCK_OPEN, ICON_MIC_OFF, ICON_PAUSE,
};

use super::call_controls::{controls_ui, digits_ui, ended_ui, pause_ui, reach, ringing_ui};
use super::call_sound::{faults_ui, quality_ui};
use super::call_who::{open_guesses_ui, who_ui};
use super::last_calls_ui;
use super::notes::notes_ui;
use super::sound_check::call_levels_ui;
use super::transfer_panel::{claim, transfer_ui};
use super::wish::{redirection_ui, referral_ui};
use super::wrap_up::{opens_ui, script_ui, wrap_up_ui};
use crate::base::id::CallId;
use crate::control::{CallStage, CallView, MediaSecurity, RecordingView};
use crate::ui::display_text::clean_line;
use crate::ui::outcome::{self, rings_here};
use crate::ui::person::{self, Certainty, Person};
use crate::ui::scene::Scene;
use crate::ui::state::ViewState;
use crate::ui::theme::{BODY, SMALL, Theme, Tone, Weight, font};
use crate::ui::widget::{Button, Look, avatar_ui, line_ui, paragraph_ui, pill_ui, pill_ui_width};
use crate::ui::{format, text};

/// Below this height the notes have fewer lines.
const LOW: f32 = 700.0;
/// How long the hint stands that the agent talks and is muted.
const MUTED_TALK_SHOWN: Duration = Duration::from_secs(5);

/// Notices new and gone calls: a new one is shown, a gone one is forgotten.
pub(crate) fn follow_calls(scene: &Scene<'_>, state: &mut ViewState) {
    let live: Vec<CallId> = scene.snapshot.calls.iter().map(|call| call.id).collect();
    let card = &mut state.card;
    if live == card.known {
        return;
    }
    let newest = live
        .iter()
        .rev()
        .find(|id| !card.known.contains(id))
        .copied();
    if let Some(newest) = newest {
        let call = |wanted: Option<CallId>| {
            let mut calls = scene.snapshot.calls.iter();
            calls.find(|call| Some(call.id) == wanted && wanted.is_some())
        };
        let talks = call(card.shown).is_some_and(|call| !call.stage.is_over());
        let rings = call(Some(newest)).is_some_and(rings_here);
        // A call that rings does not push away the one that is being talked in, nor a field that is
        // being typed into.
        if !rings || !(talks || state.typing) {
            card.shown = Some(newest);
            card.keypad = false;
            card.digits.clear();
            state.detail = None;
        }
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
                let whole = format!("{} · {word}", clean_line(&person.title));
                let chosen = state.card.shown == Some(call.id);
                let look = if chosen { Look::Chosen } else { Look::Quiet };
                let mut tab = Button::new(&name).name(&whole).look(look).height(28.0);
                if name != whole {
                    tab = tab.tooltip(&whole);
                }
                if tab.show(ui).clicked() {
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
    status_ui(ui, scene.now.mono, call);
    ui.add_space(4.0);
    if call.stage.is_over() && call.answered.is_some() {
        wrap_up_ui(ui, scene, state, call);
    } else if call.stage.is_over() {
        ended_ui(ui, scene, call);
    } else if rings_here(call) {
        ringing_ui(ui, scene, call);
    } else {
        controls_ui(ui, scene, state, call);
    }
    if call.stage == CallStage::Talking {
        ui.add_space(2.0);
        call_levels_ui(ui, snapshot.sound_check.levels, call);
    }
    ui.separator();
    let low = ui.ctx().content_rect().height() < LOW;
    ScrollArea::vertical()
        .id_salt(call.id)
        .auto_shrink(false)
        .show(ui, |ui| {
            if state.card.keypad && !call.stage.is_over() {
                digits_ui(ui, scene, state, call);
            }
            redirection_ui(ui, scene, call);
            if !call.stage.is_over() && !rings_here(call) {
                pause_ui(ui, scene, call);
                transfer_ui(ui, scene, state, call, &snapshot);
            }
            // Who asked hung up, and still waits where the agent is to call.
            if let Some(question) = call.referral.as_ref().filter(|_| call.stage.is_over()) {
                referral_ui(ui, scene, call, question);
            }
            if let Some(words) = claim(call, &snapshot).filter(|_| rings_here(call)) {
                let ink = Theme::of(ui).colours.warn.text;
                paragraph_ui(ui, &words, SMALL, ink);
            }
            if let Some(why) = call.no_popup.as_ref().filter(|_| rings_here(call)) {
                let ink = Theme::of(ui).colours.muted;
                paragraph_ui(ui, &text::no_popup(why), SMALL, ink);
            }
            who_ui(ui, scene, state, call, &person);
            script_ui(ui, scene, call);
            if let Some(clicked) = opens_ui(ui, call) {
                clicked.open(state);
            }
            notes_ui(
                ui,
                scene,
                &mut state.notes,
                call.id,
                &call.notes,
                if low { 3 } else { 6 },
            );
            if let Some(found) = &call.identification {
                if person.sure.is_none() {
                    open_guesses_ui(ui, scene, state, &reach(call));
                    ui.add_space(8.0);
                }
                last_calls_ui(ui, scene, &found.last_calls, false);
            }
        });
    if !call.stage.is_over() {
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
    let clean = clean_line(name);
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

/// The room between two pills, and the least that the sound needs beside them.
const PILLS_APART: f32 = 6.0;
const QUALITY: f32 = 60.0;

/// One of the words that say how a call is.
struct Pill {
    word: &'static str,
    icon: Option<MaterialIcon>,
    tone: Tone,
    /// More, under the pointer.
    why: Option<&'static str>,
}

/// How the call is, its recording, its lock, and whether the agent is heard.
fn pills(theme: &Theme, call: &CallView) -> Vec<Pill> {
    let (word, tone) = outcome::of_call(call, theme);
    let (warn, bad) = (theme.colours.warn, theme.colours.bad);
    let pill = |word, icon, tone, why| Pill {
        word,
        icon: Some(icon),
        tone,
        why,
    };
    let mut pills = vec![Pill {
        word,
        icon: None,
        tone,
        why: None,
    }];
    pills.extend(match call.recording {
        RecordingView::On(_) => Some(pill(text::REC, ICON_FIBER_MANUAL_RECORD, bad, None)),
        RecordingView::Announced => {
            let why = Some(text::REC_ANNOUNCED_WHY);
            Some(pill(text::REC_ANNOUNCED, ICON_CAMPAIGN, warn, why))
        }
        RecordingView::Paused(_) => Some(pill(text::REC_PAUSED, ICON_PAUSE, warn, None)),
        RecordingView::Off | RecordingView::Done(_) | RecordingView::Failed(_) => None,
    });
    if !call.stage.is_over() {
        pills.extend(lock(theme, call.security));
        let muted = call
            .muted
            .then(|| pill(text::MUTED, ICON_MIC_OFF, warn, None));
        pills.extend(muted);
    }
    pills
}

/// The lock, which says no more than is true.
fn lock(theme: &Theme, security: MediaSecurity) -> Option<Pill> {
    let (word, why, icon) = match security {
        MediaSecurity::None => return None,
        MediaSecurity::KeyVisible => (text::KEY_VISIBLE, text::KEY_VISIBLE_WHY, ICON_LOCK_OPEN),
        MediaSecurity::Unverified => (text::UNVERIFIED, text::UNVERIFIED_WHY, ICON_LOCK),
        MediaSecurity::Encrypted => (text::ENCRYPTED, text::ENCRYPTED_WHY, ICON_LOCK),
    };
    let tone = match security {
        MediaSecurity::Encrypted => theme.colours.good,
        MediaSecurity::None | MediaSecurity::KeyVisible | MediaSecurity::Unverified => {
            theme.colours.warn
        }
    };
    Some(Pill {
        word,
        icon: Some(icon),
        tone,
        why: Some(why),
    })
}

/// State, recording, sound.
fn status_ui(ui: &mut Ui, now: Instant, call: &CallView) {
    let theme = Theme::of(ui);
    let speaks = !call.stage.is_over() && !rings_here(call);
    let pills = pills(theme, call);
    let wide: f32 = pills
        .iter()
        .map(|pill| pill_ui_width(ui.painter(), pill.word, pill.icon) + PILLS_APART)
        .sum();
    // Where the pills take the whole row, the sound stands below them.
    let beside = speaks && wide + QUALITY <= ui.available_width();
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = Vec2::new(PILLS_APART, 4.0);
        for pill in &pills {
            let shown = pill_ui(ui, pill.word, pill.icon, |_| pill.tone);
            if let Some(why) = pill.why {
                shown.on_hover_text(why);
            }
        }
        if beside {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                quality_ui(ui, call);
            });
        }
    });
    if speaks && !beside {
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                quality_ui(ui, call);
            });
        });
    }
    if !call.stage.is_over() {
        faults_ui(ui, call);
    }
    let hinted = |at| now.saturating_duration_since(at) < MUTED_TALK_SHOWN;
    if call.muted && call.muted_talk.is_some_and(hinted) && !call.stage.is_over() {
        paragraph_ui(ui, text::MUTED_TALK, BODY, theme.colours.warn.text);
    }
    // While the call lives the pill says it; a sentence says more.
    if call.stage.is_over() || call.status.split_whitespace().count() > 2 {
        paragraph_ui(
            ui,
            &format::sentence(&call.status),
            SMALL,
            theme.colours.muted,
        );
    }
    if let Some(queue) = &call.queue {
        let queue = text::queue(&clean_line(queue));
        line_ui(ui, &queue, SMALL, theme.colours.muted);
    }
    if let Some(from) = &call.diverted_from {
        line_ui(ui, &text::via(from), SMALL, theme.colours.muted);
    }
    if let Some(claim) = format::number_proof(call.number_proof) {
        line_ui(ui, claim, SMALL, theme.colours.muted);
    }
    if !call.durable {
        line_ui(ui, text::NOT_DURABLE, SMALL, theme.colours.warn.text);
    }
    if let RecordingView::Failed(why) = &call.recording {
        paragraph_ui(ui, &format::sentence(why), SMALL, theme.colours.bad.text);
    }
    if let Some(loss) = &call.recording_loss {
        paragraph_ui(ui, &format::sentence(loss), SMALL, theme.colours.bad.text);
    }
}
