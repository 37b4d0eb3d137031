//! Whom a typed text may mean: contacts first, then recent calls.

use egui::{CornerRadius, Role, ScrollArea, Sense, StrokeKind, Ui, Vec2, WidgetInfo};
use egui_material_icons::icons::ICON_CALL;

use super::call_row::paint_two_lines;
use crate::control::{Page, PageRequest};
use crate::crm::row::CallFilter;
use crate::ui::display_text::clean_line;
use crate::ui::scene::Scene;
use crate::ui::theme::{BODY, Theme, Weight, font};
use crate::ui::widget::{line_ui, paint_avatar, paint_icon, paragraph_ui};
use crate::ui::{format, person, text};

/// How many of each kind are shown.
const MOST: usize = 30;

/// Somebody to call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Suggestion {
    name: String,
    second: String,
    /// What is dialled.
    pub(crate) target: String,
    /// Whether it is a contact, not a call.
    pub(crate) contact: bool,
    sure: bool,
}

/// Everybody who fits.
pub(crate) struct Found {
    /// Contacts first, then calls.
    pub(crate) people: Vec<Suggestion>,
    /// Whether the contacts are read.
    pub(crate) read: bool,
}

/// Finds who fits; without a text the recent calls.
pub(crate) fn suggestions(scene: &Scene<'_>, typed: &str) -> Found {
    let contacts = if typed.is_empty() {
        Some(Vec::new())
    } else {
        contacts(scene, typed)
    };
    let read = contacts.is_some();
    let mut people = contacts.unwrap_or_default();
    for call in recent(scene, typed) {
        if people.iter().all(|known| known.target != call.target) {
            people.push(call);
        }
    }
    Found { people, read }
}

/// Contacts that fit, one entry for each number; none while they are read for the first time.
fn contacts(scene: &Scene<'_>, typed: &str) -> Option<Vec<Suggestion>> {
    let page = scene.page(&PageRequest::Contacts {
        search: typed.to_owned(),
        after: None,
    })?;
    let Page::Contacts(page) = page.as_ref() else {
        return Some(Vec::new());
    };
    let each = page.rows.iter().flat_map(|contact| {
        contact.numbers.iter().map(move |number| Suggestion {
            name: contact.name.clone(),
            second: format!("{} · {}", number.label, number.raw),
            target: number.e164.clone().unwrap_or_else(|| number.raw.clone()),
            contact: true,
            sure: true,
        })
    });
    Some(each.take(MOST).collect())
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
            contact: false,
            sure,
        });
        if found.len() == MOST {
            break;
        }
    }
    found
}

/// Draws them; gives the target of the one that was clicked.
pub(crate) fn suggestions_ui(
    ui: &mut Ui,
    found: &[Suggestion],
    picked: Option<usize>,
    typed: bool,
) -> Option<String> {
    let theme = Theme::of(ui);
    let mut clicked = None;
    theme.card().show(ui, |ui| {
        ui.set_width(ui.available_width());
        if found.is_empty() {
            let words = if typed {
                text::NO_MATCHES
            } else {
                text::NO_CALLS_WHY
            };
            paragraph_ui(ui, words, BODY, theme.colours.muted);
            return;
        }
        ScrollArea::vertical()
            .auto_shrink([false, true])
            .show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = 0.0;
                let mut before = None;
                for (index, suggestion) in found.iter().enumerate() {
                    if before != Some(suggestion.contact) {
                        before = Some(suggestion.contact);
                        let title = if suggestion.contact {
                            text::MATCHES
                        } else {
                            text::RECENT
                        };
                        line_ui(ui, title, font(12.0, Weight::Medium), theme.colours.muted);
                        ui.add_space(4.0);
                    }
                    let chosen = picked == Some(index);
                    let row = ui
                        .push_id(index, |ui| suggestion_ui(ui, suggestion, chosen))
                        .inner;
                    if row {
                        clicked = Some(suggestion.target.clone());
                    }
                }
            });
    });
    clicked
}

fn suggestion_ui(ui: &mut Ui, suggestion: &Suggestion, chosen: bool) -> bool {
    let theme = Theme::of(ui);
    let size = Vec2::new(ui.available_width(), theme.height.row);
    let (place, response) = ui.allocate_exact_size(size, Sense::click());
    let name = text::call_person(&clean_line(&suggestion.name));
    response.widget_info(|| {
        let words = format!("{name}, {}", suggestion.second);
        WidgetInfo::selected(Role::Button, true, chosen, words)
    });
    let painter = ui.painter();
    let pointed = response.hovered() || response.has_focus();
    if pointed || chosen {
        let fill = if chosen {
            theme.colours.chosen.tint
        } else {
            theme.colours.row_hover
        };
        let radius = CornerRadius::same(theme.radius.control);
        let lit = place.shrink2(Vec2::new(0.0, 1.0));
        painter.rect_filled(lit, radius, fill);
        if response.has_focus() {
            painter.rect_stroke(lit, radius, theme.focus(), StrokeKind::Inside);
        }
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
    if pointed || chosen {
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
