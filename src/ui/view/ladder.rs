//! The page with a call's SIP messages: what went over the wire, to look at, to copy and to export.

use egui::{Color32, Frame, Margin, Ui};
use egui_material_icons::icons::{ICON_CLOSE, ICON_CONTENT_COPY, ICON_DOWNLOAD, ICON_SWAP_HORIZ};

use super::ladder_rungs::rungs_ui;
use crate::control::{Command, ExportedWhat, Page, PageRequest, ladder};
use crate::crm::row::CallLadder;
use crate::ui::scene::Scene;
use crate::ui::state::{LadderState, ViewState};
use crate::ui::theme::{BODY, SMALL, Theme, Weight, font};
use crate::ui::widget::{
    Button, Field, Look, at_end_ui, empty_ui, line_ui, paragraph_ui, title_ui,
};
use crate::ui::{format, keys, person, text};

/// Draws the page.
pub(crate) fn ladder_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut ViewState) {
    let Some(mut open) = state.ladder.take() else {
        return;
    };
    let page = scene.page(&PageRequest::Ladder(open.call));
    let found = match page.as_deref() {
        Some(Page::Ladder(Some(found))) => Some(found.as_ref()),
        _ => None,
    };
    let closed = head_ui(ui, scene, &mut open, found);
    if let Some(found) = found.filter(|found| !found.messages.is_empty()) {
        export_ui(ui, scene, &mut open, found);
    }
    outcome_ui(ui, scene, &open);
    ui.add_space(4.0);
    let theme = Theme::of(ui);
    Frame::new()
        .fill(theme.colours.surface)
        .stroke(theme.border())
        .corner_radius(egui::CornerRadius::same(theme.radius.card))
        .inner_margin(Margin::symmetric(4, 6))
        .show(ui, |ui| {
            ui.set_min_size(ui.available_size());
            match (found, page.as_deref()) {
                (Some(found), _) if !found.messages.is_empty() => rungs_ui(ui, &mut open, found),
                (Some(_), _) => nothing_ui(ui, scene, state),
                (None, Some(Page::Failed(why))) => {
                    let why = format::sentence(why);
                    empty_ui(ui, ICON_SWAP_HORIZ, text::STORE_PROBLEM, &why, None);
                }
                (None, Some(Page::Ladder(None))) => {
                    empty_ui(ui, ICON_SWAP_HORIZ, text::NO_LADDER, text::GONE, None);
                }
                (None, _) => {
                    line_ui(ui, text::LOADING, BODY, theme.colours.muted);
                }
            }
        });
    if !closed && state.detail.is_some() {
        state.ladder = Some(open);
    }
}

/// The title, whose call it is, and what can be done with it; true when the page was closed.
fn head_ui(
    ui: &mut Ui,
    scene: &Scene<'_>,
    open: &mut LadderState,
    found: Option<&CallLadder>,
) -> bool {
    let theme = Theme::of(ui);
    let mut closed = false;
    let filled = found.filter(|found| !found.messages.is_empty());
    // Where there is no room beside the title, they stand below it.
    let beside = buttons_width(ui) <= ui.available_width();
    ui.horizontal(|ui| {
        title_ui(ui, text::LADDER);
        at_end_ui(ui, |ui| {
            if let Some(found) = filled.filter(|_| beside) {
                buttons_ui(ui, scene, open, found);
            }
            closed = close_button().show(ui).clicked();
        });
    });
    if let Some(found) = found {
        line_ui(ui, &whose(scene, found), SMALL, theme.colours.muted);
    }
    if let Some(found) = filled.filter(|_| !beside) {
        ui.horizontal_wrapped(|ui| buttons_ui(ui, scene, open, found));
    }
    closed
}

/// How wide the title is with the buttons beside it.
fn buttons_width(ui: &Ui) -> f32 {
    let face = font(20.0, Weight::SemiBold);
    let title = ui
        .painter()
        .layout_no_wrap(text::LADDER.to_owned(), face, Color32::PLACEHOLDER);
    let buttons = [copy_button(), export_button(), close_button()];
    let gaps = ui.spacing().item_spacing.x * buttons.len() as f32;
    let widths = buttons.iter().map(|button| button.natural_width(ui));
    title.size().x + widths.sum::<f32>() + gaps
}

