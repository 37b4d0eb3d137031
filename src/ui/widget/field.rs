//! Fields, choices and switches, each with its label.

use egui::{Id, Margin, Response, RichText, TextEdit, Ui};
use egui_material_icons::MaterialIcon;

use super::label::paint_icon;
use crate::ui::display_text::shown_line;
use crate::ui::theme::{BODY, SMALL, Theme};

/// A field for one line or several.
#[must_use]
pub(crate) struct Field<'a> {
    text: &'a mut String,
    name: &'a str,
    labelled: bool,
    hint: &'a str,
    glyph: Option<MaterialIcon>,
    rows: usize,
    password: bool,
    width: f32,
    font: egui::FontId,
    id: Option<Id>,
    limit: usize,
}

impl<'a> Field<'a> {
    /// A field with its label above.
    pub(crate) fn labelled(name: &'a str, text: &'a mut String) -> Self {
        Self {
            text,
            name,
            labelled: true,
            hint: "",
            glyph: None,
            rows: 1,
            password: false,
            width: f32::INFINITY,
            font: BODY,
            id: None,
            limit: 10_000,
        }
    }

    /// A field whose name only screen readers say.
    pub(crate) fn named(name: &'a str, text: &'a mut String) -> Self {
        Self {
            labelled: false,
            ..Self::labelled(name, text)
        }
    }

    /// What stands there while it is empty.
    pub(crate) fn hint(mut self, hint: &'a str) -> Self {
        self.hint = hint;
        self
    }

    /// An icon at its left.
    pub(crate) fn glyph(mut self, glyph: MaterialIcon) -> Self {
        self.glyph = Some(glyph);
        self
    }

    /// How many lines are visible; more than one makes it a text of several lines.
    pub(crate) fn rows(mut self, rows: usize) -> Self {
        self.rows = rows;
        self
    }

    /// Hides what is typed.
    pub(crate) fn password(mut self) -> Self {
        self.password = true;
        self
    }

    /// Makes it so wide.
    pub(crate) fn width(mut self, width: f32) -> Self {
        self.width = width;
        self
    }

    /// Another size of text.
    pub(crate) fn font(mut self, font: egui::FontId) -> Self {
        self.font = font;
        self
    }

    /// A fixed id, so that the keyboard can be sent here.
    pub(crate) fn id(mut self, id: Id) -> Self {
        self.id = Some(id);
        self
    }

    /// Adds it.
    pub(crate) fn show(self, ui: &mut Ui) -> Response {
        let theme = Theme::of(ui);
        let label = self.labelled.then(|| {
            ui.spacing_mut().item_spacing.y = 4.0;
            ui.label(
                RichText::new(self.name)
                    .font(SMALL)
                    .color(theme.colours.muted),
            )
        });
        let vertical = if self.rows > 1 { 8 } else { 7 };
        let mut edit = if self.rows > 1 {
            TextEdit::multiline(self.text).desired_rows(self.rows)
        } else {
            TextEdit::singleline(self.text)
        }
        .hint_text(RichText::new(self.hint).color(theme.colours.muted))
        .desired_width(self.width)
        .password(self.password)
        .char_limit(self.limit)
        .margin(Margin {
            left: if self.glyph.is_some() { 34 } else { 10 },
            right: 10,
            top: vertical,
            bottom: vertical,
        })
        .font(self.font);
        if let Some(id) = self.id {
            edit = edit.id(id);
        }
        let response = ui.add(edit);
        let response = match &label {
            Some(label) => response.labelled_by(label.id),
            None => response.accessible_name(self.name),
        };
        if let Some(glyph) = self.glyph {
            let centre = response.rect.left_center() + egui::vec2(19.0, 0.0);
            paint_icon(ui.painter(), centre, glyph, 18.0, theme.colours.muted);
        }
        if label.is_some() {
            ui.add_space(4.0);
        }
        response
    }
}

/// A choice among several words, with its label above; gives the new choice.
pub(crate) fn choice_ui<T: PartialEq + Clone>(
    ui: &mut Ui,
    name: &str,
    chosen: &T,
    choices: &[(T, String)],
) -> Option<T> {
    let theme = Theme::of(ui);
    ui.spacing_mut().item_spacing.y = 4.0;
    let label = ui.label(RichText::new(name).font(SMALL).color(theme.colours.muted));
    let shown = choices
        .iter()
        .find(|(choice, _)| choice == chosen)
        .map(|(_, word)| shown_line(word))
        .unwrap_or_default();
    let mut changed = None;
    ui.name_inputs(name, |ui| {
        egui::ComboBox::from_id_salt(name)
            .width(ui.available_width().min(320.0))
            .selected_text(shown)
            .truncate()
            .show_ui(ui, |ui| {
                for (choice, word) in choices {
                    let picked = ui
                        .selectable_label(choice == chosen, shown_line(word))
                        .clicked();
                    if picked && choice != chosen {
                        changed = Some(choice.clone());
                    }
                }
            })
            .response
            .labelled_by(label.id);
    });
    ui.add_space(4.0);
    changed
}

/// A switch with its words beside it; true when it was changed.
pub(crate) fn switch_ui(ui: &mut Ui, on: &mut bool, words: &str) -> bool {
    ui.checkbox(on, words).changed()
}
