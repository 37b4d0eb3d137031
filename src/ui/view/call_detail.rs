//! One logged call: what happened, why, and the notes.

use egui::{Align, Layout, ScrollArea, Ui};
use egui_material_icons::icons::{
    ICON_CALL, ICON_CHECK, ICON_CLOSE, ICON_CONTENT_COPY, ICON_SWAP_HORIZ,
};

use super::call_row::call_target;
use super::call_who::{Asked, candidates_ui, open_guesses_ui, search_ui, stranger_ui, sure_ui};
use super::notes::notes_ui;
use super::player::player_ui;
use super::quality_graph::call_sound_ui;
use crate::base::id::CallId;
use crate::control::{Command, Page, PageRequest};
use crate::crm::row::{CallRow, Match, MatchLevel, RecordingGapCause, Subject};
use crate::ui::scene::Scene;
use crate::ui::state::{LadderState, ViewState};
use crate::ui::theme::{BODY, SMALL, Theme, Weight, font};
use crate::ui::widget::{Button, Look, avatar_ui, line_ui, paragraph_ui, pill_ui};
use crate::ui::{format, keys, outcome, person, text};

/// Draws the call that was clicked.
pub(crate) fn call_detail_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut ViewState,
    call: CallId,
) {
    let page = scene.page(&PageRequest::Call(call));
    let row = match page.as_deref() {
        Some(Page::Call(Some(row))) => row.as_ref(),
        Some(Page::Call(None)) => {
            close_ui(ui, state);
            paragraph_ui(ui, text::GONE, BODY, Theme::of(ui).colours.muted);
            return;
        }
        Some(Page::Failed(why)) => {
            close_ui(ui, state);
            paragraph_ui(ui, why, BODY, Theme::of(ui).colours.bad.text);
            return;
        }
        Some(
            Page::Calls(_)
            | Page::Contacts(_)
            | Page::Contact(_)
            | Page::Organizations(_)
            | Page::Identify(_)
            | Page::Ladder(_)
            | Page::Quality(_)
            | Page::Work(_),
        )
        | None => {
            close_ui(ui, state);
            line_ui(ui, text::LOADING, BODY, Theme::of(ui).colours.muted);
            return;
        }
    };
    head_ui(ui, scene, state, row);
    ui.add_space(4.0);
    actions_ui(ui, scene, state, row);
    ui.separator();
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        who_ui(ui, scene, state, row);
        if row.recording.is_some() {
            player_ui(ui, scene, &mut state.player, row);
        }
        let stored = row.notes.clone();
        notes_ui(ui, scene, &mut state.notes, row.id, &stored, 4);
        if sure_of(row).is_none() {
            open_guesses_ui(ui, scene, state, asked(row, &[]).number);
        }
        ui.add_space(8.0);
        facts_ui(ui, scene, row);
        call_sound_ui(ui, scene, row);
        ladder_button_ui(ui, state, row.id);
    });
}

/// Opens and closes the call's SIP messages.
fn ladder_button_ui(ui: &mut Ui, state: &mut ViewState, call: CallId) {
    let open = state.ladder.is_some();
    ui.add_space(4.0);
    let button = Button::new(text::LADDER)
        .icon(ICON_SWAP_HORIZ)
        .look(if open { Look::Chosen } else { Look::Quiet })
        .show(ui);
    if button.clicked() {
        state.ladder = (!open).then(|| LadderState::of(call));
    }
}

fn close_ui(ui: &mut Ui, state: &mut ViewState) {
    ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
        close_button_ui(ui, state);
    });
}

fn close_button_ui(ui: &mut Ui, state: &mut ViewState) {
    let close = Button::icon_only(ICON_CLOSE, text::CLOSE)
        .look(Look::Bare)
        .key(keys::ESCAPE)
        .height(28.0)
        .show(ui);
    if close.clicked() {
        state.detail = None;
    }
}

