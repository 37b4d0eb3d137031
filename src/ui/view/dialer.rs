//! The dialer: type a name or a number, see exactly what would be dialled, dial.

use egui::{Id, Key, Modifiers, ScrollArea, Sense, Ui, Vec2};
use egui_material_icons::icons::{ICON_BACKSPACE, ICON_CALL, ICON_SEARCH, ICON_WARNING};

use super::call_row::paint_two_lines;
use super::first_run::{first_run_ui, lab_ui};
use super::keypad::keypad_ui;
use crate::base::dial_plan::{DialError, DialPreview};
use crate::control::{CallTarget, Command, Page, PageRequest};
use crate::crm::row::CallFilter;
use crate::ui::scene::Scene;
use crate::ui::state::{DialerState, ViewState};
use crate::ui::theme::{BODY, SMALL, Theme, Weight, font};
use crate::ui::widget::{
    Button, Field, Look, choice_ui, icon, line_ui, paint_avatar, paint_icon, paragraph_ui, title_ui,
};
use crate::ui::{format, person, text};

/// From this width on suggestions stand beside the keypad.
const TWO_COLUMNS: f32 = 620.0;
const PAD_WIDTH: f32 = 300.0;
const MOST: usize = 30;

/// Somebody to call.
struct Suggestion {
    name: String,
    second: String,
    target: String,
    sure: bool,
}

/// Draws the view.
pub(crate) fn dialer_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut ViewState) {
    if scene.snapshot.accounts.is_empty() && !scene.snapshot.lab {
        first_run_ui(ui, scene, state);
        return;
    }
    title_ui(ui, text::DIALER);
    ui.add_space(8.0);
    let wide = ui.available_width() >= TWO_COLUMNS;
    if scene.snapshot.lab {
        lab_ui(ui, scene);
        ui.add_space(8.0);
    }
    let dialer = &mut state.dialer;
    if wide {
        ui.horizontal_top(|ui| {
            ui.vertical(|ui| {
                ui.set_width(PAD_WIDTH);
                entry_ui(ui, scene, dialer);
                ui.add_space(8.0);
                pad_ui(ui, scene, dialer);
            });
            ui.add_space(16.0);
            ui.vertical(|ui| suggestions_ui(ui, scene, dialer));
        });
    } else {
        entry_ui(ui, scene, dialer);
        ui.add_space(8.0);
        let digits = dialer.text.chars().all(|c| !c.is_alphabetic());
        if digits && ui.available_height() > 330.0 {
            ui.vertical(|ui| {
                ui.set_max_width(PAD_WIDTH);
                pad_ui(ui, scene, dialer);
            });
            ui.add_space(8.0);
        } else {
            call_button_ui(ui, scene, dialer, PAD_WIDTH);
        }
        suggestions_ui(ui, scene, dialer);
    }
}

fn field_id() -> Id {
    Id::unique("dial field")
}

