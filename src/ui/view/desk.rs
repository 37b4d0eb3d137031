//! The whole window: navigation, content, and the call at the right.

use egui::{CentralPanel, Frame, Id, Margin, Panel, Ui, UiBuilder};

use super::contacts::People;
use super::{
    banners, call_card, call_detail, calls, colleagues, contacts, dial_question, dialer, ladder,
    navigation, organizations, player, settings, statistics, tasks, tickets, undo,
};
use crate::control::Command;
use crate::ui::routing_state::SettingsTab;
use crate::ui::scene::Scene;
use crate::ui::state::{View, ViewState};
use crate::ui::theme::Theme;
use crate::ui::{announce, focus, keys};

/// From this width on the navigation shows words.
const THREE_PANES: f32 = 1280.0;
/// Below this width the card is narrow.
const NARROW: f32 = 1000.0;

/// Draws the window.
pub(crate) fn desk_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut ViewState) {
    let theme = Theme::of(ui);
    let width = ui.max_rect().width();
    ui.painter()
        .rect_filled(ui.max_rect(), 0, theme.colours.window);
    focus::follow(ui, &mut state.focused);
    announce::announcements_ui(ui, scene);
    call_card::follow_calls(scene, state);
    keys::handle(ui, scene, state);
    // The SIP messages belong to the call at the right.
    state
        .ladder
        .take_if(|ladder| state.detail != Some(ladder.call));
    let wide = width >= THREE_PANES;
    Panel::left("navigation")
        .exact_size(if wide { 208.0 } else { 64.0 })
        .resizable(false)
        .show_separator_line(false)
        .frame(
            Frame::new()
                .fill(theme.colours.surface)
                .inner_margin(if wide {
                    Margin::symmetric(12, 16)
                } else {
                    Margin::symmetric(10, 16)
                }),
        )
        .show(ui, |ui| navigation::navigation_ui(ui, scene, state, wide));
    if call_card::is_shown(scene, state) || state.detail.is_some() {
        let pane = if width < NARROW { 320.0 } else { 364.0 };
        Panel::right("call")
            .exact_size(pane)
            .resizable(false)
            .show_separator_line(false)
            .frame(
                Frame::new()
                    .fill(theme.colours.window)
                    .inner_margin(Margin {
                        left: 0,
                        right: 12,
                        top: 12,
                        bottom: 12,
                    }),
            )
            .show(ui, |ui| pane_ui(ui, scene, state));
    }
    CentralPanel::default()
        .frame(
            Frame::new()
                .fill(theme.colours.window)
                .inner_margin(Margin::symmetric(16, 12)),
        )
        .show(ui, |ui| {
            banners::banners_ui(ui, scene, state);
            colleagues::colleagues_ui(ui, scene);
            if state.ladder.is_some() {
                ladder::ladder_ui(ui, scene, state);
                return;
            }
            // What comes and goes beside and above the view leaves the keyboard where it is.
            let own = UiBuilder::new().scope_id(Id::unique("view"));
            ui.scope_builder(own, |ui| match state.view {
                View::Dialer => dialer::dialer_ui(ui, scene, state),
                View::Calls => calls::calls_ui(ui, scene, state),
                View::Contacts => contacts::people_ui(ui, scene, state, People::Contacts),
                View::Leads => contacts::people_ui(ui, scene, state, People::Leads),
                View::Organizations => organizations::organizations_ui(ui, scene, state),
                View::Tickets => tickets::tickets_ui(ui, scene, state),
                View::Tasks => tasks::tasks_ui(ui, scene, state),
                View::Statistics => statistics::statistics_ui(ui, scene, state),
                View::Settings => settings::settings_ui(ui, scene, state),
            });
        });
    player::handle_key(ui, scene, state);
    player::leave_unseen(scene, &mut state.player);
    // Nobody leaves the microphone open by going elsewhere.
    let checks = state.view == View::Settings && state.settings.tab == SettingsTab::Phone;
    if !checks && scene.snapshot.sound_check.on {
        scene.send(Command::CheckSound(None));
    }
    undo::undo_ui(ui, scene, state);
    dial_question::dial_question_ui(ui, scene, state);
    super::notes::flush(ui, scene, &mut state.notes);
    state.typing = ui.ctx().text_edit_focused();
}

/// The right pane: a logged call that was clicked, else the live call.
fn pane_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut ViewState) {
    let theme = Theme::of(ui);
    theme.card().show(ui, |ui| {
        ui.set_min_size(ui.available_size());
        match state.detail {
            Some(call) => call_detail::call_detail_ui(ui, scene, state, call),
            None => call_card::call_card_ui(ui, scene, state),
        }
    });
}
