//! What went wrong and stays until it is taken away.

use egui::Ui;

use crate::control::Command;
use crate::ui::display_text::{clean_line, clean_text};
use crate::ui::scene::Scene;
use crate::ui::state::ViewState;
use crate::ui::theme::{SMALL, Theme};
use crate::ui::widget::{banner_ui, line_ui, message_ui};
use crate::ui::{format, text};

/// How many are shown at once, and in a low window.
const MOST: usize = 3;
const MOST_IN_LOW: usize = 1;
/// Below this height a window is low.
const LOW: f32 = 700.0;

/// Draws the banners above the content.
pub(crate) fn banners_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut ViewState) {
    let snapshot = std::sync::Arc::clone(&scene.snapshot);
    let low = ui.ctx().content_rect().height() < LOW;
    let mut room = if low { MOST_IN_LOW } else { MOST };
    if state.refused && banner_ui(ui, text::ENGINE_SLOW, true) {
        state.refused = false;
    }
    let standing = [
        (&snapshot.store_problem, true),
        (&snapshot.devices.problem, false),
        (&snapshot.devices.microphone_problem, false),
    ];
    state.dismissed.retain(|gone| {
        standing
            .iter()
            .any(|(problem, _)| problem.as_ref() == Some(gone))
    });
    for (problem, severe) in standing {
        let Some(problem) = problem else { continue };
        if !severe && room == 0 {
            continue;
        }
        if state.dismissed.contains(problem) {
            continue;
        }
        room = room.saturating_sub(1);
        if banner_ui(ui, &format::sentence(problem), severe) {
            state.dismissed.push(problem.clone());
        }
    }
    // The newest of each kind first; who writes must not push what went wrong off the screen.
    let shown = room.saturating_sub(snapshot.notices.len()).max(1);
    for message in snapshot.messages.iter().rev().take(shown) {
        room = room.saturating_sub(1);
        let name = message.from_name.as_deref().map(clean_line);
        let from = text::message_from(&clean_line(&message.from), name.as_deref());
        let gone = ui
            .push_id(("message", message.id), |ui| {
                message_ui(ui, &from, &clean_text(&message.text))
            })
            .inner;
        if gone {
            scene.send(Command::DismissMessage(message.id));
        }
    }
    for notice in snapshot.notices.iter().rev().take(room) {
        let gone = ui
            .push_id(notice.id, |ui| {
                banner_ui(ui, &format::sentence(&notice.text), false)
            })
            .inner;
        if gone {
            scene.send(Command::DismissNotice(notice.id));
        }
    }
    let hidden =
        snapshot.notices.len().saturating_sub(room) + snapshot.messages.len().saturating_sub(shown);
    if hidden > 0 {
        let ink = Theme::of(ui).colours.muted;
        line_ui(ui, &text::more_notices(hidden), SMALL, ink);
    }
}
