//! Text and icons. Every text is cleaned and ordered for display on its way in.

use std::sync::Arc;
use std::time::Duration;

use egui::text::{LayoutJob, TextWrapping};
use egui::{
    Align2, Color32, FontId, Galley, Id, Painter, PopupAnchor, Pos2, Rect, Response, RichText,
    Role, Sense, Tooltip, Ui, Vec2, WidgetInfo,
};
use egui_material_icons::MaterialIcon;

use crate::ui::display_text::{clean_line, clean_text, reads_right_to_left, visual};
use crate::ui::theme::{Theme, Weight, font};

/// One line of text to paint.
pub(crate) struct Line<'a> {
    /// As it came; it is cleaned here.
    pub(crate) text: &'a str,
    pub(crate) font: FontId,
    pub(crate) colour: Color32,
}

/// Adds an icon that says something: to a screen reader by this name, not by its glyph.
pub(crate) fn icon_ui(ui: &mut Ui, icon: MaterialIcon, size: f32, colour: Color32, name: &str) {
    let (place, response) = ui.allocate_exact_size(Vec2::splat(size), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
    paint_icon(ui.painter(), place.center(), icon, size, colour);
}

/// Paints an icon into the middle of a place.
pub(crate) fn paint_icon(
    painter: &Painter,
    centre: Pos2,
    icon: MaterialIcon,
    size: f32,
    colour: Color32,
) {
    painter.text(
        centre,
        Align2::CENTER_CENTER,
        icon.codepoint,
        FontId::new(size, icon.font_family()),
        colour,
    );
}

/// Lays a line out, ending in an ellipsis where it is too long; tells whether it was.
fn lay_out(painter: &Painter, line: &Line<'_>, width: f32) -> (Arc<Galley>, bool) {
    let clean = clean_line(line.text);
    let mut shown = visual(&clean);
    let mut shortened = false;
    if shown != clean {
        let fitting = elided(painter, &clean, &line.font, width);
        shortened = fitting != clean;
        shown = visual(&fitting);
    }
    let mut job = LayoutJob::simple_singleline(shown, line.font.clone(), line.colour);
    job.wrap = TextWrapping::truncate_at_width(width.max(0.0));
    let galley = painter.layout_job(job);
    let shortened = shortened || galley.elided;
    (galley, shortened)
}

/// Shows the whole of a line that was shortened, once the pointer rests on it.
fn tell_whole(painter: &Painter, place: Rect, whole: &str) {
    let ctx = painter.ctx();
    let seen = place.intersect(painter.clip_rect());
    if !ctx.rect_contains_pointer(painter.layer_id(), seen) {
        return;
    }
    let delay = ctx.global_style().interaction.tooltip_delay;
    let rested = ctx.input(|input| input.pointer.time_since_last_movement());
    if rested < delay {
        ctx.request_repaint_after(Duration::from_secs_f32(delay - rested));
        return;
    }
    let id = Id::unique("the whole of a line");
    Tooltip::always_open(ctx.clone(), painter.layer_id(), id, PopupAnchor::Pointer)
        .gap(12.0)
        .show(|ui| ui.label(visual(&clean_line(whole))));
}

/// Cleans a line and shortens it to a width, in the order in which it is read: of a name that is
/// written from right to left the beginning stays, which egui, who cuts at the right, would drop.
pub(crate) fn elided(painter: &Painter, text: &str, font: &FontId, width: f32) -> String {
    let clean = clean_line(text);
    let fits = |text: &str| {
        let galley = painter.layout_no_wrap(visual(text), font.clone(), Color32::PLACEHOLDER);
        galley.size().x <= width
    };
    if fits(&clean) {
        return clean;
    }
    let ends: Vec<usize> = clean.char_indices().map(|(at, _)| at).collect();
    let shortened = |end: usize| format!("{}…", clean.get(..end).unwrap_or_default().trim_end());
    // The shortest prefix that is too long.
    let place = ends.partition_point(|end| fits(&shortened(*end)));
    let longest = place.checked_sub(1).and_then(|place| ends.get(place));
    shortened(longest.copied().unwrap_or_default())
}

/// Paints one line into a place, left and vertically centred; says how wide it was. The whole of one that
/// is too long is shown under the pointer.
pub(crate) fn paint_line(painter: &Painter, place: Rect, line: &Line<'_>) -> f32 {
    let (width, shortened) = paint_own_line(painter, place, line);
    if shortened {
        tell_whole(painter, place, line.text);
    }
    width
}

/// The same for a control that tells its whole name itself; says whether the line was too long, too.
pub(crate) fn paint_own_line(painter: &Painter, place: Rect, line: &Line<'_>) -> (f32, bool) {
    let (galley, shortened) = lay_out(painter, line, place.width());
    let width = galley.size().x;
    let top = place.center().y - galley.size().y / 2.0;
    painter.galley(Pos2::new(place.left(), top), galley, line.colour);
    (width, shortened)
}

/// Paints one line into the middle of a place.
pub(crate) fn paint_centred(painter: &Painter, place: Rect, line: &Line<'_>) {
    let (galley, shortened) = lay_out(painter, line, place.width());
    let corner = place.center() - galley.size() / 2.0;
    painter.galley(corner, galley, line.colour);
    if shortened {
        tell_whole(painter, place, line.text);
    }
}

/// Adds one line that never wraps.
pub(crate) fn line_ui(ui: &mut Ui, text: &str, font: FontId, colour: Color32) -> Response {
    let clean = clean_line(text);
    let mut shown = visual(&clean);
    let turned = shown != clean;
    if turned {
        shown = visual(&elided(ui.painter(), &clean, &font, ui.available_width()));
    }
    let response = ui.add(
        egui::Label::new(RichText::new(shown).font(font).color(colour))
            .truncate()
            .selectable(false),
    );
    if turned {
        response.accessible_name(clean)
    } else {
        response
    }
}

/// Adds a text of several lines that wraps at the width that is there.
pub(crate) fn paragraph_ui(ui: &mut Ui, text: &str, font: FontId, colour: Color32) {
    let clean = clean_text(text);
    for line in clean.lines() {
        if !line.is_empty() && reads_right_to_left(line) {
            for row in wrapped(ui, line, &font) {
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Min), |ui| {
                    let label = RichText::new(visual(&row)).font(font.clone()).color(colour);
                    ui.add(egui::Label::new(label).extend().selectable(false))
                        .accessible_name(row.as_str());
                });
            }
        } else {
            let label = RichText::new(visual(line)).font(font.clone()).color(colour);
            ui.add(egui::Label::new(label).wrap());
        }
    }
}

/// Breaks a line into rows that fit, so that each row can be ordered by itself.
fn wrapped(ui: &Ui, line: &str, font: &FontId) -> Vec<String> {
    let width = ui.available_width();
    let mut rows: Vec<String> = Vec::new();
    for word in line.split_whitespace() {
        let longer = match rows.last() {
            Some(row) => format!("{row} {word}"),
            None => word.to_owned(),
        };
        let galley =
            ui.painter()
                .layout_no_wrap(visual(&longer), font.clone(), Color32::PLACEHOLDER);
        match rows.last_mut() {
            Some(row) if galley.size().x <= width => *row = longer,
            Some(_) => rows.push(word.to_owned()),
            None => rows.push(longer),
        }
    }
    rows
}

/// Adds a view's title.
pub(crate) fn title_ui(ui: &mut Ui, text: &str) {
    let colour = Theme::of(ui).colours.text;
    line_ui(ui, text, font(20.0, Weight::SemiBold), colour);
}
