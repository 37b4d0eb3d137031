//! The player of a call's recording: both sides by time, what is marked in it, and how it is played.

use std::time::Duration;

use egui::{Align, EventFilter, Id, Key, Layout, Modifiers, ProgressBar, Slider, Ui};
use egui_material_icons::icons::{
    ICON_CLOSE, ICON_DOWNLOAD, ICON_FORWARD_5, ICON_PAUSE, ICON_PLAY_ARROW, ICON_REFRESH,
    ICON_REPLAY_5, ICON_VOLUME_UP,
};

use super::player_marks::{Mark, MarkCause, marks};
use crate::base::id::CallId;
use crate::control::{
    Command, PLAYER_SPEEDS, Page, PageRequest, PlayerStage, PlayerView, PlayerWish,
};
use crate::crm::row::CallRow;
use crate::ui::scene::Scene;
use crate::ui::state::{PlayerState, ViewState};
use crate::ui::theme::{BODY, SMALL, Theme, Weight, font};
use crate::ui::widget::{Button, Lane, Look, Span, Waveform, line_ui, paint_icon, paragraph_ui};
use crate::ui::{format, keys, person, text};

/// What an arrow key goes, and what it makes louder, in percent.
const SKIP: Duration = Duration::from_secs(5);
const LOUDER: u32 = 10;
/// Marks that are listed.
const LISTED: usize = 6;

/// Draws the player of a call that has a recording.
pub(super) fn player_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut PlayerState,
    row: &CallRow,
) {
    state.drawn = true;
    open(scene, state, row.id);
    let theme = Theme::of(ui);
    line_ui(
        ui,
        text::PLAYER,
        font(13.0, Weight::Medium),
        theme.colours.text,
    );
    let snapshot = scene.snapshot.clone();
    let Some(view) = snapshot.player.as_ref().filter(|it| it.call == row.id) else {
        line_ui(ui, text::PLAYER_LOADING, BODY, theme.colours.muted);
        return;
    };
    match &view.stage {
        PlayerStage::Loading => {
            line_ui(ui, text::PLAYER_LOADING, BODY, theme.colours.muted);
        }
        PlayerStage::None => {
            line_ui(ui, text::PLAYER_NONE, BODY, theme.colours.muted);
        }
        PlayerStage::Remote { host, problem } => {
            paragraph_ui(ui, &text::kept_by(host), SMALL, theme.colours.muted);
            if let Some(problem) = problem {
                let problem = format::sentence(problem);
                paragraph_ui(ui, &problem, BODY, theme.colours.bad.text);
            }
            let fetch = Button::new(text::PLAYER_FETCH)
                .icon(ICON_DOWNLOAD)
                .look(Look::Primary)
                .key(keys::PLAY);
            if fetch.show(ui).clicked() {
                wish(scene, PlayerWish::Play);
            }
        }
        PlayerStage::Fetching { host, got, whole } => {
            fetching_ui(ui, scene, state, (host, *got, *whole));
        }
        PlayerStage::Failed(why) => {
            paragraph_ui(ui, &format::sentence(why), BODY, theme.colours.bad.text);
            let again = Button::new(text::PLAYER_AGAIN).icon(ICON_REFRESH);
            if again.show(ui).clicked() {
                wish(scene, PlayerWish::Play);
            }
        }
        PlayerStage::Paused | PlayerStage::Playing => {
            loaded_ui(ui, scene, state, row, view);
        }
    }
    ui.add_space(8.0);
}

/// Leaves the recording that nobody looks at any more.
pub(super) fn leave_unseen(scene: &mut Scene<'_>, state: &mut PlayerState) {
    if std::mem::take(&mut state.drawn) {
        return;
    }
    state.asked = None;
    if scene.snapshot.player.is_some() {
        wish(scene, PlayerWish::Close);
    }
}

/// Plays or pauses what is open, wherever the keyboard is.
pub(super) fn handle_key(ui: &Ui, scene: &mut Scene<'_>, state: &ViewState) {
    if scene.snapshot.dial_request.is_some() {
        return;
    }
    let player = scene.snapshot.player.as_ref();
    let open = player.filter(|player| Some(player.call) == state.detail);
    if let Some(playing) = open.map(|player| player.stage == PlayerStage::Playing)
        && keys::play_pressed(ui)
    {
        toggle(scene, playing);
    }
}

