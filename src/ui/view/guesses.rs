//! Guesses of whose a number is, from texts: where each was found and when, and what the agent says of it.

use std::collections::BTreeMap;

use egui::Ui;
use egui_material_icons::icons::{ICON_CHECK, ICON_CLOSE, ICON_HELP};

use super::picker::{Found, Picked, picker_ui};
use crate::base::id::{ContactId, HintId};
use crate::control::{Command, Page, PageRequest, RecordChange, WorkPage, WorkRequest};
use crate::crm::row::{HintFilter, HintRow, HintVerdict};
use crate::ui::display_text::{clean_line, shown_line};
use crate::ui::scene::Scene;
use crate::ui::state::{GuessesState, Picker};
use crate::ui::theme::{BODY, SMALL, Theme, Weight, font};
use crate::ui::widget::{Button, Look, framed_ui, line_ui, paragraph_ui, pill_ui};
use crate::ui::{format, text};

/// Draws the guesses that a filter finds, where there are any.
pub(crate) fn guesses_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut GuessesState,
    of: HintFilter,
) {
    let page = scene.page(&PageRequest::Work(WorkRequest::Hints(of)));
    let Some(Page::Work(WorkPage::Hints(rows))) = page.as_deref() else {
        // They are a help beside other things: those say what cannot be read.
        return;
    };
    if rows.is_empty() {
        return;
    }
    let theme = Theme::of(ui);
    ui.add_space(8.0);
    line_ui(
        ui,
        text::GUESSES,
        font(12.0, Weight::Medium),
        theme.colours.text,
    );
    paragraph_ui(ui, text::GUESSES_WHY, SMALL, theme.colours.muted);
    for (newest, more) in people(rows) {
        ui.push_id(newest.id, |ui| {
            framed_ui(ui, |ui| guess_ui(ui, scene, state, newest, more));
        });
    }
}

/// The newest text for each person and number, and how many others say the same.
fn people(rows: &[HintRow]) -> Vec<(&HintRow, usize)> {
    type Key<'a> = (Option<ContactId>, Option<&'a str>, &'a str);
    let mut places: BTreeMap<Key<'_>, usize> = BTreeMap::new();
    let mut people: Vec<(&HintRow, usize)> = Vec::new();
    for row in rows {
        let key = (row.contact, row.email.as_deref(), row.number.as_str());
        let place = *places.entry(key).or_insert(people.len());
        match people.get_mut(place) {
            Some((_, more)) => *more += 1,
            None => people.push((row, 0)),
        }
    }
    people
}

/// The name, else the address.
fn name(hint: &HintRow) -> String {
    let name = [&hint.name, &hint.email].into_iter().flatten().next();
    let name = name.map(|name| clean_line(name)).unwrap_or_default();
    if name.is_empty() {
        text::NAMELESS.to_owned()
    } else {
        name
    }
}

fn guess_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut GuessesState,
    hint: &HintRow,
    more: usize,
) {
    let theme = Theme::of(ui);
    let name = name(hint);
    ui.horizontal(|ui| {
        pill_ui(ui, text::MAYBE, Some(ICON_HELP), |theme| theme.colours.warn);
        line_ui(ui, &name, font(13.0, Weight::Medium), theme.colours.text);
    });
    line_ui(ui, &hint.raw, BODY, theme.colours.text);
    paragraph_ui(
        ui,
        &format::sentence(&hint.reason()),
        SMALL,
        theme.colours.muted,
    );
    let mut said = format::when(hint.said_at, scene.now.wall, &scene.now.zone);
    if more > 0 {
        said = format!("{said}, {}", text::more_texts(more));
    }
    line_ui(ui, &said, SMALL, theme.colours.muted);
    let assigning = matches!(&state.assigning, Some((id, _)) if *id == hint.id);
    let (number, shown) = (clean_line(&hint.raw), shown_line(&name));
    ui.horizontal_wrapped(|ui| {
        let confirm = Button::new(text::CONFIRM)
            .icon(ICON_CHECK)
            .look(Look::Primary)
            .name(&text::confirm_guess(&number, &shown))
            .height(28.0)
            .show(ui);
        if confirm.clicked() {
            judge(scene, hint.id, HintVerdict::Confirm);
        }
        let reject = Button::new(text::REJECT)
            .icon(ICON_CLOSE)
            .name(&text::reject_guess(&number, &shown))
            .height(28.0)
            .show(ui);
        if reject.clicked() {
            judge(scene, hint.id, HintVerdict::Reject);
        }
        let look = if assigning {
            Look::Chosen
        } else {
            Look::Outlined
        };
        let assign = Button::new(text::ASSIGN)
            .look(look)
            .name(&text::assign_guess(&number, &shown))
            .height(28.0)
            .show(ui);
        if assign.clicked() {
            state.assigning = (!assigning).then(|| (hint.id, Picker::default()));
        }
    });
    let Some((_, picker)) = state.assigning.as_mut().filter(|(id, _)| *id == hint.id) else {
        return;
    };
    let found = Found::People { but: hint.contact };
    match picker_ui(ui, scene, picker, text::ASSIGN_TO, found) {
        Some(Picked::Contact(contact, _)) => {
            judge(scene, hint.id, HintVerdict::Assign(contact));
            state.assigning = None;
        }
        Some(Picked::Nobody) => state.assigning = None,
        Some(Picked::Organization(..)) | None => {}
    }
}

fn judge(scene: &mut Scene<'_>, hint: HintId, verdict: HintVerdict) {
    scene.send(Command::ChangeRecords(RecordChange::JudgeHint(
        hint, verdict,
    )));
}
