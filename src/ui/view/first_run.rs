//! The first minute: the lab, or an account of one's own.

use egui::{ScrollArea, Ui};
use egui_material_icons::icons::{ICON_ADD, ICON_HEADSET_MIC, ICON_SCIENCE};

use crate::base::id::AccountId;
use crate::control::command::LabCaller;
use crate::control::{AccountView, CallTarget, Command};
use crate::ui::scene::Scene;
use crate::ui::state::ViewState;
use crate::ui::text;
use crate::ui::theme::{BODY, Theme, Weight, font};
use crate::ui::view::account_form;
use crate::ui::view::provisioning::provisioning_ui;
use crate::ui::view::try_account::try_account_ui;
use crate::ui::widget::{Button, FORM, Look, icon_ui, line_ui, paragraph_ui};

/// Draws the welcome of a phone without an account.
pub(crate) fn first_run_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut ViewState) {
    let theme = Theme::of(ui);
    let room = ui.available_height();
    ScrollArea::vertical()
        .id_salt("first run")
        .auto_shrink(false)
        .show(ui, |ui| {
            ui.vertical_centered(|ui| {
                ui.set_max_width(440.0);
                ui.add_space(((room - 480.0) / 3.0).clamp(8.0, 160.0));
                let ink = theme.colours.chosen.text;
                icon_ui(ui, ICON_HEADSET_MIC, 48.0, ink, text::PRODUCT);
                ui.add_space(8.0);
                ui.label(
                    egui::RichText::new(text::WELCOME)
                        .font(font(24.0, Weight::SemiBold))
                        .color(theme.colours.text),
                );
                paragraph_ui(ui, text::WELCOME_WHY, BODY, theme.colours.muted);
                ui.add_space(12.0);
                let lab = Button::new(text::TRY_LAB)
                    .icon(ICON_SCIENCE)
                    .look(Look::Primary)
                    .width(240.0)
                    .height(40.0)
                    .show(ui);
                if lab.clicked() {
                    scene.send(Command::StartLab);
                }
                ui.add_space(12.0);
                line_ui(
                    ui,
                    text::OWN_ACCOUNT,
                    font(14.0, Weight::SemiBold),
                    theme.colours.text,
                );
                ui.scope(|ui| {
                    ui.set_max_width(FORM.min(ui.available_width()));
                    try_account_ui(ui, scene, state);
                });
                ui.add_space(12.0);
                line_ui(
                    ui,
                    text::PROVISIONING,
                    font(14.0, Weight::SemiBold),
                    theme.colours.text,
                );
                ui.scope(|ui| {
                    ui.set_max_width(FORM.min(ui.available_width()));
                    provisioning_ui(ui, scene, &mut state.settings.provisioning);
                });
                ui.add_space(4.0);
                let account = Button::new(text::ADD_ACCOUNT).icon(ICON_ADD).show(ui);
                if account.clicked() {
                    state.open_phone_settings();
                    state.settings.form = Some(account_form::empty());
                }
            });
        });
}

/// The user by which the lab's echo is called.
const LAB_ECHO: &str = "echo";

/// The account that the lab added: the newest one on loopback.
fn lab_account(scene: &Scene<'_>) -> Option<AccountId> {
    let on_loopback = |view: &&AccountView| {
        view.account
            .address
            .split_once('@')
            .is_some_and(|(_, host)| host.starts_with("127.") || host.starts_with("[::1]"))
    };
    let accounts = &scene.snapshot.accounts;
    accounts.iter().rev().find(on_loopback).map(|view| view.id)
}

/// Draws the lab's buttons.
pub(crate) fn lab_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let theme = Theme::of(ui);
    theme.card().show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal(|ui| {
            let ink = theme.colours.chosen.text;
            icon_ui(ui, ICON_SCIENCE, 18.0, ink, text::LAB);
            line_ui(
                ui,
                text::LAB,
                font(14.0, Weight::SemiBold),
                theme.colours.text,
            );
            line_ui(ui, text::LAB_WHY, BODY, theme.colours.muted);
        });
        ui.horizontal_wrapped(|ui| {
            if Button::new(text::LAB_ECHO)
                .look(Look::Primary)
                .show(ui)
                .clicked()
            {
                scene.send(Command::Call(CallTarget {
                    text: LAB_ECHO.to_owned(),
                    account: lab_account(scene),
                }));
            }
            for (words, caller) in [
                (text::LAB_KNOWN, LabCaller::Known),
                (text::LAB_UNKNOWN, LabCaller::Unknown),
                (text::LAB_MAYBE, LabCaller::Maybe),
            ] {
                if Button::new(words).show(ui).clicked() {
                    scene.send(Command::LabCall(caller));
                }
            }
        });
    });
}