fn wish(scene: &mut Scene<'_>, wish: PlayerWish) {
    scene.send(Command::Player(wish));
}

fn toggle(scene: &mut Scene<'_>, playing: bool) {
    let wanted = if playing {
        PlayerWish::Pause
    } else {
        PlayerWish::Play
    };
    wish(scene, wanted);
}

/// Asks once for the recording of a call that is shown, and to play it where that was asked for.
fn open(scene: &mut Scene<'_>, state: &mut PlayerState, call: CallId) {
    let play = state.play.take_if(|wanted| *wanted == call).is_some();
    if state.asked != Some(call) || play {
        state.asked = Some(call);
        state.dragged = None;
        wish(scene, PlayerWish::Open { call, play });
    }
}

fn fetching_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut PlayerState,
    (host, got, whole): (&str, u64, Option<u64>),
) {
    let theme = Theme::of(ui);
    let said = text::fetched(host, got, whole);
    line_ui(ui, &said, BODY, theme.colours.muted);
    if let Some(whole) = whole.filter(|whole| *whole > 0) {
        let share = got as f32 / whole as f32;
        let bar = ProgressBar::new(share)
            .desired_height(6.0)
            .fill(theme.colours.accent);
        ui.add(bar).accessible_name(text::PLAYER_FETCHED);
    }
    let stop = Button::new(text::PLAYER_STOP_FETCHING).icon(ICON_CLOSE);
    if stop.show(ui).clicked() {
        wish(scene, PlayerWish::Close);
        state.asked = None;
    }
}

fn loaded_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut PlayerState,
    row: &CallRow,
    view: &PlayerView,
) {
    let theme = Theme::of(ui);
    let marks = marks_of(scene, row, view);
    let mut focusable = vec![waveform_ui(ui, scene, state, row, view, &marks)];
    ui.add_space(4.0);
    focusable.extend(transport_ui(ui, scene, state, view));
    ui.add_space(2.0);
    focusable.extend(speeds_ui(ui, scene, state, view));
    keys_in_player(ui, scene, view, &focusable);
    if let Some(note) = &view.note {
        paragraph_ui(ui, &format::sentence(note), SMALL, theme.colours.warn.text);
    }
    marks_ui(ui, scene, &marks);
}

/// What is marked: the row's gaps count, or those of the file where the row knows of none.
fn marks_of(scene: &Scene<'_>, row: &CallRow, view: &PlayerView) -> Vec<Mark> {
    let gaps = if row.recording_gaps.is_empty() {
        &view.gaps
    } else {
        &row.recording_gaps
    };
    let measured = row
        .recording_start_seconds
        .filter(|_| row.quality.is_some());
    let page = measured.and_then(|_| scene.page(&PageRequest::Quality(row.id)));
    let spans = match page.as_deref() {
        Some(Page::Quality(spans)) => spans.as_slice(),
        _ => &[],
    };
    marks(gaps, spans, measured, view.length)
}

/// A time as a part of the whole.
fn share(time: Duration, whole: Duration) -> f32 {
    if whole.is_zero() {
        0.0
    } else {
        (time.as_secs_f32() / whole.as_secs_f32()).clamp(0.0, 1.0)
    }
}

/// The time at a part of the whole, to a tenth of a second.
fn time_at(share: f32, whole: Duration) -> Duration {
    let tenths = whole.as_secs_f64() * f64::from(share) * 10.0;
    Duration::from_secs_f64(tenths.round().max(0.0) / 10.0).min(whole)
}

