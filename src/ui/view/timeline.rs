//! What happened around a record: its calls, notes, tickets and tasks, and a place for a new note.

use egui::{Response, Ui};
use egui_material_icons::MaterialIcon;
use egui_material_icons::icons::{
    ICON_CONFIRMATION_NUMBER, ICON_DELETE, ICON_STICKY_NOTE_2, ICON_TASK_ALT,
};
use jiff::Timestamp;

use super::call_row::paint_two_lines;
use super::goto::Goto;
use super::waiting::waiting_ui;
use crate::base::id::NoteId;
use crate::control::{Command, Page, PageRequest, RecordChange, WorkPage, WorkRequest};
use crate::crm::row::{NoteRow, Subject, TimelineEntry};
use crate::ui::display_text::clean_line;
use crate::ui::scene::Scene;
use crate::ui::state::TimelineState;
use crate::ui::theme::{BODY, SMALL, Theme, Tone, Weight, font};
use crate::ui::widget::{
    Button, Field, Line, Look, at_end_ui, describe, line_ui, paint_icon, paint_line, paint_pill,
    paragraph_ui, pill_width, row_ui,
};
use crate::ui::{format, keys, outcome, text};

/// Draws it; gives what was clicked.
pub(crate) fn timeline_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut TimelineState,
    about: Subject,
) -> Option<Goto> {
    let theme = Theme::of(ui);
    if state.about != Some(about) {
        *state = TimelineState {
            about: Some(about),
            ..TimelineState::default()
        };
    }
    line_ui(
        ui,
        text::TIMELINE,
        font(12.0, Weight::Medium),
        theme.colours.muted,
    );
    new_note_ui(ui, scene, state, about);
    let mut clicked = None;
    let mut any = false;
    for index in 0..=state.earlier.len() {
        let after = index
            .checked_sub(1)
            .and_then(|index| state.earlier.get(index).copied());
        let page = scene.page(&PageRequest::Work(WorkRequest::Timeline { about, after }));
        let Some(Page::Work(WorkPage::Timeline { entries, next })) = page.as_deref() else {
            waiting_ui(ui, page.as_deref(), ICON_STICKY_NOTE_2);
            return clicked;
        };
        for (place, entry) in entries.iter().enumerate() {
            any = true;
            let went = ui.push_id((index, place), |ui| entry_ui(ui, scene, state, entry));
            clicked = went.inner.or(clicked);
        }
        if let Some(next) = next.filter(|_| index == state.earlier.len())
            && Button::new(text::EARLIER)
                .look(Look::Bare)
                .show(ui)
                .clicked()
        {
            state.earlier.push(next);
        }
    }
    if !any {
        line_ui(ui, text::NOTHING_HAPPENED, SMALL, theme.colours.muted);
    }
    clicked
}

fn new_note_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut TimelineState, about: Subject) {
    Field::named(text::NEW_NOTE, &mut state.note)
        .hint(text::NEW_NOTE_HINT)
        .rows(2)
        .show(ui);
    let typed = !state.note.trim().is_empty();
    if typed {
        let add = Button::new(text::ADD_NOTE)
            .look(Look::Primary)
            .icon(ICON_STICKY_NOTE_2)
            .show(ui);
        if add.clicked() {
            let note = NoteRow {
                id: NoteId(0),
                about,
                at: scene.now.wall,
                author: scene.snapshot.settings.agent.clone(),
                text: std::mem::take(&mut state.note).trim().to_owned(),
            };
            scene.send(Command::ChangeRecords(RecordChange::SaveNote(note)));
        }
    }
    ui.add_space(4.0);
}