fn head_ui(ui: &mut Ui, scene: &Scene<'_>, state: &mut ViewState, row: &CallRow) {
    let theme = Theme::of(ui);
    let number = format::number(row.e164.as_deref().unwrap_or(&row.remote), &scene.snapshot);
    let (title, second) = person::of_row(row, &number);
    let sure = person::row_is_sure(row).then_some(title.as_str());
    let (word, tone) = outcome::of_row(row, theme);
    ui.horizontal(|ui| {
        ui.set_height(theme.height.head - 16.0);
        avatar_ui(ui, 40.0, sure);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            close_button_ui(ui, state);
            ui.with_layout(Layout::top_down(Align::Min), |ui| {
                ui.spacing_mut().item_spacing.y = 2.0;
                line_ui(ui, &title, font(15.0, Weight::SemiBold), theme.colours.text);
                // A number that is the title already is not said twice.
                let second = second.or_else(|| (title != number).then_some(number));
                if let Some(second) = second {
                    line_ui(ui, &second, SMALL, theme.colours.muted);
                }
            });
        });
    });
    ui.horizontal(|ui| {
        pill_ui(ui, word, Some(outcome::arrow(row).0), |_| tone);
        let when = format::when(row.started_at, scene.now.wall, &scene.now.zone);
        line_ui(ui, &when, SMALL, theme.colours.muted);
    });
}

fn actions_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut ViewState, row: &CallRow) {
    let waits = outcome::waits(row);
    ui.horizontal_wrapped(|ui| {
        let label = if waits { text::CALL_BACK } else { text::CALL };
        if Button::new(label)
            .icon(ICON_CALL)
            .look(Look::Primary)
            .show(ui)
            .clicked()
        {
            let target = call_target(row, &scene.snapshot);
            scene.send(Command::Call(target));
        }
        if waits || outcome::unanswered(row) {
            let (label, done) = if waits {
                (text::MARK_DONE, true)
            } else {
                (text::MARK_OPEN, false)
            };
            if Button::new(label).icon(ICON_CHECK).show(ui).clicked() {
                scene.send(Command::MarkDone(row.id, done));
            }
        }
        if let Some(subject) = sure_of(row) {
            sure_ui(ui, state, &asked(row, &[]), subject);
        }
    });
}

/// Who it was, where that is sure.
fn sure_of(row: &CallRow) -> Option<Subject> {
    row.subject().filter(|_| person::row_is_sure(row))
}

/// A call of which it can be asked who it was with.
fn asked<'a>(row: &'a CallRow, candidates: &'a [Match]) -> Asked<'a> {
    Asked {
        call: row.id,
        number: row.e164.as_deref().unwrap_or(&row.remote),
        claim: row.remote_name.as_deref(),
        candidates,
        keyed: false,
    }
}

/// The question who it was, where it is not sure, and who is looked for.
fn who_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut ViewState, row: &CallRow) {
    let sure = sure_of(row).is_some();
    // Once the agent said that it is none of them, they are not asked for again.
    let open = !sure && row.level != Some(MatchLevel::Manual);
    let number = asked(row, &[]).number;
    let page = open.then(|| scene.page(&PageRequest::Identify(number.to_owned())));
    let candidates = match page.flatten().as_deref() {
        Some(Page::Identify(found)) => found.matches.clone(),
        _ => Vec::new(),
    };
    let asked = asked(row, &candidates);
    if !candidates.is_empty() {
        candidates_ui(ui, scene, &asked);
    }
    if !sure {
        stranger_ui(ui, state, &asked);
    }
    search_ui(ui, scene, state, &asked);
    if !sure {
        ui.add_space(8.0);
    }
}

