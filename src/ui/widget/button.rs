//! Buttons: with words, and round ones with an icon.

use std::sync::Arc;

use egui::text::LayoutJob;
use egui::{
    Color32, CornerRadius, Galley, Painter, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui,
    Vec2, WidgetInfo,
};
use egui_material_icons::MaterialIcon;

use super::label::{Line, paint_icon, paint_own_line};
use crate::ui::display_text::{clean_line, shown_line, visual};
use crate::ui::text;
use crate::ui::theme::{Theme, Weight, font};

/// The width of each of two buttons that share a row.
pub(crate) fn half_width(ui: &Ui) -> f32 {
    ((ui.available_width() - ui.spacing().item_spacing.x) / 2.0).floor()
}

/// How much a button asks for attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// The one thing to do here.
    Primary,
    /// One of several things.
    Quiet,
    /// A line around it, nothing more.
    Outlined,
    /// A line around it, in the colour of refusing.
    OutlinedDanger,
    /// Answering a call.
    Answer,
    /// Ending or deleting.
    Danger,
    /// Chosen among several.
    Chosen,
    /// Nothing but its icon until it is pointed at.
    Bare,
}

/// The colours of a button.
struct Paint {
    fill: Color32,
    hover: Color32,
    text: Color32,
    line: Stroke,
}

impl Look {
    fn paint(self, theme: &Theme) -> Paint {
        let c = &theme.colours;
        let filled = |fill, hover| Paint {
            fill,
            hover,
            text: c.on_fill,
            line: Stroke::NONE,
        };
        match self {
            Self::Primary => filled(c.accent, c.accent_hover),
            Self::Answer => filled(c.answer, c.answer_hover),
            Self::Danger => filled(c.danger, c.danger_hover),
            Self::Quiet => Paint {
                fill: c.inset,
                hover: c.inset_hover,
                text: c.text,
                line: Stroke::NONE,
            },
            Self::Outlined => Paint {
                fill: Color32::TRANSPARENT,
                hover: c.inset,
                text: c.text,
                line: theme.border(),
            },
            Self::OutlinedDanger => Paint {
                fill: Color32::TRANSPARENT,
                hover: c.bad.tint,
                text: c.bad.text,
                line: Stroke::new(1.0, c.bad.text),
            },
            Self::Bare => Paint {
                fill: Color32::TRANSPARENT,
                hover: c.inset_hover,
                text: c.muted,
                line: Stroke::NONE,
            },
            Self::Chosen => Paint {
                fill: c.chosen.tint,
                hover: c.chosen.tint,
                text: c.chosen.text,
                line: Stroke::NONE,
            },
        }
    }
}

/// A button with a word, an icon, or both.
#[must_use]
pub(crate) struct Button<'a> {
    label: &'a str,
    name: Option<&'a str>,
    icon: Option<MaterialIcon>,
    look: Look,
    width: Option<f32>,
    height: Option<f32>,
    key: Option<&'a str>,
    tooltip: Option<&'a str>,
    enabled: bool,
}

impl<'a> Button<'a> {
    /// A quiet button with a word.
    pub(crate) fn new(label: &'a str) -> Self {
        Self {
            label,
            name: None,
            icon: None,
            look: Look::Quiet,
            width: None,
            height: None,
            key: None,
            tooltip: None,
            enabled: true,
        }
    }

    /// Only an icon; the name is for screen readers and the tooltip.
    pub(crate) fn icon_only(icon: MaterialIcon, name: &'a str) -> Self {
        Self {
            name: Some(name),
            icon: Some(icon),
            tooltip: Some(name),
            ..Self::new("")
        }
    }

    /// Puts an icon before the word.
    pub(crate) fn icon(mut self, icon: MaterialIcon) -> Self {
        self.icon = Some(icon);
        self
    }

    /// Says how it looks.
    pub(crate) fn look(mut self, look: Look) -> Self {
        self.look = look;
        self
    }

    /// What screen readers say, where the word alone does not tell.
    pub(crate) fn name(mut self, name: &'a str) -> Self {
        self.name = Some(name);
        self
    }

    /// Makes it exactly so wide.
    pub(crate) fn width(mut self, width: f32) -> Self {
        self.width = Some(width);
        self
    }

    /// Makes it exactly so high.
    pub(crate) fn height(mut self, height: f32) -> Self {
        self.height = Some(height);
        self
    }

    /// The key that does the same, for the tooltip.
    pub(crate) fn key(mut self, key: &'a str) -> Self {
        self.key = Some(key);
        self
    }

    /// More words under the pointer.
    pub(crate) fn tooltip(mut self, tooltip: &'a str) -> Self {
        self.tooltip = Some(tooltip);
        self
    }