fn waveform_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut PlayerState,
    row: &CallRow,
    view: &PlayerView,
    marks: &[Mark],
) -> Id {
    let theme = Theme::of(ui);
    let whole = view.length;
    let spans: Vec<Span> = marks
        .iter()
        .map(|mark| Span {
            from: share(mark.start, whole),
            to: mark
                .length
                .map_or(1.0, |length| share(mark.start + length, whole)),
            tone: mark.cause.tone(theme),
            last_lane: mark.cause == MarkCause::Network,
        })
        .collect();
    let number = format::number(row.e164.as_deref().unwrap_or(&row.remote), &scene.snapshot);
    let (far_end, _) = person::of_row(row, &number);
    let waveform = view.waveform.as_ref();
    let near = waveform.map_or(&[][..], |waveform| &waveform.near);
    let far = waveform.map_or(&[][..], |waveform| &waveform.far);
    // Until it is known that there is one channel, room is kept for two.
    let lanes = if waveform.is_some() && far.is_empty() && !near.is_empty() {
        vec![Lane {
            name: text::PLAYER_BOTH,
            peaks: near,
        }]
    } else {
        vec![
            Lane {
                name: text::PLAYER_NEAR,
                peaks: near,
            },
            Lane {
                name: &far_end,
                peaks: far,
            },
        ]
    };
    let at = state.dragged.unwrap_or_else(|| share(view.at, whole));
    let now = time_at(at, whole);
    let touched = Waveform {
        name: text::PLAYER_POSITION,
        said: text::time_said(&format::clock(now), &format::clock(whole), marks.len()),
        lanes: &lanes,
        parts: waveform.map_or(0, |waveform| waveform.parts),
        spans: &spans,
        at,
    }
    .show(ui);
    state.dragged = touched.to.filter(|_| !touched.done);
    if let Some(to) = touched.to.filter(|_| touched.done) {
        wish(scene, PlayerWish::Seek(time_at(to, whole)));
    }
    if touched.steps != 0 {
        skip(scene, view, touched.steps > 0);
    }
    let id = touched.response.id;
    if let Some(pointer) = touched.response.hover_pos() {
        let place = touched.response.rect;
        let to = ((pointer.x - place.left()) / place.width()).clamp(0.0, 1.0);
        let time = time_at(to, whole);
        let told = marks.iter().rev().find(|mark| {
            let end = mark.length.map_or(whole, |length| mark.start + length);
            (mark.start..end).contains(&time)
        });
        let words = match told {
            Some(mark) => format!("{}  {}", format::clock(time), mark.cause.why()),
            None => format::clock(time),
        };
        touched.response.on_hover_text_at_pointer(words);
    }
    id
}

fn skip(scene: &mut Scene<'_>, view: &PlayerView, on: bool) {
    let to = if on {
        view.at + SKIP
    } else {
        view.at.saturating_sub(SKIP)
    };
    wish(scene, PlayerWish::Seek(to.min(view.length)));
}

/// Play or pause, five seconds back and on, and the time.
fn transport_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &PlayerState,
    view: &PlayerView,
) -> Vec<Id> {
    let theme = Theme::of(ui);
    let playing = view.stage == PlayerStage::Playing;
    let (glyph, name) = if playing {
        (ICON_PAUSE, text::PLAYER_PAUSE)
    } else {
        (ICON_PLAY_ARROW, text::PLAYER_PLAY)
    };
    let mut ids = Vec::new();
    ui.horizontal(|ui| {
        let play = Button::icon_only(glyph, name)
            .look(Look::Primary)
            .key(keys::PLAY)
            .show(ui);
        ids.push(play.id);
        if play.clicked() {
            toggle(scene, playing);
        }
        for (glyph, name, key, on) in [
            (ICON_REPLAY_5, text::PLAYER_BACK, "←", false),
            (ICON_FORWARD_5, text::PLAYER_ON, "→", true),
        ] {
            let button = Button::icon_only(glyph, name)
                .look(Look::Bare)
                .key(key)
                .show(ui);
            ids.push(button.id);
            if button.clicked() {
                skip(scene, view, on);
            }
        }
        let at = state
            .dragged
            .map_or(view.at, |share| time_at(share, view.length));
        let time = text::time_of(&format::clock(at), &format::clock(view.length));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            line_ui(ui, &time, BODY, theme.colours.muted);
        });
    });
    ids
}

