//! Fields, choices and switches, each with its label.

use egui::{
    Align2, CornerRadius, Id, Margin, Response, RichText, Role, Sense, Stroke, StrokeKind,
    TextEdit, Ui, Vec2, WidgetInfo,
};
use egui_material_icons::MaterialIcon;
use egui_material_icons::icons::ICON_SEARCH;

use super::button::Button;
use super::label::{paint_icon, paragraph_ui};
use super::lock::locked_ui;
use crate::ui::display_text::shown_line;
use crate::ui::state::FormProblem;
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
    why: &'a str,
    problem: Option<&'a mut Option<FormProblem>>,
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
            why: "",
            problem: None,
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

    /// An explanation below it.
    pub(crate) fn why(mut self, why: &'a str) -> Self {
        self.why = why;
        self
    }

    /// What is wrong with the form that it stands in; told here where it is about this field, until
    /// something else is typed.
    pub(crate) fn checked(mut self, problem: &'a mut Option<FormProblem>) -> Self {
        let here = problem
            .as_ref()
            .is_some_and(|it| it.field == Some(self.name));
        self.problem = here.then_some(problem);
        self
    }

    /// Adds it.
    pub(crate) fn show(self, ui: &mut Ui) -> Response {
        let name = self.name;
        locked_ui(ui, name, |ui| self.drawn(ui), Response::clone)
    }

    fn drawn(self, ui: &mut Ui) -> Response {
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
        bring_into_sight(&response);
        let response = match &label {
            Some(label) => response.labelled_by(label.id),
            None => response.accessible_name(self.name),
        };
        if let Some(glyph) = self.glyph {
            let centre = response.rect.left_center() + egui::vec2(19.0, 0.0);
            paint_icon(ui.painter(), centre, glyph, 18.0, theme.colours.muted);
        }
        if let Some(problem) = self.problem {
            if response.changed() {
                *problem = None;
            }
            if let Some(problem) = problem {
                problem_ui(ui, &response, problem);
            }
        }
        if !self.why.is_empty() {
            explanation_ui(ui, &response, self.why);
        }
        if label.is_some() {
            ui.add_space(if self.why.is_empty() { 4.0 } else { 8.0 });
        }
        response
    }
}

/// Adds a field to search in, as far at the right as the button that follows it lets it be.
pub(crate) fn search_ui(ui: &mut Ui, name: &str, text: &mut String, before: &Button<'_>) {
    let room = ui.available_width() - before.natural_width(ui) - ui.spacing().item_spacing.x;
    let width = (room - 40.0).clamp(100.0, 240.0);
    ui.add_space((room - width).max(0.0));
    Field::named(name, text)
        .hint(name)
        .glyph(ICON_SEARCH)
        .width(width)
        .show(ui);
}

/// Scrolls to what the keyboard has just reached, where it is out of sight.
fn bring_into_sight(control: &Response) {
    if control.gained_focus() {
        control.scroll_to_me(None);
    }
}

/// Paints where the keyboard is around a control of egui's, which shows it too faintly.
pub(crate) fn ring_ui(ui: &Ui, control: &Response) {
    if control.has_focus() {
        let theme = Theme::of(ui);
        let radius = CornerRadius::same(theme.radius.control);
        ui.painter().rect_stroke(
            control.rect.expand(3.0),
            radius,
            theme.focus(),
            StrokeKind::Inside,
        );
    }
}

/// Shows what is wrong with a field, and the first time brings it into sight with the keyboard.
fn problem_ui(ui: &mut Ui, field: &Response, problem: &mut FormProblem) {
    let colours = &Theme::of(ui).colours;
    let line = Stroke::new(1.0, colours.bad.text);
    let radius = CornerRadius::same(Theme::of(ui).radius.control);
    ui.painter()
        .rect_stroke(field.rect, radius, line, StrokeKind::Inside);
    paragraph_ui(ui, &problem.sentence, SMALL, colours.bad.text);
    describe(ui, field, &problem.sentence);
    ui.ctx().accesskit_node_builder(field.id, |node| {
        node.set_invalid(egui::accesskit::Invalid::True);
    });
    if std::mem::take(&mut problem.fresh) {
        field.request_focus();
        field.scroll_to_me(Some(egui::Align::Center));
    }
}

/// Adds the explanation of a control below it, which a screen reader says with its name.
fn explanation_ui(ui: &mut Ui, control: &Response, why: &str) {
    why_ui(ui, why);
    describe(ui, control, why);
}

/// Lets a screen reader say more of a control than its name.
pub(crate) fn describe(ui: &Ui, control: &Response, words: &str) {
    if words.is_empty() {
        return;
    }
    ui.ctx().accesskit_node_builder(control.id, |node| {
        let said = node.description().map(|said| format!("{said} {words}"));
        node.set_description(said.as_deref().unwrap_or(words));
    });
}

