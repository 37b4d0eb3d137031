//! The dialer: type a name or a number, see exactly what would be dialled, dial.

use egui::{Id, Key, Modifiers, Ui};
use egui_material_icons::icons::{ICON_BACKSPACE, ICON_CALL, ICON_SEARCH, ICON_WARNING};

use super::first_run::{first_run_ui, lab_ui};
use super::keypad::keypad_ui;
use super::suggestions::{Suggestion, suggestions, suggestions_ui};
use crate::base::dial_plan::{DialError, DialPreview};
use crate::base::id::AccountId;
use crate::control::{AccountView, CallTarget, Command};
use crate::ui::scene::Scene;
use crate::ui::state::{Choice, DialerState, ViewState};
use crate::ui::theme::{SMALL, Theme, Weight, font};
use crate::ui::widget::{Button, Field, Look, choice_ui, icon_ui, paragraph_ui, title_ui};
use crate::ui::{format, text};

/// From this width on suggestions stand beside the keypad.
const TWO_COLUMNS: f32 = 620.0;
const PAD_WIDTH: f32 = 300.0;

/// What Enter and the call button would do.
struct Plan {
    /// Everybody who fits what was typed.
    found: Vec<Suggestion>,
    /// What is handed to the engine.
    target: String,
    /// The suggestion that it is.
    picked: Option<usize>,
    /// What the dial plan makes of it.
    preview: Result<DialPreview, DialError>,
    /// Whether the contacts that fit are read: until then a name means nobody.
    read: bool,
}

impl Plan {
    /// Whether it can be dialled now.
    fn ready(&self) -> bool {
        self.read && self.preview.is_ok()
    }
}

/// Draws the view.
pub(crate) fn dialer_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut ViewState) {
    if scene.snapshot.accounts.is_empty() && !scene.snapshot.lab {
        first_run_ui(ui, scene, state);
        return;
    }
    title_ui(ui, text::DIALER);
    ui.add_space(8.0);
    if scene.snapshot.lab {
        lab_ui(ui, scene);
        ui.add_space(8.0);
    }
    let dialer = &mut state.dialer;
    if ui.available_width() >= TWO_COLUMNS {
        ui.horizontal_top(|ui| {
            ui.vertical(|ui| {
                ui.set_width(PAD_WIDTH);
                entry_ui(ui, scene, dialer);
                ui.add_space(8.0);
                pad_ui(ui, scene, dialer);
            });
            ui.add_space(16.0);
            ui.vertical(|ui| list_ui(ui, scene, dialer));
        });
        return;
    }
    entry_ui(ui, scene, dialer);
    ui.add_space(8.0);
    if dialer.text.chars().any(char::is_alphabetic) || ui.available_height() < 330.0 {
        call_button_ui(ui, scene, dialer, PAD_WIDTH);
    } else {
        ui.vertical(|ui| {
            ui.set_max_width(PAD_WIDTH);
            pad_ui(ui, scene, dialer);
        });
    }
    ui.add_space(8.0);
    list_ui(ui, scene, dialer);
}

/// Finds who fits, and what would be dialled.
fn plan(scene: &Scene<'_>, state: &mut DialerState) -> Plan {
    let typed = state.text.trim();
    let found = suggestions(scene, typed);
    if state.choice_for != typed {
        typed.clone_into(&mut state.choice_for);
        state.choice = Choice::Natural;
    }
    state.found = found.people.len();
    let name = typed.chars().any(char::is_alphabetic) && !typed.contains(['@', ':']);
    state.natural = name && found.people.first().is_some_and(|first| first.contact);
    let picked = match state.choice {
        Choice::Typed => None,
        Choice::Suggestion(index) => Some(index),
        Choice::Natural => state.natural.then_some(0),
    };
    let person = picked.and_then(|index| found.people.get(index));
    let target = person.map_or_else(|| typed.to_owned(), |person| person.target.clone());
    let preview = preview(scene, state.account, &target);
    Plan {
        target,
        picked,
        preview,
        read: found.read || !name || state.choice == Choice::Typed,
        found: found.people,
    }
}

/// What the account's dial plan makes of a text. A plan without a domain dials into its account's.
fn preview(
    scene: &Scene<'_>,
    account: Option<AccountId>,
    target: &str,
) -> Result<DialPreview, DialError> {
    let accounts = &scene.snapshot.accounts;
    let chosen = accounts
        .iter()
        .find(|view| Some(view.id) == account)
        .or_else(|| accounts.first());
    let Some(view) = chosen else {
        return scene.handle().dial_preview(target);
    };
    let mut plan = view.account.dial_plan.clone();
    if plan.domain.is_empty() {
        plan.domain = domain(view);
    }
    plan.preview(target)
}

fn domain(view: &AccountView) -> String {
    let (_, domain) = view.account.address.split_once('@').unwrap_or_default();
    domain.to_owned()
}

fn field_id() -> Id {
    Id::unique("dial field")
}

