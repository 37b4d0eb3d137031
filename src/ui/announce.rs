//! What a screen reader says by itself: who calls, how each call stands, and whether the phone is ready.
//!
//! Each is a live region of its own, so that only what changed is said.

use egui::accesskit::Live;
use egui::{Id, Rect, Role, Sense, Ui, Vec2, WidgetInfo};

use super::display_text::clean_line;
use super::outcome;
use super::person;
use super::readiness::Readiness;
use super::scene::Scene;
use super::text;
use super::theme::Theme;
use crate::control::CallView;

/// Adds them; nothing of it is seen.
pub(crate) fn announcements_ui(ui: &Ui, scene: &Scene<'_>) {
    for call in &scene.snapshot.calls {
        let urgency = if outcome::rings_here(call) {
            Live::Assertive
        } else {
            Live::Polite
        };
        announce(
            ui,
            Id::unique(("announced", call.id)),
            &stands(ui, call),
            urgency,
        );
    }
    // Without the reason, which counts down the seconds to the next try.
    let readiness = Readiness::of(&scene.snapshot, scene.now.mono);
    announce(
        ui,
        Id::unique("announced readiness"),
        &readiness.title,
        Live::Polite,
    );
}

/// How a call stands, with whom.
fn stands(ui: &Ui, call: &CallView) -> String {
    let (word, _) = outcome::of_call(call, Theme::of(ui));
    let person = person::of_call(call);
    let about = person
        .second
        .as_deref()
        .filter(|_| outcome::rings_here(call));
    text::call_stands(
        word,
        &clean_line(&person.title),
        about.map(clean_line).as_deref(),
    )
}

fn announce(ui: &Ui, id: Id, words: &str, urgency: Live) {
    let nowhere = Rect::from_min_size(ui.max_rect().min, Vec2::ZERO);
    let response = ui.interact(nowhere, id, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Status, true, words));
    ui.ctx()
        .accesskit_node_builder(id, |node| node.set_live(urgency));
}
