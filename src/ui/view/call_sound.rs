//! How good a call's sound is, while it is talked, and why one side is not heard.

use egui::Ui;

use super::call_detail::fact_ui;
use crate::control::{CallView, MosView, QualityView};
use crate::ui::theme::{SMALL, Theme, Tone, Weight, font};
use crate::ui::widget::{bars_ui, line_ui, paragraph_ui};
use crate::ui::{format, text};

/// The room that the figures in words need to be of use, in points.
const WORDS: f32 = 130.0;

/// What a score says: a word and how many bars. The scores are those of G.107 Annex B, from "users
/// are satisfied" (R 80) down.
fn judged(score: MosView) -> (&'static str, u8) {
    match score.mos {
        mos if mos >= 4.0 => (text::SOUND_GOOD, 4),
        mos if mos >= 3.6 => (text::SOUND_FAIR, 3),
        mos if mos >= 3.1 => (text::SOUND_POOR, 2),
        _ => (text::SOUND_BAD, 1),
    }
}

fn tone(bars: Option<u8>, theme: &Theme) -> Tone {
    match bars {
        Some(4) => theme.colours.good,
        Some(3) => theme.colours.warn,
        Some(_) => theme.colours.bad,
        None => theme.colours.neutral,
    }
}

/// Bars and figures in one line, from the right; more of them under the pointer.
pub(crate) fn quality_ui(ui: &mut Ui, call: &CallView) {
    let theme = Theme::of(ui);
    let known = call.quality.and_then(|quality| quality.mos);
    let (word, bars) = known.map_or((text::UNKNOWN, None), |score| {
        let (word, bars) = judged(score);
        (word, Some(bars))
    });
    if call.codec.is_some() {
        let name = text::sound_is(word, &score(known));
        let shown = bars_ui(ui, bars, tone(bars, theme), &name);
        if let Some(quality) = call.quality {
            shown.on_hover_ui(|ui| figures_ui(ui, word, &quality));
        }
    }
    // Beside the pills of a recording and a lock there is no room for words; the bars say it.
    if ui.available_width() < WORDS && bars.is_some() {
        return;
    }
    let words = format::quality(call.codec.as_deref(), call.quality);
    line_ui(ui, &words, font(11.5, Weight::Regular), theme.colours.muted);
}

/// Why one side is not heard, and what to do.
pub(crate) fn faults_ui(ui: &mut Ui, call: &CallView) {
    let theme = Theme::of(ui);
    for fault in &call.sound_faults {
        let words = format!("{}: {}.", format::sentence(&fault.text), fault.advice);
        paragraph_ui(ui, &words, SMALL, theme.colours.warn.text);
    }
}

fn score(score: Option<MosView>) -> String {
    score.map_or_else(
        || text::UNKNOWN.to_owned(),
        |score| text::score(score.mos.into(), score.wideband, score.estimate),
    )
}

fn figures_ui(ui: &mut Ui, word: &str, quality: &QualityView) {
    let theme = Theme::of(ui);
    let or_unknown = |value: Option<f32>, shown: fn(f64) -> String| {
        value.map_or_else(|| text::UNKNOWN.to_owned(), |value| shown(value.into()))
    };
    ui.set_max_width(260.0);
    let heard = [
        (text::SOUND, word.to_owned()),
        (text::SCORE, score(quality.mos)),
        (text::LOSS, or_unknown(quality.loss, text::percent)),
        (text::LATE, quality.late.to_string()),
        (
            text::JITTER,
            or_unknown(quality.jitter_millis, text::millis),
        ),
        (
            text::BUFFER,
            or_unknown(quality.playout_millis, text::millis),
        ),
        (
            text::CONCEALED,
            text::seconds(quality.concealed_millis.into()),
        ),
        (
            text::STRETCHED,
            text::seconds(quality.stretched_millis.into()),
        ),
        (text::SPEAKER_DRY, text::moments(quality.speaker_dry.into())),
        (text::HELD_UP, text::seconds(quality.held_up_millis.into())),
        (
            text::ROUND_TRIP,
            or_unknown(quality.round_trip_millis, text::millis),
        ),
    ];
    let reported = [
        (text::SCORE, score(quality.remote_mos)),
        (text::LOSS, or_unknown(quality.remote_loss, text::percent)),
        (
            text::JITTER,
            or_unknown(quality.remote_jitter_millis, text::millis),
        ),
    ];
    for (title, facts) in [
        (text::HEARD_HERE, heard.as_slice()),
        (text::HEARD_THERE, reported.as_slice()),
    ] {
        line_ui(ui, title, font(12.0, Weight::Medium), theme.colours.text);
        for (name, value) in facts {
            fact_ui(ui, name, value, false);
        }
    }
}
