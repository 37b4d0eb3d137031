//! Whom to watch: the colleagues in the settings.

use egui::Ui;
use egui_material_icons::icons::{ICON_ADD, ICON_DELETE};

use crate::config::Settings;
use crate::config::settings::{Colleague, WatchKind};
use crate::ui::display_text::clean_line;
use crate::ui::state::SettingsState;
use crate::ui::theme::{BODY, SMALL, Theme, Weight, font};
use crate::ui::widget::{Button, FORM, Field, Look, choice_ui, line_ui, paragraph_ui};
use crate::ui::{format, text};

/// Draws those that are watched, and a row for one more.
pub(crate) fn colleague_settings_ui(
    ui: &mut Ui,
    settings: &mut Settings,
    state: &mut SettingsState,
) {
    let theme = Theme::of(ui);
    if settings.colleagues.is_empty() {
        paragraph_ui(ui, text::COLLEAGUES_WHY, BODY, theme.colours.muted);
    }
    let mut removed = None;
    for (place, colleague) in settings.colleagues.iter().enumerate() {
        ui.push_id(place, |ui| {
            ui.horizontal(|ui| {
                let name = text::remove_colleague(&clean_line(&colleague.address));
                let button = Button::icon_only(ICON_DELETE, &name).look(Look::Bare);
                if button.show(ui).clicked() {
                    removed = Some(place);
                }
                let words = words(colleague);
                line_ui(ui, &words, font(13.0, Weight::Regular), theme.colours.text);
            });
        });
    }
    if let Some(removed) = removed {
        settings.colleagues.remove(removed);
    }
    let draft = &mut state.colleague;
    Field::labelled(text::COLLEAGUE_ADDRESS, &mut draft.address)
        .hint(text::COLLEAGUE_ADDRESS_HINT)
        .width(FORM)
        .show(ui);
    Field::labelled(text::COLLEAGUE_NAME, &mut draft.name)
        .width(FORM)
        .show(ui);
    let kinds = [
        (WatchKind::Blf, text::WATCH_PHONE.to_owned()),
        (WatchKind::Presence, text::WATCH_PRESENCE.to_owned()),
    ];
    if let Some(kind) = choice_ui(ui, text::WATCH, &draft.watch, &kinds) {
        draft.watch = kind;
    }
    if let Some(problem) = &state.colleague_problem {
        paragraph_ui(
            ui,
            &format::sentence(problem),
            SMALL,
            theme.colours.bad.text,
        );
    }
    if Button::new(text::ADD_COLLEAGUE)
        .icon(ICON_ADD)
        .show(ui)
        .clicked()
    {
        add(settings, state);
    }
}

/// Takes the draft, or says why not.
fn add(settings: &mut Settings, state: &mut SettingsState) {
    let mut changed = settings.clone();
    changed.colleagues.push(Colleague {
        name: state.colleague.name.trim().to_owned(),
        address: state.colleague.address.trim().to_owned(),
        watch: state.colleague.watch,
    });
    match changed.validate() {
        Ok(()) => {
            *settings = changed;
            state.colleague = Colleague::default();
            state.colleague_problem = None;
        }
        Err(problem) => state.colleague_problem = Some(problem.to_string()),
    }
}

fn words(colleague: &Colleague) -> String {
    let kind = match colleague.watch {
        WatchKind::Blf => text::WATCH_PHONE,
        WatchKind::Presence => text::WATCH_PRESENCE,
    };
    let address = &colleague.address;
    if colleague.name.is_empty() {
        format!("{address} · {kind}")
    } else {
        format!("{} · {address} · {kind}", colleague.name)
    }
}
