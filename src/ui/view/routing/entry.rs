//! One line of a list of the settings, with the way to change and to delete it.

use egui::{Rect, Ui, Vec2};
use egui_material_icons::icons::ICON_DELETE;

use crate::ui::display_text::clean_line;
use crate::ui::text;
use crate::ui::theme::{BODY, Theme, Tone, Weight, font};
use crate::ui::view::call_row::paint_two_lines;
use crate::ui::widget::{
    Button, Look, describe, line_ui, paint_pill, paragraph_ui, pill_width, row_ui,
};

/// What was pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pressed {
    /// The line itself.
    Open,
    /// The bin, for the first time.
    Delete,
    /// That it may go.
    DeleteSure,
    /// That it stays.
    Keep,
}

/// What a line says.
pub(super) struct Entry<'a> {
    pub(super) title: &'a str,
    pub(super) under: &'a str,
    pub(super) pill: Option<(&'a str, Tone)>,
    /// Whether deletion waits for a second click.
    pub(super) deleting: bool,
    /// The room that others need before the bin.
    pub(super) room: f32,
}

impl Entry<'_> {
    /// Draws it; gives what was pressed.
    pub(super) fn show(&self, ui: &mut Ui) -> Option<Pressed> {
        self.show_with(ui, |_ui, _place| {})
    }

    /// The same, with further controls that stand before the bin.
    pub(super) fn show_with(
        &self,
        ui: &mut Ui,
        others: impl FnOnce(&mut Ui, Rect),
    ) -> Option<Pressed> {
        let theme = Theme::of(ui);
        let title = clean_line(self.title);
        let name = match self.pill {
            Some((word, _)) => format!("{title}, {word}"),
            None => title.clone(),
        };
        let (place, response) = row_ui(ui, &name, self.deleting);
        let mut pressed = response.clicked().then_some(Pressed::Open);
        let middle = place.center().y;
        let mut right = place.right() - 4.0;
        let mut button = |width: f32| {
            right -= width;
            let cell = Rect::from_min_size(
                egui::pos2(right, middle - 15.0),
                Vec2::new(width - 4.0, 30.0),
            );
            (cell, right)
        };
        let id = ui.scope_id();
        let left = if self.deleting {
            let (last, _) = button(88.0);
            let (cell, left) = button(134.0);
            let sure = Button::new(text::DELETE_SURE).look(Look::Danger);
            let keep = Button::new(text::CANCEL);
            if sure.put(ui, cell, id.with("sure")).clicked() {
                pressed = Some(Pressed::DeleteSure);
            }
            if keep.put(ui, last, id.with("keep")).clicked() {
                pressed = Some(Pressed::Keep);
            }
            left
        } else {
            let (cell, left) = button(36.0);
            others(ui, place);
            let delete = text::delete_named(&title);
            let bin = Button::icon_only(ICON_DELETE, &delete).look(Look::Bare);
            if bin.put(ui, cell, id.with("delete")).clicked() {
                pressed = Some(Pressed::Delete);
            }
            left - self.room
        };
        let painter = ui.painter();
        let mut edge = left - 4.0;
        if let Some((word, tone)) = self.pill.filter(|_| !self.deleting) {
            edge -= pill_width(painter, word) + 4.0;
            paint_pill(painter, egui::pos2(edge, middle), word, tone);
        }
        let words = place.with_min_x(place.left() + 10.0).with_max_x(edge - 6.0);
        paint_two_lines(painter, theme, words, &title, Some(self.under));
        describe(ui, &response, self.under);
        pressed
    }
}

/// Draws the head of a form.
pub(super) fn form_head_ui(ui: &mut Ui, title: &str) {
    let theme = Theme::of(ui);
    line_ui(ui, title, font(15.0, Weight::SemiBold), theme.colours.text);
    ui.add_space(4.0);
}

/// Tells what is wrong with a form, beside the button that was pressed: its head may be out of sight.
pub(super) fn problem_ui(ui: &mut Ui, problem: Option<&String>) {
    if let Some(problem) = problem {
        let bad = Theme::of(ui).colours.bad.text;
        paragraph_ui(ui, problem, BODY, bad);
    }
}

/// Draws what is wrong, and the buttons that end a form: whether it is to be saved, and whether it is to be
/// left.
pub(super) fn form_end_ui(ui: &mut Ui, problem: Option<&String>) -> (bool, bool) {
    problem_ui(ui, problem);
    ui.horizontal(|ui| {
        let save = Button::new(text::SAVE).look(Look::Primary).width(110.0);
        let save = save.show(ui).clicked();
        let leave = Button::new(text::CANCEL).width(110.0).show(ui).clicked();
        (save, leave)
    })
    .inner
}