/// Adds an explanation below what stands there.
pub(crate) fn why_ui(ui: &mut Ui, why: &str) {
    paragraph_ui(ui, why, SMALL, Theme::of(ui).colours.muted);
}

/// A choice among several words, with its label above; gives the new choice.
pub(crate) fn choice_ui<T: PartialEq + Clone>(
    ui: &mut Ui,
    name: &str,
    chosen: &T,
    choices: &[(T, String)],
) -> Option<T> {
    let (changed, _) = bare_choice_ui(ui, name, chosen, choices);
    ui.add_space(4.0);
    changed
}

/// The same with an explanation below it.
pub(crate) fn explained_choice_ui<T: PartialEq + Clone>(
    ui: &mut Ui,
    name: &str,
    why: &str,
    chosen: &T,
    choices: &[(T, String)],
) -> Option<T> {
    let (changed, control) = bare_choice_ui(ui, name, chosen, choices);
    explanation_ui(ui, &control, why);
    ui.add_space(8.0);
    changed
}

fn bare_choice_ui<T: PartialEq + Clone>(
    ui: &mut Ui,
    name: &str,
    chosen: &T,
    choices: &[(T, String)],
) -> (Option<T>, Response) {
    let draw = |ui: &mut Ui| drawn_choice_ui(ui, name, chosen, choices);
    locked_ui(ui, name, draw, |(_, control)| control.clone())
}

fn drawn_choice_ui<T: PartialEq + Clone>(
    ui: &mut Ui,
    name: &str,
    chosen: &T,
    choices: &[(T, String)],
) -> (Option<T>, Response) {
    let theme = Theme::of(ui);
    ui.spacing_mut().item_spacing.y = 4.0;
    let label = ui.label(RichText::new(name).font(SMALL).color(theme.colours.muted));
    let shown = choices
        .iter()
        .find(|(choice, _)| choice == chosen)
        .map(|(_, word)| shown_line(word))
        .unwrap_or_default();
    let mut changed = None;
    let control = ui.name_inputs(name, |ui| {
        egui::ComboBox::from_id_salt(name)
            .width(ui.available_width().min(FORM))
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
            .labelled_by(label.id)
    });
    bring_into_sight(&control);
    (changed, control)
}

/// A switch with its words beside it; true when it was changed.
pub(crate) fn switch_ui(ui: &mut Ui, on: &mut bool, words: &str) -> bool {
    bare_switch_ui(ui, on, words).changed()
}

/// The same with an explanation below it.
pub(crate) fn explained_switch_ui(ui: &mut Ui, on: &mut bool, words: &str, why: &str) -> bool {
    let control = bare_switch_ui(ui, on, words);
    explanation_ui(ui, &control, why);
    ui.add_space(6.0);
    control.changed()
}

fn bare_switch_ui(ui: &mut Ui, on: &mut bool, words: &str) -> Response {
    locked_ui(
        ui,
        words,
        |ui| drawn_switch_ui(ui, on, words),
        Response::clone,
    )
}

fn drawn_switch_ui(ui: &mut Ui, on: &mut bool, words: &str) -> Response {
    let theme = Theme::of(ui);
    let room = (ui.available_width() - TRACK.x - theme.space.small).max(40.0);
    let text = ui
        .painter()
        .layout(words.to_owned(), BODY, theme.colours.text, room);
    let size = Vec2::new(
        TRACK.x + theme.space.small + text.size().x,
        text.size().y.max(TRACK.y) + theme.space.small,
    );
    let (place, mut response) = ui.allocate_exact_size(size, Sense::click());
    if response.clicked() {
        *on = !*on;
        response.mark_changed();
    }
    response.widget_info(|| WidgetInfo::selected(Role::Switch, true, *on, words));
    let painter = ui.painter();
    let track = Align2::LEFT_CENTER.align_size_within_rect(TRACK, place);
    let radius = CornerRadius::same(10);
    let (fill, line, knob, side) = if *on {
        let c = &theme.colours;
        (c.accent, c.accent, c.on_fill, track.right() - TRACK.y / 2.0)
    } else {
        let c = &theme.colours;
        (c.inset, c.muted, c.muted, track.left() + TRACK.y / 2.0)
    };
    painter.rect(
        track,
        radius,
        fill,
        Stroke::new(1.0, line),
        StrokeKind::Inside,
    );
    painter.circle_filled(egui::pos2(side, track.center().y), 6.0, knob);
    if response.has_focus() {
        let ring = CornerRadius::same(12);
        painter.rect_stroke(track.expand(3.0), ring, theme.focus(), StrokeKind::Inside);
    }
    let left = egui::pos2(
        track.right() + theme.space.small,
        place.center().y - text.size().y / 2.0,
    );
    painter.galley(left, text, theme.colours.text);
    bring_into_sight(&response);
    response
}

/// The widest that a choice and a form become: lines of some seventy letters.
pub(crate) const FORM: f32 = 480.0;

/// The size of a switch without its words.
const TRACK: Vec2 = Vec2::new(34.0, 20.0);