    /// Whether it can be pressed.
    pub(crate) fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// Adds it.
    pub(crate) fn show(self, ui: &mut Ui) -> Response {
        let width = self.width.unwrap_or_else(|| self.natural_width(ui));
        let theme = Theme::of(ui);
        let height = self.height.unwrap_or(theme.height.control);
        let size = Vec2::new(width, height);
        let (place, response) = ui.allocate_exact_size(size, sense(self.enabled));
        self.finish(ui, place, response)
    }

    /// Puts it into a place that was already taken.
    pub(crate) fn put(self, ui: &Ui, place: Rect, id: egui::Id) -> Response {
        let response = ui.interact(place, id, sense(self.enabled));
        self.finish(ui, place, response)
    }

    /// How wide it is where nobody says another width.
    pub(crate) fn natural_width(&self, ui: &Ui) -> f32 {
        let theme = Theme::of(ui);
        let mut width = 2.0 * theme.space.medium;
        if self.label.is_empty() {
            return self.height.unwrap_or(theme.height.control);
        }
        if self.icon.is_some() {
            width += ICON + theme.space.tight;
        }
        let galley = ui.painter().layout_no_wrap(
            self.label.to_owned(),
            font(13.0, Weight::Medium),
            theme.colours.text,
        );
        (width + galley.size().x).ceil()
    }

    fn finish(self, ui: &Ui, place: Rect, response: Response) -> Response {
        let theme = Theme::of(ui);
        let name = self.name.unwrap_or(self.label);
        let chosen = (self.look == Look::Chosen).then_some(true);
        response.widget_info(|| WidgetInfo {
            selected: chosen,
            ..WidgetInfo::labeled(Role::Button, self.enabled, name)
        });
        if let Some(key) = self.key {
            tell_key(ui, &response, key);
        }
        let shortened = ui.is_rect_visible(place) && self.paint(ui, theme, place, &response);
        let tooltip = match (self.tooltip, self.key) {
            (Some(tooltip), Some(key)) => Some(text::key(tooltip, key)),
            (Some(tooltip), None) => Some(tooltip.to_owned()),
            (None, Some(key)) => Some(text::key(name, key)),
            (None, None) => shortened.then(|| shown_line(self.label)),
        };
        match tooltip {
            Some(tooltip) => response.on_hover_text(tooltip),
            None => response,
        }
    }

    /// Says whether its word had to be shortened.
    fn paint(&self, ui: &Ui, theme: &Theme, place: Rect, response: &Response) -> bool {
        let paint = self.look.paint(theme);
        let painter = ui.painter();
        let radius = CornerRadius::same(theme.radius.control);
        let pointed = self.enabled && (response.hovered() || response.is_pointer_button_down_on());
        let (fill, ink) = if self.enabled {
            (if pointed { paint.hover } else { paint.fill }, paint.text)
        } else {
            (theme.colours.inset, theme.colours.muted)
        };
        painter.rect(place, radius, fill, paint.line, StrokeKind::Inside);
        if response.has_focus() {
            painter.rect_stroke(
                place.expand(2.0),
                CornerRadius::same(theme.radius.control + 2),
                theme.focus(),
                StrokeKind::Inside,
            );
        }
        let Some(icon) = self.icon else {
            return self.paint_label(ui, place, ink, 0.0);
        };
        if self.label.is_empty() {
            paint_icon(painter, place.center(), icon, ICON, ink);
            return false;
        }
        self.paint_label(ui, place, ink, ICON + theme.space.tight)
    }

    /// Word and icon together in the middle; says whether the word had to be shortened.
    fn paint_label(&self, ui: &Ui, place: Rect, ink: Color32, icon_width: f32) -> bool {
        let painter = ui.painter();
        let line = Line {
            text: self.label,
            font: font(13.0, Weight::Medium),
            colour: ink,
        };
        let galley = painter.layout_no_wrap(line.text.to_owned(), line.font.clone(), line.colour);
        let inner = place.shrink2(Vec2::new(8.0, 0.0));
        let room = inner.width() - icon_width;
        let galley = if galley.size().x > room && place.height() >= TWO_LINES {
            two_lines(painter, self.label, ink, room).unwrap_or(galley)
        } else {
            galley
        };
        let width = (galley.size().x + icon_width).min(inner.width());
        let mut left = place.center().x - width / 2.0;
        if let Some(icon) = self.icon {
            paint_icon(
                painter,
                egui::pos2(left + ICON / 2.0, place.center().y),
                icon,
                ICON,
                ink,
            );
            left += icon_width;
        }
        if galley.rows.len() > 1 {
            let top = place.center().y - galley.size().y / 2.0;
            painter.galley(egui::pos2(left, top), galley, ink);
            return false;
        }
        let word = Rect::from_min_max(
            egui::pos2(left, place.top()),
            egui::pos2(inner.right() + 1.0, place.bottom()),
        );
        paint_own_line(painter, word, &line).1
    }
}

