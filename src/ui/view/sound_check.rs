//! Volumes, and the test of the sound devices: levels, a recording that is played back, the delay of
//! the devices, and the ringer.

use egui::{Slider, Ui};
use egui_material_icons::icons::{
    ICON_CLOSE, ICON_GRAPHIC_EQ, ICON_MIC, ICON_NOTIFICATIONS, ICON_RADIO_BUTTON_CHECKED,
    ICON_TIMER, ICON_VOLUME_UP,
};

use crate::config::settings::{MICROPHONE_VOLUMES, VOLUMES};
use crate::control::{
    CallView, Command, LatencyView, LevelsView, SoundCheck, SoundCheckStage, SoundCheckView,
};
use crate::ui::scene::Scene;
use crate::ui::text;
use crate::ui::theme::{BODY, SMALL, Theme};
use crate::ui::widget::{
    Button, FORM, Look, line_ui, locked_ui, meter_ui, paint_icon, paragraph_ui, ring_ui, why_ui,
};

/// The icon beside a meter, and the room between things in their row, in points.
const ICON: f32 = 14.0;
/// The room for a volume's figure beside its slider, with the ring around it.
const FIGURE: f32 = 84.0;
const GAP: f32 = 6.0;
/// From here on a delay of the devices alone is felt in a conversation: of the 150 ms from mouth to ear up
/// to which nobody notices any (ITU-T G.114), nothing is left for the network.
const MUCH_MILLIS: u32 = 150;

/// A volume, in percent; it is taken when the slider is let go, so that a drag is one change. The
/// microphone cannot be made silent here: that is what mute is for.
pub(super) fn volume_ui(
    ui: &mut Ui,
    name: &'static str,
    stored: &mut u32,
    dragged: &mut Option<u32>,
) {
    let theme = Theme::of(ui);
    let range = if name == text::MICROPHONE_VOLUME {
        MICROPHONE_VOLUMES
    } else {
        VOLUMES
    };
    let mut shown = dragged.unwrap_or(*stored);
    let label = line_ui(ui, name, SMALL, theme.colours.muted);
    let draw = |ui: &mut Ui| {
        let room = ui.available_width().min(FORM);
        ui.spacing_mut().slider_width = (room - FIGURE).max(60.0);
        ui.visuals_mut().slider_trailing_fill = true;
        ui.add(
            Slider::new(&mut shown, range)
                .suffix(" %")
                .step_by(5.0)
                .update_while_editing(false),
        )
        .labelled_by(label.id)
    };
    let slider = ui.scope(|ui| locked_ui(ui, name, draw, Clone::clone)).inner;
    ring_ui(ui, &slider);
    if slider.dragged() {
        *dragged = Some(shown);
    } else if dragged.take().is_some() || slider.changed() {
        *stored = shown;
    }
    ui.add_space(6.0);
}

/// The test, below the devices.
pub(super) fn sound_check_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let theme = Theme::of(ui);
    let check = scene.snapshot.sound_check;
    ui.add_space(8.0);
    if scene
        .snapshot
        .calls
        .iter()
        .any(|call| !call.stage.is_over())
    {
        line_ui(ui, text::SOUND_CHECK_IN_CALL, BODY, theme.colours.muted);
        return;
    }
    if !check.on {
        let test = Button::new(text::SOUND_CHECK)
            .icon(ICON_GRAPHIC_EQ)
            .show(ui);
        if test.clicked() {
            scene.send(Command::CheckSound(Some(SoundCheck::Listen)));
        }
        return;
    }
    let width = ui.available_width().min(FORM);
    levels_ui(ui, check.levels, width);
    why_ui(ui, text::LEVELS_WHY);
    ui.add_space(4.0);
    let idle = check.stage.is_none();
    ui.horizontal_wrapped(|ui| {
        for (word, icon, test) in [
            (
                text::CHECK_RECORD,
                ICON_RADIO_BUTTON_CHECKED,
                SoundCheck::Record,
            ),
            (text::CHECK_LATENCY, ICON_TIMER, SoundCheck::Latency),
            (text::CHECK_RING, ICON_NOTIFICATIONS, SoundCheck::Ring),
        ] {
            if Button::new(word)
                .icon(icon)
                .enabled(idle)
                .show(ui)
                .clicked()
            {
                scene.send(Command::CheckSound(Some(test)));
            }
        }
        let close = Button::new(text::CHECK_CLOSE)
            .icon(ICON_CLOSE)
            .look(Look::Quiet)
            .show(ui);
        if close.clicked() {
            scene.send(Command::CheckSound(None));
        }
    });
    outcome_ui(ui, check);
}

/// What the test does, and what it found.
fn outcome_ui(ui: &mut Ui, check: SoundCheckView) {
    let colours = &Theme::of(ui).colours;
    let stage = check.stage.map(|stage| match stage {
        SoundCheckStage::Opening => text::CHECK_OPENING,
        SoundCheckStage::Recording => text::CHECK_RECORDING,
        SoundCheckStage::Playing => text::CHECK_PLAYING,
        SoundCheckStage::Measuring => text::CHECK_MEASURING,
        SoundCheckStage::Ringing => text::CHECK_RINGING,
    });
    if let Some(stage) = stage {
        paragraph_ui(ui, stage, BODY, colours.text);
    } else if check.no_microphone {
        paragraph_ui(ui, text::CHECK_NO_MICROPHONE, BODY, colours.warn.text);
    }
    match check.latency {
        Some(LatencyView::Heard(millis)) => {
            paragraph_ui(ui, &text::latency(millis), BODY, colours.text);
            why_ui(ui, text::LATENCY_WHY);
            if millis > MUCH_MILLIS {
                paragraph_ui(ui, text::LATENCY_MUCH, SMALL, colours.warn.text);
            }
        }
        Some(LatencyView::NotHeard) => {
            paragraph_ui(ui, text::LATENCY_NOT_HEARD, BODY, colours.muted);
        }
        None => {}
    }
}

/// The levels of the microphone and the speaker, one below the other.
fn levels_ui(ui: &mut Ui, levels: Option<LevelsView>, width: f32) {
    let theme = Theme::of(ui);
    for (name, level) in [
        (text::MICROPHONE_LEVEL, levels.map(|it| it.microphone)),
        (text::SPEAKER_LEVEL, levels.map(|it| it.speaker)),
    ] {
        line_ui(ui, name, SMALL, theme.colours.muted);
        meter_ui(ui, name, level, width);
        ui.add_space(2.0);
    }
}

/// Both levels in one row, for the card of a call that is talked.
pub(super) fn call_levels_ui(ui: &mut Ui, levels: Option<LevelsView>, call: &CallView) {
    let colours = &Theme::of(ui).colours;
    let microphone = levels.map(|levels| levels.microphone);
    let speaker = levels.map(|levels| levels.speaker);
    let meters = [
        (
            ICON_MIC,
            text::MICROPHONE_LEVEL,
            microphone.filter(|_| !call.muted),
        ),
        (ICON_VOLUME_UP, text::SPEAKER_LEVEL, speaker),
    ];
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = GAP;
        let width = (ui.available_width() - 3.0 * GAP) / 2.0 - ICON;
        for (icon, name, level) in meters {
            let (place, _) = ui.allocate_exact_size(egui::Vec2::splat(ICON), egui::Sense::hover());
            paint_icon(ui.painter(), place.center(), icon, ICON, colours.muted);
            meter_ui(ui, name, level, width);
        }
    });
}