/// The field, the account where there are several, and what would be dialled.
fn entry_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut DialerState) {
    if ui.memory(|memory| memory.has_focus(field_id())) {
        move_choice(ui, state);
    }
    let response = ui
        .horizontal(|ui| {
            let width = ui.available_width() - 40.0;
            let response = Field::named(text::DIAL_HINT, &mut state.text)
                .hint(text::DIAL_HINT)
                .glyph(ICON_SEARCH)
                .font(font(15.0, Weight::Regular))
                .width(width)
                .id(field_id())
                .show(ui);
            let erase = Button::icon_only(ICON_BACKSPACE, text::ERASE)
                .look(Look::Bare)
                .enabled(!state.text.is_empty())
                .show(ui);
            if erase.clicked() {
                state.text.pop();
            }
            response
        })
        .inner;
    if std::mem::take(&mut state.focus) {
        response.request_focus();
    }
    let enter = response.lost_focus()
        && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Enter));
    // What was typed in this very frame counts.
    let plan = plan(scene, state);
    if enter {
        // What cannot be dialled stays, with the reason under it.
        if plan.ready() {
            dial(scene, state, plan.target.clone());
        } else {
            response.request_focus();
        }
    }
    let accounts: Vec<_> = scene
        .snapshot
        .accounts
        .iter()
        .map(|view| {
            (
                Some(view.id),
                format::bare_address(&view.account.address).to_owned(),
            )
        })
        .collect();
    if accounts.len() > 1 {
        let first = accounts.first().and_then(|(id, _)| *id);
        let chosen = state.account.or(first);
        if let Some(account) = choice_ui(ui, text::DIAL_FROM, &chosen, &accounts) {
            state.account = account;
        }
    }
    preview_ui(ui, &plan);
}

/// The arrow keys walk through the suggestions; before the first stands what was typed.
fn move_choice(ui: &Ui, state: &mut DialerState) {
    let (up, down) = ui.input_mut(|input| {
        (
            input.consume_key(Modifiers::NONE, Key::ArrowUp),
            input.consume_key(Modifiers::NONE, Key::ArrowDown),
        )
    });
    if !up && !down {
        return;
    }
    state.choice = match (state.choice, down) {
        (Choice::Typed, true) if state.found > 0 => Choice::Suggestion(0),
        (Choice::Natural, true) if state.found > 0 => {
            let first = usize::from(state.natural);
            Choice::Suggestion(first.min(state.found - 1))
        }
        (Choice::Suggestion(index), true) => {
            Choice::Suggestion((index + 1).min(state.found.saturating_sub(1)))
        }
        (Choice::Suggestion(index), false) if index > 0 => Choice::Suggestion(index - 1),
        (Choice::Typed | Choice::Natural | Choice::Suggestion(_), _) => Choice::Typed,
    };
}

fn preview_ui(ui: &mut Ui, plan: &Plan) {
    let theme = Theme::of(ui);
    if plan.target.is_empty() {
        paragraph_ui(ui, text::DIAL_EMPTY, SMALL, theme.colours.muted);
        return;
    }
    match &plan.preview {
        Ok(preview) => {
            paragraph_ui(ui, &text::dials(&preview.uri), SMALL, theme.colours.text);
            paragraph_ui(
                ui,
                &format::sentence(&preview.rule),
                SMALL,
                theme.colours.muted,
            );
            if let Some(caution) = &preview.caution {
                ui.horizontal(|ui| {
                    let ink = theme.colours.warn.text;
                    icon_ui(ui, ICON_WARNING, 14.0, ink, text::CAUTION);
                    ui.vertical(|ui| {
                        let caution = format::sentence(caution);
                        paragraph_ui(ui, &caution, SMALL, theme.colours.warn.text);
                    });
                });
            }
        }
        Err(why) => {
            let why = format::sentence(&why.to_string());
            paragraph_ui(ui, &why, SMALL, theme.colours.muted);
        }
    }
}

fn pad_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut DialerState) {
    let width = ui.available_width().min(PAD_WIDTH);
    if let Some(key) = ui.scope(|ui| keypad_ui(ui, width, 48.0)).inner {
        state.text.push_str(key);
    }
    ui.add_space(4.0);
    call_button_ui(ui, scene, state, width);
}

fn call_button_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut DialerState, width: f32) {
    let plan = plan(scene, state);
    let call = Button::new(text::CALL)
        .icon(ICON_CALL)
        .look(Look::Answer)
        .width(width)
        .height(40.0)
        .key(text::CALL_KEY)
        .enabled(plan.ready())
        .show(ui);
    if call.clicked() {
        dial(scene, state, plan.target);
    }
}

fn list_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut DialerState) {
    let plan = plan(scene, state);
    let typed = !state.text.trim().is_empty();
    if let Some(target) = suggestions_ui(ui, &plan.found, plan.picked, typed) {
        dial(scene, state, target);
    }
}

fn dial(scene: &mut Scene<'_>, state: &mut DialerState, target: String) {
    if target.is_empty() {
        return;
    }
    scene.send(Command::Call(CallTarget {
        text: target,
        account: state.account,
    }));
    state.text.clear();
}