fn copy_button() -> Button<'static> {
    Button::new(text::LADDER_COPY)
        .icon(ICON_CONTENT_COPY)
        .tooltip(text::LADDER_COPY_WHY)
}

fn export_button() -> Button<'static> {
    Button::new(text::LADDER_EXPORT).icon(ICON_DOWNLOAD)
}

fn close_button() -> Button<'static> {
    Button::icon_only(ICON_CLOSE, text::LADDER_BACK)
        .look(Look::Bare)
        .key(keys::ESCAPE)
}

/// How many messages there are, when the call was, and the far end.
fn whose(scene: &Scene<'_>, found: &CallLadder) -> String {
    let row = &found.call;
    let number = format::number(row.e164.as_deref().unwrap_or(&row.remote), &scene.snapshot);
    let (title, _) = person::of_row(row, &number);
    let when = format::when(row.started_at, scene.now.wall, &scene.now.zone);
    let count = text::messages(found.messages.len());
    format!("{count} · {when} · {title}")
}

fn buttons_ui(ui: &mut Ui, scene: &Scene<'_>, open: &mut LadderState, found: &CallLadder) {
    let asking = open.file.is_some();
    if copy_button().show(ui).clicked() {
        let lines = ladder::picture_with(found, |place| open.open.contains(&place));
        ui.ctx().copy_text(lines.join("\n"));
    }
    let export = export_button().look(if asking { Look::Chosen } else { Look::Quiet });
    if export.show(ui).clicked() {
        open.exported = false;
        open.file = (!asking).then(|| proposal(scene, found));
    }
}

/// A file that tells which call it is, in the folder for exports.
fn proposal(scene: &Scene<'_>, found: &CallLadder) -> String {
    let began = found.call.started_at.to_zoned(scene.now.zone.clone());
    let name = format!("ringdesk-{}.pcapng", began.strftime("%Y-%m-%d-%H%M%S"));
    in_exports(scene, name)
}

/// A file in the folder for exports.
pub(super) fn in_exports(scene: &Scene<'_>, name: String) -> String {
    match scene.snapshot.export_dir.as_str() {
        "" => name,
        folder => format!("{folder}{}{name}", std::path::MAIN_SEPARATOR),
    }
}

/// Asks for the file.
fn export_ui(ui: &mut Ui, scene: &mut Scene<'_>, open: &mut LadderState, found: &CallLadder) {
    let Some(file) = &mut open.file else { return };
    let mut over = false;
    Theme::of(ui).card().show(ui, |ui| {
        let field = Field::labelled(text::LADDER_FILE, file)
            .why(text::LADDER_FILE_WHY)
            .show(ui);
        let entered = field.lost_focus() && ui.input(|it| it.key_pressed(egui::Key::Enter));
        ui.horizontal(|ui| {
            let export = Button::new(text::EXPORT)
                .look(Look::Primary)
                .width(110.0)
                .enabled(!file.trim().is_empty())
                .show(ui);
            if (export.clicked() || entered) && !file.trim().is_empty() {
                scene.send(Command::ExportLadder(found.call.id, file.clone()));
                open.exported = true;
                over = true;
            }
            over |= Button::new(text::CANCEL).width(110.0).show(ui).clicked();
        });
    });
    if over {
        open.file = None;
    }
}

/// Where the file went, or why there is none.
fn outcome_ui(ui: &mut Ui, scene: &Scene<'_>, open: &LadderState) {
    let colours = &Theme::of(ui).colours;
    let exported = scene.snapshot.exported.as_ref();
    let this = ExportedWhat::Ladder(open.call);
    let Some(export) = exported.filter(|it| open.exported && it.what == this) else {
        return;
    };
    match &export.outcome {
        Ok(path) => paragraph_ui(ui, &text::exported_to(path), BODY, colours.good.text),
        Err(why) => paragraph_ui(ui, &format::sentence(why), BODY, colours.bad.text),
    }
}

fn nothing_ui(ui: &mut Ui, scene: &Scene<'_>, state: &mut ViewState) {
    let kept = scene.snapshot.settings.ladder_days > 0;
    let (why, action) = if kept {
        (text::NO_LADDER_WHY, None)
    } else {
        (text::LADDERS_OFF_WHY, Some(text::OPEN_SETTINGS))
    };
    if empty_ui(ui, ICON_SWAP_HORIZ, text::NO_LADDER, why, action) {
        state.open_phone_settings();
    }
}