/// How fast, and how loud.
fn speeds_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut PlayerState,
    view: &PlayerView,
) -> Vec<Id> {
    let theme = Theme::of(ui);
    let mut ids = Vec::new();
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        for percent in PLAYER_SPEEDS {
            let chosen = view.speed == percent;
            let button = Button::new(&text::speed(percent))
                .name(&text::speed_name(percent))
                .look(if chosen { Look::Chosen } else { Look::Bare })
                .height(26.0)
                .tooltip(&text::speed_name(percent))
                .width(match percent {
                    percent if percent % 100 == 0 => 34.0,
                    percent if percent % 50 == 0 => 40.0,
                    _ => 46.0,
                })
                .show(ui);
            ids.push(button.id);
            if button.clicked() {
                wish(scene, PlayerWish::Speed(percent));
            }
        }
        ui.add_space(4.0);
        // The slider beside it has the name.
        let (place, _) = ui.allocate_exact_size(egui::Vec2::splat(16.0), egui::Sense::hover());
        let ink = theme.colours.muted;
        paint_icon(ui.painter(), place.center(), ICON_VOLUME_UP, 16.0, ink);
        let mut shown = state.volume.unwrap_or(view.volume);
        ui.spacing_mut().slider_width = (ui.available_width() - 8.0).clamp(28.0, 120.0);
        ui.visuals_mut().slider_trailing_fill = true;
        let slider = ui
            .add(Slider::new(&mut shown, 0..=100).show_value(false))
            .on_hover_text(text::PLAYER_VOLUME)
            .accessible_name(text::PLAYER_VOLUME);
        state.volume = slider.dragged().then_some(shown);
        if slider.changed() {
            wish(scene, PlayerWish::Volume(shown));
        }
    });
    ids
}

/// Keys of the player, while the keyboard is on one of its controls.
fn keys_in_player(ui: &Ui, scene: &mut Scene<'_>, view: &PlayerView, controls: &[Id]) {
    let Some(focused) = ui.memory(egui::Memory::focused) else {
        return;
    };
    if !controls.contains(&focused) {
        return;
    }
    // The arrows are the player's, and no longer a way to other controls.
    let arrows = EventFilter {
        horizontal_arrows: true,
        vertical_arrows: true,
        ..EventFilter::default()
    };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(focused, arrows));
    let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
    if pressed(Key::ArrowLeft) {
        skip(scene, view, false);
    }
    if pressed(Key::ArrowRight) {
        skip(scene, view, true);
    }
    if pressed(Key::Home) {
        wish(scene, PlayerWish::Seek(Duration::ZERO));
    }
    if pressed(Key::End) {
        wish(scene, PlayerWish::Seek(view.length));
    }
    if pressed(Key::ArrowUp) {
        wish(scene, PlayerWish::Volume((view.volume + LOUDER).min(100)));
    }
    if pressed(Key::ArrowDown) {
        wish(
            scene,
            PlayerWish::Volume(view.volume.saturating_sub(LOUDER)),
        );
    }
    let place = PLAYER_SPEEDS.iter().position(|it| *it == view.speed);
    for (key, other) in [
        (Key::Comma, place.and_then(|place| place.checked_sub(1))),
        (Key::Period, place.map(|place| place + 1)),
    ] {
        if let Some(percent) = other.and_then(|place| PLAYER_SPEEDS.get(place))
            && pressed(key)
        {
            wish(scene, PlayerWish::Speed(*percent));
        }
    }
    // A button takes the space bar itself.
    if controls.first() == Some(&focused) && pressed(Key::Space) {
        toggle(scene, view.stage == PlayerStage::Playing);
    }
}

/// The marks in words; each leads there.
fn marks_ui(ui: &mut Ui, scene: &mut Scene<'_>, marks: &[Mark]) {
    let theme = Theme::of(ui);
    for mark in marks.iter().take(LISTED) {
        let length = mark.length.map(format::clock);
        let words = text::mark(
            mark.cause.word(),
            &format::clock(mark.start),
            length.as_deref(),
        );
        let button = Button::new(&words)
            .look(Look::Outlined)
            .height(24.0)
            .tooltip(mark.cause.why())
            .show(ui);
        if button.clicked() {
            wish(scene, PlayerWish::Seek(mark.start));
        }
    }
    if let Some(more) = marks.len().checked_sub(LISTED).filter(|more| *more > 0) {
        line_ui(ui, &text::more_marks(more), SMALL, theme.colours.muted);
    }
}