fn entry_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    state: &mut TimelineState,
    entry: &TimelineEntry,
) -> Option<Goto> {
    let theme = Theme::of(ui);
    match entry {
        TimelineEntry::Call(call) => {
            let (arrow, _) = outcome::arrow(call);
            let (word, tone) = outcome::of_row(call, theme);
            let note = call.notes.lines().find(|line| !line.trim().is_empty());
            let title = match note {
                Some(note) => clean_line(note),
                None => format::number(
                    call.e164.as_deref().unwrap_or(&call.remote),
                    &scene.snapshot,
                ),
            };
            let under = match call.talking_millis {
                Some(_) => format::length(call.talking_millis),
                None => String::new(),
            };
            let recorded = call.recording.is_some();
            let under = if recorded && !under.is_empty() {
                text::recorded(&under)
            } else {
                under
            };
            let row = Row {
                icon: arrow,
                title: &title,
                under: &under,
                pill: Some((word, tone)),
                at: entry.at(),
            };
            let response = row.show(ui, scene);
            if recorded && response.has_focus() && keys::play_pressed(ui) {
                return Some(Goto::Play(call.id));
            }
            response.clicked().then_some(Goto::Call(call.id))
        }
        TimelineEntry::Ticket(ticket) => {
            let number = text::ticket_number(ticket.id.0);
            let row = Row {
                icon: ICON_CONFIRMATION_NUMBER,
                title: &super::tickets::shown_title(ticket),
                under: &number,
                pill: Some(super::tickets::state_pill(ticket.state, theme)),
                at: entry.at(),
            };
            let response = row.show(ui, scene);
            response.clicked().then_some(Goto::ticket(ticket.id))
        }
        TimelineEntry::Task(task) => {
            let due = task.due_at.map_or_else(String::new, |due| {
                format::when(due, scene.now.wall, &scene.now.zone)
            });
            let done = task.done_at.is_some();
            let pill = if done {
                (text::DONE_TASKS, theme.colours.good)
            } else {
                (text::TASK_OPEN, theme.colours.neutral)
            };
            let row = Row {
                icon: ICON_TASK_ALT,
                title: &clean_line(&task.title),
                under: &due,
                pill: Some(pill),
                at: entry.at(),
            };
            if row.show(ui, scene).clicked() {
                let change = RecordChange::TaskDone(task.id, !done);
                scene.send(Command::ChangeRecords(change));
            }
            None
        }
        TimelineEntry::Note(note) => {
            note_ui(ui, scene, state, note);
            None
        }
    }
}

/// The room for what can be done with a note.
fn note_buttons(ui: &Ui) -> f32 {
    let words = [text::CANCEL, text::DELETE_SURE].map(|word| Button::new(word).natural_width(ui));
    words.iter().sum::<f32>() + 3.0 * ui.spacing().item_spacing.x
}

/// A note is read whole.
fn note_ui(ui: &mut Ui, scene: &mut Scene<'_>, state: &mut TimelineState, note: &NoteRow) {
    let theme = Theme::of(ui);
    ui.add_space(4.0);
    ui.horizontal(|ui| {
        let when = format::when(note.at, scene.now.wall, &scene.now.zone);
        let head = if note.author.is_empty() {
            when
        } else {
            format!("{} · {when}", clean_line(&note.author))
        };
        // However long the name is, the buttons stand beside it.
        let room = (ui.available_width() - note_buttons(ui)).max(40.0);
        ui.scope(|ui| {
            ui.set_max_width(room);
            line_ui(ui, &head, SMALL, theme.colours.muted);
        });
        at_end_ui(ui, |ui| {
            if state.deleting == Some(note.id) {
                let stay = Button::new(text::CANCEL).height(24.0);
                if stay.show(ui).clicked() {
                    state.deleting = None;
                }
                let sure = Button::new(text::DELETE_SURE)
                    .look(Look::Danger)
                    .height(24.0);
                if sure.show(ui).clicked() {
                    state.deleting = None;
                    let change = RecordChange::DeleteNote(note.id);
                    scene.send(Command::ChangeRecords(change));
                }
            } else if Button::icon_only(ICON_DELETE, text::DELETE_NOTE)
                .look(Look::Bare)
                .height(24.0)
                .show(ui)
                .clicked()
            {
                state.deleting = Some(note.id);
            }
        });
    });
    paragraph_ui(ui, &note.text, BODY, theme.colours.text);
    ui.add_space(4.0);
}

/// One line of it.
struct Row<'a> {
    icon: MaterialIcon,
    title: &'a str,
    under: &'a str,
    pill: Option<(&'static str, Tone)>,
    at: Timestamp,
}

impl Row<'_> {
    fn show(&self, ui: &mut Ui, scene: &Scene<'_>) -> Response {
        let theme = Theme::of(ui);
        let when = format::when(self.at, scene.now.wall, &scene.now.zone);
        let word = self.pill.map_or("", |(word, _)| word);
        let name = format!("{}, {word}, {when}", self.title);
        let (place, response) = row_ui(ui, &name, false);
        let painter = ui.painter();
        let middle = place.center().y;
        let icon = egui::pos2(place.left() + 14.0, middle);
        paint_icon(painter, icon, self.icon, 18.0, theme.colours.muted);
        let width = painter
            .layout_no_wrap(when.clone(), SMALL, theme.colours.muted)
            .size()
            .x;
        let line = Line {
            text: &when,
            font: SMALL,
            colour: theme.colours.muted,
        };
        let mut right = place.right() - 6.0 - width;
        paint_line(
            painter,
            place.with_min_x(right).with_max_x(place.right()),
            &line,
        );
        if let Some((word, tone)) = self.pill {
            right -= pill_width(painter, word) + 8.0;
            paint_pill(painter, egui::pos2(right, middle), word, tone);
        }
        let words = place
            .with_min_x(place.left() + 34.0)
            .with_max_x(right - 8.0);
        paint_two_lines(painter, theme, words, self.title, Some(self.under));
        describe(ui, &response, self.under);
        response
    }
}
