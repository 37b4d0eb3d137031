//! The agents: who takes calls, on which lines, in which groups.

use egui::Ui;
use egui_material_icons::icons::{ICON_ADD, ICON_GROUPS};

use super::entry::{Entry, Pressed, form_end_ui, form_head_ui};
use super::{change, parts};
use crate::base::id::AgentId;
use crate::crm::row::{AgentRow, RoutingChange, RoutingTables};
use crate::ui::routing_state::{AgentForm, Deleting, RoutingState};
use crate::ui::scene::Scene;
use crate::ui::text;
use crate::ui::theme::Theme;
use crate::ui::widget::{Button, FORM, Field, Look, empty_ui, switch_ui};

/// Draws the list, or the agent who is being written.
pub(super) fn agents_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut RoutingState,
    tables: &RoutingTables,
) {
    if state.agent.is_some() {
        form_ui(ui, scene, state);
        return;
    }
    if tables.agents.is_empty() {
        let (title, why) = (text::NO_AGENTS, text::NO_AGENTS_WHY);
        if empty_ui(ui, ICON_GROUPS, title, why, Some(text::NEW_AGENT)) {
            state.agent = Some(form(fresh()));
        }
        return;
    }
    let theme = Theme::of(ui);
    for agent in &tables.agents {
        let facts = [agent.numbers.join(", "), agent.groups.join(", ")];
        let facts = facts.iter().filter(|fact| !fact.is_empty());
        let under = facts.cloned().collect::<Vec<_>>().join(" · ");
        let deleting = Deleting::Agent(agent.id);
        let entry = Entry {
            title: &agent.name,
            under: &under,
            pill: match (agent.active, agent.panel) {
                (false, _) => Some((text::NOT_ACTIVE, theme.colours.neutral)),
                (true, false) => Some((text::PANEL_OFF, theme.colours.warn)),
                (true, true) => None,
            },
            deleting: state.deleting.as_ref() == Some(&deleting),
            room: 0.0,
        };
        let pressed = ui.push_id(agent.id, |ui| entry.show(ui)).inner;
        match pressed {
            Some(Pressed::Open) => state.agent = Some(form(agent.clone())),
            Some(Pressed::Delete) => state.deleting = Some(deleting),
            Some(Pressed::DeleteSure) => {
                change(scene, RoutingChange::RemoveAgent(agent.id));
                state.deleting = None;
            }
            Some(Pressed::Keep) => state.deleting = None,
            None => {}
        }
    }
    ui.add_space(4.0);
    let new = Button::new(text::NEW_AGENT)
        .icon(ICON_ADD)
        .look(Look::Primary);
    if new.show(ui).clicked() {
        state.agent = Some(form(fresh()));
    }
}

fn fresh() -> AgentRow {
    AgentRow {
        id: AgentId(0),
        name: String::new(),
        login: String::new(),
        active: true,
        panel: true,
        numbers: Vec::new(),
        groups: Vec::new(),
    }
}

fn form(row: AgentRow) -> AgentForm {
    AgentForm {
        numbers: row.numbers.join(", "),
        groups: row.groups.join(", "),
        row,
        problem: None,
        focus: true,
    }
}

fn form_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut RoutingState) {
    let Some(form) = &mut state.agent else { return };
    let title = if form.row.id == AgentId(0) {
        text::NEW_AGENT_TITLE
    } else {
        text::EDIT_AGENT_TITLE
    };
    form_head_ui(ui, title);
    ui.scope(|ui| {
        ui.set_max_width(FORM.min(ui.available_width()));
        let name = Field::labelled(text::AGENT_NAME, &mut form.row.name).show(ui);
        if std::mem::take(&mut form.focus) {
            name.request_focus();
        }
        Field::labelled(text::OWN_NUMBERS, &mut form.numbers)
            .why(text::OWN_NUMBERS_WHY)
            .show(ui);
        Field::labelled(text::GROUPS, &mut form.groups)
            .why(text::GROUPS_WHY)
            .show(ui);
        Field::labelled(text::AGENT_LOGIN, &mut form.row.login)
            .hint(text::NONE_HINT)
            .show(ui);
        switch_ui(ui, &mut form.row.active, text::ACTIVE);
        switch_ui(ui, &mut form.row.panel, text::PANEL);
    });
    ui.add_space(4.0);
    let (save, mut leave) = form_end_ui(ui, form.problem.as_ref());
    if save {
        if form.row.name.trim().is_empty() {
            form.problem = Some(text::AGENT_NAME_MISSING.to_owned());
        } else {
            let row = AgentRow {
                name: form.row.name.trim().to_owned(),
                login: form.row.login.trim().to_owned(),
                numbers: parts(&form.numbers),
                groups: parts(&form.groups),
                ..form.row.clone()
            };
            change(scene, RoutingChange::SaveAgent(row));
            leave = true;
        }
    }
    if leave {
        state.agent = None;
    }
}