/// The field, the preview under it, and the account where there are several.
fn entry_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut DialerState) {
    let response = ui
        .horizontal(|ui| {
            let width = ui.available_width() - 40.0;
            let response = Field::named(text::DIAL_HINT, &mut state.text)
                .hint(text::DIAL_HINT)
                .glyph(ICON_SEARCH)
                .font(font(16.0, Weight::Regular))
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
    if enter {
        dial(scene, state);
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
        let chosen = state
            .account
            .or_else(|| accounts.first().and_then(|(id, _)| *id));
        if let Some(account) = choice_ui(ui, text::DIAL_FROM, &chosen, &accounts) {
            state.account = account;
        }
    }
    preview_ui(ui, scene, state);
}

/// What the account's dial plan makes of the text.
fn preview(scene: &Scene<'_>, state: &DialerState) -> Result<DialPreview, DialError> {
    let chosen = state
        .account
        .and_then(|id| scene.snapshot.accounts.iter().find(|view| view.id == id));
    match chosen {
        Some(view) => view.account.dial_plan.preview(&state.text),
        None => scene.handle().dial_preview(&state.text),
    }
}

fn preview_ui(ui: &mut Ui, scene: &Scene<'_>, state: &DialerState) {
    let theme = Theme::of(ui);
    if state.text.trim().is_empty() {
        paragraph_ui(ui, text::DIAL_EMPTY, SMALL, theme.colours.muted);
        return;
    }
    match preview(scene, state) {
        Ok(preview) => {
            paragraph_ui(ui, &text::dials(&preview.uri), SMALL, theme.colours.text);
            paragraph_ui(ui, &preview.rule, SMALL, theme.colours.muted);
            if let Some(caution) = &preview.caution {
                ui.horizontal(|ui| {
                    ui.label(icon(ICON_WARNING, 14.0, theme.colours.warn.text))
                        .accessible_name(text::MAYBE);
                    paragraph_ui(ui, caution, SMALL, theme.colours.warn.text);
                });
            }
        }
        Err(why) => paragraph_ui(ui, &why.to_string(), SMALL, theme.colours.muted),
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
    let can = !state.text.trim().is_empty();
    let call = Button::new(text::CALL)
        .icon(ICON_CALL)
        .look(Look::Answer)
        .width(width)
        .height(40.0)
        .key(text::CALL_KEY)
        .enabled(can)
        .show(ui);
    if call.clicked() {
        dial(scene, state);
    }
}

/// Dials what was typed; a name that fits one contact dials that contact's first number.
fn dial(scene: &mut Scene<'_>, state: &mut DialerState) {
    let typed = state.text.trim();
    if typed.is_empty() {
        return;
    }
    let target = if preview(scene, state).is_ok() {
        typed.to_owned()
    } else {
        let mut found = contacts(scene, typed).into_iter();
        match (found.next(), found.next()) {
            (Some(only), None) => only.target,
            (Some(_) | None, _) => typed.to_owned(),
        }
    };
    scene.send(Command::Call(CallTarget {
        text: target,
        account: state.account,
    }));
    state.text.clear();
}

/// Contacts that fit, one entry for each number.
fn contacts(scene: &Scene<'_>, typed: &str) -> Vec<Suggestion> {
    let page = scene.page(&PageRequest::Contacts {
        search: typed.to_owned(),
        offset: 0,
    });
    let Some(Page::Contacts { rows, .. }) = page.as_deref() else {
        return Vec::new();
    };
    rows.iter()
        .flat_map(|contact| {
            contact.numbers.iter().map(move |number| Suggestion {
                name: contact.name.clone(),
                second: format!("{} · {}", number.label, number.raw),
                target: number.e164.clone().unwrap_or_else(|| number.raw.clone()),
                sure: true,
            })
        })
        .take(MOST)
        .collect()
}

/// Calls that fit, each number once.
fn recent(scene: &Scene<'_>, typed: &str) -> Vec<Suggestion> {
    let page = scene.page(&PageRequest::Calls {
        filter: CallFilter::All,
        search: typed.to_owned(),
        after: None,
    });
    let Some(Page::Calls(page)) = page.as_deref() else {
        return Vec::new();
    };
    let mut found: Vec<Suggestion> = Vec::new();
    for row in &page.rows {
        let target = row.e164.clone().unwrap_or_else(|| row.remote.clone());
        if found.iter().any(|known| known.target == target) {
            continue;
        }
        let number = format::number(&target, &scene.snapshot);
        let (name, _) = person::of_row(row, &number);
        let when = format::when(row.started_at, scene.now.wall, &scene.now.zone);
        let sure = person::row_is_sure(row);
        let second = if sure {
            format!("{number} · {when}")
        } else {
            when
        };
        found.push(Suggestion {
            name,
            second,
            target,
            sure,
        });
        if found.len() == MOST {
            break;
        }
    }
    found
}

fn suggestions_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut DialerState) {
    let theme = Theme::of(ui);
    let typed = state.text.trim().to_owned();
    let people = if typed.is_empty() {
        Vec::new()
    } else {
        contacts(scene, &typed)
    };
    let mut calls = recent(scene, &typed);
    calls.retain(|call| people.iter().all(|person| person.target != call.target));
    let nothing = people.is_empty() && calls.is_empty();
    theme.card().show(ui, |ui| {
        ui.set_width(ui.available_width());
        if nothing {
            let words = if typed.is_empty() {
                text::NO_CALLS_WHY
            } else {
                text::NO_MATCHES
            };
            paragraph_ui(ui, words, BODY, theme.colours.muted);
            return;
        }
        let mut chosen = None;
        ScrollArea::vertical()
            .auto_shrink([false, true])
            .show(ui, |ui| {
                for (title, list) in [(text::MATCHES, &people), (text::RECENT, &calls)] {
                    if list.is_empty() {
                        continue;
                    }
                    line_ui(ui, title, font(12.0, Weight::Medium), theme.colours.muted);
                    ui.spacing_mut().item_spacing.y = 0.0;
                    for (index, suggestion) in list.iter().enumerate() {
                        ui.push_id((title, index), |ui| {
                            if suggestion_ui(ui, suggestion) {
                                chosen = Some(suggestion.target.clone());
                            }
                        });
                    }
                }
            });
        if let Some(target) = chosen {
            scene.send(Command::Call(CallTarget {
                text: target,
                account: state.account,
            }));
            state.text.clear();
        }
    });
}

fn suggestion_ui(ui: &mut Ui, suggestion: &Suggestion) -> bool {
    let theme = Theme::of(ui);
    let size = Vec2::new(ui.available_width(), theme.height.row);
    let (place, response) = ui.allocate_exact_size(size, Sense::click());
    let name = text::call_person(&crate::ui::display_text::clean_line(&suggestion.name));
    response.widget_info(|| {
        egui::WidgetInfo::labeled(
            egui::Role::Button,
            true,
            format!("{name}, {}", suggestion.second),
        )
    });
    let painter = ui.painter();
    let pointed = response.hovered() || response.has_focus();
    if pointed {
        painter.rect_filled(
            place,
            egui::CornerRadius::same(theme.radius.control),
            theme.colours.row_hover,
        );
    }
    let sure = suggestion.sure.then_some(suggestion.name.as_str());
    let centre = egui::pos2(place.left() + 23.0, place.center().y);
    paint_avatar(painter, theme, centre, 30.0, sure);
    let words = place
        .with_min_x(place.left() + 46.0)
        .with_max_x(place.right() - 40.0);
    paint_two_lines(
        painter,
        theme,
        words,
        &suggestion.name,
        Some(&suggestion.second),
    );
    if pointed {
        paint_icon(
            painter,
            egui::pos2(place.right() - 20.0, place.center().y),
            ICON_CALL,
            18.0,
            theme.colours.good.text,
        );
    }
    response.clicked()
}
