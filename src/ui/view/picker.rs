//! Looks for a record by a few letters: a list below a field, of which Enter takes the first.

use egui::{Key, Ui};
use egui_material_icons::icons::ICON_SEARCH;

use super::call_row::paint_two_lines;
use crate::base::id::{ContactId, OrganizationId};
use crate::control::{Page, PageRequest, WorkPage, WorkRequest};
use crate::ui::display_text::clean_line;
use crate::ui::scene::Scene;
use crate::ui::state::Picker;
use crate::ui::theme::{SMALL, Theme};
use crate::ui::widget::{
    Button, Field, Look, framed_ui, line_ui, paint_avatar, paragraph_ui, row_ui,
};
use crate::ui::{format, text};

/// So many are shown: who types on needs no more.
const MOST: usize = 6;

/// What may be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// Contacts and leads, but for one.
    People {
        /// Who is not meant.
        but: Option<ContactId>,
    },
    /// Organizations, too.
    Everybody,
}

/// What was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Picked {
    /// A contact or lead, and the name.
    Contact(ContactId, String),
    /// An organization, and the name.
    Organization(OrganizationId, String),
    /// The search is over without.
    Nobody,
}

/// A row that may be chosen.
struct Candidate {
    picked: Picked,
    name: String,
    under: String,
}

/// Draws it; gives what was chosen in this frame.
pub(crate) fn picker_ui(
    ui: &mut Ui,
    scene: &Scene<'_>,
    picker: &mut Picker,
    question: &str,
    wanted: Found,
) -> Option<Picked> {
    let mut picked = None;
    framed_ui(ui, |ui| {
        let theme = Theme::of(ui);
        // Escape leaves the field, and with it the search.
        let escaped = ui.input(|input| input.key_pressed(Key::Escape));
        let field = Field::labelled(question, &mut picker.text)
            .hint(text::PICK_HINT)
            .glyph(ICON_SEARCH)
            .show(ui);
        if !std::mem::replace(&mut picker.focused, true) {
            field.request_focus();
        }
        let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        if field.lost_focus() && escaped {
            picked = Some(Picked::Nobody);
        }
        let typed = picker.text.trim();
        if typed.chars().count() < 2 {
            line_ui(ui, text::PICK_KEYS, SMALL, theme.colours.muted);
        } else {
            picked = candidates_ui(ui, scene, typed, wanted, entered).or_else(|| picked.take());
        }
        if Button::new(text::CANCEL)
            .look(Look::Bare)
            .show(ui)
            .clicked()
        {
            picked = Some(Picked::Nobody);
        }
    });
    picked
}

fn candidates_ui(
    ui: &mut Ui,
    scene: &Scene<'_>,
    typed: &str,
    wanted: Found,
    entered: bool,
) -> Option<Picked> {
    let theme = Theme::of(ui);
    let page = scene.page(&PageRequest::Work(WorkRequest::Find(typed.to_owned())));
    let candidates = match page.as_deref() {
        Some(Page::Work(WorkPage::Found(found))) => candidates(found, wanted),
        Some(Page::Failed(why)) => {
            let why = format::sentence(why);
            paragraph_ui(ui, &why, SMALL, theme.colours.bad.text);
            return None;
        }
        Some(_) | None => {
            line_ui(ui, text::LOADING, SMALL, theme.colours.muted);
            return None;
        }
    };
    if candidates.is_empty() {
        line_ui(ui, text::NOBODY_FOUND, SMALL, theme.colours.muted);
        return None;
    }
    let mut picked = None;
    ui.spacing_mut().item_spacing.y = 0.0;
    for (place, candidate) in candidates.into_iter().enumerate() {
        let clicked = ui.push_id(place, |ui| candidate_ui(ui, &candidate)).inner;
        if clicked || (entered && place == 0) {
            picked = Some(candidate.picked);
        }
    }
    picked
}

fn candidate_ui(ui: &mut Ui, candidate: &Candidate) -> bool {
    let theme = Theme::of(ui);
    let name = clean_line(&format!("{}, {}", candidate.name, candidate.under));
    let (place, response) = row_ui(ui, name.trim_end_matches(", "), false);
    let avatar = egui::pos2(place.left() + 20.0, place.center().y);
    paint_avatar(ui.painter(), theme, avatar, 26.0, Some(&candidate.name));
    let words = place
        .with_min_x(place.left() + 42.0)
        .with_max_x(place.right() - 6.0);
    let under = Some(candidate.under.as_str());
    paint_two_lines(ui.painter(), theme, words, &candidate.name, under);
    response.clicked()
}

fn candidates(found: &crate::crm::row::Found, wanted: Found) -> Vec<Candidate> {
    let shown = |name: &str| {
        let name = clean_line(name);
        if name.is_empty() {
            text::NO_NAME.to_owned()
        } else {
            name
        }
    };
    let but = match wanted {
        Found::People { but } => but,
        Found::Everybody => None,
    };
    let people = found.contacts.iter().filter(|row| Some(row.id) != but);
    let people = people.map(|row| {
        let facts = [
            row.stage.map(|_| text::LEAD),
            row.organization_name.as_deref(),
            row.numbers.first().map(|number| number.raw.as_str()),
        ];
        Candidate {
            picked: Picked::Contact(row.id, row.name.clone()),
            name: shown(&row.name),
            under: facts.into_iter().flatten().collect::<Vec<_>>().join(" · "),
        }
    });
    let organizations = match wanted {
        Found::People { .. } => &[][..],
        Found::Everybody => &found.organizations,
    };
    let organizations = organizations.iter().map(|row| Candidate {
        picked: Picked::Organization(row.id, row.name.clone()),
        name: shown(&row.name),
        under: text::ORGANIZATION.to_owned(),
    });
    let mut candidates: Vec<Candidate> = people.take(MOST).collect();
    candidates.extend(organizations.take(MOST - candidates.len().min(MOST - 2)));
    candidates
}
