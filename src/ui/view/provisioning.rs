//! Settings that an administrator gives out: read, looked at, applied.

use egui::{Key, Ui};

use crate::config::provisioning::Weight;
use crate::control::{Command, ProvisioningView};
use crate::ui::display_text::clean_text;
use crate::ui::scene::Scene;
use crate::ui::text;
use crate::ui::theme::{BODY, SMALL, Theme};
use crate::ui::widget::{Button, Field, Look, paragraph_ui};

/// Draws the field, and what was read.
pub(super) fn provisioning_ui(ui: &mut Ui, scene: &mut Scene<'_>, source: &mut String) {
    let colours = &Theme::of(ui).colours;
    let from = &scene.snapshot.provisioned_from;
    if !from.is_empty() {
        let words = text::provisioned_from(from);
        paragraph_ui(ui, &clean_text(&words), BODY, colours.muted);
    }
    let view = scene.snapshot.provisioning.clone();
    let reading = matches!(view, Some(ProvisioningView::Fetching(_)));
    let field = Field::labelled(text::PROVISIONING_SOURCE, source)
        .hint(text::PROVISIONING_HINT)
        .show(ui);
    let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    let words = if reading {
        text::READING
    } else {
        text::READ_PROVISIONING
    };
    let named = !source.trim().is_empty() && !reading;
    let read = Button::new(words).enabled(named).show(ui);
    if (read.clicked() || entered) && named {
        scene.send(Command::FetchProvisioning(source.trim().to_owned()));
    }
    match view {
        Some(ProvisioningView::Failed(why)) => {
            let words = crate::ui::format::sentence(&why);
            paragraph_ui(ui, &clean_text(&words), BODY, colours.bad.text);
        }
        Some(offered @ ProvisioningView::Offered { .. }) => offered_ui(ui, scene, &offered),
        Some(ProvisioningView::Fetching(_)) | None => {}
    }
}

fn offered_ui(ui: &mut Ui, scene: &mut Scene<'_>, offered: &ProvisioningView) {
    let ProvisioningView::Offered {
        changes,
        locked,
        because,
        ..
    } = offered
    else {
        return;
    };
    let colours = &Theme::of(ui).colours;
    ui.add_space(8.0);
    if changes.is_empty() {
        paragraph_ui(ui, text::PROVISIONING_CHANGES_NOTHING, BODY, colours.text);
    } else {
        paragraph_ui(ui, text::PROVISIONING_CHANGES, BODY, colours.text);
    }
    for change in changes {
        let colour = if change.weight == Weight::Plain {
            colours.muted
        } else {
            colours.warn.text
        };
        paragraph_ui(ui, &clean_text(&text::change(change)), SMALL, colour);
    }
    if !locked.is_empty() {
        let words = text::will_lock(locked, because);
        paragraph_ui(ui, &clean_text(&words), SMALL, colours.warn.text);
    }
    ui.horizontal_wrapped(|ui| {
        if Button::new(text::APPLY)
            .look(Look::Primary)
            .show(ui)
            .clicked()
        {
            scene.send(Command::ApplyProvisioning);
        }
        if Button::new(text::NOT_NOW).show(ui).clicked() {
            scene.send(Command::DropProvisioning);
        }
    });
}
