//! The question before a link is dialled.

use std::sync::Arc;
use std::time::Duration;

use egui::{Event, Frame, Id, Key, Margin, Modal, Modifiers, Ui};
use egui_material_icons::icons::{ICON_CALL, ICON_WARNING};

use crate::base::dial_plan::DialPreview;
use crate::control::{CallTarget, Command, snapshot::DialRequest};
use crate::ui::person::{self, Certainty};
use crate::ui::scene::Scene;
use crate::ui::state::ViewState;
use crate::ui::theme::{BODY, SMALL, Theme, Weight, font};
use crate::ui::view::call_detail::fact_ui;
use crate::ui::widget::{Button, Look, icon_ui, line_ui, paragraph_ui};
use crate::ui::{format, keys, text};

/// Keys that come so soon were meant for the program that opened the link.
const GUARD: Duration = Duration::from_millis(500);

/// Draws the question, where there is one.
pub(crate) fn dial_question_ui(ui: &Ui, scene: &mut Scene<'_>, state: &mut ViewState) {
    let snapshot = Arc::clone(&scene.snapshot);
    let Some(request) = &snapshot.dial_request else {
        state.dial_focused = None;
        return;
    };
    let theme = Theme::of(ui);
    let age = scene.now.mono.saturating_duration_since(request.asked);
    if age < GUARD {
        ui.input_mut(|input| {
            input
                .events
                .retain(|event| !matches!(event, Event::Key { .. } | Event::Text(_)));
        });
        ui.ctx().request_repaint_after(GUARD.saturating_sub(age));
    }
    let escaped = ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape));
    let frame = Frame::new()
        .fill(theme.colours.surface)
        .stroke(theme.border())
        .corner_radius(egui::CornerRadius::same(theme.radius.card))
        .inner_margin(Margin::same(20));
    let modal = Modal::new(Id::unique("dial question"))
        .frame(frame)
        .backdrop_color(theme.colours.shade)
        .show(ui.ctx(), |ui| {
            let width = ui.ctx().content_rect().width();
            ui.set_width((width - 80.0).clamp(240.0, 420.0));
            question_ui(ui, scene, state, request)
        });
    let answer = modal.inner;
    if answer == Some(Choice::Dial)
        && let Ok(preview) = &request.preview
    {
        scene.send(Command::Call(CallTarget {
            text: preview.original.clone(),
            account: None,
        }));
        scene.send(Command::CloseDialRequest);
    } else if escaped || answer == Some(Choice::Cancel) {
        scene.send(Command::CloseDialRequest);
    }
}

/// How wide each of its buttons is.
const BUTTON: f32 = 110.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    Dial,
    Cancel,
}

fn question_ui(
    ui: &mut Ui,
    scene: &Scene<'_>,
    state: &mut ViewState,
    request: &DialRequest,
) -> Option<Choice> {
    let theme = Theme::of(ui);
    let title = match &request.preview {
        Ok(_) => text::DIAL_TITLE,
        Err(_) => text::DIAL_IMPOSSIBLE,
    };
    line_ui(ui, title, font(17.0, Weight::SemiBold), theme.colours.text);
    ui.add_space(4.0);
    let can = match &request.preview {
        Ok(preview) => {
            facts_ui(ui, scene, request, preview);
            true
        }
        Err(why) => {
            paragraph_ui(ui, &format::sentence(why), BODY, theme.colours.bad.text);
            fact_ui(ui, text::DIAL_LINK, &request.link, false);
            false
        }
    };
    ui.add_space(8.0);
    let first = state.dial_focused != Some(request.asked);
    let careful = !matches!(&request.preview, Ok(preview) if preview.caution.is_none());
    let choice = ui
        .horizontal(|ui| {
            let buttons = if can { 2.0 } else { 1.0 };
            let gap = ui.spacing().item_spacing.x;
            ui.add_space(ui.available_width() - buttons * BUTTON - (buttons - 1.0) * gap);
            let mut choice = None;
            let cancel = Button::new(text::CANCEL)
                .look(Look::Outlined)
                .width(BUTTON)
                .key(keys::ESCAPE)
                .show(ui);
            if first && careful {
                cancel.request_focus();
            }
            if cancel.clicked() {
                choice = Some(Choice::Cancel);
            }
            if can {
                let dial = Button::new(text::DIAL)
                    .icon(ICON_CALL)
                    .look(Look::Answer)
                    .width(BUTTON)
                    .key(text::CALL_KEY)
                    .show(ui);
                if first && !careful {
                    dial.request_focus();
                }
                if dial.clicked() {
                    choice = Some(Choice::Dial);
                }
            }
            choice
        })
        .inner;
    state.dial_focused = Some(request.asked);
    choice
}

fn facts_ui(ui: &mut Ui, scene: &Scene<'_>, request: &DialRequest, preview: &DialPreview) {
    let theme = Theme::of(ui);
    let who = person::describe(
        request.identification.as_ref(),
        None,
        &preview.display,
        None,
    );
    line_ui(
        ui,
        if who.certainty == Certainty::Known {
            &who.title
        } else {
            &preview.display
        },
        font(20.0, Weight::SemiBold),
        theme.colours.text,
    );
    let second = match who.certainty {
        Certainty::Known => who.second.as_deref().or(who.third.as_deref()),
        Certainty::Maybe | Certainty::Several | Certainty::Nobody => who.second.as_deref(),
        Certainty::LookingUp => Some(text::LOOKING_UP),
    };
    if let Some(second) = second {
        line_ui(ui, second, SMALL, theme.colours.muted);
    }
    if let Some(caution) = &preview.caution {
        Frame::new()
            .fill(theme.colours.warn.tint)
            .corner_radius(egui::CornerRadius::same(theme.radius.control))
            .inner_margin(Margin::symmetric(10, 6))
            .show(ui, |ui| {
                ui.set_width(ui.available_width());
                ui.horizontal(|ui| {
                    let ink = theme.colours.warn.text;
                    icon_ui(ui, ICON_WARNING, 16.0, ink, text::CAUTION);
                    ui.vertical(|ui| {
                        paragraph_ui(ui, &format::sentence(caution), BODY, theme.colours.text);
                    });
                });
            });
    }
    fact_ui(ui, text::DIAL_URI, &preview.uri, true);
    fact_ui(ui, text::DIAL_RULE, &format::sentence(&preview.rule), false);
    fact_ui(ui, text::DIAL_LINK, &request.link, false);
    if let Some(account) = scene.snapshot.accounts.first() {
        fact_ui(
            ui,
            text::DIAL_ACCOUNT,
            format::bare_address(&account.account.address),
            false,
        );
    }
}