/// Lets a screen reader say the key that does the same.
fn tell_key(ui: &Ui, button: &Response, key: &str) {
    ui.ctx()
        .accesskit_node_builder(button.id, |node| node.set_keyboard_shortcut(key));
}

/// What cannot be pressed takes neither clicks nor the keyboard.
fn sense(enabled: bool) -> Sense {
    if enabled {
        Sense::click()
    } else {
        Sense::hover()
    }
}

/// From this height on a word that is too long for its button stands in two lines.
const TWO_LINES: f32 = 28.0;

/// A label in two smaller lines; none where it still does not fit, or is read from right to left, which
/// is ordered line by line.
fn two_lines(painter: &Painter, label: &str, ink: Color32, room: f32) -> Option<Arc<Galley>> {
    let clean = clean_line(label);
    if visual(&clean) != clean {
        return None;
    }
    let mut job = LayoutJob::simple(clean, font(11.0, Weight::Medium), ink, room);
    job.wrap.max_rows = 2;
    let galley = painter.layout_job(job);
    (!galley.elided && galley.size().x <= room).then_some(galley)
}

/// The size of an icon in a button.
const ICON: f32 = 18.0;

/// A round button with an icon and a word under it: the controls of a call.
#[must_use]
pub(crate) struct RoundButton<'a> {
    /// The icon of the present state.
    pub(crate) icon: MaterialIcon,
    /// What pressing it does.
    pub(crate) name: &'a str,
    /// The word under it.
    pub(crate) caption: &'a str,
    /// The key that does the same.
    pub(crate) key: &'a str,
    /// How it looks.
    pub(crate) look: Look,
    /// Whether it can be pressed.
    pub(crate) enabled: bool,
}

/// A round button's diameter.
const ROUND: f32 = 44.0;
/// The size of the word under it, and the least.
const CAPTION: f32 = 11.5;
const LEAST_CAPTION: f32 = 8.5;
/// The room for it and its word.
const ROUND_PLACE: Vec2 = Vec2::new(50.0, 64.0);

impl RoundButton<'_> {
    /// Adds it.
    pub(crate) fn show(self, ui: &mut Ui) -> Response {
        let (place, response) = ui.allocate_exact_size(ROUND_PLACE, sense(self.enabled));
        let theme = Theme::of(ui);
        let pressed = matches!(self.look, Look::Chosen | Look::Primary);
        response.widget_info(|| WidgetInfo {
            selected: pressed.then_some(true),
            ..WidgetInfo::labeled(Role::Button, self.enabled, self.name)
        });
        tell_key(ui, &response, self.key);
        let paint = self.look.paint(theme);
        let painter = ui.painter();
        let centre = egui::pos2(place.center().x, place.top() + ROUND / 2.0);
        let pointed = self.enabled && response.hovered();
        let (fill, ink) = if self.enabled {
            (if pointed { paint.hover } else { paint.fill }, paint.text)
        } else {
            (theme.colours.inset, theme.colours.muted)
        };
        painter.circle(centre, ROUND / 2.0, fill, paint.line);
        if response.has_focus() {
            painter.circle_stroke(centre, ROUND / 2.0 + 2.0, theme.focus());
        }
        paint_icon(painter, centre, self.icon, 22.0, ink);
        let word = self.caption(painter, theme.colours.muted);
        let middle = egui::pos2(place.center().x, place.bottom() - word.size().y);
        painter.galley(middle, word, theme.colours.muted);
        response.on_hover_text(text::key(self.name, self.key))
    }

    /// The word, around its middle. A longer one is written smaller, then in two lines, and shortened at
    /// last: under the next button stands another one.
    fn caption(&self, painter: &Painter, ink: Color32) -> Arc<Galley> {
        let lay_out = |size: f32, rows: usize| {
            let face = font(size, Weight::Regular);
            let mut job = LayoutJob::simple(self.caption.to_owned(), face, ink, ROUND_PLACE.x);
            job.wrap.max_rows = rows;
            job.halign = egui::Align::Center;
            painter.layout_job(job)
        };
        let fits = |word: &Galley| !word.elided && word.size().x <= ROUND_PLACE.x;
        let face = font(CAPTION, Weight::Regular);
        let wanted = painter.layout_no_wrap(self.caption.to_owned(), face, ink);
        let size = (CAPTION * ROUND_PLACE.x / wanted.size().x).min(CAPTION);
        let one_row = lay_out(size.max(LEAST_CAPTION), 1);
        if fits(&one_row) {
            one_row
        } else {
            lay_out(LEAST_CAPTION, 2)
        }
    }
}