fn facts_ui(ui: &mut Ui, scene: &Scene<'_>, row: &CallRow) {
    let level = row.level.map(|level| match level {
        MatchLevel::Manual | MatchLevel::Known => "",
        MatchLevel::Weak | MatchLevel::Maybe => text::MAYBE,
    });
    let matched = match (&row.match_reason, level) {
        (Some(reason), Some("") | None) => Some(format::sentence(reason)),
        (Some(reason), Some(level)) => Some(format!("{level}: {reason}")),
        (None, _) => None,
    };
    let number = format::number(row.e164.as_deref().unwrap_or(&row.remote), &scene.snapshot);
    // The player lists them.
    let player = scene.snapshot.player.as_ref();
    let marked = player.is_some_and(|it| it.call == row.id && !it.length.is_zero());
    let facts = [
        (text::DETAIL_NUMBER, Some(number)),
        (text::DETAIL_NAME_CLAIM, row.remote_name.clone()),
        (text::DETAIL_MATCH, matched),
        (
            text::DETAIL_WHEN,
            Some(format::exactly(row.started_at, &scene.now.zone)),
        ),
        (
            text::DETAIL_WAITED,
            row.waiting_millis
                .map(|millis| format::length(Some(millis))),
        ),
        (
            text::DETAIL_TALKED,
            row.talking_millis
                .map(|millis| format::length(Some(millis))),
        ),
        (
            text::DETAIL_END,
            row.end_reason.as_deref().map(format::sentence),
        ),
        (
            text::DETAIL_STATUS,
            row.sip_status.map(|status| status.to_string()),
        ),
        (
            text::SOUND_PROBLEM,
            row.sound_problem.as_deref().map(format::sentence),
        ),
        (text::DETAIL_LINE, bare(Some(&row.local))),
        (text::DETAIL_VIA, bare(row.via.as_ref())),
        (text::DETAIL_REDIRECTED, bare(row.redirected_to.as_ref())),
        (text::DETAIL_ANSWERED_BY, row.answered_by.clone()),
        (
            text::DETAIL_TRANSFERRED_BY,
            bare(row.transferred_by.as_ref()),
        ),
        (
            text::DETAIL_TRANSFERRED_TO,
            bare(row.transferred_to.as_ref()),
        ),
        (
            text::DETAIL_PROOF,
            format::number_proof(row.number_proof).map(format::sentence),
        ),
        (
            text::DETAIL_RECORDING,
            Some(
                row.recording
                    .clone()
                    .unwrap_or_else(|| text::NO_RECORDING.to_owned()),
            ),
        ),
        (text::DETAIL_GAPS, (!marked).then(|| gaps(row))),
        (text::DETAIL_TRACE, row.sip_call_id.clone()),
    ];
    for (name, value) in facts {
        let Some(value) = value.filter(|value| !value.is_empty()) else {
            continue;
        };
        let copied = [
            text::DETAIL_NUMBER,
            text::DETAIL_RECORDING,
            text::DETAIL_TRACE,
        ];
        let copied = copied.contains(&name) && value != text::NO_RECORDING;
        fact_ui(ui, name, &value, copied);
    }
}

/// Where the recording was paused, or could not be written.
fn gaps(row: &CallRow) -> String {
    let length = |millis: u64| format::length(i64::try_from(millis).ok());
    let gaps = row.recording_gaps.iter().map(|gap| {
        let lasting = gap.length_millis.map(length);
        let told = text::gap(&length(gap.start_millis), lasting.as_deref());
        match gap.cause {
            RecordingGapCause::Paused => told,
            RecordingGapCause::DiskBehind => format!("{told} {}", text::GAP_LOST),
        }
    });
    gaps.collect::<Vec<_>>().join("; ")
}

/// An address as a person reads it.
fn bare(address: Option<&String>) -> Option<String> {
    address.map(|address| format::bare_address(address).to_owned())
}

/// A name and what it is, with a way to copy it where somebody will want to.
pub(crate) fn fact_ui(ui: &mut Ui, name: &str, value: &str, copied: bool) {
    let theme = Theme::of(ui);
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        ui.allocate_ui_with_layout(
            egui::vec2(84.0, 18.0),
            Layout::left_to_right(Align::Min),
            |ui| {
                ui.set_min_width(84.0);
                line_ui(ui, name, SMALL, theme.colours.muted);
            },
        );
        let width = (ui.available_width() - 34.0).max(60.0);
        ui.vertical(|ui| {
            ui.set_width(width);
            paragraph_ui(ui, value, BODY, theme.colours.text);
        });
        if !copied {
            return;
        }
        let copy = format!("{} {name}", text::COPY);
        if Button::icon_only(ICON_CONTENT_COPY, &copy)
            .look(Look::Bare)
            .height(18.0)
            .show(ui)
            .clicked()
        {
            ui.ctx().copy_text(value.to_owned());
        }
    });
}
