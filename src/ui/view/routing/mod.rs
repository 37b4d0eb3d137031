//! The settings of who is told of calls: agents, queues with their schedules, holidays, call types, the
//! block list; and who would see a call now, and why.

mod agents;
mod blocked;
mod call_types;
mod entry;
mod holidays;
mod preview;
mod queues;
mod slots;

use egui::{ScrollArea, Ui};
use egui_material_icons::icons::ICON_GROUPS;

use super::waiting::waiting_ui;
use crate::control::{Command, Page, PageRequest, WorkPage, WorkRequest};
use crate::crm::row::RoutingChange;
use crate::ui::routing_state::SettingsTab;
use crate::ui::scene::Scene;
use crate::ui::state::SettingsState;
use crate::ui::theme::Theme;

/// The widest that a page becomes.
const WIDEST: f32 = 720.0;

/// Draws one of the pages.
pub(super) fn routing_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    settings: &mut SettingsState,
    tab: SettingsTab,
) {
    let theme = Theme::of(ui);
    ScrollArea::vertical()
        .id_salt(("routing", tab as u8))
        .auto_shrink(false)
        .show(ui, |ui| {
            ui.set_max_width(WIDEST.min(ui.available_width()));
            if tab == SettingsTab::CallTypes {
                theme.card().show(ui, |ui| {
                    ui.set_width(ui.available_width());
                    call_types::call_types_ui(ui, scene, &mut settings.routing);
                });
                return;
            }
            let page = scene.page(&PageRequest::Work(WorkRequest::Routing));
            let Some(Page::Work(WorkPage::Routing(tables))) = page.as_deref() else {
                waiting_ui(ui, page.as_deref(), ICON_GROUPS);
                return;
            };
            let state = &mut settings.routing;
            theme.card().show(ui, |ui| {
                ui.set_width(ui.available_width());
                match tab {
                    SettingsTab::Agents => agents::agents_ui(ui, scene, state, tables),
                    SettingsTab::Queues => queues::queues_ui(ui, scene, state, tables),
                    SettingsTab::Holidays => holidays::holidays_ui(ui, scene, state, tables),
                    SettingsTab::Blocked => blocked::blocked_ui(ui, scene, state, tables),
                    SettingsTab::Phone | SettingsTab::Diagnostics | SettingsTab::CallTypes => {}
                }
            });
            ui.add_space(8.0);
            if tab != SettingsTab::Blocked || !tables.blocked.is_empty() {
                theme.card().show(ui, |ui| {
                    ui.set_width(ui.available_width());
                    preview::preview_ui(ui, scene, &mut state.preview, tables);
                });
            }
        });
}

fn change(scene: &mut Scene<'_>, change: RoutingChange) {
    scene.send(Command::ChangeRouting(Box::new(change)));
}

/// What was typed with commas between.
fn parts(typed: &str) -> Vec<String> {
    let parts = typed.split([',', ';', '\n']).map(str::trim);
    let parts = parts.filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}
